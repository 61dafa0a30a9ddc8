"""Who was followed for how long: the rows of a survival analysis and where they stand in the design."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.design import Design, resolve
from cxlab.errors import SurveyError
from cxlab.loyalty._survival_sums import Spells
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Case:
    """Spells of the rows used, where they stand in the design, and how intervals are made.

    Attributes
    ----------
    spells : Spells
    rows : int array, shape (n,)
    design : Design
    draws : (replicates, seed, level)
    """

    spells: Spells
    rows: np.ndarray
    design: Design
    draws: tuple[int, int, float]

    @property
    def w(self) -> FloatArray:
        """Weights of the rows used."""
        return self.design.weights[self.rows]

    def within(self, inside: np.ndarray) -> Case:
        """The rows of a group or with complete covariates."""
        kept = inside[self.rows]
        return Case(Spells(self.spells.time[kept], self.spells.event[kept]), self.rows[kept], self.design, self.draws)

    def member(self) -> np.ndarray:
        """Which rows of the design are used, shape (rows, 1)."""
        out = np.zeros((len(self.design.weights), 1), dtype=bool)
        out[self.rows] = True
        return out

    def degrees(self, coefficients: int = 1) -> float:
        """PSUs − strata + 1 − coefficients, at least 1."""
        return max(float(self.design.domain_df(self.member())[0]) + 1 - coefficients, 1.0)


def case_of(survey: Survey, time: str, event: str, draws: tuple[int, int, float]) -> tuple[Case, int]:
    """Complete rows, and how many of the domain left."""
    survey.require("time", [time])
    survey.require("event", [event])
    t, e = survey.values(time), survey.values(event)
    asked = survey.domain & (survey.weights > 0)
    other = np.unique(e[asked & np.isfinite(e) & ~np.isin(e, (0.0, 1.0))])
    if len(other):
        shown = ", ".join(f"{v:g}" for v in other[:5])
        raise SurveyError(
            f"event {event!r} has values other than 0 and 1 ({shown}); 1 says that the event came, 0 that follow-up ended before."
        )
    negative = int(np.sum(asked & (t < 0)))
    if negative:
        raise SurveyError(
            f"time {time!r} is negative for {negative:,} of {int(asked.sum()):,} respondents; times run from the survey on: what came "
            "before it is no outcome."
        )
    rows = np.flatnonzero(asked & np.isfinite(t) & np.isfinite(e))
    if not len(rows):
        raise SurveyError(
            f"time {time!r} and event {event!r} are known together for none of {int(asked.sum()):,} respondents; join the "
            "table that holds them, or widen the filter."
        )
    spells = Spells(t[rows], e[rows] == 1)
    if not spells.event.any():
        raise SurveyError(
            f"event {event!r} is 0 for all {len(rows):,} respondents: no event came while they were followed; wait longer, or check "
            "how the table was joined."
        )
    return Case(spells, rows, resolve(survey), draws), int(asked.sum()) - len(rows)
