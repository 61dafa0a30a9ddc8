"""Picture of importance and performance: crosses of intervals, lines of equal gain, a panel per segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import theme
from cxlab.charts import label_points, new_axes, set_finding
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.layers._ipma_result import IpmaResult

_ACROSS = 3  # panels in a row
_NAMED = {True: 10, False: 12}  # points that are named, in a panel and in a map of its own: those with the largest gain
_WORDS = {
    "x": {"en": "Performance (mean, 0–100)", "zh": "表现（均值，0–100）"},
    "y": {"en": "Importance: points of {} per ten points", "zh": "重要性：每高 10 分，{}相应变化的分数"},
    "first": {"en": "gain may be the largest", "zh": "潜在提升可能最大"},
    "shown": {"en": "effect shown", "zh": "影响显著"},
    "unclear": {"en": "not told apart from zero", "zh": "无法与零区分"},
    "equal": {"en": "equal gain", "zh": "等潜在提升线"},
    "named": {"en": "The {n} largest gains are named.", "zh": "仅标注潜在提升最大的 {n} 项。"},
    "cuts": {"en": "means", "zh": "均值"},
    "hidden": {"en": "suppressed\n(base {base:,})", "zh": "样本不足\n（样本量 {base:,}）"},
    "low": {"en": "base {base:,}, low", "zh": "样本量 {base:,}，偏少"},
    "ok": {"en": "base {base:,}", "zh": "样本量 {base:,}"},
}
_LOOK = {"first": (theme.BAD, "D", 40), "shown": (theme.GOOD, "o", 36), "unclear": (theme.NEUTRAL, "X", 36)}


def draw(result: IpmaResult, ax: Axes | None, lang: str) -> Axes:
    """Draw the map, or a panel per segment within the outer axes (``ax.child_axes``)."""
    if result.key is None:
        ax = ax or new_axes(8.4, 5.8)
        limits = _limits([result.table])
        _map(ax, result, result.table, limits, lang)
        ax.set_xlabel(_WORDS["x"][lang])
        ax.set_ylabel(_high(result, lang))
        set_finding(ax, result.headline(lang).text, pad=26)
        _legend(ax, result, lang, 0.1)
        _say_named(ax, len(result.table), _NAMED[False], lang)
        _named(ax, result, result.table, lang)
        return ax
    parts = [rows for _, rows in result.table.groupby(result.key, sort=False)]
    across = min(len(parts), _ACROSS)
    down = -(-len(parts) // across)
    ax = ax or new_axes(1.0 + 3.7 * across, 1.3 + 3.6 * down)
    ax.axis("off")
    set_finding(ax, result.headline(lang).text, pad=52)
    limits = _limits(parts)
    panels = []
    for k, rows in enumerate(parts):
        row, column = divmod(k, across)
        panel = ax.inset_axes((0.03 + column / across, 1 - (row + 0.84) / down, 0.9 / across, 0.8 / down))
        _panel(panel, result, rows, limits, lang)
        if column == 0:
            panel.set_ylabel(_high(result, lang), fontsize=8)
        if row == down - 1 or k + across >= len(parts):
            panel.set_xlabel(_WORDS["x"][lang], fontsize=8)
        panels.append((panel, rows))
    _legend(ax, result, lang, 3.0)
    _say_named(ax, max(map(len, parts)), _NAMED[True], lang)
    for panel, rows in panels:  # when the layout has settled
        _named(panel, result, rows, lang, 7.5)
    return ax


def _panel(panel: Axes, result: IpmaResult, rows: pd.DataFrame, limits: tuple[Any, Any], lang: str) -> None:
    base, grade = int(rows["base"].iloc[0]), str(rows["reliability"].iloc[0])
    heading = result.label(rows[result.key].iloc[0], lang, result.key)
    said = _WORDS["low" if grade == "low" else "ok"][lang].format(base=base)
    panel.set_title(f"{heading}\n{said}", fontsize=9, loc="left", linespacing=1.25)
    _map(panel, result, rows, limits, lang)
    panel.tick_params(labelsize=8)
    if grade == "suppressed":
        text = _WORDS["hidden"][lang].format(base=base)
        panel.text(0.5, 0.5, text, transform=panel.transAxes, ha="center", va="center", fontsize=9, color=theme.NEUTRAL)


def _high(result: IpmaResult, lang: str) -> str:
    return _WORDS["y"][lang].format(number(result.label(result.target, lang), "in"))


def _known(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[(rows["reliability"] != "suppressed").to_numpy() & np.isfinite(rows["gain"].to_numpy(dtype=float))]


def _limits(parts: list[pd.DataFrame]) -> tuple[tuple[float, float], tuple[float, float]]:
    """One scale for all panels, from what is shown; importance from zero unless all of it is far above."""
    rows = _known(pd.concat(parts))

    def ends(name: str, scale: float) -> tuple[float, float]:
        values = scale * rows[[name, f"{name}_low", f"{name}_high"]].to_numpy(dtype=float)
        values = values[np.isfinite(values)]
        return (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)

    left, right = ends("performance", 1)
    low, high = ends("importance", 10)
    low = min(low, 0.0) if low < high / 2 else low - 0.15 * (high - low)
    across, up = max(right - left, 4.0), high - low or 1.0
    return (left - 0.12 * across, min(right + 0.12 * across, 101.0)), (low - 0.04 * up * (low < 0), high + 0.1 * up)


def _map(ax: Axes, result: IpmaResult, rows: pd.DataFrame, limits: tuple[Any, Any], lang: str) -> None:
    """Crosses, lines of equal gain and the means of both axes."""
    ax.set_xlim(*limits[0])
    ax.set_ylim(*limits[1])
    known = _known(rows)
    if known.empty:
        return
    _equal_gains(ax, known)
    importance, performance = known["importance"].to_numpy(float), known["performance"].to_numpy(float)
    ax.axhline(10 * importance.mean(), color=theme.NEUTRAL, linewidth=1, linestyle="--", zorder=1)
    pull = np.maximum(importance, 0)
    if pull.sum() > 0:
        ax.axvline(float(pull @ performance / pull.sum()), color=theme.NEUTRAL, linewidth=1, linestyle="--", zorder=1)
    if limits[1][0] < 0:
        ax.axhline(0, color=theme.INK, linewidth=0.8, zorder=1)
    for kind, some in _kinds(known).items():
        colour, marker, size = _LOOK[kind]
        y = 10 * some["importance"]
        ax.hlines(
            y, some["performance_low"], some["performance_high"], color=colour, linewidth=1.2, alpha=0.6, zorder=2
        )
        ax.vlines(some["performance"], 10 * some["importance_low"], 10 * some["importance_high"], color=colour, linewidth=1.2, alpha=0.6,
                  zorder=2)  # fmt: skip
        ax.scatter(some["performance"], y, color=colour, marker=marker, s=size, zorder=3, linewidths=0)


def _kinds(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Rows by what is known of their gain."""
    unclear = ((rows["importance_low"] <= 0) & (rows["importance_high"] >= 0)).to_numpy(dtype=bool)
    first = (rows["rank_low"] == 1).fillna(False).to_numpy(dtype=bool) & ~unclear
    return {
        kind: rows[some]
        for kind, some in (("shown", ~first & ~unclear), ("unclear", unclear), ("first", first))
        if some.any()
    }


def _equal_gains(ax: Axes, rows: pd.DataFrame) -> None:
    """Thin curves on which importance × (100 − performance) is the same."""
    from matplotlib.ticker import MaxNLocator

    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    gains = rows["gain"].to_numpy(float)
    x = np.linspace(left, min(right, 99.5), 200)
    written: list[np.ndarray] = []
    for gain in MaxNLocator(5).tick_values(max(gains.min(), 0.0), max(gains.max(), 1e-9)):
        y = 10 * gain / (100 - x)
        inside = (y > low) & (y < high)
        if gain <= 0 or inside.sum() < 20:
            continue
        ax.plot(x[inside], y[inside], color=theme.GRID, linewidth=1, zorder=0)
        end = np.flatnonzero(inside & (y < high - 0.03 * (high - low)))[-1]
        spot = np.array([(x[end] - left) / (right - left), (y[end] - low) / (high - low)])
        if any(np.abs((spot - other) / (0.14, 0.05)).max() < 1 for other in written):
            continue  # its number would lie on another
        written.append(spot)
        ax.annotate(f"+{gain:g}", (x[end], y[end]), xytext=(-2, 0), textcoords="offset points", ha="right", va="center", fontsize=7.5,
                    color=theme.NEUTRAL, zorder=0, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4})  # fmt: skip


def _named(ax: Axes, result: IpmaResult, rows: pd.DataFrame, lang: str, fontsize: float = 9) -> None:
    """Names beside the points, off the crosses."""
    known = _known(rows)
    if known.empty:
        return
    x, y = known["performance"].to_numpy(float), 10 * known["importance"].to_numpy(float)
    share = np.linspace(0, 1, 7)[:, None]
    low, high = (10 * known[f"importance_{e}"].to_numpy(float) for e in ("low", "high"))
    left, right = (known[f"performance_{e}"].to_numpy(float) for e in ("low", "high"))
    bars = [np.column_stack([np.broadcast_to(x, (7, len(x))).ravel(), (low + share * (high - low)).ravel()]),
            np.column_stack([(left + share * (right - left)).ravel(), np.broadcast_to(y, (7, len(y))).ravel()])]  # fmt: skip
    avoid = np.vstack(bars)
    avoid = avoid[np.isfinite(avoid).all(axis=1)]
    avoid = np.vstack([avoid, np.column_stack([x, y])])
    some = known.head(_NAMED[fontsize < 9])
    label_points(
        ax,
        x[: len(some)],
        y[: len(some)],
        [result.name(r, lang) for r in some.itertuples()],
        fontsize=fontsize,
        avoid=avoid,
    )


def _say_named(ax: Axes, count: int, most: int, lang: str) -> None:
    if count > most:
        ax.annotate(_WORDS["named"][lang].format(n=most), (1, 1), xytext=(0, 20), xycoords="axes fraction", textcoords="offset points", ha="right",
                    fontsize=8.5, color=theme.NEUTRAL)  # fmt: skip


def _legend(ax: Axes, result: IpmaResult, lang: str, away: float) -> None:
    """Say what the marks mean; only those that are drawn."""
    from matplotlib.lines import Line2D

    kinds = {kind for _, rows in result.table.groupby("base", sort=False) for kind in _kinds(_known(rows))}
    handles = [Line2D([], [], color=colour, marker=marker, markersize=5.5, linewidth=1.2, label=_WORDS[kind][lang])
               for kind, (colour, marker, _) in _LOOK.items() if kind in kinds]  # fmt: skip
    handles += [Line2D([], [], color=theme.GRID, linewidth=1.4, label=_WORDS["equal"][lang]),
                Line2D([], [], color=theme.NEUTRAL, linewidth=1, linestyle="--", label=_WORDS["cuts"][lang])]  # fmt: skip
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=5, borderaxespad=away, handletextpad=0.5,
              columnspacing=1.2, fontsize=8.5)  # fmt: skip
