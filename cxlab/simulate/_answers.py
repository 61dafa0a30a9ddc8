"""From true values to the file: style, rounding, missing codes, and the planted faults of quality."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cxlab.simulate._behaviour import NONE, RESOLVED, SILENT, Behaviour
from cxlab.simulate._people import People, stream
from cxlab.simulate._truths import FOLLOWED_UNTIL, NOT_ASKED, NOT_MET, REFUSED, STATIONS, TOUCHPOINTS, Truths
from cxlab.simulate._visit import AT, Visit

Array = np.ndarray[Any, np.dtype[Any]]
EFFORT_SCALE, EMOTION_SCALE = (1, 7), (-5, 5)
GRID = (*TOUCHPOINTS, "price_fairness", "brand_image")  # asked as one grid: a straight line runs through all of it
OUTSIDE = (11.0, 12.0, -1.0)  # what a slip of the keyboard leaves on a 0–10 scale
STUDY_ROWS = 9600  # the interviews that the numbers of duplicates, slips and impossible dates refer to


def rated(value: Array, style: Array | float, low: float = 0, high: float = 10) -> Array:
    """Answer on a response scale: the true value and the style, rounded, at most the ends of the scale."""
    return np.clip(np.rint(value + style), low, high)


def rate(people: People, visit: Visit, whole: dict[str, Array], seed: int) -> dict[str, Array]:
    """Every rating of the questionnaire as it would be answered in full."""
    style = people.style[people.customer]
    answers: dict[str, Array] = {}
    for name, k in AT.items():
        answers[name] = rated(visit.experience[:, k], style)
    for name, k in AT.items():
        answers[f"{name}_expected"] = rated(visit.expectation[:, k], style)
    for name, k in AT.items():
        answers[f"{name}_emotion"] = rated(visit.emotion[:, k], style, *EMOTION_SCALE)
    for name, value in whole.items():
        ends = EFFORT_SCALE if name == "effort" else (0, 10)
        answers[name] = rated(value, style, *ends)
    answers["noise"] = rated(stream(seed, "noise").normal(5, 2, len(style)), 0.0)  # no style: null in every sense
    return answers


def straighten(truths: Truths, answers: dict[str, Array], people: People, seed: int, base: int) -> Array:
    """Let a fixed number per wave answer the whole grid alike, in place; returns who they are.

    The answer is roughly that of most touchpoints (those that are no privilege of a card) and much chance. The grid
    of emotions gets one answer as well, and the visit is remembered as it was rated.
    """
    rng, who = stream(seed, "straight lines"), people.customer
    mark = rng.random(len(who))
    common = [answers[t] for t in TOUCHPOINTS if t not in {name for name, _, _ in truths.privilege}]
    line = np.mean(common, axis=0) + rng.normal(0, truths.straight_line_noise, len(who))
    count = round(truths.straight_liners * base / 400)
    straight = np.zeros(len(who), dtype=bool)
    for w in np.unique(people.wave):
        rows = np.flatnonzero(people.wave == w)
        straight[rows[np.argsort(mark[rows])[:count]]] = True
    given = rated(line, 0.0)
    for name in GRID:
        answers[name] = np.where(straight, given, answers[name])
    felt = rated(truths.emotion_intercept + truths.surface[0] * (given - truths.centre), 0.0, *EMOTION_SCALE)
    for name in TOUCHPOINTS:
        answers[f"{name}_emotion"] = np.where(straight, felt, answers[f"{name}_emotion"])
    start, peak, end, mean, _ = truths.peak_end
    memory = rated(start + (peak + end + mean) * given + rng.normal(0, 0.6, len(who)), 0.0)
    answers["remembered"] = np.where(straight, memory, answers["remembered"])
    return straight


def leave_out(truths: Truths, answers: dict[str, Array], visit: Visit, wave: Array, straight: Array, seed: int) -> None:
    """Put the codes of missing answers into ``answers``, in place; straight-liners answer the whole grid.

    So that the shares hold in the file, the others leave out a little more.
    """
    grow = 1 / (1 - straight.mean())
    honest = np.where(straight, 0.0, grow)
    for name, value in list(answers.items()):
        share: Any = truths.refused * (honest if name in GRID else 1.0)
        if name == "price_fairness" and truths.refused:
            start, slope = truths.price_refusal
            share = honest / (1 + np.exp(-(start + slope * (visit.price - 7))))
        answers[name] = np.where(stream(seed, f"refused {name}").random(len(wave)) < share, REFUSED, value)
    for name in TOUCHPOINTS:
        unmet = ~visit.met[:, AT[name]] & ~straight
        for item in (name, f"{name}_emotion"):
            answers[item] = np.where(unmet, NOT_MET, answers[item])
    for item in ("parking", "parking_expected", "parking_emotion"):
        answers[item] = np.where(wave == truths.parking_not_asked, NOT_ASKED, answers[item])


def positions(visit: Visit) -> dict[str, Array]:
    """Order of the stations, code 98 for one that was not met."""
    return {
        f"{s}_order": np.where(visit.position[:, k] > 0, visit.position[:, k], NOT_MET) for k, s in enumerate(STATIONS)
    }


def behaviour_columns(people: People, visit: Visit, behaviour: Behaviour) -> dict[str, Array]:
    """Minutes to the next five, complaints, renewal and price choice; NaN where a question does not apply."""
    problem = behaviour.complaint != NONE
    voiced = problem & (behaviour.complaint != SILENT)
    known = people.wave + 12 <= FOLLOWED_UNTIL
    return {
        "queue_minutes": np.maximum(5 * np.rint(visit.perceived / 5), 0),
        "visit_minutes": np.maximum(5 * np.rint(visit.minutes / 5), 30),
        "problem": problem.astype(float),
        "voiced": np.where(problem, voiced, np.nan),
        "silent_reason": np.where(behaviour.reason > 0, behaviour.reason, np.nan),
        "resolved": np.where(voiced, behaviour.complaint == RESOLVED, np.nan),
        "price_offer": behaviour.offer,
        "price_choice": behaviour.accepted.astype(float),
        "renewed": np.where(known, behaviour.renewed, np.nan),
    }


# ---------------------------------------------------------------------- faults that a data check must find
def spoil(truths: Truths, responses: pd.DataFrame, straight: Array, seed: int) -> pd.DataFrame:
    """Plant duplicate ids, answers outside the scale and impossible dates; returns a changed copy."""
    out = responses.copy()
    share = len(out) / STUDY_ROWS
    _repeat_ids(out, round(truths.duplicates * share), stream(seed, "duplicates"))
    _slip(out, straight, round(truths.out_of_range * share), stream(seed, "slips"))
    _misdate(out, round(truths.impossible_dates * share), stream(seed, "impossible dates"))
    return out


def _repeat_ids(out: pd.DataFrame, count: int, rng: np.random.Generator) -> None:
    """Give ``count`` interviews the id of another one of the same wave and card."""
    cell = (out["wave"] * 10 + out["card"]).to_numpy()
    order = rng.permutation(len(out))
    order = order[np.argsort(cell[order], kind="stable")]
    key = pd.Series(cell[order])
    place = key.groupby(key).cumcount().to_numpy()
    first = np.flatnonzero((place[:-1] % 2 == 0) & (place[1:] == place[:-1] + 1))
    chosen = rng.permutation(first)[:count]
    ids = out["customer_id"].to_numpy(copy=True)
    ids[order[chosen + 1]] = ids[order[chosen]]
    out["customer_id"] = ids


def _slip(out: pd.DataFrame, straight: Array, count: int, rng: np.random.Generator) -> None:
    """Put answers outside the scale where honest respondents gave one, at most one each."""
    items = [*TOUCHPOINTS, "satisfaction", "recommend", "trust", "repurchase"]
    rows = rng.permutation(np.flatnonzero(~straight))
    picked = rng.integers(len(items), size=len(rows))
    values = out[items].to_numpy(copy=True)
    answered = values[rows, picked] <= 10
    rows, picked = rows[answered][:count], picked[answered][:count]
    values[rows, picked] = np.resize(OUTSIDE, len(rows))
    out[items] = values


def _misdate(out: pd.DataFrame, count: int, rng: np.random.Generator) -> None:
    """Turn the day into one after the end of its month, such as 30 February."""
    month = out["visit_date"].str[:7].to_numpy(dtype="datetime64[M]")
    days = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(int)
    for row in rng.permutation(np.flatnonzero(days < 31))[:count]:
        out.at[row, "visit_date"] = f"{month[row]}-{days[row] + 1:02d}"
