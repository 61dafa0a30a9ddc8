"""Comparison of segments: every item, every pair of groups, one family of tests."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import Design, kish_base, resolve
from cxlab.errors import SmallBaseWarning, SurveyError, one_of
from cxlab.metrics import design_notes, intervals, names, value_names
from cxlab.result import Base, reliability
from cxlab.segments._compare_levels import Groups, Levels, Question, default_items, levels, questions, split
from cxlab.segments._compare_result import HEADINGS, SAID, CompareResult
from cxlab.segments._compare_tests import (
    ADJUSTMENTS,
    Pairs,
    adjusted,
    compare,
    games_howell,
    overall,
    smallest_visible,
)
from cxlab.survey import Survey
from cxlab.words import Note

FAMILIES = ("all", "item")


def compare_segments(
    survey: Survey,
    by: str,
    items: str | Sequence[str] | None = None,
    *,
    adjust: str = "holm",
    family: str = "all",
    level: float = 0.95,
    power: float = 0.8,
) -> CompareResult:
    """In what do the groups of a segment differ, how much, and what could this base have shown?

    Parameters
    ----------
    survey : Survey
    by : str
        Segment with 2 to 60 groups among the respondents, or ``"wave"``.
    items : str or list of str, optional
        Columns, roles, ``"nps"`` or ``"csat"``; by default all outcomes, drivers and touchpoints that have answers.
        Ratings and numbers are compared by their means; texts, nominal codes and 0/1 items by shares, one row per
        answer (of two answers the first).
    adjust : {"holm", "bh", "bonferroni", "games-howell", "none"}
        Holm holds the chance of any false finding, BH the share of false ones among the findings. Games–Howell
        is for means without a declared design; it adjusts within each item and replaces the other three.
    family : {"all", "item"}
        Comparisons that are adjusted together: all of the call, or those of each item. The notes name and count it.
    level : float
        Confidence level; a p-value under 1 − level is a finding.
    power : float
        Of ``detectable``.

    Returns
    -------
    CompareResult
        One row per item (and answer) and pair: ``item, [code], segment, other, estimate`` (segment minus other, on the
        item's scale; shares as differences from −1 to 1), ``se, low, high`` (of this comparison alone), ``p_value``
        (adjusted), ``p_raw, effect`` (Hedges g of means, Cohen h of shares), ``effect_low, effect_high,
        detectable`` (smallest true difference found with that power at the strictest level of the family), ``base,
        base_effective, reliability`` (of the smaller group: under an effective base of 30 renderings mask the
        row). ``.overall`` tests all groups of an item at once, ``.levels`` has the level of every group.

    Raises
    ------
    SurveyError
        For unknown names, a segment with one group or more than 60, items without any answer, texts that stand for
        numbers, or Games–Howell with a declared design or shares.

    Warns
    -----
    SmallBaseWarning
        If groups have an effective base under 30.

    Notes
    -----
    Without a declared design: Welch's t and ANOVA, chi-square, Newcombe's interval. With weights, strata or PSUs: t
    tests from the Taylor covariance of the groups' means with the degrees of freedom of both groups together,
    the adjusted Wald F, second-order Rao–Scott F. Effect sizes are linearised in means and variances with the same
    design. V has a noncentral chi-square interval on the base over the table's design effect.

    References
    ----------
    Welch (1951), Biometrika 38, 330–336; Games & Howell (1976), Journal of Educational Statistics 1, 113–125;
    Rao & Scott (1984), Annals of Statistics 12, 46–60; Newcombe (1998), Statistics in Medicine 17, 873–890;
    Hedges (1981), Journal of Educational Statistics 6, 107–128; Cohen (1988), *Statistical Power Analysis*.
    R: ``survey::svyttest``, ``survey::svychisq``, ``oneway.test``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cxlab.survey import Survey
    >>> rng = np.random.default_rng(1)
    >>> df = pd.DataFrame({"card": np.repeat(["gold", "plain"], 200), "parking": rng.normal(6, 2, 400)})
    >>> df.loc[df["card"] == "gold", "parking"] -= 1.5
    >>> found = compare_segments(Survey.from_frame(df), "card", "parking")
    >>> found.table[["segment", "other", "estimate", "p_value"]].round(1).values.tolist()
    [['plain', 'gold', 1.5, 0.0]]
    """
    if adjust not in ADJUSTMENTS:
        raise one_of("adjust", adjust, ADJUSTMENTS)
    if family not in FAMILIES:
        raise one_of("family", family, FAMILIES)
    groups = split(survey, by)
    chosen = (
        default_items(survey, groups.column) if items is None else [items] if isinstance(items, str) else list(items)
    )
    if not chosen:
        raise SurveyError("items is empty; name at least one column.")
    asked = questions(survey, list(dict.fromkeys(chosen)))
    classic = not survey.design.columns()
    if adjust == "games-howell":
        _require_means(survey, asked)
    design = resolve(survey)
    found = [[levels(design, s.values, groups, classic=classic) for s in q.scores] for q in asked]
    table, whole = _tables(design, asked, found, groups, (classic, adjust, family, level, power))
    shown = _levels_table(asked, found, groups, level)
    _warn_small(survey, shown, groups)
    said = "".join(
        f", {k}={v!r}"
        for k, v in (("adjust", adjust), ("family", family), ("level", level), ("power", power))
        if v != {"adjust": "holm", "family": "all", "level": 0.95, "power": 0.8}[k]
    )
    inside = groups.member >= 0
    weights = survey.weights
    return CompareResult(
        table, Base(int(inside.sum()), kish_base(weights[inside]), *_outside(survey, inside)),
        _notes(survey, table, groups, by, (adjust, family, classic, level)), _labels(survey, asked, groups, by),
        f"cx.compare_segments(survey{survey.filter}, {by!r}{'' if items is None else f', {items!r}'}{said})",
        {"en": f"Groups of {names(survey, groups.column)['en']}", "zh": f"“{names(survey, groups.column)['zh']}”各组比较"},
        {"p_raw": "p", "effect": "+.2f", "effect_low": "+.2f", "effect_high": "+.2f"}, level,
        overall=whole, levels=shown, kinds={q.item: _kind(survey, q) for q in asked},
        scales={q.item: survey.scale(q.item) if survey.has(q.item) else None for q in asked},
        better={q.item: q.scores[0].higher_is_better for q in asked}, by=by, adjust=adjust, power=power,
    )  # fmt: skip


def _require_means(survey: Survey, asked: Sequence[Question]) -> None:
    if survey.design.columns():
        raise SurveyError(
            f"adjust is 'games-howell', which assumes independent respondents; the survey declares "
            f'{", ".join(survey.design.columns())}: use adjust="holm", whose tests follow the design.'
        )
    shares = [q.item for q in asked if q.scores[0].kind == "share"]
    if shares:
        raise SurveyError(
            f"adjust is 'games-howell', which compares means; {len(shares)} of {len(asked)} items are compared by shares: "
            f'{", ".join(map(repr, shares[:10]))}; use adjust="holm".'
        )


def _kind(survey: Survey, question: Question) -> str:
    kind = question.scores[0].kind
    rated = kind == "mean" and survey.has(question.item) and survey.scale(question.item) is not None
    return "rating" if rated else kind


Options = tuple[bool, str, str, float, float]


def _tables(
    design: Design, asked: Sequence[Question], found: Sequence[Sequence[Levels]], groups: Groups, options: Options
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table of all pairs and table of the overall tests."""
    classic, adjust, family, level, power = options
    pieces, whole = [], []
    for question, each in zip(asked, found, strict=True):
        pairs = [
            compare(design, one, s.kind, classic=classic, level=level)
            for s, one in zip(question.scores, each, strict=True)
        ]
        pieces.append((question, each, pairs))
        whole.append(overall(design, question, each[0], groups, classic=classic, level=level))
    everything = sum(int(np.sum(~np.isnan(p.p_raw))) for _, _, pairs in pieces for p in pairs)
    rows = []
    for question, each, pairs in pieces:
        own = sum(int(np.sum(~np.isnan(p.p_raw))) for p in pairs)
        tests = everything if family == "all" else own
        part = pd.concat(
            [
                _rows(question.item, code, one, p, groups).assign(
                    detectable=smallest_visible(p, tests=tests, adjust=adjust, level=level, power=power)
                )
                for code, one, p in zip(question.codes, each, pairs, strict=True)
            ]
        )
        if adjust == "games-howell":
            part["p_value"] = games_howell(each[0], question)
        elif family == "item":
            part["p_value"] = adjusted(part["p_raw"].to_numpy(), adjust)
        rows.append(part)
    table = pd.concat(rows, ignore_index=True)
    if adjust != "games-howell" and family == "all":
        table["p_value"] = adjusted(table["p_raw"].to_numpy(), adjust)
    total = pd.DataFrame(whole)
    total.insert(5, "p_value", adjusted(total["p_raw"].to_numpy(dtype=float), adjust))
    return _ordered(table), total


def _rows(item: str, code: Any, found: Levels, pairs: Pairs, groups: Groups) -> pd.DataFrame:
    e, first, second = found.estimates, pairs.first, pairs.second
    smaller = np.where(e.base_effective[first] < e.base_effective[second], first, second)
    codes = np.array(groups.codes, dtype=object)
    return pd.DataFrame(
        {
            "item": item, "code": np.full(len(first), np.nan if code is None else code, dtype=object),
            "segment": pd.Series(codes[second]).infer_objects(), "other": pd.Series(codes[first]).infer_objects(),
            "p_value": np.nan, **pairs.columns(), "base": e.base[smaller], "base_effective": e.base_effective[smaller],
            "reliability": reliability(e.base_effective[smaller]),
        }
    )  # fmt: skip


_ORDER = [
    "item", "code", "segment", "other", "estimate", "se", "low", "high", "p_value", "p_raw", "effect", "effect_low",
    "effect_high", "detectable", "base", "base_effective", "reliability",
]  # fmt: skip


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    return table[[c for c in _ORDER if c != "code" or table["code"].notna().any()]]


def _levels_table(
    asked: Sequence[Question], found: Sequence[Sequence[Levels]], groups: Groups, level: float
) -> pd.DataFrame:
    parts = []
    for question, each in zip(asked, found, strict=True):
        for score, code, one in zip(question.scores, question.codes, each, strict=True):
            e = one.estimates
            low, high = intervals(e, [score.kind] * len(e.estimate), level=level)
            parts.append(
                pd.DataFrame(
                    {
                        "item": question.item, "code": np.nan if code is None else code, "segment": groups.codes,
                        "estimate": e.estimate, "se": e.se, "low": low, "high": high, "base": e.base,
                        "base_effective": e.base_effective, "reliability": reliability(e.base_effective),
                    }
                ).astype({"code": object})
            )  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    return table if table["code"].notna().any() else table.drop(columns="code")


def _outside(survey: Survey, inside: np.ndarray) -> tuple[int, float]:
    left = survey.domain & (survey.weights > 0) & ~inside
    return int(left.sum()), float(survey.weights[left].sum() / survey.weights[survey.domain].sum())


def _warn_small(survey: Survey, shown: pd.DataFrame, groups: Groups) -> None:
    best = shown.groupby("segment", sort=False)["base_effective"].max()
    small = [s for s, base in best.items() if base < 30]
    if small:
        said = ", ".join(value_names(survey, groups.column, s)["en"] for s in small[:8])
        warnings.warn(
            f"{len(small)} of {len(groups.codes)} groups have an effective base under 30 on every item ({said}); "
            "their comparisons are masked.",
            SmallBaseWarning,
            stacklevel=3,
        )


def _labels(survey: Survey, asked: Sequence[Question], groups: Groups, by: str) -> dict[Any, Mapping[str, str]]:
    out: dict[Any, Mapping[str, str]] = dict(HEADINGS)
    for code in groups.codes:
        out["segment", code] = out["other", code] = value_names(survey, groups.column, code)
    out[by] = names(survey, groups.column)
    for q in asked:
        out["item", q.item] = out[q.item] = q.scores[0].labels
        for code in q.codes:
            if code is not None:
                out["code", q.item, code] = value_names(survey, survey.column_of(q.item), code)
    return out


def _notes(
    survey: Survey, table: pd.DataFrame, groups: Groups, by: str, options: tuple[str, str, bool, float]
) -> tuple[Mapping[str, str], ...]:
    adjust, family, classic, _ = options
    tests, items = int(table["p_raw"].notna().sum()), int(table["item"].nunique())
    pairs = len(groups.codes) * (len(groups.codes) - 1) // 2
    facts: dict[str, Any] = {
        "tests": tests,
        "items": items,
        "pairs": pairs,
        "by": names(survey, groups.column),
        "how": SAID[adjust],
    }
    notes = [
        *design_notes(survey),
        Note(_FAMILY[family if adjust not in ("games-howell", "none") else adjust], **facts),
    ]
    notes.append(Note(_CLASSIC if classic else _DESIGN))
    if tests < len(table):
        notes.append(Note(_UNTESTED, count=len(table) - tests, rows=len(table)))
    return tuple(notes)


_FAMILY = {
    "all": {
        "en": "p-values: {how} over the family “all comparisons by {by}”: {tests:,} comparisons ({items} items, {pairs:,} pairs of groups). "
        "Intervals are for each comparison alone.",
        "zh": "p 值经 {how} 法校正，检验族为“按{by}的全部比较”：共 {tests:,} 次比较（{items} 道题，{pairs:,} 对组别）。区间针对单项比较。",
    },
    "item": {
        "en": "p-values: {how} over the family “comparisons of one item by {by}”, item by item: {tests:,} comparisons in {items} families "
        "({pairs:,} pairs of groups). Intervals are for each comparison alone.",
        "zh": "p 值按题目分别经 {how} 法校正，检验族为“单题内按{by}的比较”：{items} 个检验族共 {tests:,} 次比较（{pairs:,} 对组别）。区间针对单项比较。",
    },
    "games-howell": {
        "en": "p-values: {how}, adjusted within each item over its {pairs:,} pairs of {by}, not over the {items} items ({tests:,} "
        "comparisons). Intervals are for each comparison alone.",
        "zh": "p 值采用 {how} 法，在每道题内对“{by}”的 {pairs:,} 对组别校正，未跨 {items} 道题校正（共 {tests:,} 次比较）。区间针对单项比较。",
    },
    "none": {
        "en": "p-values are not adjusted{how}: of {tests:,} comparisons ({items} items, {pairs:,} pairs of {by}) some differ by chance.",
        "zh": "p 值未作多重比较校正{how}：共 {tests:,} 次比较（{items} 道题，“{by}”的 {pairs:,} 对组别），其中会有偶然显著的结果。",
    },
}  # fmt: skip
_CLASSIC = {
    "en": "Tests: Welch ANOVA and t for means, chi-square for shares; effect sizes: Hedges g of means, Cohen h of shares.",
    "zh": "检验方法：均值用 Welch 方差分析与 t 检验，比例用卡方检验；效应量：均值为 Hedges g，比例为 Cohen h。",
}
_DESIGN = {
    "en": "Tests follow the design: adjusted Wald F and t for means, Rao–Scott F for shares; effect sizes: Hedges g of means, "
    "Cohen h of shares.",
    "zh": "检验均按抽样设计进行：均值用调整 Wald F 与 t 检验，比例用 Rao–Scott F 检验；效应量：均值为 Hedges g，比例为 Cohen h。",
}
_UNTESTED = {
    "en": "{count:,} of {rows:,} comparisons have no test: a group has fewer than two answers, or all answers are alike.",
    "zh": "{rows:,} 组比较中有 {count:,} 组无法检验：某组有效回答不足 2 个，或全部回答相同。",
}
