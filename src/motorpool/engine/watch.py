"""What is watched while patients live: milestones, ventilation day by day, and when events come.

Everything is followed step by step, so that a life of any length needs no record of its steps.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from motorpool.biology.person import Person
from motorpool.biology.system import Condition
from motorpool.biology.vocabulary import Array, record
from motorpool.engine.step import Now, look
from motorpool.engine.surroundings import Surroundings
from motorpool.outcomes import panel
from motorpool.outcomes.breathing import given_share
from motorpool.outcomes.milestones import MilestoneWatch, follow_milestones, watch_milestones
from motorpool.outcomes.ventilation_record import (
    VentilationDefinition,
    VentilationWatch,
    follow_ventilation,
    watch_ventilation,
)

Definitions = tuple[VentilationDefinition, ...]


@record
class Watched:
    """What has been seen so far; (P,) unless said.

    milestones (milestone, P) and ventilation: see their modules. chronic_hours: hours of ventilation per day given
    now; weakness: how much an infection would add to them. death_age_hours, tube_age_hours, surgery_age_hours: +inf
    while it has not come. doses (C, P): amounts given since the last row was recorded.
    """

    milestones: MilestoneWatch
    ventilation: VentilationWatch
    chronic_hours: Array
    weakness: Array
    death_age_hours: Array
    tube_age_hours: Array
    surgery_age_hours: Array
    doses: Array


def _seen_now(now: Now, hours: Array, around: Surroundings) -> tuple[Array, Array, Array]:
    """Margins of milestones (M, P), hours of ventilation per day and weakness of breathing, (P,), at a boundary."""
    seen, outcomes = look(now, hours, around), around.parameters.outcomes
    values = panel.evaluate(seen, around.person, around.care, outcomes)
    chronic = values.outcomes[panel.OUTCOME_INDEX["ventilation_hours_per_day"]]
    return values.margins, chronic, _weakness(seen, around)


def _weakness(seen: Condition, around: Surroundings) -> Array:
    outcomes = around.parameters.outcomes
    breathing = panel.calm_breathing(seen, around.person, outcomes)
    supported = jnp.maximum(
        given_share(around.care, around.person.ventilation_odds, outcomes.breathing), seen.ventilation
    )
    return jax.nn.sigmoid(-breathing) * supported


def watch(now: Now, hours: Array, around: Surroundings, definitions: Definitions) -> Watched:
    """Begin to watch at a boundary, ``hours`` (P,) old."""
    margins, chronic, weakness = _seen_now(now, hours, around)
    dtype = chronic.dtype
    age, never = hours.astype(dtype), jnp.full(hours.shape, jnp.inf, dtype)
    hazard, person = now.state.cumulative_hazard, around.person
    return Watched(
        milestones=watch_milestones(margins, age, around.parameters.outcomes.milestones),
        ventilation=watch_ventilation(hours.shape[0], definitions, dtype),
        chronic_hours=chronic,
        weakness=weakness,
        death_age_hours=jnp.where(hazard[0] >= person.death_draw, age, never),
        tube_age_hours=jnp.where(hazard[1] >= person.tube_feeding_draw, age, never),
        surgery_age_hours=never,
        doses=jnp.zeros(around.plan.start_hours.shape, dtype),
    )


def follow(
    watched: Watched,
    step: tuple[Now, Now],
    hours: tuple[Array, Array],
    doses: Array,
    around: Surroundings,
    definitions: Definitions,
) -> Watched:
    """Watch one step, from a boundary to the next; ``doses`` (C, P) were given at the first."""
    before, after = step
    outcomes, person = around.parameters.outcomes, around.person
    margins, chronic, weakness = _seen_now(after, hours[1], around)
    dtype = chronic.dtype
    ages = (hours[0].astype(dtype), hours[1].astype(dtype))
    hazards = (before.state.cumulative_hazard, after.state.cumulative_hazard)
    ventilation = follow_ventilation(
        watched.ventilation,
        hours,
        (watched.chronic_hours, chronic),
        (watched.weakness, weakness),
        around.enrolment_hours,
        after.episodes.severity_at,
        outcomes.breathing.start_of_niv_hours,
        definitions,
        outcomes.ventilation,
    )
    operated = jnp.any((doses > 0) & (around.plan.is_surgery > 0)[:, None], axis=0)
    operation = jnp.minimum(watched.surgery_age_hours, ages[0])
    return Watched(
        milestones=follow_milestones(watched.milestones, margins, ages[1], outcomes.milestones),
        ventilation=ventilation,
        chronic_hours=chronic,
        weakness=weakness,
        death_age_hours=_crossing(watched.death_age_hours, hazards, ages, person, 0),
        tube_age_hours=_crossing(watched.tube_age_hours, hazards, ages, person, 1),
        surgery_age_hours=jnp.where(operated, operation, watched.surgery_age_hours),
        doses=watched.doses + doses,
    )


def _crossing(
    known: Array, hazards: tuple[Array, Array], ages: tuple[Array, Array], person: Person, row: int
) -> Array:
    """Age (P,) at which an integrated hazard reaches the person's draw, constant inside each step."""
    draw = (person.death_draw, person.tube_feeding_draw)[row]
    first, last = hazards[0][row], hazards[1][row]
    gain = last - first
    share = jnp.where(gain > 0, (draw - first) / jnp.where(gain > 0, gain, 1.0), 1.0)
    age = ages[0] + jnp.clip(share, 0.0, 1.0) * (ages[1] - ages[0])
    return jnp.where((known == jnp.inf) & (last >= draw), age, known)
