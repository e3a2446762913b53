"""Contradictions between parts of a scenario that can be seen without simulating anyone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from motorpool.simulation.errors import Problem
from motorpool.therapies.courses import Course
from motorpool.therapies.fields import (
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    MAXIMUM_AGE_YEARS,
    nearest_name,
)
from motorpool.therapies.plan import plan_problems

if TYPE_CHECKING:
    from motorpool.simulation.scenario import Scenario

MAXIMUM_VISITS = 2500


def refuse_contradictions(scenario: Scenario) -> None:
    """Raise one error that lists every contradiction (in its context, under `problems`)."""
    checks = (_comparators, _plans, _background, _timing, _visits, _ages, _published, _size)
    problems = [problem for check in checks for problem in check(scenario)]
    if problems:
        summary = "; ".join(str(problem) for problem in problems)
        raise PydanticCustomError("contradictions", "{summary}", {"summary": summary, "problems": problems})


def _comparators(scenario: Scenario) -> Iterator[Problem]:
    allowed = "must be an arm: " + ", ".join(scenario.arms)
    named = [("comparator", scenario.comparator)]
    named += [
        (f"arms.{name}.comparator", arm.comparator)
        for name, arm in scenario.arms.items()
        if arm.comparator is not None
    ]
    for path, value in named:
        if value not in scenario.arms:
            yield Problem(path, allowed, value, nearest_name(value, scenario.arms))
        elif path == f"arms.{value}.comparator":
            yield Problem(path, "is the arm itself; must be another arm", value)


def _plans(scenario: Scenario) -> Iterator[Problem]:
    background = scenario.cohort.background
    for problem in plan_problems(background):
        path = f"cohort.background.{problem.course}.{problem.field}"
        yield Problem(path, problem.message, problem.value, problem.nearest)
    names = [course.name for course in background]
    for arm_name, arm in scenario.arms.items():
        for index, ended in enumerate(arm.stop_background):
            if ended not in names:
                allowed = "must be a course of cohort.background: " + (", ".join(names) or "there is none")
                yield Problem(
                    f"arms.{arm_name}.stop_background.{index}", allowed, ended, nearest_name(ended, names)
                )
            elif background[names.index(ended)].one_off:
                message = "is given once and cannot be stopped"
                yield Problem(f"arms.{arm_name}.stop_background.{index}", message, ended)
            elif background[names.index(ended)].stop is not None:
                message = "has a stop of its own already; leave out one of the two"
                yield Problem(f"arms.{arm_name}.stop_background.{index}", message, ended)
        for problem in plan_problems(scenario.courses_of(arm_name)):
            own = problem.course - len(background)
            if own >= 0:
                path = f"arms.{arm_name}.therapies.{own}.{problem.field}"
                yield Problem(path, problem.message, problem.value, problem.nearest)


def _background(scenario: Scenario) -> Iterator[Problem]:
    """Background courses must start before enrolment for everybody, as far as can be seen."""
    enrolment = scenario.cohort.enrolment
    for index, course in enumerate(scenario.cohort.background):
        path = f"cohort.background.{index}.start"
        rule = course.start
        if rule is None and course.therapy != "spine_surgery":
            message = (
                "is missing; a background course starts before enrolment: give age_months, "
                "days_after_diagnosis, days_after_onset or when"
            )
            yield Problem(path, message)
            continue
        if rule is None:
            continue
        if rule.kind == "enrolment":
            message = (
                "starts at or after enrolment; a background course starts before it. "
                "Put this course under arms.<arm>.therapies"
            )
            yield Problem(path, message)
        earliest = enrolment.spread.lower * enrolment.hours_per_unit
        if rule.kind == enrolment.kind and rule.offset_hours > earliest:
            limit = _in_words(earliest, rule.kind)
            message = (
                f"would start after some people have enrolled; must be at most {limit}, "
                "or put this course under arms.<arm>.therapies"
            )
            yield Problem(path, message, _in_words(rule.offset_hours, rule.kind))


def _timing(scenario: Scenario) -> Iterator[Problem]:
    """Courses of an arm must not start before enrolment, nor end before they could start."""
    enrolment = scenario.cohort.enrolment
    latest = enrolment.spread.upper * enrolment.hours_per_unit
    earliest = enrolment.spread.lower * enrolment.hours_per_unit
    for arm_name, arm in scenario.arms.items():
        for index, course in enumerate(arm.therapies):
            rule = course.start_rule
            path = f"arms.{arm_name}.therapies.{index}"
            if course.start is not None and rule.kind == enrolment.kind and rule.offset_hours < latest:
                limit = _in_words(latest, rule.kind)
                message = (
                    f"would start before enrolment (up to {limit}) in some people; arms share everything "
                    "before enrolment. Use {at: enrolment}, or put the course under cohort.background"
                )
                yield Problem(f"{path}.start", message, _in_words(rule.offset_hours, rule.kind))
            yield from _nobody_gets_it(course, path, earliest if enrolment.kind == "age" else 0.0, scenario)
            if rule.kind == "enrolment" and rule.offset_hours > scenario.horizon_months * HOURS_PER_MONTH:
                message = (
                    f"starts after the horizon of {scenario.horizon_months:g} months; nobody would get it"
                )
                yield Problem(f"{path}.start.delay_days", message, rule.delay_days)


def _nobody_gets_it(course: Course, path: str, earliest: float, scenario: Scenario) -> Iterator[Problem]:
    stop, rule = course.stop, course.start_rule
    if stop is None:
        return
    if stop.kind == "age" and rule.kind == "enrolment" and stop.offset_hours <= earliest + rule.offset_hours:
        limit = (earliest + rule.offset_hours) / (12 * HOURS_PER_MONTH)
        message = f"stops before it starts; must be above {limit:.3g} years, the youngest age at its start"
        yield Problem(f"{path}.stop.age_years", message, stop.age_years)


def _in_words(hours: float, kind: str) -> str:
    if kind == "age":
        return f"{round(hours / HOURS_PER_MONTH, 2):g} months of age"
    return f"{round(hours / HOURS_PER_DAY, 2):g} days after {kind}"


def _visits(scenario: Scenario) -> Iterator[Problem]:
    horizon = scenario.horizon_months
    visits = scenario.visits_months
    if isinstance(visits, tuple):
        late = [month for month in visits if month > horizon]
        if late:
            yield Problem("visits_months", f"is beyond the horizon of {horizon:g} months", late[0])
    elif visits.every > horizon:
        message = f"is beyond the horizon of {horizon:g} months; no visit would follow enrolment"
        yield Problem("visits_months.every", message, visits.every)


def _ages(scenario: Scenario) -> Iterator[Problem]:
    enrolment = scenario.cohort.enrolment
    hours_at_end = (
        enrolment.spread.upper * enrolment.hours_per_unit + scenario.horizon_months * HOURS_PER_MONTH
    )
    age_years = hours_at_end / (12 * HOURS_PER_MONTH)
    if age_years > MAXIMUM_AGE_YEARS:
        message = (
            f"months would follow people to age {age_years:.4g}; age at enrolment and horizon_months "
            f"together must stay within {MAXIMUM_AGE_YEARS} years"
        )
        yield Problem("horizon_months", message, scenario.horizon_months)
    onset, duration = scenario.cohort.onset_age_months, scenario.cohort.disease_duration_months
    if enrolment.kind == "age" and onset is not None and duration is not None:
        lowest = (onset.min or 0.0) + (duration.min or 0.0)
        if lowest > enrolment.spread.upper:
            message = (
                f"contradicts enrolment by age {enrolment.spread.upper:g} months: onset_age_months and "
                f"disease_duration_months add to at least {lowest:g}"
            )
            yield Problem("cohort.disease_duration_months.min", message, duration.min)


def _published(scenario: Scenario) -> Iterator[Problem]:
    if not scenario.published:
        return
    names = published_names()
    for index, name in enumerate(scenario.published):
        if name not in names:
            message = "is not a published study of the library; known are " + ", ".join(names)
            yield Problem(f"published.{index}", message, name, nearest_name(name, names))


def published_names() -> Sequence[str]:
    """Names of the published studies that can be drawn over the curves."""
    from motorpool.evidence.published import list_published

    return list_published()


def _size(scenario: Scenario) -> Iterator[Problem]:
    visits = len(scenario.visit_months())
    if visits > MAXIMUM_VISITS:
        yield Problem("visits_months", f"makes {visits} visits; at most {MAXIMUM_VISITS} are possible")
