"""Keeps finished parts of a run on disk, so that no interruption loses them.

The folder of an unfinished run lies hidden beside the place of its results. A part is written under another name,
flushed to the disk and renamed, and carries a checksum and the identity of its run: a file that is cut short, damaged
or of other inputs is never taken for a part. One process owns the folder at a time; the operating system frees the
lock when that process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from motorpool.simulation.errors import OutputFolderError
from motorpool.simulation.files import write_file
from motorpool.simulation.layout import Arrays
from motorpool.simulation.part import Facts, Part

FORMAT = "motorpool-part 1"
CODEC = "lz4"
LOCK, INPUTS, PARTS, RESULTS = "owner", "inputs.json", "parts", "results"


class PartFiles:
    """The parts of one unfinished run, in a folder that this process owns."""

    def __init__(self, folder: Path, identity: str, lock: IO[str]) -> None:
        """See :func:`open_part_files`."""
        self.folder, self.identity, self._lock = folder, identity, lock

    def write(self, part: Part) -> None:
        """Keep a part; when this returns it is on disk."""
        write_file(self._place(part.key), _to_bytes(part, self.identity))

    def read(self, key: tuple[int, int]) -> Part:
        """A part that is kept."""
        place = self._place(key)
        part = _from_bytes(place.read_bytes(), self.identity)
        if part is None:
            message = f"{place}: is damaged; run the same command again to simulate this part anew."
            raise OutputFolderError(message)
        return part

    def kept(self) -> Iterator[tuple[tuple[int, int], Facts]]:
        """Key and facts of every part that is kept whole; what is not is deleted."""
        for place in sorted((self.folder / PARTS).iterdir()):
            part = None if place.suffix != ".part" else _from_bytes(place.read_bytes(), self.identity)
            if part is None:
                place.unlink()
            else:
                yield part.key, part.facts

    def scratch(self) -> Path:
        """An empty folder beside the parts, in which results are put together before they get their name."""
        folder = self.folder / RESULTS
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def close(self, *, remove: bool) -> None:
        """Give the folder up; ``remove`` it with all parts, or leave it for a later run unless it holds none."""
        if remove or not any((self.folder / PARTS).iterdir()):
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def _place(self, key: tuple[int, int]) -> Path:
        return self.folder / PARTS / f"{key[0]:04d}-{key[1]:06d}.part"


def unfinished_folder(directory: Path) -> Path:
    """Where the unfinished run of a results folder keeps its parts."""
    return directory.parent / f".{directory.name}.unfinished"


def remove_unfinished(directory: Path, identity: str) -> None:
    """Delete what a run left that was ended between finishing its results and tidying up."""
    folder = unfinished_folder(directory)
    found = _inputs_of(folder)
    if found is not None and found["identity"] == identity:
        lock = _own(folder, directory)
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()


def open_part_files(directory: Path, identity: str, inputs: dict[str, Any], *, replace: bool) -> PartFiles:
    """Own the folder of the unfinished run of a results folder; finished parts in it are kept.

    Args:
        directory: where the results will lie.
        identity: of the run, see :func:`motorpool.simulation.identity.run_identity`.
        inputs: what people should be told of the run when it is found later.
        replace: delete an unfinished run of other inputs.

    Raises:
        OutputFolderError: another process is at work in it, or it holds a run of other inputs.
    """
    folder = unfinished_folder(directory)
    lock = _own(folder, directory)
    try:
        found = _inputs_of(folder)
        if found is not None and found["identity"] != identity:
            if not replace:
                told = ", ".join(f"{name} {value}" for name, value in found["inputs"].items())
                message = (
                    f"{directory}: an unfinished run of other inputs is kept for this folder ({told}). Give the "
                    "same inputs to go on with it, --overwrite to delete it, or another --out."
                )
                raise OutputFolderError(message)
            shutil.rmtree(folder / PARTS, ignore_errors=True)
            found = None
        (folder / PARTS).mkdir(exist_ok=True)
        if found is None:
            text = json.dumps({"identity": identity, "inputs": inputs}, indent=1)
            write_file(folder / INPUTS, text.encode())
    except BaseException:
        lock.close()
        raise
    return PartFiles(folder, identity, lock)


def _own(folder: Path, directory: Path) -> IO[str]:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            owner = lock.read().strip() or "another process"
            lock.close()
            message = (
                f"{directory}: {owner} is simulating into this folder; wait for it, or choose another --out."
            )
            raise OutputFolderError(message) from error
        if _is_still_there(lock, folder / LOCK):
            break
        lock.close()  # its owner deleted the folder between our opening and locking it
    lock.truncate(0)
    lock.write(f"process {os.getpid()} on {socket.gethostname()}")
    lock.flush()
    return lock


def _is_still_there(file: IO[str], place: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), place.stat())
    except FileNotFoundError:
        return False


def _inputs_of(folder: Path) -> dict[str, Any] | None:
    try:
        return json.loads((folder / INPUTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _to_bytes(part: Part, identity: str) -> bytes:
    """One line that says what follows, and the packed arrays."""
    import pyarrow as pa

    plain = io.BytesIO()
    named = {f"people/{name}": array for name, array in part.people.items()}
    named |= {f"counts/{name}": array for name, array in part.counts.items()}
    np.savez(plain, allow_pickle=False, **named)
    packed = pa.compress(plain.getvalue(), codec=CODEC, asbytes=True)
    head = {
        "format": FORMAT,
        "identity": identity,
        "key": part.key,
        "facts": asdict(part.facts),
        "bytes": plain.tell(),
    }
    body = json.dumps(head).encode() + b"\n" + packed
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _from_bytes(content: bytes, identity: str) -> Part | None:
    """The part that a file holds, or None where it is not whole or not of this run."""
    import pyarrow as pa

    checksum, _, body = content.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != checksum:
        return None
    first, _, packed = body.partition(b"\n")
    head = json.loads(first)
    if head["format"] != FORMAT or head["identity"] != identity:
        return None
    plain = pa.decompress(packed, decompressed_size=head["bytes"], codec=CODEC, asbytes=True)
    groups: dict[str, Arrays] = {"people": {}, "counts": {}}
    with np.load(io.BytesIO(plain), allow_pickle=False) as stored:
        for name in stored.files:
            group, _, own = name.partition("/")
            groups[group][own] = stored[name]
    return Part((head["key"][0], head["key"][1]), Facts(**head["facts"]), groups["people"], groups["counts"])
