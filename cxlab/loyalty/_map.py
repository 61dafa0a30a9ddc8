"""Loyalists, hostages, mercenaries and defectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import holm
from cxlab.design import design_notes, kish_base, resolve, t_quantile
from cxlab.errors import SurveyError
from cxlab.loyalty._groups import group_labels, groups_of, key_of
from cxlab.loyalty._lost import group_note, intention_note, lost_notes
from cxlab.loyalty._map_result import LoyaltyMapResult
from cxlab.loyalty._map_sides import TYPES, Side, side, two_cuts
from cxlab.loyalty._map_tables import Cast, costs, differences, holds, moved, shares
from cxlab.loyalty._map_words import (
    COST_HOLM,
    COST_LESS,
    GROUPS_HOLM,
    HARDER_HOLM,
    HEADINGS,
    LABELS_ONLY,
    NO_COST,
    NO_SCALE,
    TITLE,
    USUAL_CUTS,
)
from cxlab.metrics import names, value_names
from cxlab.result import Base
from cxlab.significance import table_test
from cxlab.survey import Survey
from cxlab.words import Note

USUAL_COST = "switching_cost"
_MATTERS = 0.05  # share of the scale of switching cost
_MOST_CELLS = 21


def loyalty_map(
    survey: Survey,
    satisfaction: str = "satisfaction",
    loyalty: str = "recommend",
    *,
    switching_cost: str | None = USUAL_COST,
    by: str | None = None,
    cuts: Sequence[float | None] | None = None,
    margin: float | None = None,
    level: float = 0.95,
) -> LoyaltyMapResult:
    """Who stays because they like it, who because they must, and who leaves although satisfied?

    Parameters
    ----------
    survey : Survey
        Its domain is analysed; weights, strata and PSUs count.
    satisfaction, loyalty : str
        Columns or roles; loyalty is an intention on its scale or a behaviour of 0 and 1, such as a renewal.
    switching_cost : str or None
        Column or role: how hard it would be to leave. None leaves it out, as does the default where there is no such column.
    by : str, optional
        Segment (or ``"wave"``).
    cuts : two numbers, optional
        Worst answer that still counts as satisfied, and as loyal; 70 % of the scale by default, 1 of 0 and 1. None in
        either place is its default.
    margin : float, optional
        Difference of switching cost that matters, on its scale; a twentieth of it by default.
    level : float

    Returns
    -------
    LoyaltyMapResult
        One row per (``segment`` and) type: ``type, estimate`` (share, 0–1), ``se, low, high, count`` (respondents of the
        type), ``base, base_effective, reliability``. ``.costs`` and ``.tests`` (switching cost, hostages against the
        others, with a verdict on the label), ``.harder`` (hostages of groups against each other), ``.pull`` (loyal share of satisfied and dissatisfied), ``.differences``
        of groups, ``.moved`` (either cut one step lower and higher).

    Raises
    ------
    SurveyError
        For unknown names, cuts off the scale, or everybody on one side of a cut.

    Notes
    -----
    Satisfied and loyal: loyalist; loyal only: hostage; satisfied only: mercenary; neither: defector. The label says nothing of
    motives, so it is tested: hostages should find leaving harder than defectors, who are as dissatisfied. *Held*: the difference is
    significant; *slightly*: significant, with an interval below the margin; *contradicted*: an interval below the margin
    that does not exclude 0 or lies under it; *open* otherwise. Where all of a group stay whether satisfied or not, the gap in
    ``.pull`` is near 0, and switching cost may hold the group rather than some of its members: ``.harder`` compares the
    hostages of groups. Types are compared between groups by differences of shares (Holm over types, gaps and pairs)
    and one Rao–Scott test.

    References
    ----------
    Jones & Sasser (1995), Harvard Business Review 73(6), 88–99. Burnham, Frels & Mahajan (2003), Journal of the Academy
    of Marketing Science 31, 109–126. Rao & Scott (1984), Annals of Statistics 12, 46–60.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, y = rng.integers(0, 11, (2, 400)).astype(float)
    >>> found = loyalty_map(Survey.from_frame(pd.DataFrame({"satisfaction": x, "recommend": y})))
    >>> found.table.set_index("type")["estimate"].round(2).to_dict()
    {'loyalist': 0.12, 'hostage': 0.2, 'mercenary': 0.27, 'defector': 0.4}
    """
    t_quantile(level, 1)
    cast, cost = _cast(survey, (satisfaction, loyalty, switching_cost), by, cuts)
    table, found = shares(cast, level)
    of_costs, tests, harder = costs(cast, level)
    matters = _margin(survey, cost, cast, margin)
    if len(tests):
        tests["verdict"] = [_verdict(row, matters, level) for row in tests.itertuples(index=False)]
    pull, apart = holds(cast, level)
    apart = pd.concat([differences(cast, found, level), apart], ignore_index=True) if by is not None else pd.DataFrame()
    if len(apart):
        apart["p_value"] = holm(apart["p_raw"].to_numpy())
    alike = _alike(cast) if by is not None else float("nan")
    labels: dict[Any, Mapping[str, str]] = {
        **HEADINGS,
        **{n: names(survey, n) for n in (satisfaction, loyalty, cost) if n},
    }
    labels |= group_labels(survey, by, list(cast.codes)) | _answers(survey, cast.loyalty)
    w = survey.weights[cast.kept]
    base = Base(
        len(w), kish_base(w), int((survey.domain & (survey.weights > 0) & ~cast.kept).sum()),
        1 - float(w.sum() / survey.weights[survey.domain].sum()),
    )  # fmt: skip
    options = {
        "switching_cost": switching_cost,
        "by": by,
        "cuts": cuts and tuple(cuts),
        "margin": margin,
        "level": level,
    }
    return LoyaltyMapResult(
        table, base, _notes(survey, cast, (by, cuts, cost), (apart, alike, tests, harder)), labels,
        _call(survey, satisfaction, loyalty, options), TITLE,
        {"estimate": ".0%", "low": ".0%", "high": ".0%", "se": ".3f"},
        level=level, satisfaction=satisfaction, loyalty=loyalty, switching_cost=cost, at=cast.satisfaction.said(),
        loyal_at=cast.loyalty.said(), margin=matters, costs=of_costs, tests=tests, harder=harder, pull=pull, differences=apart,
        moved=moved(cast, level), cells=_cells(cast), alike=alike,
    )  # fmt: skip


def _cast(
    survey: Survey, asked: tuple[str, str, str | None], by: str | None, cuts: Sequence[float | None] | None
) -> tuple[Cast, str | None]:
    """Everybody in their group, and the name of the switching cost where there is one."""
    satisfaction, loyalty, cost = asked
    if cost == USUAL_COST and not survey.has(cost):
        cost = None
    for argument, name in (("satisfaction", satisfaction), ("loyalty", loyalty), ("switching_cost", cost)):
        survey.require(argument, [name] if name else [])
    if survey.items_of(loyalty) == survey.items_of(satisfaction):
        raise SurveyError(f"{loyalty!r} is the satisfaction itself; name another column.")
    given = two_cuts(cuts)
    sides = side(survey, "satisfaction", satisfaction, given[0]), side(survey, "loyalty", loyalty, given[1])
    groups = groups_of(survey, by)
    answered = survey.domain & (survey.weights > 0) & np.isfinite(sides[0].values) & np.isfinite(sides[1].values)
    group = np.full(len(answered), -1)
    for k, inside in enumerate(groups.values()):
        group[inside & answered] = k
    return Cast(
        resolve(survey), group >= 0, group, list(groups), None if by is None else key_of(by), *sides,
        None if cost is None else survey.values(cost),
    ), cost  # fmt: skip


def _margin(survey: Survey, cost: str | None, cast: Cast, margin: float | None) -> float:
    """Difference of switching cost that matters."""
    if margin is not None:
        if not margin > 0:
            raise SurveyError(f"margin is {margin!r}; the difference of switching cost that matters is above 0.")
        return float(margin)
    if cost is None or cast.cost is None:
        return 0.0
    there = cast.cost[cast.kept & np.isfinite(cast.cost)]
    if not len(there):
        raise SurveyError(
            f"switching_cost {cost!r} is missing for all {int(cast.kept.sum()):,} respondents; name another column, or None."
        )
    low, high = survey.scale(cost) or (float(there.min()), float(there.max()))
    return _MATTERS * (high - low)


def _verdict(row: Any, margin: float, level: float) -> str:
    """What the comparison says of the label; empty for the other comparisons."""
    if row.other != "defector" or not np.isfinite(row.se):
        return ""
    if row.estimate > 0 and row.p_value < 1 - level:
        return "slightly" if row.high < margin else "held"
    return "contradicted" if row.high < margin else "open"


def _alike(cast: Cast) -> float:
    """p-value of equal shares of all types in all groups; NaN where fewer than two of either occur."""
    kind, group = cast.kind()[cast.kept], cast.group[cast.kept]
    if len(np.unique(kind)) < 2 or len(np.unique(group)) < 2:
        return float("nan")
    rows, columns = np.full((2, len(cast.kept)), -1)
    rows[cast.kept] = np.unique(group, return_inverse=True)[1]
    columns[cast.kept] = np.unique(kind, return_inverse=True)[1]
    return float(table_test(cast.design, rows, columns).p_value)


def _answers(survey: Survey, loyalty: Side) -> dict[Any, dict[str, str]]:
    """Wordings of 0 and 1."""
    items = survey.items_of(loyalty.name)
    item = survey.codebook.items.get(items[0])
    if not loyalty.binary or len(items) > 1 or item is None or not item.values:
        return {}
    return {("loyalty", code): value_names(survey, items[0], code) for code in (0.0, 1.0)}


def _cells(cast: Cast) -> pd.DataFrame:
    """Weighted share of every pair of answers; many different ones are rounded to the step of their cut."""
    at, inside = [], cast.kept.copy()
    for one in (cast.satisfaction, cast.loyalty):  # an answer off the scale counts, but is not drawn
        inside &= (one.values >= one.ends[0]) & (one.values <= one.ends[1])
    for one in (cast.satisfaction, cast.loyalty):
        values = one.values[inside]
        if len(np.unique(values)) > _MOST_CELLS:
            values = one.cut + one.step * (np.floor((values - one.cut) / one.step) + 0.5)
        at.append(values)
    frame = pd.DataFrame({
        "satisfaction": at[0], "loyalty": at[1], "share": cast.design.weights[inside],
        "type": np.array(TYPES)[cast.kind()[inside]],
    })  # fmt: skip
    frame["share"] /= frame["share"].sum()
    return frame.groupby(["satisfaction", "loyalty", "type"])["share"].sum().reset_index()


def _notes(
    survey: Survey, cast: Cast, asked: tuple[str | None, Any, str | None], found: tuple[pd.DataFrame, float, pd.DataFrame, pd.DataFrame]
) -> tuple[Mapping[str, str], ...]:  # fmt: skip
    """Cuts, families, who left, and what the labels do not say."""
    (by, cuts, cost), (apart, alike, tests, harder) = asked, found
    sides: tuple[Side, Side] = (cast.satisfaction, cast.loyalty)
    answered = 0 if cast.cost is None else int((cast.kept & np.isfinite(cast.cost)).sum())
    whole = int(cast.kept.sum())
    no_scale = any(survey.scale(s.name) is None and not s.binary for s in sides)
    notes: list[tuple[bool, Note]] = [
        (cuts is None, Note(USUAL_CUTS)), (no_scale, Note(NO_SCALE)), (cost is None, Note(NO_COST)),
        (cost is not None and answered < whole,
         Note(COST_LESS, item=names(survey, cost) if cost else {}, base=answered, whole=whole)),
        (len(tests) > 0, Note(COST_HOLM, tests=int(tests["p_value"].notna().sum()) if len(tests) else 0)),
        (len(harder) > 0, Note(HARDER_HOLM, tests=int(harder["p_value"].notna().sum()) if len(harder) else 0)),
        (by is not None and len(apart) > 0,
         Note(GROUPS_HOLM, tests=int(apart["p_raw"].notna().sum()) if len(apart) else 0, p=alike)),
        (True, Note(LABELS_ONLY)),
    ]  # fmt: skip
    groups = {None: survey.domain} if by is None else groups_of(survey, by)
    answers = survey.domain & np.isfinite(sides[0].values) & np.isfinite(sides[1].values)
    return (
        *(note for said, note in notes if said), *intention_note(survey, cast.loyalty.name, cast.loyalty.binary),
        *lost_notes(survey, [s.name for s in sides], answers), *group_note(survey, groups), *design_notes(survey),
    )  # fmt: skip


def _call(survey: Survey, satisfaction: str, loyalty: str, options: Mapping[str, Any]) -> str:
    usual: dict[str, Any] = {"switching_cost": USUAL_COST, "by": None, "cuts": None, "margin": None, "level": 0.95}
    said = "".join(f", {n}={v!r}" for n, v in options.items() if v != usual[n])
    return f"cx.loyalty_map(survey{survey.filter}, {satisfaction!r}, {loyalty!r}{said})"
