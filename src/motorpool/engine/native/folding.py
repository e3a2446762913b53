"""Operations on numbers that are known while a program is written: done then, and not when it runs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from motorpool.engine.native.values import FLOATS, Value


def folded(name: str, left: Value, right: Value) -> Any:
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
