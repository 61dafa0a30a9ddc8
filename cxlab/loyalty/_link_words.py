"""Wording of a loyalty link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FOUND = {
    "points": {
        "en": "{who}Below {threshold:g} ({low:g} to {high:g}) of “{satisfaction}” a point more goes with {below:+.2f} "
        "({below_low:+.2f} to {below_high:+.2f}) of “{loyalty}”, above with {above:+.2f} ({above_low:+.2f} to "
        "{above_high:+.2f}); a straight line does not describe it ({p:p}).",
        "zh": "{who}“{satisfaction}”以 {threshold:g} 分（{low:g} 至 {high:g}）为拐点：低于拐点时每提高 1 分，“{loyalty}”相应变化 "
        "{below:+.2f}（{below_low:+.2f} 至 {below_high:+.2f}）；高于拐点时变化 {above:+.2f}（{above_low:+.2f} 至 "
        "{above_high:+.2f}）；一条直线不足以描述二者关系（{p:p}）。",
    },
    "share": {
        "en": "{who}Below {threshold:g} ({low:g} to {high:g}) of “{satisfaction}” a point more goes with {below:pp} percentage points "
        "({below_low:pp} to {below_high:pp}) of “{loyalty}”, above with {above:pp} ({above_low:pp} to {above_high:pp}); one slope does "
        "not describe it ({p:p}).",
        "zh": "{who}“{satisfaction}”以 {threshold:g} 分（{low:g} 至 {high:g}）为拐点：低于拐点时每提高 1 分，“{loyalty}”的比例相应变化 "
        "{below:pp} 个百分点（{below_low:pp} 至 {below_high:pp}）；高于拐点时变化 {above:pp} 个百分点（{above_low:pp} 至 "
        "{above_high:pp}）；单一斜率不足以描述二者关系（{p:p}）。",
    },
}
NONE = {
    "points": {
        "en": "{who}No threshold can be told: a straight line describes “{loyalty}” as well ({p:p}). A point more of "
        "“{satisfaction}” goes with {slope:+.2f} ({low:+.2f} to {high:+.2f}); a change of slope by {findable:.2f} would have been "
        "found four times in five.",
        "zh": "{who}看不出拐点：一条直线同样能描述“{loyalty}”（{p:p}）。“{satisfaction}”每提高 1 分，相应变化 {slope:+.2f}"
        "（{low:+.2f} 至 {high:+.2f}）；若斜率变化达到 {findable:.2f}，本次调查有八成把握能够发现。",
    },
    "share": {
        "en": "{who}No threshold can be told: one slope describes “{loyalty}” as well ({p:p}). A point more of “{satisfaction}” "
        "goes with {slope:pp} percentage points ({low:pp} to {high:pp}); a change by {findable:pt} percentage points per point would have "
        "been found four times in five.",
        "zh": "{who}看不出拐点：单一斜率同样能描述“{loyalty}”（{p:p}）。“{satisfaction}”每提高 1 分，其比例相应变化 {slope:pp} 个百分点"
        "（{low:pp} 至 {high:pp}）；若每分的变化幅度相差 {findable:pt} 个百分点，本次调查有八成把握能够发现。",
    },
}
SMALL = {
    "en": "{who}{base:,} respondents are too few, or answer too much alike, to look for a threshold.",
    "zh": "{who}仅 {base:,} 名受访者，样本过少或回答过于集中，无法检验拐点。",
}
ZONES = {
    "mean": {
        "en": "{defection:.0%} of customers are in the zone of defection (“{satisfaction}” under {first:g}), {indifference:.0%} in that of "
        "indifference, {affection:.0%} in that of affection ({second:g} and over); “{loyalty}” averages {loyal_defection:.2f}, "
        "{loyal_indifference:.2f} and {loyal_affection:.2f} there. With the cuts {step:g} lower affection holds {lower:.0%}, "
        "{step:g} higher {higher:.0%}.",
        "zh": "{defection:.0%} 的顾客处于背离区（“{satisfaction}”低于 {first:g} 分），{indifference:.0%} 处于无差异区，{affection:.0%} 处于依恋区"
        "（{second:g} 分及以上）；三区的“{loyalty}”均值依次为 {loyal_defection:.2f}、{loyal_indifference:.2f}、"
        "{loyal_affection:.2f}。分界下移 {step:g} 分，依恋区占 {lower:.0%}；上移 {step:g} 分，占 {higher:.0%}。",
    },
    "share": {
        "en": "{defection:.0%} of customers are in the zone of defection (“{satisfaction}” under {first:g}), {indifference:.0%} in that of "
        "indifference, {affection:.0%} in that of affection ({second:g} and over); the share of “{loyalty}” is {loyal_defection:.0%}, "
        "{loyal_indifference:.0%} and {loyal_affection:.0%} there. With the cuts {step:g} lower affection holds {lower:.0%}, "
        "{step:g} higher {higher:.0%}.",
        "zh": "{defection:.0%} 的顾客处于背离区（“{satisfaction}”低于 {first:g} 分），{indifference:.0%} 处于无差异区，{affection:.0%} 处于依恋区"
        "（{second:g} 分及以上）；三区的“{loyalty}”比例依次为 {loyal_defection:.0%}、{loyal_indifference:.0%}、"
        "{loyal_affection:.0%}。分界下移 {step:g} 分，依恋区占 {lower:.0%}；上移 {step:g} 分，占 {higher:.0%}。",
    },
}
GROUP_ZONES = {
    "mean": {
        "en": "{who}{defection:.0%} in the zone of defection, {indifference:.0%} in that of indifference, {affection:.0%} in that of affection; "
        "“{loyalty}” averages {loyal_defection:.2f}, {loyal_indifference:.2f} and {loyal_affection:.2f} there.",
        "zh": "{who}背离区占 {defection:.0%}，无差异区占 {indifference:.0%}，依恋区占 {affection:.0%}；三区的“{loyalty}”均值依次为 "
        "{loyal_defection:.2f}、{loyal_indifference:.2f}、{loyal_affection:.2f}。",
    },
    "share": {
        "en": "{who}{defection:.0%} in the zone of defection, {indifference:.0%} in that of indifference, {affection:.0%} in that of affection; "
        "the share of “{loyalty}” is {loyal_defection:.0%}, {loyal_indifference:.0%} and {loyal_affection:.0%} there.",
        "zh": "{who}背离区占 {defection:.0%}，无差异区占 {indifference:.0%}，依恋区占 {affection:.0%}；三区的“{loyalty}”比例依次为 "
        "{loyal_defection:.0%}、{loyal_indifference:.0%}、{loyal_affection:.0%}。",
    },
    "small": {
        "en": "{who}{defection:.0%} in the zone of defection, {indifference:.0%} in that of indifference, {affection:.0%} in that of affection.",
        "zh": "{who}背离区占 {defection:.0%}，无差异区占 {indifference:.0%}，依恋区占 {affection:.0%}。",
    },
}
ALIKE = {
    "en": "No difference between the slopes of the groups can be told (all equal: {p:p}).",
    "zh": "各群体的斜率看不出差异（斜率全部相等的检验：{p:p}）。",
}
STEEPER = {
    "points": {
        "en": "A point more of satisfaction goes with {gap:.2f} ({low:.2f} to {high:.2f}) more loyalty in {steeper} than in {flatter} ({p:p}).",
        "zh": "满意度每提高 1 分，{steeper}的忠诚度增幅比{flatter}多 {gap:.2f}（{low:.2f} 至 {high:.2f}；{p:p}）。",
    },
    "share": {
        "en": "Loyalty hangs more on satisfaction in {steeper} than in {flatter}: a point more goes with {here:pp} percentage points "
        "there, with {there:pp} here (slopes of the log-odds: {p:p}).",
        "zh": "与{flatter}相比，{steeper}的忠诚更取决于满意度：每提高 1 分，{steeper}相应变化 {here:pp} 个百分点，{flatter}为 {there:pp} 个百分点"
        "（对数优势的斜率比较：{p:p}）。",
    },
}
HIGHER = {
    "en": "The threshold of {higher} lies {gap:.2g} ({low:.2g} to {high:.2g}) above that of {lower} ({p:p}).",
    "zh": "{higher}的拐点比{lower}高 {gap:.2g} 分（{low:.2g} 至 {high:.2g}；{p:p}）。",
}
ONE_PLACE = {
    "en": "Whether the thresholds of {one} and {other} differ cannot be told (difference {gap:+.2g}, {low:+.2g} to {high:+.2g}; {p:p}).",
    "zh": "{one}与{other}的拐点是否不同尚无法判断（相差 {gap:+.2g} 分，{low:+.2g} 至 {high:+.2g}；{p:p}）。",
}
SAME_PLACE = {
    "en": "Whether the thresholds of the groups differ cannot be told (one for all: {p:p}).",
    "zh": "各群体的拐点是否不同尚无法判断（拐点全部相同的检验：{p:p}）。",
}
LOGIT = {
    "en": "The outcome is 0 or 1: means are shares; slopes in the tables are log-odds per point, effects the average difference of the share "
    "per point over those who are there.",
    "zh": "结果变量为 0/1：均值即比例；表中的斜率为每 1 分的对数优势变化，效应为相应受访者每 1 分的比例平均变化。",
}
HOLM = {
    "en": "p-values of the {many} threshold tests are adjusted by Holm's method.",
    "zh": "{many} 项拐点检验的 p 值已按 Holm 方法校正。",
}
EQUAL = {
    "en": "Test that the straight lines of all groups are equally steep: {p:p}.",
    "zh": "各群体直线斜率相等的联合检验：{p:p}。",
}
EQUAL_PLACES = {
    "en": "Test of one threshold for all groups that have one: {p:p}; differences adjusted by Holm: {many}. Groups without a threshold are not in it.",
    "zh": "各群体拐点相同的联合检验：{p:p}；经 Holm 法校正的两两比较数：{many}。未检出拐点的群体不参与比较。",
}
AJAR = {
    "en": "Differences of thresholds whose interval reaches the end of the knots tried, and may go on beyond: {ajar}.",
    "zh": "区间触及所试范围边界、实际可能更宽的拐点差异数：{ajar}。",
}
EQUAL_ZONES = {
    "en": "Test that the zones have the same shares in all groups: {p:p} (Rao–Scott).",
    "zh": "各群体三区占比相同的检验：{p:p}（Rao–Scott）。",
}
FEW = {
    "en": "Groups with fewer than 60 respondents or five answers, or without variation, where no threshold is looked for: {few}.",
    "zh": "因受访者不足 60 人、答案不足 5 种或没有差异而未作拐点检验的群体数：{few}。",
}
OPEN = {
    "en": "Thresholds whose interval reaches the end of the knots tried, and may go on beyond: {opened}.",
    "zh": "区间触及所试范围边界、实际可能更宽的拐点数：{opened}。",
}
CEILING = {
    "en": "Above the threshold many give the highest answer there is: the flatter line may be the ceiling of the scale.",
    "zh": "拐点以上有许多受访者给出了最高分：斜率变缓可能是量表的天花板效应。",
}
BINNED = {
    "en": "Satisfaction has more than 21 different answers: the curve shows ten bins, the lines use the answers themselves.",
    "zh": "满意度的取值超过 21 种：曲线按十个等宽区间展示，直线拟合仍用原始取值。",
}
NO_SCALE = {
    "en": "The scale of satisfaction is not declared; the zones are cut on the answers that occur.",
    "zh": "未声明满意度的量表范围；分区按实际出现的答案划定。",
}
NOT_CAUSE = {
    "en": "The lines compare customers who differ in satisfaction; they do not show what raising it would do.",
    "zh": "以上比较的是满意度不同的顾客，并不说明提高满意度会带来多大变化。",
}
METHODS = {
    "line": {
        "en": "Segmented linear regression on a grid of knots (Hansen 2017); sup-Wald test with a design-based multivariate t null distribution; {level} "
        "interval of the knot from draws of the criterion of all knots with their design covariance. The smooth curve is a monotone quadratic spline (I-splines, Ramsay 1988) by non-negative least squares.",
        "zh": "在拐点网格上作分段线性回归（Hansen 2017）；采用上确界 Wald 检验，零分布取自基于抽样设计的多元 t 分布；拐点的 {level} 区间由"
        "各候选拐点拟合准则的联合抽样分布得到。平滑曲线为单调二次样条（I 样条，Ramsay 1988），以非负最小二乘拟合。",
    },
    "binary": {
        "en": "Segmented logistic regression on a grid of knots (Hansen 2017); sup-Wald test with a design-based multivariate t null distribution; {level} "
        "interval of the knot from draws of the criterion of all knots with their design covariance. The smooth curve is a monotone quadratic spline (I-splines, Ramsay 1988) by non-negative least squares.",
        "zh": "在拐点网格上作分段逻辑回归（Hansen 2017）；采用上确界 Wald 检验，零分布取自基于抽样设计的多元 t 分布；拐点的 {level} 区间由"
        "各候选拐点拟合准则的联合抽样分布得到。平滑曲线为单调二次样条（I 样条，Ramsay 1988），以非负最小二乘拟合。",
    },
}  # fmt: skip
TITLES = {
    "threshold": {"en": "Threshold", "zh": "拐点"},
    "zones": {"en": "Zones", "zh": "满意度分区"},
    "threshold_differences": {"en": "Thresholds of groups against each other", "zh": "群体间拐点比较"},
    "differences": {"en": "Slopes of groups against each other", "zh": "群体间斜率比较"},
}
_SIDES = {"slope_below": ("Slope below", "拐点以下斜率"), "slope_above": ("Slope above", "拐点以上斜率"),
          "bend": ("Change of slope", "斜率变化"), "slope": ("Slope of one line", "单一直线斜率"),
          "effect_below": ("Effect below", "拐点以下效应"), "effect_above": ("Effect above", "拐点以上效应"),
          "effect": ("Effect of one line", "单一直线效应")}  # fmt: skip
HEADINGS: dict[Any, Mapping[str, str]] = {
    "point": {"en": "Satisfaction", "zh": "满意度"}, "smooth": {"en": "Smooth", "zh": "平滑值"},
    "smooth_low": {"en": "Smooth low", "zh": "平滑值下限"}, "smooth_high": {"en": "Smooth high", "zh": "平滑值上限"},
    "statistic": {"en": "Largest Wald", "zh": "最大 Wald 值"}, "threshold": {"en": "Threshold", "zh": "拐点"},
    "low_open": {"en": "Open below", "zh": "下限未封闭"}, "high_open": {"en": "Open above", "zh": "上限未封闭"},
    "findable": {"en": "Findable change", "zh": "可检出的变化"}, "findable_effect": {"en": "Findable change of effect", "zh": "可检出的效应变化"}, "intercept": {"en": "Intercept", "zh": "截距"},
    "knots": {"en": "Knots tried", "zh": "试验的拐点数"}, "shift": {"en": "Cuts moved by", "zh": "分界移动"},
    "zone": {"en": "Zone", "zh": "分区"}, "other": {"en": "Against", "zh": "对比群体"},
    ("zone", "defection"): {"en": "defection", "zh": "背离区"},
    ("zone", "indifference"): {"en": "indifference", "zh": "无差异区"},
    ("zone", "affection"): {"en": "affection", "zh": "依恋区"},
    **{name: {"en": en, "zh": zh} for name, (en, zh) in _SIDES.items()},
    **{f"{name}_low": {"en": f"{en}, low", "zh": f"{zh}下限"} for name, (en, zh) in _SIDES.items()},
    **{f"{name}_high": {"en": f"{en}, high", "zh": f"{zh}上限"} for name, (en, zh) in _SIDES.items()},
}  # fmt: skip
HEADLINE = {
    "more": {
        "en": "From {threshold:.4g} ({low:.4g} to {high:.4g}) on, a point of {satisfaction:in} goes with a larger change of {loyalty:in}",
        "zh": "“{satisfaction}”达到 {threshold:.4g} 分（{low:.4g} 至 {high:.4g}）以后，每 1 分对应的“{loyalty}”变化更大",
    },
    "less": {
        "en": "From {threshold:.4g} ({low:.4g} to {high:.4g}) on, a point of {satisfaction:in} goes with a smaller change of {loyalty:in}",
        "zh": "“{satisfaction}”达到 {threshold:.4g} 分（{low:.4g} 至 {high:.4g}）以后，每 1 分对应的“{loyalty}”变化变小",
    },
    "none": {
        "en": "No threshold can be told in how {loyalty:in} goes with {satisfaction:in}",
        "zh": "“{loyalty}”随“{satisfaction}”的变化看不出拐点",
    },
    "some": {
        "en": "Threshold of {satisfaction:in} for {loyalty:in} in {found} of {groups} groups: {listed}",
        "zh": "{groups} 个群体中有 {found} 个在“{satisfaction}”与“{loyalty}”之间出现拐点：{listed}",
    },
    "none_of": {
        "en": "No threshold of {satisfaction:in} for {loyalty:in} can be told in any of {groups} groups",
        "zh": "{groups} 个群体在“{satisfaction}”与“{loyalty}”之间均看不出拐点",
    },
}
