"""Picture of intention against behaviour: shares by answer, the line of answers as probabilities, who gave which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import charts, theme
from cxlab.charts import set_finding
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.loyalty._intention_result import IntentionResult

_WORDS = {
    "shares": {"en": "did it, {} interval", "zh": "实际行为比例及 {} 区间"},
    "stated": {"en": "if customers did what they say", "zh": "若言行一致"},
    "share": {"en": "share with “{}”", "zh": "“{}”的比例"},
    "base": {"en": "share of customers", "zh": "顾客占比"},
}


def draw(result: IntentionResult, ax: Axes | None, lang: str) -> Axes:
    """Draw the calibration of a result."""
    ax = ax or charts.new_axes(7.4, 4.6)
    key = result.key
    codes: list[Any] = [None] if key is None else list(dict.fromkeys(result.table[key]))
    colours = [theme.GOOD] if key is None else list(theme.segment_colours([str(c) for c in codes]).values())
    ax.plot(
        result.scale, (0, 1), color=theme.NEUTRAL, linestyle=(0, (4, 2)), linewidth=1.2, label=_WORDS["stated"][lang]
    )
    for k, (code, colour) in enumerate(zip(codes, colours, strict=True)):
        table = result.table if key is None else result.table[result.table[key] == code]
        label = _WORDS["shares"][lang].format(result.said_level) if key is None else result.label(code, lang, key)
        _points(ax, table, (colour, label), (k - (len(codes) - 1) / 2) * 0.012 * (result.scale[1] - result.scale[0]))
    if key is None:
        _customers(ax, result.table, lang)
    _finish(ax, result, lang)
    return ax


def _points(ax: Axes, table: pd.DataFrame, look: tuple[str, str], offset: float) -> None:
    """Shares with intervals where the base allows; hollow where it is low."""
    colour, label = look
    shown = table[table["reliability"] != "suppressed"]
    x = shown["point"].to_numpy() + offset
    ax.vlines(x, shown["low"], shown["high"], color=colour, linewidth=1.6, alpha=0.85, zorder=3)
    ax.plot(x, shown["estimate"], color=colour, linewidth=1.2, zorder=2)
    full = (shown["reliability"] == "ok").to_numpy()
    ax.scatter(x[full], shown["estimate"][full], color=colour, s=30, zorder=4, label=label)
    ax.scatter(x[~full], shown["estimate"][~full], facecolor="white", edgecolor=colour, s=30, zorder=4)


def _customers(ax: Axes, table: pd.DataFrame, lang: str) -> None:
    """Share of customers who gave each answer, along the foot."""
    width = 0.7 * (np.median(np.diff(table["point"])) if len(table) > 1 else 1.0)
    below = ax.twinx()
    below.bar(table["point"], table["share"], width=width, color=theme.BAND, zorder=0)
    top = float(table["share"].max())
    below.set_ylim(0, 5 * top)
    below.set_yticks([0, top], ["0", number(top, ".0%")])
    below.set_ylabel(_WORDS["base"][lang], loc="bottom", color=theme.NEUTRAL)
    below.tick_params(axis="y", colors=theme.NEUTRAL, length=0)
    below.spines["right"].set_visible(False)
    ax.set_zorder(below.get_zorder() + 1)
    ax.patch.set_visible(False)


def _finish(ax: Axes, result: IntentionResult, lang: str) -> None:
    from matplotlib.ticker import PercentFormatter

    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_ylim(0, 1.02)
    ax.set_xlabel(result.label(result.intention, lang))
    ax.set_ylabel(_WORDS["share"][lang].format(result.label(result.behaviour, lang)))
    ax.grid(axis="y", zorder=0)
    ax.legend(loc="best")
    set_finding(ax, result.headline(lang).text)
