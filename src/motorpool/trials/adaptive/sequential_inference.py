"""Estimates, p values and intervals after a group-sequential trial, by the stage-wise ordering.

A result counts as the stronger the earlier efficacy was shown, and within a look the larger its z (Tsiatis, Rosner
and Mehta 1984). The p value at a drift is the probability of a result at least as strong; the estimate is the drift
at which it is one half (median unbiased), the limits those at which it is half the error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from motorpool.trials.adaptive.boundaries import Boundaries
from motorpool.trials.adaptive.crossing import START, Going, reached
from motorpool.trials.adaptive.root import rising_roots
from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Numbers, check_confidence

SMALLEST = 1e-300
REPLICATES_AT_ONCE = 2000


@dataclass(frozen=True, kw_only=True)
class SequentialEstimate:
    """Median unbiased effect with interval, and one-sided p value, all (replicates,)."""

    estimate: Array
    low: Array
    high: Array
    p_value_one_sided: Array


def sequential_estimate(
    estimate: ArrayLike,
    standard_error: ArrayLike,
    look: ArrayLike,
    boundaries: Boundaries,
    *,
    confidence: float = CONFIDENCE,
) -> SequentialEstimate:
    """Correct the plain estimates at the look where each replicate stopped.

    A futility boundary counts only where it is binding.

    Args:
        estimate: Plain estimate at the stop, positive is better, (replicates,).
        standard_error: Its standard error, (replicates,).
        look: Index of the look at which each stopped, (replicates,).
        boundaries: The boundaries followed.
        confidence: Level of the interval.

    Raises:
        ValueError: A confidence level outside 0 to 1, or a look that there is none of.
    """
    check_confidence(confidence)
    effect, error = np.asarray(estimate, dtype=float), np.asarray(standard_error, dtype=float)
    stopped = np.asarray(look)
    looks = len(boundaries.information)
    if ((stopped < 0) | (stopped >= looks)).any():
        message = f"look must lie between 0 and {looks - 1}"
        raise ValueError(message)
    lower = boundaries.futility_z if boundaries.binding else np.full(looks, -np.inf)
    half = (1.0 - confidence) / 2.0
    found = np.full((4, len(effect)), np.nan)
    going: list[Going] = [START]
    for index, time in enumerate(boundaries.information):
        usable = np.flatnonzero((stopped == index) & np.isfinite(effect) & (error > 0.0))
        for first in range(0, len(usable), REPLICATES_AT_ONCE):
            chosen = usable[first : first + REPLICATES_AT_ONCE]
            stage = _Stage(boundaries.information[: index + 1], boundaries.efficacy_z, going)
            z = effect[chosen] / error[chosen]
            scale = np.sqrt(time) * error[chosen]  # from drift to effect
            for row, level in enumerate((0.5, half, 1.0 - half)):
                found[row, chosen] = stage.drift_at(z, level) * scale
            found[3, chosen] = stage.exceedance(np.zeros_like(z), z)[0]
        going.append(
            going[-1].after(float(time), float(lower[index]), float(boundaries.efficacy_z[index]), 20.0)
        )
    return SequentialEstimate(estimate=found[0], low=found[1], high=found[2], p_value_one_sided=found[3])


@dataclass(frozen=True)
class _Stage:
    """Probabilities of results at least as strong as those seen at the last of some looks."""

    times: Array
    efficacy_z: Array
    going: list[Going]

    def exceedance(self, drift: Array, z: Array) -> tuple[Array, Array]:
        """Probability of a result at least as strong, and of a weaker one (each exact where it is small)."""
        last = len(self.times) - 1
        stronger = np.zeros_like(drift)
        for index in range(last):
            stronger += reached(
                self.going[index], self.times[index], np.full_like(z, self.efficacy_z[index]), drift
            )
        stronger += reached(self.going[last], self.times[last], z, drift)
        return stronger, np.maximum(1.0 - stronger, SMALLEST)

    def drift_at(self, z: Array, level: float) -> Array:
        """Drift at which the probability of a result at least as strong is the level."""
        target = ndtri(level)

        def gap(drift: Array, chosen: Numbers) -> Array:
            stronger, weaker = self.exceedance(drift, z[chosen])
            deviate = np.where(stronger < 0.5, ndtri(np.maximum(stronger, SMALLEST)), -ndtri(weaker))
            return np.clip(deviate, -40.0, 40.0) - target

        scale = 1.0 / np.sqrt(self.times[-1])
        return rising_roots(gap, (z + target) * scale, np.full_like(z, scale))
