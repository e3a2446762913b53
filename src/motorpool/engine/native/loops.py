"""Loops and choices of traced equations."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import numpy as np

from motorpool.engine.native.arrays import Memory, Operand, array_of, as_array
from motorpool.engine.native.liveness import has_loops, looked_up_in
from motorpool.engine.native.moves import LoweringError, Values
from motorpool.engine.native.places import Places

WRITTEN_OUT = 12  # longest loop that is written out turn by turn


class Loops(Places, abc.ABC):
    """Writes loops and choices; what they repeat or choose between is written by :meth:`run`."""

    # Where results of the whole program belong, by variable: loops write their rows there at once.
    destinations: dict[Any, Memory]

    @abc.abstractmethod
    def run(
        self,
        jaxpr: Any,
        constants: Sequence[Any],
        inputs: Sequence[Operand],
        *,
        changeable: Sequence[Operand] = (),
    ) -> list[Operand]:
        """Write the equations of a traced function; returns its results."""

    def scan(self, operands: list[Operand], equation: Any, spent: Sequence[bool]) -> list[Operand]:
        """A loop of known length: written out if it is short. ``spent``: operands that nothing reads later."""
        params = equation.params
        fixed, moving = params["num_consts"], params["num_carry"]
        shared, carried = operands[:fixed], operands[fixed : fixed + moving]
        rows = operands[fixed + moving :]
        if params["length"] > WRITTEN_OUT or has_loops(params["jaxpr"].jaxpr):
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
                at = array_of([number], ())
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
                    array_of([code.wide(value) for value in result.reshape(-1)], result.shape)
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
            merged.append(array_of(found, ways[0][0][place].shape))
        return merged

    def loop(self, operands: list[Operand], equation: Any, spent: Sequence[bool]) -> list[Operand]:
        """A loop of unknown length; what it carries is kept on the stack. ``spent`` as in :meth:`scan`."""
        code, params = self.code, equation.params
        fixed_condition, fixed_body = params["cond_nconsts"], params["body_nconsts"]
        for_condition = operands[:fixed_condition]
        for_body = operands[fixed_condition : fixed_condition + fixed_body]
        looked_up = looked_up_in(params["body_jaxpr"].jaxpr)
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
