"""Patients of many replicates as the analyses take them: masks, strata and columns of covariates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import Array, Flags, Numbers


def flags(values: ArrayLike, name: str) -> Flags:
    """Values (replicates, patients) as True and False.

    Raises:
        ValueError: Not two-dimensional, or another value than 0, 1, True and False.
    """
    array = np.asarray(values)
    if array.ndim != 2:
        message = f"{name} has shape {array.shape}; it must be (replicates, patients)"
        raise ValueError(message)
    if array.dtype != np.bool_ and not np.isin(array, (0, 1)).all():
        message = f"{name} holds other values than 0 and 1"
        raise ValueError(message)
    return array.astype(bool)


def counted(values: Array, observed: ArrayLike | None) -> Flags:
    """Patients whose value counts: those observed, and never one that is not a number."""
    known = np.isfinite(values)
    return known if observed is None else known & flags(observed, "observed")


def one_stratum(stratum: ArrayLike | None, like: Flags) -> Numbers:
    """Strata as whole numbers from 0 in order of value, (replicates, patients); zeros where there are none."""
    if stratum is None:
        return np.zeros(like.shape, dtype=np.int64)
    values = np.asarray(stratum)
    if values.shape != like.shape:
        message = f"stratum has shape {values.shape}; patients have {like.shape}"
        raise ValueError(message)
    return np.unique(values, return_inverse=True)[1].reshape(values.shape).astype(np.int64)


def covariate_columns(
    like: Flags, baseline: ArrayLike | None, covariates: ArrayLike | None, stratum: ArrayLike | None
) -> Array:
    """Baseline, covariates and indicators of all strata but the first, (replicates, patients, columns)."""
    columns: list[Array] = []
    if baseline is not None:
        columns.append(np.asarray(baseline, dtype=float)[..., None])
    if covariates is not None:
        columns.append(np.asarray(covariates, dtype=float).reshape(*like.shape, -1))
    numbers = one_stratum(stratum, like)
    columns.extend(
        (numbers == number).astype(float)[..., None] for number in range(1, int(numbers.max(initial=0)) + 1)
    )
    if not columns:
        return np.zeros((*like.shape, 0))
    return np.concatenate(columns, axis=-1)
