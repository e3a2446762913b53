"""The re-randomisation test of an endpoint: scores under the estimand, and allocations by the design's own rule.

R replicates, N people each. The estimate and its interval stay those of the analysis; the test is that of the
difference of mean scores.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analyses.patients import covariate_columns
from motorpool.trials.analyses.rerandomisation import (
    log_rank_scores,
    permuted_within,
    rerandomised_p_value,
    residual_scores,
)
from motorpool.trials.design_sections import Endpoint
from motorpool.trials.ending import retested
from motorpool.trials.estimand_values import changes, event_times, responses
from motorpool.trials.luck import blocks_within
from motorpool.trials.replicate import TrialData

Array = NDArray[Any]
REDRAWS = 500  # allocations drawn again; numerical choice, with which 25 of all 501 are just below 5 %
AT_ONCE = 1_000_000  # people of redrawn allocations that are held at once
STREAM = 6_023  # parts the streams of allocations drawn again from all others


def rerandomised(
    data: TrialData,
    endpoint: Endpoint,
    found: Estimate,
    treated: Array,
    counted: Array,
    *,
    baseline: Array | None,
    stratum: Array | None,
) -> Estimate:
    """The estimate with the test of allocations drawn again by permuted blocks within strata.

    The arms of a block are dealt out anew among the people of the two arms that are compared; those of other arms stay
    where they are, since nothing is assumed of what another arm does.

    Args:
        found: the estimate of the endpoint's analysis.
        treated, counted: (R, N); baseline, stratum: (R, N), where the analysis takes account of them.
    """
    design = data.design
    pair = treated | (data.arm == list(design.arms).index(str(design.control)))
    block = np.where(pair, blocks_within(design, data.stratum), np.iinfo(np.int32).max)
    scores, known = scores_of(data, endpoint, counted, baseline, stratum)

    def redrawn() -> Iterator[tuple[Array, Array]]:
        for luck in luck_again(data, endpoint, treated.shape[1]):
            dealt = permuted_within(treated & pair, block, luck)
            yield dealt, pair & ~dealt

    return tested(found, rerandomised_p_value(scores, treated, known, redrawn()))


def tested(found: Estimate, p_value: Array) -> Estimate:
    """The estimate with this two-sided p value, in the direction of the analysis' own statistic."""
    z = np.where(found.statistic < 0.0, -1.0, 1.0) * norm.isf(p_value / 2.0)
    return dataclasses.replace(retested(found, z), p_value_two_sided=p_value)


def scores_of(
    data: TrialData, endpoint: Endpoint, counted: Array, baseline: Array | None, stratum: Array | None
) -> tuple[Array, Array]:
    """A score of each person that does not look at the arm, and who has one; (R, N) both."""
    if endpoint.measure == "time_to_event":
        times = event_times(data, endpoint)
        return log_rank_scores(times.months, times.cause == 1, counted, stratum), counted
    if endpoint.measure == "response":
        value = responses(data, endpoint).astype(float)
    else:
        visit = data.design.visit_months.index(data.design.month_of(endpoint))
        value = changes(data, endpoint)[..., visit]
    columns = covariate_columns(counted, baseline, None, stratum)
    known = counted & np.isfinite(value) & np.isfinite(columns).all(axis=-1)
    return residual_scores(value, columns, known), known


def luck_again(data: TrialData, endpoint: Endpoint, numbers: int) -> Iterator[Array]:
    """Uniform numbers for allocations drawn again, (redraws, R, numbers), some at a time; `REDRAWS` in all.

    Each replicate has a stream of its own, so that it has the same luck in any company.
    """
    design = data.design
    place = design.endpoints.index(endpoint)
    streams = [
        np.random.Generator(np.random.PCG64(np.random.SeedSequence([design.seed, STREAM, replicate, place])))
        for replicate in data.replicates
    ]
    step = max(1, AT_ONCE // max(numbers * len(streams), 1))
    for start in range(0, REDRAWS, step):
        count = min(step, REDRAWS - start)
        yield np.stack([one.random((count, numbers), dtype=np.float32) for one in streams], axis=1)
