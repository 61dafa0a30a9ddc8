"""What is said of a model: its effects, its fit, its method and how its numbers print."""

from __future__ import annotations

from collections.abc import Mapping

from cxlab.drivers._kernels import Kernel
from cxlab.drivers._measures import METHOD_NAMES

Words = Mapping[str, str]
_POINTS = {
    "en": "one point more goes with {effect:+.2f} points of {outcome:in}, the other drivers being equal.",
    "zh": "其他因素相同时，该项每高 1 分，{outcome}平均相差 {effect:+.2f} 分。",
}
_SHARE = {
    "en": "one point more goes with {effect:pp} percentage points of {outcome:in}, the other drivers being equal.",
    "zh": "其他因素相同时，该项每高 1 分，“{outcome}”的比例平均相差 {effect:pp} 个百分点。",
}
_EXPLAINED = {
    "en": "Together the {count} drivers explain {r2:.0%} of the differences in {outcome:in} "
    "(base {base:,}, effective {effective:,.0f}).",
    "zh": "{count} 个驱动因素共解释{outcome}差异的 {r2:.0%}（样本量 {base:,}，有效样本量 {effective:,.0f}）。",
}
_FITTED: Mapping[str, Words] = {
    "shapley": {
        "en": "Together the {count} drivers reach a McFadden R² of {r2:.2f} for {outcome:in} "
        "(base {base:,}, effective {effective:,.0f}).",
        "zh": "{count} 个驱动因素合计使“{outcome}”模型的 McFadden R² 达到 {r2:.2f}（样本量 {base:,}，有效样本量 {effective:,.0f}）。",
    },
    "tjur": {
        "en": "With the {count} drivers the fitted probability of {outcome:in} is {r2:pt} percentage points higher where it is "
        "the case than where it is not (base {base:,}, effective {effective:,.0f}).",
        "zh": "以这 {count} 个驱动因素拟合，属于“{outcome}”者的平均预测概率比其他人高 {r2:pt} 个百分点"
        "（样本量 {base:,}，有效样本量 {effective:,.0f}）。",
    },
    "relative_weights": {
        "en": "Together the {count} drivers fit {outcome:in} with a squared correlation of {r2:.2f} between answer and "
        "probability (base {base:,}, effective {effective:,.0f}).",
        "zh": "{count} 个驱动因素合计：“{outcome}”的实际结果与预测概率的相关系数平方为 {r2:.2f}"
        "（样本量 {base:,}，有效样本量 {effective:,.0f}）。",
    },
}  # fmt: skip
_METHODS: Mapping[str, Words] = {
    "linear": {
        "en": "{method} on design-weighted correlations of {base:,} {whose}",
        "zh": "以 {base:,} 名{whose}的加权相关矩阵计算{method}",
    },
    "logit": {
        "en": "{method} of a weighted logit of {base:,} {whose}",
        "zh": "以 {base:,} 名{whose}的加权 Logit 模型计算{method}",
    },
    "ordinal": {
        "en": "{method} of a weighted proportional-odds model of {base:,} {whose}",
        "zh": "以 {base:,} 名{whose}的加权比例优势模型计算{method}",
    },
}
_REPLICATED: Mapping[str, Words] = {
    "linear": {"en": "", "zh": ""},
    "logit": {
        "en": "Replicates of pseudo R² move every subset's fit by one Newton step; null lines come from score tests. ",
        "zh": "重抽样中的伪 R² 由各子集拟合值经一步牛顿迭代得到，噪声线由得分检验得到。",
    },
    "refitted": {
        "en": "Every replicate is fitted anew; null lines come from one Newton step. ",
        "zh": "每次重抽样均重新拟合模型，噪声线由一步牛顿迭代得到。",
    },
}
_EFFECTS: Mapping[str, Words] = {
    "linear": {"en": "coefficients of the full linear model", "zh": "整体线性模型的系数"},
    "logit": {"en": "average marginal effects of the full logit", "zh": "整体 Logit 模型的平均边际效应"},
    "ordinal": {
        "en": "average marginal effects of the full proportional-odds model on the expected answer",
        "zh": "整体比例优势模型中期望答案的平均边际效应",
    },
}
_PARAGRAPH: Words = {
    "en": "Importance of {p} drivers of {outcome:in}: @which. Intervals are percentiles of {b:,} Rao–Wu bootstrap replicates; "
    "a driver whose importance does not exceed the 95th percentile of its own within-stratum permutations is called not "
    "distinguishable from noise. @replicatedRank sets come from Holm-adjusted pairwise differences (Klein, Wright & Wieczorek "
    "2020). Effects are @effects with design-based standard errors. Importance is not causation.",
    "zh": "{p} 个因素对“{outcome}”的重要性：@which。区间取自 {b:,} 次 Rao–Wu 自助法重抽样的百分位数；重要性未超过自身层内置换分布第 95 百分位数的因素，视为与噪声无法"
    "区分。@replicated排名区间依据经 Holm 校正的两两差异检验（Klein、Wright 与 Wieczorek，2020）。影响值为@effects，标准误按抽样设计"
    "计算。重要性不等于因果关系。",
}
_WITHIN: Mapping[str, Words] = {
    "linear": {"en": "design-weighted correlations", "zh": "加权相关矩阵"},
    "logit": {
        "en": "a weighted logit, whose log odds are what is compared,",
        "zh": "加权 Logit 模型（比较的是对数优势）",
    },
    "ordinal": {
        "en": "a weighted proportional-odds model, whose log odds are what is compared,",
        "zh": "加权比例优势模型（比较的是对数优势）",
    },
}
_NAMES: Mapping[str, Words] = {
    "shapley": {"en": "Shapley values of McFadden's R²", "zh": "McFadden R² 的 Shapley 值"},
    "tjur": {"en": "Shapley values of Tjur's D", "zh": "Tjur D 的 Shapley 值"},
    "relative_weights": {
        "en": "Relative weights (Tonidandel & LeBreton 2010)",
        "zh": "相对权重（Tonidandel 与 LeBreton，2010）",
    },
}
NOT_CAUSE: Words = {
    "en": "Importance describes association in this survey; it does not prove what a change would cause.",
    "zh": "重要性描述的是本调查中的关联，并不证明改变某项会带来相应结果。",
}
EXTRA_HEADINGS: Mapping[str, Words] = {
    "log_odds": {"en": "Log-odds per +1", "zh": "每 +1 分的对数优势"},
    "log_odds_se": {"en": "SE of log-odds", "zh": "对数优势的标准误"},
}
_IN_SHARES = {"estimate": "pp", "low": "pp", "high": "pp", "se": "pt", "log_odds": "+.2f", "log_odds_se": ".3f"}


def name_of(kernel: Kernel | None) -> str:
    """Name of the model; results without one are linear."""
    return "linear" if kernel is None else kernel.name


def in_shares(kernel: Kernel | None) -> bool:
    """Whether effects are differences of a probability."""
    reading = None if kernel is None else kernel.prepared.reading
    return reading is not None and reading.kind == "binary"


def effect(kernel: Kernel | None) -> Words:
    """Clause on what one point more goes with."""
    return _SHARE if in_shares(kernel) else _POINTS


def fit(kernel: Kernel | None) -> Words:
    """Sentence on how well the drivers explain the outcome."""
    return _EXPLAINED if kernel is None or kernel.name == "linear" else _FITTED[kernel.method]


def formats(kernel: Kernel) -> dict[str, str]:
    """How the effects print: percentage points where they are differences of a probability."""
    return dict(_IN_SHARES if in_shares(kernel) else {"log_odds": "+.2f", "log_odds_se": ".3f"})


def by_segment(kernel: Kernel | None) -> Words:
    """What the importances within a segment rest on, and what is compared."""
    return _WITHIN[name_of(kernel)]


def method_name(kernel: Kernel | None, method: str) -> Words:
    """What the importances are."""
    return METHOD_NAMES[method] if name_of(kernel) == "linear" else _NAMES[method]


def methods(kernel: Kernel | None) -> Words:
    """Paragraph on how the numbers were made."""
    name = name_of(kernel)
    moved = "linear" if name == "linear" else "refitted" if kernel and kernel.method == "relative_weights" else "logit"
    parts = {"@which": _METHODS[name], "@replicated": _REPLICATED[moved], "@effects": _EFFECTS[name]}
    out = dict(_PARAGRAPH)
    for mark, words in parts.items():
        out = {lang: text.replace(mark, words[lang]) for lang, text in out.items()}
    return out
