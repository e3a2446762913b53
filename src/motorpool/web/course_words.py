"""A therapy of a plan in few words: its name in legends, tables and on the sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from motorpool.web.course_options import CHOICES, KINDS, rule_words, settings_of
from motorpool.web.planned_course import AFTER_DAYS, GivenTherapy, PlannedCourse

if TYPE_CHECKING:
    from motorpool.web.description import Present

LONGEST_LABEL = 48  # a longer one would make the pictures of a phone smaller


def course_label(course: PlannedCourse, earlier: str = "the present therapy") -> str:
    """A course in few words.

    Args:
        earlier: the therapy whose end it waits for.
    """
    inside = _details(course)
    words = course.therapy.replace("_", " ") + (f" ({'; '.join(inside)})" if inside else "")
    return f"{words}{_times(course, earlier)}{_left_out(course)}"


def present_words(present: Present) -> str:
    """What a child has now, since when, and what of it is left out in all plans."""
    kind = present.kind if present.kind != next(iter(KINDS.get(present.therapy, {})), None) else None
    words = present.therapy.replace("_", " ") + (f" ({kind.replace('_', ' ')})" if kind else "")
    words += f" for {present.since_months:g} months" if present.since_months else ""
    return words + left_out_words(present)


def course_words(course: PlannedCourse) -> str:
    """The therapy alone, as a sentence begins."""
    return course.therapy.replace("_", " ").capitalize()


def _details(course: PlannedCourse) -> list[str]:
    found: list[str] = []
    if course.kind is not None and course.kind != next(iter(KINDS[course.therapy])):
        found.append(course.kind.replace("_", " "))
    for setting in settings_of(course.therapy):
        value = course.settings.get(setting.name)
        if value is None or value is False:
            continue
        if setting.name in CHOICES:
            first = next(iter(CHOICES[setting.name]))
            found += [] if value == first else [CHOICES[setting.name][str(value)].split(":")[0]]
        elif value is True:
            found.append(setting.label.lower())
        else:
            found.append(f"{setting.label.lower()} {value:g} {setting.unit}".strip())
    return found


def _times(course: PlannedCourse, earlier: str) -> str:
    by, until = course.begins_by, course.to_months
    if by == "month":
        if until is not None:
            return f", months {course.from_months:g} to {until:g}"
        begin = f" from month {course.from_months:g}" if course.from_months else ""
    elif by in AFTER_DAYS:
        what = "the diagnosis" if by == "diagnosis" else "the first signs"
        begin = f", {course.wait_days:g} days after {what}" if course.wait_days else f", at {what}"
    elif by == "after":
        begin = f" {course.wait_days:g} days after {earlier}" if course.wait_days else f" after {earlier}"
    else:
        begin = f", once {rule_words(by, course.begins_level)}" if course.begins_level is not None else ""
    if until is not None:
        return f"{begin}, until month {until:g}"
    if course.ends is not None:
        return f"{begin}, until {rule_words(course.ends, course.ends_level)}"
    return begin


def _left_out(course: PlannedCourse) -> str:
    missed = ""
    if course.missed_doses:
        numbers = ", ".join(str(number) for number in course.missed_doses)
        missed = f", dose{'s' * (len(course.missed_doses) > 1)} {numbers} missed"
    return missed + left_out_words(course)


def left_out_words(course: GivenTherapy) -> str:
    """Pauses, changed doses, and doses missed or late by chance, each after a comma."""
    parts = [f"paused months {pause.from_months:g} to {pause.to_months:g}" for pause in course.pauses]
    parts += [
        f"{change.percent:g} % of the dose from month {change.from_months:g}"
        for change in course.dose_changes
    ]
    if course.missed_percent:
        parts.append(f"{course.missed_percent:g} % missed")
    if course.late_days:
        parts.append(f"{course.late_days:g} days late")
    return "".join(f", {part}" for part in parts)


def shorter_label(therapies: Sequence[str]) -> str:
    """The therapies of a plan alone, as many as fit into a legend: `Risdiplam, brace and 2 more`."""
    names = [name.replace("_", " ") for name in dict.fromkeys(therapies)]
    for kept in range(len(names), 0, -1):
        left = len(names) - kept
        words = ", ".join(names[:kept]) + (f" and {left} more" if left else "")
        if len(words) <= LONGEST_LABEL:
            return words
    return shortened(names[0])


def shortened(label: str) -> str:
    """A label that fits into a legend."""
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1].rstrip(" ,;(") + "…"
