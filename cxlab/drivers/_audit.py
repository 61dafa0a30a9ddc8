"""Audit of a driver analysis: what an expert would ask, what was found, what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.drivers import _audit_behind as behind
from cxlab.drivers import _audit_checks as checks
from cxlab.drivers._audit_case import Case, Finding
from cxlab.drivers._audit_frame import Derivative, Frame, Importance, standardised
from cxlab.drivers._audit_robust import gradient, pratt_derivative
from cxlab.drivers._audit_words import (
    COMPLETE_ROWS,
    LEADER,
    MEASURED,
    NO_MARKER,
    QUESTIONS,
    STRAIGHT,
    SUMMARY,
    WORDINGS,
)
from cxlab.drivers._layout import column_of
from cxlab.drivers._measures import METHOD_NAMES, measure, measured
from cxlab.drivers._prepare import Prepared
from cxlab.errors import SurveyError
from cxlab.importance import johnson
from cxlab.moments import to_correlation
from cxlab.result import Base, Result
from cxlab.words import LANGUAGES, Note, Sentences, language, number

if TYPE_CHECKING:
    from cxlab.drivers._result import DriverResult
    from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
_WHO = (checks.base, checks.lost, checks.selective, checks.weighting)
_LINEAR = (checks.outcome_type, checks.at_the_end, checks.curvature, checks.spread)
_DRIVERS = (
    checks.inflation, checks.condition, checks.signs, checks.influence, behind.methods, behind.halo, behind.omitted, behind.fragile,
    behind.errors_in_drivers,
)  # fmt: skip
_MANY = 20  # columns up to which derivatives are taken of relative weights
_AFFORDABLE = 2**13 * 15**2  # subsets × covariances up to which the audit takes exact Shapley values
_ORDER = {"serious": 0, "look": 1, "ok": 2}
_SPECS = {
    "base": ",.0f", "lost": ".0%", "selective": ".2f", "weighting": ".2f", "outcome_type": ".0f", "at_the_end": ".0%",
    "curvature": ".1%", "spread": ".1f", "inflation": ".1f", "condition": ".1f", "signs": ".0f", "influence": ".2f",
    "methods": ".2f", "halo": ".0%", "marker": "+.2f", "omitted": ".0%", "fragile": ".1%", "errors_in_drivers": ".2f",
}  # fmt: skip
_HEADINGS: Mapping[Any, Mapping[str, str]] = {
    "check": {"en": "Question", "zh": "问题"},
    "finding": {"en": "Finding", "zh": "结论"},
    "value": {"en": "Value", "zh": "数值"},
    "limit": {"en": "Limit", "zh": "界限"},
    "drivers": {"en": "Drivers concerned", "zh": "涉及因素"},
    "sentence": {"en": "What was found, and what to do", "zh": "发现与建议"},
    ("finding", "ok"): {"en": "ok", "zh": "正常"},
    ("finding", "look"): {"en": "look", "zh": "留意"},
    ("finding", "serious"): {"en": "serious", "zh": "严重"},
}


@dataclass(frozen=True, eq=False)
class AuditResult(Result):
    """Findings of an audit, the serious ones first.

    Attributes
    ----------
    outcome : str
    said : tuple of Note
        The sentence of each row of the table.
    drivers : DataFrame
        One row per driver: ``driver, vif, proportion`` (of its variance in the worst near dependency), ``correlation,
        standardised, p_value, p_holm`` (Holm over the drivers), ``shift`` (largest change of the effect in standard errors when a
        respondent leaves), ``loading`` (on the general factor), ``importance_no_halo, importance_marker`` (with a marker item),
        ``robustness`` (partial R² of an omitted cause that removes the effect), ``robustness_sure`` (that makes it insignificant),
        ``curvature`` (part of R² that a squared term adds), and its rank by each method.
    reliabilities : DataFrame
        ``scenario`` (whose answers are unreliable: the leader's, all others', all), ``level`` (reliability), ``first`` (who is first then;
        empty where the correlations do not allow so low a reliability).
    """

    outcome: str = ""
    said: tuple[Note, ...] = ()
    drivers: pd.DataFrame = field(default_factory=pd.DataFrame)
    reliabilities: pd.DataFrame = field(default_factory=pd.DataFrame)

    def sentences(self, lang: str | None = None) -> Sentences:
        """How many checks are in order, then each finding, the serious ones first."""
        return Sentences([self.summary.sentence(lang), *(note.sentence(lang) for note in self.said)])

    @property
    def summary(self) -> Note:
        """How many checks are in order."""
        counts = Counter(self.table["finding"])
        label = self.labels.get(self.outcome, dict.fromkeys(LANGUAGES, self.outcome))
        return Note(SUMMARY, count=len(self.table), outcome=label, **{k: counts[k] for k in _ORDER})

    def specs(self, column: str) -> list[str]:
        """Format of every cell of a column; values are in the unit of their check."""
        if column in ("value", "limit"):
            return [_SPECS[c] for c in self.table["check"]]
        return super().specs(column)

    def _repr_html_(self) -> str:
        lang = language()
        shown = self.shown(lang, ["check", "finding", "drivers", "sentence"])
        left = "style='text-align:left;vertical-align:top'"
        head = "".join(f"<th {left}>{escape(c)}</th>" for c in shown.columns)
        rows = []
        for cells, finding in zip(shown.to_numpy(), self.table["finding"], strict=True):
            question, said, drivers, advice = (escape(c) for c in cells)
            mark = said if finding == "ok" else f"<strong>{said}</strong>"
            rows.append(
                f"<tr><td {left}>{question}</td><td style='text-align:left;vertical-align:top;white-space:nowrap'>{mark}</td>"
                f"<td {left}>{drivers}</td><td {left}>{advice}</td></tr>"
            )
        page = f"<table class='cx'><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        title = f"<p><strong>{escape(self.text(self.title, lang))}</strong></p><p>{escape(self.summary[lang])}</p>"
        return title + page + "".join(f"<p class='cx-note'>{escape(self.text(n, lang))}</p>" for n in self.notes)


def audit(result: DriverResult, marker: str | None = None) -> AuditResult:
    """What would an expert ask of this analysis of drivers, and what is the answer?

    Parameters
    ----------
    result : DriverResult
    marker : str, optional
        An item that should relate to nothing, such as "I like the colour blue"; by default the study's. What it
        correlates with the answers measures how far they share a way of answering.

    Returns
    -------
    AuditResult
        One row per check: ``check, finding`` (ok, look, serious), ``value, limit`` (from where it is worth a look),
        ``drivers`` concerned, ``sentence``.

    Raises
    ------
    SurveyError
        If the result keeps no kernel (it was made by hand), or the marker is unknown, a driver or the outcome.

    Notes
    -----
    Base: effective base of each effect, 75 and 30. Lost: share of weight that left, .20 and .50. Selective: mean outcome of those who
    left against the rest, design-based t test at .01, .1 and .3 standard deviations. Weighting: Kish's design effect, 2 and
    4, or one respondent with a tenth of the weight. Outcome: two values, or at most five; .30 and .50 of answers at one end.
    Curvature: score tests of squared drivers and fitted values with design-based errors, Holm at .01, a gain of .005 and .03 in R².
    Spread: residual standard deviations in the outer thirds of predictions, ratio 1.5 and 2.5, at .01.
    Inflation: (generalised) VIF 5 and 10. Condition: Belsley's index of centred and scaled columns, 10 and 30, since importances do not
    depend on where a rating scale begins; the uncentred index with intercept is reported beside it. Signs: coefficient
    significant after Holm at .05 against a correlation of opposite sign. Influence: DFBETA, exact, over the design-based
    standard error, 1 and 2. Methods: top-down correlation of ranks by importance, relative weights and |standardised coefficient|, .7 and
    .5. Halo: the regression score of the first principal factor of the drivers is forced in; its share of their variance,
    .5, and whether another driver is then clearly first (2.5 linearised standard errors). Marker: mean correlation c of the marker item with drivers
    and outcome, (r − c) / (1 − c) for all correlations; c of .10 at .01, and whether rank 1 changes. Omitted: robustness value at
    α = .05 on the design-based t and the effective base, .10 and 0. Fragile: see the share of weight below, .02 and .005. Errors in drivers: the
    highest reliability of another driver (or of all others), the leader being perfect, at which rank 1 changes, .8 and .9.
    The share of weight is an upper bound: respondents are ordered by their linearised influence on the difference of importances, removed
    until rank 1 changes in a recomputation, and ordered anew from halfway.

    References
    ----------
    Belsley (1991), *Conditioning Diagnostics*. Lindell & Whitney (2001), Journal of Applied Psychology 86, 114–121. Baumgartner, Weijters & Pieters
    (2021), Journal of Marketing Research 58. Cinelli & Hazlett (2020), JRSS B 82, 39–67. Broderick, Giordano & Meager (2020), arXiv 2011.14999. Iman &
    Conover (1987), Technometrics 29, 351–357.

    Examples
    --------
    >>> import cxlab as cx
    >>> rng = np.random.default_rng(5)
    >>> df = pd.DataFrame(rng.normal(size=(400, 3)), columns=["queue", "doctor", "colour"])
    >>> df["satisfaction"] = df["queue"] + 0.5 * df["doctor"] + rng.normal(size=400)
    >>> found = cx.key_drivers(cx.Survey.from_frame(df), "satisfaction", ["queue", "doctor", "colour"], replicates=0)
    >>> audit(found).table.query("finding != 'ok'")["check"].tolist()
    []
    """
    prepared, survey = _parts(result)
    marker = _marker(survey, prepared, marker)
    case = _case(result, prepared, survey, marker)
    linear = result.kernel is None or result.kernel.name == "linear"
    asked = [*_WHO, *(_LINEAR if linear else ()), *_DRIVERS, *((behind.marker,) if marker else ())]
    found = [check(case) for check in asked]
    found.sort(key=lambda f: _ORDER[f.finding])
    labels = {lang: {n: words[lang] for n, words in prepared.labels.items()} for lang in LANGUAGES}
    said = tuple(_note(f, labels, prepared.outcome) for f in found)
    table = pd.DataFrame(
        {
            "check": [f.check for f in found], "finding": [f.finding for f in found], "value": [f.value for f in found],
            "limit": [float(f.limit) for f in found], "drivers": [", ".join(f.drivers) for f in found],
            "sentence": [note["en"] for note in said],
        }
    )  # fmt: skip
    label = prepared.labels[prepared.outcome]
    return AuditResult(
        table,
        Base(len(case.frame.rows), result.base.effective, result.base.excluded, result.base.excluded_share),
        (*_notes(case, prepared, result, marker, linear), *prepared.notes),
        {**result.labels, **_HEADINGS, **QUESTIONS, **_texts(found, said, labels)},
        f"{result.call.split('  # ')[0]}.audit({'' if marker is None else f'marker={marker!r}'})",
        {"en": f"Audit of the key drivers of {label['en']}", "zh": f"“{label['zh']}”关键驱动因素的核查"},
        level=result.level,
        outcome=prepared.outcome,
        said=said,
        drivers=pd.DataFrame({"driver": prepared.drivers, **case.per_driver}),
        reliabilities=pd.DataFrame(case.tables.get("reliabilities", {"scenario": [], "level": [], "first": []})),
    )


def _parts(result: DriverResult) -> tuple[Prepared, Survey]:
    prepared = result.kernel.prepared if result.kernel is not None else None
    survey = prepared.survey if prepared is not None else None
    if prepared is None or survey is None:
        raise SurveyError(
            "result keeps no kernel to go on from; make it anew with cx.key_drivers(...) and call .audit()."
        )
    return prepared, survey


def _marker(survey: Survey, prepared: Prepared, marker: str | None) -> str | None:
    name = getattr(survey.roles, "marker", None) if marker is None else marker
    if name is None:
        return None
    survey.require("marker", [name])
    used = [column_of(n) for n in (*prepared.drivers, *prepared.always, prepared.outcome)]
    if name in used:
        raise SurveyError(
            f"marker {name!r} is a driver, a forced-in column or the outcome; name an item that should relate to none of them."
        )
    return str(name)


# ---------------------------------------------------------------------- the case
def _case(result: DriverResult, prepared: Prepared, survey: Survey, marker: str | None) -> Case:
    complete = np.asarray(np.isfinite(prepared.columns).all(axis=1))
    columns, weights, rows = prepared.columns[complete], prepared.weights[complete], prepared.rows[complete]
    layout = prepared.layout
    if len(rows) < columns.shape[1] + 1:
        raise SurveyError(
            f"audit: {len(rows)} of {len(complete):,} rows have all answers, at least {columns.shape[1] + 1} are needed for the checks "
            "that look at single respondents; name fewer drivers."
        )
    method = _method(result.method, prepared)
    frame = Frame(
        standardised(columns, weights), weights, rows, prepared.design, prepared.df, prepared.drivers, layout.players, layout.always,
        prepared.first, importance_of(method, layout.players),
    )  # fmt: skip
    bases = result.table.set_index("driver")["base_effective"].loc[list(prepared.drivers)].to_numpy(dtype=float)
    outcome = columns[:, -1]
    scale = survey.scale(prepared.outcome) if survey.has(prepared.outcome) else None
    return Case(
        frame,
        _derivative(method, prepared),
        int(frame.importance(frame.correlation).argmax()),
        bases,
        outcome,
        scale or (float(outcome.min()), float(outcome.max())),
        _asked(prepared, survey) | {"uncentred": checks.uncentred_index(columns[:, :-1], weights)},
        None if marker is None else survey.values(marker)[rows],
    )


def _method(method: str, prepared: Prepared) -> str:
    """The result's own measure if the checks can use it: it has to be quick and sum to R²."""
    players = prepared.layout.players
    if 2 ** len(players) * prepared.columns.shape[1] ** 2 > _AFFORDABLE:
        return "johnson"
    return method if method in ("shapley", "johnson") else "shapley"


def _derivative(method: str, prepared: Prepared) -> Derivative:
    """Derivative of the importances: of the checks' own measure, or of one that is quick, on the first column of each driver.

    It only puts respondents in order; what is reported is computed with the checks' own measure.
    """
    layout = prepared.layout
    taken = [player[0] for player in layout.players] + [prepared.columns.shape[1] - 1]
    if len(taken) > _MANY:
        return lambda correlation: pratt_derivative(correlation, taken)
    if layout.simple:
        own = importance_of(method, layout.players)
        return lambda correlation: gradient(own, correlation)
    return lambda correlation: gradient(lambda c: johnson(c[..., taken, :][..., :, taken]), correlation)


def importance_of(method: str, players: tuple[tuple[int, ...], ...]) -> Importance:
    """Importances of players from covariances; columns that belong to no player are partialled out first."""
    taken = {c for player in players for c in player}

    def importance(covariances: FloatArray) -> FloatArray:
        columns = range(covariances.shape[-1] - 1)
        forced = [c for c in columns if c not in taken]
        plain = None if not forced and all(len(player) == 1 for player in players) else players
        return measured(measure(method), to_correlation(covariances), plain, forced)

    return importance


def _asked(prepared: Prepared, survey: Survey) -> dict[str, Any]:
    """Outcome and completeness of all who were asked, whether they take part or not."""
    rows = np.flatnonzero(survey.domain & (survey.weights > 0))
    inside = np.zeros(len(survey.data), dtype=bool)
    inside[prepared.rows] = True
    weights = survey.weights[rows]
    outcome = np.full(len(survey.data), np.nan)
    if survey.has(prepared.outcome):
        outcome = survey.values(prepared.outcome)
    absent = np.column_stack([~np.isfinite(survey.values(column_of(d))[rows]) for d in prepared.drivers])
    return {"rows": rows, "inside": inside[rows], "weights": weights, "outcome": outcome[rows],
            "missing": weights @ absent / weights.sum()}  # fmt: skip


# ---------------------------------------------------------------------- what is said
def _note(found: Finding, labels: Mapping[str, Mapping[str, str]], outcome: str) -> Note:
    facts = {k: _joined(v, labels) if isinstance(v, tuple) else v for k, v in found.facts.items()}
    facts |= {
        "value": found.value,
        "limit": found.limit,
        "outcome": {lang: labels[lang][outcome] for lang in LANGUAGES},
    }
    return Note(WORDINGS[found.check, found.wording or found.finding], **facts)


def _joined(names: Sequence[str], labels: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    marks = {"en": ", ", "zh": "、"}
    case = {"en": "in" if len(names) > 1 else "", "zh": ""}  # a single label is cased where it is printed
    return {lang: marks[lang].join(number(labels[lang].get(n, n), case[lang]) for n in names) for lang in LANGUAGES}


def _texts(found: Sequence[Finding], said: Sequence[Note], labels: Mapping[str, Mapping[str, str]]) -> dict[Any, Any]:
    """Wordings of the cells of drivers and sentences in both languages."""
    sentences = {("sentence", note["en"]): dict(note) for note in said}
    return {**sentences, **{("drivers", ", ".join(f.drivers)): _joined(f.drivers, labels) for f in found if f.drivers}}


def _notes(case: Case, prepared: Prepared, result: DriverResult, marker: str | None, linear: bool) -> list[Note]:
    method = _method(result.method, prepared)
    out = [] if marker else [Note(NO_MARKER)]
    if len(case.frame.rows) < len(prepared.rows):
        out.append(Note(COMPLETE_ROWS, rows=len(case.frame.rows)))
    if not linear:
        out.append(Note(STRAIGHT))
    if method != result.method or not linear:
        out.append(Note(MEASURED, method=METHOD_NAMES[method]))
    leader, first = prepared.drivers[case.leader], result.table["driver"].iloc[0]
    if leader != first:
        out.append(Note(LEADER, leader=dict(prepared.labels[leader]), first=dict(prepared.labels[first])))
    return out
