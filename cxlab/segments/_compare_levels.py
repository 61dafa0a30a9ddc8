"""Levels of every group, item by item: means, variances and their joint covariance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import Design, Estimates
from cxlab.errors import SurveyError
from cxlab.items import in_order
from cxlab.metrics import Score, answer_codes, names, score
from cxlab.significance import grouped_covariance, members
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
MOST_GROUPS = 60


@dataclass(frozen=True, eq=False)
class Question:
    """An item to compare: one score, or one per answer where the answers have no order.

    Attributes
    ----------
    item : str
    scores : tuple of Score
    codes : tuple
        Answer that each score counts; None for a single score.
    answers : int array, shape (rows,), or None
        Answer of each respondent, −1 for none, where the item is compared by its shares.
    """

    item: str
    scores: tuple[Score, ...]
    codes: tuple[Any, ...]
    answers: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of a segment: their codes, and which of them each respondent is in (−1: none)."""

    column: str
    codes: list[Any]
    member: np.ndarray


@dataclass(frozen=True, eq=False)
class Levels:
    """Means of one score in k groups.

    Attributes
    ----------
    estimates : Estimates
    variance : array, shape (k,)
        Between respondents, weighted, with n − 1.
    joint : array, shape (2k, 2k)
        Covariance of the k means and the k variances.
    member : int array, shape (rows,)
        Group of each respondent who has an answer, −1 for the others.
    """

    estimates: Estimates
    variance: FloatArray
    joint: FloatArray
    member: np.ndarray


def split(survey: Survey, by: str) -> Groups:
    """Groups of a segment among the respondents with weight.

    Raises
    ------
    SurveyError
        For an unknown column, one group, or more than 60.
    """
    if not isinstance(by, str):
        raise SurveyError(
            f"by is {by!r}; name one column per call, whose comparisons are a family of their own "
            "(cx.banner sets several side by side, cx.means crosses them)."
        )
    if by != "wave":
        survey.require("by", [by])
    column = survey.column_of(by)
    inside = survey.domain & (survey.weights > 0)
    codes = in_order(survey.data[column][inside].dropna().unique().tolist())
    if len(codes) < 2:
        raise SurveyError(
            f"by: {by!r} has {len(codes)} group{'' if len(codes) == 1 else 's'} among the respondents; "
            "a comparison needs two."
        )
    if len(codes) > MOST_GROUPS:
        raise SurveyError(
            f"by: {by!r} has {len(codes):,} groups among the respondents, which makes "
            f"{len(codes) * (len(codes) - 1) // 2:,} pairs per item; up to {MOST_GROUPS} groups are compared: "
            "band them in study.yml (recoded), or choose some with survey.where."
        )
    place = pd.Index(codes).get_indexer(survey.data[column])
    return Groups(column, codes, np.where(inside, place, -1))


def questions(survey: Survey, items: Sequence[str]) -> list[Question]:
    """Turn items into scores.

    Raises
    ------
    SurveyError
        For unknown names, items without any answer, and texts that stand for numbers.
    """
    survey.require("items", [i for i in items if i not in ("nps", "csat")])
    found = [_question(survey, item) for item in items]
    inside = survey.domain & (survey.weights > 0)
    empty = [q.item for q in found if not any(np.isfinite(s.values[inside]).any() for s in q.scores)]
    if empty:
        said = ", ".join(map(repr, empty[:10])) + (", …" if len(empty) > 10 else "")
        raise SurveyError(
            f"items: {len(empty)} of {len(found)} have no answer among {len(survey):,} respondents: {said}; leave them out."
        )
    return found


def default_items(survey: Survey, without: str) -> list[str]:
    """Outcomes, drivers and touchpoints that have answers.

    Raises
    ------
    SurveyError
        If the survey has no such roles.
    """
    roles = [survey.roles.outcomes, survey.roles.drivers]
    items = [i for role in roles for group in role.values() for i in group]
    items += [t.item for t in survey.roles.touchpoints]
    known = [i for i in dict.fromkeys(items) if i in survey.data.columns and i != without]
    answered = [i for i in known if survey.data.loc[survey.domain, i].notna().any()]
    if not answered:
        raise SurveyError("items: the survey declares no outcomes, drivers or touchpoints; name the items to compare.")
    return answered


def _question(survey: Survey, item: str) -> Question:
    if item in ("nps", "csat") and not survey.has(item):
        return Question(item, (score(survey, item),), (None,))
    if not _categorical(survey, item):
        scored = score(survey, item)
        seen = scored.values[np.isfinite(scored.values)]
        if seen.size and np.isin(seen, (0.0, 1.0)).all() and survey.scale(item) in (None, (0, 1)):
            scored = Score(item, scored.values, "share", scored.labels, scored.higher_is_better)
        return Question(item, (scored,), (None,))
    column = survey.column_of(item)
    codes = answer_codes(survey, column)
    answers = pd.Index(codes).get_indexer(survey.data[column])
    known = answers >= 0
    scores = tuple(
        Score(item, np.where(known, (answers == a).astype(float), np.nan), "share", names(survey, item))
        for a in range(len(codes))
    )
    kept = slice(0, 1) if len(codes) == 2 else slice(None)  # of two answers one says it all
    return Question(item, scores[kept], tuple(codes[kept]), answers)


def _categorical(survey: Survey, item: str) -> bool:
    """Whether an item is compared by shares: texts, nominal codes, labelled codes that are no scale."""
    if len(survey.items_of(item)) > 1:
        return False
    column = survey.column_of(item)
    known = survey.codebook.items.get(column)
    series = survey.data[column]
    if not pd.api.types.is_numeric_dtype(series):
        declared = known and (known.scale or any(isinstance(c, float) for c in known.values))
        return not declared and not pd.api.types.is_datetime64_any_dtype(series)
    if known is None or known.scale is not None:
        return False
    labelled = bool(known.values) and set(series.dropna().unique()) <= set(known.values)
    return known.measure == "nominal" or (known.measure == "unknown" and labelled)


def levels(design: Design, values: FloatArray, groups: Groups, *, classic: bool) -> Levels:
    """Means and variances of one score in every group.

    Parameters
    ----------
    design : Design
    values : array, shape (rows,)
    groups : Groups
    classic : bool
        Independent respondents without a declared design: textbook variances with n − 1 per group.
    """
    count = len(groups.codes)
    member = np.where(np.isfinite(values), groups.member, -1)
    rows = np.flatnonzero(member >= 0)
    own, x, w = member[rows], values[rows], design.weights[rows]

    def sums(each: FloatArray) -> FloatArray:
        return np.bincount(own, each, count)

    base, total = np.bincount(own, minlength=count), sums(w)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums(w * x) / total
        deviation = x - mean[own]
        plain = sums(w * deviation**2) / total
        inflate = base / np.where(base > 1, base - 1, np.nan)
        influence = np.zeros((2, len(values)))
        influence[0, rows] = w * deviation / total[own]
        influence[1, rows] = w * (deviation**2 - plain[own]) / total[own] * inflate[own]
        influence = np.nan_to_num(influence)
        if classic:
            joint = _independent(influence[:, rows], own, np.nan_to_num(inflate))
        else:
            joint = grouped_covariance(design, influence, member, count)
        kish = np.where(total > 0, total**2 / sums(w**2), 0.0)
        variance = np.diagonal(joint)[:count]
        known = (variance > 0) & (base > 1)
        effective = np.where(known, base * plain / np.maximum(base - 1, 1) / variance, kish)
    found = Estimates(mean, joint[:count, :count], base, effective, kish, _domain_df(design, member, count))
    return Levels(found, plain * inflate, joint, member)


def _independent(influence: FloatArray, own: np.ndarray, inflate: FloatArray) -> FloatArray:
    """Covariance of two statistics per group where respondents are independent, shape (2k, 2k)."""
    k = len(inflate)
    out, at = np.zeros((2 * k, 2 * k)), np.arange(k)
    for a in range(2):
        for b in range(2):
            out[a * k + at, b * k + at] = np.bincount(own, influence[a] * influence[b], k) * inflate
    return out


def _domain_df(design: Design, member: np.ndarray, count: int) -> FloatArray:
    units, strata = members(design, member, count)
    return np.maximum(np.asarray(units.sum(axis=0)) - strata.sum(axis=0), 1.0)
