"""Loyalty links: curve against plain means, thresholds, zones, words, faults, and the planted truth of the demo study."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.errors import SurveyError

DEMO = Path(__file__).parents[1] / "data" / "healthcheck"


def frame(count=900, *, turn=1.0, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 11, count).astype(float)
    y = 2 + 0.2 * x + turn * np.maximum(x - 7, 0) + rng.normal(0, 1, count)
    return pd.DataFrame({
        "satisfaction": x, "recommend": y, "w": rng.uniform(0.5, 2, count), "age": rng.normal(40, 9, count),
        "card": rng.choice(["gold", "plain"], count),
    })  # fmt: skip


def link(df, **options):
    return cx.loyalty_link(cx.Survey.from_frame(df, weight="w"), **{"replicates": 0, **options})


def test_the_curve_is_the_means_by_answer():
    df = frame()
    survey = cx.Survey.from_frame(df.assign(point=df["satisfaction"]), weight="w")
    plain = cx.means(survey, ["recommend"], by="point").table
    found = cx.loyalty_link(survey, replicates=100).table
    for column in ("estimate", "se", "low", "high", "base", "base_effective"):
        assert found[column].to_numpy() == pytest.approx(plain[column].to_numpy()), column
    assert (np.diff(found["smooth"]) >= 0).all()
    assert (found["smooth_low"] <= found["smooth"] + 0.05).all()
    assert (found["smooth_high"] >= found["smooth"] - 0.05).all()


def test_a_planted_bend_is_shown_and_a_straight_line_is_not_given_one():
    bent, straight = link(frame(), level=0.999), link(frame(turn=0.0))  # one survey: nearly sure intervals
    row = bent.threshold.iloc[0]
    assert row["p_value"] < 0.001
    assert row["low"] <= 7 <= row["high"]
    assert row["slope_below_low"] < 0.2 < row["slope_below_high"]
    assert row["slope_above_low"] < 1.2 < row["slope_above_high"]
    assert straight.threshold[["threshold", "low", "high", "slope_below", "slope_above", "bend"]].isna().all(axis=None)
    said = straight.sentences("en")[0].text
    assert said.startswith("No threshold can be told: a straight line describes “recommend” as well (p = ")
    assert straight.sentences("zh")[0].text.startswith("看不出拐点：")
    assert "threshold" not in [t.get_text().split()[0] for t in straight.plot(lang="en").get_legend().get_texts()]
    assert not straight.plot().patches
    mpl.pyplot.close("all")


def test_zones_add_up_and_move_with_their_cuts():
    found = link(frame(), cuts=(6, 9))
    zones = found.zones.set_index(["shift", "zone"])
    assert zones["share"].groupby(level=0).sum().to_numpy() == pytest.approx([1, 1, 1])
    df = frame()
    assert zones.loc[(0, "affection"), "share"] == pytest.approx(np.average(df["satisfaction"] >= 9, weights=df["w"]))
    assert zones.loc[(-1, "affection"), "share"] > zones.loc[(0, "affection"), "share"]
    inside = df[df["satisfaction"] < 7]
    assert zones.loc[(1, "defection"), "estimate"] == pytest.approx(
        np.average(inside["recommend"], weights=inside["w"])
    )


def test_groups_are_tested_against_each_other():
    df = frame(1200, turn=0.0)
    df["recommend"] += np.where(df["card"] == "gold", 0.3, 0.0) * df["satisfaction"]
    found = link(df, by="card")
    (row,) = found.differences.itertuples(index=False)
    assert row.low < 0.3 < row.high
    assert row.p_value == pytest.approx(found.equal)
    expected = cx.linear(cx.Survey.from_frame(df, weight="w"), "recommend", ["satisfaction*card"]).table
    crossed = expected[expected["term"].str.contains(":")].iloc[0]
    assert row.estimate == pytest.approx(-crossed["estimate"])
    assert row.se == pytest.approx(crossed["se"])
    assert "in gold than in plain" in found.sentences("en")[-1].text
    same = link(frame(1200, turn=0.0), by="card")
    assert same.sentences("en")[-1].text.startswith("No difference between the slopes of the groups can be told")


def test_covariates_are_held_equal():
    df = frame(turn=0.0)
    df["recommend"] += 0.1 * df["age"]
    row = link(df, covariates=["age", "card"]).threshold.iloc[0]
    plain = cx.linear(cx.Survey.from_frame(df, weight="w"), "recommend", ["satisfaction", "age", "card"]).table
    slope = plain.set_index("coefficient").loc["satisfaction"]
    assert [row["slope"], row["slope_low"], row["slope_high"]] == pytest.approx(
        [slope["estimate"], slope["low"], slope["high"]]
    )


def test_a_ceiling_is_named():
    df = frame(turn=0.0)
    df["recommend"] = np.clip(np.round(df["recommend"] + df["satisfaction"]), 0, 10)
    note = (
        "Above the threshold many give the highest answer there is: the flatter line may be the ceiling of the scale."
    )
    assert note in [n["en"] for n in link(df).notes]
    assert note not in [n["en"] for n in link(frame()).notes]


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda d: d.assign(recommend=7.0), {},
         "loyalty 'recommend' is 7 for all 900 respondents; there is nothing to explain."),
        (lambda d: d.assign(satisfaction=d["satisfaction"] % 4), {},
         "satisfaction 'satisfaction' has 4 different answers among 900 respondents; at least 5 are needed to tell a bend from "
         "a line: compare the groups of answers with cx.linear or cx.logit."),
        (lambda d: d.head(40), {},
         "satisfaction 'satisfaction' and loyalty 'recommend' are both answered by 40 respondents; at least 60 are needed to "
         "look for a bend: widen the filter, or take several waves together."),
        (lambda d: d, {"knots": [5, 12, 0]},
         "knots names 2 of 3 knots that are not between the answers 0 and 10 of 'satisfaction': 0, 12; name knots strictly inside, "
         "or leave knots out."),
        (lambda d: d, {"cuts": (9, 7)},
         "cuts is (9, 7); two answers in order above 0 and up to 10 are needed: the lowest of indifference and the lowest of "
         "affection, such as cuts=(7, 9)."),
        (lambda d: d, {"replicates": 10},
         "replicates is 10; the interval of the smooth curve needs at least 100, or 0 for none."),
        (lambda d: d, {"covariates": "age"}, "covariates is the text 'age'; pass a list, such as ['age']."),
        (lambda d: d, {"loyalty": "satisfaction"}, "'satisfaction' is the satisfaction itself; name another column."),
        (lambda d: d, {"loyalty": "recomend"},
         "loyalty names 1 column that is not in the survey: 'recomend' (did you mean 'recommend'?)."),
        (lambda d: d.assign(one=1), {"by": "one"}, "by: 'one' has 1 groups among the respondents; 2 to 40 can be compared."),
    ],
)  # fmt: skip
def test_faults_are_named(change, options, message):
    with pytest.raises(SurveyError) as caught:
        link(change(frame()), **options)
    assert str(caught.value) == message


def test_a_group_too_small_is_shown_without_a_threshold():
    df = frame()
    df.loc[:29, "card"] = "new"
    found = link(df, by="card")
    assert found.threshold.set_index("segment").loc["new", ["threshold", "p_value"]].isna().all()
    assert any("where no threshold is looked for: 1." in n["en"] for n in found.notes)
    assert any(s.text.startswith("new: 30 respondents are too few") for s in found.sentences("en"))
    found.plot(lang="zh")
    mpl.pyplot.close("all")


# ---------------------------------------------------------------------- the demo study
@pytest.fixture(scope="module")
def renewals():
    """The demo survey with renewals within 12 months; waves followed for less are missing."""
    survey = cx.open_study(DEMO).survey()
    bought = pd.read_csv(DEMO / "transactions.csv").query("kind == 'renewal'")
    keys = pd.MultiIndex.from_frame(bought[["customer_id", "visit_wave"]])
    own = pd.MultiIndex.from_arrays([survey.data["customer_id"], survey.data["wave"].astype(int)])
    renewed = np.where(survey.data["wave"] <= 21, own.isin(keys).astype(float), np.nan)
    return survey.with_columns(renewed=renewed)


@pytest.fixture(scope="module")
def truth():
    return json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["pseudo_true"]["knot"]


def test_the_planted_knot_lies_in_its_interval(renewals, truth):
    follow = renewals.where("card == 2 or card == 1 and payer == 1")
    found = cx.loyalty_link(follow, "satisfaction", "renewed", replicates=0)
    row, true = found.threshold.iloc[0], truth["both"]
    assert row["p_value"] < 0.001
    assert row["low"] <= true["knot"]["value"] <= row["high"]
    assert row["high"] - row["low"] <= 1.5
    for side in ("below", "above"):
        assert row[f"slope_{side}_low"] <= true[side]["value"] <= row[f"slope_{side}_high"]
    assert (found.formats["estimate"], found.binary) == (".0%", True)
    assert "multiplies the odds" in found.sentences("en")[0].text


def test_cards_differ_and_hostages_follow_nothing(renewals, truth):
    cards = cx.loyalty_link(renewals, "satisfaction", "renewed", by="card", replicates=0).threshold.set_index("segment")
    assert cards.loc[2, "low"] <= truth["gold"]["knot"]["value"] <= cards.loc[2, "high"]
    assert np.isnan(cards.loc[3, "threshold"])
    assert cards.loc[3, "slope_low"] <= truth["diamond"]["slope"]["value"] <= cards.loc[3, "slope_high"]
    hostages = cx.loyalty_link(renewals.where(card="ordinary", payer="corporate"), loyalty="renewed", replicates=0)
    row = hostages.threshold.iloc[0]
    assert np.isnan(row["threshold"])
    assert row["slope_low"] <= 0 <= row["slope_high"]
