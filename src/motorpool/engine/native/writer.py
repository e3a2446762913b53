"""A writer of LLVM's language: names, types, blocks and memory, without arithmetic.

An instruction that was written before, and has no effect, is not written again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

import numpy as np

from motorpool.engine.native.values import BYTES, LLVM_TYPES, Value, literal, nearest_float32


class Writer:
    """Writes one function's body, block by block."""

    def __init__(self, lanes: int) -> None:
        """Begin with nothing written; ``lanes`` patients are worked on side by side."""
        self.lanes = lanes
        self.lines: list[str] = []
        self.entry_lines: list[str] = []
        self.block = "entry"
        self._number = 0
        self._known: list[dict[str, Value]] = [{}]
        self.declarations: set[str] = set()

    # -- names, types, constants

    def fresh(self) -> str:
        """A new name for a value or a label."""
        self._number += 1
        return f"v{self._number}"

    def type_of(self, dtype: str, wide: bool) -> str:
        """LLVM's name of a type."""
        scalar = LLVM_TYPES[dtype]
        return f"<{self.lanes} x {scalar}>" if wide else scalar

    def constant(self, number: Any, dtype: str) -> Value:
        """A number known now."""
        plain = number.item() if isinstance(number, np.generic) else number
        if dtype == "float32":
            plain = nearest_float32(float(plain))
        elif dtype == "bool":
            plain = bool(plain)
        elif dtype != "float64":
            plain = int(plain)
        return Value(literal(plain, dtype), dtype, False, plain)

    def wide(self, value: Value) -> Value:
        """The value in every lane."""
        if value.wide:
            return value
        if value.constant is not None:
            scalar = LLVM_TYPES[value.dtype]
            text = f"splat ({scalar} {literal(value.constant, value.dtype)})"
            return Value(text, value.dtype, True, value.constant)
        kind, scalar = self.type_of(value.dtype, True), LLVM_TYPES[value.dtype]
        first = self.write(f"insertelement {kind} poison, {scalar} {value.text}, i64 0", value.dtype, True)
        mask = f"<{self.lanes} x i32> zeroinitializer"
        return self.write(f"shufflevector {kind} {first.text}, {kind} poison, {mask}", value.dtype, True)

    def alike(self, *values: Value) -> tuple[tuple[Value, ...], bool]:
        """The values all shared or all wide, and which."""
        wide = any(value.wide for value in values)
        return (tuple(self.wide(value) for value in values) if wide else values), wide

    # -- writing

    def write(self, operation: str, dtype: str, wide: bool) -> Value:
        """Write an operation without effects, or find the value of the same operation written before."""
        for known in reversed(self._known):
            if operation in known:
                return known[operation]
        name = "%" + self.fresh()
        self.lines.append(f"  {name} = {operation}")
        value = Value(name, dtype, wide)
        self._known[-1][operation] = value
        return value

    def effect(self, operation: str) -> None:
        """Write an operation for its effect."""
        self.lines.append(f"  {operation}")

    def reserve(self, dtype: str, wide: bool, count: int) -> str:
        """Room for ``count`` numbers on the stack; returns its address."""
        name = "%" + self.fresh()
        self.entry_lines.append(f"  {name} = alloca [{count} x {self._stored_type(dtype, wide)}], align 64")
        return name

    def _stored_type(self, dtype: str, wide: bool) -> str:
        return self.type_of("uint32" if dtype == "bool" else dtype, wide)

    # -- blocks

    def start(self, label: str) -> None:
        """Begin a block."""
        self.lines.append(f"{label}:")
        self.block = label

    @contextlib.contextmanager
    def inner(self) -> Generator[None, None, None]:
        """A region whose values are not known outside."""
        self._known.append({})
        try:
            yield
        finally:
            self._known.pop()

    def branch(self, condition: Value, yes: str, no: str) -> None:
        """Go one of two ways by a shared condition."""
        self.effect(f"br i1 {condition.text}, label %{yes}, label %{no}")

    def jump(self, label: str) -> None:
        """Go on at a label."""
        self.effect(f"br label %{label}")

    def merge(self, ways: list[tuple[Value, str]]) -> Value:
        """The value of whichever block came before."""
        values, wide = self.alike(*[value for value, _ in ways])
        first = values[0]
        kind = self.type_of(first.dtype, wide)
        text = ", ".join(
            f"[ {value.text}, %{label} ]" for value, (_, label) in zip(values, ways, strict=True)
        )
        name = "%" + self.fresh()
        self.lines.append(f"  {name} = phi {kind} {text}")
        return Value(name, first.dtype, wide)

    # -- memory

    def address(self, base: str, offset: Value | int, dtype: str, wide: bool) -> str:
        """Address of element ``offset`` (in elements of this type) after ``base``."""
        index = offset.text if isinstance(offset, Value) else str(offset)
        kind = self._stored_type(dtype, wide)
        width = "i64" if not isinstance(offset, Value) else LLVM_TYPES[offset.dtype]
        return self.write(f"getelementptr inbounds {kind}, ptr {base}, {width} {index}", "int64", False).text

    def load(self, address: str, dtype: str, wide: bool, *, unchanging: bool = False) -> Value:
        """Read a number; ``unchanging`` memory is never written while the program runs."""
        kind = self._stored_type(dtype, wide)
        align = 4 if not unchanging else BYTES["uint32" if dtype == "bool" else dtype]
        operation = f"load {kind}, ptr {address}, align {align}"
        if unchanging:
            raw = self.write(operation + ", !invariant.load !0", dtype, wide)
        else:
            name = "%" + self.fresh()
            self.lines.append(f"  {name} = {operation}")
            raw = Value(name, dtype, wide)
        if dtype != "bool":
            return raw
        zero = "zeroinitializer" if wide else "0"
        return self.write(f"icmp ne {kind} {raw.text}, {zero}", "bool", wide)

    def store(self, value: Value, address: str, wide: bool) -> None:
        """Write a number to memory."""
        value = self.wide(value) if wide else value
        kind = self._stored_type(value.dtype, wide)
        text = value.text
        if value.dtype == "bool":
            source = self.type_of("bool", wide)
            text = self.write(f"zext {source} {value.text} to {kind}", "uint32", wide).text
        self.effect(f"store {kind} {text}, ptr {address}, align 4")

    def lane_numbers(self) -> Value:
        """0, 1, 2, ... in the lanes."""
        numbers = ", ".join(f"i64 {lane}" for lane in range(self.lanes))
        return Value(f"<{numbers}>", "int64", True)

    def gather(self, base: str, index: Value, dtype: str) -> Value:
        """Numbers at each lane's own place in a table that never changes."""
        if not index.wide:
            return self.load(self.address(base, index, dtype, False), dtype, False, unchanging=True)
        scalar, kind = LLVM_TYPES[dtype], self.type_of(dtype, True)
        width = LLVM_TYPES[index.dtype]
        places = self.write(
            f"getelementptr inbounds {scalar}, ptr {base}, <{self.lanes} x {width}> {index.text}",
            "int64",
            True,
        ).text
        short = {"float32": "f32", "float64": "f64", "int32": "i32", "uint32": "i32"}[dtype]
        full = f"llvm.masked.gather.v{self.lanes}{short}.v{self.lanes}p0"
        mask, pointers = f"<{self.lanes} x i1>", f"<{self.lanes} x ptr>"
        self.declarations.add(f"declare {kind} @{full}({pointers}, {mask}, {kind})")
        every = "splat (i1 true)"
        return self.write(
            f"call {kind} @{full}({pointers} align {BYTES[dtype]} {places}, {mask} {every}, {kind} poison)",
            dtype,
            True,
        )
