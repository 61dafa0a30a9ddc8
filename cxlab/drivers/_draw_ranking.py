"""Picture of rank sets: one bar of possible ranks per driver, its rank, its letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxlab import theme
from cxlab.charts import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.drivers._ranking import RankingResult

_WORDS = {
    "rank": {"en": "rank", "zh": "名次"},
    "set": {"en": "ranks left open ({level} joint confidence)", "zh": "可能的名次（联合置信水平 {level}）"},
    "letters": {"en": "same letter:\nnot told apart", "zh": "字母相同：\n无法区分"},
}


def draw(result: RankingResult, ax: Axes | None, lang: str) -> Axes:
    """Draw the ranks that each driver may hold, first place on the left; a suppressed driver has none."""
    table = result.table
    ax = ax or new_axes(7.8, 1.2 + 0.34 * len(table))
    y, shown = np.arange(len(table)), (table["reliability"] != "suppressed").to_numpy()
    low, high, rank = (table[c].to_numpy(dtype=float) for c in ("rank_low", "rank_high", "rank"))
    settled = shown & (low == high)
    ax.barh(y[shown], high[shown] - low[shown] + 0.76, left=low[shown] - 0.38, height=0.5, color=theme.BAND, edgecolor=theme.NEUTRAL,
            linewidth=0.8, zorder=2, label=_WORDS["set"][lang].format(level=result.said_level))  # fmt: skip
    for some, marker, size in ((settled, "D", 46), (shown & ~settled, "o", 40)):
        ax.scatter(rank[some], y[some], marker=marker, s=size, color=theme.GOOD, zorder=3,
                   label=_WORDS["rank"][lang] if marker == "o" or not (shown & ~settled).any() else None)  # fmt: skip
    for row in np.flatnonzero(shown):
        ax.annotate(
            table["letters"].iloc[row], (1.015, row), xycoords=("axes fraction", "data"), va="center", fontsize=9.5
        )
    if shown.any():
        ax.annotate(_WORDS["letters"][lang], (1.015, 1.0), xytext=(0, 6), xycoords="axes fraction", textcoords="offset points",
                    va="bottom", fontsize=8.5, color=theme.NEUTRAL)  # fmt: skip
    ax.set_yticks(y, [result.label(d, lang) for d in table["driver"]])
    ax.set_xticks(np.arange(1, len(table) + 1))
    ax.set_xlim(0.4, len(table) + 0.6)
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", zorder=0)
    ax.set_title(result.text(result.title, lang), pad=26)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.1, handletextpad=0.4, fontsize=8.5)
    return ax
