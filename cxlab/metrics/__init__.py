"""Metrics: means, NPS, CSAT, index and proportions, weighted, with design-based intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from cxlab.design import design_notes as design_notes
from cxlab.design import kish_base
from cxlab.errors import SurveyError
from cxlab.items import FILE
from cxlab.metrics._cells import Cells as Cells
from cxlab.metrics._cells import cells as cells
from cxlab.metrics._cells import unplaced as unplaced
from cxlab.metrics._scores import MOST_ANSWERS, TITLES, assumed_ends, ends_of, in_top, single_item
from cxlab.metrics._scores import SIGNED as SIGNED
from cxlab.metrics._scores import SPECS as SPECS
from cxlab.metrics._scores import Score as Score
from cxlab.metrics._scores import answer_codes as answer_codes
from cxlab.metrics._scores import metric_formats as metric_formats
from cxlab.metrics._scores import names as names
from cxlab.metrics._scores import require_answers as require_answers
from cxlab.metrics._scores import score as score
from cxlab.metrics._scores import value_names as value_names
from cxlab.metrics._table import base_of as base_of
from cxlab.metrics._table import call_of as call_of
from cxlab.metrics._table import estimate as estimate
from cxlab.metrics._table import intervals as intervals
from cxlab.metrics._table import korn_graubard as korn_graubard
from cxlab.metrics._table import notes_of as notes_of
from cxlab.metrics._table import rows_of as rows_of
from cxlab.metrics._table import t_interval as t_interval
from cxlab.metrics._table import tabulated
from cxlab.result import Base, Result
from cxlab.survey import Survey
from cxlab.words import Note


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
    return tabulated(survey, [score(survey, i) for i in items], ("means", items), by=by, level=level, df=df)


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
    effective base (adjusted Wald, T = 3), the smaller of Kish's and that of the design. With hardly any detractors a limit
    may lie beyond ±100, as published.

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
    return tabulated(survey, [score(survey, "nps", item=item)], ("nps", item), by=by, level=level, df=df)


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
    return tabulated(survey, [scored], ("csat", item), by=by, level=level, df=df, top=top)


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
    name = single_item(survey, item or "effort", "ces")
    low, high = ends_of(survey, name)
    up, notes = survey.higher_is_better(name), assumed_ends(survey, name)
    if top is None:
        scored = Score("ces", survey.values(name), "mean", TITLES["ces"], up, notes=notes)
    else:
        scored = Score("ces", in_top(survey, name, top), "share", TITLES["easy"], notes=notes)
    more = {} if top is None else {"top": top}
    found = tabulated(survey, [scored], ("ces", item), by=by, level=level, df=df, **more)
    best = high if up else low
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
        values, ends = survey.values(name), survey.scale(name)
        if ends is None:
            raise SurveyError(
                f"items: the scale of {name!r} is not declared, so 0–100 is undefined; declare it in study.yml."
            )
        if len(survey.items_of(name)) == 1:
            values = 100 * (values - ends[0]) / (ends[1] - ends[0])
            values = values if survey.higher_is_better(name) else 100 - values
        scores.append(Score(name, values, "index", names(survey, name)))
    return tabulated(survey, scores, ("index", items), by=by, level=level, df=df)


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
    survey.require("item", [item])
    column = survey.column_of(item)
    series = survey.data[column]
    known = series.notna().to_numpy()
    scores = [
        Score(item, np.where(known, (series == c).to_numpy(float), np.nan), "share", names(survey, item), code=c)
        for c in answer_codes(survey, column)
    ]
    found = tabulated(survey, scores, ("proportions", item), by=by, level=level, df=df)
    answers = {("code", s.code): value_names(survey, column, s.code) for s in scores}
    return replace(found, labels={**found.labels, **answers}, title=names(survey, item))


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
    counted = survey.domain & (survey.weights > 0)
    tables: list[pd.DataFrame] = []
    labels: dict[Any, Mapping[str, str]] = {}
    for item in chosen:
        column = survey.column_of(item)
        result = proportions(survey, item, level=level)
        labels[item] = names(survey, item)
        labels.update({("code", item, k[1]): v for k, v in result.labels.items() if k[0] == "code"})
        answers = survey.data[column][counted]
        table = result.table.assign(count=[int((answers == c).sum()) for c in result.table["code"]])
        tables += [table, _missing_rows(survey, item, column, counted)]
        labels.update({("code", item, c): {FILE: text} for c, text in survey.codebook[column].missing.items()})
    columns = ["item", "code", "count", "estimate", "low", "high", "base", "base_effective", "reliability"]
    whole = pd.concat([t for t in tables if len(t)], ignore_index=True)[columns]
    base = Base(int(counted.sum()), kish_base(survey.weights[counted]))
    return Result(whole, base, design_notes(survey), labels, call_of("frequencies", survey, chosen, level=level),
                  {"en": "Topline", "zh": "基础频数表"}, {"estimate": ".1%", "low": ".1%", "high": ".1%"}, level)  # fmt: skip


def _missing_rows(survey: Survey, item: str, column: str, counted: np.ndarray) -> pd.DataFrame:
    if column not in survey.missing_reasons.columns:
        return pd.DataFrame()
    counts = survey.missing_reasons[column][counted].value_counts().sort_index()
    unknown = dict.fromkeys(("estimate", "low", "high", "base_effective"), np.nan)
    found = {"item": item, "code": counts.index, "count": counts.to_numpy(), "base": 0, "reliability": "ok"}
    return pd.DataFrame({**found, **unknown})


def _topline_items(survey: Survey) -> list[str]:
    roles = [i for group in (survey.roles.outcomes, survey.roles.drivers) for items in group.values() for i in items]
    labelled = [n for n, item in survey.codebook.items.items() if item.values and n in survey.data.columns]
    found = [i for i in dict.fromkeys([*roles, *labelled]) if 0 < survey.data[i].nunique() <= MOST_ANSWERS]
    if not found:
        raise SurveyError("items: the survey has no labelled items and no roles; name the columns to tabulate.")
    return found
