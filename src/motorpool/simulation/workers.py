"""Who simulates the parts of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

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


class ThisProcess(InTurn[Task]):
    """Simulates the parts of a run in this process; the engine uses every core."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        super().__init__(simulate_part)
