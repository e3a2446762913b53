"""Equations as JAX traced them, written as instructions for one patient per lane.

The equations are traced for one patient: the patients' axis has length one, and it is the last axis of every array
that belongs to patients. Arrays exist only while the program is written: they are NumPy arrays of values, so that
moving numbers about costs nothing when the program runs. Arrays in memory are read where they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax.extend import core as jax_core

from motorpool.engine.native.arrays import Memory, Operand, array_of
from motorpool.engine.native.instructions import Instructions
from motorpool.engine.native.liveness import last_uses, read_later, spent_among
from motorpool.engine.native.loops import Loops
from motorpool.engine.native.moves import MOVES, LoweringError, Values, moved
from motorpool.engine.native.primitives import ELEMENTWISE, REDUCTIONS
from motorpool.engine.native.values import Value


class Lowering(Loops):
    """Writes traced equations with one set of instructions."""

    def __init__(self, code: Instructions) -> None:
        """Write with ``code``."""
        super().__init__(code)
        self.destinations = {}

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
        in_memory: dict[Any, str] = {}  # of these, the addresses of those in memory that may change
        own = {operand.base for operand in changeable if isinstance(operand, Memory)}
        foreign = {operand.base for operand in inputs if isinstance(operand, Memory)} - own

        def read(atom: Any) -> Operand:
            if isinstance(atom, jax_core.Literal):
                shape: Any = atom.aval
                return self.constants(np.asarray(atom.val), str(shape.dtype))
            return known[atom]

        def name(variable: Any, operand: Operand) -> None:
            known[variable] = operand
            if isinstance(operand, Memory) and not operand.unchanging:
                in_memory[variable] = operand.base

        def spent(operands: Sequence[Operand], place: int) -> list[bool]:
            return spent_among(operands, read_later(in_memory, last_use, place) | foreign)

        last_use = last_uses(jaxpr)
        for variable, number in zip(jaxpr.constvars, constants, strict=True):
            name(variable, self.constants(np.asarray(number)))
        for variable, operand in zip(jaxpr.invars, inputs, strict=True):
            name(variable, operand)
        for place, equation in enumerate(jaxpr.eqns):
            operands = [read(atom) for atom in equation.invars]
            kind = equation.primitive.name
            if kind == "dynamic_update_slice":
                results = [self._update(operands, equation.params, spent(operands, place)[0])]
            elif kind in _LOOPS:
                results = _LOOPS[kind](self, operands, equation, spent(operands, place))
            elif kind in _FUNCTIONS:
                results = self.inline(operands, equation, spent(operands, place))
            elif kind in _STRUCTURES:
                results = _STRUCTURES[kind](self, operands, equation)
            else:
                results = [self._plain(kind, operands, equation)]
            for variable, result in zip(equation.outvars, results, strict=True):
                name(variable, result)
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
        return array_of([write(self, values, params, dtype) for values in columns], shape)

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
        return array_of(total, rest)

    def _across(self, name: str, value: Value) -> Value:
        kinds = {"reduce_or": "or", "reduce_and": "and", "reduce_max": "max", "reduce_min": "min"}
        if name not in kinds and value.wide:
            message = f"{name} across patients"
            raise LoweringError(message)
        return self.code.across_lanes(kinds[name], value) if value.wide else value

    def inline(self, operands: list[Operand], equation: Any, spent: Sequence[bool]) -> list[Operand]:
        """A function within a function, written where it is called. ``spent`` as in :meth:`scan`."""
        params = equation.params
        inner = params.get("jaxpr") or params.get("call_jaxpr") or params.get("fun_jaxpr")
        changeable = [operand for operand, free in zip(operands, spent, strict=True) if free]
        traced, constants = (inner.jaxpr, inner.consts) if hasattr(inner, "jaxpr") else (inner, ())
        return self.run(traced, constants, operands, changeable=changeable)


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
