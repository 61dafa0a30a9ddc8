"""Picture of asymmetry: two slopes per driver, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxlab import theme
from cxlab.charts import new_axes
from cxlab.drivers._scenario import records
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.drivers._asymmetry_result import AsymmetryResult

_WORDS = {
    "below": {"en": "below the knot", "zh": "低于转折点"},
    "above": {"en": "above the knot", "zh": "高于转折点"},
    "axis": {"en": "points of {} per +1 point, {} interval", "zh": "每 +1 分对应的{}变化（{} 区间）"},
    "title": {"en": "What one point more goes with, below and above", "zh": "高低分段每多 1 分对应的变化"},
    "knot": {"en": "{label} (knot {knot})", "zh": "{label}（{knot} 分）"},
}
_ORDER = ("must-be", "delighter", "performance", "not decided")


def draw(result: AsymmetryResult, ax: Axes | None, lang: str) -> Axes:
    """Draw dumbbells: must-bes first, then delighters, performance, and what is not decided."""
    table = result.table.assign(
        order=result.table["kind"].map(_ORDER.index), size=-result.table["estimate"].abs()
    ).sort_values(["order", "size"], ignore_index=True)
    table.loc[table["reliability"] == "suppressed", ["below", "above"]] = np.nan
    ax = ax or new_axes(8.2, 1.3 + 0.42 * len(table))
    y = np.arange(len(table))
    ax.axvline(0, color=theme.NEUTRAL, linewidth=1, zorder=1)
    ax.hlines(y, table["below"], table["above"], color=theme.BAND, linewidth=6, zorder=1)
    for side, colour, marker, shift in (("below", theme.BAD, "D", -0.13), ("above", theme.GOOD, "o", 0.13)):
        shown = table[side].notna().to_numpy()
        ax.hlines(
            y[shown] + shift,
            table.loc[shown, f"{side}_low"],
            table.loc[shown, f"{side}_high"],
            color=colour,
            linewidth=1.8,
            zorder=2,
        )
        ax.scatter(
            table.loc[shown, side],
            y[shown] + shift,
            color=colour,
            marker=marker,
            s=36,
            zorder=3,
            label=_WORDS[side][lang],
        )
    kinds = [result.text(result.labels["kind", k], lang) for k in table["kind"]]
    for row, (kind, name) in enumerate(zip(table["kind"], kinds, strict=True)):
        sure = kind != "not decided"
        ax.annotate(name, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=9,
                    color=theme.INK if sure else theme.NEUTRAL)  # fmt: skip
    labels = [
        result.label(r.driver, lang)
        if np.isnan(r.knot)
        else _WORDS["knot"][lang].format(label=result.label(r.driver, lang), knot=number(r.knot, "g"))
        for r in records(table)
    ]
    ax.set_yticks(y, labels)
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", zorder=0)
    ax.set_xlabel(_WORDS["axis"][lang].format(number(result.label(result.outcome, lang), "in"), result.said_level))
    ax.set_title(_WORDS["title"][lang], pad=26)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.1, handletextpad=0.3)
    return ax
