"""The Segments tab: what moves equals what settles equals the library; masks, words, bad choices."""

from __future__ import annotations

import json
import re
import time
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
from cxlab.metrics import score
from cxlab.survey import Roles
from cxlab.workbench import _segments_tally
from cxlab.workbench._picture import clean
from cxlab.workbench._segments import SegmentsTab
from cxlab.workbench._segments_banner import settled_banner
from cxlab.workbench._segments_items import NO_ITEMS, NO_SEGMENTS
from cxlab.workbench._segments_tally import Tally
from cxlab.workbench._tab import Asked, View, defaults
from cxlab.workbench._workspace import Workspace

ROOT = Path(__file__).parents[1]
LAST = {"wave": [float(w) for w in range(13, 25)]}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return Workspace(cx.open_study(ROOT / "data" / "healthcheck" / "study.yml"))


@pytest.fixture(scope="module")
def tab(workspace: Workspace) -> SegmentsTab:
    return SegmentsTab(workspace)


def asked(tab: SegmentsTab, filter: dict[str, Any] | None = None, lang: str = "en", **choice: Any) -> Asked:
    return Asked({**defaults(tab.controls()), **choice}, filter or {}, lang)


def run(view: View, workspace: Workspace) -> Any:
    """What the code of a view gives."""
    scope: dict[str, Any] = {}
    exec(view.code, scope)
    return scope["result"]


def small(**more: Any) -> cx.Survey:
    """A survey of two cards, one of them rare, and twelve shops."""
    rng = np.random.default_rng(3)
    df = pd.DataFrame({"card": np.r_[np.full(376, 1.0), np.full(24, 2.0)], "shop": np.resize(np.arange(1.0, 41), 400)})
    df["queue"], df["staff"] = rng.integers(0, 11, 400).astype(float), rng.integers(0, 11, 400).astype(float)
    survey = cx.Survey.from_frame(df)
    roles = {"segments": ("card", "shop"), "outcomes": {"queue": ("queue",)}, "drivers": {"": ("staff",)}, **more}
    return replace(survey, roles=replace(survey.roles, **roles))


# --- the tally ---------------------------------------------------------------------------------------------------


def test_the_tally_has_the_replicates_of_the_cube(workspace):
    tally = Tally(workspace)
    for filter in ({}, {"card": [2.0]}, {"wave": [3.0, 4.0], "gender": [1.0]}):
        ours, cube = tally.means("queue", filter), workspace.cube.covariances(filter, ["queue"])
        np.testing.assert_allclose(ours.estimate, cube.mean, rtol=1e-12)
        np.testing.assert_allclose(ours.replicates[0], cube.means[:, 0], rtol=1e-12)
        inside = workspace.inside(filter)
        np.testing.assert_allclose(ours.effective, cx.means(inside, "queue").table["base_effective"], rtol=1e-9)
        assert ours.base[0] == cube.base


def test_several_metrics_at_once_are_those_one_by_one(workspace):
    tally = Tally(workspace)
    by = [("card", [1.0, 2.0, 3.0]), ("wave", [7.0, 8.0])]
    both = tally.many(["parking", "nps", "top2(queue)"], {"gender": [2.0]}, by)
    for metric, found in zip(["parking", "nps", "top2(queue)"], both, strict=True):
        alone = tally.means(metric, {"gender": [2.0]}, by)
        np.testing.assert_allclose(found.estimate, alone.estimate, rtol=1e-12)
        np.testing.assert_allclose(found.replicates, alone.replicates, rtol=1e-12)
    assert np.isnan(both[0].estimate[[0, 2, 4]]).all()  # parking was not asked in wave 7
    assert both[0].base[[0, 2, 4]].tolist() == [0, 0, 0]


def test_errors_of_the_tally_are_near_those_of_the_design(workspace):
    tally = Tally(workspace)
    cards = workspace.codes("card")
    for metric in ("satisfaction", "nps"):
        found = tally.means(metric, {}, [("card", cards)])
        table = (
            cx.means(workspace.survey, metric, by="card") if metric != "nps" else cx.nps(workspace.survey, by="card")
        ).table
        ratio = found.contrast(np.eye(3))[1] / table["se"].to_numpy()
        np.testing.assert_allclose(found.estimate, table["estimate"], rtol=1e-12)
        assert abs(ratio - 1).max() < 0.35


def test_differences_of_groups_keep_their_covariance(workspace):
    # Respondents asked twice are in several waves: the error of a change is not that of two samples.
    tally = Tally(workspace)
    found = tally.means("satisfaction", {}, [("gender", workspace.codes("gender"))])
    value, se, p = found.tests(np.array([[-1.0, 1.0]]))
    table = cx.compare_segments(workspace.survey, "gender", ["satisfaction"]).table
    assert value[0] == pytest.approx(table["estimate"][0], abs=1e-10)
    assert se[0] == pytest.approx(table["se"][0], rel=0.35)
    assert 0 < p[0] <= 1


# --- banner ------------------------------------------------------------------------------------------------------


def numbers(spec: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """Values of a grid by row and column."""
    heads = [c["label"] for c in spec["columns"]]
    return {(r["label"], h): c.get("value") for r in spec["rows"] for h, c in zip(heads, r["cells"], strict=False)}


@pytest.mark.parametrize("statistic", ["mean", "top2", "both"])
@pytest.mark.parametrize("filter", [{}, {"wave": [22.0, 23.0, 24.0], "payer": [1.0]}])
def test_a_banner_moves_to_where_it_settles(tab, workspace, statistic, filter):
    ask = asked(tab, filter, statistic=statistic, items=("satisfaction", "nps", "effort", "parking", "queue"))
    live, settled = tab.live(ask), tab.settled(ask)
    ours, theirs = numbers(live.spec), numbers(settled.spec)
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        assert (ours[key] is None) == (value is None)
        if value is not None:
            assert ours[key] == pytest.approx(value, abs=1e-10)
    assert live.result is None
    pd.testing.assert_frame_equal(run(settled, workspace).table, settled.result.table)


def test_the_banner_shows_letters_and_shades_in_the_direction_of_the_item(tab):
    view = tab.settled(asked(tab, items=("satisfaction", "effort", "changing")))
    rows = {r["label"]: r["cells"] for r in view.spec["rows"]}
    assert [c["sub"] for c in view.spec["columns"]] == [
        "",
        "Card · A",
        "Card · B",
        "Card · C",
        "Gender · D",
        "Gender · E",
    ]
    assert [c["letters"] for c in rows["Changing room"][:4]] == ["", "B", "", "AB"]
    gold, diamond = rows["Changing room"][2]["shade"], rows["Changing room"][3]["shade"]
    assert gold < -0.5 < 0.5 < diamond
    total, ordinary = rows["Customer effort"][0]["value"], rows["Customer effort"][1]
    assert np.sign(ordinary["shade"]) == -np.sign(ordinary["value"] - total)  # more effort is worse
    assert view.spec["title"] == "Gold: changing room, mean 5.65 against 6.84 among all others (p < .001)."


def test_a_banner_masks_small_bases_while_it_moves_and_when_it_settles():
    tab = SegmentsTab(Workspace(small()))
    ask = asked(tab, columns=("card",), items=("queue", "staff"))
    for view in (tab.live(ask), tab.settled(ask)):
        row = next(r for r in view.spec["rows"] if r["label"] == "queue")
        assert row["cells"][2] == {"text": "–", "faded": True}
        assert row["cells"][1]["text"] != "–"


def test_one_group_alone_has_its_letter(tab):
    ask = asked(tab, {"card": [2.0]}, items=("queue",))
    live, settled = tab.live(ask), tab.settled(ask)
    assert [c["sub"] for c in live.spec["columns"]] == [c["sub"] for c in settled.spec["columns"]]
    assert [c["label"] for c in live.spec["columns"]] == [c["label"] for c in settled.spec["columns"]]


def test_only_letters_that_were_asked_for_are_in_the_call(tab, workspace):
    view = settled_banner(workspace, tab._tally, asked(tab, columns=("card",)), [("queue", "mean")])
    assert view.code.splitlines()[-2] == "result = cx.banner(survey, ['queue'], ['card'], statistics=['mean'])"


def test_bases_are_those_of_the_design_while_moving():
    rng = np.random.default_rng(4)
    df = pd.DataFrame({"card": rng.integers(1, 4, 600), "clinic": np.arange(600) // 6, "w": rng.uniform(0.5, 2, 600)})
    df["area"] = df["clinic"] % 3
    shared = rng.normal(size=100)[df["clinic"]]
    for name in ("queue", "staff"):
        df[name] = np.round(np.clip(6 + shared + 2 * rng.normal(size=600), 0, 10))
    df.loc[df["card"] == 3, "staff"] = np.nan  # not asked
    roles = Roles(outcomes={"queue": ("queue",)}, drivers={"": ("staff",)}, segments=("card", "area"))
    for lonely, area in (("fail", df["area"]), ("adjust", df["area"].where(df["clinic"] > 0, 9))):
        survey = cx.Survey.from_frame(df.assign(area=area), weight="w", stratum="area", psu="clinic", lonely=lonely)
        items = [replace(survey.codebook.items[c], scale=(0, 10)) for c in ("queue", "staff")]
        tab = SegmentsTab(Workspace(replace(survey, roles=roles, codebook=survey.codebook.with_items(*items))))
        for statistic in ("mean", "both"):
            ask = asked(tab, columns=("card",), items=("queue", "staff"), statistic=statistic)
            live, settled = tab.live(ask), tab.settled(ask)
            for one, other in zip(live.spec["rows"], settled.spec["rows"], strict=True):
                assert [c["text"] for c in one["cells"]] == [c["text"] for c in other["cells"]]
                assert [c.get("faded") for c in one["cells"]] == [c.get("faded") for c in other["cells"]]
        for shown in ("gaps", "levels"):  # who was not asked stands there as hidden
            ask = asked(tab, show="pairs", by="card", item="staff", shown=shown)
            live, settled = (v.spec["rows"] for v in (tab.live(ask), tab.settled(ask)))
            assert [r["label"] for r in live] == [r["label"] for r in settled]
            assert [r["marks"][0].get("hidden") for r in live] == [r["marks"][0].get("hidden") for r in settled]


def test_many_rows_keep_the_bases_of_the_jackknife(workspace, monkeypatch):
    tally, by = Tally(workspace), [("card", workspace.codes("card"))]
    exact = tally.means("queue", {}, by)
    monkeypatch.setattr(_segments_tally, "_TAYLOR", len(workspace.survey.data) - 1)
    quick = tally.means("queue", {}, by)
    np.testing.assert_array_equal(quick.replicates, exact.replicates)
    assert (quick.effective != exact.effective).all()
    assert np.abs(quick.effective / exact.effective - 1).max() < 0.35


def test_a_first_item_that_was_not_asked_does_not_hide_the_others():
    survey = small()
    data = survey.data.assign(queue=np.where(survey.data["card"] == 1, np.nan, survey.data["queue"]))
    tab = SegmentsTab(Workspace(replace(survey, data=data)))
    ask = asked(tab, {"card": [1.0]}, columns=("card",), items=("queue", "staff"))
    for view in (tab.live(ask), tab.settled(ask)):
        rows = {r["label"]: r["cells"][0]["text"] for r in view.spec["rows"] if r["cells"]}
        assert rows["queue"] == "–"
        assert rows["staff"] != "–"


def test_labelled_codes_that_are_no_scale_have_no_mean():
    survey = small()
    named = replace(
        survey.codebook.items["staff"], values={float(k): {"en": f"kind {k}"} for k in range(11)}, measure="nominal"
    )
    tab = SegmentsTab(Workspace(replace(survey, codebook=survey.codebook.with_items(named))))
    assert [o for o, _ in next(c for c in tab.controls() if c.name == "items").options] == ["queue"]


def test_only_controls_of_the_view_are_shown(tab):
    shown = {
        view: [c.name for c in tab.controls() if view in c.when.get("show", (view,))]
        for view in ("banner", "pairs", "crisis")
    }
    assert shown == {
        "banner": ["show", "columns", "statistic", "items"],
        "pairs": ["show", "by", "item", "shown"],
        "crisis": ["show", "by", "outcome"],
    }


# --- pairs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", ["satisfaction", "nps", "parking"])
@pytest.mark.parametrize("shown", ["gaps", "levels"])
def test_pairs_move_to_where_they_settle(tab, workspace, item, shown):
    ask = asked(tab, LAST, show="pairs", item=item, shown=shown)
    live, settled = tab.live(ask), tab.settled(ask)
    assert [r["label"] for r in live.spec["rows"]] == [r["label"] for r in settled.spec["rows"]]
    for ours, theirs in zip(live.spec["rows"], settled.spec["rows"], strict=True):
        one, other = ours["marks"][0], theirs["marks"][0]
        assert one["value"] == pytest.approx(other["value"], abs=1e-10)
        assert one["high"] - one["low"] == pytest.approx(other["high"] - other["low"], rel=0.35)
    pd.testing.assert_frame_equal(run(settled, workspace).table, settled.result.table)
    if shown == "gaps":
        estimates = [r["marks"][0]["value"] for r in settled.spec["rows"]]
        assert estimates == settled.result.table["estimate"].tolist()


def test_pairs_say_who_differs(tab):
    ask = asked(tab, LAST, show="pairs")
    assert tab.live(ask).spec["title"] == "Overall satisfaction: gold −1.01 against ordinary (p < .001)"
    assert (
        tab.settled(ask).spec["title"].startswith("Diamond customers rate overall satisfaction 1.1 points above gold")
    )
    assert tab.live(asked(tab, LAST, "zh", show="pairs")).spec["title"] == "总体满意度：金卡较普卡 −1.01（p < .001）"


def test_a_pair_with_a_small_group_is_hidden():
    tab = SegmentsTab(Workspace(small()))
    ask = asked(tab, show="pairs", by="card")
    for view in (tab.live(ask), tab.settled(ask)):
        assert view.spec["rows"][0]["marks"] == [{"series": 0, "hidden": "base too small"}]
    assert tab.live(ask).spec["title"] == "Queue: the groups are too small to be compared"
    assert tab.live(asked(tab, lang="zh", show="pairs", by="card")).spec["title"] == "queue：各组样本过少，无法比较"


# --- hidden crisis -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crisis(tab: SegmentsTab) -> View:
    ask = asked(tab, show="crisis")
    assert tab.live(ask) is None
    return tab.settled(ask)


def test_the_crisis_is_the_librarys_and_is_found(tab, crisis, workspace):
    found = crisis.result.hidden
    assert crisis.spec["title"] == (
        "Behind a flat total, gold is worse than the others on changing room, parking, reception, overall satisfaction"
    )
    assert [r["marks"][0]["value"] for r in crisis.spec["rows"]] == found["estimate"].tolist()
    assert [r["marks"][0]["series"] for r in crisis.spec["rows"]] == [int(r == "consequence") for r in found["role"]]
    assert crisis.spec["rows"][0]["label"] == "Gold: changing room, level"
    assert crisis.spec["rows"][0]["marks"][0]["text"] == "−1.20 (total +0.01)"
    pd.testing.assert_frame_equal(run(crisis, workspace).table, crisis.result.table)


def test_a_scan_is_kept_for_the_other_language(tab, crisis):
    again = tab.live(asked(tab, lang="zh", show="crisis"))
    assert again is not None
    assert again.result is crisis.result
    assert again.spec["title"] == "总体平稳的背后：金卡在更衣、停车、前台接待、总体满意度上差于其他顾客"


def test_no_crisis_says_what_could_have_been_found(tab, workspace):
    ask = asked(tab, LAST, show="crisis", by="gender", outcome="satisfaction")
    view = tab.settled(ask)
    assert view.spec["kind"] == "message"
    assert view.spec["text"].startswith("No hidden crisis among ")
    assert "On half of them this base would have shown a gap of" in view.spec["text"]
    assert "cx.hidden_crisis(survey, 'gender', outcomes=['satisfaction'])" in view.code
    pd.testing.assert_frame_equal(run(view, workspace).table, view.result.table)


# --- words and bad choices ---------------------------------------------------------------------------------------

NAMES = re.compile(r"NPS|CSAT|Holm|Hochberg|Benjamini|Bonferroni|Shapley|study\.yml|recoded|δ|p [<=]|\b[A-H]\b|yml")


def latin(view: View) -> list[str]:
    """Latin words in what a Chinese view shows."""
    texts: list[str] = []

    def gather(part: Any, key: str = "") -> None:
        if isinstance(part, dict):
            for name, value in part.items():
                gather(value, name)
        elif isinstance(part, list):
            for value in part:
                gather(value, key)
        elif isinstance(part, str) and key not in ("kind", "colour", "tone", "letters", "lang"):
            texts.append(part)

    gather(json.loads(json.dumps(clean(view.spec))))
    return [w for t in (*texts, *view.lines) for w in re.findall(r"[A-Za-z]{2,}", NAMES.sub("", t))]


@pytest.mark.parametrize("show", ["banner", "pairs", "crisis"])
def test_chinese_views_are_chinese(tab, crisis, show):
    ask = asked(tab, lang="zh", show=show, statistic="both")
    for view in (tab.live(ask), tab.settled(ask)):
        assert latin(view) == []


def test_what_a_study_lacks_is_said():
    mobi = SegmentsTab(Workspace(cx.open_study(ROOT / "data" / "mobi" / "study.yml")))
    assert mobi.lacking() is NO_SEGMENTS
    bare = SegmentsTab(Workspace(cx.Survey.from_frame(pd.DataFrame({"q": [1.0, 2, 3] * 20}))))
    assert bare.lacking() == {
        "en": "The study declares no segments that have two groups; add them to study.yml, for example:\nsegments: [card, gender]",
        "zh": "研究文件没有声明含两个及以上组别的细分变量；请在 study.yml 中补充，例如：\nsegments: [card, gender]",
    }
    empty = SegmentsTab(Workspace(small(outcomes={}, drivers={})))
    assert empty.lacking() is NO_ITEMS


@pytest.mark.parametrize(
    ("choice", "filter", "lang", "said"),
    [
        ({"columns": ()}, {}, "en", "No segment is ticked; tick at least one under “Segments side by side”."),
        ({"columns": ()}, {}, "zh", "未勾选细分变量；请在“表头（细分变量）”下至少勾选一个。"),
        ({"items": ()}, {}, "en", "No item is ticked; tick at least one under “Items”."),
        ({"columns": ("card", "shop")}, {}, "en", "The segments ticked have 42 groups together; up to 24 fit side by side: untick a segment, or choose groups in the filter."),
        ({"columns": ("card", "shop")}, {}, "zh", "所选细分变量共有 42 个组别，最多并列 24 个：请取消部分细分变量，或在筛选中选取部分组别。"),
        ({"statistic": "top2"}, {}, "en", "None of the items ticked has a response scale with two best boxes; choose the mean, or declare scales in study.yml, for example:\nitems:\n  queue: {scale: [0, 10]}"),
        ({"show": "pairs", "by": "shop"}, {}, "en", "shop has 40 groups under this filter; up to 12 can be compared here: choose some in the filter, or band them in study.yml (recoded)."),
        ({"show": "pairs", "by": "shop"}, {}, "zh", "当前筛选条件下“shop”有 40 个组别，此处最多比较 12 个：请在筛选中选取部分组别，或在 study.yml（recoded）中合并分组。"),
        ({"show": "pairs", "by": "card"}, {"card": [1.0]}, "en", "card has 1 group under this filter; a comparison needs two: widen the filter, or choose another segment."),
        ({"show": "pairs", "by": "shop"}, {"card": [2.0], "shop": [17.0, 18.0]}, "en", "The filter leaves 2 respondents (effective base 2); at least 30 are needed to show anything: widen it."),
        ({"columns": ("card",)}, {"card": [2.0]}, "zh", "当前筛选条件下仅有 24 位受访者（有效样本量 24），少于 30，不予显示：请放宽筛选条件。"),
        ({"show": "crisis", "by": "card"}, {"card": [2.0], "shop": [1.0]}, "en", "card has 1 group under this filter; a comparison needs two: widen the filter, or choose another segment."),
    ],
)  # fmt: skip
def test_what_is_chosen_badly_is_said_in_a_sentence(choice, filter, lang, said):
    tab = SegmentsTab(Workspace(small()))
    ask = asked(tab, filter, lang, **choice)
    for answer in (tab.live, tab.settled) if ask["show"] != "crisis" else (tab.settled,):
        with pytest.raises(SurveyError) as caught:
            answer(ask)
        assert str(caught.value) == said


def test_many_rows_wait_for_the_worker(tab, workspace, monkeypatch):
    fresh = SegmentsTab(workspace)
    monkeypatch.setattr(Tally, "ready", lambda self, metrics: False)
    assert fresh.live(asked(fresh)) is None
    assert fresh.live(asked(fresh, show="pairs")) is None


def test_a_layout_made_behind_serves_the_first_answer(workspace, monkeypatch):
    monkeypatch.setattr(_segments_tally, "_MANY", 1_000)
    tally = Tally(workspace)
    for _ in range(200):
        if tally.ready(["queue"]):
            break
        time.sleep(0.05)
    assert tally.ready(["queue"])
    np.testing.assert_allclose(tally.means("queue", {}).estimate, cx.means(workspace.survey, "queue").table["estimate"])


def test_a_metric_of_the_tally_is_the_librarys_score(workspace):
    tally = Tally(workspace)
    np.testing.assert_array_equal(
        tally.score("top2(queue)").values, score(workspace.survey, "csat", item="queue").values
    )
    np.testing.assert_array_equal(tally.score("nps").values, score(workspace.survey, "nps").values)
