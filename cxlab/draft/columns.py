"""What can be seen of a column without knowing the study: its answers, its scale, its codes that are no answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from cxlab.items import Code, Item, pick
from cxlab.quality.dates import DATE_NAME, read_dates
from cxlab.readers._missing import reason_of
from cxlab.survey import Survey

# Scales in use, the shortest first: the first that holds the answers is taken where labels say nothing.
SCALES = ((1, 4), (1, 5), (1, 7), (0, 5), (1, 10), (0, 10), (-2, 2), (-3, 3), (-5, 5))
HOLDS = 0.98  # share of the answers that a scale must hold; the rest are slips of the pen
SLIP = 0.002  # a code given more seldom may be a slip of the pen
_USUAL = {
    "no answer": (-1.0,),
    "not applicable": (77.0, 97.0, -7.0, -77.0, -97.0, 997.0, -997.0),
    "don't know": (88.0, 98.0, -8.0, -88.0, -98.0, 998.0, -998.0),
    "refused": (99.0, -9.0, -99.0, 999.0, -999.0, 9999.0, -9999.0),
}
USUAL = {code: reason for reason, codes in _USUAL.items() for code in codes}
FEW_POINTS, MANY_POINTS = 4, 11  # of a rating scale


@dataclass(frozen=True, eq=False)
class Column:
    """A column and what its answers look like.

    Attributes
    ----------
    name, label : str
        Label in the file's language, ``""`` if there is none.
    item : Item
    values : Series
        Answers; codes that are no answers are NaN.
    odd : mapping of code to (reason, labelled)
        Codes that are no answers though the file does not declare them; ``labelled`` if their label says so.
    scale : (low, high) or None
        Ends of the rating scale, if the answers look like ratings.
    from_labels : bool
        True if the value labels give the scale away.
    as_others : bool
        True if the scale starts at 0 because those of other ratings do.
    """

    name: str
    label: str
    item: Item
    values: pd.Series
    odd: dict[float, tuple[str, bool]] = field(default_factory=dict)
    scale: tuple[float, float] | None = None
    from_labels: bool = False
    as_others: bool = False

    @property
    def numeric(self) -> bool:
        """Tell whether the column holds codes or numbers."""
        return self.item.kind == "number" and pd.api.types.is_numeric_dtype(self.values)

    @cached_property
    def answered(self) -> int:
        """Number of answers."""
        return int(self.values.notna().sum())

    @cached_property
    def distinct(self) -> np.ndarray:
        """Different answers, sorted."""
        found = self.values.dropna().unique()
        return np.sort(found) if self.numeric else np.array(sorted(map(str, found)), dtype=object)

    @cached_property
    def whole(self) -> bool:
        """Tell whether all answers are whole numbers."""
        return self.numeric and self.answered > 0 and bool(np.all(self.distinct == np.round(self.distinct)))

    @cached_property
    def labelled(self) -> list[float]:
        """Labelled codes that are answers."""
        return _answers(self.item, self.odd)

    @cached_property
    def dates(self) -> pd.Series | None:
        """The column read as dates, if it is one."""
        return read_dates(self.values, bool(DATE_NAME.search(f"{self.name} {self.label}")))[0]

    @property
    def rating(self) -> bool:
        """Tell whether the answers look like ratings."""
        return self.scale is not None

    @cached_property
    def endpoints(self) -> tuple[str, ...]:
        """Value labels of the answers, as one would compare them between the items of a battery."""
        return tuple(pick(self.item.values[c], None) for c in self.labelled)


def look(survey: Survey) -> list[Column]:
    """Look at every column of a survey."""
    columns = [_rate(_column(survey, str(name))) for name in survey.data.columns]
    to_ten = [c for c in columns if c.scale in ((0, 10), (1, 10))]
    if sum(c.scale == (0, 10) for c in to_ten) < max(3, 0.1 * len(to_ten)):
        return columns
    # Where other ratings start at 0, one in which nobody chose 0 does so as well.
    silent = [c for c in to_ten if c.scale == (1, 10) and not c.from_labels]
    return [replace(c, scale=(0.0, 10.0), as_others=True) if c in silent else c for c in columns]


def _column(survey: Survey, name: str) -> Column:
    item = survey.codebook.items.get(name, Item(name))
    values = survey.data[name]
    if item.kind == "text" or values.dtype == object:
        values = values.where(values.astype(str).str.strip() != "")
    odd: dict[float, tuple[str, bool]] = {}
    if item.kind == "number" and pd.api.types.is_numeric_dtype(values):
        present = set(values.dropna().unique().tolist())
        plain = _answers(item, ())
        for code, texts in item.values.items():
            reason = reason_of(pick(texts, None)) if code not in item.missing else None
            between = len(plain) >= 2 and isinstance(code, float) and plain[0] < code < plain[-1]
            if reason and isinstance(code, float) and code in present and not between:  # "unsure" may be the middle
                odd[code] = (reason, True)
        values = values.mask(values.isin(list(odd))) if odd else values
    return Column(name, pick(item.labels, None), item, values, odd)


def _answers(item: Item, odd: Iterable[Code]) -> list[float]:
    """Labelled codes that are answers: not declared missing, and no "don't know" at either end."""
    coded = sorted(c for c in item.values if isinstance(c, float) and c not in {*odd, *item.missing})
    plain = [c for c in coded if not reason_of(pick(item.values[c], None))]
    return [c for c in coded if plain and plain[0] <= c <= plain[-1]]


def _rate(column: Column) -> Column:
    """Find the rating scale of a column, and codes outside it that usually are no answers."""
    if not column.numeric or not column.answered:
        return column
    found, counts = np.unique(column.values.dropna().to_numpy(dtype=float), return_counts=True)
    if counts[found == np.round(found)].sum() < HOLDS * counts.sum():
        return column
    labelled = column.labelled
    span = labelled[-1] - labelled[0] if len(labelled) >= 2 else 0
    usual = np.isin(found, list(USUAL)) & ~np.isin(found, labelled)
    if FEW_POINTS - 1 <= span <= MANY_POINTS - 1:
        low, high = labelled[0], labelled[-1]
        inside = ~(usual & ((found < low) | (found > high)))
        if not _holds(found[inside], counts[inside], low, high):
            wider = (s for s in SCALES if s[0] <= low and s[1] >= high and _holds(found[inside], counts[inside], *s))
            low, high = next(wider, (0, 0))
        return _with_scale(column, low, high, True)
    if len(labelled) >= 2:  # two or three labelled groups, or more groups than a rating has points
        return column
    for low, high in SCALES:
        inside = ~(usual & ((found < low) | (found > high + 1)))
        if inside.any() and _fits(found[inside], counts[inside], low, high):
            zero = (low, high) == (1, 10) and 0 in found
            return _with_scale(column, 0 if zero else low, high, False)
    return column


def _holds(found: np.ndarray, counts: np.ndarray, low: float, high: float) -> bool:
    within = (found >= low) & (found <= high)
    return bool(counts[within].sum() >= HOLDS * max(counts.sum(), 1))


def _fits(found: np.ndarray, counts: np.ndarray, low: float, high: float) -> bool:
    """Tell whether answers use a scale, and no code outside it occurs more often than a slip of the pen."""
    regular = found[counts >= SLIP * counts.sum()]
    within = (found >= low) & (found <= high)
    if not len(regular) or regular[0] < low or regular[-1] > high or within.sum() < min(FEW_POINTS, high - low):
        return False
    reaches = found[within].max() > low + 0.6 * (high - low)
    enough = (low, high) != (1, 4) or counts.sum() >= 100  # of a few answers to 1–5, none may be a 5
    below_zero = low >= 0 or counts[found < 0].sum() > (1 - HOLDS) * counts.sum()
    return bool(reaches and enough and below_zero)


def _with_scale(column: Column, low: float, high: float, from_labels: bool) -> Column:
    if not low < high:
        return column
    counts = column.values.value_counts()
    # One −1 among thousands of answers is a slip of the pen, a 99 hardly ever is.
    often = [float(c) for c in column.distinct if abs(c) > 1 or counts[c] >= SLIP * column.answered]
    strays = [c for c in often if not low <= c <= high and c in USUAL and c not in column.labelled]
    odd = {**column.odd, **{c: (USUAL[c], False) for c in strays}}
    values = column.values.mask(column.values.isin(strays)) if strays else column.values
    return replace(column, values=values, odd=odd, scale=(float(low), float(high)), from_labels=from_labels)


def pooled(columns: list[Column]) -> tuple[float, float]:
    """Scale of items that belong together: the widest that one of them needs."""
    scales = [c.scale for c in columns if c.scale]
    labelled = [c.scale for c in columns if c.scale and c.from_labels]
    chosen = labelled or scales
    return min(s[0] for s in chosen), max(s[1] for s in chosen)


def alike(column: Column) -> tuple[object, ...]:
    """What the items of a battery share: the scale, and the labels where there are any."""
    if column.from_labels:
        return column.scale, column.endpoints
    return (_coarse(column),)


def _coarse(column: Column) -> object:
    """Scale without labels: 1–4, 1–5 … are not told apart, because not every item uses every point."""
    low, high = column.scale or (0, 0)
    return "to ten" if high > 7 else "to seven" if low >= 0 else (low, high)
