"""Controls as ipywidgets: labelled, reachable by keyboard, in either language."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any

import ipywidgets as widgets

from cxlab.errors import SurveyError
from cxlab.items import pick
from cxlab.words import Note
from cxlab.workbench._tab import Control, Number, Option, Pick, Press, Several, Slide, Span, Switch, Texts

Heard = Callable[[str, bool], None]  # name of the control, whether it is being dragged


class Handle:
    """One control on the screen.

    Attributes
    ----------
    control : Control
    box : Widget
        What is displayed.
    """

    box: widgets.Widget
    continuous = False

    def __init__(self, control: Control, lang: str, heard: Heard) -> None:
        self.control = control
        self._heard, self._quiet = heard, 0
        self._make(lang)
        self.speak(lang)

    @property
    def value(self) -> Any:
        """What is chosen."""
        return self.box.value

    @value.setter
    def value(self, value: Any) -> None:
        self.box.value = value

    def _make(self, lang: str) -> None:
        raise SurveyError(f"{type(self.control).__name__} is no control.")

    def speak(self, lang: str) -> None:
        """Word the control in a language; what is chosen stays."""
        with self.quiet():
            self.box.description = pick(self.control.label, lang)

    @contextmanager
    def quiet(self) -> Any:
        """Change the widget without being heard."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    def hear(self, _: Any = None) -> None:
        """A change on the screen, or by :attr:`value`."""
        if not self._quiet:
            self._heard(self.control.name, self.continuous)


def _known(control: Control, value: Any, options: Sequence[Option]) -> int:
    """Place of a value among options."""
    for place, (known, _) in enumerate(options):
        if (known == value and type(known) is type(value)) or known is value:
            return place
    for place, (known, _) in enumerate(options):
        if known == value:
            return place
    listed = ", ".join(repr(known) for known, _ in options[:12])
    raise SurveyError(f"{control.name} is {value!r}; allowed: {listed}.")


class _Pick(Handle):
    control: Pick

    def _make(self, lang: str) -> None:
        self.box = widgets.Dropdown(options=self._options(lang))
        with self.quiet():
            self.value = self.control.default
        self.box.observe(self.hear, "value")

    def _options(self, lang: str) -> list[tuple[str, int]]:
        return [(pick(text, lang), i) for i, (_, text) in enumerate(self.control.options)]

    @property
    def value(self) -> Any:
        return self.control.options[self.box.value][0]

    @value.setter
    def value(self, value: Any) -> None:
        self.box.value = _known(self.control, value, self.control.options)

    def speak(self, lang: str) -> None:
        super().speak(lang)
        with self.quiet():
            place = self.box.value
            self.box.options = self._options(lang)
            self.box.value = place


class _Several(Handle):
    control: Several

    def _make(self, lang: str) -> None:
        self._boxes = [widgets.Checkbox(indent=False) for _ in self.control.options]
        self._title = widgets.Label()
        self._all, self._none = widgets.Button(), widgets.Button()
        self._all.on_click(lambda _: self._set(True))
        self._none.on_click(lambda _: self._set(False))
        few = len(self._boxes) <= 4
        self._above = {v: widgets.HTML().add_class("cx-heading") for v in self.control.headings}
        pairs = zip(self.control.options, self._boxes, strict=True)
        shown = [w for (v, _), box in pairs for w in (*([self._above[v]] if v in self._above else []), box)]
        listed = widgets.VBox(shown).add_class("cx-several")
        both = [] if few else [widgets.HBox([self._all, self._none]).add_class("cx-all-none")]
        self.box = widgets.VBox([self._title, *both, listed])
        self.box.add_class("cx-control-group")
        with self.quiet():
            self.value = self.control.default
        for box in self._boxes:
            box.observe(self.hear, "value")

    def _set(self, chosen: bool) -> None:
        with self.quiet():
            for box in self._boxes:
                box.value = chosen
        self.hear()

    @property
    def value(self) -> tuple[Any, ...]:
        pairs = zip(self.control.options, self._boxes, strict=True)
        return tuple(value for (value, _), box in pairs if box.value)

    @value.setter
    def value(self, value: Sequence[Any]) -> None:
        places = {_known(self.control, v, self.control.options) for v in value}
        with self.quiet():
            for place, box in enumerate(self._boxes):
                box.value = place in places
        self.hear()

    def speak(self, lang: str) -> None:
        with self.quiet():
            self._title.value = pick(self.control.label, lang)
            for (_, text), box in zip(self.control.options, self._boxes, strict=True):
                box.description = pick(text, lang)
            for value, text in self.control.headings.items():
                self._above[value].value = f"<h3>{escape(pick(text, lang))}</h3>"
            self._all.description, self._none.description = pick(_ALL, lang), pick(_NONE, lang)
            for button in (self._all, self._none):
                colon = {"en": ": ", "zh": "："}[lang]
                button.tooltip = f"{pick(self.control.label, lang)}{colon}{button.description}"


class _Span(Handle):
    control: Span
    continuous = True

    def _make(self, lang: str) -> None:
        self.box = widgets.SelectionRangeSlider(options=self._options(lang), continuous_update=True, readout=False)
        with self.quiet():
            self.value = self.control.default or (self.control.options[0][0], self.control.options[-1][0])
        self.box.observe(self._say, "value")
        self.box.observe(self.hear, "value")

    def _say(self, _: Any = None) -> None:
        """The label says from where to where; the slider's own readout joins both by a hyphen that dates have too."""
        low, high = (pick(self.control.options[place][1], self._lang) for place in self.box.value)
        between = {"en": ": {} – {}", "zh": "：{} – {}"}[self._lang]
        self.box.description = pick(self.control.label, self._lang) + between.format(low, high)

    def _options(self, lang: str) -> list[tuple[str, int]]:
        return [(pick(text, lang), i) for i, (_, text) in enumerate(self.control.options)]

    @property
    def value(self) -> tuple[Any, Any]:
        low, high = self.box.value
        return self.control.options[low][0], self.control.options[high][0]

    @value.setter
    def value(self, value: tuple[Any, Any]) -> None:
        low, high = (_known(self.control, v, self.control.options) for v in value)
        self.box.value = (min(low, high), max(low, high))

    def speak(self, lang: str) -> None:
        self._lang = lang
        with self.quiet():
            places = self.box.value
            self.box.options = self._options(lang)
            self.box.value = places
        self._say()


class _Slide(Handle):
    control: Slide
    continuous = True

    def _make(self, lang: str) -> None:
        c = self.control
        # A browser's slider counts its steps from the left end: 0 is among them only if the end is a multiple of the step.
        low, high = math.ceil(c.low / c.step - 1e-9) * c.step, math.floor(c.high / c.step + 1e-9) * c.step
        self.box = widgets.FloatSlider(
            value=c.default, min=low, max=high, step=c.step, readout_format=c.spec.lstrip("+"), continuous_update=True
        )
        self.box.observe(self.hear, "value")


def read_number(text: str) -> float:
    """A number as people write it: full-width digits, commas between thousands, a sign of money, 万 and 亿; else NaN.

    Examples
    --------
    >>> [read_number(t) for t in ("1,200", "１２．５", "￥3万", "1,5", "ten")]
    [1200.0, 12.5, 30000.0, nan, nan]
    """
    plain = unicodedata.normalize("NFKC", text).replace("−", "-").replace(" ", "")
    found = re.fullmatch(
        r"[¥$€£]?([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:e[+-]?\d+)?)([万亿]?)元?", plain, re.IGNORECASE
    )
    try:
        return float(found[1].replace(",", "")) * _TIMES[found[2]] if found else math.nan
    except ValueError:  # a sign or a point alone
        return math.nan


class _Number(Handle):
    control: Number

    def _make(self, lang: str) -> None:
        self.box = widgets.Text(placeholder="–", continuous_update=False)
        with self.quiet():
            self.value = self.control.default
        self.box.observe(self.hear, "value")

    @property
    def value(self) -> float | None:
        text = self.box.value.strip()
        if not text:
            return None
        number = read_number(text)
        if not self.control.low <= number <= self.control.high:
            raise SurveyError(_worded(_NO_NUMBER, self._lang, what=self.control.label, text=text))
        return number

    @value.setter
    def value(self, value: float | None) -> None:
        self.box.value = "" if value is None else f"{value:.15g}"

    def speak(self, lang: str) -> None:
        self._lang = lang
        super().speak(lang)


class _Switch(Handle):
    control: Switch

    def _make(self, lang: str) -> None:
        self.box = widgets.Checkbox(value=bool(self.control.default), indent=False)
        self.box.observe(self.hear, "value")


class _Press(Handle):
    control: Press

    def _make(self, lang: str) -> None:
        self.box, self._count = widgets.Button(), 0
        self.box.on_click(self._pressed)

    def _pressed(self, _: Any) -> None:
        self._count += 1
        self.hear()

    @property
    def value(self) -> int:
        return self._count

    @value.setter
    def value(self, value: int) -> None:
        self._count = value
        self.hear()


_KINDS: Mapping[type[Control], type[Handle]] = {
    Pick: _Pick, Several: _Several, Span: _Span, Slide: _Slide, Number: _Number, Switch: _Switch, Press: _Press,
}  # fmt: skip


class Board:
    """Controls that stand together.

    Parameters
    ----------
    controls : list of Control
    lang : {"en", "zh"}
    heard : callable
        Called as ``heard(name, continuous)`` after every change.
    """

    def __init__(self, controls: Sequence[Control], lang: str, heard: Heard) -> None:
        self._heard = heard
        self.handles = {c.name: _KINDS[type(c)](c, lang, self._changed) for c in controls}
        self._headings: list[tuple[widgets.HTML, Texts, list[Handle]]] = []
        self.box = widgets.VBox(self._laid_out()).add_class("cx-board")
        self.speak(lang)
        self._show_some()

    def choice(self) -> dict[str, Any]:
        """Everything that is chosen."""
        return {name: handle.value for name, handle in self.handles.items()}

    def choose(self, **values: Any) -> None:
        """Choose as a user does."""
        for name, value in values.items():
            if name not in self.handles:
                raise SurveyError(f"{name!r} is no control; there are: {', '.join(self.handles)}.")
            self.handles[name].value = value

    def speak(self, lang: str) -> None:
        """Word everything in a language."""
        for handle in self.handles.values():
            handle.speak(lang)
        for heading, texts, _ in self._headings:
            heading.value = f"<h3>{escape(pick(texts, lang))}</h3>"

    def _changed(self, name: str, continuous: bool) -> None:
        if not isinstance(self.handles[name], _Press):
            for handle in self.handles.values():
                if isinstance(handle, _Press):
                    handle._count = 0
        self._show_some(name)
        self._heard(name, continuous)

    def _show_some(self, changed: str | None = None) -> None:
        """Show the controls that matter to what is chosen, and the headings that have any."""
        conditions = [h.control.when for h in self.handles.values()]
        if changed is not None and not any(changed in when for when in conditions):
            return
        shown = {n: all(self.handles[o].value in v for o, v in h.control.when.items()) for n, h in self.handles.items()}
        for name, handle in self.handles.items():
            handle.box.layout.display = None if shown[name] else "none"
        for heading, _, under in self._headings:
            heading.layout.display = None if any(shown[h.control.name] for h in under) else "none"

    def _laid_out(self) -> list[widgets.Widget]:
        """Controls in order, a heading where a group begins."""
        out: list[widgets.Widget] = []
        group: Texts = {}
        for handle in self.handles.values():
            if dict(handle.control.group) != dict(group):
                group = handle.control.group
                if group:
                    heading = widgets.HTML().add_class("cx-heading")
                    self._headings.append((heading, group, []))
                    out.append(heading)
            if group:
                self._headings[-1][2].append(handle)
            name = re.sub(r"\s+", "-", handle.control.name)  # a browser refuses classes with white space
            out.append(handle.box.add_class("cx-control").add_class(f"cx-{name}"))
        return out


def _worded(words: Texts, lang: str, **facts: Any) -> str:
    return Note(words, **facts)[lang]


_TIMES = {"": 1.0, "万": 1e4, "亿": 1e8}
_ALL = {"en": "All", "zh": "全选"}
_NONE = {"en": "None", "zh": "清空"}
_NO_NUMBER = {
    "en": "{what}: “{text}” is no number that can be used here; write digits, such as 120, or leave it empty.",
    "zh": "{what}：“{text}”不是可用的数字；请填写数字（如 120），或留空。",
}
