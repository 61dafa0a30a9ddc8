"""Types of customer by group: shares, what holds them, what satisfaction does to loyalty; with tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import holm, p_values
from cxlab.design import Design, Estimates, t_quantile
from cxlab.groups import group_means, pair_df
from cxlab.loyalty._map_sides import TYPES, Side, kinds
from cxlab.metrics import intervals
from cxlab.result import reliability

FloatArray = np.ndarray[Any, np.dtype[Any]]
HOSTAGE = TYPES.index("hostage")


@dataclass(frozen=True, eq=False)
class Cast:
    """Who is of which type in which group.

    Attributes
    ----------
    design : Design
    kept : bool array, shape (rows,)
        Answered satisfaction and loyalty and belong to a group.
    group : int array, shape (rows,)
        −1 for rows left out.
    codes : sequence
        Codes of the groups.
    key : str or None
        Column of the tables that names the group.
    satisfaction, loyalty : Side
    cost : array, shape (rows,), or None
        Switching cost.
    """

    design: Design
    kept: np.ndarray
    group: np.ndarray
    codes: Sequence[Any]
    key: str | None
    satisfaction: Side
    loyalty: Side
    cost: FloatArray | None

    def kind(self, moves: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
        """Type of each row with the cuts moved."""
        return kinds(self.satisfaction.high(moves[0]), self.loyalty.high(moves[1]), self.kept)

    def keys(self, repeat: int) -> dict[str, Any]:
        """Column of the group in a table with so many rows of each."""
        return {} if self.key is None else {self.key: np.repeat(np.array(self.codes, dtype=object), repeat)}


def shares(cast: Cast, level: float, moves: tuple[float, float] = (0.0, 0.0)) -> tuple[pd.DataFrame, list[Estimates]]:
    """Share of every type in every group, and the estimates by type."""
    kind, count = cast.kind(moves), len(cast.codes)
    found = [
        group_means(cast.design, np.where(kind >= 0, kind == k, np.nan).astype(float), cast.group, count)
        for k in range(len(TYPES))
    ]
    limits = [intervals(f, ["share"] * count, level=level) for f in found]
    own = np.bincount(
        cast.group[cast.kept] * len(TYPES) + kind[cast.kept], cast.design.weights[cast.kept] > 0, count * len(TYPES)
    )
    effective = found[0].base_kish
    table = pd.DataFrame({
        **cast.keys(len(TYPES)), "type": np.tile(TYPES, count), "estimate": _woven([f.estimate for f in found]),
        "se": _woven([f.se for f in found]), "low": _woven([x[0] for x in limits]), "high": _woven([x[1] for x in limits]),
        "count": own.astype(int), "base": _woven([f.base for f in found]),
        "base_effective": np.repeat(effective, len(TYPES)), "reliability": np.repeat(reliability(effective), len(TYPES)),
    })  # fmt: skip
    return table, found


def _woven(columns: Sequence[FloatArray]) -> FloatArray:
    """Columns of types over groups, in rows of groups over types."""
    return np.column_stack(columns).ravel()


def costs(
    cast: Cast, level: float, moves: tuple[float, float] = (0.0, 0.0)
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Switching cost of every type in every group; of hostages against each other type, and against hostages elsewhere (Holm)."""
    if cast.cost is None:
        return pd.DataFrame(), pd.DataFrame(), pd.DataFrame()
    count, many = len(cast.codes), len(TYPES)
    kind = cast.kind(moves)
    cell = np.where((kind >= 0) & np.isfinite(cast.cost), cast.group * many + kind, -1)
    found = group_means(cast.design, cast.cost, cell, count * many)
    low, high = intervals(found, ["mean"] * (count * many), level=level)
    grade = reliability(found.base_effective)
    table = pd.DataFrame({
        **cast.keys(many), "type": np.tile(TYPES, count), "estimate": found.estimate,
        "se": np.where(found.base > 1, found.se, np.nan), "low": low, "high": high, "base": found.base,
        "base_effective": found.base_effective, "reliability": grade,
    })  # fmt: skip
    others = [3, 0, 2]  # the sharpest comparison first: as dissatisfied, but gone
    first = np.repeat(np.arange(count) * many + HOSTAGE, len(others))
    second = (np.arange(count)[:, None] * many + others).ravel()
    df = pair_df(cast.design, cell, count * many)
    gaps = _gaps(found, df, (first, second), level)
    tests = pd.DataFrame({
        **cast.keys(len(others)), "type": TYPES[HOSTAGE], "other": np.tile([TYPES[k] for k in others], count), **gaps,
    })  # fmt: skip
    pairs = _pairs(count)
    if not pairs:
        return table, tests, pd.DataFrame()
    one, two = np.array(pairs).T
    elsewhere = _gaps(found, df, (one * many + HOSTAGE, two * many + HOSTAGE), level)
    named = {str(cast.key): [cast.codes[i] for i in one], "other": [cast.codes[j] for j in two]}
    return table, tests, pd.DataFrame({**named, **elsewhere})


def holds(cast: Cast, level: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Loyal share of the satisfied and of the dissatisfied in every group, and these gaps of groups against each other."""
    count = len(cast.codes)
    cell = np.where(cast.kept, cast.group * 2 + cast.satisfaction.high(), -1)
    loyal = np.where(cast.kept, cast.loyalty.high(), np.nan).astype(float)
    found = group_means(cast.design, loyal, cell, 2 * count)
    df, places = pair_df(cast.design, cell, 2 * count), 2 * np.arange(count)
    gaps = _gaps(found, df, (places + 1, places), level)
    weaker = np.minimum(found.base_effective[places], found.base_effective[places + 1])
    table = pd.DataFrame({
        **cast.keys(1), "dissatisfied": found.estimate[places], "satisfied": found.estimate[places + 1], **gaps,
        "base": found.base[places] + found.base[places + 1], "base_effective": weaker, "reliability": reliability(weaker),
    })  # fmt: skip
    pairs = _pairs(count)
    contrast = np.zeros((len(pairs), 2 * count))
    for row, (i, j) in enumerate(pairs):
        contrast[row, [2 * i + 1, 2 * i, 2 * j + 1, 2 * j]] = 1, -1, -1, 1
    estimate = contrast @ found.estimate
    se = np.sqrt(np.maximum(np.diagonal(contrast @ np.nan_to_num(found.covariance) @ contrast.T), 0))
    shared = pair_df(cast.design, np.where(cast.kept, cast.group, -1), count)
    apart = _between(cast, "pull", pairs, (estimate, se, np.array([shared[i, j] - 2 for i, j in pairs])), level)
    if not pairs:
        return table, apart
    first, second = np.array(pairs).T
    return table, apart.assign(reliability=reliability(np.minimum(weaker[first], weaker[second])))


def differences(cast: Cast, found: Sequence[Estimates], level: float) -> pd.DataFrame:
    """Shares of every type, groups against each other; p-values not yet adjusted."""
    count = len(cast.codes)
    pairs = _pairs(count)
    if not pairs:
        return pd.DataFrame()
    df = pair_df(cast.design, np.where(cast.kept, cast.group, -1), count)
    first, second = np.array(pairs).T
    out = []
    for k, one in enumerate(found):
        v = one.covariance
        se = np.sqrt(np.maximum(v[first, first] + v[second, second] - 2 * v[first, second], 0))
        gap = (one.estimate[first] - one.estimate[second], se, df[first, second])
        weaker = np.minimum(one.base_kish[first], one.base_kish[second])
        out.append(_between(cast, TYPES[k], pairs, gap, level).assign(reliability=reliability(weaker)))
    return pd.concat(out, ignore_index=True)


def _pairs(count: int) -> list[tuple[int, int]]:
    return list(combinations(range(count), 2))


def _between(
    cast: Cast, what: str, pairs: Sequence[tuple[int, int]], gap: tuple[FloatArray, FloatArray, FloatArray], level: float
) -> pd.DataFrame:  # fmt: skip
    """Rows of groups against each other in one respect."""
    if not pairs:
        return pd.DataFrame()
    estimate, se, df = gap
    df = np.maximum(df, 1)
    half = t_quantile(level, df) * se
    return pd.DataFrame({
        "type": what, str(cast.key): [cast.codes[i] for i, _ in pairs], "other": [cast.codes[j] for _, j in pairs],
        "estimate": estimate, "se": se, "low": estimate - half, "high": estimate + half, "p_raw": p_values(estimate, se, df),
    })  # fmt: skip


def _gaps(
    found: Estimates, df: FloatArray, places: tuple[np.ndarray, np.ndarray], level: float
) -> dict[str, FloatArray]:
    """Differences of estimates with intervals, p-values by Holm; NaN where one side has fewer than two."""
    first, second = places
    v = np.nan_to_num(found.covariance)
    variance = v[first, first] + v[second, second] - 2 * v[first, second]
    known = (np.minimum(found.base[first], found.base[second]) > 1) & (variance > 0)
    se = np.where(known, np.sqrt(np.maximum(variance, 0)), np.nan)
    estimate, degrees = found.estimate[first] - found.estimate[second], df[first, second]
    half = t_quantile(level, degrees) * se
    return {
        "estimate": estimate, "se": se, "low": estimate - half, "high": estimate + half,
        "p_value": holm(p_values(estimate, se, degrees)),
        "reliability": reliability(np.minimum(found.base_effective[first], found.base_effective[second])),
    }  # fmt: skip


def moved(cast: Cast, level: float) -> pd.DataFrame:
    """Shares of the types with each cut moved by one step, and the hostages' surplus of switching cost over defectors."""
    moves = [(s, 0.0) for s in cast.satisfaction.shifts()] + [(0.0, s) for s in cast.loyalty.shifts()]
    out = []
    for move in [(0.0, 0.0), *moves]:
        kind = cast.kind(move)[cast.kept]
        if len(np.unique(kind // 2)) < 2 or len(np.unique(kind % 2)) < 2:
            continue  # everybody on one side
        table, _ = shares(cast, level, move)
        table.insert(0, "loyalty_cut", cast.loyalty.cut + move[1])
        table.insert(0, "satisfaction_cut", cast.satisfaction.cut + move[0])
        surplus = costs(cast, level, move)[1]
        for end in ("", "_low", "_high"):
            values = np.full(len(table), np.nan)
            if len(surplus):
                at = surplus["other"] == "defector"
                values[(table["type"] == TYPES[HOSTAGE]).to_numpy()] = surplus.loc[at, end.strip("_") or "estimate"]
            table[f"surplus{end}"] = values
        out.append(table)
    return pd.concat(out, ignore_index=True)
