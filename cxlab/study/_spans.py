"""Time around interviews: which rows of a table fall into each respondent's window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

IntArray = np.ndarray[Any, np.dtype[np.int64]]
UNITS = ("month", "day", "calendar_month")

# Why a respondent has no value; SPSS declares codes without answers between them as one range.
NOT_IN_TABLE, NOT_YET, TOO_EARLY, NO_DATE, NO_ROW = -9991.0, -9992.0, -9993.0, -9994.0, -9995.0


@dataclass(frozen=True)
class Window:
    """Stretch of time around the interview.

    Attributes
    ----------
    low, high : int or None
        Ends in units after the interview; None: open.
    unit : {"month", "day", "calendar_month"}
    outcome : bool
        True: after ``low`` up to and with ``high``. False: from ``low`` on, before ``high``. So the day of the interview
        itself is neither before nor after it.
    """

    low: int | None
    high: int | None
    unit: str
    outcome: bool

    def ticks(self, days: Any) -> IntArray:
        """Days as whole numbers of the clock: days, or calendar months."""
        step = "M8[M]" if self.unit == "calendar_month" else "M8[D]"
        return np.asarray(days).astype(step).astype(np.int64)

    def shifted(self, days: Any, steps: int) -> IntArray:
        """Ticks so many units after ``days``; the 31st becomes the last of a shorter month."""
        if self.unit != "month":
            return self.ticks(days) + steps
        months = np.asarray(days).astype("M8[M]")
        day = (days - months.astype("M8[D]")).astype(np.int64)
        start = months + steps
        last = ((start + 1).astype("M8[D]") - start.astype("M8[D]")).astype(np.int64) - 1
        return np.asarray((start.astype("M8[D]") + np.minimum(day, last)).astype(np.int64))


@dataclass(frozen=True)
class Spans:
    """Rows of the sorted table that belong to each respondent: from ``low`` to before ``high``.

    Attributes
    ----------
    order : int array, shape (rows,)
        Rows of the table that count, sorted by key and time.
    ticks : int array, shape (rows,)
        When each was, in this order.
    low, high : int array, shape (respondents,)
    reason : array, shape (respondents,)
        Code of the reason why a respondent has no value; NaN where there is one.
    strict : array, shape (respondents,)
        The same, and respondents whose window is not over have none.
    start, stop : int array, shape (respondents,)
        Ticks of the interview and of the end of observation.
    closed : bool array, shape (respondents,)
        Whether observation ends with the window (not with the table).
    window : Window
    before, same : int array, shape (respondents,)
        Rows before and on the day (month) of the interview.
    """

    order: IntArray
    ticks: IntArray
    low: IntArray
    high: IntArray
    reason: np.ndarray
    strict: np.ndarray
    start: IntArray
    stop: IntArray
    closed: np.ndarray
    window: Window
    before: IntArray
    same: IntArray

    def times(self, who: np.ndarray) -> IntArray:
        """Within how many spans of these respondents each row lies, in the order of ``order``."""
        size = len(self.order) + 1
        change = np.bincount(self.low[who], minlength=size) - np.bincount(self.high[who], minlength=size)
        return np.asarray(np.cumsum(change)[:-1])


@dataclass(frozen=True)
class Timeline:
    """Rows of a table sorted by key and time, so that a window is an unbroken run of them, found by bisection.

    Attributes
    ----------
    order, ticks : int array
        As in :class:`Spans`.
    place : int array
        Key and time as one number, ascending.
    origin, width : int
        ``place`` is key · width + tick − origin.
    first : int
        Tick at which the records begin.
    window : Window
    """

    order: IntArray
    ticks: IntArray
    place: IntArray
    origin: int
    width: int
    first: int
    window: Window

    def at(self, keys: IntArray, ticks: IntArray | float, side: Any) -> IntArray:
        """Position of the first row of each key at (``"left"``) or after (``"right"``) a tick; infinite: its begin or end."""
        offset = np.clip(ticks - self.origin, 0, self.width - 1).astype(np.int64)
        return np.searchsorted(self.place, keys * self.width + offset, side=side)


def timeline(keys: IntArray, days: Any, used: np.ndarray, window: Window) -> Timeline:
    """Sort the rows of a table.

    Parameters
    ----------
    keys : int array, shape (rows,)
    days : date array, shape (rows,), or None
        None: no row has a date; all are of one tick.
    used : bool array, shape (rows,)
        Rows that count; they have key and date.
    window : Window
    """
    rows = np.flatnonzero(used)
    ticks = np.zeros(len(rows), np.int64) if days is None else window.ticks(days[rows])
    origin = int(ticks.min() if len(ticks) else 0) - 1
    width = int(ticks.max() if len(ticks) else 0) - origin + 2
    place = keys[rows] * width + ticks - origin
    # By day also where the clock counts months: which row is the first is a matter of days.
    order = np.argsort(place, kind="stable") if days is None else np.lexsort((days[rows].astype(np.int64), place))
    first = 0 if days is None or np.isnat(days).all() else int(window.ticks(days[~np.isnat(days)].min()))
    return Timeline(rows[order], ticks[order], place[order], origin, width, first, window)


def whole(line: Timeline, keys: IntArray, lost: np.ndarray) -> Spans:
    """All rows of each respondent's key, whenever they were."""
    nothing = np.zeros(len(keys), np.int64)
    low, high = _inside(line.at(keys, -np.inf, "left"), line.at(keys, np.inf, "left"), keys >= 0)
    reason = np.where(lost, NOT_IN_TABLE, np.nan)
    return Spans(
        line.order, line.ticks, low, high, reason, reason, nothing, nothing, lost & False, line.window, nothing, nothing
    )


def windows(line: Timeline, keys: IntArray, lost: np.ndarray, interviews: Any, last: Any) -> Spans:
    """Rows in the window of each interview.

    Parameters
    ----------
    line : Timeline
    keys : int array, shape (respondents,)
        −1 without key.
    lost : bool array, shape (respondents,)
        Who is not in the table.
    interviews : date array, shape (respondents,)
    last : date
        Until which the table is complete.

    Notes
    -----
    A window is not yet observed if it ends after ``last``; a covariate's is not known if it begins before the first record.
    """
    window, known = line.window, ~np.isnat(interviews)
    days = np.where(known, interviews, np.datetime64("2000-01-01", "D"))
    start, end = window.ticks(days), int(window.ticks(last))
    side = "right" if window.outcome else "left"
    from_ = window.shifted(days, window.low or 0).astype(float)
    to = window.shifted(days, window.high or 0).astype(float)
    early = np.zeros(len(keys), bool)
    if not window.outcome:
        early = from_ < line.first if window.low is not None else early
        from_ = from_ if window.low is not None else np.full(len(keys), -np.inf)
        to = to - 1  # the last tick that counts
    elif window.high is None:
        to = np.full(len(keys), np.inf)
    gone = np.where(np.isinf(to), start >= end, to > end)
    inside = (keys >= 0) & known
    low, high = _inside(line.at(keys, from_, side), line.at(keys, to, "right"), inside)
    begin, before, after = line.at(keys, -np.inf, "left"), line.at(keys, start, "left"), line.at(keys, start, "right")
    reason = np.select([lost, ~known, early], [NOT_IN_TABLE, NO_DATE, TOO_EARLY], np.nan)
    return Spans(
        line.order, line.ticks, low, high, reason, np.where(np.isnan(reason) & gone, NOT_YET, reason), start,
        np.minimum(to, end).astype(np.int64), to <= end, window, np.where(inside, before - begin, 0),
        np.where(inside, after - before, 0),
    )  # fmt: skip


def _inside(low: IntArray, high: IntArray, inside: np.ndarray) -> tuple[IntArray, IntArray]:
    """Ends of a run, both 0 where there is none."""
    return np.where(inside, low, 0), np.where(inside, np.maximum(high, low), 0)
