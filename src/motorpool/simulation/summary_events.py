"""Summaries of what happens to people: events, milestones, adverse events and procedures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from motorpool.simulation.layers import Array, Measure
from motorpool.simulation.plain import PlainResults
from motorpool.simulation.survival_summary import ORDER, difference_measures, event_times, survival_measures

EVERYONE = "everyone enrolled; people who died count as not able"
EVER = "everyone enrolled, over the whole of life so far including before enrolment"
YEARS_ALIVE = "everyone enrolled; total number divided by the years lived during follow-up"
AFFECTED = "everyone enrolled, over the whole of follow-up"


def event_measures(results: PlainResults, only: str | None = None) -> Iterator[Measure]:
    """Event-free shares or cumulative incidence at every visit, with numbers at risk; of one event where named."""
    if "event_time_years" not in results:
        return
    months = np.asarray(results.months)
    for event in results.names("event"):
        if only in (None, event):
            yield from survival_measures(results, event, months)


def milestone_measures(results: PlainResults, only: str | None = None) -> Iterator[Measure]:
    """Share able at each visit, and share who ever reached the milestone; of one milestone where named."""
    if "milestone_status" not in results:
        return
    arms, months = results.names("arm"), results.months
    for milestone in results.names("milestone"):
        if only not in (None, milestone):
            continue
        common = {"kind": "milestone", "quantity": milestone, "unit": "share"}
        able = results.of_one("milestone_status", "milestone", milestone, *ORDER)
        share = np.ascontiguousarray(able, dtype=np.int8)
        fixed = {**common, "measure": "able_share", "counted": EVERYONE}
        measure = Measure(fixed, {"arm": arms, "visit_month": months}, share, "share")
        yield measure
        yield from difference_measures(results, measure)
        gained = results.of_one("milestone_gained_age_years", "milestone", milestone, *ORDER)
        ever = (~np.isnan(gained)).view(np.int8)
        fixed = {**common, "measure": "ever_share", "counted": EVER, "visit_month": months[-1]}
        yield Measure(fixed, {"arm": arms}, ever, "share")


def count_measures(results: PlainResults, kind: str) -> Iterator[Measure]:
    """Rates per year lived and shares of people affected, for `adverse_event` or `procedure`."""
    variable = f"{kind}_count"
    if variable not in results:
        return
    axes = {"arm": results.names("arm"), "quantity": results.names(kind)}
    common = {"kind": kind, "visit_month": results.months[-1]}
    counts = results.values(variable, "arm", kind, "draw", "patient")
    rate = {**common, "measure": "rate_per_year_lived", "unit": "1/year", "counted": YEARS_ALIVE}
    yield Measure(rate, axes, counts, "group", years=years_lived(results)[:, None])
    affected = {**common, "measure": "share_affected", "unit": "share", "counted": AFFECTED}
    yield Measure(affected, axes, (counts > 0).view(np.int8), "share")


def years_lived(results: PlainResults) -> Array:
    """Years lived from enrolment to death or the horizon, shape (arm, draw, patient)."""
    horizon = float(results.attributes["horizon_months"])
    return np.minimum(event_times(results, "death"), horizon) / 12.0
