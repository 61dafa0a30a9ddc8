"""Missing answers by reason, items a wave was not asked, and the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cxlab.items import pick
from cxlab.quality.finding import Found, flag, numeric, plain
from cxlab.quality.wording import NEEDS
from cxlab.survey import Survey

MIN_WAVE = 10  # respondents of a wave who all lack an item before it counts as not asked
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
    reasons = _reasons(survey, items)
    unasked, pairs, possible = _unasked(survey, reasons)
    reasons = reasons.mask(unasked, NOT_ASKED)
    frame = _counted(survey, reasons)
    lacking = frame[frame["reason"] != NOT_ASKED]
    asked = int(reasons.size - frame.loc[frame["reason"] == NOT_ASKED, "count"].sum())
    found = Found("missing", asked, int(lacking["count"].sum()), facts=_worst(survey, lacking))
    waves = {"items": int(pairs["item"].nunique()), "waves": int(pairs["wave"].nunique())}
    needs = NEEDS["not_asked"] if survey.roles.wave is None and pairs.empty else None
    return frame, pairs, found, Found("not_asked", possible, len(pairs), needs=needs, facts=waves)


def _items(survey: Survey) -> list[str]:
    """Items with a role; without roles every numeric column that is no part of the design."""
    roles = survey.roles
    named = [i for g in (roles.outcomes, roles.drivers, roles.layers) for items in g.values() for i in items]
    named += [i for t in roles.touchpoints for i in (t.item, t.expectation, t.emotion) if i]
    named += roles.segments
    apart = {roles.respondent, roles.wave, *survey.design.columns().values()} - set(roles.segments)
    named = named or [c for c in survey.data.columns if numeric(survey, c)]
    return [i for i in dict.fromkeys(named) if i in survey.data.columns and i not in apart]


def _reasons(survey: Survey, items: list[str]) -> pd.DataFrame:
    """Why each answer of the domain is missing, as text; None where there is an answer."""
    data = survey.data.loc[survey.domain, items]
    out: dict[str, Any] = {}
    for name in items:
        column = data[name]
        empty = column.isna() if numeric(survey, name) else column.isna() | (column.astype(str).str.strip() == "")
        reason = pd.Series(NO_ANSWER, index=data.index).astype(object).where(empty, None)
        if name in survey.missing_reasons.columns:
            codes = survey.missing_reasons.loc[data.index, name]
            item = survey.codebook[name]
            texts = {
                c: item.missing.get(c) or pick(item.values.get(c, {}), "en", plain(c)) for c in codes.dropna().unique()
            }
            reason = reason.where(codes.isna() | ~empty, codes.map(texts))
        out[name] = reason
    return pd.DataFrame(out, index=data.index, columns=items, dtype=object)


def _unasked(survey: Survey, reasons: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Mask of answers nobody was asked for; the item × wave pairs; how many pairs there are.

    An item counts as not asked where nobody of at least ten respondents answered and nobody gave a reason.
    """
    name = survey.roles.wave if survey.roles.wave in survey.data.columns else None
    waves = survey.data.loc[reasons.index, name] if name else pd.Series(np.nan, index=reasons.index)
    codes, values = pd.factorize(waves, use_na_sentinel=False, sort=False)
    silent = reasons.isin([NO_ANSWER, NOT_ASKED]).to_numpy()
    size = np.bincount(codes, minlength=len(values))
    total = np.zeros((len(values), silent.shape[1]))
    np.add.at(total, codes, silent)
    every = (total == size[:, None]) & (size >= MIN_WAVE)[:, None]
    wave, item = np.nonzero(every)
    pairs = pd.DataFrame({"item": reasons.columns[item], "wave": values[wave], "base": size[wave]})
    return pd.DataFrame(every[codes], index=reasons.index, columns=reasons.columns), pairs, int(every.size)


def _counted(survey: Survey, reasons: pd.DataFrame) -> pd.DataFrame:
    weights = usable_weights(survey)
    long = reasons.melt(ignore_index=False, var_name="item", value_name="reason").dropna()
    long["w"] = weights[long.index]
    sums = long.groupby(["item", "reason"], sort=False)["w"].agg(["size", "sum"]).reset_index()
    return pd.DataFrame(
        {
            "item": sums["item"].astype(str),
            "reason": sums["reason"].astype(str),
            "count": sums["size"].astype(int),
            "share": sums["size"] / max(len(survey), 1),
            "share_weighted": sums["sum"] / weights[survey.domain].sum() if len(survey) else np.nan,
        }
    )


def _worst(survey: Survey, lacking: pd.DataFrame) -> dict[str, Any]:
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
