"""Reweighting a pool of people so that baseline scores have the published mean and spread."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

Vector = NDArray[np.float64]
LARGEST_MULTIPLIER = 20.0


class ReweightingError(ValueError):
    """The pool holds nobody like the published population."""


def matching_weights(values: Mapping[str, Vector], targets: Mapping[str, tuple[float, float]]) -> Vector:
    """Weights (P,), adding to 1, closest to equal ones, under which each value has its target mean and SD.

    Args:
        values: baseline scores of the pool by outcome, each (P,).
        targets: (mean, sd) by outcome.

    Raises:
        ReweightingError: no weights reach the targets within a tenth of an SD.
    """
    columns: list[Vector] = []
    for name, (mean, sd) in targets.items():
        if not values[name].min() < mean < values[name].max():
            raise ReweightingError(f"nobody in the pool lies beyond the mean of {mean:g} asked for {name}")
        standardised = (values[name] - mean) / sd
        columns += [standardised, standardised**2 - 1.0]
    features = np.stack(columns, axis=1)

    def log_partition(multipliers: Vector) -> tuple[float, Vector]:
        exponent = features @ multipliers
        top = float(exponent.max())
        weights = np.exp(exponent - top)
        total = float(weights.sum())
        return top + float(np.log(total)), features.T @ weights / total

    # Bounds keep the search where the exponentials are finite; weights at a bound miss the targets and are refused.
    limits = [(-LARGEST_MULTIPLIER, LARGEST_MULTIPLIER)] * features.shape[1]
    found = minimize(log_partition, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B", bounds=limits)
    exponent = features @ np.asarray(found.x)
    weights = np.exp(exponent - exponent.max())
    weights /= weights.sum()
    missed = np.abs(features.T @ weights).max()
    if not np.isfinite(missed) or missed > 0.1:
        raise ReweightingError(f"the pool cannot be weighted to the targets (off by {missed:.2f} SD)")
    return weights


def effective_sample_size(weights: Vector) -> float:
    """Kish's effective number of people behind weights that add to 1."""
    return float(1.0 / np.sum(weights**2))


def systematic_choice(weights: Vector, count: int, offset: float = 0.5) -> NDArray[np.int64]:
    """Indices (count,) chosen with probability proportional to the weights, evenly spread; rising."""
    positions = (np.arange(count) + offset) / count
    return np.minimum(np.searchsorted(np.cumsum(weights), positions), weights.size - 1)
