"""Layout: from the names of drivers to columns, where one driver may be several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.errors import SurveyError
from cxlab.survey import Survey
from cxlab.words import LANGUAGES

FloatArray = np.ndarray[Any, np.dtype[Any]]
_FACTOR = re.compile(r"factor\((.+)\)")
_LEVELS = 20
_STRUCTURAL = ("not experienced", "not asked")


def column_of(name: str) -> str:
    """The column or role behind a driver: ``"factor(payer)"`` is that of ``payer``."""
    found = _FACTOR.fullmatch(name.strip())
    return found[1].strip() if found else name


def is_factor(name: str) -> bool:
    """Tell whether a driver is used as categories."""
    return _FACTOR.fullmatch(name.strip()) is not None


@dataclass(frozen=True, eq=False)
class Layout:
    """Columns of drivers and of what is forced in.

    Attributes
    ----------
    columns : array, shape (rows, k)
    players : tuple of tuples of int
        Columns of each driver.
    always : tuple of int
        Columns that are forced in.
    """

    columns: FloatArray
    players: tuple[tuple[int, ...], ...]
    always: tuple[int, ...]

    @property
    def simple(self) -> bool:
        """Whether every driver is one column, and nothing is forced in."""
        return not self.always and all(len(p) == 1 for p in self.players)


def lay_out(names: Sequence[str], values: FloatArray, unmet: np.ndarray, weights: FloatArray, drivers: int) -> Layout:
    """Expand each name to its columns.

    Parameters
    ----------
    names : sequence of str
        Drivers, then what is forced in.
    values : array, shape (rows, names)
    unmet : bool array, shape (rows, names)
        Answers that cannot exist, since the respondent did not meet the thing: these become 0 (at the mean) and an
        indicator.
    weights : array, shape (rows,)
    drivers : int
        How many of the names are drivers.
    """
    columns: list[FloatArray] = []
    places: list[tuple[int, ...]] = []
    for name, value, absent in zip(names, values.T, unmet.T, strict=True):
        own = _dummies(name, value) if is_factor(name) else _experience(value, absent, weights)
        places.append(tuple(range(len(columns), len(columns) + len(own))))
        columns += own
    always = tuple(c for place in places[drivers:] for c in place)
    return Layout(np.column_stack(columns), tuple(places[:drivers]), always)


def _dummies(name: str, values: FloatArray) -> list[FloatArray]:
    """Indicators of all categories but the first."""
    known = np.isfinite(values)
    levels = np.unique(values[known])
    if len(levels) < 2:
        raise SurveyError(
            f"drivers: {name!r} has {len(levels)} category among the {int(known.sum()):,} rows that are used; a factor "
            "needs two: leave it out or widen the filter."
        )
    if len(levels) > _LEVELS:
        raise SurveyError(
            f"drivers: {name!r} has {len(levels)} categories, at most {_LEVELS} are allowed; use "
            f"{column_of(name)!r} as a number, or recode it."
        )
    return [np.where(known, values == level, np.nan) for level in levels[1:]]


def _experience(values: FloatArray, absent: np.ndarray, weights: FloatArray) -> list[FloatArray]:
    """The answer; where some did not meet the thing, their answer at the mean and an indicator beside it."""
    if not absent.any():
        return [values]
    met = np.isfinite(values) & ~absent
    if not met.any():
        return [np.where(absent, np.nan, values)]
    mean = np.average(values[met], weights=weights[met])
    return [np.where(absent, mean, values), absent.astype(float)]


def unmet(survey: Survey, name: str, reasons: Sequence[str] = ("not experienced",)) -> np.ndarray:
    """Rows whose answer is missing for one of these reasons, bool of shape (rows,); never for a role of items."""
    columns = survey.items_of(column_of(name))
    out = np.zeros(len(survey.data), dtype=bool)
    if len(columns) > 1:
        return out
    given = survey.missing_reasons.get(columns[0])
    if given is None:
        return out
    codes = [c for c, reason in survey.codebook[columns[0]].missing.items() if reason in reasons]
    return np.asarray(given.isin(codes))


def structurally_missing(survey: Survey, name: str) -> float:
    """Share of the domain's respondents that have nothing to answer: not experienced, or not asked at all."""
    shares = []
    for column in survey.items_of(column_of(name)):
        coded = float(unmet(survey, column, _STRUCTURAL)[survey.domain].mean())
        shares.append(coded if survey.data[column][survey.domain].notna().any() else 1.0)
    return max(shares)


def values_of(survey: Survey, name: str) -> FloatArray:
    """Numbers of a driver; of a factor its codes."""
    return survey.values(column_of(name))


def wording(survey: Survey, name: str) -> dict[str, str]:
    """Label of a driver in every language."""
    return {lang: survey.label(column_of(name), lang) for lang in LANGUAGES}
