"""Estimates, p values and intervals after a group-sequential trial, by the stage-wise ordering.

A result counts as the stronger the earlier efficacy was shown, and within a look the larger its z (Tsiatis, Rosner
and Mehta 1984). The p value at a drift is the probability of a result at least as strong; the estimate is the drift
at which it is one half (median unbiased), the limits those at which it is half the error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from motorpool.trials.adaptive.boundaries import Boundaries
from motorpool.trials.adaptive.crossing import START, Going
from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Flags, Numbers, check_confidence

STEPS = 40
SMALLEST = 1e-300
SETTLED = 1e-8
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
            stronger += _tail(
                self.going[index], self.times[index], np.full_like(z, self.efficacy_z[index]), drift, 1.0
            )
        stronger += _tail(self.going[last], self.times[last], z, drift, 1.0)
        return stronger, np.maximum(1.0 - stronger, SMALLEST)

    def drift_at(self, z: Array, level: float) -> Array:
        """Drift at which the probability of a result at least as strong is the level."""
        target = ndtri(level)

        def gap(drift: Array, chosen: Numbers) -> Array:
            stronger, weaker = self.exceedance(drift, z[chosen])
            deviate = np.where(stronger < 0.5, ndtri(np.maximum(stronger, SMALLEST)), -ndtri(weaker))
            return np.clip(deviate, -40.0, 40.0) - target

        scale = 1.0 / np.sqrt(self.times[-1])
        return _root(gap, (z + target) * scale, np.full_like(z, scale))


def _tail(going: Going, time: float, bound: Array, drift: Array, sign: float) -> Array:
    """Probability (replicates,) to go on until now and then reach the bound, with drifts (replicates,)."""
    step = time - going.time
    gap = bound[:, None] * np.sqrt(time) - going.nodes * np.sqrt(going.time) - drift[:, None] * step
    exponent = drift[:, None] * going.nodes * np.sqrt(going.time) - 0.5 * drift[:, None] ** 2 * going.time
    return np.asarray((ndtr(-sign * gap / np.sqrt(step)) * np.exp(exponent)) @ going.mass)


def _root(rising: Callable[[Array, Numbers], Array], start: Array, step: Array) -> Array:
    """Root of a rising, nearly straight function, one for each replicate: bracketed, then by the Illinois method."""
    every = np.arange(len(start))
    low, high = start - step, start + step
    at_low, at_high = rising(low, every), rising(high, every)
    for _ in range(STEPS):
        short = (at_low > 0.0) | (at_high < 0.0)
        if not short.any():
            break
        step = np.where(short, 2.0 * step, step)
        chosen = np.flatnonzero(short)
        low[chosen], high[chosen] = (low - step)[chosen], (high + step)[chosen]
        at_low[chosen], at_high[chosen] = rising(low[chosen], chosen), rising(high[chosen], chosen)
    guess = _secant(low, high, at_low, at_high)
    active = every
    for _ in range(STEPS):
        value = rising(guess[active], active)
        under: Flags = value < 0.0
        at_high[active] = np.where(under, 0.5 * at_high[active], value)
        at_low[active] = np.where(under, value, 0.5 * at_low[active])
        low[active] = np.where(under, guess[active], low[active])
        high[active] = np.where(under, high[active], guess[active])
        following = _secant(low[active], high[active], at_low[active], at_high[active])
        moved = np.abs(following - guess[active])
        guess[active] = following
        active = active[(moved > SETTLED) & (np.abs(value) > SETTLED)]
        if not len(active):
            break
    return guess


def _secant(low: Array, high: Array, at_low: Array, at_high: Array) -> Array:
    """Where the straight line crosses zero; the middle where it does not do so inside."""
    with np.errstate(invalid="ignore", divide="ignore"):
        crossing = (low * at_high - high * at_low) / (at_high - at_low)
    inside = np.isfinite(crossing) & (crossing >= low) & (crossing <= high)
    return np.where(inside, crossing, 0.5 * (low + high))
