"""SPSS files: reading and writing them with nothing lost, and what every reader returns."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError
from cxlab.items import FILE, Code, Codebook, Item, Kind, MultipleResponse, pick
from cxlab.words import sentence

TEXT = pd.StringDtype(na_value=np.nan)  # what pandas 3 calls "str"; pandas 2 has it as well
USER_MISSING = "user-missing"  # the reason of a code that the file declares missing without a label
NOTES: Mapping[str, Mapping[str, str]] = {
    "dates_lost": {
        "en": "{item}: dates outside the years 1–9999 were set to missing ({count:,}).",
        "zh": "{item}：{count:,} 个日期超出公元 1–9999 年，已作缺失处理。",
    },
    "duplicates": {
        "en": "Column names that occur more than once were given a number ({count}): {names}.",
        "zh": "{count} 个重复的列名已加序号区分：{names}。",
    },
    "file_weight": {
        "en": "The file says that it is weighted by {item}; pass weight='{item}' to use it.",
        "zh": "文件中设置了加权变量 {item}；如需加权，请传入 weight='{item}'。",
    },
    "empty_set": {
        "en": "The multiple-response set {name} names no column of the file; declare it with multiple_response=.",
        "zh": "多选题集 {name} 在文件中没有对应的列；请用 multiple_response= 声明。",
    },
}
WARNED = {"dates_lost", "duplicates", "empty_set"}


@dataclass(frozen=True)
class Note:
    """Something that happened on the way in, worded when it is shown.

    Attributes
    ----------
    key : str
        Which template of ``templates`` words it.
    facts : mapping
        Numbers and names in it; plain JSON values, so that notes can be kept in a cache.
    """

    key: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def text(self, templates: Mapping[str, Mapping[str, str]] = NOTES, lang: str | None = None) -> str:
        """Wording in a language."""
        return sentence(templates[self.key], lang, **self.facts).text


@dataclass(frozen=True)
class Contents:
    """What a file holds, before it is a survey.

    Attributes
    ----------
    data : DataFrame
        Coded items as float64 codes with user-missing answers NaN; text; datetime64[us]; timedelta64[us].
    codebook : Codebook
    missing_reasons : DataFrame
        The codes that were masked, one column per item that has any.
    notes : tuple of Note
    encoding : str or None
        Character encoding the file was read in.
    """

    data: pd.DataFrame
    codebook: Codebook
    missing_reasons: pd.DataFrame
    notes: tuple[Note, ...] = ()
    encoding: str | None = None


class Calendar(NamedTuple):
    """How a program stores time: its day zero, seconds per unit, and which formats are times."""

    origin: str
    kind_of: Callable[[str], Kind]
    seconds: Callable[[str, Kind], float]


_SPSS_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "QYR", "MOYR", "WKYR"), "date"),
    **dict.fromkeys(("DATETIME", "YMDHMS"), "datetime"),
    **dict.fromkeys(("TIME", "DTIME", "MTIME"), "time"),
}
SPSS = Calendar(
    "1582-10-14",
    lambda shown: _SPSS_KINDS.get(re.sub(r"[\d.]+$", "", shown).upper(), "number"),
    lambda shown, kind: 1.0,
)
EPOCH_MS = {"1582-10-14": -12219379200000, "1960-01-01": -315619200000}
_FIRST_MS, _LAST_MS = -62135596800000, 253402300799999  # years 1 and 9999
_DAY_MS = 86_400_000


# ---------------------------------------------------------------------- reading
def read_sav(path: Path, *, encoding: str | None = None) -> Contents:
    """Read an SPSS data file (.sav, .zsav) with all that its dictionary says.

    Parameters
    ----------
    path : Path
    encoding : str, optional
        Character encoding, where the file does not say it or is wrong about it.

    Returns
    -------
    Contents

    Raises
    ------
    SurveyError
        If the file is encrypted, damaged, cut off, or not an SPSS data file.
    """
    with open(path, "rb") as file:
        head = file.read(176)
    if b"ENCRYPTEDSAV" in head[:36]:
        raise SurveyError(
            f"{path.name} is encrypted with a password; save a copy without one in SPSS (File > Save As) and read that."
        )
    if head[:3] != b"$FL":
        raise SurveyError(f"{path.name} is not an SPSS data file, whatever its name says; export it again as .sav.")
    frame, meta, notes = parse("read_sav", path, encoding=encoding, user_missing=True)
    read = to_contents(frame, meta, SPSS, notes)
    weight = _weight_of(head, meta)
    return replace(read, notes=(*read.notes, Note("file_weight", {"item": weight}))) if weight else read


def parse(reader: str, path: Path, **options: Any) -> tuple[pd.DataFrame, Any, list[Note]]:
    """Call a reader of pyreadstat; dates stay numbers, its faults become plain SurveyErrors.

    Parameters
    ----------
    reader : str
        ``"read_sav"``, ``"read_dta"`` …
    path : Path
    **options
        Passed on.

    Returns
    -------
    frame, meta, notes
    """
    import pyreadstat

    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            # Converting dates here is vectorised and survives a date that Python cannot hold.
            frame, meta = getattr(pyreadstat, reader)(str(path), disable_datetime_conversion=True, **options)
    except MemoryError:
        raise
    except Exception as fault:
        raise SurveyError(_explain(path, str(fault), options.get("encoding"))) from None
    renamed = [m.group(1) for w in said if (m := re.search(r"renamed to '(.+)'", str(w.message)))]
    notes = [Note("duplicates", {"count": len(renamed), "names": ", ".join(renamed)})] if renamed else []
    return frame, meta, notes


def _explain(path: Path, fault: str, encoding: str | None) -> str:
    """Word a fault of the parser with its remedy."""
    said = fault.casefold()
    if "encoding" in said or "character set" in said or "codec" in said or "byte sequence" in said:
        tried = f"encoding is {encoding!r}, in which" if encoding else "encoding is not given, and with its own"
        return f"{tried} the text of {path.name} cannot be read; try encoding='gb18030', 'big5', 'cp1252' or 'utf-8'."
    if "version" in said:
        return (
            f"{path.name} was saved by a version of the program that cannot be read; "
            "open it there and save it in a newer format (Stata: version 12 or later)."
        )
    if "expected number of rows" in said or "unable to read" in said:
        return f"{path.name} is cut off: it ends before its last respondent; copy or export it again."
    if "unsupported features" in said or "invalid file" in said or "unable to seek" in said:
        return f"{path.name} is damaged, cut off or not what its name says; copy or export it again."
    return f"{path.name} cannot be read ({fault}); export it again, as .sav or .csv if need be."


def to_contents(
    frame: pd.DataFrame,
    meta: Any,
    calendar: Calendar,
    notes: Iterable[Note] = (),
    labels: Mapping[str, Mapping[Any, str]] | None = None,
) -> Contents:
    """Turn what pyreadstat returns into codes, reasons and a codebook.

    The frame is used up: its numbers are masked in place, so that a large file is held once.

    Parameters
    ----------
    frame : DataFrame
        User-missing answers still stand in it as codes.
    meta : metadata of pyreadstat
    calendar : Calendar
    notes : iterable of Note
    labels : mapping of column to value labels, optional
        Instead of those in ``meta`` (a catalog of SAS formats).

    Returns
    -------
    Contents
    """
    columns: dict[str, Any] = {}
    reasons: dict[str, Any] = {}
    items: dict[str, Item] = {}
    found = list(notes)
    labels = meta.variable_value_labels if labels is None else labels
    for name in frame.columns:
        item = _item(name, meta, labels.get(name, {}), calendar)
        if item.kind == "text":
            columns[name], hit, items[name] = _text(frame[name], item, meta.missing_ranges.get(name, []))
        else:
            values, item, hit = _numbers(frame[name], item)
            if hit is None:
                hit, item = _mask(values, item, meta.missing_ranges.get(name, []))
            items[name] = item
            columns[name], lost = _moment(values, items[name], calendar)
            if lost:
                found.append(Note("dates_lost", {"item": name, "count": lost}))
        if hit is not None:
            reasons[name] = hit
    sets, empty = _sets(meta, list(items))
    found += [Note("empty_set", {"name": name}) for name in empty]
    return Contents(
        pd.DataFrame(columns, copy=False),
        Codebook(items, sets),
        pd.DataFrame(reasons, index=pd.RangeIndex(len(frame)), copy=False),
        tuple(found),
        meta.file_encoding,
    )


def _item(name: str, meta: Any, labels: Mapping[Any, str], calendar: Calendar) -> Item:
    shown = meta.original_variable_types.get(name)
    text = meta.readstat_variable_types.get(name) in ("string", "string_ref")
    measure = meta.variable_measure.get(name, "unknown")
    label = (meta.column_names_to_labels.get(name) or "").strip()
    values = {
        (str(code).rstrip() if isinstance(code, str) else float(code)): {FILE: str(said).strip()}
        for code, said in labels.items()
    }
    return Item(
        name,
        {FILE: label} if label else {},
        values,
        measure=measure if measure in ("nominal", "ordinal", "scale") else "unknown",
        kind="text" if text else calendar.kind_of(shown or ""),
        format=shown,
    )


def _text(column: pd.Series, item: Item, ranges: list[Any]) -> tuple[pd.Series, Any, Item]:
    """Text with blanks and user-missing answers NaN."""
    column = column.astype(TEXT)
    column = column.where(column != "")
    codes = [str(r["lo"] if isinstance(r, dict) else r).rstrip() for r in ranges]
    if not codes:
        return column, None, item
    item = replace(item, missing={c: _reason(item, c) for c in codes})  # type: ignore[misc]
    hit = column.isin(codes)
    return (column.mask(hit), column.where(hit), item) if hit.any() else (column, None, item)


def _numbers(column: pd.Series, item: Item) -> tuple[np.ndarray, Item, Any]:
    """Numbers that may be written to; tagged missing answers (Stata .a, SAS .A) become codes of their own."""
    if column.dtype == np.float64:
        values = column.to_numpy()
        if not values.flags.writeable:
            values.flags.writeable = True  # ours alone: the frame came from the parser and is used up here
        return values, _plain_codes(item), None
    tags = sorted({v for v in column.unique() if isinstance(v, str)} | {c for c in item.values if isinstance(c, str)})
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    if not tags:
        return values, item, None
    start = 1000.0
    while np.any((values <= -start) & (values >= -start - 99)):
        start *= 10
    codes: dict[Code, float] = {t: -start - (27 if t == "_" else ord(t.lower()) - 96) for t in tags}
    labels: dict[Code, Mapping[str, str]] = {codes.get(c, c): said for c, said in item.values.items()}
    reasons = {codes[t]: pick(item.values.get(t, {}), None, f".{t}") for t in tags}
    tagged = column.map(codes).to_numpy(dtype=float, na_value=np.nan)
    item = replace(item, values=labels, missing=reasons)
    return values, item, tagged if np.isfinite(tagged).any() else None


def _plain_codes(item: Item) -> Item:
    """Item without labels for tags that nobody has (a Stata label of .a on a column of plain numbers)."""
    if not any(isinstance(c, str) for c in item.values):
        return item
    return replace(item, values={c: said for c, said in item.values.items() if not isinstance(c, str)})


def _mask(values: np.ndarray, item: Item, ranges: list[Any]) -> tuple[np.ndarray | None, Item]:
    """Set declared codes to NaN in place; return them apart, and the item that says what they mean."""
    if not ranges:
        return None, item
    pairs = [(float(r["lo"]), float(r["hi"])) if isinstance(r, dict) else (float(r), float(r)) for r in ranges]
    discrete = [lo for lo, hi in pairs if lo == hi]
    spans = tuple((lo, hi) for lo, hi in pairs if lo != hi)
    hit = np.isin(values, discrete)
    for lo, hi in spans:
        hit |= (values >= lo) & (values <= hi)
    masked = np.where(hit, values, np.nan) if hit.any() else None
    values[hit] = np.nan
    occurring = [] if masked is None else np.unique(masked[hit]).tolist()
    within = [c for c in item.values if isinstance(c, float) and any(lo <= c <= hi for lo, hi in spans)]
    codes = sorted({*discrete, *occurring, *within})
    return masked, replace(item, missing={c: _reason(item, c) for c in codes}, missing_ranges=spans)


def _reason(item: Item, code: Code) -> str:
    return pick(item.values.get(code, {}), None, USER_MISSING)


def _moment(values: np.ndarray, item: Item, calendar: Calendar) -> tuple[Any, int]:
    """Dates and times as datetime64[us] / timedelta64[us]; how many dates no calendar holds."""
    if item.kind == "number":
        return values, 0
    thousandths = np.round(values * (1000 * calendar.seconds(item.format or "", item.kind)))
    whole = np.isfinite(thousandths)
    if item.kind == "time":
        out = np.full(len(values), np.timedelta64("NaT", "us"))
        out[whole] = (thousandths[whole].astype(np.int64) * 1000).view("m8[us]")
        return out, 0
    thousandths += EPOCH_MS[calendar.origin]
    if item.kind == "date":
        thousandths = np.floor(thousandths / _DAY_MS) * _DAY_MS
    fits = whole & (thousandths >= _FIRST_MS) & (thousandths <= _LAST_MS)
    out = np.full(len(values), np.datetime64("NaT", "us"))
    out[fits] = (thousandths[fits].astype(np.int64) * 1000).view("M8[us]")
    return out, int(whole.sum() - fits.sum())


def _sets(meta: Any, names: list[str]) -> tuple[tuple[MultipleResponse, ...], list[str]]:
    """Multiple-response sets of the file, and the names of those without columns."""
    spelled = {n.casefold(): n for n in names}  # the file keeps the members in lower case
    sets, empty = [], []
    for name, said in (getattr(meta, "mr_sets", None) or {}).items():
        members = tuple(spelled[m.casefold()] for m in said["variable_list"] if m.casefold() in spelled)
        if not members:
            empty.append(name)
            continue
        counted = said["counted_value"] if said["is_dichotomy"] else None
        label = (said["label"] or "").strip()
        sets.append(
            MultipleResponse(
                name,
                members,
                "dichotomy" if said["is_dichotomy"] else "category",
                {FILE: label} if label else {},
                None if counted is None else float(counted),
            )
        )
    return tuple(sets), empty


def _weight_of(head: bytes, meta: Any) -> str | None:
    """Name of the case weight that the file's header points at, by position in 8-byte slots."""
    order = "little" if head[64:68] in (b"\x02\0\0\0", b"\x03\0\0\0") else "big"
    wanted, slot = int.from_bytes(head[76:80], order, signed=True), 1  # type: ignore[arg-type]
    for name in meta.column_names:
        if slot == wanted and meta.readstat_variable_types[name] != "string":
            return str(name)
        slot += _slots(meta, name)
    return None


def _slots(meta: Any, name: str) -> int:
    if meta.readstat_variable_types[name] != "string":
        return 1
    width = meta.variable_storage_width[name]
    if width <= 255:
        return max(1, -(-width // 8))
    segments = -(-width // 252)
    return 32 * (segments - 1) + -(-(width - 252 * (segments - 1)) // 8)


# ---------------------------------------------------------------------- writing
