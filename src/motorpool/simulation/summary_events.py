"""Summaries of what happens to people: events, milestones, adverse events and procedures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from motorpool.simulation.layers import Array, Measure
from motorpool.simulation.survival_summary import difference_measures, event_times, of_one, survival_measures

if TYPE_CHECKING:
    import xarray as xr

EVERYONE = "everyone enrolled; people who died count as not able"
EVER = "everyone enrolled, over the whole of life so far including before enrolment"
YEARS_ALIVE = "everyone enrolled; total number divided by the years lived during follow-up"
AFFECTED = "everyone enrolled, over the whole of follow-up"


def event_measures(dataset: xr.Dataset, only: str | None = None) -> Iterator[Measure]:
    """Event-free shares or cumulative incidence at every visit, with numbers at risk; of one event where named."""
    if "event_time_years" not in dataset:
        return
    months = np.asarray(dataset["visit_month"].values, dtype=float)
    for event in dataset["event"].values:
        if only is not None and str(event) != only:
            continue
        yield from survival_measures(dataset, str(event), months)


def milestone_measures(dataset: xr.Dataset, only: str | None = None) -> Iterator[Measure]:
    """Share able at each visit, and share who ever reached the milestone; of one milestone where named."""
    if "milestone_status" not in dataset:
        return
    arms = [str(arm) for arm in dataset["arm"].values]
    months = [float(month) for month in dataset["visit_month"].values]
    for milestone in dataset["milestone"].values:
        if only is not None and str(milestone) != only:
            continue
        common = {"kind": "milestone", "quantity": str(milestone), "unit": "share"}
        able = of_one(dataset, "milestone_status", "milestone", str(milestone))
        share = np.ascontiguousarray(able, dtype=np.int8)
        fixed = {**common, "measure": "able_share", "counted": EVERYONE}
        measure = Measure(fixed, {"arm": arms, "visit_month": months}, share, "share")
        yield measure
        yield from difference_measures(dataset, measure)
        gained = of_one(dataset, "milestone_gained_age_years", "milestone", str(milestone))
        ever = (~np.isnan(gained)).view(np.int8)
        fixed = {**common, "measure": "ever_share", "counted": EVER, "visit_month": months[-1]}
        yield Measure(fixed, {"arm": arms}, ever, "share")


def count_measures(dataset: xr.Dataset, kind: str) -> Iterator[Measure]:
    """Rates per year lived and shares of people affected, for `adverse_event` or `procedure`."""
    variable = f"{kind}_count"
    if variable not in dataset:
        return
    axes = {
        "arm": [str(arm) for arm in dataset["arm"].values],
        "quantity": [str(name) for name in dataset[kind].values],
    }
    common = {"kind": kind, "visit_month": float(dataset["visit_month"].values[-1])}
    counts = np.asarray(dataset[variable].transpose("arm", kind, "draw", "patient").values)
    rate = {**common, "measure": "rate_per_year_lived", "unit": "1/year", "counted": YEARS_ALIVE}
    yield Measure(rate, axes, counts, "group", years=years_lived(dataset)[:, None])
    affected = {**common, "measure": "share_affected", "unit": "share", "counted": AFFECTED}
    yield Measure(affected, axes, (counts > 0).view(np.int8), "share")


def years_lived(dataset: xr.Dataset) -> Array:
    """Years lived from enrolment to death or the horizon, shape (arm, draw, patient)."""
    horizon = float(dataset.attrs["horizon_months"])
    return np.minimum(event_times(dataset, "death"), horizon) / 12.0
