"""Where the constructs of a path diagram stand: columns from causes to effects, rows with few crossings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, product

Edge = tuple[str, str]
_PASSES = 6
_SMALL = 12  # constructs up to which pairs of them are tried as well
_ACROSS = 5  # columns that fit beside each other; of more, two neighbours share one
_CLEAR = 0.6  # rows that a straight arrow keeps from a construct that it passes


@lru_cache(maxsize=64)
def placed(edges: tuple[Edge, ...]) -> dict[str, tuple[int, int]]:
    """Column and row of each construct.

    Examples
    --------
    >>> placed((("experience", "emotion"), ("experience", "behaviour"), ("emotion", "behaviour")))
    {'experience': (0, 0), 'emotion': (1, 1), 'behaviour': (2, 0)}
    """
    columns = _columns(edges)
    if max(columns.values()) >= _ACROSS:
        columns = {name: column // 2 for name, column in columns.items()}
    wide = max(list(columns.values()).count(c) for c in columns.values())
    rows = range(max(wide + 1, 3 if len(columns) > 3 else 2))
    at = _started(columns, len(rows))
    for _ in range(_PASSES):
        before = dict(at)
        for one in columns:
            best = min(rows, key=lambda r: (_cost(edges, columns, at | {one: r}), r != at[one], r))
            at[one] = best
        for one, other in (
            combinations(columns, 2) if len(columns) <= _SMALL else ()
        ):  # two constructs may have to move together
            choices = [at | {one: a, other: b} for a, b in product(rows, rows)]
            at = min([at, *choices], key=lambda c: _cost(edges, columns, c))
        if at == before:
            break
    least = min(at.values())
    return {n: (columns[n], at[n] - least) for n in columns}


def _columns(edges: Sequence[Edge]) -> dict[str, int]:
    """One to the right of the last of what leads to it; a first cause stands just before what it leads to."""
    names = list(dict.fromkeys(n for edge in edges for n in edge))
    out = dict.fromkeys(names, 0)
    for _ in names:
        for start, end in edges:
            out[end] = max(out[end], out[start] + 1)
    caused = {end for _, end in edges}
    for name in names:
        if name not in caused:
            out[name] = min(out[end] for start, end in edges if start == name) - 1
    return dict(sorted(out.items(), key=lambda pair: pair[1]))


def _started(columns: dict[str, int], rows: int) -> dict[str, int]:
    seen: dict[int, int] = {}
    at = {}
    for name, column in columns.items():
        at[name] = min(seen.get(column, 0), rows - 1)
        seen[column] = at[name] + 1
    return at


def _cost(edges: Sequence[Edge], columns: dict[str, int], at: dict[str, int]) -> float:
    """Constructs on one another count most, then arrows through constructs, crossings, and length."""
    cost = 100.0 * sum(columns[a] == columns[b] and at[a] == at[b] for a, b in combinations(columns, 2))
    for start, end in edges:
        span = columns[end] - columns[start]
        cost += 0.3 * abs(at[end] - at[start])
        for name, column in columns.items():
            if not span:
                cost += 8.0 * (
                    column == columns[start] and min(at[start], at[end]) < at[name] < max(at[start], at[end])
                )
            elif columns[start] < column < columns[end]:
                height = at[start] + (at[end] - at[start]) * (column - columns[start]) / span
                cost += 8.0 * (abs(height - at[name]) < _CLEAR)
    for (a, b), (c, d) in combinations(edges, 2):
        if columns[a] == columns[c] and columns[b] == columns[d]:
            cost += 2.0 * ((at[a] - at[c]) * (at[b] - at[d]) < 0)
    return cost + 0.01 * sum(at.values())
