"""Solve the constants of cxlab.simulate.Truths that make a published margin hold, and choose the seed.

Run by hand after a structural constant has changed; it prints what belongs into cxlab/simulate/_truths.py
(marked "solved") and the seed of the committed study.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import root

from cxlab.moments import weighted_moments
from cxlab.simulate import DRIVERS, STATED, TOUCHPOINTS, HealthCheck, Truths, simulate_healthcheck
from cxlab.subsets import shapley

SURVEYS = 30  # of 9,600 interviews
NPS, CONVENIENCE = 2.0, 9.0
KNOWN_WAVES = 21  # the waves whose renewals are known


def draw(truths: Truths, surveys: int = SURVEYS) -> pd.DataFrame:
    """Interviews of several studies with what the margins need."""
    parts = []
    for seed in range(1, surveys + 1):
        study = simulate_healthcheck(seed=seed, truths=truths)
        answers = study.answers()[["wave", "card", "weight", "recommend", "stated_convenience"]]
        parts.append(pd.concat([answers, study.latent], axis=1))
    return pd.concat(parts, ignore_index=True)


def mean(frame: pd.DataFrame, values: Any) -> float:
    """Weighted mean of the values that are there."""
    values = pd.Series(np.asarray(values, dtype=float), frame.index)
    there = values.notna()
    return float(np.average(values[there], weights=frame["weight"][there]))


def solve(truths: Truths) -> dict[str, Any]:
    """Solve problem rate, NPS, stated convenience and renewals, one after the other."""
    changed: dict[str, Any] = {}
    for _ in range(3):
        now = Truths(**{**vars(truths), **changed})
        frame = draw(now)
        recommend = frame["recommend"]
        nps = 100 * mean(frame, np.where(recommend.isna(), np.nan, (recommend >= 9) * 1.0 - (recommend <= 6)))
        problem = mean(frame, frame["complaint"] > 0)
        convenience = mean(frame, frame["stated_convenience"])
        print(f"NPS {nps:.3f}, problem {problem:.5f}, convenience {convenience:.4f}")
        stated = list(now.stated)
        stated[3] = round(stated[3] + (CONVENIENCE - convenience) / 0.8, 4)
        step = np.log(truths.problem / (1 - truths.problem)) - np.log(problem / (1 - problem))
        changed |= {
            "recommend_intercept": round(now.recommend_intercept + (NPS - nps) / 33, 4),
            "problem_intercept": round(now.problem_intercept + float(step) * 1.15, 4),
            "stated": tuple(stated),
        }
    return changed | renewals(now, frame[frame["wave"] <= KNOWN_WAVES])


def renewals(truths: Truths, frame: pd.DataFrame) -> dict[str, Any]:
    """Intercepts by card and effects of complaints that give both sets of renewal rates.

    The seven rates share one total, so the two sets are moved towards each other by what they differ in;
    every rate keeps its two decimals.
    """
    weight = frame["weight"].to_numpy() / frame["weight"].sum()
    card, group = frame["card"].to_numpy() - 1, frame["complaint"].to_numpy()
    by_card = np.array([weight[card == k].sum() for k in range(3)])
    by_group = np.array([weight[group == k].sum() for k in range(4)])
    gap = by_group @ truths.complaint_renewal - by_card @ truths.renewal
    card_rate, group_rate = np.array(truths.renewal) + gap / 2, np.array(truths.complaint_renewal) - gap / 2
    over = frame["satisfaction"].to_numpy() - truths.knot
    below, above = truths.renewal_slopes
    link = np.where(card == 2, truths.diamond_slope * over, below * np.minimum(over, 0) + above * np.maximum(over, 0))

    def misses(x: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-(x[card] + link + np.r_[0.0, x[3:]][group])))
        p = weight * np.where(frame["hostage"], truths.hostage_renewal, p)
        cards = [p[card == k].sum() / by_card[k] - card_rate[k] for k in range(3)]
        return np.array(cards + [p[group == k].sum() / by_group[k] - group_rate[k] for k in range(1, 4)])

    found = root(misses, np.zeros(6), tol=1e-12)
    print(
        "shares of complaints",
        by_group.round(5),
        "renewal by card",
        card_rate.round(4),
        "by complaint",
        group_rate.round(4),
    )
    return {
        "renewal_intercept": tuple(found.x[:3].round(4).tolist()),
        "complaint_effect": (0.0, *found.x[3:].round(4).tolist()),
    }


# ---------------------------------------------------------------------- the seed of the committed study
FIRST_SEED = 101  # 1 to 30 make the pseudo-true values
TREND = {"total": 0.00, "ordinary": 0.22, "gold": -0.70, "diamond": -0.05, "unweighted": -0.11}
NULL_BY_CARD = [t for t in TOUCHPOINTS if t not in ("parking", "reception", "changing")]
NULL_BY_CARD += ["effort", "delight", "remembered", "price_fairness", "brand_image", "noise", "marker_blue"]


def fits(study: HealthCheck) -> bool:
    """Tell whether a study of 9,600 interviews looks like the published one where that is a matter of chance.

    Satisfaction trends within .03 (total .015), NPS within .7, queue first in every rolling six-wave base and in 67 to 83 %
    of the single waves, and no item that is null by card or gender 2.8 or more standard errors off.
    """
    answers = study.answers()
    moved = trends(answers)
    if any(abs(moved[k] - v) > (0.015 if k == "total" else 0.03) for k, v in TREND.items()):
        return False
    recommend = answers["recommend"]
    nps = 100 * mean(answers, np.where(recommend.isna(), np.nan, (recommend >= 9) * 1.0 - (recommend <= 6)))
    if abs(nps - NPS) > 0.7 or _largest_null(answers) > 2.8:
        return False
    single = np.mean([queue_first(answers, [w]) for w in range(1, 25)])
    return 0.67 <= single <= 0.83 and all(queue_first(answers, range(w - 5, w + 1)) for w in range(6, 25))


def trends(answers: pd.DataFrame) -> dict[str, float]:
    """Mean satisfaction of waves 20–24 minus waves 1–10."""
    late, early = answers[answers["wave"] >= 20], answers[answers["wave"] <= 10]
    out = {"total": mean(late, late["satisfaction"]) - mean(early, early["satisfaction"])}
    by = late.groupby("card")["satisfaction"].mean() - early.groupby("card")["satisfaction"].mean()
    out |= {name: float(by[k]) for k, name in enumerate(("ordinary", "gold", "diamond"), start=1)}
    return out | {"unweighted": float(late["satisfaction"].mean() - early["satisfaction"].mean())}


def queue_first(answers: pd.DataFrame, waves: Any) -> bool:
    """Tell whether queue is the most important driver in some waves (listwise, 13 drivers)."""
    drivers = [d for block in DRIVERS.values() for d in block if d not in ("parking", "followup")]
    part = answers.loc[answers["wave"].isin(list(waves)), [*drivers, "satisfaction", "weight"]].dropna().to_numpy()
    importance = shapley(weighted_moments(part[:, :-1], part[:, -1]).correlation())
    return drivers[int(np.argmax(importance))] == "queue"


def _largest_null(answers: pd.DataFrame) -> float:
    items = NULL_BY_CARD + [f"stated_{s}" for s in STATED]
    worst = 0.0
    for part, names in (("card", items), ("gender", [*items, "satisfaction", "recommend", "trust", "repurchase"])):
        for code in answers[part].unique():
            inside, rest = answers.loc[answers[part] == code, names], answers.loc[answers[part] != code, names]
            se = np.sqrt(inside.var() / inside.count() + rest.var() / rest.count())
            worst = max(worst, float(((inside.mean() - rest.mean()) / se).abs().max()))
    return worst


def choose_seed() -> int:
    """First seed whose study fits."""
    seed = FIRST_SEED
    while not fits(simulate_healthcheck(seed=seed)):
        seed += 1
    return seed


if __name__ == "__main__":
    for name, value in solve(Truths()).items():
        print(f"    {name} = {value}")
    print("seed", choose_seed())
