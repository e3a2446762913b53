"""Between which values an outcome can lie, and how finely a summary of many people tells values apart.

The ends of a scale come from the outcome catalogue. Outcomes without an end there have a limit here, far beyond
anything a body can do: a number beyond it can only be an error of computation.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from motorpool.simulation.labels import outcome_view

STEPS_OF_A_SCALE = 1024


@dataclass(frozen=True)
class Limits:
    """Smallest and largest value, and the width within which a tally tells values apart, in the outcome's unit."""

    low: float
    high: float
    step: float

    @property
    def of_differences(self) -> Limits:
        """Limits of the difference of two values."""
        width = self.high - self.low
        return Limits(-width, width, self.step)


# Technical limits, not findings.
_OPEN_ENDED = {
    "six_minute_walk_m": Limits(0.0, 1024.0, 1.0),
    "cmap_mv": Limits(0.0, 64.0, 1 / 32),
    "mune": Limits(0.0, 1024.0, 1 / 2),
    "pnfh_pg_per_ml": Limits(0.0, 262144.0, 32.0),
    "fvc_percent": Limits(0.0, 256.0, 1 / 4),
    "weight_kg": Limits(0.0, 256.0, 1 / 8),
    "weight_z": Limits(-32.0, 32.0, 1 / 32),
}


@functools.cache
def outcome_limits(outcome: str) -> Limits:
    """Limits of an outcome's true values."""
    view = outcome_view(outcome)
    if view.low is not None and view.high is not None:
        return Limits(view.low, view.high, (view.high - view.low) / STEPS_OF_A_SCALE)
    return _OPEN_ENDED[outcome]
