"""From a course as a user writes it to its dosing calendar: which doses, when, how much, of which kind.

Amounts are milligrams for nusinersen, labelled doses for gene transfer and antibody, reference doses for cells, and
levels for what runs continuously. All numbers come from the dosing facts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR
from motorpool.evidence.facts import load_facts
from motorpool.therapies import courses
from motorpool.therapies.start_rules import StartRule, StateRule

HOURS_PER_WEEK = 7 * HOURS_PER_DAY
UNLIMITED = 1 << 20


@dataclasses.dataclass(frozen=True)
class Calendar:
    """Dosing of one course, in whole hours since its start.

    loading: (offset, amount) of the first doses. The maintenance doses follow at ``first + n x interval``, at most
    ``count`` of them. doses_of: the kind that doses feed; rates: kind -> continuous level. length_hours: how long the
    course lasts by itself (one-off therapies), None until it is stopped.
    """

    doses_of: str | None = None
    loading: tuple[tuple[int, float], ...] = ()
    maintenance_first_hours: int = 0
    maintenance_interval_hours: int = UNLIMITED
    maintenance_amount: float = 0.0
    maintenance_count: int = 0
    rates: dict[str, float] = dataclasses.field(default_factory=dict[str, float])
    length_hours: int | None = None


def _dosing(name: str) -> float:
    return load_facts("dosing").fact(name).number


def _protocol(name: str) -> float:
    return load_facts("protocols").fact(name).number


def _hours(days: float) -> int:
    return round(days * HOURS_PER_DAY)


def _nusinersen(course: courses.Nusinersen) -> Calendar:
    standard = course.regimen == "standard"
    prefix = "nusinersen_standard" if standard else "nusinersen_high_dose"
    days = load_facts("dosing").fact(f"{prefix}_loading_days").numbers
    loading_mg = _dosing("nusinersen_standard_dose_mg" if standard else "nusinersen_high_dose_loading_mg")
    maintenance_mg = _dosing(
        "nusinersen_standard_dose_mg" if standard else "nusinersen_high_dose_maintenance_mg"
    )
    interval = _dosing("nusinersen_maintenance_interval_days")
    return Calendar(
        doses_of="nusinersen",
        loading=tuple((_hours(day), loading_mg) for day in days),
        maintenance_first_hours=_hours(max(days) + interval),
        maintenance_interval_hours=_hours(interval),
        maintenance_amount=maintenance_mg,
        maintenance_count=UNLIMITED,
    )


def _onasemnogene(course: courses.Onasemnogene) -> Calendar:
    return Calendar(doses_of=f"onasemnogene_{course.route}", loading=((0, 1.0),), length_hours=1)


def _myostatin(course: courses.MyostatinInhibition) -> Calendar:
    labelled = _dosing("myostatin_inhibition_dose_mg_per_kg")
    weeks = course.interval_weeks or _dosing("myostatin_inhibition_interval_weeks")
    return Calendar(
        doses_of="myostatin_inhibition",
        maintenance_interval_hours=round(weeks * HOURS_PER_WEEK),
        maintenance_amount=(course.dose_mg_per_kg or labelled) / labelled,
        maintenance_count=UNLIMITED,
    )


def _cells(course: courses.CellTherapy) -> Calendar:
    reference = _dosing("cells_trial_oh2018_million_per_kg")
    doses = course.doses or int(_dosing("cells_trial_umbilical_doses"))
    interval = (
        round(course.interval_weeks * HOURS_PER_WEEK)
        if course.interval_weeks
        else _hours(_dosing("cells_redose_interval_days"))
    )
    viability = _protocol("cells_viability") if course.viability is None else course.viability
    cells_per_kg = course.million_cells_per_kg or reference
    return Calendar(
        doses_of=f"cells_{course.route}",
        maintenance_interval_hours=interval,
        # A dose without living cells is still an injection: it counts as a procedure and does nothing.
        maintenance_amount=max(cells_per_kg * viability / reference, 1e-12),
        maintenance_count=doses,
        # The course lasts until the next dose would be due, so that a late last dose is still given.
        length_hours=interval * doses,
    )


def _spine_surgery(course: courses.SpineSurgery) -> Calendar:
    del course
    return Calendar(doses_of="spine_surgery", loading=((0, 1.0),), length_hours=1)


def _breathing(course: courses.BreathingSupport) -> Calendar:
    return Calendar(rates={"ventilation": float(course.niv), "cough_assist": float(course.cough_assist)})


def _nutrition(course: courses.NutritionSupport) -> Calendar:
    return Calendar(rates={"dietitian": float(course.dietitian), "tube_feeding": float(course.tube_feeding)})


def _rehabilitation(course: courses.Rehabilitation) -> Calendar:
    sessions = course.sessions_per_week or _protocol("rehabilitation_sessions_per_week")
    return Calendar(rates={"rehabilitation": sessions})


def _brace(course: courses.Brace) -> Calendar:
    return Calendar(rates={"brace": course.hours_per_day or _protocol("brace_hours_per_day")})


_CALENDARS: dict[str, Callable[[Any], Calendar]] = {
    "nusinersen": _nusinersen,
    "risdiplam": lambda course: Calendar(rates={"risdiplam": 1.0}),
    "onasemnogene": _onasemnogene,
    "myostatin_inhibition": _myostatin,
    "transmission_support": lambda course: Calendar(rates={"transmission_support": course.dose_fraction}),
    "cell_therapy": _cells,
    "rehabilitation": _rehabilitation,
    "breathing_support": _breathing,
    "nutrition_support": _nutrition,
    "brace": _brace,
    "spine_surgery": _spine_surgery,
}


def calendar_of(course: courses.Course) -> Calendar:
    """The dosing calendar of a course."""
    return _CALENDARS[course.therapy](course)


def start_of(course: courses.Course) -> tuple[StartRule, StateRule | None, int]:
    """When a course starts: its rule, the state rule if it waits for one, and the least age in hours for that."""
    if isinstance(course, courses.SpineSurgery):
        years = course.minimum_age_years
        least = round(
            (_protocol("spine_surgery_minimum_age_years") if years is None else years) * HOURS_PER_YEAR
        )
        if course.start is None:
            degrees = (
                course.cobb_threshold_degrees or load_facts("care").fact("spine_surgery_cobb_degrees").number
            )
            rule = StateRule(outcome="cobb_degrees", operator=">=", value=degrees)
            return course.start_rule, rule, least
        return course.start_rule, course.start_rule.when, least
    return course.start_rule, course.start_rule.when, -HOURS_PER_YEAR
