"""Weighted moments of incomplete rows: available pairs, the normal model by EM, and draws from it.

Everything here sees arrays only; a missing answer is NaN. Rows that answered the same columns form a pattern, and EM sees
a pattern only through its moments: its work depends on the patterns, not on the rows, and many sets of replicate weights
are fitted at once.
"""

from __future__ import annotations

from cxlab.incomplete._em import NormalFit, em, em_replicates, em_step, pack, unpack
from cxlab.incomplete._pairs import FLOOR, floor_eigenvalues, pairwise, pairwise_influence
from cxlab.incomplete._patterns import (
    CELLS,
    Gap,
    PatternMoments,
    Patterns,
    find_patterns,
    never_together,
    pattern_moments,
    replicate_patterns,
)
from cxlab.incomplete._rows import conditional, em_influence, impute

__all__ = [
    "CELLS",
    "FLOOR",
    "Gap",
    "NormalFit",
    "PatternMoments",
    "Patterns",
    "conditional",
    "em",
    "em_influence",
    "em_replicates",
    "em_step",
    "find_patterns",
    "floor_eigenvalues",
    "impute",
    "never_together",
    "pack",
    "pairwise",
    "pairwise_influence",
    "pattern_moments",
    "replicate_patterns",
    "unpack",
]
