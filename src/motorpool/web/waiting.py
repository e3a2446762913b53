"""Long answers: the server stays quick, and work that nobody waits for any more is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request

from motorpool.web.turns import Superseded

Value = TypeVar("Value")


async def while_wanted(request: Request, work: Awaitable[Value]) -> Value:
    """The result of `work`, which is cancelled at once when the client has gone or the server ends.

    Raises:
        Superseded: the client has gone, or the server ends.
    """
    wanted = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({wanted, gone}, return_when=asyncio.FIRST_COMPLETED)
        if wanted.done():
            return wanted.result()
    except asyncio.CancelledError:  # the server ends: an answer that nobody gets, and not an error
        raise Superseded from None
    finally:
        gone.cancel()
        wanted.cancel()
    raise Superseded


async def in_thread(request: Request, work: Callable[[], Value]) -> Value:
    """The result of work that does not ask the engine, done in a thread.

    Raises:
        Superseded: the client has gone, or the server ends.
    """
    return await while_wanted(request, asyncio.to_thread(work))


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
