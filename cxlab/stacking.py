"""Stacking: from one row per respondent to one row per respondent and touchpoint (or brand)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from cxlab.errors import SurveyError, unknown_names
from cxlab.items import FILE, Code, Codebook, Item
from cxlab.survey import Raked, Roles, SampleDesign, Survey

Layout = Mapping[str, Sequence[str | None]]
Texts = Mapping[str, str]
ROW = "respondent_row"
_COLUMNS: dict[str, dict[str, str]] = {
    "experience": {"en": "Experience", "zh": "体验"},
    "expectation": {"en": "Expectation", "zh": "期望"},
    "emotion": {"en": "Emotion", "zh": "情感"},
    "touchpoint": {"en": "Touchpoint", "zh": "触点"},
    "stage": {"en": "Stage", "zh": "阶段"},
    "unit": {"en": "Unit", "zh": "评价对象"},
    ROW: {"en": "Row of the respondent", "zh": "受访者行号"},
}


@dataclass(frozen=True)
class _Plan:
    """What is stacked: columns by new name, the units with their labels, and columns that go with the unit."""

    layout: dict[str, list[str | None]]
    unit: str
    units: list[Texts]
    labels: Mapping[str, Texts | str] = field(default_factory=dict)
    stages: tuple[list[float], Mapping[Code, Texts]] | None = None


def stack(
    survey: Survey,
    layout: Layout | None = None,
    *,
    names: Sequence[str] | Mapping[str, Texts] | None = None,
    unit: str | None = None,
    keep: Sequence[str] | None = None,
    labels: Mapping[str, Texts | str] | None = None,
) -> Survey:
    """Which experiences drive emotion, whatever the touchpoint – or satisfaction, whatever the brand?

    Turns repeated questions about several brands or touchpoints (wide) into one row per respondent and brand (long), so
    that :func:`key_drivers` and every other analysis answers it with intervals that know that the rows of a
    respondent belong together.

    Parameters
    ----------
    survey : Survey
        One row per respondent; its weights, strata, PSUs and domain go along.
    layout : mapping of new column to items, optional
        ``{"experience": ["queue", "doctor"], "emotion": ["queue_emotion", "doctor_emotion"]}``: item k of every list
        belongs to unit k; None where a unit was not asked. By default the touchpoints of the study's journey.
    names : list of str, or mapping of str to labels, optional
        Units in order, ``{"queue": {"en": "Queueing", "zh": "排队"}, …}`` for both languages. By default the
        touchpoints or items of the first list.
    unit : str, optional
        Name of the column that says which unit a row is about, with codes 1, 2, …; ``"unit"``, of a journey
        ``"touchpoint"``.
    keep : list of str, optional
        Columns of the respondent that are repeated on each row; by default all that are not stacked. Those of
        the sample design always are.
    labels : mapping of new column to str or labels, optional

    Returns
    -------
    Survey
        Columns: what was kept, ``respondent_row`` (row in ``survey``, from 1), the unit column (of a journey ``stage`` too),
        the new columns. The PSU is the declared one; where none is declared the respondent id of the study, if it
        lies within strata, else the row. Missing answers keep their reasons.

    Raises
    ------
    SurveyError
        If lists differ in length, name unknown or repeated items, items that differ in scale, direction or meaning
        of a missing code, columns of the design, or a new name is taken.

    Notes
    -----
    Every respondent has a row per unit, also for units without an answer: who answered what is then the analysis'
    own business, and a raked weight stays raked (targets are multiplied by the number of units), so that each replicate
    rakes the same margins. Columns that a study derived or recoded are the respondent's, computed before stacking
    and repeated. Weights are repeated too: means are means over ratings, totals count ratings.

    A regression on the rows estimates what ``pandas.melt`` with weighted least squares does; taking the rows for
    independent would make its intervals too narrow by up to the root of the number of units. R: ``svydesign(ids = ~id)`` on
    the long data.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"queue": [4, 6], "doctor": [8, 9], "queue_mood": [-1, 1], "doctor_mood": [3, 4], "age": [30, 60]})
    >>> long = stack(Survey.from_frame(df), {"experience": ["queue", "doctor"], "emotion": ["queue_mood", "doctor_mood"]})
    >>> long.data[["age", "respondent_row", "unit", "experience", "emotion"]].astype(int).values.tolist()
    [[30, 1, 1, 4, -1], [30, 1, 2, 8, 3], [60, 2, 1, 6, 1], [60, 2, 2, 9, 4]]
    >>> long.design.psu, len(long.where(unit="queue"))
    ('respondent_row', 2)
    """
    _check_types(survey, layout)
    plan = _of_journey(survey, unit, labels) if layout is None else _of_layout(survey, layout, names, unit, labels)
    if layout is None and names is not None:
        raise SurveyError("names goes with layout; the units of a journey are the study's touchpoints.")
    kept = _kept(survey, plan, keep)
    count = len(plan.units)
    place = np.repeat(np.arange(len(survey.data)), count)
    data = survey.data[kept].iloc[place].reset_index(drop=True)
    columns, items = _made(survey, plan, place)
    reasons = _reasons(survey, plan, kept, place)
    codebook = Codebook({n: survey.codebook.items.get(n, Item(n)) for n in kept}).with_items(*items)
    sets = tuple(s for s in survey.codebook.sets if set(s.items) <= set(kept))
    return replace(
        survey,
        data=data.assign(**columns),
        codebook=replace(codebook, sets=sets),
        roles=_roles(survey, kept),
        design=_design(survey, plan, kept),
        missing_reasons=reasons,
        domain=np.repeat(survey.domain, count),
        notes=(*survey.notes, f"stacked: {len(place):,} rows, {count} per respondent ({plan.unit})"),
        filter="",
    )


def _of_journey(survey: Survey, unit: str | None, labels: Mapping[str, Texts | str] | None) -> _Plan:
    """Touchpoints of the study, with what was asked about them."""
    points = survey.roles.touchpoints
    if not points:
        raise SurveyError(
            "layout: the survey declares no touchpoints; declare a journey in study.yml, or pass "
            'layout={"new column": ["item", …], …}.'
        )
    asked: dict[str, list[str | None]] = {
        "experience": [p.item for p in points],
        "expectation": [p.expectation for p in points],
        "emotion": [p.emotion for p in points],
    }
    stages = list(dict.fromkeys(p.stage for p in points))
    values: dict[Code, Texts] = {
        float(k + 1): {FILE: s, **survey.roles.labels.get(s, {})} for k, s in enumerate(stages)
    }
    plan = _Plan(
        {name: items for name, items in asked.items() if any(items)},
        unit or "touchpoint",
        [{FILE: p.name, **p.labels} for p in points],
        labels or {},
        ([float(stages.index(p.stage) + 1) for p in points], values),
    )
    _check(survey, plan)
    return plan


def _check_types(survey: object, layout: object) -> None:
    if not isinstance(survey, Survey):
        raise SurveyError(f"survey is a {type(survey).__name__}; stack starts from a Survey, before any analysis.")
    if layout is not None and not isinstance(layout, Mapping):
        raise SurveyError(f'layout is {layout!r}; pass {{"new column": ["item", …], …}}.')


def _of_layout(
    survey: Survey, layout: Layout, names: Any, unit: str | None, labels: Mapping[str, Texts | str] | None
) -> _Plan:
    """What the caller named."""
    lists: dict[str, list[str | None]] = {
        name: [items] if isinstance(items, str) else list(items) for name, items in layout.items()
    }
    if not lists or not all(lists.values()):
        raise SurveyError('layout is empty; pass {"new column": ["item", …], …}.')
    lengths = {name: len(items) for name, items in lists.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{n!r} {k}" for n, k in lengths.items())
        raise SurveyError(
            f"layout has lists of {len(set(lengths.values()))} lengths ({said}); item k of every list belongs to unit k: "
            "put None where a unit was not asked."
        )
    plan = _Plan(
        lists,
        unit or "unit",
        _units(survey, next(iter(lists.values())), names),
        labels or {},
    )
    _check(survey, plan)
    return plan


def _units(survey: Survey, first: Sequence[str | None], names: Any) -> list[Texts]:
    """Labels of the units in order."""
    if names is None:
        points = {p.item: p for p in survey.roles.touchpoints}
        known = [survey.codebook.items.get(i) if i else None for i in first]
        return [
            {**(item.labels if item else {}), **(points[i].labels if i in points else {}), FILE: i or str(k + 1)}
            for k, (i, item) in enumerate(zip(first, known, strict=True))
        ]
    if isinstance(names, Mapping):
        units: list[Texts] = [{FILE: str(n), **texts} for n, texts in names.items()]
    else:
        units = [{FILE: str(n)} for n in ([names] if isinstance(names, str) else names)]
    if len(units) != len(first):
        raise SurveyError(f"names has {len(units)} units, the lists of layout {len(first)} items; name one per item.")
    texts = [u[FILE] for u in units]
    twice = sorted({t for t in texts if texts.count(t) > 1})
    if twice:
        raise SurveyError(f"names has {len(twice)} units more than once: {', '.join(map(repr, twice))}.")
    return units


def _check(survey: Survey, plan: _Plan) -> None:
    """Refuse unknown, repeated and design columns, and labels for columns that are not made."""
    for name, items in plan.layout.items():
        asked = [i for i in items if i is not None]
        unknown = [i for i in asked if i not in survey.data.columns]
        if unknown:
            raise unknown_names(f"layout[{name!r}]", unknown, survey.data.columns)
        twice = sorted({i for i in asked if asked.count(i) > 1})
        if twice:
            raise SurveyError(
                f"layout[{name!r}] names {len(twice)} item{'s' * (len(twice) > 1)} more than once: {', '.join(map(repr, twice))}."
            )
        if not asked:
            raise SurveyError(f"layout[{name!r}] holds None only; leave it out.")
    made = [plan.unit, *plan.layout]
    if plan.unit in plan.layout:
        raise SurveyError(f"unit is {plan.unit!r}, which is also a new column of layout; give it another name.")
    unknown = [n for n in plan.labels if n not in made]
    if unknown:
        raise unknown_names("labels", unknown, made, "the stacked survey")
    design = set(survey.design.columns().values())
    inside = sorted(design & _stacked(plan))
    if inside:
        raise SurveyError(
            f"layout names {len(inside)} columns of the sample design ({', '.join(map(repr, inside))}); a design is not stacked."
        )


def _stacked(plan: _Plan) -> set[str]:
    return {i for items in plan.layout.values() for i in items if i is not None}


def _kept(survey: Survey, plan: _Plan, keep: Sequence[str] | None) -> list[str]:
    """Columns of the respondent that go along, in file order."""
    raked = survey.design.raked
    always = {*survey.design.columns().values(), *([*raked.margins] if raked else [])}
    always |= {c for c in ((raked.start, raked.within, raked.by) if raked else ()) if c}
    always |= {c for c in (survey.roles.respondent, survey.roles.wave) if c is not None and c in survey.data.columns}
    if keep is None:
        wanted = {str(c) for c in survey.data.columns} - _stacked(plan)
    else:
        named = [keep] if isinstance(keep, str) else list(keep)
        unknown = [c for c in named if c not in survey.data.columns]
        if unknown:
            raise unknown_names("keep", unknown, survey.data.columns)
        wanted = set(named)
    kept = [str(c) for c in survey.data.columns if c in wanted | always]
    made = [ROW, plan.unit, *plan.layout, *(["stage"] if plan.stages else [])]
    taken = [n for n in made if n in kept]
    if taken:
        raise SurveyError(
            f"layout makes {len(taken)} column{'s' * (len(taken) > 1)} with a name that is taken by the respondent's: {', '.join(map(repr, taken))}; choose other "
            "names, or leave them out of keep."
        )
    return kept


def _made(survey: Survey, plan: _Plan, place: np.ndarray) -> tuple[dict[str, np.ndarray], list[Item]]:
    """New columns and their items."""
    rows, count = len(survey.data), len(plan.units)
    codes = np.arange(1.0, count + 1)
    columns = {ROW: place + 1.0, plan.unit: np.tile(codes, rows)}
    items = [
        Item(ROW, _COLUMNS[ROW], measure="nominal"),
        Item(
            plan.unit,
            _texts(plan, plan.unit, _COLUMNS.get(plan.unit, _COLUMNS["unit"])),
            {float(c): texts for c, texts in zip(codes, plan.units, strict=True)},
            "nominal",
        ),
    ]
    if plan.stages:
        of_unit, values = plan.stages
        columns["stage"] = np.tile(of_unit, rows)
        items.append(Item("stage", _COLUMNS["stage"], values, "ordinal"))
    empty = np.full(rows, np.nan)
    for name, asked in plan.layout.items():
        columns[name] = np.column_stack([empty if i is None else survey.values(i) for i in asked]).ravel()
        items.append(_item(survey, name, plan))
    return columns, items


def _texts(plan: _Plan, name: str, default: Texts) -> Texts:
    given = plan.labels.get(name, default)
    return {FILE: given} if isinstance(given, str) else given


def _item(survey: Survey, name: str, plan: _Plan) -> Item:
    """One item for all units: what they have in common, and an error where they contradict one another."""
    sources = [survey.codebook.items.get(i, Item(i)) for i in plan.layout[name] if i is not None]
    scales = list(dict.fromkeys(s.scale for s in sources if s.scale is not None))
    if len(scales) > 1:
        said = "; ".join(f"{a:g} to {b:g}: {next(s.name for s in sources if s.scale == (a, b))!r}" for a, b in scales)
        raise SurveyError(
            f"layout[{name!r}] mixes {len(scales)} response scales ({said}); bring the items to one scale before stacking."
        )
    if len({s.higher_is_better for s in sources}) > 1:
        odd = [s.name for s in sources if not s.higher_is_better]
        raise SurveyError(
            f"layout[{name!r}] mixes directions: less is better for {len(odd)} of {len(sources)} items ({', '.join(map(repr, odd[:5]))}); "
            "turn them before stacking."
        )
    missing: dict[float, str] = {}
    for source in sources:
        for code, reason in source.missing.items():
            if missing.setdefault(code, reason) != reason:
                raise SurveyError(
                    f"layout[{name!r}]: missing code {code:g} means {missing[code]!r} for some items and {reason!r} for "
                    f"{source.name!r}; give it one meaning before stacking."
                )
    values = {c: v for c, v in sources[0].values.items() if all(s.values.get(c, v) == v for s in sources)}
    ranges = tuple(dict.fromkeys(r for s in sources for r in s.missing_ranges))
    measures = {s.measure for s in sources}
    return Item(
        name, _texts(plan, name, _COLUMNS.get(name, {})), values, measures.pop() if len(measures) == 1 else "unknown",
        scale=scales[0] if scales else None, higher_is_better=sources[0].higher_is_better, missing=missing,
        missing_ranges=ranges,
    )  # fmt: skip


def _reasons(survey: Survey, plan: _Plan, kept: Sequence[str], place: np.ndarray) -> pd.DataFrame:
    """Reasons of missing answers: repeated for what was kept, gathered for what was stacked."""
    known = survey.missing_reasons
    if not len(known.columns):
        return pd.DataFrame(index=range(len(place)))
    out = known[[c for c in known.columns if c in kept]].iloc[place].reset_index(drop=True)
    empty = np.full(len(survey.data), np.nan)
    gathered = {
        name: np.column_stack([known[i].to_numpy(dtype=float) if i in known else empty for i in items]).ravel()
        for name, items in plan.layout.items()
        if any(i in known for i in items)
    }
    return out.assign(**gathered)


def _roles(survey: Survey, kept: Sequence[str]) -> Roles:
    """Roles whose items are still there; drivers and touchpoints are what was stacked, and go."""
    old, there = survey.roles, set(kept)

    def whole(group: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {name: items for name, items in group.items() if set(items) <= there}

    return Roles(
        respondent=old.respondent if old.respondent in there else ROW,
        wave=old.wave if old.wave in there else None,
        outcomes=whole(old.outcomes),
        layers=whole(old.layers),
        segments=tuple(s for s in old.segments if s in there),
        comments=tuple(c for c in old.comments if c in there),
        targets=old.targets,
        labels=old.labels,
    )


def _design(survey: Survey, plan: _Plan, kept: Sequence[str]) -> SampleDesign:
    """The declared design, with the respondent as PSU where no coarser one is declared."""
    declared, raked, count = survey.design, survey.design.raked, len(plan.units)
    return replace(
        declared,
        psu=declared.psu or _respondent(survey, kept),
        raked=replace(raked, targets=_times(raked, count)) if raked else None,
        stacked=plan.unit,
    )


def _times(raked: Raked, count: int) -> tuple[tuple[tuple[Any, float], ...], ...]:
    return tuple(tuple((code, total * count) for code, total in target) for target in raked.targets)


def _respondent(survey: Survey, kept: Sequence[str]) -> str:
    """The study's respondent id if it is complete and lies within strata, else the row."""
    name, stratum = survey.roles.respondent, survey.design.stratum
    if name is None or name not in kept or survey.data[name].isna().any():
        return ROW
    if stratum is None:
        return name
    return name if survey.data.groupby(name)[stratum].nunique(dropna=False).max() == 1 else ROW
