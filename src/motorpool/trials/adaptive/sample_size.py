"""Sizes of fixed designs with two arms and a one-sided test."""

from __future__ import annotations

import numpy as np
from scipy import stats

from motorpool.trials.adaptive.root import root
from motorpool.trials.adaptive.spending import check_error

FEWEST_PATIENTS = 4.0  # two an arm, for a variance in each


def _check(power: float, alpha: float, ratio: float) -> None:
    check_error(alpha, "alpha")
    check_error(power, "power")
    if power <= alpha:
        message = f"power is {power}; it must exceed alpha ({alpha})"
        raise ValueError(message)
    if not ratio > 0.0:
        message = f"ratio is {ratio}; it must be positive (treated per control), for example 1 or 2"
        raise ValueError(message)


def patients_for_means(
    effect: float, standard_deviation: float, *, power: float, alpha: float = 0.025, ratio: float = 1.0
) -> float:
    """Patients in both arms to find a difference of means by the t test; `ratio` is treated per control.

    Solves the power of the noncentral t distribution; not rounded.

    Raises:
        ValueError: No effect, no spread, or a power, alpha or ratio that cannot be.
    """
    _check(power, alpha, ratio)
    if effect == 0.0 or not standard_deviation > 0.0:
        message = (
            f"effect is {effect} and standard_deviation {standard_deviation}; no trial finds an effect of 0"
        )
        raise ValueError(message)
    share = ratio / (1.0 + ratio)

    def lacking(patients: float) -> float:
        degrees = patients - 2.0
        centre = abs(effect) / standard_deviation * np.sqrt(patients * share * (1.0 - share))
        return float(stats.nct.sf(stats.t.isf(alpha, degrees), degrees, centre)) - power

    normal = (stats.norm.isf(alpha) + stats.norm.ppf(power)) ** 2
    rough = float(normal * (standard_deviation / effect) ** 2 / (share * (1.0 - share)))
    if lacking(FEWEST_PATIENTS) >= 0.0:
        return FEWEST_PATIENTS
    return root(lacking, FEWEST_PATIENTS, rough + 50.0)


def patients_for_rates(
    rate_treated: float, rate_control: float, *, power: float, alpha: float = 0.025, ratio: float = 1.0
) -> float:
    """Patients in both arms to find a difference of rates by the normal test, variance pooled under the null.

    Raises:
        ValueError: Equal rates or rates outside 0 to 1, or a power, alpha or ratio that cannot be.
    """
    _check(power, alpha, ratio)
    if rate_treated == rate_control or not (0.0 <= rate_treated <= 1.0 and 0.0 <= rate_control <= 1.0):
        message = f"rates are {rate_treated} and {rate_control}; they must differ and lie between 0 and 1"
        raise ValueError(message)
    share = ratio / (1.0 + ratio)
    pooled = share * rate_treated + (1.0 - share) * rate_control
    null = pooled * (1.0 - pooled) / (share * (1.0 - share))
    truth = rate_treated * (1.0 - rate_treated) / share + rate_control * (1.0 - rate_control) / (1.0 - share)
    needed = stats.norm.isf(alpha) * np.sqrt(null) + stats.norm.ppf(power) * np.sqrt(truth)
    return float((needed / (rate_treated - rate_control)) ** 2)


def events_for_hazard_ratio(
    hazard_ratio: float, *, power: float, alpha: float = 0.025, ratio: float = 1.0
) -> float:
    """Events in both arms to find a hazard ratio by the log-rank test (Schoenfeld 1981).

    Raises:
        ValueError: A hazard ratio of 1 or not positive, or a power, alpha or ratio that cannot be.
    """
    _check(power, alpha, ratio)
    if hazard_ratio <= 0.0 or hazard_ratio == 1.0:
        message = f"hazard_ratio is {hazard_ratio}; it must be positive and not 1"
        raise ValueError(message)
    normal = stats.norm.isf(alpha) + stats.norm.ppf(power)
    return float((normal / np.log(hazard_ratio)) ** 2 * (1.0 + ratio) ** 2 / ratio)
