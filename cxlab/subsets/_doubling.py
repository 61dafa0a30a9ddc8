"""Doubling: the variance of the outcome given every subset of players."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Any

import numpy as np

from cxlab.errors import SurveyError

FloatArray = np.ndarray[Any, np.dtype[Any]]
Players = Sequence[Sequence[int]]
SINGULAR = 1e-10  # share of a column's variance left unexplained under which it adds nothing
_SUBSETS = 20  # players whose subsets are kept all at once


def as_players(players: Players | None, columns: int) -> tuple[tuple[int, ...], ...]:
    """Players as tuples of columns; each column its own player by default.

    Raises
    ------
    SurveyError
        If a column is named twice, left out, or does not exist.
    """
    if players is None:
        return tuple((j,) for j in range(columns))
    groups = tuple(tuple(int(c) for c in g) for g in players)
    if sorted(c for g in groups for c in g) != list(range(columns)) or not all(groups):
        raise SurveyError(
            f"players is {groups}; together they must name each of the {columns} columns before the outcome once, "
            "and none may be empty."
        )
    return groups


def checked(covariances: FloatArray) -> tuple[FloatArray, tuple[int, ...]]:
    """Flatten the batch, after checking that importances are defined on it.

    Returns
    -------
    array, shape (batch, k + 1, k + 1); tuple
        The matrices, and the shape of the batch.

    Raises
    ------
    SurveyError
        For another shape, matrices that are not finite, or an outcome without variance.
    """
    matrices = np.asarray(covariances, dtype=float)
    k = matrices.shape[-1] - 1 if matrices.ndim else 0
    if matrices.ndim < 2 or matrices.shape[-2] != k + 1 or k < 1:
        raise SurveyError(f"correlations has shape {matrices.shape}; it needs (..., p + 1, p + 1) with p ≥ 1.")
    bad = int(np.sum(~np.isfinite(matrices).all(axis=(-2, -1))))
    if bad:
        raise SurveyError(f"correlations holds {bad} matrices with missing values (a constant column?); leave it out.")
    flat = int(np.sum(matrices[..., -1, -1] <= 0))
    if flat:
        raise SurveyError(f"correlations holds {flat} matrices whose outcome does not vary; R² is undefined there.")
    return matrices.reshape(-1, k + 1, k + 1), matrices.shape[:-2]


# ---------------------------------------------------------------------- doubling
def subset_variances(covariances: FloatArray, players: Players | None = None) -> FloatArray:
    """Variance of the outcome given every subset of players.

    Parameters
    ----------
    covariances : array, shape (batch, k + 1, k + 1)
        Of k columns and, last, the outcome.
    players : tuple of tuples of int, optional
        Columns of each of the p players.

    Returns
    -------
    array, shape (2^p, batch)
        Bit j of the first index says whether player j is in the subset.

    Raises
    ------
    SurveyError
        For more than 20 players.

    Examples
    --------
    >>> import numpy as np
    >>> subset_variances(np.array([[[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]]]))[:, 0].round(2).tolist()
    [1.0, 0.64, 0.91, 0.55]
    """
    groups = as_players(players, covariances.shape[-1] - 1)
    if len(groups) > _SUBSETS:
        raise SurveyError(
            f"players holds {len(groups)}; all subsets are kept for at most {_SUBSETS}: name fewer drivers."
        )
    ordered, sizes, limits = _arranged(covariances, groups)
    rows = empty_rows(sizes, len(sizes), len(ordered))
    for a, row in enumerate(rows):
        row[:, 0] = ordered[:, a, a:].T
    double(rows, limits, sizes, len(sizes))
    return rows[-1][0]


def _arranged(covariances: FloatArray, groups: Players) -> tuple[FloatArray, list[int], FloatArray]:
    """Columns in the order of the players; the players' sizes; variances under which a column adds nothing."""
    order = np.array([c for g in groups for c in g] + [covariances.shape[-1] - 1])
    ordered = covariances[:, order[:, None], order]
    return ordered, [len(g) for g in groups], SINGULAR * np.diagonal(ordered, axis1=1, axis2=2).T


def empty_rows(sizes: Sequence[int], depth: int, batch: int, extra: int = 0) -> list[FloatArray]:
    """Space for the upper triangle of conditional covariances after doubling over the first ``depth`` players.

    A column's row is needed until its player is taken, so it only ever grows to 2^player subsets. ``extra`` further
    columns are carried along in every row.
    """
    of = [q for q, size in enumerate(sizes) for _ in range(size)] + [len(sizes)]
    return [np.empty((len(of) - a + extra, 1 << min(q, depth), batch)) for a, q in enumerate(of)]


def double(rows: list[FloatArray], limits: FloatArray, sizes: Sequence[int], depth: int) -> None:
    """Take the first players one at a time: every set of covariances splits into without and with the player.

    Parameters
    ----------
    rows : list of arrays, shape (columns from this one on, subsets, batch)
        Filled in place; subset 0 holds the covariances to start from.
    limits : array, shape (columns, batch) or (columns, 1)
    """
    column = 0
    for player in range(depth):
        known, end = 1 << player, column + sizes[player]
        for c in range(column, end):
            pivots = rows[c]
            scaled = pivots[1:] * reciprocal(pivots[0], limits[c])
            for a in range(c + 1, len(rows)):
                if a < end:  # the player's own other columns: the old values are not needed again
                    rows[a] -= pivots[a - c :] * scaled[a - c - 1]
                    continue
                taken = rows[a][:, known : 2 * known]
                if c == column:
                    np.multiply(pivots[a - c :], scaled[a - c - 1], out=taken)
                    np.subtract(rows[a][:, :known], taken, out=taken)
                else:
                    taken -= pivots[a - c :] * scaled[a - c - 1]
        column = end


def reciprocal(pivot: FloatArray, limit: FloatArray) -> FloatArray:
    """1 / pivot, and 0 where nothing of the column is left: a generalised inverse."""
    usable = pivot > limit
    if usable.all():
        return 1.0 / pivot
    return np.divide(1.0, pivot, out=np.zeros_like(pivot), where=usable)


def order_weights(p: int) -> FloatArray:
    """Share of the orders of p players in which a given one enters right after a given set, by the set's size."""
    return np.array([1 / (p * comb(p - 1, s)) for s in range(p)])


def subset_sizes(p: int) -> np.ndarray:
    """Number of players in each of the 2^p subsets."""
    sizes = np.zeros(1, dtype=np.intp)
    for _ in range(p):
        sizes = np.concatenate([sizes, sizes + 1])
    return sizes


def membership(p: int) -> np.ndarray:
    """Whether player j is in a subset, bool array of shape (p, 2^p)."""
    return (np.arange(1 << p) >> np.arange(p)[:, None] & 1).astype(bool)
