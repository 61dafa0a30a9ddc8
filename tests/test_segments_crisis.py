"""Hidden crisis: planted facts, hand-worked cases, the design, false alarms, bad input."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.contrasts import benjamini_hochberg, holm
from cxlab.design import resolve
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.segments import hidden_crisis
from cxlab.segments._crisis_facts import pool
from cxlab.survey import Roles, Survey

FOLDER = Path(__file__).parent.parent / "data" / "healthcheck"
GOLD = {("parking", "level"), ("changing", "level"), ("reception", "level"), ("satisfaction", "trend")}
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")


@pytest.fixture(scope="module")
def survey():
    return cx.open_study(FOLDER / "study.yml").survey()


@pytest.fixture(scope="module")
def result(survey):
    return hidden_crisis(survey, "card", revenue={"ordinary": 600, "金卡": 2200, 3: 4500})


def small(seed=1, base=600, shift=-1.0, **columns):
    """Three waves, two segments of unequal size, one item that segment 2 loses in the last wave."""
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({"wave": np.tile([1, 2, 3], base // 3), "card": np.repeat([1, 2], [3 * base // 4, base // 4])})
    df["queue"] = rng.normal(7, 1, base) + shift * ((df["card"] == 2) & (df["wave"] == 3))
    df["weight"] = rng.uniform(0.5, 2, base)
    return df.assign(**columns)


def with_roles(df, outcomes=None, **design):
    made = Survey.from_frame(df, **design)
    book = made.codebook.with_items(*(Item(c, scale=(0, 10), higher_is_better=c != "effort") for c in df.columns))
    roles = Roles(wave="wave" if "wave" in df else None, drivers={"value": ("queue",)}, outcomes=outcomes or {})
    return Survey(made.data, book, roles, made.design)


# ---------------------------------------------------------------------- the demo study
def test_gold_is_found_and_nothing_else(result):
    causes = result.causes
    assert set(zip(causes["item"], causes["kind"], strict=True)) == GOLD
    assert set(causes["segment"]) == {2.0}
    assert (causes["p_holm"] < 1e-6).all()
    hidden = result.hidden
    assert set(hidden["segment"]) == {2.0}
    after = hidden[hidden["role"] == "consequence"]
    assert set(after["item"]) == {"satisfaction", "recommend", "trust", "repurchase"}
    assert set(after.loc[after["kind"] == "trend", "cause"]) == {"satisfaction"}
    assert set(after.loc[after["item"] == "satisfaction", "kind"]) == {"level"}


def test_estimates_are_those_of_the_truth(result):
    row = result.table.set_index(["segment", "item", "kind"]).loc[(2.0, "changing", "level")]
    # pseudo-true means 5.6525 (gold), 6.7743 (ordinary), 7.6787 (diamond), weights .7 : .08
    assert row["estimate"] == pytest.approx(5.6525 - (0.7 * 6.7743 + 0.08 * 7.6787) / 0.78, abs=4.1 * row["se"])
    assert row["masking"] == pytest.approx(0.78, abs=0.02)
    assert row["value"] - row["rest"] == pytest.approx(row["estimate"])


def test_published_periods_give_the_published_trends(survey):
    found = hidden_crisis(survey, "card", ["satisfaction"], waves=(range(1, 11), range(20, 25)))
    trend = found.table[found.table["kind"] == "trend"].set_index("segment")
    assert trend["value"].sort_index().to_numpy() == pytest.approx([0.232, -0.694, -0.010], abs=0.12)
    assert trend["total"].iloc[0] == pytest.approx(0, abs=0.06)
    assert sorted(found.causes["kind"]) == ["level", "trend"]


def test_at_risk_and_sentences(result):
    stake = result.at_risk.set_index("segment")
    assert stake["revenue"].to_numpy() == pytest.approx([0.332, 0.383, 0.285], abs=0.004)
    assert stake[["customers", "revenue"]].sum().to_numpy() == pytest.approx([1, 1])
    said = result.sentences("en")
    assert said[0].text == (
        "Gold: changing room is 1.20 points below all others (95% 1.11 to 1.28, Holm p < .001); the total moved by "
        "+0.01 (90% −0.06 to +0.08, inside ±0.25) and hides 78% of it."
    )
    assert said[-1].text == "Gold: 22% of the customers and 38% of the revenue (95% 38% to 39%) are at risk."
    assert len(said) == len(result.sentences("zh")) == 8
    assert [s.text.partition(" (")[0] for s in said[4:7]] == [
        "Consequences for gold of changing room, parking and reception: overall satisfaction",
        "Consequences for gold of changing room, parking, reception and the trend of overall satisfaction: trust in the clinic",
        "Consequences for gold of the trend of overall satisfaction: recommendation",
    ]
    assert said[4].text.endswith(": overall satisfaction (level −0.74).")
    gathered = {
        (i, k) for _, rows in result.consequences_of(2.0) for i, k in zip(rows["item"], rows["kind"], strict=True)
    }
    hidden = result.hidden[result.hidden["role"] == "consequence"]
    assert gathered == set(zip(hidden["item"], hidden["kind"], strict=True))
    assert result.shown("zh", ["item", "cause"]).iloc[4].tolist() == ["总体满意度", "更衣"]
    assert "差距的 78% 被总体掩盖" in result.sentences("zh")[0].text


def test_what_is_shown_holds_causes_consequences_stakes_and_split(result):
    """Everything a crisis is made of stands beneath the hidden facts, and only theirs."""
    below = result.further()
    assert list(below) == ["consequences", "at_risk", "split"]
    assert set(below["at_risk"].table["segment"]) == {2.0}
    assert below["at_risk"].shown("en")[["Customers", "Revenue"]].to_numpy().tolist() == [["22.0%", "38.3%"]]
    shown = below["consequences"].shown("en")
    assert shown["Item"].tolist()[:2] == ["Overall satisfaction", "Trust in the clinic"]
    assert shown["Follows from"].iloc[0] == "changing room, parking and reception"
    assert below["consequences"].shown("zh")["源于"].iloc[-1] == "“总体满意度的趋势”"
    assert set(below["split"].table["item"]) == set(result.hidden["item"])
    assert len(below["split"].shown("zh").columns) == len(below["split"].table.columns)
    page = result._repr_html_()
    assert page.count("<tbody>") == 4
    assert page.count("<td>gold</td>") == len(result.hidden) + 7 + 1 + result.hidden["item"].nunique()
    assert all(text in page for text in ("Masking", "78%", "Consequences under their causes", "Within", "Mix"))


def test_gender_hides_nothing_and_the_answer_says_what_it_could_have_found(survey):
    found = hidden_crisis(survey, "gender")
    assert found.hidden.empty
    assert found.by_wave.empty
    size = (found.table["detectable"] / found.table["delta"]).median()
    assert found.sentences("en")[0].facts == {"tests": 84, "size": pytest.approx(size)}
    assert found.plot().get_title(loc="left") == found.label(found.table["item"].iloc[0], "en")


# ---------------------------------------------------------------------- numbers
def test_a_level_is_the_comparison_with_the_rest(survey):
    mine = hidden_crisis(survey, "card", ["reception"]).table.query("kind == 'level'").sort_values("segment")
    other = cx.against_rest(survey, ["reception"], "card").table
    for column in ("estimate", "se", "low", "high", "p_raw", "detectable"):
        np.testing.assert_allclose(mine[column], other[column], rtol=1e-9)


@pytest.mark.parametrize("line", [False, True])
def test_a_trend_is_a_difference_of_differences_with_its_design_variance(line):
    df = small()
    df["id"] = np.arange(len(df)) // 3  # the same people in all three waves: changes are within persons
    df["queue"] += np.repeat(np.random.default_rng(5).normal(0, 2, len(df) // 3), 3)
    df["weight"] = np.repeat(np.random.default_rng(3).uniform(0.5, 2, len(df) // 3), 3)
    df = df[(df["wave"] != 2) | (df["id"] % 3 == 0)].reset_index(drop=True)  # waves of unequal size
    waves = None if line else ([1], [3])
    y, w, card, wave = (df[c].to_numpy() for c in ("queue", "weight", "card", "wave"))

    def change(c, weights):
        if line:  # weighted least squares through all waves, two steps from the first to the last
            return 2 * np.polyfit(wave[card == c], y[card == c], 1, w=np.sqrt(weights[card == c]))[0]
        ends = [np.average(y[m], weights=weights[m]) for t in (1, 3) for m in [(card == c) & (wave == t)]]
        return ends[1] - ends[0]

    def found(**design):
        table = hidden_crisis(with_roles(df, weight="weight", **design), "card", ["queue"], waves=waves).table
        return table.query("kind == 'trend' and segment == 2").iloc[0]

    row = found(psu="id")
    assert row["estimate"] == pytest.approx(change(2, w) - change(1, w))
    assert row["value"] == pytest.approx(change(2, w))
    design = resolve(with_roles(df, weight="weight", psu="id"))
    draws = [
        change(2, v) - change(1, v)
        for block in design.rao_wu(400, 1)
        for m in block
        for v in [w * m[design.psu] + 1e-12]
    ]
    assert row["se"] == pytest.approx(np.std(draws), rel=0.12)
    assert found()["se"] > 1.5 * row["se"]  # what a test that forgets the panel would say


def test_families_run_over_the_whole_table(result):
    raw = result.table["p_raw"].to_numpy()
    assert len(raw) == 126
    np.testing.assert_allclose(result.table["p_value"], benjamini_hochberg(raw))
    np.testing.assert_allclose(result.table["p_holm"], holm(raw))


def test_total_is_flat_only_if_its_whole_90_percent_interval_is_inside(survey):
    table = hidden_crisis(survey, "card", ["satisfaction", "parking"], flat={"parking": 0.15}).table
    flat = table.groupby("item")["flat"].first()
    ends = table.groupby("item")[["total", "total_low", "total_high"]].first()
    assert ends.loc["parking", "total"] < 0.15 < ends.loc["parking", "total_high"]
    assert not flat["parking"]
    assert flat["satisfaction"]
    assert set(table.loc[table["hidden"], "item"]) == {"satisfaction"}
    wide = hidden_crisis(survey, "card", ["parking"], flat=0.5, level=0.9).table
    np.testing.assert_allclose(wide["total_low"].iloc[0], ends.loc["parking", "total_low"])  # 90 % whatever the level


def test_without_waves_the_pull_of_the_segment_must_be_small():
    rng = np.random.default_rng(2)
    df = pd.DataFrame({"card": np.repeat([1, 2], [1900, 100]), "queue": rng.normal(7, 1, 2000)})
    df["queue"] -= 1.0 * (df["card"] == 2)
    found = hidden_crisis(with_roles(df), "card", ["queue"])
    row = found.hidden.iloc[0]
    assert (row["segment"], row["kind"]) == (2.0, "level")
    assert row["total"] == pytest.approx(0.05 * row["estimate"])
    assert row["masking"] == pytest.approx(0.95)
    assert "it moves the total by −0.05 only" in found.sentences("en")[0].text
    other = found.table.query("segment == 1").iloc[0]
    assert not other["flat"]  # 95 % of the customers are the total
    assert found.split.empty
    assert found.periods == {}


def test_split_sums_to_the_change_of_the_total(result, survey):
    items = result.table["item"].unique().tolist()
    first, last = (
        cx.means(survey.where(p), items).table.set_index("item")["estimate"] for p in ("wave <= 8", "wave >= 17")
    )
    total = last - first
    parts = result.split.groupby("item")[["within", "mix"]].sum().sum(axis=1)
    np.testing.assert_allclose(parts[total.index], total, atol=1e-10)
    assert result.split.query("item == 'satisfaction' and segment == 2")["within"].iloc[0] == pytest.approx(
        -0.136, abs=0.01
    )


def test_a_total_that_moves_by_mix_alone():
    first = pd.DataFrame({"wave": 1, "card": np.repeat([1, 2], [100, 100]), "queue": np.repeat([8.0, 4.0], 100)})
    last = pd.DataFrame({"wave": 2, "card": np.repeat([1, 2], [50, 150]), "queue": np.repeat([8.0, 4.0], [50, 150])})
    both = pd.concat([first, last])
    both["queue"] += np.tile([0.5, -0.5], 200)
    split = hidden_crisis(with_roles(both), "card", ["queue"]).split
    np.testing.assert_allclose(split["within"], 0, atol=1e-12)
    np.testing.assert_allclose(split["mix"], [-0.25 * (8 - 5.5), 0.25 * (4 - 5.5)])
    shares = np.array([100, 50, 100, 150]) / 200
    # delta method by hand for the first segment's mix: the means do not vary much, its shares do
    assert split["mix_se"].iloc[0] > 2.5 * np.sqrt(shares[0] * 0.5 / 200 + shares[1] * 0.75 / 200) * 0.9


def test_less_is_better_turns_the_sign():
    df = small(effort=lambda d: 10 - d["queue"])
    found = hidden_crisis(with_roles(df), "card", ["effort", "queue"]).table.query("kind == 'trend' and segment == 2")
    assert found["negative"].all()
    assert found.set_index("item")["estimate"]["effort"] == pytest.approx(-found.set_index("item")["estimate"]["queue"])


def test_nps_and_roles_are_items(survey):
    table = hidden_crisis(survey, "card", ["nps", "csat", "changing"]).table
    assert table.groupby("item")["delta"].first().to_dict() == {"changing": 0.25, "csat": 0.025, "nps": 5.0}
    nps = table.query("item == 'nps' and segment == 2 and kind == 'level'").iloc[0]
    assert nps["cause"] == "changing"


# ---------------------------------------------------------------------- causes and consequences
def test_a_gap_that_was_always_there_is_a_cause_beside_the_trend():
    late = small(shift=-1.5, base=3000)
    always = late.assign(queue=late["queue"] - 0.8 * (late["card"] == 2))
    roles = [hidden_crisis(with_roles(d), "card", ["queue"], flat=2).hidden for d in (late, always)]
    assert dict(zip(roles[0]["kind"], roles[0]["role"], strict=True)) == {"trend": "cause", "level": "consequence"}
    assert set(roles[1]["role"]) == {"cause"}


def test_outcomes_follow_only_from_what_comes_before_them():
    df = small(shift=0, base=3000)
    df["trust"] = df["queue"] + np.random.default_rng(4).normal(0, 0.5, len(df)) - 1.0 * (df["card"] == 2)
    survey = with_roles(df, outcomes={"trust": ("trust",)})
    alone = hidden_crisis(survey, "card", ["queue", "trust"])
    assert alone.causes[["item", "kind"]].values.tolist() == [["trust", "level"]]  # nothing upstream explains it
    worse = with_roles(df.assign(queue=df["queue"] - 0.5 * (df["card"] == 2)), outcomes={"trust": ("trust",)})
    both = hidden_crisis(worse, "card", ["queue", "trust"])
    assert both.causes["item"].tolist() == ["queue"]
    assert both.consequences[["item", "cause"]].values.tolist() == [["trust", "queue"]]
    turned = hidden_crisis(worse, "card", ["queue", "trust"], outcomes=["queue"])
    assert turned.causes["item"].tolist() == ["trust"]


# ---------------------------------------------------------------------- pooling
def test_pooling_recovers_the_prior_and_covers():
    rng = np.random.default_rng(7)
    se = rng.uniform(0.3, 1.5, 4000)
    true = rng.normal(0, 0.8, 4000)
    pooled = pool(true + rng.normal(0, se), se)
    assert pooled.variance == pytest.approx(0.64, abs=0.05)
    assert np.mean((pooled.estimate - true) ** 2) < 0.75 * np.mean(se**2)
    inside = np.abs(pooled.estimate - true) < 1.96 * pooled.se
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


def test_pooling_of_noise_shrinks_to_almost_nothing():
    rng = np.random.default_rng(8)
    pooled = pool(rng.normal(0, 1, 60), np.ones(60))
    assert pooled.variance < 0.35
    assert np.abs(pooled.estimate).max() < 1.2
    assert (pooled.se > 0).all()
    two = pool(np.array([1.0, -1.0]), np.ones(2))
    assert np.isnan(two.variance)
    assert two.estimate.tolist() == [1, -1]


def test_prior_is_printed(result):
    assert any("prior variance 1.67 δ²" in n["en"] for n in result.notes)
    assert any("先验方差 1.67 δ²" in n["zh"] for n in result.notes)
    assert (result.table["pooled"].abs() <= result.table["estimate"].abs() + 1e-12).all()


# ---------------------------------------------------------------------- properties
def test_scaled_weights_and_the_order_of_rows_change_nothing():
    df = small()
    first = hidden_crisis(with_roles(df, weight="weight"), "card", ["queue"]).table
    scaled = hidden_crisis(with_roles(df.assign(weight=df["weight"] * 1000), weight="weight"), "card", ["queue"]).table
    mixed = hidden_crisis(
        with_roles(df.sample(frac=1, random_state=1).reset_index(drop=True), weight="weight"), "card", ["queue"]
    )
    numbers = first.select_dtypes("number").columns
    np.testing.assert_allclose(scaled[numbers], first[numbers], rtol=1e-8)
    np.testing.assert_allclose(mixed.table[numbers], first[numbers], rtol=1e-8)


def test_small_cells_are_not_tested():
    df = small(base=600)
    df["card"] = np.where(np.arange(600) < 24, 3, df["card"])
    found = hidden_crisis(with_roles(df), "card", ["queue"])
    rows = found.table[found.table["segment"] == 3]
    assert (rows["reliability"] == "suppressed").all()
    assert rows["p_raw"].isna().all()
    assert not rows["hidden"].any()
    assert any("2 facts rest on an effective base under 30" in n["en"] for n in found.notes)
    assert found.shown("en")["Against the rest"][rows.index].tolist() == ["–", "–"]


def test_an_item_not_asked_in_the_first_period_has_no_trend(survey):
    asked = survey.where("wave <= 12")
    values = survey.values("parking").copy()
    values[survey.values("wave") <= 6] = np.nan
    late = asked.with_columns(parking=values)
    rows = hidden_crisis(late, "card", ["parking"], flat=0.25).table.query("kind == 'trend'")
    assert rows[["estimate", "p_raw"]].isna().to_numpy().all()
    assert not rows["flat"].any()


def test_pictures_show_the_total_beside_the_segments(result):
    ax = result.plot(lang="zh", item="satisfaction")
    assert {"普卡", "金卡", "钻卡", "总体"} <= {t.get_text() for t in ax.texts}
    assert len(ax.lines) == 4
    assert result.plot().get_title(loc="left") == "Changing room"
    with pytest.raises(SurveyError, match=r"^item is 'satisfactoin'; allowed: .*\(did you mean 'satisfaction'\?\)\.$"):
        result.plot(item="satisfactoin")


def test_waves_of_the_picture(result, survey):
    rows = result.by_wave.query("item == 'changing' and wave == 5").set_index("segment")
    means = cx.means(survey, "changing", by=["card", "wave"]).table.query("wave == 5").set_index("segment")
    for card in (1.0, 2.0, 3.0):
        assert rows.loc[card, "estimate"] == pytest.approx(means.loc[card, "estimate"])
        assert rows.loc[card, "high"] == pytest.approx(means.loc[card, "high"])
    assert np.isnan(rows.loc["total", "gap"])


# ---------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("crad",), {}, "by names 1 column that is not in the survey: 'crad' (did you mean 'card'?)."),
        (("wave",), {}, "by: 'wave' is the wave; name a segment (waves are compared within it anyway)."),
        (("one",), {}, "by: 'one' has 1 group among the respondents; a scan needs two."),
        (("many",), {}, "by: 'many' has 400 groups among the respondents; up to 200 can be shown: band them in study.yml (recoded), or choose some with survey.where."),
        (("card", ["quue"]), {}, "items names 1 column that is not in the survey: 'quue' (did you mean 'queue'?)."),
        (("card", "queue"), {}, "items is 'queue'; a list of columns or roles is needed, or None for the study's own."),
        (("card", ["empty"]), {}, "items: 1 of 1 have no answers among the 600 respondents: 'empty'; leave them out."),
        (("card", ["text"]), {}, "'text' holds text, numbers are needed."),
        (("card",), {"flat": 0}, "flat is 0 for 'queue'; the tolerance δ is a number above 0, in points of the item."),
        (("card",), {"flat": {"nurse": 1}}, "flat names 1 column that is not in the items scanned: 'nurse'."),
        (("card",), {"waves": [1]}, "waves is [1]; two lists are needed: the waves of the first and of the last period."),
        (("card",), {"waves": ([1, 2], [2, 3])},
         "waves: the periods have 2 and 2 waves, 1 of them in both and 0 without respondents; name different waves that were asked."),
        (("card",), {"revenue": {1: 5}}, "revenue has no price for 1 of 2 segments: 2."),
        (("card",), {"revenue": {1: 5, 2: -1}}, "revenue has 150 negative of 600 known values and sums to 2100; revenue is money paid, 0 or more."),
        (("card",), {"level": 95}, "level is 95; a confidence level lies between .5 and 1, usually .95."),
    ],
)  # fmt: skip
def test_bad_input_is_named(arguments, options, message):
    df = small(one=1, many=np.arange(600) % 400, empty=np.nan, text="a")
    with pytest.raises(SurveyError) as error:
        hidden_crisis(with_roles(df), *arguments, **options)
    assert str(error.value) == message


def test_an_unknown_scale_asks_for_flat_and_waves_need_waves():
    plain = Survey.from_frame(small())
    with pytest.raises(SurveyError) as error:
        hidden_crisis(plain, "card", ["queue"])
    assert str(error.value) == (
        "flat: the scale of 'queue' is not declared, so that the default δ of 2.5 % of it is unknown; declare the scale in "
        "study.yml, or pass flat= in points."
    )
    with pytest.raises(SurveyError) as error:
        hidden_crisis(plain, "card")
    assert (
        str(error.value) == "items: the survey declares no drivers, touchpoints or outcomes; name the columns to scan."
    )
    with pytest.raises(SurveyError) as error:
        hidden_crisis(Survey.from_frame(small().drop(columns="wave")), "card", ["queue"], waves=([1], [2]))
    assert str(error.value) == "waves: the survey declares no waves; leave waves out."


# ---------------------------------------------------------------------- false alarms and power
@pytest.mark.slow
def test_null_surveys_raise_few_alarms():
    """500 surveys of 12 × 200 without crisis and privileges; δ of 1 point, so that a moving total never hides an alarm."""
    alarms = 0
    for seed in range(1, 501):
        null = cx.simulate_healthcheck(200, 12, seed=seed, crisis=0, diamond=0, faults=False).survey()
        alarms += not hidden_crisis(null, "card", flat=1.0).causes.empty
    assert alarms <= 41


@pytest.mark.slow
def test_half_the_gap_is_found():
    """60 surveys of the full size (the trend begins in wave 11) with half of everything planted against gold."""
    found = dict.fromkeys(GOLD, 0)
    for seed in range(1, 61):
        half = cx.simulate_healthcheck(seed=seed, crisis=0.5, diamond=0.5).survey()
        hidden = hidden_crisis(half, "card").hidden.query("segment == 2")
        for fact in zip(hidden["item"], hidden["kind"], strict=True):
            if fact in found:
                found[fact] += 1
    assert min(found.values()) >= 48
