"""Which row of a linked table belongs to which respondent: ids compared as what they are, or an error that says why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError, unknown_names
from cxlab.items import Item
from cxlab.survey import Survey

IntArray = np.ndarray[Any, np.dtype[np.int64]]
_WHOLE = r"-?\d+\.0+"  # an id that went through a column of decimals on its way
_NUMBER = r"[-+]?\d+(?:\.\d*)?"  # not 1E3: letters of an id, or digits that a spreadsheet has lost


@dataclass(frozen=True)
class Match:
    """Keys of both sides as whole numbers.

    Attributes
    ----------
    rows : int array, shape (respondents,)
        Key of each respondent, 0 … count − 1; −1 where it is missing.
    table : int array, shape (rows of the table,)
        The same keys; −1 where no respondent has it or it is missing.
    absent : bool array, shape (rows of the table,)
        Rows of the table without a key.
    count : int
    texts : DataFrame
        Keys of the table as the file writes them.
    own : tuple of str
        Key columns of the survey, in the same order.
    numeric : tuple of str
        Survey columns whose ids were compared as numbers with texts that have leading zeros.
    """

    rows: IntArray
    table: IntArray
    absent: np.ndarray
    count: int
    texts: pd.DataFrame
    own: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()

    def shown(self, codes: IntArray, most: int = 3) -> list[str]:
        """First ids behind codes of the table, as the file writes them."""
        first = self.texts[~self.absent & np.isin(self.table, codes[:most])].drop_duplicates()
        return [" / ".join(map(str, row)) for row in first.head(most).itertuples(index=False)]


def key_pairs(survey: Survey, on: Any, key: str) -> dict[str, str]:
    """Columns that must agree: survey column → table column."""
    if on is None:
        on = {key: key}
    pairs = dict(on) if isinstance(on, Mapping) else {n: n for n in ([on] if isinstance(on, str) else list(on))}
    if not pairs:
        raise SurveyError("on is empty; name the columns that link respondents and table, e.g. on={'id': 'customer'}.")
    unknown = [n for n in pairs if not survey.has(n) and not (n == "wave" and survey.roles.wave)]
    if unknown:
        raise unknown_names("on", unknown, survey.data.columns)
    return {survey.column_of(own): str(other) for own, other in pairs.items()}


def match(survey: Survey, frame: pd.DataFrame, pairs: Mapping[str, str], name: str) -> Match:
    """Find the respondents of every row of a table.

    Parameters
    ----------
    survey : Survey
    frame : DataFrame
        The table; key columns as text.
    pairs : mapping of survey column to table column
    name : str
        Name of the table, for messages.

    Raises
    ------
    SurveyError
        If the ids of the two sides are of kinds that cannot be compared, two ids of the table would become one, or
        nobody is found.
    """
    rows, table = np.zeros(len(survey.data), np.int64), np.zeros(len(frame), np.int64)
    absent, numeric = np.zeros(len(frame), bool), []
    for own, other in pairs.items():
        theirs = frame[other].str.strip()
        theirs = theirs.where(theirs != "")
        absent |= theirs.isna().to_numpy()
        mine, theirs, as_numbers = _alike(survey, own, theirs, f"{name}.{other}")
        if as_numbers:
            numeric.append(own)
        codes, ids = pd.factorize(mine)
        found = pd.Index(ids).get_indexer(pd.Index(theirs))
        found = np.where(theirs.isna().to_numpy(), -1, found)
        rows = np.where((rows < 0) | (codes < 0), -1, rows * len(ids) + codes)
        table = np.where((table < 0) | (found < 0), -1, table * len(ids) + found)
        # Numbered anew after each pair, so that products stay small.
        known, inverse = np.unique(rows[rows >= 0], return_inverse=True)
        rows[rows >= 0] = inverse
        place = np.minimum(np.searchsorted(known, table), max(len(known) - 1, 0))
        table = np.where((table >= 0) & (len(known) > 0), np.where(known[place] == table, place, -1), -1)
    if not (np.isin(rows, table[table >= 0])).any():
        raise SurveyError(
            f"{name}: no respondent is found in it. In the survey {_examples(survey.data[list(pairs)])}; "
            f"in the table {_examples(frame[list(pairs.values())])}; name the columns that agree with on=."
        )
    return Match(rows, table, absent, int(rows.max()) + 1, frame[list(pairs.values())], tuple(pairs), tuple(numeric))


def _examples(frame: pd.DataFrame) -> str:
    shown = {c: next((v for v in frame[c] if not pd.isna(v)), None) for c in frame}
    return ", ".join(f"{c} is e.g. {_plain(v)}" for c, v in shown.items())


def _plain(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, float) else repr(value) if isinstance(value, str) else str(value)


def _alike(survey: Survey, own: str, theirs: pd.Series, where: str) -> tuple[pd.Series, pd.Series, bool]:
    """Both sides of a key as values that can be compared, and whether leading zeros were set aside."""
    mine = survey.data[own]
    if pd.api.types.is_numeric_dtype(mine):
        return _as_numbers(mine, survey.codebook.items.get(own, Item(own)), theirs, where)
    if pd.api.types.is_datetime64_any_dtype(mine):
        return mine.dt.strftime("%Y-%m-%d"), theirs.str.slice(0, 10), False
    mine = mine.astype("string").str.strip()
    mine, theirs = _without_decimals(mine.where(mine != "")), _without_decimals(theirs.astype("string"))
    if _apart(mine, theirs):
        short = theirs.str.lstrip("0")
        if not _apart(mine.str.lstrip("0"), short):
            raise SurveyError(
                f"on: {own!r} and {where!r} differ in leading zeros ({mine.dropna().iloc[0]!r} in the survey, "
                f"{theirs.dropna().iloc[0]!r} in the table); write the ids alike in both files, as text."
            )
    return mine, theirs, False


def _apart(mine: pd.Series, theirs: pd.Series) -> bool:
    """Whether no value occurs on both sides (``isin`` of Arrow texts takes seconds for a million)."""
    return set(mine.dropna().unique()).isdisjoint(theirs.dropna().unique())


def _without_decimals(texts: pd.Series) -> pd.Series:
    known = texts.dropna()
    return texts.str.replace(r"\.0+$", "", regex=True) if len(known) and known.str.fullmatch(_WHOLE).all() else texts


def _as_numbers(mine: pd.Series, item: Item, theirs: pd.Series, where: str) -> tuple[pd.Series, pd.Series, bool]:
    """Codes of the survey beside the table's ids: as numbers, else by the labels of the codes."""
    plain = theirs.str.fullmatch(_NUMBER).fillna(False).astype(bool)
    numbers = pd.to_numeric(theirs.where(plain), errors="coerce").astype(float)
    if _apart(mine, numbers):
        codes = _codes_by_label(item)
        by_label = theirs.map(codes).astype(float)
        if by_label.notna().any():
            return mine, by_label, False
        if theirs.notna().any() and not numbers.notna().any():
            raise SurveyError(
                f"on: {item.name!r} holds numbers ({_plain(float(mine.dropna().iloc[0])) if mine.notna().any() else 'none'}) "
                f"and {where!r} text ({theirs.dropna().iloc[0]!r}) that is no label of them; compare columns of one kind."
            )
        return mine, numbers, False
    ids = pd.DataFrame({"text": theirs, "number": numbers}).dropna().drop_duplicates("text")
    ids = ids[ids["number"].isin(mine)]
    shared = ids[ids["number"].duplicated(keep=False)].sort_values(["number", "text"])
    if len(shared):
        one, other = shared["text"].iloc[:2]
        raise SurveyError(
            f"on: {item.name!r} holds numbers, and as numbers {len(shared):,} ids of {where!r} run together, e.g. {one!r} "
            f"and {other!r}; read the survey's ids as text."
        )
    return mine, numbers, bool(ids["text"].str.match(r"0\d").any())


def _codes_by_label(item: Item) -> dict[str, float]:
    """Codes by label of any language; labels that stand for several codes are left out."""
    found: dict[str, set[float]] = {}
    for code, texts in item.values.items():
        if isinstance(code, float) and code not in item.missing:
            for text in texts.values():
                found.setdefault(text.strip(), set()).add(code)
    return {text: codes.pop() for text, codes in found.items() if len(codes) == 1}
