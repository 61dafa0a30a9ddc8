"""Stata, SAS and portable SPSS files."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError, nearest
from cxlab.items import Kind
from cxlab.spss import SPSS, Calendar, Contents, Note, parse, to_contents

_SAS_DATES = ("DATE", "DDMMYY", "MMDDYY", "YYMMDD", "WEEKDAT", "E8601DA", "B8601DA", "IS8601DA", "MONYY", "YYMM", "MMYY",
              "YYQ", "JULIAN", "WORDDAT", "NENGO", "YYMON")  # fmt: skip
_SAS_DATETIMES = ("DATETIME", "DATEAMPM", "MDYAMPM", "E8601DT", "B8601DT", "B8601DN", "IS8601DT", "DTDATE", "DTMONYY",
                  "DTYYQC", "DTWKDATX", "DTYEAR")  # fmt: skip
_SAS_TIMES = ("TIME", "HHMM", "TOD", "MMSS", "E8601TM", "B8601TM", "IS8601TM")
_STATA_PERIODS = {"w": 52, "m": 12, "q": 4, "h": 2}  # periods of a year, counted from 1960


def _sas_kind(shown: str) -> Kind:
    name = re.sub(r"\d*\.?\d*$", "", shown.upper())
    if name.startswith(_SAS_DATETIMES):
        return "datetime"
    if name.startswith(_SAS_TIMES):
        return "time"
    return "date" if name.startswith(_SAS_DATES) else "number"


def _stata_kind(shown: str) -> Kind:
    if shown.lower().startswith("%tc"):
        parts = shown[3:]
        return "time" if parts and not re.search(r"[YCNnMmDdJj]", parts.replace("MM", "")) else "datetime"
    return "date" if re.match(r"%(t?d|t[wmqh])", shown) else "number"


SAS = Calendar("1960-01-01", _sas_kind, lambda shown, kind: 86_400.0 if kind == "date" else 1.0)
STATA = Calendar("1960-01-01", _stata_kind, lambda shown, kind: 86_400.0 if kind == "date" else 0.001)


def read_por(path: Path, *, encoding: str | None = None) -> Contents:
    """Read an SPSS portable file; its user-missing codes arrive as missing, without a reason."""
    frame, meta, notes = parse("read_por", path)
    return to_contents(frame, meta, SPSS, notes)


def read_dta(path: Path, *, encoding: str | None = None) -> Contents:
    """Read a Stata file; extended missing values .a to .z become reasons."""
    with open(path, "rb") as file:
        head = file.read(11)
        file.seek(max(0, path.stat().st_size - 12))
        tail = file.read()
    if head.startswith(b"<stata_dta>") and b"</stata_dta>" not in tail:
        raise SurveyError(f"{path.name} is cut off: it ends before its end mark; copy or export it again.")
    if head[:1] and not head.startswith(b"<stata_dta>") and head[0] < 104:
        raise SurveyError(
            f"{path.name} was saved by a version of Stata that cannot be read (format {head[0]}); "
            "open it in Stata and save it in a newer one (version 12 or later)."
        )
    frame, meta, notes = parse("read_dta", path, encoding=encoding, user_missing=True)
    for name, shown in meta.original_variable_types.items():
        if period := re.match(r"%t([wmqh])", shown or ""):
            frame[name] = _period_starts(frame[name], period[1])
    return to_contents(frame, meta, STATA, notes)


def _period_starts(column: pd.Series, period: str) -> pd.Series:
    """Weeks, months, quarters or half-years since 1960 as days since 1960-01-01, tags kept."""
    counts = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    fits = np.isfinite(counts)
    years, part = np.divmod(counts[fits].astype(np.int64), _STATA_PERIODS[period])
    first = (years - 10).astype("M8[Y]").astype("M8[D]")
    if period == "w":
        starts = first + 7 * part
    else:
        starts = ((years - 10) * 12 + part * (12 // _STATA_PERIODS[period])).astype("M8[M]").astype("M8[D]")
    days = np.full(len(counts), np.nan)
    days[fits] = (starts - np.datetime64("1960-01-01")).astype(float)
    tagged = column.map(lambda v: isinstance(v, str)).to_numpy(dtype=bool)
    return column.where(tagged, days) if tagged.any() else pd.Series(days, index=column.index)


def read_xpt(path: Path, *, encoding: str | None = None) -> Contents:
    """Read a SAS transport file, version 5 or 8."""
    frame, meta, notes = parse("read_xport", path, encoding=encoding)
    return to_contents(frame, meta, SAS, notes)


def read_sas(path: Path, *, encoding: str | None = None, catalog: Path | None = None) -> Contents:
    """Read a SAS data set; value labels come from a format catalog, special missing values become reasons."""
    frame, meta, notes = parse("read_sas7bdat", path, encoding=encoding, user_missing=True)
    labels = _catalog_labels(catalog, meta, encoding) if catalog else None
    read = to_contents(frame, meta, SAS, notes, labels)
    used = [n for n, f in meta.variable_to_label.items() if _is_own(f)]
    if catalog is None and used:
        return replace(read, notes=(*read.notes, Note("no_catalog", {"names": ", ".join(used)})))
    return read


_SAS_FORMATS = re.compile(r"\$?(CHAR|F|BEST[DX]?|COMMAX?|DOLLARX?|PERCENTN?|NUMX|E|Z|D|HEX|ROMAN|EURO)?\d*\.?\d*")


def _is_own(shown: str) -> bool:
    """Whether a format is the user's own, so that a catalog would hold its labels."""
    return bool(shown) and not _SAS_FORMATS.fullmatch(shown.upper()) and _sas_kind(shown) == "number"


def _catalog_labels(catalog: Path, meta: Any, encoding: str | None) -> dict[str, dict[Any, str]]:
    if not catalog.is_file():
        beside = [p.name for p in catalog.parent.glob("*.sas7bcat")] if catalog.parent.is_dir() else []
        raise SurveyError(f"catalog is {str(catalog)!r}, which does not exist{nearest(catalog.name, beside)}.")
    _, formats, _ = _parse_catalog(catalog, encoding)
    known = {_format_name(name): labels for name, labels in formats.value_labels.items()}
    return {n: known[_format_name(f)] for n, f in meta.variable_to_label.items() if f and _format_name(f) in known}


def _parse_catalog(catalog: Path, encoding: str | None) -> tuple[Any, Any, Any]:
    import pyreadstat

    try:
        frame, meta = pyreadstat.read_sas7bcat(str(catalog), encoding=encoding)
    except Exception:
        raise SurveyError(
            f"catalog {catalog.name} is not a readable SAS format catalog (damaged, or from another system); "
            "export the formats again with PROC CATALOG, or leave catalog out."
        ) from None
    return frame, meta, ()


def _format_name(shown: str) -> str:
    """``$SEX8.`` as ``$SEX``."""
    return re.sub(r"\d*\.?\d*$", "", shown.upper()) or shown.upper()
