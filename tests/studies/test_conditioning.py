"""Weights that make simulated people look like a study's patients: near the targets, never on too few people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motorpool.cohorts.reweighting import effective_sample_size, matching_weights
from motorpool.studies.conditioning import LEAST_EFFECTIVE_SHARE, soft_weights


def moments(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    centre = float(weights @ values)
    return centre, float(np.sqrt(weights @ (values - centre) ** 2))


def pool(people: int = 300, seed: int = 4) -> dict[str, np.ndarray]:
    """Two correlated scores."""
    generator = np.random.default_rng(seed)
    ability = generator.normal(size=people)
    return {
        "chop_intend": 25.0 + 8.0 * ability,
        "hine2": 1.5 + 1.0 * (0.7 * ability + 0.7 * generator.normal(size=people)),
    }


@pytest.mark.parametrize(("mean", "sd"), [(25.0, 8.0), (28.0, 7.5), (21.0, 6.0), (27.0, 9.0)])
def test_targets_within_the_pool_are_reached_within_a_tenth_of_an_sd(mean: float, sd: float):
    values = pool()
    weights = soft_weights({"chop_intend": values["chop_intend"]}, {"chop_intend": (mean, sd)})
    found = moments(values["chop_intend"], weights)
    assert found == pytest.approx((mean, sd), abs=0.1 * sd)
    assert effective_sample_size(weights) > 0.3 * weights.size


def test_two_scores_are_matched_together():
    values, targets = pool(), {"chop_intend": (28.0, 7.5), "hine2": (1.2, 0.9)}
    weights = soft_weights(values, targets)
    for name, (mean, sd) in targets.items():
        assert moments(values[name], weights) == pytest.approx((mean, sd), abs=0.1 * sd)


def test_weights_are_those_of_exact_matching_where_that_costs_little():
    values, targets = pool(), {"chop_intend": (28.0, 8.0)}
    exact = matching_weights(values, targets)
    soft = soft_weights(values, targets)
    assert np.abs(exact - 1.0 / exact.size).sum() > 0.2  # equal weights would not do
    assert np.abs(soft - exact).sum() < 0.02


def test_a_pool_like_the_target_keeps_nearly_equal_weights():
    values = pool()["chop_intend"]
    weights = soft_weights({"chop_intend": values}, {"chop_intend": (values.mean(), values.std())})
    assert effective_sample_size(weights) > 0.999 * values.size


@given(
    people=st.integers(1, 200),
    centre=st.floats(-50.0, 100.0),
    spread=st.floats(0.0, 30.0),
    mean=st.floats(-50.0, 100.0),
    sd=st.floats(0.5, 30.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_target_fails_or_rests_on_fewer_than_the_least_share(
    people: int, centre: float, spread: float, mean: float, sd: float, seed: int
):
    values = np.random.default_rng(seed).normal(centre, spread, people)
    weights = soft_weights({"hfmse": values}, {"hfmse": (mean, sd)})
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1.0)
    assert effective_sample_size(weights) >= LEAST_EFFECTIVE_SHARE * people * (1 - 1e-6)


def test_an_unreachable_target_still_moves_people_towards_it():
    values = pool()["chop_intend"]
    weights = soft_weights({"chop_intend": values}, {"chop_intend": (80.0, 5.0)})
    assert moments(values, weights)[0] > values.mean() + 4.0
    assert effective_sample_size(weights) >= LEAST_EFFECTIVE_SHARE * values.size * (1 - 1e-6)


def test_weights_change_smoothly_as_people_move_away_from_the_target():
    values = pool()["chop_intend"]
    means, effective = [], []
    for moved in np.linspace(0.0, 30.0, 101):
        weights = soft_weights({"chop_intend": values - moved}, {"chop_intend": (28.0, 5.0)})
        means.append(weights @ values)
        effective.append(effective_sample_size(weights) / values.size)
    assert np.ptp(means) > 5.0
    assert np.abs(np.diff(means)).max() < 0.45
    assert min(effective) == pytest.approx(LEAST_EFFECTIVE_SHARE)


def test_where_too_few_would_count_exactly_the_least_share_does():
    values = pool()["chop_intend"]
    for mean in (45.0, 60.0, 100.0, 1000.0):
        weights = soft_weights({"chop_intend": values}, {"chop_intend": (mean, 5.0)})
        assert effective_sample_size(weights) == pytest.approx(LEAST_EFFECTIVE_SHARE * values.size)
