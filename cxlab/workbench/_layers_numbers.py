"""Numbers of the 360 tab: the same tables from the cube while something moves, and from the library's results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cxlab import pls
from cxlab.cube import Jackknifed
from cxlab.design import t_quantile
from cxlab.layers import IpmaResult, Kernel, Moved, PathGroupsResult, PathModelResult, Room
from cxlab.result import reliability

FloatArray = np.ndarray[Any, np.dtype[Any]]
Label = Callable[[str], str]
LEVEL = 0.95
KINDS = ("total", "direct", "indirect")


@dataclass(frozen=True, eq=False)
class Group:
    """Everybody (code None) or a group.

    Attributes
    ----------
    code : number, str or None
    base : int
    effective : float
    known : bool
        Whether the model has a solution.
    """

    code: Any
    base: int
    effective: float
    known: bool = True

    @property
    def grade(self) -> str:
        """ok, low or suppressed; suppressed as well without a solution."""
        return str(reliability(self.effective)) if self.known else "suppressed"


class Row(NamedTuple):
    """A path (kind "path") or an effect (total, direct, or indirect by all routes together) with its interval."""

    segment: Any
    source: str
    target: str
    kind: str
    estimate: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Numbers:
    """What the pictures of paths and effects are drawn from.

    Attributes
    ----------
    groups : tuple of Group
    rows : list of Row
    constructs : mapping of (segment, construct) to (index, R²)
    edges : tuple of pairs
        Paths of the model, in the order of targets.
    """

    groups: tuple[Group, ...]
    rows: list[Row]
    constructs: Mapping[tuple[Any, str], tuple[float, float]]
    edges: tuple[tuple[str, str], ...]

    @property
    def shown(self) -> list[Group]:
        """Groups whose numbers may be seen."""
        return [g for g in self.groups if g.grade != "suppressed"]

    def of(self, kind: str, target: str | None = None) -> list[Row]:
        """Rows of a kind, of groups that are shown."""
        codes = [g.code for g in self.shown]
        return [r for r in self.rows if r.kind == kind and target in (None, r.target) and r.segment in codes]


def ends(estimate: FloatArray, values: FloatArray, moments: Jackknifed) -> dict[str, FloatArray]:
    """Estimates (p,) with t intervals from jackknife replicates (replicates, p)."""
    half = t_quantile(LEVEL, moments.df) * np.sqrt(moments.scale @ (values - estimate) ** 2)
    return {"estimate": estimate, "low": estimate - half, "high": estimate + half}


# ------------------------------------------------------------------------------ from the cube
def of_moments(found: Sequence[tuple[Group, Moved | None, Jackknifed | None]], edges: Sequence[Any]) -> Numbers:
    """Numbers of one or several groups; of a group without a solution only its base."""
    rows: list[Row] = []
    constructs: dict[tuple[Any, str], tuple[float, float]] = {}
    known: tuple[tuple[str, str], ...] = tuple(edges)
    for group, model, moments in found:
        if model is None or moments is None:
            continue
        rows += _rows(group.code, model, moments)
        constructs |= _constructs(group.code, model.kernel)
        known = tuple((model.names[i], model.names[j]) for i, j in zip(*_ordered(model.paths), strict=True))
    return Numbers(tuple(g for g, _, _ in found), rows, constructs, known)


def _ordered(paths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sources and targets, in the order of targets."""
    source, target = np.nonzero(paths)
    order = np.lexsort((source, target))
    return source[order], target[order]


def _rows(segment: Any, model: Moved, moments: Jackknifed) -> list[Row]:
    """Paths and effects of a group."""
    reached = pls.total_effects(model.paths[None].astype(float))[0] > 0
    by_way = model.paths.astype(int) @ reached.astype(int) > 0
    direct, total = (model.sample.paths, model.draws.paths), (model.sample.total, model.draws.total)
    kinds = {"path": (direct, model.paths), "total": (total, reached), "direct": (direct, model.paths),
             "indirect": ((total[0] - direct[0], total[1] - direct[1]), by_way)}  # fmt: skip
    out = []
    for kind, ((sample, draws), there) in kinds.items():
        at = _ordered(there)
        found = ends(sample[0][at], draws[(slice(None), *at)], moments)
        numbers = zip(*at, *(found[k].tolist() for k in ("estimate", "low", "high")), strict=True)
        out += [Row(segment, model.names[i], model.names[j], kind, *rest) for i, j, *rest in numbers]
    return out


def _constructs(segment: Any, kernel: Kernel) -> dict[tuple[Any, str], tuple[float, float]]:
    """Index and R² of each construct; NaN where it has none."""
    caused, sample = kernel.plan.structure.paths.any(axis=0), kernel.sample
    explained = np.where(caused, sample.r_squared[0], np.nan)
    pairs = zip(sample.index[0].tolist(), explained.tolist(), strict=True)
    return {(segment, name): pair for name, pair in zip(kernel.names, pairs, strict=True)}


# ------------------------------------------------------------------------------ from results
_KIND = {"total": "total", "direct": "direct", "total indirect": "indirect"}


def of_result(result: PathModelResult) -> Numbers:
    """Numbers of a path model."""
    group = Group(None, result.base.respondents, result.base.effective)
    constructs = _constructs(None, result.kernel) if result.kernel else {}
    return Numbers((group,), _tabled(result.table, result.effects), constructs, _edges(result.table))


def of_groups(result: PathGroupsResult) -> Numbers:
    """Numbers of a comparison of groups."""
    groups = [
        Group(r.segment, int(r.base), min(float(r.base), float(r.base_effective)), r.segment in result.kernels)
        for r in _records(result.table.drop_duplicates("segment"))
    ]
    constructs = {k: v for code, kernel in result.kernels.items() for k, v in _constructs(code, kernel).items()}
    return Numbers(tuple(groups), _tabled(result.table, result.effects), constructs, _edges(result.table))


def _records(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


def _tabled(table: pd.DataFrame, effects: pd.DataFrame) -> list[Row]:
    """Rows of the library's tables."""
    pairs = [("path", r) for r in _records(table)] + [(_KIND.get(r.kind, ""), r) for r in _records(effects)]
    return [
        Row(getattr(r, "segment", None), r.source, r.target, kind, float(r.estimate), float(r.low), float(r.high))
        for kind, r in pairs if kind
    ]  # fmt: skip


def _edges(table: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys(zip(table["source"], table["target"], strict=True)))


# ------------------------------------------------------------------------------ importance and performance
PARTS = ("importance", "performance", "gain")


def of_room(found: Sequence[tuple[Group, Room, Jackknifed]]) -> pd.DataFrame:
    """Points of the map as :func:`cxlab.ipma` tables them, from the cube."""
    out = []
    for group, room, moments in found:
        columns: dict[str, Any] = {"construct": list(room.constructs)}
        columns |= {"item": list(room.items)} if room.items else {}
        for part in PARTS:
            values = getattr(room, part)
            found_ends = ends(values[0], values[1:], moments)
            columns |= {f"{part}{k}": found_ends[e] for k, e in (("", "estimate"), ("_low", "low"), ("_high", "high"))}
        sizes: dict[str, Any] = {"base": group.base, "base_effective": group.effective, "reliability": group.grade}
        out.append(pd.DataFrame(columns).assign(segment=group.code, near=_near(room.gain, moments), **sizes))
    return pd.concat(out, ignore_index=True)


def _near(gain: FloatArray, moments: Jackknifed) -> int:
    """How many gains the largest is not clearly ahead of: jackknife tests of the differences, Bonferroni over them."""
    ahead = gain.T[int(np.argmax(gain[0]))][:, None] - gain
    others = np.arange(gain.shape[1]) != np.argmax(gain[0])
    if not others.any():
        return 0
    error = np.sqrt(moments.scale @ (ahead[1:] - ahead[0]) ** 2)
    return int((ahead[0] <= t_quantile(1 - (1 - LEVEL) / others.sum(), moments.df) * error)[others].sum())


def of_ipma(result: IpmaResult) -> pd.DataFrame:
    """Points of the map from the library's own table."""
    return result.table if "segment" in result.table else result.table.assign(segment=None)


def groups_of(table: pd.DataFrame) -> list[Mapping[str, Any]]:
    """Groups of a map with their bases."""
    first = table.drop_duplicates("segment")
    return [{"code": r.segment, "base": int(r.base), "grade": r.reliability} for r in _records(first)]
