"""What happens between the protocol and the data: plans that change, people who leave, visits that are missed."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.simulation.labels import outcome_view
from motorpool.simulation.readout import EVENTS
from motorpool.trials.design import TrialDesign
from motorpool.trials.luck import Luck
from motorpool.trials.scenarios import change_months
from motorpool.trials.scores import Scores

Array = NDArray[Any]
LARGEST_FALL = 50.0  # keeps the odds of leaving finite


@dataclasses.dataclass(frozen=True)
class ChangeOfPlan:
    """Place of the change among the change times, -1 for none, and its month, +inf for none; (R, N)."""

    place: Array
    months: Array


def change_of_plan(design: TrialDesign, luck: Luck, own: Array, scores: Scores | None) -> ChangeOfPlan:
    """Who stops the therapy of the arm, or is rescued, and when. Nobody from outside the trial does.

    Args:
        own: who is in the trial itself, (R, N).
        scores: as they would be rated without any change, for the rescue rule; None before they are known.
    """
    times = np.asarray(change_months(design))
    never = np.full(luck.change.shape, -1)
    place = never
    if design.conduct.discontinue_per_year > 0.0 and times.size:
        yearly = (
            np.log1p(-design.conduct.discontinue_per_year)
            if design.conduct.discontinue_per_year < 1
            else -np.inf
        )
        months = 12.0 * np.log1p(-luck.change) / yearly if np.isfinite(yearly) else np.zeros_like(luck.change)
        found = np.searchsorted(times, months)
        place = np.where(found < times.size, found, -1)
    elif design.conduct.rescue is not None and scores is not None and times.size:
        rescue = design.conduct.rescue
        row = design.outcomes.index(rescue.outcome)
        sign = outcome_view(rescue.outcome).direction or 1
        allowed = luck.rescue < rescue.share
        for number in reversed(range(times.size)):
            visit = design.visit_months.index(times[number])
            fall = sign * (scores.baseline[row] - scores.values[row, visit])
            place = np.where(allowed & (fall >= rescue.fall_at_least), number, place)
    place = np.where(own, place, -1)
    month = np.where(place >= 0, times[place] if times.size else np.inf, np.inf)
    return ChangeOfPlan(place, month)


@dataclasses.dataclass(frozen=True)
class Missed:
    """Which visits took place (V, R, N), and when people left the study, +inf for never (R, N)."""

    seen: Array
    left_months: Array


def missed(design: TrialDesign, luck: Luck, scores: Scores, event_months: Array) -> Missed:
    """Visits that take place: of people alive who have not left and do not miss it. The baseline always does."""
    missing, months = design.conduct.missing, np.asarray(design.visit_months)
    death = event_months[EVENTS.index("death")]
    replicates, people = death.shape
    seen = np.ones((months.size, replicates, people), bool)
    left = np.full((replicates, people), np.inf)
    has_score = bool(design.outcomes)
    last = scores.baseline[0].copy() if has_score else np.zeros((replicates, people))
    sign = (outcome_view(design.outcomes[0]).direction or 1) if has_score else 1
    for visit in range(1, months.size):
        step = months[visit] - months[visit - 1]
        leaves = 1.0 - (1.0 - missing.leave_per_year) ** (step / 12.0)
        fall = np.zeros((replicates, people))
        if missing.mechanism == "mar":
            fall = sign * (scores.baseline[0] - last)
        elif missing.mechanism == "mnar":
            fall = sign * (scores.baseline[0] - scores.true[0, visit])
        more = missing.log_odds_per_point * np.clip(np.nan_to_num(fall), -LARGEST_FALL, LARGEST_FALL)
        going = (
            (luck.leave[:, visit - 1] < _tilted(leaves, more))
            & ~np.isfinite(left)
            & (death > months[visit - 1])
        )
        # People leave half-way between two visits, on average; they are last known at the visit before.
        left = np.where(going, months[visit - 1] + 0.5 * step, left)
        missing_now = luck.miss[:, visit - 1] < _tilted(missing.visits_missed, more)
        seen[visit] = (left > months[visit]) & ~missing_now & (death > months[visit])
        if has_score:
            last = np.where(seen[visit] & np.isfinite(scores.values[0, visit]), scores.values[0, visit], last)
    return Missed(seen, left)


def _tilted(probability: float, log_odds: Array) -> Array:
    """A probability with its log-odds raised."""
    if probability <= 0.0 or probability >= 1.0:
        return np.full(log_odds.shape, probability)
    base = np.log(probability / (1.0 - probability))
    return 1.0 / (1.0 + np.exp(-(base + log_odds)))
