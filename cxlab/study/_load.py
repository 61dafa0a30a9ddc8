"""Reading the files of a study and putting several wave files under one another."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlab.errors import DataWarning, SurveyError
from cxlab.items import FILE, Code, Codebook, Item
from cxlab.readers._missing import undeclared
from cxlab.readers._notes import TEMPLATES as READER_NOTES
from cxlab.spss import Contents
from cxlab.study._check import Found, no_file
from cxlab.study._notes import listed, note
from cxlab.study._schema import ABSENT, StudyFile
from cxlab.survey import Survey

WAVE = "wave"  # column that is made when the wave stands in file names


def read_files(study: StudyFile, folder: Path) -> tuple[Survey | None, list[Found]]:
    """Read all data files as one survey; None if one of them cannot be read."""
    from cxlab.readers import read_survey

    paths, found = _paths(study.data, folder)
    known = inspect.signature(read_survey).parameters
    options = {k: v for k, v in study.reader.items() if k in known}  # check_file reports the others
    surveys = []
    for position, path in paths:
        try:
            surveys.append(_without_hints(read_survey(path, **options)))
        except SurveyError as error:
            found.append(Found(("data", position), f"is {path.name!r}, which cannot be read: {error}"))
        except (TypeError, AttributeError, LookupError, ValueError) as error:
            if not options:
                raise
            found.append(Found(("reader",), f"holds a value that read_survey cannot use ({error})."))
    if found or not surveys:
        return None, found
    names = [path.name for _, path in paths]
    if study.wave and study.wave.from_file:
        surveys, found = _wave_from_names(surveys, names, study.wave.from_file)
    whole, more = combine(surveys, names, {n for n, part in study.items.items() if part.values})
    if study.wave and study.wave.column in whole.codebook:
        whole = _wave_from_dates(whole, wave_column(study, whole), str(study.wave.column), study.wave.period)
        whole = _wave_from_texts(whole, str(study.wave.column))
    return whole, found + more


def _without_hints(survey: Survey) -> Survey:
    """Leave out the reader's notes on undeclared codes: they point to an argument, the study file has its own."""
    contents = Contents(survey.data, survey.codebook, survey.missing_reasons)
    said = {n.text(READER_NOTES) for n in undeclared(contents)}
    return replace(survey, notes=tuple(n for n in survey.notes if n not in said))


def source_of(study: StudyFile, folder: Path) -> str:
    """How messages call the data: the file's name, or their number."""
    names = [p.name for _, p in _paths(study.data, folder)[0]]
    return names[0] if len(names) == 1 else f"the {len(names)} data files"


def _paths(names: Sequence[str], folder: Path) -> tuple[list[tuple[int, Path]], list[Found]]:
    paths: list[tuple[int, Path]] = []
    found: list[Found] = []
    for k, name in enumerate(names):
        if name == ABSENT:
            continue
        if any(c in name for c in "*?[") and not (folder / name).is_file():
            at, matched = Path(name), sorted(p for p in folder.glob(name) if p.is_file())
            if not matched:
                found.append(
                    Found(("data", k), f"is {at.as_posix()!r}, and no file in {folder.name or folder} matches it.")
                )
            paths += [(k, p) for p in matched]
        elif (folder / name).is_file():
            paths.append((k, folder / name))
        else:
            found.append(Found(("data", k), no_file(folder, name)))
    return paths, found


# ---------------------------------------------------------------------- waves that no column holds
def _wave_from_names(surveys: list[Survey], names: list[str], pattern: str) -> tuple[list[Survey], list[Found]]:
    """Add a wave column: codes 1, 2, … in the order of the texts that the pattern finds in the file names."""
    try:
        rule = re.compile(pattern)
    except re.error:
        return surveys, []  # check_file reports it
    texts: list[str] = []
    for name in names:
        if (match := rule.search(name)) is None:
            said = f"is {pattern!r}, which does not match the file name {name!r}."
            return surveys, [Found(("wave", "from_file"), said)]
        texts.append(match["wave"] if "wave" in rule.groupindex else match[1] if rule.groups else match[0])
    if any(WAVE in s.codebook for s in surveys):
        said = f"would make a column {WAVE!r}, which the files have already; use wave.column."
        return surveys, [Found(("wave", "from_file"), said)]
    codes = {text: float(k + 1) for k, text in enumerate(sorted(set(texts), key=_natural))}
    values: Mapping[Code, Mapping[str, str]] = {code: {FILE: text} for text, code in codes.items()}
    item = Item(WAVE, {"en": "Wave", "zh": "期次"}, values, measure="ordinal")
    return [
        replace(s, data=s.data.assign(**{WAVE: codes[t]}), codebook=s.codebook.with_items(item))
        for s, t in zip(surveys, texts, strict=True)
    ], []


def wave_column(study: StudyFile, files: Survey) -> str | None:
    """Column that holds the wave: the declared one, or the one that is made of dates or file names."""
    if study.wave is None:
        return None
    if study.wave.column is None:
        return WAVE
    item = files.codebook.items.get(study.wave.column)
    dated = item is not None and item.kind in ("date", "datetime")
    return f"{study.wave.column}_{study.wave.period}" if dated else study.wave.column


def _wave_from_dates(survey: Survey, wave: str | None, column: str, period: str) -> Survey:
    """Where the wave column holds dates, add a column with the period of each date."""
    if wave is None or wave == column:
        return survey
    texts = _period_texts(pd.to_datetime(survey.data[column], errors="coerce"), period)
    labels = sorted(texts.dropna().unique())
    codes = texts.map({text: float(k + 1) for k, text in enumerate(labels)}).astype(float)
    values: Mapping[Code, Mapping[str, str]] = {float(k + 1): {FILE: text} for k, text in enumerate(labels)}
    item = Item(wave, {"en": "Wave", "zh": "期次"}, values, measure="ordinal")
    return replace(survey, data=survey.data.assign(**{wave: codes}), codebook=survey.codebook.with_items(item))


def _wave_from_texts(survey: Survey, column: str) -> Survey:
    """Where the wave column holds texts, turn them into codes 1, 2, … with the texts as value labels.

    The order is that of the numbers in the texts (2025-9 before 2025-10); where this need not be the order
    in time (names of months, the year last), a note says which order it is.
    """
    item = survey.codebook[column]
    if item.kind != "text":
        return survey
    texts = survey.data[column].astype("string").str.strip()
    texts = texts.mask(texts == "")
    labels = sorted(map(str, texts.dropna().unique()), key=_natural)
    codes = texts.map({text: float(k + 1) for k, text in enumerate(labels)}).astype(float)
    values: Mapping[Code, Mapping[str, str]] = {
        float(k + 1): {FILE: text, **item.values.get(text, {})} for k, text in enumerate(labels)
    }
    notes = survey.notes
    if not _in_time(labels):
        notes = (*notes, note("wave_order", waves=listed(labels, 12)))
        warnings.warn(notes[-1], DataWarning, stacklevel=2)
    item = replace(item, kind="number", values=values, measure="ordinal")
    return replace(
        survey, data=survey.data.assign(**{column: codes}), codebook=survey.codebook.with_items(item), notes=notes
    )


def _natural(text: str) -> list[tuple[float, str]]:
    """Key that sorts numbers within texts as numbers."""
    return [(float(t), "") if t.isdecimal() else (float("inf"), t) for t in re.split(r"(\d+)", text) if t]


def _in_time(labels: Sequence[str]) -> bool:
    """Tell whether texts that differ only in their numbers have the year first, or no year."""
    shapes = {re.sub(r"\d+", "#", text) for text in labels}
    later = [n for text in labels for n in re.findall(r"\d+", text)[1:]]
    return len(shapes) <= 1 and "#" in "".join(shapes) and not any(len(n) == 4 for n in later)


def _period_texts(dates: pd.Series, period: str) -> pd.Series:
    year, month = dates.dt.year.astype("Int64").astype("string"), dates.dt.month
    if period == "week":
        iso = dates.dt.isocalendar()
        return iso["year"].astype("string") + "-W" + iso["week"].astype("string").str.zfill(2)
    if period == "month":
        return year + "-" + month.astype("Int64").astype("string").str.zfill(2)
    if period == "year":
        return year
    parts, sign = (4, "Q") if period == "quarter" else (2, "H")
    return year + f"-{sign}" + ((month - 1) // (12 // parts) + 1).astype("Int64").astype("string")


# ---------------------------------------------------------------------- several files
def combine(surveys: list[Survey], names: list[str], settled: set[str]) -> tuple[Survey, list[Found]]:
    """Put surveys under one another, columns aligned by name.

    Parameters
    ----------
    surveys : list of Survey
    names : list of str
        File name of each.
    settled : set of str
        Items whose value labels the study file gives, so that the files may disagree.

    Returns
    -------
    survey : Survey
        A column that one file lacks is missing there, and a note says so.
    found : list of Found
        Columns that hold text in one file and numbers in another; value labels that contradict each other.
    """
    if len(surveys) == 1:
        return replace(surveys[0], source=surveys[0].source or names[0]), []
    items: dict[str, Item] = {}
    found: list[Found] = []
    answered: set[str] = set()
    for survey in surveys:
        for column, item in survey.codebook.items.items():
            items[column] = _merged(items[column], item) if column in answered else item
            if not _empty(survey, item):
                answered.add(column)
    found += _kinds_differ(surveys, names, items)
    found += _labels_differ(surveys, names, settled)
    if found:
        return surveys[0], found
    # Columns without any answer are left to the alignment, which gives them the type of the other files.
    frames = [s.data.drop(columns=[c for c in s.data.columns if _empty(s, s.codebook[c])]) for s in surveys]
    data = pd.concat(frames, ignore_index=True).reindex(columns=list(items))
    reasons = pd.concat([s.missing_reasons.reindex(s.data.index) for s in surveys], ignore_index=True)
    sets = {m.name: m for s in reversed(surveys) for m in s.codebook.sets}
    notes = dict.fromkeys(
        [f"{name}: {note}" for s, name in zip(surveys, names, strict=True) for note in s.notes]
        + list(_absent(surveys, names, items))
    )
    whole = replace(
        surveys[0], data=data, codebook=Codebook(items, tuple(sets.values())), missing_reasons=reasons,
        domain=np.ones(len(data), dtype=bool), source=", ".join(names), notes=tuple(notes),
    )  # fmt: skip
    return _same_missing(whole), []


def _same_missing(survey: Survey) -> Survey:
    """Codes that only some files declare missing are missing in all of them."""
    columns, reasons, notes = {}, {}, []
    for name, item in survey.codebook.items.items():
        if item.kind != "number" or not item.missing:
            continue
        values = survey.data[name].to_numpy(dtype=float)
        hit = np.isin(values, list(item.missing))
        if hit.any():
            known = survey.missing_reasons.get(name, pd.Series(np.nan, index=survey.data.index))
            columns[name], reasons[name] = np.where(hit, np.nan, values), np.where(hit, values, known)
            notes.append(note("some_missing", item=name, count=int(hit.sum())))
    return replace(
        survey, data=survey.data.assign(**columns), missing_reasons=survey.missing_reasons.assign(**reasons),
        notes=(*survey.notes, *notes),
    )  # fmt: skip


def _empty(survey: Survey, item: Item) -> bool:
    return item.name not in survey.data or bool(survey.data[item.name].isna().all())


def _merged(one: Item, other: Item) -> Item:
    return replace(
        other, labels={**one.labels, **other.labels}, values={**one.values, **other.values},
        missing={**one.missing, **other.missing}, kind=one.kind, scale=other.scale or one.scale,
    )  # fmt: skip


def _kinds_differ(surveys: list[Survey], names: list[str], items: Mapping[str, Item]) -> Iterator[Found]:
    words = {"number": "numbers", "text": "text", "date": "dates", "datetime": "dates", "time": "times"}
    for column in items:
        kinds: dict[str, str] = {}
        for survey, name in zip(surveys, names, strict=True):
            item = survey.codebook.items.get(column)
            if item is not None and not _empty(survey, item):
                kinds.setdefault(words[item.kind], name)
        if len(kinds) > 1:
            said = " and ".join(f"{kind} in {name}" for kind, name in kinds.items())
            yield Found(("data",), f"do not fit together: column {column!r} holds {said}.")


def _labels_differ(surveys: list[Survey], names: list[str], settled: set[str]) -> Iterator[Found]:
    """Value labels of one code that differ between files; one problem per item, with its first example."""
    first: dict[tuple[str, Any, str], tuple[str, str]] = {}
    told: set[str] = set(settled)
    for survey, name in zip(surveys, names, strict=True):
        for column, item in survey.codebook.items.items():
            for code, texts in item.values.items():
                for lang, text in texts.items():
                    before, where = first.setdefault((column, code, lang), (text, name))
                    if column not in told and " ".join(before.split()).casefold() != " ".join(text.split()).casefold():
                        told.add(column)
                        shown = f"{code:g}" if isinstance(code, float) else code
                        said = f"{column!r} {shown} is {before!r} in {where} and {text!r} in {name}"
                        remedy = f"correct a file, or say what the codes mean under items.{column}.values"
                        yield Found(("data",), f"contradict each other: {said}; {remedy}.")


def _absent(surveys: list[Survey], names: list[str], items: Mapping[str, Item]) -> Iterator[str]:
    for survey, name in zip(surveys, names, strict=True):
        if gone := [c for c in items if c not in survey.codebook]:
            yield note("absent", file=name, columns=listed(gone), count=len(survey.data))
