"""One arm of a scenario, simulated in the people who were recruited."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH
from motorpool.engine.blocks import (
    Setting,
    Span,
    join_tree,
    map_blocks,
    simulate_span,
    split_plan,
    split_tree,
)
from motorpool.engine.compile_plan import cell_protocol, compile_plan, planned_jumps
from motorpool.engine.dosing import COURSES
from motorpool.engine.grid import personal_grid, study_boundaries
from motorpool.engine.state import State
from motorpool.simulation.model import Draw
from motorpool.simulation.readout import EVENTS, Readout, RunIn, read_out, ventilation_definitions
from motorpool.simulation.recruit import Recruited
from motorpool.simulation.safety import (
    Given,
    adverse_event_counts_of,
    procedure_counts,
    therapies_started,
)
from motorpool.simulation.scenario import Scenario
from motorpool.simulation.screening import CARE, patient_seed
from motorpool.therapies.courses import Course

HALF_YEAR_DAYS = 183
VISITS_TOGETHER = 8
VISIT_FIELDS = ("observed", "true", "alive", "age_years", "walk_minute_m", "pools", "milestone_status")


@dataclasses.dataclass(frozen=True)
class ArmResults:
    """Results of one arm under one draw, numpy arrays with patients last."""

    readout: Any
    adverse_events: NDArray[Any]
    procedures: NDArray[Any]
    started: NDArray[Any]


def _state_at_enrolment(cohort: Recruited, plan_start: NDArray[Any], background: int) -> State:
    """State at enrolment with the start hours of the arm's own courses; background courses keep their history."""
    state = cohort.people.state
    own = np.arange(COURSES)[:, None] >= background
    fields = {name: getattr(state, name) for name in State.__dataclass_fields__}
    fields["start_hours"] = np.where(own, plan_start, state.start_hours).astype(np.int32)
    return State(**fields)


def simulate_arm(scenario: Scenario, arm: str, cohort: Recruited, draw: Draw) -> ArmResults:
    """Simulate one arm of a scenario in the people who were recruited, under one draw of the parameters."""
    people = cohort.people
    patients = cohort.patient_numbers.size
    courses: tuple[Course, ...] = scenario.courses_of(arm)
    anchors = dataclasses.replace(cohort.anchors, background_courses=len(scenario.cohort.background))
    enrolment = anchors.enrolment
    plan = compile_plan(courses, anchors)
    base = study_boundaries(scenario.horizon_months)
    last = (enrolment + base[-1]).astype(np.int32)
    jumps = planned_jumps(courses, anchors, last)
    grid = personal_grid(enrolment[None] + base[:, None], jumps, enrolment, last)
    state = _state_at_enrolment(cohort, np.asarray(plan.start_hours), len(scenario.cohort.background))
    setting = Setting(jnp.float32(CARE[scenario.care]), cell_protocol(courses), draw.model)
    surgery = np.zeros(COURSES, np.float32)
    for index, course in enumerate(courses):
        surgery[index] = course.therapy == "spine_surgery"
    seeds = patient_seed(scenario.seed, cohort.patient_numbers, "observation")
    run_in = RunIn(people.run_in_age_hours, people.run_in_margins)
    baseline_seeds = patient_seed(scenario.seed, np.asarray(people.person.identity), "observation")
    pieces = split_tree(
        (state, grid, people.person, people.infection_seed, seeds, baseline_seeds, enrolment, run_in),
        patients,
    )
    plans = split_plan(plan, patients)
    planned = _visit_hours(scenario.visit_months(), base)
    # Padded to a few lengths with the last visit, so that few programs serve every list of visits.
    visits = jnp.asarray(np.pad(planned, (0, -planned.size % VISITS_TOGETHER), mode="edge"))
    horizon_hours = float(base[-1])
    definitions = ventilation_definitions()
    chance = scenario.uncertainty.chance

    def simulate(block: int) -> tuple[Readout, Any, Any, Any, Any, Any]:
        begin, block_grid, person, infections, observed, baseline, enrolled, before = pieces[block]
        span = Span(np.asarray(block_grid), person, infections, plans[block])
        final, path = simulate_span(begin, span, setting, chance=chance)
        readout = read_out(
            path,
            before,
            person,
            infections,
            observed,
            baseline,
            setting.care,
            enrolled,
            visits,
            jnp.asarray(horizon_hours, jnp.float32),
            jnp.asarray(surgery),
            draw.model,
            draw.observation,
            days=_record_days(horizon_hours),
            definitions=definitions,
            chance=chance,
            open_label=scenario.observation.blinding == "open_label",
        )
        return (
            readout,
            final.administrations,
            final.exposure_hours,
            final.first_dose_weight_kg,
            final.start_hours,
            final.tube_placed,
        )

    joined = join_tree(map_blocks(simulate, len(pieces)), patients)
    padded, administrations, exposure, weight, starts, tube = joined
    at_visits = {name: getattr(padded, name)[: planned.size] for name in VISIT_FIELDS}
    readout = padded._replace(**at_visits)
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
    )


def _record_days(horizon_hours: float) -> int:
    """Days of the daily record: enough for the horizon, in half years, so that few programs serve every horizon."""
    return math.ceil((horizon_hours // HOURS_PER_DAY + 1) / HALF_YEAR_DAYS) * HALF_YEAR_DAYS


def _visit_hours(months: Sequence[float], base: NDArray[Any]) -> NDArray[np.int32]:
    """Hours since enrolment (V,) of the base boundary nearest to each visit: the same in every arm."""
    planned = np.asarray(months) * HOURS_PER_MONTH
    return base[np.abs(base[None] - planned[:, None]).argmin(axis=1)].astype(np.int32)
