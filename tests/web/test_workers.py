"""Who answers: quick ones first, processes that are lost, what nobody waits for, and the end of the server."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from motorpool.web.asking import Here, Reply
from motorpool.web.problems import UnusableInput, description_of
from motorpool.web.turns import Busy, Superseded, Turns, checkpoint
from motorpool.web.waiting import while_wanted
from motorpool.web.workers import Lost, Workers

PATIENCE = 240.0
INFANT = {
    "copies": "2",
    "age_months": "6",
    "p1": "No drug",
    "p2": "",
    "p2.1.what": "nusinersen",
    "years": "1",
}

# A process that speaks as `motorpool.web.worker` does and simulates nothing: what is asked says what it does.
STAND_IN = """
    import json, os, sys, threading, time

    lock, stops = threading.Lock(), {}

    def say(**head):
        body = head.pop("body", b"")
        with lock:
            sys.stdout.buffer.write(json.dumps({**head, "length": len(body)}).encode() + b"\\n" + body)
            sys.stdout.buffer.flush()

    def answer(told):
        number, asked = told["number"], told["asked"]
        if asked.get("end") and (not asked.get("once") or not os.path.exists(asked["once"])):
            if asked.get("once"):
                open(asked["once"], "w").close()
            os._exit(7)
        stopped = stops[number].wait(asked.get("seconds", 0.0))
        if stopped:
            say(number=number, refused="Superseded")
        elif asked.get("wrong"):
            say(number=number, problems=[{"where": "child", "message": "cannot be"}])
        else:
            say(number=number, times={"engine": 1.0}, missing=False, body=str(os.getpid()).encode())

    say(ready=True)
    for line in sys.stdin:
        told = json.loads(line)
        if "cancel" in told:
            stops[told["cancel"]].set()
            continue
        stops[told["number"]] = threading.Event()
        threading.Thread(target=answer, args=(told,), daemon=True).start()
"""


def with_stand_ins(count: int, talk: Callable[[Workers], Awaitable[Any]]) -> Any:
    """What a talk with so many stand-ins comes to."""

    async def whole() -> Any:
        workers = Workers(count, command=[sys.executable, "-c", textwrap.dedent(STAND_IN)])
        await workers.start()
        try:
            return await asyncio.wait_for(talk(workers), PATIENCE)
        finally:
            await workers.stop()

    return asyncio.run(whole())


def about(age: int, plan: str = "", **more: Any) -> dict[str, Any]:
    return {"description": {"age_months": age, "plans": [plan]}, **more}


def test_two_are_answered_at_once_and_the_same_people_by_who_knows_them() -> None:
    async def talk(workers: Workers) -> tuple[list[Reply], list[Reply], float]:
        await asyncio.gather(*(workers.ask("answer", about(age, seconds=0.3)) for age in (3, 4)))
        begun = time.monotonic()
        first = await asyncio.gather(*(workers.ask("answer", about(age, seconds=1.0)) for age in (6, 7)))
        passed = time.monotonic() - begun
        again = await asyncio.gather(*(workers.ask("answer", about(age, "another")) for age in (6, 7)))
        return first, again, passed

    first, again, passed = with_stand_ins(2, talk)
    assert passed < 1.9
    assert len({reply.body for reply in first}) == 2
    assert [reply.body for reply in first] == [reply.body for reply in again]
    assert set(first[0].times) == {"queue", "engine"}


def test_the_very_same_is_waited_for_where_it_is_made() -> None:
    async def talk(workers: Workers) -> list[Reply]:
        return await asyncio.gather(*(workers.ask("pictures", about(6, seconds=0.2)) for _ in range(3)))

    assert len({reply.body for reply in with_stand_ins(2, talk)}) == 1


def test_what_nobody_waits_for_makes_room() -> None:
    """Each would take a minute; both are cancelled, one at work and one that waits."""

    async def talk(workers: Workers) -> float:
        asked = [asyncio.create_task(workers.ask("answer", about(6, str(n), seconds=60))) for n in range(2)]
        await asyncio.sleep(0.2)
        for one in asked:
            one.cancel()
        begun = time.monotonic()
        await workers.ask("answer", about(6, "wanted"))
        return time.monotonic() - begun

    assert with_stand_ins(1, talk) < 30


def test_too_many_are_refused_and_what_cannot_be_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(workers: Workers) -> None:
        with pytest.raises(UnusableInput, match="cannot be"):
            await workers.ask("answer", about(6, wrong=True))
        at_work = asyncio.create_task(workers.ask("answer", about(6, seconds=60)))
        await asyncio.sleep(0)
        monkeypatch.setattr("motorpool.web.workers.MOST_WAITING", 1)
        waits = asyncio.create_task(workers.ask("answer", about(7)))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await workers.ask("answer", about(8))
        at_work.cancel()
        await waits

    with_stand_ins(1, talk)


def test_a_process_that_ends_is_replaced_and_asked_once_more(tmp_path: Path) -> None:
    async def talk(workers: Workers) -> None:
        before = await workers.ask("answer", about(6))
        after = await workers.ask("answer", about(6, end=True, once=str(tmp_path / "ended")))
        assert after.body != before.body
        with pytest.raises(Lost):
            await workers.ask("answer", about(6, end=True))
        assert (await workers.ask("answer", about(6))).body

    with_stand_ins(1, talk)


def test_processes_that_cannot_start_are_not_waited_for() -> None:
    async def whole() -> None:
        workers = Workers(2, command=[sys.executable, "-c", "raise SystemExit(3)"])
        await workers.start()
        with pytest.raises(Lost):
            await asyncio.wait_for(workers.ask("answer", about(6)), PATIENCE)
        await workers.stop()

    asyncio.run(whole())


# ---- turns in one process


def test_work_with_doubt_lets_quick_work_by() -> None:
    turns, order, begun = Turns(), [], threading.Event()

    def doubt() -> None:
        with turns.turn(doubt=True):
            begun.set()
            while "quick" not in order:
                checkpoint()
                time.sleep(0.001)
            order.append("doubt")

    long = threading.Thread(target=doubt)
    long.start()
    assert begun.wait(PATIENCE)
    with turns.turn(doubt=False), turns.turn(doubt=False):  # a turn within a turn is part of it
        order.append("quick")
    long.join(PATIENCE)
    assert order == ["quick", "doubt"]


def test_a_turn_that_nobody_waits_for_ends_at_its_next_step() -> None:
    stop = threading.Event()
    with pytest.raises(Superseded), Turns().turn(doubt=True, stop=stop):
        checkpoint()
        stop.set()
        checkpoint()
    checkpoint()  # outside of a turn it means nothing


# ---- the end


def request_of(messages: list[str]) -> Any:
    async def receive() -> dict[str, str]:
        if not messages:
            await asyncio.sleep(PATIENCE)
        return {"type": messages.pop(0)}

    return SimpleNamespace(receive=receive)


@pytest.mark.parametrize("messages", [["http.request", "http.disconnect"], ["http.request"]])
def test_work_is_stopped_without_a_word_when_the_reader_or_the_server_goes(messages: list[str]) -> None:
    """Without messages left, the server ends the task of the request."""
    complaints: list[dict[str, Any]] = []
    stopped = threading.Event()

    class Slow(Here):
        def __init__(self) -> None:
            self.explorer = None

    def answered(explorer: Any, name: str, asked: Any, stop: threading.Event) -> bytes:
        assert stop.wait(PATIENCE)
        stopped.set()
        raise Superseded

    async def whole() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        asked = asyncio.create_task(while_wanted(request_of(list(messages)), Slow().ask("answer", {})))
        await asyncio.sleep(0.05)
        if "http.disconnect" not in messages:
            asked.cancel()
        with pytest.raises(Superseded):
            await asked

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("motorpool.web.questions.answered", answered)
        asyncio.run(whole())
    assert stopped.wait(PATIENCE)
    assert complaints == []


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str], Path]]:
    """A server with one process, its address, and what it says of errors."""
    command = [sys.executable, "-P", "-m", "motorpool.web", "--port", "0", "--no-warm-up", "--workers", "1"]
    source = str(Path(__file__).resolve().parents[2] / "src")
    with (tmp_path / "errors").open("w") as errors:
        process = subprocess.Popen(
            [*command, "--folder", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PYTHONPATH": source},
        )
    assert process.stdout is not None
    yield process.stdout.readline().strip(), process, tmp_path / "errors"
    process.kill()
    process.communicate(timeout=20)


def children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes as Linux shows them")
def test_a_server_loses_a_process_and_ends_in_the_middle_of_an_answer_without_a_traceback(
    started: tuple[str, subprocess.Popen[str], Path],
) -> None:
    address, process, errors = started
    asked = f"{address}explore/answer?{urllib.parse.urlencode(INFANT)}"
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        assert "engine" in answer.headers["server-timing"]
        page = json.load(answer)
    described = description_of(INFANT.items()).model_dump(mode="json")
    question = {"description": described, "doubt": False, "narrow": False, "draw": []}
    here = asyncio.run(Here().ask("answer", question))
    assert here.body is not None
    assert page == json.loads(here.body)  # as without processes of its own
    (worker,) = children(process.pid)
    os.kill(worker, signal.SIGKILL)
    gone: list[BaseException] = []

    def late() -> None:
        try:
            urllib.request.urlopen(f"{asked}&doubt=1", timeout=PATIENCE).read()
        except (OSError, urllib.error.URLError) as error:
            gone.append(error)

    reader = threading.Thread(target=late)
    reader.start()
    ends = time.monotonic() + PATIENCE
    while not [one for one in children(process.pid) if one != worker]:
        assert time.monotonic() < ends, "no process came in its place"
        time.sleep(0.05)
    (again,) = children(process.pid)
    time.sleep(0.5)  # it loads what it needs, and has not answered yet
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    reader.join(PATIENCE)
    assert gone
    assert "Traceback" not in errors.read_text()
    ends = time.monotonic() + PATIENCE
    while Path(f"/proc/{again}").exists():
        assert time.monotonic() < ends, "a process of the server outlives it"
        time.sleep(0.05)
