"""Tracking: where the key figures stand, whether they moved, and what move this base could show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.contrasts import detectable, differences, holm
from cxlab.design import kish_base, resolve, weighted_means
from cxlab.errors import SurveyError
from cxlab.metrics import (
    SPECS,
    Score,
    cells,
    design_notes,
    estimate,
    intervals,
    metric_formats,
    score,
    value_names,
)
from cxlab.result import Base, Result, reliability
from cxlab.survey import Survey
from cxlab.words import Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEVEL = {
    "mean": {
        "en": "{metric:cap} stands at {value:.2f} ({level} interval {low:.2f} to {high:.2f}).",
        "zh": "{metric}为 {value:.2f}（{level} 区间 {low:.2f} 至 {high:.2f}）。",
    },
    "index": {
        "en": "{metric:cap} stands at {value:.1f} of 100 ({level} interval {low:.1f} to {high:.1f}).",
        "zh": "{metric}为 {value:.1f}（0–100 分制，{level} 区间 {low:.1f} 至 {high:.1f}）。",
    },
    "nps": {
        "en": "{metric:cap} stands at {value:+.1f} ({level} interval {low:+.1f} to {high:+.1f}).",
        "zh": "{metric}为 {value:+.1f}（{level} 区间 {low:+.1f} 至 {high:+.1f}）。",
    },
    "share": {
        "en": "{metric:cap} stands at {value:.0%} ({level} interval {low:.0%} to {high:.0%}).",
        "zh": "{metric}为 {value:.0%}（{level} 区间 {low:.0%} 至 {high:.0%}）。",
    },
}
_MOVED = {
    "mean": {
        "en": "{metric:cap} changed by {change:+.2f} since {before} ({level} interval {low:+.2f} to {high:+.2f}, {p:p}): more than chance.",
        "zh": "{metric}变化 {change:+.2f}（对比 {before}；{level} 区间 {low:+.2f} 至 {high:+.2f}，{p:p}），变化显著。",
    },
    "nps": {
        "en": "{metric:cap} changed by {change:+.1f} since {before} ({level} interval {low:+.1f} to {high:+.1f}, {p:p}): more than chance.",
        "zh": "{metric}变化 {change:+.1f}（对比 {before}；{level} 区间 {low:+.1f} 至 {high:+.1f}，{p:p}），变化显著。",
    },
    "share": {
        "en": "{metric:cap} changed by {change:pp} points since {before} ({level} interval {low:pp} to {high:pp}, {p:p}): more than chance.",
        "zh": "{metric}变化 {change:pp} 个百分点（对比 {before}；{level} 区间 {low:pp} 至 {high:pp}，{p:p}），变化显著。",
    },
}
_STILL = {
    "mean": {
        "en": "{metric:cap}: {change:+.2f} since {before}, within chance; a change of {detectable:.2f} would probably have shown.",
        "zh": "{metric}变化 {change:+.2f}（对比 {before}），属抽样波动；以本期样本量，变化达到 {detectable:.2f} 才较有把握识别。",
    },
    "nps": {
        "en": "{metric:cap}: {change:+.1f} since {before}, within chance; a change of {detectable:.1f} would probably have shown.",
        "zh": "{metric}变化 {change:+.1f}（对比 {before}），属抽样波动；以本期样本量，变化达到 {detectable:.1f} 才较有把握识别。",
    },
    "share": {
        "en": "{metric:cap}: {change:pp} points since {before}, within chance; a change of {detectable:pt} points would probably have shown.",
        "zh": "{metric}变化 {change:pp} 个百分点（对比 {before}），属抽样波动；以本期样本量，变化达到 {detectable:pt} 个百分点才较有把握识别。",
    },
}
_MOVED["index"], _STILL["index"] = _MOVED["nps"], _STILL["nps"]
_OF_BEFORE = ("before", "change", "change_low", "change_high", "p_value", "detectable")


@dataclass(frozen=True, eq=False)
class ScorecardResult(Result):
    """Key figures of one wave, their change and their targets.

    Attributes
    ----------
    wave, before : code or None
        Waves compared.
    kinds : dict of metric to {"mean", "nps", "share", "index"}
    """

    wave: Any = None
    before: Any = None
    kinds: Any = None

    def sentences(self, lang: str | None = None) -> Sentences:
        """Say each metric's level, then whether it moved, with what the base could have shown."""
        return Sentences([*self.levels(lang), *self.changes(lang)])

    def masked(self, column: str) -> np.ndarray:
        """Besides the rows of suppressed bases, hide every number that rests on a suppressed wave before."""
        hidden = super().masked(column)
        return (
            hidden | (self.table["reliability_before"] == "suppressed").to_numpy() if column in _OF_BEFORE else hidden
        )

    def levels(self, lang: str | None = None) -> list[Sentence]:
        """One sentence per metric on where it stands."""
        return [
            sentence(
                _LEVEL[self.kinds[r.metric]],
                lang,
                metric=self.label(r.metric, lang),
                value=r.estimate,
                low=r.low,
                high=r.high,
                level=self.said_level,
            )
            for r in self.rows()
            if r.reliability != "suppressed"
        ]

    def changes(self, lang: str | None = None) -> list[Sentence]:
        """One sentence per metric on whether it moved; none where there is no earlier wave."""
        said = []
        for r in self.rows():
            if np.isnan(r.change) or "suppressed" in (r.reliability, r.reliability_before):
                continue
            kind, real = self.kinds[r.metric], r.p_value < 1 - self.level
            facts: dict[str, Any] = {
                "metric": self.label(r.metric, lang),
                "change": r.change,
                "before": self.label(self.before, lang, "wave"),
            }
            if real:
                facts |= {"low": r.change_low, "high": r.change_high, "level": self.said_level}
                said.append(sentence(_MOVED[kind], lang, p=r.p_value, **facts))
            else:
                said.append(sentence(_STILL[kind], lang, detectable=r.detectable, **facts))
        return said


def scorecard(
    survey: Survey,
    metrics: Sequence[str] | None = None,
    *,
    wave: Any = None,
    before: Any = None,
    level: float = 0.95,
) -> ScorecardResult:
    """Where do the key figures stand, and did they move since the wave before?

    Parameters
    ----------
    survey : Survey
        All waves; its own domain limits both waves.
    metrics : list of str, optional
        ``"nps"``, ``"csat"``, columns or roles. By default satisfaction, NPS, CSAT and effort, as far as the
        survey has them.
    wave, before : code or label, optional
        The wave reported and the one it is compared with; the last two by default. A survey without waves is
        reported as a whole.
    level : float

    Returns
    -------
    ScorecardResult
        ``metric, estimate, se, low, high, before, change, change_low, change_high, p_value`` (of the change, Holm over the
        metrics), ``detectable`` (smallest change this base finds with 80 % power), ``reliability_before`` (of the
        wave before; empty without one), ``target, base, base_effective, reliability``; every number on its metric's scale.

    Raises
    ------
    SurveyError
        If no metric is defined for the survey, or a wave does not exist or has no respondents.

    Notes
    -----
    Changes take the covariance of the waves from the design, so respondents asked twice count as such.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> df = pd.DataFrame({"wave": [1, 1, 1, 2, 2, 2], "q": [5, 6, 7, 8, 9, 9.0]})
    >>> scorecard(Survey.from_frame(df), ["q"], wave=2, before=1).table["change"].round(2).tolist()
    [2.67]
    """
    scores = [score(survey, m) for m in metrics] if metrics else default_scores(survey)
    now, then = _waves(survey, wave, before)
    column = survey.column_of("wave") if now is not None else None
    inside = [survey.domain & (survey.data[column] == w).to_numpy() if column else survey.domain for w in (now, then)]
    pair = inside if then is not None else inside[:1]
    design = resolve(survey)
    found = weighted_means(
        design,
        np.repeat(np.column_stack([s.values for s in scores]), len(pair), axis=1),
        np.column_stack(pair * len(scores)),
    )
    low, high = intervals(found, [s.kind for s in scores for _ in pair], level=level)
    first = np.arange(len(scores)) * len(pair)
    table = pd.DataFrame({"metric": [s.name for s in scores], "estimate": found.estimate[first], "se": found.se[first],
                          "low": low[first], "high": high[first]})  # fmt: skip
    table[list(_OF_BEFORE)] = np.nan
    table["reliability_before"] = ""
    if then is not None:
        gap = differences(found, first, first + 1, design.df)
        change_low, change_high = gap.interval(level)
        values = (found.estimate[first + 1], gap.estimate, change_low, change_high, holm(gap.p_values()),
                  detectable(gap.se, gap.df, level=level))  # fmt: skip
        table[list(_OF_BEFORE)] = np.column_stack(values)
        table["reliability_before"] = reliability(found.base_effective[first + 1])
    table["target"] = [float(survey.roles.targets.get(s.name, np.nan)) for s in scores]
    effective = found.base_effective[first]
    table = table.assign(base=found.base[first], base_effective=effective, reliability=reliability(effective))
    labels: dict[Any, Any] = {**_HEADINGS, **{s.name: s.labels for s in scores}}
    labels |= {("wave", w): value_names(survey, str(column), w) for w in (now, then) if w is not None}
    options = {"wave": now, "before": then, "level": None if level == 0.95 else level}
    said = "".join(f", {k}={v!r}" for k, v in options.items() if v is not None)
    return ScorecardResult(
        table, base_of(survey, inside[0]), design_notes(survey), labels,
        f"cx.scorecard(survey{survey.filter}, {[s.name for s in scores]!r}{said})",
        {"en": "Scorecard", "zh": "核心指标"}, metric_formats(scores), level=level, wave=now, before=then,
        kinds={s.name: s.kind for s in scores},
    )  # fmt: skip


def base_of(survey: Survey, inside: np.ndarray | None = None) -> Base:
    """Respondents with a weight above zero in the domain (or some rows), and Kish's effective base."""
    weights = survey.weights[survey.domain if inside is None else inside]
    return Base(int((weights > 0).sum()), kish_base(weights))


def default_scores(survey: Survey) -> list[Score]:
    """Metrics that the declared outcomes allow: satisfaction, NPS, CSAT, effort, repurchase."""
    wanted = [
        "satisfaction",
        "nps",
        "csat",
        *(r for r in survey.roles.outcomes if r not in ("satisfaction", "recommend")),
    ]
    found = []
    for name in wanted:
        try:
            found.append(score(survey, name))
        except SurveyError:  # the role is absent, or its scale does not allow the metric
            continue
    if not found:
        raise SurveyError(
            "metrics: the survey declares no outcome; declare outcomes in study.yml, or pass metrics=[...]."
        )
    return found


def _waves(survey: Survey, wave: Any, before: Any) -> tuple[Any, Any]:
    """Codes of the wave reported and the one before it; None where there is none."""
    if survey.roles.wave is None and "wave" not in survey.data.columns:
        if wave is not None or before is not None:
            raise SurveyError("wave: the survey declares no waves; leave wave and before out.")
        return None, None
    column = survey.column_of("wave")
    present = sorted(survey.data[column][survey.domain].dropna().unique().tolist())
    if not present:
        raise SurveyError(f"wave: none of the {len(survey):,} respondents analysed belongs to a wave.")
    now = present[-1] if wave is None else survey.codes_of("wave", wave)[0]
    earlier = [w for w in present if w < now]
    then = survey.codes_of("wave", before)[0] if before is not None else earlier[-1] if earlier else None
    for name, code in (("wave", now), ("before", then)):
        if code is not None and code not in present:
            label = survey.codebook[column].value_label(code)
            raise SurveyError(f"{name} {label!r} has no respondents among the {len(survey):,} analysed.")
    if now == then:
        raise SurveyError(f"before is the wave itself ({survey.codebook[column].value_label(now)!r}); name another.")
    return now, then


@dataclass(frozen=True, eq=False)
class TrendResult(Result):
    """A metric over waves, by segment or in total."""

    metric: str = ""

    def plot(self, ax: Axes | None = None, lang: str | None = None, *, target: float | None = None) -> Axes:
        """Draw the metric over waves with intervals; suppressed cells leave a gap."""
        from cxlab.charts import lines

        lang = language(lang)
        table = self.table.assign(wave=[self.label(w, lang, "wave") for w in self.table["wave"]])
        table.loc[table["reliability"] == "suppressed", ["estimate", "low", "high"]] = np.nan
        if "segment" in table:
            table = table.assign(segment=[self.label(s, lang, "segment") for s in table["segment"]])
        return lines(
            table,
            title=_BY_WAVE[lang].format(metric=self.label(self.metric, lang), level=self.said_level),
            target=target,
            lang=lang,
            ax=ax,
        )


def trend(survey: Survey, metric: str, *, by: str | None = None, level: float = 0.95) -> TrendResult:
    """How did a metric develop from wave to wave?

    Parameters
    ----------
    survey : Survey
    metric : str
        ``"nps"``, ``"csat"``, a column or a role.
    by : str, optional
        Segment column.
    level : float

    Returns
    -------
    TrendResult
        ``[segment], wave, estimate, se, low, high, base, base_effective, reliability``.

    Raises
    ------
    SurveyError
        If the survey has no waves.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"wave": [1, 1, 2, 2], "q": [5, 6, 8, 9.0]})
    >>> trend(Survey.from_frame(df), "q").table["estimate"].tolist()
    [5.5, 8.5]
    """
    if survey.roles.wave is None and "wave" not in survey.data.columns:
        raise SurveyError("trend: the survey declares no waves; declare wave in study.yml.")
    groups = cells(survey, ["wave"] if by is None else [by, "wave"])
    scored = score(survey, metric)
    found = estimate(survey, [scored], groups)
    low, high = intervals(found, [scored.kind] * len(groups.keys), level=level)
    table = pd.DataFrame(groups.keys).assign(
        estimate=found.estimate, se=found.se, low=low, high=high, base=found.base,
        base_effective=found.base_effective, reliability=reliability(found.base_effective),
    )  # fmt: skip
    spec = SPECS[scored.kind]
    return TrendResult(
        table, base_of(survey), design_notes(survey),
        {**groups.labels, metric: scored.labels}, f"cx.trend(survey{survey.filter}, {metric!r}, by={by!r}{'' if level == 0.95 else f', level={level!r}'})",
        formats={"estimate": spec, "low": spec, "high": spec}, level=level, metric=metric,
    )  # fmt: skip


_BY_WAVE = {"en": "{metric} by wave, with {level} interval", "zh": "{metric}逐期走势（含 {level} 区间）"}
_HEADINGS = {
    "estimate": {"en": "Value", "zh": "数值"},
    "before": {"en": "Wave before", "zh": "上期"},
    "change": {"en": "Change", "zh": "变化"},
    "change_low": {"en": "Change low", "zh": "变化下限"},
    "change_high": {"en": "Change high", "zh": "变化上限"},
    "detectable": {"en": "Detectable change", "zh": "可识别的变化"},
    "target": {"en": "Target", "zh": "目标"},
    "reliability_before": {"en": "Reliability before", "zh": "上期可靠性"},
}  # fmt: skip
