"""Who is compared, what is held equal, and the weights of replicates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import Design
from cxlab.errors import SurveyError
from cxlab.items import in_order
from cxlab.metrics import names, value_names
from cxlab.survey import Survey
from cxlab.words import Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
MOST_GROUPS = 40
_CELLS = 4_000_000  # weights of replicates held at once


def key_of(by: str) -> str:
    """Column of a table that names the group."""
    return "wave" if by == "wave" else "segment"


def keyed(table: pd.DataFrame, code: Any, by: str | None) -> pd.DataFrame:
    """The table with the group in front, where there are groups."""
    if by is not None:
        table.insert(0, key_of(by), code)
    return table


def groups_of(survey: Survey, by: str | None) -> dict[Any, np.ndarray]:
    """Rows of every group; the only group of an analysis without segments is None."""
    if by is None:
        return {None: survey.domain}
    survey.require("by", [name for name in [by] if name != "wave"])
    series = survey.data[survey.column_of(by)]
    codes = in_order(series[survey.domain].dropna().unique().tolist())
    if not 2 <= len(codes) <= MOST_GROUPS:
        raise SurveyError(
            f"by: {by!r} has {len(codes)} groups among the respondents; 2 to {MOST_GROUPS} can be compared."
        )
    return {code: survey.domain & (series == code).to_numpy() for code in codes}


def group_labels(survey: Survey, by: str | None, codes: Sequence[Any]) -> dict[Any, dict[str, str]]:
    """Wordings of the groups and of their column."""
    if by is None:
        return {}
    column = survey.column_of(by)
    words = {(k, c): value_names(survey, column, c) for k in ("segment", "wave", "other") for c in codes}
    return {**words, key_of(by): names(survey, by)}


def ungrouped(survey: Survey, rows: np.ndarray, groups: Mapping[Any, np.ndarray], by: str | None) -> tuple[Note, ...]:
    """Note on the respondents that are in none of the groups, so that no figure of a group rests on them."""
    if by is None:
        return ()
    outside = int(len(rows) - np.any([inside[rows] for inside in groups.values()], axis=0).sum())
    return (Note(_UNGROUPED, lost=outside, by=names(survey, by)),) if outside else ()


_UNGROUPED = {
    "en": "{lost:,} respondents of the base have no “{by}” and are in none of the groups.",
    "zh": "样本中有 {lost:,} 名受访者缺少“{by}”，不属于任何群体。",
}


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a model: its name, its wording, its values (NaN where not answered)."""

    name: str
    words: dict[str, str]
    values: FloatArray


def covariate(survey: Survey, name: str) -> list[Column]:
    """A covariate as columns: numbers, or indicators of all categories but the first."""
    items = survey.items_of(name)
    series = survey.data[items[0]]
    item = survey.codebook.items.get(items[0])
    nominal = (item is not None and item.measure == "nominal") or not pd.api.types.is_numeric_dtype(series)
    words = names(survey, name)
    if len(items) > 1 or not nominal:
        return [Column(name, words, survey.values(name))]
    codes, out = in_order(pd.unique(series.dropna()).tolist()), []
    for code in codes[1:]:
        said = value_names(survey, items[0], code)
        plain = f"{code:g}" if isinstance(code, float) else str(code)
        marked = np.where(series.isna().to_numpy(), np.nan, (series == code).to_numpy(dtype=float))
        out.append(Column(f"{name}={plain}", {lang: f"{words[lang]}: {said[lang]}" for lang in words}, marked))
    return out


def replicate_weights(
    design: Design, rows: np.ndarray, replicates: int, seed: int, wide: int = 0
) -> Iterator[FloatArray]:
    """Weights of the rows under every Rao–Wu replicate, in blocks that bound the memory.

    Parameters
    ----------
    design : Design
    rows : int array, shape (n,)
    replicates, seed : int
    wide : int
        Further numbers that every replicate needs at once.

    Yields
    ------
    array, shape (replicates in the block, n)
    """
    w = design.weights[rows]
    step = max(1, _CELLS // max(1, len(rows) + wide))
    for factors, piece in design.bootstrap(replicates, seed, rows):
        for start in range(0, len(factors), step):
            yield factors[start : start + step].astype(float)[:, piece] * w


def spread(draws: FloatArray) -> FloatArray:
    """Standard deviation over replicates, those without an answer left out; NaN under two; (b, k) to (k,)."""
    there = np.isfinite(draws)
    count = there.sum(axis=0)
    mean = np.where(there, draws, 0.0).sum(axis=0) / np.maximum(count, 1)
    squares = (np.where(there, draws - mean, 0.0) ** 2).sum(axis=0)
    return np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)
