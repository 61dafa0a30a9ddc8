"""Drivers of several segments: tables, sentences, picture."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.drivers._kernels import Kernel
from cxlab.drivers._model_words import by_segment, method_name
from cxlab.drivers._result import FORMATS
from cxlab.drivers._result import HEADINGS as DRIVER_HEADINGS
from cxlab.drivers._segments_tests import POWER
from cxlab.result import Result
from cxlab.words import Note, Sentence, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_SENTENCES = 8
REASONS = {
    "few": {"en": "too few complete answers", "zh": "完整回答过少"},
    "constant": {"en": "no variation", "zh": "回答无差异"},
    "tied": {"en": "drivers determine one another", "zh": "因素相互决定"},
    "model": {"en": "the model cannot be fitted", "zh": "模型无法拟合"},
    "replicates": {"en": "too few for intervals", "zh": "样本过少，无法计算区间"},
}
HEADINGS = {
    **DRIVER_HEADINGS,
    "importance_corrected": {"en": "Importance, bias-corrected", "zh": "重要性（偏差校正）"},
    "share_corrected": {"en": "Share, bias-corrected", "zh": "占比（偏差校正）"},
    "estimate_shrunk": {"en": "Effect, shrunk", "zh": "影响（收缩估计）"},
    "reason": {"en": "Why no numbers", "zh": "无数值的原因"},
    "r2": {"en": "R²", "zh": "R²"},
    "r2_low": {"en": "R² low", "zh": "R² 下限"},
    "r2_high": {"en": "R² high", "zh": "R² 上限"},
    "r2_adjusted": {"en": "R² adjusted", "zh": "调整后 R²"},
    "r2_corrected": {"en": "R², bias-corrected", "zh": "R²（偏差校正）"},
}  # fmt: skip
ODDS_HEADINGS = {"estimate_shrunk": {"en": "Log odds, shrunk", "zh": "对数优势（收缩估计）"}}
_GAPS = {
    "value": {"en": "Effect in this group", "zh": "本组影响"},
    "rest": {"en": "Mean effect in the others", "zh": "其他组的平均影响"},
    "estimate": {"en": "Difference", "zh": "差异"},
    "p_value": {"en": "p (Holm)", "zh": "p 值（Holm）"},
    "p_bh": {"en": "p (BH)", "zh": "p 值（BH）"},
    "p_raw": {"en": "p, unadjusted", "zh": "p 值（未校正）"},
    "detectable": {"en": "Detectable difference", "zh": "可识别的差异"},
    "share_rest": {"en": "Mean share in the others", "zh": "其他组的平均占比"},
    "share_gap": {"en": "Difference of shares", "zh": "占比差异"},
    "share_se": {"en": "SE of the difference of shares", "zh": "占比差异标准误"},
    "share_low": {"en": "Difference of shares, low", "zh": "占比差异下限"},
    "share_high": {"en": "Difference of shares, high", "zh": "占比差异上限"},
    "f": {"en": "F", "zh": "F"},
    "q": {"en": "df 1", "zh": "自由度 1"},
    "df": {"en": "df", "zh": "自由度"},
    "pooled": {"en": "Mean effect", "zh": "平均影响"},
    "prior_variance": {"en": "Variance between groups", "zh": "组间方差"},
    "segments": {"en": "Groups", "zh": "组数"},
}  # fmt: skip
_GAP_FORMATS = {
    **dict.fromkeys(["value", "rest", "estimate", "low", "high", "pooled"], "+.2f"),
    **dict.fromkeys(["share_gap", "share_low", "share_high"], "pp"),
    **dict.fromkeys(["p_raw", "p_bh"], "p"),
    **dict.fromkeys(["se", "detectable", "share_se", "prior_variance"], ".3f"),
    "share_corrected": ".0%", "share_rest": ".0%", "df": ",.0f",
}  # fmt: skip
_MATTERS = {
    "more": {
        "en": "{driver:cap} matters more for {segment} than for the others: {own:+.2f} against {rest:+.2f}{mark} {what} per "
        "point (Holm {p:p}).",
        "zh": "“{driver}”对{segment}的影响大于其他顾客：每高 1 分，{what}相差 {own:+.2f}{mark}，其他顾客为 {rest:+.2f}{mark}（Holm 校正 {p:p}）。",
    },
    "less": {
        "en": "{driver:cap} matters less for {segment} than for the others: {own:+.2f} against {rest:+.2f}{mark} {what} per "
        "point (Holm {p:p}).",
        "zh": "“{driver}”对{segment}的影响小于其他顾客：每高 1 分，{what}相差 {own:+.2f}{mark}，其他顾客为 {rest:+.2f}{mark}（Holm 校正 {p:p}）。",
    },
    "against": {
        "en": "{driver:cap} works the other way for {segment}: {own:+.2f} against {rest:+.2f}{mark} {what} per point among the "
        "others (Holm {p:p}).",
        "zh": "“{driver}”对{segment}的影响方向与其他顾客相反：每高 1 分，{what}相差 {own:+.2f}{mark}，其他顾客为 {rest:+.2f}{mark}（Holm 校正 {p:p}）。",
    },
}
_WHAT = {False: {"en": "points of {}", "zh": "{}"}, True: {"en": "in the log odds of {}", "zh": "{}的对数优势"}}
_MARK = {False: {"en": "", "zh": " 分"}, True: {"en": "", "zh": ""}}
_CUSTOMERS = {"en": "{name} customers", "zh": "{name}顾客"}
_GROUP = {"en": "the group “{name}”", "zh": "“{name}”组"}
# "gold customers", but not "18–34 customers"
_ADJECTIVE = {"en": re.compile(r"[^\W\d_]+(-[^\W\d_]+)?"), "zh": re.compile(r"[^\d\s]+")}
_SAME = {
    "en": "No group of {by:in} differs from the others beyond chance in {count} of {drivers} drivers ({listed}); differences of {least:.2f} to "
    "{most:.2f}{mark} {what} per point would have been found with {power:.0%} power.",
    "zh": "{drivers} 个因素中有 {count} 个（{listed}）在“{by}”各组与其他组之间的差异未超出抽样误差；以现有样本量，有 {power:.0%} 的把握能识别每高 1 分"
    "{what}相差 {least:.2f} 至 {most:.2f}{mark}的差异。",
}
_NONE = {
    "en": "The drivers do not differ between groups of {by:in} beyond chance ({drivers} drivers, {tests} tests, smallest Holm {p:p}); differences "
    "of {least:.2f} to {most:.2f}{mark} {what} per point would have been found with {power:.0%} power.",
    "zh": "“{by}”各组之间各因素的影响差异均未超出抽样误差（{drivers} 个因素，{tests} 次检验，校正后最小的 {p:p}）；以现有样本量，有 {power:.0%} 的把握能识别每高 1 分"
    "{what}相差 {least:.2f} 至 {most:.2f}{mark}的差异。",
}
_JOINT = {
    "en": "The effect of {driver:in} is not the same in all groups (joint test, Holm {p:p}), but no single group stands out from the others.",
    "zh": "“{driver}”的影响在各组间并不一致（整体检验，Holm 校正 {p:p}），但没有哪一组明显不同于其他组。",
}
_MORE = {
    "en": "{count:,} more differences beyond chance are in the table.",
    "zh": "另有 {count:,} 项超出抽样误差的差异，见表。",
}
_FIRST = {
    "en": "Highest estimated importance, by group: {listed} (shares of what the drivers explain, bias-corrected).",
    "zh": "各组重要性估计值最高的因素：{listed}（占解释力的比例，已校正偏差）。",
}
_PLAIN = {
    "en": "Highest estimated importance, by group: {listed} (shares of what the drivers explain). No intervals were asked for.",
    "zh": "各组重要性估计值最高的因素：{listed}（占解释力的比例）。本次未计算区间。",
}
_TOP = {"en": "{segment} – {driver} ({share:.0%})", "zh": "{segment}：{driver}（{share:.0%}）"}
_HIDDEN = {
    "en": "Not shown, effective base under 30 or too few complete answers: {listed}.",
    "zh": "以下各组因有效样本量不足 30 或完整回答过少而未显示：{listed}。",
}
_BASE = {"en": "{segment} ({base:,})", "zh": "{segment}（{base:,}）"}
_ENDS = {"en": ", ", "zh": "、"}


@dataclass(frozen=True, eq=False)
class SegmentDriverResult(Result):
    """Drivers of every segment and the differences between segments.

    Attributes
    ----------
    outcome, by, method : str
    differences : DataFrame
        One row per segment and driver: ``driver, segment, value`` (effect per +1 in the segment), ``rest`` (mean
        within the others, weighted by size), ``estimate`` (their difference), ``se, low, high, p_value`` (Holm over the whole table; of two segments
        each comparison counts once), ``p_bh, p_raw, detectable`` (difference found with 80 % power at the strictest
        level of the family), ``share_corrected, share_rest, share_gap, share_se, share_low, share_high`` (shares of R²
        without their bias), ``df, base, base_effective, reliability`` (of the weaker side).
    overall : DataFrame
        One row per driver: ``driver, p_value`` (Holm over the drivers), ``p_bh, p_raw, f, q, df`` (joint test that all
        segments have one effect), ``pooled, prior_variance`` (mean effect and variance between segments,
        DerSimonian–Laird), ``segments``.
    model : DataFrame
        One row per segment: ``segment, r2, r2_low, r2_high, r2_adjusted, r2_corrected`` (less its bootstrap bias), ``base,
        base_effective`` (Kish's), ``reliability, reason``.
    replicates : DataFrame
        Importances under each set of replicate weights: ``segment`` and one column per driver; the sets are the same in
        every segment.
    odds : bool
        Whether differences are those of log odds (logit and ordinal models), not of points.
    kernel : Kernel or None
        The model of everybody in a segment.
    """

    outcome: str = ""
    by: str = ""
    method: str = "shapley"
    differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    overall: pd.DataFrame = field(default_factory=pd.DataFrame)
    model: pd.DataFrame = field(default_factory=pd.DataFrame)
    replicates: pd.DataFrame = field(default_factory=pd.DataFrame)
    odds: bool = False
    kernel: Kernel | None = field(default=None, repr=False)

    def further(self) -> Mapping[str, Result]:
        """Differences of segments, joint tests, and how much the drivers explain in each segment."""
        labels = {**self.labels, **_GAPS}
        plain = {"r2": ".2f", "r2_low": ".2f", "r2_high": ".2f", "r2_adjusted": ".2f", "r2_corrected": ".2f"}
        model = Result(self.model, self.base, (), self.labels, title=_MODEL, formats=plain, level=self.level)
        if len(self.model) < 2:
            return {"model": model}
        gaps = Result(self.differences, self.base, (), labels, title=_DIFFERENCES, formats=FORMATS | _GAP_FORMATS,
                      level=self.level)  # fmt: skip
        joint = Result(self.overall, self.base, (), labels, title=_OVERALL, formats={**_GAP_FORMATS, "f": ".2f"},
                       level=self.level)  # fmt: skip
        return {"differences": gaps, "overall": joint, "model": model}

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw effects with intervals, a panel per segment; ticks are the mean effects within the others."""
        from cxlab.drivers._draw_segments import segment_effects

        return segment_effects(self, language(lang), ax)

    # ---------------------------------------------------------------------- sentences
    def sentences(self, lang: str | None = None) -> Sentences:
        """Name differences that hold, then what could have been found where none does, what leads, and what is masked."""
        lang = language(lang)
        said = [*self._compared(lang), *self._leaders(lang)]
        hidden = self.model[self.model["reliability"] == "suppressed"]
        if len(hidden):
            listed = _ENDS[lang].join(
                sentence(_BASE, lang, segment=self.label(r.segment, lang, "segment"), base=r.base).text
                for r in hidden.itertuples()
            )
            said.append(sentence(_HIDDEN, lang, listed=listed))
        return Sentences(said)

    def _compared(self, lang: str) -> list[Sentence]:
        table = self.differences
        tested = table[table["p_value"].notna().to_numpy(dtype=bool)] if len(table) else table
        if tested.empty:
            return []
        found = tested[(tested["p_value"] < 1 - self.level).to_numpy(dtype=bool)]
        if self.model["segment"].nunique() == 2:
            found = found[
                (found["value"].abs() >= found["rest"].abs()).to_numpy()
            ]  # said once, of the group it matters more to
        strength = (found["estimate"].abs() / found["se"]).to_numpy()
        found = found.iloc[np.argsort(-strength, kind="stable")]
        said = [self._difference(r, lang) for r in found.head(MOST_SENTENCES).itertuples(index=False)]
        if len(found) > MOST_SENTENCES:
            said.append(sentence(_MORE, lang, count=len(found) - MOST_SENTENCES))
        joint = self.overall[(self.overall["p_value"] < 1 - self.level).to_numpy(dtype=bool)]
        joint = joint[~joint["driver"].isin(found["driver"])]
        said += [sentence(_JOINT, lang, driver=self.label(r.driver, lang), p=r.p_value) for r in joint.itertuples()]
        same = tested[~tested["driver"].isin({*found["driver"], *joint["driver"]})]
        if len(same):
            said.append(self._same(same, len(tested), lang))
        return said

    def _difference(self, r: Any, lang: str) -> Sentence:
        same = r.value * r.rest > 0
        kind = ("more" if abs(r.value) > abs(r.rest) else "less") if same else "against"
        return sentence(
            _MATTERS[kind], lang, driver=self.label(r.driver, lang), segment=self._people(r.segment, lang), own=r.value,
            rest=r.rest, p=r.p_value, **self._unit(lang),
        )  # fmt: skip

    def _same(self, same: pd.DataFrame, tests: int, lang: str) -> Sentence:
        """What was not found, and what would have been."""
        names = list(dict.fromkeys(same["driver"]))
        facts = {"by": self.label(self.by, lang), "drivers": len(self.overall), "power": POWER, **self._unit(lang),
                 "least": float(same["detectable"].min()), "most": float(same["detectable"].max())}  # fmt: skip
        if len(names) == len(self.overall):
            tests = tests // 2 if len(self.model) == 2 else tests
            return sentence(_NONE, lang, tests=tests, p=float(same["p_value"].min()), **facts)
        listed = _ENDS[lang].join(self.label(d, lang) for d in names)
        return sentence(_SAME, lang, count=len(names), listed=listed, **facts)

    def _unit(self, lang: str) -> dict[str, str]:
        outcome = number(self.label(self.outcome, lang), "in")
        return {"what": _WHAT[self.odds][lang].format(outcome), "mark": _MARK[self.odds][lang]}

    def _people(self, segment: Any, lang: str) -> str:
        """The people of a segment, where its label can stand before "customers"."""
        names = [self.label(s, lang, "segment") for s in self.model["segment"]]
        fits = all(_ADJECTIVE[lang].fullmatch(n) for n in names)
        name = self.label(segment, lang, "segment")
        return (_CUSTOMERS if fits else _GROUP)[lang].format(name=name)

    def _leaders(self, lang: str) -> list[Sentence]:
        shown = self.table[
            (self.table["reliability"] != "suppressed").to_numpy() & self.table["share"].notna().to_numpy()
        ]
        top = shown[(shown["rank"] == 1).to_numpy()]
        if top.empty:
            return []
        drawn = top["share_corrected"].notna().all()
        order = {s: k for k, s in enumerate(self.model["segment"])}
        top = top.iloc[np.argsort([order[s] for s in top["segment"]], kind="stable")]
        listed = ("; " if lang == "en" else "；").join(
            sentence(_TOP, lang, segment=self.label(r.segment, lang, "segment"), driver=self.label(r.driver, lang),
                     share=r.share_corrected if drawn else r.share).text
            for r in top.itertuples()
        )  # fmt: skip
        return [sentence(_FIRST if drawn else _PLAIN, lang, listed=listed)]

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the numbers were made."""
        return self.method_note.sentence(lang).text

    @property
    def method_note(self) -> Note:
        """The same paragraph with its numbers."""
        drawn = len(self.replicates) // max(self.replicates["segment"].nunique(), 1)
        return Note(_METHODS, method=method_name(self.kernel, self.method), within=by_segment(self.kernel), base=self.base.respondents, b=drawn,
                    p=len(self.overall), outcome=self.labels.get(self.outcome, self.outcome),
                    segments=len(self.model), by=self.labels.get(self.by, self.by))  # fmt: skip


_MODEL = {"en": "What the drivers explain in each group", "zh": "各组的解释力"}
_DIFFERENCES = {"en": "Each group against the others", "zh": "各组与其他组比较"}
_OVERALL = {"en": "All groups at once", "zh": "各组整体检验"}
_METHODS: Mapping[str, str] = {
    "en": "Importance of {p} drivers of {outcome:in} in {segments} groups of {by:in} ({base:,} respondents): {method} on {within} "
    "within each group. Effects are coefficients of the full model within the group; each is compared with the mean of "
    "those within the other groups (weighted by size) by a t test whose standard error comes from {b:,} Rao–Wu bootstrap replicates shared by all groups, "
    "Holm-adjusted over drivers and groups, and tested jointly by a Wald F test. Shares and R² are corrected by their bootstrap bias. "
    "Importance is not causation.",
    "zh": "将“{by}”分为 {segments} 组（{base:,} 名受访者），在每组内以{within}采用{method}计算 {p} 个因素对{outcome}的重要性。影响值为组内整体模型的"
    "系数，并与其他各组系数的加权平均（按规模加权）以 t 检验比较；标准误取自各组共用的 {b:,} 次 Rao–Wu 自助法重抽样，p 值按因素与组别作 Holm 校正，并以 Wald F "
    "检验作整体比较。占比与 R² 已扣除自助法估计的偏差。重要性不等于因果关系。",
}
