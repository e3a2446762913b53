"""Respiratory infections of each person: when they come, how severe they are, how long they last.

Time since birth is cut into bins of fixed length. In each bin at most one episode starts, with probability
rate(age, season) x bin length, at a hashed hour of the bin, with hashed severity and hashed duration.
Everything is a function of the person's seed and the bin's number, so an arm, a grid or a batch cannot change
anybody's infections, and any age can be looked up without a history.

Rate per year at age a: (later + (at birth - later) exp(-a / decay)) (1 + amplitude cos(2 pi (a - phase))),
the phase of the season being a hashed draw because the month of birth is. Severity (0 to 1) is log-normal
with the given mean, cut at 1; duration is log-normal, cut at two bins. Nobody has two infections at once: one that
would begin during another begins when the other is over, and ends when it would have ended.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR, Array, record, stacked
from motorpool.outcomes.normal import normal_probability
from motorpool.outcomes.randomness import hashed_normal, hashed_uniform, name_id

BIN_DAYS = 14
BIN_YEARS = BIN_DAYS * HOURS_PER_DAY / HOURS_PER_YEAR
"""Length of a calendar bin: a numerical choice (finest spacing of episodes), not a finding."""
BINS_REMEMBERED = 2
"""An episode lasts at most this many bins: only the current bin and this many before it can matter."""
_LONGEST_DAYS = float(BIN_DAYS * BINS_REMEMBERED)
_SEASON, _STARTS, _HOUR = name_id("season"), name_id("starts"), name_id("hour")
_SEVERITY, _DURATION = name_id("severity"), name_id("duration")


@record
class InfectionParameters:
    """Frequency, season, severity and duration of respiratory infections; each a scalar or (P,)."""

    rate_per_year_at_birth: Array
    rate_per_year_later: Array
    rate_decay_years: Array
    season_amplitude: Array
    mean_severity: Array
    severity_log_sd: Array
    median_duration_days: Array
    duration_log_sd: Array


class Episodes(NamedTuple):
    """Episodes that start in given bins, all of one shape (..., P); severity is 0 where no episode starts."""

    start_days: jax.Array
    end_days: jax.Array
    severity: jax.Array


def infection_rate_per_year(
    age_years: jax.Array, season_phase_years: ArrayLike, parameters: InfectionParameters
) -> jax.Array:
    """Episodes per year at an age in years (0 before birth), with the season as a yearly cosine; any
    broadcast shape.
    """
    fading = jnp.exp(-jnp.maximum(age_years, 0.0) / parameters.rate_decay_years)
    level = parameters.rate_per_year_later + fading * (
        jnp.asarray(parameters.rate_per_year_at_birth) - parameters.rate_per_year_later
    )
    season = 1.0 + parameters.season_amplitude * jnp.cos(2.0 * jnp.pi * (age_years - season_phase_years))
    return jnp.where(age_years >= 0.0, jnp.maximum(level * season, 0.0), 0.0)


def _start_probability(seed: jax.Array, bin_number: jax.Array, parameters: InfectionParameters) -> jax.Array:
    phase = hashed_uniform(seed, _SEASON)
    middle_years = (bin_number.astype(phase.dtype) + 0.5) * BIN_YEARS
    rate = infection_rate_per_year(middle_years, phase, parameters)
    return jnp.clip(rate * BIN_YEARS, 0.0, 1.0)


def episodes_in_bin(seed: jax.Array, bin_number: jax.Array, parameters: InfectionParameters) -> Episodes:
    """The episode (if any) that starts in bin `bin_number` (int32, any shape that broadcasts with `seed`
    (P,)).
    """
    starts = hashed_uniform(seed, _STARTS, bin_number) < _start_probability(seed, bin_number, parameters)
    hours = jnp.floor(hashed_uniform(seed, _HOUR, bin_number) * (BIN_DAYS * HOURS_PER_DAY))
    start_days = bin_number.astype(hours.dtype) * float(BIN_DAYS) + hours / HOURS_PER_DAY
    log_sd = jnp.asarray(parameters.severity_log_sd)
    deviation = hashed_normal(seed, _SEVERITY, bin_number)
    severity = parameters.mean_severity * jnp.exp(log_sd * deviation - 0.5 * log_sd**2)
    stretch = jnp.exp(parameters.duration_log_sd * hashed_normal(seed, _DURATION, bin_number))
    duration_days = jnp.minimum(parameters.median_duration_days * stretch, _LONGEST_DAYS)
    return Episodes(
        start_days, start_days + duration_days, jnp.where(starts, jnp.minimum(severity, 1.0), 0.0)
    )


def infection_severity(
    person_seed: jax.Array, age_hours: ArrayLike, parameters: InfectionParameters, *, chance: bool = True
) -> jax.Array:
    """Severity (0 to 1) of the episode that a person has at an age; 0 when there is none, and before birth.

    `person_seed`: uint32 (P,), from `stream_seed(keys, "respiratory_infections")`. `age_hours`: any shape
    (..., P) that broadcasts. With `chance=False` the expected value over all luck but the season's phase is
    returned.
    """
    seed = jnp.asarray(person_seed)
    age_days = jnp.asarray(age_hours).astype(jnp.result_type(float)) / HOURS_PER_DAY
    current = _bin_of(age_days)
    if not chance:
        return _expected_severity(seed, age_days, current, parameters)
    found = [episodes_in_bin(seed, current - back, parameters) for back in range(2 * BINS_REMEMBERED, -1, -1)]
    return sum(
        (_severity_if_active(one, age_days) for one in _one_after_another(found)), jnp.zeros_like(age_days)
    )


def _severity_if_active(episode: Episodes, age_days: jax.Array) -> jax.Array:
    active = (age_days >= episode.start_days) & (age_days < episode.end_days)
    return jnp.where(active, episode.severity, 0.0)


def _after(earlier: Sequence[Episodes], episode: Episodes) -> Episodes:
    """What is left of an episode after earlier ones: nobody has two infections at once, the first goes on."""
    start = episode.start_days
    for one in earlier:
        start = jnp.where(one.severity > 0.0, jnp.maximum(start, one.end_days), start)
    return Episodes(start, episode.end_days, jnp.where(start < episode.end_days, episode.severity, 0.0))


def _one_after_another(found: Sequence[Episodes]) -> list[Episodes]:
    """Episodes of rising bins, each begun when those before it are over."""
    return [_after(found[max(0, place - BINS_REMEMBERED) : place], one) for place, one in enumerate(found)]


LONGEST_STEP_DAYS = 31.0
"""Longest stretch of time over which recent episodes are looked at together: a month."""
RECENT_BINS = math.ceil(LONGEST_STEP_DAYS / BIN_DAYS) + 1 + BINS_REMEMBERED
"""Bins whose episodes can touch such a stretch."""


class RecentEpisodes(NamedTuple):
    """The episodes that can touch the month up to an age: those of bin ``last_bin`` (P,) and of the bins before it, the
    oldest first, (bins, P) each.
    """

    last_bin: jax.Array
    start_days: jax.Array
    end_days: jax.Array
    severity: jax.Array

    def each(self) -> list[Episodes]:
        """The episodes of each bin, (P,); no two at once."""
        rows = range(self.severity.shape[0])
        return [Episodes(self.start_days[row], self.end_days[row], self.severity[row]) for row in rows]

    def severity_at(self, age_days: jax.Array) -> jax.Array:
        """Severity (0 to 1) of the episode active at ages (P,) within the month."""
        return sum((_severity_if_active(one, age_days) for one in self.each()), jnp.zeros_like(age_days))


def recent_episodes(
    person_seed: jax.Array, age_hours: ArrayLike, parameters: InfectionParameters
) -> RecentEpisodes:
    """The recent episodes at ages (P,), looked up without a history."""
    seed, ages = jnp.asarray(person_seed), jnp.asarray(age_hours)
    last_bin = _bin_of(ages.astype(jnp.result_type(float)) / HOURS_PER_DAY)
    found = [episodes_in_bin(seed, last_bin - back, parameters) for back in range(RECENT_BINS - 1, -1, -1)]
    rows = zip(*_one_after_another(found), strict=True)
    return RecentEpisodes(last_bin, *(stacked(row) for row in rows))


def later_episodes(
    recent: RecentEpisodes, person_seed: jax.Array, age_hours: jax.Array, parameters: InfectionParameters
) -> RecentEpisodes:
    """The recent episodes at later ages (P,); those that are known already are not looked up again."""
    wanted = _bin_of(age_hours.astype(recent.severity.dtype) / HOURS_PER_DAY)

    def one_bin_on(known: RecentEpisodes) -> RecentEpisodes:
        behind = known.last_bin < wanted
        new = episodes_in_bin(person_seed, known.last_bin + 1, parameters)
        episode = _after(known.each()[-BINS_REMEMBERED:], new)

        def shifted(rows: jax.Array, newest: jax.Array) -> jax.Array:
            moved = [*(rows[place] for place in range(1, rows.shape[0])), newest]
            return stacked([jnp.where(behind, new, rows[place]) for place, new in enumerate(moved)])

        rows = zip((known.start_days, known.end_days, known.severity), episode, strict=True)
        return RecentEpisodes(
            jnp.where(behind, known.last_bin + 1, known.last_bin), *(shifted(old, new) for old, new in rows)
        )

    return jax.lax.while_loop(lambda known: jnp.any(known.last_bin < wanted), one_bin_on, recent)


def _bin_of(age_days: jax.Array) -> jax.Array:
    return jnp.floor(age_days / BIN_DAYS).astype(jnp.int32)


def _expected_minimum_duration_days(limit_days: jax.Array, parameters: InfectionParameters) -> jax.Array:
    """E[min(D, limit)] of the log-normal duration D, in closed form; `limit_days` not negative, cut at the
    longest duration.
    """
    limit = jnp.clip(limit_days, 0.0, _LONGEST_DAYS)
    log_sd = jnp.maximum(jnp.asarray(parameters.duration_log_sd), 1e-6)
    median = jnp.asarray(parameters.median_duration_days)
    standardised = jnp.log(jnp.where(limit > 0, limit, 1.0) / median) / log_sd
    shorter = median * jnp.exp(0.5 * log_sd**2) * normal_probability(standardised - log_sd)
    return jnp.where(limit > 0, shorter + limit * normal_probability(-standardised), 0.0)


def _expected_severity(
    seed: jax.Array, age_days: jax.Array, current: jax.Array, parameters: InfectionParameters
) -> jax.Array:
    """Expected severity at an age: chance that any of the episodes that can be active is, x an episode's mean."""
    nobody = jnp.ones_like(age_days)
    for back in range(BINS_REMEMBERED + 1):
        number = current - back
        since_bin_start = age_days - number.astype(age_days.dtype) * float(BIN_DAYS)
        earlier = _expected_minimum_duration_days(since_bin_start, parameters)
        later = _expected_minimum_duration_days(since_bin_start - float(BIN_DAYS), parameters)
        active = _start_probability(seed, number, parameters) * (earlier - later) / BIN_DAYS
        nobody = nobody * (1.0 - active)
    return (1.0 - nobody) * _expected_severity_of_one(parameters)


def _expected_severity_of_one(parameters: InfectionParameters) -> jax.Array:
    """Expected severity of an episode, E[min(S, 1)] of the log-normal severity S, in closed form."""
    log_sd = jnp.maximum(jnp.asarray(parameters.severity_log_sd), 1e-6)
    mean = jnp.asarray(parameters.mean_severity)
    standardised, half = jnp.log(mean) / log_sd, 0.5 * log_sd
    return mean * normal_probability(-standardised - half) + normal_probability(standardised - half)
