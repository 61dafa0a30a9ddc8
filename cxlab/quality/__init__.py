"""Data quality: what is wrong with the answers, before anybody reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.quality import answers, gaps, respondents, wording
from cxlab.quality.finding import FLAG, together
from cxlab.result import Base, Result
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class QualityResult(Result):
    """Findings on data quality; ``table`` is the headline, one row per check.

    Attributes
    ----------
    missing : DataFrame
        ``item``, ``reason``, ``count``, ``share`` (of respondents), ``share_weighted``.
    flagged : DataFrame
        ``check``, ``row`` (index in ``survey.data``), ``item``, ``value`` (as text).
    not_asked : DataFrame
        ``item``, ``wave`` (code; NaN for a survey without waves), ``base``.
    weighting : DataFrame
        One row: ``weight``, ``minimum``, ``maximum``, ``mean``, ``cv``, ``design_effect``, ``base_effective``;
        no row where no usable weight is declared.
    facts : mapping of check to mapping of str to number or str
        Further counts that the sentences name.
    """

    missing: pd.DataFrame = field(default_factory=pd.DataFrame)
    flagged: pd.DataFrame = field(default_factory=pd.DataFrame)
    not_asked: pd.DataFrame = field(default_factory=pd.DataFrame)
    weighting: pd.DataFrame = field(default_factory=pd.DataFrame)
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def sentences(self, lang: str | None = None) -> Sentences:
        """Word one sentence per check that ran, in the order of the table, then the weights and the base."""
        lang = language(lang)
        rows = [r for r in _rows(self.table) if np.isfinite(r["count"])]
        said = [wording.say(r["check"], r, self._facts(r["check"], lang), lang) for r in rows]
        return Sentences((*said, self._worth(lang)))

    def _facts(self, check: str, lang: str) -> dict[str, Any]:
        facts = dict(self.facts.get(check, {}))
        if check == "not_asked":
            facts = {"gaps": self._gaps(lang)}
        if "reason" in facts:
            facts |= {
                "item_label": self.label(facts["item"], lang),
                "reason_label": wording.reason_label(facts["reason"], lang),
            }
        return facts

    def _gaps(self, lang: str) -> str:
        """Name the first items that a wave was not asked, each with the wave."""
        known = self.not_asked["wave"].notna()
        waves = [f" ({self.label(w, lang)})" if k else "" for w, k in zip(self.not_asked["wave"], known, strict=True)]
        named = [f"{self.label(i, lang)}{w}" for i, w in zip(self.not_asked["item"], waves, strict=True)]
        comma = {"en": ", ", "zh": "、"}[lang]
        return comma.join(named[:5]) + (f"{comma}…" if len(named) > 5 else "")

    def _worth(self, lang: str) -> Sentence:
        if self.weighting.empty:
            return sentence(wording.UNWEIGHTED, lang, base=self.base.respondents)
        return sentence(wording.WEIGHTED, lang, **_rows(self.weighting)[0], base=self.base.respondents)

    def _wide(self, column: str = "share") -> pd.DataFrame:
        """Shares by item and reason, the item with most missing answers first."""
        wide = self.missing.pivot_table(index="item", columns="reason", values=column, aggfunc="sum", fill_value=0.0)
        return wide.loc[wide.sum(axis=1).sort_values(ascending=False, kind="stable").index]

    def by_reason(self, items: Sequence[str] | None = None, *, most: int = 10) -> Result:
        """Missing answers by item and reason, the item that lacks most first.

        Parameters
        ----------
        items : sequence of str, optional
            Which items; all by default.
        most : int
            Rows at the most.

        Returns
        -------
        Result
            ``item`` and a column per reason: share of respondents without an answer for that reason, 0–1.
        """
        chosen = self.missing if items is None else self.missing[self.missing["item"].isin(items)]
        lacking = replace(self, missing=chosen[chosen["count"] > 0])
        wide = lacking._wide().head(most).reset_index() if len(lacking.missing) else pd.DataFrame(columns=["item"])
        wide.columns.name = None
        reasons = [str(c) for c in wide.columns[1:]]
        labels = {r: {lang: wording.reason_label(r, lang) for lang in LANGUAGES} for r in reasons}
        return Result(
            wide, self.base, (wording.SHARES,), {**self.labels, **labels}, formats=dict.fromkeys(reasons, ".1%")
        )

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the share of respondents without an answer, by item and reason (the 15 items that lack most)."""
        from cxlab.charts import new_axes

        lang = language(lang)
        wide = self._wide()[:15][::-1] if len(self.missing) else pd.DataFrame()
        ax = ax if ax is not None else new_axes(7.6, 1.2 + 0.3 * len(wide))
        left = np.zeros(len(wide))
        for reason in wide.columns:
            share = 100 * wide[reason].to_numpy()
            ax.barh(range(len(wide)), share, left=left, label=wording.reason_label(str(reason), lang))
            left += share
        ax.set_yticks(range(len(wide)), [self.label(i, lang) for i in wide.index])
        ax.set_xlabel({"en": "% of respondents without an answer", "zh": "没有答案的受访者占比（%）"}[lang])
        if len(wide):
            ax.legend(loc="lower right", frameon=False)
        return ax

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on the checks, to paste into a paper."""
        return wording.METHODS[language(lang)].format(battery=respondents.MIN_BATTERY, wave=gaps.MIN_WAVE)


def check_quality(survey: Survey, *, battery: Sequence[str] | None = None) -> QualityResult:
    """What is unreliable in these data?

    Parameters
    ----------
    survey : Survey
        Only respondents of its domain are counted.
    battery : sequence of str, optional
        Rating items of one scale for straight-lining, at least six. By default what the study names under
        ``quality: straight_lining``, else the touchpoint items, else the drivers. Where scales differ,
        the items of the commonest one are taken.

    Returns
    -------
    QualityResult
        ``table`` has one row per check: ``check``, ``base`` (what was looked at), ``count`` (what was
        found; NaN where the check could not run) and ``share`` = count / base. Checks and bases:
        ``duplicates`` (respondent ids that occur more than once within a wave / ids within waves),
        ``straight_lining`` (respondents / those with six answers or more in the battery), ``out_of_range``
        (answers / answers to items with a declared scale or labels), ``undeclared_missing`` (answers with a
        labelled code outside the scale / answers to items with a scale), ``impossible_dates`` (dates / dates given),
        ``missing`` (answers / answers asked for), ``not_asked`` (items × waves), ``weights`` (missing or negative
        ones / respondents), ``speeders`` (respondents faster than a third of the median / durations).
        Further frames: ``missing``, ``flagged``, ``not_asked``, ``weighting``.

    Raises
    ------
    SurveyError
        If ``battery`` names columns that do not exist, hold text, or are fewer than six.

    Notes
    -----
    Nothing is removed: a flag is a reason to look. The same answer throughout may be honest, above all at
    an end of the scale. Kish's design effect is n Σw² / (Σw)² = 1 + CV², his effective base n divided
    by it. Counts are unweighted; only ``share_weighted`` uses the weights. Missing answers are counted for items
    that have a role in the study, without roles for all columns of numbers. A check that cannot run says in
    the notes what ``study.yml`` would need.

    References
    ----------
    Kish, L. (1965). Survey Sampling. Wiley.
    Greszki, R., Meyer, M., & Schoen, H. (2015). Exploring the effects of removing "too fast" responses and
    respondents from web surveys. Public Opinion Quarterly, 79(2), 471–503.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({f"q{k}": [3, (k * 7) % 5 + 1, 3] for k in range(6)})
    >>> found = check_quality(Survey.from_frame(df), battery=list(df)).table.set_index("check")
    >>> int(found.loc["straight_lining", "count"]), int(found.loc["straight_lining", "base"])
    (2, 3)
    """
    missing, not_asked, absent, unasked = gaps.missing(survey)
    found = [
        respondents.duplicates(survey),
        respondents.straight_lining(survey, battery),
        answers.out_of_range(survey),
        answers.undeclared_missing(survey),
        answers.impossible_dates(survey),
        absent,
        unasked,
        gaps.weights(survey),
        respondents.speeders(survey),
    ]
    table = pd.DataFrame(
        {
            "check": [f.check for f in found],
            "base": [f.base for f in found],
            "count": [float("nan") if f.needs else float(f.count) for f in found],
            "share": [f.count / f.base if f.base and not f.needs else float("nan") for f in found],
        }
    )
    flagged = together([f.flagged.assign(check=f.check) for f in found]).reindex(columns=["check", *FLAG])
    weighting = gaps.weighting(survey)
    effective = float(weighting["base_effective"].iloc[0]) if len(weighting) else float("nan")
    labels: dict[Any, Mapping[str, str]] = {n: i.labels for n, i in survey.codebook.items.items() if i.labels}
    if survey.roles.wave in survey.codebook:
        labels |= survey.codebook[str(survey.roles.wave)].values
    return QualityResult(
        table=table,
        base=Base(len(survey), effective),
        notes=tuple(n for f in found for n in (f.needs, f.note) if n),
        labels={**labels, **wording.CHECKS, **wording.COLUMNS},
        call=f"cx.check_quality(survey{survey.filter}{f', battery={list(battery)!r}' if battery else ''})",
        title={"en": "Data quality", "zh": "数据质量"},
        formats={"share": ".1%", "count": ",.0f"},
        missing=missing,
        flagged=flagged,
        not_asked=not_asked,
        weighting=weighting,
        facts={f.check: f.facts for f in found if f.facts},
    )


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [dict(zip(map(str, table.columns), row, strict=True)) for row in table.itertuples(index=False)]
