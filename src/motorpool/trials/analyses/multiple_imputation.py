"""Multiple imputation of missing visits of many replicates at once, also by reference, with Rubin's rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate

Assumption = Literal[
    "missing_at_random", "jump_to_reference", "copy_increments_in_reference", "copy_reference"
]


@dataclass(frozen=True, kw_only=True)
class ImputedEstimate(Estimate):
    """Estimate pooled over imputations; `missing_information` is the fraction of information missing."""

    missing_information: Array


def impute(
    value: ArrayLike,
    treated: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    assumption: Assumption = "missing_at_random",
    delta: float = 0.0,
    imputations: int = 20,
    generator: np.random.Generator,
) -> Array:
    """Complete data sets, (imputations, replicates, patients, visits), with draws of the imputation model.

    Args:
        value: Change from baseline, (replicates, patients, visits); NaN where missing.
        treated: Whether treated, (replicates, patients).
        baseline: Value before treatment, (replicates, patients).
        covariates: Further columns, (replicates, patients, columns).
        assumption: How values after withdrawal of the treated are distributed.
        delta: Added to every imputed value of the treated (missing not at random), in units of the score.
        imputations: Number of complete data sets.
        generator: Source of random numbers.
    """
    raise NotImplementedError


def pool(
    estimates: ArrayLike,
    standard_errors: ArrayLike,
    complete_degrees_of_freedom: ArrayLike,
    confidence: float = CONFIDENCE,
) -> ImputedEstimate:
    """Rubin's rules with the degrees of freedom of Barnard and Rubin (1999); arrays (imputations, replicates)."""
    raise NotImplementedError


def imputed_ancova(
    value: ArrayLike,
    treated: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    visit: int = -1,
    assumption: Assumption = "missing_at_random",
    delta: float = 0.0,
    imputations: int = 20,
    generator: np.random.Generator,
    confidence: float = CONFIDENCE,
) -> ImputedEstimate:
    """Impute, analyse each complete data set by ANCOVA at one visit, and pool."""
    raise NotImplementedError
