"""What an audit says: per check a question, and a sentence for each thing that can be found."""

from __future__ import annotations

from collections.abc import Mapping

from cxlab.drivers._audit_words_drivers import OF_DRIVERS

Wording = Mapping[str, str]

QUESTIONS: Mapping[str, Wording] = {
    "base": {"en": "Are there enough respondents?", "zh": "样本量够不够？"},
    "lost": {"en": "How many were left out?", "zh": "有多少受访者被剔除？"},
    "selective": {"en": "Are those left out different?", "zh": "被剔除的人是否不同？"},
    "weighting": {"en": "Do a few weights dominate?", "zh": "是否由少数权重主导？"},
    "outcome_type": {"en": "Does the model suit the outcome?", "zh": "模型是否适合该结果变量？"},
    "at_the_end": {"en": "Do answers pile up at one end?", "zh": "回答是否堆积在量表一端？"},
    "curvature": {"en": "Are effects straight lines?", "zh": "影响是否呈直线？"},
    "spread": {"en": "Is the scatter even?", "zh": "误差离散程度是否均匀？"},
    "inflation": {"en": "Do drivers repeat one another?", "zh": "驱动因素是否相互重复？"},
    "condition": {"en": "Is a group of drivers tied together?", "zh": "是否有一组因素彼此牵连？"},
    "signs": {"en": "Do any effects have the wrong sign?", "zh": "影响方向是否反常？"},
    "influence": {"en": "Does one respondent decide?", "zh": "个别受访者是否左右结果？"},
    "methods": {"en": "Do methods agree?", "zh": "不同方法结论是否一致？"},
    "halo": {"en": "Is it only a general impression?", "zh": "是否只是整体印象（光环效应）？"},
    "marker": {"en": "Is it only a way of answering?", "zh": "是否只是答题习惯（共同方法偏差）？"},
    "omitted": {"en": "Could a missing cause explain it?", "zh": "遗漏的原因能否解释这一影响？"},
    "fragile": {"en": "How few respondents could overturn rank 1?", "zh": "去掉多少受访者，首位就会改变？"},
    "errors_in_drivers": {"en": "Could unreliable answers overturn rank 1?", "zh": "回答不够可靠时，首位会不会改变？"},
}  # fmt: skip

_OF_DATA: Mapping[tuple[str, str], Wording] = {
    ("base", "ok"): {
        "en": "Every effect rests on an effective base of {value:,.0f} or more; from {limit:.0f} on numbers are reported without reserve.",
        "zh": "每项影响的有效样本量均不低于 {value:,.0f}（达到 {limit:.0f} 即可正常报告）。",
    },
    ("base", "look"): {
        "en": "{count} drivers rest on an effective base under {limit:.0f} (smallest {value:,.0f}): {drivers}. Read their intervals, not "
        "their ranks, or pool more waves.",
        "zh": "{count} 个因素的有效样本量低于 {limit:.0f}（最小 {value:,.0f}）：{drivers}。请看区间而非名次，或合并更多期次。",
    },
    ("base", "serious"): {
        "en": "{count} drivers rest on an effective base under {limit:.0f}, the smallest on {value:,.0f}, too few to report: {drivers}. Pool more waves or "
        "widen the filter.",
        "zh": "{count} 个因素的有效样本量低于 {limit:.0f}，最小仅 {value:,.0f}，不足以报告：{drivers}。请合并更多期次或放宽筛选条件。",
    },
    ("lost", "none"): {
        "en": "No respondent was left out for a missing answer.",
        "zh": "没有受访者因缺失回答被剔除。",
    },
    ("lost", "ok"): {
        "en": "{lost:,} of {asked:,} respondents ({value:.0%} of the weight) were left out for a missing answer.",
        "zh": "{asked:,} 名受访者中有 {lost:,} 名（占权重 {value:.0%}）因缺失回答被剔除。",
    },
    ("lost", "look"): {
        "en": "{lost:,} of {asked:,} respondents ({value:.0%} of the weight) were left out for a missing answer; most often missing is {worst:in} "
        "({most:.0%}). See whether the ranking holds under another treatment of missing answers (cx.compare_missing).",
        "zh": "{asked:,} 名受访者中有 {lost:,} 名（占权重 {value:.0%}）因缺失回答被剔除；缺失最多的是“{worst}”（{most:.0%}）。"
        "请换一种缺失处理方式（cx.compare_missing），看排名是否依然成立。",
    },
    ("lost", "serious"): {
        "en": "Most of the weight is gone: {lost:,} of {asked:,} respondents ({value:.0%} of the weight) were left out for a missing answer; most often "
        "missing is {worst:in} ({most:.0%}). Treat missing answers otherwise (missing=), or set that driver aside.",
        "zh": "大部分样本已流失：{asked:,} 名受访者中有 {lost:,} 名（占权重 {value:.0%}）因缺失回答被剔除；缺失最多的是“{worst}”（{most:.0%}）。"
        "请改用其他缺失处理方式（missing=），或先不纳入该因素。",
    },
    ("selective", "none"): {
        "en": "Nobody was left out, so nobody can differ.",
        "zh": "没有人被剔除，不存在这一问题。",
    },
    ("selective", "few"): {
        "en": "Too few were left out with a known {outcome:in} ({left:,}) to compare them.",
        "zh": "被剔除且已知“{outcome}”的受访者仅 {left:,} 名，不足以比较。",
    },
    ("selective", "ok"): {
        "en": "The {left:,} respondents left out do not clearly differ in {outcome:in}: mean {left_mean:.1f} against {stayed_mean:.1f} ({p:p}).",
        "zh": "被剔除的 {left:,} 名受访者在“{outcome}”上没有明显不同：均值 {left_mean:.1f}，其余为 {stayed_mean:.1f}（{p:p}）。",
    },
    ("selective", "look"): {
        "en": "The {left:,} respondents left out differ in {outcome:in}: mean {left_mean:.1f} against {stayed_mean:.1f} ({p:p}). The ranking holds "
        "for those who answered everything; see whether it holds with missing answers treated otherwise (cx.compare_missing).",
        "zh": "被剔除的 {left:,} 名受访者在“{outcome}”上与其余不同：均值 {left_mean:.1f}，其余为 {stayed_mean:.1f}（{p:p}）。"
        "当前排名只代表全部作答者；请换一种缺失处理方式（cx.compare_missing）再核对。",
    },
    ("selective", "serious"): {
        "en": "The {left:,} respondents left out are another kind of customer: their mean {outcome:in} is {left_mean:.1f} against "
        "{stayed_mean:.1f} ({p:p}). Do not report this ranking for all customers; treat missing answers otherwise (missing=, cx.compare_missing).",
        "zh": "被剔除的 {left:,} 名受访者明显是另一类客户：“{outcome}”均值 {left_mean:.1f}，其余为 {stayed_mean:.1f}（{p:p}）。"
        "此排名不能代表全体客户；请改用其他缺失处理方式（missing=）。",
    },
    ("weighting", "ok"): {
        "en": "Weights are even enough: {base:,} respondents count like {effective:,.0f}, and the heaviest carries {largest:.1%} of the weight.",
        "zh": "权重较为均匀：{base:,} 名受访者相当于 {effective:,.0f} 名等权样本，单个受访者最多占权重 {largest:.1%}。",
    },
    ("weighting", "look"): {
        "en": "Weights are uneven: {base:,} respondents count like {effective:,.0f}, and the heaviest carries {largest:.1%} of the weight. Check or "
        "trim the weights, and compare with the unweighted ranking.",
        "zh": "权重不均：{base:,} 名受访者仅相当于 {effective:,.0f} 名等权样本，单个受访者最多占权重 {largest:.1%}。请核查或截尾权重，并与未加权排名对照。",
    },
    ("weighting", "serious"): {
        "en": "A few weights dominate: {base:,} respondents count like {effective:,.0f}, and the heaviest alone carries {largest:.1%} of the "
        "weight. Correct or trim the weights before you read any number.",
        "zh": "少数权重主导结果：{base:,} 名受访者仅相当于 {effective:,.0f} 名等权样本，最重的一名就占权重 {largest:.1%}。请先修正或截尾权重，再看任何数字。",
    },
    ("outcome_type", "ok"): {
        "en": "{outcome:cap} takes {value:.0f} values; a linear model suits it.",
        "zh": "“{outcome}”有 {value:.0f} 个取值，适合线性模型。",
    },
    ("outcome_type", "look"): {
        "en": "{outcome:cap} takes only {value:.0f} values; see whether an ordinal model (model=\"ordinal\") ranks the drivers alike.",
        "zh": "“{outcome}”只有 {value:.0f} 个取值；请用有序模型（model=\"ordinal\"）核对排名是否相同。",
    },
    ("outcome_type", "serious"): {
        "en": "{outcome:cap} takes only {value:.0f} values, a linear model is the wrong one; use model=\"logit\".",
        "zh": "“{outcome}”只有 {value:.0f} 个取值，不应使用线性模型；请改用 logit 模型（model=\"logit\"）。",
    },
    ("at_the_end", "ok"): {
        "en": "{value:.0%} of the answers to {outcome:in} stand at an end of the scale ({end:g}); that leaves room to differ.",
        "zh": "“{outcome}”有 {value:.0%} 的回答位于量表一端（{end:g}），仍有足够区分度。",
    },
    ("at_the_end", "look"): {
        "en": "{value:.0%} of the answers to {outcome:in} stand at one end of the scale ({end:g}): differences among these customers are not seen. "
        "Check with an ordinal model, or with a share such as top 2 as the outcome.",
        "zh": "“{outcome}”有 {value:.0%} 的回答集中在量表一端（{end:g}），这部分客户之间的差异无法体现。请用有序模型或以高分比例（如 top 2）为结果变量核对。",
    },
    ("at_the_end", "serious"): {
        "en": "{value:.0%} of the answers to {outcome:in} stand at one end of the scale ({end:g}): the linear model mostly tells these from the rest. "
        "Use an ordinal or a logit model (model=).",
        "zh": "“{outcome}”有 {value:.0%} 的回答集中在量表一端（{end:g}），线性模型实际上只是在区分这部分人与其余人。请改用有序或 logit 模型（model=）。",
    },
    ("curvature", "few"): {
        "en": "Too few respondents to tell a curve from a straight line with so many drivers.",
        "zh": "相对于因素个数，样本过少，无法判断影响是直线还是曲线。",
    },
    ("curvature", "ok"): {
        "en": "No clear curve: a bend in any one effect would add at most {value:.1%} to the differences explained.",
        "zh": "未见明显弯曲：让任何一项影响弯曲，解释力最多增加 {value:.1%}。",
    },
    ("curvature", "look"): {
        "en": "The effect is no straight line for {drivers:in}: bending adds up to {value:.1%} of explained differences ({p:p}). One point "
        "more does not count alike at the bottom and at the top; see cx.asymmetry.",
        "zh": "{drivers}的影响并非直线：允许弯曲后解释力最多增加 {value:.1%}（{p:p}）。低分段与高分段每提高 1 分的作用不同，请结合不对称分析（cx.asymmetry）判断。",
    },
    ("curvature", "serious"): {
        "en": "The effect is clearly no straight line for {drivers:in}: bending adds up to {value:.1%} of explained differences ({p:p}). "
        "Do not use the effect per +1 point; see cx.asymmetry.",
        "zh": "{drivers}的影响明显不是直线：允许弯曲后解释力最多增加 {value:.1%}（{p:p}）。请勿直接使用“每 +1 分的影响”，应看不对称分析（cx.asymmetry）。",
    },
    ("curvature", "overall"): {
        "en": "The drivers together do not work along a straight line: bending the fit adds {value:.1%} of explained differences ({p:p}). Check for a "
        "ceiling of {outcome:in}, and for drivers that work only together.",
        "zh": "各因素合起来的影响并非直线：允许拟合弯曲后解释力增加 {value:.1%}（{p:p}）。请检查“{outcome}”是否触顶，或因素之间是否存在相互作用。",
    },
    ("spread", "few"): {
        "en": "Too few respondents to compare the scatter of high and low predictions.",
        "zh": "样本过少，无法比较预测值高低两端的误差离散程度。",
    },
    ("spread", "unsure"): {
        "en": "The scatter around the fit seems {value:.1f} times as large at one end, but not clearly ({p:p}).",
        "zh": "一端的误差离散程度似为另一端的 {value:.1f} 倍，但不显著（{p:p}）。",
    },
    ("spread", "ok"): {
        "en": "The scatter around the fit is much alike for high and low predictions (ratio {value:.1f}).",
        "zh": "预测值高低两端的误差离散程度相近（比值 {value:.1f}）。",
    },
    ("spread", "lower"): {
        "en": "Predictions are {value:.1f} times less precise among the dissatisfied ({p:p}). Intervals allow for this; single predictions "
        "and what-if answers for these customers do not.",
        "zh": "低分客户的预测误差是高分客户的 {value:.1f} 倍（{p:p}）。区间已考虑这一点，但对这部分客户的单点预测和假设推演并未考虑。",
    },
    ("spread", "upper"): {
        "en": "Predictions are {value:.1f} times less precise among the satisfied ({p:p}). Intervals allow for this; single predictions "
        "and what-if answers for these customers do not.",
        "zh": "高分客户的预测误差是低分客户的 {value:.1f} 倍（{p:p}）。区间已考虑这一点，但对这部分客户的单点预测和假设推演并未考虑。",
    },
}  # fmt: skip
WORDINGS = {**_OF_DATA, **OF_DRIVERS}

SUMMARY = {
    "en": "{count} checks of the key drivers of {outcome:in}: {ok} in order, {look} worth a look, {serious} serious.",
    "zh": "对“{outcome}”关键驱动因素做了 {count} 项检查：{ok} 项正常，{look} 项需要留意，{serious} 项严重。",
}
NO_MARKER = {
    "en": "The study declares no marker item (marker: in study.yml, or audit(marker=...)), so how far answers share a way of answering could not be "
    "measured. Harman's single-factor test does not measure it either and is not used (Baumgartner et al. 2021).",
    "zh": "研究未声明标记题（study.yml 的 marker:，或 audit(marker=...)），因此无法衡量共同方法偏差。Harman 单因素检验也不能衡量，故不采用（Baumgartner 等，2021）。",
}
COMPLETE_ROWS = {
    "en": "Checks that look at single respondents use the {rows:,} rows with all answers.",
    "zh": "涉及个别受访者的检查使用回答完整的 {rows:,} 行。",
}
STRAIGHT = {
    "en": "The model is not linear; checks work on its linear approximation, and those of the linear form are left out.",
    "zh": "模型不是线性的；各项检查基于其线性近似，并略去针对线性形式的检查。",
}
MEASURED = {
    "en": "Checks that compute importances anew use {method}.",
    "zh": "需重新计算重要性的检查使用 {method}。",
}
LEADER = {
    "en": "Checks that compute importances anew find {leader:in} first, the ranking itself has {first:in}.",
    "zh": "重新计算重要性的检查以“{leader}”为首位，而排名本身的首位是“{first}”。",
}
