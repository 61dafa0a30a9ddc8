"""The result of a banner: the tidy table, its wide form, sentences and method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.banners._columns import Texts
from cxlab.contrasts import holm
from cxlab.items import pick
from cxlab.result import Result
from cxlab.words import Figure, Note, Sentence, Sentences, language, number, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADINGS: Mapping[Any, Texts] = {
    "statistic": {"en": "Statistic", "zh": "统计量"},
    "group": {"en": "Heading", "zh": "表头"},
    "letter": {"en": "Column", "zh": "列"},
    "letters": {"en": "Above columns", "zh": "显著高于"},
    "arrow": {"en": "Against the rest", "zh": "与其他人相比"},
    "rest": {"en": "All others", "zh": "其他受访者"},
    "p_raw": {"en": "p, unadjusted", "zh": "p 值（未校正）"},
    "base_weighted": {"en": "Weighted base", "zh": "加权样本量"},
    ("statistic", "share"): {"en": "Share", "zh": "占比"},
    ("statistic", "net"): {"en": "Net", "zh": "合并项"},
    ("statistic", "top2"): {"en": "Top-2 box", "zh": "前两档"},
    ("statistic", "mean"): {"en": "Mean", "zh": "均值"},
    ("statistic", "nps"): {"en": "NPS", "zh": "净推荐值"},
}
BASES: Mapping[str, Texts] = {
    "base": {"en": "Base (unweighted)", "zh": "样本量（未加权）"},
    "base_weighted": {"en": "Base (weighted)", "zh": "样本量（加权）"},
    "base_effective": {"en": "Effective base", "zh": "有效样本量"},
}
NET: Texts = {"en": "Net: {label}", "zh": "合并：{label}"}
_STANDS_OUT = {
    "en": "{segment:cap}: {item:in}, {line:in} {value} against {rest} among all others ({p:p}).",
    "zh": "{segment}：“{item}”{line}为 {value}，其他受访者为 {rest}（{p:p}）。",
}
_STANDS_OUT_WHOLE = {  # the item is the metric
    "en": "{segment:cap}: {item:in} {value} against {rest} among all others ({p:p}).",
    "zh": "{segment}：{item}为 {value}，其他受访者为 {rest}（{p:p}）。",
}
_NOBODY = {
    "en": "No segment stands out from the others in means, NPS or top-2 box ({tests} comparisons, {level}, Holm).",
    "zh": "各细分群体在均值、净推荐值和前两档占比上与其他受访者均无显著差异（共 {tests} 次比较，{level} 置信水平，Holm 校正）。",
}


@dataclass(frozen=True)
class Head:
    """A column's headings, see :class:`cxlab.banners._columns.Column`."""

    key: str
    group: str
    headings: tuple[Texts, ...]
    letter: str


@dataclass(frozen=True)
class Stub:
    """A line's wording and format."""

    item: str
    statistic: str
    code: Any
    labels: Texts
    spec: str

    def label(self, lang: str) -> str:
        """Wording of the line."""
        text = pick(self.labels, lang)
        return NET[lang].format(label=text) if self.statistic == "net" else text


@dataclass(frozen=True, eq=False)
class BannerResult(Result):
    """A banner table.

    Attributes
    ----------
    heads : tuple of Head
        The columns, in order.
    stubs : tuple of Stub
        The lines, in order; ``table`` has one row for each head of each stub.
    bases : DataFrame
        ``item, group, segment, letter, base, base_weighted, base_effective, reliability``, as in ``table``.
    comparisons : DataFrame
        ``item, statistic, code, segment, other, estimate`` (difference), ``se, df, p_value`` (adjusted), ``p_raw``;
        NaN where a side is suppressed.
    levels : tuple of float
    adjust : str or None
    """

    heads: tuple[Head, ...] = ()
    stubs: tuple[Stub, ...] = ()
    bases: pd.DataFrame = field(default_factory=pd.DataFrame)
    comparisons: pd.DataFrame = field(default_factory=pd.DataFrame)
    levels: tuple[float, ...] = (0.95, 0.80)
    adjust: str | None = "holm"

    def specs(self, column: str) -> list[str]:
        """Format of every cell of a column: percentages, means and NPS stand in one table."""
        if column in ("estimate", "low", "high", "rest", "se"):
            shown = [".3f" if column == "se" else s.spec for s in self.stubs]
            return [spec for spec in shown for _ in self.heads]
        return [{"base_weighted": ",.0f", "p_raw": "p"}.get(column, spec) for spec in super().specs(column)]

    def wide(self, lang: str | None = None) -> pd.DataFrame:
        """The banner as people read it: lines by columns, with letters, arrows and bases, as text.

        Parameters
        ----------
        lang : {"en", "zh"}, optional

        Returns
        -------
        DataFrame
            Index: item, line. Columns: heading, labels from outer to inner, letter.
        """
        lang = language(lang)
        depth = max(len(h.headings) for h in self.heads)
        heads = [[*(pick(t, lang) for t in padded(h, depth)), f"({h.letter})" if h.letter else ""] for h in self.heads]
        index, cells = [], []
        for item, bases, lines in self.blocks():
            said = self.item_label(item, lang)
            for name, text in BASES.items():
                index.append((said, text[lang]))
                cells.append([number(v, ",.0f") for v in bases[name]])
            for stub, rows in lines:
                index.append((said, stub.label(lang)))
                cells.append([" ".join(filter(None, parts)) for parts in shown_cells(stub, rows)])
        return pd.DataFrame(
            cells, index=pd.MultiIndex.from_tuples(index), columns=pd.MultiIndex.from_tuples(map(tuple, heads))
        )

    def item_label(self, item: str, lang: str) -> str:
        """Wording of an item; with its name where another one has the same wording."""
        own = self.label(item, lang)
        shared = [i for i in dict.fromkeys(s.item for s in self.stubs) if self.label(i, lang) == own]
        return f"{own} ({item})" if len(shared) > 1 else own

    def blocks(self) -> Iterator[tuple[str, pd.DataFrame, list[tuple[Stub, pd.DataFrame]]]]:
        """Item by item: its bases, and its lines with their rows of the table, one per column."""
        width, at = len(self.heads), 0
        for k, item in enumerate(dict.fromkeys(s.item for s in self.stubs)):
            stubs = [s for s in self.stubs if s.item == item]
            lines = [(s, self.table.iloc[(at + j) * width : (at + j + 1) * width]) for j, s in enumerate(stubs)]
            yield item, self.bases.iloc[k * width : (k + 1) * width], lines
            at += len(stubs)

    def sentences(self, lang: str | None = None) -> Sentences:
        """Say who stands out from the rest in means, NPS and top-2 box; Holm over all these comparisons."""
        lang = language(lang)
        headline = self.table["statistic"].isin(["mean", "nps", "top2"]) & self.table["p_raw"].notna()
        rows = self.table[headline]
        p = holm(rows["p_raw"].to_numpy())
        if not len(rows):
            return Sentences()
        found = [self._stands_out(i, p[k], lang) for k, i in enumerate(rows.index) if p[k] <= 1 - self.level]
        if not found:
            return Sentences([sentence(_NOBODY, lang, tests=len(rows), level=self.said_level)])
        return Sentences(s for _, s in sorted(found, key=lambda f: f[0]))

    def _stands_out(self, row: int, p: float, lang: str) -> tuple[float, Sentence]:
        cell: Any = self.table.loc[row]
        stub = self.stubs[row // len(self.heads)]
        words = _STANDS_OUT_WHOLE if stub.item in ("nps", "csat") else _STANDS_OUT
        return p, sentence(
            words, lang, segment=self.label(cell["segment"], lang, "segment"), item=self.label(stub.item, lang),
            line=stub.label(lang), value=Figure(cell["estimate"], stub.spec), rest=Figure(cell["rest"], stub.spec), p=p,
        )  # fmt: skip

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw means, NPS, top boxes and nets as a grid of cells, tinted where a column stands out from the rest."""
        from cxlab.banners._draw import draw

        return draw(self, ax, language(lang))

    def methods(self, lang: str | None = None) -> str:
        """Paragraph on how the numbers were made."""
        return Note(_METHODS, lines=len(self.stubs), columns=len(self.heads)).sentence(lang).text

    def to_excel(self, path: str | Path, *, lang: str | None = None) -> Path:
        """Write a workbook to hand on: an index, one sheet per item, notes, and the unrounded table.

        Parameters
        ----------
        path : path
            Ends in ``.xlsx``; an existing file is replaced, and only by a whole one.
        lang : {"en", "zh"}, optional

        Returns
        -------
        Path
        """
        from cxlab.banners._workbook import write_banner

        return write_banner(self, path, language(lang))

    def _repr_html_(self) -> str:
        from cxlab.banners._page import page

        return page(self, language())


_METHODS = {
    "en": "Weighted shares, means and NPS in {lines:,} rows and {columns:,} columns, with Taylor-linearised variances that "
    "keep the whole sample design and the covariance between overlapping columns. Two columns are compared by a t test of "
    "the difference of their domain estimates. Shares have Korn–Graubard intervals.",
    "zh": "表中为加权占比、均值与净推荐值，共 {lines:,} 行、{columns:,} 列；方差以泰勒线性化法按完整抽样设计计算，并计入重叠列之间的协方差。"
    "列间比较采用域估计值之差的 t 检验；占比的置信区间为 Korn–Graubard 区间。",
}


def padded(head: Head, depth: int) -> list[Texts]:
    """Headings of a column on ``depth`` levels: the label stands lowest, the group's highest."""
    empty: Texts = {"en": "", "zh": ""}
    first, *inner = head.headings
    if not inner:
        return [*[empty] * (depth - 1), first]
    return [first, *[empty] * (depth - 1 - len(inner)), *inner]


def shown_cells(stub: Stub, rows: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Number, letters and arrow of each cell of a line; a dash where the base is too small."""
    cells = []
    for value, marks, arrow, grade in zip(
        rows["estimate"], rows["letters"], rows["arrow"], rows["reliability"], strict=True
    ):
        if grade == "suppressed" or np.isnan(value):
            cells.append(("–", "", ""))
        else:
            cells.append((number(value, stub.spec) + ("*" if grade == "low" else ""), marks, arrow))
    return cells
