"""Wording of a loyalty map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TYPE_WORDS = {
    "loyalist": {"en": "loyalists", "zh": "忠诚型"},
    "hostage": {"en": "hostages", "zh": "囚徒型"},
    "mercenary": {"en": "mercenaries", "zh": "图利型"},
    "defector": {"en": "defectors", "zh": "背离型"},
    "pull": {"en": "pull of satisfaction", "zh": "满意度的带动作用"},
}
SHARES = {
    "en": "{who}{loyalist:.0%} are loyalists (satisfied and loyal), {hostage:.0%} hostages (loyal without being satisfied), {mercenary:.0%} "
    "mercenaries (satisfied, not loyal) and {defector:.0%} defectors; satisfied is “{satisfaction}” {at}, loyal “{loyalty}” {loyal_at}.",
    "zh": "{who}{loyalist:.0%} 为忠诚型（满意且忠诚），{hostage:.0%} 为囚徒型（不满意却忠诚），{mercenary:.0%} 为图利型（满意但不忠诚），"
    "{defector:.0%} 为背离型；满意指“{satisfaction}”{at}，忠诚指“{loyalty}”{loyal_at}。",
}
SHARES_SHORT = {
    "en": "{who}{loyalist:.0%} are loyalists, {hostage:.0%} hostages ({low:.0%} to {high:.0%}), {mercenary:.0%} mercenaries and "
    "{defector:.0%} defectors.",
    "zh": "{who}忠诚型占 {loyalist:.0%}，囚徒型占 {hostage:.0%}（{low:.0%} 至 {high:.0%}），图利型占 {mercenary:.0%}，背离型占 {defector:.0%}。",
}
SMALL = {
    "en": "{who}the base ({base:,}) is too small for shares.",
    "zh": "{who}样本量（{base:,}）过小，不报告占比。",
}
MOVED = {
    "en": "With one of the cuts moved by a step hostages are {lowest:.0%} to {highest:.0%}.",
    "zh": "任一分界移动一档，囚徒型的占比为 {lowest:.0%} 至 {highest:.0%}。",
}
HELD = {
    "en": "{who}hostages find “{cost}” {gap:.2f} ({low:.2f} to {high:.2f}) higher than customers who are as dissatisfied and not loyal "
    "({p:p}): the label is borne out.",
    "zh": "{who}与同样不满意但不忠诚的顾客相比，囚徒型的“{cost}”高 {gap:.2f}（{low:.2f} 至 {high:.2f}；{p:p}）：“囚徒”之名得到数据支持。",
}
SLIGHTLY = {
    "en": "{who}hostages find “{cost}” higher than customers who are as dissatisfied and not loyal, but by {gap:.2f} only ({low:.2f} to "
    "{high:.2f}), less than the {margin:g} that would matter: the label is hardly borne out.",
    "zh": "{who}囚徒型的“{cost}”虽高于同样不满意但不忠诚的顾客，但仅高 {gap:.2f}（{low:.2f} 至 {high:.2f}），不及有实际意义的 {margin:g}："
    "“囚徒”之名难以成立。",
}
CONTRADICTED = {
    "en": "{who}the data contradict the label: hostages do not find “{cost}” higher than customers who are as dissatisfied and not "
    "loyal (difference {gap:+.2f}, {low:+.2f} to {high:+.2f}; {margin:g} or more would matter).",
    "zh": "{who}数据与“囚徒”之名相悖：与同样不满意但不忠诚的顾客相比，这些顾客的“{cost}”并不更高（相差 {gap:+.2f}，{low:+.2f} 至 {high:+.2f}；"
    "达到 {margin:g} 才有实际意义）。",
}
OPEN = {
    "en": "{who}whether hostages find “{cost}” higher than customers who are as dissatisfied and not loyal cannot be told (difference "
    "{gap:+.2f}, {low:+.2f} to {high:+.2f}; {margin:g} or more would matter).",
    "zh": "{who}囚徒型的“{cost}”是否高于同样不满意但不忠诚的顾客，尚无法判断（相差 {gap:+.2f}，{low:+.2f} 至 {high:+.2f}；达到 {margin:g} 才有实际意义）。",
}
WITHIN = {
    "en": "{who}“{cost}” does not tell hostages from customers who are as dissatisfied and not loyal (difference {gap:+.2f}, {low:+.2f} to "
    "{high:+.2f}; {margin:g} or more would matter); if it holds anybody here, it holds the group.",
    "zh": "{who}组内“{cost}”并不能区分囚徒型与同样不满意但不忠诚的顾客（相差 {gap:+.2f}，{low:+.2f} 至 {high:+.2f}；达到 {margin:g} 才有实际意义）；"
    "如果确有牵制，也是作用于整个群体。",
}
HARDER = {
    "en": "Hostages of {more} find “{cost}” {gap:.2f} ({low:.2f} to {high:.2f}) higher than those of {fewer} ({p:p}).",
    "zh": "{more}的囚徒型顾客的“{cost}”比{fewer}的高 {gap:.2f}（{low:.2f} 至 {high:.2f}；{p:p}）。",
}
WITH_CUTS = {
    "en": "With either cut moved by a step this difference lies between {lowest:+.2f} and {highest:+.2f}.",
    "zh": "任一分界移动一档时，该差异介于 {lowest:+.2f} 与 {highest:+.2f} 之间。",
}
PULLED = {
    "en": "{who}of the dissatisfied {dissatisfied:.0%} are loyal, of the satisfied {satisfied:.0%} ({gap:pp} percentage points, {low:pp} to "
    "{high:pp}).",
    "zh": "{who}不满意者中有 {dissatisfied:.0%} 忠诚，满意者中有 {satisfied:.0%}（相差 {gap:pp} 个百分点，{low:pp} 至 {high:pp}）。",
}
FLAT = {
    "en": "{who}loyalty is not seen to follow satisfaction: of the dissatisfied {dissatisfied:.0%} are loyal, of the satisfied "
    "{satisfied:.0%} ({gap:pp} percentage points, {low:pp} to {high:pp}).",
    "zh": "{who}看不出忠诚随满意度变化：不满意者中有 {dissatisfied:.0%} 忠诚，满意者中有 {satisfied:.0%}（相差 {gap:pp} 个百分点，{low:pp} 至 {high:pp}）。",
}
MORE = {
    "en": "Hostages are a larger part of {more} than of {fewer}: by {gap:pt} percentage points ({low:pt} to {high:pt}; {p:p}).",
    "zh": "{more}中囚徒型的占比高于{fewer}，高出 {gap:pt} 个百分点（{low:pt} 至 {high:pt}；{p:p}）。",
}
WEAKER = {
    "en": "Satisfaction moves loyalty less in {less} than in {more}: the gap between satisfied and dissatisfied is {gap:pt} percentage points "
    "({low:pt} to {high:pt}; {p:p}) smaller.",
    "zh": "与{more}相比，满意度对{less}忠诚的带动作用更弱：满意者与不满意者的差距小 {gap:pt} 个百分点（{low:pt} 至 {high:pt}；{p:p}）。",
}
ALIKE = {
    "en": "No difference between the groups in the share of hostages can be told (all types alike: {p:p}).",
    "zh": "各群体的囚徒型占比看不出差异（各类型占比全部相同的检验：{p:p}）。",
}
USUAL_CUTS = {
    "en": "High is 70% of the scale or more, where the zone of defection ends; other cuts: cuts=(…, …).",
    "zh": "“高”指达到量表的 70%，即背离区的上界；可用 cuts=(…, …) 另行指定。",
}
LABELS_ONLY = {
    "en": "The types are a cross-table, not motives: “hostage” says that somebody stays without being satisfied, not why.",
    "zh": "各类型只是交叉分类，并不代表动机：“囚徒型”仅说明顾客不满意却仍留下，并不说明原因。",
}
NO_COST = {
    "en": "The survey has no switching cost; whether hostages are held by it cannot be looked at.",
    "zh": "调查中没有转换成本题，无法考察囚徒型顾客是否受其牵制。",
}
COST_LESS = {
    "en": "“{item}” was answered by {base:,} of the {whole:,} respondents.",
    "zh": "{whole:,} 名受访者中有 {base:,} 名回答了“{item}”。",
}
COST_HOLM = {
    "en": "Switching cost of hostages against the other types: Holm over {tests} comparisons.",
    "zh": "囚徒型与其他类型的转换成本比较：{tests} 次比较，p 值经 Holm 法校正。",
}
HARDER_HOLM = {
    "en": "Switching cost of hostages, groups against each other: Holm over {tests} comparisons.",
    "zh": "各群体囚徒型的转换成本比较：{tests} 次比较，p 值经 Holm 法校正。",
}
GROUPS_HOLM = {
    "en": "Groups against each other: shares of the four types and the gap in loyalty between satisfied and dissatisfied, Holm over {tests} "
    "comparisons; all shares alike in all groups: {p:p} (Rao–Scott).",
    "zh": "群体间比较：四种类型的占比以及满意者与不满意者的忠诚差距，共 {tests} 次比较，p 值经 Holm 法校正；各群体各类型占比全部相同的检验：{p:p}（Rao–Scott）。",
}
NO_SCALE = {
    "en": "A scale is not declared: the cut is taken from the answers that occur.",
    "zh": "有题目未声明量表范围：分界按实际出现的答案划定。",
}
METHODS = {
    "en": "Satisfaction and loyalty cut in two (Jones & Sasser 1995); shares with Korn–Graubard {level} intervals, means with t intervals, differences "
    "from their design covariance, Holm within each family, Rao–Scott test of types by group.",
    "zh": "将满意度与忠诚度各分为高低两段（Jones & Sasser 1995）；占比采用 Korn–Graubard {level} 区间，均值采用 t 区间，差异由抽样设计的协方差推算，"
    "各检验族内用 Holm 法校正，类型与群体的关联用 Rao–Scott 检验。",
}
TITLE = {"en": "Loyalists, hostages, mercenaries, defectors", "zh": "忠诚型、囚徒型、图利型、背离型"}
TITLES = {
    "costs": {"en": "Switching cost by type", "zh": "各类型的转换成本"},
    "tests": {"en": "Switching cost: hostages against the others", "zh": "转换成本：囚徒型与其他类型比较"},
    "pull": {"en": "Loyalty of the satisfied and the dissatisfied", "zh": "满意者与不满意者的忠诚比例"},
    "harder": {"en": "Switching cost of hostages, groups against each other", "zh": "囚徒型的转换成本：群体间比较"},
    "differences": {"en": "Groups against each other", "zh": "群体间比较"},
    "moved": {"en": "With the cuts moved", "zh": "分界移动后的结果"},
}
HEADINGS: dict[Any, Mapping[str, str]] = {
    "type": {"en": "Type", "zh": "类型"},
    "count": {"en": "Respondents", "zh": "受访者人数"},
    "other": {"en": "Against", "zh": "对比"},
    "dissatisfied": {"en": "Loyal, dissatisfied", "zh": "不满意者中的忠诚比例"},
    "satisfied": {"en": "Loyal, satisfied", "zh": "满意者中的忠诚比例"},
    "satisfaction_cut": {"en": "Cut of satisfaction", "zh": "满意度分界"},
    "loyalty_cut": {"en": "Cut of loyalty", "zh": "忠诚分界"},
    "surplus": {"en": "Switching cost above defectors", "zh": "转换成本高于背离型"},
    "surplus_low": {"en": "Surplus low", "zh": "差值下限"},
    "surplus_high": {"en": "Surplus high", "zh": "差值上限"},
    "p_raw": {"en": "p, unadjusted", "zh": "未校正 p 值"},
    **{(column, name): words for column in ("type", "other") for name, words in TYPE_WORDS.items()},
}
MOST_LISTED = 5  # groups that a title names
HEADLINE = {
    "all": {
        "en": "{share:.0%} are loyal although they are not satisfied (hostages)",
        "zh": "{share:.0%} 的顾客虽不满意却仍忠诚（囚徒型）",
    },
    "groups": {
        "en": "Loyal although not satisfied (hostages): {listed}",
        "zh": "不满意却仍忠诚（囚徒型）的占比：{listed}",
    },
    "small": {"en": "Too few respondents for shares of types", "zh": "样本不足，无法给出各类型占比"},
}
