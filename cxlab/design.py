"""Sample design: from the declared columns to variances and replicate weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlab.errors import DataCheckError, SurveyError
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, eq=False)
class Design:
    """A one-stage sample design, resolved to integers.

    Attributes
    ----------
    weights : array, shape (rows,)
    psu : int array, shape (rows,)
        Primary sampling unit of each row, 0 … units − 1.
    stratum : int array, shape (units,)
        Stratum of each unit.
    fraction : array, shape (strata,)
        Sampled share of the stratum's units; 0 where no fpc is declared.
    names : tuple of str
        Stratum labels, for messages.
    """

    weights: FloatArray
    psu: IntArray
    stratum: IntArray
    fraction: FloatArray
    names: tuple[str, ...]

    @cached_property
    def units(self) -> IntArray:
        """Sampled units per stratum, shape (strata,)."""
        return np.bincount(self.stratum, minlength=len(self.names))

    @property
    def df(self) -> float:
        """Degrees of freedom of a variance: units − strata."""
        return float(len(self.stratum) - len(self.names))

    def domain_df(self, inside: np.ndarray) -> FloatArray:
        """Degrees of freedom of each domain: units − strata that have a member of it, at least 1.

        Parameters
        ----------
        inside : bool array, shape (rows, k)

        Returns
        -------
        array, shape (k,)
            R: ``degf(subset(design, ...))``.
        """
        units = self._unit_sums(inside.astype(float)) > 0
        strata = np.column_stack([np.bincount(self.stratum, u, len(self.names)) for u in units.T]) > 0
        return np.maximum(units.sum(axis=0) - strata.sum(axis=0), 1).astype(float)

    @cached_property
    def one_row_units(self) -> bool:
        """Whether every row is a unit of its own."""
        return len(self.stratum) == len(self.psu)

    def require_pairs(self, remedy: str = "merge it with a similar stratum in study.yml") -> None:
        """Raise if a stratum has a single unit and is not sampled whole: its variance is undefined."""
        known = (self.units > 1) | (self.fraction == 1)
        lonely = [name for name, fine in zip(self.names, known, strict=True) if not fine]
        if lonely:
            shown = ", ".join(map(repr, lonely[:5])) + (", …" if len(lonely) > 5 else "")
            raise SurveyError(
                f"stratum has {len(lonely)} of {len(self.names)} strata with a single PSU ({shown}): "
                f"no variance can be computed there; {remedy}."
            )

    def covariance(self, influence: FloatArray) -> FloatArray:
        """Taylor covariance of statistics that are weighted sums of influence values.

        Parameters
        ----------
        influence : array, shape (rows, k)
            Linearised values; 0 for rows outside the domain. Weights are applied here.

        Returns
        -------
        array, shape (k, k)

        Raises
        ------
        SurveyError
            If a stratum has a single PSU (unless the fpc says that there is no other: it adds nothing).

        Notes
        -----
        Σ_h (1 − f_h) n_h / (n_h − 1) Σ_i (z_hi − z̄_h)(z_hi − z̄_h)ᵀ over PSU totals z of
        weight × influence. R: ``survey::svymean`` and kin, ``svyrecvar``.
        """
        self.require_pairs()
        totals = self._unit_sums(influence * self.weights[:, None])
        counts = self.units
        means = np.column_stack([np.bincount(self.stratum, column, len(counts)) for column in totals.T])
        centred = totals - (means / counts[:, None])[self.stratum]
        scale = (1 - self.fraction) * counts / np.maximum(counts - 1, 1)
        return (centred * scale[self.stratum, None]).T @ centred

    def _unit_sums(self, values: FloatArray) -> FloatArray:
        if self.one_row_units:
            out = np.empty_like(values)
            out[self.psu] = values
            return out
        return np.column_stack([np.bincount(self.psu, column, len(self.stratum)) for column in values.T])

    def rao_wu(self, replicates: int, seed: int, used: np.ndarray | None = None) -> Iterator[FloatArray]:
        """Multipliers of the Rao–Wu bootstrap, in blocks of replicates that bound the memory.

        Parameters
        ----------
        replicates : int
        seed : int
            The draws depend on it, the design and the number of replicates, not on ``used``: domains analysed
            alike share their replicates.
        used : bool array, shape (units,), optional
            Units whose multipliers are wanted (those of a domain); all take part in the draws.

        Yields
        ------
        array of float32, shape (replicates in the block, units used)

        Notes
        -----
        In each stratum n_h − 1 of n_h units are drawn with replacement; a unit drawn t times is
        multiplied by 1 − λ + λ t n_h / (n_h − 1) with λ = √(1 − f_h).

        References
        ----------
        Rao & Wu (1988), JASA 83, 231–241; Rao, Wu & Yue (1992), Survey Methodology 18, 209–217.
        R: ``survey::as.svrepdesign(type = "subbootstrap")``.
        """
        self.require_pairs("merge it with a similar stratum, or remove its respondents")
        rng = np.random.default_rng(seed)
        used = np.ones(len(self.stratum), dtype=bool) if used is None else used
        members = [np.flatnonzero(self.stratum == h) for h in range(len(self.names))]
        place = np.cumsum(used) - 1
        step = max(1, _DRAWS // max(1, len(self.stratum)))
        for start in range(0, replicates, step):
            size = min(step, replicates - start)
            out = np.empty((size, int(used.sum())), dtype=np.float32)
            for root, units in zip(np.sqrt(1 - self.fraction), members, strict=True):
                wanted = used[units]
                times = _times_drawn(rng, size, len(units))[:, wanted]
                out[:, place[units[wanted]]] = 1 - root + root * len(units) / max(len(units) - 1, 1) * times
            yield out


_DRAWS = 4_000_000  # draws held at once


def _times_drawn(rng: np.random.Generator, replicates: int, units: int) -> IntArray:
    """How often each unit is drawn when units − 1 are drawn with replacement, shape (replicates, units)."""
    drawn = rng.integers(0, units, size=(replicates, units - 1))
    drawn += units * np.arange(replicates)[:, None]
    return np.bincount(drawn.ravel(), minlength=replicates * units).reshape(replicates, units)


def resolve(survey: Survey) -> Design:
    """Resolve a survey's declared design over all rows of its data, the domain included and not.

    Raises
    ------
    DataCheckError
        If stratum, psu or fpc have missing values, a PSU lies in two strata, or an fpc is
        not one number per stratum or smaller than its sample.

    Examples
    --------
    >>> import pandas as pd
    >>> from cxlab.survey import Survey
    >>> df = pd.DataFrame({"q": [1, 2, 3, 4.0], "s": ["a", "a", "b", "b"]})
    >>> design = resolve(Survey.from_frame(df, stratum="s"))
    >>> design.units.tolist(), design.df
    ([2, 2], 2.0)
    """
    rows, declared = len(survey.data), survey.design
    codes, names = _codes(survey, "stratum", np.zeros(rows, dtype=np.intp))
    own, unit_names = _codes(survey, "psu", np.arange(rows))
    stratum = np.zeros(own.max(initial=-1) + 1, dtype=np.intp)
    stratum[own] = codes
    split = np.unique(own[stratum[own] != codes])
    if len(split):
        raise DataCheckError(
            f"psu {declared.psu!r} has {len(split)} of {len(stratum):,} PSUs in more than one stratum "
            f"({declared.stratum!r}), e.g. {unit_names[split[0]]!r}; a PSU belongs to one stratum: "
            "correct the file, or number the PSUs within strata."
        )
    units = np.bincount(stratum, minlength=len(names))
    return Design(survey.weights, own, stratum, _fractions(survey, codes, units, names), names)


def _codes(survey: Survey, part: str, default: IntArray) -> tuple[IntArray, tuple[str, ...]]:
    """Integer codes and names of a design column."""
    column = getattr(survey.design, part)
    if column is None:
        return default, tuple(map(str, np.unique(default))) if part == "stratum" else ()
    values = survey.data[column]
    missing = int(values.isna().sum())
    if missing:
        raise DataCheckError(
            f"{part} {column!r} is missing for {missing} of {len(values):,} respondents; fill it in, or leave them out."
        )
    codes, uniques = pd.factorize(values, sort=True)
    item = survey.codebook.items.get(column)
    return codes.astype(np.intp), tuple(item.value_label(u) if item else str(u) for u in uniques.tolist())


def _fractions(survey: Survey, codes: IntArray, units: IntArray, names: tuple[str, ...]) -> FloatArray:
    column = survey.design.fpc
    if column is None:
        return np.zeros(len(names))
    values = survey.values(column)
    highest = pd.Series(values).groupby(codes).max().to_numpy()
    lowest = pd.Series(values).groupby(codes).min().to_numpy()
    if np.isnan(values).any() or (highest != lowest).any():
        raise DataCheckError(
            f"fpc {column!r} has {int(np.isnan(values).sum())} missing values and differs within "
            f"{int((highest != lowest).sum())} of {len(names)} strata; it is one number per stratum."
        )
    fraction = np.where(highest <= 1, highest, units / np.where(highest > 0, highest, 1))
    bad = np.flatnonzero((fraction > 1) | (highest <= 0))
    if len(bad):
        first = bad[0]
        raise DataCheckError(
            f"fpc {column!r} is {highest[first]:g} in stratum {names[first]!r}, which has {units[first]} sampled PSUs; "
            "it is the population number of PSUs, or the sampled share."
        )
    return fraction


def kish_base(weights: FloatArray) -> float:
    """Kish's effective base (Σw)² / Σw².

    Examples
    --------
    >>> kish_base(np.array([1.0, 1.0, 2.0]))
    2.6666666666666665
    """
    square = float(np.sum(weights**2))
    return float(np.sum(weights)) ** 2 / square if square else 0.0


def t_quantile(level: float, df: Any) -> Any:
    """Quantile of Student's t for a two-sided interval; the normal one for infinite df.

    Raises
    ------
    SurveyError
        For a level outside .5 to 1, such as 95.
    """
    if not 0.5 <= level < 1:
        raise SurveyError(f"level is {level}; a confidence level lies between .5 and 1, usually .95.")
    return stats.t.ppf(0.5 + level / 2, df)


@dataclass(frozen=True, eq=False)
class Estimates:
    """Several weighted means and their joint covariance.

    Attributes
    ----------
    estimate : array, shape (k,)
    covariance : array, shape (k, k)
    base, base_effective : array, shape (k,)
        Respondents with weight > 0 and an answer; the same divided by the estimate's design effect.
    base_kish : array, shape (k,)
        Kish's effective base.
    df : array, shape (k,)
        Degrees of freedom, see :meth:`Design.domain_df`.
    """

    estimate: FloatArray
    covariance: FloatArray
    base: IntArray
    base_effective: FloatArray
    base_kish: FloatArray
    df: FloatArray

    @property
    def se(self) -> FloatArray:
        """Standard errors, shape (k,)."""
        return np.sqrt(np.maximum(np.diagonal(self.covariance), 0.0))


def weighted_means(design: Design, columns: FloatArray, domains: np.ndarray | None = None) -> Estimates:
    """Weighted means of columns, each over the rows of its domain where it is answered.

    Parameters
    ----------
    design : Design
    columns : array, shape (rows, k)
        NaN where not answered.
    domains : bool array, shape (rows, k), optional

    Returns
    -------
    Estimates
        A column without an answer has NaN and base 0.

    Notes
    -----
    Influence values w (x − x̄) / Σw, 0 outside the domain, so that the covariance spans segments and
    waves. The design effect divides by S² / n with S² = Σw (x − x̄)² / Σw · n / (n − 1), as R's
    ``svymean(deff = "replace")`` does; where that is 0 the effective base is Kish's.
    """
    answered = np.isfinite(columns)
    if domains is not None:
        answered &= domains
    weights = design.weights[:, None] * answered
    filled = np.where(answered, columns, 0.0)
    total = weights.sum(axis=0)
    base = ((weights > 0).sum(axis=0)).astype(np.intp)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (weights * filled).sum(axis=0) / total
        deviation = np.where(answered & (base > 0), filled - mean, 0.0)
        covariance = design.covariance(deviation / np.where(total > 0, total, 1.0))
        simple = (weights * deviation**2).sum(axis=0) / total / np.maximum(base - 1, 1)
        variance = np.diagonal(covariance)
        kish = np.where(total > 0, total**2 / (weights**2).sum(axis=0), 0.0)
        effective = np.where((variance > 0) & (base > 1), base * simple / variance, kish)
    return Estimates(mean, covariance, base, effective, kish, design.domain_df(weights > 0))
