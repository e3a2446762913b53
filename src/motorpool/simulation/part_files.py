"""Keeps finished parts of a run on disk, so that no interruption loses them.

The folder of an unfinished run lies hidden beside the place of its results. A part is written under another name,
flushed to the disk and renamed, and carries a checksum and the identity of its run: a file that is cut short, damaged
or of other inputs is never taken for a part. One process owns the folder at a time; the operating system frees the
lock when that process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from motorpool.simulation.errors import OutputFolderError
from motorpool.simulation.files import write_file
from motorpool.simulation.part import Facts, Part
from motorpool.simulation.part_bytes import from_bytes, to_bytes

LOCK, INPUTS, PARTS, RESULTS = "owner", "inputs.json", "parts", "results"


class PartFiles:
    """The parts of one unfinished run, in a folder that this process owns."""

    def __init__(self, folder: Path, identity: str, lock: IO[str]) -> None:
        """See :func:`open_part_files`."""
        self.folder, self.identity, self._lock = folder, identity, lock

    def write(self, part: Part) -> None:
        """Keep a part; when this returns it is on disk."""
        write_file(self._place(part.key), to_bytes(part, self.identity))

    def read(self, key: tuple[int, int]) -> Part:
        """A part that is kept."""
        place = self._place(key)
        part = from_bytes(place.read_bytes(), self.identity)
        if part is None:
            message = f"{place}: is damaged; run the same command again to simulate this part anew."
            raise OutputFolderError(message)
        return part

    def kept(self) -> Iterator[tuple[tuple[int, int], Facts]]:
        """Key and facts of every part that is kept whole; what is not is deleted."""
        for place in sorted((self.folder / PARTS).iterdir()):
            part = None if place.suffix != ".part" else from_bytes(place.read_bytes(), self.identity)
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
