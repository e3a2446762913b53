"""Mixed model for repeated measures (MMRM) of many replicates at once, by restricted maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate, Flags

Covariance = Literal[
    "unstructured",
    "compound_symmetry",
    "heterogeneous_compound_symmetry",
    "autoregressive",
    "heterogeneous_autoregressive",
    "toeplitz",
]
DegreesOfFreedom = Literal["kenward_roger", "satterthwaite", "between_within", "normal"]


@dataclass(frozen=True, kw_only=True)
class MmrmEstimate(Estimate):
    """Difference treated minus control at one visit.

    `by_visit` and `standard_error_by_visit` (replicates, visits) are the differences at all visits with
    unadjusted errors; `covariance` (replicates, visits, visits) that of one patient's values;
    `log_likelihood` the restricted one; `converged` whether the fit settled; `patients` with any value.
    """

    by_visit: Array
    standard_error_by_visit: Array
    covariance: Array
    log_likelihood: Array
    converged: Flags
    patients: Array


def mmrm(
    value: ArrayLike,
    treated: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    visit: int = -1,
    covariance: Covariance = "unstructured",
    baseline_by_visit: bool = True,
    degrees_of_freedom: DegreesOfFreedom = "kenward_roger",
    confidence: float = CONFIDENCE,
) -> MmrmEstimate:
    """Fit arm by visit with baseline, covariates and strata, and compare the arms at one visit.

    Args:
        value: Change from baseline, (replicates, patients, visits); NaN where missing.
        treated: Whether treated, (replicates, patients).
        baseline: Value before treatment, (replicates, patients).
        covariates: Further columns, (replicates, patients, columns), with one coefficient each.
        stratum: Stratum of randomisation, (replicates, patients).
        visit: Index of the visit compared; -1 is the last.
        covariance: Structure of the covariance of one patient's values.
        baseline_by_visit: Whether baseline has a coefficient at each visit or one for all.
        degrees_of_freedom: Small-sample method.
        confidence: Level of the interval.

    Returns:
        One estimate per replicate; NaN where the model has no unique fit or does not converge.

    Raises:
        ValueError: Arrays of other shapes, or an unknown covariance, method or visit.
    """
    raise NotImplementedError
