"""One-way tests of the textbook, for surveys without a declared design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlab.contrasts import holm
from cxlab.errors import SurveyError
from cxlab.items import in_order
from cxlab.metrics import design_notes, names, require_answers, score, value_names
from cxlab.result import Base, Result, reliability
from cxlab.survey import Survey
from cxlab.words import Note

MOST_GROUPS = 60


@dataclass(frozen=True, eq=False)
class OneWayResult(Result):
    """Pairs of groups, and tests of all groups at once.

    Attributes
    ----------
    tests : DataFrame
        ``test, statistic, df1, df2, p_value, measure, effect``: ANOVA (eta squared), ANOVA's omega squared, Welch's
        ANOVA, Kruskal–Wallis (epsilon squared).
    """

    tests: pd.DataFrame = field(default_factory=pd.DataFrame)


def one_way(survey: Survey, outcome: str, by: str, *, level: float = 0.95) -> OneWayResult:
    """What do the tests of the textbook say of a difference between groups?

    Parameters
    ----------
    survey : Survey
        Without weight, stratum or PSU: these tests know of none.
    outcome : str
        Column, role, ``"nps"`` or ``"csat"``.
    by : str
        Segment with 2 to 60 groups.
    level : float
        Joint confidence of the Tukey intervals.

    Returns
    -------
    OneWayResult
        One row per pair: ``item, segment, other, estimate`` (segment minus other), ``low, high, p_value`` (Tukey's
        honest significant difference, Tukey–Kramer where bases differ), ``p_rank`` (Wilcoxon, Holm over the pairs), ``base,
        base_effective`` (of the smaller group), ``reliability``. ``.tests`` has ANOVA, Welch and Kruskal–Wallis.

    Raises
    ------
    SurveyError
        If the survey declares a design, the groups are fewer than two or more than 60, or one of them has fewer
        than two answers.

    Notes
    -----
    Tukey and ANOVA take the groups' variances as equal; :func:`cxlab.compare_segments` does not, and follows weights,
    strata and clusters where they are declared.

    References
    ----------
    Kramer (1956), Biometrics 12, 307–310; Kruskal & Wallis (1952), JASA 47, 583–621.
    R: ``anova(lm(y ~ g))``, ``TukeyHSD``, ``oneway.test``, ``kruskal.test``, ``pairwise.wilcox.test(exact = FALSE)``.

    Examples
    --------
    >>> df = pd.DataFrame({"q": [1, 2, 3, 4, 6, 5.0], "g": list("aaabbb")})
    >>> found = one_way(Survey.from_frame(df), "q", "g")
    >>> found.tests[["test", "statistic"]].round(2).values.tolist()[:1]
    [['ANOVA', 13.5]]
    """
    declared = survey.design.columns()
    if declared:
        raise SurveyError(
            f"survey declares {', '.join(declared)}, which the tests of the textbook ignore; use cx.compare_segments, whose tests "
            "follow the design."
        )
    scored = score(survey, outcome)
    require_answers(survey, [scored], "outcome")
    survey.require("by", [by])
    column = survey.column_of(by)
    inside = survey.domain & np.isfinite(scored.values) & survey.data[column].notna().to_numpy()
    codes = in_order(survey.data[column][inside].unique().tolist())
    samples = [scored.values[inside & (survey.data[column] == c).to_numpy()] for c in codes]
    _require_groups(by, [len(s) for s in samples])
    first, second = np.triu_indices(len(codes), 1)
    tukey = stats.tukey_hsd(*samples)
    limits = tukey.confidence_interval(level)
    rank = [
        stats.mannwhitneyu(samples[a], samples[b], method="asymptotic").pvalue
        for a, b in zip(first, second, strict=True)
    ]
    base = np.minimum(*(np.array([len(samples[k]) for k in side]) for side in (first, second)))
    keys = np.array(codes, dtype=object)
    table = pd.DataFrame({
        "item": scored.name, "segment": pd.Series(keys[second]).infer_objects(), "other": pd.Series(keys[first]).infer_objects(),
        "estimate": tukey.statistic[second, first], "low": limits.low[second, first], "high": limits.high[second, first],
        "p_value": tukey.pvalue[second, first], "p_rank": holm(np.array(rank)), "base": base, "base_effective": base.astype(float),
        "reliability": reliability(base),
    })  # fmt: skip
    groups = {(kind, c): value_names(survey, column, c) for c in codes for kind in ("segment", "other")}
    said = "" if level == 0.95 else f", level={level!r}"
    return OneWayResult(
        table, Base(int(inside.sum()), float(inside.sum())), (*design_notes(survey), Note(_EQUAL)),
        {**_HEADINGS, **groups, scored.name: scored.labels}, f"cx.one_way(survey{survey.filter}, {outcome!r}, {by!r}{said})",
        {lang: f"{text}: {names(survey, column)[lang]}" for lang, text in _TITLE.items()},
        {"estimate": "+.2f", "low": "+.2f", "high": "+.2f", "p_rank": "p"}, level, tests=_tests(samples),
    )  # fmt: skip


def _require_groups(by: str, sizes: list[int]) -> None:
    if not 2 <= len(sizes) <= MOST_GROUPS:
        raise SurveyError(f"by: {by!r} has {len(sizes)} groups with answers; 2 to {MOST_GROUPS} are compared.")
    small = sum(size < 2 for size in sizes)
    if small:
        raise SurveyError(
            f"by: {small} of {len(sizes)} groups of {by!r} have a single answer; leave them out with survey.where, or band them."
        )


def _tests(samples: list[Any]) -> pd.DataFrame:
    """Tests of all groups at once."""
    from pingouin import welch_anova

    values = np.concatenate(samples)
    group = np.repeat(np.arange(len(samples)), [len(s) for s in samples])
    count, k = len(values), len(samples)
    between = float(sum(len(s) * (s.mean() - values.mean()) ** 2 for s in samples))
    within = float(sum(((s - s.mean()) ** 2).sum() for s in samples))
    plain, ranks = stats.f_oneway(*samples), stats.kruskal(*samples)
    welch = welch_anova(pd.DataFrame({"value": values, "group": group}), dv="value", between="group").iloc[0]
    error = within / (count - k)
    omega = (between - (k - 1) * error) / (between + within + error)
    rows = [
        ("ANOVA", plain.statistic, k - 1, count - k, plain.pvalue, "eta squared", between / (between + within)),
        ("ANOVA", plain.statistic, k - 1, count - k, plain.pvalue, "omega squared", omega),
        ("Welch ANOVA", welch["F"], welch["ddof1"], welch["ddof2"], welch["p_unc"], "", np.nan),
        ("Kruskal–Wallis", ranks.statistic, k - 1, np.nan, ranks.pvalue, "epsilon squared", ranks.statistic / (count - 1)),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["test", "statistic", "df1", "df2", "p_value", "measure", "effect"])


_EQUAL = {
    "en": "Tukey intervals and p-values hold jointly for all pairs and take the variances of the groups as equal.",
    "zh": "Tukey 区间与 p 值对所有配对同时成立，并假定各组方差相等。",
}
_TITLE = {"en": "One-way tests", "zh": "单因素检验"}
_HEADINGS: dict[Any, Mapping[str, str]] = {
    "other": {"en": "Compared with", "zh": "对照组"},
    "estimate": {"en": "Difference", "zh": "差异"},
    "p_rank": {"en": "p, rank test", "zh": "p 值（秩检验）"},
}
