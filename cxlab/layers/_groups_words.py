"""Words: what a comparison of paths rests on, and what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cxlab.layers._groups_cells import Group, Options
from cxlab.layers._prepare import Prepared
from cxlab.layers._words import KIND_WORDS, MISSING_WORDS, SCHEME_WORDS
from cxlab.metrics import names as wordings
from cxlab.metrics import value_names
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note

BETWEEN = {"en": ", ", "zh": "、"}
ENDS = {"en": "; ", "zh": "；"}


def listed(texts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Wordings in a row, in both languages."""
    return {lang: BETWEEN[lang].join(t[lang] for t in texts) for lang in LANGUAGES}


def group_notes(
    survey: Survey, total: Prepared, groups: Sequence[Group], options: Options, facts: Mapping[str, Any]
) -> tuple[Note, ...]:
    """How the groups were compared, why so, and what to keep in mind."""
    kind, scheme = KIND_WORDS[options.method == "plsc"], SCHEME_WORDS[options.scheme]
    out = [Note(_ALGORITHM, kind=kind, scheme=scheme, source=MISSING_WORDS[options.missing])]
    if total.excluded:
        out.append(Note(_LEFT, count=total.excluded, share=total.excluded_share))
    outside = survey.domain & (survey.weights > 0) & survey.data[facts["column"]].isna().to_numpy()
    if outside.any():
        out.append(Note(_OUTSIDE, count=int(outside.sum()), by=wordings(survey, facts["column"])))
    out.append(Note(_CONFIGURAL, items=len(total.model.items)))
    if facts["pairs"]:
        out += _test_notes(options, facts)
        gaps = facts["differences"]
        tests = [
            int(gaps.loc[(gaps["kind"] == "direct") == direct, "p_value"].notna().sum()) for direct in (True, False)
        ]
        out += [Note(_GATE), Note(_FAMILIES, direct=tests[0], others=tests[1])]
    if facts["failed"]:
        out.append(Note(_FAILED, failed=facts["failed"], count=options.replicates))
    out += _beside(total, facts)
    for group in groups:
        if not group.tested:
            said = value_names(survey, facts["column"], group.code)
            out.append(
                Note(
                    _WITHOUT,
                    segment=said,
                    base=group.base,
                    effective=group.base_kish,
                    why=REASONS[group.reason or "base"],
                )
            )
    if facts["cut"]:
        out.append(
            Note(
                _CUT,
                items={lang: BETWEEN[lang].join(survey.label(i, lang) for i in facts["cut"]) for lang in LANGUAGES},
            )
        )
    out.append(Note(_NOT_CAUSE))
    return tuple(out)


def _test_notes(options: Options, facts: Mapping[str, Any]) -> list[Note]:
    if not facts["reason"]:
        out = [Note(_PERMUTED, count=options.permutations)]
        return [*out, Note(_LOST, lost=facts["lost"])] if facts["lost"] else out
    return [Note(_WALD, why=WHY[facts["reason"]], count=options.replicates - facts["failed"])]


def _beside(total: Prepared, facts: Mapping[str, Any]) -> list[Note]:
    """Paths that are compared although they are estimated beside a construct that differs."""
    micom, gaps = facts["micom"], facts["differences"]
    if micom.empty:
        return []
    failed = list(dict.fromkeys(micom.loc[(micom["invariance"] == "none").to_numpy(), "construct"]))
    open_ = gaps[(gaps["kind"] == "direct").to_numpy() & gaps["comparable"].to_numpy(dtype=bool)] if len(gaps) else gaps
    causes = {end: {s for s, e in total.model.paths if e == end} for _, end in total.model.paths}
    paths = [
        {lang: f"{total.labels[r.source][lang]} → {total.labels[r.target][lang]}" for lang in LANGUAGES}
        for r in open_.drop_duplicates(["source", "target"]).itertuples()
        if any(c in failed for c in causes.get(r.target, ()))
    ]
    return [Note(_BESIDE, paths=listed(paths), constructs=listed([total.labels[c] for c in failed]))] if paths else []


REASONS: dict[str, dict[str, str]] = {
    "few": {"en": "too few complete answers", "zh": "完整回答过少"},
    "constant": {"en": "an indicator without variation", "zh": "有指标的回答全部相同"},
    "model": {"en": "the model has no solution", "zh": "模型无解"},
    "replicates": {"en": "too many replicates without a solution", "zh": "无解的重抽样过多"},
    "base": {"en": "effective base under 30", "zh": "有效样本量不足 30"},
    "alone": {"en": "no other group to compare with", "zh": "没有其他可比较的群体"},
}
WHY: dict[str, dict[str, str]] = {
    "strata": {
        "en": "strata lie within one group, where labels cannot change hands",
        "zh": "有分层整体属于同一群体，组别标签无法在层内置换",
    },
    "units": {
        "en": "sampling units have respondents in several groups",
        "zh": "有初级抽样单位同时包含多个群体的受访者",
    },
    "few": {
        "en": "the sampling units of the strata allow too few permutations",
        "zh": "各层初级抽样单位过少，可置换的方式不足",
    },
    "missing": {
        "en": "missing answers are treated by more than leaving rows out",
        "zh": "缺失答案并非以整行剔除方式处理",
    },
    "products": {"en": "the model has products of constructs", "zh": "模型含有构念的乘积项"},
    "asked": {"en": "no permutations were asked for", "zh": "未要求置换检验"},
}
_ALGORITHM = {
    "en": "Partial least squares path model ({kind}, {scheme}) within each group, on the weighted correlations of {source}.",
    "zh": "在各组内分别估计偏最小二乘路径模型（{kind}，{scheme}），基于{source}的加权相关矩阵。",
}
_LEFT = {
    "en": "{count:,} respondents ({share:.0%} of the weight) left an indicator unanswered and are not in the model.",
    "zh": "{count:,} 名受访者（占权重的 {share:.0%}）有指标未作答，未纳入模型。",
}
_OUTSIDE = {
    "en": "{count:,} respondents have no value of {by:in} and are in no group.",
    "zh": "{count:,} 名受访者缺少“{by}”信息，未归入任何组。",
}
_CONFIGURAL = {
    "en": "Comparability, step 1: the same {items} indicators, on the same scales and treated alike in every group.",
    "zh": "可比性第一步：各组采用相同的 {items} 个指标、相同的量表和相同的处理方式。",
}
_PERMUTED = {
    "en": "Steps 2 and 3 by {count:,} permutations of the labels of two groups, whole sampling units within strata. A gap of means or "
    "variances that only reflects another mix of strata does not count.",
    "zh": "第二、三步采用置换检验：在分层内以整个初级抽样单位为单位，将两组的组别标签置换 {count:,} 次；仅由分层构成不同造成的均值或方差差距不计入。",
}
_WALD = {
    "en": "Steps 2 and 3 by Wald tests over {count:,} replicates of the design, not by permutation: {why}.",
    "zh": "第二、三步采用 Wald 检验（{count:,} 次抽样设计重抽样），未采用置换检验，原因：{why}。",
}
_LOST = {
    "en": "{lost:,} permutations have no solution and are left out.",
    "zh": "{lost:,} 次置换无解，未计入。",
}
_GATE = {
    "en": "Paths are not compared where a construct on the way is composed differently (step 2, each construct tested on its own, so that the "
    "gate rather shuts too often). With many respondents even a small difference is "
    "found: the correlation of the two compositions says how small. Other means or variances (step 3) forbid only pooling the groups.",
    "zh": "凡路径上有构念构成不同（第二步不成立），不作比较；各构念单独检验，宁可误判为不可比。样本量大时，细微差异也会被检出：两种构成的相关系数表明差异有多小。均值或方差不同（第三步）仅表示不宜合并各组。",
}
_FAMILIES = {
    "en": "Differences by t tests over replicates that all groups share; Holm over {direct:,} tests of paths, and over {others:,} of indirect and "
    "total effects; joint tests of all groups: Holm over paths, and over the other effects.",
    "zh": "路径差异采用 t 检验，标准误来自各组共用的重抽样；p 值经 Holm 法校正：路径 {direct:,} 次检验为一族，间接与总效应 {others:,} 次检验为一族；"
    "各组整体检验同样分两族校正。",
}
_FAILED = {
    "en": "{failed} of {count:,} replicates have no solution in some group and are left out.",
    "zh": "{count:,} 次重抽样中有 {failed} 次在某一组无解，未计入。",
}
_BESIDE = {
    "en": "Read with care: {paths} are estimated beside a construct that is composed differently ({constructs}).",
    "zh": "需谨慎解读：{paths}，其估计同时控制了构成不同的构念（{constructs}）。",
}
_WITHOUT = {
    "en": "{segment:cap} (base {base:,}, effective {effective:,.0f}) is not tested: {why}.",
    "zh": "“{segment}”（样本量 {base:,}，有效样本量 {effective:,.0f}）未参与检验：{why}。",
}
_CUT = {
    "en": "The groups are bands of an indicator ({items}): its spread within them is cut, and with it every path of its construct.",
    "zh": "分组由模型指标划分而来（{items}）：该指标在组内的差异被截断，其构念的各条路径也随之减弱。",
}
_NOT_CAUSE = {
    "en": "The arrows are assumed, not shown: the model says what goes together if they point this way.",
    "zh": "箭头方向是模型的假设，并非数据所证明：结果只说明若方向成立，哪些因素相伴变化。",
}

# ------------------------------------------------------------------------------ titles of the picture
TITLE_DIFFERS = {
    "en": "{count} of {paths} paths differ between groups of {by:in}: {which}",
    "zh": "“{by}”各组之间，{paths} 条路径中有 {count} 条存在差异：{which}",
}
TITLE_NONE = {
    "en": "No path shows a difference between groups of {by:in} ({paths} compared, smallest {p:p})",
    "zh": "“{by}”各组之间未检出路径差异（比较 {paths} 条路径，最小的 {p:p}）",
}
TITLE_SHUT = {
    "en": "No path can be compared between groups of {by:in}: {constructs} not shown to be composed alike",
    "zh": "“{by}”各组之间没有可比较的路径：{constructs}的构成不同或无法检验",
}
TITLE_ALONE = {
    "en": "Too few respondents to compare paths between groups of {by:in}",
    "zh": "样本不足，无法比较“{by}”各组的路径",
}

# ------------------------------------------------------------------------------ sentences
UNLIKE = {
    "en": "What makes up {construct:in} differs between {first} and {second} (the two compositions correlate at {c:.3f}, {p:p}); not compared "
    "there: {paths}.",
    "zh": "“{construct}”的构成在{first}与{second}之间不同（两种构成的相关系数 {c:.3f}，{p:p}），以下路径不作比较：{paths}。",
}
UNSURE = {
    "en": "Whether {construct:in} is made up alike for {first} and {second} could not be tested: too few sampling units for {items} indicators; not "
    "compared there: {paths}.",
    "zh": "“{construct}”的构成在{first}与{second}之间是否相同无法检验：对 {items} 个指标而言抽样单位过少；以下路径不作比较：{paths}。",
}
MORE = {
    "en": "For {segment} {source:in} counts more for {target:in} than for {other} ({own:.2f} against {rest:.2f}, {p:p}).",
    "zh": "“{source}”对“{target}”的影响，{segment}强于{other}（{own:.2f} 对 {rest:.2f}，{p:p}）。",
}
AGAINST = {
    "en": "For {segment} {source:in} works on {target:in} the other way than for {other} ({own:+.2f} against {rest:+.2f}, {p:p}).",
    "zh": "“{source}”对“{target}”的影响，{segment}与{other}方向相反（{own:+.2f} 对 {rest:+.2f}，{p:p}）。",
}
BY_WAY = {
    "en": "The way {route} carries more for {segment} than for {other} ({own:.2f} against {rest:.2f}, {p:p}).",
    "zh": "经由“{route}”的间接效应，{segment}强于{other}（{own:.2f} 对 {rest:.2f}，{p:p}）。",
}
IN_ALL = {
    "en": "All ways together, {source:in} counts more for {target:in} for {segment} than for {other} ({own:.2f} against {rest:.2f}, {p:p}).",
    "zh": "合计各条路径，“{source}”对“{target}”的总效应，{segment}强于{other}（{own:.2f} 对 {rest:.2f}，{p:p}）。",
}
JOINT = {
    "en": "The path {source} → {target} is not the same in all groups (joint test, {p:p}), but no two of them can be told apart.",
    "zh": "“{source} → {target}”在各组间并不一致（整体检验，{p:p}），但无法指出哪两组不同。",
}
MANY = {
    "en": "{count:,} more differences beyond chance are in the table.",
    "zh": "另有 {count:,} 项超出抽样误差的差异，见表。",
}
NONE = {
    "en": "No path that can be compared differs between groups of {by:in} beyond chance ({tests} tests, smallest {p:p}); a difference of "
    "{most:.2f} would have been found in any of them with {power:.0%} power.",
    "zh": "在可比较的路径中，“{by}”各组之间的差异均未超出抽样误差（{tests} 次检验，最小的 {p:p}）；以现有样本量，任何一条路径若相差 {most:.2f}，均有 {power:.0%} 的把握识别。",
}
REST = {
    "en": "The other {count} of {tests} comparisons of paths show no difference beyond chance; one of {most:.2f} would have been found in any of "
    "them with {power:.0%} power.",
    "zh": "{tests} 次路径比较中其余 {count} 次未见超出抽样误差的差异；以现有样本量，若相差 {most:.2f}，均有 {power:.0%} 的把握识别。",
}
NOTHING_LEFT = {
    "en": "No path can be compared between groups of {by:in}.",
    "zh": "“{by}”各组之间没有可比较的路径。",
}
FULL = {
    "en": "No difference between the groups was found in composition, means or variances of the constructs ({test}): nothing found speaks against "
    "comparing paths, or against analysing the groups as one.",
    "zh": "各组构念的构成、均值和方差均未检出差异（{test}）：没有发现不宜比较路径或不宜合并分析的理由。",
}
PARTIAL = {
    "en": "No difference between the groups was found in the composition of the constructs, so paths are compared ({test}). Means or variances differ "
    "({constructs}): the groups should not be pooled into one model.",
    "zh": "各组构念的构成未检出差异，因此比较路径（{test}）；但均值或方差不同（{constructs}），不宜将各组合并为一个模型。",
}
POOLING = {
    "en": "The groups should not be pooled into one model: constructs are made up differently or could not be tested, or differ in mean or variance "
    "({constructs}).",
    "zh": "不宜将各组合并为一个模型：部分构念的构成不同或无法检验，或均值、方差不同（{constructs}）。",
}
HIDDEN = {
    "en": "Too little to be compared: {groups}.",
    "zh": "样本不足、无法比较的群体：{groups}。",
}
HIDDEN_GROUP = {"en": "{segment} (base {base:,}: {why})", "zh": "{segment}（样本量 {base:,}，{why}）"}
ALONE = {
    "en": "Only {count} of {groups} groups of {by:in} can be tested: nothing is compared.",
    "zh": "“{by}”的 {groups} 个组中仅 {count} 个可检验，无法比较。",
}
TEST_WORDS = {
    "permutation": {"en": "permutation tests", "zh": "置换检验"},
    "replicates": {"en": "Wald tests", "zh": "Wald 检验"},
}
METHODS = {
    "en": "The paths of a partial least squares model ({constructs} constructs, {items} indicators) were estimated in {groups} groups of {by:in} "
    "({base:,} respondents). Measurement invariance of composites was examined in three steps (MICOM; {test}). Paths were compared by t and F "
    "tests with standard errors from {b:,} Rao–Wu bootstrap replicates of the design that all groups share, Holm-adjusted, only where "
    "compositions are invariant.",
    "zh": "在“{by}”的 {groups} 个组中（{base:,} 名受访者）分别估计偏最小二乘路径模型（{constructs} 个构念，{items} 个指标）。复合构念的测量不变性按 MICOM 三步检验（{test}）；仅在构成"
    "不变时比较路径，采用 t 检验与 F 检验，标准误来自各组共用的 {b:,} 次 Rao–Wu 抽样设计重抽样，p 值经 Holm 法校正。",
}
