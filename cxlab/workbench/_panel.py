"""A panel: one tab on the screen – its controls, its picture, its sentences and what people take away."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from html import escape
from typing import Any

import ipywidgets as widgets

from cxlab.errors import SurveyError
from cxlab.items import pick
from cxlab.result import SUPPRESSED_BASE
from cxlab.words import LANGUAGES, Note
from cxlab.workbench._controls import Board
from cxlab.workbench._export import CSV, XLSX, csv_bytes, xlsx_bytes
from cxlab.workbench._pace import Pace
from cxlab.workbench._picture import Picture
from cxlab.workbench._quiet import QUIET
from cxlab.workbench._status import Status
from cxlab.workbench._tab import Asked, Control, Tab, Texts, View, message
from cxlab.workbench._worker import Worker

Filter = Mapping[str, Sequence[Any]]
logger = logging.getLogger("cxlab.workbench")
logger.addHandler(logging.NullHandler())  # without one, a traceback would be printed into the page


class Panel:
    """One tab on the screen.

    Parameters
    ----------
    tab : Tab
    lang : {"en", "zh"}
    filter : callable
        Gives the filter that is in force; may raise a SurveyError.
    worker : Worker
        Computes settled views.

    Attributes
    ----------
    box : Widget
    picture : Picture
    view : View or None
        What is shown now.
    code : str
        What makes it again.
    """

    def __init__(self, tab: Tab, lang: str, filter: Callable[[], Filter], worker: Worker) -> None:
        self.tab, self.lang = tab, lang
        self._filter, self._worker = filter, worker
        self.view: View | None = None
        self._version = 0
        self._waiting: dict[int, list[Callable[[View], None]]] = {}  # by the version that was asked for
        self.code = ""
        self._settling = self._final = 0
        self._took = 0.0
        self._is_busy = False
        self._lacking, controls = _declared(tab)
        self.board = Board(controls, lang, self._heard)
        self.pace = Pace(self._answer, self._settle)
        self.picture = Picture()
        self._make()

    # ------------------------------------------------------------------ what is on the screen
    def _make(self) -> None:
        self._status = Status().add_class("cx-status")
        self._lines = widgets.HTML().add_class("cx-lines")
        self._code = widgets.HTML().add_class("cx-code")
        self._buttons = {name: widgets.Button() for name in _BUTTONS}
        for name, button in self._buttons.items():
            button.on_click(lambda _, name=name: self.take(name))
        self._actions = widgets.HBox([*self._buttons.values()]).add_class("cx-actions")
        right = [self.picture, self._status, self._lines, self._actions, self._code]
        shown = [self.picture, self._status] if self._lacking else right
        left = [] if self._lacking else [self.board.box]
        self.box = widgets.HBox(
            [*(widgets.VBox([b]).add_class("cx-left") for b in left), widgets.VBox(shown).add_class("cx-right")]
        ).add_class("cx-panel")
        self.speak(self.lang)

    def speak(self, lang: str) -> None:
        """Word everything in a language."""
        self.lang = lang
        self.board.speak(lang)
        self._write_code()
        for name, button in self._buttons.items():
            button.description = pick(_BUTTONS[name], lang)

    # ------------------------------------------------------------------ from a change to a picture
    def _heard(self, _: str, continuous: bool) -> None:
        self.pace.touch(continuous=continuous)

    def refresh(self) -> None:
        """Answer what is chosen now."""
        self.pace.touch()

    def show_at_once(self) -> None:
        """Answer in this very call, and settle later."""
        self.pace.compute_now()

    def _answer(self) -> None:
        """Live answer; where there is none, the settled one without waiting."""
        self._version += 1
        if self._lacking is not None:
            self._show(message(pick(self._lacking, self.lang)))
            return
        start = time.perf_counter()
        view = self._guarded(lambda: self.tab.live(self._ask()))
        self._took = time.perf_counter() - start
        if view is None:
            self._busy(True)
            self.pace.settle_now()
            return
        self._show(view)

    def _ask(self) -> Asked:
        return Asked(self.board.choice(), self._filter(), self.lang)

    def _settle(self) -> None:
        """Compute the settled view in the worker thread; whatever changes meanwhile makes it void."""
        if self._lacking is not None or self._settling == self._version:
            return
        if self.view is not None and _failed(self.view) and not self._is_busy:
            self._served(self._version, self.view)
            return
        version = self._settling = self._version
        try:
            asked = self._ask()
        except SurveyError as error:
            self._arrived(version, _sorry(str(error), self.lang))
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._arrived(version, self._guarded(lambda: self.tab.settled(asked)))
            return
        self._say(pick(_COMPUTING, self.lang))
        running = self._worker.submit(lambda: self._wanted(version, lambda: self.tab.settled(asked)))
        running.add_done_callback(lambda done: _tell(loop, lambda: self._come(version, done)))

    def _wanted(self, version: int, work: Callable[[], View | None]) -> View | None:
        """An answer, unless the choice has changed and nobody waits for what is made of it; in the worker thread."""
        return self._guarded(work) if version == self._version or version in self._waiting else None

    def _come(self, version: int, done: Future[View | None]) -> None:
        if not done.cancelled():
            self._arrived(version, done.result())

    def _arrived(self, version: int, view: View | None) -> None:
        if view is None:
            return
        if version == self._version:
            self._final = version
            self._show(view)
        self._served(version, view)

    def _guarded(self, work: Callable[[], View | None]) -> View | None:
        """What a tab answers; errors become sentences."""
        try:
            with QUIET:
                return work()
        except SurveyError as error:
            return _sorry(str(error), self.lang)
        except Exception as error:
            logger.exception("the tab %s failed", self.tab.key)
            return _sorry(Note(_UNFORESEEN, kind=type(error).__name__, text=str(error))[self.lang], self.lang)

    def _draw(self, view: View) -> View:
        """Hand a view to the picture; a spec that it refuses becomes a sentence."""
        took = round(1e3 * self._took, 2)
        self.picture.spec = {**view.spec, "lang": self.lang, "version": self._version, "took": took}
        return view

    def _show(self, view: View) -> None:
        drawn = self._guarded(lambda: self._draw(view)) or view
        self.view = view = drawn if drawn is view else self._draw(drawn)
        self._busy(False)
        empty = view.spec["kind"] == "message" and view.result is None
        self._say("" if empty else pick(_LIVE if view.result is None else _SETTLED, self.lang))
        self._actions.layout.display = "none" if empty else None
        self._lines.value = "".join(f"<p>{escape(line)}</p>" for line in view.lines)
        if self.code != view.code:
            self.code = view.code
            self._write_code()

    def _write_code(self) -> None:
        heading, code = escape(pick(_CODE, self.lang)), escape(self.code)
        figure = (
            f'<figure><figcaption>{heading}</figcaption><pre tabindex="0" aria-label="{heading}">{code}</pre></figure>'
        )
        self._code.value = figure if self.code else ""

    def _busy(self, busy: bool) -> None:
        self._is_busy = busy
        if busy:
            self.picture.add_class("cx-busy")
        else:
            self.picture.remove_class("cx-busy")

    def _say(self, text: str) -> None:
        self._status.value = text

    # ------------------------------------------------------------------ what people take away
    def take(self, what: str) -> None:
        """Download the table or the picture, or copy the code: ``csv``, ``xlsx``, ``svg``, ``png`` or ``code``.

        Tables and pictures show the library's own result; if it is not there yet, it is computed first. A table is that of
        the choice it was asked for, whatever has been chosen meanwhile; a picture is what stands on the screen.
        """
        if what == "code":
            self.picture.copy(self.code)
            self._say(pick(_COPIED, self.lang))
            return
        self.pace.flush()
        if self.view is not None and self._final == self._version:
            self._hand_over(what, self._version, self.view)
            return
        version = self._version
        self._waiting.setdefault(version, []).append(lambda view: self._hand_over(what, version, view))
        self.pace.settle_now()

    def _served(self, version: int, view: View) -> None:
        """Hand over what was waiting for a settled view."""
        for hand_over in self._waiting.pop(version, []):
            hand_over(view)

    def _hand_over(self, what: str, version: int, view: View) -> None:
        """Give the file to the browser; whatever stands in the way is a sentence."""
        try:
            with QUIET:
                self._offer(what, version, view)
        except SurveyError as error:
            self._say(str(error))
        except Exception as error:
            logger.exception("%s of the tab %s failed", what, self.tab.key)
            self._say(Note(_UNFORESEEN, kind=type(error).__name__, text=str(error))[self.lang])

    def _offer(self, what: str, version: int, view: View) -> None:
        if what in ("svg", "png"):
            if version == self._version:
                self.picture.save(what, f"{self._name()}.{what}")
            else:
                self._say(pick(_CHANGED, self.lang))
        elif view.result is None:
            self._say(pick(_NO_TABLE, self.lang))
        else:
            make, kind = (csv_bytes, CSV) if what == "csv" else (xlsx_bytes, XLSX)
            self.picture.offer(f"{self._name()}.{what}", make(view.result, self.lang), kind)

    def _name(self) -> str:
        return re.sub(r"[^\w-]+", "_", f"{self.tab.workspace.survey.name}_{self.tab.key}")

    def close(self) -> None:
        """Answer nothing any more, and let go of what was shown."""
        self.pace.stop()
        self._version += 1
        self._waiting.clear()
        self.view = None


def _declared(tab: Tab) -> tuple[Texts | None, Sequence[Control]]:
    """What the study lacks for a tab, or the tab's controls; one that cannot say either is told apart by a sentence."""
    try:
        with QUIET:
            lacking = tab.lacking() or _too_few(tab)
            return lacking, () if lacking else tab.controls()
    except SurveyError as error:
        return {lang: Note(_SORRY, text=str(error))[lang] for lang in LANGUAGES}, ()
    except Exception as error:
        logger.exception("the tab %s has no controls", tab.key)
        text = Note(_UNFORESEEN, kind=type(error).__name__, text=str(error))
        return {lang: Note(_SORRY, text=text[lang])[lang] for lang in LANGUAGES}, ()


def _too_few(tab: Tab) -> Texts | None:
    """A survey of which nothing can be shown, whatever is chosen."""
    survey = tab.workspace.survey
    count = int((survey.domain & (survey.weights > 0)).sum())
    return Note(_FEW, count=count, least=SUPPRESSED_BASE) if count < SUPPRESSED_BASE else None


def _failed(view: View) -> bool:
    return view.spec.get("tone") == "error"


def _sorry(text: str, lang: str) -> View:
    return message(Note(_SORRY, text=text)[lang], "error")


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    """Call in the loop's thread; a kernel that is shutting down no longer wants to know."""
    if not loop.is_closed():
        with suppress(RuntimeError):  # closed between the two lines
            loop.call_soon_threadsafe(what)


_BUTTONS = {
    "code": {"en": "Copy as code", "zh": "复制为代码"},
    "csv": {"en": "Table .csv", "zh": "下载表格 .csv"},
    "xlsx": {"en": "Table .xlsx", "zh": "下载表格 .xlsx"},
    "svg": {"en": "Picture .svg", "zh": "下载图片 .svg"},
    "png": {"en": "Picture .png", "zh": "下载图片 .png"},
}
_CODE = {"en": "The same as code", "zh": "等效代码"}
_COPIED = {"en": "The code is in the clipboard.", "zh": "代码已复制到剪贴板。"}
_COMPUTING = {"en": "Computing with all replicates …", "zh": "正在用全部重复权重计算……"}
_LIVE = {
    "en": "Quick intervals (jackknife); final ones follow when nothing moves.",
    "zh": "当前为快速区间（刀切法）；停止操作后给出最终区间。",
}
_SETTLED = {"en": "Final numbers, as the code below gives them.", "zh": "最终结果，与下方代码的输出一致。"}
_NO_TABLE = {"en": "There is no table to download for this choice.", "zh": "当前选择没有可下载的表格。"}
_CHANGED = {
    "en": "The picture was not saved: the choice has changed meanwhile; press once more.",
    "zh": "选项已变更，图片未保存；请再点一次。",
}
_FEW = {
    "en": "Respondents with a weight above 0: {count}; from {least} on numbers are shown. Open the study again with more data.",
    "zh": "权重大于 0 的受访者有 {count} 位，不足 {least} 位时不显示数字；请补充数据后重新打开。",
}
_SORRY = {"en": "This cannot be shown: {text}", "zh": "无法显示：{text}"}
_UNFORESEEN = {
    "en": "something unforeseen happened ({kind}: {text}). Choose something else; everything else still works.",
    "zh": "发生了意外错误（{kind}：{text}）。请更换选项，其他功能不受影响。",
}
