"""Sizes of fixed designs, two-arm and one-sided, by the normal approximation or the t distribution."""

from __future__ import annotations


def patients_for_means(
    effect: float, standard_deviation: float, *, power: float, alpha: float = 0.025, ratio: float = 1.0
) -> float:
    """Patients in both arms to find a difference of means by the t test; `ratio` is treated per control."""
    raise NotImplementedError


def patients_for_rates(
    rate_treated: float, rate_control: float, *, power: float, alpha: float = 0.025, ratio: float = 1.0
) -> float:
    """Patients in both arms to find a difference of rates by the normal test."""
    raise NotImplementedError


def events_for_hazard_ratio(
    hazard_ratio: float, *, power: float, alpha: float = 0.025, ratio: float = 1.0
) -> float:
    """Events in both arms to find a hazard ratio by the log-rank test (Schoenfeld)."""
    raise NotImplementedError
