"""The sentences of the monthly report: each computed from the tables of one analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.metrics import SIGNED, SPECS
from cxlab.report import texts
from cxlab.report.page import plain_sentence
from cxlab.result import LOW_BASE, Result
from cxlab.words import Figure, Sentence, sentence

if TYPE_CHECKING:
    from cxlab.report.monthly import MonthlyReport

_POINTS = {"en": " points", "zh": " 个百分点"}
_MOST_GAPS = 6  # segment × touchpoint gaps that are said; the table has all


def figure(report: MonthlyReport, metric: str, value: float, *, signed: bool = False) -> Figure:
    """A value of a metric in the metric's own format."""
    kind = _kind(report, metric)
    if signed:
        return Figure(value, SIGNED[kind], _POINTS[report.lang] if kind == "share" else "")
    return Figure(value, SPECS[kind])


def size(report: MonthlyReport, metric: str, value: float) -> Figure:
    """The size of a difference of a metric, without a sign; shares in points."""
    kind = _kind(report, metric)
    if kind == "share":
        return Figure(100 * abs(value), ".1f", _POINTS[report.lang])
    return Figure(abs(value), SPECS[kind].replace("+", ""))


def _kind(report: MonthlyReport, metric: str) -> str:
    return str(report.scorecard.kinds.get(metric, "mean")) if report.scorecard is not None else "mean"


def _listed(report: MonthlyReport, texts_: list[str]) -> str:
    return (", " if report.lang == "en" else "、").join(texts_)


# ------------------------------------------------------------------ key figures
def finding(report: MonthlyReport, metric: str) -> Sentence:
    """Level and change of one key figure, as a headline."""
    found, row = _score(report, metric)
    facts: dict[str, Any] = {
        "metric": found.label(metric, report.lang),
        "value": figure(report, metric, row["estimate"]),
    }
    if np.isnan(row["change"]):
        return sentence(texts.FINDINGS["level"], report.lang, **facts)
    facts["before"] = found.label(report.scorecard.before, report.lang, "wave") if report.scorecard else ""
    if row["p_value"] >= 0.05:
        return sentence(texts.FINDINGS["still"], report.lang, **facts)
    direction = "up" if row["change"] > 0 else "down"
    return sentence(texts.FINDINGS[direction], report.lang, change=size(report, metric, row["change"]), **facts)


def card(report: MonthlyReport, metric: str) -> tuple[Sentence, Sentence, Sentence, str]:
    """Label, value, note and tone of one key figure."""
    found, row = _score(report, metric)
    value, low, high = (figure(report, metric, row[c]) for c in ("estimate", "low", "high"))
    facts: dict[str, Any] = {"low": low, "high": high}
    template = texts.CARD_NOTE
    if not np.isnan(row["change"]):
        template = texts.CARD_STILL if row["p_value"] >= 0.05 else texts.CARD_MOVED
        facts["change"] = figure(report, metric, row["change"], signed=True)
        facts["before"] = found.label(report.scorecard.before, report.lang, "wave") if report.scorecard else ""
    label = sentence(texts.CARD_LABEL, report.lang, metric=found.label(metric, report.lang))
    return (
        label,
        sentence(texts.CARD_VALUE, report.lang, value=value),
        sentence(template, report.lang, **facts),
        _tone(report, row),
    )


def _tone(report: MonthlyReport, row: dict[str, Any]) -> str:
    """Good or bad where a change is tested or a target is decided; otherwise neither."""
    better = 1 if _better(report, row["metric"]) else -1
    if row["p_value"] < 0.05:
        return "good" if better * row["change"] > 0 else "bad"
    return {"met": "good", "missed": "bad"}.get(_verdict(report, row), "")


def _better(report: MonthlyReport, metric: str) -> bool:
    return report.now.higher_is_better(metric) if report.now.has(metric) else True


def _verdict(report: MonthlyReport, row: dict[str, Any]) -> str:
    """Whether the interval lies on one side of the target: met, missed, open, or none without a target."""
    target = row["target"]
    if np.isnan(target):
        return "none"
    above, below = row["low"] >= target, row["high"] < target
    if not _better(report, row["metric"]):
        above, below = row["high"] <= target, row["low"] > target
    return "met" if above else "missed" if below else "open"


def targets(report: MonthlyReport) -> list[Sentence]:
    """One sentence per key figure that has a target."""
    said = []
    for row in _rows(report.scorecard):
        verdict = _verdict(report, row)
        if verdict != "none" and row["reliability"] != "suppressed":
            metric = row["metric"]
            template = texts.TARGETS[verdict if _better(report, metric) or verdict == "open" else f"{verdict}_low"]
            label = report.scorecard.label(metric, report.lang) if report.scorecard else metric
            said.append(sentence(template, report.lang, metric=label, target=figure(report, metric, row["target"])))
    return said


def _score(report: MonthlyReport, metric: str) -> tuple[Result, dict[str, Any]]:
    found = report.scorecard
    if found is None:
        raise KeyError(metric)
    return found, next(r for r in _rows(found) if r["metric"] == metric)


def _rows(result: Result | None) -> list[dict[str, Any]]:
    return [] if result is None else [{str(k): v for k, v in r.items()} for r in result.table.to_dict("records")]


# ------------------------------------------------------------------ ten questions
def answer(report: MonthlyReport, key: str) -> Sentence:
    """The computed answer to one of the ten questions; what study.yml lacks where there is none."""
    return _ANSWERS[key](report)


def _answered(report: MonthlyReport) -> Sentence:
    base = report.base
    template = texts.ANSWERED_WAVE if report.has_waves else texts.ANSWERED
    return sentence(template, report.lang, base=base.respondents, effective=base.effective, wave=report.wave_label)


def _level(report: MonthlyReport) -> Sentence:
    if report.scorecard is None:
        return _needs(report, "scorecard")
    return report.scorecard.levels(report.lang)[0]


def _changed(report: MonthlyReport) -> Sentence:
    if report.before is None:
        return _no_earlier(report)
    names, tested = moved(report)
    before = report.study.wave(report.study.previous(report.wave)).label
    if not names:
        return sentence(texts.NOTHING_CHANGED, report.lang, before=before, count=tested)
    return sentence(
        texts.CHANGED, report.lang, before=before, count=len(names), tested=tested, names=_listed(report, names)
    )


def moved(report: MonthlyReport) -> tuple[list[str], int]:
    """Labels of the key figures and touchpoints that passed their test, and how many were tested."""
    names, tested = [], 0
    for result, key in ((report.scorecard, "metric"), (report.touchpoints, "touchpoint")):
        for row in _rows(result):
            if np.isfinite(row["p_value"]) and row["reliability"] != "suppressed":
                tested += 1
                if row["p_value"] < 0.05 and result is not None:
                    names.append(result.label(row[key], report.lang))
    return names, tested


def _real(report: MonthlyReport) -> Sentence:
    if report.before is None or report.scorecard is None:
        return _no_earlier(report)
    names, _ = moved(report)
    if names:
        return sentence(texts.REAL, report.lang, names=_listed(report, names))
    row = _rows(report.scorecard)[0]
    metric = report.scorecard.label(row["metric"], report.lang)
    return sentence(
        texts.NOT_REAL, report.lang, metric=metric, detectable=size(report, row["metric"], row["detectable"])
    )


def _worst(report: MonthlyReport) -> Sentence:
    said = report.touchpoints.sentences(report.lang) if report.touchpoints is not None else ()
    return said[0] if said else _needs(report, "touchpoints")


def _drives(report: MonthlyReport) -> Sentence:
    return report.drivers.sentences(report.lang)[0] if report.drivers is not None else _needs(report, "drivers")


def _sure(report: MonthlyReport) -> Sentence:
    found = report.drivers
    if found is None:
        return _needs(report, "drivers")
    top = found.table.iloc[0]
    return sentence(texts.SURE, report.lang, driver=found.label(top["driver"], report.lang), first=top["top1"],
                    replicates=len(found.replicates), low=int(top["rank_low"]), high=int(top["rank_high"]))  # fmt: skip


def unhappy(report: MonthlyReport) -> Sentence:
    """The segment that is significantly less satisfied than everybody else, or that there is none."""
    found = report.segments
    if found is None:
        return _needs(report, "segments")
    row = lowest(found)
    metric = row["metric"]
    if row["p_value"] >= 0.05 or row["estimate"] >= 0:
        return sentence(texts.NOBODY_UNHAPPY, report.lang, detectable=size(report, metric, row["detectable"]))
    return sentence(
        texts.UNHAPPY, report.lang, segment=found.label(row["segment"], report.lang, "segment"),
        metric=found.label(metric, report.lang, "metric"), value=figure(report, metric, row["value"]),
        gap=size(report, metric, row["estimate"]), low=size(report, metric, row["high"]), high=size(report, metric, row["low"]),
        p=row["p_value"],
    )  # fmt: skip


def lowest(found: Result) -> dict[str, Any]:
    """The segment furthest below the rest on the first metric; suppressed ones do not count."""
    rows = _rows(found)
    usable = [r for r in rows if r["metric"] == rows[0]["metric"] and r["reliability"] != "suppressed"] or rows[:1]
    return min(usable, key=lambda r: r["estimate"])


def gaps(report: MonthlyReport) -> list[Sentence]:
    """Touchpoints at which a segment lies below everybody else, the largest gaps first."""
    found = report.segment_touchpoints
    clear = [r for r in _rows(found) if r["p_value"] < 0.05 and r["estimate"] < 0 and r["reliability"] != "suppressed"]
    return [
        sentence(
            texts.SEGMENT_GAPS, report.lang, segment=found.label(r["segment"], report.lang, "segment"),
            touchpoint=found.label(r["metric"], report.lang, "metric"), gap=-r["estimate"],
            low=-r["high"],
            high=-r["low"],
            p=r["p_value"],
        )
        for r in sorted(clear, key=lambda r: r["estimate"])[:_MOST_GAPS]
        if found is not None
    ]  # fmt: skip


def _fix(report: MonthlyReport) -> Sentence:
    said = report.first.sentences(report.lang) if report.first is not None else ()
    return said[0] if said else _needs(report, "drivers")


def _unreliable(report: MonthlyReport) -> Sentence:
    said = care(report)
    return said[0] if said else plain_sentence(texts.LIMITS_NONE, report.lang)


def care(report: MonthlyReport) -> list[Sentence]:
    """What on the pages needs care: small bases, noise, lost respondents, an open order."""
    said, lang = [], report.lang
    small = small_bases(report)
    if small:
        said.append(sentence(texts.SMALL_BASES, lang, count=len(small), limit=LOW_BASE, names=_listed(report, small)))
    found = report.drivers
    if found is not None:
        if found.base.excluded_share >= 0.1:
            said.append(sentence(texts.LOST, lang, base=found.base.respondents, share=found.base.excluded_share))
        leaders = int((found.table["rank_low"] == 1).sum())
        if leaders > 1:
            said.append(sentence(texts.ORDER_OPEN, lang, count=leaders))
        noise = found.table[~found.table["distinguishable"]]
        if len(noise):
            names = _listed(report, [found.label(d, lang) for d in noise["driver"]])
            said.append(sentence(texts.NOISE, lang, count=len(noise), drivers=len(found.table), names=names))
    return said


def small_bases(report: MonthlyReport) -> list[str]:
    """What rests on an effective base under 75."""
    names: list[str] = []
    for result, keys in ((report.scorecard, ["metric"]), (report.touchpoints, ["touchpoint"]), (report.drivers, ["driver"]),
                         (report.segments, ["metric", "segment"])):  # fmt: skip
        rows = pd.DataFrame() if result is None else result.table[result.table["reliability"] != "ok"]
        for row in rows.to_dict("records"):
            names.append(" ".join(result.label(row[k], report.lang, k) for k in keys) if result is not None else "")
    return list(dict.fromkeys(names))


def _needs(report: MonthlyReport, key: str) -> Sentence:
    return plain_sentence(texts.NEEDS[key], report.lang)


def _no_earlier(report: MonthlyReport) -> Sentence:
    return plain_sentence(texts.NO_EARLIER, report.lang)


_ANSWERS = {
    "answered": _answered, "level": _level, "changed": _changed, "real": _real, "worst": _worst, "drives": _drives,
    "sure": _sure, "unhappy": unhappy, "fix": _fix, "unreliable": _unreliable,
}  # fmt: skip
