"""Finds people whose numbers went wrong: not finite, or beyond what the outcome can be.

Every true outcome of a living person is a number within its limits, at every visit. Where the arithmetic fails for
somebody the others are not touched; that person is left out of every summary, in all arms, and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.outcomes.panel import OUTCOMES
from motorpool.simulation.arm import ArmResults
from motorpool.simulation.limits import outcome_limits
from motorpool.simulation.readout import EVENTS
from motorpool.simulation.scenario import Scenario

MOST_NAMED = 20  # in one part of a run, and in results.json
SHARE_TOLERANCE = 1e-3

Found = dict[str, Any]


def wrong_numbers(
    scenario: Scenario, arms: Sequence[ArmResults], numbers: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], list[Found]]:
    """Who has a number that cannot be, (P,), and for the first of them what it is and where.

    ``numbers``: the people's numbers among the candidates, (P,), by which they can be simulated again.
    """
    wrong = np.zeros(numbers.size, bool)
    named: list[Found] = []
    for name, results in zip(scenario.arms, arms, strict=True):
        for quantity, values, bad in _checks(results):
            by_person = bad if bad.ndim == 1 else bad.any(axis=0)
            wrong |= by_person
            for person in np.flatnonzero(by_person)[: MOST_NAMED - len(named)]:
                visit = None if bad.ndim == 1 else int(np.argmax(bad[:, person]))
                value = float(values[person] if visit is None else values[visit, person])
                named.append(
                    {
                        "person": int(numbers[person]),
                        "arm": name,
                        "visit_month": None if visit is None else scenario.visit_months()[visit],
                        "quantity": quantity,
                        "value": f"{value:g}",
                    }
                )
    return wrong, named


def _checks(results: ArmResults) -> list[tuple[str, NDArray[Any], NDArray[np.bool_]]]:
    """Quantities that hold a wrong number, with their values and where it is; (V, P) or (P,)."""
    readout = results.readout
    alive, true, pools = (np.asarray(part) for part in (readout.alive, readout.true, readout.pools))
    limits = [outcome_limits(outcome) for outcome in OUTCOMES]
    low, high, step = (
        np.asarray([getattr(each, name) for each in limits], true.dtype)[:, None]
        for name in ("low", "high", "step")
    )
    # A comparison with what is not a number is false, so that it fails too.
    bad = alive[:, None] & ~((true >= low - step) & (true <= high + step))
    found = [(OUTCOMES[row], true[:, row], bad[:, row]) for row in np.flatnonzero(bad.any(axis=(0, 2)))]
    shares = pools.reshape(pools.shape[0], -1, pools.shape[-1])
    off = ~((shares >= -SHARE_TOLERANCE) & (shares <= 1.0 + SHARE_TOLERANCE))
    if off.any():
        worst = np.argmax(off, axis=1)[:, None]
        found.append(
            ("motor_neurons", np.take_along_axis(shares, worst, axis=1)[:, 0], np.asarray(off.any(axis=1)))
        )
    times = np.asarray(readout.event_time_years)
    found += [
        (EVENTS[row], times[row], np.isnan(times[row])) for row in np.flatnonzero(np.isnan(times).any(axis=1))
    ]
    return found
