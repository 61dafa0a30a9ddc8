"""Weighted moments of columns: of rows, of groups, under replicate weights; forced-in columns partialled out.

Everything here sees arrays only. A column's moments are taken about a stored constant, so that
columns of size 1e8 stay exact and moments of groups, replicates and machines can be added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cxlab.errors import SurveyError

FloatArray = np.ndarray[Any, np.dtype[Any]]
_SINGULAR = 1e-10  # share of a driver's variance left unexplained under which it adds nothing
_ROWS = 1 << 13  # rows whose cross-products are laid out at once


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted moments of k columns, for one group or a batch of groups.

    Attributes
    ----------
    weight : array, shape (...)
        Σw.
    sums : array, shape (..., k)
        Σw(x − c).
    products : array, shape (..., k, k)
        Σw(x − c)(x − c)ᵀ.
    center : array, shape (k,)
        The constant c; the same for everything that is added.
    """

    weight: FloatArray
    sums: FloatArray
    products: FloatArray
    center: FloatArray

    def __add__(self, other: Moments) -> Moments:
        if not np.array_equal(self.center, other.center):
            raise SurveyError("moments about different constants cannot be added; use the same center for both.")
        return replace(
            self,
            weight=self.weight + other.weight,
            sums=self.sums + other.sums,
            products=self.products + other.products,
        )

    def mean(self) -> FloatArray:
        """Weighted means, shape (..., k)."""
        return self.center + self.sums / self.weight[..., None]

    def covariance(self) -> FloatArray:
        """Weighted covariances with divisor Σw, shape (..., k, k)."""
        shift = self.sums / self.weight[..., None]
        out = self.products / self.weight[..., None, None]
        out -= shift[..., :, None] * shift[..., None, :]
        return out

    def correlation(self) -> FloatArray:
        """Weighted correlations, shape (..., k, k); NaN for a constant column."""
        return to_correlation(self.covariance())


def to_correlation(covariance: FloatArray) -> FloatArray:
    """Scale covariances (..., k, k) to correlations; the diagonal is exactly 1, NaN for a zero variance."""
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(variance > 0, 1 / np.sqrt(variance), np.nan)
    out = covariance * scale[..., :, None]
    out *= scale[..., None, :]
    k = range(covariance.shape[-1])
    out[..., k, k] = np.where(np.isnan(scale), np.nan, 1.0)
    return out


def weighted_moments(columns: FloatArray, weights: FloatArray, center: FloatArray | None = None) -> Moments:
    """Take the weighted moments of complete rows.

    Parameters
    ----------
    columns : array, shape (rows, k)
        No missing values.
    weights : array, shape (rows,)
    center : array, shape (k,), optional
        Constant to subtract; by default the first row's weighted mean of the columns.

    Returns
    -------
    Moments
        With shapes (), (k,), (k, k).

    Examples
    --------
    >>> import numpy as np
    >>> m = weighted_moments(np.array([[1e8, 1.0], [1e8 + 2, 2.0]]), np.array([1.0, 3.0]))
    >>> m.covariance().tolist()
    [[0.75, 0.375], [0.375, 0.1875]]
    """
    center = np.average(columns, axis=0, weights=weights) if center is None else center
    k = columns.shape[1]
    sums, products = np.zeros(k), np.zeros((k, k))
    for start in range(0, len(columns), _ROWS):
        shifted = columns[start : start + _ROWS] - center
        weighted = shifted * weights[start : start + _ROWS, None]
        sums += weighted.sum(axis=0)
        products += weighted.T @ shifted
    return Moments(np.asarray(weights.sum()), sums, products, center)


def replicate_moments(
    columns: FloatArray, weights: FloatArray, multipliers: FloatArray, unit: np.ndarray, center: FloatArray
) -> Moments:
    """Take the moments under every set of replicate weights, as one matrix product.

    Parameters
    ----------
    columns : array, shape (rows, k)
    weights : array, shape (rows,)
    multipliers : array, shape (replicates, units)
        What each replicate multiplies the weights of a sampling unit by.
    unit : int array, shape (rows,)
        Sampling unit of each row.
    center : array, shape (k,)

    Returns
    -------
    Moments
        With shapes (replicates,), (replicates, k), (replicates, k, k).
    """
    rows, k = columns.shape
    upper = np.triu_indices(k)
    units = multipliers.shape[1]
    few = 2 * units <= rows  # add up within units first: the product with the multipliers is then short
    total = np.zeros((len(multipliers), 1 + k + len(upper[0])))
    sums = np.zeros((total.shape[1], units if few else 0))
    for start in range(0, rows, _ROWS):
        part = slice(start, start + _ROWS)
        shifted = columns[part] - center
        laid_out = np.column_stack([np.ones(len(shifted)), shifted, shifted[:, upper[0]] * shifted[:, upper[1]]])
        laid_out *= weights[part, None]
        if few:
            sums += [np.bincount(unit[part], column, units) for column in laid_out.T]
        else:
            total += _columns_of(multipliers, unit[part]) @ laid_out
    if few:
        total = multipliers.astype(float, copy=False) @ sums.T
    products = np.empty((len(multipliers), k, k))
    products[:, upper[0], upper[1]] = total[:, 1 + k :]
    products[:, upper[1], upper[0]] = total[:, 1 + k :]
    return Moments(total[:, 0], total[:, 1 : 1 + k], products, center)


def _columns_of(multipliers: FloatArray, unit: np.ndarray) -> FloatArray:
    """Multipliers of some rows' units as doubles; of consecutive units without a search."""
    first, last = int(unit[0]), int(unit[-1])
    if last - first == len(unit) - 1 and np.array_equal(unit, np.arange(first, last + 1)):
        return multipliers[:, first : last + 1].astype(float, copy=False)
    return multipliers[:, unit].astype(float, copy=False)


# ---------------------------------------------------------------------- forced-in columns, groups
def partial_out(covariances: FloatArray, columns: Sequence[int]) -> FloatArray:
    """Covariances of the other columns given some, which are left out of the result.

    Parameters
    ----------
    covariances : array, shape (..., k + 1, k + 1)
    columns : tuple of int
        Those that are forced into every regression.

    Returns
    -------
    array, shape (..., k + 1 − columns, k + 1 − columns)
        The order of the others stays. A column that others of ``columns`` determine takes nothing more out.

    Raises
    ------
    SurveyError
        If the outcome (the last column) is among them.

    Notes
    -----
    Shapley values of the result, times the outcome's variance left as a part of the whole, are those of R over the orders
    in which ``columns`` enter first: ``relaimpo::calc.relimp(always = ...)``.

    Examples
    --------
    >>> import numpy as np
    >>> partial_out(np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]]), (0,)).round(2).tolist()
    [[0.75, 0.1], [0.1, 0.64]]
    """
    matrices = np.asarray(covariances, dtype=float)
    size = matrices.shape[-1]
    given = [int(c) for c in columns]
    if any(not 0 <= c < size - 1 for c in given) or len(set(given)) < len(given):
        raise SurveyError(
            f"columns is {tuple(given)}; it may name each of the {size - 1} columns before the outcome once."
        )
    limits = _SINGULAR * np.diagonal(matrices, axis1=-2, axis2=-1)
    matrices = matrices.copy()
    for c in given:
        pivot = matrices[..., c, c]
        inverse = np.divide(1.0, pivot, out=np.zeros_like(pivot), where=pivot > limits[..., c])
        matrices -= matrices[..., :, c, None] * (matrices[..., None, c, :] * inverse[..., None, None])
    keep = np.array([c for c in range(size) if c not in given])
    return matrices[..., keep[:, None], keep]


def group_moments(
    columns: FloatArray, weights: FloatArray, group: np.ndarray, groups: int, center: FloatArray | None = None
) -> Moments:
    """Take the moments of many groups in one pass over the rows.

    Parameters
    ----------
    columns : array, shape (rows, k)
        No missing values.
    weights : array, shape (rows,)
    group : int array, shape (rows,)
        Group of each row, 0 to ``groups`` − 1; −1 belongs to none.
    groups : int
    center : array, shape (k,), optional
        By default the weighted mean of the columns.

    Returns
    -------
    Moments
        With shapes (groups,), (groups, k), (groups, k, k); zeros for an empty group.

    Raises
    ------
    SurveyError
        If a group's number does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> m = group_moments(np.array([[1.0], [2.0], [4.0]]), np.ones(3), np.array([0, 1, 1]), 2)
    >>> m.mean()[:, 0].tolist(), m.covariance()[:, 0, 0].tolist()
    ([1.0, 3.0], [0.0, 1.0])
    """
    wrong = int(np.sum((group < -1) | (group >= groups)))
    if wrong:
        raise SurveyError(f"group holds {wrong} numbers outside −1 to {groups - 1}.")
    center = np.average(columns, axis=0, weights=weights) if center is None else center
    order = np.argsort(group.astype(np.int16 if groups < 1 << 15 else np.int64), kind="stable")
    bounds = np.searchsorted(group[order], np.arange(groups + 1))
    k = columns.shape[1]
    found = Moments(np.zeros(groups), np.zeros((groups, k)), np.zeros((groups, k, k)), center)
    for g in range(groups):
        for start in range(bounds[g], bounds[g + 1], _ROWS):
            rows = order[start : min(start + _ROWS, bounds[g + 1])]
            shifted, share = columns[rows] - center, weights[rows]
            weighted = shifted * share[:, None]
            found.weight[g] += share.sum()
            found.sums[g] += weighted.sum(axis=0)
            found.products[g] += weighted.T @ shifted
    return found
