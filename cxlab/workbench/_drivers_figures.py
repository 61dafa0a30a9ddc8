"""Figures: what is drawn of drivers among some respondents – from the cube at once, or from a table of the library."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from cxlab.result import reliability

FloatArray = np.ndarray[Any, np.dtype[Any]]
Found = TypeVar("Found")
QUADRANTS = ("fix first", "keep up", "low priority", "maintain")
OPEN = "not decided"
DECIDED = 0.80  # share of resamples from which a driver has a quadrant


@dataclass(frozen=True, eq=False)
class Figures:
    """Drivers, or blocks of drivers, of some respondents with their numbers.

    Attributes
    ----------
    names : tuple of str
    columns : mapping of column to array of shape (names,)
        As the tables of :func:`cxlab.key_drivers` and :func:`cxlab.priority_map` have them; ``reliability`` among them.
    base, effective : int, float
        Complete rows, and Kish's effective base.
    cuts : tuple of float, optional
        Of performance and importance, for the map.
    stuck : bool
        Respondents are enough, but a driver does not vary among them or repeats another.
    """

    names: tuple[str, ...]
    columns: Mapping[str, np.ndarray]
    base: int
    effective: float
    cuts: tuple[float, float] | None = None
    stuck: bool = False

    def __getitem__(self, column: str) -> np.ndarray:
        """A column; NaN where there is none."""
        found = self.columns.get(column)
        return np.full(len(self.names), np.nan) if found is None else found

    @property
    def shown(self) -> np.ndarray:
        """Whose numbers may be seen."""
        return np.asarray((self["reliability"] != "suppressed") & np.isfinite(self["share"]))

    @property
    def order(self) -> np.ndarray:
        """Places of the names, the most important first."""
        return np.argsort(-np.nan_to_num(self["share"], nan=-np.inf), kind="stable")

    @property
    def explained(self) -> float:
        """R²: importances sum to it."""
        return float(self["importance"].sum())


def hidden(names: tuple[str, ...], base: int, effective: float, *, stuck: bool = False) -> Figures:
    """Figures of too few respondents, or of respondents whose answers give no model."""
    grade = np.full(len(names), "stuck" if stuck else "suppressed")
    return Figures(names, {"reliability": grade}, base, effective, stuck=stuck)


def from_table(
    table: pd.DataFrame, names: tuple[str, ...], base: int, effective: float, key: str = "driver"
) -> Figures:
    """Figures of a table of the library, in the order of ``names``; those it does not have are left out."""
    rows = table.set_index(key)
    known = tuple(n for n in names if n in rows.index)
    rows = rows.loc[list(known)]
    if reliability(effective) == "suppressed":
        return hidden(known, base, effective)
    if not np.isfinite(rows["share"].to_numpy(dtype=float)).any():
        return hidden(known, base, effective, stuck=base > len(known) + 1)
    return Figures(known, {str(c): rows[c].to_numpy() for c in rows}, base, effective)


@dataclass(eq=False)
class Kept:
    """The last things made, by their keys; safe where two threads ask.

    Examples
    --------
    >>> kept = Kept(2)
    >>> [kept("a", lambda: 1), kept("a", lambda: 2)]
    [1, 1]
    """

    most: int
    _made: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, key: Hashable, make: Callable[[], Found]) -> Found:
        """What is kept under the key, or make it now."""
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                found: Found = self._made[key]
                return found
        made = make()
        with self._lock:
            self._made[key] = made
            while len(self._made) > self.most:
                self._made.popitem(last=False)
        return made
