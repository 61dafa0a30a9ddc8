"""Finders of the outcomes: satisfaction, recommendation, effort, repurchase intention."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from cxlab.draft import vocabulary as v
from cxlab.draft.columns import Column
from cxlab.draft.found import File, because, listed
from cxlab.draft.wording import Bilingual, why


def find_outcomes(file: File, outcome: Sequence[str] = ()) -> None:
    """Take satisfaction, recommendation, effort and repurchase intention."""
    if outcome:
        _add_outcome(file, "satisfaction", list(outcome), True, why("named_outcome"))
    ecsi = _ecsi(file)
    if ecsi:
        _ecsi_outcomes(file, ecsi)
    for role in ("satisfaction", "recommend", "effort", "repurchase"):
        if file.value(f"outcomes.{role}") is None:
            _find_outcome(file, role)
        if role == "satisfaction" and file.value("outcomes.satisfaction") is None:
            _satisfaction_run(file)


def _find_outcome(file: File, role: str) -> None:
    words = v.OUTCOMES[role]
    found = []
    for column in file.ratings():
        where = v.says(words, column.name, column.label)
        if where and not v.DERIVED.search(v.spaced(column.name)) and not _aside(column):
            exact = column.name.casefold() == role
            found.append(((exact, where == "name", _span(column), -len(column.label)), column, where))
    if not found:
        return
    best = max(found, key=lambda f: f[0])
    others = [c.name for _, c, _ in found if c is not best[1]]
    _, column, where = best
    reason: Bilingual = because(where, column)
    if others:
        reason = {k: why("several", reason=reason[k], others=listed(others, 4))[k] for k in reason}
    sure = (where == "name" or role in ("satisfaction", "recommend")) and not others
    if role == "recommend":
        sure, reason = _recommend(file, column, sure, reason)
    better = None
    if role == "effort":
        better = bool(v.EASY.search(column.label))
        reason = {k: why("effort_easy" if better else "effort", reason=reason[k])[k] for k in reason}
        sure = False
    _add_outcome(file, role, [column.name], sure, reason, better)


def _recommend(file: File, column: Column, sure: bool, reason: Bilingual) -> tuple[bool, Bilingual]:
    low, high = column.scale or (0, 0)
    if (low, high) == (1, 10) and not column.from_labels and re.search(r"\bnps\b", v.spaced(column.name)):
        file.columns[column.name] = replace(column, scale=(0.0, 10.0), as_others=True)
        seen = {"low": column.distinct[0], "high": column.distinct[-1]}
        return False, {k: why("recommend_no_zero", reason=reason[k], **seen)[k] for k in reason}
    if (low, high) == (0, 10):
        return sure, {k: why("recommend_sure", reason=reason[k])[k] for k in reason}
    return False, {k: why("recommend_scale", reason=reason[k], low=low, high=high)[k] for k in reason}


def _span(column: Column) -> float:
    return column.scale[1] - column.scale[0] if column.scale else 0.0


def _aside(column: Column) -> bool:
    """Tell expectations, emotions and stated importance from ratings of what was met."""
    words = (v.EXPECTATION, v.IMPORTANCE)
    negative = column.scale is not None and column.scale[0] < 0
    return (
        negative
        or any(v.says(w, column.name, column.label) for w in words)
        or bool(v.EMOTION.name.search(v.spaced(column.name)))
    )


def _satisfaction_run(file: File) -> None:
    """Items named CUSA1, CUSA2 … or sat_1, sat_2 …; else the only rating that speaks of satisfaction."""
    runs: dict[str, list[str]] = defaultdict(list)
    for column in file.ratings():
        match = re.fullmatch(r"(\D+?)_?\d+", column.name)
        if match and v.SATISFACTION_STEM.search(match[1].casefold()):
            runs[match[1]].append(column.name)
    runs = {k: names for k, names in runs.items() if 2 <= len(names) <= 4}
    if runs:
        names = next(iter(runs.values()))
        _add_outcome(file, "satisfaction", names, False, why("stem"))
        return
    speak = [c for c in file.ratings() if v.SATISFIED.search(f"{c.name} {c.label}") and not _aside(c)]
    if len(speak) == 1:
        _add_outcome(file, "satisfaction", [speak[0].name], False, why("weak"))


def _add_outcome(
    file: File, role: str, items: list[str], sure: bool, reason: Bilingual, better: bool | None = None
) -> None:
    if role in file.columns and items != [role] and reason != why("named_outcome"):
        return  # that name would mean the column
    value: object = items[0] if len(items) == 1 else items
    if better is not None:
        value = {"items": items, "higher_is_better": better}
    file.add(f"outcomes.{role}", value, sure, reason, items)


def outcome_items(file: File) -> dict[str, list[str]]:
    """Items of each outcome that was found."""
    out = {}
    for guess in file.guesses:
        if guess.key.startswith("outcomes."):
            value = guess.value["items"] if isinstance(guess.value, dict) else guess.value
            out[guess.key.split(".")[1]] = [value] if isinstance(value, str) else list(value)
    return out


# ---------------------------------------------------------------------- the European index
def _ecsi(file: File) -> dict[str, list[str]]:
    """Items by their ECSI stem, if at least three of its constructs are there."""
    found: dict[str, list[str]] = defaultdict(list)
    for column in file.ratings():
        match = re.fullmatch(r"([A-Za-z]+?)_?\d+", column.name)
        if match and match[1].casefold() in v.ECSI:
            found[match[1].casefold()].append(column.name)
    return dict(found) if len(found) >= 3 else {}


def is_ecsi(file: File) -> bool:
    """Tell whether items were recognised as those of the European index."""
    return any(g.why == why("ecsi") for g in file.guesses)


def _ecsi_outcomes(file: File, ecsi: dict[str, list[str]]) -> None:
    reason = why("ecsi")
    if "cusa" in ecsi and file.value("outcomes.satisfaction") is None:
        _add_outcome(file, "satisfaction", ecsi["cusa"], True, reason)
    by_number = {re.sub(r"\D", "", n): n for n in ecsi.get("cusl", [])}
    for role, number in (("recommend", "3"), ("repurchase", "1")):
        if number in by_number:
            told: Bilingual = reason
            if role == "recommend":
                told = _recommend(file, file.columns[by_number[number]], False, reason)[1]
            _add_outcome(file, role, [by_number[number]], False, told)
    file.leave("consequence", [n for n in ecsi.get("cusl", []) if n not in file.used])
    file.leave("expectation", ecsi.get("cuex", []))
    file.leave("summary", [n for n in ecsi.get("perq", []) if n.endswith("1")])  # overall quality
