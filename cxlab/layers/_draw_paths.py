"""Picture of a path model: constructs as boxes, paths as arrows with coefficient and interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cxlab.charts import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.layers._result import PathModelResult


def draw(result: PathModelResult, ax: Axes | None, lang: str) -> Axes:
    """Draw the constructs in columns, each to the right of what leads to it."""
    ax = ax or new_axes(9, 5)
    ax.set_title(result.text(result.title, lang))
    return ax
