"""What of a traced function is read later, and where: decides what may be changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jax.extend import core as jax_core

from motorpool.engine.native.arrays import Memory, Operand


def last_uses(jaxpr: Any) -> dict[Any, int]:
    """The place of the last equation that reads each variable; results are read after all of them."""
    uses: dict[Any, int] = {}
    for place, equation in enumerate(jaxpr.eqns):
        for atom in equation.invars:
            if not isinstance(atom, jax_core.Literal):
                uses[atom] = place
    for atom in jaxpr.outvars:
        if not isinstance(atom, jax_core.Literal):
            uses[atom] = len(jaxpr.eqns)
    return uses


def read_later(changeable: dict[Any, str], last_use: dict[Any, int], place: int) -> set[str]:
    """Addresses of the arrays in changeable memory that are read after an equation; ``changeable`` by variable."""
    return {base for variable, base in changeable.items() if last_use.get(variable, -1) > place}


def spent_among(operands: Sequence[Operand], live: set[str]) -> list[bool]:
    """Which operands lie in memory that may be changed: it is not read later, and by no other operand now."""
    bases = [operand.base if isinstance(operand, Memory) else None for operand in operands]
    return [
        isinstance(operand, Memory)
        and not operand.unchanging
        and operand.base not in live
        and bases.count(operand.base) == 1
        for operand in operands
    ]


def has_loops(jaxpr: Any) -> bool:
    """Whether a traced function holds loops of unknown length."""
    return any(equation.primitive.name == "while" for equation in jaxpr.eqns)


def looked_up_in(jaxpr: Any) -> set[int]:
    """Which arguments of a traced function are read at places known only when the program runs."""
    place_of = {variable: place for place, variable in enumerate(jaxpr.invars)}
    found: set[int] = set()
    for equation in jaxpr.eqns:
        if equation.primitive.name in ("dynamic_slice", "gather"):
            asked = [equation.invars[0]]
        elif equation.primitive.name in ("jit", "pjit"):
            asked = [equation.invars[place] for place in looked_up_in(equation.params["jaxpr"].jaxpr)]
        else:
            asked = []
        found |= {place_of[v] for v in asked if not isinstance(v, jax_core.Literal) and v in place_of}
    return found
