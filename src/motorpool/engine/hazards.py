"""What a step adds to the integrated hazards of events."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

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

    def rates(risk: Risk, severity: Array) -> tuple[Array, Array]:
        return panel.hazards_per_year(risk, severity, around.person, care, outcomes)

    def severity_without_chance(share: float) -> Array:
        age = hours[0] + share * (hours[1] - hours[0])
        infections = outcomes.infections
        return infection_severity(around.infection_seed, age, infections, chance=False).astype(dtype)

    none = jnp.zeros_like(begin)
    totals: tuple[Array, Array] = (none, none)
    for share, weight in zip(SMOOTH_POINTS, SMOOTH_WEIGHTS, strict=True):
        then = jax.tree.map(functools.partial(_through, share), *risks)
        calm = rates(then, none if chance else severity_without_chance(share))
        days = weight * (end - begin)
        totals = (totals[0] + days * calm[0], totals[1] + days * calm[1])

    if chance:
        totals = _with_infections(totals, risks, (begin, end), episodes, rates)
    born = jnp.where(begin >= 0.0, 1.0 / DAYS_PER_YEAR, 0.0)
    return totals[0] * born, totals[1] * born


def _with_infections(
    totals: tuple[Array, Array],
    risks: tuple[Risk, Risk, Risk],
    days: tuple[Array, Array],
    episodes: RecentEpisodes,
    rates: Callable[[Risk, Array], tuple[Array, Array]],
) -> tuple[Array, Array]:
    """Integrated hazards, (P,) each, with what infections add between two ages in ``days``.

    Each turn takes the next infection of everybody who has one more that shares time with the step.
    """
    begin, end = days
    length = jnp.maximum(end - begin, 1.0 / HOURS_PER_DAY)
    found = [Episodes(*(one.astype(begin.dtype) for one in episode)) for episode in episodes.each()]
    spans = [(jnp.maximum(begin, one.start_days), jnp.minimum(end, one.end_days)) for one in found]
    touched = [(one.severity > 0.0) & (last > first) for one, (first, last) in zip(found, spans, strict=True)]
    count = jnp.zeros(begin.shape, jnp.int32)
    turns: list[Array] = []
    for here in touched:
        turns.append(jnp.where(here, count, -1))
        count = count + here.astype(jnp.int32)

    def one_more(now: tuple[Array, tuple[Array, Array]]) -> tuple[Array, tuple[Array, Array]]:
        turn, totals = now
        since, until, severity = begin, begin, jnp.zeros_like(begin)
        for own_turn, one, (first, last) in zip(turns, found, spans, strict=True):
            taken = own_turn == turn
            since, until = jnp.where(taken, first, since), jnp.where(taken, last, until)
            severity = jnp.where(taken, one.severity, severity)
        shared = until - since
        for point in INFECTION_POINTS:
            share = (since + point * shared - begin) / length
            then = jax.tree.map(functools.partial(_through, share), *risks)
            more = zip(rates(then, severity), rates(then, jnp.zeros_like(severity)), strict=True)
            changes = [jnp.where(shared > 0.0, 0.5 * shared * (ill - well), 0.0) for ill, well in more]
            totals = (totals[0] + changes[0], totals[1] + changes[1])
        return turn + 1, totals

    _, totals = jax.lax.while_loop(lambda now: jnp.any(now[0] < count), one_more, (jnp.int32(0), totals))
    return totals


def _through(share: Array | float, first: Array, middle: Array, last: Array) -> Array:
    """Value at a share of a step of the quadratic through its start, middle and end."""
    curvature = 2.0 * (first - 2.0 * middle + last)
    return first + share * (last - first + curvature * (share - 1.0))
