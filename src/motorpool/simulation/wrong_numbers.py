"""Finds people whose numbers went wrong: not finite, or beyond what the outcome can be.

Every true outcome of a living person is a number within its limits, at every visit. Where the arithmetic fails for
somebody the others are not touched; that person is left out of every summary, in all arms, and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import MUSCLE_GROUPS
from motorpool.outcomes.panel import OUTCOMES
from motorpool.simulation.arm import ArmResults
from motorpool.simulation.limits import outcome_limits
from motorpool.simulation.readout import EVENTS
from motorpool.simulation.scenario import Scenario

QUANTITIES = (
    *OUTCOMES,
    *(f"motor_neurons_{state}_{group}" for state in ("working", "sick", "dead") for group in MUSCLE_GROUPS),
)
MOST_NAMED = 20  # in one part of a run, and in results.json
SHARE_TOLERANCE = 1e-3

Found = dict[str, Any]


def wrong_numbers(
    scenario: Scenario, arms: Sequence[ArmResults], numbers: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], list[Found]]:
    """Who has a number that cannot be, (P,), and for the first of them what it is and where it shows first.

    ``numbers``: the people's numbers among the candidates, (P,), by which they can be simulated again.
    """
    wrong = np.zeros(numbers.size, bool)
    named: list[Found] = []
    for name, results in zip(scenario.arms, arms, strict=True):
        values, bad = _at_visits(results)
        times = np.asarray(results.readout.event_time_years)
        in_arm = bad.any(axis=(0, 1)) | np.isnan(times).any(axis=0)
        wrong |= in_arm
        for person in np.flatnonzero(in_arm)[: MOST_NAMED - len(named)]:
            if bad[..., person].any():
                visit, row = np.argwhere(bad[..., person])[0]
                month: float | None = scenario.visit_months()[visit]
                quantity, value = QUANTITIES[row], values[visit, row, person]
            else:
                row = int(np.argmax(np.isnan(times[:, person])))
                month, quantity, value = None, EVENTS[row], times[row, person]
            named.append(
                {
                    "person": int(numbers[person]),
                    "arm": name,
                    "visit_month": month,
                    "quantity": quantity,
                    "value": f"{float(value):g}",
                }
            )
    return wrong, named


def _at_visits(results: ArmResults) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Every checked quantity at every visit, (V, Q, P), and where it cannot be."""
    readout = results.readout
    alive, true, pools = (np.asarray(part) for part in (readout.alive, readout.true, readout.pools))
    shares = pools.reshape(pools.shape[0], -1, pools.shape[-1])
    limits = [outcome_limits(outcome) for outcome in OUTCOMES]
    low = [each.low - each.step for each in limits] + [-SHARE_TOLERANCE] * shares.shape[1]
    high = [each.high + each.step for each in limits] + [1.0 + SHARE_TOLERANCE] * shares.shape[1]
    values = np.concatenate([true, shares], axis=1)
    # A comparison with what is not a number is false, so that it is found too.
    fine = (values >= np.asarray(low, values.dtype)[:, None]) & (
        values <= np.asarray(high, values.dtype)[:, None]
    )
    counted = np.ones(values.shape, bool)
    counted[:, : len(OUTCOMES)] = alive[:, None]  # the dead have no scores
    return values, counted & ~fine
