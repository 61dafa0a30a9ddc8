"""Loyalty maps: shares by hand, cuts and their sensitivity, tests of the labels, and the hostages of the demo study."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.survey import Survey

DEMO = Path(__file__).parents[1] / "data" / "healthcheck"


def frame(count=900, *, held=0.0, seed=5):
    """Ratings that go together, a switching cost that is ``held`` higher for hostages, two groups, weights, clusters."""
    rng = np.random.default_rng(seed)
    x = np.clip(np.round(6.5 + 2 * rng.normal(size=count)), 0, 10)
    y = np.clip(np.round(2 + 0.7 * x + 1.5 * rng.normal(size=count)), 0, 10)
    hostage = (x < 7) & (y >= 7)
    return pd.DataFrame({
        "satisfaction": x, "recommend": y, "switching_cost": 5 + held * hostage + rng.normal(0, 1.5, count),
        "card": rng.choice(["gold", "plain"], count), "w": rng.uniform(0.5, 2, count), "unit": rng.integers(0, 200, count),
    })  # fmt: skip


def survey_of(df, **scales):
    survey = Survey.from_frame(df, weight="w", psu="unit")
    ends = {"satisfaction": (0, 10), "recommend": (0, 10), "switching_cost": (0, 10), **scales}
    items = [Item(n, scale=e, kind="number") for n, e in ends.items() if n in df]
    return Survey(survey.data, survey.codebook.with_items(*items), design=survey.design)


def found(df, **options):
    return cx.loyalty_map(survey_of(df), **options)


def test_shares_and_costs_are_weighted_shares_and_means_by_hand():
    df = frame()
    result = found(df, cuts=(7, 9))
    kind = np.select(
        [(df["satisfaction"] >= 7) & (df["recommend"] >= 9), df["recommend"] >= 9, df["satisfaction"] >= 7],
        ["loyalist", "hostage", "mercenary"], "defector",
    )  # fmt: skip
    table, costs = result.table.set_index("type"), result.costs.set_index("type")
    for name in ("loyalist", "hostage", "mercenary", "defector"):
        inside = kind == name
        assert table.loc[name, "estimate"] == pytest.approx(np.average(inside, weights=df["w"]))
        assert table.loc[name, "count"] == inside.sum()
        assert costs.loc[name, "estimate"] == pytest.approx(
            np.average(df["switching_cost"][inside], weights=df["w"][inside])
        )
    assert table["estimate"].sum() == pytest.approx(1)
    survey = survey_of(df.assign(kind=kind))
    plain = cx.proportions(survey, "kind").table.set_index("code").loc[table.index]
    for column in ("estimate", "se", "low", "high", "base"):
        assert table[column].to_numpy() == pytest.approx(plain[column].to_numpy()), column
    means = cx.means(survey, "switching_cost", by="kind").table.set_index("segment").loc[costs.index]
    for column in ("se", "low", "high", "base_effective"):
        assert costs[column].to_numpy() == pytest.approx(means[column].to_numpy()), column


def test_differences_are_those_of_a_regression_on_indicators():
    df = frame(held=0.6)
    df["kind"] = np.select(
        [(df["satisfaction"] >= 7) & (df["recommend"] >= 7), df["recommend"] >= 7, df["satisfaction"] >= 7],
        ["b", "a", "d"], "c",
    )  # fmt: skip
    tests = found(df).tests.set_index("other")
    model = cx.linear(survey_of(df), "switching_cost", ["kind"]).table.set_index("coefficient")
    for name, code in (("loyalist", "b"), ("defector", "c"), ("mercenary", "d")):
        row = model.loc[next(i for i in model.index if i.endswith(code))]
        assert tests.loc[name, "estimate"] == pytest.approx(-row["estimate"])
        assert tests.loc[name, "se"] == pytest.approx(row["se"])


def test_the_label_is_borne_out_contradicted_or_open():
    held, none, few = found(frame(held=1.5)), found(frame(4000)), found(frame(420, seed=10))
    said = [r.sentences("en")[2].text for r in (held, none, few)]
    assert held.tests["verdict"].tolist() == ["held", "", ""]
    assert said[0].startswith("Hostages find “switching_cost” ")
    assert said[0].endswith("(p < .001): the label is borne out.")
    assert none.tests["verdict"].iloc[0] == "contradicted"
    assert said[1].startswith("The data contradict the label: hostages do not find “switching_cost” higher")
    assert none.sentences("zh")[2].text.startswith("数据与“囚徒”之名相悖")
    assert few.tests["verdict"].iloc[0] == "open"
    assert said[2].startswith("Whether hostages find “switching_cost” higher")
    slight = found(frame(6000, held=0.3), margin=1.0)
    assert slight.tests["verdict"].iloc[0] == "slightly"
    assert "less than the 1 that would matter: the label is hardly borne out." in slight.sentences("en")[2].text


def test_moved_cuts_are_maps_of_their_own():
    df = frame(held=1.0)
    result = found(df)
    cuts = result.moved[["satisfaction_cut", "loyalty_cut"]].drop_duplicates().to_numpy().tolist()
    assert cuts == [[7, 7], [6, 7], [8, 7], [7, 6], [7, 8]]
    for at in cuts:
        own = found(df, cuts=tuple(at))
        rows = result.moved[(result.moved["satisfaction_cut"] == at[0]) & (result.moved["loyalty_cut"] == at[1])]
        assert rows["estimate"].tolist() == pytest.approx(own.table["estimate"].tolist())
        assert rows["surplus"].dropna().tolist() == pytest.approx(own.tests["estimate"].tolist()[:1])
    at_end = found(df, cuts=(10, 7)).moved["satisfaction_cut"]
    assert set(at_end) == {9, 10}  # 11 is off the scale


def test_an_outcome_of_0_and_1_is_cut_at_1_and_only_satisfaction_is_moved():
    df = frame()
    df["renewed"] = (df["recommend"] >= 7).astype(float)
    result = found(df, loyalty="renewed")
    assert result.table["estimate"].tolist() == pytest.approx(found(df).table["estimate"].tolist())
    assert set(result.moved["loyalty_cut"]) == {1.0}
    assert "“renewed” = 1." in result.sentences("en")[0].text
    assert not any("what customers say" in n["en"] for n in result.notes)
    assert any("“recommend” is what customers say" in n["en"] for n in found(df).notes)


def test_where_less_is_better_the_cut_turns():
    df = frame()
    df["anger"] = 10 - df["satisfaction"]
    survey = survey_of(df, anger=(0, 10))
    turned = survey.codebook.with_items(Item("anger", scale=(0, 10), higher_is_better=False, kind="number"))
    survey = Survey(survey.data, turned, design=survey.design)
    result = cx.loyalty_map(survey, "anger")
    assert (result.at, result.loyal_at) == ("≤ 3", "≥ 7")
    assert result.table["estimate"].tolist() == pytest.approx(found(df).table["estimate"].tolist())
    panel = result.plot().child_axes[0]
    placed = {t.get_text().split()[0]: t.xy for t in panel.texts}
    assert placed["Loyalists"] == (0.0, 1.0)
    mpl.pyplot.close("all")


def test_groups_are_compared_as_shares_of_segments_are():
    df = frame(1500)
    df.loc[df["card"] == "gold", "satisfaction"] = np.maximum(df["satisfaction"] - 2, 0)
    df["held"] = ((df["satisfaction"] < 7) & (df["recommend"] >= 7)).astype(float)
    result = found(df, by="card")
    rows = result.differences.set_index("type")
    plain = cx.linear(survey_of(df), "held", ["card"]).table
    gap = plain[plain["term"] == "card"].iloc[0]
    assert rows.loc["hostage", "estimate"] == pytest.approx(-gap["estimate"])
    assert rows.loc["hostage", "se"] == pytest.approx(gap["se"])
    loyal = df["recommend"] >= 7
    for code in ("gold", "plain"):
        own = result.pull.set_index("segment").loc[code]
        inside = (df["card"] == code) & (df["satisfaction"] < 7)
        assert own["dissatisfied"] == pytest.approx(np.average(loyal[inside], weights=df["w"][inside]))
    assert rows.loc["pull", "estimate"] == pytest.approx(-np.diff(result.pull["estimate"])[0])
    family = [n["en"] for n in result.notes if "Groups against each other" in n["en"]]
    assert "Holm over 5 comparisons" in family[0]
    assert (rows["p_value"] >= rows["p_raw"]).all()
    assert any(s.text.startswith("Hostages are a larger part of gold than of plain") for s in result.sentences("en"))
    assert any(s.text.startswith("gold中囚徒型的占比高于plain") for s in result.sentences("zh"))


def test_groups_that_are_alike_are_called_so():
    result = found(frame(800, seed=11), by="card")
    assert result.sentences("en")[-1].text.startswith("No difference between the groups in the share of hostages")
    assert result.alike > 0.05


@pytest.mark.slow
def test_alike_groups_are_told_apart_in_few_surveys():
    any_false = low = 0
    for seed in range(300):
        result = found(frame(400, seed=seed), by="card")
        any_false += bool((result.differences["p_value"] < 0.05).any())
        low += result.alike < 0.05
    print(f"any false difference {any_false / 300:.3f}, Rao-Scott {low / 300:.3f}")
    assert any_false <= 25
    assert 5 <= low <= 27


def test_without_switching_cost_the_map_stands_and_says_so():
    result = found(frame().drop(columns="switching_cost"))
    assert (result.switching_cost, len(result.costs), len(result.tests)) == (None, 0, 0)
    assert "The survey has no switching cost; whether hostages are held by it cannot be looked at." in [
        n["en"] for n in result.notes
    ]
    assert len(result.plot().child_axes) == 1
    assert found(frame(), switching_cost=None).switching_cost is None
    mpl.pyplot.close("all")


def test_a_group_too_small_is_masked():
    df = frame()
    df.loc[:14, "card"] = "new"
    result = found(df, by="card")
    assert "new: the base (15) is too small for shares." in [s.text for s in result.sentences("en")]
    assert not any("new" in s.text for s in result.sentences("en")[3:])
    panel = result.plot(lang="zh").child_axes[0]
    assert "样本不足（样本量 15）" in [t.get_text() for t in panel.texts]
    mpl.pyplot.close("all")


def test_who_left_is_counted_with_the_reason():
    df = frame()
    survey = survey_of(df)
    data = survey.data.copy()
    data.loc[:19, "recommend"] = np.nan
    data.loc[:4, "card"] = None
    reasons = pd.DataFrame({"recommend": np.where(np.arange(len(df)) < 12, 99.0, np.nan)})
    item = Item("recommend", scale=(0, 10), missing={99.0: "refused"}, kind="number")
    survey = Survey(data, survey.codebook.with_items(item), design=survey.design, missing_reasons=reasons)
    result = cx.loyalty_map(survey, by="card")
    notes = [n["en"] for n in result.notes]
    assert any(n.startswith("20 respondents (") for n in notes)
    assert "Why “recommend” is missing: refused 12." in notes
    assert "“recommend”缺失的原因：拒答 12。" in [n["zh"] for n in result.notes]
    assert any(n.startswith("5 respondents (") and "no group" in n for n in notes)
    assert result.table["base"].max() + result.table["base"].min() == 880


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda d: d, {"cuts": 7},
         "cuts is 7; give two, of satisfaction and of loyalty, such as cuts=(7, 9); None for the usual one."),
        (lambda d: d, {"cuts": (7, 11)},
         "cuts: 11 for loyalty 'recommend' leaves no answer on one side; the worst answer that still counts as high lies above 0 and "
         "up to 10."),
        (lambda d: d.assign(satisfaction=8.0), {},
         "satisfaction 'satisfaction' is high (≥ 7) for all 900 respondents; move its cut, or name another column."),
        (lambda d: d.assign(recommend=3.0), {},
         "loyalty 'recommend' is low (not ≥ 7) for all 900 respondents; move its cut, or name another column."),
        (lambda d: d, {"loyalty": "satisfaction"}, "'satisfaction' is the satisfaction itself; name another column."),
        (lambda d: d, {"switching_cost": "switch"},
         "switching_cost names 1 column that is not in the survey: 'switch' (did you mean 'switching_cost'?)."),
        (lambda d: d.assign(switching_cost=np.nan), {},
         "switching_cost 'switching_cost' is missing for all 900 respondents; name another column, or None."),
        (lambda d: d, {"margin": 0}, "margin is 0; the difference of switching cost that matters is above 0."),
        (lambda d: d.assign(one=1), {"by": "one"}, "by: 'one' has 1 groups among the respondents; 2 to 40 can be compared."),
    ],
)  # fmt: skip
def test_faults_are_named(change, options, message):
    with pytest.raises(SurveyError) as caught:
        found(change(frame()), **options)
    assert str(caught.value) == message


# ---------------------------------------------------------------------- the demo study
@pytest.fixture(scope="module")
def demo():
    return cx.open_study(DEMO).survey()


@pytest.fixture(scope="module")
def truth():
    return json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["pseudo_true"]


def near(estimate, se, true):
    return abs(estimate - true["value"]) <= 4.1 * np.sqrt(se**2 + true["se"] ** 2)


def test_the_hostages_of_the_demo_are_the_corporate_payers_of_ordinary_cards(demo, truth):
    result = cx.loyalty_map(demo.where(card="ordinary"), loyalty="renewed", by="payer")
    share = result.table.set_index(["segment", "type"])["estimate"]
    assert share[2, "hostage"] > share[1, "hostage"]
    gap = result.differences.set_index("type")
    assert gap.loc["hostage", "p_value"] < 0.01
    pull = result.pull.set_index("segment")
    corporate, own = pull.loc[2], pull.loc[1]
    assert corporate["low"] < 0 < corporate["high"]
    for side in ("satisfied", "dissatisfied"):  # .81 whatever their satisfaction
        assert corporate[side] == pytest.approx(truth["renewal"]["hostages"]["value"], abs=0.045)
    assert own["low"] > 0.05
    assert gap.loc["pull", "p_value"] < 0.001
    (harder,) = result.harder.itertuples(index=False)
    assert harder.high < -1.5  # self-paying minus corporate; two points are planted, style and rounding take a little
    said = [s.text for s in result.sentences("en")]
    assert any(t.startswith("corporate: loyalty is not seen to follow satisfaction") for t in said)
    assert any(t.startswith("Satisfaction moves loyalty less in corporate than in self-paying") for t in said)
    assert any(
        t.startswith("Hostages of corporate find “How hard it would be to change the provider” 1.") for t in said
    )
    # within either group leaving is as hard for those who left: the cost holds the group, not some of its members
    assert sum("it holds the group" in t for t in said) == 2


def test_renewals_of_corporate_payers_are_flat_in_satisfaction(demo, truth):
    link = cx.loyalty_link(demo.where(card="ordinary"), loyalty="renewed", by="payer", replicates=0)
    rows = link.threshold.set_index("segment")
    assert rows.loc[2, "slope_low"] <= 0 <= rows.loc[2, "slope_high"]
    assert np.isnan(rows.loc[2, "threshold"])
    half = (rows.loc[2, "slope_high"] - rows.loc[2, "slope_low"]) / 3.92
    assert near(rows.loc[2, "slope"], half, truth["knot"]["hostages"]["slope"])
    (gap,) = link.differences.itertuples(index=False)
    assert gap.low > 0  # self-paying minus corporate
    assert gap.p_value < 0.001


def test_all_of_the_demo_and_both_pictures(demo):
    stated, done = cx.loyalty_map(demo), cx.loyalty_map(demo, loyalty="renewed")
    assert any("2025-10, 2025-11, 2025-12" in n["en"] and "1,200" in n["en"] for n in done.notes)
    assert any("2025-10、2025-11、2025-12" in n["zh"] for n in done.notes)
    for result in (stated, done, cx.loyalty_map(demo, loyalty="renewed", by="card")):
        for lang in ("en", "zh"):
            assert len(result.plot(lang=lang).child_axes) == 2
            assert all("{" not in s.text for s in result.sentences(lang))
    bubbles = stated.plot().child_axes[0].collections[0].get_offsets()
    assert bubbles[:, 1].max() == 10  # an 11 that the file holds is off the scale
    mpl.pyplot.close("all")
    assert set(done.further()) == {"costs", "tests", "pull", "moved"}
    assert done.further()["pull"].shown("en").iloc[0, 2].endswith(" pp")


def test_titles_say_how_many_are_hostages():
    df = frame()
    alone, by = found(df), found(df, by="card")
    share = alone.table.set_index("type")["estimate"]["hostage"]
    assert alone.headline("en").text == f"{share:.0%} are loyal although they are not satisfied (hostages)"
    hostages = by.table[by.table["type"] == "hostage"].sort_values("estimate", ascending=False)
    listed = ", ".join(f"{c} {e:.0%}" for c, e in zip(hostages["segment"], hostages["estimate"], strict=True))
    assert by.headline("en").text == f"Loyal although not satisfied (hostages): {listed}"
    assert by.headline("zh").facts.keys() == by.headline("en").facts.keys()
