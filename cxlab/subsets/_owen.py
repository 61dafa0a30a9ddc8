"""Owen values: Shapley values across blocks, shared out within."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cxlab.errors import SurveyError
from cxlab.subsets._doubling import as_players, checked, order_weights, subset_sizes, subset_variances
from cxlab.subsets._shapley import CELLS, shapley, shared_out, weighed

FloatArray = np.ndarray[Any, np.dtype[Any]]
Players = Sequence[Sequence[int]]


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
    step = max(1, (4 * CELLS) >> len(game))
    for at in range(0, len(matrices), step):
        part = matrices[at : at + step]
        variances = subset_variances(part, game).reshape(len(weights), -1)
        averaged = (weights @ variances).reshape(1 << b, len(part))
        out[at : at + step] = shared_out(weighed(averaged, b, b, 0)[:, None], 0) / part[:, -1, -1, None]
    return out
