"""The curve of loyalty over satisfaction: means by point, and a monotone smooth of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from cxlab.design import Design
from cxlab.groups import group_means
from cxlab.loyalty._threshold import Pairs
from cxlab.metrics import intervals
from cxlab.result import reliability

FloatArray = np.ndarray[Any, np.dtype[Any]]
MOST_POINTS, BINS = 21, 10  # a scale with more answers than this is cut into so many bins of equal width


def places(x: FloatArray, w: FloatArray) -> tuple[FloatArray, np.ndarray, bool]:
    """Points of the curve: the answers themselves, or bins of equal width of many of them.

    Parameters
    ----------
    x, w : array, shape (rows,)

    Returns
    -------
    array, shape (points,); int array, shape (rows,); bool
        Points (of bins their mean), the point of each row, and whether they are bins.
    """
    points, place = np.unique(x, return_inverse=True)
    if len(points) <= MOST_POINTS:
        return points, place, False
    edges = np.linspace(points[0], points[-1], BINS + 1)
    _, place = np.unique(np.digitize(x, edges[1:-1]), return_inverse=True)
    return np.bincount(place, w * x) / np.bincount(place, w), place, True


def curve(pairs: Pairs, level: float, replicates: int, seed: int) -> pd.DataFrame:
    """Mean of loyalty at every point with its interval, beside the monotone smooth.

    Parameters
    ----------
    pairs : Pairs
    level : float
    replicates, seed : int
        Rao–Wu replicates behind the interval of the smooth; 0 for none.

    Returns
    -------
    DataFrame
        ``point, estimate, se, low, high, smooth, smooth_low, smooth_high, base, base_effective, reliability``.

    Notes
    -----
    The smooth pools neighbours that are out of order (weighted isotonic regression), rising or falling as the straight line
    does. Its interval is the percentile interval of the smooth of every replicate.
    """
    points, place, _ = places(pairs.x, pairs.w)
    rows = len(pairs.design.weights)
    values, codes = np.full(rows, np.nan), np.full(rows, -1)
    values[pairs.rows], codes[pairs.rows] = pairs.y, place
    found = group_means(pairs.design, values, codes, len(points))
    low, high = intervals(found, ["share" if pairs.binary else "mean"] * len(points), level=level)
    weight = np.bincount(place, pairs.w)
    rising = bool(np.cov(pairs.x, pairs.y, aweights=pairs.w)[0, 1] >= 0)
    smooth = isotonic_regression(found.estimate, weights=weight, increasing=rising).x
    bounds = np.full((2, len(points)), np.nan)
    if replicates:
        draws = _smooths(pairs, place, (len(points), rising), replicates, seed)
        bounds = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return pd.DataFrame({
        "point": points, "estimate": found.estimate, "se": np.where(found.base > 1, found.se, np.nan), "low": low, "high": high,
        "smooth": smooth, "smooth_low": bounds[0], "smooth_high": bounds[1], "base": found.base,
        "base_effective": found.base_effective, "reliability": reliability(found.base_effective),
    })  # fmt: skip


def _smooths(pairs: Pairs, place: np.ndarray, shape: tuple[int, bool], replicates: int, seed: int) -> FloatArray:
    """Monotone smooth under every set of replicate weights, shape (replicates, points)."""
    count, rising = shape
    design: Design = pairs.design
    out, index = [], np.arange(count)
    for factors, piece in design.bootstrap(replicates, seed, pairs.rows):
        cell, size = piece * count + place, factors.shape[1] * count
        totals = [np.bincount(cell, v, size).reshape(-1, count) for v in (pairs.w, pairs.w * pairs.y)]
        weights, sums = (factors.astype(float) @ t for t in totals)
        for w, s in zip(weights, sums, strict=True):
            kept = w > 0
            found = isotonic_regression(s[kept] / w[kept], weights=w[kept], increasing=rising).x
            out.append(np.interp(index, index[kept], found))
    return np.array(out)
