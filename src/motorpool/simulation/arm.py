"""One arm of a scenario, simulated in the people who were recruited."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_MONTH
from motorpool.engine.blocks import Setting, Span, begin_enrolled, live
from motorpool.engine.compile_plan import cell_protocol, compile_plan, planned_jumps
from motorpool.engine.dosing import COURSES
from motorpool.engine.grid import personal_grid, study_ages, study_boundaries
from motorpool.engine.state import State
from motorpool.simulation.births import CARE
from motorpool.simulation.measuring import measured
from motorpool.simulation.model import Draw
from motorpool.simulation.readout import EVENTS, read_out, ventilation_definitions, visit_rows
from motorpool.simulation.recruit import Recruited
from motorpool.simulation.safety import (
    Given,
    adverse_event_counts_of,
    procedure_counts,
    therapies_started,
)
from motorpool.simulation.scenario import Scenario
from motorpool.simulation.screening import patient_seed
from motorpool.therapies.cells import CellProtocol
from motorpool.therapies.courses import Course


@dataclasses.dataclass(frozen=True)
class ArmResults:
    """Results of one arm under one draw, numpy arrays with patients last.

    ``halvings`` (P,): how often a person's steps were halved because their error was too large.
    """

    readout: Any
    adverse_events: NDArray[Any]
    procedures: NDArray[Any]
    started: NDArray[Any]
    halvings: NDArray[np.int32]


def _state_at_enrolment(cohort: Recruited, plan_start: NDArray[Any], background: int) -> State:
    """State at enrolment with the start hours of the arm's own courses; background courses keep their history."""
    state = cohort.people.state
    own = np.arange(COURSES)[:, None] >= background
    fields = {name: getattr(state, name) for name in State.__dataclass_fields__}
    fields["start_hours"] = np.where(own, plan_start, state.start_hours).astype(np.int32)
    return State(**fields)


def simulate_arm(
    scenario: Scenario, arm: str, cohort: Recruited, draw: Draw, cells: CellProtocol | None = None
) -> ArmResults:
    """Simulate one arm of a scenario in the people who were recruited, under one draw of the parameters.

    ``cells`` says what cells do, instead of what the plan says of their mechanisms and effect.
    """
    people = cohort.people
    courses: tuple[Course, ...] = scenario.courses_of(arm)
    anchors = dataclasses.replace(cohort.anchors, background_courses=len(scenario.cohort.background))
    enrolment = anchors.enrolment
    plan = compile_plan(courses, anchors)
    base = study_boundaries(scenario.horizon_months)
    last = (enrolment + base[-1]).astype(np.int32)
    jumps = planned_jumps(courses, anchors, last)
    grid = personal_grid(study_ages(base, enrolment), jumps, enrolment, last)
    state = _state_at_enrolment(cohort, np.asarray(plan.start_hours), len(scenario.cohort.background))
    setting = Setting(np.float32(CARE[scenario.care]), cells or cell_protocol(courses), draw.model)
    definitions, chance = ventilation_definitions(), scenario.uncertainty.chance
    span = Span(grid, people.person, people.infection_seed, plan, enrolment)
    begun = begin_enrolled(state, people.milestones, span, setting, definitions)
    visits = np.round(np.asarray(scenario.visit_months()) * HOURS_PER_MONTH).astype(np.int32)
    at = visit_rows(grid, (enrolment[None] + visits[:, None]).astype(np.int32))
    final, row = live(begun, at.rows, span, setting, definitions, chance=chance)
    measure = _Measurement(scenario, cohort, draw, visits)
    readout = read_out(row, final.watched, at, visits, enrolment, float(base[-1]), measure.seen)
    end: Any = final.now.state
    administrations, exposure, weight = end.administrations, end.exposure_hours, end.first_dose_weight_kg
    starts, tube = end.start_hours, end.tube_placed
    # What the background gave before enrolment is not an outcome of this study.
    before_administrations = np.asarray(people.state.administrations)
    before_exposure = np.asarray(people.state.exposure_hours)
    given = Given(administrations - before_administrations, exposure - before_exposure, weight)
    tube_since = np.where(np.asarray(people.state.tube_placed) > 0.5, 0.0, tube)
    tube_since = np.where(
        np.isfinite(readout.event_time_years[EVENTS.index("tube_feeding")]), tube_since, 0.0
    )
    safety_seed = patient_seed(scenario.seed, cohort.patient_numbers, "adverse_events")
    until = np.minimum(readout.death_age_hours, last)
    return ArmResults(
        readout=readout,
        adverse_events=adverse_event_counts_of(courses, given, tube_since, safety_seed, chance=chance),
        procedures=procedure_counts(courses, given, tube_since),
        started=therapies_started(courses, starts, until),
        halvings=np.asarray(final.halvings),
    )


@dataclasses.dataclass(frozen=True)
class _Measurement:
    """How visits measure: noise belongs to the person and the planned time, which no arm changes."""

    scenario: Scenario
    cohort: Recruited
    draw: Draw
    visit_hours: NDArray[np.int32]

    def seen(self, true: NDArray[Any]) -> NDArray[Any]:
        """Measured outcomes (V, outcome, P); the baseline is the one that the person entered on."""
        numbers = self.cohort.patient_numbers
        seed, chance = self.scenario.seed, self.scenario.uncertainty.chance
        later = patient_seed(seed, numbers, "observation")
        first = patient_seed(seed, np.asarray(self.cohort.people.person.identity), "observation")
        open_label = float(self.scenario.observation.blinding == "open_label")
        return measured(true, self.visit_hours, first, later, self.draw.observation, open_label, noise=chance)
