"""Proportional odds model of many replicates at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate, Flags, Numbers, summarised
from motorpool.trials.analyses.newton import Derivatives, maximise
from motorpool.trials.analyses.patients import counted, covariate_columns, flags
from motorpool.trials.analyses.repeated import scaled_columns

FAR = 60.0  # a cut point beyond all, on the scale of log odds


@dataclass(frozen=True, kw_only=True)
class OrdinalEstimate(Estimate):
    """Common log odds ratio of a higher category; `cut_points` (replicates, categories - 1).

    Cut points are log odds of a lower category among controls with mean covariates; NaN for categories that a
    replicate does not have (those that it has come first).
    """

    cut_points: Array


def proportional_odds(
    category: ArrayLike,
    treated: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    observed: ArrayLike | None = None,
    confidence: float = CONFIDENCE,
) -> OrdinalEstimate:
    """Cumulative logit model (McCullagh 1980), Wald test; `category` (replicates, patients), NaN where missing.

    Only the order of the categories counts. NaN where the likelihood has no maximum.

    Raises:
        ValueError: Arrays of other shapes.
    """
    values = np.asarray(category, dtype=float)
    arm = flags(treated, "treated")
    columns = covariate_columns(arm, baseline, covariates, stratum)
    kept = counted(values, observed) & np.isfinite(columns).all(axis=-1)
    scaled, _ = scaled_columns(columns, kept)
    x = np.concatenate([arm[..., None].astype(float), scaled], axis=-1) * kept[..., None]
    numbers, categories = _ranks(values, kept)
    cuts = max(int(categories.max(initial=1)) - 1, 1)
    places = np.arange(cuts)
    upper = (numbers[..., None] == places) & (places < categories[:, None, None] - 1) & kept[..., None]
    lower = (numbers[..., None] - 1 == places) & kept[..., None]
    above = np.concatenate([-x, upper.astype(float)], axis=-1)
    below = np.concatenate([-x, lower.astype(float)], axis=-1)
    top, bottom = ~upper.any(axis=-1), ~lower.any(axis=-1)
    below_share = np.stack([((numbers <= place) & kept).sum(axis=1) for place in range(cuts)], axis=-1)
    share = (below_share + 0.5) / (kept.sum(axis=1)[:, None] + 1.0)
    start = np.concatenate([np.zeros((len(arm), x.shape[-1])), logit(share)], axis=-1)

    def derivatives(coefficients: Array, active: Numbers) -> Derivatives:
        one, two, seen = above[active], below[active], kept[active].astype(float)
        u = np.where(top[active], FAR, (one @ coefficients[..., None])[..., 0])
        v = np.where(bottom[active], -FAR, (two @ coefficients[..., None])[..., 0])
        chance = _between(u, v)
        bad = ~(chance > 0.0)
        chance = np.where(bad, 1e-300, chance)
        density_u = np.where(top[active], 0.0, expit(u) * expit(-u))
        density_v = np.where(bottom[active], 0.0, expit(v) * expit(-v))
        slope = (
            (density_u[..., None] * one - density_v[..., None] * two) / chance[..., None] * seen[..., None]
        )
        bend_u = seen * density_u * (1.0 - 2.0 * expit(u)) / chance
        bend_v = seen * density_v * (1.0 - 2.0 * expit(v)) / chance
        information = np.swapaxes(slope, 1, 2) @ slope - np.swapaxes(one, 1, 2) @ (one * bend_u[..., None])
        information = information + np.swapaxes(two, 1, 2) @ (two * bend_v[..., None])
        value = np.where((bad & (seen > 0.0)).any(axis=1), -np.inf, (seen * np.log(chance)).sum(axis=1))
        return Derivatives(value, slope.sum(axis=1), information)

    best = maximise(derivatives, start)
    few = categories < 2
    effect = np.where(few, np.nan, best.coefficients[:, 0])
    cut_points = np.where(places < categories[:, None] - 1, best.coefficients[:, x.shape[-1] :], np.nan)
    return OrdinalEstimate(
        **summarised(effect, best.standard_errors[:, 0], np.inf, confidence), cut_points=cut_points
    )


def _between(u: Array, v: Array) -> Array:
    """expit(u) - expit(v) without cancellation where both are large."""
    flip = v > 0.0
    high, low = np.where(flip, -v, u), np.where(flip, -u, v)
    return expit(high) - expit(low)


def _ranks(values: Array, kept: Flags) -> tuple[Numbers, Numbers]:
    """Categories of each replicate as numbers from 0, and how many there are."""
    numbers = np.full(values.shape, -1, dtype=np.int64)
    counts = np.zeros(len(values), dtype=np.int64)
    for replicate, (row, who) in enumerate(zip(values, kept, strict=True)):
        found, place = np.unique(row[who], return_inverse=True)
        numbers[replicate, who] = place
        counts[replicate] = len(found)
    return numbers, counts
