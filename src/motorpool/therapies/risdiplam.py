"""Risdiplam: oral splicing modifier that acts everywhere, muscle included, and stops when it is stopped."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.vocabulary import Array, record


@record
class RisdiplamParameters:
    """Kinetics and effect. Exposure is relative to the steady state of the labelled dose (1.0)."""

    half_life_hours: Array
    full_dose_weight_kg: Array
    clearance_weight_exponent: Array
    splicing_gain_maximum: Array
    half_effect_exposure: Array


def splicing_gain(exposure: Array, parameters: RisdiplamParameters) -> Array:
    """Relative gain of SMN from SMN2, the same in every pool and in muscle, shape (P,)."""
    return parameters.splicing_gain_maximum * exposure / (parameters.half_effect_exposure + exposure)


def relative_exposure(weight_kg: Array, typical_weight_kg: Array, parameters: RisdiplamParameters) -> Array:
    """Steady exposure under the labelled weight bands, relative to a child of typical weight for age, shape (P,).

    The label's bands aim at the same exposure at every age. Within them the dose follows the weight up to the full
    dose, while clearance follows an allometric power of it: a light child gets a little less, a heavy adult less.
    """
    full = parameters.full_dose_weight_kg
    dose_ratio = jnp.minimum(weight_kg, full) / jnp.minimum(typical_weight_kg, full)
    return dose_ratio * (typical_weight_kg / weight_kg) ** parameters.clearance_weight_exponent
