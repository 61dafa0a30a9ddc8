"""How many types, from which starts, how sure: selection, held-out likelihood, replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import Design
from cxlab.segments._types_em import Fit, Mixture, Rows, fit, log_density, match, posterior
from cxlab.segments._types_prepare import Prepared

FloatArray = np.ndarray[Any, np.dtype[Any]]
SHORT, LONG = 15, 4  # EM steps of a first look, starts that are followed to the end
SAME = 0.1  # log likelihoods closer than this are the same solution


@dataclass(frozen=True, eq=False)
class Search:
    """The best fit of k classes, the seed it came from, and how many of the long runs found it."""

    fit: Fit
    seed: tuple[int, int, int]
    reached: int
    followed: int


def random_start(rows: Rows, weights: FloatArray, k: int, seed: Sequence[int]) -> Mixture:
    """Least squares with slopes moved at random, each by about its share of the residual spread."""
    root = np.sqrt(weights)[:, None]
    full = np.hstack([rows.own, rows.shared])
    solved = np.linalg.lstsq(full * root, rows.outcome * root[:, 0], rcond=None)[0]
    residual = float(np.sqrt(weights @ (rows.outcome - full @ solved) ** 2 / weights.sum()))
    q = rows.own.shape[1]
    spread = np.r_[1.0, rows.own[:, 1:].std(axis=0)]
    noise = np.random.default_rng(list(seed)).normal(size=(k, q)) if k > 1 else np.zeros((1, q))
    return Mixture(solved[:q] + 0.7 * noise * residual / spread, solved[q:], np.full(k, max(residual, 1e-6)),
                   np.zeros((k, rows.member.shape[1])))  # fmt: skip


def search(rows: Rows, weights: FloatArray, k: int, starts: int, seed: int) -> Search:
    """Many short runs of EM, the best of them to the end."""
    seeds = [(seed, k, i) for i in range(starts if k > 1 else 1)]
    looks = [fit(random_start(rows, weights, k, s), rows, weights, steps=SHORT) for s in seeds]
    order = np.argsort([-f.log_likelihood for f in looks], kind="stable")[:LONG]
    done = [fit(looks[i].mixture, rows, weights) for i in order]
    best = int(np.argmax([f.log_likelihood for f in done]))
    top = done[best].log_likelihood
    return Search(done[best], seeds[order[best]], sum(top - f.log_likelihood < SAME for f in done), len(done))


def folds_of(design: Design, unit: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Fold of each row: whole PSUs, dealt in turn within strata."""
    rng = np.random.default_rng([seed, 1])
    order = np.lexsort((rng.random(len(design.stratum)), design.stratum))
    fold = np.empty(len(order), dtype=int)
    fold[order] = np.arange(len(order)) % folds
    return fold[unit]


def held_out(prepared: Prepared, start: Mixture, fold: np.ndarray) -> float:
    """Mean log likelihood per respondent of rows that did not take part in the fit."""
    gained = 0.0
    for f in range(int(fold.max()) + 1):
        inside = fold != f
        weights = prepared.weights[inside] * inside.sum() / prepared.weights[inside].sum()
        fitted = fit(start, prepared.rows.take(inside), weights, steps=300, tolerance=1e-6)
        left = ~inside
        gained += float(prepared.weights[left] @ log_density(fitted.mixture, prepared.rows.take(left)))
    return gained / float(prepared.weights.sum())


def select(
    prepared: Prepared, counts: Sequence[int], starts: int, folds: int, seed: int
) -> tuple[dict[int, Search], pd.DataFrame]:
    """Fit every k; the table has log likelihood, BIC and held-out likelihood of each."""
    base = len(prepared.weights)
    unit = prepared.design.psu[prepared.where]
    fold = folds_of(prepared.design, unit, folds, seed)
    found, rows = {}, []
    for k in counts:
        result = search(prepared.rows, prepared.weights, k, starts, seed)
        best = result.fit
        found[k] = result
        outside = held_out(prepared, best.mixture, fold) if len(counts) > 1 else float("nan")
        rows.append(
            {
                "k": k, "parameters": best.mixture.parameters, "log_likelihood": best.log_likelihood,
                "bic": -2 * best.log_likelihood + best.mixture.parameters * np.log(base), "held_out": outside,
                "seed": str(result.seed), "reached": result.reached, "followed": result.followed,
                "converged": best.converged,
            }
        )  # fmt: skip
    return found, pd.DataFrame(rows)


@dataclass(frozen=True, eq=False)
class Replicates:
    """Parameters under each set of replicate weights.

    Attributes
    ----------
    vectors : array, shape (replicates, parameters)
    shares : array, shape (replicates, k)
    switched : int
        Replicates whose classes had to be put back into the order of the full sample.
    unfinished : int
        Replicates whose EM had not come to rest.
    """

    vectors: FloatArray
    shares: FloatArray
    switched: int
    unfinished: int


def replicate(prepared: Prepared, mixture: Mixture, replicates: int, seed: int) -> Replicates:
    """Refit under Rao–Wu replicate weights, from the full-sample solution, classes matched to it by members."""
    rows, base = prepared.rows, len(prepared.weights)
    reference = posterior(mixture, rows)
    unit = prepared.design.psu[prepared.where]
    used = np.zeros(len(prepared.design.stratum), dtype=bool)
    used[unit] = True
    place = (np.cumsum(used) - 1)[unit]
    vectors, shares, switched, unfinished = [], [], 0, 0
    for multipliers in prepared.design.rao_wu(replicates, seed, used):
        for m in multipliers:
            weights = prepared.weights * m[place]
            weights = weights * base / weights.sum()
            inside = weights > 0
            part = rows.take(inside)
            fitted = fit(mixture, part, weights[inside], steps=150, tolerance=1e-6)
            order = match(reference[inside], posterior(fitted.mixture, part), weights[inside])
            own = fitted.mixture.ordered(order)
            switched += bool((order != np.arange(len(order))).any())
            unfinished += not fitted.converged
            vectors.append(own.vector())
            shares.append(weights[inside] @ posterior(own, part) / base)
    return Replicates(np.array(vectors), np.array(shares), switched, unfinished)
