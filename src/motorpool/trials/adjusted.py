"""Estimates that take account of looks and of a size that was set anew, beside the naive ones that do not.

Each is built on normal statistics whose error is that of the naive 95 % interval, so that a trial without looks has
its naive interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from motorpool.trials.adaptive.boundaries import Boundaries
from motorpool.trials.adaptive.sequential_inference import SequentialEstimate, sequential_estimate
from motorpool.trials.analyses.estimate import CONFIDENCE, Estimate
from motorpool.trials.design import TrialDesign
from motorpool.trials.ending import Adjusted

Array = NDArray[Any]


def adjusted_method(design: TrialDesign) -> str:
    """How the adjusted estimate of a design comes about, in words."""
    if design.interims is None:
        return "weighted as the combination test is"
    return "median unbiased, by the stage-wise ordering"


def interval_error(estimate: Estimate) -> Array:
    """Standard error of a normal estimate with the same 95 % interval, (R,)."""
    return (estimate.high - estimate.low) / (2.0 * norm.ppf(0.5 + CONFIDENCE / 2.0))


def after_looks(
    naive: Estimate,
    look: Array,
    shares: Sequence[float],
    efficacy: Boundaries | None,
    futility_z: Array | None,
    sign: int,
) -> Adjusted:
    """Median unbiased estimates and intervals by the stage-wise ordering (Tsiatis, Rosner and Mehta 1984).

    Both boundaries of efficacy and the futility rule count as followed. A trial that stopped below is the mirror image
    of one that stopped above.

    Args:
        naive: the estimate at the look where each replicate ended, (R,).
        look: index of that look, (R,); as many as there are shares for the end.
        shares: of the information, at the looks before the end.
        efficacy: boundaries on either side; None where no trial stops early for efficacy.
        futility_z: boundary by look below which trials stop, in the direction of benefit; None without one.
        sign: +1 where a positive estimate is a benefit, -1 where a negative one is.
    """
    never = np.full(len(shares), np.inf)
    upper = never if efficacy is None else efficacy.efficacy_z[:-1]
    lower = -upper if futility_z is None else np.maximum(-upper, np.minimum(futility_z, upper))
    effect, error = sign * naive.estimate, interval_error(naive)
    with np.errstate(invalid="ignore", divide="ignore"):
        between = np.append(
            0.5 * (lower + upper), -np.inf
        )  # infinite where one of the two boundaries is absent
        below = effect / error < between[look]
    above = _ordered(np.where(below, np.nan, effect), error, look, shares, lower, upper)
    mirrored = _ordered(np.where(below, -effect, np.nan), error, look, shares, -upper, -lower)
    estimate = np.where(below, -mirrored.estimate, above.estimate)
    low = np.where(below, -mirrored.high, above.low)
    high = np.where(below, -mirrored.low, above.high)
    if sign < 0:
        return Adjusted(-estimate, -high, -low)
    return Adjusted(estimate, low, high)


def after_promising_zone(before: Estimate, after: Estimate, weights: Array) -> Adjusted:
    """Estimate and interval of the combination test whose weights were fixed beforehand (Lawrence and Hung 2003).

    The statistic of each stage less the effect over its error, joined with the planned weights, is standard normal
    whatever size was chosen: the effect at which it is 0 is median unbiased, those at which it is 1.96 are the limits.
    """
    first, second = np.sqrt(weights / weights.sum())
    one, two = interval_error(before), interval_error(after)
    information = first / one + second / two
    estimate = (first * before.estimate / one + second * after.estimate / two) / information
    margin = norm.ppf(0.5 + CONFIDENCE / 2.0) / information
    return Adjusted(estimate, estimate - margin, estimate + margin)


def _ordered(
    effect: Array, error: Array, look: Array, shares: Sequence[float], lower: Array, upper: Array
) -> SequentialEstimate:
    boundaries = Boundaries(
        information=np.asarray([*shares, 1.0]),
        efficacy_z=np.asarray([*upper, np.inf]),
        futility_z=np.asarray([*lower, -np.inf]),
        alpha_spent=np.zeros(len(shares) + 1),
        binding=True,
    )
    return sequential_estimate(effect, error, look, boundaries)
