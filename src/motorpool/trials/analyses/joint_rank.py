"""Joint rank of death and function (as CAFS), and rank-sum tests, of many replicates at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate
from motorpool.trials.analyses.pairwise import Endpoint

Method = Literal["rank_sum", "rank_ancova"]


@dataclass(frozen=True, kw_only=True)
class JointRankEstimate(Estimate):
    """Difference of mean scores, treated minus control; a score is (pairs won minus pairs lost) / (patients - 1).

    `win_probability` is the chance that a treated patient does better than a control, ties counted half.
    """

    win_probability: Array


def joint_rank(
    endpoints: Sequence[Endpoint],
    treated: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    observed: ArrayLike | None = None,
    method: Method = "rank_sum",
    confidence: float = CONFIDENCE,
) -> JointRankEstimate:
    """Compare every patient with every other by the endpoints in order, and the arms by the scores.

    `rank_sum` takes the permutation variance (within strata), `rank_ancova` regresses the scores on covariates.
    """
    raise NotImplementedError
