"""Partial least squares path models on correlation matrices, a batch at a time.

Arrays only. Everything the algorithm needs of the respondents is the weighted correlation matrix of the indicators, so
sampling weights, strata and clusters count as soon as the matrices of the replicates do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[Any]]
SCHEMES = ("path", "factorial", "centroid")


@dataclass(frozen=True, eq=False)
class Structure:
    """Which indicators measure which construct, and which construct leads to which.

    Attributes
    ----------
    blocks : tuple of int arrays, length m
        Indicators of each construct.
    modes : tuple of {"A", "B"}, length m
        Correlation weights (A) or regression weights (B).
    paths : bool array, shape (m, m)
        ``paths[i, j]`` says that construct i leads to construct j; upper triangular in the order of constructs.
    scheme : {"path", "factorial", "centroid"}
    """

    blocks: tuple[np.ndarray, ...]
    modes: tuple[str, ...]
    paths: np.ndarray
    scheme: str = "path"


@dataclass(frozen=True, eq=False)
class Weights:
    """Outer weights of a batch.

    Attributes
    ----------
    outer : array, shape (batch, k, m)
        Weights of standardised indicators; each construct's score has variance 1.
    converged : bool array, shape (batch,)
    passes : int
        Passes until the last matrix stood still.
    flipped : int array, shape (m,)
        Matrices in which the construct's sign had to be turned.
    """

    outer: FloatArray
    converged: np.ndarray
    passes: int
    flipped: np.ndarray


def outer_weights(
    correlations: FloatArray,
    structure: Structure,
    *,
    start: FloatArray | None = None,
    tolerance: float = 1e-10,
    passes: int = 300,
) -> Weights:
    """Estimate outer weights by Wold's iteration.

    Parameters
    ----------
    correlations : array, shape (batch, k, k)
    structure : Structure
    start : array, shape (k, m), optional
        Weights to start from, such as those of the full sample; constructs are turned to go with their scores.
    tolerance : float
        Largest change of a weight between two passes at which a matrix is done.
    passes : int
        Passes after which a matrix counts as not converged.

    Returns
    -------
    Weights

    Notes
    -----
    Inner weights: of predecessors their regression coefficients, of successors their correlation (path); correlations
    (factorial) or their signs (centroid) of all neighbours. Outer weights: covariances of a construct's
    indicators with its inner proxy (mode A), or the regression on them (mode B). The sign of a construct is that of its largest
    loading; with ``start``, that under which it correlates with the score it started from. Matrices that stand still
    leave the iteration, half of them at a time, so that a batch does not wait for its slow members.

    References
    ----------
    Lohmöller (1989), *Latent Variable Path Modeling with Partial Least Squares*; Tenenhaus, Esposito Vinzi, Chatelin &
    Lauro (2005), Computational Statistics & Data Analysis 48, 159–205. R: ``seminr::estimate_pls``.

    Examples
    --------
    >>> import numpy as np
    >>> r = np.array([[1, 0.5, 0.4, 0.3], [0.5, 1, 0.4, 0.3], [0.4, 0.4, 1, 0.6], [0.3, 0.3, 0.6, 1]])
    >>> two = Structure((np.array([0, 1]), np.array([2, 3])), ("A", "A"), np.array([[False, True], [False, False]]))
    >>> outer_weights(r[None], two).outer[0].round(3).tolist()
    [[0.577, 0.0], [0.577, 0.0], [0.0, 0.637], [0.0, 0.478]]
    """
    batch, k, _ = correlations.shape
    m = len(structure.blocks)
    mask = np.zeros((k, m), dtype=bool)
    for j, block in enumerate(structure.blocks):
        mask[block, j] = True
    inverses = _mode_b(correlations, structure)
    first = np.where(mask, 1.0, 0.0) if start is None else start
    outer = _scaled(np.repeat(first[None].astype(float), batch, axis=0), correlations)
    active = np.arange(batch)
    matrices, current = correlations, outer
    done = np.zeros(batch, dtype=bool)
    count = 0
    while len(active) and count < passes and not done[active].all():
        count += 1
        proxies = np.matmul(matrices, current)
        inner = _inner(np.matmul(np.swapaxes(current, 1, 2), proxies), structure)
        updated = np.where(mask, np.matmul(proxies, inner), 0.0)
        for j, inverse in inverses.items():
            block = structure.blocks[j]
            updated[:, block, j] = np.matmul(inverse[active], updated[:, block, j][..., None])[..., 0]
        updated = _scaled(updated, matrices)
        still = np.abs(np.abs(updated) - np.abs(current)).max(axis=(1, 2)) < tolerance
        done[active] |= still
        current = updated
        left = ~done[active]
        if 2 * left.sum() < len(active):  # copying the matrices costs as much as a pass
            outer[active] = updated
            active, matrices, current = active[left], matrices[left], updated[left]
    outer[active] = current
    outer, flipped = _aligned(outer, correlations, structure, start)
    return Weights(outer, done & np.isfinite(outer).all(axis=(1, 2)), count, flipped)


def _mode_b(correlations: FloatArray, structure: Structure) -> dict[int, FloatArray]:
    """Inverse correlations of each block with regression weights."""
    return {
        j: np.linalg.inv(correlations[:, block[:, None], block])
        for j, (block, mode) in enumerate(zip(structure.blocks, structure.modes, strict=True))
        if mode == "B" and len(block) > 1
    }


def _scaled(outer: FloatArray, correlations: FloatArray) -> FloatArray:
    """Weights under which every score has variance 1."""
    variance = np.einsum("bkm,bkm->bm", outer, np.matmul(correlations, outer))
    with np.errstate(divide="ignore", invalid="ignore"):
        return outer / np.sqrt(variance)[:, None, :]


def _inner(between: FloatArray, structure: Structure) -> FloatArray:
    """Weight of each construct (first) in the inner proxy of another, shape (batch, m, m)."""
    paths = structure.paths
    linked = paths | paths.T
    if structure.scheme == "factorial":
        return between * linked
    if structure.scheme == "centroid":
        return np.sign(between) * linked
    inner = between * paths.T  # successors count with their correlation
    for j in np.flatnonzero(paths.any(axis=0)):
        before = np.flatnonzero(paths[:, j])
        inner[:, before, j] = _regress(between, before, int(j))
    return inner


def _regress(between: FloatArray, before: np.ndarray, j: int) -> FloatArray:
    """Coefficients of construct j on those before it, shape (batch, predecessors)."""
    if len(before) == 1:
        return between[:, before, j]
    return np.linalg.solve(between[:, before[:, None], before], between[:, before, j][..., None])[..., 0]


def _aligned(
    outer: FloatArray, correlations: FloatArray, structure: Structure, start: FloatArray | None
) -> tuple[FloatArray, np.ndarray]:
    """Turn each construct so that its largest loading is positive, or so that it goes with the score it started from.

    Replicates have a start. The largest loading is no guide for them: of two items that load .92 and −.91 now the one, now the
    other is the larger, and half of the replicates would lie on the other side of zero.
    """
    loadings = np.matmul(correlations, outer)
    flipped = np.zeros(len(structure.blocks), dtype=np.intp)
    for j, block in enumerate(structure.blocks):
        own = loadings[:, block, j]
        if start is None:
            agreement = np.take_along_axis(own, np.abs(own).argmax(axis=1)[:, None], axis=1)[:, 0]
        else:
            agreement = own @ start[block, j]
        turned = agreement < 0
        outer[turned, :, j] *= -1
        flipped[j] = turned.sum()
    return outer, flipped


def loadings(correlations: FloatArray, outer: FloatArray) -> FloatArray:
    """Correlations of all indicators with all constructs, shape (batch, k, m)."""
    return np.matmul(correlations, outer)


def construct_correlations(correlations: FloatArray, outer: FloatArray) -> FloatArray:
    """Correlations between constructs, shape (batch, m, m)."""
    return np.matmul(np.swapaxes(outer, 1, 2), np.matmul(correlations, outer))


def rho_a(correlations: FloatArray, outer: FloatArray, structure: Structure) -> FloatArray:
    """Dijkstra and Henseler's reliability of each construct, shape (batch, m); 1 for a single indicator and for mode B.

    Notes
    -----
    (ŵ'ŵ)² · ŵ'(S − diag S)ŵ / ŵ'(ŵŵ' − diag ŵŵ')ŵ with S the correlations of the block. Regression weights are no estimate of
    loadings: an index is taken as it is, as in ``seminr::rho_A``.

    References
    ----------
    Dijkstra & Henseler (2015), MIS Quarterly 39(2), 297–316.
    """
    out = np.ones((len(outer), len(structure.blocks)))
    for j, (block, mode) in enumerate(zip(structure.blocks, structure.modes, strict=True)):
        if len(block) == 1 or mode == "B":
            continue
        w = outer[:, block, j]
        inner = correlations[:, block[:, None], block]
        square = np.sum(w**2, axis=1)
        above = np.einsum("bi,bij,bj->b", w, inner, w) - square
        below = square**2 - np.sum(w**4, axis=1)
        out[:, j] = square**2 * above / below
    return out


def disattenuated(between: FloatArray, reliability: FloatArray) -> FloatArray:
    """Correlations of constructs corrected for their reliability (PLSc), shape (batch, m, m)."""
    root = np.sqrt(np.where(reliability > 0, reliability, np.nan))
    out = between / (root[:, :, None] * root[:, None, :])
    m = range(between.shape[1])
    out[:, m, m] = 1.0
    return out


def consistent_loadings(outer: FloatArray, reliability: FloatArray, structure: Structure) -> FloatArray:
    """Loadings of a common-factor construct, shape (batch, k, m): ŵ √ρ_A / (ŵ'ŵ)."""
    square = np.einsum("bkm,bkm->bm", outer, outer)
    out = outer * (np.sqrt(np.where(reliability > 0, reliability, np.nan)) / square)[:, None, :]
    for j, block in enumerate(structure.blocks):
        if len(block) == 1:
            out[:, block[0], j] = 1.0
    return out


def path_coefficients(between: FloatArray, structure: Structure) -> FloatArray:
    """Standardised path coefficients from row to column construct, shape (batch, m, m)."""
    out = np.zeros_like(between)
    for j in np.flatnonzero(structure.paths.any(axis=0)):
        before = np.flatnonzero(structure.paths[:, j])
        out[:, before, j] = _regress(between, before, int(j))
    return out


def r_squared(between: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Explained variance of each construct, shape (batch, m); 0 for one that nothing leads to."""
    return np.einsum("bij,bij->bj", coefficients, between)


def total_effects(coefficients: FloatArray) -> FloatArray:
    """Sum of the effects along all routes, shape (batch, m, m): (I − B)⁻¹ − I."""
    m = coefficients.shape[-1]
    return np.linalg.inv(np.eye(m) - coefficients) - np.eye(m)


def f_squared(between: FloatArray, structure: Structure) -> FloatArray:
    """Cohen's f² of each path, shape (batch, m, m): fall of R² without it over what stays unexplained."""
    whole = r_squared(between, path_coefficients(between, structure))
    out = np.zeros_like(between)
    for j in np.flatnonzero(structure.paths.any(axis=0)):
        before = np.flatnonzero(structure.paths[:, j])
        for i in before:
            rest = before[before != i]
            left = np.zeros(len(between))
            if len(rest):
                left = np.sum(_regress(between, rest, int(j)) * between[:, rest, j], axis=1)
            out[:, i, j] = (whole[:, j] - left) / (1 - whole[:, j])
    return out
