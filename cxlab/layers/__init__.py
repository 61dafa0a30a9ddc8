"""Layers: experience, emotion and behaviour as one path model.

prepare (model → columns, rows, covariances) → kernel (weights, paths, their replicates) → Result.
"""

from cxlab.layers._factor import factor_model
from cxlab.layers._factor_result import FactorModelResult
from cxlab.layers._groups import compare_paths
from cxlab.layers._groups_result import PathGroupsResult
from cxlab.layers._ipma import ipma
from cxlab.layers._ipma_result import IpmaResult
from cxlab.layers._kernel import Kernel
from cxlab.layers._measure_result import MeasurementResult
from cxlab.layers._model import PathModel
from cxlab.layers._moving import Answered, Moved, Room, answered, impossible, moved, room, study_items, study_model
from cxlab.layers._paths import path_model
from cxlab.layers._result import PathModelResult
from cxlab.layers._what_if_result import PathWhatIfResult

__all__ = [
    "Answered",
    "FactorModelResult",
    "IpmaResult",
    "Kernel",
    "MeasurementResult",
    "Moved",
    "PathGroupsResult",
    "PathModel",
    "PathModelResult",
    "PathWhatIfResult",
    "Room",
    "answered",
    "compare_paths",
    "factor_model",
    "impossible",
    "ipma",
    "moved",
    "path_model",
    "room",
    "study_items",
    "study_model",
]
