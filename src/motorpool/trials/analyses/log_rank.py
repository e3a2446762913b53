"""Log-rank test of many replicates at once, stratified and weighted."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate


@dataclass(frozen=True, kw_only=True)
class LogRankEstimate(Estimate):
    """One-step log hazard ratio (observed minus expected over variance), treated against control.

    Negative where the treated have fewer events. `events` counts those in both arms; `chi_square` has one degree
    of freedom.
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

    `early` and `late` are the exponents rho and gamma of Fleming-Harrington weights S^rho (1 - S)^gamma; both 0
    weigh every event alike.
    """
    raise NotImplementedError
