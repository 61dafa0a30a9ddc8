"""Top-2 and NPS after a change: an approximation from each respondent's expected shift."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlab.drivers._prepare import Prepared
from cxlab.drivers._scenario import Model, interval, replicate_blocks
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
_PART = 50  # sets of weights worked on at once


def boxes(
    survey: Survey,
    prepared: Prepared,
    found: Model,
    of: tuple[Sequence[int], FloatArray, FloatArray],
    how: tuple[int, int, float],
) -> pd.DataFrame:
    """Share of the best two boxes and, of the question for it, NPS; before and after.

    Parameters
    ----------
    survey : Survey
    prepared : Prepared
    found : Model
        Its coefficients are those of the drivers that move.
    of : (places, ends, changes)
    how : (replicates, seed, level)

    Returns
    -------
    DataFrame
        Empty unless the outcome has whole answers on a scale of at least five points of which more is better.
    """
    score = _scores(survey, prepared)
    if not score:
        return pd.DataFrame()
    places, ends, changes = of
    replicates, seed, level = how
    answers = prepared.columns[:, prepared.first[list(places)]]
    low, high = np.minimum(ends[:, 0], answers.min(axis=0)), np.maximum(ends[:, 1], answers.max(axis=0))
    room = np.clip(answers + changes, low, high) - answers
    outcome, slopes = prepared.columns[:, -1], found.scenario.coefficients
    before: list[FloatArray] = []
    after: list[FloatArray] = []
    start = 0
    for multipliers, piece in replicate_blocks(prepared, replicates, seed):
        for k in range(0, len(multipliers), _PART):
            weights = multipliers[k : k + _PART, piece] * prepared.weights
            weights = weights / weights.sum(axis=1, keepdims=True)
            moved = outcome + slopes[start : start + len(weights)] @ room.T
            before.append(np.column_stack([weights @ f(outcome) for f in score.values()]))
            after.append(np.column_stack([(weights * f(moved)).sum(axis=1) for f in score.values()]))
            start += len(weights)
    first, last = np.concatenate(before), np.concatenate(after)
    gain = last - first
    return pd.DataFrame({
        "metric": list(score), "before": first[0], "after": last[0], "estimate": gain[0],
        **interval(gain[1:], gain[0], prepared.df, level),
    })  # fmt: skip


def _scores(survey: Survey, prepared: Prepared) -> dict[str, Callable[[FloatArray], FloatArray]]:
    """What a value counts for each metric; an answer y stands for all that rounds to it."""
    if not survey.has(prepared.outcome):
        return {}
    ends, answers = survey.scale(prepared.outcome), prepared.columns[:, -1]
    if ends is None or ends[1] - ends[0] < 4 or len(survey.items_of(prepared.outcome)) > 1:
        return {}
    if not survey.higher_is_better(prepared.outcome) or np.any(answers != np.round(answers)):
        return {}
    out: dict[str, Callable[[FloatArray], FloatArray]] = {"top2": lambda y: np.clip(y - (ends[1] - 2), 0, 1)}
    recommend = survey.roles.outcomes.get("recommend", ("recommend",))
    if ends == (0, 10) and survey.items_of(prepared.outcome) == recommend:
        out["nps"] = lambda y: 100 * (np.clip(y - 8, 0, 1) - np.clip(7 - y, 0, 1))
    return out
