"""Weighted statistics of many replicate samples at once: (R, n) values and weights in, (R,) statistics out.

A replicate is one way in which a study of this size could have drawn its patients. People who are not counted carry
NaN. The batched Cox estimate is checked against a statistics library in the tests.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
NEWTON_STEPS = 8
LARGEST_LOG_HAZARD_RATIO = 4.0  # numerical guard where one arm has no event


def _counted(values: Array, weights: Array) -> tuple[Array, Array]:
    kept = ~np.isnan(values)
    shares = np.where(kept, weights, 0.0)
    total = shares.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(kept, values, 0.0), shares / total


def mean(values: Array, weights: Array) -> Array:
    """Weighted mean."""
    kept, shares = _counted(values, weights)
    return np.asarray((kept * shares).sum(axis=-1))


def standard_deviation(values: Array, weights: Array) -> Array:
    """Weighted standard deviation with the small-sample correction for the effective number of people."""
    kept, shares = _counted(values, weights)
    centre = (kept * shares).sum(axis=-1, keepdims=True)
    variance = (shares * (kept - centre) ** 2).sum(axis=-1)
    lost = (shares**2).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt(variance / (1.0 - lost))


def median(values: Array, weights: Array) -> Array:
    """Weighted median; +inf values (events not seen) are allowed and sort last. NaN where nobody is counted."""
    kept = ~np.isnan(values)
    order = np.argsort(np.where(kept, values, np.inf), axis=-1, kind="stable")
    ordered = np.take_along_axis(np.where(kept, values, np.inf), order, axis=-1)
    shares = np.take_along_axis(np.where(kept, weights, 0.0), order, axis=-1)
    cumulative = np.cumsum(shares, axis=-1)
    total = cumulative[..., -1:]
    half = 0.5 * total
    place = np.argmax(cumulative >= half * (1.0 - 1e-12), axis=-1)[..., None]
    following = np.minimum(place + 1, values.shape[-1] - 1)
    exact = np.isclose(np.take_along_axis(cumulative, place, axis=-1), half, rtol=1e-9)
    low = np.take_along_axis(ordered, place, axis=-1)
    high = np.take_along_axis(ordered, np.where(exact, following, place), axis=-1)
    return np.where(total > 0, 0.5 * (low + high), np.nan)[..., 0]


def cox_log_hazard_ratio(
    times: Array, events: NDArray[np.bool_], treated: NDArray[np.bool_], weights: Array
) -> Array:
    """Log hazard ratio of the treated against the others by Cox's partial likelihood (Breslow ties), (R,).

    All arguments (R, n). Newton's method on the one coefficient, for all replicates together.
    """
    order = np.argsort(-times, axis=-1, kind="stable")  # latest first: running sums are risk sets
    times, weights = (np.take_along_axis(array, order, axis=-1) for array in (times, weights))
    events, treated = (np.take_along_axis(array, order, axis=-1) for array in (events, treated))
    # Ties share the risk set of the last of them.
    last_of_tie = np.concatenate([times[:, 1:] != times[:, :-1], np.ones_like(times[:, :1], bool)], axis=-1)
    positions = np.where(last_of_tie, np.arange(times.shape[1]), times.shape[1])
    place = np.minimum.accumulate(positions[:, ::-1], axis=-1)[:, ::-1]
    at_risk_treated = np.take_along_axis(np.cumsum(weights * treated, axis=-1), place, axis=-1)
    at_risk_others = np.take_along_axis(np.cumsum(weights * ~treated, axis=-1), place, axis=-1)
    event_weight = weights * events
    observed = (event_weight * treated).sum(axis=-1)
    coefficient = np.zeros(times.shape[0])
    for _ in range(NEWTON_STEPS):
        ratio = np.exp(coefficient)[:, None]
        share = ratio * at_risk_treated / np.maximum(ratio * at_risk_treated + at_risk_others, 1e-300)
        score = observed - (event_weight * share).sum(axis=-1)
        information = (event_weight * share * (1.0 - share)).sum(axis=-1)
        step = np.where(information > 1e-12, score / np.maximum(information, 1e-12), 0.0)
        coefficient = np.clip(
            coefficient + np.clip(step, -1.0, 1.0), -LARGEST_LOG_HAZARD_RATIO, LARGEST_LOG_HAZARD_RATIO
        )
    return coefficient
