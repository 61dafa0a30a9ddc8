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
WAY = {"en": {True: "above", False: "below"}, "zh": {True: "高", False: "低"}}
UNHAPPY = {
    "every": {
        "en": "{segment:cap}: {metric:in} is {value}, {gap} {way} {other}, the next group (95% interval {low} to {high}, Holm {p:p}).",
        "zh": "{segment}：{metric}为 {value}，比最接近的“{other}”{way} {gap}（95% 区间 {low} 至 {high}，Holm 校正 {p:p}）。",
    },
    "some": {
        "en": "{segment:cap}: {metric:in} is {value}, {gap} {way} {other} (95% interval {low} to {high}, Holm {p:p}).",
        "zh": "{segment}：{metric}为 {value}，比“{other}”{way} {gap}（95% 区间 {low} 至 {high}，Holm 校正 {p:p}）。",
    },
}
UNHAPPY_HIDDEN: Text = {
    "en": " The total hides a crisis there; see “Segments compared”.",
    "zh": "该群体的问题被总体掩盖，详见“细分群体比较”。",
}
NOBODY_UNHAPPY: Text = {
    "en": "No group of {by:in} is worse off than another in {metric:in} beyond chance; a gap of {detectable} would have shown with "
    "{power:.0%} power.",
    "zh": "按{by}划分，没有群体的{metric}显著低于其他群体；差距达到 {detectable} 时，有 {power:.0%} 的把握识别。",
}
SEGMENTS_TITLE: Text = {
    "en": "{segment:cap}: {metric:in} is {gap} {way} {other}",
    "zh": "{segment}的{metric}比“{other}”{way} {gap}",
}
SEGMENTS_EQUAL: Text = {
    "en": "No group of {by:in} differs from another in {metric:in} beyond chance",
    "zh": "按{by}划分，各群体的{metric}没有显著差异",
}
SEGMENT_GAPS: Text = {
    "en": "{segment:cap} is behind every other group in {metric:in}: {gap} {way} {other} (95% interval {low} to {high}, Holm {p:p}).",
    "zh": "{segment}的“{metric}”落后于所有其他群体：比“{other}”{way} {gap}（95% 区间 {low} 至 {high}，Holm 校正 {p:p}）。",
}
MORE_GAPS: Text = {
    "en": "Further items in which one group is behind all others: {count}.",
    "zh": "此外还有 {count} 项，其中某一群体落后于所有其他群体。",
}
CRISIS_TITLE: Text = {
    "en": "Hidden crisis: {segments} behind in {items}, while the total stays level",
    "zh": "隐藏的危机：总体平稳，但{segments}在{items}上明显落后",
}
CRISIS = {
    "level": {
        "en": "{item:cap}: {segment} is {gap} {way} all others (95% interval {low} to {high}, Holm {p:p}), while the total hardly moved ({total}).",
        "zh": "{item}：{segment}比其他顾客{way} {gap} 分（95% 区间 {low} 至 {high}，Holm 校正 {p:p}），而总体几乎未变（{total}）。",
    },
    "pull": {
        "en": "{item:cap}: {segment} is {gap} {way} all others (95% interval {low} to {high}, Holm {p:p}), which hardly moves the total ({total}).",
        "zh": "{item}：{segment}比其他顾客{way} {gap} 分（95% 区间 {low} 至 {high}，Holm 校正 {p:p}），但对总体几乎没有影响（{total}）。",
    },
    "trend": {
        "en": "{item:cap}: {segment} moved by {value} between {before} and {after}, all others by {rest} ({gap} apart, 95% interval {low} to {high}, "
        "Holm {p:p}), while the total hardly moved ({total}).",
        "zh": "{item}：从{before}到{after}，{segment}变动 {value}，其他顾客变动 {rest}（相差 {gap} 分，95% 区间 {low} 至 {high}，"
        "Holm 校正 {p:p}），而总体几乎未变（{total}）。",
    },
}
CRISIS_MORE: Text = {
    "en": "Further causes of this kind: {count}; the table has them.",
    "zh": "此外还有 {count} 项同类原因，见下表。",
}
CRISIS_FOLLOWS: Text = {
    "en": "Consequences for {segment}, worse than among all others: {names}.",
    "zh": "{segment}由此出现的后果（均差于其他顾客）：{names}。",
}
CRISIS_RISK: Text = {
    "en": "At risk: {segment}, {customers:.0%} of the customers (95% interval {low:.0%} to {high:.0%}).",
    "zh": "面临风险：{segment}，占顾客的 {customers:.0%}（95% 区间 {low:.0%} 至 {high:.0%}）。",
}
CRISIS_WEAKER: Text = {
    "en": "Weaker signals of the same kind, to be watched (they hold at a false-discovery rate of {alpha:.0%}, not by Holm): {names}.",
    "zh": "较弱的同类信号，建议持续关注（错误发现率 {alpha:.0%} 下成立，未通过 Holm 校正）：{names}。",
}
CRISIS_NONE: Text = {
    "en": "No hidden crisis: in none of {tests:,} checks is a group worse off behind a level total. Half of the checks would have "
    "shown a gap of {size:.1f} × the tolerance δ with {power:.0%} power.",
    "zh": "未发现被掩盖的危机：{tests:,} 项检查中，没有一项是总体平稳而某群体明显偏差。其中一半的检查有 {power:.0%} 的把握识别 {size:.1f} 倍容差 δ 的差距。",
}
CRISIS_WAVES: Text = {
    "en": "The search for a hidden crisis covers {count} waves, {first} to {last}: a trend needs more waves than a level.",
    "zh": "隐藏危机的搜索覆盖 {count} 期（{first}至 {last}）：识别趋势比识别水平需要更多期次。",
}
CRISIS_METHOD: Text = {
    "en": "A crisis is called hidden where a group is worse off than all others beyond chance while the {flat:.0%} interval of the total's change stays "
    "within ±δ, {share:.1%} of the response scale. Which items are causes and which consequences is the order of study.yml, not a finding.",
    "zh": "“隐藏的危机”指：某群体显著差于其他顾客，而总体变动的 {flat:.0%} 区间在 ±δ（量表长度的 {share:.1%}）以内。何为原因、何为后果，依 study.yml 的设定，并非检验所得。",
}
LEVELS_TABLE: Text = {"en": "Touchpoints by group", "zh": "各群体的触点评分"}
DIFFERENCES_TABLE: Text = {"en": "Differences between groups that hold against chance", "zh": "各群体之间的显著差异"}
CRISIS_TABLE: Text = {"en": "The hidden crisis in numbers: causes and consequences", "zh": "隐藏的危机：原因与后果明细"}
CRISIS_CHART: Text = {
    "en": "{metric} by {by:in}; dashed: the total",
    "zh": "各{by}的{metric}（虚线为总体）",
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
    "crisis": {"en": "Line chart: {metric} by group and wave with 95% intervals, the total dashed; the sentences above say what it shows", "zh": "折线图：各群体逐期{metric}及 95% 区间，虚线为总体；结论见上文"},
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
