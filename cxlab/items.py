"""Items: what a column of a survey means – labels, value labels, scale, missing codes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, KeysView, Mapping, ValuesView
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from cxlab.errors import SurveyError, nearest

LANGUAGES = ("en", "zh")
FILE = "und"  # the language of labels that a data file carries without saying which
Measure = Literal["nominal", "ordinal", "scale", "unknown"]
Kind = Literal["number", "text", "date", "time", "datetime"]
Code = float | str


def pick(labels: Mapping[str, str], lang: str | None, default: str = "") -> str:
    """Choose a label: the language asked for, then the file's own, then any there is.

    Examples
    --------
    >>> pick({"en": "Queue", "zh": "排队"}, "zh"), pick({"und": "Queue"}, "zh"), pick({}, "en", "q1")
    ('排队', 'Queue', 'q1')
    """
    for key in (lang, FILE, *LANGUAGES, *labels):
        if key is not None and labels.get(key):
            return labels[key]
    return default


def in_order(codes: Iterable[Any]) -> list[Any]:
    """Codes in ascending order, texts after numbers.

    Examples
    --------
    >>> in_order({"b", 2.0, "a", 1.0})
    [1.0, 2.0, 'a', 'b']
    """
    return sorted(codes, key=lambda c: (isinstance(c, str), c))


@dataclass(frozen=True)
class Item:
    """One column: its wording, its codes and how to read them.

    Attributes
    ----------
    name : str
        Column name.
    labels : mapping of language to str
        Question wording; language ``"und"`` is what the data file says.
    values : mapping of code to mapping of language to str
        Value labels. Codes are the truth: several codes may share one text.
    measure : {"nominal", "ordinal", "scale", "unknown"}
        Level of measurement, as the file or the study declares it.
    kind : {"number", "text", "date", "time", "datetime"}
        What the column stores.
    scale : (low, high) or None
        Ends of the response scale, both possible answers.
    higher_is_better : bool
        False for items such as customer effort.
    missing : mapping of code to str
        User-missing codes and the reason each stands for ("refused", "not experienced").
    missing_ranges : tuple of (low, high)
        Ranges of user-missing codes, as SPSS declares them.
    format : str or None
        Display format of the source file (``F8.2``, ``EDATE10``).
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[Code, Mapping[str, str]] = field(default_factory=dict)
    measure: Measure = "unknown"
    kind: Kind = "number"
    scale: tuple[float, float] | None = None
    higher_is_better: bool = True
    missing: Mapping[float, str] = field(default_factory=dict)
    missing_ranges: tuple[tuple[float, float], ...] = ()
    format: str | None = None

    def label(self, lang: str | None = None) -> str:
        """Wording in a language, else the file's, else the column name."""
        return pick(self.labels, lang, self.name)

    def value_label(self, code: Any, lang: str | None = None) -> str:
        """Label of a code; a code without one is shown as itself (3.0 as ``3``, midnight as its day)."""
        plain = (
            f"{code:.15g}" if isinstance(code, float) and math.isfinite(code) else str(code).removesuffix(" 00:00:00")
        )
        return pick(self.values.get(code, {}), lang, plain)

    def code_of(self, value: Any) -> Code | None:
        """Find the code behind a code or a label of any language; None if there is none.

        A label shared by several codes is refused: it would merge them silently.
        """
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        found = [c for c, texts in self.values.items() if value == c or value in texts.values()]
        if len(found) > 1:
            raise SurveyError(
                f"{self.name}: the label {value!r} stands for {len(found)} codes "
                f"({', '.join(f'{c:g}' if isinstance(c, float) else c for c in found)}); name the code."
            )
        return found[0] if found else None


@dataclass(frozen=True)
class MultipleResponse:
    """A multiple-response set: several columns that hold the answers to one question.

    Attributes
    ----------
    kind : {"dichotomy", "category"}
        Dichotomies: one column per answer, ``counted`` marks it. Categories: one column per mention.
    """

    name: str
    items: tuple[str, ...]
    kind: Literal["dichotomy", "category"]
    labels: Mapping[str, str] = field(default_factory=dict)
    counted: Code | None = None


@dataclass(frozen=True)
class Codebook:
    """The items of a survey by column name, in file order, and its multiple-response sets.

    Reads like a mapping of name to Item, but for ``.items``, which is that mapping itself.
    """

    items: Mapping[str, Item] = field(default_factory=dict)
    sets: tuple[MultipleResponse, ...] = ()

    def __getitem__(self, name: str) -> Item:
        try:
            return self.items[name]
        except KeyError:
            raise SurveyError(f"the codebook has no item {name!r}{nearest(name, self.items)}.") from None

    def __contains__(self, name: object) -> bool:
        return name in self.items

    def __iter__(self) -> Iterator[str]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def get(self, name: str, default: Item | None = None) -> Item | None:
        """Item of that name, or ``default``."""
        return self.items.get(name, default)

    def keys(self) -> KeysView[str]:
        """Names of the items."""
        return self.items.keys()

    def values(self) -> ValuesView[Item]:
        """The items."""
        return self.items.values()

    def with_items(self, *items: Item) -> Codebook:
        """Copy in which ``items`` replace or extend those there are."""
        return replace(self, items={**self.items, **{i.name: i for i in items}})
