"""How Shapley values move with the covariances they come from: one pass over the subsets serves any number of replicates."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from cxlab.errors import SurveyError
from cxlab.subsets._doubling import (
    Players,
    _arranged,
    as_players,
    checked,
    double,
    empty_rows,
    membership,
    order_weights,
    subset_sizes,
)

FloatArray = np.ndarray[Any, np.dtype[Any]]
GRADIENT_LIMIT = 18  # players; the work doubles with each
_PIECE = 1 << 11  # subsets whose products are laid out at once: they stay in the processor's cache


def shapley_gradient(covariance: FloatArray, players: Players | None = None) -> tuple[FloatArray, FloatArray]:
    """Shapley values of R² of one matrix, and what a small change of it moves them by.

    Parameters
    ----------
    covariance : array, shape (k + 1, k + 1)
        Of k columns and, last, the outcome.
    players : tuple of tuples of int, optional
        Columns of each of the p players; by default each column is one.

    Returns
    -------
    array, shape (p,)
        As :func:`shapley`.
    array, shape (p, k + 1, k + 1)
        Symmetric G: covariances that differ by a small symmetric D move player j's value by Σ G[j] * D.

    Raises
    ------
    SurveyError
        As :func:`shapley`, or for more than 18 players.

    Notes
    -----
    The variance of the outcome that a subset S leaves, v(S) = u'Σu with u = (−β_S, 1), has the gradient uu': coefficients
    do not matter to first order, as they minimise it. A Shapley value is Σ ω_S v(S), so its gradient is Σ ω_S u_S u_S', a
    weighted cross-product of the coefficients of all subsets, divided by the outcome's variance. Replicates then cost a small
    product each, where refitting costs another 2^p.

    Examples
    --------
    >>> import numpy as np
    >>> matrix = np.array([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]])
    >>> values, gradient = shapley_gradient(matrix)
    >>> change = np.array([[0, 0, 0.01], [0, 0, 0], [0.01, 0, 0]])
    >>> values.round(3).tolist(), (gradient * change).sum(axis=(1, 2)).round(4).tolist()
    ([0.36, 0.09], [0.012, 0.0])
    """
    matrices, shape = checked(covariance)
    if shape:
        raise SurveyError(f"covariance has shape {np.shape(covariance)}; the gradient is that of one matrix.")
    groups = as_players(players, matrices.shape[-1] - 1)
    p = len(groups)
    if p > GRADIENT_LIMIT:
        raise SurveyError(
            f"players holds {p}; the gradient goes through all subsets of at most {GRADIENT_LIMIT}: name fewer drivers."
        )
    variances, coefficients = _residuals(matrices, groups)
    weights = _weights(p)
    total = float(matrices[0, -1, -1])
    values = variances @ weights / total
    size = len(coefficients)
    left, right = np.triu_indices(size)
    ordered = np.empty((p, size, size))
    ordered[:, left, right] = ordered[:, right, left] = _products(coefficients, weights).T / total
    place = np.array([c for g in groups for c in g] + [size - 1])
    gradient = np.empty_like(ordered)
    gradient[:, place[:, None], place] = ordered
    gradient[:, -1, -1] -= values / total  # values are parts of the outcome's own variance
    return values, gradient


def _residuals(matrices: FloatArray, groups: Players) -> tuple[FloatArray, FloatArray]:
    """Variance that every subset leaves, shape (2^p,), and the residual's coefficients, shape (k + 1, 2^p).

    Columns are in the order of the players; the outcome's coefficient is 1.
    """
    ordered, sizes, limits = _arranged(matrices, groups)
    size = ordered.shape[-1]
    rows = empty_rows(sizes, len(sizes), 1, size)
    for a, row in enumerate(rows):
        row[: size - a, 0, 0], row[size - a :, 0, 0] = ordered[0, a, a:], np.eye(size)[a]
    double(rows, limits, sizes, len(sizes))
    return rows[-1][0, :, 0], np.ascontiguousarray(rows[-1][1:, :, 0])


def _products(coefficients: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted sums over subsets of the upper triangle of their cross-products, shape (triangle, p)."""
    size, subsets = coefficients.shape
    laid = np.empty((size * (size + 1) // 2, min(subsets, _PIECE)))
    summed = np.zeros((len(laid), weights.shape[1]))
    for start in range(0, subsets, _PIECE):
        own, at = coefficients[:, start : start + _PIECE], 0
        for i in range(size):
            np.multiply(own[i:], own[i], out=laid[at : at + size - i, : own.shape[1]])
            at += size - i
        summed += laid[:, : own.shape[1]] @ weights[start : start + _PIECE]
    return summed


@lru_cache(maxsize=16)
def _weights(p: int) -> FloatArray:
    """Weight of each subset's variance in each player's value, shape (2^p, p)."""
    entered = np.append(order_weights(p), 0.0)
    sizes = subset_sizes(p)
    inside = membership(p).T
    return np.where(inside, -entered[sizes - 1][:, None], entered[sizes][:, None])
