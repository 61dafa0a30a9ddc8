"""Intervals: standard errors and intervals of anything that replicates of a path model give."""

from __future__ import annotations

from typing import Any

import numpy as np

from cxlab.contrasts import p_values
from cxlab.design import t_quantile
from cxlab.layers._bca import Dropped, bca_ends
from cxlab.layers._kernel import Estimates

FloatArray = np.ndarray[Any, np.dtype[Any]]
INTERVALS = ("auto", "percentile", "t")
FEW_UNITS = 60  # PSUs − strata under which "auto" takes t intervals
LEAST_REPLICATES = 100


class Intervals:
    """Standard errors and intervals of anything that replicates give.

    Parameters
    ----------
    draws : Estimates or None
        Of replicates that converged.
    kind : {"auto", "percentile", "t", "bca"}
    df : float
    level : float

    Attributes
    ----------
    dropped : Dropped or None
        Estimates without each sampling unit, which BCa asks for.
    """

    dropped: Dropped | None = None

    def __init__(self, draws: Estimates | None, kind: str, df: float, level: float) -> None:
        self.draws, self.df, self.level = draws, df, level
        self.kind = ("t" if df < FEW_UNITS else "percentile") if kind == "auto" else kind

    def columns(
        self,
        name: str,
        estimate: FloatArray,
        values: FloatArray | None,
        *,
        bounded: bool = False,
        left: FloatArray | None = None,
    ) -> dict[str, FloatArray]:
        """Estimate and ends as columns ``name, name_low, name_high``; of ``"estimate"`` also ``se, low, high, p_value``.

        Parameters
        ----------
        name : str
        estimate : array, shape (p,)
        values : array, shape (replicates, p), or None
        bounded : bool
            Cannot be negative: always percentiles.
        left : array, shape (fits, p), optional
            Without each sampling unit: BCa if that is asked for.
        """
        main = name == "estimate"
        low_name, high_name = ("low", "high") if main else (f"{name}_low", f"{name}_high")
        if values is None or len(values) < 2:
            nothing = np.full(len(estimate), np.nan)
            extra = {"se": nothing, low_name: nothing, high_name: nothing, "p_value": nothing}
            return {name: estimate, **(extra if main else {low_name: nothing, high_name: nothing})}
        se = values.std(axis=0, ddof=1)
        if self.kind == "t" and not bounded:
            reach = t_quantile(self.level, self.df) * se
            low, high = estimate - reach, estimate + reach
        elif self.kind == "bca" and self.dropped is not None and left is not None and not bounded:
            low, high = bca_ends(estimate, values, self.dropped.acceleration(left), self.level)
        else:
            low, high = np.quantile(values, [0.5 - self.level / 2, 0.5 + self.level / 2], axis=0)
        if not main:
            return {name: estimate, low_name: low, high_name: high}
        return {name: estimate, "se": se, "low": low, "high": high, "p_value": p_values(estimate, se, self.df)}

    def of(self, part: str, where: tuple[Any, ...]) -> FloatArray | None:
        """Replicates of some entries of an array of :class:`Estimates`, shape (replicates, p)."""
        return None if self.draws is None else np.asarray(getattr(self.draws, part)[(slice(None), *where)])

    def without(self, part: str, where: tuple[Any, ...]) -> FloatArray | None:
        """The same without each sampling unit, shape (fits, p); None unless BCa asks for it."""
        return (
            None if self.dropped is None else np.asarray(getattr(self.dropped.estimates, part)[(slice(None), *where)])
        )
