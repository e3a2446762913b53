"""Whose turn it is to compute in one process: quick answers go before the full ones with their doubt.

Two threads that compute at once would each take twice as long, so that one does at a time. Long work calls `checkpoint`
between its steps: it lets the quick ones by there, and ends where nobody waits for it any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

MOST_WAITING = 20
LONGEST_WAIT_SECONDS = 20.0  # of an answer with doubt for quick ones, so that it comes at all
_CHECK: ContextVar[Callable[[], None] | None] = ContextVar(
    "what the turn of this thread checks", default=None
)


class Superseded(Exception):
    """Nobody waits for this result any more."""


class Busy(Exception):
    """So many wait already that an answer would take too long."""


def checkpoint() -> None:
    """A step of long work is done: let quick work by.

    Raises:
        Superseded: nobody waits for it any more.
    """
    check = _CHECK.get()
    if check is not None:
        check()


class Turns:
    """The turns of one process."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._engine, self._changed = threading.Lock(), threading.Condition()
        self._quick = self._in_line = 0

    @contextmanager
    def turn(self, *, doubt: bool, stop: threading.Event | None = None) -> Generator[None]:
        """Compute within, when it is one's turn. A turn within a turn of the same thread is part of it.

        Args:
            doubt: the work is long and lets others by.
            stop: set by others when nobody waits any more.

        Raises:
            Busy: too many wait already.
            Superseded: `stop` was set.
        """
        if _CHECK.get() is not None:
            checkpoint()
            yield
            return
        with self._changed:
            if self._in_line >= MOST_WAITING:
                raise Busy
            self._in_line += 1
            self._quick += 0 if doubt else 1
        token = _CHECK.set(lambda: self._check(doubt, stop))
        try:
            with self._engine:
                checkpoint()
                yield
        finally:
            _CHECK.reset(token)
            with self._changed:
                self._in_line -= 1
                self._quick -= 0 if doubt else 1
                self._changed.notify_all()

    def _check(self, doubt: bool, stop: threading.Event | None) -> None:
        if stop is not None and stop.is_set():
            raise Superseded
        if not doubt or not self._quick:
            return
        ends = time.monotonic() + LONGEST_WAIT_SECONDS
        self._engine.release()
        try:
            with self._changed:
                self._changed.wait_for(lambda: not self._quick, max(0.0, ends - time.monotonic()))
        finally:
            self._engine.acquire()
        if stop is not None and stop.is_set():
            raise Superseded
