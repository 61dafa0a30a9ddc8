"""BCa: intervals of paths and effects corrected for bias and for standard errors that grow with the estimate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from cxlab.covariances import Sample
from cxlab.errors import SurveyError
from cxlab.layers._kernel import Estimates, Kernel
from cxlab.layers._prepare import Prepared

FloatArray = np.ndarray[Any, np.dtype[Any]]
MOST_UNITS = 20_000  # sampling units that are dropped one at a time
_TOLERANCE = 5e-13  # of weights: changes by a single unit are small
_BLOCK = 256  # matrices worked on at once


@dataclass(frozen=True, eq=False)
class Dropped:
    """Estimates without one sampling unit each.

    Attributes
    ----------
    estimates : Estimates
        One for each unit with respondents in the sample; last, one for each stratum that has other units as well.
    stratum : int array, shape (fits,)
    times : int array, shape (fits,)
        Units that each fit stands for.
    scale : array, shape (strata,)
        (n − 1) / n · √(1 − f): what a deviation counts for in the variance.
    """

    estimates: Estimates
    stratum: np.ndarray
    times: np.ndarray
    scale: FloatArray

    @property
    def lost(self) -> int:
        """Fits without a solution; they count as if the unit changed nothing."""
        return int((~self.estimates.converged).sum())

    def acceleration(self, values: FloatArray) -> FloatArray:
        """Acceleration of statistics, shape (p,), from their values without each unit, shape (fits, p).

        Notes
        -----
        Σ ε³ / (6 (Σ ε²)^3⁄2) with ε = (n_h − 1) / n_h · √(1 − f_h) · (mean of the stratum's values − value).

        References
        ----------
        Efron (1987), JASA 82, 171–185; Davison & Hinkley (1997), *Bootstrap Methods and their Application*, §5.3 (strata).
        """
        sound = self.estimates.converged & np.isfinite(values).all(axis=1)
        strata, times = len(self.scale), np.where(sound, self.times, 0)
        size = np.maximum(np.bincount(self.stratum, times, strata), 1)
        kept = np.where(sound[:, None], values, 0.0)
        cubes, squares = np.zeros(values.shape[1]), np.zeros(values.shape[1])
        for p, column in enumerate(kept.T):
            mean = np.bincount(self.stratum, times * column, strata) / size
            moved = self.scale[self.stratum] * (mean[self.stratum] - column)
            cubes[p], squares[p] = np.sum(times * moved**3), np.sum(times * moved**2)
        return np.divide(cubes, 6 * squares**1.5, out=np.zeros_like(cubes), where=squares > 0)


def check_bca(prepared: Prepared) -> None:
    """Refuse where leaving one unit out is not defined by sums over units, or takes too long."""
    products, sample = prepared.model.products, prepared.sample
    if products:
        raise SurveyError(
            f"interval='bca' leaves out one sampling unit at a time, for which {len(products)} products of constructs ({', '.join(products)}) "
            "would be formed anew each time; use interval='percentile', or leave the products out."
        )
    if prepared.missing != "listwise":
        raise SurveyError(
            f"interval='bca' needs complete rows, as missing={prepared.missing!r} would have to be repeated without each sampling unit; use "
            "missing='listwise', or interval='percentile'."
        )
    if sample.design.calibration is not None:
        raise SurveyError(
            "interval='bca': the weights are raked, and would have to be raked anew without each sampling unit; use interval='percentile'."
        )
    units = int(sample.used.sum())
    if units > MOST_UNITS:
        raise SurveyError(
            f"interval='bca' fits the model once without each of {units:,} sampling units, of which {MOST_UNITS:,} are the most; with so many "
            "interval='percentile' differs little."
        )


def drop_one(kernel: Kernel) -> Dropped:
    """Fit the model without each sampling unit in turn."""
    sample = kernel.prepared.sample
    sums, center = _unit_sums(sample)
    design = sample.design
    stratum = design.stratum[np.flatnonzero(sample.used)]
    inside = np.bincount(stratum, minlength=len(design.names))
    apart = np.flatnonzero((inside > 0) & (design.units > inside))  # strata with units that nobody here belongs to
    kept = design.units[stratum] > 1  # a stratum of one unit has no variance of its own
    apart = apart[design.units[apart] > 1]
    rows = np.vstack([sums[kept], np.zeros((len(apart), sums.shape[1]))])
    of = np.concatenate([stratum[kept], apart])
    times = np.concatenate([np.ones(int(kept.sum()), dtype=np.intp), (design.units - inside)[apart]])
    whole = np.zeros((len(design.names), sums.shape[1]))
    np.add.at(whole, stratum, sums)
    found = kernel.under(_moments(rows, of, (whole, design.units, center)), _TOLERANCE)
    n = design.units
    return Dropped(found, of, times, (n - 1) / np.maximum(n, 1) * np.sqrt(1 - design.fraction))


def _unit_sums(sample: Sample) -> tuple[FloatArray, FloatArray]:
    """Σw, Σwx and Σwxx' of each unit used, about a constant, in one row each."""
    center = np.average(sample.columns, axis=0, weights=sample.weights)
    shifted = sample.columns - center
    upper = np.triu_indices(shifted.shape[1])
    units = int(sample.used.sum())
    out = np.empty((units, 1 + shifted.shape[1] + len(upper[0])))
    out[:, 0] = np.bincount(sample.unit, sample.weights, units)
    for j in range(shifted.shape[1]):
        out[:, 1 + j] = np.bincount(sample.unit, sample.weights * shifted[:, j], units)
    for place, (a, b) in enumerate(zip(*upper, strict=True), start=1 + shifted.shape[1]):
        out[:, place] = np.bincount(sample.unit, sample.weights * shifted[:, a] * shifted[:, b], units)
    return out, center


def _moments(
    rows: FloatArray, stratum: np.ndarray, sums: tuple[FloatArray, np.ndarray, FloatArray]
) -> Iterator[tuple[FloatArray, FloatArray, None]]:
    """Means and covariances without each unit, the others of its stratum weighted by n / (n − 1)."""
    whole, n, center = sums
    total, k = whole.sum(axis=0), len(center)
    upper = np.triu_indices(k)
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        h = stratum[part]
        others = (n[h] - 1.0)[:, None]
        left = total + (whole[h] - rows[part] * n[h][:, None]) / others
        weight, shift = left[:, :1], left[:, 1 : 1 + k] / left[:, :1]
        covariance = np.empty((len(left), k, k))
        covariance[:, upper[0], upper[1]] = covariance[:, upper[1], upper[0]] = left[:, 1 + k :] / weight
        covariance -= shift[:, :, None] * shift[:, None, :]
        yield center + shift, covariance, None


def bca_ends(
    estimate: FloatArray, draws: FloatArray, acceleration: FloatArray, level: float
) -> tuple[FloatArray, FloatArray]:
    """Ends of BCa intervals, shape (p,) each.

    Parameters
    ----------
    estimate, acceleration : array, shape (p,)
    draws : array, shape (replicates, p)
    level : float

    Notes
    -----
    Quantiles Φ(z₀ + (z₀ + z) / (1 − a (z₀ + z))) of the draws; z₀ is the normal quantile of the share of draws below the estimate, half of those
    equal to it counted.

    References
    ----------
    Efron (1987), JASA 82, 171–185. Python: ``scipy.stats.bootstrap(method="BCa")``.
    """
    count = len(draws)
    below = (np.mean(draws < estimate, axis=0) + np.mean(draws <= estimate, axis=0)) / 2
    bias = stats.norm.ppf(np.clip(below, 0.5 / count, 1 - 0.5 / count))
    ends = []
    for side in (-1, 1):
        shifted = bias + side * stats.norm.ppf(0.5 + level / 2)
        room = np.maximum(1 - acceleration * shifted, 1e-9)
        share = np.clip(stats.norm.cdf(bias + shifted / room), 0.0, 1.0)
        ends.append(np.array([np.quantile(column, q) for column, q in zip(draws.T, share, strict=True)]))
    return ends[0], ends[1]
