"""Pictures of the 360 tab: from its numbers to what the browser draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from cxlab import theme
from cxlab.design import t_quantile
from cxlab.words import Note, number
from cxlab.workbench import _layers_words as words
from cxlab.workbench._layers_diagram import placed
from cxlab.workbench._layers_numbers import KINDS, PARTS, Group, Label, Numbers, Row
from cxlab.workbench._tab import ticks

Spec = dict[str, Any]
MOST_HIGH = 9  # rows of constructs that are stacked
BETWEEN = {"en": ", ", "zh": "、"}


@dataclass(frozen=True, eq=False)
class Said:
    """How things are called in the language asked for.

    Attributes
    ----------
    lang : {"en", "zh"}
    label : callable
        Wording of a construct or item.
    by : str
        Wording of the column of groups.
    value : callable
        Wording of a code of it.
    """

    lang: str
    label: Label
    by: str
    value: Any

    def text(self, template: Mapping[str, str], /, **facts: Any) -> str:
        """A wording with its facts."""
        return Note(template, **facts)[self.lang]

    def effect(self, row: Any) -> str:
        """Estimate and interval."""
        return self.text(words.EFFECT, value=row.estimate, low=row.low, high=row.high)

    def hidden(self, group: Group) -> str:
        """What stands in place of numbers."""
        return self.text(words.FEW if group.known else words.NO_MODEL, base=group.base)

    def who(self, group: Group) -> str:
        """A group."""
        return "" if group.code is None else str(self.value(group.code))


def colours(groups: Sequence[Group]) -> dict[Any, str]:
    """Colour of every group."""
    return {g.code: theme.SEQUENCE[k % len(theme.SEQUENCE)] for k, g in enumerate(groups)}


# ------------------------------------------------------------------------------ diagram
def high(edges: tuple[tuple[str, str], ...]) -> int:
    """Rows of a diagram."""
    return 1 + max(row for _, row in placed(edges).values())


def diagram(numbers: Numbers, said: Said) -> Spec:
    """Constructs and their paths, the groups beneath one another."""
    at, rows = placed(numbers.edges), high(numbers.edges)
    nodes: list[Spec] = []
    edges: list[Spec] = []
    for k, group in enumerate(numbers.groups):
        shown = group.grade != "suppressed"
        for name, (column, row) in at.items():
            own = numbers.constructs.get((group.code, name), (np.nan, np.nan))
            text = _under(*own, said) if shown else said.hidden(group)
            label = said.label(name)
            if group.code is not None:
                label = said.text(words.WHO, who=said.who(group), name=label)
            nodes.append({"id": f"{k}:{name}", "label": label, "text": text, "column": column, "row": k * rows + row})
        edges += [_edge(row, k, said) for row in numbers.of("path") if row.segment == group.code]
    return {"kind": "paths", "nodes": nodes, "edges": edges}


def _under(index: float, explained: float, said: Said) -> str:
    parts = [said.text(words.INDEX, v=index)] if np.isfinite(index) else []
    parts += [said.text(words.R2, v=explained)] if np.isfinite(explained) else []
    return " · ".join(parts)


def _edge(row: Row, k: int, said: Said) -> Spec:
    text = said.effect(row)
    return {"source": f"{k}:{row.source}", "target": f"{k}:{row.target}", "value": row.estimate, "low": row.low, "high": row.high, "text": text, "faded": bool(row.low <= 0 <= row.high)}  # fmt: skip


# ------------------------------------------------------------------------------ intervals
def paths(numbers: Numbers, said: Said) -> Spec:
    """Every path, the groups beneath one another."""
    found = {(r.segment, r.source, r.target): r for r in numbers.of("path")}
    hues = colours(numbers.groups)
    rows = [
        {"label": f"{said.label(s)} → {said.label(t)}",
         "marks": [_mark(g, found.get((g.code, s, t)), said) for g in numbers.groups]}
        for s, t in numbers.edges
    ]  # fmt: skip
    series = [{"name": said.who(g), "colour": hues[g.code]} for g in numbers.groups]
    return _intervals(rows, series, said.text(words.AXIS_PATHS))


def effects(numbers: Numbers, target: str, said: Said) -> Spec:
    """Total effects on a construct by group; of everybody also the direct and the indirect part."""
    single = len(numbers.groups) == 1 and numbers.groups[0].code is None
    kinds = KINDS if single else KINDS[:1]
    found = {(r.segment, kind, r.source): r for kind in kinds for r in numbers.of(kind, target)}
    hues = colours(numbers.groups)
    rows = []
    for source in _ordered(numbers.of("total", target)):
        each = [(g, kind, found.get((g.code, kind, source))) for g in numbers.groups for kind in kinds]
        marks = [_mark(g, row, said, kind) for g, kind, row in each if row is not None or g.grade == "suppressed"]
        rows.append({"label": said.label(source), "marks": marks})
    series = (
        [{"name": said.text(words.KINDS[k]), "colour": c} for k, c in zip(kinds, theme.SEQUENCE, strict=False)]
        if single
        else [{"name": said.who(g), "colour": hues[g.code]} for g in numbers.groups]
    )
    return _intervals(rows, series, said.text(words.AXIS_EFFECTS, target=said.label(target)))


def _ordered(rows: Sequence[Row]) -> list[str]:
    """Sources, the largest total effect of any group first."""
    size: dict[str, float] = {}
    for row in rows:
        size[row.source] = max(size.get(row.source, 0.0), abs(row.estimate))
    return sorted(size, key=lambda s: -size[s])


def _mark(group: Group, row: Row | None, said: Said, kind: str | None = None) -> Spec:
    series = said.who(group) if group.code is not None else said.text(words.KINDS[kind]) if kind else ""
    if row is None or group.grade == "suppressed" or not np.isfinite(row.estimate):
        return {"series": series, "hidden": said.hidden(group)}
    text = said.effect(row)
    low = group.grade == "low"
    return {"series": series, "value": row.estimate, "low": row.low, "high": row.high,
            "text": said.text(words.LOW, text=text) if low else text, "faded": low}  # fmt: skip


def _intervals(rows: list[Spec], series: list[Spec], label: str) -> Spec:
    ends = [m[k] for r in rows for m in r["marks"] for k in ("low", "high", "value") if np.isfinite(m.get(k, np.nan))]
    low, high = min([0.0, *ends]), max([0.0, *ends], default=1.0)
    room = 0.04 * ((high - low) or 1.0)
    low, high = low - room * (low < 0), high + room
    axis = {"label": label, "ticks": ticks(low, high, ".1f"), "low": low, "high": high}
    return {"kind": "intervals", "rows": rows, "series": series, "axis": axis, "reference": []}


# ------------------------------------------------------------------------------ importance and performance
def room_map(table: pd.DataFrame, target: str, said: Said) -> Spec:
    """Performance across, what ten points more go with upwards; groups in colours."""
    known = table[(table["reliability"] != "suppressed").to_numpy() & np.isfinite(table["gain"].to_numpy(float))]
    codes = list(dict.fromkeys(table["segment"]))
    hues = {c: theme.SEQUENCE[k % len(theme.SEQUENCE)] for k, c in enumerate(codes)}
    names = known["item"] if "item" in known else known["construct"]
    worst = known.assign(subject=names).sort_values("performance").drop_duplicates("subject").index
    points = []
    for row in known.assign(subject=names).itertuples():
        name = said.label(str(row.subject))
        tip = {f"{p}{e}": _ten(p) * getattr(row, f"{p}{e}") for p in PARTS for e in ("", "_low", "_high")}
        group = None if row.segment is None else str(said.value(row.segment))
        full = name if group is None else said.text(words.WHO, who=group, name=name)
        points.append({
            "label": name if row.Index in worst else "", "x": float(row.performance), "y": float(10 * row.importance),
            "x_low": float(row.performance_low), "x_high": float(row.performance_high), "y_low": float(10 * row.importance_low),
            "y_high": float(10 * row.importance_high), "colour": hues[row.segment], "faded": row.reliability == "low",
            "key": [None if row.segment is None else row.segment, str(row.subject)], "tip": said.text(words.TIP, name=full, **tip),
        })  # fmt: skip
    x, y = _axes(points)
    pull = np.maximum(known["importance"].to_numpy(float), 0)
    cut = float(pull @ known["performance"].to_numpy(float) / pull.sum()) if pull.sum() > 0 else None
    return {
        "kind": "map", "points": points, "series": [{"name": str(said.value(c)), "colour": hues[c]} for c in codes if c is not None],
        "x_axis": {"label": said.text(words.AXIS_PERFORMANCE), "ticks": ticks(*x, "g"), "low": x[0], "high": x[1]},
        "y_axis": {"label": said.text(words.AXIS_IMPORTANCE, target=said.label(target)), "ticks": ticks(*y, "+g"), "low": y[0], "high": y[1]},
        "x_cut": cut, "y_cut": float(10 * known["importance"].mean()) if len(known) else None, "corners": list(words.CORNERS[said.lang]),
    }  # fmt: skip


def _ten(part: str) -> float:
    return 10.0 if part == "importance" else 1.0


def _axes(points: Sequence[Spec]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ends of both axes: everything with its interval, and room for labels."""
    out = []
    for axis, least in (("x", 4.0), ("y", 0.5)):
        values = [p[k] for p in points for k in (axis, f"{axis}_low", f"{axis}_high") if np.isfinite(p[k])]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        if axis == "y" and low < high / 2:
            low = min(low, 0.0)
        room = 0.08 * max(high - low, least)
        out.append((low - room, high + room))
    return out[0], out[1]


# ------------------------------------------------------------------------------ titles
def paths_title(numbers: Numbers, target: str, said: Said) -> str:
    """The finding of a diagram or of paths: the largest total effect, or the path that groups differ in most."""
    shown = numbers.shown
    if not shown:
        effective = max((g.effective for g in numbers.groups), default=0.0)
        return said.text(words.SMALL, effective=effective, target=said.label(target))
    gap = _widest(numbers.of("path"))
    if gap is None:
        return total_title(numbers, target, said)
    more, less, clear = gap
    if not clear:
        return said.text(words.ALIKE, by=said.by)
    return said.text(
        words.APART, by=said.by, source=said.label(more.source), target=said.label(more.target), first=more.estimate, second=less.estimate,
        who=said.value(more.segment), other=said.value(less.segment),
    )  # fmt: skip


def total_title(numbers: Numbers, target: str, said: Said) -> str:
    """The finding of total effects."""
    rows = numbers.of("total", target)
    if not rows:
        effective = max((g.effective for g in numbers.groups), default=0.0)
        return said.text(words.SMALL, effective=effective, target=said.label(target))
    gap = _widest(rows)
    if gap is not None:
        more, less, clear = gap
        if not clear:
            return said.text(words.ALIKE_TOTAL, by=said.by, target=said.label(target))
        return said.text(
            words.APART_TOTAL, by=said.by, target=said.label(target), source=said.label(more.source), first=more.estimate,
            second=less.estimate, who=said.value(more.segment), other=said.value(less.segment),
        )  # fmt: skip
    top = max(rows, key=lambda r: abs(r.estimate))
    clear = not top.low <= 0 <= top.high
    return said.text(
        words.STRONGEST if clear else words.UNCLEAR, target=said.label(target), source=said.label(top.source), value=top.estimate,
        low=top.low, high=top.high,
    )  # fmt: skip


def _widest(rows: Sequence[Row]) -> tuple[Row, Row, bool] | None:
    """Of which path two groups lie farthest apart, among the clear gaps if there are any; None with one group.

    Clear: beyond what Bonferroni allows over all paths and pairs of groups, standard errors read off the intervals.
    """
    gaps = []
    for pair in dict.fromkeys((r.source, r.target) for r in rows):
        each = [r for r in rows if (r.source, r.target) == pair and np.isfinite(r.estimate)]
        gaps += [(a, b) if a.estimate >= b.estimate else (b, a) for a, b in combinations(each, 2)]
    if not gaps:
        return None
    limit = float(t_quantile(1 - 0.05 / len(gaps), np.inf))
    clear = [(a, b) for a, b in gaps if a.estimate - b.estimate > limit * _error(a, b)]
    more, less = max(clear or gaps, key=lambda g: g[0].estimate - g[1].estimate)
    return more, less, bool(clear)


def _error(one: Row, other: Row) -> float:
    """Standard error of a difference, from both 95 % intervals."""
    return float(np.hypot(one.high - one.low, other.high - other.low) / (2 * t_quantile(0.95, np.inf)))


def map_title(table: pd.DataFrame, target: str, said: Said) -> str:
    """The finding of a map: the largest potential gain, of every group."""
    known = table[(table["reliability"] != "suppressed").to_numpy() & np.isfinite(table["gain"].to_numpy(float))]
    if known.empty:
        effective = float(table["base_effective"].max()) if "base_effective" in table else 0.0
        return said.text(words.SMALL, effective=effective, target=said.label(target))
    name = "item" if "item" in known else "construct"
    top = known.loc[known.groupby("segment", dropna=False, sort=False)["gain"].idxmax()]
    if top["segment"].isna().all():
        row = top.iloc[0]
        count = int(row.get("near", 0))
        more = {"count": count} if count else {}
        return said.text(
            words.GAIN_OPEN if count else words.GAIN, target=said.label(target), name=said.label(row[name]), gain=row["gain"], **more
        )  # fmt: skip
    listed = [f"{said.value(r['segment'])} – {number(said.label(r[name]), 'in')}" for _, r in top.iterrows()]
    shown = BETWEEN[said.lang].join(listed[:4]) + (" …" if len(listed) > 4 else "")
    return said.text(words.GAIN_GROUPS, target=said.label(target), by=said.by, listed=shown)
