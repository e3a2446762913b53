"""A span of life: a block of patients along their grids, and rows of results at chosen boundaries.

Written once in JAX. Processors run it as machine code, patients side by side (:mod:`motorpool.engine.native`);
graphics cards, double precision and gradients run what JAX compiles.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from motorpool.biology.vocabulary import Array, record
from motorpool.engine import dosing
from motorpool.engine.state import State
from motorpool.engine.step import Now, advance, begin, look
from motorpool.engine.surroundings import Surroundings
from motorpool.engine.watch import Definitions, Watched, follow, watch
from motorpool.outcomes import panel

Tree = TypeVar("Tree")


@record
class Life:
    """Where patients are: the row of each one's grid and the age in hours there, (P,), the state and what has been
    watched. ``halvings`` (P,): how often the steps were halved because their error was too large."""

    row: Array
    hours: Array
    halvings: Array
    now: Now
    watched: Watched


@record
class Row:
    """Results at one boundary, (..., P): see :class:`motorpool.outcomes.panel.Panel`.

    pools (3, G, P): working, sick and dead share of each pool. cumulative_hazard (2, P). held (M, P): milestones held.
    ventilation, cough_assist (P,): support worn. doses (C, P): amounts given since the row before.
    """

    age_hours: Array
    outcomes: Array
    margins: Array
    walk_minute_m: Array
    pools: Array
    cumulative_hazard: Array
    held: Array
    breathing: Array
    ventilation: Array
    cough_assist: Array
    doses: Array


def begin_span(state: State, hours: Array, around: Surroundings, definitions: Definitions) -> Life:
    """Patients at the first boundaries of their grids, ``hours`` (P,) old; watching begins there."""
    now = begin(state, hours, around)
    watched = watch(now, hours, around, definitions)
    none = jnp.zeros_like(hours)
    return Life(row=none, hours=hours, halvings=none, now=now, watched=watched)


def in_one_part(now: Now) -> Now:
    """The same without the part of each pool that a vector reaches: all there is where no transgene is ever given."""
    return _with_parts(now, lambda array, axis: jax.lax.slice_in_dim(array, 0, 1, axis=axis))


def in_two_parts(now: Now) -> Now:
    """With both parts of each pool, which are alike, from one."""
    return _with_parts(now, lambda array, axis: jnp.concatenate([array, array], axis=axis))


def _with_parts(now: Now, change: Callable[[Array, int], Array]) -> Now:
    state, body = now.state, now.state.body
    body = dataclasses.replace(body, alive=change(body.alive, 1), sick=change(body.sick, 1))
    state = dataclasses.replace(state, body=body, smn=change(state.smn, 0))
    rate = now.last_rate | {"sick": change(now.last_rate["sick"], 1)}
    return dataclasses.replace(now, state=state, stress=change(now.stress, 1), last_rate=rate)


def live_on(
    life: Life,
    targets: Array,
    grid_hours: Array,
    around: Surroundings,
    *,
    chance: bool,
    definitions: Definitions,
    transgene: bool,
) -> tuple[Life, Row]:
    """Carry a block of patients on along its grid.

    Args:
        life: where the patients are.
        targets: (R, P) int32, never falling; rows of the grid at which results are recorded. Last ones below zero
            fill up the table: nothing happens there.
        grid_hours: (K, P) int32, never falling; boundaries of each person's steps.
        around: what does not change.
        chance: as in :func:`motorpool.engine.step.advance`.
        definitions: the trials' definitions of permanent ventilation.
        transgene: whether a transgene was or may be given; without, half of the neurons need not be followed.

    Returns:
        The patients at the last target (its doses not yet given) and the rows, (R, ..., P).
    """
    people = jnp.arange(grid_hours.shape[1])
    in_use = dosing.courses_in_use(life.now.state.start_hours, around.plan)

    def hours_at(row: Array) -> Array:
        return grid_hours.at[row, people].get(mode="promise_in_bounds")

    def following(row: Array, target: Array) -> Array:
        """The row after ``row``, unless the target comes first."""
        return jnp.where(row < target, row + 1, row)

    def step(life: Life, coming: Array, target: Array) -> tuple[Life, Array]:
        moving = life.row < target
        hours = life.hours
        next_row = following(life.row, target)
        next_hours = jnp.where(moving, coming, hours)
        # Looked up now and needed in the next step: nothing waits for memory.
        coming = hours_at(following(next_row, target))
        now, doses = advance(life.now, hours, next_hours, in_use, around, chance=chance)
        now = _now_of_those(moving, now, life.now)
        watched = follow(life.watched, (life.now, now), (hours, next_hours), doses, around, definitions)
        life = dataclasses.replace(
            life,
            row=next_row,
            hours=next_hours,
            now=now,
            watched=_watched_of_those(moving, watched, life.watched),
        )
        return life, coming

    def to_target(life: Life, target: Array) -> tuple[Life, Row]:
        there, _ = jax.lax.while_loop(
            lambda now: jnp.any(now[0].row < target),
            lambda now: step(*now, target),
            (life, hours_at(following(life.row, target))),
        )
        row = jax.lax.cond(jnp.any(target >= 0), _recorded, _nothing_recorded, there, around)
        return _without_doses(there), row

    if transgene:
        return jax.lax.scan(to_target, life, targets)
    narrow = dataclasses.replace(life, now=in_one_part(life.now))
    there, rows = jax.lax.scan(to_target, narrow, targets)
    return dataclasses.replace(there, now=in_two_parts(there.now)), rows


# Those who wait for the others stay exactly as they are. Courses and doses do so by themselves: nothing happens to them
# in a step without length. Nothing is chosen there, so that the rows of courses that nobody has cost nothing.
_COURSES = tuple(dosing.Courses.__dataclass_fields__)


def _now_of_those(moving: Array, new: Now, old: Now) -> Now:
    """The new boundary for those who move, the old one for the others."""

    def chosen(now: Now) -> Now:
        left_out: dict[str, Any] = dict.fromkeys(_COURSES)
        return dataclasses.replace(now, state=dataclasses.replace(now.state, **left_out))

    found = _of_those(moving, chosen(new), chosen(old))
    courses = {name: getattr(new.state, name) for name in _COURSES}
    return dataclasses.replace(found, state=dataclasses.replace(found.state, **courses))


def _watched_of_those(moving: Array, new: Watched, old: Watched) -> Watched:
    """What is newly seen of those who move, the old for the others."""
    no_doses: Any = None
    found = _of_those(
        moving, dataclasses.replace(new, doses=no_doses), dataclasses.replace(old, doses=no_doses)
    )
    return dataclasses.replace(found, doses=new.doses)


def _of_those(moving: Array, new: Tree, old: Tree) -> Tree:
    return jax.tree.map(lambda one, other: jnp.where(moving, one, other), new, old)


def _without_doses(life: Life) -> Life:
    watched = dataclasses.replace(life.watched, doses=jnp.zeros_like(life.watched.doses))
    return dataclasses.replace(life, watched=watched)


def _nothing_recorded(life: Life, around: Surroundings) -> Row:
    shapes = jax.eval_shape(_recorded, life, around)
    return jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)


def _recorded(life: Life, around: Surroundings) -> Row:
    seen, outcomes = look(life.now, life.hours, around), around.parameters.outcomes
    values = panel.evaluate(seen, around.person, around.care, outcomes)
    return Row(
        age_hours=life.hours,
        outcomes=values.outcomes,
        margins=values.margins,
        walk_minute_m=values.walk_minute_m,
        pools=jnp.stack([seen.working, seen.sick, seen.dead]),
        cumulative_hazard=life.now.state.cumulative_hazard,
        held=life.watched.milestones.held,
        breathing=panel.calm_breathing(seen, around.person, outcomes),
        ventilation=seen.ventilation,
        cough_assist=seen.cough_assist,
        doses=life.watched.doses,
    )
