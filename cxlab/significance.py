"""Significance: tests of groups and tables under a sample design, as R's survey package has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlab.design import Design, resolve
from cxlab.errors import SurveyError, one_of
from cxlab.groups import group_df as group_df
from cxlab.groups import group_means
from cxlab.groups import grouped_covariance as grouped_covariance
from cxlab.groups import members as members
from cxlab.groups import pair_df as pair_df
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
CHI_SQUARES = ("F", "Chisq", "Wald", "adjWald")
RANK_TESTS = ("wilcoxon", "kruskal")


@dataclass(frozen=True)
class Inference:
    """Outcome of one test.

    Attributes
    ----------
    test : str
    statistic : float
    df1, df2 : float
        Degrees of freedom; ``df2`` is NaN for a chi-square, ``df1`` for a t.
    p_value : float
    estimate, se : float
        Difference or mean that was tested; NaN where the test has none.
    cramers_v : float
        Of a table, from the weighted shares; NaN elsewhere.
    deff : float
        Mean generalised design effect of a table's test; NaN elsewhere.
    """

    test: str
    statistic: float
    df1: float
    df2: float
    p_value: float
    estimate: float = float("nan")
    se: float = float("nan")
    cramers_v: float = float("nan")
    deff: float = float("nan")


# ------------------------------------------------------------------------------ estimates that are equal
def equal_means(estimate: FloatArray, covariance: FloatArray, df: float) -> Inference:
    """Adjusted Wald F test that k estimates are equal.

    Parameters
    ----------
    estimate : array, shape (k,)
    covariance : array, shape (k, k)
    df : float
        Degrees of freedom ν of the covariance.

    Returns
    -------
    Inference
        NaN where the covariance of the differences is singular or ν < k − 1.

    Notes
    -----
    W = dᵀ V⁻¹ d of the differences from the first; F = W (ν − q + 1) / (ν q) on q = k − 1 and ν − q + 1. With two
    groups F = t². R's ``regTermTest`` omits the factor, which errs where groups are many and PSUs few.
    """
    q = len(estimate) - 1
    difference = estimate[1:] - estimate[0]
    v = covariance[1:, 1:] - covariance[1:, :1] - covariance[:1, 1:] + covariance[0, 0]
    if q < 1 or df < q or np.linalg.matrix_rank(v, hermitian=True) < q:
        return Inference("design-based F", np.nan, float(q), np.nan, np.nan)
    df2 = df - q + 1
    f = float(difference @ np.linalg.solve(v, difference)) * df2 / (df * q)
    return Inference("design-based F", f, float(q), df2, float(stats.f.sf(f, q, df2)))


# ------------------------------------------------------------------------------ tables
def chi_square(survey: Survey, item: str, by: str, *, statistic: str = "F") -> Inference:
    """Do two questions hang together? Pearson's chi-square with the Rao–Scott correction, or Wald tests.

    Parameters
    ----------
    survey : Survey
    item, by : str
        Columns of answers; respondents who lack one leave.
    statistic : {"F", "Chisq", "Wald", "adjWald"}
        Second-order Rao–Scott F (the default, as in R), first-order Rao–Scott chi-square, Wald test of the
        cell totals against independence, the same with Fellegi's adjustment of its degrees of freedom.

    Returns
    -------
    Inference

    Raises
    ------
    SurveyError
        If one of the columns has a single answer, or the statistic is unknown.

    Notes
    -----
    Degrees of freedom of the design are PSUs − strata that have a respondent with both answers.

    References
    ----------
    Rao & Scott (1984), Annals of Statistics 12, 46–60; R: ``survey::svychisq``.

    Examples
    --------
    >>> df = pd.DataFrame({"a": [0, 0, 0, 1, 1, 1, 1, 0], "b": list("xxxyyyxy")})
    >>> round(chi_square(Survey.from_frame(df), "a", "b", statistic="Chisq").statistic, 3)
    2.0
    """
    if statistic not in CHI_SQUARES:
        raise one_of("statistic", statistic, CHI_SQUARES)
    columns = [survey.data[survey.column_of(name)] for name in (item, by)]
    inside = survey.domain & (survey.weights > 0) & columns[0].notna().to_numpy() & columns[1].notna().to_numpy()
    codes = []
    for name, column in zip((item, by), columns, strict=True):
        factor, found = pd.factorize(column.where(inside), sort=True)
        if len(found) < 2:
            raise SurveyError(f"{name!r} has {len(found)} answer among the respondents; a table needs two.")
        codes.append(factor)
    return table_test(resolve(survey), codes[0], codes[1], statistic)


def table_test(design: Design, rows: np.ndarray, columns: np.ndarray, statistic: str = "F") -> Inference:
    """Test a two-way table for independence, see :func:`chi_square`.

    Parameters
    ----------
    design : Design
    rows, columns : int array, shape (rows,)
        Codes 0 … r − 1 and 0 … c − 1 that all occur, −1 for respondents of no cell.
    statistic : str
    """
    inside = (rows >= 0) & (columns >= 0)
    r, c = int(rows.max()) + 1, int(columns.max()) + 1
    cell = np.where(inside, rows * c + columns, -1)
    weights = np.where(inside, design.weights, 0.0)
    share = np.bincount(cell[inside], weights[inside], r * c) / weights.sum()
    base = int((weights > 0).sum())
    nu = group_df(design, np.where(inside, 0, -1), 1) + 1
    if statistic in ("Wald", "adjWald"):
        return _wald_table(design, cell, share.reshape(r, c), nu, statistic)
    expected = np.outer(share.reshape(r, c).sum(axis=1), share.reshape(r, c).sum(axis=0)).ravel()
    pearson = base * float(((share - expected) ** 2 / expected).sum())
    # covariance of the cell shares: indicators of disjoint cells, minus the share times the row's weight
    v = _share_covariance(design, cell, share, weights)
    contrasts = _interaction_space(r, c)
    inverse = np.where(share > 0, 1 / np.where(share > 0, share, 1), 0)
    simple = contrasts.T @ (inverse[:, None] * contrasts) / base
    actual = contrasts.T @ (inverse[:, None] * v * inverse) @ contrasts
    delta = np.linalg.lstsq(simple, actual, rcond=None)[0]
    trace, square = float(np.trace(delta)), float(np.trace(delta @ delta))
    df = contrasts.shape[1]
    cramer = float(np.sqrt(pearson / (base * (min(r, c) - 1))))
    if statistic == "Chisq":
        p = float(stats.chi2.sf(pearson * df / trace, df))
        return Inference("Rao–Scott chi-square", pearson, float(df), np.nan, p, cramers_v=cramer, deff=trace / df)
    d0 = trace**2 / square
    f = pearson / trace
    p = float(stats.f.sf(f, d0, d0 * nu))
    return Inference("Rao–Scott F", f, d0, d0 * nu, p, cramers_v=cramer, deff=trace / df)


def _interaction_space(r: int, c: int) -> FloatArray:
    """Interaction columns of a saturated r × c layout, orthogonal to its main effects; shape (r·c, (r−1)(c−1))."""
    row, column = np.eye(r)[:, 1:] - 1 / r, np.eye(c)[:, 1:] - 1 / c
    return np.kron(row, column)


def _share_covariance(design: Design, cell: np.ndarray, share: FloatArray, weights: FloatArray) -> FloatArray:
    """Taylor covariance of the shares of all cells, shape (cells, cells)."""
    # influence (1{cell} − share) w / W: indicators, less the share times their sum
    own = grouped_covariance(design, weights[None] / weights.sum(), cell, len(share))
    linear = np.eye(len(share)) - share[:, None]
    return linear @ own @ linear.T


def _wald_table(design: Design, cell: np.ndarray, share: FloatArray, nu: float, statistic: str) -> Inference:
    r, c = share.shape
    row, column = share.sum(axis=1), share.sum(axis=0)
    excess = (share - np.outer(row, column))[1:, 1:].ravel()
    # derivative of p_ij − p_i. p_.j by the cell totals, the total's own part included
    jacobian = np.zeros((r, c, r, c))
    i, j = np.indices((r, c))
    jacobian[i, j, i, j] += 1
    jacobian -= np.einsum("ik,j->ijk", np.eye(r), column)[:, :, :, None]
    jacobian -= np.einsum("jl,i->ijl", np.eye(c), row)[:, :, None, :]
    jacobian += np.outer(row, column)[:, :, None, None]
    part = jacobian[1:, 1:].reshape(-1, r * c)
    weights = np.where(cell >= 0, design.weights, 0.0)
    v = part @ grouped_covariance(design, weights[None] / weights.sum(), cell, r * c) @ part.T
    q = len(excess)
    wald = float(excess @ np.linalg.lstsq(v, excess, rcond=None)[0])
    df2 = nu if statistic == "Wald" else nu - q + 1
    f = wald / q if statistic == "Wald" else wald * df2 / (q * nu)
    return Inference(f"{statistic} F", f, float(q), df2, float(stats.f.sf(f, q, df2)))


# ------------------------------------------------------------------------------ means and ranks of two groups
def t_test(survey: Survey, outcome: str, by: str | None = None, *, value: float = 0.0) -> Inference:
    """Is a mean different from a value, or from that of the other group?

    Parameters
    ----------
    survey : Survey
    outcome : str
        Column or role.
    by : str, optional
        Column with two groups among the respondents; the second minus the first is tested.
    value : float
        What the mean, or the difference, is tested against.

    Returns
    -------
    Inference
        ``df2`` are the degrees of freedom of t: those of the design (of the respondents with an answer) − 1,
        as R has them.

    Raises
    ------
    SurveyError
        If ``by`` has not two groups, or nobody has an answer.

    References
    ----------
    R: ``survey::svyttest``.

    Examples
    --------
    >>> df = pd.DataFrame({"q": [1, 2, 3, 4, 6.0], "g": list("aabbb")})
    >>> found = t_test(Survey.from_frame(df), "q", "g")
    >>> round(found.estimate, 3), round(found.statistic, 3), found.df2
    (2.833, 3.159, 3.0)
    """
    values = survey.values(outcome)
    codes, count = _groups(survey, values, by)
    return _contrast("design-based t", resolve(survey), values, codes, (count, value))


def rank_test(survey: Survey, outcome: str, by: str, *, test: str = "wilcoxon", ties: str = "weighted") -> Inference:
    """Do the answers of one group tend to be higher, whatever the distances between answers mean?

    Parameters
    ----------
    survey : Survey
    outcome, by : str
        Answers; groups (two for ``"wilcoxon"``).
    test : {"wilcoxon", "kruskal"}
        t test between two groups, or F test between several.
    ties : {"weighted", "r"}
        Rank of tied answers. ``"weighted"`` is the middle of the weight they cover. R averages the ranks of
        tied rows without their weights, so that its result changes with the order of the rows; ``"r"`` does the same.
        Both agree where no answers are tied or tied weights are equal.

    Returns
    -------
    Inference
        ``estimate`` is the difference in mean rank score, from −1 to 1.

    Raises
    ------
    SurveyError
        If ``by`` has too few groups, or an option is unknown.

    References
    ----------
    Lumley & Scott (2013), Biometrika 100, 831–842. R: ``survey::svyranktest``.

    Examples
    --------
    >>> df = pd.DataFrame({"q": [1, 2, 3, 4, 6.0], "g": list("aabbb")})
    >>> round(rank_test(Survey.from_frame(df), "q", "g").estimate, 3)
    0.5
    """
    if test not in RANK_TESTS:
        raise one_of("test", test, RANK_TESTS)
    if ties not in ("weighted", "r"):
        raise one_of("ties", ties, ("weighted", "r"))
    values = survey.values(outcome)
    codes, count = _groups(survey, values, by, exactly=2 if test == "wilcoxon" else None)
    design = resolve(survey)
    scores = np.full(len(values), np.nan)
    inside = codes >= 0
    scores[inside] = _rank_scores(values[inside], design.weights[inside], ties)
    if test == "wilcoxon":
        return _contrast("design-based Wilcoxon", design, scores, codes, (count, 0.0))
    means, covariance = _means(design, scores, codes, count)
    found = equal_means(means, covariance, group_df(design, codes, count))
    return Inference("design-based Kruskal–Wallis", found.statistic, found.df1, found.df2, found.p_value)


def _rank_scores(values: FloatArray, weights: FloatArray, ties: str) -> FloatArray:
    """Estimated population rank over population size, shape (rows,)."""
    order = np.argsort(values, kind="stable")
    middle = np.empty(len(values))
    middle[order] = np.cumsum(weights[order]) - weights[order] / 2
    _, which = np.unique(values, return_inverse=True)
    share = np.ones_like(weights)
    if ties == "weighted":
        # mean of the middles weighted by w is the middle of the tied block: Σ w (C + cum − w/2) = W (C + W/2)
        share = weights
    return (np.bincount(which, share * middle) / np.bincount(which, share))[which] / weights.sum()


def _groups(survey: Survey, values: FloatArray, by: str | None, exactly: int | None = 2) -> tuple[np.ndarray, int]:
    """Group of each respondent with an answer and weight, −1 of the others, and how many there are."""
    inside = survey.domain & (survey.weights > 0) & np.isfinite(values)
    if not inside.any():
        raise SurveyError(f"outcome has no answers among {len(survey):,} respondents.")
    if by is None:
        return np.where(inside, 0, -1), 1
    survey.require("by", [by])
    column = survey.data[survey.column_of(by)]
    codes, found = pd.factorize(column.where(inside), sort=True)
    if len(found) < 2 or exactly not in (None, len(found)):
        wanted = "two" if exactly else "two or more"
        raise SurveyError(f"by: {by!r} has {len(found)} groups with answers; the test needs {wanted}.")
    return codes, len(found)


def _means(design: Design, values: FloatArray, codes: np.ndarray, count: int) -> tuple[FloatArray, FloatArray]:
    found = group_means(design, values, codes, count)
    return found.estimate, found.covariance


def _contrast(
    test: str, design: Design, values: FloatArray, codes: np.ndarray, against: tuple[int, float]
) -> Inference:
    """Test the mean of one group, or the difference of two, against a value; ``against`` is (groups, value)."""
    count, value = against
    mean, v = _means(design, values, codes, count)
    estimate = float(mean[1] - mean[0] if count == 2 else mean[0])
    variance = v[0, 0] + v[1, 1] - 2 * v[0, 1] if count == 2 else v[0, 0]
    se = float(np.sqrt(max(variance, 0.0)))
    df = group_df(design, codes, count)
    t = (estimate - value) / se if se > 0 else np.nan
    return Inference(test, t, np.nan, df, float(2 * stats.t.sf(abs(t), df)), estimate, se)
