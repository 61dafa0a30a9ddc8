"""Kernel: a path model estimated on the sample, and anew under every set of replicate weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from cxlab import pls
from cxlab.layers._estimate import Fit, Plan, fit, index_scales, plan, starts
from cxlab.layers._model import with_products, without_products
from cxlab.layers._prepare import Prepared
from cxlab.moments import replicate_moments, to_correlation

FloatArray = np.ndarray[Any, np.dtype[Any]]
_TOLERANCE = 1e-12  # largest change of a weight on the sample; replicates are content with 1e-7
_REPLICATES = 1e-7
_FLAT = 1e-12  # share of an item's variance under which none is left
_BLOCK = 256  # matrices worked on at once, so that they stay in the cache
_OPPOSED = 0.25  # share of negative weights in a construct's from which a weighted mean of its items is no index
_CELLS = 1 << 22  # rows × replicates whose products of scores are laid out at once


@dataclass(frozen=True, eq=False)
class Estimates:
    """What a model gives, once (batch of 1) or under each set of replicate weights.

    Constructs are those of the last stage, products of constructs (if any) first; items are those of the model.

    Attributes
    ----------
    paths : array, shape (batch, m, m)
        Standardised, from row to column. Of a product: by how much the path grows per standard deviation of the moderator.
    between : array, shape (batch, m, m)
        Correlations of constructs (corrected for reliability under PLSc), and ``scores``, those of their scores.
    outer : array, shape (batch, items, m)
        Weights of standardised items.
    loadings : array, shape (batch, indicators, m)
        Of the last stage's indicators.
    weights : array, shape (batch, indicators, m)
    r_squared, rho_a : array, shape (batch, m)
    impacts : array, shape (batch, m, m)
        Points of the column's 0–100 index that go with one point of the row's; NaN where a construct has no index.
    index : array, shape (batch, m)
        Means of the 0–100 indices; NaN of a construct that has none (:attr:`Kernel.opposed`).
    correlations : array, shape (batch, items, items)
    spread : array, shape (batch, items)
        Standard deviations of the items on 0–100, and ``means``, of the same shape.
    converged : bool array, shape (batch,)
        False as well where a number is not finite.
    flipped : int array, shape (m,)
    """

    paths: FloatArray
    between: FloatArray
    scores: FloatArray
    outer: FloatArray
    loadings: FloatArray
    weights: FloatArray
    r_squared: FloatArray
    rho_a: FloatArray
    impacts: FloatArray
    index: FloatArray
    correlations: FloatArray
    spread: FloatArray
    means: FloatArray
    converged: np.ndarray
    flipped: np.ndarray

    def sound(self) -> Estimates:
        """Those of the replicates that converged."""
        if self.converged.all():
            return self
        kept = {f.name: getattr(self, f.name)[self.converged] for f in fields(self) if f.name != "flipped"}
        return Estimates(**kept, flipped=self.flipped)

    def without_index(self, which: np.ndarray) -> Estimates:
        """The same without the indices of some constructs, bool of shape (m,)."""
        if not which.any():
            return self
        linked = self.paths != 0
        impacts = np.where(linked & (which[:, None] | which), np.nan, self.impacts)
        return replace(self, impacts=impacts, index=np.where(which, np.nan, self.index))

    @property
    def total(self) -> FloatArray:
        """Total effects, standardised, shape (batch, m, m)."""
        return pls.total_effects(self.paths)

    @property
    def total_impacts(self) -> FloatArray:
        """Total effects on the 0–100 indices, shape (batch, m, m)."""
        return pls.total_effects(self.impacts)


class Kernel:
    """A prepared model with its algorithm.

    Parameters
    ----------
    prepared : Prepared
    scheme : {"path", "factorial", "centroid"}
    consistent : bool
        PLSc: correct common factors for their reliability.
    """

    def __init__(self, prepared: Prepared, scheme: str = "path", consistent: bool = False) -> None:
        self.prepared, self.scheme, self.consistent = prepared, scheme, consistent
        model = prepared.model
        self.products = model.products
        self.plan: Plan = plan(with_products(model), scheme, consistent)
        self.plain: Plan = plan(without_products(model), scheme, consistent) if self.products else self.plan

    @property
    def names(self) -> tuple[str, ...]:
        """Constructs of the last stage, products first."""
        return self.plan.names

    @cached_property
    def sample(self) -> Estimates:
        """On the sample itself."""
        source = self.prepared.source
        weights = self.prepared.sample.weights[None] if self.products else None
        means, covariances = source.mean()[None], source.covariance()[None]
        found = self._estimates(means, covariances, weights, _TOLERANCE)
        return found.without_index(_opposed(found))

    @cached_property
    def opposed(self) -> np.ndarray:
        """Constructs whose items count against one another so much that their mean is no index, bool of shape (m,)."""
        return _opposed(self.sample)

    def replicates(self, count: int, seed: int) -> Estimates:
        """Under Rao–Wu replicate weights."""
        return self.under(self._drawn(count, seed))

    def under(
        self, drawn: Iterable[tuple[FloatArray, FloatArray, FloatArray | None]], tolerance: float = _REPLICATES
    ) -> Estimates:
        """Under other moments than the sample's, from whose weights the iteration starts.

        Parameters
        ----------
        drawn : iterable of (means, covariances, weights)
            Of shapes (b, items), (b, items, items) and (b, rows); weights are None in a model without products.
        tolerance : float
            Largest change of a weight in the last pass.
        """
        found = [self._estimates(means, covariances, weights, tolerance) for means, covariances, weights in drawn]
        parts = {
            f.name: np.concatenate([getattr(e, f.name) for e in found])
            for f in fields(Estimates)
            if f.name != "flipped"
        }
        return Estimates(**parts, flipped=np.sum([e.flipped for e in found], axis=0)).without_index(self.opposed)

    def _drawn(self, count: int, seed: int) -> Iterator[tuple[FloatArray, FloatArray, FloatArray | None]]:
        """Means, covariances and, where products need the rows, their weights (replicates, rows)."""
        if not self.products:
            for means, covariances in self.prepared.source.replicates(count, seed):
                for start in range(0, len(means), _BLOCK):
                    yield means[start : start + _BLOCK], covariances[start : start + _BLOCK], None
            return
        sample = self.prepared.sample
        step = max(1, _CELLS // len(sample.rows))
        for multipliers, piece in sample.design.bootstrap(count, seed, sample.rows):
            for start in range(0, len(multipliers), step):
                some = multipliers[start : start + step]
                found = replicate_moments(sample.columns, sample.weights, some, piece, sample.columns.mean(axis=0))
                yield found.mean(), found.covariance(), some[:, piece] * sample.weights

    @cached_property
    def _variances(self) -> FloatArray:
        """Of the items in the sample."""
        return np.diagonal(self.prepared.source.covariance())

    @cached_property
    def _starts(self) -> tuple[list[FloatArray] | None, list[FloatArray] | None]:
        """Weights of the sample's stages, from which replicates start: of the model without products, and of the whole."""
        correlations = to_correlation(self.prepared.source.covariance())[None]
        try:
            plain = fit(correlations, self.plain)
            first = starts(self.plain, plain, correlations)
            if not self.products:
                return first, None
            spread = self._spread(self.prepared.source.covariance()[None])
            moments = self.prepared.source.mean()[None], spread, correlations
            extended, _ = self._extended(plain.outer, moments, self.prepared.sample.weights[None])
            return first, starts(self.plan, fit(extended, self.plan), extended)
        except np.linalg.LinAlgError:  # of a sample that has no solution replicates may have one
            return None, None

    @staticmethod
    def _spread(covariances: FloatArray) -> FloatArray:
        """Standard deviations, shape (batch, items)."""
        return np.asarray(np.sqrt(np.diagonal(covariances, axis1=1, axis2=2)))

    def _estimates(
        self, means: FloatArray, covariances: FloatArray, weights: FloatArray | None, tolerance: float
    ) -> Estimates:
        flat = np.diagonal(covariances, axis1=1, axis2=2) < _FLAT * self._variances
        if flat.any():  # rounding of what no longer varies must not be scaled up to correlations
            covariances = np.where(flat[:, :, None] | flat[:, None, :], 0.0, covariances)
        correlations = to_correlation(covariances)
        spread = self._spread(covariances)
        begin, whole = (None, None) if tolerance == _TOLERANCE else self._starts
        found = _fitted(correlations, self.plain, begin, tolerance)
        raw = None
        if weights is not None:
            extended, raw = self._extended(found.outer, (means, spread, correlations), weights)
            found = _fitted(extended, self.plan, whole, tolerance)
        return self._described(found, means, spread, correlations, raw)

    def _extended(
        self, outer: FloatArray, moments: tuple[FloatArray, FloatArray, FloatArray], weights: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Correlations of products of scores and items, and the standard deviations of the products."""
        means, spread, correlations = moments
        columns = self.prepared.columns
        share = weights / weights.sum(axis=1, keepdims=True)
        products = []
        for name in self.products:
            parts = [self.plain.names.index(part) for part in name.split(":")]
            product = np.ones_like(share)
            for j in parts:
                direction = outer[:, :, j] / spread
                product *= direction @ columns.T - np.sum(direction * means, axis=1)[:, None]
            products.append(product - np.sum(share * product, axis=1)[:, None])
        q, k = len(products), columns.shape[1]
        out = np.empty((len(share), q + k, q + k))
        out[:, q:, q:] = correlations
        raw = np.sqrt(np.stack([np.sum(share * p**2, axis=1) for p in products], axis=1))
        for a, product in enumerate(products):
            weighted = share * product
            out[:, a, q:] = out[:, q:, a] = (weighted @ columns) / spread / raw[:, [a]]
            for b, other in enumerate(products[: a + 1]):
                out[:, a, b] = out[:, b, a] = np.sum(weighted * other, axis=1) / raw[:, a] / raw[:, b]
        return out, raw

    def _described(
        self, found: Fit, means: FloatArray, spread: FloatArray, correlations: FloatArray, raw: FloatArray | None
    ) -> Estimates:
        q, paths = len(self.products), found.paths.copy()
        outer = found.outer[:, q:]
        if raw is not None:
            paths[:, :q] /= raw[:, :, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = index_scales(outer, spread)  # 1 / standard deviation of the index
            share = outer / spread[:, :, None] / scale[:, None]
            true = scale / np.sqrt(np.where(self.plan.consistent, found.rho_a, 1.0))
            impacts = paths * true[:, :, None] / true[:, None, :]
        impacts[:, :q] = impacts[:, :, :q] = 0.0  # a product has no index
        index = np.einsum("bk,bkm->bm", means, share)
        index[:, :q] = np.nan
        finite = np.isfinite(found.paths).all(axis=(1, 2)) & np.isfinite(found.r_squared).all(axis=1)
        return Estimates(
            paths, found.between, found.scores_between, outer, found.loadings, found.weights, found.r_squared, found.rho_a,
            impacts, index, correlations, spread, means, found.converged & finite, found.flipped,
        )  # fmt: skip


def _opposed(sample: Estimates) -> np.ndarray:
    shares = sample.outer[0] / sample.spread[0][:, None]
    with np.errstate(invalid="ignore"):
        return np.asarray(np.maximum(-shares, 0).sum(axis=0) >= _OPPOSED * np.abs(shares).sum(axis=0)) & (
            shares != 0
        ).any(axis=0)


def _fitted(correlations: FloatArray, found: Plan, begin: Sequence[FloatArray] | None, tolerance: float) -> Fit:
    """Fit a batch; matrices that are not finite or cannot be solved do not stop the others."""
    sound = np.asarray(np.isfinite(correlations).all(axis=(1, 2)))
    if not sound.all():
        return _merged(
            [_unsolved(correlations, found, ~sound), _fitted(correlations[sound], found, begin, tolerance)], sound
        )
    try:
        return fit(correlations, found, start=begin, tolerance=tolerance)
    except np.linalg.LinAlgError:
        if len(correlations) == 1:
            return _unsolved(correlations, found, np.array([True]))
    half = (
        np.arange(len(correlations)) < len(correlations) // 2
    )  # halves, until the matrix that cannot be solved is alone
    parts = [
        _fitted(correlations[~half], found, begin, tolerance),
        _fitted(correlations[half], found, begin, tolerance),
    ]
    return _merged(parts, half)


def _merged(parts: Sequence[Fit], second: np.ndarray) -> Fit:
    """Two batches as one: where ``second`` is True, from the second."""
    out = {}
    for f in fields(Fit):
        first, other = (getattr(part, f.name) for part in parts)
        if f.name == "flipped":
            out[f.name] = first + other
            continue
        out[f.name] = np.empty((len(second), *first.shape[1:]), dtype=first.dtype)
        out[f.name][~second], out[f.name][second] = first, other
    return Fit(**out)


def _unsolved(correlations: FloatArray, found: Plan, which: np.ndarray) -> Fit:
    """All NaN, and not converged, for some matrices."""
    count, k, m, items = int(which.sum()), len(found.indicators), len(found.names), correlations.shape[-1]
    shapes = {"outer": (items, m), "loadings": (k, m), "weights": (k, m), "between": (m, m), "scores_between": (m, m),
              "paths": (m, m), "r_squared": (m,), "rho_a": (m,)}  # fmt: skip
    empty = {name: np.full((count, *shape), np.nan) for name, shape in shapes.items()}
    return Fit(**empty, converged=np.zeros(count, dtype=bool), flipped=np.zeros(m, dtype=np.intp))
