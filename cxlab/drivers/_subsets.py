"""Shapley values of a cumulative logit's likelihood: fits of all subsets, their replicates and null lines; arrays only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import linalg

from cxlab.likelihoods import CELLS, Fits, Graded, State, derivatives, fit, information, order_weights, row_loglik, state

FloatArray = np.ndarray[Any, np.dtype[Any]]
_WORDS = 1 << 22  # replicates × columns held at once


@dataclass(frozen=True, eq=False)
class Subsets:
    """All subsets of players over rows.

    Attributes
    ----------
    data : Graded
    players : tuple of tuples of int
        Columns of each player.
    always : tuple of int
        Columns that every subset holds.
    """

    data: Graded
    players: tuple[tuple[int, ...], ...]
    always: tuple[int, ...] = ()

    @cached_property
    def member(self) -> np.ndarray:
        """Players of each subset, bool of shape (2^p, p)."""
        return (np.arange(1 << len(self.players))[:, None] >> np.arange(len(self.players)) & 1).astype(bool)

    @cached_property
    def inside(self) -> np.ndarray:
        """Columns of each subset, bool of shape (2^p, c)."""
        out = np.zeros((len(self.member), self.data.x.shape[1]), dtype=bool)
        out[:, list(self.always)] = True
        for player, columns in enumerate(self.players):
            out[:, list(columns)] = self.member[:, [player]]
        return out

    @cached_property
    def weights(self) -> FloatArray:
        """From worths of subsets to Shapley values, shape (p, 2^p)."""
        return order_weights(len(self.players))

    def pieces(self, most: int = 1 << 30) -> Iterator[np.ndarray]:
        """Subsets with equally many columns, few enough to hold their rows at once; small ones first."""
        count = self.inside.sum(axis=1)
        size = max(1, min(most, CELLS // len(self.data.w)))
        for columns in np.unique(count):
            same = np.flatnonzero(count == columns)
            yield from np.split(same, range(size, len(same), size))

    @cached_property
    def fits(self) -> Fits:
        """Fits of every subset. Stops at the first that separates the answers: larger ones do as well."""
        c = self.data.thresholds + self.data.x.shape[1]
        out = Fits(*(np.zeros((len(self.member), *s), d) for s, d in (((c,), float), ((), float), ((), bool), ((), bool))))
        for ids in self.pieces():
            found = fit(self.data, self.inside[ids])
            out.parameters[ids], out.loglik[ids] = found.parameters, found.loglik
            out.settled[ids], out.endless[ids] = found.settled, found.endless
            if found.endless.any():
                break
        return out

    def importance(self) -> FloatArray:
        """Shapley values of McFadden's R², shape (p,)."""
        return self.weights @ self.fits.loglik / -self.data.null_loglik()

    def replicates(self, multipliers: FloatArray) -> FloatArray:
        """The same under replicate weights, shape (replicates, p).

        Parameters
        ----------
        multipliers : array, shape (replicates, rows)
            Of the weights of ``data``'s rows.

        Notes
        -----
        log L_r(S) ≈ Σ m w log L + s' H⁻¹ s / 2 at the fits of the full sample, with s the score under the replicate
        weights and H the full sample's information times the ratio of total weights.
        """
        w = self.data.w
        rows = np.zeros((len(w), len(self.players)))
        total = multipliers @ w
        deviations = ((multipliers - 1) * w).astype(np.float32)
        bent = np.zeros((len(multipliers), len(self.players)))
        for ids in self.pieces(max(1, _WORDS // (len(multipliers) * self.inside.shape[1]))):
            at = state(self.data, self.fits.parameters[ids])
            share = self.weights[:, ids].T
            rows += row_loglik(self.data, at) @ share
            bent += self._quadratic(ids, at, deviations) @ share
        first = (multipliers * w) @ rows
        return (first + bent * (len(w) / total)[:, None] / 2) / -self._null_loglik(multipliers)[:, None]

    def _null_loglik(self, multipliers: FloatArray) -> FloatArray:
        totals = np.add.reduceat(multipliers * self.data.w, self.data.bounds[:-1], axis=1)
        return np.einsum("rk,rk->r", totals, np.log(totals / totals.sum(axis=1, keepdims=True)))

    def _quadratic(self, ids: np.ndarray, at: State, deviations: FloatArray) -> FloatArray:
        """Score' information⁻¹ score under each set of replicate weights, shape (replicates, subsets)."""
        scores = self._scores(ids, at, deviations)
        root = self._roots(ids, at)
        return np.square(np.matmul(scores.transpose(1, 0, 2), root)).sum(axis=2).T

    def _roots(self, ids: np.ndarray, at: State) -> FloatArray:
        """Inverse roots of the information of each subset's own parameters: root rootᵀ = information⁻¹."""
        t, own = self.data.thresholds, self._own(ids)
        _, info = derivatives(self.data, at)
        place = np.concatenate([np.broadcast_to(np.arange(t), (len(ids), t)), t + own], axis=1)
        mine = np.take_along_axis(np.take_along_axis(info, place[:, :, None], 1), place[:, None, :], 2)
        lower = np.linalg.cholesky(mine)
        return np.linalg.inv(lower).transpose(0, 2, 1).astype(np.float32)

    def _own(self, ids: np.ndarray) -> np.ndarray:
        """Columns of subsets that hold equally many, shape (subsets, columns)."""
        return np.nonzero(self.inside[ids])[1].reshape(len(ids), -1)

    def _scores(self, ids: np.ndarray, at: State, deviations: FloatArray) -> FloatArray:
        """Scores of thresholds and own slopes, shape (replicates, subsets, T + columns)."""
        data, own, t = self.data, self._own(ids), self.data.thresholds
        out = np.empty((len(deviations), len(ids), t + own.shape[1]), dtype=np.float32)
        each = at.slope.astype(np.float32)[:, :, None] * data.x.astype(np.float32)[:, own]
        out[:, :, t:] = (deviations @ each.reshape(len(data.w), -1)).reshape(len(deviations), *own.shape)
        for k in range(t):
            low, high = data.rows_of(k), data.rows_of(k + 1)
            out[:, :, k] = deviations[:, low] @ at.above[low].astype(np.float32)
            out[:, :, k] -= deviations[:, high] @ at.below[high].astype(np.float32)
        for gap in range(t - 1):
            pull = deviations[:, data.rows_of(gap + 1)].sum(axis=1)[:, None] * at.gaps[:, gap].astype(np.float32)
            out[:, :, gap + 1] += pull
            out[:, :, gap] -= pull
        return out
