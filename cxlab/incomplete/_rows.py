"""Rows given the fit: what is expected, drawn, and how each row moves the estimates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cxlab.incomplete._em import NormalFit, _size
from cxlab.incomplete._patterns import Patterns

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]


def conditional(
    columns: FloatArray, patterns: Patterns, mean: FloatArray, covariance: FloatArray
) -> Iterator[tuple[IntArray, IntArray, FloatArray, FloatArray]]:
    """What the normal model expects of missing answers, pattern by pattern.

    Parameters
    ----------
    columns : array, shape (rows, k)
    patterns : Patterns
    mean : array, shape (k,)
    covariance : array, shape (k, k)

    Yields
    ------
    rows : int array
    missing : int array, the columns lacking
    expected : array, shape (rows of the pattern, columns lacking)
    spread : array, shape (columns lacking, columns lacking)
        Covariance given the answers.
    """
    for observed, rows in zip(patterns.observed, patterns.members, strict=True):
        seen, missing = np.flatnonzero(observed), np.flatnonzero(~observed)
        if not len(missing):
            continue
        slopes = np.linalg.solve(covariance[np.ix_(seen, seen)], covariance[np.ix_(seen, missing)])
        expected = mean[missing] + (columns[np.ix_(rows, seen)] - mean[seen]) @ slopes
        spread = covariance[np.ix_(missing, missing)] - covariance[np.ix_(missing, seen)] @ slopes
        yield rows, missing, expected, (spread + spread.T) / 2


def impute(
    columns: FloatArray, patterns: Patterns, mean: FloatArray, covariance: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Draw the missing answers from the normal model, given those there are.

    Parameters
    ----------
    columns : array, shape (rows, k)
    patterns : Patterns
        Of ``columns``.
    mean : array, shape (k,)
    covariance : array, shape (k, k)
        A draw of the parameters, for imputations that are proper.
    rng : Generator

    Returns
    -------
    array, shape (rows, k)
        Without missing values; answers are as they were.

    References
    ----------
    Little & Rubin (2019), *Statistical Analysis with Missing Data*, 3rd ed., §10.2.
    """
    out = columns.copy()
    for rows, missing, expected, spread in conditional(columns, patterns, mean, covariance):
        roots, vectors = np.linalg.eigh(spread)
        noise = rng.standard_normal(expected.shape) * np.sqrt(np.maximum(roots, 0.0))
        out[np.ix_(rows, missing)] = expected + noise @ vectors.T
    return out


def em_influence(columns: FloatArray, patterns: Patterns, fit: NormalFit, direction: FloatArray) -> FloatArray:
    """How much one more unit of a row's weight moves the fitted Σv.

    Parameters
    ----------
    columns : array, shape (rows, k)
    patterns : Patterns
    fit : NormalFit
    direction : array, shape (k,)
        The vector v; with v = (−β, 1) this is what the slopes β depend on.

    Returns
    -------
    array, shape (rows, k)

    Notes
    -----
    A row moves an EM step by its expected moments minus the fitted ones, over Σw; (I − J)⁻¹ turns that
    into what it moves the maximum. Without missing answers: (x − μ)(x − μ)ᵀv − Σv, over Σw.
    """
    center, scale, k = fit.moments.center, fit.moments.scale, len(fit.mean)
    i, j = np.triu_indices(k)
    effect = np.zeros((k, _size(k)))  # of the packed parameters on Σv, in scaled columns
    inner, packed = direction * scale, k + np.arange(len(i))
    effect[i, packed] += inner[j]
    off = i != j
    effect[j[off], packed[off]] += inner[i[off]]
    effect = scale[:, None] * (effect @ fit.gain) / float(fit.moments.total[0])
    scaled = (columns - center) / scale
    out = np.empty((len(columns), k))
    full = ((r, np.flatnonzero(~o)) for o, r in zip(patterns.observed, patterns.members, strict=True) if o.all())
    complete = [(rows, none, np.empty((len(rows), 0)), np.empty((0, 0))) for rows, none in full]
    parts = conditional(scaled, patterns, fit.inner_mean, fit.inner_covariance)
    for rows, missing, expected, spread in (*complete, *parts):
        x = scaled[rows]
        x[:, missing] = expected
        x -= fit.inner_mean
        fixed = -fit.inner_covariance
        fixed[np.ix_(missing, missing)] += spread
        out[rows] = x @ effect[:, :k].T + (x[:, i] * x[:, j] + fixed[i, j]) @ effect[:, k:].T
    return out
