"""Competing risks of many replicates at once: Aalen-Johansen, and cause-specific hazards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from motorpool.trials.analyses.cox import CoxEstimate, Ties, cox
from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate, Flags, Numbers, summarised
from motorpool.trials.analyses.ordered import ordered
from motorpool.trials.analyses.patients import flags


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


def causes_of(
    time_years: ArrayLike, cause: ArrayLike, observed: ArrayLike | None
) -> tuple[Array, Numbers, Flags]:
    """Times, causes (0: censored) and who counts, (replicates, patients).

    Raises:
        ValueError: Causes that are no whole numbers from 0, or of another shape than the times.
    """
    time = np.asarray(time_years, dtype=float)
    number = np.asarray(cause)
    if number.shape != time.shape or time.ndim != 2:
        message = (
            f"cause has shape {number.shape} and time_years {time.shape}; both must be (replicates, patients)"
        )
        raise ValueError(message)
    if (number < 0).any() or (number != np.floor(number)).any():
        message = "cause must hold whole numbers: 0 for censored, 1 and more for the causes"
        raise ValueError(message)
    counted = np.isfinite(time)
    if observed is not None:
        counted = counted & flags(observed, "observed")
    return time, number.astype(np.int64), counted


def aalen_johansen(
    time_years: ArrayLike,
    cause: ArrayLike,
    at_years: ArrayLike,
    *,
    of_interest: int = 1,
    observed: ArrayLike | None = None,
) -> IncidenceCurve:
    """Cumulative incidence of one cause; `cause` (replicates, patients) is 0 for censored, else the cause.

    The error is by the delta method (Marubini and Valsecchi 1995).

    Raises:
        ValueError: Arrays of other shapes, causes that are no whole numbers, or a negative time.
    """
    time, number, counted = causes_of(time_years, cause, observed)
    at = np.atleast_1d(np.asarray(at_years, dtype=float))
    here = ordered(time, counted)
    numbers = here.sort(np.where(counted, number, 0))
    at_risk = here.at_risk(here.weight)
    every = np.where(here.starts, here.within_ties((numbers > 0).astype(float)), 0.0)
    chosen = np.where(here.starts, here.within_ties((numbers == of_interest).astype(float)), 0.0)
    safe = np.maximum(at_risk, 1.0)
    after = np.cumprod(1.0 - every / safe, axis=1)
    before = np.concatenate([np.ones((len(time), 1)), after[:, :-1]], axis=1)
    incidence = np.cumsum(before * chosen / safe, axis=1)
    product = at_risk * (at_risk - every)
    greenwood = np.divide(every, product, out=np.zeros_like(every), where=product > 0.0)
    own = before**2 * chosen * (safe - chosen) / safe**3
    mixed = before * chosen / safe**2
    place = here.place_by(at)
    value = _at(incidence, place)
    # sum over events up to t of (I(t) - I)^2 g + own - 2 (I(t) - I) mixed, expanded in powers of I(t)
    sums = [
        _at(np.cumsum(one, axis=1), place)
        for one in (greenwood, incidence * greenwood, incidence**2 * greenwood, own, mixed, incidence * mixed)
    ]
    variance = (
        value**2 * sums[0] - 2.0 * value * sums[1] + sums[2] + sums[3] - 2.0 * (value * sums[4] - sums[5])
    )
    return IncidenceCurve(at_years=at, incidence=value, standard_error=np.sqrt(np.maximum(variance, 0.0)))


def _at(values: Array, place: Numbers) -> Array:
    padded = np.concatenate([np.zeros((len(values), 1)), values], axis=1)
    return np.take_along_axis(padded, place, axis=1)


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
    """Difference of cumulative incidence at the horizon; arrays (replicates, patients).

    Raises:
        ValueError: As `aalen_johansen`.
    """
    time, number, counted = causes_of(time_years, cause, observed)
    arm = flags(treated, "treated")
    curves = [
        aalen_johansen(time, number, [horizon_years], of_interest=of_interest, observed=counted & member)
        for member in (arm, ~arm)
    ]
    with_treatment, without = (curve.incidence[:, 0] for curve in curves)
    error = np.sqrt(sum(curve.standard_error[:, 0] ** 2 for curve in curves))
    return IncidenceEstimate(
        **summarised(with_treatment - without, np.asarray(error), np.inf, confidence),
        incidence_treated=with_treatment,
        incidence_control=without,
    )


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
    """Cox model of the hazard of one cause; other causes censor.

    Raises:
        ValueError: As `cox`, or causes that are no whole numbers.
    """
    time, number, counted = causes_of(time_years, cause, observed)
    return cox(
        time,
        number == of_interest,
        treated,
        baseline=baseline,
        covariates=covariates,
        stratum=stratum,
        observed=counted,
        ties=ties,
        confidence=confidence,
    )
