"""Runs the command line and sends this very process a signal at an exact moment.

    python struck.py MODULE ATTRIBUTE CALL before|after SIGNAL [ARGUMENTS OF MOTORPOOL]

The signal comes before or after the CALL-th call of the attribute, such as `PartFiles.write`. Signal `FULL` makes
that call and every later one fail as on a full disk.
"""

from __future__ import annotations

import errno
import functools
import importlib
import os
import signal
import sys
from typing import Any


def strike(module: str, attribute: str, call: int, when: str, what: str) -> None:
    """Arrange for the signal."""
    holder: Any = importlib.import_module(module)
    *path, name = attribute.split(".")
    for part in path:
        holder = getattr(holder, part)
    original = getattr(holder, name)
    calls = 0

    @functools.wraps(original)
    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if what == "FULL" and calls >= call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if calls == call and when == "before":
            os.kill(os.getpid(), getattr(signal, what))
        result = original(*arguments, **options)
        if calls == call and when == "after":
            os.kill(os.getpid(), getattr(signal, what))
        return result

    setattr(holder, name, counted)


if __name__ == "__main__":
    from motorpool.cli.main import run

    # As in a terminal: a shell that starts this in the background may have had it ignore interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    strike(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
    sys.exit(run(sys.argv[6:]))
