"""Layers: experience, emotion and behaviour as one path model.

prepare (model → columns, rows, covariances) → kernel (weights, paths, their replicates) → Result.
"""

from cxlab.layers._factor import factor_model
from cxlab.layers._factor_result import FactorModelResult
from cxlab.layers._groups import compare_paths
from cxlab.layers._groups_result import PathGroupsResult
from cxlab.layers._paths import path_model
from cxlab.layers._result import PathModelResult

__all__ = ["FactorModelResult", "PathGroupsResult", "PathModelResult", "compare_paths", "factor_model", "path_model"]
