"""The drivers tab: which experiences go with a higher outcome, in what order, how surely, and for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from cxlab.design import kish_base
from cxlab.drivers import METHOD_NAMES, default_drivers, driver_blocks, key_drivers, priority_map
from cxlab.errors import SurveyError
from cxlab.items import in_order
from cxlab.result import SUPPRESSED_BASE, Result, reliability
from cxlab.survey import Survey
from cxlab.words import LANGUAGES
from cxlab.workbench import _drivers_words as words
from cxlab.workbench._drivers_draw import Group, Scene, spec
from cxlab.workbench._drivers_figures import Figures, Kept, from_table, hidden
from cxlab.workbench._drivers_live import Filter, Question, Quick, TooFew, key_of
from cxlab.workbench._segments_items import FIXED, lonely
from cxlab.workbench._tab import Asked, Control, Option, Pick, Several, Tab, Texts, View
from cxlab.workbench._workspace import MOST_GROUPS, Workspace

METHODS = ("shapley", "johnson", "car", "pratt")
SHAPLEY_DRIVERS = 20  # whose subsets are gone through while exploring
BLOCK_DRIVERS = 20  # drivers of a block and other blocks
DRAWN_GROUPS, DRAWN_WAVES = 8, 6
STUCK = ("flat", "tied")
REPLICATES, FEW_REPLICATES, MANY_DRIVERS, MANY_ROWS = 1000, 200, 16, 200_000  # a settled answer stays within seconds


class DriversTab(Tab):
    """Importance of drivers or of blocks, effects, the priority map; for everybody or side by side."""

    key: ClassVar[str] = "drivers"
    title: ClassVar[Texts] = words.TITLE

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._quick, self._results = Quick(workspace), Kept(24)

    # ------------------------------------------------------------------ what can be chosen
    def lacking(self) -> Texts | None:
        if not self._outcomes:
            return words.NO_OUTCOMES
        if len(self._drivers) < 2:
            return words.NO_DRIVERS
        return lonely(self.workspace, ("remove",))  # the bootstrap knows nothing else

    @cached_property
    def _outcomes(self) -> tuple[str, ...]:
        known = self.workspace.columns()
        return tuple(o for o in self.workspace.outcomes if o in known)

    @cached_property
    def _drivers(self) -> tuple[str, ...]:
        """Declared drivers that have answers, block by block."""
        known = self.workspace.columns()
        return tuple(d for d in self.workspace.drivers if d in known)

    @cached_property
    def _block_of(self) -> dict[str, str]:
        return {d: block for block, items in self.workspace.blocks.items() for d in items}

    def controls(self) -> Sequence[Control]:
        workspace = self.workspace
        outcome = "satisfaction" if "satisfaction" in self._outcomes else self._outcomes[0]
        groups = [*workspace.segments, *([workspace.wave] if workspace.wave in workspace.splits else [])]
        by: tuple[Option, ...] = ((None, words.LABELS["together"]), *workspace.options([g for g in groups if g]))
        blocks = [b for b in dict.fromkeys(self._block_of[d] for d in self._drivers) if b]
        shows = [s for s in words.SHOWS if s != "blocks" or blocks]
        ranked, split = ("drivers", "map"), ("drivers", "blocks", "effects")
        return (
            Pick(name="outcome", label=words.LABELS["outcome"], options=workspace.options(self._outcomes), default=outcome),
            Pick(name="show", label=words.LABELS["show"], options=tuple((s, words.SHOWS[s]) for s in shows), default="drivers"),
            Pick(name="method", label=words.LABELS["method"], options=tuple((m, METHOD_NAMES[m]) for m in METHODS), default="shapley", when={"show": ranked}),
            *([Pick(name="by", label=words.LABELS["by"], options=by, when={"show": split})] if len(by) > 1 else []),
            Several(name="drivers", label=words.LABELS["drivers"], options=workspace.options(self._drivers), default=self._default(outcome),
                    headings=self._headings() if blocks else {}),
        )  # fmt: skip

    def _headings(self) -> dict[str, Texts]:
        """Wording of each block, above its first driver."""
        first: dict[str, str] = {}
        for driver in self._drivers:
            first.setdefault(self._block_of[driver], driver)
        return {driver: self._texts(block) if block else words.LABELS["alone"] for block, driver in first.items()}

    def _default(self, outcome: str) -> tuple[str, ...]:
        """The library's own choice, without what the outcome is made of."""
        own = set(self.workspace.survey.items_of(outcome))
        try:
            chosen = default_drivers(self.workspace.survey)
        except SurveyError:
            chosen = self._drivers
        return tuple(d for d in self._drivers if d in chosen and not own & set(self.workspace.survey.items_of(d)))

    # ------------------------------------------------------------------ answers
    def live(self, asked: Asked) -> View | None:
        question, by = self._question(asked)
        groups = []
        for code, filter in self._groups(asked, question, by):
            try:
                figures = self._quick.figures(question, filter)
            except TooFew as fault:
                if code is None:
                    raise self._refused(fault, asked, question) from fault
                if question.show == "blocks" and fault.why in STUCK:
                    return None  # a block may lead though one of its drivers does not vary
                figures = hidden(question.names, fault.base, fault.effective, stuck=fault.why in STUCK)
            if figures is None:
                return None
            groups.append(Group(self._group_label(by, code), figures))
        cube = self.workspace.cube
        notes = [asked.text(words.NOTES["sampled" if question.sampled else "jackknife"], groups=cube.groups)]
        notes += [asked.text(FIXED)] if self.workspace.survey.design.raked else []
        notes += [asked.text(words.NOTES["open"])] if question.show == "map" else []
        return View(spec(self._scene(asked, question, by, groups, notes)), self._code(asked, question, by))

    def settled(self, asked: Asked) -> View:
        question, by = self._question(asked)
        filter = self._filter(asked, by)
        survey = self.workspace.inside(filter)
        base, effective = _complete(survey, question)
        few = reliability(min(base, effective)) == "suppressed" if by is None else effective < len(question.drivers) + 2
        if few:  # groups are masked one by one
            raise self._refused(TooFew("few" if base else "nobody", (), base, effective), asked, question)
        result, groups = self._answered(survey, key_of(filter), question, by)
        which = "taylor" if question.show == "effects" else "bootstrap"
        notes = [asked.text(words.NOTES[which], replicates=self._replicates(question))]
        if by is None and question.show in ("drivers", "blocks"):
            notes.append(asked.text(words.NOTES["null"]))
        if question.show == "map":
            notes.append(asked.text(words.NOTES["open"]))
        scene = self._scene(asked, question, by, groups, notes)
        lines = tuple(s.text for s in result.sentences(asked.lang))[:5]
        return View(spec(scene), self._code(asked, question, by), result, lines)

    def _answered(
        self, survey: Survey, at: tuple[Any, ...], question: Question, by: str | None
    ) -> tuple[Result, list[Group]]:
        """The library's own result, and its figures."""
        if question.show == "blocks":
            return self._answered_blocks(survey, at, question, by)
        names, outcome = question.names, question.outcome
        options: dict[str, Any] = {
            "method": question.method,
            "model": "linear",
            "replicates": self._replicates(question),
        }
        key = (at, question.method, question.columns)
        if by is not None:
            split = self._results(
                (*key, by), lambda: key_drivers(survey, outcome, list(question.drivers), by=by, **options)
            )
            bases = split.model.set_index("segment")[["base", "base_effective"]]
            return split, [
                Group(self._group_label(by, code), from_table(part, names, *_sizes(bases.loc[code])))
                for code, part in split.table.groupby("segment", sort=False)
            ]
        found = self._results(key, lambda: key_drivers(survey, outcome, list(question.drivers), **options))
        if question.show != "map":
            return found, [Group({}, _of(found, names))]
        placed = self._results((*key, "map"), lambda: priority_map(found))
        table = placed.table.merge(found.table[_BESIDE], on="driver")
        cut = placed.cuts.iloc[0]
        plain = from_table(table, names, found.base.respondents, found.base.effective)
        return placed, [Group({}, replace(plain, cuts=(float(cut["performance"]), float(cut["importance"]))))]

    def _answered_blocks(
        self, survey: Survey, at: tuple[Any, ...], question: Question, by: str | None
    ) -> tuple[Result, list[Group]]:
        """The same of blocks."""
        found = self._results(
            (at, "blocks", question.columns, by),
            lambda: driver_blocks(
                survey, question.outcome, self._blocks(question), by=by, replicates=self._replicates(question)
            ),
        )
        if by is None:
            return found, [Group({}, _of(found, question.names, "block"))]
        return found, [
            Group(self._group_label(by, code), from_table(part, question.names, *_sizes(part.iloc[0]), key="block"))
            for code, part in found.segments.groupby("segment", sort=False)
        ]

    def _replicates(self, question: Question) -> int:
        """Replicates behind a settled answer: fewer of many rows, or of many drivers."""
        many = question.show != "blocks" and len(question.drivers) > MANY_DRIVERS
        return FEW_REPLICATES if many or len(self.workspace.survey.data) > MANY_ROWS else REPLICATES

    def _code(self, asked: Asked, question: Question, by: str | None) -> str:
        """The calls that give the settled result."""
        split, count = "" if by is None else f", by={by!r}", self._replicates(question)
        fewer = "" if count == REPLICATES else f", replicates={count}"
        if question.show == "blocks":
            named = f"drivers = {self._blocks(question)!r}"
            calls = [named, f"result = cx.driver_blocks(survey, {question.outcome!r}, drivers{split}{fewer})"]
            return self.workspace.code(self._filter(asked, by), *calls)
        said = ("" if question.method == "shapley" else f", method={question.method!r}") + fewer
        calls = [
            f"drivers = {list(question.drivers)!r}",
            f"result = cx.key_drivers(survey, {question.outcome!r}, drivers{said}, model='linear'{split})",
        ]
        if question.show == "map":
            calls.append("result = cx.priority_map(result)")
        return self.workspace.code(self._filter(asked, by), *calls)

    # ------------------------------------------------------------------ what is asked
    def _question(self, asked: Asked) -> tuple[Question, str | None]:
        """What is asked, after checks that need no numbers."""
        outcome, drivers, show = asked["outcome"], tuple(asked["drivers"]), asked["show"]
        by = None if show == "map" else asked.choice.get("by")
        method = (
            "johnson" if show == "effects" and len(drivers) > SHAPLEY_DRIVERS else asked["method"]
        )  # effects need none
        question = Question(outcome, drivers, method, show, self._teams(drivers))
        survey = self.workspace.survey
        if len(drivers) < 2:
            raise self._fault(asked, "few drivers", count=len(drivers))
        own = set(survey.items_of(outcome))
        same = [d for d in drivers if d == outcome or own & set(survey.items_of(d))]
        if same:
            raise self._fault(asked, "outcome", names=self._listed(same, asked.lang))
        if by is not None and by in own | {i for d in drivers for i in survey.items_of(d)}:
            raise self._fault(asked, "by", names=self._listed([by], asked.lang))
        if show == "blocks":
            self._check_blocks(asked, question)
        elif question.method == "shapley" and len(drivers) > SHAPLEY_DRIVERS:
            raise self._fault(asked, "many", count=len(drivers), sets=_power(len(drivers)), most=SHAPLEY_DRIVERS)
        return question, by

    def _check_blocks(self, asked: Asked, question: Question) -> None:
        teams = question.teams
        if len(teams) < 2 or len(teams) == len(question.drivers):
            raise self._fault(asked, "blocks", count=len(question.drivers), blocks=len(teams))
        name, places = max(teams, key=lambda team: len(team[1]))
        if len(places) + len(teams) - 1 > BLOCK_DRIVERS:
            raise self._fault(
                asked, "block", name=self._listed([name], asked.lang), size=len(places), others=len(teams) - 1, most=BLOCK_DRIVERS
            )  # fmt: skip

    def _teams(self, drivers: tuple[str, ...]) -> tuple[tuple[str, tuple[int, ...]], ...]:
        own = [self._block_of.get(d) or d for d in drivers]
        return tuple((b, tuple(j for j, o in enumerate(own) if o == b)) for b in dict.fromkeys(own))

    def _blocks(self, question: Question) -> dict[str, list[str]]:
        out: dict[str, list[str]] = {}
        for d in question.drivers:
            out.setdefault(self._block_of.get(d, ""), []).append(d)
        return out

    # ------------------------------------------------------------------ groups
    def _codes(self, asked: Asked, by: str) -> tuple[list[Any], int]:
        """Codes of the groups that are drawn, in order, and how many there are in the filter."""
        allowed = asked.filter.get(by)
        codes = [c for c in self.workspace.codes(by) if allowed is None or c in allowed]
        if by == self.workspace.wave:
            return codes[-DRAWN_WAVES:], len(codes)
        if len(codes) > MOST_GROUPS:
            raise self._fault(asked, "groups", names=self._listed([by], asked.lang), count=len(codes), most=MOST_GROUPS)
        if len(codes) <= DRAWN_GROUPS:
            return codes, len(codes)
        sizes = self._sizes(by)
        return in_order(sorted(codes, key=lambda c: -sizes[c])[:DRAWN_GROUPS]), len(codes)

    def _sizes(self, by: str) -> Mapping[Any, int]:
        survey = self.workspace.survey
        column = survey.data[by][survey.domain & (survey.weights > 0)]
        return self._results(("sizes", by), lambda: column.value_counts().to_dict())

    def _filter(self, asked: Asked, by: str | None) -> dict[str, Sequence[Any]]:
        """The filter of what is drawn: where groups are left out, those that stay."""
        filter = dict(asked.filter)
        if by is not None:
            codes, count = self._codes(asked, by)
            if len(codes) < count:
                filter[by] = codes
        return filter

    def _groups(self, asked: Asked, question: Question, by: str | None) -> list[tuple[Any, Filter]]:
        if by is None:
            return [(None, asked.filter)]
        return [(code, {**asked.filter, by: [code]}) for code in self._codes(asked, by)[0]]

    def _group_label(self, by: str | None, code: Any) -> Texts:
        if by is None:
            return {}
        item = self.workspace.survey.codebook.items.get(by)
        return {lang: item.value_label(code, lang) if item else str(code) for lang in LANGUAGES}

    # ------------------------------------------------------------------ words
    def _scene(
        self, asked: Asked, question: Question, by: str | None, groups: Sequence[Group], notes: Sequence[str]
    ) -> Scene:
        workspace = self.workspace
        named = dict.fromkeys([question.outcome, *question.drivers, *(n for n, _ in question.teams)])
        more = []
        if by is not None:
            shown, count = self._codes(asked, by)
            kind = "latest" if by == workspace.wave else "largest"
            more = [asked.text(words.NOTES[kind], shown=len(shown), count=count)] if len(shown) < count else []
        if question.show == "map" and asked.choice.get("by") is not None:
            more = [asked.text(words.NOTES["undivided"])]
        scales = self._quick.ends(question.drivers) if question.show == "map" else np.zeros((1, 2))
        return Scene(
            question, tuple(groups), {n: self._texts(n) for n in named}, workspace.said(asked.filter, asked.lang),
            {} if by is None else workspace.texts(by), (*notes, *more), asked.lang, bool((scales != scales[0]).any()),
        )  # fmt: skip

    def _texts(self, name: str) -> Texts:
        """Wording of a column, role or block; that of a block is its own even if it holds a single item."""
        own = self.workspace.survey.roles.labels.get(name) if name in self.workspace.blocks else None
        return dict(own) if own else self.workspace.texts(name)

    def _listed(self, names: Sequence[str], lang: str) -> str:
        said = [self._texts(n)[lang] for n in names]
        return ", ".join(said) if lang == "en" else "、".join(f"“{s}”" for s in said)

    def _fault(self, asked: Asked, kind: str, **facts: Any) -> SurveyError:
        return SurveyError(asked.text(words.FAULTS[kind], **facts))

    def _refused(self, fault: TooFew, asked: Asked, question: Question) -> SurveyError:
        return self._fault(
            asked, fault.why, names=self._listed(fault.names, asked.lang), base=fault.base, effective=fault.effective,
            outcome=self._texts(question.outcome), count=len(question.drivers), least=SUPPRESSED_BASE,
        )  # fmt: skip


_BESIDE = ["driver", "importance", "rank_low", "rank_high", "null_line", "distinguishable"]


def _power(count: int) -> str:
    return f"2^{count}"


def _of(result: Any, names: tuple[str, ...], key: str = "driver") -> Figures:
    return from_table(result.table, names, result.base.respondents, result.base.effective, key)


def _sizes(row: Any) -> tuple[int, float]:
    return int(row["base"]), float(row["base_effective"])


def _complete(survey: Survey, question: Question) -> tuple[int, float]:
    """Complete rows of a survey, and Kish's effective base of them."""
    inside = survey.domain & (survey.weights > 0)
    for name in question.columns:
        inside &= np.isfinite(survey.values(name))
    return int(inside.sum()), kish_base(survey.weights[inside]) if inside.any() else 0.0
