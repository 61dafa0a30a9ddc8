"""Did the drivers change from one period to another? Differences under the same replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlab.contrasts import detectable, holm, p_values, ranks
from cxlab.design import design_notes, kish_base, t_quantile
from cxlab.drivers._kernels import LEAST_REPLICATES, Kernel
from cxlab.drivers._model_words import NOT_CAUSE
from cxlab.drivers._models import kernel_of
from cxlab.drivers._prepare import Prepared, prepare
from cxlab.drivers._scenario import check_survey
from cxlab.errors import SurveyError
from cxlab.result import Base, Result, reliability
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note, Sentences, language, sentence

_CHANGED = {
    "en": "{driver:cap} now carries {now:.0%} of what the drivers explain, {before:.0%} in the period before ({p:p}).",
    "zh": "“{driver}”占解释力的比例由 {before:.0%} 变为 {now:.0%}（{p:p}）。",
}
_SAME = {
    "en": "No driver's importance changed by more than chance since the period before "
    "(smallest adjusted {p:p}); moves in rank are no news. Changes of @gap percentage points would have been found with {power:.0%} power.",
    "zh": "与前一时段相比，各因素的重要性均无显著变化（校正后最小的 {p:p}）；名次变动属抽样波动。以现有样本量，占比变化 @gap 个百分点时才有 {power:.0%} 的把握检出。",
}
_GAP = {"en": "{least:pt} to {most:pt}", "zh": "{least:pt} 至 {most:pt}"}
_POWER = 0.8


@dataclass(frozen=True, eq=False)
class ChangeResult(Result):
    """Differences in driver shares between two periods."""

    def sentences(self, lang: str | None = None) -> Sentences:
        """Name the drivers whose share changed by a Holm-adjusted test, or say that none did."""
        lang = language(lang)
        if (self.table["reliability"] == "suppressed").any():
            return Sentences()
        changed = self.table[self.table["p_value"] < 1 - self.level]
        if changed.empty:
            least, most = float(self.table["detectable"].min()), float(self.table["detectable"].max())
            gap = _GAP[lang] if round(least, 3) < round(most, 3) else "{most:pt}"
            said = {lang: _SAME[lang].replace("@gap", gap)}
            facts = {"p": float(self.table["p_value"].min()), "least": least, "most": most, "power": _POWER}
            return Sentences([sentence(said, lang, **facts)])
        return Sentences(
            sentence(_CHANGED, lang, driver=self.label(r.driver, lang), now=r.share, before=r.share_before, p=r.p_value)
            for r in changed.itertuples()
        )


def driver_change(
    survey: Survey,
    before: Survey,
    outcome: str = "satisfaction",
    drivers: Sequence[str] | None = None,
    *,
    method: str = "shapley",
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> ChangeResult:
    """Did the importance of the drivers change since an earlier period?

    Parameters
    ----------
    survey, before : Survey
        Two domains of the same data, such as ``study.survey("last:6")`` and the six waves before them.
    outcome, drivers, method, replicates, seed, level
        As in :func:`key_drivers`, which also chooses the model: logit for an outcome of two values, else linear. The
        drivers of the later period are used for both.

    Returns
    -------
    ChangeResult
        One row per driver: ``driver, share, share_before, rank, rank_before, estimate`` (difference of shares of R²,
        or of the logit's pseudo R²), ``se, low, high, p_value`` (Holm over the drivers), ``p_raw, detectable`` (change that would have
        been significant with 80 % power after Bonferroni over the drivers), ``base, base_before, reliability`` (of the smaller
        period, by Kish's effective base).

    Raises
    ------
    SurveyError
        If the two surveys are not domains of the same data, or hold the same respondents, there are under 100 replicates, or as in
        :func:`key_drivers`.

    Notes
    -----
    Both periods are computed under the same replicate weights, so that respondents seen in both count as such.
    estimate ± t · se with the replicate standard error of the difference.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> df = pd.DataFrame(rng.normal(size=(600, 2)), columns=["queue", "doctor"]).assign(wave=np.repeat([1, 2], 300))
    >>> df["satisfaction"] = df["queue"] + rng.normal(size=600)
    >>> survey = Survey.from_frame(df)
    >>> change = driver_change(survey.where(wave=2), survey.where(wave=1), drivers=["queue", "doctor"], replicates=200)
    >>> bool((change.table["p_value"] > 0.05).all())
    True
    """
    check_survey("driver_change", survey)
    check_survey("driver_change", before)
    if survey.data is not before.data:
        raise SurveyError(
            "before must be a domain of the same survey (survey.where(...)), so that replicates are shared."
        )
    if replicates < LEAST_REPLICATES:
        raise SurveyError(f"replicates is {replicates}; the error of a change needs at least {LEAST_REPLICATES}.")
    if bool((survey.domain == before.domain).all()):
        raise SurveyError(
            f"before holds the same {int(before.domain.sum()):,} respondents as survey; pass an earlier period: survey.where(wave=...)."
        )
    now = prepare(survey, outcome, drivers, "listwise")
    found, said = kernel_of(now, None, method)
    then = _earlier(before, now)
    points, draws = zip(
        *(_shares(k, replicates, seed) for k in (found, kernel_of(then, found.name, method)[0])), strict=True
    )
    gap, se = points[0] - points[1], np.std(draws[0] - draws[1], axis=0, ddof=1)
    df = min(now.df + then.df, now.design.df)
    half, raw = t_quantile(level, df) * se, p_values(gap, se, df)
    table = pd.DataFrame(
        {
            "driver": now.drivers, "share": points[0], "share_before": points[1], "rank": ranks(points[0]),
            "rank_before": ranks(points[1]), "estimate": gap, "se": se, "low": gap - half, "high": gap + half,
            "p_value": holm(raw), "p_raw": raw,
            "detectable": detectable(se, df, level=1 - (1 - level) / len(se), power=_POWER), "base": len(now.rows), "base_before": len(then.rows),
            "reliability": reliability(min(kish_base(now.weights), kish_base(then.weights))),
        }
    ).sort_values("rank", ignore_index=True)  # fmt: skip
    given = f"method={found.method!r}, replicates={replicates}, seed={seed}, level={level}"
    call = (
        f"cx.driver_change(survey{survey.filter}, survey{before.filter}, {outcome!r}, {list(now.drivers)!r}, {given})"
    )
    return ChangeResult(
        table, Base(len(now.rows), kish_base(now.weights), now.excluded, now.excluded_share),
        (Note(NOT_CAUSE), *said, *now.notes, *design_notes(survey)), {**_HEADINGS, **now.labels}, call,
        {lang: _TITLE[lang].format(now.labels[now.outcome][lang]) for lang in LANGUAGES},
        level=level, formats={"estimate": "pp", "low": "pp", "high": "pp", "share_before": ".0%", "se": "pt", "detectable": "pt"},
    )  # fmt: skip


def _earlier(before: Survey, now: Prepared) -> Prepared:
    """The same analysis of the period before, or which of its parts does not exist there."""
    try:
        return prepare(before, now.outcome, list(now.drivers), "listwise")
    except SurveyError as error:
        raise SurveyError(f"before: {error}") from error


def _shares(found: Kernel, replicates: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Parts of what the drivers explain, of the sample and under every set of replicate weights."""
    importance, drawn = found.importance(), found.draws(replicates, seed).importance
    return importance / importance.sum(), drawn / drawn.sum(axis=1, keepdims=True)


_TITLE = {"en": "Did the drivers change: {}", "zh": "驱动因素是否变化：{}"}
_HEADINGS = {
    "share_before": {"en": "Share before", "zh": "前一时段占比"},
    "rank_before": {"en": "Rank before", "zh": "前一时段排名"},
    "estimate": {"en": "Change", "zh": "变化"},
    "detectable": {"en": "Detectable change", "zh": "可检出变化"},
}  # fmt: skip
