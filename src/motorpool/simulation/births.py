"""Births: the candidates of one draw of the parameters, with what their untreated twins show.

SMA type is never an input: it is what the untreated twin of a person reaches. Twins depend on the genotype, not on
the study, so one draw's :class:`Births` can keep them for every study that asks for the same genotype.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.person import Person
from motorpool.biology.vocabulary import HOURS_PER_MONTH, HOURS_PER_YEAR
from motorpool.cohorts.onset import LATE_MILESTONES
from motorpool.cohorts.traits import Candidates as Born
from motorpool.cohorts.traits import draw_candidates
from motorpool.cohorts.twin import onset_and_type
from motorpool.engine.blocks import BLOCK_PATIENTS, Setting, Span, join_tree
from motorpool.engine.compile_plan import Anchors, compile_plan, planned_jumps
from motorpool.engine.dosing import NEVER_HOURS
from motorpool.engine.grid import FIRST_HOUR, life_boundaries, personal_grid
from motorpool.engine.state import no_protocol
from motorpool.evidence.facts import load_facts
from motorpool.evidence.outcome_catalogue import load_milestone_catalogue
from motorpool.simulation.cohort_section import MAXIMUM_SMN2_COPIES
from motorpool.simulation.model import Draw
from motorpool.simulation.scenario import Scenario
from motorpool.therapies.calendar import start_of

CARE = {"palliative": 0.0, "standard": 1.0, "proactive": 2.0}

Whole = NDArray[np.int32]


@dataclasses.dataclass(frozen=True)
class Newborns:
    """A block of candidates with what their untreated twins show; (P,) each."""

    born: Born
    onset_hours: Whole
    sma_type: Whole


class Births:
    """The candidates of one draw of the parameters, block by block and copy number by copy number, with their
    untreated twins. A person's traits do not depend on how many copies others have, so that cohorts of any mix of
    copies share them."""

    def __init__(self, draw: Draw, *, shared: bool = True, twins: bool = True) -> None:
        """Begin with nobody born.

        Args:
            draw: parameters.
            shared: keep everybody with every number of copies, for other cohorts; else those asked for are born.
            twins: follow untreated twins; else nobody has an onset or a type.
        """
        self.draw = draw
        self._shared, self._twins = shared, twins
        self._blocks: dict[tuple[Any, ...], Newborns] = {}

    def of(self, scenario: Scenario, numbers: Sequence[int]) -> Newborns:
        """The candidates of a scenario in these blocks."""
        shares = scenario.cohort.smn2_shares
        if not self._shared:
            return self._born(scenario, numbers, shares)
        if len(shares) == 1:
            return self._with_copies(scenario, numbers, next(iter(shares)))
        identity = np.concatenate([_identity(number) for number in numbers])
        born = _born(scenario, self.draw, identity, shares)
        copies = np.asarray(born.smn2_copies)
        found = Newborns(born, np.zeros(identity.size, np.int32), np.zeros(identity.size, np.int32))
        for own in np.unique(copies):
            alike = self._with_copies(scenario, numbers, int(own))
            found = jax.tree.map(
                lambda whole, part, here=copies == own: np.where(here, part, whole), found, alike
            )
        return found

    def _with_copies(self, scenario: Scenario, numbers: Sequence[int], copies: int) -> Newborns:
        """The same people, all with one number of copies."""
        kind = (*_birth_conditions(scenario), copies)
        missing = [number for number in numbers if (*kind, number) not in self._blocks]
        if missing:
            everybody = self._born(scenario, missing, {copies: 1.0})
            for place, number in enumerate(missing):
                rows = slice(place * BLOCK_PATIENTS, (place + 1) * BLOCK_PATIENTS)
                self._blocks[*kind, number] = jax.tree.map(lambda leaf, r=rows: leaf[..., r], everybody)
            if missing == list(numbers):
                return everybody
        return jax.tree.map(
            lambda *rows: np.concatenate(rows, axis=-1), *[self._blocks[*kind, number] for number in numbers]
        )

    def _born(self, scenario: Scenario, numbers: Sequence[int], shares: Mapping[int, float]) -> Newborns:
        """The people of these blocks, with these shares of copies."""
        identity = np.concatenate([_identity(number) for number in numbers])
        born = _born(scenario, self.draw, identity, shares)
        if self._twins:
            onset, sma_type = _untreated_twin(scenario, self.draw, born.person, born.infection_seed)
            return Newborns(born, onset, sma_type)
        return Newborns(
            born, np.full(identity.size, NEVER_HOURS, np.int32), np.zeros(identity.size, np.int32)
        )


jax.tree_util.register_dataclass(Newborns)


def reads_twins(scenario: Scenario) -> bool:
    """Whether anything that is simulated depends on onset, diagnosis or type, which untreated twins show."""
    cohort = scenario.cohort
    asked = (cohort.sma_type, cohort.onset_age_months, cohort.disease_duration_months)
    if cohort.enrolment.kind != "age" or any(criterion is not None for criterion in asked):
        return True
    courses = [*cohort.background, *(course for arm in scenario.arms for course in scenario.courses_of(arm))]
    return any(start_of(course)[0].kind in ("diagnosis", "onset") for course in courses)


def _identity(block: int) -> Whole:
    return np.arange(block * BLOCK_PATIENTS, (block + 1) * BLOCK_PATIENTS, dtype=np.int32)


def _birth_conditions(scenario: Scenario) -> tuple[Any, ...]:
    """All but the copies that decides who is born and what the untreated twins show."""
    cohort = scenario.cohort
    return (
        scenario.seed,
        cohort.smn1_copies,
        cohort.sex,
        scenario.uncertainty.between_people,
        scenario.uncertainty.chance,
        _twin_years(scenario),
    )


def _born(scenario: Scenario, draw: Draw, identity: Whole, smn2_shares: Mapping[int, float]) -> Born:
    """Candidates as they are born, block by block."""
    cohort = scenario.cohort
    shares = np.zeros(MAXIMUM_SMN2_COPIES)
    for copies, share in smn2_shares.items():
        shares[copies - 1] = share
    blocks = [
        draw_candidates(
            np.uint32(scenario.seed),
            part,
            np.float32(cohort.smn1_copies),
            shares.astype(np.float32),
            np.float32({"any": -1.0, "female": 1.0, "male": 0.0}[cohort.sex]),
            draw.people,
            draw.model.biology.smn,
            between_people=scenario.uncertainty.between_people,
            chance=scenario.uncertainty.chance,
        )
        for part in identity.reshape(-1, BLOCK_PATIENTS)
    ]
    return join_tree(blocks, identity.size)


def _twin_years(scenario: Scenario) -> float:
    """Years for which the untreated twin is followed: until its type is known, and as long as onset can matter.

    Type 3 falls ill in childhood by definition, so that only cohorts that may hold type 4 need longer records.
    """
    protocols, cohort = load_facts("protocols"), scenario.cohort
    child = protocols.fact("sma_type_observation_years").number
    grown_up = protocols.fact("sma_type_4_onset_years").number + 1.0
    years = child
    if cohort.enrolment.kind == "age":
        years = max(years, cohort.enrolment.spread.upper * HOURS_PER_MONTH / HOURS_PER_YEAR)
    if cohort.onset_age_months is not None:
        latest = cohort.onset_age_months.max
        years = max(years, grown_up if latest is None else latest * HOURS_PER_MONTH / HOURS_PER_YEAR)
    if years <= child and 4 not in (cohort.sma_type or ()):
        return child
    # Few spans, so that cohorts of different ages share their candidates.
    if cohort.sma_type is not None and 4 not in cohort.sma_type:
        return grown_up
    return max(years, protocols.fact("sma_type_4_observation_years").number)


def _untreated_twin(scenario: Scenario, draw: Draw, person: Person, infections: Any) -> tuple[Whole, Whole]:
    """Onset (hours, ``NEVER_HOURS`` if none in the record) and type of each untreated twin."""
    years = _twin_years(scenario)
    adult_onset = load_facts("protocols").fact("sma_type_4_onset_years").number
    patients = person.identity.shape[0]
    nobody = np.full(patients, NEVER_HOURS, np.int32)
    anchors = Anchors(nobody, nobody, nobody, np.zeros(patients, bool))
    plan = compile_plan((), anchors)
    base = life_boundaries(round(years * HOURS_PER_YEAR))
    first, last = np.full(patients, FIRST_HOUR, np.int32), np.full(patients, base[-1], np.int32)
    one = Anchors(nobody[:1], nobody[:1], nobody[:1], np.zeros(1, bool))  # everybody has the same grid
    grid = personal_grid(base[:, None], planned_jumps((), one, last[:1]), first[:1], last[:1])
    grid = np.repeat(grid, patients, axis=1)
    # Care changes hazards, never onset or type.
    setting = Setting(np.float32(CARE["standard"]), no_protocol(np.float32), draw.model)
    catalogue = load_milestone_catalogue()
    latest = [float(catalogue[name].who_p99_months or 0.0) for name in LATE_MILESTONES]
    latest_years = [months * HOURS_PER_MONTH / HOURS_PER_YEAR for months in latest]
    span = Span(grid, person, infections, plan)
    chance = scenario.uncertainty.chance
    found, kind = onset_and_type(span, setting, draw.people, latest_years, adult_onset, chance=chance)
    onset = np.where(np.isfinite(found), found, NEVER_HOURS).astype(np.int32)
    return onset, np.asarray(kind, np.int32)


def take_people(people: Any, index: NDArray[Any]) -> Any:
    """Those of the people whose places are in ``index``; every leaf ends with the patients' axis."""
    return jax.tree.map(lambda leaf: np.asarray(leaf)[..., index], people)
