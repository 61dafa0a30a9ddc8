"""Dates that arrive as text or numbers: which they are, and which cannot be."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

DATE_NAME = re.compile(r"(^|[^a-z])(date|dob|birthday|datum|day)([^a-z]|$)|日期|生日|时间$", re.IGNORECASE)
MOSTLY = 0.9  # share of given texts that must be dates before a column counts as one
SAMPLE = 200  # different texts that are looked at before a column is given up
_SHAPES = (  # groups y, m, d; a missing day is the first
    r"^(?P<y>\d{4})\s*[-/.年]\s*(?P<m>\d{1,2})(?:\s*[-/.月]\s*(?P<d>\d{1,2})\s*日?|月)?(?:[ T].*)?$",
    r"^(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?:\.0)?$",
    r"^(?P<d>\d{1,2})\s*[-/.]\s*(?P<m>\d{1,2})\s*[-/.]\s*(?P<y>\d{4})(?:[ T].*)?$",
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def read_dates(column: pd.Series, named: bool) -> tuple[pd.Series | None, np.ndarray]:
    """Read a column as dates.

    Parameters
    ----------
    column : Series
        Dates, text, or numbers such as 20240131.
    named : bool
        True if the column is called a date: then half of its texts need to be dates, else 90 %.

    Returns
    -------
    dates : Series of datetime64, or None
        NaT where nothing or no date is given; None if the column is no column of dates.
    given : bool array, shape (rows,)
        Where something is given.
    """
    given = column.notna().to_numpy()
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.tz_localize(None), given
    if pd.api.types.is_numeric_dtype(column):
        if not named:
            return None, given
        texts = column.map(lambda v: f"{v:.0f}", na_action="ignore").fillna("")
    else:
        texts = column.where(column.notna(), "").astype(str).str.strip()
        given = (texts != "").to_numpy(dtype=bool)
    codes, found = pd.factorize(texts)
    different = pd.Series(found, dtype="str")
    if not given.any() or not _parse(different[:SAMPLE]).notna().any():
        return None, given
    dates = _parse(different).iloc[codes].set_axis(column.index)
    return (dates if dates.notna().sum() > (0.5 if named else MOSTLY) * given.sum() else None), given


def impossible(dates: pd.Series) -> np.ndarray:
    """Mark what no calendar or survey allows, as a bool array of shape (rows,).

    What is no date, lies before 1900 or after today, or more than ten years from the median of a column whose middle
    90 % span less than five years (placeholders such as 1970-01-01).
    """
    bad = dates.isna() | (dates < pd.Timestamp(1900, 1, 1)) | (dates > pd.Timestamp.now() + pd.Timedelta(days=1))
    sound = dates[~bad]
    if len(sound):
        low, middle, high = (pd.Timestamp(t) for t in sound.quantile([0.05, 0.5, 0.95]))
        if high - low < pd.Timedelta(days=5 * 365):
            bad |= (dates - middle).abs() > pd.Timedelta(days=10 * 365)
    return bad.to_numpy(dtype=bool)


def _parse(texts: pd.Series) -> pd.Series:
    out = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[s]")
    named = texts.str.lower().str.replace(
        rf"^(\d{{1,2}})[- ]({'|'.join(_MONTHS)})[a-z]*[- ](\d{{4}})",
        lambda m: f"{m[3]}-{_MONTHS.index(m[2]) + 1}-{m[1]}",
        regex=True,
    )
    for shape in _SHAPES:
        parts = named.str.extract(shape).astype("Float64").astype(float)
        y, m, d = parts["y"], parts["m"], parts["d"].where(parts["d"].notna() | parts["m"].isna(), 1.0)
        read = _valid(y, m, d)
        if shape is _SHAPES[2]:  # day first or month first: the order that fits more of the column
            turned = _valid(y, d, m)
            read = turned if turned.notna().sum() > read.notna().sum() else read
        out = out.where(out.notna(), read)
    return out


def _valid(y: pd.Series, m: pd.Series, d: pd.Series) -> pd.Series:
    """Dates of year, month and day; NaT where the calendar has no such day."""
    whole = y.between(1, 9999) & m.between(1, 12) & d.between(1, 31)
    days = np.full(len(y), np.datetime64("NaT", "s"))
    months = ((y[whole] - 1970) * 12 + m[whole] - 1).to_numpy().astype(int).astype("datetime64[M]")
    found = months.astype("datetime64[D]") + (d[whole].to_numpy().astype(int) - 1)
    found[found.astype("datetime64[M]") != months] = np.datetime64("NaT")  # 30 February would be in March
    days[whole.to_numpy()] = found.astype("datetime64[s]")
    return pd.Series(days, index=y.index)
