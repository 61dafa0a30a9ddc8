"""Writing SPSS data files: names, formats, labels and missing codes as SPSS wants them."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd

from cxlab.errors import DataWarning, SurveyError
from cxlab.items import Codebook, Item, pick
from cxlab.spss._read import EPOCH_MS, SPSS, TEXT

_RESERVED = frozenset(["ALL", "AND", "BY", "EQ", "GE", "GT", "LE", "LT", "NE", "NOT", "OR", "TO", "WITH"])
_NUMBER_FORMAT = re.compile(r"(F|E|N|COMMA|DOT|DOLLAR|PCT|CC[A-E])\d+(\.\d+)?", re.IGNORECASE)
_FORMATS = {"date": "SDATE10", "datetime": "DATETIME20", "time": "TIME8"}


def write_sav(
    path: Path,
    data: pd.DataFrame,
    codebook: Codebook,
    missing_reasons: pd.DataFrame,
    *,
    lang: str | None = None,
) -> Path:
    """Write an SPSS file, so that reading it again gives the same data and codebook.

    Parameters
    ----------
    path : Path
        Ends in ``.sav`` (row-compressed) or ``.zsav``.
    data : DataFrame
        Codes, text, dates and times.
    codebook : Codebook
        Labels, value labels, measure, formats, user-missing codes. Items without a column are left out.
    missing_reasons : DataFrame
        Codes that stand where ``data`` is missing for a known reason; they are put back and declared.
    lang : str, optional
        Language of the labels; English if None. Where an item lacks it, the file's own.

    Returns
    -------
    Path
        ``path``; it appears only when it is complete.

    Raises
    ------
    SurveyError
        If the ending is wrong, a column name is none in SPSS, an item has more user-missing codes
        than SPSS can declare, or a text is too long.

    Notes
    -----
    SPSS declares at most three user-missing codes, or one range and one code. More codes are
    declared as a range if no answer lies within it. SPSS keeps labels of 256 bytes and value labels
    of 120: longer ones are cut, with a warning. Multiple-response sets are not written, with a warning.
    """
    path = Path(path)
    if path.suffix.lower() not in (".sav", ".zsav"):
        raise SurveyError(f"path is {path.name!r}; SPSS files end in .sav or .zsav.")
    if not path.parent.is_dir():
        raise SurveyError(f"path is in the folder {str(path.parent)!r}, which does not exist; make it first.")
    _check_names(data.columns)
    items = {n: codebook.items.get(n, Item(n)) for n in data.columns}
    columns, formats, missing = {}, {}, {}
    for name, item in items.items():
        columns[name], shown = _stored(data[name], item, missing_reasons.get(name))
        formats.update({name: shown} if shown else {})
        if declared := _declared(item, data[name]):
            missing[name] = declared
    options = {
        "column_labels": {n: _cut(i.labels, lang, 256) for n, i in items.items() if i.labels},
        "variable_value_labels": {n: v for n, i in items.items() if (v := _value_labels(i, data[n], lang))},
        "variable_measure": {n: i.measure for n, i in items.items()},
        "variable_format": formats,
        "missing_ranges": missing,
    }
    _warn_losses(items, codebook, options, lang)
    _write(path, pd.DataFrame(columns, copy=False), options)
    return path


def _write(path: Path, frame: pd.DataFrame, options: dict[str, Any]) -> None:
    import pyreadstat

    packed = path.suffix.lower() == ".zsav"
    unfinished = path.with_name(f".{path.stem}-{uuid4().hex[:8]}{path.suffix}")
    try:
        pyreadstat.write_sav(frame, unfinished, compress=packed, row_compress=not packed, **options)
        os.replace(unfinished, path)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as fault:
        raise SurveyError(f"{path.name} cannot be written as an SPSS file: {fault}.") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _check_names(names: Iterable[str]) -> None:
    bad: list[str] = []
    seen: dict[str, str] = {}
    for name in map(str, names):
        if not re.fullmatch(r"(?![\d_])[\w@][\w.@#$]*", name) or name.endswith(".") or name.upper() in _RESERVED:
            fixed = re.sub(r"[^\w.@#$]+", "_", name).strip("._") or "v"
            fixed = fixed if fixed[0].isalpha() else f"v{fixed}"
            bad.append(f"{name!r} (for instance {fixed + '_' if fixed.upper() in _RESERVED else fixed!r})")
        elif len(name.encode()) > 64:
            bad.append(f"{name!r} ({len(name.encode())} bytes)")
        elif (twin := seen.setdefault(name.casefold(), name)) != name:
            bad.append(f"{name!r} (the same as {twin!r} in SPSS)")
    if bad:
        raise SurveyError(
            f"data has {len(bad)} column name(s) that SPSS does not allow: {', '.join(bad[:10])}"
            f"{', …' if len(bad) > 10 else ''}; rename them: at most 64 bytes, a letter first, "
            "then letters, digits, '_' or '.', upper and lower case alike."
        )


def _stored(column: pd.Series, item: Item, reasons: pd.Series | None) -> tuple[Any, str | None]:
    """Column as SPSS stores it, with user-missing codes put back, and its format."""
    if pd.api.types.is_datetime64_any_dtype(column):
        naive = column.dt.tz_convert(None) if getattr(column.dt, "tz", None) else column
        values = _thousandths(naive.to_numpy("M8[us]")) - EPOCH_MS["1582-10-14"]
        kind = item.kind if item.kind in ("date", "datetime") else "datetime"
        out, shown = values / 1000, item.format if SPSS.kind_of(item.format or "") == kind else _FORMATS[kind]
    elif pd.api.types.is_timedelta64_dtype(column):
        out = _thousandths(column.to_numpy("m8[us]")) / 1000
        shown = item.format if SPSS.kind_of(item.format or "") == "time" else _FORMATS["time"]
    elif pd.api.types.is_numeric_dtype(column):
        out = column.to_numpy(dtype=float, na_value=np.nan)
        shown = item.format if _NUMBER_FORMAT.fullmatch(item.format or "") else None
    else:
        return _stored_text(column, reasons), None
    if reasons is not None:
        out = np.where(reasons.notna(), reasons.to_numpy(dtype=float), out)
    return out, shown


def _thousandths(moments: np.ndarray) -> np.ndarray:
    out = np.round(moments.view(np.int64) / 1000)
    out[np.isnat(moments)] = np.nan
    return out


def _stored_text(column: pd.Series, reasons: pd.Series | None) -> pd.Series:
    if reasons is not None:
        column = column.where(reasons.isna(), reasons)
    text = column.astype(TEXT).fillna("")
    longest = max((len(t.encode()) for t in text), default=0)
    if longest > 32_767:
        raise SurveyError(f"{column.name} holds a text of {longest:,} bytes; SPSS holds at most 32,767. Shorten it.")
    return text


def _declared(item: Item, column: pd.Series) -> list[Any]:
    """User-missing codes as SPSS can declare them."""
    if not pd.api.types.is_numeric_dtype(column):
        if len(item.missing) > 3 or any(len(str(c).encode()) > 8 for c in item.missing):
            raise _too_many(item)
        return [str(c) for c in item.missing] if item.kind == "text" else _declared_numbers(item, [])
    valid = {*column.dropna().unique().tolist(), *(c for c in item.values if c not in item.missing)}
    return _declared_numbers(item, sorted(c for c in valid if isinstance(c, float)))


def _declared_numbers(item: Item, valid: list[float]) -> list[Any]:
    spans = list(item.missing_ranges)
    single = sorted(float(c) for c in item.missing if not any(lo <= c <= hi for lo, hi in spans))
    if not spans and len(single) > 3:
        # One code may stand apart: try all in one range, then without the first, then without the last.
        for inside, apart in ((single, []), (single[1:], single[:1]), (single[:-1], single[-1:])):
            if not any(inside[0] <= c <= inside[-1] for c in valid):
                spans, single = [(inside[0], inside[-1])], apart
                break
    if len(spans) > 1 or len(single) > (1 if spans else 3):
        raise _too_many(item)
    limit = np.finfo(float).max
    ranges = [{"lo": float(max(lo, -limit)), "hi": float(min(hi, limit))} for lo, hi in spans]
    return [*ranges, *single]


def _too_many(item: Item) -> SurveyError:
    return SurveyError(
        f"{item.name} has {len(item.missing)} user-missing codes ({', '.join(map(str, list(item.missing)[:8]))}); "
        "SPSS declares at most 3, or one range without answers in it and 1 more (text: 3 of at most 8 bytes). "
        "Recode some of them."
    )


def _value_labels(item: Item, column: pd.Series, lang: str | None) -> dict[Any, str]:
    text = item.kind == "text" or not pd.api.types.is_numeric_dtype(column)
    return {
        (str(code) if text else float(code)): _cut(labels, lang, 120)
        for code, labels in item.values.items()
        if text or isinstance(code, float)
    }


def _cut(labels: Mapping[str, str], lang: str | None, limit: int) -> str:
    return pick(labels, lang or "en").encode()[:limit].decode(errors="ignore")


def _warn_losses(items: Mapping[str, Item], codebook: Codebook, options: dict[str, Any], lang: str | None) -> None:
    whole = {n: pick(i.labels, lang or "en") for n, i in items.items()}
    cut = [n for n, label in options["column_labels"].items() if label != whole[n]]
    cut += [
        n
        for n, labels in options["variable_value_labels"].items()
        if any(pick(items[n].values[c], lang or "en") != said for c, said in labels.items())
    ]
    if cut:
        said = f"SPSS keeps 256 bytes of a label and 120 of a value label; cut: {', '.join(dict.fromkeys(cut))}."
        warnings.warn(said, DataWarning, stacklevel=4)
    if codebook.sets:
        names = ", ".join(s.name for s in codebook.sets)
        said = f"multiple-response sets are not written to SPSS files: {names}; their columns are."
        warnings.warn(said, DataWarning, stacklevel=4)
