"""Kaplan–Meier curves and Cox regressions under many sets of weights at once; on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

FloatArray = np.ndarray[Any, np.dtype[Any]]
_FAR = 30.0  # log of the largest ratio of hazards within the rows


@dataclass(frozen=True, eq=False)
class Spells:
    """How long each of n respondents was followed, and whether the event came.

    Attributes
    ----------
    time : array, shape (n,)
    event : bool array, shape (n,)
    """

    time: FloatArray
    event: np.ndarray

    @cached_property
    def times(self) -> FloatArray:
        """Times at which events came, rising, shape (k,)."""
        return np.unique(self.time[self.event])

    @cached_property
    def exits(self) -> Any:
        """Sparse, shape (k + 1, n): a row is at risk at as many times as it comes before."""
        count = np.searchsorted(self.times, self.time, side="right")
        n = len(self.time)
        return sparse.csr_array((np.ones(n), (count, np.arange(n))), shape=(len(self.times) + 1, n))

    @cached_property
    def deaths(self) -> Any:
        """Sparse, shape (k, n): the time at which the event of a row came."""
        rows = np.flatnonzero(self.event)
        place = np.searchsorted(self.times, self.time[rows])
        return sparse.csr_array((np.ones(len(rows)), (place, rows)), shape=(len(self.times), len(self.time)))

    def at_risk(self, values: FloatArray) -> FloatArray:
        """Sums of values over those still at risk at every time; (n, b) to (k, b)."""
        left = np.asarray(self.exits @ values)[1:]
        return np.cumsum(left[::-1], axis=0)[::-1]


def kaplan_meier(spells: Spells, weights: FloatArray) -> FloatArray:
    """Share without the event after every event time.

    Parameters
    ----------
    spells : Spells
    weights : array, shape (b, n)

    Returns
    -------
    array, shape (b, k)
        Π (1 − d/n) over event times, with d and n weighted; where nobody is left at risk the curve stays.
    """
    risk, died = spells.at_risk(weights.T), np.asarray(spells.deaths @ weights.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(risk > 0, 1 - died / np.where(risk > 0, risk, 1.0), 1.0)
    return np.cumprod(np.clip(kept, 0, 1), axis=0).T


def at_times(spells: Spells, curves: FloatArray, times: FloatArray) -> FloatArray:
    """Read step curves of shape (b, k) off at any times, shape (b, len(times))."""
    place = np.searchsorted(spells.times, times, side="right")
    return np.column_stack([np.ones(len(curves)), curves])[:, place]


@dataclass(frozen=True, eq=False)
class Partial:
    """Score and information of the partial likelihood at every event time, for b sets of weights.

    Attributes
    ----------
    score : array, shape (k, b, p)
    information : array, shape (k, b, p, p)
    """

    score: FloatArray
    information: FloatArray

    def step(self) -> FloatArray:
        """Newton step, shape (b, p); NaN where the information is singular."""
        return solve(self.information.sum(axis=0), self.score.sum(axis=0))

    def drift(self, scale: FloatArray) -> FloatArray:
        """Change of every coefficient per unit of a scale of time, one at a time, shape (b, p).

        One Newton step from no change, the other coefficients free; its square times the efficient information is the
        score test of Grambsch and Therneau.
        """
        total = self.information.sum(axis=0)
        scaled = np.tensordot(scale, self.information, axes=1)
        squared = np.tensordot(scale**2, self.information, axes=1)
        score = np.tensordot(scale, self.score, axes=1)
        main = self.score.sum(axis=0)
        out = np.empty_like(score)
        for j in range(score.shape[1]):
            across = solve(total, scaled[:, :, j])
            rest = squared[:, j, j] - np.sum(scaled[:, :, j] * across, axis=1)
            left = score[:, j] - np.sum(main * across, axis=1)
            out[:, j] = left / np.where(rest > 0, rest, np.nan)
        return out


def solve(matrices: FloatArray, right: FloatArray) -> FloatArray:
    """Solve b small systems, shape (b, p); NaN for those that are singular."""
    out = np.full(right.shape, np.nan)
    size = np.sqrt(np.maximum(np.diagonal(matrices, axis1=-2, axis2=-1), 0))
    fit = (size > 0).all(axis=-1) & np.isfinite(matrices).all(axis=(-2, -1))
    if fit.any():
        unit = matrices[fit] / size[fit][:, :, None] / size[fit][:, None, :]
        good = np.linalg.eigvalsh(unit)[:, 0] > 1e-10
        where = np.flatnonzero(fit)[good]
        if len(where):
            found = np.linalg.solve(unit[good], (right[where] / size[where])[:, :, None])[:, :, 0]
            out[where] = found / size[where]
    return out


def partial_likelihood(spells: Spells, x: FloatArray, weights: FloatArray, beta: FloatArray) -> Partial:
    """Derivatives of the weighted partial log-likelihood, ties after Efron.

    Parameters
    ----------
    spells : Spells
    x : array, shape (n, p)
    weights : array, shape (b, n)
    beta : array, shape (b, p)

    Returns
    -------
    Partial

    Notes
    -----
    d respondents whose events share a time count with their mean weight, and as if they had left one by one:
    denominators are A − (l/d) B, l = 0 … d − 1, with A the weighted hazards at risk and B those of the d.
    """
    p = x.shape[1]
    hazard = weights * np.exp(np.clip(beta @ x.T, -_FAR, _FAR))
    pairs = [(i, j) for i in range(p) for j in range(i, p)]
    columns = [np.ones(len(x)), *x.T, *(x[:, i] * x[:, j] for i, j in pairs)]
    at_risk = np.array([spells.at_risk((hazard * c).T) for c in columns])
    leaving = np.array([np.asarray(spells.deaths @ (hazard * c).T) for c in columns])
    s0, s1, q0, q1, q2 = _tied(spells, weights, at_risk[0], leaving[0])
    a1, b1 = (m[1 : p + 1].transpose(1, 2, 0) for m in (at_risk, leaving))
    own = np.array([np.asarray(spells.deaths @ (weights * c).T) for c in columns[1 : p + 1]]).transpose(1, 2, 0)
    score = own - (a1 * s0[..., None] - b1 * s1[..., None])
    information = np.empty((*score.shape, p))
    for k, (i, j) in enumerate(pairs):
        first = at_risk[p + 1 + k] * s0 - leaving[p + 1 + k] * s1
        ai, aj, bi, bj = a1[..., i], a1[..., j], b1[..., i], b1[..., j]
        information[..., i, j] = first - (ai * aj * q0 - (ai * bj + bi * aj) * q1 + bi * bj * q2)
        information[..., j, i] = information[..., i, j]
    return Partial(score, information)


def _tied(spells: Spells, weights: FloatArray, at_risk: FloatArray, leaving: FloatArray) -> FloatArray:
    """Sums over tied events of 1/D, f/D, 1/D², f/D², f²/D² times their mean weight, f = l/d; shape (5, k, b)."""
    total = np.asarray(spells.deaths @ weights.T)
    most = np.asarray(spells.deaths.sum(axis=1)).astype(int)
    if most.max(initial=0) <= 1:  # no ties: f is 0
        out = np.zeros((5, *total.shape))
        inverse = np.where(at_risk > 0, 1 / np.where(at_risk > 0, at_risk, 1.0), 0.0)
        out[0] = total * inverse
        out[2] = out[0] * inverse
        return out
    drawn = np.asarray(spells.deaths @ (weights > 0).T.astype(float))
    starts = np.concatenate([[0], np.cumsum(most)[:-1]])
    slot = np.arange(most.sum()) - np.repeat(starts, most)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(drawn > 0, total / np.where(drawn > 0, drawn, 1.0), 0.0)
        wide = [np.repeat(v, most, axis=0) for v in (drawn, mean, at_risk, leaving)]
        fraction = slot[:, None] / np.where(wide[0] > 0, wide[0], 1.0)
        below = wide[2] - fraction * wide[3]
        inside = (slot[:, None] < wide[0]) & (below > 0)
        inverse = np.where(inside, 1 / np.where(below > 0, below, 1.0), 0.0)
    one, two = wide[1] * inverse, wide[1] * inverse**2
    terms = (one, fraction * one, two, fraction * two, fraction**2 * two)
    return np.array([np.add.reduceat(t, starts, axis=0) for t in terms])


def cox(
    spells: Spells, x: FloatArray, weights: FloatArray, start: FloatArray, steps: int = 2
) -> tuple[FloatArray, Partial]:
    """Coefficients of b Cox regressions by Newton steps from a common start, and the likelihood there.

    Parameters
    ----------
    spells : Spells
    x : array, shape (n, p)
    weights : array, shape (b, n)
    start : array, shape (p,)
    steps : int

    Returns
    -------
    array, shape (b, p); Partial
        NaN where a replicate has no unique answer.
    """
    beta = np.tile(start, (len(weights), 1))
    for _ in range(steps):
        beta = beta + partial_likelihood(spells, x, weights, np.nan_to_num(beta)).step()
    return beta, partial_likelihood(spells, x, weights, np.nan_to_num(beta))
