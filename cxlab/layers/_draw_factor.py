"""Draw common-factor models: coefficients with intervals, and methods side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxlab import theme
from cxlab.charts import set_finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.layers._factor_beside import BesideResult
    from cxlab.layers._factor_result import FactorModelResult

_AXIS = {"en": "Standardised coefficient with {level} interval", "zh": "标准化系数与 {level} 区间"}
_SPAN = 1.5  # coefficients beyond are cut, so that one absurd interval does not hide the others


def draw(result: FactorModelResult, ax: Axes | None, lang: str) -> Axes:
    """Paths (or correlations), then loadings by construct."""
    table = result.table
    shown = (
        table[table["kind"] != "loading"] if (table["kind"] == "path").any() else table[table["kind"] == "correlation"]
    )
    names = [
        f"{result.label(r.source, lang)} {'→' if r.kind == 'path' else '↔'} {result.label(r.target, lang)}"
        for r in shown.itertuples()
    ]
    loadings = table[table["kind"] == "loading"]
    names += [f"{result.label(r.source, lang)} · {result.label(r.target, lang)}" for r in loadings.itertuples()]
    with theme.use():
        ax = _axes(ax, len(names))
        groups = [(shown, theme.GOOD), (loadings, theme.NEUTRAL)]
        start = 0
        for rows, colour in groups:
            at = np.arange(start, start + len(rows))
            _whiskers(ax, rows, at, colour)
            start += len(rows)
        if len(shown) and len(loadings):
            ax.axhline(len(shown) - 0.5, color=theme.GRID, lw=0.8)
        _finish(ax, names, _AXIS[lang].format(level=result.said_level))
        set_finding(ax, result.headline(lang).text)
        sound = result.admissible and result.verdict != "poor"
        if not sound:
            ax.set_title(ax.get_title(loc="left"), color=theme.BAD)
    return ax


def draw_beside(result: BesideResult, ax: Axes | None, lang: str) -> Axes:
    """One line per path, one mark per method."""
    methods, table = result.methods_shown, result.table
    paths = list(dict.fromkeys(zip(table["source"], table["target"], strict=True)))
    colours = dict(zip(methods, (theme.INK, theme.GOOD, theme.BAD), strict=False))
    with theme.use():
        ax = _axes(ax, 1.6 * len(paths))
        for j, method in enumerate(methods):
            rows = table[table["method"] == method]
            _whiskers(ax, rows, np.arange(len(paths)) + (j - (len(methods) - 1) / 2) * 0.24, colours[method], method)
        _finish(
            ax,
            [f"{result.label(a, lang)} → {result.label(b, lang)}" for a, b in paths],
            _AXIS[lang].format(level=result.said_level),
        )
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        set_finding(ax, result.headline(lang).text)
    return ax


def _axes(ax: Axes | None, lines: float) -> Axes:
    import matplotlib.pyplot as plt

    return ax if ax is not None else plt.subplots(figsize=(7.0, 1.2 + 0.27 * lines))[1]


def _whiskers(ax: Axes, rows: object, at: np.ndarray, colour: str, label: str | None = None) -> None:
    low, high = rows["low"].to_numpy(float), rows["high"].to_numpy(float)  # type: ignore[index]
    value = rows["estimate"].to_numpy(float)  # type: ignore[index]
    ax.hlines(at, np.clip(low, -_SPAN, _SPAN), np.clip(high, -_SPAN, _SPAN), color=colour, lw=1.6)
    for ends, mark in ((low < -_SPAN, "<"), (high > _SPAN, ">")):
        ax.plot(
            np.full(int(ends.sum()), -_SPAN if mark == "<" else _SPAN),
            at[ends],
            mark,
            color=colour,
            ms=5,
            clip_on=False,
        )
    inside = np.abs(value) <= _SPAN
    ax.plot(value[inside], at[inside], "o", color=colour, ms=5, label=label)


def _finish(ax: Axes, names: list[str], words: str) -> None:
    ax.axvline(0, color=theme.NEUTRAL, lw=0.8)
    left, right = ax.get_xlim()
    ax.set_xlim(max(min(left, -0.05), -_SPAN - 0.02), min(max(right, 1.05), _SPAN + 0.02))
    ax.set_yticks(np.arange(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel(words)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
