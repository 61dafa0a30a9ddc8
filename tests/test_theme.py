import ast
import base64
import re
import warnings
from io import BytesIO
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure

import cxlab
from cxlab import theme

PACKAGE = Path(cxlab.__file__).parent
CHARACTERS = set(TTFont(theme.FONT_FILE).getBestCmap())
# Rows are what a protanope / a deuteranope sees of linear R, G, B (Machado et al. 2009, severity 1).
BLINDNESS = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}


def is_chinese(character: str) -> bool:
    return ord(character) > 0x2E80


def chinese_strings() -> list[tuple[str, str]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = getattr(node, "value", None)
            if isinstance(node, ast.Constant) and isinstance(text, str) and any(map(is_chinese, text)):
                found.append((path.name, text))
    return found


def linear(colour: str) -> np.ndarray:
    channel = np.array(mpl.colors.to_rgb(colour))
    return np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)


def contrast_to_white(colour: str) -> float:
    return float(1.05 / (linear(colour) @ [0.2126, 0.7152, 0.0722] + 0.05))


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference_seen(one: str, other: str, matrix: list[list[float]]) -> float:
    return float(np.linalg.norm(lab(np.array(matrix) @ linear(one)) - lab(np.array(matrix) @ linear(other))))


def test_the_font_has_every_character_the_package_says():
    strings = chinese_strings()
    assert strings, "no Chinese found: the search is broken"
    lacking = {c: name for name, text in strings for c in text if is_chinese(c) and ord(c) not in CHARACTERS}
    assert lacking == {}


def test_the_font_has_gb2312_and_the_signs_of_reports():
    common = bytes(range(0xA1, 0xFF))
    first_level = {bytes([row, cell]).decode("gb2312", "ignore") for row in range(0xB0, 0xD8) for cell in common}
    assert {c for c in first_level if c and ord(c) not in CHARACTERS} == set()
    assert {c for c in "−±≥≤→↑↓●①%，。、；：？！（）“”《》" if ord(c) not in CHARACTERS} == set()


def test_chinese_is_drawn_without_missing_glyphs():
    texts = [text for _, text in chinese_strings()][:60]
    with theme.use(), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = Figure(figsize=(8, 8))
        axes = figure.add_subplot(title="排队等候对满意度的影响：−0.7 ≥ → ①")
        for i, text in enumerate(texts):
            axes.text(0.01, i / len(texts), re.sub(r"[${}\\]", "", text), parse_math=False)
        figure.savefig(BytesIO(), format="png")


def test_without_the_theme_the_same_text_would_complain():
    with mpl.rc_context({"font.family": ["DejaVu Sans"]}):
        figure = Figure()
        figure.add_subplot(title="排队等候")
    with pytest.warns(UserWarning, match="missing from font"):
        figure.savefig(BytesIO(), format="png")


def test_bold_titles_log_no_complaint(caplog):
    with theme.use(axes_titleweight="bold"):
        figure = Figure()
        figure.add_subplot(title="满意度")
        figure.savefig(BytesIO(), format="png")
    assert caplog.messages == []


def test_the_theme_stays_until_its_block_ends():
    mpl.rcdefaults()  # a test before this one may have drawn in the theme
    mpl.rcParams["font.size"] = 7.5
    try:
        with theme.use(font_size=13.0, figure_dpi=123.0):
            assert mpl.rcParams["font.family"] == list(theme.FONTS)
            assert (mpl.rcParams["font.size"], mpl.rcParams["figure.dpi"]) == (13.0, 123.0)
        assert mpl.rcParams["font.size"] == 7.5
        assert list(theme.FONTS) != mpl.rcParams["font.family"]
        theme.use()
        assert mpl.rcParams["font.family"] == list(theme.FONTS)
    finally:
        mpl.rcdefaults()


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_stay_apart_for_the_colour_blind(kind):
    near = {
        pair: round(seen)
        for pair in combinations(theme.SEQUENCE, 2)
        if (seen := difference_seen(*pair, BLINDNESS[kind])) < 10
    }
    assert near == {}
    assert difference_seen(theme.GOOD, theme.BAD, BLINDNESS[kind]) > 60
    # The check itself sees the classic fault: traffic-light red and green, equally bright.
    assert difference_seen("#C00000", "#5A6E00", BLINDNESS[kind]) < 30


@pytest.mark.parametrize("role", ["GOOD", "BAD", "NEUTRAL", "ACCENT", "INK"])
def test_roles_stand_out_from_the_page(role):
    assert contrast_to_white(getattr(theme, role)) >= 3  # WCAG 2.1, 1.4.11: graphics


def embedded(css: str) -> TTFont:
    return TTFont(BytesIO(base64.b64decode(re.search(r"base64,([^)]+)\)", css)[1])))


def test_css_embeds_the_characters_of_the_page_and_no_more():
    css = theme.font_face_css("NPS：净推荐值 12")
    font = embedded(css)
    assert {"净", "推", "荐", "值", "：", "N"} <= {chr(c) for c in font.getBestCmap()}
    assert len(font.getBestCmap()) < 20
    assert len(css) < 20_000
    assert theme.CHINESE in css


def test_css_without_a_text_embeds_the_whole_font():
    assert set(embedded(theme.font_face_css()).getBestCmap()) == CHARACTERS


def test_an_english_page_needs_no_font():
    assert theme.font_face_css("Satisfaction – 7.2 ± 0.1 ●") == ""


def test_the_licence_of_the_font_lies_beside_it_in_full():
    text = theme.FONT_FILE.with_name("OFL.txt").read_text(encoding="utf-8")
    for part in (
        "Copyright 2014-2021 Adobe",
        "SIL OPEN FONT LICENSE Version 1.1",
        "PERMISSION & CONDITIONS",
        "DISCLAIMER",
    ):
        assert part in text
