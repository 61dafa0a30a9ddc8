"""Common factors as arrays: implied covariances, likelihood, information, refits and standardised quantities, in batches.

All functions of the parameters are written for complex numbers, so that derivatives come from complex steps: exact to
the last digits, without a step size to choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]
_STEP = 1e-30
_TURNS, _HALVINGS, _NEWTON = 80, 12, 100
_SETTLED = 1e-6  # largest step at the end, for correlations
_NEAR = (
    1e-10  # gain in the likelihood per respondent that a replicate leaves undone: .0014 of a standard error at 10,000
)
_STRAGGLERS, _TRIES = 0.01, 15  # share of replicates that Newton's method is tried on, and its steps there


class Matrices(NamedTuple):
    """Σ = Λ(I − B)⁻¹Ψ(I − B)⁻ᵀΛᵀ + Θ, for a batch of parameters.

    Attributes
    ----------
    loadings : array, shape (batch, p, k)
    errors : array, shape (batch, p, p)
    residuals : array, shape (batch, k, k)
    paths : array, shape (batch, k, k)
        From column to row.
    """

    loadings: FloatArray
    errors: FloatArray
    residuals: FloatArray
    paths: FloatArray


@dataclass(frozen=True, eq=False)
class Frame:
    """Which entry of which matrix each free parameter is.

    One loading of every factor is 1 and the (residual) variance of every factor is free, also below 0: the
    likelihood then has no edge where a residual variance vanishes.

    Attributes
    ----------
    names : tuple of str, length k
        Factors.
    items : tuple of str, length p
    cells : int array, shape (parameters, 3)
        Matrix (place in :class:`Matrices`), row, column.
    ones : int array, shape (k, 3)
        The loading of each factor that is 1; in the matrix of paths where factors measure a factor.
    """

    names: tuple[str, ...]
    items: tuple[str, ...]
    cells: IntArray
    ones: IntArray

    @property
    def df(self) -> int:
        """Covariances minus parameters."""
        return len(self.items) * (len(self.items) + 1) // 2 - len(self.cells)

    @cached_property
    def pairs(self) -> tuple[IntArray, IntArray]:
        """Rows and columns of the covariances that differ."""
        return np.tril_indices(len(self.items))

    @cached_property
    def places(self) -> tuple[tuple[IntArray, IntArray, IntArray], ...]:
        """Parameters of each matrix with their rows and columns."""
        which = [np.flatnonzero(self.cells[:, 0] == place) for place in range(4)]
        return tuple((own, self.cells[own, 1], self.cells[own, 2]) for own in which)

    @cached_property
    def twice(self) -> FloatArray:
        """2 for parameters that stand in two cells, 1 for others."""
        return np.where(np.isin(self.cells[:, 0], (1, 2)) & (self.cells[:, 1] != self.cells[:, 2]), 2.0, 1.0)

    def matrices(self, theta: FloatArray) -> Matrices:
        """Parameters (batch, parameters) laid out as matrices."""
        p, k = len(self.items), len(self.names)
        out = [np.zeros((len(theta), *shape), dtype=theta.dtype) for shape in ((p, k), (p, p), (k, k), (k, k))]
        for place, row, column in self.ones:
            out[place][:, row, column] = 1.0
        for place, (own, rows, columns) in enumerate(self.places):
            out[place][:, rows, columns] = theta[:, own]
            if place in (1, 2):
                out[place][:, columns, rows] = theta[:, own]
        return Matrices(*out)

    def read(self, found: Matrices) -> FloatArray:
        """Free parameters of matrices, shape (batch, parameters)."""
        out = np.empty((len(found.loadings), len(self.cells)), dtype=np.result_type(*found))
        for place, (own, rows, columns) in enumerate(self.places):
            out[:, own] = found[place][:, rows, columns]
        return out


def _turned(matrix: FloatArray) -> FloatArray:
    return np.swapaxes(matrix, -1, -2)


def factor_covariance(found: Matrices) -> tuple[FloatArray, FloatArray]:
    """(I − B)⁻¹ and the covariance of the factors, each of shape (batch, k, k)."""
    inner = np.linalg.inv(np.eye(found.paths.shape[-1]) - found.paths)
    return inner, inner @ found.residuals @ _turned(inner)


def implied(frame: Frame, theta: FloatArray) -> FloatArray:
    """Σ(θ), shape (batch, p, p)."""
    found = frame.matrices(theta)
    return found.loadings @ factor_covariance(found)[1] @ _turned(found.loadings) + found.errors


def discrepancy(frame: Frame, theta: FloatArray, sample: FloatArray) -> FloatArray:
    """½(log|Σ| + tr SΣ⁻¹ − log|S| − p), shape (batch,); infinite where Σ is not positive definite."""
    sigma = implied(frame, theta)
    sound = np.asarray(np.isfinite(sigma).all(axis=(1, 2)))
    sigma = np.where(sound[:, None, None], sigma, np.eye(sigma.shape[-1]))
    sound &= np.linalg.eigvalsh(sigma)[:, 0] > 0
    sigma = np.where(sound[:, None, None], sigma, np.eye(sigma.shape[-1]))
    product = np.linalg.solve(sigma, np.broadcast_to(sample, sigma.shape))
    value = 0.5 * (np.trace(product, axis1=1, axis2=2) - np.linalg.slogdet(product)[1] - sigma.shape[-1])
    return np.where(sound, value, np.inf)


def gradient(frame: Frame, theta: FloatArray, sample: FloatArray) -> FloatArray:
    """Of :func:`discrepancy`, shape (batch, parameters)."""
    found = frame.matrices(theta)
    inner, between = factor_covariance(found)
    inverse = np.linalg.inv(found.loadings @ between @ _turned(found.loadings) + found.errors)
    of_sigma = 0.5 * (inverse - inverse @ sample @ inverse)
    reach = found.loadings @ inner
    of_factors = _turned(reach) @ of_sigma @ reach
    by_matrix = Matrices(
        2 * of_sigma @ found.loadings @ between,
        of_sigma,
        of_factors,
        2 * of_factors @ found.residuals @ _turned(inner),
    )
    return frame.read(by_matrix) * frame.twice


def _shifted(theta: FloatArray) -> FloatArray:
    """One parameter after the other moved by an imaginary step, shape (parameters, parameters)."""
    return theta.astype(complex) + 1j * _STEP * np.eye(len(theta))


def hessian(frame: Frame, theta: FloatArray, sample: FloatArray) -> FloatArray:
    """Observed information of one set of parameters (per respondent), shape (parameters, parameters)."""
    moved = gradient(frame, _shifted(theta), sample).imag / _STEP
    return np.asarray((moved + moved.T) / 2)


def slopes(frame: Frame, theta: FloatArray) -> FloatArray:
    """∂ vech Σ / ∂θ at one set of parameters, shape (covariances, parameters)."""
    rows, columns = frame.pairs
    return np.asarray(implied(frame, _shifted(theta))[:, rows, columns].T.imag / _STEP)


def jacobian(function: Any, theta: FloatArray) -> FloatArray:
    """Derivatives of a function (batch, parameters) → (batch, m) at one set of parameters, shape (m, parameters)."""
    return np.asarray(function(_shifted(theta)).T.imag / _STEP)


def normal_weight(frame: Frame, sigma: FloatArray) -> FloatArray:
    """½Dᵀ(Σ⁻¹ ⊗ Σ⁻¹)D: what a normal sample of one tells of its covariances, shape (covariances, covariances)."""
    rows, columns = frame.pairs
    inverse = np.linalg.inv(sigma)
    once = np.where(rows == columns, 0.5, 1.0)
    both = inverse[np.ix_(rows, rows)] * inverse[np.ix_(columns, columns)]
    crossed = inverse[np.ix_(rows, columns)] * inverse[np.ix_(columns, rows)]
    return np.asarray((both + crossed) * once[:, None] * once)


def information(frame: Frame, theta: FloatArray) -> FloatArray:
    """Expected information per respondent under normality, shape (parameters, parameters)."""
    moved = slopes(frame, theta)
    return np.asarray(moved.T @ normal_weight(frame, implied(frame, theta[None])[0]) @ moved)


class Scaling(NamedTuple):
    """Traces of Yuan & Bentler's correction.

    Attributes
    ----------
    covariance : array, shape (parameters, parameters)
        Sandwich covariance of the parameters.
    saturated, model, independence : float
        Traces of the saturated model, of this one, and of the model without correlations.
    """

    covariance: FloatArray
    saturated: float
    model: float
    independence: float


def sandwich(frame: Frame, theta: FloatArray, sample: FloatArray, spread: FloatArray, base: int) -> Scaling:
    """Covariance of the parameters from the covariance of the sample's covariances.

    Parameters
    ----------
    frame : Frame
    theta : array, shape (parameters,)
    sample : array, shape (p, p)
    spread : array, shape (covariances, covariances)
        Design covariance of vech S.
    base : int
        Respondents.
    """
    bread = np.linalg.inv(hessian(frame, theta, sample))
    moved = normal_weight(frame, implied(frame, theta[None])[0]) @ slopes(frame, theta)
    meat = moved.T @ spread @ moved
    diagonal = np.flatnonzero(np.equal(*frame.pairs))
    alone = np.diagonal(spread)[diagonal] / np.diagonal(sample) ** 2 / 2
    return Scaling(
        bread @ meat @ bread,
        float(base * np.sum(normal_weight(frame, sample) * spread)),
        float(base * np.sum(bread * meat)),
        float(base * alone.sum()),
    )


# ---------------------------------------------------------------------- refits
def refit(frame: Frame, start: FloatArray, sample: FloatArray, others: FloatArray) -> tuple[FloatArray, np.ndarray]:
    """Fit the model to many covariance matrices from the full sample's solution on.

    Parameters
    ----------
    frame : Frame
    start : array, shape (parameters,)
        Solution for ``sample``, shape (p, p).
    others : array, shape (batch, p, p)

    Returns
    -------
    theta : array, shape (batch, parameters)
        NaN where no minimum is found.
    found : bool array, shape (batch,)

    Notes
    -----
    BFGS for all replicates at once, from the full sample's Hessian on; a replicate leaves when it has settled. Those
    that do not settle take Newton's method, unless they are many.
    """
    theta = np.tile(start, (len(others), 1))
    found = np.zeros(len(others), dtype=bool)
    usable = np.isfinite(others).all(axis=(1, 2))
    with np.errstate(all="ignore"):
        _together(frame, theta, found, np.flatnonzero(usable), others, np.linalg.inv(hessian(frame, start, sample)))
        for b in np.flatnonzero(usable & ~found)[: int(_STRAGGLERS * len(others))]:
            theta[b], found[b] = newton(frame, start, others[b], _TRIES)
        good = found.copy()
        good[found] = np.isfinite(discrepancy(frame, theta[found], others[found])) if found.any() else False
    theta[~good] = np.nan
    return theta, good


def _together(
    frame: Frame, theta: FloatArray, found: np.ndarray, left: IntArray, others: FloatArray, first: FloatArray
) -> None:
    """BFGS with halved steps for the replicates ``left``; writes ``theta`` and ``found``."""
    inverse = np.tile(first, (len(left), 1, 1))
    slope, value = gradient(frame, theta[left], others[left]), discrepancy(frame, theta[left], others[left])
    for _ in range(_TURNS):
        if not len(left):
            return
        step = -(inverse @ slope[:, :, None])[:, :, 0]
        length, new = np.ones(len(left)), np.full(len(left), np.inf)
        worse = np.ones(len(left), dtype=bool)
        for _ in range(_HALVINGS):
            tried = theta[left[worse]] + length[worse, None] * step[worse]
            new[worse] = discrepancy(frame, tried, others[left[worse]])
            worse = ~(new <= value + 1e-12)
            if not worse.any():
                break
            length[worse] /= 2
        step *= np.where(worse, 0.0, length)[:, None]
        theta[left] += step
        after = gradient(frame, theta[left], others[left])
        gain = 0.5 * np.einsum("bi,bij,bj->b", after, inverse, after)
        done = (np.abs(gain) < _NEAR) & (~worse | (np.abs(after).max(axis=1) < _SETTLED))
        found[left[done]] = True
        stay = ~(done | worse)
        inverse = _updated(inverse[stay], step[stay], (after - slope)[stay])
        left, slope, value = left[stay], after[stay], new[stay]


def _updated(inverse: FloatArray, step: FloatArray, change: FloatArray) -> FloatArray:
    """Inverse Hessians after a step and the change of slope along it; unchanged where the curvature is not positive."""
    curvature = np.sum(step * change, axis=1)
    sound = curvature > 1e-16
    rate = np.where(sound, 1 / np.where(sound, curvature, 1.0), 0.0)
    turned = (inverse @ change[:, :, None])[:, :, 0]
    size = rate * (1 + rate * np.sum(change * turned, axis=1))
    crossed = (rate[:, None] * step)[:, :, None] * turned[:, None, :]
    return inverse - crossed - _turned(crossed) + (size[:, None] * step)[:, :, None] * step[:, None, :]


def newton(frame: Frame, start: FloatArray, sample: FloatArray, tries: int = _NEWTON) -> tuple[FloatArray, bool]:
    """Newton's method with halved steps for one covariance matrix; Fisher's information where H is not positive definite."""
    theta, value = start.copy(), float(discrepancy(frame, start[None], sample)[0])
    for _ in range(tries):
        slope = gradient(frame, theta[None], sample)[0]
        curvature = hessian(frame, theta, sample)
        if not np.isfinite(curvature).all():
            break
        if np.linalg.eigvalsh(curvature)[0] <= 0:
            curvature = information(frame, theta)
        step = np.linalg.lstsq(curvature, slope, rcond=1e-12)[0]
        length = 1.0
        while length > 1e-4:
            new = float(discrepancy(frame, (theta - length * step)[None], sample)[0])
            if new <= value + 1e-13:
                break
            length /= 2
        else:
            return theta, bool(np.abs(slope).max() < 1e-7)
        theta, value = theta - length * step, new
        if np.abs(length * step).max() < _SETTLED**1.5:
            return theta, True
    return theta, False


# ---------------------------------------------------------------------- standardised
@dataclass(frozen=True, eq=False)
class Quantities:
    """What is read off the parameters, by name; each entry a place in a vector.

    Attributes
    ----------
    frame : Frame
    first : int array, shape (k, 3)
        The first indicator's loading of each factor: unstandardised numbers are in its points.
    loadings, paths : int arrays, shape (any, 2)
        Item (p and beyond: factor) and factor; end and start.
    routes : tuple of tuples of int
        Start, stops, end.
    """

    frame: Frame
    first: IntArray
    loadings: IntArray
    paths: IntArray
    routes: tuple[tuple[int, ...], ...]

    def sizes(self) -> dict[str, int]:
        """How many entries each part has, in the order of :meth:`standardised`."""
        k = len(self.frame.names)
        return {"loading": len(self.loadings), "path": len(self.paths), "route": len(self.routes), "total": k * k,
                "correlation": k * k, "r_squared": k}  # fmt: skip

    def standardised(self, theta: FloatArray) -> FloatArray:
        """Loadings, paths, effects, correlations and R², all variances being 1, shape (batch, any)."""
        found = self.frame.matrices(theta)
        between = factor_covariance(found)[1]
        own = _diagonal(between) ** 0.5
        sigma = found.loadings @ between @ _turned(found.loadings) + found.errors
        spread = _diagonal(sigma) ** 0.5
        loadings = found.loadings * own[:, None, :] / spread[:, :, None]
        paths = found.paths * own[:, None, :] / own[:, :, None]
        explained = 1 - _diagonal(found.residuals) / own**2
        return self._together(loadings, paths, between / own[:, :, None] / own[:, None, :], explained)

    def plain(self, theta: FloatArray) -> FloatArray:
        """The same unstandardised, each factor in points of its first indicator; shape (batch, any)."""
        found = self.frame.matrices(theta)
        units = self._units(found)
        loadings = found.loadings / units[:, None, :]
        paths = found.paths * units[:, :, None] / units[:, None, :]
        between = factor_covariance(found)[1] * units[:, :, None] * units[:, None, :]
        return self._together(loadings, paths, between, _diagonal(found.residuals) * units**2)

    def _units(self, found: Matrices) -> FloatArray:
        """A first loading through to the item behind it, for each factor."""
        units = np.ones((len(found.loadings), len(self.first)), dtype=found.loadings.dtype)
        for place, row, column in sorted(map(tuple, self.first.tolist()), key=lambda c: c[0]):
            units[:, column] = found[place][:, row, column] * (units[:, row] if place == 3 else 1.0)
        return units

    def _together(self, loadings: FloatArray, paths: FloatArray, between: FloatArray, last: FloatArray) -> FloatArray:
        batch = len(loadings)
        both = np.concatenate([loadings, paths], axis=1)
        causal = np.zeros_like(paths)
        causal[:, self.paths[:, 0], self.paths[:, 1]] = paths[:, self.paths[:, 0], self.paths[:, 1]]
        total = np.linalg.inv(np.eye(paths.shape[-1]) - causal) - np.eye(paths.shape[-1])
        along = np.ones((batch, len(self.routes)), dtype=loadings.dtype)
        for j, route in enumerate(self.routes):
            for start, end in pairwise(route):
                along[:, j] = along[:, j] * paths[:, end, start]
        parts: Sequence[FloatArray] = (
            both[:, self.loadings[:, 0], self.loadings[:, 1]], paths[:, self.paths[:, 0], self.paths[:, 1]], along,
            total.reshape(batch, -1), between.reshape(batch, -1), last,
        )  # fmt: skip
        return np.concatenate(parts, axis=1)


def _diagonal(matrix: FloatArray) -> FloatArray:
    return np.diagonal(matrix, axis1=-2, axis2=-1)
