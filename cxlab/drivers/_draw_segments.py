"""Picture of drivers by segment: a panel per segment on one scale, the others' effect as a tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlab import theme
from cxlab.charts import new_axes
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.drivers._segments_result import SegmentDriverResult

ACROSS = 4  # panels in a row
BETWEEN = 0.75  # inches between rows of panels, for their headings
_WORDS = {
    "title": {"en": "Effect of +1 point on {o}, by {b}", "zh": "各因素每 +1 分对{o}的影响（按{b}）"},
    "dot": {"en": "effect with {level} interval", "zh": "影响值与 {level} 区间"},
    "found": {"en": "differs from the others (Holm)", "zh": "与其他组有显著差异（Holm）"},
    "rest": {"en": "mean effect in the other groups", "zh": "其他组的平均影响值"},
    "hidden": {"en": "suppressed\n(base {base:,})", "zh": "样本不足\n（样本量 {base:,}）"},
    "low": {"en": "base {base:,}, low", "zh": "样本量 {base:,}，偏少"},
    "ok": {"en": "base {base:,}", "zh": "样本量 {base:,}"},
}


def segment_effects(result: SegmentDriverResult, lang: str, ax: Axes | None = None) -> Axes:
    """Draw the effects of every segment, drivers in the order of the table.

    Returns
    -------
    Axes
        The outer axes; the panels are ``ax.child_axes``.
    """
    codes, drivers = result.model["segment"].tolist(), list(dict.fromkeys(result.table["driver"]))
    across = min(len(codes), ACROSS)
    down = -(-len(codes) // across)
    high = 0.2 + 0.25 * len(drivers)
    whole = down * high + (down - 1) * BETWEEN
    ax = ax or new_axes(2.3 + 1.95 * across, 1.5 + whole)
    ax.axis("off")
    title = _WORDS["title"][lang].format(
        o=number(result.label(result.outcome, lang), "in"), b=number(result.label(result.by, lang), "in")
    )
    ax.set_title(title, pad=58)
    limits = _limits(result)
    for k, code in enumerate(codes):
        row, column = divmod(k, across)
        bottom = 1 - ((row + 1) * high + row * BETWEEN) / whole
        box = (column / across, bottom, 0.92 / across, high / whole)
        panel = ax.inset_axes(box)
        _panel(panel, result, code, drivers, lang)
        panel.set_xlim(limits)
        labels = [result.label(d, lang) for d in drivers] if column == 0 else []
        panel.set_yticks(range(len(drivers)), labels or [""] * len(drivers))
    _legend(ax, result, lang)
    return ax


def _shown(result: SegmentDriverResult, code: object, drivers: list[str]) -> pd.DataFrame:
    """Rows of a segment in the order of the drivers, with the others' effect; suppressed ones without numbers."""
    rows = result.table[(result.table["segment"] == code).to_numpy()].set_index("driver").loc[drivers]
    rows = rows[["estimate", "low", "high", "base", "reliability"]].assign(rest=np.nan, found=False)
    gaps = result.differences
    if len(gaps):
        own = gaps[(gaps["segment"] == code).to_numpy()].set_index("driver").loc[drivers]
        rows["found"] = own["p_value"] < 1 - result.level
        if not result.odds:  # the others' effect is on the scale of what is compared
            rows["rest"] = own["rest"]
    rows.loc[rows["reliability"] == "suppressed", ["estimate", "low", "high", "rest"]] = np.nan
    return rows


def _limits(result: SegmentDriverResult) -> tuple[float, float]:
    """One scale for all panels, from what is shown."""
    shown = result.table[(result.table["reliability"] != "suppressed").to_numpy()]
    values = shown[["estimate", "low", "high"]].to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    low, high = (min(values.min(), 0.0), max(values.max(), 0.0)) if values.size else (0.0, 1.0)
    room = 0.06 * (high - low or 1.0)
    return low - room, high + room


def _panel(ax: Axes, result: SegmentDriverResult, code: object, drivers: list[str], lang: str) -> None:
    rows = _shown(result, code, drivers)
    y, base = np.arange(len(rows)), int(rows["base"].iloc[0])
    known = rows["estimate"].notna().to_numpy()
    ax.axvline(0, color=theme.NEUTRAL, linewidth=0.9, zorder=1)
    found = rows["found"].to_numpy(dtype=bool) & known
    colours = np.where(found, theme.BAD, theme.GOOD)
    ax.hlines(y, rows["low"], rows["high"], color=colours, linewidth=1.8, zorder=2)
    for some, marker, area in ((known & ~found, "o", 24), (found, "D", 34)):
        ax.scatter(rows["estimate"][some], y[some], color=colours[some], marker=marker, s=area, zorder=4)
    ax.scatter(rows["rest"], y, color=theme.INK, marker="|", s=70, linewidths=1.2, zorder=3)
    grade = "low" if (rows["reliability"][known] == "low").any() else "ok"
    heading = result.label(code, lang, "segment")
    ax.set_title(f"{heading}\n{_WORDS[grade][lang].format(base=base)}", fontsize=9, loc="left", linespacing=1.25)
    if not known.any():
        text = _WORDS["hidden"][lang].format(base=base)
        ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=9, color=theme.NEUTRAL)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(axis="x", zorder=0)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", labelsize=8)
    ax.locator_params(axis="x", nbins=4)


def _legend(ax: Axes, result: SegmentDriverResult, lang: str) -> None:
    """Say what the marks mean; only those that are drawn."""
    from matplotlib.lines import Line2D

    marks = [("dot", theme.GOOD, "o", 5.0)]
    if len(result.differences):
        if not result.odds:
            marks.append(("rest", theme.INK, "|", 8.0))
        if (result.differences["p_value"] < 1 - result.level).any():
            marks.insert(1, ("found", theme.BAD, "D", 5.5))
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=size, linewidth=1.8 if marker != "|" else 0,
               label=_WORDS[key][lang].format(level=result.said_level))
        for key, colour, marker, size in marks
    ]  # fmt: skip
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=3.6, fontsize=8.5)
