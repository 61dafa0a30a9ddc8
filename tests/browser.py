"""Driving pages in Chromium: servers on free ports, and pages that remember what went wrong in them.

with app(study) as server, chromium_pages(path) as open_page:
    page = open_page(server.address)
    page.wait_for_widget()
    assert page.faults == []
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import psutil

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SLOW = 90_000  # milliseconds after which a busy machine, too, would have answered
WIDGET = ".jp-OutputArea-output .lm-Widget, .jp-OutputArea-output .jupyter-widgets"
ADDRESS = re.compile(r"http://\S+")


# --- servers -----------------------------------------------------------------------------------------------------


@dataclass
class Server:
    """A server in a process of its own.

    Attributes
    ----------
    process : Popen
    address : str
        Of its page, with the token if there is one.
    log : Path
        What it printed.
    seconds : float
        From its start until it answered.
    """

    process: subprocess.Popen[bytes]
    address: str
    log: Path
    seconds: float

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def port(self) -> int:
        return urlsplit(self.address).port or 0

    def children(self) -> list[psutil.Process]:
        """Kernels and whatever else it started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, how: int = signal.SIGINT) -> int:
        """Stop it as Ctrl-C or a scheduler does; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@contextmanager
def serving(command: list[str], answers: Callable[[str], str | None], **environment: str) -> Iterator[Server]:
    """Run a server until ``answers`` finds its address in what it printed; end it afterwards."""
    with TemporaryDirectory(prefix="cxlab-test-", ignore_cleanup_errors=True) as folder:
        log, started = Path(folder) / "log.txt", time.perf_counter()
        own = {"IPYTHONDIR": folder, "JUPYTER_CONFIG_DIR": folder, "JUPYTER_RUNTIME_DIR": folder}
        with log.open("wb") as sink:
            process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, env={**os.environ, **own, **environment})  # fmt: skip
        server = Server(process, "", log, 0)
        try:
            while not (address := answers(server.said)):
                if process.poll() is not None or time.perf_counter() - started > SLOW / 1000:
                    raise AssertionError(f"{' '.join(command)} did not start:\n{server.said}")
                time.sleep(0.05)
            server.address, server.seconds = address, time.perf_counter() - started
            yield server
        finally:
            server.end()


def command(*words: object) -> list[str]:
    """A call of cxlab by this interpreter."""
    return [*code_of("from cxlab.cli import main; main()"), *map(str, words)]


def code_of(code: str) -> list[str]:
    """A call of this interpreter."""
    return [sys.executable, "-c", code]


def app(study: Path, *options: object, **environment: str) -> Any:
    """``cxlab app`` on a free port; a context that gives the Server."""

    def answers(said: str) -> str | None:
        return found[0] if "Ctrl-C" in said and (found := ADDRESS.search(said)) else None

    return serving(command("app", study, "--port", 0, "--no-browser", *options), answers, **environment)


@contextmanager
def jupyterlab(folder: Path, token: str = "only-for-tests") -> Iterator[Server]:
    """JupyterLab over a folder, with factory settings, on this machine alone."""
    with TemporaryDirectory(prefix="cxlab-lab-", ignore_cleanup_errors=True) as own:
        quiet = Path(own) / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
        quiet.parent.mkdir(parents=True)
        quiet.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}), encoding="utf-8")
        places = {
            "JUPYTERLAB_SETTINGS_DIR": f"{own}/settings", "JUPYTERLAB_WORKSPACES_DIR": f"{own}/workspaces",
        }  # fmt: skip
        settings = {
            "ServerApp.ip": "127.0.0.1", "ServerApp.port": 0, "ServerApp.root_dir": folder, "ServerApp.allow_root": True,
            "ServerApp.open_browser": False, "IdentityProvider.token": token, "ServerApp.terminals_enabled": False,
        }  # fmt: skip
        words = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in settings.items())]

        def answers(said: str) -> str | None:
            found = re.search(r"(http://127\.0\.0\.1:\d+/lab)", said)
            return f"{found[1]}?token={token}" if found else None

        with serving(words, answers, **places) as server:
            yield server


# --- pages -------------------------------------------------------------------------------------------------------


@dataclass
class Watched:
    """A page and what went wrong in it.

    Attributes
    ----------
    page : playwright Page
    errors : list of str
        Console errors and uncaught exceptions.
    abroad : list of str
        Requests that would have left this machine; they are stopped.
    """

    page: Any
    errors: list[str] = field(default_factory=list)
    abroad: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [*self.errors, *(f"asked for {address}" for address in self.abroad)]

    def wait_for_widget(self, selector: str = WIDGET) -> float:
        """Wait until a widget is drawn; the seconds that took."""
        started = time.perf_counter()
        self.page.wait_for_selector(selector, state="visible", timeout=SLOW)
        return time.perf_counter() - started


@contextmanager
def chromium_pages(path: str) -> Iterator[Callable[..., Watched]]:
    """A browser; the function that it gives opens an address in a context without cookies."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))

        def open_page(address: str | None = None, *, width: int = 1440, height: int = 900, **options: Any) -> Watched:
            context = browser.new_context(viewport={"width": width, "height": height}, **options)
            context.grant_permissions(["clipboard-read", "clipboard-write"])
            watched = Watched(context.new_page())
            context.route(lambda url: not _at_home(url), lambda route: _stop(route, watched))
            watched.page.on("console", lambda m: watched.errors.append(m.text) if m.type == "error" else None)
            watched.page.on("pageerror", lambda fault: watched.errors.append(str(fault)))
            if address:
                watched.page.goto(address, timeout=SLOW)
            return watched

        try:
            yield open_page
        finally:
            browser.close()


def _at_home(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("data", "blob", "about") or parts.hostname in ("127.0.0.1", "localhost")


def _stop(route: Any, watched: Watched) -> None:
    watched.abroad.append(route.request.url)
    route.abort()


def run_in_lab(open_page: Callable[..., Watched], server: Server, notebook: str, **options: Any) -> Watched:
    """Open a notebook in JupyterLab, run all its cells and wait for the first widget."""
    base, _, token = server.address.partition("?")
    watched = open_page(f"{base}/tree/{notebook}?{token}", **options)
    page = watched.page
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=SLOW)
    page.get_by_text(" | Idle").wait_for(timeout=SLOW)  # before that, "Run" asks which kernel
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    watched.wait_for_widget()
    return watched


def gone(processes: list[psutil.Process], seconds: float = 10) -> bool:
    """Whether processes ended within a time."""
    _, alive = psutil.wait_procs(processes, seconds)
    return not [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def written_notebook(path: Path, cells: Mapping[str, str]) -> Path:
    """A notebook of code cells; keys are tags, ``""`` for none."""
    import nbformat

    made = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    for tags, source in cells.items():
        made.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": tags.split()} if tags.strip() else {}))
    nbformat.write(made, path)
    return path
