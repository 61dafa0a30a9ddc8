"""Workbooks: what people see, the unrounded table behind it, and the notes."""

from __future__ import annotations

import datetime as dt
import os
import re
import tempfile
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.errors import DataWarning, SurveyError
from cxlab.words import language

if TYPE_CHECKING:
    from cxlab.result import Result

MAX_ROWS, MAX_TEXT, MAX_WIDTH = 1_048_576, 32_767, 60
_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_SPEC = re.compile(r"(?P<sign>\+?)(?P<comma>,?)(?:\.(?P<digits>\d+))?(?P<kind>[f%]?)$")
_WORDS = {
    "base": {"en": "Base", "zh": "样本量"},
    "effective": {"en": "Effective base", "zh": "有效样本量"},
    "excluded": {"en": "Left out", "zh": "剔除"},
    "excluded_share": {"en": "Left out, share of weight", "zh": "剔除部分的权重占比"},
    "note": {"en": "Note", "zh": "说明"},
    "methods": {"en": "Method", "zh": "方法"},
    "call": {"en": "Call", "zh": "调用"},
}


def write_result(result: Result, path: str | os.PathLike[str]) -> Path:
    """Write a result to an Excel workbook.

    Sheet ``shown`` is the table as people see it: labels in the current language, numbers rounded by
    their display format only, suppressed rows masked. ``data`` is the unrounded table and ``notes``
    the base, the notes and the call. Text never becomes a formula or a link. The file appears whole
    or not at all.

    Parameters
    ----------
    result : Result
    path : path
        Ends in ``.xlsx``; an existing file is replaced.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    SurveyError
        If the folder does not exist, the ending is another one, the table has more rows than a sheet
        holds, or the file cannot be replaced (open in Excel).
    """
    target = _target(path)
    if len(result.table) >= MAX_ROWS:
        raise SurveyError(
            f"the table has {len(result.table):,} rows and a sheet holds {MAX_ROWS - 1:,}; "
            "write .table.to_parquet(...) or filter it first."
        )
    _atomically(target, lambda temporary: _write(result, temporary))
    return target


def write_workbook(path: str | os.PathLike[str], fill: Callable[[Any], None]) -> Path:
    """Write a workbook that ``fill`` lays out.

    Parameters
    ----------
    path : path
        Ends in ``.xlsx``; an existing file is replaced, and only by a whole one.
    fill : callable
        Gets an open :class:`xlsxwriter.Workbook` that makes no formula, link or number of a text.

    Returns
    -------
    Path

    Raises
    ------
    SurveyError
        If the folder does not exist, the ending is another one, or the file cannot be replaced (open in Excel).
    """
    import xlsxwriter

    def write(temporary: str) -> None:
        with xlsxwriter.Workbook(temporary, _AS_TEXT) as book:
            fill(book)

    target = _target(path)
    _atomically(target, write)
    return target


def text_style(text: str) -> dict[str, bool]:
    """Format of a text cell: what looks like a formula stays text even when somebody edits the cell.

    Examples
    --------
    >>> text_style("=1+1"), text_style("Gold")
    ({'quote_prefix': True}, {})
    """
    return {"quote_prefix": True} if text[:1] in tuple("=+-@\t\r") else {}


def _target(path: str | os.PathLike[str]) -> Path:
    target = Path(path)
    if target.suffix.lower() != ".xlsx":
        raise SurveyError(f"path is {str(path)!r}; a workbook's name ends in .xlsx.")
    if not target.parent.is_dir():
        raise SurveyError(f"path is in the folder {str(target.parent)!r}, which does not exist; make it first.")
    return target


_POINTS = ("pp", "pt")  # shares that are shown times 100


def number_format(spec: str) -> str:
    """Translate a format specification to Excel's.

    Examples
    --------
    >>> number_format(".1f"), number_format(",.0f"), number_format(".0%"), number_format("+.1f")
    ('0.0', '#,##0', '0%', '+0.0;-0.0;0.0')
    """
    if spec == "p":
        return '[<0.001]"< .001";.000'
    if spec[:2] in _POINTS:
        spec = f"{'+' if spec[:2] == 'pp' else ''}.{spec[2:] or 1}f"
    found = _SPEC.match(spec)
    if not found or not spec:
        return "General"
    decimals = int(found["digits"] or 0)
    text = ("#,##0" if found["comma"] else "0") + ("." + "0" * decimals if decimals else "")
    text += "%" if found["kind"] == "%" else ""
    return f"+{text};-{text};{text}" if found["sign"] else text


def _atomically(target: Path, write: Callable[[str], None]) -> None:
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-", suffix=".xlsx")
    os.close(handle)
    try:
        write(temporary)
        # mkstemp makes private files; the workbook gets the rights that any new file would have.
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        os.replace(temporary, target)
    except PermissionError as error:
        raise SurveyError(f"{str(target)!r} cannot be written; close it in Excel and try again.") from error
    finally:
        Path(temporary).unlink(missing_ok=True)


def _write(result: Result, path: str) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(path, _AS_TEXT) as book:
        _put_shown(book, "shown", result)
        for name, more in result.further().items():
            _put_shown(book, name, more)
        sheet = _Sheet(book, "data", [str(c) for c in result.table.columns])
        for j, column in enumerate(result.table.columns):
            for i, value in enumerate(result.table[column]):
                sheet.put(i + 1, j, value)
        sheet.finish()
        sheet = _Sheet(book, "notes", [])
        for i, row in enumerate(_note_rows(result)):
            for j, value in enumerate(row):
                sheet.put(i, j, value)
        sheet.finish()


def _put_shown(book: Any, name: str, result: Result) -> None:
    shown = result.shown()
    sheet = _Sheet(book, name, list(shown.columns))
    for j, column in enumerate(result.table.columns):
        masked = result.masked(column)
        cells = zip(result.table[column], shown.iloc[:, j], result.specs(column), strict=True)
        for i, (value, text, spec) in enumerate(cells):
            as_text = masked[i] or not result.is_number(column, value)
            sheet.put(i + 1, j, text if as_text else value * 100 if spec[:2] in _POINTS else value, number_format(spec))
    sheet.finish()


def _note_rows(result: Result) -> Iterable[tuple[Any, ...]]:
    lang = language()
    words = {k: v[lang] for k, v in _WORDS.items()}
    if title := result.text(result.title):
        yield (title,)
    yield words["base"], result.base.respondents
    if np.isfinite(result.base.effective):
        yield words["effective"], result.base.effective
    if result.base.excluded:
        yield words["excluded"], result.base.excluded
        yield words["excluded_share"], result.base.excluded_share
    yield from ((words["note"], result.text(note)) for note in result.notes)
    if methods := result.methods():
        yield words["methods"], methods
    if result.call:
        yield words["call"], result.call


class _Sheet:
    """A worksheet that types its cells, keeps text from running and sizes its columns."""

    def __init__(self, book: Any, name: str, header: Sequence[str]) -> None:
        self._book, self._sheet = book, book.add_worksheet(name)
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._widths: dict[int, int] = {}
        self._header = header
        for j, text in enumerate(header):
            self.put(0, j, text, bold=True, bottom=1)

    def put(self, row: int, column: int, value: Any, number: str = "General", **style: Any) -> None:
        """Write one cell by its type; missing values leave it empty."""
        if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
            return
        if isinstance(value, (bool, np.bool_)):
            self._sheet.write_boolean(row, column, bool(value), self._format(**style))
            width = 5
        elif isinstance(value, Real) and np.isfinite(float(value)):
            self._sheet.write_number(row, column, float(value), self._format(num_format=number, **style))
            width = 10
        elif isinstance(value, dt.date) and pd.Timestamp(value).tzinfo is None:
            self._sheet.write_datetime(row, column, value, self._format(num_format="yyyy-mm-dd hh:mm", **style))
            width = 16
        else:
            width = self._put_text(row, column, str(value), style)
        self._widths[column] = max(self._widths.get(column, 0), width)

    def _put_text(self, row: int, column: int, text: str, style: dict[str, Any]) -> int:
        if len(text) > MAX_TEXT:
            warnings.warn(
                f"row {row}, column {column + 1}: a text of {len(text):,} characters was cut to the "
                f"{MAX_TEXT:,} that a cell holds.",
                DataWarning,
                stacklevel=2,
            )
            text = text[: MAX_TEXT - 1] + "…"
        self._sheet.write_string(row, column, text, self._format(**style, **text_style(text)))
        return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text[:MAX_WIDTH])

    def finish(self) -> None:
        """Freeze the header and fit the columns."""
        for column, width in self._widths.items():
            self._sheet.set_column(column, column, min(width + 2, MAX_WIDTH))
        if self._header:
            self._sheet.freeze_panes(1, 0)

    def _format(self, **style: Any) -> Any:
        key = tuple(sorted(style.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(style)
        return self._formats[key]
