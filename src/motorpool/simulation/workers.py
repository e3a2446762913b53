"""Who simulates the parts of a run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, Protocol, TypeVar

from motorpool.engine.native.program import workers as cores
from motorpool.simulation.part import Part, Task, Tell, simulate_part

TaskT = TypeVar("TaskT")
TaskIn = TypeVar("TaskIn", contravariant=True)


class Workers(Protocol[TaskIn]):
    """Simulates parts, some side by side; their results do not depend on which workers these are."""

    @property
    def places(self) -> int:
        """How many parts may be waiting or in work at once."""
        ...

    def submit(self, task: TaskIn) -> None:
        """Take on a part."""
        ...

    def next_part(self, tell: Tell) -> Part:
        """Wait until one of the parts taken on is done.

        ``tell`` may be called with the share done of the part in work.
        """
        ...


class InTurn(Generic[TaskT]):
    """Simulates one part after the other in this process."""

    places = 1

    def __init__(self, simulate: Callable[[TaskT, Tell], Part]) -> None:
        """Begin with nothing to do."""
        self._simulate = simulate
        self._waiting: list[TaskT] = []

    def submit(self, task: TaskT) -> None:
        """Take on a part."""
        self._waiting.append(task)

    def next_part(self, tell: Tell) -> Part:
        """Simulate the part taken on first."""
        return self._simulate(self._waiting.pop(0), tell)


class ThisProcess:
    """Simulates the parts of a run in this process, as many side by side as it may use cores.

    Machine code runs without Python's lock, so that one part's lives are simulated while another is counted. The first
    part, and one that is alone, has every core to itself: programs are compiled once, and its progress can be told.
    """

    def __init__(self, threads: int | None = None) -> None:
        """Begin with nothing to do; ``threads``: how many parts side by side, by default one for each core."""
        self._threads = threads or cores()
        self._simulate: Callable[[Task, Tell], Part] = simulate_part
        self._waiting: list[Task] = []
        self._in_work: set[Future[Part]] = set()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="motorpool-part")
        self._begun = False

    @property
    def places(self) -> int:
        """How many parts may be waiting or in work at once: one waits, so that nobody is idle."""
        return 1 if self._threads == 1 else self._threads + 1

    def submit(self, task: Task) -> None:
        """Take on a part."""
        self._waiting.append(task)

    def next_part(self, tell: Tell) -> Part:
        """Wait until one of the parts taken on is done."""
        alone = len(self._waiting) == 1 and not self._in_work
        if self._threads == 1 or alone or not self._begun:
            self._begun = True
            return self._simulate(self._waiting.pop(0), tell)
        for task in self._waiting:
            self._in_work.add(self._pool.submit(self._simulate, task, _silent))
        self._waiting.clear()
        try:
            done = wait(self._in_work, return_when=FIRST_COMPLETED).done.pop()
            self._in_work.remove(done)
            return done.result()
        except BaseException:  # parts that wait need not begin
            self._pool.shutdown(wait=False, cancel_futures=True)
            raise


def _silent(share: float) -> None:
    """Progress of a part beside others, which is not told."""
