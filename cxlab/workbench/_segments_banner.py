"""The banner of the Segments tab: means or top boxes of many items by segments, as a shaded grid with column letters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.banners import banner
from cxlab.items import pick
from cxlab.metrics import SPECS, Score
from cxlab.result import reliability
from cxlab.words import Note, number
from cxlab.workbench._segments_items import MASKS, codes_inside
from cxlab.workbench._segments_tally import Tally
from cxlab.workbench._tab import Asked, View
from cxlab.workbench._workspace import Workspace, base_note

FloatArray = np.ndarray[Any, np.dtype[Any]]
STATISTICS: Mapping[str, tuple[str, ...]] = {"mean": ("mean",), "top2": ("top2",), "both": ("top2", "mean")}
_FULL = {"nps": 30.0, "share": 0.15, "index": 10.0}  # difference from the total that has the full shade
MOST_COLUMNS = 24
_NUMBERS = ("estimate", "base", "effective")
_ALPHABET = "ABCDEFGHJKMNOPQRSTUVWXYZ"  # without I and L, which look like 1
_FULL_PART = 0.1  # of the response scale, for means


@dataclass(frozen=True, eq=False)
class Line:
    """One line of the grid.

    Attributes
    ----------
    item, statistic : str
    score : Score
    values, base, effective : array, shape (columns,)
        The total comes first.
    letters : list of str
    """

    item: str
    statistic: str
    score: Score
    values: FloatArray
    base: FloatArray
    effective: FloatArray
    letters: Sequence[str]

    @property
    def spec(self) -> str:
        """How a value prints."""
        return SPECS[self.score.kind]


@dataclass(frozen=True)
class Head:
    """A column: its segment ("" for the total), its code and its letter."""

    segment: str
    code: Any
    letter: str = ""


def rows_asked(workspace: Workspace, items: Sequence[str], statistic: str) -> list[tuple[str, str]]:
    """Item and statistic of every line; items without the statistic are left out."""
    found = []
    for item in items:
        if item == "nps":
            found.append((item, "nps"))
            continue
        found += [(item, s) for s in STATISTICS[statistic] if s == "mean" or _has_boxes(workspace, item)]
    return found


def _has_boxes(workspace: Workspace, item: str) -> bool:
    scale = workspace.survey.scale(item)
    column = workspace.survey.items_of(item)
    return scale is not None and len(column) == 1 and scale[1] - scale[0] >= 2 and scale[1] - scale[0] < 60


def live_banner(workspace: Workspace, tally: Tally, asked: Asked, lines: Sequence[tuple[str, str]]) -> View | None:
    """Means and bases at once; letters follow when the hand rests."""
    metrics = {(i, s): f"top2({i})" if s == "top2" else i for i, s in lines}
    if not tally.ready(list(metrics.values())):
        return None
    columns = list(asked["columns"])
    codes = {c: codes_inside(workspace, asked.filter, c) for c in columns}
    heads = [Head("", None), *(Head(c, code) for c in columns for code in codes[c])]
    wanted = list(metrics.values())
    parts = [tally.many(wanted, asked.filter), *(tally.many(wanted, asked.filter, [(c, codes[c])]) for c in columns)]
    drawn = []
    for k, ((item, statistic), metric) in enumerate(metrics.items()):
        values, base, effective = (np.concatenate([getattr(p[k], n) for p in parts]) for n in _NUMBERS)
        own = [j for j, (other, _) in enumerate(metrics) if other == item]
        if len(own) > 1:  # one base for all lines of an item, as the banner has it
            effective = _pooled(*(np.array([np.concatenate([getattr(p[j], n) for p in parts]) for j in own]) for n in ("effective", "variance")))  # fmt: skip
        drawn.append(Line(item, statistic, tally.score(metric), values, base, effective, [""] * len(heads)))
    people = np.concatenate([[1], *(tally.people(asked.filter, [(c, codes[c])]) for c in columns)])
    kept = np.flatnonzero(people > 0).tolist()
    drawn = [_taken(line, kept) for line in drawn]
    heads = _lettered([heads[k] for k in kept])
    spec = _grid(workspace, asked, heads, drawn, _live_title(workspace, asked, heads, drawn))
    return View({**spec, "note": _note(drawn, _LIVE, asked.lang)}, code=_code(workspace, asked, lines))


def _pooled(effective: FloatArray, variance: FloatArray) -> FloatArray:
    """Effective base of an item: that of its lines, weighted by their variances."""
    total = variance.sum(axis=0)
    return np.where(total > 0, (variance * effective).sum(axis=0) / np.where(total > 0, total, 1.0), effective[0])


def settled_banner(workspace: Workspace, tally: Tally, asked: Asked, lines: Sequence[tuple[str, str]]) -> View:
    """The library's own banner."""
    items, statistics = call_parts(lines)
    found = banner(workspace.inside(asked.filter), items, list(asked["columns"]), statistics=statistics)
    heads = [_head(h.key, h.letter) for h in found.heads]
    codes = {c: {str(_plain(code)): code for code in workspace.codes(c)} for c in asked["columns"]}
    heads = [Head(h.segment, codes[h.segment].get(str(h.code), h.code) if h.segment else None, h.letter) for h in heads]
    drawn = []
    for k, stub in enumerate(found.stubs):
        if (stub.item, stub.statistic) not in lines:
            continue
        rows = found.table.iloc[k * len(heads) : (k + 1) * len(heads)]
        metric = f"top2({stub.item})" if stub.statistic == "top2" else stub.item
        values, base, effective = (rows[c].to_numpy(dtype=float) for c in ("estimate", "base", "base_effective"))
        drawn.append(
            Line(stub.item, stub.statistic, tally.score(metric), values, base, effective, rows["letters"].tolist())
        )
    said = [s.text for s in found.sentences(asked.lang)]
    title, *more = said or [asked.text(_TITLE)]
    spec = _grid(workspace, asked, heads, drawn, title)
    return View(
        {**spec, "note": _note(drawn, _LETTERS, asked.lang)},
        code=_code(workspace, asked, lines),
        result=found,
        lines=tuple(more[:3]) + ((asked.text(_MORE, count=len(more) - 3),) if len(more) > 3 else ()),
    )


def call_parts(lines: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Arguments ``rows`` and ``statistics`` of the banner."""
    order = ("top2", "mean", "nps")
    return list(dict.fromkeys(i for i, _ in lines)), [s for s in order if s in {s for _, s in lines}]


def _code(workspace: Workspace, asked: Asked, lines: Sequence[tuple[str, str]]) -> str:
    items, statistics = call_parts(lines)
    call = f"result = cx.banner(survey, {items!r}, {list(asked['columns'])!r}, statistics={statistics!r})"
    return workspace.code(asked.filter, call, "result")


def _head(key: str, letter: str) -> Head:
    segment, _, code = key.partition("=")
    return Head(segment if code else "", code or None, letter)


def _plain(code: Any) -> Any:
    return f"{code:g}" if isinstance(code, float) else code


def _taken(line: Line, kept: Sequence[int]) -> Line:
    values, base, effective = (a[list(kept)] for a in (line.values, line.base, line.effective))
    return Line(line.item, line.statistic, line.score, values, base, effective, [line.letters[k] for k in kept])


def _lettered(heads: Sequence[Head]) -> list[Head]:
    """Letters of the columns as the banner gives them: none for the total."""
    letters = iter(_ALPHABET)
    return [Head(h.segment, h.code, next(letters) if h.segment else "") for h in heads]


# ---------------------------------------------------------------------- the grid
def _grid(
    workspace: Workspace, asked: Asked, heads: Sequence[Head], lines: Sequence[Line], title: str
) -> dict[str, Any]:
    lang = asked.lang
    columns = [{"label": _column(workspace, h, lang), "sub": _sub(workspace, h, lang)} for h in heads]
    most = np.max([line.base for line in lines], axis=0)
    least = np.min([line.effective for line in lines], axis=0)
    rows: list[dict[str, Any]] = [
        {"label": pick(words, lang), "cells": [{"text": number(float(v), ",.0f"), "faded": True} for v in values]}
        for words, values in ((_BASE, most), (_EFFECTIVE, least))
    ]
    both = len({line.statistic for line in lines} - {"nps"}) > 1
    heading = _headings(workspace)
    last = ""
    for line in lines:
        named = pick(heading(line.item), lang)
        if named != last:
            rows.append({"label": named, "heading": True, "cells": []})
            last = named
        rows.append(_row(workspace, line, both, lang))
    return {"kind": "grid", "title": title, "subtitle": _subtitle(workspace, asked), "columns": columns, "rows": rows}


def _row(workspace: Workspace, line: Line, both: bool, lang: str) -> dict[str, Any]:
    label = _item(workspace, line, lang)
    if both and line.statistic in _SHORT:
        label = f"{label}{'：' if lang == 'zh' else ': '}{pick(_SHORT[line.statistic], lang)}"
    grades, shades = reliability(line.effective), shades_of(workspace, line)
    cells = []
    for k, grade in enumerate(grades):
        if grade == "suppressed" or not np.isfinite(line.values[k]):
            cells.append({"text": "–", "faded": True})
            continue
        cells.append({"text": number(float(line.values[k]), line.spec), "value": float(line.values[k]), "letters": line.letters[k],
                      "shade": float(shades[k]), "faded": bool(grade == "low")})  # fmt: skip
    return {"label": label, "cells": cells}


def shades_of(workspace: Workspace, line: Line) -> FloatArray:
    """Difference of each column from the total, −1 … 1, above 0 where it is to the good."""
    full = _FULL.get(line.score.kind)
    if full is None:
        scale = workspace.survey.scale(line.item)
        full = _FULL_PART * (scale[1] - scale[0]) if scale else max(float(np.nanstd(line.score.values)) / 2, 1e-9)
    way = 1.0 if line.score.higher_is_better or line.score.kind == "share" else -1.0
    shown = reliability(line.effective) != "suppressed"
    return np.where(shown & shown[0], np.clip(way * np.nan_to_num(line.values - line.values[0]) / full, -1, 1), 0.0)


def _item(workspace: Workspace, line: Line, lang: str) -> str:
    return pick(line.score.labels, lang) if line.item == "nps" else workspace.survey.label(line.item, lang)


def _column(workspace: Workspace, head: Head, lang: str) -> str:
    if not head.segment:
        return {"en": "Total", "zh": "总体"}[lang]
    known = {code: pick(text, lang) for code, text in workspace.values(head.segment)}
    return number(known.get(head.code, str(head.code)), "cap")


def _sub(workspace: Workspace, head: Head, lang: str) -> str:
    return f"{workspace.survey.label(head.segment, lang)} · {head.letter}" if head.letter else ""


def _headings(workspace: Workspace) -> Callable[[str], Mapping[str, str]]:
    roles = workspace.survey.roles
    stage = {t.item: roles.labels.get(t.stage) or {"en": t.stage, "zh": t.stage} for t in roles.touchpoints}
    outcomes = {"nps", *roles.outcomes}

    def heading(item: str) -> Mapping[str, str]:
        return _OUTCOMES if item in outcomes else stage.get(item, _OTHERS)

    return heading


def _subtitle(workspace: Workspace, asked: Asked) -> str:
    what = asked.text(_STATISTIC[asked["statistic"]])
    return f"{what} · {workspace.said(asked.filter, asked.lang)}"


def _live_title(workspace: Workspace, asked: Asked, heads: Sequence[Head], lines: Sequence[Line]) -> str:
    """The cell farthest from the total, in words."""
    shades = np.array([np.abs(shades_of(workspace, line)) * (reliability(line.effective) == "ok") for line in lines])
    row, column = divmod(int(np.argmax(shades)), len(heads))
    if shades[row, column] == 0:
        return asked.text(_TITLE)
    line, lang = lines[row], asked.lang
    return Note(_FARTHEST, segment=_column(workspace, heads[column], lang), item=_item(workspace, line, lang),
                value=number(float(line.values[column]), line.spec), total=number(float(line.values[0]), line.spec))[lang]  # fmt: skip


def _note(lines: Sequence[Line], words: Mapping[str, str], lang: str) -> str:
    most = max(lines, key=lambda line: line.base[0])
    parts = (base_note(int(most.base[0]), float(most.effective[0]), lang), words[lang], _SHADES[lang], MASKS[lang])
    return ("" if lang == "zh" else " ").join(parts)


_BASE = {"en": "Base", "zh": "样本量"}
_EFFECTIVE = {"en": "Effective base (smallest)", "zh": "有效样本量（最小值）"}
_OUTCOMES = {"en": "Outcomes", "zh": "结果指标"}
_OTHERS = {"en": "Further items", "zh": "其他题目"}
_SHORT = {"mean": {"en": "mean", "zh": "均值"}, "top2": {"en": "top-2 box", "zh": "前两档"}}
_STATISTIC = {
    "mean": {"en": "Means", "zh": "均值"},
    "top2": {"en": "Share in the two best boxes", "zh": "前两档占比"},
    "both": {"en": "Means and share in the two best boxes", "zh": "均值与前两档占比"},
}
_TITLE = {"en": "Segments side by side", "zh": "细分群体对比"}
_FARTHEST = {
    "en": "Farthest from the total: {segment:in} in {item:in}, {value} against {total}",
    "zh": "与总体差距最大：{segment}的{item}，{value}（总体 {total}）",
}
_MORE = {
    "en": "{count:,} more cells stand out; see the letters and the table.",
    "zh": "另有 {count:,} 处差异，见字母标记与数据表。",
}
_LIVE = {
    "en": "While you choose: values and bases; letters follow when your hand rests.",
    "zh": "操作过程中先显示数值与样本量，停顿后补充字母标记。",
}
_LETTERS = {
    "en": "A letter names a column of the same heading that the cell is above beyond chance: capitals 95%, small letters 80% (Holm).",
    "zh": "字母表示该值显著高于同一表头下的对应列：大写为 95% 置信水平，小写为 80%（Holm 校正）。",
}
_SHADES = {
    "en": "Blue is better than the total, orange worse.",
    "zh": "蓝色为优于总体，橙色为劣于总体。",
}
