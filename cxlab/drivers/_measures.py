"""Measure: from covariances of drivers and outcome to importances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from cxlab.errors import one_of
from cxlab.importance import betasq, car, first, johnson, last, partial_r2, pratt, standardised
from cxlab.moments import partial_out
from cxlab.subsets import owen, shapley

FloatArray = np.ndarray[Any, np.dtype[Any]]
Players = tuple[tuple[int, ...], ...]
Measure = Callable[..., FloatArray]  # (covariances (..., k + 1, k + 1), players or None) -> (..., p)
MEASURES: dict[str, Measure] = {
    "shapley": shapley,
    "johnson": johnson,
    "owen": owen,
    "car": car,
    "pratt": pratt,
    "first": first,
    "last": last,
    "betasq": betasq,
    "partial_r2": partial_r2,
    "standardised": standardised,
}
SUMS_TO_R2 = {name: name in ("shapley", "johnson", "owen", "car", "pratt") for name in MEASURES}
METHOD_NAMES = {
    "shapley": {"en": "Shapley values of R² (LMG)", "zh": "R² 的 Shapley 值（LMG 法）"},
    "johnson": {"en": "Johnson's relative weights", "zh": "Johnson 相对权重"},
    "owen": {"en": "Owen values of R² (blocks)", "zh": "R² 的 Owen 值（按类别分层）"},
    "car": {"en": "Squared CAR scores", "zh": "CAR 得分平方"},
    "pratt": {"en": "Pratt's measure", "zh": "Pratt 指标"},
    "first": {"en": "R² alone (first in)", "zh": "单独进入时的 R²"},
    "last": {"en": "Unique R² (last in)", "zh": "最后进入时的 R² 增量"},
    "betasq": {"en": "Squared standardised coefficients", "zh": "标准化系数平方"},
    "partial_r2": {"en": "Partial R²", "zh": "偏 R²"},
    "standardised": {"en": "Standardised coefficients", "zh": "标准化系数"},
}


def measure(method: str, blocks: Sequence[Sequence[int]] | None = None) -> Measure:
    """Look up a measure that shares out R²; Owen values also need each block's players."""
    if not SUMS_TO_R2.get(method):
        raise one_of("method", method, [name for name, sums in SUMS_TO_R2.items() if sums])
    if method == "owen":
        return partial(owen, blocks=blocks)
    return MEASURES[method]


def measured(
    measure: Measure, covariances: FloatArray, players: Players | None = None, always: Sequence[int] = ()
) -> FloatArray:
    """Importances as parts of the outcome's whole variance, with columns that are always in partialled out.

    Parameters
    ----------
    covariances : array, shape (..., k + 1, k + 1)
    players : tuple of tuples of int, optional
        Positions among all k columns, without those of ``always``.
    always : tuple of int

    Returns
    -------
    array, shape (..., p)
        Measures that share out R² sum to R² − R²(always). Those of the full model alone (last, betasq, partial_r2,
        standardised) are read off it.
    """
    if not len(always):
        return measure(covariances, players)
    free = [c for c in range(covariances.shape[-1] - 1) if c not in set(always)]
    groups = tuple((c,) for c in free) if players is None else players
    if measure in _OF_FULL_MODEL:
        return measure(covariances, (*groups, tuple(always)))[..., :-1]
    rest = partial_out(covariances, always)
    moved = tuple(tuple(free.index(c) for c in g) for g in groups)
    return measure(rest, moved) * (rest[..., -1, -1] / covariances[..., -1, -1])[..., None]


_OF_FULL_MODEL = (last, betasq, partial_r2, standardised)


def teams(blocks: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Places of each block's drivers, in the order of the blocks' first drivers; a driver without a block is alone."""
    own = [block or place for place, block in enumerate(blocks)]
    return tuple(tuple(j for j, name in enumerate(own) if name == block) for block in dict.fromkeys(own))
