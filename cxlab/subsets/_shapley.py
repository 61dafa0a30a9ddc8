"""Shapley values, exact or from sampled orders."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from cxlab.errors import SamplingWarning
from cxlab.subsets._doubling import (
    SINGULAR,
    _arranged,
    as_players,
    checked,
    double,
    empty_rows,
    membership,
    order_weights,
    subset_sizes,
)

FloatArray = np.ndarray[Any, np.dtype[Any]]
Players = Sequence[Sequence[int]]
EXACT_LIMIT = 25  # players; the work doubles with each
_WORK = 1 << 31  # matrices × subsets that are worked through exactly: about a minute
CELLS = 1 << 16  # subsets × matrices worked on at once: keeps the state in the processor's cache
_LEAF = 9  # players whose subsets are worked through together
_WHOLE = 16  # players whose subsets are worked through together where there are few matrices
_ROUNDS = 16  # rounds of sampled orders


def shapley(covariances: FloatArray, players: Players | None = None) -> FloatArray:
    """Shapley values of R² (LMG) for a batch of covariance matrices.

    Each player's importance is its increase of R², averaged over all orders in which the
    players can enter the regression. Importances sum to R².

    Parameters
    ----------
    covariances : array, shape (..., k + 1, k + 1)
        Covariances (or correlations) of k columns and, last, the outcome.
    players : tuple of tuples of int, optional
        Columns of each of the p players; by default each column is one.

    Returns
    -------
    array, shape (..., p)

    Raises
    ------
    SurveyError
        For matrices that are not finite, an outcome without variance, or players that do not share out the columns.

    Warns
    -----
    SamplingWarning
        Above 25 players, or 2^31 subsets × matrices, orders are sampled (:func:`sampled_shapley`).

    Notes
    -----
    Exact, by doubling: players are taken one at a time, and every conditional covariance matrix splits
    into the one that leaves the player out (its rows are dropped) and the one that takes it in (Schur
    complement, one column after the other). After p steps 2^p conditional variances of the outcome are left, at
    total work O(2^p). The first players are doubled for all, the last nine in pieces that
    stay in the processor's cache, so that memory is near 2^(p − 9) small matrices. A column with less than 1e-10 of its
    variance left, given others, adds nothing to them: a duplicate shares its importance with its twin.

    References
    ----------
    Lindeman, Merenda & Gold (1980), *Introduction to Bivariate and Multivariate Analysis*.
    Grömping (2006), Journal of Statistical Software 17(1); R: ``relaimpo::calc.relimp(type = "lmg")``.

    Examples
    --------
    >>> import numpy as np
    >>> shapley(np.array([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]])).round(3).tolist()
    [0.36, 0.09]
    """
    matrices, shape = checked(covariances)
    groups = as_players(players, matrices.shape[-1] - 1)
    p = len(groups)
    if not exact(p, len(matrices)):
        return _instead(matrices, groups).reshape(*shape, p)
    out = np.empty((len(matrices), p))
    step = max(1, CELLS >> p) if p <= _LEAF else max(1, (4 * CELLS) >> (p - _LEAF + 5))
    for start in range(0, len(matrices), step):
        out[start : start + step] = _gains(matrices[start : start + step], groups)
    return (out / matrices[:, -1, -1, None]).reshape(*shape, p)


def exact(p: int, count: int = 1) -> bool:
    """Whether Shapley values of p players in ``count`` matrices are computed exactly."""
    return p <= EXACT_LIMIT and count << p <= max(_WORK, 1 << p)


def _gains(matrices: FloatArray, groups: tuple[tuple[int, ...], ...]) -> FloatArray:
    """Average over orders of the fall in variance when a player enters, shape (batch, p).

    The sum over subsets without j is the sum over all minus that over subsets with j, so weighted sums of the
    variances over all subsets, and over those with each player, suffice. ``first`` players are doubled for all, the
    ``last`` ones piece by piece; a piece holds subsets of one size of the first, so that weights are the same in it.
    """
    batch, p = len(matrices), len(groups)
    last = p if p <= _WHOLE and batch << p <= 2 * CELLS else min(p, _LEAF)
    first = p - last
    ordered, sizes, limits = _arranged(matrices, groups)
    rows = empty_rows(sizes, first, batch)
    for a, row in enumerate(rows):
        row[:, 0] = ordered[:, a, a:].T
    double(rows, limits, sizes, first)
    done = sum(sizes[:first])
    state = [row.reshape(len(row), -1) for row in rows[done:]]  # last axis: subsets of the first × matrices
    bounds = np.broadcast_to(limits[done:, None], (len(state), 1 << first, batch)).reshape(len(state), -1)
    found = np.empty((last + 2, batch << first))
    space = empty_rows(sizes[first:], last, min(max(1, CELLS >> last), batch << first))
    for size, columns in _pieces(first, batch, len(space[0][0, 0])):
        piece = [row[:, :, : len(columns)] for row in space]
        for row, values in zip(piece, state, strict=True):
            row[:, 0] = values[:, columns]
        double(piece, bounds[:, columns], sizes[first:], last)
        found[:, columns] = weighed(piece[-1][0], p, last, size)
    return shared_out(found.reshape(last + 2, 1 << first, batch), first)


def _pieces(first: int, batch: int, most: int) -> Iterator[tuple[int, np.ndarray]]:
    """Sizes of the subsets of the first players, and which columns of the state have it, a few at a time."""
    of = np.repeat(subset_sizes(first), batch)
    for size in range(first + 1):
        columns = np.flatnonzero(of == size)
        for start in range(0, len(columns), most):
            yield size, columns[start : start + most]


@lru_cache(maxsize=64)
def _size_weights(p: int, last: int, taken: int) -> tuple[FloatArray, FloatArray]:
    """Weights of subsets of the last players when ``taken`` of the first are in, two of shape (2^last,).

    As sets that are entered; and as sets that are entered and sets that result together.
    """
    entered = np.append(order_weights(p), 0.0)
    sizes = subset_sizes(last) + taken
    return entered[sizes], (entered + np.insert(order_weights(p), 0, 0.0))[sizes]


def weighed(variances: FloatArray, p: int, last: int, taken: int) -> FloatArray:
    """Weighted sums of variances (2^last, columns) over subsets of the last players, shape (last + 2, columns).

    Row 0: as sets that are entered; row 1: with both weights together; then row 1 where each player is in. The variances
    are used up.
    """
    entered, both = _size_weights(p, last, taken)
    low = last // 2
    whole = entered @ variances
    variances *= both[:, None]
    cube = variances.reshape(1 << (last - low), 1 << low, -1)
    by_low, by_high = cube.sum(axis=0), cube.sum(axis=1)
    return np.vstack([
        whole, by_low.sum(axis=0), membership(low).astype(float) @ by_low,
        membership(last - low).astype(float) @ by_high,
    ])  # fmt: skip


def shared_out(found: FloatArray, first: int) -> FloatArray:
    """Gains (batch, p) from the weighted sums (last + 2, subsets of the first, batch)."""
    everything = found[0].sum(axis=0)
    of_first = membership(first).astype(float) @ found[1] if first else np.empty((0, len(everything)))
    return (everything - np.concatenate([of_first, found[2:].sum(axis=1)])).T


# ---------------------------------------------------------------------- sampled orders
def sampled_shapley(
    covariances: FloatArray, players: Players | None = None, *, rounds: int = _ROUNDS, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Shapley values from a sample of orders, with their simulation error.

    Parameters
    ----------
    covariances : array, shape (..., k + 1, k + 1)
    players : tuple of tuples of int, optional
    rounds : int
        Independent rounds of 2p orders each, at least 2.
    seed : int

    Returns
    -------
    array, shape (..., p); array, shape (..., p)
        Importances, which sum to R², and their Monte-Carlo standard errors. The same orders serve all matrices.

    Notes
    -----
    A round is a random order, moved round p times so that every player takes every place once, and the
    reverse of each: antithetic and balanced over places. The squared last row of a Cholesky factor is the increase of
    variance explained as columns enter, so an order costs O(k³). The error comes from the spread between rounds.

    References
    ----------
    Castro, Gómez & Tejada (2009), Computers & Operations Research 36, 1726–1730; Mitchell, Cooper, Frank & Holmes
    (2022), Journal of Machine Learning Research 23(43).

    Examples
    --------
    >>> import numpy as np
    >>> importance, error = sampled_shapley(np.array([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]]))
    >>> importance.round(3).tolist(), float(error.max()) < 1e-9
    ([0.36, 0.09], True)
    """
    matrices, shape = checked(covariances)
    groups = as_players(players, matrices.shape[-1] - 1)
    found = _rounds(matrices, groups, max(rounds, 2), seed)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    return found.mean(axis=0).reshape(*shape, -1), error.reshape(*shape, -1)


def _rounds(matrices: FloatArray, groups: Players, rounds: int, seed: int) -> FloatArray:
    """Mean gains of each round of orders, shape (rounds, batch, p)."""
    scale = np.sqrt(np.diagonal(matrices, axis1=1, axis2=2))
    scale = np.where(scale > 0, scale, 1.0)
    standard = matrices / (scale[:, :, None] * scale[:, None, :])
    k = np.arange(standard.shape[-1])
    standard[:, k, k] += SINGULAR  # what others determine adds nothing
    rng = np.random.default_rng([seed, len(groups)])
    return np.array([_one_round(standard, groups, rng.permutation(len(groups))) for _ in range(rounds)])


def _one_round(standard: FloatArray, groups: Players, order: np.ndarray) -> FloatArray:
    """Mean gain of each player over the moves of one order and their reverses, shape (batch, p)."""
    p, k = len(groups), standard.shape[-1] - 1
    moved = [np.roll(order, shift) for shift in range(p)]
    total = np.zeros((len(standard), p))
    step = max(1, (1 << 21) // (k + 1) ** 2)
    for way in [*moved, *(m[::-1] for m in moved)]:
        columns = np.array([c for j in way for c in groups[j]] + [k])
        starts = np.cumsum([0, *(len(groups[j]) for j in way[:-1])])
        for at in range(0, len(standard), step):
            factor = np.linalg.cholesky(standard[at : at + step][:, columns[:, None], columns])
            total[at : at + step, way] += np.add.reduceat(factor[:, -1, :-1] ** 2, starts, axis=1)
    return total / (2 * p)


def _instead(matrices: FloatArray, groups: Players) -> FloatArray:
    """Sampled values, with a warning of how far they may be off.

    Where one matrix can be worked exactly, the batch's mean matrix is, and its error under the same orders is taken off.
    """
    p = len(groups)
    found = _rounds(matrices, groups, _ROUNDS, 0)
    if p <= EXACT_LIMIT:
        middle = (matrices / matrices[:, -1:, -1:]).mean(axis=0)
        found += shapley(middle, groups) - _rounds(middle[None], groups, _ROUNDS, 0)
    error, value = found.std(axis=0, ddof=1) / np.sqrt(_ROUNDS), found.mean(axis=0)
    warnings.warn(
        f"{p} drivers in {len(matrices):,} matrices are too many for exact Shapley values: {_ROUNDS * 2 * p:,} orders "
        f"were sampled; the largest Monte-Carlo standard error of a share is "
        f"{float((error / value.sum(axis=1, keepdims=True)).max()):.2g}.",
        SamplingWarning,
        stacklevel=4,
    )
    return value * matrices[:, -1, -1, None]
