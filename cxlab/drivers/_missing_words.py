"""What is said of missing answers: how they were treated, who is used, and what that assumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cxlab.covariances import Imputed, Pairwise
from cxlab.drivers._prepare import Prepared
from cxlab.words import LANGUAGES, Note

TREATMENTS: Mapping[str, Mapping[str, str]] = {
    "listwise": {"en": "listwise deletion", "zh": "按个案剔除"},
    "pairwise": {"en": "pairwise deletion", "zh": "成对剔除"},
    "em": {"en": "EM", "zh": "EM 法"},
    "mi": {"en": "multiple imputation", "zh": "多重插补"},
    "dummy": {"en": "dummy adjustment", "zh": "虚拟变量调整"},
}
_LISTWISE = {
    "en": "Listwise: {base:,} respondents answered every question used; {lost:,} others ({share:.0%} of the weight) "
    "are not in these numbers.",
    "zh": "按个案剔除：{base:,} 名受访者回答了全部所用题目；其余 {lost:,} 名（占权重 {share:.0%}）未计入。",
}
_USED = {
    "en": "Missing answers by {treatment}: {base:,} respondents are used. {complete:,} of them answered every question; the "
    "others, {share:.0%} of the weight, would be lost listwise. {lost:,} respondents ({lost_share:.1%} of the weight) could not be used.",
    "zh": "缺失回答的处理：{treatment}。共使用 {base:,} 名受访者，其中 {complete:,} 名全部作答；其余（占权重 {share:.0%}）若按个案剔除"
    "将会丢失。另有 {lost:,} 名（占权重 {lost_share:.1%}）无法使用。",
}
_NOT_MET = {
    "en": "Not experienced is no missing answer and is never filled in: {drivers} each enter with an indicator of who did not "
    "experience them, counted with the item as one driver. Effect, mean and base are those of respondents who did.",
    "zh": "“未体验”不是缺失回答，绝不填补：{drivers}各附一个“未体验”标记，题目与标记合为一个因素计算重要性；影响、均分和样本量均只针对体验过的受访者。",
}
_SAME_PEOPLE = {
    "en": "The same respondents did not experience several drivers; what goes with not having experienced them is counted once, with the first "
    "of them, and not with {drivers}.",
    "zh": "有几个因素的未体验者完全相同；“未体验”的作用只计入其中排在最前的一个，未计入：{drivers}。",
}
_ASSUMED: Mapping[str, Mapping[str, str]] = {
    "pairwise": {
        "en": "Each correlation rests on the respondents who answered both questions (fewest: {fewest:,}). That is right only if what is "
        "missing depends on no answer at all.",
        "zh": "每个相关系数只用同时回答两题的受访者计算（最少 {fewest:,} 名）；仅当缺失与任何回答都无关时才正确。",
    },
    "em": {
        "en": "EM estimates means and correlations from all answers under a normal model (full information maximum likelihood, "
        "weighted), anew in every replicate. It is right if what is missing depends only on answers that are there.",
        "zh": "EM 法在正态模型下用全部回答估计均值和相关系数（加权的全信息极大似然），每次重抽样都重新估计；前提是缺失只取决于已有的回答。",
    },
    "mi": {
        "en": "{imputations} imputations from a normal model of drivers, outcome{auxiliary}; Rubin's rules with design-based variances. "
        "That is right if what is missing depends only on what the model holds; with unequal weights its intervals are somewhat too wide.",
        "zh": "由包含驱动因素、结果变量{auxiliary}的正态模型生成 {imputations} 组插补值，按 Rubin 规则合并，方差按抽样设计计算；前提是缺失只取决于模型中的变量；权重不等时区间略偏宽。",
    },
    "dummy": {
        "en": "Dummy adjustment sets missing answers to the mean and marks them; effects and importances are then biased even where "
        "answers are missing quite by chance (Jones 1996). Use it for comparison, not for decisions.",
        "zh": "虚拟变量调整将缺失回答设为均值并加标记；即使缺失完全随机，影响和重要性也有偏差（Jones，1996）。只宜用于对照，不宜据此决策。",
    },
}
_AUXILIARY = {
    True: {"en": ", weight and strata", "zh": "、权重和分层"},
    False: {"en": "", "zh": ""},
}
_FLOORED = {
    "en": "The pairwise correlations fit no set of answers: {count} eigenvalues were raised above 0. Prefer EM.",
    "zh": "成对计算的相关系数彼此不相容：有 {count} 个特征值被提升至 0 以上。建议改用 EM 法。",
}


def missing_notes(prepared: Prepared) -> list[Note]:
    """How missing answers were treated, for the notes of a result."""
    if prepared.missing == "listwise":
        return [Note(_LISTWISE, base=len(prepared.rows), lost=prepared.excluded, share=prepared.excluded_share)]
    answered = prepared.complete
    share = 1 - float(prepared.weights[answered].sum() / prepared.weights.sum())
    notes = [Note(_USED, treatment=TREATMENTS[prepared.missing], base=len(prepared.rows), complete=int(answered.sum()), share=share,
                  lost=prepared.excluded, lost_share=prepared.excluded_share), _assumed(prepared)]  # fmt: skip
    source = prepared.source
    if isinstance(source, Pairwise) and source.floored:
        notes.append(Note(_FLOORED, count=source.floored))
    several = not_met(prepared)
    if several:
        notes.append(Note(_NOT_MET, drivers=listed(several, prepared.labels)))
    layout = prepared.layout
    placed = zip(prepared.drivers, layout.players, layout.absent, strict=True)
    shared = [d for d, columns, mark in placed if mark >= 0 and mark not in columns]
    if shared:
        notes.append(Note(_SAME_PEOPLE, drivers=listed(shared, prepared.labels)))
    return notes


def not_met(prepared: Prepared) -> list[str]:
    """Drivers with an indicator of who did not experience them; dummy adjustment does not tell these apart."""
    pairs = zip(prepared.drivers, prepared.layout.absent, strict=True)
    return [d for d, mark in pairs if mark >= 0 and prepared.missing != "dummy"]


def _assumed(prepared: Prepared) -> Note:
    template, source = _ASSUMED[prepared.missing], prepared.source
    if isinstance(source, Imputed):
        auxiliary = _AUXILIARY[source.auxiliary.shape[1] > 0]
        return Note(template, imputations=len(source.completed), auxiliary=auxiliary)
    if isinstance(source, Pairwise):
        known = np.isfinite(prepared.columns).astype(float)
        return Note(template, fewest=int((known.T @ known).min()))
    return Note(template)


def listed(names: Sequence[str], labels: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Labels of several names in every language."""
    return {lang: (", " if lang == "en" else "、").join(labels[n].get(lang, n) for n in names) for lang in LANGUAGES}


def respondents(missing: str) -> dict[str, str]:
    """Whose answers a number rests on."""
    if missing == "listwise":
        return {"en": "respondents with complete answers", "zh": "回答完整的受访者"}
    said = TREATMENTS[missing]
    return {"en": f"respondents (missing answers by {said['en']})", "zh": f"受访者（缺失回答：{said['zh']}）"}
