"""Journey: how each touchpoint is rated, which is worst, and which moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.contrasts import detectable, differences, holm, rank_sets
from cxlab.design import Estimates, kish_base, resolve, t_quantile, weighted_means
from cxlab.errors import SurveyError
from cxlab.items import pick
from cxlab.metrics import design_notes
from cxlab.result import Base, Result, reliability
from cxlab.survey import Survey, Touchpoint
from cxlab.words import LANGUAGES, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WORST = {
    "en": "{touchpoint:cap} is the worst-rated touchpoint: {value:.2f} ({level} interval {low:.2f} to {high:.2f}); owner: {owner}.",
    "zh": "评分最低的触点是“{touchpoint}”：{value:.2f}（{level} 区间 {low:.2f} 至 {high:.2f}）；责任部门：{owner}。",
}
_WORST_OPEN = {
    "en": "{touchpoint:cap} has the lowest mean, {value:.2f} ({level} interval {low:.2f} to {high:.2f}), but {count} touchpoints "
    "cannot be told apart at the bottom: {touchpoints}.",
    "zh": "“{touchpoint}”均值最低，为 {value:.2f}（{level} 区间 {low:.2f} 至 {high:.2f}），但末位有 {count} 个触点在统计上无法区分：{touchpoints}。",
}
_BEST = {
    "en": "{touchpoint:cap} is rated highest: {value:.2f} ({level} interval {low:.2f} to {high:.2f}).",
    "zh": "评分最高的是“{touchpoint}”：{value:.2f}（{level} 区间 {low:.2f} 至 {high:.2f}）。",
}
_MOVED = {
    "en": "{touchpoint:cap} changed by {change:+.2f} ({level} interval {low:+.2f} to {high:+.2f}, {p:p}).",
    "zh": "“{touchpoint}”变化 {change:+.2f}（{level} 区间 {low:+.2f} 至 {high:+.2f}，{p:p}）。",
}
_STILL = {
    "en": "No touchpoint changed by more than chance; at most touchpoints a change of {detectable:.2f} would probably have shown.",
    "zh": "各触点的变化均属抽样波动；对多数触点而言，变化达到 {detectable:.2f} 才较有把握识别。",
}
_HEADINGS = {
    "estimate": {"en": "Mean rating", "zh": "平均评分"},
    "stage": {"en": "Stage", "zh": "阶段"},
    "owner": {"en": "Owner", "zh": "责任部门"},
    "not_experienced": {"en": "Not experienced", "zh": "未体验"},
    "expectation_gap": {"en": "Against expectation", "zh": "与期望之差"},
    "change": {"en": "Change", "zh": "变化"},
    "rank_low": {"en": "Best rank", "zh": "最高排名"},
    "rank_high": {"en": "Worst rank", "zh": "最低排名"},
    "detectable": {"en": "Detectable change", "zh": "可识别的变化"},
    "reliability_before": {"en": "Reliability before", "zh": "上期可靠性"},
}  # fmt: skip


_OF_BEFORE = ("change", "change_low", "change_high", "p_value", "detectable")


@dataclass(frozen=True, eq=False)
class TouchpointResult(Result):
    """Ratings of touchpoints in journey order."""

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the ratings with intervals in journey order; suppressed ones are left out."""
        from cxlab import theme
        from cxlab.charts import dots

        lang = language(lang)
        table = self.table.assign(label=[self.label(t, lang) for t in self.table["touchpoint"]])
        hidden = (table["reliability"] == "suppressed").to_numpy()
        last = table["rank_high"].where(~hidden).max()
        table.loc[hidden, ["estimate", "low", "high"]] = np.nan
        colours = np.where((table["rank_high"] == last) & ~hidden, theme.BAD, theme.GOOD)
        title = {
            "en": "Ratings along the journey: mean and {level} interval (diamond: lowest)",
            "zh": "旅程各触点评分：均值与 {level} 区间（菱形为最低）",
        }
        return dots(table, title=title[lang].format(level=self.said_level), spec=".1f", colours=colours.tolist(), ax=ax)

    def masked(self, column: str) -> np.ndarray:
        """Besides the rows of suppressed bases, hide every number that rests on a suppressed base before."""
        hidden = super().masked(column)
        return (
            hidden | (self.table["reliability_before"] == "suppressed").to_numpy() if column in _OF_BEFORE else hidden
        )

    def sentences(self, lang: str | None = None) -> Sentences:
        """Name the worst and the best touchpoint as far as they can be told apart, and those that moved."""
        lang = language(lang)
        known = self.table[self.table["reliability"] != "suppressed"]
        if known.empty:
            return Sentences()
        said = []
        bottom, top = (known.iloc[int(f(known["estimate"].to_numpy()))] for f in (np.argmin, np.argmax))
        last = known[known["rank_high"] == known["rank_high"].max()]
        for row, template in ((bottom, _WORST if len(last) == 1 else _WORST_OPEN), (top, _BEST)):
            said.append(
                sentence(
                    template,
                    lang,
                    touchpoint=self.label(row["touchpoint"], lang),
                    value=row["estimate"],
                    low=row["low"],
                    high=row["high"],
                    level=self.said_level,
                    owner=pick(self.labels.get(("owner", row["owner"]), {}), lang, row["owner"]),
                    count=len(last),
                    touchpoints=(", " if lang == "en" else "、").join(self.label(t, lang) for t in last["touchpoint"]),
                )
            )
        return Sentences([*said, *self.changes(lang)])

    def changes(self, lang: str | None = None) -> Sentences:
        """Touchpoints that moved by a Holm-adjusted test; what could have been seen if none did."""
        lang = language(lang)
        firm = (self.table["reliability"] != "suppressed") & (self.table["reliability_before"] != "suppressed")
        known = self.table[firm & self.table["change"].notna()]
        if known.empty:
            return Sentences()
        moved = known[known["p_value"] < 1 - self.level].sort_values("change")
        if moved.empty:
            return Sentences([sentence(_STILL, lang, detectable=float(known["detectable"].median()))])
        return Sentences(
            sentence(_MOVED, lang, touchpoint=self.label(r.touchpoint, lang), change=r.change, low=r.change_low,
                     high=r.change_high, p=r.p_value, level=self.said_level)
            for r in moved.itertuples()
        )  # fmt: skip


def touchpoints(survey: Survey, *, before: Survey | None = None, level: float = 0.95) -> TouchpointResult:
    """How is each touchpoint rated, which is worst, and which moved?

    Parameters
    ----------
    survey : Survey
        Its domain is the period reported.
    before : Survey, optional
        A domain of the same data to compare with.
    level : float

    Returns
    -------
    TouchpointResult
        In journey order: ``touchpoint, stage, owner, estimate`` (mean rating on the item's scale), ``se, low, high,
        rank_low, rank_high`` (1 the highest rated; what pairwise tests leave open among bases that are not suppressed),
        ``expectation_gap`` (rating minus expectation among those who gave both), ``not_experienced`` (share of
        respondents), ``change, change_low, change_high, p_value`` (Holm over touchpoints), ``detectable,
        reliability_before`` (empty without ``before``), ``base, base_effective, reliability``.

    Raises
    ------
    SurveyError
        If the study declares no journey, or ``before`` belongs to other data.

    Notes
    -----
    Each mean rests on those who met the touchpoint. Ranks and changes use the full design-based covariance.

    Examples
    --------
    >>> import cxlab as cx, pandas as pd
    >>> from cxlab.survey import Roles, Touchpoint
    >>> from dataclasses import replace
    >>> survey = cx.Survey.from_frame(pd.DataFrame({"queue": [3, 4, 5, 4] * 20, "doctor": [8, 9, 9, 8] * 20}))
    >>> points = (Touchpoint("queue", "visit", "Desk", "queue"), Touchpoint("doctor", "visit", "Doctors", "doctor"))
    >>> result = touchpoints(replace(survey, roles=Roles(touchpoints=points)))
    >>> result.table[["touchpoint", "estimate", "rank_low"]].values.tolist()
    [['queue', 4.0, 2], ['doctor', 8.5, 1]]
    """
    points = survey.roles.touchpoints
    if not points:
        raise SurveyError("touchpoints: the survey declares no journey; declare journey in study.yml.")
    if before is not None and before.data is not survey.data:
        raise SurveyError("before must be a domain of the same survey (survey.where(...)).")
    count, design = len(points), resolve(survey)
    ratings = np.column_stack([survey.values(p.item) for p in points])
    gaps = np.column_stack([_gap(survey, p, ratings[:, k]) for k, p in enumerate(points)])
    domains = [survey.domain] * (2 * count) + ([] if before is None else [before.domain] * count)
    columns = np.hstack([ratings, gaps, *([] if before is None else [ratings])])
    found = weighted_means(design, columns, np.column_stack(domains))
    here = slice(0, count)
    half = t_quantile(level, found.df[here]) * found.se[here]
    mean = found.estimate[here]
    effective = found.base_effective[here]
    firm = np.flatnonzero(np.isfinite(mean) & (reliability(effective) != "suppressed"))
    low, high = _rank_sets(found, firm, count, level)
    table = pd.DataFrame(
        {
            "touchpoint": [p.name for p in points], "stage": [p.stage for p in points], "owner": [p.owner for p in points],
            "estimate": mean, "se": found.se[here], "low": mean - half, "high": mean + half, "rank_low": low, "rank_high": high,
            "expectation_gap": found.estimate[count : 2 * count],
            "not_experienced": [_not_experienced(survey, p.item) for p in points],
        }
    )  # fmt: skip
    table[list(_OF_BEFORE)] = np.nan
    table["reliability_before"] = ""
    if before is not None:
        gap = differences(found, np.arange(count), np.arange(2 * count, 3 * count), design.df)
        change_low, change_high = gap.interval(level)
        table["change"], table["change_low"], table["change_high"] = gap.estimate, change_low, change_high
        table["p_value"], table["detectable"] = holm(gap.p_values()), detectable(gap.se, gap.df, level=level)
        table["reliability_before"] = reliability(found.base_effective[2 * count :])
    table = table.assign(base=found.base[here], base_effective=effective, reliability=reliability(effective))
    weights = survey.weights[survey.domain]
    labels: dict[Any, Any] = {p.name: {lang: p.label(lang) for lang in LANGUAGES} for p in points}
    labels |= {("stage", p.stage): survey.roles.labels.get(p.stage, {}) for p in points}
    labels |= {("owner", p.owner): survey.roles.labels.get(p.owner, {}) for p in points}
    then = "" if before is None else f", before=survey{before.filter}"
    then += "" if level == 0.95 else f", level={level!r}"
    formats = {
        "change": "+.2f",
        "change_low": "+.2f",
        "change_high": "+.2f",
        "expectation_gap": "+.1f",
        "not_experienced": ".0%",
    }
    return TouchpointResult(
        table, Base(int((weights > 0).sum()), kish_base(weights)), design_notes(survey), {**_HEADINGS, **labels},
        f"cx.touchpoints(survey{survey.filter}{then})", {"en": "Touchpoints", "zh": "触点"}, formats, level,
    )  # fmt: skip


def _gap(survey: Survey, point: Touchpoint, ratings: np.ndarray) -> np.ndarray:
    return ratings - survey.values(point.expectation) if point.expectation else np.full(len(ratings), np.nan)


def _rank_sets(found: Estimates, firm: np.ndarray, count: int, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Rank sets among touchpoints with a firm base; the others can have any rank."""
    low, high = np.ones(count, dtype=int), np.full(count, count)
    if len(firm):
        df = float(found.df[firm].min())
        low[firm], high[firm] = rank_sets(
            found.estimate[firm], found.covariance[np.ix_(firm, firm)], df=df, level=level
        )
    return low, high


def _not_experienced(survey: Survey, item: str) -> float:
    """Share of the domain's respondents who said that they had not met the touchpoint."""
    if item not in survey.missing_reasons.columns:
        return 0.0
    codes = [c for c, reason in survey.codebook[item].missing.items() if reason == "not experienced"]
    return float(survey.missing_reasons[item][survey.domain].isin(codes).mean())
