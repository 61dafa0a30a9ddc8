"""Importance from a cube: a measure of every replicate's covariances, its intervals and the ranks they leave open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import p_values
from cxlab.cube._cube import Jackknifed, MomentCube
from cxlab.cube._layout import Filter
from cxlab.cube._ranks import drawn_ranks
from cxlab.design import t_quantile
from cxlab.errors import SurveyError, one_of
from cxlab.importance import car, coefficients, johnson, pratt
from cxlab.moments import to_correlation
from cxlab.subsets import shapley

FloatArray = np.ndarray[Any, np.dtype[Any]]
Measure = Callable[..., FloatArray]
MEASURES: dict[str, Measure] = {"shapley": shapley, "johnson": johnson, "car": car, "pratt": pratt}
_TIED = 1e-10  # smallest eigenvalue of correlations under which drivers determine one another
_FLAT = 1e-10  # part of the variance under which a replicate's is that of rounding


@dataclass(frozen=True, eq=False)
class CubeImportance:
    """Importances and effects of drivers in a filter, with jackknife intervals.

    Attributes
    ----------
    drivers : tuple of str
    values : mapping of column to array of shape (p,)
        The columns of ``table``.
    r2 : float
    moments : Jackknifed
        Drivers and, last, the outcome.
    importances : array, shape (replicates, p)
    effects : array, shape (replicates, p)
    effect_covariance : array, shape (p, p)
        For predictions from several drivers at once.
    """

    drivers: tuple[str, ...]
    values: Mapping[str, FloatArray]
    r2: float
    moments: Jackknifed
    importances: FloatArray
    effects: FloatArray
    effect_covariance: FloatArray

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per driver, unrounded.

        ``importance`` (parts of R²) and ``share`` with standard errors and intervals; ``estimate`` (effect of +1 point) with
        ``se, low, high, p_value``; ``rank`` and its set ``rank_low`` … ``rank_high``; ``top1`` and ``top3`` (shares of draws);
        ``base`` and ``base_effective`` (Kish's).
        """
        sizes = {"base": self.moments.base, "base_effective": self.moments.base_kish}
        return pd.DataFrame({"driver": list(self.drivers), **self.values, **sizes})


def cube_importance(
    cube: MomentCube,
    outcome: str,
    drivers: Sequence[str],
    *,
    filter: Filter | None = None,
    method: str | Measure = "shapley",
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> CubeImportance:
    """Which drivers matter to these respondents, answered while the filter moves?

    Parameters
    ----------
    cube : MomentCube
    outcome : str
    drivers : list of str
        Columns of the cube, two or more.
    filter : mapping of column to code, label, or list of them, optional
    method : {"shapley", "johnson", "car", "pratt"}, or function of covariances (..., p + 1, p + 1)
    level : float
    draws : int
        Normal draws behind the ranks.
    seed : int
        Of the draws.

    Returns
    -------
    CubeImportance

    Raises
    ------
    SurveyError
        For an unknown method, fewer complete rows than drivers + 2, drivers or an outcome that do not vary, drivers that
        repeat one another, or replicates that leave such.

    Notes
    -----
    Importances and effects of every replicate are those of a direct computation with the same groups; intervals are
    estimate ± t·se with the degrees of freedom of the cube, importances' lower ends not below 0 (but for Pratt's
    measure). Ranks are no smooth statistic: their sets are of normal draws with the jackknife covariance, see
    :func:`drawn_ranks`. Importances at zero have no valid interval; the replicates of :func:`cxlab.key_drivers` and its
    null line decide there.

    Examples
    --------
    >>> from cxlab.cube import moment_cube
    >>> from cxlab.survey import Survey
    >>> rng = np.random.default_rng(0)
    >>> data = pd.DataFrame(rng.normal(size=(400, 2)), columns=["a", "b"])
    >>> data["y"], data["g"] = data["a"] + 0.2 * data["b"] + rng.normal(size=400), rng.integers(0, 2, 400)
    >>> cube = moment_cube(Survey.from_frame(data), ["y", "a", "b"], ["g"])
    >>> cube_importance(cube, "y", ["a", "b"], filter={"g": 1}).table[["driver", "rank_low", "rank_high"]].values.tolist()
    [['a', 1, 1], ['b', 2, 2]]
    """
    _measure(method)
    _check(outcome, drivers)
    return importance_of(
        cube.covariances(filter, [*drivers, outcome]), method=method, level=level, draws=draws, seed=seed
    )


def importance_of(
    found: Jackknifed, *, method: str | Measure = "shapley", level: float = 0.95, draws: int = 1000, seed: int = 0
) -> CubeImportance:
    """Importances from moments that a cube has given, as :func:`cube_importance`.

    Parameters
    ----------
    found : Jackknifed
        Drivers and, last, the outcome. Who keeps them asks another method for a fraction of the work.
    method, level, draws, seed
        See :func:`cube_importance`. A function may also share out R² among fewer players than drivers, such as blocks;
        importances, shares and ranks are then theirs.

    Returns
    -------
    CubeImportance

    Raises
    ------
    SurveyError
        As :func:`cube_importance`.
    """
    measure = _measure(method)
    correlations, effects = effects_of(found)
    parts = measure(correlations)
    importance, effect = parts[-1], effects[-1]
    spread = found.spread(parts[:-1], importance)
    shares = parts / parts.sum(axis=1, keepdims=True)
    effect_covariance = found.spread(effects[:-1], effect)
    t, floor = t_quantile(level, found.df), -np.inf if measure is pratt else 0.0
    se = np.sqrt(np.diagonal(effect_covariance))
    values = {
        **_interval("importance", importance, np.sqrt(np.diagonal(spread)), t, floor),
        **_interval("share", shares[-1], np.sqrt(np.diagonal(found.spread(shares[:-1], shares[-1]))), t, floor),
        **drawn_ranks(importance, spread, df=found.df, level=level, draws=draws, seed=seed),
        "estimate": effect, "se": se, "low": effect - t * se, "high": effect + t * se,
        "p_value": p_values(effect, se, found.df),
    }  # fmt: skip
    r2 = float(coefficients(correlations[-1]) @ correlations[-1][:-1, -1])
    return CubeImportance(found.names[:-1], values, r2, found, parts[:-1], effects[:-1], effect_covariance)


def _interval(name: str, value: FloatArray, se: FloatArray, t: float, floor: float) -> dict[str, FloatArray]:
    """Columns of an estimate whose lower end does not fall below a floor."""
    low = np.maximum(value - t * se, floor)
    return {name: value, f"{name}_se": se, f"{name}_low": low, f"{name}_high": value + t * se}


def _measure(method: str | Measure) -> Measure:
    if callable(method):
        return method
    if method not in MEASURES:
        raise one_of("method", method, MEASURES)
    return MEASURES[method]


def _check(outcome: str, drivers: Sequence[str]) -> None:
    if len(drivers) < 2:
        raise SurveyError(f"drivers names {len(drivers)}; name at least two.")
    if outcome in drivers:
        raise SurveyError(f"drivers names the outcome {outcome!r} too; leave it out.")


def effects_of(found: Jackknifed) -> tuple[FloatArray, FloatArray]:
    """Correlations and effects of +1 point of all replicates and, last, of the sample; the outcome is the last column.

    Raises
    ------
    SurveyError
        For too few complete rows, columns that do not vary, or drivers that repeat one another.
    """
    correlations, scale = _correlations(found)
    with np.errstate(divide="ignore", invalid="ignore"):
        return correlations, coefficients(correlations) * scale[:, -1:] / scale[:, :-1]


def _correlations(found: Jackknifed) -> tuple[FloatArray, FloatArray]:
    """Correlations and standard deviations of all replicates and, last, of the sample, after checks."""
    names, base = found.names, found.base
    if base < len(names) + 1:
        raise SurveyError(
            f"{base} respondents of the filter answered all {len(names) - 1} drivers and {names[-1]!r}; at least "
            f"{len(names) + 1} are needed: widen the filter, or name fewer drivers."
        )
    matrices = np.concatenate([found.replicates, found.covariance[None]])
    variance = np.diagonal(matrices, axis1=1, axis2=2)
    magnitude = np.maximum(found.mean**2, 1.0) * 1e-14
    flat = [repr(n) for n, v, m in zip(names, variance[-1], magnitude, strict=True) if not v > m]
    if flat:
        raise SurveyError(f"{', '.join(flat)} does not vary in the filter; leave it out, or widen the filter.")
    lost = ~(variance > _FLAT * variance[-1]).all(axis=1)
    correlations = to_correlation(np.where(lost[:, None, None], np.nan, matrices))
    tied = lost.copy()
    tied[~lost] = _repeating(correlations[~lost][:, :-1, :-1])
    if tied[-1]:
        raise SurveyError("some drivers repeat one another in the filter; leave one of them out, or widen the filter.")
    if tied.any():
        raise SurveyError(
            f"{int(tied.sum())} of {len(tied) - 1} replicates leave a column without variation, or drivers that repeat one "
            f"another: the base of {base:,} is too small for intervals; widen the filter, or name fewer drivers."
        )
    return correlations, np.sqrt(variance)


def _repeating(correlations: FloatArray) -> np.ndarray:
    """Matrices in which columns determine one another; eigenvalues are taken only where a quick bound does not clear them."""
    try:
        factors = np.linalg.cholesky(correlations)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.eigvalsh(correlations)[:, 0] < _TIED)
    # the determinant of correlations is at most e times the smallest eigenvalue
    near = np.prod(np.diagonal(factors, axis1=1, axis2=2) ** 2, axis=1) < 10 * _TIED
    near[near] = np.linalg.eigvalsh(correlations[near])[:, 0] < _TIED
    return near
