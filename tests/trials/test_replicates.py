"""Replicate trials: allocation, estimand, missing data and luck, on people whose courses are known."""

import numpy as np
import pytest

from motorpool.simulation.readout import EVENTS
from motorpool.trials.analysis import analyse
from motorpool.trials.blocks import run_replicates
from motorpool.trials.effects import true_effects
from motorpool.trials.estimand_values import changes, event_times, responses
from motorpool.trials.operating import characteristics
from motorpool.trials.replicate import draw_trials
from motorpool.trials.truth import MODEL, NULL, Truth
from tests.support.trial_pools import CHANGE, DEATH, design, made_up_pool


def test_arms_keep_their_ratio_in_every_block_and_stratum() -> None:
    trial = design("arms.cells.ratio=2", "strata.age_months=[72]", "patients=120")
    data = draw_trials(trial, made_up_pool(trial), NULL, range(20))
    for replicate in range(20):
        for stratum in (0, 1):
            arms = data.arm[replicate][data.stratum[replicate] == stratum]
            whole = arms[: len(arms) // 6 * 6].reshape(-1, 6)
            assert ((whole == 0).sum(axis=1) == 4).all()


def test_a_replicate_is_the_same_whatever_is_drawn_beside_it() -> None:
    trial = design(
        "conduct.missing={visits_missed: 0.1, leave_per_year: 0.1}", "sites={count: 4, level_sd: 1}"
    )
    pool = made_up_pool(trial)
    many, one = draw_trials(trial, pool, MODEL, range(5)), draw_trials(trial, pool, MODEL, [3])
    for name in ("arm", "person", "entry_months", "left_months"):
        assert np.array_equal(getattr(many, name)[3], getattr(one, name)[0])
    assert np.array_equal(many.scores[:, :, 3], one.scores[:, :, 0], equal_nan=True)
    assert np.array_equal(many.seen[:, 3], one.seen[:, 0])


def test_results_do_not_depend_on_how_many_are_analysed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = design()
    pool = made_up_pool(trial, effect=1.0)
    whole = run_replicates(trial, pool, MODEL, range(12))
    monkeypatch.setattr("motorpool.trials.blocks.PEOPLE_AT_ONCE", 250)
    parts = run_replicates(trial, pool, MODEL, range(12))
    assert all(np.array_equal(whole[name], parts[name], equal_nan=True) for name in whole)


def test_an_arm_without_effect_has_the_controls_bits() -> None:
    trial = design()
    data = draw_trials(trial, made_up_pool(trial), MODEL, range(3))
    null = draw_trials(trial, made_up_pool(trial, effect=5.0), NULL, range(3))
    assert np.array_equal(data.scores, null.scores)


def test_the_mean_difference_is_the_effect_that_was_put_in() -> None:
    trial = design()
    pool = made_up_pool(trial, effect=2.0)
    assert true_effects(trial, pool, MODEL)["change/cells"] == pytest.approx(2.0, abs=0.02)
    assert true_effects(trial, pool, Truth("share", 0.5))["change/cells"] == pytest.approx(1.0, abs=0.15)
    assert true_effects(trial, pool, NULL)["change/cells"] == 0.0


def test_death_is_the_worst_score_or_the_last_one_as_the_estimand_says() -> None:
    composite = design()
    data = draw_trials(
        composite, made_up_pool(composite, deaths={"cells": 0.5, "sham": 0.5}), MODEL, range(2)
    )
    died = np.isfinite(data.event_months[EVENTS.index("death")])
    found = changes(data, composite.endpoints[0])
    assert died.any() and np.array_equal(found[died][:, 2], -data.baseline[0][died])
    before = design("estimand.intercurrent_events.death=while_before")
    kept = changes(data.__class__(**{**data.__dict__, "design": before}), before.endpoints[0])
    assert np.array_equal(kept[died][:, 2], kept[died][:, 1])
    assert np.array_equal(kept[~died], found[~died])


def test_who_leaves_is_missing_does_not_respond_and_is_censored() -> None:
    trial = design(
        "conduct.missing.leave_per_year=0.5",
        endpoints=f"[{CHANGE}, {DEATH}, {{name: up, outcome: hfmse, measure: response, change_at_least: -50}}]",
    )
    data = draw_trials(trial, made_up_pool(trial), MODEL, range(20))
    gone = data.left_months < 12.0
    assert gone.mean() == pytest.approx(0.5, abs=0.04)
    assert np.isnan(changes(data, trial.endpoints[0])[gone][:, 2]).all()
    assert not responses(data, trial.endpoints[2])[gone].any()
    assert responses(data, trial.endpoints[2])[~gone].all()
    times = event_times(data, trial.endpoints[1])
    assert (times.months[gone] < 12.0).all() and (times.cause == 0).all()
    assert responses(data, trial.endpoints[2], complete=True).all()


@pytest.mark.parametrize(("mechanism", "lowest"), [("mcar", -0.25), ("mar", 0.15), ("mnar", 0.6)])
def test_missing_data_bias_who_is_left_as_their_mechanism_says(mechanism: str, lowest: float) -> None:
    tilt = 0.0 if mechanism == "mcar" else 0.5
    missing = f"conduct.missing={{mechanism: {mechanism}, log_odds_per_point: {tilt}, leave_per_year: 0.4}}"
    trial = design(missing)
    data = draw_trials(trial, made_up_pool(trial, spread=3.0), NULL, range(60))
    everybody = changes(data, trial.endpoints[0], complete=True)[..., 2]
    seen = changes(data, trial.endpoints[0])[..., 2]
    better = np.nanmean(seen) - np.nanmean(everybody)
    assert better > lowest
    assert mechanism != "mcar" or abs(better) < 0.15


def test_drift_of_the_times_moves_late_entries_and_no_arm() -> None:
    trial = design()
    pool = made_up_pool(trial)
    plain, drifting = (draw_trials(trial, pool, truth, range(40)) for truth in (NULL, Truth("drift", 6.0)))
    moved = drifting.scores[0, 2] - plain.scores[0, 2]
    late = plain.entry_months > np.median(plain.entry_months)
    assert moved[late].mean() > moved[~late].mean() + 0.5
    assert abs(moved[plain.arm == 0].mean() - moved[plain.arm == 1].mean()) < 0.2


def test_those_who_know_their_arm_are_rated_better() -> None:
    blinded, open_label = design(), design("blinding=open_label")
    pool = made_up_pool(blinded)
    one, other = (draw_trials(trial, pool, NULL, range(20)) for trial in (blinded, open_label))
    moved = other.scores[0, 2] - one.scores[0, 2]
    assert moved[one.arm == 0].mean() > 0.5
    assert np.array_equal(other.scores[0, 2][one.arm == 1], one.scores[0, 2][one.arm == 1])


def test_a_rater_shares_noise_without_adding_any() -> None:
    plain, shared = design(), design("sites={count: 5, raters_per_site: 2, rater_share: 0.6}")
    pool = made_up_pool(plain, spread=0.001)
    one, other = (draw_trials(trial, pool, NULL, range(100)) for trial in (plain, shared))
    spread = [np.std(data.scores[0, 2] - data.baseline[0]) for data in (one, other)]
    assert spread[1] == pytest.approx(spread[0], rel=0.06)
    rated = np.asarray(other.scores[0, 2] - other.baseline[0])
    by_centre = [rated[r][other.site[r] == s] for r in range(100) for s in range(5)]
    means = np.asarray([values.mean() for values in by_centre if values.size > 10])
    # Noise of a single rating has an SD of 1.6: without raters, means of about 20 people would spread by 0.4.
    assert means.std() > 0.6


def test_errors_of_the_first_kind_and_coverage_are_nominal() -> None:
    trial = design("conduct.missing={visits_missed: 0.05}")
    pool = made_up_pool(trial, effect=1.0, spread=3.0)
    results = run_replicates(trial, pool, NULL, range(2000))
    (row, _) = characteristics(trial, results, true_effects(trial, pool, NULL))
    error = (0.05 * 0.95 / 2000) ** 0.5
    assert row.rejection.value == pytest.approx(0.05, abs=3 * error)
    assert row.coverage.value == pytest.approx(0.95, abs=3 * error)
    assert row.rejection.monte_carlo_error == pytest.approx(error, rel=0.2)


def test_looks_stop_trials_and_keep_the_error() -> None:
    trial = design("interims={information: [0.5], efficacy: pocock}", "accrual={patients_per_month: 2}")
    pool = made_up_pool(trial, effect=2.0, spread=3.0)
    null = run_replicates(trial, pool, NULL, range(1000))
    (row, _) = characteristics(trial, null, true_effects(trial, pool, NULL))
    assert row.rejection.value == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / 1000) ** 0.5)
    assert null["patients"][null["stopped"] == 0].min() == 100
    found = run_replicates(trial, pool, MODEL, range(200))
    assert (found["stopped"] == 1).mean() > 0.3
    assert found["patients"][found["stopped"] == 1].mean() < 100
    assert found["months"][found["stopped"] == 1].mean() < found["months"][found["stopped"] == 0].mean()


def test_outside_controls_that_drift_bias_a_pooled_comparison_more_than_a_robust_one() -> None:
    bias: dict[str, float] = {}
    for method, more in (("pooled", ""), ("robust_map", ", between_trials_sd: 0.5")):
        trial = design(
            f"external_control={{patients: 60, method: {method}, drift_points: 2{more}}}",
            endpoints=f"[{CHANGE}]",
        )
        pool = made_up_pool(trial)
        data = draw_trials(trial, pool, NULL, range(60))
        bias[method] = float(np.nanmean(analyse(data, trial.endpoints[0], "cells").estimate))
    assert bias["pooled"] < -0.8
    assert abs(bias["robust_map"]) < 0.5 * abs(bias["pooled"])


def test_a_single_arm_is_judged_by_its_own_people_untreated() -> None:
    changes_ = [
        "arms={cells: {therapies: [{therapy: cell_therapy}]}}",
        "control=null",
        "external_control={patients: 60, drift_points: 1.5}",
    ]
    trial = design(*changes_, endpoints=f"[{CHANGE}]")
    pool = made_up_pool(trial, effect=3.0)
    assert true_effects(trial, pool, MODEL)["change/cells"] == pytest.approx(3.0, abs=0.02)
    results = run_replicates(trial, pool, NULL, range(100))
    assert np.nanmean(results["change/cells/estimate"]) == pytest.approx(-1.5, abs=0.3)
