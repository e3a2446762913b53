"""Proportional odds model of many replicates at once."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate


@dataclass(frozen=True, kw_only=True)
class OrdinalEstimate(Estimate):
    """Common log odds ratio of a higher category; `cut_points` (replicates, categories - 1)."""

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
    """Cumulative logit model; `category` (replicates, patients) holds whole numbers, higher is better or worse."""
    raise NotImplementedError
