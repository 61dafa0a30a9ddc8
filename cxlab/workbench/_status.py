"""The line under a picture that says what is going on, so that a screen reader says it too."""

from __future__ import annotations

from importlib.resources import files

import anywidget
import traitlets


class Status(anywidget.AnyWidget):
    """A sentence that is announced when it changes.

    Attributes
    ----------
    value : str
        Plain text.
    """

    _esm = (files("cxlab.workbench") / "static" / "status.js").read_text(encoding="utf-8")
    value = traitlets.Unicode("").tag(sync=True)
