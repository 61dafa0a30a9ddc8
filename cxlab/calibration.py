"""Calibration to margins: proportional fitting and residuals, on arrays only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, eq=False)
class Fit:
    """Outcome of a proportional fit.

    Attributes
    ----------
    totals : array, shape (replicates, cells)
        Fitted cell totals.
    passes : int
        Passes over all margins.
    change : float
        Largest change of a cell in the last pass, as a share of the total.
    """

    totals: FloatArray
    passes: int
    change: float


def proportional_fit(
    totals: FloatArray, codes: IntArray, targets: Sequence[FloatArray], *, tolerance: float, most: int
) -> Fit:
    """Scale cell totals until every margin meets its targets (raking).

    Parameters
    ----------
    totals : array, shape (replicates, cells)
    codes : int array, shape (cells, margins)
        Category of each cell in each margin.
    targets : sequence of arrays, shape (categories,) or (replicates, categories)
    tolerance : float
        Stop when no cell changes by more than this share of the total in one pass.
    most : int
        Passes at most.

    Returns
    -------
    Fit

    Notes
    -----
    A category without weight stays without.

    References
    ----------
    Deming & Stephan (1940), Annals of Mathematical Statistics 11, 427–444.

    Examples
    --------
    >>> fit = proportional_fit(np.ones((1, 4)), np.array([[0, 0], [0, 1], [1, 0], [1, 1]]),
    ...                        [np.array([1.0, 3.0]), np.array([2.0, 2.0])], tolerance=1e-9, most=10)
    >>> fit.totals.tolist()
    [[0.5, 0.5, 1.5, 1.5]]
    """
    members = [_members(column) for column in codes.T]
    size = np.maximum(totals.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    change, passes = np.inf, 0
    while passes < most and change >= tolerance:
        before, passes = totals, passes + 1
        for column, member, target in zip(codes.T, members, targets, strict=True):
            reached = totals @ member
            with np.errstate(divide="ignore", invalid="ignore"):
                factor = np.where(reached > 0, target / reached, 0.0)
            totals = totals * factor[:, column]
        change = float(np.max(np.abs(totals - before) / size, initial=0.0))
    return Fit(totals, passes, change)


def _members(codes: IntArray) -> FloatArray:
    return np.eye(int(codes.max(initial=0)) + 1)[codes]


@dataclass(frozen=True, eq=False)
class Calibration:
    """Margins that the weights of a design are fitted to.

    Attributes
    ----------
    codes : int array, shape (rows, margins)
        Category of each row in each margin; −1 throughout for a row that was not calibrated.
    weights : array, shape (rows,)
        The fitted weights; the targets are their totals.
    unweighted : bool
        Whether residuals are taken from unweighted means of the categories, as R's ``rake`` does.
    start : array, shape (rows,), or None
        Weights under which residuals are taken otherwise; the fitted ones if None.
    """

    codes: IntArray
    weights: FloatArray
    unweighted: bool = False
    start: FloatArray | None = None

    @cached_property
    def inside(self) -> np.ndarray:
        """Rows that were calibrated, shape (rows,)."""
        return np.asarray(self.codes[:, 0] >= 0)

    @cached_property
    def _crossed(self) -> tuple[IntArray, IntArray]:
        return np.unique(self.codes[self.inside], axis=0, return_inverse=True)

    @property
    def cells(self) -> IntArray:
        """Categories of each cell that occurs, shape (cells, margins)."""
        return self._crossed[0]

    @cached_property
    def cell(self) -> IntArray:
        """Cell of each row, the number of cells for rows that were not calibrated, shape (rows,)."""
        out = np.full(len(self.codes), len(self.cells), dtype=np.intp)
        out[self.inside] = self._crossed[1].reshape(-1)
        return out

    @cached_property
    def targets(self) -> list[FloatArray]:
        """Totals of each margin's categories under the fitted weights."""
        rows = self.inside
        return [np.bincount(column[rows], self.weights[rows]) for column in self.codes.T]

    @cached_property
    def by_weights(self) -> Calibration:
        """The same margins with residuals under the fitted weights."""
        return replace(self, unweighted=False, start=None)

    @cached_property
    def regression_weights(self) -> FloatArray:
        """Weights of the regression on the margins, 0 for rows without weight, shape (rows,)."""
        start = self.weights if self.start is None else self.start
        return np.where(self.weights > 0, 1.0 if self.unweighted else start, 0.0)

    @cached_property
    def _sizes(self) -> FloatArray:
        return np.bincount(self.cell, self.regression_weights, len(self.cells) + 1)[:-1]

    @cached_property
    def _inverse(self) -> tuple[FloatArray, FloatArray]:
        """Indicators of all categories, shape (cells, categories), and the inverse of their weighted products."""
        design = np.concatenate([_members(column) for column in self.cells.T], axis=1)
        return design, np.linalg.pinv((design * self._sizes[:, None]).T @ design, hermitian=True)

    def fitted(self, sums: FloatArray) -> FloatArray:
        """What the margins explain of values, from their sums over cells under :attr:`regression_weights`.

        Parameters
        ----------
        sums : array, shape (cells, k)

        Returns
        -------
        array, shape (cells, k)

        Notes
        -----
        Least squares on the categories of all margins; or, unweighted, means of the categories taken out margin by
        margin ten times over, as R does.
        """
        if not self.unweighted:
            design, inverse = self._inverse
            return design @ (inverse @ (design.T @ sums))
        out = np.zeros_like(sums)
        members = [_members(column) for column in self.cells.T]
        for member, column in zip(members * _R_PASSES, [*self.cells.T] * _R_PASSES, strict=True):
            left = member.T @ (sums - self._sizes[:, None] * out)
            out += (left / np.maximum(member.T @ self._sizes, 1)[:, None])[column]
        return out

    def residuals(self, values: FloatArray) -> FloatArray:
        """Take out of values what the margins explain.

        Parameters
        ----------
        values : array, shape (rows, k)
            Influence values before weighting.

        Returns
        -------
        array, shape (rows, k)
            Residuals of the regression on the categories of all margins; rows that were not
            calibrated stay as they are.
        """
        weighted = values * self.regression_weights[:, None]
        sums = np.column_stack([np.bincount(self.cell, column, len(self.cells) + 1)[:-1] for column in weighted.T])
        return values - np.append(self.fitted(sums), np.zeros((1, values.shape[1])), axis=0)[self.cell]

    def factors(self, totals: FloatArray) -> tuple[FloatArray, int]:
        """Factors that bring the cell totals of replicates back to the margins.

        Parameters
        ----------
        totals : array, shape (replicates, cells)

        Returns
        -------
        factors : array, shape (replicates, cells + 1)
            The last, for rows that were not calibrated, is 1.
        emptied : int
            Replicates in which a category has lost all its rows; its target is shared out there.

        Notes
        -----
        The targets are those of the full sample. Fitting anew from the fitted weights ends where
        fitting from the original weights does, since both have the same odds ratios.
        """
        targets, emptied = [], np.zeros(len(totals), dtype=bool)
        for column, target in zip(self.cells.T, self.targets, strict=True):
            there = totals @ _members(column) > 0
            kept = there * target
            emptied |= ((target > 0) & ~there).any(axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                targets.append(np.nan_to_num(kept * (target.sum() / kept.sum(axis=1, keepdims=True))))
        fit = proportional_fit(totals, self.cells, targets, tolerance=_TOLERANCE, most=_PASSES)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(totals > 0, fit.totals / totals, 1.0)
        return np.column_stack([factor, np.ones(len(totals))]), int(emptied.sum())


_TOLERANCE, _PASSES, _R_PASSES = 1e-9, 200, 10
