"""What is true of the demo study: structural constants, and what every estimator tends to.

The pseudo-true value of an estimator is its value on 30 simulated studies together (288,000 interviews), drawn
like the committed one, faults included. Its standard error comes from the 30 values of single studies, whose
standard deviation (``se_survey``) is also what chance does to one study of 9,600 interviews.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from cxlab.importance import coefficients
from cxlab.moments import weighted_moments
from cxlab.simulate import (
    CARDS,
    DRIVERS,
    SEED,
    STATED,
    STATIONS,
    TOUCHPOINTS,
    HealthCheck,
    Truths,
    month_label,
    simulate_healthcheck,
)
from cxlab.subsets import shapley

SURVEYS = 30  # seeds 1 to 30; the committed study has another seed
Values = dict[str, float]
ALL = [d for block in DRIVERS.values() for d in block]
LISTWISE = [d for d in ALL if d not in ("parking", "followup")]  # of the default drivers those that nearly all meet
OVERALL = ("satisfaction", "recommend", "effort", "trust", "delight", "repurchase", "remembered", "price_fairness",
           "brand_image", "marker_blue", "switching_cost", "noise")  # fmt: skip


def prepared(study: HealthCheck) -> pd.DataFrame:
    """Answers with the measured queue of the clinic's month, what was answered last time, and latent class."""
    frame = study.answers()
    frame["month"] = month_label(frame["wave"])
    clinics = study.clinics.rename(columns={"queue_minutes": "measured"})
    frame = frame.merge(clinics[["clinic", "month", "measured", "engagement"]], on=["clinic", "month"], how="left")
    frame["group"], frame["complaint"] = study.latent["group"], study.latent["complaint"]
    frame["study"] = study.seed
    order = np.lexsort((frame["wave"], frame["customer_id"]))
    ids = frame["customer_id"].to_numpy()[order]
    again = np.flatnonzero(ids[1:] == ids[:-1]) + 1
    names = [*TOUCHPOINTS, *(f"{t}_expected" for t in TOUCHPOINTS)]
    last = np.full((len(frame), len(names)), np.nan)
    last[order[again]] = frame[names].to_numpy()[order[again - 1]]
    return frame.join(pd.DataFrame(last, columns=[f"{n}_last" for n in names]))


# ---------------------------------------------------------------------- tools
def mean(frame: pd.DataFrame, values: Any) -> float:
    """Weighted mean of the values that are there."""
    values = np.asarray(values, dtype=float)
    there = np.isfinite(values)
    return float(np.average(values[there], weights=frame["weight"].to_numpy()[there]))


def means(values: np.ndarray, weights: Any) -> np.ndarray:
    """Weighted means of columns, each over the rows that have it."""
    there, weights = np.isfinite(values), np.asarray(weights)
    return np.asarray(weights @ np.where(there, values, 0) / (weights @ there))


def regression(frame: pd.DataFrame, outcome: Any, predictors: dict[str, Any]) -> Values:
    """Weighted least squares on complete rows: slopes, the intercept and R²."""
    columns = np.column_stack([*map(np.asarray, predictors.values()), np.asarray(outcome)]).astype(float)
    rows = np.isfinite(columns).all(axis=1)
    moments = weighted_moments(columns[rows], frame["weight"].to_numpy()[rows])
    slopes = coefficients(moments.covariance())
    covariance, centre = moments.covariance(), moments.mean()
    out = dict(zip(predictors, map(float, slopes), strict=True))
    out["intercept"] = float(centre[-1] - slopes @ centre[:-1])
    return out | {"r2": float(slopes @ covariance[:-1, -1] / covariance[-1, -1])}


def logit(x: np.ndarray, yes: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, float]:
    """Logistic regression on grouped counts by Newton's method: coefficients and log-likelihood."""
    b = np.zeros(x.shape[1])
    for _ in range(12):
        p = 1 / (1 + np.exp(-np.clip(x @ b, -30, 30)))
        step = np.linalg.solve((x.T * (total * p * (1 - p))) @ x + 1e-9 * np.eye(len(b)), x.T @ (yes - total * p))
        b = b + np.clip(step, -2, 2)
    p = 1 / (1 + np.exp(-np.clip(x @ b, -30, 30)))
    return b, float(yes @ np.log(p) + (total - yes) @ np.log1p(-p))


def grouped(frame: pd.DataFrame, by: str, flag: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values of ``by`` with the weighted number of ones of ``flag`` and of all."""
    part = frame[[by, flag, "weight"]].dropna()
    sums = part.assign(yes=part["weight"] * part[flag]).groupby(by)[["yes", "weight"]].sum()
    return sums.index.to_numpy(dtype=float), sums["yes"].to_numpy(), sums["weight"].to_numpy()


def bent(values: Any, knot: float) -> dict[str, np.ndarray]:
    """Parts of a variable below and above a knot."""
    over = np.asarray(values, dtype=float) - knot
    return {"below": np.minimum(over, 0), "above": np.maximum(over, 0)}


def named(prefix: str, values: Values) -> Values:
    """Put a prefix before the keys."""
    return {f"{prefix}.{key}": value for key, value in values.items()}


# ---------------------------------------------------------------------- levels, gaps, trends
def levels(frame: pd.DataFrame) -> Values:
    """Weighted means of all rated items, in total and by card; gaps between cards; gender."""
    items = [*TOUCHPOINTS, *(f"{t}_expected" for t in TOUCHPOINTS), *(f"{t}_emotion" for t in TOUCHPOINTS), *OVERALL]
    items += [f"stated_{s}" for s in STATED]
    values = frame[items].to_numpy()
    total = means(values, frame["weight"])
    ordinary, gold, diamond = (
        means(values[frame["card"] == k], frame["weight"][frame["card"] == k]) for k in (1, 2, 3)
    )
    men, women = (means(values[frame["gender"] == k], frame["weight"][frame["gender"] == k]) for k in (1, 2))
    groups = {"total": total, "ordinary": ordinary, "gold": gold, "diamond": diamond}
    gaps = {"gold": gold - ordinary, "diamond": diamond - ordinary, "female": women - men}
    out = {f"mean.{item}.{g}": v[k] for k, item in enumerate(items) for g, v in groups.items()}
    return out | {f"gap.{g}.{item}": v[k] for g, v in gaps.items() for k, item in enumerate(items)}


def scores(frame: pd.DataFrame) -> Values:
    """NPS (−100…100) and CSAT (share of 9 and 10), in total and by card."""
    out: Values = {}
    for name, part in (("total", frame), *((c, frame[frame["card"] == k]) for k, c in enumerate(CARDS, start=1))):
        recommend, satisfied = part["recommend"], part["satisfaction"]
        promoters = (recommend >= 9) * 1.0 - (recommend <= 6)
        out[f"nps.{name}"] = 100 * mean(part, promoters.where(recommend.notna()))
        out[f"csat.{name}"] = mean(part, (satisfied >= 9).where(satisfied.notna()).astype(float))
    return out


def trends(frame: pd.DataFrame) -> Values:
    """Mean satisfaction of waves 20–24 minus waves 1–10; the report around its shock."""
    late, early = frame[frame["wave"] >= 20], frame[frame["wave"] <= 10]
    out = {"trend.total": mean(late, late["satisfaction"]) - mean(early, early["satisfaction"])}
    by = late.groupby("card")["satisfaction"].mean() - early.groupby("card")["satisfaction"].mean()
    out |= {f"trend.{name}": float(by[k]) for k, name in enumerate(CARDS, start=1)}
    out["trend.unweighted"] = float(late["satisfaction"].mean() - early["satisfaction"].mean())
    calm = frame[frame["wave"].between(10, 14)]
    for wave in (15, 16, 17):
        part = frame[frame["wave"] == wave]
        out[f"shock.wave_{wave}"] = mean(part, part["report"]) - mean(calm, calm["report"])
    return out


# ---------------------------------------------------------------------- drivers
def drivers(frame: pd.DataFrame) -> Values:
    """Coefficients, LMG importance and shares: all drivers, and those of the default listwise analysis."""
    out: Values = {}
    for name, used in (("all_15", ALL), ("listwise_13", LISTWISE)):
        rows = frame[[*used, "satisfaction", "weight"]].dropna().to_numpy(dtype=float)
        moments = weighted_moments(rows[:, :-1], rows[:, -1])
        importance, slopes = shapley(moments.correlation()), coefficients(moments.covariance())
        out |= named(f"drivers.{name}.coefficient", dict(zip(used, map(float, slopes), strict=True)))
        out |= named(f"drivers.{name}.importance", dict(zip(used, map(float, importance), strict=True)))
        out |= named(f"drivers.{name}.share", dict(zip(used, map(float, importance / importance.sum()), strict=True)))
        out |= {f"drivers.{name}.r2": float(importance.sum()), f"drivers.{name}.complete": len(rows) / len(frame)}
    rest = {d: frame[d] for d in LISTWISE if d not in ("report", "meal")}
    truths = Truths()
    for item, (knot, _, _) in (("report", truths.must_be), ("meal", truths.delighter)):
        other = {"meal": frame["meal"], "report": frame["report"]}
        other.pop(item)
        fit = regression(frame, frame["satisfaction"], {**rest, **other, **bent(frame[item], knot)})
        out |= {f"asymmetry.{item}.below": fit["below"], f"asymmetry.{item}.above": fit["above"]}
    return out


def queue_first(frame: pd.DataFrame) -> Values:
    """Share of single waves, and of bases of three and six waves in a row, in which queue ranks first."""
    data = frame[[*LISTWISE, "satisfaction", "weight", "wave", "study"]].dropna().to_numpy(dtype=float)
    out: Values = {}
    for length, name in ((1, "one_wave"), (3, "three_waves"), (6, "six_waves")):
        base = data[:, -1] * 100 + (data[:, -2] - 1) // length
        matrices = [
            weighted_moments(part[:, :-3], part[:, -3]).correlation()
            for part in (data[base == b] for b in np.unique(base))
        ]
        best = np.argmax(shapley(np.array(matrices)), axis=1)
        out[f"queue_first.{name}"] = float(np.mean(best == LISTWISE.index("queue")))
    return out


def classes(frame: pd.DataFrame) -> Values:
    """Shares of the latent classes and their slopes on the rated price, service and product."""
    rest = {d: frame[d] for d in ("queue", "booking", "changing", "report", "meal")}
    groups = {
        "price": frame["price_fairness"],
        "service": frame[["reception", "nurse", "doctor"]].mean(axis=1, skipna=False),
        "product": frame[["info", "equipment"]].mean(axis=1, skipna=False),
    }
    out: Values = {}
    for k, name in enumerate(("price_sensitive", "service_led", "product_led"), start=1):
        inside = frame["group"] == k
        out[f"classes.{name}.share"] = mean(frame, inside)
        part = {n: v[inside] for n, v in {**groups, **rest}.items()}
        fit = regression(frame[inside], frame["satisfaction"][inside], part)
        out |= named(f"classes.{name}", {n: fit[n] for n in groups})
    return out


# ---------------------------------------------------------------------- memory, expectation, mode, minutes
def memory(frame: pd.DataFrame) -> Values:
    """Remembered visit on peak, end, mean and length; reception's emotion on the response surface."""
    x, order = frame[list(STATIONS)].to_numpy(), frame[[f"{s}_order" for s in STATIONS]].to_numpy()
    met = np.isfinite(order)
    whole = (np.isfinite(x) | ~met).all(axis=1)
    peak = np.where(met, x, -np.inf).max(axis=1)
    end = np.take_along_axis(x, np.where(met, order, 0).argmax(axis=1)[:, None], axis=1)[:, 0]
    average = np.where(met, x, 0).sum(axis=1) / met.sum(axis=1)
    parts = {"peak": peak, "end": end, "mean": average, "duration": frame["visit_minutes"]}
    out = named("peak_end", regression(frame, frame["remembered"].where(whole), parts))
    a, e = frame["reception"] - 7, frame["reception_expected"] - 7
    surface = {"b1_x": a, "b2_e": e, "b3_xx": a**2, "b4_xe": a * e, "b5_ee": e**2}
    return out | named("surface", regression(frame, frame["reception_emotion"], surface))


def measurement(frame: pd.DataFrame) -> Values:
    """Mode effect on effort and the change left after it; perceived on measured queue; clinics; ratchet."""
    mobile, late = frame["mode"] == 2, frame["wave"] >= Truths().mobile_from
    effort = regression(frame, frame["effort"], {"mode_effect": mobile, "adjusted_change": late})
    out = named("effort", {k: effort[k] for k in ("mode_effect", "adjusted_change")})
    out["effort.raw_change"] = mean(frame[late], frame["effort"][late]) - mean(frame[~late], frame["effort"][~late])
    queue = regression(frame, frame["queue_minutes"], {"slope": frame["measured"]})
    out |= named("perceived_queue", {k: queue[k] for k in ("slope", "intercept")})
    by_clinic = frame.groupby("clinic")
    satisfied = [mean(part, part["satisfaction"]) for _, part in by_clinic]
    engaged = [part.groupby(["study", "month"])["engagement"].first().mean() for _, part in by_clinic]
    out["clinics.engagement_satisfaction_r"] = float(np.corrcoef(satisfied, engaged)[0, 1])
    stacked = np.concatenate([_repeat_visits(frame, t) for t in TOUCHPOINTS])
    fit = coefficients(weighted_moments(stacked[:, [1, 2, 0]], stacked[:, 3]).covariance())
    return out | {"ratchet.experience": float(fit[0]), "ratchet.expectation": float(fit[1])}


def _repeat_visits(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Expectation now, experience and expectation of the last visit (about the card's mean), and weight."""
    columns = [f"{name}_expected", f"{name}_last", f"{name}_expected_last", "weight", "card"]
    part = frame[columns].to_numpy(dtype=float)
    part = part[np.isfinite(part).all(axis=1)]
    for card in (1, 2, 3):
        part[part[:, 4] == card, :3] -= part[part[:, 4] == card, :3].mean(axis=0)
    return part


# ---------------------------------------------------------------------- loyalty, complaints, money
def loyalty(frame: pd.DataFrame) -> Values:
    """Renewal by card, hostages and complaint group; knots and slopes on the rated satisfaction."""
    out: Values = {"renewal.total": mean(frame, frame["renewed"])}
    for k, name in enumerate(CARDS, start=1):
        out[f"renewal.{name}"] = mean(frame[frame["card"] == k], frame["renewed"][frame["card"] == k])
    corporate = (frame["card"] == 1) & (frame["payer"] == 2)
    out["renewal.hostages"] = mean(frame[corporate], frame["renewed"][corporate])
    voiced, resolved = frame["voiced"] == 1, frame["resolved"] == 1
    groups = {
        "no_problem": frame["problem"] == 0, "voiced_resolved": resolved, "voiced_unresolved": voiced & ~resolved,
        "silent": frame["voiced"] == 0,
    }  # fmt: skip
    for name, inside in groups.items():
        out[f"complaints.renewal.{name}"] = mean(frame[inside], frame["renewed"][inside])
    problem = frame[frame["problem"] == 1]
    out["complaints.problem"] = mean(frame, frame["problem"])
    out["complaints.voiced"] = mean(problem, problem["voiced"])
    out["complaints.resolved"] = mean(frame, frame["resolved"])
    for k, name in enumerate(("knew_no_channel", "not_worth_it", "will_switch"), start=1):
        asked = frame["silent_reason"].notna()
        out[f"complaints.silent.{name}"] = mean(frame[asked], frame["silent_reason"][asked] == k)
    self_paying = frame[(frame["card"] == 1) & (frame["payer"] == 1)]
    follow = {"ordinary_self_paying": self_paying, "gold": frame[frame["card"] == 2]}
    follow["both"] = pd.concat(follow.values())
    for name, part in follow.items():
        out |= named(f"knot.{name}", knot(part))
    score, yes, total = grouped(frame[frame["card"] == 3], "satisfaction", "renewed")
    out["knot.diamond.slope"] = float(logit(np.column_stack([np.ones_like(score), score]), yes, total)[0][1])
    score, yes, total = grouped(frame[corporate], "satisfaction", "renewed")
    out["knot.hostages.slope"] = float(logit(np.column_stack([np.ones_like(score), score]), yes, total)[0][1])
    return out


def knot(frame: pd.DataFrame) -> Values:
    """Segmented logit of renewal on rated satisfaction: the knot with the highest likelihood, and its slopes."""
    score, yes, total = grouped(frame[frame["satisfaction"].between(0, 10)], "satisfaction", "renewed")

    def fit(at: float) -> tuple[np.ndarray, float]:
        return logit(np.column_stack([np.ones_like(score), *bent(score, at).values()]), yes, total)

    def best_of(grid: np.ndarray) -> float:
        return float(grid[np.argmax([fit(at)[1] for at in grid])])

    coarse = best_of(np.arange(6.0, 9.6, 0.25))
    best = round(best_of(coarse + np.arange(-0.24, 0.25, 0.03)), 2)
    slopes = fit(best)[0]
    return {"knot": best, "below": float(slopes[1]), "above": float(slopes[2])}


def money(frame: pd.DataFrame) -> Values:
    """Revenue shares by card, and the premium at which half would accept (per cent)."""
    prices = frame["weight"] * np.array(Truths().price)[frame["card"] - 1]
    out = {f"revenue_share.{c}": float(prices[frame["card"] == k].sum() / prices.sum()) for k, c in enumerate(CARDS, 1)}
    parts = {"total": frame, **{c: frame[frame["card"] == k] for k, c in enumerate(CARDS, start=1)}}
    for name, part in parts.items():
        offer, yes, total = grouped(part, "price_offer", "price_choice")
        b = logit(np.column_stack([np.ones_like(offer), offer]), yes, total)[0]
        out[f"premium.{name}"] = float(-b[0] / b[1])
    return out


ESTIMATORS: tuple[Callable[[pd.DataFrame], Values], ...] = (
    levels, scores, trends, drivers, queue_first, classes, memory, measurement, loyalty, money,
)  # fmt: skip


def estimates(frame: pd.DataFrame) -> Values:
    """Every estimator on one frame of :func:`prepared`; keys are paths with dots."""
    return {key: float(value) for estimator in ESTIMATORS for key, value in estimator(frame).items()}


# ---------------------------------------------------------------------- truth.json
def pseudo_true() -> dict[str, Any]:
    """Values with their standard errors, as a tree."""
    frames = [prepared(simulate_healthcheck(seed=seed)) for seed in range(1, SURVEYS + 1)]
    single = pd.DataFrame([estimates(frame) for frame in frames])
    whole = estimates(pd.concat(frames, ignore_index=True))
    return tree({
        key: {
            "value": round(value, 5),
            "se": round(float(single[key].std() / np.sqrt(SURVEYS)), 6),
            "se_survey": round(float(single[key].std()), 5),
        }
        for key, value in whole.items()
    })  # fmt: skip


def tree(flat: dict[str, Any]) -> dict[str, Any]:
    """Nest keys with dots."""
    out: dict[str, Any] = {}
    for key, value in flat.items():
        *path, leaf = key.split(".")
        at = out
        for step in path:
            at = at.setdefault(step, {})
        at[leaf] = value
    return out


def structural() -> dict[str, Any]:
    """The constants of the simulation; tuples by touchpoint, card or station as mappings."""
    out = asdict(Truths())
    for name in ("experience", "expectation"):
        out[name] = dict(zip(TOUCHPOINTS, out[name], strict=True))
    for name in ("sample_share", "population_share", "weight", "trend", "card_expectation", "renewal",
                 "renewal_intercept", "price", "premium"):  # fmt: skip
        out[name] = dict(zip(CARDS, out[name], strict=True))
    out["stated"] = dict(zip(STATED, out["stated"], strict=True))
    out["privilege"] = {name: {"gold": gold, "diamond": diamond} for name, gold, diamond in out["privilege"]}
    for name in ("slopes", "not_met", "shock"):
        out[name] = {str(key): value for key, value in out[name]}
    return out


def truth(study: HealthCheck, coded: pd.DataFrame) -> dict[str, Any]:
    """All of truth.json."""
    truths = study.truths
    weights = study.responses["weight"]
    frame = prepared(study)
    return {
        "about": {
            "seed": SEED,
            "interviews": len(study.responses),
            "customers": len(study.customers),
            "pseudo_true_surveys": SURVEYS,
            "pseudo_true_interviews": SURVEYS * len(study.responses),
            "estimators": "weighted; functions of the same name in truth.py",
        },
        "structural": structural(),
        "counts": {
            "duplicate_ids": truths.duplicates,
            "straight_liners_per_wave": truths.straight_liners,
            "out_of_range": truths.out_of_range,
            "impossible_dates": truths.impossible_dates,
            "comments": len(coded),
            "comment_traps": int((coded["trap"] != "").sum()),
            "comments_critical": int((coded["critical"] == 1).sum()),
        },
        "design_effect": round(float(len(weights) * (weights**2).sum() / weights.sum() ** 2), 5),
        "pseudo_true": pseudo_true(),
        "committed": tree({key: round(value, 5) for key, value in estimates(frame).items()}),
    }
