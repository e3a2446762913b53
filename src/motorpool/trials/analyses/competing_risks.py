"""Competing risks of many replicates at once: Aalen-Johansen, Gray's test and cause-specific hazards."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from motorpool.trials.analyses.cox import CoxEstimate, Ties
from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate


@dataclass(frozen=True, kw_only=True)
class IncidenceCurve:
    """Share who have had the event of interest by each asked time, (replicates, times), with its error."""

    at_years: Array
    incidence: Array
    standard_error: Array


@dataclass(frozen=True, kw_only=True)
class IncidenceEstimate(Estimate):
    """Difference of cumulative incidence at one time, treated minus control."""

    incidence_treated: Array
    incidence_control: Array


@dataclass(frozen=True, kw_only=True)
class GrayEstimate(Estimate):
    """Gray's test; the estimate is the one-step log ratio of subdistribution hazards."""

    events: Array
    chi_square: Array


def aalen_johansen(
    time_years: ArrayLike,
    cause: ArrayLike,
    at_years: ArrayLike,
    *,
    of_interest: int = 1,
    observed: ArrayLike | None = None,
) -> IncidenceCurve:
    """Cumulative incidence of one cause; `cause` (replicates, patients) is 0 for censored, else the cause."""
    raise NotImplementedError


def incidence_difference(
    time_years: ArrayLike,
    cause: ArrayLike,
    treated: ArrayLike,
    *,
    horizon_years: float,
    of_interest: int = 1,
    observed: ArrayLike | None = None,
    confidence: float = CONFIDENCE,
) -> IncidenceEstimate:
    """Difference of cumulative incidence at the horizon."""
    raise NotImplementedError


def gray(
    time_years: ArrayLike,
    cause: ArrayLike,
    treated: ArrayLike,
    *,
    of_interest: int = 1,
    observed: ArrayLike | None = None,
    confidence: float = CONFIDENCE,
) -> GrayEstimate:
    """Gray's (1988) test that the cumulative incidences of one cause are equal."""
    raise NotImplementedError


def cause_specific(
    time_years: ArrayLike,
    cause: ArrayLike,
    treated: ArrayLike,
    *,
    of_interest: int = 1,
    baseline: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    observed: ArrayLike | None = None,
    ties: Ties = "efron",
    confidence: float = CONFIDENCE,
) -> CoxEstimate:
    """Cox model of the hazard of one cause; other causes censor."""
    raise NotImplementedError
