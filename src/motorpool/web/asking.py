"""Who answers the questions of the pages: processes of their own, or threads of this one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from fastapi.responses import Response
from starlette.requests import Request

from motorpool.web.timing import as_header
from motorpool.web.waiting import while_wanted


@dataclass(frozen=True)
class Reply:
    """The answer to a question.

    Attributes:
        body: bytes of the response; None where there is no such thing.
        times: milliseconds by layer.
    """

    body: bytes | None
    times: Mapping[str, float] = field(default_factory=dict)


class Answers(Protocol):
    """Who answers; `motorpool.web.questions` says which questions there are."""

    async def start(self) -> None:
        """Begin."""
        ...

    async def stop(self) -> None:
        """End; who still waits is told that nothing comes."""
        ...

    async def ask(self, name: str, asked: Mapping[str, Any]) -> Reply:
        """The answer to a question; it is given up when the task is cancelled."""
        ...


async def ask(request: Request, name: str, asked: Mapping[str, Any]) -> Reply:
    """The answer to a question, given up when the reader goes on to another.

    Raises:
        ScenarioError, UnusableInput: what is described cannot be simulated.
        Superseded: the reader has gone.
        Busy: too many wait already.
    """
    answers: Answers = request.app.state.answers
    return await while_wanted(request, answers.ask(name, asked))


def json_response(reply: Reply) -> Response:
    """The reply as a response, with its times as browsers show them."""
    headers = {"server-timing": as_header(reply.times)} if reply.times else {}
    return Response(reply.body, media_type="application/json", headers=headers)


class Here:
    """Answers in threads of this process, one at a time."""

    def __init__(self, *, warm: bool = False) -> None:
        """Load the programs of the engine at the start, or when they are first needed."""
        from motorpool.web.explore import Explorer

        self.explorer, self._warm = Explorer(), warm

    async def start(self) -> None:
        """Begin to warm up."""
        if self._warm:
            asyncio.get_running_loop().run_in_executor(None, warmed_up, self.explorer)

    async def stop(self) -> None:
        """Nothing is left to end: requests are cancelled one by one."""

    async def ask(self, name: str, asked: Mapping[str, Any]) -> Reply:
        """The answer to a question; what is not finished is stopped when the task is cancelled."""
        import threading

        from motorpool.web.questions import answered
        from motorpool.web.timing import timing

        stop = threading.Event()

        def work() -> Reply:
            with timing() as times:
                return Reply(answered(self.explorer, name, asked, stop), times)

        try:
            return await asyncio.get_running_loop().run_in_executor(None, work)
        except asyncio.CancelledError:
            stop.set()
            raise


def warmed_up(explorer: Any) -> None:
    """Warm up; what goes wrong is told by the first answer that needs it."""
    import logging

    try:
        explorer.warm_up()
    except Exception:
        logging.getLogger(__name__).exception("warming up failed")
