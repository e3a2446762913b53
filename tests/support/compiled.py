"""Small functions of patients, compiled by the engine's compiler."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from motorpool.engine.native.program import Belongs, Program

_numbers = itertools.count()  # a name stands for what a program computes: no two may share one


def compiled(function: Callable[..., Any], belongs: Any = Belongs.OWN) -> Callable[..., Any]:
    """The function as machine code; ``belongs`` says whose each argument is, one for all or one for each."""

    name = f"test {next(_numbers)}"

    def run(*arguments: Any) -> Any:
        kinds = belongs if isinstance(belongs, tuple) else (belongs,) * len(arguments)
        trees = tuple(
            jax.tree.map(lambda _, kind=kind: kind, argument)
            for argument, kind in zip(arguments, kinds, strict=True)
        )
        return Program(function, name, trees)(*arguments)

    return run


def agrees(
    function: Callable[..., Any], arguments: tuple[Any, ...], kinds: Any = Belongs.OWN, *, exact: bool = True
) -> None:
    """The function gives the same natively and through JAX: the same bits, or nearly the same fractions."""
    found = jax.tree.leaves(compiled(function, kinds)(*arguments))
    wanted = [np.asarray(leaf) for leaf in jax.tree.leaves(jax.jit(function)(*arguments))]
    assert [leaf.dtype for leaf in found] == [leaf.dtype for leaf in wanted]
    for got, expected in zip(found, wanted, strict=True):
        if exact:
            np.testing.assert_array_equal(got, np.broadcast_to(expected, got.shape))
        else:
            np.testing.assert_allclose(got, np.broadcast_to(expected, got.shape), rtol=1e-6, atol=1e-6)


def units_off(found: NDArray[Any], exact: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far numbers are off, in units in the last place of the exact ones (in ``found``'s precision)."""
    spacing = np.spacing(np.abs(exact).astype(found.dtype)).astype(np.float64)
    return np.abs(found.astype(np.float64) - exact) / spacing
