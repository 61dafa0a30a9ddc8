"""Finder of the columns that divide respondents into groups."""

from __future__ import annotations

from cxlab.draft import vocabulary as v
from cxlab.draft.columns import Column
from cxlab.draft.found import File, is_rating
from cxlab.draft.wording import Bilingual, why

MOST_GROUPS, MOST_SEGMENTS, SMALLEST = 12, 8, 10
ASKED = 0.8  # share of respondents who must be in a group
BANDS = ((None, 34), (35, 54), (55, None))


def find_segments(file: File) -> None:
    """Take groups: columns that are called like a demographic, then labelled ones; age in three bands."""
    found: list[tuple[int, str, bool, Bilingual]] = []
    for column in file.free():
        if is_rating(column) or not _groups(column):
            continue
        groups = len(column.distinct)
        named = v.DEMOGRAPHIC.search(v.spaced(column.name))
        labelled = column.item.kind == "text" or set(column.distinct) <= set(column.labelled)
        if named:
            told = {k: why("segment_demographic", groups=groups, reason=why("name")[k])[k] for k in ("en", "zh")}
            found.append((0 if labelled else 1, column.name, labelled, told))
        elif v.DEMOGRAPHIC.search(column.label) and labelled:
            found.append((2, column.name, False, why("segment_groups", groups=groups)))
        elif column.answered < ASKED * file.rows:
            continue  # a question for some is no group of all
        elif labelled and column.item.kind == "number" and column.item.measure != "scale":
            found.append((3, column.name, False, why("segment_groups", groups=groups)))
        elif column.item.measure == "nominal":
            found.append((4, column.name, False, why("segment_plain", groups=groups)))
    found.sort(key=lambda f: f[0])
    for _, name, sure, reason in found[:MOST_SEGMENTS]:
        file.add("segments", name, sure, reason, [name])
    _age_bands(file)


def _groups(column: Column) -> bool:
    """Tell whether a column has 2 to 12 groups, two of them of ten respondents or more."""
    if column.item.kind not in ("number", "text") or not 2 <= len(column.distinct) <= MOST_GROUPS:
        return False
    if column.item.kind == "number" and not column.whole:
        return False
    if column.item.kind == "text" and max(len(str(t)) for t in column.distinct) > 40:
        return False
    return int((column.values.value_counts() >= SMALLEST).sum()) >= 2


def _age_bands(file: File) -> None:
    """Recode years of age into three bands."""
    for column in file.free():
        if not column.whole or not v.AGE.search(v.spaced(column.name)) or len(column.distinct) <= MOST_GROUPS:
            continue
        if not (column.distinct[0] >= 10 and column.values.quantile(0.99) <= 100) or "age_group" in file.columns:
            continue
        bands = [{k: e for k, e in (("low", low), ("high", high)) if e is not None} for low, high in BANDS]
        file.add("recoded.age_group", {"from": column.name, "bands": bands}, False, why("age_bands"), [column.name])
        file.add("segments", "age_group", False, why("age_bands"))
        return
