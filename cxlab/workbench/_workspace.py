"""The workspace: one study, its moment cube and its filters, shared by all tabs."""

from __future__ import annotations

import datetime as dt
import keyword
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cxlab.cube import CubePlan, MomentCube, Progress, plan_cube
from cxlab.errors import SurveyError
from cxlab.items import in_order, pick
from cxlab.layers import study_items
from cxlab.study import Study
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note
from cxlab.workbench._tab import Option, Texts
from cxlab.workbench._what_if_measures import extra_columns

FloatArray = np.ndarray[Any, np.dtype[Any]]
MOST_GROUPS = 60  # values of a segment that can be compared
_KEPT = 32  # filtered surveys kept ready
_LONGEST = 40  # letters of a label that code says instead of its code


class Workspace:
    """A study as the workbench sees it.

    Parameters
    ----------
    source : Study or Survey

    Attributes
    ----------
    survey : Survey
        Everybody.
    splits : tuple of str
        Columns that filters choose by: the wave, then the segments.
    """

    def __init__(self, source: Study | Survey) -> None:
        self.study = source if isinstance(source, Study) else None
        if isinstance(source, Study):
            self.survey, self._path = source.survey(), source.path.absolute()
        elif isinstance(source, Survey):
            self.survey = source
        else:
            raise SurveyError(
                f"study is a {type(source).__name__}; pass a study (cx.open_study), or a survey (study.survey(), cx.Survey.from_frame)."
            )
        self._codes: dict[str, list[Any]] = {}
        self.splits = self._splits()
        self._filtered: OrderedDict[str, Survey] = OrderedDict()
        self._lock = threading.Lock()
        self._fault: Exception | None = None

    def made_of(self, source: Study | Survey) -> bool:
        """Whether this is the workspace of a source, and works."""
        return (source is self.study or source is self.survey) and self._fault is None

    @property
    def wave(self) -> str | None:
        """Column of the wave."""
        return self.survey.column_of("wave") if self.survey.roles.wave else None

    @property
    def segments(self) -> tuple[str, ...]:
        """Columns of the segments that have two values or more."""
        return tuple(s for s in self.splits if s != self.wave)

    def title(self, lang: str) -> str:
        """Name of the study."""
        return pick(self.study.title, lang, self.study.name) if self.study else {"en": "Survey", "zh": "调查"}[lang]

    # ------------------------------------------------------------------ words
    def texts(self, name: str) -> Texts:
        """Wording of a column or role in all languages."""
        return {lang: self.survey.label(name, lang) for lang in LANGUAGES}

    def options(self, names: Sequence[str]) -> tuple[Option, ...]:
        """Columns or roles to choose from."""
        return tuple((name, self.texts(name)) for name in names)

    def codes(self, column: str) -> list[Any]:
        """Codes that respondents have in a column, in order."""
        if column not in self._codes:
            inside = self.survey.domain & (self.survey.weights > 0)
            self._codes[column] = in_order(self.survey.data[column][inside].dropna().unique().tolist())
        return list(self._codes[column])

    def values(self, column: str) -> tuple[Option, ...]:
        """Codes of a column with their labels, in order."""
        item = self.survey.codebook.items.get(column)
        return tuple(
            (code, {lang: item.value_label(code, lang) if item else str(code) for lang in LANGUAGES})
            for code in self.codes(column)
        )  # fmt: skip

    # ------------------------------------------------------------------ what the study declares
    @cached_property
    def outcomes(self) -> tuple[str, ...]:
        """Outcome roles whose items the data have."""
        return tuple(r for r in self.survey.roles.outcomes if self.survey.has(r))

    @cached_property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        """Drivers by block; block "" has none."""
        return {b: tuple(items) for b, items in self.survey.roles.drivers.items() if items}

    @property
    def drivers(self) -> tuple[str, ...]:
        """All declared drivers."""
        return tuple(dict.fromkeys(d for items in self.blocks.values() for d in items))

    def _splits(self) -> tuple[str, ...]:
        named = [*(["wave"] if self.survey.roles.wave else []), *self.survey.roles.segments]
        columns = dict.fromkeys(self.survey.column_of(n) for n in named if self.survey.has(n) or n == "wave")
        return tuple(c for c in columns if len(self.codes(c)) > 1)

    # ------------------------------------------------------------------ the cube
    def columns(self) -> dict[str, FloatArray]:
        """Everything that tabs analyse by moments: name to numbers of all rows; what nobody answered is left out."""
        roles, survey = self.survey.roles, self.survey
        names = [*self.outcomes, *self.drivers, *(i for items in roles.layers.values() for i in items)]
        names += [*study_items(survey), *([roles.renewal] if roles.renewal else [])]
        kept = survey.domain & (survey.weights > 0)
        out = {n: v for n in dict.fromkeys(names) if (v := _numbers(survey, n)) is not None} | extra_columns(survey)
        return {n: v for n, v in out.items() if np.isfinite(v[kept]).any()}

    @cached_property
    def plan(self) -> CubePlan:
        """The cube before it is built; its bytes are known."""
        columns = self.columns()
        if not columns:
            raise SurveyError("the survey declares no outcomes, drivers or layers; declare them in study.yml.")
        by = [s for s in self.splits if len(self.codes(s)) <= MOST_GROUPS or s == self.wave]
        return plan_cube(self.survey, columns, by or [self._any_column()])

    def _any_column(self) -> str:
        """A column to split by where a survey has neither waves nor segments: that of the strata, or the item with the fewest answers."""
        design, data = self.survey.design, self.survey.data
        items = (i for name in self.columns() for i in (self.survey.items_of(name) if self.survey.has(name) else ()))
        return design.stratum or min(items, key=lambda i: data[i].nunique(), default=data.columns[0])

    @property
    def cube(self) -> MomentCube:
        """The cube, built once; see :meth:`build` for one with a progress bar."""
        return self.build()

    def build(self, progress: Progress | None = None) -> MomentCube:
        """Build the cube if that was not done yet; what stood in the way once stands in the way again, without a new try."""
        with self._lock:
            if self._fault is not None:
                raise self._fault
            if "_cube" not in self.__dict__:
                try:
                    self._cube: MomentCube = self.plan.build(progress)
                except Exception as error:
                    self._fault = error.with_traceback(None)
                    raise
        return self._cube

    # ------------------------------------------------------------------ filters
    def inside(self, filter: Mapping[str, Sequence[Any]]) -> Survey:
        """The survey under a filter."""
        key = repr(sorted((k, list(v)) for k, v in filter.items()))
        with self._lock:
            if key not in self._filtered:
                self._filtered[key] = self._cut(filter)
                while len(self._filtered) > _KEPT:
                    self._filtered.popitem(last=False)
            self._filtered.move_to_end(key)
            return self._filtered[key]

    def _cut(self, filter: Mapping[str, Sequence[Any]]) -> Survey:
        """The survey under a filter; its weights are those of the same rows, and kept once."""
        if not filter:
            return self.survey
        cut = self.survey.where(**{k: list(v) for k, v in filter.items()})
        cut.__dict__["weights"] = self.survey.weights
        return cut

    @property
    def opening(self) -> str:
        """Lines of code that make ``survey``, run from the current folder."""
        if self.study is None:
            return "# survey is the one that this view was opened with"
        return f"study = cx.open_study({_shorter(self._path)!r})\nsurvey = study.survey()"

    def code(self, filter: Mapping[str, Sequence[Any]], *calls: str) -> str:
        """Code that makes a view again: the survey, its filter, the calls on ``survey``."""
        chosen = {k: f"[{', '.join(self._said_code(k, c) for c in codes)}]" for k, codes in filter.items()}
        where = [f"survey = survey.where({where_of(chosen)})"] if filter else []
        dates = ["import datetime as dt", ""] if any("dt.date" in line for line in (*where, *calls)) else []
        return "\n".join([*dates, "import cxlab as cx", "", self.opening, *where, *calls]) + "\n"

    def _said_code(self, column: str, code: Any) -> str:
        """A code as the call says it: by its label where that means this code and no other, else by itself."""
        item = self.survey.codebook.items.get(column)
        label = pick(item.values.get(code, {}), "en") if item and isinstance(code, (int, float)) else ""
        if item and label and len(label) <= _LONGEST and label.isprintable():
            with suppress(SurveyError):  # several codes share the label
                if item.code_of(label) == code:
                    return repr(label)
        return written(code)

    def said(self, filter: Mapping[str, Sequence[Any]], lang: str) -> str:
        """The filter in words."""
        parts = []
        for column, codes in filter.items():
            words = [pick(t, lang) for c, t in self.values(column) if c in codes]
            ends = words if column != self.wave or len(words) < 3 else [f"{words[0]} – {words[-1]}"]
            shown = ("、" if lang == "zh" else ", ").join(ends[:4]) + (" …" if len(ends) > 4 else "")
            parts.append(f"{self.survey.label(column, lang)}{'：' if lang == 'zh' else ': '}{shown}")
        everybody = {"en": "All respondents", "zh": "全部受访者"}[lang]
        return ("；" if lang == "zh" else "; ").join(parts) or everybody


def _numbers(survey: Survey, name: str) -> FloatArray | None:
    """Numbers of a column or role; None where there is none, or it holds text."""
    try:
        return survey.values(name) if survey.has(name) else None
    except SurveyError:
        return None


def where_of(chosen: Mapping[str, str]) -> str:
    """Arguments of ``where``: code of the values by column.

    Examples
    --------
    >>> where_of({"card": "[1]"}), where_of({"card": "[1]", "期次（月）": "[2]"})
    ('card=[1]', "**{'card': [1], '期次（月）': [2]}")
    """
    if all(k.isidentifier() and not keyword.iskeyword(k) for k in chosen):
        return ", ".join(f"{k}={v}" for k, v in chosen.items())
    return f"**{{{', '.join(f'{k!r}: {v}' for k, v in chosen.items())}}}"


def written(code: Any) -> str:
    """A code, or a list of codes, as Python writes it; dates need ``import datetime as dt``.

    Examples
    --------
    >>> written([2.0, 2.5, "a"]), written(dt.date(2025, 1, 31))
    ("[2, 2.5, 'a']", "dt.date.fromisoformat('2025-01-31')")
    """
    if isinstance(code, (list, tuple)):
        return f"[{', '.join(map(written, code))}]"
    if isinstance(code, dt.datetime):
        return f"dt.datetime.fromisoformat({code.isoformat()!r})"
    if isinstance(code, dt.date):
        return f"dt.date.fromisoformat({code.isoformat()!r})"
    return repr(int(code) if isinstance(code, float) and code.is_integer() else code)


def _shorter(path: Path) -> str:
    """A path from the current folder where that is shorter."""
    whole = path.as_posix()
    try:
        near = Path(os.path.relpath(path)).as_posix()
    except (OSError, ValueError):  # another drive; a folder that is gone
        return whole
    return near if len(near) < len(whole) else whole


def base_note(base: int, effective: float, lang: str) -> str:
    """Base and effective base in words."""
    return Note(_BASE, base=base, effective=effective)[lang]


_BASE = {
    "en": "Base {base:,} (effective {effective:,.0f}).",
    "zh": "样本量 {base:,}（有效样本量 {effective:,.0f}）。",
}
