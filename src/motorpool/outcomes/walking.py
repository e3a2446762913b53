"""Six-minute walk: distance, minute by minute, and how much it falls within the test."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from motorpool.biology.vocabulary import LEGS_AND_TRUNK, Array, record, stacked
from motorpool.outcomes.abilities import ByGroup

MINUTES = 6


@record
class WalkingParameters:
    """Six-minute walk test."""

    adult_distance_m: Array
    growth_middle_age_years: Array
    growth_width_years: Array
    slope: Array
    middle_log_odds: Array
    fall_per_transmission_deficit: Array
    healthy_fall: Array


def first_minute_m(log_odds_by_group: ByGroup, age_years: Array, parameters: WalkingParameters) -> Array:
    """Metres walked in the first minute, (..., P)."""
    size = jax.nn.sigmoid((age_years - parameters.growth_middle_age_years) / parameters.growth_width_years)
    legs = log_odds_by_group[LEGS_AND_TRUNK]
    able = jax.nn.sigmoid(parameters.slope * (legs - parameters.middle_log_odds))
    return parameters.adult_distance_m / MINUTES * size * able


def fall_within_test(transmission: Array, parameters: WalkingParameters) -> Array:
    """Relative fall from minute one to minute six, (..., P): driven by failing transmission in the legs."""
    deficit = 1.0 - transmission[..., LEGS_AND_TRUNK, :]
    return jnp.clip(parameters.healthy_fall + parameters.fall_per_transmission_deficit * deficit, 0.0, 0.9)


def metres_by_minute(first: Array, fall: Array) -> Array:
    """Metres in each of the six minutes, (6, ..., P): a straight fall from the first minute to the last."""
    return stacked([first * (1.0 - fall * minute / (MINUTES - 1)) for minute in range(MINUTES)])
