"""Measure: from correlations of drivers and outcome to importances that sum to R²."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cxlab.errors import one_of
from cxlab.moments import johnson, shapley

FloatArray = np.ndarray[Any, np.dtype[Any]]
Measure = Callable[..., FloatArray]
MEASURES: dict[str, Measure] = {"shapley": shapley, "johnson": johnson}
METHOD_NAMES = {
    "shapley": {"en": "Shapley values of R² (LMG)", "zh": "R² 的 Shapley 值（LMG 法）"},
    "johnson": {"en": "Johnson's relative weights", "zh": "Johnson 相对权重"},
}


def measure(method: str) -> Measure:
    """Look a measure up by name."""
    if method not in MEASURES:
        raise one_of("method", method, MEASURES)
    return MEASURES[method]
