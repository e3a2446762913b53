"""Summaries of scores: course, change from enrolment, difference to the comparator, share better and worse.

A person who has died has no score. Two answers are therefore always given and named:
- among the living: only people alive and assessable at the visit are counted;
- death as worst: everyone assessable or dead is counted, and death takes the worst value of the scale. It is
  given only for scales that have a worst value, and only people assessable at enrolment are counted.
Not assessable while alive (too young, unable to do the test) is never filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motorpool.simulation.comparators import paired
from motorpool.simulation.labels import outcome_view
from motorpool.simulation.layers import Measure
from motorpool.simulation.limits import Limits, outcome_limits
from motorpool.simulation.plain import PlainResults, plain

if TYPE_CHECKING:
    import xarray as xr

TRUE_SUFFIX = "__true"
LIVING = "people alive and assessable at the visit"
LIVING_BOTH = "people alive and assessable at enrolment and at the visit"
LIVING_PAIR = "people alive and assessable at the visit in both arms"
WORST = "people assessable at enrolment; death counts as the worst score"
WORST_PAIR = "people assessable at enrolment in both arms; death counts as the worst score"
ORDER = ("arm", "visit_month", "draw", "patient")


def outcome_names(dataset: xr.Dataset | PlainResults) -> list[str]:
    """Outcome ids present, in the order of the dataset."""
    names = plain(dataset).variables
    return [name.removesuffix(TRUE_SUFFIX) for name in names if name.endswith(TRUE_SUFFIX)]


def true_scores(
    dataset: xr.Dataset | PlainResults, outcome: str, precision: type[np.floating[Any]] = np.float64
) -> NDArray[Any]:
    """True values, shape (arm, visit, draw, patient); NaN when dead or not assessable."""
    return np.asarray(plain(dataset).values(outcome + TRUE_SUFFIX, *ORDER), dtype=precision)


def with_death_as_worst(
    scores: NDArray[Any], alive: NDArray[np.bool_], worst: float | None
) -> NDArray[Any] | None:
    """Scores with `worst` after death, of people assessable at first; None without a worst value."""
    if worst is None:
        return None
    filled = np.where(alive, scores, scores.dtype.type(worst))
    return np.where(np.isnan(scores[:, :1]), np.nan, filled)


def outcome_measures(
    results: PlainResults, outcome: str, precision: type[np.floating[Any]] = np.float64
) -> Iterator[Measure]:
    """Every measure of one outcome: scores, changes, differences, and shares better and worse."""
    arms, comparators, months = results.names("arm"), results.comparators, results.months
    view, limits = outcome_view(outcome), outcome_limits(outcome)
    true = true_scores(results, outcome, precision)
    alive = np.asarray(results.values("alive", *ORDER), dtype=bool)
    worst = with_death_as_worst(true, alive, view.worst)
    common = {"kind": "outcome", "quantity": outcome, "unit": view.unit}

    def of_arms(
        measure: str, counted: str, values: NDArray[Any], limits: Limits, error: NDArray[Any] | None = None
    ) -> Measure:
        fixed = {**common, "measure": measure, "counted": counted}
        return Measure(fixed, {"arm": arms, "visit_month": months}, values, "number", limits, error)

    def of_pairs(measure: str, counted: str, values: NDArray[Any], *, share: bool = False) -> Measure:
        fixed = {**common, "measure": measure, "counted": counted} | ({"unit": "share"} if share else {})
        axes: dict[str, Sequence[Any]] = {"arm": list(comparators), "visit_month": months}
        kind, within = ("share", None) if share else ("number", limits.of_differences)
        return Measure(fixed, axes, values, kind, within, comparators=comparators)

    error = None
    if outcome in results:
        error = np.asarray(results.values(outcome, *ORDER), dtype=precision) - true
    yield of_arms("score_among_living", LIVING, true, limits, error)
    yield of_arms("change_among_living", LIVING_BOTH, true - true[:, :1], limits.of_differences)
    if worst is not None:
        yield of_arms("score_death_as_worst", WORST, worst, limits)
        yield of_arms("change_death_as_worst", WORST, worst - worst[:, :1], limits.of_differences)
    if not comparators:
        return
    pair, counted = paired(true, arms, comparators), LIVING_PAIR
    yield of_pairs("difference_among_living", counted, pair)
    if worst is not None:
        pair, counted = paired(worst, arms, comparators), WORST_PAIR
        yield of_pairs("difference_death_as_worst", counted, pair)
    important, sign = view.minimal_important_difference, view.direction
    if important is not None and sign is not None:
        better, worse = sign * pair >= important, sign * pair <= -important
        for name, reached in (("better", better), ("worse", worse)):
            share = np.where(np.isnan(pair), pair, reached)
            yield of_pairs(f"share_{name}_by_minimal_important_difference", counted, share, share=True)
