"""Hazard ratios and tests between curves, with replicate errors."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlab.contrasts import holm, p_values
from cxlab.design import kish_base, t_quantile
from cxlab.errors import SurveyError
from cxlab.loyalty._groups import Column, covariate, key_of, replicate_weights, spread
from cxlab.loyalty._survival_case import Case
from cxlab.loyalty._survival_sums import cox, kaplan_meier
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
_TIED, _SEPARATED = 1e-8, 15.0
ENOUGH, LEAST = 10, 5  # effective events per coefficient


def hazards(
    survey: Survey, case: Case, groups: Mapping[Any, np.ndarray], covariates: Sequence[str], by: str | None
) -> tuple[pd.DataFrame, dict[str, dict[str, str]]]:
    """Cox regression in every group.

    Returns
    -------
    DataFrame
        One row per (group and) coefficient: ``coefficient, estimate, se, low, high`` (log), ``hazard_ratio, hazard_low,
        hazard_high, p_value, drift, p_drift, failed, events, base, base_effective, reliability``.
    dict
        Wordings of the coefficients.
    """
    columns = _columns(survey, case, covariates)
    x = np.column_stack([c.values for c in columns])
    complete = np.isfinite(x).all(axis=1)
    _check(case.within(complete), x, columns)
    tables = []
    for code, inside in groups.items():
        own = case.within(inside & complete)
        table = _one(own, x[own.rows], columns)
        if by is not None:
            table.insert(0, key_of(by), code)
        elif table["estimate"].isna().any():
            raise SurveyError(
                "covariates: the hazard ratio grows without end, as some value or category has events only where others have none; "
                "merge categories, or leave the covariate out."
            )
        tables.append(table)
    out = pd.concat(tables, ignore_index=True)
    out["p_drift"] = holm(out["p_drift"].to_numpy(dtype=float))
    return out, {c.name: c.words for c in columns}


def _columns(survey: Survey, case: Case, covariates: Sequence[str]) -> list[Column]:
    if isinstance(covariates, str):
        raise SurveyError(f"covariates is the text {covariates!r}; pass a list, such as [{covariates!r}].")
    survey.require("covariates", covariates)
    out: list[Column] = []
    for name in covariates:
        own = covariate(survey, name)
        known = [c.values[case.rows][np.isfinite(c.values[case.rows])] for c in own]
        if not own or all(len(v) == 0 or np.ptp(v) == 0 for v in known):
            raise SurveyError(
                f"covariates: {name!r} has fewer than two different answers among {len(case.rows):,} respondents; leave it out."
            )
        out += [c for c, v in zip(own, known, strict=True) if np.ptp(v) > 0]
    return out


def _check(case: Case, x: FloatArray, columns: Sequence[Column]) -> None:
    """Refuse covariates on which no regression stands."""
    events, p = int(case.spells.event.sum()), len(columns)
    if events <= p:
        raise SurveyError(
            f"covariates: {events} events among {len(case.rows):,} respondents with complete answers cannot carry {p} coefficients; "
            "name fewer, or wait longer."
        )
    if _tied(x[case.rows]):
        raise SurveyError(
            f"covariates: the {p} columns ({', '.join(repr(c.name) for c in columns[:6])}) repeat one another; leave one out."
        )


def _tied(x: FloatArray) -> bool:
    spread = x.std(axis=0)
    if not len(x) or (spread == 0).any():
        return True
    unit = (x - x.mean(axis=0)) / spread
    return bool(np.linalg.eigvalsh(unit.T @ unit / len(x))[0] < _TIED)


def fit(case: Case, x: FloatArray) -> FloatArray | None:
    """Coefficients of lifelines' Cox regression; None where there is no largest likelihood."""
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    names = [f"x{j}" for j in range(x.shape[1])]
    frame = pd.DataFrame(x, columns=names).assign(time=case.spells.time, event=case.spells.event, weight=case.w)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that weights are no counts: its variances are not used
        try:
            found = CoxPHFitter().fit(frame, "time", "event", weights_col="weight", fit_options={"precision": 1e-11})
        except (ConvergenceError, np.linalg.LinAlgError):
            return None
    beta = found.params_[names].to_numpy(dtype=float)
    far = np.abs(beta) * np.ptp(x, axis=0) > _SEPARATED
    return None if far.any() or not np.isfinite(beta).all() else beta


def _one(case: Case, x: FloatArray, columns: Sequence[Column]) -> pd.DataFrame:
    """Hazard ratios of one group; missing where its events do not carry them."""
    p, (replicates, seed, level) = len(columns), case.draws
    table = pd.DataFrame({"coefficient": [c.name for c in columns]})
    for column in _NUMBERS:
        table[column] = np.nan
    events = int(case.spells.event.sum())
    table = table.assign(failed=0, events=events, base=len(case.rows), base_effective=0.0, reliability="suppressed")
    beta = None if events <= p or _tied(x) else fit(case, x)
    if beta is None:
        return table
    centred = x - np.average(x, axis=0, weights=case.w)
    scale = 1 - _left_of(case)
    wide = len(case.spells.times) * (p + 1) ** 2 + 3 * events
    found, drifts = [], []
    for weights in replicate_weights(case.design, case.rows, replicates, seed, wide):
        drawn, there = cox(case.spells, centred, weights, beta)
        found.append(drawn)
        drifts.append(there.drift(scale) + 0 * drawn.sum(axis=1, keepdims=True))  # none without an answer
    draws = np.concatenate(found)
    _, whole = cox(case.spells, centred, (case.w / case.w.mean())[None], beta, 0)
    se, df = spread(draws), case.degrees(p)
    half = t_quantile(level, df) * se
    drift, drift_se = whole.drift(scale)[0], spread(np.concatenate(drifts))
    simple = np.diagonal(np.linalg.inv(whole.information.sum(axis=0)[0]))
    effective = np.where(se > 0, len(case.rows) * simple / se**2, kish_base(case.w))
    counted = events * effective / len(case.rows) / p
    return table.assign(
        estimate=beta, se=se, low=beta - half, high=beta + half, hazard_ratio=np.exp(beta), hazard_low=np.exp(beta - half),
        hazard_high=np.exp(beta + half), p_value=p_values(beta, se, df), drift=drift, p_drift=p_values(drift, drift_se, df),
        failed=int(np.isnan(draws).any(axis=1).sum()), base_effective=effective,
        reliability=np.select([counted >= ENOUGH, counted >= LEAST], ["ok", "low"], "suppressed"),
    )  # fmt: skip


_NUMBERS = ("estimate", "se", "low", "high", "hazard_ratio", "hazard_low", "hazard_high", "p_value", "drift", "p_drift")


def _left_of(case: Case) -> FloatArray:
    """Weighted share without the event just before every event time, shape (k,)."""
    return np.concatenate([[1.0], kaplan_meier(case.spells, case.w[None])[0, :-1]])


def logrank(case: Case, parts: Sequence[Case]) -> float:
    """p-value of equal curves in all groups: a log-rank statistic with its replicate covariance."""
    kept = [part for part in parts if len(part.rows)]
    if len(kept) < 2:
        return float("nan")
    group = np.full(len(case.design.weights), -1)
    for k, part in enumerate(kept):
        group[part.rows] = k
    whole = case.within(group >= 0)
    own = group[whole.rows]
    replicates, seed, _ = case.draws
    wide = 3 * len(whole.spells.times)
    blocks = replicate_weights(case.design, whole.rows, replicates, seed, wide)
    drawn = np.concatenate([_excess(whole, weights, own, len(kept)) for weights in blocks])[:, 1:]
    excess = _excess(whole, whole.w[None], own, len(kept))[0, 1:]
    covariance, q = np.atleast_2d(np.cov(drawn, rowvar=False)), len(kept) - 1
    if np.linalg.matrix_rank(covariance, hermitian=True) < q:
        return float("nan")
    f = float(excess @ np.linalg.solve(covariance, excess)) / q
    return float(stats.f.sf(f, q, whole.degrees(q)))


def _excess(case: Case, weights: FloatArray, group: np.ndarray, count: int) -> FloatArray:
    """Events of every group beyond those expected under one hazard, as shares of the weight, shape (b, count)."""
    spells = case.spells
    risk, died = spells.at_risk(weights.T), np.asarray(spells.deaths @ weights.T)
    rate = np.where(risk > 0, died / np.where(risk > 0, risk, 1.0), 0.0)
    out = np.empty((len(weights), count))
    for k in range(count):
        inside = np.where(group == k, weights, 0.0).T
        out[:, k] = np.asarray(spells.deaths @ inside).sum(axis=0) - (spells.at_risk(inside) * rate).sum(axis=0)
    return np.asarray(out / weights.sum(axis=1)[:, None])
