"""The service–profit chain: staff, customers, loyalty and sales of units, now and some waves later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.design import kish_base, t_quantile
from cxlab.errors import SurveyError
from cxlab.few_clusters import weights_for
from cxlab.loyalty._chain_links import Draws, between, family, measures, pairs_of, respondents, usable_lags, within
from cxlab.loyalty._chain_panel import Panel, calendar, panel_of, stages_of
from cxlab.loyalty._chain_result import ServiceProfitResult
from cxlab.loyalty._chain_words import HEADINGS, TITLES, chain_notes
from cxlab.metrics import design_notes, names, value_names
from cxlab.result import Base
from cxlab.survey import Survey

if TYPE_CHECKING:
    from cxlab.study import Study

_PERIODS = ("wave", "week", "month", "quarter", "half", "year")
_COLUMNS = ["cause", "effect", "kind", "lag", "estimate", "se", "df", "low", "high", "p_value", "p_raw", "wild_low", "wild_high",
            "wild_p", "shared_noise", "few", "units", "cells"]  # fmt: skip


def service_profit_chain(
    survey: Survey,
    units: pd.DataFrame | str,
    chain: Sequence[str | Sequence[str]],
    *,
    unit: str | None = None,
    period: str | None = None,
    study: Study | None = None,
    lags: Sequence[int] | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    least_base: int = 10,
    draws: int = 9999,
    seed: int = 0,
    level: float = 0.95,
) -> ServiceProfitResult:
    """Do units with more engaged staff have more satisfied customers, then more loyalty and sales, now or later?

    Parameters
    ----------
    survey : Survey
        Its domain is analysed; weights, strata and PSUs count in the means of units and their errors.
    units : DataFrame or str
        One row per unit (clinic, shop, team) and wave, or per unit; a name is a table of ``study``.
    chain : list of str, or of lists of str
        Measures, causes first: columns or roles of the survey and numeric columns of ``units``. A list inside holds measures
        side by side. ``"survey:name"`` and ``"units:name"`` tell a name apart that both have.
    unit : str, optional
        Column that survey and ``units`` share; the declared key of the study's table by default.
    period : str, optional
        Column of ``units`` with the wave, written as the survey's waves are labelled, or dates. By default its declared date, the
        survey's wave column, or wave, week, month, quarter, half, year, whichever is there.
    study : Study, optional
        Where ``units`` is a name.
    lags : list of int, optional
        Waves by which the cause goes before the effect; 0 to 3 by default, fewer where that leaves fewer than three waves.
    labels : mapping of name to mapping of language to str, optional
        Wording of columns of ``units``; by default that of the study file (``tables: … items:``).
    least_base : int
        Respondents under which the mean of a unit in a wave is left out of the relations within units; at least 2.
    draws, seed : int
        Of the wild bootstrap where the weights are too many to be enumerated.
    level : float
        Of intervals.

    Returns
    -------
    ServiceProfitResult
        One row per link, kind and lag: ``cause, effect, kind`` (between units; within units, unit and wave fixed effects, all lags together;
        between respondents of the same unit and wave), ``lag`` (waves), ``estimate`` (change of the effect per +1 of the
        cause, less ``shared_noise``), ``se, df`` (CR2, Satterthwaite), ``low, high, p_value`` (Holm: links between
        units, links × lags within), ``p_raw, wild_low, wild_high, wild_p`` (Holm), ``few`` (df < 4: not to be relied on), ``units, cells``.
        ``.correlations``, ``.measures`` (reliability of the means) and ``.means`` beside it.

    Raises
    ------
    SurveyError
        For unknown names, fewer than five units, a unit without a row or under two names, duplicate rows, waves written
        otherwise than in the survey, a measure that is constant, or a lag longer than the panel.

    Notes
    -----
    y_ut = a_u + c_t + Σ_k b_k x_u,t−k + e_ut by least squares, so that a lag counts given the others; between units ȳ_u = a + b x̄_u. V(b) is CR2, whose
    degrees of freedom say how few units really tell. The wild bootstrap imposes the null, and its interval holds the values
    that it does not reject. Two means of the same respondents share sampling error: b is lessened by
    Σ cov(x̄, ȳ) / Σ x̃², the slope that it alone would give, unit by unit. Reliability of means = 1 − mean sampling variance / variance.

    References
    ----------
    Heskett et al. (1994), Harvard Business Review 72(2), 164–174. Bell & McCaffrey (2002), Survey Methodology 28,
    169–181. Pustejovsky & Tipton (2018), Journal of Business & Economic Statistics 36, 672–683. Cameron, Gelbach & Miller
    (2008), Review of Economics and Statistics 90, 414–427. Robinson (1950), American Sociological Review 15, 351–357.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> shops = pd.DataFrame({"shop": range(8), "engagement": [60, 62, 65, 66, 70, 71, 74, 78]})
    >>> answers = pd.DataFrame({"shop": np.repeat(np.arange(8), 50)})
    >>> answers["satisfaction"] = 0.1 * shops["engagement"].to_numpy()[answers["shop"]] + rng.normal(0, 1, 400)
    >>> chain = service_profit_chain(Survey.from_frame(answers), shops, ["engagement", "satisfaction"], unit="shop")
    >>> chain.table[["kind", "estimate", "units"]].round(2).values.tolist()
    [['between', 0.1, 8]]
    """
    t_quantile(level, 1)
    if least_base < 2:
        raise SurveyError(f"least_base is {least_base}; a mean needs at least 2 respondents for its error.")
    wanted = _lags(lags)
    table, declared = _table(units, study)
    stages = stages_of(chain)
    key = _key(unit, declared)
    panel = panel_of(
        survey, table, stages, (key, _period(period, declared, survey, table)), _wording(declared, labels), least_base
    )
    pairs, how = pairs_of(panel, stages), Draws(level, draws, seed)
    _check(panel)
    used = usable_lags(panel, pairs, wanted)
    slopes, correlations = between(panel, pairs, how)
    parts = [slopes, within(panel, pairs, used, how) if used else pd.DataFrame(), respondents(panel, pairs, level)]
    rows = pd.concat([p for p in parts if len(p)] or [pd.DataFrame(columns=_COLUMNS)], ignore_index=True)
    rows = family(rows.reindex(columns=_COLUMNS))
    known = measures(panel)
    wording = names(survey, panel.column)
    asked = {"draws": _drawn(rows, draws), "weights": weights_for(len(panel.units)), "least_base": least_base, "links": len(pairs),
             "short": max(used) if wanted is None and 0 < len(used) < 4 else None,
             "counted": _counted(survey) and bool(used) and max(used) > 0}  # fmt: skip
    inside = panel.code >= 0
    w = survey.weights[inside]
    options = {"unit": unit, "period": period, "lags": lags and list(lags), "labels": labels, "least_base": least_base,
               "draws": draws, "seed": seed, "level": level}  # fmt: skip
    return ServiceProfitResult(
        rows.sort_values(["cause", "effect"], key=lambda c: c.map({s.name: k for k, s in enumerate(panel.sources)}), kind="stable",
                         ignore_index=True),
        Base(int(inside.sum()), kish_base(w), panel.dropped[0], float(1 - w.sum() / survey.weights[survey.domain].sum())),
        (*chain_notes(panel, rows, known, wording, asked), *design_notes(survey)), _labels(survey, panel, wording),
        _call(survey, units, chain, options), TITLES["chain"], {"df": ".1f", "wild_p": "p", "p_raw": "p", "lag": "d"}, level=level,
        stages=tuple(stages), unit_column=panel.column, correlations=correlations, measures=known, means=_means(panel),
    )  # fmt: skip


# ------------------------------------------------------------------------------ what is asked
def _lags(lags: Sequence[int] | None) -> tuple[int, ...] | None:
    if lags is None:
        return None
    found = list(lags)
    bad = [k for k in found if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 0]
    if bad:
        raise SurveyError(f"lags names {bad[0]!r}; a lag is a whole number of waves, 0 or more.")
    return tuple(sorted({int(k) for k in found}))


def _table(units: pd.DataFrame | str, study: Study | None) -> tuple[pd.DataFrame, Any]:
    """The table of units, and what the study declares of it."""
    if isinstance(units, pd.DataFrame):
        return units, None
    if study is None:
        raise SurveyError(f"units is the name {units!r}; pass study= as well, or the table itself.")
    return study.table(units), study.declared.tables[units]


def _key(unit: str | None, declared: Any) -> str:
    if unit is None and declared is None:
        raise SurveyError("unit is missing; name the column that the survey and units share, such as unit='clinic'.")
    return str(declared.key if unit is None else unit)


def _period(period: str | None, declared: Any, survey: Survey, table: pd.DataFrame) -> str | None:
    """Column of the table that holds the wave."""
    if period is not None:
        return period
    candidates = (getattr(declared, "date", None), survey.roles.wave, *_PERIODS)
    return next((c for c in candidates if c is not None and c in table), None)


def _check(panel: Panel) -> None:
    """Refuse survey measures that nobody answered or that never differ."""
    for j, source in enumerate(panel.sources):
        if source.surveyed:
            answers = source.values[(panel.code >= 0) & np.isfinite(source.values)]
            if not len(answers):
                raise SurveyError(
                    f"chain: {source.column!r} has no answer among the respondents of these units; name another one."
                )
            if np.ptp(answers) == 0:
                raise SurveyError(
                    f"chain: {source.column!r} is {answers[0]:g} for all {len(answers):,} respondents; there is nothing to relate."
                )
        absent = int(np.isnan(panel.means[:, j]).sum())
        if absent:
            raise SurveyError(
                f"chain: {source.column!r} is missing for {absent} of {len(panel.units)} units in all waves; fill it in, or leave "
                "these units out with survey.where."
            )


def _counted(survey: Survey) -> bool:
    told = calendar(survey, survey.domain & (survey.weights > 0))
    return told.column is not None and told.kind is None


def _drawn(rows: pd.DataFrame, draws: int) -> int:
    """Most weight vectors behind a bootstrap of the table."""
    from cxlab.few_clusters import cluster_weights

    counts = {int(n) for n in rows.loc[rows["wild_p"].notna(), "units"]}
    return max((len(cluster_weights(n, draws)[0]) for n in counts), default=0)


# ------------------------------------------------------------------------------ what is said
def _means(panel: Panel) -> pd.DataFrame:
    parts = [
        pd.DataFrame({
            "unit": panel.units, "metric": s.name, "estimate": panel.means[:, j],
            "se": panel.error[:, j], "base": panel.base[:, j],
        })
        for j, s in enumerate(panel.sources)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _wording(declared: Any, labels: Mapping[str, Mapping[str, str]] | None) -> dict[str, Mapping[str, str]]:
    """Words of the columns of the table of units: those given go before those of the study file."""
    said = {} if declared is None else {name: part.labels for name, part in declared.items.items() if part.labels}
    return {**said, **(labels or {})}


def _labels(survey: Survey, panel: Panel, unit: Mapping[str, str]) -> dict[Any, Mapping[str, str]]:
    labels: dict[Any, Mapping[str, str]] = {**HEADINGS, "unit": unit}
    for source in panel.sources:
        labels |= {(column, source.name): source.labels for column in ("cause", "effect", "metric")}
    return labels | {("unit", code): value_names(survey, panel.column, code) for code in panel.units}


def _call(survey: Survey, units: Any, chain: Sequence[Any], options: Mapping[str, Any]) -> str:
    usual = {
        "unit": None,
        "period": None,
        "lags": None,
        "labels": None,
        "least_base": 10,
        "draws": 9999,
        "seed": 0,
        "level": 0.95,
    }
    said = "".join(f", {n}={v!r}" for n, v in options.items() if v != usual[n])
    named = f"{units!r}, {list(chain)!r}, study=study" if isinstance(units, str) else f"units, {list(chain)!r}"
    return f"cx.service_profit_chain(survey{survey.filter}, {named}{said})"
