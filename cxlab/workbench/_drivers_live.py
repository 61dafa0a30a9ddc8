"""Drivers at once: importances, effects and performance of a filter from the cube, with jackknife intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.special import ndtr

from cxlab.cube import CubeImportance, Jackknifed, importance_of
from cxlab.design import t_quantile
from cxlab.errors import SurveyError
from cxlab.moments import to_correlation
from cxlab.result import reliability
from cxlab.subsets import sampled_shapley, shapley, shapley_gradient
from cxlab.survey import Survey
from cxlab.workbench._drivers_figures import DECIDED, OPEN, QUADRANTS, Figures, FloatArray, Kept
from cxlab.workbench._workspace import Workspace

LEVEL = 0.95
_WORK = 1 << 16  # matrices × subsets that are worked through exactly while something moves: some 4 ms
GRADIENT_DRIVERS = 14  # whose replicates come from the gradient where they are near enough, else are exact: some 50 ms
_PROBED, _NEAR = 4, 0.07  # replicates checked of the farthest and of the others; error allowed, in standard errors
_ROUNDS, _MORE_ROUNDS, _ROUNDS_DRIVERS = 2, 4, 16  # of sampled orders, for what is beyond
_TIED = 1e-10  # smallest eigenvalue of correlations under which drivers determine one another
_FLAT = 1e-14  # part of the mean's square under which a variance is that of rounding
Teams = tuple[tuple[str, tuple[int, ...]], ...]
Filter = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Question:
    """What is asked of some respondents.

    Attributes
    ----------
    outcome : str
    drivers : tuple of str
    method : {"shapley", "johnson", "car", "pratt"}
    show : {"drivers", "blocks", "map", "effects"}
    teams : tuple of (block, places of its drivers)
        A driver without a block is alone under its own name.
    """

    outcome: str
    drivers: tuple[str, ...]
    method: str
    show: str
    teams: Teams

    @property
    def names(self) -> tuple[str, ...]:
        """What has a row."""
        return tuple(name for name, _ in self.teams) if self.show == "blocks" else self.drivers

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the cube: in the order of the survey, so that one set of them is one set, and last the outcome."""
        return (*self.drivers, self.outcome)

    @property
    def sampled(self) -> bool:
        """Whether intervals while moving come from sampled orders of entry."""
        return self.method == "shapley" and self.show != "blocks" and len(self.drivers) > GRADIENT_DRIVERS


class TooFew(SurveyError):
    """A filter under which there is nothing to be computed.

    Attributes
    ----------
    why : {"nobody", "few", "flat", "tied"}
    names : tuple of str
        Of the columns that are at fault.
    """

    def __init__(self, why: str, names: Sequence[str] = (), base: int = 0, effective: float = 0.0) -> None:
        self.why, self.names, self.base, self.effective = why, tuple(names), base, effective
        super().__init__(why)


class Quick:
    """Answers from the cube; moments, importances and figures of the last filters are kept."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._moments, self._found, self._figures, self._scales = Kept(48), Kept(96), Kept(192), Kept(512)

    def figures(self, question: Question, filter: Filter) -> Figures | None:
        """Figures of a filter; None where only the replicates of the library can tell.

        Raises
        ------
        TooFew
            Where nothing can be computed.
        """
        at = key_of(filter)
        found = self._moments((at, question.columns), lambda: self._covariances(question, filter))
        check(found)
        how = ("blocks", question.teams) if question.show == "blocks" else question.method
        try:
            importance = self._found(
                (at, question.columns, how), lambda: importance_of(found, method=_measure(question))
            )
        except SurveyError:  # a replicate without variation: the bootstrap may do
            return None
        return self._figures((at, question.columns, how, question.show), lambda: self._drawn(question, importance))

    def ends(self, drivers: Sequence[str]) -> FloatArray:
        """Ends of the response scales, shape (p, 2)."""
        survey = self._workspace.survey
        return np.array([self._scales(d, partial(_ends, survey, d)) for d in drivers])

    def _covariances(self, question: Question, filter: Filter) -> Jackknifed:
        cube = self._workspace.cube  # what stands in its way is no matter of the filter, and says so itself
        try:
            return cube.covariances(filter, question.columns)
        except SurveyError as error:
            raise TooFew("nobody") from error

    def _drawn(self, question: Question, found: CubeImportance) -> Figures:
        moments, values = found.moments, found.values
        columns: dict[str, np.ndarray] = {c: values[c] for c in _COLUMNS}
        if question.show == "blocks":
            columns = {c: v for c, v in columns.items() if c not in ("estimate", "low", "high")}
            grade = np.full(len(question.teams), str(reliability(moments.base_kish)))
        else:
            grade = reliability(np.minimum(effective_bases(found), moments.base))
        columns["reliability"] = grade
        cuts = None
        if question.show == "map":
            placed, cuts = self._placed(found)
            columns |= placed
        return Figures(question.names, columns, moments.base, moments.base_kish, cuts)

    def _placed(self, found: CubeImportance) -> tuple[dict[str, np.ndarray], tuple[float, float]]:
        """Performance of each driver, the quadrant it is in, and the cuts, as :func:`cxlab.priority_map` takes them."""
        moments, drivers = found.moments, found.drivers
        survey = self._workspace.survey
        ends = self.ends(drivers)
        turned = _turned(survey, drivers, ends, np.vstack([moments.means[:, :-1], moments.mean[:-1]]))
        means, mean = turned[:-1], turned[-1]
        t = t_quantile(LEVEL, moments.df)
        half = t * np.sqrt(np.diagonal(moments.spread(means, mean)))
        share = found.values["share"]
        cut = (float(mean.mean()), float(share.mean()))
        important = _sure(
            share - cut[1], _errors(moments, found.importances / found.importances.sum(axis=1)[:, None], share)
        )
        good = _sure(mean - cut[0], _errors(moments, means, mean))
        chances = np.stack(
            [important * (1 - good), important * good, (1 - important) * (1 - good), (1 - important) * good]
        )
        likeliest = chances.argmax(axis=0)
        quadrant = np.where(chances.max(axis=0) >= DECIDED, np.array(QUADRANTS)[likeliest], OPEN)
        columns = {
            "performance": mean,
            "performance_low": mean - half,
            "performance_high": mean + half,
            "quadrant": quadrant,
        }
        return columns, cut


_COLUMNS = (
    "importance", "share", "share_low", "share_high", "rank", "rank_low", "rank_high", "estimate", "low", "high",
)  # fmt: skip


def key_of(filter: Filter) -> tuple[Any, ...]:
    """A filter as the key under which something is kept."""
    return tuple(sorted((k, tuple(v)) for k, v in filter.items()))


def check(found: Jackknifed) -> None:
    """Refuse what gives no numbers.

    Raises
    ------
    TooFew
        For a small base, a column without variation, or drivers that repeat one another.
    """
    if found.base < len(found.names) + 1 or reliability(min(found.base_kish, found.base)) == "suppressed":
        raise TooFew("few", (), found.base, found.base_kish)
    variance = np.diagonal(found.covariance)
    flat = [n for n, v, m in zip(found.names, variance, found.mean, strict=True) if not v > max(m * m, 1.0) * _FLAT]
    if flat:
        raise TooFew("flat", flat, found.base, found.base_kish)
    roots, vectors = np.linalg.eigh(to_correlation(found.covariance)[:-1, :-1])
    if roots[0] < _TIED:
        names = [n for n, v in zip(found.names, vectors[:, 0], strict=False) if v * v > 1e-6]
        raise TooFew("tied", names, found.base, found.base_kish)


def effective_bases(found: CubeImportance) -> FloatArray:
    """Base divided by the design effect of each effect, shape (p,)."""
    moments = found.moments
    inverse = np.diagonal(np.linalg.inv(moments.covariance[:-1, :-1]))
    left = moments.covariance[-1, -1] * max(1 - found.r2, 0.0)
    variance = np.diagonal(found.effect_covariance)
    simple = left * inverse / max(moments.base - 1, 1)
    return np.where(variance > 0, moments.base * simple / np.where(variance > 0, variance, 1.0), moments.base_kish)


# ---------------------------------------------------------------------- measures
def _measure(question: Question) -> Any:
    if question.show == "blocks":
        return partial(shapley, players=[list(places) for _, places in question.teams])
    return quick_shapley if question.method == "shapley" else question.method


def quick_shapley(matrices: FloatArray) -> FloatArray:
    """Shapley values of replicates and, last, of the sample, within a bound of work.

    Parameters
    ----------
    matrices : array, shape (replicates + 1, p + 1, p + 1)
        Correlations.

    Returns
    -------
    array, shape (replicates + 1, p)
        Those of the sample are exact.

    Notes
    -----
    Few drivers: every replicate is worked exactly. Up to 14: replicates are the sample's values plus the gradient times the
    difference of correlations. With 1,000 respondents or more, standard errors are then within 2% of the exact ones; where
    bases are small, weights uneven or clusters few, replicates bend away from the line and come out up to 30% too small. So
    some replicates are worked exactly beside, and all of them if these are off by more than 7% of a standard error. More
    drivers: the sample's values plus what sampled orders of entry move by, standard errors within ten per cent.
    """
    p = matrices.shape[-1] - 1
    if len(matrices) << p <= _WORK:
        return shapley(matrices)
    if p <= GRADIENT_DRIVERS:
        return _near(matrices)
    sampled, _ = sampled_shapley(matrices, rounds=_MORE_ROUNDS if p <= _ROUNDS_DRIVERS else _ROUNDS)
    return sampled + (shapley(matrices[-1]) - sampled[-1])


def _near(matrices: FloatArray) -> FloatArray:
    """Replicates by the gradient if those that are checked are near the exact ones; else all of them exactly."""
    values, gradient = shapley_gradient(matrices[-1])
    p, count = len(values), len(matrices) - 1
    moved = (matrices[:-1] - matrices[-1]).reshape(count, -1) @ gradient.reshape(p, -1).T
    size = np.maximum((moved**2).sum(axis=0), 1e-300)
    order = np.argsort(-(moved**2 / size).sum(axis=1))
    probed = np.r_[order[:_PROBED], order[np.linspace(_PROBED, count - 1, _PROBED).astype(int)]]
    exact = shapley(matrices[probed]) - values
    error = (exact - moved[probed]) ** 2
    others = (count - _PROBED) / _PROBED
    off = np.sqrt((error[:_PROBED].sum(axis=0) + others * error[_PROBED:].sum(axis=0)) / size)
    if not off.max() <= _NEAR:
        return shapley(matrices)
    moved[probed] = exact
    return np.vstack([values + moved, values])


# ---------------------------------------------------------------------- priority map
def _errors(moments: Jackknifed, replicates: FloatArray, estimate: FloatArray) -> FloatArray:
    """Standard errors of differences from the mean of all."""
    apart = replicates - replicates.mean(axis=1, keepdims=True)
    return np.sqrt(np.diagonal(moments.spread(apart, estimate - estimate.mean())))


def _sure(difference: FloatArray, se: FloatArray) -> FloatArray:
    """How likely a difference is above 0."""
    return np.asarray(ndtr(difference / np.where(se > 0, se, 1e-300)))


def _turned(survey: Survey, drivers: Sequence[str], ends: FloatArray, means: FloatArray) -> FloatArray:
    """Means so that more is better, on 0–100 where the scales differ."""
    low, high = ends.T
    down = np.array([not survey.higher_is_better(d) for d in drivers])
    faced = np.where(down, low + high - means, means)
    return faced if (ends == ends[0]).all() else 100 * (faced - low) / (high - low)


def _ends(survey: Survey, driver: str) -> tuple[float, float]:
    """Ends of a response scale; those seen in the data where none is declared."""
    known = survey.scale(driver)
    if known:
        return known
    values = survey.values(driver)
    return float(np.nanmin(values)), float(np.nanmax(values))
