"""Elementary functions as vector instructions: polynomials for single precision, the system's library for double.

Single precision is exact to about two units in the last place. ``exp`` stays between 1.2e-38 and 1.6e38: it is
never zero or infinite. Methods: Cody-Waite reduction and minimax polynomials, found with a linear program for the
relative error.
"""

from __future__ import annotations

import math

from motorpool.engine.native.instructions import Instructions
from motorpool.engine.native.values import Value

LOG2_E = 1.44269504088896341
LN2_HIGH, LN2_LOW = 0.693359375, -2.12194440e-4
# Added to a number of at most 2^22 it leaves the nearest whole number in the last bits.
ROUNDER = 1.5 * 2.0**23
# exp(x) = 1 + x + x^2 P(x) within half of log 2: relative error 4e-9.
EXP_POLYNOMIAL = (
    1.3835001737e-3,
    8.3689736202e-3,
    4.1668083519e-2,
    1.6666516662e-1,
    4.9999994040e-1,
)
# Beyond these the result of exp would not be a normal number.
EXP_LOWEST, EXP_HIGHEST = -87.3365, 88.0
# log(1 + x) = x + x^2 P(x) between the square roots of 1/2 and 2: relative error 6e-9.
LOG_POLYNOMIAL = (
    -7.6345562935e-2,
    1.2761601806e-1,
    -1.3160170615e-1,
    1.4201754332e-1,
    -1.6623358428e-1,
    2.0001226664e-1,
    -2.5000819564e-1,
    3.3333331347e-1,
    -0.5,
)
SMALLEST_NORMAL = 1.17549435e-38
MANTISSA_BITS, BITS_OF_ONE, BITS_OF_EXPONENT, BITS_OF_SQRT_HALF = 23, 0x3F800000, 0xFF800000, 0x3F3504F3
# sin(x) on (-pi/2, pi/2): x + x^3 P(x^2).
SIN_POLYNOMIAL = (-2.3889859e-08, 2.7525562e-06, -1.9840874e-04, 8.3333310e-03, -1.6666667e-01)


class Elementary:
    """Elementary functions written with one set of instructions."""

    def __init__(self, code: Instructions) -> None:
        """Write with ``code``."""
        self.code = code

    def _number(self, number: float, like: Value) -> Value:
        return self.code.constant(number, like.dtype)

    def _polynomial(self, coefficients: tuple[float, ...], x: Value) -> Value:
        """Horner's rule, highest power first."""
        total = self._number(coefficients[0], x)
        for coefficient in coefficients[1:]:
            total = self.code.binary("add", self.code.binary("mul", total, x), self._number(coefficient, x))
        return total

    def _reduced(self, x: Value) -> tuple[Value, Value]:
        """Whole multiples of log 2 in ``x``, as what they add to the bits of a number's exponent, and the rest."""
        code = self.code
        rounder = self._number(ROUNDER, x)
        rounded = code.binary("add", code.binary("mul", x, self._number(LOG2_E, x)), rounder)
        whole = code.binary("sub", rounded, rounder)
        rest = code.binary("sub", x, code.binary("mul", whole, self._number(LN2_HIGH, x)))
        rest = code.binary("sub", rest, code.binary("mul", whole, self._number(LN2_LOW, x)))
        bits = code.binary("shl", code.bitcast(rounded, "int32"), code.constant(MANTISSA_BITS, "int32"))
        return bits, rest

    def _within_range(self, x: Value) -> Value:
        lowest, highest = self._number(EXP_LOWEST, x), self._number(EXP_HIGHEST, x)
        return self.code.smaller(self.code.larger(x, lowest), highest)

    def _tail_and_power(self, x: Value) -> tuple[Value, Value]:
        """exp(x) = (1 + tail) x a power of two, which is returned as what it adds to the bits of a number."""
        code = self.code
        power, rest = self._reduced(x)
        square = code.binary("mul", rest, rest)
        tail = code.binary("add", code.binary("mul", self._polynomial(EXP_POLYNOMIAL, rest), square), rest)
        return tail, power

    def _exp_within(self, x: Value) -> Value:
        code = self.code
        tail, power = self._tail_and_power(x)
        near_one = code.bitcast(code.binary("add", tail, self._number(1.0, x)), "int32")
        return code.bitcast(code.binary("add", near_one, power), "float32")

    def exp(self, x: Value) -> Value:
        """e to the power of x, within the range of normal numbers."""
        if x.constant is not None:
            return self._number(math.exp(min(x.constant, 700.0)), x)
        code = self.code
        if x.dtype == "float64":
            return code.call("exp", x)
        return self._exp_within(self._within_range(x))

    def logistic(self, x: Value) -> Value:
        """1 / (1 + exp(-x))."""
        code = self.code
        one = self._number(1.0, x)
        if x.dtype == "float64" or x.constant is not None:
            return code.binary("div", one, code.binary("add", one, self.exp(code.negative(x))))
        minus = code.negative(x)
        return code.binary("div", one, code.binary("add", one, self._exp_within(self._within_range(minus))))

    def expm1(self, x: Value) -> Value:
        """exp(x) - 1, exact near zero."""
        code = self.code
        if x.constant is not None:
            return self._number(math.expm1(x.constant), x)
        if x.dtype == "float64":
            # (u - 1) x / log(u) with u = exp(x) is exact near zero (Kahan).
            one = self._number(1.0, x)
            grown = code.call("exp", x)
            less, log = code.binary("sub", grown, one), code.call("log", grown)
            safe = code.select(code.compare("eq", log, self._number(0.0, x)), one, log)
            kahan = code.binary("div", code.binary("mul", less, x), safe)
            moved = code.select(code.compare("eq", grown, one), x, kahan)
            gone = code.compare("lt", x, self._number(-30.0, x))
            return code.select(gone, self._number(-1.0, x), moved)
        tail, power = self._tail_and_power(self._within_range(x))
        scale = code.bitcast(code.binary("add", power, code.constant(BITS_OF_ONE, "int32")), "float32")
        return code.binary(
            "add", code.binary("mul", tail, scale), code.binary("sub", scale, self._number(1.0, x))
        )

    def log(self, x: Value) -> Value:
        """Natural logarithm; minus infinity at zero, not a number below."""
        if x.constant is not None:
            number = x.constant
            return self._number(
                math.log(number) if number > 0 else (-math.inf if number == 0 else math.nan), x
            )
        code = self.code
        if x.dtype == "float64":
            return code.call("log", x)
        certain = code.at_least(x) >= SMALLEST_NORMAL
        inside = x if certain else code.larger(x, self._number(SMALLEST_NORMAL, x))
        # The number is a power of two times one between the square roots of 1/2 and 2.
        bits = code.bitcast(inside, "uint32")
        above = code.binary("sub", bits, code.constant(BITS_OF_SQRT_HALF, "uint32"))
        exponent = code.binary("and", above, code.constant(BITS_OF_EXPONENT, "uint32"))
        near_one = code.bitcast(code.binary("sub", bits, exponent), "float32")
        power = code.convert(code.convert(exponent, "int32"), "float32")
        z = code.binary("sub", near_one, self._number(1.0, x))
        series = code.binary("mul", self._polynomial(LOG_POLYNOMIAL, z), code.binary("mul", z, z))
        found = code.binary("add", series, z)
        log_two = self._number(math.log(2.0) / (1 << MANTISSA_BITS), x)
        found = code.binary("add", code.binary("mul", power, log_two), found)
        if certain:
            return code.select(code.compare("ne", x, x), x, found)  # what is not a number stays so
        zero = self._number(0.0, x)
        found = code.select(code.compare("eq", x, zero), self._number(-math.inf, x), found)
        # What is below zero, or not a number, has no logarithm.
        return code.select(code.compare("ge", x, zero), found, self._number(math.nan, x))

    def log1p(self, x: Value) -> Value:
        """log(1 + x), exact near zero."""
        code = self.code
        if x.constant is not None:
            return self._number(math.log1p(x.constant) if x.constant > -1 else -math.inf, x)
        one = self._number(1.0, x)
        whole = code.binary("add", one, x)
        less = code.binary("sub", whole, one)
        same = code.compare("eq", less, self._number(0.0, x))
        safe = code.select(same, one, less)
        # log(u) x / (u - 1) with u = 1 + x is exact near zero (Kahan).
        return code.select(same, x, code.binary("mul", self.log(whole), code.binary("div", x, safe)))

    def sqrt(self, x: Value) -> Value:
        """Square root."""
        if x.constant is not None:
            return self._number(math.sqrt(x.constant), x)
        return self.code.call("sqrt", x)

    def cos(self, x: Value) -> Value:
        """Cosine, for arguments of a few hundred turns at most."""
        if x.constant is not None:
            return self._number(math.cos(x.constant), x)
        code = self.code
        if x.dtype == "float64":
            return code.call("cos", x)
        turns = code.binary("mul", x, self._number(1.0 / (2.0 * math.pi), x))
        rest = code.call("fabs", code.binary("sub", turns, code.call("rint", turns)))
        angle = code.binary(
            "mul", code.binary("sub", self._number(0.25, x), rest), self._number(2.0 * math.pi, x)
        )
        square = code.binary("mul", angle, angle)
        tail = code.binary("mul", code.binary("mul", self._polynomial(SIN_POLYNOMIAL, square), square), angle)
        return code.binary("add", angle, tail)

    def power(self, base: Value, exponent: Value) -> Value:
        """Base to the power of the exponent, for a base above zero."""
        if base.dtype == "float64":
            return self.code.call("pow", base, exponent)
        return self.exp(self.code.binary("mul", exponent, self.log(base)))

    def tanh(self, x: Value) -> Value:
        """Hyperbolic tangent: expm1(2x) / (expm1(2x) + 2)."""
        code = self.code
        two = self._number(2.0, x)
        bounded = code.smaller(code.larger(x, self._number(-20.0, x)), self._number(20.0, x))
        grown = self.expm1(code.binary("mul", two, bounded))
        return code.binary("div", grown, code.binary("add", grown, two))
