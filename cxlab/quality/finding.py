"""What one check hands back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cxlab.survey import Survey

Bilingual = Mapping[str, str]
FLAG = ["row", "item", "value"]


@dataclass(frozen=True, eq=False)
class Found:
    """Outcome of one check.

    Attributes
    ----------
    check : str
    base, count : int
        What was looked at and what was found.
    flagged : DataFrame with columns row, item, value
    needs : mapping of language to str, or None
        What the check lacks, where it could not run.
    note : mapping of language to str, or None
    facts : mapping of str to number or str
        Further counts for the sentence.
    """

    check: str
    base: int = 0
    count: int = 0
    flagged: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=FLAG))
    needs: Bilingual | None = None
    note: Bilingual | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def flag(rows: Any, item: str, values: pd.Series) -> pd.DataFrame:
    """Flags for ``rows`` of a column, with the values as text."""
    if not len(rows):
        return pd.DataFrame(columns=FLAG)
    return pd.DataFrame({"row": rows, "item": item, "value": [plain(v) for v in values.loc[rows]]})


def plain(value: Any) -> str:
    """A code as people write it: 3.0 as ``3``."""
    return f"{value:g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)


def numeric(survey: Survey, name: str | None) -> bool:
    """Tell whether a name is a column of numbers."""
    return name in survey.data.columns and bool(pd.api.types.is_numeric_dtype(survey.data[name]))


def together(flags: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Flags of several columns under one another."""
    some = [f for f in flags if len(f)]
    return pd.concat(some, ignore_index=True) if some else pd.DataFrame(columns=FLAG)
