"""Studies: ``study.yml`` read, checked against the data, and the surveys of its waves.

A study is declared once. Nothing that stands in ``study.yml`` is repeated in a call.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from cxlab.errors import DataWarning, StudyError, SurveyError, nearest
from cxlab.items import pick
from cxlab.study import _check, _load
from cxlab.study._build import build
from cxlab.study._codebook import read_codebook
from cxlab.study._join import Request, join
from cxlab.study._join_result import JoinResult
from cxlab.study._locate import Located, Problem, locate
from cxlab.study._notes import note
from cxlab.study._schema import ABSENT, ItemPart, StudyFile, validate
from cxlab.study._tables import no_dates, read_table
from cxlab.survey import Level, Roles, Survey
from cxlab.words import language, sentence

__all__ = ["JoinResult", "Study", "check_study", "open_study"]

_LAST = re.compile(r"last:([1-9][0-9]*)$")


@dataclass(frozen=True, eq=False, repr=False)
class Study:
    """A study: what ``study.yml`` declares, and its data. Made by :func:`open_study`.

    Attributes
    ----------
    path : Path
        The study file.
    declared : StudyFile
        The validated contents of the file (a pydantic model).
    data : Survey
        Everybody, all waves; :meth:`survey` chooses among them.
    """

    path: Path
    declared: StudyFile
    data: Survey

    @property
    def name(self) -> str:
        """Id of the study; the folder of its reports."""
        return self.declared.study

    @property
    def title(self) -> Mapping[str, str]:
        """Title by language."""
        return self.declared.title or {"en": self.name, "zh": self.name}

    @property
    def folder(self) -> Path:
        """Folder of the study file; the files that it names are relative to it."""
        return self.path.parent

    @property
    def roles(self) -> Roles:
        """Part that each item plays."""
        return self.data.roles

    @property
    def labels(self) -> Mapping[str, Mapping[str, str]]:
        """Labels of roles, blocks, layers, stages and owners."""
        return self.roles.labels

    @property
    def targets(self) -> Mapping[str, float]:
        """Values that the management has set, by metric, on the scale of the metric."""
        return self.roles.targets

    @property
    def period(self) -> str | None:
        """How often the study is run: week, month, quarter, half or year; None without waves."""
        return self.declared.wave.period if self.declared.wave else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What happened while the data were read."""
        return self.data.notes

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the linked tables."""
        return tuple(self.declared.tables)

    @property
    def waves(self) -> list[Level]:
        """Waves that occur in the data, in order of their codes; empty for a study without waves."""
        return self.data.levels(self.roles.wave) if self.roles.wave else []

    # ------------------------------------------------------------------ waves
    def wave(self, wave: Any = "latest") -> Level:
        """Find one wave by its label (any language) or code; ``"latest"`` is the last one.

        Raises
        ------
        SurveyError
            If the study has no waves, or not this one.
        """
        waves, column = self.waves, self.roles.wave
        if column is None:
            raise SurveyError(f"wave is {wave!r}, but the study {self.name!r} declares no waves; leave wave out.")
        if wave == "latest":
            return waves[-1]
        if isinstance(wave, Level):
            wave = wave.code
        texts = self.data.codebook[column].values
        found = [w for w in waves if wave == w.code or wave in (w.label, *texts.get(w.code, {}).values())]
        if len(found) > 1:
            codes = ", ".join(f"{w.code:.15g}" if isinstance(w.code, float) else w.code for w in found)
            raise SurveyError(f"wave {wave!r} stands for {len(found)} codes of {column!r} ({codes}); name the code.")
        if found:
            return found[0]
        names = [w.label for w in waves]
        shown = ", ".join(names) if len(names) <= 6 else f"{len(names)} waves, {names[0]} … {names[-1]}"
        raise SurveyError(f"wave {wave!r} is not in the study {self.name!r}; it has {shown}{nearest(wave, names)}.")

    def previous(self, wave: Any = "latest", steps: int = 1) -> Level | None:
        """Wave that lies ``steps`` before another one in the data; None where there is none."""
        position = self.waves.index(self.wave(wave)) - steps
        return self.waves[position] if position >= 0 else None

    def survey(self, wave: Any = None, *, until: Any = None) -> Survey:
        """Choose respondents by wave.

        Parameters
        ----------
        wave : None, str, code, or list of them
            None or ``"all"``: everybody. A label or code, or several: these waves. ``"latest"``: the last
            wave. ``"last:6"``: the last six waves (fewer where there are fewer, which a note says).
        until : str or code, optional
            The wave at which the study is taken to end: ``survey("last:6", until="2025-10")``.

        Returns
        -------
        Survey
            A domain of the full data, so that variances stay those of the design.

        Raises
        ------
        SurveyError
            If a wave does not exist, or the study has none.
        """
        if until is None and (wave is None or wave == "all"):
            return self.data
        waves = self.waves[: self.waves.index(self.wave("latest" if until is None else until)) + 1]
        last = _LAST.match(wave) if isinstance(wave, str) else None
        if last:
            chosen = waves[-int(last[1]) :]
        elif wave is None or wave == "all":
            chosen = waves
        elif wave == "latest":
            chosen = waves[-1:]
        elif until is None:
            wanted = wave if isinstance(wave, Sequence) and not isinstance(wave, str) else [wave]
            chosen = [self.wave(w) for w in wanted]
        else:
            raise SurveyError(f"until goes with wave=None, 'latest' or 'last:6', not with {wave!r}.")
        if not chosen:
            raise SurveyError("wave is an empty list; name a wave, or leave it out.")
        return self._domain(chosen, int(last[1]) if last else 0)

    def _domain(self, waves: Sequence[Level], wanted: int) -> Survey:
        column = str(self.roles.wave)
        texts = self.data.codebook[column].values
        # Labels read better in the record of the filter, where they say as much as the codes.
        plain = len({w.label for w in self.waves}) == len(self.waves) and all(w.code in texts for w in waves)
        survey = self.data.where(**{column: [w.label if plain else w.code for w in waves]})
        if len(waves) < wanted:
            said = note("few_waves", wanted=str(wanted), count=len(waves), last=waves[-1].label)
            return replace(survey, notes=(*survey.notes, said))
        return survey

    # ------------------------------------------------------------------ linked tables
    def table(self, name: str) -> pd.DataFrame:
        """Read a linked table.

        Parameters
        ----------
        name : str
            A name under ``tables:``.

        Returns
        -------
        DataFrame
            As the file has it; the declared date column is datetime64.

        Raises
        ------
        SurveyError
            If the table is not declared, its file or a column has gone, or the date column holds what is
            no date.
        """
        frame = read_table(self.declared, self.folder, name)
        column = self.declared.tables[name].date
        if column is not None:
            dates = pd.to_datetime(frame[column].astype("string"), format="ISO8601", errors="coerce")
            wrong = dates.isna() & frame[column].notna()
            if wrong.any():
                raise no_dates(name, column, frame.loc[wrong, column])
            frame[column] = dates
        return frame

    def join(
        self,
        survey: Survey | str,
        table: str | None = None,
        *,
        columns: str | Sequence[str] | Mapping[str, str] | None = None,
        measures: Mapping[str, str] | None = None,
        on: str | Sequence[str] | Mapping[str, str] | None = None,
        where: str | None = None,
        window: tuple[int | None, int | None] | None = None,
        unit: str = "month",
        date: str | None = None,
        until: Any = None,
        use: str | None = None,
        unmatched: str = "missing",
    ) -> Survey:
        """Join a linked table to the respondents.

        Rows, their order, weights, design, roles and domain stay as they are; columns are added.

        Parameters
        ----------
        survey : Survey
            Of this study; may be left out, ``study.join("customers")`` takes everybody.
        table : str
            A name under ``tables:``.
        columns : str, list of str, or mapping of table column to new name, optional
            Values to take over; the table must have one row per id. Without ``measures`` the default is every column that
            the survey does not have already (where values of the same name differ, a note counts them).
        measures : mapping of new name to str, optional
            What to make of the rows of a respondent: ``"any"`` (0/1), ``"count"``, ``"sum(amount)"``, ``"mean(amount)"``,
            ``"min(amount)"``, ``"max(amount)"``, ``"first(kind)"``, ``"last(date)"`` by date (a note counts whose first
            or last day has several rows that differ), ``"follow_up"``. In
            parentheses stands an expression, of ``any``, ``count`` and ``follow_up`` a condition, ``"any(kind ==
            'renewal')"``. ``follow_up`` makes two columns for survival analysis: ``<name>_months`` (``_days`` with
            ``unit="day"``), the time from the interview to the first row or to the end of observation, and
            ``<name>_event``, 1 if it was the former.
        on : str, list of str, or mapping of survey column to table column, optional
            Columns that must agree; the declared key if left out. Codes may stand beside their labels.
        where : str, optional
            Condition on the table's rows, as for :meth:`Survey.where`.
        window : (int or None, int or None), optional
            Ends in units after the interview. An outcome counts rows after the first and up to the second, ``(0, 12)``; a
            covariate rows from the first on and before the second, ``(-12, 0)``. The day of the interview is neither before
            nor after it. None: an outcome counts all that follows, a covariate all that precedes.
        unit : {"month", "day", "calendar_month"}
            ``"calendar_month"`` asks only in which month something happened; for an outcome the month of the interview does
            not count then. The month of the last date is taken to be complete, that of ``until`` if it is its last day.
        date : str, optional
            Survey column of the interview date; ``date:`` of the study if left out. A wave whose labels are months will
            do for ``unit="calendar_month"``.
        until : str or date, optional
            Day (or, with calendar months, month) until which the table is complete; its last date if left out.
        use : {"outcome", "covariate"}, optional
            Measures of a dated table are outcomes, all else covariates, if left out. Values taken over as outcomes are
            missing unless their row is dated after the interview.
        unmatched : {"missing", "zero"}
            Respondents whose id does not occur in the table have no value; ``"zero"`` takes the table to be complete, so
            that they have no rows.

        Returns
        -------
        Survey
            With the new columns in codebook and data. ``survey.joins[-1]`` is a :class:`JoinResult` with match rates by
            segment, ids without partner and notes; ``survey.missing_reasons`` tells why a value is missing: not in
            the table, not yet observed (the window ends after ``until``), before the records begin (of a covariate's
            window), interview date unknown, no such row (mean, min, max, first and last of nothing).

        Raises
        ------
        SurveyError
            For unknown names; ids that cannot be compared or match nobody; several rows per id without ``measures``;
            names that the survey has already; behaviour dated before the survey as an outcome; dates that are missing
            altogether.

        Warns
        -----
        DataWarning
            If the last date lies far behind all others.

        Notes
        -----
        Dates are read as year, month, day; time of day and zone are set aside, so that all are days where they were written.

        A month later is the same day of the next month, or its last day. Follow-up in months is days / 30.4375, and never
        more than the window. ``follow_up`` keeps respondents whose window is not over; every other outcome leaves them
        out, also those who have a row already: to keep only these would raise the rate.

        A missing amount makes the sum missing. A respondent who is interviewed twice has two windows, and a row may fall
        into both.

        Labels of the new columns come from ``items:`` under the table in study.yml.

        Examples
        --------
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "answers.csv").write_text("id,asked\\n1,2025-01-10\\n2,2025-01-20\\n3,2025-06-01\\n")
        >>> _ = (folder / "sales.csv").write_text("id,on,paid\\n1,2025-03-01,50\\n1,2025-04-01,20\\n2,2025-08-01,70\\n")
        >>> _ = (folder / "study.yml").write_text(
        ...     "study: shop\\ndata: answers.csv\\ndate: asked\\ntables: {sales: {file: sales.csv, key: id, date: on}}\\n"
        ... )
        >>> study = open_study(folder)
        >>> joined = study.join("sales", measures={"bought": "any", "paid": "sum(paid)"}, window=(0, 6))
        >>> joined.data[["bought", "paid"]].values.tolist()
        [[1.0, 70.0], [0.0, 0.0], [nan, nan]]
        >>> print(joined.joins[-1].sentences()[0])
        66.7% of respondents (weighted) are found in “sales”: 2 of 3. 0 ids of the table (0 rows) belong to no respondent.
        """
        if isinstance(survey, str):
            if table is not None:
                raise SurveyError(f"survey is {survey!r}; the survey comes first, the table's name second.")
            return self.join(
                self.data, survey, columns=columns, measures=measures, on=on, where=where, window=window, unit=unit, date=date,
                until=until, use=use, unmatched=unmatched,
            )  # fmt: skip
        if table is None:
            raise SurveyError(f"table is not given; name one of {', '.join(map(repr, self.tables))}.")
        asked = Request(table, columns, measures, on, where, window, unit, date, until, use, unmatched)
        return join(self.declared, self.folder, survey, asked)

    # ------------------------------------------------------------------ looking at it
    @cached_property
    def _facts(self) -> dict[str, Any]:
        roles, waves = self.roles, self.waves
        return {
            "respondents": len(self.data),
            "waves": len(waves),
            "first": waves[0].label if waves else "",
            "last": waves[-1].label if waves else "",
            "outcomes": len(roles.outcomes),
            "drivers": sum(map(len, roles.drivers.values())),
            "segments": len(roles.segments),
            "touchpoints": len(roles.touchpoints),
        }

    def summary(self, lang: str | None = None) -> str:
        """Size of the study in one line."""
        return sentence(_WAVES if self.waves else _NO_WAVES, lang, **self._facts).text

    def __repr__(self) -> str:
        return f"<Study {self.name}: {self.summary('en')}>"

    def _repr_html_(self) -> str:
        lang = language()
        return f"<p><strong>{escape(pick(self.title, lang, self.name))}</strong><br>{escape(self.summary(lang))}</p>"


_COUNTS = {
    "en": "outcomes {outcomes}, drivers {drivers}, segments {segments}, touchpoints {touchpoints}",
    "zh": "结果指标 {outcomes}，驱动因素 {drivers}，细分变量 {segments}，触点 {touchpoints}",
}
_WAVES = {
    "en": "respondents {respondents:,}, waves {waves} ({first} … {last}), " + _COUNTS["en"],
    "zh": "受访者 {respondents:,}，期次 {waves}（{first} 至 {last}），" + _COUNTS["zh"],
}
_NO_WAVES = {
    "en": "respondents {respondents:,}, no waves, " + _COUNTS["en"],
    "zh": "受访者 {respondents:,}，不分期，" + _COUNTS["zh"],
}


def open_study(path: str | Path) -> Study:
    """Open a study: read ``study.yml``, read the data once, and check one against the other.

    Parameters
    ----------
    path : path
        The study file, or the folder that holds a ``study.yml``.

    Returns
    -------
    Study
        ``study.survey()`` is everybody, ``study.survey("2025-12")`` one wave.

    Raises
    ------
    StudyError
        With every problem found, each with file, line, key, what was got and what is allowed.
    DataCheckError
        If the rows contradict the declared design: negative or missing weights, PSUs in two strata,
        respondents without id, wave, stratum or PSU.

    Warns
    -----
    DataWarning
        About codes and names whose meaning is open. ``study.notes`` has them too.

    Notes
    -----
    Labels, scales and value labels: ``items:`` goes before ``codebook.csv``, that before the data file.
    codebook.csv has the columns item, label_en, label_zh, scale_low, scale_high, higher_is_better, values
    (``1=gold|金卡; 2=plain|普通卡``); other columns are passed over.

    A scale that nobody declares is taken, for items with a role, from value labels at both ends (or on
    every code) that enclose all answers, else from the answers if they are, in 100 answers or more, every
    whole number of 0–10, 1–5, 1–7 or −5…+5 and nothing else. 1–10 is never taken from answers: it could be
    0–10 without a zero.

    Codes under ``missing:`` become NaN where they lie outside an item's scale (or its labelled codes); where they
    lie inside, the study is refused until the long form says which items mean it. Columns of the design
    are left alone. Items without scale and labels keep them as answers, with a warning if they occur.

    Several files are put under one another by column name. ``wave: {from_file: '...'}`` takes the wave from
    the file name (named group ``wave``, else the first group, else the whole match); a wave column of dates
    becomes periods.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "answers.csv").write_text("score,wave\\n9,2025-11\\n4,2025-12\\n6,2025-12\\n")
    >>> _ = (folder / "study.yml").write_text(
    ...     "study: shops\\ndata: answers.csv\\nwave: {column: wave, period: month}\\noutcomes: {satisfaction: score}\\n"
    ... )
    >>> study = open_study(folder)
    >>> study
    <Study shops: respondents 3, waves 2 (2025-11 … 2025-12), outcomes 1, drivers 0, segments 0, touchpoints 0>
    >>> len(study.survey("latest")), study.previous().label
    (2, '2025-11')
    """
    study, warned, problems = _examine(_study_file(Path(path)))
    if problems or study is None:
        raise StudyError([str(p) for p in problems])
    _check.check_rows(study.data)
    for text in warned:
        warnings.warn(text, DataWarning, stacklevel=2)
    return study


def check_study(path: str | Path) -> list[str]:
    """List every problem of a study, in order of file and line; an empty list if there is none.

    Parameters
    ----------
    path : path
        The study file, or its folder.

    Returns
    -------
    list of str
        Finished messages: file, line, key, what was got, what is allowed, the nearest name.

    Raises
    ------
    DataCheckError
        If the study is sound but the rows contradict the declared design.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "answers.csv").write_text("score,shop\\n9,1\\n4,2\\n")
    >>> _ = (folder / "study.yml").write_text("study: shops\\ndata: answers.csv\\nsegments: [shp]\\n")
    >>> check_study(folder)
    ["study.yml:3: segments[0] is 'shp', which is not a column of answers.csv (did you mean 'shop'?)."]
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # judgements are no problems
        try:
            open_study(path)
        except StudyError as error:
            return list(error.problems)
    return []


def _study_file(path: Path) -> Path:
    file = path / "study.yml" if path.is_dir() else path
    if not file.is_file():
        there = [p.name for p in file.parent.glob("*")] if file.parent.is_dir() else []
        raise StudyError([f"{path} is no study file and no folder with a study.yml{nearest(file.name, there)}."])
    return file


def _examine(path: Path) -> tuple[Study | None, list[str], list[Problem]]:
    """Run every check that the state of the study allows; problems come in order of file and line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        return None, [], [Problem(path.name, line, "not UTF-8 text; save the file as UTF-8.")]
    located = locate(text, path.name)
    declared, problems = validate(located)
    problems += located.problems
    if declared is None:
        return None, [], sorted(set(problems))
    folder = path.parent
    found = [*_check.check_file(declared), *_check.check_tables(declared, folder)]
    book, faults = _codebook(declared, folder, located)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        files, unread = _load.read_files(declared, folder)
    found += unread
    study: Study | None = None
    warned: list[str] = []
    if files is not None:
        source = _load.source_of(declared, folder)
        found += _check.check_columns(declared, files, source)
        survey, warned, more = build(declared, files, book)
        said = dict.fromkeys(str(w.message) for w in caught)
        warned = [n for n in files.notes if any(n.endswith(text) for text in said)] + warned
        found += more
        study = Study(path, declared, survey)
    problems += faults + [located.problem(f.path, f.text) for f in found]
    order = {path.name: 0}
    return study, warned, sorted(set(problems), key=lambda p: (order.get(p.file, 1), *p))


def _codebook(study: StudyFile, folder: Path, located: Located) -> tuple[dict[str, ItemPart], list[Problem]]:
    if study.codebook in (None, ABSENT):
        return {}, []
    path = folder / str(study.codebook)
    if not path.is_file():
        return {}, [located.problem(("codebook",), _check.no_file(folder, str(study.codebook)))]
    parts, _, problems = read_codebook(path, _check.encoding_of(study, path))
    return parts, problems
