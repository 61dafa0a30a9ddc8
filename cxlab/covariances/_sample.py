"""Sample: the rows of an analysis as numbers, with their place in the design."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cxlab.design import Design

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of drivers, forced-in columns and, last, the outcome.

    Attributes
    ----------
    columns : array, shape (rows, k + 1)
        NaN where a method of missing data has to deal with it.
    weights : array, shape (rows,)
    rows : int array, shape (rows,)
        Position of each row in the survey.
    design : Design
        Of the whole survey.
    """

    columns: FloatArray
    weights: FloatArray
    rows: IntArray
    design: Design

    @cached_property
    def used(self) -> np.ndarray:
        """Units that have a row here, bool of shape (units,)."""
        out = np.zeros(len(self.design.stratum), dtype=bool)
        out[self.design.psu[self.rows]] = True
        return out

    @cached_property
    def unit(self) -> IntArray:
        """Place of each row's unit among those used, shape (rows,)."""
        return (np.cumsum(self.used) - 1)[self.design.psu[self.rows]].astype(np.intp)

    @cached_property
    def stratum(self) -> IntArray:
        """Stratum of each row, shape (rows,)."""
        return self.design.stratum[self.design.psu[self.rows]]

    @property
    def df(self) -> float:
        """Degrees of freedom: units − strata among the rows used."""
        return float(max(int(self.used.sum()) - len(np.unique(self.stratum)), 1))

    def permutations(self, count: int, rng: np.random.Generator) -> Iterator[IntArray]:
        """For every row the row whose answers it gets: unit trades with unit of its stratum.

        Where units differ in size the answers of the smaller one are repeated, of the larger one only some are
        used. Whole units trade: were rows permuted one by one, a driver that varies between units would
        lose the likeness of its unit's respondents, and its null line would lie too low (false alarms of .10 to .43
        instead of .05 at 33 respondents per unit).
        """
        unit, size = self.unit, np.bincount(self.unit)
        first = np.cumsum(size) - size
        rows = np.lexsort((rng.random(len(unit)), unit))
        place = np.empty(len(unit), dtype=np.intp)
        place[rows] = np.arange(len(unit)) - first[unit[rows]]
        stratum = np.zeros(len(size), dtype=np.intp)
        stratum[unit] = self.stratum
        by_stratum, single = np.argsort(stratum, kind="stable"), bool((size == 1).all())
        source = np.empty(len(size), dtype=np.intp)
        for _ in range(count):
            source[by_stratum] = np.argsort(stratum + rng.random(len(size)))
            if single:  # every unit is a row
                yield rows[source[unit]]
                continue
            start = rng.integers(0, size)[source]  # where in the other unit reading begins
            other = source[unit]
            yield rows[first[other] + (place + start[unit]) % size[other]]
