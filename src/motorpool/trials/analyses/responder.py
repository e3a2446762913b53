"""Responder analyses of many replicates at once: Cochran-Mantel-Haenszel and logistic regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import expit

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate, Flags, Numbers, summarised
from motorpool.trials.analyses.newton import Derivatives, maximise
from motorpool.trials.analyses.patients import counted, covariate_columns, flags, one_stratum
from motorpool.trials.analyses.repeated import scaled_columns

Measure = Literal["risk_difference", "log_odds_ratio"]


@dataclass(frozen=True, kw_only=True)
class ResponderEstimate(Estimate):
    """Difference in risk or log odds ratio; `rate_treated` and `rate_control` are the raw shares of responders."""

    rate_treated: Array
    rate_control: Array


def _responses(
    responded: ArrayLike, treated: ArrayLike, observed: ArrayLike | None
) -> tuple[Flags, Flags, Flags]:
    """Responses, arms and who counts, (replicates, patients)."""
    values = np.asarray(responded, dtype=float)
    arm = flags(treated, "treated")
    kept = counted(values, observed)
    return flags(np.where(kept, values, 0.0), "responded"), arm, kept


def _rates(response: Flags, arm: Flags, kept: Flags) -> dict[str, Array]:
    with np.errstate(invalid="ignore"):
        return {
            name: (response & kept & member).sum(axis=1) / (kept & member).sum(axis=1)
            for name, member in (("rate_treated", arm), ("rate_control", ~arm))
        }


def cochran_mantel_haenszel(
    responded: ArrayLike,
    treated: ArrayLike,
    *,
    stratum: ArrayLike | None = None,
    observed: ArrayLike | None = None,
    measure: Measure = "risk_difference",
    confidence: float = CONFIDENCE,
) -> ResponderEstimate:
    """Stratified comparison of shares; all arrays (replicates, patients), a response 0, 1 or NaN.

    The test is Cochran-Mantel-Haenszel's without continuity correction; the estimate is Mantel-Haenszel's common
    risk difference (variance of Sato 1989) or log odds ratio (variance of Robins, Breslow and Greenland 1986),
    with an interval from that variance, so test and interval may differ at the border.

    Raises:
        ValueError: An unknown measure, or arrays of other shapes.
    """
    if measure not in ("risk_difference", "log_odds_ratio"):
        message = f"measure is '{measure}'; known are risk_difference, log_odds_ratio"
        raise ValueError(message)
    response, arm, kept = _responses(responded, treated, observed)
    strata = one_stratum(stratum, arm)
    members = [kept & (strata == number) for number in range(int(strata.max(initial=0)) + 1)]

    def count(which: Flags) -> Array:
        return np.stack([(member & which).sum(axis=1) for member in members], axis=-1).astype(float)

    n1, n0, x1, x0 = count(arm), count(~arm), count(arm & response), count(~arm & response)
    total, events = n1 + n0, x1 + x0
    safe = np.maximum(total, 1.0)
    score = (x1 - n1 * events / safe).sum(axis=-1)
    spread = n1 * n0 * events * (total - events) / (safe**2 * np.maximum(total - 1.0, 1.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        if measure == "risk_difference":
            weight = (n1 * n0 / safe).sum(axis=-1)
            effect = ((x1 * n0 - x0 * n1) / safe).sum(axis=-1) / weight
            slope = (n1**2 * x0 - n0**2 * x1 + n1 * n0 * (n0 - n1) / 2.0) / safe**2
            level = (x1 * (n0 - x0) + x0 * (n1 - x1)) / (2.0 * safe)
            variance = (effect * slope.sum(axis=-1) + level.sum(axis=-1)) / weight**2
        else:
            r, s = x1 * (n0 - x0) / safe, (n1 - x1) * x0 / safe
            p, q = (x1 + n0 - x0) / safe, (n1 - x1 + x0) / safe
            big, small = r.sum(axis=-1), s.sum(axis=-1)
            effect = np.where((big > 0.0) & (small > 0.0), np.log(big / small), np.nan)
            variance = (p * r).sum(axis=-1) / (2.0 * big**2) + (q * s).sum(axis=-1) / (2.0 * small**2)
            variance = variance + (p * s + q * r).sum(axis=-1) / (2.0 * big * small)
        statistic = np.where(spread.sum(axis=-1) > 0.0, score / np.sqrt(spread.sum(axis=-1)), np.nan)
        summary = summarised(effect, np.sqrt(variance), np.inf, confidence)
    # The test stands also where the odds ratio cannot be estimated.
    summary["statistic"] = statistic
    summary["p_value_two_sided"] = np.asarray(2.0 * stats.norm.sf(np.abs(statistic)))
    summary["degrees_of_freedom"] = np.where(np.isnan(statistic), np.nan, np.inf)
    return ResponderEstimate(**summary, **_rates(response, arm, kept))


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
    no maximum (an arm in which all or none respond), unless `firth` (Firth 1993).

    Raises:
        ValueError: Arrays of other shapes, or a confidence level outside 0 to 1.
    """
    response, arm, kept = _responses(responded, treated, observed)
    columns = covariate_columns(arm, baseline, covariates, stratum)
    kept = kept & np.isfinite(columns).all(axis=-1)
    scaled, _ = scaled_columns(columns, kept)
    design = np.concatenate([arm[..., None].astype(float), np.ones((*arm.shape, 1)), scaled], axis=-1)
    design = design * kept[..., None]
    weight, y = kept.astype(float), (response & kept).astype(float)

    def derivatives(coefficients: Array, active: Numbers) -> Derivatives:
        x, known, seen = design[active], y[active], weight[active]
        linear = (x @ coefficients[..., None])[..., 0]
        chance = expit(linear)
        value = (seen * (known * linear - np.logaddexp(0.0, linear))).sum(axis=1)
        spread = seen * chance * (1.0 - chance)
        information = np.swapaxes(x, 1, 2) @ (x * spread[..., None])
        rest = seen * (known - chance)
        if firth:
            absent = np.diagonal(information, axis1=1, axis2=2) <= 0.0
            filled = information + absent[:, :, None] * np.eye(x.shape[-1])
            leverage = spread * ((x @ np.linalg.pinv(filled)) * x).sum(axis=-1)
            value = value + 0.5 * np.linalg.slogdet(filled)[1]
            rest = rest + leverage * (0.5 - chance)
        return Derivatives(value, (np.swapaxes(x, 1, 2) @ rest[..., None])[..., 0], information)

    best = maximise(derivatives, np.zeros((len(arm), design.shape[-1])))
    return ResponderEstimate(
        **summarised(best.coefficients[:, 0], best.standard_errors[:, 0], np.inf, confidence),
        **_rates(response, arm, kept),
    )
