"""Pace: when to compute while something moves, and when the hand rests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

GAP = 0.3  # seconds between two answers to one drag
REST = 0.6  # seconds without a change after which the hand rests


class Pace:
    """Turns many changes into few computations; the last change is always computed.

    Parameters
    ----------
    compute : callable
        Answers the latest change.
    settle : callable
        Called once nothing has changed for ``rest`` seconds.
    gap : float
        A drag (``continuous`` changes) is answered at once and then at most every ``gap`` seconds; every other change
        at once, changes that have queued up meanwhile together.
    rest : float

    Notes
    -----
    Without a running event loop (a script, a test) every change is computed and settled at once.
    """

    def __init__(
        self, compute: Callable[[], None], settle: Callable[[], None], *, gap: float = GAP, rest: float = REST
    ) -> None:
        self._compute, self._settle, self._gap, self._rest = compute, settle, gap, rest
        self._next: asyncio.Handle | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._last = float("-inf")
        self.computed = 0

    def touch(self, *, continuous: bool = False) -> None:
        """Something has changed."""
        loop = _loop()
        if loop is None:
            self._run()
            return
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        wait = self._last + self._gap - time.monotonic() if continuous else 0.0
        if self._next is not None and not continuous:
            self._next.cancel()
            self._next = None
        if self._next is None:
            self._next = loop.call_later(wait, self._run) if wait > 0 else loop.call_soon(self._run)

    def compute_now(self) -> None:
        """Answer in this very call; settle once nothing has changed for a while."""
        self._run()

    def flush(self) -> None:
        """Answer now what has changed and is still to be answered."""
        if self._next is not None:
            self._next.cancel()
            self._run()

    def settle_now(self) -> None:
        """Do not wait for the hand to rest."""
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        self._settle()

    def stop(self) -> None:
        """Answer nothing any more."""
        for handle in (self._next, self._resting):
            if handle is not None:
                handle.cancel()
        self._next = self._resting = None

    def _run(self) -> None:
        self._next = None
        self.computed += 1
        self._compute()
        self._last = time.monotonic()
        loop = _loop()
        if loop is None:
            self._settle()
            return
        if self._resting is not None:
            self._resting.cancel()
        self._resting = loop.call_later(self._rest, self._settle)


def _loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs, as in a kernel; None in a script."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
