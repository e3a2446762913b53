"""The simulation: a scenario in, parts of the run out, in memory or on disk, and from them labelled results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from motorpool.simulation.layout import Arrays, dataset_of, joined
from motorpool.simulation.part import Facts, Part, Task
from motorpool.simulation.partition import DrawPlan, Kept
from motorpool.simulation.results import WrongNumbers
from motorpool.simulation.scenario import Scenario
from motorpool.simulation.workers import ThisProcess, Workers
from motorpool.simulation.wrong_numbers import MOST_NAMED

if TYPE_CHECKING:
    import xarray as xr

Progress = Callable[[str, float], None]
Key = tuple[int, int]


class PartStore(Protocol):
    """Keeps finished parts of a run."""

    def write(self, part: Part) -> None:
        """Keep a part."""
        ...

    def read(self, key: Key) -> Part:
        """A part that is kept."""
        ...

    def kept(self) -> Iterator[tuple[Key, Facts]]:
        """Key and facts of every part that is kept."""
        ...


class InMemory:
    """Keeps parts in memory."""

    def __init__(self) -> None:
        """Begin with no part."""
        self._parts: dict[Key, Part] = {}

    def write(self, part: Part) -> None:
        """Keep a part."""
        self._parts[part.key] = part

    def read(self, key: Key) -> Part:
        """A part that is kept."""
        return self._parts[key]

    def kept(self) -> Iterator[tuple[Key, Facts]]:
        """Key and facts of every part that is kept."""
        return ((key, part.facts) for key, part in self._parts.items())


def run(scenario: Scenario, *, progress: Progress | None = None) -> tuple[xr.Dataset, WrongNumbers]:
    """Simulate every arm of a scenario under every draw of what is not known.

    Args:
        scenario: whom to simulate, and how.
        progress: called with a stage in words and the share done, 0 to 1.

    Returns:
        The labelled dataset described in docs/reference/results.md, and who is left out of its summaries.

    Raises:
        ScenarioError: the cohort's criteria cannot be met.
    """
    parts = InMemory()
    plans = simulate_parts(scenario, Kept(people=True, tally=False), parts, ThisProcess(), progress)
    return collect(scenario, plans, parts), wrong_of(plans)


def simulate_parts(
    scenario: Scenario, kept: Kept, parts: PartStore, workers: Workers[Task], progress: Progress | None = None
) -> list[DrawPlan]:
    """Simulate the parts of a run that are not kept yet, and keep them; returns the complete plan of every draw.

    Raises:
        ScenarioError: the cohort's criteria cannot be met.
    """
    plans = [DrawPlan(scenario, draw, kept) for draw in range(scenario.draws)]
    for (draw, number), facts in parts.kept():
        plans[draw].add(number, facts)
    tell = _Teller(plans, progress)
    tell.part(0.0)
    in_work: set[Key] = set()
    open_plans = [plan for plan in plans if not plan.complete]
    while open_plans:
        for plan in open_plans:
            for task in plan.tasks():
                if len(in_work) >= workers.places:
                    break
                if task.key not in in_work:
                    in_work.add(task.key)
                    workers.submit(task)
        part = workers.next_part(tell.part)
        in_work.discard(part.key)
        parts.write(part)
        plans[part.key[0]].add(part.key[1], part.facts)
        tell.part(0.0)
        if plans[part.key[0]].complete:
            open_plans = [plan for plan in open_plans if not plan.complete]
    return plans


def in_order(plans: list[DrawPlan]) -> Iterator[Key]:
    """Keys of all parts with people, draw by draw, in the order of the patients."""
    for plan in plans:
        yield from ((plan.draw, number) for number in plan.in_order if plan.done[number].people)


def collect(scenario: Scenario, plans: list[DrawPlan], parts: PartStore) -> xr.Dataset:
    """The labelled dataset of all people of all parts."""
    draws: list[Arrays] = []
    for plan in plans:
        people = [parts.read(key).people for key in in_order([plan])]
        draws.append(people[0] if len(people) == 1 else joined(scenario, people, "patient"))
    together = draws[0] if len(draws) == 1 else joined(scenario, draws, "draw")
    dataset = dataset_of(scenario, together, range(len(draws)), _cohort_facts(plans))
    dataset.attrs["refused"] = _refused(plans)
    return dataset


def with_cohort_facts(dataset: xr.Dataset, plans: list[DrawPlan]) -> xr.Dataset:
    """The dataset with what is known of how the cohort of each draw was found."""
    return dataset.assign(_cohort_facts(plans)).assign_attrs(refused=_refused(plans))


def _cohort_facts(plans: list[DrawPlan]) -> dict[str, Any]:
    return {
        "tried": ("draw", np.asarray([plan.tried for plan in plans])),
        "effective_sample_size": ("draw", np.asarray([plan.effective_sample_size for plan in plans])),
        "steps_halved": ("draw", np.asarray([plan.steps_halved for plan in plans])),
    }


def _refused(plans: list[DrawPlan]) -> str:
    return json.dumps(plans[0].refused, sort_keys=True)


def wrong_of(plans: list[DrawPlan]) -> WrongNumbers:
    """Whose numbers went wrong in all parts."""
    facts = [plans[draw].done[number] for draw, number in in_order(plans)]
    first = [found for each in facts for found in each.wrong][:MOST_NAMED]
    return WrongNumbers(sum(each.excluded for each in facts), tuple(first))


class _Teller:
    """Says how far a run has come: people done of all people, and parts."""

    def __init__(self, plans: list[DrawPlan], progress: Progress | None) -> None:
        self.plans, self.progress = plans, progress

    def part(self, share: float) -> None:
        """``share``: of the next part that is done already."""
        if self.progress is None:
            return
        done = sum(min(len(plan.done), plan.parts_expected) for plan in self.plans)
        typical = max(plan.parts_expected for plan in self.plans)
        total = sum(plan.parts_expected if plan.done else typical for plan in self.plans)
        if all(plan.complete for plan in self.plans):
            self.progress("simulated", 1.0)
            return
        number = f", part {min(done + 1, total)} of {total}" if total > 1 else ""
        self.progress(f"simulating{number}", min(done + share, total - 0.01) / total)
