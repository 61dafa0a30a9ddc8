"""Are the constructs of two groups the same thing? Composition, means and variances of composites (MICOM)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlab.contrasts import holm
from cxlab.design import t_quantile
from cxlab.layers._groups_cells import Group, Moments, Options, under
from cxlab.layers._kernel import Estimates, Kernel
from cxlab.layers._permute import Labels
from cxlab.layers._prepare import Prepared
from cxlab.result import reliability

FloatArray = np.ndarray[Any, np.dtype[Any]]
UNTESTED = "untested"  # invariance of a construct whose composition could not be tested
_EVEN = 1e-12  # correlations of compositions that differ by less are the same


@dataclass(frozen=True, eq=False)
class Pair:
    """Two groups that are compared.

    Attributes
    ----------
    first, second : Group
    pooled : Kernel
        The model of both together.
    df : array, shape (2,)
        Units − strata of each group, and ``both``, of both together.
    labels : Labels
    """

    first: Group
    second: Group
    pooled: Kernel
    df: FloatArray
    both: float
    labels: Labels

    @property
    def base(self) -> float:
        """Effective base of the smaller group."""
        return min(*(min(float(g.base), g.base_kish) for g in (self.first, self.second)))


@dataclass(frozen=True, eq=False)
class Gap:
    """What two groups differ by: a value each for one or several constructs.

    Attributes
    ----------
    c : array, shape (batch, m)
        Correlation of the composites that the weights of both groups make of the pooled items.
    mean : array, shape (batch, m)
        First minus second, in standard deviations of the pooled composite.
    variance : array, shape (batch, m)
        Logarithm of the ratio of variances.
    """

    c: FloatArray
    mean: FloatArray
    variance: FloatArray


@dataclass(frozen=True, eq=False)
class Permuted:
    """Both groups under permuted labels."""

    first: Estimates
    second: Estimates
    gap: Gap

    @property
    def sound(self) -> np.ndarray:
        """Permutations in which both have a solution."""
        return self.first.converged & self.second.converged


def pairs_of(total: Prepared, groups: Sequence[Group], options: Options) -> list[Pair]:
    """Every two of the groups that are tested."""
    out = []
    for first, second in combinations(groups, 2):
        rows = first.inside | second.inside
        both = total if rows.all() else total.within(rows)
        own = np.array([_df(g) for g in (first, second)])
        pooled = Kernel(both, options.scheme, options.method == "plsc")
        out.append(Pair(first, second, pooled, own, both.sample.df, Labels(both.sample, first.inside[rows])))
    return out


def _df(group: Group) -> float:
    return group.kernel.prepared.sample.df if group.kernel is not None else 1.0


def obstacle(pairs: Sequence[Pair], options: Options) -> str:
    """Why the steps cannot be tested by permutation, ``""`` where they can."""
    if not options.permutations:
        return "asked"
    if options.missing != "listwise":
        return "missing"
    if pairs and pairs[0].pooled.products:
        return "products"
    found = [p.labels.obstacle for p in pairs]
    return next((reason for reason in ("units", "strata", "few") if reason in found), "")


def permuted(pair: Pair, options: Options, place: int) -> Permuted:
    """Estimate both groups anew under permuted labels."""
    rng = np.random.default_rng([options.seed, 2, place])
    one, two = pair.labels.moments(options.permutations, rng)
    found = [
        under(g.kernel.prepared, m, options)
        for g, m in zip((pair.first, pair.second), (one, two), strict=True)
        if g.kernel is not None
    ]
    return Permuted(found[0], found[1], gap_of(pair, (found[0].outer, found[1].outer), (one, two)))


def gap_of(pair: Pair, outer: tuple[FloatArray, FloatArray], moments: tuple[Moments, Moments]) -> Gap:
    """Correlation of compositions, and differences of the composites that the pooled weights make.

    Parameters
    ----------
    pair : Pair
    outer : two arrays, shape (batch, items, m)
    moments : two of (means, covariances)
    """
    pooled = pair.pooled.sample
    matrix, q = pooled.correlations[0], len(pair.pooled.products)
    one, two = (w[:, :, q:] for w in outer)
    across = [np.einsum("bkm,bkm->bm", a, np.matmul(matrix, b)) for a, b in ((one, two), (one, one), (two, two))]
    spread = np.sqrt(np.diagonal(pair.pooled.prepared.source.covariance()))
    direction = pooled.outer[0][:, q:] / spread[:, None]
    variances = [
        np.einsum("km,bkl,lm->bm", direction, covariance, direction, optimize=True) for _, covariance in moments
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        c = across[0] / np.sqrt(across[1] * across[2])
        ratio = np.log(variances[0] / variances[1])
    return Gap(c, (moments[0][0] - moments[1][0]) @ direction, ratio)


def own_moments(group: Group) -> Moments:
    """Means and covariances of a group itself, as a batch of one."""
    if group.kernel is None:
        return np.empty((0, 0)), np.empty((0, 0, 0))
    source = group.kernel.prepared.source
    return source.mean()[None], source.covariance()[None]


# ------------------------------------------------------------------------------ the table
def micom_table(pairs: Sequence[Pair], drawn: Sequence[Permuted | None], options: Options) -> pd.DataFrame:
    """One row per construct and pair of groups: the three steps."""
    if not pairs:
        return pd.DataFrame(columns=_COLUMNS)
    parts = [
        _rows(pair, _permutation(pair, p, options) if p is not None else _wald(pair, options))
        for pair, p in zip(pairs, drawn, strict=True)
    ]
    table = pd.concat(parts, ignore_index=True)
    names = list(dict.fromkeys(table["construct"]))
    table["_place"] = [names.index(c) for c in table["construct"]]
    table = table.sort_values("_place", kind="stable", ignore_index=True)
    for step in ("c", "mean", "variance"):  # a family: the pairs of a construct
        for name in names:
            rows = (table["construct"] == name).to_numpy()
            table.loc[rows, f"{step}_p_value"] = holm(table.loc[rows, f"{step}_p_raw"].to_numpy(dtype=float))
    alpha = 1 - options.level
    for step, verdict in (("c", "composed_alike"), ("mean", "equal_means"), ("variance", "equal_variances")):
        table[verdict] = ~(table[f"{step}_p_value"] < alpha)
    equal = table["equal_means"] & table["equal_variances"]
    unknown = table["c_p_value"].isna() & (table["items"] > 1)  # too few units for a test of that many weights
    table["composed_alike"] &= ~unknown
    table["invariance"] = np.select(
        [unknown, ~table["composed_alike"], equal], [UNTESTED, "none", "full"], default="partial"
    )
    table["configural"] = True
    return table[_COLUMNS]


_COLUMNS = [
    "construct", "segment", "other", "items", "configural", "c", "c_null", "c_p_value", "composed_alike", "mean_gap",
    "mean_null_low", "mean_null_high", "mean_p_value", "equal_means", "variance_ratio", "variance_null_low", "variance_null_high",
    "variance_p_value", "equal_variances", "invariance", "c_p_raw", "mean_p_raw", "variance_p_raw", "base_effective", "reliability",
]  # fmt: skip


def _rows(pair: Pair, found: dict[str, FloatArray]) -> pd.DataFrame:
    kernel = pair.pooled
    own = range(len(kernel.products), len(kernel.names))
    gap = _observed(pair)
    return pd.DataFrame({
        "construct": [kernel.names[j] for j in own], "segment": pair.first.code, "other": pair.second.code, "items": _items(pair),
        "c": gap.c[0], "mean_gap": gap.mean[0], "variance_ratio": np.exp(gap.variance[0]), **found,
        "base_effective": pair.base, "reliability": str(reliability(pair.base)),
    })  # fmt: skip


def _observed(pair: Pair) -> Gap:
    estimates = [g.kernel.sample.outer for g in (pair.first, pair.second) if g.kernel is not None]
    return gap_of(pair, (estimates[0], estimates[1]), (own_moments(pair.first), own_moments(pair.second)))


def _items(pair: Pair) -> np.ndarray:
    """Items behind each construct."""
    return np.count_nonzero(pair.pooled.sample.outer[0][:, len(pair.pooled.products) :], axis=0)


def _permutation(pair: Pair, drawn: Permuted, options: Options) -> dict[str, FloatArray]:
    """Quantiles and p-values from permuted labels.

    Notes
    -----
    The observed labels count as one of the permutations.
    """
    gap, sound, alpha = _observed(pair), drawn.sound, 1 - options.level
    count = int(sound.sum())
    single = _items(pair) == 1
    below = (drawn.gap.c[sound] <= gap.c + _EVEN).sum(axis=0)
    out = {"c_null": np.where(single, np.nan, np.quantile(drawn.gap.c[sound], alpha, axis=0)),
           "c_p_raw": np.where(single, np.nan, (1 + below) / (1 + count))}  # fmt: skip
    for step, values, own in (
        ("mean", drawn.gap.mean[sound], gap.mean),
        ("variance", drawn.gap.variance[sound], gap.variance),
    ):
        low, high = np.quantile(values, [alpha / 2, 1 - alpha / 2], axis=0)
        tail = np.minimum((values <= own).sum(axis=0), (values >= own).sum(axis=0))
        out |= {f"{step}_null_low": low, f"{step}_null_high": high,
                f"{step}_p_raw": np.minimum(2 * (1 + tail) / (1 + count), 1.0)}  # fmt: skip
    return _as_ratios(out)


def _as_ratios(found: dict[str, FloatArray]) -> dict[str, FloatArray]:
    ends = ("variance_null_low", "variance_null_high")
    return found | {end: np.exp(found[end]) for end in ends}


# ------------------------------------------------------------------------------ Wald tests
def _wald(pair: Pair, options: Options) -> dict[str, FloatArray]:
    """Differences against their covariance over the replicates that both groups share."""
    one, two = pair.first, pair.second
    m = len(_items(pair))
    nothing = np.full(m, np.nan)
    if one.draws is None or two.draws is None or one.moments is None or two.moments is None:
        return dict.fromkeys(_TESTED, nothing)
    sound = one.draws.converged & two.draws.converged
    outer = (one.draws.outer[sound], two.draws.outer[sound])
    moments = [(mean[sound], covariance[sound]) for mean, covariance in (one.moments, two.moments)]
    drawn, gap = gap_of(pair, outer, (moments[0], moments[1])), _observed(pair)
    out = {"c_null": nothing, "c_p_raw": _composition(pair, outer)}
    for step, values, own in (("mean", drawn.mean, gap.mean), ("variance", drawn.variance, gap.variance)):
        se = values.std(axis=0, ddof=1)
        df = _satterthwaite(_variances(pair, step, sound), pair.df, pair.both)
        reach = t_quantile(options.level, df) * se
        out |= {f"{step}_null_low": -reach, f"{step}_null_high": reach,
                f"{step}_p_raw": 2 * stats.t.sf(np.abs(own[0]) / np.where(se > 0, se, np.nan), df)}  # fmt: skip
    return _as_ratios(out)


_TESTED = ("c_null", "c_p_raw", "mean_null_low", "mean_null_high", "mean_p_raw", "variance_null_low", "variance_null_high",
           "variance_p_raw")  # fmt: skip


def _variances(pair: Pair, step: str, sound: np.ndarray) -> FloatArray:
    """Variance of each group's part of a difference over the replicates, shape (2, m)."""
    q = len(pair.pooled.products)
    spread = np.sqrt(np.diagonal(pair.pooled.prepared.source.covariance()))
    direction = pair.pooled.sample.outer[0][:, q:] / spread[:, None]
    parts = []
    for group in (pair.first, pair.second):
        means, covariances = group.moments or own_moments(group)
        if step == "mean":
            parts.append((means[sound] @ direction).var(axis=0))
        else:
            values = np.einsum("km,bkl,lm->bm", direction, covariances[sound], direction, optimize=True)
            parts.append(np.log(values).var(axis=0))
    return np.array(parts)


def _satterthwaite(variances: FloatArray, df: FloatArray, both: float) -> FloatArray:
    """Degrees of freedom of a difference of two groups, at most those of both together, shape (m,)."""
    share = variances / variances.sum(axis=0)
    return np.minimum(1 / np.sum(share**2 / df[:, None], axis=0), both)


def _composition(pair: Pair, outer: tuple[FloatArray, FloatArray]) -> FloatArray:
    """p-value per construct that both groups weight the items alike.

    Notes
    -----
    Weights of composites with variance 1 in the pooled data; as this fixes one of them, that of the item with the largest loading
    is left out. F = W (B − q − 2)(d − q + 1) / ((B − 1) d q) on q and d − q + 1 degrees of freedom, with W the Wald statistic of
    the q weights under the covariance of B replicates and d the degrees of freedom of the difference.
    """
    kernel, first = pair.pooled, len(pair.pooled.products)
    matrix = kernel.sample.correlations[0]
    own = [g.kernel.sample.outer[:, :, first:] for g in (pair.first, pair.second) if g.kernel is not None]
    scaled = [
        _unit(np.concatenate([sample, draws[:, :, first:]]), matrix) for sample, draws in zip(own, outer, strict=True)
    ]
    out = np.full(len(_items(pair)), np.nan)
    for j in range(len(out)):
        inside = np.flatnonzero(kernel.sample.outer[0][:, first + j])
        loading = (matrix @ kernel.sample.outer[0][:, first + j])[inside]
        kept = np.delete(inside, np.argmax(np.abs(loading)))
        if len(kept):
            parts = [s[:, kept, j] for s in scaled]
            spread = np.array([np.trace(np.atleast_2d(np.cov(p[1:], rowvar=False))) for p in parts])
            df = float(_satterthwaite(spread[:, None], pair.df, pair.both)[0])
            out[j] = wald(parts[0][0] - parts[1][0], parts[0][1:] - parts[1][1:], df)
    return out


def _unit(outer: FloatArray, matrix: FloatArray) -> FloatArray:
    """Weights of composites that have variance 1 under a correlation matrix."""
    return outer / np.sqrt(np.einsum("bkm,bkm->bm", outer, np.matmul(matrix, outer)))[:, None]


def wald(estimate: FloatArray, draws: FloatArray, df: float) -> float:
    """p-value that q quantities are all zero, from their replicates of shape (B, q); NaN where it cannot be told."""
    count, q = draws.shape
    left = df - q + 1
    if count <= q + 3 or left < 1:
        return float("nan")
    covariance = np.atleast_2d(np.cov(draws, rowvar=False))
    statistic = float(estimate @ np.linalg.pinv(covariance, hermitian=True) @ estimate)
    f = statistic * (count - q - 2) / (count - 1) * left / (df * q)
    return float(stats.f.sf(f, q, left))
