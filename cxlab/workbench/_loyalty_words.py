"""Wording of the loyalty tab."""

from __future__ import annotations

TITLE = {"en": "Loyalty", "zh": "忠诚度"}
CONTROLS = {
    "satisfaction": {"en": "Satisfaction", "zh": "满意度指标"},
    "loyalty": {"en": "Loyalty", "zh": "忠诚度指标"},
    "by": {"en": "Side by side", "zh": "分组对比"},
    "show": {"en": "Show", "zh": "显示"},
}
EVERYBODY = {"en": "nobody (all together)", "zh": "不分组（合并）"}
SHOW = {
    "link": {"en": "Curve with threshold", "zh": "关系曲线与拐点"},
    "map": {"en": "Loyalists, hostages, mercenaries, defectors", "zh": "四类顾客：忠诚、囚徒、图利、背离"},
}
LACKING = {
    "en": "The study declares {count} of the two outcomes that a link needs: satisfaction, and what it is to lead to. Add to study.yml: “outcomes:” with two items, such "
    "as “{{satisfaction: q1, recommend: q2}}”; or “renewal: renewed”, a column of 0 and 1 that says who came again.",
    "zh": "分析满意度与忠诚度的关系需要两个结果变量（满意度，以及它所带来的结果），该研究只声明了 {count} 个。请在 study.yml 中添加 “outcomes:”，写入两个题目，"
    "例如 “{{satisfaction: q1, recommend: q2}}”；或添加 “renewal: renewed”，即取值为 0 和 1、表示顾客是否续约的列。",
}
SAME = {
    "en": "“{name}” stands on both sides; choose another question under “Satisfaction” or “Loyalty”.",
    "zh": "“满意度指标”与“忠诚度指标”选择了同一题目（{name}），请更换其中之一。",
}
MANY = {
    "en": "“{by}” has {count:,} groups among these respondents; up to {most} can stand side by side: choose fewer values above, or another segment.",
    "zh": "所选受访者中“{by}”有 {count:,} 组，最多可并列 {most} 组：请在上方减少取值，或改选其他分组。",
}
ONE = {
    "en": "These respondents have {count} value of “{by}”; two or more are needed side by side: choose more values above, or nobody under “Side by side”.",
    "zh": "所选受访者中“{by}”只有 {count} 个取值，至少需要两个才能对比：请在上方增加取值，或在“分组对比”中选择不分组。",
}
FEW = {
    "en": "{base:,} of these respondents answered both questions; at least {least} are needed to look for a bend: choose more waves or values above. A behaviour that lies "
    "ahead of the last waves is not known yet.",
    "zh": "所选受访者中只有 {base:,} 名两题均有数据，至少需要 {least} 名才能检验拐点：请在上方增加期次或取值。最近几期的后续行为可能尚无记录。",
}
FEW_ANSWERS = {
    "en": "“{satisfaction}” has {count} different answers among these respondents; at least {least} are needed to tell a bend from a line: choose more above, or another question.",
    "zh": "所选受访者的“{satisfaction}”只有 {count} 种不同答案，至少需要 {least} 种才能区分拐点与直线：请在上方放宽条件，或更换题目。",
}
CONSTANT = {
    "en": "“{loyalty}” is {value:g} for all {base:,} of these respondents; there is nothing to explain: choose more above.",
    "zh": "所选 {base:,} 名受访者的“{loyalty}”均为 {value:g}，没有差异可供解释：请在上方放宽条件。",
}

# ---------------------------------------------------------------- titles
RISES = {
    "en": "{loyalty:cap} goes from {first} to {last} as {satisfaction:in} goes from {low:g} to {high:g}",
    "zh": "“{satisfaction}”由 {low:g} 升至 {high:g}，“{loyalty}”由 {first} 变为 {last}",
}
RISES_GROUPS = {
    "en": "{loyalty:cap} as {satisfaction:in} goes from {low:g} to {high:g}: {listed}",
    "zh": "“{satisfaction}”由 {low:g} 升至 {high:g} 时“{loyalty}”的变化：{listed}",
}
FROM_TO = {"en": "{who} {first} to {last}", "zh": "{who} {first} 至 {last}"}
SMALL = {
    "en": "Too few respondents gave any one answer of {satisfaction:in} to show {loyalty:in}",
    "zh": "“{satisfaction}”各分值的样本量均不足，无法显示“{loyalty}”",
}

# ---------------------------------------------------------------- on the picture
ZONE = {"en": "{zone:cap} {share:.0%}", "zh": "{zone} {share:.0%}"}
ZONE_ALONE = {"en": "{zone:cap}", "zh": "{zone}"}
ZONES = {
    "defection": {"en": "defection", "zh": "背离区"},
    "indifference": {"en": "indifference", "zh": "无差异区"},
    "affection": {"en": "affection", "zh": "依恋区"},
}
THRESHOLD = {"en": "threshold {at:.4g} ({low:.4g} to {high:.4g})", "zh": "拐点 {at:.4g}（{low:.4g} 至 {high:.4g}）"}
THRESHOLD_OF = {"en": "{who}: {at:.4g}", "zh": "{who}：{at:.4g}"}
OBSERVED = {"en": "observed, 95 % interval", "zh": "实际值与 95% 区间"}
PALE = {"en": "observed, low base", "zh": "实际值（样本偏少）"}
SMOOTH = {"en": "smooth curve", "zh": "平滑曲线"}
BENT = {"en": "bent line", "zh": "折线拟合"}
STRAIGHT = {"en": "straight line", "zh": "直线拟合"}
SLOPE = {"en": "one slope (logit)", "zh": "单一斜率（逻辑回归）"}
DOT = {"en": "{value} ({low} to {high}), base {base:,}", "zh": "{value}（{low} 至 {high}），样本量 {base:,}"}
SHARE_OF = {"en": "{item} (share)", "zh": "{item}（比例）"}
MEAN_OF = {"en": "{item} (mean)", "zh": "{item}（均值）"}
AXIS_TYPES = {"en": "Share of customers, 95 % interval", "zh": "顾客占比与 95% 区间"}
TYPE = {"en": "{name:cap}: {said}", "zh": "{name}：{said}"}
TYPE_SAID: dict[str, dict[str, str]] = {
    "loyalist": {"en": "satisfied and loyal", "zh": "满意且忠诚"},
    "hostage": {"en": "loyal, not satisfied", "zh": "不满意但忠诚"},
    "mercenary": {"en": "satisfied, not loyal", "zh": "满意但不忠诚"},
    "defector": {"en": "neither", "zh": "既不满意也不忠诚"},
}
INTERVAL = {"en": "{value:.0%} ({low:.0%} to {high:.0%})", "zh": "{value:.0%}（{low:.0%} 至 {high:.0%}）"}
LOW = {"en": "{text}, low base", "zh": "{text}，样本偏少"}
HIDDEN = {"en": "base {base:,}: too small", "zh": "样本量 {base:,}，不足"}

# ---------------------------------------------------------------- notes
LIVE = {
    "en": "Intervals while moving: jackknife over {groups} groups; a threshold is looked for when the hand rests.",
    "zh": "浏览中的区间：{groups} 组刀切法；停手后再检验拐点。",
}
SETTLED = {
    "en": "Intervals follow the sample design; that of the smooth curve {replicates:,} replicates.",
    "zh": "区间依据抽样设计计算；平滑曲线的区间来自 {replicates:,} 次重抽样。",
}
DESIGN = {"en": "Intervals follow the sample design.", "zh": "区间依据抽样设计计算。"}
CUTS = {
    "en": "Indifference begins at {first:g}, affection at {second:g}.",
    "zh": "无差异区自 {first:g} 分起，依恋区自 {second:g} 分起。",
}
TYPE_CUTS = {
    "en": "Satisfied: {satisfied}; loyal: {loyal}.",
    "zh": "满意的标准：{satisfied}；忠诚的标准：{loyal}。",
}
MASKED = {
    "en": "Answers with an effective base under 30 have no dot.",
    "zh": "有效样本量不足 30 的分值不显示。",
}
COARSE = {
    "en": "With {rows:,} respondents the threshold is looked for at the answers themselves, and {replicates} replicates are drawn.",
    "zh": "受访者达 {rows:,} 名，只在各分值处寻找拐点，并抽取 {replicates} 次重复样本。",
}
INTENTION = {
    "en": "This is what customers say. If study.yml names a column of what they did, such as “renewal: renewed”, it can be chosen here.",
    "zh": "这里反映的是顾客的意向。若在 study.yml 中声明实际行为的列，例如 “renewal: renewed”，即可在此选择。",
}
CODED = {
    "en": "“{item}” cannot be chosen here: renewals have to be written as 1 (came again) and 0. In study.yml, “derived:” can make such a column of {column}, and "
    "“renewal:” name it.",
    "zh": "“{item}”无法在此选择：续约须记为 1（续约）和 0（未续约）。可在 study.yml 的 “derived:” 中由 {column} 生成这样的列，再在 “renewal:” 中写入其列名。",
}
