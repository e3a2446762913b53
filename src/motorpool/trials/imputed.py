"""Multiple imputation of an endpoint's changes in replicate trials: who counts, and a stream for each replicate."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analyses.multiple_imputation import imputed_ancova
from motorpool.trials.design_sections import Endpoint, Imputation
from motorpool.trials.replicate import TrialData

Array = NDArray[Any]
STREAM = 6_022  # parts the streams of imputations from those of people and conduct


def imputed_change(
    data: TrialData,
    endpoint: Endpoint,
    values: Array,
    treated: Array,
    counted: Array,
    *,
    baseline: Array | None,
    stratum: Array | None,
) -> Estimate:
    """Imputed and pooled analysis of covariance; people who do not count are left out, not imputed.

    Args:
        values: changes at the visits after the baseline up to the endpoint's, (R, N, V).
        treated, counted, baseline, stratum: (R, N).
    """
    asked = endpoint.imputation or Imputation()
    parts: list[tuple[Array, Estimate]] = []
    numbers = counted.sum(axis=1)
    for number in np.unique(numbers):
        rows = np.flatnonzero(numbers == number)
        people = np.argsort(~counted[rows], axis=1, kind="stable")[:, :number]
        place = rows[:, None], people
        found = imputed_ancova(
            values[place],
            treated[place],
            baseline=None if baseline is None else baseline[place],
            stratum=None if stratum is None else stratum[place],
            assumption=asked.assumption,
            delta=asked.delta,
            imputations=asked.imputations,
            generator=[_stream(data, endpoint, int(row)) for row in rows],
        )
        parts.append((rows, found))
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))
    return Estimate(
        **{
            field.name: np.concatenate([getattr(one, field.name) for _, one in parts])[order]
            for field in dataclasses.fields(Estimate)
        }
    )


def _stream(data: TrialData, endpoint: Endpoint, row: int) -> np.random.Generator:
    """The luck of the imputations of one endpoint in one replicate, whatever is analysed beside it."""
    place = data.design.endpoints.index(endpoint)
    seeds = [data.design.seed, STREAM, data.replicates[row], place]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seeds)))
