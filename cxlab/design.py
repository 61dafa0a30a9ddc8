"""Sample design: from the declared columns to variances and replicate weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse, stats

from cxlab.calibration import Calibration
from cxlab.errors import DataCheckError, DataWarning, SurveyError
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]
_MERGE = 'merge it with a similar stratum in study.yml, or declare lonely="adjust" or lonely="remove"'


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
    lonely : {"fail", "adjust", "remove"}
        What becomes of strata with a single PSU, see :class:`cxlab.survey.SampleDesign`.
    calibration : Calibration or None
        Margins that the weights were raked to.
    """

    weights: FloatArray
    psu: IntArray
    stratum: IntArray
    fraction: FloatArray
    names: tuple[str, ...]
    lonely: str = "fail"
    calibration: Calibration | None = None

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
        return self.presence(inside).df()

    def presence(self, inside: np.ndarray) -> Presence:
        """PSUs that have a member of each domain; ``inside`` has shape (rows, k)."""
        return Presence(self._unit_sums(inside.astype(float)) > 0, self.stratum)

    @cached_property
    def one_row_units(self) -> bool:
        """Whether every row is a unit of its own."""
        return len(self.stratum) == len(self.psu)

    @cached_property
    def single(self) -> np.ndarray:
        """Strata with a single unit that are not sampled whole: their variance is undefined, shape (strata,)."""
        return np.asarray((self.units == 1) & (self.fraction < 1))

    def require_pairs(self, remedy: str = _MERGE, allowed: tuple[str, ...] = ("adjust", "remove")) -> None:
        """Raise if a stratum has a single unit, unless the design declares what to do and that is allowed here."""
        lonely = [name for name, single in zip(self.names, self.single, strict=True) if single]
        if lonely and self.lonely not in allowed:
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
            If a stratum has a single PSU and the design does not say what to do with it (unless the
            fpc says that there is no other: it adds nothing).

        Warns
        -----
        DataWarning
            If the weights were raked with ``residuals="equal"`` and that matters.

        Notes
        -----
        Σ_h (1 − f_h) n_h / (n_h − 1) Σ_i (z_hi − z̄_h)(z_hi − z̄_h)ᵀ over PSU totals z of
        weight × influence; under raking, of weight × residual of the influence on the margins.
        ``lonely="adjust"`` takes the mean over all PSUs for z̄_h of a stratum with one, ``"remove"``
        leaves it out. R: ``survey::svymean`` and kin, ``svyrecvar``, ``options(survey.lonely.psu=)``.
        """
        self.require_pairs()
        if self.calibration is None:
            return self._spread(influence)
        found = self._spread(self.calibration.residuals(influence))
        if self.calibration.unweighted:
            weighted = self._spread(self.calibration.by_weights.residuals(influence))
            least = 1e-12 * (self.weights**2 @ influence**2)  # what is known without error has only rounding left
            _compare_residuals(np.diagonal(found) + least, np.diagonal(weighted) + least)
        return found

    def spread(self, left: Any, right: Any) -> FloatArray:
        """Covariance between totals of PSUs, within strata.

        Parameters
        ----------
        left, right : sparse arrays, shape (units, k) and (units, m)
            Sums of weight × influence over the rows of each PSU.

        Returns
        -------
        array, shape (k, m)
            As :meth:`covariance` has it, without residuals.
        """
        counts = np.maximum(self.units, 1)
        scale = (1 - self.fraction) * counts / np.maximum(counts - 1, 1)
        out = (left.T @ right.multiply(scale[self.stratum][:, None]).tocsr()).toarray()
        sums = [(self._of_strata @ side).toarray() for side in (left, right)]
        out -= (sums[0] * (scale / counts)[:, None]).T @ sums[1]
        if self.lonely == "adjust" and self.single.any():
            off = [(s - s.sum(axis=0) / len(self.stratum))[self.single] for s in sums]
            out += (off[0] * scale[self.single][:, None]).T @ off[1]
        return np.asarray(out)

    @cached_property
    def _of_strata(self) -> Any:
        units = len(self.stratum)
        return sparse.csr_array((np.ones(units), (self.stratum, np.arange(units))), shape=(len(self.names), units))

    @cached_property
    def margins(self) -> Any:
        """Weight of each PSU in each cell of the margins, sparse, shape (units, cells); none where nothing was raked."""
        units = len(self.stratum)
        if self.calibration is None:
            return sparse.csr_array((units, 0))
        cells, count = self.calibration.cell, len(self.calibration.cells)
        inside = cells < count
        return sparse.csr_array((self.weights[inside], (self.psu[inside], cells[inside])), shape=(units, count))

    @cached_property
    def margin_spread(self) -> FloatArray:
        """Covariance of the totals of all cells of the margins, shape (cells, cells)."""
        return self.spread(self.margins, self.margins)

    def _spread(self, influence: FloatArray) -> FloatArray:
        """Variance of weighted sums between the PSUs of each stratum, shape (k, k)."""
        totals = self._unit_sums(influence * self.weights[:, None])
        counts = self.units
        sums = self._of_strata @ totals
        means = sums / counts[:, None]
        scale = (1 - self.fraction) * counts / np.maximum(counts - 1, 1)
        if self.lonely == "adjust":
            means[self.single] = totals.mean(axis=0)
        found = np.zeros((totals.shape[1], totals.shape[1]))
        for start in range(0, len(totals), _UNITS):
            stratum = self.stratum[start : start + _UNITS]
            centred = totals[start : start + _UNITS] - means[stratum]
            found += (centred * scale[stratum, None]).T @ centred
        return found

    def _unit_sums(self, values: FloatArray) -> FloatArray:
        if self.one_row_units:
            if np.array_equal(self.psu, np.arange(len(self.psu))):
                return values
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
        self.require_pairs('merge it with a similar stratum, or declare lonely="remove"', allowed=("remove",))
        rng = np.random.default_rng(seed)
        used = np.ones(len(self.stratum), dtype=bool) if used is None else used
        members = [np.flatnonzero(self.stratum == h) for h in range(len(self.names))]
        place = np.cumsum(used) - 1
        step = max(1, _DRAWS // max(1, len(self.stratum)))
        for start in range(0, replicates, step):
            size = min(step, replicates - start)
            out = np.empty((size, int(used.sum())), dtype=np.float32)
            for root, units in zip(np.sqrt(1 - self.fraction) * ~self.single, members, strict=True):
                wanted = used[units]
                times = _times_drawn(rng, size, len(units))
                factors = 1 - root + root * len(units) / max(len(units) - 1, 1) * np.arange(times.max(initial=0) + 1)
                found = factors.astype(np.float32)[times]
                out[:, place[units[wanted]]] = found if wanted.all() else found[:, wanted]
            yield out

    def bootstrap(self, replicates: int, seed: int, rows: IntArray) -> Iterator[tuple[FloatArray, IntArray]]:
        """Multipliers of the Rao–Wu bootstrap for some rows, raked anew where the weights are raked.

        Parameters
        ----------
        replicates, seed : int
            See :meth:`rao_wu`.
        rows : int array, shape (rows used,)
            Positions of the rows that are analysed.

        Yields
        ------
        multipliers : array, shape (replicates in the block, pieces)
        piece : int array, shape (rows used,)
            Column of each row: rows of a PSU share one, under raking those of a PSU and a cell.
        """
        pieces, piece = np.unique(self.pieces[1][rows], return_inverse=True)
        unit = self.pieces[0][pieces]
        if self.calibration is None:
            used = np.zeros(len(self.stratum), dtype=bool)
            used[unit] = True
            for block in self.rao_wu(replicates, seed, used):
                yield block, piece
            return
        for block in self.rao_wu(replicates, seed):
            yield self.raked(block)[:, pieces], piece

    @cached_property
    def pieces(self) -> tuple[IntArray, IntArray]:
        """Groups of rows that every replicate treats alike.

        Returns
        -------
        unit : int array, shape (pieces,)
            PSU of each piece; each is a piece of its own unless the weights are raked.
        piece : int array, shape (rows,)
        """
        if self.calibration is None:
            return np.arange(len(self.stratum)), self.psu
        cells = len(self.calibration.cells) + 1
        crossed, piece = np.unique(self.psu * cells + self.calibration.cell, return_inverse=True)
        return crossed // cells, piece

    def raked(self, multipliers: FloatArray) -> FloatArray:
        """Multipliers of pieces from multipliers of PSUs: the weights of every replicate are raked anew.

        Parameters
        ----------
        multipliers : array, shape (replicates, units)

        Returns
        -------
        array, shape (replicates, pieces)

        Warns
        -----
        DataWarning
            If a replicate loses all respondents of a category.
        """
        unit, piece = self.pieces
        if self.calibration is None:
            return multipliers
        cells = len(self.calibration.cells)
        cell = np.zeros(len(unit), dtype=np.intp)
        cell[piece] = self.calibration.cell
        size = np.bincount(piece, self.weights, len(unit))
        inside = cell < cells
        shape = (len(self.stratum), cells)
        totals = sparse.csr_array((size[inside], (unit[inside], cell[inside])), shape=shape)
        factors, emptied = self.calibration.factors(multipliers.astype(float) @ totals)
        if emptied:
            warnings.warn(
                f"{emptied} of {len(multipliers)} replicates have no respondent in a category of the margins, whose "
                "target is shared out among the others there; merge small categories before raking.",
                DataWarning,
                stacklevel=3,
            )
        return multipliers[:, unit] * factors[:, cell]


def _compare_residuals(equal: FloatArray, weighted: FloatArray) -> None:
    """Warn where R's residuals from unweighted category means and those from weighted ones tell different stories."""
    ratio = np.sqrt(equal / np.where(weighted > 0, weighted, np.nan))
    off = np.abs(np.log(np.where(ratio > 0, ratio, 1.0))) > np.log(_RESIDUALS_DIFFER)
    if off.any():
        worst = ratio[off][np.argmax(np.abs(np.log(ratio[off])))]
        warnings.warn(
            f'raking: for {int(off.sum())} of {len(ratio)} estimates the standard error with residuals="equal" (R\'s) differs '
            f'from that with weighted ones, up to {worst:.2f} times; use residuals="weighted", cx.rake\'s default.',
            DataWarning,
            stacklevel=4,
        )


_RESIDUALS_DIFFER = 1.1
_DRAWS = 4_000_000  # draws held at once
_COUNTED = 1 << 17  # draws counted at once, few enough for the processor's cache
_UNITS = 1 << 14  # units whose deviations are held at once


def _times_drawn(rng: np.random.Generator, replicates: int, units: int) -> IntArray:
    """How often each unit is drawn when units − 1 are drawn with replacement, shape (replicates, units)."""
    out = np.empty((replicates, units), dtype=np.intp)
    step = max(1, _COUNTED // units)
    for start in range(0, replicates, step):
        size = min(step, replicates - start)
        drawn = rng.integers(0, units, size=(size, units - 1))
        drawn += units * np.arange(size)[:, None]
        out[start : start + size] = np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units)
    return out


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
    codes, strata = _codes(survey, "stratum", np.zeros(rows, dtype=np.intp))
    names = tuple(_name(survey, declared.stratum, value) for value in strata)
    own, unit_values = _codes(survey, "psu", np.arange(rows))
    stratum = np.zeros(own.max(initial=-1) + 1, dtype=np.intp)
    stratum[own] = codes
    split = np.unique(own[stratum[own] != codes])
    if len(split):
        raise DataCheckError(
            f"psu {declared.psu!r} has {len(split)} of {len(stratum):,} PSUs in more than one stratum "
            f"({declared.stratum!r}), e.g. {_name(survey, declared.psu, unit_values[split[0]])!r}; a PSU belongs to one stratum: "
            "correct the file, or number the PSUs within strata."
        )
    units = np.bincount(stratum, minlength=len(names))
    fraction = _fractions(survey, codes, units, names)
    return Design(survey.weights, own, stratum, fraction, names, declared.lonely, _calibration(survey))


def _calibration(survey: Survey) -> Calibration | None:
    """Margins of a raked survey as integers."""
    raked = survey.design.raked
    if raked is None:
        return None
    inside = np.ones(len(survey.data), dtype=bool)
    group = np.zeros(len(inside), dtype=np.intp)
    if raked.within is not None:
        group, _ = pd.factorize(survey.data[raked.within], sort=True)
        inside = group >= 0
    codes = np.full((len(inside), len(raked.margins)), -1, dtype=np.intp)
    for j, column in enumerate(raked.margins):
        category, known = pd.factorize(survey.data[column], sort=True)
        crossed = group * (len(known) + 1) + category  # weight 0 may lack a category: −1 is one of its own
        codes[inside, j] = np.unique(crossed[inside], return_inverse=True)[1]
    kind = raked.residuals if len(raked.margins) > 1 else "weighted"  # one margin: all weights of a category give one
    start = None
    if kind == "start":
        start = np.ones(len(inside)) if raked.start is None else survey.values(raked.start)
    return Calibration(codes, survey.weights, kind == "equal", start)


def _codes(survey: Survey, part: str, default: IntArray) -> tuple[IntArray, list[Any]]:
    """Integer codes of a design column, and what each stands for."""
    column = getattr(survey.design, part)
    if column is None:
        return default, np.unique(default).tolist() if part == "stratum" else []
    values = survey.data[column]
    missing = int(values.isna().sum())
    if missing:
        raise DataCheckError(
            f"{part} {column!r} is missing for {missing} of {len(values):,} respondents; fill it in, or leave them out."
        )
    codes, uniques = pd.factorize(values, sort=True)
    return codes.astype(np.intp), uniques.tolist()


def _name(survey: Survey, column: str | None, value: Any) -> str:
    """Label of a stratum or PSU, for messages."""
    item = None if column is None else survey.codebook.items.get(column)
    return item.value_label(value) if item else str(value)


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
class Presence:
    """Which PSUs have a member of which domain.

    Attributes
    ----------
    units : bool array, shape (units, k)
    stratum : int array, shape (units,)
        Stratum of each PSU.
    """

    units: np.ndarray
    stratum: IntArray

    @cached_property
    def strata(self) -> np.ndarray:
        """Which strata have a member of which domain, shape (strata, k)."""
        count = int(self.stratum.max(initial=-1)) + 1
        return np.column_stack([np.bincount(self.stratum, u, count) for u in self.units.T]) > 0

    def df(self) -> FloatArray:
        """PSUs − strata of each domain, at least 1, shape (k,)."""
        return np.maximum(self.units.sum(axis=0) - self.strata.sum(axis=0), 1).astype(float)

    def pair_df(self, first: np.ndarray, second: np.ndarray) -> FloatArray:
        """Degrees of freedom of differences: those of both domains added up, at most PSUs − strata of both together.

        Two groups of the same three PSUs have 2, not 4; independent respondents have n − 2.
        """
        counts = [
            np.array([np.count_nonzero(m[:, a] | m[:, b]) for a, b in zip(first, second, strict=True)], dtype=float)
            for m in (self.units, self.strata)
        ]
        own = self.df()
        return np.maximum(np.minimum(own[first] + own[second], counts[0] - counts[1]), 1.0)


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
    presence : Presence or None
        PSUs behind each estimate, for the degrees of freedom of differences.
    """

    estimate: FloatArray
    covariance: FloatArray
    base: IntArray
    base_effective: FloatArray
    base_kish: FloatArray
    df: FloatArray
    presence: Presence | None = None

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
        # a share that the margins fix has only rounding for a variance, and no design effect
        known = (variance > 1e-12 * simple) & (base > 1)
        effective = np.where(known, base * simple / variance, kish)
    presence = design.presence(weights > 0)
    return Estimates(mean, covariance, base, effective, kish, presence.df(), presence)


def design_notes(survey: Survey) -> tuple[Mapping[str, str], ...]:
    """Say which design the numbers rest on."""
    parts = survey.design.columns()
    if not parts:
        return (Note({"en": "Unweighted; simple random sampling assumed.", "zh": "未加权；按简单随机抽样计算。"}),)
    words = {"weight": "权重", "stratum": "分层", "psu": "初级抽样单位", "fpc": "有限总体修正"}
    listed = {
        "en": ", ".join(f"{k} ({v})" for k, v in parts.items()),
        "zh": "、".join(f"{words[k]}（{v}）" for k, v in parts.items()),
    }
    lonely: tuple[Note, ...] = (Note(_LONELY[survey.design.lonely]),) if survey.design.lonely in _LONELY else ()
    lonely += _stacked(survey)
    raked = survey.design.raked
    if raked is not None:
        margins = {lang: ", ".join(survey.label(c, lang) for c in raked.margins) for lang in LANGUAGES}
        return (Note(_RAKED, parts=listed, margins=margins), *lonely)
    template = {
        "en": "Design-based: {parts}; weights count as fixed.",
        "zh": "按抽样设计计算：{parts}；权重视为固定。",
    }
    return (Note(template, parts=listed), *lonely)


def _stacked(survey: Survey) -> tuple[Note, ...]:
    """Say that rows are not respondents where a survey was stacked."""
    unit = survey.design.stacked
    if unit is None or unit not in survey.data:
        return ()
    each = survey.data[unit].nunique()
    words = {lang: survey.label(unit, lang) for lang in LANGUAGES}
    return (Note(_STACKED, rows=len(survey), respondents=len(survey.data) // each, unit=words, each=each),)


_STACKED = {
    "en": "Stacked: {respondents:,} respondents with {each} rows each, one per {unit:in}; bases count rows ({rows:,} here), "
    "intervals know whose they are.",
    "zh": "长表数据：{respondents:,} 名受访者各占 {each} 行，每行对应一个{unit}；样本量按行计（此处 {rows:,} 行），区间已考虑同一受访者各行之间的相关。",
}
_LONELY: dict[str, dict[str, str]] = {
    "adjust": {
        "en": "Strata with a single PSU are compared with the overall mean.",
        "zh": "仅含一个初级抽样单位的层以总体均值为中心计算方差。",
    },
    "remove": {
        "en": "Strata with a single PSU add nothing to the variances, which may be too small.",
        "zh": "仅含一个初级抽样单位的层不计入方差，方差可能偏小。",
    },
}
_RAKED = {
    "en": "Design-based: {parts}; weights raked to {margins}, which the intervals allow for.",
    "zh": "按抽样设计计算：{parts}；权重按以下边际校准，区间已计入校准的影响：{margins}。",
}
