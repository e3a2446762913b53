"""When events happen: an event fires when its integrated hazard crosses one exponential draw per person and
event.

The draw belongs to the person and the event (never to arm or step), so more hazard on the same luck is never
later. Times are ages in hours since birth; "never within the record" is +inf.
"""

import math

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from motorpool.outcomes.randomness import hashed_exponential, name_id

MEDIAN_EXPONENTIAL_DRAW = math.log(2.0)
"""The draw of everybody when the chance layer is off: the event then happens at the median time of its
hazard.
"""


def event_draw(
    person_seed: jax.Array, event_name: str, *, chance: bool = True, dtype: DTypeLike | None = None
) -> jax.Array:
    """Exponential draw (mean 1) of each person for one event; ln 2 for everybody when chance is off.

    `person_seed`: uint32 (P,), from `stream_seed(keys, "events")`. Returns (P,).
    """
    if chance:
        return hashed_exponential(person_seed, name_id(event_name), dtype=dtype)
    floating = jnp.result_type(float) if dtype is None else dtype
    return jnp.full(person_seed.shape, MEDIAN_EXPONENTIAL_DRAW, floating)


def time_inside_step(
    hazard_before: jax.Array, hazard_after: jax.Array, target: jax.Array, step_length: jax.Array
) -> jax.Array:
    """Time since the start of a step at which the integral of a hazard that runs linearly through the step
    reaches `target`.

    Solves h0 t + (h1 - h0) t^2 / (2 L) = target without cancellation: t = 2 target / (h0 + sqrt(h0^2 + 2 (h1
    - h0) target / L)). Hazards per unit of `step_length`; all arrays broadcast; the result lies in [0,
      step_length].
    """
    safe_length = jnp.where(step_length > 0, step_length, 1.0)
    slope = (hazard_after - hazard_before) / safe_length
    discriminant = jnp.maximum(hazard_before**2 + 2.0 * slope * target, 0.0)
    denominator = hazard_before + jnp.sqrt(discriminant)
    time = 2.0 * target / jnp.where(denominator > 0, denominator, 1.0)
    return jnp.clip(jnp.where(denominator > 0, time, step_length), 0.0, step_length)


def crossing_time(cumulative_hazard: jax.Array, age_hours: ArrayLike, draw: jax.Array) -> jax.Array:
    """Age at which a non-decreasing integrated hazard first reaches the draw, the hazard being constant
    inside each step.

    `cumulative_hazard` (K, P) without unit, `age_hours` (K, P) or (K, 1) increasing, `draw` (P,). Returns
    hours (P,): +inf when the draw is not reached; the first age of the record when it is reached at once.
    """
    age = jnp.broadcast_to(jnp.asarray(age_hours).astype(cumulative_hazard.dtype), cumulative_hazard.shape)
    reached = cumulative_hazard >= draw
    after = jnp.argmax(reached, axis=0)[None]
    before = jnp.maximum(after - 1, 0)
    hazard_0, hazard_1 = _row(cumulative_hazard, before), _row(cumulative_hazard, after)
    age_0, age_1 = _row(age, before), _row(age, after)
    gain = hazard_1 - hazard_0
    fraction = jnp.where(gain > 0, (draw - hazard_0) / jnp.where(gain > 0, gain, 1.0), 1.0)
    time = age_0 + jnp.clip(fraction, 0.0, 1.0) * (age_1 - age_0)
    return jnp.where(jnp.any(reached, axis=0), time, jnp.inf)


def crossing_time_of_hazard(hazard_per_hour: jax.Array, age_hours: ArrayLike, draw: jax.Array) -> jax.Array:
    """As `crossing_time`, from the hazard itself, which runs linearly between grid points and is integrated
    exactly.

    `hazard_per_hour` (K, P) not negative, `age_hours` (K, P) or (K, 1), `draw` (P,). The error falls with the
    square of the step.
    """
    age = jnp.broadcast_to(jnp.asarray(age_hours).astype(hazard_per_hour.dtype), hazard_per_hour.shape)
    steps = jnp.diff(age, axis=0) * 0.5 * (hazard_per_hour[1:] + hazard_per_hour[:-1])
    cumulative = jnp.concatenate([jnp.zeros_like(age[:1]), jnp.cumsum(steps, axis=0)])
    reached = cumulative >= draw
    after = jnp.argmax(reached, axis=0)[None]
    before = jnp.maximum(after - 1, 0)
    age_0, age_1 = _row(age, before), _row(age, after)
    inside = time_inside_step(
        _row(hazard_per_hour, before),
        _row(hazard_per_hour, after),
        draw - _row(cumulative, before),
        age_1 - age_0,
    )
    return jnp.where(jnp.any(reached, axis=0), age_0 + inside, jnp.inf)


def _row(values: jax.Array, index: jax.Array) -> jax.Array:
    """Value of each person at that person's own time index: `values` (K, P), `index` (1, P); returns (P,)."""
    return jnp.take_along_axis(values, index, axis=0)[0]


def censor(event_time: jax.Array, horizon: ArrayLike) -> jax.Array:
    """Administrative censoring: an event later than the horizon is not seen (+inf); one exactly at the
    horizon is.
    """
    return jnp.where(event_time <= horizon, event_time, jnp.inf)


def before_death(event_time: jax.Array, death_time: jax.Array) -> jax.Array:
    """Death ends the record: a nonfatal event after death never happens (+inf); one at the very time of death
    counts.
    """
    return jnp.where(event_time <= death_time, event_time, jnp.inf)


def first_of(*event_times: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Combined endpoint "first of these": its time and which component it was (its position; -1 when none
    happened).

    Times in one unit, shapes equal. At a tie the component named first wins, so `first_of(death,
    ventilation)` counts a death on the day on which ventilation becomes permanent as a death.
    """
    stacked = jnp.stack(event_times)
    time = jnp.min(stacked, axis=0)
    component = jnp.argmin(stacked, axis=0)
    return time, jnp.where(jnp.isfinite(time), component, -1)
