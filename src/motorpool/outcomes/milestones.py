"""Milestones over time: when an ability is gained, lost and regained, from its margin over the threshold.

The margin (ability minus what the milestone asks for) is known at grid times and runs linearly between them.
- Gained: the margin has been at least 0 without a break for the hold time; the age is the moment the hold
  time is full.
- Lost: the margin has been below minus the hysteresis without a break for the loss hold time (illness is not
  loss).
- In between the status stays what it was, and a lost milestone can be regained.

Both are properties of the margin's curve, found inside steps, so the answer changes only with the square of
the grid's step. Shapes: K grid times first, any middle axes (such as milestones M), patients P last. Ages in
hours; +inf means never.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR, Array, record

MILESTONES: tuple[str, ...] = (
    "head_control",
    "sit_5s",
    "sit_10s",
    "sit_30s",
    "crawl",
    "stand_with_support",
    "stand",
    "walk_with_support",
    "walk",
)
"""Milestones in the order of results."""

NO_MILESTONE = -1
"""Position reported by `highest_milestone` when none is held."""


@record
class MilestoneParameters:
    """Rules of gain and loss; each a scalar or one value per milestone (M,)."""

    hold_days: Array
    loss_hold_days: Array
    hysteresis: Array


class MilestoneHistory(NamedTuple):
    """First gain and first loss (hours, (..., P)) and whether the milestone is held at each grid time (K,
    ..., P).
    """

    gained_age_hours: jax.Array
    lost_age_hours: jax.Array
    status: jax.Array


def _per_milestone(value: ArrayLike, dimensions: int) -> jax.Array:
    """Give a value per milestone (M,) a patient axis when the margin has a milestone axis."""
    array = jnp.asarray(value)
    return array[:, None] if array.ndim == 1 and dimensions > 2 else array


def _completion_times(height: jax.Array, inside: jax.Array, age: jax.Array, hold: jax.Array) -> jax.Array:
    """Age at which a run of `inside` has lasted `hold`, in the step where that happens (and later steps of
    the run).

    `height` (K, ...) is positive inside and negative outside; its line gives the ends of a run within a step.
    Returns (K, ...): for the step that ends at each grid time the completion time, or -inf where the run has
    not lasted long enough by then.
    """
    before, after = height[:-1], height[1:]
    change = after - before
    fraction = jnp.clip(-before / jnp.where(change == 0, 1.0, change), 0.0, 1.0)
    crossing = age[:-1] + fraction * (age[1:] - age[:-1])
    begins = inside[1:] & ~inside[:-1]
    ends = inside[:-1] & ~inside[1:]
    first_start = jnp.where(inside[:1], age[:1], -jnp.inf)
    starts = jnp.concatenate([first_start, jnp.where(begins, crossing, -jnp.inf)])
    run_start = jax.lax.cummax(starts, axis=0)
    run_end = jnp.where(ends, crossing, age[1:])
    run_end = jnp.concatenate([age[:1], run_end])
    touched = jnp.concatenate([inside[:1], inside[1:] | inside[:-1]])
    completed = touched & (run_end - run_start >= hold)
    return jnp.where(completed, run_start + hold, -jnp.inf)


def milestone_history(
    margin: jax.Array,
    age_hours: ArrayLike,
    parameters: MilestoneParameters,
    end_of_life_hours: ArrayLike | None = None,
) -> MilestoneHistory:
    """Gain, loss and status of milestones.

    `margin` (K, ..., P): ability over the threshold, or a boolean (able or not; crossings are then put in the
    middle of the step and the hysteresis must be below 1). `age_hours` (K, P) or (K, 1), increasing.
    `end_of_life_hours` (P,): nothing is gained or lost, and no status held, after it; death is not a loss.
    """
    floating = margin.dtype if jnp.issubdtype(margin.dtype, jnp.floating) else jnp.result_type(float)
    height = (
        margin.astype(floating)
        if margin.dtype != jnp.bool_
        else jnp.where(margin, 1.0, -1.0).astype(floating)
    )
    ages = jnp.asarray(age_hours).astype(floating)
    ages = ages.reshape(ages.shape[:1] + (1,) * (height.ndim - ages.ndim) + ages.shape[1:])
    ages = jnp.broadcast_to(ages, height.shape)
    hold = _per_milestone(parameters.hold_days, height.ndim) * float(HOURS_PER_DAY)
    loss_hold = _per_milestone(parameters.loss_hold_days, height.ndim) * float(HOURS_PER_DAY)
    depth = -_per_milestone(parameters.hysteresis, height.ndim) - height

    gains = _completion_times(height, height >= 0, ages, hold)
    losses = _completion_times(depth, depth > 0, ages, loss_hold)
    last_gain, last_loss = jax.lax.cummax(gains, axis=0), jax.lax.cummax(losses, axis=0)
    status = last_gain > last_loss

    gained = jnp.min(jnp.where(gains > -jnp.inf, gains, jnp.inf), axis=0)
    lost = jnp.min(jnp.where((losses > -jnp.inf) & (losses > gained), losses, jnp.inf), axis=0)
    if end_of_life_hours is not None:
        end = jnp.asarray(end_of_life_hours).astype(floating)
        gained = jnp.where(gained <= end, gained, jnp.inf)
        lost = jnp.where(lost <= end, lost, jnp.inf)
        status = status & (ages <= end)
    return MilestoneHistory(gained, lost, status)


def status_at(status: jax.Array, time_index: ArrayLike) -> jax.Array:
    """Status at visits: `status` (K, ..., P) and indices (V,) shared by all or (V, P) of each person; (V,
    ..., P).
    """
    index = jnp.asarray(time_index)
    if index.ndim == 1:
        return status[index]
    index = index.reshape(index.shape[:1] + (1,) * (status.ndim - 2) + index.shape[1:])
    return jnp.take_along_axis(status, jnp.broadcast_to(index, index.shape[:1] + status.shape[1:]), axis=0)


def highest_milestone(status: jax.Array, milestone_axis: int = -2) -> jax.Array:
    """Position of the highest milestone held, in the order of `MILESTONES`; `NO_MILESTONE` when none is
    held.
    """
    count = status.shape[milestone_axis]
    reversed_status = jnp.flip(status, axis=milestone_axis)
    highest = count - 1 - jnp.argmax(reversed_status, axis=milestone_axis)
    return jnp.where(jnp.any(status, axis=milestone_axis), highest, NO_MILESTONE)


def age_years_or_nan(age_hours: jax.Array) -> jax.Array:
    """Ages for the results: years, NaN instead of +inf (never)."""
    return jnp.where(jnp.isfinite(age_hours), age_hours / float(HOURS_PER_YEAR), jnp.nan)
