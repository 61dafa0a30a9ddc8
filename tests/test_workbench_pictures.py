"""Pictures of the workbench: what a spec may be, and what a real browser makes of it."""

from __future__ import annotations

import math
from typing import Any

from cxlab.theme import SEQUENCE

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


MAKERS = {
    "intervals": drivers,
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


def test_every_kind_has_a_picture_here():
    from cxlab.workbench._picture import NEEDED, clean

    assert {clean(make(lang))["kind"] for make in MAKERS.values() for lang in ("en", "zh")} == set(NEEDED)
