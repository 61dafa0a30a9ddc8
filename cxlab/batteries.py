"""Batteries: how well several items measure one thing."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import Design, kish_base, resolve, t_quantile
from cxlab.errors import DataWarning, SurveyError
from cxlab.measurement import alpha as cronbach
from cxlab.metrics import design_notes, names
from cxlab.result import Base, Result
from cxlab.result import reliability as graded
from cxlab.survey import Survey
from cxlab.words import Note, Sentences, language, sentence

FloatArray = np.ndarray[Any, np.dtype[Any]]
_SAID = {
    "en": "The {count} items hang together with an omega of {omega:.2f} ({level} {low:.2f} to {high:.2f}) and an alpha of "
    "{alpha:.2f}: {verdict}.",
    "zh": "{count} 道题的 omega 系数为 {omega:.2f}（{level} 区间 {low:.2f} 至 {high:.2f}），alpha 系数为 {alpha:.2f}：{verdict}。",
}
_TWO = {
    "en": "The {count} items hang together with an alpha of {alpha:.2f} ({level} {low:.2f} to {high:.2f}): {verdict}.",
    "zh": "{count} 道题的 alpha 系数为 {alpha:.2f}（{level} 区间 {low:.2f} 至 {high:.2f}）：{verdict}。",
}
_VERDICT = (
    (0.9, {"en": "enough for decisions on single customers", "zh": "可用于单个客户层面的判断"}),
    (0.7, {"en": "enough for comparing groups", "zh": "可用于群体间比较"}),
    (-np.inf, {"en": "too little for a common score", "zh": "信度不足，不宜合成一个得分"}),
)
_DROP = {
    "en": "Without {item:in} alpha would be {alpha:.2f}, by {gain:.2f} more.",
    "zh": "剔除“{item}”后 alpha 系数为 {alpha:.2f}，提高 {gain:.2f}。",
}


@dataclass(frozen=True, eq=False)
class ReliabilityResult(Result):
    """Reliability of a battery and what each item adds to it."""

    def value(self, metric: str, item: str | None = None) -> pd.Series:
        """Row of a metric, of the whole battery or of one item."""
        own = self.table["item"].isna() if item is None else self.table["item"] == item
        return self.table[own & (self.table["metric"] == metric)].iloc[0]

    def sentences(self, lang: str | None = None) -> Sentences:
        """Say omega and alpha with a verdict on the lower bound, and which item takes away from alpha beyond chance."""
        lang = language(lang)
        alpha = self.value("alpha")
        if alpha["reliability"] == "suppressed":
            return Sentences()
        count = int((self.table["metric"] == "item_rest").sum())
        omega = self.value("omega")
        main = alpha if np.isnan(omega["estimate"]) else omega
        verdict = next(text[lang] for least, text in _VERDICT if main["low"] >= least or least == -np.inf)
        facts = {"count": count, "alpha": alpha["estimate"], "low": main["low"], "high": main["high"],
                 "level": self.said_level, "verdict": verdict}  # fmt: skip
        if main is alpha:
            said = [sentence(_TWO, lang, **facts)]
        else:
            said = [sentence(_SAID, lang, omega=omega["estimate"], **facts)]
        dropped = self.table[(self.table["metric"] == "alpha_if_dropped") & (self.table["low"] > alpha["estimate"])]
        for r in dropped.sort_values("estimate", ascending=False).head(1).itertuples(index=False):
            gain = r.estimate - alpha["estimate"]
            said.append(sentence(_DROP, lang, item=self.label(r.item, lang), alpha=r.estimate, gain=gain))
        return Sentences(said)


def reliability(
    survey: Survey, items: Sequence[str], *, replicates: int = 500, seed: int = 0, level: float = 0.95
) -> ReliabilityResult:
    """Do the items of a battery measure one thing, and how exactly?

    Parameters
    ----------
    survey : Survey
    items : list of str
        Two or more rating items. Items whose ``higher_is_better`` differs from that of the first are turned.
    replicates : int
        Rao–Wu bootstrap replicates for standard errors and intervals; 0 for point estimates only.
    seed : int
    level : float

    Returns
    -------
    ReliabilityResult
        ``metric, item, estimate, se, low, high, base, base_effective, reliability``: ``alpha`` (Cronbach) and ``omega``
        (McDonald, one factor by maximum likelihood) of the battery; per item ``item_rest`` (correlation with the sum
        of the others), ``loading`` (standardised) and ``alpha_if_dropped``.

    Raises
    ------
    SurveyError
        For fewer than two items, an item that does not vary, or fewer respondents with all answers than items + 1.

    Warns
    -----
    DataWarning
        If an item runs against the others although its declared direction was followed, or the one-factor model ends at
        a boundary.

    Notes
    -----
    From the weighted covariance matrix S of respondents who answered every item: α = k / (k − 1) (1 − Σ s_ii / Σ s_ij),
    ω = (Σ λ)² / ((Σ λ)² + Σ θ) with loadings λ and residual variances θ. Intervals are symmetric in −ln(1 − α) and, for
    correlations and loadings, in artanh, with standard errors from the replicates. Two items have no one-factor model.

    References
    ----------
    Cronbach (1951), Psychometrika 16, 297–334; McDonald (1999), *Test Theory*; Bonett (2002), Journal of Educational
    and Behavioral Statistics 27, 335–340. R: ``psych::alpha``, ``lavaan::cfa``.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> common = rng.normal(size=300)
    >>> df = pd.DataFrame({name: common + rng.normal(size=300) for name in "abc"})
    >>> found = reliability(Survey.from_frame(df), ["a", "b", "c"], replicates=0)
    >>> found.table["estimate"].head(2).round(1).tolist()
    [0.7, 0.8]
    """
    items = list(dict.fromkeys([items] if isinstance(items, str) else items))
    survey.require("items", items)
    if len(items) < 2:
        raise SurveyError(f"items names {len(items)} item; a battery has two or more.")
    values, turned = _answers(survey, items)
    rows = np.flatnonzero(survey.domain & (survey.weights > 0) & np.isfinite(values).all(axis=1))
    _require_variation(items, values, rows, len(survey))
    design = resolve(survey)
    x = values[rows] - values[rows].mean(axis=0)
    weights = design.weights[rows]
    covariance = _covariances(x, weights[None])[0]
    found, bounded = _measures(covariance[None])
    se, df = np.full(len(found[0]), np.nan), design.domain_df((np.isin(np.arange(len(values)), rows))[:, None])[0]
    if replicates:
        draws = _replicates(design, x, rows, replicates, seed)
        se = np.sqrt(np.mean((_bent(draws, len(items)) - _bent(found, len(items))) ** 2, axis=0))
    table = _table(items, found[0], se, float(t_quantile(level, df)), (len(rows), kish_base(weights)))
    notes = [*design_notes(survey), *_remarks(survey, items, turned, table, bool(bounded[0]))]
    left = survey.domain & (survey.weights > 0)
    left[rows] = False
    more = {"replicates": replicates, "seed": seed, "level": level}
    said = "".join(f", {k}={v!r}" for k, v in more.items() if v != {"replicates": 500, "seed": 0, "level": 0.95}[k])
    share = float(survey.weights[left].sum() / survey.weights[survey.domain].sum())
    return ReliabilityResult(
        table, Base(len(rows), kish_base(weights), int(left.sum()), share), tuple(notes),
        {**_METRICS, **{("item", i): names(survey, i) for i in items}, **{i: names(survey, i) for i in items}},
        f"cx.reliability(survey{survey.filter}, {items!r}{said})",
        {"en": "Reliability of the battery", "zh": "量表信度"}, level=level,
    )  # fmt: skip


def _answers(survey: Survey, items: Sequence[str]) -> tuple[FloatArray, list[str]]:
    """Answers with all items in the direction of the first, and which were turned."""
    up = survey.higher_is_better(items[0])
    turned = [i for i in items if survey.higher_is_better(i) != up]
    return np.column_stack([survey.values(i) * (-1 if i in turned else 1) for i in items]), turned


def _require_variation(items: Sequence[str], values: FloatArray, rows: np.ndarray, everybody: int) -> None:
    if len(rows) <= len(items):
        raise SurveyError(
            f"items: {len(rows):,} of {everybody:,} respondents answered all {len(items)} items; "
            f"at least {len(items) + 1} are needed: leave out items that few were asked."
        )
    flat = [i for i, column in zip(items, values[rows].T, strict=True) if np.ptp(column) == 0]
    if flat:
        raise SurveyError(
            f"items: {len(flat)} of {len(items)} have the same answer from all {len(rows):,} respondents: "
            f"{', '.join(map(repr, flat))}; leave them out."
        )


def _covariances(x: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted covariance matrices, one per row of weights, with the factor n / (n − 1) of the base.

    Parameters
    ----------
    x : array, shape (rows, k)
    weights : array, shape (replicates, rows)
    """
    k = x.shape[1]
    total = weights.sum(axis=1)
    mean = weights @ x / total[:, None]
    products = (x[:, :, None] * x[:, None, :]).reshape(len(x), k * k)
    second = (weights @ products / total[:, None]).reshape(-1, k, k)
    return (second - mean[:, :, None] * mean[:, None, :]) * len(x) / (len(x) - 1)


def _replicates(design: Design, x: FloatArray, rows: np.ndarray, replicates: int, seed: int) -> FloatArray:
    """Measures of every replicate, shape (replicates, measures)."""
    out = []
    for multipliers, piece in design.bootstrap(replicates, seed, rows):
        for start in range(0, len(multipliers), _AT_ONCE):
            block = multipliers[start : start + _AT_ONCE, piece] * design.weights[rows]
            out.append(_measures(_covariances(x, block), 1e-5, 200)[0])
    return np.concatenate(out)


_AT_ONCE = 100  # replicates whose row weights are held at once


def _measures(s: FloatArray, tolerance: float = 1e-9, passes: int = 5000) -> tuple[FloatArray, np.ndarray]:
    """Alpha, omega (replicates are fitted less exactly than estimates), item–rest correlations, loadings and alphas without each item of covariance matrices.

    Parameters
    ----------
    s : array, shape (m, k, k)

    Returns
    -------
    array, shape (m, 2 + 3k); bool array, shape (m,): one-factor model at a boundary
    """
    k = s.shape[1]
    variance, sums = np.diagonal(s, axis1=1, axis2=2), s.sum(axis=2)
    total, trace = sums.sum(axis=1), variance.sum(axis=1)
    alpha = cronbach(s)
    rest = total[:, None] - 2 * sums + variance
    item_rest = (sums - variance) / np.sqrt(variance * rest)
    with np.errstate(divide="ignore", invalid="ignore"):
        dropped = (
            (k - 1) / (k - 2) * (1 - (trace[:, None] - variance) / rest) if k > 2 else np.full((len(s), k), np.nan)
        )
    if k < 3:
        nothing = np.full((len(s), k), np.nan)
        return np.column_stack([alpha, np.full(len(s), np.nan), item_rest, nothing, dropped]), np.zeros(len(s), bool)
    loading, unique, bounded = one_factor(s, tolerance=tolerance, passes=passes)
    common = loading.sum(axis=1) ** 2
    omega = common / (common + unique.sum(axis=1))
    return np.column_stack([alpha, omega, item_rest, loading / np.sqrt(variance), dropped]), bounded


def one_factor(
    s: FloatArray, *, tolerance: float = 1e-9, passes: int = 2000
) -> tuple[FloatArray, FloatArray, np.ndarray]:
    """Maximum-likelihood one-factor models of covariance matrices.

    Parameters
    ----------
    s : array, shape (m, k, k)
    tolerance : float
        Largest change of a residual variance, in units of its item's variance, at which a model stands.
    passes : int

    Returns
    -------
    loading, unique : arrays, shape (m, k)
        In the items' units, the sum of the loadings positive; residual variances.
    bounded : bool array, shape (m,)
        A residual variance ended at its bound of .5 % of the item's variance (a Heywood case).

    Notes
    -----
    For given θ the loadings follow from the first eigenvector of θ^−½ S θ^−½ (Lawley); θ = diag(S − λλᵀ) follows from
    the loadings. The two alternate until they stand.

    Examples
    --------
    >>> true = np.array([0.9, 0.7, 0.6, 0.8])
    >>> loading, unique, bounded = one_factor((np.outer(true, true) + np.diag(1 - true**2))[None])
    >>> loading.round(4).tolist(), unique.round(4).tolist(), bool(bounded[0])
    ([[0.9, 0.7, 0.6, 0.8]], [[0.19, 0.51, 0.64, 0.36]], False)
    """
    scale = np.sqrt(np.diagonal(s, axis1=1, axis2=2))
    r = s / (scale[:, :, None] * scale[:, None, :])
    unique = np.clip(1 / np.diagonal(np.linalg.pinv(r, hermitian=True), axis1=1, axis2=2), _LEAST, 1.0)
    loading = np.zeros_like(unique)
    moving = np.arange(len(s))
    for _ in range(passes):
        root = np.sqrt(unique[moving])
        values, vectors = np.linalg.eigh(r[moving] / (root[:, :, None] * root[:, None, :]))
        loading[moving] = root * vectors[:, :, -1] * np.sqrt(np.maximum(values[:, -1:] - 1, 0))
        new = np.clip(1 - loading[moving] ** 2, _LEAST, 1.0)
        still = np.abs(new - unique[moving]).max(axis=1) < tolerance
        unique[moving] = new
        moving = moving[~still]
        if not len(moving):
            break
    loading *= np.where(loading.sum(axis=1) < 0, -1, 1)[:, None]
    bounded: np.ndarray = np.any(unique <= _LEAST, axis=1)
    return loading * scale, unique * scale**2, bounded


_LEAST = 0.005


def _bent(measures: FloatArray, k: int) -> FloatArray:
    """Measures on scales on which they are nearly normal: −ln(1 − α) and artanh r."""
    out = np.array(measures, dtype=float)
    tails = [0, 1, *range(2 + 2 * k, 2 + 3 * k)]
    out[:, tails] = -np.log1p(-np.minimum(out[:, tails], 1 - 1e-9))
    out[:, 2 : 2 + 2 * k] = np.arctanh(np.clip(out[:, 2 : 2 + 2 * k], -1 + 1e-9, 1 - 1e-9))
    return out


def _straight(bent: FloatArray, k: int) -> FloatArray:
    out = -np.expm1(-bent)
    out[2 : 2 + 2 * k] = np.tanh(bent[2 : 2 + 2 * k])
    return out


def _table(items: Sequence[str], found: FloatArray, se: FloatArray, t: float, base: tuple[int, float]) -> pd.DataFrame:
    k = len(items)
    bent = _bent(found[None], k)[0]
    slope = np.where((np.arange(len(found)) >= 2) & (np.arange(len(found)) < 2 + 2 * k), 1 - found**2, 1 - found)
    keys: list[tuple[str, str | None]] = [("alpha", None), ("omega", None)]
    keys += [(metric, item) for metric in ("item_rest", "loading", "alpha_if_dropped") for item in items]
    return pd.DataFrame(keys, columns=["metric", "item"]).assign(
        estimate=found, se=se * slope, low=_straight(bent - t * se, k), high=_straight(bent + t * se, k),
        base=base[0], base_effective=base[1], reliability=graded([base[1]] * len(found)),
    )  # fmt: skip


def _remarks(
    survey: Survey, items: Sequence[str], turned: Sequence[str], table: pd.DataFrame, bounded: bool
) -> list[Mapping[str, str]]:
    notes: list[Mapping[str, str]] = []

    def listed(found: Sequence[str]) -> dict[str, str]:
        return {
            lang: (", " if lang == "en" else "、").join(names(survey, i)[lang] for i in found) for lang in ("en", "zh")
        }

    if turned:
        template = {
            "en": "Turned to the direction of the first item: {items}.",
            "zh": "方向相反、已反向计分：{items}。",
        }
        notes.append(Note(template, items=listed(turned)))
    rest = table[table["metric"] == "item_rest"]
    against = rest[rest["estimate"] < 0]["item"].tolist()
    if against:
        warnings.warn(
            f"{len(against)} of {len(items)} items run against the others: {', '.join(map(repr, against))}; "
            "declare higher_is_better: false in study.yml if less is better there.",
            DataWarning,
            stacklevel=3,
        )
        template = {"en": "Runs against the other items: {items}.", "zh": "与其余题目方向相反：{items}。"}
        notes.append(Note(template, items=listed(against)))
    if bounded:
        warnings.warn(
            "the one-factor model leaves an item no residual variance; omega is an upper bound: look at items that "
            "repeat each other.",
            DataWarning,
            stacklevel=3,
        )
        notes.append(
            {
                "en": "The one-factor model leaves an item no residual variance: omega is an upper bound.",
                "zh": "单因子模型中有题目的残差方差为零：omega 系数为上限值。",
            }
        )
    return notes


_METRICS: dict[Any, Mapping[str, str]] = {
    ("metric", "alpha"): {"en": "Cronbach's alpha", "zh": "Cronbach α 系数"},
    ("metric", "omega"): {"en": "McDonald's omega", "zh": "McDonald ω 系数"},
    ("metric", "item_rest"): {"en": "Item–rest correlation", "zh": "题目与其余题总分相关"},
    ("metric", "loading"): {"en": "Loading", "zh": "因子载荷"},
    ("metric", "alpha_if_dropped"): {"en": "Alpha without the item", "zh": "剔除该题后的 α"},
}
