"""Asymmetry: does a driver cost more when it is bad than it gains when it is good?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import linalg

from cxlab.contrasts import detectable, holm, p_values
from cxlab.covariances import structurally_missing
from cxlab.design import kish_base, t_quantile
from cxlab.drivers._asymmetry_result import (
    DELIGHTER,
    FORMATS,
    HEADINGS,
    MUST_BE,
    OPEN,
    PERFORMANCE,
    POWER,
    TITLE,
    AsymmetryResult,
)
from cxlab.drivers._layout import is_factor
from cxlab.drivers._prepare import SET_ASIDE, Prepared, named, prepare
from cxlab.drivers._scenario import better, check_points, check_survey, records, scale_ends
from cxlab.errors import SurveyError, one_of, unknown_names
from cxlab.metrics import design_notes
from cxlab.quality.respondents import MIN_BATTERY, straight_lining
from cxlab.result import Base, reliability
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
_SIDE = 0.10  # share of the weight that each side of a knot needs


@dataclass(frozen=True, eq=False)
class _Fit:
    """Slopes of one driver at each of its knots, arrays of shape (knots,); covariances (knots, 2, 2)."""

    knots: FloatArray
    slopes: FloatArray
    covariance: FloatArray
    sides: FloatArray
    place: int
    df: float
    base: int
    base_effective: float


def asymmetry(
    survey: Survey,
    outcome: str = "satisfaction",
    drivers: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    *,
    knots: float | Sequence[float] | Mapping[str, float | Sequence[float]] | None = None,
    straight_liners: str = "leave out",
    margin: float = 2.0,
    level: float = 0.95,
) -> AsymmetryResult:
    """Which drivers are must-be, which delight, and which work alike below and above?

    Parameters
    ----------
    survey : Survey
    outcome : str
        Column or role of more than two values: a share bends by itself near 0 and 100 %.
    drivers : list of str, or mapping of block to list, optional
        Columns or roles; by default all that the study declares.
    knots : number, list, or mapping of driver to either, optional
        Points where the slope may change, on the driver's own scale. By default every whole point of the scale with at
        least 10 % of the weight below and 10 % above; the verdict must hold at all of them.
    straight_liners : {"leave out", "keep"}
        Respondents who answered a whole battery alike (see :func:`cxlab.check_quality`; without a declared one the
        drivers, if at least six) bend slopes at the ends of a scale, where they are many among few.
    margin : float
        Performance: the steeper slope is less than ``margin`` times the other one; above 1.
    level : float

    Returns
    -------
    AsymmetryResult
        One row per driver: ``driver, kind`` (must-be, delighter, performance, not decided), ``reason`` (why not decided),
        ``knot`` (the middle one of those tried), ``below, below_low, below_high, above, above_low, above_high`` (points of the outcome per +1 point),
        ``estimate`` (above − below), ``se, low, high, p_value`` (Holm over drivers), ``p_raw, knot_low, knot_high`` (range tried),
        ``estimate_low, estimate_high`` (range of the estimate over knots), ``detectable`` (difference of the slopes at the middle knot that
        would be significant with 80 % power after Bonferroni over the drivers), ``share_below, share_above`` (weight on each side of the knot),
        ``base, base_effective, reliability``. ``.knots`` has every knot.

    Raises
    ------
    SurveyError
        For unknown names, an outcome of two values, a driver that nobody was asked about, knots outside the scale, too few
        respondents, or ``margin`` not above 1.

    Notes
    -----
    Weighted least squares of the outcome on min(x − k, 0) and max(x − k, 0) of every driver together, each other driver bent at its own
    middle knot: were they straight, a bend of theirs would show in the driver at hand, through what the ratings share. Drivers without an eligible
    knot stay straight and undecided. Design-based (Taylor) standard errors.

    must-be: the bend at the middle knot is negative (Holm over drivers), the slope below is above 0, and at every knot the bend is negative with
    one-sided p < 1 − level, unadjusted. Delighter: the same with the sides exchanged. Performance: neither; at every knot both slopes are
    above 0 and above > below / margin, below > above / margin, each one-sided (an equivalence test). Everything else is not decided.

    Rows: complete answers to all drivers that at most 20 % have not experienced; a driver that more have not experienced is tested among those
    who have. Less-is-better drivers are turned: slopes are per point for the better, ``below`` is the worse side. Of a less-is-better
    outcome slopes keep their sign (points of that outcome), and verdicts call "above 0" what is below it.

    References
    ----------
    Mittal, Ross & Baldasare (1998), Journal of Marketing 62, 33–47. Kano et al. (1984), Hinshitsu 14(2), 39–48.

    Examples
    --------
    >>> import numpy as np, pandas as pd, cxlab as cx
    >>> rng = np.random.default_rng(3)
    >>> df = pd.DataFrame(rng.integers(0, 11, (3000, 2)), columns=["report", "queue"])
    >>> df["satisfaction"] = 0.5 * np.minimum(df["report"], 6) + 0.3 * df["queue"] + rng.normal(size=3000)
    >>> asymmetry(cx.Survey.from_frame(df), drivers=["report", "queue"]).table[["driver", "kind"]].values.tolist()
    [['report', 'must-be'], ['queue', 'performance']]
    """
    if not margin > 1:
        raise SurveyError(
            f"margin is {margin:g}; it is how many times the steeper slope may exceed the other: above 1."
        )
    check_survey("asymmetry", survey)
    names, core, apart, unasked = _split(survey, drivers)
    unknown = [d for d in knots if d not in names] if isinstance(knots, Mapping) else []
    if unknown:
        raise unknown_names("knots", unknown, names, "the drivers")
    narrowed, liners = _without_liners(survey, straight_liners, names)
    prepared = prepare(narrowed, outcome, core or None)
    outcome = prepared.outcome
    check_points("asymmetry", prepared, "name the rating itself.")
    fits = _fits(narrowed, prepared, knots, prepared.drivers)
    for name in apart:
        own = prepare(narrowed, outcome, [*prepared.drivers, name])
        fits |= _fits(narrowed, own, knots, [name])
    order = [d for d in names if d in fits]
    bends = {d: _bend(fits[d], level) for d in order}
    table = _judged(survey, {d: fits[d] for d in order}, bends, (margin, level, better(survey, outcome)))
    said = {"knots": knots, "straight_liners": straight_liners, "margin": margin, "level": level}
    call = "".join(f", {k}={v!r}" for k, v in said.items() if v is not None)
    labels = {**prepared.labels, **{d: {lang: survey.label(d, lang) for lang in LANGUAGES} for d in apart}}
    return AsymmetryResult(
        table,
        Base(len(prepared.rows), kish_base(prepared.weights), prepared.excluded, prepared.excluded_share),
        (*_notes(survey, (liners, apart, margin, unasked)), *(() if apart else prepared.notes), *design_notes(survey)),
        {**HEADINGS, **labels},
        f"cx.asymmetry(survey{survey.filter}, {outcome!r}{'' if drivers is None else f', {names!r}'}{call})  # data {survey.data_hash}",
        {lang: TITLE[lang].format(labels[outcome][lang]) for lang in LANGUAGES},
        FORMATS,
        level,
        outcome=outcome,
        knots=pd.concat([b.assign(driver=d) for d, b in bends.items()], ignore_index=True)[
            ["driver", "knot", "below", "above", "estimate", "se", "low", "high", "p_value"]
        ],
    )


def _without_liners(survey: Survey, rule: str, drivers: Sequence[str]) -> tuple[Survey, int]:
    """The survey without those who answered a whole battery alike, and their number."""
    if rule not in ("leave out", "keep"):
        raise one_of("straight_liners", rule, ("leave out", "keep"))
    if rule == "keep":
        return survey, 0
    found, items = straight_lining(survey, None), [d for d in drivers if not is_factor(d)]
    if found.needs and len(items) >= MIN_BATTERY:  # no battery declared: the drivers are one
        found = straight_lining(survey, items)
    flagged = found.flagged["row"].to_numpy(dtype=int)
    domain = survey.domain.copy()
    domain[flagged] = False
    return (replace(survey, domain=domain), len(flagged)) if domain.any() else (survey, 0)


def _split(
    survey: Survey, drivers: Sequence[str] | Mapping[str, Sequence[str]] | None
) -> tuple[list[str], list[str], list[str], list[str]]:
    """All drivers, those that nearly all have met, those tested among the ones who have, and those that nobody was asked about."""
    given = survey.roles.drivers if drivers is None else drivers
    blocks = given.values() if isinstance(given, Mapping) else [given]
    names = [d for block in blocks for d in named("drivers", block)]
    survey.require("drivers", [n for n in names if not is_factor(n)])
    apart = [n for n in names if not is_factor(n) and structurally_missing(survey, n) > SET_ASIDE]
    unasked = [n for n in apart if not np.isfinite(survey.values(n)[survey.domain]).any()]
    if unasked and drivers is not None:
        raise SurveyError(
            f"drivers: {len(unasked)} of {len(names)} have no answer among the {int(survey.domain.sum()):,} respondents "
            f"({', '.join(map(repr, unasked))}); leave them out or widen the filter."
        )
    met = [n for n in apart if n not in unasked]
    core = [n for n in names if n not in apart]
    return (names, core, met, unasked) if core else (names, met, [], unasked)


def _fits(survey: Survey, prepared: Prepared, knots: Any, wanted: Sequence[str]) -> dict[str, _Fit]:
    """Slopes at every knot of the wanted drivers, in the model of all."""
    plain = [d for d in prepared.drivers if not is_factor(d)]
    ends = scale_ends(survey, plain)
    turned = {}
    for d, (low, high) in zip(plain, ends, strict=True):
        x = prepared.columns[:, prepared.first[prepared.drivers.index(d)]]
        turned[d] = x if survey.higher_is_better(d) else low + high - x
    tried = {}
    for d, (low, high) in zip(plain, ends, strict=True):
        tried[d] = _knots(
            d, turned[d], prepared.weights, (low, high, _given(knots, d, survey.higher_is_better(d), low + high))
        )
    used = {j for d in plain for j in prepared.layout.players[prepared.drivers.index(d)]}
    rest = [prepared.columns[:, j] for j in range(prepared.columns.shape[1] - 1) if j not in used]
    parts = {d: _hinge(turned[d], _middle(tried[d]) if len(tried[d]) else None) for d in plain}
    return {
        d: _fit(prepared, (d, turned[d], tried[d]), {k: v for k, v in parts.items() if k != d}, rest)
        for d in wanted
        if d in plain
    }


def _given(knots: Any, driver: str, up: bool, turn: float) -> FloatArray | None:
    found = knots.get(driver) if isinstance(knots, Mapping) else knots
    if found is None:
        return None
    values = np.unique(np.atleast_1d(np.asarray(found, dtype=float)))
    return values if up else np.sort(turn - values)


def _knots(driver: str, x: FloatArray, w: FloatArray, of: tuple[float, float, FloatArray | None]) -> FloatArray:
    """Points to try: those given, else whole points with enough weight on both sides."""
    low, high, given = of
    if given is not None:
        out = [k for k in given if not low < k < high]
        if out:
            raise SurveyError(
                f"knots: {', '.join(f'{k:g}' for k in out)} of {driver!r} is not inside its scale {low:g}–{high:g}; name points between its ends."
            )
    points = given if given is not None else _points(low, high)
    below, above = (np.array([w[side(x, k)].sum() for k in points]) / w.sum() for side in (np.less, np.greater))
    # two distinct answers on each side, or a slope of that side is a difference between two groups
    spread = np.array([len(np.unique(x[x <= k])) > 1 and len(np.unique(x[x >= k])) > 1 for k in points], dtype=bool)
    return points[(below >= _SIDE) & (above >= _SIDE) & spread] if len(points) else points


def _points(low: float, high: float) -> FloatArray:
    """Whole points inside the scale; twenty equal steps where there are many."""
    whole = np.arange(np.floor(low) + 1, high)
    return whole if len(whole) <= 20 else np.linspace(low, high, 21)[1:-1]


def _middle(knots: FloatArray) -> float:
    return float(knots[(len(knots) - 1) // 2])


def _hinge(x: FloatArray, knot: float | None) -> FloatArray:
    """Way below and above the knot, shape (rows, 2); the answer itself without one."""
    return x[:, None] if knot is None else np.column_stack([np.minimum(x - knot, 0), np.maximum(x - knot, 0)])


def _fit(
    prepared: Prepared,
    of: tuple[str, FloatArray, FloatArray],
    others: Mapping[str, FloatArray],
    rest: Sequence[FloatArray],
) -> _Fit:
    """Slopes of one driver at each knot, the others bent at theirs."""
    _, x, knots = of
    w, y = prepared.weights, prepared.columns[:, -1]
    fixed = np.column_stack([np.ones(len(y)), *others.values(), *rest])
    if len(y) < fixed.shape[1] + 4:
        raise SurveyError(
            f"drivers: {len(y):,} respondents answered all of them, and bent slopes take {fixed.shape[1] + 2} columns; at least "
            f"{fixed.shape[1] + 4} respondents are needed: name fewer drivers or widen the filter."
        )
    slopes, covariances, effective = [], [], []
    for knot in knots:
        design = np.column_stack([_hinge(x, knot), fixed])
        solved, inverse = _solve(design, w, y)
        influence = np.zeros((len(prepared.design.psu), 2))
        rows = (y - design @ solved)[:, None] * (design @ inverse[:, :2])
        influence[prepared.rows] = rows
        found = prepared.design.covariance(influence)
        simple = w @ (rows[:, 1] - rows[:, 0]) ** 2 * w.sum() / max(len(y) - 1, 1)
        variance = found[0, 0] + found[1, 1] - 2 * found[0, 1]
        effective.append(len(y) * simple / variance if variance > 0 else kish_base(w))
        slopes.append(solved[:2])
        covariances.append(found)
    place = (len(knots) - 1) // 2
    middle = knots[place] if len(knots) else np.nan
    sides = np.array([w[x < middle].sum(), w[x > middle].sum()]) / w.sum() if len(knots) else np.full(2, np.nan)
    base = effective[place] if len(knots) else kish_base(w)
    return _Fit(knots, np.array(slopes).reshape(-1, 2), np.array(covariances).reshape(-1, 2, 2), sides, place,
                max(prepared.df - fixed.shape[1] - 1, 1.0), len(y), float(base))  # fmt: skip


def _solve(x: FloatArray, w: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weighted least squares and (X'WX)⁻¹."""
    root = np.sqrt(w)[:, None]
    scale = np.linalg.norm(x * root, axis=0)
    q, r = np.linalg.qr(x * root / np.where(scale > 0, scale, 1))
    if np.abs(np.diagonal(r)).min() < 1e-8:
        raise SurveyError(
            f"drivers: with bent slopes the {x.shape[1]} columns repeat one another in the {len(y):,} rows; name fewer drivers, or other knots."
        )
    inverse = linalg.solve_triangular(r, np.eye(len(scale))) / scale[:, None]
    return inverse @ (q.T @ (y * root[:, 0])), inverse @ inverse.T


def _bend(fit: _Fit, level: float) -> pd.DataFrame:
    """Difference of the slopes at each knot."""
    below, above = fit.slopes.T if len(fit.knots) else (np.empty(0), np.empty(0))
    bend, se = _contrast(fit, -1.0, 1.0)
    half = t_quantile(level, fit.df) * se
    return pd.DataFrame({"knot": fit.knots, "below": below, "above": above, "estimate": bend, "se": se, "low": bend - half, "high": bend + half,
                         "p_value": p_values(bend, se, fit.df)})  # fmt: skip


def _contrast(fit: _Fit, below: float, above: float) -> tuple[FloatArray, FloatArray]:
    """Estimate and standard error of below · slope below + above · slope above, at each knot."""
    c = np.array([below, above])
    return fit.slopes @ c, np.sqrt(np.maximum(np.einsum("i,kij,j->k", c, fit.covariance, c), 0))


def _above(fit: _Fit, below: float, above: float, level: float) -> np.ndarray:
    """At which knots a contrast of the slopes is above 0, one-sided."""
    estimate, se = _contrast(fit, below, above)
    return np.asarray(estimate > t_quantile(2 * level - 1, fit.df) * se if level > 0.75 else estimate > 0)


def _judged(
    survey: Survey, fits: Mapping[str, _Fit], bends: Mapping[str, pd.DataFrame], rule: tuple[float, float, int]
) -> pd.DataFrame:
    """One row per driver with its verdict."""
    margin, level, sign = rule
    rows = []
    for d, fit in fits.items():
        bend = bends[d]
        row: dict[str, Any] = {"driver": d, "base": fit.base, "base_effective": fit.base_effective}
        if not bend.empty:
            middle = bend.iloc[fit.place]
            row |= {str(k): v for k, v in middle.rename({"p_value": "p_raw"}).items()}
            half = t_quantile(level, fit.df) * np.sqrt(np.diagonal(fit.covariance[fit.place]))
            for name, h in zip(("below", "above"), half, strict=True):
                row |= {f"{name}_low": row[name] - h, f"{name}_high": row[name] + h}
            row |= {"knot_low": fit.knots[0], "knot_high": fit.knots[-1], "estimate_low": bend["estimate"].min(), "estimate_high": bend["estimate"].max(),
                    "share_below": fit.sides[0], "share_above": fit.sides[1]}  # fmt: skip
        rows.append(row)
    table = pd.DataFrame(rows).reindex(
        columns=[c for c in _COLUMNS if c not in ("kind", "reason", "p_value", "detectable", "reliability")]
    )
    table["p_value"] = holm(table["p_raw"].to_numpy(dtype=float))
    table["detectable"] = _detectable(fits, table, level)
    faced = {d: replace(fit, slopes=sign * fit.slopes) for d, fit in fits.items()}
    verdicts = [_verdict(faced[r.driver], r.p_value, margin, level) for r in records(table)]
    table["kind"], table["reason"] = zip(*verdicts, strict=True)
    table["reliability"] = reliability(table["base_effective"])
    down = [not survey.higher_is_better(d) for d in table["driver"]]
    if any(down):
        turn = scale_ends(survey, list(table["driver"])).sum(axis=1)
        low, high = table["knot_low"].copy(), table["knot_high"].copy()
        table["knot"] = np.where(down, turn - table["knot"], table["knot"])
        table["knot_low"], table["knot_high"] = np.where(down, turn - high, low), np.where(down, turn - low, high)
        for d in table.loc[down, "driver"]:
            bends[d]["knot"] = turn[table["driver"].tolist().index(d)] - bends[d]["knot"]
    return table[_COLUMNS]


_COLUMNS = [
    "driver", "kind", "reason", "knot", "below", "below_low", "below_high", "above", "above_low", "above_high", "estimate", "se", "low", "high", "p_value",
    "p_raw", "knot_low", "knot_high", "estimate_low", "estimate_high", "detectable", "share_below", "share_above", "base", "base_effective", "reliability",
]  # fmt: skip


def _detectable(fits: Mapping[str, _Fit], table: pd.DataFrame, level: float) -> FloatArray:
    """Bend at the middle knot that would be significant in four surveys of five."""
    tests = max(int(table["se"].notna().sum()), 1)
    df = np.array([fits[d].df for d in table["driver"]])
    return np.asarray(detectable(table["se"].to_numpy(dtype=float), df, level=1 - (1 - level) / tests, power=POWER))


def _verdict(fit: _Fit, p: float, margin: float, level: float) -> tuple[str, str]:
    """Kind of a driver, and why it is not decided."""
    if not len(fit.knots):
        return OPEN, "one side"
    bent = p < 1 - level
    down, up = _above(fit, 1, -1, level), _above(fit, -1, 1, level)
    if bent and down.all():
        return (MUST_BE, "") if _above(fit, 1, 0, level)[fit.place] else (OPEN, "negative")
    if bent and up.all():
        return (DELIGHTER, "") if _above(fit, 0, 1, level)[fit.place] else (OPEN, "negative")
    if bent:
        return OPEN, "knot"
    alike = (
        _above(fit, -1 / margin, 1, level)
        & _above(fit, 1, -1 / margin, level)
        & _above(fit, 1, 0, level)
        & _above(fit, 0, 1, level)
    )
    return (PERFORMANCE, "") if alike.all() else (OPEN, "imprecise")


def _notes(survey: Survey, of: tuple[int, Sequence[str], float, Sequence[str]]) -> tuple[Mapping[str, str], ...]:
    liners, apart, margin, unasked = of
    out = [Note(_RULE, margin=margin)]
    if liners:
        out.append(Note(_LINERS, count=liners))
    if apart:
        out.append(Note(_APART, limit=SET_ASIDE, drivers=_listed(survey, apart)))
    if unasked:
        out.append(Note(_UNASKED, drivers=_listed(survey, unasked)))
    return tuple(out)


def _listed(survey: Survey, drivers: Sequence[str]) -> dict[str, str]:
    return {lang: (", " if lang == "en" else "、").join(survey.label(d, lang) for d in drivers) for lang in LANGUAGES}


_RULE = {
    "en": "The verdict must hold at every knot tried; performance means that neither slope is {margin:g} times the other (equivalence test). Slopes describe "
    "association, not what a change would cause.",
    "zh": "结论须在所有试用的转折点上成立；“期望因素”指高低两段斜率之比明确小于 {margin:g} 倍（等效检验）。斜率描述的是关联，并不证明因果。",
}
_LINERS = {
    "en": "{count:,} respondents who answered a whole battery alike are left out: at the ends of a scale they would bend the slopes.",
    "zh": "剔除了整组题目答案完全相同的 {count:,} 名受访者：他们集中在量表两端，会扭曲斜率。",
}
_UNASKED = {
    "en": "Not tested, because none of these respondents answered them: {drivers}.",
    "zh": "所选受访者均未作答，因此未检验：{drivers}。",
}
_APART = {
    "en": "Tested among those who have experienced them, because more than {limit:.0%} have not: {drivers}.",
    "zh": "超过 {limit:.0%} 的受访者未体验，因此只在体验过的受访者中检验：{drivers}。",
}
