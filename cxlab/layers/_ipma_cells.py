"""Cells: total effects, weights and means of everybody or of each segment, under replicate weights that all share."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxlab.design import kish_base
from cxlab.errors import DataWarning, SmallBaseWarning, SurveyError, one_of
from cxlab.layers._estimate import index_scales
from cxlab.layers._intervals import FEW_UNITS, Intervals
from cxlab.layers._kernel import Estimates, Kernel
from cxlab.layers._prepare import Prepared
from cxlab.metrics import Cells, cells, unplaced
from cxlab.result import SUPPRESSED_BASE, reliability
from cxlab.scenarios import tabulate
from cxlab.survey import Survey
from cxlab.words import Note

if TYPE_CHECKING:
    from cxlab.layers._result import PathModelResult

FloatArray = np.ndarray[Any, np.dtype[Any]]
MODEL_OF = ("all", "group")
_SOUND = 0.9  # share of replicates with a solution under which a group's own model has no intervals


@dataclass(frozen=True, eq=False)
class Cell:
    """Everybody, or one segment; the first of all sets of weights is the sample's own, the others are replicates.

    Attributes
    ----------
    key : mapping
        ``{}``, ``{"segment": code}`` or ``{"wave": code}``.
    rows : bool array, shape (rows of the sample,)
    base : int
    effective, df : float
    total : array, shape (sets, m, m)
        Total effects on the 0–100 indices, 1 on the diagonal.
    share : array, shape (sets, items, m)
        Weights with which items make up an index, summing to 1.
    means : array, shape (sets, items)
        Of the items on 0–100.
    """

    key: Mapping[str, Any]
    rows: np.ndarray
    base: int
    effective: float
    df: float
    total: FloatArray
    share: FloatArray
    means: FloatArray

    @property
    def index(self) -> FloatArray:
        """Means of the indices, shape (sets, m)."""
        return np.einsum("bk,bkm->bm", self.means, self.share)

    @property
    def reliability(self) -> str:
        """Grade of the base; suppressed as well where there is no model."""
        known = np.isfinite(self.total[0]).all() and np.isfinite(self.means[0]).all()
        return str(reliability(self.effective)) if known else "suppressed"


@dataclass(frozen=True, eq=False)
class Ground:
    """What importance, performance and what-ifs rest on.

    Attributes
    ----------
    prepared : Prepared
    names : tuple of str, length m
        Constructs of the last stage.
    cells : list of Cell
    paths : bool array, shape (m, m)
    options : mapping
        ``interval, level, consistent, scheme, model_of, by, seed``.
    converged : bool array, shape (replicates,)
        Replicates that are used.
    notes : tuple of mapping
        On the segments.
    labels : mapping
        Of segments and their codes.
    """

    prepared: Prepared
    names: tuple[str, ...]
    cells: list[Cell]
    paths: np.ndarray
    options: Mapping[str, Any]
    converged: np.ndarray
    notes: tuple[Mapping[str, str], ...] = ()
    labels: Mapping[Any, Mapping[str, str]] = field(default_factory=dict)

    @property
    def items(self) -> tuple[str, ...]:
        """Items of the model, in order."""
        return self.prepared.model.items

    @property
    def survey(self) -> Survey:
        """Where the answers came from."""
        if self.prepared.survey is None:
            raise SurveyError("the model was prepared without its survey; make it with cx.path_model.")
        return self.prepared.survey

    @property
    def key(self) -> str | None:
        """Column that names the segment: ``segment``, ``wave``, or None."""
        return next(iter(self.cells[0].key), None)

    def reached(self, start: int) -> np.ndarray:
        """Constructs that a route leads to from another, itself left out, bool of shape (m,)."""
        out = self.paths[start].copy()
        for _ in self.names:
            out |= self.paths[out].any(axis=0)
        return out

    def causes(self, target: int) -> list[int]:
        """Constructs from which a route leads to the target."""
        return [j for j in range(len(self.names)) if self.reached(j)[target]]

    def intervals(self, cell: Cell) -> Intervals:
        """How intervals are made for a cell: t where its units are few."""
        kind = "t" if cell.df < FEW_UNITS and cell.key else self.options["interval"]
        return Intervals(None, "t" if kind == "t" else "percentile", cell.df, self.options["level"])


def ground(result: PathModelResult, by: str | None = None, model_of: str = "all") -> Ground:
    """Gather what a path model says of everybody or of each segment.

    Raises
    ------
    SurveyError
        For a result without an estimated model, a model with products, an unknown segment column or ``model_of``.
    """
    kernel = result.kernel
    if kernel is None or kernel.prepared.survey is None:
        raise SurveyError(
            "a map of importance goes on from a result of cx.path_model; this one holds no estimated model."
        )
    if model_of not in MODEL_OF:
        raise one_of("model_of", model_of, MODEL_OF)
    if kernel.products:
        raise SurveyError(
            f"model has {len(kernel.products)} products of constructs ({', '.join(kernel.products)}); what one point brings then depends "
            "on the level of the moderator, and there is no single importance: leave the products out."
        )
    _check_indices(kernel)
    prepared, survey = kernel.prepared, kernel.prepared.survey
    if by is not None and not isinstance(by, str):
        raise SurveyError(f"by is {by!r}; name one column.")
    if by is not None and model_of == "group" and survey.column_of(by) in prepared.model.items:
        raise SurveyError(
            f"by is {by!r}, an indicator of the model; within a segment it does not vary, so no segment can have a model of its own: "
            "use model_of='all', or name another column."
        )
    groups = cells(survey, by)
    whole = _both(kernel.sample, result.draws)
    options = {"interval": result.interval, "level": result.level, "consistent": kernel.consistent, "by": by, "seed": result.seed,
               "scheme": kernel.scheme, "model_of": model_of if by else "all"}  # fmt: skip
    inside, notes = groups.inside[prepared.sample.rows], unplaced(survey, groups)
    if by is None:
        own, converged = [_cell({}, np.ones(len(inside), dtype=bool), prepared, whole)], _converged(result, kernel)
    elif model_of == "all":
        own, converged = _pooled(result, kernel, (groups, inside), whole)
    else:
        own, converged, alike = _own(result, kernel, (groups, inside), whole)
        notes += alike
    if by is not None:
        _warn(by, own, groups.labels)
    return Ground(prepared, kernel.names, own, kernel.plan.structure.paths, options, converged, notes, groups.labels)


def _check_indices(kernel: Kernel) -> None:
    """Refuse constructs that are no mean of their items: there is no 0–100 scale on which they could perform."""
    sample = kernel.sample
    if not np.isfinite(sample.paths).all():
        return
    none = [n for n, value in zip(kernel.names, sample.index[0], strict=True) if np.isnan(value)]
    if none:
        raise SurveyError(
            f"model: {len(none)} of {len(kernel.names)} constructs have no index, as their items count against one another: "
            f"{', '.join(map(repr, none))}; turn items whose less is better (higher_is_better: false), or leave some out."
        )


Parts = tuple[FloatArray, ...]  # total effects, shares, means


def _pooled(
    result: PathModelResult, kernel: Kernel, groups: tuple[Cells, np.ndarray], whole: Parts
) -> tuple[list[Cell], np.ndarray]:
    """Segments with the model of everybody and their own answers."""
    held, inside = groups
    prepared, converged = kernel.prepared, _converged(result, kernel)
    if prepared.missing == "listwise":
        means = _all_means(prepared, inside, result, converged)
    else:
        means = [_means(_within(prepared, rows), result, converged, whole[2]) for rows in inside.T]
    cells_ = zip(held.keys, inside.T, means, strict=True)
    return [_cell(key, rows, prepared, (*whole[:2], m)) for key, rows, m in cells_], converged


def _own(
    result: PathModelResult, kernel: Kernel, groups: tuple[Cells, np.ndarray], whole: Parts
) -> tuple[list[Cell], np.ndarray, tuple[Mapping[str, str], ...]]:
    """Segments with models of their own, and whether these are composed alike."""
    from cxlab.layers._ipma_alike import alike_notes

    held, inside = groups
    parts = [_within(kernel.prepared, rows) for rows in inside.T]
    found = [None if part is None else _fitted(kernel, part, result) for part in parts]
    tested = [(key, rows, *f) for key, rows, f in zip(held.keys, inside.T, found, strict=True) if f is not None]
    numbers, converged = _shared(found, result.replicates)
    empty = tuple(np.full((1 + int(converged.sum()), *w.shape[1:]), np.nan) for w in whole)
    own = [
        _cell(key, rows, kernel.prepared, empty if n is None else n)
        for key, rows, n in zip(held.keys, inside.T, numbers, strict=True)
    ]
    return own, converged, alike_notes(result, tested)


def _within(prepared: Prepared, rows: np.ndarray) -> Prepared | None:
    """The model on a segment's rows; None where it cannot be prepared."""
    if not rows.any():
        return None
    try:
        return prepared.within(rows)
    except (SurveyError, np.linalg.LinAlgError):
        return None


def _both(sample: Estimates, draws: Estimates | None) -> Parts:
    """Total effects, shares and means: the sample's own, then those of the replicates."""
    found = [sample] if draws is None else [sample, draws]
    total = np.concatenate([e.total_impacts for e in found]) + np.eye(sample.impacts.shape[-1])
    shares = [e.outer / e.spread[:, :, None] / index_scales(e.outer, e.spread)[:, None] for e in found]
    return total, np.concatenate(shares), np.concatenate([e.means for e in found])


def _cell(key: Mapping[str, Any], rows: np.ndarray, prepared: Prepared, numbers: Parts) -> Cell:
    sample = prepared.sample
    df = replace(sample, columns=sample.columns[rows], weights=sample.weights[rows], rows=sample.rows[rows]).df
    base = int(rows.sum())
    effective = min(base, kish_base(sample.weights[rows])) if base else 0.0
    return Cell(key, rows, base, effective, df, *numbers)


# ------------------------------------------------------------------------------ everybody's model, a segment's answers
def _converged(result: PathModelResult, kernel: Kernel) -> np.ndarray:
    """Which of the replicates have a solution, bool of shape (replicates,)."""
    if result.draws is None:  # of a sample without a solution replicates say nothing
        return np.zeros(result.replicates, dtype=bool)
    if not result.failed:
        return np.ones(result.replicates, dtype=bool)
    return kernel.replicates(result.replicates, result.seed).converged


def _all_means(
    prepared: Prepared, inside: np.ndarray, result: PathModelResult, converged: np.ndarray
) -> list[FloatArray]:
    """Means of the items of all segments from one pass over the replicates."""
    sample, count, k = prepared.sample, inside.shape[1], prepared.columns.shape[1]
    rows = np.flatnonzero(inside.any(axis=1))
    own, weights = inside[rows].argmax(axis=1), sample.weights[rows]
    values = np.column_stack([np.ones(len(rows)), sample.columns[rows]])  # the first column counts the weight
    place = (np.arange(k + 1) * count + own[:, None]).ravel()
    blocks = [(np.ones((1, len(sample.rows))), np.arange(len(sample.rows)))]
    if result.replicates:
        blocks += list(sample.design.bootstrap(result.replicates, result.seed, sample.rows))
    sums = np.concatenate([
        tabulate((weights[:, None] * values).ravel(), place, (k + 1) * count, m, np.repeat(piece[rows], k + 1)) for m, piece in blocks
    ])[np.concatenate([[True], converged])].reshape(-1, k + 1, count)  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):  # a replicate may hold nobody of a small segment
        means = sums[:, 1:] / sums[:, :1]
    return [means[:, :, g] for g in range(count)]


def _means(part: Prepared | None, result: PathModelResult, converged: np.ndarray, like: FloatArray) -> FloatArray:
    """Means of a segment's items under the replicate weights of the model."""
    if part is None:
        return np.full_like(like, np.nan)
    try:
        found = [part.source.mean()[None]]
        with np.errstate(divide="ignore", invalid="ignore"):  # a replicate may hold nobody of a small segment
            drawn = [m for m, _ in part.source.replicates(result.replicates, result.seed)] if result.replicates else []
    except (SurveyError, np.linalg.LinAlgError):
        return np.full_like(like, np.nan)
    return np.concatenate([*found, np.concatenate(drawn)[converged]]) if drawn else found[0]


# ------------------------------------------------------------------------------ a segment's own model
def _fitted(kernel: Kernel, part: Prepared, result: PathModelResult) -> tuple[Kernel, Estimates | None] | None:
    """A segment's own model, and its replicates where enough of them have a solution."""
    columns = part.columns
    with np.errstate(invalid="ignore"):
        flat = not (np.nanmax(columns, axis=0) - np.nanmin(columns, axis=0) > 0).all()
    if flat or len(columns) < max(10, len(part.model.items) / 2):
        return None
    own = Kernel(part, kernel.scheme, kernel.consistent)
    if not own.sample.converged[0]:
        return None
    if not result.replicates:
        return own, None
    draws = own.replicates(result.replicates, result.seed)
    return own, draws if draws.converged.mean() >= _SOUND else None


def _shared(found: list[tuple[Kernel, Estimates | None] | None], count: int) -> tuple[list[Parts | None], np.ndarray]:
    """Numbers of every segment under the replicates in which all of them have a solution, and which these are."""
    drawn = [f[1].converged for f in found if f is not None and f[1] is not None]
    sound = np.logical_and.reduce([np.ones(count, dtype=bool), *drawn])
    out: list[Parts | None] = []
    for f in found:
        if f is None:
            out.append(None)
            continue
        kernel, draws = f
        numbers = _both(kernel.sample, draws)
        if draws is None:
            lost = [np.full((int(sound.sum()), *n.shape[1:]), np.nan) for n in numbers]
            out.append(tuple(np.concatenate([n, gap]) for n, gap in zip(numbers, lost, strict=True)))
        else:
            kept = np.concatenate([[True], sound])
            out.append(tuple(n[kept] for n in numbers))
    return out, sound


def _warn(by: str, own: list[Cell], labels: Mapping[Any, Mapping[str, str]]) -> None:
    def said(cell: Cell) -> str:
        kind, code = next(iter(cell.key.items()))
        return f"{labels[kind, code]['en']} {cell.base:,}"

    weak = [c for c in own if reliability(c.effective) != "ok"]
    if weak:
        warnings.warn(
            f"{len(weak)} of {len(own)} groups of {by!r} have an effective base under 75 ({', '.join(map(said, weak))}): under "
            f"{SUPPRESSED_BASE} they are suppressed, the others are read by their intervals.",
            SmallBaseWarning,
            stacklevel=5,
        )
    bare = [c for c in own if c.reliability == "suppressed" and c.effective >= SUPPRESSED_BASE]
    if bare:
        warnings.warn(
            f"{len(bare)} of {len(own)} groups of {by!r} have no solution of their own ({', '.join(map(said, bare))}); use model_of='all'.",
            DataWarning,
            stacklevel=5,
        )


POOLED = {
    "en": "Effects and weights of the items are those of all respondents; answers, room on the scale and base are the segment's, so that the "
    "segments' gains average to the total's.",
    "zh": "影响系数和指标权重取自全体受访者；答案、可提升空间和样本量取自各群体，因此各群体提升的加权平均等于总体提升。",
}
POOLED_INCOMPLETE = {
    "en": "Effects and weights of the items are those of all respondents; answers, room on the scale and base are the segment's. With missing answers estimated within "
    "each segment, the segments' gains average only nearly to the total's.",
    "zh": "影响系数和指标权重取自全体受访者；答案、可提升空间和样本量取自各群体。缺失答案在各群体内分别估计，因此各群体提升的加权平均只近似等于总体提升。",
}
OWN = {
    "en": "Each segment has a model of its own; its importances rest on its own base.",
    "zh": "每个群体单独建模，其重要性只依据该群体自身的样本。",
}


def segment_notes(found: Ground) -> tuple[Mapping[str, str], ...]:
    """Whose model speaks for the segments, and what was found about them."""
    if found.options["by"] is None:
        return ()
    pooled = POOLED if found.prepared.missing == "listwise" else POOLED_INCOMPLETE
    return (Note(OWN if found.options["model_of"] == "group" else pooled), *found.notes)
