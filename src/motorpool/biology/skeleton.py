"""Contractures and the spine: what stiffness and curvature take from the strength that is left."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.person import Person
from motorpool.biology.vocabulary import Array, power, record


@record
class SkeletonParameters:
    """Growth of contractures and of the Cobb angle, and what rehabilitation, brace and fusion change."""

    contracture_rate_per_year: Array
    contracture_without_growth: Array
    contracture_release_per_year: Array
    rehabilitation_effect_on_contracture: Array
    range_lost_by_contracture: Array
    cobb_rate_degrees_per_year: Array
    cobb_weakness_exponent: Array
    cobb_maximum_degrees: Array
    brace_effect: Array
    fusion_cobb_ratio: Array
    fusion_range_loss: Array
    range_lost_by_cobb_per_degree: Array


def contracture_rate(
    contracture: Array, mass: Array, velocity: Array, activity: Array, parameters: SkeletonParameters
) -> Array:
    """Rate of change per year of contracture, shape (P,), in [0, 1]: grows with weakness and growth."""
    weak = jnp.clip(1.0 - mass, 0.0, 1.0)
    prevented = 1.0 - parameters.rehabilitation_effect_on_contracture * activity
    pace = parameters.contracture_rate_per_year * (parameters.contracture_without_growth + velocity)
    growing = pace * weak * prevented * (1.0 - contracture)
    return growing - parameters.contracture_release_per_year * activity * contracture


def cobb_rate(
    cobb_degrees: Array,
    mass: Array,
    velocity: Array,
    brace: Array,
    fusion: Array,
    person: Person,
    parameters: SkeletonParameters,
) -> Array:
    """Rate of change of the Cobb angle, degrees per year, shape (P,).

    ``velocity`` is the growth velocity of childhood times how upright a child of this age is held: a curve develops
    under load, not in a lying newborn.
    """
    weak = power(jnp.clip(1.0 - mass, 1e-6, 1.0), parameters.cobb_weakness_exponent)
    room = 1.0 - cobb_degrees / parameters.cobb_maximum_degrees
    braced = 1.0 - parameters.brace_effect * brace
    curving = (
        parameters.cobb_rate_degrees_per_year
        * jnp.exp(person.log_spine_rate)
        * weak
        * velocity
        * room
        * braced
    )
    return curving * (1.0 - fusion)


def usable_range(
    contracture: Array, cobb_degrees: Array, fusion: Array, parameters: SkeletonParameters
) -> Array:
    """Share of strength that stiff joints, a curved and a fused spine leave usable in legs and trunk, shape (P,)."""
    return (
        (1.0 - parameters.range_lost_by_contracture * contracture)
        * (1.0 - parameters.range_lost_by_cobb_per_degree * cobb_degrees)
        * (1.0 - parameters.fusion_range_loss * fusion)
    )
