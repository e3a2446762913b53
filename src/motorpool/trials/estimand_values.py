"""An endpoint's values under the stated estimand: what each intercurrent event does to the data that are analysed.

composite: the worst outcome from the event on, no response, or the endpoint's event itself. treatment_policy: what is
measured counts. while_before: the last value before the event stands, and follow-up of times ends there. hypothetical:
what comes after the event is set missing. Missed visits stay missing.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.outcomes.milestones import MILESTONES
from motorpool.simulation.labels import outcome_view
from motorpool.simulation.readout import EVENTS
from motorpool.trials.design_sections import Endpoint
from motorpool.trials.pool import VENTILATION
from motorpool.trials.replicate import TrialData

Array = NDArray[Any]
COMPETING = ("competing_risks", "gray")
"""Analyses in which death is a rival of the event."""


@dataclasses.dataclass(frozen=True)
class EventTimes:
    """Months to the event or to the end of what is known; cause 0 censored, 1 the event, 2 death first; (R, N)."""

    months: Array
    cause: Array


@dataclasses.dataclass(frozen=True)
class _Happened:
    """Months of the intercurrent events, (R, N), by strategy."""

    composite: Array
    frozen: Array
    hypothetical: Array


def changes(data: TrialData, endpoint: Endpoint, *, complete: bool = False) -> Array:
    """Change from baseline at every visit, (R, N, V), NaN where missing.

    Args:
        complete: as if no visit had been missed and nobody had left; intercurrent events still happen.
    """
    design = data.design
    outcome = str(endpoint.outcome)
    row = design.outcomes.index(outcome)
    months = np.asarray(design.visit_months)[:, None, None]
    values = data.scores[row] - data.baseline[row]
    happened = _events(data, complete=complete)
    seen = np.isfinite(values) & (np.ones(values.shape, bool) if complete else data.seen)
    values = np.where(seen & (months < happened.hypothetical), values, np.nan)
    values = _carried(values, months > happened.frozen)
    worst = outcome_view(outcome).worst
    if worst is not None:
        values = np.where(months >= happened.composite, worst - data.baseline[row], values)
    return np.moveaxis(values, 0, -1)


def responses(data: TrialData, endpoint: Endpoint, *, complete: bool = False) -> Array:
    """Whether each person responds at the endpoint's visit, (R, N); a visit that is missing counts as no response."""
    visit = data.design.visit_months.index(data.design.month_of(endpoint))
    month = data.design.visit_months[visit]
    happened = _events(data, complete=complete)
    failed = month >= happened.composite
    if endpoint.milestone is not None:
        held = data.milestones[MILESTONES.index(endpoint.milestone), : visit + 1].astype(float)
        months = np.asarray(data.design.visit_months)[: visit + 1, None, None]
        known = np.ones(held.shape, bool) if complete else data.seen[: visit + 1]
        held = np.where(known & (months < happened.hypothetical), held, np.nan)
        return (_carried(held, months > happened.frozen)[visit] == 1.0) & ~failed
    sign = outcome_view(str(endpoint.outcome)).direction or 1
    change = changes(data, endpoint, complete=complete)[..., visit] * sign
    least = float(endpoint.change_at_least or 0.0)
    return (np.nan_to_num(change, nan=-np.inf) >= least) & ~failed


def event_times(data: TrialData, endpoint: Endpoint, *, complete: bool = False) -> EventTimes:
    """When the event of a time-to-event endpoint comes, within its follow-up.

    A competing event is one by the analysis, whatever the strategy for death: there it is never the event.
    """
    end = data.design.month_of(endpoint)
    event = data.event_months[EVENTS.index(str(endpoint.event))]
    death = data.event_months[EVENTS.index("death")]
    happened = _events(data, complete=complete)
    if endpoint.method in COMPETING:
        happened = _events(data, complete=complete, without=("death",))
    event = np.minimum(event, happened.composite)
    limit = np.minimum(np.minimum(end, happened.hypothetical), happened.frozen)
    if not complete:
        limit = np.minimum(limit, data.left_months)
    months = np.minimum(np.minimum(event, death), limit)
    cause = np.where(event <= months, 1, np.where(death <= months, 2, 0))
    return EventTimes(months, cause)


def _events(data: TrialData, *, complete: bool, without: tuple[str, ...] = ()) -> _Happened:
    """When each strategy begins to act; what happens after leaving the study is not known.

    Args:
        without: intercurrent events that the endpoint deals with itself.
    """
    strategies = data.design.estimand.intercurrent_events
    never = np.full(data.arm.shape, np.inf)
    left = never if complete else data.left_months
    death = data.event_months[EVENTS.index("death")]
    death = np.where(death <= left, death, np.inf)
    ventilation = data.event_months[EVENTS.index(VENTILATION)]
    ventilation = np.where(ventilation <= left, ventilation, np.inf)
    change = np.where(data.change_months <= left, data.change_months, np.inf)
    changed = "rescue" if data.design.conduct.rescue is not None else "discontinuation"
    by_strategy: dict[str, Array] = {"composite": never, "while_before": never, "hypothetical": never}
    for key, months in (
        ("death", death),
        ("permanent_ventilation", ventilation),
        (changed, change),
    ):
        strategy = getattr(strategies, key)
        if strategy in by_strategy and key not in without:
            by_strategy[strategy] = np.minimum(by_strategy[strategy], months)
    return _Happened(by_strategy["composite"], by_strategy["while_before"], by_strategy["hypothetical"])


def _carried(values: Array, after: Array) -> Array:
    """Values (V, R, N) in which those after an event are the last one before it; the baseline's change is 0."""
    if not after.any():
        return values
    last = np.zeros(values.shape[1:])
    found = values.copy()
    for visit in range(values.shape[0]):
        found[visit] = np.where(after[visit], last, values[visit])
        last = np.where(~after[visit] & np.isfinite(values[visit]), values[visit], last)
    return found
