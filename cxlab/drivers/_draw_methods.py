"""Pictures of dominance, of methods beside each other, and of blocks by segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import theme
from cxlab.charts import new_axes
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from cxlab.drivers._blocks import BlockResult
    from cxlab.drivers._dominance import DominanceResult
    from cxlab.drivers._methods import MethodsResult

_WORDS = {
    "dominance": {"en": "Subsets in which the row adds more to the explanation of {o} than the column\n(bold: in all, complete dominance)",
                  "zh": "行因素对{o}的增量解释力大于列因素的子集占比（粗体：全部子集，即完全优势）"},
    "methods": {"en": "Rank of each driver of {o} by method", "zh": "各方法下{o}驱动因素的排名"},
    "blocks": {"en": "Share of each block in what explains {o}, by {b}", "zh": "各类别占{o}解释力的比例（按{b}）"},
}  # fmt: skip


def _shades() -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("cxlab", ["white", theme.GOOD])


def _map(values: pd.DataFrame, texts: np.ndarray, ax: Axes, high: float) -> Axes:
    """Draw a table of numbers as shades with the numbers in them."""
    import seaborn as sns

    sns.heatmap(values, annot=texts, fmt="", cmap=_shades(), vmin=0, vmax=high, cbar=False, linewidths=1,
                linecolor="white", annot_kws={"fontsize": 8.5}, ax=ax)  # fmt: skip
    ax.set_xlabel("")
    ax.set_ylabel("")
    ax.tick_params(length=0)
    ax.tick_params(axis="y", rotation=0)
    for text in ax.get_xticklabels():
        text.set(rotation=35, ha="right", rotation_mode="anchor")
    return ax


def dominance_map(result: DominanceResult, lang: str, ax: Axes | None) -> Axes:
    """Draw the shares of subsets of every ordered pair, drivers in the order of their importance."""
    order = result.table["driver"].tolist()
    values = result.pairs.pivot(index="driver", columns="other", values="subsets").loc[order, order]
    if result.table["reliability"].iloc[0] == "suppressed":
        values = values * np.nan
    labels = [result.label(d, lang) for d in order]
    texts = np.array([[_share(v) for v in row] for row in values.to_numpy()])
    ax = ax or new_axes(2.4 + 0.62 * len(order), 1.9 + 0.36 * len(order))
    _map(values.set_axis(labels, axis=0).set_axis(labels, axis=1), texts, ax, 1.6)
    for text in ax.texts:
        if text.get_text() == "100%":
            text.set_fontweight("bold")
    ax.set_title(_WORDS["dominance"][lang].format(o=number(result.label(result.outcome, lang), "in")))
    return ax


def _share(value: float) -> str:
    """A share in per cent; 0% and 100% only where it is exactly that."""
    if not np.isfinite(value):
        return ""
    text = number(value, ".0%")
    return ">99%" if text == "100%" and value < 1 else "<1%" if text == "0%" and value > 0 else text


def method_map(result: MethodsResult, lang: str, ax: Axes | None) -> Axes:
    """Draw ranks, drivers in the order of their mean rank."""
    shown = result.table
    ranks = shown.pivot(index="driver", columns="method", values="rank")
    order = ranks.mean(axis=1).sort_values(kind="stable").index
    ranks = ranks.loc[order, list(dict.fromkeys(shown["method"]))]
    if (shown["reliability"] == "suppressed").any():
        ranks = ranks * np.nan
    texts = np.array([[number(v, ".0f") if np.isfinite(v) else "" for v in row] for row in ranks.to_numpy(float)])
    names = ranks.set_axis([result.label(d, lang) for d in ranks.index], axis=0)
    names = names.set_axis([result.label(m, lang, "method") for m in ranks.columns], axis=1)
    ax = ax or new_axes(2.6 + 0.72 * ranks.shape[1], 2.2 + 0.32 * len(ranks))
    _map(len(ranks) + 1 - names.astype(float), texts, ax, 1.6 * len(ranks))
    ax.set_title(_WORDS["methods"][lang].format(o=number(result.label(result.outcome, lang), "in")))
    return ax


def blocks_by_segment(result: BlockResult, lang: str, ax: Axes | None) -> Axes:
    """Draw the blocks' shares in every segment with intervals, one colour and marker per block."""
    table: Any = result.segments
    blocks, segments = list(dict.fromkeys(table["block"])), list(dict.fromkeys(table["segment"]))
    ax = ax or new_axes(7.2, 1.2 + len(segments) * (0.18 + 0.16 * len(blocks)))
    colours = theme.segment_colours(blocks)
    for k, block in enumerate(blocks):
        rows = table[table["block"] == block].set_index("segment").loc[segments]
        hidden = (rows["reliability"] == "suppressed").to_numpy()
        share, low, high = (
            np.where(hidden, np.nan, 100 * rows[c].to_numpy(float)) for c in ("share", "share_low", "share_high")
        )
        y = np.arange(len(segments)) + (k - (len(blocks) - 1) / 2) * 0.7 / max(len(blocks), 1)
        ax.hlines(y, low, high, color=colours[block], linewidth=2)
        ax.scatter(
            share,
            y,
            color=colours[block],
            marker="oDs^vPX"[k % 7],
            s=32,
            zorder=3,
            label=result.label(block, lang, "block"),
        )
    ax.set_yticks(range(len(segments)), [result.label(s, lang, "segment") for s in segments])
    ax.set_ylim(len(segments) - 0.4, -0.6)
    ax.xaxis.set_major_formatter(lambda v, _: f"{v:.0f}%")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", zorder=0)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, borderaxespad=0.1, handletextpad=0.4)
    o, b = (number(result.label(n, lang), "in") for n in (result.outcome, result.by))
    ax.set_title(_WORDS["blocks"][lang].format(o=o, b=b), pad=26)
    return ax
