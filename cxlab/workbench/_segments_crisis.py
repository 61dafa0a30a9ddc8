"""The hidden crisis of the Segments tab: what the total does not show, as gaps with intervals."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from cxlab.items import pick
from cxlab.metrics import SIGNED
from cxlab.result import Result
from cxlab.segments import hidden_crisis
from cxlab.theme import BAD, NEUTRAL
from cxlab.words import Note, number
from cxlab.workbench._segments_items import require_base
from cxlab.workbench._segments_pairs import require_groups
from cxlab.workbench._segments_tally import Tally
from cxlab.workbench._tab import Asked, View, message, ticks
from cxlab.workbench._workspace import MOST_GROUPS, Workspace, base_note

MOST_FACTS = 20


def key_of(asked: Asked) -> str:
    """What a scan depends on."""
    return repr((sorted((k, list(v)) for k, v in asked.filter.items()), asked["by"], asked["outcome"]))


def scan(workspace: Workspace, tally: Tally, asked: Asked) -> Result:
    """The library's own scan."""
    require_groups(workspace, asked, MOST_GROUPS)
    items = next(iter(workspace.outcomes or workspace.drivers), None)
    if items is not None:
        require_base(tally, items, asked.filter, asked.lang)
    outcome = asked["outcome"]
    return hidden_crisis(workspace.inside(asked.filter), asked["by"], outcomes=None if outcome is None else [outcome])


def view_of(workspace: Workspace, asked: Asked, found: Any) -> View:
    """Found facts as intervals, causes first; the sentence on what could have been found where there is none."""
    outcome = asked["outcome"]
    more = "" if outcome is None else f", outcomes={[outcome]!r}"
    code = workspace.code(asked.filter, f"result = cx.hidden_crisis(survey, {asked['by']!r}{more})", "result")
    said = tuple(s.text for s in found.sentences(asked.lang))
    hidden = found.hidden
    if not len(hidden):
        return View(message(said[0]).spec, code=code, result=found, lines=said[1:])
    title = _title(found, hidden, asked.lang)
    spec = {**_picture(workspace, asked, found, hidden), "title": title}
    return View(spec, code=code, result=found, lines=said)


def _title(found: Any, hidden: Any, lang: str) -> str:
    causes = hidden[hidden["role"] == "cause"]
    segment = Counter(causes["segment"]).most_common(1)[0][0]
    own = causes[causes["segment"] == segment]
    listed = list(dict.fromkeys(own["item"]))
    names = [number(found.label(i, lang), "in") for i in listed[:4]] + (["…"] if len(listed) > 4 else [])
    said = "、".join(names) if lang == "zh" else ", ".join(names)
    others = causes["segment"].nunique() - 1
    words = _TITLE if not others else _TITLE_MORE
    return Note(words, segment=found.label(segment, lang, "segment"), items=said, others=others)[lang]


def _picture(workspace: Workspace, asked: Asked, found: Any, hidden: Any) -> dict[str, Any]:
    lang = asked.lang
    lengths = {i: _scale_of(workspace, i) for i in hidden["item"].unique()}
    scale = Counter(lengths[i] for i in hidden["item"]).most_common(1)[0][0]
    drawn = hidden[[lengths[i] == scale for i in hidden["item"]]]
    shown = drawn.head(MOST_FACTS)
    rows = [_row(found, r, lang) for r in shown.itertuples(index=False)]
    low, high = float(min(shown["low"].min(), 0)), float(max(shown["high"].max(), 0))
    pad = 0.06 * (high - low)
    unit = Note(_SCALE, low=scale[0], high=scale[1])[lang] if scale else ""
    axis = {
        "label": _GAP[lang] + unit,
        "low": low - pad,
        "high": high + pad,
        "ticks": ticks(low - pad, high + pad, "+.1f"),
    }
    left = [found.label(i, lang) for i in dict.fromkeys(hidden["item"]) if lengths[i] != scale]
    notes = [base_note(found.base.respondents, found.base.effective, lang), _HOW[lang]]
    if left:
        notes.append(Note(_ELSEWHERE, items=("、" if lang == "zh" else ", ").join(left))[lang])
    if len(drawn) > MOST_FACTS:
        notes.append(Note(_REST, count=len(drawn) - MOST_FACTS)[lang])
    series = [{"name": pick(_ROLES[r], lang), "colour": c} for r, c in (("cause", BAD), ("consequence", NEUTRAL))]
    return {"kind": "intervals", "rows": rows, "series": series, "axis": axis, "subtitle": workspace.said(asked.filter, lang),
            "note": ("" if lang == "zh" else " ").join(notes)}  # fmt: skip


def _scale_of(workspace: Workspace, item: str) -> tuple[float, float] | None:
    return workspace.survey.scale(item) if workspace.survey.has(item) else None


def _row(found: Any, fact: Any, lang: str) -> dict[str, Any]:
    who, item = found.label(fact.segment, lang, "segment"), found.label(fact.item, lang)
    kind = found.label(fact.kind, lang, "kind") if found.periods else ""
    label = Note(_FACT if kind else _FACT_PLAIN, who=who, item=item, kind=kind)[lang]
    text = number(fact.estimate, SIGNED[found.kinds[fact.item]])
    text += (
        Note(_TOTAL, total=number(fact.total, SIGNED[found.kinds[fact.item]]))[lang] if np.isfinite(fact.total) else ""
    )
    mark = {"series": 0 if fact.role == "cause" else 1, "value": fact.estimate, "low": fact.low, "high": fact.high, "text": text,
            "faded": fact.reliability == "low"}  # fmt: skip
    return {"label": label, "marks": [mark]}


_TITLE = {
    "en": "Behind a flat total, {segment:in} is worse than the others on {items}",
    "zh": "总体平稳的背后：{segment}在{items}上差于其他顾客",
}
_TITLE_MORE = {
    "en": "Behind a flat total, {segment:in} is worse than the others on {items}; further segments with hidden facts: {others}",
    "zh": "总体平稳的背后：{segment}在{items}上差于其他顾客；另有 {others} 个群体存在被掩盖的问题",
}
_ROLES = {"cause": {"en": "Cause", "zh": "原因"}, "consequence": {"en": "Consequence", "zh": "后果"}}
_FACT = {"en": "{who:cap}: {item:in}, {kind}", "zh": "{who}：{item}（{kind}）"}
_FACT_PLAIN = {"en": "{who:cap}: {item:in}", "zh": "{who}：{item}"}
_TOTAL = {"en": " (total {total})", "zh": "（总体 {total}）"}
_GAP = {"en": "Segment less all others", "zh": "该群体与其他顾客之差"}
_SCALE = {"en": ", points on {low:g}–{high:g}", "zh": "（{low:g}–{high:g} 分制）"}
_HOW = {
    "en": "Worse than the others, while the total stays flat (Benjamini–Hochberg over all facts); 95% intervals from the sample design. "
    "Trend: change of the segment less that of all others. In brackets: how far the total moved.",
    "zh": "入选标准：差于其他顾客，而总体保持平稳（全部检查按 Benjamini–Hochberg 法校正）；区间为基于抽样设计的 95% 区间。"
    "“趋势”为该群体变动与其他顾客变动之差；括号内为总体变动。",
}
_ELSEWHERE = {"en": "On other scales, not drawn: {items}.", "zh": "量表不同、未绘出：{items}。"}
_REST = {"en": "{count} more are in the table.", "zh": "另有 {count} 项见数据表。"}
