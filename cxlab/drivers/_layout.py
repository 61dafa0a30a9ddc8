"""Layout: from the names of drivers to columns, where one driver may be several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.covariances import unmet
from cxlab.errors import SurveyError
from cxlab.survey import Survey
from cxlab.words import LANGUAGES

FloatArray = np.ndarray[Any, np.dtype[Any]]
_FACTOR = re.compile(r"factor\((.+)\)")
_LEVELS = 20


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
    answered : bool array, shape (rows, drivers)
        Who gave an answer to each driver.
    names : tuple of str
        Name behind each column.
    absent : tuple of int
        Column that marks who did not meet what each driver asks about, −1 without; drivers that the same people did not
        meet share one.
    """

    columns: FloatArray
    players: tuple[tuple[int, ...], ...]
    always: tuple[int, ...]
    answered: np.ndarray
    names: tuple[str, ...]
    absent: tuple[int, ...]

    @property
    def simple(self) -> bool:
        """Whether every driver is one column, and nothing is forced in."""
        return not self.always and all(len(p) == 1 for p in self.players)


def stacked(columns: Sequence[FloatArray]) -> FloatArray:
    """Columns side by side, each in one piece of memory."""
    return np.array(columns, dtype=float).T


def lay_out(names: Sequence[str], values: FloatArray, absent: FloatArray, weights: FloatArray, drivers: int) -> Layout:
    """Expand each name to its columns.

    Parameters
    ----------
    names : sequence of str
        Drivers, then what is forced in.
    values : array, shape (rows, names)
    absent : array, shape (rows, names)
        1 where no answer can exist, since the respondent did not meet the thing: these become 0 (at the mean) and an
        indicator; NaN where that is unknown.
    weights : array, shape (rows,)
    drivers : int
        How many of the names are drivers.
    """
    columns: list[FloatArray] = []
    places: list[tuple[int, ...]] = []
    marks: list[int] = []
    for name, value, without in zip(names, values.T, absent.T, strict=True):
        own = _dummies(name, value, without) if is_factor(name) else _experience(value, without, weights)
        found = [_place(columns, extra) for extra in own[1:]]
        kept = own[:1] + [extra for extra, old in zip(own[1:], found, strict=True) if old < 0]
        marks.append(-1 if is_factor(name) or not found else found[0] if found[0] >= 0 else len(columns) + 1)
        places.append(tuple(range(len(columns), len(columns) + len(kept))))
        columns += kept
    always = tuple(c for place in places[drivers:] for c in place)
    behind = tuple(name for name, place in zip(names, places, strict=True) for _ in place)
    plain = not any(is_factor(n) for n in names) and not (absent == 1).any()
    laid_out = values if plain else stacked(columns)
    return Layout(
        laid_out, tuple(places[:drivers]), always, np.isfinite(values[:, :drivers]), behind, tuple(marks[:drivers])
    )


def _place(columns: Sequence[FloatArray], column: FloatArray) -> int:
    """Where a column already stands, −1 if nowhere."""
    return next((i for i, old in enumerate(columns) if np.array_equal(column, old, equal_nan=True)), -1)


def _dummies(name: str, values: FloatArray, absent: FloatArray) -> list[FloatArray]:
    """Indicators of all categories but the first; to have none can be a category."""
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
    none = absent == 1
    own = [np.where(known | none, values == level, np.nan) for level in levels[1:]]
    return [*own, np.where(known | none, none, np.nan)] if none.any() else own


def _experience(values: FloatArray, absent: FloatArray, weights: FloatArray) -> list[FloatArray]:
    """The answer; where some did not meet the thing, their answer at the mean and an indicator beside it."""
    if not (absent == 1).any():
        return [values]
    met = np.isfinite(values)
    if not met.any():
        return [values]
    mean = np.average(values[met], weights=weights[met])
    return [np.where(absent == 1, mean, values), absent]


def absence(survey: Survey, name: str) -> FloatArray:
    """Who did not meet what a driver asks about, shape (rows,): 1 not, 0 met, NaN not asked or without a reason."""
    silent = ~np.isfinite(values_of(survey, name))
    name = column_of(name)
    given = unmet(survey, name)
    reasons = survey.missing_reasons.get(survey.items_of(name)[0])
    unasked = silent if reasons is None else silent & (reasons.isna().to_numpy() | unmet(survey, name, ("not asked",)))
    return np.where(given, 1.0, np.where(unasked, np.nan, 0.0))


def values_of(survey: Survey, name: str) -> FloatArray:
    """Numbers of a driver; of a factor its codes."""
    return survey.values(column_of(name))


def wording(survey: Survey, name: str) -> dict[str, str]:
    """Label of a driver in every language."""
    return {lang: survey.label(column_of(name), lang) for lang in LANGUAGES}
