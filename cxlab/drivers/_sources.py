"""Sources: where the covariances of drivers and outcome come from, one for each way to treat missing answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from cxlab.drivers._sample import Sample
from cxlab.moments import Moments, replicate_moments, weighted_moments

FloatArray = np.ndarray[Any, np.dtype[Any]]


class Source(Protocol):
    """Means and covariances of drivers, forced-in columns and, last, the outcome."""

    linear: bool  # whether rows are complete, so that coefficients have a Taylor variance

    def __init__(self, sample: Sample) -> None: ...

    @staticmethod
    def keep(answered: np.ndarray) -> np.ndarray:
        """Rows that take part, bool of shape (rows,), from what was answered, bool of shape (rows, names)."""

    def mean(self) -> FloatArray:
        """Weighted means, shape (k + 1,)."""

    def covariance(self) -> FloatArray:
        """Weighted covariances, shape (k + 1, k + 1)."""

    def replicates(self, count: int, seed: int) -> Iterator[FloatArray]:
        """Covariances under each set of Rao–Wu replicate weights, in blocks of shape (b, k + 1, k + 1)."""

    def shuffled(self, count: int, seed: int) -> FloatArray:
        """Correlations of each permuted column with every column, shape (k, count, k + 1)."""


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

    def replicates(self, count: int, seed: int) -> Iterator[FloatArray]:
        sample = self.sample
        for multipliers, piece in sample.design.bootstrap(count, seed, sample.rows):
            yield replicate_moments(
                sample.columns, sample.weights, multipliers, piece, self.moments.center
            ).covariance()

    def shuffled(self, count: int, seed: int) -> FloatArray:
        sample = self.sample
        centred = sample.columns - self.moments.mean()
        k, share = centred.shape[1] - 1, sample.weights / sample.weights.sum()
        spread = np.sqrt(np.diagonal(self.moments.covariance()))
        weighted, answers = centred * share[:, None], np.ascontiguousarray(centred[:, :k])
        squares = answers**2
        out = np.empty((k, count, k + 1))
        for c, order in enumerate(sample.permutations(count, np.random.default_rng([seed, 1]))):
            received = np.bincount(order, share, len(share))  # weight under which each row's answers are used
            variance = received @ squares - (received @ answers) ** 2
            scale = np.divide(1, np.sqrt(np.maximum(variance, 0)), out=np.zeros(k), where=variance > 0)
            # Σw z = 0 for centred columns, so the mean of the permuted driver drops out of the product
            out[:, c] = (answers[order].T @ weighted) * scale[:, None] / spread
        return out


SOURCES: dict[str, type[Source]] = {"listwise": Listwise}
