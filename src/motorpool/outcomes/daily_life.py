"""Daily life: swallowing, endurance, weight and utility."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from motorpool.biology.vocabulary import ARMS, BULBAR, LEGS_AND_TRUNK, Array, power, record
from motorpool.outcomes.abilities import ByGroup


@record
class DailyLifeParameters:
    """Swallowing, endurance, weight and utility."""

    swallowing_slope: Array
    swallowing_middle_log_odds: Array
    endurance_transmission_exponent: Array
    weight_nutrition_exponent: Array
    weight_log_sd: Array
    utility_floor: Array
    utility_full: Array
    utility_weight_motor: Array
    utility_weight_breathing: Array
    utility_weight_swallowing: Array


def swallowing_percent(log_odds_by_group: ByGroup, parameters: DailyLifeParameters) -> Array:
    """Swallowing function, % of healthy, (..., P)."""
    bulbar = log_odds_by_group[BULBAR]
    return 100.0 * jax.nn.sigmoid(
        parameters.swallowing_slope * (bulbar - parameters.swallowing_middle_log_odds)
    )


def endurance_percent(transmission: Array, parameters: DailyLifeParameters) -> Array:
    """Share of a repeated task that can be kept up, % of healthy, (..., P): failing transmission tires muscles."""
    legs, arms = transmission[..., LEGS_AND_TRUNK, :], transmission[..., ARMS, :]
    kept = power(0.5 * (legs + arms), parameters.endurance_transmission_exponent)
    return 100.0 * jnp.clip(kept, 0.0, 1.0)


def weight_kg(
    log_median_weight: Array, nutrition: Array, log_weight: Array, parameters: DailyLifeParameters
) -> Array:
    """Body weight, kg, (..., P): the median of age and sex, the person's deviation and nutrition."""
    return jnp.exp(log_median_weight + log_weight) * power(nutrition, parameters.weight_nutrition_exponent)


def weight_z(weight: Array, log_median_weight: Array, parameters: DailyLifeParameters) -> Array:
    """Weight as standard deviations from the reference median of age and sex, (..., P)."""
    return (jnp.log(weight) - log_median_weight) / parameters.weight_log_sd


def utility(
    motor_share: Array, ventilation_hours: Array, swallowing: Array, parameters: DailyLifeParameters
) -> Array:
    """Health utility (1 full health, 0 as bad as death), (..., P), from movement, breathing and swallowing.

    ``motor_share`` and ``swallowing`` are shares of healthy function. Published utilities of the same state disagree
    widely by method; this one is shown as provisional.
    """
    free = 1.0 - ventilation_hours / 24.0
    total = (
        parameters.utility_weight_motor
        + parameters.utility_weight_breathing
        + parameters.utility_weight_swallowing
    )
    share = (
        parameters.utility_weight_motor * motor_share
        + parameters.utility_weight_breathing * free
        + parameters.utility_weight_swallowing * swallowing
    ) / total
    return parameters.utility_floor + (parameters.utility_full - parameters.utility_floor) * share
