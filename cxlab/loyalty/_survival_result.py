"""What a survival analysis says: its tables, its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.loyalty._survival_sums import Spells
from cxlab.result import Result
from cxlab.words import Note, Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = np.ndarray[Any, np.dtype[Any]]
UNITS: Mapping[str, Mapping[str, str]] = {
    "day": {"en": "days", "zh": "天"}, "week": {"en": "weeks", "zh": "周"}, "month": {"en": "months", "zh": "个月"},
    "year": {"en": "years", "zh": "年"},
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class SurvivalResult(Result):
    """Shares without the event over time, differences of groups, hazard ratios.

    Attributes
    ----------
    time, event : str
    cumulative : bool
        Whether shares are of those who have had the event.
    time_unit : str
    curve : DataFrame
        At every time with an event or an end of follow-up: ``time, estimate, se, low, high, at_risk, events`` (at that time).
    medians : DataFrame
        Time at which half have had the event, ``estimate, low, high`` (infinite where not reached), ``base, events,
        base_effective, reliability``.
    differences : DataFrame
        ``segment, other, time, estimate, se, low, high, p_value`` (Holm over all), ``base_effective, reliability`` (of the weaker one).
    hazards : DataFrame
        ``coefficient, estimate, se, low, high`` (log), ``hazard_ratio, hazard_low, hazard_high, p_value, drift`` (change of the
        log while the curve falls from 1 to 0), ``p_drift`` (Holm), ``failed`` (replicates without an answer), ``events, base,
        base_effective, reliability`` (of the events).
    equal : float
        p-value of equal curves in all groups.
    """

    time: str = ""
    event: str = ""
    cumulative: bool = False
    time_unit: str = "month"
    curve: pd.DataFrame = field(default_factory=pd.DataFrame)
    medians: pd.DataFrame = field(default_factory=pd.DataFrame)
    differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    hazards: pd.DataFrame = field(default_factory=pd.DataFrame)
    equal: float = float("nan")

    @property
    def key(self) -> str | None:
        """Column of the groups: ``segment``, ``wave``, or None."""
        return next((k for k in ("segment", "wave") if k in self.table), None)

    def further(self) -> Mapping[str, Result]:
        """Medians, differences of groups, hazard ratios."""
        signed = dict.fromkeys(("estimate", "low", "high"), "pp") | {"time": "g"}
        logs = dict.fromkeys(("estimate", "low", "high", "drift"), "+.3f")
        parts: dict[str, tuple[pd.DataFrame, dict[str, str]]] = {
            "hazards": (self.hazards, {**logs, "se": ".3f", "p_drift": "p"}),
            "differences": (self.differences, {**signed, "se": ".3f"}),
            "medians": (self.medians, dict.fromkeys(("estimate", "low", "high"), "g")),
        }
        return {
            name: Result(table, self.base, (), self.labels, self.call, TITLES[name], formats, self.level)
            for name, (table, formats) in parts.items()
            if len(table)
        }

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the curves with their bands and, beneath, how many respondents are still at risk."""
        from cxlab.loyalty._draw_survival import draw

        return draw(self, ax, language(lang))

    def sentences(self, lang: str | None = None) -> Sentences:
        """Shares at the last time followed, differences of groups, hazard ratios."""
        lang = language(lang)
        return Sentences([*self._about_shares(lang), *self._about_differences(lang), *self._about_hazards(lang)])

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on the method."""
        return sentence(_METHODS["cox" if len(self.hazards) else "curve"], lang, level=self.said_level).text

    def headline(self, lang: str | None = None) -> Sentence:
        """What the picture shows, in one line: the share at the last time followed, or the largest difference that can be told."""
        lang = language(lang)
        words = self._words(lang)
        usable = self.table[(self.table["reliability"] != "suppressed") & self.table["estimate"].notna()]
        if usable.empty:
            return sentence(_HEADLINE["small"], lang, **words)
        if self.key is None:
            row = next(_records(usable.tail(1)))
            return sentence(
                _HEADLINE["had" if self.cumulative else "kept"], lang, time=row.time, share=row.estimate, **words
            )
        found = self._apart()
        if found.empty:
            return sentence(_HEADLINE["curves" if self.equal < 1 - self.level else "alike"], lang, **words)
        row = next(_records(found.loc[[found["estimate"].abs().idxmax()]]))
        more, less = self._ordered(row, lang)
        return sentence(
            _HEADLINE["more_had" if self.cumulative else "more_kept"], lang, time=row.time, gap=abs(row.estimate), more=more, less=less, **words
        )  # fmt: skip

    def _apart(self) -> pd.DataFrame:
        """Differences of groups that can be told, where both bases allow."""
        if self.differences.empty:
            return self.differences
        told = (self.differences["p_value"] < 1 - self.level) & (self.differences["reliability"] != "suppressed")
        return self.differences[told]

    def _ordered(self, row: Any, lang: str) -> tuple[str, str]:
        """Wordings of the groups of a difference, the one with the larger share first."""
        first, second = (self.label(code, lang, self.key) for code in (getattr(row, str(self.key)), row.other))
        return (first, second) if row.estimate > 0 else (second, first)

    def _who(self, row: Any, lang: str) -> str:
        if self.key is None:
            return ""
        label = self.label(getattr(row, self.key), lang, self.key)
        return f"{label}: " if lang == "en" else f"{label}："

    def _words(self, lang: str) -> dict[str, str]:
        return {"event": self.label(self.event, lang), "unit": UNITS[self.time_unit][lang]}

    def _about_shares(self, lang: str) -> Iterator[Sentence]:
        """One sentence per group, at the last time that its base allows."""
        groups = [self.table] if self.key is None else [g for _, g in self.table.groupby(self.key, sort=False)]
        for group in groups:
            usable = group[(group["reliability"] != "suppressed") & group["estimate"].notna()]
            if usable.empty:
                first = next(_records(group))
                yield sentence(_SMALL, lang, who=self._who(first, lang), base=first.base)
                continue
            row = next(_records(usable.tail(1)))
            yield sentence(
                _SHARE[self.cumulative], lang, who=self._who(row, lang), time=row.time, share=row.estimate, low=row.low,
                high=row.high, **self._words(lang),
            )  # fmt: skip

    def _about_differences(self, lang: str) -> Iterator[Sentence]:
        if self.key is None or self.differences.empty:
            return
        found = self._apart()
        if found.empty and np.isfinite(self.equal):
            yield sentence(_ALIKE["curves" if self.equal < 1 - self.level else "none"], lang, p=self.equal)
        for row in _records(found.groupby([self.key, "other"], sort=False).tail(1)):
            more, less = self._ordered(row, lang)
            low, high = sorted((abs(row.low), abs(row.high)))
            yield sentence(
                _APART[self.cumulative], lang, more=more, less=less,
                time=row.time, gap=abs(row.estimate), low=low, high=high, p=row.p_value, **self._words(lang),
            )  # fmt: skip

    def _about_hazards(self, lang: str) -> Iterator[Sentence]:
        for row in _records(self.hazards):
            if row.reliability == "suppressed":
                yield sentence(_FEW_EVENTS, lang, who=self._who(row, lang), events=row.events)
                continue
            coefficient = self.label(row.coefficient, lang, "coefficient")
            kind = "category" if "=" in row.coefficient else "point"
            kind += "" if row.p_value < 1 - self.level else "_none"
            yield sentence(
                _HAZARD[kind], lang, who=self._who(row, lang), coefficient=coefficient, ratio=row.hazard_ratio, low=row.hazard_low,
                high=row.hazard_high, p=row.p_value, event=self.label(self.event, lang),
            )  # fmt: skip


def _records(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


def survival_notes(
    spells: Spells,
    weights: FloatArray,
    table: pd.DataFrame,
    ratios: pd.DataFrame,
    lost: tuple[int, float],
    equal: float,
) -> tuple[Note, ...]:
    """Assumptions and judgements: censoring, times beyond follow-up, drifting hazards, failures, rows that left."""
    censored = float(np.average(~spells.event, weights=weights))
    unseen = int(table["estimate"].isna().sum())
    drifting = int((ratios["p_drift"] < 0.05).sum()) if len(ratios) else 0
    failed = int(ratios["failed"].max()) if len(ratios) else 0
    few = int((ratios["reliability"] != "ok").sum()) if len(ratios) else 0
    events = int(spells.event.sum())
    notes = [
        (True, Note(_CENSORED, censored=censored, events=events)), (unseen > 0, Note(_UNSEEN, unseen=unseen)),
        (np.isfinite(equal), Note(_EQUAL, p=equal)), (len(ratios) > 0, Note(_RATIO)), (few > 0, Note(_FEW, few=few)),
        (drifting > 0, Note(_DRIFT, drifting=drifting)), (failed > 0, Note(_FAILED, failed=failed)),
        (lost[0] > 0, Note(_LOST, lost=lost[0], share=lost[1])), (True, Note(_INTERVAL)),
    ]  # fmt: skip
    return tuple(note for said, note in notes if said)


_SHARE = {
    False: {
        "en": "{who}After {time:g} {unit}, {share:.1%} ({low:.1%} to {high:.1%}) are still without “{event}”.",
        "zh": "{who}满 {time:g} {unit}时，{share:.1%}（{low:.1%} 至 {high:.1%}）的顾客尚未发生“{event}”。",
    },
    True: {
        "en": "{who}Within {time:g} {unit}, {share:.1%} ({low:.1%} to {high:.1%}) have had “{event}”.",
        "zh": "{who}{time:g} {unit}内，{share:.1%}（{low:.1%} 至 {high:.1%}）的顾客已发生“{event}”。",
    },
}
_SMALL = {
    "en": "{who}{base:,} respondents are too few for a share over time.",
    "zh": "{who}仅 {base:,} 名受访者，样本过少，不宜估计随时间变化的比例。",
}
_APART = {
    False: {
        "en": "After {time:g} {unit} the share still without “{event}” is {gap:pt} points ({low:pt} to {high:pt}) higher in {more} than "
        "in {less} ({p:p}).",
        "zh": "满 {time:g} {unit}时，{more}中尚未发生“{event}”的比例比{less}高 {gap:pt} 个百分点（{low:pt} 至 {high:pt}；{p:p}）。",
    },
    True: {
        "en": "Within {time:g} {unit} the share with “{event}” is {gap:pt} points ({low:pt} to {high:pt}) higher in {more} than in "
        "{less} ({p:p}).",
        "zh": "{time:g} {unit}内，{more}中已发生“{event}”的比例比{less}高 {gap:pt} 个百分点（{low:pt} 至 {high:pt}；{p:p}）。",
    },
}
_ALIKE = {
    "none": {
        "en": "No difference between the curves of the groups can be told (log-rank test: {p:p}).",
        "zh": "各群体的曲线看不出差异（对数秩检验：{p:p}）。",
    },
    "curves": {
        "en": "The curves of the groups differ as a whole (log-rank test: {p:p}), but at none of the single times can a difference be told after "
        "Holm.",
        "zh": "各群体的曲线整体上有差异（对数秩检验：{p:p}），但经 Holm 校正后，在任何单一时点都看不出差异。",
    },
}
_HEADLINE = {
    "kept": {
        "en": "{share:.0%} are still without “{event}” after {time:g} {unit}",
        "zh": "满 {time:g} {unit}时，{share:.0%} 的顾客尚未发生“{event}”",
    },
    "had": {
        "en": "{share:.0%} have had “{event}” within {time:g} {unit}",
        "zh": "{time:g} {unit}内，{share:.0%} 的顾客已发生“{event}”",
    },
    "more_kept": {
        "en": "After {time:g} {unit}, {gap:pt} points more are still without “{event}” in {more} than in {less}",
        "zh": "满 {time:g} {unit}时，{more}尚未发生“{event}”的比例比{less}高 {gap:pt} 个百分点",
    },
    "more_had": {
        "en": "Within {time:g} {unit}, {gap:pt} points more have had “{event}” in {more} than in {less}",
        "zh": "{time:g} {unit}内，{more}已发生“{event}”的比例比{less}高 {gap:pt} 个百分点",
    },
    "curves": {
        "en": "The groups differ in how soon “{event}” comes, but at no single time can it be told",
        "zh": "各群体发生“{event}”的快慢有差异，但在任何单一时点都看不出差异",
    },
    "alike": {
        "en": "No difference between the groups in how soon “{event}” comes can be told",
        "zh": "各群体发生“{event}”的快慢看不出差异",
    },
    "small": {
        "en": "Too few respondents for the share with “{event}” over time",
        "zh": "样本过少，不宜估计发生“{event}”的比例",
    },
}
_HAZARD = {
    "point": {
        "en": "{who}A point more of “{coefficient}” goes with {ratio:.2f} ({low:.2f} to {high:.2f}) times the rate of “{event}” at any "
        "time ({p:p}).",
        "zh": "{who}“{coefficient}”每提高 1 分，任一时点发生“{event}”的风险率为原来的 {ratio:.2f} 倍（{low:.2f} 至 {high:.2f}；{p:p}）。",
    },
    "category": {
        "en": "{who}“{coefficient}” goes with {ratio:.2f} ({low:.2f} to {high:.2f}) times the rate of “{event}” of the first category "
        "at any time ({p:p}).",
        "zh": "{who}“{coefficient}”在任一时点发生“{event}”的风险率为第一类的 {ratio:.2f} 倍（{low:.2f} 至 {high:.2f}；{p:p}）。",
    },
}
_HAZARD |= {
    "point_none": {
        "en": "{who}Whether the rate of “{event}” differs with “{coefficient}” cannot be told: {ratio:.2f} ({low:.2f} to {high:.2f}) times as high "
        "per point ({p:p}).",
        "zh": "{who}看不出“{event}”的风险率是否随“{coefficient}”而不同：每提高 1 分为原来的 {ratio:.2f} 倍（{low:.2f} 至 {high:.2f}；{p:p}）。",
    },
    "category_none": {
        "en": "{who}Whether the rate of “{event}” of “{coefficient}” differs from that of the first category cannot be told: {ratio:.2f} ({low:.2f} "
        "to {high:.2f}) times as high ({p:p}).",
        "zh": "{who}看不出“{coefficient}”发生“{event}”的风险率与第一类是否不同：为其 {ratio:.2f} 倍（{low:.2f} 至 {high:.2f}；{p:p}）。",
    },
}
_FEW_EVENTS = {
    "en": "{who}{events:,} events are too few for a hazard ratio.",
    "zh": "{who}仅发生 {events:,} 例事件，不足以估计风险比。",
}
_CENSORED = {
    "en": "The event came for {events:,} respondents; {censored:.1%} of the weight were followed without it, and are taken to go on "
    "like the others.",
    "zh": "{events:,} 名受访者发生了该事件；另有 {censored:.1%} 的权重在随访期内未发生（删失），并假定其后续情况与其他人相同。",
}
_UNSEEN = {
    "en": "Times beyond the longest follow-up, which have no estimate: {unseen}.",
    "zh": "超出最长随访期、因而没有估计值的时点数：{unseen}。",
}
_EQUAL = {
    "en": "Log-rank test that all groups have the same curve: {p:p}.",
    "zh": "各群体曲线相同的对数秩检验：{p:p}。",
}
_RATIO = {
    "en": "Hazard ratios compare customers who differ in the covariate; they do not show what changing it would do.",
    "zh": "风险比比较的是该变量取值不同的顾客，并不说明改变它会带来多大变化。",
}
_FEW = {
    "en": "Hazard ratios on fewer than 10 effective events per coefficient: {few}.",
    "zh": "每个系数的有效事件数不足 10 的风险比个数：{few}。",
}
_DRIFT = {
    "en": "Hazard ratios that change over time (p < .05, Holm), and are averages over the follow-up: {drifting}.",
    "zh": "随时间变化的风险比个数（p < .05，Holm 校正）：{drifting}；其数值只是随访期内的平均水平。",
}
_FAILED = {
    "en": "Replicates in which a hazard ratio has no answer, left out of its error: {failed}.",
    "zh": "无法求得风险比、未计入误差的重抽样次数：{failed}。",
}
_LOST = {
    "en": "{lost:,} respondents ({share:.1%} of the weight) without time or event are left out.",
    "zh": "{lost:,} 名受访者（占权重 {share:.1%}）因缺少时间或事件记录未纳入。",
}
_INTERVAL = {
    "en": "Intervals of shares are on the log(−log) scale, with replicate errors.",
    "zh": "比例的区间在 log(−log) 尺度上计算，误差来自重抽样。",
}
_METHODS = {
    "curve": {
        "en": "Weighted Kaplan–Meier curves; {level} log(−log) intervals from Rao–Wu replicates of the sample design; groups "
        "compared by a log-rank test with replicate covariance and by differences at single times (Holm).",
        "zh": "加权 Kaplan–Meier 曲线；{level} 区间在 log(−log) 尺度上由抽样设计的 Rao–Wu 重抽样得到；群体间采用基于重抽样协方差的"
        "对数秩检验，并比较各时点的差异（Holm 校正）。",
    },
    "cox": {
        "en": "Weighted Kaplan–Meier curves and Cox regressions (ties after Efron); {level} intervals from Rao–Wu replicates of the "
        "sample design; proportional hazards tested by the drift of each coefficient (Grambsch & Therneau 1994).",
        "zh": "加权 Kaplan–Meier 曲线与 Cox 回归（结点按 Efron 法处理）；{level} 区间由抽样设计的 Rao–Wu 重抽样得到；比例风险假定"
        "通过各系数随时间的漂移检验（Grambsch & Therneau 1994）。",
    },
}
TITLES = {
    "hazards": {"en": "Hazard ratios", "zh": "风险比"},
    "differences": {"en": "Differences of groups", "zh": "群体差异"},
    "medians": {"en": "Median time", "zh": "中位时间"},
}
HEADINGS: dict[Any, Mapping[str, str]] = {
    "at_risk": {"en": "At risk", "zh": "在观察人数"}, "events": {"en": "Events", "zh": "事件数"},
    "time": {"en": "Time", "zh": "时间"}, "coefficient": {"en": "Coefficient", "zh": "变量"},
    "hazard_ratio": {"en": "Hazard ratio", "zh": "风险比"}, "hazard_low": {"en": "Hazard ratio low", "zh": "风险比下限"},
    "hazard_high": {"en": "Hazard ratio high", "zh": "风险比上限"}, "other": {"en": "Compared with", "zh": "对比群体"},
    "drift": {"en": "Change over time", "zh": "随时间的变化"}, "p_drift": {"en": "p of change", "zh": "变化的 p 值"},
    "failed": {"en": "Failed replicates", "zh": "失败的重抽样"},
}  # fmt: skip
