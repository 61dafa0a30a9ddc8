"""Moving: the study's model on means and covariances that are there already, such as those of a moment cube."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, cast

import numpy as np
import pandas as pd

from cxlab import pls
from cxlab.covariances import Sample, Source, unmet
from cxlab.errors import SurveyError
from cxlab.items import in_order
from cxlab.layers._admissible import inadmissible, problems, said
from cxlab.layers._choose import chosen_model, construct_labels
from cxlab.layers._estimate import index_scales
from cxlab.layers._kernel import Estimates, Kernel
from cxlab.layers._model import PathModel
from cxlab.layers._paths import check_solution
from cxlab.layers._prepare import Prepared, check_items
from cxlab.metrics import names as wordings
from cxlab.survey import Survey
from cxlab.words import Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
_AT_REST = 1e-6  # largest change of a weight at which a replicate is done


class Replicated(Protocol):
    """Means and covariances of items in their own codes, and their replicates."""

    @property
    def mean(self) -> FloatArray:
        """Shape (items,)."""

    @property
    def covariance(self) -> FloatArray:
        """Shape (items, items)."""

    @property
    def means(self) -> FloatArray:
        """Shape (replicates, items)."""

    @property
    def replicates(self) -> FloatArray:
        """Shape (replicates, items, items)."""


class _Held:
    """Moments where a model expects a source of them."""

    def __init__(self, mean: FloatArray, covariance: FloatArray) -> None:
        self._mean, self._covariance = mean, covariance

    def mean(self) -> FloatArray:
        return self._mean

    def covariance(self) -> FloatArray:
        return self._covariance


@dataclass(frozen=True, eq=False)
class Moved:
    """The model on some moments.

    Attributes
    ----------
    kernel : Kernel
    draws : Estimates
        Under the replicates of the moments, in their order, those without a solution included.
    line : (start, slope), arrays of shape (items,)
        Items on 0–100 are start + slope × code.
    """

    kernel: Kernel
    draws: Estimates
    line: tuple[FloatArray, FloatArray]

    def on_hundred(self, codes: FloatArray) -> FloatArray:
        """Means of the items on 0–100 from those of their codes, shape (…, items)."""
        return np.asarray(self.line[0] + self.line[1] * codes)

    @property
    def sample(self) -> Estimates:
        """On the moments themselves, a batch of 1."""
        return self.kernel.sample

    @property
    def names(self) -> tuple[str, ...]:
        """Constructs, in order."""
        return self.kernel.names

    @property
    def paths(self) -> np.ndarray:
        """Which construct leads to which, bool of shape (m, m)."""
        return self.kernel.plan.structure.paths


@dataclass(frozen=True, eq=False)
class Answered:
    """Counts of who could answer the items of a model, by the columns that filters choose by.

    Attributes
    ----------
    survey : Survey
    splits : tuple of str
    counts : DataFrame
        One row per combination of codes: the codes, ``rows``, and per item the rows that had nothing to answer, that
        answered, and the smallest and largest answer of items whose scale is not declared.
    """

    survey: Survey
    splits: tuple[str, ...]
    counts: pd.DataFrame

    def model(self, filter: Mapping[str, Sequence[Any]], known: str | None = None) -> PathModel:
        """The model of the respondents in a filter, items that too many of them did not meet set aside.

        Parameters
        ----------
        filter : mapping of column to list of codes
        known : str, optional
            Column whose codes must be known: that of groups.

        Raises
        ------
        SurveyError
            If a layer loses all its items.
        """
        inside = self._inside(filter, known)
        if not inside.any():
            return study_model(self.survey)
        sums = {name: float(column[inside].sum()) for name, column in self._columns.items()}

        def absent(_: Survey, item: str) -> float:
            columns = self.survey.items_of(item)
            return max(sums[f"unmet {c}"] / max(sums["rows"], 1.0) if sums[f"answered {c}"] else 1.0 for c in columns)

        return chosen_model(self.survey, None, "listwise", absent=absent)[0]

    def scales(self, model: PathModel, filter: Mapping[str, Sequence[Any]], known: str | None = None) -> FloatArray:
        """Ends of each item's scale, shape (items, 2); as observed where they are not declared."""
        out = np.empty((len(model.items), 2))
        inside = self._inside(filter, known)
        for k, name in enumerate(model.items):
            out[k] = self.survey.scale(name) or (
                np.nanmin(self._columns[f"low {name}"][inside]),
                np.nanmax(self._columns[f"high {name}"][inside]),
            )
        return out

    def codes(self, split: str, filter: Mapping[str, Sequence[Any]]) -> list[Any]:
        """Codes of a column that respondents in a filter have, in order."""
        return in_order(self.counts[split][self._inside(filter, split)].unique().tolist())

    @cached_property
    def _columns(self) -> dict[str, FloatArray]:
        return {str(c): self.counts[c].to_numpy(dtype=float) for c in self.counts if c not in self.splits}

    def _inside(self, filter: Mapping[str, Sequence[Any]], known: str | None) -> np.ndarray:
        kept = np.ones(len(self.counts), dtype=bool)
        for column, codes in filter.items():
            kept &= self.counts[column].isin(list(codes)).to_numpy()
        if known is not None:
            kept &= self.counts[known].notna().to_numpy()
        return kept


def study_model(survey: Survey) -> PathModel:
    """The model that the study declares, or that of its layers, with all their items.

    Raises
    ------
    SurveyError
        If the study declares neither, or what it declares is no path model.
    """
    return chosen_model(survey, None, "pairwise")[0]


def impossible(kernel: Kernel) -> tuple[Note, ...]:
    """What makes the estimates of a model ones that it excludes; empty if nothing does."""
    found = problems(kernel, kernel.sample, None)
    notes = said(found, kernel.prepared.labels)
    return tuple(notes[kind] for kind in inadmissible(found))


def study_items(survey: Survey) -> tuple[str, ...]:
    """Items of the study's model; none where it has no model."""
    try:
        return study_model(survey).items
    except SurveyError:
        return ()


def answered(survey: Survey, splits: Sequence[str]) -> Answered:
    """Count once who could answer the items of the study's model.

    Raises
    ------
    SurveyError
        If the study has no model, or an item of it is a category.
    """
    model = study_model(survey)
    survey.require("model", model.items)
    check_items(survey, model)
    weighed = survey.weights > 0
    found: dict[str, Any] = {s: survey.data[s] for s in splits} | {"rows": 1.0}
    rules = {"rows": "sum"}
    for column in dict.fromkeys(c for i in model.items for c in survey.items_of(i)):
        reasons = ("not experienced", "not asked")
        found |= {f"unmet {column}": unmet(survey, column, reasons), f"answered {column}": survey.data[column].notna()}
        rules |= {f"unmet {column}": "sum", f"answered {column}": "sum"}
    for name in model.items:
        if survey.scale(name) is None:
            values = np.where(weighed, survey.values(name), np.nan)
            found |= {f"low {name}": values, f"high {name}": values}
            rules |= {f"low {name}": "min", f"high {name}": "max"}
    frame = pd.DataFrame(found, index=survey.data.index)[survey.domain]
    keys: Any = list(splits) or np.zeros(len(frame))
    return Answered(survey, tuple(splits), frame.groupby(keys, dropna=False).agg(rules).reset_index())


def moved(survey: Survey, model: PathModel, scales: FloatArray, moments: Replicated, method: str = "pls") -> Moved:
    """Estimate a model without products on given moments of its items and on all their replicates at once.

    Parameters
    ----------
    survey : Survey
        For the direction of items and the words of constructs.
    model : PathModel
    scales : array, shape (items, 2)
    moments : Replicated
        Of ``model.items``, in their order.
    method : {"pls", "plsc"}

    Returns
    -------
    Moved
        Estimates as :func:`cxlab.path_model` gives them for respondents with these moments.

    Raises
    ------
    SurveyError
        If the model has no solution on the moments.
    """
    slope = 100 / np.maximum(scales[:, 1] - scales[:, 0], 1e-300)
    turned = np.array([not survey.higher_is_better(i) and len(survey.items_of(i)) == 1 for i in model.items])
    slope = np.where(turned, -slope, slope)
    start = np.where(turned, 100.0, 0.0) - slope * scales[:, 0]
    across = slope[:, None] * slope
    held = _Held(start + slope * moments.mean, across * moments.covariance)
    labels = {i: wordings(survey, i) for i in model.items} | construct_labels(survey, model)
    prepared = Prepared(
        model, cast(Sample, None), cast(Source, held), scales, "listwise", 0, 0.0, labels, (), survey
    )  # fmt: skip
    kernel = Kernel(prepared, "path", method == "plsc")
    check_solution(kernel, kernel.sample)
    draws = kernel.under([(start + slope * moments.means, across * moments.replicates, None)], _AT_REST)
    return Moved(kernel, draws, (start, slope))


@dataclass(frozen=True, eq=False)
class Room:
    """Importance and performance of what leads to a construct; the first of all sets is the sample's own.

    Attributes
    ----------
    constructs, items : tuple of str
        Of each point; items are empty where points are constructs.
    importance, performance : array, shape (sets, points)
    """

    constructs: tuple[str, ...]
    items: tuple[str, ...]
    importance: FloatArray
    performance: FloatArray

    @property
    def gain(self) -> FloatArray:
        """Points of the target's index if a point rose to 100, shape (sets, points)."""
        return np.asarray(self.importance * (100 - self.performance))


def room(found: Moved, target: str, items: bool, means: FloatArray | None = None) -> Room | None:
    """Where is there room that matters, as :func:`cxlab.ipma` says it?

    Parameters
    ----------
    found : Moved
    target : str
    items : bool
        Indicators in place of constructs.
    means : array, shape (sets, items), optional
        Means of a segment's items in their own codes, for the performance; the effects stay everybody's.

    Returns
    -------
    Room or None
        None where a construct is no mean of its items, or a replicate has no solution.
    """
    both = (found.sample, found.draws)
    goal = found.names.index(target)
    total = np.concatenate([e.total_impacts for e in both])
    share = np.concatenate([
        e.outer / e.spread[:, :, None] / index_scales(e.outer, e.spread)[:, None] for e in both
    ])  # fmt: skip
    own = np.concatenate([e.means for e in both]) if means is None else found.on_hundred(means)
    reached = pls.total_effects(found.paths[None].astype(float))[0] > 0
    causes = np.flatnonzero(reached[:, goal])
    pairs = [(k, j) for j in causes for k in np.flatnonzero(share[0][:, j])] if items else [(-1, j) for j in causes]
    place, whole = (np.array(a) for a in zip(*pairs, strict=True))
    importance = total[:, whole, goal]
    performance = np.einsum("bk,bkm->bm", own, share)[:, whole]
    if items:
        importance, performance = importance * share[:, place, whole], own[:, place]
    if not np.isfinite([importance, performance]).all():
        return None
    listed = tuple(found.kernel.prepared.model.items[k] for k in place) if items else ()
    return Room(tuple(found.names[j] for j in whole), listed, importance, performance)
