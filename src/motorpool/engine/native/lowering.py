"""Equations as JAX traced them, written as instructions for one patient per lane.

The equations are traced for one patient: the patients' axis has length one, and it is the last axis of every array
that belongs to patients. Arrays exist only while the program is written: they are NumPy arrays of values, so that
moving numbers about costs nothing when the program runs. Arrays in memory are read where they are used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax.extend import core as jax_core

from motorpool.engine.native.elementary import Elementary
from motorpool.engine.native.instructions import Instructions, Value
from motorpool.engine.native.moves import MOVES, LoweringError, Values, moved
from motorpool.engine.native.primitives import ELEMENTWISE, REDUCTIONS


@dataclasses.dataclass(frozen=True)
class Memory:
    """An array in memory: its address, its shape as traced, and whether each element is wide.

    ``stride`` is 1 where elements follow one another, or the name of the number of patients where each element is a
    row of numbers, one per patient. ``unchanging`` memory is never written while the program runs.
    """

    base: str
    shape: tuple[int, ...]
    dtype: str
    wide: bool
    stride: str | int = 1
    unchanging: bool = False


Operand = Any  # Values or Memory
WRITTEN_OUT = 12  # longest loop that is written out turn by turn


class Lowering:
    """Writes traced equations with one set of instructions."""

    def __init__(self, code: Instructions) -> None:
        """Write with ``code``."""
        self.code = code
        self.elementary = Elementary(code)
        # Where results of the whole program belong, by variable: loops write their rows there at once.
        self.destinations: dict[Any, Memory] = {}

    # -- arrays

    def constants(self, numbers: Any, dtype: str | None = None) -> Values:
        """Numbers known now as values."""
        array = np.asarray(numbers)
        name = dtype or str(array.dtype)
        flat = [self.code.constant(number, name) for number in array.reshape(-1)]
        return _array(flat, array.shape)

    def element(self, memory: Memory, place: int | Value) -> Value:
        """Element of an array in memory, by its place in the flattened array."""
        address = self._address(memory, place)
        return self.code.load(address, memory.dtype, memory.wide, unchanging=memory.unchanging)

    def _address(self, memory: Memory, place: int | Value) -> str:
        code = self.code
        if isinstance(place, Value) and place.constant is not None:
            place = int(place.constant)
        if isinstance(memory.stride, int):
            return code.address(memory.base, place, memory.dtype, memory.wide)
        # Rows of an argument lie ``stride`` numbers apart, of which the lanes take some.
        wanted = code.constant(place, "int64") if isinstance(place, int) else code.convert(place, "int64")
        at = code.binary("mul", wanted, Value(memory.stride, "int64", False))
        return code.address(memory.base, at, memory.dtype, False)

    def values(self, operand: Operand) -> Values:
        """The values of an array, read from memory if it is there."""
        if not isinstance(operand, Memory):
            return operand
        size = int(np.prod(operand.shape))
        return _array([self.element(operand, place) for place in range(size)], operand.shape)

    # -- equations

    def run(
        self,
        jaxpr: Any,
        constants: Sequence[Any],
        inputs: Sequence[Operand],
        *,
        changeable: Sequence[Operand] = (),
    ) -> list[Operand]:
        """Write the equations of a traced function; returns its results.

        ``changeable``: those inputs in memory that belong to this function alone and may be changed in place.
        """
        known: dict[Any, Operand] = {}
        own = {operand.base for operand in changeable if isinstance(operand, Memory)}
        foreign = {operand.base for operand in inputs if isinstance(operand, Memory)} - own

        def read(atom: Any) -> Operand:
            if isinstance(atom, jax_core.Literal):
                shape: Any = atom.aval
                return self.constants(np.asarray(atom.val), str(shape.dtype))
            return known[atom]

        last_use = _last_uses(jaxpr)
        for variable, number in zip(jaxpr.constvars, constants, strict=True):
            known[variable] = self.constants(np.asarray(number))
        for variable, operand in zip(jaxpr.invars, inputs, strict=True):
            known[variable] = operand
        for place, equation in enumerate(jaxpr.eqns):
            operands = [read(atom) for atom in equation.invars]
            name = equation.primitive.name
            if name == "dynamic_update_slice":
                live = _read_later(known, last_use, place) | foreign
                results = [self._update(operands, equation.params, _spent(operands, live)[0])]
            elif name in _LOOPS:
                live = _read_later(known, last_use, place) | foreign
                results = _LOOPS[name](self, operands, equation, _spent(operands, live))
            elif name in _FUNCTIONS:
                live = _read_later(known, last_use, place) | foreign
                results = self.inline(operands, equation, _spent(operands, live))
            elif name in _STRUCTURES:
                results = _STRUCTURES[name](self, operands, equation)
            else:
                results = [self._plain(name, operands, equation)]
            for variable, result in zip(equation.outvars, results, strict=True):
                known[variable] = result
        return [read(atom) for atom in jaxpr.outvars]

    def _plain(self, name: str, operands: list[Operand], equation: Any) -> Operand:
        shape = equation.outvars[0].aval.shape
        dtype = str(equation.outvars[0].aval.dtype)
        if name == "dynamic_slice" and not self._known_places(operands[1:]):
            memory = operands[0] if isinstance(operands[0], Memory) else self.spill(operands[0])
            if memory.unchanging and tuple(shape[1:]) == memory.shape[1:]:
                return self._view(memory, operands[1:], shape)
            return self._slice_memory(memory, operands[1:], shape)
        if name == "gather" and not self._known_places(operands[1:]):
            return self._look_up(operands, equation)
        arrays = [self.values(operand) for operand in operands]
        if name in ELEMENTWISE:
            return self._elementwise(ELEMENTWISE[name], arrays, shape, equation.params, dtype)
        if name in REDUCTIONS:
            return self._reduce(name, arrays[0], equation.params["axes"], equation.invars[0].aval.shape)
        if name in MOVES:
            return moved(equation, arrays)
        message = f"no instructions for the operation {name!r}"
        raise LoweringError(message)

    def _elementwise(
        self, write: Callable[..., Value], arrays: list[Values], shape: Any, params: Any, dtype: str
    ) -> Values:
        flat = np.broadcast_arrays(*arrays) if arrays else []
        columns = zip(*[array.reshape(-1) for array in flat], strict=True)
        return _array([write(self, values, params, dtype) for values in columns], shape)

    def _reduce(self, name: str, array: Values, axes: Sequence[int], shape: Sequence[int]) -> Values:
        combine = REDUCTIONS[name]
        last = len(shape) - 1
        across = last in axes and shape[last] == 1
        moved = np.moveaxis(array, list(axes), list(range(len(axes))))
        rest = moved.shape[len(axes) :]
        rows = moved.reshape((-1, int(np.prod(rest))))
        total = list(rows[0])
        for row in rows[1:]:
            total = [combine(self, pair, {}, pair[0].dtype) for pair in zip(total, row, strict=True)]
        if across:  # the patients' axis is among those summed up: all lanes together
            total = [self._across(name, value) for value in total]
        return _array(total, rest)

    def _across(self, name: str, value: Value) -> Value:
        kinds = {"reduce_or": "or", "reduce_and": "and", "reduce_max": "max", "reduce_min": "min"}
        if name not in kinds and value.wide:
            message = f"{name} across patients"
            raise LoweringError(message)
        return self.code.across_lanes(kinds[name], value) if value.wide else value

    # -- places in arrays that are known only when the program runs

    def _place(self, shape: Sequence[int], starts: Sequence[Operand], size: Sequence[int]) -> Value:
        """Flattened place of the first element of a part of an array."""
        code = self.code
        total = code.constant(0, "int32")
        for axis, start in enumerate(starts):
            index = code.convert(self.values(start).reshape(-1)[0], "int32")
            if index.wide and size[axis] == shape[axis]:
                index = code.constant(0, "int32")
            most = code.constant(shape[axis] - size[axis], "int32")
            inside = code.larger(code.smaller(index, most), code.constant(0, "int32"))
            if size[axis] == shape[axis]:
                inside = code.constant(0, "int32")
            step = int(np.prod(shape[axis + 1 :]))
            total = code.binary("add", total, code.binary("mul", inside, code.constant(step, "int32")))
        return total

    def _view(self, memory: Memory, starts: Sequence[Operand], shape: Any) -> Memory:
        """Neighbouring rows of an array that never changes, left in memory."""
        first = self._place(memory.shape, starts, shape)
        return dataclasses.replace(memory, base=self._address(memory, first), shape=tuple(shape))

    def _slice_memory(self, memory: Memory, starts: Sequence[Operand], size: Sequence[int]) -> Values:
        first = self._place(memory.shape, starts, size)
        offsets = np.arange(int(np.prod(memory.shape))).reshape(memory.shape)
        within = offsets[tuple(slice(0, length) for length in size)].reshape(-1)
        found = [
            self.element(memory, self.code.binary("add", first, self.code.constant(int(o), "int32")))
            for o in within
        ]
        return _array(found, tuple(size))

    def _known_places(self, places: Sequence[Operand]) -> bool:
        """Whether places are known now."""
        return all(value.constant is not None for place in places for value in self.values(place).reshape(-1))

    def _look_up(self, operands: list[Operand], equation: Any) -> Values:
        """Numbers of a table: one (N,) shared by all patients, or one (N, P) of which each has an own column."""
        table, shape = operands[0], equation.outvars[0].aval.shape
        sizes, code = tuple(equation.params["slice_sizes"]), self.code
        indices = self.values(operands[1])
        if isinstance(table, Memory) and table.unchanging:
            if not table.wide and len(table.shape) == 1 and sizes == (1,):
                most = code.constant(table.shape[0] - 1, "int32")
                inside = [
                    code.larger(code.smaller(index, most), code.constant(0, "int32"))
                    for index in indices.reshape(-1)
                ]
                return _array([code.gather(table.base, index, table.dtype) for index in inside], shape)
            if (
                table.wide
                and sizes == (1, 1)
                and all(pair[1].constant == 0 for pair in indices.reshape(-1, 2))
            ):
                return _array([self._own_number(table, row) for row, _ in indices.reshape(-1, 2)], shape)
        message = "a look-up that is not in a table (N,) of all patients or (N, P) of each"
        raise LoweringError(message)

    def _own_number(self, table: Memory, row: Value) -> Value:
        """A number in each patient's own column of a table (N, P), at each one's own row."""
        code = self.code
        rows = code.wide(code.convert(row, "int64"))
        at = code.binary("mul", rows, Value(str(table.stride), "int64", False))
        return code.gather(table.base, code.binary("add", at, code.lane_numbers()), table.dtype)

    def part(self, operands: list[Operand], equation: Any) -> list[Operand]:
        """A part of an array: of one in memory that never changes, still in memory where its numbers lie together."""
        table, params = operands[0], equation.params
        if isinstance(table, Memory) and table.unchanging and isinstance(table.stride, int):
            starts, ends = params["start_indices"], params["limit_indices"]
            whole = all(
                a == 0 and b == n for a, b, n in zip(starts[1:], ends[1:], table.shape[1:], strict=True)
            )
            if whole and params["strides"] is None and starts:
                each = int(np.prod(table.shape[1:]))
                base = self.code.address(table.base, starts[0] * each, table.dtype, table.wide)
                return [dataclasses.replace(table, base=base, shape=equation.outvars[0].aval.shape)]
        return [moved(equation, [self.values(table)])]

    def same_in_order(self, operands: list[Operand], equation: Any) -> list[Operand]:
        """An array with other axes, still in memory if it was."""
        if isinstance(operands[0], Memory):
            return [dataclasses.replace(operands[0], shape=equation.outvars[0].aval.shape)]
        return [moved(equation, [operands[0]])]

    def _update(self, operands: list[Operand], params: Any, spent: bool) -> Operand:
        whole, part, *starts = operands
        shape = whole.shape
        new = self.values(part)
        indices = [self.values(start).reshape(-1)[0] for start in starts]
        if not isinstance(whole, Memory) and all(index.constant is not None for index in indices):
            changed = whole.copy()
            at = [
                min(max(int(index.constant), 0), shape[axis] - new.shape[axis])
                for axis, index in enumerate(indices)
            ]
            changed[tuple(slice(a, a + n) for a, n in zip(at, new.shape, strict=True))] = new
            return changed
        if not isinstance(whole, Memory) or whole.unchanging or not spent:
            whole = self.spill(self.values(whole))
        first = self._place(shape, starts, new.shape)
        offsets = np.arange(int(np.prod(shape))).reshape(shape)
        within = offsets[tuple(slice(0, length) for length in new.shape)].reshape(-1)
        for offset, value in zip(within, new.reshape(-1), strict=True):
            place = self.code.binary("add", first, self.code.constant(int(offset), "int32"))
            self.write(whole, place, value)
        return whole

    def write(self, memory: Memory, place: Value | int, value: Value) -> None:
        """Store an element of an array in memory, by its place in the flattened array."""
        self.code.store(value, self._address(memory, place), memory.wide)

    def spill(self, array: Values, wide: bool | None = None) -> Memory:
        """An array copied to the stack, where places can be looked up while the program runs."""
        flat = list(array.reshape(-1))
        broad = any(value.wide for value in flat) if wide is None else wide
        memory = Memory(self.code.reserve(flat[0].dtype, broad, len(flat)), array.shape, flat[0].dtype, broad)
        for place, value in enumerate(flat):
            self.write(memory, place, value)
        return memory

    # -- loops and choices

    def inline(self, operands: list[Operand], equation: Any, spent: Sequence[bool]) -> list[Operand]:
        """A function within a function, written where it is called. ``spent`` as in :meth:`scan`."""
        params = equation.params
        inner = params.get("jaxpr") or params.get("call_jaxpr") or params.get("fun_jaxpr")
        changeable = [operand for operand, free in zip(operands, spent, strict=True) if free]
        traced, constants = (inner.jaxpr, inner.consts) if hasattr(inner, "jaxpr") else (inner, ())
        return self.run(traced, constants, operands, changeable=changeable)

    def scan(self, operands: list[Operand], equation: Any, spent: Sequence[bool]) -> list[Operand]:
        """A loop of known length: written out if it is short. ``spent``: operands that nothing reads later."""
        params = equation.params
        fixed, moving = params["num_consts"], params["num_carry"]
        shared, carried = operands[:fixed], operands[fixed : fixed + moving]
        rows = operands[fixed + moving :]
        if params["length"] > WRITTEN_OUT or _has_loops(params["jaxpr"].jaxpr):
            return self._long_scan(shared, carried, rows, equation, spent[fixed : fixed + moving])
        values = [self.values(operand) for operand in rows]
        order = range(params["length"])
        outputs: list[list[Values]] = []
        for step in reversed(order) if params["reverse"] else order:
            inner = params["jaxpr"]
            now = [as_array(row[step]) for row in values]
            results = self.run(inner.jaxpr, inner.consts, [*shared, *carried, *now])
            carried = results[:moving]
            outputs.append([self.values(result) for result in results[moving:]])
        if params["reverse"]:
            outputs.reverse()
        count = len(equation.outvars) - moving
        stacked = [np.stack([output[place] for output in outputs]) for place in range(count)]
        return [*carried, *stacked]

    def _long_scan(
        self,
        shared: list[Operand],
        carried: list[Operand],
        rows: list[Operand],
        equation: Any,
        spent: Sequence[bool],
    ) -> list[Operand]:
        code, params, moving = self.code, equation.params, len(carried)
        if params["reverse"]:
            message = "a long loop that runs backwards"
            raise LoweringError(message)
        inner = params["jaxpr"]
        length = code.constant(params["length"], "int32")
        held = self._held(carried, [variable.aval.shape for variable in equation.outvars[:moving]], spent)
        sources = [
            row if isinstance(row, Memory) and row.unchanging else self.spill(self.values(row))
            for row in rows
        ]
        results = [
            self.destinations.get(variable) or self._room_for(variable.aval)
            for variable in equation.outvars[moving:]
        ]
        counter = Memory(code.reserve("int32", False, 1), (), "int32", False)
        self.write(counter, 0, code.constant(0, "int32"))
        top, inside, after = code.fresh(), code.fresh(), code.fresh()
        code.jump(top)
        code.start(top)
        with code.inner():
            number = self.element(counter, 0)
            code.branch(code.compare("lt", number, length), inside, after)
            code.start(inside)
            with code.inner():
                at = _array([number], ())
                now = [self._one_row(source, at) for source in sources]
                found = self.run(inner.jaxpr, inner.consts, [*shared, *held, *now], changeable=held)
                # A row may be what the loop carries: it is read before that is written.
                rows_found = [self.values(row).reshape(-1) for row in found[moving:]]
                self._hold(held, found[:moving])
                for memory, values in zip(results, rows_found, strict=True):
                    first = code.binary("mul", number, code.constant(values.size, "int32"))
                    for place, value in enumerate(values):
                        self.write(memory, code.binary("add", first, code.constant(place, "int32")), value)
                self.write(counter, 0, code.binary("add", number, code.constant(1, "int32")))
                code.jump(top)
        code.start(after)
        return [*[self._read_if_single(memory) for memory in held], *results]

    def _room_for(self, shape: Any) -> Memory:
        """Room on the stack for an array, wide."""
        dtype, axes = str(shape.dtype), tuple(shape.shape)
        return Memory(self.code.reserve(dtype, True, int(np.prod(axes))), axes, dtype, True)

    def _one_row(self, source: Memory, number: Values) -> Values:
        """Row ``number`` of an array in memory."""
        shape = (1, *source.shape[1:])
        starts = [number, *[self.constants(np.int32(0))] * (len(shape) - 1)]
        if source.unchanging:
            return self.values(self._view(source, starts, shape)).reshape(shape[1:])
        return self._slice_memory(source, starts, shape).reshape(shape[1:])

    def _held(self, operands: list[Operand], shapes: list[Any], spent: Sequence[bool]) -> list[Memory]:
        """What a loop carries, on the stack; numbers without axes are shared by all lanes.

        An array that lies there and that nothing reads later is carried where it is.
        """
        return [
            operand
            if free
            and isinstance(operand, Memory)
            and operand.wide == (shape != ())
            and operand.shape == shape
            else self.spill(self.values(operand), wide=shape != ())
            for operand, shape, free in zip(operands, shapes, spent, strict=True)
        ]

    def _read_if_single(self, memory: Memory) -> Operand:
        """What a loop leaves behind: single numbers are read at once, arrays where they are used."""
        return self.values(memory) if memory.shape == () else memory

    def _hold(self, held: list[Memory], results: list[Operand]) -> None:
        """Keep what a loop carries on; all of it is read before any of it is written."""
        new = [
            None if result is memory else self.values(result)
            for result, memory in zip(results, held, strict=True)
        ]
        for memory, array in zip(held, new, strict=True):
            if array is not None:
                for place, value in enumerate(array.reshape(-1)):
                    self.write(memory, place, value)

    def choice(self, operands: list[Operand], equation: Any) -> list[Operand]:
        """One of two ways, chosen while the program runs; what is never chosen costs nothing."""
        code, branches = self.code, equation.params["branches"]
        which = self.values(operands[0]).reshape(-1)[0]
        rest = operands[1:]
        if which.constant is not None:
            inner = branches[int(which.constant)]
            return self.run(inner.jaxpr, inner.consts, rest)
        if which.wide or len(branches) != 2:
            message = "a choice that differs between patients, or has more than two ways"
            raise LoweringError(message)
        asked = code.convert(which, "bool")
        labels = [code.fresh() for _ in branches]
        after = code.fresh()
        code.branch(asked, labels[1], labels[0])
        ways: list[tuple[list[Values], str]] = []
        # What is wide on one way must be wide on the other before they meet.
        for label, inner in zip(labels, branches, strict=True):
            code.start(label)
            with code.inner():
                results = [self.values(result) for result in self.run(inner.jaxpr, inner.consts, rest)]
                results = [
                    _array([code.wide(value) for value in result.reshape(-1)], result.shape)
                    for result in results
                ]
                ways.append((results, code.block))
                code.jump(after)
        code.start(after)
        merged: list[Operand] = []
        for place in range(len(equation.outvars)):
            pairs = zip(*[results[place].reshape(-1) for results, _ in ways], strict=True)
            found = [
                code.merge([(value, label) for value, (_, label) in zip(pair, ways, strict=True)])
                for pair in pairs
            ]
            merged.append(_array(found, ways[0][0][place].shape))
        return merged

    def loop(self, operands: list[Operand], equation: Any, spent: Sequence[bool]) -> list[Operand]:
        """A loop of unknown length; what it carries is kept on the stack. ``spent`` as in :meth:`scan`."""
        code, params = self.code, equation.params
        fixed_condition, fixed_body = params["cond_nconsts"], params["body_nconsts"]
        for_condition = operands[:fixed_condition]
        for_body = operands[fixed_condition : fixed_condition + fixed_body]
        looked_up = _looked_up(params["body_jaxpr"].jaxpr)
        for place, operand in enumerate(for_body):
            if place in looked_up and not isinstance(operand, Memory):
                for_body[place] = self.spill(operand)  # once, before the loop
        ask, body = params["cond_jaxpr"], params["body_jaxpr"]
        shapes = [variable.aval.shape for variable in equation.outvars]
        fixed = fixed_condition + fixed_body
        held = self._held(operands[fixed:], shapes, spent[fixed:])
        top, inside, after = code.fresh(), code.fresh(), code.fresh()
        code.jump(top)
        code.start(top)
        with code.inner():
            asked = self.run(ask.jaxpr, ask.consts, [*for_condition, *held])[0]
            code.branch(self.values(asked).reshape(-1)[0], inside, after)
            code.start(inside)
            with code.inner():
                now = [
                    self.values(memory) if shape == () else memory
                    for memory, shape in zip(held, shapes, strict=True)
                ]
                found = self.run(body.jaxpr, body.consts, [*for_body, *now], changeable=held)
                self._hold(held, found)
                code.jump(top)
        code.start(after)
        return [self._read_if_single(memory) for memory in held]


def as_array(values: Any) -> Values:
    """A single value as an array without axes; arrays unchanged."""
    if isinstance(values, np.ndarray):
        return values
    return _array([values], ())


def _array(values: list[Value], shape: Any) -> Values:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape)


def _last_uses(jaxpr: Any) -> dict[Any, int]:
    uses: dict[Any, int] = {}
    for place, equation in enumerate(jaxpr.eqns):
        for atom in equation.invars:
            if not isinstance(atom, jax_core.Literal):
                uses[atom] = place
    for atom in jaxpr.outvars:
        if not isinstance(atom, jax_core.Literal):
            uses[atom] = len(jaxpr.eqns)
    return uses


def _read_later(known: dict[Any, Operand], last_use: dict[Any, int], place: int) -> set[str]:
    """Addresses of the arrays in memory that are read after an equation."""
    return {
        operand.base
        for variable, operand in known.items()
        if isinstance(operand, Memory) and last_use.get(variable, -1) > place
    }


def _spent(operands: Sequence[Operand], live: set[str]) -> list[bool]:
    """Which operands lie in memory that may be changed: it is not read later, and by no other operand now."""
    bases = [operand.base if isinstance(operand, Memory) else None for operand in operands]
    return [
        isinstance(operand, Memory)
        and not operand.unchanging
        and operand.base not in live
        and bases.count(operand.base) == 1
        for operand in operands
    ]


def _has_loops(jaxpr: Any) -> bool:
    return any(equation.primitive.name == "while" for equation in jaxpr.eqns)


def _looked_up(jaxpr: Any) -> set[int]:
    """Which arguments of a traced function are read at places known only when the program runs."""
    place_of = {variable: place for place, variable in enumerate(jaxpr.invars)}
    found: set[int] = set()
    for equation in jaxpr.eqns:
        if equation.primitive.name in ("dynamic_slice", "gather"):
            asked = [equation.invars[0]]
        elif equation.primitive.name in ("jit", "pjit"):
            asked = [equation.invars[place] for place in _looked_up(equation.params["jaxpr"].jaxpr)]
        else:
            asked = []
        found |= {place_of[v] for v in asked if not isinstance(v, jax_core.Literal) and v in place_of}
    return found


_FUNCTIONS = ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call")
_LOOPS: dict[str, Callable[..., list[Operand]]] = {"scan": Lowering.scan, "while": Lowering.loop}
_STRUCTURES: dict[str, Callable[..., list[Operand]]] = {
    "cond": Lowering.choice,
    "slice": Lowering.part,
    "squeeze": Lowering.same_in_order,
    "reshape": Lowering.same_in_order,
    "expand_dims": Lowering.same_in_order,
    "iota": lambda self, operands, equation: [
        self.constants(
            np.broadcast_to(
                np.arange(equation.params["shape"][equation.params["dimension"]]).reshape(
                    [
                        -1 if a == equation.params["dimension"] else 1
                        for a in range(len(equation.params["shape"]))
                    ]
                ),
                equation.params["shape"],
            ),
            str(equation.outvars[0].aval.dtype),
        )
    ],
}
