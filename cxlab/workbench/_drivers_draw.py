"""Drawing: from figures of drivers to the spec of a picture, the same while something moves and when it rests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cxlab import theme
from cxlab.drivers import METHOD_NAMES
from cxlab.items import pick
from cxlab.words import Note, number
from cxlab.workbench import _drivers_words as words
from cxlab.workbench._drivers_figures import OPEN, QUADRANTS, Figures
from cxlab.workbench._drivers_live import Question
from cxlab.workbench._tab import Texts, ticks
from cxlab.workbench._workspace import base_note

COLOURS = {
    "fix first": theme.BAD, "keep up": theme.GOOD, "maintain": theme.SEQUENCE[2], "low priority": theme.NEUTRAL, OPEN: theme.INK,
}  # fmt: skip
_NAMED = 4  # groups that a title names
SEQUENCE = (*theme.SEQUENCE, theme.INK)


@dataclass(frozen=True, eq=False)
class Group:
    """Respondents who are drawn together, their wording (empty for everybody) and their figures."""

    label: Texts
    figures: Figures


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that a picture of drivers says.

    Attributes
    ----------
    question : Question
    groups : tuple of Group
    labels : mapping of name to wording
        Of the outcome, the drivers and the blocks.
    who : str
        The filter in words.
    by : mapping of language to str
        Wording of the column that makes the groups; empty for none.
    notes : tuple of str
    lang : {"en", "zh"}
    """

    question: Question
    groups: tuple[Group, ...]
    labels: dict[str, Texts]
    who: str
    by: Texts
    notes: tuple[str, ...]
    lang: str
    scales_differ: bool = field(default=False)

    def say(self, texts: Texts, **facts: Any) -> str:
        """A wording with the outcome and facts filled in."""
        return Note(texts, outcome=self.labels[self.question.outcome], **facts)[self.lang]

    def label(self, name: str) -> str:
        """Wording of a driver or block."""
        return pick(self.labels[name], self.lang, name)

    def listed(self, names: Sequence[str]) -> str:
        """Several drivers or blocks in a sentence."""
        named = [self.label(n) for n in names]
        return ", ".join(number(n, "in") for n in named) if self.lang == "en" else "、".join(f"“{n}”" for n in named)


def spec(scene: Scene) -> dict[str, Any]:
    """Spec of the picture."""
    drawn = _map(scene) if scene.question.show == "map" else _intervals(scene)
    return {"title": title(scene), "subtitle": _subtitle(scene), "note": _note(scene), "lang": scene.lang, **drawn}


# ---------------------------------------------------------------------- title and notes
def title(scene: Scene) -> str:
    """The finding, worded alike while something moves and when it rests."""
    if scene.by:
        return _title_by(scene)
    figures, show = scene.groups[0].figures, scene.question.show
    shown = figures.shown
    if not shown.any():
        return scene.say(words.NOTHING_SHOWN)
    if show == "map":
        names = [figures.names[j] for j in figures.order if shown[j] and figures["quadrant"][j] == "fix first"]
        return scene.say(words.MAP[bool(names)], names=scene.listed(names))
    if show == "effects":
        top = _largest(figures, "estimate")
        low, high = figures["low"][top], figures["high"][top]
        return scene.say(words.EFFECT[bool(low * high > 0)], name=scene.label(figures.names[top]), low=low, high=high,
                         effect=figures["estimate"][top])  # fmt: skip
    top = next(j for j in figures.order if shown[j])
    near = [figures.names[j] for j in figures.order if j != top and figures["rank_low"][j] == 1]
    return scene.say(
        words.FIRST[show][not near], name=scene.label(figures.names[top]), share=figures["share"][top],
        low=figures["share_low"][top], high=figures["share_high"][top], others=scene.listed(near),
    )  # fmt: skip


def _title_by(scene: Scene) -> str:
    """Which driver leads in each group."""
    column, show = "estimate" if scene.question.show == "effects" else "share", scene.question.show
    tops = [(g, _largest(g.figures, column)) for g in scene.groups if g.figures.shown.any()]
    if not tops:
        return scene.say(words.NOTHING_SHOWN)
    names = [scene.label(g.figures.names[j]) for g, j in tops]
    values = [float(g.figures[column][j]) for g, j in tops]
    if len(tops) > 1 and len(set(names)) == 1:
        return scene.say(words.SAME[show], name=names[0], low=min(values), high=max(values))
    said = [
        scene.say(words.TOP[column], group=g.label, name=name, value=value)
        for (g, _), name, value in zip(tops, names, values, strict=True)
    ]
    more = " …" if len(said) > _NAMED else ""
    listed = ("; " if scene.lang == "en" else "；").join(said[:_NAMED]) + more
    return scene.say(words.GROUPS[show], listed=listed)


def _largest(figures: Figures, column: str) -> int:
    """Place of the largest number, by size, among those that may be seen."""
    return int(np.argmax(np.where(figures.shown, np.abs(np.nan_to_num(figures[column])), -1.0)))


def _subtitle(scene: Scene) -> str:
    question = scene.question
    facts: dict[str, Any] = {"who": scene.who, "count": len(question.drivers), "method": METHOD_NAMES[question.method]}
    if scene.by:
        return scene.say(words.SUBTITLE_BY[question.show], by=scene.by, **facts)
    return scene.say(words.SUBTITLE[question.show], r2=scene.groups[0].figures.explained, **facts)


def _note(scene: Scene) -> str:
    grades = np.concatenate([g.figures["reliability"] for g in scene.groups])
    more = [
        scene.say(words.NOTES[k])
        for k, grade in (("low", "low"), ("hidden", "suppressed"), ("stuck", "stuck"))
        if (grades == grade).any()
    ]
    figures = scene.groups[0].figures
    base = () if scene.by else (base_note(figures.base, figures.effective, scene.lang),)
    return (" " if scene.lang == "en" else "").join([*base, *scene.notes, *more])


# ---------------------------------------------------------------------- dots and whiskers
def _intervals(scene: Scene) -> dict[str, Any]:
    column = "estimate" if scene.question.show == "effects" else "share"
    low, high = ("low", "high") if column == "estimate" else ("share_low", "share_high")
    named = [g.label for g in scene.groups] if scene.by else [{}]
    colours = SEQUENCE if scene.by else (theme.GOOD,)
    places = [{n: j for j, n in enumerate(g.figures.names)} for g in scene.groups]
    rows = []
    for name in _ordered(scene, column):
        marks = [
            _mark(scene, k, g.figures, at.get(name), (column, low, high))
            for k, (g, at) in enumerate(zip(scene.groups, places, strict=True))
        ]
        row: dict[str, Any] = {"label": scene.label(name), "marks": marks}
        if not scene.by:
            row |= _alone(scene, scene.groups[0].figures, places[0].get(name), column)
        rows.append(row)
    series = [
        {"name": scene.say(words.SERIES, group=label, base=g.figures.base) if scene.by else "", "colour": colours[k % len(colours)]}
        for k, (label, g) in enumerate(zip(named, scene.groups, strict=True))
    ]  # fmt: skip
    return {"kind": "intervals", "rows": rows, "series": series, "axis": _axis(scene, column, low, high)}


def _ordered(scene: Scene, column: str) -> list[str]:
    """Names in the order of importance, of several groups by its mean weighted by their bases; effects by their size."""
    total: dict[str, float] = {}
    by = "estimate" if column == "estimate" and not scene.by else "importance"
    for group in scene.groups:
        f = group.figures
        for name, value in zip(f.names, np.nan_to_num(f[by]), strict=True):
            total[name] = total.get(name, 0.0) + float(value) * f.base
    names = [n for n in scene.question.names if n in total]
    return sorted(names, key=lambda n: -total[n])


def _mark(
    scene: Scene, series: int, figures: Figures, place: int | None, columns: tuple[str, str, str]
) -> dict[str, Any]:
    """Dot, whisker and text of a driver in a group."""
    if place is None or not figures.shown[place]:
        return {"series": series, "hidden": scene.say(words.STUCK if figures.stuck else words.HIDDEN)}
    value, low, high = (float(figures[c][place]) for c in columns)
    text = scene.say(words.MARKS[columns[0]], value=value, low=low, high=high)
    if columns[0] == "share" and not scene.by:
        text = scene.say(words.RANK, text=text, rank=_rank(figures, place))
    mark = {"series": series, "value": value, "low": low, "high": high, "text": text}
    return mark | {"faded": True} if figures["reliability"][place] == "low" else mark


def _rank(figures: Figures, place: int) -> str:
    low, high = int(figures["rank_low"][place]), int(figures["rank_high"][place])
    return str(low) if low == high else f"{low}–{high}"


def _alone(scene: Scene, figures: Figures, place: int | None, column: str) -> dict[str, Any]:
    """What only a picture of one group has: the null line, and everything that is known in the tip."""
    if place is None or not figures.shown[place]:
        return {}
    said = [scene.label(figures.names[place])]
    facts = [("share", "share_low", "share_high"), ("estimate", "low", "high")]
    for value, low, high in facts:
        if np.isfinite(figures[value][place]):
            of = {"value": figures[value][place], "low": figures[low][place], "high": figures[high][place]}
            said.append(scene.say(words.TIPS[value], text=scene.say(words.MARKS[value], **of)))
    said.insert(2, scene.say(words.TIPS["rank"], rank=_rank(figures, place)))
    limit = float(figures["null_line"][place]) / figures.explained
    if not np.isfinite(limit):
        return {"tip": "\n".join(said)}
    if not figures["distinguishable"][place]:
        said.append(scene.say(words.TIPS["noise"]))
    return {"tip": "\n".join(said), **({"limit": limit} if column == "share" else {})}


def _axis(scene: Scene, *columns: str) -> dict[str, Any]:
    """Axis over everything shown, ending at a round place so that it stays while something moves."""
    values = np.concatenate([g.figures[c][g.figures.shown] for g in scene.groups for c in columns]).astype(float)
    share = columns[0] == "share"
    low, high = _ends(values, 0.05 if share else 0.1, zero=True)
    label = scene.say(words.AXES[columns[0]])
    return {"label": label, "ticks": ticks(low, high, ".0%" if share else "+.2g"), "low": low, "high": high}


def _ends(values: np.ndarray, step: float, zero: bool = False) -> tuple[float, float]:
    """Round ends that hold all values."""
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, step)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    while (high - low) / step > 24:
        step *= 2
    low, high = np.floor(low / step + 1e-9) * step, np.ceil(high / step - 1e-9) * step
    return float(low), float(high if high > low else low + step)


# ---------------------------------------------------------------------- map
def _map(scene: Scene) -> dict[str, Any]:
    figures = scene.groups[0].figures
    shown = figures.shown
    points = [_point(scene, figures, j) for j in range(len(figures.names)) if shown[j]]
    ends = {c: figures[c][shown] for c in ("performance_low", "performance_high", "share_low", "share_high")}
    x = _ends(np.concatenate([ends["performance_low"], ends["performance_high"]]), 5.0 if scene.scales_differ else 0.5)
    y = _ends(np.concatenate([ends["share_low"], ends["share_high"]]), 0.05, zero=True)
    corners = [scene.say(words.CORNERS[c]) for c in ("fix first", "keep up", "low priority", "maintain")]
    across = scene.say(words.AXES["index" if scene.scales_differ else "performance"])
    cuts = figures.cuts or (None, None)
    present = [q for q in (*QUADRANTS, OPEN) if (figures["quadrant"][shown] == q).any()]
    return {
        "kind": "map", "points": points, "x_cut": cuts[0], "y_cut": cuts[1], "corners": corners,
        "x_axis": {"label": across, "ticks": ticks(*x, "g"), "low": x[0], "high": x[1]},
        "y_axis": {"label": scene.say(words.AXES["share"]), "ticks": ticks(*y, ".0%"), "low": y[0], "high": y[1]},
        "series": [{"name": scene.say(words.CORNERS[q]), "colour": COLOURS[q]} for q in present],
    }  # fmt: skip


def _point(scene: Scene, figures: Figures, j: int) -> dict[str, Any]:
    value = {c: float(figures[c][j]) for c in _POINT}
    quadrant = str(figures["quadrant"][j])
    share = scene.say(words.MARKS["share"], value=value["share"], low=value["share_low"], high=value["share_high"])
    good = {"value": value["performance"], "low": value["performance_low"], "high": value["performance_high"]}
    label = scene.label(figures.names[j])
    tip = [
        label,
        scene.say(words.CORNERS[quadrant]),
        scene.say(words.TIPS["share"], text=share),
        scene.say(words.TIPS["performance"], **good),
    ]
    return {
        "label": label, "x": value["performance"], "y": value["share"], "x_low": good["low"], "x_high": good["high"],
        "y_low": value["share_low"], "y_high": value["share_high"], "colour": COLOURS[quadrant],
        "faded": quadrant == OPEN or figures["reliability"][j] == "low", "tip": "\n".join(tip),
    }  # fmt: skip


_POINT = ("share", "share_low", "share_high", "performance", "performance_low", "performance_high")
