"""Relative weights of a logit (Tonidandel & LeBreton 2010); arrays only."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit

from cxlab.drivers._subsets import Subsets, first_step
from cxlab.errors import SurveyError
from cxlab.likelihoods import CELLS, Fits, derivatives, fit, state

FloatArray = np.ndarray[Any, np.dtype[Any]]
_SINGULAR = 1e-10


class RelativeWeights(Subsets):
    """The full model alone, its squared correlation of outcome and fitted probability shared out.

    Columns are X = ZΛ with Z uncorrelated and Λ the symmetric root of their correlations. With γ = Λβ the slopes on Z,
    the weights are Λ²γ² R² / γ'γ (elementwise squares): Z's shares of the linear predictor's variance, handed to X.
    """

    @cached_property
    def member(self) -> np.ndarray:
        """Each player alone, all but each, and all, bool of shape (2 p + 1, p)."""
        count = len(self.players)
        alone = np.eye(count, dtype=bool)
        return np.vstack([alone, ~alone, np.ones((1, count), dtype=bool)])

    @cached_property
    def fits(self) -> Fits:
        return fit(self.data, self.inside)

    @cached_property
    def events(self) -> FloatArray:
        """1 for rows with the event, 0 for others, shape (rows,)."""
        return (np.arange(len(self.data.w)) >= self.data.bounds[1]).astype(float)

    def importance(self) -> FloatArray:
        everyone = np.ones((1, len(self.data.w)))
        return self._weights(self.fits.parameters[-1:], everyone)[0]

    def replicates(self, multipliers: FloatArray) -> FloatArray:
        """The same under replicate weights, each fitted anew, shape (replicates, p)."""
        step = max(1, CELLS // len(self.data.w))
        out = []
        for start in range(0, len(multipliers), step):
            some = multipliers[start : start + step]
            inside = np.repeat(self.inside[-1:], len(some), axis=0)
            found = fit(self.data, inside, np.ascontiguousarray(some.T), self.fits.parameters[-1])
            if not found.settled.all():
                raise SurveyError(
                    f"{int((~found.settled).sum())} of {len(some)} replicates separate the outcome: the base of {len(self.data.w)} "
                    "is too small for intervals of relative weights; widen the filter, or use replicates=0."
                )
            out.append(self._weights(found.parameters, some))
        return np.concatenate(out)

    def null_gains(self, orders: np.ndarray) -> FloatArray:
        """Weight of each player after permutations of its answers, shape (permutations, p).

        The permuted columns join the fit of the others by one Newton step.
        """
        return np.column_stack([self._null(orders, player) for player in range(len(self.players))])

    def _weights(self, parameters: FloatArray, multipliers: FloatArray) -> FloatArray:
        """Weights by player from fits of the full model under replicate weights, shape (sets, p)."""
        w, x, t = multipliers * self.data.w, self.data.x, self.data.thresholds
        total = w.sum(axis=1)
        beta = parameters[:, t:]
        mean = w @ x / total[:, None]
        first, second = self.data.pairs
        covariance = np.empty((len(w), x.shape[1], x.shape[1]))
        products = (multipliers @ self.data.products) / total[:, None] - mean[:, first] * mean[:, second]
        covariance[:, first, second] = covariance[:, second, first] = products
        fitted = expit(x @ beta.T - parameters[:, :t].T).T
        return self._shared(covariance, beta, self._squared(fitted, w))

    def _squared(self, fitted: FloatArray, w: FloatArray) -> FloatArray:
        """Squared correlation of outcome and fitted probability, shape (sets,)."""
        total = w.sum(axis=1)
        rate, mean = w @ self.events / total, np.einsum("rn,rn->r", w, fitted) / total
        together = np.einsum("rn,rn->r", w * self.events, fitted) / total - rate * mean
        spread = np.einsum("rn,rn,rn->r", w, fitted, fitted) / total - mean**2
        return together**2 / (spread * rate * (1 - rate))

    def _shared(self, covariance: FloatArray, beta: FloatArray, squared: FloatArray) -> FloatArray:
        """Weights by player from covariances, slopes and what is to be shared out."""
        spread = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        roots, vectors = np.linalg.eigh(covariance / (spread[:, :, None] * spread[:, None, :]))
        if np.any(roots[:, 0] < _SINGULAR):
            raise SurveyError("drivers are exactly collinear: relative weights are undefined; leave one of them out.")
        root = np.einsum("rij,rj,rkj->rik", vectors, np.sqrt(roots), vectors)
        gamma = np.einsum("rij,rj->ri", root, beta * spread)
        own = np.einsum("rij,rj->ri", root**2, gamma**2) * (squared / np.sum(gamma**2, axis=1))[:, None]
        return np.column_stack([own[:, list(player)].sum(axis=1) for player in self.players])

    def _null(self, orders: np.ndarray, player: int) -> FloatArray:
        data, mine, less = self.data, list(self.players[player]), len(self.players) + player
        before = self.fits.parameters[less]
        at = state(data, before[None])
        shuffled = data.x[:, mine][orders]  # (permutations, rows, columns of the player)
        free = np.concatenate([[0], 1 + np.flatnonzero(self.inside[less])])
        columns = np.column_stack([-np.ones(len(data.w)), data.x])[:, free]
        bent = data.w * at.curvature[:, 0]
        across = np.einsum("kna,nb->kab", shuffled, bent[:, None] * columns)
        whole = np.einsum("kna,n,knb->kab", shuffled, bent, shuffled)
        solved = np.linalg.solve(derivatives(data, at)[1][0][np.ix_(free, free)], across.transpose(0, 2, 1))
        step = first_step(np.einsum("kna,n->ka", shuffled, data.w * at.slope[:, 0]), whole - across @ solved, whole)
        parameters = np.tile(before, (len(orders), 1))
        parameters[:, free] -= np.einsum("kba,ka->kb", solved, step)
        fitted = expit(parameters[:, 1:] @ data.x.T - parameters[:, :1] + np.einsum("kna,ka->kn", shuffled, step))
        beta = parameters[:, 1:]
        beta[:, mine] = step
        return self._shared(
            self._mixed(shuffled, mine), beta, self._squared(fitted, np.broadcast_to(data.w, fitted.shape))
        )[:, player]

    def _mixed(self, shuffled: FloatArray, mine: list[int]) -> FloatArray:
        """Covariances with some columns permuted, shape (permutations, c, c)."""
        x, share = self.data.x, self.data.w / self.data.w.sum()
        centred = shuffled - np.einsum("n,kna->ka", share, shuffled)[:, None]
        covariance = np.tile((x * share[:, None]).T @ x, (len(shuffled), 1, 1))
        across = np.einsum("kna,nb->kab", centred, x * share[:, None])
        covariance[:, mine, :], covariance[:, :, mine] = across, across.transpose(0, 2, 1)
        own = np.einsum("kna,n,knb->kab", centred, share, centred)
        covariance[np.ix_(range(len(shuffled)), mine, mine)] = own
        return covariance
