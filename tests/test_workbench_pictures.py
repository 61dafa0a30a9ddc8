"""Pictures of the workbench: what a spec may be, and what a real browser makes of it."""

from __future__ import annotations

import json
import math
import re
import struct
import timeit
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from cxlab.errors import SurveyError
from cxlab.theme import SEQUENCE
from cxlab.workbench._picture import NEEDED, Picture, bundle, clean, style

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TOUCHPOINTS = {
    "en": ["Booking", "Parking", "Preparation notes", "Reception", "Changing room", "Queueing", "Nurses", "Doctors",
           "Equipment", "Meal", "How clearly the written report explains what to do next", "Follow-up"],
    "zh": ["预约", "停车", "检前须知", "前台接待", "更衣", "排队等候", "护士", "医生", "设备", "餐食", "报告是否清楚说明了下一步应该做什么", "随访"],
}  # fmt: skip
IMPORTANCE = (0.071, 0.038, 0.012, 0.104, 0.021, 0.196, 0.083, 0.119, 0.044, 0.052, 0.163, 0.031)
WAVES = [f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13)]


def say(lang: str, en: str, zh: str) -> str:
    return {"en": en, "zh": zh}[lang]


def drivers(lang: str, groups: int = 1) -> dict[str, Any]:
    names = say(lang, "Ordinary card,Gold card,Diamond card", "普通卡,金卡,钻石卡").split(",")[:groups]
    rows = []
    for i, label in enumerate(TOUCHPOINTS[lang]):
        marks: list[dict[str, Any]] = []
        for k, name in enumerate(names):
            value = IMPORTANCE[(i + 3 * k) % 12] * (1 + 0.1 * k)
            low, high = value - 0.018 - 0.013 * k, value + 0.021 + 0.013 * k
            text = f"{value:.0%} [{max(low, 0):.0%}, {high:.0%}]".replace("-", "−")
            marks.append({"series": name, "value": value, "low": low, "high": high, "text": text, "faded": low < 0})
        if groups == 3 and i == 4:
            marks[2] = {"series": names[2], "hidden": say(lang, "base 21, not shown", "样本 21，不显示")}
        rows.append({"label": label, "marks": marks, "limit": 0.014 if groups == 1 else None})
    rows.sort(key=lambda row: -row["marks"][0]["value"])
    return {
        "kind": "intervals", "lang": lang, "version": 1,
        "title": say(lang, "Queueing moves satisfaction most (20% of what is explained), the report comes second",
                     "排队等候对满意度影响最大（占可解释部分的20%），其次是报告"),
        "subtitle": say(lang, "Importance for satisfaction: share of explained variance, with 95% intervals",
                        "对满意度的重要性：占可解释方差的比例，附95%置信区间"),
        "note": say(lang, "Base 9,600 respondents, effective base 8,187. Hollow dots cannot be told from the null line (small tick). Weighted; variance by delete-a-group jackknife.",
                    "样本量9600，有效样本量8187。空心点与零假设线（短竖线）无显著差异。已加权；方差由分组删除刀切法估计。"),
        "series": [{"name": name, "colour": SEQUENCE[k]} for k, name in enumerate(names)],
        "axis": {"label": say(lang, "Share of explained variance", "占可解释方差的比例"), "low": -0.03, "high": 0.26,
                 "ticks": [{"at": t / 20, "text": f"{t * 5}%"} for t in range(6)]},
        "reference": [{"at": 1 / 12, "label": say(lang, "all equal", "平均水平")}],
        "rows": rows,
    }  # fmt: skip


def priority(lang: str, crowded: bool = False) -> dict[str, Any]:
    performance = (6.6, 6.2, 6.7, 7.6, 6.8, 4.9, 7.2, 7.5, 8.1, 7.0, 5.9, 5.7)
    squeeze = 0.25 if crowded else 1.0
    points = [
        {"label": label, "x": 6.7 + squeeze * (performance[i] - 6.7), "y": 0.07 + squeeze * (IMPORTANCE[i] - 0.07), "faded": i == 2,
         "x_low": 6.7 + squeeze * (performance[i] - 6.7) - 0.12, "x_high": 6.7 + squeeze * (performance[i] - 6.7) + 0.12,
         "y_low": 0.07 + squeeze * (IMPORTANCE[i] - 0.07) - 0.02, "y_high": 0.07 + squeeze * (IMPORTANCE[i] - 0.07) + 0.02,
         "colour": SEQUENCE[i % 3], "tip": f"{label}\n{performance[i]:.1f} · {IMPORTANCE[i]:.0%}"}
        for i, label in enumerate(TOUCHPOINTS[lang])
    ]  # fmt: skip
    return {
        "kind": "map", "lang": lang, "version": 1,
        "title": say(lang, "Repair queueing and the report first: both matter much and are rated below average", "先改善排队等候和报告：两者重要性高、评分低于平均"),
        "subtitle": say(lang, "Importance against performance, 12 touchpoints", "重要性与表现，12个触点"),
        "note": say(lang, "Lines show 95% intervals; the cuts are the means.", "线段为95%置信区间；分割线为均值。"),
        "points": points, "x_cut": 6.68, "y_cut": 0.078,
        "series": [{"name": n, "colour": SEQUENCE[k]} for k, n in enumerate(say(lang, "Value,Price,Sensory", "价值,价格,感官").split(","))],
        "corners": say(lang, "Repair first,Keep up,Watch,Possibly too much", "优先改进,继续保持,持续关注,可能过度投入").split(","),
        "x_axis": {"label": say(lang, "Performance (mean, 0–10)", "表现（均值，0–10分）"), "low": 4.5, "high": 8.5,
                   "ticks": [{"at": t, "text": str(t)} for t in range(5, 9)]},
        "y_axis": {"label": say(lang, "Importance", "重要性"), "low": 0, "high": 0.22,
                   "ticks": [{"at": t / 20, "text": f"{t * 5}%"} for t in range(5)]},
    }  # fmt: skip


def trend(lang: str) -> dict[str, Any]:
    names = say(lang, "Ordinary card,Gold card,Diamond card", "普通卡,金卡,钻石卡").split(",")
    series = []
    for k, name in enumerate(names):
        y: list[float | None] = [
            6.6 + 0.35 * k + 0.12 * math.sin(2.1 * w + k) + (0.02, -0.06, 0.0)[k] * max(0, w - 10) for w in range(24)
        ]
        half = 0.18 + 0.05 * k
        low, high = [v - half for v in y if v is not None], [v + half for v in y if v is not None]
        if k == 2:
            y[6] = low[6] = high[6] = None  # type: ignore[call-overload]
        series.append(
            {"name": name, "colour": SEQUENCE[k], "x": list(range(24)), "y": y, "low": low, "high": high, "dots": True}
        )
    return {
        "kind": "curve", "lang": lang, "version": 1,
        "title": say(lang, "Satisfaction of gold cards has fallen by 0.7 points since wave 11, unseen in the total", "金卡客户的满意度自第11期以来下降0.7分，总体数据看不出来"),
        "subtitle": say(lang, "Mean satisfaction (0–10) by card, 24 waves", "各卡种满意度均值（0–10分），24期"),
        "note": say(lang, "Bands are 95% intervals of each wave.", "色带为各期95%置信区间。"),
        "series": series, "lines": [{"at": 10, "label": say(lang, "new changing rooms", "更衣室改造")}, {"at": 14, "label": say(lang, "report late", "报告延误")}],
        "levels": [{"at": 7.5, "label": say(lang, "target 7.5", "目标 7.5")}], "cursor": 18,
        "x_axis": {"label": say(lang, "Wave", "期次"), "low": 0, "high": 23, "ticks": [{"at": i, "text": w} for i, w in enumerate(WAVES)]},
        "y_axis": {"label": say(lang, "Satisfaction", "满意度"), "low": 5.4, "high": 8, "ticks": [{"at": t / 2, "text": f"{t / 2:.1f}"} for t in range(11, 17)]},
    }  # fmt: skip


def link(lang: str) -> dict[str, Any]:
    xs = [i / 10 for i in range(101)]

    def share(x: float) -> float:
        return 1 / (1 + math.exp(-(-0.6 + 0.15 * (x - 5) + 0.75 * max(0.0, x - 8.4))))

    dots = list(range(11))
    return {
        "kind": "curve", "lang": lang, "version": 1,
        "title": say(lang, "Renewal rises steeply only above 8.4", "满意度高于8.4分后，续购率才明显上升"),
        "subtitle": say(lang, "Share that renewed, by satisfaction", "不同满意度下的续购率"),
        "series": [
            {"name": say(lang, "curve", "拟合曲线"), "colour": SEQUENCE[0], "x": xs, "y": [share(x) for x in xs],
             "low": [share(x) - 0.03 for x in xs], "high": [share(x) + 0.03 for x in xs], "dots": False},
            {"name": say(lang, "observed", "实际值"), "colour": SEQUENCE[1], "x": dots, "y": [share(x) + 0.01 * (-1) ** x for x in dots],
             "low": [share(x) - 0.05 for x in dots], "high": [share(x) + 0.05 for x in dots], "dots": True, "line": False}],
        "bands": [{"low": 0, "high": 5.5, "label": say(lang, "Defection", "流失区"), "colour": SEQUENCE[1]},
                  {"low": 5.5, "high": 8.4, "label": say(lang, "Indifference", "中立区"), "colour": SEQUENCE[6]},
                  {"low": 8.4, "high": 10, "label": say(lang, "Affection", "忠诚区"), "colour": SEQUENCE[2]}],
        "lines": [{"at": 8.4, "label": say(lang, "threshold 8.4 [8.1, 8.7]", "阈值 8.4 [8.1, 8.7]")}],
        "x_axis": {"label": say(lang, "Satisfaction", "满意度"), "low": 0, "high": 10, "ticks": [{"at": t, "text": str(t)} for t in range(11)]},
        "y_axis": {"label": say(lang, "Renewal", "续购率"), "low": 0, "high": 1, "ticks": [{"at": t / 5, "text": f"{t * 20}%"} for t in range(6)]},
    }  # fmt: skip


def banner(lang: str) -> dict[str, Any]:
    heads = say(lang, "Total,Ordinary card,Gold card,Diamond card,Women,Men,Company pays,Pays themselves",
                "总体,普通卡,金卡,钻石卡,女,男,单位付费,自费").split(",")  # fmt: skip
    columns = [{"label": h, "sub": f"({'ABCDEFGH'[k]}) {9600 // (k + 1):,}"} for k, h in enumerate(heads)]
    rows: list[dict[str, Any]] = [{"label": say(lang, "Before the visit", "检前"), "heading": True, "cells": []}]
    for i, label in enumerate(TOUCHPOINTS[lang][3:12]):
        cells = []
        for k in range(8):
            value = 7.2 - 0.3 * ((i * 5 + k * 3) % 7) + 0.11 * k
            shade = 0.0 if k == 0 else ((i * 5 + k * 3) % 9 - 4) / 4
            cells.append({"text": f"{value:.1f}", "value": value, "shade": shade if abs(shade) > 0.5 else 0,
                          "letters": "CDF" if shade > 0.5 else "", "faded": k == 5})  # fmt: skip
        if i == 4:
            cells[3] = {"text": say(lang, "base < 30", "样本不足")}
        rows.append({"label": label, "cells": cells})
    return {
        "kind": "grid", "lang": lang, "version": 1,
        "title": say(lang, "Gold cards rate parking, changing and reception lower than the others", "金卡客户对停车、更衣和前台接待的评分低于其他客户"),
        "subtitle": say(lang, "Means (0–10); letters name columns that are significantly lower", "均值（0–10分）；字母表示显著低于本列的列"),
        "note": say(lang, "False discovery rate 5% within each row. Base under the heads.", "每行内错误发现率控制在5%。列标题下为样本量。"),
        "columns": columns, "rows": rows,
    }  # fmt: skip


def model(lang: str, intervals: bool = False) -> dict[str, Any]:
    names = say(
        lang,
        "Image,Expectation,Perceived value,Satisfaction,Loyalty",
        "企业形象,顾客期望,感知价值,顾客满意度,顾客忠诚度",
    ).split(",")
    at = [(0, 0), (0, 2), (1, 1), (2, 1), (3, 1)]
    r2 = [None, 0.25, 0.34, 0.68, 0.45]
    edges = [(0, 1, 0.505), (1, 2, 0.557), (0, 3, 0.179), (1, 3, -0.064), (2, 3, 0.590), (0, 4, 0.195), (3, 4, 0.495)]
    return {
        "kind": "paths", "lang": lang, "version": 1,
        "title": say(lang, "Value decides about satisfaction (0.59), satisfaction about loyalty", "感知价值决定满意度（0.59），满意度决定忠诚度"),
        "subtitle": say(lang, "Path coefficients, all respondents", "路径系数，全体受访者"),
        "note": say(lang, "Pale arrows: the interval contains 0.", "浅色箭头：置信区间包含0。"),
        "nodes": [{"id": f"c{i}", "label": n, "text": f"R² {r2[i]:.2f}" if r2[i] else "", "column": at[i][0], "row": at[i][1]} for i, n in enumerate(names)],
        "edges": [{"source": f"c{a}", "target": f"c{b}", "value": v, "faded": abs(v) < 0.1,
                   "text": f"{v:.2f}".replace("-", "−") + (f" [{v - 0.06:.2f}, {v + 0.06:.2f}]".replace("-", "−") if intervals else "")}
                  for a, b, v in edges],
    }  # fmt: skip


def sentence(lang: str) -> dict[str, Any]:
    return {"kind": "message", "lang": lang, "version": 1, "tone": "error",
            "text": say(lang, "No respondent is left: card is gold and wave is 2026-01. Widen the filter.", "没有符合条件的受访者：卡种为金卡且期次为2026-01。请放宽筛选条件。")}  # fmt: skip


def expected(lang: str) -> dict[str, Any]:
    whole = drivers(lang)
    parts = [{k: whole[k] for k in ("series", "axis")} | {"rows": whole["rows"][k : k + 4]} for k in (0, 4)]
    parts[0]["heading"] = say(lang, "Overall satisfaction: 6.29 → 6.59", "总体满意度：6.29 → 6.59")
    parts[1]["heading"] = say(
        lang,
        "Renewed within 12 months (customer records) = yes: 67.9% → 68.7%",
        "12个月内续约（客户系统） = 是：67.9% → 68.7%",
    )
    small = {"heading": say(lang, "NPS: base too small", "净推荐值：样本不足"), "rows": [], "series": [], "axis": {}}
    head = {k: whole[k] for k in ("lang", "version", "title", "subtitle", "note")}
    return {"kind": "panels", **head, "panels": [parts[0], small, parts[1]]}


MAKERS = {
    "intervals": drivers,
    "panels": expected,
    "segments": lambda lang: drivers(lang, 3),
    "map": priority,
    "crowded": lambda lang: priority(lang, True),
    "trend": trend,
    "link": link,
    "grid": banner,
    "paths": model,
    "routes": lambda lang: model(lang, True),
    "message": sentence,
}


# --- what a spec may be ------------------------------------------------------------------------------------------


def test_every_kind_has_a_picture_here():
    assert {clean(make(lang))["kind"] for make in MAKERS.values() for lang in ("en", "zh")} == set(NEEDED)


def test_a_cleaned_spec_is_strict_json():
    spec = {
        "kind": "curve", "series": [{"x": np.arange(3), "y": np.array([1.5, np.nan, np.inf]), "low": (np.float32(0.5), None)}],
        "x_axis": {"low": np.int64(2), "high": -math.inf}, "y_axis": {3: np.bool_(True), "at": np.float64("nan")},
    }  # fmt: skip
    assert clean(spec) == {
        "kind": "curve", "series": [{"x": [0, 1, 2], "y": [1.5, None, None], "low": [0.5, None]}],
        "x_axis": {"low": 2, "high": None}, "y_axis": {"3": True, "at": None},
    }  # fmt: skip
    json.dumps(clean(spec), allow_nan=False)
    assert Picture(spec).spec == clean(spec)


def test_cleaning_takes_no_time():
    spec = drivers("en", 3)
    fastest = min(timeit.repeat(lambda: clean(spec), number=10, repeat=20)) / 10
    assert fastest < 0.001


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"kind": "interval"},
         "spec has kind 'interval'; allowed are intervals, panels, map, curve, grid, paths, message (did you mean 'intervals'?)."),
        ({"title": "x"}, "spec has kind None; allowed are intervals, panels, map, curve, grid, paths, message."),
        ({"kind": "map", "points": [], "x_axis": None}, "spec of kind 'map' lacks x_axis, y_axis."),
    ],
)  # fmt: skip
def test_a_spec_that_cannot_be_drawn_is_refused_and_the_picture_stays(spec, said):
    picture = Picture(sentence("en"))
    with pytest.raises(SurveyError, match=f"^{re.escape(said)}$"):
        picture.spec = spec
    assert picture.spec == sentence("en")


def test_the_page_is_asked_for_files_by_messages(monkeypatch):
    sent: list[tuple[dict[str, Any], Any]] = []
    monkeypatch.setattr(Picture, "send", lambda self, content, buffers=None: sent.append((content, buffers)))
    picture = Picture()
    picture.save("png", "2025-12: gold/ordinary")
    picture.save("svg", "a.svg")
    picture.offer("../table.csv", b"a,b", "text/csv")
    picture.copy("x = 1")
    assert len({content.pop("id") for content, _ in sent}) == 4
    assert sent == [
        ({"do": "save", "format": "png", "name": "2025-12 gold ordinary.png"}, None),
        ({"do": "save", "format": "svg", "name": "a.svg"}, None),
        ({"do": "offer", "name": "table.csv", "mime": "text/csv"}, [b"a,b"]),
        ({"do": "copy", "text": "x = 1"}, None),
    ]
    with pytest.raises(SurveyError, match=r"^format is 'pgn'; allowed are svg, png \(did you mean 'png'\?\)\.$"):
        picture.save("pgn")


def test_nothing_is_fetched_from_anywhere():
    text = bundle() + style()
    assert set(re.findall(r"https?:[^\"'\s)]*", text)) == {"http://www.w3.org/2000/svg"}
    for door in ("fetch(", "XMLHttpRequest", "WebSocket", "import(", "@import", "url(", "eval(", "innerHTML"):
        assert door not in text, door


# --- in a browser ------------------------------------------------------------------------------------------------

HARNESS = """async ([source, height]) => {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  window.module = await import(address);
  window.state = { spec: {}, height };
  window.hooks = {};
  window.model = {
    get: (key) => state[key],
    on: (name, hook) => (hooks[name] = hooks[name] || []).push(hook),
    off: (name, hook) => { hooks[name] = hooks[name].filter((h) => h !== hook); },
  };
  window.put = (spec) => { state.spec = spec; (hooks["change:spec"] || []).forEach((hook) => hook()); };
  window.tell = (message, bytes) => {
    const whole = new Uint8Array([7, 7, 7, ...(bytes || [])]); // a view into a longer buffer, as the kernel's messages are
    hooks["msg:custom"].forEach((hook) => hook(message, bytes ? [new DataView(whole.buffer, 3)] : []));
  };
  window.dispose = module.default.render({ model, el: document.getElementById("place") });
}"""

# Boxes of the ink of every text (not of the line it stands in), and whatever leaves the sheet.
INSPECT = """() => {
  const svg = document.querySelector(".cxlab-picture svg");
  const [wide, high] = [Number(svg.getAttribute("width")), Number(svg.getAttribute("height"))];
  const place = (node) => { const m = node.getCTM(); const b = node.getBBox(); return [b.x + m.e, b.y + m.f, b.x + b.width + m.e, b.y + b.height + m.f]; };
  const texts = [...svg.querySelectorAll("text")].filter((node) => node.firstChild?.data).map((node) => {
    const [l, , r] = place(node);
    const size = Number(node.getAttribute("font-size"));
    const base = Number(node.getAttribute("y")) + node.getCTM().f;
    return { text: node.firstChild.data, l, r, t: base - 0.76 * size, b: base + 0.18 * size };
  });
  const across = [];
  texts.forEach((a, i) => texts.slice(i + 1).forEach((b) => {
    if (Math.min(a.r, b.r) - Math.max(a.l, b.l) > 0.5 && Math.min(a.b, b.b) - Math.max(a.t, b.t) > 0.5) across.push([a.text, b.text]);
  }));
  const outside = texts.filter((a) => a.l < -1.5 || a.t < -0.5 || a.r > wide + 1.5 || a.b > high + 0.5).map((a) => a.text);
  for (const node of svg.querySelectorAll("path, line, rect, circle")) {
    const [l, t, r, b] = place(node);
    const turned = node.transform.baseVal.length ? 12 : 0.6; // a dot is drawn around its own origin
    if (l < -turned || t < -turned || r > wide + turned || b > high + turned) outside.push(node.outerHTML);
  }
  return { across, outside, texts: texts.map((a) => a.text), seen: document.querySelector(".cxlab-scroll").clientWidth, wide };
}"""


class Screen:
    """A page with one picture on it."""

    def __init__(self, page: Page) -> None:
        self.page, self.version, self.troubles = page, 0, []  # type: ignore[var-annotated]
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda said: said.type in ("error", "warning") and self.troubles.append(said.text))
        page.on(
            "request",
            lambda asked: asked.url.startswith(("file:", "blob:", "data:")) or self.troubles.append(asked.url),
        )

    def show(self, spec: dict[str, Any], width: int = 900) -> dict[str, Any]:
        """Paint a spec on a picture of this width; the spec as the page got it."""
        self.version += 1
        spec = clean({**spec, "version": self.version})
        self.page.set_viewport_size({"width": width + 38 + 16, "height": 700})
        self.page.evaluate("spec => put(spec)", spec)
        self.painted(self.version)
        return spec

    def painted(self, version: int) -> None:
        self.page.wait_for_selector(f'.cxlab-picture[data-version="{version}"]', timeout=5000)

    def kind(self) -> str:
        return str(self.page.evaluate("document.querySelector('.cxlab-picture').dataset.kind"))

    def inspect(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(INSPECT)
        return found

    def marks(self, selector: str = ".mark[data-value]") -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.page.evaluate(
            "what => [...document.querySelectorAll('.cxlab-picture ' + what)].map(node => ({...node.dataset}))",
            selector,
        )
        return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        arguments = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]
        opened = play.chromium.launch(executable_path=chromium, args=arguments)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    page = tmp_path_factory.mktemp("page") / "picture.html"
    page.write_text(
        f"<!doctype html><meta charset='utf-8'><style>body {{ margin: 8px; background: #111 }}{style()}</style><div id='place'></div>",
        encoding="utf-8",
    )
    return page.as_uri()


@pytest.fixture(scope="module")
def shared(browser: Browser, address: str) -> Iterator[Screen]:
    page = browser.new_page(viewport={"width": 954, "height": 700}, accept_downloads=True)
    screen = Screen(page)
    page.goto(address)
    page.evaluate(HARNESS, [bundle() + "\nexport { wrap, widthOf };", None])
    yield screen
    page.close()


@pytest.fixture
def screen(shared: Screen) -> Iterator[Screen]:
    yield shared
    troubles, shared.troubles = shared.troubles, []
    assert troubles == []


def crowd(lang: str) -> dict[str, Any]:
    spec = priority(lang)
    spec["points"] = [{**p, "x": 5 + 3 * ((7 * i + 3 * k) % 12) / 12, "y": 0.02 + 0.2 * ((5 * i + k) % 13) / 13}
                      for k in range(3) for i, p in enumerate(spec["points"])]  # fmt: skip
    return spec


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", [*MAKERS, "crowd"])
def test_no_text_crosses_another_and_nothing_leaves_the_sheet(screen: Screen, name: str, lang: str):
    spec = crowd(lang) if name == "crowd" else MAKERS[name](lang)
    for width in (360, 560, 900, 1400):
        screen.show(spec, width)
        found = screen.inspect()
        assert (found["across"], found["outside"]) == ([], []), f"at {width} px"
        assert screen.kind() == spec["kind"]
        assert found["seen"] == width
        if width >= 560 and name != "grid":
            assert found["wide"] == width, "no picture but a wide table is scrolled"
        said = "".join(found["texts"]).replace(" ", "")
        for words in (spec.get("title", spec.get("text")), spec.get("subtitle"), spec.get("note")):
            assert (words or "").replace(" ", "") in said


def test_marks_carry_the_unrounded_numbers(screen: Screen):
    spec = screen.show(drivers("en", 3))
    wanted = [
        (r["label"], m["series"], m["value"], m["low"], m["high"])
        for r in spec["rows"]
        for m in r["marks"]
        if "value" in m
    ]
    assert [
        (m["label"], m["series"], float(m["value"]), float(m["low"]), float(m["high"])) for m in screen.marks()
    ] == wanted

    spec = screen.show(priority("zh"))
    wanted = [(p["label"], p["x"], p["y"], p["x_low"], p["y_high"]) for p in spec["points"]]
    assert [
        (m["label"], float(m["x"]), float(m["value"]), float(m["xLow"]), float(m["high"])) for m in screen.marks()
    ] == wanted

    spec = screen.show(trend("en"))
    wanted = [(s["name"], x, y) for s in spec["series"] for x, y in zip(s["x"], s["y"], strict=True) if y is not None]
    assert [(m["series"], float(m["x"]), float(m["value"])) for m in screen.marks()] == wanted
    assert [json.loads(c["lows"]) for c in screen.marks(".curve")] == [s["low"] for s in spec["series"]]
    assert [float(m["at"]) for m in screen.marks("line[data-at]")] == [7.5, 10, 14, 18]

    spec = screen.show(banner("en"))
    wanted = [(r["label"], c["value"]) for r in spec["rows"] for c in r["cells"] if "value" in c]
    assert [(m["label"], float(m["value"])) for m in screen.marks()] == wanted

    spec = screen.show(model("en"))
    wanted = [(e["source"], e["target"], e["value"]) for e in spec["edges"]]
    assert [(m["source"], m["target"], float(m["value"])) for m in screen.marks()] == wanted


def test_a_masked_number_is_nowhere(screen: Screen):
    spec = screen.show(drivers("en", 3))
    hidden = [(r["label"], m["series"]) for r in spec["rows"] for m in r["marks"] if "hidden" in m]
    assert len(hidden) == 1
    assert hidden[0] not in {(m["label"], m["series"]) for m in screen.marks()}
    assert len(screen.marks()) == 35
    assert screen.inspect()["texts"].count("base 21, not shown") == 1
    masked = trend("en")["series"][2]
    assert masked["y"][6] is None
    screen.show(trend("en"))
    assert [m for m in screen.marks() if m["series"] == masked["name"] and m["x"] == "6"] == []


def test_dots_stand_where_their_numbers_are(screen: Screen):
    spec = screen.show(drivers("en"))
    ticks = {t["text"]: t["at"] for t in spec["axis"]["ticks"]}
    at = screen.page.evaluate("""names => {
      const middle = (node) => { const b = node.getBoundingClientRect(); return b.x + b.width / 2; };
      const ticks = [...document.querySelectorAll("svg text")].filter((t) => names.includes(t.textContent)).map((t) => [t.textContent, middle(t)]);
      const marks = [...document.querySelectorAll("svg .mark")].map((m) => [Number(m.dataset.value), middle(m.querySelector("path[transform]")),
        Number(m.dataset.low), m.querySelector("line").getBoundingClientRect().x]);
      return { ticks, marks };
    }""", list(ticks))  # fmt: skip
    (first, x0), (last, x1) = at["ticks"][0], at["ticks"][-1]
    per = (x1 - x0) / (ticks[last] - ticks[first])
    for value, x, low, left in at["marks"]:
        assert x == pytest.approx(x0 + (value - ticks[first]) * per, abs=0.6)
        assert left == pytest.approx(x0 + (low - ticks[first]) * per, abs=1.8)  # a round end reaches 1.1 px further


def test_what_lies_beyond_the_axis_is_said_not_drawn_at_a_wrong_place(screen: Screen):
    spec = drivers("en")
    spec["rows"][0]["marks"][0].update(value=0.5, low=0.4, high=0.6)
    screen.show(spec)
    shapes = screen.page.evaluate(
        "[...document.querySelectorAll('.mark')].map(m => m.querySelectorAll('path[transform]').length)"
    )
    assert shapes == [0] + [1] * 11
    assert screen.inspect()["outside"] == []
    assert screen.marks()[0]["value"] == "0.5"


def test_series_differ_by_shape_and_every_mark_has_a_tip(screen: Screen):
    screen.show(drivers("en", 3))
    shapes = screen.page.evaluate(
        "[...document.querySelectorAll('.mark')].map(m => [m.dataset.series, m.querySelector('path[transform]').getAttribute('d')])"
    )
    assert len({tuple(pair) for pair in shapes}) == len({d for _, d in shapes}) == 3
    for name in MAKERS:
        screen.show(MAKERS[name]("zh"))
        assert screen.page.evaluate(
            "[...document.querySelectorAll('.mark')].every(m => m.querySelector('title')?.textContent)"
        )


@pytest.mark.parametrize("name", list(MAKERS))
def test_screen_readers_get_the_same_facts(screen: Screen, name: str):
    spec = screen.show(MAKERS[name]("en"))
    page = screen.page
    assert page.get_by_role("img").get_attribute("aria-label") == ". ".join(
        spec[k] for k in ("title", "subtitle", "text") if k in spec
    )
    assert page.evaluate("document.querySelector('.cxlab-picture').lang") == "en"
    said = page.evaluate("document.querySelector('.cxlab-facts').textContent")
    parts = {"map": "points", "paths": "nodes", "message": "", "curve": "series"}.get(spec["kind"], "rows")
    for panel in spec.get("panels", []):
        assert panel["heading"] in said
        assert all(row["label"] in said and row["marks"][0]["text"] in said for row in panel["rows"])
    for part in spec.get(parts, []):
        assert part.get("label", part.get("name")) in said
    for text in [
        m.get("text", m.get("hidden")) for r in spec.get("rows", []) for m in [*r.get("marks", []), *r.get("cells", [])]
    ]:
        assert text in said


def test_rows_answer_the_pointer_and_the_arrow_keys(screen: Screen):
    spec = screen.show(drivers("en", 3))
    page, tip = screen.page, screen.page.locator(".cxlab-tip")
    page.locator(".hit").nth(4).hover()
    assert tip.inner_text().split("\n")[0] == spec["rows"][4]["label"]
    page.mouse.move(2, 2)
    assert tip.is_hidden()
    page.locator(".cxlab-scroll").focus()
    for key in ("ArrowDown", "ArrowDown", "End", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    row = spec["rows"][10]
    assert tip.inner_text().split("\n") == [
        row["label"],
        *(f"{m['series']}: {m.get('text', m.get('hidden'))}" for m in row["marks"]),
    ]
    spec["rows"][10]["marks"][0]["text"] = "changed"
    screen.show(spec)
    assert "Ordinary card: changed" in tip.inner_text()  # the tip follows the numbers
    box, card = tip.bounding_box(), page.locator(".cxlab-picture").bounding_box()
    assert box is not None
    assert card is not None
    assert card["x"] <= box["x"]
    assert box["x"] + box["width"] <= card["x"] + card["width"]
    page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_of_fifty_specs_in_a_burst_the_last_is_painted_once(screen: Screen):
    screen.show(drivers("en"))
    specs = []
    for k in range(50):
        spec = drivers("en")
        spec["rows"][0]["marks"][0]["value"] = k / 250
        specs.append(clean({**spec, "version": 1000 + k}))
    paints = screen.page.evaluate("""async (specs) => {
      const svg = document.querySelector(".cxlab-picture svg");
      let paints = 0;
      const observer = new MutationObserver((records) => { paints += records.length; });
      observer.observe(svg, { childList: true });
      specs.forEach((spec) => put(spec));
      while (document.querySelector(".cxlab-picture").dataset.version !== "1049") await new Promise(requestAnimationFrame);
      observer.disconnect();
      return [paints, svg.isConnected, document.querySelectorAll(".cxlab-picture svg").length];
    }""", specs)  # fmt: skip
    assert paints == [1, True, 1]
    assert screen.marks()[0]["value"] == "0.196"


def test_a_picture_does_not_jump_while_its_finding_changes_length(screen: Screen):
    page, spec = screen.page, drivers("en")
    body = "document.querySelector('.cxlab-picture .body').getAttribute('transform')"
    screen.show({**spec, "title": "Queueing"}, 480)
    screen.show({**spec, "title": "Queueing"}, 500)
    low = page.evaluate(body)
    screen.show(spec, 500)
    high = page.evaluate(body)
    assert high != low
    screen.show({**spec, "title": "Queueing"}, 500)
    assert page.evaluate(body) == high
    screen.show({**spec, "title": "Queueing"}, 510)
    assert page.evaluate(body) == low


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({**drivers("en"), "rows": [None]}, "This picture could not be drawn:"),
        ({**trend("zh"), "series": [{"x": 3, "y": "a"}]}, "图片无法绘制："),
        ({**model("en"), "nodes": [None]}, "This picture could not be drawn:"),
    ],
)
def test_a_broken_part_gives_a_sentence_and_the_next_spec_a_picture(screen: Screen, spec: dict[str, Any], said: str):
    screen.show(spec)
    assert screen.kind() == "message"
    assert said in " ".join(screen.inspect()["texts"])
    screen.show(drivers("en"))
    assert screen.kind() == "intervals"


def test_empty_parts_are_drawn_as_empty(screen: Screen):
    axis: dict[str, Any] = {"ticks": [], "label": ""}
    for spec in (
        {"kind": "intervals", "rows": [], "axis": {}},
        {"kind": "intervals", "rows": [{"label": "a", "marks": [None]}, {"label": "b"}], "axis": axis},
        {"kind": "map", "points": [{"label": "a", "x": None, "y": 1}], "x_axis": axis, "y_axis": axis},
        {"kind": "curve", "series": [{"name": "a", "x": [1], "y": [2]}], "x_axis": {"low": 1, "high": 1}, "y_axis": {}},
        {"kind": "grid", "columns": [], "rows": []},
        {"kind": "paths", "nodes": [], "edges": [{"source": "x", "target": "y"}]},
    ):
        screen.show(spec)
        assert screen.kind() == spec["kind"]
        assert "NaN" not in screen.page.evaluate("document.querySelector('.cxlab-picture svg').outerHTML")


def test_labels_are_content_not_markup(screen: Screen):
    spec = drivers("en")
    spec["rows"][0]["label"] = spec["title"] = "<img src=x onerror=alert(1)> & co"
    screen.show(spec)
    assert screen.page.locator("img[src]").count() == 0
    assert "<img src=x onerror=alert(1)> & co" in screen.inspect()["texts"]


@pytest.mark.parametrize("name", list(MAKERS))
def test_a_saved_svg_stands_alone(screen: Screen, name: str):
    spec = screen.show(MAKERS[name]("zh"))
    screen.page.locator(".hit").nth(0).hover() if name != "message" else None
    with screen.page.expect_download() as waiting:
        screen.page.evaluate("name => tell({ do: 'save', format: 'svg', name, id: name })", f"{name}.svg")
    assert waiting.value.suggested_filename == f"{name}.svg"
    source = waiting.value.path().read_text(encoding="utf-8")
    root = ElementTree.fromstring(source)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "Noto Sans SC" in root.attrib["font-family"]
    assert re.findall(r"https?:[^\"]*", source) == ["http://www.w3.org/2000/svg"]
    for outside in ("href", "url(", "<style", 'class="hit"'):
        assert outside not in source
    texts = list(root.iter("{http://www.w3.org/2000/svg}text"))
    assert all({"fill", "font-size"} <= set(node.attrib) for node in texts)
    assert spec.get("title", spec.get("text"))[:8] in "".join(node.text or "" for node in texts)
    sheet = root[0].attrib
    assert (sheet["fill"], sheet["width"]) == ("#ffffff", root.attrib["width"])


def test_a_saved_png_has_two_pixels_for_one(screen: Screen):
    screen.show(drivers("zh"), 640)
    with screen.page.expect_download() as waiting:
        screen.page.evaluate("tell({ do: 'save', format: 'png', name: 'a.png', id: 'png' })")
    data = waiting.value.path().read_bytes()
    high = int(screen.page.evaluate("document.querySelector('.cxlab-picture svg').getAttribute('height')"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (2 * (640 + 32), 2 * (high + 32))
    with Image.open(BytesIO(data)) as image:
        colours = image.convert("RGB").getcolors(maxcolors=1 << 20)
    assert colours is not None
    assert len(colours) > 50  # not an empty sheet
    assert max(colours)[1] == (255, 255, 255)


def test_offered_bytes_arrive_unchanged_and_once(screen: Screen):
    screen.show(sentence("en"))
    data = bytes(range(256)) * 40
    arrived: list[Any] = []
    screen.page.on("download", lambda file: arrived.append(file))
    screen.page.evaluate("""bytes => {
      const second = document.createElement("div"); // the picture once more on the same page
      document.body.append(second);
      const dispose = module.default.render({ model, el: second });
      tell({ do: "offer", name: "表 1.xlsx", mime: "application/octet-stream", id: "offer" }, bytes);
      dispose();
      second.remove();
    }""", list(data))  # fmt: skip
    screen.page.wait_for_timeout(300)
    (file,) = arrived
    assert file.suggested_filename == "表 1.xlsx"
    assert file.path().read_bytes() == data


def test_text_is_copied_or_shown_for_copying(screen: Screen):
    screen.show(sentence("zh"))
    page = screen.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("tell({ do: 'copy', text: 'cx.key_drivers(survey)', id: 'copy 1' })")
    page.get_by_text("已复制。").wait_for(timeout=3000)
    assert page.evaluate("navigator.clipboard.readText()") == "cx.key_drivers(survey)"
    page.evaluate("""() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error("refused"));
      document.execCommand = () => false;
      tell({ do: "copy", text: "x = 1\\ny = 2", id: "copy 2" });
    }""")
    page.get_by_text("浏览器不允许写入剪贴板").wait_for(timeout=3000)
    assert page.locator(".cxlab-copy").input_value() == "x = 1\ny = 2"


def test_lines_break_where_readers_expect(screen: Screen):
    chinese = "报告（含“结论”与建议）是否清楚说明了下一步，应该做什么、找谁、何时复查？满意度7.5分，NPS为12。"
    english = "How clearly the written report explains what to do next, and whom to ask about it"
    for width in range(60, 400, 17):
        got = screen.page.evaluate("([a, w]) => module.wrap(a, w, 13, { most: 99 })", [chinese, width])["lines"]
        assert "".join(got) == chinese
        assert not [x for x in got if x[0] in "，。：；！？）》”、" or x[-1] in "（《“"]
        got = screen.page.evaluate("([a, w]) => module.wrap(a, w, 13, { most: 99 })", [english, width])["lines"]
        assert " ".join(got) == english
    cut = screen.page.evaluate("a => module.wrap(a, 120, 13)", english)
    assert (len(cut["lines"]), cut["lines"][1][-1], cut["cut"], cut["text"]) == (2, "…", True, english)
    assert screen.page.evaluate("line => module.widthOf(line, 13)", cut["lines"][1]) <= 120


def test_a_card_is_white_and_its_height_can_be_asked_for(screen: Screen):
    page = screen.page
    screen.show(trend("en"))
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.cxlab-picture')).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    height = "Number(document.querySelector('.cxlab-picture svg').getAttribute('height'))"
    before = page.evaluate(height)
    page.evaluate("() => { state.height = 640; hooks['change:height'].forEach((hook) => hook()); }")
    page.wait_for_function(f"{height} > {before} + 150")
    page.evaluate("state.height = null")


def test_a_picture_in_a_hidden_tab_is_painted_when_it_is_shown(browser: Browser, address: str):
    page = browser.new_page(viewport={"width": 900, "height": 700})
    screen = Screen(page)
    page.goto(address)
    page.evaluate("document.getElementById('place').style.display = 'none'")
    page.evaluate(HARNESS, [bundle(), None])
    page.evaluate("spec => put(spec)", clean({**drivers("en"), "version": 5}))
    page.wait_for_timeout(80)
    assert screen.marks() == []
    page.evaluate("document.getElementById('place').style.display = ''")
    screen.painted(5)
    assert len(screen.marks()) == 12
    page.evaluate("dispose()")
    assert page.evaluate("Object.values(hooks).flat().length") == 0
    assert screen.troubles == []
    page.close()
