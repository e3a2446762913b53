"""Words and units shared by every room: muscle groups, time, and records that JAX can pass around.

Time is kept in whole hours since birth (negative before birth), so that doses, visits and steps meet exactly.
Arrays have patients on the last axis, ``P``; ``G`` is the axis of muscle groups, ``V`` of vulnerability classes,
``T`` of the two parts of a pool (not transduced, transduced).
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar, dataclass_transform

import jax

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
