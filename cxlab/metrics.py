"""Metrics: means, NPS, CSAT, index and proportions, weighted, with design-based intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlab.design import Design, Estimates, kish_base, resolve, t_quantile, weighted_means
from cxlab.design import design_notes as design_notes
from cxlab.errors import SurveyError
from cxlab.items import FILE
from cxlab.result import LOW_BASE, Base, Result, reliability
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
SPECS = {"mean": ".2f", "nps": "+.1f", "share": ".0%", "index": ".1f"}
SIGNED = {"mean": "+.2f", "nps": "+.1f", "share": "pp", "index": "+.1f"}  # of differences
_TITLES = {
    "nps": {"en": "Net promoter score", "zh": "净推荐值（NPS）"},
    "csat": {"en": "CSAT (top-2-box)", "zh": "满意率（CSAT，前两档）"},
    "ces": {"en": "Customer effort score", "zh": "客户费力度 (CES)"},
    "easy": {"en": "Share with an easy experience", "zh": "轻松完成率 (CES)"},
}


@dataclass(frozen=True, eq=False)
class Score:
    """A metric as one number per respondent, whose weighted mean is the metric.

    Attributes
    ----------
    name : str
    values : array, shape (rows,)
        −100 / 0 / 100 for NPS, 0 / 1 for shares, the answer itself for means; NaN where not answered.
    kind : {"mean", "nps", "share", "index"}
    labels : mapping of language to str
    higher_is_better : bool
    """

    name: str
    values: FloatArray
    kind: str
    labels: Mapping[str, str]
    higher_is_better: bool = True


def score(survey: Survey, metric: str, *, item: str | None = None, top: int = 2) -> Score:
    """Turn a metric into one number per respondent.

    Parameters
    ----------
    survey : Survey
    metric : str
        ``"nps"`` (from role ``recommend``), ``"csat"`` (top boxes of role ``satisfaction``), or any column
        or role, whose mean is meant.
    item : str, optional
        Another column for ``nps`` or ``csat``.
    top : int
        Boxes counted by ``csat``.

    Returns
    -------
    Score

    Raises
    ------
    SurveyError
        If the role is not declared, or NPS is asked of an item that is not 0–10.
    """
    if metric == "nps":
        name = _column(survey, item or "recommend", "nps")
        answers = survey.values(name)
        low, high = _ends(survey, name)
        if (low, high) != (0, 10):
            raise SurveyError(
                f"item {name!r} runs {low:g}–{high:g}; NPS is defined on 0–10 (promoters 9–10, detractors 0–6). "
                "Use cx.means, or cx.csat with top=2."
            )
        values = np.where(np.isnan(answers), np.nan, 100.0 * (answers >= 9) - 100.0 * (answers <= 6))
        return Score("nps", values, "nps", _TITLES["nps"])
    if metric == "csat":
        name = _column(survey, item or "satisfaction", "csat")
        return Score("csat", _in_top(survey, name, top), "share", _TITLES["csat"])
    survey.require("metric", [metric])
    kind = "index" if len(survey.items_of(metric)) > 1 else "mean"
    return Score(metric, survey.values(metric), kind, names(survey, metric), survey.higher_is_better(metric))


def _in_top(survey: Survey, name: str, top: int) -> FloatArray:
    """1 where the answer is in one of the best ``top`` boxes, 0 where not, NaN where there is none."""
    answers = survey.values(name)
    low, high = _ends(survey, name)
    if not 0 < top <= high - low:
        raise SurveyError(f"top is {top}; {name!r} runs {low:g}–{high:g}, so 1 to {high - low:g} boxes can be counted.")
    boxes = answers > high - top if survey.higher_is_better(name) else answers < low + top
    return np.where(np.isnan(answers), np.nan, boxes.astype(float))


def metric_formats(scores: Sequence[Score]) -> dict[Any, str]:
    """Formats per metric: levels on the metric's scale, differences with their sign."""
    out: dict[Any, str] = {}
    for s in scores:
        out |= {(s.name, c): SPECS[s.kind] for c in ("estimate", "low", "high", "before", "target", "value", "rest")}
        out |= {(s.name, c): SIGNED[s.kind] for c in ("change", "change_low", "change_high")}
        size = "pt" if s.kind == "share" else SPECS[s.kind].replace("+", "")
        out |= {(s.name, c): size for c in ("detectable", "se")}
    return out


def names(survey: Survey, name: str) -> dict[str, str]:
    """Wording of a column or role in every language."""
    return {lang: survey.label(name, lang) for lang in LANGUAGES}


def _column(survey: Survey, name: str, metric: str) -> str:
    if not survey.has(name):
        raise SurveyError(
            f"{metric} needs the role {name!r}, which the survey does not declare; "
            f"declare outcomes: {name} in study.yml, or pass item=."
        )
    if len(survey.items_of(name)) > 1:
        raise SurveyError(f"{metric} needs one item; {name!r} is a role of {len(survey.items_of(name))}: pass item=.")
    return name


def _ends(survey: Survey, name: str) -> tuple[float, float]:
    """Ends of an item's scale; those seen in the data (at 0–10 if they fit) where none is declared."""
    declared = survey.scale(name)
    if declared:
        return declared
    answers = survey.values(name)
    if not np.isfinite(answers).any():
        raise SurveyError(f"{name!r} has no answers and no declared scale.")
    low, high = float(np.nanmin(answers)), float(np.nanmax(answers))
    return (0.0, 10.0) if low >= 0 and 7 < high <= 10 and low != 1 else (low, high)


# ------------------------------------------------------------------------------ public metrics
def means(
    survey: Survey,
    items: str | Sequence[str],
    *,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    df: float | None = None,
) -> Result:
    """How high is the average answer, overall or by segment and wave?

    Parameters
    ----------
    survey : Survey
    items : str or list of str
        Columns or roles; a role of several items is their mean on 0–100.
    by : str or list of str, optional
        A segment, ``"wave"``, or several of them crossed.
    level : float
        Confidence level.
    df : float, optional
        Degrees of freedom; PSUs − strata by default, ``inf`` for R's ``confint``.

    Returns
    -------
    Result
        ``item, [segment], [segment_2 …], [wave], estimate, se, low, high, base, base_effective, reliability``;
        estimates are on the item's own scale. Crossed segments have one key column each, in the order of ``by``.

    Raises
    ------
    SurveyError
        For unknown names, text columns, or a stratum with one PSU.

    Notes
    -----
    Weighted mean with Taylor linearisation; domains keep the whole design. Missing answers leave the base of
    their item. Intervals are estimate ± t · se.

    References
    ----------
    Lumley (2010), *Complex Surveys*; R: ``survey::svymean``, ``survey::svyby``.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"q1": [7, 9, 8, 6], "w": [1, 2, 1, 1]}), weight="w")
    >>> means(survey, "q1").table[["estimate", "se"]].round(4).values.tolist()
    [[7.8, 0.7185]]
    """
    items = [items] if isinstance(items, str) else list(items)
    survey.require("items", items)
    return _table(
        survey,
        [score(survey, i) for i in items],
        by=by,
        level=level,
        df=df,
        call=_call("means", items, by, level=level, df=df),
    )


def nps(
    survey: Survey,
    item: str | None = None,
    *,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    df: float | None = None,
) -> Result:
    """How many more promoters than detractors are there?

    Parameters
    ----------
    survey : Survey
    item : str, optional
        0–10 likelihood to recommend; the role ``recommend`` by default.
    by, level, df
        As in :func:`means`.

    Returns
    -------
    Result
        Columns of :func:`means`; ``estimate`` in points from −100 to +100.

    Raises
    ------
    SurveyError
        If the item does not run 0–10.

    Notes
    -----
    The weighted mean of −100 (0–6), 0 (7–8), 100 (9–10). From an effective base of 75 the interval is
    estimate ± t · se by Taylor linearisation; under it, ¾ detractors, 1½ passives and ¾ promoters are added to the
    effective base (adjusted Wald, T = 3).

    References
    ----------
    Rocks (2016), The American Statistician 70(4), 365–372.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"recommend": [10, 9, 10, 7, 3, 0]}))
    >>> nps(survey, "recommend").table["estimate"].round(1).tolist()
    [16.7]
    """
    scored = score(survey, "nps", item=item)
    return _table(survey, [scored], by=by, level=level, df=df, call=_call("nps", item, by, level=level, df=df))


def csat(
    survey: Survey,
    item: str | None = None,
    *,
    top: int = 2,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    df: float | None = None,
) -> Result:
    """What share of customers is satisfied?

    Parameters
    ----------
    survey : Survey
    item : str, optional
        The role ``satisfaction`` by default.
    top : int
        How many of the best boxes count as satisfied: the highest, or the lowest where less is better.
    by, level, df
        As in :func:`means`.

    Returns
    -------
    Result
        Columns of :func:`means`; ``estimate`` is a share from 0 to 1.

    Raises
    ------
    SurveyError
        If ``top`` exceeds the scale.

    Notes
    -----
    Korn–Graubard interval: beta quantiles on the effective base, which hold near 0 and 100 %.
    R: ``survey::svyciprop(method = "beta")``.

    References
    ----------
    Korn & Graubard (1998), Survey Methodology 24, 193–201.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"q": [10, 9, 8, 3]}))
    >>> csat(survey, "q").table["estimate"].tolist()
    [0.5]
    """
    scored = score(survey, "csat", item=item, top=top)
    return _table(
        survey, [scored], by=by, level=level, df=df, call=_call("csat", item, by, top=top, level=level, df=df)
    )


def ces(
    survey: Survey,
    item: str | None = None,
    *,
    top: int | None = None,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    df: float | None = None,
) -> Result:
    """How hard do customers find it to get what they came for?

    Parameters
    ----------
    survey : Survey
    item : str, optional
        The role ``effort`` by default. Its direction is the codebook's: ``higher_is_better: false`` where high
        answers mean much effort, true for "the company made it easy for me".
    top : int, optional
        Report the share of the ``top`` easiest boxes instead of the mean.
    by, level, df
        As in :func:`means`.

    Returns
    -------
    Result
        Columns of :func:`means`; ``estimate`` is the mean on the item's own scale, or a share from 0 to 1. The last
        note says which end of the scale is good.

    Raises
    ------
    SurveyError
        If the role is not declared, or ``top`` exceeds the scale.

    References
    ----------
    Dixon, Freeman & Toman (2010), Harvard Business Review 88(7), 116–122.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"easy": [7, 6, 5, 2]}))
    >>> ces(survey, "easy").table["estimate"].tolist(), ces(survey, "easy", top=2).table["estimate"].tolist()
    ([5.0], [0.5])
    """
    name = _column(survey, item or "effort", "ces")
    low, high = _ends(survey, name)
    if top is None:
        scored = Score("ces", survey.values(name), "mean", _TITLES["ces"], survey.higher_is_better(name))
    else:
        scored = Score("ces", _in_top(survey, name, top), "share", _TITLES["easy"])
    found = _table(
        survey, [scored], by=by, level=level, df=df, call=_call("ces", item, by, top=top, level=level, df=df)
    )
    best = high if survey.higher_is_better(name) else low
    direction = Note(
        {
            "en": "{item} runs from {low:g} to {high:g}; {best:g} is the least effort.",
            "zh": "“{item}”的量表为 {low:g} 至 {high:g}，{best:g} 表示最不费力。",
        },
        item=names(survey, name), low=low, high=high, best=best,
    )  # fmt: skip
    return replace(found, notes=(*found.notes, direction))


def index(
    survey: Survey,
    items: str | Sequence[str],
    *,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    df: float | None = None,
) -> Result:
    """How good are the answers on a common scale of 0 to 100?

    Parameters
    ----------
    survey : Survey
    items : str or list of str
        Columns with a declared scale, or roles of such. Items for which less is better are turned.
    by, level, df
        As in :func:`means`.

    Returns
    -------
    Result
        Columns of :func:`means`; ``estimate`` from 0 (worst possible answer) to 100 (best).

    Raises
    ------
    SurveyError
        If an item's scale is not declared.

    Examples
    --------
    >>> import pandas as pd
    >>> from cxlab.items import Item
    >>> survey = Survey.from_frame(pd.DataFrame({"q": [0.0, 5.0, 10.0]}))
    >>> survey = Survey(survey.data, survey.codebook.with_items(Item("q", scale=(0, 10))))
    >>> index(survey, "q").table["estimate"].tolist()
    [50.0]
    """
    items = [items] if isinstance(items, str) else list(items)
    survey.require("items", items)
    scores = []
    for name in items:
        ends = survey.scale(name)
        if ends is None:
            raise SurveyError(
                f"items: the scale of {name!r} is not declared, so 0–100 is undefined; declare it in study.yml."
            )
        values = survey.values(name)
        if len(survey.items_of(name)) == 1:
            values = 100 * (values - ends[0]) / (ends[1] - ends[0])
            values = values if survey.higher_is_better(name) else 100 - values
        scores.append(Score(name, values, "index", names(survey, name)))
    return _table(survey, scores, by=by, level=level, df=df, call=_call("index", items, by, level=level, df=df))


def proportions(
    survey: Survey,
    item: str,
    *,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    df: float | None = None,
) -> Result:
    """What share of respondents gave each answer?

    Parameters
    ----------
    survey : Survey
    item : str
        A coded or text column.
    by, level, df
        As in :func:`means`.

    Returns
    -------
    Result
        ``item, code`` and the columns of :func:`means`; shares from 0 to 1 of those who answered.

    Raises
    ------
    SurveyError
        If the item has more than 60 different answers.

    Notes
    -----
    Korn–Graubard intervals, see :func:`csat`. Answers that are labelled but never given have share 0.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"card": ["gold", "plain", "plain", "plain"]}))
    >>> proportions(survey, "card").table[["code", "estimate"]].values.tolist()
    [['gold', 0.25], ['plain', 0.75]]
    """
    column = survey.column_of(item)
    codes = answer_codes(survey, column)
    series = survey.data[column]
    known = series.notna().to_numpy()
    scores = [
        Score(item, np.where(known, (series == c).to_numpy(dtype=float), np.nan), "share", names(survey, item))
        for c in codes
    ]
    result = _table(survey, scores, by=by, level=level, df=df, call=_call("proportions", item, by, level=level, df=df))
    groups = len(result.table) // len(codes)
    result.table.insert(1, "code", [code for code in codes for _ in range(groups)])
    answers = {("code", c): value_names(survey, column, c) for c in codes}
    return Result(result.table, result.base, result.notes, {**result.labels, **answers}, result.call,
                  names(survey, item), result.formats, level)  # fmt: skip


def frequencies(survey: Survey, items: str | Sequence[str] | None = None, *, level: float = 0.95) -> Result:
    """What did people answer? The topline that every study starts with.

    Parameters
    ----------
    survey : Survey
    items : str or list of str, optional
        Coded columns; by default every item with value labels, and every outcome and driver.
    level : float

    Returns
    -------
    Result
        One row per item and answer: ``item, code, count`` (unweighted), ``estimate`` (weighted share of those
        who answered), ``low, high, base, base_effective, reliability``; answers that are missing for
        a known reason follow with their code, count and no share.

    Raises
    ------
    SurveyError
        For unknown names or items with more than 60 answers.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey.from_frame(pd.DataFrame({"q": [1, 1, 2, None], "w": [1, 1, 2, 1]}), weight="w")
    >>> frequencies(survey, "q").table[["code", "count", "estimate"]].values.tolist()
    [[1.0, 2.0, 0.5], [2.0, 1.0, 0.5]]
    """
    chosen = _topline_items(survey) if items is None else [items] if isinstance(items, str) else list(items)
    survey.require("items", chosen)
    tables: list[pd.DataFrame] = []
    labels: dict[Any, Mapping[str, str]] = {}
    for item in chosen:
        column = survey.column_of(item)
        result = proportions(survey, item, level=level)
        labels[item] = names(survey, item)
        labels.update({("code", item, k[1]): v for k, v in result.labels.items() if k[0] == "code"})
        inside = survey.data[column][survey.domain]
        table = result.table.assign(count=[int((inside == c).sum()) for c in result.table["code"]])
        tables += [table, _missing_rows(survey, item, column)]
        labels.update({("code", item, c): {FILE: text} for c, text in survey.codebook[column].missing.items()})
    columns = ["item", "code", "count", "estimate", "low", "high", "base", "base_effective", "reliability"]
    whole = pd.concat([t for t in tables if len(t)], ignore_index=True)[columns]
    base = Base(len(survey), kish_base(survey.weights[survey.domain]))
    call = f"cx.{_call('frequencies', chosen, None, level=level).replace('survey', f'survey{survey.filter}', 1)}"
    return Result(whole, base, design_notes(survey), labels, call, {"en": "Topline", "zh": "基础频数表"},
                  {"estimate": ".1%", "low": ".1%", "high": ".1%"}, level)  # fmt: skip


def _missing_rows(survey: Survey, item: str, column: str) -> pd.DataFrame:
    if column not in survey.missing_reasons.columns:
        return pd.DataFrame()
    counts = survey.missing_reasons[column][survey.domain].value_counts().sort_index()
    return pd.DataFrame(
        {
            "item": item,
            "code": counts.index,
            "count": counts.to_numpy(),
            "estimate": np.nan,
            "low": np.nan,
            "high": np.nan,
            "base": 0,
            "base_effective": np.nan,
            "reliability": "ok",
        }
    )


def _topline_items(survey: Survey) -> list[str]:
    roles = [i for group in (survey.roles.outcomes, survey.roles.drivers) for items in group.values() for i in items]
    labelled = [n for n, item in survey.codebook.items.items() if item.values and n in survey.data.columns]
    found = [i for i in dict.fromkeys([*roles, *labelled]) if 0 < survey.data[i].nunique() <= _MOST_ANSWERS]
    if not found:
        raise SurveyError("items: the survey has no labelled items and no roles; name the columns to tabulate.")
    return found


_MOST_ANSWERS = 60


def answer_codes(survey: Survey, column: str) -> list[Any]:
    """Codes that can be answered, in code order: labelled ones (unless missing) and those that occur."""
    item = survey.codebook.items.get(column)
    occurring = survey.data[column].dropna().unique().tolist()
    labelled = [c for c in item.values if c not in item.missing] if item else []
    codes = sorted({*occurring, *labelled}, key=lambda c: (isinstance(c, str), c))
    if not 0 < len(codes) <= _MOST_ANSWERS:
        raise SurveyError(
            f"item {column!r} has {len(codes):,} different answers; shares are for 1 to {_MOST_ANSWERS}: "
            "band it in study.yml (recoded), or use cx.means."
        )
    return codes


def value_names(survey: Survey, column: str, code: Any) -> dict[str, str]:
    """Value label of a code in every language."""
    item = survey.codebook.items.get(column)
    return {lang: item.value_label(code, lang) if item else str(code) for lang in LANGUAGES}


def by_segment(survey: Survey, metric: str, by: str, *, level: float = 0.95) -> Result:
    """Level of any metric (``"nps"``, ``"csat"``, a column or a role) in each group of a segment."""
    return _table(
        survey, [score(survey, metric)], by=by, level=level, df=None, call=_call("by_segment", metric, by, level=level)
    )


# ------------------------------------------------------------------------------ one engine
@dataclass(frozen=True, eq=False)
class Cells:
    """Domains of a survey: who is in each cell, and its keys."""

    keys: list[dict[str, Any]]
    inside: np.ndarray  # (rows, cells)
    labels: dict[Any, Mapping[str, str]]


def cells(survey: Survey, by: str | Sequence[str] | None) -> Cells:
    """Split the domain by segments, by wave, or by several crossed; one cell of everybody without ``by``.

    The first segment named is the key ``segment``, the next ``segment_2``, and so on; waves are the key ``wave``.

    Raises
    ------
    SurveyError
        For an unknown column, one named twice, more than 200 groups of one, or more than 2,000 crossed.
    """
    wanted = [] if by is None else [by] if isinstance(by, str) else list(by)
    survey.require("by", [name for name in wanted if name != "wave"])
    columns = [survey.column_of(name) for name in wanted]
    if len(set(columns)) < len(columns):
        raise SurveyError(f"by names {len(columns)} columns, {len(set(columns))} of them different; name each once.")
    keys: list[dict[str, Any]] = [{}]
    inside = survey.domain[:, None]
    labels: dict[Any, Mapping[str, str]] = {}
    kinds = _key_columns(survey, columns)
    for name, column, kind in zip(wanted, columns, kinds, strict=True):
        codes = sorted(survey.data[column][survey.domain].dropna().unique().tolist())
        if not 0 < len(codes) <= 200:
            raise SurveyError(
                f"by: {name!r} has {len(codes):,} groups among the respondents; 1 to 200 can be compared."
            )
        if len(keys) * len(codes) > _MOST_CELLS:
            raise SurveyError(
                f"by: {', '.join(map(repr, wanted))} crossed have {len(keys) * len(codes):,} groups or more; "
                f"up to {_MOST_CELLS:,} can be shown: name fewer columns, or choose waves with survey.where."
            )
        member = np.column_stack([(survey.data[column] == c).to_numpy() for c in codes])
        keys = [{**k, kind: c} for k in keys for c in codes]
        inside = (inside[:, :, None] & member[:, None, :]).reshape(len(inside), -1)
        labels.update({(kind, c): value_names(survey, column, c) for c in codes})
    segments = {kind: names(survey, c) for kind, c in zip(kinds, columns, strict=True) if kind != "wave"}
    return Cells(keys, inside, labels | (segments if len(segments) > 1 else {}))


_MOST_CELLS = 2000


def _key_columns(survey: Survey, columns: Sequence[str]) -> list[str]:
    """Key of each column that ``by`` names: ``wave``, ``segment``, ``segment_2`` …"""
    out: list[str] = []
    for column in columns:
        before = sum(k != "wave" for k in out)
        out.append(
            "wave" if column in (survey.roles.wave, "wave") else f"segment_{before + 1}" if before else "segment"
        )
    return out


def estimate(survey: Survey, scores: Sequence[Score], groups: Cells, design: Design | None = None) -> Estimates:
    """Estimate every score in every cell, scores varying slowest, with the full covariance."""
    columns = np.repeat(np.column_stack([s.values for s in scores]), groups.inside.shape[1], axis=1)
    return weighted_means(design or resolve(survey), columns, np.tile(groups.inside, (1, len(scores))))


def intervals(
    estimates: Estimates, kinds: Sequence[str], *, level: float, df: float | None = None
) -> tuple[FloatArray, FloatArray]:
    """Intervals by kind of metric: t for means, Korn–Graubard for shares, adjusted Wald for NPS on small bases."""
    dfs = estimates.df if df is None else np.full(len(estimates.estimate), df)
    half = t_quantile(level, dfs) * estimates.se
    low, high = estimates.estimate - half, estimates.estimate + half
    kind = np.asarray(kinds)
    for k in np.flatnonzero(kind == "share"):
        low[k], high[k] = korn_graubard(estimates, int(k), level, dfs[k])
    for k in np.flatnonzero((kind == "nps") & (estimates.base_effective < LOW_BASE)):
        low[k], high[k] = _adjusted_wald(estimates, int(k), level, dfs[k])
    return low, high


def korn_graubard(estimates: Estimates, k: int, level: float, df: float) -> tuple[float, float]:
    """Beta interval of a share on its effective base."""
    share, variance, base = estimates.estimate[k], estimates.covariance[k, k], estimates.base[k]
    if base < 2 or np.isnan(share):
        return np.nan, np.nan
    degenerate = not (variance > 0 and 0 < share < 1)
    effective = estimates.base_kish[k] if degenerate else share * (1 - share) / variance
    effective *= (t_quantile(level, base - 1) / t_quantile(level, df)) ** 2
    tail = (1 - level) / 2
    low = stats.beta.ppf(tail, effective * share, effective * (1 - share) + 1) if share > 0 else 0.0
    high = stats.beta.ppf(1 - tail, effective * share + 1, effective * (1 - share)) if share < 1 else 1.0
    return float(low), float(high)


def _adjusted_wald(estimates: Estimates, k: int, level: float, df: float) -> tuple[float, float]:
    """NPS interval with three answers added to the effective base (¾, 1½, ¾)."""
    value, base = estimates.estimate[k] / 100, estimates.base_effective[k]
    if base <= 0 or np.isnan(value):
        return np.nan, np.nan
    # promoters + detractors = E(score²): recovered from the design-effect-free variance of the score
    simple = estimates.covariance[k, k] / 1e4 * base
    square = (
        simple * (estimates.base[k] - 1) / estimates.base[k] if estimates.covariance[k, k] > 0 else 0.0
    ) + value**2
    centre, square = value * base / (base + 3), (square * base + 1.5) / (base + 3)
    half = t_quantile(level, df) * np.sqrt((square - centre**2) / (base + 3))
    return 100 * float(centre - half), 100 * float(centre + half)


def _table(
    survey: Survey,
    scores: Sequence[Score],
    *,
    by: str | Sequence[str] | None,
    level: float,
    df: float | None,
    call: str,
) -> Result:
    if not scores:
        raise SurveyError("items is empty; name at least one column.")
    groups = cells(survey, by)
    found = estimate(survey, scores, groups)
    low, high = intervals(found, [s.kind for s in scores for _ in groups.keys], level=level, df=df)
    keys = [{"item": s.name, **key} for s in scores for key in groups.keys]
    table = pd.DataFrame(keys).assign(
        estimate=found.estimate, se=found.se, low=low, high=high, base=found.base,
        base_effective=found.base_effective, reliability=reliability(found.base_effective),
    )  # fmt: skip
    spec = SPECS[scores[0].kind]
    weights = survey.weights[survey.domain]
    answered = int(found.base.max(initial=0)) if len(groups.keys) == 1 else int((weights > 0).sum())
    labels = {**groups.labels, **{s.name: s.labels for s in scores}}
    formats = {"estimate": spec, "low": spec, "high": spec, "se": ".3f" if spec == ".0%" else ".2f"}
    return Result(table, Base(answered, kish_base(weights)), (*design_notes(survey), *unplaced(survey, groups)), labels,
                  f"cx.{call.replace('survey', f'survey{survey.filter}', 1)}", formats=formats, level=level)  # fmt: skip


def unplaced(survey: Survey, groups: Cells) -> tuple[Mapping[str, str], ...]:
    """Count the respondents who are in no group because the segment or wave is not known of them."""
    outside = survey.domain & (survey.weights > 0) & ~groups.inside.any(axis=1)
    count = int(outside.sum())
    if not count:
        return ()
    share = float(survey.weights[outside].sum() / survey.weights[survey.domain].sum())
    template = {
        "en": "{count:,} respondents ({share:.1%} of the weight) belong to no group and are left out.",
        "zh": "另有 {count:,} 名受访者（占权重 {share:.1%}）无所属群体信息，未计入。",
    }
    return (Note(template, count=count, share=share),)


def _call(function: str, items: Any, by: Any, **more: Any) -> str:
    usual = {"by": None, "df": None, "level": 0.95}
    said = "".join(f", {k}={v!r}" for k, v in {"by": by, **more}.items() if v != usual.get(k))
    return f"{function}(survey{'' if items is None else f', {items!r}'}{said})"
