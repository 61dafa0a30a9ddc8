"""Measures of a linked table per respondent: which rows fall into the window, and what is made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cxlab import expressions
from cxlab.errors import SurveyError, one_of, unknown_names
from cxlab.items import Code, Item
from cxlab.study._spans import NO_DATE, NO_ROW, NOT_IN_TABLE, NOT_YET, TOO_EARLY, Spans
from cxlab.survey import Survey

IntArray = np.ndarray[Any, np.dtype[np.int64]]
DAYS_PER_MONTH = 30.4375  # of the mean month, for lengths of time between whole months
KINDS = ("any", "count", "sum(x)", "mean(x)", "min(x)", "max(x)", "first(x)", "last(x)", "follow_up")

REASONS: Mapping[float, str] = {
    NOT_IN_TABLE: "not in the table", NOT_YET: "not yet observed", TOO_EARLY: "before the records begin",
    NO_DATE: "interview date unknown", NO_ROW: "no such row",
}  # fmt: skip
_YES_NO: Mapping[Code, Mapping[str, str]] = {0.0: {"en": "no", "zh": "否"}, 1.0: {"en": "yes", "zh": "是"}}
_EVENT: Mapping[Code, Mapping[str, str]] = {
    0.0: {"en": "not until the end of observation", "zh": "观察期结束时未发生"},
    1.0: {"en": "yes", "zh": "已发生"},
}


@dataclass(frozen=True)
class Measure:
    """One new item: ``kind`` of ``argument``."""

    name: str
    kind: str
    argument: str = ""


@dataclass(frozen=True)
class Made:
    """A new column: its values, why some are missing, what it means."""

    item: Item
    values: Any
    reason: np.ndarray


@dataclass
class Rows:
    """Rows of a table in the order of respondent's key and time, as expressions see them.

    Attributes
    ----------
    frame : Survey
        The whole table; a Survey so that conditions are read as everywhere else.
    order : int array
        The rows that count, sorted.
    counted : bool array
        Of these, the ones within the span of somebody in the domain who has a value.
    who : bool array, shape (respondents,)
        Respondents in the domain.
    days : date array, shape (rows,), or None
        In the order of ``order``.
    unknown : int
        Rows that count, but lack what a sum or a condition needs.
    tied : int
        Respondents whose first or last value was chosen among other values of the same day.
    """

    frame: Survey
    order: IntArray
    counted: np.ndarray
    who: np.ndarray
    days: Any = None
    unknown: int = 0
    tied: int = 0
    _kept: dict[str, np.ndarray] = field(default_factory=dict)

    def where(self, condition: str) -> np.ndarray:
        """Rows for which a condition holds; rows where a missing value leaves it open are counted."""
        if condition not in self._kept:
            holds = expressions.evaluate(condition, self.frame)[self.order]
            fails = expressions.evaluate(f"not ({condition})", self.frame)[self.order]
            self.unknown += int((~holds & ~fails & self.counted).sum())
            self._kept[condition] = holds
        return self._kept[condition]

    def numbers(self, text: str) -> np.ndarray:
        """An expression as numbers; rows where it is missing are counted."""
        found = expressions.compute(text, self.frame)[self.order]
        self.unknown += int((np.isnan(found) & self.counted).sum())
        return found

    def column(self, name: str) -> pd.Series:
        """A column as it stands in the table."""
        return self.frame.data[name].iloc[self.order]


_CALL = re.compile(r"\s*([a-z_]+)\s*(?:\((.*)\))?\s*$", re.DOTALL)


def read_measures(measures: Any, columns: Sequence[str], table: str) -> list[Measure]:
    """Parse ``{new name: "sum(amount)"}``.

    Raises
    ------
    SurveyError
        If it is no such mapping, a measure is of no known kind, or its column does not exist.
    """
    if not isinstance(measures, Mapping) or not measures or not all(isinstance(m, str) for m in measures.values()):
        raise SurveyError(
            "measures is a mapping of new names to texts, e.g. {'renewed': 'any', 'spent': 'sum(amount)'}."
        )
    return [_read(str(name), text, columns, table) for name, text in measures.items()]


def _read(name: str, text: str, columns: Sequence[str], table: str) -> Measure:
    found = _CALL.match(text)
    kinds = [k.split("(")[0] for k in KINDS]
    if found is None or found[1] not in kinds:
        raise one_of(f"measures[{name!r}]", text, KINDS)
    kind, argument = found[1], (found[2] or "").strip()
    if not argument and kind not in ("any", "count", "follow_up"):
        raise SurveyError(f"measures[{name!r}] is {text!r}; name a column: '{kind}({_number_column(columns)})'.")
    names = [argument] if kind in ("first", "last") else expressions.names(argument) if argument else []
    if unknown := [n for n in names if n not in columns]:
        raise unknown_names(f"measures[{name!r}]", unknown, columns, f"the table {table!r}")
    return Measure(name, kind, argument)


def _number_column(columns: Sequence[str]) -> str:
    return "amount" if "amount" in columns else str(columns[-1])


def new_names(measure: Measure, unit: str) -> list[str]:
    """Columns that a measure makes."""
    if measure.kind == "follow_up":
        return [f"{measure.name}_{'days' if unit == 'day' else 'months'}", f"{measure.name}_event"]
    return [measure.name]


def make(measure: Measure, rows: Rows, spans: Spans) -> list[Made]:
    """Compute a measure for every respondent."""
    if measure.kind == "follow_up":
        return _follow_up(measure, rows, spans)
    if measure.kind in ("any", "count"):
        within = _counted(measure.argument, rows, spans)
        values: Any = (within > 0).astype(float) if measure.kind == "any" else within.astype(float)
        labels = _YES_NO if measure.kind == "any" else {}
        item = Item(measure.name, values=labels, measure="nominal" if labels else "scale")
        return [_finished(item, values, spans.reason)]
    empty = spans.high <= spans.low
    reason = np.where(np.isnan(spans.reason) & empty & (measure.kind != "sum"), NO_ROW, spans.reason)
    if measure.kind in ("first", "last"):
        return [_finished(Item(measure.name), _at_an_end(measure, rows, spans, np.isnan(reason)), reason)]
    values = _aggregated(measure.kind, rows.numbers(measure.argument), spans)
    return [_finished(Item(measure.name, measure="scale"), values, reason)]


def _counted(condition: str, rows: Rows, spans: Spans) -> IntArray:
    """Number of rows within each span for which a condition holds."""
    if not condition:
        return np.maximum(spans.high - spans.low, 0)
    before = np.r_[0, np.cumsum(rows.where(condition))]
    return np.asarray(before[np.maximum(spans.high, spans.low)] - before[spans.low])


def _aggregated(kind: str, numbers: np.ndarray, spans: Spans) -> np.ndarray:
    """Sum, mean, min or max of each span; 0 or NaN where it is empty, NaN where a number is missing."""
    fold = {"sum": np.add, "mean": np.add, "min": np.minimum, "max": np.maximum}[kind]
    full = np.flatnonzero(spans.high > spans.low)
    out = np.full(len(spans.low), 0.0 if kind == "sum" else np.nan)
    if len(full):
        # Sorted, so that the stretches between one span and the next, which reduceat folds as well, stay short.
        full = full[np.lexsort((spans.high[full], spans.low[full]))]
        ends = np.column_stack([spans.low[full], spans.high[full]]).ravel()
        folded = fold.reduceat(np.r_[numbers, 0.0], ends)[::2]
        out[full] = folded / (spans.high[full] - spans.low[full]) if kind == "mean" else folded
    return out


def _at_an_end(measure: Measure, rows: Rows, spans: Spans, known: np.ndarray) -> Any:
    """Value of the earliest or latest row of each span."""
    column = rows.column(measure.argument)
    place = np.where(known, spans.low if measure.kind == "first" else spans.high - 1, 0)
    if not len(column):
        return np.full(len(known), np.nan)
    several = known & (spans.high - spans.low > 1)
    beside = np.where(several, place + (1 if measure.kind == "first" else -1), place)
    value, other = (column.iloc[p].reset_index(drop=True) for p in (place, beside))
    unlike = ~((value == other) | (value.isna() & other.isna())).to_numpy(dtype=bool)
    rows.tied += int((rows.who & several & unlike & (rows.days[place] == rows.days[beside])).sum())
    return value.where(known)


def _follow_up(measure: Measure, rows: Rows, spans: Spans) -> list[Made]:
    """Time from the interview to the first row, or to the end of observation, and which of the two it was."""
    count = len(spans.ticks)
    hits = rows.where(measure.argument) if measure.argument else np.ones(count, bool)
    place = np.where(hits, np.arange(count), count)
    following = np.r_[np.minimum.accumulate(place[::-1])[::-1], count]
    first = following[spans.low]
    event = first < spans.high
    end = np.where(event, np.r_[spans.ticks, 0][np.minimum(first, count)], spans.stop)
    length = (end - spans.start).astype(float)
    unit, high = spans.window.unit, spans.window.high
    if unit == "month":
        length = length / DAYS_PER_MONTH
        if high is not None:
            length = np.where(~event & spans.closed, high, np.minimum(length, high))
    reason = np.where(np.isnan(spans.reason) & (spans.stop <= spans.start), NOT_YET, spans.reason)
    duration, happened = new_names(measure, unit)
    return [
        _finished(Item(duration, measure="scale"), length, reason),
        _finished(Item(happened, values=_EVENT, measure="nominal"), event.astype(float), reason),
    ]


def _finished(item: Item, values: Any, reason: np.ndarray) -> Made:
    missing = ~np.isnan(reason)
    if isinstance(values, pd.Series):
        return Made(item, values.mask(missing), reason)
    return Made(item, np.where(missing, np.nan, values), reason)
