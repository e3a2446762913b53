"""Recruitment: virtual people are born, the untreated twin shows type and onset, and those who fit are enrolled.

SMA type is never an input. Candidates are simulated in batches until enough meet every criterion; the report says how
many were tried and why the others did not enter.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.person import Person
from motorpool.cohorts.reweighting import (
    ReweightingError,
    effective_sample_size,
    matching_weights,
    systematic_choice,
)
from motorpool.engine.blocks import BLOCK_PATIENTS
from motorpool.engine.compile_plan import Anchors
from motorpool.outcomes.events import event_draw
from motorpool.outcomes.panel import OUTCOME_INDEX
from motorpool.outcomes.randomness import person_key, stream_seed
from motorpool.simulation.births import Births, take_people
from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.model import Draw
from motorpool.simulation.scenario import Scenario
from motorpool.simulation.screening import Candidates, anchors_of, join_candidates, screen

# Search limits, not findings: how many candidates are tried before a cohort counts as empty.
MOST_TRIED_PER_PATIENT = 400
LEAST_MOST_TRIED = 20_000
POOL_PER_PATIENT = 4
MOST_POOL_PER_PATIENT = 32
ENOUGH_EFFECTIVE_PEOPLE = 200
LEAST_EFFECTIVE_SHARE = 0.1
LEAST_EFFECTIVE_PEOPLE = 20


@dataclasses.dataclass(frozen=True)
class Recruited:
    """The enrolled people and how they were found."""

    people: Candidates
    tried: int
    refused: dict[str, int]
    effective_sample_size: float
    patient_numbers: NDArray[np.int64]

    @property
    def anchors(self) -> Anchors:
        """When enrolment, diagnosis and onset come."""
        return anchors_of(self.people.person, self.people)


def recruit(scenario: Scenario, draw: Draw, tell: Callable[[float], None]) -> Recruited:
    """Enrol the scenario's cohort under one draw of the parameters.

    Args:
        tell: called with the share of the cohort found so far.

    Raises:
        ScenarioError: nobody, or too few, meet the criteria; the message says how many were tried and what refused
            them.
    """
    wanted = scenario.cohort.patients
    targets = {
        name: (criterion.mean, criterion.sd)
        for name, criterion in scenario.cohort.baseline.items()
        if criterion.mean is not None and criterion.sd is not None
    }
    pool = _Pool(scenario, Births(draw, shared=False), tell)
    if not targets:
        pool.fill(wanted, wanted)
        people = take_people(pool.joined(), np.arange(wanted))
        numbers = np.asarray(people.person.identity, np.int64)
        return Recruited(people, int(numbers[-1]) + 1, dict(pool.refused), float(wanted), numbers)
    # A pool unlike the published population carries few people's weight: enlarge it before giving up.
    size = wanted * POOL_PER_PATIENT
    while True:
        pool.fill(size, wanted)
        weights, reason = _weights(pool.joined(), targets)
        enough = weights is not None and effective_sample_size(weights) >= min(
            wanted, ENOUGH_EFFECTIVE_PEOPLE
        )
        if enough or pool.tried >= pool.most or size >= wanted * MOST_POOL_PER_PATIENT:
            break
        size *= 2
    return _reweighted(scenario, pool, weights, reason, targets)


def gather(scenario: Scenario, births: Births, most_tried: int) -> Recruited:
    """Up to the scenario's number of people who meet its criteria, from candidates that studies share.

    Means and SDs asked of a baseline are left to the caller, who weighs people instead of choosing them. Fewer people
    than asked for, or none, are not an error here.
    """
    wanted = scenario.cohort.patients
    pool = _Pool(scenario, births, lambda share: None)
    pool.most, pool.sparing = most_tried, True
    pool.fill(wanted, 0)
    if not pool.found:
        raise ScenarioError.single("cohort", f"nobody of {pool.tried} candidates met the criteria")
    people = take_people(pool.joined(), np.arange(min(wanted, pool.found)))
    numbers = np.asarray(people.person.identity, np.int64)
    return Recruited(people, pool.tried, dict(pool.refused), float(numbers.size), numbers)


class _Pool:
    """People who meet every criterion, found by trying more and more candidates."""

    def __init__(self, scenario: Scenario, births: Births, tell: Callable[[float], None]) -> None:
        self.scenario, self.births, self.tell = scenario, births, tell
        self.sparing = False  # look at no more people than are needed
        self.accepted: list[Candidates] = []
        self.refused: Counter[str] = Counter()
        self.found = self.tried = 0
        self.most = max(LEAST_MOST_TRIED, MOST_TRIED_PER_PATIENT * scenario.cohort.patients)

    def fill(self, size: int, needed: int) -> None:
        """Try candidates until ``size`` people are in the pool; raise ScenarioError when not even ``needed`` are."""
        while self.found < size and self.tried < self.most:
            share = (self.found + 1) / (self.tried + 1) if self.tried else 1.0
            wanted = int(np.clip(np.ceil((size - self.found) / share / BLOCK_PATIENTS), 1, 16))
            wanted = min(wanted, max(1, -(-(self.most - self.tried) // BLOCK_PATIENTS)))
            first = self.tried // BLOCK_PATIENTS
            still = size - self.found if self.sparing else None
            batch, reasons = screen(self.scenario, self.births, range(first, first + wanted), still)
            self.refused.update(reasons)
            if batch is not None:
                self.accepted.append(batch)
                self.found += int(np.asarray(batch.enrolment_hours).shape[-1])
            self.tried += wanted * BLOCK_PATIENTS
            self.tell(min(1.0, self.found / size))
            if self.found == 0 and self.tried >= LEAST_MOST_TRIED:
                break
        if self.found < needed:
            _refuse_cohort(self.found, needed, self.tried, self.refused)

    def joined(self) -> Candidates:
        """Everybody found so far."""
        return join_candidates(self.accepted)


def _refuse_cohort(found: int, wanted: int, tried: int, refused: Counter[str]) -> None:
    why = ", ".join(f"{name} ({count})" for name, count in refused.most_common(4)) or "no criterion"
    who = "nobody" if found == 0 else f"only {found} of the {wanted} people needed"
    message = (
        f"{who} of {tried} candidates met the criteria; most were refused by {why}. Widen these criteria."
    )
    raise ScenarioError.single("cohort", message)


def _baselines(pool: Candidates, names: Iterable[str]) -> dict[str, NDArray[np.float64]]:
    return {name: np.asarray(pool.baseline[OUTCOME_INDEX[name]], np.float64) for name in names}


def _weights(
    pool: Candidates, targets: dict[str, tuple[float, float]]
) -> tuple[NDArray[np.float64] | None, str]:
    """Weights that match the baselines, or None with the reason."""
    try:
        return matching_weights(_baselines(pool, targets), targets), ""
    except ReweightingError as error:
        return None, str(error)


def _reweighted(
    scenario: Scenario,
    pool: _Pool,
    weights: NDArray[np.float64] | None,
    reason: str,
    targets: dict[str, tuple[float, float]],
) -> Recruited:
    """Choose the cohort from the pool by its weights; repeated people get luck of their own."""
    everyone, wanted = pool.joined(), scenario.cohort.patients
    if weights is None:
        values = _baselines(everyone, targets)
        means = ", ".join(
            f"{name} {values[name].mean():.1f} (SD {values[name].std():.1f})" for name in targets
        )
        message = f"cannot be matched: {reason}. The {pool.found} people who qualify have {means}"
        raise ScenarioError.single("cohort.baseline", message)
    effective = effective_sample_size(weights)
    least = max(LEAST_EFFECTIVE_PEOPLE, LEAST_EFFECTIVE_SHARE * wanted)
    if effective < min(least, wanted):
        message = (
            f"would rest on an effective sample of {effective:.0f} people; at least {least:.0f} are needed"
        )
        raise ScenarioError.single("cohort.baseline", message)
    index = systematic_choice(weights, wanted)
    chosen: Candidates = take_people(everyone, index)
    repeats = np.arange(wanted) - np.searchsorted(index, index)  # index is rising
    numbers = np.asarray(chosen.person.identity, np.int64) + repeats * (1 << 24)
    people = _own_luck(chosen, repeats, numbers, scenario)
    return Recruited(people, pool.tried, dict(pool.refused), effective, numbers)


def _own_luck(
    people: Candidates, repeats: NDArray[Any], numbers: NDArray[Any], scenario: Scenario
) -> Candidates:
    """Give the second and later copies of a person other infections and event draws after enrolment."""
    keys = person_key(jax.random.key(scenario.seed), jnp.asarray(numbers))
    chance = scenario.uncertainty.chance
    events = stream_seed(keys, "events")
    again = repeats > 0
    hazard = people.state.cumulative_hazard

    def later(name: str, row: int, old: Any) -> Any:
        fresh = np.asarray(event_draw(events, name, chance=chance, dtype=old.dtype))
        return np.where(again, hazard[row] + fresh, old)

    fields = {name: getattr(people.person, name) for name in Person.__dataclass_fields__}
    fields["death_draw"] = later("death", 0, people.person.death_draw)
    tube = later("tube_feeding", 1, people.person.tube_feeding_draw)
    fields["tube_feeding_draw"] = np.where(
        people.state.tube_placed > 0.5, people.person.tube_feeding_draw, tube
    )
    fields["seed"] = np.where(again, np.asarray(stream_seed(keys, "therapy_calendar")), people.person.seed)
    infections = np.asarray(stream_seed(keys, "respiratory_infections"))
    return dataclasses.replace(
        people,
        person=Person(**fields),
        infection_seed=np.where(again, infections, people.infection_seed),
    )
