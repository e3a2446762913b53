"""Survival and competing risks from complete event histories.

Every virtual person is followed to the horizon, so the only censoring is at the end of follow-up. Then
the Kaplan-Meier estimate of an end point that includes death equals the plain share still free of it, and
the Aalen-Johansen estimate of an event that competes with death equals the plain share of everyone enrolled
who has had it. The shares are computed directly, which is exact and fast for every knowledge draw; the tests
compare them with lifelines.

Losing an ability is counted among the people who have it at enrolment; nobody else can lose it from then on
without gaining it first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.simulation.comparators import arm_comparators, name_comparators, paired
from motorpool.simulation.layers import Array, Columns, layer_columns, table_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

MONTHS_PER_YEAR = 12.0
EVENT_FREE_COUNTED = "everyone enrolled; death is part of the end point"
COMPETING_COUNTED = "everyone enrolled; people who died first count as not having had the event"
AT_RISK_COUNTED = "everyone enrolled who is alive and has not had the event"
LOST_MILESTONES = {"loss_of_sitting": "sit_10s", "loss_of_walking": "walk"}
LOSS_COUNTED = "people with the ability at enrolment; people who died first count as not having lost it"
LOSS_AT_RISK_COUNTED = "people with the ability at enrolment who are alive and have not lost it"


def includes_death(event: str) -> bool:
    """Whether death counts as reaching this end point."""
    return event == "death" or event.startswith("death_or_")


def event_times(dataset: xr.Dataset, event: str) -> Array:
    """Months from enrolment to the event, shape (arm, draw, patient); +inf when not within the horizon."""
    times = dataset["event_time_years"].sel(event=event).transpose("arm", "draw", "patient")
    return np.asarray(times.values, dtype=float) * MONTHS_PER_YEAR


def happened_by(dataset: xr.Dataset, event: str, months: Array) -> Array:
    """1 where the event has happened by each month, shape (arm, month, draw, patient)."""
    times = event_times(dataset, event)[:, None]
    return (times <= np.asarray(months, dtype=float)[None, :, None, None]).astype(float)


def at_risk(dataset: xr.Dataset, event: str, months: Array) -> Array:
    """1 where a person is alive and event-free just before each month, shape (arm, month, draw, patient)."""
    first = np.minimum(event_times(dataset, event), event_times(dataset, "death"))[:, None]
    return (first >= np.asarray(months, dtype=float)[None, :, None, None]).astype(float)


def counted_people(dataset: xr.Dataset, event: str) -> Array | None:
    """1 for people counted in an event, else NaN, shape (arm, 1, draw, patient); None when everyone is."""
    milestone = LOST_MILESTONES.get(event)
    if milestone is None or "milestone_status" not in dataset:
        return None
    if milestone not in dataset["milestone"].values or float(dataset["visit_month"].values[0]) > 0:
        return None
    able = dataset["milestone_status"].isel(visit_month=0).sel(milestone=milestone)
    held = np.asarray(able.transpose("arm", "draw", "patient").values, dtype=bool)
    return np.where(held, 1.0, np.nan)[:, None]


def survival_columns(dataset: xr.Dataset, event: str, months: Array) -> list[Columns]:
    """Summary columns of one event: event-free share, or share who have had it; how it differs from the
    comparator; and share at risk."""
    axes: dict[str, list[Any]] = {
        "arm": [str(arm) for arm in dataset["arm"].values],
        "visit_month": [float(month) for month in months],
    }
    worth = effective_people(dataset)
    whole = includes_death(event)
    share = happened_by(dataset, event, months)
    risk = at_risk(dataset, event, months)
    counted = EVENT_FREE_COUNTED if whole else COMPETING_COUNTED
    counted_at_risk = AT_RISK_COUNTED
    people = counted_people(dataset, event)
    if people is not None:
        share, risk = share * people, risk * people
        counted, counted_at_risk = LOSS_COUNTED, LOSS_AT_RISK_COUNTED
    fixed = {
        "kind": "event",
        "quantity": event,
        "measure": "event_free_share" if whole else "cumulative_incidence",
        "unit": "share",
        "counted": counted,
    }
    if whole:
        share = 1.0 - share
    pieces = [layer_columns(share, axes, fixed, proportion=True, effective_people=worth)]
    pieces += difference_columns(dataset, share, axes, fixed)
    fixed = {**fixed, "measure": "at_risk_share", "counted": counted_at_risk}
    return [*pieces, layer_columns(risk, axes, fixed, proportion=True, effective_people=worth)]


def difference_columns(
    dataset: xr.Dataset, share: Array, axes: dict[str, list[Any]], fixed: dict[str, Any]
) -> list[Columns]:
    """Summary columns of how a share differs from the comparator's, the same people in both arms."""
    comparators = arm_comparators(dataset)
    if not comparators:
        return []
    made = layer_columns(
        paired(share, axes["arm"], comparators),
        {**axes, "arm": list(comparators)},
        {**fixed, "measure": f"difference_{fixed['measure']}"},
        group_only=True,
        effective_people=effective_people(dataset),
    )
    return [name_comparators(made, comparators)]


def survival_table(dataset: xr.Dataset, event: str, months: Array) -> pd.DataFrame:
    """The summary table of one event at any months."""
    return table_of(survival_columns(dataset, event, months))


def effective_people(dataset: xr.Dataset) -> Array | None:
    """How many people each draw's cohort is worth after reweighting, shape (draw,), if recorded."""
    if "effective_sample_size" not in dataset:
        return None
    return np.asarray(dataset["effective_sample_size"].values, dtype=float)
