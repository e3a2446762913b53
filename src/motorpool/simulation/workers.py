"""Who simulates the parts of a run."""

from __future__ import annotations

from typing import Protocol

from motorpool.simulation.part import Part, Task, Tell, simulate_part


class Workers(Protocol):
    """Simulates parts, some side by side; their results do not depend on which workers these are."""

    @property
    def places(self) -> int:
        """How many parts may be waiting or in work at once."""
        ...

    def submit(self, task: Task) -> None:
        """Take on a part."""
        ...

    def next_part(self, tell: Tell) -> Part:
        """Wait until one of the parts taken on is done.

        ``tell`` may be called with the share done of the part in work.
        """
        ...


class ThisProcess:
    """Simulates one part after the other in this process; the engine uses every core."""

    places = 1

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self._waiting: list[Task] = []

    def submit(self, task: Task) -> None:
        """Take on a part."""
        self._waiting.append(task)

    def next_part(self, tell: Tell) -> Part:
        """Simulate the part taken on first."""
        return simulate_part(self._waiting.pop(0), tell)
