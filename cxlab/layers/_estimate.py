"""Estimate: from correlations of items to weights, paths and effects, for a batch of matrices at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from cxlab import pls
from cxlab.layers._model import PathModel

FloatArray = np.ndarray[Any, np.dtype[Any]]
ARROW = " → "  # between the constructs of a route


@dataclass(frozen=True, eq=False)
class Plan:
    """A model as integers.

    Attributes
    ----------
    names : tuple of str, length m
        Constructs of the last stage, in order.
    indicators : tuple of str, length k
        Items, and in the last stage of a higher-order model the constructs that measure another.
    structure : Structure
        Of the last stage.
    first : Plan or None
        The stage before, which gives the scores of lower-order constructs.
    columns : int array, shape (items kept,)
        Items that are still indicators in the last stage.
    scores : int array
        Constructs of the first stage whose scores are indicators in the last.
    consistent : bool array, shape (m,)
        Common factors whose reliability is corrected for.
    """

    names: tuple[str, ...]
    indicators: tuple[str, ...]
    structure: pls.Structure
    first: Plan | None
    columns: np.ndarray
    scores: np.ndarray
    consistent: np.ndarray


@dataclass(frozen=True, eq=False)
class Fit:
    """What is estimated, for each matrix of a batch.

    Attributes
    ----------
    outer : array, shape (batch, items, m)
        Weights of standardised items in the constructs; through the parts for a higher-order construct.
    loadings : array, shape (batch, k, m)
        Correlations of indicators and constructs; corrected ones of common factors.
    weights : array, shape (batch, k, m)
        Weights of the last stage's indicators.
    between : array, shape (batch, m, m)
        Correlations of constructs, corrected ones under PLSc.
    scores_between : array, shape (batch, m, m)
        Correlations of the scores.
    paths : array, shape (batch, m, m)
        From row to column.
    r_squared, rho_a : array, shape (batch, m)
    converged : bool array, shape (batch,)
    flipped : int array, shape (m,)
    """

    outer: FloatArray
    loadings: FloatArray
    weights: FloatArray
    between: FloatArray
    scores_between: FloatArray
    paths: FloatArray
    r_squared: FloatArray
    rho_a: FloatArray
    converged: np.ndarray
    flipped: np.ndarray


def plan(model: PathModel, scheme: str = "path", consistent: bool = False) -> Plan:
    """Lay a model out; higher-order constructs take two stages.

    In the first stage a construct of constructs is replaced by its parts, each with all of its paths; in the second
    their scores are its indicators (R: ``seminr::two_stage`` higher composites).
    """
    higher = model.higher()
    if not higher:
        return _one_stage(model, model.names, (scheme, consistent), None, {})
    parts = {name: model.construct(name).indicators for name in higher}
    lower = tuple(n for n in model.names if n not in higher)
    first = _one_stage(model, lower, (scheme, consistent), None, parts)
    inside = {p for group in parts.values() for p in group}
    upper = tuple(n for n in model.names if n not in inside)
    return _one_stage(model, upper, (scheme, consistent), first, {})


def _one_stage(
    model: PathModel,
    names: Sequence[str],
    options: tuple[str, bool],
    first: Plan | None,
    parts: dict[str, tuple[str, ...]],
) -> Plan:
    scheme, consistent = options
    items = list(model.items)
    whole = model.higher()
    inside = () if first is None else first.names
    own = [i for n in names if n not in whole for i in model.construct(n).indicators]
    parts_ = [i for n in names if n in whole for i in model.construct(n).indicators]
    place = {(False, i): k for k, i in enumerate(own)} | {(True, i): len(own) + k for k, i in enumerate(parts_)}
    blocks = tuple(np.array([place[n in whole, i] for i in model.construct(n).indicators]) for n in names)
    paths = np.zeros((len(names), len(names)), dtype=bool)
    for start, end in model.paths:
        for a in parts.get(start, (start,)):
            for b in parts.get(end, (end,)):
                if a in names and b in names:
                    paths[names.index(a), names.index(b)] = True
    modes = tuple(model.construct(n).mode for n in names)
    factors = np.array([consistent and m == "A" and len(b) > 1 for m, b in zip(modes, blocks, strict=True)])
    columns = np.array([items.index(i) for i in own], dtype=np.intp)
    scores = np.array([inside.index(i) for i in parts_], dtype=np.intp)
    structure = pls.Structure(blocks, modes, paths, scheme)
    return Plan(
        tuple(names), (*own, *parts_), structure, first, columns, scores, factors
    )  # as `carried_weights` lays out


def fit(
    correlations: FloatArray, found: Plan, *, start: Sequence[FloatArray] | None = None, tolerance: float = 1e-10
) -> Fit:
    """Estimate a planned model on a batch of item correlations, shape (batch, items, items).

    Parameters
    ----------
    correlations : array, shape (batch, items, items)
    found : Plan
    start : sequence of arrays, optional
        Weights of each stage to start from, such as :func:`starts` of the full sample.
    tolerance : float
    """
    carried, converged = None, np.ones(len(correlations), dtype=bool)
    matrices = correlations
    if found.first is not None:
        lower = fit(correlations, found.first, start=None if start is None else start[:1], tolerance=tolerance)
        carried = carried_weights(lower.outer, found, correlations.shape[-1])
        matrices = np.matmul(np.swapaxes(carried, 1, 2), np.matmul(correlations, carried))
        converged = lower.converged
    elif len(found.columns) != correlations.shape[-1] or (found.columns != np.arange(len(found.columns))).any():
        matrices = correlations[:, found.columns[:, None], found.columns]
    structure = found.structure
    weights = pls.outer_weights(matrices, structure, start=None if start is None else start[-1], tolerance=tolerance)
    scores = pls.construct_correlations(matrices, weights.outer)
    reliability = pls.rho_a(matrices, weights.outer, structure)
    loaded, between = pls.loadings(matrices, weights.outer), scores
    if found.consistent.any():
        corrected = np.where(found.consistent, reliability, 1.0)
        between = pls.disattenuated(scores, corrected)
        own = pls.consistent_loadings(weights.outer, reliability, structure)
        loaded = np.where((weights.outer != 0) & found.consistent, own, loaded)
    paths = pls.path_coefficients(between, structure)
    if carried is None:
        outer = np.zeros((len(matrices), correlations.shape[-1], len(found.names)))
        outer[:, found.columns] = weights.outer
    else:
        outer = np.matmul(carried, weights.outer)
    return Fit(
        outer, loaded, weights.outer, between, scores, paths, pls.r_squared(between, paths), reliability,
        converged & weights.converged, weights.flipped,
    )  # fmt: skip


def carried_weights(lower: FloatArray, found: Plan, items: int) -> FloatArray:
    """Weights of items in the last stage's indicators, shape (batch, items, k): items themselves, then scores."""
    own = np.zeros((len(lower), items, len(found.columns)))
    own[:, found.columns, np.arange(len(found.columns))] = 1.0
    return np.concatenate([own, lower[:, :, found.scores]], axis=2)


def starts(found: Plan, estimated: Fit, correlations: FloatArray) -> list[FloatArray]:
    """Weights of each stage of the full sample, for the replicates to start from."""
    if found.first is None:
        return [estimated.weights[0]]
    return [fit(correlations, found.first).weights[0], estimated.weights[0]]


def routes(paths: np.ndarray, start: int, end: int) -> list[tuple[int, ...]]:
    """Every route with at least one stop between two constructs.

    Examples
    --------
    >>> routes(np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]], dtype=bool), 0, 2)
    [(0, 1, 2)]
    """
    out: list[tuple[int, ...]] = []
    open_: list[tuple[int, ...]] = [(start,)]
    while open_:
        walk = open_.pop()
        for following in np.flatnonzero(paths[walk[-1]]).tolist():
            if following == end and len(walk) > 1:
                out.append((*walk, end))
            elif following != end:
                open_.append((*walk, following))
    return sorted(out, key=lambda r: (len(r), r))


def route_effects(coefficients: FloatArray, found: Sequence[tuple[int, ...]]) -> FloatArray:
    """Product of the paths along each route, shape (batch, routes)."""
    out = np.ones((len(coefficients), len(found)))
    for k, route in enumerate(found):
        for a, b in pairwise(route):
            out[:, k] *= coefficients[:, a, b]
    return out


def index_scales(outer: FloatArray, spread: FloatArray) -> FloatArray:
    """What the standardised score of a construct is divided by to become a weighted mean of its items.

    Parameters
    ----------
    outer : array, shape (batch, items, m)
    spread : array, shape (batch, items)
        Standard deviations of the items on 0–100.

    Returns
    -------
    array, shape (batch, m)
        Σ w / s: the index has standard deviation 1 / Σ w / s.
    """
    return np.sum(outer / spread[:, :, None], axis=1)
