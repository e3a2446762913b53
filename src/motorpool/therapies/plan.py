"""A plan: the courses of therapy of one arm, and the rules that hold between them.

`plan_problems` says everything that is wrong with a list of courses as data, so that the scenario file can
report each with its path. `validate_course` builds one course from plain data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from motorpool.therapies.base_course import DoseSegment
from motorpool.therapies.courses import THERAPIES, CellTherapy, Course
from motorpool.therapies.fields import nearest_name
from motorpool.therapies.start_rules import StartRule, StateRule, StopRule

MAXIMUM_COURSES = 12
MEDICINES = (
    "nusinersen",
    "risdiplam",
    "onasemnogene",
    "myostatin_inhibition",
    "transmission_support",
    "cell_therapy",
)

__all__ = [
    "MAXIMUM_COURSES",
    "THERAPIES",
    "Course",
    "DoseSegment",
    "PlanProblem",
    "StartRule",
    "StateRule",
    "StopRule",
    "plan_problems",
    "validate_course",
]

_ADAPTER: TypeAdapter[Course] = TypeAdapter(Course)


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """One thing wrong between courses: index of the course, its field, the value, and what is allowed."""

    course: int
    field: str
    value: object
    message: str
    nearest: str | None = None


def validate_course(data: Mapping[str, object]) -> Course:
    """Build one course from plain data; raises pydantic.ValidationError."""
    return _ADAPTER.validate_python(data)


def plan_problems(courses: Sequence[Course]) -> list[PlanProblem]:
    """Everything wrong between the courses of one person: names, order, overlaps, gene therapy twice."""
    problems: list[PlanProblem] = []
    if len(courses) > MAXIMUM_COURSES:
        problems.append(
            PlanProblem(
                MAXIMUM_COURSES,
                "therapy",
                courses[MAXIMUM_COURSES].therapy,
                f"is course {MAXIMUM_COURSES + 1}; a plan has at most {MAXIMUM_COURSES} courses, "
                "background included",
            )
        )
        return problems
    problems += _name_problems(courses)
    problems += _order_problems(courses)
    problems += _overlap_problems(courses)
    problems += _cell_product_problems(courses)
    return problems


def _name_problems(courses: Sequence[Course]) -> list[PlanProblem]:
    problems: list[PlanProblem] = []
    for index, course in enumerate(courses):
        names_before = [earlier.label for earlier in courses[:index] if earlier.label is not None]
        if course.label is not None and course.label in names_before:
            problems.append(
                PlanProblem(index, "label", course.label, "is the label of another course; every label once")
            )
    return problems


def _order_problems(courses: Sequence[Course]) -> list[PlanProblem]:
    problems: list[PlanProblem] = []
    for index, course in enumerate(courses):
        target = course.start_rule.after
        if target is None:
            continue
        matching = [other for other in range(len(courses)) if courses[other].name == target]
        earlier = [other for other in matching if other < index]
        known = [other.name for other in courses[:index]]
        allowed = "one of " + ", ".join(known) if known else "a course listed before this one; there is none"
        if not matching:
            message = f"names no course of this plan; must be {allowed}"
            problems.append(PlanProblem(index, "start.after", target, message, nearest_name(target, known)))
        elif not earlier:
            message = (
                "names the course itself" if matching == [index] else "names a course that is listed later"
            )
            problems.append(PlanProblem(index, "start.after", target, f"{message}; must be {allowed}"))
        elif len(earlier) > 1:
            message = "names more than one course; give each its own label and name that"
            problems.append(PlanProblem(index, "start.after", target, message))
        elif not courses[earlier[0]].ends:
            message = f"names a course that never ends; give {target} a stop"
            problems.append(PlanProblem(index, "start.after", target, message))
    return problems


def _overlap_problems(courses: Sequence[Course]) -> list[PlanProblem]:
    problems: list[PlanProblem] = []
    for index, course in enumerate(courses):
        for other in range(index):
            if courses[other].therapy != course.therapy:
                continue
            if course.one_off and course.therapy in ("onasemnogene", "spine_surgery"):
                message = f"is given twice; {course.therapy} can be given only once"
                problems.append(PlanProblem(index, "therapy", course.therapy, message))
            elif not (_ends_before(courses, other, index) or _ends_before(courses, index, other)):
                message = (
                    "overlaps, or may overlap, another course of the same therapy; let the first one stop "
                    "and start this one with `after`"
                )
                problems.append(PlanProblem(index, "start", str(course.therapy), message))
    return problems


def _cell_product_problems(courses: Sequence[Course]) -> list[PlanProblem]:
    """Courses of cells in one plan are the same product: what the cells do is decided once per plan."""
    problems: list[PlanProblem] = []
    given = [(index, course) for index, course in enumerate(courses) if isinstance(course, CellTherapy)]
    for index, course in given[1:]:
        for field in ("cell_type", "immunosuppression", "mechanisms", "effect"):
            if getattr(course, field) != getattr(given[0][1], field):
                message = (
                    "differs from the first course of cells; all cells of a plan must be the same product"
                )
                problems.append(PlanProblem(index, field, str(getattr(course, field)), message))
    return problems


def _ends_before(courses: Sequence[Course], first: int, second: int) -> bool:
    """Whether course `first` certainly ends before course `second` starts."""
    if first in _predecessors(courses, second):
        return True
    start, stop, later = courses[first].start_rule, courses[first].stop, courses[second].start_rule
    if stop is None:
        return False
    if stop.kind == "duration":
        return (
            start.kind == later.kind
            and start.kind not in ("state", "after_course")
            and (start.offset_hours + stop.offset_hours <= later.offset_hours)
        )
    return stop.kind == later.kind and stop.kind != "state" and stop.offset_hours <= later.offset_hours


def _predecessors(courses: Sequence[Course], index: int) -> set[int]:
    """Indices of the courses that this one follows, directly or through others, by `after`."""
    found: set[int] = set()
    waiting = [index]
    while waiting:
        target = courses[waiting.pop()].start_rule.after
        for other in range(len(courses)):
            if target is not None and courses[other].name == target and other not in found and other != index:
                found.add(other)
                waiting.append(other)
    return found
