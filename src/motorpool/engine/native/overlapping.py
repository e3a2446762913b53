"""The order of instructions, second part: those that wait for one another are spread out.

Made one by one, each number waits for the one before it, and the processor looks only a few dozen instructions ahead
for something else to do. Here every instruction is put where its operands are ready, as early as the order that was
given allows, and never far from its place there: numbers that are made too early fill the registers.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from motorpool.engine.native.ordering import blocks_of, names_in

# Numerical choice: how many lines of the order given are looked at together. Speed changes little from 250 to 800.
WINDOW = 400
# Cycles until a result is ready, by how the instruction begins; others take one.
LATENCIES = {
    "load": 8,
    "fdiv": 14,
    "fadd": 4,
    "fsub": 4,
    "fmul": 4,
    "fcmp": 5,
    "icmp": 5,
    "call": 8,
    "sitofp": 4,
    "uitofp": 4,
    "fptosi": 4,
    "fptoui": 4,
}


def overlapped(lines: Sequence[str]) -> list[str]:
    """The lines of a function's body, block by block, in an order in which fewer instructions wait."""
    return [line for block in blocks_of(lines) for line in _overlapped_block(block)]


def _overlapped_block(block: list[str]) -> list[str]:
    first = 0
    while first < len(block) and (block[first].endswith(":") or " = phi " in block[first]):
        first += 1
    last = len(block)
    while last > first and block[last - 1].startswith("  br "):
        last -= 1
    return [*block[:first], *_spread(block[first:last]), *block[last:]]


def _spread(lines: list[str]) -> list[str]:
    waits_for, needed_by = _dependencies(lines)
    count, done, oldest = len(lines), [False] * len(lines), 0
    # Heaps of places whose operands are ready, and of (cycle, place) whose operands will be ready then.
    possible = [place for place in range(count) if not waits_for[place]]
    coming: list[tuple[int, int]] = []
    ready_at = [0] * count
    cycle = 0
    result: list[str] = []
    while len(result) < count:
        while coming and coming[0][0] <= cycle:
            heapq.heappush(possible, heapq.heappop(coming)[1])
        if not possible or possible[0] >= oldest + WINDOW:
            near = [one for one in coming if one[1] < oldest + WINDOW]
            if near or not possible:
                cycle = max(cycle + 1, min(near or coming)[0])
                continue
        place = heapq.heappop(possible)
        result.append(lines[place])
        done[place] = True
        while oldest < count and done[oldest]:
            oldest += 1
        cycle += 1
        latency = _latency(lines[place])
        for other in needed_by[place]:
            waits_for[other] -= 1
            ready_at[other] = max(ready_at[other], cycle + latency)
            if not waits_for[other]:
                heapq.heappush(coming, (ready_at[other], other))
    return result


def _dependencies(lines: list[str]) -> tuple[list[int], list[list[int]]]:
    """For each line how many others it waits for, and which wait for it. Memory is read and written in turn."""
    made: dict[str, int] = {}
    waits_for: list[int] = []
    needed_by: list[list[int]] = [[] for _ in lines]
    last_store: int | None = None
    loads: list[int] = []
    for place, line in enumerate(lines):
        name, uses = names_in(line)
        before = {made[use] for use in uses if use in made}
        if name is None:  # written for its effect
            before.update(loads, () if last_store is None else (last_store,))
            last_store, loads = place, []
        elif " = load " in line and "!invariant.load" not in line:
            if last_store is not None:
                before.add(last_store)
            loads.append(place)
        if name is not None:
            made[name] = place
        waits_for.append(len(before))
        for other in before:
            needed_by[other].append(place)
    return waits_for, needed_by


def _latency(line: str) -> int:
    operation = line.split(" = ", 1)[-1].split(maxsplit=1)[0]
    return LATENCIES.get(operation, 1)
