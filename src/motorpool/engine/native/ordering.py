"""The order of instructions: each number is made just before it is needed, so that few wait in memory.

Equations on arrays make one number of every element before the next operation begins. Written in that order nearly
every number would be stored and read again; written element by element most stay in registers.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

_NAME = re.compile(r"%[\w.]+")
_RESULT = re.compile(r"\s+(%[\w.]+) = (.*)")
_KEEPS_PLACE = ("phi ", "load ")  # a load of memory that may change stays between its stores


LINES_REMEMBERED = 1 << 17  # each line of a program is taken apart several times


def ordered(lines: list[str]) -> list[str]:
    """The lines of a function's body in a better order; what nothing needs is left out."""
    blocks = list(blocks_of(lines))
    used_elsewhere = _used_in_other_blocks(blocks)
    return [line for block in blocks for line in _ordered_block(block, used_elsewhere)]


def blocks_of(lines: Sequence[str]) -> Iterator[list[str]]:
    """The lines of each block."""
    block: list[str] = []
    for line in lines:
        if line.endswith(":") and block:
            yield block
            block = []
        block.append(line)
    yield block


@functools.lru_cache(maxsize=LINES_REMEMBERED)
def names_in(line: str) -> tuple[str | None, tuple[str, ...]]:
    """The name that a line gives a value, and the names it uses."""
    match = _RESULT.match(line)
    if match:
        return match.group(1), tuple(_NAME.findall(match.group(2)))
    return None, tuple(_NAME.findall(line))


def _used_in_other_blocks(blocks: list[list[str]]) -> set[str]:
    home: dict[str, int] = {}
    for number, block in enumerate(blocks):
        for line in block:
            name, _ = names_in(line)
            if name is not None:
                home[name] = number
    found: set[str] = set()
    for number, block in enumerate(blocks):
        for line in block:
            uses = names_in(line)[1]
            if " = phi " in line:  # its values are needed at the end of the blocks they come from
                found.update(use for use in uses if use in home)
            else:
                found.update(use for use in uses if home.get(use, number) != number)
    return found


def _ordered_block(block: list[str], used_elsewhere: set[str]) -> list[str]:
    made: dict[str, tuple[str, tuple[str, ...]]] = {}
    done: set[str] = set()
    result: list[str] = []

    def bring(wanted: str) -> None:
        """Write what ``wanted`` needs, then ``wanted``, without recursion: chains are long."""
        waiting = [wanted]
        while waiting:
            name = waiting[-1]
            if name in done or name not in made:
                waiting.pop()
                continue
            line, uses = made[name]
            missing = [use for use in uses if use in made and use not in done]
            if missing:
                waiting.extend(reversed(missing))
                continue
            waiting.pop()
            done.add(name)
            result.append(line)

    last = block[-1]
    for line in block:
        name, uses = names_in(line)
        stays = name is None or (
            line.split(" = ", 1)[1].startswith(_KEEPS_PLACE) and "!invariant.load" not in line
        )
        if not stays and name is not None:
            made[name] = (line, uses)
            continue
        if line is last:
            for other in made:
                if other in used_elsewhere:
                    bring(other)
        for use in uses:
            bring(use)
        result.append(line)
        if name is not None:
            done.add(name)
    return result
