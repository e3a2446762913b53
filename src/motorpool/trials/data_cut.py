"""A trial that ends at so many events, or at a date: what is known by then, and of whom.

R replicates, N people each in order of entry. Times are months since the first centre opened.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from motorpool.trials.design_sections import Endpoint
from motorpool.trials.estimand_values import event_times
from motorpool.trials.replicate import TrialData

JUST_AFTER = 1e-9  # months; what happens at the moment of the cut is known

Numbers = NDArray[np.int64]
Months = NDArray[np.float64]


def as_of(data: TrialData, months: Months) -> TrialData:
    """The data that are there at these times, (R,): later visits are missing, and follow-up ends there."""
    followed = np.asarray(months)[:, None] + JUST_AFTER - data.entry_months
    visits = np.asarray(data.design.visit_months)[:, None, None]
    return dataclasses.replace(
        data, seen=data.seen & (visits <= followed), left_months=np.minimum(data.left_months, followed)
    )


def due(data: TrialData, endpoint: Endpoint, months: Months) -> NDArray[np.bool_]:
    """Whose data count at these times, (R, N): all who have entered, or all whose visit of the endpoint is due."""
    wait = 0.0 if endpoint.measure == "time_to_event" else data.design.month_of(endpoint)
    return data.entry_months + wait < np.asarray(months)[:, None] + JUST_AFTER


def entered(data: TrialData, months: Months) -> Numbers:
    """How many people have entered by these times, (R,)."""
    return (data.entry_months < np.asarray(months)[:, None] + JUST_AFTER).sum(axis=1)


def event_dates(data: TrialData) -> Months:
    """When the events of the first endpoint happen, in rising order, (R, N); +inf where there are no more."""
    found = event_times(data, data.design.endpoints[0])
    return np.sort(np.where(found.cause == 1, data.entry_months + found.months, np.inf), axis=1)


def last_date(data: TrialData) -> Months:
    """When everybody has been followed to the end, (R,)."""
    return data.entry_months[:, data.design.patients - 1] + data.design.horizon_months


def events_by(dates: Months, months: Months) -> Numbers:
    """How many events there are at these times, (R,)."""
    return (dates <= np.asarray(months)[:, None] + JUST_AFTER).sum(axis=1)


def cut_dates(data: TrialData, dates: Months) -> Months:
    """When each replicate ends if nothing stops it, (R,): at its cut, or once everybody has been followed to the end.

    Args:
        dates: of the events, as :func:`event_dates` gives them.
    """
    rule = data.design.data_cut
    assert rule is not None
    if rule.events is None:
        return np.minimum(float(rule.months or 0.0), last_date(data))
    return np.minimum(dates[:, rule.events - 1], last_date(data))
