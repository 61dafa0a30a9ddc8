"""How well indicators measure constructs: reliability, distinctness, inflation of variances. Arrays only, batches of matrices.

Everything is a function of the correlations of indicators, so it holds under weights and for replicates as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[Any]]
_SINGULAR = 1e-12  # eigenvalue of a correlation matrix under which a column is determined by the others


def alpha(matrices: FloatArray) -> FloatArray:
    """Cronbach's alpha of blocks of items, shape (batch,); 1 for a single item.

    Parameters
    ----------
    matrices : array, shape (batch, k, k)
        Covariances give raw alpha, correlations the standardised one.

    Returns
    -------
    array, shape (batch,)
        k / (k − 1) · (1 − trace / sum).

    References
    ----------
    Cronbach (1951), Psychometrika 16, 297–334.

    Examples
    --------
    >>> alpha(np.array([[[1, 0.5], [0.5, 1]]])).round(3).tolist()
    [0.667]
    """
    k = matrices.shape[-1]
    if k == 1:
        return np.ones(len(matrices))
    return np.asarray(k / (k - 1) * (1 - np.trace(matrices, axis1=1, axis2=2) / matrices.sum(axis=(1, 2))))


def composite_reliability(loadings: FloatArray) -> FloatArray:
    """Composite reliability rho_C of loadings (..., k): (Σλ)² / ((Σλ)² + Σ(1 − λ²)).

    References
    ----------
    Jöreskog (1971), Psychometrika 36, 109–133.

    Examples
    --------
    >>> float(composite_reliability(np.array([0.8, 0.6])).round(3))
    0.662
    """
    square = loadings.sum(axis=-1) ** 2
    return np.asarray(square / (square + np.sum(1 - loadings**2, axis=-1)))


def average_variance(loadings: FloatArray) -> FloatArray:
    """Average variance extracted (AVE) of loadings (..., k): the mean of λ²."""
    return np.asarray(np.mean(loadings**2, axis=-1))


def htmt(correlations: FloatArray, blocks: Sequence[np.ndarray], *, geometric: bool = False) -> FloatArray:
    """Heterotrait–monotrait ratios of all pairs of constructs, shape (batch, m, m); the diagonal is 1.

    Parameters
    ----------
    correlations : array, shape (batch, k, k)
    blocks : sequence of int arrays, length m
        Indicators of each construct. Of a single indicator the monotrait correlation is taken to be 1.
    geometric : bool
        HTMT2: geometric in place of arithmetic means, for constructs whose loadings differ.

    Returns
    -------
    array, shape (batch, m, m)
        Mean size of the correlations between the indicators of two constructs, over the geometric mean of the mean sizes within
        each.

    Notes
    -----
    Sizes, not signed correlations, as in ``seminr`` and ``cSEM``: indicators of opposite direction must not cancel out.

    References
    ----------
    Henseler, Ringle & Sarstedt (2015), Journal of the Academy of Marketing Science 43, 115–135. Roemer, Schuberth &
    Henseler (2021), Industrial Management & Data Systems 121(12), 2637–2650 (HTMT2).

    Examples
    --------
    >>> r = np.array([[[1, 0.6, 0.3], [0.6, 1, 0.3], [0.3, 0.3, 1]]])
    >>> float(htmt(r, [np.array([0, 1]), np.array([2])])[0, 0, 1].round(3))
    0.387
    """
    size = np.abs(correlations)
    if geometric:
        with np.errstate(divide="ignore"):
            size = np.log(size)
    m = len(blocks)
    mean = np.zeros((len(correlations), m, m))
    for i, first in enumerate(blocks):
        if len(first) > 1:
            pairs = np.triu_indices(len(first), 1)
            mean[:, i, i] = size[:, first[pairs[0]], first[pairs[1]]].mean(axis=1)
        elif not geometric:
            mean[:, i, i] = 1.0
        for j in range(i):
            mean[:, i, j] = mean[:, j, i] = size[:, first[:, None], blocks[j]].mean(axis=(1, 2))
    within = np.diagonal(mean, axis1=1, axis2=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        if geometric:
            return np.asarray(np.exp(mean - (within[:, :, None] + within[:, None, :]) / 2))
        out = mean / np.sqrt(within[:, :, None] * within[:, None, :])
    out[:, range(m), range(m)] = 1.0
    return np.asarray(out)


def inflation(correlations: FloatArray) -> FloatArray:
    """Variance inflation factor of each column given the others, shape (batch, k); infinite where they determine it.

    Parameters
    ----------
    correlations : array, shape (batch, k, k)

    Returns
    -------
    array, shape (batch, k)
        The diagonal of the inverse, 1 / (1 − R²).

    Examples
    --------
    >>> inflation(np.array([[[1, 0.6], [0.6, 1]]])).round(4).tolist()
    [[1.5625, 1.5625]]
    """
    values, vectors = np.linalg.eigh(correlations)
    singular = values[:, 0] < _SINGULAR * values[:, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.einsum("bjk,bk->bj", vectors**2, 1 / np.maximum(values, _SINGULAR * values[:, -1:]))
    tied = singular[:, None] & (out > 1e-3 / _SINGULAR)
    return np.asarray(np.where(tied, np.inf, out))
