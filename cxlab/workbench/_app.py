"""The workbench on the screen: a header with filters, and a panel for every tab."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets as widgets

from cxlab.cube import Progress
from cxlab.errors import SurveyError
from cxlab.items import pick
from cxlab.words import LANGUAGES, Note, language
from cxlab.workbench._controls import Board
from cxlab.workbench._panel import Panel, _tell
from cxlab.workbench._quiet import QUIET
from cxlab.workbench._tab import Control, Pick, Several, Span, Tab, Texts
from cxlab.workbench._worker import Worker
from cxlab.workbench._workspace import MOST_GROUPS, Workspace

_FEW_VALUES = 8  # values of a segment up to which each has a box to tick
_AT_ONCE = 50_000  # rows up to which the cube is built before anything is shown
logger = logging.getLogger("cxlab.workbench")
_LANGUAGE_NAMES = {"en": "English", "zh": "中文"}


class Workbench(widgets.VBox):
    """A study explored live; what :func:`cxlab.explore` returns.

    Parameters
    ----------
    workspace : Workspace
    tabs : sequence of Tab classes
    lang : {"en", "zh"}, optional

    Attributes
    ----------
    workspace : Workspace
    panels : dict of key to Panel
    lang : {"en", "zh"}
    """

    def __init__(self, workspace: Workspace, tabs: Sequence[type[Tab]], lang: str | None = None) -> None:
        super().__init__()
        self.workspace, self.lang = workspace, language(lang)
        self._worker = Worker()
        self.filters = Board(_filters(workspace), self.lang, self._filtered)
        self._tabs, self.panels = tuple(tabs), dict[str, Panel]()
        self._stale: set[str] = set()
        self.add_class("cx-workbench")
        self._progress = widgets.IntProgress(min=0, max=100).add_class("cx-progress")
        self.children = [widgets.HTML(f"<p>{escape(self._building())}</p>"), self._progress]
        if len(workspace.survey) <= _AT_ONCE or _no_loop():
            self._build()
            self._open()
        else:
            self._build_behind()

    def close(self) -> None:
        """Take the workbench off the page and let go of its thread, its pictures and, with the last that uses it, its cube."""
        self._worker.close()
        for panel in self.panels.values():
            panel.close()
        boards = [self.filters, *(p.board for p in self.panels.values())]
        parts = [self, *self.panels.values(), *boards, *(h for b in boards for h in b.handles.values())]
        for widget in [*_within(self), *(w for part in parts for w in _held(part))]:
            if widget is not self:
                widget.close()
        super().close()

    # ------------------------------------------------------------------ building
    def _building(self) -> str:
        return Note(_BUILDING, rows=len(self.workspace.survey))[self.lang]

    def _build_behind(self) -> None:
        """Build the cube in the worker thread while a bar moves."""
        loop = asyncio.get_running_loop()

        def moved(done: int, total: int) -> None:
            _tell(loop, lambda: self._moved(done, total))

        waiting = self._worker.submit(lambda: self._build(moved))
        waiting.add_done_callback(lambda done: None if done.cancelled() else _tell(loop, self._open_behind))

    def _build(self, progress: Progress | None = None) -> None:
        """Build the cube; what stands in the way is said by every tab that asks it."""
        try:
            with QUIET:
                self.workspace.build(progress)
        except SurveyError:
            pass
        except Exception:
            logger.exception("the cube was not built")

    def _open_behind(self) -> None:
        try:
            self._open()
        except Exception as error:  # nobody else would say it
            logger.exception("the workbench was not opened")
            said = Note(_CLOSED, kind=type(error).__name__, text=str(error))[self.lang]
            self.children = [widgets.HTML(f"<p>{escape(said)}</p>")]

    def _moved(self, done: int, total: int) -> None:
        self._progress.value = int(100 * done / max(total, 1))
        self._progress.description = f"{self.workspace.plan.bytes / 1e6:,.0f} MB"

    # ------------------------------------------------------------------ what is on the screen
    def _open(self) -> None:
        self._title = widgets.HTML().add_class("cx-title")
        self._languages = widgets.ToggleButtons(
            options=[(_LANGUAGE_NAMES[code], code) for code in LANGUAGES], value=self.lang, tooltips=[_LANGUAGE_NAMES[c] for c in LANGUAGES]
        ).add_class("cx-language")  # fmt: skip
        self._languages.observe(lambda change: self.speak(change["new"]), "value")
        self._said = widgets.HTML().add_class("cx-filter-said")
        self._aside = widgets.HTML().add_class("cx-aside")
        self.panels = {t.key: self._panel(t) for t in self._tabs}
        self._book: widgets.Tab | None = None
        body: widgets.Widget = next(iter(self.panels.values())).box
        if len(self.panels) > 1:
            self._book = body = widgets.Tab(children=[p.box for p in self.panels.values()]).add_class("cx-book")
            self._book.observe(lambda _: self._turned(), "selected_index")
        head = widgets.HBox([self._title, self._languages]).add_class("cx-head")
        filters = [self.filters.box, self._said, self._aside] if self.filters.handles else [self._said, self._aside]
        self.children = [head, widgets.VBox(filters).add_class("cx-filters"), body]
        self._stale = set(self.panels)
        self._word()
        self._turned(at_once=True)

    def _panel(self, kind: type[Tab]) -> Panel:
        """A tab on the screen; one that cannot even begin says why, and the others still work."""
        try:
            with QUIET:
                tab = kind(self.workspace)
        except Exception as error:
            if not isinstance(error, SurveyError):
                logger.exception("the tab %s was not made", kind.key)
            tab = _Closed(self.workspace, kind, error)
        return Panel(tab, self.lang, self.filter, self._worker)

    @property
    def panel(self) -> Panel:
        """The panel that is open."""
        place = 0 if self._book is None else self._book.selected_index or 0
        return list(self.panels.values())[place]

    def turn_to(self, key: str) -> Panel:
        """Turn to a tab."""
        if key not in self.panels:
            raise SurveyError(f"key is {key!r}; allowed: {', '.join(map(repr, self.panels))}.")
        if self._book is not None:
            self._book.selected_index = list(self.panels).index(key)
        return self.panel

    def speak(self, lang: str) -> None:
        """Word everything in a language; what is chosen stays."""
        self.lang = language(lang)
        if not self.panels:  # still being prepared
            return
        if self._languages.value != self.lang:
            self._languages.value = self.lang  # which speaks
            return
        self.filters.speak(self.lang)
        for panel in self.panels.values():
            panel.speak(self.lang)
        self._word()
        self._stale = set(self.panels)
        self._turned()

    def _word(self) -> None:
        self._title.value = f"<h2>{escape(self.workspace.title(self.lang))}</h2>"
        if self._book is not None:
            self._book.titles = [pick(t.title, self.lang) for t in self._tabs]
        many = [s for s in self.workspace.segments if len(self.workspace.codes(s)) > MOST_GROUPS]
        said = [
            Note(_MANY, segment=self.workspace.texts(s), count=len(self.workspace.codes(s)), most=MOST_GROUPS)[
                self.lang
            ]
            for s in many
        ]
        self._aside.value = "".join(f"<p>{escape(text)}</p>" for text in said)
        self._say_filter()

    def _say_filter(self) -> None:
        try:
            self._said.value = f"<p>{escape(self.workspace.said(self.filter(), self.lang))}</p>"
        except SurveyError as error:
            self._said.value = f"<p>{escape(str(error))}</p>"

    # ------------------------------------------------------------------ filters
    def filter(self) -> dict[str, list[Any]]:
        """Filter in force: column to codes.

        Raises
        ------
        SurveyError
            If no value of a column is chosen.
        """
        out: dict[str, list[Any]] = {}
        for name, handle in self.filters.handles.items():
            codes = _chosen(handle.control, handle.value)
            if codes is not None and not codes:
                raise SurveyError(Note(_NOTHING, segment=handle.control.label)[self.lang])
            if codes is not None:
                out[name] = codes
        return out

    def _filtered(self, _: str, continuous: bool) -> None:
        self._say_filter()
        self._stale = set(self.panels) - {self.panel.tab.key}
        self.panel.pace.touch(continuous=continuous)

    def _turned(self, at_once: bool = False) -> None:
        """Another tab is open; what has changed since it was seen last is answered now."""
        panel = self.panel
        if panel.tab.key in self._stale:
            self._stale.discard(panel.tab.key)
            (panel.show_at_once if at_once else panel.refresh)()


def _filters(workspace: Workspace) -> list[Control]:
    """Controls of the filter: from wave to wave, and the values of every segment."""
    out: list[Control] = []
    for column in workspace.splits:
        options, label = workspace.values(column), workspace.texts(column)
        if column == workspace.wave:
            out.append(Span(name=column, label=label, options=options))
        elif len(options) <= _FEW_VALUES:
            out.append(Several(name=column, label=label, options=options, default=tuple(v for v, _ in options)))
        elif len(options) <= MOST_GROUPS:
            out.append(Pick(name=column, label=label, options=((None, _EVERYBODY), *options)))
    return out


def _chosen(control: Control, value: Any) -> list[Any] | None:
    """Codes that a control leaves, None for all."""
    codes = [v for v, _ in control.options]  # type: ignore[attr-defined]
    match control:
        case Span():
            low, high = codes.index(value[0]), codes.index(value[1])
            return None if high - low + 1 == len(codes) else codes[low : high + 1]
        case Several():
            return None if len(value) == len(codes) else list(value)
    return None if value is None else [value]


class _Closed(Tab):
    """In the place of a tab that failed when it was made."""

    def __init__(self, workspace: Workspace, kind: type[Tab], error: Exception) -> None:
        super().__init__(workspace)
        self.key, self.title = kind.key, kind.title  # type: ignore[misc]  # of the tab that it stands for
        self._error = error

    def lacking(self) -> Texts | None:
        raise self._error


def _within(box: widgets.Widget) -> list[widgets.Widget]:
    """Widgets inside a box, innermost first."""
    inner = [w for child in getattr(box, "children", ()) for w in _within(child)]
    return [*inner, box]


def _held(part: Any) -> list[widgets.Widget]:
    """Widgets that something keeps, on the screen or not."""
    kept = [
        v
        for value in vars(part).values()
        for v in (value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else [value])
    ]
    return [w for w in kept if isinstance(w, widgets.Widget)]


def _no_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False


_EVERYBODY: Texts = {"en": "All", "zh": "全部"}
_BUILDING = {
    "en": "Preparing {rows:,} respondents for exploration …",
    "zh": "正在准备 {rows:,} 名受访者的数据以供浏览……",
}
_CLOSED = {
    "en": "This study cannot be explored ({kind}: {text}).",
    "zh": "该研究无法浏览（{kind}：{text}）。",
}
_MANY = {
    "en": "{segment} has {count:,} values; filters take up to {most}. Band it in study.yml (recoded:).",
    "zh": "“{segment}”有 {count:,} 个取值，筛选最多支持 {most} 个；请在 study.yml 中用 recoded: 归并。",
}
_NOTHING = {
    "en": "no value of {segment:in} is chosen, which leaves nobody; tick at least one.",
    "zh": "“{segment}”未选择任何取值，没有受访者可供分析；请至少勾选一项。",
}
