"""Joining a linked table to the respondents: the rows stay, what is known of them grows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlab import expressions
from cxlab.errors import DataWarning, SurveyError, one_of, unknown_names
from cxlab.items import Item
from cxlab.study import _measures
from cxlab.study._build import described
from cxlab.study._join_result import Counts, joined_result
from cxlab.study._keys import Match, key_pairs, match
from cxlab.study._measures import Made, Measure, Rows
from cxlab.study._schema import ItemPart, StudyFile, Table
from cxlab.study._spans import NO_DATE, NO_ROW, NOT_IN_TABLE, UNITS, Spans, Window, timeline, whole, windows
from cxlab.study._tables import days_of, interview_days, no_dates, read_table, table_of
from cxlab.survey import Survey

IntArray = np.ndarray[Any, np.dtype[np.int64]]
USES = ("outcome", "covariate")
UNMATCHED = ("missing", "zero")


@dataclass(frozen=True)
class Request:
    """What the caller asked for; see :meth:`cxlab.study.Study.join`."""

    table: str
    columns: Any = None
    measures: Any = None
    on: Any = None
    where: str | None = None
    window: Any = None
    unit: str = "month"
    date: str | None = None
    until: Any = None
    use: str | None = None
    unmatched: str = "missing"

    def call(self, survey: Survey) -> str:
        """The call, as code."""
        usual = Request(self.table)
        said = [f"survey{survey.filter}", repr(self.table)]
        said += [f"{k}={v!r}" for k, v in vars(self).items() if v != getattr(usual, k)]
        return f"study.join({', '.join(said)})"


@dataclass(frozen=True)
class Linked:
    """A table beside the respondents.

    Attributes
    ----------
    name : str
    table : Table
    frame : Survey
        Its rows.
    match : Match
    kept : bool array, shape (rows,)
        Rows that ``where`` leaves.
    days : date array, shape (rows,), or None
        None for a table without dates.
    counts : Counts
        What was met on the way, for the notes.
    """

    name: str
    table: Table
    frame: Survey
    match: Match
    kept: np.ndarray
    days: Any
    counts: Counts

    def found(self, kept: bool = False) -> np.ndarray:
        """Respondents whose key occurs in the table (among the rows that ``where`` leaves), bool of shape (respondents,)."""
        rows = (self.match.table >= 0) & (self.kept | (not kept))
        there = np.bincount(self.match.table[rows], minlength=self.match.count + 1) > 0
        return (self.match.rows >= 0) & there[self.match.rows]


def join(study: StudyFile, folder: Path, survey: Survey, asked: Request) -> Survey:
    """Join a table; see :meth:`cxlab.study.Study.join`."""
    table = table_of(study, asked.table)
    _check_options(asked, table)
    linked = _linked(study, folder, survey, asked)
    if asked.measures is None:
        made, found = _attributes(study, survey, asked, linked), linked.found(kept=True)
    else:
        made, found = _measured(study, survey, asked, linked), linked.found()
    survey = _checked_names(survey, [m.item.name for m in made], asked)
    joined = _with(survey, [replace(m, item=_worded(m.item, table.items)) for m in made])
    result = joined_result(joined, [m.item.name for m in made], linked.match, found, linked.counts)
    result = replace(result, call=asked.call(survey), use=_use(asked, table), name=asked.table)
    return replace(joined, joins=(*survey.joins, result))


def _use(asked: Request, table: Table) -> str:
    return asked.use or ("outcome" if asked.measures is not None and table.date is not None else "covariate")


def _check_options(asked: Request, table: Table) -> None:
    for argument, allowed in (("unit", UNITS), ("unmatched", UNMATCHED), ("use", (*USES, None))):
        if (got := getattr(asked, argument)) not in allowed:
            raise one_of(argument, got, [a for a in allowed if a])
    if asked.columns is not None and asked.measures is not None:
        raise SurveyError(
            "columns and measures are both given; columns takes over values, measures aggregates rows: join twice."
        )
    if asked.measures is None and (asked.window is not None or asked.until is not None or asked.unmatched == "zero"):
        given = next(n for n in ("window", "until", "unmatched") if getattr(asked, n) != getattr(Request(""), n))
        raise SurveyError(
            f"{given} goes with measures, e.g. measures={{'renewed': 'any'}}; columns takes over values as they are."
        )
    if table.date is None and (asked.window is not None or asked.until is not None or asked.use == "outcome"):
        given = next(n for n in ("window", "until", "use") if getattr(asked, n) is not None)
        raise SurveyError(
            f"{given} needs dates, and tables.{asked.table} declares none, so that nobody can tell what came after the "
            "survey; write date: with the column of dates there, or leave it out."
        )


# ---------------------------------------------------------------------- the two sides
def _linked(study: StudyFile, folder: Path, survey: Survey, asked: Request) -> Linked:
    """Read the table, find its respondents, choose its rows, read its dates."""
    table = study.tables[asked.table]
    pairs = key_pairs(survey, asked.on, table.key)
    frame = read_table(study, folder, asked.table, text=list(pairs.values()))
    if unknown := [c for c in pairs.values() if c not in frame]:
        raise unknown_names("on", unknown, frame.columns, table.file)
    found = match(survey, frame, pairs, asked.table)
    counts = Counts(no_key=int(found.absent.sum()), numeric=found.numeric, zero=asked.unmatched == "zero")
    days = None if table.date is None else _table_days(asked, table, frame, counts)
    if days is not None:
        frame[table.date] = days.astype("M8[us]")
    rows = Survey.from_frame(frame)
    kept = np.ones(len(frame), bool)
    if asked.where is not None:
        if unknown := [n for n in expressions.names(asked.where) if n not in frame]:
            raise unknown_names("where", unknown, frame.columns, f"the table {asked.table!r}")
        kept = expressions.evaluate(asked.where, rows)
        unclear = ~kept & ~expressions.evaluate(f"not ({asked.where})", rows)
        counts.unclear += int((unclear & (found.table >= 0)).sum())
    return Linked(asked.table, table, rows, found, kept, days, counts)


def _table_days(asked: Request, table: Table, frame: pd.DataFrame, counts: Counts) -> Any:
    """Days of a table's rows; more than half of them impossible is another way of writing dates, not slips."""
    values = frame[str(table.date)]
    days, monthly = days_of(values)
    wrong = np.isnat(days) & values.notna().to_numpy()
    if values.isna().all():
        raise SurveyError(f"tables.{asked.table}.date: {table.date!r} is empty in all {len(values):,} rows.")
    if 2 * wrong.sum() > values.notna().sum():
        raise no_dates(asked.table, str(table.date), values[wrong])
    if monthly and asked.unit != "calendar_month" and (asked.measures is not None or asked.use == "outcome"):
        raise SurveyError(
            f"tables.{asked.table}.date: {table.date!r} says months and no days; count by unit='calendar_month'."
        )
    counts.since = np.min(days[~np.isnat(days)])
    counts.impossible, counts.undated = int(wrong.sum()), int(np.isnat(days).sum())
    return days


# ---------------------------------------------------------------------- values as they are
def _attributes(study: StudyFile, survey: Survey, asked: Request, linked: Linked) -> list[Made]:
    """Take over columns; every respondent must have one row at most."""
    _require_single(survey, linked)
    place = np.full(linked.match.count + 1, -1)
    rows = np.flatnonzero((linked.match.table >= 0) & linked.kept)
    place[linked.match.table[rows]] = rows
    row = np.where(linked.match.rows >= 0, place[linked.match.rows], -1)
    reason = np.where(row >= 0, np.nan, NOT_IN_TABLE)
    unusable = _out_of_order(study, survey, asked, linked, row)
    reason, row = np.where(np.isnan(unusable), reason, unusable), np.where(np.isnan(unusable), row, -1)
    made = []
    for source, name in _chosen(survey, asked, linked, row).items():
        values = linked.frame.data[source].iloc[np.maximum(row, 0)].reset_index(drop=True).where(row >= 0)
        part = linked.table.items.get(source, ItemPart())
        made.append(Made(described(Item(name), part), values, reason))
    return made


def _require_single(survey: Survey, linked: Linked) -> None:
    counts = np.bincount(linked.match.table[(linked.match.table >= 0) & linked.kept], minlength=linked.match.count)
    several = np.flatnonzero(counts > 1)
    if not len(several):
        return
    interviews = np.bincount(linked.match.rows[linked.match.rows >= 0], minlength=linked.match.count)
    both = int((interviews[several] > 1).sum())
    shown = ", ".join(linked.match.shown(several))
    many = f" (many-to-many: {both:,} of them have several interviews as well)" if both else ""
    raise SurveyError(
        f"{linked.name!r} has several rows for {len(several):,} of {int((counts > 0).sum()):,} ids that respondents have, "
        f"e.g. {shown}{many}; aggregate them with measures={{'new name': 'count'}}, choose one row each with where=, or "
        "name a further key with on={survey column: table column}."
    )


def _out_of_order(study: StudyFile, survey: Survey, asked: Request, linked: Linked, row: np.ndarray) -> np.ndarray:
    """Why values cannot be outcomes, NaN where they can: not dated after the interview.

    Raises if some are dated before it; counts values dated after it among covariates.
    """
    reason = np.full(len(row), np.nan)
    if linked.days is None or (asked.use != "outcome" and asked.date is None and study.date is None):
        return reason
    step = "M8[M]" if asked.unit == "calendar_month" else "M8[D]"
    then = np.where(row >= 0, linked.days[np.maximum(row, 0)], np.datetime64("NaT", "D")).astype(step)
    interviews = interview_days(survey, asked.date, study.date, asked.unit).astype(step)
    if asked.use != "outcome":
        linked.counts.later = int(((then > interviews) & survey.domain).sum())
        return reason
    if (early := (then < interviews) & survey.domain).any():
        raise _before(
            linked, int(early.sum()), int(early.sum()), np.unique(linked.match.rows[early]), "or leave use out"
        )
    linked.counts.unit, linked.counts.same = asked.unit, int(((then == interviews) & survey.domain).sum())
    reason[(row >= 0) & ~(then > interviews)] = NO_ROW
    reason[(row >= 0) & np.isnat(interviews)] = NO_DATE
    return reason


def _before(linked: Linked, rows: int, respondents: int, codes: IntArray, remedy: str) -> SurveyError:
    return SurveyError(
        f"use is 'outcome', but {rows:,} rows of {linked.name!r} are dated before the interview ({respondents:,} respondents, "
        f"e.g. {', '.join(linked.match.shown(codes))}), and what came before the survey is no outcome of it; take it as "
        f"use='covariate', {remedy}."
    )


def _chosen(survey: Survey, asked: Request, linked: Linked, row: np.ndarray) -> dict[str, str]:
    """Columns to take over, with their new names; by default all that the survey does not have already."""
    frame, keys = linked.frame.data, set(linked.match.texts.columns)
    if asked.columns is not None:
        chosen = asked.columns if isinstance(asked.columns, Mapping) else _listed(asked.columns)
        if unknown := [c for c in chosen if c not in frame]:
            raise unknown_names("columns", unknown, frame.columns, f"the table {linked.name!r}")
        return {str(k): str(v) for k, v in chosen.items()}
    rest = [str(c) for c in frame if c not in keys]
    there = [c for c in rest if survey.has(c)]
    other = {c: _differing(survey, frame[c], c, row) for c in there}
    linked.counts.alike = tuple(c for c, count in other.items() if not count)
    linked.counts.differing = {c: count for c, count in other.items() if count}
    if len(there) == len(rest):
        raise SurveyError(
            f"{linked.name!r} has no column that the survey does not have already; aggregate rows with measures=."
        )
    return {c: c for c in rest if c not in there}


def _listed(names: Any) -> dict[str, str]:
    return {n: n for n in ([names] if isinstance(names, str) else list(names))}


def _differing(survey: Survey, theirs: pd.Series, name: str, row: np.ndarray) -> int:
    """Matched respondents whose own value is known and another one than the table's; a role counts as another one."""
    matched = (row >= 0) & survey.domain
    if name not in survey.data:
        return int(matched.sum())
    mine, other = survey.data[name], theirs.iloc[np.maximum(row, 0)].reset_index(drop=True)
    both = matched & mine.notna() & other.notna()
    if pd.api.types.is_numeric_dtype(mine) and pd.api.types.is_numeric_dtype(other):
        return int((both & (mine != other)).sum())
    return int((both & (mine.astype("string") != other.astype("string"))).sum())


# ---------------------------------------------------------------------- measures of rows
def _measured(study: StudyFile, survey: Survey, asked: Request, linked: Linked) -> list[Made]:
    """Aggregate the rows of each respondent's window."""
    columns = list(linked.frame.data.columns)
    measures = _measures.read_measures(asked.measures, columns, linked.name)
    window = _window(asked, linked, measures)
    interviews = None
    if linked.days is not None:
        interviews = interview_days(survey, asked.date, study.date, asked.unit)
    spans = _spans(linked, interviews, window, asked, survey.domain)
    strict = replace(spans, reason=spans.strict)
    valued = np.isnan(spans.reason if any(m.kind == "follow_up" for m in measures) else spans.strict)
    times = spans.times(survey.domain & valued)
    days = None if linked.days is None else linked.days[spans.order]
    rows = Rows(linked.frame, spans.order, times > 0, survey.domain, days)
    made = [m for one in measures for m in _measures.make(one, rows, spans if one.kind == "follow_up" else strict)]
    linked.counts.unclear += rows.unknown
    linked.counts.tied, linked.counts.shared = rows.tied, 0 if days is None else int((times > 1).sum())
    linked.counts.open = interviews is not None and window.outcome and window.high is None and any(
        m.kind != "follow_up" for m in measures
    )  # fmt: skip
    return made


def _window(asked: Request, linked: Linked, measures: Sequence[Measure]) -> Window:
    outcome = linked.days is not None and _use(asked, linked.table) == "outcome"
    low, high = _ends(asked.window)
    followed = any(m.kind == "follow_up" for m in measures)
    dated = [k for k in ("follow_up", "first", "last") if any(m.kind == k for m in measures)]
    if dated and linked.days is None:
        raise SurveyError(
            f"measures: {dated[0]} needs dates, and tables.{linked.name} declares none; write date: with their column there."
        )
    if followed and (not outcome or low not in (None, 0)):
        raise SurveyError(
            "measures: follow_up runs from the interview on; leave use out and let the window start at 0."
        )
    if all(m.kind == "follow_up" for m in measures):
        low = 0
    return Window(low, high, asked.unit, outcome)


def _ends(window: Any) -> tuple[int | None, int | None]:
    """Whole numbers, or None for an open end."""
    if window is None:
        return None, None
    ends = tuple(window) if isinstance(window, (list, tuple)) else ()
    whole = all(e is None or (isinstance(e, (int, np.integer)) and not isinstance(e, bool)) for e in ends)
    if len(ends) != 2 or not whole or (None not in ends and not ends[0] < ends[1]):
        raise SurveyError(
            f"window is {window!r}; a pair of whole numbers of units after the interview is needed, the lower first, e.g. "
            "(0, 12), (-12, 0), or None for an open end, (0, None)."
        )
    return ends


def _last_day(asked: Request, linked: Linked) -> Any:
    """Day until which the table is complete."""
    if linked.days is None:
        return None
    if asked.until is not None:
        given, monthly = days_of(pd.Series([str(asked.until)]))
        if np.isnat(given[0]) or (monthly and asked.unit != "calendar_month"):
            raise SurveyError(f"until is {asked.until!r}, which is no day; write '2025-12-31'.")
        last = given[0]
        if asked.unit == "calendar_month":  # a month of which days are still to come is not over
            over = monthly or last.astype("M8[M]") != (last + 1).astype("M8[M]")
            last = (last.astype("M8[M]") + int(over)).astype("M8[D]") - 1
        linked.counts.until = last
        return last
    days = np.unique(linked.days[~np.isnat(linked.days)])
    linked.counts.until = days[-1]
    gaps = np.diff(days).astype(np.int64)
    if len(gaps) > 10 and gaps[-1] > 180 and gaps[-1] > 10 * np.median(gaps):
        linked.counts.stray = int(gaps[-1])
        warnings.warn(
            f"the last date of {linked.name!r}, {days[-1]}, lies {gaps[-1]:,} days after the one before; until then the table "
            "is taken to be complete: if the date is a slip, say how far it goes with until=.",
            DataWarning, stacklevel=6,
        )  # fmt: skip
    return days[-1]


def _spans(linked: Linked, interviews: Any, window: Window, asked: Request, domain: Any) -> Spans:
    """Find the rows of each respondent, count what falls outside (in the domain), and tell who has no value."""
    match, counts, days, last = linked.match, linked.counts, linked.days, _last_day(asked, linked)
    used = (match.table >= 0) & linked.kept
    lost = ~linked.found() if asked.unmatched == "missing" else match.rows < 0
    if last is not None:
        counts.after_end = int((used & (days > last)).sum())
        used &= days <= last  # false without a date
    line = timeline(match.table, days, used, window)
    if last is None:
        return whole(line, match.rows, lost)
    spans = windows(line, match.rows, lost, interviews, last)
    counts.unit = window.unit
    if window.outcome:
        before = np.where(domain, spans.before, 0)
        counts.before, counts.same = int(before.sum()), int(spans.same[domain].sum())
        if (window.low or 0) < 0 and not counts.before:
            raise SurveyError(
                f"use is 'outcome', and window is {asked.window!r}: what came before the survey is no outcome of it; take it as "
                "use='covariate', or count what follows: window=(0, 12)."
            )
        if (window.low is None and counts.before) or (window.low or 0) < 0:
            early = before > 0
            remedy = "or count what follows: window=(0, 12)"
            raise _before(linked, counts.before, int(early.sum()), np.unique(match.rows[early]), remedy)
    return spans


# ---------------------------------------------------------------------- into the survey
def _checked_names(survey: Survey, names: Sequence[str], asked: Request) -> Survey:
    twice = sorted({n for n in names if list(names).count(n) > 1})
    taken = [n for n in names if survey.has(n)]
    argument = "columns" if asked.measures is None else "measures"
    if twice:
        raise SurveyError(f"{argument} makes {', '.join(map(repr, twice))} more than once; choose other names.")
    if taken:
        example = (
            f"columns={{{taken[0]!r}: '{asked.table}_{taken[0]}'}}" if argument == "columns" else f"'{taken[0]}_2'"
        )
        raise SurveyError(
            f"{argument} makes {len(taken)} name(s) that the survey has already: {', '.join(map(repr, taken))}; choose "
            f"others, e.g. {example}."
        )
    return survey


def _worded(item: Item, parts: Mapping[str, ItemPart]) -> Item:
    """Item with what ``tables: … items:`` says of it; the columns of a follow-up take the words of their measure."""
    if item.name in parts:
        return described(item, parts[item.name])
    for ending, words in _FOLLOW_UP.items():
        stem = item.name.removesuffix(ending)
        if stem != item.name and stem in parts:
            labels = parts[stem].labels
            return replace(item, labels={k: words.get(k, "{}").format(v) for k, v in labels.items()})
    return item


_FOLLOW_UP: Mapping[str, Mapping[str, str]] = {
    "_months": {"en": "{}: months to it or to the end of observation", "zh": "{}：距发生或观察结束的月数"},
    "_days": {"en": "{}: days to it or to the end of observation", "zh": "{}：距发生或观察结束的天数"},
    "_event": {"en": "{}", "zh": "{}"},
}


def _with(survey: Survey, made: Sequence[Made]) -> Survey:
    """Survey with the new columns, their items and the reasons of what is missing in them."""
    out = survey.with_columns(**{m.item.name: m.values for m in made})
    reasons: dict[str, Any] = {}
    items = []
    for one in made:
        item = replace(one.item, kind=out.codebook[one.item.name].kind)
        if pd.api.types.is_numeric_dtype(out.data[item.name]) and (~np.isnan(one.reason)).any():
            moved = _apart(one.reason, out.data[item.name].to_numpy())
            reasons[item.name] = moved
            shift = np.nanmax(moved - one.reason)
            present = np.unique(one.reason[~np.isnan(one.reason)])
            item = replace(item, missing={float(c + shift): _measures.REASONS[float(c)] for c in present})
        items.append(item)
    known = survey.missing_reasons
    known = known if len(known) == len(survey.data) else pd.DataFrame(index=survey.data.index)
    return replace(
        out,
        codebook=out.codebook.with_items(*items),
        missing_reasons=known.assign(**reasons) if reasons else survey.missing_reasons,
    )


def _apart(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Codes of reasons, moved where an answer lies among them."""
    low, high = min(_measures.REASONS), max(_measures.REASONS)
    shift = 0.0
    while ((values >= low + shift) & (values <= high + shift)).any():
        shift -= 10_000.0
    return codes + shift
