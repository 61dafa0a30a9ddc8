"""Checks that flag respondents: duplicates, straight-liners, speeders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError
from cxlab.items import Item
from cxlab.quality.finding import Found, flag, numeric, plain
from cxlab.quality.wording import HONEST, NEEDS, NO_ID, fill
from cxlab.survey import Survey

MIN_BATTERY = 6  # answers that must be alike before anybody is called a straight-liner
SPEED = 1 / 3  # of the median duration


def duplicates(survey: Survey) -> Found:
    """Find respondent ids that occur more than once within a wave."""
    who, wave = survey.roles.respondent, survey.roles.wave
    if who is None or who not in survey.data.columns:
        return Found("duplicates", needs=NEEDS["duplicates"])
    keys = [who] if wave is None or wave not in survey.data.columns else [who, wave]
    rows = survey.data.loc[survey.domain, keys]
    rows = rows[rows[who].notna() & (rows[who].astype(str).str.strip() != "")]
    twice = rows[rows.duplicated(keep=False)]
    ids, base = len(twice.drop_duplicates()), len(rows.drop_duplicates())
    without = len(survey) - len(rows)
    note = fill(NO_ID, n=f"{without:,}", column=who) if without else None
    facts = {"within_wave": len(keys) == 2, "interviews": len(twice)}
    return Found("duplicates", base, ids, flag(twice.index, who, survey.data[who]), note=note, facts=facts)


def straight_lining(survey: Survey, battery: Sequence[str] | None) -> Found:
    """Find respondents who gave at least six answers in a battery, all the same."""
    items, touchpoints = _battery(survey, battery)
    if len(items) < MIN_BATTERY:
        return Found("straight_lining", needs=NEEDS["straight_lining"])
    answers = survey.data.loc[survey.domain, items].to_numpy(dtype=float, na_value=np.nan)
    enough = np.isfinite(answers).sum(axis=1) >= MIN_BATTERY
    answers, rows = answers[enough], survey.data.index[survey.domain][enough]
    if not len(rows):
        return Found("straight_lining", facts={"items": len(items), "touchpoints": touchpoints, "at_ends": 0})
    low, high = np.nanmin(answers, axis=1), np.nanmax(answers, axis=1)
    alike = low == high
    ends = survey.scale(items[0]) or (low.min(), high.max())
    flags = pd.DataFrame({"row": rows[alike], "item": ", ".join(items), "value": [plain(v) for v in low[alike]]})
    facts = {"items": len(items), "touchpoints": touchpoints, "at_ends": int(np.isin(low[alike], ends).sum())}
    note = HONEST if alike.any() else None
    return Found("straight_lining", len(rows), int(alike.sum()), flags, facts=facts, note=note)


def _battery(survey: Survey, battery: Sequence[str] | None) -> tuple[list[str], bool]:
    """Items of the battery that share its commonest scale, and whether they are the touchpoints."""
    touched = [t.item for t in survey.roles.touchpoints]
    if battery is not None:
        items = _one_scale(survey, _given(survey, battery))
        return items, set(items) <= set(touched)
    drivers = [i for items in survey.roles.drivers.values() for i in items]
    for names in (list(survey.roles.battery), touched, drivers):
        alike = _one_scale(survey, [i for i in dict.fromkeys(names) if numeric(survey, i)])
        if len(alike) >= MIN_BATTERY:
            return alike, set(alike) <= set(touched)
    return [], False


def _given(survey: Survey, battery: Sequence[str]) -> list[str]:
    survey.require("battery", battery)
    items = list(dict.fromkeys(c for name in battery for c in survey.items_of(name)))
    text = [c for c in items if not numeric(survey, c)]
    if text:
        raise SurveyError(
            f"battery names {len(text)} column(s) that hold no numbers: {', '.join(map(repr, text[:5]))}; "
            "straight-lining compares rating items."
        )
    if len(items) < MIN_BATTERY:
        raise SurveyError(
            f"battery has {len(items)} items; straight-lining needs at least {MIN_BATTERY}, because fewer answers "
            "are often alike honestly."
        )
    return items


def _one_scale(survey: Survey, items: list[str]) -> list[str]:
    scales = {i: survey.scale(i) for i in items}
    common = Counter(scales.values()).most_common(1)
    return [i for i in items if scales[i] == common[0][0]]


_DURATION = re.compile(
    r"duration\W{0,3}(in\W)?(sec|min)"
    r"|(interview|survey|response|completion|questionnaire)[ _.-]?(time|duration|length|seconds|minutes)$"
    r"|^(loi|total[ _.-]?time|time[ _.-]?total)$|答题(时长|用时|时间)|(问卷|作答|填写).{0,4}(时长|用时)",
    re.IGNORECASE,
)


def speeders(survey: Survey) -> Found:
    """Find respondents who took less than a third of the median time."""
    items = survey.codebook.items
    columns = [c for c in survey.data.columns if numeric(survey, c) and _is_duration(c, items.get(c))]
    if not columns:
        return Found("speeders", needs=NEEDS["speeders"])
    seconds = survey.data.loc[survey.domain, columns[0]]
    seconds = seconds[seconds > 0]
    median = float(seconds.median()) if len(seconds) else float("nan")
    fast = seconds.index[seconds < SPEED * median]
    flags = flag(fast, columns[0], survey.data[columns[0]])
    return Found("speeders", len(seconds), len(fast), flags, facts={"median": median, "limit": SPEED * median})


def _is_duration(name: str, item: Item | None) -> bool:
    """Tell how long the interview took; a bare "duration" may be that of the visit."""
    return any(_DURATION.search(t.strip()) for t in (name, *(item.labels.values() if item else ())))
