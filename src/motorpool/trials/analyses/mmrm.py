"""Mixed model for repeated measures (MMRM) of many replicates at once, by restricted maximum likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from motorpool.trials.analyses.covariance import Covariance, Structure, structure
from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate, Flags, Numbers, summarised
from motorpool.trials.analyses.patients import covariate_columns, flags
from motorpool.trials.analyses.reml import Fit, evaluate, fit, slopes, spread, trace_pairs
from motorpool.trials.analyses.repeated import LARGEST_CONDITION, Patterns, patterns_of

DegreesOfFreedom = Literal["kenward_roger", "satterthwaite", "between_patients", "normal"]
METHODS: tuple[DegreesOfFreedom, ...] = ("kenward_roger", "satterthwaite", "between_patients", "normal")
REPLICATES_AT_ONCE = 64  # keeps the working arrays in the processor's cache


@dataclass(frozen=True, kw_only=True)
class MmrmEstimate(Estimate):
    """Difference treated minus control at one visit.

    `by_visit` and `standard_error_by_visit` (replicates, visits) are the differences at all visits with
    unadjusted errors; `covariance` (replicates, visits, visits) that of one patient's values;
    `log_likelihood` the restricted one; `converged` whether the fit settled; `patients` with any value; `attempt`
    which structure gave the estimate: 0 the one asked for, 1 the first to fall back on, and so on; -1 none.
    """

    by_visit: Array
    standard_error_by_visit: Array
    covariance: Array
    log_likelihood: Array
    converged: Flags
    patients: Array
    attempt: Numbers


def mmrm(
    value: ArrayLike,
    treated: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    visit: int = -1,
    covariance: Covariance = "unstructured",
    fallback: Sequence[Covariance] = (),
    baseline_by_visit: bool = True,
    degrees_of_freedom: DegreesOfFreedom = "kenward_roger",
    confidence: float = CONFIDENCE,
) -> MmrmEstimate:
    """Fit arm by visit with baseline, covariates and strata, and compare the arms at one visit.

    `kenward_roger` inflates the standard error for the estimation of the covariance and takes the degrees of freedom
    of Kenward and Roger (1997), which for a single contrast are those of Satterthwaite with the expected information;
    `satterthwaite` leaves the error as it is; `between_patients` counts patients less columns, exact for complete
    data and unstructured covariance; `normal` is the large-sample test.

    Args:
        value: Change from baseline, (replicates, patients, visits); NaN where missing.
        treated: Whether treated, (replicates, patients).
        baseline: Value before treatment, (replicates, patients).
        covariates: Further columns, (replicates, patients, columns), with one coefficient each.
        stratum: Stratum of randomisation, (replicates, patients).
        visit: Index of the visit compared; -1 is the last.
        covariance: Structure of the covariance of one patient's values.
        fallback: Structures tried in order where the fit does not settle.
        baseline_by_visit: Whether baseline has a coefficient at each visit or one for all.
        degrees_of_freedom: Small-sample method.
        confidence: Level of the interval.

    Returns:
        One estimate per replicate; NaN where the model has no unique fit or does not converge.

    Raises:
        ValueError: Arrays of other shapes, or an unknown covariance, method or visit.
    """
    values = np.asarray(value, dtype=float)
    arm = flags(treated, "treated")
    if values.ndim != 3 or values.shape[:2] != arm.shape:
        message = (
            f"value has shape {values.shape}; it must be (replicates, patients, visits) with {arm.shape}"
        )
        raise ValueError(message)
    if degrees_of_freedom not in METHODS:
        message = f"degrees_of_freedom is '{degrees_of_freedom}'; known are {', '.join(METHODS)}"
        raise ValueError(message)
    visits = values.shape[2]
    if not -visits <= visit < visits:
        message = f"visit is {visit}; there are {visits} visits, counted from 0"
        raise ValueError(message)
    kinds = [structure(name, visits) for name in (covariance, *fallback)]
    extra = covariate_columns(arm, baseline, covariates, stratum)
    columns = np.concatenate([np.ones((*arm.shape, 1)), arm[..., None].astype(float), extra], axis=-1)
    by_visit = np.zeros(columns.shape[-1], dtype=bool)
    by_visit[:2] = True
    if baseline is not None:
        by_visit[2] = baseline_by_visit
    patterns = patterns_of(values, columns, by_visit)
    joined = _all_fitted(patterns, kinds[0], visit % visits, degrees_of_freedom)
    attempt = np.where(joined["converged"] > 0.0, 0, -1)
    for number, kind in enumerate(kinds[1:], start=1):
        left = np.flatnonzero((attempt < 0) & _identified(patterns))
        if len(left):
            again = _all_fitted(patterns.take(left), kind, visit % visits, degrees_of_freedom)
            for name, values_found in again.items():
                joined[name][left] = values_found
            attempt[left[again["converged"] > 0.0]] = number
    summary = summarised(joined["effect"], joined["error"], joined["degrees"], confidence)
    return MmrmEstimate(
        **summary,
        by_visit=joined["by_visit"],
        standard_error_by_visit=joined["errors"],
        covariance=joined["covariance"],
        log_likelihood=joined["log_likelihood"],
        converged=joined["converged"].astype(bool),
        patients=patterns.patients.sum(axis=-1),
        attempt=attempt,
    )


def _all_fitted(
    patterns: Patterns, kind: Structure, visit: int, method: DegreesOfFreedom
) -> dict[str, Array]:
    """Fit all replicates, some at a time."""
    parts = [
        _fitted(patterns.take(slice(first, first + REPLICATES_AT_ONCE)), kind, visit, method)
        for first in range(0, len(patterns.patients), REPLICATES_AT_ONCE)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _fitted(patterns: Patterns, kind: Structure, visit: int, method: DegreesOfFreedom) -> dict[str, Array]:
    """Fit some replicates and compare the arms at the visit."""
    identified = _identified(patterns)
    found = fit(patterns, kind)
    usable = identified & found.converged
    treated = patterns.to_visits[:, 1, :]  # contrasts of the arms by visit, (visits, p)
    effects = found.state.coefficients @ treated.T
    variances = np.einsum("vp,rpq,vq->rv", treated, found.state.inverse, treated)
    variance, degrees = _small_sample(patterns, kind, found, treated[visit], variances[:, visit], method)
    blank = np.where(usable, 1.0, np.nan)
    return {
        "effect": effects[:, visit] * blank,
        "error": np.sqrt(variance) * blank,
        "degrees": degrees,
        "by_visit": effects * blank[:, None],
        "errors": np.sqrt(variances) * blank[:, None],
        "covariance": kind.matrix(found.parameters) * blank[:, None, None],
        "log_likelihood": found.state.log_likelihood * blank,
        "converged": usable.astype(float),
    }


def _identified(patterns: Patterns) -> Flags:
    """Where every coefficient (of a column that varies) can be estimated."""
    visits = patterns.to_visits.shape[0]
    eye = np.broadcast_to(np.eye(visits), (len(patterns.patients), visits, visits))
    cross = evaluate(patterns, eye).information
    scale = 1.0 / np.sqrt(np.diagonal(cross, axis1=1, axis2=2))
    scaled = cross * scale[:, :, None] * scale[:, None, :]
    # An absent column of the intercept or the treatment means a visit without patients, or an arm without.
    seen = (patterns.patients[..., None] * patterns.observed).sum(axis=1)
    treated = np.einsum("rgv,rg->rv", patterns.observed.astype(float), patterns.columns[:, :, 1, 1])
    both = ((treated > 0) & (treated < seen)).all(axis=-1)
    return both & (np.linalg.cond(scaled) < LARGEST_CONDITION)


def _small_sample(
    patterns: Patterns,
    kind: Structure,
    found: Fit,
    contrast: Array,
    variance: Array,
    method: DegreesOfFreedom,
) -> tuple[Array, Array]:
    """Variance of the contrast, adjusted by Kenward-Roger if asked, and its degrees of freedom."""
    if method == "normal":
        return variance, np.full_like(variance, np.inf)
    if method == "between_patients":
        present = (np.diagonal(patterns.columns.sum(axis=1), axis1=1, axis2=2) > 0.0).sum(axis=-1)
        return variance, patterns.patients.sum(axis=-1) - present
    state = found.state
    derivatives = kind.first(found.parameters)
    slope = slopes(patterns, state, derivatives)
    scale = 1.0 / np.sqrt(np.maximum(np.diagonal(slope.information, axis1=1, axis2=2), 1e-300))
    scaled = slope.information * scale[:, :, None] * scale[:, None, :]
    singular = ~np.isfinite(scaled).all(axis=(1, 2)) | ~found.converged
    scaled = np.where(singular[:, None, None], np.eye(scaled.shape[-1]), scaled)
    uncertainty = np.linalg.pinv(scaled, hermitian=True) * scale[:, :, None] * scale[:, None, :]
    direction = state.inverse @ contrast  # (replicates, p)
    moved = (slope.by_parameter @ direction[:, None, :, None])[..., 0]  # X'W D W X F l, (replicates, K, p)
    gradient = (moved * direction[:, None, :]).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = 2.0 * variance**2 / np.einsum("rk,rkl,rl->r", gradient, uncertainty, gradient)
    if method == "satterthwaite":
        return variance, degrees
    outer = spread(direction[:, :, None] * direction[:, None, :], patterns)
    inside = state.weights @ outer @ state.weights
    lost = trace_pairs(derivatives, state.weights, inside)
    lost = lost - moved @ state.inverse @ np.swapaxes(moved, 1, 2)
    second = kind.second(found.parameters)
    if second is not None:
        lost = lost - 0.25 * np.einsum("rklst,rst->rkl", second, inside.sum(axis=1))
    return variance + 2.0 * (uncertainty * lost).sum(axis=(1, 2)), degrees
