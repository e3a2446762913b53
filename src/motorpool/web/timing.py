"""How long each layer of an answer took, as browsers show it (`Server-Timing`)."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_TIMES: ContextVar[dict[str, float] | None] = ContextVar("milliseconds by layer", default=None)


@contextmanager
def timing() -> Generator[dict[str, float]]:
    """Milliseconds by layer of what is done within, in this thread."""
    times: dict[str, float] = {}
    token = _TIMES.set(times)
    try:
        yield times
    finally:
        _TIMES.reset(token)


@contextmanager
def layer(name: str) -> Generator[None]:
    """What is done within belongs to this layer."""
    times, begun = _TIMES.get(), time.perf_counter()
    try:
        yield
    finally:
        if times is not None:
            times[name] = times.get(name, 0.0) + 1e3 * (time.perf_counter() - begun)


def as_header(times: Mapping[str, float]) -> str:
    """The times as the value of the header `Server-Timing`."""
    return ", ".join(f"{name};dur={value:.1f}" for name, value in times.items())
