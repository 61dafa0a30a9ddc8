"""What a base can show: against statsmodels and simulation, by pairs and waves, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.power import TTestIndPower, TTestPower

import cxlab as cx
from cxlab.errors import SurveyError
from cxlab.significance import t_test
from cxlab.survey import Roles, Survey


def ratings(base: int = 400, seed: int = 3) -> Survey:
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({
        "card": np.tile([1.0, 2, 3, 3], base // 4), "month": np.repeat([1.0, 2, 3, 4], base // 4),
        "q": rng.normal(6, 2, base), "yes": (rng.random(base) < 0.3).astype(float), "w": rng.uniform(0.5, 2, base),
        "recommend": rng.integers(0, 11, base).astype(float),
    })  # fmt: skip
    survey = Survey.from_frame(df, weight="w")
    return replace(survey, roles=Roles(wave="month"))


def test_pairs_of_a_segment_are_t_tests_with_power():
    df = pd.DataFrame({"g": ["a"] * 90 + ["b"] * 60, "q": np.random.default_rng(1).normal(size=150)})
    row = cx.detectable(Survey.from_frame(df), "q", by="g").table.iloc[0]
    assert (row["segment"], row["other"], row["base"]) == ("b", "a", 60)
    pooled = row["se"] / np.sqrt(1 / 90 + 1 / 60)
    power = TTestIndPower().power(row["detectable"] / pooled, 90, 0.05, ratio=60 / 90)
    assert power == pytest.approx(0.8, abs=0.01)


def test_a_level_against_a_fixed_value():
    df = pd.DataFrame({"q": np.random.default_rng(1).normal(size=80)})
    row = cx.detectable(Survey.from_frame(df), "q", power=0.9, level=0.99).table.iloc[0]
    effect = row["detectable"] / (row["se"] * np.sqrt(80))
    assert TTestPower().power(effect, 80, 0.01) == pytest.approx(0.9, abs=0.01)


def test_a_difference_of_that_size_is_found_four_times_in_five():
    """400 clustered, weighted surveys with the gap that others of the kind called just visible: Monte Carlo error 2 %."""
    rng = np.random.default_rng(12)
    shops = np.repeat(np.arange(40), 10)
    group = np.where(shops < 20, "a", "b")

    def draw(gap: float) -> Survey:
        q = rng.normal(0, 0.5, 40)[shops] + rng.normal(0, 1, 400) + gap * (group == "b")
        frame = pd.DataFrame({"q": q, "g": group, "shop": shops, "w": rng.uniform(0.5, 2, 400)})
        return Survey.from_frame(frame, weight="w", psu="shop")

    gap = np.mean([cx.detectable(draw(0), "q", by="g").table["detectable"][0] for _ in range(40)])
    found = [t_test(draw(gap), "q", "g").p_value < 0.05 for _ in range(400)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.06)


def test_waves_are_compared_with_the_one_before():
    table = cx.detectable(ratings(), ["q", "nps"], by="wave").table
    assert table[["metric", "wave", "other"]].values.tolist() == [
        [m, w, w - 1] for m in ("q", "nps") for w in (2.0, 3.0, 4.0)
    ]
    both = cx.detectable(ratings(), "q", by=["month", "card"]).table
    pairs = sorted(map(tuple, both[["segment", "wave", "other"]].to_numpy()))
    assert pairs == [(s, w, w - 1) for s in (1, 2, 3) for w in (2, 3, 4)]
    alone = cx.detectable(ratings().where(card=2), "q", by="wave").table
    np.testing.assert_allclose(both.loc[both["segment"] == 2, "se"], alone["se"], rtol=1e-12)


def test_more_comparisons_need_larger_differences():
    one, ten = (cx.detectable(ratings(), "q", by="card", tests=t) for t in (1, 10))
    assert (ten.table["detectable"] > 1.2 * one.table["detectable"]).all()
    assert "0.50%" in ten.notes[-1]["en"]
    assert ten.call == "cx.detectable(survey, 'q', by='card', tests=10)"


def test_base_needed_makes_the_difference_visible():
    first = cx.detectable(ratings(), "yes", by="card", difference=0.05).table.iloc[2]
    more = pd.concat([ratings().data] * int(np.ceil(first["base_needed"] / first["base"])), ignore_index=True)
    again = cx.detectable(Survey.from_frame(more, weight="w"), "yes", by="card").table.iloc[2]
    assert again["detectable"] == pytest.approx(0.05, rel=0.03)


def test_sentences_and_masking():
    survey = ratings()
    small = survey.where("card != 3 or q > 7.5", month=[1, 2])
    found = cx.detectable(small, "nps", by="card")
    shown = found.table["reliability"] != "suppressed"
    assert 0 < shown.sum() < 3
    said = [s.text for s in found.sentences("en")]
    assert len(said) == shown.sum() + 1
    assert said[-1] == f"{(~shown).sum()} of 3 rows are not shown: an effective base under 30."
    assert said[0].startswith("Net promoter score: a difference of ")
    assert said[0].endswith(" points between 2 and 1 can be shown (80% power, tested at 5.0%).")
    assert found.shown("en").loc[~shown.to_numpy(), "Smallest difference visible"].unique().tolist() == ["–"]
    level = cx.detectable(survey, "yes").sentences("zh")[0].text
    assert level.startswith("yes：有效样本量为 ")
    whole = cx.detectable(survey, "yes").table.iloc[0]
    assert f"与某一固定值相差 {whole['detectable']:.2f} 分及以上时，有 80% 的把握能识别" in level


def test_what_all_answer_alike_has_no_visible_difference():
    df = pd.DataFrame({"q": [10.0] * 60, "g": ["a", "b"] * 30})
    assert cx.detectable(Survey.from_frame(df), "q", by="g").table["detectable"].isna().all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: cx.detectable(s, "q", power=80),
         "power is 80; the chance of finding a difference lies between .5 and 1, usually .8."),
        (lambda s: cx.detectable(s, "q", tests=0), "tests is 0; at least one comparison is made."),
        (lambda s: cx.detectable(s, []), "metric is empty; name at least one."),
        (lambda s: cx.detectable(s, "q", by=["card", "yes"]),
         "by names 2 segments or more; one segment and one wave can be compared."),
        (lambda s: cx.detectable(s.where(card=1), "q", by="card"),
         "by: 'card' has 1 group among the respondents; a comparison needs two."),
        (lambda s: cx.detectable(s, "qq"), "metric names 1 column that is not in the survey: 'qq' (did you mean 'q'?)."),
        (lambda s: cx.detectable(s, "q", level=95), "level is 95; a confidence level lies between .5 and 1, usually .95."),
    ],
)  # fmt: skip
def test_messages(call, message):
    with pytest.raises(SurveyError) as error:
        call(ratings())
    assert str(error.value) == message
