"""The result of a search for customer types: slopes, shares, typing tool, sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab import theme
from cxlab.result import Result
from cxlab.segments._types_em import Mixture, posterior, prior
from cxlab.segments._types_infer import Replicates
from cxlab.segments._types_prepare import Prepared, Terms, assemble
from cxlab.survey import Survey
from cxlab.words import Note, Sentence, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADINGS: dict[Any, Mapping[str, str]] = {
    "segment": {"en": "Type", "zh": "类型"},
    "estimate": {"en": "Effect per +1", "zh": "每 +1 分的影响"},
    "base": {"en": "Expected members", "zh": "期望人数"},
    "p_value": {"en": "p (Holm)", "zh": "p 值（Holm）"},
}
_FOUND = {
    "en": "{k} types of customers ({base:,} respondents; BIC prefers {bic}, held-out likelihood {held}).",
    "zh": "识别出 {k} 类顾客（受访者 {base:,} 人；按 BIC 为 {bic} 类，按留出样本似然为 {held} 类）。",
}
_GIVEN = {
    "en": "{k} types of customers, as asked for ({base:,} respondents).",
    "zh": "按指定数目分为 {k} 类顾客（受访者 {base:,} 人）。",
}
_ONE = {
    "en": "No types: one regression describes all customers as well as several do (BIC prefers {bic}, held-out likelihood {held}).",
    "zh": "未发现不同类型：一个回归方程即可描述全部顾客（按 BIC 为 {bic} 类，按留出样本似然为 {held} 类）。",
}
_TYPE = {
    "en": "{type:cap}: {share:.0%} of the customers{interval}; one point more of {driver:in} goes with {slope:+.2f} points of {outcome:in}, "
    "with {others:+.2f} on average in the other types.",
    "zh": "{type}：占顾客的 {share:.0%}{interval}；“{driver}”每提高 1 分，{outcome}相应变化 {slope:+.2f} 分，其他类型平均为 {others:+.2f} 分。",
}
_INTERVAL = {"en": " ({level} {low:.0%} to {high:.0%})", "zh": "（{level} 区间 {low:.0%} 至 {high:.0%}）"}
_CERTAINTY = {
    "en": "A customer's most likely type is right in an expected {certainty:.0%} of cases: the types describe groups, not single customers.",
    "zh": "将顾客归入其最可能的类型，预计正确率为 {certainty:.0%}：类型适合描述群体，不宜用于判定单个顾客。",
}
_LED = {"en": "{driver}-led", "zh": "{driver}主导型"}
_SENSITIVE = {"en": "price-sensitive", "zh": "价格敏感型"}
_ALL = {"en": "all customers", "zh": "全体顾客"}


@dataclass(frozen=True, eq=False)
class TypesResult(Result):
    """Types of customers that weigh drivers differently.

    Attributes
    ----------
    outcome : str
    types : DataFrame
        ``segment, leading`` (driver that it is named after), ``share, share_se, share_low, share_high`` (0–1, weighted),
        ``intercept`` (outcome at average drivers), ``sigma`` (residual SD), ``base, base_effective, reliability``.
    common : DataFrame
        Slopes that all types share: ``driver, estimate, se, low, high``.
    membership : DataFrame
        ``segment, factor, estimate, se, low, high``: logit of the type against the first one, per unit of the covariate.
    selection : DataFrame
        ``k, parameters, log_likelihood, bic, held_out`` (mean log likelihood per respondent outside the fit), ``seed``
        (of the winning start), ``reached, followed`` (of how many long runs found it), ``converged``.
    replicates : DataFrame
        ``share_<type>`` and ``<driver>_<type>`` under each set of replicate weights.
    mixture, terms
        The fitted model, for :meth:`predict`.
    certainty : float
        Mean probability of the most likely type.
    by_bic, by_held_out : int
        Number of types that each criterion prefers.
    seed : tuple of int
        Of the winning start.
    """

    outcome: str = ""
    types: pd.DataFrame = field(default_factory=pd.DataFrame)
    common: pd.DataFrame = field(default_factory=pd.DataFrame)
    membership: pd.DataFrame = field(default_factory=pd.DataFrame)
    selection: pd.DataFrame = field(default_factory=pd.DataFrame)
    replicates: pd.DataFrame = field(default_factory=pd.DataFrame)
    mixture: Any = None
    terms: Any = None
    certainty: float = float("nan")
    by_bic: int = 1
    by_held_out: int = 1
    seed: tuple[int, ...] = ()

    def predict(self, survey: Survey) -> pd.DataFrame:
        """Type every respondent: the typing tool.

        Parameters
        ----------
        survey : Survey
            Any survey with the columns of the model; its domain is typed.

        Returns
        -------
        DataFrame
            One row per row of ``survey.data``: ``segment`` (most likely type, NaN where nothing is known),
            ``probability`` (of it), ``known`` (``answers`` where outcome, drivers and covariates are known,
            ``covariates`` where only they are, else empty), ``p_1, p_2, …``. Drivers without the outcome tell nothing of
            the type: such respondents are typed by covariates alone.
        """
        needed = (self.terms.outcome, *self.terms.own, *self.terms.shared, *self.terms.member)
        survey.require("survey", dict.fromkeys(i for t in needed for i in t.items))
        rows = assemble(self.terms, survey)
        covariates = survey.domain & np.isfinite(rows.member).all(axis=1)
        regression = np.column_stack([rows.outcome, rows.own, rows.shared])
        answers = covariates & np.isfinite(regression).all(axis=1)
        chance = np.full((len(rows.outcome), len(self.mixture.sigma)), np.nan)
        chance[covariates] = np.exp(prior(self.mixture, rows.take(covariates)))
        chance[answers] = posterior(self.mixture, rows.take(answers))
        typed = np.where(covariates, np.nan_to_num(chance).argmax(axis=1) + 1.0, np.nan)
        known = np.select([answers, covariates], ["answers", "covariates"], "")
        top = np.where(covariates, np.nan_to_num(chance).max(axis=1), np.nan)
        out = pd.DataFrame({"segment": typed, "probability": top, "known": known})
        return out.assign(**{f"p_{j + 1}": chance[:, j] for j in range(chance.shape[1])})

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the slopes of each type with intervals, one colour per type."""
        from cxlab.charts import dots

        lang = language(lang)
        hidden = self.table["reliability"] == "suppressed"
        names = {s: self.label(s, lang, "segment") for s in self.types["segment"]}
        colours = theme.segment_colours(list(names.values()))
        rows = self.table.assign(
            label=[f"{names[r.segment]} · {number(self.label(r.driver, lang), 'in')}" for r in self.rows()]
        )
        rows = rows.assign(low=rows["low"].fillna(rows["estimate"]), high=rows["high"].fillna(rows["estimate"]))
        rows.loc[hidden, ["estimate", "low", "high"]] = np.nan
        title = {"en": "Effect of +1 point on {o}, by type", "zh": "各类型中每 +1 分对“{o}”的影响"}[lang]
        return dots(rows, title=title.format(o=number(self.label(self.outcome, lang), "in")), spec="+.2f", reference=0,
                    colours=[colours[names[s]] for s in rows["segment"]], ax=ax)  # fmt: skip

    def sentences(self, lang: str | None = None) -> Sentences:
        """Say how many types there are, how large each is and what it weighs, and how surely customers are typed."""
        lang, k = language(lang), len(self.types)
        if k == 1:
            return Sentences([sentence(_ONE, lang, bic=self.by_bic, held=self.by_held_out)])
        said = [self._count(k, lang)]
        said += [self._type(r, lang) for r in self.types.itertuples(index=False) if r.reliability != "suppressed"]
        said.append(sentence(_CERTAINTY, lang, certainty=self.certainty))
        return Sentences(said)

    def _count(self, k: int, lang: str) -> Sentence:
        base = self.base.respondents
        if len(self.selection) == 1:
            return sentence(_GIVEN, lang, k=k, base=base)
        return sentence(_FOUND, lang, k=k, base=base, bic=self.by_bic, held=self.by_held_out)

    def _type(self, row: Any, lang: str) -> Sentence:
        slopes = self.table[self.table["segment"] == row.segment]
        first = row.leading
        others = self.table[(self.table["segment"] != row.segment) & (self.table["driver"] == first)]["estimate"].mean()
        slope = float(slopes.loc[slopes["driver"] == first, "estimate"].iloc[0])
        interval = ""
        if np.isfinite(row.share_low):
            interval = sentence(_INTERVAL, lang, level=self.said_level, low=row.share_low, high=row.share_high).text
        return sentence(_TYPE, lang, type=self.label(row.segment, lang, "segment"), share=row.share, interval=interval,
                        driver=self.label(first, lang), slope=slope, others=float(others),
                        outcome=self.label(self.outcome, lang))  # fmt: skip

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the types were found."""
        return Note(_METHODS, k=len(self.types), base=self.base.respondents, replicates=len(self.replicates),
                    outcome=self.labels.get(self.outcome, {"en": self.outcome, "zh": self.outcome}))[language(lang)]  # fmt: skip


_METHODS = {
    "en": "A mixture of {k} linear regressions of {outcome:in} was fitted to {base:,} respondents by EM, membership being a multinomial logit in "
    "the covariates; weights were scaled to sum to the base. The number of types was judged by BIC and by held-out likelihood over "
    "folds of whole PSUs. Standard errors come from {replicates:,} Rao–Wu replicates with types matched by members.",
    "zh": "以 EM 算法对 {base:,} 名受访者拟合由 {k} 个线性回归组成的混合模型（因变量为“{outcome}”），类型归属由协变量的多项 logit 决定；权重缩放为总和等于样本量。"
    "类型数目依据 BIC 及按初级抽样单位分折的留出样本似然判断。标准误来自 {replicates:,} 次 Rao–Wu 复制样本，各次的类型按成员重合度对应。",
}


def leading(own: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Index of the driver with the largest slope per standard deviation, shape (k,)."""
    return np.asarray((own[:, 1:] * spread).argmax(axis=1))


def type_labels(terms: Terms, mixture: Mixture, spread: np.ndarray) -> dict[Any, Mapping[str, str]]:
    """Names of the types after the driver that they weigh most; numbered where two share it."""
    if len(mixture.sigma) == 1:
        return {("segment", 1): _ALL}
    first = [terms.own[j] for j in leading(mixture.own, spread)]
    out: dict[Any, Mapping[str, str]] = {}
    for place, term in enumerate(first, start=1):
        plain = {lang: _LED[lang].format(driver=text[:1].lower() + text[1:] if text[1:2].islower() else text)
                 for lang, text in term.labels.items()}  # fmt: skip
        words = _SENSITIVE if term.name in ("price", "price_fairness") else plain
        again = sum(t.name == term.name for t in first[:place])
        several = sum(t.name == term.name for t in first) > 1
        out["segment", place] = {lang: f"{text} ({again})" if several else text for lang, text in words.items()}
    return out


def types_notes(
    prepared: Prepared, selection: pd.DataFrame, chosen: tuple[int, int, int], draws: Replicates | None
) -> tuple[Mapping[str, str], ...]:
    """How k was chosen, how sure the optimum is, who left, what replicates did."""
    k, by_bic, by_held_out = chosen
    row = selection[selection["k"] == k].iloc[0]
    said: list[Mapping[str, str]] = []
    if len(selection) > 1 and by_bic != by_held_out:
        said.append(Note(_DISAGREE, bic=by_bic, held=by_held_out, k=k))
    if len(selection) > 1 and k == selection["k"].max():
        said.append(Note(_MOST, k=k))
    said.append(Note(_STARTS, reached=int(row["reached"]), followed=int(row["followed"]), seed=str(row["seed"])))
    if not row["converged"]:
        said.append(_RESTLESS)
    if prepared.straight:
        said.append(Note(_STRAIGHT, straight=prepared.straight))
    if prepared.excluded:
        said.append(Note(_LEFT, excluded=prepared.excluded, share=prepared.excluded_share))
    if draws is not None:
        said.append(Note(_REPLICATES, b=len(draws.vectors), switched=draws.switched, unfinished=draws.unfinished))
    return tuple(said)


_DISAGREE = {"en": "BIC prefers {bic} types, held-out likelihood {held}; {k}, the smaller, is taken.",
             "zh": "BIC 倾向 {bic} 类，留出样本似然倾向 {held} 类；取较小的 {k} 类。"}  # fmt: skip
_MOST = {
    "en": "{k} is the largest number of types that was tried; try more.",
    "zh": "{k} 是所尝试的最大类型数，请尝试更多类型。",
}
_STARTS = {"en": "{reached} of {followed} long runs reached the best solution (seed {seed}).",
           "zh": "{followed} 次完整运行中有 {reached} 次达到最优解（种子 {seed}）。"}  # fmt: skip
_RESTLESS = {"en": "EM had not come to rest; the slopes may still move.", "zh": "EM 尚未收敛，各斜率可能仍会变动。"}
_STRAIGHT = {"en": "{straight:,} respondents gave one answer to every driver item and are set aside.",
             "zh": "{straight:,} 名受访者对全部驱动题目给出同一答案，未纳入。"}  # fmt: skip
_LEFT = {"en": "{excluded:,} respondents ({share:.1%} of the weight) left: straight lines, or an answer that the model needs is missing.",
         "zh": "共 {excluded:,} 名受访者（占权重 {share:.1%}）未纳入：直线作答，或缺少模型所需的回答。"}  # fmt: skip
_REPLICATES = {"en": "Standard errors from {b:,} replicates; types were put back into order in {switched:,}, EM was cut short in {unfinished:,}.",
               "zh": "标准误来自 {b:,} 次复制样本；其中 {switched:,} 次重新对应了类型，{unfinished:,} 次 EM 未收敛即止。"}  # fmt: skip
