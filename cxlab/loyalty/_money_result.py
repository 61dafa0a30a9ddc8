"""What the value of a point says: its tables, its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.result import Result
from cxlab.words import Figure, Note, Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class ValueResult(Result):
    """The value of a point of satisfaction per 100 customers and year.

    Attributes
    ----------
    satisfaction, renewal : str
    currency : mapping of language to str
    with_margin : bool
        Whether values are margin instead of revenue.
    whole : DataFrame
        One row for all segments together, columns as in the table.
    differences : DataFrame
        ``segment, other, estimate, se, low, high, p_value`` (Holm).
    revenue_shares : DataFrame
        ``segment, estimate, se, low, high, base``: share of what all customers pay.
    lead : float
        p-value that the largest of these shares is no larger than each other one.
    draws : DataFrame
        Value of a point in every draw, a column per segment.
    """

    satisfaction: str = ""
    renewal: str = ""
    currency: Mapping[str, str] = field(default_factory=dict)
    with_margin: bool = False
    whole: pd.DataFrame = field(default_factory=pd.DataFrame)
    differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    revenue_shares: pd.DataFrame = field(default_factory=pd.DataFrame)
    lead: float = float("nan")
    draws: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def key(self) -> str | None:
        """Column of the groups: ``segment``, ``wave``, or None."""
        return next((k for k in ("segment", "wave") if k in self.table), None)

    def further(self) -> Mapping[str, Result]:
        """All segments together, differences, shares of revenue."""
        money = dict.fromkeys(("estimate", "low", "high"), "+" + self.money) | {"se": self.money}
        part = dict.fromkeys(("estimate", "low", "high"), ".1%") | {"se": ".3f"}
        parts = {
            "whole": (self.whole, dict(self.formats)),
            "differences": (self.differences, money),
            "revenue_shares": (self.revenue_shares, part),
        }
        return {
            name: Result(table, self.base, (), self.labels, self.call, TITLES[name], formats, self.level)
            for name, (table, formats) in parts.items()
            if len(table)
        }

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the value of a point per segment with its interval."""
        from cxlab.loyalty._draw_money import draw

        return draw(self, ax, language(lang))

    @property
    def money(self) -> str:
        """Format of values: as many decimals as their errors allow, whether prices are in yuan or in millions."""
        return decimals(self.table["se"].min(), 2)

    def headline(self, lang: str | None = None) -> Sentence:
        """What the picture shows, in one line: the value, or the segment where it is highest, if that can be told."""
        lang = language(lang)
        facts = {"satisfaction": self.label(self.satisfaction, lang), "unit": self.unit_of(lang)}
        kind = "margin" if self.with_margin else "revenue"
        usable = self.table[self.table["reliability"] != "suppressed"]
        if usable.empty:
            return sentence(_HEADLINE["small"], lang, **facts)
        if self.key is None:
            row = next(_records(usable))
            told = row.low > 0 or row.high < 0
            return sentence(
                _HEADLINE[kind if told else "none"], lang, value=Figure(row.estimate, "+" + self.money), **facts
            )
        found = _told(self.differences, self.key, list(usable[self.key]), 1 - self.level)
        if not found:
            return sentence(_HEADLINE["alike"], lang, **facts)
        best, beaten = found
        row = next(_records(usable[usable[self.key] == best]))
        if len(beaten) == len(self.table) - 1:
            value = Figure(row.estimate, self.money)
            return sentence(_HEADLINE["most"], lang, segment=self.label(best, lang, self.key), value=value, **facts)
        names = [self.label(code, lang, self.key) for code in (best, beaten[-1])]
        return sentence(_HEADLINE["more"], lang, more=names[0], less=names[1], **facts)

    def unit_of(self, lang: str) -> str:
        """Currency as it follows a number."""
        unit = self.currency.get(lang, "")
        return f" {unit}" if unit and lang == "en" else unit

    def sentences(self, lang: str | None = None) -> Sentences:
        """Value per segment and in all, totals, differences, shares of revenue."""
        lang = language(lang)
        said = [s for row in _records(self.table) for s in self._about(row, self._who(row, lang), lang)]
        for row in _records(self.whole):
            said += self._about(row, _ALL[lang], lang)
        return Sentences([*said, *self._about_differences(lang), *self._about_shares(lang)])

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on the method."""
        return sentence(_METHODS, lang, level=self.said_level).text

    def _who(self, row: Any, lang: str) -> str:
        if self.key is None:
            return ""
        return self.label(getattr(row, self.key), lang, self.key) + (": " if lang == "en" else "：")

    def _about(self, row: Any, who: str, lang: str) -> Iterator[Sentence]:
        if row.reliability == "suppressed":
            yield sentence(_SMALL, lang, who=who, base=row.base)
            return
        told = row.low > 0 or row.high < 0
        kind = ("margin" if self.with_margin else "revenue") if told else "none"
        yield sentence(
            _VALUE[kind], lang, who=who, gain=row.gain, gain_low=row.gain_low, gain_high=row.gain_high, unit=self.unit_of(lang),
            satisfaction=self.label(self.satisfaction, lang), **_figures(row, ("value", "estimate"), "+" + self.money),
        )  # fmt: skip
        if "total" in self.table and told:
            yield sentence(
                _TOTAL,
                lang,
                who=who,
                customers=row.customers,
                unit=self.unit_of(lang),
                total=Figure(row.total, "+" + decimals(row.total, 3)),
                low=Figure(row.total_low, "+" + decimals(row.total, 3)),
                high=Figure(row.total_high, "+" + decimals(row.total, 3)),
            )

    def _about_differences(self, lang: str) -> Iterator[Sentence]:
        if self.differences.empty:
            return
        found = self.differences[self.differences["p_value"] < 1 - self.level]
        if found.empty:
            yield sentence(_ALIKE, lang, p=float(self.differences["p_value"].min()))
        for row in _records(found):
            codes = (getattr(row, str(self.key)), row.other)
            more, less = codes if row.estimate > 0 else codes[::-1]
            low, high = sorted((abs(row.low), abs(row.high)))
            yield sentence(
                _MORE, lang, more=self.label(more, lang, self.key), less=self.label(less, lang, self.key), p=row.p_value,
                gap=Figure(abs(row.estimate), self.money), low=Figure(low, self.money), high=Figure(high, self.money),
                unit=self.unit_of(lang),
            )  # fmt: skip

    def _about_shares(self, lang: str) -> Iterator[Sentence]:
        if self.revenue_shares.empty:
            return
        top = next(_records(self.revenue_shares.sort_values("estimate", ascending=False).head(1)))
        kind = "told" if self.lead < 1 - self.level else "open"
        yield sentence(
            _SHARE[kind],
            lang,
            segment=self.label(top.segment, lang, self.key),
            share=top.estimate,
            low=top.low,
            high=top.high,
            p=self.lead,
        )


def _records(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


def decimals(size: float, digits: int) -> str:
    """Format with at least so many digits of a number, and no decimals of large ones.

    Examples
    --------
    >>> decimals(181.0, 2), decimals(0.21, 2), decimals(48.3, 3)
    (',.0f', ',.2f', ',.1f')
    """
    size = abs(size)
    places = digits - 1 - np.floor(np.log10(size)) if np.isfinite(size) and size > 0 else 0
    return f",.{int(np.clip(places, 0, 6))}f"


def _figures(row: Any, named: tuple[str, str], spec: str) -> dict[str, Figure]:
    name, column = named
    ends = {end: Figure(getattr(row, end), spec) for end in ("low", "high")}
    return {name: Figure(getattr(row, column), spec), **ends}


def _told(differences: pd.DataFrame, key: str, usable: list[Any], alpha: float) -> tuple[Any, list[Any]] | None:
    """The usable segment told to be above most others, and those, the one farthest below last."""
    below: dict[Any, list[tuple[float, Any]]] = {}
    for row in _records(differences[differences["p_value"] < alpha]):
        more, less = (getattr(row, key), row.other)[:: 1 if row.estimate > 0 else -1]
        if more in usable and less in usable:
            below.setdefault(more, []).append((abs(row.estimate), less))
    if not below:
        return None
    best = max(below, key=lambda code: (len(below[code]), max(gap for gap, _ in below[code])))
    return best, [code for _, code in sorted(below[best], key=lambda pair: pair[0])]


def value_notes(
    capped: tuple[float, float], with_margin: bool, lost: tuple[int, float], failed: tuple[int, int], uncertain: bool
) -> tuple[Note, ...]:
    """Assumptions of the chain, and who left."""
    notes = [
        (True, Note(_CHAIN)), (not with_margin, Note(_REVENUE)), (True, Note(_CAPPED, capped=capped[0], top=capped[1])),
        (True, Note(_PRICES_DRAWN if uncertain else _PRICES)), (failed[0] > 0, Note(_FAILED, failed=failed[0], draws=failed[1])),
        (lost[0] > 0, Note(_LOST, lost=lost[0], share=lost[1])),
    ]  # fmt: skip
    return tuple(note for said, note in notes if said)


_ALL = {"en": "All segments: ", "zh": "全部顾客："}
_SMALL = {
    "en": "{who}{base:,} respondents are too few to put a value on a point.",
    "zh": "{who}仅 {base:,} 名受访者，样本过少，不宜估算每 1 分的价值。",
}
_VALUE = {
    "revenue": {
        "en": "{who}A point more of “{satisfaction}” goes with {value}{unit} ({low} to {high}) of revenue per 100 "
        "customers and year: the share that renews changes by {gain:pp} points ({gain_low:pp} to {gain_high:pp}).",
        "zh": "{who}“{satisfaction}”每提高 1 分，每 100 名顾客每年的收入相应变化 {value}{unit}（{low} 至 {high}）：续约率变化 "
        "{gain:pp} 个百分点（{gain_low:pp} 至 {gain_high:pp}）。",
    },
    "margin": {
        "en": "{who}A point more of “{satisfaction}” goes with {value}{unit} ({low} to {high}) of margin per 100 "
        "customers and year: the share that renews changes by {gain:pp} points ({gain_low:pp} to {gain_high:pp}).",
        "zh": "{who}“{satisfaction}”每提高 1 分，每 100 名顾客每年的毛利相应变化 {value}{unit}（{low} 至 {high}）：续约率变化 "
        "{gain:pp} 个百分点（{gain_low:pp} 至 {gain_high:pp}）。",
    },
    "none": {
        "en": "{who}Whether a point more of “{satisfaction}” goes with more money cannot be told: {value}{unit} ({low} to "
        "{high}) per 100 customers and year, {gain:pp} points ({gain_low:pp} to {gain_high:pp}) of renewals.",
        "zh": "{who}看不出“{satisfaction}”每提高 1 分是否带来更多收益：每 100 名顾客每年 {value}{unit}（{low} 至 {high}），续约率 "
        "{gain:pp} 个百分点（{gain_low:pp} 至 {gain_high:pp}）。",
    },
}
_TOTAL = {
    "en": "{who}For {customers:,.0f} customers that is {total}{unit} a year ({low} to {high}).",
    "zh": "{who}按 {customers:,.0f} 名顾客计，每年合计 {total}{unit}（{low} 至 {high}）。",
}
_MORE = {
    "en": "A point is worth {gap}{unit} ({low} to {high}) more per 100 customers and year in {more} than in {less} ({p:p}).",
    "zh": "就每 100 名顾客每年而言，{more}每 1 分的价值比{less}高 {gap}{unit}（{low} 至 {high}；{p:p}）。",
}
_ALIKE = {
    "en": "No difference between the segments in the value of a point can be told (smallest {p:p}).",
    "zh": "各群体每 1 分的价值看不出差异（最小的 {p:p}）。",
}
_SHARE = {
    "told": {
        "en": "{segment} brings the largest share of revenue, {share:.0%} ({low:.0%} to {high:.0%}; {p:p}).",
        "zh": "收入占比最高的是{segment}，为 {share:.0%}（{low:.0%} 至 {high:.0%}；{p:p}）。",
    },
    "open": {
        "en": "Which segment brings the largest share of revenue cannot be told; that of {segment} is {share:.0%} ({low:.0%} to {high:.0%}; {p:p}).",
        "zh": "看不出哪个群体的收入占比最高；{segment}为 {share:.0%}（{low:.0%} 至 {high:.0%}；{p:p}）。",
    },
}
_HEADLINE = {
    "revenue": {
        "en": "A point more of “{satisfaction}” goes with {value}{unit} of revenue per 100 customers and year",
        "zh": "“{satisfaction}”每提高 1 分，每 100 名顾客每年的收入相应变化 {value}{unit}",
    },
    "margin": {
        "en": "A point more of “{satisfaction}” goes with {value}{unit} of margin per 100 customers and year",
        "zh": "“{satisfaction}”每提高 1 分，每 100 名顾客每年的毛利相应变化 {value}{unit}",
    },
    "none": {
        "en": "Whether a point more of “{satisfaction}” goes with more money cannot be told",
        "zh": "看不出“{satisfaction}”每提高 1 分是否带来更多收益",
    },
    "most": {
        "en": "A point of “{satisfaction}” is worth most in {segment}: {value}{unit} per 100 customers and year",
        "zh": "“{satisfaction}”每 1 分的价值以{segment}最高：每 100 名顾客每年 {value}{unit}",
    },
    "more": {
        "en": "A point of “{satisfaction}” is worth more in {more} than in {less}",
        "zh": "“{satisfaction}”每 1 分的价值，{more}高于{less}",
    },
    "alike": {
        "en": "No difference between the segments in the value of a point of “{satisfaction}” can be told",
        "zh": "各群体“{satisfaction}”每 1 分的价值看不出差异",
    },
    "small": {
        "en": "Too few respondents to put a value on a point of “{satisfaction}”",
        "zh": "样本过少，不宜估算“{satisfaction}”每 1 分的价值",
    },
}
_CHAIN = {
    "en": "The chain assumes that customers a point higher would renew like those who are there today, pay today's price once a year, and that "
    "nothing else changes; it does not show what raising satisfaction would do.",
    "zh": "该推算假定：满意度提高 1 分的顾客，其续约与目前处于该分值的顾客相同，每年按现价付费一次，其他条件不变；它并不说明提高满意度会带来多大变化。",
}
_REVENUE = {
    "en": "Values are revenue; costs are not deducted (margin=).",
    "zh": "数值为收入，未扣除成本（可用 margin= 指定毛利率）。",
}
_CAPPED = {
    "en": "{capped:.1%} of customers already give {top:g}, the top of the scale, and count as unchanged.",
    "zh": "{capped:.1%} 的顾客已给出量表最高分 {top:g} 分，按不变计算。",
}
_PRICES = {
    "en": "Prices given as numbers count as known without error; those of a column vary with the sample.",
    "zh": "以数值给出的价格视为无误差；取自数据列的价格随样本变动。",
}
_PRICES_DRAWN = {
    "en": "Prices with a standard error are drawn anew in every replicate.",
    "zh": "带有标准误的价格在每次重抽样中重新抽取。",
}
_FAILED = {
    "en": "Draws in which some segment has no curve, left out of its error: {failed} of {draws:,}.",
    "zh": "某个群体无法拟合曲线、未计入误差的抽取次数：{failed}（共 {draws:,} 次）。",
}
_LOST = {
    "en": "{lost:,} respondents ({share:.1%} of the weight) without satisfaction, renewal, price or segment are left out.",
    "zh": "{lost:,} 名受访者（占权重 {share:.1%}）因缺少满意度、续约、价格或群体信息未纳入。",
}
_METHODS = {
    "en": "Logistic regression of renewal on satisfaction in every segment, a line with two fixed bends; average change of the fitted share for "
    "one point more, capped at the top of the scale, times price; {level} t intervals from Rao–Wu replicates of the sample design with "
    "prices and margin drawn jointly.",
    "zh": "在各群体内以满意度对续约作逻辑回归（含两个固定拐点的折线）；满意度提高 1 分（不超过量表上限）时拟合比例的平均变化乘以价格；"
    "{level} t 区间由抽样设计的 Rao–Wu 重抽样得到，价格与毛利率同时抽取。",
}
TITLES = {
    "whole": {"en": "All segments together", "zh": "全部顾客合计"},
    "differences": {"en": "Segments against each other", "zh": "群体间比较"},
    "revenue_shares": {"en": "Shares of revenue", "zh": "收入占比"},
}
HEADINGS: dict[Any, Mapping[str, str]] = {
    "renewal": {"en": "Renewal", "zh": "续约率"}, "gain": {"en": "Change of renewal", "zh": "续约率变化"},
    "gain_low": {"en": "Change low", "zh": "变化下限"}, "gain_high": {"en": "Change high", "zh": "变化上限"},
    "price": {"en": "Mean price", "zh": "平均价格"}, "revenue": {"en": "Renewal revenue per 100", "zh": "每百人续约收入"},
    "customers": {"en": "Customers", "zh": "顾客数"}, "total": {"en": "Total", "zh": "合计"},
    "total_low": {"en": "Total low", "zh": "合计下限"}, "total_high": {"en": "Total high", "zh": "合计上限"},
    "other": {"en": "Compared with", "zh": "对比群体"},
}  # fmt: skip
