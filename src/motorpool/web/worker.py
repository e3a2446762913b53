"""A process that answers the questions of the web server: `python -m motorpool.web.worker [--warm]`.

Reads lines of JSON (`{"number", "lane", "name", "asked"}`, or `{"cancel": number}`) and writes for each question a line
of JSON, followed by as many bytes as its `length` says. It answers one quick question and one with doubt at a time, the
quick one first, and ends when the server that started it is gone.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from typing import IO, Any

from motorpool.web.questions import answered
from motorpool.web.timing import timing
from motorpool.web.turns import Busy, Superseded

LANES = ("quick", "doubt")


class Worker:
    """Answers what it reads."""

    def __init__(self, replies: IO[bytes]) -> None:
        """Write to this file."""
        from motorpool.web.explore import Explorer

        self.explorer = Explorer()
        self._replies, self._writing = replies, threading.Lock()
        self._waiting: dict[str, queue.SimpleQueue[dict[str, Any]]] = {
            lane: queue.SimpleQueue() for lane in LANES
        }
        self._stops: dict[int, threading.Event] = {}

    def run(self, questions: IO[bytes], *, warm: bool) -> None:
        """Answer until nothing more can come."""
        for lane in LANES:
            threading.Thread(target=self._answer_all, args=(lane,), name=lane, daemon=True).start()
        threading.Thread(target=self._warm_up, args=(warm,), daemon=True).start()
        for line in questions:
            told = json.loads(line)
            if "cancel" in told:
                stop = self._stops.get(told["cancel"])
                if stop is not None:
                    stop.set()
            else:
                self._stops[told["number"]] = threading.Event()
                self._waiting[told["lane"]].put(told)

    def _warm_up(self, warm: bool) -> None:
        from motorpool.web.asking import warmed_up

        if warm:
            warmed_up(self.explorer)
        self._write({"ready": True})

    def _answer_all(self, lane: str) -> None:
        while True:
            told = self._waiting[lane].get()
            number = told["number"]
            head, body = self._answer(told, self._stops[number])
            del self._stops[number]
            self._write({"number": number, **head}, body)

    def _answer(self, told: dict[str, Any], stop: threading.Event) -> tuple[dict[str, Any], bytes]:
        from motorpool.simulation.errors import ScenarioError
        from motorpool.web.problems import UnusableInput, scenario_problems

        try:
            with timing() as times:
                body = answered(self.explorer, told["name"], told["asked"], stop)
        except ScenarioError as error:
            return {"problems": scenario_problems(error)}, b""
        except UnusableInput as error:
            return {"problems": error.problems}, b""
        except (Superseded, Busy) as error:
            return {"refused": type(error).__name__}, b""
        except Exception:
            traceback.print_exc()
            return {"refused": "failed"}, b""
        rounded = {name: round(value, 2) for name, value in times.items()}
        return {"times": rounded, "missing": body is None}, body or b""

    def _write(self, head: dict[str, Any], body: bytes = b"") -> None:
        line = json.dumps({**head, "length": len(body)}).encode() + b"\n"
        with self._writing:
            self._replies.write(line + body)
            self._replies.flush()


def main() -> None:
    """Answer what standard input asks, on standard output; what others print goes to standard error."""
    from motorpool.simulation.api import keep_compiled_programs

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server is told, and then ends this process
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    keep_compiled_programs()
    try:
        Worker(replies).run(sys.stdin.buffer, warm="--warm" in sys.argv[1:])
    finally:
        os._exit(0)  # threads may compute on for seconds, and nobody waits for them


if __name__ == "__main__":
    main()
