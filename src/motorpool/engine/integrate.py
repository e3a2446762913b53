"""A block of patients through a span of life, as one program that JAX compiles: for graphics cards and gradients.

Populations on processors take the same steps (:mod:`motorpool.engine.step`) in :mod:`motorpool.engine.kernel`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from motorpool.biology.system import Condition
from motorpool.biology.vocabulary import Array
from motorpool.engine import dosing
from motorpool.engine.state import State, Trajectory
from motorpool.engine.step import Now, Surroundings, advance, begin, look
from motorpool.outcomes import panel


def integrate(
    state: State, grid_hours: Array, around: Surroundings, *, chance: bool
) -> tuple[State, Trajectory]:
    """Carry a block of patients along its grid.

    Args:
        state: at the first boundary.
        grid_hours: (K, P) int32, never falling; boundaries of each person's steps.
        around: what does not change.
        chance: as in :func:`motorpool.engine.step.advance`.

    Returns:
        The state at the last boundary (its doses not yet given) and the trajectory at all K boundaries.
    """
    in_use = dosing.courses_in_use(state.start_hours, around.plan)

    def step(now: Now, hours: tuple[Array, Array]) -> tuple[Now, tuple[Condition, Array, Array]]:
        seen, hazard = look(now, hours[0], around), now.state.cumulative_hazard
        following, amount = advance(now, *hours, in_use, around, chance=chance)
        return following, (seen, hazard, amount)

    first = begin(state, grid_hours[0], around)
    final, path = jax.lax.scan(step, first, (grid_hours[:-1], grid_hours[1:]))
    nothing_given = jnp.zeros_like(around.plan.start_hours, around.plan.rate.dtype)
    end = (look(final, grid_hours[-1], around), final.state.cumulative_hazard, nothing_given)
    seen, hazard, doses = jax.tree.map(lambda rows, row: jnp.concatenate([rows, row[None]]), path, end)
    # Outside the loop, because nothing of it feeds back.
    recorded = jax.vmap(recorded_now, in_axes=(0, 0, 0, 0, None))(grid_hours, seen, hazard, doses, around)
    return final.state, recorded


def recorded_now(
    hours: Array, seen: Condition, cumulative_hazard: Array, doses: Array, around: Surroundings
) -> Trajectory:
    """What is recorded of one boundary."""
    outcomes = around.parameters.outcomes
    values = panel.evaluate(seen, around.person, around.care, outcomes)
    return Trajectory(
        age_hours=hours,
        outcomes=values.outcomes,
        margins=values.margins,
        walk_minute_m=values.walk_minute_m,
        pools=jnp.stack([seen.working, seen.sick, seen.dead]),
        cumulative_hazard=cumulative_hazard,
        breathing=panel.calm_breathing(seen, around.person, outcomes),
        ventilation=seen.ventilation,
        cough_assist=seen.cough_assist,
        doses=doses,
    )
