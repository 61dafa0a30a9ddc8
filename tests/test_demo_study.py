"""The committed demo study: its files, its labels, its faults, and the planted truths in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import cxlab
from cxlab.simulate import CARDS, SEED, TOUCHPOINTS, simulate_healthcheck

FOLDER = Path(__file__).parent.parent / "data" / "healthcheck"
LIMIT = 4.1  # standard errors, when many values are compared
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NO_WORDS = ("clinic_month", "wave")  # months read the same in both languages

pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")


@pytest.fixture(scope="module")
def study():
    return cxlab.open_study(FOLDER / "study.yml")


@pytest.fixture(scope="module")
def survey(study):
    return study.survey()


@pytest.fixture(scope="module")
def truth():
    return json.loads((FOLDER / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def drivers(study, survey):
    return cxlab.key_drivers(survey, "satisfaction", replicates=200).table.set_index("driver")


@pytest.fixture(scope="module")
def comments():
    written = pd.read_csv(FOLDER / "comments.csv")
    coded = pd.read_csv(FOLDER / "comments_coded.csv", keep_default_na=False)
    return written.merge(coded, on="response_id", validate="one_to_one")


@pytest.fixture
def scripts(monkeypatch):
    """The modules beside make.py."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    import truth as estimators

    yield estimators
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and FOLDER in Path(str(sys.modules[name].__file__)).parents:
            del sys.modules[name]


def z(found: float, true: dict[str, float]) -> float:
    """Distance from the pseudo-true value in standard errors of one survey and of that value."""
    return float((found - true["value"]) / np.hypot(true["se_survey"], true["se"]))


def leaves(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, float]]]:
    for key, value in tree.items():
        if "value" in value:
            yield f"{path}{key}", value
        else:
            yield from leaves(value, f"{path}{key}.")


# ---------------------------------------------------------------------- files, sizes, labels
def test_the_study_opens_without_a_problem(study):
    assert cxlab.check_study(FOLDER / "study.yml") == []
    assert study.survey().notes == ()


def test_the_files_are_there_and_small():
    names = {"responses.sav", "codebook.csv", "customers.csv", "transactions.csv", "comments.csv",
             "comments_coded.csv", "clinics.csv", "study.yml", "truth.json", "README.md"}  # fmt: skip
    assert names <= {p.name for p in FOLDER.iterdir()}
    assert sum((FOLDER / n).stat().st_size for n in names) < 5_000_000


def test_waves_cards_and_weights_are_those_declared(survey):
    data = survey.data
    assert len(data) == 9600
    assert (data.groupby(["wave", "card"]).size().unstack() == [200, 120, 80]).all(axis=None)
    assert data.groupby("card")["weight"].unique().map(list).tolist() == [[1.4], [0.7333], [0.4]]
    weights = data["weight"]
    assert round(len(weights) * (weights**2).sum() / weights.sum() ** 2, 3) == 1.173
    assert survey.levels("wave")[0].label == "2024-01"
    assert survey.levels("wave")[-1].label == "2025-12"


def test_every_column_and_code_is_labelled_in_both_languages(survey):
    for name, item in survey.codebook.items.items():
        assert set(item.labels) >= {"en", "zh"}, name
        assert CHINESE.search(item.labels["zh"]), name
        assert not CHINESE.search(item.labels["en"]), name
        for code, texts in item.values.items():
            if name != "wave" and code not in (97, 98, 99):
                assert CHINESE.search(texts["zh"]), (name, code)
                assert texts["en"], (name, code)
    labels = [i.label(lang) for lang in ("en", "zh") for i in survey.codebook.items.values()]
    assert len(set(labels)) == len(labels)
    assert [t.label("zh") for t in survey.roles.touchpoints] == [
        "预约", "停车", "检前须知", "前台接待", "更衣", "排队等候", "护士", "医生", "设备", "餐食", "报告", "随访",
    ]  # fmt: skip
    assert [level.label for level in survey.levels("card", "zh")] == ["普卡", "金卡", "钻卡"]


def test_the_spss_file_alone_carries_both_languages_and_the_missing_codes():
    data, meta = pyreadstat.read_sav(str(FOLDER / "responses.sav"), user_missing=True)
    for name, label in meta.column_names_to_labels.items():
        english, chinese = label.split(" | ")
        assert english, name
        assert CHINESE.search(chinese), name
    assert meta.variable_value_labels["card"] == {1.0: "ordinary | 普卡", 2.0: "gold | 金卡", 3.0: "diamond | 钻卡"}
    rated = [n for n, values in meta.variable_value_labels.items() if 99.0 in values]
    assert len(rated) == 12 * 3 + 18 + 5 + 1  # touchpoints, other ratings, places in the visit, price choice
    for name in rated:
        assert [(r["lo"], r["hi"]) for r in meta.missing_ranges[name]] == [(97, 97), (98, 98), (99, 99)], name
        assert meta.variable_value_labels[name][98.0] == "not experienced | 未体验"
    never = set(meta.column_names) - set(rated)
    assert not data[[c for c in never if data[c].dtype == float]].isin([97, 98, 99]).any(axis=None)


def test_the_journey_has_stages_owners_and_items_of_its_own(survey):
    journey = survey.roles.touchpoints
    assert [t.name for t in journey] == list(TOUCHPOINTS)
    assert [t.stage for t in journey] == ["before"] * 3 + ["during"] * 7 + ["after"] * 2
    assert all(t.owner and CHINESE.search(survey.roles.labels[t.owner]["zh"]) for t in journey)
    assert (
        {t.item for t in journey} <= set(survey.data) >= {t.expectation for t in journey} | {t.emotion for t in journey}
    )
    blocks = survey.roles.drivers
    assert blocks["value"] == ("booking", "info", "nurse", "doctor", "report", "followup", "brand_image")
    assert blocks["price"] == ("price_fairness",)
    assert blocks["sensory"] == ("parking", "reception", "changing", "queue", "equipment", "meal")
    assert blocks[""] == ("noise",)


def test_the_codebook_names_role_stage_and_owner():
    book = pd.read_csv(FOLDER / "codebook.csv", keep_default_na=False).set_index("item")
    assert book.loc["queue", ["role", "block", "stage", "owner_en", "owner_zh"]].tolist() == [
        "experience, driver", "sensory", "during", "Operations", "运营部",
    ]  # fmt: skip
    assert book.loc["effort", "higher_is_better"] == "false"
    assert (book["role"] != "").all()
    assert (book.loc[list(TOUCHPOINTS), "owner_zh"] != "").all()


# ---------------------------------------------------------------------- linked tables
def test_customers_and_transactions_link_to_the_interviews(survey):
    customers, transactions = (pd.read_csv(FOLDER / f"{n}.csv") for n in ("customers", "transactions"))
    known = survey.data.drop_duplicates("customer_id").merge(customers, on="customer_id", suffixes=("", "_table"))
    assert customers["customer_id"].is_unique
    assert set(survey.data["customer_id"]) <= set(customers["customer_id"])
    assert (known["card"] == known["card_table"]).all()
    assert customers.groupby("card")["price_paid"].unique().map(list).tolist() == [[600], [2200], [4500]]
    renewals = transactions[transactions["kind"] == "renewal"]
    assert renewals["date"].max() < "2026-10-01"
    complete = survey.data[survey.data["wave"] <= 21]
    assert (renewals["visit_wave"] <= 21).sum() == complete["renewed"].sum()
    assert survey.data.loc[survey.data["wave"] > 21, "renewed"].isna().all()
    assert (transactions["kind"] == "visit").sum() == 9600


def test_revenue_shares_are_those_published(truth):
    prices, shares = truth["structural"]["price"], truth["structural"]["population_share"]
    revenue = {c: prices[c] * shares[c] for c in CARDS}
    found = {c: revenue[c] / sum(revenue.values()) for c in CARDS}
    assert found == pytest.approx({"ordinary": 0.33, "gold": 0.38, "diamond": 0.29}, abs=0.0055)


def test_clinics_have_a_row_per_month_and_their_constants(truth):
    clinics = pd.read_csv(FOLDER / "clinics.csv")
    assert clinics.groupby("clinic")["month"].nunique().tolist() == [24] * 12
    constants = truth["structural"]["clinics"]
    means = clinics.groupby("clinic")[["engagement", "queue_minutes"]].mean()
    assert np.abs(means["engagement"] - constants["engagement"]).max() < LIMIT * 3 / np.sqrt(24)
    assert np.abs(means["queue_minutes"] - constants["queue_minutes"]).max() < LIMIT * 2.5 / np.sqrt(24)
    assert np.dot(constants["share"], constants["satisfaction"]) == pytest.approx(0, abs=0.001)


# ---------------------------------------------------------------------- faults, missing answers, comments
def test_the_faults_are_found_in_their_exact_numbers(survey, truth):
    found = cxlab.check_quality(survey).table.set_index("check")["count"]
    assert found[["duplicates", "straight_lining", "out_of_range", "impossible_dates", "undeclared_missing", "weights"]].tolist() == [
        40, 600, 12, 6, 0, 0,
    ]  # fmt: skip
    alike = survey.data[list(TOUCHPOINTS)].nunique(axis=1) == 1
    assert alike.groupby(survey.data["wave"]).sum().tolist() == [25] * 24
    counts = truth["counts"]
    assert [counts[k] for k in ("duplicate_ids", "straight_liners_per_wave", "out_of_range", "impossible_dates")] == [
        40,
        25,
        12,
        6,
    ]


def test_missing_answers_have_their_reasons_and_shares(survey):
    reasons, waves = survey.missing_reasons, survey.data["wave"]
    assert (reasons.loc[waves == 7, "parking"] == 97).all()
    assert not (reasons.loc[waves != 7] == 97).any(axis=None)
    asked = waves != 7
    for item, share in (("parking", 0.30), ("meal", 0.12), ("followup", 0.25)):
        found = (reasons.loc[asked, item] == 98).mean()
        assert abs(found - share) < LIMIT * np.sqrt(share * (1 - share) / asked.sum()), item
    for item in ("queue", "satisfaction", "effort", "report_emotion", "stated_brand"):
        assert abs((reasons[item] == 99).mean() - 0.02) < LIMIT * np.sqrt(0.02 / 9600), item
    assert (reasons["price_fairness"] == 99).mean() > 0.03
    assert survey.codebook["parking"].missing == {97: "not asked", 98: "not experienced", 99: "refused"}


def test_comments_have_exact_topics_languages_traps_and_critical_ones(comments, truth):
    total = round(0.35 * 9600)
    assert len(comments) == total
    shares = {
        "queue": 28,
        "report": 18,
        "price": 12,
        "followup": 10,
        "doctor": 10,
        "parking": 9,
        "equipment": 8,
        "meal": 5,
    }
    counts = comments["topic"].value_counts()
    assert all(abs(counts[t] - total * s / 100) < 1 for t, s in shares.items())
    assert comments["language"].value_counts().to_dict() == {"zh": 2688, "en": 504, "mixed": 168}
    assert (comments["trap"] != "").sum() == 60
    critical = comments[comments["critical"] == 1]
    assert len(critical) == 37
    assert critical["text"].is_unique
    owners = set(pd.read_csv(FOLDER / "codebook.csv")["owner_en"].dropna())
    assert set(critical["department"]) <= owners
    assert (critical["sentiment"] == -1).all()
    assert (comments.loc[comments["critical"] == 0, "department"] == "").all()
    plain = comments[(comments["trap"] == "") & (comments["critical"] == 0)]
    assert ((plain["sentiment"] == 1) == plain["topic"].isin(["doctor", "equipment", "meal"])).all()
    assert truth["counts"]["comments"] == total
    assert truth["counts"]["comments_critical"] == 37
    assert truth["counts"]["comment_traps"] == 60


def test_comments_are_in_their_language_and_mostly_differ(comments, survey):
    chinese = comments["text"].str.contains(CHINESE)
    latin = comments["text"].str.contains(r"[A-Za-z]{2,}")
    assert chinese[comments["language"] == "zh"].all()
    assert not chinese[comments["language"] == "en"].any()
    assert (chinese & latin)[comments["language"] == "mixed"].all()
    assert comments["text"].nunique() > 0.97 * len(comments)
    assert not comments["text"].str.contains(r"[{}]").any()
    in_file = survey.data.set_index("response_id")["comment"]
    assert (in_file[comments["response_id"]].to_numpy() == comments["text"].to_numpy()).all()
    assert in_file.notna().sum() == len(comments)


def test_comments_go_with_the_ratings_of_their_writers(comments, survey):
    data = survey.data[["response_id", "queue", "report", "doctor", "parking", "meal", "followup"]]
    merged = comments.merge(data, on="response_id")
    for topic in ("parking", "meal", "followup"):
        assert merged.loc[merged["topic"] == topic, topic].notna().all()
    assert merged.loc[merged["topic"] == "queue", "queue"].mean() < merged["queue"].mean() - 0.5
    assert merged.loc[merged["topic"] == "doctor", "doctor"].mean() > merged["doctor"].mean() + 0.5


# ---------------------------------------------------------------------- planted truths
def test_published_figures_are_the_pseudo_true_values(truth):
    """Figures of the description of this study, which the constants were solved for."""
    true = dict(leaves(truth["pseudo_true"]))
    published = {
        "nps.total": (2.0, 0.7), "trend.total": (0.0, 0.03), "trend.gold": (-0.70, 0.05), "trend.ordinary": (0.22, 0.04),
        "trend.diamond": (-0.05, 0.09), "trend.unweighted": (-0.11, 0.03),
        "drivers.listwise_13.coefficient.queue": (0.300, 0.006), "drivers.listwise_13.coefficient.noise": (0.0, 0.007),
        "queue_first.one_wave": (0.73, 0.06), "queue_first.three_waves": (0.98, 0.05), "queue_first.six_waves": (1.0, 0.01),
        "renewal.ordinary": (0.73, 0.006), "renewal.gold": (0.52, 0.006), "renewal.diamond": (0.57, 0.006),
        "renewal.hostages": (0.81, 0.006), "complaints.renewal.no_problem": (0.72, 0.006),
        "complaints.renewal.voiced_resolved": (0.70, 0.015), "complaints.renewal.voiced_unresolved": (0.38, 0.015),
        "complaints.renewal.silent": (0.52, 0.01), "complaints.problem": (0.24, 0.003),
        "complaints.voiced": (0.30, 0.006), "complaints.resolved": (0.55, 0.012), "knot.gold.knot": (8.4, 0.3),
        "effort.adjusted_change": (0.0, 0.02), "effort.mode_effect": (0.30, 0.03), "perceived_queue.slope": (1.25, 0.01),
        "perceived_queue.intercept": (0.6, 0.15), "clinics.engagement_satisfaction_r": (0.60, 0.05),
        "ratchet.experience": (0.25, 0.04), "premium.total": (9.0, 0.15), "premium.diamond": (15.0, 0.2),
        "mean.stated_convenience.total": (9.0, 0.02), "shock.wave_15": (-1.5, 0.12), "shock.wave_16": (-0.8, 0.08),
        "shock.wave_17": (0.0, 0.06), "knot.diamond.slope": (0.20, 0.02), "knot.hostages.slope": (0.0, 0.03),
    }  # fmt: skip
    off = {k: true[k]["value"] for k, (value, margin) in published.items() if abs(true[k]["value"] - value) > margin}
    assert not off


def test_pseudo_true_values_rest_on_enough_interviews(truth):
    about = truth["about"]
    assert about["seed"] == SEED
    assert about["seed"] > about["pseudo_true_surveys"]  # the committed study is none of those
    assert about["pseudo_true_interviews"] >= 240_000
    for key, leaf in leaves(truth["pseudo_true"]):
        assert leaf["se"] == pytest.approx(leaf["se_survey"] / np.sqrt(about["pseudo_true_surveys"]), abs=2e-5), key


def test_every_estimator_agrees_with_its_pseudo_true_value(survey, truth, scripts):
    """On the files as cxlab reads them; only what no survey sees (the class) comes from the simulation."""
    simulated = simulate_healthcheck()
    numbers = survey.data.select_dtypes("number")
    frame = simulated.responses.assign(**{c: numbers[c] for c in numbers if c in simulated.responses})
    for whole in ("card", "wave", "clinic"):
        frame[whole] = frame[whole].astype(int)

    class FromFile(type(simulated)):
        def answers(self):
            return frame

    parts = {name: getattr(simulated, name) for name in ("customers", "transactions", "latent", "truths", "seed")}
    study = FromFile(responses=frame, clinics=pd.read_csv(FOLDER / "clinics.csv"), **parts)
    found = scripts.estimates(scripts.prepared(study))
    true = dict(leaves(truth["pseudo_true"]))
    assert set(found) == set(true)
    committed = dict(_flat(truth["committed"]))
    assert found == pytest.approx(committed, abs=1e-5)
    distance = {k: z(found[k], t) for k, t in true.items() if t["se_survey"] > 0}
    worst = max(distance, key=lambda k: abs(distance[k]))
    assert abs(distance[worst]) <= LIMIT, f"{worst}: {found[worst]} against {true[worst]}"


def _flat(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, float]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def test_scores_of_the_library_agree_with_the_truth(survey, truth):
    true = truth["pseudo_true"]
    assert abs(z(cxlab.nps(survey).table["estimate"].iloc[0], true["nps"]["total"])) <= LIMIT
    assert abs(z(cxlab.csat(survey).table["estimate"].iloc[0], true["csat"]["total"])) <= LIMIT
    means = cxlab.means(survey, [*TOUCHPOINTS, "satisfaction"], by="card").table
    for _, row in means.iterrows():
        card = CARDS[int(row["segment"]) - 1] if not isinstance(row["segment"], str) else row["segment"]
        assert abs(z(row["estimate"], true["mean"][row["item"]][card])) <= LIMIT, (row["item"], card)


def test_importance_of_the_library_agrees_with_the_truth(drivers, truth):
    true = truth["pseudo_true"]["drivers"]["listwise_13"]
    assert set(drivers.index) == set(true["importance"])
    for name, row in drivers.iterrows():
        assert abs(z(row["importance"], true["importance"][name])) <= LIMIT, name
        assert abs(z(row["share"], true["share"][name])) <= LIMIT, name
    assert abs(z(drivers["importance"].sum(), true["r2"])) <= LIMIT


def test_queue_is_first_and_noise_is_last(drivers, study):
    assert drivers["importance"].idxmax() == "queue"
    assert drivers["importance"].idxmin() == "noise"
    waves = list(range(6, 25))
    first = []
    for last in waves:
        part = study.survey().where(wave=list(range(last - 5, last + 1)))
        first.append(
            cxlab.key_drivers(part, "satisfaction", replicates=0).table.set_index("driver")["importance"].idxmax()
        )
    assert first == ["queue"] * len(waves)


def test_queue_is_first_in_most_bases_of_400(survey, drivers):
    first = 0
    for wave in range(1, 25):
        table = cxlab.key_drivers(survey.where(wave=wave), "satisfaction", list(drivers.index), replicates=0).table
        first += table.set_index("driver")["importance"].idxmax() == "queue"
    assert 16 <= first <= 22


def test_planted_orders(truth):
    """The directions that the truths claim, in the committed files."""
    found = dict(_flat(truth["committed"]))
    gold = {k.removeprefix("gap.gold."): v for k, v in found.items() if k.startswith("gap.gold.")}
    lowest = sorted(TOUCHPOINTS, key=lambda t: gold[t])
    assert set(lowest[:3]) == {"parking", "changing", "reception"}
    assert lowest[0] == "changing"
    assert found["trend.gold"] < -0.5 < found["trend.diamond"] < found["trend.ordinary"]
    assert abs(found["trend.total"]) < 0.05
    assert found["asymmetry.report.below"] > found["asymmetry.report.above"] + 0.2
    assert found["asymmetry.meal.above"] > found["asymmetry.meal.below"] + 0.1
    assert found["renewal.gold"] < found["renewal.diamond"] < found["renewal.ordinary"] < found["renewal.hostages"]
    by = [found[f"complaints.renewal.{k}"] for k in ("voiced_unresolved", "silent", "voiced_resolved", "no_problem")]
    assert by == sorted(by)
    assert found["knot.both.above"] > 3 * found["knot.both.below"]
    for name, slope in (("price_sensitive", "price"), ("service_led", "service"), ("product_led", "product")):
        own = {k: found[f"classes.{name}.{k}"] for k in ("price", "service", "product")}
        assert max(own, key=lambda k: own[k]) == slope
    assert min(found[f"peak_end.{k}"] for k in ("peak", "end")) > 10 * abs(found["peak_end.duration"])
    assert found["surface.b1_x"] > 0 > found["surface.b2_e"]
    assert found["effort.raw_change"] > 2 * abs(found["effort.adjusted_change"])
    assert found["premium.diamond"] > found["premium.total"] + 4


def test_only_gold_is_worse_anywhere(truth):
    """No other item is lower in a card: within what chance does to the largest of so many."""
    found, true = dict(_flat(truth["committed"])), dict(leaves(truth["pseudo_true"]))
    planted = {"parking", "changing", "reception", "satisfaction", "recommend", "trust", "repurchase"}
    planted |= {f"{t}_emotion" for t in ("parking", "changing", "reception")}
    for card in ("gold", "diamond"):
        for key, leaf in true.items():
            item = key.rsplit(".", 1)[-1]
            if not key.startswith(f"gap.{card}.") or item in planted or item.endswith("_expected"):
                continue
            assert abs(leaf["value"]) < LIMIT * leaf["se"] + 0.005, key
            assert abs(found[key]) < LIMIT * leaf["se_survey"], key
    for item in planted:
        assert true[f"gap.gold.{item}"]["value"] < -0.3, item


def test_gender_and_noise_are_null_in_every_sense(survey, truth, drivers):
    true, found = dict(leaves(truth["pseudo_true"])), dict(_flat(truth["committed"]))
    for key, leaf in true.items():
        if key.startswith("gap.female."):
            assert abs(leaf["value"]) < LIMIT * leaf["se"], key
            assert abs(found[key]) < LIMIT * leaf["se_survey"], key
    noise = true["drivers.listwise_13.coefficient.noise"]
    assert abs(noise["value"]) < LIMIT * noise["se"]
    brand = true["drivers.listwise_13.importance.brand_image"]
    assert brand["value"] > 50 * brand["se"]  # no effect of its own, and yet no null
    others = survey.data[[*TOUCHPOINTS, "satisfaction", "recommend", "brand_image", "marker_blue"]]
    assert others.corrwith(survey.data["noise"]).abs().max() < LIMIT / np.sqrt(5000)


# ---------------------------------------------------------------------- the script
def test_the_script_refuses_an_unknown_option():
    run = subprocess.run([sys.executable, FOLDER / "make.py", "--chek"], capture_output=True, text=True)
    assert run.returncode == 2
    assert "unrecognized arguments: --chek" in run.stderr


@pytest.mark.slow
def test_the_script_makes_the_committed_files_again():
    run = subprocess.run([sys.executable, FOLDER / "make.py", "--check"], capture_output=True, text=True)
    assert (run.returncode, run.stderr.strip()) == (0, "")


def test_drivers_that_nobody_was_asked_are_set_aside(study):
    """Parking was not asked in wave 7: the default drivers of that wave leave it out and say so."""
    result = cxlab.key_drivers(study.survey("2024-07"), replicates=0)
    assert not {"parking", "followup"} & set(result.table["driver"])
    assert len(result.table) == 13
    said = "Set aside because more than 20% of respondents have not experienced them or were not asked: Follow-up, Parking."
    assert said in [note["en"] for note in result.notes]
