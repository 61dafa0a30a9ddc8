"""The what-if tab: sliders for what people rate, and what would be expected of satisfaction, NPS and renewals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cxlab.cube import cube_scenario
from cxlab.design import kish_base
from cxlab.drivers import WhatIfResult, default_drivers, what_if
from cxlab.errors import SurveyError
from cxlab.result import SUPPRESSED_BASE, Base, Result, reliability
from cxlab.survey import Survey
from cxlab.words import Figure, Note, number
from cxlab.workbench import _what_if_words as words
from cxlab.workbench._drivers_figures import Kept
from cxlab.workbench._drivers_live import key_of
from cxlab.workbench._tab import Asked, Control, Number, Pick, Press, Slide, Tab, Texts, View
from cxlab.workbench._what_if_draw import TOGETHER, Part, Scene, best_set, interval, panels
from cxlab.workbench._what_if_levels import (
    ANSWERED,
    EVERYBODY,
    NOBODY,
    VARIABLE,
    Level,
    Levels,
    calls,
    condition,
    empty_waves,
    no_wave,
    picture,
    result_of,
)
from cxlab.workbench._what_if_levels import settled as settled_levels
from cxlab.workbench._what_if_measures import FINE, GAINS, LEVELS, Measure, measures_of, step_of, unit_of
from cxlab.workbench._workspace import Workspace

REPLICATES = 1000
GROUPS = 100  # of the jackknife
_AT_ONCE = 100_000  # rows up to which the answers are counted when a slider first moves; of more the worker does
MOST_COSTS = 15  # drivers among which the library chooses a best set
Filter = Mapping[str, Sequence[Any]]


class WhatIfTab(Tab):
    """A slider per driver; satisfaction, NPS and renewals from now to then; costs and the best use of a budget."""

    key: ClassVar[str] = "what_if"
    title: ClassVar[Texts] = words.TITLE

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._measures, self._left = measures_of(workspace.survey)
        self._results = Kept(24)
        self._laid = False

    # ------------------------------------------------------------------ what can be chosen
    def lacking(self) -> Texts | None:
        if not self._measures:
            return words.NO_OUTCOMES
        return None if self._drivers else words.NO_DRIVERS

    @cached_property
    def _drivers(self) -> tuple[str, ...]:
        """Drivers of the model: the library's own choice, without what the outcomes are made of."""
        survey, own = self.workspace.survey, {i for m in self._measures for i in m.found.items}
        known = self.workspace.columns()
        try:
            chosen = default_drivers(survey)
        except SurveyError:
            chosen = self.workspace.drivers
        return tuple(d for d in chosen if d in known and not own & set(survey.items_of(d)))

    @cached_property
    def _labels(self) -> dict[str, Texts]:
        survey, out = self.workspace.survey, {}
        for d in self._drivers:
            texts = self.workspace.texts(d)
            out[d] = texts if survey.higher_is_better(d) else Note(words.LESS, driver=texts)
        return out

    def controls(self) -> Sequence[Control]:
        sliders = [self._slider(d, group) for group, names in self._blocks() for d in names]
        costs = [
            Number(name=f"cost_{d}", label=Note(words.COST_OF, driver=self.workspace.texts(d)), group=words.LABELS["cost"])
            for _, names in self._blocks() for d in names
        ]  # fmt: skip
        targets = tuple((m.text, m.labels) for m in self._measures)
        best = words.LABELS["best"]
        return (
            *sliders,
            *costs,
            Number(name="budget", label=words.LABELS["budget"], group=best),
            Pick(name="target", label=words.LABELS["target"], options=targets, default=targets[0][0], group=best),
            Press(name="find", label=words.LABELS["find"], group=best),
        )

    def _blocks(self) -> list[tuple[Texts, list[str]]]:
        """Headings, and the drivers under each."""
        out: list[tuple[Texts, list[str]]] = []
        declared = self.workspace.blocks
        for block, items in declared.items():
            names = [d for d in self._drivers if d in items]
            if not names:
                continue
            if len(declared) == 1:
                heading: Texts = words.LABELS["move"]
            else:
                name = self.workspace.texts(block) if block else words.LABELS["alone"]
                heading = Note(words.GROUPED, block=name)
            out.append((heading, names))
        return out

    def _slider(self, driver: str, group: Texts) -> Slide:
        """From as low to as high as the mean could go, and at most half the scale either way."""
        survey = self.workspace.survey
        values = survey.values(driver)
        low, high = survey.scale(driver) or (float(np.nanmin(values)), float(np.nanmax(values)))
        kept = survey.domain & np.isfinite(values)
        mean = float(np.average(values[kept], weights=survey.weights[kept]))
        step, digits = step_of(high - low)
        ends = [np.floor(min(room, (high - low) / 2) / step + 1e-9) * step for room in (mean - low, high - mean)]
        down, up = (max(round(float(e), 6), step) for e in ends)
        return Slide(
            name=f"move_{driver}", label=self._labels[driver], group=group, default=0.0, low=-down, high=up, step=step,
            spec=f"+.{digits}f",
        )  # fmt: skip

    # ------------------------------------------------------------------ answers
    def live(self, asked: Asked) -> View | None:
        if asked["find"]:
            return None
        moved = self._moved(asked)
        if not moved:
            levels = self._levels.levels(asked.filter)
            return None if levels is None else self._still(asked, levels)
        if len(self.workspace.survey) > _AT_ONCE and not self._laid:
            return None
        parts = [self._quick(m, asked, moved) for m in self._measures]
        if any(p is None for p in parts):  # a group of the jackknife leaves nothing to estimate from; the bootstrap may
            return None
        found = [p for p in parts if p is not None]
        note = asked.text(words.NOTES["jackknife"], groups=self.workspace.cube.groups)
        return self._view(asked, moved, found, note)

    def settled(self, asked: Asked) -> View:
        if asked["find"]:
            return self._best(asked)
        self._lay()
        moved = self._moved(asked)
        if not moved:
            return self._still(asked)
        survey = self.workspace.inside(asked.filter)
        results: dict[str, WhatIfResult] = {}
        parts = []
        for measure in self._measures:
            base, effective = self._complete(survey, measure)
            part = Part(measure, (), {}, base, effective)
            if not part.hidden:
                result = results[measure.text] = self._asked_library(survey, measure, asked, moved)
                table = result.table
                columns = {str(c): table[c].to_numpy() for c in table}
                part = Part(measure, tuple(table["driver"]), columns, base, float(table["base_effective"].iloc[0]))
            parts.append(part)
        note = asked.text(words.NOTES["bootstrap"], replicates=REPLICATES)
        view = self._view(asked, moved, parts, note)
        said = tuple(s.text for r in results.values() for s in r.sentences(asked.lang)) if len(moved) <= 2 else ()
        return View(view.spec, view.code, self._result(asked, moved, parts, results, view.code), (*view.lines, *said))

    def _lay(self) -> None:
        """Count the answers of many rows in the worker, before a slider asks for them."""
        if len(self.workspace.survey) > _AT_ONCE and not self._laid:
            for m in self._measures:
                with suppress(SurveyError):  # said when somebody asks
                    cube_scenario(self.workspace.cube, m.column, self._drivers)
            self._laid = True

    def _moved(self, asked: Asked) -> dict[str, float]:
        """Drivers whose slider is not at nought."""
        given = {d: round(float(asked[f"move_{d}"]), 6) for d in self._drivers}
        return {d: v for d, v in given.items() if v}

    def _costs(self, asked: Asked) -> dict[str, float]:
        given = {d: asked[f"cost_{d}"] for d in self._drivers}
        return {d: float(c) for d, c in given.items() if c is not None}

    def _quick(self, measure: Measure, asked: Asked, moved: Mapping[str, float]) -> Part | None:
        """From the cube; None where only replicates of the library may tell."""
        cube, columns = self.workspace.cube, (*self._drivers, measure.column)
        try:
            model = cube_scenario(cube, measure.column, self._drivers, filter=asked.filter)
        except SurveyError:
            base, effective = self._complete(self.workspace.inside(asked.filter), measure)
            hidden = Part(measure, (), {}, base, effective)
            if not hidden.hidden:
                self._require_variation(asked, cube.covariances(asked.filter, columns))
            return hidden if hidden.hidden else None
        hidden = Part(measure, (), {}, model.moments.base, model.moments.base_kish)
        if hidden.hidden:
            return hidden
        found = model.what_if(moved)
        return Part(measure, found.drivers, found.values, found.base, found.base_effective)

    def _view(self, asked: Asked, moved: Mapping[str, float], parts: Sequence[Part], note: str) -> View:
        if all(p.hidden for p in parts):
            raise self._too_few(asked, parts[0])
        scene = self._scene(asked, moved)
        lines = (
            *self._cost_lines(asked, moved, parts),
            *self._beyond(asked, parts),
            *self._no_wave(asked),
            *(asked.text(t) for t in self._left),
        )
        return View(panels(scene, parts, note), self._code(asked, moved, parts), None, lines)

    def _scene(self, asked: Asked, moved: Mapping[str, float]) -> Scene:
        who = self.workspace.said(asked.filter, asked.lang)
        return Scene(asked, self._labels, moved, who, len(self._drivers))

    def _still(self, asked: Asked, quick: Sequence[Sequence[Level]] | None = None) -> View:
        """How things stand while nothing is moved: the levels given, or the library's."""
        survey, shown = self.workspace.inside(asked.filter), self._measures
        bases = {m.text: (self._everybody(survey, m), self._complete(survey, m)) for m in shown}
        if all(reliability(min(everybody)) == "suppressed" for everybody, _ in bases.values()):
            base, effective = bases[shown[0].text][1]
            raise self._too_few(asked, Part(shown[0], (), {}, base, effective))
        apart = self._condition is not None and any(a[0] != b[0] for a, b in bases.values())
        whom = {m.text: _whom(*bases[m.text], apart) for m in shown}
        known = [m for m in shown if bases[m.text][0][0]]
        code = self.workspace.code(asked.filter, *calls(known, whom, self._condition))
        note, made = asked.text(words.NOTES["jackknife"], groups=GROUPS), None
        if quick is not None:
            levels = [[x for x in own if x.who in whom[m.text]] for m, own in zip(shown, quick, strict=True)]
        else:
            own, tables, results = self._results(
                (key_of(asked.filter), "levels"), lambda: settled_levels(survey, known, whom, self._condition)
            )
            by_name = dict(zip([m.text for m in known], own, strict=True))
            levels = [by_name.get(m.text, [NOBODY]) for m in shown]
            note, made = asked.text(words.NOTES["linear"]), result_of(known, tables, results, code)
        about = (self.workspace.said(asked.filter, asked.lang), note, len(self._drivers))
        lines = (asked.text(words.STILL), *self._no_wave(asked), *(asked.text(t) for t in self._left))
        return View(picture(asked, shown, levels, about), code, made, lines)

    @cached_property
    def _levels(self) -> Levels:
        return Levels(self.workspace, self._measures, self._answered)

    @cached_property
    def _condition(self) -> str | None:
        return condition(self.workspace.survey, self._drivers)

    # ------------------------------------------------------------------ what is said beneath
    def _cost_lines(self, asked: Asked, moved: Mapping[str, float], parts: Sequence[Part]) -> list[str]:
        costs = self._costs(asked)
        spent = sum(abs(v) * costs[d] for d, v in moved.items() if d in costs)
        unit = unit_of(spent)
        if not spent > 0:
            return []
        join = "、" if asked.lang == "zh" else ", "
        free = [asked.text(self.workspace.texts(d)) for d in moved if d not in costs]
        if free:
            return [asked.text(words.SOME_COST, cost=spent, drivers=join.join(free))]
        gains = []
        for part in (p for p in parts if not p.hidden):
            ends = (part.last(c) / spent * unit for c in ("estimate", "low", "high"))
            text = interval(asked, part.measure, *ends, fine=True)
            gains.append(asked.text(words.GAIN, measure=part.measure.short, text=text))
        per = (
            asked.text(words.UNIT) if unit == 1 else number(unit, ",.10g") if asked.lang == "en" else f" {unit:,.10g} "
        )
        return [asked.text(words.COST, cost=spent, unit=per, gains=("；" if asked.lang == "zh" else "; ").join(gains))]

    def _beyond(self, asked: Asked, parts: Sequence[Part]) -> list[str]:
        """Where the line leads beyond what an outcome can be."""
        out = []
        for part in (p for p in parts if not p.hidden and p.measure.beyond(p.last("after"))):
            measure = part.measure
            low, high = measure.scale or (-np.inf, np.inf)
            spec = ".0%" if measure.kind == "share" else "g"
            ends = {"low": Figure(low, spec), "high": Figure(high, spec)}
            out.append(asked.text(words.BEYOND, after=measure.level(part.last("after")), measure=measure.short, **ends))
        return out

    def _no_wave(self, asked: Asked) -> list[str]:
        """Waves of the filter of which an outcome is not known while others are, such as renewals of the last months."""
        return no_wave(asked, self.workspace, self._measures, self._empty if self.workspace.wave else {})

    @cached_property
    def _empty(self) -> dict[str, frozenset[Any]]:
        return empty_waves(self.workspace, self._measures)

    # ------------------------------------------------------------------ the library
    def _asked_library(
        self, survey: Survey, measure: Measure, asked: Asked, moved: Mapping[str, float]
    ) -> WhatIfResult:
        def made() -> WhatIfResult:
            return what_if(survey, measure.text, changes=moved, drivers=list(self._drivers), replicates=REPLICATES)

        try:
            return self._results((key_of(asked.filter), measure.text, tuple(moved.items())), made)
        except SurveyError:
            columns = (*self._drivers, measure.column)
            found = self.workspace.cube.covariances(asked.filter, columns)
            self._require_variation(asked, found)
            facts = {"measure": measure.short, "base": found.base, "count": len(self._drivers)}
            raise _fault(asked, "unstable", **facts) from None

    def _code(self, asked: Asked, moved: Mapping[str, float], parts: Sequence[Part]) -> str:
        """The calls behind the settled view."""
        shown = [p.measure for p in parts if not p.hidden]
        calls = [f"drivers = {list(self._drivers)!r}", f"changes = {dict(moved)!r}"]
        calls += [
            f"{VARIABLE[m.role]} = cx.what_if(survey, {m.text!r}, changes=changes, drivers=drivers)" for m in shown
        ]
        return self.workspace.code(asked.filter, *calls)

    def _result(
        self,
        asked: Asked,
        moved: Mapping[str, float],
        parts: Sequence[Part],
        results: Mapping[str, WhatIfResult],
        code: str,
    ) -> Result:
        """The library's tables below each other, with costs where these are given."""
        tables = [r.table.assign(metric=text) for text, r in results.items()]
        table = pd.concat(tables, ignore_index=True)
        table.insert(0, "metric", table.pop("metric"))
        costs = self._costs(asked)
        spent = {d: abs(v) * costs[d] for d, v in moved.items() if d in costs}
        if spent:
            spent[TOGETHER] = sum(spent.values()) if set(moved) <= set(spent) else np.nan
            table["cost"] = table["driver"].map(spent)
            unit = unit_of(sum(abs(v) * costs[d] for d, v in moved.items() if d in costs))
            table["gain_per_cost"] = table["estimate"] / table["cost"].where(table["cost"] > 0) * unit
        labels: dict[Any, Texts] = {**words.HEADINGS, TOGETHER: words.HEADINGS["together"]}
        if spent and unit != 1:
            labels["gain_per_cost"] = Note(words.PER_UNIT, unit=unit)
        formats: dict[Any, str] = {"change": "+g", "effective_change": "+.2f", "cost": ",g"}
        for result in results.values():
            labels |= {k: v for k, v in result.labels.items() if k not in words.HEADINGS}
        for part in (p for p in parts if p.measure.text in results):
            text, kind = part.measure.text, part.measure.kind
            labels[("metric", text)] = part.measure.labels
            formats |= {(text, c): results[text].formats[c] for c in ("effect", "se")}
            formats |= {(text, c): GAINS[kind] for c in ("estimate", "low", "high")} | {
                (text, "gain_per_cost"): FINE[kind]
            }
            formats |= {(text, c): LEVELS[kind] for c in ("before", "after")}
        notes = {n["en"]: n for r in results.values() for n in r.notes}
        largest = max((r.base for r in results.values()), key=lambda b: b.respondents, default=Base(0))
        return Result(table, largest, tuple(notes.values()), labels, code, words.RESULT, formats)

    def _best(self, asked: Asked) -> View:
        """The best set within the budget, chosen by the library."""
        costs, budget = self._costs(asked), asked["budget"]
        if budget is None:
            raise _fault(asked, "budget")
        if not costs:
            raise _fault(asked, "costs")
        if len(costs) > MOST_COSTS:
            raise _fault(asked, "many", count=len(costs), most=MOST_COSTS)
        measure = next(m for m in self._measures if m.text == asked["target"])
        survey = self.workspace.inside(asked.filter)
        base, effective = self._complete(survey, measure)
        part = Part(measure, (), {}, base, effective)
        if part.hidden:
            raise self._too_few(asked, part)
        moved = self._moved(asked)
        up = {d: self._point(d) if self.workspace.survey.higher_is_better(d) else -self._point(d) for d in costs}
        changes = {d: moved.get(d, up[d]) for d in costs}
        given = {"changes": changes, "drivers": list(self._drivers), "cost": costs, "budget": budget}
        result = self._results(
            (key_of(asked.filter), measure.text, repr(given)),
            lambda: what_if(survey, measure.text, **given, replicates=REPLICATES),
        )
        said = ", ".join(f"{k}={v!r}" for k, v in given.items())
        code = self.workspace.code(asked.filter, f"best = cx.what_if(survey, {measure.text!r}, {said})")
        lines = [s.text for s in result.sentences(asked.lang)]
        part = replace(part, names=(TOGETHER,), columns={"after": result.table["after"].to_numpy()})
        idle = [asked.text(self.workspace.texts(d)) for d in moved if d not in costs]
        if idle:
            lines.append(asked.text(words.IDLE, drivers=("、" if asked.lang == "zh" else ", ").join(idle)))
        lines += [*self._beyond(asked, [part]), *self._no_wave(asked)]
        return View(best_set(self._scene(asked, changes), measure, result), code, result, tuple(lines))

    def _point(self, driver: str) -> float:
        """One point, or the whole scale where that is less."""
        slide = self._slider(driver, {})
        return min(1.0, 2 * max(slide.high, -slide.low)) if max(slide.high, -slide.low) < 0.5 else 1.0

    # ------------------------------------------------------------------ bases
    def _everybody(self, survey: Survey, measure: Measure) -> tuple[int, float]:
        """Who answered an outcome: number, and effective."""
        rows = survey.domain & (survey.weights > 0) & np.isfinite(measure.found.values)
        return int(rows.sum()), kish_base(survey.weights[rows]) if rows.any() else 0.0

    def _rows(self, survey: Survey, measure: Measure) -> np.ndarray:
        """Who answered everything, bool of shape (rows,)."""
        return np.asarray(survey.domain & (survey.weights > 0) & self._answered & np.isfinite(measure.found.values))

    @cached_property
    def _answered(self) -> np.ndarray:
        """Who answered all drivers."""
        survey = self.workspace.survey
        return np.asarray(np.all([np.isfinite(survey.values(d)) for d in self._drivers], axis=0))

    def _complete(self, survey: Survey, measure: Measure) -> tuple[int, float]:
        rows = self._rows(survey, measure)
        return int(rows.sum()), kish_base(survey.weights[rows]) if rows.any() else 0.0

    def _mean(self, survey: Survey, measure: Measure) -> float:
        rows = self._rows(survey, measure)
        return float(np.average(measure.found.values[rows], weights=survey.weights[rows]))

    def _too_few(self, asked: Asked, part: Part) -> SurveyError:
        facts = {"measure": part.measure.short, "count": len(self._drivers)}
        if not part.base:
            return _fault(asked, "nobody", **facts)
        return _fault(asked, "few", base=part.base, effective=part.effective, least=SUPPRESSED_BASE, **facts)

    def _require_variation(self, asked: Asked, found: Any) -> None:
        """Say it in words where a column is the same for all."""
        variance = np.diagonal(found.covariance)
        flat = [n for n, v, m in zip(found.names, variance, found.mean, strict=True) if not v > 1e-14 * max(m * m, 1.0)]
        if flat:
            named = [asked.text(self._labels[n]) if n in self._labels else n for n in flat]
            raise _fault(asked, "flat", names=("、" if asked.lang == "zh" else ", ").join(named))


def _fault(asked: Asked, why: str, **facts: Any) -> SurveyError:
    return SurveyError(asked.text(words.FAULTS[why], **facts) if facts else words.FAULTS[why][asked.lang])


def _whom(everybody: tuple[int, float], answered: tuple[int, float], apart: bool) -> tuple[str, ...]:
    """Of whom a level is shown: of everybody, and of those who answered all drivers where these are fewer."""
    return (EVERYBODY, ANSWERED) if apart and answered[0] and answered[0] != everybody[0] else (EVERYBODY,)
