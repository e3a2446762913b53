"""The untreated twin: a person's life without therapy, followed until its type is known and onset was noticed."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import Array, record
from motorpool.cohorts.onset import onset_hours, sma_type, weakness_noticed
from motorpool.cohorts.traits import PeopleParameters
from motorpool.engine.blocks import Setting, Span, run_program, surroundings
from motorpool.engine.grid import last_rows
from motorpool.engine.span import in_one_part
from motorpool.engine.state import initial_state
from motorpool.engine.step import Now, advance, begin, look
from motorpool.engine.surroundings import Surroundings
from motorpool.outcomes import panel
from motorpool.outcomes.milestones import MilestoneWatch, follow_milestones, watch_milestones


@record
class Twin:
    """Where twins are, (P,) unless said.

    row: of each one's grid. hours: the age there. now: the state. milestones: what has been seen of them.
    noticed_age_hours: when weakness was first noticed in examinations, +inf while it was not.
    """

    row: Array
    hours: Array
    now: Now
    milestones: MilestoneWatch
    noticed_age_hours: Array


def onset_and_type(
    span: Span,
    setting: Setting,
    people: PeopleParameters,
    latest_milestone_years: Sequence[float],
    adult_onset_years: float,
    *,
    chance: bool,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Onset (hours, +inf if none in the record) and SMA type of each untreated twin, (P,) each.

    Args:
        span: untreated lives from mid-gestation on.
        setting: parameters; care changes hazards, never onset or type.
        people: how weakness is noticed.
        latest_milestone_years: 99th percentiles of healthy children, in the order of ``LATE_MILESTONES``.
        adult_onset_years: onset from this age on is type 4.
        chance: as in :func:`motorpool.engine.step.advance`.
    """
    limits = np.array([adult_onset_years, *latest_milestone_years], np.float32)
    arguments = (people, limits, last_rows(span.grid_hours), span.grid_hours, surroundings(span, setting))
    return run_program("twin", _lived, arguments, span.patients, shared=(0, 1), tables=(3,), chance=chance)


def _lived(
    people: PeopleParameters,
    limits: Array,
    last: Array,
    grid_hours: Array,
    around: Surroundings,
    *,
    chance: bool,
) -> tuple[Array, Array]:
    everybody = jnp.arange(grid_hours.shape[1])
    person, outcomes = around.person, around.parameters.outcomes

    def hours_at(row: Array) -> Array:
        return grid_hours.at[row, everybody].get(mode="promise_in_bounds")

    def seen_at(now: Now, hours: Array) -> tuple[Array, Array]:
        values = panel.evaluate(look(now, hours, around), person, around.care, outcomes)
        noticed = weakness_noticed(
            hours,
            values.outcomes[panel.OUTCOME_INDEX["chop_intend"]],
            values.outcomes[panel.OUTCOME_INDEX["hfmse"]],
            person,
            people,
            outcomes.chop_intend,
            outcomes.hfmse,
            around.parameters.biology.growth,
        )
        return values.margins, jnp.where(noticed, hours.astype(values.margins.dtype), jnp.inf)

    def step(twin: Twin) -> Twin:
        moving = twin.row < last
        hours, next_row = twin.hours, jnp.where(moving, twin.row + 1, twin.row)
        next_hours = hours_at(next_row)
        now, _ = advance(twin.now, hours, next_hours, jnp.int32(0), around, chance=chance, with_hazards=False)
        margins, noticed = seen_at(now, next_hours)
        following = Twin(
            row=next_row,
            hours=next_hours,
            now=now,
            milestones=follow_milestones(
                twin.milestones, margins, next_hours.astype(margins.dtype), outcomes.milestones
            ),
            noticed_age_hours=jnp.minimum(twin.noticed_age_hours, noticed),
        )
        return jax.tree.map(lambda new, old: jnp.where(moving, new, old), following, twin)

    row = jnp.zeros_like(last)
    first = hours_at(row)
    newborn = initial_state(person, around.plan, first, around.parameters)
    now = in_one_part(begin(newborn, first, around))
    margins, noticed = seen_at(now, first)
    milestones = watch_milestones(margins, first.astype(margins.dtype), outcomes.milestones)
    twin = jax.lax.while_loop(
        lambda twin: jnp.any(twin.row < last), step, Twin(row, first, now, milestones, noticed)
    )
    gained, lost = twin.milestones.gained, twin.milestones.lost
    end = hours_at(last).astype(margins.dtype)
    onset = onset_hours(twin.noticed_age_hours, gained, lost, end, limits[1:], person, people)
    return onset, sma_type(gained, onset, end, limits[0], person).astype(jnp.int32)
