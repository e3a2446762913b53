"""Weighted statistics of many samples at once, against numpy on samples in which people appear as often as they count,
and Cox's estimate against R's survival package, lifelines, and the likelihood written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from motorpool.studies import statistics

ORACLES = Path(__file__).resolve().parent.parent / "oracles"
# lifelines calls pandas in a way that its next version will not know.
lifelines_in_old_pandas_style = pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0")


@st.composite
def samples(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    """Values and whole-number weights (R, n), with some people not counted but never all of them."""
    replicates, people = draw(st.integers(1, 4)), draw(st.integers(2, 12))
    seed = draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    values = np.round(generator.normal(20.0, 8.0, (replicates, people)), draw(st.sampled_from([0, 3])))
    weights = generator.integers(1, 5, (replicates, people)).astype(float)
    left_out = generator.random((replicates, people)) < draw(st.sampled_from([0.0, 0.3]))
    left_out[:, :2] = False
    return np.where(left_out, np.nan, values), weights


def expanded(values: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
    """Every replicate with each counted person as often as its weight says."""
    return [
        np.repeat(row[~np.isnan(row)], weight[~np.isnan(row)].astype(int))
        for row, weight in zip(values, weights, strict=True)
    ]


@given(samples())
def test_means_and_medians_equal_those_of_expanded_samples(sample: tuple[np.ndarray, np.ndarray]):
    values, weights = sample
    rows = expanded(values, weights)
    np.testing.assert_allclose(statistics.mean(values, weights), [row.mean() for row in rows], rtol=1e-12)
    np.testing.assert_allclose(statistics.median(values, weights), [np.median(row) for row in rows])


@given(samples())
def test_the_spread_is_corrected_for_the_effective_number_of_people(sample: tuple[np.ndarray, np.ndarray]):
    values, weights = sample
    wanted = []
    for row, weight, whole in zip(values, weights, expanded(values, weights), strict=True):
        shares = weight[~np.isnan(row)] / weight[~np.isnan(row)].sum()
        wanted.append(whole.std() / np.sqrt(1.0 - np.sum(shares**2)))
    np.testing.assert_allclose(statistics.standard_deviation(values, weights), wanted, rtol=1e-9, atol=1e-9)


@given(samples(), st.floats(0.01, 100.0))
def test_only_the_proportions_of_the_weights_matter(sample: tuple[np.ndarray, np.ndarray], factor: float):
    values, weights = sample
    for statistic in (statistics.mean, statistics.standard_deviation, statistics.median):
        np.testing.assert_allclose(
            statistic(values, weights * factor), statistic(values, weights), rtol=1e-9, atol=1e-9
        )


def test_equal_weights_give_the_usual_sample_standard_deviation():
    values = np.random.default_rng(1).normal(size=(3, 17))
    found = statistics.standard_deviation(values, np.full(values.shape, 0.25))
    np.testing.assert_allclose(found, values.std(axis=1, ddof=1))


def test_a_median_that_most_people_never_reached_is_infinite():
    values = np.array([[4.0, np.inf, np.inf], [4.0, 5.0, np.inf], [np.nan, 5.0, 7.0]])
    np.testing.assert_array_equal(statistics.median(values, np.ones(values.shape)), [np.inf, 5.0, 6.0])


@pytest.mark.parametrize("statistic", [statistics.mean, statistics.standard_deviation, statistics.median])
def test_a_statistic_of_nobody_is_not_a_number(statistic: Any):
    one_of_two = np.array([[np.nan, np.nan, np.nan], [1.0, 3.0, 5.0]])
    with np.errstate(invalid="ignore"):
        found = statistic(one_of_two, np.ones(one_of_two.shape))
    assert np.isnan(found[0]) and np.isfinite(found[1])


# ---------------------------------------------------------------- Cox


def cox(times: Any, events: Any, treated: Any, weights: Any = None) -> float:
    """The estimate of one sample."""
    times = np.asarray(times, float)[None]
    weights = np.ones(times.shape) if weights is None else np.asarray(weights, float)[None]
    return float(
        statistics.cox_log_hazard_ratio(times, np.array([events], bool), np.array([treated], bool), weights)[
            0
        ]
    )


def breslow_maximum(times: Any, events: Any, treated: Any, weights: Any) -> float:
    """The maximum of Cox's partial likelihood with Breslow's treatment of ties, written out sum by sum."""
    times, x, weights = np.asarray(times, float), np.asarray(treated, float), np.asarray(weights, float)

    def minus_log_likelihood(b: float) -> float:
        total = 0.0
        for i in np.flatnonzero(events):
            at_risk = times >= times[i]
            total += weights[i] * (x[i] * b - np.log(np.sum(weights[at_risk] * np.exp(b * x[at_risk]))))
        return -total

    found = minimize_scalar(minus_log_likelihood, bounds=(-4, 4), method="bounded", options={"xatol": 1e-10})
    return float(found.x)


@pytest.fixture(scope="module")
def trial() -> pd.DataFrame:
    return pd.read_csv(ORACLES / "survival_data.csv")


def test_the_log_hazard_ratio_of_a_trial_equals_that_of_r(trial: pd.DataFrame):
    published = pd.read_csv(ORACLES / "survival_r.csv", index_col="quantity")["value"]
    found = cox(trial["time"], trial["event"] == 1, trial["arm"] == 1)
    assert found == pytest.approx(published["cox_loghr_efron"], abs=1e-8)


@lifelines_in_old_pandas_style
def test_resampled_and_weighted_trials_equal_those_of_lifelines(trial: pd.DataFrame):
    from lifelines import CoxPHFitter

    generator = np.random.default_rng(5)
    weights = generator.uniform(0.5, 2.0, (4, len(trial)))
    chosen = np.stack([np.sort(generator.choice(len(trial), 60, replace=False)) for _ in range(4)])
    batch = [trial[name].to_numpy()[chosen] for name in ("time", "event", "arm")]
    picked = np.take_along_axis(weights, chosen, axis=1)
    found = statistics.cox_log_hazard_ratio(batch[0], batch[1] == 1, batch[2] == 1, picked)
    for row in range(4):
        table = trial.iloc[chosen[row]].assign(weight=picked[row])
        fit = CoxPHFitter().fit(table, "time", "event", weights_col="weight", robust=True)
        assert found[row] == pytest.approx(float(fit.params_["arm"]), abs=1e-4)
    assert np.ptp(found) > 0.05  # four different samples


@lifelines_in_old_pandas_style
def test_few_ties_stay_near_efrons_treatment(trial: pd.DataFrame):
    from lifelines import CoxPHFitter

    table = trial.assign(time=np.ceil(trial["time"]))
    efron = float(CoxPHFitter().fit(table, "time", "event").params_["arm"])
    found = cox(table["time"], table["event"] == 1, table["arm"] == 1)
    assert found == pytest.approx(efron, abs=0.05)
    assert abs(found) < abs(efron)  # Breslow's treatment leans towards no difference


@given(st.integers(0, 2**32 - 1))
def test_ties_and_weights_equal_breslows_likelihood_written_out(seed: int):
    generator = np.random.default_rng(seed)
    people = 40
    treated = np.arange(people) % 2 == 0
    latent = np.ceil(generator.exponential(np.where(treated, 12.0, 7.0)))
    censored = generator.integers(4, 16, people)
    times, events = np.minimum(latent, censored), latent <= censored
    weights = generator.uniform(0.2, 3.0, people)
    if not (events & treated).any() or not (events & ~treated).any():
        return
    found = cox(times, events, treated, weights)
    assert found == pytest.approx(breslow_maximum(times, events, treated, weights), abs=1e-5)


def test_an_arm_without_events_gives_the_guarded_ratio_and_no_warning():
    times, treated = np.arange(1.0, 13.0), np.arange(12) % 2 == 0
    others_only, treated_only = ~treated, treated
    limit = statistics.LARGEST_LOG_HAZARD_RATIO
    assert cox(times, others_only, treated) == pytest.approx(-limit)
    assert cox(times, treated_only, treated) == pytest.approx(limit)
    assert cox(times, np.zeros(12, bool), treated) == 0.0


def test_swapping_the_arms_turns_the_ratio_round(trial: pd.DataFrame):
    one = cox(trial["time"], trial["event"] == 1, trial["arm"] == 1)
    other = cox(trial["time"], trial["event"] == 1, trial["arm"] == 0)
    assert one == pytest.approx(-other)
    assert one < -0.5


def test_large_ratios_are_reached_before_the_steps_run_out():
    generator = np.random.default_rng(3)
    treated = np.arange(400) % 2 == 0
    times = generator.exponential(np.where(treated, 20.0, 1.0))
    found = cox(times, np.ones(400, bool), treated)
    wanted = breslow_maximum(times, np.ones(400, bool), treated, np.ones(400))
    assert found == pytest.approx(wanted, abs=1e-4)
    assert found < -2.5
