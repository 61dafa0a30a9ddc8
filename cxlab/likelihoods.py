"""Cumulative logits of many sets of columns at once: fits, curvature, row likelihoods; arrays only.

An answer with K ordered values has T = K − 1 thresholds θ: P(answer ≤ k) = F(θ_k − xβ) with F logistic. Two values
make it the ordinary logit. The likelihood of a row factors into P(not above its upper threshold) ×
P(not below its lower threshold) × (1 − exp(lower − upper)), so that every derivative is a sum of binary ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import Any

import numpy as np
from scipy.special import expit

FloatArray = np.ndarray[Any, np.dtype[Any]]
_STEPS = 60
_FLAT = 1e-10  # Newton decrement per respondent under which the likelihood stands still
_STILL = 1e-3  # standard deviations' slope by which the last step may move
_ENDLESS = 30.0  # linear predictor from which fitted odds grow without end
CELLS = 1 << 18  # rows × sets held at once


@dataclass(frozen=True, eq=False)
class Graded:
    """Rows sorted by their ordered answer.

    Attributes
    ----------
    x : array, shape (rows, c)
        Columns, weighted mean 0 and variance 1.
    w : array, shape (rows,)
        Weights that sum to the number of rows.
    bounds : int array, shape (K + 1,)
        First row of each answer, and the number of rows.
    codes : array, shape (K,)
        The answers, ascending.
    order : int array, shape (rows,)
        Which of the caller's rows each row is.
    center, spread : arrays, shape (c,)
        What was subtracted from the columns, and what they were divided by.
    """

    x: FloatArray
    w: FloatArray
    bounds: np.ndarray
    codes: FloatArray
    order: np.ndarray
    center: FloatArray
    spread: FloatArray

    @property
    def thresholds(self) -> int:
        """Number of thresholds, T."""
        return len(self.codes) - 1

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Places of the upper triangle of a c × c matrix."""
        first, second = np.triu_indices(self.x.shape[1])
        return first, second

    @cached_property
    def products(self) -> FloatArray:
        """Weighted products of pairs of columns, shape (rows, c (c + 1) / 2)."""
        first, second = self.pairs
        return self.x[:, first] * self.x[:, second] * self.w[:, None]

    def rows_of(self, answer: int) -> slice:
        """Rows with the answer at this place."""
        return slice(int(self.bounds[answer]), int(self.bounds[answer + 1]))

    @cached_property
    def totals(self) -> FloatArray:
        """Weight of each answer, shape (K,)."""
        return np.add.reduceat(self.w, self.bounds[:-1])

    def marginal(self) -> FloatArray:
        """Thresholds without columns, shape (T,)."""
        share = np.cumsum(self.totals)[:-1] / self.w.sum()
        return np.log(share / (1 - share))

    def null_loglik(self) -> float:
        """Log-likelihood without columns."""
        return float(self.totals @ np.log(self.totals / self.w.sum()))


def graded(columns: FloatArray, answers: FloatArray, weights: FloatArray) -> Graded:
    """Sort rows by answer, standardise columns, scale weights.

    Parameters
    ----------
    columns : array, shape (rows, c)
    answers : array, shape (rows,)
        Ordered numbers.
    weights : array, shape (rows,)

    Returns
    -------
    Graded
    """
    codes, place = np.unique(answers, return_inverse=True)
    order = np.argsort(place, kind="stable")
    w = weights * (len(weights) / weights.sum())
    center = np.average(columns, axis=0, weights=w)
    centred = columns - center
    spread = np.sqrt(np.average(centred**2, axis=0, weights=w))
    spread = np.where(spread > 0, spread, 1.0)
    bounds = np.concatenate([[0], np.cumsum(np.bincount(place, minlength=len(codes)))])
    return Graded((centred / spread)[order], w[order], bounds, codes, order, center, spread)


@dataclass(frozen=True, eq=False)
class State:
    """What each row says of each of several parameter vectors.

    Attributes
    ----------
    above, below : arrays, shape (rows, sets)
        Probability of lying above the row's upper, below its lower threshold; 0 where it has none.
    gaps : array, shape (sets, T − 1)
        1 / (exp(distance of neighbouring thresholds) − 1).
    steepest : array, shape (sets,)
        Largest linear predictor.
    """

    above: FloatArray
    below: FloatArray
    gaps: FloatArray
    steepest: FloatArray

    def of(self, sets: np.ndarray) -> State:
        """Some of the sets."""
        return State(self.above[:, sets], self.below[:, sets], self.gaps[sets], self.steepest[sets])

    @property
    def slope(self) -> FloatArray:
        """Derivative of each row's log-likelihood by its linear predictor."""
        return self.below - self.above

    @property
    def curvature(self) -> FloatArray:
        """Minus its second derivative."""
        return self.above * (1 - self.above) + self.below * (1 - self.below)


def state(data: Graded, parameters: FloatArray) -> State:
    """Evaluate every row at parameters (thresholds, slopes) of shape (sets, T + c)."""
    t = data.thresholds
    theta = parameters[:, :t]
    eta = data.x @ parameters[:, t:].T
    above, below = np.zeros_like(eta), np.zeros_like(eta)
    for answer in range(t + 1):
        rows = data.rows_of(answer)
        if answer < t:
            expit(eta[rows] - theta[:, answer], out=above[rows])
        if answer > 0:
            expit(theta[:, answer - 1] - eta[rows], out=below[rows])
    return State(above, below, 1 / np.expm1(np.diff(theta, axis=1)), np.abs(eta).max(axis=0, initial=0.0))


def row_loglik(data: Graded, at: State) -> FloatArray:
    """Log-likelihood of every row, unweighted, shape (rows, sets)."""
    out: FloatArray = np.log1p(-at.above) + np.log1p(-at.below)
    for gap in range(data.thresholds - 1):
        out[data.rows_of(gap + 1)] -= np.log1p(at.gaps[:, gap])
    return out


def derivatives(data: Graded, at: State, times: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Score, shape (sets, T + c), and information, shape (sets, T + c, T + c).

    Parameters
    ----------
    data : Graded
    at : State
    times : array, shape (rows, sets), optional
        Multipliers of the weights, of every set its own.
    """
    m: Any = 1.0 if times is None else times
    t, sets = data.thresholds, at.above.shape[1]
    xw = data.x * data.w[:, None]
    score = np.empty((sets, t + data.x.shape[1]))
    info = np.zeros((sets, score.shape[1], score.shape[1]))
    score[:, t:] = (m * at.slope).T @ xw
    first, second = data.pairs
    inner = (m * at.curvature).T @ data.products
    info[:, t + first, t + second] = info[:, t + second, t + first] = inner
    for k in range(t):
        low, high = data.rows_of(k), data.rows_of(k + 1)
        up, down = (m * at.above)[low], (m * at.below)[high]
        score[:, k] = data.w[low] @ up - data.w[high] @ down
        up, down = up * (1 - at.above[low]), down * (1 - at.below[high])
        info[:, k, k] = data.w[low] @ up + data.w[high] @ down
        info[:, k, t:] = info[:, t:, k] = -(up.T @ xw[low] + down.T @ xw[high])
    for gap in range(t - 1):
        rows = data.rows_of(gap + 1)
        pull = (data.totals[gap + 1] if times is None else data.w[rows] @ times[rows]) * at.gaps[:, gap]
        score[:, gap + 1] += pull
        score[:, gap] -= pull
        bend = pull * (1 + at.gaps[:, gap])
        for i, j, sign in ((gap, gap, 1), (gap + 1, gap + 1, 1), (gap, gap + 1, -1), (gap + 1, gap, -1)):
            info[:, i, j] += sign * bend
    return score, info


@dataclass(frozen=True, eq=False)
class Fits:
    """Maximum-likelihood fits of several sets of columns.

    Attributes
    ----------
    parameters : array, shape (sets, T + c)
        Thresholds and slopes of the standardised columns; 0 for columns outside the set.
    loglik : array, shape (sets,)
    settled, endless : bool arrays, shape (sets,)
        Whether the steps came to rest; whether fitted odds grew without end (the columns separate the answers).
    """

    parameters: FloatArray
    loglik: FloatArray
    settled: np.ndarray
    endless: np.ndarray


def fit(data: Graded, inside: np.ndarray, times: FloatArray | None = None, start: FloatArray | None = None) -> Fits:
    """Fit every set of columns by Newton steps; sets that have settled are left out of further steps.

    Parameters
    ----------
    data : Graded
    inside : bool array, shape (sets, c)
        Columns of each set.
    times : array, shape (rows, sets), optional
        Multipliers of the weights, of every set its own.
    start : array, shape (T + c,), optional
        Parameters to start from.

    Returns
    -------
    Fits

    Notes
    -----
    The log-likelihood is concave (Pratt 1981), so Newton steps, halved where they overshoot, find the maximum
    where there is one. The first step is the same pass over the rows for all sets. A set has settled
    when the Newton decrement is under 1e-10 per respondent; one more step is then taken, which squares the error.
    """
    free = np.hstack([np.ones((len(inside), data.thresholds), dtype=bool), inside])
    before = np.zeros(free.shape)
    before[:, : data.thresholds] = data.marginal()
    now = before.copy() if start is None else np.tile(start, (len(free), 1))
    if start is None:
        now += _newton(*derivatives(data, state(data, before[:1])), free)[0]
    loglik = np.full(len(free), -np.inf if times is not None else data.null_loglik() - 1e-9 * len(data.w))
    settled, endless = np.zeros(len(free), dtype=bool), np.zeros(len(free), dtype=bool)
    active = np.arange(len(free))
    for _ in range(_STEPS):
        now[active] = _ordered(now[active], before[active], data.thresholds)
        at = state(data, now[active])
        own = None if times is None else times[:, active]
        found = data.w @ (row_loglik(data, at) * (1.0 if own is None else own))
        worse = found < loglik[active] - 1e-9 * np.abs(found)
        step, decrement = _newton(*derivatives(data, at, own), free[active])
        done = ~worse & (decrement < _FLAT * len(data.w)) & (np.abs(step).max(axis=1) < _STILL)
        endless[active] = ~worse & (at.steepest > _ENDLESS)
        ahead = active[~worse]
        before[ahead], loglik[ahead] = now[ahead], found[~worse] + np.where(done, decrement / 2, 0.0)[~worse]
        now[ahead] += step[~worse]
        now[active[worse]] = (now[active[worse]] + before[active[worse]]) / 2
        settled[active] = done
        active = active[~done & ~endless[active]]
        if not len(active):
            break
    return Fits(now, loglik, settled, endless)


def information(info: FloatArray, free: np.ndarray) -> FloatArray:
    """Information of each set's own parameters; those outside the set are cut off and get an information of 1."""
    mine = info * (free[:, :, None] & free[:, None, :])
    place = np.arange(free.shape[1])
    mine[:, place, place] += ~free
    return mine


def _newton(score: FloatArray, info: FloatArray, free: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Newton step, shape (sets, T + c), and decrement, score' information⁻¹ score, shape (sets,)."""
    score = score * free
    step = np.linalg.solve(information(info, free), score[..., None])[..., 0]
    return step, np.einsum("bi,bi->b", score, step)


def _ordered(now: FloatArray, before: FloatArray, thresholds: int) -> FloatArray:
    """Parameters drawn back towards the last ones until the thresholds ascend."""
    for _ in range(_STEPS):
        crossed = np.any(np.diff(now[:, :thresholds], axis=1) <= 0, axis=1)
        if not crossed.any():
            break
        now = np.where(crossed[:, None], (now + before) / 2, now)
    return now


def order_weights(players: int) -> FloatArray:
    """Matrix from the worth of every subset of players to their Shapley values.

    Returns
    -------
    array, shape (players, 2^players)
        Bit j of the column's number says whether player j is in the subset.
    """
    member = (np.arange(1 << players)[:, None] >> np.arange(players) & 1).astype(bool)
    size = member.sum(axis=1)
    entering = np.array([1 / (players * comb(players - 1, s)) for s in range(players)])
    entering = np.append(entering, 0.0)
    return np.where(member, entering[size - 1][:, None], -entering[size][:, None]).T
