"""Analysis of covariance of many replicates at once: least squares with baseline, covariates and strata."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate, summarised
from motorpool.trials.analyses.patients import counted, covariate_columns, flags

LARGEST_CONDITION = 1e12  # of the scaled cross products; beyond it the effect is not identified


@dataclass(frozen=True, kw_only=True)
class AncovaEstimate(Estimate):
    """Difference of adjusted means, treated minus control.

    `mean_treated` and `mean_control` are adjusted to the mean covariates of those counted; `residual_sd` is the
    residual standard deviation and `patients` the number counted; all (replicates,).
    """

    mean_treated: Array
    mean_control: Array
    residual_sd: Array
    patients: Array


def ancova(
    change: ArrayLike,
    treated: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    observed: ArrayLike | None = None,
    confidence: float = CONFIDENCE,
) -> AncovaEstimate:
    """Regress change on treatment, baseline, covariates and strata, with Student's t.

    Args:
        change: Outcome of each patient, (replicates, patients); NaN counts as missing.
        treated: Whether treated, (replicates, patients).
        baseline: Value before treatment, (replicates, patients).
        covariates: Further columns, (replicates, patients, columns).
        stratum: Stratum of randomisation, (replicates, patients); each but the first gets a column.
        observed: Whether the patient counts, (replicates, patients).
        confidence: Level of the interval.

    Returns:
        One estimate per replicate; NaN where the covariates determine the treatment or no degree of freedom is left.

    Raises:
        ValueError: Arrays of other shapes, or a confidence level outside 0 to 1.
    """
    outcome = np.asarray(change, dtype=float)
    arm = flags(treated, "treated")
    columns = covariate_columns(arm, baseline, covariates, stratum)
    kept = counted(outcome, observed) & np.isfinite(columns).all(axis=-1)
    weight = kept.astype(float)
    patients = weight.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = np.where(kept[..., None], columns, 0.0)
        centre = columns.sum(axis=1, keepdims=True) / patients[:, None, None]
        columns = (columns - centre) * weight[..., None]
        scale = np.sqrt((columns**2).sum(axis=1, keepdims=True))
        columns = np.divide(columns, scale, out=np.zeros_like(columns), where=scale > 0.0)
    used = (scale[:, 0, :] > 0.0).astype(
        float
    )  # a column that does not vary in a replicate is left out there
    design = np.concatenate([weight[..., None], (arm & kept).astype(float)[..., None], columns], axis=-1)
    values = np.where(kept, outcome, 0.0)
    cross = np.swapaxes(design, 1, 2) @ design
    absent = np.concatenate([np.zeros((len(used), 2)), 1.0 - used], axis=-1)
    cross = cross + absent[:, :, None] * np.eye(design.shape[-1])
    scaling = 1.0 / np.sqrt(np.maximum(np.diagonal(cross, axis1=1, axis2=2), 1e-300))
    scaled = cross * scaling[:, :, None] * scaling[:, None, :]
    sound = (patients > 0) & (np.linalg.cond(scaled) < LARGEST_CONDITION)
    scaled = np.where(sound[:, None, None], scaled, np.eye(design.shape[-1]))
    inverse = np.linalg.inv(scaled) * scaling[:, :, None] * scaling[:, None, :]
    coefficients = (inverse @ (np.swapaxes(design, 1, 2) @ values[..., None]))[..., 0]
    residuals = values - (design @ coefficients[..., None])[..., 0]
    degrees = patients - 2.0 - used.sum(axis=-1)
    sound &= degrees > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.where(sound, (residuals**2).sum(axis=-1) / degrees, np.nan)
    effect = np.where(sound, coefficients[:, 1], np.nan)
    error = np.sqrt(variance * inverse[:, 1, 1])
    control = np.where(sound, coefficients[:, 0], np.nan)  # covariates are centred
    return AncovaEstimate(
        **summarised(effect, error, degrees, confidence),
        mean_treated=control + effect,
        mean_control=control,
        residual_sd=np.sqrt(variance),
        patients=patients,
    )
