"""Do paths differ between groups? Differences under shared replicates, joint tests, and the gate of comparability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlab.contrasts import detectable, holm, p_values
from cxlab.design import t_quantile
from cxlab.layers._estimate import ARROW, route_effects, routes
from cxlab.layers._groups_cells import Group
from cxlab.layers._kernel import Kernel
from cxlab.layers._micom import UNTESTED, Pair, Permuted
from cxlab.result import reliability

FloatArray = np.ndarray[Any, np.dtype[Any]]
COMPOSITION, UNKNOWN = "composition: ", "untested: "  # what a reason begins with; the constructs follow
POWER = 0.8


@dataclass(frozen=True)
class Effect:
    """A path, a route, or a sum of them.

    Attributes
    ----------
    source, target : str
    kind : {"direct", "indirect", "total indirect", "total"}
    route : str
        Of an indirect effect.
    ways : tuple of tuples of int
        Routes that are added up, as places of constructs.
    constructs : tuple of str
        Whose composition it rests on.
    """

    source: str
    target: str
    kind: str
    route: str
    ways: tuple[tuple[int, ...], ...]
    constructs: tuple[str, ...]

    @property
    def key(self) -> dict[str, str]:
        """Columns of a table that name it."""
        return {"source": self.source, "target": self.target, "kind": self.kind, "route": self.route}


def effects_of(kernel: Kernel) -> list[Effect]:
    """Every path in the order of targets, then indirect and total effects; none that repeats another."""
    names, paths = kernel.names, kernel.plan.structure.paths
    out = []
    for j, i in np.argwhere(paths.T).tolist():
        out.append(Effect(names[i], names[j], "direct", "", ((i, j),), (*names[i].split(":"), names[j])))
    own = range(len(kernel.products), len(names))
    for i in own:
        for j in own:
            found = routes(paths, i, j)
            ends = (names[i], names[j])
            out += [
                Effect(*ends, "indirect", ARROW.join(names[k] for k in way), (way,), tuple(names[k] for k in way))
                for way in found
            ]
            passed = tuple(dict.fromkeys(names[k] for way in found for k in way))
            if len(found) > 1:
                out.append(Effect(*ends, "total indirect", "", tuple(found), passed))
            if found and paths[i, j]:
                out.append(Effect(*ends, "total", "", ((i, j), *found), passed))
    return out


def values_of(coefficients: FloatArray, effects: Sequence[Effect]) -> FloatArray:
    """Effects under a batch of path coefficients (batch, m, m), shape (batch, effects)."""
    return np.column_stack([route_effects(coefficients, e.ways).sum(axis=1) for e in effects])


@dataclass(frozen=True, eq=False)
class Compared:
    """Effects of the groups that are tested.

    Attributes
    ----------
    effects : list of Effect
    groups : list of Group
    estimate : array, shape (groups, effects)
    draws : array, shape (groups, replicates, effects)
        Of replicates in which every group has a solution.
    failed : int
    """

    effects: list[Effect]
    groups: list[Group]
    estimate: FloatArray
    draws: FloatArray
    failed: int

    def place(self, group: Group) -> int:
        """Position of a group."""
        return next(k for k, g in enumerate(self.groups) if g is group)


def compared(kernel: Kernel, groups: Sequence[Group]) -> Compared:
    """Gather the effects of the groups that are tested."""
    effects = effects_of(kernel)
    tested = [g for g in groups if g.tested]
    pairs = [(g.kernel, g.draws) for g in tested if g.kernel is not None and g.draws is not None]
    if not pairs:
        return Compared(effects, [], np.empty((0, len(effects))), np.empty((0, 0, len(effects))), 0)
    sound = np.logical_and.reduce([d.converged for _, d in pairs])
    return Compared(
        effects, tested, np.stack([values_of(k.sample.paths, effects)[0] for k, _ in pairs]),
        np.stack([values_of(d.paths[sound], effects) for _, d in pairs]), int((~sound).sum()),
    )  # fmt: skip


# ------------------------------------------------------------------------------ the gate
def unlike(micom: pd.DataFrame, first: Any = None, second: Any = None) -> list[str]:
    """Constructs that two groups, or any two of all, compose differently."""
    return _graded(micom, "none", first, second)


def untested(micom: pd.DataFrame, first: Any = None, second: Any = None) -> list[str]:
    """Constructs of which two groups, or any two of all, have too few sampling units to test the composition."""
    return _graded(micom, UNTESTED, first, second)


def _graded(micom: pd.DataFrame, grade: str, first: Any, second: Any) -> list[str]:
    if micom.empty:
        return []
    found = micom[(micom["invariance"] == grade).to_numpy()]
    if first is not None:
        found = found[((found["segment"] == first) & (found["other"] == second)).to_numpy()]
    return list(dict.fromkeys(found["construct"]))


def reason_of(effect: Effect, failed: Sequence[str], unknown: Sequence[str]) -> str:
    """Why an effect cannot be compared; ``""`` where it can."""
    for reason, constructs in ((COMPOSITION, failed), (UNKNOWN, unknown)):
        found = [c for c in constructs if c in effect.constructs]
        if found:
            return reason + ", ".join(found)
    return ""


# ------------------------------------------------------------------------------ pairs
def differences(
    found: Compared, pairs: Sequence[Pair], drawn: Sequence[Permuted | None], micom: pd.DataFrame, level: float
) -> pd.DataFrame:
    """One row per effect and pair of groups, what cannot be compared without a test."""
    if not pairs:
        return pd.DataFrame(columns=_DIFFERENCES)
    table = pd.concat(
        [_pair_rows(found, pair, p, micom) for pair, p in zip(pairs, drawn, strict=True)], ignore_index=True
    )
    order = {tuple(e.key.values()): k for k, e in enumerate(found.effects)}
    table["_place"] = [order[tuple(r)] for r in table[["source", "target", "kind", "route"]].to_numpy().tolist()]
    table = table.sort_values("_place", kind="stable", ignore_index=True)
    direct = (table["kind"] == "direct").to_numpy()
    table["p_value"], tests = np.nan, np.ones(len(table))
    for family in (direct, ~direct):
        raw = np.where(family & table["comparable"].to_numpy(), table["p_raw"], np.nan)
        table.loc[family, "p_value"] = holm(raw)[family]
        tests[family] = max(int(np.isfinite(raw).sum()), 1)
    half = t_quantile(level, table["df"]) * table["se"]
    table["low"], table["high"] = table["estimate"] - half, table["estimate"] + half
    table["detectable"] = [
        detectable(se, df, level=1 - (1 - level) / n, power=POWER)
        for se, df, n in zip(table["se"], table["df"], tests, strict=True)
    ]
    masked = ~table["comparable"].to_numpy()
    table.loc[masked, ["estimate", "se", "low", "high", "p_value", "p_raw", "p_permutation", "detectable"]] = np.nan
    return table[_DIFFERENCES]


_DIFFERENCES = [
    "source", "target", "kind", "route", "segment", "other", "value", "value_other", "estimate", "se", "low", "high", "p_value",
    "p_raw", "p_permutation", "detectable", "df", "comparable", "reason", "base_effective", "reliability",
]  # fmt: skip


def _pair_rows(found: Compared, pair: Pair, drawn: Permuted | None, micom: pd.DataFrame) -> pd.DataFrame:
    one, two = found.place(pair.first), found.place(pair.second)
    gap = found.estimate[one] - found.estimate[two]
    se = (found.draws[one] - found.draws[two]).std(axis=0, ddof=1)
    df = _satterthwaite(found.draws[[one, two]].var(axis=1), pair)
    codes = pair.first.code, pair.second.code
    failed, unknown = unlike(micom, *codes), untested(micom, *codes)
    reasons = [reason_of(e, failed, unknown) for e in found.effects]
    return pd.DataFrame({
        **{name: [e.key[name] for e in found.effects] for name in ("source", "target", "kind", "route")},
        "segment": pair.first.code, "other": pair.second.code, "value": found.estimate[one], "value_other": found.estimate[two],
        "estimate": gap, "se": se, "p_raw": p_values(gap, se, df), "p_permutation": _permutation(found, gap, drawn), "df": df,
        "comparable": [not r for r in reasons], "reason": reasons, "base_effective": pair.base,
        "reliability": str(reliability(pair.base)),
    })  # fmt: skip


def _satterthwaite(variances: FloatArray, pair: Pair) -> FloatArray:
    """Degrees of freedom of differences of two groups, from the variances of both, shape (effects,)."""
    share = variances / variances.sum(axis=0)
    return np.minimum(1 / np.sum(share**2 / pair.df[:, None], axis=0), pair.both)


def _permutation(found: Compared, gap: FloatArray, drawn: Permuted | None) -> FloatArray:
    """Share of permutations with a difference at least as large."""
    if drawn is None:
        return np.full(len(gap), np.nan)
    sound = drawn.sound
    values = values_of(drawn.first.paths[sound], found.effects) - values_of(drawn.second.paths[sound], found.effects)
    return np.asarray((1 + (np.abs(values) >= np.abs(gap) - 1e-12).sum(axis=0)) / (1 + sound.sum()))


# ------------------------------------------------------------------------------ all groups at once
def overall(found: Compared, micom: pd.DataFrame) -> pd.DataFrame:
    """One row per effect: is it the same in all groups?

    Notes
    -----
    F = W (B − q − 2) / ((B − 1) q (1 + 2(q − 1)Λ)) with W the Wald statistic of the q = G − 1 contrasts under the covariance
    of B replicates, whose inverse is too large by the first factor (Hartlap, Simon & Schneider 2007), on q and 1 / (3Λ + 1/(B −
    1)) degrees of freedom. Λ = Σ (1 − w/Σw)² / df / (q (q + 2)) with w = 1/v allows for variances that are estimated (Welch
    1951).
    """
    if len(found.groups) < 2:
        return pd.DataFrame(columns=_OVERALL)
    failed, unknown = unlike(micom), untested(micom)
    rows = []
    for k, effect in enumerate(found.effects):
        reason = reason_of(effect, failed, unknown)
        tested = (
            {"f": np.nan, "q": len(found.groups) - 1, "df": np.nan, "p_raw": np.nan} if reason else _joint(found, k)
        )
        rows.append(effect.key | tested | {"segments": len(found.groups), "comparable": not reason, "reason": reason})
    table = pd.DataFrame(rows)
    direct = (table["kind"] == "direct").to_numpy()
    table["p_value"] = np.nan
    for family in (direct, ~direct):
        table.loc[family, "p_value"] = holm(np.where(family, table["p_raw"], np.nan))[family]
    return table[_OVERALL]


_OVERALL = [
    "source",
    "target",
    "kind",
    "route",
    "segments",
    "f",
    "q",
    "df",
    "p_value",
    "p_raw",
    "comparable",
    "reason",
]


def _joint(found: Compared, k: int) -> dict[str, float]:
    draws = found.draws[:, :, k].T
    count, q = len(draws), len(found.groups) - 1
    none = {"f": np.nan, "q": q, "df": np.nan, "p_raw": np.nan}
    if count <= q + 3:
        return none
    covariance = np.atleast_2d(np.cov(np.diff(draws, axis=1), rowvar=False))
    step = np.diff(found.estimate[:, k])
    statistic = float(step @ np.linalg.pinv(covariance, hermitian=True) @ step) * (count - q - 2) / (count - 1)
    w = 1 / draws.var(axis=0)
    own = np.array([g.kernel.prepared.sample.df for g in found.groups if g.kernel is not None])
    unsure = float(np.sum((1 - w / w.sum()) ** 2 / own)) / (q * (q + 2))
    f = statistic / q / (1 + 2 * (q - 1) * unsure)
    df = 1 / (3 * unsure + 1 / (count - 1))
    return none | {"f": f, "df": df, "p_raw": float(stats.f.sf(f, q, df))}
