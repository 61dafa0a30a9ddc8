"""The best set of improvements within a budget, and what it gains on respondents that did not choose it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.drivers._prepare import Prepared
from cxlab.drivers._scenario import Model, half_blocks, model
from cxlab.scenarios import Scenario, best_sets

FloatArray = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Plan:
    """What is chosen within a budget.

    Attributes
    ----------
    budget : float
    changes, costs : array, shape (p,)
        Points that each driver moves by, and what that costs.
    often : array, shape (p,)
        Share of replicates in which each driver is in the best set.
    same : float
        Share of replicates that choose exactly this set.
    honest : float
        Gain on the half of the respondents that did not choose, mean over splits.
    better : int
        1 where more of the outcome is better, else −1.
    """

    budget: float
    changes: FloatArray
    costs: FloatArray
    often: FloatArray
    same: float
    honest: float
    better: int


def plan(
    prepared: Prepared,
    found: Model,
    of: tuple[Sequence[int], FloatArray],
    largest: FloatArray,
    rates: FloatArray,
    how: tuple[float, int, int],
) -> Plan:
    """Choose on the sample and on every replicate, then on halves of the respondents.

    Parameters
    ----------
    prepared : Prepared
    found : Model
        Under the sample's own and the replicate weights.
    of : (places, ends)
        Drivers that may move, and the ends of their scales.
    largest : array, shape (p,)
        Largest change of each.
    rates : array, shape (p,)
        Cost of one point.
    how : (budget, better, seed)
    """
    budget, better, seed = how
    levels = [_levels(change) for change in largest]
    costs = [np.abs(level) * rate for level, rate in zip(levels, rates, strict=True)]
    gains = _gains(found.scenario, levels, better)
    sets = best_sets(gains, costs, budget)
    halves = model(prepared, half_blocks(prepared, seed), *of)
    half_gains = _gains(halves.scenario, levels, better)
    half_sets = best_sets(half_gains, costs, budget)
    other = np.roll(np.arange(len(half_sets)), len(half_sets) // 2)  # the set chosen on the half left over
    honest = np.mean(sum(gain[np.arange(len(gain)), half_sets[other, j]] for j, gain in enumerate(half_gains)))
    chosen = sets[0]
    return Plan(
        budget,
        np.array([level[c] for level, c in zip(levels, chosen, strict=True)]),
        np.array([cost[c] for cost, c in zip(costs, chosen, strict=True)]),
        (sets[1:] > 0).mean(axis=0),
        float((sets[1:] == chosen).all(axis=1).mean()),
        float(better * honest),
        better,
    )


def _levels(change: float) -> FloatArray:
    """0, one point, two points … up to the change itself."""
    whole = np.arange(0.0, np.floor(abs(change)) + 1)
    steps = whole if abs(change) == whole[-1] else np.append(whole, abs(change))
    return np.sign(change) * steps


def _gains(scenario: Scenario, levels: Sequence[FloatArray], better: int) -> list[FloatArray]:
    """For the better, shape (sets, levels) per driver; everybody is one segment."""
    out = []
    for j, (answers, level) in enumerate(zip(scenario.answers, levels, strict=True)):
        shifts = np.column_stack([answers.shift(float(c))[:, 0] for c in level])
        out.append(better * scenario.coefficients[:, j, None] * shifts)
    return out
