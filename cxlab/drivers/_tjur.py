"""Shapley values of Tjur's D, the difference of the mean fitted probability between events and others; arrays only."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from cxlab.drivers._subsets import Subsets
from cxlab.likelihoods import State, state

FloatArray = np.ndarray[Any, np.dtype[Any]]
_WORDS = 1 << 22  # replicates × columns held at once


class TjurSubsets(Subsets):
    """All subsets of players of a logit, worth their D = cov(y, p) / var(y)."""

    @cached_property
    def events(self) -> FloatArray:
        """1 for rows with the event, 0 for others, shape (rows,)."""
        return (np.arange(len(self.data.w)) >= self.data.bounds[1]).astype(float)

    @cached_property
    def centred(self) -> FloatArray:
        """Events less their rate, shape (rows,)."""
        return self.events - np.average(self.events, weights=self.data.w)

    @cached_property
    def variance(self) -> float:
        """Variance of the event times the sum of weights."""
        return float(self.data.w @ self.centred**2)

    def probabilities(self, at: State) -> FloatArray:
        """Fitted probability of the event, shape (rows, subsets)."""
        return np.where(self.events[:, None] > 0, 1 - at.below, at.above)

    def importance(self) -> FloatArray:
        """Shapley values of D, shape (p,)."""
        out = np.zeros(len(self.players))
        for ids in self.pieces():
            fitted = self.probabilities(state(self.data, self.fits.parameters[ids]))
            out += self.weights[:, ids] @ ((self.data.w * self.centred) @ fitted)
        return out / self.variance

    def replicates(self, multipliers: FloatArray) -> FloatArray:
        """The same under replicate weights, shape (replicates, p).

        Notes
        -----
        D is carried to second order in the change of the weights: fitted probabilities, the step of the parameters
        (whose second-order part matters, since D is not at its maximum), and the rate of the event.
        """
        w, count = self.data.w, len(multipliers)
        total = multipliers @ w
        shift = (multipliers @ (w * self.events)) / total - np.average(self.events, weights=w)
        deviations = ((multipliers - 1) * w).astype(np.float32)
        rows, bent = np.zeros((len(w), len(self.players))), np.zeros((count, len(self.players)))
        for ids in self.pieces(max(1, _WORDS // (count * self.inside.shape[1]))):
            at, share = state(self.data, self.fits.parameters[ids]), self.weights[:, ids].T
            rows += self.probabilities(at) @ share
            bent += self._moved(ids, at, deviations, shift) @ share
        rate = shift + np.average(self.events, weights=w)
        first = (multipliers * (w * self.events)) @ rows - rate[:, None] * ((multipliers * w) @ rows)
        return (first + bent) / (total * rate * (1 - rate))[:, None]

    def _moved(self, ids: np.ndarray, at: State, deviations: FloatArray, shift: FloatArray) -> FloatArray:
        """Change of cov(y, p), times the sum of weights, as the parameters move, shape (replicates, subsets)."""
        root = self._roots(ids, at).astype(float)
        inverse = root @ root.transpose(0, 2, 1)
        pull, rest = self._pull(ids, at, inverse)
        columns, w = self._columns(ids), self.data.w[:, None]
        step = np.matmul(
            self._scores(ids, at, deviations).transpose(1, 0, 2), inverse
        )  # (subsets, replicates, T + own)
        moved = self._weighted_sums(ids, at.curvature * rest, deviations).transpose(1, 0, 2)
        mean = self._sums(ids, w * at.curvature)
        bend = (w * at.curvature * (1 - 2 * self.probabilities(at)) * rest)[:, :, None] * columns
        curve = np.matmul(bend.transpose(1, 2, 0), columns.transpose(1, 0, 2))
        linear = pull[:, None] + moved - shift[None, :, None] * mean[:, None]
        return np.einsum("bri,bri->rb", step, linear + np.matmul(step, curve) / 2)

    def _pull(self, ids: np.ndarray, at: State, inverse: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradient of cov(y, p), shape (subsets, T + own), and what its direction leaves of the events, (rows, subsets)."""
        pull = self._sums(ids, (self.data.w * self.centred)[:, None] * at.curvature)
        along = np.einsum("bij,bj->bi", inverse, pull)
        slopes = np.zeros((len(ids), self.data.x.shape[1]))
        np.put_along_axis(slopes, self._own(ids), along[:, 1:], axis=1)
        return pull, self.centred[:, None] + along[:, 0] - self.data.x @ slopes.T

    def _sums(self, ids: np.ndarray, values: FloatArray) -> FloatArray:
        """Sums of values (rows, subsets) × a subset's columns, shape (subsets, T + own)."""
        own = np.take_along_axis(values.T @ self.data.x, self._own(ids), axis=1)
        return np.concatenate([-values.sum(axis=0)[:, None], own], axis=1)

    def _columns(self, ids: np.ndarray) -> FloatArray:
        """Derivatives of the linear predictor by a subset's own parameters, shape (rows, subsets, T + own)."""
        own = self.data.x[:, self._own(ids)]
        return np.concatenate([np.full((*own.shape[:2], 1), -1.0), own], axis=2)

    def _weighted_sums(self, ids: np.ndarray, values: FloatArray, deviations: FloatArray) -> FloatArray:
        """Sums of values × columns under changes of the weights, shape (replicates, subsets, T + own)."""
        each = (values[:, :, None] * self._columns(ids)).astype(np.float32)
        return (deviations @ each.reshape(len(each), -1)).reshape(len(deviations), *each.shape[1:])

    def _gains(self, ids: np.ndarray, at: State, root: FloatArray, columns: FloatArray) -> FloatArray:
        """What permuted columns add to D, to second order in their slopes; all but their mean is unrelated to the subset."""
        _, step = self._joining(ids, at, root, columns)
        root = root.astype(float)
        _, rest = self._pull(ids, at, root @ root.transpose(0, 2, 1))
        curvature = (self.data.w[:, None] * at.curvature).astype(np.float32)
        pulled = curvature * rest.astype(np.float32)
        bend = pulled * (1 - 2 * self.probabilities(at)).astype(np.float32)
        first = np.stack([a @ pulled for a in columns], axis=-1)
        means = np.stack([a @ curvature for a in columns], axis=-1) / curvature.sum(axis=0)[:, None]
        sums = np.stack([a @ bend for a in columns], axis=-1)
        inner = np.stack([np.stack([(a * b) @ bend for a in columns], -1) for b in columns], -1)
        cross = means[..., :, None] * sums[..., None, :]
        inner = inner - cross - np.swapaxes(cross, -1, -2)
        inner += means[..., :, None] * means[..., None, :] * bend.sum(axis=0)[:, None, None]
        curve = np.einsum("...a,...ab,...b->...", step, inner, step)
        return (np.einsum("...a,...a->...", step, first) + curve / 2) / self.variance
