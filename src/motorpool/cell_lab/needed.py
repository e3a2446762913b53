"""What would have to be true: how large an effect, by mechanism, a worthwhile gain in this group would need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.cell_lab.addon import RESEARCH_USE, main_outcome, manifest, reference_cells
from motorpool.cell_lab.errors import CellLabError, not_one_of
from motorpool.cell_lab.gains import gain
from motorpool.cell_lab.measures import Measure, measures, values_of
from motorpool.cell_lab.mechanisms import MOST_SMD
from motorpool.cell_lab.people import People
from motorpool.cell_lab.plan import BasePlan
from motorpool.cell_lab.prior import MEANING, mechanism_prior, probability_above
from motorpool.cell_lab.unknowns import central, mechanism_effects
from motorpool.therapies.kinds import CELL_MECHANISMS

Tell = Callable[[str, float], None]
TOTAL = "total"
CURVE_POINTS = 9
EXACT_SMD = 1e-3  # how exactly the needed effect is found


def needed(
    plan: BasePlan,
    *,
    biology: int,
    tell: Tell,
    outcome: str | None = None,
    month: float | None = None,
    wanted: float | None = None,
) -> dict[str, Any]:
    """Effect size for a worthwhile mean gain, for the total split as in the prior and for each mechanism alone.

    Args:
        plan: people, base plan and cells.
        biology: draws of everything but the cells, over which the gain is averaged.
        outcome: the outcome; the motor scale that fits the group where it is None.
        month: one of the plan's months; the nearest to twelve where it is None.
        wanted: worthwhile gain in the outcome's unit; its minimal important difference where it is None.

    Raises:
        ScenarioError: nobody meets the criteria.
        CellLabError: the outcome or the month does not exist, or no difference is on record for the outcome.
    """
    if outcome is not None and outcome not in measures():
        raise not_one_of("--outcome", outcome, measures())
    visit = _visit(plan, month)
    if outcome is not None:
        _worthwhile(measures()[outcome], wanted)  # refused before anybody is simulated
    people = People(plan, biology)
    people.recruit_all(lambda share: tell("finding people and simulating the base plan", share))
    measure = measures()[outcome or main_outcome(people)]
    worthwhile = _worthwhile(measure, wanted)
    found = _by_direction(
        people, measure, visit, worthwhile, lambda share: tell("under this protocol", share)
    )
    monthly = People(plan.with_cells(reference_cells()), biology)
    monthly.share(people)
    reference = _by_direction(
        monthly, measure, visit, worthwhile, lambda share: tell("with a dose a month for a year", share)
    )
    tell("summarising", 1.0)
    return {
        "what": "cells needed",
        "research_use": RESEARCH_USE,
        "scenario": plan.scenario.name,
        "title": plan.scenario.title,
        "base_plan": plan.label,
        "cells": plan.cells.model_dump(mode="json", exclude_none=True),
        "notes": list(plan.notes),
        "people": plan.scenario.cohort.patients,
        "biology_draws": biology,
        "outcome": measure.id,
        "outcome_label": measure.label,
        "unit": measure.unit,
        "month": plan.months[visit],
        "worthwhile_gain": worthwhile,
        "worthwhile_is": "minimal important difference on record" if wanted is None else "stated",
        "largest_smd_tried": MOST_SMD,
        "needed": found,
        "needed_under_reference_protocol": reference,
        "meaning": MEANING,
        "manifest": manifest(plan),
    }


def _by_direction(
    people: People, measure: Measure, visit: int, worthwhile: float, tell: Callable[[float], None]
) -> dict[str, Any]:
    """For the total effect, split as the prior's centre is, and for each mechanism alone."""
    split = mechanism_effects(central())[0]
    directions = {TOTAL: split / split.sum()}
    for place, name in enumerate(CELL_MECHANISMS):
        directions[name] = np.eye(len(CELL_MECHANISMS))[place]
    found: dict[str, Any] = {}
    for place, (name, direction) in enumerate(directions.items()):
        tell(place / len(directions))
        found[name] = _of_direction(people, measure, visit, direction, worthwhile)
        found[name] |= _tail(name, found[name]["needed_smd"])
    return found


def _visit(plan: BasePlan, month: float | None) -> int:
    if month is None:
        return int(np.argmin(np.abs(np.asarray(plan.months) - 12.0)))
    if month not in plan.months:
        shown = ", ".join(f"{each:g}" for each in plan.months)
        raise CellLabError(f"--month: {month:g} must be one of {shown}.")
    return plan.months.index(month)


def _worthwhile(measure: Measure, wanted: float | None) -> float:
    if wanted is not None:
        return wanted
    if measure.important is None:
        known = [name for name, of in measures().items() if of.important is not None]
        raise CellLabError(
            f"--outcome: no minimal important difference is on record for {measure.id}; give --gain, or one of "
            f"{', '.join(known)}."
        )
    return measure.important


def mean_gain(people: People, measure: Measure, visit: int, effects: NDArray[np.float64]) -> float:
    """Gain of all people, averaged over the draws of biology, when the mechanisms have these effects (5,) in SD."""
    months, cells = people.plan.months, people.plan.cells
    found: list[float] = []
    for number in range(people.biology):
        treated = values_of(people.with_cells(number, cells, effects, {}), months)
        untreated = values_of(people.reference(number, cells), months)
        found.append(float(np.nanmean(gain(treated[measure.id], untreated[measure.id], measure)[visit])))
    return float(np.mean(found))


def _of_direction(
    people: People, measure: Measure, visit: int, direction: NDArray[np.float64], worthwhile: float
) -> dict[str, Any]:
    def at(smd: float) -> float:
        return mean_gain(people, measure, visit, direction * smd) if smd else 0.0

    tried = np.linspace(0.0, MOST_SMD, CURVE_POINTS)
    curve = [at(float(smd)) for smd in tried]
    result: dict[str, Any] = {
        "curve": [{"smd": float(smd), "gain": value} for smd, value in zip(tried, curve, strict=True)],
        "largest_gain": max(curve),
        "needed_smd": None,
    }
    reached = next((place for place, value in enumerate(curve) if value >= worthwhile), None)
    if reached is not None:
        low, high = float(tried[max(reached - 1, 0)]), float(tried[reached])
        result["needed_smd"] = high if reached == 0 else _root(lambda x: at(x) - worthwhile, low, high)
    return result


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    found: Any = brentq(function, low, high, xtol=EXACT_SMD)
    return float(found)


def _tail(name: str, smd: float | None) -> dict[str, Any]:
    """Where the needed effect lies in the prior: the probability that nature is at least so kind."""
    if smd is None:
        return {"prior_probability": 0.0, "verdict": f"not reached by any effect up to {MOST_SMD:g} SD"}
    if name == TOTAL:
        probability = probability_above(smd)
    else:
        probability = float(np.mean(mechanism_prior()[:, CELL_MECHANISMS.index(name)] > smd))
    return {"prior_probability": probability, "verdict": _verdict(probability)}


def _verdict(probability: float) -> str:
    if probability < 0.0005:
        return "beyond what the prior holds possible (below 1 in 2000)"
    return f"prior probability {100 * probability:.2g} %, about 1 in {round(1 / probability)}"
