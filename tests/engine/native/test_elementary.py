"""Elementary functions over their whole range, against NumPy in double precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from tests.support.compiled import compiled, units_off

COUNT = 1 << 16
DRAWS = np.random.default_rng(1)
SINGLE_NORMAL = (-126.0, 127.99)  # powers of two


def evenly(low: float, high: float) -> Any:
    return np.linspace(low, high, COUNT)


def of_every_size(low: float, high: float, *, signs: tuple[float, ...] = (1.0,)) -> Any:
    """Numbers whose binary exponents are spread evenly."""
    return DRAWS.choice(signs, COUNT) * 2.0 ** DRAWS.uniform(low, high, COUNT)


BOTH = (1.0, -1.0)
CASES: list[tuple[str, Callable[[Any], Any], Callable[[Any], Any], Any, float]] = [
    ("exp", jnp.exp, np.exp, evenly(-87.3, 88.0), 1.0),
    ("exp near zero", jnp.exp, np.exp, of_every_size(-40, 0, signs=BOTH), 1.0),
    ("log", jnp.log, np.log, of_every_size(*SINGLE_NORMAL), 1.0),
    ("log near one", jnp.log, np.log, 1.0 + of_every_size(-22, -1, signs=BOTH), 1.0),
    ("log1p", jnp.log1p, np.log1p, of_every_size(*SINGLE_NORMAL), 2.5),
    ("log1p of negative numbers", jnp.log1p, np.log1p, -of_every_size(-100, -0.01), 2.5),
    ("expm1", jnp.expm1, np.expm1, evenly(-87.0, 88.0), 1.5),
    ("expm1 near zero", jnp.expm1, np.expm1, of_every_size(-100, 2, signs=BOTH), 1.5),
    ("logistic", jax.nn.sigmoid, special.expit, evenly(-85.0, 88.0), 2.5),
    ("sqrt", jnp.sqrt, np.sqrt, of_every_size(*SINGLE_NORMAL), 0.5),
    ("tanh", jnp.tanh, np.tanh, of_every_size(-100, 10, signs=BOTH), 2.5),
]


@pytest.mark.parametrize(
    ("function", "exact", "numbers", "units"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_single_precision_is_exact_to_a_few_units_in_the_last_place(
    function: Any, exact: Any, numbers: Any, units: float
) -> None:
    single = numbers.astype(np.float32)
    found = compiled(function)(single)
    assert found.dtype == np.float32
    assert units_off(found, exact(single.astype(np.float64))).max() <= units


def test_numbers_of_double_precision_are_taken_as_single() -> None:
    numbers = evenly(-3.0, 3.0)
    found = compiled(jnp.exp)(numbers)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, compiled(jnp.exp)(numbers.astype(np.float32)))


def test_a_power_is_as_exact_as_the_logarithm_that_it_goes_through() -> None:
    base = of_every_size(-20, 20).astype(np.float32)
    exponent = DRAWS.uniform(-4.0, 4.0, COUNT).astype(np.float32)
    found = compiled(jnp.power)(base, exponent)
    exact = base.astype(np.float64) ** exponent.astype(np.float64)
    size = np.abs(exponent * np.log(base)).astype(np.float64)
    assert (units_off(found, exact) / (1.0 + size)).max() <= 2.0


@pytest.mark.parametrize("turns", [0.5, 20.0, 300.0])
def test_the_cosine_is_exact_to_the_rounding_of_the_number_of_turns(turns: float) -> None:
    angle = (evenly(-turns, turns) * 2.0 * np.pi).astype(np.float32)
    error = np.abs(compiled(jnp.cos)(angle) - np.cos(angle.astype(np.float64)))
    assert error.max() <= 2.0 * np.pi * (turns * 2.0**-23 + 2.0**-23)


def test_exponentials_beyond_the_range_stay_normal_numbers() -> None:
    far = np.float32([-np.inf, -1e30, -88.0, 89.0, 1e30, np.inf] + [0.0] * 10)
    found = compiled(jnp.exp)(far)
    assert np.all((found >= np.finfo(np.float32).tiny) & (found <= 1.7e38))
    assert np.all(np.diff(found[:6]) >= 0.0)
    at_ends = compiled(jax.nn.sigmoid)(far)
    assert at_ends[:2] == pytest.approx([0.0, 0.0], abs=1e-37)
    assert np.array_equal(at_ends[4:6], [1.0, 1.0])


def test_logarithms_outside_the_range() -> None:
    numbers = np.float32([0.0, -0.0, -1.0, -np.inf, np.nan] + [1.0] * 11)
    assert np.array_equal(
        compiled(jnp.log)(numbers)[:6], [-np.inf, -np.inf, np.nan, np.nan, np.nan, 0.0], equal_nan=True
    )
    less = np.float32([-1.0, -1.5, np.nan] + [0.0] * 13)
    assert np.array_equal(compiled(jnp.log1p)(less)[:4], [-np.inf, np.nan, np.nan, 0.0], equal_nan=True)


@pytest.mark.parametrize(
    "function", [jnp.exp, jnp.log, jnp.log1p, jnp.expm1, jnp.sqrt, jnp.cos, jnp.tanh, jax.nn.sigmoid]
)
def test_what_is_not_a_number_stays_so(function: Any) -> None:
    found = compiled(function)(np.float32([np.nan] + [0.5] * 15))
    assert np.isnan(found[0])
    assert not np.isnan(found[1:]).any()


@pytest.mark.parametrize(
    "function", [jnp.exp, jnp.log, jnp.log1p, jnp.expm1, jnp.sqrt, jnp.cos, jnp.tanh, jax.nn.sigmoid]
)
def test_constants_give_what_the_same_numbers_give_while_the_program_runs(function: Any) -> None:
    for number in (0.25, 1.0, 3.5):
        known = compiled(lambda x, number=number: 0.0 * x + function(jnp.full_like(x, number)))
        running = np.full(16, number, np.float32)
        with_constant, without = known(running), compiled(function)(running)
        assert with_constant == pytest.approx(without, rel=3e-7, abs=1e-7)
