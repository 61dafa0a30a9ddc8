"""Finders of the columns that are no questions: weight, wave, respondent, strata, comments, sets."""

from __future__ import annotations

import re
from collections import defaultdict

import numpy as np
import pandas as pd

from cxlab.draft import vocabulary as v
from cxlab.draft.columns import Column
from cxlab.draft.found import File, because
from cxlab.draft.wording import BAD_WEIGHT, GAPPY, PARTS, Bilingual, why
from cxlab.quality.dates import impossible

MOST_WAVES = 260  # five years of weeks
_FILE_WEIGHT = re.compile(r"(?:weighted by|加权变量) (\S+?)[;；]")
_PERIODS = {
    "month": r"\d{4}[-/.年 ]?(0?[1-9]|1[0-2])月?份?|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*[ -]?\d{2,4}|\d{1,2}月",
    "quarter": r".*\bq[ -]?[1-4].*|.*[1-4]q\b.*|.*季度?",
    "week": r".*\bw[ -]?\d{1,2}|.*(week|周).*",
    "half": r".*\bh[ -]?[12]\b.*|.*(上|下)半年",
    "year": r"\d{4}年?",
}


# ---------------------------------------------------------------------- weight
def find_weight(file: File) -> None:
    """Take the column by which the file says that it is weighted, else one that is called so and looks like one."""
    noted = [m[1] for n in file.survey.notes if (m := _FILE_WEIGHT.search(n))]
    named = [(c, v.says(v.WEIGHT, c.name, c.label)) for c in file.free() if c.item.kind == "number"]
    named = [(c, w) for c, w in named if (w or c.name in noted) and not v.BODY.search(f"{v.spaced(c.name)} {c.label}")]
    named.sort(key=lambda pair: (pair[0].name not in noted, pair[1] != "name", abs(_log_mean(file, pair[0]))))
    for column, where in named:
        raw = file.survey.data[column.name].to_numpy(dtype=float)
        bad = int((~np.isfinite(raw) | (raw < 0)).sum())
        if bad:
            text = {k: t.format(column=column.name, bad=bad) for k, t in BAD_WEIGHT.items()}
            file.gaps.append(text)
            file.used.add(column.name)
            continue
        if np.ptp(raw) == 0:
            continue
        near_one = 0.5 <= raw.mean() <= 2
        reason = why("weight_file") if column.name in noted else because(where, column)
        key = "weight_mean" if near_one else "weight_sum"
        told = {k: why(key, reason=reason[k], mean=raw.mean())[k] for k in reason}
        file.add("design.weight", column.name, near_one or column.name in noted, told, [column.name])
        return


def _log_mean(file: File, column: Column) -> float:
    mean = float(np.nanmean(file.survey.data[column.name].to_numpy(dtype=float)))
    return float(np.log(mean)) if mean > 0 else np.inf


# ---------------------------------------------------------------------- wave
def find_wave(file: File) -> None:
    """Take the column of waves: codes or texts that are called so, else the dates of the interviews."""
    for column in file.free():
        where = v.says(v.WAVE, column.name, column.label)
        if not where or v.TENURE.search(f"{v.spaced(column.name)} {column.label}"):
            continue
        texts = _wave_texts(column)
        if not texts:
            continue
        if _gappy(file, column, "wave"):
            continue
        period, told = _period(column, texts)
        reason = because(where, column)
        sure = where == "name" and len(texts) >= 2
        words = {
            k: why("wave_codes", reason=reason[k], count=len(texts), first=texts[0], last=texts[-1])[k] for k in reason
        }
        file.add("wave.column", column.name, sure, words, [column.name])
        file.add("wave.period", period, "period_unknown" not in told, told["text"])
        return
    _dated_wave(file)


def _wave_texts(column: Column) -> list[str]:
    """Names of the waves in order; empty if the column can hold none."""
    if not 2 <= len(column.distinct) <= MOST_WAVES or column.item.kind not in ("number", "text"):
        return []
    if column.item.kind == "number":
        return [column.item.value_label(float(c)) for c in column.distinct] if column.whole else []
    texts = [str(t) for t in column.distinct]
    return texts if all(re.search(r"\d", t) and len(t) <= 20 for t in texts) else []


def _period(column: Column, texts: list[str]) -> tuple[str, dict[str, Bilingual]]:
    for period, pattern in _PERIODS.items():
        if all(re.fullmatch(pattern, t.strip(), re.IGNORECASE) for t in texts):
            return period, {"text": why("period_labels", first=texts[0])}
    for period, pattern in {
        "month": r"month|月",
        "quarter": "quarter|季",
        "week": "week|周",
        "year": "year|年",
    }.items():
        if re.search(pattern, f"{column.name} {column.label}", re.IGNORECASE):
            return period, {"text": why("name")}
    return "month", {"text": why("period_unknown"), "period_unknown": {}}


def _dated_wave(file: File) -> None:
    """Months or quarters of the interview dates, where a period holds 50 interviews or more on average."""
    for column in file.free():
        if column.item.kind not in ("date", "datetime") or not v.INTERVIEW_DATE.search(v.spaced(column.name)):
            continue
        dates = column.dates
        if dates is None or column.answered < file.rows or impossible(dates).any():
            continue
        for period, code in (("month", "M"), ("quarter", "Q")):
            periods = pd.DatetimeIndex(dates).to_period(code)
            count = periods.nunique()
            if count >= 2 and file.rows / count >= 50:
                told = why("wave_dates", count=count, period=period, first=periods.min(), last=periods.max())
                file.add("wave.column", column.name, False, told, [column.name])
                file.add("wave.period", period, False, told)
                return


def _gappy(file: File, column: Column, part: str) -> bool:
    """Tell, and note, whether rows lack a column that every respondent needs."""
    bad = file.rows - column.answered
    if bad:
        file.gaps.append({k: t.format(column=column.name, part=PARTS[part][k], bad=bad) for k, t in GAPPY.items()})
        file.used.add(column.name)
    return bad > 0


# ---------------------------------------------------------------------- respondent
def find_respondent(file: File) -> None:
    """Take the respondent id: called so, and different in nearly every row of a wave."""
    wave = file.value("wave.column")
    named = [(c, v.says(v.RESPONDENT, c.name, c.label)) for c in file.free() if not is_measured(c)]
    named = [(c, w) for c, w in named if w and len(c.distinct) >= 0.3 * file.rows]
    named.sort(
        key=lambda pair: (not v.PERSONS.search(v.spaced(pair[0].name)), pair[1] != "name", -len(pair[0].distinct))
    )
    for column, where in named:
        if _gappy(file, column, "respondent"):
            continue
        keys = file.survey.data[[column.name, wave] if wave else [column.name]]
        if wave and file.columns[wave].item.kind in ("date", "datetime"):
            keys = keys.assign(**{wave: pd.DatetimeIndex(keys[wave]).to_period("M")})
        twice = len(keys[keys.duplicated(keep=False)].drop_duplicates())
        if twice > 0.05 * file.rows:
            continue
        told = _respondent_reason(because(where, column), twice, bool(wave), len(column.distinct) == file.rows)
        file.add("respondent", column.name, where == "name" and twice <= 0.01 * file.rows, told, [column.name])
        return


def _respondent_reason(reason: Bilingual, twice: int, waves: bool, unique: bool) -> Bilingual:
    if twice:
        within = {"en": " within a wave" if waves else "", "zh": "在同一期内" if waves else ""}
        return {k: why("respondent_nearly", reason=reason[k], twice=twice, within=within[k])[k] for k in reason}
    return {k: why("respondent_unique", reason=reason[k])[k] for k in reason} if unique else reason


def is_measured(column: Column) -> bool:
    """Tell columns that cannot be an id: dates, times, numbers with decimals."""
    return column.item.kind not in ("number", "text") or (column.item.kind == "number" and not column.whole)


# ---------------------------------------------------------------------- strata and clusters
def find_strata(file: File) -> None:
    """Take strata that are called so, else groups within which the weight does not vary."""
    for column in file.free():
        where = v.says(v.STRATUM, column.name, column.label)
        if where and column.answered == file.rows and _groups_of_two(file, column.name):
            reason = because(where, column)
            told = {k: why("stratum_named", reason=reason[k], groups=len(column.distinct))[k] for k in reason}
            file.add("design.stratum", column.name, where == "name", told, [column.name])
            return
    weight = file.value("design.weight")
    if weight is None:
        return
    for name in file.values("segments"):
        if name not in file.columns or file.columns[name].answered < file.rows or not _groups_of_two(file, name):
            continue
        groups = file.survey.data.groupby(name)[weight]
        if groups.nunique().max() == 1 and groups.first().nunique() > 1:
            file.add("design.stratum", name, False, why("stratum_weights"))
            return


def _groups_of_two(file: File, name: str) -> bool:
    sizes = file.survey.data[name].value_counts()
    return 2 <= len(sizes) <= file.rows / 4 and bool(sizes.min() >= 2)


def find_clusters(file: File) -> None:
    """Take clusters that are called so, else respondents who answered in several waves."""
    stratum = file.value("design.stratum")
    for column in file.free():
        where = v.says(v.CLUSTER, column.name, column.label)
        if where and column.answered == file.rows and _nested(file, column.name, stratum):
            reason = because(where, column)
            told = {k: why("psu_named", reason=reason[k], groups=len(column.distinct))[k] for k in reason}
            file.add("design.psu", column.name, where == "name", told, [column.name])
            return
    who, wave = file.value("respondent"), file.value("wave.column")
    if who is None or wave is None or not _nested(file, who, stratum):
        return
    waves = file.survey.data.groupby(who)[wave].nunique()
    if (waves > 1).any():
        file.add("design.psu", who, True, why("psu_panel", count=int((waves > 1).sum())))


def _nested(file: File, psu: str, stratum: str | None) -> bool:
    """Tell whether each PSU lies in one stratum, and each stratum has two."""
    if stratum is None:
        return file.survey.data[psu].nunique() >= 2
    pairs = file.survey.data[[psu, stratum]].drop_duplicates()
    return not pairs[psu].duplicated().any() and bool(pairs[stratum].value_counts().min() >= 2)


# ---------------------------------------------------------------------- texts, dates and sets
def set_dates_aside(file: File) -> None:
    """Leave out columns of dates and times."""
    file.leave(
        "dates", [c.name for c in file.free() if c.item.kind in ("date", "datetime", "time") or c.dates is not None]
    )


def find_comments(file: File) -> None:
    """Take columns of long texts, nearly all of them different."""
    found, shares = [], []
    for column in file.free():
        if column.item.kind != "text":
            continue
        texts = column.values.dropna().astype(str)
        length = texts.str.replace(r"[\u4e00-\u9fff]", "xxx", regex=True).str.len().mean()  # a character says more
        long = length >= (15 if v.says(v.COMMENT, column.name, column.label) else 30)
        if long and texts.str.contains(r"\s|[\u4e00-\u9fff]").mean() > 0.5 and texts.nunique() > 0.5 * len(texts):
            found.append(column.name)
            shares.append(column.answered / file.rows)
    if found:
        file.add("comments", found, True, why("comments", share=max(shares)), found)


def set_multiple_response_aside(file: File) -> None:
    """Leave out multiple-response questions: declared sets, and runs of columns that hold 0 and 1 alone."""
    for declared in file.survey.codebook.sets:
        file.leave("sets", [n for n in declared.items if n in file.columns and n not in file.used])
    runs: dict[str, list[str]] = defaultdict(list)
    for column in file.free():
        stem = re.sub(r"\d+$", "", column.name)
        if stem != column.name and column.numeric and set(column.distinct.tolist()) <= {0.0, 1.0}:
            runs[stem].append(column.name)
    for names in runs.values():
        if len(names) >= 3:
            file.leave("sets", names)
