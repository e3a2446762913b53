"""Pieces of long work that are kept on disk once they are finished, so that the same work, begun again, goes on there.

Whoever begins the work says where pieces are kept (:func:`keeping`); those who do it name each piece by all that
decides it (:func:`kept`). Where nobody said, nothing is kept. A piece is plain arrays with a checksum and the identity
of its work: one that is cut short, damaged or of other work counts as absent.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Generator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motorpool.simulation.files import write_file
from motorpool.simulation.layout import Arrays
from motorpool.simulation.part import Facts, Part
from motorpool.simulation.part_bytes import from_bytes, to_bytes

NO_FACTS = Facts(0, 0, {}, 0.0)


@dataclass(frozen=True)
class _Keeper:
    folder: Path
    identity: str

    def read(self, name: str) -> Arrays | None:
        try:
            part = from_bytes((self.folder / name).read_bytes(), self.identity)
        except OSError:
            return None
        return None if part is None else part.people

    def write(self, name: str, arrays: Arrays) -> None:
        write_file(self.folder / name, to_bytes(Part((0, 0), NO_FACTS, arrays, {}), self.identity))


_KEEPER: ContextVar[_Keeper | None] = ContextVar("keeper", default=None)


@contextlib.contextmanager
def keeping(folder: Path, identity: str) -> Generator[None]:
    """Keep pieces in this folder, for work with this identity (inputs, code, versions)."""
    folder.mkdir(parents=True, exist_ok=True)
    before = _KEEPER.set(_Keeper(folder, identity))
    try:
        yield
    finally:
        _KEEPER.reset(before)


def kept(what: Any, make: Callable[[], Arrays]) -> Arrays:
    """The arrays of a piece: read where they are kept, else made, and then kept.

    Args:
        what: all that decides the piece within its work, as plain data.
        make: makes the arrays; pieces of which this one is made are not kept themselves.
    """
    keeper = _KEEPER.get()
    if keeper is None:
        return make()
    found = kept_already(what)
    if found is None:
        outside = _KEEPER.set(None)
        try:
            found = make()
        finally:
            _KEEPER.reset(outside)
        keep(what, found)
    return found


def kept_already(what: Any) -> Arrays | None:
    """The arrays of a piece that was finished before; None where it was not, or where nothing is kept."""
    keeper = _KEEPER.get()
    return None if keeper is None else keeper.read(_name_of(what))


def keep(what: Any, arrays: Arrays) -> None:
    """Keep a piece that somebody else made; nothing where nothing is kept."""
    keeper = _KEEPER.get()
    if keeper is not None:
        keeper.write(_name_of(what), arrays)


def _name_of(what: Any) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
