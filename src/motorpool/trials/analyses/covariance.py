"""Structures of the covariance of one patient's repeated values, with derivatives for the restricted likelihood.

Each structure maps parameters (replicates, K) to matrices (replicates, visits, visits) and to first and second
derivatives (replicates, K, visits, visits) and (replicates, K, K, visits, visits).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import numpy as np

from motorpool.trials.analyses.estimate import Array, Flags

Covariance = Literal[
    "unstructured",
    "compound_symmetry",
    "heterogeneous_compound_symmetry",
    "autoregressive",
    "heterogeneous_autoregressive",
    "toeplitz",
]
COVARIANCES: tuple[Covariance, ...] = (
    "unstructured",
    "compound_symmetry",
    "heterogeneous_compound_symmetry",
    "autoregressive",
    "heterogeneous_autoregressive",
    "toeplitz",
)
LARGEST_CORRELATION = 0.9999
START_CORRELATION = 0.3


class Structure(ABC):
    """A family of covariance matrices of a given number of visits."""

    def __init__(self, visits: int) -> None:
        self.visits = visits
        self.lag = np.abs(np.subtract.outer(np.arange(visits), np.arange(visits)))

    @abstractmethod
    def matrix(self, parameters: Array) -> Array:
        """Covariance matrices."""

    @abstractmethod
    def first(self, parameters: Array) -> Array:
        """First derivatives of the matrices."""

    def second(self, parameters: Array) -> Array | None:
        """Second derivatives, or None where they are zero."""
        del parameters
        return None

    @abstractmethod
    def start(self, moments: Array) -> Array:
        """Parameters near a rough positive definite covariance (replicates, visits, visits)."""

    def allowed(self, parameters: Array) -> Flags:
        """Which parameters (replicates,) may be tried; whether the matrix is positive definite is tested apart."""
        return np.asarray(np.isfinite(parameters).all(axis=-1))


class Linear(Structure):
    """Matrices that are sums of fixed ones, each times a parameter: unstructured, Toeplitz, compound symmetry."""

    def __init__(self, visits: int, basis: Array) -> None:
        super().__init__(visits)
        self.basis = basis

    def matrix(self, parameters: Array) -> Array:  # noqa: D102
        return np.einsum("rk,kst->rst", parameters, self.basis)

    def first(self, parameters: Array) -> Array:  # noqa: D102
        return np.broadcast_to(self.basis, (len(parameters), *self.basis.shape))

    def start(self, moments: Array) -> Array:  # noqa: D102
        size = (self.basis**2).sum(axis=(1, 2))
        return np.einsum("kst,rst->rk", self.basis, moments) / size


class Correlated(Structure):
    """Standard deviations (one, or one a visit) times a correlation that falls with the lag to a power 0 or 1.

    Parameters are the standard deviations, then the correlation; the exponent of the correlation between two
    visits is 1 (compound symmetry) or their distance (autoregressive).
    """

    def __init__(self, visits: int, *, one_deviation: bool, autoregressive: bool) -> None:
        super().__init__(visits)
        self.one_deviation = one_deviation
        self.exponent = self.lag.astype(float) if autoregressive else (self.lag > 0).astype(float)
        self.lowest = -LARGEST_CORRELATION if autoregressive else -1.0 / max(visits - 1, 1) + 1e-4
        # Which deviations scale row s: (K - 1, visits).
        self.rows = np.ones((1, visits)) if one_deviation else np.eye(visits)

    def _parts(self, parameters: Array) -> tuple[Array, Array, Array]:
        deviations = parameters[:, :-1] @ self.rows
        correlation = parameters[:, -1]
        return deviations, deviations[:, :, None] * deviations[:, None, :], correlation

    def _correlations(self, correlation: Array, derivative: int) -> Array:
        """Correlations between visits, or their first or second derivative."""
        power = self.exponent
        factor = (np.ones_like(power), power, power * (power - 1.0))[derivative]
        raised = correlation[:, None, None] ** np.maximum(power - derivative, 0.0)
        return factor * raised

    def matrix(self, parameters: Array) -> Array:  # noqa: D102
        _, scale, correlation = self._parts(parameters)
        return scale * self._correlations(correlation, 0)

    def _scale_slopes(self, deviations: Array) -> Array:
        """Derivative of the products of deviations by each deviation, (replicates, K - 1, visits, visits)."""
        one = self.rows[None, :, :, None] * deviations[:, None, None, :]
        return one + np.swapaxes(one, -1, -2)

    def first(self, parameters: Array) -> Array:  # noqa: D102
        deviations, scale, correlation = self._parts(parameters)
        by_deviation = self._scale_slopes(deviations) * self._correlations(correlation, 0)[:, None]
        by_correlation = scale * self._correlations(correlation, 1)
        return np.concatenate([by_deviation, by_correlation[:, None]], axis=1)

    def second(self, parameters: Array) -> Array:  # noqa: D102
        deviations, scale, correlation = self._parts(parameters)
        count = parameters.shape[1]
        out = np.zeros((len(parameters), count, count, self.visits, self.visits))
        outer = self.rows[:, None, :, None] * self.rows[None, :, None, :]
        both = outer + np.swapaxes(outer, -1, -2)
        out[:, :-1, :-1] = both[None] * self._correlations(correlation, 0)[:, None, None]
        mixed = self._scale_slopes(deviations) * self._correlations(correlation, 1)[:, None]
        out[:, :-1, -1] = mixed
        out[:, -1, :-1] = mixed
        out[:, -1, -1] = scale * self._correlations(correlation, 2)
        return out

    def start(self, moments: Array) -> Array:  # noqa: D102
        variances = np.diagonal(moments, axis1=1, axis2=2)
        deviations = np.sqrt(variances @ self.rows.T / self.rows.sum(axis=1))
        return np.concatenate([deviations, np.full((len(moments), 1), START_CORRELATION)], axis=1)

    def allowed(self, parameters: Array) -> Flags:  # noqa: D102
        correlation = parameters[:, -1]
        inside = (correlation > self.lowest) & (correlation < LARGEST_CORRELATION)
        return np.asarray(
            np.isfinite(parameters).all(axis=-1) & (parameters[:, :-1] > 0.0).all(axis=-1) & inside
        )


def structure(name: Covariance, visits: int) -> Structure:
    """The structure of this name.

    Raises:
        ValueError: There is no structure of this name.
    """
    if name not in COVARIANCES:
        message = f"covariance is '{name}'; known are {', '.join(COVARIANCES)}"
        raise ValueError(message)
    lag = np.abs(np.subtract.outer(np.arange(visits), np.arange(visits)))
    if visits == 1 or name == "unstructured":
        pairs = [(s, t) for s in range(visits) for t in range(s, visits)]
        basis = np.zeros((len(pairs), visits, visits))
        for index, (s, t) in enumerate(pairs):
            basis[index, s, t] = basis[index, t, s] = 1.0
        return Linear(visits, basis)
    if name == "toeplitz":
        return Linear(visits, np.stack([(lag == distance).astype(float) for distance in range(visits)]))
    if name == "compound_symmetry":
        return Linear(visits, np.stack([np.eye(visits), (lag > 0).astype(float)]))
    return Correlated(
        visits,
        one_deviation=name == "autoregressive",
        autoregressive=name in ("autoregressive", "heterogeneous_autoregressive"),
    )
