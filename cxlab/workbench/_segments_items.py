"""What can be compared and followed over time, and words that the views of segments and waves share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cxlab.design import resolve
from cxlab.errors import SurveyError
from cxlab.metrics import score
from cxlab.result import SUPPRESSED_BASE, reliability
from cxlab.words import Note
from cxlab.workbench._segments_tally import Tally
from cxlab.workbench._tab import Texts
from cxlab.workbench._workspace import Workspace

Filter = Mapping[str, Sequence[Any]]


def metrics_of(workspace: Workspace, computed: Sequence[str], *, rated: bool = False) -> dict[str, Texts]:
    """Outcomes, then touchpoints in journey order, then other drivers and layers: every one whose mean is defined.

    Parameters
    ----------
    workspace : Workspace
    computed : list of {"nps", "csat"}
        Metrics offered besides the items.
    rated : bool
        Leave out labelled codes that are no scale; the library compares groups on them by the share of each answer.

    Returns
    -------
    dict of name to wording
    """
    survey, roles = workspace.survey, workspace.survey.roles
    names = [*workspace.outcomes, *(t.item for t in roles.touchpoints), *workspace.drivers]
    names += [item for items in roles.layers.values() for item in items]
    heads = set(workspace.outcomes)
    behind = {item for role in heads for item in roles.outcomes[role] if len(roles.outcomes[role]) == 1}
    first, *rest = [n for n in dict.fromkeys(names) if n in heads or n not in behind] or [""]
    out: dict[str, Texts] = {}
    for name in [n for n in (first, *computed, *rest) if n]:
        try:
            found = score(survey, name)
        except SurveyError:  # the scale does not allow the metric, or the study lacks the role
            continue
        if (found.values == found.values).any() and not (rated and _no_scale(workspace, name)):
            out[name] = dict(found.labels)
    return out


def _no_scale(workspace: Workspace, name: str) -> bool:
    """Whether an item has labelled or nominal codes that are no scale."""
    survey = workspace.survey
    columns = survey.items_of(name) if survey.has(name) else ()
    item = survey.codebook.items.get(columns[0]) if len(columns) == 1 else None
    if item is None or item.scale is not None:
        return False
    labelled = bool(item.values) and set(survey.data[columns[0]].dropna().unique()) <= set(item.values)
    return item.measure == "nominal" or (item.measure == "unknown" and labelled)


def lonely(workspace: Workspace, allowed: Sequence[str] = ("adjust", "remove")) -> Texts | None:
    """What to declare where strata have a single sampling unit, which leaves no interval; None if nothing."""
    survey = workspace.survey
    if survey.design.stratum is None or survey.design.lonely in allowed:
        return None
    design = resolve(survey)
    count = int(design.single.sum())
    return dict(Note(_LONELY, count=count, strata=len(design.names))) if count else None


def journey_items(workspace: Workspace, among: Sequence[str], most: int) -> tuple[str, ...]:
    """Touchpoints, or drivers where there are none, up to a number of items."""
    items = [t.item for t in workspace.survey.roles.touchpoints] or list(workspace.drivers)
    return tuple([i for i in dict.fromkeys(items) if i in among][:most])


def codes_inside(workspace: Workspace, filter: Filter, column: str) -> list[Any]:
    """Codes of a column that a filter leaves."""
    codes = workspace.codes(column)
    return [c for c in codes if column not in filter or c in filter[column]]


def require_base(tally: Tally, metric: str | Sequence[str], filter: Filter, lang: str) -> tuple[int, float]:
    """Base and effective base of a filter; of several metrics the largest, as some may not have been asked.

    Raises
    ------
    SurveyError
        If it is too small to show anything, in the language asked for.
    """
    found = tally.many([metric] if isinstance(metric, str) else metric, filter)
    most = max(found, key=lambda f: float(f.effective[0]))
    base, effective = int(most.base[0]), float(min(most.effective[0], most.base[0]))
    if effective < SUPPRESSED_BASE:
        raise SurveyError(Note(_FEW, base=base, effective=effective, least=SUPPRESSED_BASE)[lang])
    return base, effective


def masks(effective: Any, lang: str) -> list[str]:
    """What curves say on small bases."""
    low = int((reliability(effective) == "low").sum())
    return [HIDDEN[lang], *([Note(LOW, count=low)[lang]] if low else [])]


_FEW = {
    "en": "The filter leaves {base:,} respondents (effective base {effective:,.0f}); at least {least} are needed to show anything: widen it.",
    "zh": "当前筛选条件下仅有 {base:,} 位受访者（有效样本量 {effective:,.0f}），少于 {least}，不予显示：请放宽筛选条件。",
}
FIXED = {
    "en": "The weights are raked; these intervals count them as fixed.",
    "zh": "权重经过校准；此处区间将其视为固定。",
}
_LONELY = {
    "en": "Strata with a single sampling unit: {count} of {strata}; they leave no interval. Merge them with similar ones, or declare in "
    "study.yml that they are left out of the variance:\ndesign:\n  lonely: remove",
    "zh": "{strata} 个层中有 {count} 个仅含一个抽样单位，无法计算区间。请与相近的层合并，或在 study.yml 中声明方差计算时不计入这些层：\n"
    "design:\n  lonely: remove",
}
NO_SEGMENTS = {
    "en": "The study declares no segments that have two groups; add them to study.yml, for example:\nsegments: [card, gender]",
    "zh": "研究文件没有声明含两个及以上组别的细分变量；请在 study.yml 中补充，例如：\nsegments: [card, gender]",
}
NO_ITEMS = {
    "en": "The study declares no outcomes, drivers or touchpoints; add them to study.yml, for example:\noutcomes:\n  satisfaction: overall",
    "zh": "研究文件没有声明结果指标、驱动因素或触点；请在 study.yml 中补充，例如：\noutcomes:\n  satisfaction: overall",
}
NO_WAVES = {
    "en": "The survey has no waves; declare in study.yml which column holds them, for example:\nwave: {column: wave, period: month}",
    "zh": "数据没有期次；请在 study.yml 中声明期次所在的列，例如：\nwave: {column: wave, period: month}",
}
LOW = {
    "en": "Effective bases of 30–74, to be read with care: {count}.",
    "zh": "有效样本量为 30–74、解读须谨慎的数值：{count} 个。",
}
HIDDEN = {"en": "Effective bases under 30 are left out.", "zh": "有效样本量不足 30 的不显示。"}
MASKS = {
    "en": "Effective bases under 30 are not shown (–), 30–74 are grey.",
    "zh": "有效样本量不足 30 不显示（–），30–74 以灰色显示。",
}
