"""Accrual and the value of an answer: limits, monotonicity and closed forms."""

import numpy as np
import pytest

from motorpool.trials.accrual import entries_along, forecast_accrual
from motorpool.trials.sizes import smallest_trial
from motorpool.trials.value import value_at
from tests.support.trial_pools import design, made_up_pool


def test_a_plain_rate_fills_the_trial_in_its_time() -> None:
    trial = design("accrual={patients_per_month: 4}")
    forecast = forecast_accrual(trial, made_up_pool(trial))
    assert forecast.months_to_enrol == 25
    assert forecast.feasible_patients == 144


def test_births_agreement_and_rivals_decide_how_long_it_takes() -> None:
    def months(*changes: str) -> float:
        trial = design("accrual={region: european_union, reached_share: 0.8, consent_share: 0.8}", *changes)
        return forecast_accrual(trial, made_up_pool(trial)).months_to_enrol

    usual = months()
    assert months("accrual.consent_share=0.3") > usual
    assert months("accrual.competing=[{name: other, patients_per_year: 60}]") > usual
    assert months("sites.count=30") < usual
    assert months("accrual.region=germany") > usual


def test_eligible_people_follow_from_births_and_prevalence() -> None:
    trial = design("accrual={births_per_year: 1000000, reached_share: 1, consent_share: 1}")
    forecast = forecast_accrual(trial, made_up_pool(trial))
    # 7.84 in 100,000 births; 31.7 % of newborns with SMA have three copies, of whom the pool admits a tenth.
    assert forecast.eligible_per_year == pytest.approx(1e6 * 7.84e-5 * 0.317 * 0.1, rel=1e-6)
    assert forecast.eligible_now == pytest.approx(forecast.eligible_per_year * 11.0, rel=1e-3)


def test_entries_are_a_poisson_process_with_the_expected_rate() -> None:
    gaps = np.random.default_rng(1).standard_exponential((2000, 40))
    entries = entries_along(np.cumsum(np.full(100, 4.0)), gaps)
    assert (np.diff(entries, axis=1) >= 0).all()
    assert entries[:, 39].mean() == pytest.approx(10.0, rel=0.02)
    assert np.isinf(entries_along(np.full(5, 3.0), gaps)[:, 39]).all()


def test_a_trial_of_no_information_is_worth_nothing_and_a_perfect_one_everything() -> None:
    effects = np.random.default_rng(2).normal(0.0, 1.0, 400)
    blind, sharp = (value_at(effects, 0.5, error, 100, 1) for error in (1000.0, 1e-3))
    assert blind.sample_information == pytest.approx(0.0, abs=0.01)
    assert blind.change_probability == pytest.approx(0.0, abs=0.01)
    assert sharp.share_of_perfect == pytest.approx(1.0, abs=0.02)
    assert sharp.change_probability == pytest.approx(np.mean(effects > 0.5), abs=0.01)


def test_value_agrees_with_the_closed_form_of_normal_prior_and_estimate() -> None:
    # Preposterior standard deviation s0^2/sqrt(s0^2 + se^2); unit-normal loss at the worthwhile effect.
    from scipy.stats import norm

    effects = norm.ppf((np.arange(1000) + 0.5) / 1000)
    found = value_at(effects, 0.5, 1.0, 100, 3)
    spread = 1.0 / np.sqrt(2.0)
    expected = spread * (norm.pdf(0.5 / spread) - 0.5 / spread * norm.sf(0.5 / spread))
    assert found.sample_information == pytest.approx(expected, rel=0.05)


def test_the_smallest_trial_agrees_with_the_formula_for_means(monkeypatch: pytest.MonkeyPatch) -> None:
    from motorpool.trials import blocks
    from motorpool.trials.adaptive.sample_size import patients_for_means
    from motorpool.trials.analysis import analyse
    from motorpool.trials.blocks import Settings
    from motorpool.trials.replicate import draw_trials
    from motorpool.trials.truth import MODEL

    trial = design(endpoints="[{name: change, outcome: hfmse, measure: change, at_month: 12}]")
    pool = made_up_pool(trial, people=2000, effect=1.5, spread=3.0)
    monkeypatch.setattr(blocks, "cached_pool", lambda *given: pool)
    found = smallest_trial(trial, Settings(1500, MODEL, 0, 2000), target=0.8)
    estimate = analyse(draw_trials(trial, pool, MODEL, range(20)), trial.endpoints[0], "cells")
    residual = float(np.mean(estimate.residual_sd))
    assert found.patients == pytest.approx(patients_for_means(1.5, residual, power=0.8), rel=0.1)
