"""Outcomes: from what is written ("top2(satisfaction)", "satisfaction >= 9") to numbers, a kind and a fitting model."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cxlab import expressions
from cxlab.errors import SurveyError, nearest
from cxlab.metrics import names as wordings
from cxlab.survey import Survey
from cxlab.words import LANGUAGES, Note

FloatArray = np.ndarray[Any, np.dtype[Any]]
_CALL = re.compile(r"\s*(\w+)\s*\(([^()]*)\)\s*")
_COMPARED = re.compile(r"[<>=!]|\b(?:in|and|or|not)\b")
_FORMULA = re.compile(r"[()+*/-]")
_SIGNS = {ast.GtE: "≥", ast.LtE: "≤", ast.Gt: ">", ast.Lt: "<", ast.Eq: "=", ast.NotEq: "≠"}
_CLASSES: Mapping[str, Mapping[str, str]] = {
    "top1": {"en": "{item} (top box)", "zh": "{item}最高档"},
    "top2": {"en": "{item} (top 2)", "zh": "{item}前两档"},
    "top3": {"en": "{item} (top 3)", "zh": "{item}前三档"},
    "promoters": {"en": "{item} (promoters)", "zh": "推荐者（{item}）"},
    "detractors": {"en": "{item} (detractors)", "zh": "贬损者（{item}）"},
    "nps": {"en": "NPS ({item})", "zh": "净推荐值（{item}）"},
}
_SCORE = {"en": "NPS", "zh": "净推荐值"}  # of the study's own question for it
_FEW = 5  # answers up to which an ordinal model is worth a look
_MOST = 15  # answers up to which one can be fitted
_CEILING = 0.40  # share at one end of the scale from which a mean says little


@dataclass(frozen=True, eq=False)
class Outcome:
    """What is to be explained, as numbers.

    Attributes
    ----------
    text : str
        As it was written.
    values : array, shape (rows,)
        Of all rows of the survey; 0 / 1 for a class of answers, −100 / 0 / 100 for NPS; NaN where the item is missing.
    items : tuple of str
        Columns behind it.
    labels : mapping of language to str
    kind : {"binary", "ordinal", "continuous"}
        Two values; a few ordered answers; anything else.
    answers : int
        Distinct values in the domain.
    end : float
        Share of the domain's weight at the fuller end of the values.
    event : mapping of language to str
        What counts as the event where there are two values.
    form : str
        Class of answers that was named, such as ``"top2"`` or ``"nps"``; empty for a column, role or condition.
    """

    text: str
    values: FloatArray
    items: tuple[str, ...]
    labels: Mapping[str, str]
    kind: str
    answers: int
    end: float
    event: Mapping[str, str]
    form: str = ""


def read_outcome(survey: Survey, text: str) -> Outcome:
    """Read an outcome: a column or role, a class of answers, or a condition.

    Parameters
    ----------
    survey : Survey
    text : str
        ``"satisfaction"``; ``"top2(satisfaction)"`` (also ``top1``, ``top3``: the best answers on the item's scale);
        ``"promoters(recommend)"`` (9–10 of 0–10) and ``"detractors(recommend)"`` (0–6); ``"nps(recommend)"`` (100, 0 or
        −100: the first less the second); a condition such as ``"satisfaction >= 9"``. Parsed, never evaluated as Python.

    Returns
    -------
    Outcome

    Raises
    ------
    SurveyError
        If a name is unknown, the scale that a class needs is not known, or the text is no condition.
    """
    if not isinstance(text, str):
        raise SurveyError(f"outcome is {text!r}; name a column or role, or write a condition.")
    if survey.has(text):
        values, items, labels = survey.values(text), survey.items_of(text), wordings(survey, text)
        return _outcome(survey, text, values, items, labels)
    text = text.strip()
    call = _CALL.fullmatch(text)
    if call and call[1] in _CLASSES:
        return _class(survey, text, call[1], call[2].strip())
    if call and call[1] != "mean":
        listed = ", ".join(f"{c}(...)" for c in _CLASSES)
        raise SurveyError(
            f"outcome {text!r}: {call[1]!r} is no class of answers{nearest(call[1], _CLASSES)}; there are {listed}, and "
            "conditions such as 'satisfaction >= 9'."
        )
    if not _COMPARED.search(text):
        if not _FORMULA.search(text):
            survey.require("outcome", [text])
        raise SurveyError(
            f"outcome {text!r} is a formula and no condition; compare it, as in '{text} >= 9', or declare it under derived: in "
            "study.yml and name it here."
        )
    return _condition(survey, text)


def _class(survey: Survey, text: str, name: str, item: str) -> Outcome:
    survey.require("outcome", [item])
    items = survey.items_of(item)
    if len(items) > 1:
        raise SurveyError(
            f"outcome {text!r}: {item!r} is a role of {len(items)} items; name one of them: {', '.join(items)}."
        )
    answers = survey.values(item)
    held = _promotion(survey, text, item, answers)[name] if name[:3] != "top" else _top(survey, text, name, item)
    values = np.where(np.isnan(answers), np.nan, held.astype(float))
    own = name == "nps" and items == tuple(survey.roles.outcomes.get("recommend", ("recommend",)))
    words = _SCORE if own else _CLASSES[name]
    labels = {lang: words[lang].format(item=survey.label(item, lang)) for lang in LANGUAGES}
    found = _outcome(survey, text, values, items, labels)
    if name == "nps":  # three ordered classes, also where a domain happens to have two
        found = replace(found, kind="ordinal" if found.answers == 3 else "continuous")
    return replace(found, form=name)


def _top(survey: Survey, text: str, name: str, item: str) -> np.ndarray:
    """Rows with one of the best answers of the item's scale."""
    scale, boxes = survey.scale(item), int(name[3:])
    if scale is None:
        raise SurveyError(
            f"outcome {text!r}: the scale of {item!r} is not declared, so its best answers are unknown; declare "
            f"items: {item}: {{scale: [low, high]}} in study.yml, or write a condition such as '{item} >= 4'."
        )
    low, high = scale
    if boxes > high - low:
        raise SurveyError(
            f"outcome {text!r}: {item!r} runs {low:g}–{high:g}, all of which would be in the top {boxes}."
        )
    answers = survey.values(item)
    return answers > high - boxes if survey.higher_is_better(item) else answers < low + boxes


def _promotion(survey: Survey, text: str, item: str, answers: FloatArray) -> Mapping[str, np.ndarray]:
    """Rows with 9–10 and with 0–6 of a scale of 0–10, and 100 times the first less the second."""
    known = answers[np.isfinite(answers)]
    seen = (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
    low, high = survey.scale(item) or ((0.0, 10.0) if seen[0] >= 0 and 7 < seen[1] <= 10 and seen[0] != 1 else seen)
    if (low, high) != (0, 10):
        raise SurveyError(
            f"outcome {text!r}: {item!r} runs {low:g}–{high:g}; promoters (9–10) and detractors (0–6) are defined on 0–10. "
            f"Use 'top2({item})' or a condition."
        )
    up, down = answers >= 9, answers <= 6
    return {"promoters": up, "detractors": down, "nps": 100.0 * up - 100.0 * down}


def _condition(survey: Survey, text: str) -> Outcome:
    used = expressions.names(text)
    survey.require("outcome", used)
    expressions.evaluate(text, survey)  # refuses what is no condition
    items = tuple(dict.fromkeys(i for n in used for i in survey.items_of(n)))
    return _outcome(survey, text, expressions.compute(text, survey), items, _wording(survey, text))


def _wording(survey: Survey, text: str) -> dict[str, str]:
    """A single comparison with the item's wording; anything longer as it was written."""
    match ast.parse(text.strip(), mode="eval").body:
        case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[ast.Constant(value=value)]) if (
            type(op) in _SIGNS
        ):
            shown = f"{value:g}" if isinstance(value, (int, float)) else str(value)
            return {lang: f"{survey.label(name, lang)} {_SIGNS[type(op)]} {shown}" for lang in LANGUAGES}
    return dict.fromkeys(LANGUAGES, text)


def _outcome(
    survey: Survey, text: str, values: FloatArray, items: tuple[str, ...], labels: Mapping[str, str]
) -> Outcome:
    used = survey.domain & (survey.weights > 0) & np.isfinite(values)
    answers, place = np.unique(values[used], return_inverse=True)
    share = np.bincount(place, survey.weights[used], max(len(answers), 1)) / max(survey.weights[used].sum(), 1e-300)
    whole = bool(np.all(answers == np.round(answers)))
    kind = "binary" if len(answers) == 2 else "ordinal" if whole and 2 < len(answers) <= _MOST else "continuous"
    return Outcome(
        text,
        values,
        items,
        labels,
        kind,
        len(answers),
        float(max(share[0], share[-1])),
        _event(survey, text, answers, labels),
    )


def _event(survey: Survey, text: str, answers: FloatArray, labels: Mapping[str, str]) -> dict[str, str]:
    """What the higher of two values means."""
    if len(answers) != 2 or not survey.has(text):
        return dict(labels)
    item = survey.codebook.get(survey.items_of(text)[0])
    code = float(answers[1])
    return {lang: f"{labels[lang]} = {item.value_label(code, lang) if item else f'{code:g}'}" for lang in LANGUAGES}


def choose_model(survey: Survey, outcome: Outcome, model: str | None) -> tuple[str, list[Note]]:
    """The model that fits the outcome's scale, or the one asked for, and what is to be said of it.

    Raises
    ------
    SurveyError
        If the model asked for cannot explain such an outcome.
    """
    if model == "logit" and outcome.kind != "binary":
        raise SurveyError(
            f"model is 'logit', and outcome {outcome.text!r} has {outcome.answers} different answers; name a class of them, "
            f"such as 'top2({outcome.items[0]})' or '{outcome.items[0]} >= 9', or leave model out."
        )
    if model == "ordinal" and outcome.kind == "continuous":
        raise SurveyError(
            f"model is 'ordinal', and outcome {outcome.text!r} has {outcome.answers} different answers; it takes 3 to {_MOST} "
            "whole numbers: leave model out."
        )
    if outcome.kind == "binary":
        if model == "linear":
            return "linear", [Note(_PROBABILITY, outcome=outcome.labels)]
        return model or "logit", [Note(_LOGIT, event=outcome.event)]
    notes = [] if model == "ordinal" else _suggestions(survey, outcome)
    return model or "linear", notes


def _suggestions(survey: Survey, outcome: Outcome) -> list[Note]:
    """What else would suit an outcome that a linear model explains."""
    if outcome.form == "nps":
        return [Note(NPS)]
    out = []
    item = outcome.items[0]
    few, crowded = outcome.answers <= _FEW, outcome.end >= _CEILING
    if outcome.kind == "ordinal" and (few or crowded):
        out.append(
            Note(_ORDINAL if few else _CROWDED, outcome=outcome.labels, count=outcome.answers, share=outcome.end)
        )
    recommended = survey.roles.outcomes.get("recommend", ("recommend",))
    if outcome.items == tuple(recommended) and survey.scale(item) == (0, 10):
        out.append(Note(_NPS, item=item))
    return out


_PROBABILITY = {
    "en": "{outcome} has two values and is explained by a linear probability model, as asked; left to choose, a logit is used.",
    "zh": "“{outcome}”只有两个取值，这里按要求采用线性概率模型；若不指定模型，则采用 Logit 模型。",
}
_LOGIT = {
    "en": "Logit, chosen since the outcome has two values; the event is “{event}”. Effects are average marginal effects in percentage points.",
    "zh": "因变量只有两个取值，采用 Logit 模型，事件为“{event}”。影响值为平均边际效应，单位为百分点。",
}
_ORDINAL = {
    "en": '{outcome} has only {count} different answers; a linear model is used, model="ordinal" treats them as ordered classes.',
    "zh": '“{outcome}”仅有 {count} 档答案；这里采用线性模型，也可用 model="ordinal" 将其作为有序类别处理。',
}
_CROWDED = {
    "en": '{share:.0%} of the answers to {outcome:in} lie at one end of the scale; a linear model is used, model="ordinal" or a class of '
    "answers such as top2(...) suits such answers better.",
    "zh": '“{outcome}”有 {share:.0%} 的回答集中在量表一端；这里采用线性模型，改用 model="ordinal" 或 top2(...) 这类答案分组更为合适。',
}
_NPS = {
    "en": "For what drives NPS, nps({item}) explains the score itself, promoters({item}) and detractors({item}) the two classes by logit; this "
    "analysis explains the mean.",
    "zh": "若要了解 NPS 的驱动因素，可用 nps({item}) 直接分析净推荐值，或分别以 promoters({item}) 与 detractors({item}) 作 Logit 分析；本分析解释的是平均分。",
}
NPS = {
    "en": "Each promoter (9–10) counts 100, each passive 0 and each detractor (0–6) −100; their mean is NPS, and a linear model explains it.",
    "zh": "推荐者（9–10 分）记 100，中立者记 0，贬损者（0–6 分）记 −100，其均值即净推荐值（NPS）；此处以线性模型解释该值。",
}
