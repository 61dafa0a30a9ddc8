"""What an audit looks at, and what a check hands back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cxlab.drivers._audit_frame import Derivative, Frame

FloatArray = np.ndarray[Any, np.dtype[Any]]
OK, LOOK, SERIOUS = "ok", "look", "serious"
SURE = 0.01  # level of the tests: nothing is called a finding on weaker evidence


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    check : str
    finding : {"ok", "look", "serious"}
    value, limit : float
        What was measured, and from where it is worth a look.
    drivers : tuple of str
    wording : str
        Which of the check's wordings says it; the finding by default.
    facts : mapping
        Numbers, and names of drivers as tuples.
    """

    check: str
    finding: str
    value: float
    limit: float
    drivers: tuple[str, ...] = ()
    wording: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Case:
    """A driver analysis under audit.

    Attributes
    ----------
    frame : Frame
    derivative : callable
        Derivatives of importances with respect to the correlations; may be those of a quicker measure.
    leader : int
        Place of the driver at rank 1.
    base_effective : array, shape (p,)
    outcome : array, shape (rows,)
        Answers as given.
    ends : (low, high)
        Of the outcome's scale.
    asked : dict
        ``outcome`` (rows asked,), ``inside`` (bool), ``weights``, ``rows``, ``missing`` (p,): all who were asked.
    marker : array or None, shape (rows,)
        Answers to the marker item.
    per_driver : dict of column to array
        Filled by the checks.
    tables : dict of name to columns
        Filled by the checks.
    """

    frame: Frame
    derivative: Derivative
    leader: int
    base_effective: FloatArray
    outcome: FloatArray
    ends: tuple[float, float]
    asked: Mapping[str, Any]
    marker: FloatArray | None
    per_driver: dict[str, FloatArray] = field(default_factory=dict)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def p(self) -> int:
        """Number of drivers."""
        return len(self.frame.drivers)

    def names(self, places: Sequence[int] | np.ndarray) -> tuple[str, ...]:
        """Drivers by their places."""
        return tuple(self.frame.drivers[int(j)] for j in places)

    def per_effect(self, values: FloatArray) -> FloatArray:
        """From values per column to values per driver; NaN for factors."""
        effect = self.frame.effect
        return np.where(effect < 0, np.nan, values[np.maximum(effect, 0)])


def grade(value: float, look: float, serious: float) -> str:
    """Ok under ``look``, serious from ``serious``; the other way round where serious is the smaller."""
    if np.isnan(value):
        return OK
    sign = 1 if serious >= look else -1
    if sign * value >= sign * serious:
        return SERIOUS
    return LOOK if sign * value >= sign * look else OK
