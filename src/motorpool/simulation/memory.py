"""Gives memory that is free back to the operating system."""

from __future__ import annotations

import ctypes
import sys


def give_back_memory() -> None:
    """Return freed memory to the operating system, where the C library can.

    Parts are simulated by threads, each with a pool of memory of its own; without this the pools of a long run grow to
    several times what is in use.
    """
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
