"""Power: what a base could show, before or after the interviews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import detectable as smallest
from cxlab.contrasts import differences
from cxlab.design import resolve, t_quantile
from cxlab.errors import SurveyError
from cxlab.metrics import SPECS, Cells, Score, cells, design_notes, estimate, require_answers, score, unplaced
from cxlab.result import Base, Result, reliability
from cxlab.survey import Survey
from cxlab.words import Figure, Note, Sentences, language, sentence

_LEVEL = {
    "en": "{metric:cap}: with an effective base of {effective:,.0f}, the level can be told from a fixed value {detectable} away or "
    "more ({power:.0%} power, tested at {alpha:.1%}).",
    "zh": "{metric}：有效样本量为 {effective:,.0f}，与某一固定值相差 {detectable}及以上时，有 {power:.0%} 的把握能识别（检验水准 {alpha:.1%}）。",
}
_PAIR = {
    "en": "{metric:cap}: a difference of {detectable} between {segment:in} and {other:in} can be shown ({power:.0%} power, tested at "
    "{alpha:.1%}).",
    "zh": "{metric}：{segment}与{other}之间相差 {detectable}及以上时，有 {power:.0%} 的把握能识别（检验水准 {alpha:.1%}）。",
}
_HIDDEN = {
    "en": "{count:,} of {rows:,} rows are not shown: an effective base under 30.",
    "zh": "{rows:,} 行中有 {count:,} 行未显示：有效样本量不足 30。",
}


@dataclass(frozen=True, eq=False)
class DetectableResult(Result):
    """Smallest differences that a base can show.

    Attributes
    ----------
    kinds : dict of metric to {"mean", "nps", "share", "index"}
    power : float
    tests : int
        Comparisons that the level is divided by; 1 where none are.
    """

    kinds: dict[str, str] = field(default_factory=dict)
    power: float = 0.8
    tests: int = 1

    def sentences(self, lang: str | None = None) -> Sentences:
        """One sentence per level or pair whose base is not suppressed."""
        lang = language(lang)
        said = []
        hidden = int((self.table["reliability"] == "suppressed").sum())
        for r in self.rows():
            if r.reliability == "suppressed" or np.isnan(r.detectable):
                continue
            facts: dict[str, Any] = {
                "metric": self.label(r.metric, lang, "metric"), "power": self.power,
                "alpha": (1 - self.level) / self.tests, "detectable": self._figure(r.metric, r.detectable, lang),
            }  # fmt: skip
            if getattr(r, "other", None) is None:
                said.append(sentence(_LEVEL, lang, effective=r.base_effective, **facts))
            else:
                said.append(sentence(_PAIR, lang, segment=self._group(r, lang), other=self._other(r, lang), **facts))
        if hidden:
            said.append(sentence(_HIDDEN, lang, count=hidden, rows=len(self.table)))
        return Sentences(said)

    def _group(self, r: Any, lang: str) -> str:
        keys = [c for c in self.table.columns if c == "wave" or c.startswith("segment")]
        return (", " if lang == "en" else " ").join(self.label(getattr(r, c), lang, c) for c in keys)

    def _other(self, r: Any, lang: str) -> str:
        return self.label(r.other, lang, "wave" if "wave" in self.table else "segment")

    def _figure(self, metric: str, value: float, lang: str) -> Figure:
        kind = self.kinds[metric]
        if kind == "share":
            return Figure(100 * value, ".1f", {"en": " percentage points", "zh": " 个百分点"}[lang])
        return Figure(value, ".2f" if kind == "mean" else ".1f", {"en": " points", "zh": " 分"}[lang])


def detectable(
    survey: Survey,
    metric: str | Sequence[str],
    *,
    by: str | Sequence[str] | None = None,
    power: float = 0.8,
    level: float = 0.95,
    tests: int = 1,
    difference: float | None = None,
) -> DetectableResult:
    """What is the smallest difference that this base can show?

    Parameters
    ----------
    survey : Survey
    metric : str or list of str
        Columns, roles, ``"nps"`` or ``"csat"``.
    by : str or list of str, optional
        A segment: all pairs of its groups. ``"wave"``: each wave and the one before. A segment and ``"wave"``: each
        group's waves. Without it: the level against a fixed value, such as a target.
    power : float
        Chance that a true difference of the size shown is found.
    level : float
        Confidence level of the two-sided test.
    tests : int
        Comparisons that share the level (Bonferroni); the strictest step of Holm's method.
    difference : float, optional
        A difference on the metric's scale (shares from 0 to 1) for which ``base_needed`` is worked out.

    Returns
    -------
    DetectableResult
        ``metric, [segment, other], [wave, other], detectable`` (on the metric's scale), ``se`` (of the level or the
        difference), ``df, [base_needed]`` (respondents per group, all else equal), ``base, base_effective,
        reliability`` (of the smaller group).

    Raises
    ------
    SurveyError
        For unknown names, one group, several segments at once, or a power outside .5 to 1.

    Notes
    -----
    (t + z) · se with t at (1 − level) / tests and z at the power; se from the design, covariance between groups
    and waves included. Shares take the variance at the share observed; where that is 0 or 1 the
    number is missing.

    References
    ----------
    Bloom (1995), Evaluation Review 19(5), 547–556.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"card": [1, 2] * 200, "q": np.tile([4.0, 5, 6, 7], 100)}))
    >>> detectable(survey, "q", by="card").table["detectable"].round(2).tolist()
    [0.28]
    """
    if not 0.5 <= power < 1:
        raise SurveyError(f"power is {power}; the chance of finding a difference lies between .5 and 1, usually .8.")
    t_quantile(level, 1)  # an impossible level is reported as it was given
    if tests < 1:
        raise SurveyError(f"tests is {tests}; at least one comparison is made.")
    metrics = [metric] if isinstance(metric, str) else list(metric)
    if not metrics:
        raise SurveyError("metric is empty; name at least one.")
    groups = cells(survey, by)
    if "segment_2" in groups.keys[0]:
        raise SurveyError("by names 2 segments or more; one segment and one wave can be compared.")
    scores = [score(survey, m) for m in metrics]
    require_answers(survey, scores, "metric")
    table = _table(survey, scores, groups, 1 - (1 - level) / tests, power)
    if table.empty:
        raise SurveyError(f"by: {by!r} has 1 group among the respondents; a comparison needs two.")
    if difference is not None:
        needed = np.ceil(table["base"] * (table["detectable"] / abs(difference)) ** 2)
        table.insert(list(table.columns).index("base"), "base_needed", needed)
    more = {"by": by, "power": power, "level": level, "tests": tests, "difference": difference}
    usual = {"by": None, "power": 0.8, "level": 0.95, "tests": 1, "difference": None}
    said = "".join(f", {k}={v!r}" for k, v in more.items() if v != usual[k])
    inside = survey.domain & (survey.weights > 0) & groups.inside.any(axis=1)
    labels = {**_HEADINGS, **groups.labels, **{("metric", s.name): s.labels for s in scores}, **_other_labels(groups)}
    return DetectableResult(
        table, Base(int(inside.sum())), (*design_notes(survey), *unplaced(survey, groups), _how(power, level, tests)),
        labels, f"cx.detectable(survey{survey.filter}, {metric!r}{said})",
        {"en": "Smallest difference that this base can show", "zh": "现有样本量可识别的最小差异"},
        _formats(scores), level, kinds={s.name: s.kind for s in scores}, power=power, tests=tests,
    )  # fmt: skip


def _table(survey: Survey, scores: Sequence[Score], groups: Cells, level: float, power: float) -> pd.DataFrame:
    design, count = resolve(survey), len(groups.keys)
    found = estimate(survey, scores, groups, design)
    pairs = _pairs(groups.keys)
    if pairs is None:
        cell = np.arange(count * len(scores))
        se, df, weaker = found.se, found.df, cell
        keys = [{"metric": s.name} for s in scores]
    else:
        first = np.array([a for a, _ in pairs] * len(scores), dtype=int)
        second = np.array([b for _, b in pairs] * len(scores), dtype=int)
        offset = np.repeat(np.arange(len(scores)) * count, len(pairs))
        first, second = first + offset, second + offset
        gap = differences(found, second, first, design.df)
        se, df = gap.se, gap.df
        weaker = np.where(found.base_effective[first] < found.base_effective[second], first, second)
        kind = "wave" if "wave" in groups.keys[0] else "segment"
        keys = [{"metric": s.name, **groups.keys[b], "other": groups.keys[a][kind]} for s in scores for a, b in pairs]
    with np.errstate(invalid="ignore"):
        se = np.where((se > 0) & (found.base[weaker] > 1), se, np.nan)
    return pd.DataFrame(keys).assign(
        detectable=smallest(se, df, level=level, power=power), se=se, df=df, base=found.base[weaker],
        base_effective=found.base_effective[weaker], reliability=reliability(found.base_effective[weaker]),
    )  # fmt: skip


def _pairs(keys: Sequence[dict[str, Any]]) -> list[tuple[int, int]] | None:
    """Pairs of cells to compare: waves with the one before in their segment, else all segments; None without keys."""
    if not keys[0]:
        return None
    if "wave" in keys[0]:
        own = [(k.get("segment"), i) for i, k in enumerate(keys)]
        return [(i, j) for (s, i) in own for (r, j) in own if s == r and _next(keys, i) == j]
    return [(i, j) for i in range(len(keys)) for j in range(i + 1, len(keys))]


def _next(keys: Sequence[dict[str, Any]], i: int) -> int | None:
    """Cell of the same segment's next wave."""
    later = (j for j in range(i + 1, len(keys)) if keys[j].get("segment") == keys[i].get("segment"))
    earlier = [j for j in later if keys[j]["wave"] > keys[i]["wave"]]
    return min(earlier, key=lambda j: keys[j]["wave"]) if earlier else None


def _how(power: float, level: float, tests: int) -> Note:
    template = {
        "en": "A true difference of this size is found in {power:.0%} of surveys like this one, tested two-sided at {alpha:.2%} "
        "({tests:,} comparisons share {whole:.0%}).",
        "zh": "若真实差异达到该数值，在同样设计的调查中有 {power:.0%} 能被识别（双侧检验，水准 {alpha:.2%}；{tests:,} 次比较共用 {whole:.0%}）。",
    }
    return Note(template, power=power, alpha=(1 - level) / tests, tests=tests, whole=1 - level)


def _other_labels(groups: Cells) -> dict[Any, Any]:
    kind = "wave" if "wave" in groups.keys[0] else "segment"
    return {("other", key[1]): text for key, text in groups.labels.items() if isinstance(key, tuple) and key[0] == kind}


def _formats(scores: Sequence[Score]) -> dict[Any, str]:
    out: dict[Any, str] = {"df": ",.0f", "base_needed": ",.0f"}
    for s in scores:
        spec = ".1%" if s.kind == "share" else SPECS[s.kind].replace("+", "")
        out |= {(s.name, "detectable"): spec, (s.name, "se"): spec}
    return out


_HEADINGS = {
    "detectable": {"en": "Smallest difference visible", "zh": "可识别的最小差异"},
    "other": {"en": "Compared with", "zh": "对照组"},
    "df": {"en": "df", "zh": "自由度"},
    "base_needed": {"en": "Base needed per group", "zh": "每组所需样本量"},
}
