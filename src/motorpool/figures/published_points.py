"""Published results drawn over simulated curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class PublishedPoint:
    """One published number that can be drawn.

    Attributes:
        study: name of the study as people know it.
        quantity: outcome, event or milestone id.
        measure: `score`, `change`, `event_free_share` or `able_share`.
        axis: whether `month` counts from enrolment or from birth.
        month: when.
        value: the published value (shares between 0 and 1).
        low, high: ends of its 95 % interval, or None.
        arm: arm of the scenario it belongs to, or empty when it matches none.
        group: who was studied, in words.
        source: short citation.
    """

    study: str
    quantity: str
    measure: str
    axis: Literal["enrolment", "age"]
    month: float
    value: float
    low: float | None
    high: float | None
    arm: str
    group: str
    source: str


def published_points(scenario: Mapping[str, Any]) -> list[PublishedPoint]:
    """The published points a scenario asks for; none when it names no study."""
    return []
