"""Hidden crisis: segment × item facts that the total does not show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import Design, kish_base, resolve, t_quantile, weighted_means
from cxlab.errors import SurveyError, unknown_names
from cxlab.metrics import Cells, Score, cells, design_notes, korn_graubard, score, unplaced, value_names
from cxlab.result import Base
from cxlab.segments._crisis_facts import Frame, facts_of, frame, shares, split
from cxlab.segments._crisis_result import HEADINGS, CrisisResult, formats_of, notes_of
from cxlab.segments._crisis_table import Tier, explain, fact_rows, judge, split_rows, wave_rows
from cxlab.survey import Survey

FLAT_SHARE = 0.025  # δ as a share of the response scale: a quarter of a point on 0–10
RANGES = {"nps": 200.0, "share": 1.0, "index": 100.0}
OUTCOME_OF = {"nps": "recommend", "csat": "satisfaction"}


def hidden_crisis(
    survey: Survey,
    by: str,
    items: Sequence[str] | None = None,
    *,
    waves: tuple[Sequence[Any], Sequence[Any]] | None = None,
    flat: float | Mapping[str, float] | None = None,
    revenue: str | Mapping[Any, float] | None = None,
    outcomes: Sequence[str] | None = None,
    level: float = 0.95,
) -> CrisisResult:
    """Which segment is in trouble while the total looks fine?

    Parameters
    ----------
    survey : Survey
        All waves; its domain is analysed.
    by : str
        Segment column.
    items : list of str, optional
        Columns, roles, ``"nps"`` or ``"csat"``. By default drivers, touchpoints, outcomes, emotion and behaviour.
    waves : pair of lists of waves, optional
        First and last period, codes or labels, whose means are compared. By default trends are straight lines
        through all waves, shown as the change from the middle of the first third to the middle of the last. A survey with
        fewer than two waves has levels only.
    flat : float or mapping of item to float, optional
        δ, on the item's scale: the total counts as flat while its 90 % interval lies inside ±δ. By default 2.5 %
        of the response scale, .25 on 0–10.
    revenue : str or mapping of segment to float, optional
        Column of what a respondent pays, or the price per segment (code or label), in money.
    outcomes : list of str, optional
        Items that follow from the others, each from those before it; a fact about one is then listed under its cause.
        By default satisfaction, and after it the other outcomes, emotions and behaviour together.
    level : float
        Confidence level of the intervals; α of both families is 1 − level.

    Returns
    -------
    CrisisResult
        One row per segment, item and kind (``level``: mean over all waves; ``trend``: change between the periods):
        ``segment, item, kind, value`` (of the segment), ``rest`` (of all others), ``estimate, se, low, high`` (segment
        minus rest, on the item's scale), ``p_value`` (Benjamini–Hochberg over the table), ``p_holm, p_raw, pooled,
        pooled_low, pooled_high, before, after`` (gap in the first and last period), ``total, total_low, total_high`` (its
        movement, 90 %), ``delta, flat, negative, hidden, role`` (cause or consequence), ``cause, masking`` (share of
        the segment's movement that the total hides, 0–1), ``detectable`` (80 % power, unadjusted), ``base,
        base_effective, reliability``. Further tables: ``split``, ``at_risk``, ``consequences``, ``by_wave``, ``prior``.

    Raises
    ------
    SurveyError
        For unknown names or waves, periods that overlap, fewer than two segments, an unknown scale without ``flat``,
        revenue that is negative or lacks a segment.

    Notes
    -----
    A fact is hidden when the segment is worse than the rest (the direction of the item counts), the 90 % interval
    of the total lies inside ±δ, and the interaction – segment against rest, for trends the difference of the two
    changes – is significant after Benjamini–Hochberg over the whole table. That holds the share of false findings, not
    the chance of any; headline sentences use Holm. Lines through all waves (equally spaced) have the smaller error: under a
    steady trend, comparing thirds wastes 11 % of the sample. The movement of the total is its change between the periods, for
    levels too; without waves it is the pull of the segment on the total, total minus rest. All variances are by Taylor
    linearisation over the whole design, so respondents asked twice count as such. Cells with an effective base
    under 30 are not tested. ``pooled`` draws the effects, in units of δ, towards 0 (DerSimonian–Laird prior
    variance, Morris's intervals): use it to compare sizes, as the largest of many estimates is too large.

    References
    ----------
    Benjamini & Hochberg (1995), JRSS B 57, 289–300. DerSimonian & Laird (1986), Controlled Clinical Trials 7,
    177–188. Morris (1983), JASA 78, 47–55.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> df = pd.DataFrame({"wave": np.repeat([1, 2], 1000), "card": np.tile([1, 1, 1, 2], 500)})
    >>> df["queue"] = rng.normal(7, 1, 2000) + np.where(df["card"] == 2, -0.9 * (df["wave"] == 2), 0.3 * (df["wave"] == 2))
    >>> result = hidden_crisis(Survey.from_frame(df), "card", ["queue"], flat=0.25)
    >>> result.hidden[["segment", "item", "kind", "role"]].values.tolist()
    [[2.0, 'queue', 'trend', 'cause'], [2.0, 'queue', 'level', 'consequence']]
    """
    t_quantile(level, 1)  # refuses a level of 95
    groups = _groups(survey, by)
    periods, names = _periods(survey, waves)
    scores, silent = _scores(survey, items, by)
    deltas = _deltas(survey, scores, flat)
    tiers = _tiers(survey, scores, outcomes)
    money = _money(survey, by, revenue)
    design = resolve(survey)
    parts = frame(groups.inside, periods, _time(survey) if periods and waves is None else None)
    keys = [k["segment"] for k in groups.keys]
    table, divided = _scan(design, scores, parts, keys, deltas)
    table, prior = judge(table, level)
    table, consequences = explain(table, tiers)
    drawn = [s for s in scores if s.name in set(table.loc[table["hidden"], "item"])]
    weights = survey.weights[parts.everybody]
    labels = {
        **HEADINGS,
        **groups.labels,
        **{s.name: s.labels for s in scores},
        **{("cause", s.name): s.labels for s in scores},
        **_wave_labels(survey, periods),
    }
    said = {"items": None if items is None else list(items), "waves": waves, "flat": flat, "revenue": revenue,
            "outcomes": None if outcomes is None else list(outcomes), "level": None if level == 0.95 else level}  # fmt: skip
    options = "".join(f", {k}={v!r}" for k, v in said.items() if v is not None)
    return CrisisResult(
        table, Base(int((weights > 0).sum()), kish_base(weights)),
        (*notes_of(table, prior, names, (flat is None, waves is None), [survey.label(i) for i in silent]), *design_notes(survey),
         *unplaced(survey, groups)),
        labels, f"cx.hidden_crisis(survey{survey.filter}, {by!r}{options})",
        {"en": "Hidden crisis", "zh": "隐藏的危机"}, formats_of(scores), level=level,
        kinds={s.name: s.kind for s in scores}, periods=names, consequences=consequences, split=divided,
        at_risk=_at_risk(design, parts, keys, money, level), prior=prior,
        waves_of={s.name: partial(_by_wave, design, survey, s, parts, keys) for s in drawn if periods},
    )  # fmt: skip


def _groups(survey: Survey, by: str) -> Cells:
    if by != "wave":
        survey.require("by", [by])
    if by == "wave" or survey.column_of(by) == survey.roles.wave:
        raise SurveyError(f"by: {by!r} is the wave; name a segment (waves are compared within it anyway).")
    groups = cells(survey, by)
    if len(groups.keys) < 2:
        raise SurveyError(f"by: {by!r} has {len(groups.keys)} group among the respondents; a scan needs two.")
    return groups


def _periods(survey: Survey, waves: Any) -> tuple[list[np.ndarray], dict[str, Mapping[str, str]]]:
    """Rows and wording of the first and the last period; nothing where there are no two waves."""
    if survey.roles.wave is None and "wave" not in survey.data.columns:
        if waves is not None:
            raise SurveyError("waves: the survey declares no waves; leave waves out.")
        return [], {}
    column = survey.column_of("wave")
    present = sorted(survey.data[column][survey.domain].dropna().unique().tolist())
    if waves is None:
        if len(present) < 2:
            return [], {}
        part = max(1, len(present) // 3)
        chosen = [present[:part], present[-part:]]
    else:
        chosen = _chosen(survey, waves, present)
    item = survey.codebook[column]

    def words(codes: Sequence[Any], lang: str) -> str:
        return "–".join(dict.fromkeys(item.value_label(c, lang) for c in (codes[0], codes[-1])))

    names: dict[str, Mapping[str, str]] = {
        key: {"en": words(codes, "en"), "zh": words(codes, "zh")}
        for key, codes in zip(("before", "after"), chosen, strict=True)
    }
    return [survey.domain & survey.data[column].isin(codes).to_numpy() for codes in chosen], names


def _time(survey: Survey) -> np.ndarray:
    """Place of each row's wave among those analysed, shape (rows,); waves count as equally spaced."""
    waves = survey.data[survey.column_of("wave")]
    present = sorted(waves[survey.domain].dropna().unique().tolist())
    return waves.map({w: float(k) for k, w in enumerate(present)}).to_numpy(dtype=float, na_value=np.nan)


def _chosen(survey: Survey, waves: Any, present: Sequence[Any]) -> list[list[Any]]:
    if isinstance(waves, (str, Mapping)) or len(waves) != 2:
        raise SurveyError(f"waves is {waves!r}; two lists are needed: the waves of the first and of the last period.")
    chosen = [sorted(survey.codes_of("wave", list(w) if isinstance(w, range) else w)) for w in waves]
    twice = sorted(set(chosen[0]) & set(chosen[1]))
    absent = [c for codes in chosen for c in codes if c not in present]
    if not all(chosen) or twice or absent:
        raise SurveyError(
            f"waves: the periods have {len(chosen[0])} and {len(chosen[1])} waves, {len(twice)} of them in both and "
            f"{len(absent)} without respondents; name different waves that were asked."
        )
    return chosen


def _scores(survey: Survey, items: Sequence[str] | None, by: str) -> tuple[list[Score], list[str]]:
    """What is scanned, and the default items that nobody answered."""
    if items is not None and (isinstance(items, str) or not list(items)):
        raise SurveyError(f"items is {items!r}; a list of columns or roles is needed, or None for the study's own.")
    names = _default_items(survey, by) if items is None else list(dict.fromkeys(items))
    survey.require("items", [i for i in names if i not in OUTCOME_OF])
    scores = [score(survey, i) for i in names]
    counted = survey.domain & (survey.weights > 0)
    silent = [s.name for s in scores if not np.isfinite(s.values[counted]).any()]
    if silent and (items is not None or len(silent) == len(names)):
        raise SurveyError(
            f"items: {len(silent)} of {len(names)} have no answers among the {len(survey):,} respondents: "
            f"{', '.join(map(repr, silent[:5]))}; leave them out."
        )
    return [s for s in scores if s.name not in silent], silent


def _default_items(survey: Survey, by: str) -> list[str]:
    roles = survey.roles
    layers = [i for layer in ("emotion", "behaviour") for i in roles.layers.get(layer, ())]
    names = [
        *(i for block in roles.drivers.values() for i in block),
        *(t.item for t in roles.touchpoints),
        *(i for outcome in roles.outcomes.values() for i in outcome),
        *layers,
    ]
    if not names:
        raise SurveyError("items: the survey declares no drivers, touchpoints or outcomes; name the columns to scan.")
    return [n for n in dict.fromkeys(names) if n != by]


def _deltas(survey: Survey, scores: Sequence[Score], flat: float | Mapping[str, float] | None) -> dict[str, float]:
    """δ of every item, on its own scale."""
    given: dict[str, float] = {}
    if isinstance(flat, Mapping):
        unknown = [n for n in flat if n not in {s.name for s in scores}]
        if unknown:
            raise unknown_names("flat", unknown, [s.name for s in scores], "the items scanned")
        given = {k: float(v) for k, v in flat.items()}
    elif flat is not None:
        given = {s.name: float(flat) for s in scores}
    bad = {k: v for k, v in given.items() if not v > 0 or not np.isfinite(v)}
    if bad:
        name, value = next(iter(bad.items()))
        raise SurveyError(
            f"flat is {value:g} for {name!r}; the tolerance δ is a number above 0, in points of the item."
        )
    for s in scores:
        if s.name not in given:
            given[s.name] = FLAT_SHARE * (RANGES.get(s.kind) or _length(survey, s.name))
    return given


def _length(survey: Survey, name: str) -> float:
    scale = survey.scale(name)
    if scale is None:
        raise SurveyError(
            f"flat: the scale of {name!r} is not declared, so that the default δ of 2.5 % of it is unknown; "
            "declare the scale in study.yml, or pass flat= in points."
        )
    return float(scale[1] - scale[0])


def _tiers(survey: Survey, scores: Sequence[Score], outcomes: Sequence[str] | None) -> dict[str, Tier]:
    """Place of every item in the chain of causes: drivers 0, what follows from them 1, 2, …"""
    roles = survey.roles
    order: list[Iterable[str]] = [[o] for o in outcomes or ()]
    if outcomes is None:
        later = [n for k, group in roles.outcomes.items() if k != "satisfaction" for n in (k, *group)]
        emotions = [i for layer in ("emotion", "behaviour") for i in (*roles.layers.get(layer, ()), layer)]
        order = [("satisfaction", *roles.outcomes.get("satisfaction", ())), (*later, *emotions)]
    else:
        survey.require("outcomes", [o for o in outcomes if o not in OUTCOME_OF])
    place = {name: Tier(k) for k, group in reversed(list(enumerate(order, start=1))) for name in group}
    felt = {t.emotion: Tier(1, t.item) for t in roles.touchpoints if t.emotion}
    names = [s.name for s in scores]
    return {n: place.get(n) or place.get(OUTCOME_OF.get(n, "")) or felt.get(n) or Tier(0) for n in names}


def _money(survey: Survey, by: str, revenue: str | Mapping[Any, float] | None) -> np.ndarray | None:
    """What each respondent pays, shape (rows,)."""
    if revenue is None:
        return None
    if isinstance(revenue, str):
        survey.require("revenue", [revenue])
        money = survey.values(revenue)
    else:
        column = survey.column_of(by)
        prices = {survey.codes_of(by, k)[0]: float(v) for k, v in revenue.items()}
        present = survey.data[column][survey.domain].dropna().unique().tolist()
        lacking = [survey.codebook[column].value_label(c) for c in present if c not in prices]
        if lacking:
            raise SurveyError(
                f"revenue has no price for {len(lacking)} of {len(present)} segments: {', '.join(lacking)}."
            )
        money = survey.data[column].map(prices).to_numpy(dtype=float, na_value=np.nan)
    known = money[survey.domain & np.isfinite(money)]
    if not known.size or (known < 0).any() or not known.sum() > 0:
        raise SurveyError(
            f"revenue has {int((known < 0).sum())} negative of {known.size:,} known values and sums to {known.sum():g}; "
            "revenue is money paid, 0 or more."
        )
    return money


def _scan(
    design: Design, scores: Sequence[Score], parts: Frame, keys: Sequence[Any], deltas: Mapping[str, float]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Facts and mix/within split of every item."""
    rows, divided = [], []
    for s in scores:
        level, trend, found = facts_of(design, s.values, parts)
        rows.append(fact_rows(s, "level", level, keys, deltas[s.name]))
        if trend is not None:
            rows.append(fact_rows(s, "trend", trend, keys, deltas[s.name]))
            divided.append(split_rows(s.name, split(found, parts.count, design.df), keys))
    table = pd.DataFrame({c: np.concatenate([r[c] for r in rows]) for c in rows[0]})
    return table, pd.concat(divided, ignore_index=True) if divided else pd.DataFrame()


def _at_risk(design: Design, parts: Frame, keys: Sequence[Any], money: np.ndarray | None, level: float) -> pd.DataFrame:
    """Share of customers and of revenue of every segment."""
    inside = np.repeat(parts.everybody[:, None], parts.count, axis=1)
    found = weighted_means(design, parts.segments.astype(float), inside)
    ends = np.array([korn_graubard(found, k, level, float(found.df[k])) for k in range(parts.count)])
    out = pd.DataFrame({"segment": keys, "customers": found.estimate, "customers_low": ends[:, 0],
                        "customers_high": ends[:, 1]})  # fmt: skip
    if money is not None:
        paid = shares(design, money, parts)
        low, high = paid.interval(level)
        out = out.assign(revenue=paid.estimate, revenue_low=np.maximum(low, 0), revenue_high=np.minimum(high, 1))
    return out


def _by_wave(design: Design, survey: Survey, scored: Score, parts: Frame, keys: Sequence[Any]) -> pd.DataFrame:
    """Segments, total and gaps of one item, wave by wave."""
    column = survey.data[survey.column_of("wave")]
    codes = sorted(column[survey.domain].dropna().unique().tolist())
    return wave_rows(design, scored, parts, keys, {c: (column == c).to_numpy() for c in codes})


def _wave_labels(survey: Survey, periods: Sequence[np.ndarray]) -> dict[Any, Mapping[str, str]]:
    if not periods:
        return {}
    column = survey.column_of("wave")
    return {("wave", w): value_names(survey, column, w) for w in survey.data[column].dropna().unique().tolist()}
