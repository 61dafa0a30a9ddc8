"""Asymmetry: planted bends are found, straight lines stay straight, and each reason for no verdict occurs."""

import re
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import cxlab as cx
from cxlab.contrasts import holm
from cxlab.drivers._asymmetry import _contrast, _Fit, _verdict
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.survey import Survey

mpl.use("Agg")
ROOT = Path(__file__).parents[1]
NAMES = list("abcdefgh")
MEANS = np.array([6.5, 6, 7, 7.4, 5, 5.9, 6.8, 7.2])
SLOPES = np.array([0.15, 0.1, 0.2, 0.2, 0.35, 0.25, 0.12, 0.1])
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")


def ratings(seed: int, base: int = 1200, must_be: float = 0.0, delighter: float = 0.0) -> pd.DataFrame:
    """Eight rounded ratings with a halo; f loses ``must_be`` above 6, g gains ``delighter`` above 7, the rest is straight."""
    rng = np.random.default_rng(seed)
    x = np.clip(np.round(MEANS + 0.7 * rng.normal(size=(base, 1)) + 1.5 * rng.normal(size=(base, 8))), 0, 10)
    y = 7 + (x - 7) @ SLOPES - must_be * np.maximum(x[:, 5] - 6, 0) + delighter * np.maximum(x[:, 6] - 7, 0)
    y = np.clip(np.round(y + rng.normal(size=base)), 0, 10)
    return pd.DataFrame(x, columns=NAMES).assign(satisfaction=y, w=rng.uniform(0.5, 2, base))


def survey_of(df: pd.DataFrame, down=(), **parts) -> Survey:
    survey = Survey.from_frame(df, **{"weight": "w", **parts})
    scaled = [
        replace(survey.codebook.get(n, Item(n)), scale=(0.0, 10.0), higher_is_better=n not in down)
        for n in NAMES
        if n in df
    ]
    return replace(survey, codebook=survey.codebook.with_items(*scaled))


def found_in(df: pd.DataFrame, down=(), **options):
    return cx.asymmetry(survey_of(df, down), drivers=[n for n in NAMES if n in df], **options)


@pytest.fixture(scope="module")
def bent():
    return ratings(3, 2000, must_be=0.25, delighter=0.4)


@pytest.fixture(scope="module")
def demo() -> Survey:
    return cx.open_study(ROOT / "data" / "healthcheck").survey()


@pytest.fixture(scope="module")
def demo_found(demo):
    return cx.asymmetry(demo)


# ---------------------------------------------------------------------- the numbers
def test_slopes_and_errors_are_those_of_one_weighted_regression():
    df = ratings(1, must_be=0.2)[["a", "f", "satisfaction", "w"]]
    found = found_in(df, knots={"a": 7, "f": [6]})
    columns = [
        np.minimum(df["f"] - 6, 0),
        np.maximum(df["f"] - 6, 0),
        np.minimum(df["a"] - 7, 0),
        np.maximum(df["a"] - 7, 0),
    ]
    fit = sm.WLS(df["satisfaction"], sm.add_constant(np.column_stack(columns)), weights=df["w"]).fit(cov_type="HC0")
    row = found.table.set_index("driver").loc["f"]
    assert row[["below", "above"]].tolist() == pytest.approx(fit.params.to_numpy()[1:3])
    bend = np.array([0, -1, 1, 0, 0])
    n = len(df)  # HC0 on weights, and n / (n − 1) of the design
    assert row["se"] == pytest.approx(np.sqrt(bend @ fit.cov_params() @ bend * n / (n - 1)), rel=1e-6)
    assert row["estimate"] == pytest.approx(row["above"] - row["below"])
    assert row["share_below"] == pytest.approx(df["w"][df["f"] < 6].sum() / df["w"].sum())


def test_errors_follow_the_clusters():
    df = ratings(1)
    twice = pd.concat([df, df], ignore_index=True).assign(u=np.tile(np.arange(len(df)), 2))
    alone, paired = found_in(df), cx.asymmetry(survey_of(twice, psu="u"), drivers=NAMES)
    np.testing.assert_allclose(paired.table["estimate"], alone.table["estimate"], atol=1e-10)
    np.testing.assert_allclose(paired.table["se"], alone.table["se"], rtol=1e-6)


def test_p_values_are_holm_over_drivers(bent):
    table = found_in(bent).table
    np.testing.assert_allclose(table["p_value"], holm(table["p_raw"].to_numpy()))


def test_planted_bends_are_told_apart(bent):
    table = found_in(bent).table.set_index("driver")
    assert table.loc["f", "kind"] == "must-be"
    assert table.loc["g", "kind"] == "delighter"
    assert table.loc["e", "kind"] == "performance"
    assert not set(table.drop(index=["f", "g"])["kind"]) & {"must-be", "delighter"}


def test_a_straight_driver_fools_penalty_and_reward_dummies_but_not_slopes():
    """Dummies (≤ 5, ≥ 8) of one linear driver differ because its answers lie where they lie."""
    df = ratings(6, 6000)[["a", "e", "satisfaction", "w"]]
    dummies = np.column_stack([np.ones(len(df)), df["e"] <= 5, df["e"] >= 8, df["a"]])
    fit = sm.WLS(df["satisfaction"], dummies, weights=df["w"]).fit()
    penalty, reward = -fit.params.to_numpy()[1], fit.params.to_numpy()[2]
    assert penalty > 1.25 * reward
    assert found_in(df).table.set_index("driver").loc["e", "kind"] == "performance"


def test_a_bend_of_another_driver_does_not_rub_off():
    """e shares the halo with f, which bends; with f kept straight, e would look bent."""
    df = ratings(8, 6000, must_be=0.6)
    table = found_in(df).table.set_index("driver")
    assert table.loc["f", "kind"] == "must-be"
    assert not set(table.drop(index="f")["kind"]) & {"must-be", "delighter"}


def test_less_is_better_is_turned_and_its_knot_put_back(bent):
    turned = found_in(bent.assign(f=10 - bent["f"]), down=("f",)).table.set_index("driver").loc["f"]
    plain = found_in(bent).table.set_index("driver").loc["f"]
    assert turned["kind"] == "must-be"
    assert turned[["below", "above", "se"]].tolist() == pytest.approx(plain[["below", "above", "se"]].tolist())
    assert turned["knot"] == 10 - plain["knot"]
    assert turned[["knot_low", "knot_high"]].tolist() == [10 - plain["knot_high"], 10 - plain["knot_low"]]
    given = found_in(bent.assign(f=10 - bent["f"]), down=("f",), knots={"f": [3, 4]})
    assert given.knots.loc[given.knots["driver"] == "f", "knot"].tolist() == [4, 3]


def test_knots_have_a_tenth_of_the_weight_on_both_sides(bent):
    found = found_in(bent)
    for r in found.knots.itertuples():
        below, above = (
            bent["w"][side].sum() / bent["w"].sum() for side in (bent[r.driver] < r.knot, bent[r.driver] > r.knot)
        )
        assert min(below, above) >= 0.1
    middle = found.table.set_index("driver").loc["a"]
    assert middle["knot_low"] <= middle["knot"] <= middle["knot_high"]
    assert (found.knots.groupby("driver").size() >= 2).all()


# ---------------------------------------------------------------------- the verdicts
def fit_of(slopes, se=0.01) -> _Fit:
    slopes = np.array(slopes, dtype=float)
    covariance = np.repeat((se**2 * np.eye(2))[None], len(slopes), axis=0)
    return _Fit(
        np.arange(len(slopes)) + 5.0,
        slopes,
        covariance,
        np.array([0.5, 0.5]),
        (len(slopes) - 1) // 2,
        500.0,
        900,
        800.0,
    )


@pytest.mark.parametrize(
    ("slopes", "p", "verdict"),
    [
        ([[0.4, 0.1]] * 3, 0.001, ("must-be", "")),
        ([[0.1, 0.4]] * 3, 0.001, ("delighter", "")),
        ([[0.3, 0.29]] * 3, 0.8, ("performance", "")),
        ([[0.3, 0.2]] * 3, 0.06, ("performance", "")),
        ([[0.3, 0.12]] * 3, 0.06, ("not decided", "imprecise")),  # more than twice as steep
        ([[0.4, 0.1], [0.4, 0.1], [0.2, 0.2]], 0.001, ("not decided", "knot")),
        ([[0.1, 0.4], [0.4, 0.1], [0.4, 0.1]], 0.001, ("not decided", "knot")),
        ([[0.0, -0.4]] * 3, 0.001, ("not decided", "negative")),
        ([[-0.4, 0.0]] * 3, 0.001, ("not decided", "negative")),
        ([[0.3, 0.3], [0.3, 0.3], [0.3, 0.0]], 0.8, ("not decided", "imprecise")),
        ([[-0.3, -0.3]] * 3, 0.8, ("not decided", "imprecise")),
    ],
)
def test_verdicts(slopes, p, verdict):
    assert _verdict(fit_of(slopes), p, 2.0, 0.95) == verdict


def test_an_imprecise_straight_line_is_no_performance():
    assert _verdict(fit_of([[0.3, 0.3]] * 3, se=0.2), 0.9, 2.0, 0.95) == ("not decided", "imprecise")


def test_contrasts_carry_the_covariance():
    fit = fit_of([[0.3, 0.2]])
    fit.covariance[0, 0, 1] = fit.covariance[0, 1, 0] = 5e-5
    estimate, se = _contrast(fit, -1.0, 1.0)
    assert estimate.tolist() == pytest.approx([-0.1])
    assert se.tolist() == pytest.approx([np.sqrt(2e-4 - 1e-4)])


def test_answers_on_one_side_only_stay_open(bent):
    df = bent.assign(a=np.where(np.arange(len(bent)) % 25 == 0, 2.0, 10.0), b=np.arange(len(bent)) % 2 * 10.0)
    found = found_in(df)
    table = found.table.set_index("driver")
    assert table.loc[["a", "b"], ["kind", "reason"]].values.tolist() == [["not decided", "one side"]] * 2
    assert table.loc["a", ["knot", "below", "p_value"]].isna().all()
    assert "too few answers on one side" in found.shown("en")["Why open"].tolist()
    assert table.loc["f", "kind"] == "must-be"


# ---------------------------------------------------------------------- the demo study
def test_the_planted_kinds_are_found_in_the_demo(demo, demo_found):
    table = demo_found.table.set_index("driver")
    assert table.index[table["kind"] == "must-be"].tolist() == ["report"]
    assert table.index[table["kind"] == "delighter"].tolist() == ["meal"]
    assert table.loc["queue", "kind"] in ("performance", "not decided")
    assert table.loc["report", "below"] == pytest.approx(0.36, abs=0.04)  # planted .45 and .05, rounded and with a halo
    assert table.loc["report", "above"] == pytest.approx(0.06, abs=0.05)
    assert table.loc["meal", "above"] == pytest.approx(0.16, abs=0.05)
    assert len(table) == 15


def test_drivers_that_many_have_not_met_are_tested_among_those_who_have(demo, demo_found):
    table = demo_found.table.set_index("driver")
    assert table.loc["followup", "base"] < table.loc["report", "base"]
    assert table["base"].drop(index=["followup", "parking"]).nunique() == 1
    assert demo_found.base.respondents == table.loc["report", "base"]
    notes = " ".join(n["en"] for n in demo_found.notes)
    assert "Tested among those who have experienced them, because more than 20% have not: Follow-up, Parking." in notes
    assert "600 respondents who answered a whole battery alike are left out" in notes


def test_straight_liners_would_bend_what_is_straight(demo, demo_found):
    kept = cx.asymmetry(demo, straight_liners="keep")
    false = kept.table["kind"].isin(["must-be", "delighter"]) & ~kept.table["driver"].isin(["report", "meal"])
    assert false.sum() >= 3
    assert not any("battery" in n["en"] for n in kept.notes)


def test_without_a_declared_battery_the_drivers_are_one():
    df = ratings(2)
    df.loc[:39, NAMES] = np.repeat(np.arange(40)[:, None] % 11, 8, axis=1)
    found = found_in(df)
    assert found.base.respondents == len(df) - 40 - (df.loc[40:, NAMES].nunique(axis=1) == 1).sum()
    assert "40 respondents who answered a whole battery alike are left out" in found.notes[1]["en"]
    assert found_in(df, straight_liners="keep").base.respondents == len(df)
    blocks = cx.asymmetry(survey_of(df), drivers={"one": NAMES[:4], "two": NAMES[4:]})
    pd.testing.assert_frame_equal(blocks.table, found.table)


def test_what_is_said_and_drawn(demo_found):
    said = [s.text for s in demo_found.sentences("en")]
    assert said[0].startswith("Report is a must-be: below 6 one point more goes with +0.3")
    assert said[1].startswith("Meal is a delighter: above 7 one point more goes with +0.1")
    assert said[-1].endswith("would have been significant with 80% power.")
    assert demo_found.sentences("zh")[0].text.startswith(
        "“报告”属于必备因素：低于 6 分时，每高 1 分对应总体满意度 +0.3"
    )
    ax = demo_found.plot(lang="zh")
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert labels[:2] == ["报告（6 分）", "餐食（7 分）"]
    assert "必备因素" in [t.get_text() for t in ax.texts]
    mpl.pyplot.close("all")
    assert "cx.asymmetry(survey, 'satisfaction'" in demo_found.call
    assert set(demo_found.further()) == {"knots"}
    assert "分段线性回归" in demo_found.methods("zh")


def test_small_bases_are_not_spoken_of():
    found = found_in(ratings(1, 26)[["a", "f", "satisfaction", "w"]], knots=[6])
    assert set(found.table["reliability"]) == {"suppressed"}
    assert found.sentences("en") == ()
    assert len(found.plot().collections[2].get_offsets()) == 0
    mpl.pyplot.close("all")


# ---------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": 1}, "margin is 1; it is how many times the steeper slope may exceed the other: above 1."),
        ({"knots": 10}, "knots: 10 of 'a' is not inside its scale 0–10; name points between its ends."),
        ({"knots": {"z": 5}}, "knots names 1 column that is not in the drivers: 'z'."),
        ({"straight_liners": "drop"}, "straight_liners is 'drop'; allowed: 'leave out', 'keep'."),
        ({"drivers": ["a", "ff"]}, "drivers names 1 column that is not in the survey: 'ff' (did you mean 'f'?)."),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        cx.asymmetry(survey_of(ratings(1)), **{"drivers": ["a", "b"], **options})


# ---------------------------------------------------------------------- size and power
@pytest.mark.slow
def test_few_null_surveys_raise_an_alarm_and_half_the_planted_gap_is_found():
    """Straight lines: any must-be or delighter among eight drivers. Planted gaps: .40 of the report, .18 of the meal.

    Measured: 11 of 300; half the gap of the report in 95 of 100 at a base of 2,400; all of the meal's in 40 of 40 at 5,600,
    half of it (.09) in 14 of 30 only.
    """
    alarms = sum(found_in(ratings(s)).table["kind"].isin(["must-be", "delighter"]).any() for s in range(300))
    assert alarms <= 28
    half = [found_in(ratings(s, 2400, must_be=0.2)).table.set_index("driver")["kind"] for s in range(1000, 1100)]
    assert sum(kinds["f"] == "must-be" for kinds in half) >= 80
    meal = [found_in(ratings(s, 5600, delighter=0.18)).table.set_index("driver")["kind"] for s in range(2000, 2040)]
    assert sum(kinds["g"] == "delighter" for kinds in meal) >= 32


# ---------------------------------------------------------------------- odd input
def refused(message: str, *args, **options) -> None:
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        cx.asymmetry(*args, **options)


def test_a_must_be_of_an_outcome_of_which_less_is_better():
    df = ratings(3, 2000, must_be=0.25)
    df["satisfaction"] = 10 - df["satisfaction"]
    survey = survey_of(df)
    effort = replace(
        survey.codebook.get("satisfaction", Item("satisfaction")), higher_is_better=False, scale=(0.0, 10.0)
    )
    survey = replace(survey, codebook=survey.codebook.with_items(effort))
    turned = cx.asymmetry(survey, drivers=NAMES).table.set_index("driver")
    plain = found_in(df.assign(satisfaction=10 - df["satisfaction"])).table.set_index("driver")
    assert turned["kind"].tolist() == plain["kind"].tolist()
    assert turned.loc["f", "kind"] == "must-be"
    assert turned["below"].to_numpy() == pytest.approx(-plain["below"].to_numpy())


def test_the_detectable_bend_is_that_of_the_adjusted_test(bent):
    from scipy import stats

    found = found_in(bent, straight_liners="keep")
    row = found.table.iloc[0]
    df = len(bent) - 1 - 17
    expected = (stats.t.ppf(1 - 0.05 / 8 / 2, df) + stats.norm.ppf(0.8)) * row["se"]
    assert row["detectable"] == pytest.approx(expected, rel=1e-4)


def test_shares_texts_and_results_are_refused(demo):
    wave = demo.where(wave="2025-12")
    refused(
        "outcome 'top2(satisfaction)' has two values; asymmetry carries points of a rating along a straight line, which a share does "
        "not follow: name the rating itself.",
        wave, "top2(satisfaction)", ["queue", "doctor"],
    )  # fmt: skip
    refused("drivers is the text 'queue'; give a list of names: ['queue'].", wave, drivers="queue")
    result = cx.key_drivers(wave, drivers=["queue", "doctor"], replicates=0)
    refused(
        "survey is a DriverResult; asymmetry starts from a Survey: pass the one that the result was made from.", result
    )


def test_a_driver_that_nobody_was_asked_about(demo):
    early = demo.where(wave="2024-07")
    refused(
        "drivers: 1 of 3 have no answer among the 400 respondents ('parking'); leave them out or widen the filter.",
        early, drivers=["queue", "doctor", "parking"],
    )  # fmt: skip
    found = cx.asymmetry(early)
    assert "parking" not in found.table["driver"].tolist()
    assert "Not tested, because none of these respondents answered them: Parking." in [n["en"] for n in found.notes]


def test_fewer_respondents_than_slopes(demo):
    few = demo.where(wave="2025-12", clinic=2)
    with pytest.raises(
        SurveyError, match=r"^drivers: \d+ respondents answered all of them, and bent slopes take \d+ columns; at least"
    ):
        cx.asymmetry(few)
