"""Picture of the register: every claim on its own scale, interval against claimed range."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import charts, theme
from cxlab.claim_register._finding import CONTRADICTED, SUPPORTED, UNDECIDED, UNTESTABLE
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.claim_register._result import ClaimsResult

COLOURS = {SUPPORTED: theme.GOOD, CONTRADICTED: theme.BAD, UNDECIDED: theme.NEUTRAL}
_MARKERS = {SUPPORTED: "o", CONTRADICTED: "D", UNDECIDED: "s"}
_WIDE, _WIDE_REASON = {"en": 46, "zh": 26}, {"en": 112, "zh": 62}
_WORDS = {
    "claimed": {"en": "claimed range (every row has its own scale)", "zh": "所称范围（各行刻度不同）"},
    "untestable": {"en": "untestable here: {}", "zh": "在此无法检验：{}"},
    "interval": {"en": "{} ({} to {})", "zh": "{}（{} 至 {}）"},
}


def draw(result: ClaimsResult, ax: Axes | None, lang: str) -> Axes:
    """Draw the claims of a result, tested ones first."""
    table = result.table
    order = [*np.flatnonzero(table["status"] != UNTESTABLE), *np.flatnonzero(table["status"] == UNTESTABLE)]
    rows = list(table.iloc[order].itertuples(index=False))
    ax = ax or charts.new_axes(10.4, 1.3 + 0.43 * len(rows))
    reasons = iter(result.untestable[f"reason_{lang}"])
    for y, row in enumerate(rows):
        if row.status == UNTESTABLE:
            said = _broken(_WORDS["untestable"][lang].format(next(reasons)), _WIDE_REASON[lang], lang)
            ax.annotate(said, (0.0, y), va="center", color=theme.NEUTRAL, fontsize=7.5, linespacing=1.15)
        else:
            _row(ax, result, row, (y, lang))
    used = set(table["status"])
    ax.set_yticks(range(len(rows)), [_name(result, row, lang) for row in rows], fontsize=8.5)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(-0.02, 1.42)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    for side in ("bottom", "left"):
        ax.spines[side].set_visible(False)
    ax.hlines(np.arange(len(rows) - 1) + 0.5, -0.02, 1.42, color=theme.GRID, linewidth=0.6, zorder=0)
    _legend(ax, used, lang)
    charts.set_finding(ax, result.headline(lang).text, pad=24)
    return ax


def _row(ax: Axes, result: ClaimsResult, row: Any, place: tuple[int, str]) -> None:
    """Band, interval and dot of one claim, and its numbers in words to the right."""
    y, lang = place
    low, high = _ends(result.table[result.table["claim"] == row.claim])

    def at(value: float) -> float:
        return float(np.clip((value - low) / (high - low), 0, 1))

    band = (at(row.claimed_low), at(row.claimed_high))
    ax.broken_barh([(band[0], band[1] - band[0])], (y - 0.3, 0.6), color=theme.BAND, linewidth=0, zorder=1)
    for column in ("claimed_low", "claimed_high"):
        value = getattr(row, column)
        if np.isfinite(value):
            ax.vlines(at(value), y - 0.3, y + 0.3, color=theme.NEUTRAL, linewidth=1, zorder=2)
            outward = -4 if column == "claimed_low" else 4
            ax.annotate(
                number(result.figure(row, column, lang, plain=True)), (at(value), y + 0.3), xytext=(outward, 0.5), textcoords="offset points",
                ha="right" if outward < 0 else "left", va="bottom", fontsize=7, color=theme.NEUTRAL,
            )  # fmt: skip
    colour = COLOURS[row.status]
    ax.hlines(y, at(row.low), at(row.high), color=colour, linewidth=2.4, zorder=3)
    ax.scatter(at(row.estimate), y, color=colour, marker=_MARKERS[row.status], s=38, zorder=4)
    said = [number(result.figure(row, c, lang, plain=c != "estimate")) for c in ("estimate", "low", "high")]
    ax.annotate(_WORDS["interval"][lang].format(*said), (1.03, y), va="center", fontsize=8.5, color=colour)


def _ends(rows: pd.DataFrame) -> tuple[float, float]:
    """Ends of a claim's scale: the intervals of its groups and the claimed ends, with room beside them."""
    values = rows[["low", "high", "estimate", "claimed_low", "claimed_high"]].to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    room = 0.16 * np.ptp(values) or 1.0
    return float(values.min() - room), float(values.max() + room)


def _name(result: ClaimsResult, row: Any, lang: str) -> str:
    """The claim, broken into lines, with its group."""
    text, group = result.label(row.claim, lang, "claim"), result.who(row, lang, within=False)
    return _broken(f"{text} – {group}" if group else text, _WIDE[lang], lang)


def _broken(text: str, width: int, lang: str) -> str:
    """Text in lines; Chinese has no spaces to break at."""
    if lang == "zh":
        return "\n".join(text[k : k + width] for k in range(0, len(text), width))
    return fill(text, width)


def _legend(ax: Axes, used: set[str], lang: str) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    from cxlab.claim_register._result import STATUS

    marks: list[Any] = [
        Line2D([], [], color=COLOURS[s], marker=_MARKERS[s], linewidth=2.4, label=STATUS[s][lang])
        for s in COLOURS
        if s in used
    ]
    if marks:
        marks.append(Patch(color=theme.BAND, label=_WORDS["claimed"][lang]))
        ax.legend(handles=marks, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, borderaxespad=0.1, fontsize=8.5)
