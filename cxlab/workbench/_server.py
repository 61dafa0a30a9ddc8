"""Voilà, narrowed to one page: what it serves, to whom, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, cast

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_core.utils import ensure_async, run_sync
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import IdentityProvider
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from traitlets import default
from traitlets.config import Config
from voila.app import Voila
from voila.static_file_handler import MultiStaticFileHandler, TemplateStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from cxlab.theme import FONT_FILE

TEMPLATE = Path(__file__).parent / "voila"
REST = 4 * 3600  # seconds after which an idle page gives its memory back
LOOK = 300  # seconds between looks for such pages
PATIENCE = 5  # seconds for kernels to end by themselves
_WIDGETS = ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8", "anywidget"]
_LONGEST_FOLDER = 40  # a socket's path may take 104 bytes on some systems; what follows the folder needs 63
_KERNEL = r"(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)"


class OneKernel(KernelSpecManager):
    """The kernel of this very interpreter, whatever kernels the machine has."""

    @default("kernel_dirs")
    def _none_installed(self) -> list[str]:
        return []

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        spec, server = super().get_kernel_spec(kernel_name), cast(PageServer, self.parent)
        spec.argv = [*spec.argv, "--log-level=ERROR"]
        # Small matrices: a second thread costs more than it brings. No personal start-up files.
        spec.env = {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "", "PYTHONSTARTUP": "", "MPLBACKEND": "",
                    "IPYTHONDIR": str(Path(server.root_dir) / "ipython")}  # fmt: skip
        return spec


class TokenOnly(IdentityProvider):
    """Who has the token may look, and everybody where there is none; there is no form to log in."""

    @property
    def auth_enabled(self) -> bool:
        return bool(self.token)

    def get_handlers(self) -> list[tuple[str, object]]:
        return []


class Page(TornadoVoilaHandler):
    """The page itself."""

    @allow_unauthenticated  # no way to a form: refused here, in words
    async def get(self, path: str | None = None) -> None:
        if not self.current_user:
            raise web.HTTPError(403, reason="token")
        self.settings["voila"].renew()
        _ = self.xsrf_token  # sets the cookie without which the page could not end its kernel
        await super().get()

    def write_error(self, status_code: int, **more: Any) -> None:
        texts = self.settings["voila"].wanted.texts
        reason = getattr(more.get("exc_info", (None, None))[1], "reason", None)
        text = texts["no_token"] if reason == "token" else texts["refused"] if status_code == 403 else texts["failed"]
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(
            f'<!DOCTYPE html><html lang="{texts["lang"]}"><title>cxlab</title>'
            f'<p style="font: 16px sans-serif; margin: 3em">{escape(text)}</p></html>'
        )


class Channels(VoilaKernelWebsocketHandler):
    """The way between a page's widgets and its kernel; messages that would run code are dropped."""

    def write_error(self, status_code: int, **more: Any) -> None:
        self.finish()  # Jupyter's page of errors asks for files that are not served here


class Alive(APIHandler):
    """Whether a page's kernel still answers; a page asks from time to time."""

    @web.authenticated
    async def get(self, kernel_id: str) -> None:
        manager = self.kernel_manager
        if kernel_id not in manager or not await ensure_async(manager.get_kernel(kernel_id).is_alive()):
            raise web.HTTPError(404)
        self.finish(await ensure_async(manager.kernel_model(kernel_id)))


class Leave(APIHandler):
    """A page that is closed ends its kernel."""

    @web.authenticated
    async def post(self, kernel_id: str) -> None:
        if kernel_id in self.kernel_manager:
            await ensure_async(self.kernel_manager.shutdown_kernel(kernel_id, now=True))
        self.set_status(204)
        self.finish()


@dataclass(frozen=True)
class Wanted:
    """What a page server is asked to serve.

    Attributes
    ----------
    texts : mapping of str to str
        What the page says, in its language.
    stamp : callable
        Anything that differs once the files of the study have changed.
    ready : callable
        Called as soon as the server answers.
    sockets : list of socket
        Where it listens.
    """

    texts: Mapping[str, str]
    stamp: Callable[[], object]
    ready: Callable[[], None]
    sockets: list[socket.socket]


class PageServer(Voila):
    """Voilà that serves one notebook, on this machine, without anything from elsewhere."""

    def __init__(self, wanted: Wanted, **settings: Any) -> None:
        super().__init__(ip="127.0.0.1", open_browser=False, config_file_paths=[], log_level="ERROR",
                         identity_provider_class=TokenOnly, config=configuration(wanted.texts, settings["connection_dir_root"]), **settings)  # fmt: skip
        self.wanted, self._heated_from = wanted, wanted.stamp()
        self._http: HTTPServer | None = None

    # ------------------------------------------------------------------ what is served
    def setup_template_dirs(self) -> None:
        super().setup_template_dirs()
        self.template_paths: list[str] = [str(TEMPLATE), *self.template_paths]
        self.static_paths: list[str] = [*self.static_paths, str(FONT_FILE.parent)]

    def init_settings(self) -> dict[str, Any]:
        own = {"allow_remote_access": False, "headers": self._headers(), "log_function": lambda handler: None,
               "ws_ping_interval": 30_000, "ws_ping_timeout": 30_000}  # fmt: skip
        return {**super().init_settings(), **own}

    def _headers(self) -> dict[str, str]:
        """Let the browser itself refuse whatever would leave the machine."""
        sockets = f"ws://127.0.0.1:{self.port} ws://localhost:{self.port}"
        policy = {
            "default-src": "'self' data: blob:", "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob: data:",
            "style-src": "'self' 'unsafe-inline' blob: data:", "connect-src": f"'self' blob: data: {sockets}",
            "frame-ancestors": "'self'", "base-uri": "'self'", "form-action": "'none'",
        }  # fmt: skip
        written = "; ".join(f"{name} {sources}" for name, sources in policy.items())
        return {"Content-Security-Policy": written, "Referrer-Policy": "no-referrer"}

    def init_handlers(self) -> list[Any]:
        """The page, its kernel's channels, and files of Voilà and the widgets: nothing else."""
        files = (TemplateStaticFileHandler, MultiStaticFileHandler)
        served = [
            handler for handler in super().init_handlers() if handler[1] in files or "labextensions" in handler[0]
        ]
        (page,) = (handler[2] for handler in super().init_handlers() if handler[1] is TornadoVoilaHandler)
        return [
            *served,
            (rf"/api/kernels/{_KERNEL}/channels", Channels),
            (rf"/api/kernels/{_KERNEL}", Alive),
            (rf"/voila/api/shutdown/{_KERNEL}", Leave),
            (r"/()", Page, page),
        ]

    def renew(self) -> None:
        """Drop the page that was made in advance if the study has changed since."""
        now, manager = self.wanted.stamp(), self.kernel_manager
        if now == self._heated_from:
            return
        self._heated_from = now
        pool = manager._pools.get(manager.notebook_path, [])
        manager._pools[manager.notebook_path] = []
        for task in pool:
            task.add_done_callback(self._end_unused)
        manager.fill_if_needed(delay=0, notebook_name=manager.notebook_path)

    def _end_unused(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and not task.exception():
            unused = self.kernel_manager.shutdown_kernel(task.result()["kernel_id"], now=True)
            self._ending = asyncio.ensure_future(unused)

    # ------------------------------------------------------------------ beginning and end
    def listen(self) -> None:
        self._http = HTTPServer(self.app)
        self._http.add_sockets(self.wanted.sockets)
        self.ioloop = IOLoop.current()
        self.ioloop.add_callback(self.wanted.ready)
        before = signal.signal(signal.SIGINT, self._handle_signal_stop)
        try:
            self.ioloop.start()
        finally:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever presses Ctrl-C again wants out at once
            self.stop()
            signal.signal(signal.SIGINT, before)

    def stop(self) -> None:
        """End every kernel, also those that are only starting."""
        if self._http:
            self._http.stop()
        run_sync(self._end_kernels)()
        _end_children(self.connection_dir)

    async def _end_kernels(self) -> None:
        manager = self.kernel_manager
        starting = [task for pool in manager._pools.values() for task in pool if not task.done()]
        for task in starting:
            task.cancel()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.gather(*starting, return_exceptions=True), PATIENCE)
            await asyncio.wait_for(manager.shutdown_all(now=True), PATIENCE)


def _end_children(connection_dir: str) -> None:
    """End kernels that were interrupted while they started."""
    import psutil

    left = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if any(connection_dir in word for word in child.cmdline()):
                child.kill()
                left.append(child)
    psutil.wait_procs(left, PATIENCE)


def configuration(texts: Mapping[str, str], folder: str) -> Config:
    """Settings of Voilà: a page made in advance, no sources, no tracebacks, no files, no other extension."""
    sockets = os.name == "posix" and len(os.fsencode(folder)) < _LONGEST_FOLDER
    return Config({
        "VoilaConfiguration": {
            "template": "lab", "theme": "light", "allow_template_override": "NO", "allow_theme_override": "NO",
            "strip_sources": True, "show_tracebacks": False, "file_allowlist": [], "preheat_kernel": True, "default_pool_size": 1,
            "extension_allowlist": _WIDGETS, "extension_denylist": [], "kernel_spec_manager_class": OneKernel,
            "resources": {"page": dict(texts), "language_code": texts["lang"]}, "http_keep_alive_timeout": 60,
        },
        "MappingKernelManager": {"cull_idle_timeout": REST, "cull_interval": LOOK, "cull_connected": True, "allow_tracebacks": False},
        "VoilaKernelManager": {"fill_delay": 3},
        "KernelManager": {"autorestart": False, "transport": "ipc" if sockets else "tcp"},  # ipc: no port is opened
        "NotebookClient": {"iopub_timeout": 300},  # a page of many widgets on a busy machine would lose its last output
        "HTMLExporter": {"language_code": texts["lang"]},
    })  # fmt: skip
