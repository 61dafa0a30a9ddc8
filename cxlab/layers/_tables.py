"""Tables of a path model: paths, effects along every route, constructs, indicators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlab import pls
from cxlab.design import kish_base
from cxlab.layers._estimate import ARROW, route_effects, routes
from cxlab.layers._intervals import Intervals
from cxlab.layers._kernel import Estimates, Kernel
from cxlab.layers._prepare import Prepared
from cxlab.result import reliability
from cxlab.words import LANGUAGES

FloatArray = np.ndarray[Any, np.dtype[Any]]


def path_table(kernel: Kernel, sample: Estimates, intervals: Intervals) -> pd.DataFrame:
    """One row per path, in the order of targets."""
    at = np.nonzero(kernel.plan.structure.paths)
    order = np.lexsort((at[0], at[1]))
    at = (at[0][order], at[1][order])
    f = pls.f_squared(sample.between, kernel.plan.structure)[0][at]
    drawn = None if intervals.draws is None else pls.f_squared(intervals.draws.between, kernel.plan.structure)
    found = {
        **_ends(kernel, at),
        **intervals.columns(
            "estimate", sample.paths[0][at], intervals.of("paths", at), left=intervals.without("paths", at)
        ),
        **intervals.columns(
            "impact", sample.impacts[0][at], intervals.of("impacts", at), left=intervals.without("impacts", at)
        ),
        **intervals.columns("f_squared", f, None if drawn is None else drawn[(slice(None), *at)], bounded=True),
    }
    product = np.array([":" in name for name in found["source"]])
    for column in ("impact", "impact_low", "impact_high"):
        found[column] = np.where(product, np.nan, found[column])
    return _based(found, kernel.prepared)


def _ends(kernel: Kernel, at: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    return {"source": [kernel.names[i] for i in at[0]], "target": [kernel.names[j] for j in at[1]]}


def _based(found: dict[str, Any], prepared: Prepared) -> pd.DataFrame:
    effective = kish_base(prepared.sample.weights)
    table = pd.DataFrame(found)
    return table.assign(
        base=len(prepared.sample.rows), base_effective=effective, reliability=str(reliability(effective))
    )


def effect_table(kernel: Kernel, sample: Estimates, intervals: Intervals) -> pd.DataFrame:
    """Direct, indirect, total indirect and total effects of every pair of constructs that a route joins."""
    tables = []
    for source, target, found in _pairs(kernel):
        kinds = [("direct", "")] if kernel.plan.structure.paths[source, target] else []
        kinds += [("indirect", ARROW.join(kernel.names[i] for i in route)) for route in found]
        if found:
            kinds.append(("total indirect", ""))
        kinds.append(("total", ""))
        table = pd.DataFrame({
            "source": kernel.names[source], "target": kernel.names[target], "kind": [k for k, _ in kinds], "route": [r for _, r in kinds],
        })  # fmt: skip
        for name, part in (("estimate", "paths"), ("impact", "impacts")):
            held = [None if e is None else _along(getattr(e, part), source, target, found, len(kinds))
                    for e in (sample, intervals.draws, intervals.dropped and intervals.dropped.estimates)]  # fmt: skip
            if held[0] is not None:
                table = table.assign(**intervals.columns(name, held[0][0], held[1], left=held[2]))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _pairs(kernel: Kernel) -> Iterator[tuple[int, int, list[tuple[int, ...]]]]:
    """Pairs of constructs with a path or a route between them; products have only their path."""
    paths = kernel.plan.structure.paths
    for source in range(len(kernel.products), len(paths)):
        for target in range(len(paths)):
            found = routes(paths, source, target)
            if found or paths[source, target]:
                yield source, target, found


def _along(
    coefficients: FloatArray, source: int, target: int, found: Sequence[tuple[int, ...]], kinds: int
) -> FloatArray:
    """Effects of one pair in the order of its kinds, shape (batch, kinds)."""
    direct = coefficients[:, source, target][:, None]
    by_route = route_effects(coefficients, found)
    indirect = by_route.sum(axis=1, keepdims=True)
    parts = [by_route, *([indirect] if found else []), direct + indirect]
    has_direct = kinds == by_route.shape[1] + len(parts)
    return np.hstack([direct, *parts] if has_direct else parts)


def construct_table(kernel: Kernel, sample: Estimates, intervals: Intervals) -> pd.DataFrame:
    """One row per construct: its index and how much of it is explained."""
    q = len(kernel.products)
    own = np.arange(q, len(kernel.names))
    causes = kernel.plan.structure.paths.sum(axis=0)[own]
    explained = np.where(causes > 0, sample.r_squared[0, own], np.nan)
    base = kish_base(kernel.prepared.sample.weights)  # as many respondents as the weights leave
    adjusted = 1 - (1 - explained) * (base - 1) / np.maximum(base - causes - 1, 1)
    drawn = intervals.of("r_squared", (own,))
    found = {
        "construct": [kernel.names[j] for j in own],
        **intervals.columns("index", sample.index[0, own], intervals.of("index", (own,))),
        **intervals.columns("r_squared", explained, drawn, bounded=True),
        "r_squared_adjusted": adjusted,
    }
    table = _based(found, kernel.prepared)
    table.loc[causes == 0, ["r_squared_low", "r_squared_high"]] = np.nan
    return table


def weight_table(kernel: Kernel, sample: Estimates, intervals: Intervals) -> pd.DataFrame:
    """One row per indicator of the last stage: its weight and loading in its construct."""
    inside = [
        (i, j) for j, block in enumerate(kernel.plan.structure.blocks) for i in block if j >= len(kernel.products)
    ]
    at = tuple(np.array(part) for part in zip(*inside, strict=True))
    found = {
        "construct": [kernel.names[j] for j in at[1]],
        "item": [kernel.plan.indicators[i] for i in at[0]],
        "mode": [kernel.plan.structure.modes[j] for j in at[1]],
        **intervals.columns("weight", sample.weights[0][at], intervals.of("weights", at)),
        **intervals.columns("loading", sample.loadings[0][at], intervals.of("loadings", at)),
    }
    return _based(found, kernel.prepared)


def route_labels(kernel: Kernel, prepared: Prepared) -> dict[str, dict[str, str]]:
    """Wordings of routes."""
    out = {}
    for _, _, found in _pairs(kernel):
        for route in found:
            parts = [kernel.names[i] for i in route]
            out[ARROW.join(parts)] = {lang: ARROW.join(prepared.labels[p][lang] for p in parts) for lang in LANGUAGES}
    return out
