"""What a what-if shows: sentences, a picture, further tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlab.drivers._scenario import records
from cxlab.result import Result
from cxlab.words import Figure, Note, Sentence, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOGETHER = "together"
_MEAN = {
    "en": "If everybody rated {changes}, as far as the scale allows, {outcome:in} would be expected at {after} instead of {before}: {gain} "
    "({level} interval {low} to {high}). This carries an association over to a change; it is no proof of an effect.",
    "zh": "若{changes}（以量表上下限为限），“{outcome}”的预期均值将由 {before} 变为 {after}，即 {gain}（{level} 区间 {low} 至 "
    "{high}）。这是由关联推算，并非因果效应的证明。",
}
_GAIN = {
    "points": _MEAN,
    "nps": {"en": _MEAN["en"], "zh": _MEAN["zh"].replace("预期均值", "预期值")},
    "share": {
        "en": _MEAN["en"].replace("{outcome:in} would", "the share of “{outcome}” would"),
        "zh": _MEAN["zh"].replace("预期均值", "预期比例"),
    },
}
_ONE = {
    "en": "{driver:in} {points:g} {unit} {way} (on average {effective:+.2f})",
    "zh": "“{driver}”的评分普遍{way} {points:g} {unit}（平均实际变动 {effective:+.2f} 分）",
}
_UNIT = {"en": {True: "point", False: "points"}, "zh": {True: "分", False: "分"}}
_WAY = {"en": {True: "higher", False: "lower"}, "zh": {True: "提高", False: "降低"}}
_SEGMENT = {
    "en": "{segment:cap}: {gain} ({level} interval {low} to {high}), from {before} to {after}.",
    "zh": "{segment}：{gain}（{level} 区间 {low} 至 {high}），由 {before} 至 {after}。",
}
_PLAN = {
    "en": "The best use of a budget of {budget:g} is {changes} (cost {spent:g}). Chosen on one half of the respondents and counted on the other, "
    "such a choice goes with {honest} of {outcome} ({level} interval {low} to {high}); counted on the data that chose "
    "it, {naive}. This is association, no proof of an effect.",
    "zh": "预算为 {budget:g} 时，最佳组合是{changes}（花费 {spent:g}）。用一半受访者选方案、用另一半验证，这样的选择对应“{outcome}”{honest}"
    "（{level} 区间 {low} 至 {high}）；若用选出方案的同一批数据计算，则为 {naive}。这是关联，并非因果效应的证明。",
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
    kind : {"points", "nps", "share"}
        What one unit of the estimates is; shares run from 0 to 1.
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
    kind: str = "points"
    boxes: pd.DataFrame = field(default_factory=pd.DataFrame)
    plan: pd.DataFrame = field(default_factory=pd.DataFrame)
    replicates: pd.DataFrame = field(default_factory=pd.DataFrame)

    def further(self) -> Mapping[str, Result]:
        """Approximate classes of the outcome, or the budget."""
        out = {}
        for name, table in (("boxes", self.boxes), ("plan", self.plan)):
            if len(table):
                out[name] = Result(
                    table, self.base, (), self.labels, self.call, _TITLES[name], _further(name, self.kind), self.level
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
            return Sentences([sentence(_GAIN[self.kind], lang, changes=self._changes(lang), **self._facts(row, lang))])
        key = "segment" if "segment" in self.table else "wave"
        shown = together[together["reliability"] != "suppressed"]
        return Sentences(
            sentence(_SEGMENT, lang, segment=self.label(row[key], lang, key), **self._facts(row, lang))
            for _, row in shown.iterrows()
        )

    def _facts(self, row: Any, lang: str) -> dict[str, Any]:
        printed = FORMATS[self.kind]
        ends = {name: Figure(row[name], printed[name]) for name in ("before", "after", "low", "high")}
        gain = Figure(row["estimate"], printed["estimate"], _SAID[self.kind][lang] if self.kind == "share" else "")
        return {"outcome": self.label(self.outcome, lang), "gain": gain, "level": self.said_level, **ends}

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
        spec, points = FORMATS[self.kind]["estimate"], _SAID[self.kind][lang]
        rows = self.table[(self.table["driver"] != TOGETHER) & (self.table["change"] != 0)]
        name = self.label(self.outcome, lang)
        inside = f"“{name}”" if lang == "en" and self.kind == "share" else number(name, "in" if lang == "en" else "")
        gains = {k: Figure(facts[k], spec, points if k == "honest" else "") for k in ("honest", "naive", "low", "high")}
        if rows.empty:
            return [sentence(_LOWER if facts["lower"] else _NOTHING, lang, outcome=name, budget=facts["budget"])]
        listed = (", " if lang == "en" else "、").join(
            f"{self.label(r.driver, lang)} {'+' if r.change > 0 else '−'}{abs(r.change):g}" for r in records(rows)
        )
        often = self.table[(self.table["driver"] != TOGETHER) & (self.table["chosen"] >= 0.5)]
        drivers = (", " if lang == "en" else "、").join(self.label(d, lang) for d in often["driver"])
        return [
            sentence(_PLAN, lang, changes=listed, outcome=inside, level=self.said_level, **{**facts, **gains}),
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
_SAID = {
    "points": {"en": " points", "zh": " 分"},
    "nps": {"en": " points", "zh": " 点"},
    "share": {"en": " percentage points", "zh": " 个百分点"},
}
_COMMON = {"change": "+g", "effective_change": "+.2f", "cost": "g", "chosen": ".0%"}
FORMATS: Mapping[str, Mapping[str, str]] = {
    "points": {**_COMMON, "effect": "+.3f", **dict.fromkeys(("estimate", "low", "high"), "+.2f"), "se": ".3f", "before": ".2f", "after": ".2f"},
    "nps": {**_COMMON, "effect": "+.2f", **dict.fromkeys(("estimate", "low", "high", "before", "after"), "+.1f"), "se": ".2f"},
    "share": {**_COMMON, "effect": "pp2", **dict.fromkeys(("estimate", "low", "high"), "pp"), "se": "pt2", "before": ".1%", "after": ".1%"},
}  # fmt: skip


def _further(name: str, unit: str) -> Mapping[Any, str]:
    """How the numbers of a further table print."""
    if name == "plan":
        gain = dict.fromkeys(("naive", "honest", "low", "high"), FORMATS[unit]["estimate"])
        return {"budget": "g", "spent": "g", **gain, "same_set": ".0%"}
    return {
        ("top2", "before"): ".1%", ("top2", "after"): ".1%", **{("top2", c): "pp" for c in ("estimate", "low", "high")},
        ("top2", "se"): "pt", **{("nps", c): "+.1f" for c in ("before", "after", "estimate", "low", "high")}, ("nps", "se"): ".1f",
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
