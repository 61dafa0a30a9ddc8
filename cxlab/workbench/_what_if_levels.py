"""How things stand while no slider is moved: satisfaction, NPS and renewals with their intervals."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import cxlab.metrics as metrics
from cxlab.metrics import Score
from cxlab.result import Base, Result, reliability
from cxlab.survey import Survey
from cxlab.theme import ACCENT, GOOD
from cxlab.words import LANGUAGES, Note
from cxlab.workbench import _what_if_words as words
from cxlab.workbench._segments_tally import Tally
from cxlab.workbench._tab import Asked, Texts, ticks
from cxlab.workbench._what_if_measures import LEVELS, Measure
from cxlab.workbench._workspace import Workspace

Filter = Mapping[str, Sequence[Any]]
EVERYBODY, ANSWERED = "all", "answered"
VARIABLE = {"satisfaction": "satisfaction", "recommend": "nps", "renewal": "renewals"}
_SERIES = [{"name": "", "colour": ACCENT}, {"name": "", "colour": GOOD}]


@dataclass(frozen=True)
class Level:
    """Where an outcome stands among some respondents.

    Attributes
    ----------
    who : {"all", "answered"}
        Everybody who answered the outcome; those of them who answered all drivers too, where the sliders start.
    value, low, high : float
    base : int
    grade : str
        How much the base carries: "ok", "low" or "suppressed".
    """

    who: str
    value: float
    low: float
    high: float
    base: int
    grade: str


NOBODY = Level(EVERYBODY, np.nan, np.nan, np.nan, 0, "suppressed")


class Levels(Tally):
    """Levels of outcomes under any filter, quick enough while it moves.

    Parameters
    ----------
    workspace : Workspace
    measures : sequence of Measure
    answered : bool array, shape (rows,)
        Who answered all drivers.
    """

    def __init__(self, workspace: Workspace, measures: Sequence[Measure], answered: np.ndarray) -> None:
        self._values = {
            f"{who}:{m.text}": np.where(answered, m.found.values, np.nan) if who == ANSWERED else m.found.values
            for m in measures for who in (EVERYBODY, ANSWERED)
        }  # fmt: skip
        self._measures = measures
        super().__init__(workspace)

    def score(self, metric: str) -> Score:
        """Numbers of one outcome among everybody, or among those who answered all drivers."""
        return Score(metric, self._values[metric], "mean", dict.fromkeys(LANGUAGES, metric))

    def levels(self, filter: Filter) -> list[list[Level]] | None:
        """Two levels of each outcome; None while sums of many rows are still to be made."""
        names = list(self._values)
        if not self.ready(names):
            return None
        found = {}
        for name, tallied in zip(names, self.many(names, filter), strict=True):
            low, high = tallied.interval()
            base, effective = int(tallied.base[0]), float(tallied.effective[0])
            grade = str(reliability(min(base, effective)))
            value = float(tallied.estimate[0])
            found[name] = Level(name.partition(":")[0], value, float(low[0]), float(high[0]), base, grade)
        return [[found[f"{who}:{m.text}"] for who in (EVERYBODY, ANSWERED)] for m in self._measures]


# ---------------------------------------------------------------------- the library
def condition(survey: Survey, drivers: Sequence[str]) -> str | None:
    """Condition that all drivers are answered; None where a name cannot stand in one."""
    if not all(d.isidentifier() and not keyword.iskeyword(d) for d in drivers):
        return None
    return " and ".join(f"{d} >= {float(np.nanmin(survey.values(d))):.15g}" for d in drivers)


def calls(measures: Sequence[Measure], asked_of: Mapping[str, Sequence[str]], said: str | None) -> list[str]:
    """Code of the levels: ``asked_of`` names who is asked of each outcome."""
    out = []
    for who, of in ((EVERYBODY, "survey"), (ANSWERED, "answered")):
        shown = [m for m in measures if who in asked_of[m.text]]
        if shown and who == ANSWERED:
            out.append(f"answered = survey.where({said!r})")
        suffix = "" if who == EVERYBODY else "_answered"
        out += [f"{VARIABLE[m.role]}{suffix} = cx.{_FUNCTION[m.kind]}({of}, {m.name!r})" for m in shown]
    return out


def settled(
    survey: Survey, measures: Sequence[Measure], asked_of: Mapping[str, Sequence[str]], said: str | None
) -> tuple[list[list[Level]], list[pd.DataFrame], list[Result]]:
    """Levels by the library, with its tables and results."""
    apart = any(ANSWERED in who for who in asked_of.values())
    surveys = {EVERYBODY: survey} | ({ANSWERED: survey.where(said)} if apart and said else {})
    found, tables, results = [], [], []
    for m in measures:
        own = []
        for who in asked_of[m.text]:
            result: Result = getattr(metrics, _FUNCTION[m.kind])(surveys[who], m.name)
            table = result.table if m.kind != "share" else result.table[result.table["code"] == m.code]
            r = table.iloc[0]
            value, low, high = (float(r[c]) for c in ("estimate", "low", "high"))
            own.append(Level(who, value, low, high, int(r["base"]), str(r["reliability"])))
            tables.append(table.drop(columns=["item", "code"], errors="ignore").assign(metric=m.text, who=who))
            results.append(result)
        found.append(own)
    return found, tables, results


def result_of(measures: Sequence[Measure], tables: Sequence[pd.DataFrame], results: Sequence[Result], code: str) -> Result:  # fmt: skip
    """The library's levels below each other."""
    table = pd.concat(tables, ignore_index=True)
    for place, name in enumerate(("metric", "who")):
        table.insert(place, name, table.pop(name))
    labels: dict[Any, Texts] = {**words.HEADINGS, **{("metric", m.text): m.labels for m in measures}}
    labels |= {("who", EVERYBODY): words.WHO[EVERYBODY], ("who", ANSWERED): words.WHO[ANSWERED]}
    formats: dict[Any, str] = {(m.text, c): LEVELS[m.kind] for m in measures for c in ("estimate", "low", "high")}
    formats |= {(m.text, "se"): _ERRORS[m.kind] for m in measures}
    notes = {n["en"]: n for r in results for n in r.notes}
    largest = max((r.base for r in results), key=lambda b: b.respondents, default=Base(0))
    return Result(table, largest, tuple(notes.values()), labels, code, words.NOW_RESULT, formats)


# ---------------------------------------------------------------------- waves
def empty_waves(workspace: Workspace, measures: Sequence[Measure]) -> dict[str, frozenset[Any]]:
    """Waves in which nobody has an outcome, by outcome."""
    survey, wave, out = workspace.survey, str(workspace.wave), {}
    kept = survey.domain & (survey.weights > 0)
    for m in measures:
        seen = survey.data[wave][kept & np.isfinite(m.found.values)].unique().tolist()
        out[m.text] = frozenset(workspace.codes(wave)) - set(seen)
    return out


def no_wave(
    asked: Asked, workspace: Workspace, measures: Sequence[Measure], empty: Mapping[str, frozenset[Any]]
) -> list[str]:
    """Say of which waves of the filter an outcome is not known while of others it is."""
    wave = workspace.wave
    if wave is None or wave not in workspace.splits:
        return []
    codes = [c for c in workspace.codes(wave) if wave not in asked.filter or c in asked.filter[wave]]
    names, out = {c: asked.text(t) for c, t in workspace.values(wave)}, []
    for measure in measures:
        at = [k for k, c in enumerate(codes) if c in empty[measure.text]]
        if not 0 < len(at) < len(codes):
            continue
        said = [names[codes[k]] for k in at]
        waves = ("、" if asked.lang == "zh" else ", ").join(said)
        if len(said) > 2 and at[-1] - at[0] == len(at) - 1:
            waves = asked.text(words.WAVES, first=said[0], last=said[-1])
        elif len(said) > 4:
            waves = asked.text(words.COUNT, count=len(said))
        out.append(asked.text(words.NO_WAVE, measure=measure.short, waves=waves))
    return out


# ---------------------------------------------------------------------- the picture
def picture(
    asked: Asked, measures: Sequence[Measure], levels: Sequence[Sequence[Level]], about: tuple[str, str, int]
) -> dict[str, Any]:
    """A panel per outcome; ``about`` has the filter in words, the note, and the number of drivers."""
    who, note, drivers = about
    join = "，" if asked.lang == "zh" else ", "
    now = [
        asked.text(words.NOW, measure=m.short, before=m.level(found[0].value))
        for m, found in zip(measures, levels, strict=True)
        if found[0].grade != "suppressed"
    ]
    notes = [note]
    if any(len(found) > 1 for found in levels):
        notes.append(asked.text(words.NOTES["answered"], count=drivers))
    if any(level.grade == "low" for found in levels for level in found):
        notes.append(asked.text(words.NOTES["low"]))
    return {
        "kind": "panels",
        "title": asked.text(words.NOW_TITLE, now=join.join(now)),
        "subtitle": who,
        "note": ("" if asked.lang == "zh" else " ").join(notes),
        "panels": [_panel(asked, m, found) for m, found in zip(measures, levels, strict=True)],
    }


def _panel(asked: Asked, measure: Measure, found: Sequence[Level]) -> dict[str, Any]:
    heading = asked.text(words.NOW_HEADING, measure=measure.labels)
    if not found[0].base:
        heading = asked.text(words.HEADING_NONE, measure=measure.labels)
        return {"heading": heading, "rows": [], "series": _SERIES, "axis": {"ticks": [], "low": 0, "high": 1}}
    rows = []
    for k, level in enumerate(found):
        label = Note(words.WHO_BASE, who=words.WHO[level.who], base=level.base)[asked.lang]
        rows.append({"label": label, "marks": [_mark(asked, measure, level, k)]})
    return {"heading": heading, "rows": rows, "series": _SERIES, "axis": _axis(measure, asked, found)}


def _mark(asked: Asked, measure: Measure, level: Level, series: int) -> dict[str, Any]:
    if level.grade == "suppressed":
        return {"series": series, "hidden": asked.text(words.HIDDEN)}
    ends = {k: measure.level(v) for k, v in (("value", level.value), ("low", level.low), ("high", level.high))}
    least, most = measure.scale or (-np.inf, np.inf)
    return {
        "series": series,
        "value": level.value,
        "low": max(level.low, least),
        "high": min(level.high, most),
        "text": asked.text(words.MARK, **ends),
        "faded": level.grade == "low",
    }


def _axis(measure: Measure, asked: Asked, found: Sequence[Level]) -> dict[str, Any]:
    """The whole of what is possible, so that it stands still while a filter moves."""
    low, high = measure.scale or (min(f.low for f in found), max(f.high for f in found))
    times = 100 if measure.kind == "share" else 1
    spec = "+g" if measure.kind == "nps" else "g"
    places = [{"at": t["at"] / times, "text": t["text"] + ("%" if times == 100 else "")}
              for t in ticks(low * times, high * times, spec, 10)]  # fmt: skip
    return {"label": asked.text(words.NOW_AXES[measure.kind]), "ticks": places, "low": low, "high": high}


_FUNCTION = {"points": "means", "nps": "nps", "share": "proportions"}
_ERRORS = {"points": ".3f", "nps": ".2f", "share": "pt2"}
