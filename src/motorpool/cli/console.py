"""What a person at a terminal sees while waiting: progress on standard error, results on standard output."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

ProgressCallback = Callable[[str, float], None]
PLAIN_STEPS = 4
PLAIN_SECONDS = 60.0  # a long run says something at least so often


class InputProblem(ValueError):
    """Something the user asked for cannot be done; the message says what is possible."""

    exit_code = 2


def say(message: str) -> None:
    """Write one line to standard error."""
    print(message, file=sys.stderr, flush=True)


@contextmanager
def progress_display(quiet: bool = False) -> Generator[ProgressCallback, None, None]:
    """Give a callback (stage, fraction done from 0 to 1) that shows each stage with the time left.

    On a terminal: a bar per stage. Elsewhere: a few plain lines, so that a log stays readable.
    """
    if quiet:
        yield lambda stage, fraction: None
    elif sys.stderr.isatty():
        yield from _bars()
    else:
        yield _plain_lines()


def _bars() -> Generator[ProgressCallback, None, None]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("starting", total=1.0)

        def show(stage: str, fraction: float) -> None:
            done = min(max(fraction, 0.0), 1.0)
            if done < progress.tasks[0].completed:  # another piece of work begins
                progress.reset(task)
            progress.update(task, description=stage, completed=done)

        yield show


def _plain_lines() -> ProgressCallback:
    started, before, shown, last = time.monotonic(), 0.0, -1, 0.0

    def show(stage: str, fraction: float) -> None:
        nonlocal started, before, shown, last
        now = time.monotonic()
        done = min(max(fraction, 0.0), 1.0)
        if done < before:  # another piece of work begins; within one, stages share the fraction
            started, shown = now, -1
        before = done
        step = int(done * PLAIN_STEPS)
        if step <= shown and now - last < PLAIN_SECONDS:
            return
        shown, last = step, now
        left = f", about {duration((now - started) / done * (1.0 - done))} left" if 0.0 < done < 1.0 else ""
        say(f"{stage}: {100.0 * done:.0f} %{left}")

    return show


def duration(seconds: float) -> str:
    """A time in words, in the two largest units that matter."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    hours = whole // 3600
    return f"{hours} h {whole % 3600 // 60} min" if hours < 48 else f"{hours // 24} days {hours % 24} h"


def aligned(rows: list[tuple[str, ...]]) -> str:
    """Rows of text as columns padded with spaces; the last column is not padded."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines: list[str] = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
        lines.append("  ".join([*cells, row[-1]]).rstrip())
    return "\n".join(lines)
