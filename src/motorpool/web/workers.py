"""The processes that answer the questions of the server, and which of them answers what.

Each answers one quick question and one with doubt at a time. Questions about the same people go to the process that has
simulated them already, unless another is free and it is not; what waits for nobody any more is cancelled.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from motorpool.web.asking import Reply
from motorpool.web.problems import UnusableInput
from motorpool.web.turns import MOST_WAITING, Busy, Superseded
from motorpool.web.worker import LANES

REMEMBERED = 200  # of whose people and whose plans a process knows
MOST_FAILURES = 3  # of a process in a row, before it was ready
PATIENCE_SECONDS = 3.0
NOT_OF_PEOPLE = ("plans", "voice", "survival", "years", "leave_out", "hide_bands")
_LOG = logging.getLogger(__name__)


class Lost(RuntimeError):
    """The processes that answer ended without an answer, more than once."""


@dataclass(eq=False)
class _Question:
    """A question on its way, and what tells its people and its plans from others."""

    number: int
    lane: str
    name: str
    asked: Mapping[str, Any]
    people: str
    plans: str
    future: asyncio.Future[Reply]
    begun: float = field(default_factory=time.perf_counter)
    sent: float = 0.0
    tries: int = 0


@dataclass(eq=False)
class _Process:
    """One process, what it is at, and how often it failed before it was ready."""

    place: int
    process: asyncio.subprocess.Process | None = None
    at: dict[str, _Question | None] = field(default_factory=lambda: dict.fromkeys(LANES))
    failures: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    following: asyncio.Task[None] | None = None

    def tell(self, content: Mapping[str, Any]) -> None:
        """Write one line to it, unless it has gone."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.write(json.dumps(content).encode() + b"\n")


class Workers:
    """Answers questions in so many processes."""

    def __init__(self, count: int, *, warm: bool = True, command: Sequence[str] = ()) -> None:
        """So many processes, from `start` on.

        Args:
            count: how many.
            warm: they load the programs of the engine before they are asked.
            command: what is started, `motorpool.web.worker` unless another is named.
        """
        self._count, self._warm = count, warm
        usual = [sys.executable, "-P", "-m", "motorpool.web.worker", *(["--warm"] * warm)]
        self._command = list(command) or usual
        self._processes: list[_Process] = []
        self._waiting: dict[str, list[_Question]] = {lane: [] for lane in LANES}
        self._knows: OrderedDict[str, _Process] = OrderedDict()
        self._numbers, self._ending = 0, False
        self._starting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin the first process, and each further one when that before it has its programs.

        Where they do not warm up, they begin with the first question.
        """
        if self._warm:
            await self._begin().wait()

    def _begin(self) -> asyncio.Event:
        first = asyncio.Event()
        self._starting = asyncio.create_task(self._start(first))
        return first

    async def stop(self) -> None:
        """End the processes; who still waits is told that nothing comes."""
        self._ending = True
        tasks = [self._starting, *(one.following for one in self._processes)]
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        self._nobody_answers(Superseded)
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.gather(*(_ended(one.process) for one in self._processes if one.process is not None))

    async def ask(self, name: str, asked: Mapping[str, Any]) -> Reply:
        """The answer to a question; it is given up when the task is cancelled.

        Raises:
            UnusableInput: what is described cannot be simulated.
            Superseded: the server ends.
            Busy: too many wait already.
            Lost: it cannot be answered; the log says why.
        """
        lane = "doubt" if asked.get("doubt") else "quick"
        if len(self._waiting[lane]) >= MOST_WAITING:
            raise Busy
        if self._starting is None:
            self._begin()
        if self._processes and all(one.failures >= MOST_FAILURES for one in self._processes):
            raise Lost("no process answers")
        self._numbers += 1
        people, plans = _keys(asked, lane)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        question = _Question(self._numbers, lane, name, asked, people, plans, future)
        self._waiting[lane].append(question)
        self._send()
        try:
            return await future
        except asyncio.CancelledError:
            self._give_up(question)
            raise

    def _give_up(self, question: _Question) -> None:
        if question in self._waiting[question.lane]:
            self._waiting[question.lane].remove(question)
        for one in self._processes:
            if one.at[question.lane] is question:
                one.tell({"cancel": question.number})

    def _send(self) -> None:
        """Give what waits to processes that are free, in the order in which it came."""
        for lane in LANES:
            for question in list(self._waiting[lane]):
                chosen = self._choose(question)
                if chosen is None:
                    continue
                self._waiting[lane].remove(question)
                chosen.at[lane] = question
                question.sent = time.perf_counter()
                for key in (question.people, question.plans):
                    self._knows[key] = chosen
                    self._knows.move_to_end(key)
                while len(self._knows) > REMEMBERED:
                    self._knows.popitem(last=False)
                told = {"number": question.number, "lane": lane, "name": question.name}
                chosen.tell({**told, "asked": question.asked})

    def _choose(self, question: _Question) -> _Process | None:
        """The process that has, or is making, just this; else one that knows the people, if free; else any free one."""
        running = [one for one in self._processes if one.process is not None]
        maker = self._knows.get(question.plans)
        if maker is not None and maker in running:
            return maker if maker.at[question.lane] is None else None
        free = [one for one in running if one.at[question.lane] is None]
        knows = self._knows.get(question.people)
        if knows in free:
            return knows
        # Those with nothing to do first, and those that have their programs before those that still load them.
        return min(
            free,
            key=lambda one: (not one.ready.is_set(), sum(each is not None for each in one.at.values())),
            default=None,
        )

    async def _start(self, first: asyncio.Event) -> None:
        for place in range(self._count):
            one = _Process(place)
            self._processes.append(one)
            one.following = asyncio.create_task(self._keep_running(one, first))
            await one.ready.wait()

    async def _keep_running(self, one: _Process, begun: asyncio.Event) -> None:
        """Start a process, follow what it says, and start it again when it ended, unless it cannot start at all."""
        pipe = asyncio.subprocess.PIPE
        while one.failures < MOST_FAILURES and not self._ending:
            one.process = await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe)
            begun.set()
            one.failures += 1  # until it is ready
            self._send()
            try:
                await self._follow(one, one.process)
            finally:
                if not self._ending:
                    code = await one.process.wait()
                    _LOG.error("a process that answers ended with exit code %s", code)
                    self._forget(one)
        one.ready.set()
        if all(other.process is None for other in self._processes):
            self._nobody_answers(Lost)

    def _nobody_answers(self, error: type[Exception]) -> None:
        asked = [*self._waiting["quick"], *self._waiting["doubt"]]
        asked += [question for one in self._processes for question in one.at.values() if question is not None]
        for question in asked:
            if not question.future.done():
                question.future.set_exception(error("no process answers"))

    async def _follow(self, one: _Process, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            head = json.loads(line)
            try:
                body = await process.stdout.readexactly(head["length"])
            except asyncio.IncompleteReadError:
                return
            if head.get("ready"):
                one.failures = 0
                one.ready.set()
                continue
            for lane, question in one.at.items():
                if question is not None and question.number == head["number"]:
                    one.at[lane] = None
                    _settle(question, head, body)
            self._send()

    def _forget(self, one: _Process) -> None:
        """A process ended: what it knew is gone, and what it was at is asked once more."""
        one.process = None
        for key in [key for key, knows in self._knows.items() if knows is one]:
            del self._knows[key]
        for lane, question in one.at.items():
            one.at[lane] = None
            if question is not None and not question.future.done():
                question.tries += 1
                if question.tries > 1 or one.failures >= MOST_FAILURES:
                    question.future.set_exception(Lost(f"{question.name} ends the process that answers it"))
                else:
                    self._waiting[lane].insert(0, question)
        self._send()


def _settle(question: _Question, head: Mapping[str, Any], body: bytes) -> None:
    future = question.future
    if future.done():
        return
    if "problems" in head:
        future.set_exception(UnusableInput(head["problems"]))
    elif "refused" in head:
        errors = {"Busy": Busy(), "Superseded": Superseded()}
        future.set_exception(errors.get(head["refused"], Lost(f"{question.name} failed; see the log")))
    else:
        waited = 1e3 * (question.sent - question.begun)
        future.set_result(Reply(None if head["missing"] else body, {"queue": waited, **head["times"]}))


def _keys(asked: Mapping[str, Any], lane: str) -> tuple[str, str]:
    """What tells the people, and the people with their plans, from others."""
    described: Mapping[str, Any] = asked.get("description") or asked.get("window") or {}
    people = {name: value for name, value in described.items() if name not in NOT_OF_PEOPLE}
    plans = {**people, "plans": described.get("plans"), "years": described.get("years")}
    return f"{lane} {json.dumps(people)}", f"{lane} {json.dumps(plans)}"


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()  # which it takes as the end
    try:
        await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
