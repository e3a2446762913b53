"""What the calibrated model predicts of a study: parameters, discrepancy, and the chance of a study of that size.

For an endpoint, each posterior draw gives the value in an endless study; the model's own discrepancy moves it (a part
shared by the endpoints of one study); a study of the published size scatters around that. The interval holds 90 % of
the whole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import binom, norm

from motorpool.calibration.sample import orientation
from motorpool.evidence.published import PublishedEndpoint
from motorpool.studies.endpoints import FRACTIONS
from motorpool.studies.predict import Prediction
from motorpool.studies.scale import backward, family_of, forward, published_estimate

Array = NDArray[np.float64]
PER_DRAW = 64  # predictive samples per posterior draw
LOW, HIGH = 0.05, 0.95
ALPHA = 0.10


@dataclasses.dataclass(frozen=True)
class Forecast:
    """The predictive distribution of an endpoint as samples on its scale, and the draws behind it.

    samples (S,); values (D,) endless-study values by draw; sampling_sd: scatter of a study of the published size;
    effective_people over all draws.
    """

    samples: Array
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
    discrepancies: Sequence[float],
    study_effects: Sequence[float],
    shared: float,
    generator: np.random.Generator,
) -> Forecast:
    """The predictive distribution from predictions under several posterior draws.

    Args:
        predictions: one per draw, with replicate studies.
        discrepancies: scale of the family's discrepancy by draw; study_effects: the study's standard normal effect.
        shared: share of the discrepancy's variance common to a study.
    """
    values = np.array([p.value for p in predictions])
    scatter = np.array([_spread(p.replicates) for p in predictions])
    sampling_sd = float(np.nanmean(scatter))
    # Part of the spread between draws is the chance of finitely many simulated people; what is left is knowledge.
    people = float(np.mean([p.effective_people for p in predictions]))
    n = float(endpoint.n or 50)
    chance = sampling_sd**2 * n / max(people, 1.0)
    spread = np.var(values, ddof=1) if values.size > 1 else 0.0
    shrunk = np.sqrt(max(spread - chance, 0.0) / spread) if spread > 0 else 1.0
    centre = values.mean()
    known = centre + shrunk * (values - centre)
    size = np.asarray(discrepancies)[:, None]
    own = generator.standard_normal((values.size, PER_DRAW))
    moved = known[:, None] + np.sqrt(1.0 - shared) * size * own
    moved = moved + np.sqrt(shared) * size * orientation(endpoint) * np.asarray(study_effects)[:, None]
    if _counted(endpoint):
        shares = backward(endpoint, moved)
        drawn = generator.binomial(int(endpoint.n or 1), shares) / float(endpoint.n or 1)
        samples = forward(endpoint, drawn, float(endpoint.n or 1))
    else:
        samples = moved + sampling_sd * generator.standard_normal(moved.shape)
    total = float(sum(p.effective_people for p in predictions))
    return Forecast(samples.ravel(), known, sampling_sd, total)


def _counted(endpoint: PublishedEndpoint) -> bool:
    return endpoint.metric in FRACTIONS and endpoint.n is not None


def _spread(replicates: Array) -> float:
    finite = replicates[np.isfinite(replicates)]
    return float(np.std(finite)) if finite.size > 1 else float("nan")


def judge(endpoint: PublishedEndpoint, told: Forecast, generator: np.random.Generator) -> Judged:
    """Hold a forecast against the published figure."""
    n = float(endpoint.n) if endpoint.n else None
    estimate = published_estimate(endpoint)
    samples = told.samples
    low, middle, high = (float(np.quantile(samples, q)) for q in (LOW, 0.5, HIGH))
    value = estimate.value
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


def _natural(endpoint: PublishedEndpoint, scaled: Array, n: float | None) -> Array:
    """Back to the endpoint's unit; counts are moved back outwards by the half person they were moved in."""
    values = backward(endpoint, scaled)
    if _counted(endpoint) and n is not None:
        return np.clip((values * (n + 1.0) - 0.5) / n, 0.0, 1.0)
    return values


def log_score(endpoint: PublishedEndpoint, told: Forecast) -> float:
    """Log density (counts: log probability) of the published figure under the forecast."""
    if _counted(endpoint):
        n = int(endpoint.n or 1)
        k = endpoint.k if endpoint.k is not None else round(endpoint.value * n)
        shares = np.arange(n + 1) / n
        observed = np.abs(told.samples[:, None] - forward(endpoint, shares, float(n))[None]).argmin(axis=1)
        counts = np.bincount(observed, minlength=n + 1).astype(float)
        # Smoothed by a binomial kernel, so that a count which no sample happened to hit is not impossible.
        smooth = logsumexp(
            binom.logpmf(k, n, np.clip((np.arange(n + 1) + 0.5) / (n + 1), 1e-6, 1 - 1e-6)),
            b=0.05 * counts / counts.sum(),
        )
        return float(np.logaddexp(smooth, np.log(0.95 * counts[k] / counts.sum() + 1e-12)))
    return normal_log_score(endpoint, float(told.samples.mean()), float(told.samples.std()))


def normal_log_score(endpoint: PublishedEndpoint, mean: float, sd: float) -> float:
    """Log density of the published figure under a normal forecast on its scale."""
    return float(norm.logpdf(published_estimate(endpoint).value, mean, max(sd, 1e-6)))


def families(endpoints: Mapping[str, PublishedEndpoint]) -> dict[str, str]:
    """The family of each endpoint."""
    return {name: family_of(endpoint) for name, endpoint in endpoints.items()}
