"""Pictures of a measurement: loadings beside reliability, HTMT against its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import theme
from cxlab.charts import new_axes, set_finding
from cxlab.layers import _measure_words as words
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.layers._measure_result import MeasurementResult

_MEASURES = ("alpha", "rho_a", "rho_c")
_SHADES = (theme.SEQUENCE[0], theme.SEQUENCE[5], theme.SEQUENCE[2])
_ROWS = 3  # at least, of each construct: one for each measure of its reliability
_LONGEST = 30  # letters of an item's label before it is cut; a Chinese one counts as two


def draw(result: MeasurementResult, ax: Axes | None, lang: str) -> Axes:
    """Loadings with intervals, grouped by construct; on the right its reliability against .6 and .7."""
    from mpl_toolkits.axes_grid1 import make_axes_locatable  # type: ignore[import-untyped]

    groups = [(row, rows) for row, rows in _grouped(result)]
    sizes = [max(len(rows), _ROWS) for _, rows in groups]
    tops = np.cumsum([0, *[size + 0.8 for size in sizes[:-1]]])
    if ax is None:
        ax = new_axes(9.6, 1.2 + 0.225 * float(tops[-1] + sizes[-1]))
    right = make_axes_locatable(ax).append_axes("right", size="62%", pad=0.35, sharey=ax)
    places, names = [], []
    for (row, rows), top, size in zip(groups, tops, sizes, strict=True):
        y = top + np.arange(len(rows)) + (size - len(rows)) / 2
        _loadings(ax, rows, y)
        _reliability(right, result, (row, float(top + (size - 1) / 2)), lang)
        ax.annotate(result.label(row.construct, lang), (0, top - 0.75), xycoords=("axes fraction", "data"), xytext=(4, 0),
                    textcoords="offset points", fontsize=9, fontweight="bold", va="center")  # fmt: skip
        ax.axhline(top - 1.05, color=theme.GRID, linewidth=0.8, zorder=0)
        right.axhline(top - 1.05, color=theme.GRID, linewidth=0.8, zorder=0)
        places += list(y)
        names += [_short(result.label(i, lang)) for i in rows["item"]]
    ax.set_yticks(places, names)
    ax.set_ylim(tops[-1] + sizes[-1] - 0.2, -1.3)
    _finish(ax, right, result, lang)
    return ax


def _grouped(result: MeasurementResult) -> list[tuple[Any, pd.DataFrame]]:
    return [(row, result.loadings[result.loadings["construct"] == row.construct]) for row in result.table.itertuples()]


def _loadings(ax: Axes, rows: pd.DataFrame, y: np.ndarray) -> None:
    value, low, high = (rows[c].to_numpy(dtype=float) for c in ("loading", "loading_low", "loading_high"))
    weak = np.abs(value) < words.WEAK
    formative = (rows["mode"] == "B").to_numpy() & (len(rows) > 1)
    shade = np.where(formative, theme.NEUTRAL, np.where(weak, theme.BAD, theme.GOOD))
    ax.hlines(y, low, high, color=shade, linewidth=2.2, zorder=2)
    for chosen, marker in ((~weak, "o"), (weak, "D")):  # seen in black and white too
        ax.scatter(value[chosen], y[chosen], color=shade[chosen], marker=marker, s=30, zorder=3)


def _reliability(ax: Axes, result: MeasurementResult, place: tuple[Any, float], lang: str) -> None:
    row, middle = place
    if row.indicators == 1 or row.mode == "B":
        said = words.PICTURE["single" if row.indicators == 1 else "index"]
        ax.text(0.02, middle, result.text(said, lang), va="center", fontsize=8.5, color=theme.NEUTRAL)
        return
    for k, (name, shade) in enumerate(zip(_MEASURES, _SHADES, strict=True)):
        value, low, high = (float(getattr(row, f"{name}{end}")) for end in ("", "_low", "_high"))
        y = middle + (k - 1) * 0.9
        ax.barh(y, value, height=0.78, color=shade, zorder=2)
        if np.isfinite(low):
            ax.hlines(y, low, high, color=theme.INK, linewidth=1.1, zorder=3)
        end = max(value, high) if np.isfinite(high) else value
        ax.annotate(number(value, ".2f"), (end, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8,
                    zorder=5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})  # fmt: skip


def _finish(ax: Axes, right: Axes, result: MeasurementResult, lang: str) -> None:
    from matplotlib.patches import Patch

    inside = result.loadings[["loading", "loading_low", "loading_high"]].to_numpy(dtype=float)
    ax.set_xlim(min(0.0, float(np.nanmin(inside))) - 0.03, max(1.0, float(np.nanmax(inside))) + 0.03)
    ax.axvline(words.WEAK, color=theme.BAD, linestyle=":", linewidth=1, zorder=1)
    ax.axvline(0, color=theme.GRID, linewidth=0.8, zorder=0)
    ax.set_xlabel(result.text(words.PICTURE["loadings"], lang))
    ax.tick_params(axis="y", length=0)
    reached = result.table[[f"{m}{end}" for m in _MEASURES for end in ("", "_high")]].to_numpy(dtype=float)
    right.set_xlim(0, max(1.0, float(np.nanmax(reached, initial=0.0))) + 0.12)
    for limit, style in ((words.ENOUGH, "--"), (words.RELIABLE, "-")):
        right.axvline(limit, color=theme.BAD, linestyle=style, linewidth=1, zorder=4)
        right.annotate(number(limit, ".1f").replace("0.", "."), (limit, 1), xycoords=("data", "axes fraction"), xytext=(0, 2),
                       textcoords="offset points", ha="center", fontsize=8.5, color=theme.BAD)  # fmt: skip
    right.tick_params(axis="y", left=False, labelleft=False)
    right.spines["left"].set_visible(False)
    right.set_xlabel(result.text(words.PICTURE["reliability"], lang))
    handles = [
        Patch(color=s, label=result.text(words.HEADINGS[m], lang)) for m, s in zip(_MEASURES, _SHADES, strict=True)
    ]
    right.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.03), ncols=3, borderaxespad=0.1, fontsize=8.5,
                 handlelength=1.0, columnspacing=1.0)  # fmt: skip
    said = next(result.about_scales(lang), None)
    set_finding(ax, result.text(words.PICTURE["title"], lang) if said is None else said.text.rstrip(".。"), pad=16)


def draw_htmt(result: MeasurementResult, ax: Axes | None, lang: str) -> Axes:
    """HTMT of each pair as a dot, its one-sided upper limit as the end of a line; the limits .85, .90 and 1 upright."""
    rows = result.discriminant[result.discriminant["htmt"].notna()]
    order = rows["htmt_upper"].fillna(rows["htmt"]).to_numpy().argsort()[::-1]
    rows = rows.iloc[order]
    ax = ax or new_axes(8.2, 1.3 + 0.27 * len(rows))
    y = np.arange(len(rows))
    value, upper, second = (rows[c].to_numpy(dtype=float) for c in ("htmt", "htmt_upper", "htmt2"))
    bad = (rows["verdict"] == "not distinct").to_numpy()
    shade = np.where(bad, theme.BAD, theme.GOOD)
    ax.hlines(y, value, upper, color=shade, linewidth=2.2, zorder=2)
    ax.scatter(upper, y, marker="|", s=70, color=shade, linewidths=2, zorder=3,
               label=result.text(words.PICTURE["upper"], lang).format(level=result.said_level))  # fmt: skip
    not_distinct = f"HTMT: {result.text(words.VERDICTS['not distinct'], lang)}"
    for chosen, marker, said in ((~bad, "o", "HTMT"), (bad, "D", not_distinct)):
        if chosen.any():
            ax.scatter(value[chosen], y[chosen], color=shade[chosen], marker=marker, s=34, zorder=4, label=said)
    ax.scatter(
        second,
        y,
        marker="x",
        s=26,
        color=theme.INK,
        linewidths=1.1,
        zorder=5,
        label=result.text(words.PICTURE["second"], lang),
    )
    for row in range(len(rows)):
        end = np.nanmax([upper[row], value[row], second[row]])
        ax.annotate(
            number(upper[row], ".2f"), (end, row), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8.5
        )
    for limit, style in zip((limit for limit, _ in words.LIMITS), (":", "--", "-"), strict=True):
        ax.axvline(limit, color=theme.NEUTRAL, linestyle=style, linewidth=1.1, zorder=1)
        said = f"{limit:.2f}".lstrip("0") if limit < 1 else "1"
        ax.annotate(said, (limit, 1), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points", ha="center",
                    fontsize=8.5, color=theme.INK)  # fmt: skip
    ax.set_yticks(y, [f"{result.label(r.construct, lang)} – {result.label(r.other, lang)}" for r in rows.itertuples()])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", zorder=0)
    ax.margins(x=0.1)
    if len(rows):
        ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.08), ncols=4, fontsize=8.5, columnspacing=1.2)
    ax.set_title(result.text(words.PICTURE["htmt"], lang), pad=16)
    return ax


def _short(text: str) -> str:
    """A label that fits beside the axes."""
    width = 0
    for k, letter in enumerate(text):
        width += 2 if ord(letter) > 0x2E80 else 1
        if width > _LONGEST and k < len(text) - 1:
            return text[:k].rstrip() + "…"
    return text
