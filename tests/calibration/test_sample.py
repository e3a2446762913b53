"""The sampler finds what was put in: parameter recovery on a toy simulator, and simulation-based calibration.

Simulation-based calibration (Talts, Betancourt, Simpson, Vehtari, Gelman 2018, arXiv:1804.06788): the rank of the true
value among posterior draws is uniform when, and only when, the posterior is the right one on average.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.stats import chi2, norm
from scipy.stats import t as student

from motorpool.calibration.emulate import fit_emulator
from motorpool.calibration.sample import (
    PosteriorSampler,
    _model,
    orientation,
    published_data,
    sample_posterior,
)
from motorpool.evidence.published import PublishedEndpoint
from motorpool.studies.scale import load_calibration_rules
from tests.calibration.toy import draw_data, draw_truth, emulator_of, space_of, targets_of_kinds
from tests.studies.hand_made import endpoint

SHARED = 0.25


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (endpoint("death", "survival_proportion"), 1.0),
        (endpoint("death", "proportion"), -1.0),
        (endpoint("death", "median_time_months", 9.0), 1.0),
        (endpoint("death", "hazard_ratio"), -1.0),
        (endpoint("sit_10s", "proportion"), 1.0),
        (endpoint("hfmse", "mean_change", 1.0), 1.0),
        (endpoint("cobb_degrees", "mean_change", 1.0), -1.0),
        (endpoint("pnfh_pg_per_ml", "median", 1.0), -1.0),
        (endpoint("hfmse", "sd", 1.0), 0.0),
        (endpoint("sma_type_1", "proportion"), -1.0),
        (endpoint("sma_type_3", "proportion"), 1.0),
        (endpoint("onset_age_months", "mean", 1.0), 1.0),
    ],
)
def test_what_a_better_course_does_to_an_endpoint(one: PublishedEndpoint, wanted: float):
    assert orientation(one) == wanted


def test_counts_are_read_from_k_or_from_the_share_of_n():
    counted, shared_of_n, figure = targets_of_kinds(3)
    counted = dataclasses.replace(counted, endpoint=counted.endpoint.model_copy(update={"k": 7}))
    shared_of_n = dataclasses.replace(
        shared_of_n,
        endpoint=shared_of_n.endpoint.model_copy(update={"metric": "proportion", "value": 0.3, "n": 20}),
        value=-0.8,
    )
    data = published_data((counted, shared_of_n, figure))
    assert list(data.counts[:2]) == [7, 6]
    assert data.figures[1] == -0.8


@pytest.mark.parametrize(("metric", "share_kept"), [("mean_change", 1 - SHARED), ("sd", 1.0)])
def test_in_the_likelihood_a_spread_keeps_all_of_its_discrepancy(metric: str, share_kept: float):
    """At given parameters, discrepancy and effect of the study, a figure has its own part of the discrepancy left."""
    from numpyro.infer.util import log_density

    plain = targets_of_kinds(2)[1]
    figure = dataclasses.replace(plain, endpoint=plain.endpoint.model_copy(update={"metric": metric}))
    emulator = dataclasses.replace(
        emulator_of(1, 1, seed=0, bend=0.0), level=np.zeros(1), error_sd=np.zeros(1)
    )
    model, _ = _model((figure,), emulator, np.zeros(1), space_of(1), SHARED)
    at = {"z": np.zeros(1), "relative_discrepancy": np.full(1, 3.0), "of_study": np.zeros(1)}

    def log_likelihood(value: float) -> float:
        return float(log_density(model, (np.array([value]), np.zeros(1, int)), {}, at)[0])

    assert figure.standard_error is not None
    spread = np.hypot(np.sqrt(share_kept) * 3.0 * figure.discrepancy, figure.standard_error)
    law = student(load_calibration_rules().tails_degrees_of_freedom, scale=spread)
    for value in (0.5, 1.0, 2.0):
        wanted = law.logpdf(value) - law.logpdf(0.0)
        assert log_likelihood(value) - log_likelihood(0.0) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.slow
def test_parameters_of_a_toy_simulator_are_recovered():
    """Simulate, emulate, sample: ninety per cent intervals hold the truth about nine times in ten, half intervals half
    of the times, and they are much narrower than the prior."""
    dimensions, count = 6, 20
    space, targets = space_of(dimensions), targets_of_kinds(count)
    simulator = emulator_of(count, dimensions, seed=3, bend=0.08)
    generator = np.random.default_rng(11)
    noise = 0.05 * np.array([np.abs(simulator.slopes[t]).mean() for t in range(count)])
    points = 0.9 * generator.standard_normal((160, dimensions))
    simulated = simulator.predict(points) + noise * generator.standard_normal((160, count))
    measured = simulator.slopes * generator.uniform(0.8, 1.2, simulator.slopes.shape)
    error = np.array([1.0 / np.sqrt(10) if t.standard_error is None else t.standard_error for t in targets])
    emulator = fit_emulator(points, simulated, np.zeros(dimensions), measured, error**2)
    sampler = PosteriorSampler(
        targets, emulator, np.zeros(count), space, SHARED, chains=2, warmup=400, draws=500
    )
    inside_90, inside_50, spread = 0, 0, []
    data_sets = 6
    for number in range(data_sets):
        z, discrepancy, of_study = draw_truth(space, targets, SHARED, generator)
        true_figures = simulator.predict(z[None])[0]
        data = draw_data(true_figures, discrepancy, of_study, targets, np.zeros(count), SHARED, generator)
        found = sampler.run(data, seed=number)
        assert found.z.shape == (1000, dimensions)
        assert found.largest_r_hat < 1.03 and found.smallest_effective_size > 100 and found.divergences < 10
        for share, into in ((0.9, "90"), (0.5, "50")):
            low, high = np.quantile(found.z, [(1 - share) / 2, (1 + share) / 2], axis=0)
            held = int(((low <= z) & (z <= high)).sum())
            inside_90, inside_50 = inside_90 + held * (into == "90"), inside_50 + held * (into == "50")
        spread.append(found.z.std(axis=0))
    whole = data_sets * dimensions
    assert inside_90 >= 0.78 * whole
    assert 0.28 * whole <= inside_50 <= 0.72 * whole
    assert np.mean(spread) < 0.6


REPLICATES, RANKS = 80, 49


@pytest.mark.slow
def test_ranks_of_true_values_are_uniform():
    dimensions, count = 4, 10
    space, targets = space_of(dimensions), targets_of_kinds(count)
    emulator = emulator_of(count, dimensions, seed=1, bend=0.1)
    sampler = PosteriorSampler(
        targets, emulator, np.zeros(count), space, SHARED, chains=1, warmup=300, draws=500
    )
    generator = np.random.default_rng(20)
    truths, draws, of_discrepancies = [], [], []
    for number in range(REPLICATES):
        z, discrepancy, of_study = draw_truth(space, targets, SHARED, generator)
        true_figures = emulator.predict(z[None])[0]
        data = draw_data(true_figures, discrepancy, of_study, targets, emulator.error_sd, SHARED, generator)
        found = sampler.run(data, seed=number)
        thinned = np.linspace(0, found.z.shape[0] - 1, RANKS).astype(int)
        truths.append(z)
        draws.append(found.z[thinned])
        of_discrepancies.append((found.discrepancy[thinned] < discrepancy).sum(axis=0))
    true, drawn = np.stack(truths)[:, None], np.stack(draws)
    ranks = (drawn < true).sum(axis=1)
    assert drawn.std(axis=1).mean() < 0.6  # else the ranks would say nothing of the likelihood
    assert flatness(ranks) > 0.001
    assert flatness(np.stack(of_discrepancies)) > 0.001
    assert evenness(ranks) > 0.001
    assert evenness(np.stack(of_discrepancies)) > 0.001
    assert (centredness(ranks) > 0.001).all()
    # The same ranks notice posteriors that are too narrow, too wide, or beside the truth.
    centre = drawn.mean(axis=1, keepdims=True)
    for factor in (0.75, 1.35):
        assert evenness((centre + factor * (drawn - centre) < true).sum(axis=1)) < 0.001
    beside = drawn + 0.7 * drawn.std(axis=1, keepdims=True)
    assert (centredness((beside < true).sum(axis=1)) < 0.001).any()


def flatness(ranks: np.ndarray, bins: int = 10) -> float:
    """The p value of a chi-squared test that whole ranks from 0 to ``RANKS`` are equally frequent."""
    found, _ = np.histogram(ranks, bins=bins, range=(-0.5, RANKS + 0.5))
    wanted = ranks.size / bins
    return float(chi2(bins - 1).sf(np.sum((found - wanted) ** 2) / wanted))


def evenness(ranks: np.ndarray) -> float:
    """The p value of a test that ranks are spread as widely as even ones: posteriors are as wide as they should be."""
    squared = ((ranks + 0.5) / (RANKS + 1) - 0.5) ** 2
    return float(2 * norm.sf(abs(squared.mean() - 1 / 12) / np.sqrt(1 / 180 / ranks.size)))


def centredness(ranks: np.ndarray) -> np.ndarray:
    """The p values of tests that the ranks of each column have the mean of even ones: no posterior lies beside."""
    shares = (ranks + 0.5) / (RANKS + 1)
    return np.asarray(2 * norm.sf(np.abs(shares.mean(axis=0) - 0.5) * np.sqrt(12 * len(ranks))))


@pytest.mark.slow
def test_missing_errors_are_replaced_by_the_scatter_of_simulated_studies():
    """A single figure of one axis, whose posterior is summed up on a grid."""
    space = space_of(1, bound=8.0)
    figure = dataclasses.replace(targets_of_kinds(2)[1], standard_error=None, discrepancy=1e-6, value=1.0)
    figure = dataclasses.replace(
        figure, endpoint=figure.endpoint.model_copy(update={"metric": "mean", "value": 1.0})
    )
    emulator = dataclasses.replace(
        emulator_of(1, 1, seed=0, bend=0.0),
        level=np.zeros(1),
        slopes=np.ones((1, 1)),
        error_sd=np.full(1, 0.3),
    )
    found = sample_posterior(
        (figure,), emulator, np.array([0.4]), space, SHARED, seed=0, warmup=300, draws=1000
    )
    grid, tails = np.linspace(-8, 8, 16001), load_calibration_rules().tails_degrees_of_freedom
    density = norm.pdf(grid) * student.pdf((1.0 - grid) / np.hypot(0.3, 0.4), tails)
    mean = np.average(grid, weights=density)
    sd = np.sqrt(np.average((grid - mean) ** 2, weights=density))
    assert found.z.mean() == pytest.approx(mean, abs=0.04)
    assert found.z.std() == pytest.approx(sd, rel=0.06)
    assert sd < 0.6  # without the error that stands in it would be narrower, without the figure 1
    assert found.families == ("hfmse",)
