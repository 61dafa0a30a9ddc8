"""Missing answers by reason, items a wave was not asked, and the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cxlab.items import pick
from cxlab.quality.finding import Found, flag, numeric, plain
from cxlab.quality.wording import NEEDS
from cxlab.survey import Survey

MIN_WAVE = 10  # respondents of a wave who all lack an item before it counts as not asked
BoolArray = np.ndarray[Any, np.dtype[np.bool_]]
NO_ANSWER, NOT_ASKED = "no answer", "not asked"


def missing(survey: Survey) -> tuple[pd.DataFrame, pd.DataFrame, Found, Found]:
    """Count missing answers by item and reason, and the items that a wave was not asked.

    Returns
    -------
    missing, not_asked : DataFrame
        As in :class:`cxlab.quality.QualityResult`.
    found, gaps : Found
        The checks ``missing`` and ``not_asked``.
    """
    items = _items(survey)
    absent = {name: _absent(survey, name) for name in items}
    unasked, pairs, possible = _unasked(survey, absent)
    frame = _counted(survey, absent, unasked)
    lacking = frame[frame["reason"] != NOT_ASKED]
    asked = len(survey) * len(items) - int(frame.loc[frame["reason"] == NOT_ASKED, "count"].sum())
    found = Found("missing", asked, int(lacking["count"].sum()), facts=_worst(lacking))
    needs = NEEDS["not_asked"] if survey.roles.wave is None and pairs.empty else None
    return frame, pairs, found, Found("not_asked", possible, len(pairs), needs=needs)


def _items(survey: Survey) -> list[str]:
    """Items with a role; without roles every numeric column that is no part of the design."""
    roles = survey.roles
    named = [i for g in (roles.outcomes, roles.drivers, roles.layers) for items in g.values() for i in items]
    named += [i for t in roles.touchpoints for i in (t.item, t.expectation, t.emotion) if i]
    named += roles.segments
    apart = {roles.respondent, roles.wave, *survey.design.columns().values()} - set(roles.segments)
    named = named or [c for c in survey.data.columns if numeric(survey, c)]
    return [i for i in dict.fromkeys(named) if i in survey.data.columns and i not in apart]


def _absent(survey: Survey, name: str) -> dict[str, BoolArray]:
    """Where an answer is missing, by reason; bool arrays of shape (respondents of the domain,)."""
    column = survey.data.loc[survey.domain, name]
    empty = column.isna().to_numpy()
    if not numeric(survey, name):
        empty |= (column.astype(str).str.strip() == "").to_numpy(dtype=bool)
    if name not in survey.missing_reasons.columns:
        return {NO_ANSWER: empty}
    codes, item = survey.missing_reasons.loc[survey.domain, name], survey.codebook[name]
    out = {NO_ANSWER: empty & codes.isna().to_numpy()}
    for code in codes[empty].dropna().unique():
        reason = item.missing.get(code) or pick(item.values.get(code, {}), "en", plain(code))
        out[reason] = out.get(reason, False) | (empty & (codes == code).to_numpy(dtype=bool))
    return out


def _unasked(survey: Survey, absent: Mapping[str, Mapping[str, BoolArray]]) -> tuple[BoolArray, pd.DataFrame, int]:
    """Mask (respondents, items) of answers nobody was asked for; the item × wave pairs; how many pairs there are.

    An item counts as not asked where nobody of at least ten respondents answered and nobody gave a reason.
    """
    name = survey.roles.wave if survey.roles.wave in survey.data.columns else None
    waves = survey.data.loc[survey.domain, name] if name else pd.Series(np.nan, index=range(len(survey)))
    codes, values = pd.factorize(waves, use_na_sentinel=False)
    size = np.bincount(codes, minlength=len(values))
    every = np.zeros((len(values), len(absent)), dtype=bool)
    for k, reasons in enumerate(absent.values()):
        silent = reasons.get(NO_ANSWER, 0) | reasons.get(NOT_ASKED, np.zeros(len(survey), dtype=bool))
        every[:, k] = (np.bincount(codes, weights=silent, minlength=len(values)) == size) & (size >= MIN_WAVE)
    wave, item = np.nonzero(every)
    pairs = pd.DataFrame({"item": np.array(list(absent), dtype=object)[item], "wave": values[wave], "base": size[wave]})
    return every[codes], pairs, int(every.size)


def _counted(survey: Survey, absent: Mapping[str, Mapping[str, BoolArray]], unasked: BoolArray) -> pd.DataFrame:
    weights = usable_weights(survey)[survey.domain]
    total, rows = weights.sum(), []
    for k, (item, reasons) in enumerate(absent.items()):
        skipped = unasked[:, k]
        parts = {**{r: where & ~skipped for r, where in reasons.items()}}
        parts[NOT_ASKED] = parts.get(NOT_ASKED, False) | skipped
        for reason, where in parts.items():
            if count := int(where.sum()):
                rows.append((item, reason, count, count / len(survey), weights[where].sum() / total))
    return pd.DataFrame(rows, columns=["item", "reason", "count", "share", "share_weighted"])


def _worst(lacking: pd.DataFrame) -> dict[str, Any]:
    if lacking.empty:
        return {}
    by_item = lacking.groupby("item", sort=False)["share"].sum()
    worst = by_item.idxmax()
    inside = lacking[lacking["item"] == worst].sort_values("count", ascending=False).iloc[0]
    return {"item": worst, "item_share": float(by_item.max()), "reason": inside["reason"]}


def usable_weights(survey: Survey) -> np.ndarray:
    """Weights of all rows; NaN throughout where the declared ones cannot be used (no share is silently wrong)."""
    name = survey.design.weight
    if name is None:
        return np.ones(len(survey.data))
    raw = (
        survey.data[name].to_numpy(dtype=float, na_value=np.nan)
        if numeric(survey, name)
        else np.full(len(survey.data), np.nan)
    )
    good = np.isfinite(raw).all() and (raw >= 0).all() and raw[survey.domain].any()
    return raw if good else np.full(len(raw), np.nan)


def weights(survey: Survey) -> Found:
    """Find weights that are missing, infinite or negative."""
    name = survey.design.weight
    if name is None:
        return Found("weights", needs=NEEDS["weights"])
    column = survey.data[name]
    raw = column.to_numpy(dtype=float, na_value=np.nan) if numeric(survey, name) else np.full(len(column), np.nan)
    bad = survey.domain & ~(np.isfinite(raw) & (raw >= 0))
    return Found("weights", len(survey), int(bad.sum()), flag(column.index[bad], name, column))


def weighting(survey: Survey) -> pd.DataFrame:
    """Range, coefficient of variation and Kish's design effect of the weights in the domain; one row, or none."""
    name, w = survey.design.weight, usable_weights(survey)[survey.domain]
    columns = ["weight", "minimum", "maximum", "mean", "cv", "design_effect", "base_effective"]
    if name is None or not len(w) or np.isnan(w).any():
        return pd.DataFrame(columns=columns)
    effect = float(len(w) * np.sum(w**2) / np.sum(w) ** 2)
    cv = float(np.sqrt(max(effect - 1, 0.0)))
    row = [name, float(w.min()), float(w.max()), float(w.mean()), cv, effect, len(w) / effect]
    return pd.DataFrame([row], columns=columns)
