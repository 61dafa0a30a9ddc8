"""Pictures drawn from tables alone: intervals, dots, lines."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import theme
from cxlab.words import language, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WORDS = {
    "noise": {
        "en": "noise line: a permuted driver stays left of it 19 times in 20",
        "zh": "噪声线：随机打乱后的因素有 95% 落在其左侧",
    },
    "interval": {"en": "{level} interval", "zh": "{level} 区间"},
    "target": {"en": "target", "zh": "目标"},
}


def _word(key: str, lang: str | None) -> str:
    return _WORDS[key][language(lang)]


def new_axes(width: float, height: float) -> Axes:
    """Axes of a new figure in the theme, sizes in inches."""
    import matplotlib.pyplot as plt

    theme.use()
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def importance(
    table: pd.DataFrame, *, title: str, lang: str | None = None, level: str = "95%", ax: Axes | None = None
) -> Axes:
    """Draw shares with intervals and null lines, the first row on top.

    Parameters
    ----------
    table : DataFrame
        ``label, share, share_low, share_high, null_share, distinguishable``, shares from 0 to 1; rows whose
        numbers are NaN (suppressed) keep their place.
    title : str
    lang : {"en", "zh"}, optional
    level : str
        Confidence level of the intervals, as printed.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(7.6, 0.9 + 0.34 * len(table))
    y = np.arange(len(table))
    clear = table["distinguishable"].to_numpy(dtype=bool)
    share, low, high = (100 * table[c].to_numpy(dtype=float) for c in ("share", "share_low", "share_high"))
    ax.barh(y, share, color=np.where(clear, theme.GOOD, theme.BAND), height=0.62, zorder=2)
    half = (high - low) / 2  # about the middle: a percentile interval need not hold the estimate
    if np.isfinite(half).any():
        ax.errorbar(low + half, y, xerr=half, fmt="none", ecolor=theme.INK, elinewidth=1.1, capsize=2.5, zorder=3,
                    label=_word("interval", lang).format(level=level))  # fmt: skip
    null = 100 * table["null_share"].to_numpy(dtype=float)
    if np.isfinite(null).any():
        ax.scatter(null, y, marker="|", s=150, color="white", linewidths=3.6, zorder=4)  # seen in black and white too
        ax.scatter(null, y, marker="|", s=130, color=theme.BAD, linewidths=1.6, zorder=5, label=_word("noise", lang))
    reach = np.nan_to_num(np.where(np.isfinite(high), high, share))
    for row, (value, end) in enumerate(zip(share, reach, strict=True)):
        ax.annotate(
            number(value / 100, ".0%"), (end, row), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9
        )
    ax.set_yticks(y, table["label"])
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.set_xlim(0, 1.14 * max(float(reach.max(initial=1.0)), 1.0))
    ax.xaxis.set_major_formatter(lambda v, _: f"{v:.0f}%")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", zorder=0)
    ax.set_title(title, pad=26 if np.isfinite(null).any() else 8)
    if np.isfinite(null).any():
        ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.1, handletextpad=0.4, fontsize=8.5
        )
    return ax


def dots(
    table: pd.DataFrame,
    *,
    title: str,
    spec: str = ".1f",
    reference: float | None = None,
    colours: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates with intervals as dots on a common axis, the first row on top.

    Parameters
    ----------
    table : DataFrame
        ``label, estimate, low, high``; rows of NaN keep their place.
    title : str
    spec : str
        How values are printed, see :func:`cxlab.words.number`.
    reference : float, optional
        Value of a vertical line, such as 0 for differences.
    colours : list of str, optional
        One per row; rows in ``theme.BAD`` are diamonds, so that they stand out in black and white too.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(7.2, 0.8 + 0.3 * len(table))
    y = np.arange(len(table))
    value, low, high = (table[c].to_numpy(dtype=float) for c in ("estimate", "low", "high"))
    shade = list(colours) if colours is not None else [theme.GOOD] * len(table)
    if reference is not None:
        ax.axvline(reference, color=theme.NEUTRAL, linewidth=1, zorder=1)
    ax.hlines(y, low, high, color=shade, linewidth=2.2, zorder=2)
    low_ones = np.array([c == theme.BAD for c in shade], dtype=bool)
    for rows, marker, area in ((~low_ones, "o", 34), (low_ones, "D", 48)):
        ax.scatter(value[rows], y[rows], color=np.array(shade)[rows], marker=marker, s=area, zorder=3)
    for row in np.flatnonzero(np.isfinite(value)):
        ax.annotate(
            number(value[row], spec),
            (high[row], row),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    ax.set_yticks(y, table["label"])
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.margins(x=0.12)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", zorder=0)
    ax.set_title(title)
    return ax


def lines(
    table: pd.DataFrame,
    *,
    title: str,
    names: Mapping[Any, str] | None = None,
    target: float | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a value over waves with its interval as a band, one line per segment.

    Parameters
    ----------
    table : DataFrame
        ``wave`` (text), ``estimate, low, high`` and, optionally, ``segment``; waves in order within every segment,
        each of which has all of them. Rows of NaN keep their place and leave a gap.
    title : str
    names : mapping of segment to str, optional
    target : float, optional
    lang : {"en", "zh"}, optional
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(7.6, 3.2)
    waves = list(dict.fromkeys(table["wave"]))
    place = {w: k for k, w in enumerate(waves)}
    groups = table.groupby("segment", sort=False) if "segment" in table else [(None, table)]
    for (segment, rows), colour in zip(groups, theme.SEQUENCE * 9, strict=False):
        x = [place[w] for w in rows["wave"]]
        ax.fill_between(x, rows["low"].astype(float), rows["high"].astype(float), color=colour, alpha=0.15, linewidth=0)
        ax.plot(x, rows["estimate"], color=colour, marker="o", markersize=3.2, linewidth=1.6)
        known = np.flatnonzero(np.isfinite(rows["estimate"].to_numpy(dtype=float)))
        if segment is not None and len(known):
            end = (x[known[-1]], rows["estimate"].iloc[known[-1]])
            ax.annotate((names or {}).get(segment, str(segment)), end, xytext=(7, 0),
                        textcoords="offset points", va="center", color=colour, fontsize=9)  # fmt: skip
    if target is not None:
        ax.axhline(target, color=theme.BAD, linestyle="--", linewidth=1.1)
        ax.annotate(f"{_word('target', lang)} {target:g}", (0, target), xytext=(0, 3), textcoords="offset points",
                    color=theme.BAD, fontsize=8.5)  # fmt: skip
    step = max(1, -(-len(waves) // 8))
    ticks = list(range(len(waves) - 1, -1, -step))
    ax.set_xticks(ticks, [waves[t] for t in ticks])
    ax.margins(x=0.02)
    ax.grid(axis="y")
    ax.set_title(title)
    return ax


_AWAY = [
    (r * np.cos(a), r * np.sin(a))
    for r in (9, 16, 26, 38, 52, 70, 90, 115)
    for a in np.deg2rad([0, 180, 45, 135, 315, 225, 90, 270, 22, 158, 338, 202])
]
_SIDES, _LEVELS = {-1: "right", 0: "center", 1: "left"}, {-1: "top", 0: "center", 1: "bottom"}


def label_points(
    ax: Axes,
    x: np.ndarray,
    y: np.ndarray,
    texts: Sequence[str],
    *,
    fontsize: float = 9,
    avoid: np.ndarray | None = None,
) -> None:
    """Put each text at the nearest free place around its point, with a thin line where that is far.

    Parameters
    ----------
    ax : Axes
    x, y : array, shape (p,)
    texts : sequence of p str
    fontsize : float
    avoid : array, shape (q, 2), optional
        Further places of the axes that are better left free.
    """
    figure = ax.figure.get_figure(root=True)
    figure.draw_without_rendering()  # the layout settles before places are measured
    points, scale = ax.transData.transform(np.column_stack([x, y])), figure.dpi / 72
    busy = points if avoid is None else np.vstack([points, ax.transData.transform(avoid)])
    inside, sizes = np.array(ax.get_window_extent().extents), [_size(ax, text, fontsize) for text in texts]
    boxes: dict[int, np.ndarray] = {}
    chosen: dict[int, tuple[float, float]] = {}
    for _ in range(3):  # later sweeps know where all others went
        for k in np.argsort(-points[:, 1]):
            others = np.array([box for other, box in boxes.items() if other != k]).reshape(-1, 4)
            places = np.array([_box(points[k], sizes[k], away, scale) for away in _AWAY])
            best = int(np.argmin([_harm(box, others, busy, inside, scale) for box in places]))
            boxes[int(k)], chosen[int(k)] = places[best], _AWAY[best]
    for k, (across, up) in chosen.items():
        text = ax.annotate(texts[k], (x[k], y[k]), xytext=(across, up), textcoords="offset points", ha=_SIDES[_side(across)],
                           va=_LEVELS[_side(up)], fontsize=fontsize, zorder=4,
                           bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
                           arrowprops={"arrowstyle": "-", "color": theme.NEUTRAL, "lw": 0.6} if np.hypot(across, up) > 12 else None)  # fmt: skip
        text.set_in_layout(False)


def _side(offset: float) -> int:
    """Whether a text stands before, at or behind its point, as −1, 0, 1."""
    return int(offset > 1) - int(offset < -1)


def _size(ax: Axes, words: str, fontsize: float) -> np.ndarray:
    """Width and height of a text in pixels."""
    text = ax.annotate(words, (0, 0), xycoords="axes fraction", fontsize=fontsize)
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


# ------------------------------------------------------------------------------ titles that say the finding
_PIECE = re.compile(r"\s+|[^\s\u2e80-\uffef“”]+|[“”\u2e80-\uffef]")
_NEVER_FIRST = "，。：；、）”"
_NEVER_LAST = "（“"


def set_finding(ax: Axes, text: str, pad: float | None = None) -> None:
    """Write a title over a picture, broken where its width asks for it."""
    size = 11.0
    points = ax.bbox.width * 72 / ax.figure.get_figure(root=True).dpi
    ax.set_title(broken(text, points / (0.55 * size)), fontsize=size, pad=pad)


def broken(text: str, wide: float) -> str:
    """Break a text into lines of equal length, none longer than ``wide`` Latin letters; a Chinese character counts for two.

    Examples
    --------
    >>> broken("Customers of the gold card stay longer", 24)
    'Customers of the gold\\ncard stay longer'
    >>> broken("金卡顾客留存更久：68% 对 52%", 20)
    '金卡顾客留存更\\n久：68% 对 52%'
    """
    lines = max(1, -(-_width(text) // max(int(wide), 8)))
    return _filled(text, max(_width(text) / lines * 1.12, 8)) if lines > 1 else text


def _filled(text: str, wide: float) -> str:
    lines, pieces = [""], list[str]()
    for piece in _PIECE.findall(text):
        glued = pieces and (piece in _NEVER_FIRST or pieces[-1][-1] in _NEVER_LAST)
        pieces[-1:] = [pieces[-1] + piece] if glued else [*pieces[-1:], piece]
    for piece in pieces:
        if lines[-1].strip() and _width(lines[-1] + piece.rstrip()) > wide:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _width(text: str) -> int:
    return sum(2 if ord(c) > 0x2E80 else 1 for c in text)
