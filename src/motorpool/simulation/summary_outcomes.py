"""Summaries of scores: course, change from enrolment, difference to the comparator, share better and worse.

A person who has died has no score. Two answers are therefore always given and named:
- among the living: only people alive and assessable at the visit are counted;
- death as worst: everyone assessable or dead is counted, and death takes the worst value of the scale. It is
  given only for scales that have a worst value, and only people assessable at enrolment are counted.
Not assessable while alive (too young, unable to do the test) is never filled in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.simulation.comparators import arm_comparators, name_comparators, paired
from motorpool.simulation.labels import OutcomeView, outcome_view
from motorpool.simulation.layers import Array, Columns, layer_columns
from motorpool.simulation.survival_summary import effective_people

if TYPE_CHECKING:
    import xarray as xr

TRUE_SUFFIX = "__true"
LIVING = "people alive and assessable at the visit"
LIVING_BOTH = "people alive and assessable at enrolment and at the visit"
LIVING_PAIR = "people alive and assessable at the visit in both arms"
WORST = "people assessable at enrolment; death counts as the worst score"
WORST_PAIR = "people assessable at enrolment in both arms; death counts as the worst score"
ORDER = ("arm", "visit_month", "draw", "patient")


def outcome_names(dataset: xr.Dataset) -> list[str]:
    """Outcome ids present, in the order of the dataset."""
    return [str(name)[: -len(TRUE_SUFFIX)] for name in dataset.data_vars if str(name).endswith(TRUE_SUFFIX)]


def true_scores(dataset: xr.Dataset, outcome: str) -> Array:
    """True values, shape (arm, visit, draw, patient); NaN when dead or not assessable."""
    return np.asarray(dataset[outcome + TRUE_SUFFIX].transpose(*ORDER).values, dtype=float)


def with_death_as_worst(scores: Array, alive: Array, worst: float | None) -> Array | None:
    """Scores with `worst` after death, of people assessable at first; None without a worst value."""
    if worst is None:
        return None
    filled = np.where(alive, scores, worst)
    return np.where(np.isnan(scores[:, :1]), np.nan, filled)


class OutcomeSummary:
    """All rows of one outcome of one dataset."""

    def __init__(self, dataset: xr.Dataset, outcome: str) -> None:
        self.view: OutcomeView = outcome_view(outcome)
        self.outcome = outcome
        self.arms = [str(arm) for arm in dataset["arm"].values]
        self.months = [float(month) for month in dataset["visit_month"].values]
        self.comparators = arm_comparators(dataset)
        self.true = true_scores(dataset, outcome)
        self.alive = np.asarray(dataset["alive"].transpose(*ORDER).values, dtype=bool)
        self.worst = with_death_as_worst(self.true, self.alive, self.view.worst)
        self.error: Array | None = None
        if outcome in dataset:
            self.error = np.asarray(dataset[outcome].transpose(*ORDER).values, dtype=float) - self.true
        self.worth = effective_people(dataset)

    def columns(self) -> list[Columns]:
        """Every row of this outcome, one piece per measure."""
        pieces = [self._columns(self.true, "score_among_living", LIVING, error=self.error)]
        pieces.append(self._columns(self.true - self.true[:, :1], "change_among_living", LIVING_BOTH))
        if self.worst is not None:
            pieces.append(self._columns(self.worst, "score_death_as_worst", WORST))
            pieces.append(self._columns(self.worst - self.worst[:, :1], "change_death_as_worst", WORST))
        return pieces + self._differences()

    def _differences(self) -> list[Columns]:
        arms = list(self.comparators)
        if not arms:
            return []
        living = paired(self.true, self.arms, self.comparators)
        pieces = [self._columns(living, "difference_among_living", LIVING_PAIR, arms=arms)]
        pair, counted = living, LIVING_PAIR
        if self.worst is not None:
            pair, counted = paired(self.worst, self.arms, self.comparators), WORST_PAIR
            pieces.append(self._columns(pair, "difference_death_as_worst", WORST_PAIR, arms=arms))
        important, sign = self.view.minimal_important_difference, self.view.direction
        if important is not None and sign is not None:
            gain = sign * pair
            for measure, reached in (
                ("share_better_by_minimal_important_difference", gain >= important),
                ("share_worse_by_minimal_important_difference", gain <= -important),
            ):
                share = np.where(np.isnan(pair), np.nan, reached.astype(float))
                pieces.append(self._columns(share, measure, counted, arms=arms, proportion=True))
        return pieces

    def _columns(
        self,
        values: Array,
        measure: str,
        counted: str,
        *,
        arms: list[str] | None = None,
        proportion: bool = False,
        error: Array | None = None,
    ) -> Columns:
        fixed: dict[str, Any] = {
            "kind": "outcome",
            "quantity": self.outcome,
            "measure": measure,
            "unit": "share" if proportion else self.view.unit,
            "counted": counted,
        }
        axes = {"arm": arms if arms is not None else self.arms, "visit_month": self.months}
        made = layer_columns(
            values,
            axes,
            fixed,
            proportion=proportion,
            effective_people=self.worth,
            measurement_error=error,
        )
        return made if arms is None else name_comparators(made, self.comparators)
