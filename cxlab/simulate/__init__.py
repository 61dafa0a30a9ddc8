"""Simulate the health-check study: customers, visits and answers with a known truth behind them.

Every truth draws from a random stream of its own name, so that adding one never moves another.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError, unknown_names
from cxlab.items import Codebook, Item
from cxlab.simulate._answers import (
    EFFORT_SCALE,
    EMOTION_SCALE,
    behaviour_columns,
    leave_out,
    positions,
    rate,
    spoil,
    straighten,
)
from cxlab.simulate._behaviour import (
    Behaviour,
    clinic_months,
    customer_table,
    draw_behaviour,
    month_label,
    overall,
    transaction_table,
)
from cxlab.simulate._people import People, draw_people, stream
from cxlab.simulate._truths import CARDS, NOT_ASKED, NOT_MET, REFUSED, STATED, STATIONS, TOUCHPOINTS, Clinics, Truths
from cxlab.simulate._visit import Visit, draw_visits
from cxlab.survey import Roles, SampleDesign, Survey, Touchpoint

__all__ = ["CARDS", "DRIVERS", "MISSING", "STATED", "STATIONS", "TOUCHPOINTS", "Clinics", "HealthCheck", "Truths",
           "month_label", "simulate_healthcheck", "stream"]  # fmt: skip

SEED = 700  # of the committed study; how it was chosen: data/healthcheck/solve.py
MISSING = {float(NOT_ASKED): "not asked", float(NOT_MET): "not experienced", float(REFUSED): "refused"}
DRIVERS = {
    "value": ("booking", "info", "nurse", "doctor", "report", "followup", "brand_image"),
    "price": ("price_fairness",),
    "sensory": ("parking", "reception", "changing", "queue", "equipment", "meal"),
    "": ("noise",),
}
STAGES = {t: "before" if k < 3 else "during" if k < 10 else "after" for k, t in enumerate(TOUCHPOINTS)}
_PLAIN = {"response_id", "customer_id", "wave", "visit", "visit_date", "clinic", "mode", "card", "payer", "gender",
          "age", "weight", "queue_minutes", "visit_minutes", "problem", "voiced", "silent_reason", "resolved",
          "price_offer", "renewed"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class HealthCheck:
    """A simulated health-check study.

    Attributes
    ----------
    responses : DataFrame
        One row per interview, ordered by wave, with the codes of the file: 97 not asked, 98 not
        experienced, 99 refused; NaN where a question does not apply.
    customers, transactions, clinics : DataFrame
        The linked tables.
    latent : DataFrame
        What no survey sees, row by row: class (1–3), hostage, halo, style, true satisfaction, complaint
        group (0–3), probability of renewal, renewal and its month, straight-liner.
    truths : Truths
    seed : int
    """

    responses: pd.DataFrame
    customers: pd.DataFrame
    transactions: pd.DataFrame
    clinics: pd.DataFrame
    latent: pd.DataFrame
    truths: Truths
    seed: int

    def answers(self) -> pd.DataFrame:
        """Responses with NaN in place of the missing codes."""
        rated = [c for c in self.responses.columns if c not in _PLAIN]
        values = self.responses[rated]
        return self.responses.assign(**values.mask(values >= NOT_ASKED))

    def survey(self) -> Survey:
        """The study as a Survey with roles, scales, missing reasons and design; labels are column names."""
        data = self.answers()
        rated = [c for c in data.columns if c not in _PLAIN]
        codes = self.responses[rated].where(self.responses[rated] >= NOT_ASKED)
        items = {c: Item(c, scale=_scale(c), higher_is_better=c != "effort",
                         missing=MISSING if c in codes.columns else {},
                         kind="number" if pd.api.types.is_numeric_dtype(data[c]) else "text") for c in data.columns}  # fmt: skip
        numbers = {c: data[c].astype(float) for c in data.columns if items[c].kind == "number"}
        return Survey(
            data.assign(**numbers), Codebook(items), _roles(), SampleDesign("weight", "card", "customer_id"),
            codes.dropna(axis=1, how="all"), name="healthcheck", source=f"simulate_healthcheck(seed={self.seed})",
        )  # fmt: skip


def simulate_healthcheck(
    base_per_wave: int = 400,
    waves: int = 24,
    *,
    seed: int = SEED,
    truths: Truths | None = None,
    faults: bool = True,
    **changes: Any,
) -> HealthCheck:
    """Draw a health-check study whose truth is known, at any size.

    Parameters
    ----------
    base_per_wave : int
        Interviews per wave, a multiple of 10: half ordinary, 30 % gold, 20 % diamond cards.
    waves : int
        Monthly waves from January 2024.
    seed : int
        Same seed, same study. Every truth has a random stream of its own.
    truths : Truths, optional
        Structural constants; those of the committed study by default.
    faults : bool
        Plant straight-liners, duplicate ids, slips outside the scale and impossible dates.
    **changes
        Constants to replace, e.g. ``crisis=0.5`` for half of everything planted against gold cards,
        ``crisis=0, diamond=0`` for cards that do not differ.

    Returns
    -------
    HealthCheck

    Raises
    ------
    SurveyError
        If a size is impossible, or a constant is not one of :class:`Truths`.

    Notes
    -----
    A rating is the true value plus the respondent's style, rounded, at most the ends of its scale.
    Pseudo-true values of estimators, which rounding and style move away from the structural ones, stand in
    ``data/healthcheck/truth.json``.

    Examples
    --------
    >>> study = simulate_healthcheck(100, 3, seed=1)
    >>> study.responses.groupby("card").size().tolist()
    [150, 90, 60]
    """
    if base_per_wave < 10 or base_per_wave % 10:
        raise SurveyError(f"base_per_wave is {base_per_wave}; a multiple of 10 is needed (cards are 5 : 3 : 2).")
    if waves < 1:
        raise SurveyError(f"waves is {waves}; at least 1 is needed.")
    known = [f.name for f in fields(Truths)]
    if unknown := [c for c in changes if c not in known]:
        raise unknown_names("changes", unknown, known, "Truths")
    return _simulate(replace(truths or Truths(), **changes), base_per_wave, waves, seed, faults)


def _simulate(truths: Truths, base: int, waves: int, seed: int, faults: bool) -> HealthCheck:
    people = draw_people(truths, base, waves, seed)
    clinics = clinic_months(truths, waves, seed)
    months = clinics["queue_minutes"].to_numpy().reshape(12, waves)
    lines = truths.straight_liners / 400 if faults else 0.0
    visit = draw_visits(truths, people, months, seed, 1 / (1 - lines))
    mobile = stream(seed, "mode").random(len(people.wave)) < np.where(
        people.wave >= truths.mobile_from, truths.mobile[1], truths.mobile[0]
    )
    behaviour = draw_behaviour(truths, people, visit, seed)
    answers = rate(people, visit, overall(truths, people, visit, mobile, seed), seed)
    straight = np.zeros(len(people.wave), dtype=bool)
    if faults:
        straight = straighten(truths, answers, people, seed, base)
    leave_out(truths, answers, visit, people.wave, straight, seed)
    ids = np.array([f"C{k:06d}" for k in range(1, len(people.card) + 1)])
    known = _known(truths, people, ids, mobile, seed)
    responses = pd.DataFrame({**known, **answers, **positions(visit), **behaviour_columns(people, visit, behaviour)})
    choice = responses["price_choice"].to_numpy()
    refused = stream(seed, "refused price_choice").random(len(choice)) < truths.refused
    responses["price_choice"] = np.where(refused, REFUSED, choice)
    days = responses["visit_date"].to_numpy()
    return HealthCheck(
        responses=spoil(truths, responses, straight, seed) if faults else responses,
        customers=customer_table(truths, people, ids),
        transactions=transaction_table(truths, people, behaviour, ids, days, seed),
        clinics=clinics,
        latent=_latent(people, visit, behaviour, straight),
        truths=truths,
        seed=seed,
    )


def _known(truths: Truths, people: People, ids: np.ndarray, mobile: np.ndarray, seed: int) -> dict[str, Any]:
    """Columns that the company knows before it asks anything."""
    who, month = people.customer, np.datetime64("2024-01", "M") + (people.wave - 1)
    length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(int)
    day = np.floor(stream(seed, "visit day").random(len(who)) * length).astype(int)
    return {
        "response_id": [f"R{k:06d}" for k in range(1, len(who) + 1)],
        "customer_id": ids[who],
        "wave": people.wave,
        "visit": people.visit,
        "visit_date": (month.astype("datetime64[D]") + day).astype(str),
        "clinic": people.clinic[who] + 1,
        "mode": mobile + 1,
        "card": people.card[who] + 1,
        "payer": people.payer[who] + 1,
        "gender": people.gender[who] + 1,
        "age": people.age[who],
        "weight": np.array(truths.weight)[people.card[who]],
    }


def _latent(people: People, visit: Visit, behaviour: Behaviour, straight: np.ndarray) -> pd.DataFrame:
    who = people.customer
    return pd.DataFrame(
        {
            "group": people.group[who] + 1,
            "hostage": behaviour.hostage,
            "halo": people.halo[who],
            "style": people.style[who],
            "satisfaction": visit.satisfaction,
            "complaint": behaviour.complaint,
            "renewal_probability": behaviour.probability,
            "renewed": behaviour.renewed,
            "renewal_month": behaviour.months,
            "straight": straight,
        }
    )


def _scale(name: str) -> tuple[float, float] | None:
    if name == "effort":
        return EFFORT_SCALE
    if name.endswith("_emotion"):
        return EMOTION_SCALE
    if name in _PLAIN or name.endswith("_order") or name == "price_choice":
        return None
    return (0, 10)


def _roles() -> Roles:
    journey = tuple(Touchpoint(t, STAGES[t], "", t, f"{t}_expected", f"{t}_emotion") for t in TOUCHPOINTS)
    outcomes = {name: (name,) for name in ("satisfaction", "recommend", "effort", "repurchase")}
    return Roles(
        respondent="customer_id", wave="wave", outcomes=outcomes, drivers=DRIVERS, touchpoints=journey,
        segments=("card", "gender", "payer"),
    )  # fmt: skip
