"""Solve the constants of cxlab.simulate.Truths that make a published margin hold; prints them.

Run by hand after a structural constant has changed: the printed values belong into
cxlab/simulate/_truths.py, where they are marked "solved".
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import root

from cxlab.simulate import Truths, simulate_healthcheck

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
    print("shares of complaints", by_group.round(5), "renewal by card", card_rate.round(4), "by complaint", group_rate.round(4))
    return {
        "renewal_intercept": tuple(found.x[:3].round(4).tolist()),
        "complaint_effect": (0.0, *found.x[3:].round(4).tolist()),
    }


if __name__ == "__main__":
    for name, value in solve(Truths()).items():
        print(f"    {name} = {value}")
