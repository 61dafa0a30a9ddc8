"""Intervals that hold on small bases: shares near 0 and 100 %, net promoter scores; on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from cxlab.design import t_quantile

FloatArray = np.ndarray[Any, np.dtype[Any]]
_LARGEST = 1e10  # effective base of a share that is known but for rounding, on which the beta quantile would fail


def korn_graubard(
    share: FloatArray, variance: FloatArray, base: FloatArray, kish: FloatArray, df: FloatArray, level: float
) -> tuple[FloatArray, FloatArray]:
    """Beta intervals of shares on their effective base.

    Parameters
    ----------
    share, variance : array
        Variances from the design.
    base, kish : array
        Respondents; Kish's effective base, which counts where the variance is 0.
    df : array
        Degrees of freedom of the variances.
    level : float

    Returns
    -------
    low, high : array
        NaN on a base under 2.

    Notes
    -----
    n* = p (1 − p) / variance · (t(n − 1) / t(df))²; the limits are beta quantiles with n* p and n* (1 − p), one more
    on the other side. R: ``survey::svyciprop(method = "beta")``.

    References
    ----------
    Korn & Graubard (1998), Survey Methodology 24, 193–201.

    Examples
    --------
    >>> one = np.array([20.0])
    >>> [round(float(v[0]), 4) for v in korn_graubard(np.array([1.0]), np.array([0.0]), one, one, one - 1, 0.95)]
    [0.8316, 1.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = (variance > 0) & (share > 0) & (share < 1)
        effective = np.where(inner, np.minimum(share * (1 - share) / variance, _LARGEST), kish)
        effective = effective * (t_quantile(level, np.maximum(base - 1, 1)) / t_quantile(level, df)) ** 2
        yes, no, tail = effective * share, effective * (1 - share), (1 - level) / 2
        low = np.where(share > 0, special.betaincinv(np.maximum(yes, 1e-300), no + 1, tail), 0.0)
        high = np.where(share < 1, special.betaincinv(yes + 1, np.maximum(no, 1e-300), 1 - tail), 1.0)
    known = (base >= 2) & ~np.isnan(share)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def adjusted_wald(
    nps: FloatArray, variance: FloatArray, base: FloatArray, effective: FloatArray, df: FloatArray, level: float
) -> tuple[FloatArray, FloatArray]:
    """Intervals of net promoter scores with ¾ detractors, 1½ passives and ¾ promoters added to the effective base.

    Parameters
    ----------
    nps, variance : array
        In points from −100 to 100; variances from the design.
    base, effective : array
        Respondents; base over design effect.
    df : array
    level : float

    Returns
    -------
    low, high : array
        NaN where nobody answered.

    References
    ----------
    Rocks (2016), The American Statistician 70(4), 365–372.

    Examples
    --------
    >>> one = np.array([20.0])
    >>> found = adjusted_wald(np.array([100.0]), np.array([0.0]), one, one, np.array([np.inf]), 0.95)
    >>> [round(float(v[0]), 1) for v in found]
    [69.7, 104.2]
    """
    value = nps / 100
    with np.errstate(divide="ignore", invalid="ignore"):
        # promoters + detractors = E(score²): recovered from the variance without its design effect
        square = np.where(variance > 0, variance / 1e4 * effective * (base - 1) / base, 0.0) + value**2
        centre, second = value * effective / (effective + 3), (square * effective + 1.5) / (effective + 3)
        half = t_quantile(level, df) * np.sqrt((second - centre**2) / (effective + 3))
    known = (effective > 0) & ~np.isnan(value)
    return np.where(known, 100 * (centre - half), np.nan), np.where(known, 100 * (centre + half), np.nan)
