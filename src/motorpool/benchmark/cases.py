"""What is measured: treatment plans, ages and people, carried by the engine as `simulate` carries them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_YEAR
from motorpool.cohorts.traits import draw_people, infection_seed
from motorpool.engine.blocks import Setting, Span, begin_life, live
from motorpool.engine.compile_plan import Anchors, cell_protocol, compile_plan, planned_jumps
from motorpool.engine.dosing import COURSES, NEVER_HOURS
from motorpool.engine.grid import FIRST_HOUR, life_boundaries, personal_grid, study_ages, study_boundaries
from motorpool.engine.state import State
from motorpool.simulation.model import parameter_draw
from motorpool.therapies.courses import Course
from motorpool.therapies.plan import validate_course

Numbers = NDArray[np.float64]
SEED = 1
STANDARD_CARE = 1.0
MONTHS_PER_YEAR = 12
YEARS_BETWEEN_VISITS = 0.25
NOT_WITHIN_A_LIFE = 1e9  # an exponential draw that no integrated hazard reaches


@dataclasses.dataclass(frozen=True)
class Case:
    """One therapy from an age on, in people with so many SMN2 copies; life is followed from mid-gestation."""

    therapy: str
    smn2_copies: int
    enrolment_years: float
    study_years: float

    @property
    def name(self) -> str:
        """In words."""
        return f"{self.therapy}, {self.smn2_copies} SMN2 copies, from {self.enrolment_years:g} years of age"

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
    Case(therapy, copies, enrolment, study)
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
        return _treatment(self.span, given, np.asarray(life.now.state.start_hours)[:, 0])

    def _rows(self, rows: NDArray[Any]) -> NDArray[np.int32]:
        return np.repeat(rows[:, None], self.span.patients, axis=1).astype(np.int32)


@dataclasses.dataclass(frozen=True)
class Treatment:
    """Doses (kinds,) by hour of age, and continuous inputs (kinds,) from an hour on."""

    doses: dict[int, Numbers]
    rates: dict[int, Numbers]


def population(case: Case, count: int) -> Population:
    """So many people of a case. Nobody gets a feeding tube, because that instant depends on luck."""
    draw = parameter_draw(None, SEED)
    identity, everyone = jnp.arange(count), jnp.ones(count, jnp.float32)
    copies, any_sex = case.smn2_copies * everyone, -everyone
    person = draw_people(SEED, identity, 0.0 * everyone, copies, any_sex, draw.people, draw.model.biology.smn)
    person = dataclasses.replace(person, tube_feeding_draw=NOT_WITHIN_A_LIFE * everyone)
    courses = (validate_course({"therapy": case.therapy}),)
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


def _treatment(span: Span, given: Numbers, starts: NDArray[np.int32]) -> Treatment:
    """From amounts by boundary and course, and the hours (courses,) at which courses started."""
    plan = span.plan
    to_kind = np.asarray(plan.dose_to_kind, np.float64)
    doses = {
        int(span.grid_hours[row, 0]): given[row] @ to_kind for row in np.flatnonzero(given.sum(axis=1) > 0)
    }
    rate = np.asarray(plan.rate, np.float64)
    running = [course for course in range(COURSES) if rate[course] > 0 and starts[course] < NEVER_HOURS]
    to_kind = np.asarray(plan.rate_to_kind, np.float64)
    rates: dict[int, Numbers] = {}
    for start in sorted({int(starts[course]) for course in running}):
        begun = [course for course in running if starts[course] <= start]
        rates[start] = np.asarray([rate[course] for course in begun]) @ to_kind[begun]
    return Treatment(doses, rates)
