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
    nps: FloatArray, spread: FloatArray, effective: FloatArray, df: FloatArray, level: float
) -> tuple[FloatArray, FloatArray]:
    """Intervals of net promoter scores with ¾ detractors, 1½ passives and ¾ promoters added to the effective base.

    Parameters
    ----------
    nps, spread : array
        In points from −100 to 100; variance between respondents, in points².
    effective : array
        Base that the precision corresponds to, see :func:`cautious_base`.
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
    >>> found = adjusted_wald(np.array([100.0]), np.array([0.0]), np.array([20.0]), np.array([np.inf]), 0.95)
    >>> [round(float(v[0]), 1) for v in found]
    [69.7, 104.2]
    """
    value = nps / 100
    with np.errstate(divide="ignore", invalid="ignore"):
        second = ((spread / 1e4 + value**2) * effective + 1.5) / (effective + 3)  # promoters + detractors = E(score²)
        centre = value * effective / (effective + 3)
        half = t_quantile(level, df) * np.sqrt((second - centre**2) / (effective + 3))
    known = (effective > 0) & ~np.isnan(value)
    return np.where(known, 100 * (centre - half), np.nan), np.where(known, 100 * (centre + half), np.nan)


def cautious_base(
    variance: FloatArray, base: FloatArray, effective: FloatArray, kish: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Variance between respondents, and the smaller of the two effective bases.

    Parameters
    ----------
    variance, base : array
        Of the estimate, from the design; respondents.
    effective, kish : array
        Base over the design effect; Kish's.

    Returns
    -------
    spread, effective : array

    Notes
    -----
    On a small base the design effect is itself a rough estimate: at base 60 and a design effect of the weights of 1.7 NPS
    intervals on it cover .93 to .94, on the smaller of both .955 to .98.

    Examples
    --------
    >>> [v.tolist() for v in cautious_base(*(np.array([v]) for v in (25.0, 101.0, 50.0, 40.0)))]
    [[1237.6237623762377], [40.0]]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(variance > 0, variance * effective * (base - 1) / base, 0.0)
    return spread, np.minimum(effective, kish)
