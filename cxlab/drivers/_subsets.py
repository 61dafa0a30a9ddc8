"""Shapley values of a cumulative logit's likelihood: fits of all subsets, their replicates and null lines; arrays only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cxlab.likelihoods import (
    CELLS,
    Fits,
    Graded,
    State,
    derivatives,
    fit,
    order_weights,
    row_loglik,
    state,
)

FloatArray = np.ndarray[Any, np.dtype[Any]]
_SPENT = 1e-4  # share of a permuted column left, given a subset, under which it adds nothing
_SHUFFLED = 1 << 26  # permuted answers held at once
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
        out = Fits(
            *(np.zeros((len(self.member), *s), d) for s, d in (((c,), float), ((), float), ((), bool), ((), bool)))
        )
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

    def moved(self, multipliers: FloatArray) -> FloatArray:
        """Parameters of the full model under replicate weights by one Newton step, shape (replicates, T + c)."""
        ids = np.array([len(self.member) - 1])
        at = state(self.data, self.fits.parameters[ids])
        scores = self._scores(ids, at, ((multipliers - 1) * self.data.w).astype(np.float32))[:, 0]
        steps = np.linalg.solve(derivatives(self.data, at)[1][0], scores.T.astype(float)).T
        return self.fits.parameters[-1] + steps * (self.data.w.sum() / (multipliers @ self.data.w))[:, None]

    def _null_loglik(self, multipliers: FloatArray) -> FloatArray:
        """Log-likelihood without columns under replicate weights, shape (replicates,)."""
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

    def null_gains(self, orders: np.ndarray) -> FloatArray:
        """Importance of each player after each of several permutations of its answers, shape (permutations, p).

        Parameters
        ----------
        orders : int array, shape (permutations, rows)
            For every row of ``data`` the row whose answers it gets.

        Notes
        -----
        The gain of log-likelihood when a permuted player joins a subset is taken from the score test, s' I⁻¹ s / 2
        with I its information given the subset's columns; the fits without the player are those of the sample.
        """
        step = max(1, _SHUFFLED // self.data.x.size)
        return np.concatenate([self._null_gains(orders[i : i + step]) for i in range(0, len(orders), step)])

    def _null_gains(self, orders: np.ndarray) -> FloatArray:
        shuffled = self.data.x.astype(np.float32).T[:, orders]
        out = np.zeros((len(orders), len(self.players)))
        for ids in self.pieces(max(1, _WORDS // (len(orders) * self.inside.shape[1]))):
            at = state(self.data, self.fits.parameters[ids])
            root = self._roots(ids, at)
            for player, columns in enumerate(self.players):
                lacks = np.flatnonzero(~self.member[ids, player])
                if len(lacks):
                    gains = self._gains(ids[lacks], at.of(lacks), root[lacks], shuffled[list(columns)])
                    out[:, player] -= gains @ self.weights[player, ids[lacks]]
        return out

    def _gains(self, ids: np.ndarray, at: State, root: FloatArray, columns: FloatArray) -> FloatArray:
        """What permuted columns, shape (columns, permutations, rows), add to each subset, shape (permutations, subsets)."""
        score, step = self._joining(ids, at, root, columns)
        return np.einsum("...a,...a->...", score, step) / (-2 * self.data.null_loglik())

    def _joining(
        self, ids: np.ndarray, at: State, root: FloatArray, columns: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Scores of permuted columns given each subset, and the slopes they would get: (permutations, subsets, columns)."""
        w = self.data.w[:, None]
        slope, curvature = (w * at.slope).astype(np.float32), (w * at.curvature).astype(np.float32)
        score = np.stack([a @ slope for a in columns], axis=-1)
        across = np.stack([self._across(ids, at, curvature, a) for a in columns], axis=2)
        across = np.matmul(across.transpose(1, 0, 2, 3), root[:, None]).transpose(1, 0, 2, 3)
        whole = np.stack([np.stack([(a * b) @ curvature for a in columns], -1) for b in columns], -1)
        left = whole - across @ across.transpose(0, 1, 3, 2)
        return score, first_step(score.astype(float), left.astype(float), whole.astype(float))

    def _across(self, ids: np.ndarray, at: State, curvature: FloatArray, column: FloatArray) -> FloatArray:
        """Information between permuted columns and a subset's parameters, shape (permutations, subsets, T + columns)."""
        data, own, t = self.data, self._own(ids), self.data.thresholds
        out = np.empty((len(column), len(ids), t + own.shape[1]), dtype=np.float32)
        each = curvature[:, :, None] * data.x.astype(np.float32)[:, own]
        out[:, :, t:] = (column @ each.reshape(len(data.w), -1)).reshape(len(column), *own.shape)
        for k in range(t):
            low, high = data.rows_of(k), data.rows_of(k + 1)
            up, down = at.above[low], at.below[high]
            out[:, :, k] = -column[:, low] @ (data.w[low, None] * up * (1 - up)).astype(np.float32)
            out[:, :, k] -= column[:, high] @ (data.w[high, None] * down * (1 - down)).astype(np.float32)
        return out


def first_step(score: FloatArray, left: FloatArray, whole: FloatArray) -> FloatArray:
    """left⁻¹ score over the last axis; nothing where next to nothing of a column is left."""
    if score.shape[-1] == 1:
        clear = left[..., 0] > _SPENT * whole[..., 0]
        return np.divide(score, left[..., 0], out=np.zeros(clear.shape), where=clear)
    return np.einsum("...ab,...b->...a", np.linalg.pinv(left, rcond=_SPENT, hermitian=True), score)
