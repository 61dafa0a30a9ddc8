"""Sources for incomplete rows: available pairs, EM, multiple imputation, dummy adjustment."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from cxlab.covariances._sample import Sample
from cxlab.covariances._sources import SOURCES, Listwise, Source, Spread, slope_spread
from cxlab.errors import SurveyError
from cxlab.importance import coefficients
from cxlab.incomplete import (
    NormalFit,
    PatternMoments,
    em,
    em_influence,
    em_replicates,
    find_patterns,
    impute,
    never_together,
    pairwise,
    pairwise_influence,
    pattern_moments,
    replicate_patterns,
)
from cxlab.moments import replicate_moments, weighted_moments

FloatArray = np.ndarray[Any, np.dtype[Any]]
LEAST_IMPUTATIONS, MOST_IMPUTATIONS = 20, 100
_STRATA = 12  # strata that an imputation model holds as indicators
_SEED = 8_700  # of the imputations, which do not change with the seed of the replicates
_TIED = 1e-8


class Incomplete:
    """What the methods share that use rows with missing answers."""

    linear = False

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.patterns = find_patterns(sample.columns)
        self.moments = pattern_moments(sample.columns, sample.weights, self.patterns)

    @staticmethod
    def keep(answered: np.ndarray) -> np.ndarray:
        return np.asarray(answered.any(axis=1))

    def shuffled(self, count: int, seed: int) -> FloatArray:
        """Correlations of permuted answers, their gaps travelling along, over the pairs that result.

        Fewer pairs than EM or imputation make use of: null lines lie slightly higher, never lower.
        """
        sample = self.sample
        known = np.isfinite(sample.columns)
        filled = np.where(known, (sample.columns - self.moments.center) / self.moments.scale, 0.0)
        others = np.hstack([known, filled, filled**2]) * (sample.weights / sample.weights.sum())[:, None]
        k = filled.shape[1] - 1
        permuted = np.ascontiguousarray(np.hstack([known, filled, filled**2])[:, _without_last(k)])
        out = np.empty((k, count, k + 1))
        for c, order in enumerate(sample.permutations(count, np.random.default_rng([seed, 1]))):
            sums = (permuted[order].T @ others).reshape(3, k, 3, k + 1)
            size = sums[0, :, 0]
            with np.errstate(divide="ignore", invalid="ignore"):
                left, right = sums[1, :, 0] / size, sums[0, :, 1] / size
                spread = (sums[2, :, 0] / size - left**2) * (sums[0, :, 2] / size - right**2)
                out[:, c] = np.where(spread > 1e-20, (sums[1, :, 1] / size - left * right) / np.sqrt(spread), 0.0)
        return out


def _without_last(k: int) -> np.ndarray:
    """Columns of three blocks of k + 1 without the last of each."""
    return np.flatnonzero(np.tile(np.arange(k + 1) < k, 3))


class Pairwise(Incomplete):
    """Correlations of the rows that answered both columns."""

    @cached_property
    def _pairs(self) -> tuple[FloatArray, FloatArray, np.ndarray]:
        return pairwise(self.moments)

    @property
    def floored(self) -> int:
        """Eigenvalues that had to be raised."""
        return int(self._pairs[2][0])

    def mean(self) -> FloatArray:
        return self._pairs[0][0]

    def covariance(self) -> FloatArray:
        return self._pairs[1][0]

    def replicates(self, count: int, seed: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        for moments in _replicated(self.sample, self.patterns, self.moments, count, seed):
            yield pairwise(moments)[:2]

    def slopes(self, estimate: FloatArray, df: float) -> Spread:
        sample = self.sample
        moved = pairwise_influence(sample.columns, sample.weights, np.append(-estimate, 1.0))
        return slope_spread(sample, self.covariance(), moved, df)


class Likelihood(Incomplete):
    """Means and covariances by EM under a normal model, anew in every replicate."""

    def __init__(self, sample: Sample) -> None:
        super().__init__(sample)
        self.fit: NormalFit = em(self.moments)

    def mean(self) -> FloatArray:
        return self.fit.mean

    def covariance(self) -> FloatArray:
        return self.fit.covariance

    def replicates(self, count: int, seed: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        for moments in _replicated(self.sample, self.patterns, self.moments, count, seed):
            yield em_replicates(self.fit, moments)

    def slopes(self, estimate: FloatArray, df: float) -> Spread:
        moved = em_influence(self.sample.columns, self.patterns, self.fit, np.append(-estimate, 1.0))
        return slope_spread(self.sample, self.covariance(), moved, df)


def _replicated(
    sample: Sample, patterns: Any, moments: PatternMoments, count: int, seed: int
) -> Iterator[PatternMoments]:
    for multipliers, piece in sample.design.bootstrap(count, seed, sample.rows):
        yield from replicate_patterns(moments, patterns, sample.columns, sample.weights, multipliers, piece)


class Imputed(Incomplete):
    """Multiple imputation: as many completed data sets as rows in a hundred are incomplete, 20 to 100.

    The model is normal and holds drivers, outcome, the logarithm of the weight and the strata (where these are few). For
    each imputation the parameters are EM's under replicate weights of the design: draws that know of weights, strata and
    clusters, as proper imputation asks.
    """

    def __init__(self, sample: Sample) -> None:
        super().__init__(sample)
        incomplete = ~np.isfinite(sample.columns).all(axis=1)
        self.auxiliary = _auxiliary(sample)
        self.completed = [sample.columns]
        if incomplete.any():
            count = int(np.clip(np.ceil(100 * incomplete.mean()), LEAST_IMPUTATIONS, MOST_IMPUTATIONS))
            self.completed = _imputations(sample, self.auxiliary, count)
        found = [weighted_moments(columns, sample.weights) for columns in self.completed]
        self._means = np.array([m.mean() for m in found])
        self._covariances = np.array([m.covariance() for m in found])

    def mean(self) -> FloatArray:
        return np.asarray(self._means.mean(axis=0))

    def covariance(self) -> FloatArray:
        return np.asarray(self._covariances.mean(axis=0))

    def replicates(self, count: int, seed: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Replicate b is of imputation b modulo m: their spread is that of weights and imputations together.

        Deviations between imputations are stretched from the variance (m − 1)/m B that m of them show to
        Rubin's (1 + 1/m) B.
        """
        sample, m = self.sample, len(self.completed)
        stretch = np.sqrt((m + 1) / (m - 1)) if m > 1 else 1.0
        away = (stretch - 1) * (self._covariances - self.covariance())
        start = 0
        for multipliers, piece in sample.design.bootstrap(count, seed, sample.rows):
            turn = (start + np.arange(len(multipliers))) % m
            start += len(multipliers)
            out = np.empty((len(multipliers), *self._covariances.shape[1:]))
            means = np.empty(out.shape[:2])
            for j in np.unique(turn):
                drawn = np.flatnonzero(turn == j)
                found = replicate_moments(self.completed[j], sample.weights, multipliers[drawn], piece, self._means[j])
                own = found.covariance()
                stretched = own + away[j]
                sound = np.linalg.eigvalsh(stretched)[:, 0] > 0
                out[drawn] = np.where(sound[:, None, None], stretched, own)
                means[drawn] = found.mean() + (stretch - 1) * (self._means[j] - self.mean())
            yield means, out

    def slopes(self, estimate: FloatArray, df: float) -> Spread:
        """Rubin's rules: the mean of the design's variances, plus (1 + 1/m) times that between imputations.

        Degrees of freedom: Barnard & Rubin (1999), Biometrika 86, 948–955. With unequal weights the sum is too large, as
        weighted estimates are not self-efficient: Kim, Brick, Fuller & Kalton (2006), JRSS B 68, 509–521.
        """
        sample = self.sample
        parts = [
            slope_spread(sample, covariance, _complete_influence(columns, mean, covariance) / sample.weights.sum(), df)
            for columns, mean, covariance in zip(self.completed, self._means, self._covariances, strict=True)
        ]
        m = len(parts)
        if m == 1:
            return parts[0]
        within = np.mean([part.covariance for part in parts], axis=0)
        between = (1 + 1 / m) * np.cov(np.array([coefficients(c) for c in self._covariances]), rowvar=False)
        total = within + np.atleast_2d(between)
        lost = np.clip(np.diagonal(total - within) / np.diagonal(total), 1e-9, 1 - 1e-9)
        observed = (df + 1) / (df + 3) * df * (1 - lost)
        effective = np.mean([part.effective for part in parts], axis=0) * (1 - lost)
        return Spread(total, effective, 1 / (lost**2 / (m - 1) + 1 / observed))


def _complete_influence(columns: FloatArray, mean: FloatArray, covariance: FloatArray) -> FloatArray:
    direction = np.append(-coefficients(covariance), 1.0)
    centred = columns - mean
    return np.asarray(centred * (centred @ direction)[:, None] - covariance @ direction)


def _imputations(sample: Sample, auxiliary: FloatArray, count: int) -> list[FloatArray]:
    """Completed columns, each from parameters of its own."""
    columns = np.column_stack([auxiliary, sample.columns])
    patterns = find_patterns(columns)
    fit = em(pattern_moments(columns, sample.weights, patterns))
    rng = np.random.default_rng(_SEED)
    drawn = [
        em_replicates(fit, moments)
        for multipliers, piece in sample.design.bootstrap(count, _SEED, sample.rows)
        for moments in replicate_patterns(fit.moments, patterns, columns, sample.weights, multipliers, piece)
    ]
    means, covariances = (np.concatenate(part) for part in zip(*drawn, strict=True))
    bad = int(np.sum(~np.isfinite(covariances).all(axis=(1, 2))))
    if bad:
        raise SurveyError(
            f"missing='mi': {bad} of {count} draws of the imputation model leave a column without variation: the base of "
            f"{len(columns)} is too small; widen the filter, or use missing='listwise'."
        )
    first = auxiliary.shape[1]
    return [impute(columns, patterns, m, c, rng)[:, first:] for m, c in zip(means, covariances, strict=True)]


def _auxiliary(sample: Sample) -> FloatArray:
    """The logarithm of the weight and indicators of few strata, as far as other columns do not hold them, shape (rows, any)."""
    strata = np.unique(sample.stratum)
    few = strata[1:] if len(strata) <= _STRATA else strata[:0]
    offered = np.column_stack([np.log(sample.weights), *(sample.stratum == h for h in few)]).astype(float)
    kept: list[FloatArray] = []
    for column in offered.T:
        if np.ptp(column) > 0 and _variance_left(np.column_stack([*kept, sample.columns, column]), sample) > 1e-3:
            kept.append(column)
    return np.column_stack(kept) if kept else np.empty((len(sample.weights), 0))


def _variance_left(columns: FloatArray, sample: Sample) -> float:
    """Share of the last column's variance that the others leave, by available pairs."""
    covariance = pairwise(pattern_moments(columns, sample.weights))[1][0]
    return float(1 - coefficients(covariance) @ covariance[:-1, -1] / covariance[-1, -1])


class Dummy(Listwise):
    """Complete after zero-filling: missing answers stand at the mean, an indicator beside them."""

    @staticmethod
    def keep(answered: np.ndarray) -> np.ndarray:
        return np.asarray(answered[:, -1])


INCOMPLETE: dict[str, type[Source]] = {"pairwise": Pairwise, "em": Likelihood, "mi": Imputed}
SOURCES.update({**INCOMPLETE, "dummy": Dummy})


# ---------------------------------------------------------------------- what cannot be analysed
def check_pairs(sample: Sample, names: list[str], argument: str = "drivers") -> None:
    """Refuse columns that nobody answered together, and columns that repeat one another.

    Parameters
    ----------
    sample : Sample
    names : list of str, length k + 1
        Name behind each column.
    argument : str
        That messages name.
    """
    apart = sorted(
        {(names[i], names[j]) for i, j in never_together(np.isfinite(sample.columns)) if names[i] != names[j]}
    )
    if apart:
        shown = "; ".join(f"{a!r} and {b!r}" for a, b in apart[:5]) + ("; …" if len(apart) > 5 else "")
        count = "1 pair of columns has" if len(apart) == 1 else f"{len(apart)} pairs of columns have"
        raise SurveyError(
            f"{argument}: {count} no respondent who answered both ({shown}), so that nothing is known of how they go together; "
            "leave one of them out, or widen the filter."
        )
    covariance = pairwise(pattern_moments(sample.columns, sample.weights), least=-np.inf)[1][0][:-1, :-1]
    scale = np.sqrt(np.diagonal(covariance))
    correlation = covariance / scale / scale[:, None]
    tied = sorted({n for j, n in enumerate(names[:-1]) if _repeats(correlation, j)}, key=names.index)
    if len(tied) > 1:
        raise SurveyError(
            f"{argument} holds {len(tied)} columns that repeat one another ({', '.join(map(repr, tied[:6]))}): each is "
            "determined by the others; leave one out, or combine them."
        )


def _repeats(correlation: FloatArray, column: int) -> bool:
    others = np.delete(np.arange(len(correlation)), column)
    if not len(others):
        return False
    across = correlation[others, column]
    solved = np.linalg.lstsq(correlation[np.ix_(others, others)], across, rcond=1e-12)[0]
    return bool(abs(1 - across @ solved) < _TIED)
