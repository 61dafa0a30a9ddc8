"""What-if kernel: what a change of the answers does to the mean of the outcome, under many sets of weights at once.

Arrays only. The first set of weights is the sample's own, the others are replicates. Tables made once (cumulated
shares of the answers) turn every later question into look-ups: a slider costs a fraction of a millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from cxlab.errors import SurveyError

FloatArray = np.ndarray[Any, np.dtype[Any]]
_STATES = 200_000  # sums of costs that the search keeps
_CELLS = 4_000_000  # sums × sets of weights worked on at once


def tabulate(
    weights: FloatArray, cell: np.ndarray, cells: int, multipliers: FloatArray, piece: np.ndarray
) -> FloatArray:
    """Weight of each cell under every set of weights.

    Parameters
    ----------
    weights : array, shape (rows,)
    cell : int array, shape (rows,)
        Cell of each row, such as its answer, or its segment and answer.
    cells : int
    multipliers : array, shape (sets, pieces)
        What each set multiplies the weights of a piece by.
    piece : int array, shape (rows,)

    Returns
    -------
    array, shape (sets, cells)

    Examples
    --------
    >>> import numpy as np
    >>> one, rows = np.ones((1, 3)), np.arange(3)
    >>> tabulate(np.array([1.0, 2.0, 4.0]), np.array([0, 1, 1]), 2, one, rows).tolist()
    [[1.0, 6.0]]
    """
    table = sparse.csr_array((weights, (piece, cell)), shape=(multipliers.shape[1], cells))
    return np.asarray((table.T @ multipliers.T.astype(float, copy=False)).T)


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to one item as cumulated shares.

    Attributes
    ----------
    values : array, shape (m,)
        Distinct answers, ascending.
    share, up, down : array, shape (..., m + 1)
        Share of the weight at the first 0 … m answers; the same times the way to the upper, and to the lower end.
    low, high : float
        Ends of the response scale.
    """

    values: FloatArray
    share: FloatArray
    up: FloatArray
    down: FloatArray
    low: float
    high: float

    @classmethod
    def of(cls, values: FloatArray, weight: FloatArray, low: float, high: float) -> Answers:
        """Cumulate the weights of distinct, ascending answers, shape (..., m); infinite ends bind nobody."""
        total = weight.sum(axis=-1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = weight / total
        up, down = (_cumulated(share * _room(way)) for way in (high - values, values - low))
        return cls(values, _cumulated(share), up, down, low, high)

    def shift(self, change: float) -> FloatArray:
        """Mean change when everybody's answer moves by ``change`` as far as the scale allows, shape (...).

        Examples
        --------
        >>> import numpy as np
        >>> answers = Answers.of(np.array([9.0, 9.5, 10.0]), np.ones(3), 0, 10)
        >>> float(answers.shift(1)), float(answers.shift(-1))
        (0.5, -1.0)
        """
        if change >= 0:
            free = int(np.searchsorted(self.values, self.high - change, side="right"))
            return change * self.share[..., free] + (self.up[..., -1] - self.up[..., free])
        bound = int(np.searchsorted(self.values, self.low - change, side="left"))
        return change * (self.share[..., -1] - self.share[..., bound]) - self.down[..., bound]


def _room(way: FloatArray) -> FloatArray:
    """Way to an end of the scale: none beyond it; without an end nobody reads it."""
    return np.where(np.isfinite(way), np.maximum(way, 0.0), 0.0)


def _cumulated(values: FloatArray) -> FloatArray:
    out = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=out[..., 1:])
    return out


@dataclass(frozen=True, eq=False)
class Scenario:
    """A linear model and the answers it rests on, under many sets of weights.

    Attributes
    ----------
    coefficients : array, shape (sets, p)
        Effect of +1 point of each driver; the first set is the sample's own.
    answers : sequence of p Answers
        With shares of shape (sets, m + 1), or (sets, segments, m + 1).
    """

    coefficients: FloatArray
    answers: Sequence[Answers]

    def parts(self, changes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Effective change of every driver and what it adds to the outcome.

        Parameters
        ----------
        changes : array, shape (p,)
            Points that everybody's answer is moved by.

        Returns
        -------
        effective, gain : array, shape (p, sets) or (p, sets, segments)
            ``gain = coefficient × effective``; the gains add up.
        """
        effective = np.array([a.shift(float(c)) for a, c in zip(self.answers, changes, strict=True)])
        slope = self.coefficients.T.reshape(*self.coefficients.T.shape, *[1] * (effective.ndim - 2))
        return effective, slope * effective

    def gain(self, changes: FloatArray) -> FloatArray:
        """Change of the outcome's mean, shape (sets,) or (sets, segments).

        Notes
        -----
        Σ_j b_j · mean(clip(x_j + δ_j, low, high) − x_j), weighted mean over respondents.

        Examples
        --------
        >>> import numpy as np
        >>> ends = Answers.of(np.array([0.0, 10.0]), np.ones((1, 2)), 0, 10)
        >>> Scenario(np.array([[0.4, 0.2]]), [ends, ends]).gain(np.array([1.0, -1.0])).round(3).tolist()
        [0.1]
        """
        return np.asarray(self.parts(changes)[1].sum(axis=0))


def best_sets(gains: Sequence[FloatArray], costs: Sequence[FloatArray], budget: float) -> np.ndarray:
    """Choose one level of every driver so that the gain is largest and the cost within the budget.

    Parameters
    ----------
    gains : sequence of p arrays, shape (sets, levels)
        Level 0 changes nothing and gains nothing.
    costs : sequence of p arrays, shape (levels,)
        At least 0; level 0 costs nothing.
    budget : float
        May be infinite.

    Returns
    -------
    int array, shape (sets, p)
        Chosen levels; among equal gains the cheapest.

    Raises
    ------
    SurveyError
        If the costs have more than 200,000 different sums.

    Notes
    -----
    Exact: dynamic programming over the sums of costs that can occur, for all sets of weights at once.

    Examples
    --------
    >>> import numpy as np
    >>> gains = [np.array([[0, 0.5]]), np.array([[0, 0.4]]), np.array([[0, 0.3]])]
    >>> best_sets(gains, [np.array([0, 5.0]), np.array([0, 3.0]), np.array([0, 3.0])], 6).tolist()
    [[0, 1, 1]]
    """
    sums, places = _reachable(costs, budget)
    count = len(gains[0])
    out = np.zeros((count, len(gains)), dtype=np.intp)
    step = max(1, _CELLS // (len(sums[-1]) * max(len(gains), 1)))
    for start in range(0, count, step):
        part = slice(start, start + step)
        out[part] = _choose([g[part] for g in gains], sums, places)
    return out


def _reachable(costs: Sequence[FloatArray], budget: float) -> tuple[list[FloatArray], list[list[tuple[int, Any, Any]]]]:
    """Per driver the sums of costs within the budget, and where each level leads from which sum."""
    limit = budget * (1 + 1e-12) if np.isfinite(budget) else np.inf
    sums: list[FloatArray] = [np.zeros(1)]
    places: list[list[tuple[int, Any, Any]]] = []
    for driver in costs:
        grown = [sums[-1] + c for c in driver]
        grid = np.unique(np.round(np.concatenate([g[g <= limit] for g in grown]), 9))
        if len(grid) > _STATES:
            raise SurveyError(
                f"cost: {len(costs)} drivers have more than {_STATES:,} different sums of costs; round the costs to "
                "multiples of one unit, or name fewer drivers."
            )
        leads = []
        for level, g in enumerate(grown):
            inside = np.flatnonzero(g <= limit)
            leads.append((level, inside, np.searchsorted(grid, np.round(g[inside], 9))))
        sums.append(grid)
        places.append(leads)
    return sums, places


def _choose(
    gains: Sequence[FloatArray], sums: list[FloatArray], places: list[list[tuple[int, Any, Any]]]
) -> FloatArray:
    """Best levels for a block of sets of weights, shape (sets, p)."""
    count = len(gains[0])
    best, trail = np.zeros((count, 1)), []
    for gain, grid, leads in zip(gains, sums[1:], places, strict=True):
        reached = np.full((count, len(grid)), -np.inf)
        level_of = np.zeros(reached.shape, dtype=np.int16)
        origin = np.zeros(reached.shape, dtype=np.int32)
        for level, source, target in leads:
            offered = best[:, source] + gain[:, level, None]
            better = offered > reached[:, target]
            reached[:, target] = np.where(better, offered, reached[:, target])
            level_of[:, target] = np.where(better, level, level_of[:, target])
            origin[:, target] = np.where(better, source, origin[:, target])
        best = reached
        trail.append((level_of, origin))
    rows, state = np.arange(count), np.argmax(best, axis=1)
    chosen = np.zeros((count, len(gains)), dtype=np.intp)
    for driver in reversed(range(len(gains))):
        level_of, origin = trail[driver]
        chosen[:, driver] = level_of[rows, state]
        state = origin[rows, state]
    return chosen
