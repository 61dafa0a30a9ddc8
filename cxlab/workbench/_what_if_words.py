"""Words of the what-if tab, in both languages."""

from __future__ import annotations

from cxlab.workbench._tab import Texts

TITLE: Texts = {"en": "What if", "zh": "情景推演"}
LABELS: dict[str, Texts] = {
    "move": {"en": "Everybody's rating, points up or down", "zh": "所有人的评分升降（分）"},
    "alone": {"en": "Other drivers", "zh": "其他因素"},
    "cost": {"en": "Cost of one point (may stay empty)", "zh": "每提高 1 分的成本（可留空）"},
    "best": {"en": "Best use of a budget", "zh": "预算最佳用法"},
    "budget": {"en": "Budget", "zh": "预算"},
    "target": {"en": "Best for", "zh": "优化目标"},
    "find": {"en": "Find the best set", "zh": "查找最佳组合"},
}
GROUPED: Texts = {"en": "{block:cap}: points up or down", "zh": "{block}：评分升降（分）"}
COST_OF: Texts = {"en": "Cost: {driver}", "zh": "成本：{driver}"}
LESS: Texts = {"en": "{driver} (less is better)", "zh": "{driver}（越低越好）"}
SHORT: dict[str, Texts] = {"recommend": {"en": "NPS", "zh": "净推荐值"}, "renewal": {"en": "renewals", "zh": "续约率"}}

# ---------------------------------------------------------------------- while nothing is moved
STILL: Texts = {
    "en": "Move a slider: what would be expected if everybody rated a touchpoint higher or lower?",
    "zh": "请移动滑块：若所有人对某个触点的评分提高或降低，预期会怎样？",
}
NOW_TITLE: Texts = {"en": "Now: {now}", "zh": "当前水平：{now}"}
NOW_HEADING: Texts = {"en": "{measure:cap}", "zh": "{measure}"}
NOW_RESULT: Texts = {"en": "What if: where things stand", "zh": "情景推演：当前水平"}
NOW_AXES: dict[str, Texts] = {
    "points": {"en": "mean, points of the scale", "zh": "平均分（量表分）"},
    "nps": {"en": "NPS, points", "zh": "净推荐值（点）"},
    "share": {"en": "share", "zh": "比例"},
}
WHO: dict[str, Texts] = {
    "all": {"en": "all valid answers", "zh": "全部有效回答"},
    "answered": {"en": "where the sliders start", "zh": "滑块的起点"},
}
WHO_BASE: Texts = {"en": "{who:cap} ({base:,})", "zh": "{who}（{base:,}）"}
NOW: Texts = {"en": "{measure} {before}", "zh": "{measure} {before}"}

# ---------------------------------------------------------------------- findings
FOUND: Texts = {"en": "Expected with {changes}: {found}", "zh": "若{changes}，预期：{found}"}
MANY: Texts = {"en": "{count} changed ratings", "zh": "{count} 项评分变动"}
STEP: Texts = {"en": "{measure:in} {before} → {after}", "zh": "{measure} {before} → {after}"}
UNSURE: Texts = {"en": "{measure:in} without a clear change", "zh": "{measure}无显著变化"}
HEADING: Texts = {"en": "{measure:cap}: {before} → {after}", "zh": "{measure}：{before} → {after}"}
HEADING_SMALL: Texts = {
    "en": "{measure:cap}: base too small (effective {effective:.0f})",
    "zh": "{measure}：样本不足（有效样本量 {effective:.0f}）",
}
HEADING_NONE: Texts = {
    "en": "{measure:cap}: no answers in this filter",
    "zh": "{measure}：当前筛选下没有数据",
}
TOGETHER: Texts = {"en": "Together", "zh": "合计"}
MARK: Texts = {"en": "{value} ({low} to {high})", "zh": "{value}（{low} 至 {high}）"}
HIDDEN: Texts = {"en": "base too small", "zh": "样本不足"}
AXES: dict[str, Texts] = {
    "points": {"en": "expected change, points of the scale", "zh": "预期变化（量表分）"},
    "nps": {"en": "expected change, points of NPS", "zh": "预期变化（净推荐值，点）"},
    "share": {"en": "expected change, percentage points", "zh": "预期变化（百分点）"},
}
PERCENT: Texts = {"en": " pp", "zh": " 个百分点"}
TIP: Texts = {
    "en": "{driver}: asked for {change:+g}, on average {effective:+.2f} within the scale; {effect} per point. Expected change {text}",
    "zh": "{driver}：设定 {change:+g} 分，受量表限制平均实际变动 {effective:+.2f} 分；每 1 分 {effect}。预期变化 {text}",
}
TIP_ALL: Texts = {
    "en": "Together: {before} → {after}. Expected change {text}",
    "zh": "合计：{before} → {after}。预期变化 {text}",
}
SUBTITLE: Texts = {
    "en": "{who} · linear model of {count} drivers · base: {bases}",
    "zh": "{who} · {count} 个因素的线性模型 · 样本量：{bases}",
}
SIZE: Texts = {"en": "{measure:in} {base:,}", "zh": "{measure} {base:,}"}

# ---------------------------------------------------------------------- under the picture
NOTES: dict[str, Texts] = {
    "answered": {
        "en": "Sliders start at those who answered all {count} drivers too; the others left at least one out.",
        "zh": "滑块的起点只含 {count} 个因素也全部作答的受访者；其余受访者至少缺答一项。",
    },
    "linear": {"en": "95% intervals: those of the survey's design.", "zh": "95% 区间：按抽样设计计算。"},
    "jackknife": {"en": "95% intervals: jackknife over {groups} groups.", "zh": "95% 区间：{groups} 组刀切法。"},
    "bootstrap": {
        "en": "95% intervals: {replicates:,} bootstrap replicates.",
        "zh": "95% 区间：{replicates:,} 次自助法重抽样。",
    },
    "association": {
        "en": "Expected under the linear model and its association, the other drivers staying as they are; not a proven cause.",
        "zh": "按线性模型及其关联推算，假定其他因素不变；并非已证明的因果效应。",
    },
    "axes": {
        "en": "Every outcome has an axis of its own: lengths compare within an outcome, not between them.",
        "zh": "各结果指标的坐标轴不同：长度只能在同一指标内比较。",
    },
    "most": {
        "en": "The {shown} largest of {count} contributions are drawn; all are in the table.",
        "zh": "仅绘出 {count} 项贡献中最大的 {shown} 项，全部见表格。",
    },
    "low": {
        "en": "Faint: effective base 30 to 74, read the intervals.",
        "zh": "浅色：有效样本量 30–74，请以区间为准。",
    },
}
COST: Texts = {
    "en": "Cost of these changes: {cost:,.10g}. For each {unit} of cost: {gains}.",
    "zh": "上述变动的成本：{cost:,.10g}。每{unit}成本对应：{gains}。",
}
UNIT: Texts = {"en": "unit", "zh": "单位"}
PER_UNIT: Texts = {"en": "Change per {unit:,.10g} of cost", "zh": "每 {unit:,.10g} 成本的变化"}
NO_WAVE: Texts = {
    "en": "No answers on {measure:in} in {waves}: what is said of it rests on the other waves, while the other outcomes use these too.",
    "zh": "{waves}尚无“{measure}”数据：相关数字仅基于其余各期，而其他结果指标也包含这些期次。",
}
WAVES: Texts = {"en": "{first} to {last}", "zh": "{first} 至 {last} "}
COUNT: Texts = {"en": "{count} waves", "zh": "{count} 期"}
IDLE: Texts = {
    "en": "Moved, but not part of this choice, as no cost is given: {drivers}.",
    "zh": "以下因素虽已调整，但未填成本，故未纳入选择：{drivers}。",
}
SOME_COST: Texts = {
    "en": "Cost so far: {cost:,.10g}. No cost is given for {drivers}; the change per unit of cost follows when all that moves has one.",
    "zh": "目前成本：{cost:,.10g}。以下因素未填成本：{drivers}；所有变动项均填写后，才给出每单位成本的变化。",
}
GAIN: Texts = {"en": "{measure:in} {text}", "zh": "{measure} {text}"}
BEYOND: Texts = {
    "en": "The straight line leads to {after} for {measure:in}, which can only lie between {low} and {high}: the changes are too large for this model.",
    "zh": "按直线推算，“{measure}”将达 {after}，超出 {low} 至 {high} 的可能范围：设定的变动过大，本模型不再适用。",
}
LEFT_OUT: dict[str, Texts] = {
    "satisfaction": {
        "en": "Satisfaction is left out: the study declares no outcome but recommendation. Declare it in study.yml: outcomes: {{satisfaction: q1}}.",
        "zh": "未推算满意度：研究文件只声明了推荐意愿。请在 study.yml 中声明：outcomes: {{satisfaction: q1}}。",
    },
    "recommend": {
        "en": "NPS is left out: the study declares no question on recommendation. Declare it in study.yml: outcomes: {{recommend: q2}}.",
        "zh": "未推算净推荐值：研究文件未声明推荐意愿题。请在 study.yml 中声明：outcomes: {{recommend: q2}}。",
    },
    "scale": {
        "en": "NPS is left out: {item:in} is not a single question on a scale of 0–10.",
        "zh": "未推算净推荐值：“{item}”不是 0–10 分量表的单个题目。",
    },
    "renewal": {
        "en": "Renewals are left out: the study does not say which column holds them. Declare it in study.yml: renewal: renewed.",
        "zh": "未推算续约率：研究文件未说明续约记录所在的列。请在 study.yml 中声明：renewal: renewed。",
    },
    "values": {
        "en": "Renewals are left out: {item:in} does not have two values (yes and no); if other codes mean missing, declare them in study.yml under missing:.",
        "zh": "未推算续约率：“{item}”的取值不是两个（是与否）；若其余代码表示缺失，请在 study.yml 的 missing: 下声明。",
    },
    "which": {
        "en": "Renewals are left out: nothing tells which of the two values of {item:in} means renewed. Label them (yes, no) in the codebook, or write 1 "
        "for renewed and 0 for not.",
        "zh": "未推算续约率：无法判断“{item}”的两个取值中哪个表示续约。请在码本中加上取值标签（是、否），或用 1 表示续约、0 表示未续约。",
    },
    "numbers": {
        "en": "{item:cap} is left out: its answers cannot be read as numbers.",
        "zh": "未推算“{item}”：其答案无法读作数值。",
    },
    "flat": {
        "en": "{item:cap} is left out: all answers count the same, so there is nothing to explain.",
        "zh": "未推算“{item}”：所有回答的取值相同，无可解释的差异。",
    },
}

# ---------------------------------------------------------------------- the best set
PLAN: Texts = {
    "en": "Best use of a budget of {budget:,.10g} for {measure:in}: {changes}",
    "zh": "预算 {budget:,.10g} 时，对“{measure}”最有利的组合：{changes}",
}
NO_PLAN: Texts = {
    "en": "With a budget of {budget:,.10g} no affordable change goes with a better {measure:in}",
    "zh": "预算为 {budget:,.10g} 时，没有可负担且对应“{measure}”改善的变动",
}
NAIVE: Texts = {"en": "Together, on the same data", "zh": "合计（同批数据）"}
HONEST: Texts = {"en": "Together, on other respondents", "zh": "合计（另一半样本）"}
PLAN_ROW: Texts = {"en": "{driver} {change}", "zh": "{driver} {change}"}
PLAN_TIP: Texts = {
    "en": "{driver}: cost {cost:,.10g}; in the best set in {chosen:.0%} of the resamples. Expected change {text}",
    "zh": "{driver}：成本 {cost:,.10g}；{chosen:.0%} 的重抽样中入选最佳组合。预期变化 {text}",
}
SPENT: Texts = {
    "en": "{who} · cost {spent:,.10g} of {budget:,.10g} · base {base:,}",
    "zh": "{who} · 花费 {spent:,.10g}（预算 {budget:,.10g}）· 样本量 {base:,}",
}

# ---------------------------------------------------------------------- what cannot be shown
NO_OUTCOMES: Texts = {
    "en": "The study declares no outcome that can be predicted. Add one to study.yml, such as\noutcomes:\n  satisfaction: q1",
    "zh": "研究未声明可供推算的结果变量。请在 study.yml 中添加，例如\noutcomes:\n  satisfaction: q1",
}
NO_DRIVERS: Texts = {
    "en": "The study declares no drivers that can be moved. Add them to study.yml, in blocks or not, such as\ndrivers:\n  value: [q2, q3]",
    "zh": "研究未声明可供调整的驱动因素。请在 study.yml 中添加，可以分类，也可以不分，例如\ndrivers:\n  value: [q2, q3]",
}
FAULTS: dict[str, Texts] = {
    "nobody": {
        "en": "nobody in the filter answered {measure:in} and all {count} drivers; widen the filter.",
        "zh": "在当前筛选下，没有人同时回答了“{measure}”和全部 {count} 个因素；请放宽筛选。",
    },
    "few": {
        "en": "{base:,} respondents in the filter (effective {effective:,.0f}) answered {measure:in} and all {count} drivers; from an effective "
        "base of {least} numbers are shown: widen the filter.",
        "zh": "在当前筛选下，同时回答了“{measure}”和全部 {count} 个因素的受访者为 {base:,} 人（有效样本量 {effective:,.0f}）；有效样本量达到 {least} "
        "才显示数值：请放宽筛选。",
    },
    "flat": {
        "en": "{names}: all respondents in the filter gave the same answer, so the model cannot be estimated; widen the filter.",
        "zh": "{names}：在当前筛选下，所有受访者的回答相同，模型无法估计；请放宽筛选。",
    },
    "unstable": {
        "en": "the base of {base:,} is too small for a model of {count} drivers on {measure:in}: some replicates leave a driver without variation; widen the filter.",
        "zh": "“{measure}”的样本量 {base:,} 不足以估计 {count} 个因素的模型：部分重抽样中某个因素没有差异；请放宽筛选。",
    },
    "budget": {
        "en": "budget: it is empty; write what may be spent, in the units of the costs.",
        "zh": "预算：尚未填写；请填写可用金额，单位与成本一致。",
    },
    "costs": {
        "en": "cost: no driver has one; write the cost of one point for each driver that may be improved.",
        "zh": "成本：尚未填写；请为可以改进的因素填写每提高 1 分的成本。",
    },
    "many": {
        "en": "cost: {count} drivers have one; the best set is chosen among up to {most}: leave some empty.",
        "zh": "成本：共有 {count} 个因素填写了成本；最佳组合最多在 {most} 个因素中选择：请留空一部分。",
    },
}
HEADINGS: dict[str, Texts] = {
    "metric": {"en": "Outcome", "zh": "结果指标"},
    "who": {"en": "Respondents", "zh": "受访者"},
    "cost": {"en": "Cost", "zh": "成本"},
    "gain_per_cost": {"en": "Change per unit of cost", "zh": "每单位成本的变化"},
    "together": {"en": "Together", "zh": "合计"},
}
RESULT: Texts = {"en": "What if: expected changes", "zh": "情景推演：预期变化"}
