"""Prepare: from a survey and names to columns, rows and covariances."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cxlab.covariances import INCOMPLETE, SOURCES, Sample, Source, check_pairs, structurally_missing, unmet
from cxlab.design import Design, kish_base, resolve
from cxlab.drivers._layout import (
    Layout,
    absence,
    column_of,
    is_factor,
    lay_out,
    stacked,
    values_of,
    wording,
)
from cxlab.drivers._outcomes import Outcome, read_outcome
from cxlab.errors import CollinearityWarning, SurveyError, one_of
from cxlab.moments import to_correlation
from cxlab.survey import Survey
from cxlab.words import Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
UNKNOWN = 0.90  # the same under the other methods
SET_ASIDE = 0.20  # share of "not experienced" from which a default driver is set aside under listwise
_VIF = 10.0
_TIED = 1e-8  # share of a driver's variance left under which it repeats the others


@dataclass(frozen=True, eq=False)
class Prepared:
    """What an analysis of drivers starts from: names, columns, covariances.

    Attributes
    ----------
    outcome : str
    drivers : tuple of str, length p
    blocks : tuple of str, length p
    layout : Layout
        Which columns are a driver's, and which are forced in.
    sample : Sample
        Rows, columns, weights and their place in the design; the outcome is the last column.
    source : Source
        Covariances by the chosen way to treat missing answers.
    excluded, excluded_share : int, float
        Rows of the domain that left, and their share of its weight.
    survey : Survey or None
        Where all this comes from; further checks look at those who left.
    reading : Outcome or None
        What the outcome's text stands for.
    """

    outcome: str
    drivers: tuple[str, ...]
    blocks: tuple[str, ...]
    always: tuple[str, ...]
    missing: str
    layout: Layout
    sample: Sample
    source: Source
    excluded: int
    excluded_share: float
    labels: Mapping[Any, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[Mapping[str, str], ...] = ()
    survey: Survey | None = field(default=None, repr=False)
    reading: Outcome | None = field(default=None, repr=False)

    @property
    def columns(self) -> FloatArray:
        """Columns of the drivers, of what is forced in and, last, the outcome, shape (rows, k + 1)."""
        return self.sample.columns

    @property
    def weights(self) -> FloatArray:
        """Weight of each row, shape (rows,)."""
        return self.sample.weights

    @property
    def rows(self) -> np.ndarray:
        """Position of each row in the survey, shape (rows,)."""
        return self.sample.rows

    @property
    def design(self) -> Design:
        """Design of the whole survey."""
        return self.sample.design

    @property
    def df(self) -> float:
        """Degrees of freedom: units − strata among the rows used."""
        return self.sample.df

    @property
    def players(self) -> tuple[tuple[int, ...], ...] | None:
        """Columns of each driver; None where each has one and nothing is forced in."""
        return None if self.layout.simple else self.layout.players

    @property
    def complete(self) -> np.ndarray:
        """Rows without a missing answer, bool of shape (rows,); not experienced counts as one."""
        return np.asarray(self.layout.answered.all(axis=1) & np.isfinite(self.columns).all(axis=1))

    @property
    def bases(self) -> np.ndarray:
        """Rows that answered each driver and the outcome, shape (p,)."""
        return (self.layout.answered & np.isfinite(self.columns[:, [-1]])).sum(axis=0)

    @property
    def first(self) -> np.ndarray:
        """The column whose coefficient is a driver's effect per +1 point, −1 for a factor, shape (p,)."""
        pairs = zip(self.drivers, self.layout.players, strict=True)
        return np.array([-1 if is_factor(d) else columns[0] for d, columns in pairs])


def prepare(
    survey: Survey,
    outcome: str,
    drivers: Sequence[str] | Mapping[str, Sequence[str]] | None,
    missing: str = "listwise",
    always: Sequence[str] = (),
) -> Prepared:
    """Choose the drivers and the rows, and say what was left out."""
    if missing not in SOURCES:
        raise one_of("missing", missing, SOURCES)
    reading = read_outcome(survey, outcome)
    outcome = reading.text
    chosen, notes, blocks = _chosen(survey, drivers, missing)
    forced = named("always", always)
    _check_names(survey, reading, chosen, forced)
    names = [*chosen, *forced]
    values = stacked([*(values_of(survey, n) for n in names), reading.values])
    absent = _absent(survey, names, values[:, :-1], missing)
    asked = survey.domain & (survey.weights > 0)
    rows = np.flatnonzero(asked & _kept(survey, reading, values, absent, missing))
    if len(rows) < len(names) + 2:
        raise SurveyError(
            f"drivers: {len(rows)} of {int(asked.sum()):,} respondents answered all {len(names)} drivers and {outcome!r}; "
            f"at least {len(names) + 2} are needed: name fewer drivers or widen the filter.{_emptiest(values[asked], names)}"
        )
    weights = survey.weights[rows]
    _check_weights(weights, len(names))
    if len(rows) < len(values):
        values, absent = values[rows], absent[rows]
    _check_content(values, names, outcome)
    layout = lay_out(names, values[:, :-1], absent, weights, len(chosen))
    unchanged = np.may_share_memory(layout.columns, values)
    columns = values if unchanged else stacked([*layout.columns.T, values[:, -1]])
    sample = Sample(columns, weights, rows, resolve(survey))
    if missing in INCOMPLETE:
        check_pairs(sample, [*layout.names, outcome])
    source = SOURCES[missing](sample)
    notes += _collinearity(source.covariance(), layout, chosen)
    return Prepared(
        outcome, tuple(chosen), tuple(blocks.get(d, "") for d in chosen), tuple(forced), missing, layout, sample, source,
        int(asked.sum()) - len(rows), 1 - float(weights.sum() / survey.weights[asked].sum()),
        {**{n: wording(survey, n) for n in names}, outcome: reading.labels}, tuple(notes), survey, reading,
    )  # fmt: skip


def _absent(survey: Survey, names: Sequence[str], values: FloatArray, missing: str) -> FloatArray:
    """Answers that are no missing data but cannot exist, see :func:`lay_out`; under dummy adjustment all that are missing."""
    if missing == "listwise":
        return np.broadcast_to(0.0, values.shape)
    if missing == "dummy":
        return (~np.isfinite(values)).astype(float)
    return np.column_stack([absence(survey, n) for n in names])


def _kept(survey: Survey, outcome: Outcome, values: FloatArray, absent: FloatArray, missing: str) -> np.ndarray:
    """Rows that a method can use; who did not meet the outcome is never given one."""
    answered = np.isfinite(values)
    if missing == "listwise":
        return np.asarray(SOURCES[missing].keep(answered))
    answered[:, :-1] |= absent == 1
    kept = SOURCES[missing].keep(answered)
    return np.asarray(kept & ~np.any([unmet(survey, item) for item in outcome.items], axis=0))


def _chosen(
    survey: Survey, drivers: Sequence[str] | Mapping[str, Sequence[str]] | None, missing: str
) -> tuple[list[str], list[Mapping[str, str]], dict[str, str]]:
    """Names of the drivers, what is to be said of the choice, and the block of each."""
    blocks = {item: block for block, items in survey.roles.drivers.items() for item in items}
    if drivers is None:
        chosen, notes = _default_drivers(survey, SET_ASIDE if missing == "listwise" else UNKNOWN)
        return chosen, notes, blocks
    chosen, given = _flat(drivers)
    return chosen, [], given or {d: blocks.get(column_of(d), "") for d in chosen}


def chosen_drivers(survey: Survey, limit: float) -> list[str]:
    """The study's drivers but those that more than this share of respondents have not experienced."""
    return _default_drivers(survey, limit)[0]


def default_drivers(survey: Survey) -> tuple[str, ...]:
    """Which drivers does :func:`cxlab.key_drivers` take when none are named?

    Parameters
    ----------
    survey : Survey

    Returns
    -------
    tuple of str
        The study's drivers but those that more than 20 % of respondents have not experienced.

    Raises
    ------
    SurveyError
        If the survey declares no drivers, or all would be set aside.
    """
    return tuple(chosen_drivers(survey, SET_ASIDE))


def _flat(drivers: Sequence[str] | Mapping[str, Sequence[str]]) -> tuple[list[str], dict[str, str]]:
    """Names of drivers in order, and their blocks where these are given."""
    if not isinstance(drivers, Mapping):
        return named("drivers", drivers), {}
    blocks = {d: str(block) for block, names in drivers.items() for d in named("drivers", names)}
    return [d for names in drivers.values() for d in names], blocks


def named(argument: str, names: Sequence[str]) -> list[str]:
    if isinstance(names, str):
        raise SurveyError(f"{argument} is the text {names!r}; give a list of names: [{names!r}].")
    return list(names)


def _default_drivers(survey: Survey, limit: float) -> tuple[list[str], list[Mapping[str, str]]]:
    """The study's drivers without those that more than this share of respondents have not experienced."""
    declared = [i for items in survey.roles.drivers.values() for i in items]
    if not declared:
        raise SurveyError("drivers: the survey declares none; declare drivers in study.yml, or pass drivers=[...].")
    aside = [d for d in declared if structurally_missing(survey, column_of(d)) > limit]
    if not aside:
        return declared, []
    if len(aside) == len(declared):
        raise SurveyError(
            f"drivers: more than {limit:.0%} of the respondents did not meet, or were not asked about, each of the "
            f"{len(declared)} declared drivers; pass drivers=[...] to use some of them all the same."
        )
    listed = {
        "en": ", ".join(survey.label(d, "en") for d in aside),
        "zh": "、".join(survey.label(d, "zh") for d in aside),
    }
    note = Note(_SET_ASIDE, limit=limit, drivers=listed)
    return [d for d in declared if d not in aside], [note]


_SET_ASIDE = {
    "en": "Set aside because more than {limit:.0%} of respondents have not experienced them or were not asked: {drivers}.",
    "zh": "超过 {limit:.0%} 的受访者未体验或未被问及，因此未纳入：{drivers}。",
}


def _check_names(survey: Survey, outcome: Outcome, drivers: Sequence[str], always: Sequence[str]) -> None:
    if not drivers:
        raise SurveyError("drivers is empty; name at least one column.")
    behind = set(outcome.items)
    for argument, names in (("drivers", drivers), ("always", always)):
        survey.require(argument, [column_of(n) for n in names])
        bare = [column_of(n) for n in names]
        twice = sorted({n for n in bare if bare.count(n) > 1})
        if twice:
            raise SurveyError(f"{argument} names {len(twice)} columns more than once: {', '.join(map(repr, twice))}.")
        same = [n for n in bare if n == outcome.text or behind & set(survey.items_of(n))]
        if same:
            raise SurveyError(f"{argument} holds the outcome itself ({', '.join(map(repr, same))}); leave it out.")
    both = [n for n in always if column_of(n) in {column_of(d) for d in drivers}]
    if both:
        raise SurveyError(
            f"always names {len(both)} columns that are drivers too: {', '.join(map(repr, both))}; a column is one or the other."
        )


def _check_weights(weights: FloatArray, names: int) -> None:
    """Refuse weights under which hardly anybody counts."""
    effective = kish_base(weights)
    if effective < min(names + 2, len(weights)) - 1e-6 and effective < len(weights) / 2:
        raise SurveyError(
            f"weight: the {len(weights):,} complete rows count like {effective:.1f} respondents, and one of them carries "
            f"{weights.max() / weights.sum():.0%} of the weight; at least {names + 2} are needed for {names} drivers: correct or trim "
            "the weights."
        )


def _check_content(columns: FloatArray, drivers: Sequence[str], outcome: str) -> None:
    empty = [n for n, c in zip([*drivers, outcome], columns.T, strict=True) if not np.isfinite(c).any()]
    if empty:
        raise SurveyError(
            f"{len(empty)} of {len(drivers) + 1} columns have no answer in the {len(columns):,} rows that are used: "
            f"{', '.join(map(repr, empty))}; leave them out or widen the filter."
        )
    spread = np.nanmax(columns, axis=0) - np.nanmin(columns, axis=0)
    constant = [n for n, s in zip([*drivers, outcome], spread, strict=True) if s == 0 and not is_factor(n)]
    if constant:
        raise SurveyError(
            f"{len(constant)} of {len(drivers) + 1} columns have the same answer in all {len(columns):,} complete rows: "
            f"{', '.join(map(repr, constant))}; a constant explains nothing: leave it out or widen the filter."
        )


def _emptiest(columns: FloatArray, drivers: Sequence[str]) -> str:
    share = np.isnan(columns[:, : len(drivers)]).mean(axis=0) if len(columns) else np.zeros(len(drivers))
    worst = int(np.argmax(share))
    return f" {drivers[worst]!r} is missing for {share[worst]:.0%}." if share[worst] > 0 else ""


def _collinearity(covariance: FloatArray, layout: Layout, drivers: Sequence[str]) -> list[Mapping[str, str]]:
    """Refuse drivers that others determine; warn of those that others nearly determine."""
    correlation = to_correlation(covariance)[:-1, :-1]
    if len(correlation) < 2:
        return []
    left = np.array([_variance_left(correlation, player) for player in layout.players])
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


def _variance_left(correlation: FloatArray, player: tuple[int, ...]) -> float:
    """Smallest share of the variance of a driver's columns that other drivers do not explain (1 / VIF)."""
    own = np.array(player)
    others = np.setdiff1d(np.arange(len(correlation)), own)
    if not len(others):
        return 1.0
    across = correlation[np.ix_(others, own)]
    solved = np.linalg.lstsq(correlation[np.ix_(others, others)], across, rcond=1e-12)[0]
    return float(np.min(1 - np.sum(across * solved, axis=0)))
