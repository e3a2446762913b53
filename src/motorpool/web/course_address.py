"""One therapy in the address of the page: `p2.1.what=nusinersen&p2.1.from=3&p2.1.pause.1.from=6`, there and back."""

from __future__ import annotations

import re
from typing import Any

from motorpool.web.course_options import settings_of
from motorpool.web.form_values import TRUE, number_of
from motorpool.web.planned_course import NEEDED, GivenTherapy, PlannedCourse

PARTS = {
    "what": "therapy",
    "how": "kind",
    "from": "from_months",
    "to": "to_months",
    "begins": "begins",
    "level": "begins_level",
    "after": "after",
    "wait": "wait_days",
    "ends": "ends",
    "ends_level": "ends_level",
    "missed": "missed_doses",
    "missed_percent": "missed_percent",
    "late": "late_days",
}
CHANCES = ("missed_percent", "late")
PIECES = {
    "pause": ("pauses", {"from": "from_months", "to": "to_months"}),
    "dose": ("dose_changes", {"from": "from_months", "percent": "percent"}),
}


def put_field(course: dict[str, Any], field: str, value: str) -> None:
    """Put one field of the form into the plain data of a course; unknown fields stay in, to be refused by name."""
    head, _, rest = field.partition(".")
    number, _, part = rest.partition(".")
    if head == "set" and rest:
        course.setdefault("settings", {})[rest] = number_of(value)
    elif head in PIECES and number.isdigit() and part:
        name, parts = PIECES[head]
        pieces = course.setdefault(name, {})
        pieces.setdefault(int(number), {})[parts.get(part, part)] = number_of(value)
    elif field == "missed":
        course["missed_doses"] = tuple(number_of(one) for one in re.split(r"[\s,;]+", value) if one)
    else:
        course[PARTS.get(field, field)] = number_of(value)


def course_data(fields: dict[str, Any]) -> dict[str, Any]:
    """The plain data of a course whose fields were put one by one."""
    made = dict(fields)
    for name, _ in PIECES.values():
        if isinstance(made.get(name), dict):
            made[name] = tuple(piece for _, piece in sorted(made[name].items()))
    if "settings" in made:
        flags = {one.name for one in settings_of(str(made["therapy"])) if one.form == "flag"}
        made["settings"] = {
            name: str(value).lower() in TRUE if name in flags else value
            for name, value in made["settings"].items()
        }
    return made


def course_pairs(course: PlannedCourse) -> list[tuple[str, str]]:
    """The fields of a course; what is at its default is left out, but for the month it begins in."""
    pairs = [("what", course.therapy)]
    if course.begins_by in ("month", NEEDED):
        pairs.append(("from", _text(course.from_months)))
    for part, name in PARTS.items():
        if part in ("what", "from", "missed", *CHANCES):
            continue
        value = getattr(course, name)
        if value != PlannedCourse.model_fields[name].default:
            pairs.append((part, _text(value)))
    if course.missed_doses:
        pairs.append(("missed", ", ".join(str(number) for number in course.missed_doses)))
    pairs += left_out_pairs(course)
    pairs += [(f"set.{name}", _text(value)) for name, value in course.settings.items()]
    return pairs


def left_out_pairs(given: GivenTherapy) -> list[tuple[str, str]]:
    """The fields of what is left out or changed by chance or for a time."""
    pairs = [(part, _text(getattr(given, PARTS[part]))) for part in CHANCES if getattr(given, PARTS[part])]
    for head, (name, parts) in PIECES.items():
        for number, piece in enumerate(getattr(given, name), 1):
            pairs += [
                (f"{head}.{number}.{part}", _text(getattr(piece, field))) for part, field in parts.items()
            ]
    return pairs


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
