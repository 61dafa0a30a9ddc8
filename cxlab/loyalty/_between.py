"""Groups against each other: slopes of their lines, and where their thresholds lie."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlab.contrasts import holm, p_values
from cxlab.design import Design, t_quantile
from cxlab.loyalty._threshold import Bend, Fit, Pairs, regress

FloatArray = np.ndarray[Any, np.dtype[Any]]
_FINE = 401  # places at which two grids of knots are brought together


def line_of(pairs: Pairs) -> tuple[float, float, FloatArray]:
    """Intercept and slope of the straight line, and the slope's influence values."""
    fit: Fit | None = regress(pairs, pairs.line())
    if fit is None:
        return float("nan"), float("nan"), np.zeros(len(pairs.x))
    return float(fit.coefficients[0]), float(fit.coefficients[1]), fit.influence()[:, 1]


def slope_differences(parts: Mapping[Any, Pairs], key: str, level: float) -> tuple[pd.DataFrame, float]:
    """Slopes of the straight lines of all pairs of groups (Holm), and the test that all are equal.

    Parameters
    ----------
    parts : mapping of group to Pairs
        Groups on which a line can be fitted.
    key : str
        Column of the group.
    level : float

    Returns
    -------
    DataFrame
        ``segment, other, estimate, se, low, high, p_value``.
    float
        p-value of equal slopes; NaN with fewer than two groups.
    """
    if len(parts) < 2:
        return pd.DataFrame(), float("nan")
    design = _design(parts)
    influence, slopes = np.zeros((len(design.weights), len(parts))), []
    for k, pairs in enumerate(parts.values()):
        _, slope, values = line_of(pairs)
        slopes.append(slope)
        influence[pairs.rows, k] = values
    covariance, slope_of = design.covariance(influence), np.array(slopes)
    inside = (influence != 0).any(axis=1)[:, None]
    df = max(float(design.domain_df(inside)[0]) + 1 - 2 * len(parts), 1.0)
    pairs_of = np.array(list(combinations(range(len(parts)), 2)))
    contrast = np.zeros((len(pairs_of), len(parts)))
    contrast[np.arange(len(pairs_of)), pairs_of[:, 0]] = 1
    contrast[np.arange(len(pairs_of)), pairs_of[:, 1]] = -1
    gaps, se = contrast @ slope_of, np.sqrt(np.maximum(np.diagonal(contrast @ covariance @ contrast.T), 0))
    first = contrast[: len(parts) - 1]  # the first group against every other spans all differences
    q = len(first)
    f = float((first @ slope_of) @ np.linalg.solve(first @ covariance @ first.T, first @ slope_of)) / q
    codes, half = list(parts), t_quantile(level, df) * se
    table = pd.DataFrame({
        key: [codes[i] for i, _ in pairs_of], "other": [codes[j] for _, j in pairs_of], "estimate": gaps, "se": se,
        "low": gaps - half, "high": gaps + half, "p_value": holm(p_values(gaps, se, df)),
    })  # fmt: skip
    return table, float(stats.f.sf(f, q, df))


def threshold_differences(bends: Mapping[Any, Bend], key: str, level: float) -> tuple[pd.DataFrame, float]:
    """Thresholds of all pairs of groups that have one, and the test that they are one and the same.

    Parameters
    ----------
    bends : mapping of group to Bend
        Groups whose threshold the test shows.
    key : str
    level : float

    Returns
    -------
    DataFrame
        ``segment, other, estimate`` (first minus other), ``low, high, low_open, high_open, p_value`` (Holm).
    float
        p-value of one common threshold; NaN with fewer than two groups.

    Notes
    -----
    The distance of a knot from the best one, LR(c) / δ(c), has a signed root z(c) that is near standard normal at the true
    knot. Knots c of one group and c + d of the other stand if zᵀ R⁻¹ z ≤ t², R the design correlation of the scores for
    the two knots; the interval holds all differences d for which some c stands, and the p-value of d = 0 is that of the
    least zᵀ R⁻¹ z. For all groups the least over common knots is compared with F. Measured: tests/test_loyalty_threshold.py.
    """
    if len(bends) < 2:
        return pd.DataFrame(), float("nan")
    found, codes = list(bends.values()), list(bends)
    correlation = _correlation(found)
    rows = []
    for i, j in combinations(range(len(found)), 2):
        r = correlation[np.ix_([i, j], [i, j])]
        rows.append({key: codes[i], "other": codes[j], **_difference((found[i], found[j]), r, level)})
    table = pd.DataFrame(rows)
    table["p_value"] = holm(table["p_value"].to_numpy())
    least, df = _common(found, correlation), min(b.df for b in found)
    q = len(found) - 1
    return table, float(stats.f.sf(least / q, q, df))


def _design(parts: Mapping[Any, Pairs]) -> Design:
    return next(iter(parts.values())).design


def _correlation(found: list[Bend]) -> FloatArray:
    """Design correlation of the scores for the knots of all groups, shape (k, k)."""
    design = found[0].pairs.design
    scores = np.zeros((len(design.weights), len(found)))
    for k, one in enumerate(found):
        scores[one.pairs.rows, k] = one.knot_score()
    covariance = design.covariance(scores)
    root = np.sqrt(np.maximum(np.diagonal(covariance), np.finfo(float).tiny))
    return np.asarray(covariance / np.outer(root, root))


def _root(found: Bend) -> FloatArray:
    """Signed root of the distance of each knot: negative above the best one, shape (g,)."""
    return np.asarray(np.sign(found.threshold - found.knots) * np.sqrt(found.distance))


def _difference(found: tuple[Bend, Bend], correlation: FloatArray, level: float) -> dict[str, Any]:
    one, other = found
    inverse = np.linalg.inv(correlation)
    z = _root(one)[:, None], _root(other)[None, :]
    distance = inverse[0, 0] * z[0] ** 2 + inverse[1, 1] * z[1] ** 2 + 2 * inverse[0, 1] * z[0] * z[1]
    df = min(one.df, other.df)
    stand = distance <= float(t_quantile(level, df)) ** 2
    gaps = one.knots[:, None] - other.knots[None, :]
    kept = gaps[stand]
    least = _common([one, other], correlation)
    rows, columns = np.nonzero(stand)
    lowest, highest = gaps[rows, columns].min(), gaps[rows, columns].max()
    at_end = {-1: (rows == 0) | (columns == len(other.knots) - 1), 1: (rows == len(one.knots) - 1) | (columns == 0)}
    return {
        "estimate": one.threshold - other.threshold, "low": float(kept.min()), "high": float(kept.max()),
        "low_open": bool((at_end[-1] & (kept <= lowest + 1e-9)).any()),
        "high_open": bool((at_end[1] & (kept >= highest - 1e-9)).any()),
        "p_value": float(2 * stats.t.sf(np.sqrt(least), df)),
    }  # fmt: skip


def _common(found: list[Bend], correlation: FloatArray) -> float:
    """Least zᵀ R⁻¹ z over knots that all groups share; NaN where their grids do not meet."""
    low, high = max(b.knots[0] for b in found), min(b.knots[-1] for b in found)
    if low > high:
        return float("nan")
    at = np.unique(np.r_[np.linspace(low, high, _FINE), [b.threshold for b in found if low <= b.threshold <= high]])
    z = np.array([np.interp(at, b.knots, _root(b)) for b in found])
    return float(np.einsum("ic,ij,jc->c", z, np.linalg.inv(correlation), z).min())
