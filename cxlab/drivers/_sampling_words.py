"""What is said where many drivers make exact importances too long to compute."""

from __future__ import annotations

import numpy as np

from cxlab.drivers._kernels import Kernel, Linear
from cxlab.drivers._sampled_null import EXACT_NULL
from cxlab.moments import partial_out, to_correlation
from cxlab.subsets import EXACT_LIMIT, exact, sampled_shapley
from cxlab.words import Note

_POINT = {
    "en": "Importances of {drivers} drivers come from a sample of the orders in which drivers enter (exact up to {limit}); the "
    "largest simulation error (standard error) of a share is {error:.2%}.",
    "zh": "{drivers} 个因素的重要性由抽取的部分进入顺序估算（{limit} 个以内为精确计算）；占比的模拟误差（标准误）最大为 {error:.2%}。",
}
_REPLICATES = {
    "en": "Importances of the {drivers} drivers are exact; in the replicates they come from a sample of orders, set right by the exact "
    "values of their mean.",
    "zh": "{drivers} 个因素的重要性为精确计算；重抽样中的重要性由抽取的部分进入顺序估算，并以均值矩阵的精确值校正。",
}
_NULL = {
    "en": "Noise lines of more than {limit} drivers come from sampled subsets; they are off by about .2%.",
    "zh": "因素超过 {limit} 个时，噪声线由抽取的部分子集估算，误差约 0.2%。",
}


def sampling_notes(kernel: Kernel, replicates: int) -> list[Note]:
    """Notes on what was sampled instead of computed exactly; none for other measures and models."""
    if not isinstance(kernel, Linear) or kernel.method != "shapley":
        return []
    layout, notes = kernel.prepared.layout, []
    p = len(layout.players)
    if p > EXACT_LIMIT:
        notes.append(Note(_POINT, drivers=p, limit=EXACT_LIMIT, error=_error(kernel)))
    elif not exact(p, max(replicates, 1)):
        notes.append(Note(_REPLICATES, drivers=p))
    if replicates and p > EXACT_NULL:
        notes.append(Note(_NULL, limit=EXACT_NULL))
    return notes


def _error(kernel: Linear) -> float:
    """Largest Monte-Carlo standard error of a share."""
    layout, correlation = kernel.prepared.layout, to_correlation(kernel.covariance)
    free = np.delete(np.arange(len(correlation) - 1), layout.always)
    place = {int(c): i for i, c in enumerate(free)}
    players = tuple(tuple(place[c] for c in player) for player in layout.players)
    found, error = sampled_shapley(partial_out(correlation, layout.always), players)
    return float(error.max() / found.sum())
