"""Words and units shared by every room: muscle groups, time, and records that JAX can pass around.

Time is kept in whole hours since birth (negative before birth), so that doses, visits and steps meet exactly.
Arrays have patients on the last axis, ``P``; ``G`` is the axis of muscle groups, ``V`` of vulnerability classes,
``T`` of the two parts of a pool (not transduced, transduced).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar, dataclass_transform

import jax
import jax.numpy as jnp

HOURS_PER_DAY = 24
HOURS_PER_YEAR = 8766
HOURS_PER_MONTH = 730.5

MUSCLE_GROUPS = ("legs_and_trunk", "arms", "bulbar", "breathing")
LEGS_AND_TRUNK, ARMS, BULBAR, BREATHING = range(4)
VULNERABILITY_CLASSES = 4
POOL_PARTS = 2  # neurons that a gene-therapy vector does not reach, and those it reaches

Array = jax.Array
Record = TypeVar("Record")


@dataclass_transform(frozen_default=True)
def record(kind: type[Record]) -> type[Record]:
    """Make ``kind`` a frozen dataclass that JAX treats as a tree of arrays."""
    frozen: Any = dataclasses.dataclass(frozen=True)(kind)
    jax.tree_util.register_dataclass(frozen)
    return frozen


def stacked(rows: Sequence[Array]) -> Array:
    """Stack arrays of one shape along a new first axis; equals ``jnp.stack``.

    Written row by row into one array: compilers fuse a concatenation with the sums that make its rows into code that
    picks a row for every single number, which cannot be vectorised.
    """
    whole = jnp.broadcast_to(rows[0], (len(rows), *rows[0].shape))
    for index in range(1, len(rows)):
        whole = jax.lax.dynamic_update_index_in_dim(whole, rows[index], index, 0)
    return whole


def sum_of_rows(values: Array) -> Array:
    """Sum over a short first axis, written out: additions of rows vectorise and fuse with what follows."""
    total = values[0]
    for index in range(1, values.shape[0]):
        total = total + values[index]
    return total


def mean_of_rows(values: Array) -> Array:
    """Mean over a short first axis; see :func:`sum_of_rows`."""
    return sum_of_rows(values) / values.shape[0]


def power(base: Array, exponent: Array) -> Array:
    """``base ** exponent`` for a base that is not negative and an exponent above zero; vectorises, unlike ``**``."""
    return jnp.exp(exponent * jnp.log(jnp.maximum(base, 1e-30)))
