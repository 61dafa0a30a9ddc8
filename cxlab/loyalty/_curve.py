"""The curve of loyalty over satisfaction: means by point, and a monotone spline through them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cxlab.groups import group_means
from cxlab.loyalty._spline import Monotone, monotone
from cxlab.loyalty._threshold import Pairs
from cxlab.metrics import intervals
from cxlab.result import reliability

FloatArray = np.ndarray[Any, np.dtype[Any]]
MOST_POINTS, BINS = 21, 10  # a scale with more answers than this is cut into so many bins of equal width
_PLACES = 81  # of the smooth curve


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


def curve(pairs: Pairs, level: float, replicates: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mean of loyalty at every point with its interval, beside the monotone spline.

    Parameters
    ----------
    pairs : Pairs
    level : float
    replicates, seed : int
        Rao–Wu replicates behind the interval of the spline; 0 for none.

    Returns
    -------
    DataFrame
        ``point, estimate, se, low, high, smooth, smooth_low, smooth_high, base, base_effective, reliability``.
    DataFrame
        ``point, smooth, smooth_low, smooth_high`` at places between the outermost points.

    Notes
    -----
    Quadratic I-splines with non-negative coefficients by weighted least squares, rising or falling as the straight line
    does, between the lowest and the highest answer of loyalty. The interval is the percentile interval of the
    splines of all replicates; the knots stay.
    """
    points, place, _ = places(pairs.x, pairs.w)
    rows = len(pairs.design.weights)
    values, codes = np.full(rows, np.nan), np.full(rows, -1)
    values[pairs.rows], codes[pairs.rows] = pairs.y, place
    found = group_means(pairs.design, values, codes, len(points))
    low, high = intervals(found, ["share" if pairs.binary else "mean"] * len(points), level=level)
    weight = np.bincount(place, pairs.w)
    rising = bool(np.sum(pairs.w * (pairs.x - np.average(pairs.x, weights=pairs.w)) * pairs.y) >= 0)
    spline = monotone(points, weight, (float(pairs.y.min()), float(pairs.y.max())), rising)
    at = np.r_[points, np.linspace(points[0], points[-1], _PLACES)]
    columns, everywhere = spline.columns(points), spline.columns(at)
    smooth = spline.values(everywhere, spline.fit(columns, found.estimate, weight))
    bounds = np.full((2, len(at)), np.nan)
    if replicates:
        draws = spline.values(everywhere, _replicates(pairs, place, (spline, columns), replicates, seed))
        bounds = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    line = pd.DataFrame({"point": at, "smooth": smooth, "smooth_low": bounds[0], "smooth_high": bounds[1]})
    own = line.iloc[: len(points)]
    return pd.DataFrame({
        "point": points, "estimate": found.estimate, "se": np.where(found.base > 1, found.se, np.nan), "low": low, "high": high,
        "smooth": own["smooth"], "smooth_low": own["smooth_low"], "smooth_high": own["smooth_high"], "base": found.base,
        "base_effective": found.base_effective, "reliability": reliability(found.base_effective),
    }), line.iloc[len(points) :].reset_index(drop=True)  # fmt: skip


def _replicates(
    pairs: Pairs, place: np.ndarray, shape: tuple[Monotone, FloatArray], replicates: int, seed: int
) -> FloatArray:
    """Coefficients of the spline under every set of replicate weights, shape (replicates, p)."""
    spline, columns = shape
    out, count = [], len(columns)
    for factors, piece in pairs.design.bootstrap(replicates, seed, pairs.rows):
        cell, size = piece * count + place, factors.shape[1] * count
        totals = [np.bincount(cell, v, size).reshape(-1, count) for v in (pairs.w, pairs.w * pairs.y)]
        weights, sums = (factors.astype(float) @ t for t in totals)
        means = sums / np.where(weights > 0, weights, 1.0)
        out += [spline.fit(columns, m, w) for m, w in zip(means, weights, strict=True)]
    return np.array(out)
