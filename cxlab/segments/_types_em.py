"""EM for a mixture of linear regressions with covariates for membership: arrays only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[Any]]
LOG_ROOT = 0.5 * np.log(2 * np.pi)
FLOOR = 0.05  # smallest residual SD of a class, as a share of the outcome's SD: keeps the likelihood bounded


@dataclass(frozen=True, eq=False)
class Rows:
    """Complete rows of a mixture.

    Attributes
    ----------
    outcome : array, shape (n,)
    own : array, shape (n, q + 1)
        Ones and the drivers whose slopes differ by class.
    shared : array, shape (n, c)
        Drivers with one slope for all classes.
    member : array, shape (n, m)
        Ones and the covariates of membership.
    """

    outcome: FloatArray
    own: FloatArray
    shared: FloatArray
    member: FloatArray

    @cached_property
    def products(self) -> FloatArray:
        """Cross-products of (own, shared, outcome) of each row, shape (n, d²)."""
        columns = np.column_stack([self.own, self.shared, self.outcome])
        return np.einsum("ni,nj->nij", columns, columns).reshape(len(columns), -1)

    @cached_property
    def member_products(self) -> FloatArray:
        """Cross-products of the covariates of each row, shape (n, m²)."""
        return np.einsum("ni,nj->nij", self.member, self.member).reshape(len(self.member), -1)

    def take(self, inside: np.ndarray) -> Rows:
        """Some of the rows."""
        return Rows(self.outcome[inside], self.own[inside], self.shared[inside], self.member[inside])


@dataclass(frozen=True, eq=False)
class Mixture:
    """Parameters of a mixture of k regressions.

    Attributes
    ----------
    own : array, shape (k, q + 1)
        Intercept and slopes of each class.
    shared : array, shape (c,)
    sigma : array, shape (k,)
        Residual standard deviations.
    member : array, shape (k, m)
        Logit coefficients of membership; the first class is the reference, its row is 0.
    """

    own: FloatArray
    shared: FloatArray
    sigma: FloatArray
    member: FloatArray

    @property
    def parameters(self) -> int:
        """Number of free parameters."""
        return self.own.size + self.shared.size + self.sigma.size + self.member[1:].size

    def vector(self) -> FloatArray:
        """All parameters on an unbounded scale."""
        return np.concatenate([self.own.ravel(), self.shared, np.log(self.sigma), self.member[1:].ravel()])

    def like(self, vector: FloatArray) -> Mixture:
        """A mixture of the same shape from a vector."""
        k, a, b = len(self.sigma), self.own.size, self.own.size + len(self.shared)
        member = np.vstack([np.zeros((1, self.member.shape[1])), vector[b + k :].reshape(k - 1, self.member.shape[1])])
        return Mixture(vector[:a].reshape(self.own.shape), vector[a:b], np.exp(vector[b : b + k]), member)

    def ordered(self, order: Any) -> Mixture:
        """The same mixture with its classes in another order."""
        member = self.member[order]
        return Mixture(self.own[order], self.shared, self.sigma[order], member - member[:1])


def prior(mixture: Mixture, rows: Rows) -> FloatArray:
    """Log probability of each class given the covariates, shape (n, k)."""
    utility = rows.member @ mixture.member.T
    return utility - _log_sum(utility)[:, None]


def joint(mixture: Mixture, rows: Rows) -> FloatArray:
    """Log of class probability times density of the outcome, shape (n, k)."""
    means = rows.own @ mixture.own.T + (rows.shared @ mixture.shared)[:, None]
    z = (rows.outcome[:, None] - means) / mixture.sigma
    return prior(mixture, rows) - np.log(mixture.sigma) - LOG_ROOT - 0.5 * z * z


def log_density(mixture: Mixture, rows: Rows) -> FloatArray:
    """Log likelihood of each row, shape (n,)."""
    return _log_sum(joint(mixture, rows))


def posterior(mixture: Mixture, rows: Rows) -> FloatArray:
    """Probability of each class given everything, shape (n, k)."""
    logs = joint(mixture, rows)
    return np.exp(logs - _log_sum(logs)[:, None])


def _log_sum(logs: FloatArray) -> FloatArray:
    top = logs.max(axis=1)
    return np.asarray(top + np.log(np.exp(logs - top[:, None]).sum(axis=1)))


def em_step(mixture: Mixture, rows: Rows, weights: FloatArray) -> tuple[Mixture, float]:
    """One step of EM; returns the new mixture and the log likelihood of the old one."""
    logs = joint(mixture, rows)
    each = _log_sum(logs)
    responsibility = np.exp(logs - each[:, None]) * weights[:, None]
    own, shared, sigma = _regressions(mixture, rows, responsibility)
    member = _membership(mixture, rows, responsibility, weights)
    return Mixture(own, shared, sigma, member), float(weights @ each)


def _regressions(mixture: Mixture, rows: Rows, responsibility: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Slopes of all classes and the shared ones in one least-squares problem, then the residual SDs."""
    k, q = mixture.own.shape
    c, d = rows.shared.shape[1], q + rows.shared.shape[1] + 1
    sums = (responsibility.T @ rows.products).reshape(k, d, d)
    scaled = sums / mixture.sigma[:, None, None] ** 2
    size = k * q + c
    left, right = np.zeros((size, size)), np.zeros(size)
    for j in range(k):
        at = slice(j * q, (j + 1) * q)
        left[at, at], right[at] = scaled[j, :q, :q], scaled[j, :q, -1]
        left[at, k * q :] = scaled[j, :q, q:-1]
        left[k * q :, at] = scaled[j, q:-1, :q]
    left[k * q :, k * q :], right[k * q :] = scaled[:, q:-1, q:-1].sum(axis=0), scaled[:, q:-1, -1].sum(axis=0)
    left[np.diag_indices(size)] += 1e-9 * np.abs(np.diagonal(left)) + 1e-12  # a class may lose all its members
    solved = np.linalg.solve(left, right)
    own, shared = solved[: k * q].reshape(k, q), solved[k * q :]
    residual = np.column_stack([-own, np.tile(-shared, (k, 1)), np.ones(k)])
    squares = np.einsum("ki,kij,kj->k", residual, sums, residual)
    floor = FLOOR * float(np.std(rows.outcome))
    sigma = np.sqrt(np.maximum(squares / np.maximum(responsibility.sum(axis=0), 1e-9), floor**2))
    return own, shared, sigma


def _membership(mixture: Mixture, rows: Rows, responsibility: FloatArray, weights: FloatArray) -> FloatArray:
    """One Newton step of the multinomial logit on the responsibilities."""
    k, m = mixture.member.shape
    if k == 1:
        return mixture.member
    share = np.exp(prior(mixture, rows))
    slope = ((responsibility - weights[:, None] * share).T @ rows.member)[1:].ravel()
    weighted = share[:, 1:] * weights[:, None]
    pairs = -np.einsum("ni,nj->nij", weighted, share[:, 1:])
    pairs[:, np.arange(k - 1), np.arange(k - 1)] += weighted
    blocks = (pairs.reshape(len(weights), -1).T @ rows.member_products).reshape(k - 1, k - 1, m, m)
    information = blocks.transpose(0, 2, 1, 3).reshape((k - 1) * m, (k - 1) * m)
    information[np.diag_indices(len(information))] += 1e-6 * weights.sum() / len(weights)
    step = np.linalg.solve(information, slope)
    step *= min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-12))
    return np.vstack([mixture.member[:1], mixture.member[1:] + step.reshape(k - 1, m)])


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted mixture, its log likelihood, and whether EM came to rest."""

    mixture: Mixture
    log_likelihood: float
    steps: int
    converged: bool


def fit(start: Mixture, rows: Rows, weights: FloatArray, *, steps: int = 500, tolerance: float = 1e-8) -> Fit:
    """Run EM with squared extrapolation (SQUAREM) until a cycle gains less than ``tolerance`` per respondent.

    Parameters
    ----------
    start : Mixture
    rows : Rows
    weights : array, shape (n,)
        Scaled to sum to the base.
    steps : int
        Most EM steps.
    tolerance : float

    Returns
    -------
    Fit

    References
    ----------
    Varadhan & Roland (2008), Scandinavian Journal of Statistics 35, 335–353.
    """
    now, safe, best = start, start, -np.inf
    for done in range(0, steps, 3):
        first, level = em_step(now, rows, weights)
        if level < best or not np.isfinite(level):  # the extrapolation overshot: on from the last plain step
            now = safe
            first, level = em_step(now, rows, weights)
        if done and level - best < tolerance * weights.sum():
            return Fit(now, level, done, True)
        best = level
        safe, _ = em_step(first, rows, weights)
        r, v = first.vector() - now.vector(), safe.vector() - 2 * first.vector() + now.vector()
        pace = min(max(float(np.sqrt(r @ r / max(v @ v, 1e-300))), 1.0), 32.0)
        now = start.like(now.vector() + 2 * pace * r + pace**2 * v) if pace > 1 else safe
    return Fit(safe, float(weights @ log_density(safe, rows)), steps, False)


def match(reference: FloatArray, other: FloatArray, weights: FloatArray) -> np.ndarray:
    """Order of the other solution's classes that shares most members with the reference.

    Parameters
    ----------
    reference, other : arrays, shape (n, k)
        Probabilities of the classes.
    weights : array, shape (n,)
    """
    from scipy.optimize import linear_sum_assignment

    return np.asarray(linear_sum_assignment(-(reference * weights[:, None]).T @ other)[1])
