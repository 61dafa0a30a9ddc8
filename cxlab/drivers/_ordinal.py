"""Kernel of a few ordered answers: the proportional-odds model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from cxlab.drivers._logit import CumulativeLogit
from cxlab.drivers._subsets import Subsets


class Ordinal(CumulativeLogit):
    """Importances are parts of McFadden's R² of the cumulative logit; effects are points of the expected answer."""

    name: ClassVar[str] = "ordinal"
    methods: ClassVar[Mapping[str, type[Subsets]]] = {"shapley": Subsets}
    most: ClassVar[int] = 12

    def fit(self) -> Mapping[str, float]:
        """McFadden's R²; ``classes`` is the number of answers."""
        mcfadden = 1 - float(self._worths.fits.loglik[-1]) / self.data.null_loglik()
        unsettled = float((~self._worths.fits.settled).sum())
        return {"r2": mcfadden, "mcfadden": mcfadden, "classes": len(self.data.codes), "unsettled": unsettled}
