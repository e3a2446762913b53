"""Combination tests: stages of a trial whose design changed in between, put together without inflating alpha."""

from __future__ import annotations

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import Array


def inverse_normal(z: ArrayLike, weights: ArrayLike) -> Array:
    """Weighted sum of stage-wise z, (replicates, stages) with prefixed weights (stages,), again a z; (replicates,)."""
    raise NotImplementedError


def fisher(p_values: ArrayLike) -> Array:
    """Fisher's combined p value of stage-wise one-sided p values; (replicates, stages) to (replicates,)."""
    raise NotImplementedError
