"""Growth and maturation: body weight, the load that a growing body puts on muscles, motor maturity, growth velocity."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from motorpool.biology.person import Person
from motorpool.biology.vocabulary import Array, record


@record
class GrowthParameters:
    """Load, maturity and growth velocity; all scalars."""

    load_per_log_weight: Array
    load_reference_weight_kg: Array
    load_gain: Array
    load_middle_age_years: Array
    load_width_years: Array
    ageing_start_years: Array
    ageing_load_per_year: Array
    maturity_middle_age_years: Array
    maturity_steepness: Array
    growth_velocity_infant: Array
    growth_velocity_infant_fade_years: Array
    growth_velocity_childhood: Array
    growth_velocity_end_age_years: Array
    growth_velocity_end_width_years: Array


@record
class ReferenceGrowth:
    """Median weight of healthy children and adults by age and sex, as tables (A,)."""

    age_years: Array
    log_weight_girls: Array
    log_weight_boys: Array


def log_median_weight(age_years: Array, female: Array, reference: ReferenceGrowth) -> Array:
    """Log of the median weight (kg) for age and sex, (..., P)."""
    age = jnp.maximum(age_years, 0.0)
    girls = jnp.interp(age, reference.age_years, reference.log_weight_girls)
    boys = jnp.interp(age, reference.age_years, reference.log_weight_boys)
    return jnp.where(female > 0.5, girls, boys)


def log_load(
    age_years: Array, log_median_weight: Array, person: Person, parameters: GrowthParameters
) -> Array:
    """Log load of the body on weak muscle, shape (P,); zero for a body of the reference weight.

    It follows body weight from birth on, rises further while lever arms grow at 5-13 years, and later with ageing.
    """
    heavier = log_median_weight - jnp.log(parameters.load_reference_weight_kg)
    grown = jax.nn.sigmoid((age_years - parameters.load_middle_age_years) / parameters.load_width_years)
    ageing = parameters.ageing_load_per_year * jnp.maximum(age_years - parameters.ageing_start_years, 0.0)
    load = parameters.load_per_log_weight * heavier + parameters.load_gain * grown + ageing
    return load * jnp.exp(person.log_load)


def maturity(age_years: Array, person: Person, parameters: GrowthParameters) -> Array:
    """Motor maturity in [0, 1): how much of the adult repertoire the nervous system can use at this age."""
    return typical_maturity(jnp.maximum(age_years, 1e-3) * jnp.exp(person.log_maturation), parameters)


def typical_maturity(age_years: Array, parameters: GrowthParameters) -> Array:
    """Motor maturity of a typical child of this age."""
    age = jnp.maximum(age_years, 1e-3)
    exponent = parameters.maturity_steepness * jnp.log(age / parameters.maturity_middle_age_years)
    return jax.nn.sigmoid(exponent)


def _still_growing(age_years: Array, parameters: GrowthParameters) -> Array:
    return jax.nn.sigmoid(
        (parameters.growth_velocity_end_age_years - age_years) / parameters.growth_velocity_end_width_years
    )


def upright_growth(age_years: Array, person: Person, parameters: GrowthParameters) -> Array:
    """Growth velocity under the load of being held upright: none in newborns, that of childhood later."""
    held = maturity(age_years, person, parameters)
    return parameters.growth_velocity_childhood * _still_growing(age_years, parameters) * held


def growth_velocity(age_years: Array, parameters: GrowthParameters) -> Array:
    """Relative velocity of growth: fast in infancy, steady in childhood, ending in adolescence."""
    infant = parameters.growth_velocity_infant * jnp.exp(
        -jnp.maximum(age_years, 0.0) / parameters.growth_velocity_infant_fade_years
    )
    return (infant + parameters.growth_velocity_childhood) * _still_growing(age_years, parameters)
