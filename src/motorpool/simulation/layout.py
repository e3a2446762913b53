"""Where everything lies in the labelled dataset: variables, dimensions, coordinates and attributes."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_MONTH, HOURS_PER_YEAR, MUSCLE_GROUPS
from motorpool.engine.dosing import NEVER_HOURS
from motorpool.outcomes.milestones import MILESTONES
from motorpool.outcomes.panel import OUTCOMES
from motorpool.outcomes.walking import MINUTES
from motorpool.simulation.arm import ArmResults
from motorpool.simulation.plain import Axed, PlainResults
from motorpool.simulation.readout import EVENTS
from motorpool.simulation.recruit import Recruited
from motorpool.simulation.safety import adverse_event_names, procedure_names
from motorpool.simulation.scenario import Scenario
from motorpool.therapies.courses import THERAPIES

if TYPE_CHECKING:
    import xarray as xr

PERSON = ("draw", "patient")
IN_ARM = ("arm", *PERSON)
AT_VISIT = (*IN_ARM, "visit_month")

Arrays = dict[str, NDArray[Any]]
_OfArm = Callable[[ArmResults], Any]
_OfPerson = Callable[[Recruited], Any]

# (dimensions after those of AT_VISIT or IN_ARM, where the engine keeps it with patients last)
_READ_AT_VISITS: dict[str, tuple[tuple[str, ...], _OfArm]] = {
    **{
        f"motor_neurons_{state}": (("muscle_group",), lambda r, row=row: r.readout.pools[:, row])
        for row, state in enumerate(("working", "sick", "dead"))
    },
    "alive": ((), lambda r: r.readout.alive),
    "walk_minute_m": (("minute",), lambda r: r.readout.walk_minute_m),
    "milestone_status": (("milestone",), lambda r: r.readout.milestone_status),
}
_READ_ONCE: dict[str, tuple[tuple[str, ...], _OfArm]] = {
    "milestone_gained_age_years": (("milestone",), lambda r: r.readout.milestone_gained_age_years),
    "milestone_lost_age_years": (("milestone",), lambda r: r.readout.milestone_lost_age_years),
    "event_time_years": (("event",), lambda r: r.readout.event_time_years),
    "adverse_event_count": (("adverse_event",), lambda r: r.adverse_events),
    "procedure_count": (("procedure",), lambda r: r.procedures),
    "therapy_started": (("therapy",), lambda r: r.started),
}
_READ_OF_PEOPLE: dict[str, _OfPerson] = {
    "smn2_copies": lambda c: c.people.smn2_copies,
    "sma_type": lambda c: c.people.sma_type,
    "sex": lambda c: (1 - c.people.person.female).astype(np.int8),
    "onset_age_months": lambda c: _months(c.people.onset_hours),
    "diagnosis_age_months": lambda c: _months(c.people.diagnosis_hours),
    "enrolment_age_years": lambda c: c.people.enrolment_hours / HOURS_PER_YEAR,
}


def dimensions(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """Dimensions of every variable that has patients, in the order of the dataset."""
    scores = {f"{name}{kind}": AT_VISIT for name in scenario.outcome_ids for kind in ("", "__true")}
    at_visits = {name: (*AT_VISIT, *more) for name, (more, _) in _READ_AT_VISITS.items()}
    once = {name: (*IN_ARM, *more) for name, (more, _) in _READ_ONCE.items()}
    age: dict[str, tuple[str, ...]] = {"age_years": (*PERSON, "visit_month")}
    people = dict.fromkeys((*_READ_OF_PEOPLE, "excluded"), PERSON)
    return {**scores, **at_visits, **age, **once, **people}


def arrays_of(scenario: Scenario, cohort: Recruited, arms: Sequence[ArmResults]) -> Arrays:
    """Every variable of the people of one draw but `excluded`, with the patients last, as the engine has them."""

    def stacked(read: _OfArm) -> NDArray[Any]:
        """(arm, draw, ..., patient)."""
        return np.stack([np.asarray(read(arm)) for arm in arms])[:, None]

    found: Arrays = {}
    for name in scenario.outcome_ids:
        row = OUTCOMES.index(name)
        found[name] = stacked(lambda r, row=row: r.readout.observed[:, row])
        found[f"{name}__true"] = stacked(lambda r, row=row: r.readout.true[:, row])
    for name, (_, read) in (_READ_AT_VISITS | _READ_ONCE).items():
        found[name] = stacked(read)
    found["age_years"] = np.asarray(arms[0].readout.age_years)[None]
    for name, read in _READ_OF_PEOPLE.items():
        found[name] = np.asarray(read(cohort))[None]
    return found


def in_final_order(scenario: Scenario, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """Arrays whose patients are last, with the dimensions that `dimensions` tells."""
    return {
        name: np.ascontiguousarray(np.moveaxis(arrays[name], -1, dims.index("patient")))
        for name, dims in dimensions(scenario).items()
    }


def coordinates(scenario: Scenario, draws: Sequence[int], patients: int) -> dict[str, Any]:
    """The coordinates of every dimension."""
    return _coordinates(tuple(scenario.arms), draws, patients, scenario.visit_months())


def _coordinates(
    arms: Sequence[str], draws: Sequence[int], patients: int, months: Sequence[float]
) -> dict[str, Any]:
    return {
        "arm": list(arms),
        "draw": np.asarray(draws),
        "patient": np.arange(patients),
        "visit_month": list(months),
        "milestone": list(MILESTONES),
        "event": list(EVENTS),
        "adverse_event": list(adverse_event_names()),
        "procedure": list(procedure_names()),
        "therapy": list(THERAPIES),
        "muscle_group": list(MUSCLE_GROUPS),
        "minute": np.arange(1, MINUTES + 1),
    }


def attributes(scenario: Scenario) -> dict[str, Any]:
    """What the dataset says of the scenario that it was made from."""
    return {
        "scenario": json.dumps(scenario.model_dump(mode="json", exclude_none=True)),
        "title": scenario.title,
        "question": scenario.question,
        "comparator": scenario.comparator,
        "horizon_months": scenario.horizon_months,
        "care": scenario.care,
    }


def dataset_of(
    scenario: Scenario,
    arrays: Mapping[str, NDArray[Any]],
    draws: Sequence[int],
    facts: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """A dataset of people's arrays in the final order; ``facts`` are further variables, with their dimensions."""
    import xarray as xr

    variables: dict[str, Any] = {name: (dims, arrays[name]) for name, dims in dimensions(scenario).items()}
    patients = arrays["smn2_copies"].shape[1]
    labels = _labels(tuple(scenario.arms), tuple(draws), patients, tuple(scenario.visit_months()))
    return xr.Dataset({**variables, **(facts or {})}, labels.copy(), attributes(scenario))


@functools.lru_cache(maxsize=8)  # small runs of the same shape follow one another
def _labels(
    arms: tuple[str, ...], draws: tuple[int, ...], patients: int, months: tuple[float, ...]
) -> xr.Coordinates:
    import xarray as xr

    return xr.Dataset(coords=_coordinates(arms, draws, patients, months)).coords


def plain_of(scenario: Scenario, arrays: Mapping[str, NDArray[Any]], draw: int) -> PlainResults:
    """The plain form of people's arrays of one draw, with the patients last."""
    named: dict[str, Axed] = {}
    for name, dims in dimensions(scenario).items():
        named[name] = Axed((*(dim for dim in dims if dim != "patient"), "patient"), arrays[name])
    patients = arrays["smn2_copies"].shape[1]
    axes = {
        name: Axed((name,), np.asarray(entries))
        for name, entries in coordinates(scenario, [draw], patients).items()
    }
    return PlainResults({**named, **axes}, attributes(scenario))


def nobody(scenario: Scenario) -> xr.Dataset:
    """The dataset of no people under one draw: names, axes and attributes without values."""
    sizes = {name: len(values) for name, values in coordinates(scenario, [0], 0).items()}
    arrays = {
        name: np.zeros([sizes[dim] for dim in dims], bool if name == "excluded" else float)
        for name, dims in dimensions(scenario).items()
    }
    return dataset_of(scenario, arrays, [0])


def joined(scenario: Scenario, parts: Sequence[Mapping[str, NDArray[Any]]], along: str) -> Arrays:
    """Arrays of several parts, one after the other along `draw` or `patient`."""
    return {
        name: np.concatenate([part[name] for part in parts], axis=dims.index(along))
        for name, dims in dimensions(scenario).items()
    }


def _months(hours: NDArray[Any]) -> NDArray[np.float64]:
    return np.where(np.asarray(hours) >= NEVER_HOURS, np.nan, np.asarray(hours) / HOURS_PER_MONTH)
