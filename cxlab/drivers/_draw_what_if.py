"""Picture of a what-if: what each change adds, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlab import charts, theme
from cxlab.drivers._scenario import records
from cxlab.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.drivers._what_if_result import WhatIfResult

_TITLE = {
    "gain": {"en": "Expected change of {}", "zh": "“{}”的预期变化"},
    "share": {"en": "Expected change of “{}”, in percentage points", "zh": "“{}”的预期变化（百分点）"},
    "naive": {"en": "Together, on the same data", "zh": "合计（同批数据）"},
    "honest": {"en": "Together, on others", "zh": "合计（另一半样本）"},
}


def draw(result: WhatIfResult, ax: Axes | None, lang: str) -> Axes:
    """Draw the gains of a result."""
    from cxlab.drivers._what_if_result import FORMATS, TOGETHER

    table, key = result.table, next((k for k in ("segment", "wave") if k in result.table), None)
    if key is not None:
        table = table[table["driver"] == TOGETHER]
        labels = [result.label(v, lang, key) for v in table[key]]
    else:
        kept = (table["driver"] == TOGETHER) | (table["change"] != 0)
        table = table[kept & ~((table["driver"] == TOGETHER) & (len(table) == 2) & result.plan.empty)]
        labels = [_name(result, r, lang) for r in records(table)]
    shown = table[["estimate", "low", "high"]].assign(label=labels)
    shown.loc[(table["reliability"] == "suppressed").to_numpy(), ["estimate", "low", "high"]] = float("nan")
    colours = [theme.ACCENT if d == TOGETHER and key is None else theme.GOOD for d in table["driver"]]
    if len(result.plan):
        shown["label"] = [*labels[:-1], _TITLE["naive"][lang]]
        honest = result.plan[["honest", "low", "high"]].set_axis(["estimate", "low", "high"], axis=1)
        shown = pd.concat([shown, honest.assign(label=_TITLE["honest"][lang])], ignore_index=True)
        colours += [theme.ACCENT]
    spec = FORMATS[result.kind]["estimate"]
    if result.kind == "share":
        shown[["estimate", "low", "high"]], spec = 100 * shown[["estimate", "low", "high"]], "+.1f"
    title = _TITLE[result.kind if result.kind == "share" else "gain"][lang]
    title = title.format(number(result.label(result.outcome, lang), "" if result.kind == "share" else "in"))
    return charts.dots(shown, title=title, spec=spec, reference=0.0, colours=colours, ax=ax)


def _name(result: WhatIfResult, row: Any, lang: str) -> str:
    """Label of a driver with its change."""
    name = result.label(row.driver, lang)
    change = row.change if row.driver != "together" else float("nan")
    return name if change != change else f"{name} {'+' if change > 0 else '−'}{abs(change):g}"
