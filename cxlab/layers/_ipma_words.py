"""Words: what an importance map and a what-if of a path model say, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from cxlab.words import Note

if TYPE_CHECKING:
    from cxlab.layers._ipma_cells import Ground

EN_ZH = (("en", ", "), ("zh", "、"))


def ipma_notes(found: Ground, items: bool) -> tuple[Mapping[str, str], ...]:
    """What importance, performance and gain are, and are not."""
    out = [Note(_LINEAR), Note(_CUTS), *([Note(_OF_ITEMS)] if items else []), *_replicates(found)]
    if found.converged.any():
        out.append(Note(_RANKS))
    return (*out, *model_notes(found))


def _replicates(found: Ground) -> list[Note]:
    """How intervals were made, in the cells and where they differ from that."""
    kinds = {found.intervals(c).kind for c in found.cells}
    if not found.converged.any():
        return []
    return [Note(_JOINT[kinds.pop() if len(kinds) == 1 else "both"], count=int(found.converged.sum()))]


def model_notes(found: Ground) -> tuple[Mapping[str, str], ...]:
    """Common factors, and items that pull their index down."""
    out = [Note(_LATENT)] if found.options["consistent"] else []
    against = [
        item for k, item in enumerate(found.items) if any((np.nan_to_num(c.share[0, k]) < 0).any() for c in found.cells)
    ]
    if against:
        listed = {lang: sep.join(found.prepared.labels[i][lang] for i in against) for lang, sep in EN_ZH}
        out.append(Note(_NEGATIVE, items=listed))
    return tuple(out)


def what_if_notes(found: Ground, reached: bool) -> tuple[Mapping[str, str], ...]:
    """What a what-if assumes."""
    out = [Note(_WHAT_IF), Note(_CAP), *_replicates(found)]
    if reached:
        out.append(Note(_REACH))
    if found.prepared.missing != "listwise":
        out.append(Note(_ANSWERED))
    return (*out, *model_notes(found))


_LINEAR = {
    "en": "Importance is an association under the arrows of the model, the same at every level of the scale; it does not prove what a change "
    "would bring. Gain = importance × (100 − performance): what is left if everything were answered at the top.",
    "zh": "重要性是在模型箭头方向成立时的关联，且假定在量表各处相同，并不证明改变会带来相应结果。潜在提升 = 重要性 ×（100 − 表现），即全部答到满分时的剩余空间。",
}
_CUTS = {
    "en": "The dashed lines lie at the mean importance and at the mean performance weighted by importance; they depend on what is in the map. The "
    "order is that of the gain.",
    "zh": "虚线为平均重要性，以及按重要性加权的平均表现，随图中所含内容而变；排序依据的是潜在提升。",
}
_OF_ITEMS = {
    "en": "The importance of an item is its share in the index of its construct times the effect of the construct: what a change of the item moves under "
    "this model, not its own effect beside the other items (for that see key drivers).",
    "zh": "题目的重要性 = 其在所属构念指数中的权重份额 × 该构念的影响，即在本模型下该题变动所带来的变化，而非控制其他题目后的独立影响（后者见关键驱动因素分析）。",
}
_JOINT = {
    "percentile": {
        "en": "Intervals are percentiles of {count:,} replicates of the design, in each of which answers and model were taken anew together.",
        "zh": "区间为 {count:,} 次抽样设计重抽样的分位数，每次重抽样同时重新计算答案与模型。",
    },
    "t": {
        "en": "Intervals are estimate ± t · se; standard errors come from {count:,} replicates of the design, in each of which answers and model were taken "
        "anew together.",
        "zh": "区间为估计值 ± t × 标准误；标准误来自 {count:,} 次抽样设计重抽样，每次重抽样同时重新计算答案与模型。",
    },
    "both": {
        "en": "Intervals are percentiles of {count:,} replicates of the design, in each of which answers and model were taken anew together; where a segment has few "
        "sampling units, estimate ± t · se.",
        "zh": "区间为 {count:,} 次抽样设计重抽样的分位数，每次重抽样同时重新计算答案与模型；初级抽样单位较少的群体采用估计值 ± t × 标准误。",
    },
}
_RANKS = {
    "en": "Ranks are those that tests of all pairs of gains (Holm) leave open.",
    "zh": "名次范围由潜在提升的两两检验（Holm 校正）得出。",
}
_LATENT = {
    "en": "Importance is corrected for reliability (PLSc): it is between latent variables in points of their indices, and larger than between the indices "
    "themselves.",
    "zh": "重要性已按信度校正（PLSc）：反映潜变量之间的关系，以其指数的分值表示，通常大于指数之间的关系。",
}
_NEGATIVE = {
    "en": "These items have a negative weight, so better answers lower their index: {items}. Look at the measurement before acting.",
    "zh": "以下题目权重为负，答得越好指数反而越低：{items}。行动之前请先检查测量质量。",
}
_WHAT_IF = {
    "en": "Expected under the linear model and its association, everything else staying as it is; not proof of what a change would bring.",
    "zh": "按线性模型及其关联推算，假定其他因素不变；并不证明改变会带来相应结果。",
}
_CAP = {
    "en": "Every answer moves only as far as its scale allows: who already gives the top cannot rise. A change of a construct moves each of its items by "
    "as many points of 0–100.",
    "zh": "每个答案只移动到量表上下限为止：已给满分者无法再升。对构念设定的变动，是其每个题目在 0–100 上移动相同分数。",
}
_REACH = {
    "en": "Reach: the change comes to that share of the respondents, drawn at random.",
    "zh": "覆盖率：变动只发生在随机抽取的相应比例的受访者身上。",
}
_ANSWERED = {
    "en": "Room on the scale is that of the respondents who answered the item.",
    "zh": "量表上的可提升空间按回答了该题的受访者计算。",
}

# ------------------------------------------------------------------------------ sentences: importance and performance
TOP = {
    "en": "{name:cap} has the most room that matters: ten points more go with {points:+.1f} points of {target:in} ({points_low:+.1f} to {points_high:+.1f}), and "
    "it stands at {performance:.0f} of 100. All the way up would be {gain:+.1f} points ({low:+.1f} to {high:+.1f}).",
    "zh": "最值得提升的是“{name}”：每高 10 分，{target}相应变化 {points:+.1f} 分（{points_low:+.1f} 至 {points_high:+.1f}），而其现值为 {performance:.0f} 分（满分 100）；"
    "若升至满分，{target}相应变化 {gain:+.1f} 分（{low:+.1f} 至 {high:+.1f}）。",
}
TIED = {
    "en": "{name:cap} has the largest room that matters, though its gain is not told apart from that of {others}: ten points more go with {points:+.1f} points of "
    "{target:in} ({points_low:+.1f} to {points_high:+.1f}), and it stands at {performance:.0f} of 100. All the way up would be {gain:+.1f} points ({low:+.1f} to {high:+.1f}).",
    "zh": "潜在提升最大的是“{name}”，但与{others}无法区分：每高 10 分，{target}相应变化 {points:+.1f} 分（{points_low:+.1f} 至 {points_high:+.1f}），其现值为 "
    "{performance:.0f} 分（满分 100）；若升至满分，{target}相应变化 {gain:+.1f} 分（{low:+.1f} 至 {high:+.1f}）。",
}
NEXT = {
    "en": "Next is {name:in}: {gain:+.1f} points ({low:+.1f} to {high:+.1f}), from {performance:.0f}; ten points more go with {points:+.1f}.",
    "zh": "其次是“{name}”：从 {performance:.0f} 分升至满分对应 {gain:+.1f} 分（{low:+.1f} 至 {high:+.1f}），每高 10 分相应变化 {points:+.1f} 分。",
}
HIGH = {
    "en": "{name:cap} counts most per point ({points:+.1f} for ten), but with {performance:.0f} of 100 less is left: {gain:+.1f} points ({low:+.1f} to {high:+.1f}). Keep it up.",
    "zh": "“{name}”每分的影响最大（每 10 分对应 {points:+.1f} 分），但已达 {performance:.0f} 分，剩余提升为 {gain:+.1f} 分（{low:+.1f} 至 {high:+.1f}）：宜保持。",
}
UNCLEAR = {
    "en": "No effect on {target:in} can be told apart from zero for: {names}.",
    "zh": "以下各项对{target}的影响无法与零区分：{names}。",
}
AGAINST = {
    "en": "More of these goes with less of {target:in}: {names}.",
    "zh": "以下各项越高，{target}反而越低：{names}。",
}
POINTS = {
    "en": "{name:cap} has the largest potential gain, {gain:+.1f} points of {target:in}: it stands at {performance:.0f} of 100, and ten points more go with {points:+.1f}. "
    "No intervals were asked for.",
    "zh": "潜在提升最大的是“{name}”：对应“{target}”{gain:+.1f} 分，现值 {performance:.0f} 分（满分 100），每高 10 分相应变化 {points:+.1f} 分。本次未计算区间。",
}
SEGMENT = {
    "en": "{segment:cap}: the most room that matters is in {name:in}, {gain:+.1f} points of {target:in} ({low:+.1f} to {high:+.1f}); it stands at {performance:.0f} of 100.",
    "zh": "{segment}：最值得提升的是“{name}”，对应“{target}”{gain:+.1f} 分（{low:+.1f} 至 {high:+.1f}），现值 {performance:.0f} 分（满分 100）。",
}
SEGMENT_TIED = {
    "en": "{segment:cap}: the largest room that matters is in {name:in}, {gain:+.1f} points of {target:in} ({low:+.1f} to {high:+.1f}), not told apart from {others}; it stands at "
    "{performance:.0f} of 100.",
    "zh": "{segment}：潜在提升最大的是“{name}”，对应“{target}”{gain:+.1f} 分（{low:+.1f} 至 {high:+.1f}），但与{others}无法区分；现值 {performance:.0f} 分（满分 100）。",
}
SEGMENT_POINTS = {
    "en": "{segment:cap}: the largest potential gain is in {name:in}, {gain:+.1f} points of {target:in}; it stands at {performance:.0f} of 100. No intervals were "
    "asked for.",
    "zh": "{segment}：潜在提升最大的是“{name}”，对应“{target}”{gain:+.1f} 分，现值 {performance:.0f} 分（满分 100）。本次未计算区间。",
}
SEGMENT_UNCLEAR = {
    "en": "{segment:cap}: nothing can be told apart from zero in its effect on {target:in}.",
    "zh": "{segment}：各项对“{target}”的影响均无法与零区分。",
}
FIRST_UNCLEAR = {
    "en": "{name:cap} has the largest estimated gain ({gain:+.1f} points of {target:in}, {low:+.1f} to {high:+.1f}), but its effect cannot be told apart from zero.",
    "zh": "估计的潜在提升最大的是“{name}”（对应“{target}”{gain:+.1f} 分，{low:+.1f} 至 {high:+.1f}），但其影响无法与零区分。",
}
TITLE_TOP = {
    "en": "{name:cap} has the most room that matters for {target:in}: {gain:+.1f} points if it rose to 100",
    "zh": "对“{target}”最值得提升的是“{name}”：若升至满分对应 {gain:+.1f} 分",
}
TITLE_TIED = {
    "en": "Most room that matters for {target:in}: {name:in} ({gain:+.1f} points), not told apart from {count} more",
    "zh": "对“{target}”潜在提升最大的是“{name}”（{gain:+.1f} 分），但另有 {count} 项与之无法区分",
}
TITLE_POINTS = {
    "en": "Largest potential gain for {target:in}: {name:in} ({gain:+.1f} points, no intervals)",
    "zh": "对“{target}”潜在提升最大的是“{name}”（{gain:+.1f} 分，未计算区间）",
}
TITLE_UNCLEAR = {
    "en": "Largest estimated gain for {target:in}: {name:in}, whose effect cannot be told apart from zero",
    "zh": "对“{target}”估计的潜在提升最大的是“{name}”，但其影响无法与零区分",
}
TITLE_SAME = {
    "en": "Largest potential gain for {target:in} in all {count} groups: {name:in} (told apart from the rest in {apart})",
    "zh": "{count} 个群体中，对“{target}”潜在提升最大的均为“{name}”（其中 {apart} 个可与其他各项区分）",
}
TITLE_APART = {
    "en": "Largest potential gain for {target:in}: {listed} (told apart from the rest in {apart} of {count} groups)",
    "zh": "对“{target}”潜在提升最大的项目：{listed}（{count} 个群体中有 {apart} 个可与其他各项区分）",
}
NOTHING = {
    "en": "Effective base {effective:,.0f}: too few respondents to say where there is room for {target:in}.",
    "zh": "有效样本量仅 {effective:,.0f}，不足以判断{target}的提升空间。",
}
METHODS = {
    "en": "Importance is the unstandardised total effect on the 0–100 index of {target:in}, performance the mean index, in a path model of {base:,} respondents; potential "
    "gain is importance times the way to 100. Intervals come from {b:,} Rao–Wu bootstrap replicates of the design, in each of which model and means were "
    "computed anew.",
    "zh": "重要性为对“{target}”0–100 指数的非标准化总效应，表现为指数均值，均来自 {base:,} 名受访者的路径模型；潜在提升为重要性乘以距 100 的差距。区间来自 {b:,} 次 "
    "Rao–Wu 抽样设计重抽样，每次重抽样均重新估计模型与均值。",
}
# ------------------------------------------------------------------------------ sentences: what if
EXPECTED = {
    "en": "If {changes}, as far as the scale allows, {target:in} would be expected at {after:.1f} instead of {before:.1f}: {gain:+.1f} points ({level} interval {low:+.1f} to "
    "{high:+.1f}). This carries an association over to a change; it is no proof of an effect.",
    "zh": "若{changes}（以量表上下限为限），“{target}”的预期指数将由 {before:.1f} 变为 {after:.1f}，即 {gain:+.1f} 分（{level} 区间 {low:+.1f} 至 {high:+.1f}）。这是由关联推算，并非因果效应的证明。",
}
EXPECTED_ALONE = {
    "en": "If {changes}, as far as the scale allows, {target:in} would be expected at {after:.1f} instead of {before:.1f}: {gain:+.1f} points. No intervals were asked for.",
    "zh": "若{changes}（以量表上下限为限），“{target}”的预期指数将由 {before:.1f} 变为 {after:.1f}，即 {gain:+.1f} 分。本次未计算区间。",
}
ASKED = {
    "en": "What if {changes}, as far as the scale allows? An association carried over to a change, no proof of an effect.",
    "zh": "若{changes}（以量表上下限为限），各群体的预期如下；由关联推算，并非因果效应的证明。",
}
ITEM_ASKED = {
    "en": "{name:in} were rated {points:g} {unit} {way}",
    "zh": "“{name}”的评分普遍{way} {points:g} {unit}",
}
CONSTRUCT_ASKED = {
    "en": "all of {name:in} stood {points:g} {unit} of 0–100 {way}",
    "zh": "“{name}”整体{way} {points:g} {unit}（0–100 分）",
}
OF_SEGMENT_ALONE = {
    "en": "{segment:cap}: {gain:+.1f} points of {target:in}, from {before:.1f} to {after:.1f}. No intervals were asked for.",
    "zh": "{segment}：“{target}”{gain:+.1f} 分，由 {before:.1f} 至 {after:.1f}。本次未计算区间。",
}
OF_SEGMENT = {
    "en": "{segment:cap}: {gain:+.1f} points of {target:in} ({level} interval {low:+.1f} to {high:+.1f}), from {before:.1f} to {after:.1f}.",
    "zh": "{segment}：“{target}”{gain:+.1f} 分（{level} 区间 {low:+.1f} 至 {high:+.1f}），由 {before:.1f} 至 {after:.1f}。",
}
ITEM = {
    "en": "{name:in} were rated {points:g} {unit} {way} (on average {effective:+.2f})",
    "zh": "“{name}”的评分普遍{way} {points:g} {unit}（平均实际变动 {effective:+.2f} 分）",
}
CONSTRUCT = {
    "en": "all of {name:in} stood {points:g} {unit} of 0–100 {way} (on average {effective:+.2f})",
    "zh": "“{name}”整体{way} {points:g} {unit}（0–100 分，平均实际变动 {effective:+.2f} 分）",
}
UNIT = {"en": {True: "point", False: "points"}, "zh": {True: "分", False: "分"}}
WAY = {"en": {True: "higher", False: "lower"}, "zh": {True: "提高", False: "降低"}}
NO_EFFECT = {
    "en": "The change does not reach {target:in}: no path leads there.",
    "zh": "该变动不会影响“{target}”：模型中没有通向它的路径。",
}
METHODS_WHAT_IF = {
    "en": "Each answer of {base:,} respondents was moved as far as its scale allows; the mean changes of the items, weighted as in their indices, were carried along the "
    "unstandardised total effects of the path model. Intervals come from {b:,} Rao–Wu bootstrap replicates of the design, in which answers and model were taken anew.",
    "zh": "{base:,} 名受访者的每个答案移动到量表上下限为止；题目均值的变动按其在指数中的权重汇总，再沿路径模型的非标准化总效应传递。区间来自 {b:,} 次 Rao–Wu 抽样设计重抽样，"
    "每次均重新计算答案分布与模型。",
}
