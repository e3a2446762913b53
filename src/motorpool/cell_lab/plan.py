"""The base plan of a scenario (one of its arms, without cells) and the course of cells that is added to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from motorpool.cell_lab.errors import CellLabError, not_one_of
from motorpool.simulation.loading import load_scenario, scenario_from_data
from motorpool.simulation.scenario import Scenario
from motorpool.therapies.courses import CellTherapy, Course
from motorpool.therapies.plan import validate_course

MONTHS = (6, 12, 24, 60)
BASE = "base"
MOST_CHANGEABLE = ("therapy", "mechanisms", "effect", "adverse_events")


@dataclass(frozen=True)
class BasePlan:
    """What is compared.

    Attributes:
        scenario: people and base plan, as its only arm `base`, over the months that are asked for.
        label: what the base plan is called.
        cells: the course that is added.
        months: after enrolment, rising.
        notes: what was taken away or assumed, in sentences.
    """

    scenario: Scenario
    label: str
    cells: CellTherapy
    months: tuple[float, ...]
    notes: tuple[str, ...]

    def courses(self) -> tuple[Course, ...]:
        """Courses of the base arm beside the background."""
        return self.scenario.arms[BASE].therapies

    def with_cells(self, cells: CellTherapy) -> BasePlan:
        """The same base plan with another course of cells."""
        return replace(self, cells=cells)


def base_plan(
    source: Scenario | str,
    *,
    arm: str | None = None,
    months: Sequence[float] = MONTHS,
    patients: int | None = None,
    changes: Iterable[str] = (),
    cell_changes: Iterable[str] = (),
) -> BasePlan:
    """The base plan of a scenario, without cells, and the cells that are added to it.

    Args:
        source: a scenario, a file, or the name of a shipped one.
        arm: whose plan is the base; where it is None, the one that the scenario compares its first arm with cells with,
            and without such an arm the scenario's comparator.
        months: when gains are read.
        changes: of the scenario, such as ``cohort.patients=50``.
        cell_changes: of the course of cells, such as ``doses=6``.

    Raises:
        ScenarioError: the scenario is not valid.
        CellLabError: no such arm, or a change of the cells that cannot be made.
    """
    extra = [] if patients is None else [f"cohort.patients={patients}"]
    scenario = load_scenario(source, [*changes, *extra])
    cells, where = _cells_of(scenario)
    name = arm or (scenario.comparator_of(where) if where else scenario.comparator)
    if name not in scenario.arms:
        raise not_one_of("--arm", name, scenario.arms)
    notes: list[str] = []
    label = scenario.label_of(name)
    own = scenario.arms[name]
    kept = [course for course in own.therapies if not isinstance(course, CellTherapy)]
    if len(kept) < len(own.therapies):
        notes.append(f"The arm {label!r} holds cells; they were taken out of the base plan.")
    background = [course for course in scenario.cohort.background if not isinstance(course, CellTherapy)]
    if len(background) < len(scenario.cohort.background):
        notes.append("Cells that the background gave before enrolment were taken out, for everybody.")
    if where:
        notes.append(f"The cells that are added are those of the arm {scenario.label_of(where)!r}.")
    else:
        notes.append(
            "The scenario says nothing of cells; those of the registered trial in SMA are added: three doses of "
            "mesenchymal cells by lumbar puncture, about a month apart."
        )
    rising = tuple(sorted({float(month) for month in months}))
    data = scenario.model_dump(mode="json", exclude_none=True)
    data["cohort"]["smn2_copies"] = scenario.cohort.smn2_copies
    data["cohort"]["background"] = [_plain(course) for course in background]
    arms: dict[str, dict[str, Any]] = {
        BASE: {"label": label, "therapies": [_plain(course) for course in kept]}
    }
    if own.stop_background:
        arms[BASE] |= own.model_dump(include={"stop_background", "stop_background_months"}, exclude_none=True)
    data |= {
        "arms": arms,
        "comparator": BASE,
        "horizon_months": rising[-1],
        "visits_months": [0.0, *rising],
        "published": [],
    }
    shortened = scenario_from_data(data, scenario.name)
    changed = changed_cells(cells, cell_changes)
    scenario_from_data(_with_course(data, changed), scenario.name)  # refuses what does not fit together
    return BasePlan(shortened, label, changed, rising, tuple(notes))


def _with_course(data: dict[str, Any], cells: CellTherapy) -> dict[str, Any]:
    arms = {BASE: {**data["arms"][BASE], "therapies": [*data["arms"][BASE]["therapies"], _plain(cells)]}}
    return {**data, "arms": arms}


def _plain(course: Course) -> dict[str, Any]:
    return course.model_dump(mode="json", exclude_none=True)


def _cells_of(scenario: Scenario) -> tuple[CellTherapy, str | None]:
    """The first course of cells of the scenario, one with the prior's effect before others, and its arm."""
    found = [
        (course, name)
        for name in scenario.arms
        for course in scenario.arms[name].therapies
        if isinstance(course, CellTherapy)
    ]
    if not found:
        return CellTherapy(therapy="cell_therapy"), None
    return next(((course, name) for course, name in found if course.effect == "prior"), found[0])


def changed_cells(course: CellTherapy, changes: Iterable[str]) -> CellTherapy:
    """A course of cells with changes such as ``doses=6`` or ``route=intravenous``.

    Raises:
        CellLabError: an unknown field, or a value that it cannot have.
    """
    import yaml

    data = _plain(course)
    allowed = [name for name in CellTherapy.model_fields if name not in MOST_CHANGEABLE]
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise CellLabError(f"--cells: {change[:60]!r} must look like NAME=VALUE, such as doses=6.")
        if name not in allowed:
            raise not_one_of("--cells", name, allowed)
        try:
            data[name] = yaml.safe_load(text)
        except yaml.YAMLError:
            raise CellLabError(f"--cells {name}: {text[:60]!r} is not a value.") from None
        if name == "doses" and data[name] == 1:
            data.pop("interval_weeks", None)
    return validated_cells(data, "--cells")


def validated_cells(data: dict[str, Any], where: str) -> CellTherapy:
    """A course of cells from plain data.

    Raises:
        CellLabError: a field cannot have its value; the message names both.
    """
    from pydantic import ValidationError

    try:
        return cast("CellTherapy", validate_course(data))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(step) for step in first["loc"][1:]) or str(first.get("ctx", {}).get("at", ""))
        value = first.get("input")
        shown = f" {value!r}" if not isinstance(value, dict) else ""
        raise CellLabError(f"{where} {field}:{shown} {first['msg']}.") from None
