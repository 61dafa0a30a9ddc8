"""codebook.csv: labels, scales and value labels by item, checked line by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from cxlab.errors import nearest
from cxlab.items import FILE
from cxlab.study._locate import Problem
from cxlab.study._schema import ItemPart

COLUMNS = ("item", "label_en", "label_zh", "scale_low", "scale_high", "higher_is_better", "values")
_YES_NO = {"": None, "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_codebook(path: Path, encoding: str) -> tuple[dict[str, ItemPart], dict[str, int], list[Problem]]:
    """Read a codebook.

    Returns
    -------
    parts : mapping of item to ItemPart
    lines : mapping of item to its line in the file
    problems : list of Problem
    """
    name = path.name
    try:
        text = path.read_bytes().decode(encoding)
    except (UnicodeDecodeError, LookupError):
        said = f"is not {encoding.removesuffix('-sig').upper()} text; save it as CSV UTF-8, or name its encoding under reader:."
        return {}, {}, [Problem(name, 0, said)]
    rows = csv.DictReader(io.StringIO(text))
    head = [h.strip() for h in rows.fieldnames or []]
    rows.fieldnames = head
    problems = [Problem(name, 1, said) for said in _head_faults(head)]
    if "item" not in head:
        return {}, {}, problems
    parts: dict[str, ItemPart] = {}
    lines: dict[str, int] = {}
    for row in rows:
        cells = {k: (v or "").strip() for k, v in row.items() if isinstance(k, str) and not isinstance(v, list)}
        item, line = cells["item"], rows.line_num
        if not any(cells.values()):
            continue
        if not item or item in lines:
            said = f"{item!r} stands here a second time (first on line {lines[item]})" if item else "the item is empty"
            problems.append(Problem(name, line, f"{said}."))
            continue
        lines[item] = line
        parts[item], faults = _part(cells)
        problems += [Problem(name, line, f"{item}: {said}.") for said in faults]
    return parts, lines, problems


def _head_faults(head: list[str]) -> Iterator[str]:
    if "item" not in head:
        yield f"has no column 'item'; it has: {', '.join(head) or 'nothing'}{nearest('item', head)}."
    for column in head:
        if column not in COLUMNS and (hint := nearest(column, [c for c in COLUMNS if c not in head])):
            yield f"column {column!r} is not known{hint}."


def _part(cells: dict[str, str]) -> tuple[ItemPart, list[str]]:
    faults: list[str] = []
    labels = {k: cells[c] for k, c in (("en", "label_en"), ("zh", "label_zh")) if cells.get(c)}
    scale = None
    if ends := [cells[c] for c in ("scale_low", "scale_high") if cells.get(c)]:
        try:
            low, high = map(float, ends)
            if not low < high:
                raise ValueError
            scale = (low, high)
        except ValueError:
            faults.append(f"the scale is {' to '.join(ends)}; scale_low and scale_high are two numbers, low first")
    better = cells.get("higher_is_better", "").casefold()
    if better not in _YES_NO:
        faults.append(f"higher_is_better is {better!r}; allowed: true, false")
    values = {}
    for entry in filter(None, map(str.strip, cells.get("values", "").split(";"))):
        code, sign, texts = (t.strip() for t in entry.partition("="))
        if not (code and sign and texts):
            faults.append(f"values holds {entry!r}; write 1=gold|金卡; 2=plain|普通卡")
            continue
        english, bar, chinese = (t.strip() for t in texts.partition("|"))
        values[_code(code)] = {k: t for k, t in (("en", english), ("zh", chinese)) if t} if bar else {FILE: english}
    return ItemPart.model_construct(
        labels=labels, values=values, scale=scale, higher_is_better=_YES_NO.get(better), measure=None
    ), faults


def _code(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
