"""Importance and performance: where is there room that matters?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.contrasts import rank_sets, ranks
from cxlab.design import design_notes, kish_base
from cxlab.errors import SurveyError, one_of
from cxlab.layers._choose import Model
from cxlab.layers._ipma_cells import Cell, Ground, ground, segment_notes
from cxlab.layers._ipma_result import FORMATS, HEADINGS, IpmaResult
from cxlab.layers._ipma_words import ipma_notes
from cxlab.layers._model import PathModel
from cxlab.layers._paths import path_model
from cxlab.result import Base
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, number

if TYPE_CHECKING:
    from cxlab.layers._result import PathModelResult

FloatArray = np.ndarray[Any, np.dtype[Any]]


def ipma(
    survey: Survey,
    model: Model = None,
    *,
    target: str | None = None,
    by: str | None = None,
    items: bool | str | Sequence[str] = False,
    model_of: str = "all",
    method: str = "pls",
    scheme: str = "path",
    missing: str = "listwise",
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> IpmaResult:
    """Where is there room that matters: how important is each construct, how well does it do, what is left to gain?

    Parameters
    ----------
    survey : Survey
    model : str, mapping, path of a YAML file, optional
        See :func:`path_model`; without products.
    target : str, optional
        Construct that is to rise; by default the one that leads to nothing.
    by : str, optional
        Segment, or ``"wave"``.
    items : bool, construct or list of constructs
        Indicators in place of constructs: of all, or of those named (such as what one can act on).
    model_of : {"all", "group"}
        With ``by``: effects of all respondents, or of a model of each segment's own. The former are the default: they do not
        depend on small bases, indices are composed alike, and the segments' gains average to the total's.
    method, scheme, missing, replicates, seed, level
        See :func:`path_model`.

    Returns
    -------
    IpmaResult
        One row per cause of the target, direct or not, within a segment the largest gain first: ``[segment], construct, [item],
        importance`` (points of the target's 0–100 index that go with +1 point of the index, or of the item on 0–100; of
        items also ``raw_point``, for one point of their own scale towards the better), ``performance`` (mean on 0–100), ``gain``
        (importance × (100 − performance)), each with ``_low, _high``; ``rank, rank_low, rank_high`` (ranks of the gain that
        cannot be told apart); ``base, base_effective, reliability``. ``.what_if(…)`` and ``.scenario`` go on from it.

    Raises
    ------
    SurveyError
        For an unknown target, one without causes, several possible ones, a model with products, and as in
        :func:`path_model`.

    Warns
    -----
    SmallBaseWarning, DataWarning
        If segments are small, or have no model of their own.

    Notes
    -----
    Importance of a construct: T_jt, the sum over all routes of the products of unstandardised paths between indices. Of item k of
    construct j: T_jt · share_kj, with shares Σ_k share_kj = 1. Gains of items add up to that of their construct. All numbers of a
    row are taken under the same replicate weights. A map cut at the means of its axes depends on which constructs are drawn; the gain
    does not. Rank sets: t tests of all pairs of gains, Holm, see :func:`cxlab.contrasts.rank_sets`.

    Under PLSc importance is between latent variables, measured in points of their indices.

    References
    ----------
    Fornell, Johnson, Anderson, Cha & Bryant (1996), Journal of Marketing 60(4), 7–18. Ringle & Sarstedt (2016), Industrial
    Management & Data Systems 116(9), 1865–1886. Mogstad, Romano, Shaikh & Wilhelm (2024), Review of Economic Studies 91, 476–518.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(4)
    >>> q, v = rng.integers(0, 9, (2, 400))
    >>> df = pd.DataFrame({"queue": q, "price": v, "again": np.round(0.6 * q + 0.2 * v + rng.normal(size=400), 1)})
    >>> result = ipma(Survey.from_frame(df), "Queue =~ queue\\nPrice =~ price\\nStay =~ again\\nStay ~ Queue + Price", replicates=200)
    >>> result.table[["construct", "importance", "gain", "rank_low", "rank_high"]].round(1).values.tolist()
    [['Queue', 0.5, 23.8, 1, 1], ['Price', 0.2, 7.5, 2, 2]]
    """
    if not isinstance(survey, Survey):
        raise SurveyError(
            f"survey is a {type(survey).__name__}; pass a Survey, or call .ipma() of a result of cx.path_model."
        )
    options = {
        "method": method,
        "scheme": scheme,
        "missing": missing,
        "replicates": replicates,
        "seed": seed,
        "level": level,
    }
    found = path_model(survey, model, **options)  # type: ignore[arg-type]
    return importance_map(found, target, by, items, model_of)


def importance_map(
    result: PathModelResult, target: str | None, by: str | None, items: bool | str | Sequence[str], model_of: str
) -> IpmaResult:
    """Importance and performance of what leads to a target, from an estimated model."""
    found = ground(result, by, model_of)
    goal = chosen_target(found, result.model, target)
    shown = _asked(found, goal, items)
    table = _table(found, goal, shown, bool(items))
    survey, prepared = found.survey, found.prepared
    sample = prepared.sample
    options = {"target": found.names[goal], "by": by, "items": items, "model_of": found.options["model_of"], "method": "plsc" if found.options["consistent"] else "pls",
               "scheme": result.kernel.scheme if result.kernel else "path", "missing": prepared.missing, "replicates": result.replicates,
               "seed": result.seed, "level": result.level}  # fmt: skip
    said = "".join(f", {k}={v!r}" for k, v in options.items())
    label = prepared.labels[found.names[goal]]
    return IpmaResult(
        table,
        Base(len(sample.rows), kish_base(sample.weights), prepared.excluded, prepared.excluded_share),
        (*ipma_notes(found, bool(items)), *segment_notes(found), *prepared.notes, *design_notes(survey)),
        {**HEADINGS, **prepared.labels, **found.labels},
        f"cx.ipma(survey{survey.filter}, {result.model.text()!r}{said})  # data {survey.data_hash}",
        {lang: _TITLE[lang].format(number(label[lang], "in")) for lang in LANGUAGES},
        FORMATS, result.level, target=found.names[goal], items=bool(items), ground=found, replicates=result.replicates,
        constructs=_table(found, goal, found.causes(goal), False) if items else pd.DataFrame(),
    )  # fmt: skip


_TITLE = {"en": "What leads to {}: importance and performance", "zh": "{}的重要性—表现分析"}


def chosen_target(found: Ground, model: PathModel, target: str | None) -> int:
    """Place of the construct that is to rise.

    Raises
    ------
    SurveyError
        For an unknown one, a part of a construct, one without causes, or several possible ones.
    """
    caused = [n for j, n in enumerate(found.names) if found.paths[:, j].any()]
    if target is None:
        last = [n for n in caused if not found.paths[found.names.index(n)].any()]
        if len(last) > 1:
            raise SurveyError(
                f"target: the model ends in {len(last)} constructs ({', '.join(map(repr, last))}); name one."
            )
        return found.names.index(last[0])
    whole = part_of(model, target, found.names)
    if whole is not None:
        raise SurveyError(
            f"target {target!r} is a part of {whole!r}; what leads to a part is not estimated: name {whole!r}."
        )
    if target not in found.names:
        raise one_of("target", target, found.names)
    if target not in caused:
        raise SurveyError(
            f"target {target!r} has no causes in the model; those with causes: {', '.join(map(repr, caused))}."
        )
    return found.names.index(target)


def part_of(model: PathModel, name: str, last: Sequence[str]) -> str | None:
    """Construct of higher order that a construct is a part of."""
    if name in last or name not in model.names:
        return None
    return next(c.name for c in model.constructs if name in c.indicators)


# ------------------------------------------------------------------------------ the table
def _asked(found: Ground, goal: int, items: bool | str | Sequence[str]) -> list[int]:
    """Causes of the target that are shown."""
    causes = found.causes(goal)
    if isinstance(items, bool):
        return causes
    names, wanted = [found.names[j] for j in causes], [items] if isinstance(items, str) else list(items)
    for name in wanted:
        if name not in names:
            raise one_of("items", name, names)
    return [j for j, name in zip(causes, names, strict=True) if name in wanted]


def _table(found: Ground, goal: int, causes: Sequence[int], items: bool) -> pd.DataFrame:
    """Rows of every cell, its largest gain first."""
    parts = [_rows(found, cell, (goal, causes), items) for cell in found.cells]
    return pd.concat([p.assign(**cell.key) for p, cell in zip(parts, found.cells, strict=True)], ignore_index=True)[
        [*found.cells[0].key, *parts[0].columns]
    ]


def _rows(found: Ground, cell: Cell, asked: tuple[int, Sequence[int]], items: bool) -> pd.DataFrame:
    goal, causes = asked
    outer = next((c.share[0] for c in found.cells if np.isfinite(c.share[0]).all()), np.ones_like(cell.share[0]))
    at = [(k, j) for j in causes for k in np.flatnonzero(outer[:, j])] if items else [(-1, j) for j in causes]
    place, whole = (np.array(a) for a in zip(*at, strict=True))
    importance, performance = cell.total[:, whole, goal], cell.index[:, whole]
    names: dict[str, list[str]] = {"construct": [found.names[j] for j in whole]}
    more: dict[str, FloatArray] = {}
    if items:
        importance = importance * cell.share[:, place, whole]
        performance = cell.means[:, place]
        names["item"] = [found.items[k] for k in place]
        ends = found.prepared.scales[place]
        more["raw_point"] = importance * 100 / (ends[:, 1] - ends[:, 0])
    gain = importance * (100 - performance)
    intervals = found.intervals(cell)
    columns: dict[str, Any] = dict(names)
    for name, values in {"importance": importance, **more, "performance": performance, "gain": gain}.items():
        columns |= intervals.columns(name, values[0], values[1:])
    table = pd.DataFrame(columns | _ranks(gain, cell.df, found.options["level"]))
    table = table.assign(base=cell.base, base_effective=cell.effective, reliability=cell.reliability)
    return table.sort_values("rank", kind="stable", ignore_index=True)


def _ranks(gain: FloatArray, df: float, level: float) -> dict[str, Any]:
    """Ranks of gains and those that they cannot be told apart from; missing without replicates."""
    nothing = pd.array([pd.NA] * gain.shape[1], dtype="Int64")
    if not np.isfinite(gain[0]).all():
        return {"rank": nothing, "rank_low": nothing, "rank_high": nothing}
    place = pd.array(ranks(gain[0]), dtype="Int64")
    if len(gain) < 3 or not np.isfinite(gain).all():
        return {"rank": place, "rank_low": nothing, "rank_high": nothing}
    low, high = rank_sets(gain[0], np.atleast_2d(np.cov(gain[1:], rowvar=False)), df=df, level=level)
    return {"rank": place, "rank_low": pd.array(low, dtype="Int64"), "rank_high": pd.array(high, dtype="Int64")}
