"""Permuted players: the importance of each if it were shuffled, without working through all subsets again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.subsets._doubling import SINGULAR, as_players, double, empty_rows, order_weights, reciprocal, subset_sizes
from cxlab.subsets._owen import as_blocks, merged

FloatArray = np.ndarray[Any, np.dtype[Any]]
Players = Sequence[Sequence[int]]
_NULL_LEAF = 12  # the same for the others of a permuted player: matrix products serve all permutations
_NULL_CELLS = 1 << 16


def null_importance(
    correlation: FloatArray,
    player: int,
    shuffled: FloatArray,
    players: Players | None = None,
    *,
    blocks: Sequence[Sequence[int]] | None = None,
    always: Sequence[int] = (),
) -> FloatArray:
    """Shapley (or, with blocks, Owen) value that one player would get after each of several permutations of it.

    Parameters
    ----------
    correlation : array, shape (k + 1, k + 1)
        Columns and, last, the outcome.
    player : int
        Index of the permuted player.
    shuffled : array, shape (permutations, k + 1) or (columns of the player, permutations, k + 1)
        Correlations of its permuted columns with every column; entries at its own columns are ignored.
    players : tuple of tuples of int, optional
        Columns of each player, without those of ``always``.
    blocks : tuple of tuples of int, optional
        Players of each block.
    always : tuple of int
        Columns that are partialled out of everything.

    Returns
    -------
    array, shape (permutations,)

    Notes
    -----
    The other players and the outcome are the same in every permutation. Given a subset of them, the permuted
    player's covariance with the outcome is a linear form of its row, the same form for all permutations, and the
    variance that it has left falls by a squared linear form with every column that enters: both are matrix
    products. The columns of a permuted player keep their correlations with one another.
    """
    k = correlation.shape[-1] - 1
    free = [c for c in range(k) if c not in set(always)]
    groups = tuple((c,) for c in free) if players is None else tuple(tuple(g) for g in players)
    as_players([[free.index(c) if c in free else -1 for c in g] for g in groups], len(free))
    own = list(groups[player])
    others, weights = _entered(groups, player, blocks)
    order = [c for g in others for c in g] + [k]
    mine = np.asarray(shuffled, dtype=float).reshape(len(own), -1, k + 1)
    state = _Permuted(
        correlation[np.ix_(order, order)],
        mine[:, :, order],
        np.repeat(correlation[np.ix_(own, own)][:, :, None], mine.shape[1], axis=2),
    )
    if always:
        state = state.given(
            correlation[np.ix_(always, always)], correlation[np.ix_(always, order)], mine[:, :, list(always)]
        )
    return _null_sum(state, [len(g) for g in others], weights) / correlation[-1, -1]


def _entered(
    groups: tuple[tuple[int, ...], ...], player: int, blocks: Sequence[Sequence[int]] | None
) -> tuple[list[tuple[int, ...]], FloatArray]:
    """Whom a player can follow, and the share of orders in which it enters right after each subset of them."""
    teams = as_blocks(blocks, len(groups))
    team = next(t for t in teams if player in t)
    mates = [groups[j] for j in team if j != player]
    rivals = list(merged(groups, [t for t in teams if t is not team]))
    of_mates = order_weights(len(team))[subset_sizes(len(mates))]
    of_rivals = order_weights(len(teams))[subset_sizes(len(rivals))]
    return [*mates, *rivals], (of_rivals[:, None] * of_mates).ravel()


@dataclass(frozen=True, eq=False)
class _Permuted:
    """Covariances around a permuted player of g columns, given what has entered.

    Attributes
    ----------
    others : array, shape (m + 1, m + 1)
        Columns of the other players and the outcome.
    mine : array, shape (g, permutations, m + 1)
        Of the permuted columns with these.
    inner : array, shape (g, g, permutations)
        Of the permuted columns with one another.
    """

    others: FloatArray
    mine: FloatArray
    inner: FloatArray

    def given(self, known: FloatArray, with_others: FloatArray, with_mine: FloatArray) -> _Permuted:
        """The same, given further columns: their covariances (c, c), with others (c, m + 1), with mine (g, perm, c)."""
        slopes = np.linalg.lstsq(known, with_others, rcond=SINGULAR)[0]
        inverse = np.linalg.pinv(known, rcond=SINGULAR, hermitian=True)
        return _Permuted(
            self.others - with_others.T @ slopes,
            self.mine - with_mine @ slopes,
            self.inner - np.einsum("gpc,cd,hpd->ghp", with_mine, inverse, with_mine),
        )

    def without(self, columns: int) -> _Permuted:
        """The same without the first columns."""
        return _Permuted(self.others[columns:, columns:], self.mine[:, :, columns:], self.inner)


def _null_sum(state: _Permuted, sizes: Sequence[int], weights: FloatArray) -> FloatArray:
    """Weighted sum over the subsets of the others of the permuted player's gain, shape (permutations,)."""
    if len(sizes) > _NULL_LEAF:
        first = sizes[0]
        rest = state.without(first)
        taken = rest.given(state.others[:first, :first], state.others[:first, first:], state.mine[:, :, :first])
        return _null_sum(rest, sizes[1:], weights[0::2]) + _null_sum(taken, sizes[1:], weights[1::2])
    pivots, outcome = _forms(state.others, sizes)
    permutations = state.mine.shape[1]
    out = np.empty(permutations)
    step = max(1, _NULL_CELLS >> len(sizes))
    for at in range(0, permutations, step):
        rows = [column[at : at + step].T for column in state.mine]
        out[at : at + step] = weights @ _null_gains(pivots, outcome, rows, state.inner[:, :, at : at + step])
    return out


def _forms(others: FloatArray, sizes: Sequence[int]) -> tuple[list[tuple[int, FloatArray]], FloatArray]:
    """Linear forms of a further column's covariances with the others.

    Returns
    -------
    list of (player, array of shape (2^player, m + 1))
        Per column: its conditional covariance with the further column, divided by its conditional standard
        deviation, for every subset of the players before.
    array, shape (2^players, m + 1)
        The outcome's conditional covariance with the further column.
    """
    size = len(others)
    rows = empty_rows(sizes, len(sizes), 1, size)
    for a, row in enumerate(rows):
        row[: size - a, 0, 0], row[size - a :, 0, 0] = others[a, a:], np.eye(size)[a]
    limits = SINGULAR * np.diagonal(others)[:, None]
    double(rows, limits, sizes, len(sizes))
    of = [q for q, count in enumerate(sizes) for _ in range(count)]
    forms = [(q, rows[c][size - c :, :, 0].T * np.sqrt(reciprocal(rows[c][0], limits[c]))) for c, q in enumerate(of)]
    return forms, np.ascontiguousarray(rows[-1][1:, :, 0].T)


def _null_gains(
    pivots: list[tuple[int, FloatArray]], outcome: FloatArray, rows: list[FloatArray], inner: FloatArray
) -> FloatArray:
    """Gain of the permuted player given every subset of the others, shape (2^players, permutations)."""
    g, count = len(rows), rows[0].shape[1]
    left = {(u, v): np.empty((len(outcome), count)) for u in range(g) for v in range(u + 1)}
    for (u, v), values in left.items():
        values[0] = inner[u, v]
    done = -1
    for player, form in pivots:
        known = 1 << player
        found = [form @ row for row in rows]
        for (u, v), values in left.items():
            start = values[:known] if player != done else values[known : 2 * known]
            product = np.multiply(found[u], found[v], out=found[u] if g == 1 else None)
            np.subtract(start, product, out=values[known : 2 * known])
        done = player
    return _explained([outcome @ row for row in rows], left, inner)


def _explained(
    with_outcome: list[FloatArray], left: dict[tuple[int, int], FloatArray], inner: FloatArray
) -> FloatArray:
    """Variance of the outcome explained by columns with the given covariances, one column after the other."""
    if len(with_outcome) == 1:
        gain, own = with_outcome[0], left[0, 0]
        spent = own <= SINGULAR * inner[0, 0]
        np.multiply(gain, gain, out=gain)
        own[spent] = np.inf
        np.divide(gain, own, out=gain)
        return gain
    total = np.zeros_like(with_outcome[0])
    for u, target in enumerate(with_outcome):
        inverse = reciprocal(left[u, u], SINGULAR * inner[u, u])
        total += target * target * inverse
        for v in range(u + 1, len(with_outcome)):
            slope = left[v, u] * inverse
            with_outcome[v] -= slope * target
            for w in range(u + 1, v + 1):
                left[v, w] -= slope * left[w, u]
    return total
