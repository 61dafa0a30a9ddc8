"""Picture of a survival analysis: step curves with bands, and how many are still at risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import charts, theme
from cxlab.charts import set_finding
from cxlab.loyalty._survival_result import UNITS
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.loyalty._survival_result import SurvivalResult

_WORDS = {
    "time": {"en": "time in {}", "zh": "时间（{}）"},
    "kept": {"en": "share without “{}”", "zh": "尚未发生“{}”的比例"},
    "had": {"en": "share with “{}”", "zh": "已发生“{}”的比例"},
    "at_risk": {"en": "respondents at risk", "zh": "在观察人数"},
    "small": {"en": "{} (too few)", "zh": "{}（样本不足）"},
    "band": {"en": "bands: {} intervals", "zh": "色带：{} 区间"},
}
_TICKS = 6


def draw(result: SurvivalResult, ax: Axes | None, lang: str) -> Axes:
    """Draw the curves of a result."""
    ax = ax or charts.new_axes(7.4, 4.6)
    key = result.key
    codes: list[Any] = [None] if key is None else list(dict.fromkeys(result.curve[key]))
    colours = [theme.GOOD] if key is None else list(theme.segment_colours([str(c) for c in codes]).values())
    ticks = _ticks(result)
    for k, (code, colour) in enumerate(zip(codes, colours, strict=True)):
        steps = result.curve if key is None else result.curve[result.curve[key] == code]
        small = bool((result.medians["reliability"] == "suppressed").iloc[k])
        label = None if key is None else result.label(code, lang, key)
        if small:
            ax.plot(
                [],
                [],
                color=colour,
                linewidth=1.7,
                linestyle=":",
                label=_WORDS["small"][lang].format(label or "").strip(),
            )
        else:
            _curve(ax, steps, colour, label)
        _at_risk(ax, steps, ticks, (colour, k))
    _finish(ax, result, ticks, lang)
    return ax


def _curve(ax: Axes, steps: pd.DataFrame, colour: str, label: str | None) -> None:
    x, value, low, high = (steps[c].to_numpy() for c in ("time", "estimate", "low", "high"))
    ax.fill_between(x, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
    ax.step(x, value, where="post", color=colour, linewidth=1.7, label=label)


def _ticks(result: SurvivalResult) -> np.ndarray:
    """The times asked for if they are few, else round ones."""
    longest = float(result.curve["time"].max())
    asked = np.unique(result.table["time"])
    asked = asked[asked <= longest]
    if 1 < len(asked) <= _TICKS:
        return np.r_[0.0, asked]
    return np.linspace(0, longest, _TICKS).round()


def _at_risk(ax: Axes, steps: pd.DataFrame, ticks: np.ndarray, look: tuple[str, int]) -> None:
    """Numbers of respondents beneath the axis, a line per group."""
    colour, line = look
    time, counts = steps["time"].to_numpy(), steps["at_risk"].to_numpy()
    for tick in ticks:
        later = np.flatnonzero(time >= tick)
        count = int(counts[later[0]]) if len(later) else 0
        ax.annotate(
            number(count, ","), (tick, 0), xycoords=("data", "axes fraction"), xytext=(0, -52 - 13 * line), textcoords="offset points",
            ha="center", va="top", color=colour, fontsize=8.5, annotation_clip=False,
        )  # fmt: skip


def _finish(ax: Axes, result: SurvivalResult, ticks: np.ndarray, lang: str) -> None:
    from matplotlib.ticker import PercentFormatter

    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_ylim(0, 1.02)
    ax.set_xlim(0, max(float(ticks.max()), 1e-9) * 1.03)
    ax.set_xticks(ticks, [number(t, "g") for t in ticks])
    ax.set_xlabel(_WORDS["time"][lang].format(UNITS[result.time_unit][lang].removeprefix("个")))
    ax.set_ylabel(_WORDS["had" if result.cumulative else "kept"][lang].format(result.label(result.event, lang)))
    ax.annotate(
        _WORDS["at_risk"][lang], (0, 0), xycoords="axes fraction", xytext=(0, -38), textcoords="offset points", ha="left", va="top",
        color=theme.NEUTRAL, fontsize=8.5, annotation_clip=False,
    )  # fmt: skip
    ax.grid(axis="y", zorder=0)
    band = _WORDS["band"][lang].format(result.said_level)
    if result.key is None:
        ax.plot([], [], color=theme.GOOD, linewidth=6, alpha=0.2, label=band)
        ax.legend(loc="best")
    else:
        ax.legend(loc="best", title=band, alignment="left", title_fontsize=8.5)
    set_finding(ax, result.headline(lang).text)
