"""A banner as a table of a notebook or report page."""

from __future__ import annotations

import hashlib
from html import escape
from itertools import groupby

import pandas as pd

from cxlab.banners._result import BASES, BannerResult, padded, shown_cells
from cxlab.items import pick
from cxlab.theme import ACCENT, BAD, GOOD, INK, NEUTRAL
from cxlab.words import number

_COLOURS = {"▲": GOOD, "△": GOOD, "▼": BAD, "▽": BAD}
_FONT = ["system-ui", "-apple-system", "Segoe UI", "PingFang SC", "Microsoft YaHei", "cxlab Noto Sans SC", "sans-serif"]


def page(banner: BannerResult, lang: str) -> str:
    """HTML of a banner; labels are escaped, and the same banner gives the same text."""
    from great_tables import GT, html, loc, style

    rows, kinds = _rows(banner, lang)
    names = [f"c{k}" for k in range(len(banner.heads))]
    frame = pd.DataFrame(rows, columns=["item", "line", *names])
    digest = hashlib.sha256(f"{banner.call}{lang}".encode()).hexdigest()[:8]
    made = GT(frame, rowname_col="line", groupname_col="item", id=f"cx-banner-{digest}")
    made = made.fmt_passthrough(columns=names, escape=False)
    labels = {
        n: html(_column_label(pick(h.headings[-1], lang), h.letter)) for n, h in zip(names, banner.heads, strict=True)
    }
    made = _spanners(made.cols_label(labels), banner, names, lang)
    made = made.cols_align("right", columns=names)
    if title := pick(banner.title, lang):
        made = made.tab_header(title=html(escape(title)))
    for note in banner.notes:
        made = made.tab_source_note(html(escape(banner.text(note, lang))))
    bases = [k for k, kind in enumerate(kinds) if kind == "base"]
    strong = [k for k, kind in enumerate(kinds) if kind in ("net", "mean", "nps", "top2")]
    grey = style.text(color=NEUTRAL, size="11px")
    for where in (loc.body(rows=bases), loc.stub(rows=bases)):
        made = made.tab_style(grey, where)
    if strong:
        for where in (loc.body(rows=strong), loc.stub(rows=strong)):
            made = made.tab_style(style.text(weight="bold"), where)
    return made.tab_options(
        table_font_size="13px", table_font_color=INK, data_row_padding="3px", data_row_padding_horizontal="6px",
        row_group_padding="6px", row_group_font_weight="bold", heading_align="left", heading_title_font_size="16px",
        heading_title_font_weight="bold", column_labels_padding="4px", column_labels_padding_horizontal="6px",
        source_notes_font_size="11px", source_notes_padding="2px", table_font_names=_FONT, container_overflow_x="auto",
        stub_border_width="1px", table_margin_left="0",
    ).as_raw_html()  # fmt: skip


def _column_label(text: str, letter: str) -> str:
    mark = f"<br><span style='color:{ACCENT}'>({letter})</span>" if letter else ""
    return escape(text) + mark


def _spanners(made, banner: BannerResult, names: list[str], lang: str):  # type: ignore[no-untyped-def]
    """Headings above the columns, from the inner to the outer."""
    from great_tables import html

    depth = max(len(h.headings) for h in banner.heads)
    texts = [tuple(pick(t, lang) for t in padded(h, depth)) for h in banner.heads]
    for level in range(depth - 2, -1, -1):
        keys = [(h.group, t[: level + 1]) for h, t in zip(banner.heads, texts, strict=True)]
        for number_, (_, same) in enumerate(groupby(range(len(keys)), keys.__getitem__)):
            part = list(same)
            text = texts[part[0]][level]
            if text:
                made = made.tab_spanner(html(escape(text)), columns=[names[k] for k in part],
                                        id=f"s{level}-{number_}", level=depth - 2 - level, gather=False)  # fmt: skip
    return made


def _rows(banner: BannerResult, lang: str) -> tuple[list[list[str]], list[str]]:
    """Cells as HTML, item and line first, and the kind of every row."""
    rows, kinds = [], []
    for item, bases, lines in banner.blocks():
        label = banner.item_label(item, lang)
        for name, words in BASES.items():
            rows.append([label, words[lang], *(number(v, ",.0f") for v in bases[name])])
            kinds.append("base")
        for stub, cells in lines:
            shown = (_cell(*parts) for parts in shown_cells(stub, cells))
            rows.append([label, stub.label(lang), *shown])
            kinds.append(stub.statistic)
    return rows, kinds


def _cell(text: str, letters: str, arrow: str) -> str:
    out = f"<span style='color:{NEUTRAL}'>{text}</span>" if text == "–" or text.endswith("*") else text
    marks = []
    if letters:
        marks.append(f"<span style='color:{ACCENT}'>{letters}</span>")
    if arrow:
        marks.append(f"<span style='color:{_COLOURS[arrow]}'>{arrow}</span>")
    below = f"<br><span style='font-size:10px;font-weight:normal'>{' '.join(marks)}</span>" if marks else ""
    return f"<span style='white-space:nowrap'>{out}{below}</span>"
