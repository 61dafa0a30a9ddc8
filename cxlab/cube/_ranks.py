"""Ranks of estimates from normal draws with their covariance, quick enough for a filter that moves."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[Any]]


def drawn_ranks(
    estimates: FloatArray, covariance: FloatArray, *, df: float, level: float = 0.95, draws: int = 1000, seed: int = 0
) -> dict[str, np.ndarray]:
    """Ranks that p quantities can have, and how often each comes first, from normal draws.

    Parameters
    ----------
    estimates : array, shape (p,)
    covariance : array, shape (p, p)
    df : float
        Degrees of freedom of the covariance.
    level : float
        Joint confidence of all rank sets.
    draws, seed : int
        The same draws serve every call of one size, so that ranks do not flicker while a filter moves.

    Returns
    -------
    dict
        ``rank``, ``rank_low``, ``rank_high`` (1 the highest), ``top1``, ``top3`` (shares of draws).

    Notes
    -----
    The limit of |difference| / se, over all pairs at once, is the level's quantile of its maximum in draws
    √(df / χ²) N(0, covariance); ``rank_low`` is 1 + quantities above by more than the limit, ``rank_high`` p − those below.

    References
    ----------
    Mogstad, Romano, Shaikh & Wilhelm (2024), Review of Economic Studies 91, 476–518.

    Examples
    --------
    >>> found = drawn_ranks(np.array([3.0, 1.0, 0.9]), 0.01 * np.eye(3), df=99)
    >>> found["rank_low"].tolist(), found["rank_high"].tolist(), found["top1"].tolist()
    ([1, 2, 2], [1, 3, 3], [1.0, 0.0, 0.0])
    """
    p = len(estimates)
    roots, vectors = np.linalg.eigh(covariance)
    drawn = _normal(p, draws, seed, df) @ (vectors * np.sqrt(np.maximum(roots, 0))).T
    left, right = np.triu_indices(p, 1)
    variance = np.diagonal(covariance)
    se = np.sqrt(np.maximum(variance[left] + variance[right] - 2 * covariance[left, right], 0))
    se = np.where(se > 0, se, np.inf)  # a difference without error is no difference to be drawn
    limit = np.quantile((np.abs(drawn[:, left] - drawn[:, right]) / se).max(axis=1), level)
    difference = estimates[left] - estimates[right]
    wins = np.zeros((p, p), dtype=bool)
    wins[left, right] = difference / se > limit
    wins[right, left] = -difference / se > limit
    moved = estimates + drawn
    third = np.partition(moved, max(p - 3, 0), axis=1)[:, max(p - 3, 0), None]
    return {
        "rank": (-estimates).argsort(kind="stable").argsort() + 1,
        "rank_low": 1 + wins.sum(axis=0),
        "rank_high": p - wins.sum(axis=1),
        "top1": np.bincount(moved.argmax(axis=1), minlength=p) / draws,
        "top3": (moved >= third).mean(axis=0),
    }


@lru_cache(maxsize=32)
def _normal(p: int, draws: int, seed: int, df: float) -> FloatArray:
    """Draws of a multivariate t with uncorrelated parts, shape (draws, p)."""
    rng = np.random.default_rng([seed, p])
    normal = rng.standard_normal((draws, p))
    return normal * np.sqrt(df / rng.chisquare(df, draws))[:, None] if np.isfinite(df) else normal
