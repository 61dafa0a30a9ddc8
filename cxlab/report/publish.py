"""Publishing a finished report in one step, and tidying up after runs that were killed.

A report is made in ``<out>/.tmp-<study>~<wave>~<lang>~<pid>`` and moved to ``<out>/<study>/<wave>/<lang>`` by
two renames: the old report aside (``.old-<lang>`` beside it), the new one in. One lock per report is held from the
first step to the last; whoever holds it knows that every leftover of this report belongs to a dead run.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cxlab.errors import SurveyError


@dataclass(frozen=True)
class Place:
    """Where one report lives under the output folder."""

    out: Path
    study: str
    wave: str
    name: str  # the language, and the notebook where it is not the monthly report

    @classmethod
    def of(cls, out: Path, study: str, wave: str, name: str) -> Place:
        """Place with names that are safe as folder names."""
        safe = (re.sub(r"[^\w.-]+", "_", part).lstrip(".") or "_" for part in (study, wave, name))
        return cls(out, *safe)

    @property
    def key(self) -> str:
        return "~".join((self.study, self.wave, self.name))

    @property
    def folder(self) -> Path:
        return self.out / self.study / self.wave / self.name

    @property
    def aside(self) -> Path:
        return self.folder.with_name(f".old-{self.name}")

    @property
    def failed(self) -> Path:
        return self.folder.with_name(f"{self.name}.failed.ipynb")


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Hold the lock of one report; leftovers of its dead runs are put right first.

    Raises
    ------
    SurveyError
        If another process is making this report; the message names it.
    """
    from filelock import FileLock, Timeout

    file = _lock_file(place)
    lock, owner = FileLock(file, timeout=1), file.with_suffix(".pid")
    try:
        lock.acquire()
    except Timeout:
        raise SurveyError(
            f"{place.folder} is being made by process {_read(owner)}; wait until it has finished, or stop that process."
        ) from None
    try:
        owner.write_text(str(os.getpid()))
        _put_right(place)
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


@contextmanager
def workspace(place: Place) -> Iterator[Path]:
    """Fresh folder for one run, removed whatever happens."""
    folder = place.out / f".tmp-{place.key}~{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(new: Path, place: Place) -> None:
    """Move a finished folder to its place; anything that goes wrong puts the old one back.

    The old report stays aside, for :func:`sweep`.
    """
    for file in new.iterdir():
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
    place.folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        if place.folder.exists():
            os.rename(place.folder, place.aside)
        os.rename(new, place.folder)
    except BaseException:
        if place.aside.exists() and not place.folder.exists():
            os.rename(place.aside, place.folder)
        raise


def sweep(place: Place) -> None:
    """Remove what a newly published report has replaced."""
    shutil.rmtree(place.aside, ignore_errors=True)
    place.failed.unlink(missing_ok=True)


def recover(out: Path) -> None:
    """Put right what killed runs left behind: half-published reports and temporary folders.

    Reports that another process is making are left alone.
    """
    from filelock import FileLock, Timeout

    for place in _interrupted(out):
        with suppress(Timeout), FileLock(_lock_file(place), timeout=0):
            _put_right(place)


def _interrupted(out: Path) -> set[Place]:
    aside = {(*old.parts[-3:-1], old.name.removeprefix(".old-")) for old in out.glob("*/*/.old-*")}
    made = {tuple(tmp.name.removeprefix(".tmp-").split("~")[:3]) for tmp in out.glob(".tmp-*~*~*~*")}
    return {Place(out, study, wave, name) for study, wave, name in aside | made}


def _put_right(place: Place) -> None:
    """Needs the lock. Killed between the renames: the old one returns; after them: it goes."""
    if place.aside.exists():
        if place.folder.exists():
            shutil.rmtree(place.aside, ignore_errors=True)
        else:
            os.rename(place.aside, place.folder)
    for folder in place.out.glob(f".tmp-{place.key}~*"):
        shutil.rmtree(folder, ignore_errors=True)


def _lock_file(place: Place) -> Path:
    folder = place.out / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{place.key}.lock"


def _read(owner: Path) -> str:
    with suppress(OSError):
        return owner.read_text() or "unknown"
    return "unknown"
