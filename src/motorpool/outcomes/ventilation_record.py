"""The record of hours of ventilation on each day, and the endpoints of trials as functions of that record.

Hours on a day = hours chronically needed + hours that a respiratory infection adds, at most the whole day.
What an infection adds is its severity x how little breathing reserve the person has x the hours a full
infection adds without reserve, so a person with full reserve is never ventilated for a cold. Care decides
which hours are given; that is done by whoever makes the chronic hours.

Day 0 is the day of enrolment; the record has D days (a static number) and P patients. Days are float for use
as times; +inf means not within the record.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR, Array, record
from motorpool.outcomes.respiratory_infections import InfectionParameters, infection_severity

DAYS_PER_YEAR = HOURS_PER_YEAR / HOURS_PER_DAY


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
    """Values (K, P) at grid ages (K, P), interpolated linearly to each whole day since enrolment; (days, P).

    Outside the grid the first or last value holds.
    """
    age = jnp.broadcast_to(jnp.asarray(age_hours).astype(values.dtype), values.shape)
    enrolment = jnp.asarray(enrolment_age_hours).astype(values.dtype)
    since_days = (age - enrolment) / HOURS_PER_DAY
    wanted = jnp.arange(days, dtype=values.dtype)
    return jax.vmap(jnp.interp, in_axes=(None, 1, 1), out_axes=1)(wanted, since_days, values)


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
    chronic = jnp.clip(
        days_of_record(age_hours, chronic_hours, enrolment_age_hours, days), 0.0, float(HOURS_PER_DAY)
    )
    weakness = jnp.clip(days_of_record(age_hours, breathing_weakness, enrolment_age_hours, days), 0.0, 1.0)
    day_hours = jnp.arange(days, dtype=chronic.dtype)[:, None] * float(HOURS_PER_DAY)
    severity = infection_severity(
        person_seed,
        day_hours + jnp.asarray(enrolment_age_hours).astype(chronic.dtype),
        infections,
        chance=chance,
    ).astype(chronic.dtype)
    added = parameters.hours_added_by_full_infection * severity * weakness
    added = jnp.where(added >= parameters.shortest_session_hours, added, 0.0)
    hours = jnp.minimum(chronic + added, float(HOURS_PER_DAY))
    return VentilationRecord(hours, chronic, (added > 0) & (hours > chronic))


def first_day_of_run(
    hours_record: jax.Array,
    at_least_hours: ArrayLike,
    *,
    at_least_days: int | None = None,
    more_than_days: int | None = None,
    exclude_acute: bool = False,
    acute: jax.Array | None = None,
) -> jax.Array:
    """Day on which a run of consecutive days with at least so many hours first reaches its length; +inf if
    never.

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
    full = _ends_run(counted, length)
    day = jnp.argmax(full, axis=0).astype(jnp.result_type(float))
    return jnp.where(jnp.any(full, axis=0), day, jnp.inf)


def _ends_run(counted: jax.Array, length: int) -> jax.Array:
    """Whether each day ends `length` counted days in a row: (D, P) booleans; about 2 log2(length) passes, no
    counters.

    A run of a + b days ends on a day when a run of a ends there and a run of b ends a days earlier.
    """
    result = jnp.ones_like(counted)
    covered, power, block = 0, 1, counted
    while covered < length:
        if length & power:
            result = result & _days_earlier(block, covered)
            covered += power
        if covered < length:
            block = block & _days_earlier(block, power)
            power *= 2
    return result


def _days_earlier(marks: jax.Array, days: int) -> jax.Array:
    """Marks of so many days earlier; before the record nothing is marked."""
    if days == 0:
        return marks
    missing = min(days, marks.shape[0])
    return jnp.concatenate([jnp.zeros_like(marks[:missing]), marks[: marks.shape[0] - missing]])


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
