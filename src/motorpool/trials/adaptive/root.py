"""Root of a function of one number, with the type said."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from scipy import optimize

PRECISION = 1e-12


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where the function changes sign between low and high (Brent's method).

    Raises:
        ValueError: It has the same sign at both.
    """
    return cast(float, optimize.brentq(function, low, high, xtol=PRECISION))
