"""Studies of every kind in every tab: what they lack, what is too much, odd names – a picture or a sentence, in both languages."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.survey import Touchpoint
from cxlab.workbench._app import Workbench

TABS = ("drivers", "segments", "layers", "loyalty", "what_if", "trend")
ITEMS = ("queue", "staff", "info", "report", "price")
SLOW = 20.0  # seconds in which a busy machine, too, opens a tab
ODD = "<img src=x onerror=alert(1)> \"quoted\" ('b') {x} & 😀 %s \\ $y$"
LONG = "很长的题目文字" * 30


def frame(rows: int = 900, items: tuple[str, ...] = ITEMS) -> pd.DataFrame:
    """Ratings that share a mood, outcomes that follow the first two, six waves, two segments, a weight."""
    rng = np.random.default_rng(3)
    raw = 6 + 1.2 * rng.normal(size=(rows, 1)) + 1.6 * rng.normal(size=(rows, len(items)))
    df = pd.DataFrame(raw, columns=list(items))
    love = 0.5 * df.iloc[:, 0] + 0.3 * df.iloc[:, 1] + 1.5 + rng.normal(size=rows)
    df["satisfaction"], df["recommend"] = love, 0.8 * love + 1 + rng.normal(size=rows)
    df["trust"] = 0.7 * love + 2 + rng.normal(size=rows)
    for item in items[:4]:
        df[f"{item}_expected"] = 0.3 * df[item] + 4 + rng.normal(size=rows)
    df = df.round().clip(0, 10)
    df["renewed"] = (rng.random(rows) < 1 / (1 + np.exp(5 - love))).astype(float)
    df["wave"], df["card"] = np.resize(np.arange(1.0, 7), rows), rng.integers(1, 4, rows).astype(float)
    df["gender"], df["weight"] = rng.integers(1, 3, rows).astype(float), rng.choice([0.5, 1.0, 1.5], rows)
    return df


def study(
    df: pd.DataFrame | None = None, *, items: tuple[str, ...] = ITEMS, weight: str | None = "weight", **roles: Any
) -> cx.Survey:
    """A survey with every role, but for those named."""
    survey = cx.Survey.from_frame(frame(items=items) if df is None else df, weight=weight)
    rated = {n for n in survey.data if n in (*items, "satisfaction", "recommend", "trust") or n.endswith("_expected")}
    codebook = {n: replace(i, scale=(0.0, 10.0)) if n in rated else i for n, i in survey.codebook.items.items()}
    every: dict[str, Any] = {
        "outcomes": {"satisfaction": ("satisfaction",), "recommend": ("recommend",)},
        "drivers": {"value": items[:3], "price": items[3:]},
        "layers": {"experience": items[:4], "emotion": ("trust",), "behaviour": ("recommend",)},
        "touchpoints": tuple(Touchpoint(i, "during", "front", i, f"{i}_expected") for i in items[:4]),
        "segments": ("card", "gender"), "wave": "wave", "renewal": "renewed",
    }  # fmt: skip
    survey = replace(survey, codebook=replace(survey.codebook, items=codebook))
    return replace(survey, roles=replace(survey.roles, **{**every, **roles}))


def changed(**columns: Any) -> pd.DataFrame:
    return frame().assign(**columns)


def worded(survey: cx.Survey, labels: Mapping[str, str], values: Mapping[str, Mapping[float, str]]) -> cx.Survey:
    """Labels, the same in both languages."""
    items = dict(survey.codebook.items)
    for name, text in labels.items():
        items[name] = replace(items[name], labels={"en": text, "zh": text})
    for name, texts in values.items():
        items[name] = replace(items[name], values={c: {"en": t, "zh": t} for c, t in texts.items()})
    return replace(survey, codebook=replace(survey.codebook, items=items))


def odd_labels() -> cx.Survey:
    names = {"queue": ODD, "staff": LONG, "card": ODD, "satisfaction": ODD, "wave": ODD, "renewed": ODD, "gender": "{}"}
    waves = {float(k): f"<i>{k}" for k in range(1, 7)}
    survey = worded(study(), names, {"card": {1.0: ODD, 2.0: LONG, 3.0: ODD}, "wave": waves})
    said = {name: {"en": ODD, "zh": ODD} for name in ("value", "satisfaction", "experience")}
    return replace(survey, roles=replace(survey.roles, labels=said))


def odd_names() -> cx.Survey:
    items = ("排队 等候", "“服务”（态度）", "it's", 'a"b', "价格;😀\t")
    df = frame(items=items).rename(columns={"card": "卡别", "wave": "期次（月）", "gender": "class"})
    df["卡别"] = df["卡别"].map({1.0: "普卡", 2.0: "金卡's", 3.0: "<b>钻石</b>"})
    return study(df, items=items, segments=("卡别", "class"), wave="期次（月）")


def without_expectations() -> cx.Survey:
    survey = study()
    bare = tuple(replace(t, expectation=None) for t in survey.roles.touchpoints)
    return replace(survey, roles=replace(survey.roles, touchpoints=bare))


def one_wave_silent() -> cx.Survey:
    df = frame()
    df.loc[df["wave"] == 3, [*ITEMS, "satisfaction", "recommend", "trust", "renewed"]] = np.nan
    return study(df)


def days(count: int) -> Any:
    return pd.Timestamp("2025-01-01") + pd.to_timedelta(np.resize(np.arange(count) * 31, 900), unit="D")


STUDIES: dict[str, Callable[[], cx.Survey]] = {
    "whole": study,
    "no weights": lambda: study(weight=None),
    "no waves": lambda: study(wave=None),
    "no segments": lambda: study(segments=()),
    "no expectations": without_expectations,
    "no touchpoints": lambda: study(touchpoints=()),
    "no renewal": lambda: study(renewal=None),
    "no behaviour": lambda: study(
        renewal=None,
        outcomes={"satisfaction": ("satisfaction",)},
        layers={"experience": ITEMS[:4], "emotion": ("trust",)},
    ),
    "no drivers": lambda: study(drivers={}),
    "no outcomes": lambda: study(outcomes={}),
    "no layers": lambda: study(layers={}),
    "bare": lambda: cx.Survey.from_frame(frame()),
    "bare text": lambda: cx.Survey.from_frame(pd.DataFrame({"t": list("abcabc")})),
    "40 drivers": lambda: study(items=tuple(f"d{k:02d}" for k in range(40))),
    "400 values": lambda: study(changed(shop=np.resize(np.arange(400.0), 900)), segments=("shop",)),
    "dates": lambda: study(changed(wave=days(6))),
    "400 days": lambda: study(changed(wave=days(400))),
    "odd labels": odd_labels,
    "odd names": odd_names,
    "one respondent": lambda: study(frame(1)),
    "forty respondents": lambda: study(frame(40)),
    "nobody": lambda: replace(study(), domain=np.zeros(900, dtype=bool)),
    "constant outcome": lambda: study(changed(satisfaction=7.0)),
    "constant driver": lambda: study(changed(queue=7.0)),
    "twin drivers": lambda: study(changed(staff=frame()["queue"])),
    "one wave silent": one_wave_silent,
    "one wave": lambda: study(changed(wave=1.0)),
    "text outcome": lambda: study(changed(satisfaction=np.resize(["good", "bad"], 900))),
}


def told(app: Workbench, key: str) -> str:
    """The sentence that a tab shows in the place of a picture, "" where there is a picture."""
    view = app.turn_to(key).view
    assert view is not None
    return str(view.spec["text"]) if view.spec["kind"] == "message" else ""


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", STUDIES)
def test_every_tab_answers(
    name: str, lang: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    survey = STUDIES[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        app = cx.explore(survey, lang=lang)
        assert list(app.panels) == list(TABS)
        for key in TABS:
            start = time.perf_counter()
            sentence = told(app, key)
            assert time.perf_counter() - start < SLOW
            panel = app.panels[key]
            assert panel.view is not None
            assert sentence or panel.view.spec.get("title")
            assert "unforeseen" not in sentence
            assert "意外" not in sentence
            assert ODD not in panel._lines.value + panel._code.value + app._said.value + app._aside.value
    app.close()
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == []
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""


def test_a_constant_outcome_can_be_compared_all_the_same() -> None:
    panel = cx.explore(STUDIES["constant outcome"](), tabs=["segments"]).panel
    for lang in ("en", "zh"):
        panel.speak(lang)
        panel.board.choose(show="pairs", item="satisfaction")
        assert panel.view is not None
        assert panel.view.spec["kind"] == "intervals"


# ---------------------------------------------------------------------- whole messages
SENTENCES = {
    ("no waves", "trend"): (
        "The survey has no waves; declare in study.yml which column holds them, for example:\nwave: {column: wave, period: month}",
        "数据没有期次；请在 study.yml 中声明期次所在的列，例如：\nwave: {column: wave, period: month}",
    ),
    ("no segments", "segments"): (
        "The study declares no segments that have two groups; add them to study.yml, for example:\nsegments: [card, gender]",
        "研究文件没有声明含两个及以上组别的细分变量；请在 study.yml 中补充，例如：\nsegments: [card, gender]",
    ),
    ("no drivers", "drivers"): (
        "The study declares fewer than two drivers. Add them to study.yml, in blocks or not, such as\ndrivers:\n  value: [q2, q3]",
        "研究声明的驱动因素不足两个。请在 study.yml 中添加，可以分类，也可以不分，例如\ndrivers:\n  value: [q2, q3]",
    ),
    ("no drivers", "what_if"): (
        "The study declares no drivers that can be moved. Add them to study.yml, in blocks or not, such as\ndrivers:\n  value: [q2, q3]",
        "研究未声明可供调整的驱动因素。请在 study.yml 中添加，可以分类，也可以不分，例如\ndrivers:\n  value: [q2, q3]",
    ),
    ("no outcomes", "drivers"): (
        "The study declares no outcome that has answers. Add one to study.yml, such as\noutcomes:\n  satisfaction: q1",
        "研究未声明有回答的结果变量。请在 study.yml 中添加，例如\noutcomes:\n  satisfaction: q1",
    ),
    ("no behaviour", "loyalty"): (
        "The study declares 1 of the two outcomes that a link needs: satisfaction, and what it is to lead to. Add to study.yml: "
        "“outcomes:” with two items, such as “{satisfaction: q1, recommend: q2}”; or “renewal: renewed”, a column of 0 and 1 that "
        "says who came again.",
        "分析满意度与忠诚度的关系需要两个结果变量（满意度，以及它所带来的结果），该研究只声明了 1 个。请在 study.yml 中添加 "
        "“outcomes:”，写入两个题目，例如 “{satisfaction: q1, recommend: q2}”；或添加 “renewal: renewed”，即取值为 0 和 1、表示顾客是否续约的列。",
    ),
    ("40 drivers", "drivers"): (
        "This cannot be shown: drivers: 40 chosen; Shapley values go through all 2^40 subsets of up to 20 drivers. Choose "
        "Johnson's relative weights, which come close at any number, or fewer drivers.",
        "无法显示：驱动因素：已选 40 个；Shapley 值须遍历全部子集（2^40 个），最多支持 20 个因素。请改用结果相近、个数不限的 "
        "Johnson 相对权重，或减少因素。",
    ),
    ("400 values", "segments"): (
        "This cannot be shown: The segments ticked have 400 groups together; up to 24 fit side by side: untick a segment, or "
        "choose groups in the filter.",
        "无法显示：所选细分变量共有 400 个组别，最多并列 24 个：请取消部分细分变量，或在筛选中选取部分组别。",
    ),
    ("one respondent", "drivers"): (
        "Respondents with a weight above 0: 1; from 30 on numbers are shown. Open the study again with more data.",
        "权重大于 0 的受访者有 1 位，不足 30 位时不显示数字；请补充数据后重新打开。",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "key"), SENTENCES)
def test_the_sentence_names_what_to_do_and_comes_at_once(name: str, key: str) -> None:
    for lang, expected in zip(("en", "zh"), SENTENCES[name, key], strict=True):
        app = cx.explore(STUDIES[name](), tabs=[key], lang=lang)
        assert told(app, key) == expected
        start = time.perf_counter()
        app.panel.show_at_once()
        assert time.perf_counter() - start < 3.0  # a tenth of that on a machine at rest
        app.close()


def test_what_if_says_what_is_left_out() -> None:
    app = cx.explore(STUDIES["no renewal"](), tabs=["what_if"], lang="en")
    view = app.panel.view
    assert view is not None
    said = "\n".join([str(view.spec.get("text", "")), str(view.spec.get("note", "")), *view.lines])
    assert (
        "Renewals are left out: the study does not say which column holds them. Declare it in study.yml: renewal: renewed."
    ) in said


# ---------------------------------------------------------------------- code that reproduces
@pytest.mark.parametrize("name", ["whole", "odd names", "odd labels", "dates"])
def test_code_gives_the_same_table_under_filters_whatever_the_names(name: str) -> None:
    app = cx.explore(STUDIES[name]())
    for handle in app.filters.handles.values():
        options = [value for value, _ in handle.control.options]  # type: ignore[attr-defined]
        if len(options) == 6:
            handle.value = options[1], options[4]
        elif len(options) == 3:
            handle.value = options[0], options[2]
    for key in set(TABS) - {"what_if"}:  # which shows a sentence until a slider has moved
        view = app.turn_to(key).view
        assert view is not None
        assert view.result is not None
        found: dict[str, Any] = {"survey": app.workspace.survey}
        exec(view.code, found)
        pd.testing.assert_frame_equal(found["result"].table, view.result.table, check_exact=True)
    assert "Timestamp" not in app.panel.code


def test_code_of_the_trend_runs_for_groups_and_windows_of_odd_names() -> None:
    app = cx.explore(STUDIES["odd names"](), tabs=["trend"])
    for choice in ({"by": "卡别"}, {"by": "class"}, {"by": None, "show": "drivers", "window": 3}):
        app.panel.board.choose(**choice)
        assert app.panel.view is not None
        assert app.panel.view.result is not None
        exec(app.panel.code, {"survey": app.workspace.survey})


def test_code_says_labels_where_they_are_unique_and_codes_elsewhere() -> None:
    survey = worded(study(), {}, {"card": {1.0: "plain", 2.0: "gold", 3.0: "gold"}, "gender": {1.0: LONG, 2.0: "man"}})
    app = cx.explore(survey, tabs=["trend"])
    app.filters.choose(card=(1.0, 2.0), gender=(2.0,))
    assert "survey = survey.where(card=['plain', 2], gender=['man'])\n" in app.panel.code
    app.filters.choose(card=(1.0,), gender=(1.0,))
    assert "survey = survey.where(card=['plain'], gender=[1])\n" in app.panel.code


def test_code_opens_the_study_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my study"
    folder.mkdir()
    frame().to_csv(folder / "answers.csv", index=False)
    (folder / "study.yml").write_text(
        "study: mine\ndata: answers.csv\noutcomes: {satisfaction: satisfaction}\nwave: {column: wave, period: month}\n"
    )
    monkeypatch.chdir(tmp_path)
    app = cx.explore(cx.open_study("my study"), tabs=["trend"])
    code = app.panel.code
    assert "study = cx.open_study('my study/study.yml')\n" in code
    found: dict[str, Any] = {}
    exec(code, found)
    assert app.panel.view is not None
    assert app.panel.view.result is not None
    pd.testing.assert_frame_equal(found["result"].table, app.panel.view.result.table, check_exact=True)
    (
        tmp_path / "a" / "b" / "c" / "d" / "e" / "f" / "g" / "h" / "i" / "j" / "k" / "l" / "m" / "n" / "o" / "p" / "q"
    ).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q")
    assert (
        app.workspace.opening.startswith(f"study = cx.open_study({(folder / 'study.yml').as_posix()!r})")
        or "../" in app.workspace.opening
    )
    exec(app.workspace.opening, {"cx": cx})


def test_waves_that_are_dates_are_shown_as_days() -> None:
    app = cx.explore(STUDIES["dates"](), tabs=["trend"])
    assert app.filters.handles["wave"].box.description == "wave: 2025-01-01 – 2025-06-05"


def test_names_with_white_space_make_classes_that_a_browser_takes() -> None:
    app = cx.explore(STUDIES["odd names"](), tabs=["what_if"])
    classes = [c for h in app.panel.board.handles.values() for c in h.box._dom_classes]
    assert [c for c in classes if not c or any(x.isspace() for x in c)] == []


def test_headings_of_groups_are_escaped() -> None:
    app = cx.explore(STUDIES["odd labels"](), tabs=["what_if"])
    headings = [heading.value for heading, _, _ in app.panel.board._headings]
    assert "&lt;img" in "".join(headings)
    assert "<img" not in "".join(headings)
