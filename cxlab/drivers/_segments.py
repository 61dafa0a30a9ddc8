"""Drivers per segment: the same analysis in every group, and tests of whether the groups differ."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import design_notes, kish_base
from cxlab.drivers._columns import interval_columns, point_columns
from cxlab.drivers._missing_words import missing_notes
from cxlab.drivers._model_words import EXTRA_HEADINGS, NOT_CAUSE, formats
from cxlab.drivers._result import FORMATS, percentiles
from cxlab.drivers._segments_cells import Cell, Cells, Drivers, Options, cells
from cxlab.drivers._segments_result import HEADINGS, ODDS_HEADINGS, REASONS, SegmentDriverResult
from cxlab.drivers._segments_tests import (
    ODDS,
    Figures,
    corrected,
    differences,
    figures,
    overall,
    shares,
    shrunk,
)
from cxlab.errors import SmallBaseWarning
from cxlab.metrics import names as wordings
from cxlab.metrics import value_names
from cxlab.result import Base, reliability
from cxlab.survey import Survey
from cxlab.words import Note

FloatArray = np.ndarray[Any, np.dtype[Any]]


def segment_drivers(survey: Survey, outcome: str, drivers: Drivers, options: Options, call: str) -> SegmentDriverResult:
    """Drivers of every segment, and where they differ.

    Notes
    -----
    One pass over the rows gives the moments of all segments under all replicate weights; everything after that sees
    small matrices.
    """
    found = cells(survey, outcome, drivers, options)
    parts = [figures(c, options.level) for c in found.segments]
    whole = overall(found, parts)
    table = _table(found, parts, shrunk(parts, whole), options)
    compared = differences(found, parts, options.level)
    model = _model(found, options.level)
    _warn(survey, table, found)
    odds = any(p is not None and ODDS in p.slopes.extra for p in parts)
    total = found.total
    label = total.labels[total.outcome]
    grouped = wordings(survey, found.column)
    return SegmentDriverResult(
        table,
        Base(len(total.rows), kish_base(total.weights), total.excluded, total.excluded_share),
        _notes(survey, found, compared, options),
        {
            **HEADINGS,
            **EXTRA_HEADINGS,
            **(ODDS_HEADINGS if odds else {}),
            **total.labels,
            options.by: grouped,
            **_values(survey, found),
        },
        call,
        {
            "en": f"Key drivers of {label['en']} by {grouped['en']}",
            "zh": f"“{label['zh']}”的关键驱动因素（按{grouped['zh']}）",
        },
        FORMATS | formats(found.whole) | _FORMATS,
        options.level,
        outcome=total.outcome,
        by=options.by,
        method=found.whole.method,
        differences=compared,
        overall=whole,
        model=model,
        replicates=_replicates(found),
        odds=odds,
        kernel=found.whole,
    )


_FORMATS = {
    "importance_corrected": ".3f", "share_corrected": ".0%", "estimate_shrunk": "+.2f", "standardised": "+.2f",
}  # fmt: skip


def _values(survey: Survey, found: Cells) -> dict[Any, Mapping[str, str]]:
    segments = {("segment", c): value_names(survey, found.column, c) for c in found.codes}
    return {**segments, **{("reason", k): v for k, v in REASONS.items()}}


def _table(found: Cells, known: Sequence[Figures | None], pooled: FloatArray, options: Options) -> pd.DataFrame:
    """One row per driver and segment, the driver that matters most to everybody first."""
    parts = [
        pd.DataFrame(_columns(found, cell, own, options)).assign(
            estimate_shrunk=drawn, reason=cell.reason, segment=code
        )
        for code, cell, own, drawn in zip(found.codes, found.segments, known, pooled, strict=True)
    ]
    table = pd.concat(parts, ignore_index=True)
    place = _order(found)
    table["_place"] = [place[d] for d in table["driver"]]
    table = table.sort_values("_place", kind="stable", ignore_index=True).drop(columns="_place")
    first = ["driver", "segment"]
    return table[[*first, *(c for c in table.columns if c not in first)]]


def _order(found: Cells) -> dict[str, int]:
    """Place of each driver by its mean importance over the segments, weighted by their bases."""
    known = [c.importance * c.base for c in found.segments if c.importance is not None]
    mean = np.sum(known, axis=0) if known else np.zeros(len(found.total.drivers))
    return {found.total.drivers[j]: k for k, j in enumerate(np.argsort(-mean, kind="stable"))}


def _columns(found: Cells, cell: Cell, own: Figures | None, options: Options) -> dict[str, Any]:
    """Columns of one segment; of one without a model its base and nothing else."""
    if cell.kernel is None or cell.importance is None or own is None:
        return _empty(found, cell)
    prepared, importance = cell.kernel.prepared, cell.importance
    none = np.full(len(importance), np.nan)
    columns = point_columns(prepared, importance, own.slopes)
    columns |= {"importance_corrected": none, "share_corrected": none}
    if cell.draws is not None:
        drawn = cell.draws.importance
        null = cell.kernel.null_lines(options.permutations, options.seed)
        columns |= interval_columns(importance, drawn, null, prepared.df, options.level)
        columns["importance_corrected"] = corrected(importance, drawn)
        columns["share_corrected"] = corrected(shares(importance), shares(drawn))
    return columns


def _empty(found: Cells, cell: Cell) -> dict[str, Any]:
    total = found.total
    return {
        "driver": total.drivers, "block": total.blocks, "base": cell.base, "base_effective": cell.base_kish,
        "reliability": "suppressed", "rank_low": 1, "rank_high": len(total.drivers), "sign_flip": False,
        "distinguishable": False,
    }  # fmt: skip


def _model(found: Cells, level: float) -> pd.DataFrame:
    """One row per segment: how much the drivers explain."""
    rows = []
    for code, cell in zip(found.codes, found.segments, strict=True):
        row: dict[str, Any] = {"segment": code, "r2": np.nan, "r2_low": np.nan, "r2_high": np.nan, "r2_adjusted": np.nan,
                               "r2_corrected": np.nan}  # fmt: skip
        if cell.kernel is not None and cell.importance is not None:
            row |= dict(cell.kernel.fit())
            if cell.draws is not None:
                drawn = cell.draws.importance.sum(axis=1)
                row["r2_low"], row["r2_high"] = map(float, percentiles(drawn, level))
                row["r2_corrected"] = row["r2"] - (drawn.mean() - float(cell.importance.sum()))
        base = min(cell.base_kish, float(cell.base)) if cell.kernel is not None else 0.0
        rows.append(row | {"base": cell.base, "base_effective": cell.base_kish, "reliability": str(reliability(base)),
                           "reason": cell.reason})  # fmt: skip
    return pd.DataFrame(rows)


def _replicates(found: Cells) -> pd.DataFrame:
    parts = [
        pd.DataFrame(c.draws.importance, columns=list(found.total.drivers)).assign(segment=code)
        for code, c in zip(found.codes, found.segments, strict=True)
        if c.draws is not None
    ]
    empty = pd.DataFrame(columns=["segment", *found.total.drivers])
    return pd.concat(parts, ignore_index=True)[list(empty.columns)] if parts else empty


# ---------------------------------------------------------------------- what is said beside the numbers
def _warn(survey: Survey, table: pd.DataFrame, found: Cells) -> None:
    small = set(table.loc[(table["reliability"] != "ok").to_numpy(), "segment"])
    weak = [value_names(survey, found.column, c)["en"] for c in found.codes if c in small]
    if weak:
        warnings.warn(
            f"{len(weak)} of {len(found.codes)} groups of {found.column!r} have drivers with an effective base under 75 "
            f"({', '.join(weak[:8])}{', …' if len(weak) > 8 else ''}): read the intervals, not the ranking.",
            SmallBaseWarning,
            stacklevel=4,
        )


def _notes(survey: Survey, found: Cells, compared: pd.DataFrame, options: Options) -> tuple[Mapping[str, str], ...]:
    total, notes = found.total, []
    asked = survey.domain & (survey.weights > 0)
    outside = asked & (found.member < 0)
    if outside.any():
        share = float(survey.weights[outside].sum() / survey.weights[asked].sum())
        notes.append(Note(_OUTSIDE, count=int(outside.sum()), share=share, by=wordings(survey, found.column)))
    needed = len(total.drivers) + len(total.always) + 2
    for code, cell in zip(found.codes, found.segments, strict=True):
        if cell.reason:
            facts = {"segment": value_names(survey, found.column, code), "base": cell.base, "needed": needed}
            notes.append(Note(_WITHOUT[cell.reason], **facts))
    if options.replicates and len(found.codes) > 1:
        two = len(found.codes) == 2
        tests = int(np.isfinite(compared["p_value"]).sum()) // (2 if two else 1)
        notes.append(Note(_FAMILY, tests=tests, drivers=len(total.drivers), segments=len(found.codes)))
        notes += [Note(_BIAS), Note(_SHRUNK)]
    return (*missing_notes(total), Note(NOT_CAUSE), *notes, *found.said, *total.notes, *design_notes(survey))


_OUTSIDE = {
    "en": "{count:,} respondents ({share:.1%} of the weight) have no value of {by:in} and are in no group.",
    "zh": "{count:,} 名受访者（占权重 {share:.1%}）缺少“{by}”信息，未归入任何组。",
}
_WITHOUT = {
    "few": {
        "en": "{segment:cap}: {base:,} complete answers, {needed:,} are needed; the group has rows without numbers.",
        "zh": "“{segment}”：完整回答 {base:,} 份，至少需要 {needed:,} 份；该组仅列出样本量。",
    },
    "constant": {
        "en": "{segment:cap} ({base:,} complete answers, {needed:,} needed): a driver or the outcome has the same answer throughout; "
        "the group has rows without numbers.",
        "zh": "“{segment}”（完整回答 {base:,} 份，至少需要 {needed:,} 份）：某个因素或结果的回答全部相同；该组仅列出样本量。",
    },
    "tied": {
        "en": "{segment:cap} ({base:,} complete answers, {needed:,} needed): drivers determine one another there; the group has rows "
        "without numbers.",
        "zh": "“{segment}”（完整回答 {base:,} 份，至少需要 {needed:,} 份）：因素之间完全相互决定；该组仅列出样本量。",
    },
    "model": {
        "en": "{segment:cap} ({base:,} complete answers, {needed:,} needed): the model cannot be fitted there; the group has rows without "
        "numbers.",
        "zh": "“{segment}”（完整回答 {base:,} 份，至少需要 {needed:,} 份）：模型无法拟合；该组仅列出样本量。",
    },
    "replicates": {
        "en": "{segment:cap} ({base:,} complete answers, at least {needed:,} needed): too few for intervals and tests.",
        "zh": "“{segment}”（完整回答 {base:,} 份，至少需要 {needed:,} 份）：样本过少，无法计算区间和检验。",
    },
}
_FAMILY = {
    "en": "Differences of effects: each group against the mean effect within the other groups (weighted by size), Holm over {tests:,} tests ({drivers} drivers, {segments} groups); BH "
    "is in the table. Joint tests: Holm over the drivers. Standard errors from replicates that all groups share.",
    "zh": "影响差异：各组与其他各组组内影响的加权平均（按规模加权）比较，p 值经 Holm 法校正，共 {tests:,} 次检验（{drivers} 个因素，{segments} 组），表中另列 BH 校正结果；"
    "整体检验按因素数作 Holm 校正。标准误取自各组共用的重抽样。",
}
_BIAS = {
    "en": "Small bases make R² and shares look too large or too even: corrected columns subtract the bootstrap bias. Groups are tested "
    "on effects, not on importance.",
    "zh": "样本较少时 R² 偏高、占比偏平均：校正列已扣除自助法估计的偏差。组间检验针对影响值，而非重要性。",
}
_SHRUNK = {
    "en": "Shrunk effects are pulled towards the mean of the groups, the more the less sure they are (DerSimonian–Laird); read them where a "
    "group is small.",
    "zh": "收缩估计将各组影响值向总体均值靠拢，精度越低靠拢越多（DerSimonian–Laird 法）；适用于样本较少的组。",
}
