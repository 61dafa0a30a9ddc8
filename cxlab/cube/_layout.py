"""Layout: a survey's rows in the order in which a cube adds them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlab.cube._sums import Placed
from cxlab.design import Design
from cxlab.errors import SurveyError, nearest, unknown_names
from cxlab.replicates import Dealt
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]
Filter = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Splits:
    """The columns that filters choose by, crossed.

    Attributes
    ----------
    survey : Survey
        For its labels.
    names : tuple of str
        As columns of the survey.
    codes : tuple of lists
        Codes that respondents have, by column.
    levels : int array, shape (cells, columns)
        Place of each cell's code, −1 where it is missing.
    """

    survey: Survey
    names: tuple[str, ...]
    codes: tuple[list[Any], ...]
    levels: IntArray

    def inside(self, chosen: Filter | None) -> np.ndarray:
        """Cells that a filter keeps, bool of shape (cells,).

        Raises
        ------
        SurveyError
            For a column that the cube is not split by, a value that the column does not have, or if no cell is left.
        """
        kept = np.ones(len(self.levels), dtype=bool)
        for name, wanted in (chosen or {}).items():
            if name not in self.names and not (name == "wave" and self.survey.column_of(name) in self.names):
                raise unknown_names("filter", [name], self.names, "the cube's splits")
            kept &= self._allowed(self.names.index(self.survey.column_of(name)), wanted)
        if not kept.any():
            said = ", ".join(f"{k}={v!r}" for k, v in (chosen or {}).items())
            raise SurveyError(f"the filter {said} leaves nobody; choose more values.")
        return kept

    def _allowed(self, column: int, wanted: Any) -> np.ndarray:
        codes = {code: place for place, code in enumerate(self.codes[column])}
        listed = wanted if isinstance(wanted, (list, tuple, set, range, np.ndarray, pd.Index)) else [wanted]
        allowed = np.zeros(len(codes) + 1, dtype=bool)  # the last is for −1
        for value in listed:
            code = value if value in codes else self._code(column, value)
            if code in codes:
                allowed[codes[code]] = True
        return allowed[self.levels[:, column]]

    def _code(self, column: int, value: Any) -> Any:
        """Code behind a label; a code that the codebook knows but nobody has stays what it is."""
        name = self.names[column]
        item = self.survey.codebook.items.get(name)
        found = None if item is None else (value if value in item.values else item.code_of(value))
        if item is None or found is None or (found not in self.codes[column] and found not in item.values):
            options = [f"{c:g}" if isinstance(c, float) else str(c) for c in self.codes[column]]
            shown = ", ".join(options[:12]) + (", …" if len(options) > 12 else "")
            raise SurveyError(f"{name} has no value {value!r}{nearest(value, options)}; it has: {shown}.")
        return found


def split_by(survey: Survey, by: Sequence[str], rows: IntArray) -> tuple[Splits, IntArray]:
    """Cross some columns; the cell of each of some rows, in the order of the columns' codes."""
    names = tuple(dict.fromkeys(survey.column_of(name) for name in by))
    codes, places = [], [np.zeros(len(rows), dtype=np.intp)]
    for name in names:
        column = survey.data[name].iloc[rows]
        place, known = pd.factorize(column, sort=True)
        codes.append(list(known.tolist()))
        places.append(place.astype(np.intp))
    crossed = places[0]
    for place, own in zip(places[1:], codes, strict=True):
        crossed = pd.factorize(crossed * (len(own) + 1) + place + 1, sort=True)[0]
    first = np.full(int(crossed.max(initial=-1)) + 1, len(rows), dtype=np.intp)
    np.minimum.at(first, crossed, np.arange(len(rows)))
    levels = np.column_stack([place[first] for place in places])[:, 1:]
    return Splits(survey, names, tuple(codes), levels), crossed.astype(np.intp)


def patterns(answered: np.ndarray) -> tuple[np.ndarray, IntArray]:
    """Patterns of answers, bool of shape (patterns, k), and that of each row, from bool of shape (k, rows)."""
    code = np.zeros(answered.shape[1], dtype=np.int64)
    for start in range(0, len(answered), 30):
        part = answered[start : start + 30]
        bits = np.zeros(len(code), dtype=np.int64)
        for place, column in enumerate(part):
            bits |= column.astype(np.int64) << place
        code = pd.factorize((code << 30) | bits)[0].astype(np.int64)
    first = np.full(int(code.max(initial=-1)) + 1, len(code), dtype=np.intp)
    np.minimum.at(first, code, np.arange(len(code)))
    return answered[:, first].T.copy(), code.astype(np.intp)


def placed(design: Design, dealt: Dealt, columns: FloatArray, rows: IntArray, cell: IntArray) -> Placed:
    """Rows of a survey with their place in the design."""
    unit = design.psu[rows]
    return Placed(columns, design.weights[rows], design.stratum[unit], dealt.group[unit], unit, cell)
