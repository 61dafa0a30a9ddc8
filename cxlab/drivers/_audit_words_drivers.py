"""What an audit says of drivers: overlap, signs, methods, and what else could be behind a ranking."""

from __future__ import annotations

from collections.abc import Mapping

OF_DRIVERS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("inflation", "ok"): {
        "en": "Drivers overlap little enough to be told apart (largest VIF {value:.1f}, {worst:in}).",
        "zh": "各因素重叠不大，可以区分（最大 VIF {value:.1f}，“{worst}”）。",
    },
    ("inflation", "look"): {
        "en": "Others repeat much of {drivers:in}: the largest VIF is {value:.1f}, so the interval of that effect is {widening:.1f} times as wide. Read "
        "importances, not single effects, and think of combining these drivers.",
        "zh": "{drivers}与其他因素重叠较多：最大 VIF {value:.1f}，其影响的区间因此放宽 {widening:.1f} 倍。请看重要性而非单项影响，并考虑合并这些因素。",
    },
    ("inflation", "serious"): {
        "en": "Others say nearly the same as {drivers:in}: the largest VIF is {value:.1f}, so the interval of that effect is {widening:.1f} times as wide. "
        "Combine these drivers or keep one of them; their order among themselves means nothing.",
        "zh": "{drivers}与其他因素几乎说的是同一件事：最大 VIF {value:.1f}，其影响的区间因此放宽 {widening:.1f} 倍。请合并或只保留其一；它们之间的先后没有意义。",
    },
    ("condition", "ok"): {
        "en": "No group of drivers is tied together (condition index {value:.1f}; {uncentred:.0f} with the intercept, which only says how far the "
        "means lie from 0).",
        "zh": "没有彼此牵连的因素组（条件指数 {value:.1f}；含截距为 {uncentred:.0f}，后者只反映均值离 0 的远近）。",
    },
    ("condition", "look"): {
        "en": "These drivers are tied together (condition index {value:.1f}; {uncentred:.0f} with the intercept): {drivers}. What belongs to "
        "which of them is hardly to be told; judge them as a group.",
        "zh": "以下因素彼此牵连（条件指数 {value:.1f}；含截距为 {uncentred:.0f}）：{drivers}。影响难以分摊到单项，请作为一组判断。",
    },
    ("condition", "serious"): {
        "en": "These drivers are nearly one and the same (condition index {value:.1f}; {uncentred:.0f} with the intercept): {drivers}. Combine "
        "them or keep one.",
        "zh": "以下因素几乎是同一回事（条件指数 {value:.1f}；含截距为 {uncentred:.0f}）：{drivers}。请合并或只保留其一。",
    },
    ("condition", "nobody"): {
        "en": "Drivers are tied together as a whole (condition index {value:.1f}; {uncentred:.0f} with the intercept), though no two of them "
        "more than others. Judge blocks rather than single drivers.",
        "zh": "各因素整体上彼此牵连（条件指数 {value:.1f}；含截距为 {uncentred:.0f}），但并非集中在某几项。建议按板块而非单项判断。",
    },
    ("signs", "ok"): {
        "en": "No effect clearly contradicts the driver's own correlation ({negative} of {count} effects are negative; none was set to zero).",
        "zh": "没有影响方向明显与其自身相关方向相反的因素（{count} 项影响中 {negative} 项为负，均未强制归零）。",
    },
    ("signs", "unsure"): {
        "en": "The effect of {drivers:in} points against its own correlation, but {count} tests at once leave that open: do not read it as an effect "
        "({negative} of {count} effects are negative; none was set to zero).",
        "zh": "{drivers}的影响方向与其自身相关方向相反，但在同时检验 {count} 项的情况下尚不能确定：请勿当作真实影响解读（{count} 项影响中 {negative} 项为负，均未强制归零）。",
    },
    ("signs", "weak"): {
        "en": "The effect of {drivers:in} is small but clearly against the direction of its correlation with {outcome:in}. Do not read it as “less of it is better”: "
        "it corrects what it shares with other drivers ({negative} of {count} effects are negative; none was set to zero).",
        "zh": "{drivers}的影响虽小，但方向明显与其和“{outcome}”的相关方向相反。请勿理解为“越少越好”：它只是在修正与其他因素的共同部分（{count} 项影响中 {negative} 项为负，均未强制归零）。",
    },
    ("signs", "look"): {
        "en": "The effect of {drivers:in} is clear only beside the others, and against the direction of its own weak correlation: it corrects other "
        "drivers. Do not read it as an effect of its own ({negative} of {count} effects are negative; none was set to zero).",
        "zh": "{drivers}的影响只在与其他因素并列时才显著，且与其自身较弱的相关方向相反：它实际上在修正其他因素。请勿当作独立影响解读（{count} 项影响中 {negative} 项为负，均未强制归零）。",
    },
    ("signs", "serious"): {
        "en": "The effect of {drivers:in} has the opposite sign of its correlation with {outcome:in}, clearly on both sides. Somebody who reads it as "
        "“less of it is better” is wrong: look for overlap with other drivers or a reversed question ({negative} of {count} effects are negative; none was set to zero).",
        "zh": "{drivers}的影响方向与其和“{outcome}”的相关方向相反，且两者都显著。若据此认为“越少越好”就错了：请检查与其他因素的重叠或反向计分的题目（{count} 项影响中 {negative} 项为负，均未强制归零）。",
    },
    ("influence", "none"): {
        "en": "All drivers are categories; single respondents were not looked at.",
        "zh": "所有因素均为分类变量，未检查个别受访者。",
    },
    ("influence", "ok"): {
        "en": "No respondent moves an effect by more than {value:.1f} standard errors. It takes the {count} most influential ones "
        "({share:.1%} of the weight) to move that of {driver:in} by one standard error.",
        "zh": "没有哪位受访者使任何影响的变动超过 {value:.1f} 个标准误。影响最大的 {count} 名（占权重 {share:.1%}）合起来才使“{driver}”变动一个标准误。",
    },
    ("influence", "look"): {
        "en": "Without one respondent (row {row} of the data) the effect of {driver:in} would move by {value:.1f} standard errors; respondents who can do that to some "
        "effect: {respondents}. Check this answer and its weight, and see whether the ranking holds without it.",
        "zh": "去掉一名受访者（数据第 {row} 行），“{driver}”的影响就会变动 {value:.1f} 个标准误；能使某项影响变动超过一个标准误的共 {respondents} 名。请核查其回答和权重，并看去掉后排名是否依然成立。",
    },
    ("influence", "serious"): {
        "en": "The effect of {driver:in} hangs on one respondent (row {row} of the data): without that answer it would move by {value:.1f} standard errors; respondents who "
        "can move some effect by more than one: {respondents}. Correct the answer or its weight, or report without it.",
        "zh": "“{driver}”的影响取决于一名受访者（数据第 {row} 行）：去掉后会变动 {value:.1f} 个标准误；能使某项影响变动超过一个标准误的共 {respondents} 名。请更正其回答或权重，或剔除后再报告。",
    },
    ("methods", "ok"): {
        "en": "Methods agree on {leader:in} as the first and much on the rest (lowest agreement {value:.2f}; 1 is full).",
        "zh": "各方法都把“{leader}”排在首位，其余排序也大体一致（最低一致度 {value:.2f}，1 为完全一致）。",
    },
    ("methods", "near"): {
        "en": "Methods agree on the top (lowest agreement {value:.2f}; 1 is full), but differ on who is first: {first}. Name them together.",
        "zh": "各方法对前几名意见相近（最低一致度 {value:.2f}，1 为完全一致），但首位不同：{first}。请一并提及。",
    },
    ("methods", "look"): {
        "en": "Methods disagree on what matters most (lowest agreement {value:.2f}; 1 is full): first are {first}. Say which method you report "
        "and why, and look at the overlap of these drivers.",
        "zh": "各方法对最重要的因素意见不一（最低一致度 {value:.2f}，1 为完全一致），居首的分别是：{first}。请说明采用哪种方法及理由，并检查这些因素的重叠。",
    },
    ("methods", "serious"): {
        "en": "Methods tell different stories (lowest agreement {value:.2f}; 1 is full): first are {first}. Report no ranking before you know why; "
        "overlap and opposite signs are the usual reasons.",
        "zh": "各方法结论截然不同（最低一致度 {value:.2f}，1 为完全一致），居首的分别是：{first}。查明原因前不要报告排名；常见原因是因素重叠或方向相反。",
    },
    ("methods", "same"): {
        "en": "Methods agree on {leader:in} as the first, but not on who follows (lowest agreement {value:.2f}; 1 is full). Report the first, and "
        "the others without an order.",
        "zh": "各方法都把“{leader}”排在首位，但对其后的顺序意见不一（最低一致度 {value:.2f}，1 为完全一致）。请只报告首位，其余不分先后。",
    },
    ("halo", "few"): {
        "en": "Fewer than three numeric drivers: a general impression cannot be told from them.",
        "zh": "数值型因素少于三个，无法识别整体印象。",
    },
    ("halo", "none"): {
        "en": "There is no general impression behind the ratings: few drivers go together.",
        "zh": "各项评分背后没有共同的整体印象：彼此同向变动的因素很少。",
    },
    ("halo", "ok"): {
        "en": "A general impression makes up {value:.0%} of the differences between ratings; with it taken out {leader:in} is still first. Of the {whole:.0%} "
        "that drivers explain, {left:.0%} belong to single drivers alone.",
        "zh": "整体印象占各项评分差异的 {value:.0%}；剔除后“{leader}”仍居首。在 {whole:.0%} 的解释力中，有 {left:.0%} 属于各因素自身。",
    },
    ("halo", "unclear"): {
        "en": "A general impression makes up {value:.0%} of the differences between ratings; with it taken out {first:in} comes before {leader:in}, though not "
        "clearly. Of the {whole:.0%} that drivers explain, {left:.0%} belong to single drivers alone.",
        "zh": "整体印象占各项评分差异的 {value:.0%}；剔除后“{first}”略先于“{leader}”，但差别不明显。在 {whole:.0%} 的解释力中，有 {left:.0%} 属于各因素自身。",
    },
    ("halo", "look"): {
        "en": "A general impression makes up {value:.0%} of the differences between ratings: people who like the company rate everything high. {first:cap} "
        "is first with it taken out, but of the {whole:.0%} that drivers explain only {left:.0%} belong to single drivers. Say so beside the ranking.",
        "zh": "整体印象占各项评分差异的 {value:.0%}：喜欢这家企业的人对每项都给高分。剔除后居首的是“{first}”，但在 {whole:.0%} 的解释力中只有 {left:.0%} 属于各因素自身。请在排名旁说明。",
    },
    ("halo", "serious"): {
        "en": "{leader:cap} leads as a sign of the general impression ({value:.0%} of the differences between ratings): with this taken out {first:in} is clearly "
        "first. Of the {whole:.0%} that drivers explain, {left:.0%} belong to single drivers alone. Do not promise an effect of {leader:in} alone.",
        "zh": "“{leader}”居首主要因为它反映整体印象（占各项评分差异的 {value:.0%}）：剔除后明显居首的是“{first}”。在 {whole:.0%} 的解释力中，有 {left:.0%} 属于各因素自身。请勿承诺单独改善“{leader}”就有此效果。",
    },
    ("marker", "ok"): {
        "en": "The item that should relate to nothing correlates {value:+.2f} with the answers ({p:p}): the way of answering plays no part worth "
        "correcting.",
        "zh": "本应无关的标记题与各题平均相关 {value:+.2f}（{p:p}）：答题习惯的影响可以忽略。",
    },
    ("marker", "look"): {
        "en": "The item that should relate to nothing correlates {value:+.2f} with the answers ({p:p}): people differ in how they use the scale. "
        "Corrected for it, drivers explain {adjusted:.0%} instead of {whole:.0%}; {leader:in} stays first. Quote the corrected figure beside the other.",
        "zh": "本应无关的标记题与各题平均相关 {value:+.2f}（{p:p}），说明受访者使用量表的习惯不同。校正后各因素共解释 {adjusted:.0%}（原为 {whole:.0%}），首位仍是“{leader}”。请同时给出校正后的数字。",
    },
    ("marker", "impossible"): {
        "en": "The item that should relate to nothing correlates {value:+.2f} with the answers ({p:p}), so much that the usual correction (an equal share for "
        "every item) has no solution. Ask why this item relates to the others before you trust any correlation here.",
        "zh": "本应无关的标记题与各题平均相关 {value:+.2f}（{p:p}），高到常用的校正（各题等量扣除）无解。请先弄清该题为何与其他题目相关，再采信这里的任何相关。",
    },
    ("marker", "serious"): {
        "en": "The item that should relate to nothing correlates {value:+.2f} with the answers ({p:p}), and corrected for it {first:in} "
        "comes before {leader:in}; drivers explain {adjusted:.0%} instead of {whole:.0%}. The order at the top may come from how people use the scale: do not report it without "
        "the correction.",
        "zh": "本应无关的标记题与各题平均相关 {value:+.2f}（{p:p}），校正后“{first}”先于“{leader}”；各因素共解释 {adjusted:.0%}（原为 {whole:.0%}）。前列顺序可能源于答题习惯：未校正不要报告。",
    },
    ("omitted", "factor"): {
        "en": "{leader:cap} is a set of categories; robustness to an omitted cause was not computed.",
        "zh": "“{leader}”是分类变量，未计算对遗漏原因的稳健性。",
    },
    ("omitted", "ok"): {
        "en": "To make the effect of {leader:in} unclear, a cause that was not asked would have to explain {value:.0%} of what the other drivers leave open, in it "
        "and in {outcome:in} ({whole:.0%} to bring it to zero). One as strong as {second:in} would leave {left:.0%} of the effect.",
        "zh": "要使“{leader}”的影响不再显著，未调查的原因须同时解释该因素和“{outcome}”剩余差异的 {value:.0%}；要使其归零须达 {whole:.0%}。若遗漏的原因与“{second}”一样强，影响仍保留 {left:.0%}。",
    },
    ("omitted", "look"): {
        "en": "A cause that was not asked, explaining only {value:.0%} of what the other drivers leave open in {leader:in} and in {outcome:in}, would make this "
        "effect unclear ({whole:.0%} would bring it to zero). One as strong as {second:in} would leave {left:.0%} of the effect. Name what was not asked before you act on it.",
        "zh": "未调查的原因只要同时解释“{leader}”和“{outcome}”剩余差异的 {value:.0%}，这一影响就不再显著；{whole:.0%} 即可使其归零。若遗漏的原因与“{second}”一样强，影响仅保留 {left:.0%}。据此行动前，请先想清楚还有什么没问。",
    },
    ("omitted", "alone"): {
        "en": "To make the effect of {leader:in} unclear, a cause that was not asked would have to explain {value:.0%} of what the other drivers leave open, in it "
        "and in {outcome:in} ({whole:.0%} to bring it to zero).",
        "zh": "要使“{leader}”的影响不再显著，未调查的原因须同时解释该因素和“{outcome}”剩余差异的 {value:.0%}；要使其归零须达 {whole:.0%}。",
    },
    ("omitted", "serious"): {
        "en": "{leader:cap} is first in importance, but its effect beside the others is not clearly different from zero; an omitted cause "
        "explaining {whole:.0%} of what the other drivers leave open would bring it to zero. Do not act on this driver alone.",
        "zh": "“{leader}”的重要性居首，但在其他因素相同时其影响并不显著；遗漏的原因只要解释剩余差异的 {whole:.0%} 就足以使其归零。请勿仅凭此项采取行动。",
    },
    ("fragile", "one"): {
        "en": "There is one driver; no rank can change.",
        "zh": "只有一个因素，不存在名次变化。",
    },
    ("fragile", "never"): {
        "en": "{leader:cap} stays first even without the half of the weight that speaks most for it.",
        "zh": "即使去掉最支持“{leader}”的一半权重，它仍居首位。",
    },
    ("fragile", "ok"): {
        "en": "Rank 1 does not hang on a handful: the smallest group found without which {rival:in} is first holds {value:.1%} of the weight ({count:,} respondents, "
        "picked because they speak for {leader:in}).",
        "zh": "首位不取决于少数人：要让“{rival}”升至首位，须专门挑出并去掉最支持“{leader}”的 {count:,} 名受访者（占权重 {value:.1%}，为所找到的最小一组）。",
    },
    ("fragile", "look"): {
        "en": "Leave out at most {value:.1%} of the weight ({count:,} respondents, picked because they speak for {leader:in}), and {rival:in} is first. Name "
        "both; do not insist on the order between them.",
        "zh": "只要去掉专门挑出的 {count:,} 名受访者（至多占权重 {value:.1%}），“{rival}”就会超过“{leader}”。请两者并提，不要强调先后。",
    },
    ("fragile", "serious"): {
        "en": "Rank 1 hangs on a handful: leave out at most {value:.1%} of the weight ({count:,} respondents, picked because they speak for {leader:in}), and {rival:in} is "
        "first. Do not report one first driver.",
        "zh": "首位取决于极少数人：只要去掉专门挑出的 {count:,} 名受访者（至多占权重 {value:.1%}），“{rival}”就会超过“{leader}”。请勿报告单一的首位因素。",
    },
    ("errors_in_drivers", "one"): {
        "en": "There is one driver; no rank can change.",
        "zh": "只有一个因素，不存在名次变化。",
    },
    ("errors_in_drivers", "never"): {
        "en": "{leader:cap} stays first even if other drivers had a reliability of .5 and it had one of 1.",
        "zh": "即使其他因素的信度只有 .5 而“{leader}”为 1，它仍居首位。",
    },
    ("errors_in_drivers", "ok"): {
        "en": "{leader:cap} loses rank 1 to {rival:in} only if the latter is measured with a reliability of {value:.2f} or less and "
        "{leader:in} without error.",
        "zh": "只有当“{rival}”的信度不高于 {value:.2f} 而“{leader}”毫无误差时，后者才会失去首位。",
    },
    ("errors_in_drivers", "ok_all"): {
        "en": "{leader:cap} loses rank 1 (to {rival:in}) only if all other drivers are measured with a reliability of {value:.2f} or less and it "
        "without error.",
        "zh": "只有当其他因素的信度都不高于 {value:.2f} 而“{leader}”毫无误差时，首位才会让给“{rival}”。",
    },
    ("errors_in_drivers", "look"): {
        "en": "{leader:cap} loses rank 1 to {rival:in} if the latter is measured with a reliability of {value:.2f} and {leader:in} without error; "
        "single rating items often have .6 to .8. Measure both with several items before you insist on the order.",
        "zh": "若“{rival}”的信度为 {value:.2f} 而“{leader}”毫无误差，首位就会易主；单题评分的信度常在 .6 至 .8。若要坚持先后，请两者都用多个题目测量。",
    },
    ("errors_in_drivers", "serious"): {
        "en": "A little unreliability decides: {leader:in} loses rank 1 to {rival:in} if the latter is measured with a reliability of {value:.2f} and "
        "{leader:in} without error. Name both together.",
        "zh": "少许测量误差就能左右首位：若“{rival}”的信度为 {value:.2f} 而“{leader}”毫无误差，首位就会易主。请两者并提。",
    },
    ("errors_in_drivers", "all"): {
        "en": "{leader:cap} loses rank 1 (to {rival:in}) if all other drivers are measured with a reliability of {value:.2f} and it without error; single "
        "rating items often have .6 to .8. Name both together.",
        "zh": "若其他因素的信度均为 {value:.2f} 而“{leader}”毫无误差，首位就会让给“{rival}”；单题评分的信度常在 .6 至 .8。请两者并提。",
    },
}  # fmt: skip
