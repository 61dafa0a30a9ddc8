"""Picture of a comparison of treatments: one row per driver, one interval per treatment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxlab import charts, theme
from cxlab.drivers._missing_words import TREATMENTS
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.drivers._compare_missing import MissingComparison

_MARKS = ("o", "s", "D", "^", "v")
_TITLE = {
    "en": "Share of the explained differences in {}, by treatment of missing answers",
    "zh": "各因素占{}差异解释力的比例（按缺失处理方式）",
}


def draw(result: MissingComparison, ax: Axes | None, lang: str) -> Axes:
    """Draw shares with intervals; a suppressed driver has none."""
    drivers = list(dict.fromkeys(result.table["driver"]))
    treatments = list(result.results)
    ax = ax or charts.new_axes(7.8, 1.5 + (0.14 * len(treatments) + 0.16) * len(drivers))
    bases = result.bases.set_index("treatment")["base"]
    for place, treatment in enumerate(treatments):
        rows = result.table[result.table["treatment"] == treatment].set_index("driver").loc[drivers]
        rows = rows.where(rows["reliability"] != "suppressed")
        y = np.arange(len(drivers)) + (place - (len(treatments) - 1) / 2) * 0.72 / len(treatments)
        share, low, high = (100 * rows[c].to_numpy(dtype=float) for c in ("share", "share_low", "share_high"))
        colour = theme.SEQUENCE[place]
        ax.hlines(y, low, high, color=colour, linewidth=1.4, zorder=2)
        label = f"{TREATMENTS[treatment][lang]} ({bases[treatment]:,})"
        ax.plot(share, y, _MARKS[place], color=colour, markersize=4.5, linestyle="none", label=label, zorder=3)
    for line in np.arange(len(drivers) - 1) + 0.5:
        ax.axhline(line, color=theme.BAND, linewidth=0.6, zorder=0)
    ax.set_yticks(np.arange(len(drivers)), [result.label(d, lang) for d in drivers])
    ax.set_ylim(len(drivers) - 0.4, -0.6)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(lambda v, _: f"{v:.0f}%")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", zorder=0)
    ax.grid(axis="y", visible=False)
    ax.set_title(
        _TITLE[lang].format(number(result.label(result.outcome, lang), "in")), pad=26 if len(treatments) < 4 else 40
    )
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.1, handletextpad=0.2,
              columnspacing=1.1, fontsize=8.5)  # fmt: skip
    return ax
