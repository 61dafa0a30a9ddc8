"""The result of a driver analysis: headline table, picture, sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.drivers import _model_words as model_words
from cxlab.drivers._kernels import Draws, Kernel
from cxlab.result import Result
from cxlab.words import Note, Sentence, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.drivers._audit import AuditResult
    from cxlab.drivers._dominance import DominanceResult
    from cxlab.drivers._ranking import RankingResult

HEADINGS = {
    "block": {"en": "Block", "zh": "类别"},
    "estimate": {"en": "Effect per +1", "zh": "每 +1 分的影响"},
    "correlation": {"en": "Correlation", "zh": "相关系数"},
    "performance": {"en": "Mean score", "zh": "平均得分"},
    "null_line": {"en": "Null line", "zh": "噪声线"},
    "distinguishable": {"en": "Above noise", "zh": "高于噪声"},
    "sign_flip": {"en": "Sign flips", "zh": "符号反转"},
    "standardised": {"en": "Standardised effect", "zh": "标准化影响"},
}  # fmt: skip
FORMATS = {
    "importance": ".3f", "importance_low": ".3f", "importance_high": ".3f", "null_line": ".3f", "correlation": "+.2f",
    "estimate": "+.2f", "standardised": "+.2f", "low": "+.2f", "high": "+.2f", "se": ".3f", "performance": ".1f",
}  # fmt: skip
_FIRST = {
    "en": "{driver:cap} matters most for {outcome:in}: {share:.0%} of what the drivers explain ({level} interval {low:.0%} to {high:.0%}); ",
    "zh": "“{driver}”对{outcome}最重要：占全部驱动因素解释力的 {share:.0%}（{level} 区间 {low:.0%} 至 {high:.0%}）；",
}
_HIGHEST = {
    "en": "{driver:cap} has the highest importance for {outcome:in}: {share:.0%} of what the drivers explain ({level} interval {low:.0%} to "
    "{high:.0%}); ",
    "zh": "“{driver}”对{outcome}的重要性估计值最高：占全部驱动因素解释力的 {share:.0%}（{level} 区间 {low:.0%} 至 {high:.0%}）；",
}
_TOO_FEW = {
    "en": "Too few respondents to say what drives {outcome:in} (base {base:,}, effective {effective:,.0f}).",
    "zh": "样本过少，无法判断“{outcome}”的驱动因素（样本量 {base:,}，有效样本量 {effective:,.0f}）。",
}
_TIED = {
    "en": "Pairwise tests cannot yet separate the {count} drivers that may be the most important: {drivers}.",
    "zh": "两两检验尚无法区分谁居首位，仍有 {count} 个可能：{drivers}。",
}
_ALONE = {
    "en": "{driver:cap} is clearly the most important driver: pairwise tests place every other one below it.",
    "zh": "“{driver}”明确居首：两两检验中其余各项均显著低于它。",
}
_NOISE = {
    "en": "Not distinguishable from noise: {drivers}.",
    "zh": "与噪声无法区分：{drivers}。",
}
_FLIPPED = {
    "en": "Read with care: {drivers} – correlation with {outcome:in} and effect in the full model have opposite signs.",
    "zh": "解读须谨慎：以下因素与“{outcome}”的相关方向和其在整体模型中的影响方向相反：{drivers}。",
}
_NO_INTERVALS = {
    "en": "{driver:cap} has the highest importance for {outcome:in}: {share:.0%} of what the drivers explain. No intervals were asked for.",
    "zh": "“{driver}”对{outcome}的重要性估计值最高：占全部驱动因素解释力的 {share:.0%}。本次未计算区间。",
}


@dataclass(frozen=True, eq=False)
class DriverResult(Result):
    """Importance of drivers with intervals, rank sets and effects.

    Attributes
    ----------
    outcome : str
    method : str
    model : DataFrame
        One row: ``r2`` (of drivers and what is forced in), ``r2_low, r2_high`` (of the drivers' part), ``r2_adjusted,
        drivers``.
    replicates : DataFrame
        Importances under each set of replicate weights, one column per driver; empty without replicates.
    kernel : Kernel or None
        The model and what it was prepared from; further analyses go on from it.
    draws : Draws or None
        Importances and coefficients under each set of replicate weights.
    seed : int
        Of the replicates.
    """

    outcome: str = ""
    method: str = "shapley"
    model: pd.DataFrame = field(default_factory=pd.DataFrame)
    replicates: pd.DataFrame = field(default_factory=pd.DataFrame)
    kernel: Kernel | None = field(default=None, repr=False)
    draws: Draws | None = field(default=None, repr=False)
    seed: int = 0

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw importances with intervals and null lines, the most important driver on top."""
        from cxlab.charts import importance

        title = {"en": "Share of the explained differences in {o}", "zh": "各因素占{o}差异解释力的比例"}
        lang = language(lang)
        return importance(
            self._drawn(lang),
            title=title[lang].format(o=number(self.label(self.outcome, lang), "in")),
            lang=lang,
            level=self.said_level,
            ax=ax,
        )

    def dominance(self, replicates: int | None = None, seed: int | None = None) -> DominanceResult:
        """Does one driver add more than another whatever else is in the model? See :func:`cxlab.dominance`."""
        from cxlab.drivers._dominance import dominance_of

        return dominance_of(self, replicates, seed)

    def ranking(self) -> RankingResult:
        """How sure is the order: rank sets and letter groups, from the same pairwise tests.

        Returns
        -------
        RankingResult
            One row per driver: ``driver, share, share_low, share_high, rank, rank_low, rank_high, letters`` (drivers that
            share one cannot be told apart, see :func:`cxlab.contrasts.letter_groups`), ``top1, top3, base,
            base_effective, reliability``; its picture shows the ranks that each driver may hold.

        Raises
        ------
        SurveyError
            If there are no replicates.
        """
        from cxlab.drivers._ranking import ranking_of

        return ranking_of(self)

    def _drawn(self, lang: str) -> pd.DataFrame:
        """Table with labels; suppressed rows carry no numbers."""
        table = self.table.assign(label=[self.label(d, lang) for d in self.table["driver"]])
        table["null_share"] = table["null_line"] / float(table["importance"].sum())
        hidden = table["reliability"] == "suppressed"
        numbers = ["share", "share_low", "share_high", "null_share"]
        table.loc[hidden, numbers] = np.nan
        return table

    def sentences(self, lang: str | None = None) -> Sentences:
        """Say what matters most, how sure that is, what is noise, and how much is explained."""
        lang = language(lang)
        top, outcome = self.table.iloc[0], self.label(self.outcome, lang)
        name = self.label(top["driver"], lang)
        if top["reliability"] == "suppressed":
            facts = {"base": self.base.respondents, "effective": top["base_effective"]}
            return Sentences([sentence(_TOO_FEW, lang, outcome=outcome, **facts)])
        if self.replicates.empty:
            return Sentences(
                [sentence(_NO_INTERVALS, lang, driver=name, outcome=outcome, share=top["share"]), self._fit(lang)]
            )
        alone = (self.table["rank_low"] == 1).sum() == 1
        clause, more = _FIRST if alone else _HIGHEST, model_words.effect(self.kernel)
        first = sentence({k: clause[k] + more[k] for k in clause}, lang, driver=name, outcome=outcome, share=top["share"], low=top["share_low"],
                         high=top["share_high"], effect=top["estimate"], level=self.said_level)  # fmt: skip
        said = [first, self._leaders(lang), self._fit(lang)]
        noise = self.table[~self.table["distinguishable"]]
        if len(noise):
            said.append(sentence(_NOISE, lang, drivers=self._listed(noise, lang)))
        flipped = self.table[self.table["sign_flip"]]
        if len(flipped):
            said.append(sentence(_FLIPPED, lang, drivers=self._listed(flipped, lang), outcome=outcome))
        return Sentences(said)

    def _leaders(self, lang: str) -> Sentence:
        leaders = self.table[self.table["rank_low"] == 1]
        if len(leaders) == 1:
            return sentence(_ALONE, lang, driver=self.label(leaders["driver"].iloc[0], lang))
        return sentence(_TIED, lang, count=len(leaders), drivers=self._listed(leaders, lang))

    def _fit(self, lang: str) -> Sentence:
        return sentence(model_words.fit(self.kernel), lang, count=len(self.table), r2=float(self.model["r2"].iloc[0]),
                        outcome=self.label(self.outcome, lang), base=self.base.respondents,
                        effective=self.base.effective)  # fmt: skip

    def _listed(self, rows: pd.DataFrame, lang: str) -> str:
        return (", " if lang == "en" else "、").join(self.label(d, lang) for d in rows["driver"])

    def audit(self, marker: str | None = None) -> AuditResult:
        """What an expert would ask of this analysis, what was found and what to do: see :func:`cxlab.drivers._audit.audit`.

        Parameters
        ----------
        marker : str, optional
            An item that should relate to nothing; by default the study's.

        Returns
        -------
        AuditResult
            One row per check, the serious findings first.
        """
        from cxlab.drivers._audit import audit

        return audit(self, marker)

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the numbers were made."""
        return self.method_note.sentence(lang).text

    def _whose(self) -> Mapping[str, str]:
        from cxlab.drivers._missing_words import respondents

        return respondents("listwise" if self.kernel is None else self.kernel.prepared.missing)

    @property
    def method_note(self) -> Note:
        """The same paragraph with its numbers."""
        return Note(model_words.methods(self.kernel), method=model_words.method_name(self.kernel, self.method),
                    base=self.base.respondents, b=len(self.replicates),
                    p=len(self.table), outcome=self.labels.get(self.outcome, self.outcome), whose=self._whose())  # fmt: skip


def result_table(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Headline table, the most important driver first."""
    table = pd.DataFrame(dict(columns))
    return table.sort_values("rank", kind="stable", ignore_index=True)


def percentiles(values: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval along the first axis."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
