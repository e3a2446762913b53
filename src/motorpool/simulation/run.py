"""The simulation: a scenario in, labelled results out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_MONTH, HOURS_PER_YEAR, MUSCLE_GROUPS
from motorpool.outcomes.milestones import MILESTONES
from motorpool.outcomes.panel import OUTCOMES
from motorpool.outcomes.walking import MINUTES
from motorpool.simulation.arm import ArmResults, simulate_arm
from motorpool.simulation.model import parameter_draw
from motorpool.simulation.readout import EVENTS
from motorpool.simulation.recruit import Recruited, recruit
from motorpool.simulation.safety import (
    adverse_event_names,
    procedure_names,
)
from motorpool.simulation.scenario import Scenario
from motorpool.therapies.courses import THERAPIES

if TYPE_CHECKING:
    import xarray as xr

Progress = Callable[[str, float], None]
RECRUITING_SHARE = 0.4  # of the progress bar, within one draw


def run(scenario: Scenario, *, progress: Progress | None = None) -> xr.Dataset:
    """Simulate every arm of a scenario under every draw of what is not known.

    Args:
        progress: called with a stage in words and the share done, 0 to 1.

    Returns:
        The labelled dataset described in docs/reference/results.md.

    Raises:
        ScenarioError: the cohort's criteria cannot be met.
    """
    tell = progress or (lambda stage, share: None)
    draws = scenario.uncertainty.knowledge_draws
    numbers: list[int | None] = list(range(draws)) if draws else [None]
    recruited: list[Recruited] = []
    arms: list[list[ArmResults]] = []
    for position, number in enumerate(numbers):
        begun, width = position / len(numbers), 1.0 / len(numbers)
        label = f"draw {position + 1} of {len(numbers)}"

        def recruiting(share: float, begun: float = begun, width: float = width, label: str = label) -> None:
            tell(f"finding patients, {label}", begun + width * RECRUITING_SHARE * share)

        draw = parameter_draw(number, scenario.seed)
        cohort = recruit(scenario, draw, recruiting)
        recruited.append(cohort)
        results: list[ArmResults] = []
        for index, arm in enumerate(scenario.arms):
            share = RECRUITING_SHARE + (1 - RECRUITING_SHARE) * index / len(scenario.arms)
            tell(f"simulating {scenario.label_of(arm)}, {label}", begun + width * share)
            results.append(simulate_arm(scenario, arm, cohort, draw))
        arms.append(results)
    tell("collecting results", 1.0)
    return _dataset(scenario, recruited, arms)


def _patients_first(array: NDArray[Any]) -> NDArray[Any]:
    """Move the patients' axis from the end to the front."""
    return np.moveaxis(np.asarray(array), -1, 0)


def _dataset(scenario: Scenario, recruited: list[Recruited], arms: list[list[ArmResults]]) -> xr.Dataset:
    import xarray as xr

    def by_arm(pick: Callable[[ArmResults], Any]) -> NDArray[Any]:
        """(arm, draw, patient, ...)."""
        per_draw = [[_patients_first(pick(result)) for result in results] for results in arms]
        return np.stack(
            [np.stack([results[arm] for results in per_draw]) for arm in range(len(scenario.arms))]
        )

    def by_person(pick: Callable[[Recruited], Any]) -> NDArray[Any]:
        return np.stack([np.asarray(pick(cohort)) for cohort in recruited])

    person = ("draw", "patient")
    at_visit = ("arm", *person, "visit_month")
    true, observed = by_arm(lambda r: r.readout.true), by_arm(lambda r: r.readout.observed)
    variables: dict[str, Any] = {}
    for name in scenario.outcome_ids:
        row = OUTCOMES.index(name)
        variables[name] = (at_visit, observed[..., row])
        variables[f"{name}__true"] = (at_visit, true[..., row])
    pools = by_arm(lambda r: r.readout.pools)  # (arm, draw, patient, visit, pool, group)
    for index, state in enumerate(("working", "sick", "dead")):
        variables[f"motor_neurons_{state}"] = ((*at_visit, "muscle_group"), pools[..., index, :])
    variables |= {
        "alive": (at_visit, by_arm(lambda r: r.readout.alive)),
        "age_years": ((*person, "visit_month"), by_arm(lambda r: r.readout.age_years)[0]),
        "walk_minute_m": ((*at_visit, "minute"), by_arm(lambda r: r.readout.walk_minute_m)),
        "milestone_status": ((*at_visit, "milestone"), by_arm(lambda r: r.readout.milestone_status)),
        "milestone_gained_age_years": (
            ("arm", *person, "milestone"),
            by_arm(lambda r: r.readout.milestone_gained_age_years),
        ),
        "milestone_lost_age_years": (
            ("arm", *person, "milestone"),
            by_arm(lambda r: r.readout.milestone_lost_age_years),
        ),
        "event_time_years": (("arm", *person, "event"), by_arm(lambda r: r.readout.event_time_years)),
        "adverse_event_count": (("arm", *person, "adverse_event"), by_arm(lambda r: r.adverse_events)),
        "procedure_count": (("arm", *person, "procedure"), by_arm(lambda r: r.procedures)),
        "therapy_started": (("arm", *person, "therapy"), by_arm(lambda r: r.started)),
        "smn2_copies": (person, by_person(lambda c: c.people.smn2_copies)),
        "sma_type": (person, by_person(lambda c: c.people.sma_type)),
        "sex": (person, by_person(lambda c: 1 - c.people.person.female).astype(np.int8)),
        "onset_age_months": (person, by_person(lambda c: _months(c.people.onset_hours))),
        "diagnosis_age_months": (person, by_person(lambda c: _months(c.people.diagnosis_hours))),
        "enrolment_age_years": (person, by_person(lambda c: c.people.enrolment_hours / HOURS_PER_YEAR)),
        "tried": (("draw",), by_person(lambda c: c.tried)),
        "effective_sample_size": (("draw",), by_person(lambda c: c.effective_sample_size)),
    }
    coordinates = {
        "arm": list(scenario.arms),
        "draw": np.arange(len(recruited)),
        "patient": np.arange(scenario.cohort.patients),
        "visit_month": list(scenario.visit_months()),
        "milestone": list(MILESTONES),
        "event": list(EVENTS),
        "adverse_event": list(adverse_event_names()),
        "procedure": list(procedure_names()),
        "therapy": list(THERAPIES),
        "muscle_group": list(MUSCLE_GROUPS),
        "minute": np.arange(1, MINUTES + 1),
    }
    attributes = {
        "scenario": json.dumps(scenario.model_dump(mode="json", exclude_none=True)),
        "title": scenario.title,
        "question": scenario.question,
        "comparator": scenario.comparator,
        "horizon_months": scenario.horizon_months,
        "care": scenario.care,
        "refused": json.dumps(recruited[0].refused, sort_keys=True),
    }
    return xr.Dataset(variables, coordinates, attributes)


def _months(hours: NDArray[Any]) -> NDArray[np.float64]:
    from motorpool.engine.dosing import NEVER_HOURS

    return np.where(np.asarray(hours) >= NEVER_HOURS, np.nan, np.asarray(hours) / HOURS_PER_MONTH)
