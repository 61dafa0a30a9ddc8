"""What if ratings rose: expected change of the outcome, and the best use of a budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import p_values
from cxlab.design import kish_base
from cxlab.drivers._boxes import boxes
from cxlab.drivers._budget import Plan, plan
from cxlab.drivers._outcomes import NPS
from cxlab.drivers._prepare import Prepared, prepare
from cxlab.drivers._scenario import (
    Model,
    better,
    check_replicates,
    check_survey,
    in_units,
    interval,
    model,
    place,
    replicate_blocks,
    scale_ends,
)
from cxlab.drivers._what_if_result import FORMATS, HEADINGS, TITLE, TOGETHER, WhatIfResult
from cxlab.errors import SurveyError
from cxlab.metrics import cells, design_notes
from cxlab.result import Base, reliability
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Figure, Note

FloatArray = np.ndarray[Any, np.dtype[Any]]


def what_if(
    survey: Survey,
    outcome: str = "satisfaction",
    *,
    changes: Mapping[str, float] | None = None,
    drivers: Sequence[str] | None = None,
    by: str | None = None,
    cost: Mapping[str, float] | None = None,
    budget: float | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> WhatIfResult:
    """How much higher would the outcome be expected if ratings rose, and what is the best use of a budget?

    Parameters
    ----------
    survey : Survey
    outcome : str
        Column or role: points of its mean, the change of its top-2 and NPS being in ``.boxes``. ``"nps(recommend)"``: points of
        NPS. An outcome of two values, such as ``"renewed"`` or ``"satisfaction >= 9"``: the share of the higher one.
    changes : mapping of driver to points
        Points of the driver's own scale that everybody's answer moves by, negative for less. With a budget: the largest
        change that is considered, in steps of one point; by default one point for the better of every driver in ``cost``.
    drivers : list of str, optional
        Drivers of the full model, see :func:`key_drivers`.
    by : str, optional
        Segment. Coefficients stay those of all respondents; answers and base are the segment's.
    cost : mapping of driver to number, optional
        Cost of one point (of the change asked for, whether or not all can move), at least 0; at most 15 drivers.
    budget : float, optional
        What may be spent, in the units of ``cost``; may be infinite.
    replicates : int
        At least 100.
    seed : int
    level : float

    Returns
    -------
    WhatIfResult
        One row per changed driver, per segment where asked, and one with driver ``"together"``: ``[segment], driver, change,
        effective_change`` (mean change that the scale leaves room for), ``effect`` (of +1 point in the full model),
        ``estimate`` (of the outcome's mean: effect × effective_change), ``se, low, high, p_value, before, after`` (mean of the
        outcome; NPS; a share from 0 to 1), ``base, base_effective, reliability``. With a budget also ``cost`` (spent on it) and ``chosen`` (share of
        replicates in which the driver is in the best set). ``.plan`` has the naive and the honest gain; ``.boxes``
        approximate changes of top-2 and NPS.

    Raises
    ------
    SurveyError
        For an unknown driver, a change beyond the scale, a negative cost or budget, a cost without a budget or the
        reverse, a budget together with ``by``, or too few respondents or replicates.

    Notes
    -----
    Σ_j b_j · mean(clip(x_j + δ_j, low, high) − x_j): on a scale of 0–10 a respondent at 10 cannot move up, one at 9.5 moves by
    half a point. b_j and the mean are taken under the same replicate weights. Rows with a missing answer leave.

    One formula for all outcomes, as each is a mean of what every respondent contributes: the answer itself; 100, 0 or −100
    as promoter, passive or detractor; 1 or 0 (linear probability model). So gains of several drivers add up, and sums over
    respondents suffice. The line knows no 0 %, 100 % or end of a scale: a prediction beyond is said in the notes. The
    logit and ordinal models are for :func:`key_drivers`, where single effects are asked and not sums of changes.

    The best set is an exact knapsack. Its gain on the data that chose it is too high (winner's curse). The honest gain:
    respondents are split at random into halves 100 times, whole PSUs within strata; the set is chosen on each half and
    counted on the other. Its interval has the replicate standard error of the gain of the set chosen on all.

    Classes of the outcome: an answer y stands for everything that rounds to it, spread evenly over y ± ½; each respondent's y moves
    by Σ_j b_j × own room, and the share beyond the boundary of the class is counted. An approximation.

    Examples
    --------
    >>> import numpy as np, pandas as pd, cxlab as cx
    >>> rng = np.random.default_rng(3)
    >>> df = pd.DataFrame(rng.integers(0, 11, (400, 2)), columns=["queue", "doctor"])
    >>> df["satisfaction"] = 0.5 * df["queue"] + 0.2 * df["doctor"] + rng.normal(size=400)
    >>> found = what_if(cx.Survey.from_frame(df), changes={"queue": 1}, drivers=["queue", "doctor"], replicates=200)
    >>> found.table[["driver", "effective_change", "estimate"]].round(1).values.tolist()
    [['queue', 0.9, 0.5], ['together', 0.9, 0.5]]
    """
    check_survey("what_if", survey)
    check_replicates(replicates)
    _check_numbers(changes=changes, cost=cost)
    _check_money(cost, budget, by)
    prepared, unit = in_units(prepare(survey, outcome, drivers))
    outcome = prepared.outcome
    wanted = _wanted(survey, prepared, changes, cost)
    places = place(prepared, "changes" if changes else "cost", wanted)
    names = [prepared.drivers[j] for j in places]
    ends = scale_ends(survey, names)
    deltas = np.array([wanted[n] for n in names], dtype=float)
    _check_changes(names, deltas, ends)
    groups = cells(survey, by)
    group = _group(groups.inside[prepared.rows])
    found = model(prepared, replicate_blocks(prepared, replicates, seed), places, ends, group)
    chosen = None
    if cost is not None and budget is not None:
        rates = np.array([cost[n] for n in names], dtype=float)
        chosen = plan(prepared, found, (places, ends), deltas, rates, (budget, better(survey, prepared.outcome), seed))
        deltas = chosen.changes
    parts = found.scenario.parts(deltas)
    table = _table(prepared, found, parts, deltas, (groups.keys, group, level))
    if chosen is not None:
        spent = np.append(chosen.costs, chosen.costs.sum())
        table["cost"], table["chosen"] = spent, np.append(chosen.often, np.nan)
    gain = parts[1].sum(axis=0)
    plain = by is None and chosen is None
    classes = (
        boxes(survey, prepared, found, (places, ends, deltas), (replicates, seed, level)) if plain else pd.DataFrame()
    )
    call = {"changes": changes, "drivers": drivers, "by": by, "cost": cost, "budget": budget, "replicates": replicates,
            "seed": seed, "level": level}  # fmt: skip
    return WhatIfResult(
        table,
        Base(len(prepared.rows), kish_base(prepared.weights), prepared.excluded, prepared.excluded_share),
        _notes(prepared, survey, (by, chosen is not None, len(classes) > 0), unit, table),
        {**HEADINGS, **prepared.labels, **groups.labels},
        _call(survey, outcome, call),
        {lang: TITLE[lang].format(prepared.labels[outcome][lang]) for lang in LANGUAGES},
        FORMATS[unit],
        level,
        outcome=outcome,
        kind=unit,
        boxes=classes,
        plan=_plan_row(chosen, gain, prepared.df, level) if chosen is not None else pd.DataFrame(),
        replicates=pd.DataFrame(gain[1:], columns=[str(k.get("segment", k.get("wave", "all"))) for k in groups.keys]),
    )


def _check_numbers(**given: object) -> None:
    for argument, value in given.items():
        if value is not None:
            _check_number(argument, value)


def _check_number(argument: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise SurveyError(f"{argument} is {value!r}; give a number for each driver: {argument}={{driver: 1}}.")
    bad = [f"{k!r} ({v!r})" for k, v in value.items() if isinstance(v, bool) or not isinstance(v, Real)]
    if bad:
        raise SurveyError(f"{argument}: {len(bad)} of {len(value)} values are no numbers: {', '.join(bad)}.")


def _check_money(cost: Mapping[str, float] | None, budget: float | None, by: str | None) -> None:
    if budget is not None and cost is None:
        raise SurveyError(f"budget is {budget:g}, but no cost is given; pass cost={{driver: cost of one point}}.")
    if cost is None:
        return
    if budget is None:
        raise SurveyError('cost is given without budget; pass budget= (float("inf") for no limit).')
    if not budget >= 0:
        raise SurveyError(f"budget is {budget:g}; it must be 0 or more.")
    bad = [f"{k!r} ({v:g})" for k, v in cost.items() if not (v >= 0 and np.isfinite(v))]
    if bad:
        raise SurveyError(f"cost of {len(bad)} drivers is not a number of 0 or more: {', '.join(bad)}.")
    if not 0 < len(cost) <= _MOST:
        raise SurveyError(f"cost names {len(cost)} drivers; the best set is chosen among 1 to {_MOST}.")
    if by is not None:
        raise SurveyError(
            f"by={by!r} and budget cannot be combined; use survey.where(...) for the best set of one segment."
        )


_MOST = 15


def _wanted(
    survey: Survey, prepared: Prepared, changes: Mapping[str, float] | None, cost: Mapping[str, float] | None
) -> dict[str, float]:
    """Change asked of each driver."""
    if not (changes or (changes is None and cost is not None)):
        raise SurveyError('changes is empty; name at least one driver: changes={"queue": +1}.')
    if cost is None:
        return dict(changes or {})
    place(prepared, "cost", cost)
    if changes is None:
        return {d: 1.0 if survey.higher_is_better(d) else -1.0 for d in cost}
    place(prepared, "changes", changes)
    free, still = sorted(set(changes) - set(cost)), sorted(set(cost) - set(changes))
    if free or still:
        raise SurveyError(
            f"changes and cost must name the same drivers; without a cost: {', '.join(map(repr, free)) or 'none'}; without a "
            f"change: {', '.join(map(repr, still)) or 'none'}."
        )
    return dict(changes)


def _check_changes(names: Sequence[str], deltas: FloatArray, ends: FloatArray) -> None:
    for name, delta, (low, high) in zip(names, deltas, ends, strict=True):
        if not np.isfinite(delta):
            raise SurveyError(f"changes: {name!r} is {delta}; give a number of points.")
        if abs(delta) > high - low:
            raise SurveyError(
                f"changes: {name!r} is to move by {delta:+g} points, but its scale runs {low:g}–{high:g}; at most "
                f"{high - low:g} points are possible."
            )


def _group(inside: np.ndarray) -> np.ndarray:
    """Number of each row's segment, −1 for none."""
    return np.where(inside.any(axis=1), inside.argmax(axis=1), -1).astype(np.intp)


def _table(
    prepared: Prepared,
    found: Model,
    parts: tuple[FloatArray, FloatArray],
    deltas: FloatArray,
    of: tuple[Any, np.ndarray, float],
) -> pd.DataFrame:
    """One row per segment and driver, and one for all drivers together."""
    keys, group, level = of
    effective, gain = parts  # (p, sets, segments)
    gain = np.concatenate([gain, gain.sum(axis=0, keepdims=True)])
    count = len(keys)
    weights = [prepared.weights[group == g] for g in range(count)]
    names = [prepared.drivers[j] for j in found.places] + [TOGETHER]
    single = len(deltas) == 1
    rows = []
    for g, key in enumerate(keys):
        estimate = gain[:, 0, g]
        spread = interval(gain[:, 1:, g].T, estimate, prepared.df, level)
        base = kish_base(weights[g])
        rows.append(pd.DataFrame({
            **dict.fromkeys(key, None), "driver": names, "change": np.append(deltas, deltas[0] if single else np.nan),
            "effective_change": np.append(effective[:, 0, g], effective[0, 0, g] if single else np.nan),
            "effect": np.append(found.scenario.coefficients[0], np.nan), "estimate": estimate, **spread,
            "p_value": p_values(estimate, spread["se"], prepared.df), "before": found.outcome[0, g],
            "after": found.outcome[0, g] + estimate, "base": len(weights[g]), "base_effective": base,
            "reliability": reliability(base),
        }).assign(**key))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def _plan_row(chosen: Plan, gain: FloatArray, df: float, level: float) -> pd.DataFrame:
    honest = np.array([chosen.honest])
    row = {k: float(v[0]) for k, v in interval(gain[1:], honest, df, level).items()}
    facts = {"budget": chosen.budget, "spent": chosen.costs.sum(), "naive": float(gain[0, 0]), "honest": chosen.honest}
    return pd.DataFrame([{**facts, **row, "same_set": chosen.same, "lower": chosen.better < 0}])


def _notes(
    prepared: Prepared, survey: Survey, kind: tuple[str | None, bool, bool], unit: str, table: pd.DataFrame
) -> tuple[Mapping[str, str], ...]:
    by, planned, approximate = kind
    label = prepared.labels[prepared.outcome]
    said = [
        Note(_LISTWISE, base=len(prepared.rows), lost=prepared.excluded, share=prepared.excluded_share),
        Note(_LINEAR),
        *([Note(_SHARE, event=label)] if unit == "share" else []),
        *([Note(NPS)] if unit == "nps" else []),
        *([Note(_POOLED)] if by else []),
        *([Note(_HONEST)] if planned else []),
        *([Note(_ROUGH)] if approximate else []),
        *_beyond(prepared, survey, unit, table),
    ]
    return (*said, *prepared.notes, *design_notes(survey))


def _beyond(prepared: Prepared, survey: Survey, unit: str, table: pd.DataFrame) -> list[Note]:
    """Say where the line leads beyond what the outcome can be."""
    scale = survey.scale(prepared.outcome) if survey.has(prepared.outcome) else None
    low, high = {"share": (0.0, 1.0), "nps": (-100.0, 100.0)}.get(unit) or scale or (-np.inf, np.inf)
    after = table.loc[table["reliability"] != "suppressed", "after"].to_numpy()
    excess = np.maximum(low - after, after - high)
    if not np.any(excess > 1e-9):
        return []
    told = {"share": ".1%", "nps": "+.1f"}.get(unit, ".2f"), {"share": ".0%", "nps": "g"}.get(unit, "g")
    worst = Figure(float(after[np.nanargmax(excess)]), told[0])
    ends = {"low": Figure(low, told[1]), "high": Figure(high, told[1])}
    return [Note(_BEYOND, after=worst, outcome=prepared.labels[prepared.outcome], **ends)]


def _call(survey: Survey, outcome: str, options: Mapping[str, Any]) -> str:
    said = "".join(f", {k}={dict(v) if isinstance(v, Mapping) else v!r}" for k, v in options.items() if v is not None)
    return f"cx.what_if(survey{survey.filter}, {outcome!r}{said})  # data {survey.data_hash}"


_LISTWISE = {
    "en": "Listwise: {base:,} respondents answered every question used; {lost:,} others ({share:.0%} of the weight) "
    "are not in these numbers.",
    "zh": "按个案剔除：{base:,} 名受访者回答了全部所用题目；其余 {lost:,} 名（占权重 {share:.0%}）未计入。",
}
_LINEAR = {
    "en": "Expected under the linear model and its association, the other drivers staying as they are; not proof of what a change would bring.",
    "zh": "按线性模型及其关联推算，假定其他因素不变；并不证明改变会带来相应结果。",
}
_SHARE = {
    "en": "Linear probability model: the share of “{event}” is carried along a straight line, in percentage points; the logit of "
    "key_drivers is meant for single effects.",
    "zh": "采用线性概率模型：“{event}”的比例按直线推算，以百分点表示；key_drivers 的 Logit 模型用于单项影响。",
}
_BEYOND = {
    "en": "The straight line leads to {after} for {outcome:in}, which can only lie between {low} and {high}: the changes are too large for this model.",
    "zh": "按直线推算，“{outcome}”将达 {after}，超出 {low} 至 {high} 的可能范围：设定的变动过大，本模型不再适用。",
}
_POOLED = {
    "en": "Effects are those of all respondents; answers, room on the scale and base are the segment's.",
    "zh": "影响系数取自全体受访者；评分、可提升空间和样本量取自各群体。",
}
_HONEST = {
    "en": "Honest gain: chosen on one random half of the respondents, counted on the other, 100 splits both ways; slightly cautious, because a half "
    "chooses less well than all.",
    "zh": "无偏收益：随机取一半受访者选方案，用另一半计算收益，重复 100 次并互换；由于半数样本选得不如全体准，结果略偏保守。",
}
_ROUGH = {
    "en": "Changes of top-2 and NPS are approximations: each answer is taken as spread evenly over the values that round to it.",
    "zh": "前两档比例与 NPS 的变化为近似值：假定每个答案在其取整区间内均匀分布。",
}
