"""What the engine watches while patients live, worked out again from a full record: one person at a time, plain NumPy.

Nothing of the engine's code is used: events are found in the whole curve, not step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


class Milestone(NamedTuple):
    """Ages at which a milestone is first gained and first lost (+inf: never), and whether it is held at each time."""

    gained: float
    lost: float
    held: NDArray[np.bool_]


def stretches(height: Numbers, ages: Numbers, *, touching: bool) -> list[tuple[float, float]]:
    """Begin and end of every stretch in which a curve of straight lines is above zero (or at it, if ``touching``)."""
    above = height >= 0 if touching else height > 0
    found: list[tuple[float, float]] = []
    begin = ages[0] if above[0] else None
    for row in range(1, len(ages)):
        if above[row] == above[row - 1]:
            continue
        share = -height[row - 1] / (height[row] - height[row - 1])
        crossing = ages[row - 1] + share * (ages[row] - ages[row - 1])
        if above[row]:
            begin = crossing
        else:
            assert begin is not None
            found.append((begin, crossing))
            begin = None
    return found if begin is None else [*found, (begin, ages[-1])]


def milestone(
    margin: Any, ages: Any, *, hold_hours: float, loss_hold_hours: float, hysteresis: float
) -> Milestone:
    """A milestone by its margin (K,) at ages (K,) in hours."""
    height, ages = np.asarray(margin, float), np.asarray(ages, float)
    able = stretches(height, ages, touching=True)
    unable = stretches(-hysteresis - height, ages, touching=False)
    gains = [begin + hold_hours for begin, end in able if begin + hold_hours <= end]
    losses = [begin + loss_hold_hours for begin, end in unable if begin + loss_hold_hours <= end]
    gained = min(gains, default=np.inf)
    lost = min([loss for loss in losses if loss > gained], default=np.inf)
    last_gain = np.array([max([g for g in gains if g <= age], default=-np.inf) for age in ages])
    last_loss = np.array([max([x for x in losses if x <= age], default=-np.inf) for age in ages])
    return Milestone(gained, lost, last_gain > last_loss)


def first_full_run(counted: Sequence[bool] | NDArray[np.bool_], length: int) -> float:
    """Day on which a run of counted days first has a length; +inf if none has."""
    run = 0
    for day, good in enumerate(counted):
        run = run + 1 if good else 0
        if run >= length:
            return float(day)
    return np.inf


def ventilation_days(
    ages: Any,
    chronic_hours: Any,
    weakness: Any,
    enrolment_hours: float,
    severity_at_days: Callable[[Numbers], Numbers],
    *,
    hours_added: float,
    shortest_hours: float,
    niv_hours: float,
    definitions: Sequence[Any],
) -> list[float]:
    """Days since enrolment on which non-invasive ventilation begins and each definition is met, for one person.

    ``ages`` (K,) in hours, with hours of ventilation per day and weakness of breathing (K,) on straight lines between.
    """
    days = int((ages[-1] - enrolment_hours) // 24) + 1
    at = enrolment_hours + 24.0 * np.arange(days)
    needed = np.clip(np.interp(at, ages, chronic_hours), 0.0, 24.0)
    added = hours_added * severity_at_days(at / 24.0) * np.clip(np.interp(at, ages, weakness), 0.0, 1.0)
    given = np.minimum(needed + np.where(added >= shortest_hours, added, 0.0), 24.0)
    met = [first_full_run(needed >= niv_hours, 1)]
    for one in definitions:
        hours = needed if one.exclude_acute else given
        met.append(first_full_run(hours >= one.at_least_hours, one.at_least_days))
    return met


def crossing(cumulative: Any, ages: Any, draw: float) -> float:
    """Age at which an integrated hazard (K,), straight between ages (K,), reaches a draw; +inf if it does not."""
    hazard, ages = np.asarray(cumulative, float), np.asarray(ages, float)
    if hazard[-1] < draw:
        return np.inf
    row = int(np.argmax(hazard >= draw))
    if row == 0:
        return float(ages[0])
    share = (draw - hazard[row - 1]) / (hazard[row] - hazard[row - 1])
    return float(ages[row - 1] + share * (ages[row] - ages[row - 1]))
