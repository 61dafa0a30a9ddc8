"""The rows of a banner: items, and the lines (shares, nets, top-2 box, mean, NPS) that each has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlab.banners._columns import Texts, answers_of, multiple_responses, set_names
from cxlab.errors import SurveyError, one_of, unknown_names
from cxlab.items import Code, Item, in_order
from cxlab.metrics import SPECS, names, score, value_names
from cxlab.survey import Survey
from cxlab.words import LANGUAGES

FloatArray = np.ndarray[Any, np.dtype[Any]]
STATISTICS = ("net", "share", "top2", "mean", "nps")
MOST_ANSWERS, MOST_PLAIN = 60, 20  # answers of one item; of one that has neither labels nor a scale
Nets = Mapping[str, Mapping[str, Any]]

_TOP2 = {"en": "Top-2 box ({codes})", "zh": "前两档（{codes}）"}
_LINES: Mapping[str, Texts] = {
    "mean": {"en": "Mean", "zh": "均值"},
    "index": {"en": "Mean (0–100)", "zh": "均值（0–100）"},
    "nps": {"en": "NPS", "zh": "净推荐值（NPS）"},
    "csat": {"en": "Top-2 box", "zh": "前两档"},
    "promoters": {"en": "Promoters (9–10)", "zh": "推荐者（9–10）"},
    "passives": {"en": "Passives (7–8)", "zh": "中立者（7–8）"},
    "detractors": {"en": "Detractors (0–6)", "zh": "贬损者（0–6）"},
}


@dataclass(frozen=True, eq=False)
class Line:
    """One line of an item: a number per answer, whose weighted mean it shows.

    Attributes
    ----------
    statistic : {"net", "share", "top2", "mean", "nps"}
    code : code, str or None
        Answer, name of the net or group, or None.
    values : array
        Shape (answers,) where the item is coded, (rows,) where it is not.
    """

    statistic: str
    code: Any
    labels: Texts
    values: FloatArray
    spec: str


@dataclass(frozen=True, eq=False)
class Block:
    """An item and its lines.

    Attributes
    ----------
    answers : int array, shape (rows,), or None
        Place of the answer among the item's codes, −1 where there is none; None where lines have a value per row.
    answered : bool array, shape (rows,)
    """

    item: str
    labels: Texts
    lines: list[Line]
    answers: np.ndarray | None
    answered: np.ndarray


def blocks_of(survey: Survey, rows: Sequence[str], nets: Nets | None, statistics: Sequence[str] | None) -> list[Block]:
    """Make the blocks of a banner.

    Raises
    ------
    SurveyError
        For unknown names, nets of items that are no rows, or an item with more than 60 answers.
    """
    nets = nets or {}
    sets = multiple_responses(survey)
    chosen = list(dict.fromkeys(rows))
    if not chosen:
        raise SurveyError("rows is empty; name at least one item.")
    unknown = [r for r in chosen if r not in sets and r not in ("nps", "csat") and not survey.has(r)]
    if unknown:
        known = [*survey.data.columns, *survey.roles.names(), *sets, "nps", "csat"]
        raise unknown_names("rows", unknown, known)
    stray = [n for n in nets if n not in chosen]
    if stray:
        raise SurveyError(f"nets has {stray[0]!r}, which is not among the rows; add it to rows, or leave the net out.")
    for name in statistics or ():
        if name not in STATISTICS:
            raise one_of("statistics", name, STATISTICS)
    return [_kept(_block(survey, name, nets.get(name, {})), statistics) for name in chosen]


def _kept(block: Block, statistics: Sequence[str] | None) -> Block:
    if statistics is None:
        return block
    lines = [line for line in block.lines if line.statistic in statistics]
    if not lines:
        has = ", ".join(repr(s) for s in STATISTICS if s in {line.statistic for line in block.lines})
        raise SurveyError(f"statistics leaves nothing of {block.item!r}, which has: {has}.")
    return Block(block.item, block.labels, lines, block.answers, block.answered)


def _block(survey: Survey, name: str, nets: Mapping[str, Any]) -> Block:
    sets = multiple_responses(survey)
    if name in sets:
        return _set_block(survey, name, nets)
    whole_role = name not in ("nps", "csat") and len(survey.items_of(name)) > 1
    if name in ("nps", "csat") or whole_role:
        if nets:
            raise SurveyError(f"nets: {name!r} has no answers of its own to add up; name the item behind it.")
        return _score_block(survey, name)
    column = survey.column_of(name)
    item = survey.codebook.items.get(column, Item(column))
    values = survey.data[column]
    numeric = pd.api.types.is_numeric_dtype(values)
    if not numeric and item.values and all(isinstance(c, float) for c in item.values):
        survey.values(name)  # refuses texts where the codebook has numbers
    found, uniques = pd.factorize(values)
    codes = _codes(item, uniques.tolist(), numeric, name)
    if codes is None:
        if nets:
            raise SurveyError(f"nets: {name!r} is not coded; band it in study.yml (recoded) and name the bands.")
        numbers = survey.values(name)
        line = Line("mean", None, _LINES["mean"], numbers, SPECS["mean"])
        return Block(name, names(survey, name), [line], None, np.isfinite(numbers))
    where = {c: k for k, c in enumerate(codes)}
    answers = np.array([*(where[u] for u in uniques.tolist()), -1], dtype=np.intp)[found]  # −1 picks the last
    lines = [
        *(_net(survey, name, column, codes, said) for said in nets.items()),
        *(Line("share", c, value_names(survey, column, c), _one_hot(codes, [c]), ".0%") for c in codes),
        *(_scale_lines(item, codes) if numeric and _has_mean(item) else ()),
    ]
    return Block(name, names(survey, name), lines, answers, answers >= 0)


def _has_mean(item: Item) -> bool:
    return item.scale is not None or item.measure == "scale" or (item.measure == "unknown" and not item.values)


def _codes(item: Item, occurring: list[Code], numeric: bool, name: str) -> list[Code] | None:
    """Answers of an item in code order, labelled or occurring; None where only a mean makes sense."""
    labelled = [c for c in item.values if c not in item.missing]
    codes = in_order({*occurring, *labelled})
    declared = bool(item.values) or item.scale is not None or item.measure in ("nominal", "ordinal")
    few = len(codes) <= (MOST_ANSWERS if declared else MOST_PLAIN)
    if numeric and _has_mean(item) and not (few and codes):
        return None
    if not 0 < len(codes) <= MOST_ANSWERS:
        raise SurveyError(
            f"rows: {name!r} has {len(codes):,} different answers; 1 to {MOST_ANSWERS} make a table: "
            "band it in study.yml (recoded)."
        )
    return codes


def _one_hot(codes: Sequence[Code], wanted: Sequence[Code]) -> FloatArray:
    return np.isin(np.arange(len(codes)), [k for k, c in enumerate(codes) if c in wanted]).astype(float)


def _net(survey: Survey, name: str, column: str, codes: Sequence[Code], said: tuple[str, Any]) -> Line:
    title, wanted, labels = _net_parts(name, said)
    return Line("net", title, labels, _one_hot(codes, survey.codes_of(column, wanted)), ".0%")


def _net_parts(name: str, said: tuple[str, Any]) -> tuple[str, Any, Texts]:
    """Name, answers and wording of a net: a list of answers, or ``{"codes": [...], "labels": {...}}``."""
    title, wanted = said
    labels = {}
    if isinstance(wanted, Mapping):
        wanted, labels = wanted.get("codes", ()), wanted.get("labels", {})
    if isinstance(wanted, str) or not isinstance(wanted, (Sequence, set, np.ndarray)) or not len(wanted):
        raise SurveyError(f"nets: {title!r} of {name!r} is {wanted!r}; give a list of answers, such as [8, 9, 10].")
    return title, list(wanted), {lang: labels.get(lang, title) for lang in LANGUAGES}


def _scale_lines(item: Item, codes: Sequence[Code]) -> list[Line]:
    """Top-2 box, where the ends of the scale are known, and the mean."""
    numbers = np.array(codes, dtype=float)
    lines = []
    if item.scale is not None and item.scale[1] - item.scale[0] >= 2:
        low, high = item.scale
        boxes = numbers > high - 2 if item.higher_is_better else numbers < low + 2
        said = f"{high - 1:g}–{high:g}" if item.higher_is_better else f"{low:g}–{low + 1:g}"
        text = {lang: _TOP2[lang].format(codes=said) for lang in LANGUAGES}
        lines.append(Line("top2", None, text, boxes.astype(float), ".0%"))
    return [*lines, Line("mean", None, _LINES["mean"], numbers, SPECS["mean"])]


def _score_block(survey: Survey, name: str) -> Block:
    """NPS with its three groups, CSAT, or a role of several items on 0–100."""
    scored = score(survey, name)
    answered = np.isfinite(scored.values)
    kind = {"nps": "nps", "csat": "csat"}.get(name, "index")
    statistic = {"nps": "nps", "csat": "top2", "index": "mean"}[kind]
    lines = [Line(statistic, None, _LINES[kind], np.where(answered, scored.values, 0.0), SPECS[scored.kind])]
    if kind == "nps":
        parts = zip(("promoters", "passives", "detractors"), (100.0, 0.0, -100.0), strict=True)
        lines = [*(Line("share", p, _LINES[p], (scored.values == v).astype(float), ".0%") for p, v in parts), *lines]
    return Block(name, scored.labels, lines, None, answered)


def _set_block(survey: Survey, name: str, nets: Mapping[str, Any]) -> Block:
    """Shares of those who answered any column of the set; a net is any of its answers."""
    mr = multiple_responses(survey)[name]
    found = answers_of(survey, mr)
    if not 0 < len(found.codes) <= MOST_ANSWERS:
        raise SurveyError(f"rows: set {name!r} has {len(found.codes):,} answers; 1 to {MOST_ANSWERS} make a table.")
    lines = []
    for said in nets.items():
        title, wanted, labels = _net_parts(name, said)
        places = [_place_in_set(name, found.codes, found.texts, w) for w in wanted]
        lines.append(Line("net", title, labels, found.given[:, places].any(axis=1).astype(float), ".0%"))
    for code, texts, given in zip(found.codes, found.texts, found.given.T, strict=True):
        lines.append(Line("share", code, texts, given.astype(float), ".0%"))
    return Block(name, set_names(mr), lines, None, found.answered)


def _place_in_set(name: str, codes: Sequence[Any], texts: Sequence[Texts], wanted: Any) -> int:
    for k, (code, labels) in enumerate(zip(codes, texts, strict=True)):
        if wanted == code or wanted in labels.values():
            return k
    raise one_of(f"nets: an answer of {name!r}", wanted, [*codes, *dict.fromkeys(t["en"] for t in texts)])
