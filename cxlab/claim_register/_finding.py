"""What a test of a claim finds: an estimate, its interval, and how surely it lies above or below any value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from cxlab.design import Estimates, t_quantile
from cxlab.intervals import korn_graubard

FloatArray = np.ndarray[Any, np.dtype[Any]]
Tails = Callable[[float], tuple[float, float]]


class Unfit(Exception):
    """Data on which a claim cannot be tested; says why in every language."""

    def __init__(self, reason: Mapping[str, str]) -> None:
        self.reason = reason
        super().__init__(reason["en"])


@dataclass(frozen=True, eq=False)
class Finding:
    """An estimate with its interval.

    Attributes
    ----------
    estimate, se, low, high : float
    base : int
        Respondents used, and ``base_effective``.
    tails : callable
        Of a value v: the one-sided p-values of "not above v" and of "not below v". They agree with the interval:
        the first is (1 − level) / 2 at ``low``, the second at ``high``.
    remarks : tuple of mapping of language to str
    details : mapping of name to DataFrame
        Further tables.
    """

    estimate: float
    se: float
    low: float
    high: float
    base: int
    base_effective: float
    tails: Tails
    remarks: tuple[Mapping[str, str], ...] = ()
    details: Mapping[str, pd.DataFrame] | None = None


def by_t(estimate: float, se: float, df: float, level: float, base: tuple[int, float]) -> Finding:
    """An estimate with a symmetric t interval; ``base`` is that of respondents and the effective one."""
    half = float(t_quantile(level, df)) * se

    def tails(value: float) -> tuple[float, float]:
        t = (estimate - value) / se
        return float(stats.t.sf(t, df)), float(stats.t.cdf(t, df))

    return Finding(estimate, se, estimate - half, estimate + half, *base, tails)


def by_fieller(
    above: float, below: float, covariance: FloatArray, df: float, level: float, base: tuple[int, float]
) -> Finding:
    """A ratio of two estimates, the lower one positive, with Fieller's interval.

    Parameters
    ----------
    above, below : float
        Numerator and denominator.
    covariance : array, shape (2, 2)
    df, level : float
    base : (respondents, effective base)

    Returns
    -------
    Finding
        Unbounded, without p-values, where the denominator is not significantly different from 0.

    Notes
    -----
    All v for which |above − v · below| ≤ t · √(V₁₁ − 2 v V₁₂ + v² V₂₂).

    References
    ----------
    Fieller (1954), JRSS B 16, 175–185.
    """
    t = float(t_quantile(level, df))
    (v11, v12), (_, v22) = covariance
    ratio = above / below
    se = float(np.sqrt(max(v11 - 2 * ratio * v12 + ratio**2 * v22, 0.0)) / below)
    lead, middle, last = below**2 - t**2 * v22, above * below - t**2 * v12, above**2 - t**2 * v11
    if lead <= 0:
        return Finding(ratio, se, -np.inf, np.inf, *base, lambda _: (float("nan"), float("nan")))
    root = np.sqrt(max(middle**2 - lead * last, 0.0))

    def tails(value: float) -> tuple[float, float]:
        score = (above - value * below) / np.sqrt(v11 - 2 * value * v12 + value**2 * v22)
        return float(stats.t.sf(score, df)), float(stats.t.cdf(score, df))

    return Finding(ratio, se, float((middle - root) / lead), float((middle + root) / lead), *base, tails)


def by_beta(found: Estimates, level: float) -> Finding:
    """A share (the only one of the estimates) with Korn and Graubard's interval."""
    share, variance, base = found.estimate, np.diagonal(found.covariance), found.base.astype(float)
    low, high = korn_graubard(share, variance, base, found.base_kish, found.df, level)
    inner = variance[0] > 0 and 0 < share[0] < 1
    effective = float(share[0] * (1 - share[0]) / variance[0]) if inner else float(found.base_kish[0])
    effective *= float(t_quantile(level, base[0] - 1) / t_quantile(level, found.df[0])) ** 2
    yes, no = effective * float(share[0]), effective * float(1 - share[0])

    def tails(value: float) -> tuple[float, float]:
        v = min(max(value, 0.0), 1.0)
        over = float(special.betainc(yes, no + 1, v)) if yes > 0 else 1.0
        under = 1 - float(special.betainc(yes + 1, no, v)) if no > 0 else 1.0
        return over, under

    limits = (float(low[0]), float(high[0]))
    return Finding(
        float(share[0]), float(found.se[0]), *limits, int(found.base[0]), float(found.base_effective[0]), tails
    )


def by_fisher(r: float, units: int, level: float, base: tuple[int, float]) -> Finding:
    """A correlation over units with Fisher's interval."""
    scale = float(np.sqrt(units - 3))
    half = float(t_quantile(level, np.inf)) / scale
    with np.errstate(divide="ignore"):  # units on a line: no error, which the caller says
        z = float(np.arctanh(r))

    def tails(value: float) -> tuple[float, float]:
        score = scale * (z - float(np.arctanh(np.clip(value, -1, 1))))
        return float(stats.norm.sf(score)), float(stats.norm.cdf(score))

    return Finding(r, (1 - r**2) / scale, float(np.tanh(z - half)), float(np.tanh(z + half)), *base, tails)


SUPPORTED, CONTRADICTED, UNDECIDED, UNTESTABLE = "supported", "contradicted", "not decided", "untestable"


def status_of(low: float, high: float, claimed: tuple[float, float]) -> str:
    """Where an interval stands to a claimed range: inside, outside, or across its ends.

    Examples
    --------
    >>> [status_of(*interval, (13, 18)) for interval in ((14, 15), (8, 9), (12, 14))]
    ['supported', 'contradicted', 'not decided']
    """
    if low >= claimed[0] and high <= claimed[1]:
        return SUPPORTED
    return CONTRADICTED if high < claimed[0] or low > claimed[1] else UNDECIDED


def claim_p_values(tails: Tails, claimed: tuple[float, float]) -> tuple[float, float]:
    """p-value for the claim (two one-sided tests: the larger) and against it (the smaller)."""
    ends = [v for v in claimed if np.isfinite(v)]
    into = [tails(v)[0 if v == claimed[0] else 1] for v in ends]
    out = [tails(v)[1 if v == claimed[0] else 0] for v in ends]
    return max(into), min(out)
