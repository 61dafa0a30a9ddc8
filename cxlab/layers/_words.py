"""Words: how a path model is noted and described."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cxlab.words import Note

if TYPE_CHECKING:
    from cxlab.layers._kernel import Kernel

SCHEME_WORDS = {
    "path": {"en": "path weighting", "zh": "路径加权"},
    "factorial": {"en": "factorial weighting", "zh": "因子加权"},
    "centroid": {"en": "centroid weighting", "zh": "重心加权"},
}
MISSING_WORDS = {
    "listwise": {"en": "complete rows", "zh": "完整作答的受访者"},
    "pairwise": {"en": "available pairs of answers", "zh": "成对可用的答案"},
    "em": {"en": "an EM estimate under incomplete answers", "zh": "缺失答案的 EM 估计"},
    "mi": {"en": "multiply imputed answers", "zh": "多重插补后的答案"},
}


def path_notes(kernel: Kernel, facts: Mapping[str, Any]) -> tuple[Note, ...]:
    """What the numbers of a path model rest on, and what they are not."""
    prepared = kernel.prepared
    out = [
        Note(_ALGORITHM[kernel.consistent], scheme=SCHEME_WORDS[kernel.scheme], source=MISSING_WORDS[prepared.missing])
    ]
    if prepared.excluded:
        out.append(Note(_LEFT, count=prepared.excluded, share=prepared.excluded_share))
    if facts["replicates"]:
        out.append(
            Note(_INTERVAL[facts["interval"]], count=facts["replicates"] - facts["failed"], df=prepared.sample.df)
        )
    if facts.get("lost"):
        out.append(Note(_LOST, count=facts["lost"]))
    if facts["failed"]:
        out.append(Note(_FAILED, failed=facts["failed"], count=facts["replicates"]))
    if facts["flips"]:
        listed = {lang: sep.join(f"{prepared.labels[n][lang]} {c}" for n, c in facts["flips"].items())
                  for lang, sep in (("en", ", "), ("zh", "、"))}  # fmt: skip
        out.append(Note(_FLIPPED, flips=listed, count=facts["replicates"]))
    if not facts["converged"]:
        out.append(Note(_RESTLESS))
    opposed = [kernel.names[j] for j in np.flatnonzero(kernel.opposed)]
    if opposed:
        listed = {
            lang: sep.join(prepared.labels[n][lang] for n in opposed) for lang, sep in (("en", ", "), ("zh", "、"))
        }
        out.append(Note(_OPPOSED, constructs=listed))
    if kernel.products:
        out.append(Note(_PRODUCTS))
        if kernel.plan.consistent.any():
            out.append(Note(_UNCORRECTED))
    out.append(Note(_NOT_CAUSE))
    return tuple(out)


_ALGORITHM = {
    False: {
        "en": "Partial least squares ({scheme}) on the weighted correlations of {source}; paths are between composites.",
        "zh": "偏最小二乘路径模型（{scheme}），基于{source}的加权相关矩阵；路径连接的是复合构念。",
    },
    True: {
        "en": "Consistent partial least squares ({scheme}) on the weighted correlations of {source}; paths are corrected for reliability.",
        "zh": "一致性偏最小二乘（PLSc，{scheme}），基于{source}的加权相关矩阵；路径已按信度校正。",
    },
}
_LEFT = {
    "en": "{count:,} respondents ({share:.0%} of the weight) left an indicator unanswered and are not in the model.",
    "zh": "{count:,} 名受访者（占权重的 {share:.0%}）有指标未作答，未纳入模型。",
}
_INTERVAL = {
    "percentile": {
        "en": "Intervals are percentiles of {count:,} replicates of the design ({df:,.0f} degrees of freedom).",
        "zh": "区间为 {count:,} 次抽样设计重抽样的分位数（自由度 {df:,.0f}）。",
    },
    "t": {
        "en": "Intervals are estimate ± t·se with {df:,.0f} degrees of freedom; standard errors from {count:,} replicates of the design.",
        "zh": "区间为估计值 ± t×标准误（自由度 {df:,.0f}），标准误来自 {count:,} 次抽样设计重抽样。",
    },
    "bca": {
        "en": "Intervals of paths, effects and impacts are bias-corrected and accelerated (BCa), from {count:,} replicates and by leaving out one "
        "sampling unit at a time ({df:,.0f} degrees of freedom); all others are percentiles.",
        "zh": "路径、效应与影响分值的区间采用 BCa 法（{count:,} 次重抽样，并逐一剔除初级抽样单位，自由度 {df:,.0f}）；其余采用分位数区间。",
    },
}
_LOST = {
    "en": "Without {count} of the sampling units, one at a time, the model has no solution; they count as if they changed nothing.",
    "zh": "逐一剔除抽样单位时有 {count} 次无解，按无变化处理。",
}
_FAILED = {
    "en": "{failed} of {count:,} replicates have no solution and are left out.",
    "zh": "{count:,} 次重抽样中有 {failed} 次无解，未计入。",
}
_FLIPPED = {
    "en": "Replicates in which a construct came out with the opposite sign and was turned to that of the sample: {flips} of {count:,}.",
    "zh": "{count:,} 次重抽样中构念符号与样本相反、已翻转一致的次数：{flips}。",
}
_RESTLESS = {
    "en": "The weights did not come to rest: read the estimates as provisional.",
    "zh": "权重迭代未收敛：估计值仅供参考。",
}
_OPPOSED = {
    "en": "No 0–100 index, and no effects in points, of {constructs}: a quarter or more of its weights are negative, so that a mean of its items "
    "says nothing. Declare items of which less is better (higher_is_better: false), or take them apart.",
    "zh": "未给出以下构念的 0–100 指数及以分值表示的影响：{constructs}。其负权重占四分之一以上，题目均值没有意义；请将“越低越好”的题目声明为反向题"
    "（higher_is_better: false），或拆分该构念。",
}
_PRODUCTS = {
    "en": "A product says by how much a path grows when the moderator lies one standard deviation higher; the path itself, and total effects, "
    "hold at the mean of the moderator.",
    "zh": "乘积项表示调节变量每高一个标准差，该路径增加多少；路径本身及总效应均指调节变量处于均值时。",
}
_UNCORRECTED = {
    "en": "Products are made of scores and not corrected for reliability: the change of a path is understated.",
    "zh": "乘积项由得分相乘得到，未按信度校正：路径变化量被低估。",
}
_NOT_CAUSE = {
    "en": "The arrows are assumed, not shown: the model says what goes together if they point this way.",
    "zh": "箭头方向是模型的假设，并非数据所证明：结果只说明若方向成立，哪些因素相伴变化。",
}
STRONGEST = {
    "en": "{source:cap} has the strongest total effect on {target:in}: {effect:.2f} ({low:.2f} to {high:.2f}).",
    "zh": "对“{target}”总效应最强的是“{source}”：{effect:.2f}（{low:.2f} 至 {high:.2f}）。",
}
ALONE = {
    "en": "The total effect of {source:in} on {target:in} is {effect:.2f} ({low:.2f} to {high:.2f}).",
    "zh": "“{source}”对“{target}”的总效应为 {effect:.2f}（{low:.2f} 至 {high:.2f}）。",
}
NOT_SHOWN = {
    "en": "No effect on {target:in} is shown: the largest total effect, that of {source:in}, is {effect:.2f} ({low:.2f} to {high:.2f}).",
    "zh": "未发现对“{target}”的明确影响：总效应最大的“{source}”为 {effect:.2f}（{low:.2f} 至 {high:.2f}），与零无显著差异。",
}
TIED = {
    "en": "On {target:in}, {source:in} has the largest total effect, {effect:.2f} ({low:.2f} to {high:.2f}), not told apart from that of {others}.",
    "zh": "对“{target}”总效应最大的是“{source}”：{effect:.2f}（{low:.2f} 至 {high:.2f}），但与“{others}”无法区分。",
}
POINTS = {
    "en": " Ten more points of its index go with {points:+.1f} points of {target:in} (both 0–100).",
    "zh": "其指数每高 10 分，“{target}”指数相应变化 {points:+.1f} 分（均为 0–100）。",
}
MORE_ROUTES = {"en": " (and {count} more routes)", "zh": "（另有 {count} 条路径）"}
THROUGH = {
    "en": "{source:cap} acts on {target:in} by way of {route}: {share:.0%} of its total effect is indirect ({indirect:.2f}, {low:.2f} to "
    "{high:.2f}); what is left is direct ({direct:.2f}, {direct_low:.2f} to {direct_high:.2f}).",
    "zh": "“{source}”经由“{route}”影响“{target}”：总效应中 {share:.0%} 为间接效应（{indirect:.2f}，{low:.2f} 至 {high:.2f}），其余为直接效应（{direct:.2f}，{direct_low:.2f} 至 {direct_high:.2f}）。",
}
AGAINST = {
    "en": "{source:cap} acts on {target:in} in two ways that oppose each other: by way of {route} ({indirect:.2f}, {low:.2f} to {high:.2f}) and directly "
    "({direct:.2f}, {direct_low:.2f} to {direct_high:.2f}); {total:.2f} in all.",
    "zh": "“{source}”对“{target}”的两种作用方向相反：经由“{route}”（{indirect:.2f}，{low:.2f} 至 {high:.2f}）与直接作用（{direct:.2f}，{direct_low:.2f} 至 {direct_high:.2f}），合计 {total:.2f}。",
}
ONLY_THROUGH = {
    "en": "{source:cap} acts on {target:in} by way of {route} ({indirect:.2f}, {low:.2f} to {high:.2f}); no direct effect can be shown beside it "
    "({direct:.2f}, {direct_low:.2f} to {direct_high:.2f}).",
    "zh": "“{source}”经由“{route}”影响“{target}”（{indirect:.2f}，{low:.2f} 至 {high:.2f}）；除此之外看不出直接效应（{direct:.2f}，{direct_low:.2f} 至 {direct_high:.2f}）。",
}
EXPLAINED = {
    "en": "The model explains {r2:.0%} ({low:.0%} to {high:.0%}) of the differences in {target:in}; base {base:,}.",
    "zh": "模型解释了“{target}”差异的 {r2:.0%}（{low:.0%} 至 {high:.0%}）；样本量 {base:,}。",
}
NO_INTERVALS = {
    "en": "{source:cap} has the largest total effect on {target:in}: {effect:.2f}. No intervals were asked for.",
    "zh": "对“{target}”总效应估计值最大的是“{source}”：{effect:.2f}。本次未计算区间。",
}
UNCLEAR = {
    "en": "{count} of {all} paths cannot be told apart from zero: {paths}.",
    "zh": "{all} 条路径中有 {count} 条与零无显著差异：{paths}。",
}
MODERATED = {
    "en": "The path from {source:in} to {target:in} changes by {change:+.2f} ({low:+.2f} to {high:+.2f}) per standard deviation of {moderator:in}.",
    "zh": "“{moderator}”每高一个标准差，“{source}”到“{target}”的路径变化 {change:+.2f}（{low:+.2f} 至 {high:+.2f}）。",
}
NOTHING = {
    "en": "Effective base {effective:,.0f}: too few respondents to say what leads to {target:in}.",
    "zh": "有效样本量仅 {effective:,.0f}，不足以判断哪些因素影响{target}。",
}
METHODS = {
    "en": "A partial least squares path model ({kind}, {scheme}) with {constructs} constructs and {items} indicators was estimated on the weighted "
    "correlations of {base:,} respondents; {b}.",
    "zh": "采用偏最小二乘路径模型（{kind}，{scheme}），含 {constructs} 个构念、{items} 个指标，基于 {base:,} 名受访者的加权相关矩阵估计；{b}。",
}
REPLICATED = {
    "en": "{b:,} Rao–Wu bootstrap replicates of the design gave the intervals",
    "zh": "区间来自 {b:,} 次 Rao–Wu 抽样设计重抽样",
}
NOT_REPLICATED = {"en": "no intervals were computed", "zh": "未计算区间"}
KIND_WORDS = {
    False: {"en": "composites", "zh": "复合构念"},
    True: {"en": "common factors, PLSc", "zh": "共同因子，PLSc"},
}
