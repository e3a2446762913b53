"""The file of a page that a verb is asked to write: refused before any work where it cannot be written."""

from __future__ import annotations

import os
from pathlib import Path

from motorpool.cli.console import InputProblem

BEGINNING = 2000


def usable_page(out: Path | None, mark: str, kind: str) -> Path | None:
    """The absolute path of the page to write, or ``None`` where none was asked for.

    Args:
        mark: text that stands near the beginning of an earlier page of this kind, which may be replaced.
        kind: such as ``a check of an offer``.

    Raises:
        InputProblem: a folder, something else's file, or a place that cannot be written to.
    """
    if out is None:
        return None
    target = out.expanduser().absolute()
    if target.is_dir():
        raise InputProblem(f"--out: {target} is a folder; give the name of a file.")
    if target.exists():
        try:
            head = target.read_text(encoding="utf-8", errors="replace")[:BEGINNING]
        except OSError as error:
            raise InputProblem(f"--out: {target} cannot be read: {error.strerror}.") from None
        if mark not in head:
            raise InputProblem(f"--out: {target} exists and is not {kind}; choose another name.")
    parent = target.parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputProblem(f"--out: {parent} is not a folder that can be written to; choose another name.")
    return target
