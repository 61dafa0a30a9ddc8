"""What a point more goes with on the scale of the outcome: average differences of shares under a logit."""

from __future__ import annotations

from typing import Any

import numpy as np

from cxlab.design import t_quantile
from cxlab.loyalty._threshold import Bend, Fit, Pairs, regress

FloatArray = np.ndarray[Any, np.dtype[Any]]


def average_effect(pairs: Pairs, fit: Fit, inside: np.ndarray, mix: FloatArray) -> tuple[float, FloatArray]:
    """Average derivative of the expected outcome in satisfaction over some respondents, and its influence values.

    Parameters
    ----------
    pairs : Pairs
    fit : Fit
    inside : bool array, shape (rows used,)
    mix : array, shape (p,)
        Coefficients that add up to their slope.

    Returns
    -------
    float
        mean of p (1 − p) times the slope; the slope itself where the outcome is not 0 or 1.
    array, shape (rows used,)
        Without survey weights; of the coefficients and of who is inside.
    """
    slope = float(mix @ fit.coefficients)
    own = fit.influence()
    if not pairs.binary:
        return slope, own @ mix
    p = 1 / (1 + np.exp(-(fit.columns @ fit.coefficients)))
    curve = p * (1 - p)
    w = pairs.w * inside
    total = w.sum() or 1.0
    value = float(w @ curve) / total
    gradient = mix * value + slope * ((w * curve * (1 - 2 * p)) @ fit.columns) / total
    return slope * value, np.asarray(own @ gradient + inside * slope * (curve - value) / total)


def line_effect(pairs: Pairs, level: float) -> tuple[float, float, float, float]:
    """Average effect of the straight line, its limits, and what it is of the slope, the average p (1 − p)."""
    fit = regress(pairs, pairs.line())
    if fit is None:
        return float("nan"), float("nan"), float("nan"), float("nan")
    value, influence = average_effect(pairs, fit, np.ones(len(pairs.x), dtype=bool), _slope(fit, above=False))
    half = float(
        t_quantile(level, pairs.degrees(fit.columns.shape[1])) * np.sqrt(pairs.spread(influence[:, None])[0, 0])
    )
    return value, value - half, value + half, float(fit.working.sum() / pairs.w.sum())


def bent_effects(found: Bend, level: float) -> FloatArray:
    """Average effects below and above the best knot: estimate, low, high, shape (2, 3).

    Notes
    -----
    The limits enclose the intervals at every knot that the data do not contradict, as those of the slopes do.
    """
    stand = [found.place, *np.flatnonzero(found.accepted(level)).tolist()]
    values, columns = [], []
    for place in stand:
        fit, over = found.fits[place], found.pairs.x > found.knots[place]
        for above in (False, True):
            value, influence = average_effect(found.pairs, fit, over == above, _slope(fit, above))
            values.append(value)
            columns.append(influence)
    se = np.sqrt(np.maximum(np.diagonal(found.pairs.spread(np.column_stack(columns))), 0.0)).reshape(-1, 2)
    estimate = np.array(values).reshape(-1, 2)
    half = float(t_quantile(level, found.df)) * se
    return np.column_stack([estimate[0], (estimate - half).min(axis=0), (estimate + half).max(axis=0)])


def _slope(fit: Fit, above: bool) -> FloatArray:
    """Coefficients that add up to the slope below or above the knot."""
    mix = np.zeros(fit.columns.shape[1])
    mix[1] = 1.0
    if above:
        mix[-1] = 1.0
    return mix
