"""Infer: intervals from replicates, standard errors from linearisation, null lines from permutations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.contrasts import p_values
from cxlab.design import t_quantile
from cxlab.drivers._measures import Measure
from cxlab.drivers._prepare import Prepared
from cxlab.errors import SurveyError
from cxlab.moments import coefficients, null_importance, replicate_moments, shapley, to_correlation

FloatArray = np.ndarray[Any, np.dtype[Any]]
LEAST_REPLICATES = 100


def replicate_importances(prepared: Prepared, measure: Measure, replicates: int, seed: int) -> FloatArray:
    """Importances under each set of Rao–Wu replicate weights, shape (replicates, p).

    Raises
    ------
    SurveyError
        If a replicate leaves a driver constant: the base is too small for replicates.
    """
    out = []
    for multipliers, unit in prepared.design.bootstrap(replicates, seed, prepared.rows):
        moments = replicate_moments(prepared.columns, prepared.weights, multipliers, unit, prepared.moments.center)
        with np.errstate(divide="ignore", invalid="ignore"):
            correlations = moments.correlation()
        bad = int(np.sum(~np.isfinite(correlations).all(axis=(1, 2))))
        if bad:
            raise SurveyError(
                f"{bad} of {len(correlations)} replicates leave a driver or {prepared.outcome!r} without variation: the base of "
                f"{len(prepared.rows)} is too small for intervals; widen the filter, or use replicates=0."
            )
        out.append(measure(correlations))
    return np.concatenate(out)


@dataclass(frozen=True, eq=False)
class Slopes:
    """Coefficients of the full model per +1 point of each driver, arrays of shape (p,)."""

    estimate: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    p_value: FloatArray
    base_effective: FloatArray


def slopes(prepared: Prepared, level: float) -> Slopes:
    """Weighted least squares with design-based standard errors.

    Notes
    -----
    Influence of a row: e (X'WX)⁻¹ x. Degrees of freedom: units − strata − p, as R's ``survey::svyglm``.
    """
    estimate = coefficients(prepared.moments.covariance())
    centred = prepared.columns - prepared.moments.mean()
    residual = centred[:, -1] - centred[:, :-1] @ estimate
    inner = np.linalg.inv((centred[:, :-1] * prepared.weights[:, None]).T @ centred[:, :-1])
    rows = residual[:, None] * centred[:, :-1] @ inner
    influence = np.zeros((len(prepared.design.psu), rows.shape[1]))
    influence[prepared.rows] = rows
    variance = np.diagonal(prepared.design.covariance(influence))
    se = np.sqrt(variance)
    df = max(prepared.df - len(estimate), 1.0)
    half = t_quantile(level, df) * se
    base, total = len(rows), prepared.weights.sum()
    simple = (prepared.weights @ rows**2) * total / max(base - 1, 1)
    effective = base * simple / np.where(variance > 0, variance, np.nan)
    return Slopes(estimate, se, estimate - half, estimate + half, p_values(estimate, se, df), effective)


def null_lines(prepared: Prepared, measure: Measure, permutations: int, seed: int) -> FloatArray:
    """95th percentile of each driver's importance after permuting it within stratum, shape (p,).

    One set of permutations serves all drivers. Whole sampling units trade their answers: were rows
    permuted one by one, a driver that varies between units would lose the likeness of its unit's respondents, and
    its line would lie too low (false alarms of .10 to .43 instead of .05 at 33 respondents per unit).
    """
    centred = prepared.columns - prepared.moments.mean()
    p, share = centred.shape[1] - 1, prepared.weights / prepared.weights.sum()
    spread = np.sqrt(np.diagonal(prepared.moments.covariance()))
    weighted, answers = centred * share[:, None], np.ascontiguousarray(centred[:, :p])
    squares = answers**2
    shuffled = np.empty((p, permutations, p + 1))
    for k, order in enumerate(_permutations(prepared, permutations, np.random.default_rng([seed, 1]))):
        received = np.bincount(order, share, len(share))  # weight under which each row's answers are used
        variance = received @ squares - (received @ answers) ** 2
        scale = np.divide(1, np.sqrt(np.maximum(variance, 0)), out=np.zeros(p), where=variance > 0)
        # Σw z = 0 for centred columns, so the mean of the permuted driver drops out of the product
        shuffled[:, k] = (answers[order].T @ weighted) * scale[:, None] / spread
    correlation = to_correlation(prepared.moments.covariance())
    return np.array([np.quantile(_null(measure, correlation, j, shuffled[j]), 0.95) for j in range(p)])


def _permutations(prepared: Prepared, count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """For every row the row whose answer it gets: unit trades with unit of its stratum.

    Where units differ in size the answers of the smaller one are repeated, of the larger one only some are used.
    """
    unit, size = prepared.unit, np.bincount(prepared.unit)
    first = np.cumsum(size) - size
    rows = np.lexsort((rng.random(len(unit)), unit))
    place = np.empty(len(unit), dtype=np.intp)
    place[rows] = np.arange(len(unit)) - first[unit[rows]]
    stratum = np.zeros(len(size), dtype=np.intp)
    stratum[unit] = prepared.stratum
    by_stratum = np.argsort(stratum, kind="stable")
    source = np.empty(len(size), dtype=np.intp)
    for _ in range(count):
        source[by_stratum] = np.argsort(stratum + rng.random(len(size)))
        start = rng.integers(0, size)[source]  # where in the other unit reading begins
        other = source[unit]
        yield rows[first[other] + (place + start[unit]) % size[other]]


def _null(measure: Measure, correlation: FloatArray, driver: int, shuffled: FloatArray) -> FloatArray:
    """Importance of one permuted driver, by the quick way where there is one."""
    if measure is shapley:
        return null_importance(correlation, driver, shuffled)
    matrices = np.repeat(correlation[None], len(shuffled), axis=0)
    matrices[:, driver, :] = matrices[:, :, driver] = shuffled
    matrices[:, driver, driver] = 1.0
    return measure(matrices)[:, driver]
