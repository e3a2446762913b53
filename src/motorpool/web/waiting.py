"""Long answers in threads: the server stays quick, and work that nobody waits for any more is stopped."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.requests import Request

from motorpool.web.population import Superseded

Value = TypeVar("Value")
LOOK_SECONDS = 0.05


async def while_wanted(request: Request, work: Callable[[threading.Event], Value]) -> Value:
    """The result of `work`, done in a thread; its event is set when the client has gone.

    Raises:
        Superseded: the client has gone.
    """
    stop = threading.Event()
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.run_in_executor(None, functools.partial(work, stop))
    try:
        while True:
            done, _ = await asyncio.wait({future}, timeout=LOOK_SECONDS)
            if done:
                return future.result()
            if await request.is_disconnected():
                stop.set()
                future.add_done_callback(lambda done: done.exception())  # nobody is left to be told
                raise Superseded
    except asyncio.CancelledError:
        stop.set()
        raise
