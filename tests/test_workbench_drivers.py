"""The drivers tab: what it shows while something moves is the library's own, what it settles on is the library itself."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.covariances import Listwise, Sample
from cxlab.cube import cube_importance, importance_of, moment_cube
from cxlab.design import resolve, t_quantile
from cxlab.errors import SurveyError
from cxlab.importance import coefficients, johnson
from cxlab.moments import to_correlation
from cxlab.subsets import shapley
from cxlab.survey import Roles, Survey
from cxlab.workbench._drivers import DriversTab
from cxlab.workbench._drivers_figures import Kept
from cxlab.workbench._drivers_live import quick_shapley
from cxlab.workbench._picture import clean
from cxlab.workbench._segments import SegmentsTab
from cxlab.workbench._tab import Asked, defaults
from cxlab.workbench._trend import TrendTab
from cxlab.workbench._workspace import Workspace

DATA = Path(__file__).parents[1] / "data"
EXACT = 1e-10
SHOWS = ("drivers", "blocks", "map", "effects")
FEW = ("nurse", "report", "price_fairness", "reception", "queue", "noise")
pytestmark = pytest.mark.filterwarnings("ignore::cxlab.errors.SurveyWarning")


@pytest.fixture(scope="module")
def demo() -> DriversTab:
    return DriversTab(Workspace(cx.open_study(DATA / "healthcheck" / "study.yml")))


@pytest.fixture(scope="module")
def mobi() -> DriversTab:
    return DriversTab(Workspace(cx.open_study(DATA / "mobi" / "study.yml")))


def ask(tab: DriversTab, filter: dict | None = None, lang: str = "en", **choice: object) -> Asked:
    return Asked({**defaults(tab.controls()), **choice}, filter or {}, lang)


def made(rows: int = 1200, drivers: int = 6, *, groups: int = 3, seed: int = 0, **columns: object) -> DriversTab:
    """A tab on simulated respondents: correlated drivers, the first matter most; groups "g"."""
    rng = np.random.default_rng(seed)
    x = np.round(np.clip(6 + 1.5 * rng.normal(size=(rows, drivers)) + rng.normal(size=(rows, 1)), 0, 10))
    df = pd.DataFrame(x, columns=[f"q{j}" for j in range(drivers)])
    weights = np.linspace(1, 0, drivers)
    df["y"] = np.round(np.clip(x @ weights / weights.sum() + rng.normal(size=rows), 0, 10))
    df["g"] = rng.integers(0, groups, rows)
    df = df.assign(**columns)
    survey = Survey.from_frame(df)
    half = drivers // 2
    blocks = {"value": tuple(df.columns[:half]), "sensory": tuple(df.columns[half:drivers])}
    roles = Roles(outcomes={"satisfaction": ("y",)}, drivers=blocks, segments=("g",))
    return DriversTab(Workspace(replace(survey, roles=roles)))


def values(spec: dict, key: str = "value") -> dict[tuple[str, int], float]:
    """Numbers of the marks by label and series."""
    return {
        (row["label"], mark["series"]): mark[key] for row in spec["rows"] for mark in row["marks"] if "value" in mark
    }


# ---------------------------------------------------------------------- the same numbers
def test_points_while_moving_are_the_librarys(demo):
    rng = np.random.default_rng(20)
    survey, names = demo.workspace.survey, demo._default("satisfaction")
    for case in range(20):
        chosen = tuple(names[j] for j in sorted(rng.permutation(len(names))[: rng.integers(2, 9)]))
        filter = {
            column: sorted(rng.permutation(codes := demo.workspace.codes(column))[: rng.integers(1, len(codes) + 1)])
            for column in ("wave", "card", "gender", "payer")
            if rng.random() < 0.5
        }
        if len(filter.get("wave", range(24))) < 4:
            filter.pop("wave")
        method = ("shapley", "johnson", "car", "pratt")[case % 4]
        outcome = ("satisfaction", "recommend", "effort")[case % 3]
        asked = ask(demo, filter, outcome=outcome, method=method, drivers=chosen)
        figures = demo._quick.figures(demo._question(asked)[0], filter)
        direct = cx.key_drivers(
            survey.where(**filter) if filter else survey, outcome, chosen, method=method, model="linear", replicates=0
        )
        table = direct.table.set_index("driver").loc[list(chosen)]
        for column in ("importance", "share", "estimate", "rank"):
            np.testing.assert_allclose(figures[column], table[column], rtol=0, atol=EXACT)
        assert (figures.base, figures.effective) == (
            direct.base.respondents,
            pytest.approx(direct.base.effective, rel=1e-12),
        )


@pytest.mark.parametrize("show", SHOWS)
@pytest.mark.parametrize("by", [None, "card"])
def test_what_settles_is_what_moved_but_for_its_intervals(demo, show, by):
    asked = ask(demo, {"wave": [19, 20, 21, 22, 23, 24]}, show=show, by=by, drivers=FEW)
    live, settled = demo.live(asked), demo.settled(asked)
    assert live.spec["kind"] == settled.spec["kind"]
    assert live.spec["subtitle"] == settled.spec["subtitle"]
    assert live.code == settled.code
    assert live.result is None
    assert re.sub(r"\(.*?\)", "", live.spec["title"]) == re.sub(r"\(.*?\)", "", settled.spec["title"])
    if show == "map":
        for moved, rests in zip(live.spec["points"], settled.spec["points"], strict=True):
            assert moved["label"] == rests["label"]
            assert (moved["x"], moved["y"]) == pytest.approx((rests["x"], rests["y"]), abs=EXACT)
        for cut in ("x_cut", "y_cut"):
            assert live.spec[cut] == pytest.approx(settled.spec[cut], abs=EXACT)
        return
    assert [row["label"] for row in live.spec["rows"]] == [row["label"] for row in settled.spec["rows"]]
    assert values(live.spec) == pytest.approx(values(settled.spec), abs=EXACT)
    assert live.spec["series"] == settled.spec["series"]
    assert len(live.spec["series"]) == (1 if by is None else 3)


@pytest.mark.parametrize(
    ("choice", "table"),
    [
        ({}, "table"),
        ({"method": "johnson", "outcome": "effort"}, "table"),
        ({"show": "map"}, "table"),
        ({"show": "blocks"}, "table"),
        ({"show": "blocks", "by": "payer"}, "segments"),
        ({"show": "effects", "by": "payer"}, "table"),
    ],
)
def test_the_code_gives_the_very_result(demo, choice, table):
    view = demo.settled(ask(demo, {"wave": [21, 22, 23, 24], "gender": [1]}, drivers=FEW, **choice))
    space: dict = {}
    exec(view.code, space)
    pd.testing.assert_frame_equal(getattr(space["result"], table), getattr(view.result, table))


def test_the_picture_shows_the_table(demo):
    view = demo.settled(ask(demo, {"card": [2]}))
    table = view.result.table.iloc[0]
    first = view.spec["rows"][0]
    assert first["label"] == view.result.label(table["driver"], "en")
    mark = first["marks"][0]
    assert (mark["value"], mark["low"], mark["high"]) == (table["share"], table["share_low"], table["share_high"])
    assert mark["text"].startswith(f"{table['share']:.1%} ({table['share_low']:.1%}–{table['share_high']:.1%}) · rank ")
    assert first["limit"] == pytest.approx(table["null_line"] / view.result.table["importance"].sum())
    clean(view.spec)


def test_effects_are_those_of_the_table(demo):
    view = demo.settled(ask(demo, show="effects", by="card", drivers=FEW))
    table = view.result.table.set_index(["driver", "segment"])
    found = values(view.spec)
    for name in FEW:
        for k, code in enumerate((1, 2, 3)):
            assert found[demo.workspace.survey.label(name, "en"), k] == table.loc[(name, code), "estimate"]


# ---------------------------------------------------------------------- intervals
@pytest.mark.parametrize("filter", [{}, {"card": [3]}, {"wave": [22, 23, 24]}])
@pytest.mark.parametrize("method", ["shapley", "johnson"])
def test_standard_errors_while_moving_are_about_the_bootstraps(demo, filter, method):
    asked = ask(demo, filter, method=method, drivers=demo._default("satisfaction")[:10])
    live, settled = demo.live(asked), demo.settled(asked)
    draws = settled.result.replicates
    shares = draws.div(draws.sum(axis=1), axis=0).std()
    clear = settled.result.table.query("distinguishable")["driver"]
    half = {label: (high - value) for (label, _), value in values(live.spec).items() for high in [values(live.spec, "high")[label, 0]]}  # fmt: skip
    ratio = np.array([half[demo.workspace.survey.label(d, "en")] / t_quantile(0.95, 99) / shares[d] for d in clear])
    assert np.abs(ratio - 1).max() < 0.35
    assert abs(ratio.mean() - 1) < 0.1


@pytest.mark.parametrize(("count", "most"), [(12, 0.05), (13, 0.05), (16, 0.1), (17, 0.35)])
def test_quick_replicates_have_the_spread_of_exact_ones(count, most):
    tab = made(2500, count)
    found = tab.workspace.cube.covariances({"g": [0, 1]}, [*(f"q{j}" for j in range(count)), "satisfaction"])
    matrices = to_correlation(np.concatenate([found.replicates, found.covariance[None]]))
    quick, exact = quick_shapley(matrices), shapley(matrices)
    np.testing.assert_allclose(quick[-1], exact[-1], atol=1e-13)
    se = [np.sqrt(found.scale @ (m[:-1] - m[-1]) ** 2) for m in (quick, exact)]
    assert np.abs(se[0] / se[1] - 1).max() < most


HARD = {
    "70 respondents": (70, None, 0.0, 12),
    "400 respondents": (400, None, 0.0, 12),
    "uneven weights": (1200, None, 1.2, 11),
    "20 clusters": (600, 20, 0.0, 12),
    "70 clusters": (1200, 70, 0.0, 13),
    "14 drivers, 120 respondents": (120, None, 0.0, 14),
    "15 drivers, 200 respondents": (200, None, 0.0, 15),
}


@pytest.mark.parametrize("case", HARD)
@pytest.mark.parametrize("common", [1.0, 8.0])
def test_replicates_that_bend_away_from_the_line_are_worked_exactly(case, common):
    rows, units, uneven, count = HARD[case]
    rng = np.random.default_rng(rows)
    unit = np.arange(rows) if units is None else np.arange(rows) % units
    x = (
        rng.normal(size=(rows, count))
        + common * rng.normal(size=(rows, 1))
        + 0.6 * rng.normal(size=(rows, count))[unit]
    )
    df = pd.DataFrame(x, columns=[f"q{j}" for j in range(count)])
    df["y"] = x @ np.linspace(1, 0, count) / 3 + 2 * rng.normal(size=rows)
    df["u"], df["w"], df["g"] = unit, np.exp(uneven * rng.normal(size=rows)), 0
    cube = moment_cube(Survey.from_frame(df, psu="u", weight="w"), [*df.columns[: count + 1]], ["g"])
    found = cube.covariances(None, [*df.columns[: count + 1]])
    matrices = to_correlation(np.concatenate([found.replicates, found.covariance[None]]))
    quick, exact = quick_shapley(matrices), shapley(matrices)
    np.testing.assert_allclose(quick[-1], exact[-1], atol=1e-13)
    se = [np.sqrt(found.scale @ (m[:-1] - m[-1]) ** 2) for m in (quick, exact)]
    assert np.abs(se[0] / se[1] - 1).max() < (0.05 if count <= 14 else 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("design", ["simple random", "weights and strata", "clusters"])
def test_standard_errors_of_the_tab_are_the_bootstraps(design):
    """Ten drivers, whose replicates come from the gradient; 200 surveys of 1,200, 1,000 bootstrap replicates each."""
    names, ratios = [*(f"q{j}" for j in range(10)), "y"], []
    for seed in range(200):
        rng = np.random.default_rng([seed, len(design)])
        unit = np.arange(1200) // 8 if design == "clusters" else np.arange(1200)
        between = 0.35 * rng.normal(size=1200)[unit] * (design == "clusters")
        x = rng.normal(size=(1200, 10)) + 0.8 * rng.normal(size=(1200, 1)) + between[:, None]
        df = pd.DataFrame(x, columns=names[:-1])
        df["y"] = x @ np.linspace(0.5, 0.1, 10) + 1.5 * rng.normal(size=1200) + between
        df["s"], df["u"], df["g"] = unit % 3, unit, 0
        df["w"] = np.array([1.4, 0.73, 0.4])[unit % 3] * rng.uniform(0.6, 1.4, 1200)
        declared = {} if design == "simple random" else {"weight": "w", "stratum": "s"}
        survey = Survey.from_frame(df, **declared, **({"psu": "u"} if design == "clusters" else {}))
        found = importance_of(
            moment_cube(survey, names, ["g"]).covariances(None, names), method=quick_shapley, draws=10
        )
        sample = Sample(df[names].to_numpy(), survey.weights, np.arange(1200), resolve(survey))
        drawn = np.concatenate([c for _, c in Listwise(sample).replicates(1000, seed)])
        values = shapley(drawn)
        parts = values / values.sum(axis=1, keepdims=True)
        ratios.append([
            found.values["importance_se"] / values.std(axis=0, ddof=1),
            found.values["share_se"] / parts.std(axis=0, ddof=1),
            found.values["se"] / coefficients(drawn).std(axis=0, ddof=1),
        ])  # fmt: skip
    print(design, *(f(ratios, axis=(0, 2)).round(3) for f in (np.mean, np.min, np.max)))
    assert np.abs(np.mean(ratios, axis=(0, 2)) - 1).max() < 0.05
    assert np.abs(np.mean(ratios, axis=0) - 1).max() < 0.05  # each driver over all seeds
    assert np.abs(np.array(ratios) - 1).max() < 0.35  # each driver of each survey


def test_few_drivers_are_worked_exactly_while_moving(demo):
    question = demo._question(ask(demo, drivers=("booking", "info", "nurse", "queue")))[0]
    figures = demo._quick.figures(question, {"card": [1]})
    table = cube_importance(demo.workspace.cube, "satisfaction", question.drivers, filter={"card": 1}).table
    for column in ("share_low", "share_high", "low", "high", "rank_low", "rank_high"):
        np.testing.assert_allclose(figures[column], table[column], atol=1e-12)


# ---------------------------------------------------------------------- who is drawn
def test_the_largest_groups_are_drawn():
    sizes = np.repeat(np.arange(12), [40, 200, 210, 220, 230, 240, 250, 260, 270, 280, 90, 80])
    tab = made(len(sizes), g=sizes)
    asked = ask(tab, by="g")
    live, settled = tab.live(asked), tab.settled(asked)
    assert [s["name"] for s in live.spec["series"]] == [f"{g} (base {190 + 10 * g})" for g in range(2, 10)]
    assert live.spec["series"] == settled.spec["series"]
    assert "The 8 largest of 12 groups are shown." in settled.spec["note"]
    assert values(live.spec) == pytest.approx(values(settled.spec), abs=EXACT)
    assert "survey = survey.where(g=[2, 3, 4, 5, 6, 7, 8, 9])" in live.code


def test_the_last_waves_of_a_long_range_are_drawn(demo):
    view = demo.live(ask(demo, {"wave": list(range(1, 13))}, "zh", by="wave"))
    assert [s["name"][:7] for s in view.spec["series"]] == [f"2024-{m:02}" for m in range(7, 13)]
    assert "仅显示 12 期中最近的 6 期；移动期次范围可查看其他各期。" in view.spec["note"]
    few = demo.live(ask(demo, {"wave": [5, 6]}, by="wave"))
    assert [s["name"][:7] for s in few.spec["series"]] == ["2024-05", "2024-06"]
    assert "shown" not in few.spec["note"]


def test_small_groups_have_no_numbers_and_faint_ones_say_so():
    sizes = np.repeat([0, 1, 2], [25, 50, 900])
    tab = made(len(sizes), g=sizes)
    asked = ask(tab, by="g")
    for view in (tab.live(asked), tab.settled(asked)):
        for row in view.spec["rows"]:
            small, _, large = row["marks"]
            assert small == {"series": 0, "hidden": "base too small"}
            assert "value" in large
            assert "faded" not in large
        faded = [row["marks"][1].get("faded") or "hidden" in row["marks"][1] for row in view.spec["rows"]]
        assert sum(faded) > 3
        assert "Without numbers: effective base under 30." in view.spec["note"]
        assert "Hollow: effective base 30 to 74, read the intervals." in view.spec["note"]
        assert not re.search(r"\b0 –", view.spec["title"])


def test_groups_that_are_all_small_leave_a_title():
    tab = made(90, drivers=3, g=np.arange(90) % 4)
    view = tab.live(ask(tab, by="g"))
    assert view.spec["title"] == "Too few respondents in every group to say what drives y"
    assert clean(view.spec)["axis"]["high"] > 0


def test_drivers_that_tie_are_named():
    rng = np.random.default_rng(1)
    x = rng.integers(0, 11, (400, 3)).astype(float)
    tab = made(400, 3, q0=x[:, 0], q1=x[:, 1], q2=x[:, 2], y=x.sum(axis=1) + 2 * rng.normal(size=400))
    title = tab.live(ask(tab, lang="zh")).spec["title"]
    assert "尚无法区分高下" in title
    assert tab.live(ask(tab)).spec["title"].count(", but is not separated from ") == 1


def test_the_map_shows_everybody(demo):
    view = demo.live(ask(demo, show="map", by="card"))
    assert view.spec["note"].endswith("The map shows all groups together.")
    assert "by=" not in view.code
    assert view.spec["corners"] == ["Fix first", "Keep up", "Low priority", "Maintain"]


def test_scales_that_differ_are_put_on_100():
    rng = np.random.default_rng(3)
    tab = made(600, 4, q0=rng.integers(1, 6, 600), q1=rng.integers(0, 11, 600))
    asked = ask(tab, show="map")
    live, settled = tab.live(asked), tab.settled(asked)
    assert live.spec["x_axis"]["label"] == settled.spec["x_axis"]["label"] == "Performance (mean, 0–100)"
    for moved, rests in zip(live.spec["points"], settled.spec["points"], strict=True):
        assert moved["x"] == pytest.approx(rests["x"], abs=1e-9)


def test_an_outcome_of_two_values_is_linear():
    rng = np.random.default_rng(4)
    tab = made(900, 4, y=rng.integers(0, 2, 900))
    asked = ask(tab)
    assert values(tab.live(asked).spec) == pytest.approx(values(tab.settled(asked).spec), abs=EXACT)
    assert "model='linear'" in tab.live(asked).code


# ---------------------------------------------------------------------- studies that lack something
def test_a_study_without_waves_segments_and_weights(mobi):
    assert mobi.lacking() is None
    assert "by" not in [c.name for c in mobi.controls()]
    asked = ask(mobi, lang="zh")
    live, settled = mobi.live(asked), mobi.settled(asked)
    assert values(live.spec) == pytest.approx(values(settled.spec), abs=EXACT)
    assert live.spec["title"].startswith("“")


def test_what_is_lacking_is_said():
    bare = Survey.from_frame(pd.DataFrame({"q1": [1.0, 2, 3] * 30, "q2": [3.0, 1, 2] * 30}))
    lacking = DriversTab(Workspace(bare)).lacking()
    assert lacking["en"] == (
        "The study declares no outcome that has answers. Add one to study.yml, such as\noutcomes:\n  satisfaction: q1"
    )
    assert lacking["zh"] == "研究未声明有回答的结果变量。请在 study.yml 中添加，例如\noutcomes:\n  satisfaction: q1"
    alone = replace(bare, roles=Roles(outcomes={"satisfaction": ("q1",)}, drivers={"": ("q2",)}))
    lacking = DriversTab(Workspace(alone)).lacking()
    assert lacking["en"].startswith(
        "The study declares fewer than two drivers. Add them to study.yml, in blocks or not,"
    )
    assert lacking["zh"].startswith("研究声明的驱动因素不足两个。请在 study.yml 中添加，可以分类，也可以不分，例如")


def test_default_drivers_are_the_librarys(demo):
    chosen = {c.name: c.default for c in demo.controls()}["drivers"]
    assert set(chosen) == set(cx.key_drivers(demo.workspace.survey, replicates=0).table["driver"])
    assert {"parking", "followup"}.isdisjoint(chosen)
    options = [v for v, _ in next(c for c in demo.controls() if c.name == "drivers").options]
    assert {"parking", "followup"} <= set(options)


# ---------------------------------------------------------------------- bad choices
def refused(tab: DriversTab, asked: Asked) -> str:
    """The sentence, the same while something moves and when it rests, and quickly."""
    start, said = time.process_time(), []
    for answer in (tab.live, tab.settled):
        with pytest.raises(SurveyError) as error:
            answer(asked)
        said.append(str(error.value))
    assert time.process_time() - start < 0.6
    assert said[0] == said[1]
    return said[0]


MANY = made(3000, 40, groups=400, few=np.arange(3000) % 2)


@pytest.mark.parametrize(
    ("choice", "english", "chinese"),
    [
        ({"drivers": ("q0",)}, "drivers: 1 chosen; choose at least two.", "驱动因素：已选 1 个，请至少选择两个。"),
        ({"drivers": ()}, "drivers: 0 chosen; choose at least two.", "驱动因素：已选 0 个，请至少选择两个。"),
        (
            {},
            "drivers: 40 chosen; Shapley values go through all 2^40 subsets of up to 20 drivers. Choose Johnson's relative "
            "weights, which come close at any number, or fewer drivers.",
            "驱动因素：已选 40 个；Shapley 值须遍历全部子集（2^40 个），最多支持 20 个因素。请改用结果相近、个数不限的 Johnson 相对权重，或减少因素。",
        ),
        (
            {"drivers": ("q0", "q1"), "by": "g"},
            "side by side: g has 400 groups; up to 60 can be compared. Band it in study.yml (recoded:), or narrow the filter.",
            "分组并列：“g”有 400 组，最多可比较 60 组。请在 study.yml 中用 recoded: 归并，或收窄筛选。",
        ),
        (
            {"show": "blocks"},
            "blocks: value holds 20 drivers beside 1 other blocks; together at most 20 are compared: choose fewer drivers.",
            "类别：“value”含 20 个因素，另有 1 类；两者合计最多 20 个：请减少因素。",
        ),
        (
            {"show": "blocks", "drivers": ("q0", "q1")},
            "blocks: the 2 chosen drivers stand in 1 blocks; at least two blocks are needed, one of them with several drivers: "
            "choose more drivers, or declare blocks in study.yml.",
            "类别：所选 2 个因素分属 1 类；至少需要两类，且其中一类含多个因素：请增加因素，或在 study.yml 中声明类别。",
        ),
    ],
)
def test_bad_choices_are_sentences(choice, english, chinese):
    assert refused(MANY, ask(MANY, **choice)) == english
    assert refused(MANY, ask(MANY, lang="zh", **choice)) == chinese


def test_an_outcome_among_the_drivers():
    tab = made(600, 4)
    roles = replace(tab.workspace.survey.roles, drivers={"value": ("q0", "q1", "y")}, segments=("g", "q1"))
    tab = DriversTab(Workspace(replace(tab.workspace.survey, roles=roles)))
    assert {c.name: c.default for c in tab.controls()}["drivers"] == ("q0", "q1")
    assert refused(tab, ask(tab, drivers=("q0", "y"))) == (
        "drivers: y belongs to the outcome itself; leave it out, or choose another outcome."
    )
    assert refused(tab, ask(tab, lang="zh", drivers=("q0", "y"))) == (
        "驱动因素：“y”属于结果变量本身；请将其去掉，或改选其他结果变量。"
    )
    assert refused(tab, ask(tab, by="q1", drivers=("q0", "q1"))) == (
        "side by side: q1 is one of the drivers or the outcome; within a group it does not vary: choose another column."
    )


def test_filters_that_leave_few_or_nobody():
    rng = np.random.default_rng(5)
    group = np.repeat([0, 1, 2], [20, 300, 300])
    q0 = np.where(group == 1, np.nan, rng.integers(0, 11, 620))
    tab = made(620, 4, g=group, q0=q0)
    assert refused(tab, ask(tab, {"g": [0]})) == (
        "20 respondents in the filter (effective 20) answered y and all 4 drivers; from an effective base of 30 "
        "numbers are shown: widen the filter, or choose fewer drivers."
    )
    assert refused(tab, ask(tab, {"g": [0]}, "zh")) == (
        "在当前筛选下，同时回答了y和全部 4 个因素的受访者为 20 人（有效样本量 20）；有效样本量达到 30 才显示数值：请放宽筛选，或减少因素。"
    )
    assert refused(tab, ask(tab, {"g": [1]})) == (
        "nobody in the filter answered y and all 4 drivers; widen the filter, or choose fewer drivers."
    )
    assert refused(tab, ask(tab, {"g": [1]}, "zh")) == (
        "在当前筛选下，没有人同时回答了y和全部 4 个因素；请放宽筛选，或减少因素。"
    )


def test_answers_that_do_not_vary_or_repeat_one_another():
    group = np.repeat([0, 1], 300)
    rng = np.random.default_rng(6)
    q1 = rng.integers(0, 11, 600).astype(float)
    tab = made(600, 4, g=group, q0=np.where(group == 0, 5.0, rng.integers(0, 11, 600)), q1=q1, q2=np.where(group == 1, 10 - q1, rng.integers(0, 11, 600)))  # fmt: skip
    for lang, flat, tied in (
        (
            "en",
            "q0: all respondents in the filter gave the same answer; leave it out, or widen the filter.",
            "drivers: some repeat one another in the filter (q1, q2); leave one of them out, or widen the filter.",
        ),
        (
            "zh",
            "“q0”：在当前筛选下，所有受访者的回答相同；请将其去掉，或放宽筛选。",
            "驱动因素：在当前筛选下，部分因素相互重复（“q1”、“q2”）；请去掉其中之一，或放宽筛选。",
        ),
    ):
        for code, said in ((0, flat), (1, tied)):
            with pytest.raises(SurveyError) as error:
                tab.live(ask(tab, {"g": [code]}, lang))
            assert str(error.value) == said


def test_a_group_without_variation_is_not_called_small():
    group = np.arange(1200) % 3
    rng = np.random.default_rng(8)
    tab = made(1200, 4, g=group, q0=np.where(group == 2, 5.0, rng.integers(0, 11, 1200)))
    for lang, hidden, said in (
        ("en", "no model", "No model: a driver does not vary in the group, or repeats another."),
        ("zh", "无法建模", "“无法建模”表示组内有因素的回答全部相同，或与其他因素重复。"),
    ):
        for show in ("drivers", "effects"):
            asked = ask(tab, lang=lang, show=show, by="g")
            live, settled = tab.live(asked), tab.settled(asked)
            for view in (live, settled):
                assert all(row["marks"][2] == {"series": 2, "hidden": hidden} for row in view.spec["rows"])
                assert said in view.spec["note"]
                assert "30" not in view.spec["note"]
            assert live.spec["series"] == settled.spec["series"]
            assert "400" in live.spec["series"][2]["name"]
        assert tab.live(ask(tab, lang=lang, show="blocks", by="g")) is None  # the library tells which block leads there


@pytest.mark.parametrize("kind", [DriversTab, SegmentsTab, TrendTab])
def test_strata_with_a_single_unit_are_said_before_anything_is_asked(kind):
    tab = made(400, 4)
    data = tab.workspace.survey.data.assign(s=[9.0, *[1.0] * 399], wave=np.arange(400) % 2)
    roles = replace(tab.workspace.survey.roles, wave="wave")
    said = {}
    for way in ("fail", "adjust", "remove"):
        workspace = Workspace(replace(Survey.from_frame(data, stratum="s", lonely=way), roles=roles))
        said[way] = kind(workspace).lacking()
    assert said["fail"] == {
        "en": "Strata with a single sampling unit: 1 of 2; they leave no interval. Merge them with similar ones, or declare in study.yml "
        "that they are left out of the variance:\ndesign:\n  lonely: remove",
        "zh": "2 个层中有 1 个仅含一个抽样单位，无法计算区间。请与相近的层合并，或在 study.yml 中声明方差计算时不计入这些层：\n"
        "design:\n  lonely: remove",
    }
    assert said["adjust"] == (said["fail"] if kind is DriversTab else None)  # its replicates know nothing else
    assert said["remove"] is None


def test_groups_are_shown_though_one_weight_swamps_the_whole():
    tab = made(900, 4)
    data = tab.workspace.survey.data
    weights = np.where(np.arange(900) == np.flatnonzero(data["g"] == 0)[0], 300.0, 1.0)
    heavy = replace(Survey.from_frame(data.assign(w=weights), weight="w"), roles=tab.workspace.survey.roles)
    tab = DriversTab(Workspace(heavy))
    asked = ask(tab, by="g")
    live, settled = tab.live(asked), tab.settled(asked)
    assert [[m.get("hidden") for m in r["marks"]] for r in live.spec["rows"]] == [["base too small", None, None]] * 4
    assert values(live.spec) == pytest.approx(values(settled.spec), abs=EXACT)


def test_raked_weights_are_said_to_count_as_fixed():
    tab = made(600, 4)
    raked = cx.rake(tab.workspace.survey, {"g": {0: 0.5, 1: 0.3, 2: 0.2}})
    tab = DriversTab(Workspace(getattr(raked, "survey", raked)))
    assert "The weights are raked; these intervals count them as fixed." in tab.live(ask(tab)).spec["note"]
    assert "权重经过校准；此处区间将其视为固定。" in tab.live(ask(tab, lang="zh")).spec["note"]


def test_effects_of_forty_drivers_need_no_shapley_values():
    view = MANY.live(ask(MANY, show="effects"))
    assert view.spec["kind"] == "intervals"
    assert "method='johnson'" in view.code


def test_forty_drivers_are_answered_by_johnson():
    asked = ask(MANY, method="johnson")
    start = time.process_time()
    view = MANY.live(asked)
    assert time.process_time() - start < 1.5
    question = MANY._question(asked)[0]
    found = MANY.workspace.cube.covariances({}, question.columns)
    weights = johnson(found.covariance)
    shown = values(view.spec)
    for j, name in enumerate(question.drivers):
        assert shown[name, 0] == pytest.approx(weights[j] / weights.sum(), abs=EXACT)


def test_twenty_drivers_are_answered_while_moving():
    asked = ask(MANY, drivers=tuple(f"q{j}" for j in range(20)))
    start = time.process_time()
    view = MANY.live(asked)
    assert time.process_time() - start < 2.0
    assert "from sampled orders of entry" in view.spec["note"]
    assert "replicates=200" in view.code


def test_many_groups_do_not_keep_the_tab_from_opening():
    assert len(next(c for c in MANY.controls() if c.name == "by").options) == 2
    assert MANY.live(ask(MANY, drivers=("q0", "q1", "q2"))).spec["kind"] == "intervals"


# ---------------------------------------------------------------------- words
LATIN = re.compile(r"[A-Za-z]{2,}")
ALLOWED = {"Shapley", "LMG", "Johnson", "CAR", "Pratt"}


def texts(part: object) -> list[str]:
    """All texts of a spec but its keys, colours and kind."""
    if isinstance(part, dict):
        return [t for k, v in part.items() if k not in ("kind", "lang", "colour") for t in texts(v)]
    if isinstance(part, (list, tuple)):
        return [t for v in part for t in texts(v)]
    return [part] if isinstance(part, str) else []


@pytest.mark.parametrize("show", SHOWS)
@pytest.mark.parametrize("by", [None, "card"])
def test_chinese_views_are_chinese(demo, show, by):
    asked = ask(demo, {"wave": [20, 21, 22, 23, 24]}, "zh", show=show, by=by, method="johnson", drivers=FEW)
    for view in (demo.live(asked), demo.settled(asked)):
        left = {w for t in texts(view.spec) for w in LATIN.findall(t)} - ALLOWED
        assert not left
        assert not {w for t in view.lines for w in LATIN.findall(t)} - ALLOWED - {"Holm"}


def test_controls_speak_both_languages(demo):
    for control in demo.controls():
        for text in (control.label, *(t for _, t in getattr(control, "options", ()))):
            assert text["en"]
            assert text["zh"]


def test_drivers_stand_under_their_blocks(demo):
    control = next(c for c in demo.controls() if c.name == "drivers")
    assert {driver: text["zh"] for driver, text in control.headings.items()} == {
        "booking": "价值", "price_fairness": "价格", "parking": "感官", "noise": "未归类",
    }  # fmt: skip
    order = [v for v, _ in control.options]
    assert [v for v in order if v in control.headings] == list(control.headings)


def test_titles(demo):
    said = [demo.live(ask(demo, lang=lang, show=show)).spec["title"] for show in SHOWS for lang in ("en", "zh")]
    pattern = [re.sub(r"[+−]?\d+(\.\d+)?%?", "#", t) for t in said]
    assert pattern == [
        "Queueing matters most for overall satisfaction: # of what the drivers explain (# to #)",
        "“排队等候”对总体满意度最重要：占全部因素解释力的 #（# 至 #）",
        "Sensory carries most of what the drivers explain of overall satisfaction: # (# to #)",
        "“感官”类因素占总体满意度解释力的比例最高：#（# 至 #）",
        "Fix first for overall satisfaction: queueing, report",
        "提升总体满意度应优先改进：“排队等候”、“报告”",
        "Queueing has the largest effect on overall satisfaction: one point more goes with # points (# to #), the other drivers being equal",
        "“排队等候”对总体满意度的影响最大：其他因素相同时，该项每高 # 分，总体满意度平均相差 # 分（# 至 #）",
    ]


# ---------------------------------------------------------------------- what is kept
def test_kept_things_are_the_last_ones():
    kept, made_ = Kept(2), []

    def make(name: str) -> str:
        made_.append(name)
        return name

    for name in "abacab":
        assert kept(name, lambda name=name: make(name)) == name
    assert made_ == ["a", "b", "c", "b"]


def test_a_driver_off_and_on_again_is_not_computed_anew(demo):
    names = demo._default("satisfaction")
    asked, fewer = ask(demo), ask(demo, drivers=names[1:])
    first = demo.live(asked)
    demo.live(fewer)
    start = time.process_time()
    again = demo.live(asked)
    assert time.process_time() - start < 0.02
    assert again.spec == first.spec
