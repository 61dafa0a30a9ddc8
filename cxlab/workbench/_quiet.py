"""Silence warnings while the workbench computes: cxlab's own are notes of the view, and any warning would print into the page."""

from __future__ import annotations

import threading
import warnings
from types import TracebackType


class _Quiet:
    """Filters of warnings belong to the process: the first thread that enters sets them, the last that leaves restores them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters: warnings.catch_warnings | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._filters is None:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._filters is not None:
                self._filters.__exit__(None, None, None)
                self._filters = None


QUIET = _Quiet()
