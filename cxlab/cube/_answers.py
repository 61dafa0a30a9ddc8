"""Answers: how often each answer is given per cell and under every replicate, so that a slider knows who can still move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import pandas as pd

from cxlab.cube._sums import Placed
from cxlab.replicates import Dealt
from cxlab.scenarios import Answers
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, eq=False)
class Coded:
    """Answers to one item as places among the distinct ones.

    Attributes
    ----------
    values : array, shape (m,)
        Ascending.
    code : unsigned int array, shape (rows,)
        Unused where the answer is missing.
    ends : (float, float)
        Of the response scale: as declared, or as seen among all respondents.
    """

    values: FloatArray
    code: np.ndarray
    ends: tuple[float, float]

    @classmethod
    def of(cls, survey: Survey, item: str, column: FloatArray, center: float) -> Coded:
        """Code a column that is held about a constant."""
        code, known = pd.factorize(column, sort=True)
        values = center + known
        ends = survey.scale(item) if survey.has(item) else None
        if ends is None:
            seen = survey.values(item) if survey.has(item) else values
            ends = float(np.nanmin(seen)), float(np.nanmax(seen))
        return cls(values, np.maximum(code, 0).astype(np.min_scalar_type(len(values))), ends)


class AnswerView(Protocol):
    """Weights of the answers of the complete rows of some columns, for any cells."""

    def weights(self, inside: np.ndarray) -> FloatArray:
        """Under the sample's weights and each replicate, shape (1 + replicates, answers of all items)."""

    @property
    def bytes(self) -> int:
        """Bytes held."""


@dataclass(frozen=True, eq=False)
class AnswerRows:
    """The rows themselves, where there are fewer of them than numbers in a table."""

    rows: Placed
    codes: Sequence[np.ndarray]
    sizes: Sequence[int]
    dealt: Dealt

    def weights(self, inside: np.ndarray) -> FloatArray:
        kept = np.flatnonzero(inside[self.rows.cell])
        codes = self.codes if len(kept) == len(self.rows) else [code[kept] for code in self.codes]
        rows = self.rows if len(kept) == len(self.rows) else self.rows.take(kept)
        return _tabulated(rows, np.zeros(len(rows), dtype=np.intp), 1, codes, self.sizes, self.dealt)[0]

    @property
    def bytes(self) -> int:
        return self.rows.bytes + sum(code.nbytes for code in self.codes)


@dataclass(frozen=True, eq=False)
class AnswerTable:
    """Weights per cell, in order of ``cells``; shape (cells, 1 + replicates, answers of all items)."""

    table: FloatArray
    cells: IntArray
    total: FloatArray

    def weights(self, inside: np.ndarray) -> FloatArray:
        chosen = inside[self.cells]
        few = 2 * chosen.sum() <= len(chosen)
        added = self._added(chosen if few else ~chosen)
        return added if few else self.total - added

    def _added(self, chosen: np.ndarray) -> FloatArray:
        out = np.zeros(self.total.shape)
        for first, last in _runs(chosen):
            out += np.add.reduce(self.table[first:last], axis=0)
        return out

    @property
    def bytes(self) -> int:
        return self.table.nbytes


def _runs(chosen: np.ndarray) -> list[tuple[int, int]]:
    """First and last + 1 of each run of True."""
    edges = np.flatnonzero(np.diff(np.r_[False, chosen, False].astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def answer_view(rows: Placed, coded: Sequence[Coded], dealt: Dealt, most_bytes: int) -> AnswerView:
    """Tabulate the answers of complete rows, or keep the rows where there are fewer.

    Parameters
    ----------
    rows : Placed
        Without columns.
    coded : sequence of Coded
        Of the same rows.
    dealt : Dealt
    most_bytes : int
        No larger table is made.
    """
    sizes = [len(c.values) for c in coded]
    codes = [c.code for c in coded]
    cells = np.flatnonzero(np.bincount(rows.cell))
    slots = len(dealt.scale) + 1
    if len(rows) < len(cells) * slots or 8 * len(cells) * slots * sum(sizes) > most_bytes:
        return AnswerRows(rows, codes, sizes, dealt)
    table = _tabulated(rows, np.searchsorted(cells, rows.cell), len(cells), codes, sizes, dealt)
    return AnswerTable(table, cells, table.sum(axis=0))


def _tabulated(
    rows: Placed, at: IntArray, cells: int, codes: Sequence[np.ndarray], sizes: Sequence[int], dealt: Dealt
) -> FloatArray:
    """Weights of answers per cell, shape (cells, 1 + replicates, answers).

    A row counts ``others`` of its stratum in all replicates and ``own`` in that of its own group: sums by stratum times
    ``others``, plus sums by group of own − others, are all replicates at once.
    """
    groups = dealt.own.shape[1]
    out = np.zeros((cells, 1 + groups, sum(sizes)))
    pair, known = pd.factorize(at * len(dealt.own) + rows.stratum, sort=True)
    cell, stratum = np.divmod(known, len(dealt.own))
    entry = at * groups + rows.group
    moved = rows.weights * (dealt.own - dealt.others)[rows.stratum, rows.group]
    sums = np.empty((len(known), sum(sizes)))
    start = 0
    for code, size in zip(codes, sizes, strict=True):
        part = slice(start, start + size)
        sums[:, part] = np.bincount(pair * size + code, rows.weights, len(known) * size).reshape(-1, size)
        out[:, 1:, part] = np.bincount(entry * size + code, moved, cells * groups * size).reshape(cells, groups, size)
        start += size
    bounds = np.searchsorted(cell, np.arange(cells + 1))
    for c, (low, high) in enumerate(pairwise(bounds)):
        out[c, 1:] += dealt.others[stratum[low:high]].T @ sums[low:high]
        out[c, 0] = sums[low:high].sum(axis=0)
    return out


def as_answers(weights: FloatArray, coded: Sequence[Coded]) -> list[Answers]:
    """Cumulate the weights of several items, shape (1 + replicates, answers of all items)."""
    stops = np.cumsum([0, *(len(c.values) for c in coded)])
    return [
        Answers.of(c.values, np.ascontiguousarray(weights[:, a:b]), *c.ends)
        for c, (a, b) in zip(coded, pairwise(stops), strict=True)
    ]
