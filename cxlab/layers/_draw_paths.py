"""Picture of a path model: constructs as boxes, paths as arrows with coefficient and interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from cxlab import theme
from cxlab.charts import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.layers._result import PathModelResult

Node = str | tuple[str, str, int]  # a construct, or a bend of a long arrow in a column that it crosses
_WIDE, _HIGH = 1.0, 0.62  # of a box; columns are 2.5 apart, rows at least 1.15
_COLUMN, _ROW, _BEND = 2.5, 1.15, 0.8
_SWEEPS = 60
_WORDS = {
    "index": {"en": "index {v:.0f}", "zh": "指数 {v:.0f}"},
    "explained": {"en": "R² {v:.2f}", "zh": "R² {v:.2f}"},
    "legend": {
        "en": "Standardised paths with {level} intervals; dashed: not told apart from zero. Index: mean on 0–100.",
        "zh": "标准化路径系数及 {level} 区间；虚线：无法与零区分。指数：0–100 的均值。",
    },
    "points": {"en": "Standardised paths. Index: mean on 0–100.", "zh": "标准化路径系数。指数：0–100 的均值。"},
}


def draw(result: PathModelResult, ax: Axes | None, lang: str) -> Axes:
    """Draw the constructs in columns, each to the right of what leads to it."""
    table = result.table
    edges = list(zip(table["source"], table["target"], strict=True))
    columns = _columns(edges)
    places = _placed(columns, edges)
    high = max(y for _, y in places.values()) - min(y for _, y in places.values())
    ax = ax or new_axes(max(7.8, 1.3 + 1.75 * (1 + max(columns.values()))), 1.6 + 0.75 * (high + 1))
    boxes: list[tuple[float, ...]] = [(*places[n], _WIDE, _HIGH) for n in columns]
    for row in table.itertuples():
        _arrow(ax, row, [places[n] for n in _way(str(row.source), str(row.target), columns)], boxes)
    for name in columns:
        _box(ax, result, name, (places[name], lang))
    _frame(ax, places)
    words = _WORDS["points" if result.draws is None else "legend"][lang].format(level=result.said_level)
    ax.annotate(
        words, (0, 0), xytext=(0, -6), xycoords="axes fraction", textcoords="offset points", va="top", fontsize=8.5,
        color=theme.NEUTRAL,
    )  # fmt: skip
    ax.set_title(_title(result, lang), loc="left")
    return ax


def _title(result: PathModelResult, lang: str) -> str:
    """The finding: the strongest path to each last construct's way."""
    said = result.sentences(lang)
    text = said[0].text if len(said) else result.text(result.title, lang)
    width = 92 if lang == "en" else 48
    first = text.split(". ")[0] + ("." if lang == "en" and not text.split(". ")[0].endswith(".") else "")
    return "\n".join(wrap(first if lang == "en" else text.split("。")[0], width))


# ------------------------------------------------------------------------------ where things stand
def _columns(edges: list[tuple[str, str]]) -> dict[str, int]:
    """Column of each construct: one to the right of the last of what leads to it."""
    names = list(dict.fromkeys(n for edge in edges for n in edge))
    out = dict.fromkeys(names, 0)
    for _ in names:
        for start, end in edges:
            out[end] = max(out[end], out[start] + 1)
    for name in names:  # what has no cause stands just before what it leads to
        if name not in {end for _, end in edges}:
            out[name] = min(out[end] for start, end in edges if start == name) - 1
    return out


def _way(start: str, end: str, columns: Mapping[str, int]) -> list[Node]:
    """An arrow's nodes: its ends, and a bend in every column between."""
    return [start, *((start, end, c) for c in range(columns[start] + 1, columns[end])), end]


def _placed(columns: Mapping[str, int], edges: list[tuple[str, str]]) -> dict[Node, tuple[float, float]]:
    """Place of every node: near its neighbours, none on another (Sugiyama's layers)."""
    ways = [_way(start, end, columns) for start, end in edges]
    links: dict[Node, list[Node]] = {}
    for way in ways:
        for a, b in pairwise(way):
            links.setdefault(a, []).append(b)
            links.setdefault(b, []).append(a)
    column = {n: columns[n] if isinstance(n, str) else n[2] for n in links}
    layers: dict[int, list[Node]] = {}
    for node in sorted(links, key=lambda n: (isinstance(n, str), str(n))):
        layers.setdefault(column[node], []).append(node)
    best: tuple[float, dict[Node, float]] | None = None
    for flip in (1, -1):
        y = {n: flip * _ROW * (k - (len(layer) - 1) / 2) for layer in layers.values() for k, n in enumerate(layer)}
        for _ in range(_SWEEPS):
            for layer in layers.values():
                _settle(layer, y, links)
        cost = sum(abs(y[a] - y[b]) for way in ways for a, b in pairwise(way)) + 3 * _crossings(ways, y)
        if best is None or cost < best[0]:
            best = (cost, dict(y))
    heights = best[1] if best else {}
    return {n: (_COLUMN * column[n], heights[n]) for n in links}


def _settle(layer: list[Node], y: dict[Node, float], links: Mapping[Node, list[Node]]) -> None:
    """Move the nodes of a column to the middle of their neighbours, then apart."""
    wanted = {n: float(np.mean([y[m] for m in links[n]])) for n in layer}
    layer.sort(key=lambda n: wanted[n])
    spots: list[float] = []
    for k, node in enumerate(layer):
        gap = _ROW if isinstance(node, str) or (k and isinstance(layer[k - 1], str)) else _BEND
        spots.append(wanted[node] if not k else max(wanted[node], spots[-1] + gap))
    shift = float(np.mean([wanted[n] for n in layer]) - np.mean(spots))
    for node, spot in zip(layer, spots, strict=True):
        y[node] = spot + shift


def _crossings(ways: list[list[Node]], y: Mapping[Node, float]) -> int:
    """Pairs of arrow pieces between the same columns that cross."""
    pieces: dict[Any, list[tuple[float, float]]] = {}
    for way in ways:
        for k, (a, b) in enumerate(pairwise(way)):
            pieces.setdefault(way[0] if not k else a, []).append((y[a], y[b]))
    flat = [p for part in pieces.values() for p in part]
    return sum((a[0] - b[0]) * (a[1] - b[1]) < -1e-9 for i, a in enumerate(flat) for b in flat[:i])


# ------------------------------------------------------------------------------ drawing
def _box(ax: Axes, result: PathModelResult, name: str, where: tuple[tuple[float, float], str]) -> None:
    from matplotlib.patches import FancyBboxPatch

    (x, y), lang = where
    product = ":" in name
    ax.add_patch(FancyBboxPatch(
        (x - _WIDE / 2, y - _HIGH / 2), _WIDE, _HIGH, boxstyle="round,pad=0.1,rounding_size=0.12", facecolor="white" if product else theme.BAND,
        edgecolor=theme.NEUTRAL, linestyle=":" if product else "-", zorder=3,
    ))  # fmt: skip
    label = "\n".join(wrap(result.label(name, lang), 13 if lang == "en" else 7))
    rows = result.constructs.set_index("construct")
    under = []
    if name in rows.index:
        row = rows.loc[name]
        if np.isfinite(row["index"]):
            under.append(_WORDS["index"][lang].format(v=row["index"]))
        if np.isfinite(row["r_squared"]):
            under.append(_WORDS["explained"][lang].format(v=row["r_squared"]))
    up = 0.14 if under else 0.0
    ax.text(x, y + up, label, ha="center", va="center", fontsize=9, weight="bold", zorder=4, linespacing=0.95)
    ax.text(x, y - 0.25, "\n".join(under[:1]) + ("  " + under[1] if under[1:] else ""), ha="center", va="center", fontsize=7.2,
            zorder=4)  # fmt: skip


def _arrow(ax: Axes, row: Any, points: list[tuple[float, float]], boxes: list[tuple[float, ...]]) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    shown = not (np.isfinite(row.low) and row.low <= 0 <= row.high)
    colour = theme.NEUTRAL if not shown else theme.GOOD if row.estimate > 0 else theme.BAD
    curve = _curve(points)
    codes = [Path.MOVETO] + [Path.LINETO] * (len(curve) - 1)
    ax.add_patch(FancyArrowPatch(
        path=Path(curve, codes), arrowstyle="-|>", mutation_scale=12, color=colour, linewidth=0.8 + 3.2 * min(abs(row.estimate), 1),
        linestyle="-" if shown else (0, (4, 3)), zorder=2, shrinkA=0, shrinkB=0,
    ))  # fmt: skip
    text = _number(row.estimate)
    if np.isfinite(row.low):
        text += (
            f"\n{_number(row.low)} – {_number(row.high)}"
            if row.low < 0
            else f"\n{_number(row.low)}–{_number(row.high)}"
        )
    x, y = _free(curve, boxes)
    boxes.append((x, y, 0.62, 0.42))
    ax.text(x, y, text, ha="center", va="center", fontsize=7.6, color=colour if shown else theme.INK, zorder=5, linespacing=1.0,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.9})  # fmt: skip


def _number(value: float) -> str:
    return (
        f"{value:.2f}".replace("-0.", "−.").replace("0.", ".", 1)
        if abs(value) < 1
        else f"{value:.2f}".replace("-", "−")
    )


def _curve(points: list[tuple[float, float]]) -> np.ndarray:
    """A smooth line from the right side of the first box to the left side of the last, level at its ends."""
    from scipy.interpolate import PchipInterpolator

    at = np.array(points, dtype=float)
    at[0, 0] += _WIDE / 2 + 0.1
    at[-1, 0] -= _WIDE / 2 + 0.14
    x = np.linspace(at[0, 0], at[-1, 0], 60)
    if len(at) == 2:
        t = (x - x[0]) / (x[-1] - x[0])
        y = at[0, 1] + (at[1, 1] - at[0, 1]) * (0.5 * t + 0.5 * t**2 * (3 - 2 * t))
    else:
        y = PchipInterpolator(at[:, 0], at[:, 1])(x)
    return np.column_stack([x, y])


def _free(curve: np.ndarray, boxes: list[tuple[float, ...]]) -> tuple[float, float]:
    """Spot on an arrow that covers the least of what is drawn already."""
    best = (np.inf, (0.0, 0.0))
    for share in (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82):
        x, y = curve[int(share * (len(curve) - 1))]
        covered = sum(_overlap((x, y), box) for box in boxes) + 0.02 * abs(share - 0.5)
        if covered < best[0]:
            best = (covered, (float(x), float(y)))
    return best[1]


def _overlap(at: tuple[float, float], box: tuple[float, ...]) -> float:
    wide = min(at[0] + 0.36, box[0] + box[2] / 2 + 0.1) - max(at[0] - 0.36, box[0] - box[2] / 2 - 0.1)
    high = min(at[1] + 0.24, box[1] + box[3] / 2 + 0.08) - max(at[1] - 0.24, box[1] - box[3] / 2 - 0.08)
    return max(wide, 0) * max(high, 0)


def _frame(ax: Axes, places: Mapping[Node, tuple[float, float]]) -> None:
    spots: Iterator[tuple[float, float]] = iter(places.values())
    at = np.array(list(spots))
    spare = max(0.0, (3 * _COLUMN - np.ptp(at[:, 0]) - 1.6) / 2)  # few columns are not stretched over the width
    ax.set_xlim(at[:, 0].min() - 0.8 - spare, at[:, 0].max() + 0.8 + spare)
    ax.set_ylim(at[:, 1].min() - 0.65, at[:, 1].max() + 0.65)
    ax.set_axis_off()
