"""Joint rank of death and function (as CAFS), and rank-sum tests, of many replicates at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from motorpool.trials.analyses.ancova import ancova
from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate, summarised
from motorpool.trials.analyses.pairwise import Endpoint, pair_scores
from motorpool.trials.analyses.patients import flags, one_stratum

Method = Literal["rank_sum", "rank_ancova"]


@dataclass(frozen=True, kw_only=True)
class JointRankEstimate(Estimate):
    """Difference of mean scores, treated minus control; a score is (pairs won minus pairs lost) / (patients - 1).

    `win_probability` is the chance that a treated patient does better than a control of the same stratum, ties counted
    half.
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
    """Compare every patient with every other of the stratum by the endpoints in order, and the arms by the scores.

    With death first and function second this is the combined assessment of function and survival (Berry et al. 2013).
    `rank_sum` takes the permutation variance within strata (Wilcoxon, van Elteren); `rank_ancova` regresses the
    scores on covariates and tests with Student's t.

    Raises:
        ValueError: An unknown method, covariates for `rank_sum`, or arrays of other shapes.
    """
    if method not in ("rank_sum", "rank_ancova"):
        message = f"method is '{method}'; known are rank_sum, rank_ancova"
        raise ValueError(message)
    if method == "rank_sum" and (baseline is not None or covariates is not None):
        message = "rank_sum takes no baseline and no covariates; use method 'rank_ancova'"
        raise ValueError(message)
    arm = flags(treated, "treated")
    kept = np.ones(arm.shape, dtype=bool) if observed is None else flags(observed, "observed")
    strata = one_stratum(stratum, arm)
    scores, probability = np.zeros(arm.shape), np.full(len(arm), np.nan)
    for part, better, _ in pair_scores(endpoints, (len(arm), arm.shape[1])):
        same = strata[part][:, :, None] == strata[part][:, None, :]
        pairs = (kept[part][:, :, None] & kept[part][:, None, :] & same).astype(float)
        wins = better * pairs
        with np.errstate(invalid="ignore", divide="ignore"):
            scores[part] = wins.sum(axis=2) / np.maximum(pairs.sum(axis=2) - 1.0, 1.0)
            across = arm[part][:, :, None] & ~arm[part][:, None, :]
            probability[part] = 0.5 + 0.5 * (wins * across).sum(axis=(1, 2)) / (pairs * across).sum(
                axis=(1, 2)
            )
    if method == "rank_ancova":
        fitted = ancova(
            scores,
            arm,
            baseline=baseline,
            covariates=covariates,
            stratum=stratum,
            observed=kept,
            confidence=confidence,
        )
        return JointRankEstimate(
            **{name: getattr(fitted, name) for name in Estimate.__dataclass_fields__},
            win_probability=probability,
        )
    total, variance, weight = (np.zeros(len(arm)) for _ in range(3))
    for number in range(int(strata.max(initial=0)) + 1):
        member = kept & (strata == number)
        people, with_treatment = member.sum(axis=1), (member & arm).sum(axis=1)
        safe = np.maximum(people, 1)
        centred = np.where(
            member, scores - np.where(member, scores, 0.0).sum(axis=1, keepdims=True) / safe[:, None], 0.0
        )
        share = with_treatment * (people - with_treatment) / safe
        total += (centred * arm).sum(axis=1)
        variance += share * (centred**2).sum(axis=1) / np.maximum(people - 1, 1)
        weight += share
    with np.errstate(invalid="ignore", divide="ignore"):
        summary = summarised(total / weight, np.sqrt(variance) / weight, np.inf, confidence)
    return JointRankEstimate(**summary, win_probability=probability)
