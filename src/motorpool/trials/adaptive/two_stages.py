"""Estimates and intervals from two stages of which the first decided whether, or how, the second was made.

The first stage's estimate X1 and the second's X2, of its own patients alone, are independent and normal with known
errors s1 and s2. At an effect the two are joined as sqrt(w) (X1 - effect) / s1 + sqrt(1 - w) (X2 - effect) / s2. The
probability of a joined statistic at least as large as the one seen rises with the effect: the estimate is the effect
at which it is one half (median unbiased), the limits those at which it is half the error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from motorpool.trials.adaptive.crossing import START, reached
from motorpool.trials.adaptive.root import rising_roots
from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Numbers, check_confidence

# Numerical choices.
NODES = 96
REACH = 8.0  # standard deviations beyond which a density is nothing
SMALLEST = 1e-300
REPLICATES_AT_ONCE = 4000
UNIT_NODES, UNIT_WEIGHTS = np.polynomial.legendre.leggauss(NODES)


@dataclass(frozen=True, kw_only=True)
class TwoStages:
    """What was seen: estimates and errors of each stage, positive is better, and the share w; (replicates,) each."""

    first: Array
    first_error: Array
    second: Array
    second_error: Array
    first_weight: Array

    @classmethod
    def of(
        cls,
        first: ArrayLike,
        first_error: ArrayLike,
        second: ArrayLike,
        second_error: ArrayLike,
        weight: ArrayLike,
    ) -> TwoStages:
        """The stages, with one weight or one a replicate."""
        names = ("first", "first_error", "second", "second_error", "first_weight")
        values = (first, first_error, second, second_error, weight)
        shaped = np.broadcast_arrays(*(np.asarray(one, dtype=float) for one in values))
        return cls(**dict(zip(names, shaped, strict=True)))

    @classmethod
    def pooled(
        cls, first: ArrayLike, first_error: ArrayLike, second: ArrayLike, second_error: ArrayLike
    ) -> TwoStages:
        """The stages weighed by their information, as in a pooled estimate."""
        one, two = np.asarray(first_error, dtype=float) ** -2.0, np.asarray(second_error, dtype=float) ** -2.0
        return cls.of(first, first_error, second, second_error, one / (one + two))

    @property
    def usable(self) -> Numbers:
        """Places of the replicates in which both stages have an answer."""
        known = np.isfinite(self.first) & np.isfinite(self.second)
        return np.flatnonzero(known & (self.first_error > 0.0) & (self.second_error > 0.0))

    def at(self, chosen: Numbers) -> TwoStages:
        """Some of the replicates."""
        return TwoStages(**{name: values[chosen] for name, values in self.__dict__.items()})

    def later(self, first_z: Array, effect: Array) -> Array:
        """Deviate that the second stage must reach, (replicates, nodes), had X1 / s1 been first_z."""
        slope = np.sqrt(self.first_weight / (1.0 - self.first_weight))
        own = (self.second - effect) / self.second_error
        return np.asarray(
            own[:, None] - slope[:, None] * (first_z - (self.first / self.first_error)[:, None])
        )

    @property
    def joined(self) -> tuple[Array, Array]:
        """Effect at which the joined statistic is 0, and its error."""
        one, two = (
            np.sqrt(self.first_weight) / self.first_error,
            np.sqrt(1.0 - self.first_weight) / self.second_error,
        )
        return (one * self.first + two * self.second) / (one + two), 1.0 / (one + two)


@dataclass(frozen=True, kw_only=True)
class StageEstimate:
    """Median unbiased effect with interval, (replicates,) each; NaN where a stage has no answer."""

    estimate: Array
    low: Array
    high: Array


def selected_estimate(
    stages: TwoStages, lowest_z: ArrayLike, highest_z: ArrayLike = np.inf, *, confidence: float = CONFIDENCE
) -> StageEstimate:
    """Estimate of an arm that went on because its first statistic lay between two bounds.

    All probabilities are those given that it went on, so that an arm chosen for being the best is not flattered. With
    weights by information this is the exact conditional inference of Sampson and Sill (2005) for known errors.

    Args:
        stages: the two stages of that arm.
        lowest_z: least X1 / s1 with which it went on, one or (replicates,); -inf where any would have done.
        highest_z: X1 / s1 from which on there would have been no second stage.
        confidence: level of the interval.

    Raises:
        ValueError: a confidence level outside 0 to 1.
    """
    low, high = (
        np.broadcast_to(np.asarray(z, dtype=float), stages.first.shape) for z in (lowest_z, highest_z)
    )

    def stronger(chosen: Numbers) -> Callable[[Array], tuple[Array, Array]]:
        some = stages.at(chosen)

        def given(effect: Array) -> tuple[Array, Array]:
            shift = effect / some.first_error
            nodes, weights = _truncated(low[chosen] - shift, high[chosen] - shift)
            later = some.later(nodes + shift[:, None], effect)
            return (weights * ndtr(-later)).sum(axis=1), (weights * ndtr(later)).sum(axis=1)

        return given

    return _solved(stages, stronger, confidence)


def resized_estimate(
    stages: TwoStages,
    times: Sequence[float],
    lower_z: Array,
    upper_z: Array,
    *,
    confidence: float = CONFIDENCE,
) -> StageEstimate:
    """Estimate of a trial that went on at every look, the last of which set the size of its second stage.

    By the stage-wise ordering, with a weight that was fixed beforehand (Brannath, Mehta and Posch 2009): stronger are
    the trials stopped for efficacy at a look, and those that went on and have a larger joined statistic.

    Args:
        stages: before and after the last look.
        times: planned share of the information at each look.
        lower_z: boundary below which a trial stopped, by look.
        upper_z: boundary above which a trial stopped, by look.
        confidence: level of the interval.

    Raises:
        ValueError: a confidence level outside 0 to 1.
    """
    going = [START]
    for time, lower, upper in zip(times, lower_z, upper_z, strict=True):
        going.append(going[-1].after(float(time), float(lower), float(upper), 20.0))
    last, root = going[-1], float(np.sqrt(times[-1]))

    def stronger(chosen: Numbers) -> Callable[[Array], tuple[Array, Array]]:
        some = stages.at(chosen)

        def seen(effect: Array) -> tuple[Array, Array]:
            drift = effect / some.first_error / root
            before = np.zeros_like(effect)
            for place, (time, bound) in enumerate(zip(times, upper_z, strict=True)):
                before += reached(going[place], float(time), np.full_like(effect, bound), drift)
            shift = (drift * root)[:, None]
            mass = last.mass * np.exp(shift * last.nodes - 0.5 * shift**2)
            above = before + (mass * ndtr(-some.later(last.nodes[None], effect))).sum(axis=1)
            return above, np.maximum(1.0 - above, 0.0)

        return seen

    return _solved(stages, stronger, confidence)


def _solved(
    stages: TwoStages,
    stronger: Callable[[Numbers], Callable[[Array], tuple[Array, Array]]],
    confidence: float,
) -> StageEstimate:
    """Effects at which the probability of a stronger result is one half, and half the error on either side."""
    check_confidence(confidence)
    half = (1.0 - confidence) / 2.0
    found = np.full((3, len(stages.first)), np.nan)
    usable = stages.usable
    for begin in range(0, len(usable), REPLICATES_AT_ONCE):
        chosen = usable[begin : begin + REPLICATES_AT_ONCE]
        centre, error = stages.at(chosen).joined
        for row, level in enumerate((0.5, half, 1.0 - half)):
            target = float(ndtri(level))

            def gap(effect: Array, few: Numbers, target: float = target, chosen: Numbers = chosen) -> Array:
                above, below = stronger(chosen[few])(effect)
                small = ndtri(np.maximum(np.minimum(above, below), SMALLEST))
                return np.where(above < below, small, -small) - target

            found[row, chosen] = rising_roots(gap, centre + target * error, error)
    return StageEstimate(estimate=found[0], low=found[1], high=found[2])


def _truncated(low: Array, high: Array) -> tuple[Array, Array]:
    """Nodes and weights (replicates, nodes), adding up to 1, of a standard normal deviate between two bounds."""
    far = np.sqrt(REACH**2 + np.maximum(np.maximum(low, -high), 0.0) ** 2)
    begin, end = np.maximum(low, -far), np.minimum(high, far)
    half = 0.5 * np.maximum(end - begin, 0.0)[:, None]
    nodes = (begin[:, None] + half) + half * UNIT_NODES
    density = -0.5 * nodes**2
    weights = UNIT_WEIGHTS * np.exp(density - density.max(axis=1, keepdims=True))
    return nodes, weights / weights.sum(axis=1, keepdims=True)
