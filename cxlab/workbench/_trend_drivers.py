"""Drivers over the waves: each driver's share of importance in a window that rolls over the waves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import holm, p_values
from cxlab.cube import CubeImportance, cube_importance
from cxlab.errors import SurveyError
from cxlab.result import Base, Result, reliability
from cxlab.theme import SEQUENCE
from cxlab.words import Note, number
from cxlab.workbench._segments_items import masks
from cxlab.workbench._tab import Asked, View, ticks
from cxlab.workbench._trend_metric import ALPHA, names_of
from cxlab.workbench._workspace import Workspace, base_note, where_of, written

FloatArray = np.ndarray[Any, np.dtype[Any]]
MOST_WINDOWS = 24
MOST_DRIVERS = 20
MOST_SHAPLEY = 13  # drivers up to which Shapley shares are quick in every window
TOP = 5
_NAMED = 2  # windows with another leader that the title names


@dataclass(frozen=True, eq=False)
class Rolled:
    """Shares by window.

    Attributes
    ----------
    windows : list of lists of codes
    drivers : tuple of str
    share, low, high : arrays, shape (windows, drivers)
        NaN where a window allows no answer.
    base, effective : arrays, shape (windows,)
    shift : (driver, window, window before, change) or None
        The surest change between two windows that follow one another without a wave in common.
    method : str
    failed : int
        Windows without an answer.
    """

    windows: Sequence[Sequence[Any]]
    drivers: tuple[str, ...]
    share: FloatArray
    low: FloatArray
    high: FloatArray
    base: FloatArray
    effective: FloatArray
    shift: tuple[int, int, int, float] | None
    method: str
    failed: int


def windows_of(waves: Sequence[Any], size: int) -> list[list[Any]]:
    """Windows that end with the last wave and roll back wave by wave, or in larger steps where there are many waves."""
    count = len(waves) - size + 1
    step = max(1, -(-count // MOST_WINDOWS))
    ends = range(len(waves), size - 1, -step)
    return [list(waves[e - size : e]) for e in reversed(ends)]


def require_drivers(workspace: Workspace, asked: Asked, waves: Sequence[Any]) -> None:
    """Look at the choice before anything is computed.

    Raises
    ------
    SurveyError
        In the language asked for.
    """
    drivers, lang = asked["drivers"], asked.lang
    behind = set(workspace.survey.items_of(asked["outcome"]))
    facts = {"count": len(drivers), "most": MOST_DRIVERS, "window": asked["window"], "waves": len(waves)}
    if len(drivers) < 2:
        raise SurveyError(_TOO_FEW[lang])
    if len(drivers) > MOST_DRIVERS:
        raise SurveyError(Note(_TOO_MANY, **facts)[lang])
    if any(behind & set(workspace.survey.items_of(d)) for d in drivers):
        raise SurveyError(Note(_AMONG, outcome=workspace.texts(asked["outcome"]))[lang])
    if len(waves) <= asked["window"]:
        raise SurveyError(Note(_SHORT, **facts)[lang])


def roll(workspace: Workspace, asked: Asked, windows: Sequence[Sequence[Any]]) -> Rolled:
    """Shares of every window from the cube, with jackknife intervals."""
    outcome, drivers, lang = asked["outcome"], asked["drivers"], asked.lang
    filter = {k: v for k, v in asked.filter.items() if k != workspace.wave}
    method = "shapley" if len(drivers) <= MOST_SHAPLEY else "johnson"
    wave, found = str(workspace.wave), list[CubeImportance | None]()
    cube = workspace.cube  # what stands in its way is no matter of a window
    for window in windows:
        try:
            within = {**filter, wave: list(window)}
            found.append(cube_importance(cube, outcome, list(drivers), filter=within, method=method, draws=1))
        except SurveyError:  # nobody answered all drivers in these waves, or too few; or answers do not vary
            found.append(None)
    if not any(found):
        raise SurveyError(Note(_NOWHERE, count=len(drivers), outcome=workspace.texts(outcome))[lang])
    shape = (len(windows), len(drivers))
    grids = {c: np.full(shape, np.nan) for c in ("share", "share_low", "share_high")}
    for k, one in enumerate(found):
        if one is not None:
            for column, grid in grids.items():
                grid[k] = one.values[column]
    base = np.array([0 if f is None else f.moments.base for f in found])
    effective = np.array([0.0 if f is None else f.moments.base_kish for f in found])
    return Rolled(windows, tuple(drivers), grids["share"], grids["share_low"], grids["share_high"], base, effective, _shift(found, windows, effective), method,
                  sum(f is None for f in found))  # fmt: skip


def _shift(
    found: Sequence[CubeImportance | None], windows: Sequence[Sequence[Any]], effective: FloatArray
) -> tuple[int, int, int, float] | None:
    """The surest change of a share between windows without a wave in common, Holm over drivers and pairs."""
    pairs = []
    for k, window in enumerate(windows):
        earlier = [j for j in range(k) if not set(windows[j]) & set(window)]
        if earlier and found[k] is not None and found[earlier[-1]] is not None:
            pairs.append((earlier[-1], k))
    tests = []
    for first, second in pairs:
        one, other = found[first], found[second]
        if one is None or other is None or min(effective[first], effective[second]) < 30:
            continue
        change = other.values["share"] - one.values["share"]
        moved = _shares(other) - _shares(one)
        se = np.sqrt(((moved - change) ** 2 * one.moments.scale[:, None]).sum(axis=0))
        p = p_values(change, se, min(one.moments.df, other.moments.df))
        tests += [(d, second, first, float(change[d]), float(p[d]), float(abs(change[d] / se[d]))) for d in range(len(change)) if se[d] > 0]  # fmt: skip
    adjusted = holm(np.array([t[4] for t in tests])) if tests else np.zeros(0)
    sure = [t for t, p in zip(tests, adjusted, strict=True) if p < ALPHA]
    if not sure:
        return None
    best = max(sure, key=lambda t: t[5])
    return best[:4]


def _shares(found: CubeImportance) -> FloatArray:
    return found.importances / found.importances.sum(axis=1, keepdims=True)


# ---------------------------------------------------------------------- what is shown
def view_of(workspace: Workspace, rolled: Rolled, asked: Asked, now: Any) -> View:
    """Curves of the top drivers, read at the window that ends with or before a wave."""
    lang = asked.lang
    ends = [w[-1] for w in rolled.windows]
    cursor = max((k for k, e in enumerate(ends) if e <= now), default=0)
    known = np.nan_to_num(rolled.share)
    top = np.argsort(-known.mean(axis=0), kind="stable")[:TOP]
    spec = _picture(workspace, rolled, asked, cursor, top)
    title, *more = _findings(workspace, rolled, asked)
    reading = _reading(workspace, rolled, asked, cursor)
    spec |= {
        "title": title,
        "subtitle": f"{reading} · {workspace.said(asked.filter, lang)}",
        "note": _note(rolled, asked),
    }
    return View(spec, code=_code(workspace, rolled, asked), result=_result(workspace, rolled, asked), lines=tuple(more))


def _findings(workspace: Workspace, rolled: Rolled, asked: Asked) -> list[str]:
    lang = asked.lang
    alive = np.isfinite(rolled.share).all(axis=1) & (rolled.effective >= 30)
    if not alive.any():
        return [_SMALL[lang]]
    leaders = np.argmax(rolled.share[alive], axis=1)
    best = int(np.bincount(leaders, minlength=len(rolled.drivers)).argmax())
    facts = {"driver": workspace.texts(rolled.drivers[best]), "outcome": workspace.texts(asked["outcome"]), "size": asked["window"],
             "count": int((leaders == best).sum()), "windows": int(alive.sum())}  # fmt: skip
    places = np.flatnonzero(alive)
    others = [
        (workspace.survey.label(rolled.drivers[d], lang), _spanned(workspace, rolled.windows[k], lang))
        for d, k in zip(leaders.tolist(), places.tolist(), strict=True)
        if d != best
    ]
    title = Note(_LEADS, **facts)[lang]
    if 0 < len(others) <= _NAMED:
        joined = [Note(_OTHER, driver=d, span=w)[lang] for d, w in others]
        title += ("；" if lang == "zh" else "; ") + ("、" if lang == "zh" else ", ").join(joined)
    said = [title]
    if rolled.shift is None:
        return [*said, Note(_STEADY)[lang]]
    driver, window, before, change = rolled.shift
    words = Note(_SHIFTED[change > 0], driver=workspace.texts(rolled.drivers[driver]), change=abs(change),
                 now=_spanned(workspace, rolled.windows[window], lang), then=_spanned(workspace, rolled.windows[before], lang))  # fmt: skip
    return [*said, words[lang]]


def _spanned(workspace: Workspace, window: Sequence[Any], lang: str) -> str:
    waves = names_of(workspace, workspace.wave, lang)
    return "–".join(dict.fromkeys((waves[window[0]], waves[window[-1]])))


def _reading(workspace: Workspace, rolled: Rolled, asked: Asked, cursor: int) -> str:
    lang = asked.lang
    if not np.isfinite(rolled.share[cursor]).all() or rolled.effective[cursor] < 30:
        parts = _SMALL[lang]
    else:
        order = np.argsort(-rolled.share[cursor], kind="stable")[:3].tolist()
        listed = [
            f"{workspace.survey.label(rolled.drivers[d], lang)} {number(float(rolled.share[cursor, d]), '.0%')}"
            for d in order
        ]
        parts = ("、" if lang == "zh" else ", ").join(listed)
    return f"{_spanned(workspace, rolled.windows[cursor], lang)}{'：' if lang == 'zh' else ': '}{parts}"


def _picture(workspace: Workspace, rolled: Rolled, asked: Asked, cursor: int, top: FloatArray) -> dict[str, Any]:
    lang = asked.lang
    shown = rolled.effective >= 30
    names = [_spanned(workspace, w, lang) for w in rolled.windows]
    short = names_of(workspace, workspace.wave, lang)
    series: list[dict[str, Any]] = []
    for place, d in enumerate(top):
        y, low, high = (np.where(shown, a[:, d], np.nan) for a in (rolled.share, rolled.low, rolled.high))
        texts = [f"{number(float(v), '.0%')} [{number(float(a), '.0%')}, {number(float(b), '.0%')}]" if np.isfinite(v) else "–"
                 for v, a, b in zip(y, low, high, strict=True)]  # fmt: skip
        series.append({"name": workspace.survey.label(rolled.drivers[d], lang), "colour": SEQUENCE[place % len(SEQUENCE)],
                       "x": list(range(len(names))), "y": y, "low": low, "high": high, "dots": True, "texts": texts})  # fmt: skip
    ends = [v for s in series for v in (*s["high"], 0.0) if np.isfinite(v)]
    most = float(max(ends)) * 1.06 or 1.0
    lines = []
    if rolled.shift is not None:
        driver, window, _, change = rolled.shift
        lines = [
            {"at": window, "label": Note(_MARK, driver=workspace.texts(rolled.drivers[driver]), change=change)[lang]}
        ]
    return {
        "kind": "curve", "series": series, "cursor": cursor, "lines": lines,
        "x_axis": {"label": Note(_ENDING, size=asked["window"])[lang], "low": 0, "high": max(len(names) - 1, 1),
                   "ticks": [{"at": k, "text": short[w[-1]]} for k, w in enumerate(rolled.windows)]},
        "y_axis": {"label": Note(_AXIS, outcome=workspace.texts(asked["outcome"]))[lang], "low": 0.0, "high": most, "ticks": ticks(0, most, ".0%")},
    }  # fmt: skip


def _note(rolled: Rolled, asked: Asked) -> str:
    lang = asked.lang
    at = int(np.argmin(np.where(rolled.base > 0, rolled.base, np.inf)))
    parts = [Note(_SMALLEST, note=base_note(int(rolled.base[at]), float(rolled.effective[at]), lang))[lang],
             Note(_HOW, count=len(rolled.drivers), method=_METHODS[rolled.method])[lang]]  # fmt: skip
    if len(rolled.drivers) > TOP:
        parts.append(Note(_TOP_ONLY, top=TOP)[lang])
    if rolled.failed:
        parts.append(Note(_FAILED, count=rolled.failed)[lang])
    return ("" if lang == "zh" else " ").join([*parts, *masks(rolled.effective, lang)])


def _result(workspace: Workspace, rolled: Rolled, asked: Asked) -> Result:
    """Everything that the curves are made from, the last wave of a window in column ``wave``."""
    count = len(rolled.drivers)
    table = pd.DataFrame({
        "driver": list(rolled.drivers) * len(rolled.windows),
        "wave": np.repeat([w[-1] for w in rolled.windows], count),
        "share": rolled.share.ravel(), "share_low": rolled.low.ravel(), "share_high": rolled.high.ravel(),
        "base": np.repeat(rolled.base, count), "base_effective": np.repeat(rolled.effective, count),
        "reliability": np.repeat(reliability(rolled.effective), count),
    })  # fmt: skip
    labels: dict[Any, Any] = {d: workspace.texts(d) for d in rolled.drivers}
    labels |= {("wave", code): text for code, text in workspace.values(str(workspace.wave))}
    labels["wave"] = _LAST
    notes = (Note(_HOW, count=count, method=_METHODS[rolled.method]),)
    base = Base(int(rolled.base.max()), float(rolled.effective.max()))
    return Result(table, base, notes, labels, _code(workspace, rolled, asked), _TITLE)


def _code(workspace: Workspace, rolled: Rolled, asked: Asked) -> str:
    answered = [w for w, base in zip(rolled.windows, rolled.base.tolist(), strict=True) if base]
    each = where_of({str(workspace.wave): "waves"})
    call = (
        f"result = [cx.key_drivers(survey.where({each}), {asked['outcome']!r}, drivers, method={rolled.method!r}, model='linear')\n"
        "          for waves in windows]"
    )
    return workspace.code(
        asked.filter, f"windows = {written(answered)}", f"drivers = {list(rolled.drivers)!r}", call, "result"
    )


_METHODS = {
    "shapley": {"en": "Shapley values", "zh": "Shapley 值"},
    "johnson": {"en": "relative weights", "zh": "相对权重"},
}
_TITLE = {"en": "Drivers over the waves", "zh": "驱动因素逐期变化"}
_LAST = {"en": "Last wave of the window", "zh": "窗口最后一期"}
_LEADS = {
    "en": "{driver:cap} leads for {outcome:in} in {count} of {windows} windows of {size} waves",
    "zh": "{windows} 个滚动窗口（每个 {size} 期）中，“{driver}”有 {count} 个位居{outcome}驱动因素之首",
}
_OTHER = {"en": "{driver:in} in {span}", "zh": "{span} 为“{driver}”"}
_SHIFTED = {
    True: {
        "en": "The share of {driver:in} rose by {change:pt} percentage points from {then} to {now} (Holm, over all drivers and windows).",
        "zh": "“{driver}”的占比从 {then} 到 {now} 上升 {change:pt} 个百分点（经全部驱动因素与窗口的 Holm 校正）。",
    },
    False: {
        "en": "The share of {driver:in} fell by {change:pt} percentage points from {then} to {now} (Holm, over all drivers and windows).",
        "zh": "“{driver}”的占比从 {then} 到 {now} 下降 {change:pt} 个百分点（经全部驱动因素与窗口的 Holm 校正）。",
    },
}
_STEADY = {
    "en": "No driver's share moved beyond chance between windows without a wave in common (Holm).",
    "zh": "互不重叠的窗口之间，各驱动因素占比的变动均未超出抽样误差（Holm 校正）。",
}
_MARK = {"en": "{driver} {change:pp} pp", "zh": "{driver} {change:pp} 个百分点"}
_ENDING = {"en": "Last wave of {size}", "zh": "窗口最后一期（每个窗口 {size} 期）"}
_AXIS = {"en": "Share of explained {outcome:in}", "zh": "占{outcome}可解释方差的比重"}
_SMALLEST = {"en": "Smallest window: {note}", "zh": "最小窗口：{note}"}
_HOW = {
    "en": "{method:cap} of {count} drivers among who answered all; 95% intervals by jackknife. The code gives the same shares with 1,000 replicates.",
    "zh": "方法：{method}（{count} 个驱动因素，基于各题均作答者）；95% 区间采用刀切法。代码给出相同的占比及 1,000 次重抽样的区间。",
}
_TOP_ONLY = {
    "en": "Drawn: the {top} with the largest mean share; the table has all.",
    "zh": "图中为平均占比最高的 {top} 个，全部见数据表。",
}
_FAILED = {"en": "Windows without enough complete answers: {count}.", "zh": "完整作答不足的窗口：{count} 个。"}
_NOWHERE = {
    "en": "No window has enough respondents who answered {outcome:in} and all {count} drivers, with answers that differ; untick drivers "
    "that were not asked, or widen the filter.",
    "zh": "任何窗口内，同时回答了{outcome}和全部 {count} 个驱动因素、且回答有差异的受访者均不足：请取消未询问的因素，或放宽筛选条件。",
}
_SMALL = {"en": "base too small", "zh": "样本不足"}
_TOO_FEW = {"en": "Tick at least two drivers.", "zh": "请至少勾选两个驱动因素。"}
_TOO_MANY = {
    "en": "{count} drivers are ticked; up to {most} can be followed over the waves: untick some.",
    "zh": "已勾选 {count} 个驱动因素，逐期分析最多 {most} 个：请取消部分勾选。",
}
_AMONG = {
    "en": "The outcome ({outcome:in}) is among the drivers; untick it there.",
    "zh": "结果指标（{outcome}）同时被勾选为驱动因素；请在驱动因素中取消勾选。",
}
_SHORT = {
    "en": "The filter leaves {waves} waves; windows of {window} need more than {window}: widen the filter, or take a smaller window.",
    "zh": "当前筛选条件下仅有 {waves} 期；每个窗口 {window} 期，至少需要多于 {window} 期：请放宽筛选条件，或改用较小的窗口。",
}
