"""The on-ramp: a study file drafted from a data file alone, every line with its reason."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxlab.draft import batteries, design, groups, outcomes, scales
from cxlab.draft.columns import Column, look
from cxlab.draft.found import File, Guess, is_rating, lacking, listed
from cxlab.draft.vocabulary import SCALE_WORDS
from cxlab.draft.wording import GAPS, HEADER, TEXT, Bilingual
from cxlab.draft.writing import flow, study_text
from cxlab.errors import DataWarning, StudyError, SurveyError, unknown_names
from cxlab.readers import read_survey
from cxlab.study import check_study
from cxlab.words import language

__all__ = ["Draft", "Guess", "draft_study"]


@dataclass(frozen=True, eq=False)
class Draft:
    """A drafted study file.

    Attributes
    ----------
    path : Path
        The study.yml that was written.
    guesses : tuple of Guess
        Each with ``key``, ``value``, ``sure`` and ``why``.
    gaps : tuple of mapping of language to str
        What was not found, and what that costs.
    notes : tuple of str
        What happened while the data file was read.
    respondents, columns : int
        Size of the data file.
    """

    path: Path
    guesses: tuple[Guess, ...]
    gaps: tuple[Bilingual, ...]
    notes: tuple[str, ...]
    respondents: int
    columns: int

    @property
    def to_check(self) -> tuple[Guess, ...]:
        """Guesses that a person should look at."""
        return tuple(g for g in self.guesses if not g.sure)

    @property
    def command(self) -> str:
        """Command that makes the first report."""
        return f"cxlab report {_shell(self.path)}"

    def text(self, lang: str | None = None) -> str:
        """Word what was guessed, what to check, what is missing, and what to do next."""
        lang = language(lang)
        lines = [TEXT["written"][lang].format(path=self.path.as_posix(), rows=self.respondents, columns=self.columns)]
        for title, sure in (("sure", True), ("check", False)):
            told = _lines([g for g in self.guesses if g.sure is sure], lang)
            lines += ["", TEXT[title][lang], *told] if told else []
        if self.gaps:
            lines += ["", TEXT["gaps"][lang], *(f"  {g[lang]}" for g in self.gaps)]
        if self.notes:
            lines += ["", TEXT["notes"][lang], *(f"  {n}" for n in self.notes)]
        return "\n".join([*lines, "", TEXT["next"][lang], f"  {self.command}"])

    def __str__(self) -> str:
        return self.text()


def _lines(guesses: Sequence[Guess], lang: str) -> list[str]:
    """One line per guess; neighbours with the same value and reason share one."""
    groups: list[list[Guess]] = []
    for guess in guesses:
        alike = groups and (groups[-1][0].value, groups[-1][0].why) == (guess.value, guess.why)
        groups[-1].append(guess) if alike else groups.append([guess])
    dash = "——" if lang == "zh" else " – "
    return [
        f"  {listed((g.key for g in group), 3)}: {_brief(group[0].value)}{dash}{group[0].why[lang]}" for group in groups
    ]


def _brief(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return listed(value, 6)
    return flow(value)


def _shell(path: Path) -> str:
    text = path.as_posix()
    return text if re.fullmatch(r"[\w./~-]+", text, re.ASCII) else f'"{text}"'


def draft_study(
    path: str | Path,
    *,
    name: str | None = None,
    folder: str | Path = "data",
    force: bool = False,
    outcome: str | Sequence[str] | None = None,
    reader: Mapping[str, Any] | None = None,
) -> Draft:
    """What would a study file for these data say?

    Parameters
    ----------
    path : path
        Any file that :func:`cxlab.read_survey` reads.
    name : str, optional
        Id of the study, of small letters, digits, ``-`` and ``_``; by default made of the file name.
    folder : path
        Folder of studies; the draft is ``folder/name/study.yml``, with a copy of the data file beside it.
    force : bool
        Overwrite the study file (and a data file of the same name) that is there.
    outcome : str or list of str, optional
        Items of overall satisfaction, where names and labels do not tell them.
    reader : mapping, optional
        Keyword arguments of :func:`cxlab.read_survey`, such as ``{"encoding": "gb18030"}``.

    Returns
    -------
    Draft
        Printed, it says what was guessed, what to check, what was not found and what that costs, and the command that
        makes the first report.

    Raises
    ------
    SurveyError
        If the file cannot be read, no item looks like an outcome, ``name`` cannot name a folder, or a study file is
        there already and ``force`` is False. Nothing is written then.

    Notes
    -----
    Names, labels (English, Chinese, some German), value labels and answers are looked at. Outcomes: satisfaction,
    recommendation, effort, repurchase; the items of the European satisfaction index are known by name.
    Drivers: at least three ratings of one scale with like names, like labels in a row, or expectation or emotion
    items beside them; at most the 15 that correlate most with the outcome. A weight is a column that is called so, has
    no missing or negative values and varies. Groups are columns of 2 to 12 codes that are called like a
    demographic, or labelled. Codes that are labelled "don't know" or the like, and codes such as 98 and 99 outside
    the scale of a rating, become ``missing``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> here = pathlib.Path(tempfile.mkdtemp())
    >>> rows = "".join(f"{k},{k % 11},{k % 5 + 1},{k * 3 % 5 + 1},{k * 7 % 5 + 1}\\n" for k in range(200))
    >>> _ = (here / "hotel.csv").write_text("id,nps,q1,q2,q3\\n" + rows)
    >>> draft = draft_study(here / "hotel.csv", folder=here / "data")
    >>> [(g.key, g.value, g.sure) for g in draft.guesses if g.key in ("respondent", "outcomes.recommend")]
    [('respondent', 'id', True), ('outcomes.recommend', 'nps', True)]
    """
    source = Path(path)
    study = _study_name(name, source)
    target = Path(folder) / study / "study.yml"
    if target.exists() and not force:
        raise SurveyError(
            f"{target.as_posix()} is there already; force=True (--force) overwrites it, "
            "name= (--name) writes another study."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the notes of the draft say the same
        survey = read_survey(source, **dict(reader or {}))
    wanted = [outcome] if isinstance(outcome, str) else list(outcome or [])
    file = _guessed(File(survey, {c.name: c for c in look(survey)}), wanted, source.name)
    _write(file, source, target, study, dict(reader or {}))
    notes = tuple(n for n in survey.notes if not _ADVICE.search(n))
    return Draft(target, tuple(file.guesses), tuple(file.gaps), notes, file.rows, len(file.columns))


_ADVICE = re.compile(r"pass (missing|weight)=|请传入 (missing|weight)=")  # the draft follows it


def _study_name(name: str | None, source: Path) -> str:
    if name is None:
        made = re.sub(r"[^a-z0-9_-]+", "_", source.stem.casefold()).strip("_-")
        return made or "survey"
    if not re.fullmatch(r"[a-z0-9_-]+", name):
        raise SurveyError(f"name is {name!r}; only small letters, digits, - and _ (it names a folder).")
    return name


def _guessed(file: File, outcome: list[str], source: str) -> File:
    """Let each finder take the columns that it understands, the surest first."""
    unknown = [n for n in outcome if n not in file.columns]
    if unknown:
        raise unknown_names("outcome", unknown, file.columns, source)
    text = [n for n in outcome if not file.columns[n].numeric]
    if text:
        raise SurveyError(f"outcome names {listed(map(repr, text))}, which hold(s) no numbers; name rating items.")
    if outcome:
        file.used.update(outcome)
    design.find_weight(file)
    design.find_wave(file)
    design.find_respondent(file)
    design.set_multiple_response_aside(file)
    outcomes.find_outcomes(file, outcome)
    if not outcomes.outcome_items(file):
        raise _no_outcome(file, source)
    design.set_dates_aside(file)
    design.find_comments(file)
    batteries.set_ratings_aside(file)
    batteries.find_drivers(file)
    scales.find_scales(file)
    groups.find_segments(file)
    design.find_strata(file)
    design.find_clusters(file)
    scales.find_missing(file)
    parts = ("satisfaction", "recommend", "drivers", "weight", "wave", "respondent", "segments", "journey")
    places = {"satisfaction": "outcomes.satisfaction", "recommend": "outcomes.recommend", "weight": "design.weight"}
    file.gaps += lacking(GAPS, file, {p: places.get(p, p) for p in parts})
    return file


def _no_outcome(file: File, source: str) -> SurveyError:
    rated = [c.name for c in file.columns.values() if is_rating(c) and c.name not in file.used]
    worded = [c for c in file.columns.values() if _worded(c)]
    said = f"{source}: none of its {len(file.columns)} columns looks like an outcome (satisfaction, recommendation, effort, repurchase)"
    if rated:
        return SurveyError(
            f"{said}; no study was written. Name one with outcome= (--outcome); ratings are: {listed(rated)}."
        )
    if worded:
        example = f"{worded[0].name}: {worded[0].distinct[0]!r}"
        return SurveyError(
            f"{said}, and {len(worded)} column(s) hold answers as words ({example}); export the data again with codes "
            "(numeric values) instead of texts. No study was written."
        )
    return SurveyError(
        f"{said}, and none holds ratings (whole numbers on a scale such as 0–10 or 1–5); no study was written."
    )


def _worded(column: Column) -> bool:
    """Tell columns that hold the texts of a rating scale instead of its codes."""
    if column.item.kind != "text" or not 3 <= len(column.distinct) <= 11:
        return False
    return sum(bool(SCALE_WORDS.search(str(t))) for t in column.distinct) >= 2


# ---------------------------------------------------------------------- writing
def _write(file: File, source: Path, target: Path, study: str, reader: dict[str, Any]) -> None:
    """Make data and study file in a folder of their own, check them, and only then put them in place."""
    beside = target.parent / source.name
    there = beside.exists() and (beside.samefile(source) or beside.read_bytes() == source.read_bytes())
    if beside.exists() and not there and not target.exists():
        raise SurveyError(
            f"{beside.as_posix()} is there already and holds other data; choose another name= (--name), or move it."
        )
    lang = language()
    header = HEADER[lang].format(file=source.name, rows=file.rows, columns=len(file.columns), path=_shell(target))
    head = {"study": study, "title": source.stem, "data": source.name, "reader": reader}
    made = [p for p in (target.parent, *target.parent.parents) if not p.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=".draft-", dir=target.parent))
    try:
        shutil.copyfile(source, stage / source.name)
        (stage / "study.yml").write_text(study_text(file, head, header, lang), encoding="utf-8", newline="\n")
        _check(stage / "study.yml", source.name)
        if not there:
            os.replace(stage / source.name, beside)
        os.replace(stage / "study.yml", target)
    finally:
        shutil.rmtree(stage)
        for folder in made:  # innermost first; those that hold nothing
            if not any(folder.iterdir()):
                folder.rmdir()


def _check(study: Path, source: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        problems = check_study(study)
    if problems:
        raise StudyError([f"the draft made of {source} is not sound, so it was not written:", *problems])
