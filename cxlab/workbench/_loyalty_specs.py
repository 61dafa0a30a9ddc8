"""Pictures of the loyalty tab: the curve with its threshold and zones, and the four types of customer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlab import theme
from cxlab.loyalty import LoyaltyLinkResult, LoyaltyMapResult, MovingCurve
from cxlab.words import Note, number
from cxlab.workbench import _loyalty_words as words
from cxlab.workbench._tab import ticks

Spec = dict[str, Any]
ZONE_COLOURS = {"defection": theme.BAD, "indifference": theme.NEUTRAL, "affection": theme.SEQUENCE[2]}
_TICKED = 12  # answers up to which each has a tick


@dataclass(frozen=True, eq=False)
class Part:
    """The curve of everybody (code None) or of a group.

    Attributes
    ----------
    code : number, str or None
    points : DataFrame
        ``point, estimate, low, high, base, reliability``.
    smooth : DataFrame
        ``point, smooth`` and, at rest, ``smooth_low, smooth_high``.
    zones : mapping of zone to share
    line : (x, y) or None
        The bent line, or the straight one.
    bent : bool
    threshold : (at, low, high) or None
    """

    code: Any
    points: pd.DataFrame
    smooth: pd.DataFrame
    zones: Mapping[str, float]
    line: tuple[np.ndarray, np.ndarray] | None = None
    bent: bool = False
    threshold: tuple[float, float, float] | None = None

    @property
    def usable(self) -> pd.DataFrame:
        """Points with a base that may be seen."""
        return self.points[(self.points["reliability"] != "suppressed").to_numpy()]


@dataclass(frozen=True, eq=False)
class Said:
    """How things are called in the language asked for."""

    lang: str
    satisfaction: str
    loyalty: str
    binary: bool
    value: Any

    def text(self, template: Mapping[str, str], /, **facts: Any) -> str:
        """A wording with its facts."""
        return Note(template, **facts)[self.lang]

    def number(self, value: float) -> str:
        """A share or a mean."""
        return number(value, ".0%" if self.binary else ".2f")


def parts_of(result: LoyaltyLinkResult) -> list[Part]:
    """Curves of a result."""
    out = []
    for row in result.threshold.to_dict("records"):
        code = None if result.key is None else row[result.key]
        table, smooth, zones = (
            t if result.key is None else t[(t[result.key] == code).to_numpy()]
            for t in (result.table, result.smooth, result.zones)
        )
        own = zones[(zones["shift"] == 0).to_numpy()]
        bent = bool(np.isfinite(row["threshold"]))
        line = _line(table, row, result.binary) if np.isfinite(row["intercept"]) and len(table) else None
        found = (row["threshold"], row["low"], row["high"]) if bent else None
        out.append(Part(code, table, smooth, dict(zip(own["zone"], own["share"], strict=True)), line, bent, found))
    return out


def _records(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


def part_now(code: Any, found: MovingCurve) -> Part:
    """Curve of the cube."""
    return Part(code, found.points, found.smooth, found.zones)


def _line(table: pd.DataFrame, row: Mapping[Any, Any], binary: bool) -> tuple[np.ndarray, np.ndarray]:
    usable = table.loc[(table["reliability"] != "suppressed").to_numpy(), "point"]
    ends = usable if len(usable) > 1 else table["point"]
    x = np.linspace(ends.min(), ends.max(), 61)
    bent = np.isfinite(row["threshold"])
    if bent:
        x = np.sort(np.append(x, row["threshold"]))
    y = row["intercept"] + (row["slope_below"] if bent else row["slope"]) * x
    y = y + row["bend"] * np.maximum(x - row["threshold"], 0) if bent else y
    return x, 1 / (1 + np.exp(-y)) if binary else y


# ------------------------------------------------------------------------------ the curve
def curve(parts: Sequence[Part], cuts: tuple[float, float], said: Said) -> Spec:
    """Smooth curves and what was observed; with one curve also the line and the band of its threshold."""
    single = len(parts) == 1 and parts[0].code is None
    series: list[Spec] = []
    for k, part in enumerate(parts):
        hue = theme.SEQUENCE[0] if single else theme.SEQUENCE[k % len(theme.SEQUENCE)]
        name = said.text(words.SMOOTH) if single else str(said.value(part.code))
        series.append(_smooth(part, name, hue))
        series += _dots(part, hue, said, single)
        if single and part.line is not None:
            label = words.BENT if part.bent else words.SLOPE if said.binary else words.STRAIGHT
            x, y = part.line
            series.append(
                {
                    "name": said.text(label),
                    "colour": theme.INK,
                    "x": x.tolist(),
                    "y": y.tolist(),
                    "low": [],
                    "high": [],
                    "dots": False,
                }
            )
    points = np.unique(np.concatenate([p.points["point"].to_numpy(dtype=float) for p in parts]))
    low, high = float(points.min()), float(points.max())
    whole = bool((points == np.round(points)).all())  # answers, and not means of bins
    room = 0.5 * float(np.median(np.diff(points))) if len(points) > 1 else 1.0
    each = [{"at": float(p), "text": number(float(p), "g")} for p in points]
    x_axis = {"label": said.satisfaction, "low": low - room, "high": high + room,
              "ticks": each if whole and len(points) <= _TICKED else ticks(low, high, "g")}  # fmt: skip
    ends = (low - room, high + room, room if whole else 0.0)
    return {
        "kind": "curve", "series": [s for s in series if s["x"]], "bands": _bands(parts, cuts, ends, said),
        "lines": _lines(parts, said), "x_axis": x_axis, "y_axis": _heights(series, said),
    }  # fmt: skip


def _smooth(part: Part, name: str, hue: str) -> Spec:
    usable = part.usable["point"]
    if len(usable) < 2:
        return {"name": name, "colour": hue, "x": [], "y": [], "low": [], "high": [], "dots": False}
    inside = part.smooth[part.smooth["point"].between(usable.min(), usable.max())]
    known = "smooth_low" in inside and bool(inside["smooth_low"].notna().all())
    ends = [inside[c].tolist() if known else [] for c in ("smooth_low", "smooth_high")]
    return {"name": name, "colour": hue, "x": inside["point"].tolist(), "y": inside["smooth"].tolist(), "low": ends[0], "high": ends[1],
            "dots": False}  # fmt: skip


def _dots(part: Part, hue: str, said: Said, single: bool) -> list[Spec]:
    """What was observed at each answer; pale where the base is low."""
    out = []
    for grade, label in (("ok", words.OBSERVED), ("low", words.PALE)):
        rows = part.points[(part.points["reliability"] == grade).to_numpy()]
        tips = [
            said.text(words.DOT, value=said.number(r.estimate), low=said.number(r.low), high=said.number(r.high), base=int(r.base))
            for r in _records(rows)
        ]  # fmt: skip
        name = said.text(label) if single else ""
        out.append({"name": name, "colour": hue, "x": rows["point"].tolist(), "y": rows["estimate"].tolist(), "low": rows["low"].tolist(),
                    "high": rows["high"].tolist(), "dots": True, "line": False, "faded": grade == "low", "texts": tips,
                    "tips": tips, "key": part.code})  # fmt: skip
    return out


def _bands(
    parts: Sequence[Part], cuts: tuple[float, float], ends: tuple[float, float, float], said: Said
) -> list[Spec]:
    """The three zones, with their shares where there is one curve, and the interval of its threshold."""
    single = len(parts) == 1
    edges = [ends[0], cuts[0] - ends[2], cuts[1] - ends[2], ends[1]]
    out = []
    for (zone, hue), low, high in zip(ZONE_COLOURS.items(), edges[:-1], edges[1:], strict=True):
        name = words.ZONES[zone][said.lang]
        label = (
            said.text(words.ZONE, zone=name, share=parts[0].zones[zone])
            if single
            else said.text(words.ZONE_ALONE, zone=name)
        )
        if high > low:
            out.append({"low": low, "high": high, "label": label, "colour": hue})
    if single and parts[0].threshold is not None:
        _, low, high = parts[0].threshold
        out.append({"low": low, "high": high, "label": "", "colour": theme.ACCENT})
    return out


def _lines(parts: Sequence[Part], said: Said) -> list[Spec]:
    out = []
    for part in parts:
        if part.threshold is None:
            continue
        at, low, high = part.threshold
        label = (
            said.text(words.THRESHOLD, at=at, low=low, high=high)
            if part.code is None
            else said.text(words.THRESHOLD_OF, who=str(said.value(part.code)), at=at)
        )
        out.append({"at": at, "label": label})
    return out


def _heights(series: Sequence[Spec], said: Said) -> Spec:
    values = [v for s in series for key in ("y", "low", "high") for v in s[key] if np.isfinite(v)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = 0.06 * ((high - low) or 1.0)
    low, high = low - room, high + room
    if said.binary:
        low, high = max(low, 0.0), min(high, 1.0)
    label = said.text(words.SHARE_OF if said.binary else words.MEAN_OF, item=said.loyalty)
    return {"label": label, "ticks": ticks(low, high, ".0%" if said.binary else "g"), "low": low, "high": high}


def curve_title(parts: Sequence[Part], said: Said) -> str:
    """From where to where loyalty goes between the outermost answers with a base."""
    facts = {"satisfaction": said.satisfaction, "loyalty": said.loyalty}
    shown = [p for p in parts if len(p.usable) > 1]
    if not shown:
        return said.text(words.SMALL, **facts)
    low = max(float(p.usable["point"].min()) for p in shown)
    high = min(float(p.usable["point"].max()) for p in shown)
    pairs = []
    for part in shown:
        own = part.usable.set_index("point")["estimate"]
        if low in own.index and high in own.index:
            ends = {"first": said.number(float(own[low])), "last": said.number(float(own[high]))}
            if part.code is None:
                return said.text(words.RISES, **facts, **ends, low=low, high=high)
            pairs.append(said.text(words.FROM_TO, who=str(said.value(part.code)), **ends))
    listed = ("；" if said.lang == "zh" else "; ").join(pairs[:4]) + (" …" if len(pairs) > 4 else "")
    return said.text(words.RISES_GROUPS, **facts, low=low, high=high, listed=listed)


# ------------------------------------------------------------------------------ the four types
def types(result: LoyaltyMapResult, said: Said) -> Spec:
    """Shares of the four types, the groups beneath one another."""
    table = result.table if result.key else result.table.assign(segment=None)
    codes = list(dict.fromkeys(table["segment"]))
    hues = {c: theme.SEQUENCE[k % len(theme.SEQUENCE)] for k, c in enumerate(codes)}
    rows: list[Spec] = []
    for kind in map(str, dict.fromkeys(table["type"])):
        name = said.text(words.TYPE, name=result.label(kind, said.lang, "type"), said=words.TYPE_SAID[kind])
        own = table[(table["type"] == kind).to_numpy()]
        rows.append({"label": name, "marks": [_mark(r, said) for r in _records(own)]})
    ends = [m["high"] for r in rows for m in r["marks"] if "high" in m]
    high = min(1.0, max(ends, default=1.0) * 1.06)
    axis = {"label": said.text(words.AXIS_TYPES), "ticks": ticks(0.0, high, ".0%"), "low": 0.0, "high": high}
    series = [{"name": "" if c is None else str(said.value(c)), "colour": hues[c]} for c in codes]
    return {"kind": "intervals", "rows": rows, "series": series, "axis": axis, "reference": []}


def _mark(row: Any, said: Said) -> Spec:
    series = "" if row.segment is None else str(said.value(row.segment))
    if row.reliability == "suppressed":
        return {"series": series, "hidden": said.text(words.HIDDEN, base=int(row.base))}
    text = said.text(words.INTERVAL, value=row.estimate, low=row.low, high=row.high)
    low = row.reliability == "low"
    return {"series": series, "value": float(row.estimate), "low": float(row.low), "high": float(row.high),
            "text": said.text(words.LOW, text=text) if low else text, "faded": low}  # fmt: skip
