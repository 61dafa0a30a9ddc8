"""The segment page: which group is unhappy, where it lags, and what the total hides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxlab.metrics import SIGNED, SPECS
from cxlab.report import texts
from cxlab.report.page import Page
from cxlab.report.wording import figure, inside, listed, needs, records, size
from cxlab.result import Result
from cxlab.segments import FLAT_LEVEL, FLAT_SHARE, CompareResult, CrisisResult
from cxlab.words import Figure, Note, Sentence, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.report.monthly import MonthlyReport

Column = str | tuple[str, str, str]
ALPHA = 0.05
POWER = 0.8  # of the gaps that a scan calls detectable
_MOST_GAPS = 3  # items at which a group lags that are said; more are counted
_MOST_CAUSES = 4  # causes of a hidden crisis that are said; the table has all


# ------------------------------------------------------------------ who is behind whom
def lowest(found: CompareResult, item: str) -> tuple[Any, list[dict[str, Any]]]:
    """The worst group of an item, and its differences from the others, the nearest group first."""
    levels = found.levels[(found.levels["item"] == item) & (found.levels["reliability"] != "suppressed")]
    if levels.empty:
        return None, []
    worse = levels["estimate"] * (1 if found.better[item] else -1)
    group = levels["segment"].iloc[int(worse.to_numpy().argmin())]
    return group, sorted(differences(found, item, group), key=lambda r: abs(r["estimate"]))


def differences(found: CompareResult, item: str, group: Any) -> list[dict[str, Any]]:
    """Differences of a group from each other one, group minus other; masked ones do not count."""
    out = []
    for r in records(found):
        if r["item"] != item or r["reliability"] == "suppressed" or group not in (r["segment"], r["other"]):
            continue
        if r["other"] == group:
            r = r | {
                "segment": group,
                "other": r["segment"],
                "estimate": -r["estimate"],
                "low": -r["high"],
                "high": -r["low"],
            }
        out.append(r)
    return out


def behind(found: CompareResult, item: str) -> dict[str, Any] | None:
    """How the worst group lags: behind the nearest group if behind all of them, else behind the furthest; None if it does not."""
    _, pairs = lowest(found, item)
    clear = [r for r in pairs if r["p_value"] < ALPHA]
    if not clear:
        return None
    every = len(clear) == len(pairs)
    return (clear[0] if every else clear[-1]) | {"every": every and len(pairs) > 1}


def _lag(report: MonthlyReport, found: CompareResult, row: dict[str, Any]) -> dict[str, Any]:
    """Facts of a group's lag behind another."""
    ends = sorted((abs(row["low"]), abs(row["high"])))
    return {
        "segment": found.label(row["segment"], report.lang, "segment"),
        "other": found.label(row["other"], report.lang, "segment"),
        "metric": found.label(row["item"], report.lang), "gap": size(report, row["item"], row["estimate"]),
        "low": size(report, row["item"], ends[0]), "high": size(report, row["item"], ends[1]), "p": row["p_value"],
        "way": texts.WAY[report.lang][row["estimate"] > 0],
    }  # fmt: skip


def unhappy(report: MonthlyReport, *, hint: bool = True) -> Sentence:
    """The group that is less satisfied than others beyond chance, or that there is none; where the total hides more, a hint."""
    found = report.segments
    if found is None:
        return needs(report, "segments")
    metric = next(iter(found.kinds))
    row = behind(found, metric)
    if row is None:
        visible = found.table.loc[found.table["item"] == metric, "detectable"].max()
        return sentence(texts.NOBODY_UNHAPPY, report.lang, by=report.segment_label, metric=found.label(metric, report.lang),
                        detectable=size(report, metric, float(visible)), power=found.power)  # fmt: skip
    levels = found.levels.set_index(["item", "segment"])["estimate"]
    template = texts.UNHAPPY["every" if row["every"] else "some"]
    if hint and row["segment"] in segments_in_crisis(report):
        template = {lang: template[lang] + texts.UNHAPPY_HIDDEN[lang] for lang in template}
    value = figure(report, metric, float(levels[metric, row["segment"]]))
    return sentence(template, report.lang, value=value, **_lag(report, found, row))


def gaps(report: MonthlyReport) -> list[Sentence]:
    """Items other than the key figures at which one group is behind every other one, the largest gaps first."""
    found, told = report.segments, {(r["segment"], r["item"]) for r in _causes(report)[:_MOST_CAUSES]}
    if found is None:
        return []
    rows = [r for i in found.kinds if i not in report.metric_names and (r := behind(found, i))]
    clear = [r for r in rows if (r["every"] or len(_groups(found)) == 2) and (r["segment"], r["item"]) not in told]
    clear.sort(key=lambda r: -abs(r["effect"]))
    said = [sentence(texts.SEGMENT_GAPS, report.lang, **_lag(report, found, r)) for r in clear[:_MOST_GAPS]]
    more = len(clear) - _MOST_GAPS
    return [*said, sentence(texts.MORE_GAPS, report.lang, count=more)] if more > 0 else said


def _groups(found: CompareResult) -> list[Any]:
    return found.levels["segment"].unique().tolist()


# ------------------------------------------------------------------ what the total hides
def _causes(report: MonthlyReport) -> list[dict[str, Any]]:
    """Causes of a hidden crisis that hold by Holm, the most certain first."""
    found = report.crisis
    if found is None:
        return []
    sure = found.causes[found.causes["p_holm"] < ALPHA]
    return [{str(k): v for k, v in r.items()} for r in sure.to_dict("records")]


def segments_in_crisis(report: MonthlyReport) -> list[Any]:
    """Groups that a hidden crisis was found in."""
    return list(dict.fromkeys(r["segment"] for r in _causes(report)))


def alarm(report: MonthlyReport) -> list[Sentence]:
    """The hidden crisis: causes, their consequences, who is at risk; or that there is none."""
    found, lang = report.crisis, report.lang
    if found is None:
        return []
    causes = _causes(report)
    said = [_cause(report, found, r) for r in causes[:_MOST_CAUSES]]
    if len(causes) > _MOST_CAUSES:
        said.append(sentence(texts.CRISIS_MORE, lang, count=len(causes) - _MOST_CAUSES))
    for segment in segments_in_crisis(report):
        said += _aftermath(report, found, segment)
    weaker = found.causes[found.causes["p_holm"] >= ALPHA]
    if len(weaker):
        names = [f"{found.label(s, lang, 'segment')} – {n}" if lang == "en" else f"{found.label(s, lang, 'segment')}“{n}”"
                 for s, n in zip(weaker["segment"], inside([found.label(i, lang) for i in weaker["item"]]), strict=True)]  # fmt: skip
        said.append(sentence(texts.CRISIS_WEAKER, lang, alpha=ALPHA, names=listed(report, list(dict.fromkeys(names)))))
    if not len(found.causes):
        tested = found.table["p_raw"].notna()
        share = (found.table["detectable"] / found.table["delta"])[tested].median()
        said.append(sentence(texts.CRISIS_NONE, lang, tests=int(tested.sum()), size=float(share), power=POWER))
    return said


def _cause(report: MonthlyReport, found: CrisisResult, row: dict[str, Any]) -> Sentence:
    lang, kind = report.lang, found.kinds[row["item"]]
    spec, ends = SIGNED[kind], sorted((abs(row["low"]), abs(row["high"])))
    facts: dict[str, Any] = {
        "segment": found.label(row["segment"], lang, "segment"), "item": found.label(row["item"], lang),
        "way": texts.WAY[lang][row["estimate"] > 0], "p": row["p_holm"], "total": Figure(row["total"], spec),
    }  # fmt: skip
    facts |= {
        k: Figure(abs(v), SPECS[kind].replace("+", ""))
        for k, v in (("gap", row["estimate"]), ("low", ends[0]), ("high", ends[1]))
    }
    if row["kind"] == "trend":
        facts |= {k: Figure(row[k], spec) for k in ("value", "rest")} | _periods(report, found)
    return sentence(texts.CRISIS[row["kind"] if found.periods else "pull"], lang, **facts)


def _periods(report: MonthlyReport, found: CrisisResult) -> dict[str, str]:
    """The periods that trends are shown between, as people say them."""
    ends = {k: found.text(v, report.lang).split("–") for k, v in found.periods.items()}
    return {k: _span([report.said_wave(w) for w in waves], report.lang) for k, waves in ends.items()}


def _span(waves: list[str], lang: str) -> str:
    """A period in words: July–December 2024, 2024年7月至12月."""
    first, last = waves[0], waves[-1]
    if first == last:
        return first
    if lang == "zh":
        year, mark, rest = last.partition("年")
        return f"{first}至{rest if mark and rest and first.startswith(year + mark) else last}"
    start, year = first.rpartition(" ")[::2]
    return f"{start if start and last.endswith(' ' + year) else first}–{last}"


def _aftermath(report: MonthlyReport, found: CrisisResult, segment: Any) -> list[Sentence]:
    """Consequences of a segment's crisis, and how many customers are in it."""
    name, lang = found.label(segment, report.lang, "segment"), report.lang
    rows = found.hidden[(found.hidden["segment"] == segment) & (found.hidden["role"] == "consequence")]
    own = {r["item"] for r in _causes(report)}
    names = inside([found.label(i, lang) for i in dict.fromkeys(rows["item"]) if i not in own])
    said = [sentence(texts.CRISIS_FOLLOWS, lang, segment=name, names=listed(report, names))] if names else []
    stake = found.at_risk[found.at_risk["segment"] == segment].iloc[0]
    said.append(sentence(texts.CRISIS_RISK, lang, segment=name, customers=float(stake["customers"]),
                         low=float(stake["customers_low"]), high=float(stake["customers_high"])))  # fmt: skip
    return said


# ------------------------------------------------------------------ the page
def title(report: MonthlyReport) -> Sentence:
    """What a manager should remember of the page."""
    found, lang, crisis = report.segments, report.lang, report.crisis
    hit = segments_in_crisis(report)
    if hit and crisis is not None:
        names = [crisis.label(s, lang, "segment") for s in hit]
        items = list(dict.fromkeys(r["item"] for r in _causes(report)))
        return sentence(texts.CRISIS_TITLE, lang, segments=_joined(names, lang),
                        items=_joined(inside([crisis.label(i, lang) for i in items]), lang))  # fmt: skip
    if found is None:
        return needs(report, "segments")
    metric = next(iter(found.kinds))
    row = behind(found, metric)
    if row is None:
        return sentence(texts.SEGMENTS_EQUAL, lang, by=report.segment_label, metric=found.label(metric, lang))
    return sentence(texts.SEGMENTS_TITLE, lang, **_lag(report, found, row))


def _joined(names: list[str], lang: str) -> str:
    if lang == "zh" or len(names) == 1:
        return "、".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def picture(report: MonthlyReport, found: CompareResult) -> tuple[Axes, str]:
    """Lines of the hidden crisis beside the total, or the groups' satisfaction; with a description."""
    lang, crisis, causes = report.lang, report.crisis, _causes(report)
    drawn = set(crisis.waves_of) if crisis is not None else set()
    shown = sorted((r for r in causes if r["item"] in drawn), key=lambda r: r["kind"] != "trend")
    if crisis is not None and shown:
        item = shown[0]["item"]
        axes = crisis.plot(lang=lang, item=item)
        name = crisis.label(item, lang)
        axes.set_title(sentence(texts.CRISIS_CHART, lang, metric=name, by=report.segment_label).text)
        return axes, sentence(texts.ALT["crisis"], lang, metric=name).text
    metric = next(iter(found.kinds))
    name = found.label(metric, lang)
    axes = found.plot(lang=lang, item=metric)
    axes.set_title(sentence(texts.SEGMENT_CHART, lang, metric=name, by=report.segment_label).text)
    return axes, sentence(texts.ALT["segments"], lang, metric=name).text


def fill(report: MonthlyReport, page: Page, found: CompareResult) -> Page:
    """Sentences, picture and tables."""
    page.lead([unhappy(report, hint=False), *alarm(report), *gaps(report)])
    page.picture(*picture(report, found))
    levels, key = found.further()["levels"], report.metric_names
    main = levels.table["item"].isin(key).to_numpy()
    columns: list[Column] = ["item", "segment", ("estimate", "low", "high"), "base"]
    page.table(_some(levels, main), columns, notes=False).notes([texts.INTERVALS])
    if not main.all():
        page.table(_some(levels, ~main), columns, notes=False, folded=texts.LEVELS_TABLE)
    holding = ((found.table["p_value"] < ALPHA) & (found.table["reliability"] != "suppressed")).to_numpy()
    if holding.any():
        pairs: list[Column] = ["item", "segment", "other", ("estimate", "low", "high"), "p_value"]
        order = np.argsort(-found.table["effect"].abs().to_numpy()[holding], kind="stable")
        strongest = np.flatnonzero(holding)[order]
        page.table(_some(found, strongest), pairs, notes=False, folded=texts.DIFFERENCES_TABLE)
    return _crisis_tables(report, page).notes(found.notes)


def _some(result: Any, rows: Any) -> Any:
    return replace(result, table=result.table[rows] if rows.dtype == bool else result.table.iloc[rows])


def _crisis_tables(report: MonthlyReport, page: Page) -> Page:
    """Hidden facts and what follows from them, folded; how they were looked for."""
    found = report.crisis
    if found is None:
        return page
    if len(found.hidden):
        hidden = Result(found.hidden, found.base, (), found.labels, formats=found.formats, level=found.level)
        columns: list[Column] = [
            "segment",
            "item",
            "kind",
            ("estimate", "low", "high"),
            "p_holm",
            "total",
            "masking",
            "role",
            "cause",
        ]
        page.table(hidden, columns, notes=False, folded=texts.CRISIS_TABLE)
    notes = (
        [
            Note(
                texts.CRISIS_WAVES,
                count=len(report.crisis_waves),
                first=report.crisis_waves[0],
                last=report.crisis_waves[-1],
            )
        ]
        if found.periods
        else []
    )
    return page.notes([*notes, Note(texts.CRISIS_METHOD, flat=FLAT_LEVEL, share=FLAT_SHARE)])
