"""From the true value to what a visit records: bias, noise, rounding, floor and ceiling. Biology is never
touched.

Order: true value + bias, then noise, then rounding to the instrument's steps, then floor and ceiling. The
bias (learning, placebo, and what an open label adds) grows after enrolment and saturates: gain x (1 - exp(-t
/ time)). Noise is keyed by person, outcome and the visit's time in whole hours, so the same visit has the
same noise in every arm and in every list of visits.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from motorpool.biology.vocabulary import Array, record
from motorpool.outcomes.randomness import hashed_normal, name_id


@record
class ObservationParameters:
    """One entry per outcome, arrays (O,). `identity` comes from `outcome_identity`, so new outcomes move no
    noise.
    """

    identity: Array  # uint32
    noise_sd: Array  # in the outcome's unit, or as SD of the logarithm where noise is proportional
    proportional: Array  # bool: noise multiplies the value (log-normal with median 1)
    rounding_step: Array  # the instrument's step; 0 for none
    floor: Array  # -inf for none
    ceiling: Array  # +inf for none
    blinded_gain: Array  # learning and placebo, in the outcome's unit, with its sign
    open_label_gain: Array  # what knowing the treatment adds, in the outcome's unit, with its sign
    gain_time_hours: Array  # time in which the bias reaches 63 % of its final size


def outcome_identity(names: tuple[str, ...]) -> jax.Array:
    """Stable numbers of outcomes, uint32 (O,), for `ObservationParameters.identity`."""
    return jnp.asarray([name_id(name) for name in names], dtype=jnp.uint32)


def observation_bias(
    hours_since_enrolment: jax.Array, open_label: ArrayLike, parameters: ObservationParameters
) -> jax.Array:
    """Bias (V, O, P) at visits (V, P): zero up to enrolment, then growing to the gain. `open_label` 0 or 1,
    () or (P,).
    """
    elapsed = jnp.maximum(hours_since_enrolment, 0)[:, None, :]
    time = parameters.gain_time_hours[:, None]
    grown = 1.0 - jnp.exp(-elapsed / time)
    gain = parameters.blinded_gain[:, None] + jnp.asarray(open_label) * parameters.open_label_gain[:, None]
    return gain * grown


def observe(
    true_values: jax.Array,
    hours_since_enrolment: ArrayLike,
    person_seed: jax.Array,
    parameters: ObservationParameters,
    *,
    open_label: ArrayLike = 0.0,
    noise: bool = True,
    rounding: bool = True,
) -> jax.Array:
    """Observed values (V, O, P) of true values (V, O, P); NaN (dead, not assessable) stays NaN.

    `hours_since_enrolment`: whole hours, (V,), (V, 1) or (V, P). `person_seed` uint32 (P,), stream
    "observation". `noise=False` leaves bias, rounding, floor and ceiling; `rounding=False` leaves the value
    between the instrument's steps.
    """
    hours = jnp.asarray(hours_since_enrolment)
    hours = hours[:, None] if hours.ndim == 1 else hours
    visit_key = jnp.round(hours).astype(jnp.int32)[:, None, :]
    people = true_values.shape[-1]
    visit_hours = jnp.broadcast_to(hours.astype(true_values.dtype), (hours.shape[0], people))
    value = true_values + observation_bias(visit_hours, open_label, parameters).astype(true_values.dtype)
    if noise:
        deviation = hashed_normal(person_seed, parameters.identity[:, None], visit_key, dtype=value.dtype)
        size = deviation * parameters.noise_sd[:, None]
        value = jnp.where(parameters.proportional[:, None], value * jnp.exp(size), value + size)
    if rounding:
        step = parameters.rounding_step[:, None]
        value = jnp.where(step > 0, jnp.round(value / jnp.where(step > 0, step, 1.0)) * step, value)
    return jnp.clip(value, parameters.floor[:, None], parameters.ceiling[:, None]).astype(true_values.dtype)
