"""The record of hours of ventilation on each day, and the endpoints of trials as functions of that record.

Hours on a day = hours chronically needed + hours that a respiratory infection adds, at most the whole day.
What an infection adds is its severity x how little breathing reserve the person has x the hours a full
infection adds without reserve, so a person with full reserve is never ventilated for a cold. Care decides
which hours are given; that is done by whoever makes the chronic hours.

Day 0 is the day of enrolment. The record is followed day by day and never kept; days are floats for use as times, and
+inf means not within the record.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from motorpool.biology.vocabulary import HOURS_PER_DAY, Array, record, stacked


@record
class VentilationParameters:
    """How an infection adds hours of ventilation; each a scalar or (P,)."""

    hours_added_by_full_infection: Array  # hours/day at severity 1 in a person without breathing reserve
    shortest_session_hours: Array  # hours/day; below this no ventilation is given for an infection


class VentilationDefinition(NamedTuple):
    """A trial's definition: at least so many hours a day for a run of days (static numbers, from the trial's
    protocol).

    With `exclude_acute` hours that an infection adds do not count.
    """

    at_least_hours: float
    at_least_days: int
    exclude_acute: bool


class VentilationWatch(NamedTuple):
    """The daily record followed day by day: the next day to look at (P,); for each endpoint, the first of them the
    start of non-invasive ventilation, the length of the run of days so far and the day on which the endpoint was met
    (endpoints, P); +inf while it is not.
    """

    next_day: jax.Array
    runs: jax.Array
    met_on_day: jax.Array


def watch_ventilation(
    patients: int, definitions: Sequence[VentilationDefinition], dtype: DTypeLike
) -> VentilationWatch:
    """Begin before day 0."""
    endpoints = (1 + len(definitions), patients)
    return VentilationWatch(
        jnp.zeros(patients, jnp.int32), jnp.zeros(endpoints, jnp.int32), jnp.full(endpoints, jnp.inf, dtype)
    )


def follow_ventilation(
    watch: VentilationWatch,
    hours: tuple[jax.Array, jax.Array],
    chronic_hours: tuple[jax.Array, jax.Array],
    weakness: tuple[jax.Array, jax.Array],
    enrolment_age_hours: jax.Array,
    severity_at: Callable[[jax.Array], jax.Array],
    niv_hours: jax.Array,
    definitions: Sequence[VentilationDefinition],
    parameters: VentilationParameters,
) -> VentilationWatch:
    """Follow the days of one step.

    `hours` int32 ages, `chronic_hours` and `weakness` (0 full reserve .. 1 none) at both ends of the step, (P,) each,
    run linearly between them. `severity_at` gives the severity of infections at ages
    in days (P,) within the step.
    """
    floating = watch.met_on_day.dtype
    begin, end = hours[0].astype(floating), hours[1].astype(floating)
    length = jnp.maximum(end - begin, 1.0)
    last_day = jnp.floor_divide(hours[1] - enrolment_age_hours, HOURS_PER_DAY)
    endpoints = [VentilationDefinition(0.0, 1, exclude_acute=True), *definitions]

    def one_day(now: VentilationWatch) -> VentilationWatch:
        due = now.next_day <= last_day
        age = (enrolment_age_hours + now.next_day * HOURS_PER_DAY).astype(floating)
        share = jnp.clip((age - begin) / length, 0.0, 1.0)
        needed = chronic_hours[0] + share * (chronic_hours[1] - chronic_hours[0])
        needed = jnp.clip(needed, 0.0, float(HOURS_PER_DAY))
        weak = jnp.clip(weakness[0] + share * (weakness[1] - weakness[0]), 0.0, 1.0)
        added = parameters.hours_added_by_full_infection * severity_at(age / HOURS_PER_DAY) * weak
        added = jnp.where(added >= parameters.shortest_session_hours, added, 0.0)
        given = jnp.minimum(needed + added, float(HOURS_PER_DAY))
        runs: list[jax.Array] = []
        met: list[jax.Array] = []
        for row, definition in enumerate(endpoints):
            at_least = niv_hours if row == 0 else definition.at_least_hours
            counted = (needed if definition.exclude_acute else given) >= at_least
            run = jnp.where(due, jnp.where(counted, now.runs[row] + 1, 0), now.runs[row])
            reached = due & (run >= definition.at_least_days)
            day = now.next_day.astype(floating)
            met.append(jnp.where(reached, jnp.minimum(now.met_on_day[row], day), now.met_on_day[row]))
            runs.append(run)
        return VentilationWatch(jnp.where(due, now.next_day + 1, now.next_day), stacked(runs), stacked(met))

    # Most people are far from needing ventilation: their days pass without being looked at.
    most = jnp.maximum(*chronic_hours) + parameters.hours_added_by_full_infection * jnp.clip(
        jnp.maximum(*weakness), 0.0, 1.0
    )
    least = functools.reduce(jnp.minimum, [jnp.asarray(one.at_least_hours) for one in definitions], niv_hours)
    passed = (most < least) & (watch.next_day <= last_day)
    watch = VentilationWatch(
        jnp.where(passed, last_day + 1, watch.next_day), jnp.where(passed, 0, watch.runs), watch.met_on_day
    )
    return jax.lax.while_loop(lambda now: jnp.any(now.next_day <= last_day), one_day, watch)
