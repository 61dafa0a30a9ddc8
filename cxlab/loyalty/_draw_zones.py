"""Picture of zones: stacked shares, as declared and with the cuts one step lower and higher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlab import charts, theme
from cxlab.loyalty._zones import ZONES
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.loyalty._link_result import LoyaltyLinkResult

COLOURS = {"defection": "#D55E00", "indifference": "#C9C9C9", "affection": "#0072B2"}
_ON = {"defection": "white", "indifference": theme.INK, "affection": "white"}
_TELL = 0.045  # share under which a piece has no number
_WORDS = {
    "title": {"en": "Zones of satisfaction", "zh": "满意度分区"},
    "share": {"en": "share of customers", "zh": "顾客占比"},
    "declared": {"en": "cuts {} and {}", "zh": "分界 {} 与 {}"},
    "hidden": {"en": "suppressed (base {base:,})", "zh": "样本不足（样本量 {base:,}）"},
    "thin": {
        "en": "thin bars: both cuts {} lower (above) and {} higher (below)",
        "zh": "细条：两处分界下移 {} 分（上）与上移 {} 分（下）",
    },
}


def draw_zones(result: LoyaltyLinkResult, ax: Axes | None, lang: str) -> Axes:
    """Draw the zones of a result, thick as declared, thin with the cuts moved.

    Returns
    -------
    Axes
    """
    from matplotlib.patches import Patch
    from matplotlib.ticker import PercentFormatter

    codes: list[Any] = [None] if result.key is None else result.threshold[result.key].tolist()
    ax = ax or charts.new_axes(7.6, 1.5 + 0.95 * len(codes))
    step = result.cuts[2]
    ticks, labels = [], []
    for y, code in enumerate(codes):
        own = result.zones if code is None else result.zones[result.zones[result.key] == code]
        row = result.threshold.iloc[y]
        if row["reliability"] == "suppressed" or own.empty:
            said = _WORDS["hidden"][lang].format(base=int(row["base"]))
            ax.text(0.01, y, said, va="center", color=theme.NEUTRAL, fontsize=9)
        else:
            for shift, at, height in ((0.0, y, 0.44), (-step, y - 0.33, 0.14), (step, y + 0.33, 0.14)):
                _bar(ax, own[own["shift"] == shift], (at, height), result, shift == 0)
        ticks.append(y)
        labels.append(_declared(result, lang) if code is None else result.label(code, lang, result.key))
    ax.set_yticks(ticks, labels)
    ax.set_ylim(len(codes) - 0.45, -0.55)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    thin = _WORDS["thin"][lang].format(*[number(step, "g")] * 2)
    ax.set_xlabel(f"{_WORDS['share'][lang]}\n{thin}")
    ax.tick_params(axis="y", length=0)
    handles = [Patch(color=COLOURS[z], label=_named(result, z, lang)) for z in ZONES]
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.3, handlelength=1.0)
    ax.set_title(_WORDS["title"][lang], pad=28)
    return ax


def _declared(result: LoyaltyLinkResult, lang: str) -> str:
    return _WORDS["declared"][lang].format(*(number(c, "g") for c in result.cuts[:2]))


def _named(result: LoyaltyLinkResult, zone: str, lang: str) -> str:
    """A zone with its answers."""
    first, second = (number(c, "g") for c in result.cuts[:2])
    reach = {"defection": f"< {first}", "indifference": f"≥ {first}, < {second}", "affection": f"≥ {second}"}
    return f"{result.label(zone, lang, 'zone')} ({reach[zone]})"


def _bar(ax: Axes, rows: pd.DataFrame, at: tuple[float, float], result: LoyaltyLinkResult, thick: bool) -> None:
    y, height = at
    left = 0.0
    for row in rows.itertuples(index=False):
        zone = str(row.zone)
        share = float(row.share)  # type: ignore[arg-type]
        ax.barh(
            y,
            share,
            left=left,
            height=height,
            color=COLOURS[zone],
            edgecolor="white",
            alpha=1.0 if thick else 0.6,
            zorder=2,
        )
        if share >= _TELL:
            said = number(share, ".0%")
            ax.text(left + share / 2, y, said, ha="center", va="center", fontsize=9.5 if thick else 7, zorder=3,
                    color=_ON[zone] if thick else theme.INK)  # fmt: skip
        left += share
