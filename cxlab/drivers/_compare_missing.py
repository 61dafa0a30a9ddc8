"""Compare treatments of missing answers: what becomes of importances and ranks."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.contrasts import holm, p_values, ranks
from cxlab.covariances import SOURCES
from cxlab.design import t_quantile
from cxlab.drivers._missing_words import TREATMENTS, listed, not_met
from cxlab.drivers._prepare import UNKNOWN, chosen_drivers
from cxlab.drivers._result import FORMATS, HEADINGS, DriverResult
from cxlab.errors import SurveyError, SurveyWarning, one_of
from cxlab.result import Base, Result
from cxlab.survey import Survey
from cxlab.words import Note, Sentence, Sentences, language, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METHODS = ("listwise", "pairwise", "em", "mi", "dummy")
ROUNDING = 1e-9  # shares that differ by less are the same
_TRUSTED = ("em", "mi", "pairwise", "listwise", "dummy")  # whom the others are compared with
_SHOWN = ["driver", "treatment", "importance", "importance_low", "importance_high", "share", "share_low", "share_high", "rank",
          "rank_low", "rank_high", "distinguishable", "estimate", "se", "low", "high", "p_value", "base", "base_effective",
          "reliability"]  # fmt: skip
_BASES = {
    "en": "Of {asked:,} respondents {kept} are used, by {treatments}.",
    "zh": "共 {asked:,} 名受访者，实际使用 {kept} 名（{treatments}）。",
}
_LOST = {
    "en": "Listwise deletion uses {base:,} of {asked:,} respondents and loses {share:.0%} of the weight; {reference} uses {used:,}.",
    "zh": "按个案剔除只用到 {asked:,} 名受访者中的 {base:,} 名，损失 {share:.0%} 的权重；“{reference}”可用 {used:,} 名。",
}
_COMPLETE = {
    "en": "No answer is missing: every treatment uses the same {base:,} respondents and gives the same importances.",
    "zh": "没有缺失回答：各处理方式使用相同的 {base:,} 名受访者，得到的重要性完全一致。",
}
_SAME_FIRST = {
    "en": "{driver:cap} has the highest importance under every treatment ({treatments}).",
    "zh": "无论采用哪种处理（{treatments}），重要性最高的都是“{driver}”。",
}
_OTHER_FIRST = {
    "en": "Which driver has the highest importance depends on the treatment: {firsts}.",
    "zh": "重要性最高的因素因处理方式而异：{firsts}。",
}
_AGREE = {
    "en": "The ranking under {treatment} agrees with that under {reference} to Kendall's τ = {tau:.2f}; the largest move is that of "
    "{driver:in}, from rank {there} under {reference} to rank {here}.",
    "zh": "“{treatment}”与“{reference}”的排名一致性为 Kendall τ = {tau:.2f}；变动最大的是“{driver}”，由“{reference}”下的第 {there} 位变为第 {here} 位。",
}
_EQUAL = {
    "en": "The ranking under {treatment} is the same as under {reference}.",
    "zh": "“{treatment}”与“{reference}”的排名完全相同。",
}
_CHANGED = {
    "en": "Shares differ by more than chance between {treatment} and {reference} for: {drivers}.",
    "zh": "“{treatment}”与“{reference}”之间，下列因素的占比差异超出随机波动：{drivers}。",
}
_UNCHANGED = {
    "en": "No share differs by more than chance between {treatment} and {reference}.",
    "zh": "“{treatment}”与“{reference}”之间，各因素占比的差异均未超出随机波动。",
}
_FAILED = {
    "en": "Not possible here: {treatment}. {reason}",
    "zh": "此处无法采用“{treatment}”：{reason}",
}
_SHARED = {
    "en": "All treatments see the same drivers and the same replicate weights, so that differences of shares between them are paired.",
    "zh": "各处理方式使用相同的因素和相同的重抽样权重，因此占比之差按配对比较。",
}


_OTHER_PEOPLE = {
    "en": "Listwise deletion speaks only of respondents who experienced everything ({drivers}); the other treatments of all, so that "
    "these drivers weigh less where fewer met them.",
    "zh": "按个案剔除只反映全部体验过的受访者（{drivers}）；其他处理方式反映全体受访者，体验人数较少的因素占比因而较低。",
}


@dataclass(frozen=True, eq=False)
class MissingComparison(Result):
    """Importances of drivers under several treatments of missing answers.

    Attributes
    ----------
    outcome, reference : str
        The reference is the treatment that others are compared with.
    bases : DataFrame
        Per treatment ``treatment, base, base_effective, complete`` (who answered every question), ``excluded,
        excluded_share`` (of the weight), ``r2``.
    agreement : DataFrame
        Per pair ``treatment, reference, tau`` (Kendall's, of the importances), ``moved`` (largest change of rank).
    changes : DataFrame
        Per driver and treatment against the reference ``driver, treatment, difference`` (of shares), ``se, low, high,
        p_value`` (Holm within treatment).
    results : mapping of treatment to DriverResult
    """

    outcome: str = ""
    reference: str = "em"
    bases: pd.DataFrame = field(default_factory=pd.DataFrame)
    agreement: pd.DataFrame = field(default_factory=pd.DataFrame)
    changes: pd.DataFrame = field(default_factory=pd.DataFrame)
    results: Mapping[str, DriverResult] = field(default_factory=dict, repr=False)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the share of each driver under every treatment, the most important on top."""
        from cxlab.drivers._draw_compare_missing import draw

        return draw(self, ax, language(lang))

    def further(self) -> Mapping[str, Result]:
        """Bases, agreement of rankings and differences of shares."""
        tables = {"bases": self.bases, "agreement": self.agreement, "changes": self.changes}
        return {
            name: Result(
                table, self.base, labels=self.labels, title=_TITLES[name], formats=self.formats, level=self.level
            )
            for name, table in tables.items()
            if len(table)
        }

    def sentences(self, lang: str | None = None) -> Sentences:
        """Say who is lost, which driver comes first under which treatment, and which shares differ."""
        lang = language(lang)
        asked = {r.base.respondents + r.base.excluded for r in self.results.values()}
        if asked == set(self.bases["complete"]):
            return Sentences([sentence(_COMPLETE, lang, base=asked.pop())])
        said = [self._lost(lang), self._first(lang)]
        for treatment in self.results:
            if treatment != self.reference:
                said.append(self._agrees(treatment, lang))
                said += self._differs(treatment, lang)
        return Sentences(said)

    def _lost(self, lang: str) -> Sentence:
        used = {m: r.base for m, r in self.results.items()}
        asked = max(base.respondents + base.excluded for base in used.values())
        if "listwise" in used and self.reference != "listwise":
            there, name = used["listwise"], self._name(self.reference, lang)
            return sentence(_LOST, lang, base=there.respondents, asked=asked, share=there.excluded_share, reference=name,
                            used=used[self.reference].respondents)  # fmt: skip
        kept = (", " if lang == "en" else "、").join(f"{base.respondents:,}" for base in used.values())
        return sentence(_BASES, lang, asked=asked, kept=kept, treatments=self._names(used, lang))

    def _first(self, lang: str) -> Sentence:
        first = {m: r.table["driver"].iloc[0] for m, r in self.results.items()}
        if len(set(first.values())) == 1:
            driver = self.label(first[self.reference], lang)
            return sentence(_SAME_FIRST, lang, driver=driver, treatments=self._names(first, lang))
        brackets = " ({})" if lang == "en" else "（{}）"
        firsts = (", " if lang == "en" else "、").join(
            self.label(d, lang) + brackets.format(self._names([m for m in first if first[m] == d], lang))
            for d in dict.fromkeys(first.values())
        )
        return sentence(_OTHER_FIRST, lang, firsts=firsts)

    def _agrees(self, treatment: str, lang: str) -> Sentence:
        pair = {treatment, self.reference}
        row = next(r for r in self.agreement.itertuples() if {r.treatment, r.reference} == pair)
        names = {"treatment": self._name(treatment, lang), "reference": self._name(self.reference, lang)}
        if row.moved == 0:
            return sentence(_EQUAL, lang, **names)
        here, there = (self.results[m].table.set_index("driver")["rank"] for m in (treatment, self.reference))
        driver = str((here - there).abs().idxmax())
        return sentence(_AGREE, lang, **names, tau=row.tau, driver=self.label(driver, lang), here=int(here[driver]),
                        there=int(there[driver]))  # fmt: skip

    def _differs(self, treatment: str, lang: str) -> list[Sentence]:
        if self.changes.empty:
            return []
        names = {"treatment": self._name(treatment, lang), "reference": self._name(self.reference, lang)}
        own = self.changes[self.changes["treatment"] == treatment]
        found = own.loc[own["p_value"] < 1 - self.level, "driver"]
        if not len(found):
            return [sentence(_UNCHANGED, lang, **names)]
        return [sentence(_CHANGED, lang, **names, drivers=listed(list(found), self.labels)[lang])]

    def _name(self, treatment: str, lang: str) -> str:
        return TREATMENTS[treatment][lang]

    def _names(self, treatments: Any, lang: str) -> str:
        return (", " if lang == "en" else "、").join(self._name(m, lang) for m in treatments)


def compare_missing(
    survey: Survey,
    outcome: str = "satisfaction",
    drivers: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    *,
    methods: Sequence[str] = METHODS,
    measure: str = "shapley",
    always: Sequence[str] = (),
    replicates: int = 1000,
    permutations: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> MissingComparison:
    """What does the ranking of drivers owe to the way missing answers were treated?

    Parameters
    ----------
    survey : Survey
        Its domain is analysed.
    outcome : str
        Column or role.
    drivers : list of str, or mapping of block to list, optional
        By default all of the study's, with those that many have not experienced: the same under every treatment.
    methods : sequence of {"listwise", "pairwise", "em", "mi", "dummy"}
        Treatments of missing answers, at least two; see :func:`key_drivers`.
    measure : str
        How R² is divided: ``method`` of :func:`key_drivers`.
    always : list of str
        Columns that every model contains.
    replicates, permutations, seed, level
        See :func:`key_drivers`.

    Returns
    -------
    MissingComparison
        One row per driver and treatment: ``driver, treatment``, then the columns of :func:`key_drivers`. Drivers are in
        the order of the reference: EM if it is among the methods, else imputation, else pairwise. ``bases``,
        ``agreement`` and ``changes`` are further tables, ``results`` the driver results themselves.

    Raises
    ------
    SurveyError
        If a method is unknown, fewer than two are named, or fewer than two can be computed. One that cannot
        is left out, which the notes say.

    Warns
    -----
    SmallBaseWarning, CollinearityWarning, SignFlipWarning

    Notes
    -----
    The replicates of all treatments share their weights: the standard error of a difference of shares is that of the paired
    differences. Kendall's τ-b is of the importances.

    References
    ----------
    Little & Rubin (2019), *Statistical Analysis with Missing Data*, 3rd ed. Jones (1996), JASA 91, 222–230.

    Examples
    --------
    >>> import numpy as np, pandas as pd, cxlab as cx
    >>> rng = np.random.default_rng(3)
    >>> df = pd.DataFrame(rng.normal(size=(400, 2)), columns=["queue", "doctor"])
    >>> df["satisfaction"] = df["queue"] + 0.5 * df["doctor"] + rng.normal(size=400)
    >>> df.loc[:99, "doctor"] = np.nan
    >>> result = compare_missing(cx.Survey.from_frame(df), "satisfaction", ["queue", "doctor"], replicates=0)
    >>> result.bases[["treatment", "base", "excluded"]].values.tolist()[:3]
    [['listwise', 300, 100], ['pairwise', 400, 0], ['em', 400, 0]]
    """
    wanted = _methods(methods)
    names = drivers if drivers is not None else chosen_drivers(survey, UNKNOWN)
    options = {"method": measure, "always": always, "replicates": replicates, "permutations": permutations, "seed": seed,
               "level": level}  # fmt: skip
    results, failed = _results(survey, outcome, names, wanted, options)
    reference = next(m for m in _TRUSTED if m in results)
    found = results[reference]
    given = "" if drivers is None else f", {drivers!r}"
    said = "".join(
        f", {k}={v!r}"
        for k, v in (("methods", wanted), ("measure", measure), ("replicates", replicates), ("seed", seed))
    )
    notes = [Note(_SHARED), *(Note(_FAILED, treatment=TREATMENTS[m], reason=str(e)) for m, e in failed.items())]
    notes += _other_people(results, found)
    own = [n for r in results.values() for n in r.notes]
    title = found.label(outcome, "en"), found.label(outcome, "zh")
    return MissingComparison(
        _table(results, found),
        Base(found.base.respondents, found.base.effective, found.base.excluded, found.base.excluded_share),
        (*notes, *{n["en"]: n for n in own}.values()),
        {**HEADINGS, **_HEADINGS, **found.labels, **{("treatment", m): t for m, t in TREATMENTS.items()},
         **{("reference", m): t for m, t in TREATMENTS.items()}},
        f"cx.compare_missing(survey{survey.filter}, {outcome!r}{given}{said})  # data {survey.data_hash}",
        {"en": f"Missing answers and the drivers of {title[0]}", "zh": f"缺失回答的处理与“{title[1]}”的驱动因素"},
        {**FORMATS, "tau": ".2f", "excluded_share": ".0%", "r2": ".3f", "difference": "pp"},
        level,
        outcome=outcome,
        reference=reference,
        bases=pd.DataFrame([_base(m, r) for m, r in results.items()]),
        agreement=_agreement(results),
        changes=_changes(results, reference, level),
        results=results,
    )  # fmt: skip


def _methods(methods: Sequence[str]) -> list[str]:
    if isinstance(methods, str):
        raise SurveyError(f"methods is the text {methods!r}; give a list: ['listwise', {methods!r}].")
    for m in methods:
        if m not in SOURCES:
            raise one_of("methods", m, SOURCES)
    wanted = list(dict.fromkeys(methods))
    if len(wanted) < 2:
        raise SurveyError(f"methods names {len(wanted)} treatment; name at least two: ['listwise', 'em'].")
    return wanted


def _results(
    survey: Survey, outcome: str, drivers: Any, methods: Sequence[str], options: Mapping[str, Any]
) -> tuple[dict[str, DriverResult], dict[str, SurveyError]]:
    """Driver results by treatment, and what went wrong; each warning is given once."""
    from cxlab.drivers import key_drivers

    results: dict[str, DriverResult] = {}
    failed: dict[str, SurveyError] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for m in methods:
            try:
                results[m] = key_drivers(survey, outcome, drivers, missing=m, **options)
            except SurveyError as error:
                failed[m] = error
    seen = {str(w.message): w for w in caught}
    for warned in seen.values():
        kind = warned.category if issubclass(warned.category, SurveyWarning) else SurveyWarning
        warnings.warn(str(warned.message), kind, stacklevel=3)
    if len(results) < 2:
        raise next(iter(failed.values()))
    return results, failed


def _table(results: Mapping[str, DriverResult], reference: DriverResult) -> pd.DataFrame:
    order = {d: i for i, d in enumerate(reference.table["driver"])}
    whole = pd.concat([r.table.assign(treatment=m) for m, r in results.items()], ignore_index=True)
    return whole.sort_values("driver", key=lambda d: d.map(order), kind="stable", ignore_index=True)[_SHOWN]


def _base(treatment: str, result: DriverResult) -> dict[str, Any]:
    prepared = result.kernel.prepared if result.kernel is not None else None
    whole = result.base.respondents if prepared is None else int(prepared.complete.sum())
    return {"treatment": treatment, "base": result.base.respondents, "base_effective": result.base.effective, "complete": whole,
            "excluded": result.base.excluded, "excluded_share": result.base.excluded_share,
            "r2": float(result.model["r2"].iloc[0])}  # fmt: skip


def _other_people(results: Mapping[str, DriverResult], reference: DriverResult) -> list[Note]:
    """Say that listwise deletion is of other people where some drivers are not met by all."""
    prepared = None if reference.kernel is None else reference.kernel.prepared
    several = [] if prepared is None else not_met(prepared)
    return [Note(_OTHER_PEOPLE, drivers=listed(several, reference.labels))] if several and "listwise" in results else []


def _agreement(results: Mapping[str, DriverResult]) -> pd.DataFrame:
    from scipy.stats import kendalltau

    rows = []
    for a, b in combinations(results, 2):
        one, other = (results[m].table.set_index("driver")["importance"] for m in (a, b))
        other = other[one.index]
        moved = np.abs(ranks(one.to_numpy()) - ranks(other.to_numpy())).max()
        tau = float(kendalltau(one, other).statistic) if len(one) > 1 else float("nan")
        rows.append({"treatment": a, "reference": b, "tau": tau, "moved": int(moved)})
    return pd.DataFrame(rows)


def _changes(results: Mapping[str, DriverResult], reference: str, level: float) -> pd.DataFrame:
    """Differences of shares from the reference, with standard errors of paired replicates."""
    there = results[reference]
    if there.replicates.empty:
        return pd.DataFrame()
    order, parts = list(there.table["driver"]), []
    for m, here in results.items():
        if m == reference:
            continue
        points = [r.table.set_index("driver")["share"][order].to_numpy() for r in (here, there)]
        draws = [r.replicates[order].to_numpy() for r in (here, there)]
        shares = [d / d.sum(axis=1, keepdims=True) for d in draws]
        difference, se = points[0] - points[1], (shares[0] - shares[1]).std(axis=0, ddof=1)
        difference, se = (np.where(se > ROUNDING, values, 0.0) for values in (difference, se))
        df = min(r.kernel.prepared.df for r in (here, there) if r.kernel is not None)
        half = t_quantile(level, df) * se
        parts.append(pd.DataFrame({
            "driver": order, "treatment": m, "difference": difference, "se": se, "low": difference - half,
            "high": difference + half, "p_value": holm(p_values(difference, se, df)),
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


_TITLES = {
    "bases": {"en": "Who is used", "zh": "实际使用的样本"},
    "agreement": {"en": "Agreement of rankings", "zh": "排名一致性"},
    "changes": {"en": "Differences of shares", "zh": "占比之差"},
}
_HEADINGS = {
    "treatment": {"en": "Missing answers", "zh": "缺失处理"},
    "reference": {"en": "Compared with", "zh": "对照"},
    "complete": {"en": "Answered everything", "zh": "全部作答"},
    "excluded": {"en": "Not used", "zh": "未使用"},
    "excluded_share": {"en": "Weight not used", "zh": "未使用的权重"},
    "r2": {"en": "R²", "zh": "R²"},
    "tau": {"en": "Kendall's τ", "zh": "Kendall τ"},
    "moved": {"en": "Largest change of rank", "zh": "最大名次变动"},
    "difference": {"en": "Difference of shares", "zh": "占比之差"},
}
