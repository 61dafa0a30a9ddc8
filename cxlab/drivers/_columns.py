"""Columns of the headline table: what a kernel found, as people read it."""

from __future__ import annotations

from typing import Any

import numpy as np

from cxlab.contrasts import rank_sets, ranks
from cxlab.drivers._kernels import Draws, Kernel, Slopes
from cxlab.drivers._prepare import Prepared
from cxlab.drivers._result import percentiles
from cxlab.moments import to_correlation, weighted_moments
from cxlab.result import reliability


def effects(found: Kernel, draws: Draws | None, level: float) -> Slopes:
    """Effects; without replicates only the points, so that no interval stands beside importances that have none."""
    slopes = found.slopes(level, draws)
    if draws is not None:
        return slopes
    empty = np.full(len(slopes.estimate), np.nan)
    extra = {name: empty if name.endswith("_se") else values for name, values in slopes.extra.items()}
    return Slopes(slopes.estimate, empty, empty, empty, empty, slopes.base_effective, extra)


def point_columns(prepared: Prepared, importance: np.ndarray, effects: Slopes) -> dict[str, Any]:
    """Columns that need no replicates, in the order of the table."""
    p = len(importance)
    empty, nobody = np.full(p, np.nan), np.zeros(p, dtype=bool)
    covariance, number = prepared.source.covariance(), prepared.first >= 0
    spread = np.sqrt(np.diagonal(covariance))
    marginal, performance = among_those_who_met(prepared, covariance)
    against = (
        (np.sign(effects.estimate) != np.sign(marginal)) & (effects.p_value < 0.05) & number
    )  # NaN without intervals
    return {
        "driver": prepared.drivers, "block": prepared.blocks, "importance": importance, "importance_low": empty,
        "importance_high": empty, "share": importance / importance.sum(), "share_low": empty, "share_high": empty,
        "rank": ranks(importance), "rank_low": 1, "rank_high": p, "top1": empty, "top3": empty,
        "estimate": effects.estimate, "se": effects.se, "low": effects.low, "high": effects.high,
        "p_value": effects.p_value, **effects.extra, "standardised": effects.estimate * spread[prepared.first] / spread[-1],
        "correlation": marginal, "sign_flip": against,
        "performance": performance, "null_line": empty,
        "distinguishable": ~nobody, "base": prepared.bases, "base_effective": effects.base_effective,
        "reliability": reliability(np.minimum(effects.base_effective, prepared.bases)),  # strata lend no respondents
    }  # fmt: skip


def among_those_who_met(prepared: Prepared, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlation with the outcome and mean of each driver, shape (p,); NaN for a factor.

    Where some did not meet what a driver asks about they stand at a constant, which would dilute both: there the two are of
    those who met it and answered.
    """
    number = prepared.first >= 0
    correlation = np.where(number, to_correlation(covariance)[prepared.first, -1], np.nan)
    mean = np.where(number, prepared.source.mean()[prepared.first], np.nan)
    for j in np.flatnonzero(np.array(prepared.layout.absent) >= 0):
        met = prepared.layout.answered[:, j]
        own = prepared.columns[:, [prepared.first[j], -1]]
        mean[j] = np.average(own[met, 0], weights=prepared.weights[met])
        both = met & np.isfinite(own[:, 1])
        found = weighted_moments(own[both], prepared.weights[both]) if both.any() else None
        correlation[j] = np.nan if found is None else found.correlation()[0, 1]
    return correlation, mean


def interval_columns(
    importance: np.ndarray, draws: np.ndarray, null: np.ndarray, df: float, level: float
) -> dict[str, Any]:
    """Columns that replicates and null lines fill."""
    clear = importance > null * (1 + 1e-9)  # a permutation that changes nothing is no evidence
    low, high = percentiles(draws, level)
    share_low, share_high = percentiles(draws / draws.sum(axis=1, keepdims=True), level)
    best, worst = rank_sets(importance, np.atleast_2d(np.cov(draws, rowvar=False)), df=df, level=level)
    placed = ranks(draws)
    return {
        "importance_low": np.where(clear, low, 0.0), "importance_high": high,
        "share_low": np.where(clear, share_low, 0.0), "share_high": share_high,
        "rank_low": best, "rank_high": worst, "top1": (placed == 1).mean(axis=0), "top3": (placed <= 3).mean(axis=0),
        "null_line": null, "distinguishable": clear,
    }  # fmt: skip
