"""What other things would add in the same people: earlier SMN therapy, rehabilitation, breathing support."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from motorpool.cell_lab.people import Lives, People
from motorpool.cell_lab.plan import BASE, BasePlan
from motorpool.evidence.facts import load_facts
from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.loading import scenario_from_data
from motorpool.simulation.scenario import Scenario
from motorpool.therapies.courses import Course
from motorpool.therapies.plan import validate_course

SMN_THERAPIES = ("nusinersen", "risdiplam", "onasemnogene")
SMN_NOW = "risdiplam"  # by mouth, at any age: what is added where the base plan holds no SMN therapy


@dataclass(frozen=True)
class Comparison:
    """Another plan for the same people: its words, and their lives under one draw of biology."""

    id: str
    label: str
    note: str
    lives: Callable[[People, int], Lives]


def comparisons(plan: BasePlan) -> tuple[list[Comparison], dict[str, str]]:
    """The comparisons that the base plan allows, and for those it does not, why."""
    found: list[Comparison] = []
    absent: dict[str, str] = {}
    earlier = _earlier(plan)
    if isinstance(earlier, Comparison):
        found.append(earlier)
    else:
        absent["earlier_smn_therapy"] = earlier
    for therapy, label in (("rehabilitation", "Rehabilitation"), ("breathing_support", "Breathing support")):
        if any(course.therapy == therapy for course in _all_courses(plan)):
            absent[therapy] = f"The base plan holds {label.lower()} already."
            continue
        course = validate_course({"therapy": therapy})
        problem = _refused(plan, course)
        if problem:
            absent[therapy] = problem
            continue
        found.append(_added(therapy, label, course))
    return found, absent


def _all_courses(plan: BasePlan) -> tuple[Course, ...]:
    return (*plan.scenario.cohort.background, *plan.courses())


def _added(therapy: str, label: str, course: Course) -> Comparison:
    def lives(people: People, number: int) -> Lives:
        return people.under(number, (*people.plan.courses(), course))

    return Comparison(
        therapy, label, f"{label} is added to the plan from the start, as much as is usual.", lives
    )


def _refused(plan: BasePlan, course: Course) -> str:
    """Why a course cannot be added to the base plan, in words; empty where it can."""
    data = _data(plan.scenario)
    data["arms"][BASE]["therapies"].append(course.model_dump(mode="json", exclude_none=True))
    try:
        scenario_from_data(data, plan.scenario.name)
    except ScenarioError as error:
        return str(error)
    return ""


def _data(scenario: Scenario) -> dict[str, Any]:
    data = scenario.model_dump(mode="json", exclude_none=True)
    data["cohort"]["smn2_copies"] = scenario.cohort.smn2_copies
    return data


def _earlier(plan: BasePlan) -> Comparison | str:
    """SMN therapy from three weeks of age on, in the same people; or, without any, an SMN drug from enrolment."""
    months = load_facts("cell_laboratory").fact("earlier_smn_start_months").number
    data = _data(plan.scenario)
    background: list[dict[str, Any]] = data["cohort"].get("background", [])
    own: list[dict[str, Any]] = data["arms"][BASE]["therapies"]
    first = next((course for course in [*background, *own] if course["therapy"] in SMN_THERAPIES), None)
    if first is None:
        course = validate_course({"therapy": SMN_NOW})
        problem = _refused(plan, course)
        if problem:
            return problem
        added = _added(SMN_NOW, "An SMN drug", course)
        return Comparison(
            "smn_therapy_now",
            "SMN therapy from now on",
            "The base plan holds no SMN therapy: risdiplam is added to it from enrolment.",
            added.lives,
        )
    if (first.get("start") or {}).get("after"):
        therapy = first["therapy"]
        return f"The SMN therapy of the base plan ({therapy}) follows another course and cannot be moved."
    if first in own:
        own.remove(first)
        background.append(first)
    first["start"] = {"age_months": months}
    data["cohort"]["background"] = background
    try:
        scenario = scenario_from_data(data, plan.scenario.name)
    except ScenarioError as error:
        return str(error)
    return Comparison(
        "earlier_smn_therapy",
        "SMN therapy from three weeks of age",
        f"The same people, born with the same luck, had {first['therapy']} from {months:g} months of age on, as after "
        "newborn screening. It cannot be had afterwards: it shows what time was worth.",
        lambda people, number: people.earlier(number, scenario),
    )
