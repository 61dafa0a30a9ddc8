"""What a loyalty link says: its tables, its words."""

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
class LoyaltyLinkResult(Result):
    """The curve of loyalty over satisfaction, its threshold and its zones.

    Attributes
    ----------
    satisfaction, loyalty : str
    binary : bool
        Whether loyalty is 0 or 1: means are shares then and slopes log-odds.
    threshold : DataFrame
        One row (per segment): ``statistic, p_value`` (Holm over segments), ``threshold, low, high``, ``low_open,
        high_open`` (the interval reaches the end of the grid), ``slope_below, slope_above, bend`` with ``_low, _high``,
        ``slope`` of the straight line, ``findable, intercept, knots, base, base_effective, reliability``. Threshold and
        slopes beside it are missing unless the test rejects.
    zones : DataFrame
        ``shift, zone, share, share_low, share_high, estimate, se, low, high, base, base_effective, reliability``.
    differences : DataFrame
        Slopes of the straight lines of two groups: ``segment, other, estimate, se, low, high, p_value`` (Holm).
    cuts : tuple of float
        Lowest answer of indifference, of affection, and the step of their sensitivity.
    equal : float
        p-value of equal slopes in all groups.
    """

    satisfaction: str = ""
    loyalty: str = ""
    binary: bool = False
    threshold: pd.DataFrame = field(default_factory=pd.DataFrame)
    zones: pd.DataFrame = field(default_factory=pd.DataFrame)
    differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    cuts: tuple[float, float, float] = (0.0, 0.0, 1.0)
    equal: float = float("nan")

    @property
    def key(self) -> str | None:
        """Column of the groups: ``segment``, ``wave``, or None."""
        return next((k for k in ("segment", "wave") if k in self.threshold), None)

    def further(self) -> Mapping[str, Result]:
        """Threshold, zones, differences of groups."""
        spec = ".0%" if self.binary else ".2f"
        slopes = {
            str(c): "+.2f" for c in self.threshold if str(c).startswith(("slope", "bend", "findable", "intercept"))
        }
        parts: dict[str, tuple[pd.DataFrame, dict[str, str]]] = {
            "threshold": (self.threshold, {"threshold": ".4g", "low": ".4g", "high": ".4g", "knots": ",.0f", **slopes}),
            "zones": (self.zones, {"shift": "+g", "estimate": spec, "low": spec, "high": spec, "se": ".3f"}),
            "differences": (self.differences, {"estimate": "+.2f", "low": "+.2f", "high": "+.2f"}),
        }
        return {
            name: Result(table, self.base, (), self.labels, self.call, TITLES[name], formats, self.level)
            for name, (table, formats) in parts.items()
            if len(table)
        }

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw means with intervals, the line, the threshold with its band, and how many gave each answer."""
        from cxlab.loyalty._draw_link import draw

        return draw(self, ax, language(lang))

    def sentences(self, lang: str | None = None) -> Sentences:
        """Threshold or none, zones, differences of groups."""
        lang = language(lang)
        said = [*self._about_thresholds(lang), *self._about_zones(lang), *self._about_differences(lang)]
        return Sentences(said)

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on the method."""
        kind = _METHODS["binary" if self.binary else "line"]
        return sentence(kind, lang, level=self.said_level).text

    def _who(self, row: Any, lang: str) -> str:
        if self.key is None:
            return ""
        label = self.label(getattr(row, self.key), lang, self.key)
        return f"{label}: " if lang == "en" else f"{label}："

    def _about_thresholds(self, lang: str) -> Iterator[Sentence]:
        names = {"satisfaction": self.label(self.satisfaction, lang), "loyalty": self.label(self.loyalty, lang)}
        scale = np.exp if self.binary else (lambda v: v)
        kind = "odds" if self.binary else "points"
        for row in _records(self.threshold):
            who = self._who(row, lang)
            if row.reliability == "suppressed" or np.isnan(row.p_value):
                yield sentence(_SMALL, lang, who=who, base=row.base)
            elif np.isnan(row.threshold):
                yield sentence(
                    _NONE[kind], lang, who=who, p=row.p_value, findable=row.findable, slope=float(scale(row.slope)),
                    low=float(scale(row.slope_low)), high=float(scale(row.slope_high)), **names,
                )  # fmt: skip
            else:
                ends = {f"{side}_{end}": float(scale(getattr(row, f"slope_{side}_{end}")))
                        for side in ("below", "above") for end in ("low", "high")}  # fmt: skip
                yield sentence(
                    _FOUND[kind], lang, who=who, threshold=row.threshold, low=row.low, high=row.high, p=row.p_value,
                    below=float(scale(row.slope_below)), above=float(scale(row.slope_above)), **ends, **names,
                )  # fmt: skip

    def _about_zones(self, lang: str) -> Iterator[Sentence]:
        """Shares of the zones and how far the upper one moves with its cut."""
        if self.key is not None:
            return
        zone = self.zones.set_index(["shift", "zone"])
        step, shares, means = self.cuts[2], zone["share"], zone["estimate"]
        if ((self.zones["shift"] == 0) & (self.zones["reliability"] == "suppressed")).any():
            return
        yield sentence(
            _ZONES["share" if self.binary else "mean"], lang, first=self.cuts[0], second=self.cuts[1], step=step,
            defection=shares[0.0, "defection"], indifference=shares[0.0, "indifference"],
            affection=shares[0.0, "affection"], loyal_defection=means[0.0, "defection"],
            loyal_indifference=means[0.0, "indifference"], loyal_affection=means[0.0, "affection"],
            lower=shares[-step, "affection"], higher=shares[step, "affection"],
            loyalty=self.label(self.loyalty, lang), satisfaction=self.label(self.satisfaction, lang),
        )  # fmt: skip

    def _about_differences(self, lang: str) -> Iterator[Sentence]:
        if self.key is None or self.differences.empty:
            return
        found = self.differences[self.differences["p_value"] < 1 - self.level]
        if found.empty:
            yield sentence(_ALIKE, lang, p=self.equal)
        for row in _records(found):
            codes = (getattr(row, self.key), row.other)
            steeper, flatter = codes if row.estimate > 0 else codes[::-1]
            bounds = sorted((abs(row.low), abs(row.high)))
            yield sentence(
                _STEEPER["odds" if self.binary else "points"], lang, steeper=self.label(steeper, lang, self.key),
                flatter=self.label(flatter, lang, self.key), gap=abs(row.estimate), low=bounds[0], high=bounds[1], p=row.p_value,
            )  # fmt: skip


def _records(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


def link_notes(
    threshold: pd.DataFrame, binary: bool, excluded: int, share: float, equal: float, unusual: tuple[bool, bool, bool]
) -> tuple[Note, ...]:
    """Assumptions and judgements: log-odds, rows that left, an open interval, bins, a scale not declared, a ceiling."""
    binned, no_scale, ceiling = unusual
    many = int(threshold["p_value"].notna().sum())
    few = int(threshold["p_value"].isna().sum())
    opened = int((threshold["low_open"] | threshold["high_open"]).sum())
    notes = [
        (binary, Note(_LOGIT)), (many > 1, Note(_HOLM, many=many)), (np.isfinite(equal), Note(_EQUAL, p=equal)),
        (few > 0 and len(threshold) > 1, Note(_FEW, few=few)), (opened > 0, Note(_OPEN, opened=opened)),
        (binned, Note(_BINNED)), (no_scale, Note(_NO_SCALE)), (ceiling, Note(_CEILING)), (excluded > 0, Note(_LOST, lost=excluded, share=share)),
        (True, Note(_NOT_CAUSE)),
    ]  # fmt: skip
    return tuple(note for said, note in notes if said)


_FOUND = {
    "points": {
        "en": "{who}Below {threshold:g} ({low:g} to {high:g}) of “{satisfaction}” a point more goes with {below:+.2f} "
        "({below_low:+.2f} to {below_high:+.2f}) of “{loyalty}”, above with {above:+.2f} ({above_low:+.2f} to "
        "{above_high:+.2f}); a straight line does not describe it ({p:p}).",
        "zh": "{who}“{satisfaction}”以 {threshold:g} 分（{low:g} 至 {high:g}）为拐点：低于拐点时每提高 1 分，“{loyalty}”相应变化 "
        "{below:+.2f}（{below_low:+.2f} 至 {below_high:+.2f}）；高于拐点时变化 {above:+.2f}（{above_low:+.2f} 至 "
        "{above_high:+.2f}）；一条直线不足以描述二者关系（{p:p}）。",
    },
    "odds": {
        "en": "{who}Below {threshold:g} ({low:g} to {high:g}) of “{satisfaction}” a point more multiplies the odds of “{loyalty}” by "
        "{below:.2f} ({below_low:.2f} to {below_high:.2f}), above by {above:.2f} ({above_low:.2f} to {above_high:.2f}); one "
        "slope does not describe it ({p:p}).",
        "zh": "{who}“{satisfaction}”以 {threshold:g} 分（{low:g} 至 {high:g}）为拐点：低于拐点时每提高 1 分，“{loyalty}”的优势（odds）变为 "
        "{below:.2f} 倍（{below_low:.2f} 至 {below_high:.2f}）；高于拐点时变为 {above:.2f} 倍（{above_low:.2f} 至 "
        "{above_high:.2f}）；单一斜率不足以描述二者关系（{p:p}）。",
    },
}
_NONE = {
    "points": {
        "en": "{who}No threshold can be told: a straight line describes “{loyalty}” as well ({p:p}). A point more of "
        "“{satisfaction}” goes with {slope:+.2f} ({low:+.2f} to {high:+.2f}); a change of slope by {findable:.2f} would have been "
        "found four times in five.",
        "zh": "{who}看不出拐点：一条直线同样能描述“{loyalty}”（{p:p}）。“{satisfaction}”每提高 1 分，相应变化 {slope:+.2f}"
        "（{low:+.2f} 至 {high:+.2f}）；若斜率变化达到 {findable:.2f}，本次调查有八成把握能够发现。",
    },
    "odds": {
        "en": "{who}No threshold can be told: one slope describes “{loyalty}” as well ({p:p}). A point more of “{satisfaction}” "
        "multiplies its odds by {slope:.2f} ({low:.2f} to {high:.2f}); a change of slope by {findable:.2f} log-odds would have been "
        "found four times in five.",
        "zh": "{who}看不出拐点：单一斜率同样能描述“{loyalty}”（{p:p}）。“{satisfaction}”每提高 1 分，其优势（odds）变为 {slope:.2f} 倍"
        "（{low:.2f} 至 {high:.2f}）；若斜率变化达到 {findable:.2f}（对数优势），本次调查有八成把握能够发现。",
    },
}
_SMALL = {
    "en": "{who}{base:,} respondents are too few, or answer too much alike, to look for a threshold.",
    "zh": "{who}仅 {base:,} 名受访者，样本过少或回答过于集中，无法检验拐点。",
}
_ZONES = {
    "mean": {
        "en": "{defection:.0%} of customers are in the zone of defection (“{satisfaction}” under {first:g}), {indifference:.0%} in that of "
        "indifference, {affection:.0%} in that of affection ({second:g} and over); “{loyalty}” averages {loyal_defection:.2f}, "
        "{loyal_indifference:.2f} and {loyal_affection:.2f} there. With the cuts {step:g} lower affection holds {lower:.0%}, "
        "{step:g} higher {higher:.0%}.",
        "zh": "{defection:.0%} 的顾客处于背离区（“{satisfaction}”低于 {first:g} 分），{indifference:.0%} 处于无差异区，{affection:.0%} 处于依恋区"
        "（{second:g} 分及以上）；三区的“{loyalty}”均值依次为 {loyal_defection:.2f}、{loyal_indifference:.2f}、"
        "{loyal_affection:.2f}。分界下移 {step:g} 分，依恋区占 {lower:.0%}；上移 {step:g} 分，占 {higher:.0%}。",
    },
    "share": {
        "en": "{defection:.0%} of customers are in the zone of defection (“{satisfaction}” under {first:g}), {indifference:.0%} in that of "
        "indifference, {affection:.0%} in that of affection ({second:g} and over); the share of “{loyalty}” is {loyal_defection:.0%}, "
        "{loyal_indifference:.0%} and {loyal_affection:.0%} there. With the cuts {step:g} lower affection holds {lower:.0%}, "
        "{step:g} higher {higher:.0%}.",
        "zh": "{defection:.0%} 的顾客处于背离区（“{satisfaction}”低于 {first:g} 分），{indifference:.0%} 处于无差异区，{affection:.0%} 处于依恋区"
        "（{second:g} 分及以上）；三区的“{loyalty}”比例依次为 {loyal_defection:.0%}、{loyal_indifference:.0%}、"
        "{loyal_affection:.0%}。分界下移 {step:g} 分，依恋区占 {lower:.0%}；上移 {step:g} 分，占 {higher:.0%}。",
    },
}
_ALIKE = {
    "en": "No difference between the slopes of the groups can be told (all equal: {p:p}).",
    "zh": "各群体的斜率看不出差异（斜率全部相等的检验：{p:p}）。",
}
_STEEPER = {
    "points": {
        "en": "A point more of satisfaction goes with {gap:.2f} ({low:.2f} to {high:.2f}) more loyalty in {steeper} than in {flatter} ({p:p}).",
        "zh": "满意度每提高 1 分，{steeper}的忠诚度增幅比{flatter}多 {gap:.2f}（{low:.2f} 至 {high:.2f}；{p:p}）。",
    },
    "odds": {
        "en": "Loyalty hangs more on satisfaction in {steeper} than in {flatter}: the slopes differ by {gap:.2f} log-odds per point "
        "({low:.2f} to {high:.2f}; {p:p}).",
        "zh": "与{flatter}相比，{steeper}的忠诚度更取决于满意度：每 1 分的斜率（对数优势）相差 {gap:.2f}（{low:.2f} 至 {high:.2f}；{p:p}）。",
    },
}
_LOGIT = {
    "en": "The outcome is 0 or 1: means are shares, slopes are log-odds per point.",
    "zh": "结果变量为 0/1：均值即比例，斜率为每 1 分的对数优势变化。",
}
_HOLM = {
    "en": "p-values of the {many} threshold tests are adjusted by Holm's method.",
    "zh": "{many} 项拐点检验的 p 值已按 Holm 方法校正。",
}
_EQUAL = {
    "en": "Test that the straight lines of all groups are equally steep: {p:p}.",
    "zh": "各群体直线斜率相等的联合检验：{p:p}。",
}
_FEW = {
    "en": "Groups with fewer than 60 respondents or five answers, or without variation, where no threshold is looked for: {few}.",
    "zh": "因受访者不足 60 人、答案不足 5 种或没有差异而未作拐点检验的群体数：{few}。",
}
_OPEN = {
    "en": "Thresholds whose interval reaches the end of the knots tried, and may go on beyond: {opened}.",
    "zh": "区间触及所试范围边界、实际可能更宽的拐点数：{opened}。",
}
_CEILING = {
    "en": "Above the threshold many give the highest answer there is: the flatter line may be the ceiling of the scale.",
    "zh": "拐点以上有许多受访者给出了最高分：斜率变缓可能是量表的天花板效应。",
}
_BINNED = {
    "en": "Satisfaction has more than 21 different answers: the curve shows ten bins, the lines use the answers themselves.",
    "zh": "满意度的取值超过 21 种：曲线按十个等宽区间展示，直线拟合仍用原始取值。",
}
_NO_SCALE = {
    "en": "The scale of satisfaction is not declared; the zones are cut on the answers that occur.",
    "zh": "未声明满意度的量表范围；分区按实际出现的答案划定。",
}
_LOST = {
    "en": "{lost:,} respondents ({share:.1%} of the weight) with a missing answer are left out.",
    "zh": "{lost:,} 名受访者（占权重 {share:.1%}）因有缺失回答未纳入。",
}
_NOT_CAUSE = {
    "en": "The lines compare customers who differ in satisfaction; they do not show what raising it would do.",
    "zh": "以上比较的是满意度不同的顾客，并不说明提高满意度会带来多大变化。",
}
_METHODS = {
    "line": {
        "en": "Segmented linear regression on a grid of knots; sup-Wald test with a design-based multivariate t null distribution; {level} "
        "interval of the knot by inversion of a Rao–Scott corrected criterion test (Hansen 2017).",
        "zh": "在拐点网格上作分段线性回归；采用上确界 Wald 检验，零分布取自基于抽样设计的多元 t 分布；拐点的 {level} 区间由"
        "经 Rao–Scott 校正的准则检验反演得到（Hansen 2017）。",
    },
    "binary": {
        "en": "Segmented logistic regression on a grid of knots; sup-Wald test with a design-based multivariate t null distribution; {level} "
        "interval of the knot by inversion of a Rao–Scott corrected criterion test (Hansen 2017).",
        "zh": "在拐点网格上作分段逻辑回归；采用上确界 Wald 检验，零分布取自基于抽样设计的多元 t 分布；拐点的 {level} 区间由"
        "经 Rao–Scott 校正的准则检验反演得到（Hansen 2017）。",
    },
}  # fmt: skip
TITLES = {
    "threshold": {"en": "Threshold", "zh": "拐点"},
    "zones": {"en": "Zones", "zh": "满意度分区"},
    "differences": {"en": "Slopes of groups against each other", "zh": "群体间斜率比较"},
}
_SIDES = {"slope_below": ("Slope below", "拐点以下斜率"), "slope_above": ("Slope above", "拐点以上斜率"),
          "bend": ("Change of slope", "斜率变化"), "slope": ("Slope of one line", "单一直线斜率")}  # fmt: skip
HEADINGS: dict[Any, Mapping[str, str]] = {
    "point": {"en": "Satisfaction", "zh": "满意度"}, "smooth": {"en": "Smooth", "zh": "平滑值"},
    "smooth_low": {"en": "Smooth low", "zh": "平滑值下限"}, "smooth_high": {"en": "Smooth high", "zh": "平滑值上限"},
    "statistic": {"en": "Largest Wald", "zh": "最大 Wald 值"}, "threshold": {"en": "Threshold", "zh": "拐点"},
    "low_open": {"en": "Open below", "zh": "下限未封闭"}, "high_open": {"en": "Open above", "zh": "上限未封闭"},
    "findable": {"en": "Findable change", "zh": "可检出的变化"}, "intercept": {"en": "Intercept", "zh": "截距"},
    "knots": {"en": "Knots tried", "zh": "试验的拐点数"}, "shift": {"en": "Cuts moved by", "zh": "分界移动"},
    "zone": {"en": "Zone", "zh": "分区"}, "other": {"en": "Against", "zh": "对比群体"},
    ("zone", "defection"): {"en": "defection", "zh": "背离区"},
    ("zone", "indifference"): {"en": "indifference", "zh": "无差异区"},
    ("zone", "affection"): {"en": "affection", "zh": "依恋区"},
    **{name: {"en": en, "zh": zh} for name, (en, zh) in _SIDES.items()},
    **{f"{name}_low": {"en": f"{en}, low", "zh": f"{zh}下限"} for name, (en, zh) in _SIDES.items()},
    **{f"{name}_high": {"en": f"{en}, high", "zh": f"{zh}上限"} for name, (en, zh) in _SIDES.items()},
}  # fmt: skip
