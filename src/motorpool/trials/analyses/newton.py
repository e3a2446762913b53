"""Newton's method for the maximum of a concave log likelihood, many replicates at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from motorpool.trials.analyses.estimate import Array, Flags, Numbers

MOST_STEPS = 50
SETTLED = 1e-12  # of the Newton decrement, in units of log likelihood
MOST_HALVINGS = 20
# Columns have a standard deviation of about 1, so a larger coefficient means that they separate the outcomes.
LARGEST_COEFFICIENT = 15.0
LARGEST_CONDITION = 1e11


@dataclass(frozen=True)
class Derivatives:
    """Log likelihood (replicates,), score (replicates, K) and information (replicates, K, K)."""

    value: Array
    score: Array
    information: Array


@dataclass(frozen=True)
class Maximum:
    """Coefficients and standard errors (replicates, K), NaN where there is no maximum, and where there is one."""

    coefficients: Array
    standard_errors: Array
    found: Flags


def maximise(
    derivatives: Callable[[Array, Numbers], Derivatives],
    start: Array,
    allowed: Callable[[Array], Flags] | None = None,
) -> Maximum:
    """Climb from `start` (replicates, K).

    Args:
        derivatives: Given coefficients of some replicates and the numbers of these, the derivatives there.
        start: Where to begin.
        allowed: Which coefficients (replicates, K) may be tried; all where it is None.
    """
    best = start.copy()
    found = np.zeros(len(start), dtype=bool)
    errors = np.full_like(start, np.nan)
    active = np.arange(len(start))
    here = derivatives(best, active)
    for _ in range(MOST_STEPS):
        step, inverse, sound = _newton(here)
        decrement = (step * here.score).sum(axis=-1)
        done = (
            sound & (np.abs(decrement) < SETTLED) & (np.abs(best[active]) < LARGEST_COEFFICIENT).all(axis=-1)
        )
        found[active[done]] = True
        errors[active[done]] = np.sqrt(np.maximum(np.diagonal(inverse, axis1=1, axis2=2)[done], 0.0))
        best[active[done]] += step[done]
        lost = ~sound | (np.abs(best[active]) >= LARGEST_COEFFICIENT).any(axis=-1)
        going = ~done & ~lost
        if not going.any():
            break
        active, step, value = active[going], step[going], here.value[going]
        here, better = _advance(derivatives, best, active, step, value, allowed)
        here = Derivatives(here.value[better], here.score[better], here.information[better])
        active = active[better]
        if not len(active):
            break
    return Maximum(np.where(found[:, None], best, np.nan), errors, found)


def _newton(here: Derivatives) -> tuple[Array, Array, Flags]:
    """Step, inverse information and where the information is positive definite; absent columns stay at 0."""
    diagonal = np.diagonal(here.information, axis1=1, axis2=2)
    absent = diagonal <= 1e-14
    sound = np.isfinite(here.information).all(axis=(1, 2)) & ~absent[:, 0]
    scale = np.where(absent, 0.0, 1.0 / np.sqrt(np.where(absent, 1.0, diagonal)))
    eye = np.eye(diagonal.shape[-1])
    scaled = here.information * scale[:, :, None] * scale[:, None, :] + absent[:, :, None] * eye
    scaled = np.where(sound[:, None, None], scaled, eye)
    sound &= np.linalg.cond(scaled) < LARGEST_CONDITION
    scaled = np.where(sound[:, None, None], scaled, eye)
    inverse = np.linalg.inv(scaled) * scale[:, :, None] * scale[:, None, :]
    return (inverse @ here.score[..., None])[..., 0], inverse, sound


def _advance(
    derivatives: Callable[[Array, Numbers], Derivatives],
    best: Array,
    active: Numbers,
    step: Array,
    value: Array,
    allowed: Callable[[Array], Flags] | None,
) -> tuple[Derivatives, Flags]:
    """Take the step, or a half, a quarter... of it, and give the derivatives there and where it went up."""
    origin = best[active].copy()
    best[active] = origin + step
    factor = np.ones(len(active))
    for _ in range(MOST_HALVINGS):
        here = derivatives(best[active], active)
        worse = ~(here.value >= value - 1e-9 * np.maximum(1.0, np.abs(value)))
        if allowed is not None:
            worse |= ~allowed(best[active])
        if not worse.any():
            break
        factor[worse] *= 0.5
        best[active] = origin + factor[:, None] * step
    else:
        here = derivatives(best[active], active)
    better = here.value >= value - 1e-9 * np.maximum(1.0, np.abs(value))
    return here, better
