"""Who left for want of an answer, and whether an outcome was said or done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cxlab.items import in_order
from cxlab.metrics import Cells, names, unplaced, value_names
from cxlab.quality.wording import reason_label
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note

_MOST_LISTED = 4


def lost_notes(survey: Survey, asked: Sequence[str], kept: np.ndarray) -> tuple[Note, ...]:
    """Say how many left, for which reasons, and which waves nobody has followed up yet.

    Parameters
    ----------
    survey : Survey
    asked : list of str
        Columns or roles without an answer to which a respondent leaves; the last is the outcome.
    kept : bool array, shape (rows,)

    Returns
    -------
    tuple of Note
    """
    inside = survey.domain & (survey.weights > 0)
    lost = inside & ~kept
    count = int(lost.sum())
    if not count:
        return ()
    share = float(survey.weights[lost].sum() / survey.weights[inside].sum())
    reasons = (note for name in asked for note in _reasons(survey, name, inside))
    return (Note(_LOST, lost=count, share=share), *reasons, *_unfollowed(survey, asked[-1], inside))


def _reasons(survey: Survey, name: str, inside: np.ndarray) -> tuple[Note, ...]:
    """Why answers to an item are missing, where the file says so."""
    items = survey.items_of(name)
    if len(items) > 1 or items[0] not in survey.missing_reasons:
        return ()
    column = items[0]
    counts = survey.missing_reasons[column][inside].value_counts().sort_index()
    declared = survey.codebook[column].missing
    said = {code: declared.get(code, "user-missing") for code in counts.index}
    listed = {
        lang: ("; " if lang == "en" else "；").join(f"{reason_label(said[c], lang)} {n:,}" for c, n in counts.items())
        for lang in LANGUAGES
    }
    return (Note(_REASONS, item=names(survey, name), listed=listed),) if len(counts) else ()


def _unfollowed(survey: Survey, outcome: str, inside: np.ndarray) -> tuple[Note, ...]:
    """Waves of which no outcome is known at all: a behaviour that still lies ahead."""
    wave = survey.roles.wave
    if wave is None or wave not in survey.data:
        return ()
    known = np.isfinite(survey.values(outcome))
    series = survey.data[wave]
    followed = set(series[inside & known].dropna().unique().tolist())
    empty = [c for c in in_order(series[inside].dropna().unique().tolist()) if c not in followed]
    if not empty or not followed:
        return ()
    labels = [value_names(survey, wave, c) for c in empty]
    few = len(labels) <= _MOST_LISTED
    said = {
        lang: (", " if lang == "en" else "、").join(w[lang] for w in labels) if few
        else f"{labels[0][lang]} … {labels[-1][lang]}"
        for lang in LANGUAGES
    }  # fmt: skip
    count = int((inside & series.isin(empty).to_numpy()).sum())
    return (Note(_UNFOLLOWED, waves=said, count=count, item=names(survey, outcome)),)


def group_note(survey: Survey, groups: Mapping[Any, np.ndarray]) -> tuple[Mapping[str, str], ...]:
    """Count the respondents who belong to no group."""
    if None in groups:
        return ()
    return unplaced(survey, Cells([], np.column_stack(list(groups.values())), {}))


def intention_note(survey: Survey, loyalty: str, binary: bool) -> tuple[Note, ...]:
    """Say that an intention is no behaviour, where loyalty is a rating."""
    return () if binary or survey.scale(loyalty) is None else (Note(_INTENTION, item=names(survey, loyalty)),)


_LOST = {
    "en": "{lost:,} respondents ({share:.1%} of the weight) with a missing answer are left out.",
    "zh": "{lost:,} 名受访者（占权重 {share:.1%}）因有缺失回答未纳入。",
}
_REASONS = {
    "en": "Why “{item}” is missing: {listed}.",
    "zh": "“{item}”缺失的原因：{listed}。",
}
_UNFOLLOWED = {
    "en": "“{item}” is not known of any of the {count:,} respondents of {waves}, who have probably not been followed long enough; they "
    "are left out, not counted as 0.",
    "zh": "{waves} 的 {count:,} 名受访者均无“{item}”的记录，很可能是跟踪时间不足；这些受访者未纳入分析，也未按 0 计。",
}
_INTENTION = {
    "en": "“{item}” is what customers say, not what they do: the same intention is followed by different behaviour in different groups, and "
    "its link to satisfaction has another shape (Mittal & Kamakura 2001). Take recorded behaviour where there is any.",
    "zh": "“{item}”是顾客的意向而非实际行为：同样的意向在不同群体中兑现为行为的程度不同，与满意度的关系形状也不同"
    "（Mittal & Kamakura 2001）。如有实际行为记录，应以行为为准。",
}
