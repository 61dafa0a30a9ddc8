"""Fit common factors with seminr, and what it cannot: residual variances below zero."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from cxlab.errors import SurveyError
from cxlab.layers._estimate import routes
from cxlab.layers._factor_moments import (
    Frame,
    Matrices,
    Quantities,
    Scaling,
    discrepancy,
    gradient,
    hessian,
    implied,
    newton,
)
from cxlab.layers._model import PathModel

FloatArray = np.ndarray[Any, np.dtype[Any]]
_PLACES = {"lambda": 0, "theta": 1, "psi": 2, "beta": 3}
_VANISHED = 0.01  # share of a factor's variance left under which seminr's solution is looked at again
_PASSES = 400
_FLAT = 1e-5  # largest slope of the likelihood at a maximum


@dataclass(frozen=True, eq=False)
class Fitted:
    """Maximum-likelihood solution on the sample's correlations.

    Attributes
    ----------
    frame : Frame
    quantities : Quantities
    theta : array, shape (parameters,)
    table : seminr's parameter table
    edge : bool
        Whether the solution was found beyond the edge that seminr cannot cross (a residual variance of 0).
    """

    frame: Frame
    quantities: Quantities
    theta: FloatArray
    table: Any
    edge: bool


def seminr_parts() -> dict[str, Any]:
    """The parts of seminr that fit covariance matrices.

    Raises
    ------
    SurveyError
        If the package is not installed, or is one that has no such modules.
    """
    found = {}
    for name, (module, attribute) in _SEMINR.items():
        try:
            found[name] = getattr(import_module(f"seminr.{module}"), attribute)
        except (ImportError, AttributeError) as fault:
            raise SurveyError(
                "factor_model needs the package seminr (0.2.1 or a version like it), which was not found; install it with "
                "pip install 'cxlab[sem]'."
            ) from fault
    return found


_SEMINR = {
    "rows": ("model.mm_matrix", "MMRow"), "measurement": ("model.mm_matrix", "MmMatrix"),
    "path": ("specify.relationships", "SMRow"), "structure": ("model.sm_matrix", "SmMatrix"),
    "table": ("cbsem.partable", "build_par_table"), "fit": ("cbsem.ml_fit", "fit_ml"),
    "Solution": ("cbsem.ml_fit", "MlFitResult"), "Matrices": ("cbsem.sigma", "ModelMatrices"),
    "measures": ("cbsem.fit_measures", "fit_measures"), "Robust": ("cbsem.robust", "RobustLayer"),
}  # fmt: skip


def fit(model: PathModel, correlations: FloatArray) -> Fitted:
    """Fit a model to the correlations of its items, in the order of ``model.items``.

    Raises
    ------
    SurveyError
        If neither seminr nor Newton's method finds a maximum.
    """
    parts = seminr_parts()
    table = _table(parts, model, model.paths)
    _check_count(table)
    found = parts["fit"](table, correlations, max_iter=_PASSES)
    inside = found.matrices
    frame = _frame(table, inside.lambda_, inside.beta)
    quantities = _quantities(frame, table, model)
    edge = False
    theta = None
    if found.converged:
        theta = frame.read(_rescaled(frame, inside.lambda_, inside.theta, inside.psi, inside.beta))[0]
        settled = np.abs(gradient(frame, theta[None], correlations)).max() < _FLAT
        left = 1 - quantities.standardised(theta[None])[0, -len(frame.names) :]
        theta = theta if settled and (left > _VANISHED).all() else None
    if theta is None:
        frame, theta = _beyond(parts, model, table, correlations)
        quantities = _quantities(frame, table, model)
        left = 1 - quantities.standardised(theta[None])[0, -len(frame.names) :]
        edge = bool((left <= 0).any())
    else:
        theta = newton(frame, theta, correlations)[0]  # from seminr's tolerance to the last digits
    return Fitted(frame, quantities, theta, table, edge)


def _check_count(table: Any) -> None:
    items, free = len(table.observed), len(table.free_params)
    known = items * (items + 1) // 2
    if free > known:
        raise SurveyError(
            f"model has {free} parameters for the {known} variances and covariances of {items} items ({known - free} degrees of freedom): it cannot "
            "be estimated; give the constructs more indicators, or leave paths out."
        )


def _table(parts: Any, model: PathModel, paths: tuple[tuple[str, str], ...]) -> Any:
    order = list(model.constructs)
    rows = tuple(parts["rows"](c.name, item, "C") for c in order for item in c.indicators)
    causes = tuple(parts["path"](start, end) for start, end in paths)
    return parts["table"](parts["measurement"](rows), structural_model=parts["structure"](causes) if causes else None)


def _frame(table: Any, loadings: FloatArray, between: FloatArray | None) -> Frame:
    """Seminr's table with one loading of every factor, its strongest, for a variance."""
    cells, ones = [], {}
    size = np.abs(np.vstack([loadings, np.zeros((len(table.latents),) * 2) if between is None else between]))
    for name in table.latents:
        own = [(_PLACES[f.matrix], f.row, f.col) for f in table.free_params if f.op == "=~" and f.lhs == name]
        ones[name] = max(own, key=lambda c: size[c[1] + (len(loadings) if c[0] == 3 else 0), c[2]])
    for f in table.free_params:
        place = (_PLACES[f.matrix], f.row, f.col)
        if place not in ones.values():
            cells.append(place)
    cells += [(2, j, j) for j in range(len(table.latents))]
    return Frame(tuple(table.latents), tuple(table.observed), np.array(cells), np.array(list(ones.values())))


def _rescaled(frame: Frame, loadings: Any, errors: Any, residuals: Any, paths: Any) -> Matrices:
    """Matrices with unit (residual) variances as ones with a unit loading."""
    k = len(frame.names)
    paths = np.zeros((k, k)) if paths is None else paths
    source = (loadings, errors, residuals, paths)
    units = np.ones(k)
    for place, row, column in sorted(map(tuple, frame.ones.tolist()), key=lambda c: c[0]):  # parts before their whole
        units[column] = source[place][row, column] * (units[row] if place == 3 else 1.0)
    scaled = (loadings / units, errors, residuals * np.outer(units, units), paths * units[:, None] / units)
    return Matrices(*(m[None] for m in scaled))


def _beyond(parts: Any, model: PathModel, table: Any, correlations: FloatArray) -> tuple[Frame, FloatArray]:
    """The maximum where a residual variance may be negative, from the factors' correlations on."""
    free = parts["fit"](_table(parts, model, ()), correlations, max_iter=_PASSES).matrices
    if free.beta is None:
        start = _regressed(table, free)
        frame = _frame(table, free.lambda_, start.paths[0])
        found = _rescaled(frame, free.lambda_, free.theta, start.residuals[0], start.paths[0])
        theta, settled = newton(frame, frame.read(found)[0], correlations)
        if settled and np.linalg.eigvalsh(hessian(frame, theta, correlations))[0] > 0:
            return frame, theta
    raise SurveyError(
        f"model: no maximum of the likelihood was found for {len(table.free_params)} parameters of {len(table.observed)} items; items that "
        "hardly correlate within their construct, or constructs that measure the same or relate to nothing, are the usual cause: "
        "leave an item out, merge two constructs, or use cx.path_model."
    )


def _regressed(table: Any, free: Any) -> Matrices:
    """Paths and residuals that factors' correlations imply, each factor on its causes."""
    k = len(table.latents)
    paths, residuals = np.zeros((k, k)), np.zeros((k, k))
    between = free.psi
    for f in table.free_params:
        if f.matrix == "psi":
            residuals[f.row, f.col] = residuals[f.col, f.row] = between[f.row, f.col]
    for j in range(k):
        causes = [f.col for f in table.free_params if f.matrix == "beta" and f.row == j]
        if causes:
            paths[j, causes] = np.linalg.lstsq(between[np.ix_(causes, causes)], between[causes, j], rcond=1e-10)[0]
        residuals[j, j] = 1 - paths[j] @ between[:, j]
    ends = [j for j in range(k) if paths[j].any()]
    for a in ends:
        for b in ends:
            if a != b and residuals[a, b]:
                residuals[a, b] = between[a, b] - paths[a] @ between @ paths[b]
    return Matrices(free.lambda_[None], free.theta[None], residuals[None], paths[None])


def _quantities(frame: Frame, table: Any, model: PathModel) -> Quantities:
    p = len(frame.items)
    named = {name: j for j, name in enumerate(frame.names)}
    loadings: list[tuple[int, int]] = []
    first: dict[str, tuple[int, int, int]] = {}
    for f in table.free_params:
        if f.op == "=~":
            first.setdefault(f.lhs, (_PLACES[f.matrix], f.row, f.col))
            loadings.append((f.row + (p if f.matrix == "beta" else 0), f.col))
    paths = [(named[end], named[start]) for start, end in model.paths]
    forward = np.zeros((len(named), len(named)), dtype=bool)
    for end, start in paths:
        forward[start, end] = True
    ends = [(a, b) for a in range(len(named)) for b in range(len(named)) if a != b]
    found = tuple(r for a, b in ends for r in routes(forward, a, b))
    return Quantities(
        frame, np.array([first[n] for n in frame.names]), np.array(loadings), np.array(paths, dtype=np.intp).reshape(-1, 2), found
    )  # fmt: skip


def measures(found: Fitted, correlations: FloatArray, base: int, scaling: Scaling | None) -> dict[str, float]:
    """Fit measures under lavaan's names; with a scaling also ``.scaled`` and ``.robust`` ones."""
    parts = seminr_parts()
    frame, theta = found.frame, found.theta
    inside = Matrices(*(m[0] for m in frame.matrices(theta[None])))
    matrices = parts["Matrices"](inside.loadings, inside.errors, inside.residuals, inside.paths)
    value = float(discrepancy(frame, theta[None], correlations)[0])
    solution = parts["Solution"](theta, matrices, value, 0, True)
    robust = None
    if scaling is not None and frame.df > 0:
        p = len(frame.items)
        trace, without = scaling.saturated - scaling.model, scaling.saturated - scaling.independence
        empty = np.zeros(0)
        robust = parts["Robust"](
            empty, empty, scaling.saturated, scaling.model, trace, trace / frame.df if trace > 0 else float("nan"),
            without / (p * (p - 1) / 2) if without > 0 else float("nan"), float("nan"), float("nan"),
        )  # fmt: skip
    return dict(parts["measures"](found.table, correlations, solution, base, robust))


def misfit(found: Fitted, correlations: FloatArray) -> FloatArray:
    """Correlations minus those that the model implies, shape (p, p)."""
    sigma = implied(found.frame, found.theta[None])[0]
    spread = np.sqrt(np.diagonal(sigma))
    return np.asarray(correlations - sigma / np.outer(spread, spread))


def route_names(names: tuple[str, ...], route: tuple[int, ...]) -> str:
    """A route in words of the model.

    Examples
    --------
    >>> route_names(("Image", "Satisfaction", "Loyalty"), (0, 1, 2))
    'Image -> Satisfaction -> Loyalty'
    """
    return " -> ".join(names[j] for j in route)
