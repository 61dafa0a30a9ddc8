"""Moving: the curve of loyalty over satisfaction from a moment cube, while a filter moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlab.cube import Jackknifed, MomentCube, moment_cube
from cxlab.design import Estimates
from cxlab.errors import SurveyError
from cxlab.loyalty._curve import MOST_POINTS
from cxlab.loyalty._spline import monotone
from cxlab.loyalty._zones import ZONES, cuts_of
from cxlab.metrics import intervals
from cxlab.result import reliability
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
Filter = Mapping[str, Sequence[Any]]
PLACES = 81  # of the smooth curve


@dataclass(frozen=True, eq=False)
class MovingCurve:
    """What is known of some respondents.

    Attributes
    ----------
    points : DataFrame
        ``point, estimate, low, high, base, base_effective, reliability``, as in the table of :func:`cxlab.loyalty_link`.
    smooth : DataFrame
        ``point, smooth``, as in its ``.smooth``.
    zones : mapping of zone to share
    cuts : tuple of float
        Lowest answer of indifference, and of affection.
    base, effective : int, float
    """

    points: pd.DataFrame
    smooth: pd.DataFrame
    zones: Mapping[str, float]
    cuts: tuple[float, float]
    base: int
    effective: float


@dataclass(frozen=True, eq=False)
class ScoreCube:
    """Sufficient statistics of loyalty per answer of satisfaction and cell of the segments.

    Attributes
    ----------
    survey : Survey
    satisfaction, loyalty : str
    column : str
        Behind satisfaction.
    cube : MomentCube
        Of loyalty, split by the segments and by satisfaction.
    counts : DataFrame
        One row per combination of codes: ``rows, weight, squares`` and the ``least`` and ``most`` of loyalty.
    binary : bool
        Whether loyalty is 0 or 1.
    """

    survey: Survey
    satisfaction: str
    loyalty: str
    column: str
    cube: MomentCube
    counts: pd.DataFrame
    binary: bool

    @property
    def groups(self) -> int:
        """Replicates of the jackknife."""
        return self.cube.groups

    def inside(self, filter: Filter) -> pd.DataFrame:
        """Complete rows of a filter, by answer: ``rows, weight, squares, least, most``."""
        kept = np.ones(len(self.counts), dtype=bool)
        for column, codes in filter.items():
            kept &= self.counts[column].isin(list(codes)).to_numpy()
        rules = {"rows": "sum", "weight": "sum", "squares": "sum", "least": "min", "most": "max"}
        return self.counts[kept].groupby(self.column).agg(rules)

    def curve(self, filter: Filter, level: float = 0.95) -> MovingCurve:
        """Means or shares of loyalty by answer, with jackknife intervals, and the monotone spline through them.

        Raises
        ------
        SurveyError
            If nobody in the filter answered both.
        """
        found = self.inside(filter)
        if not len(found):
            raise SurveyError("nobody in the filter answered both questions; widen the filter.")
        points, weight = found.index.to_numpy(dtype=float), found["weight"].to_numpy(dtype=float)
        ends = float(found["least"].min()), float(found["most"].max())
        each = [self.cube.covariances({**filter, self.column: [code]}, [self.loyalty]) for code in found.index]
        table = self._table(points, each, level)
        cuts = cuts_of(None, self.survey.scale(self.satisfaction) or (points.min(), points.max()), points)[:2]
        mean = table["estimate"].to_numpy()
        rising = bool(weight @ ((points - points @ weight / weight.sum()) * mean) >= 0)
        spline = monotone(points, weight, ends, rising)
        at = np.linspace(points[0], points[-1], PLACES)
        smooth = spline.values(spline.columns(at), spline.fit(spline.columns(points), mean, weight))
        zone = np.bincount(np.digitize(points, cuts), weight, 3) / weight.sum()
        return MovingCurve(
            table, pd.DataFrame({"point": at, "smooth": smooth}), dict(zip(ZONES, zone.tolist(), strict=True)), cuts,
            int(found["rows"].sum()), float(weight.sum() ** 2 / found["squares"].sum()),
        )  # fmt: skip

    def _table(self, points: FloatArray, each: Sequence[Jackknifed], level: float) -> pd.DataFrame:
        mean = np.array([j.mean[0] for j in each])
        variance = np.array([_variance(j) for j in each])
        kish, base = np.array([j.base_kish for j in each]), np.array([j.base for j in each])
        effective = kish / _beyond(each, kish, base)
        df = np.array([j.df for j in each])
        estimates = Estimates(mean, np.diag(variance), base, effective, kish, df)
        low, high = intervals(estimates, ["share" if self.binary else "mean"] * len(points), level=level)
        return pd.DataFrame({
            "point": points, "estimate": mean, "low": low, "high": high, "base": base, "base_effective": effective,
            "reliability": reliability(effective),
        })  # fmt: skip


def _beyond(each: Sequence[Jackknifed], kish: FloatArray, base: np.ndarray) -> float:
    """What the design costs beyond weights, at least 1 and pooled over the answers: the jackknife's own of a few respondents is
    too noisy to mask them by."""
    found = np.array([float(j.base_effective[0]) if _known(j) else np.nan for j in each])
    told = np.isfinite(found) & (found > 0) & (base > 1)
    return max(float(base[told] @ (kish[told] / found[told]) / base[told].sum()), 1.0) if told.any() else 1.0


def _known(found: Jackknifed) -> bool:
    """Whether every replicate has somebody; of a single sampling unit one has nobody."""
    return bool(np.isfinite(found.means).all())


def _variance(found: Jackknifed) -> float:
    """Of the mean; NaN where it is not known."""
    return float(found.spread(found.means, found.mean)[0, 0]) if _known(found) else float("nan")


def score_cube(survey: Survey, satisfaction: str, loyalty: str, splits: Sequence[str]) -> ScoreCube | None:
    """Lay a curve out for any filter; None where satisfaction is no single column with few answers.

    Parameters
    ----------
    survey : Survey
    satisfaction, loyalty : str
        Columns or roles.
    splits : list of str
        Columns that filters choose by.
    """
    items = survey.items_of(satisfaction)
    if len(items) > 1 or items[0] in splits:
        return None
    x, y = survey.values(satisfaction), survey.values(loyalty)
    kept = survey.domain & (survey.weights > 0) & np.isfinite(x) & np.isfinite(y)
    if not kept.any() or len(np.unique(x[kept])) > MOST_POINTS:
        return None
    cube = moment_cube(survey, {loyalty: np.where(np.isfinite(x), y, np.nan)}, [*splits, items[0]])
    w = survey.weights
    frame = survey.data[[*splits, items[0]]].assign(rows=1, weight=w, squares=w**2, least=y, most=y)[kept]
    rules = {"rows": "sum", "weight": "sum", "squares": "sum", "least": "min", "most": "max"}
    counts = frame.groupby([*splits, items[0]], dropna=False, observed=True).agg(rules).reset_index()
    return ScoreCube(survey, satisfaction, loyalty, items[0], cube, counts, bool(np.isin(y[kept], (0.0, 1.0)).all()))
