"""Repeated measures: against R's gls and pbkrtest, a dense likelihood, and limits with known answers."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from motorpool.trials.analyses.ancova import ancova
from motorpool.trials.analyses.covariance import COVARIANCES, structure
from motorpool.trials.analyses.mmrm import MmrmEstimate, mmrm
from tests.trials.analyses.trial_samples import ORACLES, oracle, trials


def of_oracle(covariance: str, **options: object) -> MmrmEstimate:
    data = pd.read_csv(ORACLES / "mmrm_data.csv")
    values = data.pivot(index="id", columns="visit", values="change").to_numpy()[None]
    patients = data.groupby("id").first()
    return mmrm(
        values,
        patients["arm"].to_numpy()[None],
        baseline=patients["base"].to_numpy(dtype=float)[None],
        baseline_by_visit=False,
        covariance=covariance,  # type: ignore[arg-type]
        **options,  # type: ignore[arg-type]
    )


# gls stops a little before the maximum of a flat likelihood with many parameters; see also the test of the score.
TOLERANCE = {"unstructured": 2e-5, "compound_symmetry": 1e-8, "autoregressive": 1e-8}


@pytest.mark.parametrize("covariance", [name for name in COVARIANCES if name != "toeplitz"])
def test_agrees_with_gls(covariance: str) -> None:
    table = oracle("trial_repeated_r.csv")
    found = of_oracle(covariance)
    tolerance = TOLERANCE.get(covariance, 2e-6)
    assert found.converged.all()
    assert found.estimate[0] == pytest.approx(table[f"{covariance}_effect"], rel=tolerance)
    assert found.standard_error_by_visit[0, -1] == pytest.approx(table[f"{covariance}_se"], rel=tolerance)
    assert found.log_likelihood[0] == pytest.approx(table[f"{covariance}_loglik"], abs=1e-7)


def test_agrees_with_the_first_table_of_gls() -> None:
    table = oracle("mmrm_nlme_gls.csv")
    free, exchangeable = of_oracle("unstructured"), of_oracle("compound_symmetry")
    assert free.estimate[0] == pytest.approx(table["effect_visit4"], rel=1e-5)
    assert free.standard_error_by_visit[0, -1] == pytest.approx(table["se_effect_visit4"], rel=1e-5)
    assert free.log_likelihood[0] == pytest.approx(table["logLik_REML"], abs=1e-6)
    # Differences between the arms by visit: arm, and arm with its interaction.
    for visit in (2, 3, 4):
        assert free.by_visit[0, visit - 1] == pytest.approx(
            table["arm"] + table[f"arm:visit{visit}"], rel=2e-5
        )
    assert exchangeable.estimate[0] == pytest.approx(table["cs_effect_visit4"], rel=1e-7)
    assert exchangeable.standard_error_by_visit[0, -1] == pytest.approx(
        table["cs_se_effect_visit4"], rel=1e-7
    )
    assert exchangeable.log_likelihood[0] == pytest.approx(table["cs_logLik_REML"], abs=1e-6)


def test_kenward_roger_agrees_with_pbkrtest() -> None:
    table = oracle("trial_repeated_r.csv")
    found = of_oracle("compound_symmetry")
    assert found.standard_error[0] == pytest.approx(table["kenward_roger_cs_se"], rel=1e-7)
    assert found.degrees_of_freedom[0] == pytest.approx(table["kenward_roger_cs_df"], rel=1e-7)
    assert found.p_value_two_sided[0] == pytest.approx(table["kenward_roger_cs_p"], rel=1e-7)


def test_exchangeable_covariance_is_a_random_intercept_of_statsmodels() -> None:
    data = trials(3, 50, effect=2.0, seed=37)
    found = mmrm(data.visits, data.treated, baseline=data.baseline, covariance="compound_symmetry")
    for replicate in range(3):
        patient, visit = np.nonzero(np.isfinite(data.visits[replicate]))
        at = np.eye(4)[visit]
        treated, baseline = data.treated[replicate][patient, None], data.baseline[replicate][patient, None]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = MixedLM(
                data.visits[replicate][patient, visit],
                np.hstack([at, at * treated, at * baseline]),
                groups=patient,
            ).fit(reml=True, method="lbfgs", gtol=1e-10, maxiter=1000)
        assert found.estimate[replicate] == pytest.approx(fitted.params[7], rel=1e-6)
        between = float(fitted.cov_re[0, 0])
        assert found.covariance[replicate, 0, 1] == pytest.approx(between, rel=1e-5)
        assert found.covariance[replicate, 0, 0] == pytest.approx(between + fitted.scale, rel=1e-5)


class Dense:
    """The same model with one matrix over all observations, of one replicate."""

    def __init__(self, values: np.ndarray, treated: np.ndarray, baseline: np.ndarray) -> None:
        patients, visits = values.shape
        rows, self.blocks = [], []
        for patient in range(patients):
            seen = np.flatnonzero(np.isfinite(values[patient]))
            first = len(rows)
            for visit in seen:
                at = np.eye(visits)[visit]
                rows.append(np.concatenate([at, at * treated[patient], at * baseline[patient]]))
            self.blocks.append((first, seen))
        self.x, self.y = np.asarray(rows), values[np.isfinite(values)]
        self.contrast = np.zeros(3 * visits)
        self.contrast[2 * visits - 1] = 1.0

    def spread(self, matrix: np.ndarray) -> np.ndarray:
        out = np.zeros((len(self.y), len(self.y)))
        for first, seen in self.blocks:
            place = np.arange(first, first + len(seen))
            out[np.ix_(place, place)] = matrix[np.ix_(seen, seen)]
        return out

    def log_likelihood(self, covariance: np.ndarray) -> float:
        v = self.spread(covariance)
        inverse = np.linalg.inv(v)
        cross = self.x.T @ inverse @ self.x
        beta = np.linalg.solve(cross, self.x.T @ inverse @ self.y)
        residual = self.y - self.x @ beta
        degrees = len(self.y) - self.x.shape[1]
        determinants = np.linalg.slogdet(v)[1] + np.linalg.slogdet(cross)[1]
        return float(-0.5 * (degrees * np.log(2 * np.pi) + determinants + residual @ inverse @ residual))

    def kenward_roger(
        self, covariance: np.ndarray, first: np.ndarray, second: np.ndarray
    ) -> tuple[float, float]:
        """Adjusted standard error and degrees of freedom, by the formulas of the paper, written out."""
        v = self.spread(covariance)
        w, x = np.linalg.inv(v), self.x
        phi = np.linalg.inv(x.T @ w @ x)
        slopes = [self.spread(one) for one in first]
        count = len(slopes)
        p = [-x.T @ w @ d @ w @ x for d in slopes]
        projection = w - w @ x @ phi @ x.T @ w
        information = 0.5 * np.array(
            [[np.trace(projection @ a @ projection @ b) for b in slopes] for a in slopes]
        )
        uncertainty = np.linalg.inv(information)
        middle = np.zeros_like(phi)
        for i in range(count):
            for j in range(count):
                q = x.T @ w @ slopes[i] @ w @ slopes[j] @ w @ x
                r = x.T @ w @ self.spread(second[i, j]) @ w @ x
                middle += uncertainty[i, j] * (q - p[i] @ phi @ p[j] - 0.25 * r)
        adjusted = phi + 2.0 * phi @ middle @ phi
        theta = np.outer(self.contrast, self.contrast) / (self.contrast @ phi @ self.contrast)
        traces = [np.trace(theta @ phi @ one @ phi) for one in p]
        a = float(np.array(traces) @ uncertainty @ np.array(traces))
        return float(np.sqrt(self.contrast @ adjusted @ self.contrast)), 2.0 / a


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_likelihood_score_and_kenward_roger_agree_with_dense_matrices(covariance: str) -> None:
    data = trials(2, 26, visits=3, effect=1.0, seed=5)
    found = mmrm(data.visits, data.treated, baseline=data.baseline, covariance=covariance)  # type: ignore[arg-type]
    kind = structure(covariance, 3)  # type: ignore[arg-type]
    for replicate in range(2):
        dense = Dense(data.visits[replicate], data.treated[replicate], data.baseline[replicate])
        at = found.covariance[replicate]
        assert found.log_likelihood[replicate] == pytest.approx(dense.log_likelihood(at), abs=1e-8)
        parameters = _parameters(kind, covariance, at)
        first, second = kind.first(parameters)[0], kind.second(parameters)
        for direction in first:  # the likelihood is flat at the estimate
            step = 1e-5 * direction
            slope = (dense.log_likelihood(at + step) - dense.log_likelihood(at - step)) / 2e-5
            assert slope == pytest.approx(0.0, abs=1e-5)
        blank = np.zeros((len(first), len(first), 3, 3))
        error, degrees = dense.kenward_roger(at, first, blank if second is None else second[0])
        assert found.standard_error[replicate] == pytest.approx(error, rel=1e-8)
        assert found.degrees_of_freedom[replicate] == pytest.approx(degrees, rel=1e-8)


def _parameters(kind: object, name: str, covariance: np.ndarray) -> np.ndarray:
    if not name.startswith(("heterogeneous", "autoregressive")):
        return kind.start(covariance[None])  # type: ignore[attr-defined]
    deviations = np.sqrt(np.diagonal(covariance))
    correlation = covariance[0, 1] / (deviations[0] * deviations[1])
    return np.append(deviations if name.startswith("heterogeneous") else deviations[:1], correlation)[None]


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_derivatives_of_structures_are_those_of_differences(covariance: str) -> None:
    kind = structure(covariance, 4)  # type: ignore[arg-type]
    moments = (2.0 * (0.4 + 0.6 * np.eye(4)) * np.sqrt(np.outer([1, 2, 3, 4], [1, 2, 3, 4])))[None]
    at = kind.start(moments)
    for parameter in range(at.shape[1]):
        step = np.zeros_like(at)
        step[0, parameter] = 1e-5
        slope = (kind.matrix(at + step) - kind.matrix(at - step)) / 2e-5
        np.testing.assert_allclose(kind.first(at)[:, parameter], slope, atol=1e-8)
        second = kind.second(at)
        bend = (kind.first(at + step) - kind.first(at - step)) / 2e-5
        np.testing.assert_allclose(0.0 if second is None else second[:, parameter], bend, atol=1e-7)


def test_complete_data_give_analysis_of_covariance_at_the_visit() -> None:
    data = trials(5, 40, effect=2.0, seed=7)
    values = np.where(np.isnan(data.visits), 1.0, data.visits)
    repeated = mmrm(values, data.treated, baseline=data.baseline, stratum=None)
    single = ancova(values[..., -1], data.treated, baseline=data.baseline)
    for name in ("estimate", "standard_error", "degrees_of_freedom", "p_value_two_sided", "low", "high"):
        np.testing.assert_allclose(getattr(repeated, name), getattr(single, name), rtol=1e-6, err_msg=name)
    counted = mmrm(values, data.treated, baseline=data.baseline, degrees_of_freedom="between_patients")
    np.testing.assert_allclose(counted.degrees_of_freedom, single.degrees_of_freedom)


def test_one_visit_is_analysis_of_covariance() -> None:
    data = trials(4, 30, visits=1, seed=9)
    repeated = mmrm(
        data.visits, data.treated, baseline=data.baseline, stratum=data.stratum, baseline_by_visit=False
    )
    single = ancova(data.visits[..., 0], data.treated, baseline=data.baseline, stratum=data.stratum)
    np.testing.assert_allclose(repeated.estimate, single.estimate, rtol=1e-8)
    np.testing.assert_allclose(repeated.standard_error, single.standard_error, rtol=1e-7)
    np.testing.assert_allclose(repeated.degrees_of_freedom, single.degrees_of_freedom, rtol=1e-7)


def test_a_replicate_does_not_depend_on_its_company() -> None:
    data = trials(70, 24, visits=3, seed=11)
    every = mmrm(data.visits, data.treated, baseline=data.baseline)
    alone = mmrm(data.visits[66:67], data.treated[66:67], baseline=data.baseline[66:67])
    np.testing.assert_allclose(every.estimate[66], alone.estimate[0], rtol=1e-9)
    np.testing.assert_allclose(every.p_value_two_sided[66], alone.p_value_two_sided[0], rtol=1e-7)


def test_no_answer_where_an_arm_is_not_seen_at_a_visit() -> None:
    data = trials(3, 20, visits=3, seed=13)
    values = data.visits.copy()
    values[1, data.treated[1], 2] = np.nan
    found = mmrm(values, data.treated, baseline=data.baseline)
    assert np.isnan(found.estimate[1]) and np.isnan(found.p_value_two_sided[1]) and not found.converged[1]
    assert np.isfinite(found.estimate[[0, 2]]).all()


def test_a_fit_that_does_not_settle_falls_back_on_the_next_structure() -> None:
    data = trials(6, 9, visits=6, seed=43)  # too few patients for 21 parameters in most
    alone = mmrm(data.visits, data.treated)
    exchangeable = mmrm(data.visits, data.treated, covariance="compound_symmetry")
    found = mmrm(data.visits, data.treated, fallback=["toeplitz", "compound_symmetry"])
    lost = ~alone.converged & exchangeable.converged
    assert lost.any() and (alone.attempt[lost] == -1).all() and (found.attempt[lost] > 0).all()
    np.testing.assert_array_equal(found.estimate[alone.converged], alone.estimate[alone.converged])
    last = found.attempt == 2
    np.testing.assert_array_equal(found.estimate[last], exchangeable.estimate[last])


def test_impossible_requests_are_refused_by_name() -> None:
    data = trials(1, 10, seed=1)
    with pytest.raises(ValueError, match=r"covariance is 'diagonal'; known are unstructured"):
        mmrm(data.visits, data.treated, covariance="diagonal")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"visit is 4; there are 4 visits"):
        mmrm(data.visits, data.treated, visit=4)
    with pytest.raises(ValueError, match=r"degrees_of_freedom is 'residual'"):
        mmrm(data.visits, data.treated, degrees_of_freedom="residual")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"value has shape"):
        mmrm(data.visits[..., 0], data.treated)


@pytest.mark.slow
def test_error_and_coverage_in_small_trials_with_dropout() -> None:
    replicates = 2000
    data = trials(replicates, 40, visits=4, seed=17)
    found = mmrm(data.visits, data.treated, baseline=data.baseline)
    assert found.converged.mean() > 0.995
    kept = found.converged
    errors = int((found.p_value_two_sided[kept] < 0.05).sum())
    assert stats.binomtest(errors, int(kept.sum()), 0.05).pvalue > 0.001
    # The large-sample test is known to be too bold in trials of this size.
    bold = mmrm(data.visits, data.treated, baseline=data.baseline, degrees_of_freedom="normal")
    assert (bold.p_value_two_sided < 0.05).sum() > errors
    true = trials(500, 40, visits=4, effect=2.0, seed=19)
    shown = mmrm(true.visits, true.treated, baseline=true.baseline)
    assert stats.binomtest(int(shown.covers(2.0).sum()), int(shown.converged.sum()), 0.95).pvalue > 0.001
    assert np.nanmean(shown.estimate) == pytest.approx(2.0, abs=4 * np.nanstd(shown.estimate) / 500**0.5)
