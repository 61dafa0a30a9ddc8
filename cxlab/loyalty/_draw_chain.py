"""Picture of a service–profit chain: its links, the units behind each, and the slopes by lag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import theme
from cxlab.charts import broken, set_finding
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.loyalty._chain_result import ServiceProfitResult

FloatArray = np.ndarray[Any, np.dtype[Any]]
_WORDS = {
    "r": {
        "en": "r: correlation between units with {} interval; solid where it can be told",
        "zh": "r：单位之间的相关系数及 {} 区间；实线表示显著",
    },
    "lag": {"en": "lag, waves", "zh": "滞后期数"},
    "slope": {"en": "slope within units", "zh": "单位内斜率"},
}
_WIDE, _TALL = 3.2, 2.7  # inches of one link's panels


def draw(result: ServiceProfitResult, lang: str) -> Axes:
    """The chain on top, under it the unit means and the slopes by lag of every link."""
    import matplotlib.pyplot as plt

    theme.use()
    links = result.links
    most = max(map(len, result.stages))
    lagged = bool((result.table["kind"] == "within").any())
    heights = [0.55 + 0.7 * most, _TALL, *([2.0] if lagged else [])]
    figure = plt.figure(figsize=(max(_WIDE * len(links), 6.4), sum(heights)), layout="constrained")
    grid = figure.add_gridspec(len(heights), len(links), height_ratios=heights)
    top = figure.add_subplot(grid[0, :])
    draw_chain(result, top, lang)
    for k, link in enumerate(links):
        _points(result, link, figure.add_subplot(grid[1, k]), lang)
        if lagged:
            _by_lag(result, link, figure.add_subplot(grid[2, k]), lang)
    figure.draw_without_rendering()  # only a laid out picture tells which names collide
    for link, ax in zip(links, figure.axes[1 :: 1 + lagged], strict=True):
        _name_points(result, link, ax, lang)
    return top


# ------------------------------------------------------------------------------ the chain
def draw_chain(result: ServiceProfitResult, ax: Axes, lang: str) -> Axes:
    """Boxes for measures, arrows for links with the correlation of unit means."""
    place = {
        name: (2.0 * s, (len(stage) - 1) / 2 - k)
        for s, stage in enumerate(result.stages)
        for k, name in enumerate(stage)
    }
    boxes = {}
    for name, (x, y) in place.items():
        text = ax.text(x, y, _wrapped(result.label(name, lang, "cause")), ha="center", va="center", fontsize=9.5, zorder=3,
                       bbox={"boxstyle": "round,pad=0.45", "facecolor": theme.BAND, "edgecolor": theme.NEUTRAL})  # fmt: skip
        boxes[name] = text.get_bbox_patch()
    for link in result.links:
        _arrow(ax, result, link, (place[link[0]], place[link[1]]), (boxes[link[0]], boxes[link[1]]))
    rows = max(map(len, result.stages))
    ax.set_xlim(-0.6, 2 * (len(result.stages) - 1) + 0.6)
    ax.set_ylim(-(rows - 1) / 2 - 0.6, (rows - 1) / 2 + 0.6)
    ax.set_axis_off()
    ax.text(
        0,
        0,
        _WORDS["r"][lang].format(result.said_level),
        transform=ax.transAxes,
        fontsize=8,
        color=theme.NEUTRAL,
        va="top",
    )
    set_finding(ax, result.headline(lang).text)
    return ax


def _arrow(
    ax: Axes, result: ServiceProfitResult, link: tuple[str, str], ends: tuple[tuple[float, float], tuple[float, float]],
    boxes: tuple[Any, Any],
) -> None:  # fmt: skip
    """One link, solid where its correlation is told."""
    (x0, y0), (x1, y1) = ends
    row: Any = result.correlation(link)
    told = row is not None and row.p_value < 1 - result.level
    colour = theme.NEUTRAL if not told else theme.GOOD if row.r > 0 else theme.BAD
    ax.annotate("", (x1, y1), (x0, y0), zorder=1, arrowprops={
        "arrowstyle": "-|>", "color": colour, "linewidth": 2.2 if told else 1.1, "linestyle": "-" if told else (0, (4, 2)),
        "patchA": boxes[0], "patchB": boxes[1], "shrinkA": 3, "shrinkB": 3,
    })  # fmt: skip
    text = "–" if row is None else f"r = {number(row.r, '.2f')}\n({number(row.low, '.2f')}, {number(row.high, '.2f')})"
    ax.text((x0 + x1) / 2, (y0 + y1) / 2, text, ha="center", va="center", fontsize=8.5, zorder=2, color=theme.INK,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"})  # fmt: skip


def _wrapped(text: str, wide: float = 1.0) -> str:
    """A label on three lines at most, words left whole; ``wide`` in boxes of the chain."""
    lines = broken(text, 18 * wide).split("\n")
    return "\n".join(lines[:3]) + ("…" if len(lines) > 3 else "")


# ------------------------------------------------------------------------------ one link
def scatter(result: ServiceProfitResult, link: tuple[str, str], ax: Axes | None, lang: str) -> Axes:
    """Unit means with their sampling errors, every unit named."""
    from cxlab import charts

    ax = ax or charts.new_axes(5.2, 4.2)
    _points(result, link, ax, lang)
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    _name_points(result, link, ax, lang)
    return ax


def _wide(result: ServiceProfitResult) -> pd.DataFrame:
    return result.means.pivot(index="unit", columns="metric", values=["estimate", "se"])


def _points(result: ServiceProfitResult, link: tuple[str, str], ax: Axes, lang: str) -> None:
    """Unit means with their sampling errors and a line."""
    wide = _wide(result)
    x, y = (wide["estimate"][n].to_numpy(dtype=float) for n in link)
    errors = [np.nan_to_num(wide["se"][n].to_numpy(dtype=float)) for n in link]
    ax.errorbar(x, y, xerr=errors[0] if errors[0].any() else None, yerr=errors[1] if errors[1].any() else None, fmt="none",
                ecolor=theme.NEUTRAL, elinewidth=0.8, alpha=0.7, zorder=2)  # fmt: skip
    ax.scatter(x, y, color=theme.GOOD, s=22, zorder=3)
    if len(x) > 1 and np.ptp(x) > 0:
        slope, start = np.polyfit(x, y, 1)
        ends = np.array([x.min(), x.max()])
        ax.plot(ends, start + slope * ends, color=theme.NEUTRAL, linewidth=1, linestyle=(0, (4, 2)), zorder=1)
    ax.margins(x=0.16, y=0.12)
    ax.set_xlabel(_wrapped(result.label(link[0], lang, "cause"), 1.7))
    ax.set_ylabel(_wrapped(result.label(link[1], lang, "effect"), 1.4))


def _name_points(result: ServiceProfitResult, link: tuple[str, str], ax: Axes, lang: str) -> None:
    """Names beside the points, each at the first place that hides no other; far ones with a leader."""
    means = _wide(result)["estimate"]
    points, texts = means[list(link)].to_numpy(dtype=float), [result.label(c, lang, "unit") for c in means.index]
    room = np.array([ax.bbox.width, ax.bbox.height]) * 72 / ax.figure.dpi  # in points of type
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    at = (points - low) / (high - low) * room
    inside = np.concatenate([np.zeros(2), room])
    taken = [np.concatenate([p - 3, p + 3]) for p in at]
    for (x, y), place, text in zip(points, at, texts, strict=True):
        size = np.array([sum(7.2 if ord(c) > 0x2E80 else 4.0 for c in text), 7.5])
        boxes = [np.concatenate([c := place + shift - size * [away, 0.5], c + size]) for shift, away in _PLACES]
        clash = [np.prod(size) - _overlap(box, inside) + sum(_overlap(box, other) for other in taken) for box in boxes]
        best = int(np.argmin([c + 2 * np.hypot(*shift) for c, (shift, _) in zip(clash, _PLACES, strict=True)]))
        taken.append(boxes[best])
        shift, away = _PLACES[best]
        line = {"arrowstyle": "-", "color": theme.NEUTRAL, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2}
        ax.annotate(text, (x, y), xytext=shift, textcoords="offset points", ha=_ALIGNED[away], va="center", fontsize=7,
                    color=theme.INK, arrowprops=line if np.hypot(*shift) > 12 else None, zorder=4)  # fmt: skip


_ALIGNED = {0.0: "left", 0.5: "center", 1.0: "right"}
_PLACES = tuple(
    ((dx * far, dy * far), away)
    for far in (1.0, 2.2, 3.6, 5.0)
    for dx, dy, away in ((5, 3, 0.0), (-5, 3, 1.0), (5, -4, 0.0), (-5, -4, 1.0), (0, 8, 0.5), (0, -8, 0.5))
)


def _overlap(one: FloatArray, other: FloatArray) -> float:
    """Area that two boxes (left, bottom, right, top) share."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    return float(np.prod(np.maximum(sides, 0.0)))


def _by_lag(result: ServiceProfitResult, link: tuple[str, str], ax: Axes, lang: str) -> None:
    """Slopes within units with intervals, by lag."""
    rows = result.rows_of(link, "within")
    ax.axhline(0, color=theme.NEUTRAL, linewidth=1, zorder=1)
    told = ((rows["p_value"] < 1 - result.level) & ~rows["few"].astype(bool)).to_numpy()
    lag, estimate = rows["lag"].to_numpy(dtype=float), rows["estimate"].to_numpy(dtype=float)
    colour = np.where(told, theme.GOOD, theme.NEUTRAL)
    ax.vlines(lag, rows["low"].astype(float), rows["high"].astype(float), color=colour, linewidth=2, zorder=2)
    ax.scatter(lag[told], estimate[told], color=theme.GOOD, s=30, zorder=3)
    ax.scatter(lag[~told], estimate[~told], facecolor="white", edgecolor=theme.NEUTRAL, s=30, zorder=3)
    ax.set_xticks(lag, [f"{k:.0f}" for k in lag])
    ax.margins(x=0.15)
    ax.set_xlabel(_WORDS["lag"][lang])
    ax.set_ylabel(_WORDS["slope"][lang])
