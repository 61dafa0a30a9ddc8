"""Result: what every analysis returns – a table, a picture and sentences."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError
from cxlab.items import pick
from cxlab.words import Sentences, language, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOW_BASE, SUPPRESSED_BASE = 75, 30  # effective bases under these are flagged / masked
Labels = Mapping[Any, Mapping[str, str]]


def reliability(base_effective: Any) -> Any:
    """Grade effective bases: ``"ok"`` from 75, ``"low"`` from 30, else ``"suppressed"``.

    Examples
    --------
    >>> reliability([29.9, 30, 75]).tolist()
    ['suppressed', 'low', 'ok']
    """
    base = np.nan_to_num(np.asarray(base_effective, dtype=float))
    return np.select([base >= LOW_BASE, base >= SUPPRESSED_BASE], ["ok", "low"], "suppressed")


@dataclass(frozen=True)
class Base:
    """Who an analysis rests on.

    Attributes
    ----------
    respondents : int
        Rows used (weight above zero, answers complete as the analysis needs).
    effective : float
        ``respondents`` divided by the design effect.
    excluded : int
        Rows of the domain that left, and ``excluded_share``, their share of its weight.
    """

    respondents: int
    effective: float = float("nan")
    excluded: int = 0
    excluded_share: float = 0.0


@dataclass(frozen=True, eq=False)
class Result:
    """Outcome of an analysis.

    Attributes
    ----------
    table : DataFrame
        Tidy and unrounded. Numbers of suppressed rows stay here; renderings mask them.
    base : Base
    notes : tuple of mapping of language to str
        Assumptions, exclusions and judgements.
    labels : mapping of key (driver, item, code, column) to mapping of language to str
    call : str
        The call that makes this result again.
    title : mapping of language to str
    formats : mapping of column, or of (metric, column), to format specification
        How renderings print a column, see :func:`cxlab.words.number`.
    level : float
        Confidence level of the intervals; tests in sentences are held to 1 − level.
    """

    table: pd.DataFrame
    base: Base
    notes: tuple[Mapping[str, str], ...] = ()
    labels: Labels = field(default_factory=dict)
    call: str = ""
    title: Mapping[str, str] = field(default_factory=dict)
    formats: Mapping[Any, str] = field(default_factory=dict)
    level: float = 0.95

    def label(self, key: Any, lang: str | None = None, column: str | None = None, item: Any = None) -> str:
        """Wording of a key of the table in a language; codes are looked up within their item and column."""
        texts = self.labels.get((column, item, key)) or self.labels.get((column, key)) or self.labels.get(key) or {}
        return pick(texts, language(lang), f"{key:g}" if isinstance(key, float) else str(key))

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the table; a result that has no picture of its own says so."""
        raise SurveyError(f"{type(self).__name__} has no picture; its table is in .table.")

    def sentences(self, lang: str | None = None) -> Sentences:
        """Findings in words, each with its numbers; computed from the table alone."""
        return Sentences()

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on the method, to paste into a paper."""
        return ""

    def to_excel(self, path: str | Path) -> Path:
        """Write the shown table, the unrounded table and the notes to a workbook (``.xlsx``).

        See :func:`cxlab.spreadsheet.write_result`.
        """
        from cxlab.spreadsheet import write_result

        return write_result(self, path)

    def further(self) -> Mapping[str, Result]:
        """Named tables that belong to this one; shown beneath it, and sheets of their own in a workbook."""
        return {}

    def rows(self) -> Iterator[Any]:
        """Rows of the table as named tuples."""
        return self.table.itertuples(index=False)

    def shown(self, lang: str | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Table as people see it: labels, rounding, suppressed rows masked; all columns or some, in their order."""
        lang = language(lang)
        out: dict[str, list[str]] = {}
        items = self.table["item"] if "item" in self.table else [None] * len(self.table)
        for column in self.table.columns if columns is None else columns:
            heading = self._heading(column, lang)
            cells = zip(self.table[column], self.masked(column), self.specs(column), items, strict=True)
            out[heading if heading not in out else f"{heading} ({column})"] = [
                "–" if mask else self._cell(column, value, spec, lang, item) for value, mask, spec, item in cells
            ]
        return pd.DataFrame(out)

    def specs(self, column: str) -> list[str]:
        """Format specification of every cell of a column, see :func:`cxlab.words.number`.

        ``formats`` may give one for a column or, where rows are on different scales, for
        ``(metric, column)``.
        """
        whole = pd.api.types.is_integer_dtype(self.table[column].dtype)
        plain = self.formats.get(column, "," if whole else _SPECS.get(column, ".2f"))
        metrics = self.table["metric"] if "metric" in self.table else [None] * len(self.table)
        return [self.formats.get((metric, column), plain) for metric in metrics]

    def masked(self, column: str) -> np.ndarray:
        """Which cells of a column renderings hide: the numbers of suppressed rows, but not their base."""
        if column in _NEVER_MASKED or "reliability" not in self.table:
            return np.zeros(len(self.table), bool)
        numbers = [isinstance(v, (Real, np.bool_)) for v in self.table[column]]
        return (self.table["reliability"] == "suppressed").to_numpy(bool) & np.array(numbers, bool)

    def is_number(self, column: str, value: Any) -> bool:
        """Whether a cell holds a measured number (not a key, a yes/no, infinite or missing)."""
        plain = isinstance(value, Real) and not isinstance(value, bool)
        return column not in KEYS and plain and math.isfinite(value)

    @property
    def said_level(self) -> str:
        """Confidence level as sentences print it."""
        return f"{100 * self.level:.10g}%"

    def text(self, words: Mapping[str, str], lang: str | None = None) -> str:
        """Wording in a language: of the title or of a note."""
        return pick(words, language(lang))

    def unit(self, value: Any, spec: str) -> str:
        """What follows a number of a specification in a cell: differences of shares are percentage points."""
        return " pp" if spec[:2] in ("pp", "pt") and number(value, spec) != "–" else ""

    def _cell(self, column: str, value: Any, spec: str, lang: str, item: Any = None) -> str:
        if column in KEYS or (column in _ENDS and isinstance(value, str)):
            return "" if value is None or value is pd.NaT or value != value else self.label(value, lang, column, item)
        if isinstance(value, (bool, np.bool_)):
            return "✓" if value else ""
        if isinstance(value, Real) or value is None or value is pd.NA or value is pd.NaT:
            # "p = .034" is for sentences; in a column the heading says what it is.
            return re.sub(r"^p (= )?", "", number(value, spec)) + self.unit(value, spec)
        if isinstance(value, dt.date):
            return f"{value:%Y-%m-%d}"
        return pick(self.labels.get((column, value)) or _VALUES.get(str(value), {}), lang, str(value))

    def _heading(self, column: str, lang: str) -> str:
        return pick(self.labels.get(column, {}), lang) or pick(HEADINGS.get(column, {}), lang, column)

    def _repr_html_(self) -> str:
        lang = language()
        title = pick(self.title, lang)
        head = f"<p><strong>{escape(title)}</strong></p>" if title else ""
        table = self.shown(lang).to_html(index=False, escape=True, border=0, classes="cx")
        base = f"{'Base' if lang == 'en' else '样本量'} {self.base.respondents:,}"
        if np.isfinite(self.base.effective):
            effective = f"{self.base.effective:,.0f}"
            base += f" (effective {effective})" if lang == "en" else f"（有效样本量 {effective}）"
        notes = [base, *(pick(n, lang) for n in self.notes)]
        below = "".join(
            f"<p><strong>{escape(pick(r.title, lang, name))}</strong></p>"
            + r.shown(lang).to_html(index=False, escape=True, border=0, classes="cx")
            for name, r in self.further().items()
        )
        return head + table + below + "".join(f"<p class='cx-note'>{escape(n)}</p>" for n in notes)


KEYS = ("driver", "item", "segment", "wave", "touchpoint", "factor", "metric", "code", "group", "other", "check",
        "construct", "route",
        "segment_2", "segment_3", "segment_4", "segment_5")  # fmt: skip
_ENDS = ("source", "target")  # names of constructs in path models; elsewhere a target is a number
_NEVER_MASKED = (*KEYS, "base", "base_effective", "reliability")
_SPECS = {
    "p_value": "p", "base_effective": ",.0f", "share": ".0%", "share_low": ".0%", "share_high": ".0%",
    "importance": ".3f", "importance_low": ".3f", "importance_high": ".3f", "top1": ".0%", "top3": ".0%",
}  # fmt: skip
_VALUES: Labels = {"ok": {"en": "ok", "zh": "可靠"}, "low": {"en": "low base", "zh": "样本偏少"},
                   "suppressed": {"en": "suppressed", "zh": "样本不足"}}  # fmt: skip
HEADINGS: Labels = {
    "driver": {"en": "Driver", "zh": "驱动因素"}, "item": {"en": "Item", "zh": "题目"},
    "segment": {"en": "Segment", "zh": "细分群体"}, "wave": {"en": "Wave", "zh": "期次"},
    "touchpoint": {"en": "Touchpoint", "zh": "触点"}, "metric": {"en": "Metric", "zh": "指标"},
    "code": {"en": "Answer", "zh": "选项"}, "estimate": {"en": "Estimate", "zh": "估计值"},
    "se": {"en": "SE", "zh": "标准误"}, "low": {"en": "Low", "zh": "下限"}, "high": {"en": "High", "zh": "上限"},
    "p_value": {"en": "p", "zh": "p 值"}, "base": {"en": "Base", "zh": "样本量"},
    "base_effective": {"en": "Effective base", "zh": "有效样本量"},
    "reliability": {"en": "Reliability", "zh": "可靠性"}, "importance": {"en": "Importance", "zh": "重要性"},
    "importance_low": {"en": "Importance low", "zh": "重要性下限"},
    "importance_high": {"en": "Importance high", "zh": "重要性上限"},
    "share": {"en": "Share", "zh": "占比"}, "share_low": {"en": "Share low", "zh": "占比下限"},
    "share_high": {"en": "Share high", "zh": "占比上限"}, "rank": {"en": "Rank", "zh": "排名"},
    "rank_low": {"en": "Best rank", "zh": "可能的最高名次"}, "rank_high": {"en": "Worst rank", "zh": "可能的最低名次"},
    "top1": {"en": "First in replicates", "zh": "重抽样中居首"},
    "top3": {"en": "Top 3 in replicates", "zh": "重抽样中前三"},
}  # fmt: skip
