"""The end of replicate trials: who counts then, why each ended, and which estimate it reports.

R replicates, N people each in order of entry.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.replicate import TrialData

Array = NDArray[Any]
EFFICACY, FUTILITY, HARM = 1, 2, 3
"""Why a trial stopped; 0 where it did not."""


@dataclasses.dataclass(frozen=True)
class Adjusted:
    """An estimate and its 95 % interval that take account of the rules, (R,) each; NaN where there is none."""

    estimate: Array
    low: Array
    high: Array


@dataclasses.dataclass(frozen=True)
class Ended:
    """The end of each replicate.

    numbers (R,): people who count, the first to enter. size (R,): people who would have been enrolled without a stop.
    look, stopped (R,): the look at which it ended and why. first: by test arm, the first endpoint's estimate, which
    takes no account of the rules, and whether it is significant. facts: further results, (R,) each. adjusted: by test
    arm, beside the first endpoint's estimate; empty where the rules leave the estimate alone. cut_months (R,): when the
    data were cut, where the design cuts them; people then count as far as they were followed.
    """

    numbers: Array
    size: Array
    look: Array
    stopped: Array
    first: dict[str, tuple[Estimate, Array]]
    facts: dict[str, Array]
    adjusted: dict[str, Adjusted] = dataclasses.field(default_factory=dict)
    cut_months: Array | None = None

    def among(self, data: TrialData) -> Array | None:
        """Who counts, (R, N); None where everybody does."""
        whole = (self.numbers >= data.design.most_patients).all()
        return None if whole else first_people(data, self.numbers)


def chosen(estimates: list[Estimate], look: Array) -> Estimate:
    """Of each replicate the estimate of its look."""
    fields = [field.name for field in dataclasses.fields(Estimate)]
    rows = np.arange(look.size)
    return Estimate(
        **{name: np.stack([getattr(each, name) for each in estimates])[look, rows] for name in fields}
    )


def put(estimate: Estimate, rows: Array, other: Estimate) -> Estimate:
    """The estimate in which some replicates have another one."""
    found: dict[str, Array] = {}
    for field in dataclasses.fields(Estimate):
        values = np.array(getattr(estimate, field.name))
        values[rows] = getattr(other, field.name)
        found[field.name] = values
    return Estimate(**found)


def replicates_of(data: TrialData, rows: Array) -> TrialData:
    """Some of the replicates, by their places."""
    some: dict[str, Any] = {
        field.name: np.take(value, rows, axis=-2)
        for field in dataclasses.fields(TrialData)
        if isinstance(value := getattr(data, field.name), np.ndarray)
    }
    numbers = tuple(data.replicates[int(row)] for row in rows)
    return dataclasses.replace(data, **some, replicates=numbers, at_look=None)


def retested(estimate: Estimate, z: Array) -> Estimate:
    """The estimate with another test; NaN where there is none."""
    plain = {field.name: getattr(estimate, field.name) for field in dataclasses.fields(Estimate)}
    return Estimate(
        **{
            **plain,
            "statistic": z,
            "degrees_of_freedom": np.full(z.shape, np.inf),
            "p_value_two_sided": np.asarray(2.0 * norm.sf(np.abs(z))),
        }
    )


def first_people(data: TrialData, number: int | Array) -> Array:
    """The first people to enter, (R, N), and all from outside the trial."""
    numbers = np.broadcast_to(np.asarray(number), (len(data.replicates),))
    place = np.arange(data.arm.shape[1])
    return (place < numbers[:, None]) | (place >= data.design.most_patients)
