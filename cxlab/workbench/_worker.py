"""The worker: settled answers one after the other, in a thread that neither a page nor the end of a kernel waits for."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

Made = TypeVar("Made")


class Worker:
    """A thread that computes, one call after the other.

    Notes
    -----
    The thread begins with the first call and ends with :meth:`close`, or when nobody holds the worker any more. It is a
    daemon: a kernel that ends, as at the end of papermill or nbconvert, does not wait for an answer that nobody will see,
    which the threads of a ``ThreadPoolExecutor`` would make it do.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Any] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._end = weakref.finalize(self, self._calls.put, None)

    def submit(self, work: Callable[[], Made]) -> Future[Made]:
        """Compute later; a worker that was closed cancels instead."""
        future: Future[Made] = Future()
        if not self._end.alive:
            future.cancel()
            return future
        self._calls.put((future, work))
        if self._thread is None:
            self._thread = threading.Thread(target=_work, args=(self._calls,), name="cxlab-settled", daemon=True)
            self._thread.start()
        return future

    def close(self) -> None:
        """End after the call that runs now."""
        self._end()


def _work(calls: SimpleQueue[Any]) -> None:
    while (call := calls.get()) is not None:
        future, work = call
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work())
            except BaseException as error:  # whoever asked for it is told
                future.set_exception(error)
        del call, future, work  # while the thread waits it holds nothing of anybody's
