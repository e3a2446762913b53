"""Kaplan-Meier curves and restricted mean survival time of many replicates at once."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate


@dataclass(frozen=True, kw_only=True)
class SurvivalCurve:
    """Share without the event at each asked time, (replicates, times), with Greenwood's error and log-log interval.

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
    """Product-limit curve of everyone observed; `time_years` and `event` are (replicates, patients)."""
    raise NotImplementedError


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

    NaN where a curve ends (last patient censored) before the horizon with people still event-free.
    """
    raise NotImplementedError
