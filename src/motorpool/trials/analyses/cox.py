"""Cox's proportional hazards of many replicates at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate

Ties = Literal["efron", "breslow"]


@dataclass(frozen=True, kw_only=True)
class CoxEstimate(Estimate):
    """Log hazard ratio of treated against control; `events` counts those in both arms."""

    events: Array


def cox(
    time_years: ArrayLike,
    event: ArrayLike,
    treated: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    observed: ArrayLike | None = None,
    ties: Ties = "efron",
    confidence: float = CONFIDENCE,
) -> CoxEstimate:
    """Partial likelihood with covariates; strata have hazards of their own. NaN where it has no maximum."""
    raise NotImplementedError
