"""Survival and competing risks from complete event histories.

Every virtual person is followed to the horizon, so the only censoring is at the end of follow-up. Then
the Kaplan-Meier estimate of an end point that includes death equals the plain share still free of it, and
the Aalen-Johansen estimate of an event that competes with death equals the plain share of everyone enrolled
who has had it. The shares are computed directly, which is exact and fast for every knowledge draw; the tests
compare them with lifelines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from motorpool.simulation.layers import Array, layer_frame

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

MONTHS_PER_YEAR = 12.0
EVENT_FREE_COUNTED = "everyone enrolled; death is part of the end point"
COMPETING_COUNTED = "everyone enrolled; people who died first count as not having had the event"
AT_RISK_COUNTED = "everyone enrolled who is alive and has not had the event"


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


def survival_frame(dataset: xr.Dataset, event: str, months: Array) -> pd.DataFrame:
    """Tidy rows of one event: event-free share, or share who have had it, and share at risk."""
    import pandas as pd

    axes = {"arm": [str(arm) for arm in dataset["arm"].values], "visit_month": [float(m) for m in months]}
    worth = effective_people(dataset)
    share = happened_by(dataset, event, months)
    whole = includes_death(event)
    fixed = {
        "kind": "event",
        "quantity": event,
        "measure": "event_free_share" if whole else "cumulative_incidence",
        "unit": "share",
        "counted": EVENT_FREE_COUNTED if whole else COMPETING_COUNTED,
    }
    shares = layer_frame(
        1.0 - share if whole else share, axes, fixed, proportion=True, effective_people=worth
    )
    fixed = {**fixed, "measure": "at_risk_share", "counted": AT_RISK_COUNTED}
    risk = layer_frame(at_risk(dataset, event, months), axes, fixed, proportion=True, effective_people=worth)
    return pd.concat([shares, risk], ignore_index=True)


def effective_people(dataset: xr.Dataset) -> Array | None:
    """How many people each draw's cohort is worth after reweighting, shape (draw,), if recorded."""
    if "effective_sample_size" not in dataset:
        return None
    return np.asarray(dataset["effective_sample_size"].values, dtype=float)
