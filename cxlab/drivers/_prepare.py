"""Prepare: from a survey and names to complete rows of numbers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cxlab.design import Design, resolve
from cxlab.errors import CollinearityWarning, SurveyError
from cxlab.metrics import names as wordings
from cxlab.moments import Moments, weighted_moments
from cxlab.survey import Survey
from cxlab.words import Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
SET_ASIDE = 0.20  # share of "not experienced" from which a default driver is set aside under listwise
_VIF = 10.0
_TIED = 1e-8  # share of a driver's variance left under which it repeats the others


@dataclass(frozen=True, eq=False)
class Prepared:
    """Complete rows of drivers and outcome, with their place in the design.

    Attributes
    ----------
    outcome : str
    drivers : tuple of str, length p
    blocks : tuple of str, length p
    columns : array, shape (rows, p + 1)
        Drivers and, last, the outcome.
    weights : array, shape (rows,)
    rows : int array, shape (rows,)
        Position of each row in the survey.
    unit : int array, shape (rows,)
        Place of each row's PSU among those used.
    used : bool array, shape (units,)
    stratum : int array, shape (rows,)
    excluded, excluded_share : int, float
        Rows of the domain that left, and their share of its weight.
    """

    outcome: str
    drivers: tuple[str, ...]
    blocks: tuple[str, ...]
    columns: FloatArray
    weights: FloatArray
    rows: np.ndarray
    unit: np.ndarray
    used: np.ndarray
    stratum: np.ndarray
    design: Design
    moments: Moments
    excluded: int
    excluded_share: float
    labels: Mapping[Any, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[Mapping[str, str], ...] = ()

    @property
    def df(self) -> float:
        """Degrees of freedom: units − strata among the rows used."""
        return float(max(int(self.used.sum()) - len(np.unique(self.stratum)), 1))


def prepare(survey: Survey, outcome: str, drivers: Sequence[str] | None, missing: str) -> Prepared:
    """Choose the drivers, drop incomplete rows, and say what was left out."""
    if missing != "listwise":
        raise SurveyError(
            f"missing is {missing!r}; allowed: 'listwise' (rows with a missing answer leave the analysis)."
        )
    survey.require("outcome", [outcome])
    chosen, notes = _default_drivers(survey) if drivers is None else (list(drivers), [])
    _check_names(survey, outcome, chosen)
    columns = np.column_stack([survey.values(n) for n in [*chosen, outcome]])
    weights = survey.weights
    asked = survey.domain & (weights > 0)
    complete = asked & np.isfinite(columns).all(axis=1)
    rows = np.flatnonzero(complete)
    if len(rows) < len(chosen) + 2:
        raise SurveyError(
            f"drivers: {len(rows)} of {int(asked.sum()):,} respondents answered all {len(chosen)} drivers and {outcome!r}; "
            f"at least {len(chosen) + 2} are needed: name fewer drivers or widen the filter.{_emptiest(columns[asked], chosen)}"
        )
    _check_content(columns[rows], chosen, outcome)
    moments = weighted_moments(columns[rows], weights[rows])
    notes += _collinearity(moments, chosen)
    design = resolve(survey)
    used = np.zeros(len(design.stratum), dtype=bool)
    used[design.psu[rows]] = True
    lost = int(asked.sum()) - len(rows)
    lost_share = 1 - float(weights[rows].sum() / weights[asked].sum())
    place = np.cumsum(used) - 1
    return Prepared(
        outcome, tuple(chosen), _blocks(survey, chosen), columns[rows], weights[rows], rows, place[design.psu[rows]], used,
        design.stratum[design.psu[rows]], design, moments, lost, lost_share,
        {n: wordings(survey, n) for n in [*chosen, outcome]}, tuple(notes),
    )  # fmt: skip


def _default_drivers(survey: Survey) -> tuple[list[str], list[Mapping[str, str]]]:
    """The study's drivers without those that many respondents have not experienced."""
    declared = [i for items in survey.roles.drivers.values() for i in items]
    if not declared:
        raise SurveyError("drivers: the survey declares none; declare drivers in study.yml, or pass drivers=[...].")
    aside = [d for d in declared if structurally_missing(survey, d) > SET_ASIDE]
    if not aside:
        return declared, []
    if len(aside) == len(declared):
        raise SurveyError(
            f"drivers: more than {SET_ASIDE:.0%} of the respondents did not meet, or were not asked about, each of the "
            f"{len(declared)} declared drivers; pass drivers=[...] to use some of them all the same."
        )
    listed = {
        "en": ", ".join(survey.label(d, "en") for d in aside),
        "zh": "、".join(survey.label(d, "zh") for d in aside),
    }
    note = Note(_SET_ASIDE, limit=SET_ASIDE, drivers=listed)
    return [d for d in declared if d not in aside], [note]


_SET_ASIDE = {
    "en": "Set aside because more than {limit:.0%} of respondents have not experienced them or were not asked: {drivers}.",
    "zh": "超过 {limit:.0%} 的受访者未体验或未被问及，因此未纳入：{drivers}。",
}
_STRUCTURAL = ("not experienced", "not asked")


def structurally_missing(survey: Survey, name: str) -> float:
    """Share of the domain's respondents that have nothing to answer: not experienced, or not asked at all."""
    shares = []
    for column in survey.items_of(name):
        reasons = survey.missing_reasons.get(column)
        codes = [c for c, reason in survey.codebook[column].missing.items() if reason in _STRUCTURAL]
        coded = 0.0 if reasons is None else float(reasons[survey.domain].isin(codes).mean())
        shares.append(coded if survey.data[column][survey.domain].notna().any() else 1.0)
    return max(shares)


def _blocks(survey: Survey, drivers: Sequence[str]) -> tuple[str, ...]:
    of = {item: block for block, items in survey.roles.drivers.items() for item in items}
    return tuple(of.get(d, "") for d in drivers)


def _check_names(survey: Survey, outcome: str, drivers: Sequence[str]) -> None:
    if not drivers:
        raise SurveyError("drivers is empty; name at least one column.")
    survey.require("drivers", drivers)
    twice = sorted({d for d in drivers if list(drivers).count(d) > 1})
    if twice:
        raise SurveyError(f"drivers names {len(twice)} columns more than once: {', '.join(map(repr, twice))}.")
    behind = set(survey.items_of(outcome))
    same = [d for d in drivers if d == outcome or behind & set(survey.items_of(d))]
    if same:
        raise SurveyError(f"drivers holds the outcome itself ({', '.join(map(repr, same))}); leave it out.")


def _check_content(columns: FloatArray, drivers: Sequence[str], outcome: str) -> None:
    spread = np.ptp(columns, axis=0)
    constant = [n for n, s in zip([*drivers, outcome], spread, strict=True) if s == 0]
    if constant:
        raise SurveyError(
            f"{len(constant)} of {len(drivers) + 1} columns have the same answer in all {len(columns):,} complete rows: "
            f"{', '.join(map(repr, constant))}; a constant explains nothing: leave it out or widen the filter."
        )


def _emptiest(columns: FloatArray, drivers: Sequence[str]) -> str:
    share = np.isnan(columns[:, : len(drivers)]).mean(axis=0) if len(columns) else np.zeros(len(drivers))
    worst = int(np.argmax(share))
    return f" {drivers[worst]!r} is missing for {share[worst]:.0%}." if share[worst] > 0 else ""


def _collinearity(moments: Moments, drivers: Sequence[str]) -> list[Mapping[str, str]]:
    """Refuse drivers that others determine; warn of those that others nearly determine."""
    correlation = moments.correlation()[:-1, :-1]
    if len(drivers) < 2:
        return []
    left = np.array([_variance_left(correlation, k) for k in range(len(drivers))])
    tied = [d for d, v in zip(drivers, left, strict=True) if v < _TIED]
    if tied:
        raise SurveyError(
            f"drivers holds {len(tied)} columns that repeat one another ({', '.join(map(repr, tied[:6]))}): each is "
            "determined by the others; leave one out, or combine them."
        )
    close = {d: 1 / v for d, v in zip(drivers, left, strict=True) if v < 1 / _VIF}
    if not close:
        return []
    listed = ", ".join(f"{d} (VIF {v:.0f})" for d, v in close.items())
    warnings.warn(
        f"{len(close)} drivers carry nearly the same information: {listed}.", CollinearityWarning, stacklevel=4
    )
    return [Note(_CLOSE, drivers=", ".join(close), vif=max(close.values()))]


_CLOSE = {
    "en": "Nearly the same information (largest VIF {vif:.0f}): {drivers}.",
    "zh": "信息高度重叠（最大 VIF {vif:.0f}）：{drivers}。",
}


def _variance_left(correlation: FloatArray, k: int) -> float:
    """Share of a driver's variance that the others do not explain (1 / VIF)."""
    others = np.delete(np.arange(len(correlation)), k)
    solved = np.linalg.lstsq(correlation[np.ix_(others, others)], correlation[others, k], rcond=1e-12)[0]
    return float(1 - correlation[k, others] @ solved)
