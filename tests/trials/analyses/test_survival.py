"""Survival analyses: against R, lifelines, and cases with known answers."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from lifelines import AalenJohansenFitter, CoxPHFitter
from scipy import stats

from motorpool.trials.analyses.competing_risks import aalen_johansen, cause_specific, incidence_difference
from motorpool.trials.analyses.cox import cox
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analyses.gray import gray
from motorpool.trials.analyses.kaplan_meier import kaplan_meier, restricted_mean
from motorpool.trials.analyses.log_rank import log_rank
from tests.trials.analyses.trial_samples import ORACLES, oracle, trials

CLOSE = 1e-8  # R's numbers have ten digits


@pytest.fixture(scope="module")
def data() -> dict[str, np.ndarray]:
    table = pd.read_csv(ORACLES / "trial_survival_data.csv")
    return {name: table[name].to_numpy()[None] for name in table}


@pytest.fixture(scope="module")
def table() -> pd.Series:
    return oracle("trial_survival_r.csv")


def test_log_rank_agrees_with_r(data: dict[str, np.ndarray], table: pd.Series) -> None:
    given = data["time"], data["event"], data["arm"]
    assert log_rank(*given).chi_square[0] == pytest.approx(table["logrank_chisq"], rel=CLOSE)
    stratified = log_rank(*given, stratum=data["stratum"])
    assert stratified.chi_square[0] == pytest.approx(table["stratified_logrank_chisq"], rel=CLOSE)
    assert log_rank(*given, early=1.0).chi_square[0] == pytest.approx(table["peto_chisq"], rel=CLOSE)
    assert log_rank(*given).events[0] == data["event"].sum()


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox_agrees_with_r(data: dict[str, np.ndarray], table: pd.Series, ties: str) -> None:
    given = data["time"], data["event"], data["arm"]
    plain = cox(*given, ties=ties)  # type: ignore[arg-type]
    assert plain.estimate[0] == pytest.approx(table[f"cox_{ties}"], rel=CLOSE)
    assert plain.standard_error[0] == pytest.approx(table[f"cox_se_{ties}"], rel=CLOSE)
    adjusted = cox(*given, baseline=data["baseline"], stratum=data["stratum"], ties=ties)  # type: ignore[arg-type]
    assert adjusted.estimate[0] == pytest.approx(table[f"cox_adjusted_{ties}"], rel=CLOSE)
    assert adjusted.standard_error[0] == pytest.approx(table[f"cox_adjusted_se_{ties}"], rel=CLOSE)


@pytest.mark.parametrize("arm", [0, 1])
def test_curves_agree_with_r(data: dict[str, np.ndarray], table: pd.Series, arm: int) -> None:
    member = data["arm"] == arm
    curve = kaplan_meier(data["time"], data["event"], [0.5, 1.0, 2.0], observed=member)
    incidence = aalen_johansen(data["time"], data["cause"], [0.5, 1.0, 2.0], observed=member)
    for place, name in enumerate(("0.5", "1", "2")):
        for field, suffix in (
            ("survival", ""),
            ("standard_error", "_se"),
            ("low", "_low"),
            ("high", "_high"),
            ("at_risk", "_at_risk"),
        ):
            value = table[f"km_arm{arm}_t{name}{suffix}"]
            assert getattr(curve, field)[0, place] == pytest.approx(value, rel=CLOSE), (name, field)
        assert incidence.incidence[0, place] == pytest.approx(table[f"incidence_arm{arm}_t{name}"], rel=CLOSE)
        # R's cmprsk has Aalen's variance, this the delta method: alike, not equal.
        assert incidence.standard_error[0, place] == pytest.approx(
            table[f"incidence_arm{arm}_t{name}_se"], rel=0.05
        )
    assert curve.median_years[0] == pytest.approx(table[f"median_arm{arm}"])


def test_restricted_mean_agrees_with_r(data: dict[str, np.ndarray], table: pd.Series) -> None:
    found = restricted_mean(data["time"], data["event"], data["arm"], horizon_years=2.5)
    assert found.mean_years_control[0] == pytest.approx(table["rmst_arm0"], rel=CLOSE)
    assert found.mean_years_treated[0] == pytest.approx(table["rmst_arm1"], rel=CLOSE)
    error = np.hypot(table["rmst_se_arm0"], table["rmst_se_arm1"])
    assert found.standard_error[0] == pytest.approx(error, rel=CLOSE)


def test_the_older_table_of_r_is_met_too() -> None:
    old, data = oracle("survival_r.csv"), pd.read_csv(ORACLES / "survival_data.csv")
    given = tuple(data[name].to_numpy()[None] for name in ("time", "event", "arm"))
    assert log_rank(*given).chi_square[0] == pytest.approx(old["logrank_chisq"], rel=CLOSE)
    assert cox(*given).estimate[0] == pytest.approx(old["cox_loghr_efron"], rel=1e-6)
    assert cox(*given).standard_error[0] == pytest.approx(old["cox_se"], rel=1e-6)
    means = restricted_mean(*given, horizon_years=12.0)
    assert means.mean_years_control[0] == pytest.approx(old["rmst12_arm0"], rel=CLOSE)
    assert means.mean_years_treated[0] == pytest.approx(old["rmst12_arm1"], rel=CLOSE)
    for arm in (0, 1):
        curve = kaplan_meier(given[0], given[1], [6.0, 12.0], observed=given[2] == arm)
        assert curve.survival[0].tolist() == pytest.approx([old[f"km_arm{arm}_t6"], old[f"km_arm{arm}_t12"]])


def test_competing_risks_agree_with_r(data: dict[str, np.ndarray], table: pd.Series) -> None:
    for cause in (1, 2):
        found = gray(data["time"], data["cause"], data["arm"], of_interest=cause)
        assert found.chi_square[0] == pytest.approx(table[f"gray_chisq_cause{cause}"], rel=CLOSE)
    hazard = cause_specific(data["time"], data["cause"], data["arm"], of_interest=2)
    assert hazard.estimate[0] == pytest.approx(table["cause2_cox"], rel=CLOSE)
    assert hazard.standard_error[0] == pytest.approx(table["cause2_cox_se"], rel=CLOSE)


def test_agrees_with_lifelines_in_each_replicate() -> None:
    sample = trials(4, 60, seed=3, log_hazard_ratio=-0.5)
    found = cox(sample.time_years, sample.event, sample.treated, baseline=sample.baseline)
    generator = np.random.default_rng(5)
    untied = sample.time_years + generator.uniform(0.0, 1e-6, sample.time_years.shape)
    curves = aalen_johansen(untied, sample.cause, [1.0])
    for replicate in range(4):
        frame = pd.DataFrame(
            {
                name: getattr(sample, name)[replicate]
                for name in ("time_years", "event", "treated", "baseline")
            }
        ).astype(float)
        with warnings.catch_warnings():  # lifelines calls pandas in ways that pandas will give up
            warnings.simplefilter("ignore")
            fitter = CoxPHFitter().fit(frame, "time_years", "event", fit_options={"precision": 1e-12})
        assert found.estimate[replicate] == pytest.approx(fitter.params_["treated"], rel=1e-6)
        assert found.standard_error[replicate] == pytest.approx(fitter.standard_errors_["treated"], rel=1e-6)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = AalenJohansenFitter(calculate_variance=True).fit(
                untied[replicate], sample.cause[replicate], event_of_interest=1
            )
        assert curves.incidence[replicate, 0] == pytest.approx(
            float(other.cumulative_density_.loc[:1.0].iloc[-1, 0])
        )


def test_without_censoring_the_curves_are_shares() -> None:
    sample = trials(3, 80, seed=2)
    cause = np.where(sample.cause == 0, 2, sample.cause)
    share = ((sample.time_years <= 1.0) & (cause == 1)).mean(axis=1)
    found = aalen_johansen(sample.time_years, cause, [1.0])
    np.testing.assert_allclose(found.incidence[:, 0], share, rtol=1e-12)
    np.testing.assert_allclose(found.standard_error[:, 0], np.sqrt(share * (1 - share) / 80), rtol=1e-9)
    curve = kaplan_meier(sample.time_years, cause > 0, [1.0])
    np.testing.assert_allclose(curve.survival[:, 0], (sample.time_years > 1.0).mean(axis=1), rtol=1e-12)
    means = restricted_mean(sample.time_years, cause > 0, sample.treated, horizon_years=1.0)
    for replicate in range(3):
        arm = sample.time_years[replicate, sample.treated[replicate]]
        assert means.mean_years_treated[replicate] == pytest.approx(np.minimum(arm, 1.0).mean(), rel=1e-12)


def test_grays_test_without_a_rival_cause_is_the_log_rank_test() -> None:
    sample = trials(5, 60, seed=4)
    everyone = sample.event.astype(int)
    own = gray(sample.time_years, everyone, sample.treated)
    plain = log_rank(sample.time_years, sample.event, sample.treated)
    # Alike up to the treatment of ties in the variance.
    np.testing.assert_allclose(own.statistic, plain.statistic, rtol=0.05)


def test_patients_not_observed_change_nothing_whatever_their_order() -> None:
    sample = trials(3, 50, seed=6)
    generator = np.random.default_rng(7)
    order = generator.permutation(70)

    def padded(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values, values[:, :20]], axis=1)[:, order]

    observed = np.broadcast_to(order < 50, (3, 70))
    given = sample.time_years, sample.event, sample.treated
    more = tuple(padded(one) for one in given)
    for analysis in (log_rank, cox):
        np.testing.assert_allclose(
            analysis(*more, observed=observed).statistic, analysis(*given).statistic, rtol=1e-9
        )


def test_no_answer_where_there_is_none() -> None:
    sample = trials(3, 40, seed=8)
    event = sample.event.copy()
    event[0], event[1] = False, event[1] & ~sample.treated[1]
    tested = log_rank(sample.time_years, event, sample.treated)
    assert np.isnan(tested.estimate[0]) and np.isfinite(tested.estimate[[1, 2]]).all()
    fitted = cox(sample.time_years, event, sample.treated)
    assert np.isnan(fitted.estimate[:2]).all() and np.isfinite(fitted.estimate[2])
    # Everyone censored: nothing is known beyond the last of them. A curve that ends at 0 is known for ever.
    beyond = restricted_mean(sample.time_years, np.zeros_like(event), sample.treated, horizon_years=50.0)
    assert np.isnan(beyond.estimate).all()
    ended = restricted_mean(sample.time_years, np.ones_like(event), sample.treated, horizon_years=50.0)
    assert np.isfinite(ended.estimate).all()


def test_impossible_requests_are_refused_by_name() -> None:
    sample = trials(1, 10, seed=1)
    with pytest.raises(ValueError, match="times cannot be negative"):
        log_rank(-sample.time_years, sample.event, sample.treated)
    with pytest.raises(ValueError, match="ties is 'exact'"):
        cox(sample.time_years, sample.event, sample.treated, ties="exact")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="horizon_years is 0"):
        restricted_mean(sample.time_years, sample.event, sample.treated, horizon_years=0.0)
    with pytest.raises(ValueError, match="cause must hold whole numbers"):
        gray(sample.time_years, sample.cause - 1, sample.treated)


@pytest.mark.slow
@pytest.mark.parametrize(
    "analysis",
    [
        lambda s: log_rank(s.time_years, s.event, s.treated, stratum=s.stratum),
        lambda s: cox(s.time_years, s.event, s.treated, baseline=s.baseline),
        lambda s: restricted_mean(s.time_years, s.event, s.treated, horizon_years=0.9),
        lambda s: gray(s.time_years, s.cause, s.treated),
        lambda s: incidence_difference(s.time_years, s.cause, s.treated, horizon_years=0.9),
    ],
    ids=["log_rank", "cox", "restricted_mean", "gray", "incidence"],
)
def test_error_under_the_null(analysis: Callable[[object], Estimate]) -> None:
    found = analysis(trials(4000, 100, visits=1, seed=21))
    errors = int((found.p_value_two_sided < 0.05).sum())
    assert stats.binomtest(errors, int(np.isfinite(found.estimate).sum()), 0.05).pvalue > 0.001
