"""Every check of a study file that needs more than one key, or the columns of the data."""

from __future__ import annotations

import codecs
import inspect
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from cxlab import expressions
from cxlab.errors import DataCheckError, SurveyError, nearest
from cxlab.study._locate import KeyPath
from cxlab.study._schema import ABSENT, Design, StudyFile
from cxlab.survey import Survey


class Found(NamedTuple):
    """A problem and the key path it belongs to, which is the subject of the text."""

    path: KeyPath
    text: str


class Mention(NamedTuple):
    """A place of the study file that names a column."""

    path: KeyPath
    column: str
    numeric: bool


# ---------------------------------------------------------------------- what the file says by itself
def check_file(study: StudyFile) -> Iterator[Found]:
    """Contradictions inside the study file."""
    if study.study != ABSENT and not re.fullmatch(r"[a-z0-9_-]+", study.study):
        yield Found(("study",), f"is {study.study!r}; only small letters, digits, - and _ (it names a folder).")
    yield from _roles_twice(study)
    yield from _journey(study)
    yield from _wave(study)
    yield from _reader(study)
    yield from _made_items(study)
    for m, missing in enumerate(study.missing):
        if not missing.short and not (missing.codes and missing.means):
            yield Found(("missing", m), "needs codes and means, e.g. {codes: [8, 9], means: refused, items: [q1]}.")
    for metric in {"nps": "recommend", "csat": "satisfaction"}.items():
        if metric[0] in study.targets and metric[1] not in study.outcomes:
            yield Found(("targets", metric[0]), f"needs outcomes.{metric[1]}, which is not declared.")
    if not 0 <= study.targets.get("csat", 0) <= 1:
        yield Found(("targets", "csat"), f"is {study.targets['csat']:g}; a share between 0 and 1 is needed, e.g. 0.6.")
    if not -100 <= study.targets.get("nps", 0) <= 100:
        yield Found(("targets", "nps"), f"is {study.targets['nps']:g}; a number between -100 and 100 is needed.")


def _roles_twice(study: StudyFile) -> Iterator[Found]:
    """Items in two blocks or layers, outcomes among the drivers, names that two roles share."""
    outcomes = {item: role for role, part in study.outcomes.items() for item in part.items}
    for group, parts in (("drivers", study.drivers), ("layers", study.layers)):
        seen: dict[str, str] = {}
        for block, items in parts.items():
            for k, item in enumerate(items):
                path = (group, block, k)
                if item == ABSENT:
                    continue
                if item in seen:
                    yield Found(path, f"is {item!r}, which already stands in {group}.{seen[item]}; keep one.")
                elif group == "drivers" and item in outcomes:
                    yield Found(path, f"is {item!r}, which is the outcome {outcomes[item]!r}; it cannot drive itself.")
                seen.setdefault(item, block)
    names: dict[str, str] = {}
    for group in ("outcomes", "drivers", "layers"):
        for name in getattr(study, group):
            if name in names:
                yield Found((group, name), f"has the name of {names[name]}.{name}; a name can stand for one role only.")
            names.setdefault(name, group)


def _journey(study: StudyFile) -> Iterator[Found]:
    stages: set[str] = set()
    seen: dict[str, str] = {}
    for s, stage in enumerate(study.journey):
        if stage.stage in stages:
            yield Found(("journey", s, "stage"), f"is {stage.stage!r} a second time.")
        stages.add(stage.stage)
        if not stage.touchpoints and stage.stage != ABSENT:
            yield Found(("journey", s), f"({stage.stage!r}) has no touchpoints.")
        for t, point in enumerate(stage.touchpoints):
            for key in ("name", "item"):
                value = getattr(point, key)
                if value != ABSENT and f"{key} {value}" in seen:
                    other = seen[f"{key} {value}"]
                    yield Found(("journey", s, "touchpoints", t, key), f"is {value!r}, as in the stage {other!r}.")
                seen.setdefault(f"{key} {value}", stage.stage)


def _wave(study: StudyFile) -> Iterator[Found]:
    if study.wave is None:
        return
    if (study.wave.column is None) == (study.wave.from_file is None):
        yield Found(("wave",), "needs exactly one of column and from_file.")
    if study.wave.from_file is not None:
        try:
            re.compile(study.wave.from_file)
        except re.error as error:
            yield Found(("wave", "from_file"), f"is {study.wave.from_file!r}, not a regular expression: {error}.")


def _reader(study: StudyFile) -> Iterator[Found]:
    from cxlab.readers import read_survey

    allowed = [n for n, p in inspect.signature(read_survey).parameters.items() if p.kind is p.KEYWORD_ONLY]
    allowed = [n for n in allowed if n not in Design.model_fields]
    for key in study.reader:
        if key not in allowed:
            yield Found(
                ("reader", key),
                f"is not an option of read_survey; allowed: {', '.join(allowed)}{nearest(key, allowed)}.",
            )


def _made_items(study: StudyFile) -> Iterator[Found]:
    for name, text in study.derived.items():
        try:
            expressions.names(text)
        except SurveyError as error:
            yield Found(("derived", name), f"is {error}")
        if name in study.recoded:
            yield Found(("derived", name), "stands in recoded as well; keep one.")
    for name, recode in study.recoded.items():
        if (recode.bands is None) == (recode.codes is None):
            yield Found(("recoded", name), "needs exactly one of bands and codes.")
        bands = [
            (-np.inf if b.low is None else b.low, np.inf if b.high is None else b.high, k)
            for k, b in enumerate(recode.bands or ())
        ]
        for low, high, k in bands:
            if low > high:
                yield Found(("recoded", name, "bands", k), f"runs from {low:g} to {high:g}; low comes first.")
        ordered = sorted(b for b in bands if b[0] <= b[1])
        for one, other in pairwise(ordered):
            if other[0] <= one[1]:
                said = (
                    f"{other[0]:g} to {other[1]:g} overlaps with {one[0]:g} to {one[1]:g} (both ends belong to a band)"
                )
                yield Found(("recoded", name, "bands", max(one[2], other[2])), f"{said}.")


# ---------------------------------------------------------------------- what the data have
def mentions(study: StudyFile) -> Iterator[Mention]:
    """Every place of a study file that names a column, and whether numbers are needed there."""
    if study.respondent is not None:
        yield Mention(("respondent",), study.respondent, False)
    if study.date is not None:
        yield Mention(("date",), study.date, False)
    if study.wave and study.wave.column is not None:
        yield Mention(("wave", "column"), study.wave.column, False)
    for part in ("weight", "stratum", "psu", "fpc"):
        if (column := getattr(study.design, part)) is not None:
            yield Mention(("design", part), column, part in ("weight", "fpc"))
    for m, missing in enumerate(study.missing):
        yield from (Mention(("missing", m, "items", k), item, True) for k, item in enumerate(missing.items or ()))
    for role, outcome in study.outcomes.items():
        yield from (Mention(("outcomes", role, "items", k), item, True) for k, item in enumerate(outcome.items))
    for group, parts in (("drivers", study.drivers), ("layers", study.layers)):
        for block, items in parts.items():
            yield from (Mention((group, block, k), item, True) for k, item in enumerate(items))
    for s, stage in enumerate(study.journey):
        for t, point in enumerate(stage.touchpoints):
            for key in ("item", "expectation", "emotion"):
                if (column := getattr(point, key)) is not None:
                    yield Mention(("journey", s, "touchpoints", t, key), column, True)
    yield from (Mention(("segments", k), column, False) for k, column in enumerate(study.segments))
    yield from (Mention(("comments", k), column, False) for k, column in enumerate(study.comments))
    if study.marker is not None:
        yield Mention(("marker",), study.marker, True)
    if study.renewal is not None:
        yield Mention(("renewal",), study.renewal, True)
    yield from (Mention(("tables", n, "key"), t.key, False) for n, t in study.tables.items())
    yield from (Mention(("recoded", n, "from"), r.from_, r.bands is not None) for n, r in study.recoded.items())
    yield from (Mention(("items", n), n, False) for n in study.items)
    yield from (
        Mention(("quality", "straight_lining", k), c, True) for k, c in enumerate(study.quality.straight_lining)
    )


def check_columns(study: StudyFile, files: Survey, source: str) -> Iterator[Found]:
    """Names that the data do not have, or that hold text where numbers are needed."""
    made, codebook = {*study.derived, *study.recoded}, files.codebook
    personal = " ".join(n for n in files.notes if "keep_personal" in n)
    known = {*codebook, *made}
    for path, column, numeric in mentions(study):
        if column == ABSENT:
            continue
        said = "" if path[-1] == column else f"is {column!r}, which "
        if column not in known:
            hint = nearest(column, known)
            if re.search(rf"(?<!\w){re.escape(column)}(?!\w)", personal):
                hint = ": it was left out as personal data; write reader: {keep_personal: true} to keep it"
            yield Found(path, f"{said}is not a column of {source}{hint}.")
        elif numeric and column in codebook and codebook[column].kind != "number":
            kind = "text" if codebook[column].kind == "text" else "dates"
            yield Found(path, f"{said}holds {kind} in {source}; numbers are needed.")
    for group, parts in (("derived", study.derived), ("recoded", study.recoded)):
        for name in parts:
            if name in codebook:
                yield Found((group, name), f"has the name of a column of {source}; choose another one.")
    yield from _expressions(study, known, source)
    yield from _targets(study, known)
    yield from _shadowed(study, known, source)


def _expressions(study: StudyFile, known: Collection[str], source: str) -> Iterator[Found]:
    allowed = {*known, *study.outcomes, *study.layers, *study.drivers}
    for name, text in study.derived.items():
        try:
            used = expressions.names(text)
        except SurveyError:
            continue  # check_file reports it
        for column in used:
            if column not in allowed:
                yield Found(
                    ("derived", name), f"uses {column!r}, which is not a column of {source}{nearest(column, allowed)}."
                )


def _targets(study: StudyFile, known: Collection[str]) -> Iterator[Found]:
    metrics = ["nps", "csat", *study.outcomes]
    for metric in study.targets:
        if metric not in metrics and metric not in known:
            yield Found(
                ("targets", metric),
                f"is no metric; allowed: {', '.join(metrics)}, or an item{nearest(metric, [*metrics, *known])}.",
            )


def _shadowed(study: StudyFile, known: Collection[str], source: str) -> Iterator[Found]:
    for role, outcome in study.outcomes.items():
        if role in known and outcome.items != (role,):
            what = ", ".join(i for i in outcome.items if i != ABSENT)
            yield Found(
                ("outcomes", role),
                f"stands for {what}, but {source} has a column {role!r} of its own, which that name would mean; "
                "rename the outcome.",
            )


def check_tables(study: StudyFile, folder: Path) -> Iterator[Found]:
    """Linked tables: the file is there and has its key and date columns."""
    for name, table in study.tables.items():
        path = folder / table.file
        if table.file == ABSENT:
            continue
        if not path.is_file():
            yield Found(("tables", name, "file"), no_file(folder, table.file))
            continue
        if path.suffix.casefold() != ".csv":
            yield Found(("tables", name, "file"), f"is {table.file!r}; a linked table is a .csv file.")
            continue
        try:
            head = list(map(str, pd.read_csv(path, nrows=0, encoding=encoding_of(study, path)).columns))
        except (ValueError, LookupError) as error:
            yield Found(("tables", name, "file"), f"is {table.file!r}, which cannot be read: {error}.")
            continue
        for key in ("key", "date"):
            column = getattr(table, key)
            if column not in (None, ABSENT) and column not in head:
                yield Found(
                    ("tables", name, key),
                    f"is {column!r}, which is not a column of {table.file}{nearest(column, head)}.",
                )


def encoding_of(study: StudyFile, path: Path) -> str:
    """Encoding of a text file that goes with a study: UTF-8 if it is, else the one declared under reader."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    with open(path, "rb") as stream:
        try:
            while chunk := stream.read(1 << 20):
                decoder.decode(chunk)
        except UnicodeDecodeError:
            declared = study.reader.get("encoding")
            return declared if isinstance(declared, str) else "utf-8-sig"
    return "utf-8-sig"


def no_file(folder: Path, name: str) -> str:
    """Word a missing file, with the nearest one that is there."""
    there = [p.name for p in (folder / name).parent.glob("*") if p.is_file()]
    return f"is {name!r}, and there is no such file in {folder.name or folder}{nearest(Path(name).name, there)}."


# ---------------------------------------------------------------------- what the rows say
def check_rows(survey: Survey) -> None:
    """Raise one DataCheckError that lists all contradictions between the rows and the declared design.

    A respondent who occurs twice in a wave is a finding about quality, no error.
    """
    found = []
    try:
        survey.weights  # noqa: B018 – raises on negative and missing weights
    except DataCheckError as error:
        found.append(str(error))
    rows = survey.data
    parts: Mapping[str, str | None] = {
        "respondent": survey.roles.respondent, "wave": survey.roles.wave,
        "stratum": survey.design.stratum, "psu": survey.design.psu, "fpc": survey.design.fpc,
    }  # fmt: skip
    for part, column in parts.items():
        if column is None:
            continue
        absent = int(rows[column].isna().sum())
        if rows[column].dtype == object:
            absent += int((rows[column].astype(str).str.strip() == "").sum())
        if absent:
            found.append(
                f"{part} {column!r} is missing in {absent:,} of {len(rows):,} rows; "
                "complete it, or leave these rows out of the file."
            )
    found += _nesting(survey)
    if (fpc := survey.design.fpc) is not None and (low := int((rows[fpc] <= 0).sum())):
        found.append(f"fpc {fpc!r} is zero or negative in {low:,} rows; it is a number of PSUs, or a share up to 1.")
    if found:
        raise DataCheckError("\n".join(found))


def _nesting(survey: Survey) -> Iterator[str]:
    stratum, psu = survey.design.stratum, survey.design.psu
    if stratum is None or psu is None or stratum == psu:
        return
    pairs = survey.data[[psu, stratum]].dropna().drop_duplicates()
    twice = pairs[pairs[psu].duplicated(keep=False)].sort_values([psu, stratum])
    if twice.empty:
        return
    first = twice[twice[psu] == twice[psu].iloc[0]]
    item = survey.codebook[stratum]
    where = " and ".join(repr(item.value_label(code, "en")) for code in first[stratum])
    shown = first[psu].iloc[0]
    yield (
        f"psu {psu!r} stands in more than one stratum of {stratum!r} for {twice[psu].nunique():,} of "
        f"{pairs[psu].nunique():,} PSUs, e.g. {shown if isinstance(shown, str) else format(shown, '.15g')} in {where}; "
        "a PSU lies in one stratum (number the PSUs through, or correct the stratum)."
    )
