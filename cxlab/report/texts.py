"""Wordings of the monthly report, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

Text = Mapping[str, str]

HEADINGS: dict[str, Text] = {
    "verdict": {"en": "The month in brief", "zh": "本期概览"},
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
    "en": "{base:,} customers answered in {wave}; after weighting they count as {effective:,.0f}.",
    "zh": "{wave}共有 {base:,} 名顾客作答，加权后的有效样本量为 {effective:,.0f}。",
}
ANSWERED: Text = {
    "en": "{base:,} customers answered; they count as {effective:,.0f} (effective base).",
    "zh": "共有 {base:,} 名顾客作答，有效样本量为 {effective:,.0f}。",
}
NOTHING_CHANGED: Text = {
    "en": "Nothing by more than chance since {before}: {count} key figures and touchpoints were tested.",
    "zh": "与 {before} 相比没有超出抽样误差的变化（共检验 {count} 项指标与触点）。",
}
CHANGED: Text = {
    "en": "Since {before}, {count} of {tested} key figures and touchpoints moved by more than chance: {names}.",
    "zh": "与 {before} 相比，{tested} 项指标与触点中有 {count} 项变化超出抽样误差：{names}。",
}
NO_EARLIER: Text = {
    "en": "There is no earlier wave to compare with.",
    "zh": "没有可供比较的更早一期。",
}
REAL: Text = {
    "en": "Yes for {names}: Holm-adjusted tests count the survey design; chance alone would hardly show this.",
    "zh": "{names} 的变化是真实的：检验已按抽样设计计算并经 Holm 校正，单凭抽样误差难以出现。",
}
NOT_REAL: Text = {
    "en": "What moved is within chance; {metric:in} would have had to change by {detectable} for this base to show it.",
    "zh": "所见波动均在抽样误差之内；以本期样本量，{metric}至少变化 {detectable} 才能被识别。",
}
FINDINGS = {
    "still": {
        "en": "{metric:cap} at {value}: no change beyond chance since {before}",
        "zh": "{metric} {value}：与 {before} 相比没有超出抽样误差的变化",
    },
    "up": {"en": "{metric:cap} at {value}: up {change} since {before}", "zh": "{metric} {value}：较 {before} 上升 {change}"},
    "down": {"en": "{metric:cap} at {value}: down {change} since {before}", "zh": "{metric} {value}：较 {before} 下降 {change}"},
    "level": {"en": "{metric:cap} stands at {value}", "zh": "{metric}为 {value}"},
}  # fmt: skip
CARD_LABEL: Text = {"en": "{metric}", "zh": "{metric}"}
CARD_VALUE: Text = {"en": "{value}", "zh": "{value}"}
CARD_NOTE: Text = {"en": "95% {low} to {high}", "zh": "95% 区间 {low} 至 {high}"}
CARD_STILL: Text = {
    "en": "95% {low} to {high}; {change} since {before}, within chance",
    "zh": "95% 区间 {low} 至 {high}；较 {before} {change}，属抽样波动",
}
CARD_MOVED: Text = {
    "en": "95% {low} to {high}; {change} since {before}, more than chance",
    "zh": "95% 区间 {low} 至 {high}；较 {before} {change}，超出抽样误差",
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
    "open": {
        "en": "Whether {metric:in} meets its target of {target} is open: the interval includes it.",
        "zh": "{metric}是否达到目标 {target} 尚不能确定：区间包含目标值。",
    },
}
QUALITY_TITLE: Text = {
    "en": "{count:,} of {base:,} respondents show a quality problem ({share:.1%}); they are counted, not removed",
    "zh": "{base:,} 名受访者中有 {count:,} 名（{share:.1%}）存在质量问题；仅作提示，未予剔除",
}
QUALITY_CLEAN: Text = {
    "en": "No respondent among {base:,} shows a quality problem that was looked for",
    "zh": "{base:,} 名受访者中未发现所检查的质量问题",
}
DRIVERS_TITLE: Text = {
    "en": "{driver:cap} matters most for {outcome:in}: {share:.0%} of what the drivers explain",
    "zh": "“{driver}”对{outcome}最重要：占解释力的 {share:.0%}",
}
DRIVERS_OPEN: Text = {
    "en": "{driver:cap} has the highest importance for {outcome:in} ({share:.0%}), but its lead over {count} others is not settled",
    "zh": "“{driver}”对{outcome}的重要性最高（{share:.0%}），但相对另外 {count} 个因素的领先尚未确定",
}
ROLLING: Text = {
    "en": "Rolling base of {count} waves, {first} to {last}: single waves are too small for this.",
    "zh": "采用 {count} 期滚动样本（{first} 至 {last}）：单期样本量不足以支持此项分析。",
}
SURE: Text = {
    "en": "{driver:cap} comes first in {first:.0%} of {replicates:,} replicates; strict pairwise tests leave it ranks {low} to {high}.",
    "zh": "在 {replicates:,} 次复制样本中，“{driver}”有 {first:.0%} 居首；严格的两两检验给出的排名区间为第 {low} 至第 {high} 位。",
}
UNHAPPY: Text = {
    "en": "{segment:cap} customers: {metric:in} is {value}, {gap} below all others (95% {low} to {high}, Holm {p:p}).",
    "zh": "{segment}顾客：{metric}为 {value}，比其他顾客低 {gap}（95% 区间 {low} 至 {high}，Holm 校正 {p:p}）。",
}
NOBODY_UNHAPPY: Text = {
    "en": "No segment is less satisfied than the others beyond chance; gaps of {detectable} would have been seen.",
    "zh": "没有任何细分群体的满意度显著低于其他顾客；可识别的最小差距为 {detectable}。",
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
    "en": "{segment:cap} customers rate {touchpoint:in} {gap:.1f} points below all others (95% {low:.1f} to {high:.1f}, Holm {p:p}).",
    "zh": "{segment}顾客对“{touchpoint}”的评分比其他顾客低 {gap:.1f} 分（95% 区间 {low:.1f} 至 {high:.1f}，Holm 校正 {p:p}）。",
}
LIMITS_TITLE: Text = {
    "en": "Points on these pages that need care: {count}",
    "zh": "本报告须谨慎解读之处：{count} 项",
}
LIMITS_NONE: Text = {
    "en": "No figure on these pages rests on a small base",
    "zh": "本报告没有基于小样本的数字",
}
SMALL_BASES: Text = {
    "en": "{count} figures rest on an effective base under {limit} ({names}); read their intervals, not their order.",
    "zh": "有 {count} 项数字的有效样本量不足 {limit}（{names}）；请看区间，不要看排序。",
}
NOISE: Text = {
    "en": "{count} of {drivers} drivers cannot be told from noise: {names}.",
    "zh": "{drivers} 个驱动因素中有 {count} 个与噪声无法区分：{names}。",
}
LOST: Text = {
    "en": "The driver analysis uses the {base:,} respondents with complete answers; {share:.0%} of the weight is not in it.",
    "zh": "驱动因素分析仅使用 {base:,} 名回答完整的受访者；占权重 {share:.0%} 的受访者未计入。",
}
ORDER_OPEN: Text = {
    "en": "The order of the drivers is not settled: {count} of them could still be first.",
    "zh": "驱动因素的排序尚未确定：有 {count} 个因素仍可能居首。",
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
    "no_base": {
        "en": "Not shown: too few respondents gave complete answers ({base:,}).",
        "zh": "未显示：回答完整的受访者过少（{base:,} 名）。",
    },
}
LEFT_OUT: Text = {
    "en": "{metric} is not shown: {reason}",
    "zh": "未显示 {metric}：{reason}",
}
ALT: dict[str, Text] = {
    "trend": {"en": "{metric} by wave with 95% intervals", "zh": "{metric}逐期走势及 95% 区间"},
    "touchpoints": {"en": "Ratings of the touchpoints with 95% intervals", "zh": "各触点评分及 95% 区间"},
    "drivers": {"en": "Importance of the drivers with 95% intervals and noise lines", "zh": "驱动因素重要性、95% 区间与噪声线"},
    "segments": {"en": "{metric} by segment with 95% intervals", "zh": "各群体{metric}及 95% 区间"},
}  # fmt: skip
