"""The same people with and without cells: recruited once for each draw of biology, simulated under many plans.

A draw of biology is a draw of everything that is not known but the cells; the base plan is simulated once under each.
What is not known of cells is put on top, so that many beliefs about cells share one cohort and one base plan.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.cell_lab.kept_people import arrays_of, cohort_arrays, cohort_of, record_of
from motorpool.cell_lab.plan import BASE, BasePlan
from motorpool.cell_lab.unknowns import stated, with_cells
from motorpool.simulation.arm import ArmResults, simulate_arm
from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.kept_pieces import kept
from motorpool.simulation.model import Draw, parameter_draw
from motorpool.simulation.recruit import Recruited, recruit
from motorpool.simulation.scenario import Scenario
from motorpool.simulation.screening import to_enrolment
from motorpool.therapies.courses import CellTherapy, Course
from motorpool.therapies.kinds import CELL_MECHANISMS

Tell = Callable[[float], None]


@dataclasses.dataclass(frozen=True)
class Lives:
    """What is kept of one arm; V visits (the first is enrolment), O outcomes, E events, P people.

    true, observed (V, O, P); alive (V, P); neurons_alive (V, P) share of motor neurons working or sick;
    event_years (E, P); adverse_events and procedures (kind, P).
    """

    true: NDArray[np.float32]
    observed: NDArray[np.float32]
    alive: NDArray[np.bool_]
    neurons_alive: NDArray[np.float64]
    event_years: NDArray[np.float64]
    adverse_events: NDArray[np.float64]
    procedures: NDArray[np.int32]


@dataclasses.dataclass(frozen=True)
class Group:
    """People of one draw of biology, and their base plan."""

    draw: Draw
    cohort: Recruited
    base: Lives

    @property
    def people(self) -> int:
        """How many."""
        return int(self.cohort.patient_numbers.size)


class People:
    """Cohorts of a base plan under ``biology`` draws, recruited when they are first asked for and kept."""

    def __init__(self, plan: BasePlan, biology: int) -> None:
        """Begin with nobody recruited."""
        self.plan, self.biology = plan, biology
        self._groups: dict[int, Group] = {}
        self._references: dict[tuple[int, str], Lives] = {}

    def share(self, other: People) -> None:
        """Take over the people of the same base plan, so that only other cells are simulated anew."""
        self._groups = other._groups

    def group(self, number: int) -> Group:
        """The people of one draw of biology."""
        if number not in self._groups:
            scenario = self.plan.scenario
            draw = parameter_draw(number, scenario.seed)
            arrays = kept(self._piece("cohort", number), lambda: cohort_arrays(_recruited(scenario, draw)))
            cohort = cohort_of(arrays)
            courses = self.plan.courses()
            base = self._kept("base", number, courses, lambda: self._lives(scenario, cohort, draw, courses))
            self._groups[number] = Group(draw, cohort, base)
        return self._groups[number]

    def recruit_all(self, tell: Tell) -> None:
        """Recruit everybody and simulate the base plan; ``tell`` is called with the share done."""
        for number in range(self.biology):
            tell(number / self.biology)
            self.group(number)

    def under(self, number: int, courses: Sequence[Course]) -> Lives:
        """The same people under other courses instead of the base plan's own."""
        group = self.group(number)

        def lives() -> Lives:
            return self._lives(self.plan.scenario, group.cohort, group.draw, courses)

        return self._kept("under", number, courses, lives)

    def earlier(self, number: int, scenario: Scenario) -> Lives:
        """The same people, by birth and luck, whose background was another one all their lives until enrolment."""
        courses = scenario.arms[BASE].therapies

        def lives() -> Lives:
            group = self.group(number)
            return self._lives(scenario, self._again(number, scenario), group.draw, courses)

        return self._kept("earlier", number, courses, lives, scenario.model_dump_json())

    def _again(self, number: int, scenario: Scenario) -> Recruited:
        group = self.group(number)
        people = group.cohort.people
        again = to_enrolment(
            scenario,
            group.draw,
            people.person,
            people.infection_seed,
            people.onset_hours,
            people.diagnosis_hours,
            people.enrolment_hours,
            people.sma_type,
            people.smn2_copies,
        )
        return dataclasses.replace(group.cohort, people=again)

    def with_cells(
        self, number: int, cells: CellTherapy, effects: NDArray[np.float64], values: Mapping[str, float]
    ) -> Lives:
        """The same people with the base plan and cells.

        Args:
            number: of the draw of biology.
            cells: the course.
            effects: (5,) of each mechanism, in SD of 12-month change under the reference protocol.
            values: other unknowns of the cells (half-lives and the like).
        """
        if not np.any(effects):
            return self.without_effect(number, cells)
        return self._treated(number, cells, effects, values)

    def without_effect(self, number: int, cells: CellTherapy) -> Lives:
        """The same people with injections of cells that do nothing: exactly the base plan's bodies."""
        return self.under(number, (*self.plan.courses(), cells.model_copy(update={"effect": "none"})))

    def reference(self, number: int, cells: CellTherapy) -> Lives:
        """The base plan in the steps that the cells ask for, so that rounding is the same on both sides; kept."""
        key = (number, cells.model_dump_json())
        if key not in self._references:
            self._references[key] = self._treated(number, cells, np.zeros(len(CELL_MECHANISMS)), {})
        return self._references[key]

    def _treated(
        self, number: int, cells: CellTherapy, effects: NDArray[np.float64], values: Mapping[str, float]
    ) -> Lives:
        group = self.group(number)
        protocol = stated(
            effects, immunosuppressed=cells.immunosuppression, neural=cells.cell_type == "neural"
        )
        draw = with_cells(group.draw, values)
        courses = (*self.plan.courses(), cells.model_copy(update={"effect": "prior"}))
        scenario = _arm(self.plan.scenario, courses)
        told = [effects.tolist(), dict(values)]
        return self._kept(
            "treated",
            number,
            courses,
            lambda: _lived(simulate_arm(scenario, BASE, group.cohort, draw, protocol)),
            *told,
        )

    def _piece(self, what: str, number: int, *more: Any) -> list[Any]:
        """What decides a piece of the work on these people; see :mod:`motorpool.simulation.kept_pieces`."""
        return [what, self.plan.scenario.model_dump_json(), number, *more]

    def _kept(
        self, what: str, number: int, courses: Sequence[Course], make: Callable[[], Lives], *more: Any
    ) -> Lives:
        piece = self._piece(what, number, [course.model_dump_json() for course in courses], *more)
        return record_of(Lives, kept(piece, lambda: arrays_of(make())))

    @staticmethod
    def _lives(scenario: Scenario, cohort: Recruited, draw: Draw, courses: Sequence[Course]) -> Lives:
        return _lived(simulate_arm(_arm(scenario, courses), BASE, cohort, draw))


def _recruited(scenario: Scenario, draw: Draw) -> Recruited:
    try:
        return recruit(scenario, draw, lambda share: None)
    except ScenarioError as error:
        raise ScenarioError(error.problems, scenario.name) from error


def _arm(scenario: Scenario, courses: Sequence[Course]) -> Scenario:
    own = scenario.arms[BASE]
    arm = own.model_copy(update={"therapies": tuple(courses), "comparator": None})
    return scenario.model_copy(update={"arms": {BASE: arm}})


def _lived(results: ArmResults) -> Lives:
    read = results.readout
    pools = np.asarray(read.pools, np.float64)  # (V, working | sick | dead, muscle group, P)
    return Lives(
        true=np.asarray(read.true, np.float32),
        observed=np.asarray(read.observed, np.float32),
        alive=np.asarray(read.alive, bool),
        neurons_alive=pools[:, :2].sum(axis=1).mean(axis=1),
        event_years=np.asarray(read.event_time_years, np.float64),
        adverse_events=np.asarray(results.adverse_events, np.float64),
        procedures=np.asarray(results.procedures, np.int32),
    )
