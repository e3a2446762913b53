"""What every analysis returns: one estimate per replicate with its error, test and interval.

Arrays have replicates as leading axis. A replicate in which the analysis has no answer (one arm empty, no event,
no convergence) carries NaN throughout; it counts as not significant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.integer[Any]]
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """An effect of treated against control, one per replicate; every field has shape (replicates,).

    `statistic` is t where `degrees_of_freedom` is finite and z where it is infinite; positive where the treated
    have more of what is measured. Analyses return subclasses with fields of their own.
    """

    estimate: Array
    standard_error: Array
    statistic: Array
    degrees_of_freedom: Array
    p_value_two_sided: Array
    low: Array
    high: Array

    @property
    def normal_statistic(self) -> Array:
        """The statistic on the scale of z: the normal deviate with the same one-sided p value."""
        return normal_deviate(self.statistic, self.degrees_of_freedom)

    def p_value_one_sided(self, *, higher_is_better: bool = True) -> Array:
        """p value of the one-sided test that the treated do better."""
        z = self.normal_statistic
        return np.asarray(stats.norm.sf(z if higher_is_better else -z))

    def covers(self, truth: float | Array) -> Flags:
        """Whether the interval holds the truth; False where there is no interval."""
        return np.asarray((self.low <= truth) & (truth <= self.high))


def normal_deviate(statistic: Array, degrees_of_freedom: Array) -> Array:
    """Normal deviate with the same tail as Student's t with these degrees of freedom (exact far in the tails)."""
    finite = np.isfinite(degrees_of_freedom)
    degrees = np.where(finite, degrees_of_freedom, 1.0)
    tail = stats.t.logsf(np.abs(statistic), degrees)
    small = tail < -700.0  # the tail itself is too small a number: the t statistic is used as it is
    deviate = stats.norm.isf(np.exp(np.where(small, -700.0, tail)))
    return np.where(finite, np.sign(statistic) * deviate, statistic)


def summarised(
    estimate: Array, standard_error: Array, degrees_of_freedom: Array | float, confidence: float = CONFIDENCE
) -> dict[str, Array]:
    """The seven fields of `Estimate` from an estimate, its standard error and degrees of freedom (inf: normal).

    Raises:
        ValueError: The confidence is not between 0 and 1.
    """
    check_confidence(confidence)
    degrees = np.broadcast_to(np.asarray(degrees_of_freedom, dtype=float), estimate.shape)
    usable = np.isfinite(estimate) & (standard_error > 0.0) & (degrees > 0.0)
    estimate, standard_error, degrees = (
        np.where(usable, values, np.nan) for values in (estimate, standard_error, degrees)
    )
    statistic = estimate / standard_error
    margin = stats.t.ppf(0.5 + confidence / 2.0, degrees) * standard_error
    return {
        "estimate": estimate,
        "standard_error": standard_error,
        "statistic": statistic,
        "degrees_of_freedom": degrees,
        "p_value_two_sided": np.asarray(2.0 * stats.t.sf(np.abs(statistic), degrees)),
        "low": np.asarray(estimate - margin),
        "high": np.asarray(estimate + margin),
    }


def check_confidence(confidence: float) -> None:
    """Refuse a confidence level that is no share between 0 and 1."""
    if not 0.0 < confidence < 1.0:
        message = f"confidence is {confidence}; it must lie between 0 and 1, for example 0.95"
        raise ValueError(message)
