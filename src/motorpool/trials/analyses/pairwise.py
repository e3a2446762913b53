"""Endpoints in order of importance, and how pairs of patients compare by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import Array


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


def pair_scores(endpoints: Sequence[Endpoint], first: slice) -> Array:
    """1 where a patient of `first` does better than another, -1 where worse, 0 where undecided.

    Shape (replicates, patients of first, patients). The first endpoint that decides counts.
    """
    raise NotImplementedError
