"""Prices, margins and numbers of customers: how they are given, and how uncertain they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import p_values
from cxlab.design import resolve, t_quantile
from cxlab.errors import SurveyError
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Price:
    """The price of every row, and by how much the price of a whole group may be off.

    Attributes
    ----------
    column : array, shape (rows,)
        NaN where there is none.
    relative : array, shape (groups,)
        Standard error of the group's price as a share of it.
    common : bool
        Whether the error is that of one price, and so the same in all groups.
    """

    column: FloatArray
    relative: FloatArray
    common: bool = False

    @property
    def uncertain(self) -> bool:
        """Whether some price was given with an error."""
        return bool((self.relative > 0).any())

    def drawn(self, count: int, rng: np.random.Generator | None) -> FloatArray:
        """Factors on the prices of every group, shape (count, groups); ones without a generator."""
        groups = len(self.relative)
        if rng is None:
            return np.ones((count, groups))
        chance = rng.standard_normal((count, 1 if self.common else groups))
        return np.asarray(1 + self.relative * chance)

    def revenue_shares(
        self, survey: Survey, groups: Mapping[Any, np.ndarray], sizes: FloatArray | None, level: float
    ) -> tuple[pd.DataFrame, float]:
        """Share of every group in what all customers pay, and the p-value that the largest is no larger than another.

        A group's part is its customers (their weight, or ``sizes``) times its mean price, by linearisation; respondents without a price count
        as customers.
        """
        design, weighed = resolve(survey), survey.weights > 0
        known = np.isfinite(self.column) & weighed
        inside = np.column_stack([rows & weighed for rows in groups.values()]).astype(float)
        member = inside * known[:, None]
        paid = np.where(known, self.column, 0.0)[:, None]
        heads = np.maximum(design.weights @ member, np.finfo(float).tiny)
        mean = design.weights @ (member * paid) / heads
        customers = design.weights @ inside if sizes is None else sizes
        influence = member * (paid - mean) * customers / heads
        if sizes is None:
            influence = influence + inside * mean
        total = float(customers @ mean)
        share = customers * mean / total
        covariance = design.covariance((influence - influence.sum(axis=1)[:, None] * share) / total)
        if not self.common:  # one error of all prices leaves the shares as they are
            turn = np.diag(share) - np.outer(share, share)
            covariance = covariance + turn @ np.diag(self.relative**2) @ turn.T
        se = np.sqrt(np.maximum(np.diagonal(covariance), 0))
        half = t_quantile(level, design.domain_df(member > 0)) * se
        first = int(np.argmax(share))
        others = np.delete(np.arange(len(share)), first)
        spread = np.diagonal(covariance)[others] + covariance[first, first] - 2 * covariance[first, others]
        df = design.presence(member > 0).pair_df(np.full(len(others), first), others)
        p = p_values(share[first] - share[others], np.sqrt(np.maximum(spread, 0)), df)
        table = pd.DataFrame({"segment": list(groups), "estimate": share, "se": se, "low": np.maximum(share - half, 0),
                              "high": np.minimum(share + half, 1), "base": (member > 0).sum(axis=0)})  # fmt: skip
        return table, float(np.max(p))


def prices_of(survey: Survey, prices: Any, by: str | None, groups: Mapping[Any, np.ndarray]) -> Price:
    """Prices from a column, a number, or a mapping of segments."""
    rows, none = len(survey.data), np.zeros(len(groups))
    if isinstance(prices, str):
        survey.require("prices", [prices])
        column = survey.values(prices)
        asked = survey.domain & (survey.weights > 0)
        bad = int(np.sum(asked & (column <= 0)))
        if bad:
            raise SurveyError(
                f"prices: {prices!r} is 0 or less for {bad:,} respondents; a price is above 0, or missing."
            )
        without = [repr(c) for c, inside in groups.items() if not np.isfinite(column[inside & asked]).any()]
        if without:
            where = (
                "all respondents"
                if by is None
                else f"all respondents of {len(without)} of {len(groups)} segments ({', '.join(without)})"
            )
            raise SurveyError(
                f"prices: {prices!r} is missing for {where}; join the table that has it, or give the prices as a mapping."
            )
        return Price(column, none)
    if not isinstance(prices, Mapping):
        value, se = _pair("prices", prices)
        return Price(np.full(rows, value), np.full(len(groups), se / value), common=True)
    if by is None:
        raise SurveyError("prices is a mapping of segments; name the segment with by=.")
    given = _by_code(survey, "prices", prices, by, list(groups))
    column, relative = np.full(rows, np.nan), none.copy()
    for k, (code, inside) in enumerate(groups.items()):
        value, se = _pair("prices", given[code])
        column[inside], relative[k] = value, se / value
    return Price(column, relative)


def populations(survey: Survey, population: Any, by: str | None, codes: Sequence[Any]) -> dict[Any, float] | None:
    """Customers of every segment."""
    if population is None:
        return None
    if isinstance(population, Mapping):
        if by is None:
            raise SurveyError("population is a mapping of segments; name the segment with by=.")
        given = _by_code(survey, "population", population, by, codes)
    elif by is not None:
        raise SurveyError(f"population is {population!r}; with by= it is a mapping of every segment to its customers.")
    else:
        given = {None: population}
    for value in given.values():
        if not isinstance(value, Real) or isinstance(value, bool) or not 0 < float(value) < np.inf:
            raise SurveyError(f"population holds {value!r}; it is a number of customers above 0.")
    return {code: float(value) for code, value in given.items()}


def margin_of(margin: Any) -> tuple[float, float]:
    """Margin and its standard error; 1 and 0 for revenue."""
    if margin is None:
        return 1.0, 0.0
    value, se = _pair("margin", margin)
    if value > 1:
        raise SurveyError(f"margin is {value:g}; it is a share of the price, 0 to 1.")
    return value, se


def _pair(argument: str, given: Any) -> tuple[float, float]:
    """A number above 0, or one with its standard error."""
    value, se = given if isinstance(given, (tuple, list)) and len(given) == 2 else (given, 0.0)
    numbers = all(isinstance(v, Real) and not isinstance(v, bool) and np.isfinite(float(v)) for v in (value, se))
    if not numbers or float(value) <= 0 or float(se) < 0:
        raise SurveyError(f"{argument} holds {given!r}; it is a number above 0, or (number, standard error).")
    return float(value), float(se)


def _by_code(survey: Survey, argument: str, given: Mapping[Any, Any], by: str, codes: Sequence[Any]) -> dict[Any, Any]:
    """A mapping of codes or labels, keyed by the codes of all groups."""
    column = survey.column_of(by)
    out: dict[Any, Any] = {}
    for key, value in given.items():
        for code in survey.codes_of(column, key):
            if out.setdefault(code, value) != value:
                raise SurveyError(
                    f"{argument} names one segment of {by!r} twice, with {out[code]!r} and {value!r} (as {key!r}); keep one."
                )
    without = [c for c in codes if c not in out]
    if without:
        item = survey.codebook.items.get(column)
        shown = ", ".join(repr(item.value_label(c) if item else str(c)) for c in without)
        raise SurveyError(f"{argument} names no value for {len(without)} of {len(codes)} segments of {by!r}: {shown}.")
    return {c: out[c] for c in codes}
