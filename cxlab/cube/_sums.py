"""Sums: weighted moments of rows under every replicate of a jackknife, with work that does not grow with the replicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

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


def replicate_sums(rows: Placed, dealt: Dealt) -> FloatArray:
    """Moments of complete rows under each replicate and, last, under the weights themselves.

    Parameters
    ----------
    rows : Placed
        In the order of their strata and, within these, groups.
    dealt : Dealt

    Returns
    -------
    array, shape (size_of(k), replicates + 1)

    Notes
    -----
    A row of stratum h in group g counts ``others[h]`` in all replicates and ``own[h, g]`` in that of its own group. So
    sums by stratum times ``others``, plus sums by group of (own − others) times the row, are all replicates at once.
    """
    replicates = dealt.own.shape[1]
    strata, of = np.unique(rows.stratum, return_inverse=True)
    by_stratum = np.zeros((len(strata), size_of(len(rows.columns))))
    by_group = np.zeros((replicates, by_stratum.shape[1]))
    for start in range(0, len(rows), _ROWS):
        part = slice(start, start + _ROWS)
        sums, first = _by_piece(rows, part)
        h, g = rows.stratum[part][first], rows.group[part][first]
        moved = dealt.own[h, g] - dealt.others[h, g]
        by_stratum += _gathered(of[part][first], np.ones(len(first)), len(strata)) @ sums
        by_group += _gathered(g, moved, replicates) @ sums
    weights = np.concatenate([dealt.others[strata], np.ones((len(strata), 1))], axis=1)
    out = by_stratum.T @ weights
    out[:, :-1] += by_group.T
    return out


def _by_piece(rows: Placed, part: slice) -> tuple[FloatArray, IntArray]:
    """Moments of each run of rows of one stratum and group, shape (runs, size), and the first row of each."""
    x, w = rows.columns[:, part], rows.weights[part]
    stratum, group = rows.stratum[part], rows.group[part]
    first = np.flatnonzero(np.r_[True, (np.diff(stratum) != 0) | (np.diff(group) != 0)])
    k = len(x)
    laid = np.empty((size_of(k), len(w)))
    laid[0] = w
    weighted = np.multiply(x, w, out=laid[1 : 1 + k])
    at = 1 + k
    for i in range(k):
        np.multiply(x[i:], weighted[i], out=laid[at : at + k - i])
        at += k - i
    return np.ascontiguousarray(np.add.reduceat(laid, first, axis=1).T), first


def _gathered(of: IntArray, factor: FloatArray, count: int) -> Any:
    """Sparse matrix that adds up rows by what they belong to, each times a factor."""
    return sparse.csr_array((factor, (of, np.arange(len(of)))), shape=(count, len(of)))


def as_moments(sums: FloatArray, center: FloatArray) -> Moments:
    """Moments of a batch from an array of shape (size_of(k), batch)."""
    k, batch = len(center), sums.shape[1]
    products = np.empty((batch, k, k))
    left, right = np.triu_indices(k)
    products[:, left, right] = products[:, right, left] = sums[1 + k :].T
    return Moments(sums[0].copy(), sums[1 : 1 + k].T.copy(), products, center)
