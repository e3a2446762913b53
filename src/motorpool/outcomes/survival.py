"""Hazards of death and of tube feeding."""

from __future__ import annotations

import math

import jax.numpy as jnp

from motorpool.biology.vocabulary import Array, record

# Numerical ceilings of the logarithm of a relative hazard, far above any that matters.
_LARGEST_LOG_DEATH = math.log(math.expm1(20.0))
_LARGEST_LOG_TUBE = math.log(math.expm1(6.0))


@record
class SurvivalParameters:
    """Hazards per year."""

    death_rate_at_middle_per_year: Array
    death_slope: Array
    death_middle_log_odds: Array
    death_rate_ceiling_per_year: Array
    protection_by_ventilation: Array
    care_hazard_palliative: Array
    care_hazard_standard: Array
    care_hazard_proactive: Array
    tube_rate_per_year: Array
    tube_slope: Array
    tube_middle_log_odds: Array


def care_factor(care: Array, parameters: SurvivalParameters) -> Array:
    """Factor on the hazard of death: a choice of care, never biology (0 palliative, 1 standard, 2 proactive)."""
    return jnp.where(
        care < 0.5,
        parameters.care_hazard_palliative,
        jnp.where(care < 1.5, parameters.care_hazard_standard, parameters.care_hazard_proactive),
    )


def death_rate_per_year(
    breathing: Array, hours_given: Array, hours_needed: Array, care: Array, parameters: SurvivalParameters
) -> Array:
    """Hazard of death, per year, (..., P): from failing breathing, less where the need of ventilation is met."""
    weak = -parameters.death_slope * (breathing - parameters.death_middle_log_odds)
    raw = parameters.death_rate_at_middle_per_year * jnp.exp(jnp.minimum(weak, _LARGEST_LOG_DEATH))
    bounded = raw / (1.0 + raw / parameters.death_rate_ceiling_per_year)
    met = jnp.where(
        hours_needed > 0.0, jnp.clip(hours_given / jnp.maximum(hours_needed, 1e-3), 0.0, 1.0), 0.0
    )
    return bounded * (1.0 - parameters.protection_by_ventilation * met) * care_factor(care, parameters)


def tube_feeding_rate_per_year(bulbar: Array, parameters: SurvivalParameters) -> Array:
    """Hazard of starting tube feeding, per year, (..., P): from failing bulbar muscles (their ability, log-odds)."""
    weak = -parameters.tube_slope * (bulbar - parameters.tube_middle_log_odds)
    return parameters.tube_rate_per_year * jnp.exp(jnp.minimum(weak, _LARGEST_LOG_TUBE))
