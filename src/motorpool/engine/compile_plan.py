"""From the courses of an arm to the padded arrays of the compiled program."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_DAY
from motorpool.engine.dosing import COURSES, LOADING_DOSES, NEVER_HOURS, NUMBERED_DOSES, SEGMENTS, Plan
from motorpool.engine.grid import AFTER_A_JUMP_HOURS, Jumps
from motorpool.outcomes.randomness import name_id
from motorpool.therapies.calendar import Calendar, calendar_of, start_of
from motorpool.therapies.cells import CellProtocol
from motorpool.therapies.courses import CellTherapy, Course
from motorpool.therapies.kinds import CELL_MECHANISMS, KIND_INDEX, KINDS
from motorpool.therapies.start_rules import STATE_RULE_OUTCOMES, StartRule, StateRule

Hours = NDArray[np.int32]
# Numerical choices: how many short steps follow a jump, see docs/explanation/numerics.md. Some therapies move the SMN
# level or transmission within hours or days of a dose, a start or a stop. Splicing follows nusinersen slowly: one short
# step after each loading dose is enough, and none after later ones, which change little. The others work through
# muscle, spine and hazards, which a step of the base grid resolves.
FAST_THERAPIES = ("risdiplam", "onasemnogene", "transmission_support")
THERAPIES_THAT_BUILD_UP = ("nusinersen",)
SHORT_STEPS, SHORT_STEPS_WHILE_BUILDING_UP = len(AFTER_A_JUMP_HOURS), 1


@dataclasses.dataclass(frozen=True)
class Anchors:
    """Ages in hours from which start and stop rules count, one per patient; ``NEVER_HOURS`` where it never comes."""

    enrolment: Hours
    diagnosis: Hours
    onset: Hours
    excluded_from_gene_transfer: NDArray[np.bool_]
    background_courses: int = COURSES  # the first courses of a plan, which may start before enrolment

    @property
    def patients(self) -> int:
        """Number of people."""
        return self.enrolment.shape[0]

    def start_hours(self, index: int, start: StartRule) -> Hours:
        """Age (P,) at which course ``index`` starts by its age, enrolment, diagnosis or onset.

        A course of an arm that would have started before enrolment starts at enrolment.
        """
        anchor = {
            "enrolment": self.enrolment,
            "age": np.zeros_like(self.enrolment),
            "diagnosis": self.diagnosis,
            "onset": self.onset,
        }[start.kind]
        begun = np.where(anchor >= NEVER_HOURS, NEVER_HOURS, anchor + start.offset_hours)
        if index >= self.background_courses:
            begun = np.maximum(begun, self.enrolment)
        return np.minimum(begun, NEVER_HOURS).astype(np.int32)


def empty_plan(patients: int) -> dict[str, Any]:
    """Arrays of a plan in which nothing is given, by field of :class:`Plan`."""

    def whole(shape: tuple[int, ...] | int, value: int = 0) -> NDArray[np.generic]:
        return np.full(shape, value, np.int32)

    def real(*shape: int) -> NDArray[np.generic]:
        return np.zeros(shape, np.float32)

    return {
        "start_hours": whole((COURSES, patients), NEVER_HOURS),
        "stop_hours": whole((COURSES, patients), NEVER_HOURS),
        "follows": whole(COURSES, -1),
        "washout_hours": whole(COURSES),
        "start_rule_outcome": whole(COURSES, -1),
        "start_rule_sign": real(COURSES),
        "start_rule_value": real(COURSES),
        "rule_minimum_age_hours": whole(COURSES, -NEVER_HOURS),
        "stop_rule_outcome": whole(COURSES, -1),
        "stop_rule_sign": real(COURSES),
        "stop_rule_value": real(COURSES),
        "stop_after_hours": whole(COURSES, NEVER_HOURS),
        "excluded": real(COURSES, patients),
        "loading_offset_hours": whole((COURSES, LOADING_DOSES)),
        "loading_amount": real(COURSES, LOADING_DOSES),
        "missed_table": whole((COURSES, NUMBERED_DOSES)),
        "maintenance_first_hours": whole(COURSES),
        "maintenance_interval_hours": whole(COURSES, 1),
        "maintenance_amount": real(COURSES),
        "maintenance_count": whole(COURSES),
        "segment_from_hours": whole((COURSES, SEGMENTS), NEVER_HOURS),
        "segment_factor": real(COURSES, SEGMENTS),
        "rate": real(COURSES),
        "dose_to_kind": real(COURSES, len(KINDS)),
        "rate_to_kind": real(COURSES, len(KINDS)),
        "missed_probability": real(COURSES),
        "late_mean_hours": real(COURSES),
        "is_surgery": real(COURSES),
        "luck": np.zeros(COURSES, np.uint32),
    }


def compile_plan(courses: Sequence[Course], anchors: Anchors) -> Plan:
    """Arrays of a plan for these people.

    Args:
        courses: at most ``COURSES`` (the scenario refuses more).
        anchors: when enrolment, diagnosis and onset come in each person.
    """
    arrays = empty_plan(anchors.patients)
    names = [course.name for course in courses]
    for index, course in enumerate(courses):
        calendar = calendar_of(course)
        _compile_times(arrays, index, course, calendar, names, anchors)
        _compile_doses(arrays, index, course, calendar)
    return Plan(**arrays)


def _compile_times(
    arrays: dict[str, Any],
    index: int,
    course: Course,
    calendar: Calendar,
    names: list[str],
    anchors: Anchors,
) -> None:
    start, state_rule, least_age = start_of(course)
    arrays["rule_minimum_age_hours"][index] = least_age
    if state_rule is not None:
        _compile_rule(arrays, "start_rule", index, state_rule)
    elif start.kind == "after_course":
        arrays["follows"][index] = names.index(str(start.after))
        arrays["washout_hours"][index] = start.offset_hours
    else:
        arrays["start_hours"][index] = anchors.start_hours(index, start)
    if course.therapy == "onasemnogene":
        arrays["excluded"][index] = anchors.excluded_from_gene_transfer
    if calendar.length_hours is not None:
        arrays["stop_after_hours"][index] = calendar.length_hours
    if course.stop is not None:
        if course.stop.kind == "duration":
            previous = int(arrays["stop_after_hours"][index])
            arrays["stop_after_hours"][index] = min(previous, course.stop.offset_hours)
        elif course.stop.kind == "age":
            arrays["stop_hours"][index] = course.stop.offset_hours
        elif course.stop.kind == "enrolment":
            arrays["stop_hours"][index] = anchors.enrolment + course.stop.offset_hours
        elif course.stop.when is not None:
            _compile_rule(arrays, "stop_rule", index, course.stop.when)


def _compile_rule(arrays: dict[str, Any], which: str, index: int, rule: StateRule) -> None:
    arrays[f"{which}_outcome"][index] = STATE_RULE_OUTCOMES.index(rule.outcome)
    above = rule.operator in (">", ">=")
    arrays[f"{which}_sign"][index] = 1.0 if above else -1.0
    # ">=" differs from ">" only on a set of measure zero of a continuous value; the next smaller number includes it.
    inclusive = rule.operator in (">=", "<=")
    value = np.float32(rule.value)
    towards = -np.inf if above else np.inf
    arrays[f"{which}_value"][index] = np.nextafter(value, np.float32(towards)) if inclusive else value


def _compile_doses(arrays: dict[str, Any], index: int, course: Course, calendar: Calendar) -> None:
    for number, (offset, amount) in enumerate(calendar.loading):
        arrays["loading_offset_hours"][index, number] = offset
        arrays["loading_amount"][index, number] = amount
    arrays["maintenance_first_hours"][index] = calendar.maintenance_first_hours
    arrays["maintenance_interval_hours"][index] = max(1, calendar.maintenance_interval_hours)
    arrays["maintenance_amount"][index] = calendar.maintenance_amount
    arrays["maintenance_count"][index] = calendar.maintenance_count
    for number, segment in enumerate(course.segments()):
        arrays["segment_from_hours"][index, number] = segment.from_hours
        arrays["segment_factor"][index, number] = segment.factor
    for missed in course.missed_doses:
        if missed <= NUMBERED_DOSES:
            arrays["missed_table"][index, missed - 1] = 1
    arrays["luck"][index] = name_id(course.name)
    arrays["missed_probability"][index] = course.missed_probability
    arrays["is_surgery"][index] = course.therapy == "spine_surgery"
    arrays["late_mean_hours"][index] = course.late_days_mean * HOURS_PER_DAY
    if calendar.doses_of is not None:
        arrays["dose_to_kind"][index, KIND_INDEX[calendar.doses_of]] = 1.0
    if calendar.rates:
        arrays["rate"][index] = 1.0
        for kind, level in calendar.rates.items():
            arrays["rate_to_kind"][index, KIND_INDEX[kind]] = level


def cell_protocol(courses: Sequence[Course]) -> CellProtocol:
    """What a plan decides about cells; the courses of one plan share it (the last one with cells speaks)."""
    given = [course for course in courses if isinstance(course, CellTherapy)]
    course = given[-1] if given else None
    mechanisms = [float(course is None or getattr(course.mechanisms, name)) for name in CELL_MECHANISMS]
    effect = "none" if course is None else course.effect

    def single(number: Any) -> Any:
        return np.asarray(number, np.float32)

    return CellProtocol(
        mechanisms=single(mechanisms),
        prior_effect=single(effect == "prior"),
        effect_smd=single(effect if isinstance(effect, float) else 0.0),
        immunosuppressed=single(course is not None and course.immunosuppression),
        neural=single(course is not None and course.cell_type == "neural"),
    )


def planned_jumps(courses: Sequence[Course], anchors: Anchors, until_hours: Hours) -> Jumps:
    """Ages in hours of all doses, starts, stops and dose changes known in advance; ``NEVER_HOURS`` pads.

    Used to put boundaries of the grid where the inputs jump. Courses that wait for a state rule are not known in
    advance; cells without effect need no boundary and are given at the next one.
    """
    rows: list[Hours] = []
    short_steps: list[int] = []
    stop_by_name: dict[str, Hours] = {}
    horizon = int(until_hours.max() - anchors.enrolment.min()) if anchors.patients else 0
    for index, course in enumerate(courses):
        calendar = calendar_of(course)
        start, state_rule, _ = start_of(course)
        if state_rule is not None:
            continue
        if start.kind == "after_course":
            if str(start.after) not in stop_by_name:
                continue
            begun = np.minimum(stop_by_name[str(start.after)] + start.offset_hours, NEVER_HOURS)
        else:
            begun = anchors.start_hours(index, start)
        ended = np.full_like(begun, NEVER_HOURS)
        if calendar.length_hours is not None:
            ended = np.minimum(ended, begun + calendar.length_hours)
        if course.stop is not None and course.stop.kind == "duration":
            ended = np.minimum(ended, begun + course.stop.offset_hours)
        elif course.stop is not None and course.stop.kind == "age":
            ended = np.minimum(ended, course.stop.offset_hours)
        elif course.stop is not None and course.stop.kind == "enrolment":
            ended = np.minimum(ended, anchors.enrolment + course.stop.offset_hours)
        stop_by_name[course.name] = np.where(begun < NEVER_HOURS, ended, NEVER_HOURS).astype(np.int32)
        if isinstance(course, CellTherapy) and course.effect in ("none", 0.0):
            continue  # cells that do nothing leave everybody's steps, and so every bit of the body, as they were
        offsets = [offset for offset, _ in calendar.loading] or [0]
        offsets += [segment.from_hours for segment in course.segments()]
        if calendar.maintenance_count:
            repeats = min(
                calendar.maintenance_count, 1 + horizon // calendar.maintenance_interval_hours + 400
            )
            later = calendar.maintenance_first_hours + calendar.maintenance_interval_hours * np.arange(
                repeats
            )
            offsets += [int(offset) for offset in later if offset <= 100 * 8766]
        for offset in sorted(set(offsets)):
            due = begun + offset
            inside = (due < ended) & (due <= until_hours) & (begun < NEVER_HOURS)
            if inside.any():
                rows.append(np.where(inside, due, NEVER_HOURS).astype(np.int32))
                short_steps.append(_short_steps(course, offset, calendar))
        if calendar.rates:  # the end of a course of doses is the absence of the next one: nothing jumps
            rows.append(np.where(ended <= until_hours, ended, NEVER_HOURS).astype(np.int32))
            short_steps.append(SHORT_STEPS if course.therapy in FAST_THERAPIES else 0)
    hours = np.stack(rows) if rows else np.zeros((0, anchors.patients), np.int32)
    return Jumps(hours, np.asarray(short_steps, np.int32))


def _short_steps(course: Course, offset_hours: int, calendar: Calendar) -> int:
    """How many short steps follow what a course does at ``offset_hours`` since its start."""
    if course.therapy in FAST_THERAPIES:
        return SHORT_STEPS
    builds_up = course.therapy in THERAPIES_THAT_BUILD_UP and offset_hours in dict(calendar.loading)
    return SHORT_STEPS_WHILE_BUILDING_UP if builds_up else 0
