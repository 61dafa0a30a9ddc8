"""A banner as a workbook to hand on: an index, one sheet per item, notes, and the unrounded table."""

from __future__ import annotations

import math
import os
import unicodedata
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from cxlab.banners._result import BASES, BannerResult, Stub, padded
from cxlab.items import pick
from cxlab.spreadsheet import number_format, text_style, write_workbook
from cxlab.theme import ACCENT, BAD, GOOD, INK, NEUTRAL

_WORDS = {
    "index": {"en": "Index", "zh": "目录"}, "notes": {"en": "Notes", "zh": "说明"}, "data": {"en": "Data", "zh": "数据"},
    "back": {"en": "← Index", "zh": "← 目录"}, "number": {"en": "No.", "zh": "序号"},
    "table": {"en": "Table", "zh": "表格"}, "sheet": {"en": "Sheet", "zh": "工作表"},
    "base": {"en": "Base (unweighted)", "zh": "样本量（未加权）"}, "effective": {"en": "Effective base", "zh": "有效样本量"},
    "method": {"en": "Method", "zh": "方法"}, "call": {"en": "Call", "zh": "调用"},
    "unrounded": {"en": "Unrounded values of every cell", "zh": "各单元格未取整的数值"},
    "how": {"en": "How to read the tables, and how they were made", "zh": "读表说明与方法"},
    "letters": {"en": "Column letter", "zh": "列字母"},
}  # fmt: skip
_SHADE, _LINE, _HEAD = "#F2F2F2", "#D9D9D9", "#E3EAF1"
_LABEL_WIDTH, _NUMBER_WIDTH = 38, 8
# characters beside the labels on a sheet of paper at that scale in percent, where the sheet's font has to be replaced
_PAGE_WIDTH, _PRINT_SCALE, _PADDING = 145, 60, 0.72
_COLOURS = {"▲": GOOD, "△": GOOD, "▼": BAD, "▽": BAD}


def write_banner(banner: BannerResult, path: str | os.PathLike[str], lang: str) -> Path:
    """Write the workbook, see :meth:`BannerResult.to_excel`."""
    return write_workbook(path, lambda book: _Workbook(book, banner, lang).fill())


class _Workbook:
    """The sheets of one banner in one language."""

    def __init__(self, book: Any, banner: BannerResult, lang: str) -> None:
        self.book, self.banner, self.lang = book, banner, lang
        self.formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self.words = {k: v[lang] for k, v in _WORDS.items()}
        self.items = list(banner.blocks())
        self.sheets = [f"T{k:0{max(2, len(str(len(self.items))))}d}" for k in range(1, len(self.items) + 1)]
        # numbers and letters stand in cells of their own; wide enough for the longest
        marks = (banner.table["letters"].str.len() + 2 * (banner.table["arrow"] != "")).max()
        self.marks_width = max(4.0, min(1.1 * float(marks) + 1, 24))

    def fill(self) -> None:
        self.book.set_properties({"title": self.banner.text(self.banner.title, self.lang)})
        index = self.book.add_worksheet(self.words["index"])
        for k, name in enumerate(self.sheets):
            _Table(self, k, self.book.add_worksheet(name)).fill()
        self._notes(self.book.add_worksheet(self.words["notes"]))
        self._data(self.book.add_worksheet(self.words["data"]))
        self._index(index)

    def format(self, **style: Any) -> Any:
        style = {"font_name": "Arial", "font_size": 10, "font_color": INK, "valign": "vcenter", **style}
        key = tuple(sorted(style.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format(style)
        return self.formats[key]

    def text(self, sheet: Any, place: tuple[int, int], text: str, **style: Any) -> None:
        """Write a text that stays one."""
        sheet.write_string(*place, text, self.format(**style, **text_style(text)))

    def across(self, sheet: Any, area: tuple[int, int, int, int], text: str, **style: Any) -> None:
        """Write a text over several cells."""
        if area[:2] == area[2:]:
            self.text(sheet, area[:2], text, **style)
        else:
            sheet.merge_range(*area, "", self.format(**style, **text_style(text)))
            self.text(sheet, area[:2], text, **style)

    def link(self, sheet: Any, place: tuple[int, int], target: str, text: str, **style: Any) -> None:
        """Write a text that leads to a sheet."""
        look = self.format(font_color=GOOD, underline=1, **style, **text_style(text))
        sheet.write_url(*place, f"internal:'{target}'!A1", look, text)

    def _index(self, sheet: Any) -> None:
        sheet.hide_gridlines(2)
        self.text(sheet, (0, 0), self.banner.text(self.banner.title, self.lang), bold=True, font_size=16)
        sheet.set_row(0, 28)
        heads = (self.words[k] for k in ("number", "table", "sheet", "base", "effective"))
        for j, head in enumerate(heads):
            align = "left" if j < 3 else "right"
            self.text(sheet, (2, j), head, bold=True, bottom=1, bg_color=_HEAD, text_wrap=True, align=align)
        sheet.set_row(2, 30)
        for k, ((item, bases, _), name) in enumerate(zip(self.items, self.sheets, strict=True)):
            row, label = k + 3, self.banner.item_label(item, self.lang)
            first = bases.iloc[0]
            line = {"bottom": 1, "bottom_color": _LINE}
            sheet.write_number(row, 0, k + 1, self.format(align="left", **line))
            self.link(sheet, (row, 1), name, label, text_wrap=True, **line)
            self.text(sheet, (row, 2), name, **line)
            for j, column in ((3, "base"), (4, "base_effective")):
                sheet.write_number(row, j, float(first[column]), self.format(num_format="#,##0", **line))
            sheet.set_row(row, 15 * _lines(label, 70) + 3)
        after = len(self.items) + 4
        for j, (name, words) in enumerate((("notes", "how"), ("data", "unrounded"))):
            self.link(sheet, (after + j, 1), self.words[name], self.words[words])
            self.text(sheet, (after + j, 2), self.words[name])
        for j, width in enumerate((6, 70, 10, 13, 13)):
            sheet.set_column(j, j, width)
        sheet.freeze_panes(3, 0)
        _paper(sheet, landscape=False)

    def _notes(self, sheet: Any) -> None:
        sheet.hide_gridlines(2)
        self.link(sheet, (0, 0), self.words["index"], self.words["back"])
        notes = [self.banner.text(n, self.lang) for n in self.banner.notes]
        rows = [*((self.words["notes"] if k == 0 else "", n) for k, n in enumerate(notes)),
                (self.words["method"], self.banner.methods(self.lang)), (self.words["call"], self.banner.call)]  # fmt: skip
        for k, (head, text) in enumerate(rows, start=2):
            self.text(sheet, (k, 0), head, bold=True, valign="top")
            self.text(sheet, (k, 1), text[:32_767], text_wrap=True, valign="top")
            sheet.set_row(k, min(15 * _lines(text, 108) + 3, 400))
        sheet.set_column(0, 0, 12)
        sheet.set_column(1, 1, 110)
        _paper(sheet, landscape=True)

    def _data(self, sheet: Any) -> None:
        table, plain = self.banner.table, self.format()
        for j, column in enumerate(table.columns):
            self.text(sheet, (0, j), str(column), bold=True, bottom=1)
            for i, value in enumerate(table[column].tolist(), start=1):
                if isinstance(value, (int, float)):
                    if math.isfinite(value):
                        sheet.write_number(i, j, value, plain)
                elif value:
                    self.text(sheet, (i, j), str(value))
            sheet.set_column(j, j, 13)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(table), len(table.columns) - 1)
        sheet.repeat_rows(0)
        _paper(sheet, landscape=True)


class _Table:
    """The sheet of one item."""

    def __init__(self, whole: _Workbook, number: int, sheet: Any) -> None:
        self.whole, self.sheet, self.lang = whole, sheet, whole.lang
        self.item, self.bases, self.lines = whole.items[number]
        self.heads = whole.banner.heads
        self.depth = max(len(h.headings) for h in self.heads)
        self.last = 2 * len(self.heads)
        self.title = whole.banner.item_label(self.item, whole.lang)

    def fill(self) -> None:
        whole, sheet = self.whole, self.sheet
        sheet.hide_gridlines(2)
        whole.text(sheet, (0, 0), self.title, bold=True, font_size=14)
        sheet.set_row(0, 24)
        whole.link(sheet, (1, 0), whole.words["index"], whole.words["back"], font_size=9)
        row = self._header(2)
        sheet.freeze_panes(row, 1)
        sheet.repeat_rows(0, row - 1)
        row = self._bases(row)
        for stub, cells in self.lines:
            self._line(row, stub, cells)
            row += 1
        self._foot(row + 1)
        sheet.set_column(0, 0, _LABEL_WIDTH)
        for k in range(len(self.heads)):
            sheet.set_column(2 * k + 1, 2 * k + 1, _NUMBER_WIDTH)
            sheet.set_column(2 * k + 2, 2 * k + 2, whole.marks_width)
        sheet.repeat_columns(0)
        _paper(sheet, landscape=True)
        if breaks := self._breaks():
            sheet.set_print_scale(_PRINT_SCALE)
            sheet.set_v_pagebreaks(breaks)
        sheet.set_footer(f"&L{self.title.replace('&', '&&')[:120]}&R&P / &N")

    def _header(self, row: int) -> int:
        """Headings from the outer to the inner variable, then the column letters; returns the next row."""
        whole, sheet = self.whole, self.sheet
        texts = [tuple(pick(t, self.lang) for t in padded(h, self.depth)) for h in self.heads]
        look = {"bold": True, "align": "center", "bg_color": _HEAD, "text_wrap": True}
        for level in range(self.depth):
            whole.text(sheet, (row + level, 0), "", bg_color=_HEAD)
            keys = [(h.group, t[: level + 1], k if level == self.depth - 1 else 0) for k, (h, t) in
                    enumerate(zip(self.heads, texts, strict=True))]  # fmt: skip
            for _, same in groupby(range(len(keys)), keys.__getitem__):
                part = list(same)
                area = (row + level, 2 * part[0] + 1, row + level, 2 * part[-1] + 2)
                text = texts[part[0]][level]
                edge = {"bottom": 1, "bottom_color": NEUTRAL} if text and level < self.depth - 1 else {}
                whole.across(sheet, area, text, **look, **edge, **self._left(part[0]))
            widths = [(t[level], _NUMBER_WIDTH + whole.marks_width) for t in texts]
            tall = max(_lines(t, w) for t, w in widths) if level == self.depth - 1 else 1
            sheet.set_row(row + level, 15 * min(tall, 5) + 3)
        row += self.depth
        whole.text(sheet, (row, 0), whole.words["letters"], bg_color=_HEAD, bottom=1, font_color=NEUTRAL, font_size=9)
        for k, head in enumerate(self.heads):
            text = f"({head.letter})" if head.letter else ""
            area = (row, 2 * k + 1, row, 2 * k + 2)
            whole.across(sheet, area, text, **{**look, "bottom": 1, "font_color": ACCENT}, **self._left(k))
        return row + 1

    def _breaks(self) -> list[int]:
        """Columns before which the paper ends: groups stay whole where they fit, numbers and their letters always."""
        wide, used, breaks = _NUMBER_WIDTH + self.whole.marks_width + 2 * _PADDING, 0.0, []
        for _, same in groupby(range(len(self.heads)), lambda k: self.heads[k].group):
            part = list(same)
            for k in part:
                needed = wide * (len(part) if k == part[0] and len(part) * wide <= _PAGE_WIDTH else 1)
                if used and used + needed > _PAGE_WIDTH:
                    breaks.append(2 * k + 1)
                    used = 0.0
                used += wide
        return breaks

    def _left(self, k: int) -> dict[str, Any]:
        """Rule on the left of a group's first column."""
        first = k == 0 or self.heads[k].group != self.heads[k - 1].group
        return {"left": 1, "left_color": NEUTRAL} if first else {}

    def _bases(self, row: int) -> int:
        for name, words in BASES.items():
            edge = {"bottom": 1, "bottom_color": NEUTRAL} if name == "base_effective" else {}
            look = {"bg_color": _SHADE, "font_size": 9, **edge}
            self.whole.text(self.sheet, (row, 0), words[self.lang], **look)
            for k, value in enumerate(self.bases[name].tolist()):
                number = self.whole.format(num_format="#,##0", **look, **self._left(k))
                self.sheet.write_number(row, 2 * k + 1, float(value), number)
                self.sheet.write_blank(row, 2 * k + 2, None, self.whole.format(**look))
            row += 1
        return row

    def _line(self, row: int, stub: Stub, cells: pd.DataFrame) -> None:
        whole, sheet = self.whole, self.sheet
        strong = stub.statistic in ("net", "mean", "nps", "top2")
        look: dict[str, Any] = {"bold": strong, "bottom": 1, "bottom_color": _LINE}
        label = stub.label(self.lang)
        whole.text(sheet, (row, 0), label, text_wrap=True, indent=0 if strong else 1, **look)
        sheet.set_row(row, 15 * min(_lines(label, _LABEL_WIDTH - 3), 6) + 1)
        pieces = zip(cells["estimate"], cells["letters"], cells["arrow"], cells["reliability"], strict=True)
        for k, (value, marks, arrow, grade) in enumerate(pieces):
            left = self._left(k)
            if grade == "suppressed" or math.isnan(value):
                whole.text(sheet, (row, 2 * k + 1), "–", align="right", **{**look, "font_color": NEUTRAL}, **left)
                sheet.write_blank(row, 2 * k + 2, None, whole.format(**look))
                continue
            code = number_format(stub.spec)
            weak = {"italic": True, "num_format": _starred(code), "font_color": NEUTRAL} if grade == "low" else {}
            sheet.write_number(row, 2 * k + 1, value, whole.format(**{"num_format": code, **look, **weak}, **left))
            colour = _COLOURS.get(arrow, ACCENT)
            text = " ".join(filter(None, (marks, arrow)))
            whole.text(sheet, (row, 2 * k + 2), text, **{**look, "bold": False, "font_size": 9, "font_color": colour})

    def _foot(self, row: int) -> None:
        """Notes beneath the table; not in the first column, which every printed page repeats."""
        breaks = self._breaks()
        last = breaks[0] - 1 if breaks else max(8, self.last)
        width = last / 2 * (_NUMBER_WIDTH + self.whole.marks_width)
        for note in self.whole.banner.notes:
            text = self.whole.banner.text(note, self.lang)
            area = (row, 1, row, last)
            self.whole.across(self.sheet, area, text, font_size=8, font_color=NEUTRAL, text_wrap=True, valign="top")
            self.sheet.set_row(row, 12 * _lines(text, 1.15 * width) + 2)
            row += 1


def _starred(code: str) -> str:
    """Number format with an asterisk after the number, in every part of it."""
    return ";".join(f'{part}"*"' for part in code.split(";"))


def _lines(text: str, width: float) -> int:
    """Lines that a text takes in a cell of that many characters."""
    size = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return max(1, math.ceil(size / max(width, 1)))


def _paper(sheet: Any, *, landscape: bool) -> None:
    """A4, one page wide."""
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    if landscape:
        sheet.set_landscape()
