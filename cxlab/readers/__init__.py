"""Reading survey files: one function for every format, nothing of the codebook lost."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlab.errors import DataWarning, SurveyError, nearest, one_of, unknown_names
from cxlab.items import FILE, Codebook, MultipleResponse
from cxlab.readers import _cache, _missing, _platforms
from cxlab.readers._notes import TEMPLATES, WARNED
from cxlab.readers._text import chinese_share
from cxlab.spss import Contents, Note, read_sav
from cxlab.survey import SampleDesign, Survey

FORMATS = (".sav", ".zsav", ".por", ".dta", ".sas7bdat", ".xpt", ".csv", ".tsv", ".txt", ".xlsx", ".parquet")
_TEXT = (".csv", ".tsv", ".txt")


def read_survey(
    path: str | Path,
    *,
    sheet: str | int | None = None,
    catalog: str | Path | None = None,
    encoding: str | None = None,
    decimal: str = ".",
    missing: Mapping[Any, Any] | Sequence[Any] | None = None,
    multiple_response: Mapping[str, Any] | Sequence[MultipleResponse] | None = None,
    keep_personal: bool = False,
    cache: bool = True,
    weight: str | None = None,
    stratum: str | None = None,
    psu: str | None = None,
    fpc: str | None = None,
) -> Survey:
    """Read a survey file: what did people answer, and what do the codes mean?

    Parameters
    ----------
    path : path
        ``.sav .zsav .por`` (SPSS), ``.dta`` (Stata), ``.sas7bdat .xpt`` (SAS), ``.csv .tsv .txt``,
        ``.xlsx``, ``.parquet``; exports of Qualtrics and LimeSurvey are recognised by their headers.
    sheet : str or int, optional
        Sheet of a workbook, by name or position from 0; the first if None.
    catalog : path, optional
        SAS format catalog with the value labels; one of the same name beside the data is found.
    encoding : str, optional
        Character encoding, where the file does not say it (``"gb18030"``, ``"big5"``, ``"cp1252"``).
    decimal : {".", ","}
        Decimal sign of a text file.
    missing : mapping or list, optional
        Codes that are no answers, beyond those that the file declares: ``{99: "refused"}`` for all
        items, ``{"q1": {99: "refused"}}`` or ``{"q1": [98, 99]}`` for one (reason from the label).
    multiple_response : mapping or list of MultipleResponse, optional
        Multiple-response sets that the file lacks: ``{"name": ["q5_1", "q5_2"]}``, or
        ``{"name": {"items": [...], "counted": 1, "label": "..."}}``; they replace those of the same name.
    keep_personal : bool
        Keep IP address, e-mail, names, phone, position and external reference.
    cache : bool
        Keep what was read from files over 1 MB in the user's cache directory. The environment variable
        ``CXLAB_CACHE=0`` switches it off everywhere, ``CXLAB_CACHE_DIR`` moves it.
    weight, stratum, psu, fpc : str, optional
        Columns of the sample design, see :class:`cxlab.survey.SampleDesign`.

    Returns
    -------
    Survey
        ``data`` with codes as float64 and user-missing answers NaN, text, datetime64[us] dates and
        timedelta64[us] times; ``codebook`` with labels (language ``"und"``), value labels, measure,
        formats and multiple-response sets; ``missing_reasons`` with the codes that were masked;
        ``notes`` with all that was done on the way, in the current language.

    Raises
    ------
    SurveyError
        If the file is not there, empty, damaged, encrypted, of a version or kind that cannot be read,
        in an unknown encoding, or lacks a column that an argument names.

    Warns
    -----
    DataWarning
        For codes labelled as "don't know", "refused" or the like that the file does not declare
        missing, dates that no calendar holds, column names that were changed.

    Notes
    -----
    Codes are the truth: several may share a label, and a label never replaces a code. A code that
    the file declares missing without a label has the reason ``"user-missing"``. Extended missing
    values of Stata and SAS (``.a`` … ``.z``) become codes −1001 … −1026, so that their reasons stay
    apart. In text files, columns that are numbers throughout become numbers; ids with leading zeros
    or more than 15 digits and answers such as yes/no stay text. A code in ``missing`` for all items
    is kept as an answer where it has no label and other answers lie on both sides of it, and in
    design columns; the notes say where.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "wave.csv").write_text("id,q1,q2\\n001,9,10\\n002,99,8\\n")
    >>> survey = read_survey(folder / "wave.csv", missing={99: "refused"})
    >>> survey.data["q1"].tolist(), survey.missing_reasons["q1"].tolist()
    ([9.0, nan], [nan, 99.0])
    >>> survey.codebook["q1"].missing
    {99.0: 'refused'}
    """
    path = _checked(Path(path))
    if decimal not in (".", ","):
        raise one_of("decimal", decimal, (".", ","))
    design = SampleDesign(weight, stratum, psu, fpc)
    beside = _catalog_of(path, catalog)
    options = {"encoding": encoding, "sheet": sheet, "decimal": decimal, "keep": keep_personal or sorted(design.columns().values()),
               "suffix": path.suffix.lower()}  # fmt: skip

    def read() -> Contents:
        contents = _read(path, beside, encoding, decimal, sheet)
        if not len(contents.data):
            raise SurveyError(f"{path.name} holds no respondents: {contents.data.shape[1]} columns and no rows.")
        contents = _garbled(contents, encoding)
        return contents if keep_personal else _without_personal(contents, set(design.columns().values()))

    big = path.stat().st_size >= _cache.SMALLEST and path.suffix.lower() != ".parquet"
    if big and _cache.switched_on(cache):
        contents = _cache.cached(read, [path, beside] if beside else [path], options)
    else:
        contents = read()
    if missing is not None:
        contents = _missing.apply(contents, missing, design.columns().values())
    contents = _with_sets(contents, multiple_response)
    contents = replace(contents, notes=(*contents.notes, *_missing.undeclared(contents)))
    return _survey(path, contents, design)


def _checked(path: Path) -> Path:
    """The path, if it is a file of a kind that can be read."""
    if path.is_dir():
        raise SurveyError(f"path is {str(path)!r}, a folder; name the file in it.")
    if not path.is_file():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        where = "" if path.parent.is_dir() else " (nor does its folder)"
        raise SurveyError(f"path is {str(path)!r}, which does not exist{where}{nearest(path.name, beside)}.")
    suffix = path.suffix.lower()
    if suffix == ".sas7bcat":
        raise SurveyError(
            f"{path.name} is a SAS format catalog: it holds value labels, no answers; "
            "give the .sas7bdat as path and this file as catalog=."
        )
    if suffix == ".xls":
        raise SurveyError(f"{path.name} is a workbook of the old .xls kind; open it in Excel and save it as .xlsx.")
    if suffix not in FORMATS:
        raise SurveyError(f"{path.name} ends in {suffix!r}; files that can be read end in {' '.join(FORMATS)}.")
    if not path.stat().st_size:
        raise SurveyError(f"{path.name} is empty (0 bytes); copy or export it again.")
    return path


def _catalog_of(path: Path, catalog: str | Path | None) -> Path | None:
    if path.suffix.lower() != ".sas7bdat":
        if catalog is not None:
            raise SurveyError(f"catalog belongs to SAS data sets (.sas7bdat); {path.name} is none. Leave it out.")
        return None
    if catalog is not None:
        return Path(catalog)
    beside = path.with_suffix(".sas7bcat")
    return beside if beside.is_file() else None


def _read(path: Path, catalog: Path | None, encoding: str | None, decimal: str, sheet: str | int | None) -> Contents:
    """Contents of a file by its ending."""
    from cxlab.readers import _sas_stata, _tables

    suffix = path.suffix.lower()
    if suffix in _TEXT:
        return _tables.read_csv(path, encoding=encoding, decimal=decimal)
    if suffix == ".xlsx":
        return _tables.read_xlsx(path, sheet=sheet, decimal=decimal)
    if suffix == ".parquet":
        return _tables.read_parquet(path)
    if suffix == ".sas7bdat":
        return _sas_stata.read_sas(path, encoding=encoding, catalog=catalog)
    readers = {".por": _sas_stata.read_por, ".dta": _sas_stata.read_dta, ".xpt": _sas_stata.read_xpt}
    return readers.get(suffix, read_sav)(path, encoding=encoding)


def _garbled(contents: Contents, encoding: str | None) -> Contents:
    """Note labels that were written in a Chinese encoding but read as a Western one."""
    said = (contents.encoding or "").casefold()
    if encoding or not said.startswith(("windows-1252", "cp1252", "iso-8859-1", "iso_8859-1", "us-ascii")):
        return contents
    texts = [t for i in contents.codebook.items.values() for v in (i.labels, *i.values.values()) for t in v.values()]
    texts += [
        str(t) for n, i in contents.codebook.items.items() if i.kind == "text" for t in contents.data[n].dropna()[:50]
    ]
    raw = "\n".join(t for t in texts if not t.isascii()).encode("cp1252", errors="ignore")
    if len(raw) < 8 or chinese_share(raw) < 0.8:
        return contents
    return replace(contents, notes=(*contents.notes, Note("garbled", {"encoding": contents.encoding})))


def _without_personal(contents: Contents, kept: set[str]) -> Contents:
    platform = next((str(n.facts["platform"]) for n in contents.notes if n.key == "platform"), "")
    dropped = [n for n in _platforms.personal(contents.codebook.items, platform) if n not in kept]
    if not dropped:
        return contents
    items = {n: i for n, i in contents.codebook.items.items() if n not in dropped}
    return replace(
        contents,
        data=contents.data.drop(columns=dropped),
        codebook=replace(contents.codebook, items=items),
        missing_reasons=contents.missing_reasons.drop(columns=dropped, errors="ignore"),
        notes=(*contents.notes, Note("personal", {"names": ", ".join(dropped)})),
    )


def _with_sets(contents: Contents, declared: Any) -> Contents:
    """Contents with the multiple-response sets that the caller declares."""
    if not declared:
        return contents
    pairs = declared.items() if isinstance(declared, Mapping) else ((s.name, s) for s in declared)
    sets = {s.name: s for s in contents.codebook.sets} | {n: _set(n, said, contents) for n, said in pairs}
    gone = [n for n in contents.notes if not (n.key == "empty_set" and n.facts["name"] in sets)]
    return replace(contents, codebook=Codebook(contents.codebook.items, tuple(sets.values())), notes=tuple(gone))


def _set(name: str, said: Any, contents: Contents) -> MultipleResponse:
    if isinstance(said, MultipleResponse):
        made = said
    else:
        said = said if isinstance(said, Mapping) else {"items": said}
        items = tuple(said.get("items", ()))
        counted = said.get("counted")
        label = {FILE: said["label"]} if said.get("label") else {}
        counted = float(counted) if isinstance(counted, (int, float)) else counted
        made = MultipleResponse(name, items, "category" if counted is None else "dichotomy", label, counted)
    unknown = [n for n in made.items if n not in contents.data.columns]
    if unknown:
        raise unknown_names("multiple_response", unknown, contents.data.columns, "the file")
    if not made.items:
        raise SurveyError(f"multiple_response declares {name!r} without items; list the columns of its answers.")
    if (isinstance(said, Mapping) and said.get("counted") is not None) or isinstance(said, MultipleResponse):
        return made
    answers = np.unique(np.concatenate([pd.unique(contents.data[n].dropna()) for n in made.items]))
    if set(answers.tolist()) <= {0.0, 1.0}:
        return replace(made, kind="dichotomy", counted=1.0)
    return made


def _survey(path: Path, contents: Contents, design: SampleDesign) -> Survey:
    for note in contents.notes:
        if note.key in WARNED:
            warnings.warn(note.text(TEMPLATES), DataWarning, stacklevel=3)
    survey = Survey(
        contents.data,
        contents.codebook,
        design=design,
        missing_reasons=contents.missing_reasons,
        name=path.stem,
        source=str(path),
        notes=tuple(n.text(TEMPLATES) for n in contents.notes),
    )
    survey.weights  # noqa: B018 – a bad weight is reported where it is declared
    return survey
