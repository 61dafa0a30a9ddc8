"""Stages: what of a fitted path model says how its constructs are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxlab import measurement, pls
from cxlab.layers._estimate import Plan, carried_weights, fit, starts
from cxlab.moments import to_correlation

if TYPE_CHECKING:
    from cxlab.layers._kernel import Estimates, Kernel

FloatArray = np.ndarray[Any, np.dtype[Any]]
_TOLERANCE = 1e-12  # of the sample's weights where they have to be found anew; replicates take 1e-7
_REPLICATES = 1e-7


@dataclass(frozen=True, eq=False)
class Stage:
    """Constructs with their indicators, for each matrix of a batch.

    Attributes
    ----------
    names : tuple of str, length m
    indicators : tuple of str, length k
        Items; of a construct of higher order the constructs that measure it.
    structure : Structure
    consistent : bool array, shape (m,)
        Common factors (PLSc).
    correlations : array, shape (batch, k, k)
    spread : array, shape (batch, k)
        Standard deviations on 0–100; NaN of an indicator that is a score.
    outer : array, shape (batch, k, m)
    shown : tuple of int
        Constructs that are judged here.
    """

    names: tuple[str, ...]
    indicators: tuple[str, ...]
    structure: pls.Structure
    consistent: np.ndarray
    correlations: FloatArray
    spread: FloatArray
    outer: FloatArray
    shown: tuple[int, ...]

    @property
    def blocks(self) -> tuple[np.ndarray, ...]:
        """Indicators of each construct."""
        return self.structure.blocks

    def single(self, j: int) -> bool:
        """Whether a construct has one indicator."""
        return len(self.blocks[j]) == 1

    def reflective(self, j: int) -> bool:
        """Whether its indicators are alternative measures of it, so that reliability is a question at all."""
        return not self.single(j) and self.structure.modes[j] == "A"

    def rho_a(self) -> FloatArray:
        """Shape (batch, m)."""
        return pls.rho_a(self.correlations, self.outer, self.structure)

    def cross_loadings(self) -> FloatArray:
        """Correlations of all indicators with all scores, shape (batch, k, m)."""
        return pls.loadings(self.correlations, self.outer)

    def loadings(self) -> FloatArray:
        """Those of a construct's own indicators corrected under PLSc, shape (batch, k, m)."""
        found = self.cross_loadings()
        if not self.consistent.any():
            return found
        own = pls.consistent_loadings(self.outer, self.rho_a(), self.structure)
        return np.where((self.outer != 0) & self.consistent, own, found)

    def correlated(self, corrected: bool = True) -> FloatArray:
        """Correlations of constructs, shape (batch, m, m)."""
        scores = pls.construct_correlations(self.correlations, self.outer)
        if not corrected or not self.consistent.any():
            return scores
        return pls.disattenuated(scores, np.where(self.consistent, self.rho_a(), 1.0))

    def alpha(self, raw: bool = False) -> FloatArray:
        """Of standardised answers, or of those on 0–100, shape (batch, m)."""
        matrices = self.correlations
        if raw:
            matrices = matrices * self.spread[:, :, None] * self.spread[:, None, :]
        return np.stack([measurement.alpha(matrices[:, b[:, None], b]) for b in self.blocks], axis=1)

    def composite_reliability(self) -> FloatArray:
        """Shape (batch, m)."""
        return self._of_loadings(measurement.composite_reliability)

    def average_variance(self) -> FloatArray:
        """Shape (batch, m)."""
        return self._of_loadings(measurement.average_variance)

    def _of_loadings(self, measure: Any) -> FloatArray:
        loadings = self.loadings()
        return np.stack([measure(loadings[:, b, j]) for j, b in enumerate(self.blocks)], axis=1)

    def inflation(self) -> FloatArray:
        """Of each indicator within its construct, shape (batch, k)."""
        out = np.ones(self.correlations.shape[:2])
        for block in self.blocks:
            out[:, block] = measurement.inflation(self.correlations[:, block[:, None], block])
        return out


def stages(kernel: Kernel, estimates: Estimates, tolerance: float | None = None) -> list[Stage]:
    """The last stage of a model and, under higher order, the one before.

    Parameters
    ----------
    kernel : Kernel
    estimates : Estimates
        Of the sample or of replicates.
    tolerance : float, optional
        By default that of the sample for one matrix, of replicates for a batch.
    """
    plan, q = kernel.plain, len(kernel.products)
    if plan.first is None:
        items = list(kernel.prepared.model.items)
        structure = _in_order(plan, items)
        last = Stage(plan.names, tuple(items), structure, plan.consistent, estimates.correlations, estimates.spread,
                     estimates.outer[:, :, q:], tuple(range(len(plan.names))))  # fmt: skip
        return [last]
    if tolerance is None:
        tolerance = _TOLERANCE if len(estimates.correlations) == 1 else _REPLICATES
    return _two_stages(kernel, plan.first, estimates, tolerance)


def _in_order(plan: Plan, items: Sequence[str]) -> pls.Structure:
    place = {name: k for k, name in enumerate(items)}
    blocks = tuple(np.array([place[plan.indicators[i]] for i in block]) for block in plan.structure.blocks)
    return pls.Structure(blocks, plan.structure.modes, plan.structure.paths, plan.structure.scheme)


def _two_stages(kernel: Kernel, first: Plan, estimates: Estimates, tolerance: float) -> list[Stage]:
    """Both stages, estimated anew: replicates keep only the last one's weights."""
    plan, r = kernel.plain, estimates.correlations
    sample = to_correlation(kernel.prepared.source.covariance())[None]
    begin = starts(plan, fit(sample, plan, tolerance=_TOLERANCE), sample)
    lower = fit(r, first, start=begin[:1], tolerance=tolerance)
    carried = carried_weights(lower.outer, plan, r.shape[-1])
    matrices = np.matmul(np.swapaxes(carried, 1, 2), np.matmul(r, carried))
    upper = pls.outer_weights(matrices, plan.structure, start=begin[-1], tolerance=tolerance)
    spread = np.full(matrices.shape[:2], np.nan)
    spread[:, : len(plan.columns)] = estimates.spread[:, plan.columns]
    items = list(kernel.prepared.model.items)
    parts = tuple(j for j, name in enumerate(first.names) if name not in plan.names)
    below = Stage(first.names, tuple(items), _in_order(first, items), first.consistent, r, estimates.spread, lower.outer, parts)  # fmt: skip
    above = Stage(plan.names, plan.indicators, plan.structure, plan.consistent, matrices, spread, upper.outer,
                  tuple(range(len(plan.names))))  # fmt: skip
    return [above, below]
