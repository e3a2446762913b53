"""The simulation: a scenario in, labelled results out."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH, HOURS_PER_YEAR, MUSCLE_GROUPS
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
from motorpool.engine.integrate import State
from motorpool.outcomes.milestones import MILESTONES
from motorpool.outcomes.panel import OUTCOMES
from motorpool.outcomes.walking import MINUTES
from motorpool.simulation.model import Draw, parameter_draw
from motorpool.simulation.readout import EVENTS, Readout, RunIn, read_out, ventilation_definitions
from motorpool.simulation.recruit import Recruited, recruit
from motorpool.simulation.safety import (
    Given,
    adverse_event_counts_of,
    adverse_event_names,
    procedure_counts,
    procedure_names,
    therapies_started,
)
from motorpool.simulation.scenario import Scenario
from motorpool.simulation.screening import CARE, patient_seed
from motorpool.therapies.courses import THERAPIES, Course

if TYPE_CHECKING:
    import xarray as xr

Progress = Callable[[str, float], None]
HALF_YEAR_DAYS = 183
VISITS_TOGETHER = 8
VISIT_FIELDS = ("observed", "true", "alive", "age_years", "walk_minute_m", "pools", "milestone_status")
RECRUITING_SHARE = 0.4  # of the progress bar, within one draw


@dataclasses.dataclass(frozen=True)
class ArmResults:
    """Results of one arm under one draw, numpy arrays with patients last."""

    readout: Any
    adverse_events: NDArray[Any]
    procedures: NDArray[Any]
    started: NDArray[Any]


def run(scenario: Scenario, *, progress: Progress | None = None) -> xr.Dataset:
    """Simulate every arm of a scenario under every draw of what is not known.

    Args:
        progress: called with a stage in words and the share done, 0 to 1.

    Returns:
        The labelled dataset described in docs/reference/results.md.

    Raises:
        ScenarioError: the cohort's criteria cannot be met.
    """
    tell = progress or (lambda stage, share: None)
    draws = scenario.uncertainty.knowledge_draws
    numbers: list[int | None] = list(range(draws)) if draws else [None]
    recruited: list[Recruited] = []
    arms: list[list[ArmResults]] = []
    for position, number in enumerate(numbers):
        begun, width = position / len(numbers), 1.0 / len(numbers)
        label = f"draw {position + 1} of {len(numbers)}"

        def recruiting(share: float, begun: float = begun, width: float = width, label: str = label) -> None:
            tell(f"finding patients, {label}", begun + width * RECRUITING_SHARE * share)

        draw = parameter_draw(number, scenario.seed)
        cohort = recruit(scenario, draw, recruiting)
        recruited.append(cohort)
        results: list[ArmResults] = []
        for index, arm in enumerate(scenario.arms):
            share = RECRUITING_SHARE + (1 - RECRUITING_SHARE) * index / len(scenario.arms)
            tell(f"simulating {scenario.label_of(arm)}, {label}", begun + width * share)
            results.append(simulate_arm(scenario, arm, cohort, draw))
        arms.append(results)
    tell("collecting results", 1.0)
    return _dataset(scenario, recruited, arms)


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


def _patients_first(array: NDArray[Any]) -> NDArray[Any]:
    """Move the patients' axis from the end to the front."""
    return np.moveaxis(np.asarray(array), -1, 0)


def _dataset(scenario: Scenario, recruited: list[Recruited], arms: list[list[ArmResults]]) -> xr.Dataset:
    import xarray as xr

    def by_arm(pick: Callable[[ArmResults], Any]) -> NDArray[Any]:
        """(arm, draw, patient, ...)."""
        per_draw = [[_patients_first(pick(result)) for result in results] for results in arms]
        return np.stack(
            [np.stack([results[arm] for results in per_draw]) for arm in range(len(scenario.arms))]
        )

    def by_person(pick: Callable[[Recruited], Any]) -> NDArray[Any]:
        return np.stack([np.asarray(pick(cohort)) for cohort in recruited])

    person = ("draw", "patient")
    at_visit = ("arm", *person, "visit_month")
    true, observed = by_arm(lambda r: r.readout.true), by_arm(lambda r: r.readout.observed)
    variables: dict[str, Any] = {}
    for name in scenario.outcome_ids:
        row = OUTCOMES.index(name)
        variables[name] = (at_visit, observed[..., row])
        variables[f"{name}__true"] = (at_visit, true[..., row])
    pools = by_arm(lambda r: r.readout.pools)  # (arm, draw, patient, visit, pool, group)
    for index, state in enumerate(("working", "sick", "dead")):
        variables[f"motor_neurons_{state}"] = ((*at_visit, "muscle_group"), pools[..., index, :])
    variables |= {
        "alive": (at_visit, by_arm(lambda r: r.readout.alive)),
        "age_years": ((*person, "visit_month"), by_arm(lambda r: r.readout.age_years)[0]),
        "walk_minute_m": ((*at_visit, "minute"), by_arm(lambda r: r.readout.walk_minute_m)),
        "milestone_status": ((*at_visit, "milestone"), by_arm(lambda r: r.readout.milestone_status)),
        "milestone_gained_age_years": (
            ("arm", *person, "milestone"),
            by_arm(lambda r: r.readout.milestone_gained_age_years),
        ),
        "milestone_lost_age_years": (
            ("arm", *person, "milestone"),
            by_arm(lambda r: r.readout.milestone_lost_age_years),
        ),
        "event_time_years": (("arm", *person, "event"), by_arm(lambda r: r.readout.event_time_years)),
        "adverse_event_count": (("arm", *person, "adverse_event"), by_arm(lambda r: r.adverse_events)),
        "procedure_count": (("arm", *person, "procedure"), by_arm(lambda r: r.procedures)),
        "therapy_started": (("arm", *person, "therapy"), by_arm(lambda r: r.started)),
        "smn2_copies": (person, by_person(lambda c: c.people.smn2_copies)),
        "sma_type": (person, by_person(lambda c: c.people.sma_type)),
        "sex": (person, by_person(lambda c: 1 - c.people.person.female).astype(np.int8)),
        "onset_age_months": (person, by_person(lambda c: _months(c.people.onset_hours))),
        "diagnosis_age_months": (person, by_person(lambda c: _months(c.people.diagnosis_hours))),
        "enrolment_age_years": (person, by_person(lambda c: c.people.enrolment_hours / HOURS_PER_YEAR)),
        "tried": (("draw",), by_person(lambda c: c.tried)),
        "effective_sample_size": (("draw",), by_person(lambda c: c.effective_sample_size)),
    }
    coordinates = {
        "arm": list(scenario.arms),
        "draw": np.arange(len(recruited)),
        "patient": np.arange(scenario.cohort.patients),
        "visit_month": list(scenario.visit_months()),
        "milestone": list(MILESTONES),
        "event": list(EVENTS),
        "adverse_event": list(adverse_event_names()),
        "procedure": list(procedure_names()),
        "therapy": list(THERAPIES),
        "muscle_group": list(MUSCLE_GROUPS),
        "minute": np.arange(1, MINUTES + 1),
    }
    attributes = {
        "scenario": json.dumps(scenario.model_dump(mode="json", exclude_none=True)),
        "title": scenario.title,
        "question": scenario.question,
        "comparator": scenario.comparator,
        "horizon_months": scenario.horizon_months,
        "care": scenario.care,
        "refused": json.dumps(recruited[0].refused, sort_keys=True),
    }
    return xr.Dataset(variables, coordinates, attributes)


def _months(hours: NDArray[Any]) -> NDArray[np.float64]:
    from motorpool.engine.dosing import NEVER_HOURS

    return np.where(np.asarray(hours) >= NEVER_HOURS, np.nan, np.asarray(hours) / HOURS_PER_MONTH)
