"""Analysis of covariance, responders and ordered categories, against statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from motorpool.trials.analyses.ancova import ancova
from motorpool.trials.analyses.ordinal import proportional_odds
from motorpool.trials.analyses.responder import cochran_mantel_haenszel, logistic
from tests.trials.analyses.trial_samples import ORACLES, Trials, oracle, trials


@pytest.fixture(scope="module")
def sample() -> Trials:
    return trials(4, 90, effect=1.0, seed=3)


def columns(sample: Trials, replicate: int) -> np.ndarray:
    return np.column_stack(
        [
            np.ones(sample.treated.shape[1]),
            sample.treated[replicate],
            sample.baseline[replicate],
            sample.stratum[replicate] == 1,
        ]
    ).astype(float)


def test_ancova_agrees_with_statsmodels(sample: Trials) -> None:
    change = sample.visits[..., -1]
    found = ancova(change, sample.treated, baseline=sample.baseline, stratum=sample.stratum, confidence=0.9)
    for replicate in range(4):
        seen = np.isfinite(change[replicate])
        fitted = sm.OLS(change[replicate][seen], columns(sample, replicate)[seen]).fit()
        assert found.estimate[replicate] == pytest.approx(fitted.params[1], rel=1e-9)
        assert found.standard_error[replicate] == pytest.approx(fitted.bse[1], rel=1e-9)
        assert found.p_value_two_sided[replicate] == pytest.approx(fitted.pvalues[1], rel=1e-7)
        limits = fitted.conf_int(alpha=0.1)[1]
        assert [found.low[replicate], found.high[replicate]] == pytest.approx(limits.tolist(), rel=1e-7)
        assert found.degrees_of_freedom[replicate] == fitted.df_resid
        assert found.residual_sd[replicate] == pytest.approx(np.sqrt(fitted.scale), rel=1e-9)
        centre = columns(sample, replicate)[seen].mean(axis=0)
        centre[1] = 0.0
        assert found.mean_control[replicate] == pytest.approx(float(centre @ fitted.params), rel=1e-8)
        assert found.patients[replicate] == seen.sum()


def test_ancova_without_covariates_is_students_t(sample: Trials) -> None:
    change = sample.visits[..., 0]
    found = ancova(change, sample.treated)
    for replicate in range(4):
        arm = sample.treated[replicate]
        other = stats.ttest_ind(change[replicate][arm], change[replicate][~arm])
        assert found.p_value_two_sided[replicate] == pytest.approx(other.pvalue, rel=1e-9)


def test_a_stratum_that_a_replicate_lacks_costs_nothing(sample: Trials) -> None:
    change, stratum = sample.visits[..., 0], sample.stratum.copy()
    stratum[1] = 0
    found = ancova(change, sample.treated, stratum=stratum)
    alone = ancova(change[1:2], sample.treated[1:2])
    assert found.estimate[1] == pytest.approx(alone.estimate[0], rel=1e-12)
    assert found.degrees_of_freedom[1] == alone.degrees_of_freedom[0]


def test_ancova_has_no_answer_in_one_arm_or_with_a_covariate_that_is_the_arm(sample: Trials) -> None:
    treated = sample.treated.copy()
    treated[0] = True
    baseline = sample.baseline.copy()
    baseline[1] = treated[1]
    found = ancova(sample.visits[..., 0], treated, baseline=baseline)
    assert np.isnan(found.estimate[:2]).all() and np.isnan(found.p_value_two_sided[:2]).all()
    assert np.isfinite(found.estimate[2:]).all()


def test_logistic_agrees_with_statsmodels(sample: Trials) -> None:
    response = (sample.visits[..., 0] > 0.5).astype(float)
    found = logistic(response, sample.treated, baseline=sample.baseline, stratum=sample.stratum)
    for replicate in range(4):
        fitted = sm.Logit(response[replicate], columns(sample, replicate)).fit(disp=0, tol=1e-12)
        assert found.estimate[replicate] == pytest.approx(fitted.params[1], rel=1e-7)
        assert found.standard_error[replicate] == pytest.approx(fitted.bse[1], rel=1e-7)


def test_separation_has_no_answer_unless_penalised() -> None:
    treated = np.array([[1] * 6 + [0] * 6])
    response = np.array([[1] * 6 + [1, 0, 0, 0, 0, 0]])
    assert np.isnan(logistic(response, treated).estimate[0])
    # In a two by two table Firth's estimate is the log odds ratio with a half added to every cell.
    penalised = logistic(response, treated, firth=True)
    assert penalised.estimate[0] == pytest.approx(np.log(6.5 / 0.5) - np.log(1.5 / 5.5), rel=1e-6)


@pytest.mark.parametrize("measure", ["risk_difference", "log_odds_ratio"])
def test_cochran_mantel_haenszel_agrees_with_statsmodels(sample: Trials, measure: str) -> None:
    response = sample.visits[..., 0] > 0.5
    found = cochran_mantel_haenszel(response, sample.treated, stratum=sample.stratum, measure=measure)  # type: ignore[arg-type]
    for replicate in range(4):
        arm, stratum, yes = sample.treated[replicate], sample.stratum[replicate], response[replicate]
        tables = [
            np.array([[np.sum((arm == a) & (yes == y) & (stratum == s)) for y in (1, 0)] for a in (1, 0)])
            for s in (0, 1)
        ]
        other = sm.stats.StratifiedTable(tables)
        assert found.statistic[replicate] ** 2 == pytest.approx(other.test_null_odds().statistic, rel=1e-9)
        assert found.p_value_two_sided[replicate] == pytest.approx(other.test_null_odds().pvalue, rel=1e-7)
        if measure == "log_odds_ratio":
            assert found.estimate[replicate] == pytest.approx(other.logodds_pooled, rel=1e-9)
            assert found.standard_error[replicate] == pytest.approx(other.logodds_pooled_se, rel=1e-9)
        else:
            n1, n0 = (np.array([(arm == a) & (stratum == s) for s in (0, 1)]).sum(axis=1) for a in (1, 0))
            gaps = [yes[arm & (stratum == s)].mean() - yes[~arm & (stratum == s)].mean() for s in (0, 1)]
            assert found.estimate[replicate] == pytest.approx(
                np.average(gaps, weights=n1 * n0 / (n1 + n0)), rel=1e-9
            )


def test_proportional_odds_agree_with_r() -> None:
    table, data = oracle("trial_ordinal_r.csv"), pd.read_csv(ORACLES / "trial_survival_data.csv")
    category = np.digitize(data["time"], [0.3, 0.7, 1.2])[None]
    found = proportional_odds(
        category, data["arm"].to_numpy()[None], baseline=data["baseline"].to_numpy()[None]
    )
    assert found.estimate[0] == pytest.approx(table["arm"], rel=1e-8)
    assert found.standard_error[0] == pytest.approx(table["arm_se"], rel=1e-8)


def test_two_categories_are_logistic_regression(sample: Trials) -> None:
    response = sample.visits[..., 0] > 0.5
    ordered = proportional_odds(response, sample.treated, baseline=sample.baseline)
    plain = logistic(response, sample.treated, baseline=sample.baseline)
    np.testing.assert_allclose(ordered.estimate, plain.estimate, rtol=1e-8)
    np.testing.assert_allclose(ordered.standard_error, plain.standard_error, rtol=1e-8)


def test_categories_that_nobody_has_do_not_matter(sample: Trials) -> None:
    category = np.digitize(sample.visits[..., 0], [-1.5, 0.0, 2.0]).astype(float)
    wider = np.where(category == 3, 7.5, category)
    np.testing.assert_allclose(
        proportional_odds(wider, sample.treated).estimate,
        proportional_odds(category, sample.treated).estimate,
    )


@pytest.mark.slow
def test_error_under_the_null_and_coverage() -> None:
    null = trials(4000, 50, visits=1, seed=23)
    change = null.visits[..., 0]
    analyses = {
        "ancova": ancova(change, null.treated, baseline=null.baseline, stratum=null.stratum),
        "cochran_mantel_haenszel": cochran_mantel_haenszel(change > 0, null.treated, stratum=null.stratum),
    }
    for name, found in analyses.items():
        errors = int((found.p_value_two_sided < 0.05).sum())
        # The last is a discrete test; both keep near their level.
        assert stats.binomtest(errors, 4000, 0.05).pvalue > 0.001, (name, errors)
    assert stats.binomtest(int(analyses["ancova"].covers(0.0).sum()), 4000, 0.95).pvalue > 0.001
    # Wald tests of small trials are somewhat cautious; never bold.
    for found in (
        logistic(change > 0, null.treated),
        proportional_odds(np.digitize(change, [-1, 1]), null.treated),
    ):
        assert 0.03 < (found.p_value_two_sided < 0.05).mean() < 0.06
