"""One part of a run: some people under one draw of the parameters, found and simulated in every arm.

A part depends on the scenario alone, never on who computes it, when, or beside what. It is a task that any process
can do, and its result is plain numbers that can be kept in a file or sent over a network.
"""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from motorpool.engine.blocks import BLOCK_PATIENTS
from motorpool.simulation.arm import ArmResults, simulate_arm
from motorpool.simulation.births import Births, reads_twins, take_people
from motorpool.simulation.layout import Arrays, arrays_of, in_final_order, plain_of
from motorpool.simulation.memory import give_back_memory
from motorpool.simulation.model import Draw, parameter_draw
from motorpool.simulation.recruit import Recruited, recruit
from motorpool.simulation.scenario import Scenario
from motorpool.simulation.screening import Candidates, join_candidates, screen
from motorpool.simulation.tally import tally
from motorpool.simulation.wrong_numbers import Found, wrong_numbers

BLOCKS_TOGETHER = (
    16  # screened at once; the reasons of refusals are counted up to the last of these that is needed
)
RECRUITING_SHARE = 0.4  # of the time of a part

Tell = Callable[[float], None]


@dataclass(frozen=True)
class Task:
    """What is to be simulated.

    Attributes:
        draw: which draw of the parameters, from 0.
        number: which part of the draw, from 0.
        blocks: the blocks of candidates that are looked at, from one to before another; None where the whole cohort
            is recruited at once.
        people: of a cohort recruited at once, which people this part holds, from one to before another; None for all.
        at_most: of the people found in the blocks, how many are wanted; None when all of them are.
        keep_people: keep everybody's results.
        keep_tally: keep the counts from which summaries are made.
    """

    scenario: Scenario
    draw: int
    number: int
    blocks: tuple[int, int] | None
    people: tuple[int, int] | None
    at_most: int | None
    keep_people: bool
    keep_tally: bool

    @property
    def whole(self) -> bool:
        """Whether the part holds the whole cohort of its draw."""
        return self.blocks is None and self.people is None

    @property
    def key(self) -> tuple[int, int]:
        """Draw and number, which name the part within its run."""
        return self.draw, self.number


@dataclass(frozen=True)
class Facts:
    """What the run has to know of a part, besides its numbers.

    Attributes:
        people: how many it holds.
        tried: candidates tried from the first of the draw to the last person of this part.
        refused: candidates of this part by the criterion that refused them.
        effective_sample_size: what these people, or a cohort recruited at once, are worth after reweighting.
        excluded: how many people's numbers went wrong.
        wrong: what went wrong, for the first of them.
        steps_halved: how many people were simulated again in shorter steps in any arm, because the error was too large.
    """

    people: int
    tried: int
    refused: dict[str, int]
    effective_sample_size: float
    excluded: int = 0
    wrong: list[Found] = field(default_factory=list[Found])
    steps_halved: int = 0


@dataclass(frozen=True)
class Part:
    """A simulated part: its facts, everybody's arrays (or none) and the tally's (or none)."""

    key: tuple[int, int]
    facts: Facts
    people: Arrays
    counts: Arrays


def simulate_part(task: Task, tell: Tell | None = None) -> Part:
    """Find the people of a part and simulate them in every arm.

    Args:
        task: which part of which run.
        tell: called with the share done, 0 to 1.

    Raises:
        ScenarioError: the cohort's criteria cannot be met.
    """
    say = tell or (lambda share: None)
    scenario = task.scenario
    draw = _parameters(task.draw if scenario.uncertainty.knowledge_draws else None, scenario.seed)
    cohort = _cohort(task, draw, lambda share: say(RECRUITING_SHARE * share))
    people = int(cohort.patient_numbers.size)
    if not people:
        return Part(task.key, Facts(0, cohort.tried, cohort.refused, 0.0), {}, {})
    arms: list[ArmResults] = []
    for index, arm in enumerate(scenario.arms):
        say(RECRUITING_SHARE + (1 - RECRUITING_SHARE) * index / len(scenario.arms))
        arms.append(simulate_arm(scenario, arm, cohort, draw))
    excluded, named = wrong_numbers(scenario, arms, cohort.patient_numbers)
    arrays = {**arrays_of(scenario, cohort, arms), "excluded": excluded[None]}
    counts: Arrays = {}
    if task.keep_tally:
        counted = tally(plain_of(scenario, arrays, task.draw))
        counts = {"moments": counted.moments, "people_by_value": counted.people_by_value}
    facts = Facts(
        people,
        cohort.tried,
        cohort.refused,
        cohort.effective_sample_size,
        int(excluded.sum()),
        [{"draw": task.draw, **each} for each in named],
        int(np.any([arm.halvings > 0 for arm in arms], axis=0).sum()),
    )
    part = Part(task.key, facts, in_final_order(scenario, arrays) if task.keep_people else {}, counts)
    if not task.whole:
        del cohort, arms, arrays
        give_back_memory()
    return part


@functools.lru_cache(maxsize=4)  # the parts of a draw share it
def _parameters(number: int | None, seed: int) -> Draw:
    return parameter_draw(number, seed)


def _cohort(task: Task, draw: Draw, tell: Tell) -> Recruited:
    scenario = task.scenario
    if task.blocks is not None:
        return _walk(task, draw, tell)
    if task.people is None:
        return recruit(scenario, draw, tell)
    whole = _whole_cohort(scenario.model_dump_json(), task.draw)
    index = np.arange(*task.people)
    return replace(
        whole, people=take_people(whole.people, index), patient_numbers=whole.patient_numbers[index]
    )


_choosing = threading.Lock()  # parts side by side wait for one choice instead of each making its own


def _whole_cohort(scenario: str, number: int) -> Recruited:
    """A cohort too large for one part that has to be chosen as a whole."""
    with _choosing:
        return _chosen(scenario, number)


@functools.lru_cache(maxsize=1)
def _chosen(scenario: str, number: int) -> Recruited:
    whole = Scenario.model_validate_json(scenario)
    draw = _parameters(number if whole.uncertainty.knowledge_draws else None, whole.seed)
    return recruit(whole, draw, lambda share: None)


def _walk(task: Task, draw: Draw, tell: Tell) -> Recruited:
    """Those of the task's blocks of candidates who meet every criterion, in the order of the candidates."""
    first, stop = task.blocks or (0, 0)
    twins = task.keep_people or reads_twins(task.scenario)
    entered: list[Candidates] = []
    refused: Counter[str] = Counter()
    found = 0
    for begin in range(first, stop, BLOCKS_TOGETHER):
        # Nobody is born twice: earlier blocks are not needed again, and would fill the memory.
        births = Births(draw, shared=False, twins=twins)
        batch, reasons = screen(task.scenario, births, range(begin, min(begin + BLOCKS_TOGETHER, stop)))
        refused.update(reasons)
        if batch is not None:
            entered.append(batch)
            found += int(np.asarray(batch.enrolment_hours).shape[-1])
        tell((begin - first) / (stop - first))
        if task.at_most is not None and found >= task.at_most:
            break
    wanted = found if task.at_most is None else min(found, task.at_most)
    if not wanted:
        nobody: Any = None
        return Recruited(nobody, stop * BLOCK_PATIENTS, dict(refused), 0.0, np.zeros(0, np.int64))
    people = take_people(join_candidates(entered), np.arange(wanted))
    numbers = np.asarray(people.person.identity, np.int64)
    complete = task.at_most is not None and found >= task.at_most
    tried = int(numbers[-1]) + 1 if complete else stop * BLOCK_PATIENTS
    return Recruited(people, tried, dict(refused), float(wanted), numbers)
