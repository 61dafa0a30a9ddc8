"""A tab: what can be chosen in it, and what it shows for a choice. Nothing here knows of widgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from cxlab.errors import SurveyError
from cxlab.items import pick
from cxlab.result import Result
from cxlab.words import Note

if TYPE_CHECKING:
    from cxlab.workbench._workspace import Workspace

Texts = Mapping[str, str]
Option = tuple[Any, Texts]


@dataclass(frozen=True, kw_only=True)
class Control:
    """Something that can be chosen.

    Attributes
    ----------
    name : str
        Key of the choice.
    label : mapping of language to str
    default : Any
    group : mapping of language to str
        Heading under which controls stand together; empty for none.
    when : mapping of control to values
        Shown only while every other control named here has one of its values; what is hidden keeps its choice.
    """

    name: str
    label: Texts
    default: Any = None
    group: Texts = field(default_factory=dict)
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Pick(Control):
    """One of some options, each a value and its wording."""

    options: tuple[Option, ...]


@dataclass(frozen=True, kw_only=True)
class Several(Control):
    """Any number of options; the choice is a tuple of values in the order of the options.

    Attributes
    ----------
    headings : mapping of value to wording
        What stands above an option, where options come in blocks.
    """

    options: tuple[Option, ...]
    headings: Mapping[Any, Texts] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Span(Control):
    """From one option to another; the choice is the pair of both ends."""

    options: tuple[Option, ...]


@dataclass(frozen=True, kw_only=True)
class Slide(Control):
    """A number on a slider."""

    low: float
    high: float
    step: float
    spec: str = "+.1f"


@dataclass(frozen=True, kw_only=True)
class Number(Control):
    """A number that may be left empty (None)."""

    low: float = 0.0
    high: float = 1e12


@dataclass(frozen=True, kw_only=True)
class Switch(Control):
    """Yes or no."""


@dataclass(frozen=True, kw_only=True)
class Press(Control):
    """A button; the choice counts how often it was pressed since something else changed."""

    default: Any = 0


@dataclass(frozen=True, eq=False)
class Asked:
    """What somebody wants to see.

    Attributes
    ----------
    choice : mapping of control to value
    filter : mapping of column to list of codes
        Waves and segments; a column that is not named is not filtered by.
    lang : {"en", "zh"}
    """

    choice: Mapping[str, Any]
    filter: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    lang: str = "en"

    def __getitem__(self, name: str) -> Any:
        return self.choice[name]

    def text(self, words: Texts, /, **facts: Any) -> str:
        """Wording in the language asked for, with facts filled in."""
        return Note(words, **facts)[self.lang] if facts else pick(words, self.lang)


@dataclass(frozen=True, eq=False)
class View:
    """What a tab shows.

    Attributes
    ----------
    spec : mapping
        Of the picture, see :class:`cxlab.workbench._picture.Picture`.
    code : str
        The call, or calls, that make the same again from ``survey``.
    result : Result or None
        What the picture was made from; its table is what people download. None while something moves.
    lines : tuple of str
        Sentences under the picture.
    """

    spec: Mapping[str, Any]
    code: str = ""
    result: Result | None = None
    lines: tuple[str, ...] = ()


class Tab:
    """One question to a study, asked live.

    A tab is a subclass with a key and a title that says which controls it has and what it shows. While something moves the
    workbench calls ``live``; when the hand rests, ``settled`` in a worker thread. Errors that either raises appear as
    sentences.

    Attributes
    ----------
    key : str
    title : mapping of language to str
    workspace : Workspace
    """

    key: ClassVar[str]
    title: ClassVar[Texts]

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def lacking(self) -> Texts | None:
        """What the study does not declare and the tab cannot do without; None if nothing."""
        return None

    def controls(self) -> Sequence[Control]:
        """Controls, in the order in which they stand."""
        return ()

    def live(self, asked: Asked) -> View | None:
        """Answer at once, from the cube; None where only ``settled`` answers."""
        return None

    def settled(self, asked: Asked) -> View:
        """Answer with the library's own function and all its replicates."""
        raise SurveyError(f"{type(self).__name__} shows nothing.")


def defaults(controls: Iterable[Control]) -> dict[str, Any]:
    """Choice before anybody has chosen."""
    return {c.name: c.default for c in controls}


def message(text: str, tone: str = "info") -> View:
    """Show a sentence instead of a picture; tone "info" or "error"."""
    return View({"kind": "message", "text": text, "tone": tone})


def ticks(low: float, high: float, spec: str = "", count: int = 5) -> list[dict[str, Any]]:
    """Round places between two numbers, with their texts.

    Examples
    --------
    >>> [t["text"] for t in ticks(0, 0.23, ".0%")]
    ['0%', '5%', '10%', '15%', '20%']
    """
    import numpy as np

    from cxlab.words import number

    span = high - low
    if not (np.isfinite(span) and span > 0):
        return [{"at": float(low), "text": number(float(low), spec)}]
    raw = span / max(count, 1)
    size = 10.0 ** np.floor(np.log10(raw))
    step = size * next(s for s in (1, 2, 2.5, 5, 10) if s * size >= raw * (1 - 1e-9))
    places = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step
    return [{"at": float(p), "text": number(float(p), spec)} for p in places]
