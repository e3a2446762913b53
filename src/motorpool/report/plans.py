"""The plans that were compared, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from motorpool.figures.context import FigureContext

DEFAULTS: dict[str, Any] = {
    "missed_probability": 0.0,
    "late_days_mean": 0.0,
    "delay_days": 0.0,
    "washout_days": 0.0,
}


def plan_frame(context: FigureContext) -> pd.DataFrame:
    """One row per arm: its courses in words, and the arm it is compared with."""
    import pandas as pd

    rows: list[dict[str, str]] = []
    for arm in context.arms:
        plan = context.scenario.get("arms", {}).get(arm, {})
        courses = [course_words(course) for course in plan.get("therapies") or []]
        other = context.comparators.get(arm)
        rows.append(
            {
                "Arm": context.labels[arm],
                "Therapies": "; ".join(courses) or "none beyond care",
                "Compared with": context.labels[other] if other else "\u2013",
            }
        )
    return pd.DataFrame(rows)


def course_words(course: dict[str, Any]) -> str:
    """A course of a plan in a few words, settings as they stand in the scenario."""
    name = str(course.get("therapy", "")).replace("_", " ")
    settings = [
        _named(key, value)
        for key, value in course.items()
        if key not in ("therapy", "label")
        and value not in (None, [], {}, False)
        and value != DEFAULTS.get(key)
    ]
    return f"{name} ({', '.join(settings)})" if settings else name


def _named(key: str, value: Any) -> str:
    words = key.replace("_", " ")
    if value is True:
        return words
    if isinstance(value, dict) and all(isinstance(part, bool) for part in value.values()):
        switched_on = [part.replace("_", " ") for part, on in value.items() if on]
        return f"{words}: {', '.join(switched_on) or 'none'}"
    return f"{words} {_setting(value)}"


def _setting(value: Any) -> str:
    if isinstance(value, dict):
        parts = [
            _named(key, part) for key, part in value.items() if part is not None and part != DEFAULTS.get(key)
        ]
        return ", ".join(parts)
    if isinstance(value, list):
        return ", ".join(_setting(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")
