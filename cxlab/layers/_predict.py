"""Prediction: does a path model foretell answers of respondents that it has not seen?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.contrasts import p_values
from cxlab.design import kish_base, t_quantile, weighted_means
from cxlab.errors import SurveyError, one_of
from cxlab.layers._kernel import Kernel
from cxlab.layers._predict_result import FORMATS, HEADINGS, PredictionResult, notes
from cxlab.moments import replicate_moments
from cxlab.result import Base, reliability

if TYPE_CHECKING:
    from cxlab.layers._result import PathModelResult

FloatArray = np.ndarray[Any, np.dtype[Any]]
ANTECEDENTS = ("direct", "earliest")
RIVALS = ("model", "linear", "mean")
_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Target:
    """A caused construct: its place, its items, and the items that plain regression predicts these from."""

    place: int
    items: np.ndarray
    inputs: np.ndarray


def predict(result: PathModelResult, folds: int, repetitions: int, antecedents: str, seed: int) -> PredictionResult:
    """See :meth:`cxlab.layers.PathModelResult.predict`."""
    kernel = _kernel(result)
    sample = kernel.prepared.sample
    units = int(sample.unit.max()) + 1
    _check(folds, repetitions, antecedents, units)
    targets = _targets(kernel, antecedents)
    dealt = list(_dealt(kernel, folds, repetitions, seed))
    squared, absolute = _errors(kernel, targets, dealt, antecedents)
    effective = kish_base(sample.weights)
    table = item_table(kernel, targets, squared, absolute)
    call = (
        f"{result.call.split('  #')[0]}.predict(folds={folds}, repetitions={repetitions}, antecedents={antecedents!r}, "
        f"seed={seed})"
    )
    return PredictionResult(
        table.assign(base=len(sample.rows), base_effective=effective, reliability=str(reliability(effective))),
        Base(len(sample.rows), effective, result.base.excluded, result.base.excluded_share),
        (*notes(antecedents, folds, repetitions), *kernel.prepared.notes),
        {**result.labels, **HEADINGS}, call,
        {"en": "Prediction of answers that the model has not seen", "zh": "对模型未见过的答案的预测"}, FORMATS, result.level,
        constructs=test_table(kernel, targets, squared, result.level), folds=folds, repetitions=repetitions, antecedents=antecedents,
    )  # fmt: skip


def _kernel(result: PathModelResult) -> Kernel:
    """The kernel of a model whose answers can be predicted."""
    kernel = result.kernel
    if kernel is None:
        raise SurveyError("predict: the result holds no model; make it with cx.path_model.")
    found = {
        "has products of constructs": bool(kernel.products),
        "has constructs of higher order, for which no way of predicting is agreed on": kernel.plan.first is not None,
        "is corrected for reliability (method='plsc'), while predictions are made from scores": kernel.consistent,
        f"rests on missing={kernel.prepared.missing!r}, while predictions need complete rows": kernel.prepared.missing != "listwise",
    }  # fmt: skip
    faults = [said for said, is_so in found.items() if is_so]
    if faults:
        raise SurveyError(f"predict: the model {' and '.join(faults)}; estimate it without that to predict with it.")
    return kernel


def _check(folds: int, repetitions: int, antecedents: str, units: int) -> None:
    if antecedents not in ANTECEDENTS:
        raise one_of("antecedents", antecedents, ANTECEDENTS)
    if not 2 <= folds <= units:
        raise SurveyError(f"folds is {folds}; 2 to {units:,} (the sampling units) can be left out in turn, usually 10.")
    if repetitions < 1:
        raise SurveyError(f"repetitions is {repetitions}; the folds are dealt at least once.")


def _targets(kernel: Kernel, antecedents: str) -> list[Target]:
    """The caused constructs."""
    structure, columns = kernel.plan.structure, kernel.plan.columns
    first = ~structure.paths.any(axis=0)
    out = []
    for j in np.flatnonzero(~first):
        causes = np.flatnonzero(structure.paths[:, j] if antecedents == "direct" else first)
        inputs = np.concatenate([columns[structure.blocks[i]] for i in causes])
        out.append(Target(int(j), columns[structure.blocks[j]], inputs))
    return out


def _dealt(kernel: Kernel, folds: int, repetitions: int, seed: int) -> Iterator[np.ndarray]:
    """Fold of every sampling unit, dealt in turn within strata, for each repetition."""
    sample = kernel.prepared.sample
    units = int(sample.unit.max()) + 1
    stratum = np.zeros(units, dtype=np.intp)
    stratum[sample.unit] = sample.stratum
    rng = np.random.default_rng([seed, 17])
    for _ in range(repetitions):
        fold = np.empty(units, dtype=np.intp)
        fold[np.lexsort((rng.random(units), stratum))] = np.arange(units) % folds
        yield fold


# ------------------------------------------------------------------------------ errors of prediction
def _errors(
    kernel: Kernel, targets: list[Target], dealt: list[np.ndarray], antecedents: str
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Squared and absolute errors of every row and item, by rival, means over the repetitions; items in the order of targets."""
    sample = kernel.prepared.sample
    shape = (len(sample.columns), sum(len(t.items) for t in targets))
    squared = {rival: np.zeros(shape) for rival in RIVALS}
    absolute = {rival: np.zeros(shape) for rival in RIVALS}
    for fold in dealt:
        for rows, errors in _left_out(kernel, targets, fold, antecedents):
            for rival, error in errors.items():
                squared[rival][rows] += error**2 / len(dealt)
                absolute[rival][rows] += np.abs(error) / len(dealt)
    return squared, absolute


def _left_out(
    kernel: Kernel, targets: list[Target], fold: np.ndarray, antecedents: str
) -> Iterator[tuple[np.ndarray, dict[str, FloatArray]]]:
    """Rows of each fold, and the errors of predicting their answers from the other folds."""
    sample, x = kernel.prepared.sample, kernel.prepared.columns
    folds = int(fold.max()) + 1
    kept = (fold[None, :] != np.arange(folds)[:, None]).astype(float)
    moments = replicate_moments(x, sample.weights, kept, sample.unit, x.mean(axis=0))
    means, covariances = moments.mean(), moments.covariance()
    found = kernel.under([(means, covariances, None)], _TOLERANCE)
    if not found.converged.all():
        raise SurveyError(
            f"predict: without {int((~found.converged).sum())} of {folds} folds the model has no solution; take more folds, or simplify it."
        )
    at = np.concatenate([t.items for t in targets])
    for k in range(folds):
        rows = np.flatnonzero(fold[sample.unit] == k)
        spread = np.sqrt(np.diagonal(covariances[k]))
        away = x[rows] - means[k]
        scores = _foretold(away / spread @ found.outer[k], found.paths[k], antecedents)
        by_model = [scores[:, [t.place]] * _loadings(kernel, found.loadings[k], t) * spread[t.items] for t in targets]
        by_line = [away[:, t.inputs] @ _slopes(covariances[k], t) for t in targets]
        actual = away[:, at]
        yield rows, {"model": actual - np.hstack(by_model), "linear": actual - np.hstack(by_line), "mean": actual}


def _loadings(kernel: Kernel, loadings: FloatArray, target: Target) -> FloatArray:
    return np.asarray(loadings[kernel.plan.structure.blocks[target.place], target.place])


def _slopes(covariance: FloatArray, target: Target) -> FloatArray:
    """Regression of a construct's items on the items of its causes, shape (inputs, items)."""
    inside, across = covariance[np.ix_(target.inputs, target.inputs)], covariance[np.ix_(target.inputs, target.items)]
    return np.asarray(np.linalg.lstsq(inside, across, rcond=1e-12)[0])


def _foretold(scores: FloatArray, paths: FloatArray, antecedents: str) -> FloatArray:
    """Scores of caused constructs, shape (rows, m), from the observed ones of their causes, or of the first causes alone."""
    if antecedents == "direct":
        return np.asarray(scores @ paths)
    out = scores.copy()
    for j in np.flatnonzero((paths != 0).any(axis=0)):  # causes stand before what they cause
        out[:, j] = out @ paths[:, j]
    return out


# ------------------------------------------------------------------------------ tables
def item_table(
    kernel: Kernel, targets: list[Target], squared: Mapping[str, FloatArray], absolute: Mapping[str, FloatArray]
) -> pd.DataFrame:
    """One row per predicted item; errors in points of its own scale."""
    at = np.concatenate([t.items for t in targets])
    scale = (kernel.prepared.scales[at, 1] - kernel.prepared.scales[at, 0]) / 100
    share = kernel.prepared.sample.weights / kernel.prepared.sample.weights.sum()
    loss = {rival: share @ squared[rival] for rival in RIVALS}
    size = {rival: share @ absolute[rival] * scale for rival in RIVALS}
    names = [kernel.names[t.place] for t in targets for _ in t.items]
    return pd.DataFrame({
        "construct": names, "item": [kernel.prepared.model.items[i] for i in at],
        "q_squared": 1 - loss["model"] / loss["mean"], "q_squared_linear": 1 - loss["linear"] / loss["mean"],
        "rmse": np.sqrt(loss["model"]) * scale, "rmse_linear": np.sqrt(loss["linear"]) * scale,
        "rmse_mean": np.sqrt(loss["mean"]) * scale, "mae": size["model"], "mae_linear": size["linear"],
    })  # fmt: skip


def test_table(kernel: Kernel, targets: list[Target], squared: Mapping[str, FloatArray], level: float) -> pd.DataFrame:
    """Tests of the mean squared error against that of each rival: per construct, and over all items.

    Items count alike: each is standardised. The difference of losses is a mean over respondents with the design's
    standard error (the cross-validated predictive ability test).
    """
    prepared = kernel.prepared
    design, rows = prepared.sample.design, prepared.sample.rows
    at = np.concatenate([t.items for t in targets])
    variance = np.diagonal(prepared.source.covariance())[at]
    places = np.cumsum([0, *(len(t.items) for t in targets)])
    spans = {kernel.names[t.place]: slice(a, b) for t, a, b in zip(targets, places[:-1], places[1:], strict=True)}
    cells = [
        (name, span, rival) for name, span in [*spans.items(), ("all", slice(None))] for rival in ("linear", "mean")
    ]
    losses = {rival: squared[rival] / variance for rival in RIVALS}
    values = np.full((len(design.psu), len(cells)), np.nan)
    for k, (_, span, rival) in enumerate(cells):
        values[rows, k] = (losses["model"][:, span] - losses[rival][:, span]).mean(axis=1)
    found = weighted_means(design, values)
    estimate, se = found.estimate, found.se
    reach = t_quantile(level, prepared.sample.df) * se
    share = prepared.sample.weights / prepared.sample.weights.sum()
    own = [float(share @ losses["model"][:, span].mean(axis=1)) for _, span, _ in cells]
    return pd.DataFrame({
        "construct": [name for name, _, _ in cells], "rival": [rival for _, _, rival in cells], "loss": own,
        "loss_rival": np.array(own) - estimate, "estimate": estimate, "se": se, "low": estimate - reach,
        "high": estimate + reach, "p_value": p_values(estimate, se, prepared.sample.df),
    })  # fmt: skip
