"""Regression on few clusters: CR2 errors with Satterthwaite degrees of freedom, and the wild cluster bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, Literal

import numpy as np
from scipy import stats

FloatArray = np.ndarray[Any, np.dtype[Any]]
Weights = Literal["rademacher", "webb"]
_RADEMACHER_FROM = 11  # clusters from which two-point weights leave enough different draws
_ENUMERATED = 1 << 13
_TIED = 1e-9  # relative; draws that equal the observed statistic but for rounding count as equal
_WEBB = np.sqrt([0.5, 1.0, 1.5])


@dataclass(frozen=True, eq=False)
class FewClusters:
    """Least squares of one focal column, the others partialled out, laid out by cluster. Made by :func:`few_clusters`.

    Attributes
    ----------
    focal, outcome, residual : array, shape (clusters, n)
        What the other columns leave of the focal column and the outcome, and what both leave; 0 where a cluster has fewer than n rows.
    others : array, shape (clusters, n, q)
        Orthonormal columns that span the others.
    size : float
        Sum of squares of the focal column.
    estimate : float
        Its coefficient; NaN where the others determine it.
    rows, columns : int
        Rows; coefficients that are estimated, absorbed cluster effects among them.
    """

    focal: FloatArray
    outcome: FloatArray
    residual: FloatArray
    others: FloatArray
    size: float
    estimate: float
    rows: int
    columns: int

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return len(self.focal)

    @cached_property
    def cr1_se(self) -> float:
        """Standard error with the factor G/(G − 1)·(N − 1)/(N − p), which is too small where clusters are few."""
        g, n = self.clusters, self.rows
        factor = g / (g - 1) * (n - 1) / max(n - self.columns, 1)
        return float(np.sqrt(factor * np.sum(self._scores(self.residual) ** 2)) / self.size)

    @cached_property
    def cr2(self) -> tuple[float, float]:
        """Standard error and degrees of freedom.

        Notes
        -----
        V = Σ_g (p_g' A_g e_g)² with A_g = (I − H_gg)^−½ (symmetric, generalised inverse) and p the focal row of
        (X'X)⁻¹X'; unbiased if errors are independent with one variance. ν = (Σ_g G_gg)² / Σ_gh G_gh², where
        G_gh = p_g'A_g (I − H)_gh A_h p_h. Cluster effects may be absorbed beforehand: A_g is the same.
        """
        if not np.isfinite(self.estimate):
            return float("nan"), float("nan")
        x = np.concatenate([self.focal[..., None] / np.sqrt(self.size), self.others], axis=2)
        values, vectors = np.linalg.eigh(np.eye(x.shape[1]) - x @ x.transpose(0, 2, 1))
        kept = values > _KEPT
        roots = np.where(kept, 1 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
        turned = np.einsum("gnm,gn->gm", vectors, self.focal / self.size)
        s = np.einsum("gnm,gm->gn", vectors, roots * turned)
        across = np.einsum("gnp,gn->gp", x, s)
        g = np.diag(np.sum(s**2, axis=1)) - across @ across.T
        variance = float(np.sum(np.sum(s * self.residual, axis=1) ** 2))
        return float(np.sqrt(variance)), float(np.trace(g) ** 2 / np.sum(g**2))

    def interval(self, level: float = 0.95) -> tuple[float, float, float]:
        """Ends of the CR2 interval and the p-value of no effect."""
        se, df = self.cr2
        half = float(stats.t.ppf(0.5 + level / 2, df)) * se
        p = 2 * float(stats.t.sf(abs(self.estimate) / se, df)) if se > 0 else float("nan")
        return self.estimate - half, self.estimate + half, p

    def wild(self, draws: int = 9999, seed: int = 0, weights: Weights | None = None) -> Wild:
        """Draw the wild cluster bootstrap with the null imposed.

        Parameters
        ----------
        draws : int
            Draws where the weights are too many to be enumerated.
        seed : int
        weights : {"rademacher", "webb"}, optional
            Two-point weights from 11 clusters on, Webb's six-point weights below.

        Notes
        -----
        y* = fit under β = β₀ + v_g ẽ_g with the restricted residuals ẽ; t* = (β* − β₀) / se*, CR1. Numerator and
        squared denominator are quadratic in β₀, so one set of draws serves every β₀.
        """
        v, complete = cluster_weights(self.clusters, draws, seed, weights)
        x = np.concatenate([self.focal[..., None] / np.sqrt(self.size), self.others], axis=2)
        left = np.einsum("gnp,gn->gp", x, self.focal)
        ratio = []
        for part in (self.outcome, self.focal):
            own = self._scores(part)
            spread = np.diag(own) - left @ np.einsum("gnp,gn->gp", x, part).T
            ratio.append((v @ own, v @ spread.T))
        (top_y, spread_y), (top_x, spread_x) = ratio
        square = (np.sum(spread_y**2, axis=1), np.sum(spread_y * spread_x, axis=1), np.sum(spread_x**2, axis=1))
        return Wild(self, (top_y, top_x), square, complete, weights_for(self.clusters, weights))

    def _scores(self, values: FloatArray) -> FloatArray:
        return np.asarray(np.sum(self.focal * values, axis=1))


_KEPT = 1e-10  # eigenvalues of I − H_gg under it are directions that a cluster has to itself


@dataclass(frozen=True, eq=False)
class Wild:
    """Draws of the wild cluster bootstrap for every null value.

    Attributes
    ----------
    fit : FewClusters
    top : two arrays, shape (draws,)
        Numerator of t*: ``top[0] − β₀ top[1]``.
    square : three arrays, shape (draws,)
        Squared denominator: ``square[0] − 2 β₀ square[1] + β₀² square[2]``.
    complete : bool
        Whether every weight vector was enumerated (up to a common sign).
    weights : {"rademacher", "webb"}
    """

    fit: FewClusters
    top: tuple[FloatArray, FloatArray]
    square: tuple[FloatArray, FloatArray, FloatArray]
    complete: bool
    weights: Weights

    @property
    def draws(self) -> int:
        """Weight vectors behind a p-value, those that differ by a common sign counted once."""
        return len(self.top[0])

    def p_value(self, null: float = 0.0) -> float:
        """Share of draws whose |t*| is at least the observed |t| under β = null.

        The observed sample counts as a draw: among the enumerated ones it is one, to others it is added.
        """
        fit = self.fit
        observed = (fit.estimate - null) ** 2 * fit.size**2 / np.sum(fit._scores(fit.residual) ** 2)
        top = (self.top[0] - null * self.top[1]) ** 2
        bottom = self.square[0] - 2 * null * self.square[1] + null**2 * self.square[2]
        beyond = int(np.sum(top >= observed * (1 - _TIED) * np.maximum(bottom, 0.0)))
        return beyond / self.draws if self.complete else (beyond + 1) / (self.draws + 1)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Values that the test does not reject; an end is infinite where it rejects none on that side."""
        se, df = self.fit.cr2
        step = float(stats.t.ppf(0.5 + level / 2, df)) * se
        if not (np.isfinite(step) and step > 0):
            return float("nan"), float("nan")
        return self._end(-step, 1 - level), self._end(step, 1 - level)

    def _end(self, step: float, alpha: float) -> float:
        """Where the p-value falls under alpha, by doubling and bisection from the estimate."""
        inside, outside = 0.0, 1.0
        while self.p_value(self.fit.estimate + outside * step) >= alpha:
            inside, outside = outside, 2 * outside
            if outside > _FAR:
                return float(np.sign(step) * np.inf)
        while outside - inside > _CLOSE:
            middle = (inside + outside) / 2
            if self.p_value(self.fit.estimate + middle * step) >= alpha:
                inside = middle
            else:
                outside = middle
        return self.fit.estimate + outside * step


_FAR, _CLOSE = 1 << 12, 1e-6  # in half widths of the CR2 interval


def few_clusters(
    outcome: FloatArray, focal: FloatArray, others: FloatArray, cluster: np.ndarray, *, absorb: bool = False
) -> FewClusters:
    """Regress on a focal column, beside others, for inference with few clusters.

    Parameters
    ----------
    outcome, focal : array, shape (rows,)
    others : array, shape (rows, q)
        Further columns; a constant among them unless ``absorb``. They may repeat one another.
    cluster : array, shape (rows,)
    absorb : bool
        Whether a fixed effect of every cluster is taken out first.

    Returns
    -------
    FewClusters

    References
    ----------
    Bell & McCaffrey (2002), Survey Methodology 28, 169–181. Pustejovsky & Tipton (2018), Journal of Business &
    Economic Statistics 36, 672–683 (R: ``clubSandwich``). Cameron, Gelbach & Miller (2008), Review of Economics and
    Statistics 90, 414–427. Webb (2023), Canadian Journal of Economics 56, 839–858.

    Examples
    --------
    >>> cluster = np.repeat(np.arange(6), 2)
    >>> x = np.array([1.0, 2, 2, 3, 1, 1, 4, 5, 2, 4, 3, 1])
    >>> fit = few_clusters(2 * x + np.array([0.3, -0.1] * 6), x, np.ones((12, 1)), cluster)
    >>> round(fit.estimate, 3), [round(v, 3) for v in fit.cr2]
    (1.971, [0.032, 2.959])
    """
    _, own, counts = np.unique(cluster, return_inverse=True, return_counts=True)
    x = np.column_stack([outcome, focal, others]).astype(float)
    whole = np.linalg.norm(x - x.mean(axis=0), axis=0)
    if absorb:
        x -= np.column_stack([np.bincount(own, c, len(counts)) for c in x.T])[own] / counts[own, None]
    basis = _basis(x[:, 2:])
    y, z = (x[:, :2] - basis @ (basis.T @ x[:, :2])).T
    size = float(z @ z)
    told = size > (1e-7 * whole[1]) ** 2
    b = float(z @ y) / size if told else float("nan")
    place = np.full((len(counts), counts.max()), len(x))
    order = np.argsort(own, kind="stable")
    place[own[order], np.arange(len(x)) - np.repeat(np.cumsum(counts) - counts, counts)] = order
    laid = np.vstack([np.column_stack([z, y, y - b * z, basis]), np.zeros(3 + basis.shape[1])])[place]
    return FewClusters(
        laid[..., 0], laid[..., 1], laid[..., 2], laid[..., 3:], size, b, len(x), 1 + basis.shape[1] + absorb * len(counts)
    )  # fmt: skip


def _basis(columns: FloatArray) -> FloatArray:
    """Orthonormal columns that span the given ones."""
    norm = np.linalg.norm(columns, axis=0)
    kept = columns[:, norm > 0] / norm[norm > 0]
    if not kept.shape[1]:
        return np.zeros((len(columns), 0))
    u, values, _ = np.linalg.svd(kept, full_matrices=False)
    return np.asarray(u[:, values > 1e-9 * values[0]])


def weights_for(clusters: int, weights: Weights | None = None) -> Weights:
    """Weights that are drawn: as wanted, else two-point ones from 11 clusters on and Webb's below."""
    return weights or ("rademacher" if clusters >= _RADEMACHER_FROM else "webb")


def cluster_weights(
    clusters: int, draws: int = 9999, seed: int = 0, weights: Weights | None = None
) -> tuple[FloatArray, bool]:
    """Weights of the wild bootstrap, enumerated where they are few.

    Parameters
    ----------
    clusters, draws, seed : int
    weights : {"rademacher", "webb"}, optional

    Returns
    -------
    array, shape (draws, clusters), and whether it holds all weight vectors up to a common sign.

    Examples
    --------
    >>> v, complete = cluster_weights(12)
    >>> v.shape, complete
    ((2048, 12), True)
    """
    two = weights_for(clusters, weights) == "rademacher"
    points = np.array([-1.0, 1.0]) if two else np.concatenate([-_WEBB, _WEBB])
    if len(points) ** clusters // 2 <= _ENUMERATED:
        return _every(tuple(points), clusters), True
    return np.random.default_rng(seed).choice(points, size=(draws, clusters)), False


@lru_cache(maxsize=8)
def _every(points: tuple[float, ...], clusters: int) -> FloatArray:
    """All weight vectors whose first weight is positive: |t*| of v and −v are equal."""
    out = np.array(list(product([p for p in points if p > 0], *[points] * (clusters - 1))))
    out.setflags(write=False)
    return out
