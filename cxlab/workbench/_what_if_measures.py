"""What the what-if tab predicts: satisfaction, NPS and renewals, as far as the study has them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cxlab.drivers import Contribution, contribution
from cxlab.errors import SurveyError
from cxlab.items import in_order
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note, number
from cxlab.workbench._tab import Texts
from cxlab.workbench._what_if_words import LEFT_OUT, PERCENT, SHORT

FloatArray = np.ndarray[Any, np.dtype[Any]]
LEVELS = {"points": ".2f", "nps": "+.1f", "share": ".1%"}
GAINS = {"points": "+.2f", "nps": "+.1f", "share": "pp"}
FINE = {"points": "+.3f", "nps": "+.2f", "share": "pp2"}


@dataclass(frozen=True, eq=False)
class Measure:
    """Something that is predicted.

    Attributes
    ----------
    role : {"satisfaction", "recommend", "renewal"}
    text : str
        Outcome as :func:`cxlab.what_if` reads it.
    column : str
        What the cube calls it.
    found : Contribution
        What every respondent contributes to it.
    scale : (float, float) or None
        Between which numbers it can lie.
    name : str
        Column or role behind it.
    code : float, str or None
        Of a share: the answer that it is the share of.
    """

    role: str
    text: str
    column: str
    found: Contribution
    scale: tuple[float, float] | None
    name: str = ""
    code: Any = None

    @property
    def kind(self) -> str:
        """ "points", "nps" or "share"."""
        return self.found.kind

    @property
    def labels(self) -> Texts:
        """Wording in full."""
        return self.found.labels

    @property
    def short(self) -> Texts:
        """Wording inside a list."""
        return SHORT.get(self.role, self.labels)

    def level(self, value: float) -> str:
        """A level as it prints."""
        return number(value, LEVELS[self.kind])

    def reach(self, value: float) -> str:
        """A level as it prints, or that it lies beyond what is possible."""
        low, high = self.scale or (-np.inf, np.inf)
        if value > high + _ROUNDING:
            return f">{self.level(high)}"
        return f"<{self.level(low)}" if value < low - _ROUNDING else self.level(value)

    def beyond(self, value: float) -> bool:
        """Whether a level is impossible."""
        low, high = self.scale or (-np.inf, np.inf)
        return bool(max(low - value, value - high) > _ROUNDING)

    def gain(self, value: float, lang: str, *, unit: bool = True, fine: bool = False) -> str:
        """A change as it prints."""
        after = PERCENT[lang] if unit and self.kind == "share" else ""
        return number(value, (FINE if fine else GAINS)[self.kind]) + after


def measures_of(survey: Survey) -> tuple[tuple[Measure, ...], tuple[Texts, ...]]:
    """Everything that can be predicted, and sentences on what is left out."""
    roles = survey.roles
    found: list[Measure] = []
    left: list[Texts] = []
    named = [r for r in roles.outcomes if r != "recommend" and survey.has(r)]
    first = "satisfaction" if "satisfaction" in named else next(iter(named), None)
    for role, text, absent in (
        ("satisfaction", first, LEFT_OUT["satisfaction"]),
        ("recommend", "recommend" if "recommend" in roles.outcomes else None, LEFT_OUT["recommend"]),
        ("renewal", roles.renewal, LEFT_OUT["renewal"]),
    ):
        if text is None or not survey.has(text):
            left.append(Note(absent))
            continue
        made = _measure(survey, role, text)
        if isinstance(made, Measure):
            found.append(made)
        else:
            left.append(Note(LEFT_OUT[made], item={lang: survey.label(text, lang) for lang in LANGUAGES}))
    return tuple(found), tuple(left)


def _measure(survey: Survey, role: str, name: str) -> Measure | str:
    """What is predicted of an item, or the key of the sentence that says why nothing is."""
    code, text = None, f"nps({name})" if role == "recommend" else name
    if role == "renewal":
        codes = _two(survey, name)
        if codes is None:
            return "values"
        code = event(survey, name, codes)
        if code is None:
            return "which"
        if isinstance(code, str) or code != codes[1]:
            text = f"{name} == {code!r}"
    try:
        found = contribution(survey, text)
    except SurveyError:
        return {"recommend": "scale", "renewal": "values"}.get(role, "numbers")
    inside = found.values[survey.domain & (survey.weights > 0) & np.isfinite(found.values)]
    if not len(inside) or np.ptp(inside) == 0:
        return "flat"
    if found.kind == "share" and code is None:
        code = float(np.unique(survey.values(name)[np.isfinite(survey.values(name))])[1])
    if code is not None:
        item = survey.codebook.get(survey.items_of(name)[0])
        said = {la: item.value_label(code, la) if item else str(code) for la in LANGUAGES}
        found = replace(found, labels={la: f"{survey.label(name, la)} = {said[la]}" for la in LANGUAGES})
    same = text == name and _plain(survey, name, found)
    scale = {"share": (0.0, 1.0), "nps": (-100.0, 100.0)}.get(found.kind) or survey.scale(name)
    return Measure(role, text, text if found.kind == "nps" or same else f"share({text})", found, scale, name, code)


def _two(survey: Survey, name: str) -> tuple[Any, Any] | None:
    """The two codes, or texts, of a column that has no others."""
    items = survey.items_of(name)
    if len(items) != 1:
        return None
    column = survey.data[items[0]]
    if column.dtype == bool:
        return None
    codes = in_order(column.dropna().unique().tolist())
    return (codes[0], codes[1]) if len(codes) == 2 else None


def event(survey: Survey, name: str, codes: tuple[Any, Any]) -> Any:
    """Which of two codes says that the customer came again; None where nothing tells.

    By the words of their labels; else 1 of 0 and 1; else the lower one where the codebook says that less is better.
    """
    item = survey.codebook.get(survey.items_of(name)[0])
    low, high = (_sign(item.values.get(c, {}) if item else {}, c) for c in codes)
    if low != high:
        return codes[1] if high > low else codes[0]
    if isinstance(codes[0], str):
        return None
    if not survey.higher_is_better(name):
        return codes[0]
    return codes[1] if tuple(codes) == (0, 1) else None


def _sign(labels: Texts, code: Any) -> int:
    """1 where an answer's words affirm, −1 where they deny."""
    texts = [str(t).strip().lower() for t in (labels.values() or [code])]
    if any(_DENIED.search(t) for t in texts):
        return -1
    return int(any(_AFFIRMED.search(t) for t in texts))


_ROUNDING = 1e-9
_DENIED = re.compile(
    r"^(n|f)$|\b(no|not|non|false|never|none|lost|left|churn\w*|cancel\w*|lapse\w*|expired|declined|didn.?t)\b|否|未|没|无|不|流失|退"
)
_AFFIRMED = re.compile(r"^(y|t)$|\b(yes|true|renewed|renewal|renews|kept|stayed|retained|active)\b|是|已|有|续")


def _plain(survey: Survey, name: str, found: Contribution) -> bool:
    """Whether a column itself is what respondents contribute."""
    return bool(np.array_equal(survey.values(name), found.values, equal_nan=True))


def extra_columns(survey: Survey) -> dict[str, FloatArray]:
    """Columns that the cube needs for these predictions and would not hold otherwise."""
    found, _ = measures_of(survey)
    return {m.column: m.found.values for m in found if not survey.has(m.column)}


_WIDE = 50.0  # points of a scale from which a slider moves in half points


def step_of(span: float) -> tuple[float, int]:
    """Step of a slider over a scale so long, and its decimals."""
    if 2.0 <= span < _WIDE:
        return 0.1, 1
    if not span > 0:
        return 0.1, 1
    raw = span / (200.0 if span >= _WIDE else 20.0)
    size = 10.0 ** np.floor(np.log10(raw))
    step = float(size * next(s for s in (1, 2, 5, 10) if s * size >= raw * (1 - 1e-9)))
    return float(f"{step:.6g}"), max(0, -int(np.floor(np.log10(step) + 1e-9)))


def unit_of(spent: float) -> float:
    """The power of ten below a sum, so that what it buys has digits to read."""
    return 1.0 if not spent > 0 or 1 <= spent < 10 else float(10.0 ** np.floor(np.log10(spent)))
