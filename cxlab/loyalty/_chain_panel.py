"""Units over waves: survey measures averaged with their sampling errors, beside what a table says of each unit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import Design, resolve
from cxlab.errors import SurveyError, nearest, unknown_names
from cxlab.groups import grouped_covariance
from cxlab.items import in_order
from cxlab.metrics import names
from cxlab.survey import Survey
from cxlab.words import LANGUAGES

FloatArray = np.ndarray[Any, np.dtype[Any]]
LEAST_UNITS = 5
_BLOCK = 600  # statistics whose covariance is held at once
_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Source:
    """One measure of a chain: where it comes from and how it is called.

    ``values`` are respondents' answers (rows,) of a survey measure, numbers per unit and period (units, periods) of the table.
    """

    name: str
    column: str
    surveyed: bool
    labels: Mapping[str, str]
    values: FloatArray


@dataclass(frozen=True, eq=False)
class Averages:
    """Design-weighted means of m survey measures in disjoint groups.

    Attributes
    ----------
    mean, base : array, shape (m, groups)
    covariance : array, shape (groups, m, m)
        Of the sampling errors of a group's means.
    short : array, shape (m, groups)
        Share of the true variance that the estimate reaches on average, as deviations are from the group's own mean: 1 − 1/n for
        equal weights and one variance.
    """

    mean: FloatArray
    base: FloatArray
    covariance: FloatArray
    short: FloatArray

    def unbiased(self) -> FloatArray:
        """Covariance of sampling errors without the shortfall of small groups."""
        root = np.sqrt(np.where(self.short > 0, self.short, 1.0)).T
        return np.asarray(self.covariance / (root[:, :, None] * root[:, None, :]))


@dataclass(frozen=True, eq=False)
class Panel:
    """All measures of a chain by unit, and by unit and period.

    Attributes
    ----------
    units : list of codes
    column : str
        Survey column of the unit.
    waves : bool array, shape (periods,)
        Which periods are waves of the survey; periods without any data in between are there too.
    sources : tuple of Source
    means, error, base : array, shape (units, m)
        Mean of each unit, its standard error (0 for measures of the table) and respondents (NaN there).
    cells : array, shape (m, units, periods)
    unit_errors, cell_errors : array, shape (units, m, m) and (units, periods, m, m)
        Covariance of sampling errors, 0 for measures of the table.
    between_share : array, shape (m,)
        Share of the variance between respondents that lies between units; NaN for measures of the table.
    code : int array, shape (rows,)
        Unit and period of every respondent, −1 for none.
    design : Design
    dropped : tuple of int
        Respondents without unit or wave; units of the table that the survey lacks; rows of the table at no wave's
        place; cells under the least base; cells with an answer.
    """

    units: list[Any]
    column: str
    waves: np.ndarray
    sources: tuple[Source, ...]
    means: FloatArray
    error: FloatArray
    base: FloatArray
    cells: FloatArray
    unit_errors: FloatArray
    cell_errors: FloatArray
    between_share: FloatArray
    code: np.ndarray
    design: Design
    dropped: tuple[int, int, int, int, int]


# ------------------------------------------------------------------------------ what is named
def stages_of(chain: Sequence[str | Sequence[str]]) -> list[tuple[str, ...]]:
    """Stages of a chain, each with its measures side by side."""
    if isinstance(chain, str):
        raise SurveyError(f"chain is the text {chain!r}; pass a list, causes first, such as ['engagement', {chain!r}].")
    stages = [(stage,) if isinstance(stage, str) else tuple(stage) for stage in chain]
    if len(stages) < 2 or not all(stages):
        raise SurveyError(f"chain has {len(stages)} stages; a link needs two or more, causes first.")
    named = [name for stage in stages for name in stage]
    twice = list(dict.fromkeys(n for n in named if named.count(n) > 1))
    if twice:
        raise SurveyError(f"chain names {twice[0]!r} more than once; name every measure in one stage.")
    return stages


def place_of(name: str, survey: Survey, table: pd.DataFrame) -> tuple[str, bool]:
    """Column behind a name of the chain, and whether it is the survey's."""
    side, _, column = name.partition(":")
    if side in ("survey", "units") and column:
        if not (survey.has(column) if side == "survey" else column in table):
            allowed = [*survey.data.columns, *survey.roles.names()] if side == "survey" else table.columns
            raise unknown_names("chain", [column], allowed, "the survey" if side == "survey" else "units")
        return column, side == "survey"
    inside, beside = survey.has(name), name in table
    if inside and beside:
        raise SurveyError(
            f"chain: {name!r} is a column of the survey and of units; write 'survey:{name}' or 'units:{name}'."
        )
    if not (inside or beside):
        known = [*survey.data.columns, *survey.roles.names(), *map(str, table.columns)]
        raise unknown_names("chain", [name], known, "the survey or units")
    return name, inside


# ------------------------------------------------------------------------------ rows to units and periods
def _plain(text: Any) -> str:
    """A name without what the eye passes over: case, width, blanks."""
    return " ".join(unicodedata.normalize("NFKC", str(text)).split()).casefold()


def _listed(values: Sequence[Any]) -> str:
    shown = ", ".join(f"{v:g}" if isinstance(v, float) else repr(v) for v in values[:_SHOWN])
    return shown + (", …" if len(values) > _SHOWN else "")


def _units_of(survey: Survey, column: str, inside: np.ndarray) -> list[Any]:
    """Codes of the units that occur, every unit under one name."""
    series = survey.data[column]
    codes = in_order(series[inside].dropna().unique().tolist())
    item = survey.codebook.items.get(column)
    for lang in LANGUAGES:
        called: dict[str, Any] = {}
        for code in codes:
            name = _plain(item.value_label(code, lang) if item else code)
            if called.setdefault(name, code) != code:
                raise SurveyError(
                    f"unit: {_listed([called[name], code])} of {column!r} are one unit under two names; give it one code."
                )
    if len(codes) < LEAST_UNITS:
        raise SurveyError(
            f"unit: {column!r} has {len(codes)} units among the respondents; at least {LEAST_UNITS} are needed to relate units to "
            "each other: widen the filter, or look at respondents with cx.linear."
        )
    return codes


def _matched(survey: Survey, column: str, units: list[Any], named: pd.Series, where: str) -> np.ndarray:
    """Place of every row of the table among the units, −1 for other units."""
    item = survey.codebook.items.get(column)
    known: dict[str, int] = {}
    for place, code in enumerate(units):
        texts = [f"{code:.15g}" if isinstance(code, float) else str(code)]
        texts += [item.value_label(code, lang) for lang in LANGUAGES] if item else []
        known |= {_plain(t): place for t in texts}
    values = list(pd.unique(named.dropna()))
    keys = {v: _plain(f"{v:.15g}" if isinstance(v, (float, np.floating)) else v) for v in values}
    found: dict[int, Any] = {}
    for value, key in keys.items():
        if key in known and found.setdefault(known[key], value) != value:
            raise SurveyError(
                f"units: {_listed([found[known[key]], value])} in {where!r} are one unit under two names; write one of them."
            )
    absent = [units[k] for k in range(len(units)) if k not in found]
    if absent:
        others = [v for v, key in keys.items() if key not in known]
        hint = nearest(absent[0], others) if isinstance(absent[0], str) else ""
        raise SurveyError(
            f"units has no row for {len(absent)} of {len(units)} units of the survey: {_listed(absent)}{hint}; add them to the table, "
            "or leave these respondents out with survey.where."
        )
    return np.array([known.get(keys.get(v, ""), -1) for v in named.to_numpy()], dtype=np.intp)


_PATTERNS = (
    (r"(\d{4})-(\d{2})", lambda y, m: ("month", 12 * y + m)),
    (r"(\d{4})-W(\d{2})", lambda y, w: ("week", date.fromisocalendar(y, w, 1).toordinal() // 7)),
    (r"(\d{4})-Q([1-4])", lambda y, q: ("quarter", 4 * y + q)),
    (r"(\d{4})-H([12])", lambda y, h: ("half", 2 * y + h)),
    (r"(\d{4})", lambda y: ("year", y)),
)  # fmt: skip


def numbered(text: str) -> tuple[str, int] | None:
    """Kind and running number of a period such as ``2025-03``, ``2025-Q1``, ``2025``; None for another text.

    Examples
    --------
    >>> numbered("2025-03"), numbered("2025-Q1"), numbered("March")
    (('month', 24303), ('quarter', 8101), None)
    """
    for pattern, reading in _PATTERNS:
        if found := re.fullmatch(pattern, text):
            try:
                return reading(*map(int, found.groups()))
            except ValueError:
                return None
    return None


@dataclass(frozen=True, eq=False)
class Calendar:
    """Places of waves on a common time line.

    Attributes
    ----------
    column : str or None
        Survey column of the wave.
    place : dict of code to int
    words : dict of text to int
        Every label of a wave.
    kind : str or None
        Period that labels are written in; None where they are none, and waves are counted one by one.
    """

    column: str | None
    place: Mapping[Any, int]
    words: Mapping[str, int]
    kind: str | None


def calendar(survey: Survey, inside: np.ndarray) -> Calendar:
    """Waves that occur among the respondents, in time."""
    column = survey.roles.wave or ("wave" if "wave" in survey.data else None)
    if column is None:
        return Calendar(None, {}, {}, None)
    codes = in_order(survey.data[column][inside].dropna().unique().tolist())
    item = survey.codebook.items.get(column)
    texts = {c: {item.value_label(c, lang) for lang in LANGUAGES} if item else {str(c)} for c in codes}
    read = {c: next((n for t in sorted(ts) if (n := numbered(t))), None) for c, ts in texts.items()}
    kinds = {n[0] if n else None for n in read.values()}
    kind = kinds.pop() if len(kinds) == 1 else None
    place = {c: n[1] if kind and (n := read[c]) else k for k, c in enumerate(codes)}
    plain = {_plain(t): place[c] for c, ts in texts.items() for t in ts}
    plain |= {_plain(f"{c:.15g}"): place[c] for c in codes if isinstance(c, float)}
    return Calendar(column, place, plain, kind)


def _times(told: Calendar, series: pd.Series, where: str, labels: Sequence[str]) -> np.ndarray:
    """Place in time of every row of the table; a value below every place for rows at none."""
    texts = _dated(series, told.kind) if pd.api.types.is_datetime64_any_dtype(series) else series
    read: dict[Any, int | None] = {}
    for value in pd.unique(texts.dropna()):
        text = f"{value:.15g}" if isinstance(value, (float, np.floating)) else str(value)
        number = numbered(text.strip())
        read[value] = told.words.get(_plain(text), number[1] if number and number[0] == told.kind else None)
    unread = [v for v, n in read.items() if n is None]
    shown = f"{labels[0]} … {labels[-1]}" if len(labels) > 1 else labels[0]
    if unread and (told.kind or len(unread) == len(read)):
        raise SurveyError(
            f"period: {len(unread)} of {len(read)} values of {where!r} in units are written unlike the waves ({shown}), e.g. "
            f"{str(unread[0])!r}; write them as the waves are written."
        )
    if missing := int(texts.isna().sum()):
        raise SurveyError(
            f"period: {where!r} is missing in {missing} rows of units; fill it in, or leave the rows out."
        )
    places = [read[v] for v in texts]
    return np.array([_NOWHERE if p is None else p for p in places], dtype=np.int64)


def _dated(dates: pd.Series, kind: str | None) -> pd.Series:
    """Dates as the waves are written."""
    if kind == "week":
        return dates.dt.strftime("%G-W%V")
    if kind in ("quarter", "half"):
        letter, months = ("Q", 3) if kind == "quarter" else ("H", 6)
        part = ((dates.dt.month - 1) // months + 1).map("{:.0f}".format)
        return (dates.dt.strftime("%Y-") + letter + part).where(dates.notna())
    return dates.dt.strftime("%Y" if kind == "year" else "%Y-%m")


_NOWHERE = np.iinfo(np.int64).min


# ------------------------------------------------------------------------------ the panel
def averages(design: Design, values: FloatArray, codes: np.ndarray, count: int) -> Averages:
    """Weighted means of m measures, values of shape (m, rows), in every group."""
    known = (codes >= 0) & np.isfinite(values) & (design.weights > 0)
    mean, base = np.full((len(values), count), np.nan), np.zeros((len(values), count))
    influence, short = np.zeros(values.shape), np.ones((len(values), count))
    for j, (x, inside) in enumerate(zip(values, known, strict=True)):
        own, w = codes[inside], design.weights[inside]
        total, base[j] = np.bincount(own, w, count), np.bincount(own, minlength=count)
        safe = np.where(total > 0, total, 1.0)
        mean[j] = np.where(total > 0, np.bincount(own, w * x[inside], count) / safe, np.nan)
        influence[j, inside] = w * (x[inside] - mean[j, own]) / safe[own]
        square, cube = (np.bincount(own, w**k, count) for k in (2, 3))
        short[j] = 1 - 2 * cube / (safe * np.where(square > 0, square, 1.0)) + square / safe**2
    covariance = np.zeros((count, len(values), len(values)))
    step = max(1, _BLOCK // max(len(values), 1))
    for start in range(0, count if len(values) else 0, step):
        size = min(step, count - start)
        part = np.where((codes >= start) & (codes < start + size), codes - start, -1)
        found = grouped_covariance(design, influence, part, size).reshape(len(values), size, len(values), size)
        covariance[start : start + size] = np.einsum("igjg->gij", found)
    return Averages(mean, base, covariance, short)


def panel_of(
    survey: Survey, table: pd.DataFrame, stages: list[tuple[str, ...]], keys: tuple[str, str | None],
    labels: Mapping[str, Mapping[str, str]], least_base: int,
) -> Panel:  # fmt: skip
    """Join survey and table by unit and period."""
    unit, period = keys
    survey.require("unit", [unit])
    absent = [(a, k) for a, k in (("unit", unit), ("period", period)) if k is not None and k not in table]
    if absent:
        raise unknown_names(absent[0][0], [absent[0][1]], table.columns, "units")
    column = survey.column_of(unit)
    asked = survey.domain & (survey.weights > 0)
    units = _units_of(survey, column, asked)
    told = calendar(survey, asked)
    if told.column is not None and period is None and table[unit].duplicated().any():
        twice = int(table[unit].duplicated().sum())
        raise SurveyError(
            f"units has {twice} rows beyond one per unit and no column named as the wave; name the column of the wave with period=."
        )
    row = _matched(survey, column, units, table[unit], unit)
    timed = period is not None and told.column is not None
    time = np.full(len(table), 0)
    if timed:
        texts = [survey.codebook[str(told.column)].value_label(c) for c in told.place]
        time = _times(told, table[str(period)], str(period), texts)
    used = (row >= 0) & (time != _NOWHERE)
    _unique(table, keys, used, timed)
    waves = sorted(told.place.values()) or [0]
    first = min(waves[0], int(time[used].min(initial=waves[0])))
    last = waves[-1]
    used &= time <= last
    span = last - first + 1
    in_table = np.where(used, row * span + (time - first), -1)
    if not timed:
        waves, first, span = [0], 0, 1
        in_table = np.where(used, row, -1)
    code = _codes(survey, (column, told if timed else None), units, (first, span), asked)
    sources = tuple(_source(survey, table, n, labels, (in_table, len(units), span)) for stage in stages for n in stage)
    outside = (int((asked & (code < 0)).sum()), int(table[unit][row < 0].nunique()), int(((row >= 0) & ~used).sum()))
    is_wave = np.isin(np.arange(span) + first, waves)
    return _filled(survey, sources, (units, column, is_wave), code, outside, least_base)


def _unique(table: pd.DataFrame, keys: tuple[str, str | None], used: np.ndarray, timed: bool) -> None:
    columns = [k for k in keys if k is not None] if timed else [keys[0]]
    again = table.loc[used, columns].duplicated()
    if again.any():
        first = " × ".join(str(v) for v in table.loc[used, columns][again].iloc[0])
        raise SurveyError(
            f"units has {int(again.sum())} rows beyond one per {' and '.join(map(repr, columns))}, e.g. {first}; keep one row of each."
        )


def _codes(
    survey: Survey, columns: tuple[str, Calendar | None], units: list[Any], line: tuple[int, int], asked: np.ndarray
) -> np.ndarray:
    """Unit and period of every respondent, −1 for none."""
    column, told = columns
    first, span = line
    unit = survey.data[column].map({c: k for k, c in enumerate(units)}).to_numpy(dtype=float, na_value=np.nan)
    place = np.zeros(len(unit))
    if told is not None:
        place = survey.data[str(told.column)].map(told.place).to_numpy(dtype=float, na_value=np.nan) - first
    known = asked & np.isfinite(unit) & np.isfinite(place)
    return np.where(known, np.where(known, unit, 0) * span + np.where(known, place, 0), -1).astype(np.intp)


def _source(
    survey: Survey, table: pd.DataFrame, name: str, labels: Mapping[str, Mapping[str, str]],
    laid: tuple[np.ndarray, int, int],
) -> Source:  # fmt: skip
    column, surveyed = place_of(name, survey, table)
    if surveyed:
        return Source(name, column, True, labels.get(name) or names(survey, column), survey.values(column))
    if not pd.api.types.is_numeric_dtype(table[column]):
        raise SurveyError(f"chain: {column!r} of units holds text; numbers are needed.")
    code, units, span = laid
    values = np.full(units * span, np.nan)
    values[code[code >= 0]] = table[column].to_numpy(dtype=float, na_value=np.nan)[code >= 0]
    known = values[np.isfinite(values)]
    if len(known) and np.ptp(known) == 0:
        raise SurveyError(
            f"chain: {column!r} of units is {known[0]:g} in all {len(known)} rows; there is nothing to relate."
        )
    wording = labels.get(name) or dict.fromkeys(LANGUAGES, column)
    return Source(name, column, False, wording, values.reshape(units, span))


def _filled(
    survey: Survey, sources: tuple[Source, ...], axes: tuple[list[Any], str, np.ndarray], code: np.ndarray,
    outside: tuple[int, int, int], least_base: int,
) -> Panel:  # fmt: skip
    """Means and sampling errors of every unit and cell."""
    units, column, waves = axes
    count, span, m = len(units), len(waves), len(sources)
    design = resolve(survey)
    own = np.array([s.surveyed for s in sources])
    answers = np.array([s.values for s in sources if s.surveyed]).reshape(int(own.sum()), len(survey.data))
    whole = averages(design, answers, np.where(code >= 0, code // span, -1), count)
    by_cell = averages(design, answers, code, count * span)
    means, error, base = np.full((count, m), np.nan), np.zeros((count, m)), np.full((count, m), np.nan)
    cells, share = np.full((m, count, span), np.nan), np.full(m, np.nan)
    unit_errors, cell_errors = np.zeros((count, m, m)), np.zeros((count * span, m, m))
    means[:, own], base[:, own] = whole.mean.T, whole.base.T
    unit_errors[np.ix_(np.arange(count), own, own)] = whole.unbiased()
    cell_errors[np.ix_(np.arange(count * span), own, own)] = by_cell.unbiased()
    error[:, own] = np.sqrt(np.maximum(np.diagonal(whole.covariance, axis1=1, axis2=2), 0))
    enough = by_cell.base >= least_base
    cells[own] = np.where(enough, by_cell.mean, np.nan).reshape(-1, count, span)
    share[own] = _between_share(design.weights, answers, code // span, whole)
    for j in np.flatnonzero(~own):
        cells[j] = sources[j].values
        observed = np.isfinite(cells[j][:, waves])
        safe = np.maximum(observed.sum(axis=1), 1)
        means[:, j] = np.where(observed.any(axis=1), np.nansum(cells[j][:, waves], axis=1) / safe, np.nan)
    few = int((~enough & (by_cell.base > 0)).sum())
    return Panel(
        units, column, waves, sources, means, error, base, cells, unit_errors, cell_errors.reshape(count, span, m, m),
        share, code, design, (*outside, few, int((by_cell.base > 0).sum())),
    )  # fmt: skip


def _between_share(weights: FloatArray, answers: FloatArray, unit: np.ndarray, whole: Averages) -> FloatArray:
    """Variance of true unit means over variance of answers, all weighted."""
    out = np.full(len(answers), np.nan)
    for j, x in enumerate(answers):
        inside = (unit >= 0) & np.isfinite(x)
        w = weights[inside]
        if w.sum() > 0 and np.ptp(x[inside]) > 0:
            total = np.average((x[inside] - np.average(x[inside], weights=w)) ** 2, weights=w)
            size = np.bincount(unit[inside], w, whole.mean.shape[1]) / w.sum()
            mean = np.nan_to_num(whole.mean[j])
            apart = size @ (mean - size @ mean) ** 2
            noise = size @ ((1 - size) * whole.covariance[:, j, j])
            out[j] = max(float(apart - noise), 0.0) / total
    return out
