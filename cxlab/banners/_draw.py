"""A banner as a picture: its headline lines as a grid of tinted cells."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from cxlab import theme
from cxlab.banners._columns import Texts
from cxlab.banners._result import BannerResult, shown_cells
from cxlab.charts import new_axes
from cxlab.items import pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TINTS = {
    "▲": (theme.GOOD, 0.55),
    "△": (theme.GOOD, 0.22),
    "▼": (theme.BAD, 0.55),
    "▽": (theme.BAD, 0.22),
    "": (theme.BAND, 0.35),
}
_KEY = {
    "en": "▲ ▼ above, below all others under the same heading at {levels}",
    "zh": "▲ ▼ 表示显著高于、低于同一表头下的其他受访者（{levels}）",
}
_HEADLINE = ("mean", "nps", "top2", "net")


def draw(banner: BannerResult, ax: Axes | None, lang: str) -> Axes:
    """One row per headline line (all lines where there is none), one cell per column, tinted by its arrow."""
    from matplotlib.patches import Rectangle

    lines = [(item, stub, cells) for item, _, found in banner.blocks() for stub, cells in found]
    lines = [line for line in lines if line[1].statistic in _HEADLINE] or lines
    wide, tall = len(banner.heads), len(lines)
    ax = ax or new_axes(2.6 + 0.82 * wide, 1.5 + 0.34 * tall)
    for row, (_, stub, cells) in enumerate(lines):
        for column, (text, _, arrow) in enumerate(shown_cells(stub, cells)):
            colour, strength = _TINTS[arrow]
            ax.add_patch(
                Rectangle((column, row), 1, 1, facecolor=colour, alpha=strength, edgecolor="white", linewidth=2)
            )
            ax.text(column + 0.5, row + 0.5, f"{text} {arrow}".strip(), ha="center", va="center", fontsize=8.5)
    names = [
        banner.item_label(item, lang) if stub.item in ("nps", "csat") and stub.statistic in ("nps", "top2")
        else f"{banner.item_label(item, lang)}\n{stub.label(lang)}" for item, stub, _ in lines
    ]  # fmt: skip
    ax.set_yticks([k + 0.5 for k in range(tall)], names, fontsize=8)
    ax.set_xticks(
        [k + 0.5 for k in range(wide)], ["\n".join(_heading(h.headings, lang)) for h in banner.heads], fontsize=8
    )
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set_xlim(0, wide)
    ax.set_ylim(tall, 0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    place = 0
    for _, same in groupby(banner.heads, lambda h: h.group):
        place += len(list(same))
        if place < wide:
            ax.axvline(place, color=theme.NEUTRAL, linewidth=1)
    levels = " / ".join(f"{100 * v:.10g}%" for v in banner.levels)
    ax.set_xlabel(_KEY[lang].format(levels=levels), fontsize=8, color=theme.NEUTRAL)
    ax.set_title(pick(banner.title, lang), pad=10)
    return ax


def _heading(headings: tuple[Texts, ...], lang: str) -> list[str]:
    """Labels above a column, from the outer to the inner variable."""
    inner = headings[1:] or headings
    return [pick(text, lang) for text in inner]
