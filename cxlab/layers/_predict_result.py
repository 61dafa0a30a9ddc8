"""What a prediction says: its tables, its picture, its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from cxlab.result import Labels, Result
from cxlab.words import Note, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class PredictionResult(Result):
    """Out-of-sample prediction of the indicators of caused constructs, beside plain regression and the mean.

    Attributes
    ----------
    constructs : DataFrame
        Tests of the standardised squared error, per construct and over all (``construct`` "all"): ``construct, rival`` (linear,
        mean), ``loss, loss_rival, estimate`` (loss − the rival's: negative is better), ``se, low, high, p_value``.
    folds, repetitions : int
    antecedents : {"direct", "earliest"}
    """

    constructs: pd.DataFrame = field(default_factory=pd.DataFrame)
    folds: int = 10
    repetitions: int = 10
    antecedents: str = "direct"

    def further(self) -> Mapping[str, Result]:
        """The tests of losses."""
        formats = {"loss": ".3f", "loss_rival": ".3f", "estimate": "+.3f", "low": "+.3f", "high": "+.3f", "se": ".3f"}
        tests = Result(self.constructs, self.base, (), self.labels, self.call, _TESTS, formats, self.level)
        return {"constructs": tests}

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw how much of the error of the mean is left by the model and by plain regression."""
        from cxlab.layers._draw_predict import draw

        return draw(self, ax, language(lang))

    def sentences(self, lang: str | None = None) -> Sentences:
        """How well the answers of each construct are predicted, and whether the model beats plain regression."""
        lang = language(lang)
        if (self.table["reliability"] == "suppressed").all():
            return Sentences([sentence(_SMALL, lang, base=self.base.respondents)])
        tests = self.constructs.set_index(["construct", "rival"])
        said = []
        for name, rows in self.table.groupby("construct", sort=False):
            facts = {"construct": self.label(name, lang), "q": rows["q_squared"].mean()}
            if not float(tests["high"][name, "mean"]) < 0:
                said.append(sentence(_NONE, lang, **facts))
                continue
            against = tests.loc[[(name, "linear")]].iloc[0]
            verdict = "better" if against["high"] < 0 else "worse" if against["low"] > 0 else "alike"
            beaten = int((rows["rmse"] < rows["rmse_linear"]).sum())
            said.append(
                sentence(_AGAINST[verdict], lang, **facts, beaten=beaten, items=len(rows), p=against["p_value"])
            )
        return Sentences(said)

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the numbers were made."""
        return sentence(_METHODS, lang, folds=self.folds, repetitions=self.repetitions, base=self.base.respondents,
                        inputs=_INPUTS[self.antecedents][language(lang)]).text  # fmt: skip


def notes(antecedents: str, folds: int, repetitions: int) -> tuple[Note, ...]:
    """What the errors of prediction rest on."""
    return (Note(_FOLDS, folds=folds, repetitions=repetitions), Note(_FROM, inputs=_INPUTS[antecedents]), Note(_RIVALS))


_INPUTS = {
    "direct": {"en": "the scores of its direct causes", "zh": "其直接前因的得分"},
    "earliest": {"en": "the scores of the first causes alone", "zh": "仅由最初前因的得分"},
}
_FOLDS = {
    "en": "{folds} folds of whole sampling units, dealt within strata {repetitions} times; each is predicted from the others.",
    "zh": "以完整的初级抽样单位在各层内划分 {folds} 折，重复 {repetitions} 次；每折由其余各折预测。",
}
_FROM = {"en": "A construct is predicted from {inputs}.", "zh": "构念的预测依据：{inputs}。"}
_RIVALS = {
    "en": "Plain regression predicts each indicator from all indicators of the same causes; the mean is that of the other folds.",
    "zh": "普通回归以同一组前因的全部指标预测每个指标；均值取自其余各折。",
}
_SMALL = {
    "en": "Effective base under 30 ({base:,} respondents): too few to judge predictions.",
    "zh": "有效样本量不足 30（{base:,} 名受访者），无法评价预测能力。",
}
_NONE = {
    "en": "Answers on {construct:in} are not predicted better than by their mean (mean Q² {q:.2f}).",
    "zh": "模型对“{construct}”各指标的预测不优于均值（平均 Q² {q:.2f}）。",
}
_AGAINST = {
    "better": {
        "en": "Answers on {construct:in} are predicted (mean Q² {q:.2f}), with less error than by plain regression on the same questions "
        "({p:p}; {beaten} of {items} indicators).",
        "zh": "模型能预测“{construct}”（平均 Q² {q:.2f}），误差小于对同样题目的普通回归（{p:p}；{items} 个指标中 {beaten} 个更优）。",
    },
    "alike": {
        "en": "Answers on {construct:in} are predicted (mean Q² {q:.2f}), not told apart from plain regression on the same questions "
        "(difference {p:p}; {beaten} of {items} indicators with less error).",
        "zh": "模型能预测“{construct}”（平均 Q² {q:.2f}），与对同样题目的普通回归无显著差异（ {p:p}；{items} 个指标中 {beaten} 个误差更小）。",
    },
    "worse": {
        "en": "Answers on {construct:in} are predicted (mean Q² {q:.2f}), but plain regression on the same questions does it with less error "
        "({p:p}; the model is better on {beaten} of {items} indicators).",
        "zh": "模型能预测“{construct}”（平均 Q² {q:.2f}），但对同样题目作普通回归误差更小（{p:p}；{items} 个指标中模型仅 {beaten} 个更优）。",
    },
}
_METHODS = {
    "en": "Predictive power was judged by PLSpredict ({folds} folds of whole sampling units, {repetitions} repetitions, base {base:,}), "
    "predicting from {inputs}; differences of squared errors were tested with design-based standard errors.",
    "zh": "预测能力采用 PLSpredict 评价（以完整初级抽样单位划分 {folds} 折，重复 {repetitions} 次，样本量 {base:,}），预测依据：{inputs}；平方误差之差以抽样设计标准误检验。",
}
_TESTS = {"en": "Loss against regression and mean", "zh": "与普通回归及均值的误差比较"}
HEADINGS: Labels = {
    "q_squared": {"en": "Q² (model)", "zh": "Q²（模型）"}, "q_squared_linear": {"en": "Q² (regression)", "zh": "Q²（回归）"},
    "rmse": {"en": "RMSE (model)", "zh": "RMSE（模型）"}, "rmse_linear": {"en": "RMSE (regression)", "zh": "RMSE（回归）"},
    "rmse_mean": {"en": "RMSE (mean)", "zh": "RMSE（均值）"}, "mae": {"en": "MAE (model)", "zh": "MAE（模型）"},
    "mae_linear": {"en": "MAE (regression)", "zh": "MAE（回归）"}, "rival": {"en": "Compared with", "zh": "比较对象"},
    "loss": {"en": "Loss", "zh": "误差"}, "loss_rival": {"en": "Loss of the other", "zh": "对方误差"},
    "all": {"en": "All", "zh": "全部"}, ("rival", "linear"): {"en": "regression", "zh": "普通回归"},
    ("rival", "mean"): {"en": "mean", "zh": "均值"},
}  # fmt: skip
FORMATS = {"rmse": ".3f", "rmse_linear": ".3f", "rmse_mean": ".3f", "mae": ".3f", "mae_linear": ".3f"}
