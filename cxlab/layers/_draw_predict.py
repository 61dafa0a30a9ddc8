"""Picture of a prediction: how much better than the mean the model and plain regression foretell each item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxlab import theme
from cxlab.charts import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.layers._predict_result import PredictionResult

_WORDS = {
    "model": {"en": "path model", "zh": "路径模型"},
    "linear": {"en": "plain regression", "zh": "普通回归"},
    "axis": {"en": "Q²: share of the error of the mean that is avoided", "zh": "Q²：相对均值预测所减少的误差比例"},
    "title": {
        "en": "The path model beats plain regression on {beaten} of {items} indicators",
        "zh": "路径模型在 {items} 个指标中的 {beaten} 个上优于普通回归",
    },
}


def draw(result: PredictionResult, ax: Axes | None, lang: str) -> Axes:
    """Draw Q² of both per item, grouped by construct."""
    table = result.table
    ax = ax or new_axes(7.8, 1.4 + 0.36 * len(table))
    breaks = np.cumsum(table["construct"].ne(table["construct"].shift()).to_numpy()) - 1
    y = np.arange(len(table)) + 0.7 * breaks
    ax.hlines(y, table["q_squared_linear"], table["q_squared"], color=theme.GRID, linewidth=3, zorder=1)
    ax.scatter(
        table["q_squared_linear"], y, color=theme.NEUTRAL, s=34, marker="D", label=_WORDS["linear"][lang], zorder=2
    )
    ax.scatter(table["q_squared"], y, color=theme.GOOD, s=44, label=_WORDS["model"][lang], zorder=3)
    ax.axvline(0, color=theme.INK, linewidth=0.8)
    ax.set_yticks(y, [result.label(i, lang) for i in table["item"]])
    for block in np.unique(breaks):
        inside = y[breaks == block]
        name = table["construct"].to_numpy()[breaks == block][0]
        ax.annotate(result.label(name, lang), (1.01, inside.mean()), xycoords=("axes fraction", "data"), va="center", fontsize=9.5,
                    weight="bold", color=theme.INK)  # fmt: skip
    ax.set_ylim(y.max() + 0.7, y.min() - 0.7)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    ax.set_axisbelow(True)
    ax.set_xlabel(_WORDS["axis"][lang])
    beaten = int((table["rmse"] < table["rmse_linear"]).sum())
    ax.set_title(_WORDS["title"][lang].format(beaten=beaten, items=len(table)), pad=24)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.1, handletextpad=0.3)
    return ax
