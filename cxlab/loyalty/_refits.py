"""Logistic regressions under many sets of weights at once; on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from cxlab.loyalty._survival_sums import solve

FloatArray = np.ndarray[Any, np.dtype[Any]]
_FAR, _SETTLED = 30.0, 1e-4


def refits(
    x: FloatArray, y: FloatArray, weights: FloatArray, start: FloatArray | None = None, steps: int = 8
) -> FloatArray:
    """Coefficients of b weighted logits by Newton steps from a common start.

    Parameters
    ----------
    x : array, shape (n, p)
        Columns, the ones included.
    y : array, shape (n,)
        0 or 1.
    weights : array, shape (b, n)
    start : array, shape (p,), optional
        Coefficients of the full sample; without them up to 30 steps from 0 are taken.
    steps : int
        At most.

    Returns
    -------
    array, shape (b, p)
        NaN where columns repeat one another or the outcome is separated.
    """
    p = x.shape[1]
    crossed = (x[:, :, None] * x[:, None, :]).reshape(len(x), p * p)
    beta = np.tile(np.zeros(p) if start is None else start, (len(weights), 1))
    move = np.zeros_like(beta)
    for _ in range(30 if start is None else steps):
        score = np.clip(np.nan_to_num(beta) @ x.T, -_FAR, _FAR)
        share = 1 / (1 + np.exp(-score))
        gradient = (weights * (y - share)) @ x
        curvature = ((weights * share * (1 - share)) @ crossed).reshape(len(weights), p, p)
        move = solve(curvature, gradient)
        beta = beta + move
        if np.nanmax(np.abs(move), initial=0.0) < 1e-10:
            break
    far = (np.abs(np.nan_to_num(beta) @ x.T) > _FAR).any(axis=1)
    unsettled = np.abs(move).max(axis=1) > _SETTLED * (1 + np.abs(beta).max(axis=1))
    return np.where((far | unsettled)[:, None], np.nan, beta)


def shares(x: FloatArray, beta: FloatArray) -> FloatArray:
    """Fitted shares of b logits at m points, shape (b, m)."""
    return np.asarray(1 / (1 + np.exp(-np.clip(beta @ x.T, -500, 500))))
