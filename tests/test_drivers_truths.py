"""What is planted in the demo study and what the driver functions find of it, against the pseudo-true values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cxlab as cx
from cxlab.simulate import simulate_healthcheck

FOLDER = Path(__file__).parent.parent / "data" / "healthcheck"
LIMIT = 4.1  # standard errors, when many values are compared
CLASSES = ("price_sensitive", "service_led", "product_led")
SLOPES = {"price": "price_fairness", "service": "service", "product": "product"}
COMMON = ["queue", "booking", "changing", "report", "meal"]
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")


@pytest.fixture(scope="module")
def survey():
    return cx.open_study(FOLDER / "study.yml").survey()


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return json.loads((FOLDER / "truth.json").read_text(encoding="utf-8"))["pseudo_true"]


@pytest.fixture(scope="module")
def found(survey):
    return cx.key_drivers(survey, replicates=400)


@pytest.fixture(scope="module")
def typed(survey):
    """The survey with the class of every respondent, which only the simulation knows, and the means that classes weigh."""
    data = survey.data
    return survey.with_columns(
        type=simulate_healthcheck().latent["group"],
        service=data[["reception", "nurse", "doctor"]].mean(axis=1, skipna=False),
        product=data[["info", "equipment"]].mean(axis=1, skipna=False),
    )


@pytest.fixture(scope="module")
def by_type(typed):
    return cx.key_drivers(typed, "satisfaction", [*SLOPES.values(), *COMMON], by="type", replicates=200)


def z(estimate: float, true: dict[str, float]) -> float:
    """Distance from the pseudo-true value in standard errors of one survey and of that value."""
    return float((estimate - true["value"]) / np.hypot(true["se_survey"], true["se"]))


# ---------------------------------------------------------------------- effects and importances
def test_effects_are_at_their_pseudo_true_values(found, truth):
    true = truth["drivers"]["listwise_13"]["coefficient"]
    effects = found.table.set_index("driver")["estimate"]
    assert set(effects.index) == set(true)
    worst = max((z(effects[d], true[d]) for d in true), key=abs)
    assert abs(worst) <= LIMIT


def test_errors_of_effects_are_the_spread_of_surveys(found, truth):
    """The spread over 30 simulated studies is known to about an eighth."""
    true = truth["drivers"]["listwise_13"]["coefficient"]
    errors = found.table.set_index("driver")["se"]
    ratio = np.array([errors[d] / t["se_survey"] for d, t in true.items()])
    assert 0.85 < np.exp(np.log(ratio).mean()) < 1.15


@pytest.mark.parametrize("method", ["shapley", "johnson"])
def test_all_fifteen_drivers_of_those_who_met_everything(survey, truth, method):
    true = truth["drivers"]["all_15"]
    names = list(true["coefficient"])
    result = cx.key_drivers(survey, "satisfaction", names, method=method, replicates=0)
    table = result.table.set_index("driver")
    assert abs(z(float(result.model["r2"].iloc[0]), true["r2"])) <= LIMIT
    assert max(abs(z(table.loc[d, "estimate"], true["coefficient"][d])) for d in names) <= LIMIT
    if method == "shapley":
        assert max(abs(z(table.loc[d, "importance"], true["importance"][d])) for d in names) <= LIMIT
        assert max(abs(z(table.loc[d, "share"], true["share"][d])) for d in names) <= LIMIT
    assert table["importance"].idxmax() == "queue"
    assert table["importance"].idxmin() == "noise"


# ---------------------------------------------------------------------- queue first
def test_queue_is_alone_in_first_place(found):
    top = found.table.iloc[0]
    assert (top["driver"], top["rank_low"], top["rank_high"], top["top1"]) == ("queue", 1, 1, 1.0)
    letters = found.ranking().table["letters"]
    assert letters.iloc[0] == "a"
    assert not letters.iloc[1:].str.contains("a", regex=False).any()


@pytest.mark.parametrize("last", [6, 12, 18, 24])
def test_queue_is_in_the_rank_set_of_first_place_in_every_six_waves(survey, last):
    part = cx.key_drivers(survey.where(wave=list(range(last - 5, last + 1))), replicates=200)
    first = part.table.iloc[0]
    assert first["driver"] == "queue"
    assert first["rank_low"] == 1
    assert first["top1"] > 0.9


def test_what_to_do_starts_with_the_queue(survey, found):
    assert cx.first_to_fix(found, survey).table["driver"].iloc[0] == "queue"
    assert cx.headroom(found, target=8.0).table["driver"].iloc[0] == "queue"
    quadrants = cx.priority_map(survey, replicates=200).table.set_index("driver")["quadrant"]
    assert quadrants[["queue", "report"]].tolist() == ["fix first", "fix first"]
    assert quadrants["noise"] == "low priority"


def test_queue_is_first_whatever_the_method(survey):
    table = cx.compare_methods(survey, replicates=0).table
    first = table[table["rank"] == 1].groupby("driver")["method"].agg(set)
    assert set(first.index) == {"queue", "price_fairness"}
    assert not first["price_fairness"] & {"shapley", "johnson", "last", "standardised", "coefficient"}


def test_queue_is_first_among_those_who_are_very_satisfied(survey):
    names = ["queue", "price_fairness", "report", "reception", "nurse", "noise"]
    table = cx.key_drivers(survey, "satisfaction >= 8", names, replicates=0).table
    assert table["driver"].iloc[0] == "queue"
    assert table["driver"].iloc[-1] == "noise"


# ---------------------------------------------------------------------- must-be and delighter
@pytest.mark.parametrize("waves", [range(1, 13), range(13, 25)])
def test_report_costs_and_meal_delights_in_each_half_of_the_study(survey, waves):
    table = cx.asymmetry(survey.where(wave=list(waves))).table.set_index("driver")
    report, meal = table.loc["report"], table.loc["meal"]
    assert report["kind"] == "must-be"
    assert report["high"] < 0 < report["below_low"]
    assert meal["estimate"] > 0
    assert meal["kind"] in ("delighter", "not decided")
    others = table.drop(index=["report", "meal"])
    assert not others["kind"].isin(["must-be", "delighter"]).any()


# ---------------------------------------------------------------------- price-sensitive and other classes
def test_classes_weigh_the_drivers_as_planted(by_type, truth):
    slopes = by_type.table.pivot(index="segment", columns="driver", values="estimate")
    for code, name in enumerate(CLASSES, start=1):
        for planted, driver in SLOPES.items():
            assert abs(z(slopes.loc[code, driver], truth["classes"][name][planted])) <= LIMIT, (name, driver)
    assert slopes["price_fairness"].idxmax() == 1
    assert slopes["service"].idxmax() == 2
    assert slopes["product"].idxmax() == 3


def test_each_class_differs_in_its_own_driver_and_in_no_common_one(by_type):
    p = by_type.differences.pivot(index="segment", columns="driver", values="p_value")
    assert (p.loc[[1, 2, 3], list(SLOPES.values())].to_numpy().diagonal() < 1e-6).all()
    assert (p[COMMON] > 0.05).all(axis=None)
    overall = by_type.overall.set_index("driver")["p_value"]
    assert (overall[list(SLOPES.values())] < 1e-6).all()
    assert (overall[COMMON] > 0.05).all()


def test_price_comes_first_only_among_the_price_sensitive(by_type):
    shares = by_type.table.pivot(index="segment", columns="driver", values="share_corrected")
    assert shares.idxmax(axis=1)[1] == "price_fairness"
    assert "price_fairness" not in shares.idxmax(axis=1)[[2, 3]].tolist()


def test_corporate_payers_mind_the_price_less(survey):
    """The employer pays: fewer of them are price-sensitive, so that their slope of the price is lower."""
    found = cx.key_drivers(survey, by="payer", replicates=200)
    slope = found.table[found.table["driver"] == "price_fairness"].set_index("segment")["estimate"]
    names = {level.label: level.code for level in survey.levels("payer", "en")}
    corporate = next(code for label, code in names.items() if "corpor" in label.lower() or "employer" in label.lower())
    assert slope[corporate] < slope.drop(corporate).min()


# ---------------------------------------------------------------------- halo and nulls
def test_brand_image_is_at_its_pseudo_true_value_and_not_zero(found, truth):
    """It has no effect of its own, and yet halo and style give it importance and a negative coefficient."""
    true, row = truth["drivers"]["listwise_13"], found.table.set_index("driver").loc["brand_image"]
    assert abs(z(row["importance"], true["importance"]["brand_image"])) <= LIMIT
    assert row["importance_low"] > 0.5 * true["importance"]["brand_image"]["value"] > 0
    assert bool(row["distinguishable"])
    assert row["correlation"] > 0 > row["high"] > row["estimate"]
    assert bool(row["sign_flip"])


def test_gender_and_noise_are_noise_in_every_function(survey, found):
    names = [*found.table["driver"], "gender"]
    table = cx.key_drivers(survey, "satisfaction", names, replicates=200).table.set_index("driver")
    null = table.loc[["gender", "noise"]]
    assert not null["distinguishable"].any()
    assert null["importance_low"].tolist() == [0.0, 0.0]
    assert null["rank_low"].min() == len(names) - 1
    assert table.drop(index=["gender", "noise"])["distinguishable"].all()
    assert (null["low"] < 0).all()
    assert (null["high"] > 0).all()
    gains = cx.headroom(found, target=8.0).table.set_index("driver").loc["noise"]
    assert gains["low"] < 0 < gains["high"]


def test_men_and_women_weigh_the_drivers_alike(survey):
    by_gender = cx.key_drivers(survey, by="gender", replicates=200)
    assert (by_gender.overall["p_value"] > 0.05).all()
    assert (by_gender.differences["p_value"] > 0.05).all()
