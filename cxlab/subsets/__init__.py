"""Variance of the outcome given every subset of players, and what follows from it: Shapley and Owen values, dominance.

A player is a group of columns that enters or leaves as one: a driver, a factor's dummies, an item and its
indicator. Everything here sees covariance matrices only, drivers first and the outcome last.
"""

from __future__ import annotations

from cxlab.subsets._dominance import dominance
from cxlab.subsets._doubling import (
    SINGULAR,
    Players,
    as_players,
    checked,
    membership,
    order_weights,
    subset_sizes,
    subset_variances,
)
from cxlab.subsets._gradient import GRADIENT_LIMIT, shapley_gradient
from cxlab.subsets._owen import as_blocks, merged, owen
from cxlab.subsets._permuted import null_importance
from cxlab.subsets._shapley import EXACT_LIMIT, exact, sampled_shapley, shapley

__all__ = [
    "EXACT_LIMIT",
    "GRADIENT_LIMIT",
    "SINGULAR",
    "Players",
    "as_blocks",
    "as_players",
    "checked",
    "dominance",
    "exact",
    "membership",
    "merged",
    "null_importance",
    "order_weights",
    "owen",
    "sampled_shapley",
    "shapley",
    "shapley_gradient",
    "subset_sizes",
    "subset_variances",
]
