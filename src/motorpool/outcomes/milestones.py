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


class _Run(NamedTuple):
    """A stretch of time on one side of a threshold: whether it goes on, and when it began."""

    inside: jax.Array
    start: jax.Array


class MilestoneWatch(NamedTuple):
    """What is known of milestones at a grid time, each (..., P): the margin, and the stretches and events so far."""

    height: jax.Array
    age: jax.Array
    able: _Run
    unable: _Run
    held: jax.Array
    gained: jax.Array
    lost: jax.Array


def _follow_run(
    run: _Run, height: jax.Array, next_height: jax.Array, inside: jax.Array, ages: tuple[jax.Array, jax.Array]
) -> tuple[_Run, jax.Array]:
    """Carry a run through one step; returns it and its end within the step (the step's end when it goes on).

    The line from `height` to `next_height` crosses zero where a run begins or ends; `inside` is the side at
    the step's end. The end is -inf when no run touched the step.
    """
    change = next_height - height
    fraction = jnp.clip(-height / jnp.where(change == 0, 1.0, change), 0.0, 1.0)
    crossing = ages[0] + fraction * (ages[1] - ages[0])
    start = jnp.where(inside & ~run.inside, crossing, run.start)
    end = jnp.where(inside, ages[1], jnp.where(run.inside, crossing, -jnp.inf))
    return _Run(inside, start), end


def _rules(height: jax.Array, parameters: MilestoneParameters) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Hold time and loss hold time in hours, and hysteresis, for margins (..., P)."""
    dimensions = height.ndim + 1
    hold = _per_milestone(parameters.hold_days, dimensions) * float(HOURS_PER_DAY)
    loss_hold = _per_milestone(parameters.loss_hold_days, dimensions) * float(HOURS_PER_DAY)
    return hold, loss_hold, _per_milestone(parameters.hysteresis, dimensions)


def watch_milestones(
    height: jax.Array, age_hours: jax.Array, parameters: MilestoneParameters
) -> MilestoneWatch:
    """Begin to watch milestones: margins (..., P) at ages of the same shape."""
    hold, _, hysteresis = _rules(height, parameters)
    ages = jnp.broadcast_to(age_hours, height.shape)
    never = jnp.full(height.shape, jnp.inf, height.dtype)
    able, unable = _Run(height >= 0, ages), _Run(-hysteresis - height > 0, ages)
    held = able.inside & (hold <= 0)
    return MilestoneWatch(height, ages, able, unable, held, jnp.where(held, ages, jnp.inf), never)


def follow_milestones(
    state: MilestoneWatch, next_height: jax.Array, next_age: jax.Array, parameters: MilestoneParameters
) -> MilestoneWatch:
    """Watch milestones through one step, to margins and ages (..., P) at its end."""
    hold, loss_hold, hysteresis = _rules(next_height, parameters)
    next_age = jnp.broadcast_to(next_age, next_height.shape)
    span = (state.age, next_age)
    next_depth = -hysteresis - next_height
    able, able_until = _follow_run(state.able, state.height, next_height, next_height >= 0, span)
    unable, unable_until = _follow_run(
        state.unable, -hysteresis - state.height, next_depth, next_depth > 0, span
    )
    gain, loss = able.start + hold, unable.start + loss_hold
    gains, loses = able_until >= gain, unable_until >= loss
    gained = jnp.where(gains, jnp.minimum(state.gained, gain), state.gained)
    lost = jnp.where(loses & (loss > gained), jnp.minimum(state.lost, loss), state.lost)
    later_loss = jnp.where(loses, loss, -jnp.inf) >= jnp.where(gains, gain, -jnp.inf)
    held = jnp.where(gains | loses, ~later_loss, state.held)
    return MilestoneWatch(next_height, next_age, able, unable, held, gained, lost)


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
    start = watch_milestones(height[0], ages[0], parameters)

    def step(state: MilestoneWatch, now: tuple[jax.Array, jax.Array]) -> tuple[MilestoneWatch, jax.Array]:
        later = follow_milestones(state, *now, parameters)
        return later, later.held

    last, later_status = jax.lax.scan(step, start, (height[1:], ages[1:]))
    gained, lost = last.gained, last.lost
    status = jnp.concatenate([start.held[None], later_status])
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
