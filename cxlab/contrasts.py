"""Contrasts: differences with their covariance, families of tests, rank sets."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlab.design import Estimates, resolve, t_quantile, weighted_means
from cxlab.errors import SurveyError
from cxlab.metrics import SIGNED, Score, cells, design_notes, metric_formats, require_answers, score, unplaced
from cxlab.result import Base, Result, reliability
from cxlab.survey import Survey
from cxlab.words import Note

FloatArray = np.ndarray[Any, np.dtype[Any]]


def p_values(difference: FloatArray, se: FloatArray, df: Any) -> FloatArray:
    """Two-sided p-values of t = difference / se; NaN where se is not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(difference / np.where(se > 0, se, np.nan))
    return 2 * stats.t.sf(t, df)


def holm(p: FloatArray) -> FloatArray:
    """Holm's adjusted p-values along the last axis; NaNs stay and do not count.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65–70. R: ``p.adjust(method = "holm")``.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order, ordered, count, place = _ordered(p)
    return _back(order, np.maximum.accumulate(ordered * np.maximum(count - place, 1), axis=-1))


def benjamini_hochberg(p: FloatArray) -> FloatArray:
    """Benjamini–Hochberg adjusted p-values along the last axis; NaNs stay and do not count.

    References
    ----------
    Benjamini & Hochberg (1995), JRSS B 57, 289–300. R: ``p.adjust(method = "BH")``.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    order, ordered, count, place = _ordered(p)
    steps = np.where(np.isnan(ordered), np.inf, ordered * count / (place + 1))
    smallest = np.minimum.accumulate(steps[..., ::-1], axis=-1)[..., ::-1]
    return _back(order, np.where(np.isnan(ordered), np.nan, smallest))


def bonferroni(p: FloatArray) -> FloatArray:
    """Bonferroni's adjusted p-values along the last axis; NaNs stay and do not count.

    Examples
    --------
    >>> bonferroni(np.array([0.01, 0.5, 0.03])).round(3).tolist()
    [0.03, 1.0, 0.09]
    """
    return np.minimum(p * np.sum(~np.isnan(p), axis=-1, keepdims=True), 1.0)


def _ordered(p: FloatArray) -> tuple[np.ndarray, FloatArray, np.ndarray, np.ndarray]:
    """Order along the last axis (NaNs last), p-values in it, how many are known, and their places from 0."""
    order = np.argsort(p, axis=-1, kind="stable")
    known = np.sum(~np.isnan(p), axis=-1, keepdims=True)
    return order, np.take_along_axis(p, order, axis=-1), known, np.arange(p.shape[-1])


def _back(order: np.ndarray, steps: FloatArray) -> FloatArray:
    """Put values at the places that they were sorted from, at most 1."""
    out = np.empty_like(steps)
    np.put_along_axis(out, order, np.minimum(steps, 1.0), axis=-1)
    return out


def rank_sets(
    estimates: FloatArray, covariance: FloatArray, *, df: float = np.inf, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Ranks that each of p quantities can have, 1 the highest.

    Parameters
    ----------
    estimates : array, shape (p,)
    covariance : array, shape (p, p)
        Of the estimates: linearised, or over replicates.
    df : float
        Degrees of freedom of the pairwise tests.
    level : float
        Joint confidence of all rank sets.

    Returns
    -------
    rank_low, rank_high : int arrays, shape (p,)
        1 + number of quantities significantly above; p − number significantly below.

    Notes
    -----
    t tests of all pairwise differences, Holm over the p(p − 1)/2 pairs.

    References
    ----------
    Klein, Wright & Wieczorek (2020), JRSS A 183, 589–606.
    Mogstad et al. (2024), Review of Economic Studies 91, 476–518.

    Examples
    --------
    >>> low, high = rank_sets(np.array([3.0, 1.0, 0.9]), 0.01 * np.eye(3))
    >>> low.tolist(), high.tolist()
    ([1, 2, 2], [1, 3, 3])
    """
    wins = _wins(estimates, covariance, df, level)
    return 1 + wins.sum(axis=0), len(wins) - wins.sum(axis=1)


def _wins(estimates: FloatArray, covariance: FloatArray, df: float, level: float) -> np.ndarray:
    """Which quantity (row) is significantly above which (column)."""
    p = len(estimates)
    wins = np.zeros((p, p), dtype=bool)
    left, right = np.triu_indices(p, 1)
    variance = np.diagonal(covariance)
    difference = estimates[left] - estimates[right]
    se = np.sqrt(np.maximum(variance[left] + variance[right] - 2 * covariance[left, right], 0))
    decided = holm(p_values(difference, se, df)) <= 1 - level
    wins[left, right] = decided & (difference > 0)
    wins[right, left] = decided & (difference < 0)
    return wins


def letter_groups(
    estimates: FloatArray, covariance: FloatArray, *, df: float = np.inf, level: float = 0.95
) -> list[str]:
    """Letters of p quantities: those that share one cannot be told apart.

    Parameters
    ----------
    estimates, covariance, df, level
        As in :func:`rank_sets`, with the same tests.

    Returns
    -------
    list of str
        The letters of each quantity; ``a`` belongs to the group with the highest.

    Notes
    -----
    Groups are the largest sets within which no pair differs significantly: insert and absorb.

    References
    ----------
    Piepho (2004), Journal of Computational and Graphical Statistics 13, 456–466. R: ``multcomp::cld``.

    Examples
    --------
    >>> letter_groups(np.array([3.0, 1.0, 1.6, 0.9]), 0.01 * np.eye(4))
    ['a', 'c', 'b', 'c']
    >>> letter_groups(np.array([1.0, 1.3, 1.6]), 0.01 * np.eye(3))
    ['b', 'ab', 'a']
    """
    wins = _wins(estimates, covariance, df, level)
    groups = [frozenset(range(len(wins)))]
    for one, other in np.argwhere(wins).tolist():
        split = {part for g in groups for part in ((g - {one}, g - {other}) if {one, other} <= g else (g,))}
        groups = [g for g in split if not any(g < larger for larger in split)]
    place = ranks(np.asarray(estimates))
    groups.sort(key=lambda g: sorted(place[list(g)]))
    return ["".join(_letter(k) for k, g in enumerate(groups) if j in g) for j in range(len(wins))]


def _letter(k: int) -> str:
    """a to z, then A to Z, then a2 and so on."""
    return (string.ascii_letters[k % 52]) + (str(k // 52 + 1) if k >= 52 else "")


def ranks(values: FloatArray) -> np.ndarray:
    """Ranks along the last axis, 1 the highest; ties in order of position."""
    return np.argsort(np.argsort(-values, axis=-1, kind="stable"), axis=-1, kind="stable") + 1


@dataclass(frozen=True, eq=False)
class Differences:
    """Differences of estimates, arrays of shape (k,)."""

    estimate: FloatArray
    se: FloatArray
    df: FloatArray

    def interval(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Symmetric t intervals."""
        half = t_quantile(level, self.df) * self.se
        return self.estimate - half, self.estimate + half

    def p_values(self) -> FloatArray:
        """Unadjusted two-sided p-values."""
        return p_values(self.estimate, self.se, self.df)


def differences(estimates: Estimates, first: np.ndarray, second: np.ndarray, cap: float) -> Differences:
    """Differences between pairs of estimates, covariance included.

    Degrees of freedom are those of both domains added up, at most PSUs − strata that have a member of either; ``cap``, the
    design's, where the PSUs are not known.
    """
    v = estimates.covariance
    variance = v[first, first] + v[second, second] - 2 * v[first, second]
    if estimates.presence is None:
        df = np.minimum(estimates.df[first] + estimates.df[second], cap)
    else:
        df = estimates.presence.pair_df(first, second)
    return Differences(estimates.estimate[first] - estimates.estimate[second], np.sqrt(np.maximum(variance, 0)), df)


def detectable(se: Any, df: Any, *, level: float = 0.95, power: float = 0.8) -> Any:
    """Smallest true difference that a test on this base finds with the given power.

    Parameters
    ----------
    se : float or array
        Standard error of the difference.
    df : float or array
    level, power : float

    Returns
    -------
    float or array
        (t + z) · se on the scale of the difference.

    Examples
    --------
    >>> round(float(detectable(1.0, float("inf"))), 3)
    2.802
    """
    return (t_quantile(level, df) + stats.norm.ppf(power)) * np.asarray(se)


def against_rest(survey: Survey, metrics: Sequence[str], by: str, *, level: float = 0.95) -> Result:
    """Which segment stands out from all other respondents, and by how much?

    Parameters
    ----------
    survey : Survey
    metrics : list of str
        Columns, roles, ``"nps"`` or ``"csat"``.
    by : str
        Segment column.
    level : float

    Returns
    -------
    Result
        One row per metric and segment: ``metric, segment, value`` (mean of the segment), ``rest``, ``estimate``
        (segment minus rest, on the metric's scale), ``se, low, high, p_value`` (Holm over the whole table), ``p_raw``,
        ``detectable`` (smallest difference this base finds with 80 % power), ``base, base_effective`` (of the
        segment), ``reliability`` (of the smaller side: a comparison with a rest of 12 people is suppressed).

    Raises
    ------
    SurveyError
        If the segment has a single group, or no metric is named.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"card": [1, 1, 1, 2, 2, 2], "q": [9, 8, 9, 3, 4, 2]})
    >>> against_rest(Survey.from_frame(df), ["q"], "card").table["estimate"].round(2).tolist()
    [5.67, -5.67]
    """
    if not metrics:
        raise SurveyError("metrics is empty; name at least one.")
    groups = cells(survey, by)
    count = len(groups.keys)
    if count < 2:
        raise SurveyError(f"by: {by!r} has {count} group among the respondents; a comparison needs two.")
    scores: list[Score] = [score(survey, m) for m in metrics]
    require_answers(survey, scores, "metrics")
    everybody = np.asarray(groups.inside.any(axis=1))
    inside = np.concatenate([groups.inside, everybody[:, None] & ~groups.inside], axis=1)
    columns = np.repeat(np.column_stack([s.values for s in scores]), 2 * count, axis=1)
    design = resolve(survey)
    found = weighted_means(design, columns, np.tile(inside, (1, len(scores))))
    first = (np.arange(len(scores))[:, None] * 2 * count + np.arange(count)).ravel()
    gap = differences(found, first, first + count, design.df)
    low, high = gap.interval(level)
    raw = gap.p_values()
    effective = found.base_effective[first]
    weaker = np.minimum(effective, found.base_effective[first + count])
    table = pd.DataFrame(
        {
            "metric": np.repeat([s.name for s in scores], count),
            "segment": [k["segment"] for _ in scores for k in groups.keys],
            "value": found.estimate[first],
            "rest": found.estimate[first + count],
            "estimate": gap.estimate,
            "se": gap.se,
            "low": low,
            "high": high,
            "p_value": holm(raw),
            "p_raw": raw,
            "detectable": detectable(gap.se, gap.df, level=level),
            "base": found.base[first],
            "base_effective": effective,
            "reliability": reliability(weaker),
        }
    )
    labels = {**HEADINGS, **groups.labels, **{("metric", s.name): s.labels for s in scores}}
    family = Note(
        {"en": "p-values: Holm over {tests} comparisons.", "zh": "p 值经 Holm 法校正，共 {tests} 次比较。"},
        tests=int(np.sum(~np.isnan(raw))),
    )
    said = "" if level == 0.95 else f", level={level!r}"
    call = f"cx.against_rest(survey{survey.filter}, {list(metrics)!r}, {by!r}{said})"
    base = Base(int(np.sum(survey.weights[everybody] > 0)))
    formats = metric_formats(scores)
    formats |= {(s.name, c): SIGNED[s.kind] for s in scores for c in ("estimate", "low", "high")}
    return Result(
        table,
        base,
        (*design_notes(survey), *unplaced(survey, groups), family),
        labels,
        call,
        formats=formats,
        level=level,
    )


HEADINGS = {
    "value": {"en": "This group", "zh": "本群体"},
    "rest": {"en": "All others", "zh": "其他顾客"},
    "estimate": {"en": "Difference", "zh": "差异"},
    "detectable": {"en": "Detectable difference", "zh": "可识别的差异"},
}  # fmt: skip
