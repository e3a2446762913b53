"""Blocks of patients: the only shape that the compiled program ever sees.

People are simulated in blocks of one fixed size and time in segments of one fixed number of steps, so that there is
one program for every cohort, horizon and plan, and a person's numbers never depend on who else is simulated, on how
many, or on the number of workers.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from motorpool.biology.person import Person
from motorpool.biology.vocabulary import Array, record
from motorpool.engine import kernel
from motorpool.engine.dosing import Plan
from motorpool.engine.grid import Hours
from motorpool.engine.integrate import integrate
from motorpool.engine.parameters import ModelParameters
from motorpool.engine.state import State, Trajectory, initial_state
from motorpool.engine.step import Surroundings
from motorpool.therapies.cells import CellProtocol

BLOCK_PATIENTS = 128
Tree = TypeVar("Tree")
Result = TypeVar("Result")


@record
class Setting:
    """What one simulated arm shares: care (0 palliative, 1 standard, 2 proactive), cell protocol and parameters."""

    care: Array
    protocol: CellProtocol
    parameters: ModelParameters


@dataclasses.dataclass(frozen=True)
class Span:
    """One block's span of life: its grid (K, P), its people, their infections' seeds and its plan."""

    grid_hours: Hours
    person: Person
    infection_seed: Array
    plan: Plan


_integrate = jax.jit(integrate, static_argnames="chance")


@jax.jit
def _begin(person: Person, plan: Plan, first_hours: Array, parameters: ModelParameters) -> State:
    return initial_state(person, plan, first_hours, parameters)


def begin_life(span: Span, setting: Setting) -> State:
    """State of a block at the first boundary of its life."""
    return _begin(span.person, span.plan, jnp.asarray(span.grid_hours[0]), setting.parameters)


EVERYTHING = tuple(field.name for field in dataclasses.fields(Trajectory))


def simulate_span(
    state: State,
    span: Span,
    setting: Setting,
    *,
    chance: bool = True,
    kept: Sequence[str] = EVERYTHING,
) -> tuple[State, Any]:
    """Carry a block through its span; returns the state at the end and the trajectory as numpy arrays (K, ...).

    ``kept`` names the fields of the trajectory that are wanted; the others are ``None``. On a processor and in single
    precision this is machine code (:mod:`motorpool.engine.kernel`); elsewhere JAX compiles the same steps.
    """
    around = Surroundings(
        person=span.person,
        infection_seed=span.infection_seed,
        care=setting.care,
        plan=span.plan,
        protocol=setting.protocol,
        parameters=setting.parameters,
    )
    if jax.default_backend() == "cpu" and span.person.smn2_level.dtype == np.float32:
        return kernel.simulate(state, span.grid_hours, around, chance=chance, kept=kept)
    final, path = _integrate(state, jnp.asarray(span.grid_hours), around, chance=chance)
    fields = {name: np.asarray(getattr(path, name)) if name in kept else None for name in EVERYTHING}
    return final, Trajectory(**fields)


def pad_people(values: np.ndarray, patients: int) -> list[np.ndarray]:
    """Cut an array (..., patients) into blocks; the last block repeats its last person."""
    blocks = -(-patients // BLOCK_PATIENTS)
    missing = blocks * BLOCK_PATIENTS - patients
    padded = np.concatenate([values, np.repeat(values[..., -1:], missing, axis=-1)], axis=-1)
    return [padded[..., i * BLOCK_PATIENTS : (i + 1) * BLOCK_PATIENTS] for i in range(blocks)]


def split_tree(tree: Tree, patients: int) -> list[Tree]:
    """Cut every leaf (..., P) of a tree into blocks."""
    leaves, structure = jax.tree.flatten(tree)
    cut = [pad_people(np.asarray(leaf), patients) for leaf in leaves]
    return [
        jax.tree.unflatten(structure, [jnp.asarray(pieces[block]) for pieces in cut])
        for block in range(len(cut[0]) if cut else 0)
    ]


def join_tree(blocks: Sequence[Tree], patients: int) -> Tree:
    """Join blocks of trees along the patients' axis and drop the padding; numpy leaves."""
    return jax.tree.map(
        lambda *leaves: np.concatenate([np.asarray(leaf) for leaf in leaves], axis=-1)[..., :patients],
        *blocks,
    )


def split_plan(plan: Plan, patients: int) -> list[Plan]:
    """Cut a plan into blocks: only its per-patient fields have a patients' axis."""
    personal = ("start_hours", "stop_hours", "excluded")
    cut = {name: pad_people(np.asarray(getattr(plan, name)), patients) for name in personal}
    count = len(cut["start_hours"])
    fields = {name: getattr(plan, name) for name in Plan.__dataclass_fields__}
    return [
        Plan(**{**fields, **{name: jnp.asarray(cut[name][block]) for name in personal}})
        for block in range(count)
    ]


def workers() -> int:
    """Threads that simulate blocks side by side: one per core this process may use."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1))


def map_blocks(function: Callable[[int], Result], count: int) -> list[Result]:
    """Apply ``function`` to every block number, in threads; results in order."""
    if count <= 1:
        return [function(index) for index in range(count)]
    with ThreadPoolExecutor(min(workers(), count)) as pool:
        return list(pool.map(function, range(count)))
