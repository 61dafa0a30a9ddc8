"""Making a report end to end on a small study: what is published, and what each fault leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from cxlab.errors import DataCheckError, ReportError, StudyError, SurveyError
from cxlab.report import Interrupted, find_notebook, make_report, run_notebook

TINY = Path(__file__).parent / "notebooks" / "tiny.ipynb"
_STUDY = """\
study: mini
title: {en: Mini study, zh: 小型研究}
data: mini.csv
wave: {column: wave, period: month}
design: {weight: weight}
outcomes: {satisfaction: satisfaction}
drivers: {none: [queue]}
items: {satisfaction: {scale: [0, 10]}, queue: {scale: [0, 10]}}
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "mini"
    folder.mkdir(parents=True)
    rows = [f"2025-{11 + k % 2},{1 + k % 3},{k % 11},{(3 * k) % 11}" for k in range(40)]
    (folder / "mini.csv").write_text("\n".join(["wave,weight,satisfaction,queue", *rows]) + "\n")
    (folder / "study.yml").write_text(_STUDY, encoding="utf-8")
    return folder / "study.yml"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "reports"


@pytest.fixture
def published(out: Path) -> Path:
    """A report of last time; no failure may touch it."""
    folder = out / "mini" / "2025-12" / "en-tiny"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("last time")
    return folder


def _left(out: Path) -> list[str]:
    return sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file() and ".locks" not in p.parts)


OLD = "mini/2025-12/en-tiny/report.html"
FAILED = "mini/2025-12/en-tiny.failed.ipynb"


def _untouched(published: Path, out: Path, *more: str) -> None:
    assert (published / "report.html").read_text() == "last time"
    assert _left(out) == sorted([OLD, *more])
    assert not list(out.glob(".tmp-*"))


# ------------------------------------------------------------------ a report that succeeds
def test_a_report_is_one_complete_folder(
    study: Path, out: Path, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    folder = make_report(study, out=out, notebook=TINY, parameters={"top": "5"})
    assert folder == published
    assert _left(out) == [
        f"mini/2025-12/en-tiny/{f}" for f in ("facts.json", "report.html", "report.ipynb", "run.json")
    ]

    facts = json.loads((folder / "facts.json").read_text())
    assert facts == {"wave": "2025-12", "base": 20, "top": 5, "undefined": None}
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Wave 2025-12 in en: 20 respondents." in page
    assert '<p class="study">Mini study</p>' in page
    assert "December 2025" in page

    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert run["status"] == "ok"
    assert run["study"] == {"name": "mini", "path": "../../../../data/mini/study.yml"}
    assert (run["wave"], run["lang"], run["notebook"]) == ("2025-12", "en", "tiny.ipynb")
    assert run["parameters"]["top"] == 5
    assert re.fullmatch(r"[0-9a-f]{16}", run["data_hash"])
    assert {"cxlab", "pandas", "papermill", "nbconvert"} <= set(run["packages"])
    assert run["warnings"] == ["UserWarning: base is small"]
    assert run["started"] <= run["finished"]
    assert 0.5 < run["seconds"]["cpu"] < 15  # the kernel's seconds count: the parent alone could stay under .5
    assert run["seconds"]["wall"] > 0.5

    notebook = nbformat.read(folder / "report.ipynb", 4)
    cwd, python, backend, bytecode = notebook.cells[-1].outputs[0].text.splitlines()
    assert Path(cwd).parent.parent.name.startswith(".tmp-mini~2025-12~en-tiny~")
    assert python == sys.executable
    assert "inline" in backend  # not the parent's Agg, which would show no figure
    assert bytecode == "None"
    assert str(out) not in json.dumps({**notebook.metadata, "cells": [c.source for c in notebook.cells]})


def test_the_published_notebook_runs_again_where_it_lies(study: Path, out: Path) -> None:
    folder = make_report(study, out=out, notebook=TINY)
    before = (folder / "report.html").read_bytes()
    again = run_notebook(folder / "report.ipynb", folder=folder, name="again.ipynb")
    assert nbformat.read(again, 4).cells[-2].outputs == nbformat.read(folder / "report.ipynb", 4).cells[-2].outputs
    again.unlink()
    assert (make_report(study, out=out, notebook=TINY) / "report.html").read_bytes() == before


def test_languages_and_waves_have_folders_of_their_own(study: Path, out: Path) -> None:
    assert make_report(study, wave="2025-11", lang="zh", out=out, notebook=TINY) == out / "mini" / "2025-11" / "zh-tiny"
    page = (out / "mini" / "2025-11" / "zh-tiny" / "report.html").read_text(encoding="utf-8")
    assert "小型研究" in page
    assert '<html lang="zh-CN">' in page


def test_the_monthly_report_is_named_by_its_language_alone(study: Path, out: Path, tmp_path: Path) -> None:
    own = tmp_path / "monthly_report.ipynb"
    own.write_bytes(TINY.read_bytes())
    assert make_report(study, out=out, notebook=own) == out / "mini" / "2025-12" / "en"


def test_a_study_without_waves_has_the_wave_all(study: Path, out: Path) -> None:
    study.write_text(_STUDY.replace("wave: {column: wave, period: month}\n", ""), encoding="utf-8")
    assert make_report(study, out=out, notebook=TINY) == out / "mini" / "all" / "en-tiny"
    assert json.loads((out / "mini" / "all" / "en-tiny" / "facts.json").read_text())["base"] == 40
    message = "wave is '2025-12', but the study 'mini' declares no waves; leave wave out."
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        make_report(study, wave="2025-12", out=out, notebook=TINY)


def test_paths_with_braces_and_spaces_are_only_paths(study: Path, tmp_path: Path) -> None:
    assert make_report(study, out=tmp_path / "out {pm} 报告", notebook=TINY).is_dir()


# ------------------------------------------------------------------ wrong calls: nothing runs
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wave": "2025-13"}, "wave '2025-13' is not in the study 'mini'; it has 2025-11, 2025-12 (did you mean '2025-12'?)."),
        ({"wave": "all"}, "wave is 'all'; allowed: '2025-11', '2025-12'."),
        ({"lang": "de"}, "lang is 'de'; allowed: 'en', 'zh'."),
        ({"parameters": {"tpo": 1}}, "parameter 'tpo' is not one of tiny.ipynb (did you mean 'top'?); it declares: fault, top."),
        ({"parameters": {"top": "many"}}, "parameter top is 'many' (text); tiny.ipynb declares it as int."),
        ({"parameters": {"wave": "2025-11"}}, "parameters has 'wave', which make_report sets itself; use wave= (--wave)."),
        ({"notebook": TINY.with_name("no_study.ipynb")},
         "no_study.ipynb declares no parameter 'study'; make_report runs notebooks on a study."),
    ],
)  # fmt: skip
def test_wrong_calls_are_refused_before_anything_runs(
    study: Path, out: Path, published: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$") as caught:
        make_report(study, **{"out": out, "notebook": TINY, **options})
    assert not isinstance(caught.value, (ReportError, DataCheckError))
    _untouched(published, out)


def test_a_wrong_study_is_refused(study: Path, out: Path, published: Path) -> None:
    study.write_text(_STUDY.replace("queue]", "queu]"), encoding="utf-8")
    with pytest.raises(StudyError, match="queu"):
        make_report(study, out=out, notebook=TINY)
    _untouched(published, out)


def test_a_truncated_sav_is_refused(study: Path, out: Path, published: Path) -> None:
    import pandas as pd

    from cxlab.survey import Survey

    whole = Survey.from_frame(pd.read_csv(study.with_name("mini.csv"))).to_sav(study.with_name("mini.sav"))
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) * 2 // 3])
    study.write_text(_STUDY.replace("mini.csv", "mini.sav"), encoding="utf-8")
    with pytest.raises(SurveyError, match=r"mini\.sav.*(truncated|cut off|damaged|incomplete)") as caught:
        make_report(study, out=out, notebook=TINY)
    assert not isinstance(caught.value, (ReportError, DataCheckError))
    _untouched(published, out)


@pytest.mark.parametrize("weight", ["-1", ""])
def test_weights_that_are_no_weights_are_refused(study: Path, out: Path, published: Path, weight: str) -> None:
    data = study.with_name("mini.csv")
    lines = data.read_text().splitlines()
    data.write_text("\n".join([lines[0], f"2025-12,{weight},5,5", *lines[1:]]) + "\n")
    with pytest.raises(DataCheckError, match="weight"):
        make_report(study, out=out, notebook=TINY)
    _untouched(published, out)


def test_notebooks_that_are_not_there_or_no_notebooks(tmp_path: Path) -> None:
    with pytest.raises(SurveyError, match=r"^notebook 'monthly_reprot' does not exist.*; with cxlab come: "):
        find_notebook("monthly_reprot")
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{}")
    with pytest.raises(SurveyError, match=f"^notebook {str(broken)!r} cannot be read: "):
        run_notebook(broken)


# ------------------------------------------------------------------ notebooks that fail
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("error", "tiny.ipynb failed in cell [4] `if fault == 'error': 1 / 0`: ZeroDivisionError: division by zero."),
        ("killed", "tiny.ipynb failed in cell [5] `if fault == 'killed': os.kill(os.getpid(), signal.SIGKILL)`: "
                   "the kernel was killed (often because memory ran out)."),
        ("survey", "drivers names nothing."),
        ("exit", "tiny.ipynb failed in cell [8] `if fault == 'exit': sys.exit()`: SystemExit."),
        ("no facts", "tiny.ipynb did not write the file of its parameter facts_path."),
        ("bad facts", "tiny.ipynb wrote facts that are not JSON: Expecting property name enclosed in double quotes: "
                      "line 1 column 2 (char 1)."),
    ],
)  # fmt: skip
def test_a_failed_notebook_is_kept_and_the_old_report_too(
    study: Path, out: Path, published: Path, fault: str, message: str
) -> None:
    with pytest.raises(ReportError) as caught:
        make_report(study, out=out, notebook=TINY, parameters={"fault": fault})
    kept = f" The notebook as far as it ran is kept in {out / FAILED}. The previous report is untouched."
    assert str(caught.value) == message + kept
    _untouched(published, out, FAILED)
    nbformat.validate(nbformat.read(out / FAILED, 4))


def test_bad_data_found_by_the_notebook_are_bad_data(study: Path, out: Path, published: Path) -> None:
    with pytest.raises(DataCheckError, match=r"^weight has 3 negative values\.$"):
        make_report(study, out=out, notebook=TINY, parameters={"fault": "data"})
    _untouched(published, out)


def test_without_an_earlier_report_a_failure_publishes_nothing(study: Path, out: Path) -> None:
    with pytest.raises(ReportError, match=r"Nothing was published\.$"):
        make_report(study, out=out, notebook=TINY, parameters={"fault": "error"})
    assert _left(out) == [FAILED]


def test_success_removes_the_failed_notebook_of_last_time(study: Path, out: Path) -> None:
    (out / FAILED).parent.mkdir(parents=True)
    (out / FAILED).write_text("failure")
    make_report(study, out=out, notebook=TINY)
    assert not (out / FAILED).exists()


def test_an_output_folder_that_cannot_be_written(study: Path, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(
        ReportError, match=r"^the report could not be written in .*reports: (Not a directory|File exists)"
    ):
        make_report(study, out=tmp_path / "reports", notebook=TINY)


# ------------------------------------------------------------------ the command line
@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["-p", "top=x"], 2, "parameter top is 'x' (text); tiny.ipynb declares it as int.\n"),
        (["-p", "top"], 2, "-p is 'top'; write it as name=value.\n"),
        (["--wave", "2025-10"], 2,
         "wave '2025-10' is not in the study 'mini'; it has 2025-11, 2025-12 (did you mean '2025-12'?).\n"),
        (["-p", "fault=data"], 3, "weight has 3 negative values.\n"),
        (["-p", "fault=survey"], 4, "drivers names nothing. The notebook as far as it ran is kept in {out}/" + FAILED
         + ". The previous report is untouched.\n"),
    ],
)  # fmt: skip
def test_exit_codes(study: Path, out: Path, published: Path, options: list[str], code: int, said: str) -> None:
    from typer.testing import CliRunner

    from cxlab.cli import app

    ran = CliRunner().invoke(app, ["report", str(study), "--out", str(out), "--notebook", str(TINY), *options])
    assert ran.stderr.replace(str(out), "{out}") == said
    assert ran.exit_code == code
    assert (published / "report.html").read_text() == "last time"


def test_a_report_from_the_command_line(study: Path, out: Path) -> None:
    from typer.testing import CliRunner

    from cxlab.cli import app

    ran = CliRunner().invoke(app, ["report", str(study), "--out", str(out), "--notebook", str(TINY), "-p", "top=7"])
    assert (ran.exit_code, ran.output) == (0, f"{out / OLD}\n")
    assert json.loads((out / OLD).with_name("facts.json").read_text())["top"] == 7


# ------------------------------------------------------------------ interruptions, in real processes
_RUN = """
import resource, sys
from cxlab.report import Interrupted, make_report
from cxlab.errors import SurveyError
study, out, notebook, fault, limit = sys.argv[1:]
if int(limit): resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    make_report(study, out=out, notebook=notebook, parameters={"fault": fault}, progress=False)
except Interrupted as stopped:
    print(stopped, file=sys.stderr)
    sys.exit(stopped.exit_code)
except SurveyError as error:
    print(type(error).__name__, error, sep=": ", file=sys.stderr)
    sys.exit(4)
"""


def _start(study: Path, out: Path, fault: str = "slow", limit: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _RUN, str(study), str(out), str(TINY), fault, str(limit)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def _wait_until_running(run: subprocess.Popen[str], out: Path) -> None:
    for _ in range(600):
        if list(out.glob(".tmp-*/run/report/started")):
            return
        assert run.poll() is None, run.communicate()
        time.sleep(0.1)
    raise AssertionError("the notebook did not start")


def _children(pid: int) -> list[int]:
    return [int(c) for task in Path(f"/proc/{pid}/task").iterdir() for c in (task / "children").read_text().split()]


def _gone(pids: list[int]) -> bool:
    for _ in range(50):
        if not any(Path(f"/proc/{p}").exists() for p in pids):
            return True
        time.sleep(0.1)
    return False


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@linux
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_nothing_behind(
    study: Path, out: Path, published: Path, sent: signal.Signals, code: int
) -> None:
    with _start(study, out) as run:
        _wait_until_running(run, out)
        kernels = _children(run.pid)
        assert kernels
        run.send_signal(sent)
        _, said = run.communicate(timeout=30)
    assert said == "interrupted; the previous report is untouched\n"
    assert run.returncode == code
    assert _gone(kernels)
    _untouched(published, out)


@linux
def test_two_runs_at_once_and_one_after_a_killed_one(study: Path, out: Path, published: Path) -> None:
    with _start(study, out) as first:
        _wait_until_running(first, out)
        with _start(study, out) as second:
            _, said = second.communicate(timeout=60)
        assert second.returncode == 4
        assert said == (
            f"SurveyError: {published} is being made by process {first.pid}; "
            "wait until it has finished, or stop that process.\n"
        )
        assert list(out.glob(".tmp-*"))  # the refused run leaves the living one's files alone
        kernels = _children(first.pid)
        first.kill()
    assert list(out.glob(".tmp-*"))
    assert _gone(kernels)  # a kernel whose parent has died goes by itself
    assert (make_report(study, out=out, notebook=TINY) / "run.json").exists()
    assert not list(out.glob(".tmp-*"))


@linux
def test_a_full_disk_is_said_and_leaves_nothing_behind(study: Path, out: Path, published: Path) -> None:
    with _start(study, out, fault="", limit=6000) as run:
        _, said = run.communicate(timeout=60)
    assert run.returncode == 4
    assert said.startswith(f"ReportError: the report could not be written in {out}: File too large")
    assert said.endswith("the previous report is untouched.\n")
    _untouched(published, out)


@linux
def test_a_terminal_shows_a_bar(study: Path, out: Path) -> None:
    import fcntl
    import pty
    import struct
    import termios

    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    main = "from cxlab.cli import main; main()"
    command = [sys.executable, "-c", main, "report", str(study), "--out", str(out), "--notebook", str(TINY)]
    ran = subprocess.run(command, stderr=terminal, stdout=subprocess.PIPE, text=True, check=True)
    assert ran.stdout == f"{out / OLD}\n"
    assert "tiny: 100%" in os.read(screen, 100_000).decode()


def test_the_interrupt_handler_is_given_back(study: Path, out: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SurveyError):
        make_report(study, wave="never", out=out, notebook=TINY)
    assert signal.getsignal(signal.SIGTERM) is before


def test_interrupted_is_a_keyboard_interrupt() -> None:
    assert issubclass(Interrupted, KeyboardInterrupt)  # or a broad `except Exception` would swallow it
