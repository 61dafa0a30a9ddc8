"""How surely the parameters of common factors are known: under the design, or under normality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cxlab.errors import SurveyError
from cxlab.layers._factor_fit import Fitted
from cxlab.layers._factor_moments import Scaling, information, jacobian, refit, sandwich
from cxlab.layers._prepare import Prepared

FloatArray = np.ndarray[Any, np.dtype[Any]]
_PILOT, _HOPELESS = 40, 0.25  # replicates tried first; share without a solution from which the others are not tried


@dataclass(frozen=True, eq=False)
class Case:
    """Items of a prepared model, standardised in the sample."""

    prepared: Prepared

    @cached_property
    def covariance(self) -> FloatArray:
        """On 0–100, shape (p, p)."""
        return np.asarray(self.prepared.source.covariance())

    @cached_property
    def scale(self) -> FloatArray:
        """Standard deviations on 0–100, shape (p,)."""
        return np.asarray(np.sqrt(np.diagonal(self.covariance)))

    @cached_property
    def correlations(self) -> FloatArray:
        return np.asarray(self.covariance / np.outer(self.scale, self.scale))

    @property
    def base(self) -> int:
        return len(self.prepared.sample.rows)

    def replicates(self, count: int, seed: int) -> FloatArray:
        """Covariances in the sample's standard deviations under replicate weights, shape (count, p, p)."""
        drawn = [covariances for _, covariances in self.prepared.source.replicates(count, seed)]
        return np.asarray(np.concatenate(drawn) / np.outer(self.scale, self.scale))

    def by_rows(self, pairs: tuple[np.ndarray, np.ndarray]) -> FloatArray:
        """Taylor covariance of the sample's covariances under the design, shape (covariances, covariances)."""
        sample, (rows, columns) = self.prepared.sample, pairs
        standard = (sample.columns - self.prepared.source.mean()) / self.scale
        moved = standard[:, rows] * standard[:, columns] - self.correlations[rows, columns]
        influence = np.zeros((len(sample.design.psu), len(rows)))
        influence[sample.rows] = moved / sample.weights.sum()
        return sample.design.covariance(influence)


@dataclass(frozen=True, eq=False)
class Spread:
    """Uncertainty of the parameters.

    Attributes
    ----------
    draws : array, shape (replicates with a solution, parameters), or None
        None as well where so many of the first replicates have no solution that percentiles would say nothing.
    found : bool array, shape (replicates tried,)
    covariance : array, shape (parameters, parameters)
        For standard errors without replicates.
    df : float
    scaling : Scaling or None
    """

    draws: FloatArray | None
    found: np.ndarray
    covariance: FloatArray
    df: float
    scaling: Scaling | None

    @property
    def failed(self) -> int:
        """Replicates without a solution."""
        return int((~self.found).sum())


@dataclass(frozen=True, eq=False)
class Basis:
    """What a result was made from; further analyses go on from it."""

    case: Case
    fitted: Fitted
    spread: Spread


def spread_of(case: Case, found: Fitted, errors: str, replicates: int, seed: int) -> Spread:
    """Uncertainty in one of three ways: refits, linearised under the design, expected information."""
    frame, theta, nothing = found.frame, found.theta, np.zeros(0, dtype=bool)
    short = int((~np.isfinite(case.prepared.sample.columns)).any(axis=1).sum())
    if errors == "normal" and short:
        raise SurveyError(
            f"errors='normal' counts every respondent as having answered everything, and {short:,} of {case.base:,} did not "
            f"(missing={case.prepared.missing!r}); use errors='replicates'."
        )
    if errors == "normal":
        return Spread(None, nothing, np.linalg.inv(information(frame, theta)) / case.base, np.inf, None)
    listwise, df = case.prepared.missing == "listwise", case.prepared.sample.df
    if errors == "linear" and not listwise:
        raise SurveyError(
            f"errors='linear' linearises complete rows, and missing={case.prepared.missing!r} has none; use errors='replicates'."
        )
    others = case.replicates(replicates, seed) if replicates else None
    if listwise or others is None:
        moments = case.by_rows(frame.pairs)
    else:
        drawn = others[np.isfinite(others).all(axis=(1, 2))][:, *frame.pairs]
        moments = np.cov(drawn, rowvar=False)
    scaling = sandwich(frame, theta, case.correlations, moments, case.base)
    if others is None:
        return Spread(None, nothing, scaling.covariance, df, scaling)
    _, tried = refit(frame, theta, case.correlations, others[:_PILOT])
    if tried.mean() < 1 - _HOPELESS:
        return Spread(None, tried, scaling.covariance, df, scaling)
    draws, sound = refit(frame, theta, case.correlations, others)
    return Spread(draws[sound], sound, scaling.covariance, df, scaling)


def delta_errors(found: Fitted, covariance: FloatArray, function: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Standard errors of functions of the parameters by the delta method."""
    moved = jacobian(function, found.theta)
    return np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", moved, covariance, moved), 0))
