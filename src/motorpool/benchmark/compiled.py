"""The right-hand side as machine code: ``void rhs(double t, double *y, double *dy, double *p)``, as C codes expect it.

The engine's own compiler writes it from the same traced equations, one person at a time and in double precision, with
the parameters of the model as constants. ``p`` holds one person: the numbers of the present segment, the traits, and
the table of amounts.
"""

from __future__ import annotations

import ctypes
import dataclasses
import functools
from typing import Any

import jax
import llvmlite.binding as llvm
import numpy as np
from numpy.typing import NDArray

from motorpool.benchmark.equations import (
    SEGMENT_NUMBERS,
    TRAITS,
    Problem,
    derivative,
    state_count,
    table_columns,
)
from motorpool.engine.native import machine
from motorpool.engine.native.arrays import Memory
from motorpool.engine.native.instructions import Instructions
from motorpool.engine.native.lowering import Lowering
from motorpool.engine.native.ordering import ordered
from motorpool.engine.native.overlapping import overlapped
from motorpool.engine.native.values import Value

Numbers = NDArray[np.float64]
NAME = "motorpool_right_hand_side"
DOUBLE = "float64"
MOST_ROWS = 1 << 20  # of the table; a bound that no segment reaches
SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_double, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


@dataclasses.dataclass(frozen=True)
class RightHandSide:
    """The compiled function: its address, and as something that Python can call with addresses."""

    address: int
    call: Any


@functools.cache
def right_hand_side() -> RightHandSide:
    """Compile the right-hand side; it serves every person, plan and age."""
    code = _compiled(_program())
    address = machine.load_object(code, NAME)
    return RightHandSide(address, SIGNATURE(address))


def person_data(problem: Problem, person: int) -> Numbers:
    """What ``p`` points to, with room for the numbers of a segment in front."""
    parts = (np.zeros(SEGMENT_NUMBERS), problem.traits[person], problem.table[person].reshape(-1))
    return np.concatenate(parts)


def _program() -> str:
    code = Instructions(1)
    lowering = Lowering(code)
    with jax.enable_x64(True):
        number = jax.ShapeDtypeStruct((), DOUBLE)
        shapes = {
            "state": (state_count(),),
            "segment": (SEGMENT_NUMBERS,),
            "traits": (len(TRAITS),),
            "table": (MOST_ROWS, table_columns()),
        }
        traced = jax.make_jaxpr(derivative)(
            number, *(jax.ShapeDtypeStruct(shape, DOUBLE) for shape in shapes.values())
        )
        places = {"segment": 0, "traits": SEGMENT_NUMBERS, "table": SEGMENT_NUMBERS + len(TRAITS)}
        bases = {"state": "%y"} | {
            name: code.address("%p", place, DOUBLE, False) for name, place in places.items()
        }
        inputs = [
            Memory(bases[name], shape, DOUBLE, wide=False, unchanging=True) for name, shape in shapes.items()
        ]
        hour = np.array(Value("%t", DOUBLE, False), dtype=object).reshape(())
        (rates,) = lowering.run(traced.jaxpr, traced.consts, [hour, *inputs])
    out = Memory("%dy", shapes["state"], DOUBLE, wide=False)
    for place, value in enumerate(lowering.values(rates)):
        lowering.write(out, place, value)
    return "\n".join(
        [
            f"define void @{NAME}(double %t, ptr noalias %y, ptr noalias %dy, ptr noalias %p) nounwind {{",
            "entry:",
            *code.entry_lines,
            *overlapped(ordered([*code.lines, "  ret void"])[:-1]),
            "  ret void",
            "}",
            *sorted(code.declarations),
            "!0 = !{}",
            "",
        ]
    )


def _compiled(text: str) -> bytes:
    """Machine code, with everything that helps code for one person at a time."""
    target = machine.target_machine()
    module = llvm.parse_assembly(text)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.slp_vectorization = True
    builder = llvm.create_pass_builder(target, options)
    builder.getModulePassManager().run(module, builder)
    return target.emit_object(module)
