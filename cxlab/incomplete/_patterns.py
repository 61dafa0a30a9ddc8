"""Patterns: weighted moments of the rows that lack the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]
CELLS = 1 << 22  # numbers of a batch of pattern moments held at once


@dataclass(frozen=True, eq=False)
class Patterns:
    """Which columns are answered together.

    Attributes
    ----------
    observed : bool array, shape (patterns, k)
    of : int array, shape (rows,)
        Pattern of each row.
    members : tuple of int arrays
        Rows of each pattern.
    """

    observed: np.ndarray
    of: IntArray
    members: tuple[IntArray, ...]


def find_patterns(columns: FloatArray) -> Patterns:
    """Group rows by the columns that they answered.

    Parameters
    ----------
    columns : array, shape (rows, k)

    Returns
    -------
    Patterns

    Examples
    --------
    >>> nan = np.nan
    >>> find_patterns(np.array([[1.0, nan], [2.0, 3.0], [4.0, nan]])).observed.tolist()
    [[True, False], [True, True]]
    """
    observed = np.isfinite(columns)
    packed = np.ascontiguousarray(np.packbits(observed, axis=1))
    keys = packed.view(f"V{packed.shape[1]}")[:, 0]
    _, first, of = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(of, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(of, minlength=len(first)))[:-1])
    return Patterns(observed[first], of, tuple(members))


def never_together(observed: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of columns that no row answered both of; (j, j) for a column without an answer.

    Parameters
    ----------
    observed : bool array, shape (rows or patterns, k)

    Returns
    -------
    list of (int, int)

    Examples
    --------
    >>> never_together(np.array([[True, False, True], [False, True, True]]))
    [(0, 1)]
    """
    seen = observed.astype(float)
    i, j = np.nonzero(np.triu(seen.T @ seen == 0))
    return list(zip(i.tolist(), j.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class PatternMoments:
    """Weighted moments of every pattern, for one or b sets of weights; columns are (x − center) / scale.

    Attributes
    ----------
    observed : bool array, shape (patterns, k)
    weight : array, shape (b, patterns)
    sums : array, shape (b, patterns, k)
        Σw x, 0 where the pattern has no answer.
    products : array, shape (b, patterns, k, k)
        Σw xxᵀ, likewise.
    center, scale : array, shape (k,)
    """

    observed: np.ndarray
    weight: FloatArray
    sums: FloatArray
    products: FloatArray
    center: FloatArray
    scale: FloatArray

    @cached_property
    def total(self) -> FloatArray:
        """Σw, shape (b,)."""
        return self.weight.sum(axis=1)

    @cached_property
    def pairs(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of the rows that answered columns i and j: Σw, Σw xᵢ and Σw xᵢxⱼ, each of shape (b, k, k)."""
        seen = self.observed.astype(float)
        both = (self.weight[:, None, :] * seen.T) @ seen
        return both, self.sums.swapaxes(1, 2) @ seen, self.products.sum(axis=1)

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """Patterns by their number of missing columns; complete ones need no expectation."""
        missing = (~self.observed).sum(axis=1)
        return tuple(_gap(self.observed, np.flatnonzero(missing == m)) for m in np.unique(missing[missing > 0]))

    def unscaled(self, mean: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Means and covariances of the columns as they were given."""
        return self.center + self.scale * mean, covariance * self.scale * self.scale[:, None]


@dataclass(frozen=True, eq=False)
class Gap:
    """Patterns that lack the same number m of columns.

    Attributes
    ----------
    patterns : int array, shape (g,)
    missing : int array, shape (g, m)
        The columns lacking.
    rows, cells : sparse arrays, shapes (k, g·m) and (k², g·m²)
        Add up what belongs to a column, or to a pair of them.
    """

    patterns: IntArray
    missing: IntArray
    rows: sparse.csr_array
    cells: sparse.csr_array


def _gap(observed: np.ndarray, patterns: IntArray) -> Gap:
    k = observed.shape[1]
    missing = np.nonzero(~observed[patterns])[1].reshape(len(patterns), -1)
    pairs = (missing[:, :, None] * k + missing[:, None, :]).ravel()
    return Gap(patterns, missing, _adder(missing.ravel(), k), _adder(pairs, k * k))


def _adder(target: IntArray, size: int) -> sparse.csr_array:
    return sparse.csr_array((np.ones(len(target)), (target, np.arange(len(target)))), shape=(size, len(target)))


def pattern_moments(columns: FloatArray, weights: FloatArray, patterns: Patterns | None = None) -> PatternMoments:
    """Take the moments of every pattern under one set of weights.

    Parameters
    ----------
    columns : array, shape (rows, k)
        NaN where not answered; rows without any answer add nothing and may be there.
    weights : array, shape (rows,)
    patterns : Patterns, optional
        Of ``columns``.

    Returns
    -------
    PatternMoments
        With b = 1, centred on the weighted means of the answers and scaled by their standard deviations.
    """
    patterns = find_patterns(columns) if patterns is None else patterns
    answered = np.isfinite(columns)
    size = weights @ answered
    filled = np.where(answered, columns, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        center = np.where(size > 0, weights @ filled / size, 0.0)
        spread = np.sqrt(weights @ np.where(answered, columns - center, 0.0) ** 2 / size)
    scale = np.where(spread > 0, spread, 1.0)
    empty = PatternMoments(patterns.observed, np.zeros(0), np.zeros(0), np.zeros(0), center, scale)
    return _laid_out(empty, columns, weights, patterns.members, None)


def replicate_patterns(
    moments: PatternMoments,
    patterns: Patterns,
    columns: FloatArray,
    weights: FloatArray,
    multipliers: FloatArray,
    unit: IntArray,
) -> Iterator[PatternMoments]:
    """Take the moments of every pattern under many sets of weights, in blocks that bound the memory.

    Parameters
    ----------
    moments : PatternMoments
        Of the full sample: gives center and scale.
    patterns : Patterns
    columns, weights
        See :func:`pattern_moments`.
    multipliers : array, shape (replicates, units)
    unit : int array, shape (rows,)

    Yields
    ------
    PatternMoments
    """
    step = max(1, CELLS // (len(patterns.observed) * columns.shape[1] ** 2))
    for start in range(0, len(multipliers), step):
        block = multipliers[start : start + step]
        taken = [block[:, unit[rows]].astype(float) for rows in patterns.members]
        yield _laid_out(moments, columns, weights, patterns.members, taken)


def _laid_out(
    frame: PatternMoments,
    columns: FloatArray,
    weights: FloatArray,
    members: tuple[IntArray, ...],
    multipliers: list[FloatArray] | None,
) -> PatternMoments:
    """Moments pattern by pattern: one product of multipliers and rows each."""
    g, k = frame.observed.shape
    b = 1 if multipliers is None else len(multipliers[0])
    weight, sums, products = np.zeros((b, g)), np.zeros((b, g, k)), np.zeros((b, g, k, k))
    for j, rows in enumerate(members):
        seen = np.flatnonzero(frame.observed[j])
        x = (columns[np.ix_(rows, seen)] - frame.center[seen]) / frame.scale[seen]
        w = weights[rows]
        if multipliers is None:
            weight[0, j], sums[0, j, seen] = w.sum(), w @ x
            products[0, j, seen[:, None], seen] = (x * w[:, None]).T @ x
            continue
        upper = np.triu_indices(len(seen))
        laid_out = np.column_stack([np.ones(len(rows)), x, x[:, upper[0]] * x[:, upper[1]]]) * w[:, None]
        found = multipliers[j] @ laid_out
        weight[:, j], sums[:, j, seen] = found[:, 0], found[:, 1 : 1 + len(seen)]
        row, column = seen[upper[0]], seen[upper[1]]
        products[:, j, row, column] = products[:, j, column, row] = found[:, 1 + len(seen) :]
    return replace(frame, weight=weight, sums=sums, products=products)
