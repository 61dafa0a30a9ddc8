"""Why each guess was made, what is missing and what that costs, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Bilingual = Mapping[str, str]


def why(key: str, **facts: Any) -> dict[str, str]:
    """Fill a reason in all languages.

    Examples
    --------
    >>> why("name")["en"], why("name")["zh"]
    ('the name says so', '列名如此表明')
    """
    return {lang: text.format(**facts) for lang, text in _WHY[key].items()}


MARKS: Mapping[str, Mapping[bool, str]] = {
    "en": {True: "sure", False: "check this"},
    "zh": {True: "确定", False: "请核对"},
}

_WHY: Mapping[str, Bilingual] = {
    "name": {"en": "the name says so", "zh": "列名如此表明"},
    "label": {"en": "the label says so: {text}", "zh": "标签如此表明：{text}"},
    "named_outcome": {"en": "named in the call", "zh": "调用时指定"},
    "several": {"en": "{reason}; so do {others}", "zh": "{reason}；类似的还有 {others}"},
    "recommend_sure": {"en": "{reason}; answers run from 0 to 10", "zh": "{reason}；答案为 0–10"},
    "recommend_no_zero": {
        "en": "{reason}; answers run from {low:g} to {high:g}, NPS is asked on 0 to 10",
        "zh": "{reason}；答案为 {low:g}–{high:g}，NPS 一般为 0–10",
    },
    "recommend_scale": {
        "en": "{reason}; but answers run from {low:g} to {high:g}, and NPS needs 0 to 10",
        "zh": "{reason}；但答案为 {low:g}–{high:g}，而 NPS 需要 0–10",
    },
    "ecsi": {"en": "items of the European satisfaction index (ECSI) have this name", "zh": "欧洲满意度指数（ECSI）题目的惯用列名"},
    "stem": {"en": "a run of items with a name of satisfaction", "zh": "一组以满意度命名的题目"},
    "effort": {
        "en": "{reason}; higher_is_better: false means that a high answer is much effort",
        "zh": "{reason}；higher_is_better: false 表示分值越高越费力",
    },
    "effort_easy": {
        "en": "{reason}; it asks how easy it was, so a high answer is good",
        "zh": "{reason}；题目问的是轻松程度，分值越高越好",
    },
    "weak": {"en": "the only rating that speaks of satisfaction", "zh": "唯一提及满意度的评分题"},
    "scale_labels": {"en": "from the value labels", "zh": "依据值标签"},
    "scale_ecsi": {"en": "ECSI items are asked on 1 to 10", "zh": "ECSI 题目采用 1–10 分"},
    "scale_others": {
        "en": "the answers run from {low:g} to {high:g}, but ratings like it start at 0",
        "zh": "答案为 {low:g}–{high:g}，但同类题从 0 开始",
    },
    "scale_answers": {"en": "from the answers: {low:g} to {high:g} occur", "zh": "依据答案：实际取值 {low:g}–{high:g}"},
    "scale_no_zero": {
        "en": "the answers run from {low:g} to {high:g}; if 0 could be answered, write [0, 10]",
        "zh": "答案为 {low:g}–{high:g}；若题目允许选 0，请改为 [0, 10]",
    },
    "drivers_pairs": {
        "en": "{count} ratings, each with {suffix} items beside it",
        "zh": "{count} 道评分题，各有对应的 {suffix} 题",
    },
    "drivers_satisfied": {"en": "{count} ratings of satisfaction with single things", "zh": "{count} 道分项满意度评分题"},
    "drivers_stem": {"en": "{count} ratings of one scale with like names", "zh": "{count} 道同一量表、列名相近的评分题"},
    "drivers_labels": {"en": "{count} ratings in a row with one scale", "zh": "{count} 道相邻且量表相同的评分题"},
    "drivers_ecsi": {"en": "ECSI: {what}", "zh": "ECSI：{what}"},
    "drivers_price": {"en": "names or labels speak of price", "zh": "列名或标签涉及价格"},
    "drivers_most": {
        "en": "{reason}; {left} more ratings go less with {outcome} and were left out",
        "zh": "{reason}；另有 {left} 道评分题与 {outcome} 的相关较弱，未列入",
    },
    "segment_demographic": {"en": "{groups} groups; {reason}", "zh": "{groups} 组；{reason}"},
    "age_bands": {"en": "three bands of age, made under recoded; choose your own", "zh": "年龄分三段（见 recoded），可自行调整"},
    "segment_groups": {"en": "{groups} labelled groups", "zh": "{groups} 个带标签的组"},
    "segment_plain": {"en": "{groups} groups", "zh": "{groups} 组"},
    "weight_file": {"en": "the file is weighted by it", "zh": "文件即以此列加权"},
    "weight_mean": {"en": "{reason}; positive, mean {mean:.2f}", "zh": "{reason}；均为正值，均值 {mean:.2f}"},
    "weight_sum": {
        "en": "{reason}; positive, but the mean is {mean:.4g}, so it must project to a population",
        "zh": "{reason}；均为正值，但均值为 {mean:.4g}，应为放大到总体的权重",
    },
    "wave_codes": {"en": "{reason}; {count} waves, {first} to {last}", "zh": "{reason}；共 {count} 期，{first} 至 {last}"},
    "wave_dates": {
        "en": "dates of the interviews; {count} {period}s, {first} to {last}",
        "zh": "访问日期；共 {count} 个周期（{period}），{first} 至 {last}",
    },
    "period_labels": {"en": "waves are called so: {first}", "zh": "期次名称如 {first}"},
    "period_unknown": {
        "en": "nothing in the file says how often; week, month, quarter, half or year",
        "zh": "文件中看不出调查频率；可选 week、month、quarter、half、year",
    },
    "respondent_unique": {"en": "{reason}; different in every row", "zh": "{reason}；每行取值不同"},
    "respondent_nearly": {
        "en": "{reason}; {twice} ids occur more than once{within}",
        "zh": "{reason}；{twice} 个编号{within}重复出现",
    },
    "stratum_named": {"en": "{reason}; {groups} strata", "zh": "{reason}；共 {groups} 层"},
    "stratum_weights": {
        "en": "the weight has one value in each group of it, as where a fixed number is asked per group",
        "zh": "组内权重只有一个取值，像是按组配额抽样",
    },
    "psu_panel": {"en": "{count} respondents answered in more than one wave", "zh": "有 {count} 位受访者参与了多期"},
    "psu_named": {"en": "{reason}; {groups} units", "zh": "{reason}；共 {groups} 个单元"},
    "missing_label": {"en": "labelled so, but not declared missing", "zh": "标签如此，但文件未声明为缺失"},
    "missing_elsewhere": {"en": "other items say so", "zh": "其他题目如此声明"},
    "missing_code": {
        "en": "lies outside the scale; the meaning is a guess",
        "zh": "在量表之外；含义为推测",
    },
    "comments": {"en": "long texts, {share:.0%} of respondents wrote one", "zh": "长文本，{share:.0%} 的受访者填写"},
}  # fmt: skip

GAPS: Mapping[str, Bilingual] = {
    "satisfaction": {
        "en": "No item of overall satisfaction: no satisfaction score, no CSAT.",
        "zh": "未找到总体满意度题：没有满意度得分和 CSAT。",
    },
    "recommend": {
        "en": "No item of recommendation: no NPS.",
        "zh": "未找到推荐意愿题：没有 NPS。",
    },
    "drivers": {
        "en": "No battery of ratings: no key drivers.",
        "zh": "未找到成组的评分题：没有关键驱动因素分析。",
    },
    "weight": {
        "en": "No weight: every respondent counts once; if groups were sampled unequally, totals are off.",
        "zh": "未找到权重：每位受访者计为一人；若各组抽样比例不同，总体结果会有偏差。",
    },
    "wave": {
        "en": "No wave: one report on everybody, no change over time.",
        "zh": "未找到期次：只出一份总体报告，看不到变化。",
    },
    "respondent": {
        "en": "No respondent id: duplicates cannot be seen.",
        "zh": "未找到受访者编号：无法检查重复。",
    },
    "segments": {
        "en": "No groups of respondents: nothing to compare.",
        "zh": "未找到细分变量：无法做群体对比。",
    },
    "journey": {
        "en": "Stages of the journey and owners of touchpoints cannot be seen in a file: no touchpoint table until "
        "`journey:` names them.",
        "zh": "数据文件看不出旅程阶段和触点负责人：需在 `journey:` 中填写后才有触点表。",
    },
}
BAD_WEIGHT: Bilingual = {
    "en": "{column} looks like a weight, but {bad} of its values are missing or negative; it was not used.",
    "zh": "{column} 像是权重，但有 {bad} 个取值缺失或为负，未采用。",
}
GAPPY: Bilingual = {
    "en": "{column} looks like the {part}, but {bad} rows lack it; it was not used.",
    "zh": "{column} 像是{part}，但有 {bad} 行缺失，未采用。",
}
PARTS: Mapping[str, Bilingual] = {
    "wave": {"en": "wave", "zh": "期次"},
    "respondent": {"en": "respondent id", "zh": "受访者编号"},
}
LEFT_OUT: Mapping[str, Bilingual] = {
    "expectation": {"en": "expectations", "zh": "期望题"},
    "emotion": {"en": "emotions", "zh": "情绪题"},
    "beside": {"en": "other questions about the same things", "zh": "关于同一事项的其他题"},
    "importance": {"en": "stated importance", "zh": "自述重要性题"},
    "consequence": {"en": "likely consequences of satisfaction", "zh": "可能是满意度的结果"},
    "summary": {"en": "a judgement of the whole, not a driver of it", "zh": "总体评价，不宜作为驱动因素"},
    "single": {"en": "single ratings, perhaps drivers", "zh": "单独的评分题，或为驱动因素"},
    "seldom": {"en": "answered by under half of the respondents", "zh": "作答者不足一半"},
    "same": {"en": "determined by other items", "zh": "可由其他题推出"},
    "weaker": {"en": "ratings that go less with the outcome", "zh": "与结果相关较弱的评分题"},
    "sets": {"en": "multiple-response questions", "zh": "多选题"},
    "dates": {"en": "dates", "zh": "日期"},
}
HEADER: Bilingual = {
    "en": "Drafted by `cxlab init` from {file}, {rows:,} respondents, {columns} columns.\n"
    "“sure” and “check this” say how each line was found. Labels come from the file.\n"
    "After a change: cxlab check {path}",
    "zh": "由 `cxlab init` 根据 {file} 起草（{rows:,} 位受访者，{columns} 列）。\n"
    "“确定”与“请核对”说明每一行的依据。标签取自数据文件。\n"
    "修改后请运行：cxlab check {path}",
}
NOT_USED: Bilingual = {"en": "not used – {what}: {items}", "zh": "未采用——{what}：{items}"}

TEXT: Mapping[str, Bilingual] = {
    "written": {"en": "Drafted {path}: {rows:,} respondents, {columns} columns.", "zh": "已起草 {path}：{rows:,} 位受访者，{columns} 列。"},
    "sure": {"en": "Sure:", "zh": "确定："},
    "check": {"en": "Check this:", "zh": "请核对："},
    "gaps": {"en": "Not found, and what that costs:", "zh": "未找到的内容及其影响："},
    "notes": {"en": "While reading the file:", "zh": "读取文件时："},
    "next": {"en": "The first report:", "zh": "生成第一份报告："},
}  # fmt: skip
