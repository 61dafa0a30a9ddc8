"""Checks of the data and of the model: who is in it, the outcome, overlap of drivers, single respondents."""

from __future__ import annotations

from typing import Any

import numpy as np

from cxlab.contrasts import holm, p_values
from cxlab.design import kish_base
from cxlab.drivers._audit_case import LOOK, OK, SERIOUS, SURE, Case, Finding, grade
from cxlab.drivers._audit_frame import Frame
from cxlab.result import LOW_BASE, SUPPRESSED_BASE

FloatArray = np.ndarray[Any, np.dtype[Any]]
MANY_LOST, MOST_LOST = 0.20, 0.50  # share of weight
SELECTIVE, VERY_SELECTIVE = 0.10, 0.30  # standard deviations of the outcome
UNEVEN, VERY_UNEVEN, ONE_ALONE = 2.0, 4.0, 0.10  # design effect of weighting; share of weight of one respondent
FEW_VALUES = 5
AT_END, MOSTLY_AT_END = 0.30, 0.50
CURVED, VERY_CURVED = 0.005, 0.03  # parts of R²
SPREAD, VERY_SPREAD = 1.5, 2.5  # ratio of standard deviations
VIF, HIGH_VIF = 5.0, 10.0
CONDITION, HIGH_CONDITION = 10.0, 30.0
STRONG = 0.10  # standardised coefficient
SHIFT, LARGE_SHIFT = 1.0, 2.0  # standard errors


# ---------------------------------------------------------------------- who is in it
def base(case: Case) -> Finding:
    """Effective base of each driver's effect."""
    bases = case.base_effective
    if not np.isfinite(bases).any():
        bases = np.full(case.p, kish_base(case.frame.weights))
    weak = np.flatnonzero(bases < LOW_BASE)
    value = float(np.nanmin(bases))
    found = SERIOUS if value < SUPPRESSED_BASE else LOOK if value < LOW_BASE else OK
    facts = {"count": len(weak), "drivers": case.names(weak), "base": len(case.frame.rows)}
    return Finding("base", found, value, LOW_BASE, case.names(weak), facts=facts)


def lost(case: Case) -> Finding:
    """Rows and weight that left for a missing answer."""
    asked, inside = case.asked, case.asked["inside"]
    weights = asked["weights"]
    share = 1 - float(weights[inside].sum() / weights.sum())
    worst = int(np.argmax(asked["missing"]))
    facts = {
        "lost": int((~inside).sum()),
        "asked": len(inside),
        "worst": case.names([worst]),
        "most": float(asked["missing"][worst]),
    }
    wording = "none" if share == 0 else ""
    found = grade(share, MANY_LOST, MOST_LOST)
    return Finding("lost", found, share, MANY_LOST, case.names([worst]) if found != OK else (), wording, facts)


def selective(case: Case) -> Finding:
    """Whether those who left differ in the outcome from those who stayed."""
    asked = case.asked
    known = np.isfinite(asked["outcome"])
    stayed, left = known & asked["inside"], known & ~asked["inside"]
    if left.sum() < 10 or stayed.sum() < 10:
        wording = "none" if asked["inside"].all() else "few"
        return Finding("selective", OK, np.nan, SELECTIVE, wording=wording, facts={"left": int(left.sum())})
    w, y = asked["weights"], np.where(known, asked["outcome"], 0.0)
    means = [float(np.average(y[g], weights=w[g])) for g in (stayed, left)]
    spread = float(np.sqrt(np.average((y - np.average(y[known], weights=w[known])) ** 2, weights=w * known)))
    rows = (y - means[0]) * stayed / w[stayed].sum() - (y - means[1]) * left / w[left].sum()
    influence = np.zeros((len(case.frame.design.psu), 1))
    influence[asked["rows"], 0] = rows
    se = float(np.sqrt(case.frame.design.covariance(influence)[0, 0]))
    difference = means[1] - means[0]
    p = float(p_values(np.array(difference), np.array(se), case.frame.df))
    value = abs(difference) / spread
    found = grade(value, SELECTIVE, VERY_SELECTIVE) if p < SURE else OK
    facts = {"left": int(left.sum()), "left_mean": means[1], "stayed_mean": means[0], "difference": difference, "p": p}
    return Finding("selective", found, value, SELECTIVE, facts=facts)


def weighting(case: Case) -> Finding:
    """How unevenly weight lies on respondents."""
    w = case.frame.weights
    value, largest = len(w) / kish_base(w), float(w.max() / w.sum())
    found = SERIOUS if largest > ONE_ALONE and len(w) >= 30 else grade(value, UNEVEN, VERY_UNEVEN)
    return Finding(
        "weighting", found, value, UNEVEN, facts={"largest": largest, "effective": kish_base(w), "base": len(w)}
    )


# ---------------------------------------------------------------------- the outcome and the form of the model
def outcome_type(case: Case) -> Finding:
    """Whether a linear model suits the outcome's values."""
    count = len(np.unique(case.outcome))
    found = SERIOUS if count == 2 else LOOK if count <= FEW_VALUES else OK
    return Finding("outcome_type", found, float(count), FEW_VALUES)


def at_the_end(case: Case) -> Finding:
    """Share of answers at one end of the outcome's scale."""
    w = case.frame.weights / case.frame.total
    shares = [float(w[case.outcome == end].sum()) for end in case.ends]
    value, end = max(shares), case.ends[int(np.argmax(shares))]
    look = MOSTLY_AT_END if len(np.unique(case.outcome)) <= FEW_VALUES else AT_END
    found = grade(value, look, max(MOSTLY_AT_END, look + 0.1))
    return Finding("at_the_end", found, value, look, facts={"end": end})


def curvature(case: Case) -> Finding:
    """Tests of squared drivers beside one another, and of the squared fitted value; Holm over all."""
    frame = case.frame
    graded = np.array([c for c in range(frame.x.shape[1]) if len(np.unique(frame.x[:, c])) > 2], dtype=int)
    if len(frame.rows) < 5 * (len(graded) + frame.x.shape[1] + 1):
        return Finding("curvature", OK, np.nan, CURVED, wording="few")
    own, own_p = _added(frame, frame.x[:, graded] ** 2)
    fit, fit_p = _added(frame, ((frame.x @ frame.slopes) ** 2)[:, None])
    p = holm(np.append(own_p, fit_p))
    gain = np.append(own, fit)
    clear = (p < SURE) & (gain >= CURVED)
    gains = np.full(frame.x.shape[1], np.nan)
    gains[graded] = own
    case.per_driver["curvature"] = case.per_effect(gains)
    bent = [j for j in range(case.p) if frame.effect[j] in graded[clear[:-1]]]
    bent.sort(key=lambda j: -gains[frame.effect[j]])
    value = float(gain[clear].max() if clear.any() else gain.max())
    found = grade(value, CURVED, VERY_CURVED) if clear.any() else OK
    wording = "overall" if found != OK and not bent else ""
    return Finding(
        "curvature", found, value, CURVED, case.names(bent), wording, {"drivers": case.names(bent), "p": float(p.min())}
    )


def _added(frame: Frame, columns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Part of R² that each column adds last to the model and the other columns, and its design-based p-value."""
    if not columns.shape[1]:
        return np.empty(0), np.empty(0)
    left = _residuals(frame, columns)
    weighted = left * frame.weights[:, None]
    inverse = np.linalg.pinv(weighted.T @ left, hermitian=True)
    estimate = inverse @ (weighted.T @ frame.residual)
    rows = (frame.residual - left @ estimate)[:, None] * (left @ inverse)
    used = frame.x.shape[1] + columns.shape[1] + 1
    errors = frame.errors(rows) * np.sqrt(len(rows) / (len(rows) - used))
    variance = np.diagonal(inverse)
    gain = estimate**2 / np.where(variance > 0, variance, np.inf) / frame.total
    return gain, p_values(estimate, errors, max(frame.df - used, 1.0))


def spread(case: Case) -> Finding:
    """Whether residuals spread alike at low and high fitted values."""
    frame = case.frame
    fitted = frame.x @ frame.slopes
    order = np.argsort(fitted, kind="stable")
    place = np.cumsum(frame.weights[order]) / frame.total
    squared = frame.residual**2
    low, high = order[place <= 1 / 3], order[place >= 2 / 3]
    if min(len(low), len(high)) < 10:
        return Finding("spread", OK, np.nan, SPREAD, wording="few")
    means = [float(np.average(squared[g], weights=frame.weights[g])) for g in (low, high)]
    rows = np.zeros((len(squared), 1))
    for group, mean, sign in ((low, means[0], -1), (high, means[1], 1)):
        rows[group, 0] = sign * (squared[group] - mean) / mean / frame.weights[group].sum()
    ratio = np.log(means[1] / means[0])
    p = float(p_values(np.array([ratio]), frame.errors(rows), frame.slope_df)[0])
    value = float(np.exp(abs(ratio) / 2))
    graded = grade(value, SPREAD, VERY_SPREAD)
    wording = OK if graded == OK else "unsure" if p >= SURE else "upper" if ratio > 0 else "lower"
    return Finding("spread", graded if p < SURE else OK, value, SPREAD, wording=wording, facts={"p": p})


def _residuals(frame: Frame, columns: FloatArray) -> FloatArray:
    """Columns less what the model's columns explain of them."""
    centred = columns - np.average(columns, axis=0, weights=frame.weights)
    return np.asarray(centred - frame.x @ (frame.inverse @ (frame.x * frame.weights[:, None]).T @ centred))


# ---------------------------------------------------------------------- drivers against one another
def inflation(case: Case) -> Finding:
    """Variance inflation of each driver (generalised for several columns)."""
    matrix = case.frame.correlation[:-1, :-1]
    value = np.ones(case.p)
    for j, player in enumerate(case.frame.players):
        own = np.array(player)
        rest = np.setdiff1d(np.arange(len(matrix)), own)
        if len(rest):
            logs = [np.linalg.slogdet(matrix[np.ix_(c, c)])[1] for c in (own, rest)]
            value[j] = np.exp((sum(logs) - np.linalg.slogdet(matrix)[1]) / len(own))
    case.per_driver["vif"] = value
    high = [int(j) for j in np.argsort(-value, kind="stable") if value[j] >= VIF]
    worst = int(value.argmax())
    facts = {"worst": case.names([worst]), "widening": float(np.sqrt(value[worst])), "drivers": case.names(high)}
    return Finding(
        "inflation", grade(float(value[worst]), VIF, HIGH_VIF), float(value[worst]), VIF, case.names(high), facts=facts
    )


def condition(case: Case) -> Finding:
    """Condition index of the scaled columns, and who is behind the worst near dependency."""
    centred, proportions = _belsley(case.frame.correlation[:-1, :-1])
    case.per_driver["proportion"] = case.per_effect(proportions)
    own = case.per_driver["proportion"]
    behind = [int(j) for j in np.argsort(-np.nan_to_num(own), kind="stable") if own[j] > 0.5]
    found = grade(centred, CONDITION, HIGH_CONDITION)
    facts = {"drivers": case.names(behind), "uncentred": case.asked["uncentred"]}
    wording = "nobody" if found != OK and not behind else ""
    return Finding("condition", found, centred, CONDITION, case.names(behind) if found != OK else (), wording, facts)


def _belsley(matrix: FloatArray) -> tuple[float, FloatArray]:
    """Largest condition index, and each column's variance proportion in it, shape (k,)."""
    roots, vectors = np.linalg.eigh(matrix)
    parts = vectors**2 / roots
    return float(np.sqrt(roots[-1] / roots[0])), parts[:, 0] / parts.sum(axis=1)


def uncentred_index(columns: FloatArray, weights: FloatArray) -> float:
    """Belsley's condition index with the intercept: columns scaled to length 1, not centred."""
    full = np.column_stack([np.ones(len(columns)), columns]) * np.sqrt(weights)[:, None]
    full /= np.linalg.norm(full, axis=0)
    roots = np.linalg.eigvalsh(full.T @ full)
    return float(np.sqrt(roots[-1] / max(roots[0], 1e-16)))


def signs(case: Case) -> Finding:
    """Coefficients that clearly contradict the driver's own correlation."""
    frame = case.frame
    r, r_p = frame.marginal
    estimate, marginal, marginal_p = (case.per_effect(v) for v in (frame.slopes, r, r_p))
    p = case.per_effect(frame.slope_p)
    adjusted = holm(p)
    case.per_driver.update({"correlation": marginal, "standardised": estimate, "p_value": p, "p_holm": adjusted})
    against = np.sign(estimate) != np.sign(marginal)
    sure = against & (adjusted < 0.05)
    contradicts = sure & (marginal_p < 0.05)
    unsure = np.flatnonzero(against & ~sure & (p < 0.05))
    found = SERIOUS if (contradicts & (np.abs(estimate) >= STRONG)).any() else LOOK if sure.any() else OK
    places = np.flatnonzero(contradicts if contradicts.any() else sure)
    below = np.flatnonzero(np.nan_to_num(estimate) < 0)
    wording = "unsure" if found == OK and len(unsure) else "weak" if found == LOOK and contradicts.any() else ""
    named = case.names(unsure if wording else places)
    facts = {"drivers": named, "negative": len(below), "count": case.p}
    return Finding("signs", found, float(len(places)), 1.0, named, wording, facts)


def influence(case: Case) -> Finding:
    """The largest change of a coefficient, in standard errors, when one respondent leaves."""
    frame = case.frame
    columns = frame.effect[frame.effect >= 0]
    if not len(columns):
        return Finding("influence", OK, np.nan, SHIFT, wording="none")
    shift = frame.shift[:, columns]
    largest = np.abs(shift).max(axis=0)
    case.per_driver["shift"] = case.per_effect(np.abs(frame.shift).max(axis=0))
    worst = int(largest.argmax())
    driver = int(np.flatnonzero(frame.effect == columns[worst])[0])
    own = np.sort(shift[:, worst]) if -shift[:, worst].min() > shift[:, worst].max() else -np.sort(-shift[:, worst])
    enough = np.flatnonzero(np.abs(np.cumsum(own)) > 1)
    count = int(enough[0]) + 1 if len(enough) else 0
    most = np.argsort(-np.abs(shift[:, worst]))[:count]
    value = float(largest[worst])
    row = int(np.abs(shift[:, worst]).argmax())
    facts = {
        "driver": case.names([driver]), "count": count, "share": float(frame.weights[most].sum()) / frame.total,
        "row": int(frame.rows[row]), "respondents": int((np.abs(shift) > 1).any(axis=1).sum()),
    }  # fmt: skip
    found = grade(value, SHIFT, LARGE_SHIFT)
    return Finding("influence", found, value, SHIFT, case.names([driver]) if found != OK else (), facts=facts)
