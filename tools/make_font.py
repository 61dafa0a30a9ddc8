"""Make cxlab/fonts/NotoSansSC-subset.otf: the GB2312 characters of Noto Sans CJK SC.

    python tools/make_font.py [NotoSansCJK-Regular.ttc]

The source is the Debian package fonts-noto-cjk. The subset is given a family name of its own, so
that it never stands in for a full Noto Sans that a machine has installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

SOURCE = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
FACE = 2  # Simplified Chinese in the collection
FAMILY = "cxlab Noto Sans SC"
TARGET = Path(__file__).parents[1] / "cxlab" / "fonts" / "NotoSansSC-subset.otf"
SIGNS = "−±×÷≈≠≤≥∞√∑Δ·•●○■□▲△▼▽◆◇★☆→←↑↓↗↘↔✓✔✗✘①②③④⑤⑥⑦⑧⑨⑩‰°′″–—‘’“”…€£¥§©²³½¼¾"


def characters() -> set[int]:
    """Code points of GB2312, printable Latin-1, full-width forms and the signs of reports."""
    wanted = {*range(0x20, 0x7F), *range(0xA0, 0x100), *range(0x3000, 0x3018), *range(0xFF01, 0xFF5F)}
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            wanted.update(map(ord, bytes([row, cell]).decode("gb2312", errors="ignore")))
    return wanted | set(map(ord, SIGNS))


def main(source: str = SOURCE) -> None:
    """Subset, rename and write the font."""
    font = TTFont(source, fontNumber=FACE, recalcTimestamp=False)
    options = Options(
        layout_features=["kern", "mark", "ccmp"], hinting=False, desubroutinize=False, notdef_outline=True
    )
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters())
    subsetter.subset(font)
    names = font["name"]
    for record, text in {1: FAMILY, 4: FAMILY, 6: FAMILY.replace(" ", ""), 16: FAMILY, 3: f"{FAMILY} subset"}.items():
        names.setName(text, record, 3, 1, 0x409)
    font["CFF "].cff.fontNames = [FAMILY.replace(" ", "")]
    TARGET.parent.mkdir(exist_ok=True)
    font.save(TARGET)
    print(f"{TARGET.name}: {len(font.getBestCmap())} characters, {TARGET.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
