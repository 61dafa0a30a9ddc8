"""How long customers stay, or how soon they come back: curves and hazards when some are still being followed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from cxlab.contrasts import holm, p_values
from cxlab.design import kish_base, t_quantile
from cxlab.errors import DataWarning, SmallBaseWarning, SurveyError, one_of
from cxlab.intervals import korn_graubard
from cxlab.loyalty._groups import group_labels, groups_of, key_of, keyed, replicate_weights, spread, ungrouped
from cxlab.loyalty._hazards import hazards, logrank
from cxlab.loyalty._survival_case import Case, case_of
from cxlab.loyalty._survival_result import HEADINGS, UNITS, SurvivalResult, survival_notes
from cxlab.loyalty._survival_sums import at_times, kaplan_meier
from cxlab.metrics import design_notes, names
from cxlab.result import Base, reliability
from cxlab.survey import Survey

FloatArray = np.ndarray[Any, np.dtype[Any]]
LEAST_REPLICATES, FEW_EVENTS = 100, 10
_ROUNDING = 1e-9  # of products of shares


def survival(
    survey: Survey,
    time: str,
    event: str,
    *,
    by: str | None = None,
    covariates: Sequence[str] = (),
    at: Sequence[float] = (6, 12, 18, 24),
    cumulative: bool = False,
    unit: str = "month",
    replicates: int = 500,
    seed: int = 0,
    level: float = 0.95,
) -> SurvivalResult:
    """How many customers have stayed, or come back, by when, although some are still being followed?

    Parameters
    ----------
    survey : Survey
        Its domain is analysed; weights, strata and PSUs count.
    time : str
        Column with the time from the survey to the event, or to the end of follow-up, ≥ 0.
    event : str
        Column with 1 where the event (leaving, renewing) came at that time, 0 where follow-up ended before.
    by : str, optional
        Segment (or wave); every group gets its own curve, and its own hazard ratios.
    covariates : list of str
        Columns or roles of a Cox regression: a hazard ratio per +1 point of each. Text and nominal items become indicators.
    at : list of float
        Times at which the curve is read off.
    cumulative : bool
        Give the share that has had the event (a renewal) instead of the share still without it (customers kept).
    unit : {"month", "day", "week", "year"}
        What times are counted in, for words and pictures.
    replicates : int
        Rao–Wu replicates behind all intervals, at least 100.
    seed : int
    level : float

    Returns
    -------
    SurvivalResult
        One row per (``segment`` and) ``time``: ``estimate, se, low, high`` (a share), ``at_risk`` (respondents followed up
        to then without the event), ``events`` (respondents so far), ``base, base_effective, reliability``. A time that
        nobody was followed to has no estimate. ``.curve`` holds every step, ``.medians`` the time at which half have
        had the event, ``.differences`` groups against each other at every time (Holm), ``.hazards`` the Cox regression.

    Raises
    ------
    SurveyError
        For unknown names, an event other than 0 and 1, negative times, no event at all, covariates that cannot be told apart.

    Warns
    -----
    SmallBaseWarning
        With fewer than 10 events per coefficient, or in a group.
    DataWarning
        If a hazard ratio changes over time: it is then an average.

    Notes
    -----
    Kaplan–Meier estimates and Cox regressions (ties after Efron) are lifelines' on weighted rows, without its
    variances. Standard errors come from the replicates: curves anew in each, coefficients by two Newton steps from those of
    the full sample. Intervals of shares are on the log(−log) scale with t on PSUs − strata degrees of freedom: θ ± t · se/|S
    log S|, and beta intervals where nobody has had the event (on those at risk) or everybody (on the effective base of the last share above 0). The effective base of a share is S(1 − S)/se². Curves
    of groups are compared by a log-rank statistic with replicate covariance. Proportional hazards are tested by the drift
    of a coefficient along 1 − S(t), one Newton step from none, against its replicate standard error (Holm). All of it assumes
    that those whose follow-up ended early would have gone on like the others.

    References
    ----------
    Kaplan & Meier (1958), JASA 53, 457–481. Cox (1972), JRSS B 34, 187–220. Binder (1992), Biometrika 79, 139–147. Rao & Wu
    (1988), JASA 83, 231–241. Grambsch & Therneau (1994), Biometrika 81, 515–526. Dorey & Korn (1987), Statistics in
    Medicine 6, 679–687. R: ``survey::svykm``, ``svycoxph``, ``svylogrank``, ``survival::cox.zph``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> happy = rng.integers(0, 11, 600)
    >>> stays = rng.exponential(10 * np.exp(0.1 * happy)).round(1)
    >>> df = pd.DataFrame({"months": np.minimum(stays, 24), "left": stays < 24, "happy": happy})
    >>> kept = survival(Survey.from_frame(df), "months", "left", covariates=["happy"], replicates=100)
    >>> kept.table["estimate"].round(2).tolist()
    [0.69, 0.48, 0.35, 0.23]
    >>> kept.hazards["hazard_ratio"].round(2).tolist()
    [0.9]
    """
    t_quantile(level, 1)
    _check_options(at, unit, replicates)
    case, excluded = case_of(survey, time, event, (replicates, seed, level))
    moments = np.unique(np.asarray(list(at), dtype=float))
    groups = groups_of(survey, by)
    parts = {code: case.within(inside) for code, inside in groups.items()}
    found = {code: _curve(part, moments) for code, part in parts.items() if len(part.rows)}
    table = pd.concat([keyed(_read_off(parts[c], f, moments), c, by) for c, f in found.items()], ignore_index=True)
    steps = pd.concat([keyed(_steps(parts[c], f), c, by) for c, f in found.items()], ignore_index=True)
    medians = pd.concat([keyed(_median(parts[c], f), c, by) for c, f in found.items()], ignore_index=True)
    differences = _differences(case, parts, found, table, by) if by is not None else pd.DataFrame()
    equal = logrank(case, list(parts.values())) if by is not None else float("nan")
    ratios, words = hazards(survey, case, groups, covariates, by) if len(covariates) else (pd.DataFrame(), {})
    if cumulative:
        for each in (table, steps):
            each["estimate"], each["low"], each["high"] = 1 - each["estimate"], 1 - each["high"], 1 - each["low"]
        if len(differences):
            low, high = -differences["high"], -differences["low"]
            differences = differences.assign(estimate=-differences["estimate"], low=low, high=high)
    share = 1 - case.w.sum() / survey.weights[survey.domain].sum()
    _warn(ratios, table, by)
    options = {"by": by, "covariates": list(covariates), "at": tuple(at), "cumulative": cumulative, "unit": unit, "replicates": replicates,
               "seed": seed, "level": level}  # fmt: skip
    labels = {**HEADINGS, time: names(survey, time), event: names(survey, event), **group_labels(survey, by, list(parts)),
              **{("coefficient", k): v for k, v in words.items()}}  # fmt: skip
    return SurvivalResult(
        table, Base(len(case.w), kish_base(case.w), excluded, float(share)),
        (*survival_notes(case.spells, case.w, table, ratios, (excluded, float(share)), equal), *ungrouped(survey, case.rows, groups, by),
         *design_notes(survey), *survey.join_notes(time, event)),
        labels, _call(survey, time, event, options), _TITLES[cumulative], _FORMATS, level=level, time=time, event=event,
        cumulative=cumulative, time_unit=unit, curve=steps, medians=medians, differences=differences, hazards=ratios, equal=equal,
    )  # fmt: skip


_TITLES = (
    {"en": "Share still without the event", "zh": "尚未发生该事件的比例"},
    {"en": "Share that has had the event", "zh": "已发生该事件的累计比例"},
)
_FORMATS = {"time": "g", "estimate": ".1%", "low": ".1%", "high": ".1%", "se": ".3f"}


def _check_options(at: Sequence[float], unit: str, replicates: int) -> None:
    if unit not in UNITS:
        raise one_of("unit", unit, UNITS)
    if replicates < LEAST_REPLICATES:
        raise SurveyError(f"replicates is {replicates}; intervals need at least {LEAST_REPLICATES}.")
    if not len(at) or not all(np.isfinite(t) and t > 0 for t in at):
        raise SurveyError(f"at is {list(at)!r}; name times above 0, such as at=(6, 12).")


# ------------------------------------------------------------------------------ curves
@dataclass(frozen=True, eq=False)
class Curve:
    """Kaplan–Meier curve of one group: at event times with its error, and at the moments asked for with replicates.

    Attributes
    ----------
    steps, se : array, shape (k,)
    values : array, shape (m,)
    draws : array, shape (replicates, m)
    """

    steps: FloatArray
    se: FloatArray
    values: FloatArray
    draws: FloatArray


def _curve(case: Case, moments: FloatArray) -> Curve:
    spells, steps = case.spells, _points(case)
    total, squares, read = np.zeros(len(steps)), np.zeros(len(steps)), []
    for weights in replicate_weights(case.design, case.rows, *case.draws[:2], wide=2 * len(steps)):
        drawn = kaplan_meier(spells, weights)
        there = weights.any(axis=1)
        drawn[~there] = np.nan
        total += np.nansum(drawn - steps, axis=0)
        squares += np.nansum((drawn - steps) ** 2, axis=0)
        read.append(at_times(spells, drawn, moments))
    draws = np.concatenate(read)
    kept = max(int(np.isfinite(draws[:, 0]).sum()), 2)
    variance = (squares - total**2 / kept) / (kept - 1)
    return Curve(steps, np.sqrt(np.maximum(variance, 0)), at_times(spells, steps[None], moments)[0], draws)


def _points(case: Case) -> FloatArray:
    """Kaplan–Meier estimates of lifelines at the event times."""
    from lifelines import KaplanMeierFitter

    spells = case.spells
    if not len(spells.times):
        return np.zeros(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that weights are no counts: its variances are not used
        fitted = KaplanMeierFitter().fit(spells.time, spells.event, weights=case.w)
    return np.clip(fitted.survival_function_at_times(spells.times).to_numpy(dtype=float), 0, 1)


def bounds(case: Case, share: FloatArray, se: FloatArray, counted: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log(−log) intervals of shares; beta intervals where nobody or everybody has had the event."""
    level, df = case.draws[2], case.degrees()
    inner = (share > 0) & (share < 1)
    s = np.where(inner, share, 0.5)
    half = t_quantile(level, df) * np.where(inner, se, 0.0) / np.abs(s * np.log(s))
    low, high = s ** np.exp(half), s ** np.exp(-half)
    base = np.maximum(counted, 0).astype(float)
    kish = base * kish_base(case.w) / max(len(case.w), 1)
    few = np.maximum(base, 2)  # degrees of freedom are no more than those few tell
    edge = korn_graubard(np.round(share), np.zeros(len(share)), few, kish, np.minimum(df, few - 1), level)
    return np.where(inner, low, edge[0]), np.where(inner, high, edge[1])


def _counted(case: Case, curve: Curve, share: FloatArray, at_risk: np.ndarray) -> FloatArray:
    """Respondents behind a share of 0 or 1: those at risk, and once nobody is left as many as tell the last share above 0.

    Those whose follow-up ended long before say little of the end of the curve.
    """
    before = np.flatnonzero((curve.steps > 0) & (curve.steps < 1) & (curve.se > 0))
    if len(before):
        value, se = curve.steps[before[-1]], curve.se[before[-1]]
        last = min(float(value * (1 - value) / se**2) * len(case.w) / kish_base(case.w), float(len(case.w)))
    else:
        last = float(np.sum(case.spells.time >= case.spells.times[-1])) if len(curve.steps) else float(len(case.w))
    return np.where(share == 0, last, at_risk)


def _read_off(case: Case, curve: Curve, moments: FloatArray) -> pd.DataFrame:
    """Shares at the moments asked for; none beyond the longest follow-up, unless everybody has had the event."""
    spells, share = case.spells, curve.values
    se = spread(curve.draws)
    at_risk = np.array([int(np.sum(spells.time >= t)) for t in moments])
    events = np.array([int(np.sum(spells.event & (spells.time <= t))) for t in moments])
    counted = _counted(case, curve, share, at_risk)
    low, high = bounds(case, share, se, counted)
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = (share > 0) & (share < 1) & (se > 0)
        effective = np.where(inner, share * (1 - share) / se**2, counted * kish_base(case.w) / len(case.w))
    unseen = (moments > spells.time.max()) & (share > 0)
    table = pd.DataFrame({
        "time": moments, "estimate": share, "se": se, "low": low, "high": high, "at_risk": at_risk, "events": events,
        "base": len(case.w), "base_effective": np.where(unseen, 0.0, effective),
    })  # fmt: skip
    table.loc[unseen, ["estimate", "se", "low", "high"]] = np.nan
    return table.assign(reliability=reliability(table["base_effective"]))


def _steps(case: Case, curve: Curve) -> pd.DataFrame:
    """The curve at 0 and at every time at which an event came or follow-up ended."""
    spells = case.spells
    times = np.unique(np.r_[0.0, spells.time])
    place = np.searchsorted(spells.times, times, side="right")
    share, se = np.r_[1.0, curve.steps][place], np.r_[0.0, curve.se][place]
    at_risk = len(case.w) - np.searchsorted(np.sort(spells.time), times, side="left")
    low, high = bounds(case, share, se, _counted(case, curve, share, at_risk))
    events = np.bincount(np.searchsorted(times, spells.time), spells.event, len(times)).astype(int)
    return pd.DataFrame(
        {"time": times, "estimate": share, "se": se, "low": low, "high": high, "at_risk": at_risk, "events": events}
    )


def _median(case: Case, curve: Curve) -> pd.DataFrame:
    """Time at which half have had the event; its interval where the band crosses one half."""
    spells = case.spells
    at_risk = np.array([int(np.sum(spells.time >= t)) for t in spells.times], dtype=int)
    low, high = bounds(case, curve.steps, curve.se, _counted(case, curve, curve.steps, at_risk))
    crossed = [spells.times[v <= 0.5 + _ROUNDING] for v in (curve.steps, low, high)]
    median, first, last = (float(t[0]) if len(t) else float("inf") for t in crossed)
    effective = kish_base(case.w)
    return pd.DataFrame({
        "estimate": [median], "low": [first], "high": [last], "base": len(case.w), "events": int(spells.event.sum()),
        "base_effective": effective, "reliability": reliability([effective]),
    })  # fmt: skip


# ------------------------------------------------------------------------------ groups
def _differences(
    case: Case, parts: Mapping[Any, Case], found: Mapping[Any, Curve], table: pd.DataFrame, by: str
) -> pd.DataFrame:
    """Shares of all pairs of groups at every moment both were followed to; one family (Holm), as reliable as the weaker of the two."""
    level, moments = case.draws[2], np.unique(table["time"])
    bases = table.set_index([key_of(by), "time"])["base_effective"]
    presence = case.design.presence(np.hstack([parts[c].member() for c in found]))
    rows = []
    for (i, first), (j, second) in combinations(enumerate(found), 2):
        df = float(presence.pair_df(np.array([i]), np.array([j]))[0])
        one, two = found[first], found[second]
        gap, se = one.values - two.values, spread(one.draws - two.draws)
        seen = moments <= min(parts[c].spells.time.max() for c in (first, second))
        half = t_quantile(level, df) * se
        p = p_values(gap, se, df)
        rows += [
            {key_of(by): first, "other": second, "time": t, "estimate": gap[m], "se": se[m], "low": gap[m] - half[m],
             "high": gap[m] + half[m], "p_value": p[m], "base_effective": min(bases[first, t], bases[second, t])}
            for m, t in enumerate(moments) if seen[m]
        ]  # fmt: skip
    if not rows:
        return pd.DataFrame()
    out = pd.DataFrame(rows)
    return out.assign(p_value=holm(out["p_value"].to_numpy()), reliability=reliability(out["base_effective"]))


def _warn(ratios: pd.DataFrame, table: pd.DataFrame, by: str | None) -> None:
    if by is not None:
        last = table.groupby(key_of(by), sort=False)["events"].max()
        few = last[last < FEW_EVENTS]
        if len(few):
            warnings.warn(
                f"by: {len(few)} of {len(last)} groups have fewer than {FEW_EVENTS} events ({', '.join(map(str, few.index))}); their curves "
                "say little: merge groups, or wait longer.",
                SmallBaseWarning,
                stacklevel=3,
            )
    if not len(ratios):
        return
    weak = int((ratios["reliability"] != "ok").sum())
    if weak:
        warnings.warn(
            f"covariates: {weak} of {len(ratios)} hazard ratios rest on fewer than {FEW_EVENTS} effective events per coefficient; "
            "name fewer covariates, or take several waves together.",
            SmallBaseWarning,
            stacklevel=3,
        )
    changing = ratios[ratios["p_drift"] < 0.05]
    if len(changing):
        shown = ", ".join(dict.fromkeys(map(repr, changing["coefficient"])))
        warnings.warn(
            f"covariates: {len(changing)} of {len(ratios)} hazard ratios change over time ({shown}); each is an average over the "
            "follow-up: compare shares at single times with by= instead.",
            DataWarning,
            stacklevel=3,
        )


def _call(survey: Survey, time: str, event: str, options: Mapping[str, Any]) -> str:
    usual: dict[str, Any] = {"by": None, "covariates": [], "at": (6, 12, 18, 24), "cumulative": False, "unit": "month",
                             "replicates": 500, "seed": 0, "level": 0.95}  # fmt: skip
    said = "".join(f", {n}={v!r}" for n, v in options.items() if v != usual[n])
    return f"cx.survival(survey{survey.filter}, {time!r}, {event!r}{said})"
