"""The picture of the workbench: a widget that draws a spec as SVG. Every text and every number's wording comes from Python."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from cxlab.errors import SurveyError, nearest

NEEDED: dict[str, tuple[str, ...]] = {
    "intervals": ("rows", "axis"),
    "panels": ("panels",),
    "map": ("points", "x_axis", "y_axis"),
    "curve": ("series", "x_axis", "y_axis"),
    "grid": ("columns", "rows"),
    "paths": ("nodes", "edges"),
    "message": ("text",),
}
FORMATS = ("svg", "png")
# In this order they are one script: a later file uses the constants of an earlier one.
SCRIPTS = (
    "text", "svg", "scale", "frame", "intervals", "panels", "map", "curve", "grid", "paths", "message", "tips", "download", "render",
)  # fmt: skip


@cache
def bundle() -> str:
    """Join the scripts into the one module that the browser loads.

    Examples
    --------
    >>> bundle().rstrip().endswith("export default { render };")
    True
    """
    folder = files("cxlab.workbench") / "static"
    return "\n".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


@cache
def style() -> str:
    """Style sheets of the card around a picture, and of the controls beside it."""
    folder = files("cxlab.workbench") / "static"
    return "\n".join((folder / f"{name}.css").read_text(encoding="utf-8") for name in ("picture", "workbench"))


def clean(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Make a spec what JSON can carry, and check that it can be drawn.

    Numbers of numpy become Python's, arrays and tuples lists; NaN and infinity become None, which is how a
    picture says that there is no number.

    Parameters
    ----------
    spec : mapping
        With ``kind`` and the parts that this kind needs.

    Returns
    -------
    dict

    Raises
    ------
    SurveyError
        The kind is unknown, or a part is missing.

    Examples
    --------
    >>> clean({"kind": "message", "text": "No respondents.", "version": 3, "width": float("nan")})
    {'kind': 'message', 'text': 'No respondents.', 'version': 3, 'width': None}
    """
    kind = spec.get("kind")
    if kind not in NEEDED:
        raise SurveyError(f"spec has kind {kind!r}; allowed are {', '.join(NEEDED)}{nearest(kind, NEEDED)}.")
    if lacking := [part for part in NEEDED[kind] if spec.get(part) is None]:
        raise SurveyError(f"spec of kind {kind!r} lacks {', '.join(lacking)}.")
    cleaned: dict[str, Any] = _plain(spec)
    return cleaned


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(part) for part in value]
    if hasattr(value, "tolist"):  # arrays and scalars of numpy, columns of pandas
        return _plain(value.tolist())
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return str(value)


class Picture(anywidget.AnyWidget):
    """A picture that follows its spec, as SVG in the page.

    Attributes
    ----------
    spec : dict
        ``kind``, ``title`` (the finding), ``subtitle``, ``note``, ``lang`` ("en" or "zh"), ``version`` (echoed by the page when
        painted), and by kind:

        - intervals: ``rows`` of ``{label, tip?, limit?, marks}``, a mark ``{series, value, low, high, text, faded?}`` or
          ``{series, hidden}``; ``series`` of ``{name, colour}``; ``axis``; ``reference`` of ``{at, label}``
        - panels: ``panels`` of ``{heading, rows, series, axis}``, each drawn as intervals under its heading
        - map: ``points`` of ``{label, x, y, x_low?, x_high?, y_low?, y_high?, colour?, faded?, tip}``; ``x_axis``, ``y_axis``;
          ``x_cut``, ``y_cut``; ``corners`` (top left, top right, bottom left, bottom right); ``series`` for a legend of colours
        - curve: ``series`` of ``{name, colour, x, y, low, high, dots, faded?, line?, texts?}``, ``line=False`` for dots with whiskers
          alone, ``texts`` what the tips say; ``bands`` of ``{low, high, label, colour}``; ``lines`` and ``levels`` of ``{at, label}``;
          ``cursor``; ``x_axis``, ``y_axis``
        - grid: ``columns`` of ``{label, sub?}``; ``rows`` of ``{label, heading?, tip?, cells}``, a cell
          ``{text, value?, shade?, letters?, faded?}``
        - paths: ``nodes`` of ``{id, label, text, column, row}``; ``edges`` of ``{source, target, text, value, faded?}``
        - message: ``text``, ``tone`` ("info" or "error")

        An axis is ``{label, ticks: [{at, text}], low, high}``.
    height : int or None
        Height in pixels of the plot of a map or curve, at least that of a path model; None follows the width.
    """

    _esm, _css = bundle(), style()  # anywidget takes these from the class alone
    spec = traitlets.Dict().tag(sync=True)
    height = traitlets.Int(None, allow_none=True).tag(sync=True)

    def __init__(self, spec: Mapping[str, Any] | None = None, **settings: Any) -> None:
        super().__init__(**({} if spec is None else {"spec": spec}), **settings)

    @traitlets.validate("spec")
    def _checked(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        return clean(proposal["value"]) if proposal["value"] else {}

    def save(self, format: str = "svg", name: str = "picture") -> None:
        """Let the browser download the picture as it shows it.

        Parameters
        ----------
        format : {"svg", "png"}
            A PNG has two pixels for each of the page.
        name : str
            File name; the ending is added.

        Raises
        ------
        SurveyError
            The format is another one.
        """
        if format not in FORMATS:
            raise SurveyError(f"format is {format!r}; allowed are {', '.join(FORMATS)}{nearest(format, FORMATS)}.")
        name = name if name.endswith(f".{format}") else f"{name}.{format}"
        self._ask(do="save", format=format, name=_file_name(name))

    def offer(self, name: str, data: bytes, mime: str = "application/octet-stream") -> None:
        """Let the browser download a file that was made here.

        Parameters
        ----------
        name : str
            File name with its ending.
        data : bytes
        mime : str
            Media type, such as "text/csv".
        """
        self._ask([data], do="offer", name=_file_name(name), mime=mime)

    def copy(self, text: str) -> None:
        """Put a text on the clipboard; where the browser refuses it, the text appears under the picture to be copied by hand."""
        self._ask(do="copy", text=text)

    def _ask(self, buffers: list[bytes] | None = None, **message: Any) -> None:
        # The picture may be on the page twice; the id lets one of both answer.
        self.send({**message, "id": uuid.uuid4().hex}, buffers=buffers)


def _file_name(name: str) -> str:
    """Name without what file systems refuse."""
    kept = "".join(" " if c in '\\/:*?"<>|' or ord(c) < 32 else c for c in name)
    return " ".join(kept.split()).lstrip(". ") or "picture"
