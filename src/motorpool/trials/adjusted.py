"""Estimates that take account of the rules that change a trial, beside the naive ones that do not.

Each is built on normal statistics whose error is that of the naive 95 % interval, so that a trial without looks has
its naive interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from motorpool.trials.adaptive.boundaries import Boundaries
from motorpool.trials.adaptive.sequential_inference import SequentialEstimate, sequential_estimate
from motorpool.trials.adaptive.two_stages import (
    StageEstimate,
    TwoStages,
    resized_estimate,
    selected_estimate,
)
from motorpool.trials.analyses.estimate import CONFIDENCE, Estimate
from motorpool.trials.design import TrialDesign
from motorpool.trials.ending import Adjusted

Array = NDArray[Any]


def adjusted_method(design: TrialDesign) -> str:
    """How the adjusted estimate of a design comes about, in words."""
    if design.arm_dropping is not None:
        return "median unbiased, given that the arm went on"
    if design.response_adaptive is not None:
        return "stages between the looks joined with weights fixed beforehand"
    if design.interims is None:
        return "weighted as the combination test is"
    return "median unbiased, by the stage-wise ordering"


def without_adjusted(design: TrialDesign) -> str:
    """Which estimates of a design have no adjusted one beside them, and why, in a sentence; empty where none."""
    found: list[str] = []
    if design.arm_dropping is not None:
        ended = "an arm that was dropped" + (
            "" if design.interims is None else ", and every arm of a trial that ended at the look,"
        )
        found.append(
            f"{ended} has none: what is known of it is what decided, and an estimate given the decision would have "
            "no finite mean"
        )
    if design.safety is not None:
        found.append("a trial stopped for harm has none: the rule looks at harms, not at the endpoint")
    words = "; ".join(found)
    return words[:1].upper() + words[1:]


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
    lower, upper = _bounds(len(shares), efficacy, futility_z)
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


def after_stages(stages: Sequence[Estimate], weights: ArrayLike) -> Adjusted:
    """Estimate and interval of the combination test whose weights were fixed beforehand (Lawrence and Hung 2003).

    The statistic of each stage less the effect over its error, joined with the planned weights, is standard normal
    whatever size, or allocation, earlier stages led to: the effect at which it is 0 is median unbiased, those at which
    it is 1.96 are the limits. NaN where a stage has no answer.

    Args:
        stages: the estimate of the patients of each stage alone, (R,) each.
        weights: planned shares of the information, (stages,).
    """
    planned = np.asarray(weights, dtype=float)
    error = np.stack([interval_error(one) for one in stages], axis=-1)
    each = np.sqrt(planned / planned.sum()) / error
    information = each.sum(axis=-1)
    estimate = (each * np.stack([one.estimate for one in stages], axis=-1)).sum(axis=-1) / information
    margin = norm.ppf(0.5 + CONFIDENCE / 2.0) / information
    return Adjusted(estimate, estimate - margin, estimate + margin)


def after_looks_and_size(
    stopped: Adjusted,
    went_on: Array,
    before: Estimate,
    after: Estimate,
    first_weight: float,
    shares: Sequence[float],
    efficacy: Boundaries | None,
    futility_z: Array | None,
    sign: int,
) -> Adjusted:
    """Those of trials that stopped at a look, and of those that went on to a size set at the last look.

    Args:
        stopped: as :func:`after_looks` gives for trials that stopped, (R,).
        went_on: which trials had a second stage, (R,).
        before, after: estimates of the people up to the last look, and after it.
        first_weight: planned share of the information at the last look.
        shares, efficacy, futility_z, sign: as in :func:`after_looks`.
    """
    lower, upper = _bounds(len(shares), efficacy, futility_z)
    stages = TwoStages.of(
        np.where(went_on, sign * before.estimate, np.nan),
        interval_error(before),
        sign * after.estimate,
        interval_error(after),
        first_weight,
    )
    found = _turned(resized_estimate(stages, shares, lower, upper), sign)
    return Adjusted(
        *(
            np.where(went_on, getattr(found, name), getattr(stopped, name))
            for name in ("estimate", "low", "high")
        )
    )


def after_selection(
    went_on: Array, before: Estimate, after: Estimate, lowest_z: Array, highest_z: Array, sign: int
) -> Adjusted:
    """Of an arm that went on, given that it did (see :func:`selected_estimate`); NaN where it did not.

    Args:
        went_on: whether there was a second stage, (R,).
        before, after: estimates of the people up to the look, and after it.
        lowest_z, highest_z: bounds of the first statistic between which the arm went on, in the direction of benefit.
        sign: +1 where a positive estimate is a benefit, -1 where a negative one is.
    """
    one, two = interval_error(before), interval_error(after)
    stages = TwoStages.pooled(
        np.where(went_on, sign * before.estimate, np.nan), one, sign * after.estimate, two
    )
    # The statistic that decided need not be estimate over error, for example where a log-rank test did.
    with np.errstate(invalid="ignore"):
        other = stages.first / one - sign * before.normal_statistic
    return _turned(selected_estimate(stages, lowest_z + other, highest_z + other), sign)


def _turned(found: StageEstimate, sign: int) -> Adjusted:
    """The estimate in the direction of the endpoint."""
    if sign < 0:
        return Adjusted(-found.estimate, -found.high, -found.low)
    return Adjusted(found.estimate, found.low, found.high)


def _bounds(looks: int, efficacy: Boundaries | None, futility_z: Array | None) -> tuple[Array, Array]:
    """Statistics below and above which trials stop at each look, in the direction of benefit."""
    upper = np.full(looks, np.inf) if efficacy is None else efficacy.efficacy_z[:-1]
    lower = -upper if futility_z is None else np.maximum(-upper, np.minimum(futility_z, upper))
    return lower, upper


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
