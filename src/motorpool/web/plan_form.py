"""What the plan builder needs to know of the engine: kinds, rules, settings, and what each therapy refuses."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from motorpool.therapies.courses import THERAPIES
from motorpool.web.course_notes import protocol_notes
from motorpool.web.course_options import BELOW, KINDS, ONCE, REACHES, refused_because, rule_names, rule_words
from motorpool.web.planned_course import MOST_COURSES, MOST_PIECES, NEEDED

PIECES = {
    "pause": "pauses",
    "dose": "dose_changes",
    "missed": "missed_doses",
    "missed_percent": "missed_probability",
    "late": "late_days_mean",
}


@lru_cache(maxsize=1)
def plan_facts(most_plans: int) -> dict[str, Any]:
    """The facts for the script of the page, as plain data."""
    return {
        "therapies": {name: _therapy(name) for name in THERAPIES},
        "begins": {
            "month": "In a month",
            "first_signs": "After the first signs",
            "diagnosis": "After the diagnosis",
            "after": "After another",
        },
        "not_known": "When an ability is lost: not in the model; use a score below a value",
        NEEDED: "When the curve needs it",
        "rules": {name: {"words": _rule(name), "unit": _unit(name)} for name in rule_names()},
        "most_plans": most_plans,
        "most_courses": MOST_COURSES,
        "most_pieces": MOST_PIECES,
    }


def _therapy(name: str) -> dict[str, Any]:
    return {
        "kinds": {kind: kind.replace("_", " ") for kind in KINDS.get(name, {})},
        "once": name in ONCE,
        "refuses": [part for part, field in PIECES.items() if refused_because(name, field) is not None],
        "notes": protocol_notes(name),
    }


def _rule(name: str) -> str:
    words = rule_words(name)
    return f"When {words}"


def _unit(name: str) -> str:
    from motorpool.simulation.labels import outcome_view

    return outcome_view(name.removesuffix(BELOW).removesuffix(REACHES)).unit
