"""What a step adds to the integrated hazards of events."""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp

from motorpool.biology.system import Body, Forcing, condition
from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR, Array
from motorpool.engine.surroundings import Surroundings
from motorpool.outcomes import panel
from motorpool.outcomes.panel import Risk
from motorpool.outcomes.respiratory_infections import Episodes, RecentEpisodes, infection_severity

DAYS_PER_YEAR = HOURS_PER_YEAR / HOURS_PER_DAY
# Gauss's points in the unit interval, with which hazards are integrated, and weights where they differ.
INFECTION_POINTS = (0.5 - 0.5 / math.sqrt(3.0), 0.5 + 0.5 / math.sqrt(3.0))
SMOOTH_POINTS = (0.5 - 0.5 * math.sqrt(0.6), 0.5, 0.5 + 0.5 * math.sqrt(0.6))
SMOOTH_WEIGHTS = (5.0 / 18.0, 8.0 / 18.0, 5.0 / 18.0)


def risk_at(body: Body, forcing: Forcing, around: Surroundings) -> Risk:
    """What hazards depend on in this body now."""
    seen = condition(body, forcing, around.person, around.parameters.biology)
    return panel.risk(seen, around.person, around.parameters.outcomes)


def hazards_grown(
    risks: tuple[Risk, Risk, Risk],
    hours: tuple[Array, Array],
    episodes: RecentEpisodes,
    around: Surroundings,
    *,
    chance: bool,
) -> tuple[Array, Array]:
    """What a step adds to the integrated hazard of each event, (P,) each: none before birth.

    Between infections hazards change smoothly (Gauss's rule with three points). They rise steeply with the severity of
    an infection, so each episode adds, for the time that it shares with the step, what it changes (two points).
    """
    outcomes, care = around.parameters.outcomes, around.care
    dtype = risks[0].breathing.dtype
    begin, end = hours[0].astype(dtype) / HOURS_PER_DAY, hours[1].astype(dtype) / HOURS_PER_DAY
    length = jnp.maximum(end - begin, 1.0 / HOURS_PER_DAY)

    def rates(risk: Risk, severity: Array) -> tuple[Array, Array]:
        return panel.hazards_per_year(risk, severity, around.person, care, outcomes)

    def severity_without_chance(share: float) -> Array:
        age = hours[0] + share * (hours[1] - hours[0])
        infections = outcomes.infections
        return infection_severity(around.infection_seed, age, infections, chance=False).astype(dtype)

    none = jnp.zeros_like(begin)
    totals = (none, none)
    for share, weight in zip(SMOOTH_POINTS, SMOOTH_WEIGHTS, strict=True):
        then = jax.tree.map(functools.partial(_through, share), *risks)
        calm = rates(then, none if chance else severity_without_chance(share))
        totals = tuple(
            total + weight * (end - begin) * rate for total, rate in zip(totals, calm, strict=True)
        )

    def with_episode(totals: tuple[Array, ...], found: Episodes) -> tuple[Array, ...]:
        episode = Episodes(*(one.astype(dtype) for one in found))
        since, until = jnp.maximum(begin, episode.start_days), jnp.minimum(end, episode.end_days)
        shared = jnp.where(episode.severity > 0.0, jnp.maximum(until - since, 0.0), 0.0)

        def added(totals: tuple[Array, ...]) -> tuple[Array, ...]:
            for point in INFECTION_POINTS:
                share = (since + point * (until - since) - begin) / length
                then = jax.tree.map(functools.partial(_through, share), *risks)
                more = zip(rates(then, episode.severity), rates(then, none), strict=True)
                changes = [jnp.where(shared > 0.0, 0.5 * shared * (ill - well), 0.0) for ill, well in more]
                totals = tuple(total + change for total, change in zip(totals, changes, strict=True))
            return totals

        return jax.lax.cond(jnp.any(shared > 0.0), added, lambda unchanged: unchanged, totals)

    if chance:
        totals = functools.reduce(with_episode, episodes.each(), totals)
    born = jnp.where(begin >= 0.0, 1.0 / DAYS_PER_YEAR, 0.0)
    return totals[0] * born, totals[1] * born


def _through(share: Array | float, first: Array, middle: Array, last: Array) -> Array:
    """Value at a share of a step of the quadratic through its start, middle and end."""
    curvature = 2.0 * (first - 2.0 * middle + last)
    return first + share * (last - first + curvature * (share - 1.0))
