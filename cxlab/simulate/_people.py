"""Who is asked when: customers, their visits, and what does not change between visits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from cxlab.simulate._truths import Truths

Array = np.ndarray[Any, np.dtype[Any]]


def stream(seed: int, name: str) -> np.random.Generator:
    """Random numbers of one truth: they depend on the seed and the name alone.

    Examples
    --------
    >>> bool(stream(1, "halo").random() == stream(1, "halo").random() != stream(1, "style").random())
    True
    """
    words = np.frombuffer(hashlib.sha256(name.encode()).digest()[:16], dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence([seed, *words.tolist()]))


@dataclass(frozen=True, eq=False)
class People:
    """Customers (c of them) and interviews (n, ordered by wave).

    Attributes
    ----------
    card, payer, gender, age, clinic, group : int arrays, shape (c,)
        Counted from 0; age in years; ``group`` is the latent class.
    halo, style : float arrays, shape (c,)
    usual : array, shape (c, 12)
        What a customer expects above the mean of the card.
    member_days : int array, shape (c,)
        Days between joining and January 2024.
    customer, wave, visit : int arrays, shape (n,)
        Row of the customer; wave and visit of the interview, from 1.
    before : int array, shape (n,)
        Row of the customer's previous interview, −1 for a first one.
    """

    card: Array
    payer: Array
    gender: Array
    age: Array
    clinic: Array
    group: Array
    halo: Array
    style: Array
    usual: Array
    member_days: Array
    customer: Array
    wave: Array
    visit: Array
    before: Array


def draw_people(truths: Truths, base: int, waves: int, seed: int) -> People:
    """Draw customers and deal their visits to the waves, ``base`` in each with the cards in fixed numbers."""
    customer, wave, card = _deal(truths, base, waves, stream(seed, "panel"))
    count = len(card)
    corporate = (stream(seed, "payer").random(count) < truths.corporate).astype(int)
    mean, spread, low, high = truths.age
    age = np.clip(np.rint(stream(seed, "age").normal(mean, spread, count)), low, high).astype(int)
    visit, before = _visits(customer, wave)
    noise = truths.item_noise / np.sqrt(2)  # half of an expectation's variance is the person's, half the visit's
    return People(
        card=card,
        payer=corporate,
        gender=(stream(seed, "gender").random(count) < truths.female).astype(int),
        age=age,
        clinic=stream(seed, "clinic").choice(12, count, p=np.array(truths.clinics.share)),
        group=_classes(truths, corporate, age, stream(seed, "class").random(count)),
        halo=stream(seed, "halo").normal(0, truths.halo, count),
        style=stream(seed, "style").normal(0, truths.style, count),
        usual=stream(seed, "usual expectation").normal(0, noise, (count, 12)),
        member_days=stream(seed, "membership").integers(30, 1800, count),
        customer=customer,
        wave=wave,
        visit=visit,
        before=before,
    )


def _deal(truths: Truths, base: int, waves: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Deal customers to waves; returns customer and wave per interview, card per customer."""
    parts, cards, start = [], [], 0
    for code, share in enumerate(truths.sample_share):
        places = round(base * share)
        owner, when = _lines(places, waves, truths.repeaters, rng)
        parts.append(np.stack([owner + start, when]))
        count = int(owner.max()) + 1
        cards.append(np.full(count, code))
        start += count
    customer, wave = np.concatenate(parts, axis=1)
    number = rng.permutation(start)  # so that the customer number says nothing of the card
    card = np.empty(start, dtype=int)
    card[number] = np.concatenate(cards)
    order = np.lexsort((rng.random(len(wave)), wave))
    return number[customer[order]], wave[order], card


def _lines(places: int, waves: int, repeaters: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Fill ``places`` lines, each a permutation of the waves cut into runs of 1, 2 or 3 visits per customer.

    A third of the repeaters come three times. Runs lie within a line, so that no customer meets a wave twice.
    """
    thirds = 1 / 3 if waves >= 3 else 0.0
    several = round(repeaters * places * waves / (1 + repeaters * (1 + thirds))) if waves >= 2 else 0
    runs = np.full(several, 2)
    runs[: round(several * thirds)] = 3
    rng.shuffle(runs)
    lengths: list[int] = []
    for line in range(places):
        dealt = runs[line::places].tolist()
        while sum(dealt) > waves:
            dealt.pop()
        lengths += dealt + [1] * (waves - sum(dealt))
    when = rng.permuted(np.tile(np.arange(1, waves + 1), (places, 1)), axis=1).ravel()
    return np.repeat(np.arange(len(lengths)), lengths), when


def _visits(customer: Array, wave: Array) -> tuple[Array, Array]:
    """Number each customer's visits, and find the row of the one before."""
    order = np.lexsort((wave, customer))
    same = np.r_[False, customer[order][1:] == customer[order][:-1]]
    first = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    visit, before = np.empty(len(order), dtype=int), np.full(len(order), -1)
    visit[order] = np.arange(len(order)) - first + 1
    before[order[1:][same[1:]]] = order[:-1][same[1:]]
    return visit, before


def _classes(truths: Truths, corporate: Array, age: Array, uniform: Array) -> Array:
    """Class membership: a multinomial logit on payer and age whose shares are those planted."""
    payers, ages, weights = _population(truths)
    intercept = np.log(truths.class_share)
    for _ in range(200):
        expected = weights @ _membership(truths, intercept, payers, ages)
        intercept += np.log(np.array(truths.class_share) / expected)
    cumulative = np.cumsum(_membership(truths, intercept, corporate, age), axis=1)
    return np.minimum((uniform[:, None] > cumulative).sum(axis=1), 2)


def _membership(truths: Truths, intercept: Array, corporate: Array, age: Array) -> Array:
    utility = (
        intercept
        + np.outer(corporate, truths.class_corporate)
        + np.outer(np.asarray(age) - truths.age[0], truths.class_age)
    )
    odds = np.exp(utility)
    return odds / odds.sum(axis=1, keepdims=True)


def _population(truths: Truths) -> tuple[Array, Array, Array]:
    """Every combination of payer and age with its probability."""
    mean, spread, low, high = truths.age
    ages = np.arange(int(low), int(high) + 1)
    edges = np.array([NormalDist(mean, spread).cdf(a + 0.5) for a in ages])
    share = np.diff(np.r_[0.0, edges[:-1], 1.0])
    payers = np.repeat([0, 1], len(ages))
    return payers, np.tile(ages, 2), np.r_[(1 - truths.corporate) * share, truths.corporate * share]
