"""Picture of the priority map: crosses of intervals, cuts, labels that keep apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cxlab import theme
from cxlab.charts import new_axes
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.drivers._priority_map import PriorityMapResult

_AXES = {
    "importance": {"en": "Importance: share of the explained differences in {}", "zh": "重要性：占{}差异解释力的比例"},
    "performance": {"en": "Performance (mean score)", "zh": "表现（平均得分）"},
}
_LOOK = {
    "fix first": (theme.BAD, "D"), "keep up": (theme.GOOD, "o"), "maintain": ("#009E73", "s"), "low priority": (theme.NEUTRAL, "v"),
    "not decided": (theme.INK, "x"),
}  # fmt: skip
_CORNERS = {
    "fix first": (0.015, 0.985),
    "keep up": (0.985, 0.985),
    "low priority": (0.015, 0.015),
    "maintain": (0.985, 0.015),
}
_AWAY = [
    (r * np.cos(a), r * np.sin(a))
    for r in (9, 16, 26, 38, 52, 70, 90, 115)
    for a in np.deg2rad([0, 180, 45, 135, 315, 225, 90, 270, 22, 158, 338, 202])
]
_SIDES, _LEVELS = {-1: "right", 0: "center", 1: "left"}, {-1: "top", 0: "center", 1: "bottom"}


def draw(result: PriorityMapResult, ax: Axes | None, lang: str) -> Axes:
    """Draw drivers by performance (across) and importance (up)."""
    table = result.table[result.table["reliability"] != "suppressed"].reset_index(drop=True)
    ax = ax or new_axes(8.4, 6.0)
    ax.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    _cuts(result, ax)
    for kind, (colour, marker) in _LOOK.items():
        rows = table[table["quadrant"] == kind]
        if len(rows):
            ax.hlines(
                rows["share"],
                rows["performance_low"],
                rows["performance_high"],
                color=colour,
                linewidth=1.2,
                alpha=0.7,
                zorder=2,
            )
            ax.vlines(
                rows["performance"],
                rows["share_low"],
                rows["share_high"],
                color=colour,
                linewidth=1.2,
                alpha=0.7,
                zorder=2,
            )
            name = result.text(result.labels["quadrant", kind], lang)
            ax.scatter(
                rows["performance"],
                rows["share"],
                color=colour,
                marker=marker,
                s=42,
                zorder=3,
                label=f"{name} ({len(rows)})",
            )
    for kind, (x, y) in _CORNERS.items():
        ax.annotate(result.text(result.labels["quadrant", kind], lang), (x, y), xycoords="axes fraction", fontsize=10.5, color=theme.NEUTRAL,
                    ha="left" if x < 0.5 else "right", va="bottom" if y < 0.5 else "top", zorder=1)  # fmt: skip
    ax.margins(x=0.1, y=0.1)
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    ax.set_xlabel(_AXES["performance"][lang])
    ax.set_ylabel(_AXES["importance"][lang].format(number(result.label(result.outcome, lang), "in")))
    ax.set_title(result.text(result.title, lang), pad=26)
    if len(table):
        ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1.0), ncols=5, borderaxespad=0.1, handletextpad=0.2, columnspacing=1.2
        )
    _label(
        ax, table["performance"].to_numpy(), table["share"].to_numpy(), [result.label(d, lang) for d in table["driver"]]
    )
    return ax


def _cuts(result: PriorityMapResult, ax: Axes) -> None:
    """Lines where all drivers have the same cut; a mark of its own for each that differs."""
    ax.axhline(result.cuts["importance"].iloc[0], color=theme.NEUTRAL, linewidth=1, linestyle="--", zorder=1)
    cut = result.cuts.set_index("driver")["performance"]
    if cut.nunique() == 1:
        ax.axvline(cut.iloc[0], color=theme.NEUTRAL, linewidth=1, linestyle="--", zorder=1)
    else:
        ax.scatter(cut[result.table["driver"]], result.table["share"], marker="|", s=110, color=theme.ACCENT, zorder=2)


def _label(ax: Axes, x: np.ndarray, y: np.ndarray, texts: Sequence[str]) -> None:
    """Put each text at the nearest free place around its point, with a thin line where that is far."""
    figure = ax.figure.get_figure(root=True)
    figure.draw_without_rendering()  # the layout settles before places are measured
    points, scale = ax.transData.transform(np.column_stack([x, y])), figure.dpi / 72
    inside, sizes = np.array(ax.get_window_extent().extents), [_size(ax, text) for text in texts]
    boxes: dict[int, np.ndarray] = {}
    chosen: dict[int, tuple[float, float]] = {}
    for _ in range(3):  # later sweeps know where all others went
        for k in np.argsort(-points[:, 1]):
            others = np.array([box for other, box in boxes.items() if other != k]).reshape(-1, 4)
            places = np.array([_box(points[k], sizes[k], away, scale) for away in _AWAY])
            best = int(np.argmin([_harm(box, others, points, inside, scale) for box in places]))
            boxes[int(k)], chosen[int(k)] = places[best], _AWAY[best]
    for k, (across, up) in chosen.items():
        text = ax.annotate(texts[k], (x[k], y[k]), xytext=(across, up), textcoords="offset points", ha=_SIDES[_side(across)],
                           va=_LEVELS[_side(up)], fontsize=9, zorder=4,
                           bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
                           arrowprops={"arrowstyle": "-", "color": theme.NEUTRAL, "lw": 0.6} if np.hypot(across, up) > 12 else None)  # fmt: skip
        text.set_in_layout(False)


def _side(offset: float) -> int:
    """Whether a text stands before, at or behind its point, as −1, 0, 1."""
    return int(offset > 1) - int(offset < -1)


def _size(ax: Axes, words: str) -> np.ndarray:
    """Width and height of a text in pixels."""
    text = ax.annotate(words, (0, 0), xycoords="axes fraction", fontsize=9)
    width, height = text.get_window_extent().size
    text.remove()
    return np.array([width, height])


def _box(point: np.ndarray, size: np.ndarray, away: tuple[float, float], scale: float) -> np.ndarray:
    """Left, lower, right and upper end of a text that stands away from its point."""
    shift = np.array([(_side(a) - 1) / 2 for a in away]) * size
    low = point + scale * np.array(away) + shift
    return np.concatenate([low, low + size])


def _harm(box: np.ndarray, others: np.ndarray, points: np.ndarray, inside: np.ndarray, scale: float) -> float:
    """How bad a place is: cut off, then on another text, then on a point; the nearer of two equals is better by order."""
    texts = ((box[:2] < others[:, 2:]) & (box[2:] > others[:, :2])).all(axis=1).sum()
    hidden = ((box[:2] - 5 * scale < points) & (points < box[2:] + 5 * scale)).all(axis=1).sum()
    outside = (box[:2] < inside[:2]).any() or (box[2:] > inside[2:]).any()
    return float(100 * outside + 10 * texts + hidden)
