"""Response-adaptive randomisation: the next patients go more often to the arm that does better."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr

from motorpool.trials.analyses.estimate import Array

QUADRATURE_NODES = 201
REACH = 8.0


def probability_best(means: ArrayLike, errors: ArrayLike, *, higher_is_better: bool = True) -> Array:
    """Posterior probability that each arm is the best, (replicates, arms), from normal posteriors.

    Raises:
        ValueError: An error that is not positive.
    """
    centre, error = np.asarray(means, dtype=float), np.asarray(errors, dtype=float)
    if (error <= 0.0).any():
        message = "errors must be positive: an arm without information has no posterior"
        raise ValueError(message)
    if not higher_is_better:
        centre = -centre
    nodes = np.linspace(-REACH, REACH, QUADRATURE_NODES)
    density = np.exp(-0.5 * nodes**2)
    density /= density.sum()
    points = centre[..., None] + error[..., None] * nodes  # (replicates, arm that wins, node)
    gap = (points[:, :, None, :] - centre[:, None, :, None]) / error[:, None, :, None]
    below = log_ndtr(gap)
    own = np.eye(centre.shape[1])[None, :, :, None]
    chance = np.exp((below * (1.0 - own)).sum(axis=2)) @ density
    return chance / chance.sum(axis=1, keepdims=True)


def allocation(
    means: ArrayLike,
    errors: ArrayLike,
    *,
    exponent: float = 0.5,
    control: int | None = 0,
    control_share: float | None = None,
    smallest_share: float = 0.1,
    higher_is_better: bool = True,
) -> Array:
    """Shares of the next patients, (replicates, arms).

    Each arm gets the probability of being best to a power (Thall and Wathen 2007: a half tempers early swings), no
    arm less than `smallest_share`; a control can have a fixed share.

    Raises:
        ValueError: Shares that leave nothing, or an exponent below 0.
    """
    chance = probability_best(means, errors, higher_is_better=higher_is_better)
    arms = chance.shape[1]
    fixed = control is not None and control_share is not None
    free = 1.0 - (control_share if fixed and control_share is not None else 0.0)
    moving = arms - 1 if fixed else arms
    if (
        exponent < 0.0
        or smallest_share < 0.0
        or not 0.0 < free <= 1.0
        or smallest_share * moving > free + 1e-12
    ):
        message = (
            f"exponent {exponent}, smallest_share {smallest_share} and control_share {control_share} leave no shares "
            f"for {arms} arms"
        )
        raise ValueError(message)
    raw = chance**exponent
    if fixed:
        raw = np.delete(raw, control if control is not None else 0, axis=1)
    total = np.maximum(raw.sum(axis=1, keepdims=True), 1e-300)
    shares = _at_least(raw / total * free, smallest_share, free)
    if not fixed:
        return shares
    return np.insert(shares, control if control is not None else 0, 1.0 - free, axis=1)


def _at_least(shares: Array, smallest: float, total: float) -> Array:
    """Raise small shares to the smallest allowed and scale the others down, until all hold."""
    held = np.zeros(shares.shape, dtype=bool)
    for _ in range(shares.shape[1]):
        held |= shares < smallest
        left = total - smallest * held.sum(axis=1, keepdims=True)
        others = np.where(held, 0.0, shares)
        scale = left / np.maximum(others.sum(axis=1, keepdims=True), 1e-300)
        shares = np.where(held, smallest, others * scale)
    return shares
