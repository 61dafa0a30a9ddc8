"""The moment cube: built once from a survey, asked by filters that add up cells."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from cxlab.cube._answers import AnswerView, Coded, answer_view, as_answers
from cxlab.cube._layout import Filter, Splits, patterns, placed, split_by
from cxlab.cube._sums import Placed, as_moments, size_of
from cxlab.cube._views import RowView, Table, TableView, View, degrees, empty_table, merged, runs, tabulate
from cxlab.design import Design, resolve
from cxlab.errors import SurveyError, unknown_names
from cxlab.replicates import Dealt, deal
from cxlab.scenarios import Answers
from cxlab.survey import Survey
from cxlab.words import Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]
Progress = Callable[[int, int], None]
GROUPS = 100
MOST_BYTES = 1 << 30
_Made = TypeVar("_Made")
_VIEWS = 8  # sets of columns whose complete rows are kept ready
_KEPT = 12  # filters whose models are kept ready
_NOBODY = 1e-9  # part of the weight under which a replicate has only rounding left


@dataclass(frozen=True, eq=False)
class Jackknifed:
    """Means and covariances of some respondents, with their replicates.

    Attributes
    ----------
    names : tuple of str, length k
    mean : array, shape (k,)
    covariance : array, shape (k, k)
        Weighted, divisor Σw.
    means : array, shape (replicates, k)
    replicates : array, shape (replicates, k, k)
        NaN where a replicate has nobody.
    scale : array, shape (replicates,)
        Factor of each squared deviation.
    base : int
        Complete rows.
    base_kish : float
        (Σw)² / Σw².
    df : float
        min(replicates − 1, PSUs − strata) of the rows, at least 1.
    """

    names: tuple[str, ...]
    mean: FloatArray
    covariance: FloatArray
    means: FloatArray
    replicates: FloatArray
    scale: FloatArray
    base: int
    base_kish: float
    df: float

    def spread(self, replicates: FloatArray, estimate: FloatArray) -> FloatArray:
        """Jackknife covariance of statistics (p,) from their replicates (replicates, p), shape (p, p).

        Raises
        ------
        SurveyError
            If statistics are undefined in some replicates.
        """
        bad = int(np.sum(~np.isfinite(replicates).all(axis=1)))
        if bad:
            raise SurveyError(
                f"{bad} of {len(replicates)} replicates leave an estimate undefined: the base of {self.base:,} is too "
                "small for intervals; widen the filter."
            )
        deviation = replicates - estimate
        return np.asarray((deviation * self.scale[:, None]).T @ deviation)

    @cached_property
    def base_effective(self) -> FloatArray:
        """Base divided by the design effect of each column's mean, shape (k,); Kish's for a column without variation."""
        variance = np.diagonal(self.spread(self.means, self.mean))
        simple = np.diagonal(self.covariance) / max(self.base - 1, 1)
        known = (variance > 1e-12 * simple) & (simple > 0)
        return np.where(known, self.base * simple / np.where(known, variance, 1.0), self.base_kish)


@dataclass(frozen=True, eq=False)
class _Block:
    """Rows of one pattern of answers, held as moments per cell."""

    answered: np.ndarray
    rows: slice
    table: Table


class MomentCube:
    """Weighted moments of a survey's columns per cell of the segments, under every replicate of a jackknife.

    Make one with :func:`moment_cube`. A filter adds up cells; nothing is refitted. Several threads may ask at once.

    Attributes
    ----------
    names : tuple of str
        Columns that can be analysed.
    splits : tuple of str
        Columns that filters choose by.
    storage : {"cells", "rows"}
        Whether tables of moments are held, or the rows serve as there are fewer of them.
    groups : int
        Replicates of the jackknife.
    notes : tuple of Note
    """

    def __init__(self, plan: CubePlan, blocks: Sequence[_Block]) -> None:
        self._plan = plan
        self._blocks = tuple(blocks)
        self._views: OrderedDict[tuple[int, ...], View] = OrderedDict()
        self._coded: dict[str, Coded] = {}
        self._kept: OrderedDict[tuple[Any, bytes], Any] = OrderedDict()
        self._tables: OrderedDict[tuple[tuple[str, ...], tuple[str, ...]], AnswerView] = OrderedDict()
        self._lock = threading.RLock()
        self.names = plan.names
        self.splits = plan.splits.names
        self.storage = plan.storage
        self.groups = len(plan.dealt.scale)
        self.notes = _notes(plan)

    def __repr__(self) -> str:
        plan = self._plan
        return (
            f"MomentCube({len(self.names)} columns, {len(plan.rows):,} rows, {len(plan.splits.levels):,} cells, "
            f"{self.groups} groups, held as {self.storage}, {self.bytes / 1e6:,.1f} MB)"
        )

    @property
    def bytes(self) -> int:
        """Bytes held now, the views of the last sets of columns included."""
        with self._lock:
            coded, tables, views = [*self._coded.values()], [*self._tables.values()], [*self._views.values()]
        held = sum(c.code.nbytes for c in coded) + sum(t.bytes for t in tables) + sum(v.bytes for v in views)
        return self._plan.bytes + held

    def codes(self, split: str) -> list[Any]:
        """Codes that respondents have in a column that filters choose by."""
        if split not in self.splits:
            raise unknown_names("split", [split], self.splits, "the cube's splits")
        return list(self._plan.splits.codes[self.splits.index(split)])

    def covariances(self, filter: Filter | None, columns: Sequence[str]) -> Jackknifed:
        """Means and covariances of the respondents in a filter who answered all the columns, with replicates.

        Parameters
        ----------
        filter : mapping of column to code, label, or list of them; None for everybody
        columns : sequence of str

        Returns
        -------
        Jackknifed

        Raises
        ------
        SurveyError
            For unknown names or values, or if nobody in the filter answered all columns.
        """
        at = self._positions(columns)
        inside = self._plan.splits.inside(filter)
        view = self.view(columns)
        base, squares = view.bases(inside)
        if base == 0:
            raise SurveyError(
                f"nobody in the filter answered all {len(at)} columns; widen the filter, or name fewer columns."
            )
        sums = view.sums(inside)
        sums[:, :-1][:, ~(sums[0, :-1] > _NOBODY * sums[0, -1])] = np.nan
        moments = as_moments(sums, self._plan.center[at])
        means, covariances = moments.mean(), moments.covariance()
        design = self._plan.design
        df = degrees(view.units(inside), design.stratum, len(design.names), self.groups - 1.0)
        return Jackknifed(
            tuple(columns), means[-1], covariances[-1], means[:-1], covariances[:-1], self._plan.dealt.scale,
            base, float(sums[0, -1] ** 2 / squares), df,
        )  # fmt: skip

    def answers(self, filter: Filter | None, columns: Sequence[str], items: Sequence[str]) -> list[Answers]:
        """How the respondents in a filter who answered all the columns answered some of them, with replicates.

        Parameters
        ----------
        filter : mapping of column to code, label, or list of them; None for everybody
        columns : sequence of str
            Whose complete rows count, as for :meth:`covariances`.
        items : sequence of str
            Some of them.

        Returns
        -------
        list of Answers
            With the ends of scales that are declared, or seen among all respondents; shares of shape (1 + replicates, m + 1): the sample's first, then those without each group.

        Raises
        ------
        SurveyError
            For unknown names or values, or items that are not among the columns.
        """
        absent = [i for i in items if i not in columns]
        if absent:
            raise unknown_names("items", absent, columns, "columns")
        view = self.answer_view(columns, items)
        coded = [self._coded[i] for i in items]
        return as_answers(view.weights(self._plan.splits.inside(filter)), coded)

    def answer_view(self, columns: Sequence[str], items: Sequence[str]) -> AnswerView:
        """Answers of the complete rows of some columns, kept for the sets used last."""
        at = self._positions(columns)
        key = tuple(sorted(columns)), tuple(items)
        return self._last(self._tables, key, _VIEWS, lambda: self._answered(at, items))

    def _answered(self, at: IntArray, items: Sequence[str]) -> AnswerView:
        rows = self._plan.rows
        for i in items:
            if i not in self._coded:
                place = self.names.index(i)
                self._coded[i] = Coded.of(self._plan.splits.survey, i, rows.columns[place], self._plan.center[place])
        taken, whole = self._complete(at)
        taken = np.concatenate([taken, *(np.arange(b.rows.start, b.rows.stop) for b in whole)])
        coded = [replace(self._coded[i], code=self._coded[i].code[taken]) for i in items]
        return answer_view(rows.take(taken, []), coded, self._plan.dealt, self._plan.most_bytes // _VIEWS)

    def kept(self, key: Any, filter: Filter | None, make: Callable[[], _Made]) -> _Made:
        """What was made for a filter and a key, or make it now; the last are kept."""
        whole = key, self._plan.splits.inside(filter).tobytes()
        return self._last(self._kept, whole, _KEPT, make)

    def _last(self, among: OrderedDict[Any, Any], key: Any, most: int, make: Callable[[], _Made]) -> _Made:
        """What is kept under a key, or make it now, without holding up who asks for something else meanwhile."""
        with self._lock:
            if key in among:
                among.move_to_end(key)
                found: _Made = among[key]
                return found
        made = make()
        with self._lock:
            among[key] = made
            while len(among) > most:
                among.popitem(last=False)
        return made

    def _complete(self, at: IntArray) -> tuple[IntArray, list[_Block]]:
        """Rows outside the tables that answered some columns, and the blocks whose rows all did."""
        return self._plan.rest(at), [block for block in self._blocks if block.answered[at].all()]

    def prepare(self, columns: Sequence[str], progress: Progress | None = None) -> None:
        """Make the complete rows of some columns ready, so that the first filter is as quick as the next."""
        self.view(columns, progress)

    def view(self, columns: Sequence[str], progress: Progress | None = None) -> View:
        """Complete rows of some columns, kept for the sets of columns used last."""
        at = self._positions(columns)
        return self._last(self._views, tuple(at.tolist()), _VIEWS, lambda: self._made(at, progress))

    def _positions(self, columns: Sequence[str]) -> IntArray:
        unknown = [c for c in columns if c not in self.names]
        if unknown:
            raise unknown_names("columns", unknown, self.names, "the cube")
        if not len(columns) or len(set(columns)) < len(columns):
            raise SurveyError(f"columns is {list(columns)}; name at least one column, and each once.")
        return np.array([self.names.index(c) for c in columns], dtype=np.intp)

    def _made(self, at: IntArray, progress: Progress | None) -> View:
        """Take the rows that answered these columns, or add up the tables of their patterns."""
        plan, rows = self._plan, self._plan.rows
        rest, whole = self._complete(at)
        part = rows.take(rest, at)
        cells = np.unique(np.concatenate([part.cell, *(block.table.cells for block in whole)]).astype(np.intp))
        numbers = size_of(len(at)) * len(cells) * (self.groups + 1)
        count = len(rest) + sum(block.rows.stop - block.rows.start for block in whole)
        if count < len(cells) * (self.groups + 1) or 8 * numbers > plan.most_bytes:
            taken = np.concatenate([rest, *(np.arange(b.rows.start, b.rows.stop) for b in whole)])
            order = np.lexsort((rows.group[taken], rows.stratum[taken]))
            return RowView(rows.take(taken[order], at), plan.dealt)
        table = empty_table(cells, len(at), self.groups)
        for block in whole:
            own = np.flatnonzero(block.answered)
            merged(table, block.table, np.searchsorted(own, at), len(own))
        tabulate(part, plan.dealt, table, _counter(progress, len(part)))
        behind = [(rows.cell[b.rows], rows.unit[b.rows]) for b in whole]
        return TableView(table, (*behind, (part.cell, part.unit)))


@dataclass(frozen=True, eq=False)
class CubePlan:
    """What a cube will hold, before it is built.

    Attributes
    ----------
    names : tuple of str
    splits : Splits
    rows : Placed
        All columns, in the order of blocks, cells, strata, groups.
    center : array, shape (k,)
    design : Design
    dealt : Dealt
    answered : bool array, shape (patterns, k)
        Frequent patterns first, one block each; the rows of all others come last.
    pattern : int array, shape (rows,)
    tables : tuple of slices
        Rows of each frequent pattern.
    most_bytes : int
    """

    names: tuple[str, ...]
    splits: Splits
    rows: Placed
    center: FloatArray
    design: Design
    dealt: Dealt
    answered: np.ndarray
    pattern: IntArray
    tables: tuple[slice, ...] = field(default=())
    most_bytes: int = MOST_BYTES

    @property
    def storage(self) -> str:
        """``"cells"`` where tables of moments will be held, ``"rows"`` where the rows serve."""
        return "cells" if self.tables else "rows"

    @cached_property
    def bytes(self) -> int:
        """Bytes of the rows and of all tables; a set of columns that is analysed takes at most as much as its tables more."""
        slots = len(self.dealt.scale) + 1
        tables = sum(
            8 * slots * size_of(int(self.answered[p].sum())) * len(runs(self.rows.cell[part]))
            for p, part in enumerate(self.tables)
        )
        return self.rows.bytes + self.pattern.nbytes + tables

    def rest(self, columns: IntArray) -> IntArray:
        """Rows outside the tables that answered some columns."""
        start = self.tables[-1].stop if self.tables else 0
        whole = np.asarray(self.answered[:, columns].all(axis=1))
        return np.asarray(start + np.flatnonzero(whole[self.pattern[start:]]))

    def build(self, progress: Progress | None = None) -> MomentCube:
        """Build the cube; ``progress(done, total)`` is called with rows."""
        total = self.tables[-1].stop if self.tables else 0
        tick, blocks = _counter(progress, total), []
        for p, part in enumerate(self.tables):
            own = np.flatnonzero(self.answered[p])
            rows = self.rows.take(part, own)
            table = empty_table(np.unique(rows.cell), len(own), len(self.dealt.scale))
            tabulate(rows, self.dealt, table, tick)
            blocks.append(_Block(self.answered[p], part, table))
        if progress is not None and not total:
            progress(len(self.rows), len(self.rows))
        return MomentCube(self, blocks)


def _counter(progress: Progress | None, total: int) -> Callable[[int], None]:
    """Turn steps into ``progress(done, total)``."""
    done = 0

    def tick(step: int) -> None:
        nonlocal done
        done += step
        if progress is not None:
            progress(done, total)

    return tick


def plan_cube(
    survey: Survey,
    columns: Sequence[str] | Mapping[str, FloatArray],
    by: Sequence[str],
    *,
    groups: int = GROUPS,
    seed: int = 1,
    most_bytes: int = MOST_BYTES,
) -> CubePlan:
    """Lay out a cube, and state its bytes before it is built.

    Parameters
    ----------
    survey, columns, by, groups, seed, most_bytes
        See :func:`moment_cube`.

    Returns
    -------
    CubePlan
        ``.bytes``, ``.storage`` and ``.build(progress)``.

    Raises
    ------
    SurveyError
        As :func:`moment_cube`.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"q": [1.0, 2, 4] * 40, "g": [1, 2, 2] * 40}))
    >>> plan_cube(survey, ["q"], ["g"]).storage
    'rows'
    """
    names, values = _values(survey, columns)
    design = resolve(survey)
    dealt = deal(design, groups, seed)
    rows = np.flatnonzero(survey.domain & (survey.weights > 0))
    if not len(rows):
        raise SurveyError("nobody of the survey has a weight above 0; there is nothing to put in a cube.")
    splits, cell = split_by(survey, by, rows)
    weights = survey.weights[rows]
    columns_, answered, center = _centred(names, (v[rows] for v in values), weights)
    known, pattern = patterns(answered)
    known, pattern, tables = _frequent(known, pattern, cell, len(dealt.scale) + 1, most_bytes)
    laid = placed(design, dealt, columns_, rows, cell)
    block = np.minimum(pattern, len(tables))
    order = np.lexsort((laid.group, laid.stratum, laid.cell, block))
    return CubePlan(names, splits, laid.take(order), center, design, dealt, known, pattern[order], tables, most_bytes)


def _values(
    survey: Survey, columns: Sequence[str] | Mapping[str, FloatArray]
) -> tuple[tuple[str, ...], list[FloatArray]]:
    """Names and numbers of the columns."""
    if isinstance(columns, Mapping):
        names = tuple(columns)
        values = [np.asarray(columns[n], dtype=float) for n in names]
        wrong = [n for n, v in zip(names, values, strict=True) if v.shape != (len(survey.data),)]
        if wrong:
            raise SurveyError(
                f"columns: {', '.join(map(repr, wrong))} must have one number for each of the {len(survey.data):,} rows."
            )
    else:
        names = tuple(columns)
        survey.require("columns", names)
        values = [survey.values(n) for n in names]
    if not names or len(set(names)) < len(names):
        raise SurveyError(f"columns is {list(names)}; name at least one column, and each once.")
    return names, values


def _centred(
    names: Sequence[str], values: Iterable[FloatArray], weights: FloatArray
) -> tuple[FloatArray, np.ndarray, FloatArray]:
    """Columns about their weighted means, shape (k, rows), who answered them, and the means."""
    columns = np.empty((len(names), len(weights)))
    answered, center = np.empty(columns.shape, dtype=bool), np.zeros(len(names))
    for j, column in enumerate(values):
        np.isfinite(column, out=answered[j])
        known = answered[j]
        if known.any():
            center[j] = np.average(column[known], weights=weights[known])
        np.subtract(column, center[j], out=columns[j])
    empty = [name for name, some in zip(names, np.asarray(answered.any(axis=1)), strict=True) if not some]
    if empty:
        have, them = ("has no answer", "it") if len(empty) == 1 else ("have no answers", "them")
        raise SurveyError(
            f"columns: {', '.join(map(repr, empty))} {have} among {len(weights):,} respondents; leave {them} out."
        )
    columns[~answered] = np.nan
    return columns, answered, center


def _frequent(
    known: np.ndarray, pattern: IntArray, cell: IntArray, slots: int, most_bytes: int
) -> tuple[np.ndarray, IntArray, tuple[slice, ...]]:
    """Patterns that are worth a table come first, the most frequent ahead; the rows of each."""
    count = np.bincount(pattern, minlength=len(known))
    order = np.argsort(-count, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    tables, start, left = [], 0, most_bytes
    for p in order[: int(np.sum(count > slots))]:
        entries = slots * len(np.unique(cell[pattern == p]))
        left -= 8 * entries * size_of(int(known[p].sum()))
        if count[p] < entries or left < 0:
            break
        tables.append(slice(start, start + int(count[p])))
        start += int(count[p])
    return known[order], place[pattern], tuple(tables)


def moment_cube(
    survey: Survey,
    columns: Sequence[str] | Mapping[str, FloatArray],
    by: Sequence[str],
    *,
    groups: int = GROUPS,
    seed: int = 1,
    most_bytes: int = MOST_BYTES,
    progress: Progress | None = None,
) -> MomentCube:
    """How do means, drivers and their intervals change as a filter moves, at once?

    Parameters
    ----------
    survey : Survey
        Respondents outside its domain stay for the variances.
    columns : list of names, or mapping of name to array of shape (rows,)
        Everything that may be analysed: outcomes and drivers, NaN where missing.
    by : list of str
        Columns that filters choose by (waves, segments), crossed. One that is missing counts when nothing is chosen.
    groups : int
        Of the delete-a-group jackknife; with fewer than 60 PSUs one is dropped at a time.
    seed : int
        For the order in which PSUs are dealt.
    most_bytes : int
        Tables beyond this are not held; the rows serve.
    progress : callable, optional
        Called as ``progress(done, total)`` in rows, e.g. to move a tqdm bar.

    Returns
    -------
    MomentCube

    Raises
    ------
    SurveyError
        For unknown names, columns without answers, or a stratum with a single PSU for which nothing is declared.

    Notes
    -----
    Per cell c and replicate g the cube holds Σ_h [n_h / (n_h − n_hg)] (M_ch − M_chg), where M are Σw, Σw(x − c), Σw(x − c)
    (x − c)ᵀ and n_h counts the PSUs of the *whole* stratum; a filter is a sum over cells and so exactly what replicate
    weights give on its rows: a domain keeps the design (see :func:`cxlab.replicate_weights` for strata with fewer PSUs
    than groups). A PSU is in one group in all waves. Complete rows change with the columns: cells are split by
    pattern of missing answers where a pattern has more rows than cells × replicates, the rows of the rarer patterns are
    added when a set of columns is first asked for. Raked weights count as fixed.

    References
    ----------
    Kott (2001), Journal of Official Statistics 17, 521–526.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"q": [1.0, 2, 4] * 40, "g": [1, 2, 2] * 40}))
    >>> cube = moment_cube(survey, ["q"], ["g"])
    >>> found = cube.covariances({"g": 2}, ["q"])
    >>> float(found.mean[0].round(6)), found.base, found.df
    (3.0, 80, 79.0)
    """
    return plan_cube(survey, columns, by, groups=groups, seed=seed, most_bytes=most_bytes).build(progress)


def _notes(plan: CubePlan) -> tuple[Note, ...]:
    """Say how the intervals come about."""
    few = len(plan.dealt.scale) == len(plan.design.stratum)
    groups = {"groups": len(plan.dealt.scale), "units": len(plan.design.stratum)}
    notes = (Note(_ONE_BY_ONE if few else _GROUPS, **groups),)
    return notes if plan.design.calibration is None else (*notes, Note(_RAKED))


_GROUPS = {
    "en": "Intervals while exploring: jackknife over {groups} groups of the {units:,} sampling units.",
    "zh": "浏览时的区间：将 {units:,} 个抽样单位分为 {groups} 组，逐组剔除（刀切法）。",
}
_ONE_BY_ONE = {
    "en": "Intervals while exploring: jackknife that drops each of the {units:,} sampling units in turn.",
    "zh": "浏览时的区间：逐一剔除 {units:,} 个抽样单位中的每一个（刀切法）。",
}
_RAKED = {
    "en": "Raked weights count as fixed while exploring; intervals that allow for raking come from the replicates.",
    "zh": "浏览时校准权重视为固定；计入校准影响的区间由重复权重给出。",
}
