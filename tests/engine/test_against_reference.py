"""The compiled engine, in single precision as users run it, against SciPy at 1e-10 in double precision.

Rule: in every state, at every visit, |error| <= 1e-3 x max(|value|, 1 % of the state's range).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from motorpool.biology.person import Person
from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR
from motorpool.engine.blocks import Setting, Span, begin_life, simulate_span
from motorpool.engine.compile_plan import cell_protocol, compile_plan, planned_jumps
from motorpool.engine.dosing import COURSES, NEVER_HOURS
from motorpool.engine.grid import (
    FIRST_HOUR,
    life_boundaries,
    personal_grid,
    study_ages,
    study_boundaries,
)
from motorpool.therapies.kinds import KIND_INDEX, KINDS
from tests.support import lives, recomputed
from tests.support.reference_integrator import (
    STATE_NAMES,
    Happenings,
    Solution,
    integrated_hazards,
    named,
    solve,
)

RELATIVE_TOLERANCE = 1e-3
SMALLEST_SHARE_OF_RANGE = 0.01
CARE = 1.0
MONTHS = 12
MOST_DAYS_OFF = 3.0  # reached where hardly any risk is left; the usual error is a few hours

EVERYTHING: tuple[dict[str, Any], ...] = (
    {"therapy": "nusinersen", "missed_doses": [4], "dose_changes": [{"from_months": 6, "factor": 1.5}]},
    {
        "therapy": "risdiplam",
        "start": {"at": "enrolment", "delay_days": 200},
        "pauses": [{"from_months": 2, "to_months": 4}],
        "stop": {"after_months": 9},
    },
    {"therapy": "onasemnogene", "start": {"at": "enrolment", "delay_days": 20}},
    {"therapy": "myostatin_inhibition"},
    {"therapy": "transmission_support", "stop": {"after_months": 7}},
    {"therapy": "cell_therapy", "effect": 0.5, "doses": 5},
    {"therapy": "rehabilitation"},
    {"therapy": "breathing_support", "start": {"when": "fvc_percent < 80"}},
    {"therapy": "nutrition_support", "pauses": [{"from_months": 5, "to_months": 6}]},
    {"therapy": "brace", "stop": {"after_months": 10}},
    {"therapy": "spine_surgery", "start": {"at": "enrolment", "delay_days": 400}},
)


@dataclasses.dataclass(frozen=True)
class Case:
    courses: tuple[dict[str, Any], ...]
    copies: float
    enrolment_years: float
    visits_years: tuple[float, ...]
    traits: dict[str, float] = dataclasses.field(default_factory=dict)


CASES = {
    "infant untreated": Case((), 2, 0.1, (0.2, 0.5, 1.0, 2.0)),
    "infant, all therapies": Case(EVERYTHING, 2, 0.1, (0.15, 0.3, 0.6, 1.0, 1.5, 2.1), {"female": 1.0}),
    "newborn, all therapies": Case(
        EVERYTHING, 2, 0.03, (0.05, 0.2, 0.5, 1.0, 2.0), {"log_vulnerability": 0.2}
    ),
    "sitter, all therapies": Case(EVERYTHING, 3, 2.1, (1.0, 2.15, 2.5, 3.0, 4.0)),
    "adult, all therapies": Case(EVERYTHING, 4, 15.1, (5.0, 15.12, 15.3, 15.6, 17.0), {"sprouting": 3.0}),
    "infant, high dose": Case(
        ({"therapy": "nusinersen", "regimen": "high_dose"},), 2, 0.1, (0.12, 0.2, 0.5, 1.0, 2.0)
    ),
    "sitter, intrathecal gene transfer": Case(
        ({"therapy": "onasemnogene", "route": "intrathecal"}, {"therapy": "risdiplam"}),
        3,
        2.0,
        (2.1, 2.5, 3.0),
    ),
}


@dataclasses.dataclass(frozen=True)
class Engine:
    """One person's states at visits, and the whole record, from the compiled program."""

    person: Person
    visit_hours: list[int]
    states: list[dict[str, Any]]
    grid_hours: Any
    cumulative_hazard: Any
    happenings: Happenings
    protocol: Any


def production_grid(case: Case, courses: Any, anchors: Any) -> Any:
    """Boundaries as a study has them: run-in up to enrolment, then the study's own grid; (K,)."""
    enrolment = anchors.enrolment
    until = np.asarray([round(max(case.visits_years) * HOURS_PER_YEAR)], np.int32)
    run_in = life_boundaries(int(enrolment[0]))
    first = np.asarray([FIRST_HOUR], np.int32)
    none = planned_jumps((), anchors, enrolment)
    before = personal_grid(run_in[:, None], none, first, enrolment)
    base = study_boundaries(float(until[0] - enrolment[0]) / HOURS_PER_YEAR * MONTHS)
    last = enrolment + base[-1]
    after = personal_grid(study_ages(base, enrolment), planned_jumps(courses, anchors, last), enrolment, last)
    return np.unique(np.concatenate([before[:, 0], after[:, 0]]))


def run_engine(case: Case) -> Engine:
    courses = lives.courses_from(*case.courses)
    person = lives.people(smn2_copies=[case.copies], immortal=False, **case.traits)
    anchors = lives.anchors_of(1, enrolment_years=case.enrolment_years)
    plan = compile_plan(courses, anchors)
    grid = production_grid(case, courses, anchors)
    setting = Setting(jnp.float32(CARE), cell_protocol(courses), lives.central_draw().model)
    fixed = (lives.padded(person, 1), lives.padded(np.zeros(1, np.uint32), 1), lives.padded_plan(plan, 1))
    life, before = None, FIRST_HOUR
    states: list[dict[str, Any]] = []
    visits: list[int] = []
    hours: list[Any] = []
    hazards: list[Any] = []
    given: list[Any] = []
    for years in case.visits_years:
        visit = int(grid[np.argmin(np.abs(grid - years * HOURS_PER_YEAR))])
        part = grid[(grid >= before) & (grid <= visit)].astype(np.int32)[:, None]
        span = Span(np.asarray(lives.padded(lives.without_idle_rows(part), 1)), *fixed)
        life = begin_life(span, setting) if life is None else life
        life, path = simulate_span(life, span, setting)
        state = life.now.state
        body = {name: np.asarray(getattr(state.body, name))[..., 0] for name in STATE_NAMES if name != "smn"}
        states.append({**body, "smn": np.asarray(state.smn)[..., 0]})
        visits.append(visit)
        rows = slice(0, part.shape[0])
        hours.append(part[:, 0])
        hazards.append(np.asarray(path.cumulative_hazard)[rows, :, 0])
        given.append(np.asarray(path.doses)[rows, :, 0])
        before = visit
    assert life is not None
    state = life.now.state
    all_hours, cumulative = np.concatenate(hours), np.concatenate(hazards)
    starts, stops = np.asarray(state.start_hours)[:, 0], np.asarray(state.stop_hours)[:, 0]
    happenings = what_happened(plan, all_hours, np.concatenate(given), starts, stops, cumulative, person)
    return Engine(person, visits, states, all_hours, cumulative, happenings, cell_protocol(courses))


def what_happened(
    plan: Any, hours: Any, given: Any, starts: Any, stops: Any, cumulative: Any, person: Person
) -> Happenings:
    """Doses and continuous inputs of one person, read from the record of doses and from the courses' own times."""
    doses: dict[int, Any] = {}
    for row in np.flatnonzero(given.sum(axis=1) > 0):
        doses[int(hours[row])] = np.asarray(plan.dose_to_kind, float).T @ given[row]
    segments, factors = np.asarray(plan.segment_from_hours), np.asarray(plan.segment_factor, float)
    continuous = [c for c in range(COURSES) if np.asarray(plan.rate)[c] > 0 and starts[c] < NEVER_HOURS]
    times = {int(starts[c] + s) for c in continuous for s in segments[c] if s < NEVER_HOURS}
    times |= {int(stops[c]) for c in continuous if stops[c] < NEVER_HOURS}
    rates: dict[int, Any] = {}
    for time in sorted(times):
        total = np.zeros(len(KINDS))
        for c in continuous:
            if starts[c] <= time < stops[c]:
                total += (
                    factors[c][segments[c] <= time - starts[c]][-1] * np.asarray(plan.rate_to_kind, float)[c]
                )
        rates[time] = total
    fusions = [hour for hour, dose in doses.items() if dose[KIND_INDEX["spine_surgery"]] > 0]
    tubes = hours[cumulative[:, 1] >= np.asarray(person.tube_feeding_draw)[0]]
    return Happenings(
        start_hours=FIRST_HOUR,
        end_hours=int(hours[-1]),
        doses=doses,
        rates=rates,
        tube_placed_hours=float(tubes[0]) if tubes.size else np.inf,
        fusion_hours=float(fusions[0]) if fusions else np.inf,
    )


@pytest.fixture(scope="module")
def engines() -> dict[str, Engine]:
    return {name: run_engine(case) for name, case in CASES.items()}


@pytest.fixture(scope="module")
def references(engines: dict[str, Engine]) -> dict[str, Solution]:
    with jax.enable_x64(True):
        parameters = lives.central_draw(jnp.float64).model
        return {
            name: solve(engine.person, engine.happenings, engine.protocol, parameters)
            for name, engine in engines.items()
        }


def ranges() -> dict[str, float]:
    parameters = lives.central_draw().model.biology
    special = {
        "muscle": float(parameters.muscle.ceiling),
        "cobb_degrees": float(parameters.skeleton.cobb_maximum_degrees),
    }
    return {name: special.get(name, 1.0) for name in STATE_NAMES}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_every_state_at_every_visit_is_exact_to_a_thousandth(
    name: str, engines: dict[str, Engine], references: dict[str, Solution]
) -> None:
    engine, limits = engines[name], ranges()
    broken: list[str] = []
    with jax.enable_x64(True):
        for hour, state in zip(engine.visit_hours, engine.states, strict=True):
            expected = named(references[name].at(float(hour)))
            for variable, value in expected.items():
                floor = SMALLEST_SHARE_OF_RANGE * limits[variable]
                allowed = RELATIVE_TOLERANCE * np.maximum(np.abs(value), floor)
                share = float((np.abs(state[variable] - value) / allowed).max())
                if share > 1.0:
                    broken.append(
                        f"{variable} at {hour / HOURS_PER_YEAR:.2f} years: {share:.2f} of the tolerance"
                    )
    assert not broken, broken


def test_all_therapies_were_really_given(engines: dict[str, Engine]) -> None:
    happenings = engines["infant, all therapies"].happenings
    given = np.sum(list(happenings.doses.values()), axis=0) + np.max(list(happenings.rates.values()), axis=0)
    other_routes = {"onasemnogene_intrathecal", "cells_intravenous"}
    missing = {kind for kind in KINDS if given[KIND_INDEX[kind]] == 0.0}
    assert missing == other_routes
    assert np.isfinite(happenings.fusion_hours)


@pytest.mark.slow
def test_a_reference_that_forgets_one_dose_breaks_the_rule(
    engines: dict[str, Engine], references: dict[str, Solution]
) -> None:
    """The comparison is sensitive: it would notice one missing dose of one drug."""
    engine = engines["infant, high dose"]
    late = max(engine.happenings.doses)
    fewer = {hour: dose for hour, dose in engine.happenings.doses.items() if hour != late}
    with jax.enable_x64(True):
        parameters = lives.central_draw(jnp.float64).model
        without = solve(
            engine.person, dataclasses.replace(engine.happenings, doses=fewer), engine.protocol, parameters
        )
        hour = engine.visit_hours[-1]
        difference = np.abs(named(without.at(hour))["smn"] - engine.states[-1]["smn"])
        assert difference.max() > 10 * RELATIVE_TOLERANCE * SMALLEST_SHARE_OF_RANGE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["infant untreated", "infant, high dose"])
def test_events_come_when_the_finely_integrated_hazard_crosses_the_draw(
    name: str, engines: dict[str, Engine], references: dict[str, Solution]
) -> None:
    engine, solution = engines[name], references[name]
    last = engine.visit_hours[-1]
    fine = np.arange(0, last + 1)  # infections begin at whole hours
    hazard = engine.cumulative_hazard
    with jax.enable_x64(True):
        expected = integrated_hazards(solution, fine, 0, CARE)
    boundaries = engine.grid_hours[engine.grid_hours >= 0]
    exact_hazard = np.stack([np.interp(boundaries, fine, expected[:, row]) for row in range(2)], axis=1)
    error = np.abs(hazard[engine.grid_hours >= 0] - exact_hazard)
    assert (error <= 2e-3 * exact_hazard + 2e-4).all(), error.max(axis=0)
    found: list[float] = []
    allowed: list[float] = []
    for row in range(2):
        rate_per_hour = np.gradient(expected[:, row], fine)
        for draw in np.linspace(0.02, 0.95, 40) * expected[-1, row]:
            exact = np.interp(draw, expected[:, row], fine)
            # Where hardly any risk is left, the error that the hazard may have moves the time further.
            by_hazard = (2e-3 * draw + 2e-4) / max(float(np.interp(exact, fine, rate_per_hour)), 1e-12)
            allowed.append(max(MOST_DAYS_OFF, by_hazard / HOURS_PER_DAY))
            got = recomputed.crossing(hazard[:, row], engine.grid_hours, draw)
            found.append((got - exact) / HOURS_PER_DAY)
    assert expected[-1].min() > 0.002  # both events are possible, or the check would be empty
    assert (np.abs(found) < allowed).all(), f"days off: {np.abs(found).max():.2f}"
    assert np.median(np.abs(found)) < 0.5, f"days off: {np.median(np.abs(found)):.2f}"


@pytest.mark.slow
def test_the_reference_knows_its_own_error(
    engines: dict[str, Engine], references: dict[str, Solution]
) -> None:
    """Looser tolerances of another method move the reference far less than the rule allows."""
    name = "infant, high dose"
    engine = engines[name]
    with jax.enable_x64(True):
        parameters = lives.central_draw(jnp.float64).model
        other = solve(
            engine.person,
            engine.happenings,
            engine.protocol,
            parameters,
            method="LSODA",
            rtol=1e-9,
            atol=1e-11,
        )
        for hour in engine.visit_hours[1:]:
            assert np.abs(other.at(hour) - references[name].at(hour)).max() < 1e-6
