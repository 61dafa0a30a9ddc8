"""The pairs of the Segments tab: one item, every two groups of a segment, or the level of each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from cxlab.contrasts import holm
from cxlab.errors import SurveyError
from cxlab.items import pick
from cxlab.metrics import SIGNED, SPECS, Score
from cxlab.result import reliability
from cxlab.segments import compare_segments
from cxlab.theme import SEQUENCE
from cxlab.words import Note, number
from cxlab.workbench._segments_items import FIXED, MASKS, codes_inside, require_base
from cxlab.workbench._segments_tally import Tally
from cxlab.workbench._tab import Asked, View, ticks
from cxlab.workbench._workspace import Workspace, base_note

MOST_PAIRED = 12  # groups that are compared two by two
MOST_ROWS = 24
ALPHA = 0.05


@dataclass(frozen=True)
class Mark:
    """One row: its groups (two of a pair, one of a level), its numbers and its grade."""

    groups: tuple[Any, ...]
    value: float
    low: float
    high: float
    grade: str
    p: float = float("nan")


def require_groups(workspace: Workspace, asked: Asked, most: int) -> list[Any]:
    """Codes of the segment under the filter.

    Raises
    ------
    SurveyError
        For fewer than two groups or more than can be compared, in the language asked for.
    """
    column = asked["by"]
    codes = codes_inside(workspace, asked.filter, column)
    facts = {"segment": workspace.texts(column), "count": len(codes), "most": most}
    if len(codes) < 2:
        raise SurveyError(Note(_ALONE, **facts)[asked.lang])
    if len(codes) > most:
        raise SurveyError(Note(_MANY, **facts)[asked.lang])
    return codes


def live_pairs(workspace: Workspace, tally: Tally, asked: Asked) -> View | None:
    """Differences, or levels, with jackknife intervals."""
    codes = require_groups(workspace, asked, MOST_PAIRED)
    item, by = asked["item"], asked["by"]
    if not tally.ready([item]):
        return None
    base = require_base(tally, item, asked.filter, asked.lang)
    found = tally.means(item, asked.filter, [(by, codes)])
    kept = np.flatnonzero(tally.people(asked.filter, [(by, codes)]) > 0)
    grades = reliability(found.effective)
    pairs = list(combinations(kept.tolist(), 2))
    matrix = np.zeros((len(pairs), len(codes)))
    for row, (first, second) in enumerate(pairs):
        matrix[row, second], matrix[row, first] = 1, -1
    value, se, raw = found.tests(matrix)
    half = se * np.array([_t(found.df[list(p)].min()) for p in pairs])
    p = holm(raw)
    smaller = [a if found.effective[a] < found.effective[b] else b for a, b in pairs]
    gaps = [Mark((codes[b], codes[a]), value[k], value[k] - half[k], value[k] + half[k], str(grades[smaller[k]]), p[k])
            for k, (a, b) in enumerate(pairs)]  # fmt: skip
    low, high = found.interval()
    levels = [Mark((codes[k],), found.estimate[k], low[k], high[k], str(grades[k])) for k in kept]
    scored = tally.score(item)
    spec = _picture(workspace, asked, scored, gaps, levels, _title(workspace, asked, scored, gaps))
    note = _note(asked, base, _LIVE if workspace.survey.design.raked is None else _LIVE_FIXED)
    return View({**spec, "note": note}, code=_code(workspace, asked))


def settled_pairs(workspace: Workspace, tally: Tally, asked: Asked) -> View:
    """The library's own comparison."""
    require_groups(workspace, asked, MOST_PAIRED)
    item = asked["item"]
    base = require_base(tally, item, asked.filter, asked.lang)
    found = compare_segments(workspace.inside(asked.filter), asked["by"], [item])
    gaps = [Mark((r.segment, r.other), r.estimate, r.low, r.high, r.reliability, r.p_value) for r in found.rows()]
    levels = [Mark((r.segment,), r.estimate, r.low, r.high, r.reliability) for r in _rows(found.levels)]
    scored = tally.score(item)
    title, *more = [s.text for s in found.sentences(asked.lang)] or [_title(workspace, asked, scored, gaps)]
    spec = _picture(workspace, asked, scored, gaps, levels, title)
    note = _note(asked, base, _SETTLED)
    return View({**spec, "note": note}, code=_code(workspace, asked), result=found, lines=tuple(more[:4]))


def _rows(table: Any) -> Any:
    """Rows of a table as named tuples."""
    return table.itertuples(index=False)


def _t(df: float) -> float:
    from cxlab.design import t_quantile

    return float(t_quantile(1 - ALPHA, df))


def _code(workspace: Workspace, asked: Asked) -> str:
    call = f"result = cx.compare_segments(survey, {asked['by']!r}, {[asked['item']]!r})"
    return workspace.code(asked.filter, call, "result")


def _picture(
    workspace: Workspace, asked: Asked, scored: Score, gaps: Sequence[Mark], levels: Sequence[Mark], title: str
) -> dict[str, Any]:
    known = {code: pick(text, asked.lang) for code, text in workspace.values(asked["by"])}
    differences = asked["shown"] == "gaps"
    marks = list(gaps if differences else levels)
    shown = marks[:MOST_ROWS]
    if len(marks) > MOST_ROWS:
        order = np.argsort([np.nan_to_num(m.p, nan=2.0) for m in marks], kind="stable")[:MOST_ROWS]
        shown = [marks[k] for k in sorted(order)]
    spec = (SIGNED if differences else SPECS)[scored.kind]
    rows = [_row(m, [known.get(g, str(g)) for g in m.groups], spec, asked.lang) for m in shown]
    ends = [v for m in shown if m.grade != "suppressed" for v in (m.low, m.high) if np.isfinite(v)]
    ends = [*ends, 0.0] if differences else ends
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    pad = 0.06 * (high - low) or 0.5
    axis = {"label": _axis(workspace, asked, scored, differences), "low": low - pad, "high": high + pad,
            "ticks": ticks(low - pad, high + pad, _tick_spec(spec, high - low))}  # fmt: skip
    colour = SEQUENCE[0]
    hidden = {"subtitle": _subtitle(workspace, asked, len(marks))}
    return {
        "kind": "intervals",
        "title": title,
        "rows": rows,
        "series": [{"name": "", "colour": colour}],
        "axis": axis,
        **hidden,
    }


def _tick_spec(spec: str, span: float) -> str:
    """Ticks print as the numbers do, with as few decimals as keep them apart."""
    if spec in (".2f", "+.2f"):
        return spec.replace("2", "1") if span > 0.5 else spec
    return spec if spec != "pp" or span > 0.03 else "pp"


def _row(mark: Mark, groups: Sequence[str], spec: str, lang: str) -> dict[str, Any]:
    label = groups[0] if len(groups) == 1 else _AGAINST[lang].format(*groups)
    if mark.grade == "suppressed" or not np.isfinite(mark.value):
        return {"label": label, "marks": [{"series": 0, "hidden": _HIDDEN[lang]}]}
    text = number(mark.value, spec)
    if len(groups) == 1:
        text += _FROM_TO[lang].format(number(mark.low, spec), number(mark.high, spec)) if np.isfinite(mark.low) else ""
    elif np.isfinite(mark.p):
        text += f" ({number(mark.p, 'p')})" if lang == "en" else f"（{number(mark.p, 'p')}）"
    known = np.isfinite(mark.p) and mark.p >= ALPHA
    return {"label": label, "marks": [{"series": 0, "value": mark.value, "low": mark.low, "high": mark.high, "text": text,
                                       "faded": bool(mark.grade == "low" or known)}]}  # fmt: skip


def _axis(workspace: Workspace, asked: Asked, scored: Score, differences: bool) -> str:
    label = (
        workspace.survey.label(scored.name, asked.lang)
        if workspace.survey.has(scored.name)
        else pick(scored.labels, asked.lang)
    )
    unit = ""
    if scored.kind == "share" and differences:
        unit = _POINTS[asked.lang]
    elif workspace.survey.has(scored.name) and (scale := workspace.survey.scale(scored.name)):
        unit = Note(_SCALE, low=scale[0], high=scale[1])[asked.lang]
    return (Note(_GAP, item=label)[asked.lang] if differences else label) + unit


def _subtitle(workspace: Workspace, asked: Asked, count: int) -> str:
    said = workspace.said(asked.filter, asked.lang)
    if count > MOST_ROWS:
        said += Note(_MOST, shown=MOST_ROWS, count=count)[asked.lang]
    return said


def _title(workspace: Workspace, asked: Asked, scored: Score, gaps: Sequence[Mark]) -> str:
    """The surest difference, in words."""
    lang = asked.lang
    item = pick(scored.labels, lang)
    sure = [m for m in gaps if np.isfinite(m.p) and m.p < ALPHA]
    if not sure:
        tested = sum(bool(np.isfinite(m.p)) for m in gaps)
        return Note(_NONE if tested else _UNTESTED, item=item, count=tested)[lang]
    best = min(sure, key=lambda m: (m.p, -abs(m.value)))
    names = {code: pick(text, lang) for code, text in workspace.values(asked["by"])}
    return Note(_FOUND, item=item, first=names[best.groups[0]], second=names[best.groups[1]],
                value=number(best.value, SIGNED[scored.kind]), unit=_UNIT[lang] if scored.kind == "share" else "",
                p=best.p)[lang]  # fmt: skip


def _note(asked: Asked, base: tuple[int, float], how: dict[str, str]) -> str:
    lang = asked.lang
    return ("" if lang == "zh" else " ").join((base_note(*base, lang), how[lang], _FADED[lang], MASKS[lang]))


_AGAINST = {"en": "{} – {}", "zh": "{} 与 {}"}
_FROM_TO = {"en": " ({} to {})", "zh": "（{} 至 {}）"}
_HIDDEN = {"en": "base too small", "zh": "样本不足"}
_SCALE = {"en": ", on {low:g}–{high:g}", "zh": "（{low:g}–{high:g} 分）"}
_POINTS = {"en": ", percentage points", "zh": "（百分点）"}
_UNIT = {"en": " percentage points", "zh": " 个百分点"}
_GAP = {"en": "Difference in {item:in}", "zh": "{item}的差异"}
_MOST = {"en": " · {shown} surest of {count} pairs", "zh": " · 显示 {count} 对中最显著的 {shown} 对"}
_FOUND = {
    "en": "{item:cap}: {first:in} {value}{unit} against {second:in} ({p:p})",
    "zh": "{item}：{first}较{second} {value}{unit}（{p:p}）",
}
_NONE = {
    "en": "{item:cap}: no difference between groups holds against chance (pairs compared: {count})",
    "zh": "{item}：各组差异均未超出抽样误差（比较 {count} 对）",
}
_UNTESTED = {
    "en": "{item:cap}: the groups are too small to be compared",
    "zh": "{item}：各组样本过少，无法比较",
}
_ALONE = {
    "en": "{segment} has {count} group under this filter; a comparison needs two: widen the filter, or choose another segment.",
    "zh": "当前筛选条件下“{segment}”只有 {count} 个组别，无法比较：请放宽筛选条件，或改选其他细分变量。",
}
_MANY = {
    "en": "{segment} has {count} groups under this filter; up to {most} can be compared here: choose some in the filter, or band them in study.yml (recoded).",
    "zh": "当前筛选条件下“{segment}”有 {count} 个组别，此处最多比较 {most} 个：请在筛选中选取部分组别，或在 study.yml（recoded）中合并分组。",
}
_LIVE = {
    "en": "95% intervals by jackknife while you choose; p by Holm.",
    "zh": "操作过程中为刀切法 95% 区间；p 值经 Holm 校正。",
}
_LIVE_FIXED = {lang: f"{text}{' ' if lang == 'en' else ''}{FIXED[lang]}" for lang, text in _LIVE.items()}
_SETTLED = {
    "en": "95% intervals from the sample design; p by Holm.",
    "zh": "基于抽样设计的 95% 区间；p 值经 Holm 校正。",
}
_FADED = {"en": "Pale: within chance.", "zh": "浅色：未超出抽样误差。"}
