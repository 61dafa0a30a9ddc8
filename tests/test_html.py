"""The report page: self-contained, readable without code, and the same every time."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup

from cxlab.errors import ReportError
from cxlab.report.html import to_html, wave_label
from cxlab.theme import CHINESE

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def _out(data: dict[str, str], kind: str = "display_data", **metadata: Any) -> Any:
    return nbformat.v4.new_output(kind, data=data, metadata=metadata)


def _notebook(*cells: Any) -> Any:
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append(nbformat.v4.new_markdown_cell(cell))
        else:
            outputs, tags = (cell, []) if isinstance(cell, list) else cell
            made.append(nbformat.v4.new_code_cell("secret_code()", outputs=outputs, metadata={"tags": tags}))
    return nbformat.v4.new_notebook(cells=made)


def _html(*html: str, lang: str = "en", **options: Any) -> str:
    return to_html(_notebook([_out({"text/html": h}) for h in html]), title="Study", lang=lang, **options)


def _outside(page: str) -> list[str]:
    """References that a browser would fetch or follow."""
    found = re.findall(r"""(?:src|href|srcset|poster|action)\s*=\s*["']?([^"'\s>]+)""", page)
    found += re.findall(r"""url\(\s*["']?([^"')]+)""", page) + re.findall(r"@import\s+\S+", page)
    return [f for f in found if not f.startswith(("data:", "#"))]


def test_a_page_with_everything_refers_to_nothing_outside() -> None:
    page = to_html(
        _notebook(
            "# Question\n\nSee [the paper](https://example.org/paper) and [us](mailto:a@b.cn).",
            [_out({"image/png": _PIXEL}), _out({"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'/>"})],
            [_out({"text/html": "<table><thead><tr><th>净推荐值</th></tr></thead></table>"})],
            [_out({"application/vnd.jupyter.widget-view+json": "{}", "text/plain": "IntSlider()"})],
        ),
        title="Study",
        lang="en",
    )
    assert _outside(page) == []
    assert "<script" not in page
    assert "the paper (example.org/paper)" in page
    assert "us (a@b.cn)" in page


@pytest.mark.parametrize(
    ("output", "named"),
    [
        ("<img src='https://example.org/x.png'>", 'src="https://example.org/x.png"'),
        ("<img src='figure.png'>", 'src="figure.png"'),
        ("<script>alert(1)</script>", "<script>"),
        ("<link rel='stylesheet' href='x.css'>", "<link>"),
        ("<style>@import 'x.css';</style>", "@import 'x.css';"),
        ("<p style=\"background: url( 'x.png')\">", "url( 'x.png')"),
        ("<svg><image href='//example.org/x.png'/></svg>", 'href="//example.org/x.png"'),
    ],
)
def test_an_output_that_would_be_missing_is_an_error(output: str, named: str) -> None:
    message = (
        f"an output of the notebook needs {named}, which a report cannot carry; "
        "use a static figure, or a picture that lies beside the notebook."
    )
    with pytest.raises(ReportError, match=f"^{re.escape(message)}$"):
        _html(output)


def test_embedded_data_and_anchors_are_allowed() -> None:
    page = _html(f"<p style='background:url(data:image/png;base64,{_PIXEL})'><a href='#x'>x</a><use href='#y'/></p>")
    assert _outside(page) == []


def test_code_warnings_hidden_cells_and_reprs_are_left_out() -> None:
    warning = nbformat.v4.new_output("stream", name="stderr", text="FutureWarning: soon")
    printed = nbformat.v4.new_output("stream", name="stdout", text="2 < 3")
    page = to_html(
        _notebook(
            [warning, printed],
            ([_out({"text/html": "<p>hidden</p>"})], ["hide"]),
            [_out({"text/plain": "<Axes: >"}, "execute_result"), _out({"image/png": _PIXEL})],
            [_out({"text/plain": "42"}, "execute_result")],
        ),
        title="Study",
        lang="en",
    )
    assert "secret_code" not in page
    assert "FutureWarning" not in page
    assert "hidden" not in BeautifulSoup(page, "html.parser").main.get_text()
    assert "Axes" not in page
    assert "<pre>2 &lt; 3</pre>" in page
    assert "<pre>42</pre>" in page


def test_markdown_is_rendered_and_the_first_title_is_the_page_s() -> None:
    soup = BeautifulSoup(
        to_html(_notebook("# Why?\n\nSome *text*.", "# Again"), title="Study", lang="en"), "html.parser"
    )
    assert soup.header.h1.get_text() == "Why?"
    assert soup.header.find(class_="study").get_text() == "Study"
    assert soup.title.get_text() == "Why?"
    assert soup.main.em.get_text() == "text"
    assert [h.get_text() for h in soup.main.find_all("h1")] == ["Again"]


def test_without_a_title_of_its_own_the_page_has_the_study_s() -> None:
    soup = BeautifulSoup(_html("<h2>Verdict</h2>", wave="2025-12"), "html.parser")
    assert soup.header.h1.get_text() == "Study"
    assert soup.header.find(class_="study") is None
    assert soup.title.get_text() == "Study · December 2025"


def test_titles_are_escaped() -> None:
    page = to_html(_notebook(), title="<b>A & B</b>", lang="en", wave="<i>", foot="<u>")
    assert "<h1>&lt;b&gt;A &amp; B&lt;/b&gt;</h1>" in page
    assert "<i>" not in page
    assert "<u>" not in page


def test_contents_lead_to_every_page_but_the_missing_ones() -> None:
    soup = BeautifulSoup(
        _html("<section class='page' id='p1'><p class='kicker'>One</p><h2>One finding of 12 words</h2></section><h2 id='x'>Two</h2><h2 id='x'>Three</h2>"
              "<section class='page missing'><h2>Four</h2></section>"), "html.parser")  # fmt: skip
    links = soup.nav.find_all("a")
    assert [a.get_text() for a in links] == ["One", "Two", "Three"]
    assert [soup.find(id=a["href"][1:]).get_text() for a in links] == ["One finding of 12 words", "Two", "Three"]
    assert soup.nav["aria-label"] == "Contents"


def test_a_short_page_has_no_contents() -> None:
    assert "<nav" not in _html("<h2>One</h2><h2>Two</h2>")


def test_language_is_declared_and_spoken() -> None:
    headings = "<h2>甲</h2><h2>乙</h2><h2>丙</h2>"
    soup = BeautifulSoup(_html(headings, lang="zh", wave="2025-12"), "html.parser")
    assert soup.html["lang"] == "zh-CN"
    assert soup.nav["aria-label"] == "目录"
    assert soup.find(class_="wave").get_text() == "2025年12月"


def _characters(page: str) -> set[str]:
    from io import BytesIO

    from fontTools.ttLib import TTFont

    data = re.search(r"url\(data:font/otf;base64,([^)]+)\)", page)
    assert data
    return {chr(c) for c in TTFont(BytesIO(base64.b64decode(data[1]))).getBestCmap()}


def test_chinese_font_travels_with_every_character_used() -> None:
    page = to_html(_notebook("## 排队等候", [_out({"text/html": "<h2>价</h2><h2>值</h2>"})]), title="康衡体检", lang="zh",
                   wave="2025-12", foot="数据")  # fmt: skip
    assert f"font-family:'{CHINESE}'" in page
    assert f'"{CHINESE}"' in page  # and the page's style asks for it
    assert set("排队等候价值康衡体检年月数据目录") <= _characters(page)


def test_english_page_with_one_chinese_word_has_its_font_and_others_none() -> None:
    assert set("金卡") <= _characters(_html("<p>金卡</p>"))
    assert "@font-face" not in _html("<p>gold</p>")


def test_pictures_have_texts_in_the_language_of_the_page() -> None:
    page = to_html(_notebook("## 排队", [_out({"image/png": _PIXEL}), _out({"image/png": _PIXEL}, **{"image/png": {"alt": "a < b"}})]),
                   title="Study", lang="zh")  # fmt: skip
    images = BeautifulSoup(page, "html.parser").find_all("img")
    assert [i["alt"] for i in images] == ["图：排队", "a < b"]
    assert all(i["src"].startswith("data:image/png;base64,") for i in images)


def test_tables_are_framed_once_and_have_scopes() -> None:
    table = "<h2>Touchpoints</h2><table class='cx'><thead><tr><th>a</th></tr></thead><tbody><tr><th>b</th></tr></tbody></table>"
    soup = BeautifulSoup(_html(table, f"<div class='cx-scroll'>{table}</div>"), "html.parser")
    frames = soup.find_all(class_="cx-scroll")
    assert len(frames) == 2
    assert [f["aria-label"] for f in frames] == 2 * ["Table: Touchpoints"]
    assert [f["tabindex"] for f in frames] == 2 * ["0"]
    assert [c["scope"] for c in frames[0].find_all("th")] == ["col", "row"]


def test_columns_of_words_stand_left_and_numbers_right() -> None:
    table = ("<table><thead><tr><th>Item</th><th>Owner</th><th>Mean</th><th>Masked</th></tr></thead><tbody>"
             "<tr><td>Queue</td><td class='x'>Operations</td><td>6.1</td><td>–</td></tr>"
             "<tr><td>Meal</td><td>Catering</td><td>–</td><td>–</td></tr></tbody></table>")  # fmt: skip
    left = BeautifulSoup(_html(table), "html.parser").select(".words")
    assert [c.get_text() for c in left] == ["Item", "Owner", "Queue", "Operations", "Meal", "Catering"]
    assert left[3]["class"] == ["x", "words"]


def test_same_notebook_same_page() -> None:
    notebook = _notebook("## 排队", [_out({"image/png": _PIXEL})])
    assert to_html(notebook, title="S", lang="zh") == to_html(notebook, title="S", lang="zh")


def test_the_notebook_itself_stays_as_it_is() -> None:
    notebook = _notebook(([_out({"text/html": "x"})], ["hide"]))
    before = nbformat.writes(notebook)
    to_html(notebook, title="S", lang="en")
    assert nbformat.writes(notebook) == before


@pytest.mark.parametrize(
    ("wave", "en", "zh"),
    [
        ("2025-02", "February 2025", "2025年2月"),
        ("202502", "February 2025", "2025年2月"),
        ("2025-H2", "H2 2025", "2025年下半年"),
        ("2025-W07", "week 7 2025", "2025年第7周"),
        ("2025", "2025", "2025年"),
        ("2025-13", "2025-13", "2025-13"),
        ("Welle 3", "Welle 3", "Welle 3"),
    ],
)
def test_wave_labels(wave: str, en: str, zh: str) -> None:
    assert (wave_label(wave, "en"), wave_label(wave, "zh")) == (en, zh)


@pytest.mark.parametrize("width", [1440, 480])
def test_page_in_a_browser(chromium: str, tmp_path: Path, width: int) -> None:
    from playwright.sync_api import sync_playwright

    cells = "".join(f"<td>{k / 7:.3f}</td>" for k in range(14))
    page = to_html(
        _notebook("# 康衡体检", [_out({"text/html": f"<h2>排队</h2><table class='cx'><tr>{cells}</tr></table>"})],
                  [_out({"image/png": _PIXEL})]), title="S", lang="zh")  # fmt: skip
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    asked: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": width, "height": 900})
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto((tmp_path / "report.html").as_uri())
        # Where the machine has a Chinese font of its own the page uses that; the embedded one must load all the same.
        drawn = tab.evaluate(f"document.fonts.load(\"16px '{CHINESE}'\", '康').then(f => f.map(x => x.status))")
        overflow = tab.evaluate("document.documentElement.scrollWidth")
        browser.close()
    assert [url for url in asked if not url.startswith("data:")] == [(tmp_path / "report.html").as_uri()]
    assert overflow <= width  # the wide table scrolls in its frame, the page does not
    assert drawn == ["loaded"]


def _contrast(first: str, second: str) -> float:
    def light(colour: str) -> float:
        full = colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])
        parts = [int(full[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(first), light(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_colours_can_be_read() -> None:
    colours = dict(re.findall(r"--(\w+):\s*(#[0-9a-f]+)", _html("")))
    for name in ("ink", "soft", "good", "bad", "accent"):
        assert _contrast(colours[name], colours["paper"]) >= 4.5, name
        assert _contrast(colours[name], colours["band"]) >= 4.5, name
