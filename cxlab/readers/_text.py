"""Encodings and delimiters of text files, and texts that are numbers or dates."""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError
from cxlab.spss import TEXT

Lines = list[list[str]]
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ABSENT = ["NA", "N/A", "#N/A", "n/a", "NULL", "#NULL!", "NaN", "nan", ".", "-"]
_ABSENT_TEXT = ["NA", "#N/A", "NULL", "#NULL!"]  # "None" or "-" may be an answer
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_KEPT_AS_TEXT = re.compile(r"-?0\d.*|-?\d{16,}")  # ids: leading zeros, more digits than a float holds
_COMMA = re.compile(r"-?\d{1,}(,\d+)?")
_DATE = re.compile(
    r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?P<time>[T ]+\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?"
)


# ---------------------------------------------------------------------- encoding
def encoding_of(path: Path, declared: str | None) -> tuple[str, bool]:
    """Encoding of a text file, and whether it was guessed.

    UTF-8 and UTF-16 are certain. GB18030 is taken if the text is mostly everyday Chinese characters,
    Windows-1252 if it is Western letters; anything else has to be declared.
    """
    with open(path, "rb") as file:
        start = file.read(1 << 20)
    if declared is not None:
        try:
            declared = codecs.lookup(declared).name
        except LookupError:
            raise SurveyError(
                f"encoding is {declared!r}, which is none; usual ones are 'utf-8', 'gb18030', 'big5' and 'cp1252'."
            ) from None
        if not _decodes(path, declared):
            raise SurveyError(
                f"encoding is {declared!r}, in which the text of {path.name} cannot be read; "
                "leave encoding out, or try 'utf-8', 'gb18030', 'big5' or 'cp1252'."
            )
        return ("utf-8-sig" if declared == "utf-8" else declared), False
    for mark, name in _BOMS:
        if start.startswith(mark):
            if not _decodes(path, name):
                raise SurveyError(
                    f"{path.name} is marked as {name.removesuffix('-sig').upper()}, but holds bytes that are not; "
                    "it is damaged or was pasted together from several encodings: export it again."
                )
            return name, False
    if b"\0" in start:
        raise SurveyError(f"{path.name} is not text; an Excel workbook or a data file? Give it its own ending.")
    if _decodes(path, "utf-8"):
        return "utf-8", False
    if chinese_share(start) >= 0.8 and _decodes(path, "gb18030"):
        return "gb18030", True
    if western_share(start) >= 0.8 and _decodes(path, "cp1252"):
        return "cp1252", True
    raise SurveyError(
        f"encoding of {path.name} cannot be told: it is neither UTF-8 nor plainly GB18030 or Windows-1252; "
        "pass encoding=, for instance 'big5', 'gb18030' or 'shift_jis'."
    )


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def chinese_share(text: bytes) -> float:
    """Share of the non-ASCII characters, read as GB18030, that are everyday ones (GB 2312).

    Western accents read as GB18030 pair with the letter after them and give rare characters.

    Examples
    --------
    >>> chinese_share("满意度调查".encode("gb18030")), chinese_share("schöne Grüße".encode("cp1252"))
    (1.0, 0.0)
    """
    foreign = [c for c in text.decode("gb18030", errors="replace") if ord(c) > 127]
    common = sum(_in_gb2312(c) for c in foreign)
    return common / len(foreign) if foreign else 0.0


def _in_gb2312(character: str) -> bool:
    try:
        return len(character.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False


def western_share(text: bytes) -> float:
    """Share of the non-ASCII characters, read as Windows-1252, that are letters beside letters or usual signs."""
    read = text.decode("cp1252", errors="replace")
    runs = re.findall(r"[^\x00-\x7f]+", read)
    total = sum(map(len, runs))
    usual = sum(len(r) for r in runs if len(r) <= 2 and all(c.isalpha() or c in "“”‘’„–—…€£°§«»¿¡·\xa0" for c in r))
    return usual / total if total else 0.0


# ---------------------------------------------------------------------- delimiter
def dialect_of(path: Path, encoding: str) -> tuple[str, Lines]:
    """Delimiter of a text table and its first 100 records; SurveyError if it is no table."""
    best: tuple[float, int, str, Lines] = (0.0, 0, ",", [])
    for delimiter in ",;\t|":
        records = _records(path, encoding, delimiter)
        widths = Counter(len(r) for r in records)
        width, often = max(widths.items(), key=lambda pair: (pair[1], pair[0]), default=(0, 0))
        steady = often / len(records) if records else 0.0
        if width > 1 and (steady > 0.8, width) > (best[0] > 0.8, best[1]):
            best = (steady, width, delimiter, records)
    if best[0] > 0.8:
        return best[2], best[3]
    records = _records(path, encoding, "\0")
    cells = [r[0].strip() for r in records if r]
    if not cells:
        raise SurveyError(f"{path.name} is empty: it has no header and no rows.")
    if best[1] or max(map(len, cells)) > 64 or cells[0].startswith("<"):
        raise SurveyError(
            f"{path.name} is not a table: its lines do not have the same number of fields, whether they are split "
            "at ',', ';', tab or '|'; export it again as CSV."
        )
    return ",", [[c] for c in cells]


def _records(path: Path, encoding: str, delimiter: str) -> Lines:
    with open(path, encoding=encoding, newline="") as file:
        if delimiter == "\0":
            return [[line] for line in itertools.islice(file, 100) if line.strip()]
        try:
            csv.field_size_limit(1 << 24)
            return [r for r in itertools.islice(csv.reader(file, delimiter=delimiter), 100) if r]
        except csv.Error:
            return []


# ---------------------------------------------------------------------- values
def from_text(column: pd.Series, decimal: str = ".") -> tuple[pd.Series, str, bool]:
    """Turn a column of texts into numbers or dates where all of it is; else leave it text.

    Ids with leading zeros or more than 15 digits stay text, and so do yes/no and true/false.

    Returns
    -------
    column, kind, comma
        ``comma``: text that would be numbers with a decimal comma.
    """
    positions, unique = pd.factorize(column.astype(TEXT).fillna("").str.strip())
    texts = [str(u) for u in unique]
    answers = [t for t in texts if t and t not in _ABSENT]
    plain = [t.replace(",", ".") for t in answers] if decimal == "," else answers
    if answers and all(_NUMBER.fullmatch(t) and not _KEPT_AS_TEXT.fullmatch(t) for t in plain):
        codes = dict(zip(answers, map(float, plain), strict=True))
        return _spread(positions, [codes.get(t, np.nan) for t in texts], column.index), "number", False
    if answers and all(_DATE.fullmatch(t) for t in answers):
        said = pd.Series([_iso(t) if _DATE.fullmatch(t) else None for t in texts], dtype=TEXT)
        moments = pd.DatetimeIndex(pd.to_datetime(said, errors="coerce", utc=True, format="ISO8601"))
        if int(np.sum(moments.notna())) == len(answers):
            kind = "datetime" if any(":" in t for t in answers) else "date"
            return _spread(positions, moments.tz_localize(None).as_unit("us"), column.index), kind, False
    blank = {"", *_ABSENT_TEXT}
    kept = pd.array([None if t in blank else t for t in texts], dtype=TEXT)
    comma = decimal != "," and any("," in t for t in answers) and all(_COMMA.fullmatch(t) for t in answers)
    return _spread(positions, kept, column.index), "text", comma


def _spread(positions: np.ndarray, unique: Any, index: pd.Index) -> pd.Series:
    return pd.Series(unique).take(positions).set_axis(index)


def _iso(text: str) -> str:
    """``2024年1月5日 9:30`` as ``2024-01-05T09:30``."""
    text = re.sub(r"[年月/.]", "-", text[:10]) + text[10:]
    text = text.replace("日", "")
    day, _, time = text.replace("T", " ").partition(" ")
    year, month, date = ([*day.split("-"), "", ""])[:3]
    hour = time.strip().replace(",", ".")
    hour = f"0{hour}" if re.match(r"\d:", hour) else hour
    return f"{year}-{month.zfill(2)}-{date.zfill(2)}" + (f"T{hour}" if hour else "")
