"""Parts of a run with made-up numbers, for tests of what becomes of parts: nothing is simulated."""

from __future__ import annotations

from typing import Any

import numpy as np

from motorpool.simulation.layout import coordinates, dataset_of, dimensions
from motorpool.simulation.part import Facts, Part, Task, Tell
from motorpool.simulation.tally import tally


def made_up_part(task: Task, tell: Tell | None = None) -> Part:
    """A part of as many people as are asked for, with numbers that depend on who they are alone."""
    first, last = task.people or (0, task.scenario.cohort.patients)
    if task.blocks is not None:
        first, last = (block * 128 for block in task.blocks)
        last = last if task.at_most is None else min(last, first + task.at_most)
    people = np.arange(first, last)
    sizes = {name: len(values) for name, values in coordinates(task.scenario, [0], people.size).items()}
    kinds: dict[str, Any] = {
        "alive": bool,
        "milestone_status": bool,
        "excluded": bool,
        "smn2_copies": np.int64,
    }
    arrays: dict[str, Any] = {}
    for name, dims in dimensions(task.scenario).items():
        shape = [sizes[dim] for dim in dims]
        own = people.reshape([-1 if dim == "patient" else 1 for dim in dims])
        arrays[name] = np.broadcast_to((own * 7 + task.draw) % 11, shape).astype(kinds.get(name, np.float32))
    arrays["alive"][:] = True
    arrays["excluded"][:] = False
    arrays["smn2_copies"][:] = 2
    arrays["utility__true"] = arrays["utility__true"] / 11
    if tell is not None:
        tell(0.5)
    counts: dict[str, Any] = {}
    if task.keep_tally:
        counted = tally(dataset_of(task.scenario, arrays, [task.draw]))
        counts = {"moments": counted.moments, "people_by_value": counted.people_by_value}
    facts = Facts(people.size, int(last), {"alive": 1}, float(people.size))
    return Part(task.key, facts, arrays if task.keep_people else {}, counts)
