"""Touchpoints: ratings, ranks, expectations and changes along the journey."""

import warnings
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from scipy import stats

import cxlab as cx
from cxlab.contrasts import holm, rank_sets
from cxlab.design import resolve, weighted_means
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.survey import Roles, Survey, Touchpoint

mpl.use("Agg")

POINTS = (
    Touchpoint("booking", "before", "Desk", "booking", "booking_expected", labels={"en": "Booking", "zh": "预约"}),
    Touchpoint("queue", "during", "Clinic", "queue", labels={"en": "Queueing", "zh": "排队"}),
    Touchpoint("doctor", "during", "Doctors", "doctor", labels={"en": "Doctor", "zh": "医生"}),
    Touchpoint("meal", "after", "Kitchen", "meal", labels={"en": "Meal", "zh": "餐食"}),
)
MEANS = {"booking": 7.0, "queue": 5.5, "doctor": 8.2, "meal": 5.5}


def travelled(count: int = 800, met: float = 0.5, seed: int = 1, **columns) -> Survey:
    """A journey of four touchpoints in two periods; ``met`` is the share that had a meal."""
    rng = np.random.default_rng(seed)
    person = rng.normal(size=(count, 1))
    ratings = np.array(list(MEANS.values())) + person + rng.normal(size=(count, 4))
    df = pd.DataFrame(ratings, columns=list(MEANS)).assign(
        booking_expected=lambda d: d["booking"] + 0.5 + rng.normal(size=count), w=rng.uniform(0.5, 2, count),
        period=np.repeat([1.0, 2.0], [count // 2, count - count // 2]),
    )  # fmt: skip
    had = rng.random(count) < met
    df["meal"] = df["meal"].where(had)
    df.loc[::10, "booking_expected"] = np.nan
    plain = Survey.from_frame(df.assign(**columns), weight="w")
    reasons = pd.DataFrame({"meal": np.where(had, np.nan, 98.0)})
    items = [Item(p.item, scale=(0, 10)) for p in POINTS[:3]]
    items.append(Item("meal", scale=(0, 10), missing={98.0: "not experienced", 99.0: "refused"}))
    roles = Roles(
        touchpoints=POINTS,
        labels={"Desk": {"en": "Front desk", "zh": "前台"}, "Clinic": {"en": "Clinic", "zh": "门诊部"}},
    )
    return replace(plain, codebook=plain.codebook.with_items(*items), roles=roles, missing_reasons=reasons)


# ---------------------------------------------------------------------- the numbers
def test_ratings_are_means_of_those_who_met_the_touchpoint():
    survey = travelled()
    table = cx.touchpoints(survey).table
    assert table["touchpoint"].tolist() == list(MEANS)
    assert table["stage"].tolist() == ["before", "during", "during", "after"]
    single = cx.means(survey, list(MEANS)).table
    for column in ("estimate", "se", "low", "high", "base", "base_effective"):
        np.testing.assert_allclose(table[column], single[column], rtol=1e-12)
    share = survey.missing_reasons["meal"].notna().mean()
    assert table["not_experienced"].tolist() == pytest.approx([0, 0, 0, share])


def test_refusals_are_not_missed_touchpoints():
    survey = travelled()
    survey = replace(survey, missing_reasons=survey.missing_reasons.replace(98.0, 99.0))
    assert cx.touchpoints(survey).table["not_experienced"].tolist() == [0, 0, 0, 0]


def test_expectation_gaps_rest_on_those_who_gave_both():
    survey = travelled()
    df = survey.data[survey.data["booking_expected"].notna()]
    expected = np.average(df["booking"] - df["booking_expected"], weights=df["w"])
    gaps = cx.touchpoints(survey).table["expectation_gap"]
    assert gaps.iloc[0] == pytest.approx(expected, rel=1e-10)
    assert gaps.iloc[1:].isna().all()


def test_rank_sets_use_the_covariance_of_the_ratings():
    """Respondents rate all touchpoints alike, so differences are surer than the intervals suggest."""
    survey = travelled()
    table = cx.touchpoints(survey).table.set_index("touchpoint")
    found = weighted_means(resolve(survey), survey.data[list(MEANS)].to_numpy())
    low, high = rank_sets(found.estimate, found.covariance, df=float(found.df.min()))
    assert table["rank_low"].tolist() == low.tolist()
    assert table["rank_high"].tolist() == high.tolist()
    assert table.loc["doctor", ["rank_low", "rank_high"]].tolist() == [1, 1]
    assert table.loc["booking", ["rank_low", "rank_high"]].tolist() == [2, 2]
    assert table.loc["queue", ["rank_low", "rank_high"]].tolist() == [3, 4]
    assert table.loc["meal", ["rank_low", "rank_high"]].tolist() == [3, 4]


def test_changes_are_differences_with_covariance_and_holm():
    survey = travelled(person=np.tile(np.arange(400.0), 2))
    survey = replace(survey, design=replace(survey.design, psu="person"))
    now, then = survey.where(period=2), survey.where(period=1)
    table = cx.touchpoints(now, before=then).table.set_index("touchpoint")
    raw = []
    for item in MEANS:
        inside = np.column_stack([now.domain, then.domain])
        found = weighted_means(resolve(survey), np.repeat(survey.values(item)[:, None], 2, axis=1), inside)
        gap = found.estimate[0] - found.estimate[1]
        se = np.sqrt(np.array([1, -1]) @ found.covariance @ np.array([1, -1]))
        assert table.loc[item, "change"] == pytest.approx(gap, rel=1e-9)
        half = (table.loc[item, "change_high"] - table.loc[item, "change_low"]) / 2
        answered = inside.any(axis=1) & np.isfinite(survey.values(item))
        df = min(found.df.sum(), survey.data["person"][answered].nunique() - 1)
        assert half == pytest.approx(stats.t.ppf(0.975, df) * se, rel=1e-9)
        raw.append(2 * stats.t.sf(abs(gap) / se, df))
    np.testing.assert_allclose(table["p_value"], holm(np.array(raw)), rtol=1e-8)


def test_without_a_period_before_there_is_no_change():
    table = cx.touchpoints(travelled()).table
    assert table[["change", "change_low", "change_high", "p_value", "detectable"]].isna().all(axis=None)
    assert (table["reliability_before"] == "").all()


# ---------------------------------------------------------------------- words
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_worst_and_best_are_named_with_their_numbers(lang):
    result = cx.touchpoints(travelled(met=1.0, meal=9.0 + np.random.default_rng(1).normal(size=800)), level=0.9)
    worst, best = result.sentences(lang)
    rows = result.table.set_index("touchpoint")
    assert {"en": "Queueing", "zh": "排队"}[lang] in worst.text
    assert {"en": "Meal", "zh": "餐食"}[lang] in best.text
    assert {"en": "Clinic", "zh": "门诊部"}[lang] in worst.text  # its owner
    for name, said in (("queue", worst), ("meal", best)):
        assert (said.facts["value"], said.facts["low"], said.facts["high"]) == tuple(
            rows.loc[name, ["estimate", "low", "high"]]
        )
        assert f"{rows.loc[name, 'estimate']:.2f}" in said.text
        assert "90%" in said.text


def test_a_tie_at_the_bottom_is_said():
    result = cx.touchpoints(travelled())
    worst = result.sentences("en")[0]
    assert worst.facts["count"] == 2
    assert worst.facts["touchpoints"] == "Queueing, Meal"
    assert "owner" not in worst.facts


def test_a_suppressed_touchpoint_is_neither_ranked_nor_named():
    """Twelve people had the worst meal of all: the queue is the worst that can be spoken of."""
    rng = np.random.default_rng(1)
    meal = np.where(np.arange(800) < 12, 1 + 0.1 * rng.normal(size=800), np.nan)
    result = cx.touchpoints(travelled(meal=meal))
    rows = result.table.set_index("touchpoint")
    assert rows.loc["meal", "reliability"] == "suppressed"
    assert rows.loc["meal", ["rank_low", "rank_high"]].tolist() == [1, 4]
    assert rows.loc["queue", ["rank_low", "rank_high"]].tolist() == [3, 3]
    worst = result.sentences("en")[0]
    assert worst.facts["touchpoint"] == "Queueing"
    assert worst.facts["owner"] == "Clinic"
    assert not any("Meal" in s.text for s in result.sentences("en"))
    shown = result.shown("en", ["touchpoint", "estimate", "expectation_gap", "base"])
    assert shown.iloc[3].tolist() == ["Meal", "–", "–", "12"]


def test_everybody_suppressed_says_nothing():
    assert len(cx.touchpoints(travelled(count=20)).sentences("en")) == 0


def test_moves_are_said_and_stillness_says_what_would_have_shown():
    still = travelled()
    result = cx.touchpoints(still.where(period=2), before=still.where(period=1))
    (said,) = result.changes("en")
    assert said.facts == {"detectable": result.table["detectable"].median()}
    queue = still.data["queue"] - (still.data["period"] == 2)
    moved = still.with_columns(queue=queue)
    result = cx.touchpoints(moved.where(period=2), before=moved.where(period=1))
    (said,) = result.changes("en")
    assert said.facts["touchpoint"] == "Queueing"
    assert said.facts["change"] == result.table["change"].iloc[1]
    assert said.facts["change"] == pytest.approx(-1, abs=0.3)


def test_changes_against_a_period_of_12_people_are_masked():
    survey = travelled()
    few = survey.data["period"].where(np.arange(800) >= 388, np.nan)
    survey = survey.with_columns(period=few)
    result = cx.touchpoints(survey.where(period=2), before=survey.where(period=1))
    assert set(result.table["reliability_before"]) == {"suppressed"}
    assert set(result.table["reliability"]) == {"ok"}
    assert len(result.changes("en")) == 0
    shown = result.shown("en", ["estimate", "change", "p_value", "detectable"])
    assert (shown.iloc[:, 1:] == "–").all(axis=None)
    assert (shown.iloc[:, 0] != "–").all()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_picture_leaves_suppressed_touchpoints_out(lang, tmp_path):
    meal = np.where(np.arange(800) < 12, 1.0 + np.arange(800) % 2, np.nan)
    result = cx.touchpoints(travelled(meal=meal))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        ax = result.plot(lang=lang)
        ax.figure.savefig(tmp_path / "journey.png")
    assert [t.get_text() for t in ax.get_yticklabels()] == [p.label(lang) for p in POINTS]
    drawn = np.vstack([c.get_offsets().data for c in ax.collections if isinstance(c, PathCollection)])
    assert sorted(drawn[np.isfinite(drawn[:, 0]), 1]) == [0, 1, 2]


# ---------------------------------------------------------------------- calls and refusals
def test_the_call_makes_the_result_again():
    survey = travelled()
    found = cx.touchpoints(survey.where(period=2), before=survey.where(period=1), level=0.9)
    again = eval(found.call, {"cx": cx, "survey": survey})
    pd.testing.assert_frame_equal(again.table, found.table)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: cx.touchpoints(replace(s, roles=Roles())),
         "touchpoints: the survey declares no journey; declare journey in study.yml."),
        (lambda s: cx.touchpoints(s, before=travelled(seed=2)),
         "before must be a domain of the same survey (survey.where(...))."),
    ],
)  # fmt: skip
def test_messages(call, message):
    with pytest.raises(SurveyError) as error:
        call(travelled())
    assert str(error.value) == message
