"""Log-rank test of many replicates at once, stratified and weighted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate, Flags, summarised
from motorpool.trials.analyses.ordered import ordered, survival_factors, survival_inputs
from motorpool.trials.analyses.patients import flags, one_stratum


@dataclass(frozen=True, kw_only=True)
class LogRankEstimate(Estimate):
    """One-step log hazard ratio (observed minus expected over variance), treated against control.

    Negative where the treated have fewer events. `events` counts those in both arms; `chi_square` has one degree
    of freedom. With other weights than 1 the ratio is an average over time.
    """

    events: Array
    chi_square: Array


def log_rank(
    time_years: ArrayLike,
    event: ArrayLike,
    treated: ArrayLike,
    *,
    stratum: ArrayLike | None = None,
    observed: ArrayLike | None = None,
    early: float = 0.0,
    late: float = 0.0,
    confidence: float = CONFIDENCE,
) -> LogRankEstimate:
    """Log-rank test with the hypergeometric variance; arrays (replicates, patients).

    `early` and `late` are the exponents rho and gamma of Fleming-Harrington weights S^rho (1 - S)^gamma, with S the
    pooled curve just before the event; both 0 weigh every event alike. Strata add their scores and variances.

    Raises:
        ValueError: Arrays of other shapes, a negative time or exponent.
    """
    if early < 0.0 or late < 0.0:
        message = f"early is {early} and late is {late}; the exponents of the weights cannot be negative"
        raise ValueError(message)
    time, happened, counted = survival_inputs(time_years, event, observed)
    arm = flags(treated, "treated")
    strata = one_stratum(stratum, arm)
    score, variance, average = (np.zeros(len(time)) for _ in range(3))
    for number in range(int(strata.max(initial=0)) + 1):
        parts = _stratum(time, happened, arm, counted & (strata == number), (early, late))
        score, variance, average = score + parts[0], variance + parts[1], average + parts[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        # Weighted scores are divided by their expectation per unit of log hazard ratio.
        effect, error = score / average, np.sqrt(variance) / average
    summary = summarised(effect, error, np.inf, confidence)
    return LogRankEstimate(
        **summary, events=(happened & counted).sum(axis=1).astype(float), chi_square=summary["statistic"] ** 2
    )


def _stratum(
    time: Array, happened: Flags, arm: Flags, counted: Flags, weights: tuple[float, float]
) -> tuple[Array, Array, Array]:
    """Score, its variance, and the variance with the weights once (the slope of the score)."""
    here = ordered(time, counted)
    with_event = here.sort(happened & counted).astype(float)
    treated = here.sort(arm & counted).astype(float)
    at_risk, events, factor = survival_factors(here, with_event)
    treated_events = np.where(here.starts, here.within_ties(with_event * treated), 0.0)
    share = np.divide(here.at_risk(treated), at_risk, out=np.zeros_like(at_risk), where=at_risk > 0.0)
    weight = np.ones_like(share)
    early, late = weights
    if early or late:
        before = np.concatenate([np.ones((len(time), 1)), np.cumprod(factor, axis=1)[:, :-1]], axis=1)
        weight = before**early * (1.0 - before) ** late
    left = np.divide(at_risk - events, at_risk - 1.0, out=np.zeros_like(at_risk), where=at_risk > 1.0)
    variance = events * share * (1.0 - share) * left
    score = weight * (treated_events - events * share)
    return score.sum(axis=1), (weight**2 * variance).sum(axis=1), (weight * variance).sum(axis=1)
