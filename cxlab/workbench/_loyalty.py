"""The loyalty tab: how loyalty goes with satisfaction, whether there is a threshold, and who is loyal for want of a choice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from cxlab.errors import SurveyError
from cxlab.items import in_order, pick
from cxlab.loyalty import LoyaltyMapResult, ScoreCube, loyalty_link, loyalty_map, score_cube
from cxlab.survey import Survey
from cxlab.workbench import _loyalty_specs as specs
from cxlab.workbench import _loyalty_words as words
from cxlab.workbench._loyalty_specs import Said
from cxlab.workbench._tab import Asked, Control, Option, Pick, Tab, Texts, View
from cxlab.workbench._workspace import MOST_GROUPS, base_note

MOST_BESIDE = 7  # groups whose curves can be told apart by colour
_LEAST, _LEAST_ANSWERS = 60, 5  # respondents and answers without which no bend is looked for
_LIVE_POINTS = 40  # means that are taken anew while something moves
_AT_ONCE = 100_000  # rows up to which a curve's cube is built when it is first asked for
_MANY_ROWS = 100_000  # rows from which the threshold is looked for at the answers alone
_FEWER = 100
_KEPT = 6
_SATISFACTION = "satisfaction"


class LoyaltyTab(Tab):
    """From satisfaction to loyalty, live.

    Notes
    -----
    While a filter moves, means or shares by answer and the spline through them come from a small cube that is split by the
    answers as well. The threshold and its interval need the rows: they come when the hand rests.
    """

    key: ClassVar[str] = "loyalty"
    title: ClassVar[Texts] = words.TITLE

    def __init__(self, workspace: Any) -> None:
        super().__init__(workspace)
        self._cubes: OrderedDict[tuple[str, str], ScoreCube | None] = OrderedDict()
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Option, ...]] = {}

    # ------------------------------------------------------------------ what there is
    @cached_property
    def _rated(self) -> tuple[str, ...]:
        """Outcomes with so many answers that a bend can be looked for; the satisfaction first."""
        found = [o for o in self.workspace.outcomes if self._answers(o) >= _LEAST_ANSWERS]
        return tuple(sorted(found, key=lambda o: o != _SATISFACTION))

    @cached_property
    def _loyal(self) -> tuple[str, ...]:
        """What satisfaction may lead to: the renewal, if 0 and 1, then outcomes of two values, then the others."""
        own = self.workspace.survey.roles.renewal
        renewal = [own] if own and self._answers(own) and self._binary(own) else []
        others = sorted(
            (o for o in self.workspace.outcomes if self._answers(o) > 1),
            key=lambda o: (self._answers(o) != 2, o == _SATISFACTION),
        )
        return tuple(dict.fromkeys([*renewal, *others]))

    @cached_property
    def _answered(self) -> dict[str, tuple[int, bool]]:
        """How many different answers each outcome has, and whether they are 0 and 1."""
        roles, survey = self.workspace.survey.roles, self.workspace.survey
        kept = survey.domain & (survey.weights > 0)
        out = {}
        for name in (
            *self.workspace.outcomes,
            *([roles.renewal] if roles.renewal and survey.has(roles.renewal) else []),
        ):
            try:
                seen = np.unique(survey.values(name)[kept])
            except SurveyError:
                continue
            seen = seen[np.isfinite(seen)]
            out[name] = len(seen), bool(np.isin(seen, (0.0, 1.0)).all())
        return out

    def _answers(self, name: str) -> int:
        return self._answered.get(name, (0, False))[0]

    def _binary(self, name: str) -> bool:
        return self._answered.get(name, (0, False))[1]

    def lacking(self) -> Texts | None:
        if self._rated and set(self._loyal) - {self._rated[0]}:
            return None
        count = len({*self._rated, *self._loyal})
        return {lang: text.format(count=min(count, 1)) for lang, text in words.LACKING.items()}

    def controls(self) -> Sequence[Control]:
        segments = [s for s in self.workspace.segments if len(self.workspace.codes(s)) <= MOST_GROUPS]
        first = self._rated[0]
        return (
            Pick(name="satisfaction", label=words.CONTROLS["satisfaction"], options=self._options(self._rated), default=first),
            Pick(name="loyalty", label=words.CONTROLS["loyalty"], options=self._options(self._loyal),
                 default=next(o for o in self._loyal if o != first)),
            Pick(name="by", label=words.CONTROLS["by"], options=((None, words.EVERYBODY), *self.workspace.options(segments))),
            Pick(name="show", label=words.CONTROLS["show"], options=tuple(words.SHOW.items()), default="link"),
        )  # fmt: skip

    def _options(self, names: Sequence[str]) -> tuple[Option, ...]:
        return self.workspace.options(names)

    def _said(self, asked: Asked) -> Said:
        survey, lang = self.workspace.survey, asked.lang
        values = dict(self._values(asked["by"])) if asked["by"] else {}
        return Said(
            lang, survey.label(asked["satisfaction"], lang), survey.label(asked["loyalty"], lang), self._binary(asked["loyalty"]),
            lambda code: pick(values.get(code, {}), lang, str(code)),
        )  # fmt: skip

    def _values(self, by: str) -> tuple[Option, ...]:
        """Codes of a segment with their labels, looked up once."""
        if by not in self._known:
            self._known[by] = self.workspace.values(by)
        return self._known[by]

    # ------------------------------------------------------------------ what is refused
    def _check(self, asked: Asked) -> None:
        survey = self.workspace.survey
        if survey.items_of(asked["satisfaction"]) == survey.items_of(asked["loyalty"]):
            raise SurveyError(asked.text(words.SAME, name=survey.label(asked["loyalty"], asked.lang)))

    def _groups(self, asked: Asked, rows: Survey | None = None) -> list[Any]:
        """Codes of the groups that stand side by side; none for everybody."""
        by = asked["by"]
        if by is None:
            return []
        chosen = asked.filter.get(by)
        codes = [c for c, _ in self._values(by) if chosen is None or c in chosen]
        if rows is not None:
            codes = in_order(rows.data[by][rows.domain].dropna().unique().tolist())
        facts = {"by": self.workspace.survey.label(by, asked.lang), "count": len(codes)}
        if len(codes) > MOST_BESIDE:
            raise SurveyError(asked.text(words.MANY, **facts, most=MOST_BESIDE))
        if len(codes) < 2:
            raise SurveyError(asked.text(words.ONE, **facts))
        return codes

    def _check_rows(self, asked: Asked, x: np.ndarray, y: tuple[float, float], base: int) -> None:
        """Refuse what the library would refuse, in the language asked for."""
        survey, lang = self.workspace.survey, asked.lang
        if base < _LEAST:
            raise SurveyError(asked.text(words.FEW, base=base, least=_LEAST))
        if y[0] == y[1]:
            raise SurveyError(
                asked.text(words.CONSTANT, loyalty=survey.label(asked["loyalty"], lang), value=y[0], base=base)
            )
        if len(x) < _LEAST_ANSWERS:
            facts = {
                "satisfaction": survey.label(asked["satisfaction"], lang),
                "count": len(x),
                "least": _LEAST_ANSWERS,
            }
            raise SurveyError(asked.text(words.FEW_ANSWERS, **facts))

    # ------------------------------------------------------------------ while something moves
    def live(self, asked: Asked) -> View | None:
        self._check(asked)
        codes = self._groups(asked)
        if asked["show"] != "link":
            return None
        cube = self._cube(asked, at_once=len(self.workspace.survey) <= _AT_ONCE)
        if cube is None:
            return None
        found = cube.inside(asked.filter)
        ends = (float(found["least"].min()), float(found["most"].max())) if len(found) else (0.0, 0.0)
        self._check_rows(asked, found.index.to_numpy(), ends, int(found["rows"].sum()))
        if len(found) * max(len(codes), 1) > _LIVE_POINTS:
            return None
        said, parts, whole = self._said(asked), [], None
        for code in codes or [None]:
            within = asked.filter if code is None else {**asked.filter, asked["by"]: [code]}
            try:
                one = cube.curve(within)
            except SurveyError:  # nobody of the group
                continue
            whole = whole or one
            parts.append(specs.part_now(code, one))
        if whole is None:
            return None
        weight = found["weight"].to_numpy(dtype=float)
        base = base_note(int(found["rows"].sum()), float(weight.sum() ** 2 / found["squares"].sum()), asked.lang)
        notes = [base, said.text(words.LIVE, groups=cube.groups)]
        spec = specs.curve(parts, whole.cuts, said) | {"title": specs.curve_title(parts, said)}
        lines = self._hint(asked)
        return View(self._framed(asked, spec, notes, whole.cuts), self.workspace.code(asked.filter, self._call(asked, self._link_options(asked))),
                    lines=lines)  # fmt: skip

    def _cube(self, asked: Asked, at_once: bool) -> ScoreCube | None:
        """Cube of a pair of questions; with many rows only if the worker has built it."""
        key = (asked["satisfaction"], asked["loyalty"])
        if key not in self._cubes and not at_once:
            return None
        with self._lock:
            if key not in self._cubes:
                splits = [
                    s
                    for s in self.workspace.splits
                    if len(self.workspace.codes(s)) <= MOST_GROUPS or s == self.workspace.wave
                ]
                self._cubes[key] = score_cube(self.workspace.survey, *key, splits)
                while len(self._cubes) > _KEPT:
                    self._cubes.popitem(last=False)
            return self._cubes[key]

    # ------------------------------------------------------------------ at rest
    def settled(self, asked: Asked) -> View:
        self._check(asked)
        rows = self.workspace.inside(asked.filter)
        self._groups(asked, rows)
        said = self._said(asked)
        if asked["show"] == "map":
            return self._map(asked, rows, said)
        x, y = rows.values(asked["satisfaction"]), rows.values(asked["loyalty"])
        kept = rows.domain & (rows.weights > 0) & np.isfinite(x) & np.isfinite(y)
        ends = (float(y[kept].min()), float(y[kept].max())) if kept.any() else (0.0, 0.0)
        self._check_rows(asked, np.unique(x[kept]), ends, int(kept.sum()))
        self._cube(asked, at_once=True)  # the next live answer has it
        options = self._link_options(asked)
        result = loyalty_link(rows, asked["satisfaction"], asked["loyalty"], **options)
        parts = specs.parts_of(result)
        cuts = result.cuts[:2]
        notes = [base_note(result.base.respondents, result.base.effective, asked.lang)]
        notes.append(said.text(words.SETTLED, replicates=options.get("replicates", 500)))
        if "knots" in options:
            notes.append(said.text(words.COARSE, rows=len(self.workspace.survey), replicates=options["replicates"]))
        spec = specs.curve(parts, cuts, said) | {"title": result.headline(asked.lang).text}
        return View(self._framed(asked, spec, notes, cuts), self.workspace.code(asked.filter, self._call(asked, options)), result,
                    (*(s.text for s in result.sentences(asked.lang)), *self._hint(asked)))  # fmt: skip

    def _map(self, asked: Asked, rows: Survey, said: Said) -> View:
        by = {"by": asked["by"]} if asked["by"] else {}
        result: LoyaltyMapResult = loyalty_map(rows, asked["satisfaction"], asked["loyalty"], **by)
        base = base_note(result.base.respondents, result.base.effective, asked.lang)
        notes = [base, said.text(words.DESIGN), said.text(words.TYPE_CUTS, satisfied=result.at, loyal=result.loyal_at)]
        spec = specs.types(result, said) | {"title": result.headline(asked.lang).text}
        call = self._call(asked, by, "loyalty_map")
        return View(self._framed(asked, spec, notes), self.workspace.code(asked.filter, call), result,
                    tuple(s.text for s in result.sentences(asked.lang)))  # fmt: skip

    def _link_options(self, asked: Asked) -> dict[str, Any]:
        """What the library's function is called with; bounded where there are many rows."""
        options: dict[str, Any] = {"by": asked["by"]} if asked["by"] else {}
        if len(self.workspace.survey) > _MANY_ROWS:
            return options | {"knots": self._inner(asked["satisfaction"]), "replicates": _FEWER}
        return options

    def _inner(self, name: str) -> list[float]:
        """Answers with five per cent of all respondents below and above; at most ten."""
        values = self.workspace.survey.values(name)
        kept = values[self.workspace.survey.domain & np.isfinite(values)]
        low, high = np.quantile(kept, [0.05, 0.95], method="nearest")
        inner = np.unique(kept[(kept > low) & (kept < high)])
        count = min(len(inner), 10)
        places = np.unique(np.linspace(0, max(len(inner) - 1, 0), count).round().astype(int))
        return [float(inner[p]) for p in places]

    def _call(self, asked: Asked, options: dict[str, Any], name: str = "loyalty_link") -> str:
        said = "".join(f", {k}={v!r}" for k, v in options.items())
        return f"result = cx.{name}(survey, {asked['satisfaction']!r}, {asked['loyalty']!r}{said})"

    # ------------------------------------------------------------------ around the picture
    def _framed(
        self, asked: Asked, spec: dict[str, Any], notes: list[str], cuts: tuple[float, float] | None = None
    ) -> dict[str, Any]:
        if cuts is not None:
            notes += [asked.text(words.CUTS, first=cuts[0], second=cuts[1]), asked.text(words.MASKED)]
        note = (" " if asked.lang == "en" else "").join(notes)
        return spec | {"subtitle": self.workspace.said(asked.filter, asked.lang), "note": note, "lang": asked.lang}

    def _hint(self, asked: Asked) -> tuple[str, ...]:
        """That behaviour could be declared, where only intentions are, or written as 0 and 1."""
        survey = self.workspace.survey
        own = survey.roles.renewal
        if own and survey.has(own) and own not in self._loyal:
            return (asked.text(words.CODED, column=own, item=survey.label(own, asked.lang)),)
        behaviour = self.workspace.survey.roles.renewal or any(self._binary(o) for o in self._loyal)
        return () if behaviour else (asked.text(words.INTENTION),)
