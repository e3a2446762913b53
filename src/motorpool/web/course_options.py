"""What a reader can say of one therapy: the engine's own settings and limits, and nothing that it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast, get_args

from motorpool.therapies.base_course import BaseCourse
from motorpool.therapies.courses import Course
from motorpool.therapies.fields import nearest_name, refusal
from motorpool.therapies.start_rules import STATE_RULE_OUTCOMES, describe_range, outcome_range

# Kinds of one therapy that a reader tells apart, and the settings each stands for; the first is the usual one.
KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "nusinersen": {"standard": {}, "high_dose": {"regimen": "high_dose"}},
    "onasemnogene": {"intravenous": {}, "intrathecal": {"route": "intrathecal"}},
    "cell_therapy": {
        "mesenchymal": {"cell_type": "mesenchymal"},
        "neural": {"cell_type": "neural"},
    },
    "breathing_support": {
        "as_needed": {},
        "cough_assist_only": {"niv": False},
        "ventilation_only": {"cough_assist": False},
    },
    "nutrition_support": {
        "as_needed": {},
        "dietitian_only": {"tube_feeding": False},
        "tube_feeding_only": {"dietitian": False},
    },
}
ONCE = ("onasemnogene", "cell_therapy", "spine_surgery")

# Settings of each therapy: how the page names them, and the unit it shows.
SETTINGS: dict[str, dict[str, tuple[str, str]]] = {
    "myostatin_inhibition": {
        "dose_mg_per_kg": ("Dose", "mg per kg"),
        "interval_weeks": ("Every", "weeks"),
    },
    "transmission_support": {"dose_fraction": ("Part of the full dose", "0 to 1")},
    "cell_therapy": {
        "route": ("Route", ""),
        "million_cells_per_kg": ("Cells per dose", "million per kg"),
        "doses": ("Number of doses", ""),
        "interval_weeks": ("Every", "weeks"),
        "viability": ("Share of the cells alive", "0 to 1"),
        "immunosuppression": ("Rejection is suppressed", ""),
        "effect": ("Effect", ""),
    },
    "rehabilitation": {"sessions_per_week": ("Sessions", "a week")},
    "brace": {"hours_per_day": ("Worn", "hours a day")},
    "spine_surgery": {
        "cobb_threshold_degrees": ("When the curve reaches", "degrees"),
        "minimum_age_years": ("Not before the age of", "years"),
    },
}
# Settings of which only some values are offered; a size of effect is assumed, and explained, on the pages of cells.
CHOICES: dict[str, dict[str, str]] = {
    "route": {"intrathecal": "into the spinal fluid", "intravenous": "into a vein"},
    "effect": {"prior": "as is known: not shown, with wide doubt", "none": "none: only procedures and harm"},
}
BELOW, REACHES = "_below", "_reaches"
# What readers may ask for and the engine does not know.
LOST_ABILITY = (
    "no therapy can wait for an ability to be lost; a motor score below a value says nearly the same"
)


def course_class(therapy: str) -> type[BaseCourse]:
    """The engine's own model of a course of a therapy."""
    return _classes()[therapy]


@lru_cache(maxsize=1)
def _classes() -> dict[str, type[BaseCourse]]:
    union, *_ = get_args(Course)
    found = cast("tuple[type[BaseCourse], ...]", get_args(union))
    return {get_args(one.model_fields["therapy"].annotation)[0]: one for one in found}


def refused_because(therapy: str, field: str) -> str | None:
    """Why the engine refuses an inherited field for a therapy; None where it takes it."""
    made = course_class(therapy)
    return made.because if field in made.refuses else None


@dataclass(frozen=True)
class Setting:
    """One setting as a field of the form: a number between limits, a choice, or yes and no.

    Attributes:
        usual: what the engine takes where nothing is said, in words; empty where that is a choice.
    """

    name: str
    label: str
    unit: str
    form: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple[tuple[str, str], ...] = ()
    usual: str = ""


@lru_cache(maxsize=16)
def settings_of(therapy: str) -> tuple[Setting, ...]:
    """The settings of a therapy, with the limits of the engine's own model."""
    from motorpool.web.course_notes import usual_settings

    if therapy not in SETTINGS:
        return ()
    properties = course_class(therapy).model_json_schema()["properties"]
    usual = usual_settings(therapy)
    found: list[Setting] = []
    for name, (label, unit) in SETTINGS.get(therapy, {}).items():
        schema = properties[name]
        if name in CHOICES:
            found.append(Setting(name, label, unit, "choice", choices=tuple(CHOICES[name].items())))
            continue
        if schema.get("type") == "boolean":
            found.append(Setting(name, label, unit, "flag"))
            continue
        limits = next((one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"), schema)
        low = float(limits.get("minimum", limits.get("exclusiveMinimum", 0.0)))
        form = "whole" if limits["type"] == "integer" else "number"
        found.append(
            Setting(name, label, unit, form, low, float(limits["maximum"]), usual=usual.get(name, ""))
        )
    return tuple(found)


def check_settings(therapy: str, kind: str | None, given: Mapping[str, Any], more: Mapping[str, Any]) -> None:
    """Refuse settings that the engine refuses, each under its own name.

    Args:
        more: fields of every course that belong to the doses, under the engine's names.
    """
    from pydantic import ValidationError

    allowed = SETTINGS.get(therapy, {})
    for name, value in given.items():
        if name not in allowed:
            words = ", ".join(allowed) or "none"
            nearest = nearest_name(name, allowed)
            hint = f" Did you mean {nearest}?" if nearest else ""
            message = f"is no setting of {therapy}; its settings: {words}.{hint}"
            raise refusal(message, allowed=words, at=f"settings.{name}")
        if name in CHOICES and value not in CHOICES[name]:
            words = ", ".join(CHOICES[name])
            raise refusal(f"must be one of {words}", allowed=words, at=f"settings.{name}")
    try:
        course_class(therapy).model_validate(
            {"therapy": therapy, **KINDS.get(therapy, {}).get(kind or "", {}), **given, **more}
        )
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        context = detail.get("ctx") or {}
        steps = [str(step) for step in detail["loc"]] + ([str(context["at"])] if context.get("at") else [])
        name = steps[0] if steps else ""
        at = f"settings.{name}" if name in allowed else OWN_NAMES.get(name, name)
        raise refusal(str(detail["msg"]), allowed=str(context.get("allowed") or ""), at=at) from None


OWN_NAMES = {"missed_probability": "missed_percent", "late_days_mean": "late_days"}


def rule_names() -> tuple[str, ...]:
    """What can begin or end a therapy: an outcome that falls below a value, or reaches it."""
    return tuple(f"{name}{way}" for way in (BELOW, REACHES) for name in STATE_RULE_OUTCOMES)


def rule_text(name: str, level: float) -> str:
    """A rule as the engine reads it: `fvc_percent < 50`."""
    if name.endswith(BELOW):
        return f"{name.removesuffix(BELOW)} < {level:g}"
    return f"{name.removesuffix(REACHES)} >= {level:g}"


def rule_words(name: str, level: float | None = None) -> str:
    """A rule as people read it: `FVC falls below 50 %`."""
    from motorpool.simulation.labels import outcome_view

    below = name.endswith(BELOW)
    view = outcome_view(name.removesuffix(BELOW if below else REACHES))
    words = f"{view.label} {'falls below' if below else 'reaches'}"
    return words if level is None else f"{words} {level:g} {view.unit}".strip()


def check_rule(which: str, name: str, level: float | None) -> None:
    """Refuse a rule without a value, or with one that the outcome cannot pass.

    Args:
        which: the field of the rule, `begins` or `ends`; its value is `<which>_level`.
    """
    from pydantic import TypeAdapter, ValidationError

    from motorpool.therapies.start_rules import WhenRule

    outcome = name.removesuffix(BELOW if name.endswith(BELOW) else REACHES)
    allowed = f"a number, {describe_range(*outcome_range(outcome))}"
    if level is None:
        raise refusal(f"is missing; {which} {name} needs it", allowed=allowed, at=f"{which}_level")
    try:
        TypeAdapter(WhenRule).validate_python(rule_text(name, level))
    except ValidationError as error:
        words = str(error.errors(include_url=False)[0]["msg"])
        message = words.split(";")[0] if "true" in words else f"must be {allowed}"
        raise refusal(message, allowed=allowed, at=f"{which}_level") from None


def refuse_unknown(which: str, name: str, allowed: tuple[str, ...]) -> None:
    """Refuse what cannot begin or end a therapy, by its name and with the nearest that can."""
    from motorpool.simulation.vocabulary import MILESTONES

    if name in allowed:
        return
    plain = name.removeprefix("loss_of_").removesuffix("_lost").removesuffix("_gained")
    lost = plain != name or name in MILESTONES
    why = LOST_ABILITY if lost else ""
    nearest = nearest_name(name[:60], allowed)
    hint = f" Did you mean {nearest}?" if nearest and not why else ""
    words = ", ".join(allowed)
    message = f"{name[:60]} is not known to the engine" + (f": {why}" if why else "")
    raise refusal(f"{message}; must be one of {words}.{hint}", allowed=words, at=which)
