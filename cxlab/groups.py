"""Disjoint groups of respondents: means, covariance and degrees of freedom without a column per group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from cxlab.calibration import Calibration
from cxlab.design import Design, Estimates
from cxlab.errors import SurveyError
from cxlab.items import in_order
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]


def split(survey: Survey, by: str, most: int, what: str, least: int = 1) -> tuple[str, list[Any], np.ndarray]:
    """Column, codes and place of each respondent among the groups, −1 for none.

    Parameters
    ----------
    survey : Survey
    by : str
        Column, or ``"wave"``.
    most : int
        Groups that can be compared.
    what : str
        What is compared, for the message.
    least : {1, 2}
        Groups that there have to be.

    Raises
    ------
    SurveyError
        For an unknown column, fewer groups than ``least``, or more than ``most``.
    """
    if not isinstance(by, str):
        raise SurveyError(f"by is {by!r}; name one column.")
    if by != "wave":
        survey.require("by", [by])
    column = survey.column_of(by)
    inside = survey.domain & (survey.weights > 0)
    codes = in_order(survey.data[column][inside].dropna().unique().tolist())
    if len(codes) < least:
        absent = "is missing for" if not codes else "is the same for"
        need = (
            "a comparison needs two groups: name another column, or widen the filter"
            if least > 1
            else "name another column"
        )
        raise SurveyError(f"by: {by!r} {absent} all {int(inside.sum()):,} respondents; {need}.")
    if len(codes) > most:
        raise SurveyError(
            f"by: {by!r} has {len(codes):,} groups among the respondents; {what} are compared in up to {most}: "
            "band them in study.yml (recoded), or choose some with survey.where."
        )
    place = pd.Index(codes).get_indexer(survey.data[column])
    return column, codes, np.where(inside, place, -1)


def group_means(design: Design, values: FloatArray, codes: np.ndarray, count: int) -> Estimates:
    """Weighted means of one column in every group.

    Parameters
    ----------
    design : Design
    values : array, shape (rows,)
        NaN where not answered.
    codes : int array, shape (rows,)
        Group of each row, −1 for none.
    count : int
        Number of groups.

    Returns
    -------
    Estimates
        As :func:`cxlab.design.weighted_means` of a column and domain per group.
    """
    inside = (codes >= 0) & np.isfinite(values) & (design.weights > 0)
    rows = np.flatnonzero(inside)
    own, x, w = codes[rows], values[rows], design.weights[rows]
    base, total, square = (np.bincount(own, v, count) for v in (np.ones(len(rows)), w, w**2))
    safe = np.where(total > 0, total, 1.0)
    mean = np.where(total > 0, np.bincount(own, w * x, count) / safe, np.nan)
    deviation = x - mean[own]
    influence = np.zeros((1, len(values)))
    influence[0, rows] = w * deviation / safe[own]
    covariance = grouped_covariance(design, influence, np.where(inside, codes, -1), count)
    simple = np.bincount(own, w * deviation**2, count) / safe / np.maximum(base - 1, 1)
    variance = np.diagonal(covariance)
    kish = np.where(total > 0, total**2 / np.where(square > 0, square, 1.0), 0.0)
    known = (variance > 1e-12 * simple) & (base > 1)
    effective = np.where(known, base * simple / np.where(known, variance, 1.0), kish)
    units, strata = members(design, np.where(inside, codes, -1), count)
    df = np.maximum(np.asarray(units.sum(axis=0)) - strata.sum(axis=0), 1.0)
    return Estimates(mean, covariance, base.astype(np.intp), effective, kish, df)


def grouped_covariance(design: Design, values: FloatArray, codes: np.ndarray, count: int) -> FloatArray:
    """Taylor covariance of statistics of disjoint groups, without a column per group.

    Parameters
    ----------
    design : Design
    values : array, shape (m, rows)
        Influence values of m statistics of the row's own group, weights applied.
    codes : int array, shape (rows,)
        Group of each row, −1 for none.
    count : int
        Number of groups.

    Returns
    -------
    array, shape (m·count, m·count)
        Statistics varying slowest. Equal to :meth:`Design.covariance` of the same values laid out in columns.
    """
    rows = np.flatnonzero(codes >= 0)
    m, width = len(values), len(values) * count
    calibration = design.calibration
    if calibration is not None and calibration.unweighted:
        return _laid_out(design, values, codes, count)
    design.require_pairs()
    columns = (np.arange(m)[:, None] * count + codes[rows]).ravel()
    shape = (len(design.stratum), width)
    totals = sparse.csr_array((values[:, rows].ravel(), (np.tile(design.psu[rows], m), columns)), shape=shape)
    out = design.spread(totals, totals)
    if calibration is None:
        return out
    fitted = _fitted(calibration, values[:, rows], rows, columns, width)
    across = design.spread(design.margins, totals)
    return out - fitted.T @ across - across.T @ fitted + fitted.T @ design.margin_spread @ fitted


def _fitted(
    calibration: Calibration, values: FloatArray, rows: np.ndarray, columns: np.ndarray, width: int
) -> FloatArray:
    """What the margins explain of the influence values before weighting, shape (cells, width)."""
    weights, cells = calibration.weights[rows], len(calibration.cells)
    factor = np.where(weights > 0, calibration.regression_weights[rows] / np.where(weights > 0, weights, 1.0), 0.0)
    place = np.tile(calibration.cell[rows], len(values)) * width + columns
    sums = np.bincount(place, (values * factor).ravel(), (cells + 1) * width).reshape(cells + 1, width)
    return calibration.fitted(sums[:cells])


def _laid_out(design: Design, values: FloatArray, codes: np.ndarray, count: int) -> FloatArray:
    """The general estimator, with a column per statistic and group."""
    rows = np.flatnonzero((codes >= 0) & (design.weights > 0))
    columns = np.zeros((len(codes), len(values) * count))
    for j, each in enumerate(values):
        columns[rows, j * count + codes[rows]] = each[rows] / design.weights[rows]
    return design.covariance(columns)


def members(design: Design, codes: np.ndarray, count: int) -> tuple[Any, FloatArray]:
    """Which units and strata have respondents of which group (weight above zero), 0/1.

    Parameters
    ----------
    design : Design
    codes : int array, shape (rows,)
        −1 for rows of no group.
    count : int

    Returns
    -------
    sparse array, shape (units, count); array, shape (strata, count)
    """
    rows = np.flatnonzero((codes >= 0) & (design.weights > 0))
    shape = (len(design.stratum), count)
    units = sparse.csr_array((np.ones(len(rows)), (design.psu[rows], codes[rows])), shape=shape)
    units.data[:] = 1.0
    strata = np.zeros((len(design.names), count))
    strata[design.stratum[design.psu[rows]], codes[rows]] = 1.0
    return units, strata


def pair_df(design: Design, codes: np.ndarray, count: int) -> FloatArray:
    """Degrees of freedom of the t test between two groups: units − strata of both together − 1, at least 1.

    Returns
    -------
    array, shape (count, count)
        R: ``svyttest(y ~ g, subset(design, g %in% pair))$parameter``.
    """
    units, strata = members(design, codes, count)
    shared = (units.T @ units).toarray()
    both = strata.T @ strata
    n, h = np.diagonal(shared), np.diagonal(both)
    return np.maximum(n[:, None] + n - shared - (h[:, None] + h - both) - 1, 1)


def group_df(design: Design, codes: np.ndarray, count: int) -> float:
    """Degrees of freedom of a test between all groups: units − strata that have a member, − 1, at least 1."""
    units, strata = members(design, codes, count)
    return max(float((units.sum(axis=1) > 0).sum() - (strata.sum(axis=1) > 0).sum() - 1), 1.0)
