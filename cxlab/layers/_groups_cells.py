"""Cells: the path model of every group, under replicate weights that all groups share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from cxlab.covariances import Source
from cxlab.design import kish_base
from cxlab.errors import SurveyError
from cxlab.layers._kernel import Estimates, Kernel
from cxlab.layers._prepare import Prepared
from cxlab.moments import replicate_moments
from cxlab.result import SUPPRESSED_BASE

FloatArray = np.ndarray[Any, np.dtype[Any]]
Moments = tuple[FloatArray, FloatArray]  # means (batch, k) and covariances (batch, k, k)
MOST_GROUPS = 12
LEAST_ROWS = 10
_SOUND = 0.9  # share of replicates with a solution under which a group is not tested


@dataclass(frozen=True)
class Options:
    """What the caller asked for, see :func:`cxlab.compare_paths`."""

    by: str
    method: str
    scheme: str
    missing: str
    permutations: int
    replicates: int
    seed: int
    level: float


@dataclass(frozen=True, eq=False)
class Group:
    """Some respondents and their path model.

    Attributes
    ----------
    code : number or str
    inside : bool array, shape (rows of the sample,)
    base, base_kish : int, float
    reason : {"", "few", "constant", "model", "replicates"}
        Why there are no numbers, or (replicates) no intervals.
    kernel : Kernel or None
    moments : (means, covariances) or None
        Of the items under the shared replicate weights.
    draws : Estimates or None
        Under the same weights, those without a solution included.
    """

    code: Any
    inside: np.ndarray
    base: int
    base_kish: float
    reason: str = ""
    kernel: Kernel | None = None
    moments: Moments | None = None
    draws: Estimates | None = None

    @property
    def tested(self) -> bool:
        """Whether it takes part in tests: a model, replicates, and an effective base of 30."""
        return self.draws is not None and not self.reason and min(self.base, self.base_kish) >= SUPPRESSED_BASE


class Known:
    """A source whose replicates are there already.

    Parameters
    ----------
    source : Source
        Where the sample's own moments come from.
    moments : (means, covariances)
    """

    def __init__(self, source: Source, moments: Moments) -> None:
        self._source, self._moments = source, moments

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def replicates(self, count: int, seed: int) -> Iterator[Moments]:
        """What was handed over, in one block."""
        yield self._moments


def under(prepared: Prepared, moments: Moments, options: Options) -> Estimates:
    """The model under a batch of means and covariances, starting from the weights of the prepared sample."""
    known = replace(prepared, source=cast(Source, Known(prepared.source, moments)))
    return Kernel(known, options.scheme, options.method == "plsc").replicates(len(moments[0]), options.seed)


def groups_of(total: Prepared, member: np.ndarray, codes: list[Any], options: Options) -> list[Group]:
    """The model of every group."""
    own = member[total.sample.rows]
    inside = [own == g for g in range(len(codes))]
    parts = [_reduced(total, rows) for rows in inside]
    able = [rows if isinstance(part, Prepared) else None for rows, part in zip(inside, parts, strict=True)]
    shared = _shared(total, able, options) if options.missing == "listwise" else [None] * len(codes)
    return [
        _group(code, rows, total, part, moments, options)
        for code, rows, part, moments in zip(codes, inside, parts, shared, strict=True)
    ]


def _reduced(total: Prepared, inside: np.ndarray) -> Prepared | str:
    """The model on the rows of a group, or why there is none."""
    columns = total.columns[inside]
    if len(columns) < max(LEAST_ROWS, len(total.model.items) / 2):
        return "few"
    answered = np.isfinite(columns)
    low = np.where(answered, columns, np.inf).min(axis=0)
    high = np.where(answered, columns, -np.inf).max(axis=0)
    if not (high > low).all():
        return "constant"
    try:
        return total.within(inside)
    except (SurveyError, np.linalg.LinAlgError):
        return "model"


def _group(
    code: Any, inside: np.ndarray, total: Prepared, part: Prepared | str, moments: Moments | None, options: Options
) -> Group:
    base, kish = int(inside.sum()), kish_base(total.sample.weights[inside])
    if isinstance(part, str):
        return Group(code, inside, base, kish, part)
    kernel = Kernel(part, options.scheme, options.method == "plsc")
    if not kernel.sample.converged[0]:
        return Group(code, inside, base, kish, "model")
    try:
        if moments is None:
            blocks = list(part.source.replicates(options.replicates, options.seed))
            moments = np.concatenate([m for m, _ in blocks]), np.concatenate([c for _, c in blocks])
        draws = (
            kernel.replicates(options.replicates, options.seed) if kernel.products else under(part, moments, options)
        )
    except np.linalg.LinAlgError:
        return Group(code, inside, base, kish, "replicates", kernel)
    if draws.converged.mean() < _SOUND:
        return Group(code, inside, base, kish, "replicates", kernel)
    return Group(code, inside, base, kish, "", kernel, moments, draws)


def _shared(total: Prepared, inside: list[np.ndarray | None], options: Options) -> list[Moments | None]:
    """Moments of every group that has a model, under the same replicate weights, drawn once."""
    sample, center = total.sample, total.source.mean()
    blocks: list[list[Moments]] = [[] for _ in inside]
    for multipliers, piece in sample.design.bootstrap(options.replicates, options.seed, sample.rows):
        for rows, found in zip(inside, blocks, strict=True):
            if rows is None:
                continue
            pieces, unit = np.unique(piece[rows], return_inverse=True)
            with np.errstate(divide="ignore", invalid="ignore"):  # a replicate may hold nobody of a small group
                some = replicate_moments(
                    sample.columns[rows], sample.weights[rows], multipliers[:, pieces], unit, center
                )
                found.append((some.mean(), some.covariance()))
    return [(np.concatenate([m for m, _ in b]), np.concatenate([c for _, c in b])) if b else None for b in blocks]
