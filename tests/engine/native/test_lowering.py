"""Arithmetic, conditions and moves of numbers give as machine code what JAX's own compiler makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from motorpool.engine.native.moves import LoweringError
from motorpool.engine.native.program import LANES
from tests.support.compiled import agrees, compiled

PATIENTS = 3 * LANES
DRAWS = np.random.default_rng(2)
X, Y = (DRAWS.uniform(-3.0, 3.0, PATIENTS).astype(np.float32) for _ in range(2))
ROWS = DRAWS.uniform(-3.0, 3.0, (4, PATIENTS)).astype(np.float32)
DEEP = DRAWS.uniform(-3.0, 3.0, (2, 3, PATIENTS)).astype(np.float32)
WHOLE = DRAWS.integers(-1000, 1000, PATIENTS).astype(np.int32)
DIVISOR = np.where(np.arange(PATIENTS) % 2, 7, -24).astype(np.int32)
BITS = DRAWS.integers(0, 1 << 32, PATIENTS, dtype=np.uint32)
YES, NO = DRAWS.random(PATIENTS) < 0.5, DRAWS.random(PATIENTS) < 0.2

Case = tuple[Callable[..., Any], tuple[Any, ...]]

FRACTIONS: dict[str, Case] = {
    "add, sub, mul, div": (lambda x, y: (x + y, x - y, x * y, x / (4.0 + y)), (X, Y)),
    "remainder": (lambda x, y: (lax.rem(x, y), x % 2.0, jnp.floor_divide(x, 0.7)), (X, Y)),
    "neg, abs, sign": (lambda x: (-x, jnp.abs(x), jnp.sign(x)), (X,)),
    "floor, ceil, round": (lambda x: (jnp.floor(x), jnp.ceil(x), jnp.round(x)), (X,)),
    "powers": (lambda x: (x**2, x**3, (4.0 + x) ** -2, jnp.square(x), x**0), (X,)),
    "larger, smaller, clip": (
        lambda x, y: (jnp.maximum(x, y), jnp.minimum(x, y), jnp.clip(x, -1.0, y)),
        (X, Y),
    ),
    "compare": (lambda x, y: (x < y, x <= y, x > y, x >= y, x == y, x != y), (X, np.where(YES, X, Y))),
    "select": (lambda x, y, c: (jnp.where(c, x, y), jnp.where(x > 0, 1.0, y)), (X, Y, YES)),
    "finite": (lambda x: jnp.isfinite(1.0 / jnp.floor(x)), (X,)),
    "elementary functions": (lambda x: (jnp.exp(x), jnp.log(x + 4.0), jnp.tanh(x), jnp.sqrt(x + 4.0)), (X,)),
}
WHOLE_NUMBERS: dict[str, Case] = {
    "arithmetic": (lambda a, b: (a + b, a - b, a * b, -a, jnp.abs(a), jnp.sign(a)), (WHOLE, DIVISOR)),
    "floor division and remainder of negative numbers": (lambda a, b: (a // b, a % b), (WHOLE, DIVISOR)),
    "division towards zero": (lambda a, b: (lax.div(a, b), lax.rem(a, b)), (WHOLE, DIVISOR)),
    "floor division by a constant": (lambda a: (a // 24, a % 24, a // -7), (WHOLE,)),
    "wrapped around": (lambda a: (a * 2_000_003, a * a * a), (WHOLE,)),
    "unsigned": (
        lambda u: (u * jnp.uint32(2654435761), u + u, u // 3, u % 10, u > jnp.uint32(1 << 31)),
        (BITS,),
    ),
    "bits": (lambda u: (u ^ (u >> 15), u << 7, ~u, u & 0xFFFF, u | 1), (BITS,)),
    "signed shift": (lambda a: (a >> 3, a << 2), (WHOLE,)),
    "conditions": (lambda p, q: (p & q, p | q, p ^ q, ~p), (YES, NO)),
    "least and most": (
        lambda a, b: (jnp.minimum(a, b), jnp.maximum(a, b), jnp.clip(a, -5, 5)),
        (WHOLE, DIVISOR),
    ),
    "to fractions and back": (lambda a, x: (a.astype(jnp.float32) / 8, x.astype(jnp.int32)), (WHOLE, X)),
    "unsigned to fraction": (lambda u: (u >> 8).astype(jnp.float32) * 2.0**-24, (BITS,)),
    "condition to number": (
        lambda p, a: (p.astype(jnp.float32), p.astype(jnp.int32), a.astype(bool)),
        (YES, WHOLE),
    ),
}
MOVES: dict[str, Case] = {
    "reshape and transpose": (lambda d: (d.reshape(6, -1), jnp.swapaxes(d, 0, 1), d[:, ::-1]), (DEEP,)),
    "stack and concatenate": (lambda x, r: (jnp.stack([x, x + 1]), jnp.concatenate([r, x[None]])), (X, ROWS)),
    "slices": (lambda r: (r[1:3], r[::2], r[-1], r[0]), (ROWS,)),
    "known places": (lambda r: (r[jnp.array([3, 0, 0])], r.at[1].set(0.0)), (ROWS,)),
    "broadcast": (lambda x, r: (r * x, jnp.broadcast_to(x, (3, *x.shape)), jnp.zeros_like(r)), (X, ROWS)),
    "sums": (lambda d: (d.sum(0), d.sum((0, 1)), d.max(1), d.min(0)), (DEEP,)),
    "any and all": (lambda r: (jnp.any(r > 2, axis=0), jnp.all(r < 2, axis=0)), (ROWS,)),
    "numbers in order": (lambda r: r * jnp.arange(4.0)[:, None], (ROWS,)),
}


@pytest.mark.parametrize(("function", "arguments"), FRACTIONS.values(), ids=FRACTIONS)
def test_fractions(function: Any, arguments: Any) -> None:
    agrees(function, arguments, exact=False)


@pytest.mark.parametrize(("function", "arguments"), WHOLE_NUMBERS.values(), ids=WHOLE_NUMBERS)
def test_whole_numbers_and_conditions_agree_bit_by_bit(function: Any, arguments: Any) -> None:
    agrees(function, arguments)


@pytest.mark.parametrize(("function", "arguments"), MOVES.values(), ids=MOVES)
def test_moving_numbers_about(function: Any, arguments: Any) -> None:
    agrees(function, arguments, exact=False)


NOT_A_NUMBER = np.where(YES, np.float32(np.nan), X)
SPREADS: dict[str, Callable[..., Any]] = {
    "arithmetic": lambda n, x: (n + x, n - x, n * x, n / x, -n, jnp.abs(n), n**2, n**-1),
    "bounded by a constant": lambda n, x: (jnp.maximum(n, 0.0), jnp.minimum(1.0, n), jnp.clip(n, 0.0, 1.0)),
    "bounded by another number": lambda n, x: (jnp.maximum(n, x), jnp.minimum(n, x)),
    "bounding another number": lambda n, x: (jnp.maximum(x, n), jnp.minimum(x, n), jnp.clip(x, n, 9.0)),
    "logarithm of what is bounded": lambda n, x: jnp.log(jnp.maximum(n, 1e-6)),
    "comparisons": lambda n, x: (n < x, n >= x, n == n, n != n, jnp.isfinite(n)),
    "sums": lambda n, x: jnp.sum(jnp.stack([x, n, x]), axis=0),
    "largest of several": lambda n, x: (
        jnp.max(jnp.stack([x, n]), axis=0),
        jnp.min(jnp.stack([n, x]), axis=0),
    ),
    "rounding": lambda n, x: (jnp.floor(n), jnp.ceil(n), jnp.round(n)),
}


@pytest.mark.parametrize("function", list(SPREADS.values()), ids=list(SPREADS))
def test_what_is_not_a_number_spreads_as_in_jax(function: Any) -> None:
    agrees(function, (NOT_A_NUMBER, X), exact=False)


UNKNOWN: dict[str, Callable[[Any], Any]] = {
    "sin": jnp.sin,
    "erf": lax.erf,
    "cumsum": jnp.cumsum,
    "sort": lambda x: jnp.sort(x[None], axis=0),
    "scatter-add": lambda x: x.at[0].add(1.0),
}


@pytest.mark.parametrize(("name", "function"), UNKNOWN.items(), ids=UNKNOWN)
def test_unknown_operations_are_refused_by_name(name: str, function: Any) -> None:
    with pytest.raises(LoweringError, match=f"'{name}'"):
        compiled(function)(X)
