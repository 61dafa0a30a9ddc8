"""The what-if tab: equal to the library, masked, costed, and a sentence for everything that cannot be shown."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.survey import Roles
from cxlab.workbench._app import Workbench
from cxlab.workbench._picture import clean
from cxlab.workbench._tab import Asked, Number, Press, Slide, View, defaults
from cxlab.workbench._what_if import WhatIfTab
from cxlab.workbench._workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")
ITEMS = ["queue", "doctor", "meal"]
ROLES: dict[str, Any] = {
    "wave": "wave", "segments": ("card",), "renewal": "renewed",
    "outcomes": {"satisfaction": ("overall",), "recommend": ("recommend",)},
    "drivers": {"service": ("queue", "doctor"), "": ("meal",)},
}  # fmt: skip


def frame(rows: int = 900) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    x = np.clip(np.round([5.0, 7.5, 6.0] + rng.normal(size=(rows, 1)) + 1.7 * rng.normal(size=(rows, 3))), 0, 10)
    df = pd.DataFrame(x, columns=ITEMS)
    df["overall"] = np.clip(np.round(1 + x @ [0.4, 0.3, 0.1] + rng.normal(size=rows)), 0, 10)
    df["recommend"] = np.clip(np.round(df["overall"] + 1 + rng.normal(size=rows)), 0, 10)
    df["renewed"] = (rng.random(rows) < 0.1 + 0.08 * df["queue"]).astype(float)
    df.loc[rng.random(rows) < 0.1, "renewed"] = np.nan
    df["wave"], df["w"] = np.resize([1.0, 2.0, 3.0], rows), rng.uniform(0.5, 2, rows)
    return df.assign(card=np.where(np.arange(rows) < 40, 3.0, np.arange(rows) % 2 + 1.0))


def survey_of(
    df: pd.DataFrame | None = None, scales: tuple[str, ...] = ("recommend", "overall", *ITEMS), **roles: Any
) -> cx.Survey:
    survey = cx.Survey.from_frame(frame() if df is None else df, weight="w")
    items = [replace(survey.codebook[n], scale=(0.0, 10.0)) for n in scales]
    return replace(survey, codebook=survey.codebook.with_items(*items), roles=Roles(**{**ROLES, **roles}))


SPACE = Workspace(survey_of())
TAB = WhatIfTab(SPACE)


def asked(tab: WhatIfTab = TAB, lang: str = "en", filter: dict | None = None, **choice: Any) -> Asked:
    return Asked(defaults(tab.controls()) | choice, filter or {}, lang)


def shown(view: View | None) -> dict[str, Any]:
    assert view is not None
    return clean(view.spec)


# ---------------------------------------------------------------------- controls
def test_a_slider_and_a_cost_for_every_driver_under_its_block():
    controls = TAB.controls()
    sliders = [c for c in controls if isinstance(c, Slide)]
    assert [c.name for c in sliders] == ["move_queue", "move_doctor", "move_meal"]
    means = {d: np.average(SPACE.survey.values(d), weights=SPACE.survey.weights) for d in ITEMS}
    for c, d in zip(sliders, ITEMS, strict=True):
        assert c.step == 0.1
        assert c.high == pytest.approx(
            np.floor(min(10 - means[d], 5) * 10 + 1e-6) / 10
        )  # no further than the mean can go
        assert -c.low == pytest.approx(np.floor(min(means[d], 5) * 10 + 1e-6) / 10)
    assert sliders[0].group["en"] == "Service: points up or down"
    assert sliders[2].group["zh"] == "其他因素：评分升降（分）"
    assert [c.name for c in controls if isinstance(c, Number)] == ["cost_queue", "cost_doctor", "cost_meal", "budget"]
    assert isinstance(controls[-1], Press)
    wide = WhatIfTab(
        Workspace(survey_of(frame().assign(queue=lambda d: 10 * d["queue"]), scales=("doctor", "recommend")))
    )
    assert next(c for c in wide.controls() if c.name == "move_queue").step == 0.5


def test_less_is_better_is_said_at_the_slider():
    survey = survey_of()
    item = replace(survey.codebook["queue"], higher_is_better=False)
    tab = WhatIfTab(Workspace(replace(survey, codebook=survey.codebook.with_items(item))))
    assert dict(tab.controls()[0].label) == {"en": "queue (less is better)", "zh": "queue（越低越好）"}


# ---------------------------------------------------------------------- numbers
MOVES = {"move_queue": 1.0, "move_meal": -0.5}
CHANGES = {"queue": 1.0, "meal": -0.5}


@pytest.mark.parametrize("filter", [{}, {"wave": [1.0, 2.0], "card": [1.0]}])
def test_live_and_settled_are_the_library_s_what_if(filter):
    survey = SPACE.survey.where(**filter) if filter else SPACE.survey
    live, settled = TAB.live(asked(filter=filter, **MOVES)), TAB.settled(asked(filter=filter, **MOVES))
    panels = zip(shown(live)["panels"], shown(settled)["panels"], strict=True)
    for (quick, full), outcome in zip(panels, ["satisfaction", "nps(recommend)", "renewed"], strict=True):
        table = cx.what_if(survey, outcome, changes=CHANGES, drivers=ITEMS).table
        expected = table.iloc[[2, 0, 1]]  # together first
        own = settled.result.table[settled.result.table["metric"] == outcome]
        pd.testing.assert_frame_equal(own[list(table)].reset_index(drop=True), table)
        for panel, tolerance in ((quick, 0.35), (full, 1e-12)):
            marks = pd.DataFrame([row["marks"][0] for row in panel["rows"]])
            np.testing.assert_allclose(marks["value"], expected["estimate"], rtol=1e-9)
            half = (expected["high"] - expected["low"]).to_numpy()
            np.testing.assert_allclose(marks["high"] - marks["low"], half, rtol=tolerance)
    assert live.result is None
    assert [p["heading"] for p in shown(live)["panels"]] == [p["heading"] for p in shown(settled)["panels"]]


def test_the_code_makes_the_settled_numbers():
    settled = TAB.settled(asked(filter={"wave": [1.0, 2.0]}, **MOVES))
    space: dict[str, Any] = {"survey": SPACE.survey}
    exec(settled.code, space)
    made = [space[name].table for name in ("satisfaction", "nps", "renewals")]
    table = settled.result.table
    pd.testing.assert_frame_equal(
        pd.concat(made, ignore_index=True), table[[c for c in table if c != "metric"]], check_like=True
    )
    assert TAB.live(asked(filter={"wave": [1.0, 2.0]}, **MOVES)).code == settled.code


def test_three_outcomes_have_three_axes_and_say_from_where_to_where():
    spec = shown(TAB.live(asked(**MOVES)))
    table = TAB.settled(asked(**MOVES)).result.table.query("driver == 'together'").set_index("metric")
    before, after = table["before"], table["after"]
    assert [p["heading"] for p in spec["panels"]] == [
        f"Overall: {before['satisfaction']:.2f} → {after['satisfaction']:.2f}",
        f"NPS: {before['nps(recommend)']:+.1f} → {after['nps(recommend)']:+.1f}".replace("-", "−"),
        f"Renewed = 1: {before['renewed']:.1%} → {after['renewed']:.1%}",
    ]
    assert [p["axis"]["label"] for p in spec["panels"]] == [
        "expected change, points of the scale", "expected change, points of NPS", "expected change, percentage points",
    ]  # fmt: skip
    assert spec["panels"][2]["rows"][0]["marks"][0]["text"].split()[1] == "pp"
    assert "not a proven cause" in spec["note"]
    assert "lengths compare within an outcome, not between them" in spec["note"]
    chinese = shown(TAB.live(asked(lang="zh", **MOVES)))
    assert "并非已证明的因果效应" in chinese["note"]
    assert chinese["title"].startswith("若queue +1、meal −0.5，预期：overall ")
    for panel in spec["panels"]:
        marks = [row["marks"][0] for row in panel["rows"]]
        assert panel["axis"]["low"] <= min(m["low"] for m in marks)
        assert max(m["high"] for m in marks) <= panel["axis"]["high"]
        assert panel["axis"]["low"] < 0 < panel["axis"]["high"]


def test_one_driver_is_one_row_and_many_are_the_largest():
    one = shown(TAB.live(asked(move_queue=1.0)))
    assert [[row["label"] for row in p["rows"]] for p in one["panels"]] == [["queue +1"]] * 3
    names = [f"d{j}" for j in range(12)]
    rng = np.random.default_rng(4)
    df = frame().assign(**{n: rng.integers(0, 11, 900).astype(float) for n in names})
    tab = WhatIfTab(Workspace(survey_of(df, drivers={"": tuple(names)})))
    many = tab.live(asked(tab, **{f"move_{n}": 0.5 for n in names}))
    assert [len(p["rows"]) for p in shown(many)["panels"]] == [9, 9, 9]
    assert "The 8 largest of 12 contributions are drawn; all are in the table." in shown(many)["note"]
    assert shown(many)["title"].startswith("Expected with 12 changed ratings: ")


def test_what_is_not_clear_is_said_so():
    rng = np.random.default_rng(7)
    tab = WhatIfTab(Workspace(survey_of(frame().assign(meal=rng.integers(0, 11, 900).astype(float)))))
    spec = shown(tab.live(asked(tab, move_meal=0.1)))
    assert "renewals without a clear change" in spec["title"]
    assert "续约率无显著变化" in shown(tab.live(asked(tab, lang="zh", move_meal=0.1)))["title"]


# ---------------------------------------------------------------------- nothing moved, too few, left out
def lapses() -> pd.DataFrame:
    """Some did not rate the doctor, and renewals of the last wave are not known yet."""
    df = frame()
    df.loc[np.arange(900) % 4 == 0, "doctor"] = np.nan
    df.loc[df["wave"] == 3, "renewed"] = np.nan
    return df


@pytest.mark.parametrize("filter", [{}, {"wave": [2.0, 3.0], "card": [1.0, 2.0]}])
def test_nothing_moved_shows_how_things_stand(filter):
    tab = WhatIfTab(Workspace(survey_of(lapses())))
    live, settled = tab.live(asked(tab, filter=filter)), tab.settled(asked(tab, filter=filter))
    survey = tab.workspace.inside(filter)
    inside = survey.where("doctor >= 0")
    calls = [(cx.means, "satisfaction"), (cx.nps, "recommend"), (cx.proportions, "renewed")]
    expected = [f(s, name).table.iloc[-1] for f, name in calls for s in (survey, inside)]
    for view, tolerance in ((live, 0.35), (settled, 1e-12)):
        rows = [row for p in shown(view)["panels"] for row in p["rows"]]
        marks = [row["marks"][0] for row in rows]
        np.testing.assert_allclose([m["value"] for m in marks], [e["estimate"] for e in expected], rtol=1e-10)
        half = [e["high"] - e["low"] for e in expected]
        np.testing.assert_allclose([m["high"] - m["low"] for m in marks], half, rtol=tolerance)
        assert [row["label"].split(" (")[1] for row in rows] == [f"{e['base']:,})" for e in expected]
    assert shown(live)["title"] == shown(settled)["title"]
    assert re.fullmatch(r"Now: overall \d\.\d\d, NPS [+−]\d+\.\d, renewals \d\d\.\d%", shown(live)["title"])
    assert live.code == settled.code
    space: dict[str, Any] = {"survey": tab.workspace.survey}
    exec(settled.code, space)
    own = settled.result.table.set_index(["metric", "who"])
    for metric, variable in (("satisfaction", "satisfaction"), ("nps(recommend)", "nps"), ("renewed", "renewals")):
        for who, suffix in (("all", ""), ("answered", "_answered")):
            made = space[variable + suffix].table.iloc[-1]
            assert own.loc[(metric, who), "estimate"] == made["estimate"]
            assert own.loc[(metric, who), "low"] == made["low"]
    assert list(settled.result.shown("en").iloc[:, 1].unique()) == ["all valid answers", "where the sliders start"]


def test_where_the_sliders_start_is_where_the_panels_start():
    tab = WhatIfTab(Workspace(survey_of(lapses())))
    still, moved = shown(tab.live(asked(tab))), shown(tab.live(asked(tab, move_queue=1.0)))
    starts = [p["rows"][-1]["marks"][0]["text"].split(" ")[0] for p in still["panels"]]
    assert starts == [p["heading"].split(": ")[1].split(" → ")[0] for p in moved["panels"]]
    complete = shown(TAB.live(asked()))
    assert [len(p["rows"]) for p in complete["panels"]] == [1, 1, 1]  # all answered everything
    assert "Sliders start" in still["note"]
    assert "Sliders start" not in complete["note"]


def test_waves_without_renewals_are_named():
    tab = WhatIfTab(Workspace(survey_of(lapses())))
    said = "No answers on renewals in 3: what is said of it rests on the other waves, while the other outcomes use these too."
    for answer in (tab.live, tab.settled):
        assert said in answer(asked(tab, move_queue=1.0)).lines
        assert said in answer(asked(tab)).lines
        assert said not in answer(asked(tab, filter={"wave": [1.0, 2.0]})).lines
        alone = answer(asked(tab, filter={"wave": [3.0]}))
        assert shown(alone)["panels"][2]["heading"] == "Renewed = 1: no answers in this filter"
        assert "renewed" not in alone.code
        moved = answer(asked(tab, lang="zh", filter={"wave": [3.0]}, move_queue=1.0))
        assert shown(moved)["panels"][2]["heading"] == "renewed = 1：当前筛选下没有数据"
    assert tab.live(asked(tab, lang="zh")).lines[1].startswith("3尚无“续约率”数据：")


def test_a_name_that_no_condition_can_hold_leaves_one_row():
    df = lapses().rename(columns={"queue": "Q 1.a"})
    roles = {"": ("Q 1.a", "doctor", "meal")}
    tab = WhatIfTab(Workspace(survey_of(df, scales=("overall", "recommend", "doctor", "meal"), drivers=roles)))
    for answer in (tab.live, tab.settled):
        assert [len(p["rows"]) for p in shown(answer(asked(tab)))["panels"]] == [1, 1, 1]


def test_small_bases_are_masked_one_by_one_and_all_together():
    df = frame()
    df.loc[(df["wave"] == 3) & (np.arange(900) % 36 != 2), "renewed"] = np.nan
    tab = WhatIfTab(Workspace(survey_of(df)))
    filter = {"wave": [3.0], "card": [1.0]}
    for view in (tab.live(asked(tab, filter=filter, **MOVES)), tab.settled(asked(tab, filter=filter, **MOVES))):
        last = shown(view)["panels"][2]
        assert re.fullmatch(r"Renewed = 1: base too small \(effective \d+\)", last["heading"])
        assert last["rows"] == []
        assert "renewed" not in view.code
        assert len(shown(view)["panels"][0]["rows"]) == 3
    for answer in (tab.live, tab.settled):
        with pytest.raises(SurveyError, match=r"^\d+ respondents in the filter \(effective \d+\) answered overall and all 3 drivers; from an "
                           r"effective base of 30 numbers are shown: widen the filter\.$"):  # fmt: skip
            answer(asked(tab, filter={"card": [3.0], "wave": [1.0]}, **MOVES))
        with pytest.raises(SurveyError, match=r"有效样本量达到 30 才显示数值：请放宽筛选。$"):
            answer(asked(tab, lang="zh", filter={"card": [3.0], "wave": [1.0]}))


def test_a_driver_without_variation_in_the_filter_is_named():
    df = frame()
    df.loc[df["wave"] == 2, "doctor"] = 8.0
    tab = WhatIfTab(Workspace(survey_of(df)))
    for answer in (tab.live, tab.settled):
        with pytest.raises(SurveyError, match=r"^doctor: all respondents in the filter gave the same answer, so the model cannot be estimated; "
                           r"widen the filter\.$"):  # fmt: skip
            answer(asked(tab, filter={"wave": [2.0]}, **MOVES))


@pytest.mark.parametrize(
    ("roles", "said", "chinese"),
    [
        ({"renewal": None}, "Renewals are left out: the study does not say which column holds them. Declare it in study.yml: renewal: renewed.",
         "未推算续约率：研究文件未说明续约记录所在的列。请在 study.yml 中声明：renewal: renewed。"),
        ({"renewal": "meal"}, "Renewals are left out: meal does not have two values (yes and no); if other codes mean missing, declare them in study.yml under missing:.",
         "未推算续约率：“meal”的取值不是两个（是与否）；若其余代码表示缺失，请在 study.yml 的 missing: 下声明。"),
        ({"outcomes": {"satisfaction": ("overall",)}},
         "NPS is left out: the study declares no question on recommendation. Declare it in study.yml: outcomes: {recommend: q2}.",
         "未推算净推荐值：研究文件未声明推荐意愿题。请在 study.yml 中声明：outcomes: {recommend: q2}。"),
        ({"outcomes": {"satisfaction": ("overall",), "recommend": ("card",)}}, "NPS is left out: card is not a single question on a scale of 0–10.",
         "未推算净推荐值：“card”不是 0–10 分量表的单个题目。"),
        ({"outcomes": {"recommend": ("advise",)}},
         "Satisfaction is left out: the study declares no outcome but recommendation. Declare it in study.yml: outcomes: {satisfaction: q1}.",
         "未推算满意度：研究文件只声明了推荐意愿。请在 study.yml 中声明：outcomes: {satisfaction: q1}。"),
    ],
)  # fmt: skip
def test_what_the_study_does_not_declare_is_left_out_with_a_sentence(roles, said, chinese):
    df = frame().rename(columns={"recommend": "advise"})
    roles = {"outcomes": {**ROLES["outcomes"], "recommend": ("advise",)}} | roles
    tab = WhatIfTab(Workspace(survey_of(df, scales=("advise", *ITEMS), **roles)))
    view = tab.live(asked(tab, move_queue=1.0))
    assert len(shown(view)["panels"]) == 2
    assert said in view.lines
    assert chinese in tab.live(asked(tab, lang="zh", move_queue=1.0)).lines
    assert said in tab.live(asked(tab)).lines


def test_a_study_without_outcomes_or_drivers_says_what_is_missing():
    assert (
        WhatIfTab(Workspace(survey_of(outcomes={}, renewal=None)))
        .lacking()["en"]
        .endswith("outcomes:\n  satisfaction: q1")
    )
    assert WhatIfTab(Workspace(survey_of(drivers={}))).lacking()["zh"].startswith("研究未声明可供调整的驱动因素。")
    assert TAB.lacking() is None


def labelled(survey: cx.Survey, values: dict | None = None, **facts: Any) -> cx.Survey:
    item = survey.codebook.items.get("renewed", Item("renewed"))
    item = replace(item, **({"values": values} if values else {}), **facts)
    return replace(survey, codebook=survey.codebook.with_items(item))


YES, NO = {"en": "Yes", "zh": "是"}, {"en": "No", "zh": "否"}


@pytest.mark.parametrize(
    ("codes", "labels", "text"),
    [
        ((1.0, 2.0), {1.0: NO, 2.0: YES}, "renewed"),
        ((2.0, 1.0), {1.0: YES, 2.0: NO}, "renewed == 1.0"),
        ((2.0, 1.0), {1.0: {"zh": "已续约"}, 2.0: {"zh": "未续约"}}, "renewed == 1.0"),
        ((1.0, 0.0), {0.0: {"en": "renewed"}, 1.0: {"en": "did not renew"}}, "renewed == 0.0"),
        (("no", "yes"), None, "renewed == 'yes'"),
        (("N", "Y"), None, "renewed == 'Y'"),
        (("否", "是"), None, "renewed == '是'"),
    ],
)
def test_renewals_are_those_who_renewed_however_coded(codes, labels, text):
    df = frame().assign(renewed=lambda d: d["renewed"].map(dict(enumerate(codes))))
    tab = WhatIfTab(Workspace(labelled(survey_of(df), labels)))
    assert tab._measures[2].text == text
    for choice in (MOVES, {}):
        for answer in ("live", "settled"):
            one, other = (shown(getattr(t, answer)(asked(t, **choice)))["panels"][2] for t in (TAB, tab))
            assert [r["marks"] for r in one["rows"]] == [r["marks"] for r in other["rows"]]
    best = tab.settled(asked(tab, target=text, find=1, budget=1.0, cost_queue=1.0))
    assert shown(best)["title"] == "Best use of a budget of 1 for renewals: queue +1"


def test_renewals_of_which_nothing_tells_the_meaning_are_left_out():
    said = (
        "Renewals are left out: nothing tells which of the two values of renewed means renewed. Label them (yes, no) in the codebook, or write 1 "
        "for renewed and 0 for not."
    )
    for df in (frame().assign(renewed=lambda d: d["renewed"] + 1), frame().assign(renewed=lambda d: np.where(d["renewed"] == 1, "B", "A"))):  # fmt: skip
        tab = WhatIfTab(Workspace(survey_of(df)))
        assert len(tab._measures) == 2
        assert said in tab.live(asked(tab, move_queue=1.0)).lines
    lower = WhatIfTab(
        Workspace(labelled(survey_of(frame().assign(renewed=lambda d: d["renewed"] + 1)), higher_is_better=False))
    )
    assert lower._measures[2].text == "renewed == 1.0"


def test_outcomes_that_say_nothing_are_named():
    tab = WhatIfTab(Workspace(survey_of(frame().assign(overall=7.0))))
    assert (
        tab.live(asked(tab, move_queue=1.0)).lines[0]
        == "Overall is left out: all answers count the same, so there is nothing to explain."
    )


@pytest.mark.parametrize(
    ("span", "step", "spec"), [(10, 0.1, "+.1f"), (1, 0.05, "+.2f"), (100, 0.5, "+.1f"), (60_000, 500, "+.0f")]
)
def test_steps_of_a_slider_fit_its_scale(span, step, spec):
    survey = survey_of(frame().assign(queue=lambda d: d["queue"] * span / 10), scales=("recommend", "doctor"))
    slide = WhatIfTab(Workspace(survey)).controls()[0]
    assert (slide.step, slide.spec) == (step, spec)
    for end in (slide.low, slide.high):
        assert end / step == pytest.approx(round(end / step), abs=1e-6)  # 0 is on the grid


def test_beyond_what_is_possible():
    tab = WhatIfTab(Workspace(survey_of(frame().assign(renewed=lambda d: (d["queue"] > 5).astype(float)))))
    lines = tab.live(asked(tab, move_queue=5.0)).lines
    assert re.fullmatch(
        r"The straight line leads to 1\d\d\.\d% for renewals, which can only lie between 0% and 100%: the changes are too large for this model\.",
        lines[-1],
    )
    assert shown(tab.live(asked(tab, move_queue=5.0)))["panels"][2]["heading"].endswith(" → >100.0%")
    assert not tab.live(asked(tab, move_queue=0.5)).lines


# ---------------------------------------------------------------------- money
def test_costs_are_added_up_and_gains_are_per_unit():
    settled = TAB.settled(asked(cost_queue=2.0, cost_meal=3.0, **MOVES))
    together = settled.result.table.query("driver == 'together'").set_index("metric")
    assert (together["cost"] == 3.5).all()
    np.testing.assert_allclose(together["gain_per_cost"], together["estimate"] / 3.5)
    row = together.loc["satisfaction", ["estimate", "low", "high"]] / 3.5
    said = "{:+.3f} ({:+.3f} to {:+.3f})".format(*row)
    assert settled.lines[0].startswith(f"Cost of these changes: 3.5. For each unit of cost: overall {said}; NPS ")
    assert (
        TAB.live(asked(lang="zh", cost_queue=2.0, cost_meal=3.0, **MOVES))
        .lines[0]
        .startswith("上述变动的成本：3.5。每单位成本对应：overall ")
    )
    large = TAB.settled(asked(cost_queue=2e5, cost_meal=3e5, **MOVES))
    assert large.lines[0].startswith("Cost of these changes: 350,000. For each 100,000 of cost: overall " + said)
    assert "Change per 100,000 of cost" in large.result.shown("en")
    assert "每 100,000 成本对应" in TAB.live(asked(lang="zh", cost_queue=2e5, cost_meal=3e5, **MOVES)).lines[0]
    some = TAB.settled(asked(cost_queue=2.0, **MOVES))
    assert (
        some.lines[0]
        == "Cost so far: 2. No cost is given for meal; the change per unit of cost follows when all that moves has one."
    )
    assert some.result.table.query("driver == 'together'")["cost"].isna().all()
    assert "Change per unit of cost" in some.result.shown("en")


def test_the_best_set_is_the_library_s():
    choice = {"budget": 4.0, "cost_queue": 2.0, "cost_doctor": 3.0, "target": "renewed", "find": 1}
    assert TAB.live(asked(**choice)) is None  # only the library answers
    view = TAB.settled(asked(**choice))
    best = cx.what_if(
        SPACE.survey,
        "renewed",
        changes={"queue": 1.0, "doctor": 1.0},
        drivers=ITEMS,
        cost={"queue": 2.0, "doctor": 3.0},
        budget=4.0,
    )
    pd.testing.assert_frame_equal(view.result.table, best.table)
    space: dict[str, Any] = {"survey": SPACE.survey}
    exec(view.code, space)
    pd.testing.assert_frame_equal(space["best"].table, best.table)
    spec = shown(view)
    assert spec["title"] == "Best use of a budget of 4 for renewals: queue +1"
    assert [r["label"] for r in spec["rows"]] == [
        "queue +1",
        "Together, on the same data",
        "Together, on other respondents",
    ]
    assert spec["rows"][2]["marks"][0]["value"] == best.plan["honest"].iloc[0]
    assert view.lines == tuple(s.text for s in best.sentences("en"))
    idle = TAB.settled(asked(**{**choice, "move_meal": 1.0}))
    assert idle.lines[-1] == "Moved, but not part of this choice, as no cost is given: meal."
    poor = TAB.settled(asked(lang="zh", **{**choice, "budget": 0.5}))
    assert shown(poor)["title"] == "预算为 0.5 时，没有可负担且对应“续约率”改善的变动"


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"cost_queue": 1.0}, "budget: it is empty; write what may be spent, in the units of the costs."),
        ({"budget": 1.0}, "cost: no driver has one; write the cost of one point for each driver that may be improved."),
    ],
)
def test_what_the_best_set_needs(choice, message):
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        TAB.settled(asked(find=1, **choice))


# ---------------------------------------------------------------------- on the screen
def test_sliders_on_the_screen_move_the_picture():
    book = Workbench(Workspace(survey_of()), [WhatIfTab], "en")
    panel = book.panel
    assert panel.picture.spec["title"].startswith("Now: ")
    panel.board.choose(move_queue=1.0)
    assert panel.picture.spec["panels"][0]["rows"][0]["label"] == "queue +1"
    book.speak("zh")
    assert panel.picture.spec["title"].startswith("若queue +1，预期：")
    panel.board.choose(cost_queue=1.0, budget=1.0)
    panel.board.handles["find"].box.click()
    assert panel.picture.spec["title"].startswith("预算 1 时，对“overall”最有利的组合")


def test_a_slider_event_is_quick():
    space = Workspace(cx.open_study("data/healthcheck"))
    tab = WhatIfTab(space)
    choice = defaults(tab.controls()) | {"move_doctor": 0.5, "move_meal": 0.5}
    tab.live(Asked(choice, {}, "en"))
    spent = []
    for k in range(40):
        start = time.process_time()
        tab.live(Asked(choice | {"move_queue": 0.1 * (k + 1)}, {}, "en"))
        spent.append(time.process_time() - start)
    assert np.median(spent) < 0.025  # some 5 ms where nothing else runs


def test_the_answers_of_many_rows_are_counted_by_the_worker(monkeypatch):
    expected = shown(TAB.live(asked(move_queue=1.0)))
    monkeypatch.setattr("cxlab.workbench._what_if._AT_ONCE", 100)
    tab = WhatIfTab(Workspace(survey_of()))
    assert tab.live(asked(tab, move_queue=1.0)) is None
    tab.settled(asked(tab))  # at rest, before anything moves
    assert shown(tab.live(asked(tab, move_queue=1.0))) == expected
