"""Estimates that take account of looks and sizes set anew: median, coverage, mirror images, and where there is none."""

import numpy as np
import pytest
from scipy import stats

from motorpool.trials.adaptive.boundaries import spending_boundaries
from motorpool.trials.adjusted import after_looks, after_promising_zone
from motorpool.trials.analyses.estimate import Estimate, summarised
from motorpool.trials.blocks import run_replicates
from motorpool.trials.looks import futility_z
from motorpool.trials.operating import characteristics
from motorpool.trials.truth import MODEL
from tests.support.trial_pools import CHANGE, design, made_up_pool

REPLICATES = 1500
ERROR = (0.05 * 0.95 / REPLICATES) ** 0.5
LOOKS = "interims={information: [0.3, 0.6], efficacy: pocock, futility_conditional_power: 0.3}"


def normal(estimate: np.ndarray, error: np.ndarray | float) -> Estimate:
    return Estimate(**summarised(estimate, np.broadcast_to(error, estimate.shape), np.inf))


@pytest.mark.parametrize("drift", [-3.0, 2.0])
@pytest.mark.parametrize("futile", [False, True])
def test_the_adjusted_estimate_is_median_unbiased_and_covers(drift: float, futile: bool) -> None:
    trial = design(LOOKS)
    boundaries = spending_boundaries("pocock", [0.3, 0.6, 1.0])
    times = np.array([0.3, 0.6, 1.0])
    generator = np.random.default_rng(1)
    steps = generator.standard_normal((REPLICATES, 3)) * np.sqrt([0.3, 0.3, 0.4])
    z = (steps.cumsum(axis=1) + drift * times) / np.sqrt(times)
    low = futility_z(trial, float(boundaries.efficacy_z[-1])) if futile else None
    stops = np.abs(z) >= boundaries.efficacy_z
    if low is not None:
        stops[:, :2] |= z[:, :2] < low
    look = np.where(stops[:, :2].any(axis=1), stops.argmax(axis=1), 2)
    rows = np.arange(REPLICATES)
    naive = normal(z[rows, look] / np.sqrt(times[look]), 1.0 / np.sqrt(times[look]))
    found = after_looks(naive, look, (0.3, 0.6), boundaries, low, 1)
    covered = (found.low <= drift) & (drift <= found.high)
    assert covered.mean() == pytest.approx(0.95, abs=3 * ERROR)
    assert (found.estimate > drift).mean() == pytest.approx(0.5, abs=3 * (0.25 / REPLICATES) ** 0.5)
    if drift == 2.0 and not futile:
        assert naive.estimate.mean() > drift + 0.2 and found.estimate.mean() < naive.estimate.mean() - 0.1
    # The other direction of benefit is the mirror image.
    mirrored = after_looks(
        normal(-naive.estimate, naive.standard_error), look, (0.3, 0.6), boundaries, low, -1
    )
    np.testing.assert_allclose(mirrored.estimate, -found.estimate, atol=1e-9)
    np.testing.assert_allclose(mirrored.low, -found.high, atol=1e-9)


def test_without_a_stop_the_adjusted_interval_of_distant_boundaries_is_the_naive_one() -> None:
    boundaries = spending_boundaries("obrien_fleming", [0.05, 1.0])
    naive = normal(np.array([0.3, -1.0, 2.0]), 0.5)
    found = after_looks(naive, np.array([1, 1, 1]), (0.05,), boundaries, None, 1)
    np.testing.assert_allclose(found.low, naive.low, atol=1e-6)
    np.testing.assert_allclose(found.estimate, naive.estimate, atol=1e-6)


def test_the_weighted_estimate_agrees_with_the_combination_test() -> None:
    first, second = normal(np.array([1.0, 0.2]), 0.8), normal(np.array([0.5, 1.4]), 0.4)
    found = after_promising_zone(first, second, np.array([0.4, 0.6]))
    statistics = np.sqrt(0.4) * first.statistic + np.sqrt(0.6) * second.statistic
    np.testing.assert_array_equal(found.low > 0.0, statistics > stats.norm.isf(0.025))
    at = np.sqrt(0.4) * (1.0 - found.estimate[0]) / 0.8 + np.sqrt(0.6) * (0.5 - found.estimate[0]) / 0.4
    assert at == pytest.approx(0.0, abs=1e-12)


def test_results_name_the_naive_estimate_and_show_the_adjusted_one_beside_it() -> None:
    trial = design(LOOKS, endpoints=f"[{CHANGE}]")
    pool = made_up_pool(trial, effect=1.0)
    results = run_replicates(trial, pool, MODEL, range(600))
    row = characteristics(trial, results, {"change/cells": 1.0})[0].data()
    naive, adjusted = row["estimation"]["naive"], row["estimation"]["adjusted"]
    assert naive["method"].startswith("naive") and "stage-wise" in adjusted["method"]
    assert naive["mean_estimate"] == row["mean_estimate"] and naive["coverage"] == row["coverage"]
    assert adjusted["coverage"]["value"] == pytest.approx(0.95, abs=0.03)
    assert abs(adjusted["above_truth"]["value"] - 0.5) < 0.06
    plain = design(endpoints=f"[{CHANGE}]")
    results = run_replicates(plain, pool, MODEL, range(20))
    assert characteristics(plain, results, {"change/cells": 1.0})[0].data()["estimation"] is None
