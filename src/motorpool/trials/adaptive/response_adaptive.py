"""Response-adaptive randomisation: the next patients go more often to the arm that does better."""

from __future__ import annotations

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import Array


def probability_best(means: ArrayLike, errors: ArrayLike, *, higher_is_better: bool = True) -> Array:
    """Posterior probability that each arm is the best, (replicates, arms)."""
    raise NotImplementedError


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
    """Shares of the next patients, (replicates, arms): probability of being best to a power, between limits."""
    raise NotImplementedError
