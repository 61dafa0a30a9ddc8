"""Whether a model of common factors can be estimated, and whether its solution can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError
from cxlab.layers._factor_fit import Fitted
from cxlab.layers._factor_moments import factor_covariance, information
from cxlab.layers._model import PathModel

FloatArray = np.ndarray[Any, np.dtype[Any]]
SAME = 0.90  # correlation of two constructs from which they are hardly two
FLAT = 1e-3  # smallest eigenvalue of the information, its diagonal being 1, under which the data hardly tell parameters apart
WIDE = 0.50  # standard error of a standardised path or loading under normality from which it says nothing
FEW = 5  # respondents per parameter
FAILED = 0.05  # share of replicates without a solution
_SINGULAR = 1e-9


def check_model(model: PathModel) -> None:
    """Refuse what common factors cannot express, and a construct that two items alone cannot identify."""
    formed = [c.name for c in model.constructs if c.mode == "B"]
    if formed:
        raise SurveyError(
            f"model: {len(formed)} constructs are formed by their items ('<~': {', '.join(map(repr, formed))}); a common factor is "
            "measured by them: write '=~', or use cx.path_model, which has both."
        )
    if model.products:
        raise SurveyError(
            f"model has {len(model.products)} products of constructs ({', '.join(model.products)}), which covariances of items do not tell "
            "of: leave them out here, or use cx.path_model."
        )
    if not any(len(c.indicators) > 1 for c in model.constructs):
        raise SurveyError(
            f"model: none of the {len(model.constructs)} constructs has two indicators, so that no error of measurement can be told from "
            "what is measured; add indicators, or use cx.linear."
        )
    _check_alone(model)


def _check_alone(model: PathModel) -> None:
    """Two items of a construct that relates to nothing: one covariance for two loadings."""
    whole = set(model.higher())
    parts = {i for c in model.constructs if c.name in whole for i in c.indicators}
    lonely = [c.name for c in model.constructs if len(c.indicators) == 2 and c.name not in parts]
    if len(model.constructs) - len(parts) == 1 and lonely:
        raise SurveyError(
            f"model: {lonely[0]!r} alone has 2 indicators, whose one covariance does not give two loadings; add a third indicator, or a "
            "construct that it relates to."
        )


def check_rows(rows: int, items: int) -> None:
    """Refuse a singular covariance matrix."""
    if rows <= items:
        raise SurveyError(
            f"model: {rows} respondents for {items} items: their covariance matrix is singular, and a common-factor model needs more respondents "
            f"than items (better {FEW} per parameter); use fewer items, widen the filter, or use cx.path_model."
        )


def check_sound(correlations: FloatArray, items: tuple[str, ...]) -> None:
    """Refuse items that repeat one another."""
    values, vectors = np.linalg.eigh(correlations)
    if values[0] < _SINGULAR:
        tied = [i for i, v in zip(items, vectors[:, 0], strict=True) if abs(v) > 0.1]
        raise SurveyError(
            f"model: {len(tied)} items repeat one another ({', '.join(map(repr, tied[:6]))}): each is determined by the others; leave one out."
        )


def flatness(found: Fitted) -> tuple[float, list[str]]:
    """Smallest eigenvalue of the information, its diagonal being 1, and the parameters that the data tell least apart.

    Raises
    ------
    SurveyError
        If the information is singular: different parameters give the same covariances.
    """
    told = information(found.frame, found.theta)
    size = np.sqrt(np.maximum(np.diagonal(told), 1e-300))
    values, vectors = np.linalg.eigh(told / np.outer(size, size))
    strongest = np.argsort(-np.abs(vectors[:, 0]), kind="stable")[:4]
    named = [parameter_name(found, j) for j in strongest if abs(vectors[j, 0]) > 0.2]
    if values[0] < _SINGULAR:
        raise SurveyError(
            f"model is not identified: different values of {len(named)} parameters ({', '.join(named)}) give the same covariances of the "
            "items; give the constructs concerned a third indicator, or leave a path out."
        )
    return float(values[0]), named


def parameter_name(found: Fitted, place: int) -> str:
    """A parameter in the notation of models."""
    frame = found.frame
    matrix, row, column = frame.cells[place]
    if matrix == 0:
        return f"{frame.names[column]} =~ {frame.items[row]}"
    if matrix == 1:
        return f"{frame.items[row]} ~~ {frame.items[column]}"
    if matrix == 2:
        return f"{frame.names[row]} ~~ {frame.names[column]}"
    measured = any((found.quantities.loadings == (row + len(frame.items), column)).all(axis=1))
    return f"{frame.names[column]} =~ {frame.names[row]}" if measured else f"{frame.names[row]} ~ {frame.names[column]}"


def problems(
    found: Fitted, parts: Mapping[str, FloatArray], normal_se: Mapping[str, FloatArray], facts: Mapping[str, Any]
) -> pd.DataFrame:
    """What speaks against a solution: ``problem, subject, value, limit``.

    Parameters
    ----------
    found : Fitted
    parts : mapping
        Standardised loadings, paths, correlations, R².
    normal_se : mapping
        Standard errors of the same under normality.
    facts : mapping
        ``flat, flat_names, base, replicates, failed``.
    """
    rows = [*_heywood(found, parts), *_same(found, parts), *_loose(found, parts, normal_se)]
    if facts["flat"] < FLAT:
        rows.append(("near unidentified", ", ".join(facts["flat_names"]), facts["flat"], FLAT))
    per = facts["base"] / len(found.theta)
    if per < FEW:
        rows.append(("few respondents", "", per, FEW))
    if facts["failed"] > FAILED * max(facts["replicates"], 1):
        rows.append(("failed replicates", "", facts["failed"] / facts["replicates"], FAILED))
    return pd.DataFrame(rows, columns=["problem", "subject", "value", "limit"])


def _heywood(found: Fitted, parts: Mapping[str, FloatArray]) -> list[tuple[str, str, float, float]]:
    """Variances below zero, loadings above one, a covariance matrix of factors that none can have."""
    frame = found.frame
    inside = frame.matrices(found.theta[None])
    sigma_error = np.diagonal(inside.errors[0])
    rows = [
        ("negative error variance", i, float(v), 0.0) for i, v in zip(frame.items, sigma_error, strict=True) if v < 0
    ]
    above = np.abs(parts["loading"]) > 1 + 1e-8
    names = (*frame.items, *frame.names)
    rows += [
        ("loading above 1", names[found.quantities.loadings[j, 0]], float(parts["loading"][j]), 1.0)
        for j in np.flatnonzero(above)
    ]
    left = np.diagonal(inside.residuals[0])
    rows += [("negative residual variance", n, float(parts["r_squared"][j]), 1.0)
             for j, n in enumerate(frame.names) if left[j] < 0]  # fmt: skip
    between = factor_covariance(inside)[1][0]
    size = np.sqrt(np.maximum(np.diagonal(between), 1e-300))
    least = float(np.linalg.eigvalsh(between / np.outer(size, size))[0])
    if least <= 0:
        rows.append(("impossible correlations", "", least, 0.0))
    return rows


def _same(found: Fitted, parts: Mapping[str, FloatArray]) -> list[tuple[str, str, float, float]]:
    """Pairs of constructs that correlate so highly that they are hardly two; a whole and its parts are none."""
    frame, k, p = found.frame, len(found.frame.names), len(found.frame.items)
    between = parts["correlation"].reshape(k, k)
    of_whole = {frozenset((int(i) - p, int(c))) for i, c in found.quantities.loadings if i >= p}
    return [
        ("hardly two constructs", f"{frame.names[a]}, {frame.names[b]}", float(between[a, b]), SAME)
        for a in range(k)
        for b in range(a + 1, k)
        if abs(between[a, b]) >= SAME and frozenset((a, b)) not in of_whole
    ]


def _loose(
    found: Fitted, parts: Mapping[str, FloatArray], normal_se: Mapping[str, FloatArray]
) -> list[tuple[str, str, float, float]]:
    """Paths and loadings whose standard errors explode."""
    names, q = found.frame.names, found.quantities
    both = (*found.frame.items, *names)
    rows = [("loosely determined", f"{names[s]} -> {names[e]}", float(se), WIDE)
            for (e, s), se in zip(q.paths, normal_se["path"], strict=True) if se > WIDE]  # fmt: skip
    rows += [("loosely determined", f"{names[c]} =~ {both[i]}", float(se), WIDE)
             for (i, c), se in zip(q.loadings, normal_se["loading"], strict=True) if se > WIDE]  # fmt: skip
    return rows
