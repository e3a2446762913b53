"""The scenarios that a design becomes: every arm, and every change of plan that may happen, in the same people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from motorpool.simulation.loading import scenario_from_data
from motorpool.simulation.units import DAYS_PER_MONTH
from motorpool.therapies.courses import CellTherapy

if TYPE_CHECKING:
    from motorpool.simulation.scenario import Scenario
    from motorpool.trials.design import TrialDesign

CHANGED = "__"
WITHOUT = "external"
"""The arm of people without the trial's therapies, where the design has no control of its own."""
MOST_CHANGE_TIMES = 4  # numerical choice: at how many visits a plan may change


def change_months(design: TrialDesign) -> tuple[float, ...]:
    """Months at which a person's plan may change (stopping, or rescue): visits after the first and before the last."""
    inner = [month for month in design.visit_months[:-1] if month > 0.0]
    if len(inner) <= MOST_CHANGE_TIMES:
        return tuple(inner)
    step = (len(inner) - 1) / (MOST_CHANGE_TIMES - 1)
    return tuple(inner[round(index * step)] for index in range(MOST_CHANGE_TIMES))


def changed_name(arm: str, place: int) -> str:
    """The name of an arm whose plan changes at the change time of this place."""
    return f"{arm}{CHANGED}{place}"


def trial_scenario(design: TrialDesign, people: int, cells_effect: float | None = None) -> Scenario:
    """The scenario of a trial's people under every arm and every change of plan.

    Args:
        people: how many are in the pool.
        cells_effect: the total effect of cell therapy in every arm that has it, as a standardised difference over a
            year; by default what the file says.

    Raises:
        ScenarioError: with paths of the scenario.
    """
    arms: dict[str, Any] = {}
    for name, arm in design.arms.items():
        plain = [_course(course, cells_effect) for course in arm.therapies]
        section = {"therapies": plain, "stop_background": list(arm.stop_background)}
        arms[name] = section
        for place, month in enumerate(change_months(design) if _changes(design) else ()):
            arms[changed_name(name, place)] = _changed(design, section, month)
    if design.control is None:
        # What the same people would have been without the arm's therapy: the truth that outside controls stand in for.
        arms[WITHOUT] = {"therapies": [], "stop_background": []}
    return scenario_from_data(_data(design, people, _cohort(design), arms))


def external_scenario(design: TrialDesign, people: int) -> Scenario:
    """The scenario of the people outside the trial: untreated beyond their background, where and as they live."""
    external = design.external_control
    if external is None:
        message = "the design has no external control"
        raise ValueError(message)
    cohort = _cohort(design) | dict(external.cohort)
    arms = {WITHOUT: {"therapies": [], "stop_background": []}}
    data = _data(design, people, cohort, arms)
    data["care"] = external.care or design.care
    return scenario_from_data(data)


def _cohort(design: TrialDesign) -> dict[str, Any]:
    cohort: dict[str, Any] = design.population.model_dump(mode="json", exclude_none=True)
    return {**cohort, "smn2_copies": design.population.smn2_copies}


def _data(
    design: TrialDesign, people: int, cohort: Mapping[str, Any], arms: Mapping[str, Any]
) -> dict[str, Any]:
    # Visits may come late: life is simulated beyond the last planned one.
    months = [*design.visit_months]
    late = design.visits.window_days / DAYS_PER_MONTH
    if late:
        months.append(round(months[-1] + late, 6))
    return {
        "motorpool": 1,
        "name": design.name,
        "title": design.title,
        "cohort": {**cohort, "patients": people},
        "arms": dict(arms),
        "horizon_months": max(months[-1], 0.25),
        "visits_months": months,
        "care": design.care,
        "seed": design.seed,
    }


def _changes(design: TrialDesign) -> bool:
    return design.conduct.discontinue_per_year > 0.0 or design.conduct.rescue is not None


def _course(course: Any, cells_effect: float | None) -> dict[str, Any]:
    data: dict[str, Any] = course.model_dump(mode="json", exclude_none=True)
    if cells_effect is not None and isinstance(course, CellTherapy):
        data["effect"] = cells_effect
    return data


def _changed(design: TrialDesign, section: Mapping[str, Any], month: float) -> dict[str, Any]:
    """The arm with its own courses stopped, or with the rescue therapies begun, at this month."""
    rescue = design.conduct.rescue
    therapies: list[dict[str, Any]] = list(section["therapies"])
    if rescue is not None:
        # Who takes the drug already cannot begin it; rescue then changes nothing but counts as an event.
        taken = {data["therapy"] for data in therapies}
        taken |= {
            course.therapy
            for course in design.population.background
            if course.name not in section["stop_background"]
        }
        for number, course in enumerate(rescue.therapies):
            if course.therapy in taken:
                continue
            data = course.model_dump(mode="json", exclude_none=True)
            data["start"] = {"at": "enrolment", "delay_days": month * DAYS_PER_MONTH}
            data["label"] = course.label or f"rescue_{number}"
            therapies.append(data)
    else:
        stop = {"months_after_enrolment": month}
        by_place = {place: _stopped(data, stop) for place, data in enumerate(therapies)}
        therapies = [data for data in by_place.values() if data is not None]
    return {"therapies": therapies, "stop_background": section["stop_background"]}


def _stopped(course: dict[str, Any], stop: dict[str, float]) -> dict[str, Any] | None:
    """The course ended at that month; none where it would not have begun. What cannot be taken back stays."""
    if course["therapy"] in ("onasemnogene", "spine_surgery", "cell_therapy") or "stop" in course:
        return course
    start: dict[str, Any] = course.get("start") or {}
    begins = float(start.get("delay_days", 0.0)) / DAYS_PER_MONTH
    return None if stop["months_after_enrolment"] <= begins else {**course, "stop": stop}
