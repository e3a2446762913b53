"""Milestones over time: when an ability is gained, lost and regained, from its margin over the threshold.

The margin (ability minus what the milestone asks for) is known at grid times and runs linearly between them.
- Gained: the margin has been at least 0 without a break for the hold time; the age is the moment the hold
  time is full.
- Lost: the margin has been below minus the hysteresis without a break for the loss hold time (illness is not
  loss).
- In between the status stays what it was, and a lost milestone can be regained.

Both are properties of the margin's curve, found inside steps, so the answer changes only with the square of
the grid's step. Milestones are watched step by step while patients live. Shapes: any axes (such as milestones M),
patients P last. Ages in hours; +inf means never.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from motorpool.biology.vocabulary import HOURS_PER_DAY, Array, record

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


@record
class MilestoneParameters:
    """Rules of gain and loss; each a scalar or one value per milestone (M,)."""

    hold_days: Array
    loss_hold_days: Array
    hysteresis: Array


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
