"""What if, from a cube: a filter's model is made once, then a slider costs look-ups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import p_values
from cxlab.cube._cube import Jackknifed, MomentCube
from cxlab.cube._importance import effects_of
from cxlab.cube._layout import Filter
from cxlab.design import t_quantile
from cxlab.errors import SurveyError, unknown_names
from cxlab.result import reliability
from cxlab.scenarios import Scenario

FloatArray = np.ndarray[Any, np.dtype[Any]]
TOGETHER = "together"


@dataclass(frozen=True, eq=False)
class CubeWhatIf:
    """Expected change of an outcome's mean in a filter.

    Attributes
    ----------
    drivers : tuple of str
        Those that change and, last, ``"together"``.
    values : mapping of column to array, one number for each
        The columns of ``table``.
    base : int
        Complete rows.
    base_effective : float
        Kish's.
    replicates : array, shape (replicates, drivers)
        Gains without each group.
    """

    drivers: tuple[str, ...]
    values: Mapping[str, FloatArray]
    base: int
    base_effective: float
    replicates: FloatArray

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per driver and one for all together, unrounded, with the columns of :func:`cxlab.what_if`."""
        sizes = {"base": self.base, "base_effective": self.base_effective}
        return pd.DataFrame({"driver": list(self.drivers), **self.values, **sizes}).assign(
            reliability=reliability(self.base_effective)
        )


_quantile = lru_cache(maxsize=64)(t_quantile)  # a slider asks for the same one over and over


@dataclass(frozen=True, eq=False)
class CubeScenario:
    """The linear model of a filter and the answers it rests on, without each group of a jackknife.

    Attributes
    ----------
    drivers : tuple of str
        Of the full model.
    scenario : Scenario
        Coefficients and answers; the sample's first, then the replicates'.
    moments : Jackknifed
        Of the drivers and, last, the outcome.
    """

    drivers: tuple[str, ...]
    scenario: Scenario
    moments: Jackknifed

    def what_if(self, changes: Mapping[str, float], level: float = 0.95) -> CubeWhatIf:
        """Expected change when everybody's answers move, see :func:`cube_what_if`."""
        absent = [d for d in changes if d not in self.drivers]
        if absent:
            raise unknown_names("changes", absent, self.drivers, "the drivers of the model")
        if not changes:
            raise SurveyError('changes is empty; name at least one driver: changes={"queue": +1}.')
        places = [self.drivers.index(d) for d in changes]
        answers, deltas = [self.scenario.answers[j] for j in places], np.array([*changes.values()], dtype=float)
        for name, delta, answer in zip(changes, deltas, answers, strict=True):
            if not abs(delta) <= answer.high - answer.low:
                raise SurveyError(
                    f"changes: {name!r} is to move by {delta:+g} points, but its scale runs {answer.low:g}–{answer.high:g}; at "
                    f"most {answer.high - answer.low:g} points are possible."
                )
        chosen = Scenario(self.scenario.coefficients[:, places], answers)
        effective, gain = chosen.parts(deltas)
        gain = np.vstack([gain, gain.sum(axis=0)])
        found, estimate = self.moments, gain[:, 0]
        se = np.sqrt(np.diagonal(found.spread(gain[:, 1:].T, estimate)))
        half = _quantile(level, found.df) * se
        alone = len(deltas) == 1
        values = {
            "change": np.append(deltas, deltas[0] if alone else np.nan),
            "effective_change": np.append(effective[:, 0], effective[0, 0] if alone else np.nan),
            "effect": np.append(chosen.coefficients[0], np.nan), "estimate": estimate, "se": se,
            "low": estimate - half, "high": estimate + half, "p_value": p_values(estimate, se, found.df),
            "before": np.full(len(estimate), found.mean[-1]), "after": found.mean[-1] + estimate,
        }  # fmt: skip
        return CubeWhatIf((*changes, TOGETHER), values, found.base, found.base_kish, gain[:, 1:].T)


def cube_scenario(
    cube: MomentCube, outcome: str, drivers: Sequence[str], *, filter: Filter | None = None
) -> CubeScenario:
    """Make the model of a filter; the last ones are kept, so that a slider does not make it again.

    Parameters
    ----------
    cube : MomentCube
    outcome : str
    drivers : list of str
        Of the full model.
    filter : mapping of column to code, label, or list of them, optional

    Returns
    -------
    CubeScenario
        ``.what_if(changes)`` answers in less than a millisecond.

    Raises
    ------
    SurveyError
        As :func:`cxlab.cube.cube_importance`.
    """
    if not drivers or outcome in drivers:
        told = f"names the outcome {outcome!r} too; leave it out" if drivers else "is empty; name at least one column"
        raise SurveyError(f"drivers {told}.")
    columns = (*drivers, outcome)

    def made() -> CubeScenario:
        found = cube.covariances(filter, columns)
        effects = np.roll(effects_of(found)[1], 1, axis=0)
        return CubeScenario(tuple(drivers), Scenario(effects, cube.answers(filter, columns, drivers)), found)

    return cube.kept(("what_if", columns), filter, made)


def cube_what_if(
    cube: MomentCube,
    outcome: str,
    drivers: Sequence[str],
    changes: Mapping[str, float],
    *,
    filter: Filter | None = None,
    level: float = 0.95,
) -> CubeWhatIf:
    """How much higher would the outcome be expected if ratings rose, answered while the slider moves?

    Parameters
    ----------
    cube : MomentCube
    outcome : str
        Column of the cube: ratings, 100 / 0 / −100 for NPS, or 0 / 1 for a share.
    drivers : list of str
        Of the full model.
    changes : mapping of driver to points
        Points that everybody's answer moves by.
    filter : mapping of column to code, label, or list of them, optional
        Coefficients and answers are those of the respondents it keeps.
    level : float

    Returns
    -------
    CubeWhatIf

    Raises
    ------
    SurveyError
        For unknown drivers, changes beyond a scale, or a base too small for the model or its replicates.

    Notes
    -----
    Σ_j b_j · mean(clip(x_j + δ_j, low, high) − x_j), as :func:`cxlab.what_if`, whose estimates it equals; coefficients and
    answers both move with the groups of the jackknife. Estimate ± t·se.

    Examples
    --------
    >>> from cxlab.cube import moment_cube
    >>> from cxlab.survey import Survey
    >>> rng = np.random.default_rng(0)
    >>> data = pd.DataFrame(rng.integers(0, 11, (400, 2)), columns=["queue", "doctor"]).assign(g=np.arange(400) % 2)
    >>> data["y"] = 0.5 * data["queue"] + 0.2 * data["doctor"] + rng.normal(size=400)
    >>> cube = moment_cube(Survey.from_frame(data), ["y", "queue", "doctor"], ["g"])
    >>> found = cube_what_if(cube, "y", ["queue", "doctor"], {"queue": 1.0}, filter={"g": 1}).table
    >>> found[["driver", "effective_change", "estimate"]].round(1).values.tolist()
    [['queue', 0.9, 0.5], ['together', 0.9, 0.5]]
    """
    return cube_scenario(cube, outcome, drivers, filter=filter).what_if(changes, level)
