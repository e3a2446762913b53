"""The reference solution, and the error of a solution beside it."""

from __future__ import annotations

import jax
import numpy as np
from numpy.typing import NDArray

from motorpool.benchmark.equations import Problem, double_parameters
from motorpool.benchmark.peers.one_by_one import scipy_states
from motorpool.biology.system import newborn_body

Numbers = NDArray[np.float64]
REFERENCE_TOLERANCE = 1e-10
SMALLEST_SHARE_OF_RANGE = 0.01


def reference(problem: Problem) -> Numbers:
    """States at the ends of the segments, (segments, people, states): SciPy's DOP853 at a tolerance of 1e-10."""
    return scipy_states(problem, "DOP853", REFERENCE_TOLERANCE)


def relative_errors(states: Numbers, exact: Numbers) -> Numbers:
    """|difference| / max(|value|, 1 % of the state's range) of every number (..., states)."""
    allowed = np.maximum(np.abs(exact), SMALLEST_SHARE_OF_RANGE * _ranges(exact.shape[-1]))
    return np.abs(states - exact) / allowed


def relative_error(states: Numbers, exact: Numbers) -> float:
    """The largest of :func:`relative_errors`; infinite where a state is not a number."""
    return float(relative_errors(states, exact).max()) if np.isfinite(states).all() else float("inf")


def _ranges(states: int) -> Numbers:
    """Range of every state, (states,): one for shares."""
    biology = double_parameters()[0].biology
    special = {
        "muscle": float(biology.muscle.ceiling),
        "cobb_degrees": float(biology.skeleton.cobb_maximum_degrees),
    }
    body = newborn_body(1, np.dtype(np.float32))
    paths = jax.tree_util.tree_leaves_with_path(body)
    by_leaf = [np.full(leaf.size, special.get(path[0].name, 1.0)) for path, leaf in paths]
    found = np.concatenate(by_leaf)
    return np.concatenate([found, np.ones(states - found.size)])
