"""Picture of a loyalty link: means, lines, threshold with its band, and how many gave each answer; a panel per group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import charts, theme
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.loyalty._link_result import LoyaltyLinkResult

ACROSS, HIGH, BETWEEN = 4, 2.5, 0.95  # panels in a row; inches of a panel, and between rows for their headings
_FLOOR = 0.2  # share of the height for the histogram beneath the curve
_WORDS = {
    "means": {"en": "mean by answer, {} interval", "zh": "各分值的均值及 {} 区间"},
    "shares": {"en": "share by answer, {} interval", "zh": "各分值的比例及 {} 区间"},
    "line": {"en": "straight line", "zh": "直线拟合"},
    "slope": {"en": "one slope (logit)", "zh": "单一斜率（logit）"},
    "bent": {"en": "bent line", "zh": "折线拟合"},
    "smooth": {"en": "monotone spline", "zh": "单调样条"},
    "threshold": {"en": "threshold {} ({} to {})", "zh": "拐点 {}（{} 至 {}）"},
    "band": {"en": "threshold with interval", "zh": "拐点及其区间"},
    "none": {"en": "no threshold ({})", "zh": "无拐点（{}）"},
    "small": {"en": "no test", "zh": "未检验"},
    "base": {"en": "grey: respondents", "zh": "灰色：受访者人数"},
    "n": {"en": "{label} (base {base:,})", "zh": "{label}（样本量 {base:,}）"},
}


def draw(result: LoyaltyLinkResult, ax: Axes | None, lang: str) -> Axes:
    """Draw the link of a result.

    Returns
    -------
    Axes
        Of groups the outer axes; the panels are ``ax.child_axes``.
    """
    if result.key is not None:
        return _panels(result, ax, lang)
    ax = ax or charts.new_axes(7.4, 4.6)
    _panel(ax, result, 0, lang)
    _heights(result, [ax])
    ax.set_xlabel(result.label(result.satisfaction, lang))
    ax.set_ylabel(result.label(result.loyalty, lang))
    charts.set_finding(ax, result.headline(lang).text, pad=46)
    _legend(ax, result, lang)
    return ax


def _panels(result: LoyaltyLinkResult, ax: Axes | None, lang: str) -> Axes:
    key = str(result.key)
    shown = [k for k, code in enumerate(result.threshold[key]) if (result.table[key] == code).any()]
    across = min(len(shown), ACROSS)
    down = -(-len(shown) // across)
    whole = down * HIGH + (down - 1) * BETWEEN
    ax = ax or charts.new_axes(1.0 + 3.0 * across, 1.7 + whole)
    ax.axis("off")
    charts.set_finding(ax, result.headline(lang).text, pad=82)
    panels = []
    for n, k in enumerate(shown):
        row, column = divmod(n, across)
        box = (column / across, 1 - ((row + 1) * HIGH + row * BETWEEN) / whole, 0.9 / across, HIGH / whole)
        panel = ax.inset_axes(box)
        _panel(panel, result, k, lang)
        panel.set_title(_heading(result, k, lang), fontsize=9, loc="left", linespacing=1.25)
        if column == 0:
            panel.set_ylabel(result.label(result.loyalty, lang), fontsize=8.5)
        if n + across >= len(shown):
            panel.set_xlabel(result.label(result.satisfaction, lang), fontsize=8.5)
        panels.append(panel)
    _heights(result, panels)
    points = np.unique(result.table["point"])
    room = 0.6 * np.median(np.diff(points)) if len(points) > 1 else 1.0
    for n, panel in enumerate(panels):
        panel.set_xlim(points[0] - room, points[-1] + room)
        if n % across:
            panel.set_yticklabels([])
    _legend(ax, result, lang)
    return ax


def _heading(result: LoyaltyLinkResult, place: int, lang: str) -> str:
    row = result.threshold.iloc[place]
    label = result.label(row[str(result.key)], lang, result.key)
    first = _WORDS["n"][lang].format(label=label, base=int(row["base"]))
    if np.isfinite(row["threshold"]):
        said = [number(row[c], ".4g") for c in ("threshold", "low", "high")]
        return f"{first}\n{_WORDS['threshold'][lang].format(*said)}"
    known = np.isfinite(row["p_value"])
    return f"{first}\n{_WORDS['none'][lang].format(number(row['p_value'], 'p')) if known else _WORDS['small'][lang]}"


def _panel(ax: Axes, result: LoyaltyLinkResult, place: int, lang: str) -> None:
    """One group: histogram, spline with band, line, threshold, means."""
    row = result.threshold.iloc[place]
    table, smooth = (
        t if result.key is None else t[t[result.key] == row[result.key]] for t in (result.table, result.smooth)
    )
    _histogram(ax, table)
    usable = table.loc[table["reliability"] != "suppressed", "point"]
    if len(usable) > 1:
        inside = smooth[smooth["point"].between(usable.min(), usable.max())]
        if inside["smooth_low"].notna().any():
            ax.fill_between(
                inside["point"], inside["smooth_low"], inside["smooth_high"], color=theme.NEUTRAL, alpha=0.16, linewidth=0, zorder=1
            )  # fmt: skip
        ax.plot(inside["point"], inside["smooth"], color=theme.NEUTRAL, linewidth=1.3, linestyle=(0, (4, 2)), zorder=2)
    if np.isfinite(row["threshold"]):
        ax.axvspan(row["low"], row["high"], color=theme.ACCENT, alpha=0.13, linewidth=0, zorder=0, gid="band")
        ax.axvline(row["threshold"], color=theme.ACCENT, linewidth=1.4, zorder=1)
    if np.isfinite(row["intercept"]):
        _line(ax, table, row, result.binary)
    _points(ax, table, alone=result.key is None)
    points = np.unique(result.table["point"])
    if len(points) <= 21 and (result.key is None or len(points) <= 11):
        ax.set_xticks(points, [number(p, "g") for p in points])
    ax.tick_params(labelsize=8 if result.key else 9)
    ax.grid(axis="y", zorder=0)


def _points(ax: Axes, table: pd.DataFrame, alone: bool) -> None:
    """Means with intervals where the base allows; hollow where it is low."""
    shown = table[table["reliability"] != "suppressed"]
    ax.vlines(shown["point"], shown["low"], shown["high"], color=theme.GOOD, linewidth=1.8 if alone else 1.3, zorder=4)
    full = (shown["reliability"] == "ok").to_numpy()
    size = 30 if alone else 20
    ax.scatter(
        shown["point"],
        shown["estimate"],
        color=np.where(full, theme.GOOD, "white"),
        edgecolor=theme.GOOD,
        s=size,
        zorder=5,
    )


def _line(ax: Axes, table: pd.DataFrame, row: Any, binary: bool) -> None:
    """The bent line where the test rejects, else the straight one."""
    bent = bool(np.isfinite(row["threshold"]))
    x = np.linspace(table["point"].min(), table["point"].max(), 201)
    y = row["intercept"] + (row["slope_below"] if bent else row["slope"]) * x
    if bent:
        y = y + row["bend"] * np.maximum(x - row["threshold"], 0)
    y = 1 / (1 + np.exp(-y)) if binary else y
    ax.plot(x, y, color=theme.INK, linewidth=1.6, zorder=3, gid="bent" if bent else "line")


def _histogram(ax: Axes, table: pd.DataFrame) -> None:
    """How many gave each answer, at the foot of the panel; the tallest bar says how many it is."""
    width = 0.7 * np.median(np.diff(table["point"])) if len(table) > 1 else 0.7
    tallest = int(table["base"].max())
    foot = ax.get_xaxis_transform()
    ax.bar(
        table["point"],
        0.8 * _FLOOR * table["base"] / tallest,
        width=width,
        color=theme.BAND,
        transform=foot,
        zorder=0,
        gid="base",
    )
    at = float(table["point"].iloc[int(table["base"].argmax())])
    ax.text(
        at,
        0.81 * _FLOOR,
        number(tallest, ","),
        transform=foot,
        ha="center",
        va="bottom",
        fontsize=7.5,
        color=theme.NEUTRAL,
    )


def _heights(result: LoyaltyLinkResult, panels: Sequence[Axes]) -> None:
    """One scale for all panels: what is shown, and room for the histogram."""
    shown = result.table[(result.table["reliability"] != "suppressed").to_numpy()]
    values = shown[["estimate", "low", "high", "smooth"]].to_numpy(dtype=float)
    lines = [np.asarray(line.get_ydata(), dtype=float) for p in panels for line in p.lines if line.get_gid()]
    values = np.concatenate([values[np.isfinite(values)], *lines])
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    span = (high - low) or 1.0
    for panel in panels:
        panel.set_ylim(low - (_FLOOR + 0.08) * span, high + 0.05 * span)
        if result.binary:
            from matplotlib.ticker import PercentFormatter

            panel.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _legend(ax: Axes, result: LoyaltyLinkResult, lang: str) -> None:
    """Say what the marks mean; only those that are drawn."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    threshold = result.threshold["threshold"]
    handles: list[Any] = [
        Line2D([], [], color=theme.GOOD, marker="o", markersize=5, linewidth=1.6,
               label=_WORDS["shares" if result.binary else "means"][lang].format(result.said_level))
    ]  # fmt: skip
    if threshold.notna().any():
        handles.append(Line2D([], [], color=theme.INK, linewidth=1.6, label=_WORDS["bent"][lang]))
    if (threshold.isna() & result.threshold["intercept"].notna()).any():
        plain = "slope" if result.binary else "line"
        handles.append(Line2D([], [], color=theme.INK, linewidth=1.6, label=_WORDS[plain][lang]))
    style: dict[str, Any] = {"color": theme.NEUTRAL, "linewidth": 1.3, "linestyle": (0, (4, 2))}
    handles.append(Line2D([], [], **style, label=_WORDS["smooth"][lang]))
    if threshold.notna().any():
        row = result.threshold.iloc[0]
        said = [number(row[c], ".4g") for c in ("threshold", "low", "high")]
        name = _WORDS["threshold"][lang].format(*said) if result.key is None else _WORDS["band"][lang]
        handles.append(Line2D([], [], color=theme.ACCENT, linewidth=1.4, label=name))
    handles.append(Patch(color=theme.BAND, label=_WORDS["base"][lang]))
    if result.key is not None and (threshold.notna().any() and threshold.isna().any()):
        handles[1].set_label(f"{_WORDS['bent'][lang]} / {handles[2].get_label()}")
        handles.pop(2)
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.3 if result.key is None else 3.4,
              fontsize=8.5, columnspacing=1.4)  # fmt: skip
