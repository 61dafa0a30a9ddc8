"""Measures of importance in closed form, from covariance matrices alone.

Every measure takes covariances (or correlations) of shape (..., k + 1, k + 1), outcome last, and players – groups of
columns that belong together, such as a factor's dummies – and gives parts of the outcome's variance, (..., p).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cxlab.errors import SurveyError
from cxlab.moments import to_correlation
from cxlab.subsets import SINGULAR, Players, as_players, checked

FloatArray = np.ndarray[Any, np.dtype[Any]]


def coefficients(covariance: FloatArray) -> FloatArray:
    """Least-squares coefficients of the last column on the others, shape (..., p)."""
    return np.linalg.solve(covariance[..., :-1, :-1], covariance[..., :-1, -1:])[..., 0]


def _standard(covariances: FloatArray) -> FloatArray:
    """Correlations, after checks; drivers must not be exactly collinear."""
    matrices, shape = checked(covariances)
    matrices = to_correlation(matrices).reshape(*shape, *matrices.shape[1:])
    constant = int(np.sum(np.isnan(matrices).any(axis=(-2, -1))))
    if constant:
        raise SurveyError(f"correlations holds {constant} matrices with a driver that does not vary; leave it out.")
    if np.any(np.linalg.eigvalsh(matrices[..., :-1, :-1])[..., 0] < SINGULAR):
        raise SurveyError(
            "drivers are exactly collinear: these measures are undefined; leave one of them out, or use method='shapley'."
        )
    return matrices


def _summed(by_column: FloatArray, players: Players | None) -> FloatArray:
    """Sum over each player's columns."""
    if players is None:
        return by_column
    groups = as_players(players, by_column.shape[-1])
    return np.stack([by_column[..., list(g)].sum(axis=-1) for g in groups], axis=-1)


def _each(
    matrices: FloatArray,
    players: Players | None,
    value: Callable[[FloatArray, FloatArray], FloatArray],
    inner: FloatArray,
) -> FloatArray:
    """Apply ``value(inner block of the player, its covariances with the outcome)`` to every player."""
    groups = as_players(players, matrices.shape[-1] - 1)
    blocks = (np.array(g) for g in groups)
    return np.stack([value(inner[..., g[:, None], g], matrices[..., g]) for g in blocks], axis=-1)


def _explained(inner: FloatArray, outer: FloatArray) -> FloatArray:
    """outer' inner⁻¹ outer."""
    return np.einsum("...i,...i->...", outer, np.linalg.solve(inner, outer[..., None])[..., 0])


def _spread(inner: FloatArray, slopes: FloatArray) -> FloatArray:
    """Variance of a weighted sum of columns: slopes' inner slopes."""
    return np.einsum("...i,...ij,...j->...", slopes, inner, slopes)


def johnson(covariances: FloatArray, players: Players | None = None) -> FloatArray:
    """Johnson's relative weights (equal to Genizi's decomposition).

    Parameters
    ----------
    covariances : array, shape (..., k + 1, k + 1)
        Drivers and, last, the outcome.
    players : tuple of tuples of int, optional
        Columns of each player; its weight is the sum of theirs, which depends on how a factor is coded.

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
    roots, vectors, along = _spectrum(_standard(covariances))
    half = np.sqrt(roots)
    beta = np.einsum("...ij,...j->...i", vectors, along / half)
    root = np.einsum("...ij,...j,...kj->...ik", vectors, half, vectors)
    return _summed(np.einsum("...ij,...j->...i", root**2, beta**2), players)


def _spectrum(matrices: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Eigenvalues and vectors of the drivers' correlations, and the outcome's correlations along them."""
    roots, vectors = np.linalg.eigh(matrices[..., :-1, :-1])
    return roots, vectors, np.einsum("...ji,...j->...i", vectors, matrices[..., :-1, -1])


def car(covariances: FloatArray, players: Players | None = None) -> FloatArray:
    """Squared CAR scores: correlations of the outcome with the decorrelated drivers.

    Returns
    -------
    array, shape (..., p)
        They sum to R². A player's is the sum over its columns, which depends on how a factor is coded.

    Notes
    -----
    ω = R^(−½) r; the measure is ω².

    References
    ----------
    Zuber & Strimmer (2011), Statistical Applications in Genetics and Molecular Biology 10(1), 34.
    R: ``relaimpo::calc.relimp(type = "car")``.

    Examples
    --------
    >>> import numpy as np
    >>> car(np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])).round(4).tolist()
    [0.3021, 0.0712]
    """
    roots, vectors, along = _spectrum(_standard(covariances))
    return _summed(np.einsum("...ij,...j->...i", vectors, along / np.sqrt(roots)) ** 2, players)


def pratt(covariances: FloatArray, players: Players | None = None) -> FloatArray:
    """Pratt's measure: standardised coefficient times correlation with the outcome.

    Returns
    -------
    array, shape (..., p)
        They sum to R²; a suppressor's is negative. A player's is the sum over its columns.

    References
    ----------
    Pratt (1987), in *Proceedings of the Second Tampere Conference in Statistics*, 245–260.
    R: ``relaimpo::calc.relimp(type = "pratt")``.

    Examples
    --------
    >>> import numpy as np
    >>> pratt(np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])).round(4).tolist()
    [0.32, 0.0533]
    """
    matrices = _standard(covariances)
    return _summed(coefficients(matrices) * matrices[..., :-1, -1], players)


def first(covariances: FloatArray, players: Players | None = None) -> FloatArray:
    """R² of each player alone: its increase of R² when it enters first.

    Returns
    -------
    array, shape (..., p)
        They do not sum to R² unless drivers are uncorrelated.

    Notes
    -----
    For a driver of one column the squared correlation. R: ``relaimpo::calc.relimp(type = "first")``.

    Examples
    --------
    >>> import numpy as np
    >>> first(np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])).round(4).tolist()
    [0.36, 0.16]
    """
    matrices = _standard(covariances)
    return _each(matrices[..., -1, :], players, _explained, matrices)


def last(covariances: FloatArray, players: Players | None = None) -> FloatArray:
    """Increase of R² when the player enters after all others (its unique part).

    Returns
    -------
    array, shape (..., p)
        They do not sum to R² unless drivers are uncorrelated.

    Notes
    -----
    b'[(R⁻¹) of the player's columns]⁻¹ b. R: ``relaimpo::calc.relimp(type = "last")``.

    Examples
    --------
    >>> import numpy as np
    >>> last(np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])).round(4).tolist()
    [0.2133, 0.0133]
    """
    matrices = _standard(covariances)
    return _each(_with_outcome(matrices), players, _explained, np.linalg.inv(matrices[..., :-1, :-1]))


def _with_outcome(matrices: FloatArray) -> FloatArray:
    """Standardised coefficients, with a last entry for the outcome's place."""
    slopes = coefficients(matrices)
    return np.concatenate([slopes, np.ones_like(slopes[..., :1])], axis=-1)


def betasq(covariances: FloatArray, players: Players | None = None) -> FloatArray:
    """Squared standardised coefficient.

    Returns
    -------
    array, shape (..., p)
        Variance of the player's part of the fitted values, as a part of the outcome's; no sum to R². For a player of
        several columns it does not depend on how they are coded.

    Notes
    -----
    R: ``relaimpo::calc.relimp(type = "betasq")``.

    Examples
    --------
    >>> import numpy as np
    >>> betasq(np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])).round(4).tolist()
    [0.2844, 0.0178]
    """
    matrices = _standard(covariances)
    return _each(_with_outcome(matrices), players, _spread, matrices)


def standardised(covariances: FloatArray, players: Players | None = None) -> FloatArray:
    """Standardised coefficient: standard deviations of the outcome per standard deviation of the driver.

    Returns
    -------
    array, shape (..., p)
        With its sign for a driver of one column. Of several columns, the coefficient of their fitted combination
        (Heise's sheaf coefficient), which has no sign.

    References
    ----------
    Heise (1972), Sociological Methods & Research 1, 147–173.

    Examples
    --------
    >>> import numpy as np
    >>> standardised(np.array([[1, 0.5, -0.6], [0.5, 1, -0.4], [-0.6, -0.4, 1]])).round(4).tolist()
    [-0.5333, -0.1333]
    """
    size = np.sqrt(betasq(covariances, players))
    slopes = coefficients(to_correlation(np.asarray(covariances, dtype=float)))
    groups = as_players(players, slopes.shape[-1])
    signs = [np.sign(slopes[..., g[0]]) if len(g) == 1 else np.ones(slopes.shape[:-1]) for g in groups]
    return np.stack(signs, axis=-1) * size


def partial_r2(covariances: FloatArray, players: Players | None = None) -> FloatArray:
    """Share of the variance left by the other drivers that the player explains.

    Returns
    -------
    array, shape (..., p)
        last / (last + 1 − R²); no sum to R².

    Examples
    --------
    >>> import numpy as np
    >>> partial_r2(np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])).round(4).tolist()
    [0.254, 0.0208]
    """
    matrices = _standard(covariances)
    unique = last(matrices, players)
    unexplained = 1 - np.sum(coefficients(matrices) * matrices[..., :-1, -1], axis=-1, keepdims=True)
    return unique / (unique + unexplained)


def vif(covariances: FloatArray) -> FloatArray:
    """Variance inflation factors of the columns before the outcome, shape (..., k)."""
    return np.diagonal(np.linalg.inv(_standard(covariances)[..., :-1, :-1]), axis1=-2, axis2=-1).copy()
