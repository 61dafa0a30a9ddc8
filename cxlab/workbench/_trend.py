"""The Trend tab: a metric wave by wave, and the drivers over the waves."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd

from cxlab.contrasts import holm
from cxlab.drivers import default_drivers
from cxlab.errors import SurveyError
from cxlab.metrics import SIGNED
from cxlab.tracking import ScorecardResult, TrendResult, base_of, scorecard, trend
from cxlab.words import Note, number
from cxlab.workbench import _trend_drivers as over_time
from cxlab.workbench._segments_items import (
    NO_ITEMS,
    NO_WAVES,
    codes_inside,
    journey_items,
    lonely,
    metrics_of,
    require_base,
)
from cxlab.workbench._segments_tally import Tally
from cxlab.workbench._tab import Asked, Control, Option, Pick, Several, Span, Tab, Texts, View
from cxlab.workbench._trend_metric import (
    ALPHA,
    Course,
    changes,
    course,
    curve,
    headline,
    names_of,
    note_of,
    reading,
    replaced,
)
from cxlab.workbench._workspace import Workspace, where_of, written

MOST_LINES = 7  # groups that have a colour each
_KEPT = 48  # answers kept ready
_CELLS = 12_000_000  # rows × groups whose deviations are laid out at once
Kept = TypeVar("Kept")


class TrendTab(Tab):
    """How did it develop, and when did it turn?"""

    key = "trend"
    title: ClassVar[Texts] = {"en": "Trend", "zh": "趋势"}

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._tally = Tally(workspace)
        self._known: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._metrics = metrics_of(workspace, ["nps", "csat"]) if self._has_waves() else {}

    def _has_waves(self) -> bool:
        return self.workspace.wave is not None and self.workspace.wave in self.workspace.splits

    def lacking(self) -> Texts | None:
        """Say if the study has no waves, or nothing to follow over them."""
        if not self._has_waves():
            return NO_WAVES
        return lonely(self.workspace) if self._metrics else NO_ITEMS

    def controls(self) -> Sequence[Control]:
        """Controls of both views."""
        metrics: tuple[Option, ...] = tuple(self._metrics.items())
        narrow = [s for s in self.workspace.segments if len(self.workspace.codes(s)) <= 60]
        waves = self.workspace.values(str(self.workspace.wave))
        drivers = [d for d in self.workspace.drivers if d in self._metrics]
        both = bool(self.workspace.outcomes) and len(drivers) > 1
        alone: dict[str, tuple[Any, ...]] = {"show": ("metric",)} if both else {}
        shown: list[Control] = [Pick(name="show", label=_SHOW, default="metric", options=_VIEWS)] if both else []
        shown += [
            Pick(name="metric", label=_METRIC, default=metrics[0][0], options=metrics, when=alone),
            Pick(name="by", label=_BY, default=None, options=((None, _TOTAL), *self.workspace.options(narrow)), when=alone),
            Span(name="at", label=_AT, options=waves, default=(waves[-2][0], waves[-1][0])),
        ]  # fmt: skip
        if not both:
            return shown
        rolling = {"show": ("drivers",)}
        outcomes = self.workspace.options(self.workspace.outcomes)
        sizes: tuple[Option, ...] = tuple((n, _texts(f"{n} waves", f"{n} 期")) for n in (3, 6, 12) if n < len(waves)) or ((1, _texts("1 wave", "1 期")),)  # fmt: skip
        return [
            *shown,
            Pick(name="outcome", label=_OUTCOME, default=outcomes[0][0], options=outcomes, when=rolling),
            Pick(name="window", label=_WINDOW, default=sizes[0][0], options=sizes, when=rolling),
            Several(name="drivers", label=_DRIVERS, default=self._default_drivers(drivers), options=self.workspace.options(drivers), when=rolling),
        ]  # fmt: skip

    def _default_drivers(self, known: Sequence[str]) -> tuple[str, ...]:
        try:
            wanted = default_drivers(self.workspace.survey)
        except SurveyError:  # all drivers would be set aside
            wanted = tuple(known)
        return tuple(d for d in known if d in wanted)[: over_time.MOST_SHAPLEY]

    # ------------------------------------------------------------------ answers
    def live(self, asked: Asked) -> View | None:
        """Levels with jackknife intervals at once; drivers where they were computed before."""
        if asked.choice.get("show", "metric") == "drivers":
            over_time.require_drivers(self.workspace, asked, self._waves(asked))
            rolled = self._get(self._rolled_key(asked))
            return None if rolled is None else self._drivers_view(asked, rolled)
        if not self._tally.ready([asked["metric"]]):
            return None
        found = self._get(self._trend_key(asked))
        return self._metric_view(asked, found)

    def settled(self, asked: Asked) -> View:
        """The library's own trend; the cube's shares of every window."""
        if asked.choice.get("show", "metric") == "drivers":
            waves = self._waves(asked)
            over_time.require_drivers(self.workspace, asked, waves)
            windows = over_time.windows_of(waves, asked["window"])
            rolled = self._once(self._rolled_key(asked), lambda: over_time.roll(self.workspace, asked, windows))
            return self._drivers_view(asked, rolled)
        self._course(asked)  # refuses what cannot be shown before anything long is begun
        found = self._once(self._trend_key(asked), lambda: self._trend(asked))
        return self._metric_view(asked, found, settled=True)

    def _metric_view(self, asked: Asked, found: Any, *, settled: bool = False) -> View:
        drawn = self._course(asked)
        if found is not None:
            drawn = replaced(drawn, found.table)
        at = now, then = self._cursor(asked, drawn.waves)
        lang = asked.lang
        base = require_base(self._tally, asked["metric"], asked.filter, lang)
        title, *lines = headline(self.workspace, drawn, asked["by"], lang)
        cards = self._cards(asked, drawn, at, settled=settled)
        moved = [j if c is None else (c.table["change"][0], c.table["p_value"][0])
                 for c, j in zip(cards, changes(drawn, now, then), strict=True)]  # fmt: skip
        read = reading(self.workspace, drawn, at, moved, asked)
        spec = {**curve(self.workspace, drawn, asked, now), "title": title, "subtitle": f"{read} · {self.workspace.said(asked.filter, lang)}",
                "note": note_of(self.workspace, drawn, base, found is not None, lang)}  # fmt: skip
        if asked["by"] is None and cards[0] is not None:
            lines += [s.text for s in cards[0].sentences(lang)]
        if settled:
            lines += self._elsewhere(asked, drawn.waves)
        return View(spec, code=self._code(asked, drawn, at), result=found, lines=tuple(lines))

    def _drivers_view(self, asked: Asked, rolled: over_time.Rolled) -> View:
        waves = self._waves(asked)
        return over_time.view_of(self.workspace, rolled, asked, waves[self._cursor(asked, waves)[0]])

    # ------------------------------------------------------------------ parts
    def _waves(self, asked: Asked) -> list[Any]:
        waves = codes_inside(self.workspace, asked.filter, str(self.workspace.wave))
        if len(waves) < 2:
            raise SurveyError(_ONE_WAVE[asked.lang])
        return waves

    def _course(self, asked: Asked) -> Course:
        """Levels and moves from the tally; refuses too many groups and too small a base."""
        waves, by, lang = self._waves(asked), asked["by"], asked.lang
        codes = codes_inside(self.workspace, asked.filter, by) if by else []
        if len(codes) > MOST_LINES:
            facts = {"segment": self.workspace.texts(by), "count": len(codes), "most": MOST_LINES}
            raise SurveyError(Note(_MANY, **facts)[lang])
        require_base(self._tally, asked["metric"], asked.filter, lang)
        wave = (str(self.workspace.wave), waves)
        return course(self._tally, asked["metric"], asked.filter, wave, (by, codes) if by else None)

    def _cursor(self, asked: Asked, waves: Sequence[Any]) -> tuple[int, int]:
        """Places of the wave that is read and of the one it is compared with, among the waves inside the filter."""
        first, last = asked["at"]
        now = max((k for k, w in enumerate(waves) if w <= last), default=0)
        then = max((k for k, w in enumerate(waves) if w <= first), default=0)
        return now, (then if then < now else max(now - 1, 0))

    def _trend(self, asked: Asked) -> TrendResult:
        """The library's trend; of very many rows some waves at a time, which gives the same table in less memory."""
        waves, by = self._waves(asked), asked["by"]
        groups = len(codes_inside(self.workspace, asked.filter, by)) if by else 1
        size = max(1, _CELLS // (len(self.workspace.survey.data) * groups))
        whole = self.workspace.inside(asked.filter)
        if size >= len(waves):
            return trend(whole, asked["metric"], by=by)
        parts = []
        for start in range(0, len(waves), size):
            some = whole.where(**{str(self.workspace.wave): waves[start : start + size]})
            parts.append(trend(some, asked["metric"], by=by))
        table = pd.concat([p.table for p in parts], ignore_index=True)
        if by:
            table = table.sort_values(["segment", "wave"], kind="stable", ignore_index=True)
        labels = {k: v for p in parts for k, v in p.labels.items()}
        call = f"cx.trend(survey{whole.filter}, {asked['metric']!r}, by={by!r})"
        return replace(parts[0], table=table, base=base_of(whole), labels=labels, call=call)

    def _cards(
        self, asked: Asked, drawn: Course, at: tuple[int, int], *, settled: bool
    ) -> list[ScorecardResult | None]:
        """Scorecard of every segment at the wave that is read; None where there is none, or none yet."""
        now, then = at
        cards: list[ScorecardResult | None] = []
        for k, segment in enumerate(drawn.segments):
            if now == then or not np.isfinite(drawn.estimate[k, [now, then]]).all():
                cards.append(None)
                continue
            filter = dict(asked.filter) if segment is None else {**asked.filter, asked["by"]: [segment]}
            ends = {"wave": drawn.waves[now], "before": drawn.waves[then]}
            key = repr(("scorecard", asked["metric"], sorted((a, list(b)) for a, b in filter.items()), ends))
            work = partial(self._card, asked["metric"], filter, ends)
            cards.append(self._once(key, work) if settled else self._get(key))
        return cards

    def _card(self, metric: str, filter: Mapping[str, Any], ends: Mapping[str, Any]) -> ScorecardResult:
        return scorecard(self.workspace.inside(filter), [metric], **ends)

    def _elsewhere(self, asked: Asked, waves: Sequence[Any]) -> list[str]:
        """The sharpest turn among all touchpoints, Holm over all of them and all waves."""
        items = [i for i in journey_items(self.workspace, list(self._metrics), 24) if i != asked["metric"]]
        if not items or not self._tally.ready(items):
            return []
        steps = np.eye(len(waves))[1:] - np.eye(len(waves))[:-1]
        found = self._tally.many(items, asked.filter, [(str(self.workspace.wave), waves)])
        value, se, raw = (np.array(a) for a in zip(*(f.tests(steps) for f in found), strict=True))
        sure = holm(raw.ravel()).reshape(raw.shape) < ALPHA
        if not sure.any():
            return []
        with np.errstate(divide="ignore", invalid="ignore"):
            item, step = divmod(int(np.nanargmax(np.where(sure, np.abs(value / se), -1))), value.shape[1])
        names, scored = names_of(self.workspace, self.workspace.wave, asked.lang), self._tally.score(items[item])
        facts = {"count": len(items), "item": self.workspace.texts(items[item]), "wave": names[waves[step + 1]],
                 "change": number(float(value[item, step]), SIGNED[scored.kind])}  # fmt: skip
        return [Note(_ELSEWHERE, **facts)[asked.lang]]

    def _code(self, asked: Asked, drawn: Course, at: tuple[int, int]) -> str:
        metric, by = asked["metric"], asked["by"]
        calls = [f"result = cx.trend(survey, {metric!r}{'' if by is None else f', by={by!r}'})"]
        if at[0] != at[1]:
            now, then = (written(drawn.waves[k]) for k in at)
            which = f"{[metric]!r}, wave={now}, before={then}"
            if by is None:
                calls.append(f"change = cx.scorecard(survey, {which})")
            else:
                each = f"survey.where({where_of({by: 'code'})})"
                calls.append(f"changes = [cx.scorecard({each}, {which}) for code in {written(drawn.segments)}]")
        return self.workspace.code(asked.filter, *calls, "result")

    # ------------------------------------------------------------------ what was computed before
    def _trend_key(self, asked: Asked) -> str:
        return repr(("trend", asked["metric"], asked["by"], sorted((k, list(v)) for k, v in asked.filter.items())))

    def _rolled_key(self, asked: Asked) -> str:
        chosen = (asked["outcome"], asked["window"], tuple(asked["drivers"]))
        return repr(("drivers", chosen, sorted((k, list(v)) for k, v in asked.filter.items())))

    def _get(self, key: str) -> Any:
        with self._lock:
            return self._known.get(key)

    def _once(self, key: str, work: Callable[[], Kept]) -> Kept:
        found: Kept | None = self._get(key)
        if found is None:
            found = work()
            with self._lock:
                self._known[key] = found
                while len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        return found


def _texts(en: str, zh: str) -> dict[str, str]:
    return {"en": en, "zh": zh}


_SHOW = _texts("Show", "视图")
_VIEWS: tuple[Option, ...] = (
    ("metric", _texts("A metric", "指标走势")),
    ("drivers", _texts("Drivers over time", "驱动因素逐期变化")),
)
_DRIVERS = _texts("Drivers", "驱动因素")
_METRIC, _BY, _TOTAL = _texts("Metric", "指标"), _texts("By segment", "按细分群体"), _texts("all together", "不分组")
_OUTCOME, _WINDOW = _texts("Outcome", "结果指标"), _texts("Rolling window", "滚动窗口")
_AT = _texts("Compared with – read at", "对比期 – 当前期")
_ONE_WAVE = _texts(
    "The filter leaves one wave; a trend needs two or more: widen the filter of waves.",
    "当前筛选条件下只有一期；趋势至少需要两期：请放宽期次筛选。",
)
_MANY = _texts(
    "{segment} has {count} groups under this filter; up to {most} can be drawn over the waves: choose some in the filter, or band them in study.yml (recoded).",
    "当前筛选条件下“{segment}”有 {count} 个组别，走势图最多绘制 {most} 个：请在筛选中选取部分组别，或在 study.yml（recoded）中合并分组。",
)
_ELSEWHERE = _texts(
    "Of {count} touchpoints looked at besides, {item:in} has the sharpest change: {change} in {wave} (Holm).",
    "另查看 {count} 个触点，变化最显著的是“{item}”：{wave} 变化 {change}（Holm 校正）。",
)
