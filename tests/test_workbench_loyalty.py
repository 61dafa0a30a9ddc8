"""The loyalty tab: live curves are the library's, the threshold comes at rest, and what cannot be answered is said."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.errors import SurveyError
from cxlab.loyalty import score_cube
from cxlab.survey import Roles
from cxlab.workbench import _loyalty
from cxlab.workbench._loyalty import LoyaltyTab
from cxlab.workbench._tab import Asked, View, defaults
from cxlab.workbench._workspace import Workspace

DATA = Path(__file__).parents[1] / "data"
FILTERS: tuple[dict[str, list[Any]], ...] = ({}, {"card": [3.0], "gender": [1.0]}, {"wave": [1.0, 2.0, 3.0]})
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")


@pytest.fixture(scope="module")
def demo() -> Workspace:
    return Workspace(cx.open_study(DATA / "healthcheck" / "study.yml"))


@pytest.fixture(scope="module")
def mobi() -> Workspace:
    return Workspace(cx.open_study(DATA / "mobi" / "study.yml"))


@pytest.fixture(scope="module")
def tab(demo: Workspace) -> LoyaltyTab:
    return LoyaltyTab(demo)


def asked(tab: LoyaltyTab, filter: dict[str, list[Any]] | None = None, lang: str = "en", **choice: Any) -> Asked:
    return Asked({**defaults(tab.controls()), **choice}, filter or {}, lang)


def dots(view: View | None) -> dict[tuple[Any, float], float]:
    """What was observed at each answer, by group."""
    assert view is not None
    return {(s["key"], x): y for s in view.spec["series"] if s["dots"] for x, y in zip(s["x"], s["y"], strict=True)}


# ------------------------------------------------------------------------------ one truth
@pytest.mark.parametrize("loyalty", ["renewed", "recommend", "effort"])
@pytest.mark.parametrize("filter", FILTERS, ids=["all", "segments", "waves"])
def test_the_cube_gives_the_curve_of_the_rows(demo, loyalty, filter):
    cube = score_cube(demo.survey, "satisfaction", loyalty, demo.splits)
    assert cube is not None
    live = cube.curve(filter)
    rows = cx.loyalty_link(demo.inside(filter), "satisfaction", loyalty, replicates=0)
    for column in ("point", "estimate", "base"):
        np.testing.assert_allclose(live.points[column], rows.table[column], atol=1e-10, rtol=0)
    np.testing.assert_allclose(live.smooth["smooth"], rows.smooth["smooth"], atol=1e-9, rtol=0)
    np.testing.assert_allclose(list(live.zones.values()), rows.zones["share"][:3], atol=1e-10, rtol=0)
    assert live.cuts == rows.cuts[:2]
    assert live.base == rows.base.respondents
    assert live.effective == pytest.approx(rows.base.effective)


@pytest.mark.parametrize("loyalty", ["renewed", "recommend"])
def test_jackknife_intervals_are_as_wide_as_those_of_the_design(demo, loyalty):
    cube = score_cube(demo.survey, "satisfaction", loyalty, demo.splits)
    assert cube is not None
    live, rows = cube.curve({}).points, cx.loyalty_link(demo.survey, "satisfaction", loyalty, replicates=0).table
    ratio = (live["high"] - live["low"]) / (rows["high"] - rows["low"])
    assert ratio.mean() == pytest.approx(1, abs=0.08)
    assert ratio.between(0.7, 1.4).all()


@pytest.mark.parametrize("by", [None, "card"])
def test_live_and_settled_show_the_same_shares(tab, by):
    question = asked(tab, {"gender": [1.0]}, by=by)
    live, settled = dots(tab.live(question)), dots(tab.settled(question))
    both = live.keys() & settled.keys()
    assert len(both) >= 0.9 * max(len(live), len(settled))  # an effective base near 30 may lie on either side
    for key in both:
        assert live[key] == pytest.approx(settled[key], abs=1e-10)


@pytest.mark.parametrize(
    "choice", [{}, {"by": "card"}, {"show": "map"}, {"show": "map", "by": "card"}, {"loyalty": "recommend"}]
)
def test_the_code_makes_the_same_result_again(tab, choice):
    view = tab.settled(asked(tab, {"gender": [1.0]}, **choice))
    names: dict[str, Any] = {}
    exec(view.code, names)
    assert view.result is not None
    pd.testing.assert_frame_equal(names["result"].table, view.result.table)


def test_live_code_is_that_of_the_settled_view(tab):
    question = asked(tab, by="card")
    live = tab.live(question)
    assert live is not None
    assert live.code == tab.settled(question).code
    assert live.code.splitlines()[-1] == "result = cx.loyalty_link(survey, 'satisfaction', 'renewed', by='card')"


# ------------------------------------------------------------------------------ what is said
def test_the_picture_has_the_planted_threshold_its_band_and_the_zones(tab):
    """The demo study bends at 8: README.md of data/healthcheck says so."""
    view = tab.settled(asked(tab))
    result = view.result
    assert isinstance(result, cx.LoyaltyLinkResult)
    row = result.threshold.iloc[0]
    assert view.spec["title"] == result.headline("en").text
    assert [round(line["at"], 6) for line in view.spec["lines"]] == [round(row["threshold"], 6)]
    assert re.fullmatch(r"threshold 8 \(7\.\d to [89][.\d]*\)", view.spec["lines"][0]["label"])
    bands = view.spec["bands"]
    assert [re.sub(r" \d+%", "", b["label"]) for b in bands] == ["Defection", "Indifference", "Affection", ""]
    assert (bands[3]["low"], bands[3]["high"]) == (row["low"], row["high"])
    assert (bands[0]["high"], bands[1]["high"]) == (6.5, 8.5)
    assert [s["name"] for s in view.spec["series"]] == [
        "smooth curve", "observed, 95 % interval", "observed, low base", "bent line",
    ]  # fmt: skip


def test_the_live_picture_has_no_threshold_and_says_when_it_comes(tab):
    view = tab.live(asked(tab))
    assert view is not None
    assert view.spec["lines"] == []
    assert "a threshold is looked for when the hand rests." in view.spec["note"]
    assert re.fullmatch(
        r"Renewed within 12 months .* goes from 40% to 88% as overall satisfaction goes from 0 to 10",
        view.spec["title"],
    )


def test_the_four_types_are_those_of_the_map(tab):
    question = asked(tab, show="map", by="card")
    assert tab.live(question) is None
    view = tab.settled(question)
    assert view.result is not None
    shown = {
        (row["label"].split(":")[0].lower(), m["series"]): m["value"] for row in view.spec["rows"] for m in row["marks"]
    }
    table = view.result.table
    assert len(shown) == len(table) == 12
    for r in table.itertuples():
        key = (view.result.label(r.type, "en", "type"), view.result.label(r.segment, "en", "segment"))
        assert shown[key] == r.estimate


@pytest.mark.parametrize("show", ["link", "map"])
@pytest.mark.parametrize("by", [None, "card"])
@pytest.mark.parametrize("loyalty", ["renewed", "recommend"])
def test_no_english_is_left_in_chinese(tab, show, by, loyalty):
    question = asked(tab, {"card": [1.0, 3.0]}, by=by, show=show, loyalty=loyalty, lang="zh")
    for view in (tab.live(question), tab.settled(question)):
        if view is None:
            assert show == "map"
            continue
        left = {w for text in (*_texts(view.spec), *view.lines) for w in re.findall(r"[A-Za-z]{2,}", text)}
        assert left <= {"Holm", "Rao", "Scott"}, left
        assert view.spec["lang"] == "zh"


def _texts(part: Any, name: str = "") -> list[str]:
    if isinstance(part, str):
        return [] if name in ("colour", "kind", "lang", "key") else [part]
    if isinstance(part, dict):
        return [t for k, v in part.items() for t in _texts(v, k)]
    return [t for v in part for t in _texts(v, name)] if isinstance(part, (list, tuple)) else []


def test_a_role_of_several_items_is_answered_at_rest(mobi):
    tab = LoyaltyTab(mobi)
    for lang in ("en", "zh"):
        question = asked(tab, lang=lang)
        assert question["satisfaction"] == "satisfaction"
        assert tab.live(question) is None
        view = tab.settled(question)
        assert view.result is not None
        assert view.spec["title"] == view.result.headline(lang).text
        assert (
            view.lines[-1]
            == {
                "en": "This is what customers say. If study.yml names a column of what they did, such as “renewal: renewed”, it can be chosen here.",
                "zh": "这里反映的是顾客的意向。若在 study.yml 中声明实际行为的列，例如 “renewal: renewed”，即可在此选择。",
            }[lang]
        )


# ------------------------------------------------------------------------------ small bases
def made(rows: int = 400, **columns: Any) -> cx.Survey:
    rng = np.random.default_rng(5)
    x = rng.integers(0, 11, rows).astype(float)
    frame = pd.DataFrame({"happy": x, "again": np.clip(np.round(x + rng.normal(0, 2, rows)), 0, 10), **columns})
    survey = cx.Survey.from_frame(frame)
    roles = replace(
        survey.roles, outcomes={"satisfaction": ("happy",), "repurchase": ("again",)},
        segments=tuple(c for c in columns if c != "again"),
    )  # fmt: skip
    return replace(survey, roles=roles)


def test_answers_under_30_have_no_dot_and_those_under_75_are_pale():
    x = np.repeat(np.arange(5.0), [20, 50, 100, 100, 130])
    survey = made(400, happy=x)
    tab = LoyaltyTab(Workspace(replace(survey, roles=replace(survey.roles, segments=()))))
    question = asked(tab)
    for view in (tab.live(question), tab.settled(question)):
        assert view is not None
        series = {s["faded"]: s["x"] for s in view.spec["series"] if s["dots"]}
        assert series == {False: [2.0, 3.0, 4.0], True: [1.0]}


def test_a_small_group_shows_no_type_shares():
    tab = LoyaltyTab(Workspace(made(400, card=np.where(np.arange(400) < 20, 2.0, 1.0))))
    view = tab.settled(asked(tab, show="map", by="card"))
    own = [m for row in view.spec["rows"] for m in row["marks"] if m["series"] == "2"]
    assert own == [{"series": "2", "hidden": "base 20: too small"}] * 4


# ------------------------------------------------------------------------------ what cannot be answered
def test_a_survey_without_outcomes_says_what_to_declare():
    tab = LoyaltyTab(Workspace(cx.Survey.from_frame(pd.DataFrame({"q": [1.0, 2, 3] * 20}))))
    lacking = tab.lacking()
    assert lacking is not None
    assert lacking["en"] == (
        "The study declares 0 of the two outcomes that a link needs: satisfaction, and what it is to lead to. Add to study.yml: “outcomes:” with two items, such "
        "as “{satisfaction: q1, recommend: q2}”; or “renewal: renewed”, a column of 0 and 1 that says who came again."
    )
    assert "只声明了 0 个。请在 study.yml 中添加 “outcomes:”" in lacking["zh"]


def test_one_outcome_is_not_enough():
    survey = made()
    survey = replace(survey, roles=replace(survey.roles, outcomes={"satisfaction": ("happy",)}))
    lacking = LoyaltyTab(Workspace(survey)).lacking()
    assert lacking is not None
    assert lacking["en"].startswith("The study declares 1 of the two outcomes that a link needs")


@pytest.mark.parametrize(
    ("lang", "choice", "filter", "message"),
    [
        ("en", {"loyalty": "satisfaction"}, {},
         "“Overall satisfaction” stands on both sides; choose another question under “Satisfaction” or “Loyalty”."),
        ("zh", {"loyalty": "satisfaction"}, {}, "“满意度指标”与“忠诚度指标”选择了同一题目（总体满意度），请更换其中之一。"),
        ("en", {"by": "wave"}, {},
         "“Wave” has 24 groups among these respondents; up to 7 can stand side by side: choose fewer values above, or another segment."),
        ("zh", {"by": "wave"}, {}, "所选受访者中“调查月份”有 24 组，最多可并列 7 组：请在上方减少取值，或改选其他分组。"),
        ("zh", {"by": "card"}, {"card": [1.0]},
         "所选受访者中“会员卡”只有 1 个取值，至少需要两个才能对比：请在上方增加取值，或在“分组对比”中选择不分组。"),
        ("en", {}, {"wave": [24.0]},
         "0 of these respondents answered both questions; at least 60 are needed to look for a bend: choose more waves or values above. A behaviour that lies "
         "ahead of the last waves is not known yet."),
        ("zh", {}, {"wave": [24.0]}, "所选受访者中只有 0 名两题均有数据，至少需要 60 名才能检验拐点：请在上方增加期次或取值。最近几期的后续行为可能尚无记录。"),
    ],
)  # fmt: skip
def test_bad_choices_are_said_at_once_in_both_languages(tab, lang, choice, filter, message):
    question = asked(tab, filter, lang, **choice)
    tab.live(asked(tab))
    for answer in (tab.live, tab.settled):
        start = time.process_time()
        with pytest.raises(SurveyError) as caught:
            answer(question)
        assert str(caught.value) == message
        assert time.process_time() - start < 0.3


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"again": 7.0}, "“again” is 7 for all 400 of these respondents; there is nothing to explain: choose more above."),
        ({"happy": np.repeat([1.0, 2.0, 3.0, 4.0], 100)},
         "“happy” has 4 different answers among these respondents; at least 5 are needed to tell a bend from a line: choose more above, or another question."),
    ],
)  # fmt: skip
def test_answers_that_are_too_much_alike_are_said(columns, message):
    tab = LoyaltyTab(Workspace(made()))
    survey = made(400, **columns)
    worse = LoyaltyTab(Workspace(replace(survey, roles=replace(survey.roles, segments=()))))
    question = asked(tab)
    for answer in (worse.live, worse.settled):
        with pytest.raises(SurveyError) as caught:
            answer(question)
        assert str(caught.value) == message


def test_with_many_rows_the_work_is_bounded_and_said(demo, monkeypatch):
    monkeypatch.setattr(_loyalty, "_MANY_ROWS", 5_000)
    monkeypatch.setattr(_loyalty, "_AT_ONCE", 5_000)
    tab = LoyaltyTab(demo)
    question = asked(tab)
    assert tab.live(question) is None  # the worker builds the cube
    view = tab.settled(question)
    assert view.code.splitlines()[-1] == (
        "result = cx.loyalty_link(survey, 'satisfaction', 'renewed', knots=[4.0, 5.0, 6.0, 7.0, 8.0, 9.0], replicates=100)"
    )
    assert (
        "With 9,600 respondents the threshold is looked for at the answers themselves, and 100 replicates are drawn."
        in view.spec["note"]
    )
    assert tab.live(question) is not None


def test_a_live_answer_takes_a_fraction_of_the_time(tab):
    question = asked(tab, {"card": [1.0]})
    tab.live(question)
    start = time.process_time()
    for _ in range(5):
        tab.live(question)
    assert (time.process_time() - start) / 5 < 0.25  # some .05 on a quiet machine


# ------------------------------------------------------------------------------ how it is coded, and masks
@pytest.mark.parametrize("codes", [(2.0, 1.0), ("no", "yes")])
def test_renewals_that_are_not_0_and_1_are_left_out_and_said(codes):
    rng = np.random.default_rng(1)
    x = rng.integers(0, 11, 600).astype(float)
    df = pd.DataFrame({"q": x, "r": np.clip(x + rng.integers(-1, 2, 600), 0, 10)})
    df["again"] = np.where(rng.random(600) < x / 10, codes[1], codes[0])
    roles = Roles(outcomes={"satisfaction": ("q",), "recommend": ("r",)}, renewal="again")
    survey = replace(cx.Survey.from_frame(df), roles=roles)
    tab = LoyaltyTab(Workspace(survey))
    assert "again" not in [o[0] for o in tab.controls()[1].options]
    said = (
        "“again” cannot be chosen here: renewals have to be written as 1 (came again) and 0. In study.yml, “derived:” can make such a column of "
        "again, and “renewal:” name it."
    )
    for answer in (tab.live, tab.settled):
        assert answer(asked(tab)).lines[-1] == said
        assert (
            answer(asked(tab, lang="zh"))
            .lines[-1]
            .startswith("“again”无法在此选择：续约须记为 1（续约）和 0（未续约）。")
        )


def test_live_shows_no_answer_that_the_design_masks(tab, demo):
    cube = score_cube(demo.survey, "satisfaction", "renewed", demo.splits)
    assert cube is not None
    rng = np.random.default_rng(0)
    leaked, hidden, count = 0, 0, 0
    for k in range(8):
        filter: dict[str, list[Any]] = {"wave": sorted(rng.choice(np.arange(1.0, 22), 4, replace=False).tolist())}
        filter |= {"card": [float(rng.integers(1, 4))]} if k % 2 else {}
        live = cube.curve(filter).points["reliability"].to_numpy() == "suppressed"
        rows = cx.loyalty_link(demo.inside(filter), "satisfaction", "renewed", knots=[6, 8], replicates=0)
        masked = rows.table["reliability"].to_numpy() == "suppressed"
        leaked, hidden, count = leaked + (masked & ~live).sum(), hidden + (live & ~masked).sum(), count + len(live)
    assert leaked == 0
    assert hidden <= 0.06 * count
