"""Responder analyses of many replicates at once: Cochran-Mantel-Haenszel and logistic regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate

Measure = Literal["risk_difference", "log_odds_ratio"]


@dataclass(frozen=True, kw_only=True)
class ResponderEstimate(Estimate):
    """Difference in risk or log odds ratio; `rate_treated` and `rate_control` are the raw shares of responders."""

    rate_treated: Array
    rate_control: Array


def cochran_mantel_haenszel(
    responded: ArrayLike,
    treated: ArrayLike,
    *,
    stratum: ArrayLike | None = None,
    observed: ArrayLike | None = None,
    measure: Measure = "risk_difference",
    confidence: float = CONFIDENCE,
) -> ResponderEstimate:
    """Stratified comparison of shares; all arrays (replicates, patients).

    The test is Cochran-Mantel-Haenszel's without continuity correction; the estimate is Mantel-Haenszel's common
    risk difference (variance of Sato 1989) or log odds ratio (variance of Robins, Breslow and Greenland 1986),
    with an interval from that variance, so test and interval may differ at the border.
    """
    raise NotImplementedError


def logistic(
    responded: ArrayLike,
    treated: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    observed: ArrayLike | None = None,
    firth: bool = False,
    confidence: float = CONFIDENCE,
) -> ResponderEstimate:
    """Log odds ratio by logistic regression, Wald test; with `firth`, penalised likelihood that survives separation.

    `covariates` are (replicates, patients, columns), all else (replicates, patients). NaN where the likelihood has
    no maximum (an arm in which all or none respond), unless `firth`.
    """
    raise NotImplementedError
