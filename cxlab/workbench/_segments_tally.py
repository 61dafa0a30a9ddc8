"""Tally: means of metrics in any groups of a filter, with jackknife intervals, quick enough while a filter moves."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import p_values
from cxlab.design import Design, resolve, t_quantile
from cxlab.errors import SurveyError
from cxlab.metrics import Score, score
from cxlab.replicates import deal
from cxlab.result import reliability
from cxlab.workbench._workspace import Workspace

FloatArray = np.ndarray[Any, np.dtype[Any]]
Filter = Mapping[str, Sequence[Any]]
_MANY = 200_000  # rows whose layout is made behind
_AT_ONCE = 2_500_000  # rows × metrics that are added up in about a tenth of a second
_GROUPS = 100  # of the jackknife, as in the moment cube
_KEPT = 64  # metrics whose sums are kept ready
_SETS = 4  # sets of metrics asked together
_TAYLOR = 250_000  # rows × metrics whose design effects are worked out from the rows: some 50 ms
_NOBODY = 1e-9  # part of the weight under which a replicate has only rounding left


@dataclass(frozen=True, eq=False)
class Tallied:
    """Means of some groups, with their replicates.

    Attributes
    ----------
    estimate, base, effective, variance : array, shape (groups,)
        ``effective`` is the library's own, by Taylor linearisation. Of very many rows, and under raking, it is Kish's
        effective base over the rest of the design effect, at least 1 and pooled over the groups: the jackknife's own is too
        noisy to mask small groups by.
    replicates : array, shape (groups, replicates)
    scale : array, shape (replicates,)
        Factor of each squared deviation.
    df : array, shape (groups,)
        Replicates that leave somebody of the group out, less one.
    """

    estimate: FloatArray
    base: FloatArray
    effective: FloatArray
    variance: FloatArray
    replicates: FloatArray
    scale: FloatArray
    df: FloatArray

    def interval(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Estimate ± t · se."""
        half = t_quantile(level, self.df) * self.contrast(np.eye(len(self.estimate)))[1]
        return self.estimate - half, self.estimate + half

    def contrast(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sums of the groups' means, weighted by rows of a matrix (contrasts, groups), with se and degrees of freedom.

        Groups with a weight of zero do not count, whatever their mean.
        """
        used = matrix != 0
        value = np.where(np.isfinite(self.estimate), self.estimate, 0.0)
        deviation = np.where(np.isfinite(self.replicates), self.replicates - self.estimate[:, None], 0.0)
        known = np.isfinite(self.estimate) & np.isfinite(self.replicates).all(axis=1) & (self.df > 0)
        lost = (used & ~known).any(axis=1)
        se = np.sqrt(((matrix @ deviation) ** 2) @ self.scale)
        df = np.where(used, self.df, np.inf).min(axis=1)
        return np.where(lost, np.nan, matrix @ value), np.where(lost, np.nan, se), np.maximum(df, 1.0)

    def tests(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Contrasts with standard errors and p-values; NaN where a group is too small to be shown."""
        value, se, df = self.contrast(matrix)
        small = ((matrix != 0) & (reliability(self.effective) == "suppressed")).any(axis=1)
        return value, se, np.where(small, np.nan, p_values(value, se, df))


@dataclass(frozen=True, eq=False)
class _Sums:
    """Respondents, Σw, Σwx, Σw² and Σwx² of one metric per entry, shape (entries, 5), about a stored constant."""

    parts: FloatArray
    center: float


class Tally:
    """Sums of metrics per cell of all filters, made once per metric; a filter adds them up.

    Parameters
    ----------
    workspace : Workspace

    Notes
    -----
    Groups and multipliers are those of the moment cube; shares and net promoter scores are means of one number per
    respondent and so have exact replicates here too.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._sums: OrderedDict[str, _Sums] = OrderedDict()
        self._scores: dict[str, Score] = {}
        self._last: OrderedDict[tuple[str, ...], tuple[FloatArray, FloatArray]] = OrderedDict()
        self._lock = threading.RLock()
        self._many = len(workspace.survey.data) > _MANY
        if self._many and workspace.splits:
            threading.Thread(target=self._lay, name="cxlab-tally", daemon=True).start()

    def _lay(self) -> None:
        """Lay out the cells of many rows before anybody asks; faults are said when somebody does."""
        with suppress(SurveyError):
            _ = self._laid

    def score(self, metric: str) -> Score:
        """A metric of everybody: ``"nps"``, ``"csat"``, a column or role, or ``"top2(column)"``."""
        with self._lock:
            if metric not in self._scores:
                survey = self._workspace.survey
                inner = metric[5:-1] if metric.startswith("top2(") else None
                self._scores[metric] = score(survey, "csat", item=inner) if inner else score(survey, metric)
            return self._scores[metric]

    def ready(self, metrics: Sequence[str]) -> bool:
        """Whether these metrics answer at once: their sums are there, or are made in an instant."""
        if self._many and "_laid" not in self.__dict__:
            return False
        with self._lock:
            missing = [m for m in metrics if m not in self._sums]
        return len(self._workspace.survey.data) * len(missing) <= _AT_ONCE

    def means(self, metric: str, filter: Filter, by: Sequence[tuple[str, Sequence[Any]]] = ()) -> Tallied:
        """Means of a metric in the groups of columns, crossed, the last varying fastest; of everybody without columns."""
        return self.many([metric], filter, by)[0]

    def many(
        self, metrics: Sequence[str], filter: Filter, by: Sequence[tuple[str, Sequence[Any]]] = ()
    ) -> list[Tallied]:
        """Several metrics at once, see :meth:`means`."""
        laid = self._laid  # made once: a cached property has its own lock
        stacked, centers = self._stacked(metrics)
        group, count = laid.groups(filter, by)
        at = np.flatnonzero(group >= 0)
        group, stratum, part = group[at], laid.stratum[at], laid.part[at]
        stacked = stacked if len(at) == len(stacked) else stacked[at]
        strata, slots = laid.others.shape
        many = len(metrics)
        base, weight, first, squares, second = _added(group, count, stacked).reshape(count, 5, many).transpose(1, 2, 0)
        pair = np.ascontiguousarray(stacked[:, many : 3 * many])  # Σw and Σwx
        own = _added(group * strata + stratum, count * strata, pair).reshape(count, strata, -1)
        change = (laid.own - laid.others)[stratum, part]
        moved = _added(group * slots + part, count * slots, pair, change).reshape(count, slots, -1)
        whole = np.tensordot(own, laid.others, (1, 0)).transpose(1, 0, 2) + moved.transpose(2, 0, 1)
        weights, firsts = whole[:many], whole[many:]  # (metrics, groups, replicates)
        there = (
            _added(group * slots + part, count * slots, np.ascontiguousarray(stacked[:, :many])).reshape(
                count, slots, -1
            )
            > 0
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(base > 0, first / weight, np.nan)
            replicates = np.where(weights > _NOBODY * weight[:, :, None], firsts / weights, np.nan)
            spread = np.maximum(second / weight - mean**2, 0) / np.maximum(base - 1, 1)
            variance = (np.nan_to_num(replicates - mean[:, :, None]) ** 2) @ laid.scale
            kish = np.where(base > 0, weight**2 / squares, 0.0)
            known = (variance > 1e-12 * spread) & (spread > 0)
            beyond = np.where(known, variance * kish / np.where(known, base * spread, 1.0), 0.0)
        counted = np.where(known, base, 0.0)
        pooled = (beyond * counted).sum(axis=1) / np.maximum(counted.sum(axis=1), 1.0)
        effective = kish / np.maximum(pooled, 1.0)[:, None]
        df = there.sum(axis=1).T - 1.0
        if laid.design.calibration is None and len(laid.rows) * many <= _TAYLOR:
            by_design = laid.spread(*laid.groups(filter, by))
            effective, variance = map(np.array, zip(*(by_design(self.score(m).values) for m in metrics), strict=True))
        return [Tallied(mean[k] + centers[k], base[k], effective[k], variance[k], replicates[k] + centers[k], laid.scale, df[k])
                for k in range(many)]  # fmt: skip

    def people(self, filter: Filter, by: Sequence[tuple[str, Sequence[Any]]]) -> np.ndarray:
        """Respondents of each group, whatever they answered."""
        laid = self._laid
        group, count = laid.groups(filter, by)
        inside = group >= 0
        return np.bincount(group[inside], laid.rows_of[inside], count).astype(np.intp)

    @cached_property
    def _laid(self) -> _Layout:
        return _layout(self._workspace)

    def _stacked(self, metrics: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """Sums of several metrics side by side, shape (entries, 5 × metrics), and their constants; the last ones are kept."""

        def made() -> tuple[FloatArray, FloatArray]:
            found = [self._kept(self._sums, _KEPT, m, partial(self._of, m)) for m in metrics]
            side = np.stack([f.parts for f in found], axis=2).reshape(len(found[0].parts), -1)
            return side, np.array([f.center for f in found])

        return self._kept(self._last, _SETS, tuple(metrics), made)

    def _of(self, metric: str) -> _Sums:
        return self._laid.sums(self.score(metric).values)

    def _kept(self, among: OrderedDict[Any, Any], most: int, key: Any, make: Callable[[], Any]) -> Any:
        """What is kept under a key, or make it now; nobody waits meanwhile who asks for something else."""
        with self._lock:
            if key in among:
                among.move_to_end(key)
                return among[key]
        made = make()
        with self._lock:
            among[key] = made
            while len(among) > most:
                among.popitem(last=False)
        return made


@dataclass(frozen=True, eq=False)
class _Layout:
    """Entries: combinations of cell, stratum and replicate group that respondents have."""

    rows: np.ndarray
    weights: FloatArray
    entry: np.ndarray
    codes: Mapping[str, list[Any]]
    levels: Mapping[str, np.ndarray]
    stratum: np.ndarray
    part: np.ndarray
    own: FloatArray
    others: FloatArray
    scale: FloatArray
    design: Design

    @cached_property
    def rows_of(self) -> np.ndarray:
        """Respondents of each entry."""
        return np.bincount(self.entry, minlength=len(self.stratum))

    def spread(self, group: np.ndarray, count: int) -> Callable[[FloatArray], tuple[FloatArray, FloatArray]]:
        """From a metric, one number per row of the data, to effective bases and variances of its means in groups of entries.

        As :func:`cxlab.design.weighted_means`: PSU totals of deviations between the PSUs of each stratum.
        """
        design, strata = self.design, len(self.design.names)
        member = group[self.entry]
        inside = np.flatnonzero(member >= 0)
        rows, member, weights = self.rows[inside], member[inside], self.weights[inside]
        unit, known = pd.factorize(member * np.int64(len(design.stratum)) + design.psu[rows])
        place, psu = np.divmod(known, len(design.stratum))
        cell = place * strata + design.stratum[psu]
        scale = (1 - design.fraction) * design.units / np.maximum(design.units - 1, 1)

        def of(values: FloatArray) -> tuple[FloatArray, FloatArray]:
            found = np.asarray(values, dtype=float)[rows]
            there = np.isfinite(found)
            w, x = np.where(there, weights, 0.0), np.where(there, found, 0.0)
            base, total, squares, first = (np.bincount(member, v, count) for v in (there, w, w * w, w * x))
            safe = np.where(total > 0, total, 1.0)
            off = np.where(there, x - (first / safe)[member], 0.0)
            sums = np.bincount(unit, w * off, len(known)) / safe[place]
            squared, summed = (np.bincount(cell, v, count * strata).reshape(count, strata) for v in (sums**2, sums))
            mean = summed / design.units
            if design.lonely == "adjust":
                mean[:, design.single] = summed.sum(axis=1, keepdims=True) / len(design.stratum)
            variance = (squared - 2 * mean * summed + design.units * mean**2) @ scale
            simple = np.bincount(member, w * off**2, count) / safe / np.maximum(base - 1, 1)
            usual = (variance > 1e-12 * simple) & (base > 1)
            kish = np.where(total > 0, total**2 / np.where(squares > 0, squares, 1.0), 0.0)
            return np.where(usual, base * simple / np.where(usual, variance, 1.0), kish), variance

        return of

    def sums(self, values: FloatArray) -> _Sums:
        """Add up a metric given as one number per row of the data."""
        found = np.asarray(values, dtype=float)[self.rows]
        known = np.isfinite(found)
        entry, w, x = self.entry[known], self.weights[known], found[known]
        center = float(w @ x / w.sum()) if len(w) else 0.0
        x = x - center
        parts = [np.bincount(entry, v, len(self.stratum)) for v in (np.ones(len(w)), w, w * x, w * w, w * x * x)]
        return _Sums(np.column_stack(parts), center)

    def groups(self, filter: Filter, by: Sequence[tuple[str, Sequence[Any]]]) -> tuple[np.ndarray, int]:
        """Group of each entry, −1 for none, and the number of groups."""
        inside = np.ones(len(self.stratum), dtype=bool)
        for column, wanted in filter.items():
            inside &= self._places(column, wanted) >= 0
        group, count = np.zeros(len(self.stratum), dtype=np.intp), 1
        for column, codes in by:
            place = self._places(column, codes)
            inside &= place >= 0
            group, count = group * len(codes) + place, count * len(codes)
        return np.where(inside, group, -1), count

    def _places(self, column: str, codes: Sequence[Any]) -> np.ndarray:
        """Place of each entry's code among some codes, −1 for none of them."""
        own = {code: k for k, code in enumerate(self.codes[column])}
        place = np.full(len(own) + 1, -1, dtype=np.intp)  # the last is for a missing code
        for k, code in enumerate(codes):
            if code in own:
                place[own[code]] = k
        return place[self.levels[column]]


def _added(group: np.ndarray, count: int, values: FloatArray, factor: FloatArray | None = None) -> FloatArray:
    """Rows of a matrix, times a factor each, added up by group, shape (count, columns)."""
    from scipy.sparse import csc_array

    ones = np.ones(len(group)) if factor is None else factor
    return np.asarray(csc_array((ones, group, np.arange(len(group) + 1)), shape=(count, len(group))) @ values)


def _layout(workspace: Workspace) -> _Layout:
    survey = workspace.survey
    design = resolve(survey)
    dealt = deal(design, _GROUPS)
    rows = np.flatnonzero(survey.domain & (survey.weights > 0))
    unit = design.psu[rows]
    keys = [design.stratum[unit].astype(np.int64), dealt.group[unit].astype(np.int64)]
    codes = {}
    for column in workspace.splits:
        place, known = pd.factorize(survey.data[column].iloc[rows], sort=True)
        codes[column] = list(known.tolist())
        keys.append(place.astype(np.int64))
    entry = np.zeros(len(rows), dtype=np.int64)
    for key in keys:
        entry = pd.factorize(entry * (int(key.max(initial=0)) + 2) + key + 1)[0].astype(np.int64)
    first = np.full(int(entry.max(initial=-1)) + 1, len(rows), dtype=np.intp)
    np.minimum.at(first, entry, np.arange(len(rows)))
    stratum, part, *levels = (key[first].astype(np.intp) for key in keys)
    return _Layout(rows, survey.weights[rows], entry, codes, dict(zip(codes, levels, strict=True)), stratum, part,
                   dealt.own, dealt.others, dealt.scale, design)  # fmt: skip
