"""Variance of the outcome given every subset of players, and what follows from it: Shapley and Owen values, dominance.

A player is a group of columns that enters or leaves as one: a driver, a factor's dummies, an item and its
indicator. Everything here sees covariance matrices only, drivers first and the outcome last.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import Any

import numpy as np

from cxlab.errors import SamplingWarning, SurveyError

FloatArray = np.ndarray[Any, np.dtype[Any]]
Players = Sequence[Sequence[int]]
EXACT_LIMIT = 25  # players; the work doubles with each
_WORK = 1 << 31  # matrices × subsets that are worked through exactly: about a minute
SINGULAR = 1e-10  # share of a column's variance left unexplained under which it adds nothing
_CELLS = 1 << 16  # subsets × matrices worked on at once: keeps the state in the processor's cache
_LEAF = 9  # players whose subsets are worked through together
_NULL_LEAF = 12  # the same for the others of a permuted player: matrix products serve all permutations
_NULL_CELLS = 1 << 16
_WHOLE = 16  # players whose subsets are worked through together where there are few matrices
_SUBSETS = 20  # players whose subsets are kept all at once
_ROUNDS = 16  # rounds of sampled orders
_TIE = 1e-12  # part of R² under which two gains are equal


# ---------------------------------------------------------------------- checks
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
    rows = _empty_rows(sizes, len(sizes), len(ordered))
    for a, row in enumerate(rows):
        row[:, 0] = ordered[:, a, a:].T
    _double(rows, limits, sizes, len(sizes))
    return rows[-1][0]


def _arranged(covariances: FloatArray, groups: Players) -> tuple[FloatArray, list[int], FloatArray]:
    """Columns in the order of the players; the players' sizes; variances under which a column adds nothing."""
    order = np.array([c for g in groups for c in g] + [covariances.shape[-1] - 1])
    ordered = covariances[:, order[:, None], order]
    return ordered, [len(g) for g in groups], SINGULAR * np.diagonal(ordered, axis1=1, axis2=2).T


def _empty_rows(sizes: Sequence[int], depth: int, batch: int, extra: int = 0) -> list[FloatArray]:
    """Space for the upper triangle of conditional covariances after doubling over the first ``depth`` players.

    A column's row is needed until its player is taken, so it only ever grows to 2^player subsets. ``extra`` further
    columns are carried along in every row.
    """
    of = [q for q, size in enumerate(sizes) for _ in range(size)] + [len(sizes)]
    return [np.empty((len(of) - a + extra, 1 << min(q, depth), batch)) for a, q in enumerate(of)]


def _double(rows: list[FloatArray], limits: FloatArray, sizes: Sequence[int], depth: int) -> None:
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
            scaled = pivots[1:] * _inverse(pivots[0], limits[c])
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


def _inverse(pivot: FloatArray, limit: FloatArray) -> FloatArray:
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


# ---------------------------------------------------------------------- Shapley
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
    step = max(1, _CELLS >> p) if p <= _LEAF else max(1, (4 * _CELLS) >> (p - _LEAF + 5))
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
    last = p if p <= _WHOLE and batch << p <= 2 * _CELLS else min(p, _LEAF)
    first = p - last
    ordered, sizes, limits = _arranged(matrices, groups)
    rows = _empty_rows(sizes, first, batch)
    for a, row in enumerate(rows):
        row[:, 0] = ordered[:, a, a:].T
    _double(rows, limits, sizes, first)
    done = sum(sizes[:first])
    state = [row.reshape(len(row), -1) for row in rows[done:]]  # last axis: subsets of the first × matrices
    bounds = np.broadcast_to(limits[done:, None], (len(state), 1 << first, batch)).reshape(len(state), -1)
    found = np.empty((last + 2, batch << first))
    space = _empty_rows(sizes[first:], last, min(max(1, _CELLS >> last), batch << first))
    for size, columns in _pieces(first, batch, len(space[0][0, 0])):
        piece = [row[:, :, : len(columns)] for row in space]
        for row, values in zip(piece, state, strict=True):
            row[:, 0] = values[:, columns]
        _double(piece, bounds[:, columns], sizes[first:], last)
        found[:, columns] = _weighed(piece[-1][0], p, last, size)
    return _shared_out(found.reshape(last + 2, 1 << first, batch), first)


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


def _weighed(variances: FloatArray, p: int, last: int, taken: int) -> FloatArray:
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


def _shared_out(found: FloatArray, first: int) -> FloatArray:
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


# ---------------------------------------------------------------------- blocks
def owen(
    covariances: FloatArray, players: Players | None = None, *, blocks: Sequence[Sequence[int]] | None = None
) -> FloatArray:
    """Owen values of R²: Shapley values across blocks, split by Shapley within each block.

    Parameters
    ----------
    covariances : array, shape (..., k + 1, k + 1)
    players : tuple of tuples of int, optional
    blocks : tuple of tuples of int, optional
        Players of each block; without blocks, or with one, these are Shapley values.

    Returns
    -------
    array, shape (..., p)
        They sum to R²; those of a block sum to the Shapley value of the block taken as one player.

    Raises
    ------
    SurveyError
        As :func:`shapley`; or if a block with its rivals has more than 20 members.

    Notes
    -----
    Only orders count in which the members of a block follow one another: 2^(b + m − 1) subsets for a block of b
    players among m blocks, instead of 2^p.

    References
    ----------
    Owen (1977), in *Mathematical Economics and Game Theory*, 76–88.

    Examples
    --------
    >>> import numpy as np
    >>> matrix = np.array([[1, 0.5, 0.0, 0.5], [0.5, 1, 0.2, 0.5], [0.0, 0.2, 1, 0.3], [0.5, 0.5, 0.3, 1]])
    >>> owen(matrix, blocks=((0, 1), (2,))).round(4).tolist()
    [0.1706, 0.1465, 0.0738]
    """
    matrices, shape = checked(covariances)
    groups = as_players(players, matrices.shape[-1] - 1)
    teams = as_blocks(blocks, len(groups))
    whole = shapley(matrices, merged(groups, teams))
    out = np.empty((len(matrices), len(groups)))
    for place, team in enumerate(teams):
        out[:, list(team)] = whole[:, place, None] if len(team) == 1 else _within(matrices, groups, teams, place)
    return out.reshape(*shape, len(groups))


def as_blocks(blocks: Sequence[Sequence[int]] | None, p: int) -> tuple[tuple[int, ...], ...]:
    """Blocks as tuples of players; one block of all by default."""
    if blocks is None:
        return (tuple(range(p)),)
    teams = tuple(tuple(int(j) for j in b) for b in blocks)
    if sorted(j for b in teams for j in b) != list(range(p)) or not all(teams):
        raise SurveyError(
            f"blocks is {teams}; together they must name each of the {p} drivers once, and none may be empty."
        )
    return teams


def merged(players: Players, blocks: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """The blocks as players."""
    return tuple(tuple(c for j in block for c in players[j]) for block in blocks)


def _within(matrices: FloatArray, groups: Players, teams: Sequence[Sequence[int]], place: int) -> FloatArray:
    """Owen values of one block's players, shape (batch, players of the block)."""
    rivals = [t for t in range(len(teams)) if t != place]
    if not rivals:
        return (
            shapley(matrices, groups)
            if list(teams[0]) == list(range(len(groups)))
            else shapley(matrices, [groups[j] for j in teams[0]])
        )
    game = [*(groups[j] for j in teams[place]), *merged(groups, [teams[t] for t in rivals])]
    b, weights = len(teams[place]), order_weights(len(teams))[subset_sizes(len(rivals))]
    out = np.empty((len(matrices), b))
    step = max(1, (4 * _CELLS) >> len(game))
    for at in range(0, len(matrices), step):
        part = matrices[at : at + step]
        variances = subset_variances(part, game).reshape(len(weights), -1)
        averaged = (weights @ variances).reshape(1 << b, len(part))
        out[at : at + step] = _shared_out(_weighed(averaged, b, b, 0)[:, None], 0) / part[:, -1, -1, None]
    return out


# ---------------------------------------------------------------------- dominance
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
    step = max(1, (4 * _CELLS) >> p)
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


# ---------------------------------------------------------------------- permuted players
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
    rows = _empty_rows(sizes, len(sizes), 1, size)
    for a, row in enumerate(rows):
        row[: size - a, 0, 0], row[size - a :, 0, 0] = others[a, a:], np.eye(size)[a]
    limits = SINGULAR * np.diagonal(others)[:, None]
    _double(rows, limits, sizes, len(sizes))
    of = [q for q, count in enumerate(sizes) for _ in range(count)]
    forms = [(q, rows[c][size - c :, :, 0].T * np.sqrt(_inverse(rows[c][0], limits[c]))) for c, q in enumerate(of)]
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
        inverse = _inverse(left[u, u], SINGULAR * inner[u, u])
        total += target * target * inverse
        for v in range(u + 1, len(with_outcome)):
            slope = left[v, u] * inverse
            with_outcome[v] -= slope * target
            for w in range(u + 1, v + 1):
                left[v, w] -= slope * left[w, u]
    return total
