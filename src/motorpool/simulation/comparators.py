"""Which arm each arm is compared with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

CELL_THERAPY = "cell_therapy"


def arm_comparators(dataset: xr.Dataset) -> dict[str, str]:
    """The arm each arm is compared with; arms that are compared with nothing are absent.

    It is the comparator the scenario names for the arm; for an arm with cell therapy, the arm with the same
    plan without cells where there is one, because anything else would credit cells with what the rest of the
    plan does; otherwise the scenario's comparator.
    """
    return comparators_of([str(arm) for arm in dataset["arm"].values], dataset.attrs)


def comparators_of(arms: Sequence[str], attributes: Mapping[Any, Any]) -> dict[str, str]:
    """The same from the names of the arms and the attributes of the results."""
    plans: dict[str, Any] = json.loads(attributes["scenario"]).get("arms", {})
    general = str(attributes["comparator"])
    chosen = {
        arm: str(plans.get(arm, {}).get("comparator") or same_plan_without_cells(plans, arm) or general)
        for arm in arms
    }
    return {arm: other for arm, other in chosen.items() if other != arm and other in arms}


def same_plan_without_cells(plans: dict[str, Any], arm: str) -> str | None:
    """The arm whose plan equals this arm's except for its courses of cell therapy, if both exist."""
    courses: list[dict[str, Any]] = plans.get(arm, {}).get("therapies") or []
    others = [course for course in courses if course.get("therapy") != CELL_THERAPY]
    if len(others) == len(courses):
        return None
    return next((name for name, plan in plans.items() if (plan.get("therapies") or []) == others), None)


def has_cells(scenario: Mapping[str, Any], arm: str) -> bool:
    """Whether an arm's plan contains cell therapy."""
    courses = scenario.get("arms", {}).get(arm, {}).get("therapies") or []
    return any(course.get("therapy") == CELL_THERAPY for course in courses)


def paired(values: NDArray[Any], arms: list[str], comparators: Mapping[str, str]) -> NDArray[Any]:
    """Each compared arm's values minus its comparator's, the same person in both; arms on the first axis."""
    own = [arms.index(arm) for arm in comparators]
    return values[own] - values[[arms.index(other) for other in comparators.values()]]
