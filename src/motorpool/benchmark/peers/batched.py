"""diffrax: all people side by side in one program that JAX compiles."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.benchmark.equations import Problem, derivative
from motorpool.benchmark.peers.peer import ABSOLUTE_SHARE, FROM_WHEELS, TOLERANCES, Peer, Solve

Numbers = NDArray[np.float64]
FIRST_STEP_HOURS = 1.0
FIXED_STEPS_HOURS = (365.25, 182.625, 96.0, 48.0, 24.0, 12.0, 6.0, 3.0, 1.5)


def diffrax_peers() -> tuple[Peer, ...]:
    """Tsit5 with steps chosen by its error, and with fixed steps."""
    how = "all people at once, compiled by JAX"
    return (
        Peer(
            name="diffrax Tsit5",
            package="diffrax",
            install=FROM_WHEELS,
            how=how,
            people=64,
            settings=TOLERANCES,
            setting="relative tolerance",
            prepare=functools.partial(_prepare, True),
        ),
        Peer(
            name="diffrax Tsit5, fixed steps",
            package="diffrax",
            install=FROM_WHEELS,
            how=how,
            people=16,
            settings=FIXED_STEPS_HOURS,
            setting="step in hours",
            prepare=functools.partial(_prepare, False),
        ),
    )


def _prepare(adaptive: bool, problem: Problem) -> Solve:
    everybody = _program(adaptive)
    with jax.enable_x64(True):
        arrays = (problem.initial, problem.traits, problem.table, problem.segments, problem.edges[1:])
        held = [jnp.asarray(array) for array in arrays]

    def solve(setting: float) -> Numbers:
        with jax.enable_x64(True):
            return np.asarray(everybody(jnp.asarray(setting), *held))

    return solve


@functools.cache
def _program(adaptive: bool) -> Any:
    """All people through all segments, (segments, people, states)."""
    import diffrax

    term = diffrax.ODETerm(lambda hour, state, args: derivative(hour, state, *args))

    def controller_and_step(setting: Any) -> tuple[Any, Any]:
        if adaptive:
            return diffrax.PIDController(rtol=setting, atol=setting * ABSOLUTE_SHARE), FIRST_STEP_HOURS
        return diffrax.ConstantStepSize(), setting

    def one(setting: Any, initial: Any, traits: Any, table: Any, segments: Any, ends: Any) -> Any:
        controller, step = controller_and_step(setting)

        def next_segment(state: Any, segment: Any) -> tuple[Any, Any]:
            numbers, end = segment
            found: Any = diffrax.diffeqsolve(
                term,
                diffrax.Tsit5(),
                numbers[0],
                end,
                step,
                state,
                args=(numbers, traits, table),
                stepsize_controller=controller,
                saveat=diffrax.SaveAt(t1=True),
                max_steps=None,
                throw=False,
            )
            return found.ys[0], found.ys[0]

        return jax.lax.scan(next_segment, initial, (segments, ends))[1]

    return jax.jit(jax.vmap(one, in_axes=(None, 0, 0, 0, None, None), out_axes=1))
