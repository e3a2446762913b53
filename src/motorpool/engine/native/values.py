"""Numbers in a program: what they are called there, and what is known of them."""

from __future__ import annotations

import dataclasses
import struct
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


def nearest_float32(number: float) -> float:
    """The nearest single-precision number; infinite where that overflows."""
    with np.errstate(over="ignore"):
        return float(np.float32(number))
