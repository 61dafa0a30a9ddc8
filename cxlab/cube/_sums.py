"""Sums: weighted moments of rows under every replicate of a jackknife, with work that does not grow with the replicates."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from cxlab.moments import Moments
from cxlab.replicates import Dealt

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]
_ROWS = 2048  # rows whose products are laid out at once: they stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Placed:
    """Rows with their place in the design and among the cells of a filter.

    Attributes
    ----------
    columns : array, shape (k, rows)
        About a stored constant; NaN where missing.
    weights : array, shape (rows,)
    stratum, group, unit, cell : int arrays, shape (rows,)
    """

    columns: FloatArray
    weights: FloatArray
    stratum: IntArray
    group: IntArray
    unit: IntArray
    cell: IntArray

    def __len__(self) -> int:
        return len(self.weights)

    def take(self, rows: Any, columns: Any = None) -> Placed:
        """Some rows, by position or as a slice, and some columns."""
        found = self.columns if columns is None else self.columns[columns]
        ways = (self.weights, self.stratum, self.group, self.unit, self.cell)
        return Placed(np.ascontiguousarray(found[:, rows]), *(way[rows] for way in ways))

    @property
    def bytes(self) -> int:
        """Bytes of all arrays."""
        own = (self.columns, self.weights, self.stratum, self.group, self.unit, self.cell)
        return sum(a.nbytes for a in own)


def size_of(columns: int) -> int:
    """Numbers that the moments of some columns are: Σw, Σwx, and the upper triangle of Σwxxᵀ."""
    return 1 + columns + columns * (columns + 1) // 2


def places(columns: Any, k: int) -> IntArray:
    """Where the moments of some of k columns stand among those of all, shape (size_of(len(columns)),)."""
    own = np.asarray(columns, dtype=np.intp)
    left, right = np.triu_indices(len(own))
    low, high = np.minimum(own[left], own[right]), np.maximum(own[left], own[right])
    return np.concatenate([[0], 1 + own, 1 + k + low * k - low * (low - 1) // 2 + high - low]).astype(np.intp)


def add_replicate_sums(rows: Placed, dealt: Dealt, into: FloatArray, at: IntArray) -> None:
    """Add the moments of complete rows under each replicate and, last, under the weights themselves.

    Parameters
    ----------
    rows : Placed
        In the order of their cells, strata and groups.
    dealt : Dealt
    into : array, shape (size_of(k), cells, replicates + 1)
        Contiguous; added to in place.
    at : int array, shape (rows,)
        Cell of each row there.

    Notes
    -----
    A row of stratum h in group g counts ``others[h]`` in all replicates and ``own[h, g]`` in that of its own group. So
    sums by stratum times ``others``, plus sums by group of (own − others) times the row, are all replicates at once.
    """
    size, cells, slots = into.shape
    flat = into.reshape(size, cells * slots)
    edge = np.r_[True, (np.diff(at) != 0) | (np.diff(rows.stratum) != 0)] if len(rows) else np.zeros(0, dtype=bool)
    run = np.cumsum(edge) - 1  # of rows of one cell and stratum
    totals = np.zeros((int(edge.sum()), size))
    for start in range(0, len(rows), _ROWS):
        part = slice(start, start + _ROWS)
        first = _firsts(run[part], rows.group[part])
        sums = _sums_between(rows.columns[:, part], rows.weights[part], first)
        runs = run[part][first]
        starts = _firsts(runs)
        totals[runs[starts]] += np.add.reduceat(sums, starts, axis=0)
        h, g = rows.stratum[part][first], rows.group[part][first]
        sums *= (dealt.own[h, g] - dealt.others[h, g])[:, None]
        entry = at[part][first] * slots + g
        order = np.argsort(entry, kind="stable")  # one group of several strata is one entry
        entry, sums = entry[order], sums[order]
        starts = _firsts(entry)
        flat[:, entry[starts]] += np.add.reduceat(sums, starts, axis=0).T
    stratum, cell = rows.stratum[edge], at[edge]
    bounds = np.append(_firsts(cell), len(cell))
    for low, high in pairwise(bounds):
        into[:, cell[low], :-1] += totals[low:high].T @ dealt.others[stratum[low:high]]
        into[:, cell[low], -1] += totals[low:high].sum(axis=0)


def _firsts(*keys: IntArray) -> IntArray:
    """Where a run of equal keys begins."""
    if not len(keys[0]):
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero(np.r_[True, np.any([np.diff(key) != 0 for key in keys], axis=0)])


def _sums_between(x: FloatArray, w: FloatArray, first: IntArray) -> FloatArray:
    """Moments of the rows from each of ``first`` to the next, shape (len(first), size)."""
    k = len(x)
    laid = np.empty((size_of(k), len(w)))
    laid[0] = w
    weighted = np.multiply(x, w, out=laid[1 : 1 + k])
    at = 1 + k
    for i in range(k):
        np.multiply(x[i:], weighted[i], out=laid[at : at + k - i])
        at += k - i
    return np.ascontiguousarray(np.add.reduceat(laid, first, axis=1).T)


def as_moments(sums: FloatArray, center: FloatArray) -> Moments:
    """Moments of a batch from an array of shape (size_of(k), batch)."""
    k, batch = len(center), sums.shape[1]
    products = np.empty((batch, k, k))
    left, right = np.triu_indices(k)
    products[:, left, right] = products[:, right, left] = sums[1 + k :].T
    return Moments(sums[0].copy(), sums[1 : 1 + k].T.copy(), products, center)
