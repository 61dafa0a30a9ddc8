"""What people take away: tables as .csv and .xlsx, made from a Result and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

from cxlab.result import KEYS, Result
from cxlab.words import language, set_language

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(result: Result, lang: str) -> bytes:
    """Table as .csv: unrounded numbers, labels for keys, nothing where a base is too small; opens in Excel with its Chinese.

    Parameters
    ----------
    result : Result
    lang : {"en", "zh"}

    Returns
    -------
    bytes
        UTF-8 with a byte order mark.
    """
    out = {}
    items = result.table["item"] if "item" in result.table else [None] * len(result.table)
    for column in result.table.columns:
        cells = zip(result.table[column], result.masked(column), items, strict=True)
        key = column in KEYS
        out[column] = [None if masked else _safe(result.label(v, lang, column, i) if key and v == v and v is not None else v)
                       for v, masked, i in cells]  # fmt: skip
    return pd.DataFrame(out).to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def _safe(value: object) -> object:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def xlsx_bytes(result: Result, lang: str) -> bytes:
    """Workbook of a result, see :meth:`cxlab.result.Result.to_excel`."""
    before = language()
    with tempfile.TemporaryDirectory() as folder:
        try:
            set_language(lang)
            return result.to_excel(Path(folder) / "table.xlsx").read_bytes()
        finally:
            set_language(before)
