"""Picture of paths by group: a dot and an interval per group, hollow where groups are not comparable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxlab import theme
from cxlab.charts import new_axes, set_finding
from cxlab.layers._groups_tests import COMPOSITION, UNKNOWN
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.layers._groups_result import PathGroupsResult

_SHUT = (COMPOSITION, UNKNOWN)
_STEP = 0.26  # inches between the groups of a path
_WORDS = {
    "axis": {"en": "Standardised path with {level} interval", "zh": "标准化路径系数与 {level} 区间"},
    "group": {"en": "{name} (base {base:,})", "zh": "{name}（样本量 {base:,}）"},
    "low": {"en": "{name} (base {base:,}, low)", "zh": "{name}（样本量 {base:,}，偏少）"},
    "suppressed": {"en": "{name} (base {base:,}: {why})", "zh": "{name}（样本量 {base:,}：{why}）"},
    "hollow": {"en": "hollow: not comparable", "zh": "空心：不可比较"},
    "differs": {"en": "differs, {p:p}", "zh": "有差异，{p:p}"},
    "same": {"en": "no difference shown", "zh": "未见差异"},
    "not": {"en": "not comparable", "zh": "不可比较"},
    "part": {"en": "comparable in part", "zh": "部分组可比较"},
}


def draw(result: PathGroupsResult, ax: Axes | None, lang: str) -> Axes:
    """Draw the paths in the order of the table, the groups of each beneath one another."""
    codes, table = result.groups, result.table
    paths = list(dict.fromkeys(zip(table["source"], table["target"], strict=True)))
    shown = [c for c in codes if (table.loc[table["segment"] == c, "reliability"] != "suppressed").any()]
    rows = max(len(shown), 1)
    ax = ax or new_axes(8.6, 1.5 + len(paths) * (rows + 0.8) * _STEP)
    colours = theme.segment_colours([str(c) for c in codes])
    height = 0.8 / rows if rows > 1 else 0.0
    for k, code in enumerate(shown):
        own = table[(table["segment"] == code).to_numpy()].set_index(["source", "target"]).loc[paths]
        y = np.arange(len(paths)) + (k - (rows - 1) / 2) * height
        colour, hollow = colours[str(code)], own["reason"].str.startswith(_SHUT).to_numpy(dtype=bool)
        ax.hlines(y, own["low"], own["high"], color=colour, linewidth=1.8, zorder=2)
        face = [("white" if h else colour) for h in hollow]
        ax.scatter(own["estimate"], y, s=32, facecolors=face, edgecolors=colour, linewidths=1.5, zorder=3)
    ax.axvline(0, color=theme.NEUTRAL, linewidth=0.9, zorder=1)
    ax.set_yticks(range(len(paths)), [f"{result.label(s, lang)} → {result.label(t, lang)}" for s, t in paths])
    ax.set_ylim(len(paths) - 0.45, -0.55)
    for edge in range(1, len(paths)):
        ax.axhline(edge - 0.5, color=theme.GRID, linewidth=0.8, zorder=0)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", zorder=0)
    ax.set_xlabel(_WORDS["axis"][lang].format(level=result.said_level))
    set_finding(ax, result.headline(lang).text, pad=10)
    _verdicts(ax, result, paths, lang)
    _legend(ax, result, colours, lang)
    return ax


def _verdicts(ax: Axes, result: PathGroupsResult, paths: list[tuple[str, str]], lang: str) -> None:
    """At the right what the tests say of each path."""
    if result.differences.empty:
        return
    gaps = result.differences[(result.differences["kind"] == "direct").to_numpy()].set_index(["source", "target"])
    for y, path in enumerate(paths):
        own = gaps.loc[[path]]
        best = own["p_value"].min()
        open_ = own["comparable"].to_numpy(dtype=bool)
        key = "not" if not open_.any() else "differs" if best < 1 - result.level else "same" if open_.all() else "part"
        text = _WORDS[key][lang].replace("{p:p}", number(best, "p"))
        ink = theme.BAD if key == "differs" else theme.NEUTRAL
        ax.text(1.01, y, text, transform=ax.get_yaxis_transform(), va="center", ha="left", fontsize=8.5, color=ink)


def _legend(ax: Axes, result: PathGroupsResult, colours: dict[str, str], lang: str) -> None:
    """Every group with its base, also those without numbers; what hollow means, where a dot is."""
    from matplotlib.lines import Line2D

    handles = []
    for row in result.table.drop_duplicates("segment").itertuples():
        key = {"ok": "group", "low": "low"}.get(str(row.reliability), "suppressed")
        why = result.label(row.reason, lang, "reason") if key == "suppressed" else ""
        text = _WORDS[key][lang].format(name=result.label(row.segment, lang, "segment"), base=row.base, why=why)
        hidden = key == "suppressed"
        handles.append(Line2D([], [], color="none" if hidden else colours[str(row.segment)], marker="o", markersize=5.5, linewidth=1.8,
                              label=text))  # fmt: skip
    if result.table["reason"].str.startswith(_SHUT).any():
        handles.append(
            Line2D([], [], color=theme.NEUTRAL, marker="o", markerfacecolor="white", markersize=5.5, linewidth=0, label=_WORDS["hollow"][lang])
        )  # fmt: skip
    below = 0.55 * ax.figure.dpi / ax.get_window_extent().height  # room for ticks and the axis label
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -below), ncols=2, fontsize=8.5)
