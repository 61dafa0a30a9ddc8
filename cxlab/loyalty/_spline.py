"""A monotone regression spline of bounded outcomes, by non-negative least squares; on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import BSpline
from scipy.optimize import nnls

FloatArray = np.ndarray[Any, np.dtype[Any]]
DEGREE, INNER = 2, 4  # quadratic pieces; inner knots at most
_STEPS = 1000
_BOUND = 1e4  # weight of the row that keeps the curve under the highest answer


@dataclass(frozen=True, eq=False)
class Monotone:
    """Monotone curves on one set of knots.

    Attributes
    ----------
    knots : array
        Full knot sequence.
    ends : (low, high)
        Of the outcome: the curve stays between.
    rising : bool
    """

    knots: FloatArray
    ends: tuple[float, float]
    rising: bool

    def columns(self, x: FloatArray) -> FloatArray:
        """One and the I-splines at places, shape (len(x), p); each I-spline rises from 0 to 1.

        Notes
        -----
        The I-spline I_k is the sum of the B-splines from the k-th on (Ramsay 1988).
        """
        at = np.clip(x, self.knots[0], self.knots[-1])
        pieces = BSpline.design_matrix(at, self.knots, DEGREE).toarray()
        return np.asarray(np.cumsum(pieces[:, ::-1], axis=1)[:, ::-1])

    def fit(self, columns: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray:
        """Coefficients of the curve closest to means y with weights w, shape (p,).

        Notes
        -----
        min Σ w (y − a − Σ b_k I_k)² with a, b ≥ 0 and a + Σ b ≤ 1 on the outcome's own range, turned where the curve falls.
        Points without weight do not count.
        """
        share = (y - self.ends[0]) / ((self.ends[1] - self.ends[0]) or 1.0)
        share = share if self.rising else 1 - share
        used = w > 0
        root = np.sqrt(w[used] / w[used].sum())
        count = columns.shape[1]
        left = np.zeros((len(root) + 1, count + 1))
        left[:-1, :count] = columns[used] * root[:, None]
        left[-1] = _BOUND  # the last column takes up what is left under the bound
        return np.asarray(nnls(left, np.r_[share[used] * root, _BOUND], maxiter=_STEPS)[0][:count])

    def values(self, columns: FloatArray, coefficients: FloatArray) -> FloatArray:
        """Curves of coefficients (…, p) at places, shape (…, len(x))."""
        share = np.clip(coefficients @ columns.T, 0.0, 1.0)
        return np.asarray(self.ends[0] + (self.ends[1] - self.ends[0]) * (share if self.rising else 1 - share))


def monotone(points: FloatArray, w: FloatArray, ends: tuple[float, float], rising: bool) -> Monotone:
    """Place the knots: up to four inner ones, at equal shares of the weight, fewer where there are few points.

    Parameters
    ----------
    points, w : array, shape (points,)
        In order.
    ends : (low, high)
        Of the outcome.
    rising : bool

    Returns
    -------
    Monotone
    """
    low, high = float(points[0]), float(points[-1])
    if high == low:
        high = low + 1.0
    inner = min(INNER, max(len(points) - DEGREE - 2, 0))
    reached = np.cumsum(w) / w.sum()
    at = points[np.searchsorted(reached, np.arange(1, inner + 1) / (inner + 1) - 1e-12)]
    at = np.unique(at[(at > low) & (at < high)])
    return Monotone(np.r_[[low] * (DEGREE + 1), at, [high] * (DEGREE + 1)], ends, rising)
