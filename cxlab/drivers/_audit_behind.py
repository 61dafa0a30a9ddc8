"""Checks of what else could be behind a ranking: method, halo, style, omitted causes, a few respondents, errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from cxlab.contrasts import holm, p_values, ranks
from cxlab.design import kish_base
from cxlab.drivers._audit_case import LOOK, OK, SERIOUS, SURE, Case, Finding, grade
from cxlab.drivers._audit_frame import Importance, standardised
from cxlab.drivers._audit_robust import (
    gradient,
    importance_influence,
    leaders_under,
    marker_adjusted,
    omitted_as_strong_as,
    overturn,
    robustness_value,
    unreliable,
    without_factor,
)
from cxlab.errors import SurveyError
from cxlab.importance import johnson

FloatArray = np.ndarray[Any, np.dtype[Any]]
AGREE, HARDLY_AGREE = 0.7, 0.5
HALO, CLEARLY_BEHIND = 0.5, 2.5  # share of the drivers' variance; standard errors
GENERAL = 0.3  # median loading under which the first factor is that of a few drivers
STYLE = 0.10  # correlation with the marker
ROBUST = 0.10
OVERTURN, EASY_OVERTURN = 0.02, 0.005  # share of weight
ERRORS, SMALL_ERRORS = 0.8, 0.9  # reliability


def methods(case: Case) -> Finding:
    """Agreement of Shapley values, relative weights and standardised coefficients on who is on top.

    Drivers of less than average importance without a clear coefficient are tied last by every method: their order is noise.
    """
    frame = case.frame
    numeric = np.flatnonzero(frame.effect >= 0)
    size = {"importance": frame.importance(frame.correlation), "standardised": np.abs(case.per_effect(frame.slopes))}
    if not frame.always and len(numeric) == frame.x.shape[1]:
        size["johnson"] = johnson(frame.correlation)
    for name, own in size.items():
        case.per_driver[f"rank_{name}"] = np.where(np.isfinite(own), ranks(np.nan_to_num(own)), np.nan)
    share = size["importance"] / size["importance"].sum()
    noise = (share < 1 / case.p) & ~(holm(case.per_effect(frame.slope_p)) < 0.05)
    scores = [savage_scores(np.where(noise, -1.0, own)[numeric]) for own in size.values()]
    value = min((_correlated(a, b) for i, a in enumerate(scores) for b in scores[i + 1 :]), default=1.0)
    first = list(dict.fromkeys(int(numeric[own.argmax()]) for own in scores)) if len(numeric) else [case.leader]
    found = grade(value, AGREE, HARDLY_AGREE)
    wording = ("same" if len(first) == 1 else "") if found != OK else ("" if len(first) == 1 else "near")
    facts = {"first": case.names(first), "leader": case.names(first[:1])}
    return Finding(
        "methods", found, value, AGREE, case.names(first) if found != OK or len(first) > 1 else (), wording, facts
    )


def savage_scores(values: FloatArray) -> FloatArray:
    """Savage scores, in which the top ranks count most: Σ 1/k over k from the rank to p; ties share their mean.

    Their correlation is the top-down correlation of two rankings.

    References
    ----------
    Iman & Conover (1987), Technometrics 29, 351–357.

    Examples
    --------
    >>> savage_scores(np.array([0.4, 0.3, 0.1, 0.1])).round(3).tolist()
    [2.083, 1.083, 0.417, 0.417]
    """
    scores = np.cumsum(1 / np.arange(len(values), 0, -1))[::-1]
    order = np.argsort(-values, kind="stable")
    _, tie = np.unique(-values[order], return_inverse=True)
    out = np.empty(len(values))
    out[order] = (np.bincount(tie, scores) / np.bincount(tie))[tie]
    return out


def _correlated(first: FloatArray, second: FloatArray) -> float:
    """Correlation; 1 where nothing is ranked."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 1.0
    return float(np.corrcoef(first, second)[0, 1])


# ---------------------------------------------------------------------- what else could be behind it
def halo(case: Case) -> Finding:
    """Importances with and without the general factor of the drivers."""
    frame = case.frame
    columns = tuple(c for c in frame.effect if c >= 0)
    if len(columns) < 3:
        return Finding("halo", OK, np.nan, HALO, wording="few")
    importance, loadings = without_factor(frame, columns)
    value = float(np.mean(loadings**2))
    without = importance(frame.correlation)
    all_loadings = np.full(frame.x.shape[1], np.nan)
    all_loadings[list(columns)] = loadings
    case.per_driver.update({"loading": case.per_effect(all_loadings), "importance_no_halo": without})
    first = int(without.argmax())
    behind = 0.0
    if first != case.leader:
        derivative = gradient(_contrast(importance, first, case.leader), frame.correlation)[0]
        rows = importance_influence(frame.columns, derivative, frame.correlation) / frame.total
        se = float(frame.errors(rows[:, None])[0])
        behind = float(without[first] - without[case.leader]) / se if se > 0 else np.inf
    general = float(np.median(np.abs(loadings))) >= GENERAL
    changed = general and behind > CLEARLY_BEHIND
    found = SERIOUS if changed else LOOK if value >= HALO else OK
    wording = "" if found != OK else "none" if not general else "" if first == case.leader else "unclear"
    facts = {"leader": case.names([case.leader]), "first": case.names([first]), "left": float(without.sum()),
             "whole": float(frame.importance(frame.correlation).sum())}  # fmt: skip
    return Finding("halo", found, value, HALO, case.names([case.leader, first]) if changed else (), wording, facts)


def _contrast(importance: Importance, first: int, second: int) -> Importance:
    return lambda matrices: np.asarray(importance(matrices)[..., first] - importance(matrices)[..., second])[..., None]


def marker(case: Case) -> Finding:
    """Lindell and Whitney's adjustment by the correlations of a marker item."""
    answers = case.marker
    if answers is None:
        raise SurveyError("marker: the study declares no marker item.")
    known = np.isfinite(answers)
    frame = case.frame.kept(known)
    own = standardised(answers[known, None], frame.weights)[:, 0]
    correlations = (frame.weights * own) @ frame.columns / frame.total
    turned = np.sign(frame.correlation[:, -1])  # a driver that goes against the outcome is turned round
    common = float(np.mean(turned * correlations))
    rows = ((own[:, None] * frame.columns - correlations / 2 * (own[:, None] ** 2 + frame.columns**2)) * turned).mean(
        axis=1
    )
    p = float(p_values(np.array([common]), frame.errors(rows[:, None] / frame.total), frame.df)[0])
    clear = common >= STYLE and p < SURE
    turns = np.outer(turned, turned)
    adjusted = marker_adjusted(case.frame.correlation * turns, max(common, 0.0)) * turns
    possible = np.linalg.eigvalsh(adjusted)[0] > 1e-6
    importance = case.frame.importance(adjusted) if possible else np.full(case.p, np.nan)
    case.per_driver["importance_marker"] = importance
    first = int(importance.argmax()) if possible else case.leader
    found = OK if not clear else SERIOUS if first != case.leader else LOOK
    facts = {"p": p, "leader": case.names([case.leader]), "first": case.names([first]), "adjusted": float(importance.sum()),
             "whole": float(case.frame.importance(case.frame.correlation).sum())}  # fmt: skip
    wording = "impossible" if clear and not possible else ""
    return Finding(
        "marker", found, common, STYLE, case.names([case.leader, first]) if found == SERIOUS else (), wording, facts
    )


def omitted(case: Case) -> Finding:
    """Robustness of the leading driver's coefficient to an omitted cause."""
    frame = case.frame
    t = case.per_effect(frame.slopes / np.where(frame.slope_errors > 0, frame.slope_errors, np.nan))
    bases = np.where(np.isfinite(case.base_effective), case.base_effective, kish_base(frame.weights))
    df = np.maximum(bases - frame.x.shape[1] - 1, 2.0)
    case.per_driver.update(
        {"robustness": robustness_value(t, df), "robustness_sure": robustness_value(t, df, alpha=0.05)}
    )
    value = float(case.per_driver["robustness_sure"][case.leader])
    if np.isnan(value):
        return Finding("omitted", OK, np.nan, ROBUST, wording="factor", facts={"leader": case.names([case.leader])})
    found = SERIOUS if value == 0 else LOOK if value < ROBUST else OK
    facts = {"leader": case.names([case.leader]), "whole": float(case.per_driver["robustness"][case.leader])}
    importance = frame.importance(frame.correlation)
    others = [int(j) for j in np.argsort(-importance) if j != case.leader and frame.effect[j] >= 0]
    left = omitted_as_strong_as(frame, case.leader, others[0]) if others else np.nan
    wording = "alone" if found != SERIOUS and np.isnan(left) else ""
    if others:
        facts |= {"second": case.names([others[0]]), "left": left}
    return Finding("omitted", found, value, ROBUST, case.names([case.leader]) if found != OK else (), wording, facts)


def fragile(case: Case) -> Finding:
    """The smallest share of weight found whose removal changes rank 1."""
    if case.p < 2:
        return Finding("fragile", OK, np.nan, OVERTURN, wording="one")
    found = overturn(case.frame, case.leader, case.derivative)
    facts = {"leader": case.names([case.leader]), "count": found.respondents}
    if np.isnan(found.share):
        return Finding("fragile", OK, np.nan, OVERTURN, wording="never", facts=facts)
    facts |= {"rival": case.names([found.rival])}
    graded = SERIOUS if found.share <= EASY_OVERTURN else LOOK if found.share <= OVERTURN else OK
    return Finding(
        "fragile",
        graded,
        found.share,
        OVERTURN,
        case.names([case.leader, found.rival]) if graded != OK else (),
        facts=facts,
    )


def errors_in_drivers(case: Case) -> Finding:
    """The reliability of the other drivers under which rank 1 changes."""
    frame, leader = case.frame, case.leader
    if case.p < 2:
        return Finding("errors_in_drivers", OK, np.nan, ERRORS, wording="one")
    case.tables["reliabilities"] = _scenarios(case)
    found = unreliable(frame, leader)
    facts: dict[str, Any] = {"leader": case.names([leader])}
    if np.isnan(found.reliability):
        return Finding("errors_in_drivers", OK, np.nan, ERRORS, wording="never", facts=facts)
    facts |= {"rival": case.names([found.rival])}
    graded = grade(found.reliability, ERRORS, SMALL_ERRORS)
    wording = ("ok" if graded == OK else "") if found.alone else ("ok_all" if graded == OK else "all")
    return Finding("errors_in_drivers", graded, found.reliability, ERRORS,
                   case.names([leader, found.rival]) if graded != OK else (), wording, facts)  # fmt: skip


def _scenarios(case: Case) -> dict[str, Any]:
    """Who is first if the leader, all others, or all drivers had a reliability of .9, .8 or .7."""
    frame, levels = case.frame, np.array([0.9, 0.8, 0.7])
    single = [j for j in range(case.p) if len(frame.players[j]) == 1]
    groups = {
        "leader": [j for j in single if j == case.leader],
        "others": [j for j in single if j != case.leader],
        "all": single,
    }
    out: dict[str, Any] = {"scenario": [], "level": [], "first": []}
    for name, places in groups.items():
        columns = tuple(c for j in places for c in frame.players[j])
        if not columns:
            continue
        for level, first in zip(levels, leaders_under(frame, columns, levels), strict=True):
            out["scenario"].append(name)
            out["level"].append(float(level))
            out["first"].append(frame.drivers[first] if first >= 0 else "")
    return out
