"""The record of hours of ventilation on each day, and the endpoints of trials as functions of that record.

Hours on a day = hours chronically needed + hours that a respiratory infection adds, at most the whole day.
What an infection adds is its severity x how little breathing reserve the person has x the hours a full
infection adds without reserve, so a person with full reserve is never ventilated for a cold. Care decides
which hours are given; that is done by whoever makes the chronic hours.

Day 0 is the day of enrolment; the record has D days (a static number) and P patients. Days are float for use
as times; +inf means not within the record.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR, Array, record, stacked
from motorpool.outcomes.respiratory_infections import InfectionParameters, infection_severity

DAYS_PER_YEAR = HOURS_PER_YEAR / HOURS_PER_DAY
_UNROLL_RECORD, _UNROLL = 1, 16  # days handled in one turn of the compiled loop; changes speed only


@record
class VentilationParameters:
    """How an infection adds hours of ventilation; each a scalar or (P,)."""

    hours_added_by_full_infection: Array  # hours/day at severity 1 in a person without breathing reserve
    shortest_session_hours: Array  # hours/day; below this no ventilation is given for an infection


class VentilationRecord(NamedTuple):
    """Days first (D, P): hours given, hours needed without infection, and whether an infection adds hours
    that day.
    """

    hours: jax.Array
    chronic_hours: jax.Array
    acute: jax.Array


class VentilationDefinition(NamedTuple):
    """A trial's definition: at least so many hours a day for a run of days (static numbers, from the trial's
    protocol).

    With `exclude_acute` hours that an infection adds do not count.
    """

    at_least_hours: float
    at_least_days: int
    exclude_acute: bool


def days_of_record(
    age_hours: ArrayLike, values: jax.Array, enrolment_age_hours: ArrayLike, days: int
) -> jax.Array:
    """Values (..., K, P) at grid ages (K, P), interpolated linearly to each day since enrolment; (..., days,
    P).

    Outside the grid the first or last value holds.
    """
    age = jnp.broadcast_to(jnp.asarray(age_hours).astype(values.dtype), values.shape[-2:])
    enrolment = jnp.asarray(enrolment_age_hours).astype(values.dtype)
    since_days = (age - enrolment) / HOURS_PER_DAY
    series = values.reshape((-1, *values.shape[-2:]))
    added_points = _grid_points_by_day(since_days, days)

    # Day by day: the compiler then keeps the index of each day instead of searching anew for every value.
    def one_day(points: jax.Array, today: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        day, more = today
        points = points + more
        after = jnp.clip(points, 1, since_days.shape[0] - 1)[None]
        day_before = jnp.take_along_axis(since_days, after - 1, axis=0)
        day_after = jnp.take_along_axis(since_days, after, axis=0)
        share = jnp.clip((day - day_before) / (day_after - day_before), 0.0, 1.0)
        before = jnp.take_along_axis(series, (after - 1)[None], axis=1)
        gain = jnp.take_along_axis(series, after[None], axis=1) - before
        return points, (before + share * gain)[:, 0]

    wanted = jnp.arange(days, dtype=values.dtype)
    start = jnp.zeros(values.shape[-1], jnp.int32)
    daily = jnp.moveaxis(jax.lax.scan(one_day, start, (wanted, added_points))[1], 0, 1)
    return daily.reshape((*values.shape[:-2], days, values.shape[-1]))


def _grid_points_by_day(since_days: jax.Array, days: int) -> jax.Array:
    """How many grid points (K, P) fall after the day before and up to each day; all earlier ones on day 0;
    (D, P).
    """
    day = jnp.clip(jnp.ceil(since_days), 0, days).astype(jnp.int32)
    people = jnp.arange(since_days.shape[1])
    return jnp.zeros((days, since_days.shape[1]), jnp.int32).at[day, people].add(1, mode="drop")


def ventilation_record(
    age_hours: ArrayLike,
    chronic_hours: jax.Array,
    breathing_weakness: jax.Array,
    enrolment_age_hours: ArrayLike,
    person_seed: jax.Array,
    infections: InfectionParameters,
    parameters: VentilationParameters,
    *,
    days: int,
    chance: bool = True,
) -> VentilationRecord:
    """Daily record from enrolment on.

    `age_hours`, `chronic_hours` (hours/day) and `breathing_weakness` (0 full reserve .. 1 none) are (K, P) on
    the engine's grid; all are interpolated linearly to days. `person_seed` uint32 (P,) of the stream
    "respiratory_infections", the same as the engine's, so that the record shows the very infections that the
    hazards felt. `days` is static.
    """
    both = jnp.stack([chronic_hours, breathing_weakness.astype(chronic_hours.dtype)])
    chronic, weakness = days_of_record(age_hours, both, enrolment_age_hours, days)
    chronic = jnp.clip(chronic, 0.0, float(HOURS_PER_DAY))
    age_of_day = jnp.arange(days, dtype=chronic.dtype)[:, None] * float(HOURS_PER_DAY) + (
        jnp.asarray(enrolment_age_hours).astype(chronic.dtype)
    )

    # Day by day, so that the compiler keeps one record instead of working it out anew for every endpoint.
    def one_day(_: None, today: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[None, VentilationRecord]:
        age, needed, weak = today
        severity = infection_severity(person_seed, age, infections, chance=chance).astype(needed.dtype)
        added = parameters.hours_added_by_full_infection * severity * jnp.clip(weak, 0.0, 1.0)
        added = jnp.where(added >= parameters.shortest_session_hours, added, 0.0)
        hours = jnp.minimum(needed + added, float(HOURS_PER_DAY)).astype(needed.dtype)
        return None, VentilationRecord(hours, needed, (added > 0) & (hours > needed))

    return jax.lax.scan(one_day, None, (age_of_day, chronic, weakness), unroll=_UNROLL_RECORD)[1]


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
    """Follow the days of one step; the same record and endpoints as :func:`ventilation_record` and its functions.

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


def first_day_of_run(
    hours_record: jax.Array,
    at_least_hours: ArrayLike,
    *,
    at_least_days: int | None = None,
    more_than_days: int | None = None,
    exclude_acute: bool = False,
    acute: jax.Array | None = None,
) -> jax.Array:
    """Day on which a run of days with at least so many hours first reaches its length; +inf if never.

    `hours_record` (D, P). Exactly one of `at_least_days` (run of that many days) and `more_than_days` (one
    day longer) must be given. With `exclude_acute`, days marked in `acute` (D, P) do not count and break the
    run. A run over days 0..13 reaches 14 days on day 13. Returns (P,). `ValueError` when the run's length or
    the marks are missing.
    """
    if (at_least_days is None) == (more_than_days is None):
        message = "give exactly one of at_least_days and more_than_days"
        raise ValueError(message)
    length = at_least_days if at_least_days is not None else (more_than_days or 0) + 1
    if length < 1:
        message = f"a run needs at least one day, got {length}"
        raise ValueError(message)
    counted = hours_record >= at_least_hours
    if exclude_acute:
        if acute is None:
            message = "exclude_acute needs the marks of acute days in `acute`"
            raise ValueError(message)
        counted = counted & ~acute
    people = counted.shape[1:]

    def count(state: tuple[jax.Array, jax.Array], today: tuple[jax.Array, jax.Array]):
        run, first = state
        day, good = today
        run = jnp.where(good, run + 1, 0)
        return (run, jnp.where(run >= length, jnp.minimum(first, day), first)), None

    never = jnp.full(people, jnp.inf, hours_record.dtype)
    days = jnp.arange(counted.shape[0], dtype=hours_record.dtype)
    return jax.lax.scan(count, (jnp.zeros(people, jnp.int32), never), (days, counted), unroll=_UNROLL)[0][1]


def endpoint_day(days_record: VentilationRecord, definition: VentilationDefinition) -> jax.Array:
    """Day on which a trial's definition is met, (P,).

    Where acute reversible episodes are excluded, the hours needed without infection are counted: a child on
    16 hours a day does not leave the definition by catching a cold, and a child on 8 hours does not enter it
    that way.
    """
    hours = days_record.chronic_hours if definition.exclude_acute else days_record.hours
    return first_day_of_run(hours, definition.at_least_hours, at_least_days=definition.at_least_days)


def niv_start_day(days_record: VentilationRecord, at_least_hours: ArrayLike) -> jax.Array:
    """First day on which non-invasive ventilation is needed chronically for at least so many hours, (P,)."""
    return first_day_of_run(days_record.chronic_hours, at_least_hours, at_least_days=1)


def days_to_years(day: jax.Array) -> jax.Array:
    """Days since enrolment as years; +inf stays +inf."""
    return day / DAYS_PER_YEAR
