"""The structural constants of the demo study: what is planted, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass

TOUCHPOINTS = (
    "booking", "parking", "info", "reception", "changing", "queue",
    "nurse", "doctor", "equipment", "meal", "report", "followup",
)  # fmt: skip
STATIONS = ("queue", "nurse", "doctor", "equipment", "meal")  # visited in an order that differs by visit
STATED = ("product", "service", "relationship", "convenience", "brand", "price")
CARDS = ("ordinary", "gold", "diamond")
NOT_ASKED, NOT_MET, REFUSED = 97, 98, 99
FOLLOWED_UNTIL = 33  # month of the last transaction; a renewal falls within the 12 months after a visit
Floats = tuple[float, ...]


@dataclass(frozen=True)
class Clinics:
    """The twelve clinics, which are all the chain has: constants, never drawn.

    Attributes
    ----------
    share : tuple of 12 floats
        Share of visits.
    satisfaction : tuple of 12 floats
        Effect on satisfaction in scale points; its mean over visits is zero.
    engagement : tuple of 12 floats
        Staff engagement 0–100, mean over months; correlates .60 with ``satisfaction``.
    queue_minutes : tuple of 12 floats
        Measured waiting time, mean over months.
    """

    share: Floats = (0.12, 0.11, 0.10, 0.10, 0.09, 0.09, 0.08, 0.08, 0.07, 0.06, 0.05, 0.05)
    satisfaction: Floats = (0.30, -0.42, 0.36, -0.12, 0.05, -0.30, 0.44, -0.22, 0.16, -0.08, -0.38, 0.07)
    engagement: Floats = (75.0, 66.9, 70.3, 72.8, 63.6, 66.6, 77.6, 71.3, 76.8, 62.3, 64.6, 66.1)
    queue_minutes: Floats = (17.0, 24.0, 12.0, 20.0, 15.0, 27.0, 14.0, 21.0, 10.0, 18.0, 25.0, 13.0)


@dataclass(frozen=True)
class Truths:
    """Structural constants of the simulated health-check study.

    Tuples by card are (ordinary, gold, diamond), tuples by touchpoint follow the journey from booking to
    follow-up. Constants marked *solved* make a stated margin hold in the population; they stay when another
    truth is changed.

    Attributes
    ----------
    crisis : float
        Scale of everything planted against gold (deltas, intercept) and of the satisfaction trends; 1 as
        published, 0.5 half the gap, 0 none.
    diamond : float
        Scale of diamond's privilege deltas. ``crisis=0, diamond=0``: cards do not differ in experience.
    experience, expectation : tuple of 12 floats
        Means of ordinary cards, 0–10.
    privilege : mapping-like tuple of (touchpoint, gold, diamond)
    card_expectation : tuple of 3 floats
    halo, item_noise, style : float
        Standard deviations: goodwill in every experience, noise of one item, response style in every rating.
    price_mean, price_noise : float
        Price fairness; ``brand_mean`` likewise for brand image, which has no effect of its own.
    minutes_effect : float
        Queue experience per measured minute above the chain's mean.
    trend : tuple of 3 floats
        Change of satisfaction per wave after wave 10.
    """

    # truths 1, 2: cards
    crisis: float = 1.0
    diamond: float = 1.0
    sample_share: Floats = (0.50, 0.30, 0.20)
    population_share: Floats = (0.70, 0.22, 0.08)
    weight: Floats = (1.4, 0.7333, 0.4)
    trend: Floats = (0.02, -0.06, 0.0)
    trend_after: int = 10
    privilege: tuple[tuple[str, float, float], ...] = (
        ("parking", -0.9, 0.8), ("changing", -1.2, 1.0), ("reception", -0.6, 0.6),
    )  # fmt: skip
    gold_intercept: float = -0.25
    # ratings
    experience: Floats = (6.6, 6.2, 6.7, 7.6, 6.8, 4.9, 7.2, 7.5, 8.1, 7.0, 5.9, 5.7)
    expectation: Floats = (7.0, 6.5, 7.0, 7.0, 6.8, 7.0, 7.0, 7.3, 7.5, 6.0, 7.2, 6.6)
    card_expectation: Floats = (0.0, 0.6, 0.4)
    halo: float = 0.7
    item_noise: float = 1.3
    style: float = 0.5
    price_mean: float = 7.0
    price_noise: float = 0.8
    brand_mean: float = 6.9
    # truth 3: satisfaction, drivers centred at 7
    intercept: float = 7.3
    centre: float = 7.0
    slopes: tuple[tuple[str, float], ...] = (
        ("queue", 0.38), ("booking", 0.10), ("parking", 0.10), ("changing", 0.05), ("followup", 0.10),
    )  # fmt: skip
    satisfaction_noise: float = 0.7
    # truth 4: classes (price-sensitive, service-led, product-led); slopes on price, service, product
    class_share: Floats = (0.30, 0.45, 0.25)
    class_intercept: Floats = (-0.6, 0.2, 0.36)
    class_slopes: tuple[Floats, ...] = ((0.85, 0.10, 0.10), (0.10, 1.00, 0.10), (0.10, 0.10, 0.90))
    class_corporate: Floats = (-0.7, 0.0, 0.0)
    class_age: Floats = (-0.015, 0.02, 0.0)
    corporate: float = 0.35
    age: Floats = (42.0, 13.0, 18.0, 80.0)
    female: float = 0.52
    # truth 5: must-be and delighter, (knot, slope below, slope above)
    must_be: Floats = (6.0, 0.45, 0.05)
    delighter: Floats = (7.0, 0.02, 0.20)
    # truth 6: intercept, peak, end, mean, duration
    peak_end: Floats = (0.3, 0.35, 0.30, 0.20, 0.0)
    # truth 7: X − 7, E − 7, (X − 7)², (X − 7)(E − 7), (E − 7)²
    surface: Floats = (0.60, -0.20, -0.04, 0.06, -0.03)
    emotion_intercept: float = 0.6
    emotion_noise: float = 0.8
    # truth 8: loyalty
    knot: float = 8.0
    renewal_slopes: Floats = (0.15, 0.90)
    diamond_slope: float = 0.20
    renewal: Floats = (0.73, 0.52, 0.57)
    hostage_renewal: float = 0.81
    renewal_intercept: Floats = (1.2206, 0.5794, 0.8027)  # solved
    renewal_months: Floats = (0.01, 0.01, 0.01, 0.02, 0.02, 0.03, 0.05, 0.07, 0.11, 0.16, 0.23, 0.28)
    # truth 9: report in waves 15 and 16
    shock: tuple[tuple[int, float], ...] = ((15, -1.5), (16, -0.8))
    # truth 10: mobile share before and from wave 19; effect on effort alone
    mobile: Floats = (0.20, 0.60)
    mobile_from: int = 19
    mode_effect: float = 0.30
    # truth 11: missing answers and quality faults
    refused: float = 0.02
    not_met: tuple[tuple[str, float], ...] = (("parking", 0.30), ("meal", 0.12), ("followup", 0.25))
    price_refusal: Floats = (-3.2, -0.5)  # logit at 7, and per point of price fairness
    parking_not_asked: int = 7
    duplicates: int = 40  # in 9,600 interviews
    straight_liners: int = 25  # in a wave of 400
    straight_line_noise: float = 2.0
    out_of_range: int = 12  # in 9,600 interviews
    impossible_dates: int = 6  # in 9,600 interviews
    # truth 13: complaints
    problem: float = 0.24
    problem_intercept: float = -1.2693  # solved
    problem_slope: float = -0.25  # per point of queue and of report experience
    voiced: float = 0.30
    silent_reasons: Floats = (0.40, 0.35, 0.25)
    resolved: float = 0.55
    complaint_renewal: Floats = (0.72, 0.70, 0.38, 0.52)  # none, voiced and resolved, voiced and not, silent
    complaint_effect: Floats = (0.0, 0.0457, -1.9171, -0.9904)  # solved
    # truth 14: prices, stated weights
    price: Floats = (600.0, 2200.0, 4500.0)
    stated: Floats = (7.6, 7.9, 6.2, 9.201, 6.4, 7.3)  # convenience solved: 9.0 as rated
    # truth 15: premium, ratchet, clinics, perceived queue
    premium: Floats = (8.478, 8.478, 15.0)  # mean 9.0
    premium_scale: float = 3.0
    offers: Floats = (3.0, 6.0, 9.0, 12.0, 15.0, 18.0, 24.0)
    ratchet: float = 0.25
    repeaters: float = 0.30
    clinics: Clinics = Clinics()
    perceived: Floats = (0.6, 1.25)
    minutes_effect: float = -0.12
    # outcomes beside satisfaction
    recommend_intercept: float = 7.7256  # solved: NPS 2.0
