"""Customer pyramid: the demo study, hand-worked tiers, customers asked several times, bad input."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlab as cx
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.segments import customer_pyramid
from cxlab.survey import Roles, Survey

FOLDER = Path(__file__).parent.parent / "data" / "healthcheck"
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")


@pytest.fixture(scope="module")
def survey():
    study = cx.open_study(FOLDER / "study.yml")
    paid = study.table("customers").set_index("customer_id")["price_paid"]
    survey = study.survey()
    return survey.with_columns(price_paid=survey.data["customer_id"].map(paid))


def test_demo_tiers_are_the_cards(survey):
    found = customer_pyramid(survey, "price_paid")
    assert found.table["from_value"].tolist() == [4500, 2200, 600]
    truth = {"customers": [0.08, 0.22, 0.70], "revenue": [0.28482, 0.3829, 0.33228]}
    for column, values in truth.items():
        assert found.table[column].to_numpy() == pytest.approx(values, abs=0.004)
        assert found.table[column].sum() == pytest.approx(1, abs=1e-12)
        assert (found.table[f"{column}_low"] < found.table[column]).all()
        assert (found.table[column] < found.table[f"{column}_high"]).all()
    cards = survey.data["card"].to_numpy()
    np.testing.assert_array_equal(found.tiers, 4 - cards)
    assert found.matrix["place"].tolist() == ["hold", "win", "serve"]
    assert (
        found.sentences("en")[1].text == "Middle tier: 22% of the customers bring 38% of the revenue (95% 38% to 39%)."
    )
    assert found.sentences("zh")[4].text == "争取：中层——价值高于平均，但对我们的认可低于其他顾客。"


def test_revenue_shares_vary_as_the_replicates_do(survey):
    part = survey.where("wave <= 2")
    rng = np.random.default_rng(1)
    spend = part.with_columns(spend=part.values("price_paid") * rng.uniform(0.5, 1.5, len(part.data)))
    found = customer_pyramid(spend, "spend")
    from cxlab.design import resolve, t_quantile

    design, tiers = resolve(spend), found.tiers
    who = pd.factorize(spend.data["customer_id"])[0]
    inside = spend.domain
    value = (
        pd.Series(np.where(inside, spend.values("spend") * spend.weights, 0)).groupby(who).transform("sum").to_numpy()
    )
    money = (
        value / pd.Series(np.where(inside, spend.weights, 0)).groupby(who).transform("sum").clip(lower=1e-9).to_numpy()
    )
    draws = []
    for block in design.rao_wu(300, 3):
        for m in block:
            w = np.where(inside, spend.weights * m[design.psu], 0)
            draws.append([(w * money)[tiers == k].sum() / (w * money)[inside].sum() for k in (1, 2, 3)])
    half = (found.table["revenue_high"] - found.table["revenue_low"]) / 2
    np.testing.assert_allclose(half, t_quantile(0.95, design.df) * np.std(draws, axis=0), rtol=0.12)


def test_equal_values_stay_together_where_the_middle_of_their_revenue_lies():
    df = pd.DataFrame({"paid": [60.0] + [20.0] * 2 + [0.0]})
    found = customer_pyramid(Survey.from_frame(df), "paid", tiers=[0.5, 0.4, 0.1])
    assert found.tiers.tolist() == [1, 2, 2, 3]
    assert found.table["revenue"].tolist() == pytest.approx([0.6, 0.4, 0])
    assert found.table["customers"].tolist() == [0.25, 0.5, 0.25]
    two = customer_pyramid(Survey.from_frame(pd.DataFrame({"paid": [9.0, 9.0, 1.0]})), "paid", tiers=4)
    assert two.tiers.tolist() == [2, 2, 4]
    assert any("2 tiers stay empty" in n["en"] for n in two.notes)


def test_a_customer_has_one_tier_however_often_asked():
    df = pd.DataFrame({"id": ["a", "a", "b", "c", None, None], "paid": [10.0, 90.0, 45.0, 5.0, 100.0, 1.0], "w": 1.0})
    made = Survey.from_frame(df, weight="w")
    survey = Survey(made.data, made.codebook, Roles(respondent="id"), made.design)
    found = customer_pyramid(survey, "paid", tiers=[0.7, 0.3])
    assert found.tiers[0] == found.tiers[1]
    assert found.tiers[4] != found.tiers[5]  # nobody's id is nobody else's
    assert found.table["to_value"].iloc[0] == 100
    assert found.table["from_value"].iloc[0] == 50  # a: the mean of 10 and 90


@given(values=st.lists(st.integers(0, 50), min_size=5, max_size=60), tiers=st.integers(2, 5))
@settings(max_examples=40, deadline=None)
def test_tiers_partition_customers_and_are_ordered_by_value(values, tiers):
    df = pd.DataFrame({"paid": np.array(values, dtype=float), "w": 1.0 + np.arange(len(values)) % 3})
    try:
        found = customer_pyramid(Survey.from_frame(df, weight="w"), "paid", tiers=tiers)
    except SurveyError as error:
        assert "fall into one tier" in str(error) or "sums to 0" in str(error)  # noqa: PT017
        return
    assert np.isfinite(found.tiers).all()
    assert found.table["customers"].sum() == pytest.approx(1)
    assert found.table["revenue"].sum() == pytest.approx(1)
    assert found.table["base"].sum() == len(values)
    assert (found.table["from_value"].to_numpy()[:-1] > found.table["to_value"].to_numpy()[1:]).all()


def test_matrix_places_nobody_whom_the_base_does_not_place():
    rng = np.random.default_rng(3)
    df = pd.DataFrame(
        {"shop": np.repeat([1, 2], 200), "paid": rng.normal(100, 10, 400).clip(0), "liked": rng.normal(7, 1, 400)}
    )
    same = customer_pyramid(Survey.from_frame(df), "paid", by="shop", attraction="liked")
    assert same.matrix["place"].tolist() == ["uncertain", "uncertain"]
    assert "Not decided on this base: 1, 2." in str(same.sentences("en"))
    df["paid"] += 30 * (df["shop"] == 1)
    df["liked"] -= 1.0 * (df["shop"] == 1)
    apart = customer_pyramid(Survey.from_frame(df), "paid", by="shop", attraction="liked")
    assert apart.matrix["place"].tolist() == ["win", "serve"]
    made = Survey.from_frame(df)
    turned = Survey(made.data, made.codebook.with_items(Item("liked", higher_is_better=False)))
    assert customer_pyramid(turned, "paid", by="shop", attraction="liked").matrix["place"].tolist() == ["hold", "leave"]
    constant = df.assign(paid=np.where(df["shop"] == 1, 20.0, 10.0))  # prices that do not vary differ for sure
    assert customer_pyramid(Survey.from_frame(constant), "paid", by="shop", attraction="liked").matrix[
        "place"
    ].tolist() == ["win", "serve"]


def test_unknown_values_leave_and_are_counted():
    df = pd.DataFrame({"paid": [5.0, np.nan, 3.0, 1.0], "w": [1.0, 2.0, 1.0, 0.0]})
    found = customer_pyramid(Survey.from_frame(df, weight="w"), "paid", tiers=2)
    assert (found.base.respondents, found.base.excluded, found.base.excluded_share) == (2, 1, 0.5)
    assert np.isnan(found.tiers[1])
    assert found.matrix.empty
    with pytest.raises(SurveyError) as error:
        found.plot_matrix()
    assert str(error.value) == "plot_matrix: no attraction was given; pass attraction= to cx.customer_pyramid."


def test_pictures(survey):
    found = customer_pyramid(survey, "price_paid", by="card")
    assert [t.get_text() for t in found.plot(lang="zh").get_yticklabels()] == ["顶层", "中层", "底层"]
    ax = found.plot_matrix(lang="en")
    assert {t.get_text() for t in ax.texts} == {"ordinary", "gold", "diamond"}
    assert ax.get_title(loc="left") == "Who attracts whom"


@pytest.mark.parametrize(
    ("value", "options", "message"),
    [
        ("piad", {}, "value names 1 column that is not in the survey: 'piad' (did you mean 'paid'?)."),
        ("text", {}, "'text' holds text, numbers are needed."),
        ("debt", {}, "value 'debt' has 4 negative of 4 known values and sums to -10; it is money, 0 or more."),
        ("none", {}, "value 'none' has 0 negative of 4 known values and sums to 0; it is money, 0 or more."),
        ("paid", {"tiers": 1}, "tiers is 1; 2 to 10 tiers make a pyramid."),
        ("paid", {"tiers": [0.5, 0.4]},
         "tiers is [0.5, 0.4]: 2 parts that sum to 0.9; name two or more parts of the revenue, each above 0, that sum to 1."),
        ("same", {}, "tiers: all 4 customers of known value fall into one tier, as too many have the same value (7); ask for other parts of the "
                     "revenue."),
        ("paid", {"by": "same", "attraction": "paid"}, "by: 'same' has 1 group among the respondents; a matrix needs two."),
        ("paid", {"level": 95}, "level is 95; a confidence level lies between .5 and 1, usually .95."),
    ],
)  # fmt: skip
def test_bad_input_is_named(value, options, message):
    df = pd.DataFrame({"paid": [1.0, 2, 3, 4], "text": "a", "debt": [-1.0, -2, -3, -4], "none": 0.0, "same": 7.0})
    with pytest.raises(SurveyError) as error:
        customer_pyramid(Survey.from_frame(df), value, **options)
    assert str(error.value) == message
