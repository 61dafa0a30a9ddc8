"""What happens in a visit: experiences, expectations, emotions, and the satisfaction they add up to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.simulate._people import People, stream
from cxlab.simulate._truths import STATIONS, TOUCHPOINTS, Truths

Array = np.ndarray[Any, np.dtype[Any]]
AT = {name: k for k, name in enumerate(TOUCHPOINTS)}


@dataclass(frozen=True, eq=False)
class Visit:
    """The visits of n interviews before anybody rates them: true values, not rounded, without style.

    Attributes
    ----------
    experience, expectation, emotion : arrays, shape (n, 12)
    met : bool array, shape (n, 12)
    position : int array, shape (n, 5)
        Place of each station in the order of the visit, from 1; 0 where it was not met.
    price, brand : arrays, shape (n,)
    satisfaction : array, shape (n,)
    measured, perceived, minutes : arrays, shape (n,)
        Minutes: the clinic's measured queue of that month, the perceived queue, the whole visit.
    """

    experience: Array
    expectation: Array
    emotion: Array
    met: Array
    position: Array
    price: Array
    brand: Array
    satisfaction: Array
    measured: Array
    perceived: Array
    minutes: Array


def draw_visits(truths: Truths, people: People, months: Array, seed: int, grow: float = 1.0) -> Visit:
    """Draw the visits.

    Parameters
    ----------
    months : array, shape (12, waves)
        Measured queue of each clinic, minutes.
    grow : float
        Factor of the shares that do not meet a touchpoint (straight-liners claim to have met all).
    """
    who, count = people.customer, len(people.wave)
    card, halo = people.card[who], people.halo[who]
    measured = months[people.clinic[who], people.wave - 1]
    own = stream(seed, "experience").normal(0, truths.item_noise, (count, 12))
    usual = card_means(truths)[card]
    experience = usual + _circumstances(truths, people.wave, measured) + halo[:, None] + own
    met = np.ones((count, 12), dtype=bool)
    chance = stream(seed, "met").random((count, 12))
    for name, share in truths.not_met:
        met[:, AT[name]] = chance[:, AT[name]] >= share * grow
    price = truths.price_mean + halo + stream(seed, "price").normal(0, truths.price_noise, count)
    perceived = _perceived(truths, measured, own[:, AT["queue"]], stream(seed, "perceived queue"))
    expectation = _expectation(truths, people, experience - usual, met, stream(seed, "expectation"))
    return Visit(
        experience=experience,
        expectation=expectation,
        emotion=_emotion(truths, experience, expectation, card, stream(seed, "emotion")),
        met=met,
        position=_positions(met, stream(seed, "order")),
        price=price,
        brand=truths.brand_mean + halo + stream(seed, "brand").normal(0, truths.item_noise, count),
        satisfaction=_satisfaction(truths, people, experience, met, price, stream(seed, "satisfaction")),
        measured=measured,
        perceived=perceived,
        minutes=75 + perceived + stream(seed, "minutes").normal(0, 15, count),
    )


def card_means(truths: Truths) -> Array:
    """Mean experience of each card, shape (3, 12)."""
    mean = np.tile(np.array(truths.experience), (3, 1))
    for name, gold, diamond in truths.privilege:
        mean[1, AT[name]] += truths.crisis * gold
        mean[2, AT[name]] += truths.diamond * diamond
    return mean


def _circumstances(truths: Truths, wave: Array, measured: Array) -> Array:
    """What wave (the report's shock) and measured queue add to the experience, shape (n, 12)."""
    out = np.zeros((len(wave), 12))
    for when, drop in truths.shock:
        out[wave == when, AT["report"]] += drop
    clinics = truths.clinics
    out[:, AT["queue"]] += truths.minutes_effect * (measured - np.dot(clinics.share, clinics.queue_minutes))
    return out


def _expectation(truths: Truths, people: People, surplus: Array, met: Array, rng: np.random.Generator) -> Array:
    """Expectation: card, person, visit, and in repeaters a share of how much better the last visit was than usual."""
    card = people.card[people.customer]
    expected = np.array(truths.expectation) + np.array(truths.card_expectation)[card][:, None]
    expected = expected + people.usual[people.customer]
    expected += rng.normal(0, truths.item_noise / np.sqrt(2), expected.shape)
    again = np.flatnonzero(people.before >= 0)
    last = people.before[again]
    expected[again] += truths.ratchet * np.where(met[last], surplus[last], 0.0)
    return expected


def _emotion(truths: Truths, experience: Array, expectation: Array, card: Array, rng: np.random.Generator) -> Array:
    """Direct emotion −5…+5: linear, on the reception the whole response surface.

    What is usual for the card disappoints nobody, except at the reception, where the surface takes the
    expectation as it is.
    """
    b1, b2, b3, b4, b5 = truths.surface
    x = experience - truths.centre
    usual = np.repeat(np.array(truths.card_expectation)[card][:, None], 12, axis=1)
    usual[:, AT["reception"]] = 0
    e = expectation - usual - truths.centre
    emotion = truths.emotion_intercept + b1 * x + b2 * e
    r, s = x[:, AT["reception"]], e[:, AT["reception"]]
    emotion[:, AT["reception"]] += b3 * r**2 + b4 * r * s + b5 * s**2
    return emotion + rng.normal(0, truths.emotion_noise, emotion.shape)


def _satisfaction(
    truths: Truths, people: People, experience: Array, met: Array, price: Array, rng: np.random.Generator
) -> Array:
    """Truth 3: class intercept and slopes, common slopes, must-be, delighter, gold, trend and clinic."""
    who, centre = people.customer, truths.centre
    card, group = people.card[who], people.group[who]
    x = np.where(met, experience - centre, 0.0)  # what was not met adds nothing
    service = x[:, [AT["reception"], AT["nurse"], AT["doctor"]]].mean(axis=1)
    product = x[:, [AT["info"], AT["equipment"]]].mean(axis=1)
    slopes = np.array(truths.class_slopes)[group]
    total = truths.intercept + np.array(truths.class_intercept)[group]
    total += np.sum(slopes * np.column_stack([price - centre, service, product]), axis=1)
    for name, slope in truths.slopes:
        total += slope * x[:, AT[name]]
    total += _bent(x[:, AT["report"]] + centre, truths.must_be, centre)
    total += _bent(x[:, AT["meal"]] + centre, truths.delighter, centre)
    total += truths.crisis * truths.gold_intercept * (card == 1)
    total += truths.crisis * np.array(truths.trend)[card] * np.maximum(people.wave - truths.trend_after, 0)
    total += clinic_effects(truths)[people.clinic[who]]
    return total + rng.normal(0, truths.satisfaction_noise, len(total))


def clinic_effects(truths: Truths) -> Array:
    """What a clinic adds to satisfaction beside its queue, so that both together are ``clinics.satisfaction``."""
    clinics = truths.clinics
    minutes = np.array(clinics.queue_minutes)
    by_queue = dict(truths.slopes)["queue"] * truths.minutes_effect * (minutes - np.dot(clinics.share, minutes))
    return np.array(clinics.satisfaction) - by_queue


def _bent(x: Array, bend: tuple[float, ...], centre: float) -> Array:
    """Two slopes that meet at a knot; zero at ``centre``."""
    knot, below, above = bend

    def line(v: Any) -> Any:
        return below * np.minimum(v - knot, 0) + above * np.maximum(v - knot, 0)

    return np.asarray(line(x) - line(centre))


def _perceived(truths: Truths, measured: Array, own: Array, rng: np.random.Generator) -> Array:
    """Perceived queue: a line in the measured one; who likes the queue less finds it longer."""
    start, slope = truths.perceived
    return start + slope * measured - 1.5 * own + rng.normal(0, 4, len(measured))


def _positions(met: Array, rng: np.random.Generator) -> Array:
    """Order of the stations: any, but the meal after the nurse (blood is taken before eating)."""
    key = rng.random((len(met), len(STATIONS)))
    nurse, meal = STATIONS.index("nurse"), STATIONS.index("meal")
    key[:, [nurse, meal]] = np.sort(key[:, [nurse, meal]], axis=1)
    there = met[:, [AT[s] for s in STATIONS]]
    position = np.where(there, key, np.inf).argsort(axis=1).argsort(axis=1) + 1
    return np.where(there, position, 0)


def journey_moments(visit: Visit) -> tuple[Array, Array, Array]:
    """Peak, end and mean of the stations of each visit, three arrays of shape (n,)."""
    x = visit.experience[:, [AT[s] for s in STATIONS]]
    there = visit.position > 0
    end = np.take_along_axis(x, visit.position.argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.where(there, x, -np.inf).max(axis=1), end, np.where(there, x, 0).sum(axis=1) / there.sum(axis=1)
