"""Endpoints in order of importance, and how pairs of patients compare by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motorpool.trials.analyses.patients import flags

Signs = NDArray[np.int8]  # 1 better, -1 worse, 0 undecided
COMPARISONS_AT_ONCE = 2_000_000


@dataclass(frozen=True, kw_only=True)
class EventEndpoint:
    """A time to event, (replicates, patients): who has it first, within the time both were followed, loses."""

    time_years: ArrayLike
    event: ArrayLike
    event_is_bad: bool = True


@dataclass(frozen=True, kw_only=True)
class ScoreEndpoint:
    """A score, (replicates, patients), NaN where unknown: a difference of more than `margin` decides."""

    value: ArrayLike
    higher_is_better: bool = True
    margin: float = 0.0


Endpoint = EventEndpoint | ScoreEndpoint


def compared(endpoint: Endpoint, part: slice) -> Signs:
    """1 where the first of a pair does better by this endpoint, -1 where worse, 0 undecided.

    Shape (replicates of the part, patients, patients); entry [r, i, j] compares i with j.
    """
    if isinstance(endpoint, ScoreEndpoint):
        value = np.asarray(endpoint.value, dtype=float)[part]
        difference = value[:, :, None] - value[:, None, :]
        better = (difference > endpoint.margin).astype(np.int8) - (difference < -endpoint.margin).astype(
            np.int8
        )
        return better if endpoint.higher_is_better else -better
    time = np.asarray(endpoint.time_years, dtype=float)[part]
    event = flags(endpoint.event, "event")[part]
    first, second = time[:, :, None], time[:, None, :]
    # Someone censored when another has the event was still without it.
    later = (second < first) | ((second == first) & ~event[:, :, None])
    won = (event[:, None, :] & later).astype(np.int8)
    better = np.asarray(won - np.swapaxes(won, 1, 2), dtype=np.int8)
    return better if endpoint.event_is_bad else -better


def pair_scores(
    endpoints: Sequence[Endpoint], shape: tuple[int, int]
) -> Iterator[tuple[slice, Signs, Signs]]:
    """Compare all pairs, some replicates at a time.

    Yields:
        The replicates, who does better (replicates, patients, patients) by the first endpoint that decides, and
        the number of that endpoint (-1: none does).

    Raises:
        ValueError: No endpoint, or one of another shape than (replicates, patients).
    """
    if not endpoints:
        message = "endpoints is empty; give at least one, the most important first"
        raise ValueError(message)
    for place, endpoint in enumerate(endpoints):
        given = endpoint.value if isinstance(endpoint, ScoreEndpoint) else endpoint.time_years
        if np.shape(given) != shape:
            message = f"endpoint {place + 1} has shape {np.shape(given)}; patients have {shape}"
            raise ValueError(message)
    replicates, patients = shape
    step = max(1, COMPARISONS_AT_ONCE // max(patients**2, 1))
    for start in range(0, replicates, step):
        part = slice(start, min(start + step, replicates))
        better = compared(endpoints[0], part)
        decided = np.where(better != 0, 0, -1).astype(np.int8)
        for place, endpoint in enumerate(endpoints[1:], start=1):
            following = compared(endpoint, part)
            taken = (better == 0) & (following != 0)
            better = np.where(taken, following, better).astype(np.int8)
            decided = np.where(taken, np.int8(place), decided)
        yield part, better, decided
