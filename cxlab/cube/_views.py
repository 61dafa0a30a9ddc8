"""Views: the complete rows of some columns, as tables of moments per cell or as the rows themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from cxlab.cube._sums import Placed, add_replicate_sums, places, size_of
from cxlab.replicates import Dealt

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]
_STEP = 1 << 15  # rows between two reports of progress


class View(Protocol):
    """Moments of the complete rows of some columns, for any cells."""

    def sums(self, inside: np.ndarray) -> FloatArray:
        """Moments under each replicate and, last, the weights, shape (size_of(k), replicates + 1)."""

    def bases(self, inside: np.ndarray) -> tuple[int, float]:
        """Rows, and the sum of their squared weights."""

    def units(self, inside: np.ndarray) -> Iterator[IntArray]:
        """PSUs of the rows, some at a time."""

    @property
    def bytes(self) -> int:
        """Bytes held beyond the rows that all views share."""


@dataclass(frozen=True, eq=False)
class Table:
    """Moments per cell.

    Attributes
    ----------
    moments : array, shape (size_of(k), cells here, replicates + 1)
    cells : int array, shape (cells here,)
        Their numbers, in order.
    base, squares : array, shape (cells here,)
        Rows and Σw².
    """

    moments: FloatArray
    cells: IntArray
    base: IntArray
    squares: FloatArray


def tabulate(rows: Placed, dealt: Dealt, into: Table, tick: Callable[[int], None]) -> None:
    """Add complete rows, in the order of cells, strata and groups, to a table that has their cells.

    ``tick`` is told of rows as they are done.
    """
    at = np.searchsorted(into.cells, rows.cell)
    into.base[:] += np.bincount(at, minlength=len(into.cells))
    into.squares[:] += np.bincount(at, rows.weights**2, minlength=len(into.cells))
    bounds = np.append(np.arange(0, len(rows), _STEP), len(rows))
    for low, high in pairwise(bounds):
        add_replicate_sums(rows.take(slice(low, high)), dealt, into.moments, at[low:high])
        tick(int(high - low))


def empty_table(cells: IntArray, columns: int, replicates: int) -> Table:
    """A table of zeros."""
    shape = (size_of(columns), len(cells), replicates + 1)
    return Table(np.zeros(shape), cells, np.zeros(len(cells), dtype=np.intp), np.zeros(len(cells)))


def runs(values: IntArray) -> list[tuple[int, int]]:
    """First and last + 1 of each run of equal values."""
    edges = np.flatnonzero(np.r_[True, np.diff(values) != 0, True]) if len(values) else np.zeros(1, dtype=np.intp)
    return [(int(a), int(b)) for a, b in pairwise(edges)]


@dataclass(frozen=True, eq=False)
class RowView:
    """The complete rows themselves, in the order of strata and groups."""

    rows: Placed
    dealt: Dealt

    def sums(self, inside: np.ndarray) -> FloatArray:
        rows = self._chosen(inside)
        out = np.zeros((size_of(len(rows.columns)), 1, self.dealt.own.shape[1] + 1))
        add_replicate_sums(rows, self.dealt, out, np.zeros(len(rows), dtype=np.intp))
        return out[:, 0]

    def bases(self, inside: np.ndarray) -> tuple[int, float]:
        weights = self.rows.weights[inside[self.rows.cell]]
        return len(weights), float(weights @ weights)

    def units(self, inside: np.ndarray) -> Iterator[IntArray]:
        yield self.rows.unit[inside[self.rows.cell]]

    @property
    def bytes(self) -> int:
        return self.rows.bytes

    def _chosen(self, inside: np.ndarray) -> Placed:
        chosen = np.flatnonzero(inside[self.rows.cell])
        return self.rows if len(chosen) == len(self.rows) else self.rows.take(chosen)


@dataclass(frozen=True, eq=False)
class TableView:
    """Moments per cell, added up over patterns of missing answers; ``parts`` are the cells and PSUs of the rows behind."""

    table: Table
    parts: tuple[tuple[IntArray, IntArray], ...]

    def sums(self, inside: np.ndarray) -> FloatArray:
        chosen = inside[self.table.cells]
        moments = self.table.moments
        if 3 * chosen.sum() < len(chosen):
            return np.asarray(moments[:, np.flatnonzero(chosen)].sum(axis=1))
        return np.asarray(chosen.astype(float) @ moments)

    def bases(self, inside: np.ndarray) -> tuple[int, float]:
        chosen = inside[self.table.cells]
        return int(self.table.base[chosen].sum()), float(self.table.squares[chosen].sum())

    def units(self, inside: np.ndarray) -> Iterator[IntArray]:
        for cell_of, unit in self.parts:
            for cell in np.flatnonzero(inside):
                yield unit[slice(*np.searchsorted(cell_of, [cell, cell + 1]))]

    @property
    def bytes(self) -> int:
        return self.table.moments.nbytes


def merged(table: Table, part: Table, columns: IntArray, k: int) -> None:
    """Add a table of k columns to one that has only some of them, and more cells."""
    own = places(columns, k)
    at = np.searchsorted(table.cells, part.cells)
    if len(part.cells) == len(table.cells):
        for target, source in zip(table.moments, own, strict=True):
            target += part.moments[source]
    else:
        for target, source in zip(table.moments, own, strict=True):
            target[at] += part.moments[source]
    table.base[at] += part.base
    table.squares[at] += part.squares


def degrees(units: Iterable[IntArray], stratum: IntArray, strata: int, limit: float) -> float:
    """PSUs − strata among some rows, counted until ``limit`` is reached, at least 1."""
    seen, entered, count = np.zeros(len(stratum), dtype=bool), np.zeros(strata, dtype=bool), 0
    for some in units:
        new = np.unique(some)
        new = new[~seen[new]]
        seen[new], entered[stratum[new]] = True, True
        count += len(new)
        if count - entered.sum() >= limit:
            return limit
    return float(max(count - int(entered.sum()), 1))
