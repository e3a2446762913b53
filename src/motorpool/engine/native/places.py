"""Parts of arrays at places that are known only when the program runs, and parts that stay in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from motorpool.engine.native.arrays import Arrays, Memory, Operand, array_of
from motorpool.engine.native.moves import LoweringError, Values, moved
from motorpool.engine.native.values import Value


class Places(Arrays):
    """Looks up, cuts out and changes parts of arrays."""

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
        return array_of(found, tuple(size))

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
                return array_of([code.gather(table.base, index, table.dtype) for index in inside], shape)
            if (
                table.wide
                and sizes == (1, 1)
                and all(pair[1].constant == 0 for pair in indices.reshape(-1, 2))
            ):
                return array_of([self._own_number(table, row) for row, _ in indices.reshape(-1, 2)], shape)
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
