"""Wording of the 360 tab."""

from __future__ import annotations

TITLE = {"en": "360", "zh": "360 模型"}
CONTROLS = {
    "by": {"en": "Side by side", "zh": "分组对比"},
    "show": {"en": "Show", "zh": "显示"},
    "target": {"en": "Towards", "zh": "目标构念"},
    "points": {"en": "In the map", "zh": "重要性图中显示"},
    "method": {"en": "Constructs are", "zh": "构念类型"},
}
EVERYBODY = {"en": "nobody (all together)", "zh": "不分组（合并）"}
SHOW = {
    "diagram": {"en": "Path diagram", "zh": "路径图"},
    "paths": {"en": "Paths with intervals", "zh": "路径系数与区间"},
    "effects": {"en": "Total effects", "zh": "总效应"},
    "map": {"en": "Importance and performance", "zh": "重要性—表现图"},
}
POINTS = {"constructs": {"en": "constructs", "zh": "构念"}, "items": {"en": "indicators", "zh": "指标"}}
METHOD = {
    "pls": {"en": "composites (PLS)", "zh": "复合构念（PLS）"},
    "plsc": {"en": "common factors (PLSc)", "zh": "共同因子（PLSc）"},
}
LACKING = {
    "en": "The study declares neither layers nor a model, so there is nothing to lead from experience to behaviour. Add to study.yml: “layers:” with the "
    "items of each layer, such as “{{experience: [{first}], emotion: [{second}], behaviour: [{third}]}}”; or “model:” with lines such as “Trust =~ q1 + q2” and “Loyalty ~ Trust”.",
    "zh": "该研究既未声明 layers（体验、情感、行为三层），也未声明 model（路径模型），无法分析体验如何影响行为。请在 study.yml 中添加 “layers:”，列出各层的题目，"
    "例如 “{{experience: [{first}], emotion: [{second}], behaviour: [{third}]}}”；或添加 “model:”，写法如 “Trust =~ q1 + q2”、“Loyalty ~ Trust”。",
}
UNREADABLE = {
    "en": "The study's model cannot be used: {fault}",
    "zh": "该研究的模型无法使用，请检查 study.yml 中的 model 或 layers。系统提示：{fault}",
}
MANY = {
    "en": "“{by}” has {count:,} groups among these respondents; up to {most} can stand side by side: choose fewer values above, or another segment.",
    "zh": "所选受访者中“{by}”有 {count:,} 组，最多可并列 {most} 组：请在上方减少取值，或改选其他分组。",
}
ONE = {
    "en": "These respondents have {count} value of “{by}”; two or more are needed side by side: choose more values above, or nobody under “Side by side”.",
    "zh": "所选受访者中“{by}”只有 {count} 个取值，至少需要两个才能对比：请在上方增加取值，或在“分组对比”中选择不分组。",
}
PRODUCTS = {
    "en": "The model has products of constructs: what one point brings depends on the moderator, so there is no map of importance. Choose another picture.",
    "zh": "模型含有构念的乘积项：每 1 分的作用取决于调节变量，因此没有重要性—表现图。请选择其他图形。",
}

# ---------------------------------------------------------------- titles
STRONGEST = {
    "en": "The largest total effect on {target:in} is that of {source:in}: {value:.2f} ({low:.2f} to {high:.2f})",
    "zh": "对“{target}”总效应最大的是“{source}”：{value:.2f}（{low:.2f} 至 {high:.2f}）",
}
UNCLEAR = {
    "en": "No effect on {target:in} is told apart from zero; the largest is that of {source:in}: {value:.2f} ({low:.2f} to {high:.2f})",
    "zh": "各项对“{target}”的总效应均与零无显著差异；估计值最大的是“{source}”：{value:.2f}（{low:.2f} 至 {high:.2f}）",
}
APART = {
    "en": "The widest gap between groups of {by:in}: {source} → {target}, {first:.2f} ({who}) and {second:.2f} ({other})",
    "zh": "按“{by}”分组差距最大的路径：{source} → {target}，{who} {first:.2f}，{other} {second:.2f}",
}
APART_TOTAL = {
    "en": "The widest gap between groups of {by:in} in total effects on {target:in}: {source:in}, {first:.2f} ({who}) and {second:.2f} ({other})",
    "zh": "按“{by}”分组，对“{target}”总效应差距最大的是“{source}”：{who} {first:.2f}，{other} {second:.2f}",
}
ALIKE = {
    "en": "No path differs clearly between groups of {by:in} so far; the tests follow when nothing moves",
    "zh": "目前看不出按“{by}”分组的路径有明显差异；停止操作后给出检验结果",
}
ALIKE_TOTAL = {
    "en": "No total effect on {target:in} differs clearly between groups of {by:in} so far; the tests follow when nothing moves",
    "zh": "目前看不出按“{by}”分组对“{target}”的总效应有明显差异；停止操作后给出检验结果",
}
TOO_FEW = {
    "en": "{base:,} of these respondents answered all {count} items of the model; at least {least} are needed: choose more waves or values above.",
    "zh": "所选受访者中有 {base:,} 名回答了模型的全部 {count} 个题目，至少需要 {least} 名：请在上方增加期次或取值。",
}
SMALL = {
    "en": "Effective base {effective:,.0f}: too few respondents to show what leads to {target:in}",
    "zh": "有效样本量仅 {effective:,.0f}，不足以显示哪些因素影响“{target}”",
}
GAIN = {
    "en": "Largest potential gain for {target:in}: {name:in}, {gain:+.1f} points if it rose to 100",
    "zh": "对“{target}”潜在提升最大的是“{name}”：若升至满分对应 {gain:+.1f} 分",
}
GAIN_OPEN = {
    "en": "Largest potential gain for {target:in}: {name:in}, {gain:+.1f} points if it rose to 100; not clearly ahead of {count} more",
    "zh": "对“{target}”潜在提升最大的是“{name}”：若升至满分对应 {gain:+.1f} 分；与另外 {count} 项相比领先不明显",
}
GAIN_GROUPS = {
    "en": "Largest potential gain for {target:in} by {by:in}: {listed}",
    "zh": "按“{by}”分组，对“{target}”潜在提升最大的项目：{listed}",
}

# ---------------------------------------------------------------- on the picture
EFFECT = {"en": "{value:.2f} ({low:.2f} to {high:.2f})", "zh": "{value:.2f}（{low:.2f} 至 {high:.2f}）"}
LOW = {"en": "{text}, low base", "zh": "{text}，样本偏少"}
FEW = {"en": "base {base:,}: too small", "zh": "样本量 {base:,}，不足"}
NO_MODEL = {"en": "base {base:,}: no solution", "zh": "样本量 {base:,}，模型无解"}
NODE = {"en": "{index}{r2}", "zh": "{index}{r2}"}
INDEX = {"en": "index {v:.0f}", "zh": "指数 {v:.0f}"}
R2 = {"en": "R² {v:.2f}", "zh": "R² {v:.2f}"}
WHO = {"en": "{who}: {name}", "zh": "{who}：{name}"}
KINDS = {
    "total": {"en": "total", "zh": "总效应"},
    "direct": {"en": "direct", "zh": "直接"},
    "indirect": {"en": "indirect", "zh": "间接"},
}
AXIS_PATHS = {"en": "Standardised path, 95 % interval", "zh": "标准化路径系数与 95% 区间"}
AXIS_EFFECTS = {"en": "Standardised effect on {target:in}, 95 % interval", "zh": "对“{target}”的标准化效应与 95% 区间"}
AXIS_IMPORTANCE = {
    "en": "Importance: points of {target:in} for +10 points",
    "zh": "重要性：每提高 10 分，“{target}”的相应变化（分）",
}
AXIS_PERFORMANCE = {"en": "Performance: mean, 0–100", "zh": "表现：均值（0–100）"}
CORNERS = {
    "en": ("act first", "keep up", "leave for now", "nothing to add"),
    "zh": ("优先改进", "继续保持", "暂缓", "无须加强"),
}
TIP = {
    "en": "{name}\nfor +10 points: {importance:.2f} ({importance_low:.2f} to {importance_high:.2f})\nperformance {performance:.0f} ({performance_low:.0f} to "
    "{performance_high:.0f})\ngain up to 100: {gain:+.1f} ({gain_low:+.1f} to {gain_high:+.1f})",
    "zh": "{name}\n每高 10 分：{importance:.2f}（{importance_low:.2f} 至 {importance_high:.2f}）\n表现 {performance:.0f}（{performance_low:.0f} 至 "
    "{performance_high:.0f}）\n升至满分的提升 {gain:+.1f}（{gain_low:+.1f} 至 {gain_high:+.1f}）",
}

# ---------------------------------------------------------------- notes
LIVE = {
    "en": "Intervals while moving: jackknife over {groups} groups.",
    "zh": "浏览中的区间：{groups} 组刀切法。",
}
LIVE_GROUPS = {
    "en": "Intervals while moving: jackknife over {groups} groups; whether groups differ is tested when the hand rests.",
    "zh": "浏览中的区间：{groups} 组刀切法；停手后再检验各组差异。",
}
SETTLED = {
    "en": "Intervals: {replicates:,} replicates of the design.",
    "zh": "区间：{replicates:,} 次抽样设计重抽样。",
}
FEWER = {
    "en": "With {rows:,} respondents only {replicates:,} replicates are drawn here, and none are permuted.",
    "zh": "受访者达 {rows:,} 名，此处只抽取 {replicates:,} 次重复样本，且不作置换检验。",
}
FADED = {
    "en": "Pale arrows cannot be told apart from zero.",
    "zh": "浅色箭头与零无显著差异。",
}
STACKED = {
    "en": "Groups stand beneath one another.",
    "zh": "各组自上而下排列。",
}
TOGETHER = {
    "en": "The diagram shows all groups of {by:in} together; “Paths with intervals” has them side by side.",
    "zh": "路径图为“{by}”各组合并的结果；分组结果请看“路径系数与区间”。",
}
POOLED = {
    "en": "Importance is that of all respondents, performance that of each group.",
    "zh": "重要性取自全体受访者，表现取自各组。",
}
CUTS = {
    "en": "Dashed: mean importance, and mean performance weighted by importance.",
    "zh": "虚线：平均重要性，以及按重要性加权的平均表现。",
}
ASIDE = {
    "en": "Set aside, as more than 20 % have not experienced it or were not asked: {items}.",
    "zh": "超过 20% 的受访者未体验或未被问及，未纳入模型：{items}。",
}
ASSUMED = {"en": "The arrows are assumed, not shown.", "zh": "箭头方向为模型假设，并非数据所证明。"}
