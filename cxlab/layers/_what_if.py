"""What if ratings rose: expected change of every index downstream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import design_notes, kish_base
from cxlab.errors import SurveyError, unknown_names
from cxlab.layers._ipma_cells import Cell, Ground, segment_notes
from cxlab.layers._ipma_words import what_if_notes
from cxlab.layers._scenario import PathScenario
from cxlab.layers._what_if_result import FORMATS, HEADINGS, TITLE, PathWhatIfResult
from cxlab.result import Base

FloatArray = np.ndarray[Any, np.dtype[Any]]
Reach = float | Mapping[str, float] | None


def expected(
    found: Ground,
    kernel: PathScenario,
    changes: Mapping[str, float],
    targets: Sequence[str],
    *,
    reach: Reach = None,
    cost: Mapping[str, float] | None = None,
) -> PathWhatIfResult:
    """What the indices are expected at when ratings change.

    Parameters
    ----------
    found : Ground
    kernel : PathScenario
    changes, reach, cost
        See :meth:`cxlab.PathModelResult.what_if`.
    targets : sequence of str
        Constructs that sentences speak of.
    """
    _check_changes(found, kernel, changes)
    shares, costs = _reach(changes, reach), _cost(changes, cost)
    moved = {name: (kernel.points({name: change}), shares[name]) for name, change in changes.items()}
    single = {name: kernel.gain(points, share) for name, (points, share) in moved.items()}
    gain = np.sum(list(single.values()), axis=0)
    table = pd.concat([_rows(found, cell, kernel, gain[:, c], _moved(found, kernel, moved)) for c, cell in enumerate(found.cells)],
                      ignore_index=True)  # fmt: skip
    told = [t for t in targets if t in set(table["construct"])]
    parts = [
        _parts(found, cell, kernel, (moved, {n: g[:, c] for n, g in single.items()}, c), (told, changes, costs))
        for c, cell in enumerate(found.cells)
    ]
    prepared, survey = found.prepared, found.survey
    sample = prepared.sample
    options = {
        "by": found.options["by"],
        "model_of": found.options["model_of"] if found.options["by"] else None,
        "reach": reach,
        "cost": cost,
    }
    said = "".join(f", {k}={dict(v) if isinstance(v, Mapping) else v!r}" for k, v in options.items() if v is not None)
    made = {"method": "plsc" if found.options["consistent"] else "pls", "scheme": found.options["scheme"], "missing": prepared.missing,
            "replicates": len(found.converged), "seed": found.options["seed"], "level": kernel.level}  # fmt: skip
    model = "".join(f", {k}={v!r}" for k, v in made.items())
    return PathWhatIfResult(
        table,
        Base(len(sample.rows), kish_base(sample.weights), prepared.excluded, prepared.excluded_share),
        (*what_if_notes(found, reach is not None), *segment_notes(found), *prepared.notes, *design_notes(survey)),
        {**HEADINGS, **prepared.labels, **found.labels},
        f"cx.path_model(survey{survey.filter}, {prepared.model.text()!r}{model}).what_if({dict(changes)!r}{said})  # data {survey.data_hash}",
        TITLE, FORMATS, kernel.level, parts=pd.concat(parts, ignore_index=True), changes=dict(changes), targets=tuple(told),
        asked=tuple(targets), replicates=len(found.converged),
    )  # fmt: skip


def _moved(found: Ground, kernel: PathScenario, moved: Mapping[str, tuple[FloatArray, float]]) -> list[int]:
    """Constructs whose items are moved, and what they lead to, in the order of the model."""
    touched = np.flatnonzero(np.any([points != 0 for points, _ in moved.values()], axis=0))
    first = {j for j, n in enumerate(kernel.constructs) if np.isin(kernel.measures[n], touched).any()}
    return sorted(first | {int(t) for j in first for t in np.flatnonzero(found.reached(j))})


def _rows(found: Ground, cell: Cell, kernel: PathScenario, gain: FloatArray, moved: Sequence[int]) -> pd.DataFrame:
    """One row per construct that moves."""
    values = gain[list(moved)].T
    before = cell.index[0, list(moved)]
    return pd.DataFrame({
        **{k: [v] * len(moved) for k, v in cell.key.items()}, "construct": [kernel.constructs[j] for j in moved],
        **found.intervals(cell).columns("estimate", values[0], values[1:]), "before": before, "after": before + values[0],
        "base": cell.base, "base_effective": cell.effective, "reliability": cell.reliability,
    })  # fmt: skip


def _parts(
    found: Ground,
    cell: Cell,
    kernel: PathScenario,
    gains: tuple[Mapping[str, tuple[FloatArray, float]], Mapping[str, FloatArray], int],
    asked: tuple[Sequence[str], Mapping[str, float], Mapping[str, float]],
) -> pd.DataFrame:
    """One row per change and target: what moved in effect, and what it brings."""
    moved, single, place = gains
    targets, changes, costs = asked
    rows = []
    for target in targets:
        t = kernel.constructs.index(target)
        for name, change in changes.items():
            values = single[name][t][:, None]
            own = found.intervals(cell).columns("estimate", values[0], values[1:])
            row = {**cell.key, "source": name, "target": target, "change": float(change),
                   "unit": "answer" if name in kernel.items else "index", "reach": moved[name][1],
                   "effective_change": _effective(cell, kernel, name, moved[name], place), **{k: float(v[0]) for k, v in own.items()}}  # fmt: skip
            if costs:
                spent = costs[name] * abs(change)
                row |= {"cost": spent, "per_cost": row["estimate"] / spent if spent else float("nan")}
            rows.append({**row, "base": cell.base, "base_effective": cell.effective, "reliability": cell.reliability})
    return pd.DataFrame(rows)


def _effective(cell: Cell, kernel: PathScenario, name: str, moved: tuple[FloatArray, float], place: int) -> float:
    """Mean change in the sample: of an item in its own points, of a construct in points of its index."""
    points, share = moved
    steps = {j: float(s[place, 0]) for j, s in kernel.effective(points, share).items()}
    if name in kernel.items:
        own = kernel.items.index(name)
        return steps.get(own, 0.0) / float(kernel.step[own])
    weights = cell.share[0][:, kernel.constructs.index(name)]
    return float(sum(weights[j] * s for j, s in steps.items()))


# ------------------------------------------------------------------------------ what is asked
def _check_changes(found: Ground, kernel: PathScenario, changes: Mapping[str, float]) -> None:
    _check_numbers("changes", changes)
    if not changes:
        raise SurveyError("changes is empty; name at least one item or construct of the model: changes={'queue': 1}.")
    model = found.prepared.model
    parts = {i: c.name for c in model.constructs for i in c.indicators if i in model.names}
    for name in (n for n in changes if n in parts and n not in kernel.items):
        raise SurveyError(
            f"changes: {name!r} is a part of {parts[name]!r}, which has no index of its own; name its items, or {parts[name]!r}."
        )
    unknown = [n for n in changes if n not in kernel.items and n not in kernel.measures]
    if unknown:
        raise unknown_names("changes", unknown, (*kernel.measures, *kernel.items), "the model")
    for name, change in changes.items():
        low, high = found.prepared.scales[kernel.items.index(name)] if name in kernel.items else (0.0, 100.0)
        if not np.isfinite(change):
            raise SurveyError(f"changes: {name!r} is {change}; give a number of points.")
        if abs(change) > high - low:
            raise SurveyError(
                f"changes: {name!r} is to move by {change:+g} points, but its scale runs {low:g}–{high:g}; at most {high - low:g} points "
                "are possible."
            )
    for name in (n for n in changes if n not in kernel.items):
        twice = [kernel.items[j] for j in kernel.measures[name] if kernel.items[j] in changes]
        if twice:
            raise SurveyError(
                f"changes names {name!r} and {len(twice)} of its items ({', '.join(map(repr, twice))}); name the construct or its items."
            )


def _check_numbers(argument: str, given: object) -> None:
    if not isinstance(given, Mapping):
        raise SurveyError(
            f"{argument} is {given!r}; give a number for each item or construct: {argument}={{'queue': 1}}."
        )
    bad = [f"{k!r} ({v!r})" for k, v in given.items() if isinstance(v, bool) or not isinstance(v, Real)]
    if bad:
        raise SurveyError(f"{argument}: {len(bad)} of {len(given)} values are no numbers: {', '.join(bad)}.")


def _reach(changes: Mapping[str, float], reach: Reach) -> dict[str, float]:
    """Share of the respondents that each change reaches."""
    if reach is None:
        return dict.fromkeys(changes, 1.0)
    given = dict(reach) if isinstance(reach, Mapping) else dict.fromkeys(changes, reach)
    _check_numbers("reach", given)
    _check_named("reach", given, changes)
    bad = [f"{k!r} ({v:g})" for k, v in given.items() if not 0 <= v <= 1]
    if bad:
        raise SurveyError(f"reach of {len(bad)} changes is no share from 0 to 1: {', '.join(bad)}.")
    return {name: float(given.get(name, 1.0)) for name in changes}


def _cost(changes: Mapping[str, float], cost: Mapping[str, float] | None) -> dict[str, float]:
    """Cost of one point of each change."""
    if cost is None:
        return {}
    _check_numbers("cost", cost)
    _check_named("cost", cost, changes)
    absent = [n for n in changes if n not in cost]
    if absent:
        raise SurveyError(
            f"cost is missing for {len(absent)} of {len(changes)} changes: {', '.join(map(repr, absent))}."
        )
    bad = [f"{k!r} ({v:g})" for k, v in cost.items() if not (v >= 0 and np.isfinite(v))]
    if bad:
        raise SurveyError(f"cost of {len(bad)} changes is not a number of 0 or more: {', '.join(bad)}.")
    return {name: float(v) for name, v in cost.items()}


def _check_named(argument: str, given: Mapping[str, float], changes: Mapping[str, float]) -> None:
    extra = [n for n in given if n not in changes]
    if extra:
        raise SurveyError(
            f"{argument} names {len(extra)} without a change: {', '.join(map(repr, extra))}; changes has {', '.join(map(repr, changes))}."
        )
