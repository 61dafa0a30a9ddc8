"""What a comparison of intention and behaviour says: its tables, its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.result import Result
from cxlab.words import Note, Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class IntentionResult(Result):
    """Behaviour by stated intention, overclaim, and satisfaction's slopes on both.

    Attributes
    ----------
    intention, behaviour : str
    satisfaction : str or None
    scale : (low, high)
        Of the intention: declared, or the answers that occur.
    cut : float
        Lowest answer that counts as an intention.
    agreement : DataFrame
        One row (per group): ``intended, behaved, overclaim, slope, to_intention, to_behaviour, gap`` with ``_low, _high``,
        ``overclaim_p, gap_p, base, base_effective, reliability``.
    differences : DataFrame
        ``measure`` (at_equal_intention, overclaim, gap), ``segment, other, estimate, se, low, high, p_value`` (Holm within
        a measure), ``base_effective, reliability`` (of the smaller group).
    """

    intention: str = ""
    behaviour: str = ""
    satisfaction: str | None = None
    scale: tuple[float, float] = (0.0, 1.0)
    cut: float = 1.0
    agreement: pd.DataFrame = field(default_factory=pd.DataFrame)
    differences: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def key(self) -> str | None:
        """Column of the groups: ``segment``, ``wave``, or None."""
        return next((k for k in ("segment", "wave") if k in self.agreement), None)

    def further(self) -> Mapping[str, Result]:
        """Agreement, differences of groups."""
        spec = {c: "+.2f" for c in self.agreement.columns if c.startswith(("to_", "gap"))}
        spec |= {c: ".0%" for c in self.agreement.columns if c.startswith(("intended", "behaved", "slope"))}
        spec |= {c: "pp" for c in self.agreement.columns if c.startswith("overclaim")}
        spec |= {"overclaim_p": "p", "gap_p": "p"}
        parts = {"agreement": (self.agreement, spec)}
        if len(self.differences):
            parts["differences"] = (
                self.differences,
                dict.fromkeys(("estimate", "low", "high"), "+.3f") | {"se": ".3f"},
            )
        return {
            name: Result(table, self.base, (), self.labels, self.call, TITLES[name], formats, self.level)
            for name, (table, formats) in parts.items()
        }

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the share who did it by what was said, against the line of answers taken as probabilities."""
        from cxlab.loyalty._draw_intention import draw

        return draw(self, ax, language(lang))

    def sentences(self, lang: str | None = None) -> Sentences:
        """Overclaim, calibration, slopes of satisfaction, differences of groups."""
        lang = language(lang)
        said = [s for row in _records(self.agreement) for s in self._about(row, lang)]
        return Sentences([*said, *self._about_differences(lang)])

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on the method."""
        return sentence(_METHODS, lang, level=self.said_level).text

    def headline(self, lang: str | None = None) -> Sentence:
        """What the picture shows, in one line: intention against behaviour, or the groups at equal intentions."""
        lang = language(lang)
        facts: dict[str, Any] = {"behaviour": self.label(self.behaviour, lang)}
        if self.key is None:
            row = next(_records(self.agreement))
            if row.reliability == "suppressed":
                return sentence(_HEADLINE["small"], lang, **facts)
            kind = ("over" if row.overclaim > 0 else "under") if row.overclaim_p < 1 - self.level else "open"
            return sentence(_HEADLINE[kind], lang, intended=row.intended, behaved=row.behaved, **facts)
        found = self._apart()
        if found.empty:
            return sentence(_HEADLINE["alike"], lang, **facts)
        row = next(_records(found.loc[[found["estimate"].abs().idxmax()]]))
        more, less = self._ordered(row, lang)
        return sentence(_HEADLINE["groups"], lang, more=more, less=less, gap=abs(row.estimate), **facts)

    def _apart(self) -> pd.DataFrame:
        """Differences of groups at equal intentions that can be told, where both bases allow."""
        d = self.differences
        if d.empty:
            return d
        told = (d["p_value"] < 1 - self.level) & (d["reliability"] != "suppressed")
        return d[told & (d["measure"] == "at_equal_intention")]

    def _ordered(self, row: Any, lang: str) -> tuple[str, str]:
        """Wordings of the groups of a difference, the one with the larger share first."""
        first, second = (self.label(code, lang, self.key) for code in (getattr(row, str(self.key)), row.other))
        return (first, second) if row.estimate > 0 else (second, first)

    def _about(self, row: Any, lang: str) -> Iterator[Sentence]:
        who = ""
        if self.key is not None:
            who = self.label(getattr(row, self.key), lang, self.key) + (": " if lang == "en" else "：")
        if row.reliability == "suppressed":
            yield sentence(_SMALL, lang, who=who, base=row.base)
            return
        names = {"intention": self.label(self.intention, lang), "behaviour": self.label(self.behaviour, lang)}
        yield sentence(
            _OVERCLAIM, lang, who=who, intended=row.intended, behaved=row.behaved, cut=self.cut, gap=row.overclaim, low=row.overclaim_low,
            high=row.overclaim_high, p=row.overclaim_p, **names,
        )  # fmt: skip
        if np.isfinite(row.slope):
            yield sentence(_SLOPE, lang, who=who, slope=row.slope, low=row.slope_low, high=row.slope_high, **names)
        if self.satisfaction is None or np.isnan(row.gap):
            return
        told = row.gap_p < 1 - self.level
        yield sentence(
            _GAP[_closer(row) if told else "alike"], lang, who=who, satisfaction=self.label(self.satisfaction, lang),
            first=row.to_intention, second=row.to_behaviour, gap=row.gap, low=row.gap_low, high=row.gap_high, p=row.gap_p, **names,
        )  # fmt: skip

    def _about_differences(self, lang: str) -> Iterator[Sentence]:
        if self.differences.empty:
            return
        equal = self.differences[self.differences["measure"] == "at_equal_intention"]
        found = self._apart()
        if found.empty and equal["p_value"].notna().any():
            yield sentence(_ALIKE, lang, p=float(equal["p_value"].min()))
        for row in _records(found):
            more, less = self._ordered(row, lang)
            low, high = sorted((abs(row.low), abs(row.high)))
            yield sentence(
                _BIAS, lang, more=more, less=less, gap=abs(row.estimate), low=low,
                high=high, p=row.p_value, behaviour=self.label(self.behaviour, lang),
            )  # fmt: skip


def _records(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


def _closer(row: Any) -> str:
    """What satisfaction is tied to more closely, whichever its sign; neither where the two signs differ."""
    if row.to_intention * row.to_behaviour < 0:
        return "apart"
    return "more" if abs(row.to_intention) > abs(row.to_behaviour) else "less"


def intention_notes(
    lost: int, share: float, no_scale: bool, compared: bool, differences: pd.DataFrame
) -> tuple[Note, ...]:
    """Assumptions: what counts as an intention, what is standardised, who left."""
    tests = len(differences)
    notes = [
        (compared, Note(_STANDARD)), (tests > 0, Note(_HOLM, tests=tests)), (no_scale, Note(_NO_SCALE)),
        (lost > 0, Note(_LOST, lost=lost, share=share)), (True, Note(_ORDER)),
    ]  # fmt: skip
    return tuple(note for said, note in notes if said)


_SMALL = {
    "en": "{who}{base:,} respondents are too few to compare intention and behaviour.",
    "zh": "{who}仅 {base:,} 名受访者，样本过少，不宜比较意向与行为。",
}
_OVERCLAIM = {
    "en": "{who}{intended:.0%} say they will (“{intention}” {cut:g} or more), {behaved:.0%} did (“{behaviour}”): intention less behaviour is "
    "{gap:pp} points ({low:pp} to {high:pp}; {p:p}).",
    "zh": "{who}{intended:.0%} 的顾客表示会（“{intention}”{cut:g} 分及以上），实际“{behaviour}”的占 {behaved:.0%}：两者相减为 {gap:pp} 个"
    "百分点（{low:pp} 至 {high:pp}；{p:p}）。",
}
_SLOPE = {
    "en": "{who}From the lowest to the highest answer to “{intention}” the share with “{behaviour}” changes by {slope:pp} points ({low:pp} to "
    "{high:pp}); 100 if customers did what they say.",
    "zh": "{who}从“{intention}”的最低分到最高分，“{behaviour}”的比例变化 {slope:pp} 个百分点（{low:pp} 至 {high:pp}）；若顾客言行一致，"
    "应为 100 个百分点。",
}
_GAP = {
    "more": {
        "en": "{who}“{satisfaction}” is tied more closely to what customers say than to what they do: standardised slopes of {first:.2f} for "
        "“{intention}” and {second:.2f} for “{behaviour}” (difference {gap:+.2f}, {low:+.2f} to {high:+.2f}; {p:p}).",
        "zh": "{who}“{satisfaction}”与顾客所说的关联强于与其所做的：对“{intention}”的标准化斜率为 {first:.2f}，对“{behaviour}”为 {second:.2f}"
        "（相差 {gap:+.2f}，{low:+.2f} 至 {high:+.2f}；{p:p}）。",
    },
    "less": {
        "en": "{who}“{satisfaction}” is tied more closely to what customers do than to what they say: standardised slopes of {first:.2f} for "
        "“{intention}” and {second:.2f} for “{behaviour}” (difference {gap:+.2f}, {low:+.2f} to {high:+.2f}; {p:p}).",
        "zh": "{who}“{satisfaction}”与顾客所做的关联强于与其所说的：对“{intention}”的标准化斜率为 {first:.2f}，对“{behaviour}”为 {second:.2f}"
        "（相差 {gap:+.2f}，{low:+.2f} 至 {high:+.2f}；{p:p}）。",
    },
    "apart": {
        "en": "{who}“{satisfaction}” is tied to what customers say otherwise than to what they do: standardised slopes of {first:.2f} for "
        "“{intention}” and {second:.2f} for “{behaviour}” (difference {gap:+.2f}, {low:+.2f} to {high:+.2f}; {p:p}).",
        "zh": "{who}“{satisfaction}”与顾客所说、所做的关联方向不同：对“{intention}”的标准化斜率为 {first:.2f}，对“{behaviour}”为 {second:.2f}"
        "（相差 {gap:+.2f}，{low:+.2f} 至 {high:+.2f}；{p:p}）。",
    },
    "alike": {
        "en": "{who}Whether “{satisfaction}” is tied more closely to what customers say or to what they do cannot be told: standardised slopes of "
        "{first:.2f} for “{intention}” and {second:.2f} for “{behaviour}” (difference {gap:+.2f}, {low:+.2f} to {high:+.2f}; {p:p}).",
        "zh": "{who}看不出“{satisfaction}”与所说、所做的关联孰强：对“{intention}”的标准化斜率为 {first:.2f}，对“{behaviour}”为 {second:.2f}"
        "（相差 {gap:+.2f}，{low:+.2f} 至 {high:+.2f}；{p:p}）。",
    },
}
_BIAS = {
    "en": "With equal intentions, “{behaviour}” is {gap:pt} points ({low:pt} to {high:pt}) more frequent in {more} than in {less} ({p:p}): "
    "the same answer does not foretell the same behaviour in both.",
    "zh": "在意向相同的情况下，{more}的“{behaviour}”比例比{less}高 {gap:pt} 个百分点（{low:pt} 至 {high:pt}；{p:p}）：同样的回答在两类"
    "顾客中并不预示同样的行为。",
}
_ALIKE = {
    "en": "No difference between the groups can be told at equal intentions (smallest {p:p}).",
    "zh": "在意向相同的情况下，各群体的行为看不出差异（最小的 {p:p}）。",
}
_HEADLINE = {
    "over": {
        "en": "More say they will than do: {intended:.0%} against {behaved:.0%} with “{behaviour}”",
        "zh": "说的多、做的少：{intended:.0%} 表示会，实际“{behaviour}”的占 {behaved:.0%}",
    },
    "under": {
        "en": "More do than say they will: {behaved:.0%} with “{behaviour}” against {intended:.0%}",
        "zh": "做的比说的多：{intended:.0%} 表示会，实际“{behaviour}”的占 {behaved:.0%}",
    },
    "open": {
        "en": "Whether more say they will or do cannot be told: {intended:.0%} against {behaved:.0%} with “{behaviour}”",
        "zh": "看不出说与做孰多：{intended:.0%} 表示会，实际“{behaviour}”的占 {behaved:.0%}",
    },
    "groups": {
        "en": "With equal intentions, “{behaviour}” is {gap:pt} points more frequent in {more} than in {less}",
        "zh": "意向相同时，{more}的“{behaviour}”比例比{less}高 {gap:pt} 个百分点",
    },
    "alike": {
        "en": "With equal intentions, no difference between the groups in “{behaviour}” can be told",
        "zh": "意向相同时，各群体的“{behaviour}”比例看不出差异",
    },
    "small": {
        "en": "Too few respondents to compare intention with “{behaviour}”",
        "zh": "样本过少，不宜比较意向与“{behaviour}”",
    },
}
_STANDARD = {
    "en": "The standardised slope on behaviour is that of the propensity behind the 0 and 1 (logit), not of the 0 and 1 themselves.",
    "zh": "对行为的标准化斜率指 0/1 背后的潜在倾向（logit），而非 0/1 本身。",
}
_HOLM = {
    "en": "{tests} comparisons of groups, p-values adjusted by Holm's method within each measure.",
    "zh": "群体间共 {tests} 次比较，p 值在每项指标内按 Holm 方法校正。",
}
_NO_SCALE = {
    "en": "The scale of the intention is not declared; the answers that occur are taken for it.",
    "zh": "未声明意向题的量表范围；按实际出现的答案计算。",
}
_LOST = {
    "en": "{lost:,} respondents ({share:.1%} of the weight) without intention or behaviour are left out.",
    "zh": "{lost:,} 名受访者（占权重 {share:.1%}）因缺少意向或行为记录未纳入。",
}
_ORDER = {
    "en": "The behaviour is taken to have come after the answer; whoever cannot leave may stay whatever is said.",
    "zh": "假定行为发生在作答之后；无法离开的顾客无论怎么回答都可能留下。",
}
_METHODS = {
    "en": "Weighted shares of the behaviour by stated intention with Korn–Graubard intervals; overclaim, slopes and differences of groups with "
    "{level} t intervals from Rao–Wu replicates of the sample design; Holm within each measure (after Mittal & Kamakura 2001).",
    "zh": "按所述意向计算行为的加权比例，采用 Korn–Graubard 区间；虚高、斜率与群体差异的 {level} t 区间由抽样设计的 Rao–Wu 重抽样得到；"
    "每项指标内按 Holm 方法校正（参照 Mittal & Kamakura 2001）。",
}
TITLES = {
    "agreement": {"en": "Agreement", "zh": "言行一致程度"},
    "differences": {"en": "Groups against each other", "zh": "群体间比较"},
}
_PARTS = {
    "intended": ("Intended", "有意向"), "behaved": ("Did it", "实际行为"), "overclaim": ("Intention less behaviour", "意向减行为"),
    "slope": ("Rise over the scale", "全量表升幅"), "to_intention": ("Satisfaction on intention", "满意度对意向"),
    "to_behaviour": ("Satisfaction on behaviour", "满意度对行为"), "gap": ("Difference of slopes", "斜率之差"),
}  # fmt: skip
HEADINGS: dict[Any, Mapping[str, str]] = {
    "lowest": {"en": "From", "zh": "起始分"}, "highest": {"en": "To", "zh": "终止分"}, "point": {"en": "Mean answer", "zh": "平均分"},
    "measure": {"en": "Measure", "zh": "指标"}, "other": {"en": "Compared with", "zh": "对比群体"},
    "overclaim_p": {"en": "p of intention less behaviour", "zh": "意向减行为的 p 值"}, "gap_p": {"en": "p of difference", "zh": "差异的 p 值"},
    ("measure", "at_equal_intention"): {"en": "Behaviour at equal intention", "zh": "意向相同时的行为"},
    ("measure", "overclaim"): {"en": "Intention less behaviour", "zh": "意向减行为"},
    ("measure", "gap"): {"en": "Difference of slopes", "zh": "斜率之差"},
    **{f"{name}{end}": {"en": f"{en}{more_en}", "zh": f"{zh}{more_zh}"} for name, (en, zh) in _PARTS.items()
       for end, more_en, more_zh in (("", "", ""), ("_low", " low", "下限"), ("_high", " high", "上限"))},
}  # fmt: skip
