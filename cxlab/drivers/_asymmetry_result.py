"""What an analysis of asymmetry shows: sentences, a picture, the sensitivity to the knot."""

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

MUST_BE, DELIGHTER, PERFORMANCE, OPEN = "must-be", "delighter", "performance", "not decided"
_SAID = {
    MUST_BE: {
        "en": "{driver:cap} is a must-be: below {knot:g} one point more goes with {below:+.2f} points of {outcome:in}, above it with {above:+.2f} "
        "(difference {level} interval {low:+.2f} to {high:+.2f}, {p:p} after Holm).",
        "zh": "“{driver}”属于必备因素：低于 {knot:g} 分时，每高 1 分对应{outcome} {below:+.2f} 分；高于 {knot:g} 分后仅 {above:+.2f} 分（差值的 {level} 区间 "
        "{low:+.2f} 至 {high:+.2f}，Holm 校正 {p:p}）。",
    },
    DELIGHTER: {
        "en": "{driver:cap} is a delighter: above {knot:g} one point more goes with {above:+.2f} points of {outcome:in}, below it with {below:+.2f} "
        "(difference {level} interval {low:+.2f} to {high:+.2f}, {p:p} after Holm).",
        "zh": "“{driver}”属于魅力因素：高于 {knot:g} 分后，每高 1 分对应{outcome} {above:+.2f} 分；低于 {knot:g} 分时仅 {below:+.2f} 分（差值的 {level} 区间 "
        "{low:+.2f} 至 {high:+.2f}，Holm 校正 {p:p}）。",
    },
}
_STEADY = {
    "en": "Performance, at much the same rate below and above: {drivers}.",
    "zh": "期望因素（高低分段的影响相近）：{drivers}。",
}
_UNDECIDED = {
    "en": "Not decided: {drivers}. This does not say that they are symmetric: at the middle knot, differences between the slopes of @gap points of "
    "{outcome:in} per point would have been significant with {power:.0%} power.",
    "zh": "尚无法判定：{drivers}。这并不表示其影响是对称的：以现有样本量，在居中的转折点上，高低两段“{outcome}”的斜率相差 @gap 分时，才有 {power:.0%} 的把握检出。",
}
POWER = 0.8
_GAP = {"en": "{least:.2f} to {most:.2f}", "zh": "{least:.2f} 至 {most:.2f}"}
_OPEN_ONLY = {"en": "Not decided: {drivers}.", "zh": "尚无法判定：{drivers}。"}


@dataclass(frozen=True, eq=False)
class AsymmetryResult(Result):
    """Slopes of the outcome below and above a knot, driver by driver.

    Attributes
    ----------
    outcome : str
    knots : DataFrame
        Sensitivity: ``driver, knot, below, above, estimate, se, low, high, p_value`` (unadjusted) at every knot.
    """

    outcome: str = ""
    knots: pd.DataFrame = field(default_factory=pd.DataFrame)

    def further(self) -> Mapping[str, Result]:
        """Slopes at every knot."""
        return {"knots": Result(self.knots, self.base, (), self.labels, self.call, _KNOTS_TITLE, FORMATS, self.level)}

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw both slopes of every driver with intervals."""
        from cxlab.drivers._draw_asymmetry import draw

        return draw(self, ax, language(lang))

    def sentences(self, lang: str | None = None) -> Sentences:
        """Name must-bes and delighters with their slopes, then what is steady and what is open."""
        lang = language(lang)
        shown = self.table[self.table["reliability"] != "suppressed"]
        said: list[Sentence] = [
            sentence(_SAID[r.kind], lang, driver=self.label(r.driver, lang), outcome=self.label(self.outcome, lang), knot=r.knot, below=r.below,
                     above=r.above, low=r.low, high=r.high, p=r.p_value, level=self.said_level)
            for r in records(shown) if r.kind in _SAID
        ]  # fmt: skip
        for kind in (PERFORMANCE, OPEN):
            names = [self.label(d, lang) for d in shown.loc[shown["kind"] == kind, "driver"]]
            if names:
                listed, missed = (
                    (", " if lang == "en" else "、").join(names),
                    shown.loc[shown["kind"] == kind, "detectable"].dropna(),
                )
                if kind == OPEN and len(missed):
                    gaps = {"least": float(missed.min()), "most": float(missed.max())}
                    gap = _GAP[lang] if round(gaps["least"], 2) < round(gaps["most"], 2) else "{most:.2f}"
                    said.append(sentence({lang: _UNDECIDED[lang].replace("@gap", gap)}, lang, drivers=listed,
                                         outcome=self.label(self.outcome, lang), power=POWER, **gaps))  # fmt: skip
                else:
                    said.append(sentence(_STEADY if kind == PERFORMANCE else _OPEN_ONLY, lang, drivers=listed))
        return Sentences(said)

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the numbers were made."""
        return (
            Note(_METHODS, base=self.base.respondents, p=len(self.table), outcome=self.labels[self.outcome])
            .sentence(lang)
            .text
        )


_METHODS = {
    "en": "Piecewise linear regression of {outcome:in} on {p} drivers, each with a slope below and above a knot ({base:,} respondents); design-based standard "
    "errors, Holm over drivers, verdicts held over all knots with at least a tenth of the weight on both sides.",
    "zh": "以 {p} 个因素对{outcome}做分段线性回归，每个因素在转折点上下各有一个斜率（{base:,} 名受访者）；标准误按抽样设计计算，因素间经 Holm 校正，"
    "结论须在两侧各占至少一成权重的所有转折点上成立。",
}
TITLE = {"en": "Below and above: {}", "zh": "低分段与高分段：{}"}
_KNOTS_TITLE = {"en": "Sensitivity to the knot", "zh": "对转折点的敏感性"}
FORMATS = {
    **dict.fromkeys(("below", "below_low", "below_high", "above", "above_low", "above_high", "estimate", "low", "high", "estimate_low", "estimate_high"), "+.2f"), "detectable": ".2f",
    "se": ".3f", "knot": "g", "knot_low": "g", "knot_high": "g", "share_below": ".0%", "share_above": ".0%", "p_raw": "p",
}  # fmt: skip
HEADINGS: Mapping[Any, Mapping[str, str]] = {
    "kind": {"en": "Kind", "zh": "类型"},
    "reason": {"en": "Why open", "zh": "未判定原因"},
    "knot": {"en": "Knot", "zh": "转折点"},
    "below": {"en": "Slope below", "zh": "低分段斜率"},
    "above": {"en": "Slope above", "zh": "高分段斜率"},
    "estimate": {"en": "Above − below", "zh": "高 − 低"},
    "detectable": {"en": "Detectable difference", "zh": "可检出差值"},
    "p_value": {"en": "p (Holm)", "zh": "p 值（Holm）"},
    "p_raw": {"en": "p unadjusted", "zh": "未校正 p 值"},
    "share_below": {"en": "Weight below", "zh": "低分段占比"},
    "share_above": {"en": "Weight above", "zh": "高分段占比"},
    ("kind", MUST_BE): {"en": "must-be", "zh": "必备因素"},
    ("kind", DELIGHTER): {"en": "delighter", "zh": "魅力因素"},
    ("kind", PERFORMANCE): {"en": "performance", "zh": "期望因素"},
    ("kind", OPEN): {"en": "not decided", "zh": "未判定"},
    ("reason", "one side"): {"en": "too few answers on one side", "zh": "一侧回答过少"},
    ("reason", "knot"): {"en": "depends on the knot", "zh": "随转折点而变"},
    ("reason", "negative"): {"en": "the steeper slope is not positive", "zh": "较陡一段的斜率非正"},
    ("reason", "imprecise"): {"en": "slopes too imprecise", "zh": "斜率不够精确"},
}
