"""Weights that make simulated people look like a study's own patients at baseline.

Where a paper reports the mean and SD of a baseline score, people are weighed to them: the weights closest to equal
ones whose moments are near the published ones. How near is a compromise with the number of people who still count, so
that a model that has few such people is used with caution and never fails.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from motorpool.cohorts.reweighting import effective_sample_size

Vector = NDArray[np.float64]
# Numerical choices: the price of leaning on few people, and the share of people that must still count.
PENALTY, PENALTY_GROWTH, MOST_ATTEMPTS = 0.02, 4.0, 8
LEAST_EFFECTIVE_SHARE = 0.2
HALVINGS = 40


def soft_weights(values: Mapping[str, Vector], targets: Mapping[str, tuple[float, float]]) -> Vector:
    """Weights (P,), adding to 1, under which each value comes near its target mean and SD.

    Args:
        values: baseline scores by outcome, each (P,).
        targets: (mean, sd) by outcome.
    """
    people = next(iter(values.values())).size
    columns: list[Vector] = []
    for name, (mean, sd) in targets.items():
        standardised = (np.asarray(values[name], np.float64) - mean) / sd
        columns += [standardised, standardised**2 - 1.0]
    features = np.stack(columns, axis=1)
    penalty = PENALTY
    weights = np.full(people, 1.0 / people)
    for _ in range(MOST_ATTEMPTS):
        weights = _penalised(features, penalty)
        if effective_sample_size(weights) >= LEAST_EFFECTIVE_SHARE * people:
            return weights
        penalty *= PENALTY_GROWTH
    return _flattened(weights, LEAST_EFFECTIVE_SHARE * people)


def _flattened(weights: Vector, least: float) -> Vector:
    """The same weights, raised to the largest power below 1 under which they are worth at least so many people: for
    targets so far away that no penalty holds the weights back."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        power = 0.5 * (low + high)
        raised = weights**power
        if effective_sample_size(raised / raised.sum()) >= least:
            low = power
        else:
            high = power
    raised = weights**low
    return raised / raised.sum()


def _penalised(features: Vector, penalty: float) -> Vector:
    def objective(multipliers: Vector) -> tuple[float, Vector]:
        exponent = features @ multipliers
        top = float(exponent.max())
        weights = np.exp(exponent - top)
        total = float(weights.sum())
        value = top + float(np.log(total)) + 0.5 * penalty * float(multipliers @ multipliers)
        return value, features.T @ weights / total + penalty * multipliers

    found = minimize(objective, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B")
    exponent = features @ np.asarray(found.x)
    weights = np.exp(exponent - exponent.max())
    return weights / weights.sum()
