"""How pictures look: colours by role, and fonts that draw English and Chinese."""

from __future__ import annotations

import base64
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any

FONT_FILE = Path(__file__).parent / "fonts" / "NotoSansSC-subset.otf"
CHINESE = "cxlab Noto Sans SC"
FONTS = ("DejaVu Sans", CHINESE)

GOOD, BAD, NEUTRAL = "#0072B2", "#D55E00", "#7A7A7A"
ACCENT, INK, GRID, BAND = "#882255", "#262626", "#DDDDDD", "#E8E8E8"
SEQUENCE = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#882255", "#56B4E9", "#7A7A7A")


class Theme:
    """The look that is in force; leaving a ``with`` block brings the previous one back."""

    def __init__(self, before: dict[Any, Any]) -> None:
        self._before = before

    def __enter__(self) -> Theme:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import matplotlib as mpl

        # Through update, not rc_context: the backend that a notebook chose meanwhile stays.
        mpl.rcParams.update(self._before)


def use(**settings: Any) -> Theme:
    """Set the look of every picture drawn from here on, or in a ``with`` block only.

    Parameters
    ----------
    **settings
        matplotlib rcParams that differ from the theme, with ``_`` for ``.``
        (``figure_dpi=200``).

    Returns
    -------
    Theme
        A context manager: ``with theme.use(): …`` restores what was in force before.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> with use(font_size=12.0):
    ...     mpl.rcParams["font.family"], mpl.rcParams["font.size"]
    (['DejaVu Sans', 'cxlab Noto Sans SC'], 12.0)
    """
    import matplotlib as mpl
    import seaborn as sns

    before = {k: v for k, v in mpl.rcParams.copy().items() if not k.startswith("backend")}
    _register_font()
    names = {k.replace(".", "_"): k for k in mpl.rcParams}
    # set_theme resets font.family to one generic name, hence the fonts go through it. A list there
    # falls back glyph by glyph, which font.sans-serif does not.
    sns.set_theme(style="ticks", palette=list(SEQUENCE), font=list(FONTS), rc={
        "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": NEUTRAL, "axes.labelcolor": INK,
        "axes.titlelocation": "left", "axes.titlesize": 11, "axes.labelsize": 9.5, "font.size": 9.5,
        "text.color": INK, "xtick.color": INK, "ytick.color": INK, "xtick.labelsize": 9, "ytick.labelsize": 9,
        "grid.color": GRID, "grid.linewidth": 0.8, "legend.frameon": False, "legend.fontsize": 9,
        "figure.figsize": (7.0, 4.0), "figure.dpi": 100, "savefig.dpi": 150, "savefig.bbox": "tight",
        **{names.get(k, k): v for k, v in settings.items()},
    })  # fmt: skip
    return Theme(before)


def segment_colours(names: list[str]) -> dict[str, str]:
    """Give every segment a colour that stays its own; the sequence starts again when it is used up.

    Examples
    --------
    >>> segment_colours(["gold", "diamond"])
    {'gold': '#0072B2', 'diamond': '#D55E00'}
    """
    return {name: SEQUENCE[i % len(SEQUENCE)] for i, name in enumerate(names)}


def font_face_css(text: str | None = None) -> str:
    """Return an ``@font-face`` rule that carries the Chinese font inside the page.

    Parameters
    ----------
    text : str, optional
        What the page says. Only the characters that it uses are embedded (tens of kB in place of
        2 MB); a text without any Chinese needs no rule and gets ``""``. None embeds the whole font.

    Returns
    -------
    str
        CSS; the family is :data:`CHINESE`.

    Examples
    --------
    >>> font_face_css("NPS +12")
    ''
    >>> font_face_css("净推荐值").startswith("@font-face{font-family:'cxlab Noto Sans SC'")
    True
    """
    if text is None:
        data = FONT_FILE.read_bytes()
    elif any(ord(c) > 0x2E80 for c in text):
        data = _subset(text)
    else:
        return ""
    encoded = base64.b64encode(data).decode("ascii")
    return (
        f"@font-face{{font-family:'{CHINESE}';font-display:block;"
        f"src:url(data:font/otf;base64,{encoded}) format('opentype')}}"
    )


def _subset(text: str) -> bytes:
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    font = TTFont(FONT_FILE, recalcTimestamp=False)  # the same text, the same bytes
    subsetter = Subsetter(Options(hinting=False, notdef_outline=True))
    subsetter.populate(text=text)
    subsetter.subset(font)
    out = BytesIO()
    font.save(out)
    return out.getvalue()


def _register_font() -> None:
    from matplotlib.font_manager import fontManager

    if any(f.name == CHINESE for f in fontManager.ttflist):
        return
    fontManager.addfont(FONT_FILE)
    # One weight is shipped. Entered as bold as well, or each bold title would log a complaint.
    fontManager.ttflist.append(replace(fontManager.ttflist[-1], weight=700))
