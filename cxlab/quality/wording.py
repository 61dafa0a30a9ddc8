"""What the checks say, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cxlab.words import Sentence, number, sentence

Bilingual = Mapping[str, str]


def fill(template: Bilingual, **facts: Any) -> Bilingual:
    """Fill a note in all languages."""
    return {lang: text.format(**facts) for lang, text in template.items()}


CHECKS: dict[str, Bilingual] = {
    "duplicates": {"en": "Same respondent twice", "zh": "重复受访者"},
    "straight_lining": {"en": "Straight-lining", "zh": "直线作答"},
    "out_of_range": {"en": "Answers outside the scale", "zh": "超出量表范围的答案"},
    "undeclared_missing": {"en": "Undeclared “don't know” codes", "zh": "未声明的“不知道”类编码"},
    "impossible_dates": {"en": "Impossible dates", "zh": "不可能的日期"},
    "missing": {"en": "Missing answers", "zh": "缺失答案"},
    "not_asked": {"en": "Items not asked in a wave", "zh": "某期未询问的题目"},
    "weights": {"en": "Unusable weights", "zh": "无法使用的权重"},
    "speeders": {"en": "Speeders", "zh": "作答过快"},
}
COLUMNS: dict[str, Bilingual] = {
    "check": {"en": "Check", "zh": "检查项"},
    "base": {"en": "Looked at", "zh": "检查数"},
    "count": {"en": "Found", "zh": "发现数"},
}
REASONS: dict[str, Bilingual] = {
    "no answer": {"en": "no answer", "zh": "未作答"},
    "not asked": {"en": "not asked", "zh": "未询问"},
    "refused": {"en": "refused", "zh": "拒答"},
    "not experienced": {"en": "not experienced", "zh": "未体验"},
    "don't know": {"en": "don't know", "zh": "不知道"},
    "not applicable": {"en": "not applicable", "zh": "不适用"},
    "user-missing": {"en": "declared missing", "zh": "声明为缺失"},
}

SHARES: Bilingual = {
    "en": "Share of respondents without an answer, by reason.",
    "zh": "各题没有答案的受访者占比，按原因列出。",
}

NEEDS: dict[str, Bilingual] = {
    "duplicates": {
        "en": "Duplicates were not looked for: study.yml would need `respondent:`, the column of the respondent id.",
        "zh": "未检查重复受访者：需在 study.yml 中用 `respondent:` 指明受访者编号列。",
    },
    "straight_lining": {
        "en": "Straight-lining was not looked for: study.yml would need `quality: straight_lining:` with at least six "
        "rating items of one scale (or as many touchpoints or drivers).",
        "zh": "未检查直线作答：需在 study.yml 的 `quality: straight_lining:` 下列出至少六道同一量表的评分题"
        "（或有同样多的触点题或驱动因素题）。",
    },
    "out_of_range": {
        "en": "Answers outside the scale were not looked for: study.yml would need a `scale:` under `items:`.",
        "zh": "未检查超范围答案：需在 study.yml 的 `items:` 下为题目注明 `scale:`。",
    },
    "undeclared_missing": {
        "en": "Undeclared “don't know” codes were not looked for: study.yml would need a `scale:` under `items:`.",
        "zh": "未检查未声明的“不知道”类编码：需在 study.yml 的 `items:` 下为题目注明 `scale:`。",
    },
    "impossible_dates": {
        "en": "Dates were not checked: the data file has no column of dates.",
        "zh": "未检查日期：数据文件中没有日期列。",
    },
    "not_asked": {
        "en": "Items that a wave was not asked cannot be told apart: study.yml would need `wave:`.",
        "zh": "无法判断某期是否未询问某题：需在 study.yml 中用 `wave:` 指明期次列。",
    },
    "weights": {
        "en": "No weights: every respondent counts once. study.yml would need `design: {weight: …}`.",
        "zh": "未加权：每位受访者计为一人。如需加权，请在 study.yml 中写明 `design: {weight: …}`。",
    },
    "speeders": {
        "en": "Speeders were not looked for: the data file has no column that is plainly the length of the interview "
        "(such as interview_seconds).",
        "zh": "未检查作答过快：数据文件中没有明确记录答题时长的列（如 interview_seconds）。",
    },
}

NO_ID: Bilingual = {
    "en": "{n} respondents have no id in {column}; duplicates among them cannot be seen.",
    "zh": "{n} 位受访者在 {column} 中没有编号，无法判断其中是否有重复。",
}
HONEST: Bilingual = {
    "en": "The same answer throughout may be honest, above all at an end of the scale; nobody was removed.",
    "zh": "全部选同一答案也可能是真实意见，尤其在量表两端；未剔除任何受访者。",
}
UNFIT: Bilingual = {
    "en": "{n} item(s) have more than 5 % of answers outside their labels, so the labels are not the whole scale and "
    "the range was not checked: {items}. study.yml can give their `scale:`.",
    "zh": "{n} 道题有超过 5 % 的答案不在值标签内，说明标签并非完整量表，未检查其范围：{items}。"
    "可在 study.yml 中注明 `scale:`。",
}
DECLARE: Bilingual = {
    "en": "The codes {codes} are labelled but not declared missing, so they count as answers: name them under "
    "`missing:` in study.yml.",
    "zh": "编码 {codes} 有标签但未声明为缺失，目前按有效答案计入：请在 study.yml 的 `missing:` 下声明。",
}

# per check: nothing found, one, several
_SAID: dict[str, tuple[Bilingual, Bilingual, Bilingual]] = {
    "duplicates": (
        {
            "en": "None of {base:,} respondents appears twice{within}.",
            "zh": "{base:,} 位受访者中，没有人{within}重复出现。",
        },
        {
            "en": "{count} respondent ({share:.1%}) appears more than once{within}.",
            "zh": "有 {count} 位受访者（{share:.1%}）{within}重复出现。",
        },
        {
            "en": "{count:,} respondents ({share:.1%}) appear more than once{within}.",
            "zh": "有 {count:,} 位受访者（{share:.1%}）{within}重复出现。",
        },
    ),
    "straight_lining": (
        {
            "en": "Nobody answered all {what} alike ({base:,} rated at least six of {items}).",
            "zh": "没有受访者对所有{what}给出相同评分（{base:,} 人评价了 {items} 项中的至少六项）。",
        },
        {
            "en": "{count} respondent ({share:.1%}) answered all {what} alike (at least six of {items}); "
            "{at_ends} at an end of the scale.",
            "zh": "有 {count} 位受访者（{share:.1%}）对所有{what}给出相同评分（{items} 项中至少评价六项），"
            "其中 {at_ends} 人选的是量表端点。",
        },
        {
            "en": "{count:,} respondents ({share:.1%}) answered all {what} alike (at least six of {items}); "
            "{at_ends:,} of them at an end of the scale.",
            "zh": "有 {count:,} 位受访者（{share:.1%}）对所有{what}给出相同评分（{items} 项中至少评价六项），"
            "其中 {at_ends:,} 人选的是量表端点。",
        },
    ),
    "out_of_range": (
        {
            "en": "No answer lies outside its scale ({items} items).",
            "zh": "没有答案超出量表范围（共检查 {items} 道题）。",
        },
        {
            "en": "{count} answer of {base:,} lies outside its scale.",
            "zh": "{base:,} 个答案中有 {count} 个超出量表范围。",
        },
        {
            "en": "{count:,} answers of {base:,} lie outside their scale; they come from {respondents:,} respondents.",
            "zh": "{base:,} 个答案中有 {count:,} 个超出量表范围，来自 {respondents:,} 位受访者。",
        },
    ),
    "undeclared_missing": (
        {
            "en": "No labelled code outside a scale counts as an answer.",
            "zh": "没有量表以外的带标签编码被当作答案。",
        },
        {
            "en": "{count} answer has a labelled code outside its scale ({codes}) and counts as a number.",
            "zh": "有 {count} 个答案使用了量表以外的带标签编码（{codes}），目前被当作数值计入。",
        },
        {
            "en": "{count:,} answers ({share:.1%}) have a labelled code outside their scale ({codes}) "
            "and count as numbers.",
            "zh": "有 {count:,} 个答案（{share:.1%}）使用了量表以外的带标签编码（{codes}），目前被当作数值计入。",
        },
    ),
    "impossible_dates": (
        {"en": "All {base:,} dates are possible.", "zh": "{base:,} 个日期均合理。"},
        {"en": "{count} date of {base:,} is impossible.", "zh": "{base:,} 个日期中有 {count} 个不可能成立。"},
        {"en": "{count:,} dates of {base:,} are impossible.", "zh": "{base:,} 个日期中有 {count:,} 个不可能成立。"},
    ),
    "missing": (
        {"en": "No answer is missing.", "zh": "没有缺失答案。"},
        {
            "en": "{count} answer of {base:,} is missing ({item_label}: {reason_label}).",
            "zh": "{base:,} 个答案中缺失 {count} 个（{item_label}：{reason_label}）。",
        },
        {
            "en": "{share:.1%} of the answers are missing; most at {item_label}, where {item_share:.1%} of respondents "
            "have none (mainly: {reason_label}).",
            "zh": "{share:.1%} 的答案缺失；缺失最多的是“{item_label}”，{item_share:.1%} 的受访者没有答案"
            "（主要原因：{reason_label}）。",
        },
    ),
    "not_asked": (
        {"en": "Every item was asked in every wave.", "zh": "每期都询问了全部题目。"},
        {
            "en": "{count} item was not asked in every wave: {gaps}.",
            "zh": "有 {count} 道题并非每期都问：{gaps}。",
        },
        {
            "en": "{count:,} times an item was not asked in a wave: {gaps}.",
            "zh": "共有 {count:,} 处题目在某期未被询问：{gaps}。",
        },
    ),
    "weights": (
        {"en": "All {base:,} weights can be used.", "zh": "{base:,} 个权重均可使用。"},
        {"en": "{count} weight is missing or negative; no weighted number can be trusted.",
         "zh": "有 {count} 个权重缺失或为负，加权结果均不可信。"},
        {"en": "{count:,} weights ({share:.1%}) are missing or negative; no weighted number can be trusted.",
         "zh": "有 {count:,} 个权重（{share:.1%}）缺失或为负，加权结果均不可信。"},
    ),
    "speeders": (
        {
            "en": "Nobody answered in less than a third of the median time ({median:,.0f}).",
            "zh": "没有人的答题时长短于中位时长（{median:,.0f}）的三分之一。",
        },
        {
            "en": "{count} respondent ({share:.1%}) took less than a third of the median time ({median:,.0f}).",
            "zh": "有 {count} 位受访者（{share:.1%}）的答题时长短于中位时长（{median:,.0f}）的三分之一。",
        },
        {
            "en": "{count:,} respondents ({share:.1%}) took less than a third of the median time ({median:,.0f}).",
            "zh": "有 {count:,} 位受访者（{share:.1%}）的答题时长短于中位时长（{median:,.0f}）的三分之一。",
        },
    ),
}  # fmt: skip
WEIGHTED: Bilingual = {
    "en": "The weights run from {minimum:.2f} to {maximum:.2f} (mean {mean:.2f}, coefficient of variation {cv:.2f}); "
    "by Kish's design effect of {design_effect:.2f}, {base:,} respondents are worth {base_effective:,.0f}.",
    "zh": "权重介于 {minimum:.2f} 与 {maximum:.2f} 之间（均值 {mean:.2f}，变异系数 {cv:.2f}）；"
    "按 Kish 设计效应 {design_effect:.2f} 计算，{base:,} 个样本相当于 {base_effective:,.0f} 个有效样本。",
}
UNWEIGHTED: Bilingual = {
    "en": "{base:,} respondents, unweighted.",
    "zh": "共 {base:,} 位受访者，未加权。",
}
METHODS = {
    "en": "A respondent counts as a duplicate if the same id occurs more than once within a wave, as a straight-liner "
    "if at least {battery} items of one battery were answered, all alike, and as a speeder below a third of the "
    "median interview length. Answers outside the declared scale or value labels are out of range; dates are "
    "impossible if the calendar has no such day, if they lie before 1900 or in the future, or more than ten years from "
    "the median of a column whose middle 90 % span less than five. An item counts as not asked in a wave of at "
    "least {wave} respondents where nobody answered and nobody gave a reason. Kish's design effect is n Σw² / "
    "(Σw)². Respondents were flagged, not removed.",
    "zh": "同一编号在同一期内出现多次视为重复受访者；在同一组题目中至少作答 {battery} 题且答案全部相同视为直线作答；"
    "答题时长短于中位数三分之一视为作答过快。超出所声明量表或值标签的答案视为超范围；日历上不存在、早于 1900 年或"
    "晚于今天、或在集中于五年之内（中间 90 %）的日期列中偏离中位数十年以上的日期，视为不可能的日期。"
    "某期至少 {wave} 位受访者中无人作答且无人给出原因的题目，"
    "视为该期未询问。Kish 设计效应为 n Σw² / (Σw)²。本检查只作标记，不剔除受访者。",
}

_WITHIN = ({"en": "", "zh": ""}, {"en": " within a wave", "zh": "在同一期内"})
_WHAT = ({"en": "rating items", "zh": "评分题"}, {"en": "touchpoints", "zh": "触点"})


def say(check: str, row: Mapping[str, Any], facts: Mapping[str, Any], lang: str) -> Sentence:
    """Word what a check found."""
    count = int(row["count"])
    template = _SAID[check][min(count, 2)][lang]
    if check == "duplicates":  # words, not numbers: they are no facts
        template = template.replace("{within}", _WITHIN[facts["within_wave"]][lang])
    if check == "straight_lining":
        template = template.replace("{what}", _WHAT[facts["touchpoints"]][lang])
    return sentence({lang: template}, lang, **facts, base=row["base"], count=count, share=row["share"])


def reason_label(reason: str, lang: str) -> str:
    """Word a reason for a missing answer; a reason of the study's own stays as it is."""
    return number(REASONS.get(reason, {}).get(lang, reason))
