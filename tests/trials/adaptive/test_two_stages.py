"""Estimates from two stages of which the first decided about the second: conditional laws, oracles, limits."""

import numpy as np
import pytest
from scipy import integrate, stats

from motorpool.trials.adaptive.arm_dropping import (
    bounds_of_going_on,
    closed_combination_test,
    keep_above,
    keep_best,
)
from motorpool.trials.adaptive.boundaries import spending_boundaries
from motorpool.trials.adaptive.sequential_inference import sequential_estimate
from motorpool.trials.adaptive.two_stages import TwoStages, resized_estimate, selected_estimate

REPLICATES = 3000


def stages(effects: list[float], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Differences from a shared control in both stages, (replicates, arms), with errors 1 and 0.7."""
    generator, found = np.random.default_rng(seed), []
    for error in (1.0, 0.7):
        control = generator.standard_normal((REPLICATES, 1))
        arms = generator.standard_normal((REPLICATES, len(effects)))
        found.append(np.asarray(effects) + error * (arms - control) / 2**0.5)
    return found[0], found[1]


@pytest.mark.parametrize("effects", [[0.0, 0.0, 0.0], [0.0, 0.5, 1.5]])
def test_an_arm_kept_for_being_the_best_is_not_flattered(effects: list[float]) -> None:
    first, second = stages(effects, 1)
    kept = keep_best(first, 1)
    flattered = []
    for arm, effect in enumerate(effects):
        low, high = bounds_of_going_on(first, arm, best=1)
        np.testing.assert_array_equal(first[:, arm] >= low, kept[:, arm])
        on = kept[:, arm]
        seen = TwoStages.pooled(first[on, arm], 1.0, second[on, arm], 0.7)
        found = selected_estimate(seen, low[on], high[on])
        error = on.sum() ** -0.5
        covered = (found.low <= effect) & (effect <= found.high)
        assert covered.mean() == pytest.approx(0.95, abs=3 * (0.95 * 0.05) ** 0.5 * error)
        assert (found.estimate > effect).mean() == pytest.approx(0.5, abs=3 * 0.5 * error)
        naive = seen.joined[0]
        flattered.append(naive.mean() - effect)
        assert abs(found.estimate.mean() - effect) < max(0.3 * flattered[-1], 3.5 * error)
    assert max(flattered) > 0.15


def test_limits_are_where_the_conditional_probability_is_half_the_error() -> None:
    seen = TwoStages.pooled([1.6], 1.0, [0.4], 0.7)
    found = selected_estimate(seen, [1.2], [2.5])
    pooled, error = seen.joined

    def stronger(effect: float) -> float:
        """P(pooled at least as large | 1.2 <= X1 < 2.5), by adaptive quadrature over the first stage."""
        least = lambda x: (pooled[0] / error[0] ** 2 - x) * 0.7**2  # noqa: E731
        density = lambda x: stats.norm.pdf(x - effect) * stats.norm.sf((least(x) - effect) / 0.7)  # noqa: E731
        return integrate.quad(density, 1.2, 2.5, epsabs=1e-13)[0] / (
            stats.norm.cdf(2.5 - effect) - stats.norm.cdf(1.2 - effect)
        )

    for value, level in ((found.low, 0.025), (found.estimate, 0.5), (found.high, 0.975)):
        assert stronger(float(value[0])) == pytest.approx(level, abs=1e-7)


def test_without_a_choice_the_estimate_is_the_pooled_one() -> None:
    seen = TwoStages.pooled([0.3, -2.0, np.nan], 1.0, [1.0, 0.5, 1.0], [0.7, 0.5, 0.7])
    found = selected_estimate(seen, -np.inf)
    pooled, error = seen.joined
    np.testing.assert_allclose(found.estimate[:2], pooled[:2], atol=1e-7)
    np.testing.assert_allclose(found.high[:2], pooled[:2] + 1.959964 * error[:2], atol=1e-5)
    assert np.isnan(found.estimate[2])


def test_bounds_say_when_an_arm_goes_on_where_the_look_can_end_the_trial() -> None:
    first, second = stages([0.5, 1.0, 1.5], 2)
    kept = keep_above(first, 0.4)
    shown = closed_combination_test(first, second, kept, first_weight=0.5, first_z_bound=1.8).at_look.any(
        axis=1
    )
    for arm in range(3):
        low, high = bounds_of_going_on(first, arm, lowest_z=0.4, first_z_bound=1.8)
        own = first[:, arm]
        np.testing.assert_array_equal((own >= low) & (own < high), kept[:, arm] & ~shown)
    assert 0.05 < shown.mean() < 0.6


def test_a_size_that_stays_as_planned_has_the_group_sequential_estimate() -> None:
    boundaries = spending_boundaries("pocock", [0.3, 0.6, 1.0])
    generator = np.random.default_rng(3)
    before, after = generator.normal(1.0, 1.0, 40), generator.normal(1.0, 1.0, 40)
    one, two = 0.6**-0.5, 0.4**-0.5
    seen = TwoStages.of(before, one, after, two, 0.6)
    found = resized_estimate(seen, (0.3, 0.6), np.full(2, -np.inf), boundaries.efficacy_z[:2])
    usual = sequential_estimate(0.6 * before + 0.4 * after, np.ones(40), np.full(40, 2), boundaries)
    for name in ("estimate", "low", "high"):
        np.testing.assert_allclose(getattr(found, name), getattr(usual, name), atol=2e-5)


def test_a_size_set_at_the_last_look_keeps_median_and_coverage() -> None:
    effect, times, upper = 1.5, (0.4, 0.7), np.array([2.4, 2.3])
    generator = np.random.default_rng(4)
    steps = generator.standard_normal((REPLICATES, 2)) * np.sqrt([0.4, 0.3])
    looks = (steps.cumsum(axis=1) + effect * np.array(times)) / np.array(times)
    on = ((looks * np.sqrt(times)) < upper).all(axis=1)
    # The less was seen, the larger the second stage: up to four times the planned one.
    error = np.where(looks[:, 1] < effect, 0.5, 1.0) / 0.3**0.5
    second = effect + error * generator.standard_normal(REPLICATES)
    seen = TwoStages.of(np.where(on, looks[:, 1], np.nan), 0.7**-0.5, second, error, 0.7)
    found = resized_estimate(seen, times, np.full(2, -np.inf), upper)
    # Those that stopped for efficacy are stronger than all that went on.
    stopped_above = np.where(on, found.estimate, np.inf) > effect
    missed_above = np.where(on, found.low, np.inf) > effect
    assert 0.1 < (~on).mean() < 0.6
    probability = float(np.mean(~on))
    assert stopped_above[on].mean() == pytest.approx((0.5 - probability) / (1 - probability), abs=0.04)
    assert missed_above[on].mean() < 0.02
    assert (found.high[on] < effect).mean() == pytest.approx(0.025 / (1 - probability), abs=0.012)
