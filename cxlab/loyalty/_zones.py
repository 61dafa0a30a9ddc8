"""Zones of defection, indifference and affection, and how far they hang on the cuts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import weighted_means
from cxlab.errors import SurveyError
from cxlab.groups import group_means
from cxlab.loyalty._threshold import Pairs
from cxlab.metrics import intervals
from cxlab.result import reliability

FloatArray = np.ndarray[Any, np.dtype[Any]]
ZONES = ("defection", "indifference", "affection")
USUAL = (0.7, 0.9)  # of the scale: 7 and 9 of 0–10, as promoters and detractors are cut


def cuts_of(cuts: Sequence[float] | None, scale: tuple[float, float], x: FloatArray) -> tuple[float, float, float]:
    """Lowest answer of indifference, lowest of affection, and the step by which the cuts are moved.

    Parameters
    ----------
    cuts : two numbers or None
        None: 70 % and 90 % of the scale, on an answer that exists.
    scale : (low, high)
    x : array, shape (rows,)

    Returns
    -------
    tuple of float

    Raises
    ------
    SurveyError
        For cuts that are not two, not in order, or leave a zone without an answer of the scale.
    """
    low, high = scale
    step = 1.0 if high - low <= 20 else (high - low) / 10
    if cuts is None:
        first, second = (low + step * np.floor((high - low) * s / step + 1e-9) for s in USUAL)
        return float(first), float(max(second, first + step)), step
    given = [float(c) for c in cuts] if isinstance(cuts, (list, tuple)) else []
    if len(given) != 2 or not low < given[0] < given[1] <= high:
        raise SurveyError(
            f"cuts is {cuts!r}; two answers in order above {low:g} and up to {high:g} are needed: the lowest of indifference "
            "and the lowest of affection, such as cuts=(7, 9)."
        )
    return given[0], given[1], step


def zones(pairs: Pairs, cuts: tuple[float, float, float], level: float) -> pd.DataFrame:
    """Share and loyalty of every zone, with the cuts as declared and one step lower and higher.

    Parameters
    ----------
    pairs : Pairs
    cuts : tuple
        As :func:`cuts_of` gives them.
    level : float

    Returns
    -------
    DataFrame
        ``shift`` (−step, 0, step), ``zone, share, share_low, share_high, estimate, se, low, high, base, base_effective,
        reliability``.
    """
    out = []
    for shift in (0.0, -cuts[2], cuts[2]):
        code = np.digitize(pairs.x, [cuts[0] + shift, cuts[1] + shift])
        rows = len(pairs.design.weights)
        values, codes, inside = np.full(rows, np.nan), np.full(rows, -1), np.full((rows, 3), np.nan)
        values[pairs.rows], codes[pairs.rows] = pairs.y, code
        inside[pairs.rows] = code[:, None] == np.arange(3)
        shares = weighted_means(pairs.design, inside)
        share_low, share_high = intervals(shares, ["share"] * 3, level=level)
        found = group_means(pairs.design, values, codes, 3)
        low, high = intervals(found, ["share" if pairs.binary else "mean"] * 3, level=level)
        out.append(pd.DataFrame({
            "shift": shift, "zone": ZONES, "share": shares.estimate, "share_low": share_low, "share_high": share_high,
            "estimate": found.estimate, "se": np.where(found.base > 1, found.se, np.nan), "low": low, "high": high,
            "base": found.base, "base_effective": found.base_effective, "reliability": reliability(found.base_effective),
        }))  # fmt: skip
    return pd.concat(out, ignore_index=True)
