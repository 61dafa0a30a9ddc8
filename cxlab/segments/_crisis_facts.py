"""Facts of a crisis scan: level gaps and diverging trends with their covariance, pooling, mix and within."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.contrasts import Differences
from cxlab.design import Design, Estimates, weighted_means

FloatArray = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Frame:
    """Who is in which segment and period.

    Attributes
    ----------
    segments : bool array, shape (rows, s)
    rests : bool array, shape (rows, s)
        Everybody with a segment, without the one of the column.
    everybody : bool array, shape (rows,)
    periods : tuple of bool arrays, shape (rows,)
        First and last period; empty where the survey has no two waves.
    time : array, shape (rows,), or None
        Place of the wave; where it is given, trends are lines through all waves.
    """

    segments: np.ndarray
    rests: np.ndarray
    everybody: np.ndarray
    periods: tuple[np.ndarray, ...]
    time: FloatArray | None = None

    @property
    def count(self) -> int:
        """Number of segments."""
        return self.segments.shape[1]

    def domains(self, window: np.ndarray | None = None) -> np.ndarray:
        """Segments, rests and total within a window, shape (rows, 2 s + 1)."""
        whole = np.column_stack([self.segments, self.rests, self.everybody])
        return whole if window is None else whole & window[:, None]


def frame(inside: np.ndarray, periods: Sequence[np.ndarray], time: FloatArray | None = None) -> Frame:
    """Frame of segments ``inside``, shape (rows, s)."""
    everybody = np.asarray(inside.any(axis=1))
    return Frame(inside, everybody[:, None] & ~inside, everybody, tuple(periods), time)


@dataclass(frozen=True, eq=False)
class Facts:
    """What one item shows in every segment; arrays of shape (s,).

    Attributes
    ----------
    value, rest : arrays
        Mean of the segment and of all others (level), or their changes between the periods (trend).
    gap : Differences
        Segment against the rest: the interaction that is tested.
    segment_move, total_move : arrays
        What the masking index compares.
    total : Differences
        Movement of the total: its change between the periods, without periods the pull of the segment on it.
    base, effective, weakest : arrays
        Base and effective base of the segment, and of the smallest cell that the fact rests on.
    before, after : arrays
        The gap in the first and in the last period.
    early : array of p-values of ``before``
    """

    value: FloatArray
    rest: FloatArray
    gap: Differences
    segment_move: FloatArray
    total_move: FloatArray
    total: Differences
    base: FloatArray
    effective: FloatArray
    weakest: FloatArray
    before: FloatArray
    after: FloatArray
    early: FloatArray


def contrast(found: Estimates, matrix: FloatArray, cap: float) -> Differences:
    """Linear combinations of estimates with their standard errors.

    Parameters
    ----------
    found : Estimates
        k of them.
    matrix : array, shape (f, k)
    cap : float
        Degrees of freedom of the design: those of the cells that take part add up to this at most.
    """
    used = matrix != 0
    means = np.where(used.any(axis=0), found.estimate, 0.0)
    missing = (used & ~np.isfinite(means)).any(axis=1)
    value = matrix @ np.nan_to_num(means)
    variance = np.einsum("fk,kl,fl->f", matrix, found.covariance, matrix)
    df = np.minimum(used @ found.df, cap)
    return Differences(np.where(missing, np.nan, value), np.sqrt(np.maximum(variance, 0)), df)


def facts_of(design: Design, values: FloatArray, parts: Frame) -> tuple[Facts, Facts | None, Estimates]:
    """Level and trend facts of one item, and the means that they are made of.

    Columns of the estimates: windows (all, first, last) × (segments, rests, total), then, with periods, the shares
    of the segments among the answers of the first and of the last period, then the changes along fitted lines.
    """
    windows = [None, *parts.periods]
    blocks = [parts.domains(w) for w in windows]
    columns = [np.repeat(values[:, None], b.shape[1], axis=1) for b in blocks]
    for window in parts.periods:
        columns.append(np.where(np.isfinite(values)[:, None], parts.segments.astype(float), np.nan))
        blocks.append(np.repeat((parts.everybody & window)[:, None], parts.count, axis=1))
    if parts.periods and parts.time is not None:
        blocks.append(blocks[0])
        columns.append(line_changes(design.weights, values, blocks[0], parts.time, parts.periods))
    found = weighted_means(design, np.concatenate(columns, axis=1), np.concatenate(blocks, axis=1))
    moves = _moves(len(found.estimate), parts) if parts.periods else None
    level = _level(found, parts.count, moves, design.df)
    return level, _trend(found, parts.count, level, moves, design.df) if moves else None, found


def line_changes(
    weights: FloatArray, values: FloatArray, domains: np.ndarray, time: FloatArray, periods: Sequence[np.ndarray]
) -> FloatArray:
    """Columns whose weighted means are the changes along fitted lines, shape (rows, k).

    The line is the weighted least-squares line through all waves of a domain, its change that between the mean waves of
    the periods. A column holds span · (b + (t − t̄) · residual / variance of t): its mean is span · b, and its deviations
    from it are the influence values of span · b, so that means of such columns have the right covariance. A domain without
    answers in one of the periods has NaN: nothing is drawn beyond what was asked.
    """
    known = np.isfinite(values) & np.isfinite(time)
    inside = domains & known[:, None]
    w = weights[:, None] * inside
    t, y = np.where(known, time, 0.0)[:, None], np.where(known, values, 0.0)[:, None]
    asked = np.all([w[p].sum(axis=0) > 0 for p in periods], axis=0)
    span = float(np.diff([np.mean(np.unique(time[p & np.isfinite(time)])) for p in periods])[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        total = w.sum(axis=0)
        at, level = t - (w * t).sum(axis=0) / total, y - (w * y).sum(axis=0) / total
        spread = (w * at**2).sum(axis=0) / total
        slope = (w * at * level).sum(axis=0) / total / np.where(spread > 0, spread, np.nan)
        return np.where(inside & asked, span * (slope + at * (level - slope * at) / spread), np.nan)


Moves = tuple[FloatArray, FloatArray, FloatArray]


def _moves(width: int, parts: Frame) -> Moves:
    """Rows that pick the change of each segment, each rest, and the total."""
    if parts.time is None:
        first, last = _picks(parts.count, width, 1), _picks(parts.count, width, 2)
        return last[0] - first[0], last[1] - first[1], last[2] - first[2]
    step = 2 * parts.count + 1
    rows = np.zeros((step, width))
    rows[np.arange(step), width - step + np.arange(step)] = 1
    return rows[: parts.count], rows[parts.count : -1], np.repeat(rows[-1:], parts.count, axis=0)


def _picks(count: int, width: int, window: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rows that pick each segment, each rest, and the total, within a window."""
    step = 2 * count + 1
    rows = np.zeros((step, width))
    rows[np.arange(step), window * step + np.arange(step)] = 1
    return rows[:count], rows[count : 2 * count], np.repeat(rows[-1:], count, axis=0)


def _level(found: Estimates, count: int, moves: Moves | None, cap: float) -> Facts:
    width = len(found.estimate)
    segment, rest, total = _picks(count, width, 0)
    gap, pull = contrast(found, segment - rest, cap), contrast(found, total - rest, cap)
    moved, before, after, early = pull, np.full(count, np.nan), np.full(count, np.nan), np.ones(count)
    if moves:
        first, last = _picks(count, width, 1), _picks(count, width, 2)
        moved = contrast(found, moves[2], cap)
        gap_first = contrast(found, first[0] - first[1], cap)
        before, early = gap_first.estimate, gap_first.p_values()
        after = contrast(found, last[0] - last[1], cap).estimate
    means = found.estimate
    effective = found.base_effective[: 2 * count]
    return Facts(
        means[:count], means[count : 2 * count], gap, gap.estimate, pull.estimate, moved,
        found.base[:count].astype(float), effective[:count], np.minimum(effective[:count], effective[count:]),
        before, after, early,
    )  # fmt: skip


def _trend(found: Estimates, count: int, level: Facts, moves: Moves, cap: float) -> Facts:
    step = 2 * count + 1
    segment, rest = contrast(found, moves[0], cap), contrast(found, moves[1], cap)
    gap = contrast(found, moves[0] - moves[1], cap)
    cells = np.array([found.base_effective[w * step : w * step + 2 * count].reshape(2, count) for w in (1, 2)])
    bases = found.base[step : step + count] + found.base[2 * step : 2 * step + count]
    return Facts(
        segment.estimate, rest.estimate, gap, segment.estimate, level.total.estimate, level.total,
        bases.astype(float), cells[:, 0].sum(axis=0), cells.min(axis=(0, 1)), level.before, level.after, level.early,
    )  # fmt: skip


def masking(facts: Facts) -> FloatArray:
    """How much of the segment's movement the total hides: 1 − total / segment, held to 0 … 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(1 - facts.total_move / facts.segment_move, 0, 1)


@dataclass(frozen=True, eq=False)
class Pooled:
    """Effects drawn towards their common mean of 0; ``variance`` is that of the prior."""

    estimate: FloatArray
    se: FloatArray
    variance: float


def pool(effects: FloatArray, se: FloatArray) -> Pooled:
    """Partial pooling of exchangeable effects about 0, with the prior variance by moments.

    Notes
    -----
    τ² = max(0, (Σ e²/v − k) / Σ 1/v), the estimator of DerSimonian & Laird with a known mean of 0. Shrinkage
    B = (k − 2)/k · v/(v + τ²) and the variance v (1 − B) + 2/(k − 2) · B² e² are those of Morris, which allow for
    τ² being estimated. Under three effects nothing is pooled.

    References
    ----------
    DerSimonian & Laird (1986), Controlled Clinical Trials 7, 177–188. Morris (1983), JASA 78, 47–55.

    Examples
    --------
    >>> pooled = pool(np.array([0.1, -0.1, 0.0, -2.0]), np.full(4, 0.1))
    >>> pooled.estimate.round(3).tolist(), round(pooled.variance, 3)
    ([0.1, -0.1, 0.0, -1.99], 0.995)
    """
    usable = np.isfinite(effects) & (se > 0)
    count = int(usable.sum())
    if count < 3:
        return Pooled(effects, se, float("nan"))
    e, v = effects[usable], se[usable] ** 2
    prior = max(0.0, float(np.sum(e**2 / v) - count) / float(np.sum(1 / v)))
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = (count - 2) / count * se**2 / (se**2 + prior)
        variance = se**2 * (1 - shrink) + 2 / (count - 2) * shrink**2 * effects**2
    return Pooled(np.where(usable, (1 - shrink) * effects, np.nan), np.where(usable, np.sqrt(variance), np.nan), prior)


@dataclass(frozen=True, eq=False)
class Split:
    """Change of a total, divided among the segments; arrays of shape (s,) or, for both parts, (2 s,)."""

    share_before: FloatArray
    share_after: FloatArray
    parts: Differences  # within of every segment, then mix of every segment


def split(found: Estimates, count: int, cap: float) -> Split:
    """Mix and within of the total's change; the 2 s parts sum to it exactly.

    Notes
    -----
    within_s = ½ (p₁ + p₂)(m₂ − m₁), mix_s = (p₂ − p₁)(½ (m₁ + m₂) − M), with p the segment's share of the answers, m
    its mean, 1 and 2 the periods, and M the mean of the total over both, a constant that cancels in the sum.
    Standard errors by the delta method on the joint covariance of shares and means.
    """
    step = 2 * count + 1
    at = [step + np.arange(count), 2 * step + np.arange(count), 3 * step + np.arange(count)]
    at.append(at[2] + count)
    m1, m2, p1, p2 = (np.nan_to_num(found.estimate[i]) for i in at)
    centre = 0.5 * (found.estimate[2 * step - 1] + found.estimate[3 * step - 1])
    jacobian = np.zeros((2 * count, len(found.estimate)))
    rows = np.arange(count)
    for index, within, mix in zip(
        at,
        (-(p1 + p2) / 2, (p1 + p2) / 2, (m2 - m1) / 2, (m2 - m1) / 2),
        ((p2 - p1) / 2, (p2 - p1) / 2, centre - (m1 + m2) / 2, (m1 + m2) / 2 - centre),
        strict=True,
    ):
        jacobian[rows, index], jacobian[count + rows, index] = within, mix
    jacobian[count:, [2 * step - 1, 3 * step - 1]] = -0.5 * (p2 - p1)[:, None]
    value = np.concatenate([(p1 + p2) / 2 * (m2 - m1), (p2 - p1) * ((m1 + m2) / 2 - centre)])
    variance = np.einsum("fk,kl,fl->f", jacobian, found.covariance, jacobian)
    parts = Differences(value, np.sqrt(np.maximum(variance, 0)), np.full(2 * count, cap))
    return Split(p1, p2, parts)


def shares(design: Design, money: FloatArray, parts: Frame) -> Differences:
    """Share of each segment in a sum of money, by linearisation of the ratio."""
    inside = parts.everybody & np.isfinite(money)
    amount = np.where(inside, money, 0.0)
    total = float(design.weights @ amount)
    own = parts.segments * amount[:, None]
    share = design.weights @ own / total
    influence = (own - share * amount[:, None]) / total
    se = np.sqrt(np.maximum(np.diagonal(design.covariance(influence)), 0))
    return Differences(share, se, np.full(parts.count, design.df))
