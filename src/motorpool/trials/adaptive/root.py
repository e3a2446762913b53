"""Roots: of a function of one number, and of one function for each replicate."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
from scipy import optimize

from motorpool.trials.analyses.estimate import Array, Flags, Numbers

PRECISION = 1e-12
STEPS = 40
SETTLED = 1e-8


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where the function changes sign between low and high (Brent's method).

    Raises:
        ValueError: It has the same sign at both.
    """
    return cast(float, optimize.brentq(function, low, high, xtol=PRECISION))


def rising_roots(rising: Callable[[Array, Numbers], Array], start: Array, step: Array) -> Array:
    """Root of a rising, nearly straight function, one for each replicate: bracketed, then by the Illinois method."""
    every = np.arange(len(start))
    low, high = start - step, start + step
    at_low, at_high = rising(low, every), rising(high, every)
    for _ in range(STEPS):
        short = (at_low > 0.0) | (at_high < 0.0)
        if not short.any():
            break
        step = np.where(short, 2.0 * step, step)
        chosen = np.flatnonzero(short)
        low[chosen], high[chosen] = (low - step)[chosen], (high + step)[chosen]
        at_low[chosen], at_high[chosen] = rising(low[chosen], chosen), rising(high[chosen], chosen)
    guess = _secant(low, high, at_low, at_high)
    active = every
    for _ in range(STEPS):
        value = rising(guess[active], active)
        under: Flags = value < 0.0
        at_high[active] = np.where(under, 0.5 * at_high[active], value)
        at_low[active] = np.where(under, value, 0.5 * at_low[active])
        low[active] = np.where(under, guess[active], low[active])
        high[active] = np.where(under, high[active], guess[active])
        following = _secant(low[active], high[active], at_low[active], at_high[active])
        moved = np.abs(following - guess[active])
        guess[active] = following
        active = active[(moved > SETTLED) & (np.abs(value) > SETTLED)]
        if not len(active):
            break
    return guess


def _secant(low: Array, high: Array, at_low: Array, at_high: Array) -> Array:
    """Where the straight line crosses zero; the middle where it does not do so inside."""
    with np.errstate(invalid="ignore", divide="ignore"):
        crossing = (low * at_high - high * at_low) / (at_high - at_low)
    inside = np.isfinite(crossing) & (crossing >= low) & (crossing <= high)
    return np.where(inside, crossing, 0.5 * (low + high))
