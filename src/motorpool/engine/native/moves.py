"""JAX's operations that only move numbers about: done to the places of the numbers, while a program is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from motorpool.engine.native.values import Value


class LoweringError(NotImplementedError):
    """The equations use an operation that this compiler does not know."""


Values = np.ndarray  # of Value, dtype object


def moved(equation: Any, arrays: list[Values]) -> Values:
    """What an operation that only moves numbers about makes of arrays: it is done to the places of the numbers."""
    moving, fixed = MOVES[equation.primitive.name]
    count = len(arrays)
    movable = range(count)[moving]
    places: list[Any] = []
    everything: list[Value] = []
    for index, array in enumerate(arrays):
        if index in movable:
            first = len(everything)
            everything.extend(array.reshape(-1))
            places.append(np.arange(first, len(everything), dtype=np.int32).reshape(array.shape))
        else:
            numbers = [value.constant for value in array.reshape(-1)]
            if any(number is None for number in numbers):
                message = f"{equation.primitive.name} at places that are known only when the program runs"
                raise LoweringError(message)
            dtype = equation.invars[index].aval.dtype
            places.append(np.asarray(numbers, dtype).reshape(array.shape))
    with jax.ensure_compile_time_eval():
        found = np.asarray(fixed(equation, places))
    result = np.empty(found.size, dtype=object)
    result[:] = [everything[place] for place in found.reshape(-1)]
    return result.reshape(found.shape)


def _bound(equation: Any, places: list[Any]) -> Any:
    params = dict(equation.params)
    if equation.primitive.name == "gather":
        params["fill_value"] = None
    return equation.primitive.bind(*[jax.numpy.asarray(place) for place in places], **params)


def _broadcast(equation: Any, places: list[Any]) -> Any:
    params = equation.params
    array, shape = places[0], params["shape"]
    expanded = [1] * len(shape)
    for axis, target in enumerate(params["broadcast_dimensions"]):
        expanded[target] = array.shape[axis]
    return np.broadcast_to(array.reshape(expanded), shape)


def _reshaped(equation: Any, places: list[Any]) -> Any:
    return places[0].reshape(equation.outvars[0].aval.shape)


def _sliced(equation: Any, places: list[Any]) -> Any:
    params = equation.params
    strides = params["strides"] or (1,) * len(params["start_indices"])
    return places[0][
        tuple(
            slice(a, b, s)
            for a, b, s in zip(params["start_indices"], params["limit_indices"], strides, strict=True)
        )
    ]


ALL, FIRST, FIRST_TWO = slice(None), slice(0, 1), slice(0, 2)
# Which operands are moved (the others say where to), and how.
MOVES: dict[str, tuple[slice, Callable[[Any, list[Any]], Any]]] = {
    "broadcast_in_dim": (FIRST, _broadcast),
    "reshape": (FIRST, _reshaped),
    "squeeze": (FIRST, _reshaped),
    "expand_dims": (FIRST, _reshaped),
    "slice": (FIRST, _sliced),
    "transpose": (FIRST, lambda equation, places: np.transpose(places[0], equation.params["permutation"])),
    "rev": (FIRST, lambda equation, places: np.flip(places[0], equation.params["dimensions"])),
    "concatenate": (ALL, lambda equation, places: np.concatenate(places, equation.params["dimension"])),
    "stack": (ALL, lambda equation, places: np.stack(places, equation.params.get("axis", 0))),
    "copy": (FIRST, lambda equation, places: places[0]),
    "stop_gradient": (FIRST, lambda equation, places: places[0]),
    "gather": (FIRST, _bound),
    "dynamic_slice": (FIRST, _bound),
    "scatter": (slice(0, 3, 2), _bound),
}
