"""Totals, ratios and quantiles, weighted, with design-based intervals and their covariance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import Design, Estimates, resolve, t_quantile, weighted_means
from cxlab.errors import SurveyError
from cxlab.metrics import Cells, base_of, call_of, cells, notes_of, rows_of, t_interval
from cxlab.metrics import names as wordings
from cxlab.result import Result
from cxlab.survey import Survey
from cxlab.words import Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True, eq=False)
class Estimated(Result):
    """A table of estimates with their joint covariance.

    Attributes
    ----------
    covariance : DataFrame, shape (k, k)
        Of the estimates, rows and columns in the order of the table: across items, segments and waves,
        so that any difference of two rows can be tested.
    """

    covariance: pd.DataFrame = field(default_factory=pd.DataFrame)


def totals(
    survey: Survey,
    items: str | Sequence[str],
    *,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    df: float | None = None,
) -> Estimated:
    """How much is it in all: spend, visits, complaints of the whole population?

    Parameters
    ----------
    survey : Survey
        Its weights must sum to the population for totals of the population.
    items : str or list of str
        Numeric columns or roles.
    by : str or list of str, optional
        A segment, ``"wave"``, or one of each.
    level : float
    df : float, optional
        Degrees of freedom; PSUs − strata by default.

    Returns
    -------
    Estimated
        ``item, [segment], [wave], estimate, se, low, high, base, base_effective, reliability``;
        ``base_effective`` is that of the item's mean. ``.covariance`` of all rows.

    Raises
    ------
    SurveyError
        For unknown names, text columns, an item without answers, or a stratum with one PSU.

    Notes
    -----
    Σ w x with Taylor linearisation over all PSUs; who is outside a segment counts as 0. A missing
    answer adds nothing: the total is that of those who answered. Rescaled weights rescale totals, and the
    notes say what the weights sum to.

    References
    ----------
    Lumley (2010), *Complex Surveys*; R: ``survey::svytotal(~x, design, na.rm = TRUE)``.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"spend": [10.0, 0, 30, 20], "w": [5, 5, 10, 10]}), weight="w")
    >>> totals(survey, "spend").table[["estimate", "se"]].round(1).values.tolist()
    [[550.0, 275.4]]
    """
    items, groups, design = _prepared(survey, items, by)
    values = {i: _answers(survey, i) for i in items}
    found = total_estimates(design, _spread(list(values.values()), groups), _tiled(groups, len(items)))
    keys = [{"item": i, **key} for i in items for key in groups.keys]
    sums = Note(_SUMS, total=float(survey.weights[survey.domain].sum()))
    call = call_of("totals", survey, _said(items), by=by, level=level, df=df)
    return _estimated(survey, keys, found, t_interval(found, level, df), groups, (call, (sums,), ",.1f"))


def ratios(
    survey: Survey,
    numerator: str | Sequence[str],
    denominator: str,
    *,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    df: float | None = None,
) -> Estimated:
    """How much of one thing comes with another: complaints per visit, spend per booking?

    Parameters
    ----------
    survey : Survey
    numerator : str or list of str
        Numeric columns or roles.
    denominator : str
        Numeric column or role.
    by, level, df
        As in :func:`totals`.

    Returns
    -------
    Estimated
        ``item`` (the numerator), ``denominator``, then the columns and the covariance of :func:`totals`.

    Raises
    ------
    SurveyError
        As in :func:`totals`, or if the denominator sums to zero.

    Notes
    -----
    Σ w y / Σ w x over those who answered both, linearised as (y − R x) / Σ w x. Not the mean of individual
    ratios.

    References
    ----------
    Särndal, Swensson & Wretman (1992), section 5.6; R: ``survey::svyratio(~y, ~x, design, na.rm = TRUE)``.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"complaints": [1, 0, 2, 1], "visits": [2, 1, 4, 3]}))
    >>> ratios(survey, "complaints", "visits").table[["estimate", "se"]].round(4).values.tolist()
    [[0.4, 0.073]]
    """
    items, groups, design = _prepared(survey, numerator, by, "numerator")
    survey.require("denominator", [denominator])
    below = _answers(survey, denominator)
    above = _spread([_answers(survey, i) for i in items], groups)
    found = ratio_estimates(
        design, above, np.repeat(below[:, None], above.shape[1], axis=1), _tiled(groups, len(items))
    )
    empty = int(np.sum((found.base > 0) & ~np.isfinite(found.estimate)))
    if empty:
        raise SurveyError(
            f"denominator {denominator!r} sums to zero in {empty} of {len(found.base)} cells; no ratio is defined there: widen the cells."
        )
    keys = [{"item": i, "denominator": denominator, **key} for i in items for key in groups.keys]
    call = call_of("ratios", survey, _said(items), denominator, by=by, level=level, df=df)
    return _estimated(survey, keys, found, t_interval(found, level, df), groups, (call, (), ".3f"))


def quantiles(
    survey: Survey,
    items: str | Sequence[str],
    probabilities: Sequence[float] = QUARTILES,
    *,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    df: float | None = None,
) -> Estimated:
    """Which value do a quarter, a half, nine tenths of customers not exceed?

    Parameters
    ----------
    survey : Survey
    items : str or list of str
        Numeric columns or roles.
    probabilities : list of float
        Between 0 and 1; quartiles by default.
    by, level, df
        As in :func:`totals`.

    Returns
    -------
    Estimated
        ``item, probability``, then the columns and the covariance of :func:`totals`. A limit that
        the sample does not reach is NaN, as are both for the largest answer.

    Raises
    ------
    SurveyError
        As in :func:`totals`, or for a probability outside 0 to 1.

    Notes
    -----
    The smallest answer whose weighted cumulative share reaches the probability (R's rule "math"). Woodruff's
    interval: the t interval of the share of answers ≤ the quantile, carried back through the
    cumulative shares; ``se`` is its length over 2 t. The covariance of two quantiles takes the
    correlation of these shares. On a rating scale quantiles move in whole steps: prefer
    means or proportions there.

    References
    ----------
    Woodruff (1952), JASA 47, 635–646.
    R: ``survey::svyquantile(~x, design, c(.25, .5, .75), ci = TRUE)`` (version 4.1, interval "mean").

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"minutes": [5.0, 7, 8, 12, 15, 20, 30, 45, 50, 90]}))
    >>> quantiles(survey, "minutes", [0.5]).table[["estimate", "low", "high"]].values.tolist()
    [[15.0, 7.0, 50.0]]
    """
    items, groups, design = _prepared(survey, items, by)
    wrong = [p for p in probabilities if not 0 < p < 1]
    if wrong or not len(probabilities):
        raise SurveyError(
            f"probabilities is {list(probabilities)!r}; each lies between 0 and 1, e.g. [0.25, 0.5, 0.75]."
        )
    columns = _spread([_answers(survey, i) for i in items], groups)
    domains = _tiled(groups, len(items))
    repeat = len(probabilities)
    asked = np.tile(np.asarray(probabilities, dtype=float), columns.shape[1])
    found, limits = quantile_estimates(
        design, np.repeat(columns, repeat, axis=1), np.repeat(domains, repeat, axis=1), asked, level=level, df=df
    )
    keys = [{"item": i, "probability": p, **key} for i in items for key in groups.keys for p in probabilities]
    wanted = {} if tuple(probabilities) == QUARTILES else {"probabilities": list(probabilities)}
    call = call_of("quantiles", survey, _said(items), by=by, **wanted, level=level, df=df)
    return _estimated(survey, keys, found, limits, groups, (call, (), ".2f"))


# ------------------------------------------------------------------------------ on arrays
def total_estimates(design: Design, columns: FloatArray, domains: np.ndarray) -> Estimates:
    """Weighted totals of columns over their domains, with the covariance of all.

    Parameters
    ----------
    design : Design
    columns : array, shape (rows, k)
        NaN where not answered.
    domains : bool array, shape (rows, k)

    Returns
    -------
    Estimates
        ``base_effective`` is that of the mean.
    """
    mean = weighted_means(design, columns, domains)
    filled = np.where(domains & np.isfinite(columns), columns, 0.0)
    sums = design.weights @ filled
    return Estimates(
        np.where(mean.base > 0, sums, np.nan), design.covariance(filled), mean.base, mean.base_effective, mean.base_kish, mean.df
    )  # fmt: skip


def ratio_estimates(design: Design, above: FloatArray, below: FloatArray, domains: np.ndarray) -> Estimates:
    """Ratios of weighted totals over their domains, with the covariance of all.

    Parameters
    ----------
    design : Design
    above, below : array, shape (rows, k)
        Numerators and denominators, NaN where not answered.
    domains : bool array, shape (rows, k)

    Returns
    -------
    Estimates
        The design effect compares with a simple random sample of the same base.
    """
    answered = domains & np.isfinite(above) & np.isfinite(below)
    weights = design.weights[:, None] * answered
    y, x = np.where(answered, above, 0.0), np.where(answered, below, 0.0)
    size, total = (weights * x).sum(axis=0), weights.sum(axis=0)
    base = (weights > 0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(size != 0, (weights * y).sum(axis=0) / size, np.nan)
        influence = np.where(answered & np.isfinite(ratio), (y - ratio * x) / np.where(size != 0, size, 1.0), 0.0)
        covariance = design.covariance(influence)
        simple = (weights * influence**2).sum(axis=0) * total / np.maximum(base - 1, 1)
        variance = np.diagonal(covariance)
        kish = np.where(total > 0, total**2 / (weights**2).sum(axis=0), 0.0)
        effective = np.where((variance > 0) & (base > 1), base * simple / variance, kish)
    return Estimates(ratio, covariance, base.astype(np.intp), effective, kish, design.domain_df(weights > 0))


def quantile_estimates(
    design: Design,
    columns: FloatArray,
    domains: np.ndarray,
    probabilities: FloatArray,
    *,
    level: float = 0.95,
    df: float | None = None,
) -> tuple[Estimates, tuple[FloatArray, FloatArray]]:
    """Weighted quantiles of columns over their domains with Woodruff's intervals.

    Parameters
    ----------
    design : Design
    columns : array, shape (rows, k)
        NaN where not answered.
    domains : bool array, shape (rows, k)
    probabilities : array, shape (k,)
    level : float
    df : float, optional

    Returns
    -------
    estimates : Estimates
        Standard errors from the length of the intervals, correlations from the shares.
    limits : tuple of arrays, shape (k,)
    """
    known = domains & np.isfinite(columns) & (design.weights > 0)[:, None]
    cumulated = [_cumulated(columns[m, k], design.weights[m]) for k, m in enumerate(known.T)]
    quantile = np.array([_quantile(c, p) for c, p in zip(cumulated, probabilities, strict=True)])
    below = weighted_means(design, np.where(known, columns <= quantile, np.nan), domains)
    t = t_quantile(level, below.df if df is None else np.full(len(quantile), df))
    half = np.where(below.se > 0, t * below.se, np.nan)  # the share of answers ≤ the largest is 1 without error
    low, high = (
        np.array([_quantile(c, p) for c, p in zip(cumulated, below.estimate + sign * half, strict=True)])
        for sign in (-1, 1)
    )
    se = (high - low) / (2 * t)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = below.covariance / np.outer(below.se, below.se)
    np.fill_diagonal(correlation, 1.0)
    covariance = np.outer(se, se) * np.nan_to_num(correlation)
    found = Estimates(quantile, covariance, below.base, below.base_effective, below.base_kish, below.df)
    return found, (low, high)


def _cumulated(values: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Answers in order and their cumulative shares of weight."""
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weights[order])
    return values[order], sums / sums[-1] if len(sums) else sums


def _quantile(cumulated: tuple[FloatArray, FloatArray], probability: float) -> float:
    """Smallest answer whose cumulative share reaches the probability; NaN outside 0 to 1."""
    values, shares = cumulated
    if not len(values) or not -_ROUNDING <= probability <= 1 + _ROUNDING:
        return np.nan
    return float(values[min(int(np.searchsorted(shares, probability - _ROUNDING)), len(values) - 1)])


_ROUNDING = 1e-12  # sums of weights in another order must not move a quantile


# ------------------------------------------------------------------------------ tables
def _prepared(
    survey: Survey, items: str | Sequence[str], by: str | Sequence[str] | None, argument: str = "items"
) -> tuple[list[str], Cells, Design]:
    chosen = [items] if isinstance(items, str) else list(items)
    if not chosen:
        raise SurveyError(f"{argument} is empty; name at least one column.")
    survey.require(argument, chosen)
    return chosen, cells(survey, by), resolve(survey)


def _answers(survey: Survey, name: str) -> FloatArray:
    values = survey.values(name)
    asked = survey.domain & (survey.weights > 0)
    if not np.isfinite(values[asked]).any():
        raise SurveyError(
            f"{name!r} has no answer among {int(asked.sum()):,} respondents; widen the filter, or leave it out."
        )
    return values


def _spread(values: list[FloatArray], groups: Cells) -> FloatArray:
    return np.repeat(np.column_stack(values), groups.inside.shape[1], axis=1)


def _tiled(groups: Cells, items: int) -> np.ndarray:
    return np.tile(groups.inside, (1, items))


def _said(items: list[str]) -> str | list[str]:
    return items if len(items) > 1 else items[0]


def _estimated(
    survey: Survey,
    keys: list[dict[str, Any]],
    found: Estimates,
    limits: tuple[FloatArray, FloatArray],
    groups: Cells,
    said: tuple[str, tuple[Mapping[str, str], ...], str],
) -> Estimated:
    call, notes, spec = said
    names = pd.Index([" · ".join(str(v) for v in key.values()) for key in keys])
    named = dict.fromkeys((c, k[c]) for k in keys for c in ("item", "denominator") if c in k)
    labels = {**groups.labels, **{key: wordings(survey, key[1]) for key in named}, **_HEADINGS}
    return Estimated(
        rows_of(keys, found, limits), base_of(survey, groups, found.base), (*notes_of(survey, groups), *notes), labels, call,
        formats={"estimate": spec, "low": spec, "high": spec, "se": spec, "probability": ".0%"},
        covariance=pd.DataFrame(found.covariance, names, names),
    )  # fmt: skip


_SUMS = {
    "en": "The weights sum to {total:,.0f}: totals are of that many.",
    "zh": "权重之和为 {total:,.0f}，合计即按该总体规模计算。",
}
_HEADINGS: dict[Any, Mapping[str, str]] = {
    "denominator": {"en": "Per", "zh": "分母"},
    "probability": {"en": "Quantile", "zh": "分位数"},
}
