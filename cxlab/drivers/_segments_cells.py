"""Cells: the model of every segment, from one pass over the rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from cxlab.covariances import Listwise, Sample, Source
from cxlab.design import kish_base
from cxlab.drivers._kernels import Draws, Kernel, Linear, kernel
from cxlab.drivers._layout import column_of
from cxlab.drivers._models import kernel_of
from cxlab.drivers._prepare import Prepared, prepare
from cxlab.errors import CollinearityWarning, SurveyError
from cxlab.groups import split
from cxlab.moments import Moments, replicate_moments, to_correlation
from cxlab.survey import Survey
from cxlab.words import Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
Drivers = Sequence[str] | Mapping[str, Sequence[str]] | None
MOST_SEGMENTS = 60
_TIED = 1e-8  # share of a column's variance left under which it repeats the others


@dataclass(frozen=True)
class Options:
    """What the caller asked for, see :func:`cxlab.key_drivers`."""

    method: str
    model: str | None
    missing: str
    always: Sequence[str]
    by: str
    replicates: int
    permutations: int
    seed: int
    level: float


@dataclass(frozen=True, eq=False)
class Cell:
    """Some respondents and the model of their outcome.

    Attributes
    ----------
    base, base_kish : int, float
        Complete rows, and Kish's effective base of them.
    kernel : Kernel or None
        None where ``reason`` says why there is no model.
    importance : array, shape (p,), or None
    draws : Draws or None
        Under replicate weights that all cells share.
    reason : {"", "few", "constant", "tied", "model", "replicates"}
    """

    base: int
    base_kish: float
    kernel: Kernel | None = None
    importance: FloatArray | None = None
    draws: Draws | None = None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Cells:
    """Segments in code order, each with its model.

    Attributes
    ----------
    column : str
        Column that splits the respondents.
    codes : list
    member : int array, shape (rows of the survey,)
        Segment of each respondent, −1 for none.
    total : Prepared
        Everybody who is in a segment.
    whole : Kernel
        The model of everybody, and ``said``, why it is this one.
    segments : list of Cell
    """

    column: str
    codes: list[Any]
    member: np.ndarray
    total: Prepared
    whole: Kernel
    said: Sequence[Note]
    segments: list[Cell]


def cells(survey: Survey, outcome: str, drivers: Drivers, options: Options) -> Cells:
    """Prepare everybody, then every segment, and draw all their replicates together.

    Raises
    ------
    SurveyError
        If ``by`` is a driver, forced in or the outcome, or as in :func:`cxlab.key_drivers` for everybody together.
    """
    column, codes, member = split(survey, options.by, MOST_SEGMENTS, "drivers")
    total = prepare(replace(survey, domain=member >= 0), outcome, drivers, options.missing, options.always)
    _check_apart(survey, total, options.by, column)
    whole, said = kernel_of(total, options.model, options.method)
    count = len(codes)
    linear = isinstance(whole, Linear) and _divisible(total)
    shared = _Shared(total, member, count, options) if options.replicates and linear else None

    segments = [_cell(survey, whole, member == g, options, shared.blocks(g) if shared else None) for g in range(count)]
    return Cells(column, codes, member, total, whole, said, segments)


def _check_apart(survey: Survey, total: Prepared, by: str, column: str) -> None:
    """A segment is no driver of its own."""
    behind = total.reading.items if total.reading else (total.outcome,)
    for argument, names in {"drivers": total.drivers, "always": total.always, "outcome": behind}.items():
        if column in {c for n in names for c in survey.items_of(column_of(n))}:
            raise SurveyError(
                f"by is {by!r}, which is named in {argument} too; within a segment it does not vary: leave it out of {argument}."
            )


def _divisible(total: Prepared) -> bool:
    """Whether the columns of some respondents are those of everybody: complete, and one per driver."""
    single = len(total.layout.names) == len(total.drivers) + len(total.always)
    return total.missing == "listwise" and single and not (total.first < 0).any()


class _Shared:
    """Moments of every segment under every set of replicate weights."""

    def __init__(self, total: Prepared, member: np.ndarray, count: int, options: Options) -> None:
        sample, group = total.sample, member[total.rows]
        rows = [np.flatnonzero(group == g) for g in range(count)]
        center = total.source.mean()
        self._blocks: list[list[Moments]] = [[] for _ in range(count)]
        for multipliers, piece in sample.design.bootstrap(options.replicates, options.seed, sample.rows):
            for own, blocks in zip(rows, self._blocks, strict=True):
                pieces, unit = np.unique(piece[own], return_inverse=True)
                columns, weights = sample.columns[own], sample.weights[own]
                blocks.append(replicate_moments(columns, weights, multipliers[:, pieces], unit, center))

    def blocks(self, g: int) -> list[Moments]:
        """Moments of a segment, in blocks of replicates."""
        return self._blocks[g]


class _Drawn:
    """A source whose replicates are known already."""

    def __init__(self, source: Source, blocks: list[Moments]) -> None:
        self._source, self._blocks = source, blocks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def replicates(self, count: int, seed: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Means and covariances under the shared replicate weights."""
        return ((block.mean(), block.covariance()) for block in self._blocks)


def _cell(survey: Survey, whole: Kernel, inside: np.ndarray, options: Options, blocks: list[Moments] | None) -> Cell:
    """Model of some respondents, or the reason why there is none."""
    total = whole.prepared
    rows = inside[total.rows]
    base, kish = int(rows.sum()), kish_base(total.weights[rows])
    if base < len(total.drivers) + len(total.always) + 2:
        return Cell(base, kish, reason="few")
    prepared = _prepared(survey, total, inside)
    if isinstance(prepared, str):
        return Cell(base, kish, reason=prepared)
    if blocks is not None:
        prepared = replace(prepared, source=cast(Source, _Drawn(prepared.source, blocks)))
    try:
        found = kernel(prepared, whole.name, whole.method)
        importance = found.importance()
    except (SurveyError, np.linalg.LinAlgError):
        return Cell(base, kish, reason="model")
    try:
        draws = found.draws(options.replicates, options.seed) if options.replicates else None
    except (SurveyError, np.linalg.LinAlgError):
        return Cell(base, kish, found, importance, None, "replicates")
    return Cell(base, kish, found, importance, draws)


def _prepared(survey: Survey, total: Prepared, inside: np.ndarray) -> Prepared | str:
    """The same analysis of fewer respondents, or what is wrong with them."""
    part = replace(survey, domain=inside)
    if not _divisible(total):
        # Categories, indicators and imputations depend on who is there.
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", CollinearityWarning)
                return prepare(part, total.outcome, list(total.drivers), total.missing, total.always)
        except SurveyError:
            return "tied"
    rows = inside[total.rows]
    sample = Sample(total.columns[rows], total.weights[rows], total.rows[rows], total.design)
    if (np.ptp(sample.columns, axis=0) == 0).any():
        return "constant"
    source = Listwise(sample)
    if _tied(source.covariance()):
        return "tied"
    layout = replace(total.layout, columns=sample.columns[:, :-1], answered=total.layout.answered[rows])
    asked = inside & (survey.weights > 0)
    return replace(
        total, layout=layout, sample=sample, source=source, excluded=int(asked.sum()) - int(rows.sum()),
        excluded_share=1 - float(sample.weights.sum() / survey.weights[asked].sum()), notes=(), survey=part,
    )  # fmt: skip


def _tied(covariance: FloatArray) -> bool:
    """Whether a column repeats the others."""
    roots, vectors = np.linalg.eigh(to_correlation(covariance)[:-1, :-1])
    if roots[0] < _TIED:
        return True
    return bool((1 / ((vectors**2) @ (1 / roots)) < _TIED).any())
