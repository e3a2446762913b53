"""Small hand-made arms and endpoints, whose figures can be worked out on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.evidence.published import PublishedEndpoint
from motorpool.outcomes.milestones import MILESTONES
from motorpool.outcomes.panel import MILESTONE_INDEX, OUTCOME_INDEX, OUTCOMES
from motorpool.simulation.readout import EVENTS
from motorpool.studies.simulate import ArmPeople

VISITS = (0.0, 6.0, 12.0)
HORIZON = 24.0
GONE = np.nan


def endpoint(outcome: str, metric: str, value: float = 0.5, **fields: Any) -> PublishedEndpoint:
    """An endpoint of the arm ``treated``; differences and ratios are against the arm ``control``."""
    if metric in ("difference", "hazard_ratio"):
        fields.setdefault("comparator_arm", "control")
    timeless = ("median_time_months", "median_age_months", "hazard_ratio", "change_per_year")
    clocks = ("time_months", "age_months", "age_band_months")
    if metric not in timeless and not any(name in fields for name in clocks):
        fields["time_months"] = 12.0
    whole = {
        "id": "made",
        "arm": "treated",
        "definition": "hand-made",
        "checked": True,
        "evidence_id": "none",
    }
    return PublishedEndpoint.model_validate(
        {**whole, "outcome": outcome, "metric": metric, "value": value, **fields}
    )


def arm(
    people: int,
    *,
    weights: Sequence[float] | None = None,
    enrolled_at: Sequence[float] | float = 3.0,
    onset: Sequence[float] | float = 2.0,
    sma_type: Sequence[int] | int = 1,
    scores: Mapping[str, Any] | None = None,
    alive: Any = None,
    held: Mapping[str, Any] | None = None,
    gained: Mapping[str, Sequence[float]] | None = None,
    events: Mapping[str, Sequence[float]] | None = None,
    visits: Sequence[float] = VISITS,
    horizon: float = HORIZON,
) -> ArmPeople:
    """An arm in which nothing happens but what is said.

    ``scores`` by outcome and ``held`` by milestone, each (V, P); ``gained`` by milestone (P,) in months of age;
    ``events`` by name (P,) in months since enrolment; ``alive`` (V, P).
    """

    def each(value: Any) -> NDArray[Any]:
        return np.array(np.broadcast_to(value, (people,)))

    shape = (len(visits), people)
    living = np.ones(shape, bool) if alive is None else np.array(alive, bool)
    observed = np.zeros((len(visits), len(OUTCOMES), people))
    for name, values in (scores or {}).items():
        observed[:, OUTCOME_INDEX[name]] = values
    status = np.zeros((len(visits), len(MILESTONES), people), bool)
    for name, values in (held or {}).items():
        status[:, MILESTONE_INDEX[name]] = values
    gains = np.full((len(MILESTONES), people), np.nan)
    for name, ages in (gained or {}).items():
        gains[MILESTONE_INDEX[name]] = ages
    months = np.full((len(EVENTS), people), np.inf)
    for name, times in (events or {}).items():
        months[EVENTS.index(name)] = times
    shares = np.full(people, 1.0 / people) if weights is None else np.array(weights) / np.sum(weights)
    return ArmPeople(
        weights=shares,
        enrolment_months=each(enrolled_at).astype(float),
        onset_months=each(onset).astype(float),
        sma_type=each(sma_type),
        visit_months=np.array(visits),
        horizon_months=horizon,
        observed=np.where(living[:, None], observed, np.nan),
        alive=living,
        milestone_status=status & living[:, None],
        milestone_gained_months=gains,
        event_months=months,
    )
