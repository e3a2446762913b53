"""From the therapies of a plan to the courses of an arm, and from their errors back to the fields of the page."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from motorpool.simulation.errors import Problem, ScenarioError
from motorpool.therapies.fields import HOURS_PER_DAY, HOURS_PER_MONTH
from motorpool.web.course_options import KINDS, rule_text
from motorpool.web.description import DescribedPlan, Description
from motorpool.web.planned_course import NEEDED, PlannedCourse

PRESENT = "present"
_COHORT = {"cohort.diagnosis.delay_months": "diagnosis_delay_months"}
_BACKGROUND = re.compile(r"^cohort\.background\.\d+\.(pauses|dose_changes|therapy)(.*)$")
_ARM = re.compile(r"^arms\.plan_(\d+)\.(.+)$")
# Paths in an arm and the fields of the page that speak of the same.
_FIELDS = (
    (re.compile(r"^therapies\.(\d+)\.start\.after$"), r"courses.\1.after"),
    (re.compile(r"^therapies\.(\d+)\.start\.when$"), r"courses.\1.begins_level"),
    (re.compile(r"^therapies\.(\d+)\.start.*$"), r"courses.\1.from_months"),
    (re.compile(r"^therapies\.(\d+)\.stop\.when$"), r"courses.\1.ends_level"),
    (re.compile(r"^therapies\.(\d+)\.stop.*$"), r"courses.\1.to_months"),
    (re.compile(r"^therapies\.(\d+)\.(pauses|dose_changes|missed_doses|therapy)(.*)$"), r"courses.\1.\2\3"),
    (re.compile(r"^therapies\.(\d+)\.(.+)$"), r"courses.\1.settings.\2"),
    (re.compile(r"^stop_background_months$"), "present_to_months"),
    (re.compile(r"^stop_background.*$"), "stops_present"),
)


def arm_data(plan: DescribedPlan, description: Description) -> dict[str, Any]:
    """One arm of the scenario as plain data."""
    names = _names(plan)
    arm: dict[str, Any] = {"therapies": [_course(plan, place, names) for place in range(len(plan.courses))]}
    if description.present is not None and plan.stops_present:
        arm["stop_background"] = [PRESENT]
        if plan.present_to_months:
            arm["stop_background_months"] = plan.present_to_months
    return arm


def _names(plan: DescribedPlan) -> list[str]:
    """What each course is called in the scenario; the second of a therapy gets a number."""
    names: list[str] = []
    given = [course.therapy for course in plan.courses]
    for place, therapy in enumerate(given, 1):
        number = given[:place].count(therapy)
        names.append(therapy if number == 1 else f"{therapy}_{number}")
    return names


def _course(plan: DescribedPlan, place: int, names: list[str]) -> dict[str, Any]:
    course, start = plan.courses[place], plan.start_month(place)
    made: dict[str, Any] = {
        "therapy": course.therapy,
        **KINDS.get(course.therapy, {}).get(course.kind or "", {}),
        **course.settings,
        **course.dose_data(),
    }
    if names[place] != course.therapy:
        made["label"] = names[place]
    begin = _start(course, names)
    if begin is not None:
        made["start"] = begin
    end = _stop(course)
    if end is not None:
        made["stop"] = end
    return made if start is None else made | course.piece_data(start)


def _start(course: PlannedCourse, names: list[str]) -> dict[str, Any] | None:
    by = course.begins_by
    if by == NEEDED:
        return None
    if by == "month":
        if not course.from_months:
            return {"at": "enrolment"} if course.therapy == "spine_surgery" else None
        days = course.from_months * HOURS_PER_MONTH / HOURS_PER_DAY
        return {"at": "enrolment", "delay_days": round(days, 4)}
    if by == "first_signs":
        return {"days_after_onset": course.wait_days}
    if by == "diagnosis":
        return {"days_after_diagnosis": course.wait_days}
    if by == "after" and course.after is not None:
        begin: dict[str, Any] = {"after": names[course.after - 1] if course.after else PRESENT}
        return begin | ({"washout_days": course.wait_days} if course.wait_days else {})
    return {"when": rule_text(by, course.begins_level or 0.0)}


def _stop(course: PlannedCourse) -> dict[str, Any] | None:
    if course.ends is not None:
        return {"when": rule_text(course.ends, course.ends_level or 0.0)}
    if course.to_months is None:
        return None
    if course.begins_by == "month":
        return {"after_months": course.to_months - course.from_months}
    return {"months_after_enrolment": course.to_months}


def in_page_fields(error: ScenarioError, description: Description) -> ScenarioError:
    """The same error with the fields of the page instead of the paths of the scenario."""
    return ScenarioError([_of_page(problem, description) for problem in error.problems], error.source)


def _of_page(problem: Problem, description: Description) -> Problem:
    found = _ARM.match(problem.path)
    if found is None:
        path = _COHORT.get(problem.path) or _BACKGROUND.sub(r"present.\1\2", problem.path)
        return dataclasses.replace(problem, path=path)
    plan, rest = int(found[1]) - 1, found[2]
    for pattern, field in _FIELDS:
        if pattern.match(rest):
            path = f"plans.{plan}.{pattern.sub(field, rest)}"
            changed = dataclasses.replace(problem, path=path)
            if rest.endswith("delay_days"):  # the page counts months
                place = int(rest.split(".")[1])
                changed = dataclasses.replace(
                    changed, value=description.plans[plan].courses[place].from_months
                )
            return changed
    return problem
