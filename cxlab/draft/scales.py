"""Finders of what a rating needs to be read: its scale, and the codes that are no answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from cxlab.draft.columns import Column, alike, pooled
from cxlab.draft.found import File
from cxlab.draft.outcomes import is_ecsi, outcome_items
from cxlab.draft.wording import Bilingual, why
from cxlab.readers._missing import reason_of


def find_scales(file: File) -> None:
    """Declare the scales of outcomes and drivers that neither labels nor answers make plain, one for items alike."""
    groups: dict[object, list[Column]] = defaultdict(list)
    for role, names in outcome_items(file).items():
        groups[role] += [file.columns[n] for n in names]
    for name in (n for g in file.guesses if g.key.startswith("drivers.") for n in g.value):
        groups[alike(file.columns[name])].append(file.columns[name])
    ecsi = is_ecsi(file)
    for columns in groups.values():
        scale = pooled(columns)
        sure, reason = _scale_reason(columns, scale, ecsi)
        for column in columns:
            if not scale_is_plain(column) or column.scale != scale:
                file.add(f"items.{column.name}", {"scale": list(scale)}, sure, reason)


def _scale_reason(columns: Sequence[Column], scale: tuple[float, float], ecsi: bool) -> tuple[bool, Bilingual]:
    if any(c.from_labels for c in columns):
        return True, why("scale_labels")
    if ecsi and scale == (1, 10):
        return True, why("scale_ecsi")
    low, high = min(c.distinct[0] for c in columns), max(c.distinct[-1] for c in columns)
    if all(c.as_others for c in columns):
        return False, why("scale_others", low=low, high=high)
    if scale == (1, 10):
        return False, why("scale_no_zero", low=low, high=high)
    return False, why("scale_answers", low=low, high=high)


def scale_is_plain(column: Column) -> bool:
    """Tell whether the labels or the answers leave no doubt about the scale, so that nobody need declare it.

    The same rule as when a study is opened: labels on both ends or on an unbroken run that enclose all answers; else
    every point of 0–10, 1–5, 1–7 or −5…+5 and nothing else in 100 answers.
    """
    if column.item.scale is not None:
        return True
    codes, answers = column.labelled, column.distinct
    if column.from_labels and len(codes) >= 2:
        unbroken = len(codes) in (2, codes[-1] - codes[0] + 1)
        if unbroken and answers[0] >= codes[0] and answers[-1] <= codes[-1]:
            return (codes[0], codes[-1]) == column.scale
    plain = column.scale in ((0, 10), (1, 5), (1, 7), (-5, 5)) and column.answered >= 100
    return plain and np.array_equal(answers, np.arange(column.scale[0], column.scale[1] + 1)) if column.scale else False


# ---------------------------------------------------------------------- codes that are no answers
def find_missing(file: File) -> None:
    """Take codes that are labelled like no answer, or lie outside the scale, and are not declared missing."""
    rated = {i for g in file.guesses for i in _named(g.value)} | {n for names in file.left.values() for n in names}
    codes: dict[float, list[tuple[str, str, bool]]] = defaultdict(list)
    apart = {g.value for g in file.guesses if g.key.split(".")[0] in ("respondent", "wave", "design")}
    for column in (c for n, c in file.columns.items() if n not in apart):
        for code, (reason, labelled) in column.odd.items():
            if labelled or column.name in rated:
                codes[code].append((column.name, reason, labelled))
    for code, found in sorted(codes.items()):
        names = [name for name, _, _ in found]
        means, sure, told = _meaning(file, code, found)
        value: dict[str, object] = {"codes": [code], "means": means}
        if not _means_nothing_else(file, code, names):
            value["items"] = names
        file.add("missing", value, sure, told)


def _meaning(file: File, code: float, found: Sequence[tuple[str, str, bool]]) -> tuple[str, bool, Bilingual]:
    """What a code means: by its labels, by what other items declare, else by habit."""
    labelled = Counter(reason for _, reason, said in found if said)
    if labelled:
        return labelled.most_common(1)[0][0], True, why("missing_label")
    declared = Counter(c.item.missing[code] for c in file.columns.values() if code in c.item.missing)
    if declared:
        said = declared.most_common(1)[0][0]
        return reason_of(said) or said, True, why("missing_elsewhere")
    return found[0][1], False, why("missing_code")


def _named(value: object) -> list[str]:
    if isinstance(value, dict):
        value = value.get("items", [])
    return (
        [value]
        if isinstance(value, str)
        else [v for v in value if isinstance(v, str)]
        if isinstance(value, list)
        else []
    )


def _means_nothing_else(file: File, code: float, names: list[str]) -> bool:
    """Tell whether a code can be declared for all items: in no other column could it be an answer."""
    for column in file.columns.values():
        if column.name in names or not column.numeric or code in column.item.missing:
            continue
        labelled = column.labelled
        near = len(labelled) >= 2 and labelled[0] - 1 <= code <= labelled[-1] + 1
        if near or code in column.distinct:
            return False
    return True
