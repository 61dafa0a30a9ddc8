"""What a what-if shows: sentences, a picture, further tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlab.drivers._scenario import records
from cxlab.result import Result
from cxlab.words import Note, Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOGETHER = "together"
_GAIN = {
    "en": "If everybody rated {changes}, as far as the scale allows, {outcome:in} would be expected at {after:.2f} instead of {before:.2f}: {gain:+.2f} "
    "({level} interval {low:+.2f} to {high:+.2f}). This carries an association over to a change; it is no proof of an effect.",
    "zh": "若{changes}（以量表上下限为限），“{outcome}”的预期均值将由 {before:.2f} 变为 {after:.2f}，即 {gain:+.2f}（{level} 区间 {low:+.2f} 至 "
    "{high:+.2f}）。这是由关联推算，并非因果效应的证明。",
}
_ONE = {
    "en": "{driver:in} {points:g} {unit} {way} (on average {effective:+.2f})",
    "zh": "“{driver}”的评分普遍{way} {points:g} {unit}（平均实际变动 {effective:+.2f} 分）",
}
_UNIT = {"en": {True: "point", False: "points"}, "zh": {True: "分", False: "分"}}
_WAY = {"en": {True: "higher", False: "lower"}, "zh": {True: "提高", False: "降低"}}
_SEGMENT = {
    "en": "{segment:cap}: {gain:+.2f} ({level} interval {low:+.2f} to {high:+.2f}), from {before:.2f} to {after:.2f}.",
    "zh": "{segment}：{gain:+.2f}（{level} 区间 {low:+.2f} 至 {high:+.2f}），由 {before:.2f} 至 {after:.2f}。",
}
_PLAN = {
    "en": "The best use of a budget of {budget:g} is {changes} (cost {spent:g}). Chosen on one half of the respondents and counted on the other, "
    "such a choice goes with {honest:+.2f} points of {outcome:in} ({level} interval {low:+.2f} to {high:+.2f}); counted on the data that chose "
    "it, {naive:+.2f}. This is association, no proof of an effect.",
    "zh": "预算为 {budget:g} 时，最佳组合是{changes}（花费 {spent:g}）。用一半受访者选方案、用另一半验证，这样的选择对应“{outcome}”{honest:+.2f} 分"
    "（{level} 区间 {low:+.2f} 至 {high:+.2f}）；若用选出方案的同一批数据计算，则为 {naive:+.2f} 分。这是关联，并非因果效应的证明。",
}
_SURE = {
    "en": "The same set is chosen in {same:.0%} of the resamples; in at least half of them: {drivers}.",
    "zh": "重抽样中有 {same:.0%} 选出同一组合；在半数以上重抽样中入选的有：{drivers}。",
}
_NOBODY = {"en": "none", "zh": "无"}
_NOTHING = {
    "en": "No affordable change goes with a higher {outcome:in} at a budget of {budget:g}.",
    "zh": "预算为 {budget:g} 时，没有可负担且对应更高“{outcome}”的改变。",
}
_LOWER = {
    "en": "No affordable change goes with a lower {outcome:in} at a budget of {budget:g}.",
    "zh": "预算为 {budget:g} 时，没有可负担且对应更低“{outcome}”的改变。",
}


@dataclass(frozen=True, eq=False)
class WhatIfResult(Result):
    """Expected change of the outcome under changed ratings.

    Attributes
    ----------
    outcome : str
    boxes : DataFrame
        Approximate change of classes of the outcome: ``metric`` (``top2``, ``nps``), ``before, after, estimate, se, low,
        high``; empty with ``by`` or ``budget``, and where the outcome has no scale.
    plan : DataFrame
        With a budget one row: ``budget, spent, naive, honest, se, low, high`` (interval of the honest gain), ``same_set``
        (share of replicates that choose exactly this set).
    replicates : DataFrame
        Gain under each set of replicate weights, one column per segment.
    """

    outcome: str = ""
    boxes: pd.DataFrame = field(default_factory=pd.DataFrame)
    plan: pd.DataFrame = field(default_factory=pd.DataFrame)
    replicates: pd.DataFrame = field(default_factory=pd.DataFrame)

    def further(self) -> Mapping[str, Result]:
        """Approximate classes of the outcome, or the budget."""
        out = {}
        for name, table in (("boxes", self.boxes), ("plan", self.plan)):
            if len(table):
                out[name] = Result(
                    table, self.base, (), self.labels, self.call, _TITLES[name], _FURTHER[name], self.level
                )
        return out

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw what each change adds, with intervals."""
        from cxlab.drivers._draw_what_if import draw

        return draw(self, ax, language(lang))

    def sentences(self, lang: str | None = None) -> Sentences:
        """Say what is expected, of whom, and how sure the choice is."""
        lang = language(lang)
        if (self.table["reliability"] == "suppressed").all():
            return Sentences()
        if len(self.plan):
            return Sentences(self._planned(lang))
        together = self.table[self.table["driver"] == TOGETHER]
        if "segment" not in self.table and "wave" not in self.table:
            row = together.iloc[0]
            return Sentences([sentence(_GAIN, lang, changes=self._changes(lang), **self._facts(row, lang))])
        key = "segment" if "segment" in self.table else "wave"
        shown = together[together["reliability"] != "suppressed"]
        return Sentences(
            sentence(_SEGMENT, lang, segment=self.label(row[key], lang, key), **self._facts(row, lang))
            for _, row in shown.iterrows()
        )

    def _facts(self, row: Any, lang: str) -> dict[str, Any]:
        return {
            "outcome": self.label(self.outcome, lang), "before": row["before"], "after": row["after"], "gain": row["estimate"],
            "low": row["low"], "high": row["high"], "level": self.said_level,
        }  # fmt: skip

    def _changes(self, lang: str) -> str:
        rows = self.table[(self.table["driver"] != TOGETHER) & (self.table["change"] != 0)]
        said = [
            sentence(_ONE, lang, driver=self.label(r.driver, lang), way=_WAY[lang][r.change > 0], points=abs(r.change), unit=_UNIT[lang][abs(r.change) == 1],
                     effective=r.effective_change).text
            for r in records(rows)
        ]  # fmt: skip
        return (" and " if lang == "en" else "、").join(said)

    def _planned(self, lang: str) -> list[Sentence]:
        facts = {str(k): v for k, v in self.plan.iloc[0].items()}
        rows = self.table[(self.table["driver"] != TOGETHER) & (self.table["change"] != 0)]
        name = self.label(self.outcome, lang)
        if rows.empty:
            return [sentence(_LOWER if facts["lower"] else _NOTHING, lang, outcome=name, budget=facts["budget"])]
        listed = (", " if lang == "en" else "、").join(
            f"{self.label(r.driver, lang)} {'+' if r.change > 0 else '−'}{abs(r.change):g}" for r in records(rows)
        )
        often = self.table[(self.table["driver"] != TOGETHER) & (self.table["chosen"] >= 0.5)]
        drivers = (", " if lang == "en" else "、").join(self.label(d, lang) for d in often["driver"])
        return [
            sentence(_PLAN, lang, changes=listed, outcome=name, level=self.said_level, **facts),
            sentence(_SURE, lang, same=facts["same_set"], drivers=drivers or _NOBODY[lang]),
        ]

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the numbers were made."""
        return Note(_METHODS, b=len(self.replicates), base=self.base.respondents).sentence(lang).text


_METHODS = {
    "en": "Gains are coefficients of the full weighted linear model of {base:,} complete respondents times the mean change of the answers, each "
    "answer moved only as far as the scale allows; both are computed under {b:,} Rao–Wu bootstrap replicate weights, intervals are estimate ± t · se.",
    "zh": "预期变化 = 全模型加权线性回归系数（{base:,} 名回答完整的受访者）× 答案的平均实际变动，每个答案只移动到量表上下限为止；二者均在 {b:,} 组 "
    "Rao–Wu 自助法重抽样权重下重新计算，区间为估计值 ± t × 标准误。",
}


TITLE = {"en": "What if: {}", "zh": "情景推演：{}"}
_TITLES = {
    "boxes": {"en": "Classes of the outcome (approximate)", "zh": "结果指标分档（近似）"},
    "plan": {"en": "Best use of the budget", "zh": "预算最佳用法"},
}
FORMATS = {
    "change": "+g", "effective_change": "+.2f", "effect": "+.3f", "estimate": "+.2f", "low": "+.2f", "high": "+.2f", "se": ".3f",
    "before": ".2f", "after": ".2f", "cost": "g", "chosen": ".0%",
}  # fmt: skip
_FURTHER: Mapping[str, Mapping[Any, str]] = {
    "boxes": {
        ("top2", "before"): ".1%", ("top2", "after"): ".1%", **{("top2", c): "pp" for c in ("estimate", "low", "high")},
        ("top2", "se"): "pt", **{("nps", c): "+.1f" for c in ("before", "after", "estimate", "low", "high")}, ("nps", "se"): ".1f",
    },
    "plan": {"budget": "g", "spent": "g", "naive": "+.2f", "honest": "+.2f", "low": "+.2f", "high": "+.2f", "same_set": ".0%"},
}  # fmt: skip
HEADINGS: Mapping[Any, Mapping[str, str]] = {
    TOGETHER: {"en": "Together", "zh": "合计"},
    "change": {"en": "Change", "zh": "设定变动"},
    "effective_change": {"en": "Effective change", "zh": "实际变动"},
    "effect": {"en": "Effect per +1", "zh": "每 +1 分的影响"},
    "estimate": {"en": "Expected gain", "zh": "预期变化"},
    "before": {"en": "Now", "zh": "现值"},
    "after": {"en": "Expected", "zh": "预期值"},
    "cost": {"en": "Cost", "zh": "花费"},
    "chosen": {"en": "Chosen in replicates", "zh": "重抽样中入选"},
    "budget": {"en": "Budget", "zh": "预算"},
    "spent": {"en": "Spent", "zh": "花费"},
    "naive": {"en": "Gain on the same data", "zh": "同批数据收益"},
    "honest": {"en": "Honest gain", "zh": "无偏收益"},
    "same_set": {"en": "Same set in replicates", "zh": "重抽样中同一组合"},
    "lower": {"en": "Less is better", "zh": "越低越好"},
    ("metric", "top2"): {"en": "Top-2 box", "zh": "前两档比例"},
    ("metric", "nps"): {"en": "NPS", "zh": "净推荐值（NPS）"},
}
