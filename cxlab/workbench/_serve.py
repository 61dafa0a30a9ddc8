"""``cxlab app``: a study's notebook as a page of this machine, for those who want no code."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
import warnings
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

from cxlab.errors import DataWarning, SurveyError
from cxlab.items import pick
from cxlab.report.execute import quick_imports, read_notebook
from cxlab.report.parameters import check_parameters, declared_parameters
from cxlab.report.run import find_notebook
from cxlab.words import language, sentence

if TYPE_CHECKING:
    from cxlab.study import Study

HOST, PORT, PORTS = "127.0.0.1", 8866, 65535
EXPLORE = "09_explore"
ONLY_NOTEBOOK = "notebook-only"  # tag of cells that a page leaves out
_SHORTEST_TOKEN = 8
_PAGE = {
    "loading": {"en": "Opening {title} …", "zh": "正在打开{title}……"},
    "ended": {
        "en": "This page no longer answers: it had rested for more than 4 hours, or the server was stopped.",
        "zh": "页面已停止响应：闲置超过 4 小时，或服务已关闭。",
    },
    "reload": {"en": "Load again", "zh": "重新加载"},
    "failed": {
        "en": "The page could not be made. The window in which cxlab app runs says why.",
        "zh": "页面未能生成，原因见运行 cxlab app 的窗口。",
    },
    "no_token": {
        "en": "This page asks for a token: open the whole address that cxlab app printed.",
        "zh": "访问此页需要令牌：请打开 cxlab app 给出的完整地址。",
    },
    "refused": {
        "en": "This page is only for the machine that it runs on: open the address that cxlab app printed.",
        "zh": "此页仅供本机访问：请打开 cxlab app 给出的地址。",
    },
}
_AT = {"en": "{title}: {address}", "zh": "{title}：{address}"}
_END = {"en": "Ctrl-C ends it.", "zh": "按 Ctrl-C 结束。"}
_OTHER_PORT = {"en": "Port {port} is taken; it is {other} instead.", "zh": "端口 {port} 已被占用，改用 {other}。"}


def serve(
    study: str | Path,
    *,
    lang: str = "en",
    port: int | None = None,
    token: str | None = None,
    notebook: str | Path | None = None,
    open_browser: bool = False,
) -> None:
    """Serve a study as a page of widgets on this machine, until Ctrl-C.

    Parameters
    ----------
    study : path
        The ``study.yml``, or the folder that holds it.
    lang : {"en", "zh"}
    port : int, optional
        By default 8866, or the next one that is free; 0 is any free port.
    token : str, optional
        Requests without it are refused; ``"auto"`` makes one up. Without a token, everybody who works on
        this machine can look.
    notebook : path or name, optional
        Another notebook that declares a parameter ``study``. Cells tagged ``notebook-only`` are left out.
    open_browser : bool
        Open the page in the browser, if there is one.

    Raises
    ------
    SurveyError
        If the port is taken or out of range, the token is too short, or the notebook declares no ``study``.
    StudyError
        If study.yml cannot be used.
    DataCheckError
        If the data contradict the study.

    Notes
    -----
    The server listens on 127.0.0.1 alone and answers to no other host name. Visitors move widgets; messages
    that would run code are dropped, and neither files nor sources nor tracebacks are served. Every page has
    a kernel of its own, which ends with the page or after four idle hours. One page is made in advance; it is
    made anew if a file of the study has changed since.
    """
    lang, token = language(lang), _token(token)
    opened = _open(study)
    sockets, port = _sockets(port, lang)
    title = pick(opened.title, lang, opened.name)
    address = f"http://{HOST}:{port}/" + (f"?token={quote(token, safe='')}" if token else "")

    def ready() -> None:
        for text in (_AT, _END):
            print(sentence(text, lang, title=title, address=address).text, flush=True)
        if open_browser and _has_browser():
            webbrowser.open(address)

    try:
        with TemporaryDirectory(prefix="cxlab-", ignore_cleanup_errors=True) as folder:
            page = _write_page(find_notebook(notebook or EXPLORE), Path(folder), opened, lang)
            with quick_imports():
                from cxlab.workbench._server import PageServer, Wanted
            texts = {name: sentence(text, lang, title=title).text for name, text in _PAGE.items()}
            texts["lang"] = lang
            wanted = Wanted(texts, _stamp_of(opened), ready, sockets)
            server = PageServer(wanted, port=port, token=token, notebook_path=str(page), connection_dir_root=folder)
            logging.getLogger("tornado").setLevel(logging.ERROR)  # what is refused is no news
            logging.getLogger("traitlets").addHandler(_Faults(logging.ERROR))
            server.initialize([])
            server.start()
    finally:
        for each in sockets:
            each.close()


class _Faults(logging.Handler):
    """Say in the terminal why a page could not be made: what cxlab raised is a sentence, anything else needs its traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        fault = record.exc_info[1] if record.exc_info else None
        own = getattr(fault, "ename", "") in ("SurveyError", "StudyError", "DataCheckError")
        print(getattr(fault, "evalue" if own else "traceback", record.getMessage()), file=sys.stderr, flush=True)


def _token(token: str | None) -> str | None:
    if token == "auto":
        return secrets.token_urlsafe(24)
    if token is not None and (len(token) < _SHORTEST_TOKEN or not token.isprintable() or token != token.strip()):
        raise SurveyError(
            f"token has {len(token)} characters; it takes at least {_SHORTEST_TOKEN} printable ones without "
            "spaces around, or 'auto' for one that is made up."
        )
    return token


def _open(study: str | Path) -> Study:
    from cxlab.study import open_study

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the page has them among its notes
        return open_study(study)


def _sockets(port: int | None, lang: str) -> tuple[list[socket.socket], int]:
    """Bind the port at once, so that nobody takes it in between."""
    if port is not None and not 0 <= port <= PORTS:
        raise SurveyError(f"port is {port}; it lies between 1 and {PORTS}, or is 0 for any that is free.")
    wanted = PORT if port is None else port
    bound = _bind(wanted)
    if bound is None:
        free = next(found for n in (*range(wanted + 1, PORTS + 1), 0) if (found := _bind(n)))
        other = free.getsockname()[1]
        if port is not None:
            free.close()
            raise SurveyError(f"port {port} is taken; the next free one is {other}.")
        print(sentence(_OTHER_PORT, lang, port=wanted, other=other).text, flush=True)
        bound = free
    return [bound], bound.getsockname()[1]


def _bind(port: int) -> socket.socket | None:
    """A listening socket, or None if somebody else has the port."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HOST, port))
        made.listen(128)
        made.setblocking(False)
    except PermissionError:
        made.close()
        raise SurveyError(f"port {port} may not be opened by you; take one above 1023.") from None
    except OSError:
        made.close()
        return None
    return made


def _write_page(source: Path, folder: Path, study: Study, lang: str) -> Path:
    """Write a copy of the notebook that knows its study, without the cells that are meant for its readers."""
    import nbformat

    notebook = read_notebook(source)
    declared = declared_parameters(notebook)
    if "study" not in declared:
        raise SurveyError(f"{source.name} declares no parameter 'study'; a page is made of a notebook on a study.")
    given = {"study": str(study.path.resolve()), "lang": lang}
    values = check_parameters(declared, {k: v for k, v in given.items() if k in declared}, notebook=source.name)
    (at,) = (i for i, c in enumerate(notebook.cells) if "parameters" in c.metadata.get("tags", ()))
    own = nbformat.v4.new_code_cell("\n".join(f"{name} = {value!r}" for name, value in values.items()))
    cells = [*notebook.cells[: at + 1], own, *notebook.cells[at + 1 :]]
    notebook.cells = [c for c in cells if ONLY_NOTEBOOK not in c.metadata.get("tags", ())]
    notebook.metadata["title"] = pick(study.title, lang, study.name)
    page = folder / "page.ipynb"
    nbformat.write(notebook, page)
    return page


def _stamp_of(study: Study) -> Callable[[], object]:
    """What tells that a file of the study was changed, came or went."""
    declared, folder = study.declared, study.path.resolve().parent
    names = [*declared.data, *(t.file for t in declared.tables.values()), *filter(None, [declared.codebook])]

    def stamp() -> object:
        found = [study.path.resolve()]
        for name in names:
            found += [Path(name)] if Path(name).is_absolute() else sorted(folder.glob(name))
        return [(path, *_size_and_time(path)) for path in found]

    return stamp


def _size_and_time(path: Path) -> tuple[int, int]:
    with suppress(OSError):
        about = path.stat()
        return about.st_size, about.st_mtime_ns
    return 0, 0


def _has_browser() -> bool:
    """Whether a window can open; a text browser would take over the terminal."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
