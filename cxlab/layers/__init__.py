"""Layers: experience, emotion and behaviour as one path model.

prepare (model → columns, rows, covariances) → kernel (weights, paths, their replicates) → Result.
"""

from cxlab.layers._paths import path_model
from cxlab.layers._result import PathModelResult

__all__ = ["PathModelResult", "path_model"]
