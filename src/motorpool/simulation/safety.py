"""Procedures and adverse events of each person, counted from what was administered."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_YEAR, Array
from motorpool.engine.blocks import join_tree, pad_people
from motorpool.engine.dosing import COURSES
from motorpool.evidence.adverse_events import (
    AdverseEventEntry,
    load_adverse_event_catalogue,
    load_procedure_catalogue,
)
from motorpool.outcomes.adverse_events import (
    PER_COURSE,
    PER_DOSE,
    PER_PATIENT_YEAR,
    AdverseEventParameters,
    Exposure,
    adverse_event_counts,
    adverse_event_identity,
)
from motorpool.therapies.courses import THERAPIES, CellTherapy, Course, Onasemnogene

# Fixed shapes, so that every plan shares one compiled program. Later administrations of one course are not counted
# towards adverse events; later events of one kind neither.
MOST_ADMINISTRATIONS = 256
MOST_EVENTS_PER_PERSON = 64
MOST_PAIRS = 96
INTRATHECAL, INTRAVENOUS = "intrathecal", "intravenous"


@dataclasses.dataclass(frozen=True)
class Given:
    """What one arm's people received, by course: administrations, hours on it, weight at the first dose; (C, P)."""

    administrations: NDArray[Any]
    exposure_hours: NDArray[Any]
    first_dose_weight_kg: NDArray[Any]


def route_of(course: Course) -> str | None:
    """Intrathecal, intravenous, or None for what needs no needle."""
    if isinstance(course, CellTherapy | Onasemnogene):
        return course.route
    return {"nusinersen": INTRATHECAL, "myostatin_inhibition": INTRAVENOUS}.get(course.therapy)


def procedure_names() -> tuple[str, ...]:
    """All procedures, in the order of the results."""
    return tuple(load_procedure_catalogue())


def adverse_event_names() -> tuple[str, ...]:
    """All adverse events, in the order of the results."""
    return tuple(load_adverse_event_catalogue())


def procedure_counts(courses: Sequence[Course], given: Given, tube_placed: NDArray[Any]) -> NDArray[np.int32]:
    """Number of each procedure per person, (procedure, P)."""
    names = procedure_names()
    counts = {name: np.zeros(given.administrations.shape[-1], np.int64) for name in names}
    for index, course in enumerate(courses):
        doses = given.administrations[index].astype(np.int64)
        route = route_of(course)
        if route == INTRATHECAL:
            counts["lumbar_puncture"] += doses
        elif route == INTRAVENOUS:
            counts["intravenous_infusion"] += doses
        if course.therapy == "onasemnogene":
            counts["gene_transfer_monitoring"] += doses
        if course.therapy == "spine_surgery":
            counts["spine_surgery"] += doses
    counts["tube_placement"] += np.asarray(tube_placed > 0.5, np.int64)
    return np.stack([counts[name] for name in names]).astype(np.int32)


def _applies(entry: AdverseEventEntry, course: Course) -> bool:
    if course.therapy not in entry.therapies:
        return False
    if isinstance(course, CellTherapy) and not course.adverse_events:
        return False
    if entry.procedure == "lumbar_puncture":
        return route_of(course) == INTRATHECAL
    if entry.procedure == "intravenous_infusion":
        return route_of(course) == INTRAVENOUS
    return True


def _value(entry: AdverseEventEntry, course: Course) -> float:
    """Probability or rate for this course; the effect of weight comes on top, smoothly, where it is known."""
    intrathecal = route_of(course) == INTRATHECAL
    reference = entry.weight_effect.reference_weight_kg if entry.weight_effect else 0.0
    return entry.value_for(reference, intrathecal)


def adverse_event_counts_of(
    courses: Sequence[Course], given: Given, tube_placed: NDArray[Any], seed: NDArray[Any], *, chance: bool
) -> NDArray[np.float64]:
    """Number of each adverse event per person, (adverse event, P); expected numbers when chance is off."""
    entries = load_adverse_event_catalogue()
    patients = given.administrations.shape[-1]
    total = np.zeros((len(entries), patients))
    tube_row = len(courses)
    administrations = np.concatenate([given.administrations[: len(courses)], (tube_placed > 0.5)[None]])
    years = np.concatenate([given.exposure_hours[: len(courses)] / HOURS_PER_YEAR, np.zeros((1, patients))])
    weights = np.concatenate([given.first_dose_weight_kg[: len(courses)], np.zeros((1, patients))])
    pairs = [
        (number, row, entry)
        for number, entry in enumerate(entries.values())
        for row in range(len(courses) + 1)
        if (row == tube_row and entry.procedure == "tube_placement")
        or (row < tube_row and entry.procedure != "tube_placement" and _applies(entry, courses[row]))
    ]
    if len(pairs) > MOST_PAIRS:
        message = f"a plan has {len(pairs)} adverse events of courses; the program holds {MOST_PAIRS}"
        raise ValueError(message)
    parameters: Any = _padded_parameters(pairs, courses, _rounded_up(len(pairs)))
    most = min(MOST_ADMINISTRATIONS, _rounded_up(int(administrations.max(initial=1))))
    rows = COURSES + 1
    exposed = (
        _padded_rows(administrations, rows).astype(np.int32),
        _padded_rows(years, rows).astype(np.float32),
        _padded_rows(weights, rows).astype(np.float32),
    )
    blocks = zip(*(pad_people(array, patients) for array in (np.asarray(seed), *exposed)), strict=True)
    counted = [
        _counts(luck, Exposure(*block), parameters, most=most, chance=chance) for luck, *block in blocks
    ]
    for (number, _, _), row in zip(pairs, np.asarray(join_tree(counted, patients), np.float64), strict=False):
        total[number] += row
    return total


def _padded_rows(values: NDArray[Any], rows: int) -> NDArray[Any]:
    return np.concatenate([values, np.zeros((rows - values.shape[0], *values.shape[1:]), values.dtype)])


def _rounded_up(count: int) -> int:
    """The next power of two, at least eight: few sizes, few programs."""
    return max(8, 1 << max(0, count - 1).bit_length())


def _padded_parameters(
    pairs: Sequence[tuple[int, int, AdverseEventEntry]], courses: Sequence[Course], rows: int
) -> AdverseEventParameters:
    """One row per adverse event of a course; rows of probability zero fill up the shape."""
    tube_row = len(courses)
    kinds = {"dose": PER_DOSE, "procedure": PER_DOSE, "course": PER_COURSE, "patient_year": PER_PATIENT_YEAR}

    def filled(values: list[float], kind: Any) -> Any:
        return np.asarray(values + [0] * (rows - len(values)), kind)

    names = tuple(f"{entry.id}@{courses[row].name if row < tube_row else 'tube'}" for _, row, entry in pairs)
    weighted = [entry.weight_effect for _, _, entry in pairs]
    return AdverseEventParameters(
        identity=adverse_event_identity(names + ("",) * (rows - len(names))),
        therapy_index=filled([row for _, row, _ in pairs], np.int32),
        kind=filled([kinds[entry.per] for _, _, entry in pairs], np.int32),
        probability=filled(
            [entry.value if row == tube_row else _value(entry, courses[row]) for _, row, entry in pairs],
            np.float32,
        ),
        log_odds_per_kg=filled([w.log_odds_per_kg if w else 0.0 for w in weighted], np.float32),
        reference_weight_kg=filled([w.reference_weight_kg if w else 0.0 for w in weighted], np.float32),
    )


@functools.partial(jax.jit, static_argnames=("most", "chance"))
def _counts(
    seed: Array, exposure: Exposure, parameters: AdverseEventParameters, *, most: int, chance: bool
) -> Array:
    weights = jnp.broadcast_to(exposure.weight_kg[None], (most, *exposure.weight_kg.shape))
    return adverse_event_counts(
        seed,
        exposure._replace(weight_kg=weights),
        parameters,
        most_events_per_person=MOST_EVENTS_PER_PERSON,
        chance=chance,
    )


def therapies_started(
    courses: Sequence[Course], start_hours: NDArray[Any], until: NDArray[Any]
) -> NDArray[np.bool_]:
    """Whether each person began each therapy by ``until`` (P,), (therapy, P)."""
    started = np.zeros((len(THERAPIES), start_hours.shape[-1]), bool)
    for index, course in enumerate(courses):
        started[THERAPIES.index(course.therapy)] |= start_hours[index] <= until
    return started
