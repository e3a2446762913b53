"""Combination tests: stages of a trial whose design changed in between, put together without inflating alpha."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from motorpool.trials.analyses.estimate import Array


def inverse_normal(z: ArrayLike, weights: ArrayLike) -> Array:
    """Weighted sum of stage-wise z (..., stages) with weights (stages,) fixed beforehand, again a z (...,).

    The weights are shares of the planned information; their square roots multiply the statistics (Lehmacher and
    Wassmer 1999). Each z is of the patients of its stage alone.

    Raises:
        ValueError: Weights that are negative, all zero, or of another number than the stages.
    """
    values = np.asarray(z, dtype=float)
    shares = np.asarray(weights, dtype=float)
    if shares.shape != values.shape[-1:] or (shares < 0.0).any() or shares.sum() <= 0.0:
        message = f"weights are {shares.tolist()}; one for each of {values.shape[-1]} stages is needed, none negative"
        raise ValueError(message)
    return values @ np.sqrt(shares / shares.sum())


def fisher(p_values: ArrayLike) -> Array:
    """Fisher's combined p value (...,) of stage-wise one-sided p values (..., stages) (Bauer and Koehne 1994)."""
    values = np.asarray(p_values, dtype=float)
    with np.errstate(divide="ignore"):
        statistic = -2.0 * np.log(values).sum(axis=-1)
    return np.asarray(stats.chi2.sf(statistic, 2 * values.shape[-1]))
