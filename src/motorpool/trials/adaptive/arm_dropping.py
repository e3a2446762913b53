"""Several experimental arms against one control: dropping arms at an interim (multi-arm multi-stage)."""

from __future__ import annotations

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import Array, Flags


def keep_above(z: ArrayLike, lowest_z: float) -> Flags:
    """Arms whose interim z reaches a boundary; (replicates, arms)."""
    raise NotImplementedError


def keep_best(z: ArrayLike, number: int) -> Flags:
    """The best arms by interim z; (replicates, arms)."""
    raise NotImplementedError


def dunnett_p_values(z: ArrayLike, *, ratio: float = 1.0) -> Array:
    """One-sided p values of the largest z among arms that share a control, for each arm; (replicates, arms)."""
    raise NotImplementedError


def closed_combination_test(
    first_z: ArrayLike,
    second_z: ArrayLike,
    kept: ArrayLike,
    *,
    first_weight: float,
    alpha: float = 0.025,
    ratio: float = 1.0,
) -> Flags:
    """Arms shown better after two stages, family-wise error kept whatever was dropped; (replicates, arms)."""
    raise NotImplementedError
