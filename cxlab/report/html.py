"""An executed notebook as one HTML file that needs nothing else: no network, no scripts, no fonts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlab.errors import ReportError
from cxlab.report.execute import quick_imports
from cxlab.words import language

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

_TEMPLATES = Path(__file__).parent / "template"
_PRIORITY = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/plain"]
_IMAGES = {"image/svg+xml", "image/png", "image/jpeg"}
_LOADING = ("src", "srcset", "poster", "data", "background", "xlink:href")
_OUTSIDE_CSS = re.compile(r"@import|url\(\s*['\"]?(?!data:|#|['\"\s])", re.IGNORECASE)
_WORDS = {
    "en": {"contents": "Contents", "figure": "Figure: ", "table": "Table: "},
    "zh": {"contents": "目录", "figure": "图：", "table": "表："},
}
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip


def to_html(
    notebook: Any, *, title: str, lang: str | None = None, wave: str = "", foot: str = "", folder: Path | None = None
) -> str:
    """Convert an executed notebook to a self-contained page.

    Code, warnings and cells tagged ``hide`` are left out. A first heading of level 1 becomes
    the page's title, with the study's name above it; three headings of level 2 or more make a
    table of contents. Links to other sites become plain text.

    Parameters
    ----------
    notebook : NotebookNode
    title : str
        Name of the study.
    lang : {"en", "zh"}, optional
    wave : str
        ``"2025-12"`` and the like; shown in words.
    foot : str
        Text of the last line.
    folder : path, optional
        Where pictures of markdown cells are looked for.

    Returns
    -------
    str
        HTML that loads nothing. The same notebook gives the same text.

    Raises
    ------
    ReportError
        If an output needs a script, or a picture or style from elsewhere: it would be missing.

    Examples
    --------
    >>> import nbformat
    >>> notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# 谁不满意？")])
    >>> page = to_html(notebook, title="康衡体检", lang="zh", wave="2025-12")
    >>> "<h1>谁不满意？</h1>" in page, "2025年12月" in page, "http" in page
    (True, True, False)
    """
    with quick_imports():
        from bs4 import BeautifulSoup

    lang = language(lang)
    soup = BeautifulSoup(_cells(notebook, folder), "html.parser")
    _require_self_contained(soup)
    heading = _take_heading(soup) or title
    contents = _contents(soup)
    _describe(soup, lang)
    body = str(soup)
    shown = wave_label(wave, lang) if wave else ""
    return _page(lang, title=title, heading=heading, wave=shown, contents=contents, body=body, foot=foot)


def wave_label(wave: str, lang: str) -> str:
    """Name of a wave as people write it.

    Examples
    --------
    >>> wave_label("2025-12", "en"), wave_label("2025-12", "zh"), wave_label("2025-Q3", "zh")
    ('December 2025', '2025年12月', '2025年第3季度')
    """
    match = re.fullmatch(r"(\d{4})(?:-?(Q|H|W|)(\d{1,2}))?", wave)
    if not match:
        return wave
    year, kind, part = match[1], match[2], int(match[3] or 0)
    if kind is None:
        return f"{year}年" if lang == "zh" else year
    if kind == "":
        if not 1 <= part <= 12:
            return wave
        return f"{year}年{part}月" if lang == "zh" else f"{_MONTHS[part - 1]} {year}"
    if lang == "en":
        return f"{'week ' if kind == 'W' else kind}{part} {year}"
    return f"{year}年" + {"Q": f"第{part}季度", "H": "上半年" if part == 1 else "下半年", "W": f"第{part}周"}[kind]


def _cells(notebook: Any, folder: Path | None) -> str:
    """What the cells show, without any frame."""
    with quick_imports():
        from nbconvert.exporters.html import HTMLExporter
    from traitlets.config import Config

    exporter = HTMLExporter(
        config=Config({"NbConvertBase": {"display_data_priority": _PRIORITY}}),
        template_name="report", extra_template_basedirs=[str(_TEMPLATES)],
        embed_images=True, exclude_input=True, exclude_anchor_links=True,
    )  # fmt: skip
    exporter.log.setLevel("ERROR")  # missing descriptions of pictures are added afterwards
    html, _ = exporter.from_notebook_node(_shown(notebook), {"metadata": {"path": str(folder or "")}})
    return html


def _shown(notebook: Any) -> Any:
    """The notebook without what a reader should not see."""
    from copy import deepcopy

    shown = deepcopy(notebook)
    shown.cells = [c for c in shown.cells if "hide" not in c.metadata.get("tags", ())]
    for cell in shown.cells:
        if cell.cell_type == "code":
            drawn = any(_IMAGES & set(o.get("data", ())) for o in cell.outputs)
            cell.outputs = [o for o in cell.outputs if not _is_noise(o, drawn)]
    shown.metadata.pop("widgets", None)
    return shown


def _is_noise(output: Any, drawn: bool) -> bool:
    """Warnings of libraries, and the ``<Axes: …>`` that stands beside a picture."""
    if output.output_type == "stream":
        return output.name == "stderr"
    return drawn and output.output_type == "execute_result" and set(output.data) == {"text/plain"}


def _require_self_contained(soup: BeautifulSoup) -> None:
    for tag in soup.find_all(True):
        if tag.name in ("script", "iframe", "link", "object", "embed"):
            raise _outside(f"<{tag.name}>")
        for name in _LOADING if tag.name == "a" else (*_LOADING, "href"):
            if tag.has_attr(name) and not str(tag[name]).startswith(("data:", "#")):
                raise _outside(f'{name}="{str(tag[name])[:80]}"')
        css = f"{tag.get('style', '')}{tag.string or '' if tag.name == 'style' else ''}"
        if found := _OUTSIDE_CSS.search(css):
            raise _outside(css[found.start() : found.start() + 80])
        if tag.name == "a" and not str(tag.get("href", "#")).startswith("#"):
            _as_text(tag)


def _outside(what: str) -> ReportError:
    return ReportError(
        f"an output of the notebook needs {what}, which a report cannot carry; "
        "use a static figure, or a picture that lies beside the notebook."
    )


def _as_text(link: Tag) -> None:
    """A link out of the page as its words and its address."""
    address, words = str(link["href"]), link.get_text()
    short = re.sub(r"^(https?:)?//|^mailto:", "", address)
    link.name, link.attrs = "span", {}
    if short.rstrip("/") not in words:
        link.append(f" ({short})")


def _take_heading(soup: BeautifulSoup) -> str:
    first = soup.find("h1")
    if first is None:
        return ""
    cell = first.find_parent(class_="text")
    text = first.extract().get_text(" ", strip=True)
    if cell and not cell.get_text(strip=True) and not cell.find("img"):
        cell.decompose()
    return str(text)


def _contents(soup: BeautifulSoup) -> list[tuple[str, str]]:
    """Anchors and texts of the level-2 headings; each gets an anchor of its own."""
    used: set[str] = set()
    for number, heading in enumerate(soup.find_all("h2"), start=1):
        anchor = re.sub(r"\s+", "-", str(heading.get("id") or f"part-{number}"))
        heading["id"] = anchor if anchor not in used else f"{anchor}-{number}"
        used.add(str(heading["id"]))
    listed = [h for h in soup.find_all("h2") if not h.find_parent(class_="missing")]
    return [(str(h["id"]), _short(h)) for h in listed] if len(listed) > 2 else []


def _short(heading: Tag) -> str:
    """A page's heading is its finding; the few words above it name its subject."""
    above = heading.find_previous_sibling()
    named = above if above is not None and "kicker" in (above.get("class") or []) else heading
    return named.get_text(" ", strip=True)


def _describe(soup: BeautifulSoup, lang: str) -> None:
    """What screen readers and narrow screens need: texts for pictures, scopes and frames for tables."""
    words = _WORDS[lang]
    for image in soup.find_all("img"):
        if image.get("alt", _NO_ALT) == _NO_ALT:
            image["alt"] = words["figure"] + _above(image)
    for table in soup.find_all("table"):
        for cell in table.select("thead th"):
            cell["scope"] = "col"
        for cell in table.select("tbody th"):
            cell["scope"] = "row"
        _align(table)
        frame = table.find_parent(class_="cx-scroll") or table.wrap(soup.new_tag("div", attrs={"class": "cx-scroll"}))
        frame.attrs |= {"role": "region", "tabindex": "0", "aria-label": words["table"] + _above(table)}


def _align(table: Tag) -> None:
    """Mark columns of words, which stand to the left; columns with a digit in them stand to the right."""
    rows = [row.find_all(["td", "th"]) for row in table.select("tr")]
    body = [cells for cells in rows if cells and cells[0].find_parent("thead") is None]
    for column in range(max(map(len, body), default=0)):
        text = "\n".join(cells[column].get_text() for cells in body if column < len(cells))
        if re.search(r"[^\W\d_]", text) and not re.search(r"\d", text):
            for cells in rows:
                if column < len(cells):
                    cells[column]["class"] = " ".join([*(cells[column].get("class") or []), "words"])


_NO_ALT = "No description has been provided for this image"  # nbconvert's filler


def _above(tag: Tag) -> str:
    heading = tag.find_previous(["h2", "h3", "h4"])
    return _short(heading) if heading else "–"


def _page(lang: str, **parts: Any) -> str:
    from jinja2 import Environment
    from markupsafe import Markup

    from cxlab.theme import font_face_css

    parts["body"] = Markup(parts["body"])
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", " ".join(map(str, parts.values())))
    style = (_TEMPLATES / "report" / "report.css").read_text(encoding="utf-8")
    face = font_face_css("".join(sorted(set(text + _WORDS[lang]["contents"]))))
    page = Environment(autoescape=True).from_string((_TEMPLATES / "report" / "page.html").read_text(encoding="utf-8"))
    code = {"en": "en", "zh": "zh-CN"}[lang]
    return page.render(language=code, words=_WORDS[lang], style=Markup(f"{face}\n{style}".strip()), **parts) + "\n"
