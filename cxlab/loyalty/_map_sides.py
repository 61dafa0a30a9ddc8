"""High or low: where satisfaction and loyalty are cut into two, and the four types of customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.errors import SurveyError
from cxlab.loyalty._zones import USUAL
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
TYPES = ("loyalist", "hostage", "mercenary", "defector")
_COARSE = 20  # scales with more steps than this are moved by a tenth


@dataclass(frozen=True, eq=False)
class Side:
    """Answers cut into high and low.

    Attributes
    ----------
    name : str
    values : array, shape (rows,)
        NaN where not answered.
    cut : float
        Worst answer that still counts as high.
    step : float
        By which the cut is moved; 0 for outcomes of 0 and 1.
    up : bool
        Whether more is better.
    ends : (low, high)
        Of the scale.
    """

    name: str
    values: FloatArray
    cut: float
    step: float
    up: bool
    ends: tuple[float, float]

    @property
    def binary(self) -> bool:
        """Whether there is nothing between 0 and 1."""
        return self.step == 0

    def high(self, shift: float = 0.0) -> np.ndarray:
        """Who is on the good side of the cut, moved by ``shift``; bool of shape (rows,)."""
        at = self.cut + shift
        return np.asarray(self.values >= at if self.up else self.values <= at)

    def shifts(self) -> tuple[float, ...]:
        """Moves of the cut that leave an answer of the scale on both sides."""
        return tuple(s for s in (-self.step, self.step) if s and _inside(self.cut + s, self.ends, self.up))

    def said(self, shift: float = 0.0) -> str:
        """The good side, such as ``≥ 7``."""
        return f"{'=' if self.binary else '≥' if self.up else '≤'} {self.cut + shift:g}"


def side(survey: Survey, argument: str, name: str, cut: float | None) -> Side:
    """Cut a column or role; by default at 70 % of its scale, as the zone of defection ends, or at 1 of 0 and 1.

    Raises
    ------
    SurveyError
        For a cut that leaves no answer of the scale on one side, or all answers on one side.
    """
    values = survey.values(name)
    there = values[survey.domain & (survey.weights > 0) & np.isfinite(values)]
    if not len(there):
        raise SurveyError(f"{argument} {name!r} is missing for all {len(survey):,} respondents; name another column.")
    binary, up = bool(np.isin(there, (0.0, 1.0)).all()), survey.higher_is_better(name)
    ends = (0.0, 1.0) if binary else survey.scale(name) or (float(there.min()), float(there.max()))
    step = 1.0 if ends[1] - ends[0] <= _COARSE else (ends[1] - ends[0]) / 10
    if cut is None:
        reach = step * np.floor((ends[1] - ends[0]) * (1.0 if binary else USUAL[0]) / step + 1e-9)
        cut = float(ends[0] + reach if up else ends[1] - reach)
    elif isinstance(cut, bool) or not isinstance(cut, (int, float)) or not _inside(float(cut), ends, up):
        better = f"above {ends[0]:g} and up to {ends[1]:g}" if up else f"from {ends[0]:g} and below {ends[1]:g}"
        raise SurveyError(
            f"cuts: {cut!r} for {argument} {name!r} leaves no answer on one side; the worst answer that still counts as high lies "
            f"{better}."
        )
    found = Side(name, values, float(cut), 0.0 if binary else step, up, ends)
    share = float(np.mean(found.high()[np.isfinite(values) & survey.domain & (survey.weights > 0)]))
    if share in (0.0, 1.0):
        raise SurveyError(
            f"{argument} {name!r} is {'high' if share else 'low'} ({found.said() if share else 'not ' + found.said()}) for all "
            f"{len(there):,} respondents; move its cut, or name another column."
        )
    return found


def _inside(cut: float, ends: tuple[float, float], up: bool) -> bool:
    return ends[0] < cut <= ends[1] if up else ends[0] <= cut < ends[1]


def two_cuts(cuts: Sequence[float | None] | None) -> tuple[float | None, float | None]:
    """Cuts of satisfaction and loyalty.

    Raises
    ------
    SurveyError
        If they are not two.
    """
    if cuts is None:
        return None, None
    given = list(cuts) if isinstance(cuts, (list, tuple)) else []
    if len(given) != 2:
        raise SurveyError(
            f"cuts is {cuts!r}; give two, of satisfaction and of loyalty, such as cuts=(7, 9); None for the usual one."
        )
    return given[0], given[1]


def kinds(satisfied: np.ndarray, loyal: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Type of each row, its place in :data:`TYPES`, −1 for those left out; int of shape (rows,)."""
    return np.where(kept, 2 * ~loyal + ~satisfied, -1)
