"""Links of a service–profit chain: between units, within units over time, and among respondents."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlab.contrasts import holm
from cxlab.design import t_quantile
from cxlab.errors import SurveyError
from cxlab.few_clusters import FewClusters, few_clusters
from cxlab.loyalty._chain_panel import FloatArray, Panel

FEW_DF, LEAST_WAVES, POWER = 4.0, 3, 0.80
RELIABLE = 0.5  # reliability of unit means under which a corrected correlation is not given


@dataclass(frozen=True)
class Draws:
    """How intervals and bootstrap are made."""

    level: float
    draws: int
    seed: int


def pairs_of(panel: Panel, stages: list[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Places of cause and effect of every link: all measures of a stage with all of the next."""
    place = {s.name: k for k, s in enumerate(panel.sources)}
    return [(place[a], place[b]) for i, j in pairwise(stages) for a in i for b in j]


# ------------------------------------------------------------------------------ between units
def between(panel: Panel, pairs: list[tuple[int, int]], draws: Draws) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Slopes of unit means with CR2 (rows of the table), and their correlations (a table of its own)."""
    slopes, correlations = [], []
    for a, b in pairs:
        known = np.isfinite(panel.means[:, [a, b]]).all(axis=1)
        x, y = panel.means[known][:, [a, b]].T
        if known.sum() < 5 or np.ptp(x) == 0 or np.ptp(y) == 0:
            continue
        errors = panel.unit_errors[known]
        noise = float(np.mean(errors[:, a, b])) * (len(x) - 1) / float(np.sum((x - x.mean()) ** 2))
        row = _estimated(y - noise * x, x, np.ones((len(x), 1)), np.arange(len(x)), (False, draws))
        related = _correlated(x, y, errors[:, [a, b]][:, :, [a, b]], draws.level)
        if panel.sources[a].surveyed and panel.sources[b].surveyed:  # r has the errors that both means share
            related["p_raw"] = row["p_raw"] if related["reliable"] else float("nan")
        slopes.append(
            _named(panel, a, b, "between", 0) | row | {"shared_noise": noise, "units": len(x), "cells": len(x)}
        )
        correlations.append(_named(panel, a, b) | related)
    return pd.DataFrame(slopes), _with_holm(pd.DataFrame(correlations))


def _named(panel: Panel, a: int, b: int, kind: str = "", lag: int = 0) -> dict[str, Any]:
    out: dict[str, Any] = {"cause": panel.sources[a].name, "effect": panel.sources[b].name}
    return out | ({"kind": kind, "lag": lag} if kind else {})


def _correlated(x: FloatArray, y: FloatArray, errors: FloatArray, level: float) -> dict[str, float]:
    """Correlation of unit means with Fisher's interval; Spearman's; corrected for sampling errors; the findable one."""
    n = len(x)
    r = float(np.corrcoef(x, y)[0, 1])
    half = float(stats.norm.ppf(0.5 + level / 2)) / np.sqrt(n - 3)
    fisher = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    with np.errstate(divide="ignore"):
        p = 2 * float(stats.t.sf(abs(r) * np.sqrt((n - 2) / max(1 - r**2, 1e-300)), n - 2))
    rank = stats.spearmanr(x, y)
    observed, noise = np.cov(x, y), errors.mean(axis=0)
    reliable = 1 - np.diagonal(noise) / np.diagonal(observed)
    corrected = slope = float("nan")
    if (reliable >= RELIABLE).all():
        corrected = float((observed - noise)[0, 1] / np.sqrt(np.prod(np.diagonal(observed - noise))))
    if reliable[0] >= RELIABLE:
        slope = float((observed - noise)[0, 1] / (observed - noise)[0, 0])
    return {
        "r": r, "low": float(np.tanh(fisher - half)), "high": float(np.tanh(fisher + half)), "p_value": p, "p_raw": p,
        "slope_corrected": slope, "spearman": float(rank.statistic), "spearman_p": float(rank.pvalue), "r_corrected": float(np.clip(corrected, -1, 1)),
        "reliable": bool((reliable >= RELIABLE).all()), "findable": float(np.tanh(half + stats.norm.ppf(POWER) / np.sqrt(n - 3))), "units": n,
    }  # fmt: skip


def _with_holm(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(p_value=holm(table["p_raw"].to_numpy())) if len(table) else table


def _estimated(
    y: FloatArray, x: FloatArray, others: FloatArray, cluster: np.ndarray, how: tuple[bool, Draws]
) -> dict[str, Any]:
    """One regression with CR2 and wild intervals."""
    absorb, draws = how
    fit = few_clusters(y, x, others, cluster, absorb=absorb)
    se, df = fit.cr2
    half = float(t_quantile(draws.level, df)) * se
    estimate = fit.estimate
    wild = fit.wild(draws.draws, draws.seed)
    low, high = wild.interval(draws.level)
    return {
        "estimate": estimate, "se": se, "df": df, "low": estimate - half, "high": estimate + half,
        "p_value": float("nan"), "p_raw": 2 * float(stats.t.sf(abs(estimate) / se, df)) if se > 0 else float("nan"),
        "wild_low": low, "wild_high": high, "wild_p": wild.p_value(), "shared_noise": 0.0,
        "few": bool(df < FEW_DF),
    }  # fmt: skip


# ------------------------------------------------------------------------------ within units
def usable_lags(panel: Panel, pairs: list[tuple[int, int]], lags: tuple[int, ...] | None) -> tuple[int, ...]:
    """Lags wanted, if every link keeps three waves under them; by default 0 to 3 as far as that holds."""
    if lags is None:
        return tuple(k for k in range(4) if all(_waves_left(panel, p, k) >= LEAST_WAVES for p in pairs))
    for pair in pairs:
        if (left := _waves_left(panel, pair, max(lags))) < LEAST_WAVES:
            a, b = (panel.sources[k].name for k in pair)
            fits = [k for k in range(max(lags)) if _waves_left(panel, pair, k) >= LEAST_WAVES]
            remedy = f"the longest lag that leaves {LEAST_WAVES} is {max(fits)}" if fits else "leave lags out"
            raise SurveyError(
                f"lags: {max(lags)} waves back leave {left} of {int(panel.waves.sum())} waves for {a!r} → {b!r}; {remedy}."
            )
    return lags


def _waves_left(panel: Panel, pair: tuple[int, int], lag: int) -> int:
    return int(np.unique(_rows(panel, pair, (lag,))[1]).size)


def _rows(panel: Panel, pair: tuple[int, int], lags: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Unit and period of the cells that have the effect and the cause at every lag; units with two or more."""
    x, y = panel.cells[pair[0]], panel.cells[pair[1]]
    known = np.isfinite(y) & panel.waves
    for lag in lags:
        known &= np.isfinite(_lagged(x, lag))
    known[known.sum(axis=1) < 2] = False
    unit, period = np.nonzero(known)
    return unit, period


def _lagged(values: FloatArray, lag: int) -> FloatArray:
    out = np.full(values.shape, np.nan)
    out[:, lag:] = values[:, : values.shape[1] - lag]
    return out


def within(panel: Panel, pairs: list[tuple[int, int]], lags: tuple[int, ...], draws: Draws) -> pd.DataFrame:
    """Slopes within units, waves taken out, all lags of a link in one regression."""
    found = []
    for a, b in pairs:
        unit, period = _rows(panel, (a, b), lags)
        if len(np.unique(unit)) < 5:
            continue
        waves = (period[:, None] == np.unique(period)[1:]).astype(float)
        y = panel.cells[b][unit, period]
        causes = np.column_stack([panel.cells[a][unit, period - lag] for lag in lags])
        df = len(y) - len(np.unique(unit)) - waves.shape[1] - len(lags) + 1
        for k, lag in enumerate(lags):
            x, others = causes[:, k], np.column_stack([waves, np.delete(causes, k, axis=1)])
            fit = few_clusters(x, x, others, unit, absorb=True)
            if df < 1 or not np.isfinite(fit.estimate):  # the cause stands still, or repeats itself
                continue
            noise, cleared = 0.0, y
            if lag == 0 and panel.sources[a].surveyed and panel.sources[b].surveyed:  # means of the same respondents
                noise, cleared = _cleared(y, fit, unit, panel.cell_errors[unit, period, a, b] * df / len(y))
            row = _estimated(cleared, x, others, unit, (True, draws)) | {"shared_noise": noise}
            found.append(_named(panel, a, b, "within", lag) | row | {"units": len(np.unique(unit)), "cells": len(y)})
    return pd.DataFrame(found)


def _cleared(y: FloatArray, fit: FewClusters, unit: np.ndarray, shared: FloatArray) -> tuple[float, FloatArray]:
    """The slope that shared sampling errors alone would give, and the outcome without it.

    It is taken out unit by unit, Σ_t x̃ỹ − Σ_t cov: so the errors by cluster hold how much the sum of squares of x̃, which shared errors make
    up, happens to differ from its expectation. Rows stand in order of units.
    """
    own, counts = np.unique(unit, return_inverse=True, return_counts=True)[1:]
    rows = np.arange(fit.focal.shape[1]) < counts[:, None]
    share = np.bincount(own, shared) / np.sum(fit.focal**2, axis=1)
    return float(shared.sum()) / fit.size, y - share[own] * fit.focal[rows]


def family(table: pd.DataFrame) -> pd.DataFrame:
    """Holm over all links between units, and over all links and lags within units."""
    out = table.copy()
    for kind in ("between", "within"):
        inside = (out["kind"] == kind).to_numpy()
        if inside.any():
            out.loc[inside, "p_value"] = holm(out.loc[inside, "p_raw"].to_numpy())
            out.loc[inside, "wild_p"] = holm(out.loc[inside, "wild_p"].to_numpy())
    alone = (out["kind"] == "respondents").to_numpy()
    out.loc[alone, "p_value"] = out.loc[alone, "p_raw"]
    return out


# ------------------------------------------------------------------------------ respondents
def respondents(panel: Panel, pairs: list[tuple[int, int]], level: float) -> pd.DataFrame:
    """Slopes between respondents of the same unit and wave, for links of two survey measures."""
    found = []
    for a, b in pairs:
        if not (panel.sources[a].surveyed and panel.sources[b].surveyed):
            continue
        x, y = panel.sources[a].values, panel.sources[b].values
        known = (panel.code >= 0) & np.isfinite(x) & np.isfinite(y)
        own = np.unique(panel.code[known], return_inverse=True)[1]
        w = panel.design.weights[known]
        centred = [v[known] - (np.bincount(own, w * v[known]) / np.bincount(own, w))[own] for v in (x, y)]
        size = float(w @ centred[0] ** 2)
        if size <= 0:
            continue
        slope = float(w @ (centred[0] * centred[1])) / size
        influence = np.zeros((len(x), 1))
        influence[known, 0] = centred[0] * (centred[1] - slope * centred[0]) / size
        se = float(np.sqrt(panel.design.covariance(influence)[0, 0]))
        df = max(float(panel.design.domain_df(known[:, None])[0]) - 1, 1.0)
        half = float(t_quantile(level, df)) * se
        found.append(_named(panel, a, b, "respondents", 0) | {
            "estimate": slope, "se": se, "df": df, "low": slope - half, "high": slope + half,
            "p_raw": 2 * float(stats.t.sf(abs(slope) / se, df)) if se > 0 else float("nan"), "shared_noise": 0.0,
            "few": False, "units": len(np.unique(panel.code[known] // len(panel.waves))), "cells": int(own.max()) + 1,
        })  # fmt: skip
    return pd.DataFrame(found)


# ------------------------------------------------------------------------------ measures
def measures(panel: Panel) -> pd.DataFrame:
    """How much each measure differs between units and over time, and how much of it is sampling error."""
    found = []
    for j, source in enumerate(panel.sources):
        mean = panel.means[:, j][np.isfinite(panel.means[:, j])]
        between_ = float(np.var(mean, ddof=1)) if len(mean) > 1 else float("nan")
        unit, period = np.nonzero(np.isfinite(panel.cells[j]) & panel.waves)
        moved, noise = (
            float("nan"),
            float(np.mean(panel.cell_errors[unit, period, j, j])) if len(unit) else float("nan"),
        )
        df = len(unit) - len(np.unique(unit)) - len(np.unique(period)) + 1
        if df > 0:
            x = panel.cells[j][unit, period]
            others = (period[:, None] == np.unique(period)[1:]).astype(float)
            moved = few_clusters(x, x, others, unit, absorb=True).size / df
        found.append({
            "metric": source.name, "mean": float(np.mean(mean)) if len(mean) else float("nan"), "sd_between": np.sqrt(between_),
            "reliability_between": _reliable(float(np.mean(panel.error[:, j] ** 2)), between_), "sd_within": np.sqrt(moved),
            "reliability_within": _reliable(noise, moved), "between_share": panel.between_share[j], "units": len(mean),
            "cells": len(unit), "base": float(np.nansum(panel.base[:, j])) if source.surveyed else float("nan"),
        })  # fmt: skip
    return pd.DataFrame(found)


def _reliable(noise: float, variance: float) -> float:
    """Share of the variance of means that is not sampling error, 0 at least."""
    return max(1 - noise / variance, 0.0) if variance > 0 else float("nan")
