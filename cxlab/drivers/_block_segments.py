"""Blocks of drivers by segment: their shares in each, against everybody else, from one pass over the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import holm, p_values
from cxlab.design import kish_base, t_quantile
from cxlab.drivers._layout import column_of
from cxlab.drivers._measures import measured
from cxlab.drivers._prepare import Prepared, prepare
from cxlab.drivers._result import percentiles
from cxlab.drivers._segments_cells import MOST_SEGMENTS
from cxlab.errors import SurveyError
from cxlab.groups import split
from cxlab.moments import Moments, group_moments, replicate_moments
from cxlab.result import reliability
from cxlab.subsets import merged, shapley
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Split:
    """Respondents by segment.

    Attributes
    ----------
    column : str
    codes : list
    total : Prepared
        Everybody who is in a segment.
    group : int array, shape (rows of the total,)
    """

    column: str
    codes: list[Any]
    total: Prepared
    group: np.ndarray


def split_by(
    survey: Survey,
    outcome: str,
    drivers: Mapping[str, Sequence[str]] | Sequence[str] | None,
    by: str,
    missing: str,
    always: Sequence[str],
) -> Split:
    """Prepare everybody who is in a segment.

    Raises
    ------
    SurveyError
        If ``by`` is among the columns of the analysis, or rows are not complete.
    """
    if missing != "listwise":
        raise SurveyError(
            f"missing is {missing!r}; blocks are compared by segment on complete rows only: missing='listwise'."
        )
    column, codes, member = split(survey, by, MOST_SEGMENTS, "drivers")
    total = prepare(replace(survey, domain=member >= 0), outcome, drivers, missing, always)
    for argument, names in {"drivers": total.drivers, "always": total.always}.items():
        if column in {c for n in names for c in survey.items_of(column_of(n))}:
            raise SurveyError(f"by is {by!r}, which is named in {argument} too; within a segment it does not vary.")
    return Split(column, codes, total, member[total.rows])


def shares(importance: FloatArray) -> FloatArray:
    """Parts of what is explained."""
    return importance / importance.sum(axis=-1, keepdims=True)


def block_shares(
    found: Split, own: Sequence[Sequence[int]], named: Sequence[str], replicates: int, seed: int, level: float
) -> pd.DataFrame:
    """Shares of blocks in every segment and among everybody else, and their differences.

    Notes
    -----
    Moments of all segments come from one pass, also under replicate weights; those of everybody else are the sum over
    all less the segment. Small bases make shares too even: the bootstrap bias is subtracted before they are compared.
    """
    value = partial(_block_importance, found.total, own)
    sample, count = found.total.sample, len(found.codes)
    plain = group_moments(sample.columns, sample.weights, found.group, count, found.total.source.mean())
    point = [_part(plain, g) for g in range(count)]
    enough = [int((found.group == g).sum()) >= sample.columns.shape[1] + 1 for g in range(count)]
    drawn = _drawn(found, replicates, seed) if replicates else [None] * count
    parts = []
    for g, (code, inside, blocks) in enumerate(zip(found.codes, point, drawn, strict=True)):
        rest = _less(_sum(point), inside)
        columns = _columns(found, g, named) | {"segment": [code] * len(named)}
        if enough[g] and _varies(inside):
            columns |= {"importance": value(inside), "share": shares(value(inside))}
            others = count > 1 and _varies(rest)
            if blocks is not None and _varies(blocks):
                rivals = _less(_sum([b for b in drawn if b is not None]), blocks) if others else None
                columns |= _compared(
                    (shares(value(inside)), shares(value(blocks))),
                    None if rivals is None or not _varies(rivals) else (shares(value(rest)), shares(value(rivals))),
                    found.total.df, level,
                )  # fmt: skip
        else:
            columns["reliability"] = "suppressed"
        parts.append(pd.DataFrame(columns))
    return _adjusted(pd.concat(parts, ignore_index=True), found)


COLUMNS = [
    "segment", "block", "importance", "share", "share_low", "share_high", "share_corrected", "share_rest", "estimate", "se",
    "low", "high", "p_value", "p_raw", "base", "base_effective", "reliability",
]  # fmt: skip


def _columns(found: Split, g: int, named: Sequence[str]) -> dict[str, Any]:
    """Columns before anything is known of a segment but its base."""
    inside, weights = found.group == g, found.total.weights
    kish = kish_base(weights[inside])
    rest = kish_base(weights[~inside]) if not inside.all() else kish
    empty = np.full(len(named), np.nan)
    return {"block": list(named), **dict.fromkeys(COLUMNS[2:14], empty), "base": int(inside.sum()), "base_effective": kish,
            "reliability": str(reliability(min(kish, rest)))}  # fmt: skip


def _compared(
    own: tuple[FloatArray, FloatArray], rest: tuple[FloatArray, FloatArray] | None, df: float, level: float
) -> dict[str, FloatArray]:
    """Interval of a segment's shares and, where there is anybody else, the difference from theirs."""
    low, high = percentiles(own[1], level)
    without_bias = 2 * own[0] - own[1].mean(axis=0)
    out = {"share_low": low, "share_high": high, "share_corrected": without_bias}
    if rest is None:
        return out
    others = 2 * rest[0] - rest[1].mean(axis=0)
    gap, se = without_bias - others, (own[1] - rest[1]).std(axis=0, ddof=1)
    half = t_quantile(level, df) * se
    return out | {"share_rest": others, "estimate": gap, "se": se, "low": gap - half, "high": gap + half,
                  "p_raw": p_values(gap, se, df)}  # fmt: skip


def _adjusted(table: pd.DataFrame, found: Split) -> pd.DataFrame:
    """Holm over all segments and blocks that are shown; of two segments each is the other's rest: one test, not two."""
    mirrored = (len(found.codes) == 2) & (table["segment"] == found.codes[-1]).to_numpy()
    table["p_value"] = holm(np.where(mirrored | (table["reliability"] == "suppressed"), np.nan, table["p_raw"]))
    if mirrored.any():
        table.loc[mirrored, "p_value"] = table.loc[~mirrored, "p_value"].to_numpy()
    return table[COLUMNS]


# ---------------------------------------------------------------------- moments
def _drawn(found: Split, replicates: int, seed: int) -> list[Moments | None]:
    """Moments of every segment under shared replicate weights."""
    sample = found.total.sample
    rows = [np.flatnonzero(found.group == g) for g in range(len(found.codes))]
    drawn: list[list[Moments]] = [[] for _ in rows]
    for multipliers, piece in sample.design.bootstrap(replicates, seed, sample.rows):
        for own, blocks in zip(rows, drawn, strict=True):
            pieces, unit = np.unique(piece[own], return_inverse=True)
            center = found.total.source.mean()
            blocks.append(
                replicate_moments(sample.columns[own], sample.weights[own], multipliers[:, pieces], unit, center)
            )
    return [_joined(blocks) for blocks in drawn]


def _joined(blocks: Sequence[Moments]) -> Moments:
    """Blocks of replicates as one."""
    weight, sums, products = (np.concatenate([getattr(b, n) for b in blocks]) for n in ("weight", "sums", "products"))
    return Moments(weight, sums, products, blocks[0].center)


def _part(moments: Moments, g: int) -> Moments:
    return Moments(moments.weight[g], moments.sums[g], moments.products[g], moments.center)


def _sum(parts: Sequence[Moments]) -> Moments:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _less(total: Moments, part: Moments) -> Moments:
    return replace(
        total, weight=total.weight - part.weight, sums=total.sums - part.sums, products=total.products - part.products
    )


def _varies(moments: Moments) -> bool:
    """Whether the outcome varies in every set of moments."""
    tiny = 1e-12 * max(float(np.max(moments.weight)), 1e-300)
    if not np.all(moments.weight > tiny):
        return False
    return bool(
        np.all(moments.covariance()[..., -1, -1] > 1e-12 * np.abs(moments.products[..., -1, -1] / moments.weight))
    )


def _block_importance(prepared: Prepared, own: Sequence[Sequence[int]], moments: Moments) -> FloatArray:
    """Importance of blocks, shape (..., blocks); a driver that does not vary adds nothing."""
    layout = prepared.layout
    return measured(shapley, moments.covariance(), merged(layout.players, own), layout.always)
