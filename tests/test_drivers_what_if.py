"""What if, budgets and headroom: by hand, on the demo study, under the null, and what is refused."""

import re
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.survey import Roles, Survey

mpl.use("Agg")
ROOT = Path(__file__).parents[1]
NAMES = ["queue", "doctor", "meal"]
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")


def frame(seed=1, base=300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = np.clip(np.round([5, 7.5, 6] + rng.normal(size=(base, 1)) + 1.8 * rng.normal(size=(base, 3))), 0, 10)
    y = 1 + x @ [0.5, 0.3, 0.1] + rng.normal(size=base)
    df = pd.DataFrame(x, columns=NAMES).assign(satisfaction=y, w=rng.uniform(0.5, 2, base), u=np.arange(base) // 3)
    return df.assign(card=np.arange(base) % 3 + 1)


def survey_of(df=None, scales=(0.0, 10.0), roles=None, down=(), **parts) -> Survey:
    survey = Survey.from_frame(frame() if df is None else df, **{"weight": "w", "psu": "u", **parts})
    items = [replace(survey.codebook.get(n, Item(n)), scale=scales, higher_is_better=n not in down) for n in NAMES]
    return replace(survey, codebook=survey.codebook.with_items(*items), roles=roles or Roles())


def asked(survey=None, outcome="satisfaction", **options):
    return cx.what_if(survey or survey_of(), outcome, **{"drivers": NAMES, "replicates": 200, **options})


def regression(df) -> np.ndarray:
    root = np.sqrt(df["w"].to_numpy())[:, None]
    x = np.column_stack([np.ones(len(df)), df[NAMES]])
    return np.linalg.lstsq(x * root, df["satisfaction"].to_numpy() * root[:, 0], rcond=None)[0][1:]


@pytest.fixture(scope="module")
def demo() -> Survey:
    return cx.open_study(ROOT / "data" / "healthcheck").survey()


# ---------------------------------------------------------------------- gains
def test_gains_are_coefficients_times_what_the_scale_leaves_room_for():
    df = frame()
    found = asked(survey_of(df), changes={"doctor": 2, "queue": -1}).table.set_index("driver")
    b, x = dict(zip(NAMES, regression(df), strict=True)), df[NAMES]
    moved = {d: np.average(np.clip(x[d] + c, 0, 10) - x[d], weights=df["w"]) for d, c in (("doctor", 2), ("queue", -1))}
    for d, m in moved.items():
        assert found.loc[d, "effective_change"] == pytest.approx(m, abs=1e-12)
        assert found.loc[d, "estimate"] == pytest.approx(b[d] * m, abs=1e-12)
    assert 1 < moved["doctor"] < 1.8  # the scale binds
    together = found.loc["together"]
    assert together["estimate"] == pytest.approx(sum(b[d] * m for d, m in moved.items()), abs=1e-12)
    assert together["before"] == pytest.approx(np.average(df["satisfaction"], weights=df["w"]))
    assert together["after"] == pytest.approx(together["before"] + together["estimate"])
    assert (found["low"] < found["estimate"]).all()
    assert (found["estimate"] < found["high"]).all()


def test_the_standard_error_is_that_over_the_same_replicates():
    df = frame()
    survey = survey_of(df)
    found = asked(survey, changes={"doctor": 2}, seed=7)
    from cxlab.design import resolve

    gains = []
    for multipliers, piece in resolve(survey).bootstrap(200, 7, np.arange(len(df))):
        for m in multipliers:
            own = df.assign(w=df["w"] * m[piece])
            room = np.clip(own["doctor"] + 2, 0, 10) - own["doctor"]
            gains.append(regression(own)[1] * np.average(room, weights=own["w"]))
    assert found.table["se"].iloc[0] == pytest.approx(np.std(gains, ddof=1), rel=1e-5)
    np.testing.assert_allclose(found.replicates["all"], gains, rtol=1e-4)


def test_segments_have_their_own_room_and_the_coefficients_of_all():
    df = frame()
    df.loc[df["card"] == 1, "doctor"] = 10.0  # nobody there can move up
    df["satisfaction"] = 1 + df[NAMES] @ [0.5, 0.3, 0.1] + np.random.default_rng(5).normal(size=len(df))
    table = asked(survey_of(df), changes={"doctor": 1}, by="card").table
    each = table[table["driver"] == "together"].set_index("segment")
    assert each.loc[1, "estimate"] == each.loc[1, "se"] == 0
    assert table["effect"].dropna().nunique() == 1
    assert table["effect"].iloc[0] == pytest.approx(regression(df)[1])
    part = df[df["card"] == 2]
    assert each.loc[2, "before"] == pytest.approx(np.average(part["satisfaction"], weights=part["w"]))
    room = np.average(np.clip(part["doctor"] + 1, 0, 10) - part["doctor"], weights=part["w"])
    assert each.loc[2, "effective_change"] == pytest.approx(room)
    assert each.loc[2, "base"] == len(part)


def test_small_segments_are_masked_and_unspoken():
    df = frame()
    df["card"] = np.where(np.arange(len(df)) < 20, 2, 1)
    found = asked(survey_of(df), changes={"doctor": 1}, by="card")
    assert set(found.table.loc[found.table["segment"] == 2, "reliability"]) == {"suppressed"}
    assert len(found.sentences("en")) == 1
    assert np.isnan(found.plot().lines[0].get_xdata()).sum() == 0


def test_boxes_move_as_many_as_round_over_the_boundary():
    rng = np.random.default_rng(8)
    df = pd.DataFrame({"queue": rng.integers(0, 9, 400).astype(float)})
    df["recommend"] = np.clip(np.round(0.5 * df["queue"] + 4 + rng.normal(size=400)), 0, 10)
    survey = Survey.from_frame(df)
    items = [replace(survey.codebook[n], scale=(0.0, 10.0)) for n in df]
    survey = replace(
        survey, codebook=survey.codebook.with_items(*items), roles=Roles(outcomes={"recommend": ("recommend",)})
    )
    found = cx.what_if(survey, "recommend", changes={"queue": 1}, drivers=["queue"], replicates=100)
    boxes, shift = found.boxes.set_index("metric"), float(found.table["effect"].iloc[0])  # everybody has room
    y = df["recommend"]
    assert 0 < shift < 1
    assert boxes.loc["top2", "before"] == pytest.approx((y >= 9).mean())
    assert boxes.loc["top2", "estimate"] == pytest.approx(shift * (y == 8).mean())
    assert boxes.loc["nps", "before"] == pytest.approx(100 * ((y >= 9).mean() - (y <= 6).mean()))
    assert boxes.loc["nps", "estimate"] == pytest.approx(100 * shift * ((y == 8).mean() + (y == 6).mean()))
    assert "approximations" in " ".join(n["en"] for n in found.notes)


def test_no_boxes_without_whole_answers_and_no_nps_but_of_recommendation(demo):
    assert asked(changes={"queue": 1}).boxes.empty
    wave = demo.where(wave="2025-12")
    found = cx.what_if(wave, changes={"queue": 1}, replicates=100)
    assert found.boxes["metric"].tolist() == ["top2"]


@pytest.mark.parametrize("outcome", ["top2(satisfaction)", "satisfaction >= 9"])
def test_headroom_is_of_ratings_alone(demo, outcome):
    wave = demo.where(wave="2025-12")
    told = (
        f"outcome {outcome!r} has two values; headroom carries points of a rating along a straight line, which a share does not follow: name "
        "the rating itself; what_if(...).boxes has the change of its top-2 and NPS."
    )
    options = {"drivers": ["queue", "doctor"], "replicates": 100}
    with pytest.raises(SurveyError, match=f"^{re.escape(told)}$"):
        cx.headroom(wave, outcome, target=8, **options)
    with pytest.raises(SurveyError, match=f"^{re.escape(told)}$"):  # nor by way of a result
        cx.headroom(cx.key_drivers(wave, outcome, **options), target=8)


# ---------------------------------------------------------------------- NPS and shares
def fitted(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weighted least squares by the normal equations."""
    design = np.column_stack([np.ones(len(x)), x])
    return np.linalg.solve((design.T * w) @ design, (design.T * w) @ y)[1:]


def with_classes(df: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(12)
    likely = 1 / (1 + np.exp(-(df["queue"] + df["doctor"] - 12) / 3))
    recommend = np.clip(np.round(df["satisfaction"] + 1 + rng.normal(size=len(df))), 0, 10)
    return df.assign(recommend=recommend, renewed=(rng.random(len(df)) < likely).astype(float))


@pytest.mark.parametrize(
    ("outcome", "unit", "counted"),
    [
        ("nps(recommend)", "nps", lambda d: 100.0 * (d["recommend"] >= 9) - 100.0 * (d["recommend"] <= 6)),
        ("renewed", "share", lambda d: d["renewed"]),
        ("satisfaction >= 6", "share", lambda d: (d["satisfaction"] >= 6).astype(float)),
        ("detractors(recommend)", "share", lambda d: (d["recommend"] <= 6).astype(float)),
    ],
)
def test_nps_and_shares_follow_the_one_formula(outcome, unit, counted):
    df = with_classes(frame(base=40))
    found = asked(survey_of(df, psu=None), outcome=outcome, changes={"doctor": 2, "queue": -1})
    y, w, x = counted(df).to_numpy(), df["w"].to_numpy(), df[NAMES]
    b = dict(zip(NAMES, fitted(x.to_numpy(), y, w), strict=True))
    table = found.table.set_index("driver")
    for d, change in (("doctor", 2), ("queue", -1)):
        room = np.average(np.clip(x[d] + change, 0, 10) - x[d], weights=w)
        assert table.loc[d, "effect"] == pytest.approx(b[d], abs=1e-10)
        assert table.loc[d, "estimate"] == pytest.approx(b[d] * room, abs=1e-10)
    together = table.loc["together"]
    assert together["before"] == pytest.approx(np.average(y, weights=w), abs=1e-12)
    assert together["after"] - together["before"] == pytest.approx(table["estimate"].iloc[:2].sum(), abs=1e-12)
    assert found.kind == unit
    assert found.boxes.empty


def test_by_hand_on_four_respondents_of_each_kind():
    """Queue 2 and 4; of eight at 2 two renewed, of eight at 4 six: .25 and .75, so .25 a point, and 25 points of NPS a point."""
    df = pd.DataFrame(
        {"queue": np.repeat([2.0, 4.0], 8), "renewed": [1.0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0]}
    )
    df["recommend"] = np.repeat([5.0, 9, 7, 10, 6, 8], [4, 2, 2, 4, 2, 2])  # 2 − 4 of 8, and 4 − 2 of 8
    survey = Survey.from_frame(pd.concat([df] * 5, ignore_index=True))
    items = [
        replace(survey.codebook["queue"], scale=(0.0, 10.0)),
        replace(survey.codebook["recommend"], scale=(0.0, 10.0)),
    ]
    survey = replace(survey, codebook=survey.codebook.with_items(*items))
    options = {"changes": {"queue": 1}, "drivers": ["queue"], "replicates": 100}
    share = cx.what_if(survey, "renewed", **options).table.iloc[-1]
    assert share[["before", "estimate", "after"]].tolist() == pytest.approx([0.5, 0.25, 0.75], abs=1e-12)
    nps = cx.what_if(survey, "nps(recommend)", **options).table.iloc[-1]
    assert nps[["before", "estimate", "after"]].tolist() == pytest.approx([0.0, 25.0, 25.0], abs=1e-11)
    beyond = cx.what_if(survey, "renewed", **{**options, "changes": {"queue": 3}})
    assert beyond.table.iloc[-1]["after"] == pytest.approx(1.25)
    note = next(n for n in beyond.notes if "straight line leads" in n["en"])
    assert note["en"] == (
        "The straight line leads to 125.0% for renewed = 1, which can only lie between 0% and 100%: the changes are too large for this model."
    )
    assert (
        note["zh"]
        == "按直线推算，“renewed = 1”将达 125.0%，超出 0% 至 100% 的可能范围：设定的变动过大，本模型不再适用。"
    )
    assert not any("straight line leads" in n["en"] for n in cx.what_if(survey, "renewed", **options).notes)
    far = cx.what_if(survey, "nps(recommend)", **{**options, "changes": {"queue": 6}})
    assert "leads to +150.0 for NPS, which can only lie between −100 and 100" in " ".join(n["en"] for n in far.notes)


def test_two_values_count_as_shares_whatever_their_codes():
    df = with_classes(frame())
    once = asked(survey_of(df), outcome="renewed", changes={"queue": 1})
    coded = asked(survey_of(df.assign(renewed=3 + 4 * df["renewed"])), outcome="renewed", changes={"queue": 1})
    pd.testing.assert_frame_equal(once.table, coded.table)
    assert "“renewed = 7” is carried along a straight line" in coded.notes[2]["en"]


def test_a_rating_of_which_a_filter_leaves_two_answers_is_still_a_rating():
    df = frame().assign(satisfaction=lambda d: d["satisfaction"].round())
    low = df["satisfaction"].value_counts().index[:2]
    survey = survey_of(df.assign(kept=df["satisfaction"].isin(low).astype(float))).where(kept=1)
    found = asked(survey, changes={"queue": 1})
    assert found.kind == "points"
    assert found.table["before"].iloc[0] == pytest.approx(
        np.average(df["satisfaction"], weights=df["w"] * df["satisfaction"].isin(low))
    )


def test_the_demo_predicts_nps_as_about_its_boxes_do(demo):
    changes = {"changes": {"queue": 1, "doctor": 0.5}, "replicates": 200}
    boxes = cx.what_if(demo, "recommend", **changes).boxes.set_index("metric").loc["nps"]
    found = cx.what_if(demo, "nps(recommend)", **changes)
    row = found.table.iloc[-1]
    assert row["before"] == pytest.approx(boxes["before"], abs=1e-9)
    assert row["estimate"] == pytest.approx(11.04, abs=0.05)
    assert boxes["estimate"] == pytest.approx(
        9.44, abs=0.05
    )  # one shift for all; NPS' own slope of queueing is steeper
    assert found.sentences("en")[0].text == (
        "If everybody rated queueing 1 point higher (on average +0.99) and doctors 0.5 points higher (on average +0.45), as far as the scale "
        "allows, NPS would be expected at +13.8 instead of +2.8: +11.0 (95% interval +9.8 to +12.2). This carries an association over to "
        "a change; it is no proof of an effect."
    )
    assert (
        "“净推荐值”的预期值将由 +2.8 变为 +13.8，即 +11.0（95% 区间 +9.8 至 +12.2）。" in found.sentences("zh")[0].text
    )


def test_the_demo_says_renewals_in_percentage_points(demo):
    found = cx.what_if(demo, "renewed", changes={"queue": 1}, replicates=200)
    assert (
        "the share of “Renewed within 12 months (customer records) = yes” would be expected at 69.1% instead of 67.9%: "
        "+1.2 percentage points (95% interval +0.4 to +2.1)."
    ) in found.sentences("en")[0].text
    assert (
        "的预期比例将由 67.9% 变为 69.1%，即 +1.2 个百分点（95% 区间 +0.4 至 +2.1）。" in found.sentences("zh")[0].text
    )
    assert {"69.1%", "+1.2 pp"} <= set(re.findall(r">([^<>]+)</td>", found._repr_html_()))
    planned = cx.what_if(demo, "renewed", cost={"queue": 1, "doctor": 0.5}, budget=1, replicates=100)
    assert "such a choice goes with +1.2 percentage points of “Renewed" in planned.sentences("en")[0].text
    assert "= 是”+1.2 个百分点（95% 区间" in planned.sentences("zh")[0].text
    ax = planned.plot(lang="en")
    assert ax.get_title(loc="left").endswith("= yes”, in percentage points")
    assert max(t.get_position()[0] for t in ax.texts) > 1  # drawn in percentage points
    mpl.pyplot.close("all")


def test_of_normal_drivers_the_line_is_the_mean_slope_of_nps():
    """By Stein's lemma: with normal drivers and no ends of the scale, least squares gives the mean derivative of any outcome."""
    rng = np.random.default_rng(4)
    spread, noise = rng.normal(size=(400_000, 3)), rng.normal(size=400_000)

    def score(x):
        answer = np.clip(np.round(7.5 + x @ [0.8, 0.4, 0.0] + 0.8 * noise[: len(x)]), 0, 10)
        return answer, (100 * ((answer >= 9).mean() - (answer <= 6).mean()))

    moved = spread + np.array([0.1, 0, 0])
    truth = score(moved)[1] - score(spread)[1]
    df = pd.DataFrame(spread[:20_000], columns=NAMES).assign(recommend=score(spread[:20_000])[0])
    row = cx.what_if(
        Survey.from_frame(df), "nps(recommend)", changes={"queue": 0.1}, drivers=NAMES, replicates=200
    ).table.iloc[-1]
    room = row["effective_change"] / 0.1  # the ends seen bind a handful
    assert abs(row["estimate"] / room - truth) < 4 * np.hypot(row["se"], 0.03)


def test_a_share_that_is_a_straight_line_is_found():
    rng = np.random.default_rng(6)
    df = pd.DataFrame(rng.integers(0, 11, (6000, 2)).astype(float), columns=["queue", "doctor"])
    df["renewed"] = (rng.random(6000) < 0.2 + 0.04 * df["queue"] + 0.01 * df["doctor"]).astype(float)
    both = {"drivers": ["queue", "doctor"], "changes": {"queue": 1, "doctor": 1}}
    found = cx.what_if(Survey.from_frame(df), "renewed", **both, replicates=300).table.iloc[:2]
    assert np.all(np.abs(found["effect"] - [0.04, 0.01]) < 4 * found["se"] / found["effective_change"])


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("satisfaction", 1), ("effort", -1), ("satisfaction >= 9", 1), ("satisfaction <= 4", -1), ("effort <= 2", 1), ("effort > 5", -1),
     ("top2(effort)", 1), ("nps(recommend)", 1), ("detractors(recommend)", -1), (" promoters(recommend)", 1)],
)  # fmt: skip
def test_which_way_an_outcome_is_better(demo, outcome, expected):
    from cxlab.drivers._scenario import better

    assert better(demo, outcome) == expected


def test_of_effort_the_gap_that_makes_it_worse_is_not_recommended(demo):
    wave = demo.where(wave=["2025-07", "2025-08", "2025-09", "2025-10", "2025-11", "2025-12"])
    found = cx.headroom(wave, "effort", ["queue", "doctor", "changing"], by="card", replicates=200)
    worse = found.table.set_index("driver").loc["changing"]
    assert worse["low"] > 0  # surely different, and for the worse
    assert [s.text for s in found.sentences("en")] == [
        "For no driver does closing the gap go with a better outcome by more than chance."
    ]
    assert [s.text for s in found.sentences("zh")] == ["没有哪个因素的差距补齐后，对应的结果改善超出抽样误差。"]
    gained = cx.headroom(wave, "effort", ["queue", "doctor", "changing"], target=9, replicates=200)
    assert gained.sentences("en")[0].text.startswith(
        "Most is to be expected from queueing: at its target of 9 instead of 5.0, customer effort"
    )


def test_what_is_forced_in_stays_when_rows_must_be_complete(demo):
    wave = demo.where(wave="2025-12")
    options = {"drivers": ["queue", "doctor"], "always": ["age"], "replicates": 100}
    listwise = cx.headroom(cx.key_drivers(wave, **options), target=9)
    em = cx.headroom(cx.key_drivers(wave, missing="em", **options), target=9)
    pd.testing.assert_frame_equal(listwise.table, em.table)
    assert (
        em.notes[1]["en"]
        == 'The importances were computed with missing="em"; means and effects here are those of complete rows.'
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: cx.headroom(s, by="queue", replicates=100), "by is 'queue', which is a driver or the outcome; name a segment, or use target=."),
        (lambda s: cx.what_if(s, changes=["queue"], replicates=100), "changes is ['queue']; give a number for each driver: changes={driver: 1}."),
        (lambda s: cx.what_if(s, changes={"queue": "one", "doctor": 1}, replicates=100), "changes: 1 of 2 values are no numbers: 'queue' ('one')."),
        (lambda s: cx.what_if(cx.key_drivers(s, drivers=["queue", "doctor"], replicates=0), changes={"queue": 1}),
         "survey is a DriverResult; what_if starts from a Survey: pass the one that the result was made from."),
        (lambda s: cx.headroom(cx.key_drivers(s, drivers=["queue", "doctor"], by="card", replicates=0), target=9),
         "survey is a SegmentDriverResult; headroom starts from a Survey: pass the one that the result was made from."),
        (lambda s: cx.first_to_fix(cx.key_drivers(s, drivers=["queue", "doctor"], by="card", replicates=0), s),
         "result is a SegmentDriverResult; pass what key_drivers returns without by=, one segment at a time (survey.where)."),
    ],
)  # fmt: skip
def test_things_in_the_place_of_others(demo, call, message):
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        call(demo.where(wave="2025-12"))


def test_the_demo_says_what_a_point_of_queueing_goes_with(demo):
    found = cx.what_if(demo, changes={"queue": 1}, replicates=200)
    row = found.table.iloc[-1]
    assert row["effective_change"] == pytest.approx(0.99, abs=0.005)
    assert row["estimate"] == pytest.approx(0.323 * row["effective_change"], abs=0.002)
    assert found.sentences("en")[0].text == (
        "If everybody rated queueing 1 point higher (on average +0.99), as far as the scale allows, overall satisfaction would be "
        "expected at 6.61 instead of 6.29: +0.32 (95% interval +0.29 to +0.35). This carries an association over to a change; it is no "
        "proof of an effect."
    )
    assert found.sentences("zh")[0].text == (
        "若“排队等候”的评分普遍提高 1 分（平均实际变动 +0.99 分）（以量表上下限为限），“总体满意度”的预期均值将由 6.29 变为 6.61，即 +0.32"
        "（95% 区间 +0.29 至 +0.35）。这是由关联推算，并非因果效应的证明。"
    )


# ---------------------------------------------------------------------- budgets
COST = {"queue": 3.0, "doctor": 2.0, "meal": 1.0}


def test_the_best_set_is_the_best_affordable_one():
    table = asked(cost=COST, budget=5).table.set_index("driver")
    assert table.loc[["queue", "doctor", "meal"], "change"].tolist() == [1, 1, 0]
    assert table.loc["together", "cost"] == 5
    assert table.loc["queue", "chosen"] > 0.95


def test_steps_of_a_point_up_to_the_change_named():
    table = asked(cost=COST, budget=7.5, changes={"queue": 2.5, "doctor": 1, "meal": 1}).table.set_index("driver")
    assert table.loc["queue", "change"] == 2.5
    assert table.loc["together", "cost"] == 7.5


def test_without_a_limit_all_helpful_drivers_are_chosen():
    rng = np.random.default_rng(2)
    df = frame()
    df["satisfaction"] = df["queue"] - 0.5 * df["doctor"] + 0.4 * df["meal"] + rng.normal(size=len(df))
    table = asked(survey_of(df), cost=COST, budget=float("inf")).table.set_index("driver")
    assert table.loc[NAMES, "change"].tolist() == [1, 0, 1]


def test_doubling_all_money_changes_nothing():
    once = asked(cost=COST, budget=4)
    twice = asked(cost={k: 2 * v for k, v in COST.items()}, budget=8)
    columns = ["driver", "change", "estimate", "se", "chosen"]
    pd.testing.assert_frame_equal(once.table[columns], twice.table[columns])
    assert once.plan["honest"].iloc[0] == twice.plan["honest"].iloc[0]


def test_less_is_better_moves_down_and_a_bad_outcome_too():
    df = frame()
    df["doctor"] = 10 - df["doctor"]  # waiting, say
    found = asked(survey_of(df, down=("doctor",)), cost=COST, budget=5).table.set_index("driver")
    assert found.loc["doctor", "change"] == -1
    assert found.loc["doctor", "effective_change"] < 0 < found.loc["doctor", "estimate"]
    survey = survey_of(df.assign(satisfaction=-df["satisfaction"]), down=("doctor",))
    items = survey.codebook.with_items(replace(survey.codebook["satisfaction"], higher_is_better=False))
    worse = asked(replace(survey, codebook=items), cost=COST, budget=5)
    assert worse.table.set_index("driver").loc["queue", "estimate"] < 0  # less of what is bad
    assert worse.plan["honest"].iloc[0] < 0


def test_nothing_is_said_to_help_where_nothing_is_affordable():
    found = asked(cost=COST, budget=0.5)
    assert found.table["estimate"].eq(0).all()
    assert found.sentences("en")[0].text == "No affordable change goes with a higher satisfaction at a budget of 0.5."


def null(seed: int) -> Survey:
    rng = np.random.default_rng(seed)
    df = pd.DataFrame(rng.integers(2, 9, (240, 6)).astype(float), columns=list("abcdef"))
    return Survey.from_frame(df.assign(satisfaction=rng.normal(size=240)))


def test_under_the_null_the_honest_gain_is_nothing_and_the_naive_one_is_not():
    plans = pd.concat([
        cx.what_if(null(seed), drivers=list("abcdef"), cost=dict.fromkeys("abcdef", 1.0), budget=2, replicates=100, seed=seed).plan
        for seed in range(24)
    ])  # fmt: skip
    error = plans["honest"].std() / np.sqrt(len(plans))
    assert abs(plans["honest"].mean()) < 4 * error
    assert (plans["honest"] < plans["naive"]).all()
    assert plans["naive"].mean() > 5 * error
    assert plans["same_set"].max() < 0.9  # and the tool says how unsure the choice is


def test_the_honest_gain_is_nearer_the_truth_where_effects_are_weak():
    """120 surveys like these: naive .196, honest .128, true .139; intervals cover .88 and .98."""
    slopes, names, gains = np.array([0, 0, 0.05, 0.05, 0.1, 0.1]), list("abcdef"), []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        df = pd.DataFrame(rng.integers(2, 9, (240, 6)).astype(float), columns=names)
        df["satisfaction"] = df[names] @ slopes + 1.5 * rng.normal(size=240)
        survey = Survey.from_frame(df)
        found = cx.what_if(survey, drivers=names, cost=dict.fromkeys(names, 1.0), budget=2, replicates=100, seed=seed)
        true = slopes @ found.table.set_index("driver").loc[names, "effective_change"]
        gains.append((*found.plan[["naive", "honest"]].iloc[0], true))
    naive, honest, true = np.mean(gains, axis=0)
    assert naive > true + 0.03
    assert abs(honest - true) < 0.5 * (naive - true)


def test_a_clear_choice_loses_nothing(demo):
    found = cx.what_if(demo, cost={"queue": 3, "report": 2, "doctor": 4, "info": 1}, budget=6, replicates=100)
    plan = found.plan.iloc[0]
    assert plan["same_set"] == 1
    assert plan["honest"] == pytest.approx(plan["naive"], abs=0.01)
    said = found.sentences("en")[0].text
    assert said.startswith("The best use of a budget of 6 is Queueing +1, Report +1, Preparation notes +1 (cost 6).")
    assert "cause" not in said
    assert found.sentences("zh")[0].text.startswith(
        "预算为 6 时，最佳组合是排队等候 +1、报告 +1、检前须知 +1（花费 6）。"
    )


def test_pictures_show_every_gain(demo):
    wave = demo.where(wave="2025-12")
    labels = lambda ax: [t.get_text() for t in ax.get_yticklabels()]  # noqa: E731
    found = cx.what_if(wave, changes={"queue": 1, "report": -2}, replicates=100)
    assert labels(found.plot(lang="zh")) == ["排队等候 +1", "报告 −2", "合计"]
    planned = cx.what_if(wave, cost={"queue": 1, "report": 5}, budget=2, replicates=100)
    assert labels(planned.plot(lang="en")) == ["Queueing +1", "Together, on the same data", "Together, on others"]
    by = cx.what_if(wave, changes={"queue": 1}, by="card", replicates=100)
    assert labels(by.plot(lang="en")) == ["ordinary", "gold", "diamond"]
    mpl.pyplot.close("all")
    assert {"boxes"} == set(found.further())
    assert {"plan"} == set(planned.further())
    assert "cx.what_if(survey" in found.call
    assert found._repr_html_().count("<table") == 2
    assert "100" in found.methods("zh")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"changes": {"quue": 1}}, "changes names 1 column that is not in the drivers of the model: 'quue' (did you mean 'queue'?)."),
        ({}, 'changes is empty; name at least one driver: changes={"queue": +1}.'),
        ({"changes": {}}, 'changes is empty; name at least one driver: changes={"queue": +1}.'),
        (
            {"changes": {"queue": 11}},
            "changes: 'queue' is to move by +11 points, but its scale runs 0–10; at most 10 points are possible.",
        ),
        ({"changes": {"queue": float("nan")}}, "changes: 'queue' is nan; give a number of points."),
        ({"changes": {"queue": 1}, "budget": 3}, "budget is 3, but no cost is given; pass cost={driver: cost of one point}."),
        ({"cost": COST}, 'cost is given without budget; pass budget= (float("inf") for no limit).'),
        ({"cost": {"queue": -1.0}, "budget": 3}, "cost of 1 drivers is not a number of 0 or more: 'queue' (-1)."),
        ({"cost": COST, "budget": -2}, "budget is -2; it must be 0 or more."),
        ({"cost": {"quue": 1}, "budget": 1}, "cost names 1 column that is not in the drivers of the model: 'quue' (did you mean 'queue'?)."),
        (
            {"cost": COST, "budget": 1, "by": "card"},
            "by='card' and budget cannot be combined; use survey.where(...) for the best set of one segment.",
        ),
        (
            {"cost": COST, "budget": 1, "changes": {"queue": 1}},
            "changes and cost must name the same drivers; without a cost: none; without a change: 'doctor', 'meal'.",
        ),
        ({"cost": {}, "budget": 1}, "cost names 0 drivers; the best set is chosen among 1 to 15."),
        ({"changes": {"queue": 1}, "replicates": 20}, "replicates is 20; intervals need at least 100."),
    ],
)  # fmt: skip
def test_what_is_refused(options, message):
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        asked(**options)


def test_a_category_has_no_points():
    survey = survey_of()
    with pytest.raises(
        SurveyError, match=r"^changes names 1 factors \('factor\(card\)'\); a category has no points\.$"
    ):
        cx.what_if(survey, drivers=["queue", "factor(card)"], changes={"factor(card)": 1}, replicates=100)


def test_a_base_too_small_for_replicates_says_so():
    df = frame(base=6)
    message = r"^\d+ of \d+ sets of replicate weights leave a driver or 'satisfaction' without variation of its own: the base of 6 is too small; "
    with pytest.raises(SurveyError, match=message):
        asked(survey_of(df, psu=None), changes={"queue": 1})


# ---------------------------------------------------------------------- headroom
def test_gaps_to_a_target_by_hand():
    df = frame()
    found = cx.headroom(survey_of(df), drivers=NAMES, target={"queue": 7, "doctor": 6}, replicates=200).table.set_index(
        "driver"
    )
    mean = np.average(df["queue"], weights=df["w"])
    assert found.loc["queue", "gap"] == pytest.approx(7 - mean)
    assert found.loc["queue", "estimate"] == pytest.approx(regression(df)[0] * (7 - mean))
    assert found.loc["doctor", ["gap", "estimate", "se"]].tolist() == [0, 0, 0]  # reached
    assert "meal" not in found.index


def test_less_is_better_closes_its_gap_downwards():
    df = frame()
    df["doctor"] = 10 - df["doctor"]
    found = cx.headroom(survey_of(df, down=("doctor",)), drivers=NAMES, target=1.0, replicates=100).table.set_index(
        "driver"
    )
    mean = np.average(df["doctor"], weights=df["w"])
    assert found.loc["doctor", "gap"] == pytest.approx(mean - 1)
    assert found.loc["doctor", "effect"] < 0 < found.loc["doctor", "estimate"]
    assert found.loc["queue", "gap"] == 0  # more is better there, and 1 is passed


def test_the_demo_lags_most_where_diamond_is_treated_better(demo):
    found = cx.headroom(demo, by="card", replicates=200)
    assert found.table["driver"].head(2).tolist() == ["changing", "reception"]
    assert found.table["segment"].head(2).tolist() == [3, 3]
    assert found.table["best_share"].head(2).tolist() == [1, 1]
    assert found.table.set_index("driver").loc["queue", "low"] < 0
    said = found.sentences("en")[0].text
    assert said.startswith(
        "Most is to be expected from changing room: were everybody's average that of the group diamond (7.6 instead of 6.6), "
    )
    assert "“钻卡”组" in found.sentences("zh")[0].text
    ax = found.plot(lang="zh")
    assert ax.get_title(loc="left") == "补齐差距对应的变化：总体满意度"
    mpl.pyplot.close("all")


def test_the_best_of_equal_segments_is_no_gap():
    gaps, plain = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        df = frame(seed, 360).assign(card=rng.integers(1, 9, 360))
        row = (
            cx.headroom(survey_of(df, psu=None), drivers=NAMES, by="card", replicates=100)
            .table.set_index("driver")
            .loc["queue"]
        )
        gaps.append(row["gap"])
        plain.append(row["best"] - row["performance"])
    assert np.mean(plain) > 0.4  # what picking the highest of eight makes of nothing
    assert np.mean(gaps) < 0.15
    assert all(np.array(gaps) < np.array(plain))


def test_tiny_segments_are_no_mark():
    df = frame()
    df["card"] = np.where(np.arange(300) < 12, 3, np.arange(300) % 2 + 1)
    df.loc[df["card"] == 3, "queue"] = 10.0
    found = cx.headroom(survey_of(df), drivers=NAMES, by="card", replicates=100).table.set_index("driver")
    assert found.loc["queue", "segment"] in (1, 2)


def test_a_result_of_key_drivers_is_gone_on_from(demo):
    wave = demo.where(wave="2025-12")
    drivers = cx.key_drivers(wave, replicates=150, seed=4)
    again = cx.headroom(drivers, target=8)
    fresh = cx.headroom(wave, target=8, replicates=150, seed=4)
    pd.testing.assert_frame_equal(again.table, fresh.table)
    assert again.call == fresh.call


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "name one mark: by= (a segment, whose best group is meant) or target= (a number, or one per driver)."),
        ({"by": "card", "target": 7}, "name one mark: by= (a segment, whose best group is meant) or target= (a number, or one per driver)."),
        ({"target": {"queue": 12, "meal": 5}}, "target lies outside the scale of 1 of 2 drivers: 'queue' 12 (scale 0–10); targets are on the drivers' own scales, and may differ: target={driver: number}."),
        ({"target": {"quue": 5}}, "target names 1 column that is not in the drivers of the model: 'quue' (did you mean 'queue'?)."),
        ({"target": {}}, "target is empty; name at least one driver."),
        ({"target": "best"}, "target is 'best'; give a number, a number per driver, or 'study' for the declared targets."),
        (
            {"target": "study"},
            "target: the study declares none for the 3 drivers; add them under targets: in study.yml, or pass target={driver: number}.",
        ),
        ({"by": "one"}, "by: 'one' has 1 groups with an effective base of 30 or more; the best of them needs two."),
    ],
)  # fmt: skip
def test_what_headroom_refuses(options, message):
    survey = survey_of(frame().assign(one=1))
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        cx.headroom(survey, drivers=NAMES, replicates=100, **options)


def test_targets_of_the_study():
    survey = survey_of(roles=Roles(targets={"queue": 8.0, "nps": 10}))
    found = cx.headroom(survey, drivers=NAMES, target="study", replicates=100)
    assert found.table[["driver", "target"]].values.tolist() == [["queue", 8.0]]


# ---------------------------------------------------------------------- coverage
def clustered(seed: int, base: int = 600) -> pd.DataFrame:
    """Weights that depend on the outcome's stratum, 20 respondents per cluster that share part of everything."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(base // 20), 20)
    shared = rng.normal(size=(base // 20, 4))[group]
    x = np.clip(np.round(np.array([5, 7.5, 6]) + 0.8 * shared[:, :3] + 1.6 * rng.normal(size=(base, 3))), 0, 10)
    slope = 0.5 + 0.12 * shared[:, 3]
    y = 1 + slope * x[:, 0] + 0.3 * x[:, 1] + 0.1 * x[:, 2] + rng.normal(size=base)
    return pd.DataFrame(x, columns=NAMES).assign(satisfaction=y, w=np.where(x[:, 0] > 5, 0.5, 1.5), u=group)


@pytest.mark.slow
def test_intervals_of_gains_cover_in_clusters_and_naive_ones_do_not():
    truth_of = clustered(10**6, 400_000)
    room = np.average(np.clip(truth_of["queue"] + 2, 0, 10) - truth_of["queue"], weights=truth_of["w"])
    truth = regression(truth_of)[0] * room
    hits, naive, width = [], [], []
    options = {"changes": {"queue": 2}, "replicates": 150}
    for seed in range(300):
        df = clustered(seed)
        row = asked(survey_of(df), seed=seed, **options).table.iloc[-1]
        plain = asked(survey_of(df, psu=None), seed=seed, **options).table.iloc[-1]
        hits.append(row["low"] <= truth <= row["high"])
        naive.append(plain["low"] <= truth <= plain["high"])
        width.append(row["high"] - row["low"])
    assert 0.92 <= np.mean(hits) <= 0.98
    assert np.mean(naive) < 0.85
    assert np.mean(width) < 0.35
