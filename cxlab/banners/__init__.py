"""Banner tables: many questions by many segments, with column letters, arrows and bases."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlab.banners._columns import Column, Texts, columns_of
from cxlab.banners._letters import adjusted, arrows, differences, intervals, letters, pairs_of, raw_p, require_tests
from cxlab.banners._result import HEADINGS, BannerResult, Head, Stub
from cxlab.banners._rows import Block, Nets, blocks_of
from cxlab.banners._sums import Cells, estimates, plan
from cxlab.design import Design, kish_base, resolve
from cxlab.errors import SmallBaseWarning
from cxlab.metrics import design_notes
from cxlab.result import Base, reliability
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note

__all__ = ["BannerResult", "banner"]


def banner(
    survey: Survey,
    rows: str | Sequence[str],
    columns: str | Sequence[str | Sequence[str]],
    *,
    nets: Nets | None = None,
    statistics: str | Sequence[str] | None = None,
    levels: float | Sequence[float] = (0.95, 0.80),
    adjust: str | None = "holm",
    compare: str = "group",
    total: bool = True,
) -> BannerResult:
    """How do the segments answer, and which of them differ?

    Parameters
    ----------
    survey : Survey
    rows : str or list of str
        Items, roles, multiple-response sets, ``"nps"`` (with promoters, passives and detractors) or ``"csat"``. A coded
        item has the share of each answer; one with a scale its top-2 box and its mean as well; a role of several items
        its mean on 0–100.
    columns : str or list of str or tuple
        Segments or multiple-response sets side by side; a tuple nests: ``["gender", ("card", "gender")]``.
    nets : mapping of row to mapping of name to answers, optional
        Answers added up, codes or labels: ``{"satisfaction": {"Satisfied": [8, 9, 10]}}``; of a multiple-response
        set, respondents with any of them. ``{"codes": [8, 9, 10], "labels": {"en": ..., "zh": ...}}`` words it.
    statistics : list of {"net", "share", "top2", "mean", "nps"}, optional
        Lines to show; all that an item has by default.
    levels : float or (float, float)
        Confidence levels of upper-case letters and full arrows, and of lower-case letters and hollow arrows.
        Intervals have the first.
    adjust : {"holm", "bonferroni", "bh"} or None
        How p-values are adjusted over the pairs of a line within a group of columns. None is what most tabulation
        programs print.
    compare : {"group", "all"}
        Compare columns under one heading, or all columns, the total included.
    total : bool
        Begin with a column of everybody.

    Returns
    -------
    BannerResult
        ``table`` with one row per line and column: ``item, statistic, code`` (answer or net), ``group, segment``
        (``"card=2"``), ``letter`` (of the column), ``estimate`` (shares from 0 to 1, means on the item's scale, NPS
        from −100 to 100), ``se, low, high, letters`` (columns that this cell is above), ``arrow`` (against all others
        of the group: ▲ ▼ at the first level, △ ▽ at the second), ``rest`` (their value), ``p_value`` (of the arrow,
        adjusted), ``p_raw, base`` (respondents), ``base_weighted, base_effective, reliability``. ``comparisons`` has
        every test behind the letters, ``bases`` the bases per item and column. See also ``wide()`` and ``to_excel()``.

    Raises
    ------
    SurveyError
        For unknown names, answers, levels or statistics, more than 200 columns or 60 answers, and a stratum with one
        PSU.

    Warns
    -----
    SmallBaseWarning
        If cells are masked because their effective base is under 30.

    Notes
    -----
    Tests are t tests of differences of domain means by Taylor linearisation, covariance included: columns may overlap.
    Degrees of freedom are those of both domains, at most PSUs − strata of both together. The effective base is the base divided by the
    design effect averaged over the item's answers, one for all its lines; a column with less than 30 shows dashes
    and takes part in no test, 30 to 74 is marked with an asterisk. A share of 0 or 100 %, whose
    linearised variance is 0, is tested with the variance of (½) / (effective base + 1) on Kish's effective base. The base of an item is who
    answered it; of a multiple-response set, who answered any of its columns. Shares have Korn–Graubard intervals.

    References
    ----------
    Lumley (2010), *Complex Surveys*; R: ``survey::svyby(covmat = TRUE)`` with ``survey::svycontrast``.
    Holm (1979), Scandinavian Journal of Statistics 6, 65–70.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"card": ["gold", "plain"] * 60, "buys": ["no", "yes", "yes", "yes"] * 30})
    >>> found = banner(Survey.from_frame(df), "buys", "card", total=False)
    >>> found.table.loc[found.table["code"] == "yes", ["segment", "estimate", "letters", "arrow"]].values.tolist()
    [['card=gold', 0.5, '', '▼'], ['card=plain', 1.0, 'A', '▲']]
    """
    rows, columns, statistics = _listed(rows), _listed(columns), statistics and _listed(statistics)
    levels = require_tests(levels, adjust, compare)
    laid, notes = columns_of(survey, columns, total=total, all_compared=compare == "all")
    blocks = blocks_of(survey, rows, nets, statistics)
    pairs, family = pairs_of(laid, compare)
    task = _Task(resolve(survey), laid, pairs, family, levels, adjust)
    parts = _estimated(task, blocks)
    table = _joined([p.table for p in parts])
    bases = table.drop_duplicates(["item", "segment"])[list(_BASE_COLUMNS)].reset_index(drop=True)
    said = _call(survey, rows, columns, {"nets": nets, "statistics": statistics, "levels": levels, "adjust": adjust,
                                         "compare": compare, "total": total})  # fmt: skip
    weights = survey.weights[survey.domain]
    return BannerResult(
        table,
        Base(int((weights > 0).sum()), kish_base(weights)),
        (*design_notes(survey), *notes, *_notes(survey, task, table, compare)),
        _labels(laid, blocks),
        said,
        {"en": "Banner table", "zh": "交叉分析表"},
        level=levels[0],
        heads=tuple(Head(c.key, c.group, c.headings, c.letter) for c in laid),
        stubs=tuple(
            Stub(b.item, line.statistic, line.code, line.labels, line.spec) for b in blocks for line in b.lines
        ),
        bases=bases,
        comparisons=_joined([p.comparisons for p in parts]),
        levels=levels,
        adjust=adjust,
    )


Columns = dict[str, np.ndarray]
_BASE_COLUMNS = ("item", "group", "segment", "letter", "base", "base_weighted", "base_effective", "reliability")


def _listed(names: Any) -> list[Any]:
    return [names] if isinstance(names, str) else list(names)


@dataclass(frozen=True, eq=False)
class _Task:
    design: Design
    columns: list[Column]
    pairs: np.ndarray
    family: np.ndarray
    levels: Sequence[float]
    adjust: str | None


@dataclass(frozen=True, eq=False)
class _Part:
    """Some lines of one item."""

    table: Columns
    comparisons: Columns


def _joined(parts: Sequence[Columns]) -> pd.DataFrame:
    """One frame of many pieces of columns; text is turned into a column once, not in every piece."""
    return pd.DataFrame({name: np.concatenate([p[name] for p in parts]) for name in parts[0]})


def _estimated(task: _Task, blocks: Sequence[Block]) -> list[_Part]:
    where = plan(task.design, task.columns, task.pairs)
    parts = []
    for block in blocks:
        found = list(estimates(where, block))
        effective = _effective(block, [cells for _, cells in found])
        parts += [_part(task, block, chosen, cells, effective) for chosen, cells in found]
    return parts


def _effective(block: Block, found: Sequence[Cells]) -> np.ndarray:
    """Effective base of an item in every domain: base / (design effect averaged over its answers).

    One for all lines, so that a column is shown or masked as a whole; with a line alone it is that line's own.
    """
    shares = np.array([line.statistic == "share" for line in block.lines])
    chosen = shares if shares.any() else ~shares
    variance = np.concatenate([c.variance for c in found])[chosen]
    own = np.concatenate([c.base_effective for c in found])[chosen]
    total = np.nansum(variance, axis=0)
    mean = np.nansum(variance * own, axis=0) / np.where(total > 0, total, 1.0)
    return np.where(total > 0, mean, found[0].base_kish)


def _part(task: _Task, block: Block, chosen: slice, cells: Cells, effective: np.ndarray) -> _Part:
    columns, lines = task.columns, block.lines[chosen]
    count, pairs = len(columns), task.pairs
    gap, se, df = differences(cells, lines, pairs, effective)
    raw = raw_p(gap, se, df)
    p = adjusted(raw, task.family, task.adjust)
    between = pairs[:, 1] < count
    rest = np.full((3, len(lines), count), np.nan)  # value of the rest, p adjusted, p raw
    signs = np.full((len(lines), count), "", dtype=object)
    against = pairs[~between, 0]
    rest[:, :, against] = cells.estimate[:, against + count], p[:, ~between], raw[:, ~between]
    signs[:, against] = arrows(gap[:, ~between], p[:, ~between], task.levels)
    low, high = intervals(cells, lines, count, task.levels[0])
    marks = letters(columns, pairs[between], gap[:, between], p[:, between], task.levels)
    shown = np.tile(effective[:count], len(lines))
    table = {
            **_keys(block, lines, columns),
            "estimate": cells.estimate[:, :count].ravel(), "se": np.sqrt(cells.variance[:, :count]).ravel(),
            "low": low.ravel(), "high": high.ravel(), "letters": marks.ravel(), "arrow": signs.ravel(),
            "rest": rest[0].ravel(), "p_value": rest[1].ravel(), "p_raw": rest[2].ravel(),
            "base": np.tile(cells.base[:count].astype(np.int64), len(lines)),
            "base_weighted": np.tile(cells.base_weighted[:count], len(lines)),
            "base_effective": shown, "reliability": reliability(shown),
        }  # fmt: skip
    return _Part(table, _tests(task, block, lines, (gap, se, df, raw, p)))


def _keys(block: Block, lines: Sequence[Any], columns: Sequence[Column]) -> Columns:
    codes = np.empty(len(lines), dtype=object)
    codes[:] = [line.code for line in lines]
    return {
        "item": np.full(len(lines) * len(columns), block.item, dtype=object),
        "statistic": np.repeat(np.array([line.statistic for line in lines], dtype=object), len(columns)),
        "code": np.repeat(codes, len(columns)),
        "group": _tiled([c.group for c in columns], lines),
        "segment": _tiled([c.key for c in columns], lines),
        "letter": _tiled([c.letter for c in columns], lines),
    }


def _tiled(texts: Sequence[str], lines: Sequence[Any]) -> np.ndarray:
    return np.tile(np.array(texts, dtype=object), len(lines))


def _tests(task: _Task, block: Block, lines: Sequence[Any], found: tuple[np.ndarray, ...]) -> Columns:
    """Every comparison of two columns."""
    between = task.pairs[:, 1] < len(task.columns)
    pairs = task.pairs[between]
    gap, se, df, raw, p = (f[..., between] for f in found)
    one, other = ([task.columns[k] for k in pairs[:, side]] for side in (0, 1))
    keys = _keys(block, lines, one)
    for name in ("group", "letter"):
        keys.pop(name)
    return {
        **keys, "other": _tiled([c.key for c in other], lines), "estimate": gap.ravel(),
        "se": np.where(np.isnan(gap), np.nan, se).ravel(), "df": np.tile(df, len(lines)), "p_value": p.ravel(),
        "p_raw": raw.ravel(),
    }  # fmt: skip


def _labels(columns: Sequence[Column], blocks: Sequence[Block]) -> dict[Any, Texts]:
    out: dict[Any, Texts] = dict(HEADINGS)
    for c in columns:
        inner = c.headings[1:] or c.headings
        out["segment", c.key] = {lang: " × ".join(t[lang] for t in inner) for lang in LANGUAGES}
        out["group", c.group] = c.headings[0]
    for block in blocks:
        out[block.item] = block.labels
        out |= {("code", block.item, line.code): line.labels for line in block.lines if line.code is not None}
    return out


def _notes(survey: Survey, task: _Task, table: pd.DataFrame, compare: str) -> list[Mapping[str, str]]:
    suppressed = int((table["reliability"] == "suppressed").sum())
    notes: list[Mapping[str, str]] = []
    if len(task.pairs):
        first, *second = (f"{100 * v:.10g}%" for v in task.levels)
        facts = {"first": first, "second": second[0] if second else "", "how": _ADJUSTED[task.adjust],
                 "family": _FAMILIES[compare]}  # fmt: skip
        notes = [Note(_LETTERS if second else _LETTERS_ONE, **facts), Note(_ARROWS if second else _ARROWS_ONE, **facts)]
    notes.append(Note(_BASES))
    if any(s.name in set(table["item"]) for s in survey.codebook.sets):
        notes.append(Note(_SETS))
    if suppressed:
        note = Note(_SMALL, count=suppressed, cells=len(table))
        notes.append(note)
        warnings.warn(note["en"], SmallBaseWarning, stacklevel=3)
    return notes


_ADJUSTED: Mapping[str | None, Texts] = {
    "holm": {"en": "Holm-adjusted", "zh": "经 Holm 法校正"},
    "bonferroni": {"en": "Bonferroni-adjusted", "zh": "经 Bonferroni 法校正"},
    "bh": {"en": "Benjamini–Hochberg-adjusted", "zh": "经 Benjamini–Hochberg 法校正"},
    None: {"en": "not adjusted for the number of tests", "zh": "未作多重比较校正"},
}
_FAMILIES: Mapping[str, Texts] = {
    "group": {"en": "columns under the same heading", "zh": "同一表头下的各列"},
    "all": {"en": "all columns, which may overlap", "zh": "全部各列（允许人群重叠）"},
}
_LETTERS = {
    "en": "A letter in a cell names a column that the cell is significantly above: upper case at {first}, lower case at "
    "{second}. Tests compare {family}; design-based t tests, {how} within each row.",
    "zh": "单元格中的字母表示该值显著高于对应列：大写为 {first} 置信水平，小写为 {second}。比较范围为{family}；"
    "采用基于抽样设计的 t 检验，同一行内{how}。",
}
_LETTERS_ONE = {
    "en": "A letter in a cell names a column that the cell is significantly above at {first}. Tests compare {family}; "
    "design-based t tests, {how} within each row.",
    "zh": "单元格中的字母表示该值在 {first} 置信水平下显著高于对应列。比较范围为{family}；采用基于抽样设计的 t 检验，同一行内{how}。",
}
_ARROWS = {
    "en": "▲ ▼ above or below all others under the same heading at {first}; △ ▽ at {second}.",
    "zh": "▲ ▼ 表示显著高于或低于同一表头下的其他受访者（{first} 置信水平）；△ ▽ 为 {second}。",
}
_ARROWS_ONE = {
    "en": "▲ ▼ above or below all others under the same heading at {first}.",
    "zh": "▲ ▼ 表示显著高于或低于同一表头下的其他受访者（{first} 置信水平）。",
}
_BASES = {
    "en": "– effective base under 30, not shown and not tested; * effective base of 30 to 74, read with care. Effective base: "
    "respondents divided by the design effect, averaged over the answers.",
    "zh": "“–”表示有效样本量不足 30，不显示也不参与检验；“*”表示有效样本量为 30–74，解读须谨慎。有效样本量 = 样本量 ÷ 设计效应（取各选项的平均）。",
}
_SETS = {
    "en": "Multiple responses add up to more than 100%; their base is everybody who answered the question.",
    "zh": "多选题各项之和可超过 100%，以回答该题的全部受访者为基数。",
}
_SMALL = {
    "en": "{count:,} of {cells:,} cells have an effective base under 30 and are not shown.",
    "zh": "{cells:,} 个单元格中有 {count:,} 个有效样本量不足 30，未显示。",
}


def _call(survey: Survey, rows: list[Any], columns: list[Any], said: dict[str, Any]) -> str:
    usual = {"nets": None, "statistics": None, "levels": (0.95, 0.80), "adjust": "holm", "compare": "group",
             "total": True}  # fmt: skip
    more = "".join(f", {k}={v!r}" for k, v in said.items() if v != usual[k])
    return f"cx.banner(survey{survey.filter}, {rows!r}, {columns!r}{more})"
