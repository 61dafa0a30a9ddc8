"""What the what-if tab predicts: satisfaction, NPS and renewals, as far as the study has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.drivers import Contribution, contribution
from cxlab.errors import SurveyError
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
    """

    role: str
    text: str
    column: str
    found: Contribution
    scale: tuple[float, float] | None

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
        if made is not None:
            found.append(made)
        else:
            why = "values" if role == "renewal" else "scale" if role == "recommend" else "satisfaction"
            left.append(Note(LEFT_OUT[why], item={lang: survey.label(text, lang) for lang in LANGUAGES}))
    return tuple(found), tuple(left)


def _measure(survey: Survey, role: str, name: str) -> Measure | None:
    text = f"nps({name})" if role == "recommend" else name
    try:
        found = contribution(survey, text)
    except SurveyError:
        return None
    inside = found.values[survey.domain & (survey.weights > 0) & np.isfinite(found.values)]
    if not len(inside) or np.ptp(inside) == 0 or (role == "renewal" and found.kind != "share"):
        return None
    column = text if found.kind == "nps" or _plain(survey, name, found) else f"share({name})"
    scale = {"share": (0.0, 1.0), "nps": (-100.0, 100.0)}.get(found.kind) or survey.scale(name)
    return Measure(role, text, column, found, scale)


def _plain(survey: Survey, name: str, found: Contribution) -> bool:
    """Whether a column itself is what respondents contribute."""
    return bool(np.array_equal(survey.values(name), found.values, equal_nan=True))


def extra_columns(survey: Survey) -> dict[str, FloatArray]:
    """Columns that the cube needs for these predictions and would not hold otherwise."""
    found, _ = measures_of(survey)
    return {m.column: m.found.values for m in found if not survey.has(m.column)}
