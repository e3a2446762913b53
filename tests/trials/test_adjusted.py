"""Estimates that take account of the rules that change a trial: median, coverage, mirror images, and where none is."""

import numpy as np
import pytest
from scipy import stats

from motorpool.trials.adaptive.boundaries import spending_boundaries
from motorpool.trials.adaptive.two_stages import TwoStages
from motorpool.trials.adjusted import adjusted_method, after_looks, after_selection, after_stages
from motorpool.trials.analyses.estimate import Estimate, summarised
from motorpool.trials.blocks import run_replicates
from motorpool.trials.looks import futility_z
from motorpool.trials.operating import characteristics
from motorpool.trials.rule_words import rule_words
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
    assert trial.interims is not None
    last = float(boundaries.efficacy_z[-1])
    low = futility_z(trial.interims, trial.interims.information, last) if futile else None
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
    found = after_stages([first, second], [0.4, 0.6])
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


def test_stages_whose_shares_followed_the_responses_are_joined_without_bias() -> None:
    generator = np.random.default_rng(2)
    first = normal(1.0 + 0.5 * generator.standard_normal(REPLICATES), 0.5)
    error = np.where(first.estimate > 1.0, 1.2, 0.4)  # a lead makes the second stage say less
    second = normal(1.0 + error * generator.standard_normal(REPLICATES), error)
    found = after_stages([first, second], [0.5, 0.5])
    assert ((found.low <= 1.0) & (found.high >= 1.0)).mean() == pytest.approx(0.95, abs=3 * ERROR)
    assert (found.estimate > 1.0).mean() == pytest.approx(0.5, abs=3 * (0.25 / REPLICATES) ** 0.5)
    weights = np.array([0.5**-2, 1.0]) * np.stack([np.ones(REPLICATES), error**-2.0], axis=-1)
    pooled = (weights * np.stack([first.estimate, second.estimate], axis=-1)).sum(axis=1) / weights.sum(
        axis=1
    )
    assert pooled.mean() > 1.0 + 0.04


def test_an_arm_that_went_on_has_the_mirror_image_of_the_other_direction() -> None:
    first, second = normal(np.array([1.0, 0.9]), 0.5), normal(np.array([0.4, 0.6]), 0.4)
    low, high, on = np.array([1.5, 1.5]), np.full(2, np.inf), np.array([True, False])
    found = after_selection(on, first, second, low, high, 1)
    mirrored = after_selection(on, normal(-first.estimate, 0.5), normal(-second.estimate, 0.4), low, high, -1)
    assert mirrored.estimate[0] == pytest.approx(-found.estimate[0]) and np.isnan(found.estimate[1])
    assert mirrored.low[0] == pytest.approx(-found.high[0])
    # Chosen for a large first statistic, the arm is worth less than its pooled estimate says.
    assert found.estimate[0] < TwoStages.pooled(first.estimate, 0.5, second.estimate, 0.4).joined[0][0] - 0.05


def test_every_rule_has_an_adjusted_estimate_or_says_why_not() -> None:
    three = (
        "arms={one: {therapies: [{therapy: cell_therapy, doses: 1}]}, "
        "two: {therapies: [{therapy: cell_therapy, doses: 2}]}, sham: {stand_in: sham_procedure}}"
    )
    drop, responsive = "arm_dropping={at: 0.5, keep_best: 1}", "response_adaptive={looks: [0.5]}"
    promising = (
        "reestimation={method: promising_zone, at: 0.6, largest_factor: 2, promising_from: 0.3, power: 0.9}"
    )
    for changes in ([three, drop], [responsive], [LOOKS, promising], [promising]):
        trial = design(*changes, "patients=80", endpoints=f"[{CHANGE}]")
        pool = made_up_pool(trial, effect=1.0)
        results = run_replicates(trial, pool, MODEL, range(60))
        shown = 0
        for arm in trial.test_arms:
            adjusted = results[f"change/{arm}/adjusted_estimate"]
            there = results.get(f"kept/{arm}", np.ones(60)) > 0
            assert np.isfinite(adjusted[there]).mean() > 0.9 and np.isnan(adjusted[~there]).all()
            shown += int(np.isfinite(adjusted).sum())
            low = results[f"change/{arm}/adjusted_low"]
            assert (low[there & np.isfinite(low)] < adjusted[there & np.isfinite(low)]).all()
        assert shown >= 54
        rows = characteristics(trial, results, {f"change/{arm}": 1.0 for arm in trial.test_arms})
        assert all(row.estimation is not None for row in rows)
        words = dict(rule_words(trial))["Estimates"]
        assert adjusted_method(trial) in words and ("dropped has none" in words) == (drop in changes)
