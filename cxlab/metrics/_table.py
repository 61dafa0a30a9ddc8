"""Tables: estimates of scores or totals in every cell, with their intervals, as a Result's parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import Design, Estimates, design_notes, kish_base, resolve, t_quantile, weighted_means
from cxlab.errors import SurveyError
from cxlab.groups import group_means
from cxlab.intervals import adjusted_wald, cautious_base
from cxlab.intervals import korn_graubard as beta_interval
from cxlab.metrics._cells import Cells, cells, unplaced
from cxlab.metrics._scores import SPECS, Score, require_answers
from cxlab.result import LOW_BASE, Base, Result, reliability
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]


def tabulated(
    survey: Survey,
    scores: Sequence[Score],
    call: tuple[str, Any],
    *,
    by: str | Sequence[str] | None,
    level: float,
    df: float | None,
    **options: Any,
) -> Result:
    """Result with one row per score and cell; ``call`` is the function and what it was asked for."""
    if not scores:
        raise SurveyError("items is empty; name at least one column.")
    groups = cells(survey, by)
    require_answers(survey, scores)
    design, member, count = resolve(survey), groups.member, len(groups.keys)
    coded = any(s.code is not None for s in scores)
    parts = []
    for s in scores:  # one at a time: rows × cells × scores would not fit into memory
        found = group_means(design, s.values, member, count)
        keys = [{"item": s.name, **({"code": s.code} if coded else {}), **key} for key in groups.keys]
        parts.append(rows_of(keys, found, intervals(found, [s.kind] * count, level=level, df=df)))
    table = pd.concat(parts, ignore_index=True)
    spec = SPECS[scores[0].kind]
    assumed = {str(note): note for s in scores for note in s.notes}.values()
    return Result(
        table, base_of(survey, groups, table["base"]), (*notes_of(survey, groups), *assumed),
        {**groups.labels, **{s.name: s.labels for s in scores}},
        call_of(call[0], survey, call[1], by=by, **options, level=level, df=df),
        formats={"estimate": spec, "low": spec, "high": spec, "se": ".3f" if spec == ".0%" else ".2f"}, level=level,
    )  # fmt: skip


def rows_of(keys: Sequence[dict[str, Any]], found: Estimates, limits: tuple[FloatArray, FloatArray]) -> pd.DataFrame:
    """One row per estimate; of fewer than two respondents no error is known."""
    return pd.DataFrame(keys).assign(
        estimate=found.estimate, se=np.where(found.base > 1, found.se, np.nan), low=limits[0], high=limits[1], base=found.base,
        base_effective=found.base_effective, reliability=reliability(found.base_effective),
    )  # fmt: skip


def base_of(survey: Survey, groups: Cells, bases: Any) -> Base:
    """Respondents with weight; without groups, those who answered the item that most answered."""
    weights = survey.weights[survey.domain]
    answered = int(np.max(np.asarray(bases), initial=0)) if len(groups.keys) == 1 else int((weights > 0).sum())
    return Base(answered, kish_base(weights))


def notes_of(survey: Survey, groups: Cells) -> tuple[Mapping[str, str], ...]:
    """Which design the numbers rest on, and who is in no group."""
    return (*design_notes(survey), *unplaced(survey, groups))


def call_of(function: str, survey: Survey, *places: Any, **options: Any) -> str:
    """The call that makes a result again; options that have their usual value are left out."""
    said = [f"survey{survey.filter}", *(repr(p) for p in places if p is not None)]
    said += [f"{k}={v!r}" for k, v in options.items() if v != _USUAL.get(k)]
    return f"cx.{function}({', '.join(said)})"


_USUAL = {"by": None, "df": None, "level": 0.95}


def estimate(survey: Survey, scores: Sequence[Score], groups: Cells, design: Design | None = None) -> Estimates:
    """Estimate every score in every cell, scores varying slowest, with the full covariance."""
    columns = np.repeat(np.column_stack([s.values for s in scores]), groups.inside.shape[1], axis=1)
    return weighted_means(design or resolve(survey), columns, np.tile(groups.inside, (1, len(scores))))


def intervals(
    estimates: Estimates, kinds: Sequence[str], *, level: float, df: float | None = None
) -> tuple[FloatArray, FloatArray]:
    """Intervals by kind of metric: t for means, Korn–Graubard for shares, adjusted Wald for NPS on small bases."""
    low, high = t_interval(estimates, level, df)
    kind, e = np.asarray(kinds), estimates
    dfs, variance = _degrees(e, df), np.diagonal(e.covariance)
    share = kind == "share"
    if share.any():
        p, v, base, kish, own = (x[share] for x in (e.estimate, variance, e.base, e.base_kish, dfs))
        low[share], high[share] = beta_interval(p, v, base, kish, own, level)
    small = (kind == "nps") & (e.base_effective < LOW_BASE)
    if small.any():
        nps, v, base, effective, kish, own = (
            x[small] for x in (e.estimate, variance, e.base, e.base_effective, e.base_kish, dfs)
        )
        low[small], high[small] = adjusted_wald(nps, *cautious_base(v, base, effective, kish), own, level)
    return low, high


def t_interval(found: Estimates, level: float, df: float | None) -> tuple[FloatArray, FloatArray]:
    """Estimate ± t · se; NaN on a base under 2, whose error is not known."""
    half = np.where(found.base > 1, t_quantile(level, _degrees(found, df)) * found.se, np.nan)
    return found.estimate - half, found.estimate + half


def _degrees(found: Estimates, df: float | None) -> FloatArray:
    return found.df if df is None else np.full(len(found.df), df)


def korn_graubard(estimates: Estimates, k: int, level: float, df: float) -> tuple[float, float]:
    """Beta interval of one share on its effective base, see :func:`cxlab.intervals.korn_graubard`."""
    e, at = estimates, slice(k, k + 1)
    variance = np.diagonal(e.covariance)[at]
    low, high = beta_interval(e.estimate[at], variance, e.base[at], e.base_kish[at], np.array([df]), level)
    return float(low[0]), float(high[0])
