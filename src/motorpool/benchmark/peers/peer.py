"""What a peer is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from motorpool.benchmark.equations import Problem

Numbers = NDArray[np.float64]
# With a setting (a tolerance or a step), the states at the ends of the segments, (segments, people, states).
Solve = Callable[[float], Numbers]
TOLERANCES = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 1e-7, 1e-8)
# States are compared down to a hundredth of their range, so that so much smaller numbers need no digits.
ABSOLUTE_SHARE = 1e-2
COMPARED_PEOPLE = 4  # people of each case whose states are compared with the reference
FROM_WHEELS = "pip install 'motorpool[bench]'"
FROM_SOURCE = (
    "pip install 'motorpool[bench-source]', which needs a Fortran compiler and CMake (see the documentation)"
)


@dataclasses.dataclass(frozen=True)
class Peer:
    """A general integrator.

    Attributes:
        name: library and method.
        package: the distribution that it comes from.
        install: how to get it.
        how: how it is given the people and the right-hand side.
        people: how many people it is timed on, ``COMPARED_PEOPLE`` at least.
        settings: from the cheapest to the most exact.
        setting: what the settings are.
        prepare: takes a problem, returns how to solve it. Raises ImportError where the library is missing.
    """

    name: str
    package: str
    install: str
    how: str
    people: int
    settings: tuple[float, ...]
    setting: str
    prepare: Callable[[Problem], Solve]
