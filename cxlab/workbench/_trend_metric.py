"""A metric over the waves: its curve, its sharpest turn, its drift, and the reading at one wave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import holm
from cxlab.items import pick
from cxlab.metrics import SIGNED, SPECS, Score
from cxlab.result import reliability
from cxlab.theme import SEQUENCE
from cxlab.words import Figure, Note, number
from cxlab.workbench._segments_items import FIXED, Filter, masks
from cxlab.workbench._segments_tally import Tallied, Tally
from cxlab.workbench._tab import Asked, ticks
from cxlab.workbench._workspace import Workspace, base_note

FloatArray = np.ndarray[Any, np.dtype[Any]]
ALPHA = 0.05


@dataclass(frozen=True, eq=False)
class Moves:
    """What moved beyond chance, with jackknife tests.

    Attributes
    ----------
    shock : (segment, wave, wave before, change, z) or None
        The surest of all changes from one wave to the next, Holm over all of them.
    drift : (segment, change, z) or None
        The surest difference between the last and the first third of the waves, Holm over segments.
    tests : int
        Changes from one wave to the next.
    change, p : arrays, shape (segments, waves)
        Of each wave against the one before; NaN in the first.
    """

    shock: tuple[Any, Any, Any, float, float] | None
    drift: tuple[Any, float, float] | None
    tests: int
    change: FloatArray
    p: FloatArray


@dataclass(frozen=True, eq=False)
class Course:
    """A metric by segment and wave.

    Attributes
    ----------
    score : Score
    waves, segments : lists of codes
        ``[None]`` for the total.
    estimate, low, high, effective : arrays, shape (segments, waves)
    moves : Moves
    tallied : Tallied
        Segments times waves.
    """

    score: Score
    waves: Sequence[Any]
    segments: Sequence[Any]
    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    effective: FloatArray
    moves: Moves
    tallied: Tallied


def course(tally: Tally, metric: str, filter: Filter, wave: tuple[str, Sequence[Any]], by: tuple[str, Sequence[Any]] | None) -> Course:  # fmt: skip
    """Levels with jackknife intervals, and what moved."""
    waves, segments = list(wave[1]), list(by[1]) if by else [None]
    found = tally.means(metric, filter, [by, wave] if by else [wave])
    shape = (len(segments), len(waves))
    low, high = found.interval()
    estimate, low, high, effective = (a.reshape(shape) for a in (found.estimate, low, high, found.effective))
    return Course(
        tally.score(metric), waves, segments, estimate, low, high, effective, _moves(found, segments, waves), found
    )


def replaced(drawn: Course, table: pd.DataFrame) -> Course:
    """The same with the library's own levels, intervals and effective bases."""
    keys = ["segment", "wave"] if "segment" in table else ["wave"]
    index = pd.MultiIndex.from_product([drawn.segments, drawn.waves]) if len(keys) == 2 else pd.Index(drawn.waves)
    rows = table.set_index(keys).reindex(index)
    shape = (len(drawn.segments), len(drawn.waves))
    columns = ("estimate", "low", "high", "base_effective")
    estimate, low, high, effective = (rows[c].to_numpy(dtype=float).reshape(shape) for c in columns)
    return Course(drawn.score, drawn.waves, drawn.segments, estimate, low, high, effective, drawn.moves, drawn.tallied)


def _moves(found: Tallied, segments: Sequence[Any], waves: Sequence[Any]) -> Moves:
    count, many = len(segments), len(waves)
    change, p = np.full((count, many), np.nan), np.full((count, many), np.nan)
    shock, drift = None, None
    if many > 1:
        steps = np.zeros((count * (many - 1), count * many))
        rows = np.arange(len(steps))
        later = (rows // (many - 1)) * many + rows % (many - 1) + 1
        steps[rows, later], steps[rows, later - 1] = 1, -1
        value, se, raw = found.tests(steps)
        change[:, 1:], p[:, 1:] = value.reshape(count, -1), raw.reshape(count, -1)
        best = _surest(value, se, holm(raw))
        if best is not None:
            at = best % (many - 1) + 1
            shock = (
                segments[best // (many - 1)],
                waves[at],
                waves[at - 1],
                float(value[best]),
                float(value[best] / se[best]),
            )
    if many >= 6:
        part = many // 3
        ends = np.zeros((count, count * many))
        for k in range(count):
            ends[k, k * many : k * many + part], ends[k, (k + 1) * many - part : (k + 1) * many] = -1 / part, 1 / part
        value, se, raw = found.tests(ends)
        best = _surest(value, se, holm(raw))
        drift = None if best is None else (segments[best], float(value[best]), float(value[best] / se[best]))
    return Moves(shock, drift, count * (many - 1), change, p)


def _surest(value: FloatArray, se: FloatArray, p: FloatArray) -> int | None:
    """The row farthest from zero in standard errors, if it holds."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(p < ALPHA, np.abs(value / se), np.nan)
    return None if np.isnan(z).all() else int(np.nanargmax(z))


# ---------------------------------------------------------------------- words
def names_of(workspace: Workspace, column: str | None, lang: str) -> dict[Any, str]:
    """Wording of a column's codes."""
    return {code: pick(text, lang) for code, text in workspace.values(column)} if column else {}


def label_of(workspace: Workspace, scored: Score, lang: str) -> str:
    """Wording of a metric."""
    own = pick(scored.labels, lang)
    return workspace.survey.label(scored.name, lang) if workspace.survey.has(scored.name) else own


def headline(workspace: Workspace, drawn: Course, by: str | None, lang: str) -> list[str]:
    """What moved, the surest first; or that nothing did."""
    waves, segments = names_of(workspace, workspace.wave, lang), names_of(workspace, by, lang)
    item, kind = label_of(workspace, drawn.score, lang), drawn.score.kind
    said: list[tuple[float, str]] = []
    if drawn.moves.shock is not None:
        segment, wave, before, change, z = drawn.moves.shock
        facts = {"item": item, "wave": waves[wave], "before": waves[before], "tests": drawn.moves.tests}
        said.append((abs(z), _told(_SHOCK, segments.get(segment), change, kind, lang, facts)))
    if drawn.moves.drift is not None:
        segment, change, z = drawn.moves.drift
        part = len(drawn.waves) // 3
        first, last = ((waves[w[0]], waves[w[-1]]) for w in (drawn.waves[:part], drawn.waves[-part:]))
        facts = {"item": item, "first": "–".join(dict.fromkeys(first)), "last": "–".join(dict.fromkeys(last))}
        said.append((abs(z), _told(_DRIFT, segments.get(segment), change, kind, lang, facts)))
    if not said:
        return [Note(_STILL, item=item, waves=len(drawn.waves))[lang]]
    return [text for _, text in sorted(said, key=lambda s: -s[0])]


def _told(words: Any, segment: str | None, change: float, kind: str, lang: str, facts: dict[str, Any]) -> str:
    spec = {"mean": ".2f", "nps": ".1f", "index": ".1f", "share": "pt"}[kind]
    size = Figure(abs(change), spec, _UNIT[lang] if kind == "share" else "")
    who = "" if segment is None else _WHO[lang].format(segment)
    text = Note(words[change > 0], size=number(size), **facts)[lang]
    return number(who + text, "cap")


Change = tuple[float, float]  # change and its p-value


def changes(drawn: Course, now: int, then: int) -> list[Change]:
    """Change of every segment between two waves, by their places, with jackknife tests."""
    if now == then:
        return [(float("nan"), float("nan"))] * len(drawn.segments)
    rows, many = np.arange(len(drawn.segments)), len(drawn.waves)
    matrix = np.zeros((len(rows), drawn.estimate.size))
    matrix[rows, rows * many + now], matrix[rows, rows * many + then] = 1, -1
    value, _, p = drawn.tallied.tests(matrix)
    return list(zip(value.tolist(), p.tolist(), strict=True))


def reading(workspace: Workspace, drawn: Course, at: tuple[int, int], found: Sequence[Change], asked: Asked) -> str:
    """Levels at a wave (places: wave, wave compared with), and the changes with their p-values."""
    (now, then), lang, by = at, asked.lang, asked["by"]
    waves, segments = names_of(workspace, workspace.wave, lang), names_of(workspace, by, lang)
    spec, parts = SPECS[drawn.score.kind], []
    grades = reliability(drawn.effective)
    for k, segment in enumerate(drawn.segments):
        name = "" if segment is None else segments.get(segment, str(segment)) + " "
        if grades[k, now] == "suppressed" or not np.isfinite(drawn.estimate[k, now]):
            parts.append(name + _SMALL[lang])
            continue
        text = number(drawn.estimate[k, now], spec)
        change, p = found[k]
        if now != then and np.isfinite(p) and grades[k, then] != "suppressed":
            text += Note(_CHANGED, change=_signed(change, drawn.score.kind, lang), p=p)[lang]
        parts.append(name + text)
    head = waves[drawn.waves[now]] + (Note(_AGAINST, before=waves[drawn.waves[then]])[lang] if now != then else "")
    return Note(_READ, head=head, parts=("；" if lang == "zh" else "; ").join(parts))[lang]


def _signed(value: float, kind: str, lang: str) -> str:
    return number(value, SIGNED[kind]) + (_PP[lang] if kind == "share" else "")


# ---------------------------------------------------------------------- picture
def curve(workspace: Workspace, drawn: Course, asked: Asked, cursor: int) -> dict[str, Any]:
    """Levels with ribbons, the target, the sharpest turn and the wave that is read."""
    lang, by = asked.lang, asked["by"]
    waves, segments = names_of(workspace, workspace.wave, lang), names_of(workspace, by, lang)
    spec = SPECS[drawn.score.kind]
    shown = (reliability(drawn.effective) != "suppressed") & np.isfinite(drawn.estimate)
    series: list[dict[str, Any]] = []
    for k, segment in enumerate(drawn.segments):
        y, low, high = (np.where(shown[k], a[k], np.nan) for a in (drawn.estimate, drawn.low, drawn.high))
        series.append({"name": segments.get(segment, ""), "colour": SEQUENCE[k % len(SEQUENCE)], "x": list(range(len(drawn.waves))),
                       "y": y, "low": low, "high": high, "dots": True,
                       "texts": [_tip(y[i], low[i], high[i], spec) for i in range(len(drawn.waves))]})  # fmt: skip
    target = workspace.survey.roles.targets.get(drawn.score.name)
    ends = [v for s in series for part in (s["low"], s["high"], s["y"]) for v in part if np.isfinite(v)]
    ends += [] if target is None else [float(target)]
    least, most = (float(min(ends)), float(max(ends))) if ends else (0.0, 1.0)
    pad = 0.08 * (most - least) or 0.5
    floor, roof = (0.0, 1.0) if drawn.score.kind == "share" else (-np.inf, np.inf)
    bottom, top = max(least - pad, floor), min(most + pad, roof)
    lines = []
    if drawn.moves.shock is not None:
        _, wave, _, change, _ = drawn.moves.shock
        lines.append(
            {"at": drawn.waves.index(wave), "label": f"{waves[wave]} {_signed(change, drawn.score.kind, lang)}"}
        )
    return {
        "kind": "curve", "series": series, "lines": lines, "cursor": cursor,
        "levels": [] if target is None else [{"at": float(target), "label": Note(_TARGET, target=number(float(target), spec))[lang]}],
        "x_axis": {"label": workspace.survey.label(str(workspace.wave), lang), "low": 0, "high": max(len(drawn.waves) - 1, 1),
                   "ticks": [{"at": i, "text": waves[w]} for i, w in enumerate(drawn.waves)]},
        "y_axis": {"label": label_of(workspace, drawn.score, lang), "low": bottom, "high": top,
                   "ticks": ticks(bottom, top, _tick_spec(spec, most - least))},
    }  # fmt: skip


def _tip(value: float, low: float, high: float, spec: str) -> str:
    if not np.isfinite(value):
        return "–"
    return number(float(value), spec) + (
        f" [{number(float(low), spec)}, {number(float(high), spec)}]" if np.isfinite(low) else ""
    )


def _tick_spec(spec: str, span: float) -> str:
    return {".2f": ".1f" if span > 0.6 else ".2f", "+.1f": "+.0f" if span > 8 else "+.1f", ".1f": ".0f" if span > 8 else ".1f",
            ".0%": ".0%" if span > 0.06 else ".1%"}[spec]  # fmt: skip


def note_of(workspace: Workspace, drawn: Course, base: tuple[int, float], settled: bool, lang: str) -> str:
    """Base, intervals and small bases."""
    fixed = [FIXED[lang]] if workspace.survey.design.raked and not settled else []
    return ("" if lang == "zh" else " ").join(
        (base_note(*base, lang), (_SETTLED if settled else _LIVE)[lang], *fixed, *masks(drawn.effective, lang))
    )


_WHO = {"en": "{}: ", "zh": "{}："}
_UNIT = {"en": " percentage points", "zh": " 个百分点"}
_PP = {"en": " pp", "zh": " 个百分点"}
_SMALL = {"en": "base too small", "zh": "样本不足"}
_SHOCK = {
    True: {
        "en": "{item:in} rose by {size} in {wave}, the sharpest of {tests} changes from one wave to the next",
        "zh": "{item}在 {wave} 上升 {size}，为 {tests} 次逐期变化中最显著的一次",
    },
    False: {
        "en": "{item:in} fell by {size} in {wave}, the sharpest of {tests} changes from one wave to the next",
        "zh": "{item}在 {wave} 下降 {size}，为 {tests} 次逐期变化中最显著的一次",
    },
}
_DRIFT = {
    True: {
        "en": "{item:in} rose by {size} from {first} to {last}",
        "zh": "{item}从 {first} 到 {last} 上升 {size}",
    },
    False: {
        "en": "{item:in} fell by {size} from {first} to {last}",
        "zh": "{item}从 {first} 到 {last} 下降 {size}",
    },
}
_STILL = {
    "en": "{item:cap}: nothing in {waves} waves moved beyond chance",
    "zh": "{item}：{waves} 期内的变动均未超出抽样误差",
}
_CHANGED = {"en": " ({change}, {p:p})", "zh": "（{change}，{p:p}）"}
_AGAINST = {"en": " against {before}", "zh": "（对比 {before}）"}
_READ = {"en": "{head}: {parts}", "zh": "{head}：{parts}"}
_TARGET = {"en": "Target {target}", "zh": "目标 {target}"}
_LIVE = {
    "en": "95% intervals and tests by jackknife while you choose.",
    "zh": "操作过程中的 95% 区间与检验采用刀切法。",
}
_SETTLED = {
    "en": "95% intervals and the change read come from the sample design; what moved is searched for by jackknife (Holm).",
    "zh": "95% 区间与所读变化基于抽样设计；显著变化的查找采用刀切法（Holm 校正）。",
}
