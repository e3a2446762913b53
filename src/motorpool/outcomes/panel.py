"""The outcome panel: every true outcome of one condition, and the hazards of its events."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.person import Person
from motorpool.biology.system import Condition
from motorpool.biology.vocabulary import BREATHING, BULBAR, Array, record, stacked
from motorpool.outcomes import (
    abilities,
    breathing,
    daily_life,
    electrophysiology,
    motor_scales,
    survival,
    walking,
)
from motorpool.outcomes.milestone_margins import MilestoneThresholds, milestone_margin, milestone_margins
from motorpool.outcomes.milestones import MILESTONES, MilestoneParameters
from motorpool.outcomes.respiratory_infections import InfectionParameters
from motorpool.outcomes.ventilation_record import VentilationParameters

OUTCOMES = (
    "chop_intend",
    "hine2",
    "hfmse",
    "rulm",
    "mfm32",
    "six_minute_walk_m",
    "walk_fatigue_percent",
    "endurance_percent",
    "cmap_mv",
    "mune",
    "pnfh_pg_per_ml",
    "fvc_percent",
    "ventilation_hours_per_day",
    "swallowing_percent",
    "weight_kg",
    "weight_z",
    "cobb_degrees",
    "utility",
)
OUTCOME_INDEX = {name: index for index, name in enumerate(OUTCOMES)}
MILESTONE_INDEX = {name: index for index, name in enumerate(MILESTONES)}


@record
class OutcomeParameters:
    """All parameters of outcomes, one set per module."""

    abilities: abilities.AbilityParameters
    chop_intend: motor_scales.ChopIntendParameters
    hine2: motor_scales.ScaleParameters
    hfmse: motor_scales.ScaleParameters
    rulm: motor_scales.ScaleParameters
    mfm32: motor_scales.ScaleParameters
    milestone_thresholds: MilestoneThresholds
    milestones: MilestoneParameters
    walking: walking.WalkingParameters
    electrophysiology: electrophysiology.ElectrophysiologyParameters
    breathing: breathing.BreathingParameters
    survival: survival.SurvivalParameters
    daily_life: daily_life.DailyLifeParameters
    infections: InfectionParameters
    ventilation: VentilationParameters


@record
class Panel:
    """True outcomes (outcome, ..., P), margins of milestones (milestone, ..., P), metres by minute (6, ..., P)."""

    outcomes: Array
    margins: Array
    walk_minute_m: Array


@record
class Risk:
    """What the hazards of events depend on at one instant, besides infections, each (..., P).

    breathing: ability between infections, log-odds. bulbar: ability of the bulbar muscles, log-odds. ventilation,
    cough_assist: support worn.
    """

    breathing: Array
    bulbar: Array
    ventilation: Array
    cough_assist: Array


def risk(condition: Condition, person: Person, parameters: OutcomeParameters) -> Risk:
    """What the hazards of a condition's events depend on."""
    able = abilities.log_odds(condition, parameters.abilities)
    return Risk(
        breathing=calm_breathing(condition, person, parameters),
        bulbar=able[BULBAR],
        ventilation=condition.ventilation,
        cough_assist=condition.cough_assist,
    )


def hazards_per_year(
    risk: Risk, infection: Array, person: Person, care: Array, parameters: OutcomeParameters
) -> tuple[Array, Array]:
    """Hazards per year of death and of tube feeding, each (..., P), with an infection of this severity."""
    breath = breathing.during_infection(risk.breathing, infection, risk.cough_assist, parameters.breathing)
    need = breathing.ventilation_need_hours(breath, parameters.breathing)
    given = breathing.ventilation_hours(
        need,
        risk.ventilation,
        breathing.given_share(care, person.ventilation_odds, parameters.breathing),
        parameters.breathing,
    )
    death = survival.death_rate_per_year(breath, given, need, care, parameters.survival)
    return death, survival.tube_feeding_rate_per_year(risk.bulbar, parameters.survival)


def calm_breathing(condition: Condition, person: Person, parameters: OutcomeParameters) -> Array:
    """Breathing ability between infections, log-odds, (..., P)."""
    return abilities.log_odds(condition, parameters.abilities)[BREATHING] + person.breathing_reserve


def _minutes_and_fall(
    able: abilities.ByGroup, condition: Condition, parameters: OutcomeParameters
) -> tuple[Array, Array]:
    walks = (
        milestone_margin(able, condition.maturity, MILESTONE_INDEX["walk"], parameters.milestone_thresholds)
        >= 0.0
    )
    first = jnp.where(walks, walking.first_minute_m(able, condition.age_years, parameters.walking), 0.0)
    fall = walking.fall_within_test(condition.transmission, parameters.walking)
    return walking.metres_by_minute(first, fall), fall


def true_outcomes(
    condition: Condition, person: Person, care: Array, parameters: OutcomeParameters
) -> dict[str, Array]:
    """Every true outcome of a condition by name, each (..., P), between infections (their acute effect is in the
    ventilation record)."""
    able = abilities.log_odds(condition, parameters.abilities)
    breath = calm_breathing(condition, person, parameters)
    need = breathing.ventilation_need_hours(breath, parameters.breathing)
    hours = breathing.ventilation_hours(
        need,
        condition.ventilation,
        breathing.given_share(care, person.ventilation_odds, parameters.breathing),
        parameters.breathing,
    )
    minutes, fall = _minutes_and_fall(able, condition, parameters)
    swallowing = daily_life.swallowing_percent(able, parameters.daily_life)
    median = condition.log_median_weight
    weight = daily_life.weight_kg(median, condition.nutrition, person.log_weight, parameters.daily_life)
    mature = jnp.ones_like(condition.maturity)
    motor_share = motor_scales.scale_score(able, mature, parameters.mfm32) / parameters.mfm32.maximum
    electro = parameters.electrophysiology
    return {
        "chop_intend": motor_scales.chop_intend(able, condition.age_years, parameters.chop_intend),
        "hine2": motor_scales.scale_score(able, condition.maturity, parameters.hine2),
        "hfmse": motor_scales.scale_score(able, condition.maturity, parameters.hfmse),
        "rulm": motor_scales.scale_score(able, condition.maturity, parameters.rulm),
        "mfm32": motor_scales.scale_score(able, condition.maturity, parameters.mfm32),
        "six_minute_walk_m": jnp.sum(minutes, axis=0),
        "walk_fatigue_percent": 100.0 * fall,
        "endurance_percent": daily_life.endurance_percent(condition.transmission, parameters.daily_life),
        "cmap_mv": electrophysiology.cmap_mv(
            condition.muscle, condition.transmission, condition.age_years, electro
        ),
        "mune": electrophysiology.motor_units(condition.working, electro),
        "pnfh_pg_per_ml": electrophysiology.pnfh_pg_per_ml(
            condition.death_rate_per_year, condition.age_years, electro
        ),
        "fvc_percent": breathing.fvc_percent(breath, parameters.breathing),
        "ventilation_hours_per_day": hours,
        "swallowing_percent": swallowing,
        "weight_kg": weight,
        "weight_z": daily_life.weight_z(weight, median, parameters.daily_life),
        "cobb_degrees": condition.cobb_degrees,
        "utility": daily_life.utility(motor_share, hours, swallowing / 100.0, parameters.daily_life),
    }


def evaluate(condition: Condition, person: Person, care: Array, parameters: OutcomeParameters) -> Panel:
    """All that is recorded of a condition."""
    able = abilities.log_odds(condition, parameters.abilities)
    values = true_outcomes(condition, person, care, parameters)
    return Panel(
        outcomes=stacked([values[name] for name in OUTCOMES]),
        margins=milestone_margins(able, condition.maturity, parameters.milestone_thresholds),
        walk_minute_m=_minutes_and_fall(able, condition, parameters)[0],
    )
