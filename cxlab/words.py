"""English and Chinese: the current language, templates, and how numbers are printed."""

from __future__ import annotations

import datetime as dt
import math
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, NamedTuple

from cxlab.errors import one_of

LANGUAGES = ("en", "zh")
_current = {"lang": "en"}


def set_language(lang: str) -> None:
    """Set the language of everything that is shown from here on.

    Parameters
    ----------
    lang : {"en", "zh"}

    Raises
    ------
    SurveyError
        For any other language.

    Examples
    --------
    >>> set_language("en")
    """
    _current["lang"] = language(lang)


def language(lang: str | None = None) -> str:
    """Return ``lang`` if it is one we speak, the current language if it is None."""
    if lang is None:
        return _current["lang"]
    if lang not in LANGUAGES:
        raise one_of("lang", lang, LANGUAGES)
    return lang


def number(value: Any, spec: str = "") -> str:
    """Print one value for people.

    Parameters
    ----------
    value : number or str
    spec : str
        A Python format specification, or ``"p"`` for a p-value (``"p < .001"``,
        ``"p = .034"``), or ``"pp"`` for a signed difference of shares in percentage points (``"pt"``
        for its size, without a sign; ``"pp2"`` has two decimals).
        For text, ``"in"`` writes a label as inside a sentence and ``"cap"`` as at its start.
        A minus is the true minus sign; what rounds to zero loses its sign; NaN is an en dash.

    Examples
    --------
    >>> number(-0.7, "+.1f"), number(0.0004, "p"), number(float("nan"), ".1f"), number(-0.01, "+.1f")
    ('−0.7', 'p < .001', '–', '0.0')
    """
    if isinstance(value, str):
        return _cased(value, spec)
    if isinstance(value, Figure):
        return number(value.value, value.spec) + value.unit
    if value is None or str(value) in ("<NA>", "NaT", "nan"):
        return "–"
    if isinstance(value, dt.date):
        return format(value, spec)
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if spec == "p":
        return "p < .001" if value < 0.001 else f"p = {value:.3f}".replace(" 0.", " .")
    if spec[:2] in ("pp", "pt"):
        return number(100 * value, f"{'+' if spec[:2] == 'pp' else ''}.{spec[2:] or 1}f")
    text = format(value, spec)
    if text.strip("+-0.,%") == "":
        text = text.lstrip("+-")
    return text.replace("-", "−")


def _cased(text: str, spec: str) -> str:
    """A label as it stands (no spec), at the start of a sentence (``cap``) or inside one (``in``; NPS stays NPS)."""
    if spec == "cap":
        return text[:1].upper() + text[1:]
    if spec == "in" and text[1:2].islower():
        return text[:1].lower() + text[1:]
    return text


class Figure(NamedTuple):
    """A number that brings its own format along, for templates whose metric is not known beforehand.

    Attributes
    ----------
    value : float
    spec : str
        See :func:`number`.
    unit : str
        Text that follows the number.
    """

    value: float
    spec: str
    unit: str = ""


@dataclass(frozen=True)
class Sentence:
    """One computed sentence and the numbers in it.

    Attributes
    ----------
    text : str
    facts : mapping of str to number or str
        Unrounded values by name.
    shown : mapping of str to str
        How each fact is printed in ``text``.
    template : str
        The wording before the facts were filled in.
    """

    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    template: str = ""

    def __str__(self) -> str:
        return self.text


def sentence(template: Mapping[str, str], lang: str | None = None, /, **facts: Any) -> Sentence:
    """Fill a template of the current language; the facts go along unrounded.

    Examples
    --------
    >>> sentence({"en": "NPS is {nps:+.1f}.", "zh": "NPS 为 {nps:+.1f}。"}, "zh", nps=12.34).text
    'NPS 为 +12.3。'
    """
    text, shown = [], {}
    for literal, name, spec, _ in string.Formatter().parse(template[language(lang)]):
        text.append(literal)
        if name is not None:
            shown[name] = number(facts[name], spec or "")
            text.append(shown[name])
    return Sentence("".join(text), {k: facts[k] for k in shown}, shown, template[language(lang)])


class Note(Mapping[str, str]):
    """A remark on a result in every language, with the numbers in it.

    Parameters
    ----------
    template : mapping of language to str
    **facts
        Values of the template's fields; a mapping of language to str is taken in each language.

    Examples
    --------
    >>> Note({"en": "{lost:,} left.", "zh": "剔除 {lost:,} 人。"}, lost=1200)["zh"]
    '剔除 1,200 人。'
    """

    def __init__(self, template: Mapping[str, str], **facts: Any) -> None:
        self._template, self._facts = template, facts

    def sentence(self, lang: str | None = None) -> Sentence:
        """The remark as a sentence."""
        lang = language(lang)
        facts = {k: v[lang] if isinstance(v, Mapping) else v for k, v in self._facts.items()}
        return sentence(self._template, lang, **facts)

    def __getitem__(self, lang: str) -> str:
        if lang not in self._template:
            raise KeyError(lang)
        return self.sentence(lang).text

    def __iter__(self) -> Iterator[str]:
        return iter(self._template)

    def __len__(self) -> int:
        return len(self._template)


class Sentences(tuple[Sentence, ...]):
    """Sentences that show themselves in a notebook as a list."""

    def __str__(self) -> str:
        return "\n".join(s.text for s in self)

    def __iter__(self) -> Iterator[Sentence]:
        return super().__iter__()

    def _repr_html_(self) -> str:
        return "<ul>" + "".join(f"<li>{escape(s.text)}</li>" for s in self) + "</ul>"
