"""Cuts a run into parts: which people of which draw are simulated together.

The cut depends on the scenario alone. A cohort of at most `part_people` is one part for each draw. A larger one is
cut along the candidates: the first part looks at a fixed number of them, and how many of these fit sets how many
candidates each later part looks at, so that it holds about `part_people`. The patients of a draw are those who fit,
in the order of the candidates, whoever computes the parts and in whatever order. A large cohort with baseline means
and SDs is chosen as a whole first, because everybody's weight depends on everybody else.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from motorpool.engine.blocks import BLOCK_PATIENTS
from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.part import BLOCKS_TOGETHER, Facts, Task
from motorpool.simulation.recruit import LEAST_MOST_TRIED, MOST_TRIED_PER_PATIENT
from motorpool.simulation.scenario import Scenario

PART_PEOPLE = 8192
PART_PEOPLE_VISITS = (
    1 << 19
)  # fewer people where arms and visits are many, so that every part has a like size
MOST_BLOCKS = 4096  # candidates that one part looks at, in blocks


@dataclass(frozen=True)
class Kept:
    """What a run keeps: everybody's results, the counts for summaries, or both."""

    people: bool
    tally: bool


def part_people(scenario: Scenario) -> int:
    """About how many people a part of this scenario holds."""
    fitting = PART_PEOPLE_VISITS // (len(scenario.arms) * len(scenario.visit_months()))
    return max(BLOCK_PATIENTS, min(PART_PEOPLE, 1 << fitting.bit_length() >> 1))


class DrawPlan:
    """The parts of one draw: which are done, and which are still to be simulated."""

    def __init__(self, scenario: Scenario, draw: int, kept: Kept) -> None:
        """Begin with no part done."""
        self.scenario, self.draw, self.kept = scenario, draw, kept
        self.wanted: int = scenario.cohort.patients
        matched = any(criterion.mean is not None for criterion in scenario.cohort.baseline.values())
        self.part_people: int = part_people(scenario)
        self.whole: bool = matched or self.wanted <= self.part_people  # recruited at once
        self.done: dict[int, Facts] = {}

    def add(self, number: int, facts: Facts) -> None:
        """A part is done."""
        self.done[number] = facts

    @property
    def in_order(self) -> list[int]:
        """Parts done, from the first to the one before the first that is missing or holds more than are wanted."""
        people, numbers = 0, list[int]()
        while people < self.wanted and (facts := self.done.get(len(numbers))) is not None:
            people += facts.people
            if people > self.wanted:
                break
            numbers.append(len(numbers))
        return numbers

    @property
    def steps_halved(self) -> int:
        """People who were simulated again in shorter steps, in the parts that are done in order."""
        return sum(self.done[number].steps_halved for number in self.in_order)

    @property
    def people(self) -> int:
        """People in the parts that are done in order."""
        return sum(self.done[number].people for number in self.in_order)

    @property
    def complete(self) -> bool:
        """Whether everybody has been simulated."""
        return self.people == self.wanted

    def tasks(self) -> Iterator[Task]:
        """Parts that may be simulated now, the first missing one first; only this one is sure to be needed.

        Raises:
            ScenarioError: too few people meet the criteria.
        """
        if self.whole:
            yield from self._slices()
            return
        if self.complete:
            return
        first = len(self.in_order)
        missing = self.wanted - self.people
        self._refuse_hopeless(first)
        yield self._task(first, blocks=self._blocks(first), at_most=missing)
        if first == 0:
            return
        expected = self._expected_people
        for number in range(first + 1, first + max(1, round(missing / expected))):
            if number not in self.done:
                yield self._task(number, blocks=self._blocks(number))

    @property
    def parts_expected(self) -> int:
        """How many parts the draw will have, as far as can be told."""
        if self.whole or not self.done:
            return -(-self.wanted // self.part_people)
        missing = self.wanted - self.people
        return len(self.in_order) + (max(1, round(missing / self._expected_people)) if missing else 0)

    @property
    def tried(self) -> int:
        """Candidates up to the last person."""
        return self.done[self.in_order[-1]].tried

    @property
    def refused(self) -> dict[str, int]:
        """Candidates by the criterion that refused them."""
        total: Counter[str] = Counter()
        for number in self.in_order[: 1 if self.whole else None]:
            total.update(self.done[number].refused)
        return dict(total)

    @property
    def effective_sample_size(self) -> float:
        """What the cohort is worth after reweighting."""
        return self.done[0].effective_sample_size if self.whole else float(self.wanted)

    def _slices(self) -> Iterator[Task]:
        for number in range(-(-self.wanted // self.part_people)):
            if number not in self.done:
                people = (number * self.part_people, min(self.wanted, (number + 1) * self.part_people))
                yield self._task(number, people=None if self.wanted <= self.part_people else people)

    def _task(
        self,
        number: int,
        *,
        blocks: tuple[int, int] | None = None,
        people: tuple[int, int] | None = None,
        at_most: int | None = None,
    ) -> Task:
        kept = self.kept
        return Task(self.scenario, self.draw, number, blocks, people, at_most, kept.people, kept.tally)

    @property
    def _first_blocks(self) -> int:
        return _whole_batches(self.part_people / BLOCK_PATIENTS)

    @property
    def _share(self) -> float:
        """Share of the first part's candidates who fit; at least as if one person had."""
        return max(1, self.done[0].people if 0 in self.done else 1) / (self._first_blocks * BLOCK_PATIENTS)

    @property
    def _later_blocks(self) -> int:
        return min(MOST_BLOCKS, _whole_batches(self.part_people / (self._share * BLOCK_PATIENTS)))

    @property
    def _expected_people(self) -> float:
        return self._later_blocks * BLOCK_PATIENTS * self._share

    def _blocks(self, number: int) -> tuple[int, int]:
        if number == 0:
            return 0, self._first_blocks
        begin = self._first_blocks + (number - 1) * self._later_blocks
        return begin, begin + self._later_blocks

    def _refuse_hopeless(self, first: int) -> None:
        tried = self._blocks(first)[0] * BLOCK_PATIENTS
        most = max(LEAST_MOST_TRIED, MOST_TRIED_PER_PATIENT * self.wanted)
        if tried >= most or (tried >= LEAST_MOST_TRIED and self.people == 0):
            why = ", ".join(f"{name} ({count})" for name, count in Counter(self.refused).most_common(4))
            message = (
                f"only {self.people} of the {self.wanted} people needed were found among {tried} candidates; most "
                f"were refused by {why or 'no criterion'}. Widen these criteria."
            )
            raise ScenarioError.single("cohort", message)


def _whole_batches(blocks: float) -> int:
    """Blocks up to the next multiple of those screened together, so that every cut has the same batches."""
    return math.ceil(blocks / BLOCKS_TOGETHER) * BLOCKS_TOGETHER
