"""The Trend tab: curves, turns, readings and drivers over the waves against the library; words, bad choices."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.errors import SurveyError
from cxlab.workbench import _trend
from cxlab.workbench._picture import clean
from cxlab.workbench._tab import Asked, View, defaults
from cxlab.workbench._trend import TrendTab
from cxlab.workbench._trend_drivers import windows_of
from cxlab.workbench._workspace import Workspace

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return Workspace(cx.open_study(ROOT / "data" / "healthcheck" / "study.yml"))


@pytest.fixture
def tab(workspace: Workspace) -> TrendTab:
    return TrendTab(workspace)


@pytest.fixture(scope="module")
def shared(workspace: Workspace) -> TrendTab:
    """A tab that keeps what it computed."""
    return TrendTab(workspace)


def asked(tab: TrendTab, filter: dict[str, Any] | None = None, lang: str = "en", **choice: Any) -> Asked:
    return Asked({**defaults(tab.controls()), **choice}, filter or {}, lang)


def drawn(view: View, part: str = "y") -> list[list[float | None]]:
    return [s[part] for s in clean(view.spec)["series"]]


def small(waves: int = 3, **more: Any) -> cx.Survey:
    rng = np.random.default_rng(3)
    df = pd.DataFrame({"wave": np.resize(np.arange(1.0, waves + 1), 600), "shop": np.resize(np.arange(1.0, 11), 600)})
    df["queue"], df["staff"] = rng.integers(0, 11, 600).astype(float), rng.integers(0, 11, 600).astype(float)
    df["overall"] = df["queue"] + df["staff"] + rng.normal(size=600)
    survey = cx.Survey.from_frame(df)
    roles = {
        "wave": "wave",
        "segments": ("shop",),
        "outcomes": {"overall": ("overall",)},
        "drivers": {"": ("queue", "staff")},
    }
    return replace(survey, roles=replace(survey.roles, **{**roles, **more}))


# --- a metric ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["satisfaction", "nps", "csat", "report"])
@pytest.mark.parametrize("by", [None, "card"])
def test_a_curve_moves_to_where_it_settles(tab, workspace, metric, by):
    ask = asked(tab, {"wave": [float(w) for w in range(5, 15)], "gender": [1.0]}, metric=metric, by=by)
    live, settled = tab.live(ask), tab.settled(ask)
    assert live.result is None
    table = settled.result.table
    ours, theirs = (np.array([v for s in drawn(view) for v in s], float) for view in (live, settled))
    shown = np.isfinite(ours)
    np.testing.assert_allclose(ours[shown], theirs[shown], atol=1e-10)
    assert not (table["base_effective"][~shown] > 36).any()  # near the limit of 30 a group may appear only in the end
    shown = [v for series in drawn(settled) for v in series]
    expected = table["estimate"].where(table["reliability"] != "suppressed").tolist()
    np.testing.assert_allclose(np.array(shown, float), expected)
    for part in ("low", "high"):
        np.testing.assert_allclose(np.concatenate([np.array(s, float) for s in drawn(settled, part)]), table[part])
    scope: dict[str, Any] = {}
    exec(settled.code, scope)
    pd.testing.assert_frame_equal(scope["result"].table, table)


def test_intervals_while_moving_are_near_those_of_the_design(tab):
    ask = asked(tab, metric="report")
    live, settled = tab.live(ask), tab.settled(ask)
    width = [np.subtract(drawn(v, "high")[0], drawn(v, "low")[0]) for v in (live, settled)]
    assert abs(width[0].mean() / width[1].mean() - 1) < 0.05
    assert abs(width[0] / width[1] - 1).max() < 0.35


def test_the_shock_of_the_report_is_seen_and_said(tab):
    view = tab.settled(asked(tab, metric="report", at=(14.0, 15.0)))
    title = "Report fell by 1.44 in 2025-03, the sharpest of 23 changes from one wave to the next"
    assert view.spec["title"] == title
    assert view.spec["lines"] == [{"at": 14, "label": "2025-03 −1.44"}]
    assert view.spec["cursor"] == 14
    card = cx.scorecard(tab.workspace.survey, ["report"], wave=15, before=14)
    assert view.lines[:2] == tuple(s.text for s in card.sentences("en"))
    assert view.spec["subtitle"] == "2025-03 against 2025-02: 4.50 (−1.44, p < .001) · All respondents"
    assert (
        tab.live(asked(tab, lang="zh", metric="report")).spec["title"]
        == "报告在 2025-03 下降 1.44，为 23 次逐期变化中最显著的一次"
    )


def test_another_metric_points_at_the_shock(tab):
    view = tab.settled(asked(tab))
    assert view.spec["title"] == "Overall satisfaction: nothing in 24 waves moved beyond chance"
    assert (
        view.lines[-1]
        == "Of 12 touchpoints looked at besides, report has the sharpest change: −1.44 in 2025-03 (Holm)."
    )


def test_the_slow_fall_of_gold_is_said(tab):
    view = tab.live(asked(tab, by="card"))
    assert view.spec["title"] == "Gold: overall satisfaction fell by 0.62 from 2024-01–2024-08 to 2025-05–2025-12"


def test_the_cursor_reads_what_the_scorecard_says(shared, workspace):
    ask = asked(shared, by="card", at=(20.0, 24.0))
    assert ", p = .338)" in shared.settled(ask).spec["subtitle"]
    gold = cx.scorecard(workspace.survey.where(card=2), ["satisfaction"], wave=24, before=20).table.iloc[0]
    assert f"gold {gold['estimate']:.2f} (−{abs(gold['change']):.2f}, p = .338)" in shared.live(ask).spec["subtitle"]
    moved = shared.live(asked(shared, by="card", at=(3.0, 9.0)))
    assert moved.result is shared.settled(ask).result  # no trend is computed for a cursor
    assert moved.spec["cursor"] == 8


def test_a_cursor_outside_the_filter_reads_the_nearest_wave(tab):
    view = tab.live(asked(tab, {"wave": [3.0, 4.0, 5.0]}, at=(20.0, 24.0)))
    assert view.spec["subtitle"].startswith("2024-05 against 2024-04: ")
    assert view.spec["cursor"] == 2
    first = tab.live(asked(tab, at=(1.0, 1.0)))
    assert first.spec["subtitle"].startswith("2024-01: ")


def test_the_target_and_all_waves_stand_at_the_axes(tab):
    spec = tab.live(asked(tab)).spec
    assert spec["levels"] == [{"at": 7.0, "label": "Target 7.00"}]
    assert [t["text"] for t in spec["x_axis"]["ticks"]][::23] == ["2024-01", "2025-12"]
    assert spec["y_axis"]["low"] < 7.0 < spec["y_axis"]["high"]
    assert tab.live(asked(tab, metric="nurse")).spec["levels"] == []


def test_a_wave_without_the_question_leaves_a_gap(tab):
    view = tab.settled(asked(tab, metric="parking", at=(6.0, 7.0)))
    assert drawn(view)[0][6] is None
    assert view.spec["subtitle"].startswith("2024-07 against 2024-06: base too small")
    assert np.isfinite(np.array(drawn(view)[0], float)).sum() == 23


def test_many_rows_are_taken_some_waves_at_a_time(tab, monkeypatch):
    ask = asked(tab, {"gender": [2.0]}, by="card")
    whole = tab._trend(ask)
    monkeypatch.setattr(_trend, "_CELLS", 9_600 * 3 * 5)
    parts = tab._trend(ask)
    pd.testing.assert_frame_equal(parts.table, whole.table)
    assert parts.call == whole.call
    assert parts.base == whole.base
    assert parts.labels == whole.labels


# --- drivers over the waves --------------------------------------------------------------------------------------

FOUR = ("report", "price_fairness", "queue", "nurse")


def test_windows_roll_and_stay_few():
    assert windows_of([1, 2, 3, 4], 3) == [[1, 2, 3], [2, 3, 4]]
    many = windows_of(list(range(104)), 6)
    assert len(many) <= 24
    assert many[-1] == [98, 99, 100, 101, 102, 103]


def test_shares_over_time_are_those_of_key_drivers(tab, workspace):
    ask = asked(tab, {"wave": [13.0, 14.0, 15.0, 16.0, 17.0]}, show="drivers", drivers=FOUR)
    assert tab.live(ask) is None
    view = tab.settled(ask)
    scope: dict[str, Any] = {}
    exec(view.code.replace("method='shapley'", "method='shapley', replicates=0"), scope)
    for window, found in zip(scope["windows"], scope["result"], strict=True):
        ours = view.result.table[view.result.table["wave"] == window[-1]].set_index("driver")["share"]
        theirs = found.table.set_index("driver")["share"]
        np.testing.assert_allclose(ours.reindex(theirs.index), theirs, atol=1e-10)
    assert clean(tab.live(ask).spec) == clean(view.spec)  # kept


def test_the_shock_lifts_the_report_among_the_drivers(shared):
    ask = asked(shared, show="drivers", at=(15.0, 16.0))
    view = shared.settled(ask)
    assert view.spec["title"] == (
        "Queueing leads for overall satisfaction in 21 of 22 windows of 3 waves; report in 2025-02–2025-04"
    )
    assert view.spec["subtitle"].startswith("2025-02–2025-04: Report 18%, Queueing 17%")
    assert view.spec["cursor"] == 13
    assert [s["name"] for s in view.spec["series"]][:3] == ["Queueing", "Fairness of the price", "Report"]
    moved = shared.live(asked(shared, show="drivers", at=(1.0, 10.0)))
    assert moved.spec["cursor"] == 7
    assert moved.result.table.equals(view.result.table)


def test_windows_in_which_a_driver_was_not_asked_are_left_out_of_the_code():
    survey = small(waves=6)
    data = survey.data.assign(staff=np.where(survey.data["wave"] <= 3, np.nan, survey.data["staff"]))
    data["overall"] = (data["overall"] > 10).astype(float)  # two values: the call has to say that the model is linear
    names, survey = ("queue", "staff"), replace(survey, data=data)
    tab = TrendTab(Workspace(survey))
    ask = asked(tab, show="drivers", window=3, drivers=names)
    view = tab.settled(ask)
    scope: dict[str, Any] = {"survey": survey}
    exec(view.code.replace("model=", "replicates=0, model="), scope)
    assert scope["windows"] == [[2, 3, 4], [3, 4, 5], [4, 5, 6]]
    for window, found in zip(scope["windows"], scope["result"], strict=True):
        ours = view.result.table[view.result.table["wave"] == window[-1]].set_index("driver")["share"]
        theirs = found.table.set_index("driver")["share"]
        np.testing.assert_allclose(ours.reindex(theirs.index), theirs, atol=1e-10)
    nowhere = replace(survey, data=data.assign(staff=np.where(data["wave"] <= 3, np.nan, 5.0)))
    for lang, said in (
        ("en", "No window has enough respondents who answered overall and all 2 drivers, with answers that differ; untick drivers that were "
         "not asked, or widen the filter."),
        ("zh", "任何窗口内，同时回答了overall和全部 2 个驱动因素、且回答有差异的受访者均不足：请取消未询问的因素，或放宽筛选条件。"),
    ):  # fmt: skip
        tab = TrendTab(Workspace(nowhere))
        with pytest.raises(SurveyError) as caught:
            tab.settled(asked(tab, lang=lang, show="drivers", window=3, drivers=names))
        assert str(caught.value) == said


def test_only_controls_of_the_view_are_shown(tab):
    shown = {
        view: [c.name for c in tab.controls() if view in c.when.get("show", (view,))] for view in ("metric", "drivers")
    }
    assert shown == {
        "metric": ["show", "metric", "by", "at"],
        "drivers": ["show", "at", "outcome", "window", "drivers"],
    }


def test_a_shift_between_windows_is_said():
    rng = np.random.default_rng(8)
    rows = 6_000
    df = pd.DataFrame(
        {"wave": np.resize(np.arange(1.0, 9), rows), "a": rng.normal(size=rows), "b": rng.normal(size=rows)}
    )
    late = df["wave"] > 4
    df["overall"] = np.where(late, 0.2 * df["a"] + df["b"], df["a"] + 0.2 * df["b"]) + rng.normal(size=rows)
    survey = cx.Survey.from_frame(df)
    roles = replace(survey.roles, wave="wave", outcomes={"overall": ("overall",)}, drivers={"": ("a", "b")})
    tab = TrendTab(Workspace(replace(survey, roles=roles)))
    view = tab.settled(asked(tab, show="drivers"))
    assert re.fullmatch(
        r"The share of [ab] (rose|fell) by [89]\d\.\d percentage points from 2–4 to 5–7 \(Holm, over all drivers and windows\)\.",
        view.lines[0],
    )
    assert view.spec["lines"][0]["at"] == 4


# --- words and bad choices ---------------------------------------------------------------------------------------

NAMES = re.compile(r"NPS|CSAT|Holm|Shapley|p [<=]")


def latin(view: View) -> list[str]:
    """Latin words in what a Chinese view shows."""
    spec = json.loads(json.dumps(clean(view.spec), ensure_ascii=False))
    texts = [
        spec["title"],
        spec["subtitle"],
        spec["note"],
        spec["x_axis"]["label"],
        spec["y_axis"]["label"],
        *view.lines,
    ]
    texts += [s["name"] for s in spec["series"]] + [
        part["label"] for k in ("lines", "levels") for part in spec.get(k, [])
    ]
    return [w for t in texts for w in re.findall(r"[A-Za-z]{2,}", NAMES.sub("", t))]


@pytest.mark.parametrize("choice", [{"metric": "report"}, {"by": "card"}, {"metric": "csat", "by": "gender"}])
def test_chinese_views_are_chinese(tab, choice):
    ask = asked(tab, lang="zh", **choice)
    for view in (tab.live(ask), tab.settled(ask)):
        assert latin(view) == []


def test_chinese_drivers_are_chinese(shared):
    assert latin(shared.settled(asked(shared, lang="zh", show="drivers"))) == []


def test_what_a_study_lacks_is_said():
    mobi = TrendTab(Workspace(cx.open_study(ROOT / "data" / "mobi" / "study.yml")))
    bare = TrendTab(Workspace(cx.Survey.from_frame(pd.DataFrame({"q": [1.0, 2, 3] * 20}))))
    said = {
        "en": "The survey has no waves; declare in study.yml which column holds them, for example:\nwave: {column: wave, period: month}",
        "zh": "数据没有期次；请在 study.yml 中声明期次所在的列，例如：\nwave: {column: wave, period: month}",
    }
    assert mobi.lacking() == bare.lacking() == said
    assert TrendTab(Workspace(small(waves=1))).lacking() == said
    empty = TrendTab(Workspace(small(outcomes={}, drivers={})))
    assert empty.lacking()["en"].startswith("The study declares no outcomes, drivers or touchpoints;")


def test_without_drivers_there_is_no_choice_of_views():
    tab = TrendTab(Workspace(small(drivers={})))
    assert [c.name for c in tab.controls()] == ["metric", "by", "at"]
    ask = Asked(defaults(tab.controls()))
    assert tab.settled(ask).spec["kind"] == "curve"


@pytest.mark.parametrize(
    ("choice", "filter", "lang", "said"),
    [
        ({}, {"wave": [2.0]}, "en", "The filter leaves one wave; a trend needs two or more: widen the filter of waves."),
        ({"show": "drivers"}, {"wave": [2.0]}, "zh", "当前筛选条件下只有一期；趋势至少需要两期：请放宽期次筛选。"),
        ({"by": "shop"}, {}, "en", "shop has 10 groups under this filter; up to 7 can be drawn over the waves: choose some in the filter, or band them in study.yml (recoded)."),
        ({"by": "shop"}, {}, "zh", "当前筛选条件下“shop”有 10 个组别，走势图最多绘制 7 个：请在筛选中选取部分组别，或在 study.yml（recoded）中合并分组。"),
        ({"show": "drivers", "drivers": ("queue",)}, {}, "en", "Tick at least two drivers."),
        ({"show": "drivers", "drivers": ("queue", "overall")}, {}, "en", "The outcome (overall) is among the drivers; untick it there."),
        ({"show": "drivers", "drivers": ("queue", "overall")}, {}, "zh", "结果指标（overall）同时被勾选为驱动因素；请在驱动因素中取消勾选。"),
        ({"show": "drivers", "drivers": tuple("abcdefghijklmnopqrstu")}, {}, "en", "21 drivers are ticked; up to 20 can be followed over the waves: untick some."),
        ({"show": "drivers", "window": 3}, {}, "en", "The filter leaves 3 waves; windows of 3 need more than 3: widen the filter, or take a smaller window."),
    ],
)  # fmt: skip
def test_what_is_chosen_badly_is_said_in_a_sentence(choice, filter, lang, said):
    tab = TrendTab(Workspace(small()))
    ask = asked(tab, filter, lang, **choice)
    for answer in (tab.live, tab.settled):
        with pytest.raises(SurveyError) as caught:
            answer(ask)
        assert str(caught.value) == said


def test_a_small_base_is_refused_and_small_waves_are_hidden():
    tab = TrendTab(Workspace(small(waves=15)))
    with pytest.raises(
        SurveyError, match=r"^The filter leaves 20 respondents \(effective base \d+\); at least 30 are needed"
    ):
        tab.live(asked(tab, {"wave": [1.0, 2.0], "shop": [1.0]}))
    view = tab.settled(asked(tab))
    assert view.spec["note"].endswith("Effective bases of 30–74, to be read with care: 15.")
    hidden = tab.settled(asked(tab, {"shop": [1.0, 2.0, 3.0, 4.0, 5.0]}))
    assert drawn(hidden) == [[None] * 15]
