"""Integrators that Python calls for one person at a time, with a compiled right-hand side: SciPy, and CVODE."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.benchmark.compiled import person_data, right_hand_side
from motorpool.benchmark.equations import SEGMENT_NUMBERS, Problem
from motorpool.benchmark.peers.peer import (
    ABSOLUTE_SHARE,
    COMPARED_PEOPLE,
    FROM_WHEELS,
    TOLERANCES,
    Peer,
    Solve,
)

Numbers = NDArray[np.float64]
# Carries one person from a state through one segment: (function, begin, end, state, tolerance) to the state then.
OneSegment = Callable[[Callable[..., Any], float, float, Numbers, float], Numbers]
HOW = "one person after the other, called from Python, compiled right-hand side"
MOST_STEPS = 1_000_000


def scipy_states(problem: Problem, method: str, tolerance: float) -> Numbers:
    """States at the ends of the segments, (segments, people, states), by SciPy's ``solve_ivp``."""
    from scipy.integrate import solve_ivp

    def one(function: Callable[..., Any], begin: float, end: float, state: Numbers, rtol: float) -> Numbers:
        found = solve_ivp(
            # SciPy also hands over columns of its Jacobian, which do not lie together in memory.
            lambda hour, now: function(hour, np.ascontiguousarray(now), np.empty(now.shape)),
            (begin, end),
            state,
            method=method,
            rtol=rtol,
            atol=rtol * ABSOLUTE_SHARE,
        )
        return found.y[:, -1] if found.success else np.full_like(state, np.nan)

    return _segment_by_segment(problem, one, tolerance)


def scipy_peers() -> tuple[Peer, ...]:
    """SciPy's methods for stiff systems."""

    def prepare(method: str, problem: Problem) -> Solve:
        return lambda tolerance: scipy_states(problem, method, tolerance)

    return tuple(
        Peer(
            name=f"SciPy solve_ivp {method}",
            package="scipy",
            install="pip install scipy",
            how=HOW,
            people=COMPARED_PEOPLE,
            settings=TOLERANCES,
            setting="relative tolerance",
            prepare=functools.partial(prepare, method),
        )
        for method in ("LSODA", "BDF")
    )


def sundials_peers() -> tuple[Peer, ...]:
    """CVODE of SUNDIALS through scikit-SUNDAE, with its formulas for stiff and for other systems."""

    def prepare(method: str, problem: Problem) -> Solve:
        from sksundae.cvode import CVODE  # pyright: ignore[reportMissingImports]

        def one(
            function: Callable[..., Any], begin: float, end: float, state: Numbers, rtol: float
        ) -> Numbers:
            solver: Any = CVODE(
                function, method=method, rtol=rtol, atol=rtol * ABSOLUTE_SHARE, max_num_steps=MOST_STEPS
            )
            found = solver.solve(np.asarray([begin, end]), state)
            return np.asarray(found.y[-1]) if found.success else np.full_like(state, np.nan)

        return lambda tolerance: _segment_by_segment(problem, one, tolerance)

    return tuple(
        Peer(
            name=f"SUNDIALS CVODE {method}",
            package="scikit-sundae",
            install=FROM_WHEELS,
            how=HOW,
            people=COMPARED_PEOPLE,
            settings=TOLERANCES,
            setting="relative tolerance",
            prepare=functools.partial(prepare, method),
        )
        for method in ("BDF", "Adams")
    )


def _segment_by_segment(problem: Problem, one: OneSegment, tolerance: float) -> Numbers:
    found = np.empty((len(problem.segments), *problem.initial.shape))
    for person in range(problem.people):
        data, state = person_data(problem, person), problem.initial[person]
        function = _function(data)
        for place, segment in enumerate(problem.segments):
            data[:SEGMENT_NUMBERS] = segment
            begin, end = problem.edges[place : place + 2]
            state = one(function, float(begin), float(end), state, tolerance)
            found[place, person] = state
    return found


def _function(data: Numbers) -> Callable[[float, Numbers, Numbers], Numbers]:
    """The compiled right-hand side as a function (hour, state, rates to fill in); it returns the rates."""
    call, place = right_hand_side().call, data.ctypes.data

    def function(hour: float, state: Numbers, rates: Numbers) -> Numbers:
        call(hour, state.ctypes.data, rates.ctypes.data, place)
        return rates

    return function
