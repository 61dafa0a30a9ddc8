"""The 360 tab: what leads from experience over emotion to behaviour, of everybody or of groups side by side."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from cxlab.cube import Jackknifed
from cxlab.errors import SurveyError
from cxlab.items import pick
from cxlab.layers import (
    Answered,
    IpmaResult,
    Kernel,
    Moved,
    PathGroupsResult,
    PathModel,
    PathModelResult,
    answered,
    compare_paths,
    impossible,
    ipma,
    moved,
    path_model,
    room,
    study_model,
)
from cxlab.result import Result
from cxlab.words import Note
from cxlab.workbench import _layers_specs as specs
from cxlab.workbench import _layers_words as words
from cxlab.workbench._layers_numbers import Group, of_groups, of_ipma, of_moments, of_result, of_room
from cxlab.workbench._layers_specs import Said
from cxlab.workbench._tab import Asked, Control, Option, Pick, Tab, Texts, View
from cxlab.workbench._workspace import MOST_GROUPS, base_note

MOST_BESIDE = 12  # groups that the library compares
_LIVE_BESIDE = 6  # groups that are estimated anew while something moves
_AT_ONCE = 100_000  # rows up to which the first live answer counts who could answer; of more the worker does
_FEWER = 200  # replicates where there are more rows than that
_KEPT = 8
Now = tuple[
    Any, Jackknifed, PathModel, Texts | None
]  # numbers, moments of all of them, their model, what speaks against it
_EXAMPLE = {"first": "q1, q2", "second": "q3, q4", "third": "q5"}


class LayersTab(Tab):
    """The study's path model, live.

    Notes
    -----
    While a filter moves, the cube gives the correlations of the model's items with those of all jackknife replicates, and
    the model is estimated on all of them at once. A model with products of constructs needs the rows and has no live answer.
    """

    key: ClassVar[str] = "layers"
    title: ClassVar[Texts] = words.TITLE

    def __init__(self, workspace: Any) -> None:
        super().__init__(workspace)
        self._results: OrderedDict[str, Result] = OrderedDict()
        self._known: dict[str, tuple[Option, ...]] = {}
        self._lock = threading.Lock()
        self._answered: Answered | None = None
        self._counted = False

    # ------------------------------------------------------------------ what there is
    def lacking(self) -> Texts | None:
        roles = self.workspace.survey.roles
        if not roles.model and sum(bool(items) for items in roles.layers.values()) < 2:
            drivers = [*self.workspace.drivers, *_EXAMPLE["first"].split(", ")]
            first = ", ".join(drivers[:2])
            return {lang: Note(words.LACKING, **(_EXAMPLE | {"first": first}))[lang] for lang in words.LACKING}
        try:
            study_model(self.workspace.survey)
        except SurveyError as error:
            return {lang: Note(words.UNREADABLE, fault=str(error))[lang] for lang in words.UNREADABLE}
        return None

    @cached_property
    def _model(self) -> PathModel:
        """The study's model with all its items."""
        return study_model(self.workspace.survey)

    def _count(self) -> None:
        """Count once who could answer the items, by cells; without the counts the library's own refusal is shown."""
        with self._lock:
            if not self._counted:
                with suppress(SurveyError):
                    self._answered = answered(self.workspace.survey, self.workspace.cube.splits)
                self._counted = True

    def _values(self, by: str) -> tuple[Option, ...]:
        """Codes of a segment with their labels, looked up once."""
        if by not in self._known:
            self._known[by] = self.workspace.values(by)
        return self._known[by]

    def controls(self) -> Sequence[Control]:
        caused = [name for name in self._model.names if any(name == end for _, end in self._model.paths)]
        labels = {name: self._wordings(name) for name in caused}
        segments = [s for s in self.workspace.segments if len(self.workspace.codes(s)) <= MOST_GROUPS]
        few = len(self._model.constructs) <= 3
        return (
            Pick(name="by", label=words.CONTROLS["by"], options=((None, words.EVERYBODY), *self.workspace.options(segments))),
            Pick(name="show", label=words.CONTROLS["show"], options=tuple(words.SHOW.items()), default="diagram"),
            Pick(name="target", label=words.CONTROLS["target"], options=tuple(labels.items()), default=caused[-1]),
            Pick(name="points", label=words.CONTROLS["points"], options=tuple(words.POINTS.items()),
                 default="items" if few else "constructs", when={"show": ("map",)}),
            Pick(name="method", label=words.CONTROLS["method"], options=tuple(words.METHOD.items()), default="pls"),
        )  # fmt: skip

    def _wordings(self, name: str) -> Texts:
        """Wording of a construct or item; before anything is estimated."""
        own = next((c.labels for c in self._model.constructs if c.name == name and c.labels), None)
        own = own or self.workspace.survey.roles.labels.get(name)
        if not own and self.workspace.survey.has(name):
            own = self.workspace.texts(name)
        return {lang: pick(own or {}, lang, name) for lang in words.TITLE}

    def _said(self, asked: Asked) -> Said:
        by, lang = asked["by"], asked.lang

        def label(name: str) -> str:
            return " × ".join(pick(self._wordings(part), lang, part) for part in name.split(":"))

        values = dict(self._values(by)) if by else {}
        return Said(lang, label, self.workspace.survey.label(by, lang) if by else "",
                    lambda code: pick(values.get(code, {}), lang, str(code)))  # fmt: skip

    def _groups(self, asked: Asked) -> list[Any]:
        """Codes of the groups that stand side by side; none for everybody."""
        if asked["by"] is None:
            return []
        if self._answered is not None and asked["by"] in self._answered.splits:
            codes = self._answered.codes(asked["by"], asked.filter)
        else:
            chosen = asked.filter.get(asked["by"])
            codes = [c for c, _ in self._values(asked["by"]) if chosen is None or c in chosen]
        facts = {"by": self.workspace.survey.label(asked["by"], asked.lang), "count": len(codes)}
        if len(codes) > MOST_BESIDE:
            raise SurveyError(asked.text(words.MANY, **facts, most=MOST_BESIDE))
        if len(codes) < 2:
            raise SurveyError(asked.text(words.ONE, **facts))
        return codes

    # ------------------------------------------------------------------ while something moves
    def live(self, asked: Asked) -> View | None:
        if len(self.workspace.survey) <= _AT_ONCE:
            self._count()
        codes = self._groups(asked)
        _check_map(self._model, asked)
        if self._answered is None or self._model.products or len(codes) > _LIVE_BESIDE:
            return None
        said = self._said(asked)
        found = self._map_now(asked, codes) if asked["show"] == "map" else self._numbers_now(asked, codes)
        if found is None:
            return None
        numbers, moments, model, fault = found
        base = base_note(moments.base, moments.base_kish, asked.lang)
        note = words.LIVE_GROUPS if codes and asked["show"] != "map" else words.LIVE
        notes = [base, said.text(note, groups=len(moments.scale)), self._aside(model, said)]
        spec = self._spec(asked, numbers, said, notes) | ({"title": fault[asked.lang]} if fault else {})
        return View(spec, self.workspace.code(asked.filter, self._call(asked, codes)))

    def _whole(self, asked: Asked, known: str | None) -> tuple[PathModel, np.ndarray, Jackknifed] | None:
        """The model of the filter, its scales and moments; None where the library is to refuse."""
        if self._answered is None:
            return None
        model = self._answered.model(asked.filter, known)
        if any(i not in self.workspace.cube.names for i in model.items):
            return None
        within = asked.filter if known is None else {known: self._answered.codes(known, asked.filter), **asked.filter}
        try:
            moments = self.workspace.cube.covariances(within, model.items)
        except SurveyError:  # nobody answered all
            raise _too_few(asked, model, 0) from None
        if moments.base < _needed(model):
            raise _too_few(asked, model, moments.base)
        scales = self._answered.scales(model, asked.filter, known)
        return None if _refused(model, moments) else (model, scales, moments)

    def _numbers_now(self, asked: Asked, codes: Sequence[Any]) -> Now | None:
        by, survey = asked["by"], self.workspace.survey
        codes = self._beside(asked, codes)  # compared on the items that all of them together answered
        whole = self._whole(asked, by if codes else None)
        if whole is None:
            return None
        model, scales, moments = whole
        if not codes:
            estimated = moved(survey, model, scales, moments, asked["method"])
            group = Group(None, moments.base, moments.base_kish)
            return _sound([(group, estimated, moments)], moments, model)
        found: list[tuple[Group, Moved | None, Jackknifed | None]] = []
        for code in codes:
            try:
                own = self.workspace.cube.covariances({**asked.filter, by: [code]}, model.items)
            except SurveyError:  # nobody of the group answered all items
                found.append((Group(code, 0, 0.0, False), None, None))
                continue
            few, effective = _refused(model, own), min(float(own.base), own.base_kish)
            if few:
                found.append((Group(code, own.base, effective, False), None, None))
                continue
            there = moved(survey, model, scales, own, asked["method"])
            fine = bool(there.sample.converged[0])
            found.append((Group(code, own.base, effective, fine), there if fine else None, own))
        return _sound(found, moments, model)

    def _map_now(self, asked: Asked, codes: Sequence[Any]) -> Now | None:
        whole = self._whole(asked, None)
        if whole is None:
            return None
        model, scales, moments = whole
        estimated = moved(self.workspace.survey, model, scales, moments, asked["method"])
        items, target = asked["points"] == "items", asked["target"]
        if not (estimated.draws.converged.all() and estimated.sample.converged[0]) or target not in estimated.names:
            return None
        found = []
        for code in codes or [None]:
            own, means = moments, None
            if code is not None:
                own = self.workspace.cube.covariances({**asked.filter, asked["by"]: [code]}, model.items)
                means = np.vstack([own.mean, own.means])
            there = room(estimated, target, items, means)
            if there is None:
                return None
            effective = own.base_kish if code is None else min(float(own.base), own.base_kish)
            found.append((Group(code, own.base, effective), there, own))
        return of_room(found), moments, model, _fault([estimated.kernel])

    # ------------------------------------------------------------------ at rest
    def settled(self, asked: Asked) -> View:
        self._count()
        codes = self._groups(asked)
        _check_map(self._model, asked)
        self._whole(asked, asked["by"] if asked["show"] != "map" and self._beside(asked, codes) else None)
        said = self._said(asked)
        result = self._found(asked, codes)
        numbers: Any
        if isinstance(result, IpmaResult):
            numbers = of_ipma(result)
        else:
            numbers = of_groups(result) if isinstance(result, PathGroupsResult) else of_result(result)
        base = base_note(result.base.respondents, result.base.effective, asked.lang)
        notes = [base, said.text(words.SETTLED, replicates=result.replicates)]
        if len(self.workspace.survey) > _AT_ONCE:
            notes.append(said.text(words.FEWER, rows=len(self.workspace.survey), replicates=_FEWER))
        ground = result.ground.prepared.model if isinstance(result, IpmaResult) and result.ground else None
        notes.append(self._aside(result.model if not isinstance(result, IpmaResult) else ground or self._model, said))
        lines = tuple(s.text for s in result.sentences(asked.lang))
        spec = self._spec(asked, numbers, said, notes)
        if isinstance(result, (PathGroupsResult, IpmaResult)):
            spec["title"] = result.headline(asked.lang).text
        fault = _fault(self._kernels(asked, result))
        if fault is not None:
            spec["title"] = fault[asked.lang]
        return View(spec, self.workspace.code(asked.filter, self._call(asked, codes)), result, lines)

    def _kernels(self, asked: Asked, result: Result) -> list[Kernel]:
        """Models behind a result, where they may be impossible."""
        if asked["method"] != "plsc":
            return []
        if isinstance(result, PathGroupsResult):
            return list(result.kernels.values())
        if isinstance(result, IpmaResult):
            result = path_model(self.workspace.inside(asked.filter), method="plsc", replicates=0)
        return [result.kernel] if isinstance(result, PathModelResult) and result.kernel else []

    def _options(self, asked: Asked, codes: Sequence[Any]) -> tuple[str, dict[str, Any]]:
        """Name of the library's function, and what it is called with."""
        more: dict[str, Any] = {"method": "plsc"} if asked["method"] == "plsc" else {}
        many = len(self.workspace.survey) > _AT_ONCE
        more |= {"replicates": _FEWER} if many else {}
        if asked["show"] == "map":
            by = {"by": asked["by"]} if codes else {}
            return "ipma", {"target": asked["target"], **by, "items": asked["points"] == "items", **more}
        if not self._beside(asked, codes):
            return "path_model", more
        return "compare_paths", {"by": asked["by"], **more, **({"permutations": 0} if many else {})}

    def _beside(self, asked: Asked, codes: Sequence[Any]) -> Sequence[Any]:
        """Groups that are estimated apart: none where their diagrams do not fit beneath one another."""
        fits = asked["show"] != "diagram" or specs.high(self._model.paths) * len(codes) <= specs.MOST_HIGH
        return codes if fits else []

    def _call(self, asked: Asked, codes: Sequence[Any]) -> str:
        name, options = self._options(asked, codes)
        return f"result = cx.{name}(survey{''.join(f', {k}={v!r}' for k, v in options.items())})"

    def _found(self, asked: Asked, codes: Sequence[Any]) -> PathModelResult | PathGroupsResult | IpmaResult:
        """The library's result, kept for other pictures of the same."""
        name, options = self._options(asked, codes)
        key = repr((name, sorted(options.items()), sorted((k, list(v)) for k, v in asked.filter.items())))
        if key not in self._results:
            self._results[key] = _CALLS[name](self.workspace.inside(asked.filter), **options)
            while len(self._results) > _KEPT:
                self._results.popitem(last=False)
        return self._results[key]  # type: ignore[return-value]

    # ------------------------------------------------------------------ pictures
    def _spec(self, asked: Asked, numbers: Any, said: Said, notes: list[str]) -> dict[str, Any]:
        target, show = asked["target"], asked["show"]
        if show == "map":
            spec, title = specs.room_map(numbers, target, said), specs.map_title(numbers, target, said)
            notes += [said.text(words.CUTS)] + ([said.text(words.POOLED)] if asked["by"] else [])
        elif show == "effects":
            spec, title = specs.effects(numbers, target, said), specs.total_title(numbers, target, said)
        elif show == "paths":
            spec, title = specs.paths(numbers, said), specs.paths_title(numbers, target, said)
        else:
            spec, title = specs.diagram(numbers, said), specs.paths_title(numbers, target, said)
            together = asked["by"] is not None and numbers.groups[0].code is None
            beneath = words.TOGETHER if together else words.STACKED if asked["by"] else None
            notes += [said.text(words.FADED)] + ([said.text(beneath, by=said.by)] if beneath else [])
        notes.append(said.text(words.ASSUMED))
        gap = " " if asked.lang == "en" else ""
        return spec | {"title": title, "subtitle": self.workspace.said(asked.filter, asked.lang), "note": gap.join(n for n in notes if n),
                       "lang": asked.lang}  # fmt: skip

    def _aside(self, model: PathModel, said: Said) -> str:
        """Items of the study's model that were set aside."""
        lost = [i for i in self._model.items if i not in model.items]
        listed = specs.BETWEEN[said.lang].join(said.label(i) for i in lost)
        return said.text(words.ASIDE, items=listed) if lost else ""


_CALLS: Mapping[str, Callable[..., Result]] = {"path_model": path_model, "compare_paths": compare_paths, "ipma": ipma}


def _check_map(model: PathModel, asked: Asked) -> None:
    if asked["show"] == "map" and model.products:
        raise SurveyError(asked.text(words.PRODUCTS))


def _refused(model: PathModel, moments: Jackknifed) -> bool:
    """Whether there are too few respondents, or an item does not vary."""
    variance = np.diagonal(moments.covariance)
    return bool(moments.base < _needed(model) or not (variance > 1e-12 * np.maximum(moments.mean**2, 1e-12)).all())


def _needed(model: PathModel) -> int:
    """Complete respondents without whom the library refuses."""
    return max(10, -(-len(model.items) // 2))


def _too_few(asked: Asked, model: PathModel, base: int) -> SurveyError:
    return SurveyError(asked.text(words.TOO_FEW, base=base, count=len(model.items), least=_needed(model)))


def _sound(
    found: list[tuple[Group, Moved | None, Jackknifed | None]],
    moments: Jackknifed,
    model: PathModel,
    fault: Texts | None = None,
) -> Now | None:
    """Numbers of all groups; None where a replicate of one that is shown has no solution."""
    for group, estimated, _ in found:
        if group.grade != "suppressed" and estimated is not None and not estimated.draws.converged.all():
            return None
    fault = _fault([estimated.kernel for _, estimated, _ in found if estimated is not None])
    return of_moments(found, model.paths), moments, model, fault


def _fault(kernels: Iterable[Kernel]) -> Texts | None:
    """What speaks against common factors in any group; composites are never impossible."""
    return next((note for kernel in kernels if kernel.consistent for note in impossible(kernel)), None)
