"""The dosing calendar inside the compiled program: which courses run now and which doses are due.

A plan is data of fixed shape (``COURSES`` padded courses), so that changing a plan never recompiles. Timing
convention: a dose is given at the first step boundary at or after it is due, and the grid has a boundary at every
dose that is known in advance; so only doses of courses started by a state rule, randomly late doses, and doses beyond
the grid's room for extra boundaries move, by less than one step. A visit on the day of a dose measures before the dose.
"""

from __future__ import annotations

from typing import Any

import jax
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
    loading_offset_hours, loading_amount (C, L): the first doses; missed_table (C, N): 1 for a numbered dose missed.
    maintenance_first_hours, maintenance_interval_hours, maintenance_amount, maintenance_count (C,).
    segment_from_hours, segment_factor (C, S): spans of the course with one dose factor (0 is a pause).
    rate (C,): continuous input while active. dose_to_kind, rate_to_kind (C, K): which kinds a course feeds.
    missed_probability, late_mean_hours (C,). is_surgery (C,): 1 for courses of spine surgery. luck (C,): number of the
    course's name, so that luck follows the course and not its place in the plan.
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
    is_surgery: Array
    luck: Array


@record
class Courses:
    """What is known of every course of a block, (C, P): start and stop hours so far; administrations, exposure hours
    and the weight at the first dose, all while alive."""

    start_hours: Array
    stop_hours: Array
    administrations: Array
    exposure_hours: Array
    first_dose_weight_kg: Array


@record
class Moment:
    """A step boundary as courses see it, each (P,) unless said.

    given_until_hours: doses due up to then have been given; length_hours: of the step that begins now;
    rule_values (rules, P): true outcomes that rules may use.
    """

    given_until_hours: Array
    hours: Array
    length_hours: Array
    alive: Array
    weight_kg: Array
    rule_values: Array
    seed: Array


@record
class Given:
    """Amounts given now and continuous input from now on: by course, (C, P), or by kind, (K, P)."""

    dose: Array
    rate: Array


def _rule_holds(outcome: Array, sign: Array, value: Array, rule_values: Array) -> Array:
    """Whether a course's state rule holds now, (P,); without a rule never."""
    observed = jax.lax.dynamic_index_in_dim(rule_values, jnp.maximum(outcome, 0), keepdims=False)
    return (outcome >= 0) & (sign * (observed - value) > 0.0)


def has_rules(plan: Plan) -> Array:
    """Whether any course starts or stops by a state rule, scalar."""
    return jnp.any((plan.start_rule_outcome >= 0) | (plan.stop_rule_outcome >= 0))


def courses_in_use(start_hours: Array, plan: Plan) -> Array:
    """Number of the plan's first courses that hold all that can ever start; the others are padding."""
    planned = jnp.any(start_hours < NEVER_HOURS, axis=1)
    used = planned | (plan.follows >= 0) | (plan.start_rule_outcome >= 0)
    return jnp.max(jnp.where(used, jnp.arange(1, COURSES + 1), 0))


def update_course(
    start: Array, stop: Array, previous_stop: Array, now_hours: Array, rule_values: Array, course: Plan
) -> tuple[Array, Array]:
    """Start and stop hours (P,) of one course after the rules have been looked at now.

    Args:
        start, stop: hours known so far; ``previous_stop`` of the course that this one follows, if any.
        now_hours: (P,).
        rule_values: true outcomes that rules may use, (rules, P).
        course: the plan's entries of this course.
    """
    after = jnp.where(previous_stop < NEVER_HOURS, previous_stop + course.washout_hours, NEVER_HOURS)
    start = jnp.where((course.follows >= 0) & (start >= NEVER_HOURS), after, start)
    holds = _rule_holds(
        course.start_rule_outcome, course.start_rule_sign, course.start_rule_value, rule_values
    )
    holds &= now_hours >= course.rule_minimum_age_hours
    start = jnp.where(holds & (start >= NEVER_HOURS), now_hours, start)
    start = jnp.where(course.excluded > 0, NEVER_HOURS, start)
    by_length = jnp.where(start < NEVER_HOURS, start + course.stop_after_hours, NEVER_HOURS)
    stop = jnp.minimum(stop, jnp.minimum(by_length, course.stop_hours))
    ended = _rule_holds(course.stop_rule_outcome, course.stop_rule_sign, course.stop_rule_value, rule_values)
    ended &= (start <= now_hours) & (stop > now_hours)
    return start, jnp.where(ended, now_hours, stop)


def segment_factor(since_start: Array, course: Plan) -> Array:
    """Dose factor in force (P,) at hours since the course's start."""
    factor = jnp.zeros(since_start.shape, course.segment_factor.dtype)
    for segment in range(SEGMENTS):
        begun = since_start >= course.segment_from_hours[segment]
        factor = jnp.where(begun, course.segment_factor[segment], factor)
    return factor


def _given(
    due: Array,
    number: Array,
    missed: Array,
    amount: Array,
    window: tuple[Array, Array],
    luck_of: tuple[Array, Array],
    course: Plan,
) -> tuple[Array, Array]:
    """Amount and count (doses, P) of the numbered doses due at ``due`` hours since start that fall into a window.

    ``missed``: 1 where the plan misses the dose. ``window``: hours since start (after the first, up to the second).
    ``luck_of``: the person's seed (P,) and the number of the course.
    """
    seed, index = luck_of
    dtype = course.rate.dtype

    def luck(purpose: int) -> Array:
        return hashed_uniform(seed, jnp.uint32(purpose), index, number.astype(jnp.uint32), dtype=dtype)

    longest = jnp.maximum(course.maintenance_interval_hours - 1, 0)
    late = -course.late_mean_hours * jnp.log(luck(1))
    due = due + jnp.minimum(jnp.round(late).astype(jnp.int32), longest)
    left_out = (missed > 0) | (luck(2) < course.missed_probability)
    given = jnp.where((due > window[0]) & (due <= window[1]) & ~left_out, amount, 0.0)
    return given, (given > 0).astype(jnp.int32)


def doses_due(
    start: Array,
    stop: Array,
    before_hours: Array,
    now_hours: Array,
    luck_of: tuple[Array, Array],
    course: Plan,
) -> tuple[Array, Array]:
    """Amount (P,) of one course to give now and how many doses it is, for what fell due since ``before_hours``."""
    running = (start <= now_hours) & (now_hours < stop)
    window = before_hours - start, now_hours - start
    now = window[1]
    factor = jnp.where(running, segment_factor(now, course), 0.0)
    numbers = jnp.arange(LOADING_DOSES, dtype=jnp.int32)[:, None]
    missed = course.missed_table[:LOADING_DOSES, None]
    amounts = factor * course.loading_amount[:, None]
    loading = _given(course.loading_offset_hours[:, None], numbers, missed, amounts, window, luck_of, course)
    interval = jnp.maximum(course.maintenance_interval_hours, 1)
    loading_doses = jnp.sum(course.loading_amount > 0, dtype=jnp.int32)
    latest = jnp.floor_divide(now - course.maintenance_first_hours, interval)
    repeat = (
        latest - jnp.arange(2, dtype=jnp.int32)[:, None]
    )  # a late dose can still be waiting when the next is due
    valid = (repeat >= 0) & (repeat < course.maintenance_count)
    due = course.maintenance_first_hours + repeat * interval
    amounts = jnp.where(valid, factor * course.maintenance_amount, 0.0)
    numbers = loading_doses + jnp.maximum(repeat, 0)
    missed = course.missed_table[jnp.clip(numbers, 0, NUMBERED_DOSES - 1)]
    later = _given(due, numbers, missed, amounts, window, luck_of, course)
    amount = jnp.sum(loading[0], axis=0) + jnp.sum(later[0], axis=0)
    return amount, jnp.sum(loading[1], axis=0, dtype=jnp.int32) + jnp.sum(later[1], axis=0, dtype=jnp.int32)


def may_give_doses(start: Array, stop: Array, before_hours: Array, now_hours: Array, course: Plan) -> Array:
    """Whether a dose of a course may have fallen due in anybody since ``before_hours``, scalar.

    If not, looking for doses can be left out. Doses that come late can fall due at any time.
    """
    running = (start <= now_hours) & (now_hours < stop)
    before, now = before_hours - start, now_hours - start
    offsets = course.loading_offset_hours[:, None]
    loading = (course.loading_amount[:, None] > 0) & (offsets > before) & (offsets <= now)
    # Quotients of whole numbers below 2^24 never round up to the next whole number.
    interval = jnp.maximum(course.maintenance_interval_hours, 1).astype(course.rate.dtype)

    def repeats(hours: Array) -> Array:
        return jnp.floor((hours - course.maintenance_first_hours).astype(interval.dtype) / interval)

    latest = repeats(now)
    maintenance = (course.maintenance_count > 0) & (latest >= 0.0) & (latest > repeats(before))
    due = jnp.any(loading, axis=0) | maintenance | (course.late_mean_hours > 0.0)
    return jnp.any(running & due)


def no_doses(start: Array, *others: Any) -> tuple[Array, Array]:
    """What :func:`doses_due` finds where :func:`may_give_doses` is false."""
    return jnp.zeros(start.shape, others[-1].rate.dtype), jnp.zeros(start.shape, jnp.int32)


def continuous_rate(start: Array, stop: Array, now_hours: Array, course: Plan) -> Array:
    """Continuous input of one course now, (P,); missed days lower its mean."""
    running = (start <= now_hours) & (now_hours < stop)
    factor = jnp.where(running, segment_factor(now_hours - start, course), 0.0)
    return factor * (course.rate * (1.0 - course.missed_probability))


def follow_courses(
    courses: Courses, in_use: Array, moment: Moment, plan: Plan
) -> tuple[Courses, Array, Given]:
    """Start, stop and dose every course at a step boundary; nothing happens where the step has no length.

    Returns what is known of the courses, the amount given of each (C, P), and what is given of each kind.

    The loop runs over the courses in use alone. What it computes from the body (rules, weight) carries no gradient:
    starts and counts jump.
    """
    moment = jax.lax.stop_gradient(moment)
    begun = courses.start_hours < NEVER_HOURS
    previous_stops = jnp.where(begun, courses.stop_hours, NEVER_HOURS)
    moving = moment.length_hours > 0
    dtype = plan.rate.dtype

    def one_course(index: Array, carried: tuple[Courses, Given]) -> tuple[Courses, Given]:
        known, given = carried

        def row(leaf: Array) -> Array:
            return jax.lax.dynamic_index_in_dim(leaf, index, keepdims=False)

        course, mine = jax.tree.map(row, plan), jax.tree.map(row, known)
        previous = jax.lax.dynamic_index_in_dim(
            previous_stops, jnp.maximum(course.follows, 0), keepdims=False
        )
        start, stop = update_course(
            mine.start_hours, mine.stop_hours, previous, moment.hours, moment.rule_values, course
        )
        start, stop = jnp.where(moving, start, mine.start_hours), jnp.where(moving, stop, mine.stop_hours)
        due = (
            start,
            stop,
            moment.given_until_hours,
            moment.hours,
            (moment.seed, course.luck.astype(jnp.uint32)),
            course,
        )
        amount, count = jax.lax.cond(
            may_give_doses(start, stop, moment.given_until_hours, moment.hours, course),
            doses_due,
            no_doses,
            *due,
        )
        amount, count = jnp.where(moving, amount, 0.0), jnp.where(moving & moment.alive, count, 0)
        rate = continuous_rate(start, stop, moment.hours, course)
        running = (start <= moment.hours) & (moment.hours < stop) & moment.alive
        first = (count > 0) & (mine.administrations == 0)
        mine = Courses(
            start_hours=start,
            stop_hours=stop,
            administrations=mine.administrations + count,
            exposure_hours=mine.exposure_hours + jnp.where(running, moment.length_hours.astype(dtype), 0.0),
            first_dose_weight_kg=jnp.where(first, moment.weight_kg, mine.first_dose_weight_kg),
        )
        return jax.tree.map(
            lambda all_courses, one: jax.lax.dynamic_update_index_in_dim(all_courses, one, index, 0),
            (known, given),
            (mine, Given(dose=amount, rate=rate)),
        )

    def add_kinds(index: Array, total: Given) -> Given:
        return Given(
            dose=total.dose + plan.dose_to_kind[index][:, None] * by_course.dose[index],
            rate=total.rate + plan.rate_to_kind[index][:, None] * by_course.rate[index],
        )

    nothing = jnp.zeros((COURSES, moment.hours.shape[0]), dtype)
    courses, by_course = jax.lax.fori_loop(0, in_use, one_course, (courses, Given(nothing, nothing)))
    no_kind = jnp.zeros((plan.dose_to_kind.shape[1], moment.hours.shape[0]), dtype)
    return courses, by_course.dose, jax.lax.fori_loop(0, in_use, add_kinds, Given(no_kind, no_kind))
