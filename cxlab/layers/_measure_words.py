"""Words: how the measurement of constructs is noted and described."""

from __future__ import annotations

RELIABLE, ENOUGH = 0.70, 0.60  # reliability that a scale should have, and under which it is said plainly
LIMITS = ((0.85, "distinct .85"), (0.90, "distinct .90"), (1.0, "distinct 1"))  # of HTMT
WEAK = 0.40  # loading under which an indicator hardly belongs
INFLATED = 5.0  # VIF
HALF = 0.50  # AVE

UNRELIABLE = {
    "en": "{construct:cap}: reliability is below {limit:.2f} by at least one measure – alpha {alpha:.2f} ({low:.2f} to {high:.2f}), rho_A {rho_a:.2f}, "
    "rho_C {rho_c:.2f}. Its items hardly measure one thing; read paths from and to it with care.",
    "zh": "“{construct}”的信度不足，至少一项指标低于 {limit:.2f}：alpha {alpha:.2f}（{low:.2f} 至 {high:.2f}），rho_A {rho_a:.2f}，rho_C {rho_c:.2f}。其题目难以算作在测量同一件事，与之相连的路径须谨慎解读。",
}
UNRELIABLE_POINT = {
    "en": "{construct:cap}: reliability is below {limit:.2f} by at least one measure – alpha {alpha:.2f}, rho_A {rho_a:.2f}, rho_C {rho_c:.2f}. Its "
    "items hardly measure one thing; read paths from and to it with care.",
    "zh": "“{construct}”的信度不足，至少一项指标低于 {limit:.2f}：alpha {alpha:.2f}，rho_A {rho_a:.2f}，rho_C {rho_c:.2f}。其题目难以算作在测量同一件事，与之相连的路径须谨慎解读。",
}
RELIABLE_ALL = {
    "en": "Of {all} scales with several items, {count} reach {limit:.2f} in alpha, rho_A and rho_C alike.",
    "zh": "{all} 个多题量表中，有 {count} 个的 alpha、rho_A 与 rho_C 均达到 {limit:.2f}。",
}
ONE_CONSTRUCT = {
    "en": "Not shown to be two constructs: {pairs}. The upper limit of HTMT (one-sided, {level}) reaches 1.",
    "zh": "无法证明是两个不同构念：{pairs}；HTMT 的单侧 {level} 上限达到 1。",
}
NEAR = {
    "en": "Distinct, but close: {pairs}. The upper limit of HTMT (one-sided, {level}) lies between {limit:.2f} and 1.",
    "zh": "可以区分但十分接近：{pairs}；HTMT 的单侧 {level} 上限介于 {limit:.2f} 与 1 之间。",
}
APART = {
    "en": "All pairs of scales ({count}) are distinct: the largest upper limit of HTMT (one-sided, {level}) is {upper:.2f}, of {pair}.",
    "zh": "全部 {count} 对量表均可区分：HTMT 单侧 {level} 上限最大为 {upper:.2f}（{pair}）。",
}
WEAK_ITEMS = {
    "en": "Loadings under {limit:.2f}: {items}.",
    "zh": "载荷低于 {limit:.2f} 的指标：{items}。",
}
ELSEWHERE = {
    "en": "“{item}” goes with {other:in} ({cross:.2f}) more than with its own construct, {construct:in} ({own:.2f}).",
    "zh": "“{item}”与“{other}”的相关（{cross:.2f}）高于与所属构念“{construct}”的相关（{own:.2f}）。",
}
COLLINEAR = {
    "en": "Causes of {target:in} carry nearly the same information: VIF of {source:in} is {vif:.1f} (limit {limit:.0f}).",
    "zh": "“{target}”的成因信息高度重叠：“{source}”的 VIF 为 {vif:.1f}（界限 {limit:.0f}）。",
}
NOTHING = {
    "en": "Effective base {effective:,.0f}: too few respondents to judge the measurement.",
    "zh": "有效样本量仅 {effective:,.0f}，不足以评价测量质量。",
}
NO_INTERVALS = {
    "en": "No replicates were asked for: reliability and HTMT have no intervals, and no pair of constructs is judged.",
    "zh": "未进行重抽样：信度与 HTMT 没有区间，因此不判断构念能否区分。",
}
METHODS = {
    "en": "Reliability is given as Cronbach's alpha of standardised answers, Dijkstra and Henseler's rho_A and Jöreskog's rho_C; convergence as average "
    "variance extracted; distinctness as HTMT and HTMT2 on {base:,} respondents, read against one-sided {level} upper limits from {count:,} replicates of "
    "the design.",
    "zh": "信度报告标准化答案的 Cronbach alpha、Dijkstra–Henseler rho_A 与 Jöreskog rho_C；收敛效度报告平均方差抽取量；区分效度报告 HTMT 与 HTMT2，样本量 {base:,}，以 {count:,} 次抽样设计重抽样得到的单侧 {level} 上限判断。",
}

# ------------------------------------------------------------------------------ notes
ALPHA = {
    "en": "alpha is that of standardised answers; alpha_raw that of the answers on 0–100 as they are.",
    "zh": "alpha 基于标准化答案；alpha_raw 基于 0–100 原始答案。",
}
ONE_SIDED = {
    "en": "“Distinct at .85” and so on: the one-sided {level} upper limit of HTMT (column htmt_upper) lies below that value, so each such claim is wrong "
    "at most {error:.0%} of the time; the interval from htmt_low to htmt_high is two-sided.",
    "zh": "“可区分（.85）”等表示 HTMT 的单侧 {level} 上限（htmt_upper 列）低于该值，此类判断出错的概率不超过 {error:.0%}；htmt_low 至 htmt_high 为双侧区间。",
}
SIZES = {
    "en": "HTMT takes the sizes of correlations. Indicators that run against another of their construct: {items}.",
    "zh": "HTMT 取相关系数的绝对值。与同一构念中其他指标方向相反的指标：{items}。",
}
SINGLE = {
    "en": "Measured by one indicator, taken as free of error: {constructs}. Their reliability and HTMT are not defined.",
    "zh": "仅有一个指标、视为无测量误差：{constructs}。其信度与 HTMT 无定义。",
}
INDEX = {
    "en": "Formed by their indicators (mode B): {constructs}. These need not go together, so HTMT is not defined and alpha, rho_C and AVE say nothing of "
    "quality; read weights and VIF.",
    "zh": "由指标构成的构念（模式 B）：{constructs}。其指标不必相互一致，HTMT 无定义，alpha、rho_C 与 AVE 也不说明质量；请看权重与 VIF。",
}
UNRELIABLE_NOTE = {
    "en": "Reliability below {limit:.2f}: {constructs}.",
    "zh": "信度低于 {limit:.2f}：{constructs}。",
}
CORRECTED = {
    "en": "Loadings and correlations of common factors are corrected for reliability (PLSc); cross-loadings, the Fornell–Larcker matrix and VIF are of scores.",
    "zh": "共同因子的载荷与相关已按信度校正（PLSc）；交叉载荷、Fornell–Larcker 矩阵与 VIF 基于得分。",
}
PRODUCTS = {
    "en": "Products of constructs are not measured and do not appear, except among the causes of VIF.",
    "zh": "构念的乘积项不涉及测量，除 VIF 的成因外不列出。",
}
VERDICTS = {
    "distinct .85": {"en": "distinct at .85", "zh": "可区分（.85）"},
    "distinct .90": {"en": "distinct at .90", "zh": "可区分（.90）"},
    "distinct 1": {"en": "distinct at 1", "zh": "可区分（1）"},
    "not distinct": {"en": "not distinct", "zh": "无法区分"},
    "single item": {"en": "not defined: one indicator", "zh": "无定义：单一指标"},
    "index": {"en": "not defined: mode B", "zh": "无定义：模式 B"},
    "not tested": {"en": "not tested", "zh": "未检验"},
}
TITLES = {
    "discriminant": {"en": "Are the constructs distinct?", "zh": "构念能否区分"},
    "loadings": {"en": "Loadings of the indicators", "zh": "指标载荷"},
    "cross_loadings": {"en": "Correlations of indicators with all constructs", "zh": "指标与各构念的相关（交叉载荷）"},
    "fornell_larcker": {
        "en": "Fornell–Larcker: √AVE and correlations of scores",
        "zh": "Fornell–Larcker：√AVE 与得分相关",
    },
    "vif": {"en": "Collinearity of causes", "zh": "成因的共线性"},
}
HEADINGS = {
    "indicators": {"en": "Indicators", "zh": "指标数"},
    "alpha": {"en": "alpha", "zh": "alpha"}, "alpha_low": {"en": "alpha low", "zh": "alpha 下限"},
    "alpha_high": {"en": "alpha high", "zh": "alpha 上限"}, "alpha_raw": {"en": "alpha raw", "zh": "原始 alpha"},
    "alpha_raw_low": {"en": "alpha raw low", "zh": "原始 alpha 下限"},
    "alpha_raw_high": {"en": "alpha raw high", "zh": "原始 alpha 上限"},
    "rho_a": {"en": "rho_A", "zh": "rho_A"}, "rho_a_low": {"en": "rho_A low", "zh": "rho_A 下限"},
    "rho_a_high": {"en": "rho_A high", "zh": "rho_A 上限"}, "rho_c": {"en": "rho_C", "zh": "rho_C"},
    "rho_c_low": {"en": "rho_C low", "zh": "rho_C 下限"}, "rho_c_high": {"en": "rho_C high", "zh": "rho_C 上限"},
    "ave": {"en": "AVE", "zh": "AVE"}, "ave_low": {"en": "AVE low", "zh": "AVE 下限"},
    "ave_high": {"en": "AVE high", "zh": "AVE 上限"},
    "other": {"en": "Other construct", "zh": "另一构念"},
    "htmt": {"en": "HTMT", "zh": "HTMT"}, "htmt_low": {"en": "HTMT low", "zh": "HTMT 下限"},
    "htmt_high": {"en": "HTMT high", "zh": "HTMT 上限"},
    "htmt_upper": {"en": "HTMT upper (one-sided)", "zh": "HTMT 单侧上限"},
    "htmt2": {"en": "HTMT2", "zh": "HTMT2"}, "htmt2_low": {"en": "HTMT2 low", "zh": "HTMT2 下限"},
    "htmt2_high": {"en": "HTMT2 high", "zh": "HTMT2 上限"},
    "htmt2_upper": {"en": "HTMT2 upper (one-sided)", "zh": "HTMT2 单侧上限"},
    "verdict": {"en": "HTMT says", "zh": "HTMT 判断"}, "verdict2": {"en": "HTMT2 says", "zh": "HTMT2 判断"},
    "correlation": {"en": "Correlation", "zh": "相关"},
    "correlation_low": {"en": "Correlation low", "zh": "相关下限"},
    "correlation_high": {"en": "Correlation high", "zh": "相关上限"},
    "fornell_larcker": {"en": "Fornell–Larcker met", "zh": "满足 Fornell–Larcker"},
    "cross": {"en": "Largest cross-loading", "zh": "最大交叉载荷"}, "vif": {"en": "VIF", "zh": "VIF"},
    "vif_corrected": {"en": "VIF, corrected", "zh": "VIF（校正后）"},
}  # fmt: skip
PAIR = {
    "en": "{first} – {second} ({htmt:.2f}, limit {upper:.2f})",
    "zh": "{first}–{second}（{htmt:.2f}，上限 {upper:.2f}）",
}
ITEM = {"en": "{item} ({loading:.2f})", "zh": "{item}（{loading:.2f}）"}
PICTURE = {
    "loadings": {"en": "Loadings", "zh": "载荷"},
    "reliability": {"en": "Reliability", "zh": "信度"},
    "single": {"en": "one indicator", "zh": "单一指标"},
    "index": {"en": "mode B: no reliability", "zh": "模式 B：无信度"},
    "weight": {"en": "indicator of mode B", "zh": "模式 B 指标"},
    "interval": {"en": "{level} interval", "zh": "{level} 区间"},
    "title": {"en": "How well the constructs are measured", "zh": "构念的测量质量"},
    "htmt": {"en": "Are the constructs distinct? HTMT", "zh": "构念能否区分？HTMT"},
    "upper": {"en": "one-sided {level} upper limit", "zh": "单侧 {level} 上限"},
    "second": {"en": "HTMT2", "zh": "HTMT2"},
}
