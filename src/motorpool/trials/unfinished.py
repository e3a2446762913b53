"""Long work on designs that goes on where it was interrupted: its finished blocks are kept until it is done."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from motorpool.simulation.kept_pieces import keeping
from motorpool.trials import store

FORGOTTEN_DAYS = 30.0  # work that nobody went on with for so long is deleted
SECONDS_PER_DAY = 86_400.0
PIECES, OWNER = "pieces", "owner"


def work_folder() -> Path:
    """Where unfinished work is kept: in the user's cache folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "motorpool" / "unfinished"


class Work:
    """A piece of long work: how many of its parts an earlier attempt finished, and where they are kept, if anywhere."""

    def __init__(self, folder: Path | None, earlier: int) -> None:
        """See :func:`unfinished_work`."""
        self.folder, self.earlier = folder, earlier

    @property
    def kept(self) -> int:
        """How many parts are finished and kept."""
        return 0 if self.folder is None else _count(self.folder)


@contextlib.contextmanager
def unfinished_work(asked: Mapping[str, Any]) -> Generator[Work]:
    """Keep the finished parts of this work, and go on with those of an earlier attempt at the same work.

    They are deleted when the work is done. Work of other inputs, or of another version, has parts of its own. Where
    nothing can be written, or another process does the same work, nothing is kept.

    Args:
        asked: all that decides the work beside code and parameters, as plain data.
    """
    identity = store.work_identity(asked)
    folder = work_folder() / identity[:20]
    with _owned(folder) as mine:
        if not mine:
            yield Work(None, 0)
            return
        _forget(folder.parent)
        done = False
        try:
            with keeping(folder / PIECES, identity):
                yield Work(folder, _count(folder))
            done = True
        finally:
            if done or not _count(folder):
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _owned(folder: Path) -> Generator[bool]:
    """Whether this process has the folder to itself; the operating system frees it when the process ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / OWNER).open("a")
    except OSError:
        yield False
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _count(folder: Path) -> int:
    try:
        return sum(1 for one in (folder / PIECES).iterdir() if not one.suffix)
    except OSError:
        return 0


def _forget(folder: Path) -> None:
    """Delete work that nobody went on with; what another process works on is younger."""
    oldest = time.time() - FORGOTTEN_DAYS * SECONDS_PER_DAY
    for one in folder.iterdir():
        with contextlib.suppress(OSError):
            newest = max(place.stat().st_mtime for place in (one, one / PIECES) if place.exists())
            if newest < oldest:
                shutil.rmtree(one)
