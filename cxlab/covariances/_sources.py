"""Sources: where the covariances of drivers and outcome come from, one for each way to treat missing answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np

from cxlab.covariances._sample import Sample
from cxlab.moments import Moments, replicate_moments, weighted_moments

FloatArray = np.ndarray[Any, np.dtype[Any]]
_ORDERS, _ROWS = 4, 512


@dataclass(frozen=True, eq=False)
class Spread:
    """How surely coefficients are known.

    Attributes
    ----------
    covariance : array, shape (k, k)
    effective : array, shape (k,)
        Rows divided by the design effect of each coefficient.
    df : float, or array of shape (k,)
    """

    covariance: FloatArray
    effective: FloatArray
    df: Any


class Source(Protocol):
    """Means and covariances of drivers, forced-in columns and, last, the outcome."""

    linear: bool  # whether rows are complete: residuals of rows exist

    def __init__(self, sample: Sample) -> None: ...

    @staticmethod
    def keep(answered: np.ndarray) -> np.ndarray:
        """Rows that take part, bool of shape (rows,), from what was answered, bool of shape (rows, names)."""

    def mean(self) -> FloatArray:
        """Weighted means, shape (k + 1,)."""

    def covariance(self) -> FloatArray:
        """Weighted covariances, shape (k + 1, k + 1)."""

    def replicates(self, count: int, seed: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Means (b, k + 1) and covariances (b, k + 1, k + 1) under Rao–Wu replicate weights, block after block."""

    def shuffled(self, count: int, seed: int) -> FloatArray:
        """Correlations of each permuted column with every column, shape (k, count, k + 1)."""

    def slopes(self, estimate: FloatArray, df: float) -> Spread:
        """How surely the coefficients (k,) of the full model are known, by linearisation."""


def slope_spread(sample: Sample, covariance: FloatArray, moved: FloatArray, df: float) -> Spread:
    """Taylor covariance of coefficients β from what a unit of each row's weight moves Σ(−β, 1) by.

    Parameters
    ----------
    sample : Sample
    covariance : array, shape (k + 1, k + 1)
    moved : array, shape (rows, k + 1)
    df : float

    Notes
    -----
    β = Σₓₓ⁻¹Σₓᵧ moves by Σₓₓ⁻¹ times the first k entries.
    """
    rows = moved[:, :-1] @ np.linalg.inv(covariance[:-1, :-1])
    influence = rows
    if len(rows) < len(sample.design.psu):
        influence = np.zeros((len(sample.design.psu), rows.shape[1]))
        influence[sample.rows] = rows
    found = sample.design.covariance(influence)
    variance, base = np.diagonal(found), len(rows)
    simple = (sample.weights @ rows**2) * sample.weights.sum() / max(base - 1, 1)
    return Spread(found, base * simple / np.where(variance > 0, variance, np.nan), df)


class Listwise:
    """Moments of complete rows."""

    linear = True

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.moments: Moments = weighted_moments(sample.columns, sample.weights)

    @staticmethod
    def keep(answered: np.ndarray) -> np.ndarray:
        return np.asarray(answered.all(axis=1))

    def mean(self) -> FloatArray:
        return self.moments.mean()

    def covariance(self) -> FloatArray:
        return self.moments.covariance()

    def replicates(self, count: int, seed: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        sample = self.sample
        for multipliers, piece in sample.design.bootstrap(count, seed, sample.rows):
            found = replicate_moments(sample.columns, sample.weights, multipliers, piece, self.moments.center)
            yield found.mean(), found.covariance()

    def shuffled(self, count: int, seed: int) -> FloatArray:
        sample = self.sample
        centred = sample.columns - self.moments.mean()
        k, share = centred.shape[1] - 1, sample.weights / sample.weights.sum()
        spread = np.sqrt(np.diagonal(self.moments.covariance()))
        weighted, answers = centred * share[:, None], np.ascontiguousarray(centred[:, :k])
        both = np.hstack([answers, answers**2])
        out = np.empty((k, count, k + 1))
        orders = sample.permutations(count, np.random.default_rng([seed, 1]))
        for c, (order, products) in enumerate(_moved(orders, answers, weighted)):
            received = np.bincount(order, share, len(share))  # weight under which each row's answers are used
            means = received @ both
            variance = means[k:] - means[:k] ** 2
            scale = np.divide(1, np.sqrt(np.maximum(variance, 0)), out=np.zeros(k), where=variance > 0)
            # Σw z = 0 for centred columns, so the mean of the permuted driver drops out of the product
            out[:, c] = products * scale[:, None] / spread
        return out

    def slopes(self, estimate: FloatArray, df: float) -> Spread:
        centred, covariance = self.sample.columns - self.moments.mean(), self.covariance()
        residual = centred[:, -1] - centred[:, :-1] @ estimate  # Σ(−β, 1) is 0 in all entries that matter
        centred *= (residual / self.sample.weights.sum())[:, None]
        return slope_spread(self.sample, covariance, centred, df)


def _moved(
    orders: Iterator[np.ndarray], answers: FloatArray, weighted: FloatArray
) -> Iterator[tuple[np.ndarray, FloatArray]]:
    """Each order of the rows with the cross-products of the answers in that order with weighted columns.

    A few orders and rows are worked on at once, so that matrix products are neither thin nor out of the cache.
    """
    k = answers.shape[1]
    while group := list(islice(orders, _ORDERS)):
        places = np.stack(group, axis=1)
        total = np.zeros((weighted.shape[1], len(group) * k))
        for start in range(0, len(answers), _ROWS):
            part = slice(start, start + _ROWS)
            total += weighted[part].T @ answers.take(places[part], axis=0).reshape(-1, len(group) * k)
        for j, order in enumerate(group):
            yield order, total[:, j * k : (j + 1) * k].T


SOURCES: dict[str, type[Source]] = {"listwise": Listwise}
