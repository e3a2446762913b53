"""Errors that a user can put right: what is wrong in a scenario, where, and what is allowed instead."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_SHORT.maxlong = 30
_SHORT.maxlist = _SHORT.maxdict = _SHORT.maxtuple = 3
_SHORT.maxlevel = 2

NO_VALUE = object()
HUGE = 10**15


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: path in the file ('cohort.patients'), what is allowed, value found, nearest name."""

    path: str
    message: str
    value: object = NO_VALUE
    nearest: str | None = None

    def __str__(self) -> str:
        shown = "" if self.value is NO_VALUE else f"{short_text(self.value)} "
        hint = f" Did you mean {self.nearest}?" if self.nearest else ""
        message = f"{shown}{self.message}".strip()
        full_stop = "" if message.endswith((".", "?")) else "."
        return f"{self.path}: {message}{full_stop}{hint}" if self.path else f"{message}{full_stop}{hint}"


class ScenarioError(ValueError):
    """A scenario that cannot be run; `problems` lists everything that is wrong, `source` names the file."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem], source: str = "scenario") -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.source: str = source
        super().__init__(self._text())

    @classmethod
    def single(
        cls,
        path: str,
        message: str,
        *,
        value: object = NO_VALUE,
        nearest: str | None = None,
        source: str = "scenario",
    ) -> ScenarioError:
        """An error about one thing, for example an empty cohort found while sampling people."""
        return cls([Problem(path, message, value, nearest)], source)

    def _text(self) -> str:
        if len(self.problems) == 1:
            return f"{self.source}: {self.problems[0]}"
        lines = [f"{self.source}: {len(self.problems)} problems"]
        lines += [f"  {problem}" for problem in self.problems]
        return "\n".join(lines)

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Problem, ...], str]]:
        return type(self), (self.problems, self.source)


class OutputFolderError(ValueError):
    """A folder cannot be used for results."""

    exit_code = 2


class ClusterError(RuntimeError):
    """Other machines cannot be used, or were lost."""

    exit_code = 2


def short_text(value: object) -> str:
    """A value as it would be written in YAML, cut to a readable length; never fails on huge numbers."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) and abs(value) >= HUGE:
        return "a huge number"
    if isinstance(value, float):
        return f"{value:g}"
    try:
        return _SHORT.repr(value)
    except Exception:
        return f"a {type(value).__name__}"
