"""What-if kernel of a path model: shifted answers, carried along the paths, under many sets of weights at once.

Made once per model; each question is then a few look-ups and sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxlab.design import t_quantile
from cxlab.errors import SurveyError, unknown_names
from cxlab.scenarios import Answers, tabulate

if TYPE_CHECKING:
    from cxlab.layers._ipma_cells import Ground

FloatArray = np.ndarray[Any, np.dtype[Any]]
_VALUES = 201  # different answers that are kept apart; more are rounded to half points of 0–100


@dataclass(frozen=True, eq=False)
class PathScenario:
    """A path model and the answers it rests on, as arrays.

    The first set of weights is the sample's own, the others are replicates; a cell is everybody or a segment.

    Attributes
    ----------
    items, constructs : tuple of str
    segments : tuple
        Code of each cell; ``(None,)`` for everybody.
    answers : sequence of Answers
        Of every item on 0–100 (more is better), shares of shape (cells, sets, m + 1), laid out so that one answer's are side by side.
    carried : array, shape (items, constructs, cells or 1, sets)
        Points of each index that go with one more point of the item's mean.
    index : array, shape (constructs, cells, sets)
        Means of the indices as they are.
    step : array, shape (items,)
        Points of 0–100 in one point of the item's own scale; negative where less is better.
    measures : mapping of construct to int array
        Places of its items.
    quantiles : array, shape (cells,)
        Of t, for intervals from a standard error.
    kinds : tuple of {"percentile", "t"}
        How the interval of each cell is made.
    level : float
    """

    items: tuple[str, ...]
    constructs: tuple[str, ...]
    segments: tuple[Any, ...]
    answers: Sequence[Answers]
    carried: FloatArray
    index: FloatArray
    step: FloatArray
    measures: Mapping[str, np.ndarray]
    quantiles: FloatArray
    kinds: tuple[str, ...]
    level: float

    def points(self, changes: Mapping[str, float]) -> FloatArray:
        """Points of 0–100 that each item is moved by, shape (items,).

        Parameters
        ----------
        changes : mapping
            Item → points of its own scale, or construct → points of 0–100 for each of its items. A name that is both is the item.

        Raises
        ------
        SurveyError
            For a name that is neither.
        """
        out = np.zeros(len(self.items))
        unknown = [n for n in changes if n not in self.items and n not in self.measures]
        if unknown:
            raise unknown_names("changes", unknown, (*self.measures, *self.items), "the model")
        for name, change in changes.items():
            if name in self.items:
                place = self.items.index(name)
                out[place] += change * self.step[place]
            else:
                out[self.measures[name]] += change
        return out

    def effective(self, points: FloatArray, reach: FloatArray | float = 1.0) -> dict[int, FloatArray]:
        """Mean change of every item that is moved, as far as the scale allows: place → array of shape (cells, sets).

        Parameters
        ----------
        points : array, shape (items,)
        reach : float, or array of shape (items,)
            Share of the respondents, drawn at random, whom the change reaches.
        """
        share = np.broadcast_to(reach, len(self.items))
        return {j: share[j] * self.answers[j].shift(float(points[j])) for j in np.flatnonzero(points).tolist()}

    def gain(self, points: FloatArray, reach: FloatArray | float = 1.0, target: str | None = None) -> FloatArray:
        """Change of the means of the indices.

        Parameters
        ----------
        points : array, shape (items,)
            See :meth:`points`.
        reach : float, or array of shape (items,)
        target : str, optional
            One construct only.

        Returns
        -------
        array, shape (constructs, cells, sets), or (cells, sets) of a target

        Notes
        -----
        Σ_k mean(clip(x_k + δ_k, 0, 100) − x_k) · Σ_j share_kj · T_jt, with T the total effects (1 from a construct to itself).
        """
        carried = self.carried if target is None else self.carried[:, self.constructs.index(target)]
        out = np.zeros((*carried.shape[1:-2], *self.index.shape[1:]))
        for j, moved in self.effective(points, reach).items():
            out += carried[j] * moved
        return out

    def ends(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Interval of quantities of shape (cells, sets), each end of shape (cells,); NaN without replicates."""
        nothing = np.full(len(values), np.nan)
        low, high = nothing, nothing.copy()
        if values.shape[1] < 3:
            return low, high
        for k, kind in enumerate(self.kinds):
            estimate, draws = values[k, 0], values[k, 1:]
            if kind == "t":
                half = self.quantiles[k] * draws.std(ddof=1)
                low[k], high[k] = estimate - half, estimate + half
            elif np.isfinite(draws).all():
                low[k], high[k] = _percentiles(draws, self.level)
        return low, high


def _percentiles(draws: FloatArray, level: float) -> tuple[float, float]:
    """Both ends as numpy.quantile gives them, from one partial sort."""
    spots = (len(draws) - 1) * np.array([0.5 - level / 2, 0.5 + level / 2])
    below = np.floor(spots).astype(int)
    above = np.minimum(below + 1, len(draws) - 1)
    ordered = np.partition(draws, [*below, *above])
    found = ordered[below] + (spots - below) * (ordered[above] - ordered[below])
    return float(found[0]), float(found[1])


def scenario(found: Ground) -> PathScenario:
    """Tabulate the answers of every cell under every set of weights, and what each item carries along.

    Raises
    ------
    SurveyError
        If no segment has a model.
    """
    prepared, survey = found.prepared, found.survey
    pooled = found.options["model_of"] == "all"
    some = found.cells[:1] if pooled else found.cells
    carried = np.stack([np.ascontiguousarray(np.moveaxis(c.share @ c.total, 0, -1)) for c in some], axis=2)
    ends = prepared.scales
    turn = np.array([survey.higher_is_better(i) or len(survey.items_of(i)) > 1 for i in found.items])
    step = np.where(turn, 1, -1) * 100 / np.maximum(ends[:, 1] - ends[:, 0], 1e-300)
    outer = next(
        (c.share[0] for c in found.cells if np.isfinite(c.share[0]).all() and np.isfinite(c.total[0]).all()), None
    )
    if outer is None:
        by = found.options["by"]
        raise SurveyError(
            "the model has no solution, so no change can be carried along its paths; see the warnings of cx.path_model."
            if by is None or pooled
            else f"by: none of the {len(found.cells)} groups of {by!r} has a model of its own; use model_of='all'."
        )
    intervals = [found.intervals(c) for c in found.cells]
    return PathScenario(
        found.items, found.names, tuple(next(iter(c.key.values()), None) for c in found.cells),
        _answers(found), carried, np.stack([c.index.T for c in found.cells], axis=1), step,
        {n: np.flatnonzero(outer[:, j]) for j, n in enumerate(found.names)}, t_quantile(found.options["level"], np.array([c.df for c in found.cells])),
        tuple(i.kind for i in intervals), found.options["level"],
    )  # fmt: skip


def _answers(found: Ground) -> list[Answers]:
    """Answers of every item, by cell, under every set of weights."""
    sample = found.prepared.sample
    group = np.full(len(sample.rows), -1)
    for k, cell in enumerate(found.cells):
        group[cell.rows] = k
    cells = len(found.cells)
    columns = [_kept_apart(c) for c in sample.columns.T]
    first = np.cumsum([0, *(cells * len(values) for values, _ in columns)])
    inside = [np.flatnonzero((group >= 0) & (code >= 0)) for _, code in columns]
    place = [f + group[i] * len(values) + code[i] for f, i, (values, code) in zip(first, inside, columns, strict=False)]
    rows, at = np.concatenate(inside), np.concatenate(place)
    blocks = [(np.ones((1, len(sample.rows))), np.arange(len(sample.rows)))]
    if len(found.converged):
        blocks += list(sample.design.bootstrap(len(found.converged), found.options["seed"], sample.rows))
    weight = np.concatenate([tabulate(sample.weights[rows], at, int(first[-1]), m, piece[rows]) for m, piece in blocks])
    weight = weight[np.concatenate([[True], found.converged])]
    out = []
    for start, end, (values, _) in zip(first, first[1:], columns, strict=False):
        own = weight[:, start:end].reshape(len(weight), cells, len(values)).swapaxes(0, 1)
        out.append(_side_by_side(Answers.of(values, own, 0.0, 100.0)))
    return out


def _side_by_side(answers: Answers) -> Answers:
    """The same with the last axis slowest, so that a look-up reads neighbours."""
    share, up, down = (
        np.moveaxis(np.ascontiguousarray(np.moveaxis(a, -1, 0)), 0, -1)
        for a in (answers.share, answers.up, answers.down)
    )
    return replace(answers, share=share, up=up, down=down)


def _kept_apart(column: FloatArray) -> tuple[FloatArray, np.ndarray]:
    """Different answers, and which of them each row gave, −1 for none."""
    values, code = np.unique(column[np.isfinite(column)], return_inverse=True)
    if len(values) > _VALUES:
        values, code = np.unique(np.round(2 * column[np.isfinite(column)]) / 2, return_inverse=True)
    out = np.full(len(column), -1)
    out[np.isfinite(column)] = code
    return values, out
