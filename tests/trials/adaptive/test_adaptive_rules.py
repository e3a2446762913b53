"""Re-estimated sizes, dropped arms, adaptive shares and safety rules: closed forms and error under the null."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from motorpool.trials.adaptive.arm_dropping import (
    closed_combination_test,
    dunnett_p_values,
    keep_above,
    keep_best,
)
from motorpool.trials.adaptive.combination import fisher, inverse_normal
from motorpool.trials.adaptive.reestimation import blinded_size, conditional_power, promising_zone
from motorpool.trials.adaptive.response_adaptive import allocation, probability_best
from motorpool.trials.adaptive.safety import SafetyRule, stopping_probabilities, stops_at
from motorpool.trials.adaptive.sample_size import patients_for_means
from motorpool.trials.analyses.ancova import ancova


def test_combination_of_stages() -> None:
    assert inverse_normal([[1.0, 2.0]], [0.3, 0.7])[0] == pytest.approx(1.0 * 0.3**0.5 + 2.0 * 0.7**0.5)
    assert fisher([[0.04, 0.1]])[0] == pytest.approx(stats.combine_pvalues([0.04, 0.1]).pvalue)
    with pytest.raises(ValueError, match="one for each of 2 stages"):
        inverse_normal([[1.0, 2.0]], [1.0])


def test_conditional_power_by_simulation_and_in_its_limits() -> None:
    found = conditional_power([1.2], 0.5, critical_z=1.96, final_information=1.5)[0]
    generator = np.random.default_rng(1)
    rest = generator.normal(1.2 / 0.5**0.5 * 1.0, 1.0, 200_000)
    final = (1.2 * 0.5**0.5 + rest) / 1.5**0.5
    assert found == pytest.approx((final > 1.96).mean(), abs=0.005)
    assert conditional_power([0.0], 0.5, critical_z=1.96, drift=0.0)[0] == pytest.approx(
        stats.norm.sf(1.96 / 0.5**0.5)
    )


def test_blinded_size_needs_no_arms_and_finds_the_true_size() -> None:
    generator = np.random.default_rng(2)
    treated = np.arange(400) % 2
    change = generator.normal(0.0, 3.0, (200, 400)) + 1.5 * treated
    sizes = blinded_size(change, effect=1.5, power=0.8, smallest=20, largest=500)
    assert np.median(sizes) == pytest.approx(patients_for_means(1.5, 3.0, power=0.8), rel=0.03)
    wider = blinded_size(2.0 * change, effect=1.5, power=0.8, smallest=20, largest=10_000)
    assert (wider > 3.5 * sizes).all()
    # Interpolation does not show.
    one = change[0]
    variance = one.var(ddof=1) - 0.25 * 1.5**2
    exact = patients_for_means(1.5, float(variance**0.5), power=0.8)
    assert abs(sizes[0] - exact) <= 1.0


@pytest.mark.slow
def test_blinded_size_keeps_the_error() -> None:
    generator = np.random.default_rng(3)
    replicates, first = 4000, 40
    pool = generator.normal(0.0, 3.0, (replicates, 300))
    sizes = blinded_size(pool[:, :first], effect=2.0, power=0.8, smallest=60, largest=300)
    kept = np.arange(300) < sizes[:, None]
    arm = np.broadcast_to(np.arange(300) % 2 == 1, pool.shape)
    errors = int((ancova(pool, arm, observed=kept).p_value_two_sided < 0.05).sum())
    assert stats.binomtest(errors, replicates, 0.05).pvalue > 0.001


def test_promising_zone_raises_only_where_promising_and_restores_power() -> None:
    z = np.linspace(-1.0, 3.0, 81)
    found = promising_zone(z, interim_patients=60, planned_patients=100, largest_patients=250)
    assert (found.patients[found.zone != 1] == 100).all()
    unknown = promising_zone([np.nan], interim_patients=60, planned_patients=100, largest_patients=250)
    assert unknown.zone[0] == 0 and unknown.patients[0] == 100
    raised = (found.zone == 1) & (found.patients < 250)
    assert raised.any() and (found.patients[found.zone == 1] >= 100).all()
    # Conditional power of the combination test at the new size is the target.
    more = found.patients[raised] - 60
    shift = z[raised] / 60**0.5 * more**0.5
    w1, w2 = np.sqrt(found.combination_weights)
    power = stats.norm.sf((stats.norm.isf(0.025) - w1 * z[raised]) / w2 - shift)
    assert (power >= 0.9 - 1e-9).all() and (power < 0.91).all()


@pytest.mark.slow
def test_promising_zone_keeps_the_error_by_combination_only() -> None:
    generator = np.random.default_rng(4)
    replicates = 100_000
    first, noise = generator.standard_normal((2, replicates))
    zone = promising_zone(
        first, interim_patients=50, planned_patients=100, largest_patients=400, promising_from=0.1
    )
    combined = inverse_normal(np.stack([first, noise], axis=-1), zone.combination_weights)
    shown = int((combined > stats.norm.isf(0.025)).sum())
    assert stats.binomtest(shown, replicates, 0.025).pvalue > 0.001


def test_arms_are_kept_by_boundary_or_by_rank() -> None:
    z = np.array([[0.1, 1.5, 0.9], [np.nan, -1.0, -2.0]])
    assert keep_above(z, 0.5).tolist() == [[False, True, True], [False, False, False]]
    assert keep_best(z, 1).tolist() == [[False, True, False], [False, True, False]]
    with pytest.raises(ValueError, match="number is 4; there are 3 arms"):
        keep_best(z, 4)


def test_dunnett_agrees_with_the_multivariate_normal() -> None:
    for ratio in (1.0, 2.0):
        correlation = ratio / (1.0 + ratio)
        spread = np.full((3, 3), correlation) + (1.0 - correlation) * np.eye(3)
        below = stats.multivariate_normal(np.zeros(3), spread, maxpts=2_000_000, abseps=1e-8).cdf(
            [2.1, 2.1, 2.1]
        )
        assert dunnett_p_values([[2.1, 0.0, 0.0]], ratio=ratio)[0, 0] == pytest.approx(1.0 - below, abs=2e-6)
    assert dunnett_p_values([[2.1]])[0, 0] == pytest.approx(stats.norm.sf(2.1), rel=1e-9)


def stages(replicates: int, effects: list[float], seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    arms = len(effects)
    out = []
    for _ in range(2):
        control = generator.standard_normal((replicates, 1))
        out.append((generator.standard_normal((replicates, arms)) + effects - control) / 2**0.5)
    return out[0], out[1]


@pytest.mark.slow
@pytest.mark.parametrize("effects", [[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]])
def test_dropping_arms_keeps_the_family_wise_error(effects: list[float]) -> None:
    first, second = stages(10_000, effects, 5)
    kept = keep_best(first, 2)
    shown = closed_combination_test(first, second, kept, first_weight=0.5).at_end
    assert not (shown & ~kept).any()
    null = np.array(effects) == 0.0
    errors = int(shown[:, null].any(axis=1).sum())
    assert stats.binomtest(errors, 10_000, 0.025, alternative="greater").pvalue > 0.001
    if not null.all():
        assert shown[:, 2].mean() > 0.5


def test_one_arm_is_the_inverse_normal_test() -> None:
    first, second = stages(2000, [1.5], 6)
    shown = closed_combination_test(first, second, np.ones((2000, 1), dtype=bool), first_weight=0.4).at_end
    combined = inverse_normal(np.stack([first[:, 0], second[:, 0]], axis=-1), [0.4, 0.6])
    np.testing.assert_array_equal(shown[:, 0], combined >= stats.norm.isf(0.025))


def test_probability_of_the_best_of_two_is_normal_and_of_equals_equal() -> None:
    found = probability_best([[0.0, 1.0]], [[0.6, 0.8]])[0]
    assert found[1] == pytest.approx(stats.norm.cdf(1.0), abs=1e-6)
    np.testing.assert_allclose(probability_best([[1.0, 1.0, 1.0]], [[2.0, 2.0, 2.0]])[0], 1 / 3, atol=1e-9)
    assert probability_best([[0.0, 1.0]], [[0.6, 0.8]], higher_is_better=False)[0, 0] == pytest.approx(
        found[1]
    )


def test_shares_add_up_stay_above_the_smallest_and_follow_the_better_arm() -> None:
    means = np.random.default_rng(7).normal(size=(50, 4))
    shares = allocation(means, np.full((50, 4), 0.5), smallest_share=0.1)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert (shares >= 0.1 - 1e-12).all()
    assert (shares.argmax(axis=1) == means.argmax(axis=1)).all()
    fixed = allocation(means, np.full((50, 4), 0.5), control=0, control_share=0.3, smallest_share=0.1)
    np.testing.assert_allclose(fixed[:, 0], 0.3)
    np.testing.assert_allclose(fixed.sum(axis=1), 1.0)
    equal = allocation(means, np.full((50, 4), 0.5), exponent=0.0)
    np.testing.assert_allclose(equal, 0.25)
    with pytest.raises(ValueError, match="leave no shares"):
        allocation(means, np.full((50, 4), 0.5), smallest_share=0.3)


RULE = SafetyRule(acceptable_risk=0.1, certainty=0.9, prior_events=0.5, prior_without=0.5)


def test_safety_limits_are_the_smallest_that_are_certain_enough() -> None:
    for patients in (1, 5, 12, 30):
        limit = int(RULE.fewest_events(patients))
        assert stats.beta.sf(0.1, 0.5 + limit, 0.5 + patients - limit) > 0.9
        assert stats.beta.sf(0.1, 0.5 + limit - 1, 0.5 + patients - limit + 1) <= 0.9


def test_stopping_probabilities_are_those_of_simulated_trials() -> None:
    looks = np.array([4, 10, 20])
    exact = stopping_probabilities(0.15, looks, RULE)
    events = np.cumsum(np.random.default_rng(8).random((20_000, 20)) < 0.15, axis=1)[:, looks - 1]
    stopped = stops_at(events, np.broadcast_to(looks, events.shape), RULE)
    for look in range(3):
        share = ((stopped >= 0) & (stopped <= look)).mean()
        assert share == pytest.approx(exact[look], abs=0.012)
    risks = [stopping_probabilities(risk, looks, RULE)[-1] for risk in (0.0, 0.05, 0.1, 0.2, 1.0)]
    assert (np.diff(risks) > 0.0).all() and risks[0] == 0.0 and risks[-1] == pytest.approx(1.0)


def test_impossible_rules_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"acceptable_risk is 1.2"):
        SafetyRule(acceptable_risk=1.2, certainty=0.9, prior_events=0.5, prior_without=0.5)
    with pytest.raises(ValueError, match="no more events than patients"):
        stops_at([[3]], [[2]], RULE)
    with pytest.raises(ValueError, match="must rise"):
        promising_zone([1.0], interim_patients=100, planned_patients=80, largest_patients=200)
