"""Pictures of the what-if tab: a panel per outcome with an axis of its own, or the best set within a budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from cxlab.drivers import WhatIfResult
from cxlab.result import reliability
from cxlab.theme import ACCENT, GOOD
from cxlab.words import number
from cxlab.workbench import _what_if_words as words
from cxlab.workbench._tab import Asked, Texts, ticks
from cxlab.workbench._what_if_measures import Measure

FloatArray = np.ndarray[Any, np.dtype[Any]]
TOGETHER = "together"
MOST_ROWS = 8  # contributions drawn in a panel
_SERIES = [{"name": "", "colour": ACCENT}, {"name": "", "colour": GOOD}]  # all together, one driver
_LEAST = 0.15  # part of the longer side of an axis that the shorter has


@dataclass(frozen=True, eq=False)
class Part:
    """What is expected of one outcome.

    Attributes
    ----------
    measure : Measure
    names : tuple of str
        Drivers that move and, last, ``"together"``; empty where the base is too small.
    columns : mapping of column to array of shape (names,)
        As :func:`cxlab.what_if` has them.
    base, effective : int, float
    """

    measure: Measure
    names: tuple[str, ...]
    columns: Mapping[str, FloatArray]
    base: int
    effective: float

    @cached_property
    def grade(self) -> str:
        """How much the base carries: "ok", "low" or "suppressed"."""
        return str(reliability(min(self.base, self.effective)))

    @property
    def hidden(self) -> bool:
        """Whether there are too few respondents for any number."""
        return self.grade == "suppressed"

    def last(self, column: str) -> float:
        """A number of all changes together."""
        return float(self.columns[column][-1])

    @property
    def clear(self) -> bool:
        """Whether all changes together differ from none."""
        return bool(self.last("low") > 0 or self.last("high") < 0)


@dataclass(frozen=True, eq=False)
class Scene:
    """What surrounds the numbers.

    Attributes
    ----------
    asked : Asked
    labels : mapping of driver to wording
    moved : mapping of driver to points
    who : str
        The filter in words.
    drivers : int
        Of the model.
    """

    asked: Asked
    labels: Mapping[str, Texts]
    moved: Mapping[str, float]
    who: str
    drivers: int

    def name(self, driver: str, spec: str = "") -> str:
        """Label of a driver."""
        return number(self.asked.text(self.labels[driver]), spec)

    def step(self, driver: str, points: float, spec: str = "") -> str:
        """A driver and what it moves by."""
        return f"{self.name(driver, spec)} {number(points, '+g')}"


def panels(scene: Scene, parts: Sequence[Part], note: str) -> dict[str, Any]:
    """A panel for each outcome: heading from now to then, rows of contributions."""
    asked = scene.asked
    shown = [p for p in parts if not p.hidden]
    count = max((len(p.names) - 1 for p in shown), default=0)
    join = "；" if asked.lang == "zh" else " "
    notes = [note, asked.text(words.NOTES["association"]), asked.text(words.NOTES["axes"])]
    if count > MOST_ROWS:
        notes.append(asked.text(words.NOTES["most"], shown=MOST_ROWS, count=count))
    if any(p.grade == "low" for p in shown):
        notes.append(asked.text(words.NOTES["low"]))
    listed = _and(asked).join(asked.text(words.SIZE, measure=p.measure.short, base=p.base) for p in parts)
    return {
        "kind": "panels",
        "title": _title(scene, shown),
        "subtitle": asked.text(words.SUBTITLE, who=scene.who, count=scene.drivers, bases=listed),
        "note": "".join(notes) if asked.lang == "zh" else join.join(notes),
        "panels": [_panel(scene, p) for p in parts],
    }


def _and(asked: Asked) -> str:
    return "、" if asked.lang == "zh" else ", "


def changes_said(scene: Scene) -> str:
    """What moves, in words."""
    if len(scene.moved) > 3:
        return scene.asked.text(words.MANY, count=len(scene.moved))
    return _and(scene.asked).join(scene.step(d, c, "in") for d, c in scene.moved.items())


def _title(scene: Scene, parts: Sequence[Part]) -> str:
    asked = scene.asked
    said = [
        asked.text(words.STEP, measure=p.measure.short, before=p.measure.level(p.last("before")), after=p.measure.reach(p.last("after")))
        if p.clear else asked.text(words.UNSURE, measure=p.measure.short)
        for p in parts
    ]  # fmt: skip
    return asked.text(words.FOUND, changes=changes_said(scene), found=_and(asked).join(said))


def _panel(scene: Scene, part: Part) -> dict[str, Any]:
    asked, measure = scene.asked, part.measure
    if part.hidden:
        small, facts = (words.HEADING_SMALL, {"effective": part.effective}) if part.base else (words.HEADING_NONE, {})
        heading = asked.text(small, measure=measure.labels, **facts)
        return {"heading": heading, "rows": [], "series": _SERIES, "axis": {"ticks": [], "low": 0, "high": 1}}
    ends = {k: measure.reach(part.last(k)) for k in ("before", "after")}
    rows = [_row(scene, part, j) for j in _drawn(part)]
    return {
        "heading": asked.text(words.HEADING, measure=measure.labels, **ends),
        "rows": rows,
        "series": _SERIES,
        "axis": _axis(asked, measure.kind, part.columns["low"], part.columns["high"]),
    }


def _drawn(part: Part) -> list[int]:
    """Rows that are drawn: all together first, then the largest contributions in their order."""
    own = len(part.names) - 1
    if own == 1:
        return [0]
    size = np.abs(part.columns["estimate"][:own])
    kept = np.sort(np.argsort(-size, kind="stable")[:MOST_ROWS])
    return [own, *(int(j) for j in kept)]


def _row(scene: Scene, part: Part, j: int) -> dict[str, Any]:
    asked, measure, columns = scene.asked, part.measure, part.columns
    name, total = part.names[j], part.names[j] == TOGETHER
    value, low, high = (float(columns[c][j]) for c in ("estimate", "low", "high"))
    text = interval(asked, measure, value, low, high)
    if total:
        label = asked.text(words.TOGETHER)
        ends = {k: measure.level(part.last(k)) for k in ("before", "after")}
        tip = asked.text(words.TIP_ALL, text=text, **ends)
    else:
        label = scene.step(name, float(columns["change"][j]))
        effect = measure.gain(float(columns["effect"][j]), asked.lang, fine=True)
        effective = float(columns["effective_change"][j])
        tip = asked.text(words.TIP, driver=scene.labels[name], change=float(columns["change"][j]), effective=effective, effect=effect, text=text)  # fmt: skip
    mark = {
        "series": 0 if total or len(part.names) == 2 else 1,
        "value": value,
        "low": low,
        "high": high,
        "text": text,
        "faded": part.grade == "low",
    }
    return {"label": label, "tip": tip, "marks": [mark]}


def interval(asked: Asked, measure: Measure, value: float, low: float, high: float, *, fine: bool = False) -> str:
    """A change with its interval."""
    plain = {k: measure.gain(v, asked.lang, unit=False, fine=fine) for k, v in (("low", low), ("high", high))}
    return asked.text(words.MARK, value=measure.gain(value, asked.lang, fine=fine), **plain)


def _axis(asked: Asked, kind: str, low: FloatArray, high: FloatArray) -> dict[str, Any]:
    """An axis about nought whose ends are round, so that it stands still while a slider moves a little."""
    down, up = _round(-float(np.min(low))), _round(float(np.max(high)))
    least = _LEAST * max(down, up, 1e-9)
    ends = -max(down, least), max(up, least)
    times = 100 if kind == "share" else 1
    places = [{**t, "at": t["at"] / times} for t in ticks(ends[0] * times, ends[1] * times, "+g")]
    return {"label": asked.text(words.AXES[kind]), "ticks": places, "low": ends[0], "high": ends[1]}


def _round(reach: float) -> float:
    """The next of 1, 1.5, 2, 3, 4, 5, 6, 8, 10 × a power of ten."""
    if not reach > 0:
        return 0.0
    size = 10.0 ** np.floor(np.log10(reach))
    return float(size * next(s for s in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if s * size >= reach * (1 - 1e-9)))


def _records(table: pd.DataFrame) -> Iterator[Any]:
    return table.itertuples(index=False)


def best_set(scene: Scene, measure: Measure, result: WhatIfResult) -> dict[str, Any]:
    """What the best set within a budget is expected to bring, on the data that chose it and on others."""
    asked, plan = scene.asked, result.plan.iloc[0]
    table = result.table
    chosen = table[(table["driver"] != TOGETHER) & (table["change"] != 0)]
    rows = []
    for r in _records(chosen):
        text = interval(asked, measure, r.estimate, r.low, r.high)
        tip = asked.text(words.PLAN_TIP, driver=scene.labels[r.driver], cost=r.cost, chosen=r.chosen, text=text)
        mark = {
            "series": 1,
            "value": r.estimate,
            "low": r.low,
            "high": r.high,
            "text": text,
            "faded": r.reliability == "low",
        }
        rows.append({"label": scene.step(r.driver, r.change), "tip": tip, "marks": [mark]})
    naive = table.iloc[-1]
    for label, value, low, high in (
        (words.NAIVE, naive["estimate"], naive["low"], naive["high"]),
        (words.HONEST, plan["honest"], plan["low"], plan["high"]),
    ):
        text = interval(asked, measure, value, low, high)
        rows.append(
            {
                "label": asked.text(label),
                "marks": [
                    {
                        "series": 0,
                        "value": value,
                        "low": low,
                        "high": high,
                        "text": text,
                        "faded": naive["reliability"] == "low",
                    }
                ],
            }
        )
    low = np.append(table["low"].to_numpy(), plan["low"])
    high = np.append(table["high"].to_numpy(), plan["high"])
    listed = _and(asked).join(scene.step(r.driver, r.change, "in") for r in _records(chosen))
    said = words.PLAN if len(chosen) else words.NO_PLAN
    facts = {"budget": float(plan["budget"]), "measure": measure.short} | ({"changes": listed} if len(chosen) else {})
    who = {"who": scene.who, "spent": float(plan["spent"]), "base": result.base.respondents}
    note = [
        asked.text(words.NOTES["bootstrap"], replicates=len(result.replicates)),
        asked.text(words.NOTES["association"]),
        *([asked.text(words.NOTES["low"])] if naive["reliability"] == "low" else []),
    ]
    return {
        "kind": "intervals",
        "title": asked.text(said, **facts),
        "subtitle": asked.text(words.SPENT, budget=float(plan["budget"]), **who),
        "note": ("" if asked.lang == "zh" else " ").join(note),
        "series": _SERIES,
        "rows": rows,
        "axis": _axis(asked, measure.kind, low, high),
    }
