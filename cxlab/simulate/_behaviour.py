"""What visits lead to: overall ratings, complaints, renewals, choices; the linked tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlab.simulate._people import People, stream
from cxlab.simulate._truths import FOLLOWED_UNTIL, STATED, Truths
from cxlab.simulate._visit import AT, Visit, journey_moments

Array = np.ndarray[Any, np.dtype[Any]]
NONE, RESOLVED, UNRESOLVED, SILENT = range(4)


def overall(truths: Truths, people: People, visit: Visit, mobile: Array, seed: int) -> dict[str, Array]:
    """True values of the ratings beside the touchpoints, without style."""
    count, s = len(people.wave), visit.satisfaction - 6.5

    def noise(name: str, spread: float) -> Array:
        return stream(seed, name).normal(0, spread, count)

    x = visit.experience
    meal = np.where(visit.met[:, AT["meal"]], np.maximum(x[:, AT["meal"]] - 7, 0), 0)
    delight = 5.6 + 0.40 * (x[:, AT["doctor"]] - 7.5) + 0.30 * (x[:, AT["equipment"]] - 8.1) + 0.50 * meal
    delight += noise("delight", 1.0)
    trust = 6.9 + 0.60 * s + noise("trust", 1.0)
    start, peak, end, mean, duration = truths.peak_end
    moments = journey_moments(visit)
    remembered = start + peak * moments[0] + end * moments[1] + mean * moments[2] + duration * (visit.minutes - 100)
    effort = 3.6 - 0.30 * (x[:, AT["queue"]] - 4.9) - 0.25 * (x[:, AT["booking"]] - 6.6) + truths.mode_effect * mobile
    recommend = truths.recommend_intercept + 0.75 * s + 0.20 * (delight - 6)
    return {
        "satisfaction": visit.satisfaction,
        "recommend": recommend + noise("recommend", 0.9),
        "effort": effort + noise("effort", 0.7),
        "trust": trust,
        "delight": delight,
        "repurchase": 6.8 + 0.55 * s + 0.25 * (trust - 6.9) + 0.15 * (delight - 6) + noise("repurchase", 1.0),
        "remembered": remembered + noise("remembered", 0.6),
        "price_fairness": visit.price,
        "brand_image": visit.brand,
        "marker_blue": 5.0 + noise("marker", 1.4),
        "switching_cost": 4.5 + 2.0 * people.payer[people.customer] + noise("switching cost", 1.6),
        **{
            f"stated_{name}": centre + noise(f"stated {name}", 1.2)
            for name, centre in zip(STATED, truths.stated, strict=True)
        },
    }


@dataclass(frozen=True, eq=False)
class Behaviour:
    """Complaints, renewals and the price choice of n interviews.

    Attributes
    ----------
    complaint : int array, shape (n,)
        0 no problem, 1 voiced and resolved at first contact, 2 voiced and not, 3 silent.
    reason : int array, shape (n,)
        Why silent: 1 no channel known, 2 not worth it, 3 will switch; 0 where not asked.
    hostage : bool array, shape (n,)
    probability : array, shape (n,)
        Of renewing within 12 months.
    renewed : bool array, shape (n,)
    months : int array, shape (n,)
        Months from visit to renewal (1–12), 0 where there is none.
    offer : array, shape (n,)
        Surcharge asked for, per cent; ``accepted``, bool.
    """

    complaint: Array
    reason: Array
    hostage: Array
    probability: Array
    renewed: Array
    months: Array
    offer: Array
    accepted: Array


def draw_behaviour(truths: Truths, people: People, visit: Visit, seed: int) -> Behaviour:
    """Draw what customers do after a visit."""
    who, count = people.customer, len(people.wave)
    card = people.card[who]
    complaint = _complaints(truths, visit, stream(seed, "complaint"))
    hostage = (card == 0) & (people.payer[who] == 1)
    probability = 1 / (1 + np.exp(-renewal_logit(truths, card, visit.satisfaction, complaint)))
    probability = np.where(hostage, truths.hostage_renewal, probability)
    renewed = stream(seed, "renewal").random(count) < probability
    months = stream(seed, "renewal month").choice(12, count, p=np.array(truths.renewal_months)) + 1
    offer = stream(seed, "offer").choice(truths.offers, count)
    worth = np.array(truths.premium)[card]
    accepted = stream(seed, "choice").random(count) < 1 / (1 + np.exp((offer - worth) / truths.premium_scale))
    reason = stream(seed, "silence").choice(3, count, p=np.array(truths.silent_reasons)) + 1
    return Behaviour(
        complaint=complaint,
        reason=np.where(complaint == SILENT, reason, 0),
        hostage=hostage,
        probability=probability,
        renewed=renewed,
        months=np.where(renewed, months, 0),
        offer=offer,
        accepted=accepted,
    )


def renewal_logit(truths: Truths, card: Array, satisfaction: Array, complaint: Array) -> Array:
    """Logit of renewing: two slopes at the knot, one for diamond; hostages do not follow it."""
    below, above = truths.renewal_slopes
    over = satisfaction - truths.knot
    bent = below * np.minimum(over, 0) + above * np.maximum(over, 0)
    link = np.where(card == 2, truths.diamond_slope * over, bent)
    return np.array(truths.renewal_intercept)[card] + link + np.array(truths.complaint_effect)[complaint]


def problem_logit(truths: Truths, visit: Visit) -> Array:
    """Logit of a problem in the visit: more likely where queue or report were poor."""
    x = visit.experience
    poor = (x[:, AT["queue"]] - truths.experience[AT["queue"]]) + (x[:, AT["report"]] - truths.experience[AT["report"]])
    return np.asarray(truths.problem_intercept + truths.problem_slope * poor)


def _complaints(truths: Truths, visit: Visit, rng: np.random.Generator) -> Array:
    chance = rng.random((len(visit.price), 3))
    problem = chance[:, 0] < 1 / (1 + np.exp(-problem_logit(truths, visit)))
    voiced, resolved = chance[:, 1] < truths.voiced, chance[:, 2] < truths.resolved
    return np.select([~problem, ~voiced, resolved], [NONE, SILENT, RESOLVED], UNRESOLVED)


# ---------------------------------------------------------------------- linked tables
def month_label(wave: Any) -> Any:
    """``"2024-01"`` for wave 1."""
    first = np.datetime64("2024-01", "M")
    return np.asarray(first + (np.asarray(wave) - 1)).astype(str)


def clinic_months(truths: Truths, waves: int, seed: int) -> pd.DataFrame:
    """One row per clinic and month: engagement (0–100), sales (thousand yuan), measured queue (minutes)."""
    clinics, rng = truths.clinics, stream(seed, "clinic months")
    noise = rng.normal(size=(3, waves, 12)).transpose(0, 2, 1)  # drawn month by month: more months change none
    engagement = np.array(clinics.engagement)[:, None] + 3 * noise[0]
    minutes = np.maximum(np.array(clinics.queue_minutes)[:, None] + 2.5 * noise[1], 3)
    size = 9600 * np.array(clinics.share) * np.exp(0.12 * np.array(clinics.satisfaction))
    sales = size[:, None] * np.exp(0.05 * noise[2])
    return pd.DataFrame(
        {
            "clinic": np.repeat(np.arange(1, 13), waves),
            "month": np.tile(month_label(np.arange(1, waves + 1)), 12),
            "engagement": engagement.round(1).ravel(),
            "sales": sales.round(1).ravel(),
            "queue_minutes": minutes.round(1).ravel(),
        }
    )


def customer_table(truths: Truths, people: People, ids: Array) -> pd.DataFrame:
    """One row per customer: card, payer, price paid per visit (yuan), clinic, date of joining."""
    joined = np.datetime64("2024-01-01") - people.member_days
    return pd.DataFrame(
        {
            "customer_id": ids,
            "card": people.card + 1,
            "payer": people.payer + 1,
            "price_paid": np.array(truths.price)[people.card].astype(int),
            "clinic": people.clinic + 1,
            "joined": joined.astype("datetime64[D]").astype(str),
        }
    )


def transaction_table(
    truths: Truths, people: People, behaviour: Behaviour, ids: Array, days: Array, seed: int
) -> pd.DataFrame:
    """Visits paid and renewals bought until month 33, by date; ``visit_wave`` is the wave of the visit renewed."""
    who, day = people.customer, stream(seed, "renewal day").integers(1, 28, len(people.wave))
    month = people.wave + behaviour.months
    seen = behaviour.renewed & (month <= FOLLOWED_UNTIL)
    renewal = np.char.add(np.char.add(month_label(month), "-"), np.char.zfill(day.astype(str), 2))
    table = pd.DataFrame(
        {
            "customer_id": np.r_[ids[who], ids[who][seen]],
            "date": np.r_[days, renewal[seen]],
            "kind": np.r_[np.full(len(who), "visit"), np.full(int(seen.sum()), "renewal")],
            "amount": np.array(truths.price)[people.card[np.r_[who, who[seen]]]].astype(int),
            "visit_wave": np.r_[people.wave, people.wave[seen]],
        }
    )
    table = table.sort_values(["date", "customer_id", "kind"], kind="stable", ignore_index=True)
    table.insert(0, "transaction_id", [f"T{k:06d}" for k in range(1, len(table) + 1)])
    return table
