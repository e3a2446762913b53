"""Bayesian comparison that borrows external controls: meta-analytic, robust and power priors.

Means are taken as normal with known errors, which suits scores, and rates and hazards on their log scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import ndtr

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, check_confidence

GRID_POINTS = 101
GRID_REACH = 4.0  # scales of the half-normal prior
BISECTIONS = 60


@dataclass(frozen=True, kw_only=True)
class NormalMixture:
    """Mixture of normals, with components as last axis; the last `vague` of them carry little information."""

    weights: Array
    means: Array
    standard_deviations: Array
    vague: int = 0

    def below(self, value: Array) -> Array:
        """Probability to lie below the value (...,)."""
        return (self.weights * ndtr((value[..., None] - self.means) / self.standard_deviations)).sum(axis=-1)

    def mean(self) -> Array:
        """Mean, without the axis of components."""
        return (self.weights * self.means).sum(axis=-1)

    def standard_deviation(self) -> Array:
        """Standard deviation, without the axis of components."""
        square = (self.weights * (self.standard_deviations**2 + self.means**2)).sum(axis=-1)
        return np.sqrt(square - self.mean() ** 2)

    def quantile(self, share: float) -> Array:
        """Value below which the share lies, by bisection."""
        low = (self.means - 40.0 * self.standard_deviations).min(axis=-1)
        high = (self.means + 40.0 * self.standard_deviations).max(axis=-1)
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            under = self.below(middle) < share
            low, high = np.where(under, middle, low), np.where(under, high, middle)
        return 0.5 * (low + high)


@dataclass(frozen=True, kw_only=True)
class BayesianEstimate:
    """Posterior of treated minus control, (replicates,).

    `probability_better` is the probability that the difference is above 0 (or below, where lower is better).
    `effective_external_patients` says how many controls the posterior of the control mean gained by borrowing, counted
    by its variance; where the prior disagrees it can be negative. `robust_weight` is the posterior weight of the vague
    components, NaN where the prior has none.
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

    The standard deviation between trials has a half-normal prior with this scale, the mean over trials a flat one
    (meta-analytic-predictive, Neuenschwander et al. 2010). A component is one value of the standard deviation on a
    grid, weighted by its posterior, which is exact up to the grid.

    Raises:
        ValueError: No trial, an error or scale that is not positive.
    """
    y, error = (
        np.atleast_1d(np.asarray(external_means, dtype=float)),
        np.atleast_1d(np.asarray(external_errors, dtype=float)),
    )
    if not len(y) or y.shape != error.shape or not (error > 0.0).all() or not between_trial_scale > 0.0:
        message = (
            "external trials need a mean and a positive error each, and between_trial_scale must be positive"
        )
        raise ValueError(message)
    tau = (np.arange(GRID_POINTS) + 0.5) / GRID_POINTS * GRID_REACH * between_trial_scale
    weight = 1.0 / (error**2 + tau[:, None] ** 2)  # (grid, trials)
    total = weight.sum(axis=1)
    centre = (weight * y).sum(axis=1) / total
    log_likelihood = 0.5 * np.log(weight).sum(axis=1) - 0.5 * np.log(total)
    log_likelihood -= 0.5 * (weight * (y - centre[:, None]) ** 2).sum(axis=1)
    log_posterior = log_likelihood - 0.5 * (tau / between_trial_scale) ** 2
    posterior = np.exp(log_posterior - log_posterior.max())
    return NormalMixture(
        weights=posterior / posterior.sum(), means=centre, standard_deviations=np.sqrt(1.0 / total + tau**2)
    )


def robust(prior: NormalMixture, *, weight: float, mean: float, standard_deviation: float) -> NormalMixture:
    """The prior with a vague component of this weight added (Schmidli et al. 2014).

    Raises:
        ValueError: A weight outside 0 to 1 or a standard deviation that is not positive.
    """
    if not 0.0 <= weight <= 1.0 or not standard_deviation > 0.0:
        message = (
            f"weight is {weight} and standard_deviation {standard_deviation}; a share and a positive number"
        )
        raise ValueError(message)
    return NormalMixture(
        weights=np.append(prior.weights * (1.0 - weight), weight),
        means=np.append(prior.means, mean),
        standard_deviations=np.append(prior.standard_deviations, standard_deviation),
        vague=prior.vague + 1,
    )


def updated(prior: NormalMixture, mean: ArrayLike, error: ArrayLike) -> NormalMixture:
    """Posterior of a mean observed with error, (replicates,), by conjugacy of each component."""
    y, s = np.asarray(mean, dtype=float)[..., None], np.asarray(error, dtype=float)[..., None]
    precision = 1.0 / prior.standard_deviations**2 + 1.0 / s**2
    centre = (prior.means / prior.standard_deviations**2 + y / s**2) / precision
    with np.errstate(divide="ignore"):
        log_weight = np.log(prior.weights) + stats.norm.logpdf(
            y, prior.means, np.hypot(prior.standard_deviations, s)
        )
    raised = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    return NormalMixture(
        weights=raised / raised.sum(axis=-1, keepdims=True),
        means=centre,
        standard_deviations=1.0 / np.sqrt(precision),
        vague=prior.vague,
    )


def _compared(
    control: NormalMixture,
    control_error: Array,
    treated_mean: ArrayLike,
    treated_error: ArrayLike,
    unit_standard_deviation: float,
    higher_is_better: bool,
    confidence: float,
) -> BayesianEstimate:
    """Posterior of treated minus control, given that of the control mean."""
    check_confidence(confidence)
    difference = NormalMixture(
        weights=control.weights,
        means=np.asarray(treated_mean, dtype=float)[..., None] - control.means,
        standard_deviations=np.hypot(
            np.asarray(treated_error, dtype=float)[..., None], control.standard_deviations
        ),
    )
    below = difference.below(np.zeros(difference.means.shape[:-1]))
    gained = unit_standard_deviation**2 * (1.0 / control.standard_deviation() ** 2 - 1.0 / control_error**2)
    vague = control.weights[..., control.weights.shape[-1] - control.vague :].sum(axis=-1)
    return BayesianEstimate(
        estimate=difference.mean(),
        standard_deviation=difference.standard_deviation(),
        low=difference.quantile(0.5 - confidence / 2.0),
        high=difference.quantile(0.5 + confidence / 2.0),
        probability_better=1.0 - below if higher_is_better else below,
        effective_external_patients=gained,
        robust_weight=vague if control.vague else np.full(below.shape, np.nan),
    )


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
    """Posterior difference with a mixture prior of the control mean and a flat one of the treated; (replicates,).

    `unit_standard_deviation` is that of one patient, to count what was borrowed in patients.
    """
    error = np.asarray(control_error, dtype=float)
    posterior = updated(prior, control_mean, error)
    return _compared(
        posterior, error, treated_mean, treated_error, unit_standard_deviation, higher_is_better, confidence
    )


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
    """Posterior difference with the external likelihood raised to a power between 0 (ignored) and 1 (pooled).

    Ibrahim and Chen (2000). All arrays (replicates,).

    Raises:
        ValueError: A power outside 0 to 1.
    """
    if not 0.0 <= power <= 1.0:
        message = f"power is {power}; it must lie between 0 (external controls ignored) and 1 (pooled)"
        raise ValueError(message)
    mean, error = np.asarray(control_mean, dtype=float), np.asarray(control_error, dtype=float)
    precision = 1.0 / error**2 + power / external_error**2
    centre = (mean / error**2 + power * external_mean / external_error**2) / precision
    posterior = NormalMixture(
        weights=np.ones((*centre.shape, 1)),
        means=centre[..., None],
        standard_deviations=precision[..., None] ** -0.5,
    )
    return _compared(
        posterior, error, treated_mean, treated_error, unit_standard_deviation, higher_is_better, confidence
    )


@dataclass(frozen=True, kw_only=True)
class DriftReport:
    """Current against external controls, (replicates,): difference, its error, z and two-sided p.

    `prior_predictive_p` is the two-sided p value of the current control mean under the prior that borrows: small
    where the current controls are such as the prior did not expect.
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
    mean, error = np.asarray(control_mean, dtype=float), np.asarray(control_error, dtype=float)
    difference, spread = mean - external_mean, np.hypot(error, external_error)
    expected = NormalMixture(
        weights=prior.weights,
        means=prior.means,
        standard_deviations=np.hypot(prior.standard_deviations, error[..., None]),
    )
    below = expected.below(mean)
    return DriftReport(
        difference=difference,
        standard_error=spread,
        z=difference / spread,
        p_value_two_sided=np.asarray(2.0 * stats.norm.sf(np.abs(difference / spread))),
        prior_predictive_p=2.0 * np.minimum(below, 1.0 - below),
    )
