"""Running one notebook through papermill in a kernel of this very interpreter."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cxlab.errors import DataCheckError, ReportError, SurveyError
from cxlab.report.parameters import check_parameters, declared_parameters

_LONGEST_SOCKET = 80  # a socket's path may take 104 bytes on some systems; its name needs 20
_OWN_ERRORS = ("SurveyError", "StudyError", "ReportError")


def read_notebook(path: Path) -> Any:
    """Read a notebook, or say plainly why it cannot be.

    Raises
    ------
    SurveyError
        If the file is missing or is not a notebook.
    """
    with quick_imports():
        import nbformat
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise SurveyError(f"notebook {str(path)!r} does not exist.") from None
    except (OSError, ValueError, AttributeError, nbformat.ValidationError) as fault:
        raise SurveyError(f"notebook {str(path)!r} cannot be read: {str(fault).splitlines()[0]}") from None


def run_notebook(
    path: str | Path,
    parameters: Mapping[str, Any] | None = None,
    folder: str | Path = ".",
    *,
    name: str = "report.ipynb",
    progress: bool = False,
) -> Path:
    """Run a parameterised notebook and keep the executed copy.

    Parameters
    ----------
    path : path
        The notebook; it stays as it is.
    parameters : mapping of str to value, optional
        Values for names that its parameters cell declares; checked before anything runs.
    folder : path
        Working directory of the kernel, where the executed copy is written; relative paths among the
        parameters start here.
    name : str
        File name of the executed copy.
    progress : bool
        Show a bar with one step per cell, if the output is a terminal.

    Returns
    -------
    Path
        The executed notebook. After a failure it stands at the same place, as far as it ran.

    Raises
    ------
    SurveyError
        If a parameter is unknown or of the wrong type, or the notebook cannot be read.
    DataCheckError
        If a cell raised it.
    ReportError
        If a cell failed, the kernel died, or a cell did not run; names the cell.

    Examples
    --------
    Parameters are checked before a kernel starts:

    >>> run_notebook("notebooks/01_key_drivers.ipynb", {"outcom": "recommend"})
    Traceback (most recent call last):
    cxlab.errors.SurveyError: parameter 'outcom' is not one of 01_key_drivers.ipynb (did you mean 'outcome'?); ...
    """
    source, folder = Path(path), Path(folder)
    notebook = read_notebook(source)
    values = check_parameters(declared_parameters(notebook), dict(parameters or {}), notebook=source.name)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    _execute(source, target.resolve(), values, progress)
    executed = read_notebook(target)
    _require_complete(executed, source.name)
    _forget_paths(executed, target)
    return target


def code_cells(notebook: Any) -> list[Any]:
    """Code cells that a kernel must have run."""
    return [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]


def _execute(source: Path, target: Path, values: dict[str, Any], progress: bool) -> None:
    with quick_imports():
        import papermill
        from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # it would repeat in stderr what we raise
    bar = {"desc": source.stem, "disable": None}  # None: off where stderr is no terminal
    try:
        with TemporaryDirectory(prefix="cxlab-", ignore_cleanup_errors=True) as private:
            papermill.execute_notebook(
                _literal(source),
                _literal(target),
                values,
                kernel_name="python3",
                language="python",
                progress_bar=bar if progress else False,
                kernel_manager_class=_kernel_manager(target.parent, private),
                shutdown_kernel="immediate",
            )
    except PapermillExecutionError as fault:
        raise _cell_error(fault, source.name) from None
    except DeadKernelError:
        where = _where(_last_begun(read_notebook(target)))
        raise ReportError(
            f"{source.name} failed{where}: the kernel was killed (often because memory ran out)."
        ) from None
    except RuntimeError as fault:
        raise ReportError(f"{source.name} did not start: {fault}") from fault


def _kernel_manager(folder: Path, private: str) -> type:
    """Kernel manager class that starts this interpreter in ``folder``, whatever kernels the machine has.

    The kernel talks through sockets in the private folder, so that no port is opened.
    """
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class OwnKernelManager(AsyncKernelManager):
        def __init__(self, **settings: Any) -> None:
            sockets = os.name == "posix" and len(os.fsencode(private)) < _LONGEST_SOCKET
            connection = {"transport": "ipc"} if sockets else {}
            super().__init__(**{**settings, **connection, "connection_file": os.path.join(private, "kernel.json")})

        @property
        def kernel_spec(self) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, name="python3", display_name="Python 3", language="python")

        async def start_kernel(self, **kwargs: Any) -> None:  # type: ignore[override]
            await super().start_kernel(**{**kwargs, "cwd": str(folder), "env": _environment(private)})

    return OwnKernelManager


def _environment(private: str) -> dict[str, str]:
    """Environment of the kernel: figures inline, bytecode cached, no personal start-up files."""
    dropped = ("MPLBACKEND", "PYTHONDONTWRITEBYTECODE", "PYTHONSTARTUP")
    own = {k: v for k, v in os.environ.items() if k not in dropped}
    # The matrices of a report are small: a second thread costs more than it brings.
    return {"OPENBLAS_NUM_THREADS": "1", **own, "IPYTHONDIR": private}


@contextmanager
def quick_imports() -> Iterator[None]:
    """Keep jsonschema from importing ``rfc3987_syntax``.

    That optional checker of web addresses builds its grammar at import, which takes 2 CPU
    seconds, and no notebook is validated with it.
    """
    blocked = "rfc3987_syntax" not in sys.modules
    if blocked:
        sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if blocked:
            del sys.modules["rfc3987_syntax"]


def _cell_error(fault: Any, notebook: str) -> SurveyError:
    if fault.ename == "DataCheckError":
        return DataCheckError(fault.evalue)
    if fault.ename in _OWN_ERRORS:
        return ReportError(fault.evalue)
    line = (fault.evalue.strip().splitlines() or [""])[-1]
    where = _where({"execution_count": fault.exec_count, "source": fault.source})
    return ReportError(f"{notebook} failed{where}: {fault.ename}: {line}")


def _require_complete(notebook: Any, name: str) -> None:
    """Papermill calls cells completed that never ran: look at counts and outputs."""
    for position, cell in enumerate(code_cells(notebook), start=1):
        error = next((o.ename for o in cell.outputs if o.output_type == "error"), None)
        if error or not cell.execution_count:
            where = _where({"execution_count": cell.execution_count or position, "source": cell.source})
            raise ReportError(f"{name} failed{where}: {error or 'the cell did not run'}.")


def _last_begun(notebook: Any) -> Any:
    """The cell that was running when the kernel died."""
    begun = [c for c in code_cells(notebook) if c.metadata.get("papermill", {}).get("start_time")]
    return {"execution_count": len(begun), "source": begun[-1].source} if begun else None


def _where(cell: Mapping[str, Any] | None) -> str:
    if cell is None:
        return ""
    line = next((s.strip() for s in cell["source"].splitlines() if s.strip()), "")
    return f" in cell [{cell['execution_count']}] `{line[:60]}{'…' if len(line) > 60 else ''}`"


def _forget_paths(notebook: Any, target: Path) -> None:
    """Papermill stores where the notebook was and went: nobody else's business."""
    import nbformat

    for key in ("input_path", "output_path"):
        notebook.metadata.get("papermill", {}).pop(key, None)
    nbformat.write(notebook, target)


def _literal(path: Path) -> str:
    """Path for papermill, which would fill in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")
