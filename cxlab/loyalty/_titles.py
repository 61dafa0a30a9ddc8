"""Titles of pictures that say the finding, on two lines at most."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PIECE = re.compile(r"\s+|[^\s\u2e80-\uffef“”]+|[“”\u2e80-\uffef]")
_NEVER_FIRST = "，。：；、）”"
_NEVER_LAST = "（“"


def set_finding(ax: Axes, text: str, pad: float | None = None) -> None:
    """Write a title over a picture, broken where its width asks for it."""
    size = 11.0
    points = ax.bbox.width * 72 / ax.figure.get_figure(root=True).dpi
    ax.set_title(broken(text, points / (0.55 * size)), fontsize=size, pad=pad)


def broken(text: str, wide: float) -> str:
    """Break a text into lines of equal length, none longer than ``wide`` Latin letters; a Chinese character counts for two.

    Examples
    --------
    >>> broken("Customers of the gold card stay longer", 24)
    'Customers of the gold\\ncard stay longer'
    >>> broken("金卡顾客留存更久：68% 对 52%", 20)
    '金卡顾客留存更久：\\n68% 对 52%'
    """
    lines = max(1, -(-_width(text) // max(int(wide), 8)))
    return _filled(text, max(_width(text) / lines * 1.12, 8)) if lines > 1 else text


def _filled(text: str, wide: float) -> str:
    lines, pieces = [""], []
    for piece in _PIECE.findall(text):
        glued = pieces and (piece in _NEVER_FIRST or pieces[-1][-1] in _NEVER_LAST)
        pieces[-1:] = [pieces[-1] + piece] if glued else [*pieces[-1:], piece]
    for piece in pieces:
        if lines[-1].strip() and _width(lines[-1] + piece.rstrip()) > wide:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _width(text: str) -> int:
    return sum(2 if ord(c) > 0x2E80 else 1 for c in text)
