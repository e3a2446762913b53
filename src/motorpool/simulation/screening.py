"""Screening: candidates are carried to their enrolment, and those who meet the criteria stay."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.person import Person
from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH, Array
from motorpool.engine.blocks import BLOCK_PATIENTS, Setting, Span, begin_life, live
from motorpool.engine.compile_plan import Anchors, cell_protocol, compile_plan, planned_jumps
from motorpool.engine.dosing import NEVER_HOURS
from motorpool.engine.grid import FIRST_HOUR, last_rows, life_boundaries, personal_grid
from motorpool.engine.state import State
from motorpool.evidence.outcome_catalogue import load_event_catalogue
from motorpool.outcomes.milestones import MilestoneWatch
from motorpool.outcomes.panel import MILESTONE_INDEX, OUTCOME_INDEX, OUTCOMES
from motorpool.outcomes.randomness import person_key, stream_seed
from motorpool.simulation.births import CARE, Births, Whole, take_people
from motorpool.simulation.measuring import measured
from motorpool.simulation.model import Draw
from motorpool.simulation.scenario import Scenario

PEOPLE_TOGETHER = 256


@dataclasses.dataclass(frozen=True)
class Candidates:
    """A batch of people with what recruitment knows of them; every array ends with the patients' axis.

    ``state`` is the body at enrolment; ``milestones`` what has been seen of them until then.
    """

    person: Person
    infection_seed: Any
    onset_hours: Any
    diagnosis_hours: Any
    enrolment_hours: Any
    sma_type: Any
    smn2_copies: Any
    baseline: Any
    state: State
    milestones: MilestoneWatch


jax.tree_util.register_dataclass(Candidates)


def join_candidates(batches: list[Candidates]) -> Candidates:
    """One batch of candidates from several."""
    return jax.tree.map(lambda *leaves: np.concatenate(leaves, axis=-1), *batches)


def screen(
    scenario: Scenario, births: Births, blocks: Sequence[int], needed: int | None = None
) -> tuple[Candidates | None, Counter[str]]:
    """Those of these blocks of candidates who meet every criterion, and why the others do not.

    ``needed``: stop looking at people when so many are found (the reasons then tell only of those looked at).
    """
    cohort, draw = scenario.cohort, births.draw
    reasons: Counter[str] = Counter()
    newborns = births.of(scenario, blocks)
    born, onset, kind = newborns.born, newborns.onset_hours, newborns.sma_type
    person, infections, smn2 = born.person, born.infection_seed, np.asarray(born.smn2_copies)
    diagnosis = _diagnosis_hours(scenario, onset, np.asarray(born.diagnosis_luck, np.float64))
    enrolment = _enrolment_hours(scenario, onset, diagnosis, np.asarray(born.enrolment_luck, np.float64))

    keep = np.ones(onset.shape, bool)

    def require(name: str, condition: NDArray[np.bool_]) -> None:
        reasons[name] += int((keep & ~condition).sum())
        np.logical_and(keep, condition, out=keep)

    require("enrolment (no onset or diagnosis)", enrolment < NEVER_HOURS)
    if cohort.sma_type is not None:
        require("sma_type", np.isin(kind, cohort.sma_type))
    months = onset / HOURS_PER_MONTH
    if cohort.onset_age_months is not None:
        require("onset_age_months", _within(months, cohort.onset_age_months, onset < NEVER_HOURS))
    if cohort.disease_duration_months is not None:
        duration = (enrolment - onset) / HOURS_PER_MONTH
        known = onset < NEVER_HOURS
        require("disease_duration_months", _within(duration, cohort.disease_duration_months, known))
    kept = np.flatnonzero(keep)
    if kept.size == 0:
        return None, reasons
    facts = (infections, onset, diagnosis, enrolment, kind, smn2)
    entered: list[Candidates] = []
    found = 0
    # Life up to enrolment is simulated for no more people than are needed, some at a time.
    together = PEOPLE_TOGETHER if needed else kept.size
    for begin in range(0, kept.size, together):
        part = kept[begin : begin + together]
        # People of like age lie side by side, so that none waits long for neighbours who live longer.
        order = np.argsort(enrolment[part], kind="stable")
        part = part[order]
        people = to_enrolment(
            scenario, draw, take_people(person, part), *[take_people(fact, part) for fact in facts]
        )
        index = _entry_criteria(scenario, people, reasons)
        if index.size:
            index = index[np.argsort(order[index])]  # in the order of the candidates again
            entered.append(take_people(people, index))
            found += index.size
        if needed and found >= needed:
            break
    return (join_candidates(entered) if entered else None), reasons


def _within(value: NDArray[Any], span: Any, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    low = -np.inf if span.min is None else span.min
    high = np.inf if span.max is None else span.max
    return known & (value >= low) & (value <= high)


def _diagnosis_hours(scenario: Scenario, onset: Whole, luck: NDArray[np.float64]) -> Whole:
    diagnosis = scenario.cohort.diagnosis
    if diagnosis is None:
        return onset
    if diagnosis.age_days is not None:
        return np.round(diagnosis.age_days.quantile(luck) * HOURS_PER_DAY).astype(np.int32)
    delay = np.zeros(onset.shape) if diagnosis.delay_months is None else diagnosis.delay_months.quantile(luck)
    found = onset + np.round(delay * HOURS_PER_MONTH)
    return np.where(onset < NEVER_HOURS, np.minimum(found, NEVER_HOURS), NEVER_HOURS).astype(np.int32)


def _enrolment_hours(scenario: Scenario, onset: Whole, diagnosis: Whole, luck: NDArray[np.float64]) -> Whole:
    enrolment = scenario.cohort.enrolment
    since = np.round(enrolment.spread.quantile(luck) * enrolment.hours_per_unit)
    anchor = {"age": np.zeros_like(onset), "diagnosis": diagnosis, "onset": onset}[enrolment.kind]
    return np.where(anchor < NEVER_HOURS, anchor + since, NEVER_HOURS).astype(np.int32)


def to_enrolment(
    scenario: Scenario,
    draw: Draw,
    person: Person,
    infections: Any,
    onset: Whole,
    diagnosis: Whole,
    enrolment: Whole,
    kind: Whole,
    smn2: NDArray[Any],
) -> Candidates:
    """Carry people from before birth to their own enrolment, under the background courses."""
    patients = enrolment.shape[0]
    background = scenario.cohort.background
    anchors = Anchors(enrolment, diagnosis, onset, np.asarray(person.aav9_antibodies) > 0.5)
    plan = compile_plan(background, anchors)
    base = life_boundaries(int(enrolment.max()))
    first = np.full(patients, FIRST_HOUR, np.int32)
    jumps = planned_jumps(background, anchors, enrolment)
    everyones = np.repeat(base[:, None], patients, axis=1)
    grid = personal_grid(everyones, jumps, first, enrolment)
    setting = Setting(np.float32(CARE[scenario.care]), cell_protocol(background), draw.model)
    span = Span(grid, person, infections, plan)
    chance = scenario.uncertainty.chance
    life, row = live(begin_life(span, setting), last_rows(grid)[None], span, setting, chance=chance)
    seed = patient_seed(scenario.seed, np.asarray(person.identity), "observation")
    true, now = np.asarray(row.outcomes), np.zeros(1, np.int32)
    baseline = measured(true, now, seed, seed, draw.observation, 0.0, noise=chance)[0]
    return Candidates(
        person=jax.tree.map(np.asarray, person),
        infection_seed=np.asarray(infections),
        onset_hours=onset,
        diagnosis_hours=diagnosis,
        enrolment_hours=enrolment,
        sma_type=kind,
        smn2_copies=smn2,
        baseline=baseline,
        state=life.now.state,
        milestones=life.watched.milestones,
    )


def patient_seed(seed: int, numbers: NDArray[Any], purpose: str) -> NDArray[np.uint32]:
    """Seed of each patient's luck for one purpose, uint32 (P,); not to be written to."""
    return _seeds(seed, numbers.astype(np.int64).tobytes(), purpose)


@functools.lru_cache(maxsize=16)  # every arm of a cohort asks for the same
def _seeds(seed: int, numbers: bytes, purpose: str) -> NDArray[np.uint32]:
    # Whole numbers are the same in programs of any shape, so that one call does for all; lengths are few.
    people = np.frombuffer(numbers, np.int64)
    length = max(BLOCK_PATIENTS, 1 << (people.size - 1).bit_length())
    padded = np.pad(people, (0, length - people.size))
    found = np.asarray(_patient_seed(np.uint32(seed), padded, purpose=purpose))[: people.size]
    found.flags.writeable = False
    return found


@functools.partial(jax.jit, static_argnames="purpose")
def _patient_seed(seed: Array, numbers: Array, *, purpose: str) -> Array:
    return stream_seed(person_key(jax.random.key(seed), numbers), purpose)


def _entry_criteria(scenario: Scenario, people: Candidates, reasons: Counter[str]) -> NDArray[Any]:
    """Indices of those who meet what is judged at enrolment."""
    cohort = scenario.cohort
    keep = np.ones(people.enrolment_hours.shape, bool)

    def require(name: str, condition: NDArray[np.bool_]) -> None:
        reasons[name] += int((keep & ~condition).sum())
        np.logical_and(keep, condition, out=keep)

    if cohort.alive:
        hazard = np.asarray(people.state.cumulative_hazard[0])
        require("alive", hazard < np.asarray(people.person.death_draw))
    if cohort.unventilated:
        hours = people.baseline[OUTCOME_INDEX["ventilation_hours_per_day"]]
        permanent = load_event_catalogue()["permanent_ventilation_16h_14d"].support_hours_per_day
        require("unventilated", hours < float(permanent or np.inf))
    for milestone in cohort.able_to:
        require(f"able_to {milestone}", np.asarray(people.milestones.held[MILESTONE_INDEX[milestone]], bool))
    for milestone in cohort.not_able_to:
        require(
            f"not_able_to {milestone}", ~np.asarray(people.milestones.held[MILESTONE_INDEX[milestone]], bool)
        )
    for name, criterion in cohort.baseline.items():
        value = people.baseline[OUTCOMES.index(name)]
        low = -np.inf if criterion.min is None else criterion.min
        high = np.inf if criterion.max is None else criterion.max
        require(f"baseline.{name}", (value >= low) & (value <= high))
    return np.flatnonzero(keep)


def anchors_of(person: Person, people: Any) -> Anchors:
    """When enrolment, diagnosis and onset come."""
    return Anchors(
        enrolment=np.asarray(people.enrolment_hours, np.int32),
        diagnosis=np.asarray(people.diagnosis_hours, np.int32),
        onset=np.asarray(people.onset_hours, np.int32),
        excluded_from_gene_transfer=np.asarray(person.aav9_antibodies) > 0.5,
    )
