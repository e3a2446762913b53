"""Times of many replicates in order, with their ties: what every survival estimator starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motorpool.trials.analyses.estimate import Array, Flags, Numbers
from motorpool.trials.analyses.patients import flags


@dataclass(frozen=True)
class Ordered:
    """Patients by time, earliest first; those not counted come last with weight 0 and an infinite time.

    Attributes:
        order: Original place of each, (replicates, patients).
        time: Sorted times.
        weight: 1 for those counted.
        starts: Whether a time differs from the one before it.
        first: Place of the first with the same time.
        last: Place of the last with the same time.
    """

    order: Numbers
    time: Array
    weight: Array
    starts: Flags
    first: Numbers
    last: Numbers

    def sort(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (replicates, patients, ...) in this order."""
        index = self.order.reshape(*self.order.shape, *([1] * (values.ndim - 2)))
        return np.take_along_axis(values, index, axis=1)

    def at_risk(self, values: Array) -> Array:
        """Sum of values over those whose time is the same or later; values (replicates, patients, ...) sorted."""
        tail = np.cumsum(values[:, ::-1], axis=1)[:, ::-1]
        return self._take(tail, self.first)

    def within_ties(self, values: Array) -> Array:
        """Sum of sorted values over those with the same time."""
        running = np.cumsum(values, axis=1)
        before = running - values
        return self._take(running, self.last) - self._take(before, self.first)

    def place_by(self, at: Array) -> Numbers:
        """How many have a time up to each asked one, (replicates, times)."""
        found = [np.searchsorted(row, at, side="right") for row in self.time]
        return np.asarray(found, dtype=np.int64).reshape(len(self.time), len(at))

    @staticmethod
    def _take(values: Array, place: Numbers) -> Array:
        index = place.reshape(*place.shape, *([1] * (values.ndim - 2)))
        return np.take_along_axis(values, index, axis=1)


def ordered(time_years: ArrayLike, counted: Flags) -> Ordered:
    """Sort patients by time.

    Raises:
        ValueError: Times of another shape, or a negative one.
    """
    time = np.asarray(time_years, dtype=float)
    if time.shape != counted.shape:
        message = f"time_years has shape {time.shape}; patients have {counted.shape}"
        raise ValueError(message)
    if (time[counted] < 0.0).any():
        message = f"time_years holds {time[counted].min()}; times cannot be negative"
        raise ValueError(message)
    held = np.where(counted, time, np.inf)
    order = np.argsort(held, axis=1, kind="stable")
    sorted_time = np.take_along_axis(held, order, axis=1)
    edge = np.ones_like(sorted_time[:, :1], dtype=bool)
    starts = np.concatenate([edge, sorted_time[:, 1:] != sorted_time[:, :-1]], axis=1)
    ends = np.concatenate([starts[:, 1:], edge], axis=1)
    places = np.arange(time.shape[1])
    first = np.maximum.accumulate(np.where(starts, places, 0), axis=1)
    last = np.minimum.accumulate(np.where(ends, places, time.shape[1])[:, ::-1], axis=1)[:, ::-1]
    weight = np.isfinite(sorted_time).astype(float)
    return Ordered(order, sorted_time, weight, starts, first, last)


def survival_inputs(
    time_years: ArrayLike, event: ArrayLike, observed: ArrayLike | None
) -> tuple[Array, Flags, Flags]:
    """Times, events and who counts, (replicates, patients)."""
    time = np.asarray(time_years, dtype=float)
    happened = flags(event, "event")
    counted = np.isfinite(time)
    if observed is not None:
        counted = counted & flags(observed, "observed")
    return time, happened & counted, counted


def survival_factors(here: Ordered, happened: Array) -> tuple[Array, Array, Array]:
    """At the first of each tie: people at risk, events, and the Kaplan-Meier factor; elsewhere 0 events, factor 1."""
    at_risk = here.at_risk(here.weight)
    events = np.where(here.starts, here.within_ties(happened), 0.0)
    factor = 1.0 - np.divide(events, at_risk, out=np.zeros_like(events), where=at_risk > 0.0)
    return at_risk, events, factor
