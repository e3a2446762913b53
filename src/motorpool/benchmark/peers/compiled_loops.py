"""numbalsoda: DOP853 and LSODA, called for one person after the other from a loop that Numba compiles."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.benchmark.compiled import person_data, right_hand_side
from motorpool.benchmark.equations import SEGMENT_NUMBERS, Problem
from motorpool.benchmark.peers.peer import ABSOLUTE_SHARE, FROM_SOURCE, TOLERANCES, Peer, Solve

Numbers = NDArray[np.float64]
MOST_STEPS = 1_000_000


def numbalsoda_peers() -> tuple[Peer, ...]:
    """Both methods of numbalsoda."""
    return tuple(
        Peer(
            name=f"numbalsoda {method}",
            package="numbalsoda",
            install=FROM_SOURCE,
            how="one person after the other, everything compiled",
            people=32,
            settings=TOLERANCES,
            setting="relative tolerance",
            prepare=functools.partial(_prepare, method),
        )
        for method in ("DOP853", "LSODA")
    )


def _prepare(method: str, problem: Problem) -> Solve:
    carry = _loop(method)
    address = right_hand_side().address
    data = np.stack([person_data(problem, person) for person in range(problem.people)])
    shape = (len(problem.segments), *problem.initial.shape)

    def solve(tolerance: float) -> Numbers:
        found = np.full(shape, np.nan)
        carry(
            address,
            problem.initial,
            problem.edges,
            problem.segments,
            data,
            tolerance,
            tolerance * ABSOLUTE_SHARE,
            found,
        )
        return found

    return solve


@functools.cache
def _loop(method: str) -> Any:
    """The loop over people and segments, compiled."""
    import numba  # pyright: ignore[reportMissingImports]
    import numbalsoda  # pyright: ignore[reportMissingImports]

    integrate: Any = getattr(numbalsoda, method.lower())

    def carry(
        address: Any, initial: Any, edges: Any, segments: Any, data: Any, rtol: Any, atol: Any, found: Any
    ) -> None:
        for person in range(initial.shape[0]):
            state = initial[person].copy()
            mine = data[person]
            for place in range(segments.shape[0]):
                mine[:SEGMENT_NUMBERS] = segments[place]
                path, success = integrate(
                    address, state, edges[place : place + 2], mine, rtol, atol, MOST_STEPS
                )
                if not success:
                    break
                state = path[1].copy()
                found[place, person] = state

    return numba.njit(carry)
