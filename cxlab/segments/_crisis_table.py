"""Tables of a crisis scan: families of tests, pooled effects, causes and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cxlab.contrasts import benjamini_hochberg, detectable, holm
from cxlab.design import Design, t_quantile, weighted_means
from cxlab.metrics import Score, intervals
from cxlab.result import reliability
from cxlab.segments._crisis_facts import Facts, Frame, Split, contrast, masking, pool

FLAT_LEVEL = 0.90  # of the total's interval that has to lie inside ±δ
TOTAL = "total"  # key of the total among the segments of ``by_wave``


class Tier(NamedTuple):
    """Place of an item in the chain of causes, and the only item it follows from, where it is one."""

    place: int
    parent: str = ""


def fact_rows(scored: Score, kind: str, facts: Facts, keys: Sequence[Any], delta: float) -> dict[str, Any]:
    """Columns of one row per segment: estimates, raw tests, and whether the total is flat."""
    gap, total = facts.gap, facts.total
    total_low, total_high = total.interval(FLAT_LEVEL)
    graded = reliability(facts.weakest)
    direction = 1 if scored.higher_is_better else -1
    columns = {
        "segment": keys,
        "item": scored.name,
        "kind": kind,
        "value": facts.value,
        "rest": facts.rest,
        "estimate": gap.estimate,
        "se": gap.se,
        "df": gap.df,
        "p_raw": np.where(graded == "suppressed", np.nan, gap.p_values()),
        "before": facts.before,
        "after": facts.after,
        "early": (direction * facts.before < 0) & (facts.early < 0.05),
        "total": total.estimate,
        "total_low": total_low,
        "total_high": total_high,
        "delta": delta,
        "flat": (total_low > -delta) & (total_high < delta),
        "negative": direction * gap.estimate < 0,
        "masking": masking(facts),
        "base": facts.base.astype(int),
        "base_effective": facts.effective,
        "reliability": graded,
    }
    return {k: np.broadcast_to(v, len(keys)) for k, v in columns.items()}


def judge(table: pd.DataFrame, level: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add intervals, families and pooled effects; returns the table and the prior of each kind."""
    raw, se, df = (table[c].to_numpy(dtype=float) for c in ("p_raw", "se", "df"))
    half = t_quantile(level, df) * se
    adjusted = benjamini_hochberg(raw)
    table = table.assign(
        low=table["estimate"] - half, high=table["estimate"] + half, p_value=adjusted, p_holm=holm(raw),
        detectable=detectable(se, df, level=level),
        hidden=table["negative"] & table["flat"] & (adjusted < 1 - level),
    )  # fmt: skip
    pooled, priors = [], []
    for kind, rows in table.groupby("kind", sort=False):
        delta, tested = rows["delta"].to_numpy(), rows["p_raw"].notna().to_numpy()
        effects = np.where(tested, rows["estimate"] / delta, np.nan)
        drawn = pool(effects, (rows["se"] / delta).to_numpy())
        reach = t_quantile(level, rows["df"].to_numpy()) * drawn.se * delta
        centre = drawn.estimate * delta
        pooled.append(pd.DataFrame({"pooled": centre, "pooled_low": centre - reach, "pooled_high": centre + reach},
                                   index=rows.index))  # fmt: skip
        priors.append({"kind": kind, "facts": int(tested.sum()), "variance": drawn.variance,
                       "sd": np.sqrt(drawn.variance)})  # fmt: skip
    return table.join(pd.concat(pooled)), pd.DataFrame(priors)


def explain(table: pd.DataFrame, tiers: Mapping[str, Tier]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tell causes from consequences, the most certain causes first.

    A hidden fact follows from hidden facts of the same segment on items before its own: trends from trends, levels from
    either kind (a trend of the past is a gap of the whole). A level follows from the trend of the same item unless the
    gap was there in the first period already.
    """
    hidden = table[table["hidden"]]
    sources = {i: _sources(hidden.loc[i], hidden, tiers) for i in hidden.index.tolist()}
    role, cause = np.full(len(table), "", dtype=object), np.full(len(table), "", dtype=object)
    listed = []
    for i, found in sources.items():
        roots = found[[not sources[j].size for j in found]]
        role[i] = "consequence" if len(found) else "cause"
        if len(roots):
            at = hidden.loc[roots]
            cause[i] = at["item"].iloc[int(np.argmax((at["estimate"] / at["se"]).abs()))]
            listed += [(i, j) for j in roots]
    out = table.assign(role=role, cause=cause)
    rows = hidden.loc[[i for i, _ in listed]].reset_index(drop=True)[_OF_CONSEQUENCE]
    causes = hidden.loc[[j for _, j in listed]].reset_index(drop=True)
    consequences = rows.assign(cause=causes["item"], cause_kind=causes["kind"])
    rank = np.select([out["role"] == "cause", out["role"] == "consequence"], [0, 1], 2)
    order = np.lexsort((-(out["estimate"] / out["se"]).abs().to_numpy(), rank))
    return out.iloc[order].reset_index(drop=True)[_COLUMNS], consequences


_OF_CONSEQUENCE = ["segment", "item", "kind", "estimate", "low", "high", "p_value", "p_holm"]
_COLUMNS = [
    "segment", "item", "kind", "value", "rest", "estimate", "se", "low", "high", "p_value", "p_holm", "p_raw", "pooled",
    "pooled_low", "pooled_high", "before", "after", "total", "total_low", "total_high", "delta", "flat", "negative",
    "hidden", "role", "cause", "masking", "detectable", "base", "base_effective", "reliability",
]  # fmt: skip


def _sources(fact: pd.Series, hidden: pd.DataFrame, tiers: Mapping[str, Tier]) -> np.ndarray:
    """Index of the hidden facts that a fact follows from."""
    place, parent = tiers[fact["item"]]
    others = hidden[(hidden["segment"] == fact["segment"]) & ~((hidden["item"] == fact["item"]) & (hidden["kind"] == fact["kind"]))]  # fmt: skip
    before = others["item"].eq(parent) if parent else others["item"].map(lambda n: tiers[n].place) < place
    itself = (others["item"] == fact["item"]) & (others["kind"] == "trend") & (not fact["early"])
    allowed = (others["kind"] == fact["kind"]) | (fact["kind"] == "level")
    return np.asarray(others.index[(before & allowed) | itself])


def split_rows(item: str, parts: Split, keys: Sequence[Any]) -> pd.DataFrame:
    """Within and mix of every segment, with 95 % intervals; their sum is the change of the total."""
    count = len(keys)
    low, high = parts.parts.interval(0.95)
    value, se = parts.parts.estimate, parts.parts.se
    return pd.DataFrame(
        {
            "item": item, "segment": keys, "share_before": parts.share_before, "share_after": parts.share_after,
            "within": value[:count], "within_se": se[:count], "within_low": low[:count], "within_high": high[:count],
            "mix": value[count:], "mix_se": se[count:], "mix_low": low[count:], "mix_high": high[count:],
        }
    )  # fmt: skip


def wave_rows(
    design: Design, scored: Score, parts: Frame, keys: Sequence[Any], windows: Mapping[Any, np.ndarray]
) -> pd.DataFrame:
    """One item by segment and wave with the gap to the rest (p: Holm over segments and waves), and the total."""
    step, count, many = 2 * parts.count + 1, parts.count, len(windows)
    inside = np.concatenate([parts.domains(w) for w in windows.values()], axis=1)
    found = weighted_means(design, np.repeat(scored.values[:, None], inside.shape[1], axis=1), inside)
    low, high = intervals(found, [scored.kind] * inside.shape[1], level=0.95)
    matrix = np.zeros((many * count, many * step))
    rows, wave, segment = np.arange(many * count), np.repeat(np.arange(many), count), np.tile(np.arange(count), many)
    matrix[rows, wave * step + segment], matrix[rows, wave * step + count + segment] = 1, -1
    gap = contrast(found, matrix, design.df)
    at = (np.arange(many)[:, None] * step + np.r_[np.arange(count), 2 * count]).ravel()
    out = pd.DataFrame(
        {
            "item": scored.name, "segment": [*keys, TOTAL] * many, "wave": np.repeat(list(windows), count + 1),
            "estimate": found.estimate[at], "low": low[at], "high": high[at], "base": found.base[at],
            "base_effective": found.base_effective[at], "reliability": reliability(found.base_effective[at]),
        }
    )  # fmt: skip
    own = np.flatnonzero(out["segment"].astype(str).to_numpy() != TOTAL)
    graded = out["reliability"].to_numpy()[own]
    raw = np.where(graded == "suppressed", np.nan, gap.p_values())
    out.loc[own, "gap"], out.loc[own, "gap_p"] = gap.estimate, holm(raw)
    return out.sort_values("segment", key=lambda s: s.map({k: i for i, k in enumerate([*keys, TOTAL])}), kind="stable",
                           ignore_index=True)  # fmt: skip
