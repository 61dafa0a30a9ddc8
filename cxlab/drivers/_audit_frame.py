"""Frame of an audit: complete rows, the full model on them, and what a row contributes to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from cxlab.contrasts import p_values
from cxlab.design import Design
from cxlab.importance import coefficients
from cxlab.moments import to_correlation

FloatArray = np.ndarray[Any, np.dtype[Any]]
Importance = Callable[[FloatArray], FloatArray]  # covariances (..., k + 1, k + 1) → (..., p)
Derivative = Callable[[FloatArray], FloatArray]  # correlations (k + 1, k + 1) → (p, k + 1, k + 1)


@dataclass(frozen=True, eq=False)
class Frame:
    """Complete rows of drivers, forced-in columns and, last, the outcome, all standardised.

    Attributes
    ----------
    columns : array, shape (rows, k + 1)
        Weighted mean 0 and standard deviation 1: then every number here is in standard deviations.
    weights : array, shape (rows,)
    rows : int array, shape (rows,)
        Position of each row in the survey.
    design : Design
        Of the whole survey.
    df : float
        Sampling units − strata.
    drivers : tuple of str, length p
    players : tuple of tuples of int
        Columns of each driver.
    always : tuple of int
        Columns that are forced in.
    effect : int array, shape (p,)
        Column whose coefficient is a driver's effect; −1 for a factor.
    importance : callable
        Importances of the p drivers for a batch of covariances of the columns.
    """

    columns: FloatArray
    weights: FloatArray
    rows: np.ndarray
    design: Design
    df: float
    drivers: tuple[str, ...]
    players: tuple[tuple[int, ...], ...]
    always: tuple[int, ...]
    effect: np.ndarray
    importance: Importance

    @cached_property
    def total(self) -> float:
        """Sum of the weights."""
        return float(self.weights.sum())

    @cached_property
    def correlation(self) -> FloatArray:
        """Weighted correlations of the columns, shape (k + 1, k + 1)."""
        return to_correlation(self.columns.T @ (self.columns * self.weights[:, None]) / self.total)

    @cached_property
    def x(self) -> FloatArray:
        """Columns but the outcome, shape (rows, k)."""
        return self.columns[:, :-1]

    @cached_property
    def inverse(self) -> FloatArray:
        """(X'WX)⁻¹, shape (k, k)."""
        return np.linalg.inv(self.correlation[:-1, :-1]) / self.total

    @cached_property
    def slopes(self) -> FloatArray:
        """Standardised coefficients of the full model, shape (k,)."""
        return coefficients(self.correlation)

    @cached_property
    def residual(self) -> FloatArray:
        """Outcome − fitted value, shape (rows,)."""
        return self.columns[:, -1] - self.x @ self.slopes

    @cached_property
    def leverage(self) -> FloatArray:
        """Weight of a row's own outcome in its fitted value, shape (rows,); they sum to k + 1."""
        inner = np.einsum("ij,jk,ik->i", self.x, self.inverse, self.x)
        return np.minimum(self.weights * (1 / self.total + inner), 1 - 1e-12)

    @cached_property
    def influence(self) -> FloatArray:
        """e (X'WX)⁻¹ x: influence of a row on the coefficients per unit of weight, shape (rows, k)."""
        return self.residual[:, None] * (self.x @ self.inverse)

    @cached_property
    def slope_errors(self) -> FloatArray:
        """Design-based standard errors of the coefficients, shape (k,)."""
        return self.errors(self.influence)

    @property
    def slope_df(self) -> float:
        """Degrees of freedom of a coefficient: units − strata − k."""
        return max(self.df - len(self.slopes), 1.0)

    @cached_property
    def slope_p(self) -> FloatArray:
        """Design-based p-values of the coefficients, shape (k,)."""
        return p_values(self.slopes, self.slope_errors, self.slope_df)

    @cached_property
    def shift(self) -> FloatArray:
        """Change of each coefficient when a row leaves, in standard errors, shape (rows, k).

        Notes
        -----
        b₍ᵢ₎ − b = −w e (X'WX)⁻¹ x / (1 − h), exact, over the design-based standard error less the row's own part of
        it: a row so large that it makes the standard error would otherwise hide behind it.
        """
        own = self.influence * self.weights[:, None]
        rest = np.maximum(self.slope_errors**2 - own**2, 0.01 * self.slope_errors**2)
        return -own / (1 - self.leverage)[:, None] / np.sqrt(np.where(rest > 0, rest, np.inf))

    def errors(self, influence: FloatArray) -> FloatArray:
        """Design-based standard errors from influence values per unit of weight, (rows, q) to (q,)."""
        return np.sqrt(np.maximum(np.diagonal(self.covariance(influence)), 0.0))

    def covariance(self, influence: FloatArray) -> FloatArray:
        """Design-based covariance from influence values per unit of weight, (rows, q) to (q, q)."""
        spread = np.zeros((len(self.design.psu), influence.shape[1]))
        spread[self.rows] = influence
        return self.design.covariance(spread)

    def kept(self, inside: np.ndarray) -> Frame:
        """The same with some of the rows only; columns are standardised anew."""
        return replace(self, columns=standardised(self.columns[inside], self.weights[inside]),
                       weights=self.weights[inside], rows=self.rows[inside])  # fmt: skip

    @cached_property
    def marginal(self) -> tuple[FloatArray, FloatArray]:
        """Correlations of the columns with the outcome and their design-based p-values, shape (k,) each."""
        y, r = self.columns[:, -1:], self.correlation[:-1, -1]
        influence = (self.x * y - r / 2 * (self.x**2 + y**2)) / self.total
        return r, p_values(r, self.errors(influence), max(self.df, 1.0))


def standardised(columns: FloatArray, weights: FloatArray) -> FloatArray:
    """Columns with weighted mean 0 and standard deviation 1."""
    centred = columns - np.average(columns, axis=0, weights=weights)
    spread = np.sqrt(np.average(centred**2, axis=0, weights=weights))
    return centred / np.where(spread > 0, spread, 1.0)
