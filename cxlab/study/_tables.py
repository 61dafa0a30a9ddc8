"""Linked tables: reading them, and the dates in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError, one_of
from cxlab.study import _check
from cxlab.study._schema import StudyFile, Table
from cxlab.survey import Survey

FIRST_YEAR, LAST_YEAR = 1900, 2100  # outside of these a date is a slip of the pen
# 2025-12-31, 2025/12/31, 2025.12.31 | 2025-12, 2025/12 | 20251231; a time of day may follow
_WRITTEN = r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|[-/](\d{1,2})|(\d{2})(\d{2})(?:\.0)?)(?:[T\s].*)?$"
DateArray = np.ndarray[Any, np.dtype[np.datetime64]]


def table_of(study: StudyFile, name: str) -> Table:
    """The declaration of a linked table."""
    if not study.tables:
        raise SurveyError(
            f"table is {name!r}, but the study {study.study!r} declares no tables; add it to study.yml: "
            f"tables: {{{name}: {{file: {name}.csv, key: ...}}}}."
        )
    if name not in study.tables:
        raise one_of("table", name, study.tables)
    return study.tables[name]


def read_table(study: StudyFile, folder: Path, name: str, text: Sequence[str] = ()) -> pd.DataFrame:
    """Read a linked table as the file has it.

    Parameters
    ----------
    study : StudyFile
    folder : Path
        Folder of the study file.
    name : str
    text : sequence of str
        Columns that are not turned into numbers (ids: a leading zero is part of them).

    Raises
    ------
    SurveyError
        If the table is not declared, or its file or a column has gone.
    """
    table = table_of(study, name)
    for found in _check.check_tables(study.model_copy(update={"tables": {name: table}}), folder):
        raise SurveyError(f"tables.{name}.{found.path[-1]} {found.text}")
    path = folder / table.file
    return pd.read_csv(path, encoding=_check.encoding_of(study, path), dtype=dict.fromkeys(text, "string"))


def no_dates(table: str, column: str, values: pd.Series) -> SurveyError:
    """Word the error for values of a declared date column that are no dates."""
    return SurveyError(
        f"tables.{table}.date: {len(values):,} values of {column!r} are no dates, e.g. {str(values.iloc[0])!r}; "
        "write 2025-12-31."
    )


def days_of(values: pd.Series) -> tuple[DateArray, bool]:
    """Dates as days, NaT where missing or impossible, and whether some say only the month (their day is the first).

    Text begins with year, month and day (``2025-12-31``, ``2025/12/31``, ``20251231``; a time of day and its zone are set
    aside), or is year and month; years alone, weeks and dates outside 1900–2100 are impossible.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        monthly = False
        moments = values.dt.tz_localize(None) if getattr(values.dt, "tz", None) is not None else values
        days = moments.to_numpy("M8[D]")
    else:
        codes, texts = pd.factorize(values.astype("string").str.strip())
        parts = pd.Series(texts, dtype=object).str.extract("^" + _WRITTEN)
        month, day = parts[2].fillna(parts[4]).fillna(parts[5]), parts[3].fillna(parts[6])
        monthly = bool(parts[4].notna().any())
        written = parts[0] + "-" + month.str.zfill(2) + "-" + day.fillna("1").str.zfill(2)
        read = pd.to_datetime(written, format="%Y-%m-%d", errors="coerce").to_numpy("M8[D]")
        days = np.r_[read, np.datetime64("NaT", "D")][codes]
    year = days.astype("M8[Y]").astype(np.int64) + 1970
    possible = ~np.isnat(days) & (year >= FIRST_YEAR) & (year <= LAST_YEAR)
    return np.where(possible, days, np.datetime64("NaT", "D")), monthly


def interview_days(survey: Survey, column: str | None, declared: str | None, unit: str) -> DateArray:
    """Day of every interview, NaT where missing or impossible.

    Parameters
    ----------
    survey : Survey
    column : str or None
        The caller's choice: a column of dates, of texts, or of codes with dates as labels.
    declared : str or None
        ``date:`` of the study.
    unit : str
        Of the window: a date that says only the month will do for ``"calendar_month"``.

    Raises
    ------
    SurveyError
        If no column is named or declared, or it holds no dates.
    """
    if column is None and declared is None:
        raise SurveyError(
            "date is not given, and the study declares none; name the survey's column of interview dates, "
            "date='...', or write date: ... in study.yml."
        )
    name = survey.column_of(str(column or declared))
    values = survey.data[name]
    if pd.api.types.is_numeric_dtype(values):
        item = survey.codebook[name]
        values = values.map({code: item.value_label(code) for code in item.values}).astype("string")
    days, monthly = days_of(values)
    wrong = np.isnat(days) & values.notna().to_numpy()
    if 2 * wrong.sum() > values.notna().sum() or np.isnat(days).all():
        shown = f", e.g. {str(values[wrong].iloc[0])!r}" if wrong.any() else ""
        raise SurveyError(
            f"date is {name!r}, which holds dates in {int((~np.isnat(days)).sum()):,} of {len(days):,} rows{shown}; dates are "
            "written 2025-12-31."
        )
    if monthly and unit != "calendar_month":
        raise SurveyError(
            f"date is {name!r}, which says months and no days; count by unit='calendar_month', or name a column of days."
        )
    return days
