"""Picture of a loyalty link: means, line, threshold with its band, and how many gave each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import charts, theme
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.loyalty._link_result import LoyaltyLinkResult

_WORDS = {
    "means": {"en": "mean by answer, {} interval", "zh": "各分值的均值及 {} 区间"},
    "shares": {"en": "share by answer, {} interval", "zh": "各分值的比例及 {} 区间"},
    "line": {"en": "straight line", "zh": "直线拟合"},
    "bent": {"en": "bent line", "zh": "折线拟合"},
    "smooth": {"en": "monotone smooth", "zh": "单调平滑"},
    "threshold": {"en": "threshold {} ({} to {})", "zh": "拐点 {}（{} 至 {}）"},
    "base": {"en": "respondents", "zh": "受访者人数"},
}


def draw(result: LoyaltyLinkResult, ax: Axes | None, lang: str) -> Axes:
    """Draw the link of a result."""
    ax = ax or charts.new_axes(7.4, 4.6)
    key = result.key
    codes: list[Any] = [None] if key is None else result.threshold[key].tolist()
    colours = [theme.GOOD] if key is None else list(theme.segment_colours([str(c) for c in codes]).values())
    for k, (code, colour) in enumerate(zip(codes, colours, strict=True)):
        table = result.table if key is None else result.table[result.table[key] == code]
        row = result.threshold.iloc[k]
        if len(table):
            label = _points_label(result, lang) if key is None else result.label(code, lang, key)
            offset = 0.0 if key is None else (k - (len(codes) - 1) / 2) * 0.08 * np.median(np.diff(table["point"]))
            _points(ax, table, (colour, label), offset, key is None)
            _line(ax, table, row, (result.binary, colour), lang if key is None else None)
    if key is None:
        _threshold(ax, result, lang)
    _finish(ax, result, lang)
    return ax


def _points_label(result: LoyaltyLinkResult, lang: str) -> str:
    return _WORDS["shares" if result.binary else "means"][lang].format(result.said_level)


def _points(ax: Axes, table: pd.DataFrame, look: tuple[str, str], offset: float, alone: bool) -> None:
    """Means with intervals where the base allows; hollow where it is low."""
    colour, label = look
    shown = table[table["reliability"] != "suppressed"]
    x = shown["point"].to_numpy() + offset
    ax.vlines(x, shown["low"], shown["high"], color=colour, linewidth=1.8 if alone else 1.0, alpha=0.8, zorder=3)
    full = (shown["reliability"] == "ok").to_numpy()
    ax.scatter(x[full], shown["estimate"][full], color=colour, s=30, zorder=4, label=label)
    ax.scatter(x[~full], shown["estimate"][~full], facecolor="white", edgecolor=colour, s=30, zorder=4)


def _line(ax: Axes, table: pd.DataFrame, row: Any, look: tuple[bool, str], lang: str | None) -> None:
    """The bent line where the test rejects, else the straight one; in a single group the smooth as well."""
    binary, colour = look
    bent = bool(np.isfinite(row["threshold"]))
    x = np.linspace(table["point"].min(), table["point"].max(), 201)
    y = row["intercept"] + (row["slope_below"] if bent else row["slope"]) * x
    if bent:
        y = y + row["bend"] * np.maximum(x - row["threshold"], 0)
    y = 1 / (1 + np.exp(-y)) if binary else y
    named: dict[str, Any] = {"label": _WORDS["bent" if bent else "line"][lang]} if lang else {}
    ax.plot(x, y, color=colour if lang is None else theme.INK, linewidth=1.6, zorder=2, **named)
    if lang:
        usable = table[table["reliability"] != "suppressed"]
        style: dict[str, Any] = {"color": theme.NEUTRAL, "linewidth": 1.2, "linestyle": (0, (4, 2))}
        ax.plot(usable["point"], usable["smooth"], label=_WORDS["smooth"][lang], zorder=1, **style)


def _threshold(ax: Axes, result: LoyaltyLinkResult, lang: str) -> None:
    """The band of the threshold, if the test rejects, and the histogram beneath the curve."""
    row = result.threshold.iloc[0]
    if np.isfinite(row["threshold"]):
        said = [number(row[c], ".4g") for c in ("threshold", "low", "high")]
        ax.axvspan(row["low"], row["high"], color=theme.ACCENT, alpha=0.13, linewidth=0, zorder=0)
        ax.axvline(
            row["threshold"], color=theme.ACCENT, linewidth=1.4, zorder=1, label=_WORDS["threshold"][lang].format(*said)
        )
    table = result.table
    below = ax.twinx()
    below.bar(table["point"], table["base"], width=0.7 * np.median(np.diff(table["point"])), color=theme.BAND, zorder=0)
    below.set_ylim(0, 5 * table["base"].max())
    below.set_yticks([0, int(table["base"].max())], ["0", number(int(table["base"].max()), ",")])
    below.set_ylabel(_WORDS["base"][lang], loc="bottom", color=theme.NEUTRAL)
    below.tick_params(axis="y", colors=theme.NEUTRAL, length=0)
    below.spines["right"].set_visible(False)
    ax.set_zorder(below.get_zorder() + 1)
    ax.patch.set_visible(False)


def _finish(ax: Axes, result: LoyaltyLinkResult, lang: str) -> None:
    if result.binary:
        from matplotlib.ticker import PercentFormatter

        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    points = np.unique(result.table["point"])
    if len(points) <= 21 and result.key is None:
        ax.set_xticks(points, [number(p, "g") for p in points])
    ax.set_xlabel(result.label(result.satisfaction, lang))
    ax.set_ylabel(result.label(result.loyalty, lang))
    low, high = ax.get_ylim()
    if result.key is None:  # room for the histogram beneath the curve
        ax.set_ylim(low - 0.22 * (high - low), high)
    ax.grid(axis="y", zorder=0)
    ax.legend(loc="upper left")
    ax.set_title(result.text(result.title, lang))
