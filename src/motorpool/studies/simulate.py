"""Running a study's arms under one draw of the parameters, and what is kept of every person."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_MONTH, HOURS_PER_YEAR
from motorpool.cohorts.reweighting import effective_sample_size
from motorpool.engine.dosing import NEVER_HOURS
from motorpool.outcomes.panel import OUTCOME_INDEX
from motorpool.simulation.arm import simulate_arm
from motorpool.simulation.births import Births
from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.model import Draw
from motorpool.simulation.recruit import Recruited, gather
from motorpool.simulation.scenario import Scenario
from motorpool.studies.conditioning import soft_weights
from motorpool.studies.study import Population, Study

# Search limits, not findings: how many candidates are tried for one population, at first and at the most.
FIRST_TRIED, MOST_TRIED = 2048, 16384
# What is enough, in people after weighting: so many, and such a share of the study's largest arm and of those asked.
ENOUGH_PEOPLE, ENOUGH_OF_STUDY, ENOUGH_OF_ASKED = 64, 0.25, 0.5
MONTHS_PER_YEAR = HOURS_PER_YEAR / HOURS_PER_MONTH

Array = NDArray[Any]


@dataclasses.dataclass(frozen=True)
class ArmPeople:
    """The people of one simulated arm; P people, V visits, O outcomes, M milestones, E events.

    weights (P,) add to 1. visit_months (V,). observed (V, O, P) as rated, NaN after death; alive (V, P);
    milestone_status (V, M, P); milestone_gained_months (M, P) age, NaN for never; event_months (E, P) since
    enrolment, +inf for not before the horizon. onset_months (P,), NaN for never noticed.
    """

    weights: Array
    enrolment_months: Array
    onset_months: Array
    sma_type: Array
    visit_months: Array
    horizon_months: float
    observed: Array
    alive: Array
    milestone_status: Array
    milestone_gained_months: Array
    event_months: Array

    @property
    def effective_people(self) -> float:
        """How many people the weighted arm is worth."""
        return effective_sample_size(self.weights)

    def __len__(self) -> int:
        return int(self.weights.size)


def simulate_study(study: Study, births: Births, patients: int) -> dict[str, ArmPeople]:
    """Every arm of a study that an endpoint needs, by name; an arm whose population nobody meets is left out.

    Args:
        births: the candidates of one draw of the parameters, shared between studies.
        patients: how many virtual people per arm, or more where weighting leaves too few (:func:`enrol`); the study's
            own number is used when its figures are predicted.
    """
    arms: dict[str, ArmPeople] = {}
    for population in study.populations:
        try:
            arms |= _simulate_population(study, population, births, patients)
        except ScenarioError:
            continue  # nobody like this under these parameters: the endpoints are reported as not predicted
    return arms


def _simulate_population(
    study: Study, population: Population, births: Births, patients: int
) -> dict[str, ArmPeople]:
    largest = max(study.run.arms[arm].patients for arm in population.arms)
    enough = min(patients, max(ENOUGH_PEOPLE, ENOUGH_OF_STUDY * largest, ENOUGH_OF_ASKED * patients))
    scenario, recruited, weights = enrol(population, births, patients, enough)
    return {arm: _arm(scenario, arm, recruited, weights, births.draw) for arm in population.arms}


def enrol(
    population: Population, births: Births, patients: int, enough: float
) -> tuple[Scenario, Recruited, Array]:
    """The people of a population with their weights, and the scenario that asks for so many.

    Candidates are tried in one fixed order. As long as those found are worth less than ``enough`` people after
    weighting, twice as many people are asked for where all were found, and else twice as many candidates are tried, up
    to ``MOST_TRIED``. So a wide study costs little, a narrow one is not left with a handful of people, and the same
    parameters always give the same people.

    Raises:
        ScenarioError: nobody of ``MOST_TRIED`` candidates meets the criteria.
    """
    tried = FIRST_TRIED
    while True:
        scenario = asking_for(population.scenario, patients)
        last = tried >= MOST_TRIED
        try:
            recruited = gather(scenario, births, tried)
        except ScenarioError:
            if last:
                raise
            tried *= 2
            continue
        weights = _weights(population, recruited)
        all_found = weights.size == patients
        if effective_sample_size(weights) >= enough or (last and not all_found):
            return scenario, recruited, weights
        if all_found:
            patients *= 2
        else:
            tried *= 2


def asking_for(scenario: Scenario, patients: int) -> Scenario:
    """The same scenario with another number of people."""
    cohort = scenario.cohort.model_copy(update={"patients": patients})
    return scenario.model_copy(update={"cohort": cohort})


def _weights(population: Population, recruited: Recruited) -> Array:
    people = recruited.patient_numbers.size
    if not population.targets:
        return np.full(people, 1.0 / people)
    baseline = {name: recruited.people.baseline[OUTCOME_INDEX[name]] for name in population.targets}
    return soft_weights(baseline, population.targets)


def _arm(scenario: Scenario, arm: str, recruited: Recruited, weights: Array, draw: Draw) -> ArmPeople:
    readout = simulate_arm(scenario, arm, recruited, draw).readout
    people = recruited.people
    onset = np.asarray(people.onset_hours)
    return ArmPeople(
        weights=weights,
        enrolment_months=np.asarray(people.enrolment_hours) / HOURS_PER_MONTH,
        onset_months=np.where(onset >= NEVER_HOURS, np.nan, onset / HOURS_PER_MONTH),
        sma_type=np.asarray(people.sma_type),
        visit_months=np.asarray(scenario.visit_months()),
        horizon_months=scenario.horizon_months,
        observed=np.where(readout.alive[:, None], readout.observed, np.nan),
        alive=np.asarray(readout.alive),
        milestone_status=np.asarray(readout.milestone_status),
        milestone_gained_months=np.asarray(readout.milestone_gained_age_years) * MONTHS_PER_YEAR,
        event_months=np.asarray(readout.event_time_years) * MONTHS_PER_YEAR,
    )
