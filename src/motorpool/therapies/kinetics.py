"""Exact solutions of the small linear kinetic systems that therapies share."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.vocabulary import Array

LN2 = 0.6931471805599453


def first_order(level: Array, input_level: Array, half_life_hours: Array, hours: Array) -> Array:
    """Level after ``hours`` when it decays with a half-life towards ``input_level`` (its steady state)."""
    decay = jnp.exp(-LN2 * hours / half_life_hours)
    return input_level + (level - input_level) * decay


def depot_and_product(
    depot: Array, product: Array, depot_half_life_hours: Array, product_half_life_hours: Array, hours: Array
) -> tuple[Array, Array]:
    """Amounts after ``hours`` of a depot that makes a product while it decays, both of first order.

    The product is scaled so that one unit of depot makes one unit of product in total. The half-lives may be equal,
    and either may be the longer one: the difference quotient of the two exponentials is taken through ``expm1`` of a
    number that is never positive.
    """
    depot_rate, product_rate = LN2 / depot_half_life_hours, LN2 / product_half_life_hours
    difference = jnp.abs(depot_rate - product_rate) * hours
    safe = jnp.where(difference < 1e-4, 1.0, difference)
    quotient = jnp.where(difference < 1e-4, 1.0 - 0.5 * difference, -jnp.expm1(-safe) / safe)
    slower = jnp.minimum(depot_rate, product_rate)
    made = depot_rate * depot * jnp.exp(-slower * hours) * quotient * hours
    return depot * jnp.exp(-depot_rate * hours), product * jnp.exp(-product_rate * hours) + made
