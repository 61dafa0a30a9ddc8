"""Tests of groups: every pair and all at once, with effect sizes and what the bases could have shown."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from cxlab.contrasts import benjamini_hochberg, detectable, holm, p_values
from cxlab.design import Design, t_quantile
from cxlab.segments._compare_levels import Groups, Levels, Question
from cxlab.significance import Inference, equal_means, group_df, pair_df, table_test

FloatArray = np.ndarray[Any, np.dtype[Any]]
ADJUSTMENTS = ("holm", "bh", "bonferroni", "games-howell", "none")


@dataclass(frozen=True, eq=False)
class Pairs:
    """Comparisons of one score: arrays of shape (pairs,), group ``second`` minus group ``first``."""

    first: np.ndarray
    second: np.ndarray
    estimate: FloatArray
    se: FloatArray
    df: FloatArray
    low: FloatArray
    high: FloatArray
    p_raw: FloatArray
    effect: FloatArray
    effect_low: FloatArray
    effect_high: FloatArray

    def columns(self) -> dict[str, FloatArray]:
        """The numbers that go into the table."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("first", "second", "df")}


def compare(design: Design, found: Levels, kind: str, *, classic: bool, level: float) -> Pairs:
    """Compare every pair of groups on one score.

    Notes
    -----
    Means: Welch's t, or the design-based t from the joint covariance. Shares without a design: chi-square of
    the 2 × 2 table and Newcombe's interval.
    """
    k = len(found.variance)
    first, second = np.triu_indices(k, 1)
    e, v = found.estimates, found.joint
    estimate = e.estimate[second] - e.estimate[first]
    variance = v[first, first] + v[second, second] - 2 * v[first, second]
    usable = np.minimum(e.base[first], e.base[second]) > 1
    se = np.where(usable, np.sqrt(np.maximum(variance, 0)), np.nan)
    df = _welch_df(v, e.base, first, second) if classic else pair_df(design, found.member, k)[first, second]
    half = t_quantile(level, df) * se
    low, high, raw = estimate - half, estimate + half, p_values(estimate, se, df)
    if classic and kind == "share":
        raw = np.where(usable, _two_by_two(e.estimate, e.base, first, second), np.nan)
        low, high = _newcombe(e.estimate, e.base, first, second, level)
    elif classic:
        deviation = np.sqrt(found.variance)
        raw = stats.ttest_ind_from_stats(
            e.estimate[second], deviation[second], e.base[second],
            e.estimate[first], deviation[first], e.base[first], equal_var=False,
        ).pvalue  # fmt: skip
        raw = np.where(se > 0, raw, np.nan)
    effect, wide = _cohen_h(found, first, second) if kind == "share" else _hedges_g(found, first, second)
    reach = t_quantile(level, df) * wide
    return Pairs(first, second, estimate, se, df, low, high, raw, effect, effect - reach, effect + reach)


def _welch_df(v: FloatArray, base: np.ndarray, first: np.ndarray, second: np.ndarray) -> FloatArray:
    own, n = np.diagonal(v), np.maximum(base - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = (own[first] + own[second]) ** 2 / (own[first] ** 2 / n[first] + own[second] ** 2 / n[second])
    return np.where(np.isfinite(df), df, 1.0)


def _two_by_two(share: FloatArray, base: np.ndarray, first: np.ndarray, second: np.ndarray) -> FloatArray:
    n, m = base[first], base[second]
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (n * share[first] + m * share[second]) / (n + m)
        z2 = (share[first] - share[second]) ** 2 / (pooled * (1 - pooled) * (1 / n + 1 / m))
    return np.where(np.isfinite(z2), stats.chi2.sf(z2, 1), np.nan)


def _newcombe(
    share: FloatArray, base: np.ndarray, first: np.ndarray, second: np.ndarray, level: float
) -> tuple[FloatArray, FloatArray]:
    """Hybrid score interval of the difference second − first (Newcombe 1998, method 10)."""
    z = stats.norm.ppf(0.5 + level / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (share + z**2 / (2 * base)) / (1 + z**2 / base)
        half = z * np.sqrt(share * (1 - share) / base + z**2 / (4 * base**2)) / (1 + z**2 / base)
    low, high = centre - half, centre + half
    gap = share[second] - share[first]
    down = np.sqrt((share[second] - low[second]) ** 2 + (high[first] - share[first]) ** 2)
    up = np.sqrt((high[second] - share[second]) ** 2 + (share[first] - low[first]) ** 2)
    return gap - down, gap + up


def hedges_correction(df: Any) -> Any:
    """Factor J that takes the small-sample bias out of Cohen's d.

    Examples
    --------
    >>> round(float(hedges_correction(18.0)), 6)
    0.957646
    """
    half = np.maximum(df, 2.0) / 2
    return np.exp(special.gammaln(half) - special.gammaln(half - 0.5)) / np.sqrt(half)


def _hedges_g(found: Levels, first: np.ndarray, second: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Hedges g and its standard error, linearised in both means and both variances."""
    e, k = found.estimates, len(found.variance)
    n, m = e.base[first], e.base[second]
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (n - 1) / (n + m - 2), (m - 1) / (n + m - 2)
        spread = np.sqrt(a * found.variance[first] + b * found.variance[second])
        spread = np.where(spread > 0, spread, np.nan)
        j = hedges_correction(e.base_kish[first] + e.base_kish[second] - 2)
        g = j * (e.estimate[second] - e.estimate[first]) / spread
        slopes = np.stack([-j / spread, j / spread, -g / (2 * spread**2) * a, -g / (2 * spread**2) * b], axis=1)
    at = np.stack([first, second, k + first, k + second], axis=1)
    variance = np.einsum("pi,pj,pij->p", slopes, slopes, found.joint[at[:, :, None], at[:, None, :]])
    usable = (np.minimum(n, m) > 1) & np.isfinite(g)
    return np.where(usable, g, np.nan), np.where(usable, np.sqrt(np.maximum(variance, 0)), np.nan)


def _cohen_h(found: Levels, first: np.ndarray, second: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Cohen's h = 2 asin √p₂ − 2 asin √p₁ and its standard error; at 0 and 100 % the variance is 1 / Kish's base."""
    e = found.estimates
    share = np.clip(e.estimate, 0, 1)
    angle = 2 * np.arcsin(np.sqrt(share))
    inner = (share > 0) & (share < 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(inner, 1 / np.sqrt(share * (1 - share)), 0.0)
        edge = np.where(inner, 0.0, 1 / e.base_kish)
    v = e.covariance * slope[:, None] * slope + np.diag(np.nan_to_num(edge, posinf=np.inf))
    variance = v[first, first] + v[second, second] - 2 * v[first, second]
    usable = np.minimum(e.base[first], e.base[second]) > 1
    se = np.where(usable, np.sqrt(np.maximum(variance, 0)), np.nan)
    return np.where(usable, angle[second] - angle[first], np.nan), se


# ------------------------------------------------------------------------------ all groups at once
def overall(
    design: Design, question: Question, found: Levels, groups: Groups, *, classic: bool, level: float
) -> dict[str, Any]:
    """Test all groups of one item at once; groups under an effective base of 30 stay out if two others remain."""
    e = found.estimates
    enough = (e.base > 1) & (found.variance > 0)
    large = enough & (e.base_effective >= 30)
    kept = large if large.sum() > 1 else enough
    if question.answers is not None or question.scores[0].kind == "share":
        kept = e.base > 1 if large.sum() < 2 else (e.base > 1) & (e.base_effective >= 30)
        measure, tested, effects = "Cramér V", *_table_of(design, question, found, kept, classic, level)
    else:
        measure = "eta squared"
        tested = _welch(found, question, kept) if classic else _f(design, found, kept)
        effects = (_eta_squared(design, question, found, kept), np.nan, np.nan)
    return {
        "item": question.item, "test": tested.test, "statistic": tested.statistic, "df1": tested.df1,
        "df2": tested.df2, "p_raw": tested.p_value, "measure": measure, "effect": effects[0],
        "effect_low": effects[1], "effect_high": effects[2], "groups": int(kept.sum()), "left_out": int((~kept).sum()),
        "base": int(e.base[kept].sum()), "reliability": "ok" if large.sum() > 1 else "suppressed",
    }  # fmt: skip


def _kept_member(found: Levels, kept: np.ndarray) -> np.ndarray:
    """Groups numbered anew among those kept, −1 for all others."""
    place = np.where(kept, np.cumsum(kept) - 1, -1)
    return np.where(found.member >= 0, place[np.maximum(found.member, 0)], -1)


def _f(design: Design, found: Levels, kept: np.ndarray) -> Inference:
    at = np.flatnonzero(kept)
    if len(at) < 2:
        return Inference("design-based F", np.nan, np.nan, np.nan, np.nan)
    e = found.estimates
    df = group_df(design, _kept_member(found, kept), len(at))
    return equal_means(e.estimate[at], e.covariance[np.ix_(at, at)], df)


def _welch(found: Levels, question: Question, kept: np.ndarray) -> Inference:
    if kept.sum() < 2:
        return Inference("Welch ANOVA", np.nan, np.nan, np.nan, np.nan)
    from pingouin import welch_anova

    row = welch_anova(_frame(found, question, kept), dv="value", between="group").iloc[0]
    return Inference("Welch ANOVA", float(row["F"]), float(row["ddof1"]), float(row["ddof2"]), float(row["p_unc"]))


def _frame(found: Levels, question: Question, kept: np.ndarray) -> pd.DataFrame:
    group = _kept_member(found, kept)
    rows = group >= 0
    return pd.DataFrame({"value": question.scores[0].values[rows], "group": group[rows]})


def _eta_squared(design: Design, question: Question, found: Levels, kept: np.ndarray) -> float:
    """Share of the variance between the groups, weighted."""
    group = _kept_member(found, kept)
    rows = group >= 0
    if kept.sum() < 2:
        return float("nan")
    w, x, at = design.weights[rows], question.scores[0].values[rows], np.flatnonzero(kept)
    mean = np.average(x, weights=w)
    between = np.bincount(group[rows], w) @ (found.estimates.estimate[at] - mean) ** 2
    return float(between / (w @ (x - mean) ** 2))


def _table_of(
    design: Design, question: Question, found: Levels, kept: np.ndarray, classic: bool, level: float
) -> tuple[Inference, tuple[float, float, float]]:
    name = "chi-square" if classic else "Rao–Scott F"
    answers = question.answers if question.answers is not None else np.nan_to_num(question.scores[0].values, nan=-1)
    group = _kept_member(found, kept)
    inside = (group >= 0) & (answers >= 0)
    seen, rows = np.unique(answers[inside], return_inverse=True)
    if len(seen) < 2 or kept.sum() < 2:
        return Inference(name, np.nan, np.nan, np.nan, np.nan), (np.nan, np.nan, np.nan)
    codes, columns = np.full(len(group), -1), np.where(inside, group, -1)
    codes[inside] = rows
    size = (len(seen), int(kept.sum()))
    if classic:
        counts = np.bincount(codes[inside] * size[1] + columns[inside], minlength=size[0] * size[1]).reshape(size)
        plain = stats.chi2_contingency(counts, correction=False)
        v = float(np.sqrt(plain.statistic / (counts.sum() * (min(size) - 1))))
        tested = Inference(
            name, float(plain.statistic), float(plain.dof), np.nan, float(plain.pvalue), cramers_v=v, deff=1.0
        )
    else:
        tested = table_test(design, codes, columns)
    return tested, (tested.cramers_v, *_cramer_interval(tested, int(inside.sum()), size, level))


def _cramer_interval(tested: Inference, base: int, size: tuple[int, int], level: float) -> tuple[float, float]:
    """Noncentral chi-square interval of V on the base over the table's design effect; low is 0 if none excludes it."""
    df, tail = float((size[0] - 1) * (size[1] - 1)), (1 - level) / 2
    limit = base * (min(size) - 1) / max(tested.deff, 1e-12)
    x = tested.cramers_v**2 * limit

    def noncentrality(share: float) -> float:
        if special.chdtr(df, x) <= share:
            return -df
        return float(optimize.brentq(lambda n: special.chndtr(x, df, n) - share, 1e-9, 10 * x + 100))

    low, high = noncentrality(1 - tail), noncentrality(tail)
    return float(np.sqrt((low + df) / limit)), float(min(np.sqrt(max(high + df, 0) / limit), 1.0))


# ------------------------------------------------------------------------------ families
def adjusted(p: FloatArray, adjust: str) -> FloatArray:
    """p-values adjusted over one family; NaNs stay and do not count."""
    if adjust == "holm":
        return holm(p)
    if adjust == "bh":
        return benjamini_hochberg(p)
    if adjust == "bonferroni":
        return np.minimum(p * np.sum(~np.isnan(p)), 1.0)
    return p


def games_howell(found: Levels, question: Question) -> FloatArray:
    """p-values of all pairs, adjusted within the item; NaN where a group has fewer than two answers or no variance."""
    from pingouin import pairwise_gameshowell

    kept = (found.estimates.base > 1) & (found.variance > 0)
    out = np.full((len(kept), len(kept)), np.nan)
    if kept.sum() > 1:
        at = np.flatnonzero(kept)
        p = pairwise_gameshowell(_frame(found, question, kept), dv="value", between="group")["pval"]
        i, j = np.triu_indices(len(at), 1)
        out[at[i], at[j]] = p.to_numpy()
    return out[np.triu_indices(len(kept), 1)]


def smallest_visible(pairs: Pairs, *, tests: int, adjust: str, level: float, power: float) -> FloatArray:
    """Smallest true difference found with the given power, at the strictest level of the family."""
    if adjust == "games-howell":
        groups = int(pairs.second.max()) + 1
        strict = stats.studentized_range.ppf(level, groups, pairs.df) / np.sqrt(2)
        return (strict + stats.norm.ppf(power)) * pairs.se
    strictest = 1 - (1 - level) / (1 if adjust == "none" else max(tests, 1))
    return np.where(pairs.se > 0, detectable(pairs.se, pairs.df, level=strictest, power=power), np.nan)
