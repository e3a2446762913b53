"""How many patients a design needs: power by size, and the smallest trial for a target power."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from motorpool.trials.analysis import benefit_sign
from motorpool.trials.blocks import Settings
from motorpool.trials.design import TrialDesign
from motorpool.trials.design_sections import MOST_PATIENTS
from motorpool.trials.operating import Arrays, Figure, share
from motorpool.trials.workers import BlockWorkers, Done, part_of, simulated_trials

Progress = Callable[[str, float], None]
TRIES = 5  # numerical choice: sizes tried in the search
CLOSE = 0.5  # Monte-Carlo errors within which the target counts as reached


@dataclass(frozen=True)
class PowerAtSize:
    """Power of the first endpoint at one size."""

    patients: int
    power: Figure

    def data(self) -> dict[str, Any]:
        """Plain data."""
        return {"patients": self.patients, **self.power.data()}


@dataclass(frozen=True)
class SmallestTrial:
    """The smallest size that reaches a target power, None where none does; with the sizes tried."""

    target: float
    patients: int | None
    power: Figure | None
    tries: tuple[PowerAtSize, ...]

    def data(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "target_power": self.target,
            "patients": self.patients,
            "power": None if self.power is None else self.power.data(),
            "largest_possible": MOST_PATIENTS,
            "tries": [one.data() for one in sorted(self.tries, key=lambda one: one.patients)],
        }


def with_size(design: TrialDesign, patients: int) -> TrialDesign:
    """The same design with another number of patients, a whole number of blocks' worth where that is possible."""
    step = sum(arm.ratio for arm in design.arms.values())
    rounded = max(2 * step, math.ceil(patients / step) * step)
    return design.model_copy(update={"patients": min(MOST_PATIENTS // step * step, rounded)})


def power_of(design: TrialDesign, results: Arrays) -> Figure:
    """Power of the first endpoint: significant in favour of the (first) test arm."""
    key = f"{design.endpoints[0].name}/{design.test_arms[0]}"
    return share(results[f"{key}/significant"] & results[f"{key}/favours"])


def power_at(
    design: TrialDesign,
    settings: Settings,
    patients: int,
    workers: BlockWorkers | None = None,
    done: Done | None = None,
) -> PowerAtSize:
    """Power at one size; `done` is called with the share that is simulated."""
    sized = with_size(design, patients)
    return PowerAtSize(sized.patients, power_of(sized, simulated_trials(sized, settings, workers, done)))


def smallest_trial(
    design: TrialDesign,
    settings: Settings,
    *,
    target: float,
    workers: BlockWorkers | None = None,
    progress: Progress | None = None,
) -> SmallestTrial:
    """Search the size at which the power reaches the target.

    The first guess comes from the standardised effect that the design's own size shows; then power is taken to follow
    the normal law in the root of the size, whose slope is found anew from each size tried.
    """
    tries: list[PowerAtSize] = []
    critical = float(norm.isf(design.alpha / len(design.test_arms) / 2.0))
    wanted_z = critical + float(norm.ppf(target))

    say = progress or (lambda stage, share: None)

    def told(number: int) -> Done:
        return part_of(say, "looking for the smallest trial", number, TRIES)

    results = simulated_trials(design, settings, workers, told(0))
    tries.append(PowerAtSize(design.patients, power_of(design, results)))
    slope = _standardised_effect(design, results) / math.sqrt(design.patients)
    for number in range(1, TRIES):
        last = tries[-1]
        if abs(last.power.value - target) <= CLOSE * last.power.monte_carlo_error or slope <= 0.0:
            break
        wanted = (wanted_z / slope) ** 2
        if wanted > MOST_PATIENTS:
            break
        following = with_size(design, math.ceil(wanted)).patients
        if following in [one.patients for one in tries]:
            break
        tries.append(power_at(design, settings, following, workers, told(number)))
        slope = _slope(tries[-1], settings.replicates, critical)
    return _chosen(target, tries)


def _standardised_effect(design: TrialDesign, results: Arrays) -> float:
    """True effect over the spread of the estimate, positive where it is a benefit; 0 where there is none."""
    key = f"{design.endpoints[0].name}/{design.test_arms[0]}"
    estimate = np.asarray(results[f"{key}/estimate"], float)
    effect = benefit_sign(design.endpoints[0]) * float(np.mean(results[f"truth/{key}"]))
    spread = float(np.nanstd(estimate))
    return effect / spread if spread > 0.0 else 0.0


def _slope(found: PowerAtSize, replicates: int, critical: float) -> float:
    """Growth of the standardised effect with the root of the size, from the power at one size."""
    inside = min(max(found.power.value, 0.5 / replicates), 1.0 - 0.5 / replicates)
    return (critical + float(norm.ppf(inside))) / math.sqrt(found.patients)


def _chosen(target: float, tries: list[PowerAtSize]) -> SmallestTrial:
    """The smallest size tried that reaches the target within its Monte-Carlo error."""
    reached = [one for one in tries if one.power.value >= target - one.power.monte_carlo_error]
    if not reached:
        return SmallestTrial(target, None, None, tuple(tries))
    best = min(reached, key=lambda one: one.patients)
    return SmallestTrial(target, best.patients, best.power, tuple(tries))


def replaced(settings: Settings, **changes: Any) -> Settings:
    """The settings with some of them changed."""
    return dataclasses.replace(settings, **changes)
