"""A writer of LLVM instructions for numbers that patients share and numbers that each patient has.

A value is *shared* (one number for all patients in the lanes) or *wide* (one number per lane). Operations between the
two spread the shared one. Constants are folded, and an instruction that was written before is not written again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from motorpool.engine.native.folding import folded
from motorpool.engine.native.values import BYTES, FLOATS, LLVM_TYPES, Value
from motorpool.engine.native.writer import Writer


class Instructions(Writer):
    """Writes arithmetic too."""

    def __init__(self, lanes: int) -> None:
        """Begin with nothing written; ``lanes`` patients are worked on side by side."""
        super().__init__(lanes)
        self._least: dict[str, float] = {}

    def binary(self, name: str, left: Value, right: Value) -> Value:
        """Add, subtract, multiply, divide, take the remainder, or combine bits."""
        known = folded(name, left, right)
        if known is not None:
            return known if isinstance(known, Value) else self.constant(known, left.dtype)
        (left, right), wide = self.alike(left, right)
        kind = self.type_of(left.dtype, wide)
        operation = _OPERATIONS[name][0 if left.dtype in FLOATS else 2 if left.dtype == "uint32" else 1]
        return self.write(f"{operation} {kind} {left.text}, {right.text}", left.dtype, wide)

    def compare(self, name: str, left: Value, right: Value) -> Value:
        """Compare two numbers: eq, ne, lt, le, gt or ge."""
        if left.constant is not None and right.constant is not None:
            return self.constant(_COMPARISONS[name][3](left.constant, right.constant), "bool")
        (left, right), wide = self.alike(left, right)
        kind = self.type_of(left.dtype, wide)
        floating, signed, unsigned, _ = _COMPARISONS[name]
        if left.dtype in FLOATS:
            return self.write(f"fcmp {floating} {kind} {left.text}, {right.text}", "bool", wide)
        operation = unsigned if left.dtype in ("uint32", "bool") else signed
        return self.write(f"icmp {operation} {kind} {left.text}, {right.text}", "bool", wide)

    def select(self, condition: Value, yes: Value, no: Value) -> Value:
        """``yes`` where the condition holds, else ``no``."""
        if condition.constant is not None:
            return yes if condition.constant else no
        if yes == no:
            return yes
        if condition.wide:
            yes, no, wide = self.wide(yes), self.wide(no), True
        else:
            (yes, no), wide = self.alike(yes, no)
        kind, asked = self.type_of(yes.dtype, wide), self.type_of("bool", condition.wide)
        return self.write(
            f"select {asked} {condition.text}, {kind} {yes.text}, {kind} {no.text}", yes.dtype, wide
        )

    def smaller(self, left: Value, right: Value) -> Value:
        """The smaller number; not a number if either is not."""
        return self._one_of("lt", left, right)

    def larger(self, left: Value, right: Value) -> Value:
        """The larger number; not a number if either is not."""
        found = self._one_of("gt", left, right)
        known = left.constant if left.constant is not None else right.constant
        if known is not None:
            self._least[found.text] = float(known)
        return found

    def _one_of(self, comparison: str, left: Value, right: Value) -> Value:
        if left.constant is not None and right.constant is None:
            left, right = right, left
        # The comparison is false for what is not a number: the left one is kept then.
        found = self.select(self.compare(comparison, right, left), right, left)
        if right.constant is None and right.dtype in FLOATS:
            found = self.select(self.compare("ne", right, right), right, found)
        return found

    def at_least(self, value: Value) -> float:
        """A number that the value is known not to be below."""
        if value.constant is not None:
            return float(value.constant)
        return self._least.get(value.text, -math.inf)

    def convert(self, value: Value, dtype: str) -> Value:
        """The number as another type."""
        if value.dtype == dtype:
            return value
        if value.constant is not None:
            if dtype == "uint32":
                return self.constant(int(value.constant) & 0xFFFFFFFF, dtype)
            return self.constant(np.asarray(value.constant).astype(dtype).item(), dtype)
        source, target = self.type_of(value.dtype, value.wide), self.type_of(dtype, value.wide)
        if dtype == "bool":
            return self.compare("ne", value, self.constant(0, value.dtype))
        if source == target:
            return Value(value.text, dtype, value.wide)
        operation = _conversion(value.dtype, dtype)
        return self.write(f"{operation} {source} {value.text} to {target}", dtype, value.wide)

    def bitcast(self, value: Value, dtype: str) -> Value:
        """The same bits read as another type of the same size."""
        source, target = self.type_of(value.dtype, value.wide), self.type_of(dtype, value.wide)
        value = self.wide(value) if value.wide else value
        if value.constant is not None and not value.wide:
            source = LLVM_TYPES[value.dtype]
        return self.write(f"bitcast {source} {value.text} to {target}", dtype, value.wide)

    def negative(self, value: Value) -> Value:
        """Minus the number."""
        if value.constant is not None:
            return self.constant(-value.constant, value.dtype)
        if value.dtype not in FLOATS:
            return self.binary("sub", self.constant(0, value.dtype), value)
        return self.write(
            f"fneg {self.type_of(value.dtype, value.wide)} {value.text}", value.dtype, value.wide
        )

    def call(self, name: str, *values: Value) -> Value:
        """One of LLVM's own functions of numbers of one type."""
        arguments, wide = self.alike(*values)
        dtype = values[0].dtype
        kind = self.type_of(dtype, wide)
        short = {"float32": "f32", "float64": "f64", "int32": "i32", "uint32": "i32"}[dtype]
        full = f"llvm.{name}.v{self.lanes}{short}" if wide else f"llvm.{name}.{short}"
        types = ", ".join(kind for _ in arguments)
        self.declarations.add(f"declare {kind} @{full}({types})")
        text = ", ".join(f"{kind} {value.text}" for value in arguments)
        return self.write(f"call {kind} @{full}({text})", dtype, wide)

    def across_lanes(self, name: str, value: Value) -> Value:
        """One shared number from all lanes: "or", "and" of conditions, "max", "min" of integers."""
        if not value.wide:
            return value
        if value.constant is not None:
            return self.constant(value.constant, value.dtype)
        kind, scalar = self.type_of(value.dtype, True), LLVM_TYPES[value.dtype]
        if value.dtype == "bool":
            bits = self.write(f"bitcast {kind} {value.text} to i{self.lanes}", "int64", False).text
            if name == "or":
                return self.write(f"icmp ne i{self.lanes} {bits}, 0", "bool", False)
            return self.write(f"icmp eq i{self.lanes} {bits}, -1", "bool", False)
        if value.dtype in FLOATS:
            message = f"no {name} of fractions across patients"
            raise NotImplementedError(message)
        signed = "u" if value.dtype == "uint32" else "s"
        full = f"llvm.vector.reduce.{signed}{name}.v{self.lanes}i32"
        self.declarations.add(f"declare {scalar} @{full}({kind})")
        return self.write(f"call {scalar} @{full}({kind} {value.text})", value.dtype, False)


# Floating, signed and unsigned operation. Contraction lets the processor multiply and add in one instruction.
_OPERATIONS = {
    "add": ("fadd contract", "add", "add"),
    "sub": ("fsub contract", "sub", "sub"),
    "mul": ("fmul contract", "mul", "mul"),
    "div": ("fdiv contract", "sdiv", "udiv"),
    "rem": ("frem", "srem", "urem"),
    "and": ("and", "and", "and"),
    "or": ("or", "or", "or"),
    "xor": ("xor", "xor", "xor"),
    "shl": ("shl", "shl", "shl"),
    "shr": ("lshr", "lshr", "lshr"),
    "sar": ("ashr", "ashr", "ashr"),
}
_COMPARISONS: dict[str, tuple[str, str, str, Any]] = {
    "eq": ("oeq", "eq", "eq", lambda a, b: a == b),
    "ne": ("une", "ne", "ne", lambda a, b: a != b),
    "lt": ("olt", "slt", "ult", lambda a, b: a < b),
    "le": ("ole", "sle", "ule", lambda a, b: a <= b),
    "gt": ("ogt", "sgt", "ugt", lambda a, b: a > b),
    "ge": ("oge", "sge", "uge", lambda a, b: a >= b),
}


def _conversion(source: str, target: str) -> str:
    if source in FLOATS:
        if target in FLOATS:
            return "fpext" if target == "float64" else "fptrunc"
        return "fptoui" if target == "uint32" else "fptosi"
    if target in FLOATS:
        return "uitofp" if source in ("uint32", "bool") else "sitofp"
    if BYTES[source] > BYTES[target]:
        return "trunc"
    return "zext" if source in ("uint32", "bool") else "sext"
