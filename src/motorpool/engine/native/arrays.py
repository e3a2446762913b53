"""Arrays while a program is written: NumPy arrays of values, or places in memory that are read where they are used."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from motorpool.engine.native.elementary import Elementary
from motorpool.engine.native.instructions import Instructions
from motorpool.engine.native.moves import Values
from motorpool.engine.native.values import Value


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


class Arrays:
    """Reads and writes arrays with one set of instructions."""

    def __init__(self, code: Instructions) -> None:
        """Write with ``code``."""
        self.code = code
        self.elementary = Elementary(code)

    def constants(self, numbers: Any, dtype: str | None = None) -> Values:
        """Numbers known now as values."""
        array = np.asarray(numbers)
        name = dtype or str(array.dtype)
        flat = [self.code.constant(number, name) for number in array.reshape(-1)]
        return array_of(flat, array.shape)

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
        return array_of([self.element(operand, place) for place in range(size)], operand.shape)

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


def as_array(values: Any) -> Values:
    """A single value as an array without axes; arrays unchanged."""
    if isinstance(values, np.ndarray):
        return values
    return array_of([values], ())


def array_of(values: list[Value], shape: Any) -> Values:
    """An array of these values in this shape."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape)
