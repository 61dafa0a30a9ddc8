"""Picture of the priority map: crosses of intervals, cuts, labels that keep apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cxlab import theme
from cxlab.charts import label_points, new_axes
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
    label_points(
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
