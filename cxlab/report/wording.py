"""How the report prints a metric, a list of names and what a study lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cxlab.metrics import SIGNED, SPECS
from cxlab.report import texts
from cxlab.report.page import plain_sentence
from cxlab.result import Result
from cxlab.words import Figure, Sentence, number

if TYPE_CHECKING:
    from cxlab.report.monthly import MonthlyReport

_POINTS = {"en": " points", "zh": " 个百分点"}
_MOST_NAMES = 6  # names in a list


def figure(report: MonthlyReport, metric: str, value: float, *, signed: bool = False) -> Figure:
    """A value of a metric in the metric's own format."""
    kind = kind_of(report, metric)
    if signed:
        return Figure(value, SIGNED[kind], _POINTS[report.lang] if kind == "share" else "")
    return Figure(value, SPECS[kind])


def size(report: MonthlyReport, metric: str, value: float) -> Figure:
    """The size of a difference of a metric, without a sign; shares in points."""
    kind = kind_of(report, metric)
    if kind == "share":
        return Figure(100 * abs(value), ".1f", _POINTS[report.lang])
    return Figure(abs(value), SPECS[kind].replace("+", ""))


def kind_of(report: MonthlyReport, metric: str) -> str:
    """Kind of a metric of the scorecard; anything else is a mean."""
    return str(report.scorecard.kinds.get(metric, "mean")) if report.scorecard is not None else "mean"


def listed(report: MonthlyReport, names: list[str]) -> str:
    """Names in a row, the first few of them."""
    shown = [*names[:_MOST_NAMES], *(["…"] if len(names) > _MOST_NAMES else [])]
    return (", " if report.lang == "en" else "、").join(shown)


def inside(labels: list[str]) -> list[str]:
    """Labels as inside a sentence."""
    return [number(label, "in") for label in labels]


def records(result: Result | None) -> list[dict[str, Any]]:
    """Rows of a result's table, none where there is no result."""
    return [] if result is None else [{str(k): v for k, v in r.items()} for r in result.table.to_dict("records")]


def needs(report: MonthlyReport, key: str) -> Sentence:
    """What study.yml would need."""
    return plain_sentence(texts.NEEDS[key], report.lang)
