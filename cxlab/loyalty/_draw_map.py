"""Pictures of a loyalty map: the four fields, the types of every group, and their switching cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import charts, theme
from cxlab.loyalty._map_sides import TYPES
from cxlab.loyalty._map_words import TYPE_WORDS
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.loyalty._map_result import LoyaltyMapResult

COLOURS = {"loyalist": "#0072B2", "hostage": "#E69F00", "mercenary": "#56B4E9", "defector": "#D55E00"}
_ON = {"loyalist": "white", "hostage": theme.INK, "mercenary": theme.INK, "defector": "white"}
_TELL = 0.055  # share of a bar under which it has no number
_WORDS = {
    "cost": {"en": "mean and {level} interval", "zh": "均值及 {level} 区间"},
    "size": {"en": "{item} (area: share of customers)", "zh": "{item}（圆面积：顾客占比）"},
    "share": {"en": "share of customers", "zh": "顾客占比"},
    "hidden": {"en": "suppressed (base {base:,})", "zh": "样本不足（样本量 {base:,}）"},
}


def draw(result: LoyaltyMapResult, ax: Axes | None, lang: str) -> Axes:
    """Draw a map.

    Returns
    -------
    Axes
        The outer axes; the panels are ``ax.child_axes``.
    """
    costs = result.switching_cost is not None and len(result.costs) > 0
    groups = 1 if result.key is None else result.table[result.key].nunique()
    height = 4.9 if result.key is None else 1.5 + 0.52 * groups
    ax = ax or charts.new_axes(9.6 if costs else 6.2, height)
    ax.axis("off")
    single = result.key is None
    charts.set_finding(ax, result.headline(lang).text, pad=8 if single else 26)
    left = ax.inset_axes((0.0, 0.0, (0.56 if single else 0.5) if costs else 1.0, 1.0))
    (_fields if single else _bars)(left, result, lang)
    if costs:
        right = ax.inset_axes((0.74, 0.0, 0.26, 1.0) if single else (0.58, 0.0, 0.42, 1.0))
        (_costs if single else _costs_by_group)(right, result, lang)
        item = _folded(result.label(result.switching_cost, lang), lang, 34 if single else 52)
        right.set_xlabel(f"{item}\n{_WORDS['cost'][lang].format(level=result.said_level)}")
        right.grid(axis="x", zorder=0)
        right.tick_params(axis="y", length=0)
    return ax


def _folded(text: str, lang: str, width: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, width if lang == "en" else width // 2))


def _fields(ax: Axes, result: LoyaltyMapResult, lang: str) -> None:
    """Bubbles of answers in the four fields."""
    cells = result.cells
    area = 1500 * cells["share"] / cells["share"].max()
    ax.scatter(
        cells["satisfaction"], cells["loyalty"], s=area, color=[COLOURS[t] for t in cells["type"]], alpha=0.85, linewidth=0, zorder=3
    )  # fmt: skip
    for axis, column in (("x", "satisfaction"), ("y", "loyalty")):
        points = np.unique(cells[column])
        step = float(np.median(np.diff(points))) if len(points) > 1 else 1.0
        high = np.isin(cells["type"], ("loyalist", "mercenary" if column == "satisfaction" else "hostage"))
        one, other = cells.loc[high, column], cells.loc[~high, column]
        edge = (max(one.min(), other.min()) + min(one.max(), other.max())) / 2
        (ax.axvline if axis == "x" else ax.axhline)(edge, color=theme.INK, linewidth=1.1, zorder=2)
        room = step * (0.9 if len(points) > 2 else 0.7)
        (ax.set_xlim if axis == "x" else ax.set_ylim)(points[0] - room, points[-1] + room)
        if len(points) <= 12:
            said = [result.label(float(p), lang, column) for p in points]
            (ax.set_xticks if axis == "x" else ax.set_yticks)(points, said)
    right_way = {"satisfaction": _rises(cells, "satisfaction"), "loyalty": _rises(cells, "loyalty")}
    for row in result.rows():
        right = (row.type in ("loyalist", "mercenary")) == right_way["satisfaction"]
        upper = (row.type in ("loyalist", "hostage")) == right_way["loyalty"]
        share = (
            _WORDS["hidden"][lang].format(base=row.base)
            if row.reliability == "suppressed"
            else f"{number(row.estimate, '.0%')} ({number(row.low, '.0%')}–{number(row.high, '.0%')})"
        )
        ax.annotate(
            f"{number(TYPE_WORDS[row.type][lang], 'cap')} {share}", (1.0 if right else 0.0, 1.0 if upper else 0.0), xycoords="axes fraction",
            xytext=(-6 if right else 6, -6 if upper else 6), textcoords="offset points", ha="right" if right else "left",
            va="top" if upper else "bottom", fontsize=9.5, zorder=5, color=theme.INK,
            bbox={"facecolor": "white", "edgecolor": COLOURS[row.type], "alpha": 0.92, "pad": 2.5, "linewidth": 1.2},
        )  # fmt: skip
    ax.set_xlabel(_WORDS["size"][lang].format(item=result.label(result.satisfaction, lang)))
    ax.set_ylabel(_folded(result.label(result.loyalty, lang), lang, 44))


def _rises(cells: pd.DataFrame, column: str) -> bool:
    """Whether the good side of a cut is that of the high answers."""
    good = np.isin(cells["type"], ("loyalist", "mercenary" if column == "satisfaction" else "hostage"))
    return bool(cells.loc[good, column].mean() > cells.loc[~good, column].mean())


def _costs(ax: Axes, result: LoyaltyMapResult, lang: str) -> None:
    """Mean switching cost of every type."""
    shown = result.costs.set_index("type").loc[list(TYPES)].reset_index()
    _marks(ax, shown, np.arange(len(TYPES), dtype=float), [COLOURS[t] for t in TYPES])
    ax.set_yticks(range(len(TYPES)), [number(TYPE_WORDS[t][lang], "cap") for t in TYPES])
    ax.set_ylim(len(TYPES) - 0.4, -0.6)


def _marks(ax: Axes, rows: pd.DataFrame, y: Any, colours: list[str]) -> None:
    usable = (rows["reliability"] != "suppressed").to_numpy()
    shade = np.array(colours)[usable]
    part, at = rows[usable], y[usable]
    ax.hlines(at, part["low"], part["high"], color=shade, linewidth=2.2, zorder=2)
    full = (part["reliability"] == "ok").to_numpy()
    ax.scatter(part["estimate"], at, color=np.where(full, shade, "white"), edgecolor=shade, s=36, zorder=3)
    ax.margins(x=0.12)


def _bars(ax: Axes, result: LoyaltyMapResult, lang: str) -> None:
    """A bar of the four types for every group."""
    from matplotlib.ticker import PercentFormatter

    codes = list(dict.fromkeys(result.table[str(result.key)]))
    for y, code in enumerate(codes):
        rows = result.table[result.table[str(result.key)] == code].set_index("type")
        if rows["reliability"].iloc[0] == "suppressed":
            said = _WORDS["hidden"][lang].format(base=int(rows["base"].iloc[0]))
            ax.text(0.02, y, said, va="center", color=theme.NEUTRAL, fontsize=9)
            continue
        left = 0.0
        for name in TYPES:
            share = float(rows.loc[name, "estimate"])
            ax.barh(y, share, left=left, height=0.62, color=COLOURS[name], edgecolor="white", zorder=2,
                    label=TYPE_WORDS[name][lang] if y == 0 else None)  # fmt: skip
            if share >= _TELL:
                ax.text(
                    left + share / 2, y, number(share, ".0%"), ha="center", va="center", fontsize=9, color=_ON[name]
                )
            left += share
    from matplotlib.patches import Patch

    handles = [Patch(color=COLOURS[t], label=TYPE_WORDS[t][lang]) for t in TYPES]
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, borderaxespad=0.2, handlelength=1.0,
              columnspacing=1.2)  # fmt: skip
    ax.set_yticks(range(len(codes)), [result.label(c, lang, result.key) for c in codes])
    ax.set_ylim(len(codes) - 0.5, -0.5)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_xlabel(_WORDS["share"][lang])
    ax.tick_params(axis="y", length=0)


def _costs_by_group(ax: Axes, result: LoyaltyMapResult, lang: str) -> None:
    """Mean switching cost of the types of every group, under one another."""
    codes = list(dict.fromkeys(result.table[str(result.key)]))
    for y, code in enumerate(codes):
        rows = result.costs[result.costs[str(result.key)] == code].set_index("type").loc[list(TYPES)].reset_index()
        _marks(ax, rows, y + np.array([-0.24, -0.08, 0.08, 0.24]), [COLOURS[t] for t in TYPES])
    for y in np.arange(1, len(codes)) - 0.5:
        ax.axhline(y, color=theme.GRID, linewidth=0.8, zorder=0)
    ax.set_yticks(range(len(codes)), [""] * len(codes))
    ax.set_ylim(len(codes) - 0.5, -0.5)
