"""How claims are tested: slopes, gaps, shares and ratios; one class per kind, one instance per claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from cxlab.claim_register._case import FEW, LEAST, Case
from cxlab.claim_register._finding import Finding, Unfit, by_beta, by_fieller, by_fisher, by_t
from cxlab.design import kish_base, weighted_means
from cxlab.regression import Regression
from cxlab.words import Note

FloatArray = np.ndarray[Any, np.dtype[Any]]


class Estimator(Protocol):
    """From a case to a finding."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Needs of the test."""

    def __call__(self, case: Case) -> Finding:
        """Estimate; raises Unfit where the data do not allow it."""


def _of_row(fit: Regression, row: int, level: float, scale: float = 1.0) -> Finding:
    """A coefficient of a regression, times a constant."""
    found = fit.table.iloc[row]
    base = (int(found["base"]), float(found["base_effective"]))
    return by_t(scale * float(found["estimate"]), abs(scale) * float(found["se"]), fit.df, level, base)


@dataclass(frozen=True)
class Slope:
    """Change of an outcome per point of a term, others held equal.

    Several outcomes are multiplied: renewed × price is revenue.
    """

    outcomes: tuple[str, ...]
    term: str
    held: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Needs of the test."""
        return tuple(dict.fromkeys((*self.outcomes, self.term, *self.held)))

    def __call__(self, case: Case) -> Finding:
        """Coefficient of a weighted linear regression."""
        outcome = np.prod([case.values(n) for n in self.outcomes], axis=0)
        held = {n: case.values(n) for n in self.held}
        known = np.isfinite(outcome) & np.isfinite(case.values(self.term))
        # within a segment of one price there is nothing to hold equal
        held = {n: v for n, v in held.items() if len(np.unique(v[known & np.isfinite(v)])) > 1}
        return _of_row(case.regress(outcome, {self.term: case.values(self.term), **held}), 1, case.level)


@dataclass(frozen=True)
class Gap:
    """Difference in the mean of an outcome between two groups, each given by values of 0/1 columns."""

    outcome: str
    first: Mapping[str, float] = field(default_factory=dict)
    second: Mapping[str, float] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[str, ...]:
        """Needs of the test."""
        return tuple(dict.fromkeys((self.outcome, *self.first, *self.second)))

    def __call__(self, case: Case) -> Finding:
        """Mean of the first group minus that of the second."""
        outcome = case.values(self.outcome)
        groups = [
            np.logical_and.reduce([case.values(n) == v for n, v in group.items()])
            & np.isfinite(outcome)
            & (case.survey.weights > 0)
            for group in (self.first, self.second)
        ]
        smaller = min(int(g.sum()) for g in groups)
        effective = min(kish_base(case.survey.weights[g]) if g.any() else 0.0 for g in groups)
        if effective < LEAST:
            raise Unfit(Note(_SMALL_GROUP, smaller=smaller, effective=effective, least=LEAST))
        if any(np.ptp(outcome[g]) == 0 for g in groups):
            raise Unfit(Note(_GROUP_ALIKE))
        group = np.where(groups[0], 1.0, np.where(groups[1], 0.0, np.nan))
        return _of_row(case.regress(outcome, {"group": group}), 1, case.level)


@dataclass(frozen=True)
class Share:
    """Share with one value of a column, among those with a value of another."""

    item: str
    value: float = 1.0
    among: str | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """Needs of the test."""
        return (self.item,) if self.among is None else (self.item, self.among)

    def __call__(self, case: Case) -> Finding:
        """Weighted share with Korn and Graubard's interval."""
        item = case.values(self.item)
        inside = np.isfinite(item) & (case.survey.weights > 0)
        if self.among is not None:
            inside &= case.values(self.among) == 1
        if int(inside.sum()) < LEAST:
            raise Unfit(Note(FEW, base=int(inside.sum()), least=LEAST))
        marked = np.where(inside, item == self.value, np.nan)[:, None]
        return by_beta(weighted_means(case.design, marked), case.level)


@dataclass(frozen=True)
class Answered:
    """Share of those invited who took part; a file of respondents alone cannot tell."""

    item: str = "responded"

    @property
    def needs(self) -> tuple[str, ...]:
        """Needs of the test."""
        return (self.item,)

    def __call__(self, case: Case) -> Finding:
        """As :class:`Share`."""
        values = case.values(self.item)
        if not (values == 0).any():
            raise Unfit(Note(_RESPONDENTS))
        return Share(self.item)(case)


@dataclass(frozen=True)
class Balance:
    """How much a point of expectation takes away, relative to what a point of experience gives."""

    needs: tuple[str, ...] = ("touchpoints",)

    def __call__(self, case: Case) -> Finding:
        """Ratio −(slope of expectation) / (slope of experience) of emotion, pooled over touchpoints."""
        design, survey = case.design, case.survey
        w = survey.weights * survey.domain
        blocks = []
        for point in case.touchpoints():
            columns = np.column_stack([case.rating(str(c)) for c in (point.emotion, point.item, point.expectation)])
            rows = np.isfinite(columns).all(axis=1) & (w > 0)
            if rows.sum() > 1:
                centred = np.zeros_like(columns)
                centred[rows] = columns[rows] - np.average(columns[rows], axis=0, weights=w[rows])
                blocks.append(centred)
        used = np.any([np.any(b != 0, axis=1) for b in blocks], axis=0) if blocks else np.zeros(len(w), dtype=bool)
        if int(used.sum()) < LEAST:
            raise Unfit(Note(FEW, base=int(used.sum()), least=LEAST))
        cross = sum(((b[:, 1:] * w[:, None]).T @ b for b in blocks), np.zeros((2, 3)))
        if np.linalg.matrix_rank(cross[:, 1:]) < 2:
            raise Unfit(Note(_TIED))
        slopes = np.linalg.solve(cross[:, 1:], cross[:, 0])
        if slopes[0] <= 0:
            raise Unfit(Note(_NO_EFFECT))
        scores = np.sum([b[:, 1:] * (b[:, 0] - b[:, 1:] @ slopes)[:, None] for b in blocks], axis=0)
        covariance = design.covariance(scores @ np.linalg.inv(cross[:, 1:]))
        order = np.array([[0.0, -1.0], [1.0, 0.0]])  # (−expectation, experience)
        df = float(design.domain_df(used[:, None])[0])
        base = (int(used.sum()), kish_base(survey.weights[used]))
        return by_fieller(-slopes[1], slopes[0], order @ covariance @ order.T, df, case.level, base)


@dataclass(frozen=True)
class Memory:
    """What the average, or the length, of a visit adds to its peak and its end in memory."""

    part: str = "mean"
    per: float = 1.0

    needs: tuple[str, ...] = ("remembered", "visit_minutes", "order")

    def __call__(self, case: Case) -> Finding:
        """Coefficient in a linear regression of the remembered visit on peak, end, mean and length."""
        points = case.touchpoints(ordered=True)
        x = np.column_stack([case.rating(p.item) for p in points])
        order = np.column_stack([case.survey.values(case.order.format(item=p.item)) for p in points])
        met = np.isfinite(order)
        whole = (np.isfinite(x) | ~met).all(axis=1) & met.any(axis=1)
        last = np.where(met, order, -np.inf).argmax(axis=1)[:, None]
        parts = {
            "peak": np.where(met, x, -np.inf).max(axis=1), "end": np.take_along_axis(x, last, axis=1)[:, 0],
            "mean": np.where(met, x, 0).sum(axis=1) / np.maximum(met.sum(axis=1), 1), "length": case.values("visit_minutes"),
        }  # fmt: skip
        terms = {name: np.where(whole, values, np.nan) for name, values in parts.items()}
        fit = case.regress(case.values("remembered"), terms)
        return _of_row(fit, 1 + list(parts).index(self.part), case.level, self.per)


@dataclass(frozen=True)
class AcrossUnits:
    """Correlation between two columns over the units of the company."""

    one: str
    other: str
    least: int = 8

    @property
    def needs(self) -> tuple[str, ...]:
        """Needs of the test."""
        return ("unit", self.one, self.other)

    def __call__(self, case: Case) -> Finding:
        """Correlation of the weighted means of units."""
        unit = case.survey.data[case.survey.column_of(case.names["unit"])]
        frame = pd.DataFrame({"one": case.values(self.one), "other": case.values(self.other), "w": case.survey.weights})
        rows = frame.notna().all(axis=1) & unit.notna() & (frame["w"] > 0)
        frame = frame[rows]
        sums = frame.mul(frame["w"], axis=0).assign(w=frame["w"]).groupby(unit[rows]).sum()
        means = sums[["one", "other"]].div(sums["w"], axis=0)
        if len(means) < self.least:
            raise Unfit(Note(_UNITS, units=len(means), least=self.least))
        if (np.ptp(means.to_numpy(), axis=0) == 0).any():
            raise Unfit(Note(_UNITS_ALIKE, units=len(means)))
        r = float(np.corrcoef(means.to_numpy().T)[0, 1])
        found = by_fisher(r, len(means), case.level, (len(frame), kish_base(frame["w"].to_numpy())))
        return replace(found, remarks=(Note(_RESTS_ON_UNITS, units=len(means)),))


@dataclass(frozen=True)
class Elasticity:
    """Per cent change of one positive column per per cent of another."""

    outcome: str = "sales"
    term: str = "outlets"

    @property
    def needs(self) -> tuple[str, ...]:
        """Needs of the test."""
        return (self.term, self.outcome)

    def __call__(self, case: Case) -> Finding:
        """Slope of a line through the logarithms."""
        with np.errstate(divide="ignore", invalid="ignore"):
            outcome, term = (
                np.log(np.where(v > 0, v, np.nan)) for v in (case.values(self.outcome), case.values(self.term))
            )
        found = _of_row(case.regress(outcome, {self.term: term}), 1, case.level)
        without = int(((case.values(self.outcome) <= 0) | (case.values(self.term) <= 0)).sum())
        return replace(found, remarks=(Note(_NO_LOGARITHM, without=without),)) if without else found


_SMALL_GROUP = {
    "en": "the smaller of the two groups compared has {smaller:,} respondents, and an effective base of {effective:.0f}; at least {least} "
    "are required",
    "zh": "相比较的两组中较小一组有 {smaller:,} 名受访者，有效样本量为 {effective:.0f}，至少需要 {least}",
}
_GROUP_ALIKE = {
    "en": "in one of the two groups compared everybody is alike, so that the error of the difference cannot be told",
    "zh": "相比较的两组中有一组取值完全相同，无法估计差异的误差",
}
_RESPONDENTS = {
    "en": "the file holds only people who took part, not those who were invited",
    "zh": "数据仅含作答者，不含受邀但未作答者",
}
_TIED = {"en": "experience and expectation cannot be told apart", "zh": "体验与期望无法区分"}
_NO_EFFECT = {
    "en": "experience does not raise the emotion at the touchpoints, so that there is nothing to compare with",
    "zh": "体验并未提升触点情绪，缺少比较的基准",
}
_UNITS = {
    "en": "{units} units are too few for a correlation; at least {least} are required",
    "zh": "仅有 {units} 个单位，不足以计算相关，至少需要 {least} 个",
}
_UNITS_ALIKE = {
    "en": "the {units} units do not differ",
    "zh": "{units} 个单位之间没有差异",
}
_NO_LOGARITHM = {
    "en": "Rows without outlets or without sales have no logarithm and are left out: {without:,}.",
    "zh": "网点数或销售额为零、无法取对数而未纳入的行数：{without:,}。",
}
_RESTS_ON_UNITS = {
    "en": "Staff and customers are compared over {units} units, taken as a sample of units: a relation between units need not "
    "hold for single employees or customers.",
    "zh": "员工与顾客的关系基于 {units} 个单位的比较（视为单位样本）；单位层面的关系不一定适用于个别员工或顾客。",
}
