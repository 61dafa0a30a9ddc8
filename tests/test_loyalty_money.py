"""The value of a point: link, prices, draws, totals, words, faults, shares of revenue of the demo study."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.loyalty._money import bends_of
from cxlab.survey import Survey

DEMO = Path(__file__).parents[1] / "data" / "healthcheck"


def frame(count=3000, *, slope=0.25, seed=4):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 11, count).astype(float)
    card = rng.choice(["gold", "plain"], count)
    chance = 1 / (1 + np.exp(-(-1 + slope * x)))
    return pd.DataFrame({
        "satisfaction": x, "renewed": (rng.random(count) < chance).astype(float), "w": rng.uniform(0.5, 2, count),
        "price_paid": np.where(card == "gold", 900.0, 300.0), "card": card,
    })  # fmt: skip


def value(df, **options):
    return cx.value_of_a_point(cx.Survey.from_frame(df, weight="w"), **{"replicates": 200, **options})


def true_gain(slope=0.25):
    p = 1 / (1 + np.exp(-(-1 + slope * np.arange(11))))
    return float(np.append(np.diff(p), 0).mean())


# ---------------------------------------------------------------------- numbers
def test_the_gain_is_the_mean_rise_with_the_top_left_where_it_is():
    found = value(frame(20_000), prices=100, level=0.999)
    row = found.table.iloc[0]
    assert row["gain_low"] < true_gain() < row["gain_high"]
    assert row["estimate"] == pytest.approx(100 * 100 * row["gain"])
    assert (row["low"], row["high"]) == pytest.approx((100 * 100 * row["gain_low"], 100 * 100 * row["gain_high"]))
    top = np.average(frame(20_000)["satisfaction"] == 10, weights=frame(20_000)["w"])
    assert f"{top:.1%} of customers already give 10, the top of the scale, and count as unchanged." in [
        n["en"] for n in found.notes
    ]


def test_a_straight_link_with_few_answers_is_the_plain_logit():
    df = frame().assign(satisfaction=lambda d: np.minimum(d["satisfaction"], 3))
    survey = cx.Survey.from_frame(df, weight="w")
    b = cx.logit(survey, "renewed", ["satisfaction"]).table["estimate"].to_numpy()
    x, w = df["satisfaction"].to_numpy(), df["w"].to_numpy()
    p = [1 / (1 + np.exp(-(b[0] + b[1] * v))) for v in (x, np.minimum(x + 1, 3))]
    assert value(df, prices=1).table["gain"].iloc[0] == pytest.approx(np.average(p[1] - p[0], weights=w), abs=1e-9)


def test_bends_lie_at_answers_inside():
    x = np.repeat(np.arange(11.0), 10)
    assert bends_of(x, np.ones(len(x))).tolist() == [3, 7]
    assert bends_of(np.repeat([0, 1, 2, 3.0], 10), np.ones(40)).tolist() == []
    assert bends_of(np.repeat([0, 1, 2, 3, 4, 5.0], [1, 1, 1, 1, 1, 95]), np.ones(100)).tolist() == []


def test_segments_and_their_sum():
    df = frame()
    found = value(df, by="card")
    table = found.table.set_index("segment")
    assert table["price"].to_dict() == pytest.approx({"gold": 900, "plain": 300})
    share = df.groupby("card")["w"].sum() / df["w"].sum()
    assert found.whole["estimate"].iloc[0] == pytest.approx((table["estimate"] * share).sum())
    assert found.whole["gain"].iloc[0] == pytest.approx((table["gain"] * share).sum())
    gap = found.differences.iloc[0]
    assert gap["estimate"] == pytest.approx(table["estimate"]["gold"] - table["estimate"]["plain"])
    assert gap["p_value"] < 0.001
    gold = df[df["card"] == "gold"]
    assert table["renewal"]["gold"] == pytest.approx(np.average(gold["renewed"], weights=gold["w"]))
    assert table["revenue"]["gold"] == pytest.approx(100 * 900 * table["renewal"]["gold"])
    money = df["w"] * df["price_paid"]
    assert found.revenue_shares["estimate"].to_numpy() == pytest.approx(
        (money.groupby(df["card"]).sum() / money.sum()).to_numpy()
    )
    assert found.draws.shape == (200, 2)
    assert found.draws["gold"].std() == pytest.approx(table["se"]["gold"])


def test_prices_of_a_column_a_mapping_and_a_number_agree():
    df = frame()
    column = value(df, by="card").table
    mapping = value(df, by="card", prices={"gold": 900, "plain": 300}).table
    assert mapping[["estimate", "low", "high"]].to_numpy() == pytest.approx(
        column[["estimate", "low", "high"]].to_numpy()
    )
    one = value(df.assign(price_paid=250.0)).table
    assert value(df, prices=250).table["low"].to_numpy() == pytest.approx(one["low"].to_numpy())


def test_prices_within_a_segment_weigh_the_gains_of_their_own_customers():
    df = frame(20_000)
    df["price_paid"] = np.where(df["satisfaction"] == 10, 1e6, 1.0)  # those at the top cannot rise
    assert value(df).table["estimate"].iloc[0] < 100


def test_uncertain_prices_and_margin_widen_the_interval():
    df = frame()
    plain, drawn = (value(df, prices=p, replicates=1000).table.iloc[0] for p in (600, (600, 120)))
    assert drawn["estimate"] == plain["estimate"]
    expected = np.sqrt(plain["se"] ** 2 + (0.2 * plain["estimate"]) ** 2 + (0.2 * plain["se"]) ** 2)
    assert drawn["se"] == pytest.approx(expected, rel=0.08)
    half = value(df, prices=600, margin=0.5, replicates=1000)
    assert half.table["estimate"].iloc[0] == pytest.approx(plain["estimate"] / 2)
    assert half.table["se"].iloc[0] == pytest.approx(plain["se"] / 2)
    assert (
        value(df, prices=600, margin=(0.5, 0.1), replicates=1000).table["se"].iloc[0] > half.table["se"].iloc[0] * 1.2
    )
    notes = [n["en"] for n in half.notes]
    assert "Values are revenue; costs are not deducted (margin=)." not in notes
    assert "of margin per 100 customers and year" in half.sentences("en")[0].text


def test_totals_are_of_the_population():
    df = frame()
    found = value(df, by="card", population={"gold": 2000, "plain": 18000})
    table = found.table.set_index("segment")
    assert table["total"]["gold"] == pytest.approx(20 * table["estimate"]["gold"])
    assert table["total_low"]["plain"] == pytest.approx(180 * table["low"]["plain"])
    assert found.whole["total"].iloc[0] == pytest.approx(table["total"].sum())
    assert found.whole["estimate"].iloc[0] == pytest.approx(table["total"].sum() / 200)
    shares = found.revenue_shares.set_index("segment")["estimate"]
    assert shares["gold"] == pytest.approx(2000 * 900 / (2000 * 900 + 18000 * 300))
    one = value(df, population=5000).table.iloc[0]
    assert one["total"] == pytest.approx(50 * one["estimate"])


def test_shares_of_revenue_have_the_error_of_their_ratio():
    df = frame()
    found = value(df, by="card").revenue_shares.set_index("segment").loc["gold"]
    survey = cx.Survey.from_frame(df.assign(own=np.where(df["card"] == "gold", df["price_paid"], 0.0)), weight="w")
    plain = cx.ratios(survey, "own", "price_paid").table.iloc[0]
    assert [found["estimate"], found["se"]] == pytest.approx([plain["estimate"], plain["se"]])


def test_no_link_is_not_called_a_value():
    said = value(frame(slope=0.0), prices=600).sentences("en")[0].text
    assert said.startswith("Whether a point more of “satisfaction” goes with more money cannot be told: ")
    assert (
        value(frame(slope=0.0), prices=600)
        .sentences("zh")[0]
        .text.startswith("看不出“satisfaction”每提高 1 分是否带来更多收益：")
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_words_picture_and_workbook(lang, tmp_path):
    found = value(frame(), by="card", population={"gold": 2000, "plain": 18000}, currency={"en": "yuan", "zh": "元"})
    text = str(found.sentences(lang)) + found.methods(lang) + "".join(n[lang] for n in found.notes)
    assert "{" not in text
    gold = found.table.iloc[0]["estimate"]
    shown = {"en": f"goes with +{gold:,.0f} yuan (", "zh": f"相应变化 +{gold:,.0f}元（"}[lang]
    assert shown in found.sentences(lang)[0].text
    assert {"en": "For 2,000 customers that is +", "zh": "按 2,000 名顾客计，每年合计 +"}[lang] in found.sentences(
        lang
    )[1].text
    axes = found.plot(lang=lang)
    assert [t.get_text() for t in axes.get_yticklabels()] == ["gold", "plain", {"en": "all", "zh": "全部"}[lang]]
    assert axes.texts[0].get_text() == {"en": f"{gold:,.0f} yuan", "zh": f"{gold:,.0f}元"}[lang]
    plt.close(axes.figure)
    plt.close(value(frame()).plot(lang=lang).figure)
    assert found.to_excel(tmp_path / "value.xlsx").stat().st_size > 4000


def test_the_error_of_one_price_is_one_error_for_all_segments():
    sure, unsure = (value(frame(), by="card", prices=p, replicates=1000) for p in (600, (600, 300)))
    assert unsure.whole["se"].iloc[0] / unsure.whole["estimate"].iloc[0] == pytest.approx(0.5, rel=0.1)
    ratio = np.log(unsure.draws["gold"] / unsure.draws["plain"])
    assert np.std(ratio) == pytest.approx(np.std(np.log(sure.draws["gold"] / sure.draws["plain"])), rel=0.15)


def test_shares_of_revenue_have_the_errors_of_prices_too():
    df = frame().assign(w=1.0)
    found = value(df, by="card", prices={"gold": (900, 180), "plain": 300}).revenue_shares.iloc[0]
    n = np.mean(df["card"] == "gold")
    share = n * 900 / (n * 900 + (1 - n) * 300)
    sampling = share * (1 - share) / np.sqrt(len(df) * n * (1 - n))
    assert found["estimate"] == pytest.approx(share)
    assert found["se"] == pytest.approx(np.hypot(sampling, share * (1 - share) * 0.2), rel=1e-3)


def test_segments_count_with_all_their_customers_whose_price_is_known_or_not():
    df = frame().assign(w=1.0, price_paid=lambda d: np.where(d["card"] == "gold", 900.0, 300.0))
    gold = np.flatnonzero(df["card"] == "gold")
    gone = df.assign(price_paid=df["price_paid"].where(~df.index.isin(gold[::2])))
    share = (df["card"] == "gold").mean()
    found = value(gone, by="card")
    by_card = found.table.set_index("segment")["estimate"]
    assert found.whole["estimate"].iloc[0] == pytest.approx(share * by_card["gold"] + (1 - share) * by_card["plain"])
    assert found.whole["price"].iloc[0] == pytest.approx(df["price_paid"].mean())
    money = share * 900 / (share * 900 + (1 - share) * 300)
    assert found.revenue_shares.set_index("segment").loc["gold", "estimate"] == pytest.approx(money)


def test_the_largest_share_of_revenue_is_named_only_if_it_is_told():
    close = value(frame(), by="card", prices={"gold": (300, 90), "plain": (300, 90)})
    most = close.revenue_shares.sort_values("estimate").iloc[-1]
    assert close.lead > 0.05
    assert close.sentences("en")[-1].text.startswith(
        f"Which segment brings the largest share of revenue cannot be told; that of {most['segment']} is "
    )
    assert close.sentences("zh")[-1].text.startswith(f"看不出哪个群体的收入占比最高；{most['segment']}为 ")
    apart = value(frame(), by="card", prices={"gold": 9000, "plain": 30})
    assert apart.lead < 0.001
    assert apart.sentences("en")[-1].text.startswith("gold brings the largest share of revenue, ")


def test_small_units_of_money_keep_their_decimals():
    found = value(frame(), prices=0.6, currency={"en": "thousand yuan", "zh": "千元"})
    exact = found.table["estimate"].iloc[0]
    assert f"goes with +{exact:.2f} thousand yuan (" in found.sentences("en")[0].text
    assert f"+{exact:.2f}千元（" in found.sentences("zh")[0].text
    assert found.shown("en")["Estimate"].iloc[0] == f"{exact:.2f}"


def test_one_segment_under_two_names_has_one_price():
    survey = cx.Survey.from_frame(frame().assign(card=lambda d: (d["card"] == "gold") + 1.0), weight="w")
    words = {1.0: {"en": "plain", "zh": "普卡"}, 2.0: {"en": "gold", "zh": "金卡"}}
    survey = Survey(survey.data, survey.codebook.with_items(Item("card", values=words)), survey.roles, survey.design)
    with pytest.raises(SurveyError) as caught:
        cx.value_of_a_point(survey, prices={"gold": 900, "金卡": 800, "plain": 300}, by="card", replicates=200)
    assert str(caught.value) == "prices names one segment of 'card' twice, with 900 and 800 (as '金卡'); keep one."


def test_the_title_says_the_finding():
    one = value(frame(), prices=600, currency={"en": "yuan", "zh": "元"})
    exact = one.table["estimate"].iloc[0]
    assert (
        one.headline("en").text
        == f"A point more of “satisfaction” goes with +{exact:,.0f} yuan of revenue per 100 customers and year"
    )
    assert one.headline("zh").text == f"“satisfaction”每提高 1 分，每 100 名顾客每年的收入相应变化 +{exact:,.0f}元"
    none = value(frame(slope=0.0), prices=600)
    assert none.headline("en").text == "Whether a point more of “satisfaction” goes with more money cannot be told"
    apart = value(frame(), by="card", prices={"gold": 900, "plain": 30})
    gold = apart.table.set_index("segment").loc["gold", "estimate"]
    assert apart.headline("en").text.startswith(f"A point of “satisfaction” is worth most in gold: {gold:,.0f}")
    assert apart.headline("zh").text.startswith("“satisfaction”每 1 分的价值以gold最高：每 100 名顾客每年 ")
    axes = apart.plot(lang="en")
    assert axes.get_title(loc="left").replace("\n", " ") == apart.headline("en").text
    plt.close(axes.figure)


# ---------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda d: d, {"by": "card", "prices": {"gold": 900}}, "prices names no value for 1 of 2 segments of 'card': 'plain'."),
        (lambda d: d, {"by": "card", "prices": {"gold": 900, "plain": 300, "silver": 2}}, None),
        (lambda d: d, {"prices": {"gold": 900, "plain": 300}}, "prices is a mapping of segments; name the segment with by=."),
        (lambda d: d.drop(columns="price_paid"), {}, "prices names 1 column that is not in the survey: 'price_paid'."),
        (lambda d: d.assign(price_paid=d["price_paid"].where(d["card"] == "gold")), {"by": "card"},
         "prices: 'price_paid' is missing for all respondents of 1 of 2 segments ('plain'); join the table that has it, or give "
         "the prices as a mapping."),
        (lambda d: d.assign(price_paid=np.nan), {},
         "prices: 'price_paid' is missing for all respondents; join the table that has it, or give the prices as a mapping."),
        (lambda d: d.assign(price_paid=0.0), {},
         "prices: 'price_paid' is 0 or less for 3,000 respondents; a price is above 0, or missing."),
        (lambda d: d, {"prices": -5}, "prices holds -5; it is a number above 0, or (number, standard error)."),
        (lambda d: d, {"by": "card", "prices": {"gold": (900, -1), "plain": 300}},
         "prices holds (900, -1); it is a number above 0, or (number, standard error)."),
        (lambda d: d, {"margin": 40}, "margin is 40; it is a share of the price, 0 to 1."),
        (lambda d: d, {"margin": "40%"}, "margin holds '40%'; it is a number above 0, or (number, standard error)."),
        (lambda d: d, {"population": {"gold": 5}}, "population is a mapping of segments; name the segment with by=."),
        (lambda d: d, {"by": "card", "population": 500},
         "population is 500; with by= it is a mapping of every segment to its customers."),
        (lambda d: d, {"by": "card", "population": {"gold": 5}}, "population names no value for 1 of 2 segments of 'card': 'plain'."),
        (lambda d: d, {"population": 0}, "population holds 0; it is a number of customers above 0."),
        (lambda d: d.assign(renewed=d["renewed"] + 1), {},
         "renewal 'renewed' has values other than 0 and 1 (2); 1 says that the customer renewed."),
        (lambda d: d.assign(renewed=1.0), {}, "renewal 'renewed' is 1 for all 3,000 respondents; there is no link."),
        (lambda d: d.assign(satisfaction=np.where(d["card"] == "gold", 5.0, d["satisfaction"])), {"by": "card"}, None),
        (lambda d: d.assign(renewed=(d["satisfaction"] > 5) * 1.0), {},
         "renewal: no curve over satisfaction can be fitted, as some answers go with 0 only or 1 only; merge segments, or take "
         "several waves together."),
        (lambda d: d.head(50), {},
         "satisfaction 'satisfaction', renewal 'renewed' and a price are known for 50 respondents; at least 60 are needed: widen "
         "the filter, or merge segments."),
        (lambda d: d, {"satisfaction": "satisfactoin"},
         "satisfaction names 1 column that is not in the survey: 'satisfactoin' (did you mean 'satisfaction'?)."),
        (lambda d: d, {"renewal": "renew"}, "renewal names 1 column that is not in the survey: 'renew' (did you mean 'renewed'?)."),
        (lambda d: d, {"renewal": "satisfaction"}, "renewal 'satisfaction' is the satisfaction itself; name another column."),
        (lambda d: d, {"by": "cart"}, "by names 1 column that is not in the survey: 'cart' (did you mean 'card'?)."),
        (lambda d: d, {"replicates": 100}, "replicates is 100; 200 draws or more are needed."),
        (lambda d: d, {"level": 95}, "level is 95; a confidence level lies between .5 and 1, usually .95."),
    ],
)  # fmt: skip
def test_bad_input(change, options, message):
    if message is None:
        message = {
            "prices": "card has no value 'silver'; it has: gold, plain.",
            "by": "satisfaction 'satisfaction' is 5 for all {} respondents of segment 'gold'; there is no link.",
        }["prices" if "prices" in options else "by"].format(f"{(frame()['card'] == 'gold').sum():,}")
    with pytest.raises(SurveyError) as caught:
        value(change(frame()), **options)
    assert str(caught.value) == message


# ---------------------------------------------------------------------- the demo study
@pytest.fixture(scope="module")
def demo():
    study = cx.open_study(DEMO / "study.yml")
    return study.join(study.survey(), "customers", columns=["price_paid"])


def test_shares_of_revenue_of_the_demo(demo):
    truth = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["pseudo_true"]["revenue_share"]
    found = cx.value_of_a_point(demo, by="card", replicates=200).revenue_shares
    for row, name in zip(found.itertuples(), ("ordinary", "gold", "diamond"), strict=True):
        assert abs(row.estimate - truth[name]["value"]) <= 4.1 * np.hypot(row.se, truth[name]["se"]) + 5e-5, name


def test_a_point_is_worth_most_for_diamond_and_least_for_ordinary(demo):
    found = cx.value_of_a_point(demo, by="card", currency={"en": "yuan", "zh": "元"}, replicates=500)
    assert found.table["price"].tolist() == pytest.approx([600, 2200, 4500])
    assert (found.differences["p_value"] < 0.01).all()
    # what the shares by answer of twelve further simulated studies (115,200 interviews) give without any model
    for row, gain in zip(found.table.itertuples(), (0.0339, 0.0573, 0.0445), strict=True):
        assert abs(row.gain - gain) <= 4.1 * (row.gain_high - row.gain) / 1.96
    assert [s.text.split(":")[0] for s in found.sentences("en")[:4]] == ["ordinary", "gold", "diamond", "All segments"]
