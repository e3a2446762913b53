"""Breathing: forced vital capacity, the need of ventilation in hours per day, and what is given of it."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from motorpool.biology.vocabulary import Array, record


@record
class BreathingParameters:
    """Lung function and ventilation."""

    fvc_maximum_percent: Array
    fvc_slope: Array
    fvc_middle_log_odds: Array
    need_slope: Array
    need_middle_log_odds: Array
    infection_log_odds_drop: Array
    cough_assist_protection: Array
    start_of_niv_hours: Array
    early_niv_extra_hours: Array
    given_palliative: Array
    given_standard: Array
    given_proactive: Array


def during_infection(
    calm_log_odds: Array, infection: Array, cough_assist: Array, parameters: BreathingParameters
) -> Array:
    """Breathing ability now, log-odds (..., P): less during an infection, less so with cough assistance."""
    drop = parameters.infection_log_odds_drop * infection
    return calm_log_odds - drop * (1.0 - parameters.cough_assist_protection * cough_assist)


def fvc_percent(breathing: Array, parameters: BreathingParameters) -> Array:
    """Forced vital capacity, % predicted, (..., P)."""
    return parameters.fvc_maximum_percent * jax.nn.sigmoid(
        parameters.fvc_slope * (breathing - parameters.fvc_middle_log_odds)
    )


def ventilation_need_hours(breathing: Array, parameters: BreathingParameters) -> Array:
    """Hours per day for which breathing alone does not suffice, (..., P); rises abruptly as ability falls."""
    return 24.0 * jax.nn.sigmoid(-parameters.need_slope * (breathing - parameters.need_middle_log_odds))


def given_share(care: Array, choice_odds: Array, parameters: BreathingParameters) -> Array:
    """Share of the needed hours that is given (a choice, not biology): by care, 0 palliative, 1 standard, 2 proactive.

    Under the same care some families choose full support and others none: ``choice_odds`` (P,) multiplies the odds.
    """
    usual = jnp.where(
        care < 0.5,
        parameters.given_palliative,
        jnp.where(care < 1.5, parameters.given_standard, parameters.given_proactive),
    )
    return choice_odds * usual / (1.0 - usual + choice_odds * usual)


def ventilation_hours(
    need_hours: Array, ventilation: Array, given: Array, parameters: BreathingParameters
) -> Array:
    """Hours per day given, (..., P): the need times what care gives, more where support is offered early.

    ``ventilation`` in [0, 1] is the breathing-support therapy; it adds hours to those who need some and closes the
    gap that care would leave.
    """
    share = given + (1.0 - given) * ventilation
    early = (
        parameters.early_niv_extra_hours
        * ventilation
        * jnp.clip(need_hours / parameters.start_of_niv_hours, 0.0, 1.0)
    )
    return jnp.clip(need_hours * share + early, 0.0, 24.0)
