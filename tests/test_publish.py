"""Publishing: whatever happens in between, a reader finds the old report or the new one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cxlab.errors import SurveyError
from cxlab.report.publish import Place, locked, publish, recover, sweep, workspace


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.of(tmp_path / "reports", "health", "2025-12", "en")


def _report(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "report.html").write_text(text)
    return folder


def _read(place: Place) -> str:
    return (place.folder / "report.html").read_text()


def _everything(out: Path) -> list[str]:
    return sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file() and ".locks" not in p.parts)


def test_new_report_replaces_old_one_with_nothing_left(place: Place) -> None:
    _report(place.folder, "old")
    place.failed.write_text("a failure of last week")
    with locked(place), workspace(place) as temporary:
        publish(_report(temporary / "new", "new"), place)
    sweep(place)
    assert _read(place) == "new"
    assert _everything(place.out) == ["health/2025-12/en/report.html"]
    assert not list(place.out.glob(".tmp-*"))


def test_old_report_returns_when_the_new_one_cannot_be_moved_in(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _report(place.folder, "old")
    rename, calls = os.rename, []

    def failing(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise KeyboardInterrupt
        rename(source, target)

    with locked(place), workspace(place) as temporary:
        new = _report(temporary / "new", "new")
        monkeypatch.setattr(os, "rename", failing)
        with pytest.raises(KeyboardInterrupt):
            publish(new, place)
    assert _read(place) == "old"
    assert _everything(place.out) == ["health/2025-12/en/report.html"]


def test_workspace_goes_when_the_run_fails(place: Place) -> None:
    def run() -> None:
        with locked(place), workspace(place) as temporary:
            (temporary / "half.html").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()
    assert _everything(place.out) == []
    assert not list(place.out.glob(".tmp-*"))


_DIES = """
import os, sys
from pathlib import Path
import cxlab.report.publish as p
place, moment = p.Place.of(Path(sys.argv[1]), "health", "2025-12", "en"), sys.argv[2]
rename = os.rename
def dying(source, target):
    if moment == "between" and target == place.folder: os._exit(9)
    rename(source, target)
    if moment == "after" and target == place.folder: os._exit(9)
p.os.rename = dying
with p.locked(place), p.workspace(place) as temporary:
    new = temporary / "new"
    new.mkdir()
    (new / "report.html").write_text("new")
    if moment == "before": os._exit(9)
    p.publish(new, place)
"""


@pytest.mark.parametrize(("moment", "found"), [("before", "old"), ("between", "old"), ("after", "new")])
def test_a_run_killed_at_any_moment_is_put_right(place: Place, moment: str, found: str) -> None:
    _report(place.folder, "old")
    died = subprocess.run([sys.executable, "-c", _DIES, str(place.out), moment], check=False)
    assert died.returncode == 9
    left = _everything(place.out)
    assert left != ["health/2025-12/en/report.html"]  # there is something to put right
    recover(place.out)
    assert _read(place) == found
    assert _everything(place.out) == ["health/2025-12/en/report.html"]
    assert not list(place.out.glob(".tmp-*"))


_HOLDS = """
import sys, time
from pathlib import Path
import cxlab.report.publish as p
place = p.Place.of(Path(sys.argv[1]), "health", "2025-12", "en")
with p.locked(place), p.workspace(place) as temporary:
    place.folder.rename(place.aside)
    print("ready", flush=True)
    time.sleep(60)
"""


def test_a_living_run_keeps_its_lock_and_its_files(place: Place) -> None:
    _report(place.folder, "old")
    with subprocess.Popen([sys.executable, "-c", _HOLDS, str(place.out)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
        recover(place.out)
        assert place.aside.exists()
        assert len(list(place.out.glob(".tmp-*"))) == 1
        message = (
            f"{place.folder} is being made by process {other.pid}; wait until it has finished, or stop that process."
        )
        with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"), locked(place):
            pass
        other.kill()
    with locked(place):  # the lock of a dead process is free, and its leftovers go
        assert _read(place) == "old"
    assert not list(place.out.glob(".tmp-*"))


def test_other_reports_are_not_held_up(place: Place) -> None:
    other = Place.of(place.out, "health", "2025-12", "zh")
    with locked(place), locked(other):
        assert place.folder != other.folder


def test_an_error_inside_is_not_mistaken_for_a_held_lock(place: Place) -> None:
    from filelock import Timeout

    with pytest.raises(Timeout), locked(place):
        raise Timeout("some other lock")


def test_names_stay_inside_the_output_folder(tmp_path: Path) -> None:
    place = Place.of(tmp_path, "../../etc", "第1期/a~b", "en")
    assert place.folder.relative_to(tmp_path).parts == ("_.._etc", "第1期_a_b", "en")
