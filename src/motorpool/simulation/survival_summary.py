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

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motorpool.simulation.comparators import paired
from motorpool.simulation.layers import Array, Measure, exact_table
from motorpool.simulation.plain import PlainResults, plain
from motorpool.simulation.units import MONTHS_PER_YEAR

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

EVENT_FREE_COUNTED = "everyone enrolled; death is part of the end point"
COMPETING_COUNTED = "everyone enrolled; people who died first count as not having had the event"
AT_RISK_COUNTED = "everyone enrolled who is alive and has not had the event"
LOST_MILESTONES = {"loss_of_sitting": "sit_10s", "loss_of_walking": "walk"}
LOSS_COUNTED = "people with the ability at enrolment; people who died first count as not having lost it"
ORDER = ("arm", "visit_month", "draw", "patient")
LOSS_AT_RISK_COUNTED = "people with the ability at enrolment who are alive and have not lost it"


def includes_death(event: str) -> bool:
    """Whether death counts as reaching this end point."""
    return event == "death" or event.startswith("death_or_")


def event_times(dataset: xr.Dataset | PlainResults, event: str) -> Array:
    """Months from enrolment to the event, shape (arm, draw, patient); +inf when not within the horizon.

    Raises:
        KeyError: there is no such event.
    """
    years = plain(dataset).of_one("event_time_years", "event", event, *ORDER)
    return np.asarray(years, dtype=float) * MONTHS_PER_YEAR


def happened_by(results: PlainResults, event: str, months: Array) -> NDArray[np.int8]:
    """1 where the event has happened by each month, shape (arm, month, draw, patient)."""
    times = event_times(results, event)[:, None]
    return (times <= np.asarray(months, dtype=float)[None, :, None, None]).view(np.int8)


def at_risk(results: PlainResults, event: str, months: Array) -> NDArray[np.int8]:
    """1 where a person is alive and event-free just before each month, shape (arm, month, draw, patient)."""
    first = np.minimum(event_times(results, event), event_times(results, "death"))[:, None]
    return (first >= np.asarray(months, dtype=float)[None, :, None, None]).view(np.int8)


def counted_people(results: PlainResults, event: str) -> Array | None:
    """1 for people counted in an event, else NaN, shape (arm, 1, draw, patient); None when everyone is."""
    milestone = LOST_MILESTONES.get(event)
    if milestone is None or "milestone_status" not in results:
        return None
    if milestone not in results.names("milestone") or results.months[0] > 0:
        return None
    held = results.of_one("milestone_status", "milestone", milestone, *ORDER)[:, :1]
    return np.where(np.asarray(held, dtype=bool), 1.0, np.nan)


def survival_measures(results: PlainResults, event: str, months: Array) -> Iterator[Measure]:
    """Measures of one event: event-free share, or share who have had it; how it differs from the comparator; and
    share at risk."""
    axes: dict[str, Sequence[Any]] = {
        "arm": results.names("arm"),
        "visit_month": [float(month) for month in months],
    }
    whole = includes_death(event)
    share: NDArray[Any] = happened_by(results, event, months)
    risk: NDArray[Any] = at_risk(results, event, months)
    counted = EVENT_FREE_COUNTED if whole else COMPETING_COUNTED
    counted_at_risk = AT_RISK_COUNTED
    people = counted_people(results, event)
    if people is not None:
        share, risk = share * people, risk * people
        counted, counted_at_risk = LOSS_COUNTED, LOSS_AT_RISK_COUNTED
    common = {"kind": "event", "quantity": event, "unit": "share"}
    name = "event_free_share" if whole else "cumulative_incidence"
    fixed = {**common, "measure": name, "counted": counted}
    measure = Measure(fixed, axes, 1 - share if whole else share, "share")
    yield measure
    yield from difference_measures(results, measure)
    yield Measure({**common, "measure": "at_risk_share", "counted": counted_at_risk}, axes, risk, "share")


def difference_measures(results: PlainResults, share: Measure) -> Iterator[Measure]:
    """How a share differs from the comparator's, the same people in both arms; nothing without a comparator."""
    comparators = results.comparators
    if comparators:
        fixed = {**share.fixed, "measure": f"difference_{share.fixed['measure']}"}
        axes = {**share.axes, "arm": list(comparators)}
        values = paired(share.values, list(share.axes["arm"]), comparators)
        yield Measure(fixed, axes, values, "group", comparators=comparators)


def survival_table(dataset: xr.Dataset, event: str, months: Array) -> pd.DataFrame:
    """The summary table of one event at any months."""
    results = plain(dataset)
    return exact_table(results, survival_measures(results, event, months))
