"""The dosing calendar inside the compiled program: which courses run now and which doses are due.

A plan is data of fixed shape (``COURSES`` padded courses), so that changing a plan never recompiles. Timing
convention: a dose is given at the first step boundary at or after it is due, and the grid has a boundary at every
dose that is known in advance; so only doses of courses started by a state rule, randomly late doses, and doses beyond
the grid's room for extra boundaries move, by less than one step. A visit on the day of a dose measures before the dose.
"""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.vocabulary import Array, record
from motorpool.outcomes.randomness import hashed_uniform

COURSES = 12
LOADING_DOSES = 8
SEGMENTS = 8
NUMBERED_DOSES = 256
NEVER_HOURS = 1 << 29


@record
class Plan:
    """A plan of one arm as padded arrays; C courses, P patients. Hours are since birth or since the course's start.

    start_hours, stop_hours (C, P): resolved times, ``NEVER_HOURS`` where a rule decides or nothing does.
    follows (C,): index of the course that this one comes after, -1 for none; washout_hours (C,).
    start_rule_outcome, stop_rule_outcome (C,): row of the rule table, -1 for none; *_sign (C,): +1 for "above",
    -1 for "below"; *_value (C,). rule_minimum_age_hours (C,): a start rule is not looked at before this age.
    stop_after_hours (C,): length of the course. excluded (C, P): who may never get it.
    loading_offset_hours, loading_amount (C, L): the first doses; missed_table (C, N): 1 where a numbered dose is missed.
    maintenance_first_hours, maintenance_interval_hours, maintenance_amount, maintenance_count (C,).
    segment_from_hours, segment_factor (C, S): spans of the course with one dose factor (0 is a pause).
    rate (C,): continuous input while active. dose_to_kind, rate_to_kind (C, K): which kinds a course feeds.
    missed_probability, late_mean_hours (C,).
    """

    start_hours: Array
    stop_hours: Array
    follows: Array
    washout_hours: Array
    start_rule_outcome: Array
    start_rule_sign: Array
    start_rule_value: Array
    rule_minimum_age_hours: Array
    stop_rule_outcome: Array
    stop_rule_sign: Array
    stop_rule_value: Array
    stop_after_hours: Array
    excluded: Array
    loading_offset_hours: Array
    loading_amount: Array
    missed_table: Array
    maintenance_first_hours: Array
    maintenance_interval_hours: Array
    maintenance_amount: Array
    maintenance_count: Array
    segment_from_hours: Array
    segment_factor: Array
    rate: Array
    dose_to_kind: Array
    rate_to_kind: Array
    missed_probability: Array
    late_mean_hours: Array


def _rule_holds(outcome: Array, sign: Array, value: Array, rule_values: Array) -> Array:
    """Whether each course's state rule holds now, (C, P); a course without a rule never holds."""
    observed = jnp.take(rule_values, jnp.maximum(outcome, 0), axis=0)
    beyond = sign[:, None] * (observed - value[:, None]) > 0.0
    return (outcome >= 0)[:, None] & beyond


def update_courses(
    start: Array, stop: Array, now_hours: Array, rule_values: Array, plan: Plan
) -> tuple[Array, Array]:
    """Start and stop hours (C, P) after the rules have been looked at now.

    Args:
        start, stop: hours known so far.
        now_hours: (P,).
        rule_values: true outcomes that rules may use, (rules, P).
    """
    previous_stop = jnp.take(stop, jnp.maximum(plan.follows, 0), axis=0)
    after = jnp.where(previous_stop < NEVER_HOURS, previous_stop + plan.washout_hours[:, None], NEVER_HOURS)
    start = jnp.where((plan.follows >= 0)[:, None] & (start >= NEVER_HOURS), after, start)
    holds = _rule_holds(plan.start_rule_outcome, plan.start_rule_sign, plan.start_rule_value, rule_values)
    holds &= now_hours[None] >= plan.rule_minimum_age_hours[:, None]
    start = jnp.where(holds & (start >= NEVER_HOURS), now_hours[None], start)
    start = jnp.where(plan.excluded > 0, NEVER_HOURS, start)
    by_length = jnp.where(start < NEVER_HOURS, start + plan.stop_after_hours[:, None], NEVER_HOURS)
    stop = jnp.minimum(stop, jnp.minimum(by_length, plan.stop_hours))
    ended = _rule_holds(plan.stop_rule_outcome, plan.stop_rule_sign, plan.stop_rule_value, rule_values)
    ended &= (start <= now_hours[None]) & (stop > now_hours[None])
    return start, jnp.where(ended, now_hours[None], stop)


def segment_factor(since_start: Array, plan: Plan) -> Array:
    """Dose factor in force (C, P) at hours since the course's start."""
    factor = jnp.zeros(since_start.shape, plan.segment_factor.dtype)
    for segment in range(SEGMENTS):
        begun = since_start >= plan.segment_from_hours[:, segment, None]
        factor = jnp.where(begun, plan.segment_factor[:, segment, None], factor)
    return factor


def _luck(seed: Array, number: Array, purpose: int, dtype: jnp.dtype) -> Array:
    course = jnp.arange(COURSES, dtype=jnp.uint32)[:, None]
    return hashed_uniform(seed[None], jnp.uint32(purpose), course, number.astype(jnp.uint32), dtype=dtype)


def _given(
    due: Array, number: Array, amount: Array, before: Array, now: Array, seed: Array, plan: Plan
) -> tuple[Array, Array]:
    """Amount and count (C, P) of the numbered dose due at ``due`` hours since start, if it falls in (before, now]."""
    dtype = plan.rate.dtype
    longest = jnp.maximum(plan.maintenance_interval_hours - 1, 0)[:, None]
    late = -plan.late_mean_hours[:, None] * jnp.log(_luck(seed, number, 1, dtype))
    due = due + jnp.minimum(jnp.round(late).astype(jnp.int32), longest)
    table_row = jnp.clip(number, 0, NUMBERED_DOSES - 1)
    missed = jnp.take_along_axis(plan.missed_table, table_row, axis=1) > 0
    missed |= _luck(seed, number, 2, dtype) < plan.missed_probability[:, None]
    falls = (due > before) & (due <= now) & ~missed
    given = jnp.where(falls, amount, 0.0)
    return given, (given > 0).astype(jnp.int32)


def doses_due(
    start: Array, stop: Array, before_hours: Array, now_hours: Array, seed: Array, plan: Plan
) -> tuple[Array, Array]:
    """Amounts (C, P) of each course to give now and how many doses they are, for what fell due since ``before_hours``."""
    running = (start <= now_hours[None]) & (now_hours[None] < stop)
    before, now = before_hours[None] - start, now_hours[None] - start
    factor = jnp.where(running, segment_factor(now, plan), 0.0)
    amount, count = jnp.zeros(factor.shape, factor.dtype), jnp.zeros(factor.shape, jnp.int32)
    for dose in range(LOADING_DOSES):
        number = jnp.full(factor.shape, dose, jnp.int32)
        due = jnp.broadcast_to(plan.loading_offset_hours[:, dose, None], factor.shape)
        one, how_many = _given(
            due, number, factor * plan.loading_amount[:, dose, None], before, now, seed, plan
        )
        amount, count = amount + one, count + how_many
    interval = jnp.maximum(plan.maintenance_interval_hours, 1)[:, None]
    loading = jnp.sum(plan.loading_amount > 0, axis=1, dtype=jnp.int32)[:, None]
    latest = jnp.floor_divide(now - plan.maintenance_first_hours[:, None], interval)
    for back in range(2):
        repeat = latest - back
        valid = (repeat >= 0) & (repeat < plan.maintenance_count[:, None])
        due = plan.maintenance_first_hours[:, None] + repeat * interval
        size = jnp.where(valid, factor * plan.maintenance_amount[:, None], 0.0)
        one, how_many = _given(due, loading + jnp.maximum(repeat, 0), size, before, now, seed, plan)
        amount, count = amount + one, count + how_many
    return amount, count


def continuous_rate(start: Array, stop: Array, now_hours: Array, plan: Plan) -> Array:
    """Continuous input of each course now, (C, P); missed days lower its mean."""
    running = (start <= now_hours[None]) & (now_hours[None] < stop)
    factor = jnp.where(running, segment_factor(now_hours[None] - start, plan), 0.0)
    return factor * (plan.rate * (1.0 - plan.missed_probability))[:, None]
