"""What is measured: treatment plans, ages and people, carried by the engine as `simulate` carries them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_YEAR
from motorpool.cohorts.traits import draw_people, infection_seed
from motorpool.engine.blocks import Setting, Span, begin_life, live
from motorpool.engine.compile_plan import Anchors, cell_protocol, compile_plan, planned_jumps
from motorpool.engine.dosing import COURSES, NEVER_HOURS, Plan
from motorpool.engine.grid import FIRST_HOUR, life_boundaries, personal_grid, study_ages, study_boundaries
from motorpool.engine.state import State
from motorpool.simulation.model import parameter_draw
from motorpool.therapies.courses import Course
from motorpool.therapies.kinds import KINDS
from motorpool.therapies.plan import validate_course

Numbers = NDArray[np.float64]
SEED = 1
STANDARD_CARE = 1.0
MONTHS_PER_YEAR = 12
YEARS_BETWEEN_VISITS = 0.25
NOT_WITHIN_A_LIFE = 1e9  # an exponential draw that no integrated hazard reaches


@dataclasses.dataclass(frozen=True)
class Case:
    """Courses from an age on, in people with so many SMN2 copies; life is followed from mid-gestation.

    ``courses`` are written as in a scenario. They start and stop at times known in advance, the same for everybody.
    """

    courses: tuple[Mapping[str, Any], ...]
    smn2_copies: int
    enrolment_years: float
    study_years: float

    @property
    def name(self) -> str:
        """In words."""
        therapies = " and ".join(str(course["therapy"]) for course in self.courses) or "untreated"
        return f"{therapies}, {self.smn2_copies} SMN2 copies, from {self.enrolment_years:g} years of age"

    @property
    def enrolment_hours(self) -> int:
        """Age at enrolment, when the therapy starts."""
        return round(self.enrolment_years * HOURS_PER_YEAR)

    @property
    def end_hours(self) -> int:
        """Age at the end."""
        return self.enrolment_hours + int(self.study_hours[-1])

    @property
    def study_hours(self) -> NDArray[np.int32]:
        """The study's own boundaries since enrolment."""
        return study_boundaries(self.study_years * MONTHS_PER_YEAR)

    @property
    def lived_years(self) -> float:
        """Years of life of one person."""
        return (self.end_hours - FIRST_HOUR) / HOURS_PER_YEAR


THERAPIES = ("nusinersen", "risdiplam")
CASES = tuple(
    Case(({"therapy": therapy},), copies, enrolment, study)
    for copies, enrolment, study in ((2, 0.25, 2.0), (3, 2.0, 3.0), (4, 15.0, 2.0))
    for therapy in THERAPIES
)


@dataclasses.dataclass(frozen=True)
class Population:
    """The people of a case, ready to be carried; ``visits`` are the rows of their grid at which results are wanted."""

    case: Case
    span: Span
    setting: Setting
    visits: NDArray[np.int32]

    @property
    def hours(self) -> NDArray[np.int32]:
        """Everybody's boundaries, (K,)."""
        return self.span.grid_hours[:, 0]

    @property
    def patient_years(self) -> float:
        """Years of life that carrying everybody takes in."""
        return self.case.lived_years * self.span.patients

    def carry(self) -> None:
        """Everybody from mid-gestation to the end, with all outcomes at every visit, on all cores."""
        live(begin_life(self.span, self.setting), self._rows(self.visits), self.span, self.setting)

    def states_at(self, hours: NDArray[np.int64]) -> Numbers:
        """States right before what happens at some of the boundaries, (hours, people, states)."""
        life, found = begin_life(self.span, self.setting), list[Numbers]()
        for row in np.searchsorted(self.hours, hours):
            life, _ = live(life, self._rows(np.asarray([row])), self.span, self.setting)
            found.append(_as_vectors(life.now.state))
        return np.stack(found)

    def treatment(self) -> Treatment:
        """What everybody is given, read from the engine's own record."""
        every = self._rows(np.arange(len(self.hours)))
        life, found = live(begin_life(self.span, self.setting), every, self.span, self.setting)
        given = np.asarray(found.doses)[1:, :, 0].astype(
            np.float64
        )  # a row tells what was given since the one before
        state = life.now.state
        times = (np.asarray(state.start_hours)[:, 0], np.asarray(state.stop_hours)[:, 0])
        return _treatment(self.span, given, *times)

    def _rows(self, rows: NDArray[Any]) -> NDArray[np.int32]:
        return np.repeat(rows[:, None], self.span.patients, axis=1).astype(np.int32)


@dataclasses.dataclass(frozen=True)
class Treatment:
    """Doses (kinds,) by hour of age, and continuous inputs (kinds,) from an hour on."""

    doses: dict[int, Numbers]
    rates: dict[int, Numbers]


def population(case: Case, count: int) -> Population:
    """So many people of a case. Nobody dies or gets a feeding tube, because these instants depend on luck."""
    draw = parameter_draw(None, SEED)
    identity, everyone = jnp.arange(count), jnp.ones(count, jnp.float32)
    copies, any_sex = case.smn2_copies * everyone, -everyone
    person = draw_people(SEED, identity, 0.0 * everyone, copies, any_sex, draw.people, draw.model.biology.smn)
    never_happens = NOT_WITHIN_A_LIFE * everyone
    person = dataclasses.replace(person, death_draw=never_happens, tube_feeding_draw=never_happens)
    courses = tuple(validate_course(dict(course)) for course in case.courses)
    enrolment = np.full(count, case.enrolment_hours, np.int32)
    never = np.full(count, NEVER_HOURS, np.int32)
    anchors = Anchors(enrolment, never, never, np.zeros(count, bool))
    hours = _boundaries(case, courses)
    span = Span(
        np.ascontiguousarray(np.repeat(hours[:, None], count, axis=1)),
        jax.tree.map(np.asarray, person),
        np.asarray(infection_seed(SEED, identity)),
        compile_plan(courses, anchors),
    )
    setting = Setting(jnp.float32(STANDARD_CARE), cell_protocol(courses), draw.model)
    planned = np.arange(0.0, case.study_years, YEARS_BETWEEN_VISITS) + YEARS_BETWEEN_VISITS
    visits = np.abs(hours[None] - case.enrolment_hours - planned[:, None] * HOURS_PER_YEAR).argmin(axis=1)
    return Population(case, span, setting, np.asarray([0, *visits, len(hours) - 1], np.int32))


def _boundaries(case: Case, courses: Sequence[Course]) -> NDArray[np.int32]:
    """Boundaries (K,) as a study has them: the run-in up to enrolment, then the study's own."""
    one = np.ones(1, np.int32)
    first, enrolment, last = FIRST_HOUR * one, case.enrolment_hours * one, case.end_hours * one
    anchors = Anchors(enrolment, NEVER_HOURS * one, NEVER_HOURS * one, np.zeros(1, bool))
    run_in = life_boundaries(case.enrolment_hours)[:, None]
    before = personal_grid(run_in, planned_jumps((), anchors, enrolment), first, enrolment)
    ages = study_ages(case.study_hours, enrolment)
    after = personal_grid(ages, planned_jumps(courses, anchors, last), enrolment, last)
    return np.unique(np.concatenate([before, after])).astype(np.int32)


def _as_vectors(state: State) -> Numbers:
    """Body and SMN level of each person as one vector, (P, states)."""
    leaves = [np.asarray(leaf, np.float64) for leaf in (*jax.tree.leaves(state.body), state.smn)]
    return np.concatenate([leaf.reshape(-1, leaf.shape[-1]) for leaf in leaves]).T


def _treatment(span: Span, given: Numbers, starts: NDArray[np.int32], stops: NDArray[np.int32]) -> Treatment:
    """From amounts by boundary and course, and the hours (courses,) at which courses started and stopped."""
    plan = span.plan
    to_kind = np.asarray(plan.dose_to_kind, np.float64)
    doses = {
        int(span.grid_hours[row, 0]): given[row] @ to_kind for row in np.flatnonzero(given.sum(axis=1) > 0)
    }
    return Treatment(doses, _continuous_inputs(plan, starts, stops))


def _continuous_inputs(plan: Plan, starts: NDArray[np.int32], stops: NDArray[np.int32]) -> dict[int, Numbers]:
    """Inputs (kinds,) from each hour at which a continuous course starts, changes or stops."""
    rate, to_kind = np.asarray(plan.rate, np.float64), np.asarray(plan.rate_to_kind, np.float64)
    changes, factors = np.asarray(plan.segment_from_hours), np.asarray(plan.segment_factor, np.float64)
    continuous = [course for course in range(COURSES) if rate[course] > 0 and starts[course] < NEVER_HOURS]
    times = {int(starts[c] + since) for c in continuous for since in changes[c] if since < NEVER_HOURS}
    times |= {int(stops[c]) for c in continuous if stops[c] < NEVER_HOURS}
    found: dict[int, Numbers] = {}
    for time in sorted(times):
        total = np.zeros(len(KINDS))
        for c in continuous:
            if starts[c] <= time < stops[c]:
                total += factors[c][changes[c] <= time - starts[c]][-1] * rate[c] * to_kind[c]
        found[time] = total
    return found
