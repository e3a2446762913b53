"""A writer of LLVM instructions for numbers that patients share and numbers that each patient has.

A value is *shared* (one number for all patients in the lanes) or *wide* (one number per lane). Operations between the
two spread the shared one. Constants are folded, and an instruction that was written before is not written again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import struct
from collections.abc import Generator
from typing import Any

import numpy as np

LLVM_TYPES = {
    "float32": "float",
    "float64": "double",
    "int32": "i32",
    "uint32": "i32",
    "int64": "i64",
    "bool": "i1",
}
BYTES = {"float32": 4, "float64": 8, "int32": 4, "uint32": 4, "int64": 8, "bool": 1}
FLOATS = ("float32", "float64")


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """A number in the program: its text in LLVM's language, its NumPy type, and whether each lane has its own.

    ``constant`` is its Python number when it is known now.
    """

    text: str
    dtype: str
    wide: bool
    constant: Any = None


def literal(number: Any, dtype: str) -> str:
    """A scalar constant in LLVM's language."""
    if dtype == "bool":
        return "true" if number else "false"
    if dtype in FLOATS:
        exact = float(np.float32(number)) if dtype == "float32" else float(number)
        return "0x" + struct.pack(">d", exact).hex().upper()
    bits = int(number)
    if dtype == "uint32" and bits >= 1 << 31:
        bits -= 1 << 32
    return str(bits)


def _float32(number: float) -> float:
    """The nearest single-precision number; infinite where that overflows."""
    with np.errstate(over="ignore"):
        return float(np.float32(number))


class Instructions:
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
        self._least: dict[str, float] = {}

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
            plain = _float32(float(plain))
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

    # -- arithmetic

    def binary(self, name: str, left: Value, right: Value) -> Value:
        """Add, subtract, multiply, divide, take the remainder, or combine bits."""
        folded = _fold(name, left, right)
        if folded is not None:
            return folded if isinstance(folded, Value) else self.constant(folded, left.dtype)
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


def _fold(name: str, left: Value, right: Value) -> Any:
    """A number or an operand that an operation amounts to, or None."""
    a, b, dtype = left.constant, right.constant, left.dtype
    if a is not None and b is not None:
        return _folded_constants(name, a, b, dtype)
    if dtype not in FLOATS:
        if name in ("add", "or", "xor", "shl", "shr", "sub", "sar") and b == 0:
            return left
        if name in ("add", "or", "xor") and a == 0:
            return right
        return None
    # Numbers are taken to be finite here, and -0.0 to be 0.0: no equation can tell them apart.
    if name == "sub" and left == right:
        return 0.0
    if name == "mul" and 0.0 in (a, b):
        return 0.0
    if name in ("add", "sub") and b == 0.0:
        return left
    if name == "add" and a == 0.0:
        return right
    if name in ("mul", "div") and b == 1.0:
        return left
    if name == "mul" and a == 1.0:
        return right
    return None


def _folded_constants(name: str, a: Any, b: Any, dtype: str) -> Any:
    if dtype == "bool":
        return {"and": a and b, "or": a or b, "xor": a != b}[name]
    if dtype in FLOATS:
        kind = np.dtype(dtype).type
        with np.errstate(all="ignore"):
            left, right = kind(a), kind(b)
            operations = {"add": left + right, "sub": left - right, "mul": left * right, "div": left / right}
            if name not in operations:
                return kind(math.fmod(a, b))
            return operations[name]
    mask = 0xFFFFFFFF
    exact = {
        "add": lambda: a + b,
        "sub": lambda: a - b,
        "mul": lambda: a * b,
        "and": lambda: a & b,
        "or": lambda: a | b,
        "xor": lambda: a ^ b,
        "shl": lambda: a << b,
        "shr": lambda: (a & mask) >> b,
        "sar": lambda: a >> b,
        "div": lambda: int(a / b) if b else 0,
        "rem": lambda: int(math.fmod(a, b)) if b else 0,
    }[name]()
    if dtype == "uint32":
        return exact & mask
    if dtype == "int32":
        return ((exact & mask) ^ (1 << 31)) - (1 << 31)
    return exact
