"""Weights that make simulated people look like a study's own patients at baseline.

Where a paper reports the mean and SD of a baseline score, people are weighed to them: the weights closest to equal
ones whose moments are near the published ones. How near is a compromise with the number of people who still count, so
that a model that has few such people is used with caution and never fails. The weights change smoothly with the
people's scores, so that predictions do so with the parameters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, root_scalar

from motorpool.cohorts.reweighting import effective_sample_size

Vector = NDArray[np.float64]
# Numerical choices: the least price of leaning on few people, and the share of people that must still count.
PENALTY = 0.02
LEAST_EFFECTIVE_SHARE = 0.2
BRACKET_FACTOR = 10.0
PRECISION = 1e-9


def soft_weights(values: Mapping[str, Vector], targets: Mapping[str, tuple[float, float]]) -> Vector:
    """Weights (P,), adding to 1, under which each value comes near its target mean and SD.

    The penalty on uneven weights is ``PENALTY`` or, where too few people would count under it, the one under which
    exactly ``LEAST_EFFECTIVE_SHARE`` of them do.

    Args:
        values: baseline scores by outcome, each (P,).
        targets: (mean, sd) by outcome.
    """
    columns: list[Vector] = []
    for name, (mean, sd) in targets.items():
        standardised = (np.asarray(values[name], np.float64) - mean) / sd
        columns += [standardised, standardised**2 - 1.0]
    features = np.stack(columns, axis=1)
    least = LEAST_EFFECTIVE_SHARE * len(features)

    def missing(log_penalty: float) -> float:
        """Logarithm of the people who must count over those who do; falls as the penalty rises."""
        return math.log(least / effective_sample_size(_penalised(features, math.exp(log_penalty))))

    low = high = math.log(PENALTY)
    while missing(high) > 0.0:  # ends: the weights become equal as the penalty grows
        low, high = high, high + math.log(BRACKET_FACTOR)
    solved = high if low == high else root_scalar(missing, bracket=(low, high), xtol=PRECISION).root
    return _penalised(features, math.exp(solved))


def _penalised(features: Vector, penalty: float) -> Vector:
    """The weights ``exp(features @ multipliers)`` whose multipliers minimise log partition plus half the penalty times
    their squares: a convex problem, solved to the end by Newton's method within a trust region."""

    def weights_of(multipliers: Vector) -> tuple[float, Vector]:
        exponent = features @ multipliers
        top = float(exponent.max())
        weights = np.exp(exponent - top)
        total = float(weights.sum())
        return top + math.log(total), weights / total

    def objective(multipliers: Vector) -> tuple[float, Vector]:
        value, weights = weights_of(multipliers)
        gradient = features.T @ weights + penalty * multipliers
        return value + 0.5 * penalty * float(multipliers @ multipliers), gradient

    def curvature(multipliers: Vector) -> Vector:
        weights = weights_of(multipliers)[1]
        centred = features - features.T @ weights
        return centred.T @ (weights[:, None] * centred) + penalty * np.eye(multipliers.size)

    start = np.zeros(features.shape[1])
    found = minimize(
        objective, start, jac=True, hess=curvature, method="trust-exact", options={"gtol": PRECISION}
    )
    return weights_of(np.asarray(found.x))[1]
