"""A page of a report: a finding, its sentences, tables and pictures – and every number it shows."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from io import BytesIO
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxlab.result import KEYS, Result
from cxlab.words import Figure, Note, Sentence, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Fact = dict[str, Any]
_INTERVAL = {"en": "{low} to {high}", "zh": "{low} 至 {high}"}


@dataclass
class Page:
    """One section of a report, built up in reading order.

    Attributes
    ----------
    key : str
        Name of the page, also its CSS class.
    title : Sentence
        The finding.
    facts : list of dict
        Every text with a number in it: ``page, kind`` (title, sentence, cell, label), ``text`` and what it is made
        of – ``template`` and ``values`` for sentences, ``value`` and ``spec`` for cells.
    """

    key: str
    title: Sentence
    lang: str
    heading: str = ""
    facts: list[Fact] = field(default_factory=list)
    _html: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        text, template = (
            t.rstrip(".。") for t in (self.title.text, self.title.template)
        )  # a heading ends without a stop
        self.title = replace(self.title, text=text, template=template)
        self._say("title", self.title)

    def lead(self, sentences: Iterable[Sentence]) -> Page:
        """Add sentences as the page's lead, a list if there are several."""
        said = [s for s in sentences if s.text]
        for one in said:
            self._say("sentence", one)
        if len(said) == 1:
            self._html.append(f"<p class='lead'>{escape(said[0].text)}</p>")
        elif said:
            items = "".join(f"<li>{escape(s.text)}</li>" for s in said)
            self._html.append(f"<ul class='lead'>{items}</ul>")
        return self

    def answers(self, pairs: Iterable[tuple[str, str, Sentence]]) -> Page:
        """Add questions with computed answers: (key, question, sentence)."""
        rows = []
        for key, question, answer in pairs:
            self._say("answer", answer, question=key)
            rows.append(f"<dt>{escape(question)}</dt><dd>{escape(answer.text)}</dd>")
        self._html.append(f"<dl class='answers'>{''.join(rows)}</dl>")
        return self

    def cards(self, cards: Iterable[tuple[Sentence, Sentence, list[Sentence], str]]) -> Page:
        """Add key figures: (label, value, notes, ``"good"``, ``"bad"`` or ``""``)."""
        boxes = []
        for label, value, notes, tone in cards:
            for one in (label, value, *notes):
                self._say("card", one)
            small = "".join(f"<span class='note'>{escape(n.text)}</span>" for n in notes)
            boxes.append(
                f"<div class='kpi {tone}'><span class='label'>{escape(label.text)}</span>"
                f"<span class='value'>{escape(value.text)}</span>{small}</div>"
            )
        self._html.append(f"<div class='kpis'>{''.join(boxes)}</div>")
        return self

    def table(
        self,
        result: Result,
        columns: Sequence[str | tuple[str, str, str]],
        *,
        notes: bool = True,
        folded: Mapping[str, str] | None = None,
    ) -> Page:
        """Add columns of a result's table, with its notes beneath.

        A column given as (value, low, high) is shown as one, the interval beneath the value. A ``folded`` table is
        shown when its title is clicked, and not printed.
        """
        heads, cells = [], []
        for column in columns:
            head, texts = self._column(result, column) if isinstance(column, str) else self._interval(result, *column)
            heads.append(head)
            cells.append(texts)
        head = "".join(f"<th>{escape(h)}</th>" for h in heads)
        rows = "".join("<tr>" + "".join(f"<td>{t}</td>" for t in row) + "</tr>" for row in zip(*cells, strict=True))
        table = f"<table class='cx'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        framed = f"<div class='cx-scroll' tabindex='0'>{table}</div>"
        if folded:
            framed = f"<details><summary>{escape(folded[self.lang])}</summary>{framed}</details>"
        self._html.append(framed)
        return self.notes(result.notes) if notes else self

    def _column(self, result: Result, column: str) -> tuple[str, list[str]]:
        shown = result.shown(self.lang, [column])
        texts = [capital(t) if column in KEYS else t for t in shown.iloc[:, 0]]
        for value, text, spec in zip(result.table[column], texts, result.specs(column), strict=True):
            fact: Fact = {"page": self.key, "kind": "label", "column": column, "text": text}
            if result.is_number(column, value) and text != "–":
                fact |= {"kind": "cell", "value": _plain(value), "spec": spec, "unit": result.unit(value, spec)}
            self.facts.append(fact)
        return capital(str(shown.columns[0])), [escape(t) for t in texts]

    def _interval(self, result: Result, column: str, low: str, high: str) -> tuple[str, list[str]]:
        """A value with its interval beneath; no interval where the value is masked."""
        heading, texts = self._column(result, column)
        cells = []
        for text, start, end, spec in zip(texts, result.table[low], result.table[high], result.specs(low), strict=True):
            if text == "–" or not (np.isfinite(start) and np.isfinite(end)):
                cells.append(text)
                continue
            said = sentence(_INTERVAL, self.lang, low=Figure(_plain(start), spec), high=Figure(_plain(end), spec))
            self._say("interval", said, column=column)
            cells.append(f"{text}<span class='cx-interval'>{escape(said.text)}</span>")
        return heading, cells

    def notes(self, notes: Iterable[Mapping[str, str] | Sentence]) -> Page:
        """Add small print."""
        for note in notes:
            if isinstance(note, Sentence):
                said = note
            else:
                said = note.sentence(self.lang) if isinstance(note, Note) else plain_sentence(note, self.lang)
            self._say("note", said)
            self._html.append(f"<p class='cx-note'>{escape(said.text)}</p>")
        return self

    def picture(self, axes: Axes, description: str) -> Page:
        """Add a picture with a description for those who cannot see it; the figure is closed."""
        import matplotlib.pyplot as plt

        figure, out = axes.figure, BytesIO()
        figure.savefig(out, format="png", dpi=150)  # type: ignore[union-attr]
        plt.close(figure)  # type: ignore[arg-type]
        data = base64.b64encode(out.getvalue()).decode("ascii")
        self._html.append(f"<figure><img src='data:image/png;base64,{data}' alt='{escape(description)}'></figure>")
        return self

    def _say(self, kind: str, said: Sentence, **more: Any) -> None:
        values = {k: _plain(v) for k, v in said.facts.items()}
        self.facts.append(
            {"page": self.key, "kind": kind, "text": said.text, "template": said.template, "values": values, **more}
        )

    def _repr_html_(self) -> str:
        kicker = f"<p class='kicker'>{escape(self.heading)}</p>" if self.heading else ""
        return (
            f"<section class='page {self.key}' id='{self.key}'>{kicker}<h2 id='{self.key}-title'>{escape(self.title.text)}</h2>"
            f"{''.join(self._html)}</section>"
        )


@dataclass
class MissingPage:
    """A page whose inputs the study lacks: one line that says what study.yml would need."""

    key: str
    heading: str
    title: Sentence
    facts: list[Fact] = field(default_factory=list)

    def _repr_html_(self) -> str:
        return (
            f"<section class='page missing'><h2>{escape(self.heading)}</h2><p>{escape(self.title.text)}</p></section>"
        )


def _plain(value: Any) -> Any:
    """A value as JSON has it: numbers as int or float, everything else as text; NaN as None."""
    if isinstance(value, Figure):
        return {"value": _plain(value.value), "spec": value.spec, "unit": value.unit}
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, Real):
        return float(value) if np.isfinite(float(value)) else None
    return str(value)


def capital(text: str) -> str:
    """A label of its own begins with a capital; one that has capitals elsewhere (iPhone) and symbols (p) stay."""
    return number(text, "cap") if text.islower() and text[1:2].isalpha() else text


def plain_sentence(texts: Mapping[str, str], lang: str | None = None) -> Sentence:
    """A sentence without numbers."""
    text = texts[language(lang)]
    return Sentence(text, template=_literal(text))


def _literal(text: str) -> str:
    """A text as a template without fields."""
    return text.replace("{", "{{").replace("}", "}}")
