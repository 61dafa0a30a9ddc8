"""From a study to a published report."""

from __future__ import annotations

import json
import math
import os
import platform
import re
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from cxlab.errors import DataCheckError, ReportError, SurveyError, nearest, one_of
from cxlab.items import pick
from cxlab.report.execute import code_cells, read_notebook, run_notebook
from cxlab.report.html import to_html
from cxlab.report.parameters import check_parameters, declared_parameters
from cxlab.report.publish import Place, locked, publish, recover, sweep, workspace
from cxlab.words import language

if TYPE_CHECKING:
    from cxlab.study import Study

MONTHLY = "monthly_report"
ALL = "all"  # the wave of a study without waves
NOTEBOOK, FACTS = "report.ipynb", "facts.json"
_DATA = {"en": "data", "zh": "数据"}
_INSTEAD = {"study": "", "wave": "; use wave= (--wave)", "lang": "; use lang= (--lang)"}
_OWN = ("study", "wave", "lang", "facts_path")
_PACKAGES = ("cxlab", "pandas", "numpy", "scipy", "statsmodels", "seaborn", "matplotlib", "pyreadstat", "pyarrow",
             "papermill", "nbconvert", "ipykernel")  # fmt: skip


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or a termination signal while a report was being made.

    Attributes
    ----------
    exit_code : int
        130 or 143, as a shell reports these signals.
    """

    def __init__(self, exit_code: int = 130) -> None:
        self.exit_code = exit_code
        super().__init__("interrupted; the previous report is untouched")


def make_report(
    study: str | Path,
    *,
    wave: str | None = None,
    lang: str = "en",
    out: str | Path = "reports",
    notebook: str | Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Path:
    """Run a report notebook on a study and publish the result as one folder.

    Parameters
    ----------
    study : path
        The ``study.yml``.
    wave : str, optional
        A wave of the study; the latest by default. ``"all"`` for a study without waves.
    lang : {"en", "zh"}
    out : path
        Folder of all reports.
    notebook : path or name, optional
        A notebook that declares a parameter ``study``, or the name of one that comes with cxlab; by
        default ``monthly_report``. ``study``, ``wave``, ``lang`` and ``facts_path`` are given to it as far
        as it declares them.
    parameters : mapping of str to value, optional
        Further parameters of the notebook. Text is read as the notebook declares it.
    progress : bool
        Show a bar while it runs, if stderr is a terminal.

    Returns
    -------
    Path
        ``<out>/<study>/<wave>/<lang>`` (for other notebooks ``<lang>-<notebook>``) with ``report.html``,
        the executed ``report.ipynb``, ``run.json`` (status, parameters, data hash, warnings, package
        versions, seconds) and, if the notebook declares ``facts_path``, ``facts.json``.

    Raises
    ------
    SurveyError
        If a wave, a parameter or the notebook is not known, or another process is making this report.
    StudyError
        If study.yml cannot be used.
    DataCheckError
        If the data contradict the study.
    ReportError
        If the notebook failed or the report could not be written. The message names the cell and
        where the failed notebook is kept.
    Interrupted
        After Ctrl-C or a termination signal.

    Notes
    -----
    Whatever is raised, the previous report stays as it was. The new one is made in a temporary folder
    and moved in by renaming, under a lock. What a killed run left behind is put right by the next one.

    Examples
    --------
    The call is checked before anything runs; a run takes about ten seconds.

    >>> make_report("data/healthcheck", wave="2099-01")
    Traceback (most recent call last):
    cxlab.errors.SurveyError: wave '2099-01' is not in the study 'healthcheck'; it has 24 waves, ...
    >>> make_report("data/healthcheck", parameters={"replicate": 200})
    Traceback (most recent call last):
    cxlab.errors.SurveyError: parameter 'replicate' is not one of monthly_report.ipynb (did you mean 'replicates'?); ...
    """
    clock, lang, out = _Clock(), language(lang), Path(out)
    source = find_notebook(notebook)
    declared, given = _given(source, dict(parameters or {}))
    with _interruptible():
        with _plain_disk_errors(out):
            recover(out)
        opened, wave, data_hash = _open(study, wave)
        name = lang if source.stem == MONTHLY else f"{lang}-{source.stem}"
        place = Place.of(out, opened.name, wave, name)
        with _plain_disk_errors(out), locked(place), workspace(place) as temporary:
            # As deep as the published folder, so that the study's relative path holds in both.
            folder = (temporary / "run" / "report").resolve()
            own = {"study": _relative(opened.path, folder), "wave": wave, "lang": lang, "facts_path": FACTS}
            values = {**{k: own[k] for k in _OWN if k in declared}, **given}
            executed = _run(source, values, folder, place, progress)
            _write_page(executed, folder, opened, wave, lang, data_hash)
            _write_run(folder, clock, warnings=_warnings(executed), study={"name": opened.name, "path": own["study"]}, wave=wave, lang=lang,
                       notebook=source.name, parameters=values, data_hash=data_hash)  # fmt: skip
            publish(folder, place)
    sweep(place)
    return place.folder


def find_notebook(notebook: str | Path | None = None) -> Path:
    """Locate a notebook: a path, or the name of one that comes with cxlab.

    Parameters
    ----------
    notebook : path or name, optional
        ``monthly_report`` by default.

    Returns
    -------
    Path

    Raises
    ------
    SurveyError
        If there is none.

    Examples
    --------
    >>> find_notebook("01_key_drivers").name
    '01_key_drivers.ipynb'
    """
    wanted = Path(notebook or MONTHLY)
    if wanted.is_file():
        return wanted
    package = Path(__file__).resolve().parents[1]
    # In a clone the notebooks lie beside the package; a wheel carries them inside it.
    shipped = {
        p.stem: p for folder in (package / "notebooks", package.parent / "notebooks") for p in folder.glob("*.ipynb")
    }
    if str(wanted) == wanted.name and wanted.name.removesuffix(".ipynb") in shipped:
        return shipped[wanted.name.removesuffix(".ipynb")]
    raise SurveyError(
        f"notebook {str(wanted)!r} does not exist{nearest(wanted.stem, shipped)}; "
        f"with cxlab come: {', '.join(sorted(shipped)) or 'none'}."
    )


def _given(source: Path, given: dict[str, Any]) -> tuple[set[str], dict[str, Any]]:
    """Names that the notebook declares, and the caller's parameters, checked."""
    declared = declared_parameters(read_notebook(source))
    if "study" not in declared:
        raise SurveyError(f"{source.name} declares no parameter 'study'; make_report runs notebooks on a study.")
    if own := [name for name in _OWN if name in given]:
        raise SurveyError(f"parameters has {own[0]!r}, which make_report sets itself{_INSTEAD.get(own[0], '')}.")
    free = {name: p for name, p in declared.items() if name not in _OWN}
    return set(declared), check_parameters(free, given, notebook=source.name)


def _open(study: str | Path, wave: str | None) -> tuple[Study, str, str]:
    """Open the study, which checks its data, and settle the wave."""
    from cxlab.study import open_study

    opened = open_study(study)
    return opened, _choose_wave(opened, wave), opened.data.data_hash


def _choose_wave(study: Study, wave: str | None) -> str:
    """Label of the wave in English or as the file has it, so that a folder has one name in all languages."""
    column = study.roles.wave
    if column is None:
        if wave in (None, ALL):
            return ALL
        raise SurveyError(f"wave is {wave!r}, but the study {study.name!r} declares no waves; leave wave out.")
    labels = [study.data.codebook[column].value_label(level.code, "en") for level in study.waves]
    if wave in (None, "latest"):
        return labels[-1]
    if wave == ALL:
        raise one_of("wave", wave, labels)
    return labels[[level.code for level in study.waves].index(study.wave(wave).code)]


def _relative(study: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(study.resolve(), folder)).as_posix()
    except ValueError:  # another drive
        return str(study.resolve())


def _run(source: Path, values: dict[str, Any], folder: Path, place: Place, progress: bool) -> Any:
    """Run the notebook and read what came of it; one that failed is kept beside the report, for a look at what went wrong."""
    executed = folder / NOTEBOOK
    try:
        run_notebook(source, values, folder, name=NOTEBOOK, progress=progress)
        if "facts_path" in values:
            _check_facts(folder / FACTS, source.name)
        return read_notebook(executed)
    except DataCheckError:
        raise
    except SurveyError as fault:
        if executed.exists():
            place.failed.parent.mkdir(parents=True, exist_ok=True)
            os.replace(executed, place.failed)
        kept = f" The notebook as far as it ran is kept in {place.failed}." if place.failed.exists() else ""
        before = "The previous report is untouched." if place.folder.exists() else "Nothing was published."
        raise ReportError(f"{str(fault).rstrip('.')}.{kept} {before}") from None


def _check_facts(path: Path, notebook: str) -> None:
    """The notebook must have written its facts; NaN, which is no JSON, becomes null."""
    if not path.exists():
        raise ReportError(f"{notebook} did not write the file of its parameter facts_path.")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise ReportError(f"{notebook} wrote facts that are not JSON: {fault}") from None
    _write_json(path, _without_nan(facts))


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_nan(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _warnings(notebook: Any) -> list[str]:
    """Warnings that the page leaves out, each once."""
    streams = (o for c in code_cells(notebook) for o in c.outputs if o.output_type == "stream" and o.name == "stderr")
    return list(dict.fromkeys(found for o in streams for found in re.findall(r"\b\w*Warning: .+", o.text)))


def _write_page(executed: Any, folder: Path, study: Study, wave: str, lang: str, data_hash: str) -> None:
    from importlib.metadata import version

    page = to_html(
        executed, title=pick(study.title, lang, study.name), lang=lang,
        wave="" if wave == ALL else wave, foot=f"cxlab {version('cxlab')} · {_DATA[lang]} {data_hash[:8]}",
    )  # fmt: skip
    (folder / "report.html").write_text(page, encoding="utf-8")


def _write_run(folder: Path, clock: _Clock, **facts: Any) -> None:
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    run = {"status": "ok", **facts, **clock.read(), "python": platform.python_version(), "packages": versions}
    _write_json(folder / "run.json", run)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")


class _Clock:
    """Wall and CPU seconds since it was made, the kernel's included."""

    def __init__(self) -> None:
        self._started, self._wall, self._cpu = datetime.now(UTC), time.perf_counter(), sum(os.times()[:4])

    def read(self) -> dict[str, Any]:
        seconds = {"wall": round(time.perf_counter() - self._wall, 2), "cpu": round(sum(os.times()[:4]) - self._cpu, 2)}
        return {"started": self._started.isoformat(timespec="seconds"),
                "finished": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": seconds}  # fmt: skip


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn Ctrl-C and termination into :class:`Interrupted`, after everything has been cleaned up."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise Interrupted(128 + signum)

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, stop) if main else None
    try:
        yield
    except Interrupted:
        raise
    except KeyboardInterrupt:
        raise Interrupted from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


@contextmanager
def _plain_disk_errors(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        what = f"{fault.strerror or fault}" + (f" ({fault.filename})" if fault.filename else "")
        raise ReportError(
            f"the report could not be written in {out}: {what}. "
            "Make room there, or name another folder with out= (--out); the previous report is untouched."
        ) from fault
