"""Weighted moments, and the measures of importance that need nothing else.

Everything here sees arrays only. A column's moments are taken about a stored constant, so that
columns of size 1e8 stay exact and moments of groups, replicates and machines can be added.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import comb
from typing import Any

import numpy as np

from cxlab.errors import SurveyError

FloatArray = np.ndarray[Any, np.dtype[Any]]
EXACT_LIMIT = 22  # drivers; the work doubles with each
_SINGULAR = 1e-10  # share of a driver's variance left unexplained under which it adds nothing
_CELLS = 1 << 18  # subsets × matrices worked on at once: keeps the state in the processor's cache
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
        return self.products / self.weight[..., None, None] - shift[..., :, None] * shift[..., None, :]

    def correlation(self) -> FloatArray:
        """Weighted correlations, shape (..., k, k); NaN for a constant column."""
        return to_correlation(self.covariance())


def to_correlation(covariance: FloatArray) -> FloatArray:
    """Scale covariances (..., k, k) to correlations; the diagonal is exactly 1, NaN for a zero variance."""
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(variance > 0, 1 / np.sqrt(variance), np.nan)
    out = covariance * scale[..., :, None] * scale[..., None, :]
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
    shifted = columns - center
    weighted = shifted * weights[:, None]
    return Moments(np.asarray(weights.sum()), weighted.sum(axis=0), weighted.T @ shifted, center)


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
            total += multipliers[:, unit[part]].astype(float, copy=False) @ laid_out
    if few:
        total = multipliers.astype(float, copy=False) @ sums.T
    products = np.empty((len(multipliers), k, k))
    products[:, upper[0], upper[1]] = total[:, 1 + k :]
    products[:, upper[1], upper[0]] = total[:, 1 + k :]
    return Moments(total[:, 0], total[:, 1 : 1 + k], products, center)


# ---------------------------------------------------------------------- importance
def shapley(correlations: FloatArray) -> FloatArray:
    """Shapley values of R² (LMG) for a batch of correlation matrices.

    Each driver's importance is its increase of R², averaged over all orders in which the
    drivers can enter the regression. Importances sum to R².

    Parameters
    ----------
    correlations : array, shape (..., p + 1, p + 1)
        Correlations (or covariances) of p drivers and, last, the outcome.

    Returns
    -------
    array, shape (..., p)

    Raises
    ------
    SurveyError
        For more than 22 drivers, matrices that are not finite, or an outcome without variance.

    Notes
    -----
    Exact, by doubling: drivers are taken one at a time, and every conditional covariance matrix splits
    into the one that leaves the driver out (its row is dropped) and the one that takes it in
    (Schur complement). After p steps 2^p conditional variances of the outcome are left, at total work
    O(2^p). A driver with less than 1e-10 of its variance left, given others, adds nothing to them: a
    duplicate shares its importance with its twin. The batch is cut so that memory stays near
    the larger of 2^p and 2^18 times 4 doubles: 134 MB at p = 22.

    References
    ----------
    Lindeman, Merenda & Gold (1980), *Introduction to Bivariate and Multivariate Analysis*.
    Grömping (2006), Journal of Statistical Software 17(1); R: ``relaimpo::calc.relimp(type = "lmg")``.

    Examples
    --------
    >>> import numpy as np
    >>> shapley(np.array([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]])).round(3).tolist()
    [0.36, 0.09]
    """
    matrices, shape, p = _batch(correlations)
    out = np.empty((len(matrices), p))
    step = max(1, _CELLS >> p)
    for start in range(0, len(matrices), step):
        out[start : start + step] = _average_gains(_conditional_variances(matrices[start : start + step]), p)
    return (out / matrices[:, -1, -1, None]).reshape(*shape, p)


def _batch(correlations: FloatArray) -> tuple[FloatArray, tuple[int, ...], int]:
    """Flatten the batch, after checking that the measures are defined on it."""
    matrices = np.asarray(correlations, dtype=float)
    p = matrices.shape[-1] - 1
    if matrices.ndim < 2 or matrices.shape[-2] != p + 1 or p < 1:
        raise SurveyError(f"correlations has shape {matrices.shape}; it needs (..., p + 1, p + 1) with p ≥ 1.")
    if p > EXACT_LIMIT:
        raise SurveyError(
            f"correlations holds {p} drivers; exact Shapley values are limited to {EXACT_LIMIT}: "
            "name fewer drivers, or use method='johnson'."
        )
    bad = int(np.sum(~np.isfinite(matrices).all(axis=(-2, -1))))
    if bad:
        raise SurveyError(f"correlations holds {bad} matrices with missing values (a constant column?); leave it out.")
    flat = int(np.sum(matrices[..., -1, -1] <= 0))
    if flat:
        raise SurveyError(f"correlations holds {flat} matrices whose outcome does not vary; R² is undefined there.")
    return matrices.reshape(-1, p + 1, p + 1), matrices.shape[:-2], p


def _conditional_variances(matrices: FloatArray) -> FloatArray:
    """Variance of the outcome given every subset of drivers.

    Parameters
    ----------
    matrices : array, shape (batch, p + 1, p + 1)

    Returns
    -------
    array, shape (2^p, batch)
        Bit j of the first index says whether driver j is in the subset.
    """
    batch, size, _ = matrices.shape
    limits = _SINGULAR * np.diagonal(matrices, axis1=1, axis2=2).T
    # Row a of the covariances is needed until driver a is taken, so it only ever grows to 2^a subsets.
    rows = [np.empty((size - a, 1 << a, batch)) for a in range(size)]
    for a, row in enumerate(rows):
        row[:, 0] = matrices[:, a, a:].T
    for driver in range(size - 1):
        known = 1 << driver
        pivots = rows[driver]
        inverse = _inverse(pivots[0], limits[driver])
        for a in range(driver + 1, size):
            left, taken = rows[a][:, :known], rows[a][:, known : 2 * known]
            np.multiply(pivots[a - driver :], pivots[a - driver] * inverse, out=taken)
            np.subtract(left, taken, out=taken)
    return rows[-1][0]


def _inverse(pivot: FloatArray, limit: FloatArray) -> FloatArray:
    """1 / pivot, and 0 where nothing of the driver is left: a generalised inverse."""
    usable = pivot > limit
    return np.divide(1.0, pivot, out=np.zeros_like(pivot), where=usable)


def _order_weights(p: int) -> FloatArray:
    """Share of the orders of p drivers in which a given driver enters right after a given set of size s."""
    return np.array([1 / (p * comb(p - 1, s)) for s in range(p)])


def _subset_sizes(p: int) -> np.ndarray:
    sizes = np.zeros(1, dtype=np.int8)
    for _ in range(p):
        sizes = np.concatenate([sizes, sizes + 1])
    return sizes


def _average_gains(variances: FloatArray, p: int) -> FloatArray:
    """Average over orders of the fall in variance when a driver enters, shape (batch, p).

    The sum over subsets without j is the sum over all minus that over subsets with j, so one
    weighted sum and p folds of the array suffice.
    """
    sizes = _subset_sizes(p)
    entering = np.append(_order_weights(p), 0.0)  # by size of the set that is entered
    left = np.insert(_order_weights(p), 0, 0.0)  # by size of the set that results
    everything = entering[sizes] @ variances
    folded = (entering + left)[sizes][:, None] * variances
    gains = np.empty((variances.shape[1], p))
    for driver in reversed(range(p)):
        half = len(folded) // 2
        gains[:, driver] = everything - folded[half:].sum(axis=0)
        folded = folded[:half] + folded[half:]
    return gains


def johnson(correlations: FloatArray) -> FloatArray:
    """Johnson's relative weights (equal to Genizi's decomposition) for a batch of correlation matrices.

    Parameters
    ----------
    correlations : array, shape (..., p + 1, p + 1)
        Drivers and, last, the outcome.

    Returns
    -------
    array, shape (..., p)
        They sum to R².

    Raises
    ------
    SurveyError
        If drivers are exactly collinear: the symmetric square root has no inverse.

    Notes
    -----
    With R = VDVᵀ and Λ = VD^½Vᵀ the weights are Λ²(Λ⁻¹r)², elementwise squares.

    References
    ----------
    Johnson (2000), Multivariate Behavioral Research 35(1), 1–19; Genizi (1993), Statistica Sinica 3,
    407–420. R: ``relaimpo::calc.relimp(type = "genizi")``.

    Examples
    --------
    >>> import numpy as np
    >>> johnson(np.array([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]])).round(3).tolist()
    [0.36, 0.09]
    """
    matrices = np.asarray(correlations, dtype=float)
    matrices = to_correlation(matrices)
    roots, vectors = np.linalg.eigh(matrices[..., :-1, :-1])
    if np.any(roots[..., 0] < _SINGULAR):
        raise SurveyError("drivers are exactly collinear: relative weights are undefined; leave one of them out.")
    half = np.sqrt(roots)
    along = np.einsum("...ji,...j->...i", vectors, matrices[..., :-1, -1])
    beta = np.einsum("...ij,...j->...i", vectors, along / half)
    root = np.einsum("...ij,...j,...kj->...ik", vectors, half, vectors)
    return np.einsum("...ij,...j->...i", root**2, beta**2)


def coefficients(covariance: FloatArray) -> FloatArray:
    """Least-squares coefficients of the last column on the others, shape (..., p)."""
    return np.linalg.solve(covariance[..., :-1, :-1], covariance[..., :-1, -1:])[..., 0]


def null_importance(correlation: FloatArray, driver: int, shuffled: FloatArray) -> FloatArray:
    """Shapley value that one driver would get after each of several permutations of it.

    Parameters
    ----------
    correlation : array, shape (p + 1, p + 1)
        Drivers and, last, the outcome.
    driver : int
        Index of the permuted driver.
    shuffled : array, shape (permutations, p + 1)
        Correlations of the permuted driver with every column; its own entry is ignored.

    Returns
    -------
    array, shape (permutations,)

    Notes
    -----
    The other drivers and the outcome are the same in every permutation, so their conditional
    covariances are doubled once, and each permuted driver only carries its own row along.
    """
    p = correlation.shape[0] - 1
    keep = [k for k in range(p + 1) if k != driver]
    steps = _elimination(correlation[np.ix_(keep, keep)])
    order = _order_weights(p)[_subset_sizes(p - 1)]
    out = np.empty(len(shuffled))
    size = max(1, _CELLS >> p)
    for start in range(0, len(shuffled), size):
        out[start : start + size] = _null_gains(steps, shuffled[start : start + size][:, keep]) @ order
    return out / correlation[-1, -1]


def _elimination(others: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    """Per doubling step the inverse pivots (subsets,) and the slopes of the columns left (columns, subsets)."""
    state, steps = others[:, :, None], []
    limits = _SINGULAR * np.diagonal(others)
    for driver in range(len(others) - 1):
        inverse = _inverse(state[0, 0], np.asarray(limits[driver]))
        slopes = state[0, 1:] * inverse
        steps.append((inverse, slopes))
        state = np.concatenate([state[1:, 1:], state[1:, 1:] - slopes[:, None] * state[0, 1:]], axis=2)
    return steps


def _null_gains(steps: list[tuple[FloatArray, FloatArray]], shuffled: FloatArray) -> FloatArray:
    """Gain of each permuted column given every subset of the others, shape (permutations, 2^(p−1))."""
    count, size = shuffled.shape
    left_over = np.empty((count, 1 << (size - 1)))
    left_over[:, 0] = 1.0
    rows = [np.empty((count, 1 << a)) for a in range(size)]
    for a, row in enumerate(rows):
        row[:, 0] = shuffled[:, a]
    for driver, (inverse, slopes) in enumerate(steps):
        known = 1 << driver
        pivot = rows[driver]
        taken = left_over[:, known : 2 * known]
        np.multiply(pivot, pivot * inverse, out=taken)
        np.subtract(left_over[:, :known], taken, out=taken)
        for a in range(driver + 1, size):
            taken = rows[a][:, known : 2 * known]
            np.multiply(slopes[a - driver - 1], pivot, out=taken)
            np.subtract(rows[a][:, :known], taken, out=taken)
    gain = rows[-1]
    np.multiply(gain, gain, out=gain)
    np.divide(gain, left_over, out=gain, where=left_over > _SINGULAR)
    gain[left_over <= _SINGULAR] = 0.0
    return gain
