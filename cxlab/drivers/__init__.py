"""Key drivers: which experiences go with a higher outcome, how surely, and in what order.

prepare (names → columns, rows, covariances) → kernel (importances, their replicates, null lines, effects) → Result.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, overload

import numpy as np
import pandas as pd

from cxlab.design import design_notes, kish_base
from cxlab.drivers._asymmetry import AsymmetryResult, asymmetry
from cxlab.drivers._blocks import BlockResult, driver_blocks
from cxlab.drivers._change import ChangeResult, driver_change
from cxlab.drivers._columns import effects, interval_columns, point_columns
from cxlab.drivers._compare_missing import MissingComparison, compare_missing
from cxlab.drivers._dominance import DominanceResult, dominance
from cxlab.drivers._headroom import HeadroomResult, headroom
from cxlab.drivers._kernels import LEAST_REPLICATES
from cxlab.drivers._measures import METHOD_NAMES
from cxlab.drivers._methods import MethodsResult, compare_methods
from cxlab.drivers._missing_words import missing_notes
from cxlab.drivers._model_words import EXTRA_HEADINGS, NOT_CAUSE, formats
from cxlab.drivers._models import kernel_of
from cxlab.drivers._prepare import Prepared, default_drivers, prepare
from cxlab.drivers._priority import PriorityResult, first_to_fix
from cxlab.drivers._priority_map import PriorityMapResult, priority_map
from cxlab.drivers._result import FORMATS, HEADINGS, DriverResult, percentiles, result_table
from cxlab.drivers._sampling_words import sampling_notes
from cxlab.drivers._scenario import Contribution, contribution
from cxlab.drivers._segments import segment_drivers
from cxlab.drivers._segments_cells import Drivers, Options
from cxlab.drivers._segments_result import SegmentDriverResult
from cxlab.drivers._what_if import WhatIfResult, what_if
from cxlab.errors import SignFlipWarning, SmallBaseWarning, SurveyError
from cxlab.result import Base
from cxlab.survey import Survey
from cxlab.words import Note

__all__ = [
    "METHOD_NAMES",
    "AsymmetryResult",
    "BlockResult",
    "ChangeResult",
    "Contribution",
    "DominanceResult",
    "DriverResult",
    "HeadroomResult",
    "MethodsResult",
    "MissingComparison",
    "PriorityMapResult",
    "PriorityResult",
    "SegmentDriverResult",
    "WhatIfResult",
    "asymmetry",
    "compare_methods",
    "compare_missing",
    "contribution",
    "default_drivers",
    "dominance",
    "driver_blocks",
    "driver_change",
    "first_to_fix",
    "headroom",
    "key_drivers",
    "priority_map",
    "what_if",
]


@overload
def key_drivers(
    survey: Survey, outcome: str = ..., drivers: Drivers = ..., *, by: None = None, **options: Any
) -> DriverResult: ...
@overload
def key_drivers(
    survey: Survey, outcome: str = ..., drivers: Drivers = ..., *, by: str, **options: Any
) -> SegmentDriverResult: ...
def key_drivers(  # type: ignore[misc]  # the overloads leave out what does not change the type
    survey: Survey,
    outcome: str = "satisfaction",
    drivers: Drivers = None,
    *,
    method: str = "shapley",
    model: str | None = None,
    missing: str = "listwise",
    always: Sequence[str] = (),
    by: str | None = None,
    replicates: int = 1000,
    permutations: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> DriverResult | SegmentDriverResult:
    """Which drivers go with a higher outcome, in what order, and how sure is that?

    Parameters
    ----------
    survey : Survey
        Its domain is analysed; weights, strata and PSUs count.
    outcome : str
        Column or role; a role of several items is their mean on 0–100. Or a class of answers, ``"top2(satisfaction)"``
        (also ``top1``, ``top3``), ``"promoters(recommend)"``, ``"detractors(recommend)"``, a condition, ``"satisfaction >= 9"``, or
        ``"nps(recommend)"`` (100 for a promoter, 0, −100 for a detractor).
    drivers : list of str, or mapping of block to list, optional
        Columns or roles; ``"factor(payer)"`` uses the codes of a column as categories. By default the study's
        drivers; those that more than 20 % of respondents have not experienced are then set aside under listwise
        deletion, which the notes say.
    method : {"shapley", "johnson", "owen", "car", "pratt"}
        How R² is divided among the drivers: Shapley values (LMG), Johnson's relative weights, Owen values (Shapley across the
        blocks of drivers and within each), squared CAR scores or Pratt's measure (suppressors negative).
        Logit: ``shapley`` of McFadden's R², ``tjur`` (Shapley values of Tjur's D), ``relative_weights`` (or ``johnson``).
    model : {"linear", "logit", "ordinal"}, optional
        By default logit for an outcome of two values, else linear; the notes say what else would suit. Logit and
        ordinal (proportional odds) need complete rows, and fit every subset of up to 15 and 12 drivers.
    missing : {"listwise", "em", "mi", "pairwise", "dummy"}
        What becomes of missing answers. Listwise: respondents with one leave; their number and share of weight are in
        ``base``. EM and multiple imputation use all there is and are right if what is missing depends
        only on other answers; pairwise needs it to depend on none; dummy adjustment is biased and there for comparison.
        Under all but listwise "not experienced" is no missing answer: an indicator beside the item, one driver together.
    always : list of str
        Columns that every model contains, such as wave or clinic; importances are parts of what the
        drivers explain beyond them.
    by : str, optional
        Segment: the same analysis in each of its groups (up to 60), and tests of whether they differ.
    replicates : int
        Rao–Wu bootstrap replicates; 0 for point estimates only.
    permutations : int
        Permutations behind the null line, at least 200.
    seed : int
    level : float

    Returns
    -------
    DriverResult
        One row per driver, the most important first: ``driver, block, importance, importance_low, importance_high``
        (parts of R²), ``share, share_low, share_high`` (of R²), ``rank, rank_low, rank_high`` (the ranks that
        pairwise tests leave open), ``top1, top3`` (shares of replicates), ``estimate, se, low, high, p_value`` (effect of
        +1 point in the full model; of a factor only the p-value of all its categories), ``standardised`` (the same in
        standard deviations; of an outcome with two values effects are average marginal effects as shares from 0 to 1, with
        ``log_odds, log_odds_se`` beside them), ``correlation, sign_flip`` (against a clear effect; needs replicates),
        ``performance`` (weighted
        mean; it and the correlation are of those who met what a driver asks about), ``null_line, distinguishable``,
        ``base`` (who answered driver and outcome), ``base_effective, reliability``.

    SegmentDriverResult
        With ``by``: one row per driver and segment, the columns above after ``driver, segment``, and
        ``importance_corrected, share_corrected`` (without the bias of small bases), ``estimate_shrunk`` (effect pulled
        towards the mean of the segments), ``reason`` (why a segment has no numbers). ``.differences`` tests each segment
        against the others, ``.overall`` all at once, ``.model`` says how much is explained.

    Raises
    ------
    SurveyError
        If a name is unknown, a driver is constant, repeated, determined by others or the outcome itself, or too
        few respondents are complete.

    Warns
    -----
    SmallBaseWarning, CollinearityWarning, SignFlipWarning

    Notes
    -----
    Importance_j is the mean, over all orders of entry, of the increase of R² when j enters. Percentile intervals
    come from the replicates; where the estimate does not exceed the null line (95th percentile of
    the driver permuted within stratum, whole PSUs at a time), the lower end is 0. EM runs anew in every replicate; imputations are
    20 to 100 (one per cent of incomplete rows), their standard errors by Rubin's rules. "Not experienced" is set to the mean
    of those who did experience, which the indicator beside it makes harmless; the effect is that among them.

    By segment: replicate weights are shared by all groups, so that differences know of respondents in several. Groups
    are tested on effects, not on importances, which small bases bias upwards: each against the mean effect within the
    others (weighted by size; Holm over drivers and groups), and all at once (Wald F; Holm over drivers).

    Logit and ordinal: every subset is fitted under the survey's weights. Replicates move each fit by one Newton step with the
    sample's information, log L_r(S) ≈ Σ w_r log L + s' H⁻¹ s / 2, and the null line takes the gain of a permuted driver from
    its score test; against refits both are off by less than .02 standard errors at a base of 2,400 and by .15 at 150.

    References
    ----------
    McFadden (1974); Tjur (2009), The American Statistician 63(4), 366–372; Tonidandel & LeBreton (2010), Organizational
    Research Methods 13(4), 767–781.
    Grömping (2006), Journal of Statistical Software 17(1). Jones (1996), JASA 91, 222–230. Little & Rubin (2019),
    *Statistical Analysis with Missing Data*, 3rd ed. Klein, Wright & Wieczorek (2020), JRSS A 183, 589–606.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(3)
    >>> df = pd.DataFrame(rng.normal(size=(400, 3)), columns=["queue", "doctor", "colour"])
    >>> df["satisfaction"] = df["queue"] + 0.5 * df["doctor"] + rng.normal(size=400)
    >>> result = key_drivers(Survey.from_frame(df), "satisfaction", ["queue", "doctor", "colour"], replicates=200)
    >>> result.table[["driver", "rank_low", "rank_high", "distinguishable"]].values.tolist()
    [['queue', 1, 1, True], ['doctor', 2, 2, True], ['colour', 3, 3, False]]
    """
    _check_counts(replicates, permutations, level)
    if by is not None:
        wanted = Options(method, model, missing, always, by, replicates, permutations, seed, level)
        given = {"by": by, **{k: v for k, v in asdict(wanted).items() if v not in (None, ())}}
        return segment_drivers(survey, outcome, drivers, wanted, _call(survey, outcome, drivers, given))
    prepared = prepare(survey, outcome, drivers, missing, always)
    found, said = kernel_of(prepared, model, method)
    importance = found.importance()
    draws = found.draws(replicates, seed) if replicates else None
    columns = point_columns(prepared, importance, effects(found, draws, level))
    fit = {**found.fit(), "r2_low": np.nan, "r2_high": np.nan, "drivers": len(importance)}
    if draws is not None:
        null = found.null_lines(permutations, seed)
        columns |= interval_columns(importance, draws.importance, null, prepared.df, level)
        fit["r2_low"], fit["r2_high"] = map(float, percentiles(draws.importance.sum(axis=1), level))
    table = result_table(columns)
    _judge(table)
    options = {"method": found.method, "model": found.name, "missing": missing, "replicates": replicates,
               "permutations": permutations, "seed": seed, "level": level}  # fmt: skip
    if always:
        options["always"] = list(always)
    label = prepared.labels[prepared.outcome]
    return DriverResult(
        table,
        Base(len(prepared.rows), kish_base(prepared.weights), prepared.excluded, prepared.excluded_share),
        (*_notes(prepared), *sampling_notes(found, replicates), *said, *prepared.notes, *design_notes(survey)),
        {**HEADINGS, **EXTRA_HEADINGS, **prepared.labels},
        _call(survey, outcome, drivers, options),
        {"en": f"Key drivers of {label['en']}", "zh": f"“{label['zh']}”的关键驱动因素"},
        {**FORMATS, **formats(found)},
        level,
        outcome=prepared.outcome,
        method=found.method,
        model=pd.DataFrame([fit]),
        replicates=pd.DataFrame(() if draws is None else draws.importance, columns=list(prepared.drivers)),
        kernel=found,
        draws=draws,
        seed=seed,
    )


def _check_counts(replicates: int, permutations: int, level: float) -> None:
    if replicates and replicates < LEAST_REPLICATES:
        raise SurveyError(
            f"replicates is {replicates}; intervals need at least {LEAST_REPLICATES}, or 0 for point estimates only."
        )
    if permutations < 200:
        raise SurveyError(f"permutations is {permutations}; the null line needs at least 200.")
    if not 0.5 <= level < 1:
        raise SurveyError(f"level is {level}; a confidence level lies between .5 and 1, usually .95.")


def _judge(table: pd.DataFrame) -> None:
    weak = table[table["reliability"] != "ok"]
    if len(weak):
        warnings.warn(
            f"{len(weak)} of {len(table)} drivers rest on an effective base under 75 (smallest "
            f"{weak['base_effective'].min():.0f}): read the intervals, not the ranking.",
            SmallBaseWarning,
            stacklevel=3,
        )
    flipped = table.loc[table["sign_flip"], "driver"].tolist()
    if flipped:
        one = len(flipped) == 1
        verb = f"{'driver has' if one else 'drivers have'} a sign in the full model that contradicts {'its' if one else 'their'}"
        warnings.warn(
            f"{len(flipped)} {verb} correlation: {', '.join(flipped)}.",
            SignFlipWarning,
            stacklevel=3,
        )


def _notes(prepared: Prepared) -> list[Note]:
    return [*missing_notes(prepared), Note(NOT_CAUSE)]


def _call(
    survey: Survey, outcome: str, drivers: Sequence[str] | Mapping[str, Sequence[str]] | None, options: dict
) -> str:
    given = {b: list(d) for b, d in drivers.items()} if isinstance(drivers, Mapping) else drivers
    named = "" if given is None else f", {given if isinstance(given, dict) else list(given)!r}"
    said = "".join(f", {k}={v!r}" for k, v in options.items())
    return f"cx.key_drivers(survey{survey.filter}, {outcome!r}{named}{said})  # data {survey.data_hash}"
