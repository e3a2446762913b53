"""Probabilities that a sequence of statistics crosses boundaries, by recursive integration.

The statistics Z(t) at information times t are normal with variance 1, covariance sqrt(s / t) for s < t and mean
drift * sqrt(t) (Armitage, McPherson and Rowe 1969; Jennison and Turnbull 2000, chapter 19). The density of those
who have not stopped is kept at the nodes of Gauss-Legendre quadrature. It is computed without drift; with drift it
is multiplied by exp(drift z sqrt(t) - drift^2 t / 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from motorpool.trials.analyses.estimate import Array

NODES = 24
PANELS = 8
REACH = 9.0  # standard deviations beyond which a density is nothing
ROOT_TWO_PI = float(np.sqrt(2.0 * np.pi))
UNIT_NODES, UNIT_WEIGHTS = np.polynomial.legendre.leggauss(NODES)


@dataclass(frozen=True)
class Going:
    """Those who have not stopped at a look: information time, nodes z, weights times density, without drift."""

    time: float
    nodes: Array
    mass: Array

    def density(self, time: float, z: ArrayLike) -> Array:
        """Density at later statistics z, without drift."""
        values = np.asarray(z, dtype=float)
        step = time - self.time
        root = np.sqrt(time / step)
        gap = (values[..., None] * np.sqrt(time) - self.nodes * np.sqrt(self.time)) / np.sqrt(step)
        return root / ROOT_TWO_PI * (np.exp(-0.5 * gap**2) @ self.mass)

    def above(self, time: float, bound: float, drift: float = 0.0) -> float:
        """Probability to go on until now and then reach the bound."""
        return self._tail(time, bound, drift, 1.0)

    def below(self, time: float, bound: float, drift: float = 0.0) -> float:
        """Probability to go on until now and then fall below the bound."""
        return self._tail(time, bound, drift, -1.0)

    def _tail(self, time: float, bound: float, drift: float, sign: float) -> float:
        step = time - self.time
        gap = (bound * np.sqrt(time) - self.nodes * np.sqrt(self.time) - drift * step) / np.sqrt(step)
        return float(ndtr(-sign * gap) @ self.drifted(drift))

    def drifted(self, drift: float) -> Array:
        """Mass at the nodes with drift."""
        return self.mass * np.exp(drift * self.nodes * np.sqrt(self.time) - 0.5 * drift**2 * self.time)

    def after(self, time: float, lower: float, upper: float, reach: float = REACH) -> Going:
        """Those who still have not stopped after the next look, going on between the bounds."""
        low, high = max(lower, -reach), min(upper, reach)
        if not low < high:
            return Going(time, np.zeros(1), np.zeros(1))
        nodes, weights = panels(low, high)
        return Going(time, nodes, weights * self.density(time, nodes))


START = Going(0.0, np.zeros(1), np.ones(1))


def reached(going: Going, time: float, bound: Array, drift: Array) -> Array:
    """Probability (replicates,) to go on until now and then reach the bound, with bounds and drifts (replicates,)."""
    step = time - going.time
    gap = bound[:, None] * np.sqrt(time) - going.nodes * np.sqrt(going.time) - drift[:, None] * step
    exponent = drift[:, None] * going.nodes * np.sqrt(going.time) - 0.5 * drift[:, None] ** 2 * going.time
    return np.asarray((ndtr(-gap / np.sqrt(step)) * np.exp(exponent)) @ going.mass)


def panels(low: float, high: float) -> tuple[Array, Array]:
    """Nodes and weights of composite Gauss-Legendre quadrature."""
    edges = np.linspace(low, high, PANELS + 1)
    half = np.diff(edges) / 2.0
    nodes = (edges[:-1] + half)[:, None] + half[:, None] * UNIT_NODES
    return nodes.ravel(), (half[:, None] * UNIT_WEIGHTS).ravel()


@dataclass(frozen=True)
class Exits:
    """Probability to stop at each look by crossing the upper and the lower boundary, (looks,)."""

    upper: Array
    lower: Array


def exit_probabilities(
    information: Sequence[float] | Array,
    lower: Sequence[float] | Array,
    upper: Sequence[float] | Array,
    drift: float = 0.0,
) -> Exits:
    """Probabilities to cross at each look; `drift` is the mean of the final statistic (information 1).

    At the last look everyone below the upper boundary counts as crossing the lower one.
    """
    going = START
    reach = REACH + abs(drift)
    above, below = [], []
    looks = len(information)
    for look in range(looks):
        time, low, high = float(information[look]), float(lower[look]), float(upper[look])
        above.append(going.above(time, high, drift))
        below.append(going.below(time, high if look == looks - 1 else low, drift))
        going = going.after(time, low, high, reach)
    return Exits(np.asarray(above), np.asarray(below))
