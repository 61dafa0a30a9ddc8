"""The linear model under many sets of weights, as the what-if kernel wants it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import t_quantile
from cxlab.drivers._layout import is_factor
from cxlab.drivers._outcomes import Outcome, read_outcome
from cxlab.drivers._prepare import Prepared
from cxlab.drivers._result import DriverResult
from cxlab.errors import SurveyError, unknown_names
from cxlab.importance import coefficients
from cxlab.moments import replicate_moments
from cxlab.scenarios import Answers, Scenario, tabulate
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
Block = tuple[FloatArray, np.ndarray]  # multipliers (sets, pieces), piece of each row
LEAST = 100
HALVES = 100  # times that the respondents are split
_COMPARISON = re.compile(r"\s*(\w+)\s*([<>])=?\s*[\d.]+\s*")


@dataclass(frozen=True, eq=False)
class Model:
    """Coefficients, means and answers under every set of weights.

    Attributes
    ----------
    scenario : Scenario
        Of the drivers asked for, in their order.
    means : array, shape (sets, k + 1)
        Of all columns, the outcome last.
    outcome : array, shape (sets, segments)
        Mean outcome of each segment; of everybody where there is one.
    places : tuple of int
        Places of these drivers in the full model.
    """

    scenario: Scenario
    means: FloatArray
    outcome: FloatArray
    places: tuple[int, ...]


def check_replicates(replicates: int) -> None:
    """Refuse numbers of replicates that carry no interval."""
    if replicates < LEAST:
        raise SurveyError(f"replicates is {replicates}; intervals need at least {LEAST}.")


def better(survey: Survey, outcome: str) -> int:
    """1 where more of the outcome is better, else −1.

    A class of answers is wished for, but for detractors and for a comparison that keeps the worse answers.
    """
    if survey.has(outcome):
        return 1 if survey.higher_is_better(outcome) else -1
    compared = _COMPARISON.fullmatch(outcome)
    if compared:
        up = survey.higher_is_better(compared[1]) if survey.has(compared[1]) else True
        return 1 if up == (compared[2] == ">") else -1
    return -1 if outcome.strip().startswith("detractors") else 1


def check_survey(call: str, survey: object) -> None:
    """Refuse results and other things in the place of a survey."""
    if not isinstance(survey, Survey):
        raise SurveyError(
            f"survey is a {type(survey).__name__}; {call} starts from a Survey: pass the one that the result was made from."
        )


@dataclass(frozen=True, eq=False)
class Contribution:
    """What every respondent contributes to an outcome, which is the weighted mean of it.

    Attributes
    ----------
    values : array, shape (rows,)
        The answer itself; 100, 0 or −100; 0 or 1. NaN where missing.
    kind : {"points", "nps", "share"}
    labels : mapping of language to str
        Of a share what it is the share of.
    items : tuple of str
        Columns behind it.
    """

    values: FloatArray
    kind: str
    labels: Mapping[str, str]
    items: tuple[str, ...]


def contribution(survey: Survey, outcome: str) -> Contribution:
    """What :func:`cxlab.what_if` explains by a linear model, see there.

    Two values are those of the whole survey: a rating of which a filter leaves two answers is still a rating.

    Raises
    ------
    SurveyError
        If the outcome cannot be read.
    """
    return _counted(read_outcome(survey, outcome))


def _counted(reading: Outcome) -> Contribution:
    if reading.form == "nps":
        return Contribution(reading.values, "nps", reading.labels, reading.items)
    known = np.isfinite(reading.values)
    codes = np.unique(reading.values[known])
    if len(codes) != 2:
        return Contribution(reading.values, "points", reading.labels, reading.items)
    values = np.where(known, (reading.values == codes[1]).astype(float), np.nan)
    return Contribution(values, "share", reading.event, reading.items)


def in_units(prepared: Prepared) -> tuple[Prepared, str]:
    """Put what every respondent contributes in the place of the outcome, and say what one unit of it is."""
    if prepared.reading is None:
        return prepared, "points"
    found = _counted(prepared.reading)
    if found.kind != "share":
        return prepared, found.kind
    columns, own = prepared.columns, found.values[prepared.rows]
    if not np.array_equal(columns[:, -1], own):
        columns = np.column_stack([columns[:, :-1], own])
    labels = {**prepared.labels, prepared.outcome: found.labels}
    return replace(prepared, sample=replace(prepared.sample, columns=columns), labels=labels), "share"


def check_points(call: str, prepared: Prepared, remedy: str) -> None:
    """Refuse an outcome of two values where a straight line through points is meant."""
    if prepared.reading is not None and prepared.reading.kind == "binary":
        raise SurveyError(
            f"outcome {prepared.outcome!r} has two values; {call} carries points of a rating along a straight line, which a share "
            f"does not follow: {remedy}"
        )


def ground(result: DriverResult) -> tuple[Prepared, Survey, int]:
    """What a result of key drivers rests on, and the seed of its replicates."""
    if result.replicates.empty or result.kernel is None or result.kernel.prepared.survey is None:
        raise SurveyError("result has no replicates; run key_drivers with replicates=1000.")
    return result.kernel.prepared, result.kernel.prepared.survey, result.seed


def replicate_blocks(prepared: Prepared, count: int, seed: int) -> Iterator[Block]:
    """The sample's own weights, then those of the bootstrap."""
    unit = prepared.sample.unit
    yield np.ones((1, int(unit.max()) + 1)), unit
    yield from prepared.design.bootstrap(count, seed, prepared.rows)


def half_blocks(prepared: Prepared, seed: int, count: int = HALVES) -> Iterator[Block]:
    """Random halves of the units within strata, ``count`` of them and then what each leaves over."""
    unit = prepared.sample.unit
    stratum = np.zeros(int(unit.max()) + 1, dtype=np.intp)
    stratum[unit] = prepared.sample.stratum
    rng = np.random.default_rng([seed, 2])
    first = np.zeros((count, len(stratum)), dtype=bool)
    for members in (np.flatnonzero(stratum == h) for h in np.unique(stratum)):
        order = np.argsort(rng.random((count, len(members))), axis=1)
        odd = rng.integers(0, 2, (count, 1)) * (len(members) % 2)  # the odd one goes to either half
        first[:, members] = order < (len(members) // 2 + odd)
    yield first.astype(float), unit
    yield (~first).astype(float), unit


def scale_ends(survey: Survey, drivers: Sequence[str]) -> FloatArray:
    """Ends of each response scale, those seen in the data where none is declared, shape (p, 2)."""
    ends = [
        survey.scale(d) or (float(np.nanmin(v := survey.values(d))), float(np.nanmax(v)))
        for d in drivers
    ]  # fmt: skip
    return np.array(ends, dtype=float)


def place(prepared: Prepared, argument: str, names: Iterable[str]) -> list[int]:
    """Places of drivers in the model; refuses those that are not in it or have no points."""
    wanted = list(names)
    absent = [n for n in wanted if n not in prepared.drivers]
    if absent:
        raise unknown_names(argument, absent, prepared.drivers, "the drivers of the model")
    factors = [n for n in wanted if is_factor(n)]
    if factors:
        raise SurveyError(
            f"{argument} names {len(factors)} factors ({', '.join(map(repr, factors))}); a category has no points."
        )
    return [prepared.drivers.index(n) for n in wanted]


def model(
    prepared: Prepared,
    blocks: Iterable[Block],
    drivers: Sequence[int],
    ends: FloatArray,
    group: np.ndarray | None = None,
) -> Model:
    """Fit the model and tabulate answers under every set of weights.

    Parameters
    ----------
    prepared : Prepared
    blocks : iterable of (multipliers, piece)
    drivers : sequence of int
        Places of the drivers whose answers are tabulated.
    ends : array, shape (len(drivers), 2)
    group : int array, shape (rows,), optional
        Segment of each row, −1 for none.

    Raises
    ------
    SurveyError
        If a set of weights leaves a driver without variation.
    """
    columns = prepared.first[list(drivers)]
    group = np.zeros(len(prepared.rows), dtype=np.intp) if group is None else group
    inside, segments = group >= 0, int(group.max()) + 1
    answers = [np.unique(prepared.columns[:, c], return_inverse=True) for c in columns]
    center = np.average(prepared.columns, axis=0, weights=prepared.weights)
    slopes, means, outcomes = [], [], []
    tables: list[list[FloatArray]] = [[] for _ in columns]
    for multipliers, piece in blocks:
        moments = replicate_moments(prepared.columns, prepared.weights, multipliers, piece, center)
        slopes.append(_slopes(prepared, moments.covariance())[:, columns])
        means.append(moments.mean())
        weights, own = prepared.weights[inside], group[inside]
        size = tabulate(weights, own, segments, multipliers, piece[inside])
        total = tabulate(weights * prepared.columns[inside, -1], own, segments, multipliers, piece[inside])
        with np.errstate(divide="ignore", invalid="ignore"):
            outcomes.append(total / size)
        for table, (values, code) in zip(tables, answers, strict=True):
            cell = own * len(values) + code[inside]
            found = tabulate(weights, cell, segments * len(values), multipliers, piece[inside])
            table.append(found.reshape(len(found), segments, len(values)))
    made = [
        Answers.of(values, np.concatenate(table), low, high)
        for (values, _), table, (low, high) in zip(answers, tables, ends, strict=True)
    ]
    return Model(
        Scenario(np.concatenate(slopes), made), np.concatenate(means), np.concatenate(outcomes), tuple(drivers)
    )


def _slopes(prepared: Prepared, covariance: FloatArray) -> FloatArray:
    """Coefficients of all columns, shape (sets, k)."""
    spread = np.diagonal(covariance, axis1=1, axis2=2)
    flat = ~(np.isfinite(spread) & (spread > 1e-12 * spread.max(axis=0, initial=1e-300))).all(axis=1)
    if not flat.any():
        try:
            return coefficients(covariance)
        except np.linalg.LinAlgError:
            pass
    raise SurveyError(
        f"{max(int(flat.sum()), 1)} of {len(flat)} sets of replicate weights leave a driver or {prepared.outcome!r} without "
        f"variation of its own: the base of {len(prepared.rows)} is too small; widen the filter or name fewer drivers."
    )


def records(table: pd.DataFrame) -> Iterator[Any]:
    """Rows as named tuples."""
    return table.itertuples(index=False)


def interval(draws: FloatArray, estimate: FloatArray, df: float, level: float) -> Mapping[str, FloatArray]:
    """Standard error over replicates (first axis) and a t interval about the estimate."""
    se = draws.std(axis=0, ddof=1)
    half = t_quantile(level, df) * se
    return {"se": se, "low": estimate - half, "high": estimate + half}
