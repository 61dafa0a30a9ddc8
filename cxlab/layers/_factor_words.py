"""Words: how a common-factor model is noted and described."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cxlab.layers._prepare import Prepared
from cxlab.layers._words import MISSING_WORDS
from cxlab.words import Note, number

if TYPE_CHECKING:
    import pandas as pd

Wording = Mapping[str, str]


def factor_notes(prepared: Prepared, facts: Mapping[str, Any]) -> tuple[Note, ...]:
    """What the numbers rest on, and what they are not."""
    out = [Note(_ALGORITHM, source=MISSING_WORDS[prepared.missing])]
    if prepared.excluded:
        out.append(Note(_LEFT, count=prepared.excluded, share=prepared.excluded_share))
    out.append(Note(_ERRORS[facts["errors"]], count=facts["replicates"] - facts["failed"], df=facts["df"]))
    if facts["failed"]:
        out.append(Note(_FAILED, failed=facts["failed"], count=facts["replicates"]))
    if facts["scaling"] is not None:
        out.append(Note(_SCALED, scaling=facts["scaling"]))
    if facts["edge"]:
        out.append(Note(_EDGE))
    single = [c.name for c in prepared.model.constructs if len(c.indicators) == 1]
    if single:
        listed = {
            lang: sep.join(prepared.labels[n][lang] for n in single) for lang, sep in (("en", ", "), ("zh", "、"))
        }
        out.append(Note(_SINGLE, constructs=listed))
    out.append(Note(_NOT_CAUSE if prepared.model.paths else _NO_PATHS))
    return tuple(out)


def said_subject(subject: str, labels: Mapping[Any, Wording]) -> dict[str, str]:
    """What a problem is about, in both languages; the notation of a parameter stays."""
    out = {}
    for lang, comma in (("en", ", "), ("zh", "、")):
        for sign, shown in ((" -> ", " → "), (", ", comma)):
            parts = subject.split(sign)
            if all(part in labels for part in parts):
                out[lang] = shown.join(labels[part][lang] for part in parts)
                break
        else:
            out[lang] = subject
    return out


def said_problems(problems: pd.DataFrame, labels: Mapping[Any, Wording]) -> dict[str, Note]:
    """Each kind of problem in words, the worst cases first."""
    out = {}
    for kind, rows in problems.groupby("problem", sort=False):
        worst = rows.reindex(rows["value"].abs().sort_values(ascending=False, kind="stable").index)
        said = [(said_subject(s, labels), float(v)) for s, v in zip(worst["subject"], worst["value"], strict=True)]
        listed = {
            lang: _listed([(subject[lang], value) for subject, value in said], str(kind), lang) for lang in ("en", "zh")
        }
        first = worst.iloc[0]
        out[str(kind)] = Note(
            PROBLEMS[str(kind)], listed=listed, count=len(rows), value=first["value"], limit=first["limit"]
        )
    return out


def _listed(said: list[tuple[str, float]], kind: str, lang: str) -> str:
    """Up to three cases with their values."""
    if kind in ("near unidentified", "few respondents", "failed replicates", "impossible correlations"):
        return said[0][0]
    pair = "{} {}" if lang == "en" else "“{}”{}"
    shown = [pair.format(subject, number(value, ".2f")) for subject, value in said[:_SHOWN]]
    more = len(said) - _SHOWN
    rest = [] if more <= 0 else [f"{more} more" if lang == "en" else f"另有 {more} 处"]
    return (", " if lang == "en" else "、").join([*shown, *rest])


_SHOWN = 3
_ALGORITHM = {
    "en": "Maximum likelihood on the weighted covariances of {source}; paths are between common factors, free of error of measurement if the "
    "model holds.",
    "zh": "基于{source}的加权协方差矩阵作最大似然估计；若模型成立，路径连接的是剔除了测量误差的共同因子。",
}
_LEFT = {
    "en": "{count:,} respondents ({share:.0%} of the weight) left an indicator unanswered and are not in the model.",
    "zh": "{count:,} 名受访者（占权重的 {share:.0%}）有指标未作答，未纳入模型。",
}
_ERRORS = {
    "percentile": {
        "en": "Intervals are percentiles of {count:,} refits under replicate weights of the design ({df:,.0f} degrees of freedom).",
        "zh": "区间为按抽样设计重抽样权重重新拟合 {count:,} 次的分位数（自由度 {df:,.0f}）。",
    },
    "t": {
        "en": "Intervals are estimate ± t·se with {df:,.0f} degrees of freedom; standard errors from {count:,} refits under replicate weights of the design.",
        "zh": "区间为估计值 ± t×标准误（自由度 {df:,.0f}），标准误来自按抽样设计重抽样权重重新拟合的 {count:,} 次结果。",
    },
    "linear": {
        "en": "Intervals are estimate ± t·se ({df:,.0f} degrees of freedom); standard errors by linearisation under the design (sandwich).",
        "zh": "区间为估计值 ± t×标准误（自由度 {df:,.0f}），标准误由抽样设计下的线性化（三明治）方法得到。",
    },
    "normal": {
        "en": "Standard errors and fit take the answers for a simple random sample of a normal population; weights, strata and clusters do not widen them.",
        "zh": "标准误与拟合指标按“正态总体、简单随机抽样”计算，未计入权重、分层与整群抽样带来的误差。",
    },
}
_FAILED = {
    "en": "{failed} of {count:,} replicates have no solution and are left out.",
    "zh": "{count:,} 次重抽样中有 {failed} 次无解，未计入。",
}
_SCALED = {
    "en": "χ², CFI, TLI and RMSEA are corrected for the design and for answers that are not normal (scaling factor {scaling:.2f}).",
    "zh": "χ²、CFI、TLI 与 RMSEA 已按抽样设计及答案的非正态性校正（校正系数 {scaling:.2f}）。",
}
_EDGE = {
    "en": "The likelihood is largest where a residual variance is negative: the solution there is shown, as it shows what is wrong.",
    "zh": "似然函数在残差方差为负处达到最大：此处仍列出该解，以便看清问题所在。",
}
_SINGLE = {
    "en": "Measured by one item each and taken as free of error, so that their paths are too weak: {constructs}.",
    "zh": "以下构念仅有单一题目，按无测量误差处理，其路径会被低估：{constructs}。",
}
_NOT_CAUSE = {
    "en": "The arrows are assumed, not shown: models with other arrows fit as well.",
    "zh": "箭头方向是模型的假设，并非数据所证明：箭头不同的模型也可能拟合得一样好。",
}
_NO_PATHS = {
    "en": "A measurement model: all constructs correlate, none leads to another.",
    "zh": "此为测量模型：所有构念两两相关，不设因果方向。",
}
PROBLEMS: dict[str, Wording] = {
    "negative error variance": {
        "en": "Negative error variance, as a share of the item's variance ({count}): {listed}.",
        "zh": "误差方差为负（占题目方差的比例，{count} 处）：{listed}。",
    },
    "loading above 1": {
        "en": "Standardised loading beyond 1 ({count}): {listed}.",
        "zh": "标准化载荷超过 1（{count} 处）：{listed}。",
    },
    "negative residual variance": {
        "en": "Negative residual variance, R² above 1 ({count}): {listed}.",
        "zh": "残差方差为负、R² 超过 1（{count} 处）：{listed}。",
    },
    "impossible correlations": {
        "en": "No constructs can correlate like this (smallest eigenvalue {value:.3f}).{listed}",
        "zh": "构念间的相关矩阵非正定，现实中不可能出现（最小特征值 {value:.3f}）。{listed}",
    },
    "hardly two constructs": {
        "en": "Hardly two constructs each, correlating {limit:.2f} or more ({count}): {listed}.",
        "zh": "相关达 {limit:.2f} 以上、难以视为不同构念（{count} 对）：{listed}。",
    },
    "loosely determined": {
        "en": "Standard error above {limit:.1f} of a standardised path or loading ({count}): {listed}.",
        "zh": "标准化路径或载荷的标准误超过 {limit:.1f}（{count} 处）：{listed}。",
    },
    "near unidentified": {
        "en": "Nearly unidentified (smallest eigenvalue of the information {value:.1g}); the data hardly tell apart: {listed}.",
        "zh": "模型近乎不可识别（信息矩阵最小特征值 {value:.1g}），数据难以区分以下参数：{listed}。",
    },
    "few respondents": {
        "en": "Only {value:.1f} respondents per parameter; maximum likelihood wants {limit:.0f} or more.{listed}",
        "zh": "每个参数仅对应 {value:.1f} 名受访者，最大似然估计一般需要 {limit:.0f} 名以上。{listed}",
    },
    "failed replicates": {
        "en": "No solution in {value:.0%} of the replicates: the intervals are not to be relied on.{listed}",
        "zh": "{value:.0%} 的重抽样无解：区间不可靠。{listed}",
    },
}
INADMISSIBLE = ("negative error variance", "loading above 1", "negative residual variance", "impossible correlations")
FIT: dict[str, Wording] = {
    "good": {
        "en": "The common-factor model fits the {items} items well: CFI {cfi:.3f}, RMSEA {rmsea:.3f} (90% interval {low:.3f} to {high:.3f}), SRMR "
        "{srmr:.3f}; χ²({df:.0f}) = {chisq:,.1f}, {p:p}; base {base:,}.",
        "zh": "共同因子模型对 {items} 个题目拟合良好：CFI {cfi:.3f}，RMSEA {rmsea:.3f}（90% 区间 {low:.3f} 至 {high:.3f}），SRMR {srmr:.3f}；"
        "χ²({df:.0f}) = {chisq:,.1f}，{p:p}；样本量 {base:,}。",
    },
    "acceptable": {
        "en": "The common-factor model fits the {items} items acceptably, not well: CFI {cfi:.3f}, RMSEA {rmsea:.3f} (90% interval {low:.3f} to "
        "{high:.3f}), SRMR {srmr:.3f}; χ²({df:.0f}) = {chisq:,.1f}, {p:p}; base {base:,}.",
        "zh": "共同因子模型对 {items} 个题目的拟合尚可，但不算好：CFI {cfi:.3f}，RMSEA {rmsea:.3f}（90% 区间 {low:.3f} 至 {high:.3f}），SRMR "
        "{srmr:.3f}；χ²({df:.0f}) = {chisq:,.1f}，{p:p}；样本量 {base:,}。",
    },
    "poor": {
        "en": "The common-factor model does not fit the {items} items: CFI {cfi:.3f}, RMSEA {rmsea:.3f} (90% interval {low:.3f} to {high:.3f}), SRMR "
        "{srmr:.3f}; χ²({df:.0f}) = {chisq:,.1f}, {p:p}; base {base:,}. Its paths and loadings describe a structure that the "
        "answers contradict.",
        "zh": "共同因子模型对 {items} 个题目拟合不佳：CFI {cfi:.3f}，RMSEA {rmsea:.3f}（90% 区间 {low:.3f} 至 {high:.3f}），SRMR {srmr:.3f}；"
        "χ²({df:.0f}) = {chisq:,.1f}，{p:p}；样本量 {base:,}。模型设定的结构与实际答案不符，其路径与载荷不宜采信。",
    },
}
NO_FIT = {
    "en": "The model has as many parameters as the {items} items have covariances: it fits any answers, and its fit says nothing.",
    "zh": "模型参数与 {items} 个题目的协方差一样多：无论答案如何都会完全拟合，拟合程度不说明任何问题。",
}
WORST = {
    "en": "What it misses most: “{first}” and “{second}” correlate {observed:.2f}, and {implied:.2f} by the model.",
    "zh": "偏差最大之处：“{first}”与“{second}”的实际相关为 {observed:.2f}，模型推算为 {implied:.2f}。",
}
NOT_ADMISSIBLE = {
    "en": "The solution is not admissible: {which}. Do not report its paths; merge constructs that measure the same, or leave items out.",
    "zh": "解不合理：{which}。其路径不宜报告；请合并测量同一事物的构念，或剔除有问题的题目。",
}
SHAKY = {
    "en": "Parts of the model are hardly determined by the data: {which}.",
    "zh": "模型中有数据难以确定之处：{which}。",
}
STRONGEST = {
    "en": "Between common factors, the largest path to “{target}” comes from “{source}”: {effect:.2f} ({low:.2f} to {high:.2f}).",
    "zh": "在共同因子之间，通向“{target}”的最大路径系数来自“{source}”：{effect:.2f}（{low:.2f} 至 {high:.2f}）。",
}
UNCLEAR = {
    "en": "{count} of {all} paths cannot be told apart from zero: {paths}.",
    "zh": "{all} 条路径中有 {count} 条无法与零区分：{paths}。",
}
TOGETHER = {
    "en": "The constructs that correlate most are “{source}” and “{target}”: {effect:.2f} ({low:.2f} to {high:.2f}).",
    "zh": "相关最高的两个构念是“{source}”与“{target}”：{effect:.2f}（{low:.2f} 至 {high:.2f}）。",
}
WEAK = {
    "en": "Items that hardly measure their construct (loading under {limit:.1f}): {listed}.",
    "zh": "几乎不能测量所属构念的题目（载荷低于 {limit:.1f}）：{listed}。",
}
BETWEEN = {"en": ", ", "zh": "、"}
TITLE_FIT: dict[str, Wording] = {
    "good": {"en": "fits well", "zh": "拟合良好"}, "acceptable": {"en": "fits acceptably", "zh": "拟合尚可"},
    "poor": {"en": "does not fit", "zh": "拟合不佳"}, "none": {"en": "cannot but fit", "zh": "必然完全拟合"},
}  # fmt: skip
TITLE_INADMISSIBLE = {
    "en": "Common factors: the solution is not admissible – {which}",
    "zh": "共同因子模型的解不合理：{which}",
}
TITLE_FITS = {
    "en": "The common-factor model {fit} (CFI {cfi:.3f}, RMSEA {rmsea:.3f})",
    "zh": "共同因子模型{fit}（CFI {cfi:.3f}，RMSEA {rmsea:.3f}）",
}
TITLE_NO_FIT = {
    "en": "A common-factor model that fits any answers: its fit says nothing",
    "zh": "参数过多、必然完全拟合的共同因子模型：拟合程度不说明问题",
}
TITLE_PATH = {
    "en": "The common-factor model {fit} (CFI {cfi:.3f}, RMSEA {rmsea:.3f}); largest path: {source} → {target} {effect:.2f}",
    "zh": "共同因子模型{fit}（CFI {cfi:.3f}，RMSEA {rmsea:.3f}）；最大的路径：{source} → {target} {effect:.2f}",
}
TITLE_PATH_ALONE = {
    "en": "Largest path between common factors: {source} → {target} {effect:.2f} (the fit cannot be told)",
    "zh": "共同因子之间最大的路径：{source} → {target} {effect:.2f}（拟合程度无从判断）",
}
METHODS = {
    "en": "A covariance-based structural equation model with {constructs} common factors and {items} items was estimated by maximum likelihood "
    "(seminr) on the weighted covariances of {base:,} respondents; {errors}.",
    "zh": "采用基于协方差的结构方程模型（最大似然，seminr），含 {constructs} 个共同因子、{items} 个题目，基于 {base:,} 名受访者的加权协方差矩阵估计；{errors}。",
}
ERROR_WORDS: dict[str, Wording] = {
    "replicates": {
        "en": "intervals come from refits under Rao–Wu replicate weights, fit measures carry the Yuan–Bentler correction under the design",
        "zh": "区间来自 Rao–Wu 重抽样权重下的重新拟合，拟合指标按抽样设计作 Yuan–Bentler 校正",
    },
    "linear": {
        "en": "standard errors are linearised under the design, fit measures carry the Yuan–Bentler correction under it",
        "zh": "标准误按抽样设计线性化，拟合指标作 Yuan–Bentler 校正",
    },
    "normal": {
        "en": "standard errors come from the expected information of a normal population",
        "zh": "标准误来自正态总体假设下的期望信息矩阵",
    },
}
