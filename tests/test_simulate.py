"""The simulated health-check study: its sizes, its streams, and its structural truths on true values."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import cxlab
from cxlab.errors import SurveyError
from cxlab.simulate import DRIVERS, STATED, STATIONS, TOUCHPOINTS, Truths, simulate_healthcheck, stream
from cxlab.simulate._behaviour import clinic_months
from cxlab.simulate._people import draw_people
from cxlab.simulate._visit import AT, draw_visits, journey_moments

LIMIT = 4.1  # standard errors, when many values are compared
FRAMES = ("responses", "customers", "transactions", "clinics", "latent")


@pytest.fixture(scope="module")
def study():
    return simulate_healthcheck(seed=77)


@pytest.fixture(scope="module")
def honest():
    return simulate_healthcheck(seed=77, faults=False)


@pytest.fixture(scope="module")
def true_visits():
    """People and visits of 96,000 interviews before anybody rates them."""
    truths = Truths()
    people = draw_people(truths, 4000, 24, seed=5)
    months = clinic_months(truths, 24, 5)["queue_minutes"].to_numpy().reshape(12, 24)
    return truths, people, draw_visits(truths, people, months, 5)


def least_squares(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients, their standard errors and the residual standard deviation."""
    inverse = np.linalg.inv(x.T @ x)
    b = inverse @ x.T @ y
    spread = np.sqrt(np.sum((y - x @ b) ** 2) / (len(y) - x.shape[1]))
    return b, spread * np.sqrt(np.diag(inverse)), float(spread)


# ---------------------------------------------------------------------- sizes
def test_every_wave_has_its_cards_and_the_weights_their_design_effect(honest):
    responses = honest.responses
    counts = responses.groupby(["wave", "card"]).size().unstack()
    assert (counts == [200, 120, 80]).all(axis=None)
    assert len(counts) == 24
    weights = responses["weight"]
    assert round(len(weights) * (weights**2).sum() / weights.sum() ** 2, 3) == 1.173
    shares = weights.groupby(responses["card"]).sum() / weights.sum()
    assert shares.round(4).tolist() == [0.70, 0.22, 0.08]


def test_customers_come_up_to_three_times_and_never_twice_in_a_wave(honest):
    responses = honest.responses
    assert not responses.duplicated(["customer_id", "wave"]).any()
    visits = responses.groupby("customer_id").size()
    assert set(visits) == {1, 2, 3}
    assert (visits > 1).mean() == pytest.approx(0.30, abs=0.005)
    assert responses.groupby("customer_id")[["card", "payer", "gender", "age", "clinic"]].nunique().eq(1).all(axis=None)
    ordered = responses.sort_values(["customer_id", "wave"])
    assert (ordered["visit"] == ordered.groupby("customer_id").cumcount() + 1).all()


@pytest.mark.parametrize(("base", "waves"), [(10, 1), (20, 2), (10, 3), (50, 5), (400, 7)])
def test_any_size_can_be_drawn(base, waves):
    study = simulate_healthcheck(base, waves, seed=3)
    assert study.responses.groupby("wave").size().tolist() == [base] * waves
    assert len(study.survey()) == base * waves


def test_impossible_sizes_and_unknown_constants_are_refused():
    said = re.escape("base_per_wave is 405; a multiple of 10 is needed (cards are 5 : 3 : 2).")
    with pytest.raises(SurveyError, match=f"^{said}$"):
        simulate_healthcheck(405)
    with pytest.raises(SurveyError, match=r"^waves is 0; at least 1 is needed\.$"):
        simulate_healthcheck(waves=0)
    said = re.escape("changes names 1 column that is not in Truths: 'crysis' (did you mean 'crisis'?).")
    with pytest.raises(SurveyError, match=f"^{said}$"):
        simulate_healthcheck(crysis=0)


# ---------------------------------------------------------------------- streams
def test_same_seed_same_study_other_seed_other_study(study):
    again, other = simulate_healthcheck(seed=77), simulate_healthcheck(seed=78)
    for frame in FRAMES:
        pd.testing.assert_frame_equal(getattr(study, frame), getattr(again, frame))
    assert not study.responses["queue"].equals(other.responses["queue"])


def test_streams_depend_on_seed_and_name_alone():
    first = stream(7, "halo").random(3)
    stream(7, "style").random(1000)
    assert (stream(7, "halo").random(3) == first).all()
    pinned = [stream(20240101, name).integers(10**9) for name in ("panel", "experience", "renewal")]
    assert pinned == [737127619, 798691798, 961969960]  # another generator would redraw the committed study


OVERALL = {"satisfaction", "recommend", "trust", "repurchase", "renewed"}
CHANGES = {  # a constant of one truth, and all columns that may follow it
    "premium": ((9.0, 9.0, 20.0), {"price_choice"}),
    "mode_effect": (0.0, {"effort"}),
    "mobile": ((0.5, 0.5), {"mode", "effort"}),
    "peak_end": ((0.3, 0.2, 0.2, 0.4, 0.0), {"remembered"}),
    "surface": ((0.5, -0.1, 0.0, 0.0, 0.0), {f"{t}_emotion" for t in TOUCHPOINTS}),
    "ratchet": (0.0, {f"{t}_{k}" for t in TOUCHPOINTS for k in ("expected", "emotion")}),
    "female": (0.9, {"gender"}),
    "resolved": (0.9, {"resolved", "renewed"}),
    "silent_reasons": ((0.2, 0.2, 0.6), {"silent_reason"}),
    "knot": (7.0, {"renewed"}),
    "hostage_renewal": (0.2, {"renewed"}),
    "stated": ((5.0, 5.0, 5.0, 5.0, 5.0, 5.0), {f"stated_{s}" for s in STATED}),
    "perceived": ((0.6, 2.0), {"queue_minutes", "visit_minutes"}),
    "trend": ((0.0, 0.0, 0.0), OVERALL),
    "class_slopes": (((0.5,) * 3,) * 3, OVERALL),
    "crisis": (0.0, OVERALL | {"parking", "changing", "reception", "parking_emotion", "changing_emotion",
                               "reception_emotion", *(f"{t}_expected" for t in ("parking", "changing", "reception"))}),
    "shock": ((), OVERALL | {"report", "report_expected", "report_emotion", "problem", "voiced", "silent_reason", "resolved"}),
    "recommend_intercept": (5.0, {"recommend"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_truth_moves_its_own_columns_and_no_others(name):
    value, may = CHANGES[name]
    before = simulate_healthcheck(200, 20, seed=4, faults=False).responses
    after = simulate_healthcheck(200, 20, seed=4, faults=False, **{name: value}).responses
    moved = {c for c in before if not before[c].equals(after[c])}
    assert moved
    assert moved <= may, f"{name} also moved {sorted(moved - may)}"


# ---------------------------------------------------------------------- structural truths, on true values
def test_satisfaction_is_the_published_sum(true_visits):
    _, people, visit = true_visits
    who = people.customer
    card, group = people.card[who], people.group[who]
    x = {t: np.where(visit.met[:, k], visit.experience[:, k] - 7, 0) for t, k in AT.items()}
    service, product = (x["reception"] + x["nurse"] + x["doctor"]) / 3, (x["info"] + x["equipment"]) / 2
    report, meal = x["report"] + 7, x["meal"]
    columns = [np.ones(len(card))]
    for k in range(3):  # class intercepts and slopes
        inside = group == k
        columns += [inside * (visit.price - 7), inside * service, inside * product] + ([inside * 1.0] if k else [])
    columns += [x[t] for t in ("queue", "booking", "parking", "changing", "followup")]
    columns += [np.minimum(report - 6, 0), np.maximum(report - 6, 0), np.minimum(meal, 0), np.maximum(meal, 0)]
    after = np.maximum(people.wave - 10, 0)
    columns += [card == 1, card == 2, after * (card == 0), after * (card == 1), after * (card == 2)]
    columns += [people.clinic[who] == k for k in range(1, 12)]
    b, se, spread = least_squares(np.column_stack(columns).astype(float), visit.satisfaction)
    wanted = [0.85, 0.10, 0.10, 0.10, 1.00, 0.10, 0.8, 0.10, 0.10, 0.90, 0.96, 0.38, 0.10, 0.10, 0.05, 0.10]
    wanted += [0.45, 0.05, 0.02, 0.20, -0.25, 0.0, 0.02, -0.06, 0.0]
    z = (b[1 : 1 + len(wanted)] - wanted) / se[1 : 1 + len(wanted)]
    assert np.abs(z).max() < LIMIT
    assert spread == pytest.approx(0.70, abs=0.01)


def test_classes_have_their_shares_in_every_card_and_follow_payer_and_age(true_visits):
    truths, people, _ = true_visits
    for card in range(3):
        inside = people.group[people.card == card]
        share = np.bincount(inside, minlength=3) / len(inside)
        assert (
            np.abs((share - truths.class_share) / np.sqrt(np.array(truths.class_share) * 0.7 / len(inside))).max()
            < LIMIT
        )
    sensitive = people.group == 0
    assert sensitive[people.payer == 1].mean() < sensitive[people.payer == 0].mean() - 0.05
    assert people.age[people.group == 1].mean() > people.age[people.group == 0].mean() + 2


def test_privileges_expectations_and_shock_are_those_published(true_visits):
    _, people, visit = true_visits
    card = people.card[people.customer]
    deltas = {"parking": (-0.9, 0.8), "changing": (-1.2, 1.0), "reception": (-0.6, 0.6)}
    for name, k in AT.items():
        x = visit.experience[:, k]
        for code, delta in zip((1, 2), deltas.get(name, (0, 0)), strict=True):
            se = np.sqrt(x[card == code].var() / (card == code).sum() + x[card == 0].var() / (card == 0).sum())
            assert abs(x[card == code].mean() - x[card == 0].mean() - delta) < LIMIT * 1.2 * se, name  # 1.2: repeaters
    for code, shift in ((1, 0.6), (2, 0.4)):
        gap = visit.expectation[card == code].mean(axis=0) - visit.expectation[card == 0].mean(axis=0)
        assert np.abs(gap - shift).max() < 0.05
    report = pd.Series(visit.experience[:, AT["report"]]).groupby(people.wave).mean()
    assert report[15] == pytest.approx(5.9 - 1.5, abs=0.1)
    assert report[16] == pytest.approx(5.9 - 0.8, abs=0.1)
    assert report[17] == pytest.approx(5.9, abs=0.1)


def test_surface_peak_end_and_perceived_queue_are_regressions_on_true_values(true_visits):
    truths, _, visit = true_visits
    x, e = (a[:, AT["reception"]] - 7 for a in (visit.experience, visit.expectation))
    b, se, _ = least_squares(
        np.column_stack([np.ones_like(x), x, e, x**2, x * e, e**2]), visit.emotion[:, AT["reception"]]
    )
    assert np.abs((b[1:] - truths.surface) / se[1:]).max() < LIMIT
    b, se, _ = least_squares(np.column_stack([np.ones_like(x), visit.measured]), visit.perceived)
    assert np.abs((b - [0.6, 1.25]) / se).max() < LIMIT
    peak, end, mean = journey_moments(visit)
    assert (peak >= end).all()
    assert (peak >= mean).all()
    last = visit.position.argmax(axis=1)
    k = int(np.flatnonzero(last == STATIONS.index("meal"))[0])
    assert end[k] == visit.experience[k, AT["meal"]]


def test_expectation_follows_the_last_visit_by_a_quarter(true_visits):
    _, people, visit = true_visits
    again = np.flatnonzero(people.visit == 2)
    last, k = people.before[again], AT["queue"]
    own = visit.experience[last, k]
    b, se, _ = least_squares(np.column_stack([np.ones(len(own)), own]), visit.expectation[again, k])
    assert abs(b[1] - 0.25) < LIMIT * se[1]
    first = people.visit == 1
    assert visit.expectation[first, k].mean() == pytest.approx(7.0 + 0.3 * 0.6 + 0.2 * 0.4, abs=0.03)


def test_the_meal_comes_after_the_nurse_and_places_run_from_one(true_visits):
    _, _, visit = true_visits
    nurse, meal = STATIONS.index("nurse"), STATIONS.index("meal")
    met = visit.position[:, meal] > 0
    assert (visit.position[met, meal] > visit.position[met, nurse]).all()
    assert (visit.position.max(axis=1) == 4 + met).all()
    assert 0.2 < (visit.position[:, STATIONS.index("queue")] == 1).mean() < 0.5


# ---------------------------------------------------------------------- switches
def test_crisis_scales_all_that_is_planted_against_gold():
    def gap(study, item):
        means = study.answers().groupby("card")[item].mean()
        return means[2] - means[1]

    sizes = {"base_per_wave": 2000, "waves": 20, "seed": 8, "faults": False}
    full, half = simulate_healthcheck(**sizes), simulate_healthcheck(**sizes, crisis=0.5)
    none = simulate_healthcheck(**sizes, crisis=0, diamond=0)
    for item, delta in (("parking", -0.9), ("changing", -1.2), ("reception", -0.6)):
        assert gap(full, item) == pytest.approx(delta, abs=0.06)
        assert gap(half, item) == pytest.approx(delta / 2, abs=0.06)
        assert gap(none, item) == pytest.approx(0, abs=0.06)
    satisfaction = [gap(s, "satisfaction") for s in (full, half, none)]
    assert satisfaction[1] == pytest.approx(satisfaction[0] / 2, abs=0.08)
    assert satisfaction[2] == pytest.approx(0, abs=0.08)


def test_settings_can_be_handed_over_whole():
    truths = replace(Truths(), crisis=0.5)
    one = simulate_healthcheck(100, 12, seed=1, truths=truths)
    two = simulate_healthcheck(100, 12, seed=1, crisis=0.5)
    pd.testing.assert_frame_equal(one.responses, two.responses)
    assert one.truths == truths


# ---------------------------------------------------------------------- answers and faults
def test_faults_are_planted_in_their_exact_numbers(study, honest):
    responses, touched = study.responses, list(TOUCHPOINTS)
    assert responses.duplicated(["customer_id", "wave"]).sum() == 40
    twice = responses[responses.duplicated(["customer_id", "wave"], keep=False)]
    assert len(twice) == 80
    assert twice.groupby(["customer_id", "wave"])["card"].nunique().eq(1).all()
    answers = study.answers()[touched]
    alike = answers.nunique(axis=1) == 1
    assert alike.groupby(responses["wave"]).sum().tolist() == [25] * 24
    assert (alike == study.latent["straight"]).all()
    assert answers[alike].isna().sum().drop("parking").eq(0).all()
    rated = [*touched, "satisfaction", "recommend", "trust", "repurchase"]
    values = study.answers()[rated]
    assert ((values < 0) | (values > 10)).sum().sum() == 12
    bad = pd.to_datetime(responses["visit_date"], errors="coerce").isna()
    assert bad.sum() == 6
    assert (responses.loc[bad, "visit_date"].str[:7] == honest.responses.loc[bad, "visit_date"].str[:7]).all()


def test_without_faults_there_are_none(honest):
    responses = honest.responses
    assert not responses.duplicated(["customer_id", "wave"]).any()
    assert (honest.answers()[list(TOUCHPOINTS)].nunique(axis=1) > 1).all()
    assert honest.answers()[["satisfaction", *TOUCHPOINTS]].stack().dropna().between(0, 10).all()
    assert pd.to_datetime(responses["visit_date"], format="%Y-%m-%d").dt.strftime("%Y-%m").nunique() == 24


def test_faults_grow_with_the_study():
    study = simulate_healthcheck(4000, 2, seed=2)
    assert study.latent["straight"].groupby(study.responses["wave"]).sum().tolist() == [250, 250]
    assert study.responses.duplicated(["customer_id", "wave"]).sum() == round(40 * 8000 / 9600)


def test_missing_codes_have_their_shares_and_reasons(study):
    responses = study.responses
    asked = responses[responses["wave"] != 7]
    for item, share in (("parking", 0.30), ("meal", 0.12), ("followup", 0.25)):
        found = (asked[item] == 98).mean()
        assert abs(found - share) < LIMIT * np.sqrt(share * (1 - share) / len(asked)), item
        assert ((asked[item] == 98) == (asked[f"{item}_emotion"] == 98)).all()
    for item in ("queue", "trust", "queue_expected", "report_emotion", "stated_price", "price_choice"):
        assert abs((responses[item] == 99).mean() - 0.02) < LIMIT * np.sqrt(0.02 / len(responses)), item
    parking = responses.loc[responses["wave"] == 7, ["parking", "parking_expected", "parking_emotion"]]
    assert (parking == 97).all(axis=None)
    assert (responses.drop(columns=["visit_date", "customer_id", "response_id"]) == 97).sum().sum() == 1200


def test_price_is_refused_more_often_when_it_is_judged_low():
    study = simulate_healthcheck(4000, 10, seed=6, faults=False)
    refused = study.responses["price_fairness"] == 99
    goodwill = study.latent["halo"]  # low price ratings go with low goodwill
    assert refused[goodwill < -0.7].mean() > 1.5 * refused[goodwill > 0.7].mean()
    other = study.responses["brand_image"] == 99
    assert abs(other[goodwill < -0.7].mean() - other[goodwill > 0.7].mean()) < 0.01


def test_gender_noise_and_marker_are_what_they_claim():
    study = simulate_healthcheck(4000, 24, seed=9, faults=False)
    answers = study.answers()
    rated = [c for c in answers.columns if answers[c].dtype == float and answers[c].notna().sum() > 1000]
    values = answers[rated]
    women, men = values[answers["gender"] == 2], values[answers["gender"] == 1]
    se = np.sqrt(1.2 * (women.var() / women.count() + men.var() / men.count()))
    assert ((women.mean() - men.mean()) / se).abs().max() < LIMIT
    others = values.drop(columns="noise")
    assert others.corrwith(answers["noise"]).abs().max() < LIMIT / np.sqrt(len(answers) / 10)
    style, halo = study.latent["style"], study.latent["halo"]
    assert np.corrcoef(answers["marker_blue"].fillna(5), style)[0, 1] > 0.25
    assert abs(np.corrcoef(answers["marker_blue"].fillna(5), halo)[0, 1]) < 0.02


def test_renewals_are_followed_until_month_33(study):
    transactions = study.transactions
    assert transactions["date"].max() < "2026-10"
    renewals = transactions[transactions["kind"] == "renewal"]
    responses, latent = study.responses, study.latent
    known = responses["wave"] <= 21
    assert responses.loc[~known, "renewed"].isna().all()
    assert (responses.loc[known, "renewed"] == latent.loc[known, "renewed"]).all()
    assert (renewals["visit_wave"] <= 21).sum() == latent.loc[known, "renewed"].sum()
    late = ~known & latent["renewed"]
    cut = late & (responses["wave"] + latent["renewal_month"] > 33)
    assert 0 < cut.sum() < late.sum()
    assert (renewals["visit_wave"] > 21).sum() == late.sum() - cut.sum()
    months = pd.to_datetime(renewals["date"]).dt.to_period("M")
    waited = (months.dt.year - 2024) * 12 + months.dt.month - renewals["visit_wave"]
    assert waited.between(1, 12).all()
    assert transactions["transaction_id"].is_unique
    assert set(transactions["amount"]) == {600, 2200, 4500}


def test_filter_questions_are_asked_of_those_they_concern(study):
    responses = study.responses
    assert (responses["voiced"].notna() == (responses["problem"] == 1)).all()
    assert (responses["silent_reason"].notna() == (responses["voiced"] == 0)).all()
    assert (responses["resolved"].notna() == (responses["voiced"] == 1)).all()


def test_the_survey_knows_its_roles_and_reasons():
    survey = simulate_healthcheck(400, 2, seed=12).survey()
    assert survey.design.stratum == "card"
    assert [t.name for t in survey.roles.touchpoints] == list(TOUCHPOINTS)
    assert not survey.higher_is_better("effort")
    codes = survey.missing_reasons["parking"].dropna().unique()
    assert set(codes) == {98.0, 99.0}
    assert survey.codebook["parking"].missing[98.0] == "not experienced"
    result = cxlab.key_drivers(survey, "satisfaction", replicates=0)
    assert set(result.table["driver"]) == {d for b in DRIVERS.values() for d in b} - {"parking", "followup"}
