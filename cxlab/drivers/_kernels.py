"""Kernels: from what is prepared to importances, their replicates, null lines and effects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
from scipy import stats

from cxlab.contrasts import p_values
from cxlab.covariances import Spread
from cxlab.design import t_quantile
from cxlab.drivers._measures import Measure, measure, measured, teams
from cxlab.drivers._prepare import Prepared
from cxlab.drivers._sampled_null import EXACT_NULL, sampled_null
from cxlab.errors import SurveyError, one_of
from cxlab.importance import coefficients
from cxlab.moments import to_correlation
from cxlab.subsets import null_importance

FloatArray = np.ndarray[Any, np.dtype[Any]]
LEAST_REPLICATES = 100
PERMUTATIONS = 200  # behind a null line where nobody says how many
_ROUNDING = 1e-10  # part of the sample's variance under which a replicate's is that of rounding
_TIED = 1e-10  # smallest eigenvalue, or determinant, of correlations under which columns determine one another


@dataclass(frozen=True, eq=False)
class Draws:
    """What comes out under each set of replicate weights.

    Attributes
    ----------
    importance : array, shape (replicates, p)
    coefficients : array, shape (replicates, k)
        Of every column of the layout, in the full model.
    """

    importance: FloatArray
    coefficients: FloatArray


@dataclass(frozen=True, eq=False)
class Slopes:
    """Effects of +1 point of each driver in the full model, arrays of shape (p,); NaN for a factor but in ``p_value``.

    ``p_value`` of a factor is that of the Wald test of all its categories. ``extra`` holds further columns of the table.
    """

    estimate: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    p_value: FloatArray
    base_effective: FloatArray
    extra: Mapping[str, FloatArray] = field(default_factory=dict)


class Kernel(Protocol):
    """A model of the outcome: what importances are parts of, and how they vary."""

    name: ClassVar[str]
    prepared: Prepared
    method: str

    def __init__(self, prepared: Prepared, method: str) -> None: ...

    def importance(self) -> FloatArray:
        """Importances, shape (p,)."""

    def fit(self) -> Mapping[str, float]:
        """How well the model fits; ``r2`` is what all columns explain together."""

    def draws(self, count: int, seed: int) -> Draws:
        """Importances and coefficients under ``count`` sets of replicate weights."""

    def null_lines(self, permutations: int, seed: int) -> FloatArray:
        """95th percentile of each driver's importance after permuting it within stratum, shape (p,)."""

    def slopes(self, level: float, draws: Draws | None = None) -> Slopes:
        """Effects with their intervals; without replicates only where a closed form exists."""


class Linear:
    """Importances are parts of R² of the linear model."""

    name: ClassVar[str] = "linear"

    def __init__(self, prepared: Prepared, method: str) -> None:
        self.prepared = prepared
        self.method = method
        self._blocks = teams(prepared.blocks) if method == "owen" else None
        self._measure: Measure = measure(method, self._blocks)

    @cached_property
    def covariance(self) -> FloatArray:
        """Covariances of the columns and, last, the outcome."""
        return self.prepared.source.covariance()

    def importance(self) -> FloatArray:
        return self._parts(to_correlation(self.covariance))

    def fit(self) -> Mapping[str, float]:
        total = _explained(self.covariance)
        base, k = len(self.prepared.rows), len(self.covariance) - 1
        return {"r2": total, "r2_adjusted": 1 - (1 - total) * (base - 1) / max(base - k - 1, 1)}

    def draws(self, count: int, seed: int) -> Draws:
        importances, slopes = [], []
        for correlations, scale in self.correlations(count, seed):
            importances.append(self._parts(correlations))
            with np.errstate(divide="ignore", invalid="ignore"):
                slopes.append(coefficients(correlations) * scale[:, -1:] / scale[:, :-1])
        return Draws(np.concatenate(importances), np.concatenate(slopes))

    def correlations(self, count: int, seed: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Correlations (b, k + 1, k + 1) and standard deviations (b, k + 1) under replicate weights, block by block.

        Raises
        ------
        SurveyError
            If a replicate leaves a driver or the outcome constant.
        """
        least = _ROUNDING * np.diagonal(self.covariance)
        for _, block in self.prepared.source.replicates(count, seed):
            spread = np.diagonal(block, axis1=1, axis2=2)
            with np.errstate(divide="ignore", invalid="ignore"):
                correlations = to_correlation(block)
            at, lost = np.nonzero(~(spread > least))  # rounding lets a column that does not vary seem to
            correlations[at, lost, :] = correlations[at, :, lost] = np.nan
            correlations = self._mended(correlations)
            self._check(correlations)
            yield correlations, np.sqrt(np.maximum(spread, 0))

    def null_lines(self, permutations: int, seed: int) -> FloatArray:
        """95th percentile of each driver's importance after permuting it within stratum, shape (p,).

        One set of permutations serves all drivers; whole sampling units trade their answers.
        """
        shuffled = self.prepared.source.shuffled(permutations, seed)
        correlation = to_correlation(self.covariance)
        return np.array([
            np.quantile(self._null(correlation, j, shuffled[list(player)]), 0.95)
            for j, player in enumerate(self.prepared.layout.players)
        ])  # fmt: skip

    def slopes(self, level: float, draws: Draws | None = None) -> Slopes:
        """Weighted least squares with design-based standard errors.

        Notes
        -----
        Influence of a row: e (X'WX)⁻¹ x, or where rows are incomplete what the row moves the covariances by. Degrees
        of freedom: units − strata − k, as R's ``survey::svyglm``.
        """
        prepared = self.prepared
        estimate = coefficients(self.covariance)
        spread = prepared.source.slopes(estimate, max(prepared.df - len(estimate), 1.0))
        return per_driver(prepared, estimate, spread, level)

    def _parts(self, correlations: FloatArray) -> FloatArray:
        """Importances from correlations; what is forced in is partialled out first."""
        return measured(self._measure, correlations, self.prepared.players, self.prepared.layout.always)

    def _mended(self, correlations: FloatArray) -> FloatArray:
        """A category, indicator or forced-in column that a replicate misses, or that its mates determine, adds nothing there."""
        layout = self.prepared.layout
        for player in (*(p for p in layout.players if len(p) > 1), layout.always):
            for c in player:
                _take_out(correlations, np.isnan(correlations[:, c, c]), c)
            for place, c in enumerate(player[1:], 1):  # the first category can be lost too: the others then sum to 1
                own = np.array(player[: place + 1])
                inner = correlations[:, own[:, None], own]
                known = np.asarray(np.isfinite(inner).all(axis=(1, 2)))
                _take_out(correlations, known & (np.linalg.det(np.where(known[:, None, None], inner, 0.0)) < _TIED), c)
        return correlations

    def _check(self, correlations: FloatArray) -> None:
        """Refuse replicates that leave too little to analyse, by the names of those concerned."""
        unknown = np.asarray(~np.isfinite(correlations))
        bad = np.asarray(unknown.any(axis=(1, 2)))
        if bad.any():
            self._refuse(int(bad.sum()), len(bad), self._unknown(unknown[bad]))
        roots = np.linalg.eigvalsh(correlations[:, :-1, :-1])
        bad = np.asarray(roots[:, 0] < _TIED)
        if bad.any():
            vector = np.linalg.eigh(correlations[bad][0, :-1, :-1])[1][:, 0]
            self._refuse(int(bad.sum()), len(bad), f"{self._listed(vector**2 > 1e-6)} that repeat one another")

    def _unknown(self, unknown: np.ndarray) -> str:
        """What is wrong in replicates with unknown correlations, bool of shape (replicates, k + 1, k + 1)."""
        constant = np.diagonal(unknown, axis1=1, axis2=2)
        if constant.all(axis=1).any():  # nothing at all is known
            return f"a driver or {self.prepared.outcome!r} without variation"
        if constant.any():
            return f"{self._listed(np.asarray(constant.any(axis=0)))} without variation"
        pair = np.argwhere(unknown.any(axis=0))[0]
        return f"nobody who answered both {self._listed(np.isin(np.arange(unknown.shape[1]), pair))}"

    def _listed(self, columns: np.ndarray) -> str:
        """Names behind some columns."""
        names = [*self.prepared.layout.names, self.prepared.outcome]
        found = [repr(n) for n in dict.fromkeys(names[c] for c in np.flatnonzero(columns))]
        return ", ".join(found[:5]) + (", …" if len(found) > 5 else "")

    def _refuse(self, bad: int, count: int, fault: str) -> None:
        raise SurveyError(
            f"{bad} of {count} replicates leave {fault}: the base of {len(self.prepared.rows)} is too small for intervals; "
            "widen the filter, leave that out, or use replicates=0."
        )

    def _null(self, correlation: FloatArray, driver: int, shuffled: FloatArray) -> FloatArray:
        """Importance of one permuted driver, by the quick way where there is one, shape (permutations,)."""
        layout = self.prepared.layout
        columns = list(layout.players[driver])
        if self.method in ("shapley", "owen") and len(layout.players) > EXACT_NULL:
            blocks = self._blocks or (tuple(range(len(layout.players))),)
            return sampled_null(
                correlation, driver, shuffled, players=layout.players, blocks=blocks, always=layout.always
            )
        if self.method in ("shapley", "owen"):
            return null_importance(
                correlation, driver, shuffled, layout.players, blocks=self._blocks, always=layout.always
            )
        matrices = np.repeat(correlation[None], shuffled.shape[1], axis=0)
        inner = matrices[np.ix_(range(len(matrices)), columns, columns)]  # what is permuted together stays together
        for c, own in zip(columns, shuffled, strict=True):
            matrices[:, c, :] = matrices[:, :, c] = own
        matrices[np.ix_(range(len(matrices)), columns, columns)] = inner
        return self._parts(matrices)[:, driver]


def _take_out(correlations: FloatArray, where: np.ndarray, column: int) -> None:
    """Make a column of some matrices one that goes with no other."""
    correlations[where, column, :] = correlations[where, :, column] = 0.0
    correlations[where, column, column] = 1.0


def _explained(covariance: FloatArray) -> float:
    """R² of all columns together."""
    return float(coefficients(covariance) @ covariance[:-1, -1] / covariance[-1, -1])


def per_driver(prepared: Prepared, estimate: FloatArray, spread: Spread, level: float) -> Slopes:
    """Effects per driver from the coefficients per column."""
    first, covariance = prepared.first, spread.covariance
    categories = first < 0
    take = np.where(categories, 0, first)
    own = np.where(categories, np.nan, estimate[take])
    se = np.where(categories, np.nan, np.sqrt(np.diagonal(covariance))[take])
    free = np.broadcast_to(spread.df, estimate.shape)
    df = free[take]
    p = p_values(own, se, df)
    effective = spread.effective[take]
    for j in np.flatnonzero(categories):
        columns = list(prepared.layout.players[j])
        b = estimate[columns]
        wald = float(b @ np.linalg.solve(covariance[np.ix_(columns, columns)], b)) / len(columns)
        p[j] = stats.f.sf(wald, len(columns), free[columns].min())
        effective[j] = spread.effective[columns].min()
    half = t_quantile(level, df) * se
    return Slopes(own, se, own - half, own + half, p, effective * prepared.bases / len(prepared.rows))


KERNELS: dict[str, type[Kernel]] = {"linear": Linear}


def kernel(prepared: Prepared, model: str, method: str) -> Kernel:
    """Look a kernel up by the name of its model."""
    if model not in KERNELS:
        raise one_of("model", model, KERNELS)
    return KERNELS[model](prepared, method)
