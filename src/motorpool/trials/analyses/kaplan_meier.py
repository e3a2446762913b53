"""Kaplan-Meier curves and restricted mean survival time of many replicates at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from motorpool.trials.analyses.estimate import (
    CONFIDENCE,
    Array,
    Estimate,
    Flags,
    Numbers,
    check_confidence,
    summarised,
)
from motorpool.trials.analyses.ordered import Ordered, ordered, survival_factors, survival_inputs
from motorpool.trials.analyses.patients import flags


@dataclass(frozen=True, kw_only=True)
class SurvivalCurve:
    """Share without the event at each asked time, (replicates, times), with Greenwood's error and log-log interval.

    `at_risk` counts people followed up to the time or longer; NaN where the curve ended before it.
    `median_years` (replicates,) is infinite where the curve never falls to a half.
    """

    at_years: Array
    survival: Array
    standard_error: Array
    low: Array
    high: Array
    at_risk: Array
    median_years: Array


@dataclass(frozen=True, kw_only=True)
class RestrictedMeanEstimate(Estimate):
    """Difference of mean event-free years up to the horizon; the means of both arms are (replicates,)."""

    mean_years_treated: Array
    mean_years_control: Array


def kaplan_meier(
    time_years: ArrayLike,
    event: ArrayLike,
    at_years: ArrayLike,
    *,
    observed: ArrayLike | None = None,
    confidence: float = CONFIDENCE,
) -> SurvivalCurve:
    """Product-limit curve of everyone observed; `time_years` and `event` are (replicates, patients).

    Raises:
        ValueError: Arrays of other shapes, a negative time, or a confidence level outside 0 to 1.
    """
    check_confidence(confidence)
    at = np.atleast_1d(np.asarray(at_years, dtype=float))
    time, happened, counted = survival_inputs(time_years, event, observed)
    here = ordered(time, counted)
    at_risk, events, factor = survival_factors(here, here.sort(happened).astype(float))
    curve: Array = np.asarray(np.cumprod(factor, axis=1), dtype=float)
    hazard_variance = np.cumsum(_greenwood(at_risk, events), axis=1)
    place = here.place_by(at)
    survival = _step(curve, place, 1.0)
    relative = _step(hazard_variance, place, 0.0)
    remaining = here.weight.sum(axis=1)[:, None] - (here.time[:, :, None] < at).sum(axis=1)
    latest = np.max(np.where(here.weight > 0.0, here.time, 0.0), axis=1)[:, None]
    survival = np.where((at > latest) & (survival > 0.0), np.nan, survival)
    with np.errstate(divide="ignore", invalid="ignore"):
        width = stats.norm.ppf(0.5 + confidence / 2.0) * np.sqrt(relative) / np.abs(np.log(survival))
        low, high = survival ** np.exp(width), survival ** np.exp(-width)
        error = survival * np.sqrt(relative)
    below = curve <= 0.5 + 1e-12
    median = np.where(
        below.any(axis=1), np.take_along_axis(here.time, below.argmax(axis=1)[:, None], axis=1)[:, 0], np.inf
    )
    return SurvivalCurve(
        at_years=at,
        survival=survival,
        standard_error=np.where(survival == 0.0, 0.0, error),
        low=np.where((survival == 1.0) | (survival == 0.0), survival, low),
        high=np.where((survival == 1.0) | (survival == 0.0), survival, high),
        at_risk=np.maximum(remaining, 0.0),
        median_years=median,
    )


def _greenwood(at_risk: Array, events: Array) -> Array:
    """Terms of Greenwood's variance of the log survival; 0 where everyone at risk has the event."""
    product = at_risk * (at_risk - events)
    return np.divide(events, product, out=np.zeros_like(events), where=product > 0.0)


def _step(values: Array, place: Numbers, before: float) -> Array:
    """Value of a right-continuous step function after the given numbers of people."""
    padded = np.concatenate([np.full((len(values), 1), before), values], axis=1)
    return np.take_along_axis(padded, place, axis=1)


def _arm_mean(time: Array, happened: Flags, counted: Flags, horizon: float) -> tuple[Array, Array]:
    """Restricted mean and its variance in one arm, NaN where the curve does not reach the horizon."""
    here: Ordered = ordered(time, counted)
    at_risk, events, factor = survival_factors(here, here.sort(happened).astype(float))
    curve = np.cumprod(factor, axis=1)
    until = np.minimum(here.time, horizon)
    following = np.concatenate([until[:, 1:], np.full((len(until), 1), horizon)], axis=1)
    pieces = curve * (following - until)  # area of each step; those not counted add up to the horizon
    ahead = np.cumsum(pieces[:, ::-1], axis=1)[:, ::-1]  # area from each time on
    mean = until[:, 0] + ahead[:, 0]
    inside = here.time <= horizon
    variance = np.where(inside, ahead**2 * _greenwood(at_risk, events), 0.0).sum(axis=1)
    latest = np.max(np.where(here.weight > 0.0, here.time, -1.0), axis=1)
    reached = (latest >= horizon) | ((curve[:, -1] == 0.0) & (latest >= 0.0))
    return np.where(reached, mean, np.nan), np.where(reached, variance, np.nan)


def restricted_mean(
    time_years: ArrayLike,
    event: ArrayLike,
    treated: ArrayLike,
    *,
    horizon_years: float,
    observed: ArrayLike | None = None,
    confidence: float = CONFIDENCE,
) -> RestrictedMeanEstimate:
    """Difference of restricted mean survival times, treated minus control; arrays (replicates, patients).

    The variance is Greenwood's. NaN where a curve ends (last patient censored) before the horizon with people still
    event-free.

    Raises:
        ValueError: A horizon that is not positive, arrays of other shapes, or a negative time.
    """
    if not horizon_years > 0.0:
        message = f"horizon_years is {horizon_years}; it must be positive"
        raise ValueError(message)
    time, happened, counted = survival_inputs(time_years, event, observed)
    arm = flags(treated, "treated")
    with_treatment, variance_treated = _arm_mean(time, happened, counted & arm, horizon_years)
    without, variance_control = _arm_mean(time, happened, counted & ~arm, horizon_years)
    error = np.sqrt(variance_treated + variance_control)
    return RestrictedMeanEstimate(
        **summarised(with_treatment - without, error, np.inf, confidence),
        mean_years_treated=with_treatment,
        mean_years_control=without,
    )
