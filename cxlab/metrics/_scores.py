"""Scores: a metric as one number per respondent, and how its numbers are worded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxlab.errors import SurveyError
from cxlab.items import in_order
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
SPECS = {"mean": ".2f", "nps": "+.1f", "share": ".0%", "index": ".1f"}
SIGNED = {"mean": "+.2f", "nps": "+.1f", "share": "pp", "index": "+.1f"}  # of differences
TITLES = {
    "nps": {"en": "Net promoter score", "zh": "净推荐值（NPS）"},
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
    code : code, optional
        Answer that a share counts.
    notes : tuple of mapping of language to str
        What was assumed.
    """

    name: str
    values: FloatArray
    kind: str
    labels: Mapping[str, str]
    higher_is_better: bool = True
    code: Any = None
    notes: tuple[Mapping[str, str], ...] = ()


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
        name = single_item(survey, item or "recommend", "nps")
        answers = survey.values(name)
        low, high = ends_of(survey, name)
        if (low, high) != (0, 10):
            raise SurveyError(
                f"item {name!r} runs {low:g}–{high:g}; NPS is defined on 0–10 (promoters 9–10, detractors 0–6). "
                "Use cx.means, or cx.csat with top=2."
            )
        values = np.where(np.isnan(answers), np.nan, 100.0 * (answers >= 9) - 100.0 * (answers <= 6))
        return Score("nps", values, "nps", TITLES["nps"], notes=assumed_ends(survey, name))
    if metric == "csat":
        name = single_item(survey, item or "satisfaction", "csat")
        return Score("csat", in_top(survey, name, top), "share", _csat(top), notes=assumed_ends(survey, name))
    survey.require("metric", [metric])
    kind = "index" if len(survey.items_of(metric)) > 1 else "mean"
    return Score(metric, survey.values(metric), kind, names(survey, metric), survey.higher_is_better(metric))


def _csat(top: int) -> dict[str, str]:
    boxes = dict(enumerate("一两三四五六七八九", start=1)).get(top, f" {top} ")
    return {"en": f"CSAT (top-{top}-box)", "zh": f"满意率（CSAT，前{boxes}档）"}


def in_top(survey: Survey, name: str, top: int) -> FloatArray:
    """1 where the answer is in one of the best ``top`` boxes, 0 where not, NaN where there is none."""
    answers = survey.values(name)
    low, high = ends_of(survey, name)
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


def single_item(survey: Survey, name: str, metric: str) -> str:
    """Raise unless a metric's item is a column, or a role of one item; return its name."""
    if not survey.has(name):
        raise SurveyError(
            f"{metric} needs the role {name!r}, which the survey does not declare; "
            f"declare outcomes: {name} in study.yml, or pass item=."
        )
    if len(survey.items_of(name)) > 1:
        raise SurveyError(f"{metric} needs one item; {name!r} is a role of {len(survey.items_of(name))}: pass item=.")
    return name


def ends_of(survey: Survey, name: str) -> tuple[float, float]:
    """Ends of an item's scale; those seen in the data (at 0–10 if they fit) where none is declared."""
    declared = survey.scale(name)
    if declared:
        return declared
    answers = survey.values(name)
    if not np.isfinite(answers).any():
        raise SurveyError(f"{name!r} has no answers and no declared scale.")
    low, high = float(np.nanmin(answers)), float(np.nanmax(answers))
    return (0.0, 10.0) if low >= 0 and 7 < high <= 10 and low != 1 else (low, high)


def assumed_ends(survey: Survey, name: str) -> tuple[Mapping[str, str], ...]:
    """Say which ends of a scale were taken from the answers, as none is declared."""
    if survey.scale(name):
        return ()
    low, high = ends_of(survey, name)
    return (Note(_ASSUMED, item=names(survey, name), low=low, high=high),)


_ASSUMED = {
    "en": "The scale of {item:in} is not declared; going by the answers it runs from {low:g} to {high:g}.",
    "zh": "“{item}”未声明量表范围，按实际回答取 {low:g} 至 {high:g}。",
}


def require_answers(survey: Survey, scores: Sequence[Score], argument: str = "items") -> None:
    """Raise if nobody who counts has an answer to some of the items."""
    asked = survey.domain & (survey.weights > 0)
    empty = list(dict.fromkeys(s.name for s in scores if not np.isfinite(s.values[asked]).any()))
    if empty:
        said = ", ".join(map(repr, empty[:10])) + (", …" if len(empty) > 10 else "")
        raise SurveyError(
            f"{argument}: {len(empty)} of {len({s.name for s in scores})} have no answer among {int(asked.sum()):,} respondents: "
            f"{said}; leave them out, or widen the filter."
        )


MOST_ANSWERS = 60


def answer_codes(survey: Survey, column: str) -> list[Any]:
    """Codes that can be answered, in code order: labelled ones (unless missing) and those that occur."""
    item = survey.codebook.items.get(column)
    if item is not None and item.values and all(isinstance(c, float) for c in item.values):
        survey.values(column)  # texts where the codebook has numbers are refused: its codes would all have 0 %
    occurring = survey.data[column].dropna().unique().tolist()
    labelled = [c for c in item.values if c not in item.missing] if item else []
    codes = in_order({*occurring, *labelled})
    if not codes:
        raise SurveyError(
            f"item {column!r} has no answer among {len(survey.data):,} respondents; leave it out, or widen the filter."
        )
    if len(codes) > MOST_ANSWERS:
        raise SurveyError(
            f"item {column!r} has {len(codes):,} different answers; shares are for 1 to {MOST_ANSWERS}: "
            "band it in study.yml (recoded), or use cx.means."
        )
    return codes


def value_names(survey: Survey, column: str, code: Any) -> dict[str, str]:
    """Value label of a code in every language."""
    item = survey.codebook.items.get(column)
    return {lang: item.value_label(code, lang) if item else str(code) for lang in LANGUAGES}
