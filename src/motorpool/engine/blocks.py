"""Patients carried through spans of life: the door to the engine for all that simulates.

A person's numbers never depend on who else is simulated, on how many, or on the number of workers.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.person import Person
from motorpool.biology.vocabulary import Array, record
from motorpool.engine.dosing import NEVER_HOURS, Plan
from motorpool.engine.grid import Hours, halved
from motorpool.engine.native.program import LANES, Belongs, Program
from motorpool.engine.parameters import ModelParameters
from motorpool.engine.span import Life, Row, begin_span, live_on
from motorpool.engine.state import State, Trajectory, initial_state
from motorpool.engine.surroundings import Surroundings
from motorpool.engine.watch import Definitions
from motorpool.outcomes.milestones import MilestoneWatch
from motorpool.therapies.cells import CellProtocol
from motorpool.therapies.formulary import TRANSGENE_AMOUNTS
from motorpool.therapies.kinds import KIND_INDEX, KINDS

BLOCK_PATIENTS = 128  # candidates that are drawn together
MOST_HALVINGS = 3  # of the steps in a span, of a person whose local error is too large
ROWS_TOGETHER = 16  # rows of results that one call of the compiled program records, unless only one is wanted
PERSONAL_OF_PLAN = ("start_hours", "stop_hours", "excluded")
Tree = TypeVar("Tree")


@record
class Setting:
    """What one simulated arm shares: care (0 palliative, 1 standard, 2 proactive), cell protocol and parameters."""

    care: Any
    protocol: CellProtocol
    parameters: ModelParameters


@dataclasses.dataclass(frozen=True)
class Span:
    """A span of life of some people: their grid (K, P), traits, infections' seeds and plan.

    ``enrolment_hours`` (P,) is the age on day 0 of the daily record of ventilation; None where there is no record.
    """

    grid_hours: Hours
    person: Person
    infection_seed: Any
    plan: Plan
    enrolment_hours: Any = None

    @property
    def patients(self) -> int:
        """How many people."""
        return int(self.grid_hours.shape[1])


def surroundings(span: Span, setting: Setting) -> Surroundings:
    """What does not change during a span."""
    never: Any = np.full(span.patients, NEVER_HOURS, np.int32)
    return Surroundings(
        person=span.person,
        infection_seed=span.infection_seed,
        enrolment_hours=never if span.enrolment_hours is None else span.enrolment_hours,
        care=setting.care,
        plan=span.plan,
        protocol=setting.protocol,
        parameters=setting.parameters,
    )


def _born(hours: Array, around: Surroundings, definitions: Definitions) -> Life:
    state = initial_state(around.person, around.plan, hours, around.parameters)
    return begin_span(state, hours, around, definitions)


def _enrolled(
    state: State, milestones: MilestoneWatch, hours: Array, around: Surroundings, definitions: Definitions
) -> Life:
    life = begin_span(state, hours, around, definitions)
    return dataclasses.replace(life, watched=dataclasses.replace(life.watched, milestones=milestones))


def begin_life(span: Span, setting: Setting, definitions: Definitions = ()) -> Life:
    """People at the first boundary of their lives."""
    around = surroundings(span, setting)
    hours = np.asarray(span.grid_hours[0], np.int32)
    return run_program("born", _born, (hours, around), span.patients, definitions=definitions)


def begin_enrolled(
    state: State, milestones: MilestoneWatch, span: Span, setting: Setting, definitions: Definitions = ()
) -> Life:
    """People at enrolment, the first boundary of the span, with the milestones that they have been seen to reach."""
    around = surroundings(span, setting)
    hours = np.asarray(span.grid_hours[0], np.int32)
    arguments = (state, milestones, hours, around)
    return run_program("enrolled", _enrolled, arguments, span.patients, definitions=definitions)


def live(
    life: Life,
    rows: NDArray[np.int32],
    span: Span,
    setting: Setting,
    definitions: Definitions = (),
    *,
    chance: bool = True,
) -> tuple[Life, Row]:
    """Carry people on and record results at boundaries of their grids.

    Those whose local error was too large in any step live this span again in steps half as long, and again if need be;
    ``halvings`` of the result counts how often.

    Args:
        life: where they are.
        rows: (R, P) rows of the grid, never falling.
        span, setting: who lives, and how.
        definitions: the trials' definitions of permanent ventilation, the same as when the life began.
        chance: as in :func:`motorpool.engine.step.advance`.

    Returns:
        The people at the last row (its doses not yet given), and what is recorded, NumPy arrays (R, ..., P).
    """
    before = np.asarray(life.now.excess_error)
    fresh = _with_excess_error(life, np.full_like(before, -np.inf))
    there, found = _live_exactly(
        fresh, rows, span, setting, definitions, chance=chance, halvings_left=MOST_HALVINGS
    )
    return _with_excess_error(there, np.maximum(before, np.asarray(there.now.excess_error))), found


def _with_excess_error(life: Life, excess_error: NDArray[Any]) -> Life:
    return dataclasses.replace(life, now=dataclasses.replace(life.now, excess_error=excess_error))


def _live_exactly(
    life: Life,
    rows: NDArray[np.int32],
    span: Span,
    setting: Setting,
    definitions: Definitions,
    *,
    chance: bool,
    halvings_left: int,
) -> tuple[Life, Row]:
    there, found = _live(life, rows, span, setting, definitions, chance=chance)
    inexact = np.flatnonzero(np.asarray(there.now.excess_error) > 0.0)
    if not inexact.size or not halvings_left:
        return there, found
    some = _some_people(life, inexact)
    again = dataclasses.replace(some, row=2 * some.row, halvings=some.halvings + 1)
    finer = dataclasses.replace(_some_of_span(span, inexact), grid_hours=halved(span.grid_hours[:, inexact]))
    redone, exact = _live_exactly(
        again,
        2 * rows[:, inexact],
        finer,
        setting,
        definitions,
        chance=chance,
        halvings_left=halvings_left - 1,
    )
    redone = dataclasses.replace(redone, row=redone.row // 2)
    return _with_people(there, redone, inexact), _with_people(found, exact, inexact)


def _some_people(tree: Tree, index: NDArray[Any]) -> Tree:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[..., index], tree)


def _some_of_span(span: Span, index: NDArray[Any]) -> Span:
    own = {name: np.asarray(getattr(span.plan, name))[..., index] for name in PERSONAL_OF_PLAN}
    enrolment = None if span.enrolment_hours is None else np.asarray(span.enrolment_hours)[index]
    return Span(
        grid_hours=span.grid_hours[:, index],
        person=_some_people(span.person, index),
        infection_seed=np.asarray(span.infection_seed)[index],
        plan=dataclasses.replace(span.plan, **own),
        enrolment_hours=enrolment,
    )


def _with_people(everybody: Tree, some: Tree, index: NDArray[Any]) -> Tree:
    """A tree in which the people at ``index`` are replaced."""

    def replaced(old: Any, new: Any) -> NDArray[Any]:
        array = np.array(old)
        array[..., index] = new
        return array

    return jax.tree.map(replaced, everybody, some)


def _live(
    life: Life,
    rows: NDArray[np.int32],
    span: Span,
    setting: Setting,
    definitions: Definitions,
    *,
    chance: bool,
) -> tuple[Life, Row]:
    around = surroundings(span, setting)
    grid = np.ascontiguousarray(span.grid_hours, np.int32)
    wanted = np.asarray(rows, np.int32)
    together = ROWS_TOGETHER if wanted.shape[0] > 1 else 1
    padding = -wanted.shape[0] % together
    padded = np.concatenate([wanted, np.full((padding, span.patients), -1, np.int32)])
    transgene = _transgene(life, span)
    found: list[Row] = []
    for first in range(0, padded.shape[0], together):
        targets = padded[first : first + together]
        life, some = run_program(
            "live",
            live_on,
            (life, targets, grid, around),
            span.patients,
            tables=(2,),
            chance=chance,
            definitions=definitions,
            transgene=transgene,
        )
        found.append(some)
    return life, jax.tree.map(lambda *parts: _joined(parts)[: wanted.shape[0]], *found)


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _transgene(life: Life, span: Span) -> bool:
    """Whether anybody has been given or may be given a transgene."""
    amounts, given = life.now.state.amounts, np.asarray(span.plan.dose_to_kind)
    kinds = [KIND_INDEX[kind] for kind in KINDS if kind.startswith("onasemnogene")]
    present = [getattr(amounts, name) for name in TRANSGENE_AMOUNTS]
    return bool(given[:, kinds].any() or any(np.any(np.asarray(amount)) for amount in present))


def run_program(
    name: str,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    patients: int,
    *,
    shared: tuple[int, ...] = (),
    tables: tuple[int, ...] = (),
    **static: Any,
) -> Any:
    """Run a function of patients: as machine code on a processor in single precision, else through JAX.

    Args:
        name: tells the function from others.
        function: of trees of arrays with patients on the last axis; the last argument is :class:`Surroundings`. Its
            results all belong to patients.
        arguments: the trees.
        patients: how many; the last one fills up the last group of lanes.
        shared: places of arguments that all patients share.
        tables: places of arguments (rows, P) with any number of rows, which are only looked up.
        static: further arguments that are fixed when the program is made.

    Returns:
        The function's results as NumPy arrays.
    """
    dtype = arguments[-1].person.smn2_level.dtype
    fixed = tuple(sorted(static.items()))
    if jax.default_backend() != "cpu" or dtype != np.float32:
        return jax.tree.map(np.asarray, _through_jax(function, fixed)(*arguments))
    missing = -patients % LANES
    leaves, structure = jax.tree.flatten(arguments)
    kinds = _kinds(structure, shared, tables)
    if missing:
        leaves = [
            leaf if kind is Belongs.SHARED else _with_more(leaf, missing)
            for leaf, kind in zip(leaves, kinds, strict=True)
        ]
    program = _program(name, function, fixed, structure, kinds)
    result = program(*jax.tree.unflatten(structure, leaves))
    return jax.tree.map(lambda leaf: leaf[..., :patients], result) if missing else result


@functools.cache
def _kinds(structure: Any, shared: tuple[int, ...], tables: tuple[int, ...]) -> tuple[Belongs, ...]:
    """Whose each array of the arguments is."""
    arguments = jax.tree.unflatten(structure, [0] * structure.num_leaves)
    kinds = tuple(
        _belongs(argument, _kind(place, shared, tables)) for place, argument in enumerate(arguments)
    )
    return tuple(jax.tree.leaves(kinds))


def _with_more(leaf: Any, missing: int) -> NDArray[Any]:
    array = np.asarray(leaf)
    return np.concatenate([array, np.repeat(array[..., -1:], missing, axis=-1)], axis=-1)


@functools.cache
def _program(
    name: str, function: Callable[..., Any], static: tuple[tuple[str, Any], ...], structure: Any, kinds: Any
) -> Program:
    bound = functools.partial(function, **dict(static))
    return Program(bound, f"{name} {static}", jax.tree.unflatten(structure, kinds))


@functools.cache
def _through_jax(function: Callable[..., Any], static: tuple[tuple[str, Any], ...]) -> Any:
    return jax.jit(functools.partial(function, **dict(static)))


def _kind(place: int, shared: tuple[int, ...], tables: tuple[int, ...]) -> Belongs:
    if place in shared:
        return Belongs.SHARED
    return Belongs.OWN_TABLE if place in tables else Belongs.OWN


def _belongs(argument: Any, kind: Belongs) -> Any:
    """Whose the numbers of an argument are, as a tree like it."""
    if not isinstance(argument, Surroundings):
        return jax.tree.map(lambda _: kind, argument)
    shared = jax.tree.map(lambda _: Belongs.SHARED, argument)
    plan = dataclasses.replace(shared.plan, **{name: Belongs.OWN for name in PERSONAL_OF_PLAN})
    return dataclasses.replace(
        shared,
        person=jax.tree.map(lambda _: Belongs.OWN, argument.person),
        infection_seed=Belongs.OWN,
        enrolment_hours=Belongs.OWN,
        plan=plan,
    )


def simulate_span(
    life: Life, span: Span, setting: Setting, *, chance: bool = True
) -> tuple[Life, Trajectory]:
    """Carry people through the whole of a span and record every boundary; NumPy arrays (K, ..., P)."""
    boundaries = span.grid_hours.shape[0]
    start = dataclasses.replace(
        life, row=np.zeros(span.patients, np.int32), hours=np.asarray(span.grid_hours[0])
    )
    every = np.repeat(np.arange(boundaries, dtype=np.int32)[:, None], span.patients, axis=1)
    end, rows = live(start, every, span, setting, chance=chance)
    doses = np.concatenate([np.asarray(rows.doses)[1:], np.zeros_like(np.asarray(rows.doses)[:1])])
    fields: dict[str, Any] = {
        field.name: np.asarray(getattr(rows, field.name)) for field in dataclasses.fields(Trajectory)
    }
    fields["doses"] = doses
    return end, Trajectory(**fields)


def pad_people(values: np.ndarray, patients: int) -> list[np.ndarray]:
    """Cut an array (..., patients) into blocks; the last block repeats its last person."""
    blocks = -(-patients // BLOCK_PATIENTS)
    missing = blocks * BLOCK_PATIENTS - patients
    padded = np.concatenate([values, np.repeat(values[..., -1:], missing, axis=-1)], axis=-1)
    return [padded[..., i * BLOCK_PATIENTS : (i + 1) * BLOCK_PATIENTS] for i in range(blocks)]


def join_tree(blocks: Sequence[Tree], patients: int) -> Tree:
    """Join blocks of trees along the patients' axis and drop the padding; numpy leaves."""
    return jax.tree.map(
        lambda *leaves: np.concatenate([np.asarray(leaf) for leaf in leaves], axis=-1)[..., :patients],
        *blocks,
    )
