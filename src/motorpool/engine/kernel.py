"""The engine on processors: the steps of :mod:`motorpool.engine.step` as machine code, patients side by side.

The equations are traced once by JAX and written as vector instructions (:mod:`motorpool.engine.native`), one patient
per lane; a patient's numbers stay in registers and in the nearest cache from the first boundary to the last.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import motorpool
from motorpool.engine import dosing
from motorpool.engine.integrate import recorded_now
from motorpool.engine.native import machine
from motorpool.engine.native.instructions import BYTES, Instructions, Value
from motorpool.engine.native.lowering import Lowering, Memory, Operand, Values
from motorpool.engine.native.ordering import ordered
from motorpool.engine.state import State, Trajectory
from motorpool.engine.step import Now, Surroundings, advance, begin, look

LANES = 16
PERSONAL_OF_PLAN = ("start_hours", "stop_hours", "excluded")
# The rooms whose equations the program is made of; any change of their text makes a new program.
ROOMS = ("biology", "therapies", "outcomes", "engine")
FUNCTION = "motorpool_span"


def simulate(
    state: State, grid_hours: NDArray[np.int32], around: Surroundings, *, chance: bool, kept: Sequence[str]
) -> tuple[State, Trajectory]:
    """Carry a block of patients along its grid; see :func:`motorpool.engine.integrate.integrate`.

    The number of patients must be a multiple of ``LANES``. Only the fields of the trajectory in ``kept`` are
    recorded; the others are None.
    """
    grid = np.ascontiguousarray(grid_hours, np.int32)
    boundaries, patients = grid.shape
    if patients % LANES:
        message = f"{patients} patients are not a multiple of {LANES}"
        raise ValueError(message)
    leaves, structure = jax.tree.flatten((state, around))
    arrays = [np.asarray(leaf, order="C") for leaf in leaves]
    personal = _personal(structure)
    program = _program(structure, tuple((a.shape, str(a.dtype)) for a in arrays), chance, tuple(kept))
    count = len(jax.tree.leaves(state))
    finals = [np.empty_like(array) for array in arrays[:count]]
    rows = {
        name: np.empty((boundaries, *shape[:-1], patients), dtype)
        for name, (shape, dtype) in program.recorded.items()
    }
    steps = np.sum(grid[1:] > grid[:-1], axis=0).reshape(-1, LANES).max(axis=1, initial=0)
    buffers = [*arrays, grid, *finals, *rows.values()]
    wide = [*personal, True, *[True] * len(finals), *[True] * len(rows)]
    width = [BYTES[str(buffer.dtype)] if lanes else 0 for buffer, lanes in zip(buffers, wide, strict=True)]
    bases = np.array([buffer.ctypes.data for buffer in buffers], np.uint64)
    offsets = np.array(width, np.uint64)
    for group, moves in enumerate(steps):
        pointers = bases + offsets * np.uint64(group * LANES)
        program.run(pointers.ctypes.data, patients, int(moves), boundaries)
    final = jax.tree.unflatten(jax.tree.structure(state), finals)
    fields: dict[str, Any] = {
        field.name: rows.get(field.name) for field in dataclasses.fields(Trajectory)
    }
    return final, Trajectory(**fields)


@dataclasses.dataclass(frozen=True)
class Program:
    """A compiled program and the shape (patients last) and type of each field that it records."""

    run: Any
    recorded: dict[str, tuple[tuple[int, ...], str]]


@functools.cache
def _personal(structure: Any) -> tuple[bool, ...]:
    """Whether each array of a state and its surroundings has a number per patient, on its last axis."""
    state, around = jax.tree.unflatten(structure, range(structure.num_leaves))
    shared = jax.tree.leaves((around.care, around.plan, around.protocol, around.parameters))
    own = {getattr(around.plan, name) for name in PERSONAL_OF_PLAN}
    return tuple(place not in set(shared) - own for place in range(structure.num_leaves))


@functools.cache
def _program(
    structure: Any, arrays: tuple[tuple[tuple[int, ...], str], ...], chance: bool, kept: tuple[str, ...]
) -> Program:
    personal = _personal(structure)
    one = [
        jax.ShapeDtypeStruct((*shape[:-1], 1) if own else shape, dtype)
        for (shape, dtype), own in zip(arrays, personal, strict=True)
    ]
    state, around = jax.tree.unflatten(structure, one)
    hours = jax.ShapeDtypeStruct((1,), "int32")

    def recorded(state: State, hours: Any, around: Surroundings) -> tuple[Any, ...]:
        now = begin(state, hours, around)
        nothing = jnp.zeros_like(around.plan.start_hours, around.plan.rate.dtype)
        return _kept_now(now, hours, nothing, around, kept)

    shapes = jax.eval_shape(recorded, state, hours, around)
    made_from = repr((arrays, personal, chance, kept, LANES, jax.__version__, machine.processor(), _source()))
    key = hashlib.sha256(made_from.encode()).hexdigest()[:32]
    run = machine.function_of(
        key, FUNCTION, lambda: _written(state, around, personal, chance=chance, kept=kept)
    )
    described = {name: (row.shape, str(row.dtype)) for name, row in zip(kept, shapes, strict=True)}
    return Program(run, described)


@functools.cache
def _source() -> str:
    """Digest of the text that the program is made from."""
    root = Path(motorpool.__file__).parent
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _kept_now(
    now: Now, hours: Any, doses: Any, around: Surroundings, kept: Sequence[str]
) -> tuple[Any, ...]:
    row = recorded_now(hours, look(now, hours, around), now.state.cumulative_hazard, doses, around)
    return tuple(getattr(row, name) for name in kept)


def _written(
    state: State, around: Surroundings, personal: tuple[bool, ...], *, chance: bool, kept: tuple[str, ...]
) -> str:
    """The program in LLVM's language; ``state`` and ``around`` hold shapes for one patient."""
    hours = jax.ShapeDtypeStruct((1,), "int32")
    in_use = jax.ShapeDtypeStruct((), "int32")

    def first(state: State, hours: Any, around: Surroundings) -> tuple[Now, Any]:
        return begin(state, hours, around), dosing.courses_in_use(state.start_hours, around.plan)

    def step(now: Now, hours: Any, next_hours: Any, in_use: Any, around: Surroundings) -> tuple[Any, Now]:
        following, amount = advance(now, hours, next_hours, in_use, around, chance=chance)
        return _kept_now(now, hours, amount, around, kept), following

    def last(now: Now, hours: Any, around: Surroundings) -> tuple[tuple[Any, ...], State]:
        nothing = jnp.zeros_like(around.plan.start_hours, around.plan.rate.dtype)
        return _kept_now(now, hours, nothing, around, kept), now.state

    begun, _ = jax.eval_shape(first, state, hours, around)
    traced_first = jax.make_jaxpr(first)(state, hours, around)
    traced_step = jax.make_jaxpr(step)(begun, hours, hours, in_use, around)
    traced_last = jax.make_jaxpr(last)(begun, hours, around)
    writer = _Writer(jax.tree.leaves((state, around)), personal, len(jax.tree.leaves(state)), len(kept))
    return writer.program(traced_first, traced_step, traced_last)


class _Writer:
    """Writes the loop over boundaries around the traced equations.

    The function is given the addresses of all arrays (state, surroundings, grid, final state, records), the number of
    patients, the number of steps to take and the number of boundaries.
    """

    def __init__(self, shapes: list[Any], personal: tuple[bool, ...], states: int, records: int) -> None:
        self.code = Instructions(LANES)
        self.lowering = Lowering(self.code)
        self.states, self.records = states, records
        self.inputs = [
            self._argument(place, shape, wide=own)
            for place, (shape, own) in enumerate(zip(shapes, personal, strict=True))
        ]
        self.grid = self._address_of(len(shapes))
        self.finals = [self._address_of(len(shapes) + 1 + place) for place in range(states)]
        self.outputs = [self._address_of(len(shapes) + 1 + states + place) for place in range(records)]

    def _address_of(self, place: int) -> str:
        name = f"%argument{place}"
        self.code.entry_lines.append(f"  {name}.place = getelementptr ptr, ptr %arguments, i64 {place}")
        self.code.entry_lines.append(f"  {name} = load ptr, ptr {name}.place, !invariant.load !0")
        return name

    def _argument(self, place: int, shape: Any, *, wide: bool) -> Memory:
        return Memory(
            base=self._address_of(place),
            shape=tuple(shape.shape),
            dtype=str(shape.dtype),
            wide=wide,
            stride="%patients" if wide else 1,
            unchanging=True,
        )

    def _row(self, base: str, dtype: str, row: Value, rows: int) -> Memory:
        """Row ``row`` (of ``rows`` numbers per patient) of an array in memory, as an array."""
        code = self.code
        each = code.binary("mul", Value("%patients", "int64", False), code.constant(rows, "int64"))
        start = code.address(base, code.binary("mul", row, each), dtype, False)
        return Memory(start, (rows,), dtype, True, "%patients", False)

    def _hours(self, row: Value) -> Values:
        memory = self._row(self.grid, "int32", row, 1)
        return np.array([self.lowering.element(memory, 0)], dtype=object)

    def _keep(self, base: str, row: Value, values: Operand) -> None:
        flat = self.lowering.values(values).reshape(-1)
        memory = self._row(base, flat[0].dtype, row, len(flat))
        for place, value in enumerate(flat):
            self.lowering.write(memory, place, value)

    def program(self, first: Any, step: Any, last: Any) -> str:
        """The whole function."""
        code, lowering = self.code, self.lowering
        zero, one = code.constant(0, "int64"), code.constant(1, "int64")
        steps, boundaries = Value("%steps", "int64", False), Value("%boundaries", "int64", False)
        state, around = self.inputs[: self.states], self.inputs[self.states :]
        *now, in_use = lowering.run(first.jaxpr, first.consts, [*state, self._hours(zero), *around])
        carried = [lowering.values(leaf) for leaf in now]
        entry, top, body, end = code.block, "step", "body", "end"
        code.jump(top)
        code.start(top)
        hole = len(code.lines)
        number = Value("%number", "int64", False)
        held = [
            np.array(
                [Value(f"%held{leaf}.{i}", value.dtype, True) for i, value in enumerate(array.reshape(-1))],
                dtype=object,
            ).reshape(array.shape)
            for leaf, array in enumerate(carried)
        ]
        code.branch(code.compare("lt", number, steps), body, end)
        code.start(body)
        with code.inner():
            following = code.binary("add", number, one)
            results = lowering.run(
                step.jaxpr,
                step.consts,
                [*held, self._hours(number), self._hours(following), in_use, *around],
            )
            for base, values in zip(self.outputs, results[: self.records], strict=True):
                self._keep(base, number, values)
            new = [lowering.values(leaf) for leaf in results[self.records :]]
            new = [[code.wide(value) for value in array.reshape(-1)] for array in new]
            latch = code.block
            code.jump(top)
        begun = [[code_value for code_value in array.reshape(-1)] for array in carried]
        phis = [f"  %number = phi i64 [ 0, %{entry} ], [ {following.text}, %{latch} ]"]
        spread: list[str] = []
        for leaf, (olds, news) in enumerate(zip(begun, new, strict=True)):
            for place, (old, fresh) in enumerate(zip(olds, news, strict=True)):
                if old.wide or old.constant is not None:
                    text = code.wide(old).text
                else:
                    message = "a state that starts shared by all patients"
                    raise ValueError(message)
                kind = code.type_of(old.dtype, True)
                phis.append(
                    f"  %held{leaf}.{place} = phi {kind} [ {text}, %{entry} ], [ {fresh.text}, %{latch} ]"
                )
        code.lines[hole:hole] = phis + spread
        code.start(end)
        with code.inner():
            results = lowering.run(last.jaxpr, last.consts, [*held, self._hours(steps), *around])
            records = [lowering.values(values) for values in results[: self.records]]
            for base, values in zip(self.finals, results[self.records :], strict=True):
                self._keep(base, zero, values)
            before = code.block
            code.jump("fill")
            code.start("fill")
            at = Value("%filled", "int64", False)
            where = len(code.lines)
            code.branch(code.compare("lt", at, boundaries), "fill_row", "done")
            code.start("fill_row")
            for base, values in zip(self.outputs, records, strict=True):
                self._keep(base, at, values)
            more = code.binary("add", at, one)
            code.jump("fill")
            code.lines.insert(
                where, f"  %filled = phi i64 [ {steps.text}, %{before} ], [ {more.text}, %fill_row ]"
            )
            code.start("done")
        return "\n".join(
            [
                f"define void @{FUNCTION}(ptr %arguments, i64 %patients, i64 %steps, i64 %boundaries) #0 {{",
                "entry:",
                *code.entry_lines,
                *ordered(code.lines),
                "  ret void",
                "}",
                *sorted(code.declarations),
                'attributes #0 = { nounwind "min-legal-vector-width"="512" "prefer-vector-width"="512" "reciprocal-estimates"="vec-divf:1" }',
                "!0 = !{}",
                "",
            ]
        )
