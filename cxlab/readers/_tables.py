"""Tables without a codebook: CSV, Excel, Parquet, and the exports of survey platforms."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError, one_of
from cxlab.items import FILE, Code, Codebook, Item
from cxlab.readers._platforms import Header, header_of, unique_names
from cxlab.readers._text import dialect_of, encoding_of, from_text
from cxlab.spss import TEXT, Contents, Note


def read_csv(path: Path, *, encoding: str | None, decimal: str) -> Contents:
    """Read a delimited text file; encoding and delimiter are found out, numbers and ISO dates converted."""
    name, guessed = encoding_of(path, encoding)
    delimiter, records = dialect_of(path, name)
    header = header_of(records)
    try:
        cells = pd.read_csv(
            path, sep=delimiter, encoding=name, header=None, names=range(len(header.names)), index_col=False,
            dtype=TEXT, keep_default_na=False, skip_blank_lines=True, on_bad_lines="error", quotechar='"', engine="c",
        )  # fmt: skip
    except (pd.errors.ParserError, ValueError) as fault:
        if "inside string" in str(fault):
            raise SurveyError(
                f"{path.name} is not a table: a quotation mark is opened and never closed; export it again."
            ) from None
        line = re.search(r"line (\d+)", str(fault))
        where = f"line {line[1]}" if line else "a line"
        raise SurveyError(
            f"{path.name} is not a table: {where} has more fields than the {len(header.names)} of the header "
            f"(split at {delimiter!r}); quote texts that hold a {delimiter!r}, or export it again."
        ) from None
    contents = _assemble(cells, header, decimal)
    notes = (Note("encoding", {"encoding": name}),) if guessed else ()
    return Contents(
        contents.data, contents.codebook, contents.missing_reasons, (*notes, *contents.notes), encoding=name
    )


def read_xlsx(path: Path, *, sheet: str | int | None, decimal: str) -> Contents:
    """Read one sheet of an Excel workbook."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError, ValueError):
        raise SurveyError(
            f"{path.name} is not a readable Excel workbook (damaged, cut off, password-protected or an old .xls); "
            "open it in Excel and save it as .xlsx."
        ) from None
    names = book.sheetnames
    if isinstance(sheet, int) and 0 <= sheet < len(names):
        sheet = names[sheet]
    if sheet is not None and sheet not in names:
        raise one_of("sheet", sheet, names)
    chosen = names[0] if sheet is None else str(sheet)
    rows = [list(r) for r in book[chosen].iter_rows(values_only=True)]
    book.close()
    first = next((k for k, r in enumerate(rows) if any(c is not None for c in r)), None)
    if first is None:
        raise SurveyError(f"{path.name} is empty: sheet {chosen!r} has no cells; choose another with sheet=.")
    rows = rows[first:]
    width = max(k + 1 for r in rows for k, c in enumerate(r) if c is not None)
    header = header_of([["" if c is None else str(c) for c in r[:width]] for r in rows[:4]])
    cells = pd.DataFrame([r[:width] for r in rows], dtype=object)
    contents = _assemble(cells, header, decimal)
    others = ", ".join(n for n in names if n != chosen)
    facts = {"count": len(names), "sheet": chosen, "others": others}
    notes = (Note("sheets", facts),) if sheet is None and len(names) > 1 else ()
    return Contents(contents.data, contents.codebook, contents.missing_reasons, (*notes, *contents.notes))


def _assemble(cells: pd.DataFrame, header: Header, decimal: str) -> Contents:
    """Codes, texts and dates of a table of cells whose first records are its header."""
    body = cells.iloc[header.rows :].reset_index(drop=True)
    if body.shape[1] and not len(body):
        raise SurveyError(f"the file has a header of {len(header.names)} columns and no rows: nobody has answered yet.")
    empty = body.isna() | (body == "")
    blank = empty.all(axis=1)
    body = body[~blank].reset_index(drop=True) if blank.any() else body
    columns, items, commas = {}, {}, []
    for place, (name, label) in enumerate(zip(header.names, header.labels, strict=True)):
        if name == f"column_{place + 1}" and empty.iloc[:, place].all():
            continue  # the trailing delimiter of some exports
        columns[name], kind, comma = _column(body.iloc[:, place], decimal)
        items[name] = Item(name, {FILE: label} if label else {}, kind=kind)  # type: ignore[arg-type]
        commas += [name] if comma else []
    notes = [*_header_notes(header), *([Note("blank_rows", {"count": int(blank.sum())})] if blank.any() else [])]
    if commas:
        notes.append(Note("decimal_comma", {"names": ", ".join(commas)}))
    data = pd.DataFrame(columns, copy=False)
    return Contents(data, Codebook(items), pd.DataFrame(index=data.index), tuple(notes))


def _header_notes(header: Header) -> list[Note]:
    notes = []
    if header.rows == 1 and all(re.fullmatch(r"-?[\d.]+(_\d+)?", n) for n in header.names):
        notes.append(Note("no_header", {"names": ", ".join(header.names[:5])}))
    if header.platform:
        notes.append(Note("platform", {"platform": header.platform, "rows": header.rows}))
    if header.long:
        notes.append(Note("renamed", {"count": len(header.long), "first": header.long[0], "last": header.long[-1]}))
    if header.twice:
        notes.append(Note("duplicates", {"count": len(header.twice), "names": ", ".join(header.twice)}))
    return notes


def _column(column: pd.Series, decimal: str) -> tuple[pd.Series, str, bool]:
    """A column of cells of one or several types as number, date, time or text."""
    if column.dtype != object:
        return from_text(column, decimal)
    kinds = {type(v) for v in column if v is not None and v == v}
    if kinds and kinds <= {dt.datetime, dt.date}:
        dates = pd.to_datetime(column).astype("datetime64[us]")
        return dates, "date" if (dates.dropna() == dates.dropna().dt.normalize()).all() else "datetime", False
    if kinds and kinds <= {dt.time, dt.timedelta}:
        spans = [pd.NaT if v is None else pd.Timedelta(str(v) if isinstance(v, dt.time) else v) for v in column]
        return pd.Series(spans, index=column.index, dtype="timedelta64[us]"), "time", False
    if kinds <= {int, float, bool}:
        return pd.to_numeric(column, errors="coerce").astype(float), "number" if kinds else "text", False
    text = [f"{v:.15g}" if isinstance(v, (int, float)) else "" if v is None else str(v) for v in column]
    return from_text(pd.Series(text, index=column.index, dtype=TEXT), decimal)


def read_parquet(path: Path) -> Contents:
    """Read a Parquet file; its types are taken as they are, categories become codes with labels."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError):
        raise SurveyError(
            f"{path.name} is not a readable Parquet file (damaged or cut off); export it again."
        ) from None
    names = unique_names([str(n) for n in table.column_names])
    twice = [n for n, was in zip(names, table.column_names, strict=True) if n != was]
    frame = table.rename_columns(names).to_pandas(split_blocks=True, self_destruct=True)
    notes = [Note("duplicates", {"count": len(twice), "names": ", ".join(twice)})] if twice else []
    frame = frame.reset_index() if any(n is not None for n in frame.index.names) else frame.reset_index(drop=True)
    columns, items, zoned = {}, {}, []
    for name in map(str, frame.columns):
        columns[name], items[name] = _typed(frame[name], name)
        zoned += [name] if isinstance(frame[name].dtype, pd.DatetimeTZDtype) else []
    if zoned:
        notes.append(Note("time_zone", {"names": ", ".join(zoned)}))
    data = pd.DataFrame(columns, copy=False)
    return Contents(data, Codebook(items), pd.DataFrame(index=data.index), tuple(notes))


def _typed(column: pd.Series, name: str) -> tuple[Any, Item]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _categories(column, name)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert(None).astype("datetime64[us]"), Item(name, kind="datetime")
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.astype("datetime64[us]"), Item(name, kind="datetime")
    if pd.api.types.is_timedelta64_dtype(column):
        return column.astype("timedelta64[us]"), Item(name, kind="time")
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float, na_value=np.nan), Item(name)
    if column.dtype == object:
        kept, kind, _ = _column(column.map(_scalar), ".")
        return kept, Item(name, kind=kind)  # type: ignore[arg-type]
    text = column.astype(TEXT)
    return text.where(text != ""), Item(name, kind="text")


def _scalar(value: Any) -> Any:
    """Decimals as numbers, lists and records as their text."""
    import decimal

    if isinstance(value, decimal.Decimal):
        return float(value)
    if value is None or isinstance(value, (str, int, float, dt.date, dt.time, dt.timedelta)):
        return value
    return str(value.tolist() if isinstance(value, np.ndarray) else value)


def _categories(column: pd.Series, name: str) -> tuple[Any, Item]:
    """Categories as codes: their own numbers where they are numbers, else 1, 2, … in their order."""
    categories: Sequence[Any] = column.cat.categories.tolist()
    if all(isinstance(c, (int, float)) for c in categories):
        return column.astype(float).to_numpy(), Item(name, measure="ordinal" if column.cat.ordered else "unknown")
    codes = column.cat.codes.to_numpy().astype(float) + 1
    codes[codes == 0] = np.nan
    values: dict[Code, dict[str, str]] = {float(k): {FILE: str(c)} for k, c in enumerate(categories, 1)}
    return codes, Item(name, values=values, measure="ordinal" if column.cat.ordered else "nominal")
