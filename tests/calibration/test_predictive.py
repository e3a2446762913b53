"""Forecasts of studies against closed forms: sampling error, discrepancy, counts, coverage and scores."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import binom, kstest, norm
from scipy.stats import t as student

from motorpool.calibration.predictive import (
    PER_DRAW,
    Forecast,
    forecast,
    judge,
    log_score,
    observed,
    simple_forecast,
)
from motorpool.calibration.validate import judge_all
from motorpool.evidence.published import PublishedEndpoint
from motorpool.studies.predict import Prediction, arm_size_of
from motorpool.studies.scale import forward
from motorpool.studies.study import load_study
from tests.studies.hand_made import endpoint
from tests.support.credibility_samples import made_up_posterior
from tests.support.validation_samples import DRAWS, made_up_predictions

MANY = 10_000.0  # people behind a prediction: their own chance is nil
N = 40


def mean_endpoint(value: float = 3.0) -> PublishedEndpoint:
    return endpoint("hfmse", "mean_change", value, n=N, sd=4.0)


def count_endpoint(k: int, n: int = 20) -> PublishedEndpoint:
    return endpoint("sit_10s", "proportion", k / n, k=k, n=n)


@functools.cache
def _deviations(size: int) -> np.ndarray:
    made = norm.ppf((np.arange(size) + 0.5) / size)
    return made / made.std()


def scattered(sd: float, size: int = 60) -> np.ndarray:
    """Deviations with exactly this SD and no mean."""
    return sd * _deviations(size)


def told(
    one: PublishedEndpoint,
    values: Any,
    *,
    sampling_sd: float = 0.6,
    discrepancy: float = 0.0,
    people: float = MANY,
    shared: float = 0.25,
    tails: float = np.inf,
    effects: np.ndarray | None = None,
    seed: int = 1,
) -> Forecast:
    """The forecast from these endless-study values, one per draw; normal, so that widths have closed forms."""
    values = np.atleast_1d(np.asarray(values, float))
    generator = np.random.default_rng(seed)
    if effects is None:
        effects = generator.standard_normal((values.size, PER_DRAW))
    predictions = [Prediction(float(x), x + scattered(sampling_sd), people) for x in values]
    return forecast(
        one,
        predictions,
        np.full(values.size, discrepancy),
        effects,
        shared,
        generator,
        tails=tails,
        arm_size=one.n or N,
    )


def test_an_exact_model_scatters_as_studies_of_that_size_do() -> None:
    found = told(mean_endpoint(), np.full(300, 3.0))
    assert found.samples.mean() == pytest.approx(3.0, abs=0.02)
    assert found.samples.std() == pytest.approx(0.6, rel=0.02)
    result = judge(mean_endpoint(), found, np.random.default_rng(1))
    assert result.predicted_high - result.predicted_low == pytest.approx(2 * norm.ppf(0.95) * 0.6, rel=0.03)
    assert result.z == pytest.approx(0.0, abs=0.05)
    assert result.width_ratio == pytest.approx(0.6 / (4.0 / np.sqrt(N)), rel=0.03)


@pytest.mark.parametrize("one", [mean_endpoint(), endpoint("hfmse", "sd", 3.0, n=N)], ids=["mean", "spread"])
@pytest.mark.parametrize("shared", [0.0, 0.25, 1.0])
def test_variances_of_knowledge_discrepancy_and_chance_add(shared: float, one: PublishedEndpoint) -> None:
    values = 3.0 + scattered(0.8, 300)
    found = told(one, values, discrepancy=1.1, shared=shared)
    assert found.samples.std() == pytest.approx(np.sqrt(0.8**2 + 1.1**2 + 0.6**2), rel=0.03)


def test_heavy_tails_put_more_far_out_and_as_much_in_the_middle() -> None:
    normal, heavy = (
        told(mean_endpoint(), np.full(600, 0.0), sampling_sd=1e-9, discrepancy=1.0, shared=0.0, tails=tails)
        for tails in (np.inf, 4.0)
    )
    places = [0.5, 0.75, 0.95, 0.995]
    assert np.quantile(normal.samples, places) == pytest.approx(norm.ppf(places), rel=0.05, abs=0.02)
    assert np.quantile(heavy.samples, places) == pytest.approx(student.ppf(places, 4), rel=0.06, abs=0.02)


def test_a_wider_discrepancy_widens_and_nothing_else_moves() -> None:
    results = [
        judge(one, told(one, np.full(50, 0.4), discrepancy=size), np.random.default_rng(1))
        for one in (mean_endpoint(),)
        for size in (0.0, 0.5, 2.0)
    ]
    widths = [result.predicted_high - result.predicted_low for result in results]
    assert widths == sorted(widths)
    assert widths[0] < 0.8 * widths[1] < 0.5 * widths[2]


def test_scatter_between_draws_that_finitely_many_people_make_is_no_doubt() -> None:
    chance = 0.6 * np.sqrt(N / 20.0)  # of a value from 20 simulated people
    pure = told(mean_endpoint(), 3.0 + scattered(chance, 200), people=20.0)
    assert pure.values.std() == pytest.approx(0.0, abs=0.07)
    mixed = told(mean_endpoint(), 3.0 + scattered(np.hypot(chance, 1.0), 200), people=20.0)
    assert mixed.values.std() == pytest.approx(1.0, rel=0.02)
    kept = told(mean_endpoint(), 3.0 + scattered(chance, 200))
    assert kept.values.std() == pytest.approx(chance, rel=0.01)


def test_the_luck_of_a_study_moves_its_endpoints_together_and_by_what_is_better() -> None:
    effects = np.random.default_rng(5).standard_normal((100, PER_DRAW))
    options: dict[str, Any] = {"sampling_sd": 1e-6, "discrepancy": 1.0, "shared": 1.0, "effects": effects}
    better = told(mean_endpoint(), np.zeros(100), **options)
    worse = told(endpoint("death", "hazard_ratio", 0.5, n=N), np.zeros(100), **options)
    neither = told(endpoint("hfmse", "sd_change", 2.0, n=N), np.zeros(100), **options)
    assert np.corrcoef(better.samples, worse.samples)[0, 1] == pytest.approx(-1.0, abs=1e-3)
    assert np.corrcoef(better.samples, neither.samples)[0, 1] == pytest.approx(0.0, abs=0.05)
    assert neither.samples.std() == pytest.approx(1.0, rel=0.03)


@pytest.mark.parametrize(("n", "share"), [(20, 0.3), (12, 0.9), (60, 0.02)])
def test_counts_are_binomial(n: int, share: float) -> None:
    one = count_endpoint(round(n * share), n)
    found = told(one, np.full(600, logit(share)))
    counts = np.rint((expit(found.samples) * (n + 1)) - 0.5).astype(int)
    shares = np.bincount(counts, minlength=n + 1) / counts.size
    assert shares == pytest.approx(binom.pmf(np.arange(n + 1), n, share), abs=0.01)
    result = judge(one, found, np.random.default_rng(1))
    assert result.predicted_low == pytest.approx(binom.ppf(0.05, n, share) / n, abs=1e-6)
    assert result.predicted_high == pytest.approx(binom.ppf(0.95, n, share) / n, abs=1e-6)
    assert log_score(one, found) == pytest.approx(binom.logpmf(one.k, n, share), abs=1e-9)


def test_log_scores_of_all_counts_add_to_one() -> None:
    found = told(count_endpoint(3, 9), logit(np.linspace(0.1, 0.6, 30)), discrepancy=0.4)
    total = sum(np.exp(log_score(count_endpoint(k, 9), found)) for k in range(10))
    assert total == pytest.approx(1.0, abs=1e-6)


def test_the_log_score_is_the_density_of_the_whole_forecast() -> None:
    one = mean_endpoint(4.1)
    found = told(one, 3.0 + scattered(0.8, 600), discrepancy=1.1)
    whole = np.sqrt(0.8**2 + 1.1**2 + 0.6**2)
    assert log_score(one, found) == pytest.approx(norm.logpdf(4.1, 3.0, whole), abs=0.03)


def test_a_share_in_print_is_the_count_it_was_rounded_from() -> None:
    printed = endpoint("sit_10s", "proportion", 0.91, n=22)  # 20 of 22
    assert observed(printed) == pytest.approx(observed(count_endpoint(20, 22)))
    exact = Forecast(np.full(100, observed(printed)), np.full(100, 2.3), np.full(1, 2.3), 0.1, MANY)
    assert judge(printed, exact, np.random.default_rng(1)).inside_90
    assert judge(printed, exact, np.random.default_rng(1)).published == 0.91


def repeated(kind: str, times: int, bias: float = 0.0, width: float = 1.0) -> list[Any]:
    """Studies found under truths from the forecast's own distribution, or a biased or wrongly wide one, judged."""
    generator = np.random.default_rng(20)
    knowledge, discrepancy, sampling, draws = 0.5, 0.4, 0.6, 60
    made: list[Any] = []
    for _ in range(times):
        truth = 0.3 + knowledge * generator.standard_normal() + discrepancy * generator.standard_normal()
        if kind == "mean":
            one = mean_endpoint(truth + sampling * generator.standard_normal())
        else:
            one = count_endpoint(int(generator.binomial(20, expit(truth))))
        values = 0.3 + bias + width * knowledge * generator.standard_normal(draws)
        found = told(
            one,
            values,
            discrepancy=width * discrepancy,
            sampling_sd=width * sampling,
            seed=int(generator.integers(2**31)),
        )
        made.append(judge(one, found, generator))
    return made


@pytest.fixture(scope="module", params=["mean", "count"])
def honest(request: pytest.FixtureRequest) -> tuple[str, list[Any]]:
    return request.param, repeated(request.param, 600)


def test_ninety_per_cent_intervals_hold_ninety_per_cent(honest: tuple[str, list[Any]]) -> None:
    kind, made = honest
    inside = np.mean([result.inside_90 for result in made])
    # Counts are coarse: their interval holds at least as much.
    assert 0.86 <= inside <= (0.94 if kind == "mean" else 0.98)
    for result in made:
        assert result.inside_90 == (
            result.predicted_low - 1e-9 <= result.published <= result.predicted_high + 1e-9
        )


def test_percentiles_of_published_values_are_even(honest: tuple[str, list[Any]]) -> None:
    _, made = honest
    assert kstest([result.pit for result in made], "uniform").pvalue > 0.01
    assert np.sqrt(np.mean([result.z**2 for result in made])) == pytest.approx(1.0, abs=0.08)


@pytest.mark.parametrize("kind", ["mean", "count"])
def test_scores_prefer_the_true_forecast(kind: str) -> None:
    def score(**wrong: float) -> tuple[float, float]:
        made = repeated(kind, 150, **wrong)
        logs, intervals = [result.log_score for result in made], [result.interval_score for result in made]
        return float(np.mean(logs)), float(np.mean(intervals))

    true_log, true_interval = score()
    for wrong in ({"bias": 1.2}, {"width": 0.3}, {"width": 3.0}):
        log, interval = score(**wrong)
        assert log < true_log - 0.02
        if kind == "mean" or "width" not in wrong:  # the chance of a count is never too narrow
            assert interval > true_interval


def test_a_forecast_without_a_model_is_a_normal_with_the_chance_of_a_study() -> None:
    generator = np.random.default_rng(2)
    plain = simple_forecast(mean_endpoint(), 1.0, 0.5, 0.6, generator, size=20_000)
    assert plain.samples.std() == pytest.approx(np.hypot(0.5, 0.6), rel=0.02)
    counts = simple_forecast(count_endpoint(6), float(logit(0.3)), 0.0, 0.6, generator, size=20_000)
    assert set(np.round(counts.samples, 9)) <= set(
        np.round(forward(count_endpoint(6), np.arange(21) / 20, 20.0), 9)
    )
    assert log_score(count_endpoint(6), counts) == pytest.approx(binom.logpmf(6, 20, 0.3), abs=1e-9)


def test_nothing_is_forecast_from_replicates_without_a_value() -> None:
    nothing = [Prediction(1.0, np.full(10, np.inf), 50.0)]
    with pytest.raises(ValueError, match="made: no replicate study gave a finite value"):
        forecast(
            mean_endpoint(),
            nothing,
            [0.1],
            np.zeros((1, PER_DRAW)),
            0.25,
            np.random.default_rng(1),
            tails=4.0,
            arm_size=20,
        )


def test_an_arm_is_as_large_as_its_study_said() -> None:
    study = load_study("CHERISH")
    difference = next(one for one in study.endpoints if one.comparator_arm is not None)
    sizes = [study.run.arms[name].patients for name in (difference.arm, difference.comparator_arm)]
    assert arm_size_of(study, difference) == pytest.approx(2 / (1 / sizes[0] + 1 / sizes[1]))
    single = next(one for one in study.endpoints if one.comparator_arm is None and one.n)
    assert arm_size_of(study, single) == single.n


def test_what_else_is_asked_changes_nothing() -> None:
    posterior = made_up_posterior()
    studies = [load_study(name) for name in ("STR1VE-EU", "TOPAZ")]
    found = {
        f"{study.name}.{one.id}": made_up_predictions(study, one)
        for study in studies
        for one in study.endpoints
    }
    whole = {study.name: list(study.endpoints) for study in studies}
    rows, missing = judge_all(studies, whole, found, {}, DRAWS, posterior)
    assert len(rows) == sum(len(part) for part in whole.values())
    assert missing == {}
    backwards = {name: part[::-1] for name, part in whole.items()}
    again, _ = judge_all(studies[::-1], backwards, found, {}, DRAWS, posterior)
    assert sorted(again, key=repr) == sorted(rows, key=repr)
    last = studies[0].endpoints[-1]
    (alone,), _ = judge_all(studies[:1], {studies[0].name: [last]}, found, {}, DRAWS, posterior)
    assert alone in rows


def test_an_endpoint_that_most_draws_cannot_predict_is_listed_and_not_judged() -> None:
    study = load_study("STR1VE-EU")
    first, second = study.endpoints[:2]
    found = {
        f"{study.name}.{first.id}": dict(list(made_up_predictions(study, first).items())[: DRAWS // 2 - 1]),
        f"{study.name}.{second.id}": dict(list(made_up_predictions(study, second).items())[DRAWS // 2 :]),
    }
    rows, missing = judge_all([study], {study.name: [first, second]}, found, {}, DRAWS, made_up_posterior())
    assert list(missing) == [f"{study.name}.{first.id}"]
    assert [row.endpoint for row in rows] == [second.id]
