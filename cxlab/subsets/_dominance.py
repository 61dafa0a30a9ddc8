"""Dominance: gains by size of subset, and which player adds more in how many subsets."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Any

import numpy as np

from cxlab.subsets._doubling import as_players, checked, membership, subset_sizes, subset_variances
from cxlab.subsets._shapley import CELLS

FloatArray = np.ndarray[Any, np.dtype[Any]]
Players = Sequence[Sequence[int]]
_TIE = 1e-12  # part of R² under which two gains are equal


def dominance(covariances: FloatArray, players: Players | None = None) -> tuple[FloatArray, FloatArray]:
    """Conditional and complete dominance from the gains over every subset.

    Parameters
    ----------
    covariances : array, shape (..., k + 1, k + 1)
    players : tuple of tuples of int, optional

    Returns
    -------
    array, shape (..., p, p)
        Mean increase of R² when the player (row) enters a set of 0, 1, …, p − 1 others (column). Its mean over columns is
        general dominance, the Shapley value.
    array, shape (..., p, p)
        Share of the subsets of the others in which the row's player adds more than the column's; 1 is complete dominance,
        NaN on the diagonal.

    References
    ----------
    Budescu (1993), Psychological Bulletin 114, 542–551; Azen & Budescu (2003), Psychological Methods 8, 129–148.
    R: ``domir::domir``.

    Examples
    --------
    >>> import numpy as np
    >>> conditional, complete = dominance(np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]]))
    >>> conditional.round(3).tolist(), float(complete[0, 1])
    ([[0.36, 0.213], [0.16, 0.013]], 1.0)
    """
    matrices, shape = checked(covariances)
    groups = as_players(players, matrices.shape[-1] - 1)
    p = len(groups)
    conditional, complete = np.empty((2, len(matrices), p, p))
    step = max(1, (4 * CELLS) >> p)
    for at in range(0, len(matrices), step):
        variances = subset_variances(matrices[at : at + step], groups) / matrices[at : at + step, -1, -1]
        conditional[at : at + step] = _by_size(variances, p)
        complete[at : at + step] = _pairwise(variances, p)
    return conditional.reshape(*shape, p, p), complete.reshape(*shape, p, p)


def _by_size(variances: FloatArray, p: int) -> FloatArray:
    """Mean gain of each player by the size of the set it enters, shape (batch, p, p)."""
    sizes, inside = subset_sizes(p), membership(p)
    out = np.zeros((variances.shape[1], p, p))
    for size in range(p + 1):
        of_size = np.flatnonzero(sizes == size)
        values = variances[of_size]
        with_player = inside[:, of_size].astype(float) @ values
        if size < p:
            out[:, :, size] += (values.sum(axis=0) - with_player).T / comb(p - 1, size)
        if size:
            out[:, :, size - 1] -= with_player.T / comb(p - 1, size - 1)
    return out


def _pairwise(variances: FloatArray, p: int) -> FloatArray:
    """Share of subsets in which one player leaves less variance than another does, shape (batch, p, p)."""
    batch = variances.shape[1]
    out = np.full((batch, p, p), np.nan)
    for j in range(p):
        for i in range(j):
            cube = variances.reshape(1 << (p - 1 - j), 2, 1 << (j - i - 1), 2, 1 << i, batch)
            gap = cube[:, 1, :, 0] - cube[:, 0, :, 1]  # with j alone minus with i alone: positive where i adds more
            out[:, i, j] = (gap > _TIE).mean(axis=(0, 1, 2))
            out[:, j, i] = (gap < -_TIE).mean(axis=(0, 1, 2))
    return out
