"""Pairs: correlations of all rows that answered both, made positive definite."""

from __future__ import annotations

from typing import Any

import numpy as np

from cxlab.incomplete._patterns import PatternMoments

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]
FLOOR = 1e-4  # least eigenvalue of a correlation matrix that is put together from pairs
_POSITIVE = 1e-8  # least eigenvalue of correlations that some data can have


def pairwise(moments: PatternMoments, least: float = FLOOR) -> tuple[FloatArray, FloatArray, IntArray]:
    """Means and variances of the answers to each column, correlations of the rows that answered both.

    Parameters
    ----------
    moments : PatternMoments
    least : float
        What eigenvalues of the correlations are raised to; −∞ leaves them.

    Returns
    -------
    mean : array, shape (b, k)
    covariance : array, shape (b, k, k)
        Of the columns as given, divisor Σw.
    floored : int array, shape (b,)
        Eigenvalues that were raised, in matrices where one is not positive: such correlations fit no data.

    Notes
    -----
    Means and variances within a correlation are those of its own pairs, so that no correlation leaves −1 … 1.
    A correlation matrix whose eigenvalues were raised is scaled back to a diagonal of 1.
    """
    weight, sums, products = moments.pairs
    k = range(weight.shape[-1])
    squares = np.einsum("bgii,gj->bij", moments.products, moments.observed.astype(float))
    with np.errstate(divide="ignore", invalid="ignore"):
        own = sums / weight
        spread = np.maximum(squares / weight - own**2, 0.0)
        covariance = products / weight - own * own.swapaxes(1, 2)
        correlation = covariance / np.sqrt(spread * spread.swapaxes(1, 2))
    correlation[:, k, k] = np.where(spread[:, k, k] > 0, 1.0, np.nan)
    correlation, floored = floor_eigenvalues(correlation, least)
    deviation = np.sqrt(spread[:, k, k])
    with np.errstate(invalid="ignore"):
        scaled = correlation * deviation[:, None, :] * deviation[:, :, None]
    return *moments.unscaled(own[:, k, k], scaled), floored


def floor_eigenvalues(correlation: FloatArray, least: float = FLOOR) -> tuple[FloatArray, IntArray]:
    """Mend correlation matrices that no data have: raise their small eigenvalues, scale the diagonals back to 1.

    Parameters
    ----------
    correlation : array, shape (b, k, k)
        Positive definite ones are left as they are, and those with NaN.
    least : float

    Returns
    -------
    correlation : array, shape (b, k, k)
    floored : int array, shape (b,)

    Examples
    --------
    >>> impossible = np.array([[[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]])
    >>> floor_eigenvalues(impossible)[1].tolist()
    [1]
    """
    out, floored = correlation.copy(), np.zeros(len(correlation), dtype=np.intp)
    whole = np.isfinite(correlation).all(axis=(1, 2))
    roots, vectors = np.linalg.eigh(correlation[whole])
    low = roots[:, 0] < min(least, _POSITIVE)
    floored[whole] = np.where(low, (roots < least).sum(axis=1), 0)
    vectors = vectors[low]
    raised = (vectors * np.maximum(roots[low], least)[:, None, :]) @ vectors.swapaxes(1, 2)
    deviation = np.sqrt(np.diagonal(raised, axis1=1, axis2=2))
    out[np.flatnonzero(whole)[low]] = raised / (deviation[:, :, None] * deviation[:, None, :])
    return out, floored


def pairwise_influence(columns: FloatArray, weights: FloatArray, direction: FloatArray) -> FloatArray:
    """How much one more unit of a row's weight moves the pairwise Σv, before any eigenvalue is raised.

    Parameters
    ----------
    columns : array, shape (rows, k)
    weights : array, shape (rows,)
    direction : array, shape (k,)
        The vector v.

    Returns
    -------
    array, shape (rows, k)

    Notes
    -----
    A correlation r moves by z₁z₂ − r(z₁² + z₂²)/2 of its pairs, a variance by the squared deviation of its answers, each
    over its own Σw.
    """
    known = np.isfinite(columns)
    filled = np.where(known, columns, 0.0)
    size = weights @ known
    mean = weights @ filled / size
    centred = np.where(known, columns - mean, 0.0)
    deviation = np.sqrt(weights @ centred**2 / size)
    z = centred / deviation
    stretched = (z**2 - known) / (2 * size)  # d log s of each column
    out = np.zeros_like(filled)
    for i in range(columns.shape[1]):
        both = known & known[:, [i]]
        r, pair = _pair_correlations(z, both, weights, i)
        r_moved = (pair[0] * pair[1] - r * (pair[0] ** 2 + pair[1] ** 2) / 2) * both / (weights @ both)
        moved = r_moved + r * (stretched + stretched[:, [i]])
        out[:, i] = moved @ (deviation[i] * deviation * direction)
    return out


def _pair_correlations(
    z: FloatArray, both: np.ndarray, weights: FloatArray, i: int
) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
    """Correlations of column i with each, shape (k,), and both columns in standard deviations of their pairs."""
    size = weights @ both
    scores = []
    for x in (np.where(both, z[:, [i]], 0.0), np.where(both, z, 0.0)):
        x = np.where(both, x - weights @ x / size, 0.0)
        scores.append(x / np.sqrt(weights @ x**2 / size))
    return weights @ (scores[0] * scores[1]) / size, (scores[0], scores[1])
