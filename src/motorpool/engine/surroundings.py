"""What does not change while a block of patients lives."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.person import Person
from motorpool.biology.vocabulary import HOURS_PER_MONTH, Array, record
from motorpool.engine import dosing
from motorpool.engine.parameters import ModelParameters
from motorpool.therapies.cells import CellProtocol


@record
class Surroundings:
    """What does not change while a block of patients lives: traits, seeds of infections, plan, care, parameters.

    enrolment_hours (P,): age on day 0 of the daily record; ``NEVER_HOURS`` where there is none.
    """

    person: Person
    infection_seed: Array
    enrolment_hours: Array
    care: Array
    plan: dosing.Plan
    protocol: CellProtocol
    parameters: ModelParameters


def log_weight_at(hours: Array, around: Surroundings) -> Array:
    """Log of the median weight (kg) for age and sex at whole hours since birth, (P,)."""
    by_month = around.parameters.log_weight_by_month
    count = by_month.shape[1]
    months = jnp.maximum(hours, 0).astype(by_month.dtype) / HOURS_PER_MONTH
    below = jnp.minimum(jnp.floor(months).astype(jnp.int32), count - 2)
    share = jnp.minimum(months - below.astype(months.dtype), 1.0)
    # Boys first, then girls, in one row: a look-up costs as much as all the rest.
    place = below + jnp.where(around.person.female > 0.5, count, 0)
    table = by_month.reshape(-1)
    low, high = jnp.take(table, place, mode="clip"), jnp.take(table, place + 1, mode="clip")
    return low + share * (high - low)
