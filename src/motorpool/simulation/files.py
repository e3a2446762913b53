"""Files that are either whole and on disk, or not there."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


def write_file(place: Path, content: bytes) -> None:
    """Write a file under another name, flush it to the disk and give it its name."""
    temporary = place.with_name(place.name + ".writing")
    try:
        with errors_name(place):
            temporary.write_bytes(content)
            flush(temporary)
            temporary.replace(place)
            flush(place.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def errors_name(place: Path) -> Generator[None]:
    """Name the place in errors of the operating system that name none, as a full disk does."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise OSError(error.errno, os.strerror(error.errno), str(place)) from error
        raise


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
