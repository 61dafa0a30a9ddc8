"""The sentences of the monthly report: each computed from the tables of one analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.report import texts
from cxlab.report.page import plain_sentence
from cxlab.report.segments import unhappy
from cxlab.report.wording import figure, inside, kind_of, listed, needs, records, size
from cxlab.result import LOW_BASE, Result
from cxlab.words import Sentence, sentence

if TYPE_CHECKING:
    from cxlab.report.monthly import MonthlyReport

_MOST_CARES = 3  # what needs care, named on the first page
POWER = 0.8  # of the detectable differences, see contrasts.detectable


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
        names, _ = moved(report)
        return sentence(
            texts.FINDINGS["still_but" if names else "still"], report.lang, names=listed(report, names), **facts
        )
    direction = "up" if row["change"] > 0 else "down"
    return sentence(texts.FINDINGS[direction], report.lang, change=size(report, metric, row["change"]), **facts)


def card(report: MonthlyReport, metric: str) -> tuple[Sentence, Sentence, list[Sentence], str]:
    """Label, value, notes (interval, change, target) and tone of one key figure."""
    found, row = _score(report, metric)
    value, low, high, target = (figure(report, metric, row[c]) for c in ("estimate", "low", "high", "target"))
    notes = [sentence(texts.CARD_INTERVAL, report.lang, low=low, high=high)]
    if not np.isnan(row["change"]) and report.scorecard:
        template = texts.CARD_STILL if row["p_value"] >= 0.05 else texts.CARD_MOVED
        before = found.label(report.scorecard.before, report.lang, "wave")
        notes.append(
            sentence(template, report.lang, change=figure(report, metric, row["change"], signed=True), before=before)
        )
    verdict = _verdict(report, row)
    if verdict != "none":
        key = verdict if _better(report, metric) else f"{verdict}_low"
        notes.append(sentence(texts.CARD_TARGET[key], report.lang, target=target))
    return _card_label(report, metric), sentence(texts.CARD_VALUE, report.lang, value=value), notes, _tone(report, row)


def _card_label(report: MonthlyReport, metric: str) -> Sentence:
    """Name of a key figure, with the ends of its scale where it is a mean."""
    found, _ = _score(report, metric)
    kind, label = kind_of(report, metric), found.label(metric, report.lang)
    scale = (0.0, 100.0) if kind == "index" else report.now.scale(metric) if kind == "mean" else None
    if scale is None:
        return sentence(texts.CARD_LABEL, report.lang, metric=label)
    return sentence(texts.CARD_SCALE, report.lang, metric=label, bottom=float(scale[0]), top=float(scale[1]))


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
    """The targets that are met or missed, one sentence each, and which are not decided."""
    said, undecided = [], []
    for row, verdict in _decided(report):
        metric = row["metric"]
        label = report.scorecard.label(metric, report.lang) if report.scorecard else metric
        if verdict == "open":
            undecided.append(label)
            continue
        template = texts.TARGETS[verdict if _better(report, metric) else f"{verdict}_low"]
        said.append(sentence(template, report.lang, metric=label, target=figure(report, metric, row["target"])))
    if undecided:
        said.append(sentence(texts.TARGETS_OPEN, report.lang, names=listed(report, inside(undecided))))
    return said


def _decided(report: MonthlyReport) -> list[tuple[dict[str, Any], str]]:
    """Key figures that have a target, each with its verdict."""
    rows = [(row, _verdict(report, row)) for row in records(report.scorecard) if row["reliability"] != "suppressed"]
    return [(row, verdict) for row, verdict in rows if verdict != "none"]


def score_title(report: MonthlyReport) -> Sentence:
    """How many key figures changed, and how many targets are met."""
    rows = [r for r in records(report.scorecard) if r["reliability"] != "suppressed"]
    changed = [r["p_value"] < 0.05 for r in rows if np.isfinite(r["p_value"])]
    facts: dict[str, Any] = {"tested": len(changed) or len(rows), "count": sum(changed)}
    if changed and report.scorecard:
        facts["before"] = report.scorecard.label(report.scorecard.before, report.lang, "wave")
    template = texts.SCORE_TITLES["changed" if any(changed) else "still" if changed else "level"]
    verdicts = [verdict for _, verdict in _decided(report)]
    if verdicts:
        template = {lang: template[lang] + texts.SCORE_TARGETS[lang] for lang in template}
        facts |= {v: verdicts.count(v) for v in ("met", "missed", "open")}
    return sentence(template, report.lang, **facts)


def _score(report: MonthlyReport, metric: str) -> tuple[Result, dict[str, Any]]:
    found = report.scorecard
    if found is None:
        raise KeyError(metric)
    return found, next(r for r in records(found) if r["metric"] == metric)


def drivers_title(report: MonthlyReport, found: Result) -> Sentence:
    """What matters most, and whether its lead is settled."""
    top, leaders = found.table.iloc[0], found.table[found.table["rank_low"] == 1]
    template = texts.DRIVERS_TITLE if len(leaders) == 1 else texts.DRIVERS_OPEN
    facts: dict[str, Any] = {"driver": found.label(top["driver"], report.lang), "share": top["share"]}
    if len(leaders) == 2:
        template = texts.DRIVERS_OPEN_ONE
        facts["second"] = found.label(leaders["driver"].iloc[1], report.lang)
    return sentence(
        template,
        report.lang,
        outcome=report.rolling.label("satisfaction", report.lang),
        count=len(leaders) - 1,
        **facts,
    )


# ------------------------------------------------------------------ ten questions
def answer(report: MonthlyReport, key: str) -> Sentence:
    """The computed answer to one of the ten questions; what study.yml lacks where there is none."""
    return _ANSWERS[key](report)


def _answered(report: MonthlyReport) -> Sentence:
    base = report.base
    equal = round(base.effective) >= base.respondents
    if report.has_waves:
        template = texts.ANSWERED_WAVE_EQUAL if equal else texts.ANSWERED_WAVE
    else:
        template = texts.ANSWERED_EQUAL if equal else texts.ANSWERED
    return sentence(template, report.lang, base=base.respondents, effective=base.effective, wave=report.wave_words)


def _level(report: MonthlyReport) -> Sentence:
    if report.scorecard is None:
        return needs(report, "scorecard")
    return report.scorecard.levels(report.lang)[0]


def _changed(report: MonthlyReport) -> Sentence:
    if report.before is None:
        return _no_earlier(report)
    names, tested = moved(report)
    before = report.before_words
    if not names:
        return sentence(texts.NOTHING_CHANGED, report.lang, before=before, count=tested)
    return sentence(
        texts.CHANGED, report.lang, before=before, count=len(names), tested=tested, names=listed(report, names)
    )


def moved(report: MonthlyReport) -> tuple[list[str], int]:
    """Key figures and touchpoints that passed their test, with their direction, and how many were tested."""
    names, tested = [], 0
    for result, key in ((report.scorecard, "metric"), (report.touchpoints, "touchpoint")):
        for row in records(result):
            if np.isfinite(row["p_value"]) and row["reliability"] != "suppressed":
                tested += 1
                if row["p_value"] < 0.05 and result is not None:
                    template = texts.DIRECTIONS["up" if row["change"] > 0 else "down"][report.lang]
                    names.append(template.format(name=result.label(row[key], report.lang)))
    return names, tested


def _real(report: MonthlyReport) -> Sentence:
    if report.before is None or report.scorecard is None:
        return _no_earlier(report)
    names, _ = moved(report)
    if names:
        return sentence(texts.REAL, report.lang, names=listed(report, names))
    row = records(report.scorecard)[0]
    metric = report.scorecard.label(row["metric"], report.lang)
    return sentence(
        texts.NOT_REAL,
        report.lang,
        metric=metric,
        detectable=size(report, row["metric"], row["detectable"]),
        power=POWER,
    )


def _worst(report: MonthlyReport) -> Sentence:
    if report.touchpoints is None:
        return needs(report, "touchpoints")
    said = report.touchpoints.sentences(report.lang)
    return said[0] if said else needs(report, "too_few")


def _no_drivers(report: MonthlyReport) -> Sentence:
    return needs(report, "not_computed" if report.drivers_problem else "drivers")


def _drives(report: MonthlyReport) -> Sentence:
    return report.drivers.sentences(report.lang)[0] if report.drivers is not None else _no_drivers(report)


def _sure(report: MonthlyReport) -> Sentence:
    found = report.drivers
    if found is None:
        return _no_drivers(report)
    top = found.table.iloc[0]
    template = texts.SURE_FIRST if top["rank_high"] == 1 else texts.SURE
    return sentence(template, report.lang, driver=found.label(top["driver"], report.lang), first=top["top1"],
                    replicates=len(found.replicates), low=int(top["rank_low"]), high=int(top["rank_high"]))  # fmt: skip


def _fix(report: MonthlyReport) -> Sentence:
    if report.first is None:
        return _no_drivers(report)
    said = report.first.sentences(report.lang)
    return said[0] if said else needs(report, "nothing_first")


def _unreliable(report: MonthlyReport) -> Sentence:
    more = len(care(report)) - _MOST_CARES
    if more <= -_MOST_CARES:
        return plain_sentence(texts.LIMITS_NONE, report.lang)
    template = texts.UNRELIABLE_MORE if more > 0 else texts.UNRELIABLE
    return sentence(template, report.lang, names=care_names(report), more=more)


def care_names(report: MonthlyReport) -> str:
    """What needs care most, in a few words each."""
    return listed(report, [texts.CARE[key][report.lang] for key in list(care(report))[:_MOST_CARES]])


def care(report: MonthlyReport) -> dict[str, Sentence]:
    """What on the pages needs care, the gravest first: small bases, an open order, lost respondents, noise."""
    said, lang = {}, report.lang
    small = small_bases(report)
    if small:
        said["small"] = sentence(texts.SMALL_BASES, lang, count=len(small), limit=LOW_BASE, names=listed(report, small))
    said |= _driver_care(report)
    people, base = report.doubtful
    if people:
        said["doubtful"] = sentence(texts.DOUBTFUL, lang, count=people, base=base, share=people / base)
    if report.now.design.weight is None:
        said["unweighted"] = plain_sentence(texts.UNWEIGHTED, lang)
    return said


def _driver_care(report: MonthlyReport) -> dict[str, Sentence]:
    found, lang = report.drivers, report.lang
    if found is None:
        return {}

    def named(drivers: Any) -> str:
        return listed(report, [report.rolling.label(d, lang) for d in drivers])

    said, table, base = {}, found.table, found.base
    leaders = int((table["rank_low"] == 1).sum())
    if leaders > 1:
        said["order"] = sentence(texts.ORDER_OPEN, lang, count=leaders)
    if base.excluded_share >= 0.1:
        said["lost"] = sentence(texts.LOST, lang, base=base.respondents, lost=base.excluded, share=base.excluded_share)
    declared = [d for block in report.study.roles.drivers.values() for d in block]
    if aside := [d for d in declared if d not in set(table["driver"])]:
        said["aside"] = sentence(texts.ASIDE, lang, names=named(aside))
    if table["sign_flip"].any():
        said["flipped"] = sentence(texts.FLIPPED, lang, names=named(table["driver"][table["sign_flip"]]))
    noise = table[~table["distinguishable"]]
    if len(noise):
        said["noise"] = sentence(texts.NOISE, lang, drivers=len(table), names=named(noise["driver"]))
    return said


def small_bases(report: MonthlyReport) -> list[str]:
    """What rests on an effective base under 75."""
    names: list[str] = []
    groups = report.segments.further()["levels"] if report.segments is not None else None
    for result, keys in ((report.scorecard, ["metric"]), (report.touchpoints, ["touchpoint"]), (report.drivers, ["driver"]),
                         (groups, ["item", "segment"])):  # fmt: skip
        small = pd.DataFrame() if result is None else result.table[result.table["reliability"] != "ok"]
        for row in small.to_dict("records"):
            names.append(" ".join(result.label(row[k], report.lang, k) for k in keys) if result is not None else "")
    return list(dict.fromkeys(names))


def _no_earlier(report: MonthlyReport) -> Sentence:
    return plain_sentence(texts.NO_EARLIER, report.lang) if report.has_waves else needs(report, "trend")


_ANSWERS = {
    "answered": _answered, "level": _level, "changed": _changed, "real": _real, "worst": _worst, "drives": _drives,
    "sure": _sure, "unhappy": unhappy, "fix": _fix, "unreliable": _unreliable,
}  # fmt: skip
