"""Loyalty links: curve against plain means, thresholds, zones, words, faults, and the planted truth of the demo study."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.design import Design
from cxlab.errors import SurveyError
from cxlab.loyalty._effects import line_effect
from cxlab.loyalty._threshold import Pairs

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
    away = (found["smooth"] - found["estimate"]).abs() / found["se"]
    assert away.max() < 2.5  # the planted curve is monotone, so the spline follows its means


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
    for lang, word in (("en", "threshold"), ("zh", "拐点")):
        drawn = straight.plot(lang=lang)
        assert not any(word in t.get_text() for t in drawn.get_legend().get_texts())
        assert not [p for p in drawn.patches if p.get_gid() == "band"]
        assert [x for x in (line.get_gid() for line in drawn.lines) if x] == ["line"]
    assert [p for p in bent.plot().patches if p.get_gid() == "band"]
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


def two_places(knots, count=1600, seed=2):
    rng = np.random.default_rng(seed)
    df = frame(count, turn=0.0, seed=seed)
    at = np.where(df["card"] == "gold", *knots)
    return df.assign(
        recommend=2 + 0.2 * df["satisfaction"] + 1.2 * np.maximum(df["satisfaction"] - at, 0) + rng.normal(0, 1, count)
    )


def test_thresholds_of_groups_are_compared():
    apart = link(two_places((4, 8)), by="card")
    (row,) = apart.threshold_differences.itertuples(index=False)
    assert row.low < -4 < row.high < -2.5
    assert row.p_value < 0.001
    assert row.p_value == pytest.approx(apart.equal_thresholds)
    assert apart.sentences("en")[-1].text.startswith("The threshold of plain lies ")
    assert "above that of gold" in apart.sentences("en")[-1].text
    assert apart.sentences("zh")[-1].text.startswith("plain的拐点比gold高 ")
    same = link(two_places((7, 7)), by="card")
    (row,) = same.threshold_differences.itertuples(index=False)
    assert row.low <= 0 < row.high < 1
    assert same.equal_thresholds > 0.05
    assert same.sentences("en")[-1].text.startswith("Whether the thresholds of gold and plain differ cannot be told")
    none = link(frame(1200, turn=0.0), by="card")  # lines without a bend have no threshold that could differ
    assert none.threshold_differences.empty
    assert np.isnan(none.equal_thresholds)


def test_zones_of_groups_are_said_tested_and_drawn():
    df = frame(1500)
    df.loc[df["card"] == "gold", "satisfaction"] = np.maximum(df["satisfaction"] - 2, 0)
    found = link(df, by="card")
    said = [s for s in found.sentences("en") if "zone of defection" in s.text]
    assert [s.text.split(":")[0] for s in said] == ["gold", "plain"]
    gold = df[df["card"] == "gold"]
    assert said[0].facts["defection"] == pytest.approx(np.average(gold["satisfaction"] < 7, weights=gold["w"]))
    assert found.equal_zones < 0.001
    plain = cx.Survey.from_frame(df.assign(zone=np.digitize(df["satisfaction"], [7, 9])), weight="w")
    from cxlab.significance import chi_square

    assert found.equal_zones == pytest.approx(chi_square(plain, "zone", "card").p_value)
    for lang, words in (("en", "defection (< 7)"), ("zh", "背离区 (< 7)")):
        ax = found.plot_zones(lang=lang)
        assert ax.get_legend().get_texts()[0].get_text() == words
        thick = [p for p in ax.patches if p.get_height() == 0.44]
        assert [p.get_width() for p in thick[:3]] == pytest.approx(
            [said[0].facts[z] for z in ("defection", "indifference", "affection")]
        )
        assert len(ax.patches) == 2 * 9
    mpl.pyplot.close("all")


def test_every_group_has_a_panel_with_its_own_band_and_base():
    df = frame(1500)
    df["card"] = np.random.default_rng(1).choice(["gold", "plain", "new"], len(df))
    df.loc[df["card"] == "plain", "recommend"] = (
        2 + 0.2 * df["satisfaction"] + np.random.default_rng(4).normal(0, 1, len(df))
    )
    found = link(df, by="card", replicates=100)
    for lang in ("en", "zh"):
        panels = found.plot(lang=lang).child_axes
        assert len(panels) == 3
        bands = [any(p.get_gid() == "band" for p in a.patches) for a in panels]
        assert bands == found.threshold["threshold"].notna().tolist()
        assert len({a.get_ylim() for a in panels}) == 1
        assert all("(base " in a.get_title(loc="left") or "样本量" in a.get_title(loc="left") for a in panels)
        assert all(sum(p.get_gid() == "base" for p in a.patches) == 11 for a in panels)
    mpl.pyplot.close("all")


def test_effects_of_a_behaviour_are_average_differences_of_its_share():
    rng = np.random.default_rng(6)
    df = frame(4000, turn=0.0)
    chance = 1 / (1 + np.exp(3 - 0.15 * df["satisfaction"] - 1.2 * np.maximum(df["satisfaction"] - 7, 0)))
    df["renewed"] = (rng.random(len(df)) < chance).astype(float)
    row = link(df, loyalty="renewed").threshold.iloc[0]
    x, w, knot = df["satisfaction"].to_numpy(), df["w"].to_numpy(), row["threshold"]

    def share(at):
        return 1 / (1 + np.exp(-(row["intercept"] + row["slope_below"] * at + row["bend"] * np.maximum(at - knot, 0))))

    for side, inside, slope in (("below", x <= knot, row["slope_below"]), ("above", x > knot, row["slope_above"])):
        p = share(x[inside])
        assert row[f"effect_{side}"] == pytest.approx(slope * np.average(p * (1 - p), weights=w[inside]))
        assert row[f"effect_{side}_low"] < row[f"effect_{side}"] < row[f"effect_{side}_high"]
    said = link(df, loyalty="renewed").sentences("en")[0]
    assert said.facts["above"] == pytest.approx(row["effect_above"])
    assert "percentage points" in said.text
    straight = cx.logit(cx.Survey.from_frame(df, weight="w"), "renewed", ["satisfaction"]).table.set_index(
        "coefficient"
    )
    b = straight["estimate"]
    p = 1 / (1 + np.exp(-(b.iloc[0] + b["satisfaction"] * x)))
    assert row["effect"] == pytest.approx(b["satisfaction"] * np.average(p * (1 - p), weights=w))


def test_the_interval_of_an_effect_is_as_wide_as_replicates_make_it():
    df = frame(900, turn=0.0)
    rng = np.random.default_rng(8)
    df["renewed"] = (rng.random(len(df)) < 1 / (1 + np.exp(2 - 0.4 * df["satisfaction"]))).astype(float)
    row = link(df, loyalty="renewed").threshold.iloc[0]
    design = Design(np.ones(len(df)), np.arange(len(df)), np.zeros(len(df), int), np.zeros(1), ("all",))
    again = []
    for _ in range(300):
        d = df.iloc[rng.integers(0, len(df), len(df))]
        once = Design(d["w"].to_numpy(), design.psu, design.stratum, design.fraction, design.names)
        x, y = d["satisfaction"].to_numpy(), d["renewed"].to_numpy()
        again.append(line_effect(Pairs(x, y, np.zeros((len(d), 0)), np.arange(len(d)), once, True), 0.95)[0])
    assert (row["effect_high"] - row["effect_low"]) / 3.92 == pytest.approx(np.std(again), rel=0.12)


def test_intentions_are_called_so_and_unfollowed_waves_are_counted():
    df = frame(900)
    df["wave"] = np.repeat([1.0, 2.0, 3.0], 300)
    df["renewed"] = np.where(df["wave"] < 3, (df["recommend"] > 4).astype(float), np.nan)
    survey = cx.Survey.from_frame(df, weight="w")
    from cxlab.items import Item
    from cxlab.survey import Roles, Survey

    items = survey.codebook.with_items(Item("recommend", scale=(0, 10), kind="number"))
    survey = Survey(survey.data, items, Roles(wave="wave"), survey.design)
    said, done = (cx.loyalty_link(survey, loyalty=name, replicates=0) for name in ("recommend", "renewed"))
    assert any("“recommend” is what customers say, not what they do" in n["en"] for n in said.notes)
    assert any("“recommend”是顾客的意向而非实际行为" in n["zh"] for n in said.notes)
    assert not any("what customers say" in n["en"] for n in done.notes)
    assert any(n["en"].startswith("“renewed” is not known of any of the 300 respondents of 3,") for n in done.notes)
    assert done.base.respondents == 600


# ---------------------------------------------------------------------- the demo study
@pytest.fixture(scope="module")
def renewals():
    """The demo survey; whether waves followed for less than 12 months renewed is missing."""
    return cx.open_study(DEMO).survey()


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
    assert "percentage points" in found.sentences("en")[0].text


@pytest.mark.parametrize("name", ["ordinary_self_paying", "gold"])
def test_the_knots_of_renewals_are_the_pseudo_true_ones(renewals, truth, name):
    follow = renewals.where("card == 1 and payer == 1" if name == "ordinary_self_paying" else "card == 2")
    row, true = cx.loyalty_link(follow, loyalty="renewed", replicates=0).threshold.iloc[0], truth[name]
    assert row["p_value"] < 0.01
    assert row["low"] <= true["knot"]["value"] <= row["high"]
    assert abs(row["threshold"] - true["knot"]["value"]) <= 4.1 * np.hypot(
        true["knot"]["se_survey"], true["knot"]["se"]
    )
    for side in ("below", "above"):
        assert row[f"slope_{side}_low"] <= true[side]["value"] <= row[f"slope_{side}_high"]
        assert abs(row[f"slope_{side}"] - true[side]["value"]) <= 4.1 * np.hypot(
            true[side]["se_survey"], true[side]["se"]
        )


def test_renewals_by_card_draw_no_threshold_for_diamond(renewals):
    found = cx.loyalty_link(renewals, loyalty="renewed", by="card", replicates=0)
    assert found.threshold["threshold"].notna().tolist() == [True, True, False]
    (row,) = found.threshold_differences.itertuples(index=False)  # one knot is planted for both
    assert (row.segment, row.other) == (1, 2)
    assert row.low < 0 < row.high
    for lang, none in (("en", "no threshold ("), ("zh", "无拐点（")):
        panel = found.plot(lang=lang).child_axes[2]
        assert none in panel.get_title(loc="left")
        assert not [p for p in panel.patches if p.get_gid() == "band"]
    mpl.pyplot.close("all")


@pytest.mark.slow
def test_over_simulated_studies_diamond_gets_a_threshold_rarely_and_the_others_often():
    false = found = covered = 0
    truth = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["pseudo_true"]["knot"]
    for seed in range(101, 141):
        answers = cx.simulate_healthcheck(seed=seed).answers()
        survey = cx.Survey.from_frame(answers, weight="weight", stratum="card", psu="customer_id")
        diamond = cx.loyalty_link(survey.where("card == 3"), loyalty="renewed", replicates=0).threshold.iloc[0]
        both = cx.loyalty_link(
            survey.where("card == 2 or card == 1 and payer == 1"), loyalty="renewed", replicates=0
        ).threshold.iloc[0]
        false += diamond["p_value"] < 0.05
        found += both["p_value"] < 0.05
        covered += both["low"] <= truth["both"]["knot"]["value"] <= both["high"]
    print(f"diamond {false} of 40, both {found} of 40, knot covered {covered}")
    assert false <= 6
    assert found >= 38
    assert covered >= 36


def test_cards_differ_and_hostages_follow_nothing(renewals, truth):
    cards = cx.loyalty_link(renewals, "satisfaction", "renewed", by="card", replicates=0).threshold.set_index("segment")
    assert cards.loc[2, "low"] <= truth["gold"]["knot"]["value"] <= cards.loc[2, "high"]
    assert np.isnan(cards.loc[3, "threshold"])
    true = truth["diamond"]["slope"]
    se = (cards.loc[3, "slope_high"] - cards.loc[3, "slope_low"]) / 3.92
    assert abs(cards.loc[3, "slope"] - true["value"]) <= 4.1 * np.hypot(se, true["se"])
    hostages = cx.loyalty_link(renewals.where(card="ordinary", payer="corporate"), loyalty="renewed", replicates=0)
    row = hostages.threshold.iloc[0]
    assert np.isnan(row["threshold"])
    assert row["slope_low"] <= 0 <= row["slope_high"]


@pytest.mark.parametrize(("bend", "kind"), [(1.0, "larger"), (-0.4, "smaller"), (0.0, None)])
def test_titles_say_whether_there_is_a_threshold(bend, kind):
    rng = np.random.default_rng(3)
    x = rng.integers(0, 11, 1500).astype(float)
    y = 2 + 0.5 * x + bend * np.maximum(x - 7, 0) + rng.normal(0, 1, 1500)
    df = pd.DataFrame({"satisfaction": x, "recommend": y, "g": rng.integers(1, 3, 1500)})
    alone = cx.loyalty_link(cx.Survey.from_frame(df), replicates=0)
    by = cx.loyalty_link(cx.Survey.from_frame(df), by="g", replicates=0)
    if kind is None:
        assert alone.headline("en").text == "No threshold can be told in how recommend goes with satisfaction"
        assert by.headline("en").text == "No threshold of satisfaction for recommend can be told in any of 2 groups"
    else:
        row = alone.threshold.iloc[0]
        assert alone.headline("en").text == (
            f"From {row['threshold']:.4g} ({row['low']:.4g} to {row['high']:.4g}) on, a point of satisfaction goes with a {kind} change "
            "of recommend"
        )
        assert by.headline("en").text.startswith("Threshold of satisfaction for recommend in 2 of 2 groups: 1 ")
    assert by.headline("zh").facts.keys() == by.headline("en").facts.keys()
