"""How JAX's operations on single numbers are written as instructions.

Every entry is given the writer of the traced equations (its ``code`` and ``elementary`` write), the operands, the
operation's parameters and the type of its result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from motorpool.engine.native.values import FLOATS, Value


def _simple(name: str) -> Callable[..., Value]:
    return lambda self, values, params, dtype: self.code.binary(name, *values)


def _comparison(name: str) -> Callable[..., Value]:
    return lambda self, values, params, dtype: self.code.compare(name, *values)


def _function(name: str) -> Callable[..., Value]:
    return lambda self, values, params, dtype: getattr(self.elementary, name)(*values)


def _called(name: str) -> Callable[..., Value]:
    def write(self: Any, values: Any, params: Any, dtype: str) -> Value:
        constant = values[0].constant
        if constant is not None:
            known = {"floor": np.floor, "ceil": np.ceil, "fabs": np.abs}
            if name in known:
                return self.code.constant(known[name](constant), values[0].dtype)
        return self.code.call(name, *values)

    return write


def _integer_power(self: Any, values: Any, params: Any, dtype: str) -> Value:
    exponent, base = params["y"], values[0]
    result: Value | None = None
    square = base
    left = abs(exponent)
    while left:
        if left & 1:
            result = square if result is None else self.code.binary("mul", result, square)
        square = self.code.binary("mul", square, square)
        left >>= 1
    one = self.code.constant(1, base.dtype)
    found = one if result is None else result
    return found if exponent >= 0 else self.code.binary("div", one, found)


def _absolute(self: Any, values: Any, params: Any, dtype: str) -> Value:
    value = values[0]
    if value.constant is not None:
        return self.code.constant(abs(value.constant), value.dtype)
    if value.dtype in FLOATS:
        return self.code.call("fabs", value)
    return self.code.larger(value, self.code.negative(value))


def _sign(self: Any, values: Any, params: Any, dtype: str) -> Value:
    code, value = self.code, values[0]
    zero, one = code.constant(0, value.dtype), code.constant(1, value.dtype)
    below = code.select(code.compare("lt", value, zero), code.constant(-1, value.dtype), value)
    return code.select(code.compare("gt", value, zero), one, below)


def _inverted(self: Any, values: Any, params: Any, dtype: str) -> Value:
    value = values[0]
    every = True if value.dtype == "bool" else -1
    return self.code.binary("xor", value, self.code.constant(every, value.dtype))


def _clamped(self: Any, values: Any, params: Any, dtype: str) -> Value:
    low, value, high = values
    return self.code.smaller(self.code.larger(value, low), high)


def _selected(self: Any, values: Any, params: Any, dtype: str) -> Value:
    which, no, yes = values
    return self.code.select(self.code.convert(which, "bool"), yes, no)


def _rounded(self: Any, values: Any, params: Any, dtype: str) -> Value:
    to_even = "EVEN" in str(params["rounding_method"])
    return self.code.call("rint" if to_even else "round", values[0])


def _square(self: Any, values: Any, params: Any, dtype: str) -> Value:
    return self.code.binary("mul", values[0], values[0])


def _finite(self: Any, values: Any, params: Any, dtype: str) -> Value:
    size = _absolute(self, values, params, values[0].dtype)
    return self.code.compare("lt", size, self.code.constant(np.inf, size.dtype))


ELEMENTWISE: dict[str, Callable[..., Value]] = {
    "add": _simple("add"),
    "add_any": _simple("add"),
    "sub": _simple("sub"),
    "mul": _simple("mul"),
    "div": _simple("div"),
    "rem": _simple("rem"),
    "and": _simple("and"),
    "or": _simple("or"),
    "xor": _simple("xor"),
    "shift_left": _simple("shl"),
    "shift_right_logical": _simple("shr"),
    "shift_right_arithmetic": _simple("sar"),
    "eq": _comparison("eq"),
    "ne": _comparison("ne"),
    "lt": _comparison("lt"),
    "le": _comparison("le"),
    "gt": _comparison("gt"),
    "ge": _comparison("ge"),
    "max": lambda self, values, params, dtype: self.code.larger(*values),
    "min": lambda self, values, params, dtype: self.code.smaller(*values),
    "neg": lambda self, values, params, dtype: self.code.negative(values[0]),
    "exp": _function("exp"),
    "log": _function("log"),
    "log1p": _function("log1p"),
    "expm1": _function("expm1"),
    "logistic": _function("logistic"),
    "sqrt": _function("sqrt"),
    "cos": _function("cos"),
    "tanh": _function("tanh"),
    "pow": _function("power"),
    "floor": _called("floor"),
    "ceil": _called("ceil"),
    "round": _rounded,
    "abs": _absolute,
    "sign": _sign,
    "not": _inverted,
    "is_finite": _finite,
    "integer_pow": _integer_power,
    "square": _square,
    "clamp": _clamped,
    "select_n": _selected,
    "convert_element_type": lambda self, values, params, dtype: self.code.convert(values[0], dtype),
}
REDUCTIONS: dict[str, Callable[..., Value]] = {
    "reduce_sum": ELEMENTWISE["add"],
    "reduce_max": ELEMENTWISE["max"],
    "reduce_min": ELEMENTWISE["min"],
    "reduce_or": ELEMENTWISE["or"],
    "reduce_and": ELEMENTWISE["and"],
}
