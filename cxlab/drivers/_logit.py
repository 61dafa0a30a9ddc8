"""Kernels of ordered answers: importances are parts of a pseudo R² of a logit, or of a cumulative logit."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from cxlab.covariances import Spread
from cxlab.drivers._kernels import Draws, Slopes, per_driver
from cxlab.drivers._prepare import Prepared
from cxlab.drivers._relative import RelativeWeights
from cxlab.drivers._subsets import Subsets
from cxlab.drivers._tjur import TjurSubsets
from cxlab.errors import SlowWarning, SmallBaseWarning, SurveyError, one_of
from cxlab.likelihoods import Graded, derivatives, graded, state

FloatArray = np.ndarray[Any, np.dtype[Any]]
_LEAST_EVENTS = 10
_LONG, _TOO_LONG = 40e6, 300e6  # rows × subsets
_SECONDS = 1.5e-6  # of one core for a row and a subset with 200 permutations, measured at 2,400 to 50,000 rows
_EVENTS_PER_COLUMN = 10


class CumulativeLogit:
    """Importances are parts of a pseudo R²: what logit and ordinal models share."""

    name: ClassVar[str]
    methods: ClassVar[Mapping[str, type[Subsets]]]
    most: ClassVar[int]  # drivers whose subsets are all fitted

    def __init__(self, prepared: Prepared, method: str) -> None:
        if method not in self.methods:
            raise one_of("method", method, self.methods)
        self.prepared = prepared
        self.method = method
        self._check()
        self._worths = self.methods[method](self.data, prepared.layout.players, prepared.layout.always)

    @cached_property
    def data(self) -> Graded:
        """Rows sorted by answer, columns standardised."""
        columns = self.prepared.columns
        return graded(columns[:, :-1], columns[:, -1], self.prepared.weights)

    def importance(self) -> FloatArray:
        self._settle()
        return self._worths.importance()

    def draws(self, count: int, seed: int) -> Draws:
        self._settle()
        importances, slopes = [], []
        for multipliers, piece in self.prepared.design.bootstrap(count, seed, self.prepared.rows):
            own = multipliers[:, piece[self.data.order]].astype(float)
            self._check_classes(own)
            importances.append(self._worths.replicates(own))
            slopes.append(self._worths.moved(own)[:, self.data.thresholds :] / self.data.spread)
        return Draws(np.concatenate(importances), np.concatenate(slopes))

    def null_lines(self, permutations: int, seed: int) -> FloatArray:
        """95th percentile of each driver's importance after permuting it within stratum, shape (p,).

        One set of permutations serves all drivers; whole sampling units trade their answers.
        """
        self._settle()
        return np.quantile(self._worths.null_gains(np.array(list(self._orders(permutations, seed)))), 0.95, axis=0)

    def slopes(self, level: float, draws: Draws | None = None) -> Slopes:
        """Average marginal effects of +1 point, with design-based standard errors.

        Notes
        -----
        A_j = β_j Σ w k / Σ w, k the derivative of the expected answer (of a logit: p (1 − p)) by the linear predictor.
        Influence of a row: that of the coefficients carried to A, and β_j (k − mean of k) / Σ w. Degrees of freedom: units −
        strata − columns.
        """
        self._settle()
        moved = self._influence()
        t, beta = self.data.thresholds, self.parameters[self.data.thresholds :]
        steepness, mean, by_parameter = self._steepness()
        scale = 1 / self.data.spread
        own = moved[:, t:] * mean + np.outer(moved @ by_parameter + (steepness - mean) / self.data.w.sum(), beta)
        prepared = self.prepared
        df = max(prepared.df - len(beta), 1.0)
        effect = per_driver(prepared, beta * mean * scale, self._spread(own * scale, df), level)
        odds = per_driver(prepared, beta * scale, self._spread(moved[:, t:] * scale, df), level)
        extra = {"log_odds": odds.estimate, "log_odds_se": odds.se}
        return Slopes(effect.estimate, effect.se, effect.low, effect.high, effect.p_value, effect.base_effective, extra)

    @property
    def parameters(self) -> FloatArray:
        """Thresholds and slopes (of standardised columns) of the full model, shape (T + c,)."""
        return self._worths.fits.parameters[-1]

    def _spread(self, rows: FloatArray, df: float) -> Spread:
        """Covariance of statistics by the influence of each of ``data``'s rows."""
        prepared = self.prepared
        ratio = len(prepared.weights) / prepared.weights.sum()  # ``data`` counts weights as shares of the base
        influence = np.zeros((len(prepared.design.psu), rows.shape[1]))
        influence[prepared.rows[self.data.order]] = rows * ratio
        covariance = prepared.design.covariance(influence)
        variance, base = np.diagonal(covariance), len(rows)
        simple = (self.data.w @ rows**2) * base / max(base - 1, 1)
        return Spread(covariance, base * simple / np.where(variance > 0, variance, np.nan), df)

    def _influence(self) -> FloatArray:
        """Influence of each row on thresholds and slopes, per unit of weight, shape (rows, T + c)."""
        data, t = self.data, self.data.thresholds
        at = state(data, self.parameters[None])
        score = np.zeros((len(data.w), len(self.parameters)))
        score[:, t:] = at.slope * data.x
        for k in range(t):
            score[data.rows_of(k), k] += at.above[data.rows_of(k), 0]
            score[data.rows_of(k + 1), k] -= at.below[data.rows_of(k + 1), 0]
        for gap in range(t - 1):
            score[data.rows_of(gap + 1), gap + 1] += at.gaps[0, gap]
            score[data.rows_of(gap + 1), gap] -= at.gaps[0, gap]
        return np.linalg.solve(derivatives(data, at)[1][0], score.T).T

    def _steepness(self) -> tuple[FloatArray, float, FloatArray]:
        """Derivative of the expected answer by the linear predictor: of rows, its mean, and the mean's by all parameters."""
        data, t = self.data, self.data.thresholds
        above = expit((data.x @ self.parameters[t:])[:, None] - self.parameters[:t])
        steps = self._steps()
        each = above * (1 - above) * steps
        bent = each * (1 - 2 * above)
        share = data.w / data.w.sum()
        return (
            each.sum(axis=1),
            float(share @ each.sum(axis=1)),
            np.concatenate([-share @ bent, (share * bent.sum(axis=1)) @ data.x]),
        )

    def _steps(self) -> FloatArray:
        """What passing each threshold adds to the expected answer, shape (T,)."""
        return np.diff(self.data.codes)

    def _orders(self, permutations: int, seed: int) -> Iterator[np.ndarray]:
        """Permutations of the answers, in the order of ``data``'s rows."""
        place = np.argsort(self.data.order)
        for order in self.prepared.sample.permutations(permutations, np.random.default_rng([seed, 1])):
            yield place[order[self.data.order]]

    def _check(self) -> None:
        prepared = self.prepared
        holes = int((~np.isfinite(prepared.columns)).any(axis=1).sum())
        if holes:
            raise SurveyError(
                f"missing is {prepared.missing!r}, which leaves {holes:,} of {len(prepared.columns):,} rows incomplete; "
                f"model={self.name!r} needs complete rows: use missing='listwise' or missing='dummy'."
            )
        players = len(prepared.drivers)
        if players > self.most and self.method != "relative_weights":
            others = " or method='relative_weights'" if "relative_weights" in self.methods else ""
            raise SurveyError(
                f"drivers holds {players} drivers; {self.method!r} with model={self.name!r} fits all {2**players:,} subsets and is "
                f"limited to {self.most}: name fewer drivers, or use model='linear'{others}."
            )
        if self.method != "relative_weights":
            self._check_work(len(prepared.weights), players)

    def _check_work(self, rows: int, players: int) -> None:
        """Say beforehand what takes minutes; refuse what takes the better part of an hour."""
        work, other = rows * 2**players, "method='relative_weights', " if "relative_weights" in self.methods else ""
        if work <= _LONG:
            return
        fits = int(np.log2(_TOO_LONG / rows)) if rows < _TOO_LONG else 0
        said = f"model={self.name!r} fits all {2**players:,} subsets of {players} drivers to {rows:,} respondents"
        if work > _TOO_LONG:
            raise SurveyError(
                f"drivers: {said}, {work / 1e6:,.0f} million rows × subsets; more than {_TOO_LONG / 1e6:,.0f} million are refused: "
                f"name at most {max(fits, 1)} drivers, use {other}model='linear', or draw fewer respondents."
            )
        warnings.warn(
            f"drivers: {said}; that takes about {max(work * _SECONDS / 60, 1):.0f} minutes of one core, replicates and null lines "
            f"included: fewer drivers, {other}or model='linear' take seconds.",
            SlowWarning,
            stacklevel=7,
        )

    def _settle(self) -> None:
        """Refuse fits without a maximum."""
        fits = self._worths.fits
        if fits.endless.any():
            first = int(np.flatnonzero(fits.endless)[0])
            named = [
                self.prepared.drivers[j] for j in np.flatnonzero(self._worths.member[first])
            ] or self.prepared.always
            listed = ", ".join(map(repr, named))
            together = "" if len(named) == 1 else " together"
            raise SurveyError(
                f"outcome {self.prepared.outcome!r} is separated by {listed}{together}: some of its answers go with one class "
                f"only, so that fitted odds grow without end; leave {'it' if len(named) == 1 else 'one'} out, merge answers, "
                "or use model='linear'."
            )

    def _check_classes(self, multipliers: FloatArray) -> None:
        weight = np.add.reduceat(multipliers * self.data.w, self.data.bounds[:-1], axis=1)
        bad = int((weight <= 0).any(axis=1).sum())
        if bad:
            raise SurveyError(
                f"{bad} of {len(weight)} replicates have nobody with one of the {len(self.data.codes)} answers of "
                f"{self.prepared.outcome!r}: the base of {len(self.data.w)} is too small for intervals; merge answers, widen the "
                "filter, or use replicates=0."
            )


class Logit(CumulativeLogit):
    """Importances are parts of McFadden's R², Tjur's D or the squared correlation of outcome and fitted probability."""

    name: ClassVar[str] = "logit"
    methods: ClassVar[Mapping[str, type[Subsets]]] = {
        "shapley": Subsets, "tjur": TjurSubsets, "relative_weights": RelativeWeights, "johnson": RelativeWeights,
    }  # fmt: skip
    most: ClassVar[int] = 15

    def __init__(self, prepared: Prepared, method: str) -> None:
        super().__init__(prepared, "relative_weights" if method == "johnson" else method)

    def fit(self) -> Mapping[str, float]:
        """McFadden's R², Tjur's D, base rate, area under the ROC curve; ``r2`` is the one that the method shares out."""
        data = self.data
        events = np.arange(len(data.w)) >= data.bounds[1]
        fitted = expit(data.x @ self.parameters[1:] - self.parameters[0])
        rate = float(data.w @ events / data.w.sum())
        mcfadden = 1 - float(self._worths.fits.loglik[-1]) / data.null_loglik()
        means = [np.average(fitted[mine], weights=data.w[mine]) for mine in (events, ~events)]
        centred = fitted - np.average(fitted, weights=data.w)
        squared = float((data.w @ (centred * events)) ** 2 / (data.w @ centred**2) / (data.w.sum() * rate * (1 - rate)))
        tjur = float(means[0] - means[1])
        r2 = {"shapley": mcfadden, "tjur": tjur, "relative_weights": squared}[self.method]
        return {"r2": r2, "mcfadden": mcfadden, "tjur": tjur, "base_rate": rate, "auc": _auc(fitted, events, data.w),
                "unsettled": float((~self._worths.fits.settled).sum())}  # fmt: skip

    def _steps(self) -> FloatArray:
        return np.ones(1)

    def _check(self) -> None:
        super()._check()
        counts = np.diff(self.data.bounds)
        outcome, base = self.prepared.outcome, len(self.data.w)
        if counts.min() < _LEAST_EVENTS:
            raise SurveyError(
                f"outcome {outcome!r} has {counts[1]:,} of {base:,} respondents in the event and {counts[0]:,} outside it; a logit "
                f"needs at least {_LEAST_EVENTS} of each: widen the filter, or take a class of answers that more respondents chose."
            )
        columns = self.data.x.shape[1]
        if counts.min() < _EVENTS_PER_COLUMN * columns:
            warnings.warn(
                f"outcome {outcome!r}: {counts.min():,} respondents in the smaller class for {columns} columns; under "
                f"{_EVENTS_PER_COLUMN} per column effects are exaggerated and intervals rough.",
                SmallBaseWarning,
                stacklevel=7,
            )


def _auc(score: FloatArray, events: np.ndarray, weights: FloatArray) -> float:
    """Chance that an event has a higher score than another row, ties counting half."""
    _, place = np.unique(score, return_inverse=True)
    yes = np.bincount(place, weights * events)
    no = np.bincount(place, weights * ~events)
    return float(yes @ (np.cumsum(no) - no / 2) / (yes.sum() * no.sum()))
