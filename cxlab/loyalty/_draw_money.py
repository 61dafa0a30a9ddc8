"""Picture of the value of a point: a bar per segment with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import charts, theme
from cxlab.charts import set_finding
from cxlab.loyalty._money_result import decimals
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.loyalty._money_result import ValueResult

_WORDS = {
    "revenue": {"en": "revenue per 100 customers and year", "zh": "每 100 名顾客每年的收入"},
    "margin": {"en": "margin per 100 customers and year", "zh": "每 100 名顾客每年的毛利"},
    "all": {"en": "all", "zh": "全部"},
    "interval": {"en": "bars: one point more, {} interval", "zh": "柱：满意度提高 1 分，{} 区间"},
}


def draw(result: ValueResult, ax: Axes | None, lang: str) -> Axes:
    """Draw the values of a result."""
    table = pd.concat([result.table, result.whole], ignore_index=True)
    shown = table[table["reliability"] != "suppressed"].reset_index(drop=True)
    ax = ax or charts.new_axes(7.2, 1.6 + 0.55 * max(len(shown), 1))
    key, place = result.key, np.arange(len(shown))
    codes = [] if key is None else [str(c) for c in result.table[key]]
    colours: dict[Any, str] = theme.segment_colours(codes)
    whole = shown["estimate"].isna() if key is None else shown[key].isna()
    colour = [
        theme.NEUTRAL if w else colours.get(str(c), theme.GOOD)
        for w, c in zip(whole, shown[key] if key else whole, strict=True)
    ]
    ax.barh(place, shown["estimate"], color=colour, height=0.6 if len(shown) > 1 else 0.35, alpha=0.85, zorder=2)
    ax.hlines(place, shown["low"], shown["high"], color=theme.INK, linewidth=1.6, zorder=3)
    for k, row in enumerate(shown.itertuples(index=False)):
        reach: Any = max(row.high, 0)  # type: ignore[type-var]
        ax.annotate(
            number(row.estimate, result.money) + result.unit_of(lang), (reach, k), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9,
        )  # fmt: skip
    names = [
        _WORDS["all"][lang] if key is None or w else result.label(c, lang, key)
        for w, c in zip(whole, shown[key] if key else whole, strict=True)
    ]
    ax.set_yticks(place, names)
    ax.axvline(0, color=theme.NEUTRAL, linewidth=1)
    ax.margins(x=0.16)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    _finish(ax, result, lang)
    return ax


def _finish(ax: Axes, result: ValueResult, lang: str) -> None:
    from matplotlib.ticker import FuncFormatter

    axis = decimals(float(np.ptp(ax.get_xlim())) / 10, 1)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v, axis)))
    unit = result.currency.get(lang, "")
    what = _WORDS["margin" if result.with_margin else "revenue"][lang]
    band = _WORDS["interval"][lang].format(result.said_level)
    if lang == "en":
        ax.set_xlabel(f"{what}{f', {unit}' if unit else ''} ({band})")
    else:
        ax.set_xlabel(f"{what}{f'（{unit}）' if unit else ''}　{band}")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", zorder=0)
    set_finding(ax, result.headline(lang).text)
