"""Which columns differ: tests of pairs of columns and of each column against the rest, as letters and arrows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from cxlab.banners._columns import Column
from cxlab.banners._rows import Line
from cxlab.banners._sums import Cells
from cxlab.contrasts import benjamini_hochberg, bonferroni, holm, p_values
from cxlab.design import t_quantile
from cxlab.errors import SurveyError, one_of
from cxlab.intervals import adjusted_wald, cautious_base, korn_graubard
from cxlab.result import LOW_BASE, SUPPRESSED_BASE

FloatArray = np.ndarray[Any, np.dtype[Any]]
ARROWS = ("▲", "▼", "△", "▽")  # higher, lower at the first level; at the second


_ADJUSTED: Mapping[str | None, Callable[[FloatArray], FloatArray]] = {
    "holm": holm, "bonferroni": bonferroni, "bh": benjamini_hochberg,
}  # fmt: skip
ADJUST = (*_ADJUSTED, None)


def require_tests(levels: float | Sequence[float], adjust: str | None, compare: str) -> tuple[float, ...]:
    """Raise for levels, an adjustment or a comparison that do not exist."""
    given = (levels,) if isinstance(levels, (int, float)) else tuple(levels)
    if not 1 <= len(given) <= 2 or not all(0.5 <= v < 1 for v in given) or list(given) != sorted(set(given))[::-1]:
        raise SurveyError(
            f"levels is {levels!r}; give one or two confidence levels between .5 and 1, the stricter first, such as "
            "(.95, .80): upper-case letters, then lower-case."
        )
    if adjust not in ADJUST:
        raise one_of("adjust", adjust, ADJUST)
    if compare not in ("group", "all"):
        raise one_of("compare", compare, ("group", "all"))
    return given


def pairs_of(columns: Sequence[Column], compare: str) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of domains to test: columns with each other, then every column with its rest.

    Returns
    -------
    pairs : int array, shape (pairs, 2)
        Domain k + number of columns is the rest of column k.
    family : int array, shape (pairs,)
        Pairs that are adjusted together.
    """
    count = len(columns)
    groups = list(dict.fromkeys(c.group for c in columns))
    number = [groups.index(c.group) for c in columns]
    first, second, family = [], [], []
    for a in range(count):
        for b in range(a + 1, count):
            together = columns[a].letter and columns[b].letter
            if together and (compare == "all" or number[a] == number[b]):
                first.append(a)
                second.append(b)
                family.append(-1 if compare == "all" else number[a])
    for a in range(count):
        if columns[a].group != "total":
            first.append(a)
            second.append(a + count)
            family.append(len(groups) + number[a])
    return np.column_stack([first, second]).astype(np.intp).reshape(-1, 2), np.array(family, dtype=np.intp)


def differences(
    cells: Cells, lines: Sequence[Line], pairs: np.ndarray, effective: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Difference, standard error and degrees of freedom of every pair, shapes (lines, pairs), (lines, pairs), (pairs,).

    Pairs with a side whose effective base, shape (domains,), is too small have NaN.
    """
    a, b = pairs.T
    varied = _varied(cells, lines)
    weak = (effective[a] < SUPPRESSED_BASE) | (effective[b] < SUPPRESSED_BASE)
    gap = np.where(weak, np.nan, cells.estimate[:, a] - cells.estimate[:, b])
    variance = varied[:, a] + varied[:, b] - 2 * cells.covariance
    # two sides of the same people leave rounding, no variance
    untested = (variance <= 1e-12 * (varied[:, a] + varied[:, b])) | ((gap == 0) & (cells.variance[:, a] == 0))
    return gap, np.sqrt(np.where(untested, 0.0, variance)), cells.pair_df


def _varied(cells: Cells, lines: Sequence[Line]) -> FloatArray:
    """Variances as tests use them: a share of 0 or 100 % has a linearised variance of 0, which is not certainty.

    It varies like the share that half an answer more on either side gives on Kish's effective base.
    """
    share = np.array([line.spec == ".0%" for line in lines])[:, None]
    stuck = share & (cells.variance == 0) & (cells.base > 0)
    near = 0.5 / (cells.base_kish + 1)
    return np.where(stuck, near * (1 - near) / np.maximum(cells.base_kish, 1), cells.variance)


def adjusted(raw: FloatArray, family: np.ndarray, adjust: str | None) -> FloatArray:
    """P-values adjusted within each line and family, shape (lines, pairs)."""
    out = raw.copy()
    for number in np.unique(family) if adjust is not None else ():
        chosen = family == number
        out[:, chosen] = _ADJUSTED[adjust](raw[:, chosen])
    return out


def raw_p(gap: FloatArray, se: FloatArray, df: FloatArray) -> FloatArray:
    """Unadjusted two-sided p-values; NaN where nothing varies."""
    return p_values(gap, se, df)


def letters(
    columns: Sequence[Column], pairs: np.ndarray, gap: FloatArray, p: FloatArray, levels: Sequence[float]
) -> np.ndarray:
    """Letters of the columns that a cell is significantly above, shape (lines, columns); one space between long ones."""
    names = [c.letter for c in columns]
    between = " " if any(len(n) > 1 for n in names) else ""
    found: list[list[list[tuple[int, str]]]] = [[[] for _ in columns] for _ in range(len(gap))]
    with np.errstate(invalid="ignore"):
        hits = np.argwhere(p <= 1 - levels[-1])
    for line, k in hits.tolist():
        a, b = pairs[k].tolist()
        upper, lower = (a, b) if gap[line, k] > 0 else (b, a)
        strong = p[line, k] <= 1 - levels[0]
        found[line][upper].append((lower, names[lower] if strong else names[lower].lower()))
    return np.array([[between.join(t for _, t in sorted(cell)) for cell in row] for row in found], dtype=object)


def arrows(gap: FloatArray, p: FloatArray, levels: Sequence[float]) -> np.ndarray:
    """Arrow of each cell against the rest: full at the first level, hollow at the second."""
    with np.errstate(invalid="ignore"):
        strong = p <= 1 - levels[0]
        weak = p <= 1 - levels[-1]
    return np.select(
        [strong & (gap > 0), strong & (gap < 0), weak & (gap > 0), weak & (gap < 0)], list(ARROWS), ""
    ).astype(object)


# ------------------------------------------------------------------ intervals, whole tables at once
def intervals(cells: Cells, lines: Sequence[Line], count: int, level: float) -> tuple[FloatArray, FloatArray]:
    """Intervals of the columns as :func:`cxlab.metrics.intervals` gives them, each of shape (lines, columns)."""
    part = slice(0, count)
    estimate, variance, effective = cells.estimate[:, part], cells.variance[:, part], cells.base_effective[:, part]
    base, df = cells.base[part], cells.df[part]
    half = np.where(base > 1, t_quantile(level, df) * np.sqrt(variance), np.nan)
    low, high = estimate - half, estimate + half
    share = np.array([line.spec == ".0%" for line in lines])
    if share.any():
        kish = cells.base_kish[part]
        low[share], high[share] = korn_graubard(estimate[share], variance[share], base, kish, df, level)
    for k in np.flatnonzero([line.statistic == "nps" for line in lines]):
        small = effective[k] < LOW_BASE
        spread = cautious_base(variance[k], base, effective[k], cells.base_kish[part])
        found = adjusted_wald(estimate[k], *spread, df, level)
        low[k], high[k] = np.where(small, found[0], low[k]), np.where(small, found[1], high[k])
    return low, high
