"""What the calibrated model predicts of a study: parameters, discrepancy, and the chance of a study of that size.

For an endpoint, each posterior draw gives the value in an endless study; the model's own discrepancy moves it (a part
shared by the endpoints of one study); a study of the published size scatters around that. The interval holds 90 % of
the whole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import binom, norm

from motorpool.calibration.sample import shared_loading
from motorpool.evidence.published import PublishedEndpoint
from motorpool.studies.predict import Prediction
from motorpool.studies.scale import backward, forward, published_estimate
from motorpool.studies.words import SHARES

Array = NDArray[np.float64]
PER_DRAW = 64  # predictive samples per posterior draw
SIMPLE_SAMPLES = 4096  # of a forecast without a model
LEAST_SHARE = 1e-9  # so that a count is never impossible
LOW, HIGH = 0.05, 0.95
ALPHA = 0.10


@dataclasses.dataclass(frozen=True)
class Forecast:
    """The predictive distribution of an endpoint as samples on its scale, and the draws behind it.

    samples (S,) studies of the published size; centres (S,) the endless studies that they are part of; values (D,)
    endless-study values by draw, without the model's discrepancy; sampling_sd: scatter of a study of the published
    size; effective_people over all draws.
    """

    samples: Array
    centres: Array
    values: Array
    sampling_sd: float
    effective_people: float


@dataclasses.dataclass(frozen=True)
class Judged:
    """A prediction held against its published figure, in the endpoint's own unit unless said.

    z and the scores are on the scale of comparison; ``pit`` is the (randomised, for counts) probability integral
    transform; ``log_score`` the log predictive density of the published value.
    """

    published: float
    published_low: float | None
    published_high: float | None
    predicted: float
    predicted_low: float
    predicted_high: float
    inside_90: bool
    width_ratio: float | None
    z: float
    interval_score: float
    log_score: float
    pit: float
    effective_people: float


def forecast(
    endpoint: PublishedEndpoint,
    predictions: Sequence[Prediction],
    discrepancies: Sequence[float] | Array,
    study_effects: Array,
    shared: float,
    generator: np.random.Generator,
    *,
    tails: float,
    arm_size: float,
) -> Forecast:
    """The predictive distribution from predictions under several posterior draws.

    Args:
        predictions: (D,) one per draw, with replicate studies.
        discrepancies: (D,) scale of the family's discrepancy by draw.
        study_effects: (D, PER_DRAW) the study's standard normal effects, the same for all its endpoints.
        shared: share of the discrepancy's variance common to a study.
        tails: degrees of freedom of the endpoint's own part of the discrepancy.
        arm_size: people in an arm of a replicate study (:func:`~motorpool.studies.predict.arm_size_of`).

    Raises:
        ValueError: no replicate study gave a finite value.
    """
    values = np.array([p.value for p in predictions])
    scatter = np.array([_spread(p.replicates) for p in predictions])
    if not np.isfinite(scatter).any():
        raise ValueError(f"{endpoint.id}: no replicate study gave a finite value")
    sampling_sd = float(np.nanmean(scatter))
    # Part of the spread between draws is the chance of finitely many simulated people; what is left is knowledge.
    people = float(np.mean([p.effective_people for p in predictions]))
    chance = sampling_sd**2 * arm_size / max(people, 1.0)
    spread = np.var(values, ddof=1) if values.size > 1 else 0.0
    shrunk = np.sqrt(max(spread - chance, 0.0) / spread) if spread > 0 else 1.0
    centre = values.mean()
    known = centre + shrunk * (values - centre)
    size = np.asarray(discrepancies, np.float64)[:, None]
    normal = generator.standard_normal((values.size, PER_DRAW))
    heavy = generator.chisquare(tails, normal.shape) / tails if np.isfinite(tails) else 1.0
    own = normal / np.sqrt(heavy)
    loading = shared_loading(endpoint, shared)
    moved = known[:, None] + size * (np.sqrt(1.0 - loading**2) * own + loading * study_effects)
    samples = _with_chance(endpoint, moved, sampling_sd, generator)
    total = float(sum(p.effective_people for p in predictions))
    return Forecast(samples.ravel(), moved.ravel(), known, sampling_sd, total)


def simple_forecast(
    endpoint: PublishedEndpoint,
    mean: float,
    sd: float,
    sampling_sd: float,
    generator: np.random.Generator,
    size: int = SIMPLE_SAMPLES,
) -> Forecast:
    """A forecast without a model: the value in an endless study is normal on its scale, a study scatters around it."""
    values = mean + sd * generator.standard_normal(size)
    samples = _with_chance(endpoint, values, sampling_sd, generator)
    return Forecast(samples, values, values, sampling_sd, float("nan"))


def _with_chance(
    endpoint: PublishedEndpoint, values: Array, sampling_sd: float, generator: np.random.Generator
) -> Array:
    """What studies of the published size find around values in an endless one: counts are binomial, else normal."""
    if not is_count(endpoint):
        return values + sampling_sd * generator.standard_normal(values.shape)
    n = int(endpoint.n or 1)
    drawn = generator.binomial(n, backward(endpoint, values)) / n
    return forward(endpoint, drawn, float(n))


def is_count(endpoint: PublishedEndpoint) -> bool:
    """Whether a figure is so many of so many people."""
    return endpoint.metric in SHARES and endpoint.n is not None


def _spread(replicates: Array) -> float:
    finite = replicates[np.isfinite(replicates)]
    return float(np.std(finite)) if finite.size > 1 else float("nan")


def judge(endpoint: PublishedEndpoint, told: Forecast, generator: np.random.Generator) -> Judged:
    """Hold a forecast against the published figure."""
    n = float(endpoint.n) if endpoint.n else None
    estimate = published_estimate(endpoint)
    samples = told.samples
    low, middle, high = (float(np.quantile(samples, q)) for q in (LOW, 0.5, HIGH))
    value = observed(endpoint)
    inside = low - 1e-9 <= value <= high + 1e-9
    mean, sd = float(samples.mean()), max(float(samples.std()), 1e-9)
    below, equal = float(np.mean(samples < value - 1e-9)), float(np.mean(np.abs(samples - value) <= 1e-9))
    natural = [float(x) for x in _natural(endpoint, np.array([low, middle, high]), n)]
    width = None
    if estimate.low_90 is not None and estimate.high_90 is not None:
        published_width = abs(estimate.high_90 - estimate.low_90)
        width = abs(natural[2] - natural[0]) / published_width if published_width > 0 else None
    score = (high - low) + (2 / ALPHA) * (max(low - value, 0.0) + max(value - high, 0.0))
    return Judged(
        published=endpoint.value,
        published_low=estimate.low_90,
        published_high=estimate.high_90,
        predicted=natural[1],
        predicted_low=min(natural[0], natural[2]),
        predicted_high=max(natural[0], natural[2]),
        inside_90=bool(inside),
        width_ratio=width,
        z=(value - mean) / sd,
        interval_score=score,
        log_score=log_score(endpoint, told),
        pit=below + float(generator.uniform()) * equal,
        effective_people=told.effective_people,
    )


def observed(endpoint: PublishedEndpoint) -> float:
    """The published figure on its scale; a share of n people is a count, as forecasts of it are."""
    if not is_count(endpoint):
        return published_estimate(endpoint).value
    n = int(endpoint.n or 1)
    return float(forward(endpoint, published_count(endpoint) / n, float(n)))


def published_count(endpoint: PublishedEndpoint) -> int:
    """How many of n a published share stands for."""
    return endpoint.k if endpoint.k is not None else round(endpoint.value * (endpoint.n or 0))


def _natural(endpoint: PublishedEndpoint, scaled: Array, n: float | None) -> Array:
    """Back to the endpoint's unit; counts are moved back outwards by the half person they were moved in."""
    values = backward(endpoint, scaled)
    if is_count(endpoint) and n is not None:
        return np.clip((values * (n + 1.0) - 0.5) / n, 0.0, 1.0)
    return values


def log_score(endpoint: PublishedEndpoint, told: Forecast) -> float:
    """Log density (counts: log probability) of the published figure: the mean over the endless studies of the forecast
    of that under each."""
    if is_count(endpoint):
        shares = np.clip(backward(endpoint, told.centres), LEAST_SHARE, 1.0 - LEAST_SHARE)
        logs = binom.logpmf(published_count(endpoint), int(endpoint.n or 1), shares)
    else:
        logs = norm.logpdf(published_estimate(endpoint).value, told.centres, max(told.sampling_sd, 1e-6))
    return float(logsumexp(logs) - np.log(told.centres.size))


def normal_log_score(endpoint: PublishedEndpoint, mean: float, sd: float) -> float:
    """Log density of the published figure under a normal forecast on its scale."""
    return float(norm.logpdf(published_estimate(endpoint).value, mean, max(sd, 1e-6)))
