"""Words of the drivers tab: controls, findings, notes, and what cannot be shown."""

from __future__ import annotations

from collections.abc import Mapping

from cxlab.workbench._tab import Texts

TITLE: Texts = {"en": "Drivers", "zh": "驱动因素"}
SHOWS: dict[str, Texts] = {
    "drivers": {"en": "Drivers, by importance", "zh": "各因素的重要性"},
    "blocks": {"en": "Blocks of drivers", "zh": "各类别的重要性"},
    "map": {"en": "Priority map", "zh": "优先改进矩阵"},
    "effects": {"en": "Effects per point", "zh": "每 1 分的影响"},
}
LABELS: dict[str, Texts] = {
    "outcome": {"en": "Outcome", "zh": "结果变量"},
    "method": {"en": "Measure of importance", "zh": "重要性指标"},
    "show": {"en": "Show", "zh": "显示"},
    "by": {"en": "Side by side", "zh": "分组并列"},
    "drivers": {"en": "Drivers", "zh": "驱动因素"},
    "alone": {"en": "No block", "zh": "未归类"},
    "together": {"en": "Everybody together", "zh": "不分组"},
}

# ---------------------------------------------------------------------- findings
FIRST: dict[str, dict[bool, Texts]] = {
    "drivers": {
        True: {
            "en": "{name:cap} matters most for {outcome:in}: {share:.1%} of what the drivers explain ({low:.1%} to {high:.1%})",
            "zh": "“{name}”对{outcome}最重要：占全部因素解释力的 {share:.1%}（{low:.1%} 至 {high:.1%}）",
        },
        False: {
            "en": "{name:cap} has the highest importance for {outcome:in}, {share:.1%} of what the drivers explain ({low:.1%} to "
            "{high:.1%}), but is not separated from {others}",
            "zh": "“{name}”对{outcome}的重要性估计值最高，占全部因素解释力的 {share:.1%}（{low:.1%} 至 {high:.1%}），但与{others}尚无法区分高下",
        },
    },
    "blocks": {
        True: {
            "en": "{name:cap} carries most of what the drivers explain of {outcome:in}: {share:.1%} ({low:.1%} to {high:.1%})",
            "zh": "“{name}”类因素占{outcome}解释力的比例最高：{share:.1%}（{low:.1%} 至 {high:.1%}）",
        },
        False: {
            "en": "{name:cap} has the largest share of what the drivers explain of {outcome:in}, {share:.1%} ({low:.1%} to {high:.1%}), "
            "but is not separated from {others}",
            "zh": "“{name}”类因素占{outcome}解释力的比例估计值最高，为 {share:.1%}（{low:.1%} 至 {high:.1%}），但与{others}尚无法区分高下",
        },
    },
}
EFFECT: dict[bool, Texts] = {
    True: {
        "en": "{name:cap} has the largest effect on {outcome:in}: one point more goes with {effect:+.2f} points ({low:+.2f} to {high:+.2f}), "
        "the other drivers being equal",
        "zh": "“{name}”对{outcome}的影响最大：其他因素相同时，该项每高 1 分，{outcome}平均相差 {effect:+.2f} 分（{low:+.2f} 至 {high:+.2f}）",
    },
    False: {
        "en": "No effect on {outcome:in} is clear: the largest is that of {name:in}, {effect:+.2f} points per point ({low:+.2f} to {high:+.2f})",
        "zh": "没有任何因素对{outcome}的影响达到显著：最大的是“{name}”，每 1 分相差 {effect:+.2f} 分（{low:+.2f} 至 {high:+.2f}）",
    },
}  # fmt: skip
MAP: dict[bool, Texts] = {
    True: {"en": "Fix first for {outcome:in}: {names}", "zh": "提升{outcome}应优先改进：{names}"},
    False: {
        "en": "No driver of {outcome:in} is both surely important and surely rated low",
        "zh": "影响{outcome}的因素中，没有一项既确属重要又确属评价偏低",
    },
}
GROUPS: dict[str, Texts] = {
    "drivers": {
        "en": "Highest estimated importance for {outcome:in}, by group: {listed}",
        "zh": "各组对{outcome}重要性估计值最高的因素：{listed}",
    },
    "blocks": {
        "en": "Block with the largest estimated share for {outcome:in}, by group: {listed}",
        "zh": "各组中占{outcome}解释力比例估计值最高的类别：{listed}",
    },
    "effects": {
        "en": "Largest estimated effect on {outcome:in}, by group: {listed}",
        "zh": "各组对{outcome}影响估计值最大的因素：{listed}",
    },
}
SAME: dict[str, Texts] = {
    "drivers": {
        "en": "{name:cap} has the highest estimated importance for {outcome:in} in every group ({low:.1%} to {high:.1%})",
        "zh": "各组中对{outcome}重要性估计值最高的均为“{name}”（{low:.1%} 至 {high:.1%}）",
    },
    "blocks": {
        "en": "{name:cap} has the largest estimated share for {outcome:in} in every group ({low:.1%} to {high:.1%})",
        "zh": "各组中占{outcome}解释力比例估计值最高的均为“{name}”类（{low:.1%} 至 {high:.1%}）",
    },
    "effects": {
        "en": "{name:cap} has the largest estimated effect on {outcome:in} in every group ({low:+.2f} to {high:+.2f} points per point)",
        "zh": "各组中对{outcome}影响估计值最大的均为“{name}”（每 1 分相差 {low:+.2f} 至 {high:+.2f} 分）",
    },
}
TOP: dict[str, Texts] = {
    "share": {"en": "{group} – {name:in} ({value:.1%})", "zh": "{group}：{name}（{value:.1%}）"},
    "estimate": {"en": "{group} – {name:in} ({value:+.2f})", "zh": "{group}：{name}（{value:+.2f}）"},
}
NOTHING_SHOWN: Texts = {
    "en": "Too few respondents in every group to say what drives {outcome:in}",
    "zh": "各组样本均过少，无法判断{outcome}的驱动因素",
}

# ---------------------------------------------------------------------- around the picture
SUBTITLE: dict[str, Texts] = {
    "drivers": {
        "en": "{who} · {count} drivers explain {r2:.0%} of the differences · {method}",
        "zh": "{who} · {count} 个因素共解释差异的 {r2:.0%} · {method}",
    },
    "blocks": {
        "en": "{who} · {count} drivers explain {r2:.0%} of the differences · Shapley values, each block one player",
        "zh": "{who} · {count} 个因素共解释差异的 {r2:.0%} · Shapley 值（每类视为一个整体）",
    },
    "effects": {
        "en": "{who} · {count} drivers explain {r2:.0%} of the differences · full linear model",
        "zh": "{who} · {count} 个因素共解释差异的 {r2:.0%} · 整体线性模型",
    },
}
SUBTITLE["map"] = SUBTITLE["drivers"]
SUBTITLE_BY: dict[str, Texts] = {
    "drivers": {
        "en": "{who} · {count} drivers by {by:in} · {method}",
        "zh": "{who} · {count} 个因素，按{by} · {method}",
    },
    "blocks": {
        "en": "{who} · {count} drivers by {by:in} · Shapley values, each block one player",
        "zh": "{who} · {count} 个因素，按{by} · Shapley 值（每类视为一个整体）",
    },
    "effects": {
        "en": "{who} · {count} drivers by {by:in} · full linear model in each group",
        "zh": "{who} · {count} 个因素，按{by} · 各组分别拟合整体线性模型",
    },
}
AXES: dict[str, Texts] = {
    "share": {"en": "Share of what the drivers explain", "zh": "占全部因素解释力的比例"},
    "estimate": {"en": "Points of {outcome:in} per point of the driver", "zh": "因素每高 1 分，{outcome}相差的分数"},
    "performance": {"en": "Performance (mean score)", "zh": "表现（平均得分）"},
    "index": {"en": "Performance (mean, 0–100)", "zh": "表现（均值，0–100）"},
}
CORNERS: dict[str, Texts] = {
    "fix first": {"en": "Fix first", "zh": "优先改进"},
    "keep up": {"en": "Keep up", "zh": "继续保持"},
    "low priority": {"en": "Low priority", "zh": "次要改进"},
    "maintain": {"en": "Maintain", "zh": "维持现状"},
    "not decided": {"en": "Not decided", "zh": "未判定"},
}
MARKS: dict[str, Texts] = {
    "share": {"en": "{value:.1%} ({low:.1%}–{high:.1%})", "zh": "{value:.1%}（{low:.1%}–{high:.1%}）"},
    "estimate": {"en": "{value:+.2f} ({low:+.2f} to {high:+.2f})", "zh": "{value:+.2f}（{low:+.2f} 至 {high:+.2f}）"},
}
RANK: Texts = {"en": "{text} · rank {rank}", "zh": "{text}，第 {rank} 位"}
HIDDEN: Texts = {"en": "base too small", "zh": "样本不足"}
STUCK: Texts = {"en": "no model", "zh": "无法建模"}
SERIES: Texts = {"en": "{group} (base {base:,})", "zh": "{group}（样本量 {base:,}）"}
TIPS: dict[str, Texts] = {
    "share": {"en": "Share: {text}", "zh": "占比：{text}"},
    "rank": {"en": "Ranks left open: {rank}", "zh": "可能名次：第 {rank} 位"},
    "estimate": {"en": "Effect per point: {text}", "zh": "每 1 分的影响：{text}"},
    "performance": {"en": "Mean score: {value:.2f} ({low:.2f} to {high:.2f})", "zh": "平均得分：{value:.2f}（{low:.2f} 至 {high:.2f}）"},
    "noise": {"en": "Not distinguishable from noise", "zh": "与噪声无法区分"},
}  # fmt: skip
NOTES: Mapping[str, Texts] = {
    "jackknife": {
        "en": "95% intervals: jackknife over {groups} groups.",
        "zh": "95% 区间：{groups} 组刀切法。",
    },
    "sampled": {
        "en": "95% intervals: jackknife over {groups} groups, from sampled orders of entry.",
        "zh": "95% 区间：{groups} 组刀切法，按随机抽取的进入次序估计。",
    },
    "bootstrap": {
        "en": "95% intervals: {replicates:,} bootstrap replicates.",
        "zh": "95% 区间：{replicates:,} 次自助法重抽样。",
    },
    "taylor": {
        "en": "95% intervals: Taylor linearisation.",
        "zh": "95% 区间：泰勒线性化。",
    },
    "null": {
        "en": "Grey tick: null line; up to it importance is not distinguishable from noise.",
        "zh": "灰色短线：噪声线；未超过它的重要性与噪声无法区分。",
    },
    "low": {
        "en": "Hollow: effective base 30 to 74, read the intervals.",
        "zh": "空心：有效样本量 30–74，请以区间为准。",
    },
    "hidden": {
        "en": "Without numbers: effective base under 30.",
        "zh": "未列数值：有效样本量不足 30。",
    },
    "stuck": {
        "en": "No model: a driver does not vary in the group, or repeats another.",
        "zh": "“无法建模”表示组内有因素的回答全部相同，或与其他因素重复。",
    },
    "largest": {
        "en": "The {shown} largest of {count} groups are shown.",
        "zh": "仅显示 {count} 组中人数最多的 {shown} 组。",
    },
    "latest": {
        "en": "The last {shown} of {count} waves are shown; move the wave range for others.",
        "zh": "仅显示 {count} 期中最近的 {shown} 期；移动期次范围可查看其他各期。",
    },
    "open": {
        "en": "Hollow, not decided: no quadrant holds the driver in 80% of the resamples.",
        "zh": "空心表示未判定：没有任何象限达到 80% 的重抽样。",
    },
    "undivided": {
        "en": "The map shows all groups together.",
        "zh": "矩阵显示全部受访者，不分组。",
    },
}

# ---------------------------------------------------------------------- what cannot be shown
NO_OUTCOMES: Texts = {
    "en": "The study declares no outcome that has answers. Add one to study.yml, such as\n"
    "outcomes:\n  satisfaction: q1",
    "zh": "研究未声明有回答的结果变量。请在 study.yml 中添加，例如\noutcomes:\n  satisfaction: q1",
}
NO_DRIVERS: Texts = {
    "en": "The study declares fewer than two drivers. Add them to study.yml, in blocks or not, such as\n"
    "drivers:\n  value: [q2, q3]",
    "zh": "研究声明的驱动因素不足两个。请在 study.yml 中添加，可以分类，也可以不分，例如\ndrivers:\n  value: [q2, q3]",
}
FAULTS: dict[str, Texts] = {
    "few drivers": {
        "en": "drivers: {count} chosen; choose at least two.",
        "zh": "驱动因素：已选 {count} 个，请至少选择两个。",
    },
    "outcome": {
        "en": "drivers: {names} belongs to the outcome itself; leave it out, or choose another outcome.",
        "zh": "驱动因素：{names}属于结果变量本身；请将其去掉，或改选其他结果变量。",
    },
    "by": {
        "en": "side by side: {names} is one of the drivers or the outcome; within a group it does not vary: choose another column.",
        "zh": "分组并列：{names}本身就是驱动因素或结果变量，在组内没有差异；请改选其他列。",
    },
    "many": {
        "en": "drivers: {count} chosen; Shapley values go through all {sets} subsets of up to {most} drivers. Choose Johnson's relative "
        "weights, which come close at any number, or fewer drivers.",
        "zh": "驱动因素：已选 {count} 个；Shapley 值须遍历全部子集（{sets} 个），最多支持 {most} 个因素。请改用结果相近、个数不限的 Johnson "
        "相对权重，或减少因素。",
    },
    "blocks": {
        "en": "blocks: the {count} chosen drivers stand in {blocks} blocks; at least two blocks are needed, one of them with several drivers: "
        "choose more drivers, or declare blocks in study.yml.",
        "zh": "类别：所选 {count} 个因素分属 {blocks} 类；至少需要两类，且其中一类含多个因素：请增加因素，或在 study.yml 中声明类别。",
    },
    "block": {
        "en": "blocks: {name} holds {size} drivers beside {others} other blocks; together at most {most} are compared: choose fewer drivers.",
        "zh": "类别：{name}含 {size} 个因素，另有 {others} 类；两者合计最多 {most} 个：请减少因素。",
    },
    "groups": {
        "en": "side by side: {names} has {count:,} groups; up to {most} can be compared. Band it in study.yml (recoded:), or narrow the filter.",
        "zh": "分组并列：{names}有 {count:,} 组，最多可比较 {most} 组。请在 study.yml 中用 recoded: 归并，或收窄筛选。",
    },
    "nobody": {
        "en": "nobody in the filter answered {outcome:in} and all {count} drivers; widen the filter, or choose fewer drivers.",
        "zh": "在当前筛选下，没有人同时回答了{outcome}和全部 {count} 个因素；请放宽筛选，或减少因素。",
    },
    "few": {
        "en": "{base:,} respondents in the filter (effective {effective:,.0f}) answered {outcome:in} and all {count} drivers; from an effective "
        "base of {least} numbers are shown: widen the filter, or choose fewer drivers.",
        "zh": "在当前筛选下，同时回答了{outcome}和全部 {count} 个因素的受访者为 {base:,} 人（有效样本量 {effective:,.0f}）；有效样本量达到 "
        "{least} 才显示数值：请放宽筛选，或减少因素。",
    },
    "flat": {
        "en": "{names}: all respondents in the filter gave the same answer; leave it out, or widen the filter.",
        "zh": "{names}：在当前筛选下，所有受访者的回答相同；请将其去掉，或放宽筛选。",
    },
    "tied": {
        "en": "drivers: some repeat one another in the filter ({names}); leave one of them out, or widen the filter.",
        "zh": "驱动因素：在当前筛选下，部分因素相互重复（{names}）；请去掉其中之一，或放宽筛选。",
    },
}  # fmt: skip
