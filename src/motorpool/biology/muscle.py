"""Muscle: mass and quality follow innervation, use, nutrition and growth signals."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.neurons import falling_with_age
from motorpool.biology.vocabulary import Array, power, record


@record
class MuscleParameters:
    """What muscle mass follows, and how fast. Mass is relative to a healthy person of the same age."""

    late_sprouting_share: Array
    sprouting_decline_years: Array
    adaptation_time_years: Array
    disuse_share: Array
    transmission_exponent: Array
    smn_deficit_share: Array
    smn_need: Array
    malnutrition_share: Array
    ceiling: Array


def sprouting_at(age_years: Array, sprouting: Array, parameters: MuscleParameters) -> Array:
    """Territories that a neuron can hold at this age, (P,): enlarged motor units shrink again over the years."""
    kept = falling_with_age(age_years, parameters.late_sprouting_share, parameters.sprouting_decline_years)
    return jnp.maximum(sprouting * kept, 1.0)


def innervation(working: Array, sprouting: Array) -> Array:
    """Share of muscle fibres innervated, (G, P): surviving neurons adopt orphaned fibres, up to ``sprouting`` each."""
    return sprouting * working / (1.0 + (sprouting - 1.0) * working)


def target_mass(
    innervated: Array,
    transmission: Array,
    mass: Array,
    activity: Array,
    nutrition: Array,
    smn_muscle: Array,
    support: Array,
    myostatin_inhibition: Array,
    parameters: MuscleParameters,
) -> Array:
    """Mass that muscle tends to, shape (G, P).

    Weak muscle is used less and wastes further (the disuse loop); rehabilitation interrupts the loop.
    """
    used = 1.0 - parameters.disuse_share * jnp.clip(1.0 - mass, 0.0, 1.0) * (1.0 - activity)
    fed = 1.0 - parameters.malnutrition_share * jnp.clip(1.0 - nutrition, 0.0, 1.0)
    own_smn = 1.0 - parameters.smn_deficit_share * jnp.exp(-smn_muscle / parameters.smn_need)
    # Growth signals act on fibres that have room to grow: weak but innervated ones.
    growth = 1.0 + jnp.clip(support + myostatin_inhibition, -0.9, 2.0) * jnp.clip(1.0 - mass, 0.0, 1.0)
    target = (
        innervated * power(transmission, parameters.transmission_exponent) * used * fed * own_smn * growth
    )
    return jnp.clip(target, 0.0, parameters.ceiling)


def rate_of_change(mass: Array, target: Array, parameters: MuscleParameters) -> Array:
    """Rate of change per year of muscle mass, shape (G, P)."""
    return (target - mass) / parameters.adaptation_time_years
