"""Files that are either whole and on disk, or not there."""

from __future__ import annotations

import os
from pathlib import Path


def write_file(place: Path, content: bytes) -> None:
    """Write a file under another name, flush it to the disk and give it its name."""
    temporary = place.with_name(place.name + ".writing")
    try:
        temporary.write_bytes(content)
        flush(temporary)
        temporary.replace(place)
        flush(place.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
