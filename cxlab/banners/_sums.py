"""Weighted means of many lines in many columns with their design covariance, from sums over small cells.

Respondents of one stratum who stand in the same columns form an *atom*. Sums of w, wx, w²x and w²x² over atoms hold all
that the Taylor variance needs where every row is a sampling unit, so the work per line no longer depends on
rows × columns. Units of a few rows (a panel) add products of *mates*, rows of one unit; for large units (clinics) the
atoms lie within units, whose totals are multiplied. Under raked weights the atoms lie within cells of the margins as well,
and what the margins explain is taken out of the variance cell by cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from cxlab.banners._columns import Column
from cxlab.banners._rows import Block
from cxlab.design import Design, weighted_means

FloatArray = np.ndarray[Any, np.dtype[Any]]
_NUMBERS = 4_000_000  # held at once per array: 32 MB
_PLAIN = {"weights", "psu", "stratum", "fraction", "names", "lonely", "calibration"}


@dataclass(frozen=True, eq=False)
class Cells:
    """Estimates of some lines in all domains: the columns, then the rest of each.

    Attributes
    ----------
    estimate, variance, base_effective : array, shape (lines, domains)
    covariance : array, shape (lines, pairs)
    pair_df : array, shape (pairs,)
        Degrees of freedom of differences, as in :meth:`cxlab.design.Presence.pair_df`.
    base, base_weighted, base_kish, df : array, shape (domains,)
    """

    estimate: FloatArray
    variance: FloatArray
    covariance: FloatArray
    base_effective: FloatArray
    base: FloatArray
    base_weighted: FloatArray
    base_kish: FloatArray
    df: FloatArray
    pair_df: FloatArray


@dataclass(frozen=True, eq=False)
class Mates:
    """Ordered pairs of different rows of one sampling unit.

    Attributes
    ----------
    one, other : int array, shape (mates,)
        Positions among the rows used.
    scale : array, shape (mates,)
        Factor of the stratum.
    atom : int array, shape (mates,)
        Mates in the same columns share one.
    both : sparse matrix, shape (domains + pairs, atoms of mates)
        Whether ``one`` is in the first domain and ``other`` in the second.
    """

    one: np.ndarray
    other: np.ndarray
    scale: FloatArray
    atom: np.ndarray
    both: Any


@dataclass(frozen=True, eq=False)
class Plan:
    """What all items of a banner share.

    Attributes
    ----------
    inside : bool array, shape (rows, domains)
    pairs : int array, shape (domains + pairs, 2)
        Each domain with itself, then the domains whose covariance is wanted.
    rows : int array, shape (used,)
        Rows in any domain with a weight above 0.
    atom : int array, shape (used,)
    atom_group : int array, shape (atoms,)
        Stratum of each atom, or its unit where unit totals are multiplied.
    groups : int
    member : sparse matrix, shape (domains, atoms)
    spread : sparse matrix, shape (groups × domains, atoms)
        Adds atoms up to groups within domains.
    both : sparse matrix, shape (domains + pairs, atoms)
        Atoms that are in both domains of a pair.
    mates : Mates or None
        None where every row is a unit, and where unit totals are multiplied.
    of_cell : sparse matrix, shape (cells × domains, atoms), or None
        Adds atoms up to cells of the margins within domains, where the weights are raked.
    """

    design: Design
    inside: np.ndarray
    pairs: np.ndarray
    rows: np.ndarray
    atom: np.ndarray
    atom_group: np.ndarray
    groups: int
    member: Any
    spread: Any
    both: Any
    mates: Mates | None
    of_cell: Any = None

    @property
    def by_unit(self) -> bool:
        """Whether the groups are sampling units."""
        return self.mates is None and not self.design.one_row_units

    @cached_property
    def members(self) -> list[np.ndarray]:
        """Positions of the members of each domain among the rows used."""
        return [np.flatnonzero(column) for column in self.inside[self.rows].T]

    @cached_property
    def margins(self) -> FloatArray:
        """Weight of each stratum in each cell of the margins, shape (strata, cells)."""
        return (self.of_strata @ self.design.margins).toarray()

    @cached_property
    def of_strata(self) -> Any:
        """Adds units up to strata, shape (strata, units)."""
        units = len(self.design.stratum)
        shape = (len(self.design.names), units)
        return sparse.csr_matrix((np.ones(units), (self.design.stratum, np.arange(units))), shape=shape)

    @cached_property
    def scale(self) -> FloatArray:
        """(1 − f) n / (n − 1) of each stratum."""
        counts = self.design.units
        return (1 - self.design.fraction) * counts / np.maximum(counts - 1, 1)


def plan(design: Design, columns: Sequence[Column], pairs: np.ndarray) -> Plan:
    """Sort the respondents into atoms."""
    design.require_pairs()
    inside = np.column_stack([c.inside for c in columns] + [c.universe & ~c.inside for c in columns])
    domains = inside.shape[1]
    pairs = np.concatenate([np.column_stack([np.arange(domains)] * 2), pairs])
    rows = np.flatnonzero(inside.any(axis=1) & (design.weights > 0))
    unit = design.psu[rows]
    pattern = np.zeros(len(rows), dtype=np.int64)
    for domain in inside[rows].T:
        pattern = pd.factorize(pattern * 2 + domain)[0]
    cells = None if design.calibration is None else design.calibration.cell[rows]
    if cells is not None:
        pattern = _distinct(pattern, cells)[0]
    sizes = np.bincount(unit, minlength=1)
    many = cells is not None or float(np.sum(sizes * (sizes - 1.0))) > len(design.stratum) * domains
    by_unit = many and not design.one_row_units
    group = unit if by_unit else design.stratum[unit]
    groups = len(design.stratum) if by_unit else len(design.names)
    atom, first = _distinct(pattern, group)
    within = inside[rows[first]].T  # (domains, atoms)
    place, which = np.nonzero(within)
    spread = sparse.csr_matrix(
        (np.ones(len(which)), (group[first][which] * domains + place, which)), shape=(groups * domains, len(first))
    )
    member = sparse.csr_matrix(within.astype(float))
    both = member[pairs[:, 0]].multiply(member[pairs[:, 1]]).tocsr()
    of_cell = None if cells is None else _of_cell(design, cells[first], place, which, domains)
    made = Plan(design, inside, pairs, rows, atom, group[first], groups, member, spread, both, None, of_cell)
    if by_unit or design.one_row_units:
        return made
    return replace(made, mates=_mates(made, unit, pattern))


def _of_cell(design: Design, cell: np.ndarray, place: np.ndarray, which: np.ndarray, domains: int) -> Any:
    """Sums of atoms over cells within domains; atoms that were not raked belong to none."""
    count = design.margins.shape[1]
    raked = cell[which] < count
    place, which = place[raked], which[raked]
    shape = (count * domains, len(cell))
    return sparse.csr_matrix((np.ones(len(which)), (cell[which] * domains + place, which)), shape=shape)


def _distinct(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of each combination of two integers, and the first place of each number."""
    found, uniques = pd.factorize(one.astype(np.int64) * (int(other.max(initial=0)) + 1) + other)
    first = np.zeros(len(uniques), dtype=np.intp)
    first[found[::-1]] = np.arange(len(found))[::-1]
    return found, first


def _mates(where: Plan, unit: np.ndarray, pattern: np.ndarray) -> Mates:
    order = np.argsort(unit, kind="stable")
    sorted_unit = unit[order]
    one, other = [], []
    for step in range(1, int(np.bincount(unit, minlength=1).max())):
        near = np.flatnonzero(sorted_unit[:-step] == sorted_unit[step:])
        one += [order[near], order[near + step]]
        other += [order[near + step], order[near]]
    none = [np.zeros(0, dtype=np.intp)]
    left, right = np.concatenate(one or none), np.concatenate(other or none)
    atom, first = _distinct(pattern[left], pattern[right])
    inside = where.inside[where.rows]
    a, b = (sparse.csr_matrix(inside[side[first]].T.astype(float)) for side in (left, right))
    both = a[where.pairs[:, 0]].multiply(b[where.pairs[:, 1]]).tocsr()
    return Mates(left, right, where.scale[where.design.stratum[unit[left]]], atom, both)


def estimates(where: Plan, block: Block) -> Iterator[tuple[slice, Cells]]:
    """Estimate the lines of an item, some at a time so that the memory stays bounded.

    Notes
    -----
    The same numbers as :func:`cxlab.design.weighted_means`, to which a design with more to it (raked weights with R's
    equally weighted residuals) is left.
    """
    design = where.design
    more = any(f.name not in _PLAIN and not _unset(getattr(design, f.name)) for f in fields(design))
    more |= design.calibration is not None and design.calibration.unweighted
    size = max(len(design.weights) if more else where.groups, design.margins.shape[1]) * where.inside.shape[1]
    step = 1 if more else max(1, _NUMBERS // max(size, len(where.atom_group)))
    sums = None if more else _Sums(where, block)
    for start in range(0, len(block.lines), step):
        lines = slice(start, min(start + step, len(block.lines)))
        yield lines, _by_rows(where, block, start) if sums is None else sums.cells(lines)


def _unset(value: Any) -> bool:
    return value is None or (isinstance(value, (tuple, dict)) and not value)


def _by_rows(where: Plan, block: Block, line: int) -> Cells:
    """One line by the general estimator."""
    values = block.lines[line].values
    column = values if block.answers is None else np.append(values, np.nan)[block.answers]
    column = np.where(block.answered, column, np.nan)
    inside = where.inside & block.answered[:, None]
    found = weighted_means(where.design, np.broadcast_to(column[:, None], inside.shape), inside)
    a, b = where.pairs[inside.shape[1] :].T
    weight = where.design.weights @ inside
    both = np.zeros(0) if found.presence is None else found.presence.pair_df(a, b)
    return Cells(found.estimate[None], np.diagonal(found.covariance)[None], found.covariance[a, b][None],
                 found.base_effective[None], found.base, weight, found.base_kish, found.df, both)  # fmt: skip


class _Sums:
    """Sums of an item over atoms, and the estimates of its lines from them."""

    def __init__(self, where: Plan, block: Block) -> None:
        design, rows = where.design, where.rows
        self.where, self.block, self.size = where, block, len(where.atom_group)
        answered = block.answered[rows]
        self.weight = np.where(answered, design.weights[rows], 0.0)
        self.count = np.bincount(where.atom, answered, self.size)
        self.total = np.bincount(where.atom, self.weight, self.size)
        self.square = np.bincount(where.atom, self.weight**2, self.size)
        self.codes = 0
        if block.answers is not None:
            self.codes = len(block.lines[0].values)
            # the last place holds those without an answer, whose weight is 0
            self.place = where.atom * (self.codes + 1) + np.where(answered, block.answers[rows], self.codes)
            self.table = self._table(self.weight)
            self.table_square = self.table if where.by_unit else self._table(self.weight**2)
        if design.calibration is not None:
            self.regression = np.where(answered, design.calibration.regression_weights[rows], 0.0)
            if self.codes:
                self.table_regression = self._table(self.regression)

    def _table(self, weight: FloatArray) -> FloatArray:
        cells = self.size * (self.codes + 1)
        return np.bincount(self.place, weight, cells).reshape(self.size, -1)[:, : self.codes]

    def _moments(self, lines: Sequence[Any], of: str) -> tuple[FloatArray, FloatArray]:
        """Σ v x and Σ v x² over atoms, each of shape (atoms, lines); v is the weight, its square, or that of the regression."""
        if self.codes:
            values = np.column_stack([line.values for line in lines])
            table = (
                {"weight": self.table, "square": self.table_square}[of] if of != "regression" else self.table_regression
            )
            return table @ values, table @ values**2
        weight = {"weight": self.weight, "square": self.weight**2}[of] if of != "regression" else self.regression
        made = [line.values[self.where.rows] for line in lines]
        sums = [[np.bincount(self.where.atom, weight * x**r, self.size) for x in made] for r in (1, 2)]
        return np.column_stack(sums[0]), np.column_stack(sums[1])

    def cells(self, chosen: slice) -> Cells:
        """Estimates of some lines."""
        where = self.where
        lines, shift = _centred(self.block.lines[chosen], self)
        first, second = self._moments(lines, "weight")
        base, weight, squares = (where.member @ v for v in (self.count, self.total, self.square))
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (where.member @ first) / weight[:, None]
            spread = (where.member @ second) / weight[:, None] - mean**2
            # what is left of equal answers is rounding
            spread = np.where(spread <= 1e-12 * np.maximum(mean**2, 1e-300), 0.0, spread)
            mean = np.where((spread == 0) & (shift == 0), np.round(mean, 12), mean)  # 100 % is 1, not 1 − 1e-16
            simple = spread / np.maximum(base - 1, 1)[:, None]
            kish = np.where(weight > 0, weight**2 / squares, 0.0)
            both = self._covariance(lines, first, mean, weight)
            domains = len(weight)
            variance = np.where(spread > 0, both[:domains], 0.0)
            effective = np.where((variance > 0) & (base[:, None] > 1), base[:, None] * simple / variance, kish[:, None])
        return Cells((mean + shift).T, variance.T, both[domains:].T, effective.T, base, weight, kish, *self._df)

    def _covariance(self, lines: Sequence[Any], first: FloatArray, mean: FloatArray, weight: FloatArray) -> FloatArray:
        """Variances of the domains, then covariances of the pairs, shape (domains + pairs, lines)."""
        where, design = self.where, self.where.design
        counts, scale, (a, b) = design.units, where.scale, where.pairs.T
        safe = np.where(weight > 0, weight, 1.0)
        mean = np.where(np.isfinite(mean), mean, 0.0)
        shape = (where.groups, len(weight), -1)
        totals = (where.spread @ first).reshape(shape) - mean * (where.spread @ self.total).reshape(shape)
        totals /= safe[:, None]
        if where.by_unit:
            raw = _products(totals * scale[design.stratum][:, None, None], totals, a, b)
            strata = (where.of_strata @ totals.reshape(len(totals), -1)).reshape(len(design.names), len(weight), -1)
        else:
            by_atom = scale[where.atom_group][:, None]
            v1, v2 = self._moments(lines, "square")
            q0, q1, q2 = (where.both @ (by_atom * v) for v in (self.square[:, None], v1, v2))
            raw = q2 - (mean[a] + mean[b]) * q1 + mean[a] * mean[b] * q0
            raw = (raw + self._between_mates(lines, mean[a], mean[b])) / (safe[a] * safe[b])[:, None]
            strata = totals
        spread = raw - _products(strata * (scale / counts)[:, None, None], strata, a, b)
        if design.lonely == "adjust" and design.single.any():
            off = (strata - strata.sum(axis=0) / len(design.stratum))[design.single]
            spread += _products(off * scale[design.single][:, None, None], off, a, b)
        if where.of_cell is None:
            return spread
        # a share that the margins fix keeps a trace of variance, as rounding leaves in the general estimator
        left = spread - self._explained(lines, mean, safe, totals, strata)
        return np.where(np.abs(left) < 1e-12 * np.abs(spread), 1e-24 * spread, left)

    def _explained(
        self, lines: Sequence[Any], mean: FloatArray, weight: FloatArray, totals: FloatArray, strata: FloatArray
    ) -> FloatArray:
        """What the margins explain of variances and covariances, shape (domains + pairs, lines).

        With f the values that the regression on the margins fits, m the totals of their cells and e those of the
        influence values: V(e − f m) = V(e) − f V(m, e) − V(e, m) f + f V(m) f.
        """
        where, design, (a, b) = self.where, self.where.design, self.where.pairs.T
        shape = (where.margins.shape[1], *mean.shape)

        def over_cells(first: FloatArray, zeroth: FloatArray) -> FloatArray:
            level = (where.of_cell @ first).reshape(shape) - mean * (where.of_cell @ zeroth).reshape(*shape[:2], 1)
            return level / weight[:, None]

        calibration, scale = design.calibration, where.scale
        if calibration is None:
            return np.zeros((len(a), mean.shape[1]))
        zeroth = np.bincount(where.atom, self.regression, self.size)
        sums = over_cells(self._moments(lines, "regression")[0], zeroth)
        fitted = calibration.fitted(sums.reshape(shape[0], -1)).reshape(shape)
        if where.by_unit:
            scaled = totals * scale[design.stratum][:, None, None]
            across = (design.margins.T @ scaled.reshape(len(totals), -1)).reshape(shape)
        else:
            by_atom = scale[where.atom_group]
            across = over_cells(by_atom[:, None] * self._moments(lines, "square")[0], by_atom * self.square)
        across -= np.einsum("hc,hdl->cdl", where.margins * (scale / design.units)[:, None], strata)
        if design.lonely == "adjust" and design.single.any():
            off, of = ((v - v.sum(axis=0) / len(design.stratum))[design.single] for v in (strata, where.margins))
            across += np.einsum("hc,hdl->cdl", of * scale[design.single][:, None], off)
        # f V(m, e) + V(e, m) f − f V(m) f, with V(m) f taken once and shared out
        half = across - 0.5 * (design.margin_spread @ fitted.reshape(shape[0], -1)).reshape(shape)
        return np.einsum("cdl,cdl->dl", fitted[:, a], half[:, b]) + np.einsum("cdl,cdl->dl", fitted[:, b], half[:, a])

    def _between_mates(self, lines: Sequence[Any], a: FloatArray, b: FloatArray) -> FloatArray | float:
        """Σ w w' (x − a)(x' − b) over pairs of rows of one unit, shape (domains + pairs, lines)."""
        mates = self.where.mates
        if mates is None or not len(mates.one):
            return 0.0
        weight = self.weight[mates.one] * self.weight[mates.other] * mates.scale
        kept = np.flatnonzero(weight)
        one, other, atom, weight = mates.one[kept], mates.other[kept], mates.atom[kept], weight[kept]
        if self.block.answers is not None:
            answers = self.block.answers[self.where.rows]
            one, other = answers[one], answers[other]
        else:
            one, other = self.where.rows[one], self.where.rows[other]
        made: list[list[FloatArray]] = [[], [], []]
        for line in lines:
            x, y = weight * line.values[one], line.values[other]
            for sums, values in zip(made, (x, weight * y, x * y), strict=True):
                sums.append(np.bincount(atom, values, mates.both.shape[1]))
        x1, y1, xy = (mates.both @ np.column_stack(m) for m in made)
        plain = (mates.both @ np.bincount(atom, weight, mates.both.shape[1]))[:, None]
        return xy - b * x1 - a * y1 + a * b * plain

    @cached_property
    def _df(self) -> tuple[FloatArray, FloatArray]:
        """Degrees of freedom of domains and of pairs, as in :class:`cxlab.design.Presence`."""
        where = self.where
        (a, b), domains = where.pairs.T, len(where.members)
        present = (where.spread @ (self.count > 0)).reshape(where.groups, -1) > 0
        units, strata = self._units(present), present
        if where.by_unit:
            strata = (where.of_strata @ present.astype(np.float32)) > 0
        if units is None:  # every row is a unit
            either = [where.both @ self.count, _shared(strata, a, b)]
        else:
            either = [_shared(units, a, b), _shared(strata, a, b)]
        own = [each[:domains] for each in either]
        df = np.maximum(own[0] - own[1], 1.0)
        a, b = a[domains:], b[domains:]
        units_of, strata_of = (own[k][a] + own[k][b] - either[k][domains:] for k in (0, 1))
        return df, np.maximum(np.minimum(df[a] + df[b], units_of - strata_of), 1.0)

    def _units(self, present: np.ndarray) -> np.ndarray | None:
        """Which units have an answer in which domain, shape (units, domains); None where every row is one."""
        where, design = self.where, self.where.design
        if where.by_unit:
            return present
        if where.mates is None:
            return None
        answered, unit = self.weight > 0, design.psu[where.rows]
        seen = np.zeros((len(design.stratum), len(where.members)), dtype=bool)
        for k, members in enumerate(where.members):
            seen[unit[members[answered[members]]], k] = True
        return seen


def _shared(present: np.ndarray, a: np.ndarray, b: np.ndarray) -> FloatArray:
    """How many rows of ``present`` are in both domains of each pair."""
    as_numbers = present.astype(np.float32)
    return np.asarray((as_numbers.T @ as_numbers)[a, b], dtype=float)


def _products(left: FloatArray, right: FloatArray, a: np.ndarray, b: np.ndarray) -> FloatArray:
    """Σ over groups of left[:, a] · right[:, b] per line; inputs (groups, domains, lines), output (pairs, lines)."""
    whole = np.matmul(left.transpose(2, 1, 0), right.transpose(2, 0, 1))  # (lines, domains, domains)
    return whole[:, a, b].T


def _centred(lines: Sequence[Any], sums: _Sums) -> tuple[list[Any], FloatArray]:
    """Lines less their rough middle, and what was taken away: large numbers would cancel. Shares stay as they are."""
    made, shift = [], []
    for line in lines:
        centre = 0.0
        if line.statistic in ("mean", "nps"):
            if sums.codes:
                held = sums.table.sum(axis=0)
                centre = float(held @ line.values / held.sum()) if held.sum() > 0 else 0.0
            elif sums.weight.any():
                seen = sums.weight > 0
                centre = float(np.mean(line.values[sums.where.rows][seen]))
        values = line.values - centre
        made.append(replace(line, values=values if sums.codes else np.where(sums.block.answered, values, 0.0)))
        shift.append(centre)
    return made, np.array(shift)
