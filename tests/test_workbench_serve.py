"""The page of ``cxlab app``: it answers on this machine alone, runs no code of visitors and leaves nothing behind."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from browser import (
    SLOW,
    Server,
    Watched,
    app,
    chromium_pages,
    code_of,
    command,
    gone,
    jupyterlab,
    run_in_lab,
    serving,
    written_notebook,
)

from cxlab.errors import StudyError, SurveyError
from cxlab.workbench import serve

ROOT = Path(__file__).parents[1]
MOBI = ROOT / "data" / "mobi"
CELLS = {
    "parameters": 'study: str = "nowhere/study.yml"\nlang: str = "en"',
    "": (
        "import ipywidgets\nimport cxlab as cx\nopened = cx.open_study(study)\n"
        "points = ipywidgets.IntSlider(value=3, description='points')\ndouble = ipywidgets.Label('6')\n"
        "points.observe(lambda change: setattr(double, 'value', str(2 * change.new)), 'value')\n"
        "ipywidgets.VBox([points, double, ipywidgets.Label(f'{len(opened.data.data)} rows in {lang}')])"
    ),
    "notebook-only": "import ipywidgets\nipywidgets.Label('only for readers of the notebook')",
}
SECRET = "a-token-for-tests"


@pytest.fixture(scope="module")
def pages(chromium: str) -> Iterator[Callable[..., Watched]]:
    with chromium_pages(chromium) as open_page:
        yield open_page


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(MOBI, tmp_path_factory.mktemp("studies") / "mobi"))


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_notebook(tmp_path_factory.mktemp("notebooks") / "moves.ipynb", CELLS)


@pytest.fixture(scope="module")
def server(study: Path, notebook: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """On a machine whose settings and kernels are useless."""
    folder = tmp_path_factory.mktemp("jupyter")
    (folder / "kernels" / "python3").mkdir(parents=True)
    spec = {"argv": ["false", "{connection_file}"], "display_name": "Python 3", "language": "python"}
    (folder / "kernels" / "python3" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    settings = {"VoilaConfiguration": {"strip_sources": False, "show_tracebacks": True}, "Voila": {"token": "other"}}
    (folder / "voila.json").write_text(json.dumps(settings), encoding="utf-8")
    with app(study, "--notebook", notebook, JUPYTER_DATA_DIR=str(folder), JUPYTER_CONFIG_PATH=str(folder)) as started:
        yield started


def answer(address: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    try:
        with urlopen(Request(address, method=method, headers=headers), timeout=60) as reply:
            return reply.status, reply.read().decode()
    except HTTPError as refused:
        return refused.code, refused.read().decode()


@pytest.fixture(scope="module")
def visited(server: Server) -> str:
    """The page as it comes over the wire."""
    status, page = answer(server.address)
    assert status == 200
    return page


@pytest.fixture(scope="module")
def kernel(visited: str) -> str:
    return kernel_of(visited)


def kernel_of(page: str) -> str:
    (found,) = re.findall(r'"kernelId": "([\w-]+)"', page)
    return found


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


# --- the page ----------------------------------------------------------------------------------------------------


def test_widgets_answer_and_nothing_comes_from_elsewhere(server: Server, pages: Callable[..., Watched]) -> None:
    watched = pages(server.address, width=1024)
    watched.wait_for_widget()
    page = watched.page
    page.get_by_role("slider").press("ArrowRight")
    page.get_by_text("8", exact=True).wait_for(timeout=SLOW)
    assert page.get_by_text("250 rows in en").is_visible()
    assert not page.get_by_text("only for readers of the notebook").is_visible()
    assert (page.title(), page.locator("html").get_attribute("lang")) == ("Mobile phone customers (ECSI)", "en")
    assert page.evaluate("document.documentElement.scrollWidth") == 1024
    page.set_viewport_size({"width": 2000, "height": 900})
    assert page.evaluate("document.querySelector('#rendered_cells > div').getBoundingClientRect().width") == 1500
    assert watched.faults == []
    # What another widget might ask for is stopped by the browser before it becomes a request.
    assert page.evaluate("fetch('http://example.org/').then(() => 'went out', () => 'stopped')") == "stopped"
    assert watched.abroad == []
    assert "Content Security Policy" in watched.errors[0]


def test_a_page_shows_neither_sources_nor_paths(visited: str, study: Path) -> None:
    assert "application/vnd.jupyter.widget-view+json" in visited
    assert "observe(" not in visited
    assert str(study.parent) not in visited
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=\"(?:https?:)?//", visited)


@pytest.mark.parametrize(
    "path",
    [
        "api/contents", "api/contents/page.ipynb", "voila/api/contents", "api/terminals", "terminals/websocket/1",
        "api/kernels", "api/sessions", "api/config/x", "api/status", "api", "files/page.ipynb", "voila/files/page.ipynb",
        "voila/files/x.png", "page.ipynb", "lab", "tree", "voila/tree", "voila/render/page.ipynb", "login", "logout",
        "voila/query/0-0-0-0-0", "voila/static/../../page.ipynb", "voila/static/%2e%2e/%2e%2e/page.ipynb", "api/kernels/0-0-0-0-0",
    ],
)  # fmt: skip
def test_nothing_else_is_served(server: Server, path: str) -> None:
    assert answer(server.address + path)[0] in (403, 404)


def test_nobody_starts_or_restarts_kernels(server: Server, kernel: str) -> None:
    asked = (("api/kernels", "POST"), (f"api/kernels/{kernel}/restart", "POST"), (f"api/kernels/{kernel}/interrupt", "POST"),
             (f"api/kernels/{kernel}", "DELETE"), ("api/shutdown", "POST"))  # fmt: skip
    assert {answer(server.address + path, method)[0] for path, method in asked} <= {403, 404, 405}
    assert answer(f"{server.address}api/kernels/{kernel}")[0] == 200


def test_other_host_names_are_refused(server: Server) -> None:
    status, page = answer(server.address, Host="study.example.org")
    assert status == 403
    assert "This page is only for the machine that it runs on: open the address that cxlab app printed." in page


# --- visitors run no code ----------------------------------------------------------------------------------------


def message(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "username": "",
        "session": "visitor",
        "version": "5.3",
        "date": "",
    }
    return {"header": header, "parent_header": {}, "metadata": {}, "content": content, "buffers": []}


def packed(sent: dict[str, Any], channel: str) -> bytes:
    """A message in the binary protocol of JupyterLab's clients."""
    names = ("header", "parent_header", "metadata", "content")
    parts = [channel.encode(), *(json.dumps(sent[name]).encode() for name in names)]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return b"".join([len(offsets).to_bytes(8, "little"), *(n.to_bytes(8, "little") for n in offsets), *parts])


@contextmanager
def channels(server: Server, kernel: str, **options: Any) -> Iterator[Any]:
    import websocket

    address = f"ws://127.0.0.1:{server.port}/api/kernels/{kernel}/channels?session_id=visitor"
    with closing(websocket.create_connection(address, timeout=20, **options)) as opened:
        yield opened


@pytest.mark.parametrize("protocol", [None, "v1.kernel.websocket.jupyter.org"])
@pytest.mark.parametrize("channel", ["shell", "control"])
def test_code_of_visitors_is_not_run(
    server: Server, kernel: str, tmp_path: Path, protocol: str | None, channel: str
) -> None:
    trace = tmp_path / "trace"
    code = f"open({str(trace)!r}, 'w').close()"
    execute = {
        "code": code,
        "silent": False,
        "store_history": False,
        "user_expressions": {"x": code},
        "allow_stdin": False,
    }
    debug = {"seq": 1, "type": "request", "command": "evaluate", "arguments": {"expression": code}}
    asked = [message("execute_request", execute), message("debug_request", debug), message("inspect_request", {"code": code, "cursor_pos": 1}),
             message("kernel_info_request", {})]  # fmt: skip
    with channels(server, kernel, subprotocols=[protocol] if protocol else []) as opened:
        for each in asked:
            if protocol:
                opened.send_binary(packed(each, channel))
            else:
                opened.send(json.dumps({**each, "channel": channel}))
        heard = b""
        while b"kernel_info_reply" not in heard:  # whatever was sent before it has been dealt with
            got = opened.recv()
            heard += got if isinstance(got, bytes) else got.encode()
    for kind in (b"execute_reply", b"execute_input", b"debug_reply", b"inspect_reply"):
        assert kind not in heard
    assert not trace.exists()


@pytest.mark.parametrize("origin", ["http://study.example.org", "null"])
def test_other_pages_cannot_reach_a_kernel(server: Server, kernel: str, origin: str) -> None:
    import websocket

    with pytest.raises(websocket.WebSocketBadStatusException, match="403"), channels(server, kernel, origin=origin):
        pass


# --- tokens ------------------------------------------------------------------------------------------------------


def test_a_token_is_asked_for_and_ctrl_c_ends_everything(
    study: Path, notebook: Path, pages: Callable[..., Watched]
) -> None:
    import websocket

    with app(study, "--notebook", notebook, "--lang", "zh", "--token", SECRET) as server:
        base, _, query = server.address.partition("?")
        assert query == f"token={SECRET}"
        assert server.said == f"移动通信用户满意度（ECSI）：{server.address}\n按 Ctrl-C 结束。\n"
        for refused in (base, f"{base}?token=another", f"{base}?token="):
            status, page = answer(refused)
            assert (status, "访问此页需要令牌：请打开 cxlab app 给出的完整地址。" in page) == (403, True)
        watched = pages(server.address)
        watched.wait_for_widget()
        assert watched.page.get_by_text("250 rows in zh").is_visible()
        assert watched.page.locator("html").get_attribute("lang") == "zh"
        kernel = kernel_of(watched.page.content())
        assert answer(f"{base}api/kernels/{kernel}")[0] == 403
        assert answer(f"{base}voila/api/shutdown/{kernel}", "POST")[0] == 403
        assert answer(f"{base}api/kernels/{kernel}", Authorization=f"token {SECRET}")[0] == 200
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"), channels(server, kernel):
            pass
        assert watched.faults == []
        kernels = server.children()
        assert len(kernels) >= 1
        assert server.end(signal.SIGINT) == 0
        assert gone(kernels)
        assert server.said.count("\n") == 2, server.said  # no traceback, no warning


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("short", "token has 5 characters; it takes at least 8 printable ones without spaces around, or 'auto' for one that is made up."),
        ("  spaces ", "token has 9 characters; it takes at least 8 printable ones without spaces around, or 'auto' for one that is made up."),
        ("line\nline", "token has 9 characters; it takes at least 8 printable ones without spaces around, or 'auto' for one that is made up."),
    ],
)  # fmt: skip
def test_a_weak_token_is_refused(token: str, message: str) -> None:
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}$"):
        serve(MOBI, token=token)


# --- a page that gets old ----------------------------------------------------------------------------------------


def test_a_page_says_when_its_kernel_is_gone_and_ends_it_when_closed(
    server: Server, pages: Callable[..., Watched]
) -> None:
    watched = pages(server.address)
    watched.wait_for_widget()
    page = watched.page
    assert not page.get_by_role("alert").is_visible()
    number = kernel_of(page.content())
    (own,) = (k for k in server.children() if any(number in word for word in k.cmdline()))
    own.kill()  # as when memory runs out
    gone([own])
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_role("alert").wait_for(timeout=SLOW)
    assert page.get_by_role("alert").inner_text() == (
        "This page no longer answers: it had rested for more than 4 hours, or the server was stopped. Load again"
    )
    page.get_by_role("button", name="Load again").click()
    watched.wait_for_widget()
    assert not page.get_by_role("alert").is_visible()
    number = kernel_of(page.content())
    assert answer(f"{server.address}api/kernels/{number}")[0] == 200
    page.close(run_before_unload=True)
    wait_until(lambda: answer(f"{server.address}api/kernels/{number}")[0] == 404)


@pytest.mark.slow
def test_idle_kernels_end(study: Path, notebook: Path) -> None:
    hurried = (
        "from cxlab.workbench import _server, serve; _server.REST, _server.LOOK = 5, 1;"
        f"serve({str(study)!r}, notebook={str(notebook)!r}, port=0)"
    )
    with serving(
        code_of(hurried), lambda said: found[0] if (found := re.search(r"http://\S+", said)) else None
    ) as server:
        kernel = kernel_of(answer(server.address)[1])
        with channels(server, kernel):  # somebody has left the page open
            assert answer(f"{server.address}api/kernels/{kernel}")[0] == 200
            wait_until(lambda: answer(f"{server.address}api/kernels/{kernel}")[0] == 404)


def test_a_page_made_in_advance_is_made_anew_once_the_study_has_changed(server: Server, study: Path) -> None:
    data = study / "mobi.csv"
    lines = data.read_text(encoding="utf-8").splitlines(keepends=True)
    wait_until(lambda: server.children() != [])
    data.write_text("".join(lines[:-50]), encoding="utf-8")
    assert "200 rows in en" in answer(server.address)[1]
    data.write_text("".join(lines), encoding="utf-8")
    assert "250 rows in en" in answer(server.address)[1]


def test_a_study_that_is_broken_meanwhile_is_said_without_a_traceback(server: Server, study: Path) -> None:
    file = study / "study.yml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace("data: mobi.csv", "data: other.csv"), encoding="utf-8")
    try:
        status, page = answer(server.address)
        assert status == 200
        assert "The page could not be made. The window in which cxlab app runs says why." in page
        assert "Traceback" not in page
        assert "other.csv" not in page
        assert "other.csv" in server.said
    finally:
        file.write_text(before, encoding="utf-8")


# --- beginning and end -------------------------------------------------------------------------------------------


def test_termination_while_the_kernel_starts_leaves_nothing(study: Path, notebook: Path, tmp_path: Path) -> None:
    with app(study, "--notebook", notebook, TMPDIR=str(tmp_path)) as server:
        wait_until(lambda: server.children() != [])
        kernels = server.children()
        assert [p.name for p in tmp_path.iterdir()] != []
        assert server.end(signal.SIGTERM) == 0
        assert gone(kernels)
        assert [p.name for p in tmp_path.iterdir()] == []


def test_kernels_do_not_outlive_a_killed_server(study: Path, notebook: Path) -> None:
    with app(study, "--notebook", notebook) as server:
        wait_until(lambda: server.children() != [])
        kernels = server.children()
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
        assert gone(kernels, 20)


@contextmanager
def taken(port: int = 0) -> Iterator[int]:
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", port))
        held.listen()
        yield held.getsockname()[1]


def test_a_port_that_is_taken_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    from cxlab.workbench import _serve

    with taken() as port:
        free = next(n for n in range(port + 1, 65536) if not _in_use(n))
        with pytest.raises(SurveyError, match=f"^port {port} is taken; the next free one is {free}\\.$"):
            serve(MOBI, port=port)
    for lang, said in (("en", "Port {0} is taken; it is {1} instead.\n"), ("zh", "端口 {0} 已被占用，改用 {1}。\n")):
        with taken() as port, pytest.MonkeyPatch.context() as patch:
            patch.setattr(_serve, "PORT", port)
            (bound,), other = _serve._sockets(None, lang)
            bound.close()
            assert capfd.readouterr().out == said.format(port, other)


def _in_use(port: int) -> bool:
    try:
        with taken(port):
            return False
    except OSError:
        return True


def test_bad_calls_end_with_a_sentence_and_2(tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "study.yml").write_text("study: bad\ndata: nothing.csv\n", encoding="utf-8")
    ran = subprocess.run(command("app", tmp_path), capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.count("\n") == 1
    assert "nothing.csv" in ran.stderr


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"port": 70000}, "port is 70000; it lies between 1 and 65535, or is 0 for any that is free."),
        ({"port": -1}, "port is -1; it lies between 1 and 65535, or is 0 for any that is free."),
        ({"lang": "fr"}, "lang is 'fr'; allowed: 'en', 'zh'."),
        ({"notebook": "no_such", "port": 0}, "notebook 'no_such' does not exist; with cxlab come: "),
    ],
)
def test_bad_arguments_are_said_before_anything_starts(call: dict[str, Any], message: str) -> None:
    with pytest.raises(SurveyError, match=f"^{re.escape(message)}"):
        serve(MOBI, **call)


def test_a_notebook_without_a_study_makes_no_page(tmp_path: Path) -> None:
    path = written_notebook(tmp_path / "plain.ipynb", {"parameters": "x: int = 1"})
    with pytest.raises(
        SurveyError, match=r"^plain\.ipynb declares no parameter 'study'; a page is made of a notebook on a study\.$"
    ):
        serve(MOBI, notebook=path, port=0)


def test_a_missing_study_is_said(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"none\.yml"):
        serve(tmp_path / "none.yml", port=0)


# --- JupyterLab --------------------------------------------------------------------------------------------------


def test_widgets_answer_in_jupyterlab(study: Path, pages: Callable[..., Watched], tmp_path: Path) -> None:
    cells = {**CELLS, "parameters": f"study: str = {str(study)!r}\nlang: str = 'zh'"}
    written_notebook(tmp_path / "moves.ipynb", cells)
    with jupyterlab(tmp_path) as server:
        watched = run_in_lab(pages, server, "moves.ipynb")
        page = watched.page
        page.get_by_text("250 rows in zh").wait_for(timeout=SLOW)
        page.get_by_role("slider").press("ArrowRight")
        page.get_by_text("8", exact=True).wait_for(timeout=SLOW)
        assert watched.faults == []
