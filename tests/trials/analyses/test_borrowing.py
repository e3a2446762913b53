"""Borrowing external controls: limits with known answers, numerical integration, and drift."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from motorpool.trials.analyses.borrowing import (
    borrow_with_mixture,
    borrow_with_power,
    drift_report,
    meta_analytic_prior,
    robust,
)

CURRENT = {
    "control_mean": np.array([-1.0, 1.0, 4.0]),
    "control_error": np.full(3, 0.6),
    "treated_mean": np.zeros(3),
    "treated_error": np.full(3, 0.4),
    "unit_standard_deviation": 3.0,
}


def test_the_prior_is_that_of_numerical_integration() -> None:
    means, errors, scale = np.array([-1.0, -1.5, -0.2]), np.array([0.3, 0.4, 0.35]), 0.5
    prior = meta_analytic_prior(means, errors, between_trial_scale=scale)

    tau, mu = np.meshgrid(np.linspace(0.0, 2.5, 1001), np.linspace(-6.0, 5.0, 1001), indexing="ij")
    joint = stats.norm.pdf(means, mu[..., None], np.hypot(errors, tau[..., None])).prod(axis=-1)
    joint = joint * stats.norm.pdf(tau, 0.0, scale)

    def integral(values: np.ndarray) -> float:
        return float(integrate.simpson(integrate.simpson(values, x=mu[0]), x=tau[:, 0]))

    total = integral(joint)
    first, square = integral(mu * joint) / total, integral((mu**2 + tau**2) * joint) / total
    assert float(prior.mean()) == pytest.approx(first, abs=1e-3)
    assert float(prior.standard_deviation()) == pytest.approx((square - first**2) ** 0.5, rel=2e-3)


def test_power_0_ignores_and_power_1_pools() -> None:
    alone = borrow_with_power(**CURRENT, external_mean=-1.0, external_error=0.2, power=0.0)
    np.testing.assert_allclose(alone.estimate, CURRENT["treated_mean"] - CURRENT["control_mean"])
    np.testing.assert_allclose(alone.standard_deviation, np.hypot(0.4, 0.6))
    np.testing.assert_allclose(alone.effective_external_patients, 0.0, atol=1e-9)
    pooled = borrow_with_power(**CURRENT, external_mean=-1.0, external_error=0.2, power=1.0)
    # 3 points of standard deviation and an error of 0.2 are 225 patients.
    np.testing.assert_allclose(pooled.effective_external_patients, 225.0)


def test_a_mixture_of_one_part_is_conjugate() -> None:
    prior = robust(
        meta_analytic_prior([0.0], [1.0], between_trial_scale=1.0),
        weight=1.0,
        mean=0.5,
        standard_deviation=2.0,
    )
    found = borrow_with_mixture(**CURRENT, prior=prior)
    precision = 1 / 2.0**2 + 1 / 0.6**2
    centre = (0.5 / 4 + CURRENT["control_mean"] / 0.36) / precision
    np.testing.assert_allclose(found.estimate, -centre, rtol=1e-9)
    np.testing.assert_allclose(found.standard_deviation, np.sqrt(0.16 + 1 / precision), rtol=1e-9)
    np.testing.assert_allclose(found.high - found.estimate, 1.959964 * found.standard_deviation, rtol=1e-6)
    np.testing.assert_allclose(found.robust_weight, 1.0)


def test_the_robust_prior_lets_go_where_the_controls_drifted() -> None:
    prior = meta_analytic_prior([-1.0, -1.1, -0.9], [0.2, 0.2, 0.2], between_trial_scale=0.2)
    careful = robust(prior, weight=0.2, mean=-1.0, standard_deviation=3.0)
    plain, found = borrow_with_mixture(**CURRENT, prior=prior), borrow_with_mixture(**CURRENT, prior=careful)
    assert np.isnan(plain.robust_weight).all()
    assert found.robust_weight[0] < 0.1 < 0.9 < found.robust_weight[2]
    assert (np.diff(found.robust_weight) > 0).all()
    # Where there is drift of 5 points the robust posterior is near the trial's own, the plain one is not.
    assert found.estimate[2] == pytest.approx(-4.0, abs=0.25) and plain.estimate[2] > -2.5
    assert found.effective_external_patients[0] > 50 > found.effective_external_patients[2]
    report = drift_report(CURRENT["control_mean"], CURRENT["control_error"], -1.0, 0.12, prior)
    assert report.p_value_two_sided[0] == 1.0 and report.p_value_two_sided[2] < 1e-10
    assert (np.diff(report.prior_predictive_p) < 0).all()


def test_borrowing_is_bold_under_drift_and_gains_without() -> None:
    """Error of the test 'probability better above 0.975': nominal alone, inflated if controls drifted down."""
    generator = np.random.default_rng(1)
    control, treated = generator.normal(0.0, 0.6, 4000), generator.normal(0.0, 0.6, 4000)
    given = {
        "control_mean": control,
        "control_error": np.full(4000, 0.6),
        "treated_mean": treated,
        "treated_error": np.full(4000, 0.6),
        "unit_standard_deviation": 3.0,
    }
    rates = [
        (
            borrow_with_power(**given, external_mean=mean, external_error=0.3, power=power).probability_better
            > 0.975
        ).mean()
        for power, mean in ((0.0, 0.0), (0.5, 0.0), (0.5, -1.0))
    ]
    assert stats.binomtest(round(rates[0] * 4000), 4000, 0.025).pvalue > 0.001
    assert rates[1] <= 0.03 and rates[2] > 0.05


def test_lower_is_better_turns_the_probability_round() -> None:
    up = borrow_with_power(**CURRENT, external_mean=-1.0, external_error=0.2, power=0.5)
    down = borrow_with_power(
        **CURRENT, external_mean=-1.0, external_error=0.2, power=0.5, higher_is_better=False
    )
    np.testing.assert_allclose(up.probability_better + down.probability_better, 1.0)


def test_impossible_requests_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="power is 1.5"):
        borrow_with_power(**CURRENT, external_mean=0.0, external_error=1.0, power=1.5)
    with pytest.raises(ValueError, match="between_trial_scale must be positive"):
        meta_analytic_prior([0.0], [1.0], between_trial_scale=0.0)
