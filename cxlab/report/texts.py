"""Wordings of the monthly report, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

Text = Mapping[str, str]

HEADINGS: dict[str, Text] = {
    "verdict": {"en": "In brief", "zh": "本期概览"},
    "quality": {"en": "Data quality", "zh": "数据质量"},
    "scorecard": {"en": "Scorecard", "zh": "核心指标"},
    "touchpoints": {"en": "Touchpoints", "zh": "触点"},
    "drivers": {"en": "Key drivers", "zh": "关键驱动因素"},
    "segments": {"en": "Segments compared", "zh": "细分群体比较"},
    "limits": {"en": "What to treat with care", "zh": "解读时须注意"},
}
QUESTIONS: dict[str, Text] = {
    "answered": {"en": "How many answered?", "zh": "有多少人作答？"},
    "level": {"en": "How are we doing?", "zh": "整体表现如何？"},
    "changed": {"en": "What changed?", "zh": "有哪些变化？"},
    "real": {"en": "Is the change real?", "zh": "变化是否真实？"},
    "worst": {"en": "Which touchpoint is worst?", "zh": "哪个触点最差？"},
    "drives": {"en": "What drives satisfaction?", "zh": "什么驱动满意度？"},
    "sure": {"en": "How sure is that?", "zh": "把握有多大？"},
    "unhappy": {"en": "Who is unhappy?", "zh": "谁不满意？"},
    "fix": {"en": "What to fix first?", "zh": "先改善什么？"},
    "unreliable": {"en": "What is unreliable?", "zh": "哪些结论不可靠？"},
}
ANSWERED_WAVE: Text = {
    "en": "{base:,} customers answered in {wave}; after weighting, results are as precise as from {effective:,.0f} (effective base).",
    "zh": "{wave}共有 {base:,} 名顾客作答；加权后的精度相当于 {effective:,.0f} 人（有效样本量）。",
}
ANSWERED: Text = {
    "en": "{base:,} customers answered; after weighting, results are as precise as from {effective:,.0f} (effective base).",
    "zh": "共有 {base:,} 名顾客作答；加权后的精度相当于 {effective:,.0f} 人（有效样本量）。",
}
ANSWERED_WAVE_EQUAL: Text = {
    "en": "{base:,} customers answered in {wave}; all count the same.",
    "zh": "{wave}共有 {base:,} 名顾客作答，每人权重相同。",
}
ANSWERED_EQUAL: Text = {
    "en": "{base:,} customers answered; all count the same.",
    "zh": "共有 {base:,} 名顾客作答，每人权重相同。",
}
NOTHING_CHANGED: Text = {
    "en": "Nothing by more than chance since {before}: {count} key figures and touchpoints were tested.",
    "zh": "与 {before}相比没有显著变化（共检验 {count} 项指标与触点）。",
}
CHANGED: Text = {
    "en": "Since {before}, {count} of {tested} key figures and touchpoints moved by more than chance: {names}.",
    "zh": "与 {before}相比，{tested} 项指标与触点中有 {count} 项变化显著：{names}。",
}
NO_EARLIER: Text = {
    "en": "There is no earlier wave to compare with.",
    "zh": "没有可供比较的更早一期。",
}
REAL: Text = {
    "en": "Yes for {names}: chance alone would hardly show this, even with several figures tested at once.",
    "zh": "以下变化难以用抽样误差解释（已校正多次检验）：{names}。",
}
NOT_REAL: Text = {
    "en": "No change can be told from chance; one of {detectable} in {metric:in} would have shown in {power:.0%} of such samples.",
    "zh": "所见波动均在抽样误差之内；若{metric}真实变化 {detectable}，这样的样本有 {power:.0%} 的把握检出。",
}
DIRECTIONS = {
    "up": {"en": "{name} (up)", "zh": "{name}（上升）"},
    "down": {"en": "{name} (down)", "zh": "{name}（下降）"},
}
FINDINGS = {
    "still_but": {
        "en": "{metric:cap} at {value}: no change beyond chance since {before}; what moved: {names}",
        "zh": "{metric} {value}：与 {before}相比无显著变化；变化显著的是：{names}",
    },
    "still": {
        "en": "{metric:cap} at {value}: no change beyond chance since {before}",
        "zh": "{metric} {value}：与 {before}相比无显著变化",
    },
    "up": {"en": "{metric:cap} at {value}: up {change} since {before}", "zh": "{metric} {value}：较 {before}上升 {change}"},
    "down": {"en": "{metric:cap} at {value}: down {change} since {before}", "zh": "{metric} {value}：较 {before}下降 {change}"},
    "level": {"en": "{metric:cap} stands at {value}", "zh": "{metric}为 {value}"},
}  # fmt: skip
CARD_LABEL: Text = {"en": "{metric}", "zh": "{metric}"}
CARD_SCALE: Text = {"en": "{metric}, {bottom:.0f} to {top:.0f}", "zh": "{metric}（{bottom:.0f}–{top:.0f} 分）"}
CARD_VALUE: Text = {"en": "{value}", "zh": "{value}"}
CARD_INTERVAL: Text = {"en": "95% interval {low} to {high}", "zh": "95% 区间 {low} 至 {high}"}
CARD_STILL: Text = {
    "en": "{change} since {before}, within chance",
    "zh": "较 {before}变化 {change}，属抽样波动",
}
CARD_MOVED: Text = {
    "en": "{change} since {before}, more than chance",
    "zh": "较 {before}变化 {change}，变化显著",
}
CARD_TARGET = {
    "met": {"en": "Target {target} met", "zh": "达到目标 {target}"},
    "missed": {"en": "Target {target} missed", "zh": "未达目标 {target}"},
    "open": {"en": "Target {target}: open", "zh": "目标 {target}：尚不能确定"},
    "met_low": {"en": "Within the limit of {target}", "zh": "未超上限 {target}"},
    "missed_low": {"en": "Over the limit of {target}", "zh": "超过上限 {target}"},
    "open_low": {"en": "Limit {target}: open", "zh": "上限 {target}：尚不能确定"},
}
TARGETS = {
    "met": {
        "en": "{metric:cap} is above its target of {target}, with its whole interval.",
        "zh": "{metric}高于目标 {target}，且整个区间均在目标之上。",
    },
    "missed": {
        "en": "{metric:cap} misses its target of {target}: the whole interval lies below.",
        "zh": "{metric}未达到目标 {target}：整个区间均低于目标。",
    },
    "met_low": {
        "en": "{metric:cap} is below its limit of {target}, with its whole interval.",
        "zh": "{metric}低于上限 {target}，且整个区间均在上限之下。",
    },
    "missed_low": {
        "en": "{metric:cap} exceeds its limit of {target}: the whole interval lies above.",
        "zh": "{metric}超过上限 {target}：整个区间均高于上限。",
    },
}
TARGETS_OPEN: Text = {
    "en": "Not decided, because the interval includes the target: {names}.",
    "zh": "区间包含目标值、尚不能确定是否达标：{names}。",
}
TARGETS_SOURCE: Text = {"en": "Targets are those of study.yml.", "zh": "目标值取自 study.yml。"}
SCORE_TITLES = {
    "changed": {
        "en": "{count} of {tested} key figures changed beyond chance since {before}",
        "zh": "{tested} 项核心指标中有 {count} 项较 {before}变化显著",
    },
    "still": {
        "en": "None of {tested} key figures changed beyond chance since {before}",
        "zh": "{tested} 项核心指标较 {before}均无显著变化",
    },
    "level": {"en": "Where the key figures stand: {tested} measured", "zh": "{tested} 项核心指标现状"},
}
SCORE_TARGETS: Text = {
    "en": "; targets: {met} met, {missed} missed, {open} open",
    "zh": "；目标：{met} 项达到，{missed} 项未达到，{open} 项尚不能确定",
}
ADJUSTED: Text = {
    "en": "Intervals stand for each row alone; p is adjusted (Holm) for all rows of a table, so an interval can leave out zero "
    "where p shows no significance.",
    "zh": "区间按各行单独计算；p 值已按全表各行作 Holm 校正，因此区间不含零时 p 值仍可能不显著。",
}
DETECTABLE: Text = {
    "en": "Detectable: the size that a single test, not adjusted, finds in {power:.0%} of such samples.",
    "zh": "“可识别”指单次检验（未校正）有 {power:.0%} 的把握检出的幅度。",
}
INTERVALS: Text = {"en": "Beneath each value: its 95% interval.", "zh": "数值下方为 95% 区间。"}
RANKS: Text = {
    "en": "Beneath each rank: the ranks that pairwise tests leave open.",
    "zh": "排名下方为两两检验尚不能排除的名次范围。",
}
QUALITY_TITLE: Text = {
    "en": "{count:,} of {base:,} questionnaires look doubtful ({share:.1%}); they were flagged, not removed",
    "zh": "{base:,} 名受访者中有 {count:,} 名（{share:.1%}）的答卷存疑；仅作标记，未予剔除",
}
QUALITY_CLEAN: Text = {
    "en": "None of {base:,} questionnaires looks doubtful by the checks that were run",
    "zh": "{base:,} 份答卷均未发现所检查的质量问题",
}
DRIVERS_TITLE: Text = {
    "en": "{driver:cap} matters most for {outcome:in}: {share:.0%} of what the drivers explain",
    "zh": "“{driver}”对{outcome}最重要：占解释力的 {share:.0%}",
}
DRIVERS_OPEN: Text = {
    "en": "{driver:cap} has the highest importance for {outcome:in} ({share:.0%}), but its lead over {count} other drivers is not settled",
    "zh": "“{driver}”对{outcome}的重要性最高（{share:.0%}），但相对另外 {count} 个因素的领先尚未确定",
}
DRIVERS_OPEN_ONE: Text = {
    "en": "{driver:cap} has the highest importance for {outcome:in} ({share:.0%}), but its lead over {second:in} is not settled",
    "zh": "“{driver}”对{outcome}的重要性最高（{share:.0%}），但相对“{second}”的领先尚未确定",
}
ROLLING: Text = {
    "en": "Drivers and segments rest on {count} waves together, {first} to {last}, because one wave is too small for them.",
    "zh": "驱动因素与细分群体分析合并 {count} 期数据（{first}至 {last}），因为单期样本量不足。",
}
ROLLING_ONE: Text = {
    "en": "Drivers and segments rest on {first} alone: there is no earlier wave to add.",
    "zh": "驱动因素与细分群体分析仅用 {first}的数据：没有更早的期次可合并。",
}
SURE: Text = {
    "en": "{driver:cap} comes first in {first:.0%} of {replicates:,} resamples of the answers, but pairwise tests leave its rank "
    "open between {low} and {high}.",
    "zh": "在 {replicates:,} 次重抽样中，“{driver}”有 {first:.0%} 居首；但按两两检验，其名次仍可能在第 {low} 至第 {high} 位之间。",
}
SURE_FIRST: Text = {
    "en": "{driver:cap} comes first in {first:.0%} of {replicates:,} resamples of the answers, and pairwise tests place every other driver below it.",
    "zh": "在 {replicates:,} 次重抽样中，“{driver}”有 {first:.0%} 居首；两两检验也显示其余因素均显著低于它。",
}
UNHAPPY: Text = {
    "en": "{segment:cap} customers: {metric:in} is {value}, {gap} below all others (95% interval {low} to {high}, {p:p}).",
    "zh": "{segment}顾客：{metric}为 {value}，比其他顾客低 {gap}（95% 区间 {low} 至 {high}，{p:p}）。",
}
NOBODY_UNHAPPY: Text = {
    "en": "No group of {by:in} is less satisfied than the others beyond chance; a gap of {detectable} would probably have shown.",
    "zh": "按{by}划分，没有群体的满意度显著低于其他顾客；差距达到 {detectable} 才较有把握识别。",
}
SEGMENTS_TITLE: Text = {
    "en": "{segment:cap} customers lie {gap} below all others in {metric:in}",
    "zh": "{segment}顾客的{metric}比其他顾客低 {gap}",
}
SEGMENTS_EQUAL: Text = {
    "en": "No group of {by:in} lies below the others in {metric:in} beyond chance",
    "zh": "按{by}划分，没有群体的{metric}显著低于其他顾客",
}
SEGMENT_GAPS: Text = {
    "en": "{segment:cap} customers rate {touchpoint:in} {gap:.1f} points below all others (95% interval {low:.1f} to {high:.1f}, {p:p}).",
    "zh": "{segment}顾客对“{touchpoint}”的评分比其他顾客低 {gap:.1f} 分（95% 区间 {low:.1f} 至 {high:.1f}，{p:p}）。",
}
MORE_GAPS: Text = {
    "en": "Further gaps of this kind between a group and all others: {count}.",
    "zh": "此外还有 {count} 处群体评分显著低于其他顾客。",
}
NOT_COMPARED: Text = {
    "en": "Compared here: {by:in}. Declared but not compared on this page: {others}.",
    "zh": "本页比较：{by}。已声明但未在本页比较：{others}。",
}
LIMITS_TITLE: Text = {
    "en": "Treat with care: {names}",
    "zh": "须谨慎解读：{names}",
}
UNRELIABLE: Text = {
    "en": "Treat with care: {names}. The last page says why.",
    "zh": "须谨慎解读：{names}。原因见末页。",
}
UNRELIABLE_MORE: Text = {
    "en": "Treat with care: {names}; {more} more on the last page.",
    "zh": "须谨慎解读：{names}；另有 {more} 项见末页。",
}
CARE: dict[str, Text] = {
    "small": {"en": "figures on small bases", "zh": "小样本数字"},
    "order": {"en": "the order of the drivers", "zh": "驱动因素排序"},
    "lost": {"en": "driver results (many answers are incomplete)", "zh": "驱动因素结果（不少答卷不完整）"},
    "aside": {"en": "drivers left out", "zh": "未纳入的因素"},
    "flipped": {"en": "effects of opposite sign", "zh": "方向相反的影响"},
    "noise": {"en": "drivers near noise", "zh": "与噪声无异的因素"},
    "doubtful": {"en": "doubtful questionnaires", "zh": "存疑答卷"},
    "unweighted": {"en": "how far the answers stand for all customers", "zh": "对全体顾客的代表性"},
}
LIMITS_NONE: Text = {
    "en": "Nothing on these pages rests on a small base or an open order",
    "zh": "本报告没有基于小样本或排序未定的结论",
}
SMALL_BASES: Text = {
    "en": "Figures on an effective base under {limit}: {count} ({names}); read their intervals, not their order.",
    "zh": "有 {count} 项数字的有效样本量不足 {limit}（{names}）；请看区间，不要看排序。",
}
NOISE: Text = {
    "en": "Not distinguishable from noise, of {drivers} drivers: {names}.",
    "zh": "{drivers} 个驱动因素中，与噪声无法区分的有：{names}。",
}
LOST: Text = {
    "en": "The driver analysis uses only the {base:,} respondents with complete answers; {lost:,} others ({share:.0%} by weight) are not in it and may differ.",
    "zh": "驱动因素分析仅使用 {base:,} 名回答完整的受访者；另有 {lost:,} 名（按权重占 {share:.0%}）未计入，其看法可能不同。",
}
ORDER_OPEN: Text = {
    "en": "The order of the drivers is not settled: by pairwise tests, {count} of them could still be first.",
    "zh": "驱动因素的排序尚未确定：按两两检验，有 {count} 个因素仍可能居首。",
}
ASIDE: Text = {
    "en": "Not in the driver analysis, because many customers have not met them: {names}. They may matter to those who have.",
    "zh": "因不少顾客未体验或未被问及而未纳入驱动因素分析：{names}。对有过体验的顾客，它们仍可能重要。",
}
FLIPPED: Text = {
    "en": "Correlation and effect have opposite signs: {names}; do not act on these effects.",
    "zh": "相关方向与影响方向相反：{names}；请勿据此行动。",
}
DOUBTFUL: Text = {
    "en": "Doubtful questionnaires were flagged, not removed: {count:,} of {base:,} ({share:.1%}).",
    "zh": "{base:,} 份答卷中有 {count:,} 份（{share:.1%}）存疑，仅作标记，未予剔除。",
}
UNWEIGHTED: Text = {
    "en": "The answers are not weighted: they stand for those who answered, not necessarily for all customers.",
    "zh": "数据未加权：结果代表作答者，未必代表全体顾客。",
}
ASSOCIATION: Text = {
    "en": "Drivers describe association; only an experiment shows what a change would cause.",
    "zh": "驱动因素描述的是关联；只有实验才能说明改变的效果。",
}
METHODS: Text = {"en": "How the numbers were made", "zh": "计算方法"}
NEEDS: dict[str, Text] = {
    "touchpoints": {
        "en": "Not shown: study.yml would need journey (stages, touchpoints, owners).",
        "zh": "未显示：study.yml 需要声明 journey（阶段、触点、责任部门）。",
    },
    "drivers": {
        "en": "Not shown: study.yml would need outcomes.satisfaction and drivers.",
        "zh": "未显示：study.yml 需要声明 outcomes.satisfaction 与 drivers。",
    },
    "segments": {
        "en": "Not shown: study.yml would need segments with at least two groups.",
        "zh": "未显示：study.yml 需要声明 segments，且至少含两个群体。",
    },
    "scorecard": {
        "en": "Not shown: study.yml would need outcomes.",
        "zh": "未显示：study.yml 需要声明 outcomes。",
    },
    "trend": {
        "en": "No change is shown: study.yml declares no waves.",
        "zh": "未显示变化：study.yml 未声明期次（wave）。",
    },
    "too_few": {
        "en": "Not shown: too few respondents rated any touchpoint.",
        "zh": "未显示：各触点的评价人数均过少。",
    },
    "not_computed": {
        "en": "Not computed; the page on key drivers says why.",
        "zh": "未能计算，原因见“关键驱动因素”一页。",
    },
    "nothing_first": {
        "en": "Nothing stands out: no driver is both above noise and positively related.",
        "zh": "没有突出项：没有既高于噪声又呈正向关联的因素。",
    },
}
ALT: dict[str, Text] = {
    "trend": {"en": "Line chart: {metric} by wave with 95% intervals; the numbers of the last wave are in the table above", "zh": "折线图：{metric}逐期走势及 95% 区间；最近一期数值见上表"},
    "touchpoints": {"en": "Dot chart: ratings of the touchpoints with 95% intervals, as in the table below", "zh": "点图：各触点评分及 95% 区间，数值见下表"},
    "drivers": {"en": "Bar chart: importance of the drivers with 95% intervals and noise lines, as in the table below", "zh": "条形图：驱动因素重要性、95% 区间与噪声线，数值见下表"},
    "segments": {"en": "Dot chart: {metric} by group with 95% intervals; means as in the table below", "zh": "点图：各群体{metric}及 95% 区间，均值见下表"},
}  # fmt: skip
SEGMENT_CHART: Text = {
    "en": "{metric} by {by:in}: mean and 95% interval",
    "zh": "各{by}的{metric}：均值与 95% 区间",
}
CHANGE_TABLE: Text = {
    "en": "Shares of the drivers against the period before",
    "zh": "各因素占比与前一时段对比",
}
