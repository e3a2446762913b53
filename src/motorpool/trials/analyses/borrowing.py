"""Bayesian comparison that borrows external controls: robust meta-analytic prior, power prior, drift report."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array


@dataclass(frozen=True, kw_only=True)
class NormalMixture:
    """Mixture of normals; every field has components as last axis, with or without replicates before it."""

    weights: Array
    means: Array
    standard_deviations: Array


@dataclass(frozen=True, kw_only=True)
class BayesianEstimate:
    """Posterior of treated minus control, (replicates,).

    `probability_better` is the probability that the difference is above 0 (or below, where lower is better).
    `effective_external_patients` says how many external controls the prior was worth, and `robust_weight` the
    posterior weight of the vague component.
    """

    estimate: Array
    standard_deviation: Array
    low: Array
    high: Array
    probability_better: Array
    effective_external_patients: Array
    robust_weight: Array


def meta_analytic_prior(
    external_means: ArrayLike, external_errors: ArrayLike, *, between_trial_scale: float
) -> NormalMixture:
    """Predictive prior of the control mean of a new trial from external trials, (trials,) each.

    The standard deviation between trials has a half-normal prior with this scale.
    """
    raise NotImplementedError


def robust(prior: NormalMixture, *, weight: float, mean: float, standard_deviation: float) -> NormalMixture:
    """The prior with a vague component of this weight added (Schmidli et al. 2014)."""
    raise NotImplementedError


def borrow_with_mixture(
    control_mean: ArrayLike,
    control_error: ArrayLike,
    treated_mean: ArrayLike,
    treated_error: ArrayLike,
    prior: NormalMixture,
    *,
    unit_standard_deviation: float,
    higher_is_better: bool = True,
    confidence: float = CONFIDENCE,
) -> BayesianEstimate:
    """Posterior difference with a mixture prior of the control mean and a flat one of the treated; (replicates,)."""
    raise NotImplementedError


def borrow_with_power(
    control_mean: ArrayLike,
    control_error: ArrayLike,
    treated_mean: ArrayLike,
    treated_error: ArrayLike,
    external_mean: float,
    external_error: float,
    *,
    power: float,
    unit_standard_deviation: float,
    higher_is_better: bool = True,
    confidence: float = CONFIDENCE,
) -> BayesianEstimate:
    """Posterior difference with the external likelihood raised to a power between 0 (ignored) and 1 (pooled)."""
    raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class DriftReport:
    """Current against external controls, (replicates,): difference, its error, z and two-sided p.

    `prior_predictive_p` is the two-sided p value of the current control mean under the prior that borrows.
    """

    difference: Array
    standard_error: Array
    z: Array
    p_value_two_sided: Array
    prior_predictive_p: Array


def drift_report(
    control_mean: ArrayLike,
    control_error: ArrayLike,
    external_mean: float,
    external_error: float,
    prior: NormalMixture,
) -> DriftReport:
    """Do the current controls look like the external ones?"""
    raise NotImplementedError
